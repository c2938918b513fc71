//! `dynamics.kind = "fastest"`: the largest step with which a question about the SDE's own law is still answered.
//!
//! Where C = σ²I the cheapest scheme is Leimkuhler–Matthews: one gradient a step as Euler–Maruyama, and a stationary law that is the
//! SDE's to second order in δ. Its step is taken as large as its predicted bias in any log-odds allows, a tenth of ε, and that bias
//! is counted as an error of the predictions, which widens every interval of theirs. Lengths of a scenario are SDE times, of
//! so many steps of the `step` that was written: they stay what they are.

use super::crossover::bias_per_tolerance;
use super::forecast::Forecast;
use super::ladder::gibbs_law;
use super::overshoot::{LostStart, Overshoot};
use super::setting::Setting;
use crate::dynamics::DynamicsSpec;
use crate::input::Problems;
use crate::plain::{exact, significant};
use crate::scenario::{EnsembleSpec, ExperimentKind, Loaded, Scenario, no_known_bias};
use crate::theory::discrete::scheme_bias::Biases;
use crate::theory::discrete::scheme_bias::LIMIT;
use crate::theory::discrete::{BiasMethod, NoDiscreteLaw, NoSchemeBias, SchemeBias};
use crate::theory::gibbs::{Gibbs, NoGibbs};

/// The part of ε that the bias may be.
const PART: f64 = 0.1;
/// By how much a step is made smaller at least, and where nothing is known of its bias.
const SMALLER: f64 = 0.95;
const BLIND: f64 = 0.8;
const MOST_TRIES: usize = 60;
/// A bias is less if it is so many times the least so far; after so many smaller steps without one the search ends.
const BETTER: f64 = 0.99;
const MOST_NO_BETTER: usize = 4;
/// What a faster scheme has to save to be worth a word.
const WORTH_A_WORD: f64 = 0.2;

/// How a note begins that says what the scheme does to the law.
pub(super) const SCHEME: &str = "steps are those of Leimkuhler–Matthews";
/// How a note begins that says why a bias is not known.
pub(super) const UNKNOWN: &str = "the bias of Leimkuhler–Matthews at this step is not known";

/// A scenario whose dynamics is "fastest" with the scheme, the step and the lengths in such steps that this comes to; any other as it
/// is. Of a study it is the points that are settled, each by itself.
///
/// # Errors
/// When the landscape cannot be explored, C is not σ²I, or no step is known to be near enough.
pub fn settle(loaded: Loaded) -> Result<Loaded, Problems> {
    let (DynamicsSpec::Fastest { step: written }, None) = (&loaded.scenario.dynamics, &loaded.scenario.study) else {
        return Ok(loaded);
    };
    let written = *written;
    let mut trial = loaded;
    trial.scenario.dynamics = DynamicsSpec::LeimkuhlerMatthews { step: written, count_bias: false };
    let setting = Setting::unchecked(&trial)?;
    if setting.temperature().is_none() {
        let message = "found \"fastest\" with noise that is not σ²I: no scheme of one gradient a step has the SDE's law to second order \
                       there; write kind = \"platen\" or \"euler-maruyama\", with a step";
        return Err(trial.source.problem("dynamics.kind", message).into());
    }
    // Which law there is to be near to is asked with the question itself.
    if setting.landscape.minima.len() > 1 {
        let step = largest_step(&setting, &trial, written)?;
        let step = for_the_line(&setting, &trial, written, step);
        trial.scenario = in_steps_of(&trial.scenario, written, step);
        trial.written_step = Some(written);
    }
    Ok(trial)
}

/// A step small enough for what a crossover makes of log-odds at several noises, too: a line moves more than its points, where their
/// biases have whatever signs.
fn for_the_line(setting: &Setting, loaded: &Loaded, written: f64, mut step: f64) -> f64 {
    const ROUNDS: usize = 4;
    let part_at = |step: f64| -> Result<f64, Problems> {
        let scenario = in_steps_of(&loaded.scenario, written, step);
        let loaded = loaded.with(scenario);
        bias_per_tolerance(&loaded, &setting.at(&loaded)?)
    };
    if loaded.scenario.experiment == ExperimentKind::Crossover {
        for _ in 0..ROUNDS {
            // What has no line is told when the question is asked.
            let Some(part) = part_at(step).ok().filter(|part| *part > PART) else { break };
            step = in_two_digits(step * (PART / part).sqrt().min(SMALLER));
        }
    }
    step
}

