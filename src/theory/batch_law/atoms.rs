//! A law on finitely many values, each with its probability.

use super::Summands;
use crate::statistics::special::normal_cdf;

/// Values are known to this many standard deviations: twice what taking neighbours for equal moves them by, and far above rounding.
const SLACK: f64 = 1e-8;
/// Rounding of probabilities.
const ROUNDING: f64 = 1e-12;
/// A convolution of more products than this is not worth it.
const MOST_PRODUCTS: usize = 1 << 20;
/// Tails that are lighter are left out; what is left out is counted in the error.
const LIGHT: f64 = 1e-15;

/// A value and its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub at: f64,
    pub weight: f64,
}

/// A distribution function of steps.
#[derive(Clone, Debug)]
pub(super) struct Atoms {
    /// In standard deviations, ascending.
    at: Vec<f64>,
    /// The probability up to each of them, itself included.
    up_to: Vec<f64>,
    /// Of probabilities.
    error: f64,
}

impl Atoms {
    /// Of sums with their probabilities, whose standard deviation is `deviation`; what they lack of 1 is the error.
    pub(super) fn counted(steps: &[Step], deviation: f64) -> Self {
        let mut sum = 0.0;
        let mut up_to = Vec::with_capacity(steps.len());
        for step in steps {
            sum += step.weight;
            up_to.push(sum);
        }
        let at = steps.iter().map(|step| step.at / deviation).collect();
        Self { at, up_to, error: f64::abs(1.0 - sum) + ROUNDING }
    }

    /// Of as many draws, ascending and in standard deviations, whose empirical law is within `error` of the true one.
    pub(super) fn sampled(draws: Vec<f64>, error: f64) -> Self {
        let count = draws.len() as f64;
        let up_to = (1..=draws.len()).map(|below| below as f64 / count).collect();
        Self { at: draws, up_to, error }
    }

    pub(super) fn bounds(&self, z: f64) -> [f64; 2] {
        let below = |z: f64| match self.at.partition_point(|at| *at <= z) {
            0 => 0.0,
            count => self.up_to[count - 1],
        };
        [(below(z - SLACK) - self.error).max(0.0), (below(z + SLACK) + self.error).min(1.0)]
    }

    /// At each step from both sides.
    pub(super) fn distance(&self) -> [f64; 2] {
        let (mut low, mut high, mut before) = (0.0f64, 0.0f64, 0.0);
        for (&at, &up_to) in self.at.iter().zip(&self.up_to) {
            let [left, right] = [normal_cdf(at - SLACK), normal_cdf(at + SLACK)];
            low = low.max(up_to - right).max(left - before);
            high = high.max(up_to - left).max(right - before);
            before = up_to;
        }
        [(low - self.error).max(0.0), (high + self.error).min(1.0)]
    }
}

/// All sums of `size` independent draws, ascending, equal ones added up; `None` where there are too many.
pub(super) fn sums(summands: &Summands, size: u64, deviation: f64) -> Option<Vec<Step>> {
    let equal = equal_sums(size, deviation);
    let (mut left, mut square) = (size, summands.steps());
    let mut sums: Option<Vec<Step>> = None;
    loop {
        if left & 1 == 1 {
            sums = Some(match sums {
                Some(sums) => convolved(&sums, &square, equal)?,
                None => square.clone(),
            });
        }
        left >>= 1;
        if left == 0 {
            return sums;
        }
        square = convolved(&square, &square, equal)?;
    }
}

/// By how much sums may differ that are taken for equal: over all convolutions that moves none by more than half of the slack.
pub(super) fn equal_sums(size: u64, deviation: f64) -> f64 {
    0.5 * SLACK * deviation / size as f64
}

fn convolved(first: &[Step], second: &[Step], equal: f64) -> Option<Vec<Step>> {
    if first.len().saturating_mul(second.len()) > MOST_PRODUCTS {
        return None;
    }
    let products = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| Step { at: a.at + b.at, weight: a.weight * b.weight }))
        .collect();
    Some(without_light_tails(merged(products, equal)))
}

/// In order, those within `equal` of the first of them added up.
pub(super) fn merged(mut steps: Vec<Step>, equal: f64) -> Vec<Step> {
    steps.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut kept = 0;
    for index in 0..steps.len() {
        let step = steps[index];
        if kept > 0 && step.at - steps[kept - 1].at <= equal {
            steps[kept - 1].weight += step.weight;
        } else {
            steps[kept] = step;
            kept += 1;
        }
    }
    steps.truncate(kept);
    steps
}

fn without_light_tails(mut steps: Vec<Step>) -> Vec<Step> {
    fn light<'a>(steps: impl Iterator<Item = &'a Step>) -> usize {
        let mut sum = 0.0;
        let is_light = |step: &&Step| {
            sum += step.weight;
            sum < LIGHT
        };
        steps.take_while(is_light).count()
    }
    steps.truncate(steps.len() - light(steps.iter().rev()));
    steps.drain(..light(steps.iter()));
    steps
}
