//! Pictures that windows are drawn from.
//!
//! What must stay true: a batch depends on the arguments of the call and the pictures alone, not on earlier calls, threads
//! or the time, so that a resumed training sees what the unbroken one would have seen.

use super::Batch;
use super::augment::{self, Augment};
use super::map::Map;
use super::pack::{Area, Packed, number};
use super::random::Random;
use super::view::{NOTHING, Symmetry, View, Window};
use crate::engine::reference::Picture;
use crate::spec::Offset;
use std::hint::black_box;
use std::sync::Arc;

/// Longest side of a picture that [`Set::pictures`] returns.
const CROP: usize = 512;

/// Windows that are looked for at the same time.
const AHEAD: usize = 32;

/// A part of the pictures.
#[derive(Debug)]
pub struct Set {
    pack: Arc<Map>,
    plain: Layer,
    soft: Layer,
    /// A number for each picture that does not depend on the others.
    keys: Vec<u64>,
}

/// Pictures to choose positions from, all positions equally likely.
#[derive(Debug)]
struct Layer {
    areas: Vec<Area>,
    /// Number of positions in the first, the first two, ... pictures.
    ends: Vec<u64>,
}

impl Layer {
    fn new(areas: Vec<Area>) -> Self {
        let mut total = 0;
        let ends = areas.iter().map(|area| {
            total += area.pixels();
            total
        });
        Self { ends: ends.collect(), areas }
    }

    fn pixels(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// A picture, and a position in it in raster order.
    fn draw(&self, random: &mut Random) -> (&Area, usize) {
        let at = random.below(self.pixels());
        let picture = self.ends.partition_point(|end| *end <= at);
        let begin = if picture == 0 { 0 } else { self.ends[picture - 1] };
        (&self.areas[picture], (at - begin) as usize)
    }
}

impl Set {
    /// The set of these pictures of the pack.
    pub(super) fn new(pack: Arc<Map>, pictures: &[Packed]) -> Self {
        Self {
            pack,
            plain: Layer::new(pictures.iter().map(|p| p.plain).collect()),
            soft: Layer::new(pictures.iter().map(|p| p.soft).collect()),
            keys: pictures.iter().map(|p| number(&p.content)).collect(),
        }
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no pictures.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Number of positions, those of softened copies not counted.
    pub fn pixels(&self) -> u64 {
        self.plain.pixels()
    }

    /// `n` random windows and pixels; an empty set gives an empty batch. The same arguments give the same batch.
    pub fn sample(&self, offsets: &[Offset], n: usize, seed: u64, step: u64, augment: &Augment) -> Batch {
        let window = Window::new(offsets);
        let mut batch = Batch::new(if self.is_empty() { 0 } else { n }, &window);
        let mut random = Random::new(&[seed, step]);
        let tone = if augment.tone { augment::tone(&mut random) } else { None };
        let mut places = Vec::with_capacity(AHEAD);
        for first in (0..batch.count).step_by(AHEAD) {
            places.clear();
            places.extend((first..batch.count.min(first + AHEAD)).map(|_| self.place(&window, augment, &mut random)));
            // Almost every window is far from all that the processor has at hand: reading a little of each first lets it
            // wait for all of them at once (2.5 times faster).
            black_box(places.iter().fold(0, |seen, (view, row, column)| seen ^ view.touch(&window, *row, *column)));
            for (i, (view, row, column)) in (first..).zip(&places) {
                batch.set(i, view, &window, *row, *column, tone.as_ref());
            }
        }
        batch
    }

    /// A random position of a random picture.
    fn place(&self, window: &Window, augment: &Augment, random: &mut Random) -> (View<'_>, usize, usize) {
        let soft = augment.soft && random.unit() < augment::SOFT;
        let (area, at) = if soft { &self.soft } else { &self.plain }.draw(random);
        let symmetry = if augment.symmetries { augment::symmetry(random) } else { Symmetry::IDENTITY };
        let view = self.view(area, symmetry);
        let (mut row, mut column) = (at / view.width(), at % view.width());
        if augment.borders && random.unit() < augment::BORDERS {
            (row, column) = border(&view, window, row, column, random);
        }
        (view, row, column)
    }

    /// `per_picture` windows and pixels of each picture, picture after picture, the same ones at each call. A picture's
    /// positions do not depend on the other pictures.
    pub fn fixed(&self, offsets: &[Offset], per_picture: usize) -> Batch {
        let window = Window::new(offsets);
        let mut batch = Batch::new(self.len() * per_picture, &window);
        for (picture, (area, key)) in self.plain.areas.iter().zip(&self.keys).enumerate() {
            let view = self.view(area, Symmetry::IDENTITY);
            let mut random = Random::new(&[*key]);
            for i in 0..per_picture {
                let at = random.below(area.pixels()) as usize;
                let (row, column) = (at / view.width(), at % view.width());
                batch.set(picture * per_picture + i, &view, &window, row, column, None);
            }
        }
        batch
    }

    /// At most `most` pictures, spread over the set, each cut to its middle of at most 512 x 512 (so at most 0.8 MB each).
    pub fn pictures(&self, most: usize) -> Vec<Picture> {
        let count = self.len().min(most);
        let chosen = (0..count).map(|i| &self.plain.areas[i * self.len() / count]);
        chosen.map(|area| self.middle(area)).collect()
    }

    fn middle(&self, area: &Area) -> Picture {
        let view = self.view(area, Symmetry::IDENTITY);
        let (height, width) = (view.height().min(CROP), view.width().min(CROP));
        let (top, left) = ((view.height() - height) / 2, (view.width() - width) / 2);
        let row = |c: usize, row: usize| (0..width).map(|column| view.pixel(top + row, left + column)[c]).collect();
        (0..3).map(|c| (0..height).map(|r| row(c, r)).collect()).collect()
    }

    fn view(&self, area: &Area, symmetry: Symmetry) -> View<'_> {
        View::new(area.samples(&self.pack), area.height as usize, area.width as usize, symmetry)
    }
}

/// A position at the top, left or right border, near enough that the window leaves the picture; along the border it is
/// where `row` and `column` say.
fn border(view: &View, window: &Window, row: usize, column: usize, random: &mut Random) -> (usize, usize) {
    let [up, left, right] = window.reach();
    let mut within = |reach: usize, size: usize| random.below(reach.min(size).max(1) as u64) as usize;
    let (top, west, east) =
        (within(up, view.height()), within(left, view.width()), view.width() - 1 - within(right, view.width()));
    // The top is where the padding is most unlike a picture.
    match random.below(4) {
        0 | 1 => (top, column),
        2 => (row, west),
        _ => (row, east),
    }
}

impl Batch {
    fn new(count: usize, window: &Window) -> Self {
        Self { count, window: vec![0; count * window.samples()], pixel: vec![0; count * 3] }
    }

    /// Fills a place of the batch.
    #[inline]
    fn set(&mut self, place: usize, view: &View, window: &Window, row: usize, column: usize, tone: Option<&[u8; 256]>) {
        let samples = &mut self.window[place * window.samples()..][..window.samples()];
        let pixel = &mut self.pixel[place * 3..][..3];
        view.window(window, row, column, samples);
        pixel.copy_from_slice(&view.pixel(row, column));
        if let Some(table) = tone {
            pixel.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            if (row, column) == (0, 0) {
                // Nothing of the picture is seen here.
                samples.fill(NOTHING);
            } else {
                samples.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            }
        }
    }
}
