//! The spectrum of a recording: how its power is spread over frequencies, and which tones stand out.
//!
//! Welch's estimate (1967): windows of Hann that overlap by three quarters, their squared spectra averaged. Bands are fractions of the highest
//! frequency, half an octave wide and narrower at the top, where lossy codecs cut. Tones are looked for with windows as long as the
//! recording has room for: the longer, the more a tone stands out of noise.

use super::super::{Example, Kind};
use super::fourier::Fourier;
use super::{Family, Figures, Statistic, harmonics};

/// Lower edges of the bands, as powers of 2 of the highest frequency: `2^-edge`.
const BANDS: [f64; 14] = [0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.5, 6.5, 64.0];
/// The same of octaves, in which tones are looked for.
const OCTAVES: [f64; 8] = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 64.0];
/// Power of rounding to whole numbers, in squared steps a frequency.
const ROUNDING: f64 = 1.0 / 12.0;
/// Windows are so long that a second has this many.
const WINDOWS: u32 = 8;
/// No window is longer.
const LONGEST: usize = 1 << 15;
/// Frequencies on each side of one that it is compared with.
const AROUND: usize = 15;

/// What is kept of a spectrum, in decibels; zeros for what is no recording.
#[derive(Debug, Default)]
pub struct Spectrum {
    level: f64,
    /// Power of each band over that of all.
    bands: [f64; BANDS.len()],
    /// The strongest tone of each octave over the median around it.
    tones: [f64; OCTAVES.len()],
    combs: [f64; harmonics::COUNT],
}

impl Spectrum {
    /// That of a recording: of the mean of its channels' spectra.
    pub fn of(example: &Example) -> Self {
        let mut spectrum = Self::default();
        let Kind::Sound { rate } = example.kind else { return spectrum };
        let window = (rate / WINDOWS).clamp(64, 1 << 14).next_power_of_two() as usize;
        let Some(power) = welch(example, window) else { return spectrum };
        let total: f64 = power.iter().sum();
        let decibels = |p: f64| 10.0 * p.log10();
        spectrum.level = decibels(total / power.len() as f64);
        for (value, band) in spectrum.bands.iter_mut().zip(parts(&power, &BANDS)) {
            *value = decibels((band.iter().sum::<f64>() + ROUNDING) / total);
        }
        let long = prominence(&welch(example, LONGEST).unwrap_or_default(), AROUND);
        for (value, octave) in spectrum.tones.iter_mut().zip(parts(&long, &OCTAVES)) {
            *value = octave.iter().fold(0.0, |most, p| f64::max(most, *p));
        }
        spectrum.combs = harmonics::combs(&long, f64::from(rate) / 2.0 / long.len().max(1) as f64);
        spectrum
    }

    /// See [`harmonics::combs`].
    pub(super) fn combs(&self) -> &[f64; harmonics::COUNT] {
        &self.combs
    }
}

