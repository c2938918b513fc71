//! `[scaling]`: by which β the learning rate and the batch size grow in proportion.

use serde::{Deserialize, Serialize};

use super::{DynamicsSpec, ExperimentKind, SgdSpec};
use crate::input::{Number, Problem, Source, Table};
use crate::noise::NoiseSpec;

/// Keys of the table `[scaling]` of a scenario with `experiment = "scaling"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalingSpec {
    /// η → βη and S → βS, ascending; everything is compared with the first.
    pub beta: Vec<f64>,
}

impl Default for ScalingSpec {
    fn default() -> Self {
        Self { beta: vec![1.0, 2.0, 4.0, 8.0, 16.0] }
    }
}

/// More ensembles than this are a study.
const MOST: usize = 100;
/// A batch size is exact up to 2⁵³.
const LARGEST_BATCH: f64 = 9_007_199_254_740_992.0;

impl ScalingSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let beta = if table.has("beta") { read_beta(table) } else { Some(Self::default().beta) };
        table.finish();
        Some(Self { beta: beta? })
    }
}

fn read_beta(table: &Table<'_>) -> Option<Vec<f64>> {
    let expected = Number { low: 1.0, high: 1e9, ..Number::positive("the factors β on η and S", "[1, 2, 4, 8, 16]") };
    let beta = table.numbers("beta", &expected)?;
    let ascending = beta.windows(2).all(|pair| pair[0] < pair[1]);
    if (2..=MOST).contains(&beta.len()) && ascending {
        return Some(beta);
    }
    let found = if ascending { format!("{} value(s)", beta.len()) } else { "values that do not ascend".to_owned() };
    let message = format!(
        "found {found}; the first is what the others are compared with, so 2 to {MOST} ascending values are needed; take, \
         for example, beta = [1, 2, 4, 8, 16]"
    );
    table.problem("beta", message);
    None
}

/// What of a scenario would make the question of proportional scaling empty or impossible.
pub(super) fn check(
    experiment: ExperimentKind,
    scaling: Option<&ScalingSpec>,
    noise: Option<&NoiseSpec>,
    dynamics: Option<&DynamicsSpec>,
    sgd: Option<SgdSpec>,
    source: &Source,
) -> Option<Problem> {
    if experiment != ExperimentKind::Scaling {
        return None;
    }
    if matches!(noise, Some(NoiseSpec::Temperature(_))) {
        let message = "found \"temperature\" with experiment \"scaling\"; a temperature has no learning rate and no batch size \
                       to scale; give [sgd] and a noise of one example, such as kind = \"isotropic\"";
        return Some(source.problem("noise.kind", message));
    }
    if dynamics.is_some_and(|dynamics| !matches!(dynamics, DynamicsSpec::Sgd { .. })) {
        let message = "found an integrator of the SDE with experiment \"scaling\"; its step δ does not follow η, and the SDE \
                       depends on n = η/S alone, so nothing could change under η → βη, S → βS: the claim would be a tautology; \
                       write kind = \"sgd\" and remove step, or leave out [dynamics]";
        let key = if source.has("dynamics.kind") { "dynamics.kind" } else { "dynamics" };
        return Some(source.problem(key, message));
    }
    whole_batches(scaling?, sgd?, source)
}

/// Every βS is a whole number.
pub(super) fn whole_batches(scaling: &ScalingSpec, sgd: SgdSpec, source: &Source) -> Option<Problem> {
    scaling.beta.iter().enumerate().find_map(|(index, beta)| {
        let batch = beta * sgd.batch_size as f64;
        (batch.fract() != 0.0 || batch > LARGEST_BATCH).then(|| {
            let message = format!(
                "found β = {beta}, which makes the batch size {} into {batch}; a batch has a whole number of examples, at most \
                 2^53; take whole β, or a larger sgd.batch_size",
                sgd.batch_size
            );
            source.problem(&format!("scaling.beta[{index}]"), message)
        })
    })
}
