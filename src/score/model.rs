//! Files to summaries, by a model: a network for sets of examples, one for photographs, or what learns as it goes.

use super::example::{Example, Kind};
use super::layer::{self, Walked};
use super::media::{self, Medium, Reading, ScoreError};
use crate::codec::adaptive::{self, Adaptive};
use crate::codec::sets::{self, Labels};
use crate::codec::{Level, Models};
use crate::engine::grid::GridNetwork;
use crate::engine::{ModelId, Network};
use crate::entropy::Score;
use crate::media::image::Picture;
use crate::media::set::{self, Set};
use crate::spec::{Domain, SIGNED};
use rayon::prelude::*;
use std::sync::Arc;

/// What scores files. Each file is scored by it alone.
#[derive(Debug, Clone)]
pub enum Model {
    /// A network for sets of examples of one size.
    Set(Arc<GridNetwork>),
    /// A network for photographs.
    Photographs(Arc<Network>),
    /// A model that learns as it goes.
    Adaptive(Adaptive),
}

/// A picture's channels are scored together, so all files of a collection have as many.
const COLOUR: u8 = 3;
/// Bytes that count as a second of a text.
const TEXT_RATE: f64 = 1000.0;

impl Model {
    /// The model for a medium: the one that the user named if it is for it, else the one for colour photographs at this level, or what
    /// learns as it goes.
    ///
    /// # Errors
    /// One that is not there.
    pub fn find(models: &Models, medium: Medium, level: Level) -> Result<Self, ScoreError> {
        if let Some(named) = models.for_sets()?.map(Self::Set).filter(|model| model.medium() == medium) {
            return Ok(named);
        }
        match medium {
            Medium::Sound => Ok(Self::Adaptive(Adaptive::Samples)),
            Medium::Text => Ok(Self::Adaptive(Adaptive::Bytes)),
            Medium::Picture => {
                let network = models.for_pictures(COLOUR, level)?;
                let none = || ScoreError::NoPicture { note: Some("there is no model for them".to_owned()) };
                network.map(Self::Photographs).ok_or_else(none)
            }
        }
    }

    /// The model that the user named, whatever it is for; none if nothing was named.
    ///
    /// # Errors
    /// One that is not there.
    pub fn named(models: &Models, level: Level) -> Result<Option<Self>, ScoreError> {
        match models.for_sets()? {
            Some(network) => Ok(Some(Self::Set(network))),
            None => Ok(models.for_pictures(COLOUR, level)?.map(Self::Photographs)),
        }
    }

    /// Every model for a medium that can be found, the default first. Not every one takes every file.
    ///
    /// # Errors
    /// No default.
    pub fn candidates(models: &Models, medium: Medium, level: Level) -> Result<Vec<Self>, ScoreError> {
        let mut all = vec![Self::find(models, medium, level)?];
        for program in models.all().filter_map(|found| found.program.ok()) {
            let Ok(network) = models.find_grid(program.id()) else { continue };
            let model = Self::Set(network);
            if model.medium() == medium && all.iter().all(|other| other.id() != model.id()) {
                all.push(model);
            }
        }
        Ok(all)
    }

    /// The model with this identity.
    ///
    /// # Errors
    /// One that is not there.
    pub fn with_id(models: &Models, id: ModelId) -> Result<Self, ScoreError> {
        if let Some(adaptive) = Adaptive::ALL.into_iter().find(|adaptive| adaptive.id() == id) {
            return Ok(Self::Adaptive(adaptive));
        }
        match models.find_grid(id) {
            Ok(network) => Ok(Self::Set(network)),
            Err(_) => Ok(Self::Photographs(models.find(id)?)),
        }
    }

    /// What it is for.
    pub fn medium(&self) -> Medium {
        match self {
            Self::Photographs(_) => Medium::Picture,
            Self::Adaptive(Adaptive::Bytes) => Medium::Text,
            Self::Adaptive(Adaptive::Samples) => Medium::Sound,
            Self::Set(network) => match network.program().domain() {
                Domain::Photographs | Domain::Pictures { .. } => Medium::Picture,
                Domain::Text { .. } => Medium::Text,
                Domain::Sound { .. } => Medium::Sound,
            },
        }
    }

