//! A scenario made into objects: loss, noise, dynamics, landscape and temperature.

use std::sync::Arc;

use super::explored;
use super::moved::{Moved, moved};
use super::softest::default_burn_in;
use crate::dynamics::{Dynamics, DynamicsSpec};
use crate::ensemble::Plan;
use crate::input::{LARGEST, Problem, Problems, SMALLEST};
use crate::landscape::{Landscape, LandscapeError, minimum_name};
use crate::loss::{Loss, LossSpec};
use crate::noise::{GradientNoise, NoiseSpec};
use crate::plain::{exact, significant};
use crate::random::{Purpose, increments::Increments, stream::Stream};
use crate::scenario::{Loaded, Scenario, SgdSpec, Start};
use crate::theory::discrete::Case;
use crate::theory::{Scheme, escape, rounding};

/// Everything that predictions and simulations share.
///
/// A library user without a scenario file makes one with [`Setting::new`].
pub struct Setting {
    /// L.
    pub loss: Arc<dyn Loss>,
    /// C(θ) of the per-example gradient.
    pub noise: Arc<dyn GradientNoise>,
    /// How θ moves.
    pub dynamics: Arc<dyn Dynamics>,
    /// Minima, saddles, basins.
    pub landscape: Arc<Landscape>,
    /// Where minima were looked for.
    pub domain: Vec<[f64; 2]>,
    /// Names of the coordinates.
    pub variables: Vec<String>,
    /// n.
    pub noise_scale: f64,
    /// What all this was made from; `None` where there is no scenario.
    pub described: Option<Described>,
    /// Whether only what claims need is wanted, without escape times and figures: so for the points of a study.
    pub brief: bool,
}

/// All of a scenario that a setting, and with it the theory, depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// L and the domain.
    pub loss: LossSpec,
    /// C(θ), or T.
    pub noise: NoiseSpec,
    /// η and S.
    pub sgd: Option<SgdSpec>,
    /// How θ moves, and δ.
    pub dynamics: DynamicsSpec,
    /// The seed of the sampler of the Gibbs law, if another is asked for.
    pub sampler_seed: Option<u64>,
}

impl From<&Scenario> for Described {
    fn from(scenario: &Scenario) -> Self {
        let Scenario { loss, noise, sgd, dynamics, .. } = scenario.clone();
        Self { loss, noise, sgd, dynamics, sampler_seed: scenario.test.sampler_seed }
    }
}

/// Looks of a short run are at least so many steps apart: a look (labels, losses and counts) takes as long as one or two steps, as
/// measured, and in many dimensions up to four.
const LOOK_IN_STEPS: u64 = 4;
/// Looks of a long run are so many steps apart, if the process does not relax faster: looking then costs less than a tenth of
/// a run, and even looks a whole relaxation time apart know the mean of what relaxes all but as well (8 % more variance).
const LOOKS_APART: f64 = 32.0;
/// So many looks within a mean escape time see an occupancy as well as any number would: looks Δ apart at what is forgotten
/// within τ have (Δ/τ)²/12 more variance, and τ of two wells is at least half of the sooner escape: 0.1 %.
const LOOKS_BETWEEN_ESCAPES: f64 = 20.0;

