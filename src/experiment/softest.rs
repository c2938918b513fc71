//! The directions that forget their start last, and the burn-in that they ask for: known from the curvatures at the minima before a step is
//! taken ([`crate::statistics::relaxation`] has the rule).

use super::ladder::Ladder;
use super::setting::Setting;
use crate::ensemble::FOLLOWED;
use crate::findings::SoftestRecord;
use crate::landscape::{CriticalPoint, minimum_name};
use crate::plain::{exact, significant};
use crate::scenario::{ExperimentKind, Loaded, Start};
use crate::statistics::Relaxation;
use crate::statistics::memory::LARGEST_BIAS;
use crate::statistics::relaxation::SHORTEST_BURN_IN;
use crate::theory::gibbs::Gibbs;

/// Relaxation times of the softest direction that a burn-in has by default: of a start at a minimum e⁻⁵ is left in a mean and e⁻¹⁰ in a
/// variance.
const DEFAULT_RELAXATIONS: f64 = 5.0;
/// By default at least this part of the measured steps.
const DEFAULT_PART: u64 = 20;
/// Where exp(−L/T) spreads as in a bowl of less than this part of the softest curvature at the minimum, that bowl counts.
const SOFTER: f64 = 0.5;
/// A basin with less of the law changes nothing that matters.
const NEGLIGIBLE: f64 = 0.01;
/// The longest burn-in that a scenario may have.
const LONGEST: f64 = 1e12;

/// An ensemble, as far as what is left of its start depends on it.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub start: &'a Start,
    pub seed: u64,
    pub replicas: u64,
    pub burn_in: u64,
    pub steps: u64,
    /// δ.
    pub step: f64,
}

/// A direction at a minimum along which the start is forgotten last.
#[derive(Clone, Debug)]
pub struct Softest {
    minimum: usize,
    curvature: f64,
    direction: String,
    bowl: Bowl,
    relaxation: Relaxation,
}

/// Whose curvature it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bowl {
    /// The Hessian's at the minimum.
    AtMinimum,
    /// That of the bowl that rises to T/2 where the loss does, where the Hessian is zero.
    OfTheFlat,
    /// That of the bowl in which exp(−L/T) would spread as far: T/⟨u²⟩.
    OfTheLaw,
}

impl Softest {
    /// Of all eigenvectors of all minima the one that asks for the longest burn-in; `None` where no direction is stable.
    pub(super) fn of(setting: &Setting, run: &Run<'_>) -> Option<Self> {
        let starts = Starts::of(setting, run);
        let temperature = setting.effective_temperature();
        let minima = setting.landscape.minima.iter().enumerate();
        let all = minima.flat_map(|(index, minimum)| {
            let covariance = setting.noise.covariance(&minimum.theta);
            let starts = &starts;
            let curvatures = minimum.curvatures_at(temperature);
            (0..curvatures.len()).filter_map(move |axis| {
                let h = curvatures[axis];
                let along = minimum.eigenvectors.column(axis);
                let step_times_curvature = run.step * h;
                let is_stable = step_times_curvature > 0.0 && step_times_curvature < 2.0;
                let strength = setting.noise_scale * along.dot(&(&covariance * along));
                let variance = strength / (2.0 * h * (1.0 - 0.5 * step_times_curvature));
                let [offset, excess] = starts.along(index, along.as_slice(), variance);
                let relaxation = Relaxation {
                    step_times_curvature,
                    replicas: run.replicas as f64,
                    burn_in: run.burn_in as f64,
                    steps: run.steps as f64,
                    offset,
                    excess,
                };
                is_stable.then(|| Self {
                    minimum: index,
                    curvature: h,
                    direction: name(along.as_slice(), &setting.variables),
                    bowl: if minimum.flat.iter().any(|flat| flat.axis == axis) {
                        Bowl::OfTheFlat
                    } else {
                        Bowl::AtMinimum
                    },
                    relaxation,
                })
            })
        });
        all.reduce(Self::longer)
    }

