//! The box that holds a law exp(−L/T), found from the loss alone.

use crate::landscape::Landscape;
use crate::loss::Loss;

/// Points along every edge of a side that is looked at: 201 in the plane, 41 × 41 in space.
const fn points_along(dimension: usize) -> usize {
    if dimension <= 2 { 201 } else { 41 }
}

/// A box on whose sides (L − lowest)/T exceeds `height`; `None` where the loss does not rise that far.
pub(super) fn bounding_box<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    height: f64,
) -> Option<[[f64; 2]; D]> {
    let size: [f64; D] = std::array::from_fn(|axis| domain[axis][1] - domain[axis][0]);
    let lowest = landscape.minima[0].loss;
    let points = points_along(D);
    // The least (L − lowest)/T on one side. A NaN counts as high: there is no mass.
    let height_of_side = |sides: &[[f64; 2]; D], axis: usize, end: usize| {
        (0..points.pow(D as u32 - 1))
            .map(|mut index| {
                let point: [f64; D] = std::array::from_fn(|i| {
                    if i == axis {
                        return sides[axis][end];
                    }
                    let along = (index % points) as f64 / (points - 1) as f64;
                    index /= points;
                    sides[i][0] + (sides[i][1] - sides[i][0]) * along
                });
                (loss.value(&point) - lowest) / temperature
            })
            .fold(f64::INFINITY, f64::min)
    };
    // From a box around the minima outwards, side by side, until every side is high enough.
    let mut sides: [[f64; 2]; D] = std::array::from_fn(|axis| {
        let places = landscape.minima.iter().map(|minimum| minimum.theta[axis]);
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        [low - 0.02 * size[axis], high + 0.02 * size[axis]]
    });
    for _ in 0..2_000 {
        let mut settled = true;
        for (axis, end) in (0..2 * D).map(|side| (side / 2, side % 2)) {
            if height_of_side(&sides, axis, end) < height {
                let outwards = 0.02 * (sides[axis][1] - sides[axis][0]).max(size[axis] * 0.1);
                sides[axis][end] += if end == 0 { -outwards } else { outwards };
                settled = false;
            }
        }
        if settled {
            return Some(sides);
        }
        if (0..D).any(|axis| sides[axis][1] - sides[axis][0] > 1e4 * size[axis]) {
            return None;
        }
    }
    None
}
