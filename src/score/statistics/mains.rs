//! Hums of the mains: lines at multiples of 50 and 60 hertz, and of twice these, which transformers and rectifiers make.
//!
//! A line at a known frequency need not be stronger than whatever stands out anywhere: one that is far too weak to be found by
//! [`harmonics`](super::harmonics), which looks everywhere, is found here.

use super::super::{Example, Kind};
use super::spectrum::{frames, powers, prominence};
use super::{Family, Figures, Statistic};

/// Fundamentals, in hertz.
const FUNDAMENTALS: [f64; 4] = [50.0, 60.0, 100.0, 120.0];
/// The fundamental and its overtones.
const TONES: usize = 5;
/// Hertz on each side of a line that it is compared with.
const AROUND: f64 = 20.0;
/// A window has a second's frames, or all of a shorter recording; none of one shorter than this many seconds, whose lines are too broad.
const SHORTEST: f64 = 0.25;

/// Mean prominence of a fundamental's lines in decibels, for each fundamental; zeros for what is no recording.
#[derive(Debug, Default)]
pub struct Mains([f64; FUNDAMENTALS.len()]);

impl Mains {
    /// Those of a recording.
    pub fn of(example: &Example) -> Self {
        let Kind::Sound { rate } = example.kind else { return Self::default() };
        let (length, second) = (frames(example).min(rate as usize), f64::from(rate));
        if length < 16 || (length as f64) < SHORTEST * second {
            return Self::default();
        }
        // Twice as many frequencies as frames, so that one of them lies on each line.
        let padded = (2 * length).next_power_of_two();
        let step = second / padded as f64;
        let highest = FUNDAMENTALS.iter().fold(0.0, |most, f| f64::max(most, f * TONES as f64)) + 2.0 * AROUND;
        let mut power = powers(example, length, padded);
        power.truncate((highest / step).ceil() as usize);
        let prominence = prominence(&power, (AROUND / step).round() as usize);
        let line = |f: f64| prominence.get((f / step).round() as usize - 1).copied().unwrap_or(0.0);
        Self(FUNDAMENTALS.map(|f| (1..=TONES).map(|k| line(f * k as f64)).sum::<f64>() / TONES as f64))
    }
}

macro_rules! mains {
    ($($at:literal $name:literal $what:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[$(Statistic {
            name: $name,
            what: $what,
            source: "mean prominence of five lines in a spectrum of one second",
            family: Family::Mains,
            of: |f: &Figures| f.mains.0[$at],
        }),*];
    };
}

mains!(
    0 "mains50" "hum of the mains at multiples of 50 hertz",
    1 "mains60" "hum of the mains at multiples of 60 hertz",
    2 "mains100" "hum of the mains at multiples of 100 hertz",
    3 "mains120" "hum of the mains at multiples of 120 hertz"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SIGNED;

    fn of(hertz: f64, amplitude: f64, seconds: f64, rate: u32) -> [f64; 4] {
        let random = |i: u64| {
            let z = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        let length = (seconds * f64::from(rate)) as usize;
        let sample = |t: usize| {
            let turn = std::f64::consts::TAU * hertz * t as f64 / f64::from(rate);
            let hum: f64 = (1..=TONES).map(|k| (turn * k as f64 + (k * k) as f64).sin()).sum();
            (amplitude * hum + 2000.0 * random(t as u64)).round() as i16 as u16
        };
        let symbols: Vec<u16> = (0..length).map(sample).collect();
        let (kind, symbols) = (Kind::Sound { rate }, &symbols[..]);
        Mains::of(&Example::new(kind, [1, length, 1], SIGNED, symbols, &[])).0
    }

    #[test]
    fn a_hum_far_below_the_noise_is_found_where_it_is() {
        for rate in [8000, 16000, 44100] {
            let quiet = of(100.0, 0.0, 1.0, rate);
            assert!(quiet.iter().all(|p| p.abs() < 6.0), "{quiet:?}");
            // Each line has a hundredth of the noise's power.
            let [p50, p60, p100, p120] = of(100.0, 577.0 * 0.1 * 2f64.sqrt(), 1.0, rate);
            assert!(p100 > 10.0 && p100 > p50 + 4.0 && p60.max(p120) < p100 - 4.0, "{p50} {p60} {p100} {p120}");
            let [p50, p60, p100, p120] = of(60.0, 577.0 * 0.1 * 2f64.sqrt(), 2.5, rate);
            assert!(p60 > 10.0 && p60 > p120 + 4.0 && p50.max(p100) < p60 - 4.0, "{p50} {p60} {p100} {p120}");
        }
    }

    #[test]
    fn what_is_too_short_has_none() {
        assert_eq!(of(100.0, 1000.0, 0.2, 8000), [0.0; 4]);
        assert!(of(100.0, 1000.0, 0.5, 8000)[2] > 20.0);
        assert_eq!(of(100.0, 1000.0, 0.0, 8000), [0.0; 4]);
    }
}
