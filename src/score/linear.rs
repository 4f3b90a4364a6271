//! Inverse of a small symmetric matrix.

/// The inverse of a symmetric positive definite matrix `[n][n]`, by Cholesky's decomposition; `None` if it is not positive
/// definite.
pub fn inverse(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = matrix[i * n + j] - dot;
            if i == j {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    let mut result = vec![0.0; n * n];
    for column in 0..n {
        let mut y = vec![0.0; n];
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| l[i * n + k] * y[k]).sum();
            y[i] = (f64::from(u8::from(i == column)) - dot) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| l[k * n + i] * result[k * n + column]).sum();
            result[i * n + column] = (y[i] - dot) / l[i * n + i];
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_times_matrix_is_one() {
        let m = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
        let inv = inverse(&m, 3).unwrap();
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let product: f64 = (0..3).map(|k| m[i * 3 + k] * inv[k * 3 + j]).sum();
            assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
        }
        assert_eq!(inverse(&[1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
