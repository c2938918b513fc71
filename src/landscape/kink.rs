//! Minima on kinks in more than one dimension, where no gradient is zero.

use nalgebra::DVector;

use super::jump::stays;
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// In so many dimensions they are looked for.
const MOST_DIMENSIONS: usize = 20;
/// Steps of the search, the radius of its first samples in parts of the longest step, and that of its last.
const MOST_STEPS: usize = 200;
const WIDEST: f64 = 1e-2;
const NARROWEST: f64 = 1e-8;
/// Slopes cancel where the shortest vector among their means is so short beside the longest of them.
const CANCELLED: f64 = 1e-3;

/// A minimum on a kink that a descent from `start` leads to, in steps no longer than `longest`: a place around which the slopes cancel although none of
/// them is small.
///
/// By gradient sampling (Burke, Lewis & Overton 2005): the shortest vector in the convex hull of the slopes within a ball is a way down for all of
/// them; where it vanishes, the ball shrinks.
pub(super) fn minimum_on_kink(loss: &dyn Loss, start: &[f64], longest: f64) -> Option<Vec<f64>> {
    let d = start.len();
    if d > MOST_DIMENSIONS {
        return None;
    }
    let mut stream = Stream::new(0, 6, Purpose::Landscape);
    let mut theta = DVector::from_column_slice(start);
    let mut radius = WIDEST * longest;
    // The steepest slope where slopes cancelled, radius by radius: of a parabola it shrinks with the radius.
    let mut cancelled: Vec<f64> = Vec::new();
    for _ in 0..MOST_STEPS {
        let slopes = slopes_around(loss, &theta, radius, &mut stream)?;
        let steepest = slopes.iter().map(DVector::norm).fold(0.0, f64::max);
        let shortest = shortest_mean(&slopes);
        let size = shortest.norm();
        if size <= CANCELLED * steepest {
            cancelled.push(steepest);
            if radius <= NARROWEST * longest {
                return stays(&cancelled).then(|| theta.as_slice().to_vec());
            }
            radius *= 0.1;
            continue;
        }
        let value = loss.value(theta.as_slice());
        let step = |length: f64| &theta - &shortest * (length / size);
        let lengths = std::iter::successors(Some(longest), |length| Some(0.5 * length))
            .take_while(|length| *length > 1e-2 * radius);
        let lower = lengths.map(step).find(|there| loss.value(there.as_slice()) < value);
        match lower {
            Some(there) => theta = there,
            None if radius <= NARROWEST * longest => return None,
            None => radius *= 0.1,
        }
    }
    None
}

/// The slopes at a place and at 2d + 2 others within a ball around it.
fn slopes_around(loss: &dyn Loss, theta: &DVector<f64>, radius: f64, stream: &mut Stream) -> Option<Vec<DVector<f64>>> {
    let d = theta.len();
    let mut slopes = Vec::with_capacity(2 * d + 3);
    for sample in 0..2 * d + 3 {
        let aside = DVector::from_fn(d, |_, _| if sample == 0 { 0.0 } else { 2.0 * stream.uniform() - 1.0 });
        let place = theta + aside * (radius / (d as f64).sqrt());
        let mut slope = DVector::zeros(d);
        loss.gradient(place.as_slice(), slope.as_mut_slice());
        if slope.iter().any(|g| !g.is_finite()) {
            return None;
        }
        slopes.push(slope);
    }
    Some(slopes)
}

/// The shortest vector in the convex hull of some, by Gilbert's method (1966): each step goes to the nearest point of the way to the vector that
/// lies farthest back, and pairwise exchanges of weight, which end in a face of the hull.
fn shortest_mean(vectors: &[DVector<f64>]) -> DVector<f64> {
    const STEPS: usize = 500;
    let mut weights = vec![0.0; vectors.len()];
    weights[0] = 1.0;
    let mut mean = vectors[0].clone();
    for _ in 0..STEPS {
        let along: Vec<f64> = vectors.iter().map(|vector| vector.dot(&mean)).collect();
        let lowest = (0..vectors.len()).fold(0, |a, b| if along[b] < along[a] { b } else { a });
        let held = (0..vectors.len()).filter(|&k| weights[k] > 0.0);
        let highest = held.fold(lowest, |a, b| if along[b] > along[a] { b } else { a });
        let change = &vectors[lowest] - &vectors[highest];
        let length = change.norm_squared();
        if length == 0.0 || along[highest] - along[lowest] <= 1e-12 * mean.norm_squared().max(f64::MIN_POSITIVE) {
            break;
        }
        let part = (-change.dot(&mean) / length).min(weights[highest]);
        weights[highest] -= part;
        weights[lowest] += part;
        mean.axpy(part, &change, 1.0);
    }
    mean
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::landscape::{Landscape, LandscapeError};
    use crate::loss::expression::Expression;

    fn explored(variables: &[&str], formula: &str, reach: f64) -> Result<Landscape, LandscapeError> {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        Landscape::explore(loss, &vec![[-reach, reach]; names.len()])
    }

    /// Along axes and oblique, one of two wells, in space, and of two cones.
    #[test]
    fn minima_on_kinks_are_told_in_more_dimensions() {
        for (variables, formula) in [
            (&["x", "y"][..], "(x^2 - 1)^2 + 0.1*x + abs(y) + 0.1*y^2"),
            (&["x", "y"], "(x^2 - 1)^2 + 0.1*x + 0.3*abs(y - 0.2*x)"),
            (&["x", "y"], "abs(x + 0.5*y - 0.3) + abs(x - y) + 0.1*x^2"),
            (&["x", "y"], "sqrt((x - 0.3)^2 + (y + 0.2)^2)"),
            (&["x", "y"], "max(max(x + y, -2*x), x - 3*y) + 0.05*(x^2 + y^2)"),
            (&["x", "y"], "min((x + 1)^2 + y^2, sqrt((x - 1)^2 + y^2) + 0.1)"),
            (&["x", "y", "z"], "(x^2 - 1)^2 + 0.1*x + abs(y - z) + (y + z)^2"),
        ] {
            let told = explored(variables, formula, 2.0).err();
            assert!(matches!(told, Some(LandscapeError::OnKink { .. })), "{formula}: {told:?}");
        }
        // No descent from random places comes to these, but flows along the kink rest there: 0 is between the slopes of both sides, by a hundredth.
        for (formula, place) in [
            ("(x^2 - 1)^2/4 + 0.1*x + y^2 + 0.2*max(y - x, 0)", -0.099_03),
            ("(x^2 - 1)^2/4 - 0.1*x + y^2 + 0.2*max(x - y, 0)", 0.099_03),
        ] {
            let told = explored(&["x", "y"], formula, 3.0).err().map(|told| told.to_string()).unwrap_or_default();
            assert!(told.contains("least on a kink at") && told.contains(&format!("{place:.3}")), "{formula}: {told}");
        }
        // Kinks on ridges, and valleys that bend, are none.
        for (formula, minima) in [
            ("min((x + 1)^2 + y^2, 2*(x - 1)^2 + 3*y^2 + 0.1)", 2),
            ("(1 - x)^2 + 1e6*(y - x^2)^2", 1),
            ("(x^2 + y^2 - 1)^2 + 1e-6*x*y", 2),
        ] {
            let found = explored(&["x", "y"], formula, 2.0).map(|landscape| landscape.minima.len());
            assert_eq!(found, Ok(minima), "{formula}");
        }
    }
}
