//! A constant Hessian times the points of a block.

use nalgebra::DMatrix;

/// Rows of the matrix that share what is loaded of the points.
const ROWS: usize = 4;
/// Lanes of an accumulator: a register of AVX-512, two of AVX2.
const WIDTH: usize = 8;

/// A symmetric matrix in the form in which the kernel multiplies by it.
#[derive(Clone, Debug)]
pub(crate) enum Curvature {
    /// Nothing beside its diagonal: a product costs d, not d².
    Diagonal(Vec<f64>),
    /// Row after row.
    Full(Vec<f64>),
}

impl Curvature {
    pub(crate) fn new(matrix: &DMatrix<f64>) -> Self {
        let is_diagonal = (0..matrix.nrows()).all(|i| (0..i).all(|j| matrix[(i, j)] == 0.0 && matrix[(j, i)] == 0.0));
        if is_diagonal {
            Self::Diagonal(matrix.diagonal().iter().copied().collect())
        } else {
            Self::Full(matrix.transpose().iter().copied().collect())
        }
    }

    /// product = H·x at N points at once; `x` and `product` hold d rows of N, coordinate by coordinate.
    #[inline(always)]
    pub(crate) fn multiply<const N: usize>(&self, x: &[[f64; N]], product: &mut [[f64; N]]) {
        match self {
            Self::Diagonal(diagonal) => {
                for ((h, x), product) in diagonal.iter().zip(x).zip(product) {
                    for l in 0..N {
                        product[l] = h * x[l];
                    }
                }
            }
            Self::Full(rows) => multiply(rows, x, product),
        }
    }
}

/// product = M·x at N points at once: `matrix` is d × d, row after row; `x` and `product` hold d rows of N, coordinate by coordinate.
///
/// Four rows by eight lanes stay in registers over the sum, so that a loaded number serves four products. Every sum runs from
/// the first column to the last, so that a point's bits are the same alone and in a block.
#[inline(always)]
fn multiply<const N: usize>(matrix: &[f64], x: &[[f64; N]], product: &mut [[f64; N]]) {
    let d = x.len();
    let product = &mut product[..d];
    for (rows, product) in matrix.chunks(ROWS * d).zip(product.chunks_mut(ROWS)) {
        match product.as_chunks_mut::<ROWS>() {
            ([product], _) => rows_by_lanes(rows, x, product),
            (_, product) => {
                for (row, product) in rows.chunks_exact(d).zip(product) {
                    rows_by_lanes(row, x, std::array::from_mut(product));
                }
            }
        }
    }
}

#[inline(always)]
fn rows_by_lanes<const R: usize, const N: usize>(rows: &[f64], x: &[[f64; N]], product: &mut [[f64; N]; R]) {
    if N.is_multiple_of(WIDTH) {
        tiles::<R, WIDTH, N>(rows, x, product);
    } else {
        tiles::<R, 1, N>(rows, x, product);
    }
}

#[inline(always)]
fn tiles<const R: usize, const W: usize, const N: usize>(rows: &[f64], x: &[[f64; N]], product: &mut [[f64; N]; R]) {
    let d = x.len();
    let rows: [&[f64]; R] = std::array::from_fn(|r| &rows[r * d..][..d]);
    for tile in 0..N / W {
        let mut sums = [[0.0; W]; R];
        for (j, x) in x.iter().enumerate() {
            let x = &x.as_chunks::<W>().0[tile];
            for r in 0..R {
                for l in 0..W {
                    sums[r][l] += rows[r][j] * x[l];
                }
            }
        }
        for r in 0..R {
            product[r].as_chunks_mut::<W>().0[tile] = sums[r];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DVector;

    #[test]
    fn a_block_is_multiplied_point_by_point() {
        for d in [1, 2, 3, 4, 5, 10, 17] {
            let matrix = DMatrix::from_fn(d, d, |i, j| ((3 * i + 7 * j) as f64).sin());
            let curvature = Curvature::new(&matrix);
            let x: Vec<[f64; 32]> =
                (0..d).map(|i| std::array::from_fn(|l| (i as f64 + 0.3 * l as f64).cos())).collect();
            let mut product = vec![[0.0; 32]; d];
            curvature.multiply(&x, &mut product);
            for lane in 0..32 {
                let expected = &matrix * DVector::from_iterator(d, x.iter().map(|row| row[lane]));
                let point: Vec<[f64; 1]> = x.iter().map(|row| [row[lane]]).collect();
                let mut alone = vec![[0.0; 1]; d];
                curvature.multiply(&point, &mut alone);
                for i in 0..d {
                    assert!((product[i][lane] - expected[i]).abs() < 1e-13 * d as f64);
                    assert_eq!(product[i][lane], alone[i][0]);
                }
            }
        }
    }
}
