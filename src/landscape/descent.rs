//! The two movements on a landscape: a fast descent that only has to find minima, and the gradient flow, which also
//! decides to which minimum a point belongs.

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

/// What becomes of a point under the gradient flow dθ/dt = −∇L.
pub(super) enum Arrival {
    /// It entered the region for which `arrived` answered with this index.
    At(usize),
    /// It left every bound or did not settle.
    Nowhere,
}

/// The flow ends nowhere after so many steps, or when so many of them led no farther than this part of the scale: it
/// then rests at a minimum that is not asked about, and the steps that are left would not lead away.
const MOST_STEPS: u32 = 20_000;
const STEPS_BETWEEN_GLANCES: u32 = 500;
const STUCK: f64 = 1e-4;

/// Numbers of room that [`follow_flow`] needs for each coordinate.
pub(super) const FLOW_ROOM: usize = 6;

/// Follows the gradient flow by the embedded Runge–Kutta pair of Bogacki and Shampine (1989), order 3(2), local error
/// `tolerance` (relative to `scale`, a length), until `arrived` recognises where it is.
pub(super) fn follow_flow(
    loss: &dyn Loss,
    theta: &mut [f64],
    scale: f64,
    tolerance: f64,
    workspace: &mut Vec<f64>,
    mut arrived: impl FnMut(&[f64]) -> Option<usize>,
) -> Arrival {
    let d = theta.len();
    workspace.resize(FLOW_ROOM * d, 0.0);
    let (k1, rest) = workspace.split_at_mut(d);
    let (k2, rest) = rest.split_at_mut(d);
    let (k3, rest) = rest.split_at_mut(d);
    let (k4, rest) = rest.split_at_mut(d);
    let (there, earlier) = rest.split_at_mut(d);
    earlier.copy_from_slice(theta);
    loss.gradient(theta, k1);
    let speed = norm(k1);
    if !speed.is_finite() {
        return Arrival::Nowhere;
    }
    let mut step = 0.01 * scale / speed.max(f64::MIN_POSITIVE);
    for count in 1..=MOST_STEPS {
        if let Some(index) = arrived(theta) {
            return Arrival::At(index);
        }
        if count % STEPS_BETWEEN_GLANCES == 0 {
            let moved = theta.iter().zip(earlier.iter()).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
            if moved < STUCK * scale {
                return Arrival::Nowhere;
            }
            earlier.copy_from_slice(theta);
        }
        for i in 0..d {
            there[i] = theta[i] - 0.5 * step * k1[i];
        }
        loss.gradient(there, k2);
        for i in 0..d {
            there[i] = theta[i] - 0.75 * step * k2[i];
        }
        loss.gradient(there, k3);
        for i in 0..d {
            there[i] = theta[i] - step * (2.0 * k1[i] + 3.0 * k2[i] + 4.0 * k3[i]) / 9.0;
        }
        loss.gradient(there, k4);
        let mut error = 0.0;
        for i in 0..d {
            let difference = step * (-5.0 * k1[i] + 6.0 * k2[i] + 8.0 * k3[i] - 9.0 * k4[i]) / 72.0;
            error += difference * difference;
        }
        let ratio = error.sqrt() / (tolerance * scale);
        if ratio <= 1.0 {
            theta.copy_from_slice(there);
            k1.copy_from_slice(k4);
            if !norm(k1).is_finite() || norm(theta) > 1e6 * scale {
                return Arrival::Nowhere;
            }
        }
        // The exponent of the theory is ⅓; ¼ takes two square roots and is the more careful.
        let factor = if ratio.is_finite() { 0.9 / ratio.max(1e-6).sqrt().sqrt() } else { 0.1 };
        step *= factor.clamp(0.1, 5.0);
        if step < 1e-300 {
            return Arrival::Nowhere;
        }
    }
    Arrival::Nowhere
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
