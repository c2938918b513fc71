//! One dimension: critical points are the sign changes of L′, basins are the intervals between its maxima.

use super::basins::Basins;
use super::{
    CriticalPoint, Landscape, LandscapeError, MAXIMUM_MINIMA, Saddle, curvature_scale, point_text, require_regular,
    sort_by_loss,
};
use crate::loss::{LANES, Loss};

/// Points of the scan over the domain. Two critical points closer than a 20,000th of the domain can be missed.
const SCAN: usize = 20_001;
/// The scan goes on outside of the domain by this many of its widths on either side: minima there are not asked about,
/// but the ridges before them bound the basins.
const MARGIN: f64 = 2.0;

pub(super) fn explore(loss: &dyn Loss, domain: [f64; 2]) -> Result<Landscape, LandscapeError> {
    let [low, high] = domain;
    let width = high - low;
    let mut roots = roots_of_slope(loss, low, high);
    let inside_minima = roots.iter().filter(|root| root.is_minimum).count();
    if inside_minima == 0 {
        return Err(LandscapeError::NoMinimum { domain: format!("[{low}, {high}]"), hint: hint(loss, domain) });
    }
    if inside_minima > MAXIMUM_MINIMA {
        return Err(LandscapeError::TooMany { limit: MAXIMUM_MINIMA });
    }
    roots.extend(roots_of_slope(loss, low - MARGIN * width, low));
    roots.extend(roots_of_slope(loss, high, high + MARGIN * width));
    roots.sort_by(|a, b| a.theta.total_cmp(&b.theta));

    let is_inside = |theta: f64| (low..=high).contains(&theta);
    let mut minima: Vec<CriticalPoint> = roots
        .iter()
        .filter(|root| root.is_minimum && is_inside(root.theta))
        .map(|root| CriticalPoint::at(loss, &[root.theta]))
        .collect();
    require_regular(&minima, curvature_scale(loss, &[domain]))?;
    sort_by_loss(&mut minima);

    let index_of = |theta: f64| minima.iter().position(|minimum| minimum.theta[0] == theta);
    // Between two ridges lies one minimum, or none where the loss falls to infinity or to a place outside the scan.
    let ridges: Vec<f64> = roots.iter().filter(|root| !root.is_minimum).map(|root| root.theta).collect();
    let mut owners = vec![None; ridges.len() + 1];
    for root in roots.iter().filter(|root| root.is_minimum) {
        owners[ridges.partition_point(|&ridge| ridge < root.theta)] = index_of(root.theta);
    }
    let mut saddles: Vec<Saddle> = ridges
        .iter()
        .enumerate()
        .filter_map(|(i, &ridge)| {
            let (left, right) = (owners[i]?, owners[i + 1]?);
            let point = CriticalPoint::at(loss, &[ridge]);
            Some(Saddle { point, between: [left.min(right), left.max(right)] })
        })
        .collect();
    saddles.sort_by(|a, b| a.point.loss.total_cmp(&b.point.loss));
    let basins = Basins::by_intervals(ridges, owners);
    Ok(Landscape { minima, saddles, basins })
}

fn hint(loss: &dyn Loss, [low, high]: [f64; 2]) -> String {
    let mut slope = [0.0];
    loss.gradient(&[low], &mut slope);
    let at_low = slope[0];
    loss.gradient(&[high], &mut slope);
    match (at_low, slope[0]) {
        (a, b) if a > 0.0 && b > 0.0 => format!("the loss falls towards lower values at {}: extend loss.domain downwards", point_text(&[low])),
        (a, b) if a < 0.0 && b < 0.0 => format!("the loss falls towards higher values at {}: extend loss.domain upwards", point_text(&[high])),
        _ => "the loss has its lowest values at the edge of the domain, or is not finite inside it: check loss.formula and loss.domain".into(),
    }
}

struct Root {
    theta: f64,
    /// L′ goes from − to +; otherwise from + to −.
    is_minimum: bool,
}

/// Sign changes of L′ in [low, high), each refined to the last bit by bisection.
fn roots_of_slope(loss: &dyn Loss, low: f64, high: f64) -> Vec<Root> {
    let slope = |x: f64| {
        let mut gradient = [0.0];
        loss.gradient(&[x], &mut gradient);
        gradient[0]
    };
    let place = |i: usize| low + (high - low) * i as f64 / (SCAN - 1) as f64;
    let mut roots = Vec::new();
    // The last point where L′ was finite and not zero.
    let mut before: Option<(f64, f64)> = None;
    let mut scratch = vec![0.0; loss.block_scratch()];
    let (mut points, mut slopes) = ([0.0; LANES], [0.0; LANES]);
    for first in (0..SCAN).step_by(LANES) {
        points.iter_mut().enumerate().for_each(|(lane, x)| *x = place((first + lane).min(SCAN - 1)));
        loss.gradient_block(&points, &mut slopes, &mut scratch);
        for (&x, &g) in points.iter().zip(&slopes).take(SCAN - first) {
            if !g.is_finite() {
                before = None;
                continue;
            }
            if g == 0.0 {
                continue;
            }
            if let Some((left, slope_left)) = before
                && (slope_left < 0.0) != (g < 0.0)
            {
                roots.push(Root { theta: bisect(&slope, left, x), is_minimum: slope_left < 0.0 });
            }
            before = Some((x, g));
        }
    }
    roots
}

/// The place where `slope` changes sign between two points of opposite sign.
fn bisect(slope: &dyn Fn(f64) -> f64, mut left: f64, mut right: f64) -> f64 {
    let left_is_negative = slope(left) < 0.0;
    loop {
        let middle = 0.5 * (left + right);
        if middle <= left || middle >= right {
            // Of the two neighbours the one with the smaller slope.
            return if slope(left).abs() <= slope(right).abs() { left } else { right };
        }
        let g = slope(middle);
        if g == 0.0 {
            return middle;
        }
        if (g < 0.0) == left_is_negative { left = middle } else { right = middle }
    }
}
