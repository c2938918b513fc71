//! What a scenario will cost and what it can show, before it is run.

use std::fmt;
use std::time::Instant;

use super::cost::{bytes_per_block, seconds_of_diagnostics, seconds_per_block_step};
use super::elsewhere;
use super::equilibrium::{contrast_pairs, pair_name};
use super::exchange::Exchange;
use super::ladder::Ladder;
use super::overshoot::{LostStart, Overshoot};
use super::reason::RUNGS;
use super::setting::Setting;
use super::softest::{self, Softest};
use super::training::Unstable;
use super::{ExperimentError, Prepared};
use crate::landscape::minimum_name;
use crate::lanes::LANES;
use crate::scenario::{ExperimentKind, Loaded, Rung, Start};
use crate::statistics::effort;
use crate::statistics::memory::{ADVISED_BIAS, FARTHER, LARGEST_BIAS};
use crate::statistics::transitions::PLANNED;
use crate::theory::discrete::bounds::Bounds;

/// Cost and power of a scenario.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// What it is of.
    pub of: Of,
    /// Ensembles that are simulated, one after another.
    pub ensembles: usize,
    /// Trajectory-steps in all, burn-in included.
    pub trajectory_steps: f64,
    /// Bytes at the peak, roughly.
    pub memory: f64,
    /// Seconds on this machine with the given number of threads, from a pilot of a few milliseconds.
    pub seconds: f64,
    /// Core-to-core transitions that the escape times predict, all replicas; `None` where there is no escape time.
    pub transitions: Option<f64>,
    /// Of these, what the rarest contrast will rest on, in the ensemble that shows fewest (as
    /// [`crate::statistics::Transitions::between`] counts them).
    pub fewest_transitions: Option<f64>,
    /// What is measured.
    pub quantity: String,
    /// Its expected standard error (of log-odds: exact for two minima only).
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
    /// What will be left of the start, if that is too much.
    pub remembered: Option<Remembered>,
    /// The direction along which the burn-in is too short, if there is one.
    pub softest: Option<Softest>,
    /// SDE time that each replica covers (in the shortest of several ensembles).
    pub time: f64,
    /// Power of a question that is not about log-odds; in its place the fields about log-odds mean nothing.
    pub outlook: Option<Outlook>,
    /// Where a standard error is asked for: what the pilot will come to.
    pub target: Option<Target>,
    /// Of `seconds`, those that the theory takes before the first step, as it took just now.
    pub seconds_of_theory: f64,
    /// Why no run can settle the question, where theory finds no stationary law.
    pub no_law: Option<String>,
    /// What is wrong with the scenario's own step, if it is too large for where it leads.
    pub too_large_step: Option<TooLargeStep>,
    /// Why the search for minima may have missed some.
    pub doubt: Option<String>,
    /// What of the Gibbs law lies in no basin that is asked about, where it is much.
    pub elsewhere: Option<String>,
    /// By how much any log-odds is off the SDE's, where that is counted.
    pub scheme_bias: Option<f64>,
    /// Steps between two looks at a trajectory.
    pub observe_every: u64,
}

/// A step with which replicas are lost, or from which nothing is learned.
#[derive(Clone, Debug)]
pub enum TooLargeStep {
    /// Replicas come to a place up a wall, and do not come back.
    UpTheWalls(Overshoot),
    /// Replicas start so high up a wall that they never come down.
    AtTheStart(LostStart),
    /// Gradient descent leaves the bowl of a network's first weights.
    AtTheFirstWeights(Unstable),
}

impl fmt::Display for TooLargeStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpTheWalls(overshoot) => write!(out, "up the walls: {overshoot}"),
            Self::AtTheStart(start) => write!(out, "at the start: {start}"),
            Self::AtTheFirstWeights(unstable) => write!(out, "at the first weights: {unstable}"),
        }
    }
}

