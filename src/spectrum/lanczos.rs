//! The ends of a spectrum: Lanczos with full reorthogonalisation and thick restarts.
//!
//! A run builds a Krylov space from a random vector until the leading Ritz pairs have converged. One Krylov space holds a single
//! vector of each eigenspace, so a multiple eigenvalue would be counted once. Therefore further runs start from fresh random vectors
//! in the complement of what is known, until one of them shows that nothing better is there. Either it converges to what is no
//! better; or, long before, its steps show that a better eigenvector would have less than a certain component in the random vector,
//! which happens with a probability below [`OVERLOOKED`].

use super::SpectrumError;
use super::eigenpair::{Eigenpairs, rayleigh_ritz};
use super::krylov::{Krylov, RitzValue};
use super::operator::{Measured, SymmetricOperator};
use super::vector::{divide, orthogonalise};
use crate::math::ln;
use crate::random::{Purpose, stream::Stream};

/// Products between two looks at the Ritz values.
const LOOK_EVERY: usize = 8;

/// The probability, over seeds, that a search that says so is not complete.
const OVERLOOKED: f64 = 1e-8;

/// Which end of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The algebraically largest eigenvalues.
    Largest,
    /// The algebraically smallest.
    Smallest,
    /// The largest in magnitude, of either sign.
    LargestMagnitude,
}

impl Which {
    /// The number by which eigenvalues are sorted, the best having the largest.
    pub(super) fn rank(self, value: f64) -> f64 {
        match self {
            Which::Largest => value,
            Which::Smallest => -value,
            Which::LargestMagnitude => value.abs(),
        }
    }
}

/// What eigenpairs are wanted, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct LanczosPlan {
    /// How many, at least 1; all d of them if there are fewer.
    pub count: usize,
    /// Which end.
    pub which: Which,
    /// A pair has converged when ‖Av − λv‖ ≤ tolerance·‖A‖, between 1e−13 and 0.1. Eigenvalues have an error of about the square of it
    /// where they are isolated. What a fresh start finds better by less than tolerance·‖A‖ counts as equal. The edge of a dense bulk has
    /// no isolated eigenvalue: 1e−4 is then much cheaper and says as much.
    pub tolerance: f64,
    /// The largest number m of basis vectors, at least count + 8: memory is (m + 2·count + 4) vectors of length d, and more of them
    /// need fewer products.
    pub basis: usize,
    /// Stop after about this many products, converged or not.
    pub maximum_products: usize,
    /// Seed of the random vectors.
    pub seed: u64,
}

impl LanczosPlan {
    /// `count` pairs to 1e−8 of ‖A‖ with 2·count + 40 basis vectors and at most 20,000 products; seed 0.
    pub fn new(count: usize, which: Which) -> Self {
        Self { count, which, tolerance: 1e-8, basis: 2 * count + 40, maximum_products: 20_000, seed: 0 }
    }

    /// The largest `count` eigenvalues.
    pub fn largest(count: usize) -> Self {
        Self::new(count, Which::Largest)
    }

    /// The smallest `count` eigenvalues.
    pub fn smallest(count: usize) -> Self {
        Self::new(count, Which::Smallest)
    }

    /// The `count` eigenvalues of largest magnitude.
    pub fn largest_magnitude(count: usize) -> Self {
        Self::new(count, Which::LargestMagnitude)
    }

    fn check(&self) -> Result<(), SpectrumError> {
        if self.count == 0 {
            return Err(SpectrumError::plan("count", self.count, "at least 1"));
        }
        if !(1e-13..=0.1).contains(&self.tolerance) {
            return Err(SpectrumError::plan("tolerance", self.tolerance, "between 1e-13 and 0.1"));
        }
        if self.basis < self.count + 8 {
            return Err(SpectrumError::plan("basis", self.basis, format!("at least count + 8 = {}", self.count + 8)));
        }
        Ok(())
    }
}

