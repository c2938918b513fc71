//! What is looked at while η and S grow in proportion: variances in a bowl, log-odds between wells.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use crate::dynamics::sgd::Sgd;
use crate::experiment::cloud::{directions, quadratic_form};
use crate::experiment::equilibrium::pair_name;
use crate::experiment::ladder::Ladder;
use crate::experiment::moved::minibatch_sgd;
use crate::experiment::points::{occupancies, of_occupancies, zero_between};
use crate::experiment::setting::Setting;
use crate::math;
use crate::noise::NoiseSpec;
use crate::noise::isotropic::Isotropic;
use crate::scenario::{Loaded, Rung};
use crate::theory::laplace;
use crate::theory::ornstein_uhlenbeck::stationary_covariance;

/// Points of the theory's curve: the bowl's is a formula, the wells' law a linear solve each.
const POINTS_IN_BOWL: usize = 161;
const POINTS_IN_WELLS: usize = 25;
/// How far the curve goes beyond the last β of the list.
const BEYOND: f64 = 1.25;

/// What is compared from β to β.
pub(super) enum Kind {
    /// ln Var along these directions.
    Bowl(Vec<DVector<f64>>),
    /// ln(p_a/p_b) of these pairs, with the ladder at every β of the list.
    Wells(Vec<[usize; 2]>, Vec<Ladder>),
}

/// A scenario's settings along its list of β, with what the theory says of each.
pub(super) struct Case<'a> {
    loaded: &'a Loaded,
    setting: &'a Setting,
    pub kind: Kind,
    /// The list.
    pub beta: Vec<f64>,
    /// The setting at every β of the list.
    pub settings: Vec<Setting>,
    /// Names of the quantities, whose logarithms or log-odds are compared.
    pub quantities: Vec<String>,
    /// By the chain's own law at every β of the list, one number per quantity; `None` where it has none.
    pub chain: Vec<Option<Vec<f64>>>,
    /// The theory's curve: β, and the chain's own numbers there; empty where it has no law.
    pub curve: Vec<(f64, Option<Vec<f64>>)>,
}

impl<'a> Case<'a> {
    /// Climbs the ladder (or solves for the covariance) once at every β of the list, and draws the theory's curve.
    pub(super) fn new(loaded: &'a Loaded, setting: &'a Setting) -> Self {
        let beta = list(loaded);
        let settings: Vec<Setting> = beta.iter().map(|&beta| scaled(setting, loaded, beta)).collect();
        let is_bowl = setting.landscape.minima.len() == 1;
        let (kind, quantities) = if is_bowl { bowl(setting) } else { wells(&settings) };
        let mut case = Self { loaded, setting, kind, beta, settings, quantities, chain: Vec::new(), curve: Vec::new() };
        case.chain = (0..case.beta.len()).map(|point| case.law_in_list(point)).collect();
        case.curve = case.grid().into_iter().map(|beta| (beta, case.law(beta))).collect();
        if case.curve.iter().all(|(_, law)| law.is_none()) {
            case.curve.clear();
        }
        case
    }

    /// Whether there is one minimum only.
    pub(super) fn is_bowl(&self) -> bool {
        matches!(self.kind, Kind::Bowl(_))
    }

    /// β = 2/(ηh) of the sharpest direction, in a bowl.
    pub(super) fn divergence(&self) -> Option<f64> {
        self.is_bowl().then(|| divergence(self.setting))
    }

    /// The scenario's setting at any real β.
    pub(super) fn at(&self, beta: f64) -> Setting {
        scaled(self.setting, self.loaded, beta)
    }

    /// What is compared, as a label: `ln Var(axis 1)`, `ln(p_A/p_B)`.
    pub(super) fn label(&self, quantity: usize) -> String {
        if self.is_bowl() { format!("ln {}", self.quantities[quantity]) } else { self.quantities[quantity].clone() }
    }

