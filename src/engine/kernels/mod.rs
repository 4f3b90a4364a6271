//! Matrix kernels: `y = clamp((W x + b) >> s)` for a batch of rows, i16 in and out, i32 sums.
//!
//! What must stay true: every kernel gives the bits of `scalar`. No sum can overflow (the program's loader has proved
//! it), integer addition has no order, and no saturating instruction is used, so this needs no luck.
#![allow(unsafe_code, reason = "SIMD intrinsics; the only room with unsafe code beside the zlib bindings")]

#[macro_use]
pub(super) mod elementwise;
pub(super) mod rowwise;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod sse2;

use std::ops::Range;
use std::str::FromStr;

/// Which instructions the matrix products use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, the definition.
    Scalar,
    /// x86-64 baseline (`pmaddwd`).
    Sse2,
    /// x86-64-v3 (`vpmaddwd`).
    Avx2,
    /// AVX-512 with VNNI (`vpdpwssd`).
    Avx512,
    /// aarch64 baseline (`smlal`).
    Neon,
}

impl Kernel {
    /// Every kernel that the program knows, slowest first.
    pub const ALL: [Kernel; 5] = [Kernel::Scalar, Kernel::Sse2, Kernel::Neon, Kernel::Avx2, Kernel::Avx512];

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            Kernel::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Kernel::Sse2 => true,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => true,
            #[allow(unreachable_patterns, reason = "depends on the target")]
            _ => false,
        }
    }

    /// The fastest kernel of this machine.
    pub fn best() -> Kernel {
        Self::ALL.into_iter().rev().find(|k| k.is_available()).unwrap_or(Kernel::Scalar)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Scalar => "scalar",
            Kernel::Sse2 => "sse2",
            Kernel::Avx2 => "avx2",
            Kernel::Avx512 => "avx512",
            Kernel::Neon => "neon",
        }
    }
}

impl FromStr for Kernel {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.name() == s).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|k| k.name()).collect();
            format!("there is no kernel '{s}': choose one of {}", names.join(", "))
        })
    }
}

/// Lanes that every width is padded to, so that a vector never straddles the end of a row.
pub const LANES: usize = 16;

/// `width` rounded up to whole vectors.
pub const fn padded(width: usize) -> usize {
    width.div_ceil(LANES) * LANES
}

/// A linear layer laid out for the kernels.
#[derive(Debug)]
pub struct Packed {
    /// Columns of W, rounded up to pairs.
    inputs: usize,
    /// Rows of W, rounded up to whole vectors; the added ones are zero.
    outputs: usize,
    /// `[outputs / LANES][inputs / 2][LANES][2]`: two columns of an output side by side, as the pairwise products want
    /// them, and the columns of [`LANES`] outputs in a row, as the prefetcher wants them.
    weights: Vec<i16>,
    /// `[outputs]`: bias plus half of what the shift drops, so that `>>` rounds half up.
    bias: Vec<i32>,
    /// `[outputs]`: 1 to 30.
    shift: Vec<i32>,
    /// Range of every output.
    low: i16,
    high: i16,
}

impl Packed {
    /// Lays out `weights[outputs][inputs]`, `bias[outputs]`, `shift[outputs]`.
    pub fn new(weights: &[i16], bias: &[i32], shift: &[u8], low: i16, high: i16) -> Self {
        let (rows, columns) = (bias.len(), weights.len() / bias.len().max(1));
        let (inputs, outputs) = (columns.div_ceil(2) * 2, padded(rows));
        let mut packed = vec![0; inputs * outputs];
        // A layer may have no input: then it is its bias.
        for (o, row) in weights.chunks_exact(columns.max(1)).enumerate() {
            for (k, w) in row.iter().enumerate() {
                packed[(o / LANES * inputs / 2 + k / 2) * 2 * LANES + o % LANES * 2 + k % 2] = *w;
            }
        }
        let half = |s: &u8| 1i32 << (s - 1);
        let mut rounded: Vec<i32> = bias.iter().zip(shift).map(|(b, s)| b + half(s)).collect();
        rounded.resize(outputs, 1);
        let mut shifts: Vec<i32> = shift.iter().map(|s| i32::from(*s)).collect();
        shifts.resize(outputs, 1);
        Self { inputs, outputs, weights: packed, bias: rounded, shift: shifts, low, high }
    }

