//! Is the stationary loss the same when the learning rate and the batch size grow in proportion? η → βη, S → βS.
//!
//! ⟨L⟩ is the mean of the full training loss over the second half of the looks. Near a minimum it is L* + Σᵢ (nCᵢᵢ/4)/(1 − βηhᵢ/2) along
//! the axes of H, so it depends on n alone while βηh ≪ 1. Groups start from the same weights, and ln⟨L⟩ is compared pair by pair. A group is
//! at rest if the last quarter of its looks is shown to differ from the quarter before by less than ε. A last group with η grown alone has
//! another n, and comes to rest no later: it must be told apart, or nothing is shown. Cross-entropy has no stationary law without weight decay.

use super::super::records::Claim;
use super::super::{Control, ExperimentError};
use super::course::{Course, Progress, check, train};
use super::document;
use super::group::Group;
use crate::findings::{ClaimRecord, FigureData, Findings, GroupRecord, ScalingFigure, ScalingRecord};
use crate::input::Problem;
use crate::math;
use crate::network::Objective;
use crate::random::batches::Sampling;
use crate::scenario::Loaded;
use crate::statistics::{Contrast, Estimate, Evidence, Judgement, Sample, Verdict, judge, scenario_verdict};

/// Looks that a quarter must have.
const LOOKS_OF_QUARTER: usize = 2;

/// Refuses what has no stationary law, or no ratio to keep.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    let at = |key: &str, message: &str| Err(loaded.source.problem(key, message));
    super::curves::check_betas(loaded, course)?;
    if course.network.objective == Objective::CrossEntropy && course.network.weight_decay == 0.0 {
        return at(
            "loss.weight_decay",
            "found no weight decay with cross-entropy, which then falls for ever: there is no stationary law; give, for example, 0.01",
        );
    }
    if course.sampling != Sampling::WithReplacement {
        return at(
            "noise.sampling",
            "found batches of different examples; the share (N−S)/(N−1) of the noise that they have falls as S grows, which is another effect than \
             the one asked for; write sampling = \"with-replacement\"",
        );
    }
    let mut groups = unmet(loaded, course);
    check(loaded, course, &mut groups)?;
    let looks = groups[0].looks_after_start();
    if looks < 4 * LOOKS_OF_QUARTER {
        let message = format!(
            "found {looks} looks in all at times that all groups have; the second half is measured, and its quarters are compared: at least {} are \
             needed; look more often, or take longer",
            4 * LOOKS_OF_QUARTER
        );
        return Err(loaded.source.problem("training.look_every", message));
    }
    Ok(())
}

/// One group per β, and that with η grown alone, at equal times.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let mut groups = unmet(loaded, course);
    // Groups without common times were refused.
    Group::meet(&mut groups, course).ok();
    groups
}

fn unmet(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let (rate, size) = (course.sgd.learning_rate, course.sgd.batch_size);
    let betas = loaded.scenario.scaling.clone().unwrap_or_default().beta;
    let largest = betas.last().copied().unwrap_or(1.0);
    let scaled = betas.iter().map(|&beta| {
        Group::new(format!("β = {beta}"), course.recipe(beta * rate, (beta * size as f64) as u64), course)
    });
    let control = Group::new(format!("η × {largest} alone"), course.recipe(largest * rate, size), course);
    scaled.collect::<Vec<_>>().into_iter().chain([control]).collect()
}

/// What is going to be compared.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let groups = groups(loaded, course);
    let records = groups.iter().map(|group| group.record(&[])).collect();
    let claims = groups[1..].iter().enumerate().filter_map(|(index, group)| {
        let contrast = contrast(group, None);
        claim(group, index + 2 == groups.len(), loaded).predicted(&[contrast])
    });
    document(loaded, course, records, claims.collect(), None, Vec::new())
}

