//! What a scenario will cost and what it can show, before it is run.

use std::time::Instant;

use super::ExperimentError;
use super::ladder::Ladder;
use super::setting::Setting;
use crate::dynamics::Block;
use crate::landscape::minimum_name;
use crate::loss::LANES;
use crate::scenario::{ExperimentKind, Loaded, Rung};
use crate::statistics::effort;

/// Cost and power of a scenario.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Minima found.
    pub minima: usize,
    /// Trajectory-steps in all, burn-in included.
    pub trajectory_steps: f64,
    /// Bytes at the peak, roughly.
    pub memory: f64,
    /// Seconds on this machine with the given number of threads, from a pilot of a few milliseconds.
    pub seconds: f64,
    /// Core-to-core transitions that the escape times predict, all replicas; `None` where there is no escape time.
    pub transitions: Option<f64>,
    /// Standard error of the log-odds that they give (exact for two minima only).
    pub standard_error: Option<f64>,
    /// Measured steps per replica after which a true claim holds with 90 % probability.
    pub steps_wanted: Option<f64>,
    /// ε.
    pub tolerance: f64,
    /// The largest difference in log-odds between the tested rung and the best one, and that one's name: what a long run
    /// will find.
    pub bias: Option<(f64, &'static str)>,
    /// The least-mixing pair and its mean escape time in SDE time.
    pub slowest: Option<(String, f64)>,
    /// SDE time that each replica covers.
    pub time: f64,
    /// Where a standard error is asked for: what the pilot will come to.
    pub target: Option<Target>,
}

/// A standard error that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// In log-odds or ln ratio.
    pub standard_error: f64,
    /// Measured steps per replica that the theory foresees for it; `None` where only the pilot will know.
    pub steps: Option<f64>,
    /// The most that are allowed, `ensemble.steps`.
    pub most: f64,
    /// The error that is to be expected: a larger one where the most steps do not suffice.
    pub expected: f64,
    /// The probability that a claim that is exactly true HOLDS with it.
    pub holds: Option<f64>,
}

impl Target {
    fn new(standard_error: f64, steps: Option<f64>, most: f64, tolerance: f64) -> Self {
        let expected = standard_error * steps.map_or(1.0, |steps| (steps / most).max(1.0).sqrt());
        let holds = effort::probability_of_holding(expected, tolerance, 0.0);
        Self { standard_error, steps, most, expected, holds }
    }
}

impl Forecast {
    /// Works out the theory and times a short pilot.
    ///
    /// # Errors
    /// When the loss does not allow the question.
    pub fn of(loaded: &Loaded, threads: usize) -> Result<Self, ExperimentError> {
        let setting = super::prepare(loaded)?;
        let ladder = Ladder::climb(&setting);
        let in_a_bowl = loaded.scenario.experiment == ExperimentKind::Covariance;
        if !in_a_bowl {
            ladder.require_primary(loaded)?;
        }
        let ensemble = &loaded.scenario.ensemble;
        let (replicas, steps) = (ensemble.replicas as f64, ensemble.steps as f64);
        let time = steps * setting.step();
        let rate = transition_rate(&ladder);
        let transitions = rate.map(|rate| rate * time * replicas);
        let tolerance = loaded.scenario.test.tolerance;
        // The ladder is one of occupancies.
        let bias = if in_a_bowl { None } else { bias(&ladder, loaded.scenario.test.against) };
        // With more than two minima the rarest one decides, for which the sum of all transitions says nothing.
        let two = setting.landscape.minima.len() == 2;
        let steps_wanted = rate
            .filter(|_| two)
            .zip(effort::transitions_to_hold(tolerance, bias.map_or(0.0, |(difference, _)| difference)))
            .map(|(rate, wanted)| wanted / (rate * replicas * setting.step()));
        let trajectory_steps = replicas * (steps + ensemble.burn_in as f64);
        let blocks = (replicas / LANES as f64).ceil();
        Ok(Self {
            minima: setting.landscape.minima.len(),
            trajectory_steps,
            memory: blocks * bytes_per_block(&setting) + 60e6,
            seconds: blocks * (steps + ensemble.burn_in as f64) * seconds_per_block_step(&setting)
                / (threads as f64).min(blocks),
            standard_error: transitions.filter(|_| two).and_then(effort::log_odds_standard_error),
            bias,
            transitions,
            steps_wanted,
            tolerance,
            slowest: slowest(&ladder),
            time,
            target: ensemble.target_standard_error.map(|target| {
                let foreseen = if in_a_bowl {
                    Some(steps_for_covariance(&setting, target, replicas))
                } else {
                    rate.filter(|_| two)
                        .zip(effort::transitions_for_standard_error(target))
                        .map(|(rate, wanted)| wanted / (rate * replicas * setting.step()))
                };
                Target::new(target, foreseen, steps, tolerance)
            }),
        })
    }
}

