//! What a general codec would need: how complex an example is, whatever a model makes of it.
//!
//! Pictures: the median edge detector's prediction (Weinberger et al. 2000, LOCO-I) and adaptive binary counts of the
//! residual's magnitude in the context of the local gradients. Sequences: the same with the last symbol as prediction.

use super::super::Example;
use crate::spec::SIGNED;

/// Contexts: levels of the local gradients, or the four neighbours of binary symbols.
const CONTEXTS: usize = 16;
/// Decisions of a residual: whether it is 0, its sign, whether its magnitude has one more binary digit, and its next digit.
const DECISIONS: usize = 2 + 17 + 17;
/// Counts are halved when they reach this.
const MOST: f64 = 250.0;

/// Adaptive counts of decisions (Krichevsky and Trofimov 1981).
struct Counts(Vec<[f64; 2]>);

impl Counts {
    fn cost(&mut self, context: usize, decision: usize, bit: bool) -> f64 {
        let counts = &mut self.0[context * DECISIONS + decision];
        let total = counts[0] + counts[1];
        let p = counts[usize::from(bit)] / total;
        counts[usize::from(bit)] += 1.0;
        if total > MOST {
            *counts = counts.map(|c| c / 2.0);
        }
        -p.log2()
    }

    fn residual(&mut self, context: usize, residual: i32) -> f64 {
        let mut bits = self.cost(context, 0, residual != 0);
        if residual == 0 {
            return bits;
        }
        bits += self.cost(context, 1, residual < 0);
        let magnitude = residual.unsigned_abs();
        let digits = magnitude.ilog2() as usize;
        for more in 0..=digits {
            bits += self.cost(context, 2 + more.min(16), more < digits);
        }
        if digits > 0 {
            bits += self.cost(context, 19 + digits.min(16), magnitude >> (digits - 1) & 1 == 1);
            bits += (digits - 1) as f64;
        }
        bits
    }
}

/// A symbol's place in the order of values: 16 bits are in two's complement.
fn number(symbol: u16, alphabet: i32) -> i32 {
    i32::from(if alphabet == SIGNED as i32 { symbol ^ (1 << 15) } else { symbol })
}

/// Bits per dimension of the adaptive codec.
pub fn complexity(example: &Example) -> f64 {
    let (width, channels, alphabet) = (example.width, example.channels.max(1), example.alphabet as i32);
    let symbols = example.symbols;
    let row = width * channels;
    let mut counts = Counts(vec![[0.5; 2]; CONTEXTS * DECISIONS * channels]);
    let mut bits = 0.0;
    let mut before = 0;
    for (i, symbol) in symbols.iter().enumerate() {
        let (column, channel) = (i % row / channels, i % channels);
        // The neighbours to the left, above, above left and above right; at the border the nearest one there is.
        let above = i.checked_sub(row);
        let left = if column > 0 { Some(i - channels) } else { above };
        let n = above.or(left);
        let nw = if column > 0 { above.map(|a| a - channels) } else { above }.or(n);
        let ne = if column + 1 < width { above.map(|a| a + channels) } else { above }.or(n);
        let value = |at: Option<usize>| at.map_or(0, |at| number(symbols[at], alphabet));
        let (w, n, nw, ne) = (value(left), value(n), value(nw), value(ne));
        let median = if nw >= w.max(n) {
            w.min(n)
        } else if nw <= w.min(n) {
            w.max(n)
        } else {
            w + n - nw
        };
        // A channel errs as the one before it did.
        let lift = if channel == 0 { 0 } else { before };
        let prediction = (median + lift).clamp(0, alphabet - 1);
        let symbol = number(*symbol, alphabet);
        before = symbol - median;
        let context = if alphabet == 2 {
            (w | n << 1 | nw << 2 | ne << 3) as usize
        } else {
            let gradients = (w - nw).unsigned_abs() + (nw - n).unsigned_abs() + (n - ne).unsigned_abs();
            (u32::BITS - gradients.leading_zeros()).min(CONTEXTS as u32 - 1) as usize
        };
        bits += counts.residual(channel * CONTEXTS + context, symbol - prediction);
    }
    bits / example.len()
}