/// Trains the groups one after another, and compares them.
pub(super) fn run(
    loaded: &Loaded,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let mut groups = groups(loaded, course);
    let mut progress = Progress::new(control, groups.iter().map(|group| group.steps).sum());
    for (index, group) in groups.iter_mut().enumerate() {
        let mut trainees = course.begin(loaded, &group.recipe, index as u64, 0)?;
        train(course, &mut trainees, group, &mut progress)?;
        if index == 0 && group.is_lost() {
            return Err(super::lost(course, group));
        }
    }
    let (rests, differences) = compared(loaded, &groups);
    let (claims, verdict) = judged(loaded, &groups, &rests, &differences);
    let records = groups.iter().zip(&rests).map(|(group, rest)| rest.record(group)).collect();
    let moving = groups.iter().zip(&rests).filter_map(|(group, rest)| rest.note(group));
    let notes = groups[0].note_on_times().into_iter().chain(moving).collect();
    let betas = loaded.scenario.scaling.clone().unwrap_or_default().beta;
    let measured: Vec<Option<Estimate>> = differences.iter().map(Sample::mean).collect();
    let figure = figure(&betas, &measured);
    let mut findings = document(loaded, course, records, claims, Some(verdict), notes);
    findings.scaling = Some(breaks(&betas, &findings.claims));
    Ok((findings, FigureData { scaling: Some(figure), ..FigureData::default() }))
}

/// What was seen of groups that were trained, or given, as claims.
pub(super) fn judged_groups(loaded: &Loaded, groups: &[Group]) -> (Vec<ClaimRecord>, Verdict) {
    let (rests, differences) = compared(loaded, groups);
    judged(loaded, groups, &rests, &differences)
}

/// Each group at rest, and how it differs from the first.
fn compared(loaded: &Loaded, groups: &[Group]) -> (Vec<Rest>, Vec<Sample>) {
    let rests: Vec<Rest> = groups.iter().map(|group| Rest::of(group, loaded.scenario.test.tolerance)).collect();
    let differences = rests.iter().map(|rest| rest.difference(&rests[0])).collect();
    (rests, differences)
}

/// The second half of the looks at a group.
struct Rest {
    /// ln of the mean loss of each replica; `None` where it diverged, −∞ where the loss is 0 at every look.
    logarithms: Vec<Option<f64>>,
    /// ln of the mean over the last quarter less that over the quarter before, over replicas.
    drift: Sample,
    /// Whether the drift is shown to be less than ε.
    is_at_rest: bool,
}

impl Rest {
    fn of(group: &Group, tolerance: f64) -> Self {
        let looks = group.looks.len();
        // The look at the start belongs to no quarter.
        let quarter = (looks - 1) / 4;
        let mean = |from: usize, to: usize| -> Vec<Option<f64>> {
            let mut sums: Vec<Option<f64>> = group.at(from, |measured| measured.training.loss);
            for look in from + 1..to {
                let next = group.at(look, |measured| measured.training.loss);
                sums.iter_mut().zip(next).for_each(|(sum, loss)| *sum = sum.zip(loss).map(|(sum, loss)| sum + loss));
            }
            let count = (to - from) as f64;
            sums.into_iter().map(|sum| sum.map(|sum| math::ln(sum / count))).collect()
        };
        let (before, last) = (mean(looks - 2 * quarter, looks - quarter), mean(looks - quarter, looks));
        let drift = Sample::of_differences(&last, &before);
        let inside = |[low, high]: [f64; 2]| low > -tolerance && high < tolerance;
        let is_at_rest = drift.mean().and_then(|drift| drift.interval(0.9)).is_some_and(inside);
        Self { logarithms: mean(looks - 2 * quarter, looks), drift, is_at_rest }
    }

    /// Pair by pair from equal starts.
    fn difference(&self, first: &Self) -> Sample {
        Sample::of_differences(&self.logarithms, &first.logarithms)
    }

    fn record(&self, group: &Group) -> GroupRecord {
        group.record(&[("ln⟨L⟩", self.logarithms.iter().copied().collect()), ("drift", self.drift.clone())])
    }

    fn note(&self, group: &Group) -> Option<String> {
        // Of what has diverged another note tells.
        (!self.is_at_rest && !group.is_lost()).then(|| self.why(group))
    }

    fn why(&self, group: &Group) -> String {
        let drift = self
            .drift
            .mean()
            .map_or("unknown".to_owned(), |drift| format!("{:.4} ± {:.4}", drift.value, drift.standard_error));
        format!(
            "{} is not shown to be at rest: ln of its mean loss changes by {drift} from the third quarter of the looks to the last; train for longer",
            group.name
        )
    }
}

