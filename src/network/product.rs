//! Matrix products on slices: the one place that calls `gemm`, whose interface is pointers.

use gemm::{Parallelism, gemm};

use super::Real;

/// A matrix in a slice, with the distance between neighbours down a column and along a row.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row after row.
    pub(super) fn new(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        assert!(numbers.len() >= rows * columns, "a matrix needs its {rows} × {columns} numbers");
        Self { numbers, rows, columns, row_stride: columns, column_stride: 1 }
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `result = left · right`, or `result += left · right`; the result row after row.
pub(super) fn multiply<T: Real>(result: &mut [T], left: Matrix<T>, right: Matrix<T>, add: bool) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert!(inner == right.rows && result.len() >= rows * columns, "the shapes of a product must fit");
    // SAFETY: `Matrix::new` has checked that its numbers cover all of its rows and columns, the line above that the result does,
    // and that the inner sides agree; `result` is borrowed mutably, so nothing else reads or writes it meanwhile. Strides are
    // numbers of elements and fit in isize, since slices do. T is f32 or f64, which `gemm` serves.
    #[allow(unsafe_code, reason = "the interface of gemm is pointers")]
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            result.as_mut_ptr(),
            1,
            columns as isize,
            add,
            left.numbers.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.numbers.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_by_hand() {
        let left = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3);
        let right = Matrix::new(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 3, 2);
        let mut result = [10.0f64; 4];
        multiply(&mut result, left, right, false);
        assert_eq!(result, [4.0, 5.0, 10.0, 11.0]);
        multiply(&mut result, left, right, true);
        assert_eq!(result, [8.0, 10.0, 20.0, 22.0]);
        let mut square = [0.0; 9];
        multiply(&mut square, left.transposed(), left, false);
        assert_eq!(square, [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]);
    }
}
