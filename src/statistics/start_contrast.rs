//! The start contrast: does what a replica measures still depend on where it started?
//!
//! Unlike R̂ it uses *all* replicas, each as one number, so it has a known false-alarm rate and gains power with R.

use super::error::StatisticsError;
use super::estimate::Estimate;
use super::special::student_t_quantile;
use serde::{Deserialize, Serialize};

/// The probability, over all comparisons together, of calling an equilibrated ensemble dependent on its start.
pub const FALSE_ALARM: f64 = 1e-3;

/// The largest of the contrasts between start groups, over all observables, in units of what is allowed for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartContrast {
    /// The observable (state) whose contrast it is.
    pub observable: String,
    /// The start group, or the later half of the run.
    pub group: String,
    /// What it is compared with: the other group, the rest of the groups, or the earlier half of the run.
    pub against: String,
    /// Mean of the group minus mean of the others, with Welch's standard error and degrees of freedom.
    pub difference: Estimate,
    /// |difference|/SE; `None` for a difference without any spread (frozen replicas), which is infinitely many.
    pub t: Option<f64>,
    /// The number of comparisons (groups × observables) that the threshold is corrected for (Bonferroni).
    pub comparisons: usize,
    /// The two-sided Student-t quantile at 1 − [`FALSE_ALARM`]/comparisons that |t| may not exceed.
    pub threshold: f64,
}

impl StartContrast {
    /// True if the contrast is compatible with 0.
    pub fn is_consistent_with_zero(&self) -> bool {
        self.t.is_some_and(|t| t <= self.threshold)
    }

    /// How far the contrast is from what is allowed: > 1 is inconsistent with 0.
    fn excess(&self) -> f64 {
        self.t.map_or(f64::INFINITY, |t| t / self.threshold)
    }
}

/// Contrasts between start groups: each group against the rest (two groups: once), for each observable with any spread.
///
/// `observables` are (label, one mean per replica); `replica_groups[r]` indexes `groups`. Returns the contrast largest
/// relative to its threshold, |t| against the two-sided 99.9 % Student-t quantile, Bonferroni-corrected over all
/// comparisons; `Ok(None)` if nothing varies at all, over replicas of all groups.
///
/// Errors: shapes; fewer than two groups; a group of fewer than two replicas, whose spread is unknown.
pub fn start_contrast(
    observables: &[(&str, &[f64])],
    groups: &[String],
    replica_groups: &[usize],
) -> Result<Option<StartContrast>, StatisticsError> {
    if groups.len() < 2 {
        return Err(StatisticsError::Undefined(
            "all replicas started in one group, so nothing can be said about the memory of the start".into(),
        ));
    }
    for (index, group) in groups.iter().enumerate() {
        let replicas = replica_groups.iter().filter(|&&g| g == index).count();
        if replicas < 2 {
            let message =
                format!("start group {group} has {replicas} replica(s); at least 2 are needed for an error bar");
            return Err(StatisticsError::Undefined(message));
        }
    }
    let varies = |values: &[f64]| values.iter().any(|value| *value != values[0]);
    let varying: Vec<_> = observables.iter().filter(|(_, means)| varies(means)).collect();
    // With two groups, "each against the rest" is the same comparison twice.
    let compared = if groups.len() == 2 { &groups[..1] } else { groups };
    let comparisons = compared.len() * varying.len();
    let mut largest: Option<StartContrast> = None;
    for (label, means) in varying {
        if means.len() != replica_groups.len() {
            return Err(StatisticsError::Shape {
                what: format!("replica means of {label}"),
                found: means.len(),
                expected: replica_groups.len(),
            });
        }
        for (index, group) in compared.iter().enumerate() {
            let select = |inside: bool| -> Vec<f64> {
                means.iter().zip(replica_groups).filter(|(_, g)| (**g == index) == inside).map(|(m, _)| *m).collect()
            };
            let (Some(mine), Some(others)) =
                (Estimate::from_replicas(&select(true)), Estimate::from_replicas(&select(false)))
            else {
                return Err(StatisticsError::Undefined(format!("a replica mean of {label} is not finite")));
            };
            let against = if groups.len() == 2 { groups[1].clone() } else { "the other start groups".to_string() };
            let contrast = contrast(label, group.clone(), against, mine.minus(&others), comparisons);
            if largest.as_ref().is_none_or(|so_far| contrast.excess() > so_far.excess()) {
                largest = Some(contrast);
            }
        }
    }
    Ok(largest)
}

