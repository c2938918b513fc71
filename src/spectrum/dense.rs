//! The full spectrum of a matrix of moderate size.

use nalgebra::DMatrix;

use super::operator::{Measured, SymmetricOperator};
use super::tridiagonal::{symmetric_eigen, symmetric_eigenvalues};
use super::{SpectralMeasure, SpectrumError};

/// The largest dimension for which all d² numbers of a matrix are made: 32 MB, and up to a minute for the eigenvalues.
pub const DENSE_UP_TO: usize = 2_000;

/// All eigenvalues of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct FullSpectrum {
    /// The d eigenvalues, ascending.
    pub values: Vec<f64>,
    /// max |aᵢⱼ − aⱼᵢ| / max |aᵢⱼ| of the products: rounding if the operator is symmetric, 0 for the zero matrix.
    pub asymmetry: f64,
}

impl FullSpectrum {
    /// The spectrum as a measure, exact: its density needs no probes.
    pub fn measure(&self) -> SpectralMeasure {
        SpectralMeasure::exact(&self.values)
    }
}

/// The symmetric part (A + Aᵀ)/2 of the matrix of d products Aeⱼ, and its asymmetry as in [`FullSpectrum`].
///
/// Errors: [`SpectrumError::TooLarge`] beyond [`DENSE_UP_TO`], [`SpectrumError::Empty`], [`SpectrumError::NotFinite`].
pub fn dense_matrix(operator: &mut dyn SymmetricOperator) -> Result<(DMatrix<f64>, f64), SpectrumError> {
    let mut operator = Measured::new(operator)?;
    let dimension = operator.dimension();
    if dimension > DENSE_UP_TO {
        return Err(SpectrumError::TooLarge { dimension, limit: DENSE_UP_TO });
    }
    let mut columns = DMatrix::zeros(dimension, dimension);
    for_each_column(&mut operator, |j, column| columns.column_mut(j).copy_from_slice(column))?;
    let largest = columns.amax();
    let mut difference = 0.0f64;
    for j in 0..dimension {
        for i in 0..j {
            let (upper, lower) = (columns[(i, j)], columns[(j, i)]);
            difference = difference.max((upper - lower).abs());
            // Halves first: the sum of two large numbers may overflow.
            let mean = 0.5 * upper + 0.5 * lower;
            columns[(i, j)] = mean;
            columns[(j, i)] = mean;
        }
    }
    Ok((columns, if largest == 0.0 { 0.0 } else { difference / largest }))
}

/// Hands out the columns Aeⱼ of the matrix, by d products.
pub(super) fn for_each_column(
    operator: &mut Measured,
    mut visit: impl FnMut(usize, &[f64]),
) -> Result<(), SpectrumError> {
    let mut unit = vec![0.0; operator.dimension()];
    for j in 0..unit.len() {
        unit[j] = 1.0;
        visit(j, &operator.apply(&unit)?);
        unit[j] = 0.0;
    }
    Ok(())
}

/// All eigenvalues, by d products. Absolute errors are some d·ε·‖A‖₂ (Householder's tridiagonal form, QL).
///
/// Errors as of [`dense_matrix`].
pub fn full_spectrum(operator: &mut dyn SymmetricOperator) -> Result<FullSpectrum, SpectrumError> {
    let (matrix, asymmetry) = dense_matrix(operator)?;
    Ok(FullSpectrum { values: symmetric_eigenvalues(matrix)?, asymmetry })
}

/// All eigenvalues, and the orthonormal eigenvectors as the columns of a d×d matrix in the order of the values.
///
/// Errors as of [`dense_matrix`].
pub fn full_decomposition(operator: &mut dyn SymmetricOperator) -> Result<(FullSpectrum, DMatrix<f64>), SpectrumError> {
    let (matrix, asymmetry) = dense_matrix(operator)?;
    let (values, vectors) = symmetric_eigen(matrix)?;
    Ok((FullSpectrum { values, asymmetry }, vectors))
}