    /// The same of the Gibbs law: around a minimum in a narrow pit of a wide valley, or on a plateau, most of the mass is where the curvature at the
    /// minimum tells nothing. Along u the law forgets no sooner than in the time ⟨u²⟩/T. `None` where no law spreads farther than
    /// the curvatures at the minima say.
    pub(super) fn of_law(setting: &Setting, gibbs: &Gibbs, run: &Run<'_>) -> Option<Self> {
        let temperature = setting.effective_temperature();
        let is_alike = setting.loss.symmetry().is_some() || !setting.noise.is_additive();
        if is_alike || !(temperature > 0.0) {
            return None;
        }
        let starts = Starts::of(setting, run);
        let basins = gibbs.spread.iter().zip(&gibbs.occupancies).enumerate();
        let wide = basins.filter(|(_, (_, mass))| **mass > NEGLIGIBLE).filter_map(|(minimum, (spread, _))| {
            let axes = spread.clone().symmetric_eigen();
            let widest = axes.eigenvalues.imax();
            let (variance, along) = (axes.eigenvalues[widest], axes.eigenvectors.column(widest));
            let curvature = temperature / variance;
            let softest = setting.landscape.minima[minimum].softest_at(temperature);
            let [offset, excess] = starts.along(minimum, along.as_slice(), variance);
            let relaxation = Relaxation {
                step_times_curvature: run.step * curvature,
                replicas: run.replicas as f64,
                burn_in: run.burn_in as f64,
                steps: run.steps as f64,
                offset,
                excess,
            };
            (curvature > 0.0 && curvature < SOFTER * softest).then(|| Self {
                minimum,
                curvature,
                direction: name(along.as_slice(), &setting.variables),
                bowl: Bowl::OfTheLaw,
                relaxation,
            })
        });
        wide.reduce(Self::longer)
    }

    /// The one that asks for the longer burn-in; the first of equal ones.
    pub(super) fn longer(self, other: Self) -> Self {
        if self.wanted().total_cmp(&other.wanted()).is_lt() { other } else { self }
    }

    fn wanted(&self) -> f64 {
        self.relaxation.burn_in_wanted()
    }

    /// The steps of burn-in that would do.
    pub fn burn_in_wanted(&self) -> u64 {
        round_up(self.wanted())
    }

    /// Whether the burn-in is long enough.
    pub fn is_forgotten(&self) -> bool {
        self.relaxation.is_forgotten()
    }

    /// Why nothing may be concluded from the run, if so.
    pub(super) fn reason(&self) -> Option<String> {
        (!self.is_forgotten()).then(|| format!("replicas still remember where they started: {self}"))
    }

    /// For `result.json`.
    pub(super) fn record(&self) -> SoftestRecord {
        SoftestRecord {
            minimum: minimum_name(self.minimum),
            direction: self.direction.clone(),
            curvature: self.curvature,
            relaxation_steps: self.relaxation.time(),
            burn_in_relaxations: self.relaxation.relaxations(),
            left: self.relaxation.left(),
            burn_in_wanted: self.burn_in_wanted(),
            forgotten: self.relaxation.is_forgotten(),
        }
    }
}

impl std::fmt::Display for Softest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (curvature, minimum) = (significant(self.curvature, 3), minimum_name(self.minimum));
        let bowl = match self.bowl {
            Bowl::AtMinimum => format!("a direction of curvature h = {curvature} at minimum {minimum}"),
            Bowl::OfTheFlat => format!(
                "where the Hessian at minimum {minimum} is zero and the loss rises to T/2 as a bowl of curvature h = {curvature} does"
            ),
            Bowl::OfTheLaw => format!(
                "where exp(−L/T) spreads around minimum {minimum} as in a bowl of curvature h = T/⟨u²⟩ = {curvature}, softer than the \
                 minimum itself"
            ),
        };
        write!(
            out,
            "along {}, {bowl}, the burn-in is {} of the relaxation times 1/(δh) = {} steps, where at \
             least {} is asked for, and leaves {} standard errors of the start, where {LARGEST_BIAS} are allowed; burn_in = {} would do",
            self.direction,
            significant(self.relaxation.relaxations(), 2),
            significant(self.relaxation.time(), 3),
            exact(SHORTEST_BURN_IN),
            significant(self.relaxation.left(), 2),
            self.burn_in_wanted(),
        )
    }
}

