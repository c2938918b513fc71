//! What the cubature adds up.

use super::super::integrand::Density;
use super::super::moments::Moments;

/// ∫ exp(−L/T), ∫ ΔL exp(−L/T) and the moments about the lowest minimum, per minimum, the last entry what lies in no basin; and
/// ∫ (L − L_A) exp(−L/T) over all.
#[derive(Clone)]
pub(super) struct Masses {
    pub mass: Vec<f64>,
    pub laplacian: Vec<f64>,
    pub moments: Vec<Moments>,
    pub excess: f64,
    /// What halving still changed where it had to end.
    pub unsettled: f64,
    /// Whether a valley runs somewhere that a rule may have missed.
    pub valleys: bool,
}

impl Masses {
    pub fn new(minima: usize) -> Self {
        let (zeros, moments) = (vec![0.0; minima + 1], vec![Moments::default(); minima + 1]);
        Self { mass: zeros.clone(), laplacian: zeros, moments, excess: 0.0, unsettled: 0.0, valleys: false }
    }

    pub fn add_density(&mut self, owner: usize, density: &Density) {
        self.mass[owner] += density.mass;
        self.laplacian[owner] += density.laplacian;
        self.moments[owner].iter_mut().zip(density.moments).for_each(|(a, b)| *a += b);
        self.excess += density.excess;
    }

    pub fn add(&mut self, other: &Masses, factor: f64) {
        for (a, b) in self.mass.iter_mut().zip(&other.mass) {
            *a += factor * b;
        }
        for (a, b) in self.laplacian.iter_mut().zip(&other.laplacian) {
            *a += factor * b;
        }
        for (a, b) in self.moments.iter_mut().flatten().zip(other.moments.iter().flatten()) {
            *a += factor * b;
        }
        self.excess += factor * other.excess;
        self.unsettled += other.unsettled;
        self.valleys |= other.valleys;
    }

    /// The largest difference of a mass.
    pub fn distance(&self, other: &Masses) -> f64 {
        self.mass.iter().zip(&other.mass).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
    }
}