    /// The numbers by the SDE (bowl: as if δ → 0) or a rung of the ladder, at a β of the list.
    pub(super) fn rung(&self, point: usize, rung: Rung) -> Option<Vec<f64>> {
        match (&self.kind, rung) {
            (_, Rung::Discrete) => self.chain[point].clone(),
            (Kind::Bowl(directions), Rung::Laplace) => variances(self.setting, directions, 0.0),
            (Kind::Bowl(_), Rung::Gibbs | Rung::Ito) => None,
            (Kind::Wells(pairs, ladders), _) => log_odds(ladders[point].rung(rung)?, pairs),
        }
    }

    fn law_in_list(&self, point: usize) -> Option<Vec<f64>> {
        match &self.kind {
            Kind::Bowl(_) => self.law(self.beta[point]),
            Kind::Wells(pairs, ladders) => log_odds(ladders[point].rung(Rung::Discrete)?, pairs),
        }
    }

    /// The chain's own numbers at any real β; `None` where it has no law, or none without a simulation.
    fn law(&self, beta: f64) -> Option<Vec<f64>> {
        let setting = self.at(beta);
        match &self.kind {
            Kind::Bowl(directions) => variances(&setting, directions, setting.step()),
            Kind::Wells(pairs, _) => log_odds(&occupancies(&setting, Rung::Discrete)?, pairs),
        }
    }

    /// Standard error of the chain's own number at a β of the list: not 0 where it builds on a sampled Gibbs law.
    pub(super) fn law_error(&self, point: usize, quantity: usize) -> f64 {
        match &self.kind {
            Kind::Bowl(_) => 0.0,
            Kind::Wells(pairs, ladders) => {
                ladders[point].log_odds_error(Rung::Discrete, pairs[quantity], &self.settings[point])
            }
        }
    }

    /// By how much the chain's own number at a β of the list may be off beside that.
    pub(super) fn law_bound(&self, point: usize, quantity: usize) -> f64 {
        match &self.kind {
            Kind::Bowl(_) => 0.0,
            Kind::Wells(pairs, ladders) => ladders[point].log_odds_bound(Rung::Discrete, pairs[quantity]),
        }
    }

    /// β of the curve, in equal ratios, from the first of the list to beyond the last, and up to the divergence of a bowl.
    fn grid(&self) -> Vec<f64> {
        let first = self.beta[0];
        let last = self.beta[self.beta.len() - 1] * BEYOND;
        let points = if self.is_bowl() { POINTS_IN_BOWL } else { POINTS_IN_WELLS };
        // Short of the pole the variance is finite.
        let last = self.divergence().map_or(last, |divergence| divergence * (1.0 - 1e-6));
        let ratio = math::ln(last / first) / (points - 1) as f64;
        (0..points).map(|point| first * math::exp(ratio * point as f64)).collect()
    }

    /// The smallest β at which some quantity differs by ε from what it is at the first β, by the chain's own law.
    pub(super) fn breaks(&self, tolerance: f64) -> Option<f64> {
        let first = self.chain[0].as_ref()?;
        let excess = |law: &[f64]| largest_change(law, first) - tolerance;
        for pair in self.curve.windows(2) {
            let [(low, before), (high, after)] = [&pair[0], &pair[1]];
            let (Some(before), Some(after)) = (before, after) else { continue };
            if excess(before) < 0.0 && excess(after) >= 0.0 {
                return zero_between(|beta| Some(excess(&self.law(beta)?)), *low, *high);
            }
        }
        None
    }
}

