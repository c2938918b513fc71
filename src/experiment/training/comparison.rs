//! Learning curves of groups set beside each other: mean differences, pair by pair from equal starts, at every look, in standard deviations
//! between the seeds of a pilot group.

use super::course::Course;
use super::group::Group;
use crate::findings::{CurveGroup, CurvePoint, CurvesFigure, GroupRecord};
use crate::math;
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, judge};
use crate::training::Measured;

/// What differences are in, for the notes of a result.
pub(super) const UNITS: &str = "Differences are in standard deviations between seeds, of a pilot group whose runs count for nothing else; replicas \
                                of all groups start from the same weights, and differences are taken pair by pair";

/// What is compared along the epochs.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Quantity {
    /// ln L over the training examples.
    Loss,
    /// The fraction of examples that are classified rightly.
    Accuracy(Part),
}

/// Whose accuracy.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// Of the training examples.
    Training,
    /// Of those set aside.
    Test,
}

impl Quantity {
    /// The quantities that these data have.
    pub(super) fn all(course: &Course) -> Vec<Self> {
        let is_labelled = course.data.training.labels().is_some();
        let part = if course.data.test.is_some() { Part::Test } else { Part::Training };
        std::iter::once(Self::Loss).chain(is_labelled.then_some(Self::Accuracy(part))).collect()
    }

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy(_) => "accuracy",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loss => "ln L",
            Self::Accuracy(Part::Test) => "test accuracy",
            Self::Accuracy(Part::Training) => "training accuracy",
        }
    }

    /// What will be compared, before it is.
    pub(super) fn unmeasured(self) -> Contrast {
        let label = format!("Δ {} at every look", self.name());
        Contrast { label, predicted: 0.0, predicted_standard_error: 0.0, measured: None }
    }

    pub(super) fn of(self, measured: &Measured) -> f64 {
        let accuracy = match self {
            Self::Loss => return math::ln(measured.training.loss),
            Self::Accuracy(Part::Training) => measured.training.accuracy,
            Self::Accuracy(Part::Test) => measured.test.and_then(|test| test.accuracy),
        };
        accuracy.unwrap_or(f64::NAN)
    }
}

/// One quantity of the group that others are compared with, and the spread between seeds at every look.
pub(super) struct Comparison<'a> {
    pub(super) quantity: Quantity,
    first: &'a Group,
    /// Standard deviation between the seeds of the pilot, per look.
    spread: Vec<f64>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(quantity: Quantity, pilot: &Group, first: &'a Group) -> Self {
        let spread = (0..pilot.looks.len()).map(|look| deviation(&pilot.at(look, |measured| quantity.of(measured))));
        Self { quantity, first, spread: spread.collect() }
    }

    /// The mean difference of a group from the first at a look, pair by pair, in standard deviations between seeds. `None` where seeds do
    /// not differ or fewer than two pairs are left.
    pub(super) fn difference(&self, group: &Group, look: usize) -> Option<Estimate> {
        let spread = self.spread.get(look).copied().filter(|spread| *spread > 0.0)?;
        let of = |group: &Group| group.at(look, |measured| self.quantity.of(measured));
        let pairs = of(group).into_iter().zip(of(self.first));
        let differences: Vec<f64> =
            pairs.filter_map(|(one, other)| Some((one? - other?) / spread)).filter(|x| x.is_finite()).collect();
        Estimate::from_replicas(&differences)
    }

    /// A note on looks that cannot be compared.
    pub(super) fn left_out(&self) -> Option<String> {
        let silent = (1..self.spread.len()).filter(|&look| self.spread[look] <= 0.0).count();
        let name = self.quantity.name();
        (silent > 0)
            .then(|| format!("{silent} look(s) at which the {name} of all seeds of the pilot is the same are left out"))
    }

    /// The looks after the start at which seeds differ.
    fn looks(&self) -> impl Iterator<Item = usize> + '_ {
        (1..self.spread.len()).filter(|&look| self.spread[look] > 0.0)
    }

    /// The mean over all looks of the difference of every pair; `None` where a replica of it diverged.
    pub(super) fn mean_differences(&self, group: &Group) -> Vec<Option<f64>> {
        let of = |group: &Group, look: usize| group.at(look, |measured| self.quantity.of(measured));
        let looks: Vec<usize> = self.looks().collect();
        let mut sums: Vec<Option<f64>> = vec![(!looks.is_empty()).then_some(0.0); of(group, 0).len()];
        for &look in &looks {
            let pairs = of(group, look).into_iter().zip(of(self.first, look));
            for (sum, (one, other)) in sums.iter_mut().zip(pairs) {
                let difference =
                    one.zip(other).map(|(one, other)| (one - other) / (self.spread[look] * looks.len() as f64));
                *sum = sum.zip(difference).map(|(sum, difference)| sum + difference).filter(|sum| sum.is_finite());
            }
        }
        sums
    }

    pub(super) fn judge(&self, group: &Group, tolerance: f64) -> Judgement {
        let contrasts: Vec<Contrast> = self
            .looks()
            .map(|look| Contrast {
                label: format!("Δ {} at epoch {}", self.quantity.name(), shown(self.first.epochs(look))),
                predicted: 0.0,
                predicted_standard_error: 0.0,
                measured: self.difference(group, look),
            })
            .collect();
        judge(&contrasts, tolerance, &Evidence::without_equilibrium(group.diverged.len()))
    }
}

