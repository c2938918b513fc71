//! Fast descents, which only have to find minima; the gradient flow, which decides to which one a point belongs, is another ([`super::flow`]).

use nalgebra::{DMatrix, DVector};

use super::sorted_eigen;
use crate::loss::Loss;

/// Steps of [`quasi_newton`]: what has not come near a minimum by then is left to [`newton`].
const MOST_STEPS: usize = 400;
/// It ends where its next step would be shorter than this part of the longest one.
const NEAR: f64 = 1e-4;

/// Descends near to a minimum by slopes alone, at a cost of d² a step (Broyden, Fletcher, Goldfarb and Shanno's method; Nocedal & Wright,
/// Numerical Optimization, 2006, algorithm 6.1), in steps no longer than `longest`, each halved until the loss falls enough. `None` where
/// the loss is not defined.
pub(crate) fn quasi_newton(loss: &dyn Loss, start: &[f64], longest: f64) -> Option<Vec<f64>> {
    let d = start.len();
    let slope_at = |theta: &DVector<f64>| {
        let mut slope = DVector::zeros(d);
        loss.gradient(theta.as_slice(), slope.as_mut_slice());
        slope
    };
    let mut theta = DVector::from_column_slice(start);
    let mut slope = slope_at(&theta);
    // The inverse of H as the steps so far show it; before the first, a tenth of the longest step down the slope.
    let mut inverse: Option<DMatrix<f64>> = None;
    for _ in 0..MOST_STEPS {
        let size = slope.norm();
        if !size.is_finite() {
            return None;
        }
        if size == 0.0 {
            break;
        }
        let mut step = match &inverse {
            Some(inverse) => -(inverse * &slope),
            None => &slope * (-0.1 * longest / size),
        };
        let length = step.norm();
        if length < NEAR * longest {
            break;
        }
        if length > longest {
            step *= longest / length;
        }
        let there = line_search(loss, &theta, &step, slope.dot(&step))?;
        let (moved, next) = (&there - &theta, slope_at(&there));
        let bent = &next - &slope;
        let product = moved.dot(&bent);
        (theta, slope) = (there, next);
        // Where the loss bends downwards along the step it says nothing of a bowl.
        if product <= 1e-10 * moved.norm() * bent.norm() {
            if moved.norm() == 0.0 {
                break;
            }
            continue;
        }
        let matrix = inverse.get_or_insert_with(|| DMatrix::identity(d, d) * (product / bent.norm_squared()));
        let image = &*matrix * &bent;
        let weight = (1.0 + bent.dot(&image) / product) / product;
        matrix.ger(weight, &moved, &moved, 1.0);
        matrix.ger(-1.0 / product, &image, &moved, 1.0);
        matrix.ger(-1.0 / product, &moved, &image, 1.0);
    }
    Some(theta.as_slice().to_vec())
}

/// What [`newton`] looks for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Aim {
    Minimum,
    /// With one direction downwards.
    Saddle,
}

/// So many of its longest steps a climb may go.
const FARTHEST: f64 = 100.0;

impl Aim {
    /// A descent that takes more is in a narrow valley, along which the flow leads faster; climbs from random points often end nowhere.
    fn most_steps(self) -> usize {
        match self {
            Self::Minimum => 100,
            Self::Saddle => 150,
        }
    }
}