/// The `plan.count` best eigenpairs of a symmetric matrix, multiple eigenvalues as often as they are.
///
/// Each step costs one product and about 4·m·d multiplications. What was not reached within `plan.maximum_products` is given as it is, with
/// its residuals and `converged` false. Errors: [`SpectrumError::Plan`], [`SpectrumError::Empty`], [`SpectrumError::NotFinite`].
///
/// ```
/// use nalgebra::DMatrix;
/// use sgd_sde::spectrum::{LanczosPlan, eigenpairs};
///
/// // Eigenvalues 3, 1, 1.
/// let mut matrix = DMatrix::from_row_slice(3, 3, &[2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
/// let found = eigenpairs(&mut matrix, &LanczosPlan::largest(3))?;
/// for (pair, exact) in found.pairs.iter().zip([3.0, 1.0, 1.0]) {
///     assert!((pair.value - exact).abs() < 1e-14);
/// }
/// # Ok::<(), sgd_sde::spectrum::SpectrumError>(())
/// ```
pub fn eigenpairs(operator: &mut dyn SymmetricOperator, plan: &LanczosPlan) -> Result<Eigenpairs, SpectrumError> {
    plan.check()?;
    let mut operator = Measured::new(operator)?;
    let mut search = Search { plan, wanted: plan.count.min(operator.dimension()), known: Known::default() };
    let mut run = 0;
    let (converged, runner_up) = loop {
        match search.run(&mut operator, run)? {
            Outcome::Better => run += 1,
            Outcome::Complete { runner_up } => break (true, Some(runner_up)),
            Outcome::Stopped => break (false, None),
        }
    };
    let pairs = rayleigh_ritz(&mut operator, &search.known.vectors, plan.which, runner_up)?;
    Ok(Eigenpairs { pairs, converged, products: operator.products })
}

/// The best pairs so far, by falling rank.
#[derive(Default)]
struct Known {
    ranks: Vec<f64>,
    vectors: Vec<Vec<f64>>,
}

/// How a run ended.
enum Outcome {
    /// It found pairs that are better than the known ones: now known, and a fresh run has to look beside them.
    Better,
    /// There is nothing better; the rank of the best that is not among the known ones, −∞ if nothing is left.
    Complete { runner_up: f64 },
    /// There are no products left.
    Stopped,
}

/// What the Ritz values of a run say.
enum Judgement {
    /// Something that counts has not converged.
    Open,
    /// The first `better` are new; the rank of the one after them, if it was looked at.
    Settled { better: usize, next: Option<f64> },
}

struct Search<'a> {
    plan: &'a LanczosPlan,
    wanted: usize,
    known: Known,
}

