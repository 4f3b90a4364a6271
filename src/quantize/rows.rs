//! The integers of products, and of trained values.
//!
//! What must stay true: a row of a product cannot overflow 32 bits, whatever its inputs within their magnitudes are.

use super::float::Layer;

/// The inputs of a product: for each column (of one tap, where there are taps) fractional bits and the largest magnitude.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// A value is its integer times `2^-fraction`.
    pub fractions: &'a [i32],
    /// Largest magnitudes of the integers.
    pub magnitudes: &'a [i64],
}

/// The integers of a product.
pub struct Rows {
    /// `[outputs][taps][inputs]`
    pub weights: Vec<i16>,
    /// `[outputs]`
    pub bias: Vec<i32>,
    /// `[outputs]`
    pub shift: Vec<u8>,
    /// The weights and biases that they stand for.
    pub back: Layer,
}

/// Largest magnitude of a weight.
const MOST: f64 = 32767.0;

/// Rounds a product whose outputs have `out` fractional bits: each row takes the largest shift for which its weights stay
/// within [`MOST`] and its sums fit 32 bits, and, if there is one, for which some inputs' weights stay within `most`: inputs
/// without fractional bits have large ones. The error is the number of a row that has no shift.
pub fn rows(layer: &Layer, columns: Columns, out: i32, most: f64) -> Result<Rows, usize> {
    let count = layer.bias.len();
    let row = layer.weights.len() / count.max(1);
    let (mut weights, mut biases, mut shifts) = (Vec::with_capacity(layer.weights.len()), Vec::new(), Vec::new());
    let mut back = layer.clone();
    let mut scales = columns.fractions.to_vec();
    scales.sort_unstable();
    scales.dedup();
    let power = |fraction: i32, shift: i32| 2f64.powi(out - fraction + shift);
    for (o, (row_weights, bias)) in layer.weights.chunks_exact(row.max(1)).zip(&layer.bias).enumerate() {
        let fractions = || columns.fractions.iter().cycle();
        let largest = row_weights.iter().zip(fractions()).map(|(w, f)| f64::from(w.abs()) * 2f64.powi(-f));
        let largest = largest.fold(0.0, f64::max);
        // The largest weight of the inputs whose weights are finest.
        let mut finest = f64::INFINITY;
        for fraction in &scales {
            let own = row_weights.iter().zip(fractions()).filter(|(_, f)| *f == fraction);
            let own = own.fold(0.0, |m, (w, _)| f64::from(w.abs()).max(m)) * 2f64.powi(-fraction);
            finest = if own > 0.0 { own.min(finest) } else { finest };
        }
        let fit = |most: f64, shift: i32| {
            if largest * power(0, shift) > MOST + 1.0 || finest * power(0, shift) > most {
                return None;
            }
            let scale: Vec<f64> = columns.fractions.iter().map(|f| power(*f, shift)).collect();
            let ints: Vec<f64> =
                row_weights.iter().zip(scale.iter().cycle()).map(|(w, s)| (f64::from(*w) * s).round()).collect();
            let bias = (f64::from(*bias) * power(0, shift)).round();
            let magnitudes = columns.magnitudes.iter().cycle();
            let sum = bias.abs() + ints.iter().zip(magnitudes).map(|(w, m)| w.abs() * *m as f64).sum::<f64>();
            let fits = ints.iter().all(|w| w.abs() <= MOST) && sum + 2f64.powi(shift - 1) < 2f64.powi(31);
            fits.then_some((shift, ints, bias))
        };
        let shifts_down = || (1..=30).rev();
        let fitting =
            shifts_down().find_map(|s| fit(most, s)).or_else(|| shifts_down().find_map(|s| fit(f64::INFINITY, s)));
        let Some((shift, ints, bias)) = fitting else { return Err(o) };
        for ((back, w), f) in back.weights[o * row..].iter_mut().zip(&ints).zip(fractions()) {
            *back = (w * 2f64.powi(f - out - shift)) as f32;
        }
        back.bias[o] = (bias * 2f64.powi(-out - shift)) as f32;
        weights.extend(ints.iter().map(|w| *w as i16));
        biases.push(bias as i32);
        shifts.push(shift as u8);
    }
    Ok(Rows { weights, bias: biases, shift: shifts, back })
}

/// Rounds trained values to `fraction` fractional bits, within `limit`, and gives what they stand for. None if one is no
/// number.
pub fn values(trained: &[f32], fraction: i32, limit: i32) -> Option<(Vec<i16>, Vec<f32>)> {
    let scale = 2f64.powi(fraction);
    let rounded = |v: &f32| (f64::from(*v) * scale).round().clamp(-f64::from(limit), f64::from(limit)) as i16;
    let ints: Vec<i16> = trained.iter().map(rounded).collect();
    let back = ints.iter().map(|v| (f64::from(*v) / scale) as f32).collect();
    trained.iter().all(|v| v.is_finite()).then_some((ints, back))
}
