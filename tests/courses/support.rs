//! Small scenarios that train, and their results.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{self, Control, ExperimentError};
use sgd_sde::findings::{ClaimRecord, FigureData, Findings};
use sgd_sde::scenario::{Loaded, load, parse};

/// Two clouds in four dimensions and a network of eight tanh units.
pub const BASE: &str = "
[data]
kind = \"gaussian-mixture\"
classes = 2
dimension = 4
separation = 2.0
examples = 160
test_fraction = 0.2
seed = 5
[loss]
kind = \"network\"
hidden = [8]
[noise]
kind = \"minibatch\"
sampling = \"epochs\"
";

/// The base with further tables.
pub fn scenario(experiment: &str, more: &str) -> Loaded {
    let text = format!("name = \"course\"\nexperiment = \"{experiment}\"\n{BASE}{more}");
    parse(text, "course.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A scenario in a file, for relative paths in it.
pub fn scenario_at(path: &Path) -> Loaded {
    load(path, &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

pub fn try_run(loaded: &Loaded) -> Result<(Findings, FigureData), ExperimentError> {
    let prepared = experiment::prepare(loaded)?;
    experiment::run(loaded, &prepared, &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) })
}

pub fn run(loaded: &Loaded) -> Findings {
    try_run(loaded).unwrap_or_else(|error| panic!("{error}")).0
}

pub fn claim<'a>(findings: &'a Findings, id: &str) -> &'a ClaimRecord {
    let known = || findings.claims.iter().map(|claim| claim.id.as_str()).collect::<Vec<_>>().join(", ");
    findings.claims.iter().find(|claim| claim.id == id).unwrap_or_else(|| panic!("no {id} among {}", known()))
}