/// Newton's method made to descend: along every eigenvector of H the step is −g/max(|h|, floor), never longer than
/// `longest`, halved until the loss falls enough (Armijo). Returns the critical point that it converges to.
///
/// Towards a saddle the lowest eigenvector is climbed instead (eigenvector following, Cerjan & Miller 1981), which
/// converges to index-1 saddles; there is no line search then.
pub(super) fn newton(loss: &dyn Loss, start: &[f64], longest: f64, aim: Aim) -> Option<Vec<f64>> {
    let d = start.len();
    let mut theta = DVector::from_column_slice(start);
    let mut gradient = vec![0.0; d];
    // The smallest gradient so far and how long ago it was: rounding ends the convergence, not a tolerance.
    let mut best: Option<(f64, DVector<f64>)> = None;
    let mut since_best = 0;
    for _ in 0..aim.most_steps() {
        // A climb that has gone so far does not come back to the ways between the minima.
        if aim == Aim::Saddle && (&theta - DVector::from_column_slice(start)).norm() > FARTHEST * longest {
            return None;
        }
        loss.gradient(theta.as_slice(), &mut gradient);
        let slope = DVector::from_column_slice(&gradient);
        let size = slope.norm();
        if !size.is_finite() {
            return None;
        }
        if best.as_ref().is_none_or(|(smallest, _)| size < *smallest) {
            best = Some((size, theta.clone()));
            since_best = 0;
        } else {
            since_best += 1;
        }
        let curvature = sorted_eigen(loss.hessian(theta.as_slice()));
        let step = newton_step(&slope, &curvature, aim)?;
        let scale = theta.norm() + longest;
        let largest = largest(&curvature.0);
        // The slope is rounding, and the step that is left is small even where the loss is flattest; or the slope no longer shrinks after
        // many steps: the best there is.
        let is_rounding = size <= 1e-14 * largest * scale && step.norm() <= CONVERGED * scale;
        if size == 0.0 || is_rounding || since_best > 20 {
            break;
        }
        let length = step.norm();
        let step = if length > longest { step * (longest / length) } else { step };
        theta = match aim {
            Aim::Minimum => line_search(loss, &theta, &step, slope.dot(&step))?,
            Aim::Saddle => theta + step,
        };
    }
    let (_, theta) = best?;
    loss.gradient(theta.as_slice(), &mut gradient);
    let curvature = sorted_eigen(loss.hessian(theta.as_slice()));
    let left = newton_step(&DVector::from_column_slice(&gradient), &curvature, aim)?;
    (left.norm() <= CONVERGED * (theta.norm() + longest)).then(|| theta.as_slice().to_vec())
}

/// A step left that is below this part of the place and the longest step is far below anything that is asked of a critical point.
const CONVERGED: f64 = 1e-9;
/// Curvatures below this part of the largest are taken for it: the step there would be one of rounding.
const FLATTEST: f64 = 1e-12;

/// −g/|h| along every eigenvector, +g/|h| along the lowest one towards a saddle. `None` where the curvature is not finite.
fn newton_step(
    slope: &DVector<f64>,
    (eigenvalues, vectors): &(Vec<f64>, DMatrix<f64>),
    aim: Aim,
) -> Option<DVector<f64>> {
    let largest = largest(eigenvalues);
    let floor = FLATTEST * largest + f64::MIN_POSITIVE;
    let mut along = vectors.tr_mul(slope);
    for (i, (amount, h)) in along.iter_mut().zip(eigenvalues).enumerate() {
        *amount /= h.abs().max(floor);
        if !(aim == Aim::Saddle && i == 0) {
            *amount = -*amount;
        }
    }
    largest.is_finite().then(|| vectors * along)
}

fn largest(eigenvalues: &[f64]) -> f64 {
    eigenvalues.iter().fold(0.0, |a: f64, h| if h.is_nan() { f64::NAN } else { a.max(h.abs()) })
}

/// θ + step, halved until L falls by a part of what the slope promises; θ itself where rounding hides any fall.
fn line_search(loss: &dyn Loss, theta: &DVector<f64>, step: &DVector<f64>, promise: f64) -> Option<DVector<f64>> {
    let here = loss.value(theta.as_slice());
    let mut factor = 1.0;
    for _ in 0..60 {
        let there = theta + step * factor;
        let value = loss.value(there.as_slice());
        if value <= here + 1e-4 * factor * promise {
            return Some(there);
        }
        // Near the minimum the fall drowns in rounding: take the Newton step as it is.
        if (value - here).abs() <= 1e-13 * here.abs().max(1e-300) {
            return Some(there);
        }
        factor *= 0.5;
    }
    here.is_finite().then(|| theta.clone())
}
