//! p-values from normal files, and flags at a false discovery rate.
//!
//! What holds (Bates et al. 2023): if the normal files that are scored and those of the calibration are exchangeable, each p-value
//! is valid on average over calibration sets, and the procedure of Benjamini and Hochberg (1995) keeps the mean share of normal
//! files among the flagged ones at or below `q`. It does not hold for each calibration set alone, and not if normal files
//! have changed since.

/// Share of normal scores at least as high: `(1 + #{normal >= score}) / (1 + n)`. `sorted` are those of the calibration,
/// lowest first.
pub fn p_value(sorted: &[f64], score: f64) -> f64 {
    (1 + at_least(sorted, score)) as f64 / (1 + sorted.len()) as f64
}

/// How many of the sorted scores are at least as high.
pub fn at_least(sorted: &[f64], score: f64) -> usize {
    sorted.len() - sorted.partition_point(|s| *s < score)
}

/// Share of normal ones among the files that p-values belong to, estimated from those above a half (Storey 2002, equation 6; with the 1 of
/// Storey et al. 2004, for a finite number): 1 at most.
pub fn normal_share(p_values: &[f64]) -> f64 {
    let above = p_values.iter().filter(|p| **p > 0.5).count();
    (2.0 * (1 + above) as f64 / p_values.len().max(1) as f64).min(1.0)
}

/// Whether each p-value is a discovery at false discovery rate `q` (Benjamini and Hochberg 1995).
pub fn discoveries(p_values: &[f64], q: f64) -> Vec<bool> {
    let mut sorted = p_values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let m = sorted.len() as f64;
    let last = sorted.iter().enumerate().rev().find(|(i, p)| **p <= q * (i + 1) as f64 / m);
    let most = last.map_or(-1.0, |(_, p)| *p);
    p_values.iter().map(|p| *p <= most).collect()
}

/// Normal scores that are needed for anything to be flagged at rate `q`, however many files there are: the smallest p-value,
/// `1 / (n + 1)`, must not exceed `q`.
pub fn needed(q: f64) -> usize {
    (1.0 / q - 1.0 - 1e-9).ceil().max(1.0) as usize
}

/// The smallest number of `files` that can be flagged together at rate `q` with `n` normal scores: `files / (q (n + 1))`.
pub fn fewest(files: usize, q: f64, n: usize) -> usize {
    (files as f64 / (q * (n + 1) as f64) - 1e-9).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_count_ties_against_the_file() {
        let normal = [1.0, 2.0, 2.0, 3.0];
        let p: Vec<f64> = [0.0, 1.0, 2.0, 2.5, 3.0, 9.0].iter().map(|s| p_value(&normal, *s)).collect();
        assert_eq!(p, [1.0, 1.0, 0.8, 0.4, 0.4, 0.2]);
        assert_eq!(p_value(&[], 1.0), 1.0);
    }

    #[test]
    fn benjamini_and_hochberg() {
        // The example of their paper, table 1: at 0.05 the four smallest of fifteen.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let flags = discoveries(&p, 0.05);
        assert_eq!(flags.iter().filter(|f| **f).count(), 4);
        assert!(flags[..4].iter().all(|f| *f));
        assert!(discoveries(&[], 0.1).is_empty());
        assert_eq!(discoveries(&[0.9], 0.1), [false]);
    }

    #[test]
    fn the_share_of_normal_files_is_seen_in_high_p_values() {
        let uniform: Vec<f64> = (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect();
        assert_eq!(normal_share(&uniform), 1.0);
        let half_odd: Vec<f64> = uniform.iter().map(|p| if *p > 0.5 { 0.001 } else { 2.0 * p }).collect();
        assert!((normal_share(&half_odd) - 0.52).abs() < 1e-9);
        assert_eq!(normal_share(&[]), 1.0);
    }

    #[test]
    fn how_many_are_needed() {
        assert_eq!((needed(0.1), needed(0.05), needed(0.5)), (9, 19, 1));
        assert_eq!((fewest(1000, 0.1, 99), fewest(10, 0.1, 999), fewest(450, 0.1, 500)), (100, 1, 9));
        // With so many, one file alone can be flagged; with one fewer it cannot.
        let flagged = |n: usize| discoveries(&[p_value(&vec![0.0; n], 1.0)], 0.1)[0];
        assert!(flagged(needed(0.1)) && !flagged(needed(0.1) - 1));
    }

    /// The mean share of false discoveries stays below q, over calibrations and files drawn anew.
    #[test]
    fn the_false_discovery_rate_is_kept() {
        let mut state = 9u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        };
        for (q, odd) in [(0.1, 5), (0.2, 20), (0.05, 10)] {
            let (mut share, mut power) = (0.0, 0.0);
            let draws = 400;
            for _ in 0..draws {
                let mut normal: Vec<f64> = (0..400).map(|_| next()).collect();
                normal.sort_by(f64::total_cmp);
                let p: Vec<f64> = (0..100)
                    .map(|i| if i < odd { next() + 0.97 } else { next() })
                    .map(|s| p_value(&normal, s))
                    .collect();
                let flags = discoveries(&p, q);
                let all = flags.iter().filter(|f| **f).count();
                let right = flags[..odd].iter().filter(|f| **f).count();
                share += (all - right) as f64 / all.max(1) as f64 / f64::from(draws);
                power += right as f64 / odd as f64 / f64::from(draws);
            }
            assert!(share <= q * 1.15 && share > 0.0, "{q}: {share}");
            assert!(power > 0.6, "{q}: {power}");
        }
    }
}
