//! `sgd-sde run --continue`: which results may be gone on with, and what is said of the others.

use std::fs;
use std::path::Path;

use sgd_sde::experiment;
use sgd_sde::experiment::ladder::NO_STATIONARY_LAW;
use sgd_sde::experiment::state::{Earlier, StateError};
use sgd_sde::findings::Findings;
use sgd_sde::report;
use sgd_sde::scenario::Scenario;
use sgd_sde::statistics::{Look, Verdict};

use super::Failure;

/// The state that a run of `scenario` goes on from.
pub(super) fn earlier(out: &Path, scenario: &Scenario) -> Result<Earlier, Failure> {
    let folder = out.join(&scenario.name);
    let refuse = |why: String| Failure::Refused(format!("{} cannot be continued: {why}", folder.display()));
    if !folder.exists() {
        return Err(refuse(format!(
            "there is no earlier result; run it first without --continue, or name the folder of its results with --out \
             (here {})",
            out.display()
        )));
    }
    let findings =
        report::load(&folder).map_err(|error| refuse(format!("its result is not readable: {error}")))?.findings;
    let version = &findings.program.version;
    if version != env!("CARGO_PKG_VERSION") {
        let found = StateError::Version { found: version.clone() };
        return Err(refuse(format!("it {found}; run the whole again with --force")));
    }
    if !is_of(&findings, scenario) {
        return Err(refuse(format!(
            "it is the result of another scenario or seed{}; continue it with the scenario and the seed that it was run with",
            difference(&findings.scenario, scenario)
        )));
    }
    if let Some(verdict @ (Verdict::Holds | Verdict::Rejected)) = findings.verdict {
        return Err(refuse(format!(
            "it {verdict}, the question is answered: more looks would only make a false verdict likelier; to know the numbers \
             better, run more steps under another name, which is a question of its own"
        )));
    }
    if !experiment::is_on_demand(scenario.experiment) || scenario.study.is_some() {
        return Err(refuse(
            "only single runs of experiment \"equilibrium\" and \"covariance\" keep their state and can go on; run the \
             whole again, with --force and a larger ensemble.steps"
                .into(),
        ));
    }
    if let Some(why) = beyond_help(&findings) {
        return Err(refuse(why));
    }
    let path = folder.join(report::STATE);
    let bytes = fs::read(&path).map_err(|error| {
        refuse(format!(
            "its {} cannot be read ({error}); without it a run cannot go on: run the whole again, with --force and a larger \
             ensemble.steps",
            report::STATE
        ))
    })?;
    let found = Earlier::read(bytes).and_then(|earlier| {
        earlier.require(&findings.scenario, look(&findings))?;
        Ok(earlier)
    });
    found.map_err(|error| {
        refuse(format!("its {} {error}; run the whole again, with --force and a larger ensemble.steps", report::STATE))
    })
}

/// Why no number of further steps settles an UNDETERMINED result: of such a run no state is kept.
fn beyond_help(findings: &Findings) -> Option<String> {
    let diagnostics = findings.diagnostics.as_ref()?;
    if diagnostics.diverged > 0 {
        return Some(format!(
            "{} of its replicas diverged, and averages over those that are left are biased however long they run; lower the step, or \
             start elsewhere, and run the whole again with --force",
            diagnostics.diverged
        ));
    }
    let reason = diagnostics.reasons.iter().find(|reason| reason.starts_with(NO_STATIONARY_LAW))?;
    Some(format!("more steps would not settle it: {reason}"))
}

/// Whether a result is that of this very scenario.
pub(super) fn is_of(findings: &Findings, scenario: &Scenario) -> bool {
    let mut earlier = findings.scenario.clone();
    // It was resolved when the result was written; the rest of the scenario determines it.
    if scenario.ensemble.observe_every.is_none() {
        earlier.ensemble.observe_every = None;
    }
    if scenario.ensemble.burn_in.is_none() {
        earlier.ensemble.burn_in = None;
    }
    earlier == *scenario
}

/// The first key that differs, with both values.
fn difference(earlier: &Scenario, scenario: &Scenario) -> String {
    let differences = sgd_sde::comparison::differing_settings(earlier, scenario);
    let first = differences.into_iter().find(|setting| {
        // These were resolved when the result was written.
        let ensemble = &scenario.ensemble;
        let is_resolved = [("ensemble.observe_every", ensemble.observe_every), ("ensemble.burn_in", ensemble.burn_in)];
        !is_resolved.contains(&(setting.key.as_str(), None))
    });
    if let Some(setting) = first {
        return format!(" ({} = {}, here {})", setting.key, setting.a, setting.b);
    }
    // What only names a result is no difference between two measurements, but the same result it is not.
    let names = [("title", &earlier.title, &scenario.title), ("question", &earlier.question, &scenario.question)];
    let named = names.into_iter().find(|(_, a, b)| a != b);
    named.map_or(String::new(), |(key, a, b)| format!(" ({key} = {a:?}, here {b:?})"))
}

fn look(findings: &Findings) -> Look {
    findings.diagnostics.as_ref().map(|diagnostics| diagnostics.looks).unwrap_or_default()
}

/// How many times a result was looked at.
pub(super) fn looks(findings: &Findings) -> u32 {
    look(findings).number()
}

/// What to do about an UNDETERMINED verdict.
pub(super) fn hint(findings: &Findings) -> String {
    let steps = findings
        .diagnostics
        .as_ref()
        .map_or(0, |diagnostics| diagnostics.steps / u64::from(diagnostics.looks.number()));
    format!(
        "undetermined: the same command with --continue goes on from here, {steps} more measured steps per replica, judged at half \
         the error rate of this look"
    )
}
