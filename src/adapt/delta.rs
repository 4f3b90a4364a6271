//! What an adaptation is in a stream: how far each bias of a network is moved, and the code of that.
//!
//! What must stay true: whatever the bytes are, a decoder gets a program that was proved free of overflow, or an error; and
//! nothing here is floating point.
#![deny(clippy::float_arithmetic)]

use crate::engine::{Params, Program};
use crate::entropy::{Bit, Coder, Damaged, Decoder, Encoder};
use crate::spec::NodeId;
use thiserror::Error;

/// Largest magnitude of a step count.
pub const MAX_STEPS: i32 = (1 << 15) - 1;
/// The steps of a layer are `2^unit` units of its outputs' integers: the lowest and highest unit.
pub const UNITS: (i8, i8) = (-8, 7);

/// Why an adaptation was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The bytes are no code of one.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The adapted program could overflow.
    #[error("the adaptation does not fit the model")]
    Unfit,
}

/// How far the biases of one layer are moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The layer.
    pub node: NodeId,
    /// The step is `2^unit` units of the layer's outputs.
    pub unit: i8,
    /// `[outputs]`: steps.
    pub steps: Vec<i32>,
}

impl Move {
    /// The biases of the layer after the move; `None` if one leaves 32 bits.
    fn biases(&self, program: &Program) -> Option<Vec<i32>> {
        let Params::Linear { bias, shift, .. } = program.params(self.node) else { return None };
        let moved = bias.iter().zip(shift).zip(&self.steps).map(|((bias, shift), steps)| {
            let by = scaled(*steps, i32::from(*shift) + i32::from(self.unit));
            i32::try_from(i64::from(*bias) + by).ok()
        });
        moved.collect()
    }
}

/// `steps * 2^exponent`, rounded half up where the exponent is negative. Fits: 15 bits and at most 37.
pub fn scaled(steps: i32, exponent: i32) -> i64 {
    let steps = i64::from(steps);
    if exponent >= 0 { steps << exponent.min(40) } else { (steps + ((1 << -exponent) >> 1)) >> -exponent }
}

/// The program with its biases moved, proved as a loader proves.
pub fn apply(program: &Program, moves: &[Move]) -> Result<Program, Refused> {
    let each = moves.iter().map(|m| Some((m.node, m.biases(program)?)));
    let biases = each.collect::<Option<Vec<_>>>().ok_or(Refused::Unfit)?;
    program.with_biases(&biases).map_err(|_| Refused::Unfit)
}

/// The code of moves of every layer of [`Program::trained`], in that order.
pub fn encode(moves: &[Move]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut moves = moves.to_vec();
    walk(&mut encoder, &mut moves).expect("every move can be coded");
    encoder.finish()
}

/// The moves that a code holds for this program.
pub fn decode(program: &Program, code: &[u8]) -> Result<Vec<Move>, Damaged> {
    let rows = |node| if let Params::Linear { bias, .. } = program.params(node) { bias.len() } else { 0 };
    let mut moves: Vec<Move> =
        program.trained().map(|node| Move { node, unit: 0, steps: vec![0; rows(node)] }).collect();
    walk(&mut Decoder::new(code), &mut moves)?;
    Ok(moves)
}

/// A binary model that learns: the probability of 0 moves by `1 / (n + 1.5)` of the error at the n-th symbol, and by 1/64 in the end.
#[derive(Debug, Clone, Copy)]
struct Adaptive {
    zero: u16,
    seen: u8,
}

/// `2^16 / (n + 1.5)`, where it is more than `2^16 / 64`.
const RATES: [i32; 63] = {
    let (mut rates, mut n) = ([0; 63], 0);
    while n < 63 {
        rates[n] = (1 << 17) / (2 * n as i32 + 3);
        n += 1;
    }
    rates
};

impl Adaptive {
    const fn new(zero: u16) -> Self {
        // The first guess counts as three symbols.
        Self { zero, seen: 3 }
    }

    fn code(&mut self, coder: &mut impl Coder, bit: bool) -> Result<bool, Damaged> {
        let bit = coder.code(&Bit { zero: self.zero }, bit.into())? != 0;
        let rate = RATES.get(usize::from(self.seen)).copied().unwrap_or(1 << 10);
        let target = if bit { 0 } else { 1 << 16 };
        let zero = i32::from(self.zero);
        self.zero = (zero + (((target - zero) * (rate >> 1)) >> 15)).clamp(256, (1 << 16) - 256) as u16;
        self.seen = self.seen.saturating_add(1);
        Ok(bit)
    }
}