/// The same SDE times in steps of another size.
fn in_steps_of(scenario: &Scenario, written: f64, step: f64) -> Scenario {
    // What a ratio of decimal numbers is off by is no step.
    const ROUNDING: f64 = 1e-12;
    let ratio = written / step;
    let no_less = |steps: u64| (steps as f64 * ratio * (1.0 - ROUNDING)).ceil() as u64;
    let no_more = |steps: u64| ((steps as f64 * ratio * (1.0 + ROUNDING)) as u64).max(1);
    let ensemble = &scenario.ensemble;
    let steps = no_less(ensemble.steps).max(1);
    let ensemble = EnsembleSpec {
        steps,
        burn_in: ensemble.burn_in.map(no_less),
        observe_every: ensemble.observe_every.map(|every| no_more(every).min(steps)),
        ..ensemble.clone()
    };
    let dynamics = DynamicsSpec::LeimkuhlerMatthews { step, count_bias: true };
    Scenario { ensemble, dynamics, ..scenario.clone() }
}

/// The largest step of two digits, within a few per cent, whose bias is a tenth of ε at every noise that the question goes through.
fn largest_step(setting: &Setting, loaded: &Loaded, written: f64) -> Result<f64, Problems> {
    let settings = at_every_noise(setting, loaded)?;
    let known: Result<Vec<Gibbs>, NoGibbs> = settings.iter().map(gibbs_law).collect();
    let known = known.map_err(|reason| {
        let message = format!(
            "found \"fastest\", but how far a scheme is off is counted from the Gibbs law, which is not known: {reason}; write kind = \
             \"leimkuhler-matthews\" or \"euler-maruyama\" with a step, and halve it to see what it does"
        );
        Problems::from(loaded.source.problem("dynamics.kind", message))
    })?;
    let biases: Result<Vec<Biases>, NoSchemeBias> =
        settings.iter().zip(&known).map(|(setting, gibbs)| biases(setting, Some(gibbs))).collect();
    let worst = |step: f64| -> Result<f64, NoSchemeBias> {
        let mut all = biases.as_ref().map_err(Clone::clone)?.iter().map(|biases| biases.at(step));
        all.try_fold(0.0, |most: f64, bias| Ok(most.max(bias?.bounds.largest())))
    };
    let Scenario { ensemble, test, .. } = &loaded.scenario;
    let steps = (ensemble.least_steps() * ensemble.replicas) as f64 * loaded.scenario.ensembles() as f64;
    let is_lost = |step: f64| {
        let are_kicked = |setting: &Setting| Overshoot::threatens(setting, step, (steps * written / step).max(1.0));
        settings.iter().any(|setting| are_kicked(setting) || LostStart::threatens(setting, loaded, step))
    };
    let first = in_two_digits(LIMIT / setting.sharpest());
    let allowed = PART * test.tolerance;
    let failure = match search(first, allowed, &worst, &is_lost) {
        Ok(step) => return Ok(step),
        Err(failure) => failure,
    };
    // What would do has to be found by the same search.
    let would_do = tolerances_above(failure.least / PART)
        .find(|tolerance| search(first, PART * tolerance, &worst, &is_lost).is_ok())
        .map_or(String::new(), |tolerance| format!("test.tolerance = {} would do; or ", significant(tolerance, 1)));
    let message = format!(
        "found \"fastest\", but no step of Leimkuhler–Matthews is known to be off the SDE's log-odds by no more than ε/10 = {}; at δ = {} \
         {}; {would_do}write kind = \"leimkuhler-matthews\" or \"euler-maruyama\" with a step, and halve it to see what it does",
        significant(allowed, 2),
        exact(failure.step),
        failure.reason,
    );
    Err(loaded.source.problem("dynamics.kind", message).into())
}

/// Why a search for a step ended without one.
struct Failure {
    reason: String,
    /// The last step that was looked at.
    step: f64,
    /// The least bias that is known of any step.
    least: f64,
}

/// Steps of two digits downwards from a first one, until the bias is what is allowed and no replica is lost.
fn search(
    first: f64,
    allowed: f64,
    worst: &dyn Fn(f64) -> Result<f64, NoSchemeBias>,
    is_lost: &dyn Fn(f64) -> bool,
) -> Result<f64, Failure> {
    let (mut step, mut reason) = (first, String::new());
    // At how many smaller steps the bias was no less: operator and quadrature leave an error of their own.
    let (mut least, mut no_better) = (f64::INFINITY, 0);
    for _ in 0..MOST_TRIES {
        let factor = match worst(step) {
            _ if is_lost(step) => {
                reason = "replicas are lost up the walls".into();
                BLIND
            }
            Ok(bias) if bias <= allowed => return Ok(step),
            Ok(bias) => {
                reason = format!("it is off by {} in log-odds", significant(bias, 2));
                (least, no_better) = if bias < BETTER * least { (bias, 0) } else { (least, no_better + 1) };
                if no_better > MOST_NO_BETTER {
                    break;
                }
                (allowed / bias).sqrt().min(SMALLER)
            }
            Err(error) => {
                reason = error.to_string();
                // Whatever else is missing a smaller step does not bring.
                let is_too_large = matches!(
                    error,
                    NoSchemeBias::TooSharp { .. }
                        | NoSchemeBias::Operator(NoDiscreteLaw::Folds | NoDiscreteLaw::Escapes(_))
                );
                if !is_too_large {
                    break;
                }
                BLIND
            }
        };
        step = in_two_digits(step * factor);
    }
    Err(Failure { reason, step, least })
}

