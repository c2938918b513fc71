//! Has the ensemble come to rest in every direction? Labels of basins cannot tell: a direction that leaves them alone may still be
//! drifting, in all replicas together, wherever they started.
//!
//! Four kinds of evidence, each with reasons against a verdict of its own. Three are families of tests of a false alarm of 10⁻³ each,
//! corrected for their number: drifts of L, |∇L|² and the projections on the softest eigenvectors of the minima and their squares (a
//! start at a minimum has the right mean and the wrong variance); the same between groups of replicas by their start; and the
//! relations that every stationary law obeys ([`crate::ensemble::balance`]). The fourth is no test: the burn-in beside the relaxation
//! time of the softest curvature ([`super::softest`]).

use std::sync::Arc;

use super::setting::Setting;
use super::softest::{Run, Softest, cosine, name};
use crate::ensemble::Plan;
use crate::ensemble::balance::{Balance, Direction, Gauge, StepMoments};
use crate::findings::{StationarityRecord, YaidaRecord, ZeroRecord};
use crate::landscape::minimum_name;
use crate::lanes::LANES;
use crate::plain::significant;
use crate::scenario::Start;
use crate::statistics::start_contrast::start_contrast;
use crate::statistics::stationarity::{FEWEST_REPLICAS, zero_tests};
use crate::statistics::{Estimate, StartContrast, ZeroTest};

/// Of every minimum so many of its softest eigenvectors are watched …
const EIGENVECTORS: usize = 2;
/// … but no more than so many in all, the softest of all first …
const MOST_DIRECTIONS: usize = 6;
/// … and none whose cosine with one that is watched is above this.
const ALIKE: f64 = 0.95;
/// Steps between two evaluations, which cost as much as a few steps: together then less than a hundredth of a run.
const STEPS_APART: u64 = 512;
/// A short run has as many evaluations at least, if it has as many looks; and where C depends on θ, so that an evaluation costs the
/// gradients of all examples, no run has twice as many.
const FEWEST_EVALUATIONS: u64 = 64;

/// What the observers of an ensemble share.
pub(super) fn gauge(setting: &Setting, plan: &Plan) -> Arc<Gauge> {
    let minima = &setting.landscape.minima;
    let d = setting.loss.dimension();
    // Images of a minimum are changed for one another in their own time, which no claim is about: only what is the same for all is watched.
    let is_symmetric = setting.loss.symmetry().is_some();
    let center = |i: usize| minima.iter().map(|minimum| minimum.theta[i]).sum::<f64>() / minima.len() as f64;
    let center = if is_symmetric { vec![0.0; d] } else { (0..d).map(center).collect() };
    let directions = if is_symmetric { Vec::new() } else { watched(setting) };
    let directions = directions.into_iter().map(|watched| watched.direction).collect();
    let moments = setting.dynamics.has_moments_of_euler_maruyama().then(|| StepMoments {
        noise: setting.noise.clone(),
        noise_scale: setting.noise_scale,
        step: setting.step(),
    });
    let most = (plan.looks() / FEWEST_EVALUATIONS).max(1);
    let every = if setting.noise.is_additive() { (STEPS_APART / plan.observe_every).clamp(1, most) } else { most };
    Arc::new(Gauge::new(setting.loss.clone(), (minima[0].loss, center), directions, moments, every))
}

/// A direction that is watched, in words.
struct Watched {
    direction: Direction,
    /// The coordinate or combination of them.
    along: String,
    /// The minimum from which it is counted.
    minimum: String,
}

/// The softest eigenvectors of the minima, the softest first.
fn watched(setting: &Setting) -> Vec<Watched> {
    let minima = &setting.landscape.minima;
    let axes = |index: usize| (0..minima[index].eigenvalues.len().min(EIGENVECTORS)).map(move |axis| (index, axis));
    let mut candidates: Vec<(usize, usize)> = (0..minima.len()).flat_map(axes).collect();
    candidates.sort_by(|a, b| minima[a.0].eigenvalues[a.1].total_cmp(&minima[b.0].eigenvalues[b.1]).then(a.cmp(b)));
    let mut found: Vec<Watched> = Vec::new();
    for (index, axis) in candidates {
        let vector: Vec<f64> = minima[index].eigenvectors.column(axis).iter().copied().collect();
        if found.len() < MOST_DIRECTIONS && found.iter().all(|other| cosine(&other.direction.vector, &vector) <= ALIKE)
        {
            let place = vector.iter().zip(&minima[index].theta).map(|(e, x)| e * x).sum();
            let along = name(&vector, &setting.variables);
            found.push(Watched { direction: Direction { vector, place }, along, minimum: minimum_name(index) });
        }
    }
    found
}