/// The direction that the ensembles of a scenario forget last, by its own burn-in and the smallest of their steps.
pub(super) fn foreseen(setting: &Setting, loaded: &Loaded) -> Option<Softest> {
    Softest::of(setting, &planned_run(setting, loaded))
}

/// The same by the Gibbs law of a ladder.
pub(super) fn foreseen_by_law(setting: &Setting, loaded: &Loaded, ladder: &Ladder) -> Option<Softest> {
    Softest::of_law(setting, ladder.gibbs.as_ref()?, &planned_run(setting, loaded))
}

/// The same of the ensembles of a question.
pub(super) fn softest_of<'a>(
    ensembles: impl Iterator<Item = (&'a Setting, &'a Ladder)>,
    loaded: &Loaded,
) -> Option<Softest> {
    ensembles.filter_map(|(setting, ladder)| foreseen_by_law(setting, loaded, ladder)).reduce(Softest::longer)
}

fn planned_run<'a>(setting: &Setting, loaded: &'a Loaded) -> Run<'a> {
    Run { burn_in: setting.plan(loaded).burn_in, ..shortest_run(setting, loaded) }
}

/// The burn-in of a scenario that gives none: a twentieth of the measured steps, or as much longer as the softest curvature asks for in the
/// ensemble of the smallest steps.
pub(super) fn default_burn_in(setting: &Setting, loaded: &Loaded) -> u64 {
    let ensemble = &loaded.scenario.ensemble;
    let shortest = ensemble.steps / DEFAULT_PART;
    Softest::of(setting, &shortest_run(setting, loaded)).map_or(shortest, |softest| {
        let relaxed = DEFAULT_RELAXATIONS * softest.relaxation.time();
        if relaxed.max(softest.wanted()) <= shortest as f64 {
            return shortest;
        }
        round_up(relaxed.max(softest.wanted())).max(shortest)
    })
}

/// A scenario's ensemble without a burn-in. Where a pilot plans its length it may be as short as can be.
fn shortest_run<'a>(setting: &Setting, loaded: &'a Loaded) -> Run<'a> {
    let ensemble = &loaded.scenario.ensemble;
    Run {
        start: &ensemble.start,
        seed: loaded.scenario.seed,
        replicas: ensemble.replicas,
        burn_in: 0,
        steps: if ensemble.target_standard_error.is_some() { 1 } else { ensemble.steps },
        step: smallest_step(setting, loaded),
    }
}

/// Ensembles of one question may differ in their steps, and burn in for as many of them.
fn smallest_step(setting: &Setting, loaded: &Loaded) -> f64 {
    let scenario = &loaded.scenario;
    let factors = match scenario.experiment {
        ExperimentKind::Crossover => scenario.crossover.clone().unwrap_or_default().factors,
        ExperimentKind::Scaling => scenario.scaling.clone().unwrap_or_default().beta,
        ExperimentKind::TemperaturePair => vec![1.0, scenario.temperature_pair.unwrap_or_default().factor],
        _ => Vec::new(),
    };
    factors.into_iter().map(|factor| scenario.with_noise_times(factor).step()).fold(setting.step(), f64::min)
}

/// Up to two digits: it is no exact number.
fn round_up(steps: f64) -> u64 {
    let steps = steps.min(LONGEST).ceil().max(1.0) as u64;
    let unit = 10u64.pow(steps.ilog10().saturating_sub(1));
    steps.div_ceil(unit) * unit
}

