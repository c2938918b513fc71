//! Is SGD on a network near its SDE? SVAG(l) (Li, Malladi & Arora 2021, arXiv:2102.12470) is SGD for l = 1 and the SDE for l → ∞.
//!
//! The learning curves of SGD, of SVAG(l) and of SGD whose minibatch noise is replaced by normals are compared with those of the largest l,
//! look by look and pair by pair from equal starts, in units of the spread between seeds. The weak error of SVAG(l) is of first order in
//! η/l, so that its distance from the largest l = m falls as 1/l − 1/m. Gradient descent without noise must be told apart by the same
//! statistic, or the curves say nothing about noise.

use super::super::records::Claim;
use super::super::{Control, ExperimentError};
use super::comparison::{Comparison, Quantity, UNITS, figure, record, told};
use super::course::{Course, Progress, check, train};
use super::group::Group;
use super::{curvature, document};
use crate::findings::{ClaimRecord, FigureData, Findings};
use crate::input::Problem;
use crate::math;
use crate::random::batches::Sampling;
use crate::scenario::{Loaded, NoiseName, SvagSpec};
use crate::statistics::{Contrast, Estimate, Evidence, Sample, Verdict, judge, scenario_verdict};
use crate::training::Noise;

/// ε of how the distance falls, in ln ratio: a factor of 1.5 of 2.
const FALL_TOLERANCE: f64 = 0.4;
/// A distance of fewer standard errors than this has no logarithm.
const RESOLVED: f64 = 4.0;

/// Refuses batches whose noise is another than that of the SDE.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    if course.sampling != Sampling::WithReplacement {
        let message = "found batches of different examples; SVAG takes two independent batches a step, and the SDE beside it has the covariance of \
                       batches with replacement; write sampling = \"with-replacement\"";
        return Err(loaded.source.problem("noise.sampling", message));
    }
    check(loaded, course, &mut unmet(loaded, course))
}

fn spec(loaded: &Loaded) -> SvagSpec {
    loaded.scenario.svag.clone().unwrap_or_default()
}

/// The groups in the order in which they are trained, at equal times.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let mut groups = unmet(loaded, course);
    // Groups without common times were refused.
    Group::meet(&mut groups, course).ok();
    groups
}

fn unmet(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let spec = spec(loaded);
    let svag = |l: &f64| {
        let noise = Noise::Svag { sampling: Sampling::WithReplacement, amplification: *l as u32 };
        Group::new(format!("SVAG({l})"), course.noisy_recipe(noise), course)
    };
    let (rate, size) = (course.sgd.learning_rate, course.sgd.batch_size);
    let mut groups = vec![Group::new("pilot", course.recipe(rate, size), course)];
    groups.extend(spec.amplifications.iter().rev().map(svag));
    groups.push(Group::new("SGD", course.recipe(rate, size), course));
    groups.extend(spec.beside.iter().map(|&name| beside(name, None, course)));
    groups.push(Group::new("no noise", course.noisy_recipe(Noise::None), course));
    groups
}

/// A group whose noise takes the place of minibatches. What is measured at θ*, the end of the pilot, is not there before it has run.
fn beside(name: NoiseName, end: Option<&[f64]>, course: &Course) -> Group {
    let (title, noise) = match name {
        NoiseName::ExampleGaussian => ("Gaussian, C(θ)", Noise::ExampleGaussian),
        NoiseName::FrozenGaussian => {
            let at = end.map_or_else(|| vec![0.0; course.network.parameters()], <[f64]>::to_vec);
            ("Gaussian, C(θ*)", Noise::FrozenGaussian(at))
        }
        NoiseName::Isotropic => {
            let variance = end.and_then(|end| curvature::mean_variance(course, end)).unwrap_or(0.0);
            ("isotropic", Noise::Isotropic { variance })
        }
    };
    Group::new(title, course.noisy_recipe(noise), course)
}

