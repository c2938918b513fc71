//! From settings and judgements to the plain data of [`crate::findings`].

use super::ExperimentError;
use super::ladder::Ladder;
use super::setting::Setting;
use crate::ensemble::Fate;
use crate::findings::{
    ClaimRecord, ContrastRecord, DataRecord, Diagnostics, DivergedRecord, Findings, MinimumRecord, OccupancyRecord,
    Program, SCHEMA, SaddleRecord, StartContrastRecord, StartMemoryRecord,
};
use crate::landscape::{CriticalPoint, Saddle, minimum_name};
use crate::scenario::Loaded;
use crate::statistics::claim::HOLDS_LEVEL;
use crate::statistics::{Contrast, JudgedContrast, Judgement, StartContrast, StartMemory};

/// At most so many diverged replicas are named.
const NAMED_DIVERGED: usize = 10;

/// Everything that no measurement changes, with what an experiment adds to it.
pub(super) fn document(
    loaded: &Loaded,
    setting: &Setting,
    ladder: Option<&Ladder>,
    occupancy: Vec<OccupancyRecord>,
    claims: Vec<ClaimRecord>,
    diagnostics: Option<Diagnostics>,
) -> Findings {
    let mut scenario = loaded.scenario.clone();
    let plan = setting.plan(loaded);
    scenario.ensemble.observe_every = Some(plan.observe_every);
    scenario.ensemble.burn_in = Some(plan.burn_in);
    let temperature = setting.temperature();
    Findings {
        schema: SCHEMA,
        program: Program { name: "sgd-sde".into(), version: env!("CARGO_PKG_VERSION").into() },
        data: scenario.loss.data().map(|data| DataRecord::of(data)),
        noise_scale: scenario.noise_scale(),
        temperature,
        // Only the slide's formula asks for one.
        effective_temperature: (temperature.is_none() && ladder.is_some()).then(|| setting.effective_temperature()),
        minima: minimum_records(setting),
        saddles: saddle_records(setting),
        escape: ladder.map_or(Vec::new(), |ladder| ladder.escape.clone()),
        occupancy,
        groups: Vec::new(),
        gradient_noise: Vec::new(),
        points: Vec::new(),
        crossover: None,
        scaling: None,
        weak_error: None,
        claims,
        verdict: None,
        expected: scenario.expect,
        diagnostics: diagnostics.map(|found| Diagnostics { steps: plan.looks() * plan.observe_every, ..found }),
        notes: setting.landscape.doubt.iter().chain(ladder.iter().flat_map(|ladder| &ladder.notes)).cloned().collect(),
        scenario,
        study: None,
    }
}

fn minimum_records(setting: &Setting) -> Vec<MinimumRecord> {
    let record = |(index, minimum): (usize, &CriticalPoint)| MinimumRecord {
        id: minimum_name(index),
        theta: minimum.theta.clone(),
        loss: minimum.loss,
        hessian_eigenvalues: minimum.eigenvalues.clone(),
        log_determinant: minimum.is_regular().then(|| minimum.log_determinant()),
        multiplicity: minimum.multiplicity,
    };
    setting.landscape.minima.iter().enumerate().map(record).collect()
}

fn saddle_records(setting: &Setting) -> Vec<SaddleRecord> {
    let record = |saddle: &Saddle| SaddleRecord {
        between: saddle.between.map(minimum_name),
        theta: saddle.point.theta.clone(),
        loss: saddle.point.loss,
        hessian_eigenvalues: saddle.point.eigenvalues.clone(),
    };
    setting.landscape.saddles.iter().map(record).collect()
}

/// What a claim says, apart from its numbers.
pub(super) struct Claim {
    /// Stable name, e.g. `occupancy-laplace`.
    pub id: String,
    /// Whether it decides the scenario's verdict.
    pub primary: bool,
    /// In words and symbols.
    pub statement: String,
    /// Where the prediction comes from.
    pub source: String,
    /// ε.
    pub tolerance: f64,
}

