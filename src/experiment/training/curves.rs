//! Are the learning curves the same when the learning rate and the batch size grow in proportion? η → βη, S → βS.
//!
//! Loss and accuracy against epochs, which stand for SDE time: at equal η/S an epoch has N/S steps of η, so t = nN per epoch. The mean
//! difference of a curve from that of the first β is compared, at every look, with the spread between seeds, which a pilot ensemble of the
//! first β measures beforehand and which is then discarded. Replicas of all β start from the same weights, so differences are taken pair
//! by pair. A last group with S grown alone must be told apart by the same statistic, or nothing is shown.

use super::super::records::Claim;
use super::super::{Control, ExperimentError};
use super::course::{Course, Progress, train};
use super::document;
use super::group::Group;
use crate::findings::{ClaimRecord, CurveGroup, CurvePoint, CurvesFigure, FigureData, Findings, GroupRecord};
use crate::input::Problem;
use crate::math;
use crate::scenario::Loaded;
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Verdict, judge, scenario_verdict};
use crate::training::Measured;

/// What is compared along the epochs.
#[derive(Clone, Copy, PartialEq)]
enum Quantity {
    Loss,
    Accuracy(Part),
}

/// Whose accuracy.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Training,
    Test,
}

impl Quantity {
    /// The quantities that these data have.
    fn all(course: &Course) -> Vec<Self> {
        let is_labelled = course.data.training.labels().is_some();
        let part = if course.data.test.is_some() { Part::Test } else { Part::Training };
        std::iter::once(Self::Loss).chain(is_labelled.then_some(Self::Accuracy(part))).collect()
    }

    fn id(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy(_) => "accuracy",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Loss => "ln L",
            Self::Accuracy(Part::Test) => "test accuracy",
            Self::Accuracy(Part::Training) => "training accuracy",
        }
    }

    fn of(self, measured: &Measured) -> f64 {
        let accuracy = match self {
            Self::Loss => return math::ln(measured.training.loss),
            Self::Accuracy(Part::Training) => measured.training.accuracy,
            Self::Accuracy(Part::Test) => measured.test.and_then(|test| test.accuracy),
        };
        accuracy.unwrap_or(f64::NAN)
    }
}

/// Refuses what leaves nothing to compare.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    if betas(loaded)[0] != 1.0 {
        let message =
            "the first β is that of the scenario's own η and S, with which the others are compared; begin with 1";
        return Err(loaded.source.problem("scaling.beta[0]", message));
    }
    let largest = betas(loaded).last().copied().unwrap_or(1.0) * course.sgd.batch_size as f64;
    if largest > course.examples() as f64 {
        let message = format!(
            "found a batch of {largest} at the largest β, more than the {} examples; take smaller β or a smaller batch",
            course.examples()
        );
        return Err(loaded.source.problem("scaling.beta", message));
    }
    Ok(())
}

fn betas(loaded: &Loaded) -> Vec<f64> {
    loaded.scenario.scaling.clone().unwrap_or_default().beta
}

/// The pilot, one group per β, and that with S grown alone, in this order.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let (rate, size) = (course.sgd.learning_rate, course.sgd.batch_size);
    let grown = |beta: f64| (beta * size as f64) as u64;
    let beta = betas(loaded);
    let largest = beta.last().copied().unwrap_or(1.0);
    let pilot = Group::new("pilot", rate, size, course);
    let scaled = beta.iter().map(|&beta| Group::new(format!("β = {beta}"), beta * rate, grown(beta), course));
    let control = Group::new(format!("S × {largest} alone"), rate, grown(largest), course);
    std::iter::once(pilot).chain(scaled.collect::<Vec<_>>()).chain([control]).collect()
}

