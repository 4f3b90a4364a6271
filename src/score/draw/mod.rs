//! Where an example is odd, for people to look at: drawn over a picture, over a recording's spectrogram, or as the colour of letters.
//!
//! What must stay true: red is more surprising than expected, blue less, in units of what the model itself expected; a frame is around the
//! block that the words about an example name.

mod heat;
mod letters;
mod spectrogram;

use super::example::{Example, Kind, Region};
use crate::media::image::Picture;
pub use letters::Letters;

/// A drawing of an example.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// Of a picture or a recording.
    Picture {
        /// As it is.
        plain: Picture,
        /// With colours where it is odd.
        heat: Picture,
    },
    /// Of a text.
    Letters(Letters),
}

/// Colour of the frame around the strangest block.
const FRAME: [u8; 3] = [255, 220, 0];

/// Small pictures are enlarged until their shorter side has so many pixels.
const SIDE: usize = 224;

/// Draws an example, with a frame around its strangest block; `None` for one that has nothing to draw. Pictures have their own size,
/// recordings that of their spectrogram.
pub fn draw(example: &Example, strangest: Option<Region>) -> Option<Drawing> {
    match example.kind {
        Kind::Picture => {
            Some(Drawing::Picture { plain: heat::plain(example)?, heat: heat::overlay(example, strangest)? })
        }
        Kind::Sound { rate } => {
            let (plain, heat) = spectrogram::draw(example, rate, strangest)?;
            Some(Drawing::Picture { plain, heat })
        }
        Kind::Text => Letters::of(example, strangest).map(Drawing::Letters),
    }
}

/// A picture whose pixels are squares, so many that its shorter side has some 224 pixels.
pub fn enlarged(picture: &Picture) -> Picture {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let times = SIDE.div_ceil(width.min(height).max(1)).max(1);
    let channels = usize::from(picture.channels);
    let mut samples = Vec::with_capacity(picture.samples.len() * times * times);
    for row in picture.samples.chunks(width * channels) {
        let wide: Vec<u8> = row.chunks(channels).flat_map(|pixel| pixel.repeat(times)).collect();
        (0..times).for_each(|_| samples.extend(&wide));
    }
    Picture { width: (width * times) as u32, height: (height * times) as u32, channels: picture.channels, samples }
}

/// A picture whose longer side has at most `most` pixels: means of squares of whole pixels.
pub fn reduced(picture: &Picture, most: usize) -> Picture {
    let (width, height, channels) = (picture.width as usize, picture.height as usize, usize::from(picture.channels));
    let times = width.max(height).div_ceil(most.max(1)).max(1);
    let (w, h) = (width.div_ceil(times), height.div_ceil(times));
    let mut samples = Vec::with_capacity(w * h * channels);
    for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y * times, x * times))) {
        let (bottom, right) = ((y + times).min(height), (x + times).min(width));
        for channel in 0..channels {
            let at = |y: usize, x: usize| u64::from(picture.samples[(y * width + x) * channels + channel]);
            let sum: u64 = (y..bottom).map(|y| (x..right).map(|x| at(y, x)).sum::<u64>()).sum();
            samples.push((sum / ((bottom - y) * (right - x)) as u64) as u8);
        }
    }
    Picture { width: w as u32, height: h as u32, channels: picture.channels, samples }
}

/// A gray value turned towards red or blue by how odd it is, from -1 to 1. Faint where nothing is odd, so that what is below is seen.
fn tinted(gray: f64, odd: f64) -> [u8; 3] {
    let colour = if odd > 0.0 { [230.0, 30.0, 30.0] } else { [30.0, 80.0, 230.0] };
    let part = odd.abs() * 0.8;
    colour.map(|c| (gray * (1.0 - part) + c * part) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_enlarged_and_reduced() {
        let picture = Picture { width: 2, height: 1, channels: 3, samples: vec![0, 10, 20, 100, 110, 120] };
        let large = enlarged(&picture);
        assert_eq!((large.width, large.height), (448, 224));
        assert!(
            large.is_consistent()
                && large.samples[..3] == [0, 10, 20]
                && large.samples[224 * 3..][..3] == [100, 110, 120]
        );
        assert_eq!(reduced(&large, 2), picture);
        assert_eq!(reduced(&picture, 1).samples, [50, 60, 70]);
        assert_eq!(reduced(&picture, 9), picture);
    }
}
