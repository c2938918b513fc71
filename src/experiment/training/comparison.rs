//! Learning curves of groups set beside each other: mean differences, pair by pair from equal starts, at every look, in units of the
//! spread between the seeds of a pilot group, whose own error is in every interval ([`crate::statistics::estimated_unit`]).

use std::cmp::Reverse;

use super::super::records::Claim;
use super::course::Course;
use super::group::Group;
use crate::findings::{ClaimRecord, CurveGroup, CurvePoint, CurvesFigure, GroupRecord};
use crate::statistics::estimated_unit::FEWEST_SEEDS;
use crate::statistics::{Contrast, Estimate, Evidence, InUnits, Judgement, LeftOut, Sample, Spread, judge_in_units};
use crate::training::Measured;

/// What differences are in, for the notes of a result.
pub(super) const UNITS: &str = "Differences are in units of the spread between seeds (√π/2 times the mean distance of two, for normal seeds their standard \
                                deviation) of a pilot group whose runs count for nothing else; intervals have the error of this unit too. Replicas \
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

    /// Of a replica whose value is no finite number.
    fn undefined(self) -> &'static str {
        match self {
            Self::Loss => "with L = 0, whose logarithm is no number",
            Self::Accuracy(_) => "without a number",
        }
    }

    /// What will be compared, before it is.
    pub(super) fn unmeasured(self) -> Contrast {
        let label = format!("Δ {} at every look", self.name());
        Contrast { label, predicted: 0.0, predicted_standard_error: 0.0, predicted_bound: 0.0, measured: None }
    }

    pub(super) fn of(self, measured: &Measured) -> f64 {
        let accuracy = match self {
            Self::Loss => return measured.training.log_loss,
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
    /// Its value for the seeds of the pilot, per look.
    pilot: Vec<Sample>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(quantity: Quantity, pilot: &Group, first: &'a Group) -> Self {
        let pilot = (0..pilot.looks.len()).map(|look| pilot.sample(look, |measured| quantity.of(measured)));
        Self { quantity, first, pilot: pilot.collect() }
    }

    /// The spread between seeds at a look, the unit of differences; `None` where seeds do not differ, or
    /// are fewer than five.
    fn spread(&self, look: usize) -> Option<Spread> {
        Spread::of(self.pilot.get(look)?.values())
    }

    /// A group less the first at a look, pair by pair.
    fn pairs(&self, group: &Group, look: usize) -> Sample {
        let of = |group: &Group| group.at(look, |measured| self.quantity.of(measured));
        Sample::of_differences(&of(group), &of(self.first))
    }

    /// The mean difference of a group from the first at a look, pair by pair, in units of the spread between seeds. `None` where seeds do
    /// not differ or fewer than two pairs are left.
    pub(super) fn difference(&self, group: &Group, look: usize) -> Option<InUnits> {
        let unit = self.spread(look)?;
        let difference = Estimate::from_replicas(self.pairs(group, look).values())?;
        Some(InUnits { difference, unit })
    }

    /// What has no part in the comparison of these groups with the first, for the notes of a result.
    pub(super) fn left_out(&self, groups: &[Group]) -> Vec<String> {
        let silent = (1..self.pilot.len()).filter(|&look| self.is_silent(look)).count();
        let name = self.quantity.name();
        let silent = (silent > 0).then(|| {
            format!("{silent} look(s) at which the {name} of all seeds of the pilot is the same are left out")
        });
        silent.into_iter().chain(groups.iter().filter_map(|group| self.missing(group))).collect()
    }

    /// The looks after the start but for those at which seeds do not differ.
    fn looks(&self) -> impl Iterator<Item = usize> + '_ {
        (1..self.pilot.len()).filter(|&look| !self.is_silent(look))
    }

    /// Whether the seeds of the pilot are enough for a unit, and there is none because they do not differ.
    fn is_silent(&self, look: usize) -> bool {
        self.spread(look).is_none() && self.pilot[look].values().len() >= FEWEST_SEEDS
    }

    /// The mean over all looks of the difference of every pair; `None` where a replica of it diverged, not finite where a value was not.
    pub(super) fn mean_differences(&self, group: &Group) -> Vec<Option<f64>> {
        let of = |group: &Group, look: usize| group.at(look, |measured| self.quantity.of(measured));
        let looks: Vec<(usize, f64)> = self.looks().filter_map(|look| Some((look, self.spread(look)?.value))).collect();
        let mut sums: Vec<Option<f64>> = vec![(!looks.is_empty()).then_some(0.0); of(group, 0).len()];
        for &(look, spread) in &looks {
            let pairs = of(group, look).into_iter().zip(of(self.first, look));
            for (sum, (one, other)) in sums.iter_mut().zip(pairs) {
                let difference = one.zip(other).map(|(one, other)| (one - other) / (spread * looks.len() as f64));
                *sum = sum.zip(difference).map(|(sum, difference)| sum + difference);
            }
        }
        sums
    }

    /// Whether the group is as the first at every look. Where replicas of the group alone diverged it may be rejected all the same: the first
    /// group's did not, which is a difference by itself. Whatever else is missing bars any verdict.
    pub(super) fn judge(&self, group: &Group, tolerance: f64) -> Judgement {
        let at = |look: usize| format!("Δ {} at {}", self.quantity.name(), self.when(look));
        let differences: Vec<_> = self.looks().map(|look| (at(look), self.difference(group, look))).collect();
        let mut judgement =
            judge_in_units(&differences, tolerance, &Evidence::without_equilibrium(group.diverged.len()));
        if let Some(missing) = self.missing(group) {
            judgement.bar_any_verdict(&missing);
        }
        judgement
    }

    fn when(&self, look: usize) -> String {
        format!("epoch {}", shown(self.first.epochs(look)))
    }

    /// Which replicas or looks have no part in the differences of a group: the look at which most are missing stands for all.
    fn missing(&self, group: &Group) -> Option<String> {
        let most = |of: &dyn Fn(usize) -> LeftOut| {
            let looks = (1..self.pilot.len()).map(|look| (look, of(look)));
            looks
                .filter(|(_, left_out)| left_out.count() > 0)
                .max_by_key(|(look, left_out)| (left_out.count(), Reverse(*look)))
        };
        let name = self.quantity.name();
        let tell = |(look, left_out): (usize, LeftOut), whose: &str| {
            let told = left_out.told(whose, "diverged", self.quantity.undefined())?;
            Some(format!("{name} at {} leaves out {told}, and those left are a selection", self.when(look)))
        };
        // The unit is of the pilot's seeds.
        let pilot = most(&|look| self.pilot[look].left_out()).and_then(|found| tell(found, "seeds of the pilot"));
        let whose = format!("pairs of {} and {}", group.name, self.first.name);
        let pairs = most(&|look| {
            let left_out = self.pairs(group, look).left_out();
            let is_own = left_out.undefined == 0 && self.first.diverged.is_empty();
            if is_own { LeftOut::default() } else { left_out }
        });
        let differ = |look: usize| self.is_silent(look) && self.pairs(group, look).values().iter().any(|x| *x != 0.0);
        let without_unit = || {
            let look = (1..self.pilot.len()).find(|&look| differ(look))?;
            let when = self.when(look);
            Some(format!(
                "at {when} the {name} of {} differs from the first, but no two seeds of the pilot do: there is no unit",
                group.name
            ))
        };
        pilot.or_else(|| tell(pairs?, &whose)).or_else(without_unit)
    }
}