    /// Takes other biases, for which the caller has proved what [`new`](Self::new) wants proved.
    pub fn set_bias(&mut self, bias: &[i32]) {
        for ((to, bias), shift) in self.bias.iter_mut().zip(bias).zip(&self.shift) {
            *to = bias + (1 << (shift - 1));
        }
    }

    /// Takes one shift, 1 to 30, for all rows of a layer without biases.
    pub fn set_shift(&mut self, shift: u8) {
        self.shift.fill(shift.into());
        self.bias.fill(1 << (shift - 1));
    }
}

impl Packed {
    /// Where the weights of output `o` begin, a multiple of what a kernel handles at once; a pair of columns further is
    /// `2 * LANES` further.
    #[inline]
    fn start(&self, o: usize) -> usize {
        o / LANES * self.inputs * LANES + o % LANES * 2
    }
}

/// Rows of i16 vectors, each padded to [`LANES`].
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Values a row, padding included.
    pub stride: usize,
    /// `rows * stride` values.
    pub values: Vec<i16>,
}

impl Rows {
    /// `rows` rows of `width` zeros.
    pub fn new(rows: usize, width: usize) -> Self {
        let stride = padded(width);
        Self { stride, values: vec![0; rows * stride] }
    }
    /// A row.
    #[inline]
    pub fn row(&self, i: usize) -> &[i16] {
        &self.values[i * self.stride..][..self.stride]
    }
    /// A row to be written.
    #[inline]
    pub fn row_mut(&mut self, i: usize) -> &mut [i16] {
        &mut self.values[i * self.stride..][..self.stride]
    }
}

/// Rows that are read, of any width: row i begins at `i * stride`.
#[derive(Debug, Clone, Copy)]
pub struct View<'v> {
    /// Values from row to row.
    pub stride: usize,
    /// From the first row's first value on.
    pub values: &'v [i16],
}

impl<'v> View<'v> {
    /// A row, and what follows it.
    #[inline]
    pub fn row(&self, i: usize) -> &'v [i16] {
        &self.values[i * self.stride..]
    }
}

/// Rows that are written.
#[derive(Debug)]
pub struct ViewMut<'v> {
    /// Values from row to row.
    pub stride: usize,
    /// From the first row's first value on.
    pub values: &'v mut [i16],
}

impl ViewMut<'_> {
    /// A row, and what follows it.
    #[inline]
    pub fn row(&mut self, i: usize) -> &mut [i16] {
        &mut self.values[i * self.stride..]
    }
}

/// Which part of a layer is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Outputs; both ends are multiples of [`LANES`].
    outputs: Range<usize>,
    /// Inputs, from the first on; even. The weights of the others are zero for these outputs.
    inputs: usize,
}

impl Packed {
    /// All of it.
    pub fn whole(&self) -> Part {
        Part { outputs: 0..self.outputs, inputs: self.inputs }
    }

    /// At least these outputs, of the first inputs: the caller says that the weights of later ones are zero for whole
    /// vectors of outputs.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn part(&self, outputs: Range<usize>, inputs: usize) -> Part {
        let part = Part { outputs: outputs.start / LANES * LANES..padded(outputs.end), inputs: inputs.div_ceil(2) * 2 };
        assert!(part.outputs.end <= self.outputs && part.inputs <= self.inputs);
        part
    }
}

/// `out[i] = clamp((W x[i] + b) >> s)` for the first `rows` rows.
///
/// # Panics
/// If a buffer is too small for `rows`, or this machine lacks the kernel.
pub fn linear(kernel: Kernel, layer: &Packed, x: &Rows, rows: usize, out: &mut Rows) {
    assert!(x.stride >= layer.inputs && out.stride >= layer.outputs);
    let x = View { stride: x.stride, values: &x.values };
    product(kernel, layer, &layer.whole(), x, rows, ViewMut { stride: out.stride, values: &mut out.values });
}

