use super::*;
use proptest::prelude::*;

/// Encodes, compares with the meter, decodes.
fn round_trip(samples: &[i32], shape: Shape, profile: usize) -> usize {
    let code = encode(samples.to_vec(), shape, profile);
    let bits = measure(samples.to_vec(), shape, profile).ceil_bits() as usize;
    assert!(code.len() * 8 <= bits + 40, "{} {bits}", code.len() * 8);
    assert_eq!(decode(&code, samples.len() / shape.channels, shape).unwrap(), samples);
    code.len()
}

/// Signals that something could go wrong with, of `n` samples within `bits`.
fn signals(n: usize, bits: u32) -> Vec<(&'static str, Vec<i32>)> {
    let (low, high) = ((-1i64 << (bits - 1)) as i32, ((1i64 << (bits - 1)) - 1) as i32);
    let mut seed = 1u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((seed >> 32) as i32) >> (32 - bits)
    };
    vec![
        ("silence", vec![0; n]),
        ("the lowest value", vec![low; n]),
        ("a square wave", (0..n).map(|i| if i / 50 % 2 == 0 { low } else { high }).collect()),
        ("alternating extremes", (0..n).map(|i| if i % 2 == 0 { low } else { high }).collect()),
        ("noise", (0..n).map(|_| noise()).collect()),
        ("an impulse", (0..n).map(|i| if i == n / 2 { high } else { 0 }).collect()),
        ("a ramp", (0..n).map(|i| (i as i64 * i64::from(high) / n as i64) as i32).collect()),
        ("direct current", vec![high / 3; n]),
        ("clipped music", (0..n).map(|i| clipped(i, noise() >> 5, low, high)).collect()),
        ("silence, then noise", (0..n).map(|i| if i < n / 2 { 0 } else { noise() }).collect()),
    ]
}

/// A sum of two waves by their recurrences would drift: a triangle and its half, far above what fits, with noise.
fn clipped(i: usize, noise: i32, low: i32, high: i32) -> i32 {
    let triangle = |period: usize| (i % period).min(period - i % period) as i64 * 8 / period as i64 - 2;
    let sum = (triangle(90) + triangle(37)) * i64::from(high) / 2 + i64::from(noise);
    sum.clamp(low.into(), high.into()) as i32
}

#[test]
fn every_signal_comes_back_and_none_grows_much() {
    for bits in [8, 16, 24, 32] {
        for (name, samples) in signals(1500, bits) {
            for (profile, channels) in [(0, 1), (1, 2), (FAST, 2), (SLOW, 3)] {
                let bytes = round_trip(&samples, Shape { channels, bits, float: false }, profile);
                let most = samples.len() * bits as usize / 8;
                assert!(bytes < most + most / 8 + 60, "{name}, {bits} bits: {bytes} of {most}");
            }
        }
    }
}

#[test]
fn what_is_predictable_is_small() {
    let shape = Shape { channels: 1, bits: 16, float: false };
    let of = |samples: Vec<i32>| round_trip(&samples, shape, USUAL);
    assert!(of(vec![0; 20000]) < 100);
    // A resonance that nothing excites: x(t) = 1.9 x(t-1) - 0.95 x(t-2), rounded.
    let mut wave = vec![9000i32, 9000];
    for i in 2..20000 {
        let next = (1900 * wave[i - 1] - 999 * wave[i - 2]).div_euclid(1000);
        wave.push(next);
    }
    assert!(of(wave) < 20000 * 2 / 4);
    // Two equal channels cost what one does; unused bits cost nothing.
    let noise: Vec<i32> = signals(4000, 12).swap_remove(4).1;
    let one = of(noise.clone());
    let twice: Vec<i32> = noise.iter().flat_map(|s| [*s, *s]).collect();
    assert!(round_trip(&twice, Shape { channels: 2, bits: 16, float: false }, 1) < one + one / 20);
    assert!(of(noise.iter().map(|s| s << 4).collect()) < one + one / 100);
}

