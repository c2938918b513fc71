//! The law of a batch mean of N known numbers, between two bounds: no expansion, and valid for every S.
//!
//! Edgeworth's expansion, which stood here before, has no error of its own, knows nothing of jumps (a mean of two of the numbers ±1 is 0 half of
//! the time: .25 away from the normal law, where the expansion says .023), and leaves \[0, 1\] for strong skewness. What is known exactly needs none:
//!
//! | how the law is had | where | bound of its error |
//! |---|---|---|
//! | [`Route::Counted`]: all sums that are possible, equal ones added up | S = 1; few sums: small S, or numbers of few values | rounding |
//! | [`Route::Lattice`]: the S-fold convolution on a lattice | otherwise, independent draws | of the lattice, see below |
//! | [`Route::Sampled`]: the sums of 262,144 random subsets | otherwise, subsets | that of the empirical law, with 99.9 % confidence |
//!
//! The lattice has step h. A number between two of its points goes to both, with weights that keep its mean: the sum on the lattice is Σxᵢ + e, where
//! e is a sum of S numbers of mean 0 in intervals of length h, whatever the xᵢ are. Hence P(e ≥ t) ≤ p = exp(−2t²/(Sh²)) (Hoeffding 1963, theorem 2), and
//!
//! F_lattice(z − t) − p ≤ F(z) ≤ F_lattice(z + t) + p.
//!
//! With h a thousandth of the standard deviation of a number, t is .003 of that of a sum for *every* S. The commonest number lies on a point of the
//! lattice, so that the sum of S of it, the largest jump, is at its place. The convolution is a power of the discrete Fourier transform; what is
//! outside of its window is bounded by Bernstein's inequality.
//!
//! The error of an empirical law of n draws is at most √(ln(2/α)/(2n)) with probability 1 − α (Dvoretzky, Kiefer & Wolfowitz 1956, with the
//! constant of Massart 1990), at all z together: jumps do no harm.

mod atoms;
mod fourier;
mod lattice;
mod subsets;

use atoms::{Atoms, Step};
use lattice::Lattice;

/// How the S numbers of a batch are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// S independent draws: a number may be in the batch twice.
    Independent,
    /// S different ones, all subsets alike.
    Subset,
}

/// How a law was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// All possible sums, counted: exact up to rounding.
    Counted,
    /// By convolution on a lattice, within bounds.
    Lattice,
    /// By random subsets, within a band of 99.9 % confidence.
    Sampled,
}

/// The law of (m − E m)/sd(m), m the mean of a batch.
///
/// ```
/// use sgd_sde::theory::batch_law::{BatchLaw, Drawing};
/// // The mean of two of ±1 is −1, 0 or 1, with probabilities ¼, ½ and ¼.
/// let law = BatchLaw::of(&[-1.0, 1.0], 2, Drawing::Independent).unwrap();
/// let [low, high] = law.distance();
/// assert!(low > 0.25 - 1e-7 && high < 0.25 + 1e-7);
/// ```
#[derive(Clone, Debug)]
pub struct BatchLaw {
    law: Kind,
    route: Route,
}

#[derive(Clone, Debug)]
enum Kind {
    Atoms(Atoms),
    Lattice(Lattice),
}

impl BatchLaw {
    /// Of the mean of `size` = S of `numbers`. `None` where nothing is left to chance: the numbers do not differ, there are none, S = 0, or all
    /// of them are in the batch; and where they are no numbers.
    pub fn of(numbers: &[f64], size: u64, drawing: Drawing) -> Option<Self> {
        let summands = Summands::of(numbers)?;
        let (count, draws) = (summands.total as f64, size as f64);
        let kept = match drawing {
            Drawing::Independent => 1.0,
            Drawing::Subset if size < summands.total as u64 => (count - draws) / (count - 1.0),
            Drawing::Subset => return None,
        };
        let deviation = (draws * kept).sqrt() * summands.variance.sqrt();
        if !(deviation > 0.0) {
            return None;
        }
        let counted = match drawing {
            Drawing::Independent => atoms::sums(&summands, size, deviation),
            Drawing::Subset => subsets::sums(&summands, size, deviation),
        };
        if let Some(steps) = counted {
            return Some(Self { law: Kind::Atoms(Atoms::counted(&steps, deviation)), route: Route::Counted });
        }
        Some(match drawing {
            Drawing::Independent => {
                let law = Kind::Lattice(Lattice::of(&summands, size, deviation));
                Self { law, route: Route::Lattice }
            }
            Drawing::Subset => {
                let law = Kind::Atoms(subsets::sampled(&summands, size, deviation));
                Self { law, route: Route::Sampled }
            }
        })
    }

    /// A lower and an upper bound of F(z) = P((m − E m)/sd(m) ≤ z).
    pub fn bounds(&self, z: f64) -> [f64; 2] {
        match &self.law {
            Kind::Atoms(atoms) => atoms.bounds(z),
            Kind::Lattice(lattice) => lattice.bounds(z),
        }
    }

    /// A lower and an upper bound of sup |F − Φ|, the Kolmogorov distance from the normal law, jumps included.
    pub fn distance(&self) -> [f64; 2] {
        match &self.law {
            Kind::Atoms(atoms) => atoms.distance(),
            Kind::Lattice(lattice) => lattice.distance(),
        }
    }

    /// How the law was computed.
    pub fn route(&self) -> Route {
        self.route
    }
}

/// Numbers that differ by less than this part of the largest are taken for equal.
const EQUAL: f64 = 1e-13;

/// The numbers less their mean.
#[derive(Clone, Debug)]
struct Summands {
    /// The different ones, ascending.
    values: Vec<f64>,
    /// How often each is there.
    counts: Vec<u64>,
    /// N.
    total: usize,
    /// With divisor N.
    variance: f64,
}

impl Summands {
    fn of(numbers: &[f64]) -> Option<Self> {
        let total = numbers.len();
        let mean = numbers.iter().sum::<f64>() / total as f64;
        let mut sorted: Vec<f64> = numbers.iter().map(|number| number - mean).collect();
        sorted.sort_by(f64::total_cmp);
        let variance = sorted.iter().map(|x| x * x).sum::<f64>() / total as f64;
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        let equal = EQUAL * sorted.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let (mut values, mut counts): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
        for x in sorted {
            match (values.last(), counts.last_mut()) {
                (Some(last), Some(count)) if x - last <= equal => *count += 1,
                _ => {
                    values.push(x);
                    counts.push(1);
                }
            }
        }
        Some(Self { values, counts, total, variance })
    }

    /// The largest of their magnitudes.
    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, x| largest.max(x.abs()))
    }

    /// Each different number with its share.
    fn steps(&self) -> Vec<Step> {
        let share = |count: &u64| *count as f64 / self.total as f64;
        self.values.iter().zip(&self.counts).map(|(&at, count)| Step { at, weight: share(count) }).collect()
    }
}

#[cfg(test)]
mod tests;