/// A burn-in that is too short for two wells to forget which replica started where.
#[derive(Clone, Copy, Debug)]
pub struct Remembered {
    /// Burn-in in relaxation times of the exchange between the wells.
    pub burn_in: f64,
    /// Bias of the log-odds, in standard errors.
    pub size: f64,
    /// Steps of burn-in that would do.
    pub wanted: f64,
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

/// What a measurement can show, before it is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Power {
    /// Core-to-core transitions, all replicas and ensembles.
    pub transitions: Option<f64>,
    /// As in [`Forecast`].
    pub fewest_transitions: Option<f64>,
    /// What the error is of.
    pub quantity: String,
    /// The expected standard error.
    pub standard_error: Option<f64>,
    /// By which factor the steps must grow (or may shrink) for a true claim to hold with 90 % probability.
    pub steps_factor: Option<f64>,
    /// As in [`Forecast`].
    pub bias: Option<(f64, &'static str)>,
    /// As in [`Forecast`].
    pub slowest: Option<(String, f64)>,
    /// As in [`Forecast`].
    pub remembered: Option<Remembered>,
    /// The shortest SDE time that an ensemble covers.
    pub time: f64,
    /// As in [`Forecast`].
    pub no_law: Option<String>,
    /// As in [`Forecast`].
    pub elsewhere: Option<String>,
    /// As in [`Forecast`].
    pub scheme_bias: Option<f64>,
    /// The direction along which the Gibbs law is filled last, where it is wider than the minima tell.
    pub softest: Option<Softest>,
    /// Where the ensembles of a question differ in what they cost; `None` where they do not.
    pub cost: Option<Cost>,
    /// Power of a question that is not about log-odds; in its place the fields about log-odds mean nothing.
    pub outlook: Option<Outlook>,
}

/// What all ensembles of a question together cost for every step of the scenario.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Steps of a replica.
    pub steps: f64,
    /// Seconds of a block.
    pub seconds: f64,
}

/// What a run of a question that is not about log-odds is expected to show.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// What is measured.
    pub quantity: &'static str,
    /// How far chance puts it off: a 95 % bound.
    pub chance: f64,
    /// How far a long run will find it from what is tested, by the best prediction there is.
    pub bias: Option<f64>,
    /// Measured steps per replica after which a true claim holds with 90 % probability.
    pub steps_wanted: Option<f64>,
    /// Replicas with which it does, where the time of each is fixed.
    pub replicas_wanted: Option<f64>,
}

/// The slowest motions, for a rough estimate of how many independent samples a run has.
pub(super) struct Motions {
    /// Replicas × SDE time.
    pub time: f64,
    /// Relaxation time within the widest well, 1/h.
    pub within: f64,
    /// Between the first two wells: the mass of either, and the relaxation time of their exchange.
    pub between: Option<([f64; 2], f64)>,
}

impl Motions {
    pub(super) fn of(setting: &Setting, ladder: &Ladder, loaded: &Loaded) -> Self {
        let ensemble = &loaded.scenario.ensemble;
        let widest = setting.softest();
        let masses = [Rung::Discrete, Rung::Gibbs, Rung::Laplace].into_iter().find_map(|rung| ladder.rung(rung));
        let rate: Option<f64> =
            ladder.escape.iter().take(2).map(|escape| best_time(escape).map(|time| 1.0 / time)).sum();
        let between = match (masses, rate) {
            (Some([a, b, ..]), Some(rate)) if rate > 0.0 => Some(([*a, *b], 1.0 / rate)),
            _ => None,
        };
        Self { time: ensemble.replicas as f64 * ensemble.steps as f64 * setting.step(), within: 1.0 / widest, between }
    }
}

/// What a forecast is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A landscape with so many minima.
    Minima(usize),
    /// A network of so many parameters in training.
    Network(usize),
}

