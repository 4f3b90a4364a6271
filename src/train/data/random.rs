//! Numbers that look random and depend on nothing but their keys.
//!
//! What must stay true: the same keys give the same numbers on every machine and in every run (a resumed training draws
//! what the unbroken one would have drawn).

/// A stream of numbers: SplitMix64 (Steele, Lea and Flood 2014, figure 17), begun at a mix of the keys.
#[derive(Debug, Clone)]
pub struct Random(u64);

/// A bijection that spreads every bit over all others (the same, figure 17).
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The golden ratio's bits: the step of the stream.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of these keys.
    pub fn new(keys: &[u64]) -> Self {
        Self(keys.iter().fold(0, |state, key| mix(mix(state.wrapping_add(GOLDEN)) ^ *key)))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `n`, which is not 0; the bias is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// Roughly Gaussian, mean 0, variance 1: four uniform numbers of 16 bits each (Irwin and Hall) out of one hash.
pub fn normal(bits: u64) -> f32 {
    let sum = (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum::<u64>() as f32;
    (sum / 65536.0 - 2.0) * 3f32.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_every_key_and_cover_their_range() {
        let first = |keys: &[u64]| Random::new(keys).bits();
        let all = [first(&[0, 0]), first(&[0, 1]), first(&[1, 0]), first(&[0]), first(&[0, 0, 0])];
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a != b));
        }
        assert_eq!(first(&[7, 9]), first(&[7, 9]));
        let mut random = Random::new(&[3]);
        let mut seen = [0u32; 10];
        (0..10_000).for_each(|_| seen[random.below(10) as usize] += 1);
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
        assert!((0..1000).all(|_| (0.5..0.75).contains(&random.between(0.5, 0.75))));
    }

    #[test]
    fn the_normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::new(&[5]);
        let all: Vec<f64> = (0..100_000).map(|_| f64::from(normal(random.bits()))).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|v| v * v).sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
