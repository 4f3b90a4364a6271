//! Floating-point samples that are integers inside: those of a program that reads 16 or 24 bits and writes 32.
//!
//! What must stay true: the numbers come back bit for bit; a sample that would not (minus zero, infinity, no number) keeps
//! its segment as it is.

/// Magnitude of an integer at most: all up to here are floating-point numbers of 32 bits.
const MOST: f64 = 16_777_216.0;
/// Largest exponent.
pub const MOST_EXPONENT: u32 = 30;

/// The bits of a floating-point number as a number in the same order, and back: those of negative ones are turned round.
pub fn ordered(bits: i32) -> i32 {
    bits ^ ((bits >> 31) & i32::MAX)
}

/// The smallest exponent and the integers such that each sample, given by [`ordered`], is its integer times two to the minus
/// exponent; `None` if there are none.
pub fn integers(samples: &[i32]) -> Option<(u32, Vec<i32>)> {
    let number = |sample: &i32| f32::from_bits(ordered(*sample) as u32);
    let mut exponent = 0;
    for sample in samples {
        let x = f64::from(number(sample));
        let size = x.abs();
        let is_possible = size <= MOST && ordered(*sample) != i32::MIN;
        while is_possible && exponent <= MOST_EXPONENT && scaled(size, exponent) != scaled(size, exponent).floor() {
            exponent += 1;
        }
        // Written so that what is no number ends it, too.
        if !is_possible || exponent > MOST_EXPONENT || scaled(size, exponent) > MOST {
            return None;
        }
    }
    let all = samples.iter().map(|sample| scaled(f64::from(number(sample)), exponent));
    // The exponent may have risen after a sample was looked at.
    all.map(|x| (x.abs() <= MOST).then_some(x as i32)).collect::<Option<Vec<_>>>().map(|all| (exponent, all))
}

/// The samples of [`integers`], in place.
pub fn floats(samples: &mut [i32], exponent: u32) {
    for sample in samples {
        let x = f64::from(*sample) / f64::from(1u32 << exponent);
        *sample = ordered((x as f32).to_bits() as i32);
    }
}

/// Times a power of two: exact.
fn scaled(x: f64, exponent: u32) -> f64 {
    x * f64::from(1u32 << exponent)
}
