//! Places where the mean step θ − δ∇L jumps, as at a kink of the loss, or turns within much less than the noise of a step.
//!
//! No expansion in δ holds across one, and no quadrature over θ converges. On a line panels shrink around it ([`super::line`]); elsewhere the chain's
//! law is not given.

use nalgebra::DVector;

use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// Lines from every minimum.
const DIRECTIONS: usize = 32;
/// They reach up to so many standard deviations of the mass along every eigenvector.
const REACH: f64 = 3.0;
/// Parts of a line that are looked at first.
const PARTS: usize = 24;
/// A jump of the mean step by less than this part of a step's noise changes the law by less than what is counted otherwise …
const UNSEEN: f64 = 1e-3;
/// … and what turns over more than this part of it is none.
const NARROW: f64 = 0.02;

/// A place under the mass of exp(−L/T), or on a straight way between neighbouring minima, where the mean step of the chain jumps; `None` where none was found.
pub(super) fn jump_under_the_mass(
    loss: &dyn Loss,
    landscape: &Landscape,
    temperature: f64,
    step: f64,
) -> Option<Vec<f64>> {
    let line = |[from, to]: [DVector<f64>; 2]| Line { loss, step, noise: (2.0 * temperature * step).sqrt(), from, to };
    let minimum = |index: usize| DVector::from_column_slice(&landscape.minima[index].theta);
    // Where the ridge itself is a kink there may be no saddle.
    let nearest = (0..landscape.minima.len()).filter_map(|index| {
        let others = (0..landscape.minima.len()).filter(|other| *other != index);
        let apart = |other: &usize| (minimum(*other) - minimum(index)).norm();
        Some([index, others.min_by(|a, b| apart(a).total_cmp(&apart(b)))?])
    });
    let between = landscape.saddles.iter().map(|saddle| saddle.between).chain(nearest).map(|pair| pair.map(minimum));
    let mut stream = Stream::new(0, 8, Purpose::Landscape);
    let across = (0..landscape.minima.len()).flat_map(|index| {
        let point = &landscape.minima[index];
        let curvatures = point.curvatures_at(temperature);
        let drawn: Vec<DVector<f64>> = (0..DIRECTIONS)
            .map(|_| {
                let mut along = |i: usize| (2.0 * stream.uniform() - 1.0) * (temperature / curvatures[i]).sqrt();
                &point.eigenvectors * DVector::from_fn(curvatures.len(), |i, _| REACH * along(i))
            })
            .collect();
        drawn.into_iter().map(move |ahead| [minimum(index) - &ahead, minimum(index) + ahead])
    });
    between.chain(across).map(line).find_map(|line| line.jump())
}

/// A straight line, and what the mean step is on it.
struct Line<'a> {
    loss: &'a dyn Loss,
    step: f64,
    /// √(2Tδ).
    noise: f64,
    from: DVector<f64>,
    to: DVector<f64>,
}

impl Line<'_> {
    fn place(&self, part: f64) -> DVector<f64> {
        &self.from + (&self.to - &self.from) * part
    }

    /// δ∇L.
    fn drift(&self, part: f64) -> DVector<f64> {
        let mut gradient = DVector::zeros(self.from.len());
        self.loss.gradient(self.place(part).as_slice(), gradient.as_mut_slice());
        gradient * self.step
    }

    /// By how much the mean step in the middle is off that between the ends. What bends deviates by the square of the width, what jumps by half of
    /// the jump however narrow the look is.
    fn deviation(&self, [low, high]: [f64; 2]) -> f64 {
        let aside = (self.drift(low) + self.drift(high)) * 0.5 - self.drift(0.5 * (low + high));
        // Of a place where the loss is not defined nothing is said.
        Some(aside.norm()).filter(|norm| norm.is_finite()).unwrap_or(0.0)
    }

    fn jump(&self) -> Option<Vec<f64>> {
        let edge = |i: usize| i as f64 / PARTS as f64;
        let found = (1..PARTS).find_map(|i| self.jump_within([edge(i - 1), edge(i + 1)]));
        found.map(|part| self.place(part).as_slice().to_vec())
    }

    /// Halves the interval around where the deviation is largest until it is none, or stays although the interval is narrow.
    fn jump_within(&self, interval: [f64; 2]) -> Option<f64> {
        let unseen = 0.5 * UNSEEN * self.noise;
        let narrow = NARROW * self.noise / (&self.to - &self.from).norm();
        let [mut low, mut high] = interval;
        let mut deviation = self.deviation(interval);
        while deviation > unseen {
            if high - low < narrow {
                return Some(0.5 * (low + high));
            }
            let (quarter, middle) = (0.25 * (high - low), 0.5 * (low + high));
            let parts = [[low, middle], [middle, high], [middle - quarter, middle + quarter]];
            let looks = parts.map(|part| (self.deviation(part), part));
            (deviation, [low, high]) = looks.into_iter().fold(looks[0], |a, b| if b.0 > a.0 { b } else { a });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::expression::Expression;

    fn jump(variables: &[&str], formula: &str) -> Option<Vec<f64>> {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let landscape = Landscape::explore(loss.clone(), &vec![[-3.0, 3.0]; names.len()]).unwrap();
        jump_under_the_mass(loss.as_ref(), &landscape, 0.1, 0.01)
    }

    /// On the ridge, beside a well, oblique, and narrower than a step's noise; the place is on the kink.
    #[test]
    fn kinks_under_the_mass_are_found() {
        type Distance = fn(&[f64]) -> f64;
        let on_kink: [(&[&str], &str, Distance); 6] = [
            (&["x"], "(abs(x) - 1)^2 + 0.1*x", |p| p[0]),
            (&["x"], "(x^2 - 1)^2/4 + 0.1*x + 0.02*max(x - 1.2, 0)", |p| p[0] - 1.2),
            (&["x", "y"], "(x^2 - 1)^2/4 + 0.1*x + (abs(y - 0.3*x) - 0.5)^2", |p| p[1] - 0.3 * p[0]),
            (&["x", "y"], "(x^2 - 1)^2/4 + 0.1*x + y^2 + 0.1*max(x + y - 1.3, 0)", |p| p[0] + p[1] - 1.3),
            (&["x", "y", "z"], "(abs(x) - 1)^2 + 0.1*x + y^2 + z^2 + 0.3*y*z", |p| p[0]),
            (&["x"], "(sqrt(x^2 + 1e-12) - 1)^2 + 0.1*x", |p| p[0]),
        ];
        for (variables, formula, distance) in on_kink {
            let place = jump(variables, formula).unwrap_or_else(|| panic!("{formula}: none found"));
            assert!(distance(&place).abs() < 1e-2, "{formula}: {place:?}");
        }
    }

    #[test]
    fn what_bends_does_not_jump() {
        for (variables, formula) in [
            (&["x"][..], "(x^2 - 1)^2/4 + 0.1*x"),
            (&["x"], "(x^2 - 1)^2/4 + 0.1*x + max(x, 0)^2"),
            (&["x"], "(sqrt(x^2 + 0.01) - 1)^2 + 0.1*x"),
            (&["x", "y"], "(x^2 - 1)^2/4 + 0.1*x + 40*(y - x^2)^2"),
            (&["x", "y"], "tanh(20*x)*0.1 + (x^2 - 1)^2/4 + y^2 + 0.3*y*x"),
            // A kink where the chain does not come.
            (&["x"], "(x^2 - 1)^2/4 + 0.1*x + max(x - 2.9, 0)"),
        ] {
            assert_eq!(jump(variables, formula), None, "{formula}");
        }
    }
}