/// What is going to be compared.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let groups = groups(loaded, course);
    let records = groups.iter().map(|group| group.record(&[])).collect();
    let mut claims = Vec::new();
    for quantity in Quantity::all(course) {
        for group in &groups[2..] {
            let contrast = Contrast {
                label: format!("Δ {} at every look", quantity.name()),
                predicted: 0.0,
                predicted_standard_error: 0.0,
                measured: None,
            };
            let is_control = std::ptr::eq(group, &groups[groups.len() - 1]);
            claims.extend(claim(quantity, group, is_control, loaded).predicted(&[contrast]));
        }
    }
    document(loaded, course, records, claims, None, Vec::new())
}

/// Trains the groups one after another, and compares them.
pub(super) fn run(
    loaded: &Loaded,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let mut groups = groups(loaded, course);
    let in_all = groups.iter().map(|group| group.steps).sum();
    let mut progress = Progress::new(control, in_all);
    for (index, group) in groups.iter_mut().enumerate() {
        let recipe = course.recipe(group.learning_rate, group.batch_size);
        // The pilot has starts of its own.
        let block = u64::from(index == 0);
        let mut trainees = course.begin(loaded, &recipe, index as u64, block)?;
        train(course, &mut trainees, group, &mut progress)?;
        if index < 2 && group.is_lost() {
            return Err(super::lost(course, group));
        }
    }
    let [pilot, first, others @ ..] = &groups[..] else {
        // There are at least two β.
        return Ok((predict(loaded, course), FigureData::default()));
    };
    let comparisons: Vec<Comparison> =
        Quantity::all(course).into_iter().map(|quantity| Comparison::new(quantity, pilot, first)).collect();
    let (claims, verdict) = judged(loaded, &comparisons, others);
    let records = groups.iter().map(|group| record(group, course)).collect();
    let notes = notes(&claims, &comparisons, others);
    let figures = FigureData { curves: Some(figure(&comparisons, &groups[1..])), ..FigureData::default() };
    Ok((document(loaded, course, records, claims, Some(verdict), notes), figures))
}

fn record(group: &Group, course: &Course) -> GroupRecord {
    let last = group.looks.len().saturating_sub(1);
    let mut measures = vec![("L", group.mean(last, |measured| measured.training.loss))];
    for quantity in Quantity::all(course).into_iter().filter(|quantity| *quantity != Quantity::Loss) {
        measures.push((quantity.name(), group.mean(last, |measured| quantity.of(measured))));
    }
    group.record(&measures)
}

/// One quantity of the first β, with the spread between seeds at every look.
struct Comparison<'a> {
    quantity: Quantity,
    first: &'a Group,
    /// Standard deviation between the seeds of the pilot, per look.
    spread: Vec<f64>,
}

impl<'a> Comparison<'a> {
    fn new(quantity: Quantity, pilot: &Group, first: &'a Group) -> Self {
        let spread = (0..pilot.looks.len()).map(|look| deviation(&pilot.at(look, |measured| quantity.of(measured))));
        Self { quantity, first, spread: spread.collect() }
    }

    /// The mean difference of a group from the first at a look, pair by pair, in standard deviations between seeds. `None` where seeds do
    /// not differ or fewer than two pairs are left.
    fn difference(&self, group: &Group, look: usize) -> Option<Estimate> {
        let spread = self.spread.get(look).copied().filter(|spread| *spread > 0.0)?;
        let of = |group: &Group| group.at(look, |measured| self.quantity.of(measured));
        let pairs = of(group).into_iter().zip(of(self.first));
        let differences: Vec<f64> =
            pairs.filter_map(|(one, other)| Some((one? - other?) / spread)).filter(|x| x.is_finite()).collect();
        Estimate::from_replicas(&differences)
    }

