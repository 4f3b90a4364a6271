//! Files to summaries, by a model: a network for sets of examples, or one for photographs.

use super::example::{Example, Summary};
use crate::codec::bands::{self, bands};
use crate::codec::sets::{self, ClassError, Labels};
use crate::codec::{Level, ModelError, Models};
use crate::engine::grid::GridNetwork;
use crate::engine::{ModelId, Network};
use crate::media::image::Picture;
use crate::media::set::{self, Array, SetError};
use crate::media::{self, Content, Limits, Outcome};
use crate::spec::Domain;
use rayon::prelude::*;
use std::sync::Arc;
use thiserror::Error;

/// Why a file could not be scored.
#[derive(Debug, Error)]
pub enum ScoreError {
    /// The file is no set for the model.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The labels do not fit.
    #[error(transparent)]
    Classes(#[from] ClassError),
    /// No model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model is for pictures, and the file is none.
    #[error("is no picture that this program reads (PNG, BMP, PNM of 8 bits, IDX){}", note.as_ref().map(|n| format!(": {n}")).unwrap_or_default())]
    NoPicture {
        /// What the reader says.
        note: Option<String>,
    },
    /// The model has another number of channels.
    #[error("has {given} channels, and the model '{name}' is for {wanted}")]
    Channels {
        /// Of the picture.
        given: u8,
        /// Of the model.
        wanted: u16,
        /// The model.
        name: String,
    },
}

/// What scores files. Each file is scored by it alone.
#[derive(Debug, Clone)]
pub enum Model {
    /// A network for sets of examples of one size.
    Set(Arc<GridNetwork>),
    /// A network for photographs.
    Photographs(Arc<Network>),
}

/// A picture's channels are scored together, so all files of a collection have as many.
const COLOUR: u8 = 3;

impl Model {
    /// The model that the user named, or the one for colour photographs at this level.
    ///
    /// # Errors
    /// One that is not there.
    pub fn find(models: &Models, level: Level) -> Result<Self, ScoreError> {
        if let Some(network) = models.for_sets()? {
            return Ok(Self::Set(network));
        }
        let network = models.for_pictures(COLOUR, level)?;
        let network = network.ok_or(ScoreError::NoPicture { note: Some("there is no model for them".to_owned()) })?;
        Ok(Self::Photographs(network))
    }

    /// The model with this identity.
    ///
    /// # Errors
    /// One that is not there.
    pub fn with_id(models: &Models, id: ModelId) -> Result<Self, ScoreError> {
        match models.find_grid(id) {
            Ok(network) => Ok(Self::Set(network)),
            Err(_) => Ok(Self::Photographs(models.find(id)?)),
        }
    }

    /// Its identity.
    pub fn id(&self) -> ModelId {
        match self {
            Self::Set(network) => network.program().id(),
            Self::Photographs(network) => network.program().id(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Set(network) => network.program().name(),
            Self::Photographs(network) => network.program().name(),
        }
    }

    /// What is kept of each example in a file. `tile` is width and height of a sprite sheet's tiles.
    ///
    /// # Errors
    /// A file that the model is not for.
    pub fn summaries(&self, file: &[u8], tile: Option<(u32, u32)>, limit: u64) -> Result<Vec<Summary>, ScoreError> {
        self.each(file, tile, limit, |example| example.summary())
    }

    /// Scores each example in a file and keeps what `then` makes of it.
    ///
    /// # Errors
    /// A file that the model is not for.
    pub fn each<T: Send>(
        &self,
        file: &[u8],
        tile: Option<(u32, u32)>,
        limit: u64,
        then: impl Fn(&Example) -> T + Sync,
    ) -> Result<Vec<T>, ScoreError> {
        let limits = Limits { max_bytes: limit };
        match self {
            Self::Set(network) => examples(network, file, &limits, then),
            Self::Photographs(network) => {
                let pictures = pictures(file, tile, &limits)?;
                let most = network.program().spec().symbols.channels;
                match pictures.iter().find(|picture| u16::from(picture.channels) > most) {
                    Some(picture) => {
                        let name = network.program().name().to_owned();
                        Err(ScoreError::Channels { given: picture.channels, wanted: most, name })
                    }
                    None => Ok(pictures.par_iter().map(|picture| photograph(network, picture, &then)).collect()),
                }
            }
        }
    }
}

fn examples<T: Send>(
    network: &GridNetwork,
    file: &[u8],
    limits: &Limits,
    then: impl Fn(&Example) -> T + Sync,
) -> Result<Vec<T>, ScoreError> {
    let domain = network.program().domain();
    let set = set::examples(file, domain, limits)?;
    let (height, width, channels) = match domain {
        Domain::Pictures { channels, height, width, .. } => (*height as usize, *width as usize, usize::from(*channels)),
        _ => (1, network.symbols(), 1),
    };
    let alphabet = network.program().spec().symbols.alphabet;
    Ok(sets::score_each(network, &set, Labels::Unknown, |symbols, scores| {
        let width = if height == 1 { symbols.len() / channels } else { width };
        then(&Example { height, width, channels, alphabet, symbols, scores })
    })?)
}

/// The pictures in a file: one, or those of an IDX file or of a sheet.
fn pictures(file: &[u8], tile: Option<(u32, u32)>, limits: &Limits) -> Result<Vec<Picture>, ScoreError> {
    // The file is not restored, so its exact deflate data need not be.
    let picture = match media::split(file, media::Options { pixels: true }, limits) {
        // Pictures of a set are looked at one by one.
        Outcome::Split(split) if split.medium == media::Medium::Idx => Err(None),
        Outcome::Split(split) => match split.content {
            Content::Picture(picture) => Ok(picture),
            Content::Rows { .. } | Content::Pcm(_) => Err(split.note),
        },
        Outcome::Opaque { note } => Err(note),
    };
    let no_picture = match (picture, tile) {
        (Ok(picture), None) => return Ok(vec![picture]),
        (Ok(_), Some(_)) => None,
        (Err(note), _) => Some(note),
    };
    let stack = Array::of(file, tile, limits).map_err(|error| match no_picture {
        None => ScoreError::from(error),
        Some(note) => ScoreError::NoPicture { note: note.or(Some(error.to_string())) },
    })?;
    let (height, width) = (stack.dims[1], stack.dims[2]);
    let channels = stack.dims.get(3).map_or(1, |c| *c as u8);
    if !matches!(channels, 1 | 3) {
        return Err(ScoreError::NoPicture { note: None });
    }
    let unit = (width as usize * height as usize * usize::from(channels)).max(1);
    let one = |samples: &[u8]| Picture { width, height, channels, samples: samples.to_vec() };
    Ok(stack.values.chunks_exact(unit).map(one).collect())
}

fn photograph<T>(network: &Network, picture: &Picture, then: impl Fn(&Example) -> T) -> T {
    let bands: Vec<_> = bands(picture.height).collect();
    let scores: Vec<_> = bands.into_par_iter().map(|band| bands::score_band(network.into(), picture, band)).collect();
    let scores = scores.concat();
    let symbols: Vec<u16> = picture.samples.iter().map(|s| u16::from(*s)).collect();
    let (height, width) = (picture.height as usize, picture.width as usize);
    let channels = picture.channels.into();
    then(&Example { height, width, channels, alphabet: 256, symbols: &symbols, scores: &scores })
}
