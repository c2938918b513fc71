//! Places where the slope of the loss jumps, as that of |x| does at 0, and that of min(a, b) where a = b, or its curvature, as that of max(x, 0)² does.
//! No parabola fits at one, however near one looks.

use nalgebra::DVector;

use super::flat::FlatDirection;
use super::{CriticalPoint, search};
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// A jump of the slope is looked for so far from the point, in parts of the domain's diagonal, and nearer by this factor from look to look, as
/// far as the digits of θ reach: to so many units in its last place.
const FARTHEST: f64 = 1e-3;
const NEARER: f64 = 1.0 / 16.0;
const DIGITS: f64 = 1e4;
/// A jump that is left of a kink is at least this part of the change of the slope over the farthest place, and so many units in the last place of
/// the slopes that the curvature makes.
const LEFT: f64 = 1e-7;
const SEEN: f64 = 1e6;

/// The slope along an eigenvector.
struct Profile<'a> {
    loss: &'a dyn Loss,
    point: &'a CriticalPoint,
    axis: usize,
    /// The farthest place that is looked at, and the largest number in θ beside it.
    farthest: f64,
    size: f64,
    /// What rounding leaves of the slopes that the curvature makes, many times over.
    unseen: f64,
}

impl<'a> Profile<'a> {
    fn new(loss: &'a dyn Loss, point: &'a CriticalPoint, axis: usize, domain: &[[f64; 2]]) -> Self {
        let farthest = FARTHEST * search::diagonal(domain);
        let size = point.theta.iter().fold(farthest, |a, x| a.max(x.abs()));
        let curvature = point.eigenvalues.iter().filter(|h| h.is_finite()).fold(0.0f64, |a, h| a.max(h.abs()));
        Self { loss, point, axis, farthest, size, unseen: SEEN * f64::EPSILON * curvature * size }
    }

    fn slope(&self, u: f64) -> f64 {
        let mut gradient = vec![0.0; self.point.theta.len()];
        self.loss.gradient(&self.point.beside(self.axis, u), &mut gradient);
        gradient.iter().zip(self.point.eigenvectors.column(self.axis).iter()).map(|(g, v)| g * v).sum()
    }

    /// L rises as |u|: the change of the slope over [−r, r], of a parabola 2hr, stays what it is however small r is.
    fn kink(&self) -> Option<FlatDirection> {
        let jump = |radius: f64| self.slope(radius) - self.slope(-radius);
        let nearest = DIGITS * f64::EPSILON * self.size;
        let jumps = [nearest / (NEARER * NEARER), nearest / NEARER, nearest].map(jump);
        let left = jumps[2];
        let is_seen = left.abs() > (LEFT * jump(self.farthest).abs()).max(self.unseen) && left.is_finite();
        let same_sign = jumps.iter().all(|jump| jump * left > 0.0);
        let is_one = is_seen && same_sign && stays(&jumps.map(f64::abs)) && self.power_below_two().is_none();
        is_one.then_some(FlatDirection { axis: self.axis, power: 1.0, strength: 0.5 * left })
    }

    /// L rises as |u|^p with 1 < p < 2, and its curvature has no end: the change of the slope over [−r, r] falls as r^(p − 1). The power.
    fn power_below_two(&self) -> Option<f64> {
        const POWERS: [f64; 2] = [1.05, 1.95];
        let jump = |radius: f64| self.slope(radius) - self.slope(-radius);
        let nearest = DIGITS * f64::EPSILON * self.size;
        let jumps = [nearest / (NEARER * NEARER), nearest / NEARER, nearest].map(jump);
        let powers: Vec<f64> =
            jumps.windows(2).map(|two| 1.0 + crate::math::ln(two[1] / two[0]) / crate::math::ln(NEARER)).collect();
        let is_one = jumps.iter().all(|jump| *jump > 0.0)
            && powers.iter().all(|power| (POWERS[0]..=POWERS[1]).contains(power))
            && (powers[0] - powers[1]).abs() < 0.02;
        is_one.then(|| powers[1])
    }