    /// The looks after the start at which seeds differ.
    fn looks(&self) -> impl Iterator<Item = usize> + '_ {
        (1..self.spread.len()).filter(|&look| self.spread[look] > 0.0)
    }

    fn judge(&self, group: &Group, tolerance: f64) -> Judgement {
        let contrasts: Vec<Contrast> = self
            .looks()
            .map(|look| Contrast {
                label: format!("Δ {} at epoch {}", self.quantity.name(), shown(self.first.looks[look].epochs)),
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

/// All claims and the verdict. No claim holds unless the last group, whose ratio η/S is another, is told apart.
fn judged(loaded: &Loaded, comparisons: &[Comparison], others: &[Group]) -> (Vec<ClaimRecord>, Verdict) {
    let tolerance = loaded.scenario.test.tolerance;
    let Some((control, scaled)) = others.split_last() else { return (Vec::new(), Verdict::Undetermined) };
    let (mut primary, mut told, mut secondary) = (Vec::new(), Vec::new(), Vec::new());
    for comparison in comparisons {
        let apart = comparison.judge(control, tolerance);
        for group in scaled {
            let mut judgement = comparison.judge(group, tolerance);
            if apart.verdict != Verdict::Rejected {
                let name = comparison.quantity.name();
                judgement.bar_holding(&format!(
                    "the {name} of a group with another η/S is not told apart at this number of seeds"
                ));
            }
            primary.push(judgement);
            told.push(claim(comparison.quantity, group, false, loaded));
        }
        secondary.push((apart, claim(comparison.quantity, control, true, loaded)));
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().collect::<Vec<_>>());
    let all = primary.into_iter().zip(told).chain(secondary);
    let claims = all.filter_map(|(judgement, claim)| claim.judged(&judgement, judgement.reason.clone()));
    (claims.collect(), verdict)
}

fn claim(quantity: Quantity, group: &Group, is_control: bool, loaded: &Loaded) -> Claim {
    let name = quantity.name();
    let id: String = group.name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let statement = if is_control {
        format!(
            "the {name} of {} is as that of β = 1, at every look: a control, which ought to be rejected",
            group.name
        )
    } else {
        format!(
            "the {name} at {} is as at β = 1, at every look, to within ε standard deviations between seeds",
            group.name
        )
    };
    Claim {
        id: if is_control { format!("{}-control", quantity.id()) } else { format!("{}-beta-{id}", quantity.id()) },
        primary: !is_control,
        statement,
        source: "the slide: the same learning dynamics where η/S is the same, time being counted in epochs".into(),
        tolerance: loaded.scenario.test.tolerance,
    }
}

/// At which β the curves are the same, and at which they are not.
fn notes(claims: &[ClaimRecord], comparisons: &[Comparison], others: &[Group]) -> Vec<String> {
    let mut notes = vec![
        "Differences are in standard deviations between seeds, of a pilot group whose runs count for nothing else; replicas of all groups start \
         from the same weights, and differences are taken pair by pair"
            .to_owned(),
    ];
    for comparison in comparisons {
        let of = |verdict: Verdict| {
            let names = others.iter().zip(claims.iter().filter(|claim| claim.id.starts_with(comparison.quantity.id())));
            let names = names.filter(|(_, claim)| claim.verdict == Some(verdict)).map(|(group, _)| group.name.clone());
            names.collect::<Vec<_>>().join(", ")
        };
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        notes.push(format!(
            "{}: the same as at β = 1 for {}; not the same for {}",
            comparison.quantity.name(),
            or_none(of(Verdict::Holds)),
            or_none(of(Verdict::Rejected))
        ));
        let silent = (1..comparison.spread.len()).filter(|look| comparison.spread[*look] <= 0.0).count();
        if silent > 0 {
            notes.push(format!(
                "{} look(s) at which the {} of all seeds of the pilot is the same are left out",
                silent,
                comparison.quantity.name()
            ));
        }
    }
    notes
}

fn figure(comparisons: &[Comparison], groups: &[Group]) -> CurvesFigure {
    let point = |comparison: &Comparison, group: &Group, look: usize| {
        let quantity = comparison.quantity;
        let shown = |measured: &Measured| match quantity {
            Quantity::Loss => measured.training.loss,
            Quantity::Accuracy(_) => quantity.of(measured),
        };
        let difference = (look > 0).then(|| comparison.difference(group, look)).flatten();
        let ends = difference.as_ref().and_then(|difference| difference.interval(0.95));
        CurvePoint {
            epoch: group.looks[look].epochs,
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
        groups: groups.iter().map(curves).collect(),
    }
}