/// Replicas by where they started.
pub(super) struct Groups<'a> {
    /// Names of the groups.
    pub names: &'a [String],
    /// The group of each finished replica.
    pub of_replica: &'a [usize],
}

/// What an ensemble says of its own rest.
pub(super) struct Stationarity {
    /// Why it is not at rest, one sentence for each kind of evidence; empty if it is.
    pub reasons: Vec<String>,
    /// As a record.
    pub record: StationarityRecord,
    /// ⟨L − L_A⟩, L_A the lowest minimum.
    pub mean_excess: Option<Estimate>,
}

impl Stationarity {
    /// `balances` are those of all blocks, `finished` the replicas that came to their end, `steps` those measured in all.
    pub(super) fn of(
        setting: &Setting,
        plan: &Plan,
        (start, steps): (&Start, u64),
        balances: &[&Balance],
        finished: &[usize],
        groups: &Groups<'_>,
    ) -> Self {
        let Plan { seed, replicas, burn_in, .. } = *plan;
        let softest = Softest::of(setting, &Run { start, seed, replicas, burn_in, steps, step: setting.step() });
        let mut this = Self {
            reasons: softest.iter().filter_map(Softest::reason).collect(),
            record: StationarityRecord {
                softest: softest.as_ref().map(Softest::record),
                evaluated_every: gauge(setting, plan).every() * plan.observe_every,
                ..StationarityRecord::default()
            },
            mean_excess: None,
        };
        let sampled = Sampled { balances, finished };
        let excess = |balance: &Balance, lane: usize| balance.mean_excess(lane).map(|excess| vec![excess]);
        this.mean_excess = Estimate::from_replicas(&sampled.column(excess, 0));
        let symmetric = setting.loss.symmetry().is_some();
        let directions = if symmetric { Vec::new() } else { watched(setting) };
        this.add_drifts(&directions, &sampled);
        this.add_contrasts(&directions, &sampled, groups);
        if setting.dynamics.has_moments_of_euler_maruyama() {
            this.add_relations(&directions, &sampled);
        } else {
            this.record.note = Some(
                "the relations of stationarity (Yaida's and those along the softest directions) hold where every step has the mean −δ∇L and \
                 the covariance nδC whatever came before; these steps have not, and the relations are left out"
                    .into(),
            );
        }
        this
    }

    fn add_drifts(&mut self, directions: &[Watched], sampled: &Sampled<'_>) {
        let family = sampled.family(labels(directions), Balance::drifts);
        let tests = zero_tests(&family);
        let worst = self.worst(&tests, &family);
        self.reasons.extend(worst.filter(|test| !test.is_consistent_with_zero()).map(|test| {
            format!(
                "the ensemble still drifts: {} changes by {} over the measured steps, {}; lengthen ensemble.burn_in",
                test.quantity,
                with_error(test),
                against_threshold(test)
            )
        }));
        self.record.drifts = tests.iter().flatten().map(ZeroRecord::from).collect();
    }

    fn add_relations(&mut self, directions: &[Watched], sampled: &Sampled<'_>) {
        // The first number is Yaida's left side alone.
        let left = sampled.column(Balance::relations, 0);
        let names = std::iter::once("(θ − c)·∇L − (δ/2)|∇L|² − (n/2)tr C (Yaida's relation)".to_owned());
        let along = directions.iter().flat_map(|Watched { along, minimum, .. }| {
            [
                format!("e·∇L, e along {along}"),
                format!("u e·∇L − (δ/2)(e·∇L)² − (n/2)eᵀCe, e along {along}, u counted from {minimum}"),
            ]
        });
        let values = |column: usize| sampled.column(Balance::relations, column + 1);
        let family: Vec<(String, Vec<f64>)> =
            names.chain(along).enumerate().map(|(column, name)| (name, values(column))).collect();
        let tests = zero_tests(&family);
        let is_gate = sampled.finished.len() >= FEWEST_REPLICAS;
        if is_gate {
            let worst = self.worst(&tests, &family);
            self.reasons.extend(worst.filter(|test| !test.is_consistent_with_zero()).map(|test| {
                format!(
                    "the ensemble is not where its own slope would hold it: the mean of {} is {} where every stationary law has 0, {}; \
                     lengthen ensemble.burn_in",
                    test.quantity,
                    with_error(test),
                    against_threshold(test)
                )
            }));
        } else {
            self.record.note = Some(format!(
                "fewer than {FEWEST_REPLICAS} replicas do not know how skewed their means are: the relations of stationarity are told, and bar \
                 no verdict"
            ));
        }
        self.record.yaida = tests.first().cloned().flatten().map(|test| {
            let left = left.iter().sum::<f64>() / left.len() as f64;
            YaidaRecord {
                left,
                right: left - test.estimate.value,
                standard_error: test.estimate.standard_error,
                consistent: test.is_consistent_with_zero(),
            }
        });
        self.record.relations = tests.iter().flatten().map(ZeroRecord::from).collect();
        self.record.relations_gate = is_gate;
    }