/// Powers of ten above a number, some; none above infinity.
fn tolerances_above(least: f64) -> impl Iterator<Item = f64> {
    const MOST: i32 = 5;
    let first = format!("{least:e}").split_once('e').and_then(|(_, exponent)| exponent.parse().ok());
    first.into_iter().flat_map(|first: i32| (1..=MOST).map(move |more| crate::math::powi(10.0, first + more)))
}

/// The settings of all noises of a question.
fn at_every_noise(setting: &Setting, loaded: &Loaded) -> Result<Vec<Setting>, Problems> {
    let scenario = &loaded.scenario;
    let factors = match (scenario.experiment, &scenario.crossover) {
        (ExperimentKind::Crossover, Some(crossover)) => crossover.factors.clone(),
        _ => vec![1.0],
    };
    let at = |factor: f64| setting.at(&loaded.with(scenario.with_noise_times(factor)));
    factors.into_iter().map(at).collect()
}

/// The number of two digits at or below another.
fn in_two_digits(x: f64) -> f64 {
    let text = format!("{x:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    // A digit, the point, a digit.
    format!("{}e{exponent}", digits.get(..3).unwrap_or(digits)).parse().unwrap_or(x)
}

/// By how much Leimkuhler–Matthews is off the law of a setting.
pub(super) fn biases<'a>(setting: &'a Setting, gibbs: Option<&'a Gibbs>) -> Result<Biases<'a>, NoSchemeBias> {
    let temperature = setting.temperature().ok_or(NoSchemeBias::NoGibbs)?;
    Biases::of(setting.chain_at(temperature), gibbs)
}

/// What the scheme is, and what it does to the law.
pub(super) fn note(bias: &SchemeBias, setting: &Setting) -> String {
    let how = match bias.method {
        BiasMethod::Line => "by the chain's own law",
        BiasMethod::Product => "by the laws of the parts that the loss is a sum of",
        BiasMethod::SecondOrder => "to second order in δ, enlarged",
    };
    format!(
        "{SCHEME} with δ = {}: its stationary law is off that of the SDE by at most {} in any log-odds \
         ({how}), which is counted as an error of laplace and gibbs. Numbers of steps that are named here are of this length; in a \
         scenario with \"fastest\" they are to be written times it over its own step",
        exact(setting.step()),
        significant(bias.bounds.largest(), 2)
    )
}

/// A faster way to the same answer.
#[derive(Clone, Debug)]
pub struct Faster {
    /// The scenario that it comes to.
    pub scenario: Scenario,
    /// Steps between two looks.
    pub observe_every: u64,
    /// By how much any log-odds is off.
    pub bias: f64,
    /// Seconds of the simulation, and of the scenario as it is written.
    pub seconds: [f64; 2],
}

/// What `dynamics.kind = "fastest"` would save; `None` where it may not be asked for, or saves little.
pub fn faster(loaded: &Loaded, forecast: &Forecast, threads: usize) -> Option<Faster> {
    let scenario = &loaded.scenario;
    let is_asked = scenario.study.is_none() && !scenario.dynamics.counts_bias();
    if !is_asked || no_known_bias(scenario.experiment, &scenario.noise, scenario.test.against).is_some() {
        return None;
    }
    let mut other = loaded.clone();
    other.scenario.dynamics = DynamicsSpec::Fastest { step: scenario.dynamics.step()? };
    // Where no scheme is known to do there is nothing to say.
    let other = settle(other).ok()?;
    let its = Forecast::of(&other, threads).ok()?;
    let seconds = [&its, forecast].map(|forecast| forecast.seconds - forecast.seconds_of_theory);
    let bias = its.scheme_bias.filter(|_| seconds[0] < (1.0 - WORTH_A_WORD) * seconds[1])?;
    Some(Faster { observe_every: its.observe_every, scenario: other.scenario, bias, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_are_rounded_down() {
        for (x, expected) in [(0.2187, 0.21), (0.21, 0.21), (0.2099999, 0.2), (0.1, 0.1), (0.0999, 0.099), (12.9, 12.0)]
        {
            assert_eq!(in_two_digits(x), expected, "{x}");
        }
        assert_eq!(in_two_digits(1.0), 1.0);
        assert_eq!(in_two_digits(0.99999), 0.99);
    }
}