fn contrast(group: &Group, measured: Option<Estimate>) -> Contrast {
    Contrast {
        label: format!("Δ ln⟨L⟩, {}", group.name),
        predicted: 0.0,
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured,
    }
}

/// One claim per group after the first. None holds unless the last one, whose η/S is another, is told apart.
fn judged(loaded: &Loaded, groups: &[Group], rests: &[Rest], differences: &[Sample]) -> (Vec<ClaimRecord>, Verdict) {
    let tolerance = loaded.scenario.test.tolerance;
    let judgement = |index: usize| -> Judgement {
        let group = &groups[index];
        let moving = [0, index].into_iter().filter(|&at| !rests[at].is_at_rest);
        let not_equilibrated = moving.map(|at| rests[at].why(&groups[at])).collect();
        let lost = group.diverged.len() + groups[0].diverged.len();
        let evidence = Evidence { not_equilibrated, ..Evidence::without_equilibrium(lost) };
        let mut judgement = judge(&[contrast(group, differences[index].mean())], tolerance, &evidence);
        let left_out = differences[index].left_out();
        // The first group's replicas did not diverge where the others' did, which is a difference by itself; anything else is a selection.
        if left_out.undefined > 0 || !groups[0].diverged.is_empty() {
            let told = left_out.told("pairs", "diverged", "with a loss of 0 throughout, whose logarithm is no number");
            let told = told.unwrap_or_default();
            judgement.bar_any_verdict(&format!("the difference leaves out {told}, and those left are a selection"));
        }
        judgement
    };
    let last = groups.len() - 1;
    let control = judgement(last);
    let mut primary: Vec<Judgement> = (1..last).map(judgement).collect();
    if control.verdict != Verdict::Rejected {
        for judgement in &mut primary {
            judgement.bar_holding("a group with another η/S is not told apart");
        }
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().collect::<Vec<_>>());
    let claims = primary.into_iter().chain([control]).enumerate().filter_map(|(index, judgement)| {
        claim(&groups[index + 1], index + 1 == last, loaded).judged(&judgement, judgement.reason.clone())
    });
    (claims.collect(), verdict)
}

fn claim(group: &Group, is_control: bool, loaded: &Loaded) -> Claim {
    let name = &group.name;
    let beta: String = name.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let statement = if is_control {
        format!("ln⟨L⟩ with {name} is as at the first β: a control, which ought to be rejected")
    } else {
        format!("ln⟨L⟩ at {name} is as at the first β")
    };
    Claim {
        id: if is_control { "unchanged-control".into() } else { format!("unchanged-beta-{beta}") },
        primary: !is_control,
        statement,
        source: "the slide: the stationary law depends on η/S alone".into(),
        tolerance: loaded.scenario.test.tolerance,
    }
}

/// The last β at which nothing has changed and the first at which something has.
fn breaks(betas: &[f64], claims: &[ClaimRecord]) -> ScalingRecord {
    let with = |verdict: Verdict| {
        betas.iter().skip(1).zip(claims).filter(move |(_, claim)| claim.verdict == Some(verdict)).map(|(beta, _)| *beta)
    };
    ScalingRecord {
        breaks_predicted: None,
        breaks_measured: [with(Verdict::Holds).next_back(), with(Verdict::Rejected).next()],
        diverges_predicted: None,
        diverges_measured: None,
    }
}

fn figure(betas: &[f64], differences: &[Option<Estimate>]) -> ScalingFigure {
    let value = |estimate: &Option<Estimate>| estimate.as_ref().map_or(f64::NAN, |estimate| estimate.value);
    let end = |estimate: &Option<Estimate>, end: usize| {
        estimate.as_ref().and_then(|estimate| estimate.interval(0.95)).map_or(f64::NAN, |ends| ends[end])
    };
    let at_beta = &differences[..betas.len()];
    ScalingFigure {
        quantities: vec!["ln⟨L⟩".into()],
        beta: betas.to_vec(),
        measured: vec![at_beta.iter().map(value).collect()],
        low: vec![at_beta.iter().map(|difference| end(difference, 0)).collect()],
        high: vec![at_beta.iter().map(|difference| end(difference, 1)).collect()],
        at: Vec::new(),
        predicted: vec![Vec::new()],
    }
}
