//! Runs the ensemble of an occupancy question and folds it into estimates, diagnostics and figures.

use std::sync::Arc;

use super::effort::Effort;
use super::ladder::Ladder;
use super::pilot::{Pilot, Reading};
use super::records::all_diverged;
use super::setting::Setting;
use super::softest::{self, Softest};
use super::stationarity::{Groups, Stationarity, gauge};
use super::{Control, ExperimentError, Status};
use crate::ensemble::balance::Balance;
use crate::ensemble::histogram::{Histogram, HistogramObserver};
use crate::ensemble::occupancy::{Occupancy, Watch};
use crate::ensemble::{FOLLOWED, Fate, Plan, Progress, Run};
use crate::findings::{MixingFigure, MixingSeries, StationarityRecord};
use crate::landscape::basins::Workspace;
use crate::landscape::{CriticalPoint, minimum_name, point_text, strays};
use crate::lanes::LANES;
use crate::plain::significant;
use crate::scenario::{Loaded, Start};
use crate::statistics::{
    Equilibration, EquilibrationInput, Estimate, Jumps, Observable, Occupancies, StartDesign, StartMemory, Transitions,
};

/// What an ensemble says about the occupancies.
pub struct Measurement {
    /// Of the replicas that came to their end; the last state is `other`.
    pub occupancies: Occupancies,
    /// Core-to-core transitions, `[from][to]`, all replicas.
    pub transitions: Vec<Vec<u64>>,
    /// Returns to the first core after having been in another, all replicas.
    pub round_trips: u64,
    /// What became of every replica.
    pub fates: Vec<Fate>,
    /// Has the ensemble forgotten where it started?
    pub equilibration: Equilibration,
    /// Is it at rest in every direction?
    pub stationarity: StationarityRecord,
    /// ⟨L − L_A⟩, L_A the lowest minimum.
    pub mean_excess: Option<Estimate>,
    /// Minima in the domain that the search had missed, and the run came to.
    pub missed: Vec<CriticalPoint>,
    /// Measured steps of every replica.
    steps: u64,
    /// Running occupancies by start basin.
    pub mixing: MixingFigure,
    /// Where the trajectories were.
    pub histogram: Option<Arc<Histogram>>,
}

impl Measurement {
    /// Runs the ensemble. `histogram`, if given, is filled as well.
    ///
    /// # Errors
    /// When the run was stopped or every replica diverged.
    pub fn take(
        setting: &Setting,
        plan: &Plan,
        start: &Start,
        histogram: Option<Histogram>,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        Self::take_on_demand(setting, plan, start, histogram, &mut Effort::default(), control)
    }

    /// The same for a run that goes on from an earlier one, or that may be gone on from.
    pub(super) fn take_on_demand(
        setting: &Setting,
        plan: &Plan,
        start: &Start,
        histogram: Option<Histogram>,
        effort: &mut Effort,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let histogram = histogram.map(Arc::new);
        let (watch, gauge) = (watch(setting), gauge(setting, plan));
        let observer = |first: u64, count: usize| -> Observers {
            let occupancy = Occupancy::new(&watch, first, count);
            ((occupancy, Balance::new(&gauge)), histogram.as_ref().map(|histogram| histogram.observer(first)))
        };
        let mut monitor = |progress: &Progress<Observers>| {
            (control.monitor)(&Status {
                steps_done: progress.steps_done,
                steps_in_all: progress.steps_in_all,
                estimate: &|| running_log_odds(progress.observers),
            });
        };
        let place = |replica: u64, point: &mut [f64]| setting.start(start, plan.seed, replica, point);
        let dynamics = setting.dynamics.as_ref();
        let shared = histogram.as_deref();
        let run = effort.advance(dynamics, plan, &place, &observer, shared, &mut monitor, control.stop)?;
        let measurement = Self::of(setting, plan, start, &run, histogram.clone())?;
        effort.keep(run, histogram);
        Ok(measurement)
    }

    /// The plan of an occupancy question: where the scenario asks for a standard error, by a pilot whose contrasts are
    /// those of `pairs`.
    pub(super) fn plan(
        setting: &Setting,
        loaded: &Loaded,
        pairs: &[[usize; 2]],
        effort: &mut Effort,
        control: &mut Control,
    ) -> Result<Plan, ExperimentError> {
        let (watch, gauge) = (watch(setting), gauge(setting, &setting.plan(loaded)));
        let start = &loaded.scenario.ensemble.start;
        let pilot = Pilot {
            start: &|seed, replica, point| setting.start(start, seed, replica, point),
            observer: &|first, count| -> Observers {
                ((Occupancy::new(&watch, first, count), Balance::new(&gauge)), None)
            },
            estimate: &running_log_odds,
            read: &|plan, run| {
                let measured = Self::of(setting, plan, start, run, None)?;
                let contrasts = pairs.iter().map(|&[a, b]| {
                    let label = format!("ln(p_{}/p_{})", minimum_name(a), minimum_name(b));
                    (label, measured.counted().log_odds(a, b))
                });
                let followed = measured.occupancies.replicas().min(FOLLOWED as usize);
                Ok(Reading::new(contrasts, &measured.equilibration, followed))
            },
        };
        effort.plan(loaded, setting, &pilot, control)
    }

