//! Eigenvalues of symmetric matrices that are held as numbers: to tridiagonal form by nalgebra, then by the implicit QL method.
//!
//! QL is written here because nalgebra's own last part either has no bound on its iterations or always makes all eigenvectors, of
//! which a quadrature needs one row and a spectrum none.

use nalgebra::{DMatrix, linalg::SymmetricTridiagonal};

use super::SpectrumError;

/// Iterations for one eigenvalue; two or three are usual.
const ITERATIONS: usize = 100;

/// Eigenvalues, ascending, of the tridiagonal matrix with the given diagonal (length n ≥ 1) and off-diagonal (length n − 1), and
/// `rows`·Z with its eigenvectors Z as columns, for `rows` of n columns (none, the first unit vector, or all of a basis).
///
/// The implicit QL method: Martin & Wilkinson, Numer. Math. 12 (1968), 377–383; with one row that of Golub & Welsch, Math. Comp. 23
/// (1969), 221–230. Absolute errors are some ε‖T‖.
pub(super) fn tridiagonal_eigen(
    mut diagonal: Vec<f64>,
    mut off_diagonal: Vec<f64>,
    mut rows: DMatrix<f64>,
) -> Result<(Vec<f64>, DMatrix<f64>), SpectrumError> {
    let size = diagonal.len();
    off_diagonal.resize(size, 0.0);
    let largest = diagonal.iter().zip(&off_diagonal).fold(0.0f64, |largest, (d, e)| largest.max(d.abs() + e.abs()));
    let negligible = 0.5 * f64::EPSILON * largest;
    for first in 0..size {
        let mut iterations = 0;
        loop {
            let last = (first..size - 1).find(|&m| off_diagonal[m].abs() <= negligible).unwrap_or(size - 1);
            if last == first {
                break;
            }
            iterations += 1;
            if iterations > ITERATIONS {
                return Err(SpectrumError::Iterations(ITERATIONS));
            }
            ql_step(&mut diagonal, &mut off_diagonal, &mut rows, first, last);
        }
    }
    Ok(ascending(diagonal, rows))
}

/// One QL step with Wilkinson's shift on the block `first..=last`, from its end to its begin.
fn ql_step(d: &mut [f64], e: &mut [f64], rows: &mut DMatrix<f64>, first: usize, last: usize) {
    let half = (d[first + 1] - d[first]) / (2.0 * e[first]);
    let root = libm::hypot(half, 1.0);
    let mut g = d[last] - d[first] + e[first] / (half + root.copysign(half));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let length = libm::hypot(f, g);
        e[i + 1] = length;
        if length == 0.0 {
            // The block falls apart here; the next step sees the parts.
            d[i + 1] -= shift;
            e[last] = 0.0;
            return;
        }
        (sine, cosine) = (f / length, g / length);
        g = d[i + 1] - shift;
        let r = (d[i] - g) * sine + 2.0 * cosine * b;
        shift = sine * r;
        d[i + 1] = g + shift;
        g = cosine * r - b;
        rotate_columns(rows, i, sine, cosine);
    }
    d[first] -= shift;
    e[first] = g;
    e[last] = 0.0;
}

/// Columns i and i + 1 by the rotation of a step.
fn rotate_columns(rows: &mut DMatrix<f64>, i: usize, sine: f64, cosine: f64) {
    let height = rows.nrows();
    let pair = &mut rows.as_mut_slice()[i * height..(i + 2) * height];
    let (left, right) = pair.split_at_mut(height);
    for (left, right) in left.iter_mut().zip(right) {
        let f = *right;
        *right = sine * *left + cosine * f;
        *left = cosine * *left - sine * f;
    }
}

/// Values in ascending order, and the columns with them.
fn ascending(values: Vec<f64>, columns: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let sorted = DMatrix::from_fn(columns.nrows(), order.len(), |i, j| columns[(i, order[j])]);
    (order.iter().map(|&j| values[j]).collect(), sorted)
}

/// Eigenvalues of a symmetric matrix, ascending, and its orthonormal eigenvectors as columns. Only its lower triangle is read; it
/// has at least one row and finite numbers.
pub(super) fn symmetric_eigen(matrix: DMatrix<f64>) -> Result<(Vec<f64>, DMatrix<f64>), SpectrumError> {
    let (matrix, scale) = scaled(matrix);
    let (basis, diagonal, off_diagonal) = SymmetricTridiagonal::new(matrix).unpack();
    let (values, vectors) = tridiagonal_eigen(diagonal.as_slice().into(), off_diagonal.as_slice().into(), basis)?;
    Ok((values.into_iter().map(|value| value * scale).collect(), vectors))
}

/// Eigenvalues alone, ascending.
pub(super) fn symmetric_eigenvalues(matrix: DMatrix<f64>) -> Result<Vec<f64>, SpectrumError> {
    let (matrix, scale) = scaled(matrix);
    let size = matrix.nrows();
    let (diagonal, off_diagonal) = SymmetricTridiagonal::new(matrix).unpack_tridiagonal();
    let none = DMatrix::zeros(0, size);
    let (values, _) = tridiagonal_eigen(diagonal.as_slice().into(), off_diagonal.as_slice().into(), none)?;
    Ok(values.into_iter().map(|value| value * scale).collect())
}

/// The matrix divided by its largest number, against over- and underflow of squares.
fn scaled(mut matrix: DMatrix<f64>) -> (DMatrix<f64>, f64) {
    let scale = matrix.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if scale == 0.0 {
        return (matrix, 1.0);
    }
    for x in matrix.iter_mut() {
        *x /= scale;
    }
    (matrix, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_differences_have_known_eigenvalues() {
        // 2 on the diagonal, −1 beside it: λⱼ = 4 sin²(jπ/(2(n + 1))).
        let n = 30;
        let first_row = DMatrix::from_fn(1, n, |_, j| if j == 0 { 1.0 } else { 0.0 });
        let (values, row) = tridiagonal_eigen(vec![2.0; n], vec![-1.0; n - 1], first_row).unwrap();
        for (j, value) in values.iter().enumerate() {
            let angle = (j + 1) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - 4.0 * libm::sin(angle / 2.0).powi(2)).abs() < 1e-14);
            let component = (2.0 / (n + 1) as f64).sqrt() * libm::sin(angle);
            assert!((row[(0, j)].abs() - component.abs()).abs() < 1e-14);
        }
    }

    #[test]
    fn matrices_without_rank_or_order_are_decomposed() {
        for matrix in [
            DMatrix::zeros(5, 5),
            DMatrix::from_element(1, 1, -3.0),
            DMatrix::from_element(6, 6, 1e-300),
            DMatrix::from_fn(4, 4, |i, j| if i + j == 3 { 1e200 } else { 0.0 }),
            DMatrix::identity(7, 7),
            DMatrix::from_fn(40, 40, |i, j| ((i * j) as f64).sqrt()),
        ] {
            let (values, vectors) = symmetric_eigen(matrix.clone()).unwrap();
            let scale = matrix.amax().max(f64::MIN_POSITIVE);
            let size = matrix.nrows();
            let rebuilt = DMatrix::from_fn(size, size, |i, j| {
                (0..size).map(|k| vectors[(i, k)] * (values[k] / scale) * vectors[(j, k)]).sum::<f64>()
            });
            assert!((rebuilt - &matrix / scale).amax() < 1e-13);
            let alone = symmetric_eigenvalues(matrix).unwrap();
            assert!(values.iter().zip(&alone).all(|(a, b)| (a - b).abs() <= 1e-13 * size as f64 * scale));
        }
    }
}