/// A claim with its judgement, whose intervals are those that decide, with the error of the unit.
pub(super) fn told(claim: Claim, judgement: &Judgement) -> Option<ClaimRecord> {
    let mut record = claim.judged(judgement, judgement.reason.clone())?;
    for (contrast, judged) in record.contrasts.iter_mut().zip(&judgement.contrasts) {
        contrast.interval = judged.holds_interval;
    }
    record.interval = judgement.contrasts.get(judgement.deciding_contrast()).and_then(|judged| judged.holds_interval);
    Some(record)
}

/// An epoch in a few digits.
fn shown(epochs: f64) -> String {
    format!("{}", (epochs * 1e3).round() / 1e3)
}

/// The group with the means of all quantities at its last look.
pub(super) fn record(group: &Group, course: &Course) -> GroupRecord {
    let last = group.looks.len().saturating_sub(1);
    let mut measures = vec![("L", group.sample(last, |measured| measured.training.loss))];
    for quantity in Quantity::all(course).into_iter().filter(|quantity| *quantity != Quantity::Loss) {
        measures.push((quantity.name(), group.sample(last, |measured| quantity.of(measured))));
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
        let sample = group.sample(look, shown);
        let pairs = if look > 0 { comparison.pairs(group, look).left_out().count() } else { 0 };
        CurvePoint {
            epoch: group.epochs(look),
            mean: sample.mean().map_or(f64::NAN, |mean| mean.value),
            deviation: sample.deviation().unwrap_or(0.0),
            left_out: sample.left_out().count(),
            pairs_left_out: pairs,
            difference: difference.as_ref().map_or(f64::NAN, |difference| difference.estimate().value),
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
