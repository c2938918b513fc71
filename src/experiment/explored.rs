//! The landscape of a scenario's loss: looked for once, whoever asks, with the minima that only a walk comes to, and as regular as the question
//! needs it.

use std::sync::Arc;

use super::ladder::gibbs_law;
use super::setting::Setting;
use crate::input::{Problem, Problems};
use crate::landscape::{Landscape, LandscapeError};
use crate::loss::{Loss, LossSpec};
use crate::memo::Memo;
use crate::scenario::{ExperimentKind, Loaded, Rung, Scenario};
use crate::theory::gibbs::{MOST_BY_QUADRATURE, NoGibbs};

/// Loss and landscape of the last few scenarios: the points of a study mostly share them.
static EXPLORED: Memo<LossSpec, (Arc<dyn Loss>, Arc<Landscape>)> = Memo::of(8);
/// The same with what the sampler came to at a temperature, of which it depends: a point of a study has the same whatever came before it.
static COMPLETED: Memo<(LossSpec, u64), Arc<Landscape>> = Memo::of(8);

/// The loss of a scenario, and its landscape.
///
/// # Errors
/// When there is no minimum, or the question needs a curvature that one of them does not have.
pub(super) fn landscape_of(loaded: &Loaded) -> Result<(Arc<dyn Loss>, Arc<Landscape>), Problems> {
    let Loaded { scenario, source, .. } = loaded;
    let at = |key: &str, error: &dyn std::fmt::Display| Problems::from(source.problem(key, error.to_string()));
    let (loss, landscape) = match EXPLORED.find(&scenario.loss) {
        Some(explored) => explored,
        None => {
            let loss = scenario.loss.build().map_err(|error| at("loss", &error))?;
            let LossSpec { domain, starts, .. } = &scenario.loss;
            let landscape = Landscape::explore_from(loss.clone(), domain, *starts);
            let landscape = landscape.map_err(|error| at(key_of(&error), &error))?;
            let explored = (loss, Arc::new(landscape));
            EXPLORED.keep(scenario.loss.clone(), explored.clone());
            explored
        }
    };
    require_curvature(loaded, &landscape)?;
    Ok((loss, landscape))
}

/// The landscape of a setting with the minima that the search had missed, where the law has to be sampled and the question asks for it.
///
/// # Errors
/// When the question needs a curvature that one of them does not have.
pub(super) fn with_missed_minima(setting: &Setting, loaded: &Loaded) -> Result<Arc<Landscape>, Problem> {
    const ROUNDS: u32 = 4;
    if setting.domain.len() <= MOST_BY_QUADRATURE || !loaded.scenario.asks_for_the_law() {
        return Ok(setting.landscape.clone());
    }
    let key = (loaded.scenario.loss.clone(), setting.effective_temperature().to_bits());
    if let Some(known) = COMPLETED.find(&key) {
        return Ok(known);
    }
    let mut complete = setting.with_landscape(setting.landscape.clone());
    for _ in 0..ROUNDS {
        let Err(NoGibbs::Missed(missed)) = gibbs_law(&complete) else { break };
        let landscape = Arc::new(complete.landscape.with(setting.loss.clone(), missed));
        require_curvature(loaded, &landscape)?;
        complete = setting.with_landscape(landscape);
    }
    COMPLETED.keep(key, complete.landscape.clone());
    Ok(complete.landscape)
}

/// The key that a landscape's error is about.
fn key_of(error: &LandscapeError) -> &'static str {
    match error {
        LandscapeError::Singular { .. }
        | LandscapeError::Kink { .. }
        | LandscapeError::Endless { .. }
        | LandscapeError::OnKink { .. }
        | LandscapeError::Broken { .. } => "loss",
        LandscapeError::NoMinimum { .. } | LandscapeError::TooMany { .. } | LandscapeError::TooWide { .. } => {
            "loss.domain"
        }
    }
}

/// Minima of curvature, where the question cannot do without.
fn require_curvature(loaded: &Loaded, landscape: &Landscape) -> Result<(), Problem> {
    let Loaded { scenario, source, .. } = loaded;
    if !scenario.needs_curvature() {
        return Ok(());
    }
    landscape.require_regular().map_err(|error| {
        let hint = format!("{error}{}", without_curvature(scenario.experiment));
        source.problem(key_of(&error), hint)
    })
}

/// What else may be asked of a loss with a singular Hessian.
fn without_curvature(experiment: ExperimentKind) -> &'static str {
    match experiment {
        ExperimentKind::Equilibrium => "; or ask with test.against = \"gibbs\", which needs no Hessian",
        _ => {
            "; the questions \"density\", \"temperature-pair\" and \"equilibrium\" with test.against = \"gibbs\" need no Hessian"
        }
    }
}

impl Scenario {
    /// Whether the question climbs the whole ladder of predictions.
    fn asks_for_the_law(&self) -> bool {
        use ExperimentKind::{Crossover, Equilibrium, NoiseLadder, Scaling};
        matches!(self.experiment, Equilibrium | Crossover | NoiseLadder | Scaling)
    }

    /// Whether the question has no answer where the Hessian at a minimum is singular.
    fn needs_curvature(&self) -> bool {
        match self.experiment {
            ExperimentKind::Density | ExperimentKind::TemperaturePair | ExperimentKind::Equilibrium => {
                self.test.against == Rung::Laplace
            }
            _ => true,
        }
    }
}