impl Forecast {
    /// Of `groups` of a network with so many `parameters`.
    pub(super) fn of_training(
        [groups, parameters]: [usize; 2],
        trajectory_steps: f64,
        memory: f64,
        seconds: f64,
        tolerance: f64,
        unstable: Option<Unstable>,
    ) -> Self {
        Self {
            of: Of::Network(parameters),
            ensembles: groups,
            trajectory_steps,
            memory,
            seconds,
            transitions: None,
            fewest_transitions: None,
            quantity: String::new(),
            standard_error: None,
            steps_wanted: None,
            tolerance,
            seconds_of_theory: 0.0,
            no_law: None,
            too_large_step: unstable.map(TooLargeStep::AtTheFirstWeights),
            doubt: None,
            elsewhere: None,
            bias: None,
            slowest: None,
            remembered: None,
            softest: None,
            time: 0.0,
            outlook: None,
            target: None,
            scheme_bias: None,
            observe_every: 1,
        }
    }

    /// Works out the theory and times a short pilot.
    ///
    /// # Errors
    /// When the loss does not allow the question.
    pub fn of(loaded: &Loaded, threads: usize) -> Result<Self, ExperimentError> {
        let clock = Instant::now();
        let setting = match super::prepare(loaded)? {
            Prepared::Landscape(setting) => *setting,
            Prepared::Training(course) => return Ok(super::training::forecast(loaded, &course, threads)),
        };
        let power = match loaded.scenario.experiment {
            ExperimentKind::WeakError => return super::weak_error::forecast(loaded, &setting, threads),
            ExperimentKind::Crossover => super::crossover::power(loaded, &setting)?,
            ExperimentKind::Scaling => super::scaling::power(loaded, &setting)?,
            ExperimentKind::NoiseLadder => super::noise_ladder::power(loaded, &setting)?,
            ExperimentKind::Density => {
                let mut ladder = super::density::ladder(&setting);
                let outlook = super::density::outlook(loaded, &setting, &mut ladder)?;
                Power { outlook: Some(outlook), ..power(loaded, &setting, &ladder) }
            }
            ExperimentKind::TemperaturePair => {
                let ladder = Ladder::lowest_rung(&setting);
                let outlook = super::temperature_pair::outlook(loaded, &setting, &ladder)?;
                Power { outlook: Some(outlook), ..power(loaded, &setting, &ladder) }
            }
            ExperimentKind::Covariance => power_in_a_bowl(loaded, &setting),
            ExperimentKind::Training(_) => return Err(ExperimentError::OtherExperiment),
            ExperimentKind::Equilibrium => {
                let ladder = Ladder::climb(&setting);
                ladder.require_primary(loaded)?;
                power(loaded, &setting, &ladder)
            }
        };
        // A run goes the same way before its first step: landscape and ladder, which take minutes where a law is sampled.
        let seconds_of_theory = clock.elapsed().as_secs_f64();
        let ensemble = &loaded.scenario.ensemble;
        let (replicas, steps) = (ensemble.replicas as f64, ensemble.steps as f64);
        let ensembles = loaded.scenario.ensembles() as f64;
        let blocks = (replicas / LANES as f64).ceil();
        let plan = setting.plan(loaded);
        let cost = power.cost.unwrap_or_else(|| Cost {
            steps: ensembles,
            seconds: ensembles * seconds_per_block_step(&setting, plan.observe_every),
        });
        let with_burn_in = steps + plan.burn_in as f64;
        Ok(Self {
            of: Of::Minima(setting.landscape.minima.len()),
            ensembles: loaded.scenario.ensembles(),
            trajectory_steps: replicas * with_burn_in * cost.steps,
            memory: blocks * bytes_per_block(&setting) + 60e6,
            seconds: blocks * with_burn_in * cost.seconds / (threads as f64).min(blocks)
                + ensembles * seconds_of_diagnostics(&plan)
                + seconds_of_theory,
            seconds_of_theory,
            no_law: power.no_law,
            too_large_step: too_large_step(&setting, loaded, replicas * with_burn_in),
            doubt: setting.landscape.doubt.clone(),
            elsewhere: power.elsewhere,
            transitions: power.transitions,
            fewest_transitions: power.fewest_transitions,
            quantity: power.quantity,
            standard_error: power.standard_error,
            steps_wanted: power
                .steps_factor
                .map(|factor| steps * factor.max(steps_factor_to_count(power.fewest_transitions))),
            tolerance: loaded.scenario.test.tolerance,
            bias: power.bias,
            slowest: power.slowest,
            remembered: power.remembered,
            softest: softest::foreseen(&setting, loaded)
                .into_iter()
                .chain(power.softest)
                .reduce(Softest::longer)
                .filter(|softest| !softest.is_forgotten()),
            time: power.time,
            scheme_bias: power.scheme_bias,
            observe_every: plan.observe_every,
            outlook: power.outlook,
            target: ensemble.target_standard_error.map(|target| {
                let foreseen = power.standard_error.map(|error| steps * (error / target) * (error / target));
                Target::new(target, foreseen, steps, loaded.scenario.test.tolerance)
            }),
        })
    }
}

