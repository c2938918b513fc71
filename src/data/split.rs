//! Which examples are taken, and which of them are set aside for testing.

use super::dataset::Targets;
use super::draws::{Draws, Use};
use super::error::DataError;
use super::spec::{DataSpec, Subset};

/// The examples of the two parts, in the order in which they come.
pub(super) struct Split {
    pub training: Vec<usize>,
    /// Empty where nothing is tested on, or where the makers of the set gave examples of their own.
    pub test: Vec<usize>,
}

impl Split {
    /// Of the candidates among all examples.
    pub fn of(spec: &DataSpec, targets: &Targets, candidates: &[usize], seed: u64) -> Result<Self, DataError> {
        let taken = taken(spec, targets, candidates, seed)?;
        let count = tested(spec, taken.len())?;
        let (mut test, mut training) = stratified(&taken, count, targets, &mut Draws::new(seed, Use::Split));
        // Files are often sorted by class, which whoever takes examples in order must not meet.
        let mut order = Draws::new(seed, Use::Order);
        order.shuffle(&mut training);
        order.shuffle(&mut test);
        Ok(Self { training, test })
    }
}

/// The examples that are taken of all candidates, in the order of the file.
fn taken(spec: &DataSpec, targets: &Targets, candidates: &[usize], seed: u64) -> Result<Vec<usize>, DataError> {
    let all = candidates.len();
    let wanted = match spec.examples {
        Some(examples) if examples > all as u64 => {
            let of_classes = if spec.only_classes.is_some() { " of these classes" } else { "" };
            let message = format!(
                "found {examples}; the data set has {all} examples{of_classes}, the most that can be taken; give at most {all}, or leave the key \
                 out to take all"
            );
            return Err(DataError::new("examples", message));
        }
        Some(examples) => examples as usize,
        None => all,
    };
    if wanted == all || spec.subset == Some(Subset::First) {
        return Ok(candidates[..wanted].to_vec());
    }
    Ok(stratified(candidates, wanted, targets, &mut Draws::new(seed, Use::Subset)).0)
}

/// How many of `all` examples are set aside.
fn tested(spec: &DataSpec, all: usize) -> Result<usize, DataError> {
    let (key, count) = match (spec.test_examples, spec.test_fraction) {
        (Some(count), _) => ("test_examples", count),
        (None, Some(fraction)) => ("test_fraction", (fraction * all as f64).round() as u64),
        (None, None) => return Ok(0),
    };
    if count >= all as u64 {
        let message = format!(
            "{count} of {all} examples would be set aside, and none left to learn from; at most {} can be; give less",
            all.saturating_sub(1)
        );
        return Err(DataError::new(key, message));
    }
    if count == 0 && spec.test_fraction.is_some_and(|fraction| fraction > 0.0) {
        let message =
            format!("of {all} examples that is none; one is {:.3}; give at least that, or 0", 1.0 / all as f64);
        return Err(DataError::new(key, message));
    }
    Ok(count as usize)
}

/// `count` of the candidates, and the others, both in the order of the candidates. Of each class as many as its share, by the
/// method of the largest remainder; within a class all choices are equally likely.
fn stratified(candidates: &[usize], count: usize, targets: &Targets, draws: &mut Draws) -> (Vec<usize>, Vec<usize>) {
    if count == 0 {
        return (Vec::new(), candidates.to_vec());
    }
    let mut strata = strata(candidates, targets);
    let all = candidates.len() as u128;
    let share = |stratum: &Vec<usize>| (count as u128 * stratum.len() as u128 / all) as usize;
    let remainder = |stratum: &Vec<usize>| count as u128 * stratum.len() as u128 % all;
    let mut quotas: Vec<usize> = strata.iter().map(share).collect();
    let missing = count - quotas.iter().sum::<usize>();
    let mut by_remainder: Vec<usize> = (0..strata.len()).collect();
    by_remainder.sort_by_key(|&class| (std::cmp::Reverse(remainder(&strata[class])), class));
    by_remainder.iter().take(missing).for_each(|&class| quotas[class] += 1);

    let (mut chosen, mut others) = (Vec::with_capacity(count), Vec::with_capacity(candidates.len() - count));
    for (stratum, quota) in strata.iter_mut().zip(quotas) {
        draws.shuffle(stratum);
        let (first, rest) = stratum.split_at(quota);
        chosen.extend_from_slice(first);
        others.extend_from_slice(rest);
    }
    chosen.sort_unstable();
    others.sort_unstable();
    (chosen, others)
}

/// The candidates of each class; all together where there are no classes.
fn strata(candidates: &[usize], targets: &Targets) -> Vec<Vec<usize>> {
    match targets {
        Targets::Values { .. } => vec![candidates.to_vec()],
        Targets::Labels { labels, class_names } => {
            let mut strata = vec![Vec::new(); class_names.len()];
            candidates.iter().for_each(|&index| strata[labels[index] as usize].push(index));
            strata
        }
    }
}
