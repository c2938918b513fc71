//! A loss that is a sum of functions of different coordinates: L = Σ L_k(θ_k).
//!
//! With isotropic noise the coordinates of each part move by themselves, as a chain of their own. So does the gradient flow, and a basin is
//! the product of basins of the parts: its probability is the product of theirs.

use std::sync::Arc;

use nalgebra::DMatrix;

use crate::landscape::Landscape;
use crate::loss::Loss;

/// One of the functions that a loss is the sum of, but for a constant.
pub struct Part {
    whole: Arc<dyn Loss>,
    coordinates: Vec<usize>,
    /// Where the other coordinates stay.
    rest: Vec<f64>,
}

impl Part {
    fn whole_place(&self, theta: &[f64]) -> Vec<f64> {
        let mut place = self.rest.clone();
        self.coordinates.iter().zip(theta).for_each(|(&i, &x)| place[i] = x);
        place
    }
}

impl Loss for Part {
    fn dimension(&self) -> usize {
        self.coordinates.len()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        self.whole.value(&self.whole_place(theta))
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        let mut slope = vec![0.0; self.rest.len()];
        self.whole.gradient(&self.whole_place(theta), &mut slope);
        self.coordinates.iter().zip(gradient).for_each(|(&i, g)| *g = slope[i]);
    }

    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        let hessian = self.whole.hessian(&self.whole_place(theta));
        let d = self.coordinates.len();
        DMatrix::from_fn(d, d, |i, j| hessian[(self.coordinates[i], self.coordinates[j])])
    }
}

/// A part with its landscape, and where the minima of the whole lie in it.
pub struct Factor {
    /// L_k.
    pub loss: Arc<dyn Loss>,
    /// Its domain.
    pub domain: Vec<[f64; 2]>,
    /// Its minima and basins.
    pub landscape: Landscape,
    /// For every minimum of the whole, that of the part.
    pub minima: Vec<usize>,
}

/// Parts of more coordinates have no law of their own that would be exact, or quick.
const MOST_COORDINATES: usize = 2;

/// The parts of a loss that has several, without those that have one minimum only, which tell no minimum from another; `None`
/// where the loss has one part, where a part that tells minima apart has more than two coordinates, or where the minima of the whole
/// are not those of the parts.
pub fn factors(loss: &Arc<dyn Loss>, landscape: &Landscape, domain: &[[f64; 2]]) -> Option<Vec<Factor>> {
    let groups = loss.independent_coordinates();
    if groups.len() < 2 || loss.symmetry().is_some() {
        return None;
    }
    let several = groups.into_iter().filter(|group| {
        let first = &landscape.minima[0].theta;
        let is_apart = |&i: &usize| {
            let reach = 1e-4 * (domain[i][1] - domain[i][0]);
            landscape.minima.iter().any(|minimum| (minimum.theta[i] - first[i]).abs() > reach)
        };
        group.iter().any(is_apart)
    });
    let several: Vec<Vec<usize>> = several.collect();
    if several.iter().any(|group| group.len() > MOST_COORDINATES) {
        return None;
    }
    several.into_iter().map(|group| factor(loss, landscape, domain, group)).collect()
}

fn factor(loss: &Arc<dyn Loss>, landscape: &Landscape, domain: &[[f64; 2]], coordinates: Vec<usize>) -> Option<Factor> {
    let domain: Vec<[f64; 2]> = coordinates.iter().map(|&i| domain[i]).collect();
    let of_part = |theta: &[f64]| coordinates.iter().map(|&i| theta[i]).collect::<Vec<f64>>();
    let places: Vec<Vec<f64>> = landscape.minima.iter().map(|minimum| of_part(&minimum.theta)).collect();
    let rest = landscape.minima[0].theta.clone();
    let loss: Arc<dyn Loss> = Arc::new(Part { whole: loss.clone(), coordinates, rest });
    let landscape = Landscape::explore(loss.clone(), &domain).ok()?;
    let size = domain.iter().map(|[low, high]| (high - low) * (high - low)).sum::<f64>().sqrt();
    let minima: Option<Vec<usize>> = places
        .iter()
        .map(|place| {
            let apart = |theta: &[f64]| place.iter().zip(theta).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            landscape.minima.iter().position(|minimum| apart(&minimum.theta) < 1e-5 * size)
        })
        .collect();
    Some(Factor { minima: minima?, loss, domain, landscape })
}