/// What loses replicas among so many steps, from their start or later.
fn too_large_step(setting: &Setting, loaded: &Loaded, steps: f64) -> Option<TooLargeStep> {
    let at_the_start = LostStart::of(setting, loaded).map(TooLargeStep::AtTheStart);
    at_the_start.or_else(|| Overshoot::of(setting, steps).map(TooLargeStep::UpTheWalls))
}

/// The power of one ensemble about occupancies.
fn power(loaded: &Loaded, setting: &Setting, ladder: &Ladder) -> Power {
    let ensemble = &loaded.scenario.ensemble;
    let time = ensemble.steps as f64 * setting.step();
    let minima = setting.landscape.minima.len();
    let trajectories = time * ensemble.replicas as f64;
    let bias = bias(ladder, loaded.scenario.test.against);
    let (transitions, standard_error, [a, b]) = if minima == 2 {
        let transitions = transition_rate(ladder).map(|rate| rate * trajectories);
        (transitions, transitions.and_then(effort::log_odds_standard_error), [0, 1])
    } else {
        // The rarest contrast decides, for which the sum of all transitions says nothing.
        let exchange = Exchange::of(ladder);
        let (error, pair) = exchange.as_ref().and_then(|it| rarest(it, ladder, loaded, trajectories)).unzip();
        (exchange.map(|exchange| exchange.rate() * trajectories).filter(|m| *m > 0.0), error, pair.unwrap_or([0, 1]))
    };
    // What the tested rung may be off by itself is as bad as a difference that is known.
    let against = loaded.scenario.test.against;
    let pairs = ladder.rung(against).map_or(Vec::new(), contrast_pairs);
    let bound = pairs.into_iter().map(|pair| ladder.log_odds_bound(against, pair)).fold(0.0, f64::max);
    let difference = bias.map_or(0.0, |(difference, _)| difference) + bound;
    Power {
        transitions,
        fewest_transitions: standard_error.and_then(effort::transitions_for_standard_error),
        quantity: pair_name([a, b]),
        steps_factor: standard_error.and_then(|error| steps_factor(error, loaded.scenario.test.tolerance, difference)),
        standard_error,
        bias,
        slowest: slowest(ladder),
        remembered: standard_error.filter(|_| minima == 2).and_then(|error| remembered(loaded, setting, ladder, error)),
        time,
        outlook: None,
        cost: None,
        no_law: ladder.no_law.clone(),
        elsewhere: ladder.gibbs.as_ref().and_then(elsewhere::note),
        scheme_bias: ladder.scheme_bias.as_ref().map(Bounds::largest),
        softest: softest::foreseen_by_law(setting, loaded, ladder),
    }
}

/// The largest standard error among the contrasts that are judged, and whose it is.
fn rarest(exchange: &Exchange, ladder: &Ladder, loaded: &Loaded, time: f64) -> Option<(f64, [usize; 2])> {
    let pairs = contrast_pairs(ladder.rung(loaded.scenario.test.against)?);
    let errors: Option<Vec<(f64, [usize; 2])>> =
        pairs.into_iter().map(|pair| Some((exchange.log_odds_error(pair, time)?, pair))).collect();
    errors?.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))
}

