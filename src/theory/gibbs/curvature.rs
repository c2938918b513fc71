//! How strongly the loss bends where the Gibbs law has its mass: what a finite step feels there.

use nalgebra::DMatrix;

use crate::landscape::{spectral_norm, spectral_norm_above};

/// The largest curvature is that of all but this part of a basin's mass. What lies beyond moves a mass by less than this,
/// and counts in [`BasinCurvature::mean_square`] all the same.
pub const TAIL: f64 = 1e-3;
/// Of draws, the largest curvatures alone are found out, once so many have been seen: what is below the highest [`HIGH`] of these
/// is noted as no more than they are.
const SEEN: usize = 256;
/// A part of the draws far larger than [`TAIL`].
const HIGH: f64 = 0.05;

/// The curvature within one basin under the Gibbs law.
#[derive(Clone, Debug, PartialEq)]
pub struct BasinCurvature {
    /// ‖∇²L‖, the largest |eigenvalue|, that all but [`TAIL`] of the basin's mass stays below; never less than at the minimum.
    pub largest: f64,
    /// A place at which it is reached.
    pub place: Vec<f64>,
    /// ⟨tr (∇²L)²⟩.
    pub mean_square: f64,
}

impl BasinCurvature {
    /// The same curvature all over the basin of a minimum with these eigenvalues of the Hessian.
    pub fn uniform(minimum: &[f64], eigenvalues: &[f64]) -> Self {
        let largest = eigenvalues.iter().fold(0.0f64, |largest, h| largest.max(h.abs()));
        Self { largest, place: minimum.to_vec(), mean_square: eigenvalues.iter().map(|h| h * h).sum() }
    }
}

/// Hessians at places of one basin, each with the mass that it stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Bends {
    norms: Vec<(f64, f64)>,
    places: Vec<f64>,
    mass: f64,
    squares: f64,
    /// Norms of draws below this are not looked into.
    floor: f64,
}

impl Bends {
    /// Takes note of a draw: its mass is that of every other.
    pub(super) fn add_draw(&mut self, place: &[f64], hessian: DMatrix<f64>) {
        if self.norms.len() == SEEN {
            let mut norms: Vec<f64> = self.norms.iter().map(|(norm, _)| *norm).collect();
            norms.sort_by(f64::total_cmp);
            self.floor = norms[((1.0 - HIGH) * SEEN as f64) as usize];
        }
        self.squares += hessian.norm_squared();
        let norm = spectral_norm_above(hessian, self.floor).unwrap_or(self.floor);
        self.note(place, norm, 1.0);
    }

    /// Takes note of a place.
    pub(super) fn add(&mut self, place: &[f64], hessian: DMatrix<f64>, mass: f64) {
        self.squares += mass * hessian.norm_squared();
        self.note(place, spectral_norm(hessian), mass);
    }

    fn note(&mut self, place: &[f64], norm: f64, mass: f64) {
        self.mass += mass;
        self.norms.push((norm, mass));
        self.places.extend_from_slice(place);
    }

    /// Takes note of what others saw.
    pub(super) fn append(&mut self, other: &Self) {
        self.norms.extend_from_slice(&other.norms);
        self.places.extend_from_slice(&other.places);
        self.mass += other.mass;
        self.squares += other.squares;
    }

    /// What follows for the basin of `minimum`.
    pub(super) fn summary(&self, minimum: &[f64], eigenvalues: &[f64]) -> BasinCurvature {
        let at_minimum = BasinCurvature::uniform(minimum, eigenvalues);
        if self.norms.is_empty() {
            return at_minimum;
        }
        let mut order: Vec<usize> = (0..self.norms.len()).collect();
        order.sort_by(|&a, &b| self.norms[b].0.total_cmp(&self.norms[a].0).then(a.cmp(&b)));
        let whole: f64 = self.norms.iter().map(|(_, mass)| mass).sum();
        let mut beyond = 0.0;
        let place = order.iter().copied().find(|&place| {
            beyond += self.norms[place].1;
            beyond > TAIL * whole
        });
        let place = place.unwrap_or(order[order.len() - 1]);
        let (largest, d) = (self.norms[place].0, minimum.len());
        let mean_square = if self.mass > 0.0 { self.squares / self.mass } else { at_minimum.mean_square };
        if largest < at_minimum.largest {
            return BasinCurvature { mean_square, ..at_minimum };
        }
        BasinCurvature { largest, place: self.places[place * d..][..d].to_vec(), mean_square }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    /// A thousandth of the mass may bend more; a little more than that may not. All of it counts in the mean square.
    #[test]
    fn a_thousandth_of_the_mass_is_left_out_of_the_largest() {
        let largest = |mass: f64| {
            let mut bends = Bends::default();
            bends.add(&[0.0], dmatrix![2.0], 1.0 - mass);
            bends.add(&[5.0], dmatrix![-100.0], mass);
            bends.summary(&[0.0], &[1.0])
        };
        let (below, above) = (largest(0.9e-3), largest(1.1e-3));
        assert_eq!((below.largest, below.place), (2.0, vec![0.0]));
        assert_eq!((above.largest, above.place), (100.0, vec![5.0]));
        assert!((below.mean_square - (4.0 * (1.0 - 0.9e-3) + 9.0)).abs() < 1e-12);
    }

    /// Draws are told from what is noted of any other places only by the norms that do not matter.
    #[test]
    fn of_draws_the_largest_curvatures_are_those_of_all_places() {
        let (mut draws, mut places) = (Bends::default(), Bends::default());
        for k in 0..10_000 {
            // A permutation of 0 … 9999, since 7919 is prime.
            let curvature = 1.0 + (k * 7919 % 10_000) as f64;
            let hessian = DMatrix::from_diagonal(&nalgebra::dvector![0.5, curvature, -0.25]);
            draws.add_draw(&[curvature, 0.0, 0.0], hessian.clone());
            places.add(&[curvature, 0.0, 0.0], hessian, 1.0);
        }
        let at_minimum = [0.5, 1.0, 2.0];
        let summary = draws.summary(&[0.0; 3], &at_minimum);
        assert_eq!(summary, places.summary(&[0.0; 3], &at_minimum));
        assert_eq!(summary.largest, 9990.0);
        let lowest = draws.norms.iter().map(|(norm, _)| *norm).skip(SEEN).fold(f64::INFINITY, f64::min);
        assert!(lowest > 9000.0, "{lowest}");
    }

    #[test]
    fn never_less_than_at_the_minimum() {
        let mut bends = Bends::default();
        bends.add(&[1.0], dmatrix![0.5], 1.0);
        assert_eq!(bends.summary(&[0.0], &[3.0]).largest, 3.0);
        assert_eq!(Bends::default().summary(&[0.0], &[3.0]), BasinCurvature::uniform(&[0.0], &[3.0]));
    }
}
