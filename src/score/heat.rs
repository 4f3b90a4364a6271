//! Where an example is odd: a picture of its surprise.

use super::example::Example;
use super::statistics::blocks::SLACK;
use crate::media::image::Picture;

/// Half a side of the square over which surprise is averaged.
const REACH: usize = 2;
/// Deviations that are drawn in full colour.
const FULL: f64 = 4.0;
/// Small pictures are enlarged until their shorter side has so many pixels.
const SIDE: usize = 224;

/// The example in gray, red where it is more surprising than expected and blue where less, by the standardized surprise of the
/// places around. `None` for what is no picture.
pub fn heat(example: &Example) -> Option<Picture> {
    let (width, height, channels) = (example.width, example.height, example.channels);
    if height < 2 || width == 0 || channels == 0 || example.symbols.len() != width * height * channels {
        return None;
    }
    let places = example.places();
    let times = SIDE.div_ceil(width.min(height)).max(1);
    let mut picture = Picture {
        width: (width * times) as u32,
        height: (height * times) as u32,
        channels: 3,
        samples: Vec::with_capacity(width * height * times * times * 3),
    };
    let pixel = |y: usize, x: usize| {
        let (mut surprise, mut variance) = (0.0, 0.0);
        for row in y.saturating_sub(REACH)..(y + REACH + 1).min(height) {
            for place in &places[row * width + x.saturating_sub(REACH)..row * width + (x + REACH + 1).min(width)] {
                surprise += place[0];
                variance += place[1] + SLACK;
            }
        }
        let share = (surprise / variance.sqrt() / FULL).clamp(-1.0, 1.0);
        let values = &example.symbols[(y * width + x) * channels..][..channels];
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / channels as f64;
        let gray = mean / f64::from(example.alphabet.max(2) - 1) * 255.0;
        let colour = if share > 0.0 { [230.0, 30.0, 30.0] } else { [30.0, 80.0, 230.0] };
        // Faint where nothing is odd, so that the picture itself is seen.
        let part = share.abs() * 0.8;
        colour.map(|c| (gray * (1.0 - part) + c * part) as u8)
    };
    for y in 0..height {
        let row: Vec<[u8; 3]> = (0..width).map(|x| pixel(y, x)).collect();
        for _ in 0..times {
            row.iter().for_each(|p| (0..times).for_each(|_| picture.samples.extend(p)));
        }
    }
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;

    #[test]
    fn what_is_odd_is_red_and_what_is_too_predictable_blue() {
        let one = 1 << Score::FRACTION;
        let mut scores = vec![Score { surprise: one, entropy: one, variance: one }; 20 * 16];
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            scores[y * 20 + x].surprise = 9 * one;
            scores[(12 + y) * 20 + 16 + x] = Score { surprise: 0, entropy: 4 * one, variance: one };
        }
        let symbols = vec![128; 20 * 16];
        let example = Example { height: 16, width: 20, channels: 1, alphabet: 256, symbols: &symbols, scores: &scores };
        let picture = heat(&example).unwrap();
        assert_eq!((picture.width, picture.height), (20 * 14, 16 * 14));
        assert!(picture.is_consistent());
        let at = |y: usize, x: usize| &picture.samples[(y * 14 * 20 * 14 + x * 14) * 3..][..3];
        assert!(at(1, 1)[0] > 180 && at(1, 1)[2] < 80, "{:?}", at(1, 1));
        assert!(at(14, 18)[2] > 180 && at(14, 18)[0] < 80, "{:?}", at(14, 18));
        assert_eq!(at(8, 10), [128; 3]);
        assert!(heat(&Example { height: 1, width: 320, ..example }).is_none());
    }
}
