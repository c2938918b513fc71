//! Minima at which the Hessian is zero along some directions, and the loss rises by a higher power of the distance: x⁴ has one.
//!
//! Laplace's and Kramers' formulas mean nothing there, but the gradient flow, exp(−L/T) and SGD all do. What asks how far the law spreads
//! or how fast it relaxes takes the curvature of the bowl in which it would do so.

use nalgebra::DMatrix;

use super::{CriticalPoint, search};
use crate::loss::Loss;

/// A direction without curvature, along which L − L_A ≈ strength·|u|^power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlatDirection {
    /// Index of the eigenvector.
    pub axis: usize,
    /// The power, 4 for x⁴; 1 at a kink, and 2 where the curvature jumps.
    pub power: f64,
    /// The factor.
    pub strength: f64,
}

/// Where the power is measured, in parts of the domain's diagonal: the first place, and how often it may be doubled.
const NEAREST: f64 = 1e-3;
const DOUBLINGS: u32 = 8;
/// The rise there is at least so many units in the last place of the loss.
const SEEN: f64 = 1e6;
/// Isolated is a minimum if a descent from so far beside it comes back as near as this part of the way.
const BESIDE: f64 = 1e-2;
const BACK: f64 = 0.1;

impl FlatDirection {
    /// Whether the slope of the loss jumps here: L rises as |u|, and what curvature there is comes on top of it.
    pub fn is_kink(&self) -> bool {
        self.power == 1.0
    }

    /// Whether L rises by a power between 1 and 2: then the curvature has no end.
    pub fn is_endless(&self) -> bool {
        self.power < 2.0 && !self.is_kink()
    }

    /// Whether slope or curvature jump: then H is that of one side, or of none, and need not be zero.
    pub fn is_jump(&self) -> bool {
        self.is_kink() || self.power == 2.0
    }

    /// How the loss rises to both sides along an eigenvector; `None` where it falls, or by too little to be told from rounding.
    pub(super) fn along(loss: &dyn Loss, point: &CriticalPoint, axis: usize, reach: f64) -> Option<Self> {
        let beside = |u: f64| loss.value(&point.beside(axis, u)) - point.loss;
        let rise = |u: f64| {
            let sides = [beside(-u), beside(u)];
            sides.iter().all(|side| *side > SEEN * f64::EPSILON * point.loss.abs()).then(|| 0.5 * (sides[0] + sides[1]))
        };
        let mut near = NEAREST * reach;
        let (low, high) = (0..DOUBLINGS).find_map(|_| {
            let rises = rise(near).zip(rise(2.0 * near));
            near *= if rises.is_some() { 1.0 } else { 2.0 };
            rises
        })?;
        let power = crate::math::ln(high / low) / std::f64::consts::LN_2;
        let strength = low / crate::math::exp(power * crate::math::ln(near));
        (power.is_finite() && power > 0.0 && strength > 0.0).then_some(Self { axis, power, strength })
    }

    /// The curvature h of the bowl that rises to ½hu² where this one does, of which `own` is the Hessian's.
    fn curvature_within(&self, u: f64, own: f64) -> f64 {
        let beside = if self.is_kink() && own > 0.0 { own } else { 0.0 };
        2.0 * self.strength * crate::math::exp((self.power - 2.0) * crate::math::ln(u)) + beside
    }

    /// The same where L has risen by T/2.
    fn curvature_at(&self, temperature: f64, own: f64) -> f64 {
        if self.is_kink() && own > 0.0 {
            // ½hu² + au = T/2, by the root that does not cancel.
            let a = self.strength;
            return temperature * crate::math::powi((a + (a * a + own * temperature).sqrt()) / temperature, 2);
        }
        self.curvature_within(crate::math::exp(crate::math::ln(0.5 * temperature / self.strength) / self.power), own)
    }
}

impl CriticalPoint {
    /// θ_A + u along an eigenvector.
    pub(super) fn beside(&self, axis: usize, u: f64) -> Vec<f64> {
        self.theta.iter().zip(self.eigenvectors.column(axis).iter()).map(|(x, v)| x + u * v).collect()
    }

    /// Whether the Hessian has no zero eigenvalue.
    pub fn is_regular(&self) -> bool {
        self.flat.is_empty()
    }

    /// Along every eigenvector the curvature that exp(−L/T) feels: the Hessian's, and along a flat direction that of the bowl that rises to
    /// T/2 where the loss does.
    pub fn curvatures_at(&self, temperature: f64) -> Vec<f64> {
        let mut curvatures = self.eigenvalues.clone();
        self.flat
            .iter()
            .for_each(|flat| curvatures[flat.axis] = flat.curvature_at(temperature, self.eigenvalues[flat.axis]));
        curvatures
    }

    /// The same that a place so far out feels.
    pub(super) fn curvatures_within(&self, u: f64) -> Vec<f64> {
        let mut curvatures = self.eigenvalues.clone();
        self.flat.iter().for_each(|flat| curvatures[flat.axis] = flat.curvature_within(u, self.eigenvalues[flat.axis]));
        curvatures
    }

