//! A network for photographs, fitted to normal pictures: the biases of all its layers, as the codec fits them to one picture
//! ([`adapt`]), but to a sample of the pictures of a collection.
//!
//! What must stay true: which pictures are taken, and what is made of them, depends on their contents alone; those that are held have
//! no more than [`PIXELS`] and one picture's.

use super::calibration::{Contents, fitted};
use super::media::{self, Reading, ScoreError};
use super::model::{Model, with_example};
use crate::adapt::{self, Area, Fit};
use crate::codec::bands::field;
use crate::engine::{Field, Network};
use crate::media::image::Picture;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pixels that are enough: some times as many as are drawn from them.
const PIXELS: u64 = 1 << 22;
const FIT: Fit = Fit::THOROUGH;

/// The pictures of a collection, of which a network is fitted to some. All are [`count`](Self::count)ed, then all are
/// [`take`](Self::take)n, then the network is [`fit`](Self::fit).
#[derive(Debug)]
pub struct Refit {
    /// Those with more cannot be scored.
    channels: u16,
    /// Numbers of pixels by contents.
    pixels: BTreeMap<[u8; 32], u64>,
    pictures: BTreeMap<[u8; 32], Picture>,
}

impl Refit {
    /// Nothing yet.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn new(model: &Model) -> Result<Self, ScoreError> {
        let channels = network(model)?.program().spec().symbols.channels;
        Ok(Self { channels, pixels: BTreeMap::new(), pictures: BTreeMap::new() })
    }

    /// Takes note of the pictures in a file.
    ///
    /// # Errors
    /// A file that holds none.
    pub fn count(&mut self, file: &[u8], reading: Reading) -> Result<(), ScoreError> {
        let pictures = self.pictures(file, reading)?;
        self.pixels.extend(pictures.map(|(content, p)| (content, u64::from(p.width) * u64::from(p.height))));
        Ok(())
    }

    /// The contents of those pictures that the network is fitted to; they must give no p-values. They belong to the half of all
    /// pictures that a calibration fits.
    pub fn seen(&self) -> Contents {
        let mut taken = 0;
        let enough = |content: &[u8; 32]| {
            let before = taken;
            taken += self.pixels[content];
            before < PIXELS
        };
        fitted(&self.pixels.keys().copied().collect()).into_iter().take_while(enough).collect()
    }

    /// Keeps those pictures of a file that are `seen`.
    ///
    /// # Errors
    /// A file that holds none.
    pub fn take(&mut self, file: &[u8], reading: Reading, seen: &Contents) -> Result<(), ScoreError> {
        let pictures = self.pictures(file, reading)?.filter(|(content, _)| seen.contains(content));
        self.pictures.extend(pictures);
        Ok(())
    }

    /// The pictures in a file that can be scored, by contents.
    fn pictures(
        &self,
        file: &[u8],
        reading: Reading,
    ) -> Result<impl Iterator<Item = ([u8; 32], Picture)> + use<>, ScoreError> {
        let channels = self.channels;
        let pictures = media::pictures(file, reading)?.into_iter();
        Ok(pictures.filter(move |p| u16::from(p.channels) <= channels).map(|p| (content(&p), p)))
    }

    /// How many pictures were taken, and the code of how far biases are moved; `None` where that saves no bits.
    ///
    /// # Errors
    /// A model that cannot be fitted.
    pub fn fit(&self, model: &Model) -> Result<(usize, Option<Vec<u8>>), ScoreError> {
        let network = network(model)?;
        let fields: Vec<Field> = self.pictures.values().map(|picture| field(network, picture)).collect();
        let rows = |picture: &Picture| (0..picture.height).collect();
        let area = |(field, p): (_, &Picture)| Area { field, width: p.width, rows: rows(p) };
        let areas: Vec<Area> = fields.iter().zip(self.pictures.values()).map(area).collect();
        Ok((areas.len(), adapt::fit(network, &areas, &FIT)))
    }
}

/// The model, moved as a code says.
///
/// # Errors
/// A model that cannot be fitted, or a code that is none for it.
pub fn apply(model: &Model, code: &[u8]) -> Result<Model, ScoreError> {
    let refused = |_| ScoreError::Unfit { name: model.name().to_owned() };
    let network = network(model)?;
    Ok(Model::Photographs(Arc::new(adapt::apply(network, code).map_err(refused)?)))
}

/// What can be fitted of a model.
fn network(model: &Model) -> Result<&Network, ScoreError> {
    match model {
        Model::Photographs(network) => Ok(network),
        _ => Err(ScoreError::Fixed { name: model.name().to_owned(), medium: model.medium() }),
    }
}

/// What an example of a picture says that its content is.
fn content(picture: &Picture) -> [u8; 32] {
    with_example(picture, &[], |example| example.content())
}
