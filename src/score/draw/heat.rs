//! A picture and the standardized surprise of the places around each pixel.

use super::super::example::{Example, Region};
use super::super::statistics::blocks::SLACK;
use super::{FRAME, tinted};
use crate::media::image::Picture;

/// Half a side of the square over which surprise is averaged.
const REACH: usize = 2;
/// Deviations that are drawn in full colour.
const FULL: f64 = 4.0;

/// Whether there is a picture to draw.
fn is_picture(example: &Example) -> bool {
    let Example { width, height, channels, .. } = *example;
    width > 0 && height > 0 && channels > 0 && example.symbols.len() == width * height * channels
}

/// The picture itself.
pub fn plain(example: &Example) -> Option<Picture> {
    let unit = 255 / (example.alphabet.max(2) - 1).min(255);
    let samples = example.symbols.iter().map(|s| (u32::from(*s) * unit).min(255) as u8).collect();
    let (width, height) = (example.width as u32, example.height as u32);
    let picture = Picture { width, height, channels: example.channels as u8, samples };
    (is_picture(example) && picture.is_consistent()).then_some(picture)
}

/// Whether a place is next to a region, outside of it.
fn frames(region: Region, y: usize, x: usize) -> bool {
    let within = |slack: usize| {
        (region.x..region.x + region.width + 2 * slack).contains(&(x + slack))
            && (region.y..region.y + region.height + 2 * slack).contains(&(y + slack))
    };
    within(1) && !within(0)
}

/// The picture in gray, red where it is more surprising than expected and blue where less, and a frame.
pub fn overlay(example: &Example, frame: Option<Region>) -> Option<Picture> {
    let (width, height) = (example.width, example.height);
    if !is_picture(example) {
        return None;
    }
    // Sums from the upper left corner on, so that those of a square are four of them.
    let wide = width + 1;
    let mut sums = vec![[0.0; 2]; wide * (height + 1)];
    for (i, [surprise, variance]) in example.places().into_iter().enumerate() {
        let at = (i / width + 1) * wide + i % width + 1;
        for (k, value) in [surprise, variance + SLACK].into_iter().enumerate() {
            sums[at][k] = value + sums[at - 1][k] + sums[at - wide][k] - sums[at - wide - 1][k];
        }
    }
    let gray = example.luminance();
    let pixel = |y: usize, x: usize| {
        if frame.is_some_and(|region| frames(region, y, x)) {
            return FRAME;
        }
        let (top, left) = (y.saturating_sub(REACH), x.saturating_sub(REACH));
        let (bottom, right) = ((y + REACH + 1).min(height), (x + REACH + 1).min(width));
        let square = |k: usize| {
            sums[bottom * wide + right][k] - sums[top * wide + right][k] - sums[bottom * wide + left][k]
                + sums[top * wide + left][k]
        };
        tinted(gray[y * width + x], (square(0) / square(1).max(SLACK).sqrt() / FULL).clamp(-1.0, 1.0))
    };
    let samples = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(y, x))).collect();
    Some(Picture { width: width as u32, height: height as u32, channels: 3, samples })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;
    use crate::score::Kind;

    #[test]
    fn what_is_odd_is_red_and_what_is_too_predictable_blue() {
        let one = 1 << Score::FRACTION;
        let mut scores = vec![Score { surprise: one, entropy: one, variance: one }; 20 * 16];
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            scores[y * 20 + x].surprise = 9 * one;
            scores[(12 + y) * 20 + 16 + x] = Score { surprise: 0, entropy: 4 * one, variance: one };
        }
        let symbols = vec![128; 20 * 16];
        let kind = Kind::Picture;
        let example = Example::new(kind, [16, 20, 1], 256, &symbols, &scores);
        let picture = overlay(&example, Some(Region { x: 6, y: 0, width: 3, height: 2 })).unwrap();
        assert_eq!((picture.width, picture.height), (20, 16));
        assert!(picture.is_consistent());
        let at = |y: usize, x: usize| &picture.samples[(y * 20 + x) * 3..][..3];
        assert!(at(1, 1)[0] > 180 && at(1, 1)[2] < 80, "{:?}", at(1, 1));
        assert!(at(14, 18)[2] > 180 && at(14, 18)[0] < 80, "{:?}", at(14, 18));
        assert_eq!(at(8, 10), [128; 3]);
        assert!(at(0, 5) == FRAME && at(2, 9) == FRAME && at(1, 7) != FRAME && at(3, 7) != FRAME);
        assert_eq!(plain(&example).unwrap().samples, [128; 320]);
        assert_eq!(plain(&Example { alphabet: 2, symbols: &[1; 320], ..example }).unwrap().samples, [255; 320]);
        assert!(overlay(&Example { symbols: &symbols[1..], ..example }, None).is_none());
    }
}