    /// L rises as a parabola, but not as that of the Hessian, or as another to each side: what the slope is off hr falls as r.
    fn other_parabola(&self) -> Option<FlatDirection> {
        const DIGITS: f64 = 1e9;
        const OFF: f64 = 0.25;
        let h = self.point.eigenvalues[self.axis];
        let here = self.slope(0.0);
        let curvature = |u: f64| (self.slope(u) - here) / u;
        let nearest = DIGITS * f64::EPSILON * self.size;
        let radii = [nearest / (NEARER * NEARER), nearest / NEARER, nearest];
        let sides = [-1.0, 1.0].map(|side| radii.map(|radius| curvature(side * radius)));
        let is_off = |seen: &[f64; 3]| {
            seen.iter().all(|found| (found - h).abs() > (OFF * h.abs()).max(self.unseen / nearest))
                && seen.windows(2).all(|two| (two[1] - two[0]).abs() <= 0.1 * (two[1] - h).abs())
        };
        sides.iter().any(is_off).then(|| {
            let strength = 0.25 * (sides[0][2] + sides[1][2]);
            FlatDirection { axis: self.axis, power: 2.0, strength }
        })
    }
}

impl CriticalPoint {
    /// How L goes on to both sides along an eigenvector where its slope jumps at the point, or its curvature: strength·|u|, or strength·u². `None`
    /// where it does so as the Hessian tells.
    pub(super) fn jump_along(&self, loss: &dyn Loss, axis: usize, domain: &[[f64; 2]]) -> Option<FlatDirection> {
        let profile = Profile::new(loss, self, axis, domain);
        profile.kink().or_else(|| profile.other_parabola())
    }
}

impl CriticalPoint {
    /// The power below 2 by which L rises along an eigenvector, if it does.
    pub(super) fn power_below_two(&self, loss: &dyn Loss, axis: usize, domain: &[[f64; 2]]) -> Option<f64> {
        Profile::new(loss, self, axis, domain).power_below_two()
    }

    /// Whether slope or curvature jump along any eigenvector.
    pub(super) fn has_jump(&self, loss: &dyn Loss, domain: &[[f64; 2]]) -> bool {
        (0..self.theta.len()).any(|axis| self.jump_along(loss, axis, domain).is_some())
    }

    /// A lower place beside the point, where L falls away from it however near one looks although the Hessian has no negative eigenvalue: where
    /// curvatures jump, as those of max(xy, 0)² do, they are those of one side only.
    pub(super) fn falls_to(&self, loss: &dyn Loss, reach: f64) -> Option<Vec<f64>> {
        const RADII: [f64; 3] = [1e-4, 1e-5, 1e-6];
        // A parabola falls by a hundredth from radius to radius, rounding by nothing.
        const SMALLER: f64 = 5.0;
        let falls = |direction: &DVector<f64>| -> Option<Vec<f64>> {
            let at = |radius: f64| -> Vec<f64> {
                self.theta.iter().zip(direction.iter()).map(|(x, v)| x + radius * reach * v).collect()
            };
            let [far, middle, near] = RADII.map(|radius| self.loss - loss.value(&at(radius)));
            let is_one =
                near > 16.0 * f64::EPSILON * self.loss.abs() && middle > SMALLER * near && far > SMALLER * middle;
            is_one.then(|| at(RADII[0]))
        };
        self.directions_around().find_map(|direction| falls(&direction))
    }

    /// Along the softest eigenvectors, between any two of them, and in directions drawn at random, both ways.
    fn directions_around(&self) -> impl Iterator<Item = DVector<f64>> + '_ {
        const SOFTEST: usize = 6;
        const RANDOM: usize = 16;
        let d = self.theta.len();
        let axis = |i: usize| self.eigenvectors.column(i).into_owned();
        let softest = d.min(SOFTEST);
        let between = (0..softest).flat_map(move |i| (0..i).flat_map(move |j| [(i, j, 1.0), (i, j, -1.0)]));
        let mut stream = Stream::new(0, 7, Purpose::Landscape);
        let random = (0..RANDOM).map(move |_| DVector::from_fn(d, |_, _| 2.0 * stream.uniform() - 1.0));
        let all = (0..softest).map(axis).chain(between.map(move |(i, j, sign)| axis(i) + axis(j) * sign)).chain(random);
        all.flat_map(|direction| {
            let unit = direction.normalize();
            [-&unit, unit]
        })
    }
}