/// The closed form of [`crate::statistics::memory`] for two wells between which replicas start in equal shares.
fn remembered(loaded: &Loaded, setting: &Setting, ladder: &Ladder, standard_error: f64) -> Option<Remembered> {
    let ensemble = &loaded.scenario.ensemble;
    let ([a, b], relaxation) = Motions::of(setting, ladder, loaded).between?;
    let relaxations = |steps: u64| steps as f64 * setting.step() / relaxation;
    let steps = setting.plan(loaded).burn_in;
    let (burn_in, measured) = (relaxations(steps), relaxations(ensemble.steps));
    let share = crate::math::exp(-burn_in) * (1.0 - crate::math::exp(-measured)) / measured;
    let left = (0.5 - a) * share;
    let odds = |a: f64, b: f64| crate::math::ln(a / b);
    let size = (odds(a + left, b - left) - odds(a, b)).abs() / standard_error + FARTHER * share;
    let further = relaxation / setting.step() * crate::math::ln(size / ADVISED_BIAS);
    let is_too_short = ensemble.start == Start::Minima && size > LARGEST_BIAS;
    is_too_short.then_some(Remembered { burn_in, size, wanted: steps as f64 + further })
}

/// What R replicas will know of ln Var along the direction that takes longest: squares of a Gaussian AR(1) chain of
/// correlation a = 1 − δh are correlated by a², so that SE² = 2(1 + a²)/((1 − a²)·steps·R).
fn power_in_a_bowl(loaded: &Loaded, setting: &Setting) -> Power {
    let ensemble = &loaded.scenario.ensemble;
    let correlated = |curvature: &f64| {
        let a = 1.0 - setting.step() * curvature;
        (1.0 + a * a) / (1.0 - a * a)
    };
    let longest = setting.landscape.minima[0].eigenvalues.iter().map(correlated).fold(0.0, f64::max);
    let error = (2.0 * longest / (ensemble.replicas as f64 * ensemble.steps as f64)).sqrt();
    Power {
        quantity: "ln Var".into(),
        standard_error: Some(error),
        steps_factor: steps_factor(error, loaded.scenario.test.tolerance, 0.0),
        time: ensemble.steps as f64 * setting.step(),
        ..Power::default()
    }
}

/// By which factor the steps must grow for enough transitions to be seen for any verdict, in 97 of 100 runs; 0 where it is not known.
fn steps_factor_to_count(fewest_transitions: Option<f64>) -> f64 {
    fewest_transitions.map_or(0.0, |fewest| PLANNED / fewest)
}

/// By which factor the steps must grow for a claim with this standard error to hold with 90 % probability, if the true
/// difference is d: (SE/SE wanted)².
pub(super) fn steps_factor(standard_error: f64, tolerance: f64, difference: f64) -> Option<f64> {
    let wanted = effort::transitions_to_hold(tolerance, difference)?;
    Some(wanted / effort::transitions_for_standard_error(standard_error)?)
}

/// Σ_A p_A Σ_B 1/τ_AB, with the best occupancies and times that the ladder has.
pub(super) fn transition_rate(ladder: &Ladder) -> Option<f64> {
    let occupancies = RUNGS.into_iter().rev().find_map(|rung| ladder.rung(rung))?;
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
    let best = RUNGS.into_iter().rev().find(|&rung| rung > against && ladder.rung(rung).is_some())?;
    let other = ladder.rung(best)?;
    let likeliest = (0..tested.len()).max_by(|&a, &b| tested[a].total_cmp(&tested[b]))?;
    let log_odds = |p: &[f64], minimum: usize| crate::math::ln(p[minimum]) - crate::math::ln(p[likeliest]);
    let differences = (0..tested.len()).map(|minimum| (log_odds(other, minimum) - log_odds(tested, minimum)).abs());
    Some((differences.fold(0.0, f64::max), best.name()))
}

pub(super) fn best_time(escape: &crate::findings::EscapeRecord) -> Option<f64> {
    escape.discrete.or(escape.exact).or(escape.kramers)
}

pub(super) fn slowest(ladder: &Ladder) -> Option<(String, f64)> {
    let times = ladder
        .escape
        .iter()
        .filter_map(|escape| Some((format!("from {} to {}", escape.from, escape.to), best_time(escape)?)));
    times.max_by(|a, b| a.1.total_cmp(&b.1))
}