/// Steps after which R replicas know ln Var to a standard error, along the direction that takes longest: squares of a Gaussian
/// AR(1) chain of correlation a = 1 − δh are correlated by a², so that SE² = 2(1 + a²)/((1 − a²)·steps·R).
fn steps_for_covariance(setting: &Setting, target: f64, replicas: f64) -> f64 {
    let correlated = |curvature: &f64| {
        let a = 1.0 - setting.step() * curvature;
        (1.0 + a * a) / (1.0 - a * a)
    };
    let longest = setting.landscape.minima[0].eigenvalues.iter().map(correlated).fold(0.0, f64::max);
    2.0 * longest / (replicas * target * target)
}

/// Σ_A p_A Σ_B 1/τ_AB, with the best occupancies and times that the ladder has.
fn transition_rate(ladder: &Ladder) -> Option<f64> {
    let occupancies = [Rung::Discrete, Rung::Gibbs, Rung::Laplace].into_iter().find_map(|rung| ladder.rung(rung))?;
    let mut rate = 0.0;
    for escape in &ladder.escape {
        let from = (0..occupancies.len()).find(|&index| minimum_name(index) == escape.from)?;
        rate += occupancies[from] / best_time(escape)?;
    }
    (rate > 0.0).then_some(rate)
}

/// How far the tested rung is from the best one, over the contrasts of the claim.
fn bias(ladder: &Ladder, against: Rung) -> Option<(f64, &'static str)> {
    let tested = ladder.rung(against)?;
    let best = [Rung::Discrete, Rung::Gibbs].into_iter().find(|&rung| rung > against && ladder.rung(rung).is_some())?;
    let other = ladder.rung(best)?;
    let likeliest = (0..tested.len()).max_by(|&a, &b| tested[a].total_cmp(&tested[b]))?;
    let log_odds = |p: &[f64], minimum: usize| crate::math::ln(p[minimum]) - crate::math::ln(p[likeliest]);
    let differences = (0..tested.len()).map(|minimum| (log_odds(other, minimum) - log_odds(tested, minimum)).abs());
    Some((differences.fold(0.0, f64::max), best.name()))
}

fn best_time(escape: &crate::findings::EscapeRecord) -> Option<f64> {
    escape.discrete.or(escape.exact).or(escape.kramers)
}

fn slowest(ladder: &Ladder) -> Option<(String, f64)> {
    let times = ladder
        .escape
        .iter()
        .filter_map(|escape| Some((format!("from {} to {}", escape.from, escape.to), best_time(escape)?)));
    times.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// θ, gradient and noise of a block, its generators, scratch of the dynamics and of the observers, and their counts.
fn bytes_per_block(setting: &Setting) -> f64 {
    let dimension = setting.loss.dimension();
    let scratch = setting.dynamics.block_scratch() + setting.loss.block_scratch();
    let counts = LANES * (setting.landscape.minima.len() + 1) + LANES * 2;
    (8 * (3 * dimension * LANES + scratch + counts) + LANES * (5 * 8 + 32) + 1_000) as f64
}

/// A short pilot run of one block.
fn seconds_per_block_step(setting: &Setting) -> f64 {
    let mut block = Block::new(setting.dynamics.as_ref(), 0, 0);
    for lane in 0..LANES {
        block.place(lane, &setting.landscape.minima[lane % setting.landscape.minima.len()].theta);
    }
    let mut steps = 64;
    loop {
        let clock = Instant::now();
        setting.dynamics.advance(&mut block, steps);
        let seconds = clock.elapsed().as_secs_f64();
        if seconds > 0.01 {
            // Looks, their labels and counts take about a quarter on top.
            return 1.25 * seconds / steps as f64;
        }
        steps *= 2;
    }
}