    /// What a run says.
    fn of(
        setting: &Setting,
        plan: &Plan,
        start: &Start,
        run: &Run<Observers>,
        histogram: Option<Arc<Histogram>>,
    ) -> Result<Self, ExperimentError> {
        let (observers, balances): (Vec<&Occupancy>, Vec<&Balance>) =
            run.observers().into_iter().map(|((occupancy, balance), _)| (occupancy, balance)).unzip();
        let states = setting.landscape.minima.len() + 1;
        let fates = run.fates();
        let groups = StartGroups::new(setting, plan, start);
        let finished = Finished::new(&fates);
        if finished.replicas.is_empty() {
            return Err(all_diverged(&fates, setting.step()));
        }
        let occupancies = finished.occupancies(&observers, states)?;
        let transitions = add_transitions(observers.iter().copied(), states - 1);
        let equilibration = assess(setting, &observers, &occupancies, &groups, &finished)?;
        let burn_in = plan.burn_in as f64;
        let starts = groups.shares(states - 1);
        let measured = run.looks() * plan.observe_every;
        let steps = measured as f64;
        let jumps = Jumps { transitions: &transitions, occupancies: &occupancies, starts: &starts, burn_in, steps };
        let memory = if states > 2 { StartMemory::of(&jumps) } else { None };
        let equilibration = equilibration.with_memory(memory, burn_in, minimum_name);
        let counted = Transitions { counts: &transitions, occupancies: &occupancies };
        let mut equilibration = equilibration.with_too_few(counted.too_few(minimum_name));
        let of_finished: Vec<usize> = finished.replicas.iter().map(|&replica| groups.of_replica[replica]).collect();
        let by_start = Groups { names: &groups.names, of_replica: &of_finished };
        let stationarity = Stationarity::of(setting, plan, (start, measured), &balances, &finished.replicas, &by_start);
        equilibration.add_start_reasons(stationarity.reasons);
        let strays = strays::lowest(observers.iter().map(|observer| observer.strays()));
        Ok(Self {
            missed: setting.landscape.missed(setting.loss.as_ref(), &strays),
            transitions,
            round_trips: observers.iter().map(|observer| observer.round_trips()).sum(),
            mixing: mixing(plan, setting.step(), run.stretches(), &observers, &groups, &finished, states - 1),
            occupancies,
            fates,
            equilibration,
            stationarity: stationarity.record,
            mean_excess: stationarity.mean_excess,
            steps: measured,
            histogram,
        })
    }

    /// Number of replicas that diverged.
    pub fn diverged(&self) -> usize {
        self.fates.iter().filter(|fate| matches!(fate, Fate::Diverged { .. })).count()
    }

    /// Bars every verdict where theory finds no stationary law, or one that is wider than the wells and not yet filled, or has mass
    /// where the run has not been: it can look at rest in wells that it would leave for good, or for long.
    #[must_use]
    pub(super) fn with_law_of(mut self, ladder: &Ladder, setting: &Setting, plan: &Plan, start: &Start) -> Self {
        let Plan { seed, replicas, burn_in, .. } = *plan;
        let run = softest::Run { start, seed, replicas, burn_in, steps: self.steps, step: setting.step() };
        let softest = ladder.gibbs.as_ref().and_then(|gibbs| Softest::of_law(setting, gibbs, &run));
        if let Some(softest) = softest.filter(|softest| !softest.is_forgotten()) {
            self.stationarity.softest = Some(softest.record());
            self.equilibration.add_start_reasons(softest.reason());
        }
        let reason = ladder.no_law.clone().or_else(|| unreached(self.mean_excess.as_ref()?, ladder, setting));
        let reason = reason.or_else(|| self.missed_minima(setting)).or_else(|| self.unforeseen_elsewhere(ladder));
        if let Some(reason) = reason {
            self.equilibration.reasons.insert(0, reason);
            self.equilibration.remembers_start = true;
        }
        self
    }

