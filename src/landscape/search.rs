//! Minima in more than one dimension: many descents, merged.

use rayon::prelude::*;

use super::descent::newton;
use super::{
    CriticalPoint, LandscapeError, MAXIMUM_MINIMA, curvature_scale, domain_text, point_text, require_regular,
    sort_by_loss,
};
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// Descents per batch and dimension.
const STARTS_PER_DIMENSION: usize = 48;
/// The search ends after a batch that finds nothing new, or after this many batches, unless the number of starts is given.
const BATCHES: usize = 8;

/// Every minimum that descents from random points of the domain reach inside of it, from so many or until a batch finds nothing new; and why
/// some may have been missed.
///
/// The points are the same for every run: they depend on neither seed nor thread, and fewer are the first of more.
pub(super) fn minima(
    loss: &dyn Loss,
    domain: &[[f64; 2]],
    starts: Option<u64>,
) -> Result<(Vec<CriticalPoint>, Option<String>), LandscapeError> {
    let d = domain.len();
    let longest = 0.1 * diagonal(domain);
    let mut found: Vec<CriticalPoint> = Vec::new();
    // How many descents came to each of them.
    let mut arrivals: Vec<usize> = Vec::new();
    let usual_curvature = curvature_scale(loss, domain);
    let mut strays = 0;
    let mut last_stray = None;
    let mut stream = Stream::new(0, 0, Purpose::Landscape);
    let batch = STARTS_PER_DIMENSION * d;
    let mut left = starts.map_or(BATCHES * batch, |starts| starts as usize);
    let mut is_first = true;
    while left > 0 {
        let before = found.len();
        let count = batch.min(left);
        left -= count;
        let mut start = |attempt: usize| {
            if is_first && attempt == 0 { center(domain) } else { random_point(&mut stream, domain) }
        };
        let points: Vec<Vec<f64>> = (0..count).map(&mut start).collect();
        // Descents know nothing of each other; what they found is gone through in their order, whatever the threads did.
        let ends: Vec<Option<Vec<f64>>> = points.par_iter().map(|start| newton(loss, start, longest, false)).collect();
        for end in ends {
            let Some(theta) = end else {
                strays += 1;
                continue;
            };
            if !is_inside(&theta, domain) {
                strays += 1;
                last_stray = Some(theta);
                continue;
            }
            let point = CriticalPoint::at(loss, &theta);
            if !point.loss.is_finite() {
                continue;
            }
            // One degenerate minimum is enough to refuse the loss; a flat valley yields a new one from every start.
            require_regular(loss, std::slice::from_ref(&point), usual_curvature, domain)?;
            // A saddle can be a fixed point of the descent only from a set of measure zero; symmetric starts hit it.
            if point.index() > 0 {
                continue;
            }
            let is_near = |other: &CriticalPoint| apart(loss, &other.theta, &theta) < 1e-5 * diagonal(domain);
            match found.iter().position(is_near) {
                Some(known) => arrivals[known] += 1,
                None => {
                    found.push(standard(loss, point));
                    arrivals.push(1);
                }
            }
            if found.len() > MAXIMUM_MINIMA {
                return Err(LandscapeError::TooMany { limit: MAXIMUM_MINIMA });
            }
        }
        if found.len() == before && !is_first && starts.is_none() {
            break;
        }
        is_first = false;
    }
    if found.is_empty() {
        let hint = match last_stray {
            Some(theta) => format!("a descent ended outside of it, at {}: extend loss.domain", point_text(&theta)),
            None => format!("{strays} descents did not settle anywhere: the loss has no minimum there"),
        };
        return Err(LandscapeError::NoMinimum { domain: domain_text(domain), hint });
    }
    sort_by_loss(&mut found);
    Ok((found, doubt(&arrivals)))
}

/// By Good and Turing (1953) the next descent comes to a minimum not yet seen with a probability of about the number of minima
/// that were come to once, over the number of descents: where there are such, there may be more.
fn doubt(arrivals: &[usize]) -> Option<String> {
    let once = arrivals.iter().filter(|&&arrivals| arrivals == 1).count();
    (once > 0).then(|| {
        format!(
            "{once} of the {} minima were come to by only one of {} descents that ended in the domain: it is wide beside the wells, and others \
             may have been missed; narrow loss.domain around the wells that are asked about",
            arrivals.len(),
            arrivals.iter().sum::<usize>()
        )
    })
}

/// The image that stands for all images of a critical point.
pub(super) fn standard(loss: &dyn Loss, point: CriticalPoint) -> CriticalPoint {
    match loss.symmetry() {
        Some(symmetry) => CriticalPoint::at(loss, &symmetry.standard_image(&point.theta)),
        None => point,
    }
}

/// The distance between a point and the nearest image of another.
pub(super) fn apart(loss: &dyn Loss, a: &[f64], b: &[f64]) -> f64 {
    loss.symmetry().map_or_else(|| distance(a, b), |symmetry| symmetry.nearest(a, b).0)
}

pub(super) fn random_point(stream: &mut Stream, domain: &[[f64; 2]]) -> Vec<f64> {
    domain.iter().map(|[low, high]| low + (high - low) * stream.uniform()).collect()
}

fn center(domain: &[[f64; 2]]) -> Vec<f64> {
    domain.iter().map(|[low, high]| 0.5 * (low + high)).collect()
}

fn is_inside(theta: &[f64], domain: &[[f64; 2]]) -> bool {
    theta.iter().zip(domain).all(|(x, [low, high])| (low..=high).contains(&x))
}

pub(super) fn diagonal(domain: &[[f64; 2]]) -> f64 {
    domain.iter().map(|[low, high]| (high - low) * (high - low)).sum::<f64>().sqrt()
}

pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::doubt;
    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;

    #[test]
    fn in_the_plane_too_wide_is_not_flat_either() {
        let told = |formula: &str, reach: f64| {
            let loss = Arc::new(Expression::new(&["x", "y"].map(String::from), &[], formula).unwrap());
            Landscape::explore(loss, &[[-reach, reach]; 2]).err().map_or_else(String::new, |error| error.to_string())
        };
        for reach in [1e12, 1e40] {
            let wide = told("(x^2 - 1)^2 + x^2*y^2 + y^4 + y^2", reach);
            assert!(wide.contains("is too wide"), "±{reach}: {wide}");
            for formula in ["(x^2 - 1)^2 + y^4", "(x - y)^2 + x^4"] {
                assert!(!told(formula, reach).contains("is too wide"), "{formula} on ±{reach}");
            }
        }
    }

    #[test]
    fn minima_come_to_once_leave_a_doubt() {
        assert_eq!(doubt(&[90, 6]), None);
        let told = doubt(&[90, 1, 1]).unwrap();
        assert!(told.contains("2 of the 3 minima") && told.contains("one of 92 descents"), "{told}");
    }
}