/// The same for a part of the layer. Outputs lie at their places in a row of `out`.
///
/// # Panics
/// If a buffer is too small for `rows`, or this machine lacks the kernel.
pub fn product(kernel: Kernel, layer: &Packed, part: &Part, x: View, rows: usize, mut out: ViewMut) {
    assert!(kernel.is_available(), "this machine has no {} instructions", kernel.name());
    let Some(last) = rows.checked_sub(1) else { return };
    let holds = |length: usize, stride: usize, width: usize| {
        last.checked_mul(stride).and_then(|n| n.checked_add(width)).is_some_and(|n| n <= length)
    };
    assert!(holds(x.values.len(), x.stride, part.inputs) && holds(out.values.len(), out.stride, part.outputs.end));
    assert!(layer.weights.len() == layer.inputs * layer.outputs && layer.outputs % LANES == 0);
    assert!(layer.bias.len() == layer.outputs && layer.shift.len() == layer.outputs);
    assert!(part.outputs.start % LANES == 0 && part.outputs.end % LANES == 0 && part.outputs.end <= layer.outputs);
    assert!(part.inputs % 2 == 0 && part.inputs <= layer.inputs);
    let out = &mut out;
    // SAFETY: the sizes were checked above and the instructions are there.
    match kernel {
        #[cfg(target_arch = "x86_64")]
        Kernel::Sse2 => unsafe { sse2::linear(layer, part, x, rows, out) },
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => unsafe { avx2::linear(layer, part, x, rows, out) },
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => unsafe { avx512::linear(layer, part, x, rows, out) },
        #[cfg(target_arch = "aarch64")]
        Kernel::Neon => unsafe { neon::linear(layer, part, x, rows, out) },
        _ => scalar::linear(layer, part, x, rows, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u64) -> i64 {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (*seed >> 33) as i64
    }

    #[test]
    fn all_kernels_equal_the_scalar_one() {
        let mut seed = 1;
        for kernel in Kernel::ALL {
            if !kernel.is_available() {
                println!("skipped: {}", kernel.name());
                continue;
            }
            for (rows, inputs, outputs) in
                [(1, 1, 1), (2, 3, 15), (7, 148, 192), (13, 129, 48), (6, 64, 64), (31, 130, 100)]
            {
                let weights: Vec<i16> =
                    (0..inputs * outputs).map(|_| (noise(&mut seed) % 2001 - 1000) as i16).collect();
                let bias: Vec<i32> = (0..outputs).map(|_| (noise(&mut seed) % 20_001 - 10_000) as i32).collect();
                let shift: Vec<u8> = (0..outputs).map(|_| (noise(&mut seed) % 14 + 1) as u8).collect();
                let layer = Packed::new(&weights, &bias, &shift, -8000, 8191);
                let mut x = Rows::new(rows, inputs);
                for v in &mut x.values {
                    *v = (noise(&mut seed) % 16_383 - 8191) as i16;
                }
                let (mut a, mut b) = (Rows::new(rows, outputs), Rows::new(rows, outputs));
                linear(kernel, &layer, &x, rows, &mut a);
                linear(Kernel::Scalar, &layer, &x, rows, &mut b);
                assert_eq!(a.values, b.values, "{} {rows} {inputs} {outputs}", kernel.name());
                for i in 0..rows {
                    for o in 0..outputs {
                        let dot: i64 =
                            (0..inputs).map(|k| i64::from(weights[o * inputs + k]) * i64::from(x.row(i)[k])).sum();
                        let y = (dot + i64::from(bias[o]) + (1 << (shift[o] - 1))) >> shift[o];
                        assert_eq!(i64::from(a.row(i)[o]), y.clamp(-8000, 8191));
                    }
                }
            }
        }
    }
}