impl Setting {
    /// The chain of this setting, if its steps are normal, at a temperature.
    pub(super) fn chain_at(&self, temperature: f64) -> Case<'_> {
        Case {
            loss: &self.loss,
            landscape: &self.landscape,
            domain: &self.landscape.region,
            temperature,
            step: self.step(),
        }
    }

    /// Explores the landscape of `loss` in `domain`.
    ///
    /// # Errors
    /// When there is no regular minimum.
    pub fn new(
        loss: Arc<dyn Loss>,
        noise: Arc<dyn GradientNoise>,
        dynamics: Arc<dyn Dynamics>,
        noise_scale: f64,
        domain: &[[f64; 2]],
    ) -> Result<Self, LandscapeError> {
        let landscape = Arc::new(Landscape::explore(loss.clone(), domain)?);
        let variables = match domain.len() {
            1 => vec!["θ".to_string()],
            d => (1..=d).map(|i| format!("θ{}", subscript(i))).collect(),
        };
        Ok(Self {
            loss,
            noise,
            dynamics,
            landscape,
            domain: domain.to_vec(),
            variables,
            noise_scale,
            described: None,
            brief: false,
        })
    }

    /// From a scenario; problems name the key that causes them.
    ///
    /// # Errors
    /// When the landscape does not allow the theory or the step is unstable at a minimum.
    pub fn from_scenario(loaded: &Loaded) -> Result<Self, Problems> {
        let setting = Self::unchecked(loaded)?;
        setting.require_stable(loaded)?;
        setting.require_noise(loaded)?;
        Ok(setting)
    }

    /// As [`Setting::from_scenario`], whether or not the step is stable: a study counts an unstable point as a predicted
    /// divergence.
    ///
    /// # Errors
    /// When the landscape does not allow the theory.
    pub fn unchecked(loaded: &Loaded) -> Result<Self, Problems> {
        let scenario = &loaded.scenario;
        let (loss, landscape) = explored::landscape_of(loaded)?;
        let Moved { noise, noise_scale, dynamics } = moved(loaded, &loss)?;
        let (domain, variables) = (scenario.loss.domain.clone(), scenario.variables());
        let described = Some(Described::from(scenario));
        let mut setting =
            Self { loss, noise, dynamics, landscape, domain, variables, noise_scale, described, brief: false };
        setting.require_resolved(loaded)?;
        setting.landscape = explored::with_missed_minima(&setting, loaded)?;
        Ok(setting)
    }

    /// The same loss and landscape under the noise, the η and S, and the dynamics of another scenario: what a question
    /// about several noise scales or learning rates goes through one after another.
    ///
    /// # Errors
    /// When the noise of the other scenario cannot be built, or does not go with its dynamics. Stability is not asked
    /// for here: a diverging point may be what is looked for.
    pub fn at(&self, loaded: &Loaded) -> Result<Self, Problems> {
        let scenario = &loaded.scenario;
        let Moved { noise, noise_scale, dynamics } = moved(loaded, &self.loss)?;
        let setting = Self {
            loss: self.loss.clone(),
            noise,
            dynamics,
            landscape: self.landscape.clone(),
            domain: self.domain.clone(),
            variables: self.variables.clone(),
            noise_scale,
            described: self
                .described
                .as_ref()
                .map(|own| Described { loss: own.loss.clone(), ..Described::from(scenario) }),
            brief: self.brief,
        };
        setting.require_resolved(loaded)?;
        Ok(setting)
    }

    /// The same with another landscape of the same loss.
    pub(super) fn with_landscape(&self, landscape: Arc<Landscape>) -> Self {
        Self {
            loss: self.loss.clone(),
            noise: self.noise.clone(),
            dynamics: self.dynamics.clone(),
            landscape,
            domain: self.domain.clone(),
            variables: self.variables.clone(),
            noise_scale: self.noise_scale,
            described: self.described.clone(),
            brief: self.brief,
        }
    }

    /// The same loss, noise and landscape moved by another dynamics of the same noise scale.
    pub fn with_dynamics(&self, dynamics: Arc<dyn Dynamics>) -> Self {
        Self {
            loss: self.loss.clone(),
            noise: self.noise.clone(),
            dynamics,
            landscape: self.landscape.clone(),
            domain: self.domain.clone(),
            variables: self.variables.clone(),
            noise_scale: self.noise_scale,
            // It is no longer that of the scenario.
            described: None,
            brief: self.brief,
        }
    }

    /// δ, in SDE time.
    pub fn step(&self) -> f64 {
        self.dynamics.step()
    }

    /// Whether the chain at its finite step is Euler–Maruyama's with normal steps, whose law theory knows. Of a chain with other increments it
    /// knows the first two moments, which are the same.
    pub fn is_normal_chain(&self) -> bool {
        self.dynamics.scheme() == Some(Scheme::EulerMaruyama) && self.dynamics.increments() == Increments::Gaussian
    }

    /// Whether what the scheme does to the law is an error of the predictions.
    pub fn counts_bias(&self) -> bool {
        self.described.as_ref().is_some_and(|described| described.dynamics.counts_bias())
    }

    /// Whether the steps are those of batches, whose noise is normal only as S grows.
    pub fn is_of_minibatches(&self) -> bool {
        self.dynamics.batches().is_some()
    }

    /// T = nσ²/2; `None` where C is not σ²I.
    pub fn temperature(&self) -> Option<f64> {
        self.noise.isotropic_variance().map(|variance| 0.5 * self.noise_scale * variance)
    }

    /// D(x) = nC(x)/2 in one dimension, where C is a number.
    pub fn diffusion(&self, x: f64) -> f64 {
        0.5 * self.noise_scale * self.noise.covariance(&[x])[(0, 0)]
    }

    /// What the slide's formula is given as T: n tr C/(2d), averaged over the minima. It is T where C = σ²I.
    pub fn effective_temperature(&self) -> f64 {
        self.temperature().unwrap_or_else(|| {
            let minima = &self.landscape.minima;
            let traces: f64 = minima.iter().map(|minimum| self.noise.covariance(&minimum.theta).trace()).sum();
            0.5 * self.noise_scale * traces / (minima.len() * self.loss.dimension()) as f64
        })
    }

    /// The largest eigenvalue of H over the minima: δ times it must stay below 2.
    pub fn sharpest(&self) -> f64 {
        self.landscape.minima.iter().flat_map(|minimum| minimum.eigenvalues.last()).fold(0.0, |a, &h| a.max(h))
    }

    /// The smallest curvature that exp(−L/T) feels at a minimum.
    pub(super) fn softest(&self) -> f64 {
        let temperature = self.effective_temperature();
        self.landscape.minima.iter().map(|minimum| minimum.softest_at(temperature)).fold(f64::INFINITY, f64::min)
    }

    /// δh < 2 at every minimum, else the chain is unstable there: bad input for a single run.
    ///
    /// # Errors
    /// The key of the step, and a step that would do.
    pub fn require_stable(&self, loaded: &Loaded) -> Result<(), Problem> {
        let (step, sharpest) = (self.step(), self.sharpest());
        if step * sharpest < 2.0 {
            return Ok(());
        }
        let key = if loaded.scenario.dynamics.step().is_some() { "dynamics.step" } else { "sgd.learning_rate" };
        Err(loaded.source.problem(
            key,
            format!(
                "the step {} is unstable at a minimum of curvature h = {}: δh = {} is not below 2, so no \
                 trajectory can stay there; take a step below {}",
                exact(step),
                significant(sharpest, 6),
                significant(step * sharpest, 5),
                significant(2.0 / sharpest, 5)
            ),
        ))
    }

    /// What rounding does to (L − L_A)/T at the minima and saddles: the unit in the last place of the largest |L| there, in units of T.
    pub fn rounding(&self) -> f64 {
        rounding(self.largest_loss(), self.effective_temperature())
    }

    fn largest_loss(&self) -> f64 {
        let saddles = self.landscape.saddles.iter().map(|saddle| &saddle.point);
        self.landscape.minima.iter().chain(saddles).fold(0.0, |most, point| most.max(point.loss.abs()))
    }

    /// Differences of L have to be known much better, in units of T, than what the test asks for.
    fn require_resolved(&self, loaded: &Loaded) -> Result<(), Problem> {
        const SMALL: f64 = 0.1;
        let (rounding, tolerance) = (self.rounding(), loaded.scenario.test.tolerance);
        if rounding <= SMALL * tolerance {
            return Ok(());
        }
        let [size, temperature] = [self.largest_loss(), self.effective_temperature()].map(|x| significant(x, 3));
        Err(loaded.source.problem(
            "loss",
            format!(
                "the loss is {size} in size at its minima and saddles, where neighbouring numbers of double precision are {} apart: in \
                 units of T = {temperature} that is {}, which is not small against ε = {}, so that rounding decides about exp(−L/T); \
                 subtract the constant from the loss, which changes no probability",
                significant(rounding * self.effective_temperature(), 2),
                significant(rounding, 2),
                exact(tolerance)
            ),
        ))
    }

    /// A typed σ gives every minimum a temperature that can be computed with.
    fn require_noise(&self, loaded: &Loaded) -> Result<(), Problem> {
        let NoiseSpec::Expression(_) = loaded.scenario.noise else { return Ok(()) };
        for (index, minimum) in self.landscape.minima.iter().enumerate() {
            let variance = self.noise.covariance(&minimum.theta)[(0, 0)];
            let temperature = 0.5 * self.noise_scale * variance;
            if !(SMALLEST..=LARGEST).contains(&temperature) {
                let message = format!(
                    "σ² = {variance:e} at minimum {}, θ = {:.4?}, where nσ²/2 is {temperature:e}; it must be from \
                     {SMALLEST:e} to {LARGEST:e} at every minimum; \
                     change sigma, learning_rate or batch_size",
                    minimum_name(index),
                    minimum.theta
                );
                return Err(loaded.source.problem("noise.sigma", message));
            }
        }
        Ok(())
    }

    /// Steps between two looks: a fifth of the slowest relaxation time within a well, since looking more often would see
    /// nothing new, or up to the whole of it where that is less than 32 steps. Where wells are seldom left, up to twice that:
    /// the answer then waits for escapes. In a short run more often, so that there are a thousand looks, but not so often that
    /// the looks cost more than the steps, as long as there are twenty.
    pub fn default_observe_every(&self, steps: u64) -> u64 {
        let widest = self.softest();
        let relaxation = 1.0 / (self.step() * widest);
        let apart = LOOKS_APART.min(relaxation);
        let seldom_left = self.soonest_escape().is_some_and(|steps| steps >= LOOKS_BETWEEN_ESCAPES * 2.0 * apart);
        let wanted = (0.2 * relaxation).max(if seldom_left { 2.0 * apart } else { apart }) as u64;
        let wanted = wanted.clamp(1, (steps / 1000).max(LOOK_IN_STEPS.min(steps / 20)).max(1));
        // Rather a number that divides the steps, so that none of them comes after the last look.
        (wanted.div_ceil(2)..=wanted).rev().find(|every| steps.is_multiple_of(*every)).unwrap_or(wanted)
    }

    /// The least of the mean times of escape between minima by Kramers' formula, in steps; `None` where nothing is escaped from or
    /// there is no temperature.
    fn soonest_escape(&self) -> Option<f64> {
        let temperature = self.temperature()?;
        self.landscape
            .neighbours()
            .into_iter()
            .filter_map(|(from, to)| escape::kramers(&self.landscape, from, to, temperature))
            .reduce(f64::min)
            .map(|time| time / self.step())
    }

    /// The plan of a scenario's ensemble.
    pub fn plan(&self, loaded: &Loaded) -> Plan {
        let ensemble = &loaded.scenario.ensemble;
        let observe_every = ensemble.observe_every.unwrap_or_else(|| self.default_observe_every(ensemble.steps));
        Plan {
            replicas: ensemble.replicas,
            burn_in: ensemble.burn_in.unwrap_or_else(|| default_burn_in(self, loaded)),
            steps: ensemble.steps,
            observe_every: observe_every.min(ensemble.steps),
            seed: loaded.scenario.seed,
        }
    }

    /// Writes where a replica starts.
    pub fn start(&self, start: &Start, seed: u64, replica: u64, point: &mut [f64]) {
        match start {
            Start::Minima => {
                let minima = &self.landscape.minima;
                point.copy_from_slice(&minima[(replica % minima.len() as u64) as usize].theta);
            }
            Start::Points(points) => point.copy_from_slice(&points[(replica % points.len() as u64) as usize]),
            Start::Uniform => {
                let mut stream = Stream::new(seed, replica, Purpose::Start);
                for (x, [low, high]) in point.iter_mut().zip(&self.domain) {
                    *x = low + (high - low) * stream.uniform();
                }
            }
        }
    }
}

