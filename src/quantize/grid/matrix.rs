//! Matrix products in floating point, fast enough to evaluate pictures by the hundred.
//!
//! What must stay true: a row's result does not depend on the rows beside it.

/// Outputs of a panel, and rows that are multiplied together.
const PANEL: usize = 8;
const BLOCK: usize = 4;

/// `y = W x + b`.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// `[panels][columns][PANEL]`
    panels: Vec<f32>,
    bias: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// `weights`: rows of `columns`; `bias`: one a row.
    pub fn new<'w>(weights: impl Iterator<Item = &'w [f32]>, columns: usize, bias: &[f32]) -> Self {
        let mut panels = vec![0.0; bias.len().div_ceil(PANEL) * columns * PANEL];
        for (o, row) in weights.enumerate() {
            for (k, w) in row[..columns].iter().enumerate() {
                panels[(o / PANEL * columns + k) * PANEL + o % PANEL] = *w;
            }
        }
        Self { panels, bias: bias.to_vec(), columns }
    }

    /// Multiplies rows of `columns` values each; `y` has a row of outputs for each.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        let outputs = self.bias.len();
        for (p, panel) in self.panels.chunks_exact((self.columns * PANEL).max(1)).enumerate() {
            let first = p * PANEL;
            let used = PANEL.min(outputs - first);
            let blocks = x.chunks(BLOCK * self.columns).zip(y.chunks_mut(BLOCK * outputs));
            for (x, y) in blocks {
                let sums: [[f32; PANEL]; BLOCK] = if x.len() == BLOCK * self.columns {
                    product(panel, std::array::from_fn(|i| &x[i * self.columns..(i + 1) * self.columns]))
                } else {
                    let mut sums = [[0.0; PANEL]; BLOCK];
                    for (sum, x) in sums.iter_mut().zip(x.chunks_exact(self.columns)) {
                        [*sum] = product(panel, [x]);
                    }
                    sums
                };
                for (sum, y) in sums.iter().zip(y.chunks_exact_mut(outputs)) {
                    for (i, y) in y[first..first + used].iter_mut().enumerate() {
                        *y = sum[i] + self.bias[first + i];
                    }
                }
            }
        }
    }
}

/// Products of some rows with one panel.
#[inline(always)]
fn product<const N: usize>(panel: &[f32], x: [&[f32]; N]) -> [[f32; PANEL]; N] {
    let mut sums = [[0.0f32; PANEL]; N];
    for (k, w) in panel.chunks_exact(PANEL).enumerate() {
        for (sum, x) in sums.iter_mut().zip(x) {
            let v = x[k];
            for (s, w) in sum.iter_mut().zip(w) {
                *s += v * w;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_equal_the_sum() {
        for (rows, columns, n) in [(1, 1, 1), (8, 3, 4), (13, 7, 9), (24, 100, 6)] {
            let value = |i: usize| ((i * 31 + 7) % 23) as f32 - 11.0;
            let weights: Vec<f32> = (0..rows * columns).map(value).collect();
            let (bias, x): (Vec<f32>, Vec<f32>) =
                ((0..rows).map(value).collect(), (0..n * columns).map(value).collect());
            let mut y = vec![0.0; n * rows];
            Matrix::new(weights.chunks(columns), columns, &bias).apply(&x, &mut y);
            for (i, x) in x.chunks(columns).enumerate() {
                for (o, w) in weights.chunks(columns).enumerate() {
                    let sum: f32 = w.iter().zip(x).map(|(w, x)| w * x).sum();
                    assert_eq!(y[i * rows + o], sum + bias[o], "whole numbers are exact");
                }
            }
        }
    }
}