    /// That the run came to minima which the theory does not know, if so.
    fn missed_minima(&self, setting: &Setting) -> Option<String> {
        let shown = |minimum: &CriticalPoint| {
            format!("{} with L = {}", point_text(&minimum.theta), significant(minimum.loss, 6))
        };
        let places: Vec<String> = self.missed.iter().map(shown).collect();
        let most = 4;
        let more = if places.len() > most { format!(" and {} more", places.len() - most) } else { String::new() };
        let starts = setting.landscape.domain.len() * 1000;
        (!places.is_empty()).then(|| {
            format!(
                "the run came to a minimum that the search had missed, at {}{more}: every prediction lacks it; look from more places \
                 (loss.starts = {starts}), or narrow loss.domain around the wells that are asked about",
                places[..places.len().min(most)].join(" and ")
            )
        })
    }

    /// That more or less of the run lies in no basin than the law says, if so: then the basins are not those of the theory. A finite step moves
    /// that mass too, where its law is known.
    fn unforeseen_elsewhere(&self, ladder: &Ladder) -> Option<String> {
        let gibbs = ladder.gibbs.as_ref()?;
        let predicted_error = gibbs.sampling.as_ref().and_then(|sampling| sampling.other_standard_error).unwrap_or(0.0);
        let measured = self.occupancies.occupancy(gibbs.occupancies.len()).unwrap_or_else(|| Estimate::exact(0.0));
        let discrete = ladder.discrete.as_ref().map_or(gibbs.other, |discrete| discrete.other);
        let [least, most] = [gibbs.other.min(discrete), gibbs.other.max(discrete)];
        let value = (measured.value - most).max(least - measured.value);
        let standard_error = measured.standard_error.hypot(predicted_error);
        let excess = Estimate { value, standard_error, ..measured.clone() };
        (excess.p_value_above(ELSEWHERE) < FALSE_ALARM).then(|| {
            format!(
                "{} ± {} of the run lies in no basin, where exp(−L/T) has {} ± {}: the basins, or the law, are not those of the theory",
                significant(measured.value, 3),
                significant(measured.standard_error, 2),
                significant(gibbs.other, 3),
                significant(predicted_error, 2)
            )
        })
    }

    /// The transitions with the occupancies, from which both get their errors.
    pub fn counted(&self) -> Transitions<'_> {
        Transitions { counts: &self.transitions, occupancies: &self.occupancies }
    }

    /// Core-to-core transitions in all.
    pub fn transitions_in_all(&self) -> u64 {
        self.transitions.iter().flatten().sum()
    }
}

/// The part of T by which the mean loss may be below that of exp(−L/T).
const LOW: f64 = 0.1;
/// By how much the mass in no basin may differ from that of the law: less than this changes nothing that matters.
const ELSEWHERE: f64 = 0.01;
/// The probability of a false alarm.
const FALSE_ALARM: f64 = 1e-3;

/// That the Gibbs law has mass higher up which the run has not reached, if so: no drift and no relation tells of places where no replica has
/// been, but the mean loss is then too low. (A finite step makes it larger, not smaller, in a bowl by T(δ/4)⟨ΔL⟩; twice that is allowed for what it does
/// elsewhere.)
fn unreached(measured: &Estimate, ladder: &Ladder, setting: &Setting) -> Option<String> {
    let (temperature, gibbs) = (setting.temperature()?, ladder.gibbs.as_ref()?);
    let expected = gibbs.mean_excess?;
    let curvature: f64 = gibbs.occupancies.iter().zip(&gibbs.mean_laplacian).map(|(p, h)| p * h.abs()).sum();
    let allowed = temperature * (LOW + 0.5 * setting.step() * curvature);
    let missing = Estimate { value: expected - measured.value, ..measured.clone() };
    (missing.p_value_above(allowed) < FALSE_ALARM).then(|| {
        let [expected, measured, error] =
            [expected, measured.value, measured.standard_error].map(|value| significant(value, 3));
        format!(
            "the run has not been where exp(−L/T) has much of its mass: its mean loss is {measured} ± {error} above the lowest minimum, that of the \
             Gibbs law {expected}; what lies higher up, outside of the wells, is reached too seldom from where it started. Start replicas \
             there too (ensemble.start), lengthen ensemble.burn_in and ensemble.steps many times over, or let the loss rise more steeply outwards"
        )
    })
}

/// What watches a block.
type Observers = ((Occupancy, Balance), Option<HistogramObserver>);

fn watch(setting: &Setting) -> Arc<Watch> {
    let temperature = setting.effective_temperature();
    Arc::new(Watch::new(setting.landscape.clone(), setting.loss.clone(), temperature, FOLLOWED))
}