/// What is going to be compared.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let groups = groups(loaded, course);
    let records = groups.iter().map(|group| group.record(&[])).collect();
    let mut claims = Vec::new();
    for quantity in Quantity::all(course) {
        for group in &groups[2..] {
            claims.extend(claim(quantity, group, &groups[1], loaded).predicted(&[quantity.unmeasured()]));
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
    let mut progress = Progress::new(control, groups.iter().map(|group| group.steps).sum());
    let names = spec(loaded).beside;
    let first_beside = groups.len() - 1 - names.len();
    for index in 0..groups.len() {
        let group = &mut groups[index];
        // The pilot has starts of its own.
        let mut trainees = course.begin(loaded, &group.recipe, index as u64, u64::from(index == 0))?;
        train(course, &mut trainees, group, &mut progress)?;
        if index < 2 && group.is_lost() {
            return Err(super::lost(course, group));
        }
        if index == 0 {
            // What noises at θ* need is known now.
            let end = trainees.weights(0);
            for (place, &name) in (first_beside..).zip(&names) {
                groups[place] = beside(name, Some(&end), course).in_place_of(&groups[place], course);
            }
        }
    }
    let [pilot, reference, others @ ..] = &groups[..] else {
        return Ok((predict(loaded, course), FigureData::default()));
    };
    let comparisons: Vec<Comparison> =
        Quantity::all(course).into_iter().map(|quantity| Comparison::new(quantity, pilot, reference)).collect();
    let (mut claims, verdict) = judged(loaded, &comparisons, reference, others);
    claims.extend(fall(loaded, &comparisons[0], others));
    let records = groups.iter().map(|group| record(group, course)).collect();
    let figures = FigureData {
        curves: Some(figure(&comparisons, &groups[1..].iter().collect::<Vec<_>>())),
        ..FigureData::default()
    };
    Ok((document(loaded, course, records, claims, Some(verdict), notes(&comparisons, reference, others)), figures))
}

/// Whether a group decides the verdict: SGD, and SGD with the noise of its SDE.
fn is_primary(group: &Group) -> bool {
    match group.recipe.noise {
        Noise::Minibatch(_) | Noise::ExampleGaussian => true,
        Noise::Svag { .. } | Noise::FrozenGaussian(_) | Noise::Isotropic { .. } | Noise::None => false,
    }
}

/// One claim per quantity and group. None holds unless gradient descent without noise is told apart.
fn judged(
    loaded: &Loaded,
    comparisons: &[Comparison],
    reference: &Group,
    others: &[Group],
) -> (Vec<ClaimRecord>, Verdict) {
    let tolerance = loaded.scenario.test.tolerance;
    let Some((silent, noisy)) = others.split_last() else { return (Vec::new(), Verdict::Undetermined) };
    let (mut primary, mut stated, mut secondary) = (Vec::new(), Vec::new(), Vec::new());
    for comparison in comparisons {
        let apart = comparison.judge(silent, tolerance);
        for group in noisy {
            let mut judgement = comparison.judge(group, tolerance);
            if apart.verdict != Verdict::Rejected {
                let name = comparison.quantity.name();
                judgement.bar_holding(&format!(
                    "the {name} of gradient descent without noise is not told apart at this number of seeds"
                ));
            }
            let claim = claim(comparison.quantity, group, reference, loaded);
            if claim.primary {
                primary.push(judgement);
                stated.push(claim);
            } else {
                secondary.push((judgement, claim));
            }
        }
        secondary.push((apart, claim(comparison.quantity, silent, reference, loaded)));
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().collect::<Vec<_>>());
    let all = primary.into_iter().zip(stated).chain(secondary);
    (all.filter_map(|(judgement, claim)| told(claim, &judgement)).collect(), verdict)
}

fn claim(quantity: Quantity, group: &Group, reference: &Group, loaded: &Loaded) -> Claim {
    let (name, limit) = (quantity.name(), &reference.name);
    let (id, what) = match group.recipe.noise {
        Noise::Minibatch(_) => ("sgd".to_owned(), "of SGD".to_owned()),
        Noise::Svag { amplification, .. } => (format!("svag-{amplification}"), format!("of SVAG({amplification})")),
        Noise::ExampleGaussian => {
            ("gaussian".to_owned(), "of SGD with normals of covariance C(θ)/S as its noise".to_owned())
        }
        Noise::FrozenGaussian(_) => ("frozen".to_owned(), "with normals of the constant covariance C(θ*)/S".to_owned()),
        Noise::Isotropic { .. } => {
            ("isotropic".to_owned(), "with isotropic normals of the trace of C(θ*)/S".to_owned())
        }
        Noise::None => ("no-noise".to_owned(), "without noise, a control that ought to be rejected,".to_owned()),
    };
    Claim {
        id: format!("{}-{id}", quantity.id()),
        primary: is_primary(group),
        statement: format!("The {name} {what} is that of {limit} at every look, to within ε spreads between seeds"),
        source: "SVAG(l) tends to the SDE as l grows (Li, Malladi & Arora 2021)".into(),
        tolerance: loaded.scenario.test.tolerance,
    }
}

/// How the mean distance over all looks falls from SGD to the smallest l: by (1 − 1/m)/(1/l − 1/m), the error being of first order.
fn fall(loaded: &Loaded, comparison: &Comparison, others: &[Group]) -> Option<ClaimRecord> {
    let amplifications = spec(loaded).amplifications;
    let (least, most) = (*amplifications.first()?, *amplifications.last()?);
    if least >= most {
        return None;
    }
    let find = |is: &dyn Fn(&Noise) -> bool| others.iter().find(|group| is(&group.recipe.noise));
    let sgd = find(&|noise| matches!(noise, Noise::Minibatch(_)))?;
    let svag = find(&|noise| matches!(noise, Noise::Svag { amplification, .. } if f64::from(*amplification) == least))?;
    let [of_sgd, of_svag] = [sgd, svag].map(|group| comparison.mean_differences(group));
    let contrast = Contrast {
        label: format!("ln(Δ of SGD/Δ of {})", svag.name),
        predicted: math::ln((1.0 - 1.0 / most) / (1.0 / least - 1.0 / most)),
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured: log_ratio(&of_sgd, &of_svag),
    };
    let lost = sgd.diverged.len() + svag.diverged.len();
    let is_resolved = contrast.measured.is_some();
    let mut judgement = judge(&[contrast], FALL_TOLERANCE, &Evidence::without_equilibrium(lost));
    let missing = Sample::of_differences(&of_sgd, &of_svag).left_out();
    let missing = missing.told("replicas", "diverged in one of the groups", "with L = 0 at a look");
    if let Some(missing) = &missing {
        judgement.bar_any_verdict(&format!("the ratio leaves out {missing}, and those left are a selection"));
    }
    let reason = if is_resolved || missing.is_some() {
        judgement.reason.clone()
    } else {
        format!(
            "a mean difference is not {RESOLVED} standard errors from 0, so that their ratio is not known: SGD is too near to its SDE, or the seeds too few"
        )
    };
    let claim = Claim {
        id: "distance-falls".into(),
        primary: false,
        statement: "the mean difference of ln L from the largest l falls with l as 1/l − 1/m does".into(),
        source: "the weak error of SVAG(l) is of first order in η/l; m is the largest l".into(),
        tolerance: FALL_TOLERANCE,
    };
    claim.judged(&judgement, reason)
}

/// ln of the ratio of two means over the same replicas, by influences; `None` where one is not resolved or their signs differ. Of replicas that
/// have both numbers: who calls it counts the others.
fn log_ratio(one: &[Option<f64>], other: &[Option<f64>]) -> Option<Estimate> {
    let both = |(one, other): (&Option<f64>, &Option<f64>)| {
        one.zip(*other).filter(|(one, other)| one.is_finite() && other.is_finite())
    };
    let pairs: Vec<(f64, f64)> = one.iter().zip(other).filter_map(both).collect();
    let first = Estimate::from_replicas(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let second = Estimate::from_replicas(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
    let is_resolved = |mean: &Estimate| mean.value.abs() > RESOLVED * mean.standard_error;
    if !(is_resolved(&first) && is_resolved(&second) && first.value * second.value > 0.0) {
        return None;
    }
    let influences: Vec<f64> = pairs.iter().map(|(a, b)| a / first.value - b / second.value).collect();
    Some(Estimate { value: math::ln(first.value / second.value), ..Estimate::from_replicas(&influences)? })
}

fn notes(comparisons: &[Comparison], reference: &Group, others: &[Group]) -> Vec<String> {
    let mut notes = vec![
        UNITS.to_owned(),
        format!(
            "{} stands for the SDE; an epoch of SVAG(l) in the scenario's time is l of its own, of steps η/l. All curves are at equal SDE time",
            reference.name
        ),
    ];
    notes.extend(reference.note_on_times());
    notes.extend(comparisons.iter().flat_map(|comparison| comparison.left_out(others)));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln(ā/b̄) with the delta method's error, on numbers worked out by hand: a = (9, 11), b = (4, 6).
    #[test]
    fn ratios_have_the_error_of_their_influences() {
        let found = log_ratio(&[Some(900.0), Some(1100.0), None], &[Some(490.0), Some(510.0), Some(7.0)]).unwrap();
        assert_eq!(found.value, math::ln(2.0));
        // Influences ∓0.1 ± 0.02: their standard deviation is √2 · 0.08, the error 0.08.
        assert!((found.standard_error - 0.08).abs() < 1e-12, "{}", found.standard_error);
        // Not resolved, and of unlike signs.
        assert!(log_ratio(&[Some(-1.0), Some(1.5)], &[Some(490.0), Some(510.0)]).is_none());
        assert!(log_ratio(&[Some(-490.0), Some(-510.0)], &[Some(490.0), Some(510.0)]).is_none());
    }
}