impl Claim {
    /// The record before any measurement; `None` without contrasts.
    pub(super) fn predicted(self, contrasts: &[Contrast]) -> Option<ClaimRecord> {
        let contrasts: Vec<ContrastRecord> = contrasts.iter().map(ContrastRecord::predicted_only).collect();
        self.record(contrasts, 0, None, String::new())
    }

    /// The record of a judgement, whose contrast farthest from agreement is shown; `reason` is told instead of the
    /// judgement's own. `None` without contrasts.
    pub(super) fn judged(self, judgement: &Judgement, reason: String) -> Option<ClaimRecord> {
        let contrasts: Vec<ContrastRecord> = judgement.contrasts.iter().map(ContrastRecord::judged).collect();
        self.record(contrasts, judgement.deciding_contrast(), Some(judgement), reason)
    }

    fn record(
        self,
        contrasts: Vec<ContrastRecord>,
        shown: usize,
        judgement: Option<&Judgement>,
        reason: String,
    ) -> Option<ClaimRecord> {
        let shown = contrasts.get(shown)?.clone();
        Some(ClaimRecord {
            id: self.id,
            primary: self.primary,
            statement: self.statement,
            quantity: shown.quantity,
            predicted: shown.predicted,
            measured: shown.measured,
            standard_error: shown.standard_error,
            interval: shown.interval,
            tolerance: self.tolerance,
            verdict: judgement.map(|judgement| judgement.verdict),
            rejection_p_value: judgement.and_then(|judgement| judgement.rejection_p_value),
            reason,
            source: self.source,
            contrasts,
        })
    }
}

impl ContrastRecord {
    /// A contrast before any measurement.
    pub(super) fn predicted_only(contrast: &Contrast) -> Self {
        Self {
            quantity: contrast.label.clone(),
            predicted: finite(contrast.predicted),
            predicted_standard_error: Some(contrast.predicted_standard_error).filter(|&error| error > 0.0),
            predicted_bound: Some(contrast.predicted_bound).filter(|&bound| bound > 0.0),
            measured: None,
            standard_error: None,
            interval: None,
        }
    }

    /// A contrast with its measurement.
    pub(super) fn judged(judged: &JudgedContrast) -> Self {
        let measured = judged.contrast.measured.as_ref();
        Self {
            measured: measured.map(|estimate| estimate.value),
            standard_error: judged.difference.as_ref().map(|difference| difference.standard_error),
            // Where the difference has none, as for a start that is remembered, the measurement has none either.
            interval: judged.holds_interval.and_then(|_| measured?.interval(HOLDS_LEVEL)),
            ..Self::predicted_only(&judged.contrast)
        }
    }
}

pub(super) fn start_memory_record(memory: &StartMemory) -> StartMemoryRecord {
    let [a, b] = memory.states.map(minimum_name);
    StartMemoryRecord {
        quantity: format!("ln(p_{a}/p_{b})"),
        bias: memory.bias,
        standard_error: memory.standard_error,
        relaxation_steps: Some(memory.relaxation).filter(|steps| steps.is_finite()),
    }
}

impl From<&StartContrast> for StartContrastRecord {
    fn from(contrast: &StartContrast) -> Self {
        Self {
            quantity: format!("{}: started in {} against {}", contrast.observable, contrast.group, contrast.against),
            value: contrast.difference.value,
            standard_error: contrast.difference.standard_error,
            consistent_with_zero: contrast.is_consistent_with_zero(),
        }
    }
}

/// The first few replicas that diverged.
pub(super) fn diverged_records(fates: &[Fate]) -> Vec<DivergedRecord> {
    let diverged = fates.iter().enumerate().filter_map(|(replica, fate)| match fate {
        Fate::Diverged { step } => Some(DivergedRecord { replica: replica as u64, step: *step }),
        Fate::Finished => None,
    });
    diverged.take(NAMED_DIVERGED).collect()
}

/// Nothing is left to measure.
pub(super) fn all_diverged(fates: &[Fate], step: f64) -> ExperimentError {
    let first_step = diverged_records(fates).iter().map(|record| record.step).min().unwrap_or(0);
    ExperimentError::AllDiverged { replicas: fates.len() as u64, first_step, step }
}

/// The number, if it is one: JSON knows no other.
pub(super) fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}
