//! How a recording changes in time: its envelope, and how its samples are distributed.

use super::super::{Example, Kind};
use super::{Family, Figures, Statistic};

/// Frames of the envelope in a second.
const RATE: usize = 64;

/// What is kept; zeros for what is no recording.
#[derive(Debug, Default)]
pub struct Time {
    /// Standard deviation of the envelope, in decibels.
    modulation: f64,
    /// Its highest value over its median.
    burst: f64,
    /// Its correlation from one frame to the next.
    steadiness: f64,
    /// Logarithm of the fourth moment of samples over the square of the second.
    peakedness: f64,
    /// The same of differences of samples.
    roughness: f64,
}

fn peakedness(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let mean = |power: i32| values.clone().map(|v| v.powi(power)).sum::<f64>();
    let n = values.clone().count().max(1) as f64;
    (((mean(4) + 1.0) / n) / ((mean(2) + 1.0) / n).powi(2)).ln()
}

impl Time {
    /// That of a recording.
    pub fn of(example: &Example) -> Self {
        let Kind::Sound { rate } = example.kind else { return Self::default() };
        let channels = example.channels.max(1);
        let length = (rate as usize / RATE).max(8) * channels;
        let sample = |s: &u16| f64::from(*s as i16);
        let energy = |frame: &[u16]| {
            let mean = frame.iter().map(|s| sample(s).powi(2)).sum::<f64>() / frame.len() as f64;
            10.0 * (mean + 1.0 / 12.0).log10()
        };
        let envelope: Vec<f64> = example.symbols.chunks_exact(length).map(energy).collect();
        if envelope.len() < 2 {
            return Self::default();
        }
        let n = envelope.len() as f64;
        let mean = envelope.iter().sum::<f64>() / n;
        let variance = envelope.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n;
        let next = envelope.windows(2).map(|e| (e[0] - mean) * (e[1] - mean)).sum::<f64>() / n;
        let mut sorted = envelope.clone();
        sorted.sort_by(f64::total_cmp);
        let differences = example.symbols.iter().zip(&example.symbols[channels..]).map(|(a, b)| sample(b) - sample(a));
        Self {
            modulation: variance.sqrt(),
            burst: sorted[sorted.len() - 1] - sorted[sorted.len() / 2],
            steadiness: next / (variance + 1e-3),
            peakedness: peakedness(example.symbols.iter().map(sample)),
            roughness: peakedness(differences),
        }
    }
}

/// The statistics of this module.
pub static ALL: &[Statistic] = &[
    Statistic {
        name: "modulation",
        what: "change of loudness",
        source: "standard deviation of the envelope in decibels",
        family: Family::Other,
        of: |f: &Figures| f.time.modulation,
    },
    Statistic {
        name: "burst",
        what: "loudest moment over its usual loudness",
        source: "highest value of the envelope over its median",
        family: Family::Other,
        of: |f: &Figures| f.time.burst,
    },
    Statistic {
        name: "steadiness",
        what: "likeness of loudness from one moment to the next",
        source: "autocorrelation of the envelope",
        family: Family::Other,
        of: |f: &Figures| f.time.steadiness,
    },
    Statistic {
        name: "peaks",
        what: "peakedness of samples",
        source: "logarithm of the kurtosis",
        family: Family::Other,
        of: |f: &Figures| f.time.peakedness,
    },
    Statistic {
        name: "clicks",
        what: "peakedness of differences of samples",
        source: "logarithm of the kurtosis of differences",
        family: Family::Other,
        of: |f: &Figures| f.time.roughness,
    },
];
