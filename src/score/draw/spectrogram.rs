//! A recording's spectrogram: time to the right, frequency upwards, tinted by the surprise of each moment, with its curve below.

use super::super::example::{Example, Region};
use super::super::statistics::{blocks::SLACK, fourier::Fourier};
use super::{FRAME, tinted};
use crate::media::image::Picture;

/// Size of the spectrogram.
const WIDTH: usize = 320;
const HEIGHT: usize = 96;
/// Rows of the curve below it.
const CURVE: usize = 32;
/// Decibels below the loudest that are drawn black.
const RANGE: f64 = 80.0;
/// Deviations of a column that are drawn in full colour.
const FULL: f64 = 8.0;

/// The spectrogram alone, and with the surprise; `None` of recordings too short for one.
pub fn draw(example: &Example, rate: u32, strangest: Option<Region>) -> Option<(Picture, Picture)> {
    let channels = example.channels.max(1);
    let frames = example.symbols.len() / channels;
    let length = ((rate / 32).clamp(2 * HEIGHT as u32, 4096).next_power_of_two() as usize).min(4096);
    if frames < length {
        return None;
    }
    let mut fourier = Fourier::new(length);
    let columns: Vec<Vec<f64>> = (0..WIDTH)
        .map(|x| {
            let first = x * (frames - length) / (WIDTH - 1);
            let sample = |i: usize| f64::from(example.symbols[(first + i) * channels] as i16);
            let power = fourier.power(sample);
            let band = |y: usize| {
                let (from, to) = (y * power.len() / HEIGHT, (y + 1) * power.len() / HEIGHT);
                10.0 * (power[from..to.max(from + 1)].iter().fold(0.1, |a, b| f64::max(a, *b))).log10()
            };
            (0..HEIGHT).map(band).collect()
        })
        .collect();
    let loudest = columns.iter().flatten().fold(RANGE - 40.0, |a, b| f64::max(a, *b));
    let places = example.places();
    let odd: Vec<f64> = (0..WIDTH)
        .map(|x| {
            let part = &places[x * frames / WIDTH..((x + 1) * frames / WIDTH).max(x * frames / WIDTH + 1).min(frames)];
            let sum = part.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1] + SLACK]);
            (sum[0] / sum[1].max(SLACK).sqrt() / FULL).clamp(-1.0, 1.0)
        })
        .collect();
    let gray = |x: usize, y: usize| ((columns[x][HEIGHT - 1 - y] - loudest) / RANGE + 1.0).clamp(0.0, 1.0) * 255.0;
    let all = |height: usize, channels: usize, pixel: &dyn Fn(usize, usize) -> [u8; 3]| Picture {
        width: WIDTH as u32,
        height: height as u32,
        channels: channels as u8,
        samples: (0..height)
            .flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
            .flat_map(|(x, y)| pixel(x, y).into_iter().take(channels))
            .collect(),
    };
    let plain = all(HEIGHT, 1, &|x, y| [gray(x, y) as u8; 3]);
    let column = |frame: usize| frame * WIDTH / frames;
    let mark = strangest.map(|region| [column(region.x).saturating_sub(1), column(region.x + region.width) + 1]);
    let heat = all(HEIGHT + CURVE, 3, &|x, y| {
        if mark.is_some_and(|columns| columns.contains(&x)) {
            return FRAME;
        }
        if y < HEIGHT {
            return tinted(gray(x, y), odd[x]);
        }
        // Bars up and down from the middle.
        let middle = (CURVE / 2) as f64;
        let up = middle - (y - HEIGHT) as f64 - 0.5;
        let inside = up * odd[x] > 0.0 && up.abs() <= odd[x].abs() * middle;
        if inside { tinted(0.0, if odd[x] > 0.0 { 1.0 } else { -1.0 }) } else { [245; 3] }
    });
    Some((plain, heat))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;
    use crate::score::Kind;
    use crate::spec::SIGNED;

    #[test]
    fn a_tone_is_a_line_and_a_click_a_red_column() {
        let frames = 16_000;
        let tone = |t: usize| ((t as f64 * 0.25 * std::f64::consts::PI).sin() * 8000.0) as i16 as u16;
        let symbols: Vec<u16> = (0..frames).map(tone).collect();
        let one = 1 << Score::FRACTION;
        let mut scores = vec![Score { surprise: 3 * one, entropy: 3 * one, variance: one }; frames];
        scores[8010].surprise = 4000 * one;
        let kind = Kind::Sound { rate: 8000 };
        let example = Example::new(kind, [1, frames, 1], SIGNED, &symbols, &scores);
        let (plain, heat) = draw(&example, 8000, Some(Region { x: 4000, y: 0, width: 100, height: 1 })).unwrap();
        assert!(plain.is_consistent() && heat.is_consistent());
        // A quarter of the highest frequency: three quarters of the way down.
        let column: Vec<u8> = (0..HEIGHT).map(|y| plain.samples[y * WIDTH + 100]).collect();
        let brightest = (0..HEIGHT).max_by_key(|y| column[*y]).unwrap();
        assert!(brightest.abs_diff(HEIGHT * 3 / 4) < 3, "{column:?}");
        let red =
            |x: usize| heat.samples[(HEIGHT / 2 * WIDTH + x) * 3] > heat.samples[(HEIGHT / 2 * WIDTH + x) * 3 + 2] + 50;
        assert!(red(160) && !red(20) && !red(300));
        let frame = |x: usize| heat.samples[x * 3..][..3] == FRAME;
        assert!(frame(79) && frame(83) && !frame(81) && !frame(160));
        assert!(
            draw(&Example { width: 10, symbols: &symbols[..10], scores: &scores[..10], ..example }, 8000, None)
                .is_none()
        );
    }
}
