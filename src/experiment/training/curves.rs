//! Are the learning curves the same when the learning rate and the batch size grow in proportion? η → βη, S → βS.
//!
//! Loss and accuracy against epochs, which stand for SDE time: at equal η/S an epoch has N/S steps of η, so t = nN per epoch. All groups are
//! looked at when each has just taken a step ([`super::timetable`]). The mean difference of a curve from that of the first β is compared, at every look, with the spread between seeds, which a pilot ensemble of the
//! first β measures beforehand and which is then discarded. Replicas of all β start from the same weights, so differences are taken pair
//! by pair. A last group with S grown alone must be told apart by the same statistic, or nothing is shown.

use super::super::records::Claim;
use super::super::{Control, ExperimentError};
use super::comparison::{Comparison, Quantity, UNITS, figure, record, told};
use super::course::{Course, Progress, check, train};
use super::document;
use super::group::Group;
use crate::findings::{ClaimRecord, FigureData, Findings};
use crate::input::Problem;
use crate::scenario::Loaded;
use crate::statistics::{Verdict, scenario_verdict};

/// Refuses what leaves nothing to compare.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    check_betas(loaded, course)?;
    check(loaded, course, &mut unmet(loaded, course))
}

/// Refuses β without the scenario's own η and S among them, or with batches larger than the data.
pub(super) fn check_betas(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
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

/// The pilot, one group per β, and that with S grown alone, in this order, at equal times.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let mut groups = unmet(loaded, course);
    // Groups without common times were refused.
    Group::meet(&mut groups, course).ok();
    groups
}

fn unmet(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let (rate, size) = (course.sgd.learning_rate, course.sgd.batch_size);
    let grown = |beta: f64| (beta * size as f64) as u64;
    let beta = betas(loaded);
    let largest = beta.last().copied().unwrap_or(1.0);
    let pilot = Group::new("pilot", course.recipe(rate, size), course);
    let scaled =
        beta.iter().map(|&beta| Group::new(format!("β = {beta}"), course.recipe(beta * rate, grown(beta)), course));
    let control = Group::new(format!("S × {largest} alone"), course.recipe(rate, grown(largest)), course);
    std::iter::once(pilot).chain(scaled.collect::<Vec<_>>()).chain([control]).collect()
}

/// What is going to be compared.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let groups = groups(loaded, course);
    let records = groups.iter().map(|group| group.record(&[])).collect();
    let mut claims = Vec::new();
    for quantity in Quantity::all(course) {
        for group in &groups[2..] {
            let is_control = std::ptr::eq(group, &groups[groups.len() - 1]);
            claims.extend(claim(quantity, group, is_control, loaded).predicted(&[quantity.unmeasured()]));
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
        // The pilot has starts of its own.
        let block = u64::from(index == 0);
        let mut trainees = course.begin(loaded, &group.recipe, index as u64, block)?;
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
    let figures = FigureData {
        curves: Some(figure(&comparisons, &groups[1..].iter().collect::<Vec<_>>())),
        ..FigureData::default()
    };
    Ok((document(loaded, course, records, claims, Some(verdict), notes), figures))
}

/// All claims and the verdict. No claim holds unless the last group, whose ratio η/S is another, is told apart.
pub(super) fn judged(loaded: &Loaded, comparisons: &[Comparison], others: &[Group]) -> (Vec<ClaimRecord>, Verdict) {
    let tolerance = loaded.scenario.test.tolerance;
    let Some((control, scaled)) = others.split_last() else { return (Vec::new(), Verdict::Undetermined) };
    let (mut primary, mut stated, mut secondary) = (Vec::new(), Vec::new(), Vec::new());
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
            stated.push(claim(comparison.quantity, group, false, loaded));
        }
        secondary.push((apart, claim(comparison.quantity, control, true, loaded)));
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().collect::<Vec<_>>());
    let all = primary.into_iter().zip(stated).chain(secondary);
    let claims = all.filter_map(|(judgement, claim)| told(claim, &judgement));
    (claims.collect(), verdict)
}

fn claim(quantity: Quantity, group: &Group, is_control: bool, loaded: &Loaded) -> Claim {
    let name = quantity.name();
    let id: String = group.name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let statement = if is_control {
        format!(
            "The {name} of {} is as that of β = 1, at every look: a control, which ought to be rejected",
            group.name
        )
    } else {
        format!("The {name} at {} is as at β = 1, at every look, to within ε spreads between seeds", group.name)
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
    let mut notes = vec![UNITS.to_owned()];
    notes.extend(others.first().and_then(Group::note_on_times));
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
        notes.extend(comparison.left_out(others));
    }
    notes
}