impl Search<'_> {
    /// A run from a fresh random vector beside the known ones.
    fn run(&mut self, operator: &mut Measured, run: u64) -> Result<Outcome, SpectrumError> {
        let stream = Stream::new(self.plan.seed, run, Purpose::Lanczos);
        let Some(mut space) = Krylov::beside(&self.known.vectors, operator.dimension(), stream) else {
            return Ok(Outcome::Complete { runner_up: f64::NEG_INFINITY });
        };
        let mut looked_at = 0;
        loop {
            space.extend(operator)?;
            let is_full = space.dimension() >= self.plan.basis || space.is_exhausted();
            let is_last = operator.products >= self.plan.maximum_products;
            let is_due = space.dimension() >= self.wanted && space.dimension() >= looked_at + LOOK_EVERY;
            if !(is_full || is_last || is_due) {
                continue;
            }
            looked_at = space.dimension();
            let ritz = space.ritz(|value| self.plan.which.rank(value))?;
            if let Judgement::Settled { better, next } = self.judge(&space, &ritz, operator, is_full) {
                let (found, is_exhausted) = (space.leading(&ritz[..better]), space.is_exhausted());
                let dropped = self.known.add(found, self.wanted);
                return Ok(match next {
                    Some(next) if better == 0 || is_exhausted => Outcome::Complete { runner_up: next.max(dropped) },
                    _ => Outcome::Better,
                });
            }
            if is_last {
                let found = space.leading(&ritz[..self.wanted.min(ritz.len())]);
                self.known.add(found, self.wanted);
                return Ok(Outcome::Stopped);
            }
            if is_full {
                let kept = self.wanted.max(self.plan.basis / 2).min(self.plan.basis - 4);
                space.restart(&ritz[..kept]);
                looked_at = kept;
            }
        }
    }

    /// Whether the leading Ritz pairs have converged, up to the first that is no better than what is known.
    fn judge(&self, space: &Krylov, ritz: &[RitzValue], operator: &Measured, is_full: bool) -> Judgement {
        let (close, is_exhausted) = (self.plan.tolerance * operator.norm, space.is_exhausted());
        let is_first = self.known.ranks.is_empty();
        let mut ranks = self.known.ranks.clone();
        for (index, pair) in ritz.iter().enumerate() {
            if is_first && index == self.wanted {
                return Judgement::Settled { better: index, next: is_exhausted.then_some(pair.rank) };
            }
            let last = if ranks.len() < self.wanted { f64::NEG_INFINITY } else { ranks[self.wanted - 1] + close };
            if pair.residual > close {
                // Once it has found something a run may end early: another one will follow.
                let is_behind = index > 0 && pair.rank + pair.residual <= last;
                let limit = if index > 0 { None } else { self.limit(space, ritz, operator.dimension(), last, is_full) };
                return match limit {
                    None if is_first || !is_behind => Judgement::Open,
                    next => Judgement::Settled { better: index, next },
                };
            }
            if !(pair.rank > last) {
                return Judgement::Settled { better: index, next: Some(pair.rank + pair.residual) };
            }
            let place = ranks.partition_point(|&rank| rank >= pair.rank);
            ranks.insert(place, pair.rank);
        }
        let is_settled = is_exhausted || (is_first && ritz.len() == self.wanted);
        if !is_settled {
            return Judgement::Open;
        }
        Judgement::Settled { better: ritz.len(), next: is_exhausted.then_some(f64::NEG_INFINITY) }
    }

    /// A rank, at most `last`, that no eigenvalue beside the known ones reaches, as far as the space shows it.
    ///
    /// A component of a vector of d uniform coordinates along a unit vector has a density below 1/√2 (Ball, Proc. AMS 97 (1986), 465–473),
    /// and its length is at most √d: |uᵀv₁| < δ has a probability below √(2d)·δ.
    fn limit(&self, space: &Krylov, ritz: &[RitzValue], dimension: usize, last: f64, is_full: bool) -> Option<f64> {
        let least = ln(OVERLOOKED) - 0.5 * ln(2.0 * dimension as f64);
        let sides: &[bool] = match self.plan.which {
            Which::Largest => &[false],
            Which::Smallest => &[true],
            Which::LargestMagnitude => &[false, true],
        };
        let excludes = |limit: f64| {
            sides.iter().all(|&mirrored| space.log_component(ritz, limit, mirrored).is_some_and(|bound| bound < least))
        };
        // Half of the distance gives the last pair a gap that is at most twice too small; the rest would take many more products.
        let best = ritz[0].rank;
        let shares: &[f64] = if is_full { &[0.5, 0.75, 0.9, 1.0] } else { &[0.5] };
        let is_finite = last.is_finite() && last > best;
        shares.iter().map(|share| best + share * (last - best)).find(|&limit| is_finite && excludes(limit))
    }
}

impl Known {
    /// Adds pairs and keeps the best `wanted`. Returns the best rank of those that are dropped, −∞ if none is.
    fn add(&mut self, found: Vec<(f64, Vec<f64>)>, wanted: usize) -> f64 {
        for (rank, mut vector) in found {
            // They are orthonormal but for what rounding did to them in many restarts.
            let left = orthogonalise(&mut vector, &self.vectors, &[], &mut []);
            if left == 0.0 {
                continue;
            }
            divide(&mut vector, left);
            self.ranks.push(rank);
            self.vectors.push(vector);
        }
        let mut order: Vec<usize> = (0..self.ranks.len()).collect();
        order.sort_by(|&a, &b| self.ranks[b].total_cmp(&self.ranks[a]));
        let dropped = order.get(wanted).map_or(f64::NEG_INFINITY, |&index| self.ranks[index]);
        order.truncate(wanted);
        self.ranks = order.iter().map(|&index| self.ranks[index]).collect();
        self.vectors = order.iter().map(|&index| std::mem::take(&mut self.vectors[index])).collect();
        dropped
    }
}