/// Magnitudes that are coded one by one; larger ones have an Elias code behind.
const UNARY: usize = 12;
/// Classes of the mean magnitude of the steps before.
const CLASSES: usize = 6;

/// Visits everything that is coded; a decoder fills in.
fn walk(coder: &mut impl Coder, moves: &mut [Move]) -> Result<(), Damaged> {
    // Is a step 0; is its magnitude 1, 2, ...: by how large the last ones were.
    let mut models: [[Adaptive; UNARY]; CLASSES] = std::array::from_fn(|class| {
        std::array::from_fn(|at| {
            let stop = [48_000, 36_000, 24_000, 16_000, 11_000, 6_000][class];
            Adaptive::new(if at == 0 { stop } else { stop / 2 + 16_000 })
        })
    });
    for Move { unit, steps, .. } in moves {
        let used = flat(coder, i32::from(steps.iter().any(|s| *s != 0)), 1)? != 0;
        if !used {
            steps.fill(0);
            continue;
        }
        *unit = (flat(coder, i32::from(*unit) - i32::from(UNITS.0), 4)? + i32::from(UNITS.0)) as i8;
        // The mean magnitude, in sixteenths; it forgets half in some eleven steps.
        let mut mean = 16;
        for step in steps {
            let class = [6, 14, 28, 56, 112].iter().filter(|bound| mean >= **bound).count();
            *step = magnitude(coder, &mut models[class], *step)?;
            mean += (step.unsigned_abs().min(64) as i32 * 16 - mean) / 16;
        }
    }
    Ok(())
}

/// A step: whether it is 0, then whether it is beyond 1, 2 and so on, then the rest, then the sign.
fn magnitude(coder: &mut impl Coder, models: &mut [Adaptive; UNARY], step: i32) -> Result<i32, Damaged> {
    let wanted = step.unsigned_abs();
    let mut value = 0;
    for model in models.iter_mut() {
        if !model.code(coder, wanted > value)? {
            break;
        }
        value += 1;
    }
    if value == UNARY as u32 {
        let rest = wanted.saturating_sub(value) + 1;
        let bits = flat(coder, rest.ilog2() as i32, 4)? as u32;
        let low = flat(coder, (rest & ((1 << bits) - 1)) as i32, bits)? as u32;
        value += (1 << bits) + low - 1;
    }
    if value == 0 {
        return Ok(0);
    }
    let negative = flat(coder, i32::from(step < 0), 1)? != 0;
    let value = (value as i32).min(MAX_STEPS);
    Ok(if negative { -value } else { value })
}

/// `bits` bits, all values being equally likely, highest first.
fn flat(coder: &mut impl Coder, value: i32, bits: u32) -> Result<i32, Damaged> {
    let mut out = 0;
    for bit in (0..bits).rev() {
        out = out << 1 | coder.code(&Bit { zero: 1 << 15 }, (value >> bit & 1) as u32)? as i32;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn program() -> Program {
        Program::from_bytes(include_bytes!("../../models/photo.srm")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn moves_come_back(seed: u64, spread in 0u32..15) {
            let program = program();
            let mut state = seed;
            let mut random = |n: u32| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as u32 % n
            };
            let mut moves = decode(&program, &[]).unwrap();
            for m in &mut moves {
                m.unit = random(16) as i8 + UNITS.0;
                for s in &mut m.steps {
                    let largest = 1 << random(spread + 1);
                    *s = random(2 * largest) as i32 - largest as i32 + 1;
                }
                if m.steps.iter().all(|s| *s == 0) {
                    m.unit = 0;
                }
            }
            prop_assert_eq!(decode(&program, &encode(&moves)).unwrap(), moves);
        }

        #[test]
        fn any_bytes_are_refused_or_proved(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let program = program();
            if let Ok(moves) = decode(&program, &bytes) {
                let _ = apply(&program, &moves);
            }
        }
    }

    #[test]
    fn a_move_beyond_the_proof_is_refused() {
        let program = program();
        let mut moves = decode(&program, &[]).unwrap();
        assert_eq!(apply(&program, &moves).unwrap().id(), program.id());
        (moves[0].unit, moves[0].steps[0]) = (UNITS.1, MAX_STEPS);
        assert_eq!(apply(&program, &moves).unwrap_err(), Refused::Unfit);
    }

    #[test]
    fn nothing_is_a_few_bytes() {
        let moves = decode(&program(), &[]).unwrap();
        assert!(moves.iter().all(|m| m.steps.iter().all(|s| *s == 0)));
        assert!(encode(&moves).len() <= 4);
    }
}