/// How far each frequency lies above the median of those around it, `reach` on each side, in decibels.
pub(super) fn prominence(power: &[f64], reach: usize) -> Vec<f64> {
    let decibels: Vec<f64> = power.iter().map(|p| 10.0 * p.log10()).collect();
    let above = |i: usize| {
        let mut around = decibels[i.saturating_sub(reach)..(i + reach + 1).min(decibels.len())].to_vec();
        let middle = around.len() / 2;
        decibels[i] - *around.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    (0..decibels.len()).map(above).collect()
}

/// The parts of a spectrum between edges, the highest frequencies first.
fn parts<'a>(power: &'a [f64], edges: &'a [f64]) -> impl Iterator<Item = &'a [f64]> {
    let at = |edge: f64| (power.len() as f64 * (-edge).exp2()).round() as usize;
    let above = std::iter::once(0.0).chain(edges.iter().copied());
    above.zip(edges).map(move |(high, low)| &power[at(*low)..at(high)])
}

/// Mean power of each frequency but 0, lowest first, of windows of at most `most` frames; none of fewer than 16 frames.
fn welch(example: &Example, most: usize) -> Option<Vec<f64>> {
    let frames = frames(example);
    let length = most.min(1 << frames.max(1).ilog2());
    (frames >= 16).then(|| powers(example, length, length))
}

/// Samples of a channel.
pub(super) fn frames(example: &Example) -> usize {
    example.symbols.len() / example.channels.max(1)
}

/// Mean power of each frequency but 0, lowest first, of windows of `length` frames, which the example has, with zeros behind them up to
/// `padded`, a power of two.
pub(super) fn powers(example: &Example, length: usize, padded: usize) -> Vec<f64> {
    let (channels, frames) = (example.channels.max(1), frames(example));
    let mut fourier = Fourier::padded(length, padded);
    let mut power = vec![0.0; padded / 2];
    let mut count = 0.0;
    for channel in 0..channels {
        for first in (0..=frames - length).step_by(length / 4) {
            let sample = |i: usize| f64::from(example.symbols[(first + i) * channels + channel] as i16);
            power.iter_mut().zip(fourier.power(sample)).for_each(|(sum, p)| *sum += p);
            count += 1.0;
        }
    }
    power.iter_mut().for_each(|p| *p = *p / count + ROUNDING);
    power
}

macro_rules! spectrum {
    ($($field:ident $at:literal $name:literal $what:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[
            Statistic { name: "level", what: "loudness (decibels)", source: "mean power", family: Family::Other, of: |f: &Figures| f.spectrum.level },
            $(Statistic {
                name: $name,
                what: $what,
                source: "Welch 1967",
                family: Family::Other,
                of: |f: &Figures| f.spectrum.$field[$at],
            }),*
        ];
    };
}

spectrum!(
    bands 0 "band0" "share of power in the highest 8 % of frequencies",
    bands 1 "band1" "share of power at 0.84 to 0.92 of the highest frequency",
    bands 2 "band2" "share of power at 0.71 to 0.84 of the highest frequency",
    bands 3 "band3" "share of power at 0.5 to 0.71 of the highest frequency",
    bands 4 "band4" "share of power at 0.35 to 0.5 of the highest frequency",
    bands 5 "band5" "share of power at 0.25 to 0.35 of the highest frequency",
    bands 6 "band6" "share of power at 0.18 to 0.25 of the highest frequency",
    bands 7 "band7" "share of power at 0.125 to 0.18 of the highest frequency",
    bands 8 "band8" "share of power at 1/11 to 1/8 of the highest frequency",
    bands 9 "band9" "share of power at 1/16 to 1/11 of the highest frequency",
    bands 10 "band10" "share of power at 1/23 to 1/16 of the highest frequency",
    bands 11 "band11" "share of power at 1/45 to 1/23 of the highest frequency",
    bands 12 "band12" "share of power at 1/90 to 1/45 of the highest frequency",
    bands 13 "band13" "share of power in the lowest 1/90 of frequencies",
    tones 0 "tone0" "strongest tone among its highest frequencies",
    tones 1 "tone1" "strongest tone among frequencies at 0.5 to 0.71 of the highest frequency",
    tones 2 "tone2" "strongest tone among frequencies at 1/4 to 1/2 of the highest frequency",
    tones 3 "tone3" "strongest tone among frequencies at 1/8 to 1/4 of the highest frequency",
    tones 4 "tone4" "strongest tone among frequencies at 1/16 to 1/8 of the highest frequency",
    tones 5 "tone5" "strongest tone among frequencies at 1/32 to 1/16 of the highest frequency",
    tones 6 "tone6" "strongest tone among frequencies at 1/64 to 1/32 of the highest frequency",
    tones 7 "tone7" "strongest tone among its lowest frequencies"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SIGNED;

    fn of(wave: impl Fn(f64) -> f64) -> Spectrum {
        let symbols: Vec<u16> = (0..8000).map(|t| wave(f64::from(t) / 8000.0).round() as i16 as u16).collect();
        let kind = Kind::Sound { rate: 8000 };
        Spectrum::of(&Example::new(kind, [1, 8000, 1], SIGNED, &symbols, &[]))
    }

    #[test]
    fn tones_and_noise_lie_where_they_are() {
        let tone = of(|t| (t * 700.0 * std::f64::consts::TAU).sin() * 3000.0);
        // 700 of 4000 hertz are 2^-2.51, in the band from 2^-3 to 2^-2.5; a sine has half its squared amplitude as power.
        assert!(tone.bands[7] > -0.1 && tone.bands[3] < -40.0, "{tone:?}");
        assert!(tone.tones[3] > 40.0, "{tone:?}");
        let random = |i: u64| {
            let z = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        let noise = of(|t| random((t * 8000.0).round() as u64) * 4000.0);
        assert!(noise.tones[..4].iter().all(|t| (3.0..20.0).contains(t)), "{noise:?}");
        assert!((noise.bands[3] - 10.0 * 0.207f64.log10()).abs() < 1.0, "{noise:?}");
        let louder = of(|t| (t * 700.0 * std::f64::consts::TAU).sin() * 30000.0);
        assert!((louder.level - tone.level - 20.0).abs() < 0.1);
    }
}
