//! A fast descent, which only has to find minima; the gradient flow, which decides to which one a point belongs, is another ([`super::flow`]).

use nalgebra::DVector;

use super::sorted_eigen;
use crate::loss::Loss;

/// Newton's method made to descend: along every eigenvector of H the step is −g/max(|h|, floor), never longer than
/// `longest`, halved until the loss falls enough (Armijo). Returns the critical point that it converges to.
///
/// With `uphill`, the lowest eigenvector is climbed instead (eigenvector following, Cerjan & Miller 1981), which
/// converges to index-1 saddles; there is no line search then.
pub(super) fn newton(loss: &dyn Loss, start: &[f64], longest: f64, uphill: bool) -> Option<Vec<f64>> {
    let d = start.len();
    let mut theta = DVector::from_column_slice(start);
    let mut gradient = vec![0.0; d];
    // The smallest gradient so far and how long ago it was: rounding ends the convergence, not a tolerance.
    let mut best: Option<(f64, DVector<f64>)> = None;
    let mut since_best = 0;
    for _ in 0..500 {
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
        let (eigenvalues, vectors) = sorted_eigen(loss.hessian(theta.as_slice()));
        let largest = eigenvalues.iter().fold(0.0f64, |a, h| a.max(h.abs()));
        if !largest.is_finite() {
            return None;
        }
        // A step below rounding: converged. (A slope that no longer shrinks after many steps: the best there is.)
        if size == 0.0 || size <= 1e-14 * largest * (theta.norm() + longest) || since_best > 20 {
            break;
        }
        let floor = 1e-8 * largest + f64::MIN_POSITIVE;
        let mut step = DVector::zeros(d);
        for (i, h) in eigenvalues.iter().enumerate() {
            let vector = vectors.column(i);
            let amount = slope.dot(&vector) / h.abs().max(floor);
            step += vector * if uphill && i == 0 { amount } else { -amount };
        }
        let length = step.norm();
        if length > longest {
            step *= longest / length;
        }
        theta = if uphill { theta + step } else { line_search(loss, &theta, &step, slope.dot(&step))? };
    }
    let (size, theta) = best?;
    // Converged means that the Newton step left is far below anything that is asked of the point.
    let (eigenvalues, _) = sorted_eigen(loss.hessian(theta.as_slice()));
    let largest = eigenvalues.iter().fold(0.0f64, |a, h| a.max(h.abs()));
    (size <= 1e-9 * largest * (theta.norm() + longest)).then(|| theta.as_slice().to_vec())
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