    /// Groups of replicas by their start differ in nothing that is watched.
    fn add_contrasts(&mut self, directions: &[Watched], sampled: &Sampled<'_>, groups: &Groups<'_>) {
        let counts = |group: usize| groups.of_replica.iter().filter(|&&of| of == group).count();
        if groups.names.len() < 2 || (0..groups.names.len()).any(|group| counts(group) < 2) {
            return;
        }
        let family = sampled.family(labels(directions), Balance::means);
        let means: Vec<(&str, &[f64])> =
            family.iter().map(|(label, values)| (label.as_str(), values.as_slice())).collect();
        let contrast = match start_contrast(&means, groups.names, groups.of_replica) {
            Ok(contrast) => contrast,
            Err(error) => {
                self.reasons.push(error.to_string());
                return;
            }
        };
        if let Some(contrast) = contrast.filter(|contrast| !contrast.is_consistent_with_zero()) {
            let StartContrast { observable, group, against, difference, threshold, .. } = &contrast;
            self.reasons.push(format!(
                "replicas still remember where they started: {observable} in {group} differs from that in {against} by {} ± {}, {} standard \
                 errors where {threshold:.1} are allowed; lengthen ensemble.burn_in",
                significant(difference.value, 4),
                significant(difference.standard_error, 2),
                contrast.t.map_or_else(|| "infinitely many".to_owned(), |t| format!("{t:.1}")),
            ));
        }
    }

    /// The test farthest from 0; a mean without an error is a reason of its own.
    fn worst<'t>(&mut self, tests: &'t [Option<ZeroTest>], family: &[(String, Vec<f64>)]) -> Option<&'t ZeroTest> {
        let missing = tests.iter().zip(family).find(|(test, _)| test.is_none());
        self.reasons.extend(missing.map(|(_, (quantity, values))| {
            format!(
                "whether the ensemble is at rest cannot be told: {quantity} has no mean with an error over {} replicas",
                values.len()
            )
        }));
        tests.iter().flatten().reduce(|a, b| if b.excess() > a.excess() { b } else { a })
    }
}

/// The finished replicas' numbers.
struct Sampled<'a> {
    balances: &'a [&'a Balance],
    finished: &'a [usize],
}

impl Sampled<'_> {
    /// One number of every replica; NaN where there is none.
    fn column(&self, read: impl Fn(&Balance, usize) -> Option<Vec<f64>>, column: usize) -> Vec<f64> {
        let of = |replica: &usize| read(self.balances[replica / LANES], replica % LANES).map(|row| row[column]);
        self.finished.iter().map(|replica| of(replica).unwrap_or(f64::NAN)).collect()
    }

    /// All that is watched, by its name.
    fn family(
        &self,
        labels: Vec<String>,
        read: impl Fn(&Balance, usize) -> Option<Vec<f64>>,
    ) -> Vec<(String, Vec<f64>)> {
        labels.into_iter().enumerate().map(|(column, label)| (label, self.column(&read, column))).collect()
    }
}

/// What [`Gauge::watched`] counts, in words.
fn labels(directions: &[Watched]) -> Vec<String> {
    let along = directions.iter().flat_map(|Watched { along, minimum, .. }| {
        [format!("the distance from {minimum} along {along}"), format!("its square along {along}")]
    });
    ["L".to_owned(), "|∇L|²".to_owned()].into_iter().chain(along).collect()
}

fn with_error(test: &ZeroTest) -> String {
    format!("{} ± {}", significant(test.estimate.value, 4), significant(test.estimate.standard_error, 2))
}

fn against_threshold(test: &ZeroTest) -> String {
    let t = test.t.map_or_else(|| "infinitely many".to_owned(), |t| format!("{:.1}", t.abs()));
    format!("{t} standard errors where {:.1} are allowed", test.threshold)
}

impl From<&ZeroTest> for ZeroRecord {
    fn from(test: &ZeroTest) -> Self {
        Self {
            quantity: test.quantity.clone(),
            value: test.estimate.value,
            standard_error: test.estimate.standard_error,
            t: test.t,
            threshold: test.threshold,
            consistent: test.is_consistent_with_zero(),
        }
    }
}