    /// Its identity.
    pub fn id(&self) -> ModelId {
        match self {
            Self::Set(network) => network.program().id(),
            Self::Photographs(network) => network.program().id(),
            Self::Adaptive(adaptive) => adaptive.id(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Set(network) => network.program().name(),
            Self::Photographs(network) => network.program().name(),
            Self::Adaptive(adaptive) => adaptive.name(),
        }
    }

    /// Scores each example in a file and keeps what `then` makes of its number and of it.
    ///
    /// # Errors
    /// A file that the model is not for.
    pub fn each<T: Send>(
        &self,
        file: &[u8],
        reading: Reading,
        then: impl Fn(usize, &Example) -> T + Sync,
    ) -> Result<Vec<T>, ScoreError> {
        match self {
            Self::Set(network) => match network.program().domain() {
                Domain::Photographs => Err(ScoreError::NoPicture { note: None }),
                Domain::Pictures { .. } => set_pictures(network, file, reading, then),
                Domain::Text { .. } => {
                    let (text, scores) = (set::unzipped(file, &reading.limits())?, whole(network, file, reading)?);
                    Ok(texts(&text, &scores, reading, then))
                }
                Domain::Sound { .. } => {
                    let (sound, symbols) = media::recording(file, reading)?;
                    Ok(sounds(sound.rate, 1, &symbols, &whole(network, file, reading)?, reading, then))
                }
            },
            Self::Adaptive(Adaptive::Bytes) => {
                let text = set::unzipped(file, &reading.limits())?;
                Ok(texts(&text, &adaptive::text(&text), reading, then))
            }
            Self::Adaptive(Adaptive::Samples) => {
                let (sound, symbols) = media::recording(file, reading)?;
                let scores = adaptive::recording(&sound);
                Ok(sounds(sound.rate, sound.channels.into(), &symbols, &scores, reading, then))
            }
            Self::Photographs(network) => {
                let pictures = media::pictures(file, reading)?;
                let most = network.program().spec().symbols.channels;
                if let Some(picture) = pictures.iter().find(|picture| u16::from(picture.channels) > most) {
                    let name = network.program().name().to_owned();
                    return Err(ScoreError::Channels { given: picture.channels, wanted: most, name });
                }
                let one = |(number, picture)| photograph(network, picture, |example| then(number, example));
                Ok(pictures.par_iter().enumerate().map(one).collect())
            }
        }
    }
}

/// The pictures of a set.
fn set_pictures<T: Send>(
    network: &GridNetwork,
    file: &[u8],
    reading: Reading,
    then: impl Fn(usize, &Example) -> T + Sync,
) -> Result<Vec<T>, ScoreError> {
    let domain = network.program().domain();
    let mut set = set::examples(file, domain, &reading.limits())?;
    if let Some(first) = reading.first {
        set = Set::new(set.symbols().iter().take(first.saturating_mul(set.size())).copied().collect(), set.size());
    }
    let Domain::Pictures { channels, height, width, .. } = domain else { return Ok(Vec::new()) };
    let (height, width, channels) = (*height as usize, *width as usize, usize::from(*channels));
    let alphabet = network.program().spec().symbols.alphabet;
    Ok(sets::score_each(network, &set, Labels::Unknown, |number, symbols, scores| {
        then(number, &Example::new(Kind::Picture, [height, width, channels], alphabet, symbols, scores))
    })?)
}

/// The scores of all examples of a file, one after the other.
fn whole(network: &GridNetwork, file: &[u8], reading: Reading) -> Result<Vec<Score>, ScoreError> {
    let set = set::examples(file, network.program().domain(), &reading.limits())?;
    Ok(sets::score_each(network, &set, Labels::Unknown, |_, _, scores| scores.to_vec())?.concat())
}

/// The windows of a text.
fn texts<T: Send>(
    text: &[u8],
    scores: &[Score],
    reading: Reading,
    then: impl Fn(usize, &Example) -> T + Sync,
) -> Vec<T> {
    let symbols: Vec<u16> = text.iter().map(|b| u16::from(*b)).collect();
    let example = Example::new(Kind::Text, [1, 0, 1], 256, &symbols, scores);
    cut(&example, reading.window(TEXT_RATE), then)
}

/// The windows of a recording.
fn sounds<T: Send>(
    rate: u32,
    channels: usize,
    symbols: &[u16],
    scores: &[Score],
    reading: Reading,
    then: impl Fn(usize, &Example) -> T + Sync,
) -> Vec<T> {
    let kind = Kind::Sound { rate };
    let example = Example::new(kind, [1, 0, channels], SIGNED, symbols, scores);
    cut(&example, reading.window(rate.into()), then)
}

/// The windows of a sequence.
fn cut<T: Send>(whole: &Example, length: Option<usize>, then: impl Fn(usize, &Example) -> T + Sync) -> Vec<T> {
    let windows = media::windows(whole.symbols.len() / whole.channels, length);
    let one = |(number, window): (usize, std::ops::Range<usize>)| {
        let (from, to) = (window.start * whole.channels, window.end * whole.channels);
        let (symbols, scores) = (&whole.symbols[from..to], &whole.scores[from..to]);
        then(number, &Example { width: window.len(), start: window.start, symbols, scores, ..*whole })
    };
    windows.into_par_iter().enumerate().map(one).collect()
}

fn photograph<T>(network: &Network, picture: &Picture, then: impl Fn(&Example) -> T) -> T {
    let Walked { scores, layer, fisher } = layer::walk(network, picture);
    with_example(picture, &scores, |example| then(&Example { layer: &layer, fisher, ..*example }))
}

/// Calls `then` with a picture as an example; its scores may not be known.
pub(super) fn with_example<T>(picture: &Picture, scores: &[Score], then: impl FnOnce(&Example) -> T) -> T {
    let symbols: Vec<u16> = picture.samples.iter().map(|s| u16::from(*s)).collect();
    let shape = [picture.height as usize, picture.width as usize, picture.channels.into()];
    then(&Example::new(Kind::Picture, shape, 256, &symbols, scores))
}