impl NoiseSpec {
    /// Whether the scenario speaks of T alone, without η and S.
    pub fn is_temperature(&self) -> bool {
        matches!(self, NoiseSpec::Temperature { .. })
    }
}

fn subscript(number: usize) -> String {
    number.to_string().chars().map(|digit| char::from_u32(digit as u32 - 48 + 0x2080).unwrap_or(digit)).collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;
    use crate::dynamics::euler_maruyama::EulerMaruyama;
    use crate::loss::expression::Expression;
    use crate::loss::wells::{Well, Wells};
    use crate::noise::covariance::ConstantCovariance;
    use crate::noise::isotropic::Isotropic;

    /// Two wells in the plane, n = 0.04.
    fn setting(noise: Arc<dyn GradientNoise>) -> Setting {
        let well = |x: f64, loss: f64| Well { position: vec![x, 0.0], loss, hessian: dmatrix![4.0, 0.0; 0.0, 2.0] };
        let loss: Arc<dyn Loss> = Arc::new(Wells::new(&[well(-1.0, 0.0), well(1.0, 0.1)], 0.1).unwrap());
        let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.04, 0.01));
        Setting::new(loss, noise, dynamics, 0.04, &[[-2.0, 2.0], [-2.0, 2.0]]).unwrap()
    }

    #[test]
    fn the_temperature_is_half_of_n_sigma_squared_or_the_mean_over_directions() {
        let isotropic = setting(Arc::new(Isotropic::new(2, 3.0)));
        assert!((isotropic.temperature().unwrap() - 0.5 * 0.04 * 9.0).abs() < 1e-15);
        assert_eq!(isotropic.temperature(), Some(isotropic.effective_temperature()));
        // tr C/d = 4: T = 0.04·4/2, whatever the number of minima.
        let unequal = setting(Arc::new(ConstantCovariance::new(dmatrix![6.0, 0.0; 0.0, 2.0]).unwrap()));
        assert_eq!((unequal.temperature(), unequal.landscape.minima.len()), (None, 2));
        assert!((unequal.effective_temperature() - 0.08).abs() < 1e-15);
    }

    #[test]
    fn a_short_run_is_not_looked_at_at_every_step() {
        // The wide well relaxes within 1/(δh) = 50 steps, and the wells are often left.
        let setting = setting(Arc::new(Isotropic::new(2, 9.0)));
        let wanted = setting.default_observe_every(1 << 40);
        assert_eq!(wanted, 32);
        let every = |steps: u64| setting.default_observe_every(steps);
        assert_eq!([1, 19, 40, 60, 80, 100, 3_999].map(every), [1, 1, 2, 3, 4, 4, 3]);
        assert_eq!(every(1000 * wanted), wanted);
        // A number that divides the steps, if there is one not far below.
        assert_eq!([100_000, 100_003].map(every), [32, 32]);
    }

    /// The right well is left after 2π/√(1.68·0.97)·e^{0.157/T} = 23.8 at T = 0.1: 1190 steps.
    #[test]
    fn wells_that_are_seldom_left_are_looked_at_half_as_often() {
        let every = |sigma: f64| {
            let variables = ["x".to_string()];
            let formula = Expression::new(&variables, &[], "x^4/4 - x^2/2 + x/10").unwrap();
            let (loss, noise): (Arc<dyn Loss>, _) = (Arc::new(formula), Arc::new(Isotropic::new(1, sigma)));
            let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.05, 0.02));
            let setting = Setting::new(loss, noise, dynamics, 0.05, &[[-3.0, 3.0]]).unwrap();
            (setting.soonest_escape().unwrap(), setting.default_observe_every(1_000_000_000))
        };
        let ((cold, seldom), (warm, often)) = (every(2.0), every(4.0));
        assert!(cold > 1188.0 && warm < 1000.0, "{cold} {warm}");
        // The wide well relaxes within 29.7 steps.
        assert_eq!((seldom, often), (50, 25));
    }

    #[test]
    fn replicas_start_in_turn_in_all_minima_or_points() {
        let setting = setting(Arc::new(Isotropic::new(2, 1.0)));
        let points = vec![vec![0.5, 0.1], vec![0.6, 0.2], vec![0.7, 0.3]];
        for replica in 0..7 {
            let mut point = [0.0; 2];
            setting.start(&Start::Minima, 1, replica, &mut point);
            assert_eq!(point.as_slice(), setting.landscape.minima[replica as usize % 2].theta);
            setting.start(&Start::Points(points.clone()), 1, replica, &mut point);
            assert_eq!(point.as_slice(), points[replica as usize % 3]);
        }
    }
}
