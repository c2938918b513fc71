//! The box that holds a law exp(−L/T), found from the loss alone.

use nalgebra::{DMatrix, DVector};

use crate::landscape::Landscape;
use crate::loss::{LANES, Loss, values::values};

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
    // A NaN counts as high: there is no mass.
    let low = |value: f64| (value - lowest) / temperature < height;
    let has_low_place = |sides: &[[f64; 2]; D], axis: usize, end: usize| {
        let side = Side { sides, axis, end };
        let places: Vec<f64> = (0..side.count()).flat_map(|index| side.place(index)).collect();
        places.chunks(D * LANES).any(|some| values(loss, some).into_iter().any(low))
    };
    // Which takes Hessians, and is looked at once no place is low any more.
    let has_low_floor = |sides: &[[f64; 2]; D], axis: usize, end: usize| {
        let side = Side { sides, axis, end };
        let floor = |index: usize| side.floor(loss, temperature, side.place(index));
        (0..side.count()).any(|index| floor(index).is_some_and(|floor| low(loss.value(&floor))))
    };
    // From a box around the minima outwards, side by side, until every side is high enough.
    let mut sides: [[f64; 2]; D] = std::array::from_fn(|axis| {
        let places = landscape.minima.iter().map(|minimum| minimum.theta[axis]);
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        [low - 0.02 * size[axis], high + 0.02 * size[axis]]
    });
    for _ in 0..2_000 {
        let widened = widen(&mut sides, &size, has_low_place) || widen(&mut sides, &size, has_low_floor);
        if !widened {
            return Some(sides);
        }
        if (0..D).any(|axis| sides[axis][1] - sides[axis][0] > 1e4 * size[axis]) {
            return None;
        }
    }
    None
}

/// Moves the sides that are low outwards, and tells whether there are any.
fn widen<const D: usize>(
    sides: &mut [[f64; 2]; D],
    size: &[f64; D],
    is_low_side: impl Fn(&[[f64; 2]; D], usize, usize) -> bool,
) -> bool {
    let mut widened = false;
    for (axis, end) in (0..2 * D).map(|side| (side / 2, side % 2)) {
        if is_low_side(sides, axis, end) {
            let outwards = 0.02 * (sides[axis][1] - sides[axis][0]).max(size[axis] * 0.1);
            sides[axis][end] += if end == 0 { -outwards } else { outwards };
            widened = true;
        }
    }
    widened
}

/// One side of a box.
struct Side<'a, const D: usize> {
    sides: &'a [[f64; 2]; D],
    axis: usize,
    end: usize,
}

impl<const D: usize> Side<'_, D> {
    /// Places that are looked at.
    fn count(&self) -> usize {
        points_along(D).pow(D as u32 - 1)
    }

    fn place(&self, mut index: usize) -> [f64; D] {
        let points = points_along(D);
        std::array::from_fn(|i| {
            let [low, high] = self.sides[i];
            if i == self.axis {
                return self.sides[i][self.end];
            }
            let along = (index % points) as f64 / (points - 1) as f64;
            index /= points;
            low + (high - low) * along
        })
    }

    /// From one place to the next.
    fn spacing(&self, i: usize) -> f64 {
        (self.sides[i][1] - self.sides[i][0]) / (points_along(D) - 1) as f64
    }

    /// The floor, by the parabola at a place, of a valley that crosses the side so narrowly that the places on either side of it do not see
    /// it: half way between two of them the loss would have risen by more than T.
    fn floor(&self, loss: &dyn Loss, temperature: f64, place: [f64; D]) -> Option<[f64; D]> {
        let along: Vec<usize> = (0..D).filter(|&i| i != self.axis).collect();
        let hessian = loss.hessian(&place);
        let is_narrow = |&i: &usize| hessian[(i, i)] * self.spacing(i).powi(2) > 8.0 * temperature;
        if !along.iter().any(is_narrow) {
            return None;
        }
        let mut slope = [0.0; D];
        loss.gradient(&place, &mut slope);
        let within = DMatrix::from_fn(D - 1, D - 1, |i, j| hessian[(along[i], along[j])]);
        let step = within.cholesky()?.solve(&DVector::from_fn(D - 1, |i, _| -slope[along[i]]));
        let mut floor = place;
        for (&i, step) in along.iter().zip(step.iter()) {
            floor[i] += step.clamp(-self.spacing(i), self.spacing(i));
        }
        Some(floor)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::expression::Expression;

    /// The box of a bowl is that of its wide directions, however narrow it is across: x is within √(2·45·T)·5 of 0, y within 0.75 of that.
    #[test]
    fn a_valley_narrower_than_the_places_is_followed() {
        for walls in [1.0, 1e4, 1e6, 1e8, 1e10] {
            let formula = format!("(0.8*x + 0.6*y)^2/50 + 0.5*{walls}*(0.8*y - 0.6*x)^2");
            let loss = Arc::new(Expression::new(&["x", "y"].map(String::from), &[], &formula).unwrap());
            let domain = [[-3.0, 3.0]; 2];
            let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
            let sides = bounding_box::<2>(loss.as_ref(), &landscape, &domain, 0.02, 45.0).unwrap();
            let reach = 0.8 * (2.0 * 45.0 * 0.02f64).sqrt() * 5.0;
            for ([low, high], reach) in sides.iter().zip([reach, 0.75 * reach]) {
                assert!(-low >= reach && *high >= reach && *high < 1.5 * reach + 1.0, "{walls}: {sides:?}");
            }
        }
    }
}