/// Where all replicas start alike, the later half of each chain against its earlier half takes the start contrast's
/// place: memory of the start shows as a drift. Paired over chains; `Ok(None)` if nothing varies.
///
/// `observables` are (label, chains × draws).
pub fn drift_contrast(observables: &[(&str, &[Vec<f64>])]) -> Result<Option<StartContrast>, StatisticsError> {
    let half_means = |chain: &Vec<f64>| {
        let half = chain.len() / 2;
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        mean(&chain[chain.len() - half..]) - mean(&chain[..half])
    };
    let mut largest: Option<StartContrast> = None;
    for (label, chains) in observables {
        let drifts: Vec<f64> = chains.iter().map(half_means).collect();
        let Some(drift) = Estimate::from_replicas(&drifts) else {
            let message = format!("the drift of {label} needs at least 2 chains of at least 2 finite values");
            return Err(StatisticsError::Undefined(message));
        };
        if drift.has_no_spread() && drift.value == 0.0 {
            continue;
        }
        let contrast = contrast(label, "the later half".into(), "the earlier half".into(), drift, observables.len());
        if largest.as_ref().is_none_or(|so_far| contrast.excess() > so_far.excess()) {
            largest = Some(contrast);
        }
    }
    Ok(largest)
}

fn contrast(label: &str, group: String, against: String, difference: Estimate, comparisons: usize) -> StartContrast {
    let threshold = -student_t_quantile(0.5 * FALSE_ALARM / comparisons as f64, difference.degrees_of_freedom);
    let t = if difference.standard_error > 0.0 {
        Some(difference.value.abs() / difference.standard_error)
    } else {
        // No spread in either group: equal groups are no contrast, unequal ones are frozen apart.
        (difference.value == 0.0).then_some(0.0)
    };
    StartContrast { observable: label.to_string(), group, against, difference, t, comparisons, threshold }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("group {index}")).collect()
    }

    #[test]
    fn two_groups_are_compared_once_by_welch() {
        // Means 2 and 5, s² 1 and 4, 3 replicas each: SE² = 5/3, ν = (5/3)²/((1/3)² /2 + (4/3)²/2) = 50/17.
        let means = [1.0, 2.0, 3.0, 3.0, 5.0, 7.0];
        let contrast = start_contrast(&[("A", &means)], &names(2), &[0, 0, 0, 1, 1, 1]).unwrap().unwrap();
        assert_eq!(contrast.comparisons, 1);
        assert!((contrast.difference.value + 3.0).abs() < 1e-14);
        assert!((contrast.difference.degrees_of_freedom - 50.0 / 17.0).abs() < 1e-12);
        assert!((contrast.t.unwrap() - 3.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-13);
        assert!((contrast.threshold + student_t_quantile(0.0005, 50.0 / 17.0)).abs() < 1e-12);
        assert!(contrast.is_consistent_with_zero());
    }

    #[test]
    fn several_groups_and_observables_are_corrected_for() {
        let groups: Vec<usize> = (0..30).map(|r| r % 3).collect();
        let first: Vec<f64> = (0..30).map(|r| f64::from((r * 7) % 11)).collect();
        let second: Vec<f64> = (0..30).map(|r| if r % 3 == 2 { 50.0 } else { 0.0 } + f64::from(r % 5)).collect();
        let flat = vec![0.25; 30];
        let input: [(&str, &[f64]); 3] = [("A", &first), ("B", &second), ("C", &flat)];
        let contrast = start_contrast(&input, &names(3), &groups).unwrap().unwrap();
        // C never varies and is not counted: 3 groups × 2 observables.
        assert_eq!(contrast.comparisons, 6);
        assert_eq!((contrast.observable.as_str(), contrast.group.as_str()), ("B", "group 2"));
        let expected = -student_t_quantile(0.0005 / 6.0, contrast.difference.degrees_of_freedom);
        assert!((contrast.threshold - expected).abs() < 1e-12);
        assert!(!contrast.is_consistent_with_zero());
    }

    #[test]
    fn degenerate_cases_are_explicit() {
        let frozen = [1.0, 1.0, 0.0, 0.0];
        let contrast = start_contrast(&[("A", &frozen)], &names(2), &[0, 0, 1, 1]).unwrap().unwrap();
        assert_eq!(contrast.t, None);
        assert!(!contrast.is_consistent_with_zero());
        assert_eq!(start_contrast(&[("A", &[1.0; 4])], &names(2), &[0, 0, 1, 1]), Ok(None));
        assert!(start_contrast(&[("A", &frozen)], &names(1), &[0, 0, 0, 0]).is_err());
        assert!(start_contrast(&[("A", &frozen)], &names(2), &[0, 0, 0, 1]).is_err());
        assert!(start_contrast(&[("A", &frozen)], &names(2), &[0, 0, 1, 1, 1]).is_err());
    }

    #[test]
    fn a_drift_is_seen_and_its_absence_too() {
        let rising: Vec<Vec<f64>> =
            (0..8).map(|c| (0..10).map(|t| f64::from(t * 10 + (c * t) % 3)).collect()).collect();
        let contrast = drift_contrast(&[("x²", rising.as_slice())]).unwrap().unwrap();
        assert!(!contrast.is_consistent_with_zero() && contrast.difference.value > 0.0);
        let flat = vec![vec![1.0; 10]; 8];
        assert_eq!(drift_contrast(&[("x²", flat.as_slice())]), Ok(None));
        assert!(drift_contrast(&[("x²", &flat[..1])]).is_err());
    }
}
