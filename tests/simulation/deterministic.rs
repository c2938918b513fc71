//! Laws of one-dimensional schemes without chance: the program's own step, taken from every node of a grid along every
//! node of a Gauss–Hermite rule, makes a transition matrix. Nothing here knows a scheme's formula.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use sgd_sde::dynamics::{Block, Dynamics};
use sgd_sde::loss::LANES;

/// Nodes and weights for E f(ξ), ξ ~ N(0, 1), by the eigenvalues of the Jacobi matrix (Golub & Welsch 1969).
pub fn gauss_hermite(count: usize) -> Vec<(f64, f64)> {
    let jacobi = DMatrix::from_fn(count, count, |i, j| if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 });
    let eigen = SymmetricEigen::new(jacobi);
    let weight = |k: usize| eigen.eigenvectors[(0, k)] * eigen.eigenvectors[(0, k)];
    (0..count).map(|k| (eigen.eigenvalues[k], weight(k))).collect()
}

/// Where one step of a 1-D dynamics leads from `place` with `memory` and the next normals `normal`, all of equal length.
pub fn stepped<D: Dynamics>(
    dynamics: &D,
    step: impl Fn(&D, &mut Block),
    [place, memory, normal]: [&[f64]; 3],
) -> Vec<f64> {
    let mut block = Block::new(dynamics, 0, 0);
    let mut result = Vec::with_capacity(place.len());
    for first in (0..place.len()).step_by(LANES) {
        let count = LANES.min(place.len() - first);
        block.theta[..count].copy_from_slice(&place[first..first + count]);
        block.noise[..count].copy_from_slice(&normal[first..first + count]);
        if !block.memory.is_empty() {
            block.memory[..count].copy_from_slice(&memory[first..first + count]);
        }
        step(dynamics, &mut block);
        result.extend_from_slice(&block.theta[..count]);
    }
    result
}

/// A Markov chain on a line as it acts on smooth functions, by their values at evenly spaced nodes.
pub struct Operator {
    pub nodes: Vec<f64>,
    matrix: DMatrix<f64>,
}

impl Operator {
    /// `arrivals(nodes, ξ)`: where the nodes go along a normal ξ. What leaves the grid is put on its edge: the grid must
    /// reach to where nothing is.
    pub fn new(reach: f64, count: usize, arrivals: impl Fn(&[f64], f64) -> Vec<f64>) -> Self {
        let spacing = 2.0 * reach / (count - 1) as f64;
        let nodes: Vec<f64> = (0..count).map(|i| -reach + spacing * i as f64).collect();
        let mut matrix = DMatrix::zeros(count, count);
        for (normal, weight) in gauss_hermite(48) {
            for (row, arrival) in arrivals(&nodes, normal).into_iter().enumerate() {
                let place = (arrival.clamp(-reach, reach) + reach) / spacing;
                for (column, share) in lagrange(place, count) {
                    matrix[(row, column)] += weight * share;
                }
            }
        }
        Self { nodes, matrix }
    }

    /// The mean of f(node) under the stationary law.
    pub fn stationary_mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        let count = self.nodes.len();
        let mut equations = self.matrix.transpose() - DMatrix::identity(count, count);
        equations.row_mut(0).fill(1.0);
        let mut right = DVector::zeros(count);
        right[0] = 1.0;
        let law = equations.lu().solve(&right).unwrap();
        self.nodes.iter().zip(law.iter()).map(|(x, p)| p * f(*x)).sum()
    }

    /// E f(X_k) from the node nearest to `start`.
    pub fn mean_after(&self, steps: u32, start: f64, f: impl Fn(f64) -> f64) -> f64 {
        let mut values = DVector::from_iterator(self.nodes.len(), self.nodes.iter().map(|x| f(*x)));
        for _ in 0..steps {
            values = &self.matrix * values;
        }
        let node = self.nodes.iter().position(|x| (x - start).abs() < 1e-9).expect("the start is a node");
        values[node]
    }
}

/// Weights of the polynomial through the ten nodes around a place, in units of the spacing.
fn lagrange(place: f64, count: usize) -> Vec<(usize, f64)> {
    const POINTS: usize = 10;
    let first = (place as usize).saturating_sub(POINTS / 2 - 1).min(count - POINTS);
    let weight = |k: usize| {
        let others = (0..POINTS).filter(|&other| other != k);
        others.map(|other| (place - (first + other) as f64) / (k as f64 - other as f64)).product()
    };
    (0..POINTS).map(|k| (first + k, weight(k))).collect()
}