/// An epoch in a few digits.
fn shown(epochs: f64) -> String {
    format!("{}", (epochs * 1e3).round() / 1e3)
}

/// Standard deviation with divisor R − 1; 0 where there are fewer than two.
fn deviation(values: &[Option<f64>]) -> f64 {
    let values: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let Some(mean) = Estimate::from_replicas(&values) else { return 0.0 };
    mean.standard_error * (values.len() as f64).sqrt()
}

/// The group with the means of all quantities at its last look.
pub(super) fn record(group: &Group, course: &Course) -> GroupRecord {
    let last = group.looks.len().saturating_sub(1);
    let mut measures = vec![("L", group.mean(last, |measured| measured.training.loss))];
    for quantity in Quantity::all(course).into_iter().filter(|quantity| *quantity != Quantity::Loss) {
        measures.push((quantity.name(), group.mean(last, |measured| quantity.of(measured))));
    }
    group.record(&measures)
}

/// The curves of all groups; differences are from the first.
pub(super) fn figure(comparisons: &[Comparison], groups: &[&Group]) -> CurvesFigure {
    let point = |comparison: &Comparison, group: &Group, look: usize| {
        let quantity = comparison.quantity;
        let shown = |measured: &Measured| match quantity {
            Quantity::Loss => measured.training.loss,
            Quantity::Accuracy(_) => quantity.of(measured),
        };
        let difference = (look > 0).then(|| comparison.difference(group, look)).flatten();
        let ends = difference.as_ref().and_then(|difference| difference.interval(0.95));
        CurvePoint {
            epoch: group.epochs(look),
            mean: group.mean(look, shown).map_or(f64::NAN, |mean| mean.value),
            deviation: deviation(&group.at(look, shown)),
            difference: difference.as_ref().map_or(f64::NAN, |difference| difference.value),
            low: ends.map_or(f64::NAN, |ends| ends[0]),
            high: ends.map_or(f64::NAN, |ends| ends[1]),
        }
    };
    let curves = |group: &Group| CurveGroup {
        name: group.name.clone(),
        curves: comparisons
            .iter()
            .map(|comparison| (0..group.looks.len()).map(|look| point(comparison, group, look)).collect())
            .collect(),
    };
    CurvesFigure {
        quantities: comparisons
            .iter()
            .map(|comparison| match comparison.quantity {
                Quantity::Loss => "training loss L".to_owned(),
                quantity => quantity.name().to_owned(),
            })
            .collect(),
        groups: groups.iter().copied().map(curves).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_between_replicas_and_not_of_their_mean() {
        // (1 − 2)² + (3 − 2)² over R − 1 = 1.
        assert_eq!(deviation(&[Some(1.0), None, Some(3.0), Some(f64::NAN)]), 2f64.sqrt());
        let many: Vec<Option<f64>> = (0..100).map(|i| Some(f64::from(i % 2))).collect();
        assert!((deviation(&many) - (25.0f64 / 99.0).sqrt()).abs() < 1e-12);
        assert_eq!(deviation(&[Some(1.0)]), 0.0);
    }
}
