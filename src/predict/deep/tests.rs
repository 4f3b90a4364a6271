//! Segments of many shapes come back, and compress as they should.

use super::*;
use proptest::prelude::*;

fn check(samples: &[u16], line: usize, channels: usize) -> usize {
    let code = encode(samples.to_vec(), line, channels);
    assert!(decode(&code, samples.len(), line, channels).expect("sound") == samples);
    let bits = measure(samples.to_vec(), line, channels).ceil_bytes() as usize;
    assert!(code.len().abs_diff(bits) <= 8, "{} bytes, {bits}", code.len());
    code.len()
}

/// A slope with so many bits of noise, shifted up.
fn slope(width: usize, height: usize, channels: usize, noise: u32, shift: u32) -> Vec<u16> {
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as u32 & ((1 << noise) - 1)
    };
    let at = |i: usize| (i / channels % width * 9 + i / (channels * width) * 5 + i % channels * 300) as u32;
    (0..width * height * channels).map(|i| ((at(i) + random()) << shift) as u16).collect()
}

#[test]
fn noise_is_what_is_paid() {
    for (channels, shift) in [(1, 0), (3, 0), (1, 4), (4, 3)] {
        let samples = slope(90, 80, channels, 5, shift);
        let bits = check(&samples, 90 * channels, channels) as f64 * 8.0 / samples.len() as f64;
        assert!(bits < 6.1, "{channels} channels, shift {shift}: {bits} bits a sample");
    }
}

/// The coded bytes belong to this version: if this fails, the format has changed, so raise [`PART`]'s version and then the hash.
#[test]
fn the_format_is_that_of_the_version() {
    assert_eq!(PART, Part { name: "deep", version: 1 });
    let mut hasher = blake3::Hasher::new();
    for channels in 1..=4 {
        hasher.update(&encode(slope(40, 30, channels, 7, 0), 40 * channels, channels));
    }
    assert_eq!(&hasher.finalize().to_hex()[..32], "79c7ce4997dad3a5de1aae94c05fdffb");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_comes_back(
        samples in prop::collection::vec(any::<u16>(), 0..400),
        channels in 1usize..=4,
        width in 1usize..20,
        mask in any::<u16>(),
    ) {
        let line = width * channels;
        let whole = samples.len() / line * line;
        let samples: Vec<u16> = samples[..whole].iter().map(|s| s & mask).collect();
        check(&samples, line, channels);
    }

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), channels in 1usize..=4, height in 1usize..20) {
        let line = 7 * channels;
        if let Ok(samples) = decode(&bytes, line * height, line, channels) {
            prop_assert_eq!(samples.len(), line * height);
        }
    }
}