/// ln(p_A/p_B) so far, over all replicas; `None` while too few transitions were seen for an error.
fn running_log_odds(observers: &[&Observers]) -> Option<(String, f64, f64)> {
    let states = observers.first()?.0.0.states();
    if states < 3 {
        return None;
    }
    let mut fractions = Vec::new();
    for ((observer, _), _) in observers {
        for row in (0..LANES).filter_map(|lane| observer.fractions(lane)) {
            fractions.extend(row);
        }
    }
    let occupancies = Occupancies::new(states, fractions).ok()?;
    let counts = add_transitions(observers.iter().map(|((occupancy, _), _)| occupancy), states - 1);
    let estimate: Estimate = Transitions { counts: &counts, occupancies: &occupancies }.log_odds(0, 1)?;
    Some(("ln(p_A/p_B)".into(), estimate.value, estimate.standard_error))
}

/// Which replicas came to their end.
struct Finished {
    replicas: Vec<usize>,
}

impl Finished {
    fn new(fates: &[Fate]) -> Self {
        let finished = |&replica: &usize| fates[replica] == Fate::Finished;
        Self { replicas: (0..fates.len()).filter(finished).collect() }
    }

    fn occupancies(&self, observers: &[&Occupancy], states: usize) -> Result<Occupancies, ExperimentError> {
        let mut fractions = Vec::with_capacity(self.replicas.len() * states);
        for replica in &self.replicas {
            fractions.extend(observers[replica / LANES].fractions(replica % LANES).unwrap_or_default());
        }
        Ok(Occupancies::new(states, fractions)?)
    }

    /// Those whose course in time was kept.
    fn followed(&self, observers: &[&Occupancy]) -> impl Iterator<Item = usize> {
        let kept: usize = observers.iter().map(|observer| observer.followed_lanes()).sum();
        self.replicas.iter().copied().take_while(move |&replica| replica < kept)
    }
}

/// Replicas grouped by the basin in which they started.
struct StartGroups {
    /// Ids of minima, or "other".
    names: Vec<String>,
    of_replica: Vec<usize>,
}

impl StartGroups {
    fn new(setting: &Setting, plan: &Plan, start: &Start) -> Self {
        let minima = setting.landscape.minima.len();
        let mut workspace = Workspace::default();
        let mut point = vec![0.0; setting.loss.dimension()];
        let labels: Vec<usize> = (0..plan.replicas)
            .map(|replica| match start {
                // Known without a look.
                Start::Minima => (replica % minima as u64) as usize,
                _ => {
                    setting.start(start, plan.seed, replica, &mut point);
                    setting.landscape.basins.label(&point, &mut workspace).unwrap_or(minima)
                }
            })
            .collect();
        let mut present: Vec<usize> = labels.clone();
        present.sort_unstable();
        present.dedup();
        let name = |&label: &usize| if label == minima { "other".into() } else { minimum_name(label) };
        let of_replica = labels.iter().map(|label| present.binary_search(label).unwrap_or(0)).collect();
        Self { names: present.iter().map(name).collect(), of_replica }
    }

    /// Share of the replicas that started in each minimum's basin, of those that started in any.
    fn shares(&self, minima: usize) -> Vec<f64> {
        let group = |minimum: usize| self.names.iter().position(|name| *name == minimum_name(minimum));
        let count = |minimum| self.of_replica.iter().filter(|&&of| Some(of) == group(minimum)).count() as f64;
        let counts: Vec<f64> = (0..minima).map(count).collect();
        let total: f64 = counts.iter().sum();
        counts.iter().map(|count| if total > 0.0 { count / total } else { 1.0 / minima as f64 }).collect()
    }
}

fn add_transitions<'a>(observers: impl Iterator<Item = &'a Occupancy>, minima: usize) -> Vec<Vec<u64>> {
    let mut sums = vec![vec![0; minima]; minima];
    for observer in observers {
        for (index, count) in observer.transitions().iter().enumerate() {
            sums[index / minima][index % minima] += count;
        }
    }
    sums
}

