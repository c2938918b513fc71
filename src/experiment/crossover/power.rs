//! What a run will show of n*, slope and intercept, before it is run.

use super::claims::Aspect;
use super::theory::{Question, Theory};
use crate::experiment::ExperimentError;
use crate::experiment::forecast::{Power, slowest, steps_factor};
use crate::experiment::reason::RUNGS;
use crate::experiment::setting::Setting;
use crate::experiment::softest::softest_of;
use crate::input::Problems;
use crate::scenario::{Loaded, Rung};
use crate::statistics::line::LARGEST_RELATIVE_ERROR;
use crate::statistics::{Estimate, Line, LinePoint, effort};

/// What the run will show of n*, slope and intercept, by the escape times at every point.
pub(in crate::experiment) fn power(loaded: &Loaded, setting: &Setting) -> Result<Power, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::of(&question)?;
    for ladder in &theory.ladders {
        ladder.require_primary(loaded)?;
    }
    let ensemble = &loaded.scenario.ensemble;
    let (replicas, steps) = (ensemble.replicas as f64, ensemble.steps as f64);
    let against = loaded.scenario.test.against;
    let mut power = Power {
        quantity: format!("ln {}*", question.varied),
        slowest: theory.ladders.iter().filter_map(slowest).max_by(|a, b| a.1.total_cmp(&b.1)),
        time: theory.settings.iter().map(|setting| setting.step() * steps).fold(f64::INFINITY, f64::min),
        no_law: theory.ladders.iter().find_map(|ladder| ladder.no_law.clone()),
        scheme_bias: theory.ladders.iter().filter_map(|it| Some(it.scheme_bias.as_ref()?.largest())).reduce(f64::max),
        softest: softest_of(theory.settings.iter().zip(&theory.ladders), loaded),
        ..Power::default()
    };
    let Some(errors) = theory.expected_errors(replicas, steps) else { return Ok(power) };
    power.transitions = Some(errors.iter().filter_map(|error| effort::transitions_for_standard_error(*error)).sum());
    power.fewest_transitions = errors.iter().copied().reduce(f64::max).and_then(effort::transitions_for_standard_error);
    // The points as the best rung has them.
    let has = |rung: &Rung| (0..theory.inverse.len()).all(|point| theory.log_odds(point, *rung).is_some());
    let best = RUNGS.into_iter().rev().find(has).unwrap_or(Rung::Laplace);
    let expected =
        |point: usize| Estimate::with_known_error(theory.log_odds(point, best).unwrap_or(f64::NAN), errors[point]);
    let points: Vec<LinePoint> =
        theory.inverse.iter().enumerate().map(|(point, &x)| LinePoint { x, y: expected(point) }).collect();
    let line = Line::fit(&points);
    let factor = |aspect: Aspect| {
        let contrast = aspect.contrast(against, &question, &theory, &errors, line.as_ref())?;
        let measured = contrast.measured?;
        let difference = measured.value - contrast.predicted;
        Some((
            measured.standard_error,
            difference,
            steps_factor(measured.standard_error, aspect.tolerance(loaded, &question), difference),
        ))
    };
    let expectations: Vec<_> = Aspect::ALL.into_iter().map(factor).collect();
    if let Some((error, difference, _)) = expectations[0] {
        power.standard_error = Some(error);
        power.bias = (best > against).then_some((difference.abs(), best.name()));
    }
    let factors: Option<Vec<f64>> = expectations.into_iter().map(|expectation| expectation?.2).collect();
    let told = line.as_ref().map(steps_factor_to_tell);
    power.steps_factor = factors.and_then(|factors| factors.into_iter().chain(told).reduce(f64::max));
    Ok(power)
}

/// The largest part of its tolerance by which a counted bias may move ln n*, slope or intercept.
pub(in crate::experiment) fn bias_per_tolerance(loaded: &Loaded, setting: &Setting) -> Result<f64, Problems> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::of(&question)?;
    let ensemble = &loaded.scenario.ensemble;
    let errors = theory.expected_errors(ensemble.replicas as f64, ensemble.steps as f64);
    let errors = errors.unwrap_or_else(|| vec![1.0; theory.inverse.len()]);
    let part = |aspect: Aspect| {
        let contrast = aspect.contrast(loaded.scenario.test.against, &question, &theory, &errors, None)?;
        Some(contrast.predicted_bound / aspect.tolerance(loaded, &question))
    };
    Ok(Aspect::ALL.into_iter().filter_map(part).fold(0.0, f64::max))
}

/// By how much longer a run has slope and intercept told from zero, without which n* has no error bar: the measured ones scatter by a standard
/// error, and are to be told all but always.
fn steps_factor_to_tell(line: &Line) -> f64 {
    const SCATTER: f64 = 3.0;
    let relative_error = |estimate: &Estimate| estimate.standard_error / estimate.value.abs();
    let factor =
        relative_error(&line.slope).max(relative_error(&line.intercept)) * (1.0 / LARGEST_RELATIVE_ERROR + SCATTER);
    factor * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slope or intercept of 13 standard errors is as good as sure to be measured as more than 10.
    #[test]
    fn slope_and_intercept_have_to_be_told_from_zero() {
        let line = |intercept: f64, error: f64| {
            let point = |x: f64| LinePoint { x, y: Estimate::with_known_error(intercept - x, error) };
            Line::fit(&[point(0.5), point(1.0), point(1.5), point(2.0)]).unwrap()
        };
        for (intercept, error) in [(1.0, 0.02), (0.1, 0.02), (0.1, 0.004)] {
            let factor = steps_factor_to_tell(&line(intercept, error));
            let longer = line(intercept, error / factor.sqrt());
            let told = [longer.slope, longer.intercept].map(|estimate| estimate.value.abs() / estimate.standard_error);
            assert!((told[0].min(told[1]) - 13.0).abs() < 1e-9, "{intercept}, {error}: {told:?}");
        }
    }
}
