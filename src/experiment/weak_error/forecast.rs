//! What a run costs and what it can show, from a pilot of a few replicas.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::measured::Measured;
use super::question::{Order, Question};
use crate::dynamics::coupled::Coupled;
use crate::dynamics::{Dynamics, steps_at_once};
use crate::experiment::forecast::{Forecast, Of, Outlook};
use crate::experiment::setting::Setting;
use crate::experiment::{Control, ExperimentError};
use crate::lanes::LANES;
use crate::math;
use crate::scenario::Loaded;
use crate::statistics::estimate::LARGEST_RELATIVE_ERROR;
use crate::statistics::{Estimate, Line, LinePoint, effort};

/// Replicas of the pilot: their spread is then known to some per cent.
const PILOT: u64 = 4 * LANES as u64;
/// A pilot that took less is repeated with so many times the replicas, which know the errors themselves better.
const QUICK: f64 = 0.1;
const LARGER: u64 = 16;
/// Of the pilot, whose numbers are not those of the run.
const SEED: u64 = 0;

/// What a run comes to.
///
/// # Errors
/// When the scenario does not ask this question, or every replica of the pilot diverged.
pub(in crate::experiment) fn forecast(
    loaded: &Loaded,
    setting: &Setting,
    threads: usize,
) -> Result<Forecast, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let spec = &question.spec;
    let replicas = loaded.scenario.ensemble.replicas;
    let smallest = PILOT.max(2 * question.starts.len() as u64);
    let mut pilot = replicas.min(smallest);
    let (mut points, mut seconds) = piloted(&question, pilot)?;
    if seconds < QUICK {
        pilot = replicas.min(LARGER * smallest);
        (points, seconds) = piloted(&question, pilot)?;
    }
    // The pilot's blocks ran on as many threads as there are blocks.
    let blocks = |replicas: u64| replicas.div_ceil(LANES as u64) as f64;
    let seconds = seconds / blocks(pilot) * (threads as f64).min(blocks(pilot));
    let steps: f64 = spec.learning_rates.iter().map(|&rate| spec.steps(rate) as f64).sum();
    Ok(Forecast {
        of: Of::Minima(setting.landscape.minima.len()),
        ensembles: spec.learning_rates.len(),
        // Of SGD, of two SDEs at δ and of two at 2δ.
        trajectory_steps: replicas as f64 * steps * (1.0 + 3.0 * spec.substeps as f64),
        memory: blocks(replicas) * bytes_per_block(&question) + 60e6,
        seconds: seconds * blocks(replicas) / (threads as f64).min(blocks(replicas)),
        transitions: None,
        fewest_transitions: None,
        quantity: String::new(),
        standard_error: None,
        steps_wanted: None,
        seconds_of_theory: 0.0,
        no_law: None,
        too_large_step: None,
        doubt: setting.landscape.doubt.clone(),
        elsewhere: None,
        tolerance: spec.second_order_tolerance,
        bias: None,
        slowest: None,
        remembered: None,
        softest: None,
        time: spec.time,
        scheme_bias: None,
        observe_every: 1,
        outlook: Some(outlook(&question, &points, pilot, replicas)),
        target: None,
    })
}

/// All learning rates with so many replicas, and the seconds that they took.
fn piloted(question: &Question, replicas: u64) -> Result<(Vec<Measured>, f64), ExperimentError> {
    let (clock, stop) = (Instant::now(), AtomicBool::new(false));
    let control = &mut Control { monitor: &mut |_| (), stop: &stop };
    let take = |index| Measured::take(question, index, replicas, SEED, control);
    let points = (0..question.spec.learning_rates.len()).map(take).collect::<Result<_, _>>()?;
    Ok((points, clock.elapsed().as_secs_f64()))
}

/// Of the slope that is harder to know, over the observables: that of the second order.
fn outlook(question: &Question, points: &[Measured], pilot: u64, replicas: u64) -> Outlook {
    let quantity = "the slope of second order";
    let tolerance = question.spec.second_order_tolerance;
    let found = (0..question.observables.len()).map(|observable| slope_error(question, points, observable));
    let worst = found.collect::<Option<Vec<_>>>().and_then(|all| {
        all.into_iter().max_by(|a: &Expected, b: &Expected| a.standard_error.total_cmp(&b.standard_error))
    });
    let Some(expected) = worst else {
        return Outlook { quantity, chance: f64::NAN, bias: None, steps_wanted: None, replicas_wanted: None };
    };
    let growth = (pilot as f64 / replicas as f64).sqrt();
    let margin = (tolerance - expected.bias.unwrap_or(0.0)) / effort::margin_in_standard_errors();
    // The interval inside ±ε, and every error told from zero.
    let factor = (expected.standard_error / margin).max(1.1 * expected.relative / LARGEST_RELATIVE_ERROR);
    Outlook {
        quantity,
        chance: 1.96 * growth * expected.standard_error,
        bias: expected.bias,
        steps_wanted: None,
        replicas_wanted: (margin > 0.0).then(|| (pilot as f64 * factor * factor).ceil()),
    }
}

/// What as many replicas as the pilot's know of a slope.
struct Expected {
    standard_error: f64,
    /// The largest relative error of an error.
    relative: f64,
    /// How far the slope is from 2 by the closed form.
    bias: Option<f64>,
}

fn slope_error(question: &Question, points: &[Measured], observable: usize) -> Option<Expected> {
    let rates = &question.spec.learning_rates;
    let order = Order::Second;
    let estimates: Vec<&Estimate> =
        points.iter().map(|point| point.error(observable, order).error.as_ref()).collect::<Option<_>>()?;
    let exact: Option<Vec<f64>> =
        (0..rates.len()).map(|index| question.exact(index, observable, order).map(f64::abs)).collect();
    // Without a closed form c of cη², by the weights of the pilot's errors.
    let (mut sum, mut weights) = (0.0, 0.0);
    for (estimate, rate) in estimates.iter().zip(rates) {
        let (value, error) = (estimate.value / (rate * rate), estimate.standard_error / (rate * rate));
        sum += value / (error * error);
        weights += 1.0 / (error * error);
    }
    let sizes = exact.clone().unwrap_or_else(|| rates.iter().map(|rate| (sum / weights).abs() * rate * rate).collect());
    let relative: Vec<f64> = estimates.iter().zip(&sizes).map(|(e, size)| e.standard_error / size).collect();
    let line = rates.iter().zip(&sizes).zip(&relative).map(|((rate, size), &relative)| LinePoint {
        x: math::ln(*rate),
        y: Estimate::with_known_error(math::ln(*size), relative),
    });
    let line = Line::fit(&line.collect::<Vec<_>>())?;
    Some(Expected {
        standard_error: line.slope.standard_error,
        relative: relative.into_iter().fold(0.0, f64::max),
        bias: exact.map(|_| (line.slope.value - 2.0).abs()),
    })
}

/// θ, gradient and noise of a block of all five members, its scratch and its generators.
fn bytes_per_block(question: &Question) -> f64 {
    let setting = question.setting;
    let (rate, substeps) = (question.spec.largest(), question.spec.substeps as usize);
    let dynamics = Coupled::new(&setting.loss, &setting.noise, rate, question.batch_size, substeps);
    let rows = dynamics.noise_rows();
    let numbers = (2 * dynamics.dimension() + rows * steps_at_once(rows) + 3) * LANES + dynamics.block_scratch();
    // What is kept of every replica for its estimates: four differences for each observable.
    let kept = 4 * LANES * question.observables.len();
    (8 * (numbers + kept) + LANES * (5 * 8 + 32) + 1_000) as f64
}
