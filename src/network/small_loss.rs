//! Losses of outputs however small they are: Σ ℓ and ln Σ ℓ in double precision, whatever the precision of the network.
//!
//! Under cross-entropy ℓ = ln Σ eᶻ − z_y is 0 as soon as the other classes' e^(z−z_y) are below half a unit in the last place of 1, 10⁻⁸ in single
//! precision; written as ln(1 + Σ e^(z−m)) + (m − z_y), m the largest output and the sum over all others, it is good to the smallest double.
//! Its logarithm goes on where ℓ itself is below that.

use super::{Objective, Real};
use crate::math;

/// Below it numbers lose digits, or are 0; their logarithms are summed instead.
const TINY: f64 = 1e-280;

/// A sum of losses and its logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct LossSum {
    sum: f64,
    /// Whether all of them are tiny.
    is_tiny: bool,
    /// The largest logarithm of a tiny loss.
    highest: f64,
    /// Σ of the tiny losses in units of e to the power of that.
    scaled: f64,
}

impl LossSum {
    pub fn new() -> Self {
        Self { sum: 0.0, is_tiny: true, highest: f64::NEG_INFINITY, scaled: 0.0 }
    }

    /// Adds the losses of a batch of outputs, `[output][S]`, which are not yet probabilities.
    pub fn add<T: Real>(&mut self, objective: Objective, output: &[T], target: &[T], size: usize) {
        for s in 0..size {
            let example = Example { output, target, s, size };
            let loss = match objective {
                Objective::CrossEntropy => example.cross_entropy(),
                Objective::SquaredError => 0.5 * example.square_of(1.0),
            };
            self.sum += loss;
            if loss <= TINY {
                self.add_tiny(match objective {
                    Objective::CrossEntropy => example.log_cross_entropy(),
                    Objective::SquaredError => example.log_squared_error(),
                });
            } else {
                self.is_tiny = false;
            }
        }
    }

    fn add_tiny(&mut self, logarithm: f64) {
        if logarithm == f64::NEG_INFINITY {
            return;
        }
        if logarithm > self.highest {
            self.scaled *= math::exp(self.highest - logarithm);
            self.highest = logarithm;
        }
        self.scaled += math::exp(logarithm - self.highest);
    }

    pub fn value(&self) -> f64 {
        self.sum
    }

    /// ln Σ ℓ; −∞ only where every ℓ is exactly 0.
    pub fn logarithm(&self) -> f64 {
        if self.is_tiny && self.scaled > 0.0 {
            return self.highest + math::ln(self.scaled);
        }
        math::ln(self.sum)
    }
}

/// One example of a batch.
#[derive(Clone, Copy)]
struct Example<'a, T> {
    output: &'a [T],
    target: &'a [T],
    s: usize,
    size: usize,
}

