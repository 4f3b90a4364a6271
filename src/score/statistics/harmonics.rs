//! Hums: tones at multiples of one frequency, each of which may be too weak to stand out.
//!
//! The mean prominence of a fundamental and its overtones (subharmonic summation, Hermes 1988), the largest of each octave of
//! fundamentals.

use super::{Family, Figures, Statistic};

/// Octaves of fundamentals.
pub const COUNT: usize = 4;
/// The lowest one begins here, in hertz.
const LOWEST: f64 = 32.0;
/// The fundamental and its overtones.
const TONES: usize = 5;
/// No tone counts for more decibels, so that one alone is no hum; or for less.
const MOST: f64 = 15.0;
const LEAST: f64 = -3.0;

/// The strongest hum of each octave, in decibels; `prominence` has one value a frequency, from `step` hertz on. 0 where an octave is
/// below what can be told apart.
pub fn combs(prominence: &[f64], step: f64) -> [f64; COUNT] {
    let tone = |place: f64| prominence.get(place.round() as usize - 1).map_or(0.0, |p| p.clamp(LEAST, MOST));
    let parts = TONES as f64;
    std::array::from_fn(|octave| {
        let first = LOWEST * f64::from(1u32 << octave) / step;
        if first < 1.0 {
            return 0.0;
        }
        let fundamentals = ((first * parts) as usize..(2.0 * first * parts) as usize).map(|f| f as f64 / parts);
        let hum = |f: f64| (1..=TONES).map(|k| tone(f * k as f64)).sum::<f64>() / parts;
        fundamentals.filter(|f| *f >= 2.0).map(hum).reduce(f64::max).unwrap_or(0.0)
    })
}

macro_rules! hums {
    ($($at:literal $name:literal $what:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[$(Statistic {
            name: $name,
            what: $what,
            source: "subharmonic summation (Hermes 1988)",
            family: Family::Harmonics,
            of: |f: &Figures| f.spectrum.combs()[$at],
        }),*];
    };
}

hums!(
    0 "hum32" "strongest hum of 32 to 64 hertz and its overtones",
    1 "hum64" "strongest hum of 64 to 128 hertz and its overtones",
    2 "hum128" "strongest hum of 128 to 256 hertz and its overtones",
    3 "hum256" "strongest hum of 256 to 512 hertz and its overtones"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hum_is_found_by_its_overtones() {
        let mut prominence = vec![0.0; 1000];
        (1..=5).for_each(|k| prominence[k * 50 - 1] = 10.0);
        // 100 hertz; half of that has an overtone in two, and twice of it every second one.
        let found = combs(&prominence, 2.0);
        assert_eq!(found[1], 10.0);
        assert!(found[0] < 6.0 && (3.0..7.0).contains(&found[2]), "{found:?}");
        assert_eq!(combs(&prominence, 100.0)[..2], [0.0; 2]);
        assert_eq!(combs(&[], 2.0), [0.0; COUNT]);
    }
}
