//! Matrices of known spectra.

use nalgebra::{DMatrix, SymmetricEigen};
use sgd_sde::random::{Purpose, stream::Stream};
use sgd_sde::spectrum::{Products, SymmetricOperator};
use sgd_sde::statistics::Estimate;

/// Numbers uniform in [−½, ½).
pub fn uniform_matrix(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    let mut stream = Stream::new(seed, 0, Purpose::Start);
    DMatrix::from_fn(rows, columns, |_, _| stream.uniform() - 0.5)
}

/// A dense symmetric matrix with the given eigenvalues, in a random basis.
pub fn with_spectrum(eigenvalues: &[f64], seed: u64) -> DMatrix<f64> {
    let d = eigenvalues.len();
    let basis = uniform_matrix(d, d, seed).qr().q();
    let scaled = DMatrix::from_fn(d, d, |i, j| basis[(i, j)] * eigenvalues[j]);
    let matrix = &scaled * basis.transpose();
    (&matrix + matrix.transpose()) / 2.0
}

/// The diagonal matrix, as an operator.
pub fn diagonal(eigenvalues: Vec<f64>) -> Products<impl FnMut(&[f64], &mut [f64])> {
    Products::new(eigenvalues.len(), move |v: &[f64], out: &mut [f64]| {
        for ((out, v), h) in out.iter_mut().zip(v).zip(&eigenvalues) {
            *out = h * v;
        }
    })
}

/// Eigenvalues by nalgebra's full decomposition, ascending.
pub fn by_nalgebra(matrix: &DMatrix<f64>) -> Vec<f64> {
    let eigen = SymmetricEigen::try_new(matrix.clone(), f64::EPSILON, 100_000).expect("QR converges");
    let mut values: Vec<f64> = eigen.eigenvalues.iter().copied().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// ‖Av − λv‖ by a product made here.
pub fn residual(operator: &mut dyn SymmetricOperator, value: f64, vector: &[f64]) -> f64 {
    let mut image = vec![0.0; vector.len()];
    operator.apply(vector, &mut image);
    image.iter().zip(vector).map(|(image, v)| (image - value * v).powi(2)).sum::<f64>().sqrt()
}

/// How many of the 95 % intervals cover the truth.
pub fn covered(estimates: &[Estimate], truth: f64) -> usize {
    let covers = |estimate: &Estimate| {
        let [lower, upper] = estimate.interval(0.95).expect("finite bounds");
        lower <= truth && truth <= upper
    };
    estimates.iter().filter(|estimate| covers(estimate)).count()
}

/// Whether `covered` of 400 is compatible with 95 %: P(outside of 363 … 393) < 5e-4 for a binomial number.
pub fn is_nominal(covered: usize) -> bool {
    (363..=393).contains(&covered)
}