impl<T: Real> Example<'_, T> {
    fn outputs(self) -> impl Iterator<Item = f64> {
        self.output[self.s..].iter().step_by(self.size).map(|z| z.to_f64())
    }

    fn targets(self) -> impl Iterator<Item = f64> {
        self.target[self.s..].iter().step_by(self.size).map(|y| y.to_f64())
    }

    /// The largest output, and its place: the first of several.
    fn largest(self) -> (usize, f64) {
        let mut largest = (0, f64::NAN);
        for (place, z) in self.outputs().enumerate() {
            if place == 0 || z > largest.1 {
                largest = (place, z);
            }
        }
        largest
    }

    /// All outputs but one.
    fn others(self, place: usize) -> impl Iterator<Item = f64> {
        self.outputs().enumerate().filter(move |(other, _)| *other != place).map(|(_, z)| z)
    }

    /// By how much the outputs at the targets are below the largest: m − Σ y z, y adding up to 1.
    fn short(self, largest: f64) -> f64 {
        self.outputs().zip(self.targets()).filter(|(_, y)| *y != 0.0).map(|(z, y)| y * (largest - z)).sum()
    }

    fn cross_entropy(self) -> f64 {
        let (place, largest) = self.largest();
        let others: f64 = self.others(place).map(|z| math::exp(z - largest)).sum();
        libm::log1p(others) + self.short(largest)
    }

    /// Of a loss that is tiny, so that ln(1 + x) is x.
    fn log_cross_entropy(self) -> f64 {
        let (place, largest) = self.largest();
        let second = self.others(place).fold(f64::NEG_INFINITY, f64::max);
        let others: f64 = self.others(place).map(|z| math::exp(z - second)).sum();
        if others > 0.0 { second - largest + math::ln(others) } else { f64::NEG_INFINITY }
    }

    /// |z − y|², differences, rounded as the network rounds them, in units of `unit`.
    fn square_of(self, unit: f64) -> f64 {
        let [output, target] = [self.output, self.target].map(|rows| rows[self.s..].iter().step_by(self.size));
        let pairs = output.zip(target);
        pairs.map(|(z, y)| (*z - *y).to_f64() / unit).map(|delta| delta * delta).sum()
    }

    fn log_squared_error(self) -> f64 {
        let pairs = self.outputs().zip(self.targets());
        let largest = pairs.map(|(z, y)| (z - y).abs()).fold(0.0, f64::max);
        if largest == 0.0 {
            return f64::NEG_INFINITY;
        }
        2.0 * math::ln(largest) + math::ln(0.5 * self.square_of(largest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum<T: Real>(objective: Objective, outputs: &[f64], targets: &[f64], size: usize) -> LossSum {
        let convert = |numbers: &[f64]| numbers.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
        let mut sum = LossSum::new();
        sum.add(objective, &convert(outputs), &convert(targets), size);
        sum
    }

    /// Three classes of which the first is right, the others behind by `margin` and by 1 more: ℓ = ln(1 + e^−margin(1 + e^−1)).
    fn behind(margin: f64) -> f64 {
        libm::log1p(libm::exp(-margin) * (1.0 + libm::exp(-1.0)))
    }

    #[test]
    fn small_losses_keep_their_digits_in_either_precision() {
        // Exact in single precision too.
        for margin in [0.5, 16.0, 40.0, 100.0, 600.0] {
            let outputs = [2.0, 2.0 - margin, 1.0 - margin];
            let single = sum::<f32>(Objective::CrossEntropy, &outputs, &[1.0, 0.0, 0.0], 1);
            let double = sum::<f64>(Objective::CrossEntropy, &outputs, &[1.0, 0.0, 0.0], 1);
            for found in [single, double] {
                assert!((found.value() / behind(margin) - 1.0).abs() < 1e-14, "{margin}: {found:?}");
                assert!((found.logarithm() - behind(margin).ln()).abs() < 1e-12 * margin, "{margin}: {found:?}");
            }
        }
    }

    /// ln ℓ = −margin + ln(1 + 1/e) where ℓ is subnormal, and where it is below every double; two such examples add up.
    #[test]
    fn logarithms_go_on_where_losses_end() {
        for margin in [720.0, 1_000.0, 30_000.0] {
            let one = [2.0, 2.0 - margin, 1.0 - margin];
            let expected = -margin + libm::log1p(libm::exp(-1.0));
            let found = sum::<f32>(Objective::CrossEntropy, &one, &[1.0, 0.0, 0.0], 1);
            assert!((found.logarithm() - expected).abs() < 1e-12 * margin, "{margin}: {found:?}");
            let two: Vec<f64> = one.iter().flat_map(|&z| [z, z + 7.0]).collect();
            let found = sum::<f64>(Objective::CrossEntropy, &two, &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 2);
            assert!(
                (found.logarithm() - expected - std::f64::consts::LN_2).abs() < 1e-12 * margin,
                "{margin}: {found:?}"
            );
        }
        let square = sum::<f64>(Objective::SquaredError, &[3e-200, 4e-200], &[0.0, 0.0], 1);
        assert!((square.logarithm() - (12.5f64.ln() - 400.0 * std::f64::consts::LN_10)).abs() < 1e-11, "{square:?}");
        assert_eq!(sum::<f32>(Objective::SquaredError, &[0.1], &[0.1], 1).logarithm(), f64::NEG_INFINITY);
    }

    #[test]
    fn wrong_and_undecided_examples_are_as_always() {
        let third = sum::<f32>(Objective::CrossEntropy, &[1.0, 1.0, 1.0], &[0.0, 1.0, 0.0], 1);
        assert!((third.value() - 3f64.ln()).abs() < 1e-15);
        let wrong = sum::<f64>(Objective::CrossEntropy, &[0.0, 50.0], &[1.0, 0.0], 1);
        assert!((wrong.value() - 50.0).abs() < 1e-13);
        for bad in [f64::NAN, f64::INFINITY] {
            for place in 0..2 {
                let mut outputs = [1.0; 2];
                outputs[place] = bad;
                let found = sum::<f32>(Objective::CrossEntropy, &outputs, &[1.0, 0.0], 1);
                assert!(!found.value().is_finite() && !found.logarithm().is_finite(), "{found:?}");
            }
        }
    }
}
