//! What a reader must know of curvature at equal loss.

use super::super::course::Course;
use super::Case;
use super::claims::{compare, difference, shown, slope};
use super::measure::{MEASURES, Measure};
use crate::experiment::training::curvature::stable_rate_in_words;
use crate::math;
use crate::scenario::{Loaded, WidthSpec};
use crate::statistics::{Verdict, median, spearman};

pub(super) fn of(
    loaded: &Loaded,
    course: &Course,
    spec: &WidthSpec,
    cases: &[Case],
    ratios: &[Vec<usize>],
) -> Vec<String> {
    let mut notes = vec![
        format!(
            "curvature is that of the training loss in double precision, by exact Hessian products; medians over seeds have 95 % intervals by \
             a bootstrap over seeds. ρ says how the medians of these η and S are ordered: it is the seeds that a repetition would draw anew. As \
             groups of equal η/S share a rank, ρ is never below {:.4}",
            perfect(ratios)
        ),
        reached(spec, cases),
    ];
    notes.extend(fates(course, cases));
    notes.extend(MEASURES.iter().map(|&measure| errors(cases, measure)));
    notes.extend(MEASURES.iter().filter_map(|&measure| explained(cases, ratios, measure)));
    notes.extend(MEASURES.iter().map(|&measure| told_apart(loaded, cases, ratios, measure)));
    notes
}

/// ρ of a measure that falls with every step of η/S.
fn perfect(ratios: &[Vec<usize>]) -> f64 {
    let rank = |(rank, of_ratio): (usize, &Vec<usize>)| vec![rank as f64; of_ratio.len()];
    let places: Vec<f64> = ratios.iter().enumerate().flat_map(rank).collect();
    let falling: Vec<f64> = (0..places.len()).map(|index| -(index as f64)).collect();
    spearman(&places, &falling).unwrap_or(-1.0)
}

/// How equal the losses are.
fn reached(spec: &WidthSpec, cases: &[Case]) -> String {
    let short: Vec<f64> = cases.iter().flat_map(Case::ends).map(|end| -math::ln(end.loss / spec.loss)).collect();
    let largest = short.iter().copied().fold(0.0, f64::max);
    let by_group: Vec<f64> = cases
        .iter()
        .filter_map(|case| median(&case.ends().map(|end| end.loss / spec.loss).collect::<Vec<f64>>()))
        .collect();
    let (low, high) = by_group.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
    format!(
        "replicas were stopped at the first look at which the training loss was at most {}; they are below it by {:.1} % at the median and by \
         {:.1} % at most, and the medians of the groups lie between {low:.3} and {high:.3} of it",
        spec.loss,
        100.0 * median(&short).unwrap_or(f64::NAN),
        100.0 * largest
    )
}

/// Who is late, and how large η is beside what gradient descent allows.
fn fates(course: &Course, cases: &[Case]) -> Vec<String> {
    let mut notes = Vec::new();
    for case in cases {
        let (group, late) = (&case.group, case.late());
        if late > 0 {
            notes.push(format!(
                "{}: {late} of {} replicas did not reach the loss within {} epochs; those that did are a selection",
                group.name, course.replicas, course.spec.epochs
            ));
        }
    }
    for case in cases {
        let flat = case.missing() - case.late() - case.group.diverged.len();
        if flat > 0 {
            notes.push(format!(
                "{}: at the ends of {flat} of {} replicas H has no curvature that is positive and known to a fifth of itself; the others are a \
                 selection",
                case.group.name, course.replicas
            ));
        }
    }
    let largest = cases.iter().map(|case| case.group.learning_rate()).fold(0.0, f64::max);
    notes.extend(stable_rate_in_words(course).map(|stable| {
        format!(
            "gradient descent is stable at the first weights of replica 0 up to η = 2/λ_max = {stable}; the largest η here is {}",
            shown(largest)
        )
    }));
    notes
}

/// The error of the estimation beside the spread between seeds.
fn errors(cases: &[Case], measure: Measure) -> String {
    let errors: Vec<f64> =
        cases.iter().flat_map(Case::ends).filter_map(|end| Some(end.curvature.as_ref()?.error(measure))).collect();
    let spreads: Vec<f64> = cases.iter().filter_map(|case| spread(case, measure)).collect();
    let kind =
        if measure == Measure::Sharpest { "residual over it, an upper bound" } else { "standard error between probes" };
    format!(
        "{}: each replica's is known to {} ({kind}, median); seeds of a group scatter by {} (standard deviation, median over groups)",
        measure.name(),
        percent(median(&errors), 2),
        percent(median(&spreads), 1)
    )
}

fn percent(share: Option<f64>, digits: usize) -> String {
    let none = || "no number, since nothing was measured,".to_owned();
    share.map_or_else(none, |share| format!("{:.digits$} %", 100.0 * share))
}

/// Standard deviation of ln over the seeds of a group.
pub(super) fn spread(case: &Case, measure: Measure) -> Option<f64> {
    let values: Vec<f64> = case.logarithms(measure).into_iter().flatten().collect();
    let mean = crate::statistics::Estimate::from_replicas(&values)?;
    Some(mean.standard_error * (values.len() as f64).sqrt())
}

/// What the losses that were reached explain of the difference between the ends.
fn explained(cases: &[Case], ratios: &[Vec<usize>], measure: Measure) -> Option<String> {
    let slope = slope(cases, measure)?;
    let [small, large] = [ratios.first()?, ratios.last()?].map(|of_ratio| &cases[of_ratio[0]]);
    let mean = |case: &Case| {
        let losses: Vec<f64> = case.ends().map(|end| math::ln(end.loss)).collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    let (by_loss, in_all) = (slope.value * (mean(large) - mean(small)), difference(large, small, measure)?);
    Some(format!(
        "{}: between replicas of a group ln {} changes by {:.2} ± {:.2} per unit of ln L; from the smallest to the largest η/S it changes by \
         {:.3} ± {:.3}, of which the losses reached explain {by_loss:.3}",
        measure.name(),
        measure.name(),
        slope.value,
        slope.standard_error,
        in_all.value,
        in_all.standard_error
    ))
}

/// The smallest change of η/S that the statistic of the equality tells apart.
fn told_apart(loaded: &Loaded, cases: &[Case], ratios: &[Vec<usize>], measure: Measure) -> String {
    let first: Vec<usize> = ratios.iter().map(|of_ratio| of_ratio[0]).collect();
    let mut smallest = f64::INFINITY;
    for (position, &small) in first.iter().enumerate() {
        for &large in &first[position + 1..] {
            if compare(loaded, cases, &[[large, small]], measure).verdict == Verdict::Rejected {
                smallest = smallest.min(cases[large].ratio() / cases[small].ratio());
            }
        }
    }
    let name = measure.name();
    if smallest.is_finite() {
        format!(
            "{name}: the smallest factor in η/S across which the statistic of the equality rejects it is {}",
            shown(smallest)
        )
    } else {
        format!("{name}: across no factor in η/S does the statistic of the equality reject it")
    }
}