/// Whether what was seen at the last three radii stayed as it was.
pub(super) fn stays(seen: &[f64]) -> bool {
    const LOOKS: usize = 3;
    let last = &seen[seen.len().saturating_sub(LOOKS)..];
    last.len() == LOOKS && last.windows(2).all(|two| two[1] > 0.5 * two[0])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::landscape::{Landscape, LandscapeError};
    use crate::loss::expression::Expression;

    fn explored(variables: &[&str], formula: &str, reach: f64) -> Result<Landscape, LandscapeError> {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        Landscape::explore(loss, &vec![[-reach, reach]; names.len()])
    }

    /// The slopes beside each of them, by hand; curvature beside the kink makes it no parabola.
    #[test]
    fn a_kink_with_curvature_is_a_kink() {
        for (formula, place, strength) in [
            ("abs(x + 1) + 0.1*(x + 1)^2", -1.0, 1.0),
            ("0.001*abs(x - 0.3) + 50*(x - 0.3)^2", 0.3, 0.001),
            ("max(2*(1 - x), 3*(x - 1)) + (x - 1)^2", 1.0, 2.5),
            ("sqrt((x - 0.5)^2)*3 + x^2 - x", 0.5, 3.0),
            ("max(x, 0) + max(-2*x, 0) + x^2", 0.0, 1.5),
        ] {
            for reach in [2.0, 1e3, 1e5] {
                let landscape = explored(&["x"], formula, reach).unwrap();
                // A weak kink in a sharp well is none to see from very far.
                if strength < 0.01 && reach > 1e3 {
                    continue;
                }
                let minimum = &landscape.minima[0];
                assert!((minimum.theta[0] - place).abs() < 1e-9, "{formula}: {:?}", minimum.theta);
                let [kink] = minimum.flat.as_slice() else { panic!("{formula} on ±{reach}: {minimum:?}") };
                assert!(kink.is_kink() && (kink.strength / strength - 1.0).abs() < 1e-3, "{formula}: {kink:?}");
                assert!(matches!(landscape.require_regular(), Err(LandscapeError::Kink { .. })), "{formula}");
            }
        }
    }

    /// Sharp, soft, flat and far apart, but smooth.
    #[test]
    fn what_bends_is_no_kink() {
        for (variables, formula) in [
            (&["x"][..], "x^4/4 - x^2/2 + 0.1*x"),
            (&["x"], "sqrt(x^2 + 1e-6)"),
            (&["x"], "1e8*(x - 0.1234)^2 + 1e6"),
            (&["x"], "1e-8*(x - 0.7)^2"),
            (&["x"], "x^4 + 1e-3*x^2"),
            (&["x"], "x^2/2 + 1e-8*cos(1000*x)"),
            (&["x", "y"], "(1 - x)^2 + 1e6*(y - x^2)^2"),
            (&["x", "y"], "(0.6*x + 0.8*y)^2 + 1e8*(0.8*x - 0.6*y - 0.1)^2"),
            (&["x", "y", "z"], "x^2 + 1e4*(y - 0.3*x)^2 + 1e-4*z^2 + z*x*1e-3"),
        ] {
            let landscape = explored(variables, formula, 2.0).unwrap_or_else(|told| panic!("{formula}: {told}"));
            assert!(landscape.minima.iter().all(CriticalPoint::is_regular), "{formula}: {:?}", landscape.minima);
        }
    }

    /// Ridges where two branches meet have no curvature that Kramers' formula could take.
    #[test]
    fn ridges_that_are_kinks_are_known() {
        for (formula, is_kink) in [
            ("min(5*(x + 1)^2, 2*(x - 1)^2 + 0.1)", true),
            ("min(abs(x + 1) + 0.1*(x + 1)^2, 2.5*(x - 1)^2 + 0.1)", true),
            ("(x^2 - 1)^2 - 0.1*abs(x)", true),
            ("(x^2 - 1)^2 + 0.1 - 0.5*abs(x - 0.05)", true),
            ("(x^2 - 1)^2 + 0.1*x", false),
        ] {
            let landscape = explored(&["x"], formula, 2.0).unwrap();
            let expected = landscape.saddles.len();
            assert!(expected > 0, "{formula}");
            let kinks = landscape.saddles.iter().filter(|saddle| !saddle.point.is_regular()).count();
            assert_eq!(kinks > 0, is_kink, "{formula}: {:?}", landscape.saddles);
            let kramers = crate::theory::escape::kramers(&landscape, 0, 1, 0.1);
            assert_eq!(kramers.is_none(), is_kink, "{formula}: {kramers:?}");
        }
    }

    /// On a line it is known, like x⁴; in more dimensions it is refused by its own name, however it lies and wherever the descent ends.
    #[test]
    fn curvatures_without_end_are_named() {
        for (formula, power) in
            [("abs(x - 0.3)^1.5", 1.5), ("min(abs(x + 1)^1.2, abs(x - 1)^1.2 + 0.1)", 1.2), ("((x - 0.1)^2)^0.9", 1.8)]
        {
            let landscape = explored(&["x"], formula, 2.0).unwrap_or_else(|told| panic!("{formula}: {told}"));
            for minimum in &landscape.minima {
                let [flat] = minimum.flat.as_slice() else { panic!("{formula}: {minimum:?}") };
                assert!((flat.power - power).abs() < 0.02 && flat.is_endless(), "{formula}: {flat:?}");
            }
            let told = landscape.require_regular();
            assert!(matches!(told, Err(LandscapeError::Endless { .. })), "{formula}: {told:?}");
        }
        for (variables, formula, power) in [
            (&["x", "y"][..], "(x^2 - 1)^2/4 + 0.1*x + abs(y - 0.3*x)^1.5", "^1.5"),
            (&["x", "y"], "(x^2 - 1)^2/4 + 0.1*x + abs(y)^1.5", "^1.5"),
            (&["x", "y"], "x^2 + ((y - 0.1)^2)^0.6", "^1.2"),
            (&["x", "y", "z"], "(x^2 - 1)^2/4 + 0.1*x + z^2 + abs(y - z)^1.8", "^1.8"),
        ] {
            let told = explored(variables, formula, 2.0).err().map(|told| told.to_string()).unwrap_or_default();
            assert!(told.contains("curvature of the loss has no end") && told.contains(power), "{formula}: {told}");
        }
    }

    /// Curvatures 2 and 6, 1 and 0.1; of the saddle that of the other side.
    #[test]
    fn where_the_curvature_jumps_no_parabola_fits() {
        for (variables, formula, curvature) in [
            (&["x"][..], "x^2 + 2*max(x, 0)^2", Some(4.0)),
            (&["x"], "0.5*max(x - 1, 0)^2 + 0.05*max(1 - x, 0)^2", Some(0.55)),
            (&["x", "y"], "x^2 + 2*max(x + y, 0)^2 + 3*(x - y)^2", None),
            (&["x", "y"], "(x^2 - 1)^2 + y^2 + 3*max(y, 0)^2 + 0.1*x", Some(5.0)),
        ] {
            let landscape = explored(variables, formula, 2.0).unwrap_or_else(|told| panic!("{formula}: {told}"));
            let minimum = &landscape.minima[0];
            assert!(minimum.flat.iter().any(|flat| flat.power == 2.0), "{formula}: {minimum:?}");
            assert!(matches!(landscape.require_regular(), Err(LandscapeError::Kink { .. })), "{formula}");
            let curvatures = minimum.curvatures_at(0.1);
            let is_near = |expected: f64| curvatures.iter().any(|found| (found / expected - 1.0).abs() < 1e-3);
            assert!(curvature.is_none_or(is_near), "{formula}: {curvatures:?}");
        }
        let landscape = explored(&["x", "y"], "(1 - max(x*y, 0))^2 + 0.05*(x^2 + y^2)", 2.0).unwrap();
        assert_eq!(crate::theory::escape::kramers(&landscape, 0, 1, 0.1), None, "{:?}", landscape.saddles);
    }

    /// Where the Hessian jumps it is that of one side: the loss falls on another.
    #[test]
    fn places_that_fall_on_one_side_are_no_minima() {
        for (formula, minima) in
            [("(1 - max(x*y, 0))^2 + 0.05*(x^2 + y^2)", 2), ("(1 - max(x - y, 0)^2)^2 + 0.1*(x^2 + y^2)", 1)]
        {
            let landscape = explored(&["x", "y"], formula, 2.0).unwrap_or_else(|told| panic!("{formula}: {told}"));
            assert_eq!(landscape.minima.len(), minima, "{formula}: {:?}", landscape.minima);
        }
    }
}