    /// The Hessian of the bowl with these curvatures along the eigenvectors.
    pub(crate) fn bowl(&self, curvatures: &[f64]) -> DMatrix<f64> {
        let d = self.theta.len();
        let scaled = DMatrix::from_fn(d, d, |i, j| self.eigenvectors[(i, j)] * curvatures[j]);
        scaled * self.eigenvectors.transpose()
    }

    /// The smallest of [`CriticalPoint::curvatures_at`].
    pub fn softest_at(&self, temperature: f64) -> f64 {
        self.curvatures_at(temperature).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// This minimum with the powers by which the loss rises along its flat directions; `None` where it does not rise along one of them.
    pub(super) fn with_flat(mut self, loss: &dyn Loss, flat: &[usize], domain: &[[f64; 2]]) -> Option<Self> {
        let reach = search::diagonal(domain);
        let rises = flat.iter().map(|&axis| {
            let jump = self.jump_along(loss, axis, domain).filter(|jump| jump.strength > 0.0);
            jump.or_else(|| FlatDirection::along(loss, &self, axis, reach))
        });
        self.flat = rises.collect::<Option<_>>()?;
        Some(self)
    }

    /// Whether descents from beside it, along its flat directions, come back: in a valley of minima they end elsewhere.
    pub(super) fn is_isolated(&self, domain: &[[f64; 2]], descend: impl Fn(&[f64]) -> Option<Vec<f64>>) -> bool {
        let aside = BESIDE * search::diagonal(domain);
        let comes_back = |end: Vec<f64>| search::distance(&end, &self.theta) < BACK * aside;
        self.flat
            .iter()
            .flat_map(|flat| [(flat.axis, aside), (flat.axis, -aside)])
            .all(|(axis, u)| descend(&self.beside(axis, u)).is_some_and(comes_back))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;

    /// 2x⁴ rises to T/2 at u = (T/4)^(1/4), where the bowl ½hu² does so for h = T/u² = 2√T. Beside it y keeps its own curvature.
    #[test]
    fn a_flat_direction_has_the_curvature_of_its_temperature() {
        let loss = Expression::new(&["x", "y"].map(String::from), &[], "2*x^4 + 1.5*y^2").unwrap();
        let landscape = Landscape::explore(Arc::new(loss), &[[-2.0, 2.0]; 2]).unwrap();
        let minimum = &landscape.minima[0];
        assert!(!minimum.is_regular());
        for (temperature, expected) in [(0.25, 1.0), (0.01, 0.2), (1e-4, 0.02)] {
            let mut curvatures = minimum.curvatures_at(temperature);
            curvatures.sort_by(f64::total_cmp);
            assert!((curvatures[0] / expected - 1.0).abs() < 1e-6, "{temperature}: {curvatures:?}");
            assert!((curvatures[1] - 3.0).abs() < 1e-6, "{temperature}: {curvatures:?}");
        }
    }

    /// Between x² and x⁴ the Hessian is what the last digits of the minimum leave: along a coordinate, obliquely, beside a well, and on a line.
    #[test]
    fn powers_between_two_and_three_are_no_parabolas() {
        for (variables, formula, power) in [
            (&["x", "y"][..], "(x^2 - 1)^2/4 + 0.1*x + abs(y - 0.3*x)^2.5", 2.5),
            (&["x", "y"], "(x^2 - 1)^2/4 + 0.1*x + abs(y - 0.1)^3", 3.0),
            (&["x", "y"], "x^2 + abs(y - 0.3*x)^2.2", 2.2),
            (&["x", "y", "z"], "(x^2 - 1)^2/4 + 0.1*x + z^2 + abs(y - 0.3*x + 0.1*z)^2.5", 2.5),
            (&["x"], "abs(x - 0.3)^2.5", 2.5),
        ] {
            let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
            let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
            let landscape = Landscape::explore(loss, &vec![[-3.0, 3.0]; names.len()]).unwrap();
            for minimum in &landscape.minima {
                let [flat] = minimum.flat.as_slice() else { panic!("{formula}: {minimum:?}") };
                assert!((flat.power - power).abs() < 0.02, "{formula}: {flat:?}");
            }
            assert!(crate::theory::laplace::occupancies(&landscape.minima, 0.1).is_none(), "{formula}");
            assert!(landscape.saddles.iter().all(|saddle| !saddle.point.is_regular()), "{formula}");
        }
    }

    /// |u|/5 + 2u² rises to T/2 at u = (√(1 + 100T) − 1)/20, where the bowl of curvature T/u² does so.
    #[test]
    fn a_kink_has_the_bowl_of_its_slope_and_curvature() {
        let loss = Expression::new(&["x".to_string()], &[], "0.2*abs(x - 0.1) + 2*(x - 0.1)^2").unwrap();
        let landscape = Landscape::explore(Arc::new(loss), &[[-2.0, 2.0]]).unwrap();
        for temperature in [1e-4f64, 0.01, 1.0] {
            let u = ((1.0 + 100.0 * temperature).sqrt() - 1.0) / 20.0;
            let found = landscape.minima[0].curvatures_at(temperature)[0];
            assert!((found * u * u / temperature - 1.0).abs() < 1e-6, "{temperature}: {found}");
        }
    }
}
