//! Sums of S different ones of N numbers: counted where few are possible, else of random subsets.
//!
//! Counting goes through the different values, one after another: how many of the m examples with a value are in the subset is hypergeometric,
//! given how many places and how many examples are left.

use rayon::prelude::*;

use super::Summands;
use super::atoms::{Atoms, Step, equal_sums, merged};
use crate::math::{exp, ln};
use crate::random::{Purpose, stream::Stream};

/// More products than this are not worth it.
const MOST_PRODUCTS: usize = 1 << 22;
/// Random subsets, in so many chunks with streams of their own.
const CHUNKS: u64 = 64;
const PER_CHUNK: usize = 4096;
/// The probability that the empirical law is further off than its error says.
const MISSED: f64 = 1e-3;
/// Predictions do not depend on the scenario's seed.
const SEED: u64 = 0x5EED_5B5E;

/// All sums of `size` different ones, ascending, equal ones added up; `None` where there are too many.
pub(super) fn sums(summands: &Summands, size: u64, deviation: f64) -> Option<Vec<Step>> {
    let (size, sign) = smaller_part(summands, size);
    let equal = equal_sums(size as u64, deviation);
    let mut in_all = 0;
    let mut left = summands.total;
    // By how many are in the subset already: the sums so far.
    let mut states: Vec<Vec<Step>> = vec![Vec::new(); size + 1];
    states[0].push(Step { at: 0.0, weight: 1.0 });
    for (value, &count) in summands.values.iter().zip(&summands.counts) {
        let count = count as usize;
        left -= count;
        let mut next: Vec<Vec<Step>> = vec![Vec::new(); size + 1];
        for (taken, steps) in states.iter().enumerate().filter(|(_, steps)| !steps.is_empty()) {
            let places = size - taken;
            for more in places.saturating_sub(left)..=count.min(places) {
                in_all += steps.len();
                if in_all > MOST_PRODUCTS {
                    return None;
                }
                let chance = hypergeometric(more, places, count, left);
                let moved =
                    |step: &Step| Step { at: step.at + sign * more as f64 * value, weight: step.weight * chance };
                next[taken + more].extend(steps.iter().map(moved));
            }
        }
        states = next.into_iter().map(|steps| merged(steps, equal)).collect();
    }
    states.pop()
}

/// The sum of a subset is less that of the others, since all numbers add up to 0: how many to draw, and the sign.
fn smaller_part(summands: &Summands, size: u64) -> (usize, f64) {
    let others = summands.total - size as usize;
    if others < size as usize { (others, -1.0) } else { (size as usize, 1.0) }
}

/// The probability that `more` of `places` drawn from `count` + `left` examples are among the `count`.
fn hypergeometric(more: usize, places: usize, count: usize, left: usize) -> f64 {
    let choose = |n: usize, k: usize| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    exp(choose(count, more) + choose(left, places - more) - choose(count + left, places))
}

fn ln_factorial(n: usize) -> f64 {
    if n < 2 { 0.0 } else { libm::lgamma(n as f64 + 1.0) }
}

/// The empirical law of many random subsets.
pub(super) fn sampled(summands: &Summands, size: u64, deviation: f64) -> Atoms {
    let (size, sign) = smaller_part(summands, size);
    let repeated = summands.values.iter().zip(&summands.counts);
    let numbers: Vec<f64> = repeated.flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize)).collect();
    let chunk = |index: u64| {
        let mut stream = Stream::new(SEED, index, Purpose::PredictedSubsets);
        let mut pool = numbers.clone();
        let mut draws = Vec::with_capacity(PER_CHUNK);
        for _ in 0..PER_CHUNK {
            // The first exchanges of Fisher and Yates' shuffle: any order is as good a start as another.
            let mut sum = 0.0;
            for place in 0..size {
                let other = place + stream.below((numbers.len() - place) as u32) as usize;
                pool.swap(place, other);
                sum += pool[place];
            }
            draws.push(sign * sum / deviation);
        }
        draws
    };
    let mut draws: Vec<f64> = (0..CHUNKS).into_par_iter().flat_map_iter(chunk).collect();
    draws.sort_by(f64::total_cmp);
    let error = (0.5 * ln(2.0 / MISSED) / draws.len() as f64).sqrt();
    Atoms::sampled(draws, error)
}