proptest! {
    #[test]
    fn damage_never_panics(code in prop::collection::vec(any::<u8>(), 0..300), channels in 1usize..9, bits in 8u32..33) {
        let _ = decode(&code, 200, Shape { channels, bits, float: false });
    }

    #[test]
    fn any_samples_come_back(samples in prop::collection::vec(any::<i32>(), 0..60), bits in 8u32..33, profile in 0..PROFILES.len()) {
        let samples: Vec<i32> = samples.iter().map(|s| s >> (32 - bits)).collect();
        round_trip(&samples, Shape { channels: 1, bits, float: false }, profile);
    }
}

#[test]
fn lanes_add_in_their_order() {
    let x: Vec<f32> = (0..48).map(|i| 1.0 / (1 + i) as f32).collect();
    let w: Vec<f32> = (0..48).map(|i| (i * i % 17) as f32 - 8.0).collect();
    let lane = |l: usize| (0..3).fold(0.0, |sum, k| sum + x[16 * k + l] * w[16 * k + l]);
    let eight = |l: usize| lane(l) + lane(l + 8);
    let four = |l: usize| eight(l) + eight(l + 4);
    assert_eq!(lanes::dot32(&x, &w).to_bits(), ((four(0) + four(2)) + (four(1) + four(3))).to_bits());
}

/// Noise of a few bits.
fn noise(n: usize, bits: u32) -> Vec<i32> {
    signals(n, bits).swap_remove(4).1
}

#[test]
fn values_that_never_occur_cost_nothing() {
    let shape = Shape { channels: 1, bits: 16, float: false };
    // Eleven bits, made louder by a number that is no power of two, and moved.
    let plain: Vec<i32> = noise(9000, 11);
    let louder: Vec<i32> = plain.iter().map(|s| s * 157 / 10 + 3).collect();
    let (few, many) = (round_trip(&plain, shape, FAST), round_trip(&louder, shape, FAST));
    assert!(many < few + few / 25, "{many} of {few}");
    // Sixteen bits in twenty-four, by a factor.
    let wide: Vec<i32> = noise(20000, 12).iter().map(|s| (i64::from(*s) * 160_051 / 100) as i32).collect();
    let (few, many) = (round_trip(&noise(20000, 12), shape, 1), round_trip(&wide, Shape { bits: 24, ..shape }, 1));
    assert!(many < few + few / 20, "{many} of {few}");
    // Two values cost at most a fifth more than one bit each.
    let square: Vec<i32> = noise(9000, 8).iter().map(|s| if *s < 0 { -31000 } else { 29999 }).collect();
    let coded = round_trip(&square, shape, 1);
    assert!(coded < 9000 / 8 * 6 / 5, "{coded}");
}

#[test]
fn floats_that_are_integers_cost_what_integers_do() {
    let integers = noise(6000, 12);
    let float =
        |scale: f32| -> Vec<i32> { integers.iter().map(|s| ordered((*s as f32 / scale).to_bits() as i32)).collect() };
    let shape = Shape { channels: 2, bits: 32, float: true };
    let plain = round_trip(&integers, Shape { bits: 16, float: false, ..shape }, 1);
    for scale in [32768.0, 2048.0, 8_388_608.0] {
        let bytes = round_trip(&float(scale), shape, 1);
        assert!(bytes < plain + plain / 50 + 10, "{bytes} of {plain}");
    }
    // What is no such number keeps the others as they are.
    for odd in [f32::NAN, f32::INFINITY, -0.0, 1e-30, f32::MAX, f32::MIN_POSITIVE / 4.0] {
        let mut samples = float(32768.0);
        samples[77] = ordered(odd.to_bits() as i32);
        round_trip(&samples, shape, FAST);
    }
}

/// Two channels of which the second follows the first by a few frames: it is better coded with the first one known.
#[test]
fn the_better_order_of_channels_is_chosen() {
    let shape = Shape { channels: 2, bits: 16, float: false };
    let one = noise(8000, 13);
    let pair = |a: usize, b: usize| -> Vec<i32> {
        (9..7990).flat_map(|i| [one[i - a] + one[i - a - 1] / 2, one[i - b] + one[i - b - 1] / 2]).collect()
    };
    let (ahead, behind) = (round_trip(&pair(0, 6), shape, FAST), round_trip(&pair(6, 0), shape, FAST));
    assert!(ahead.abs_diff(behind) < ahead / 50, "{ahead} {behind}");
}