/// Where replicas start: as far as [`FOLLOWED`] of them tell, each counted to the minimum nearest to it.
struct Starts {
    /// Of every minimum the distances from it; `None` where all start at the minima themselves.
    offsets: Option<Vec<Vec<Vec<f64>>>>,
}

impl Starts {
    fn of(setting: &Setting, run: &Run<'_>) -> Self {
        if *run.start == Start::Minima {
            return Self { offsets: None };
        }
        let minima = &setting.landscape.minima;
        let mut offsets = vec![Vec::new(); minima.len()];
        let mut point = vec![0.0; setting.loss.dimension()];
        for replica in 0..run.replicas.min(FOLLOWED) {
            setting.start(run.start, run.seed, replica, &mut point);
            let offset = |minimum: &CriticalPoint| -> Vec<f64> {
                let image = setting.loss.symmetry().map(|symmetry| symmetry.nearest(&minimum.theta, &point).1);
                image.as_ref().unwrap_or(&point).iter().zip(&minimum.theta).map(|(x, center)| x - center).collect()
            };
            let square = |offset: &[f64]| offset.iter().map(|x| x * x).sum::<f64>();
            let all = minima.iter().map(offset).enumerate();
            let nearest = all.min_by(|a, b| square(&a.1).total_cmp(&square(&b.1)));
            if let Some((minimum, offset)) = nearest {
                offsets[minimum].push(offset);
            }
        }
        Self { offsets: Some(offsets) }
    }

    /// The mean distance in units of √V from a minimum along a unit vector, and the mean of its square over V, less 1. Where no replica
    /// starts those that come later come from nowhere in particular: as if from the minimum itself.
    fn along(&self, index: usize, direction: &[f64], variance: f64) -> [f64; 2] {
        let offsets = self.offsets.as_ref().map_or(&[][..], |offsets| &offsets[index]);
        if variance.is_nan() || variance <= 0.0 {
            // Without noise along it there is no spread to wait for.
            return [0.0, 0.0];
        }
        if offsets.is_empty() {
            return [0.0, -1.0];
        }
        let along = |offset: &Vec<f64>| offset.iter().zip(direction.iter()).map(|(x, e)| x * e).sum::<f64>();
        let count = offsets.len() as f64;
        let mean = offsets.iter().map(along).sum::<f64>() / count;
        let square = offsets.iter().map(|offset| along(offset) * along(offset)).sum::<f64>() / count;
        [mean / variance.sqrt(), square / variance - 1.0]
    }
}

/// A unit vector in words: the name of a coordinate, or its largest components.
pub(super) fn name(vector: &[f64], variables: &[String]) -> String {
    const SHOWN: usize = 3;
    /// Beside the largest component a smaller one goes unmentioned.
    const SMALL: f64 = 0.1;
    let mut order: Vec<usize> = (0..vector.len()).collect();
    order.sort_by(|&a, &b| vector[b].abs().total_cmp(&vector[a].abs()).then(a.cmp(&b)));
    let Some(&first) = order.first() else { return String::new() };
    let largest = vector[first];
    let shown: Vec<usize> = order.into_iter().take_while(|&i| vector[i].abs() > SMALL * largest.abs()).collect();
    if let [only] = shown[..] {
        return variables[only].clone();
    }
    let term = |(place, &i): (usize, &usize)| {
        let component = vector[i] * largest.signum();
        let sign = match (place, component < 0.0) {
            (0, _) => "",
            (_, true) => " − ",
            (_, false) => " + ",
        };
        format!("{sign}{:.2} {}", component.abs(), variables[i])
    };
    let terms: String = shown.iter().take(SHOWN).enumerate().map(term).collect();
    format!("{terms}{}", if shown.len() > SHOWN { " + …" } else { "" })
}

/// How far apart two unit vectors are in direction: |cos|.
pub(super) fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>().abs()
}
