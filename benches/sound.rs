//! What each stage of the sound codec costs and what it is worth, on one core: `cargo bench --bench sound [-- FILE...]`.
//!
//! Of each WAV, AIFF or FLAC file the first half minute is measured (a segment), by the predictors of the default level with one stage after
//! the other added: least squares, then the filters, shortest first. Time is that of measuring, of which coding is the rest.

mod common;

use common::is_wanted;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use surprisal::codec::Effort;
use surprisal::media::Limits;
use surprisal::media::audio::read;
use surprisal::predict::audio::{PROFILES, Profile, Setting, Shape, measure_by};

/// A segment.
const SECONDS: usize = 30;

fn main() {
    if !is_wanted() {
        return;
    }
    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).filter(|a| a != "--bench").map(PathBuf::from).collect();
    if files.is_empty() {
        files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/speech/seven.wav").into());
    }
    let mut segments = Vec::new();
    for path in files {
        let file = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut sound =
            read(&file, &Limits { max_bytes: 1 << 31 }).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        sound.samples.truncate(sound.rate as usize * SECONDS * usize::from(sound.channels));
        segments.push(sound);
    }
    let full = PROFILES[Effort::default().level().sound];
    let seldom = |s: Setting| Setting { every: 64, ..s };
    let mut stages = vec![
        (
            "a few taps of least squares, solved every 64 samples".to_owned(),
            Profile { alone: 4, paired: [2, 2], ols: full.ols.map(seldom), ahead: 1, cascade: &[], ..full },
        ),
        (format!("{} taps", full.alone), Profile { ols: full.ols.map(seldom), cascade: &[], ..full }),
        (format!("solved every {} samples", full.ols[0].every), Profile { cascade: &[], ..full }),
    ];
    for count in 1..=full.cascade.len() {
        let cascade = &full.cascade[full.cascade.len() - count..];
        stages.push((format!("a filter of {} taps", cascade[0].0), Profile { cascade, ..full }));
    }
    let samples: usize = segments.iter().map(|s| s.samples.len()).sum();
    println!("{} recordings, {samples} samples; each line adds one thing to the one above.\n", segments.len());
    println!("| stage | ns a sample | bits a sample |\n|---|---:|---:|");
    for (name, profile) in stages {
        let (mut time, mut bits) = (Duration::ZERO, 0.0);
        for sound in &segments {
            let shape = Shape { channels: sound.channels.into(), bits: sound.bits.into(), float: false };
            let start = Instant::now();
            bits += measure_by(sound.samples.clone(), shape, profile).to_f64();
            time += start.elapsed();
        }
        println!("| {name} | {:.0} | {:.4} |", time.as_nanos() as f64 / samples as f64, bits / samples as f64);
    }
}