fn assess(
    setting: &Setting,
    observers: &[&Occupancy],
    occupancies: &Occupancies,
    groups: &StartGroups,
    finished: &Finished,
) -> Result<Equilibration, ExperimentError> {
    let followed: Vec<usize> = finished.followed(observers).collect();
    let minima = setting.landscape.minima.len();
    let course = |state: usize| -> Vec<Vec<f64>> {
        followed.iter().map(|replica| observers[replica / LANES].course(state, replica % LANES)).collect()
    };
    let series: Vec<Vec<Vec<f64>>> = (0..minima).map(course).collect();
    let means: Vec<Vec<f64>> = (0..minima).map(|state| occupancies.column(state)).collect();
    let labels: Vec<String> = (0..minima).map(|state| format!("the occupancy of {}", minimum_name(state))).collect();
    if minima == 1 {
        return Ok(assess_bowl(observers, &followed, groups, finished));
    }
    // Two minima share out the whole time between them: the second would only say the same again.
    let watched = if minima == 2 { 1 } else { minima };
    let observables: Vec<Observable> = (0..watched)
        .map(|state| Observable { label: &labels[state], series: &series[state], replica_means: &means[state] })
        .collect();
    let group_of = |replicas: &[usize]| -> Vec<usize> { replicas.iter().map(|&r| groups.of_replica[r]).collect() };
    let input = EquilibrationInput {
        observables: &observables,
        start_groups: &groups.names,
        chain_groups: &group_of(&followed),
        replica_groups: &group_of(&finished.replicas),
        design: StartDesign::CountedGroups,
    };
    // A run too short to be judged is not a failure: it is not equilibrated, and the reason says so.
    Ok(Equilibration::assess(&input)
        .unwrap_or_else(|error| Equilibration { reasons: vec![error.to_string()], ..Equilibration::default() }))
}

/// With one minimum there is no occupancy to watch: the mean loss takes its place, and a drift of it betrays the start.
fn assess_bowl(
    observers: &[&Occupancy],
    followed: &[usize],
    groups: &StartGroups,
    finished: &Finished,
) -> Equilibration {
    let series: Vec<Vec<f64>> =
        followed.iter().map(|replica| observers[replica / LANES].loss_course(replica % LANES)).collect();
    let mean = |replica: &usize| observers[replica / LANES].mean_loss(replica % LANES).unwrap_or(f64::NAN);
    let replica_means: Vec<f64> = finished.replicas.iter().map(mean).collect();
    let group_of = |replicas: &[usize]| -> Vec<usize> { replicas.iter().map(|&r| groups.of_replica[r]).collect() };
    let input = EquilibrationInput {
        observables: &[Observable { label: "the mean loss", series: &series, replica_means: &replica_means }],
        start_groups: &groups.names,
        chain_groups: &group_of(followed),
        replica_groups: &group_of(&finished.replicas),
        design: StartDesign::OneRegion,
    };
    Equilibration::assess(&input)
        .unwrap_or_else(|error| Equilibration { reasons: vec![error.to_string()], ..Equilibration::default() })
}

/// Running occupancies: for every start group and minimum the mean over its followed replicas of the fraction of time
/// so far, with the standard error between replicas.
fn mixing(
    plan: &Plan,
    step: f64,
    stretches: &[u64],
    observers: &[&Occupancy],
    groups: &StartGroups,
    finished: &Finished,
    minima: usize,
) -> MixingFigure {
    let looks: Vec<f64> = stretches.iter().map(|&looks| looks as f64).collect();
    let mut taken = 0;
    let time = stretches.iter().map(|looks| {
        taken += looks;
        (taken * plan.observe_every) as f64 * step
    });
    let time = time.collect();
    let followed: Vec<usize> = finished.followed(observers).collect();
    let mut series = Vec::new();
    for (group, start) in groups.names.iter().enumerate() {
        let members: Vec<usize> =
            followed.iter().copied().filter(|&replica| groups.of_replica[replica] == group).collect();
        for minimum in 0..minima {
            let running: Vec<Vec<f64>> = members
                .iter()
                .map(|replica| running_mean(&observers[replica / LANES].course(minimum, replica % LANES), &looks))
                .collect();
            let at = |stretch: usize| -> Vec<f64> { running.iter().map(|course| course[stretch]).collect() };
            let estimates: Vec<Option<Estimate>> =
                (0..looks.len()).map(|stretch| Estimate::from_replicas(&at(stretch))).collect();
            let mean = |stretch: usize| at(stretch).iter().sum::<f64>() / members.len() as f64;
            series.push(MixingSeries {
                start: start.clone(),
                minimum: minimum_name(minimum),
                value: (0..looks.len()).map(mean).collect(),
                standard_error: estimates.iter().map(|e| e.as_ref().map_or(f64::NAN, |e| e.standard_error)).collect(),
            });
        }
    }
    MixingFigure { time, series }
}

fn running_mean(course: &[f64], looks: &[f64]) -> Vec<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    course
        .iter()
        .zip(looks)
        .map(|(fraction, looks)| {
            sum += fraction * looks;
            total += looks;
            sum / total
        })
        .collect()
}
