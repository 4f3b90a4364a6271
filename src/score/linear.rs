//! Cholesky's decomposition of a small symmetric matrix, and what it makes of vectors.

/// The lower triangle L `[n][n]` with `L L^T` = `matrix`; `None` if that is not positive definite.
pub fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
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
    Some(l)
}

/// `L^-1 v`: of a vector with covariance `L L^T`, one whose components have variance 1 and no correlation.
pub fn whiten(l: &[f64], v: &[f64]) -> Vec<f64> {
    let n = v.len();
    let mut w = vec![0.0; n];
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| l[i * n + k] * w[k]).sum();
        w[i] = (v[i] - dot) / l[i * n + i];
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_gives_the_matrix_and_solves() {
        let m = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
        let l = cholesky(&m, 3).unwrap();
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let product: f64 = (0..3).map(|k| l[i * 3 + k] * l[j * 3 + k]).sum();
            assert!((product - m[i * 3 + j]).abs() < 1e-12);
        }
        let v = [1.0, -2.0, 0.5];
        let w = whiten(&l, &v);
        let back: Vec<f64> = (0..3).map(|i| (0..3).map(|k| l[i * 3 + k] * w[k]).sum()).collect();
        assert!(back.iter().zip(v).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
