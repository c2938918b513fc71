//! The stationary density between the nodes of a lattice.

use super::lattice::Lattice;
use crate::math;

/// Nodes along either coordinate of which a value between them is made.
const POINTS: usize = 6;

/// The density over the plane: its logarithm is interpolated by polynomials of degree five. It varies on the scale of σ, also where L does
/// on a smaller one, since a step of the chain spreads it.
pub(super) struct Density {
    origin: [f64; 2],
    spacing: f64,
    sides: [usize; 2],
    /// Of the mass of every node, row by row; −∞ where there is none.
    logarithms: Vec<f64>,
}

impl Density {
    /// Of a law over the sources of a lattice.
    pub(super) fn new(lattice: &Lattice, law: &[f64]) -> Self {
        let mut logarithms = vec![f64::NEG_INFINITY; lattice.nodes()];
        let area = lattice.spacing * lattice.spacing;
        for (source, p) in lattice.sources.iter().zip(law) {
            logarithms[source.place] = math::ln(p / area);
        }
        Self { origin: lattice.origin, spacing: lattice.spacing, sides: lattice.sides, logarithms }
    }

    /// The density at a point; 0 near and beyond the edge of the lattice, where there is next to nothing.
    pub(super) fn at(&self, point: &[f64]) -> f64 {
        let Self { origin, spacing, sides, .. } = self;
        let mut first = [0; 2];
        let mut weights = [[0.0; POINTS]; 2];
        for axis in 0..2 {
            let place = (point[axis] - origin[axis]) / spacing;
            let before = place.floor() - (POINTS / 2 - 1) as f64;
            if !(before >= 0.0 && before + POINTS as f64 <= sides[axis] as f64) {
                return 0.0;
            }
            (first[axis], weights[axis]) = (before as usize, lagrange(place - before));
        }
        let mut logarithm = 0.0;
        for (line, along) in weights[1].iter().enumerate() {
            let row = &self.logarithms[(first[1] + line) * sides[0] + first[0]..][..POINTS];
            logarithm += along * row.iter().zip(&weights[0]).map(|(value, across)| value * across).sum::<f64>();
        }
        // A node without mass leaves ±∞ or NaN.
        if logarithm.is_finite() { math::exp(logarithm) } else { 0.0 }
    }
}

/// The weights of values at 0, 1, … in the value at x of the polynomial through them.
fn lagrange(x: f64) -> [f64; POINTS] {
    std::array::from_fn(|node| {
        let others = (0..POINTS).filter(|&other| other != node);
        others.map(|other| (x - other as f64) / (node as f64 - other as f64)).product()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_of_degree_five_are_their_own_interpolation() {
        let f = |x: f64| 1.0 - x + 0.5 * x * x - 0.1 * x.powi(5);
        for x in [2.0, 2.3, 2.999] {
            let found: f64 = lagrange(x).iter().enumerate().map(|(node, weight)| weight * f(node as f64)).sum();
            assert!((found - f(x)).abs() < 1e-12, "{x}: {found}");
        }
    }
}