fn largest_change(law: &[f64], first: &[f64]) -> f64 {
    law.iter().zip(first).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The β of a scenario.
pub(super) fn list(loaded: &Loaded) -> Vec<f64> {
    loaded.scenario.scaling.clone().unwrap_or_default().beta
}

/// β = 2/(ηh) of the sharpest minimum: beyond it SGD with βη is unstable there.
pub(super) fn divergence(setting: &Setting) -> f64 {
    2.0 / (setting.step() * setting.sharpest())
}

/// SGD with βη and βS. S need not be whole here: only its root enters.
fn scaled(setting: &Setting, loaded: &Loaded, beta: f64) -> Setting {
    // Reading lets a question about scaling pass only with η and S.
    let Some(sgd) = loaded.scenario.sgd else { return setting.with_dynamics(setting.dynamics.clone()) };
    let (rate, batch) = (beta * sgd.learning_rate, beta * sgd.batch_size as f64);
    // A batch of different examples has less noise the more of them it holds. Between the β of the list it has no whole number of examples:
    // then the nearest.
    let noise = match &loaded.scenario.noise {
        NoiseSpec::Minibatch(spec) => spec.build(&setting.loss, batch.round().max(1.0) as u64),
        _ => Ok(setting.noise.clone()),
    };
    // Only a batch of all examples has none, and 0 is no covariance.
    let noise = noise.unwrap_or_else(|_| Arc::new(Isotropic::new(setting.loss.dimension(), 0.0)));
    // Theory asks for the two moments of a step there.
    if let (NoiseSpec::Minibatch(spec), true) = (&loaded.scenario.noise, batch.fract() == 0.0)
        && let Ok(dynamics) = minibatch_sgd(spec, &setting.loss, rate, batch as u64)
    {
        return Setting { noise, ..setting.with_dynamics(dynamics) };
    }
    let sgd = Sgd::new(setting.loss.clone(), noise.clone(), rate, batch);
    let dynamics = Arc::new(sgd.with_increments(loaded.scenario.dynamics.increments()));
    Setting { noise, ..setting.with_dynamics(dynamics) }
}

/// The principal axes of the SDE's covariance and the diagonals between them.
fn bowl(setting: &Setting) -> (Kind, Vec<String>) {
    let covariance = covariance(setting, 0.0).unwrap_or_else(|| DMatrix::identity(1, 1));
    let (names, directions) =
        directions(&covariance).into_iter().map(|(name, direction)| (format!("Var({name})"), direction)).unzip();
    (Kind::Bowl(directions), names)
}

/// Every minimum against the likeliest at the first β.
fn wells(settings: &[Setting]) -> (Kind, Vec<String>) {
    let ladders = Ladder::at_every_step(settings);
    let best = [Rung::Discrete, Rung::Gibbs, Rung::Laplace].into_iter().find_map(|rung| ladders[0].rung(rung));
    let shares = laplace::shares(&settings[0].landscape.minima, settings[0].effective_temperature());
    let occupancies = best.unwrap_or(&shares);
    let likeliest =
        (0..occupancies.len()).max_by(|&a, &b| occupancies[a].total_cmp(&occupancies[b]).then(b.cmp(&a))).unwrap_or(0);
    let pairs: Vec<[usize; 2]> =
        (0..occupancies.len()).filter(|&minimum| minimum != likeliest).map(|minimum| [minimum, likeliest]).collect();
    let names = pairs.iter().map(|&pair| pair_name(pair)).collect();
    (Kind::Wells(pairs, ladders), names)
}

fn covariance(setting: &Setting, step: f64) -> Option<DMatrix<f64>> {
    let minimum = &setting.landscape.minima[0];
    let hessian = setting.loss.hessian(&minimum.theta);
    stationary_covariance(&hessian, &setting.noise.covariance(&minimum.theta), setting.noise_scale, step)
}

/// ln Var along the directions in the chain of this step; of the SDE for δ = 0.
fn variances(setting: &Setting, directions: &[DVector<f64>], step: f64) -> Option<Vec<f64>> {
    let covariance = covariance(setting, step)?;
    Some(directions.iter().map(|direction| math::ln(quadratic_form(&covariance, direction))).collect())
}

fn log_odds(occupancies: &[f64], pairs: &[[usize; 2]]) -> Option<Vec<f64>> {
    pairs.iter().map(|&pair| of_occupancies(occupancies, pair)).collect()
}
