//! PNG's row filters (PNG specification, third edition, section 9), undone and applied.
//!
//! What must stay true: `apply` after `undo` gives the bytes back for each of the five filters; the choice of a row's
//! filter is data, never a decision made here.

/// The largest filter type that the specification defines.
pub const MAX_FILTER: u8 = 4;

/// The predictor of filter type 4: of left, up and upper left the one nearest to `left + up - upper_left`.
#[inline]
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (pa, pb) = (i16::from(b) - i16::from(c), i16::from(a) - i16::from(c));
    let pc = (pa + pb).abs();
    let (pa, pb) = (pa.abs(), pb.abs());
    if pa <= pb && pa <= pc {
        a
    } else if pb <= pc {
        b
    } else {
        c
    }
}

/// The average of filter type 3.
#[inline]
fn average(a: u8, b: u8) -> u8 {
    ((u16::from(a) + u16::from(b)) / 2) as u8
}

/// Turns the filtered bytes of `row` into samples. `above` is the unfiltered row above, empty for the first row of a pass;
/// `unit` is the number of bytes a pixel, at least 1; a row is a whole number of them.
pub fn undo(filter: u8, row: &mut [u8], above: &[u8], unit: usize) {
    let n = row.len();
    let head = unit.min(n);
    match (filter, above.is_empty()) {
        (1, _) | (4, true) => {
            for i in unit..n {
                row[i] = row[i].wrapping_add(row[i - unit]);
            }
        }
        (2, false) => {
            for (r, &b) in row.iter_mut().zip(above) {
                *r = r.wrapping_add(b);
            }
        }
        (3, first) => {
            for i in 0..n {
                let a = if i >= unit { row[i - unit] } else { 0 };
                let b = if first { 0 } else { above[i] };
                row[i] = row[i].wrapping_add(average(a, b));
            }
        }
        (4, false) => {
            for i in 0..head {
                row[i] = row[i].wrapping_add(above[i]);
            }
            match unit {
                3 => undo_paeth::<3>(row, above),
                1 => undo_paeth::<1>(row, above),
                _ => {
                    for i in unit..n {
                        row[i] = row[i].wrapping_add(paeth(row[i - unit], above[i], above[i - unit]));
                    }
                }
            }
        }
        _ => {}
    }
}

/// The inner loop of filter 4 with the previous pixel kept in registers.
fn undo_paeth<const UNIT: usize>(row: &mut [u8], above: &[u8]) {
    let mut a = [0; UNIT];
    let mut c = [0; UNIT];
    if row.len() < UNIT {
        return;
    }
    a.copy_from_slice(&row[..UNIT]);
    c.copy_from_slice(&above[..UNIT]);
    for (pixel, up) in row[UNIT..].chunks_exact_mut(UNIT).zip(above[UNIT..].chunks_exact(UNIT)) {
        for k in 0..UNIT {
            a[k] = pixel[k].wrapping_add(paeth(a[k], up[k], c[k]));
            c[k] = up[k];
            pixel[k] = a[k];
        }
    }
}

/// Writes the filtered form of `row` to `out` (as long as `row`). `above` and `unit` as in [`undo`].
pub fn apply(filter: u8, row: &[u8], above: &[u8], unit: usize, out: &mut [u8]) {
    out.copy_from_slice(row);
    let n = row.len();
    let head = unit.min(n);
    match (filter, above.is_empty()) {
        (1, _) | (4, true) => {
            for (o, &a) in out[head..].iter_mut().zip(row) {
                *o = o.wrapping_sub(a);
            }
        }
        (2, false) => {
            for (o, &b) in out.iter_mut().zip(above) {
                *o = o.wrapping_sub(b);
            }
        }
        (3, first) => {
            for i in 0..n {
                let a = if i >= unit { row[i - unit] } else { 0 };
                let b = if first { 0 } else { above[i] };
                out[i] = row[i].wrapping_sub(average(a, b));
            }
        }
        (4, false) => {
            for i in 0..head {
                out[i] = row[i].wrapping_sub(above[i]);
            }
            let inputs = row.iter().zip(&above[head..]).zip(above);
            for (o, ((&a, &b), &c)) in out[head..].iter_mut().zip(inputs) {
                *o = o.wrapping_sub(paeth(a, b, c));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn apply_inverts_undo(
            filter in 0u8..=4,
            unit in 1usize..=8,
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            first: bool,
        ) {
            // two rows of whole pixels
            let n = bytes.len() / (2 * unit) * unit;
            let row = bytes[..n].to_vec();
            let above = if first { vec![] } else { bytes[n..2 * n].to_vec() };
            let mut samples = row.clone();
            undo(filter, &mut samples, &above, unit);
            let mut back = vec![0; row.len()];
            apply(filter, &samples, &above, unit, &mut back);
            prop_assert_eq!(back, row);
        }
    }

    /// Section 9.4 of the specification: the nearest, ties to left, then up.
    #[test]
    fn paeth_is_the_specification() {
        for a in (0..=255i32).step_by(5) {
            for b in (0..=255).step_by(3) {
                for c in (0..=255).step_by(7) {
                    let p = a + b - c;
                    let mut best = (i32::MAX, 0);
                    for v in [a, b, c] {
                        if (p - v).abs() < best.0 {
                            best = ((p - v).abs(), v);
                        }
                    }
                    assert_eq!(i32::from(paeth(a as u8, b as u8, c as u8)), best.1);
                }
            }
        }
    }
}
