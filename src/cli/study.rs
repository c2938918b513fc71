//! Studies on the command line: one progress bar for all points, and what is kept when they are stopped.

use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sgd_sde::plain::significant;
use sgd_sde::report;
use sgd_sde::scenario::Loaded;
use sgd_sde::study::{
    self, Control, Journal, Outcome, Status, StudyError,
    forecast::{StudyForecast, Those},
};

use super::Failure;
use super::check::{duration, quantity};
use super::output::message;
use super::run::{Interruption, RunArguments, run_record, show};

/// Runs a study; true if its verdict was the expected one.
pub(super) fn run(arguments: &RunArguments, loaded: &Loaded, interruption: &Interruption) -> Result<bool, Failure> {
    let scenario = &loaded.scenario;
    let mut journal = Journal::open(&arguments.out, loaded).map_err(StudyError::from)?;
    if journal.taken_over() > 0 && !arguments.quiet {
        let points = scenario.study.as_ref().map_or(0, |study| study.points());
        message(&format!(
            "{}: {} of {points} points are taken over from a run that was stopped ({})",
            scenario.name,
            journal.taken_over(),
            journal.path().display()
        ));
    }
    interruption.simulating.store(true, Ordering::Relaxed);
    let (started, clock) = (SystemTime::now(), Instant::now());
    let progress = Progress::new(&scenario.name, arguments.quiet);
    let control = Control { monitor: &|status| progress.show(status), stop: &interruption.stop };
    let result = study::run(loaded, Some(&mut journal), &control);
    progress.bar.finish_and_clear();
    let Outcome { findings, figures, steps } = match result {
        Ok(outcome) => outcome,
        Err(StudyError::Interrupted { finished, points }) => return Err(stopped(journal, finished, points)),
        Err(error) => return Err(error.into()),
    };
    let record = run_record(started, clock.elapsed().as_secs_f64(), steps as f64);
    let toml = findings
        .scenario
        .to_toml()
        .map_err(|error| Failure::Refused(format!("the scenario cannot be written: {error}")))?;
    let files = report::save(&arguments.out, &findings, &figures, &record, &toml)?;
    journal.remove().map_err(StudyError::from)?;
    show(arguments, &findings, &record, &files)?;
    Ok(findings.verdict == Some(findings.expected))
}

/// An interrupted study says what is kept; nothing is left behind where nothing was finished.
fn stopped(journal: Journal, finished: u64, points: u64) -> Failure {
    if journal.is_empty() {
        return journal.remove().map_or_else(|error| StudyError::from(error).into(), |()| Failure::Interrupted);
    }
    Failure::InterruptedStudy { finished, points, journal: journal.path().display().to_string() }
}

/// The predicted cost of a study; a refusal where it has no point that can be run.
pub(super) fn check(loaded: &Loaded, threads: usize) -> Result<String, Failure> {
    let forecast = StudyForecast::of(loaded, threads)?;
    let name = &loaded.scenario.name;
    if forecast.is_refused() {
        return Err(Failure::Refused(format!(
            "{name}: none of the {} points of the study can be run. {}",
            forecast.points,
            first(&forecast.refused)
        )));
    }
    let mut lines = vec![
        format!("{name}: sound, a study of {} points", forecast.points),
        format!(
            "  cost   {} trajectory-steps, about {} on {threads} threads, about {:.0} MB, judged by {} of the points",
            quantity(forecast.trajectory_steps),
            duration(forecast.seconds),
            forecast.memory / 1e6,
            forecast.sampled
        ),
    ];
    if let Some([low, high]) = forecast.standard_errors {
        lines.push(format!(
            "  power  standard errors of {} from {} to {} expected at these; `check --point N` tells of one",
            forecast.quantity,
            significant(low, 2),
            significant(high, 2)
        ));
    }
    if forecast.tests_nothing() {
        lines.push(
            "  power  none of these points tests anything: if the others are alike, the verdict is UNDETERMINED".into(),
        );
    }
    let kinds = [
        (&forecast.refused, "of these cannot be run: a row with its reason each"),
        (&forecast.unstable, "of these predicted to diverge, which alone is tested there"),
        (&forecast.lawless, "of these without a stationary law, and UNDETERMINED whatever is measured"),
        (&forecast.overshooting, "of these with a step TOO LARGE"),
        (&forecast.remembering, "of these do NOT forget their start, and are UNDETERMINED whatever is measured"),
    ];
    for (those, what) in kinds.into_iter().filter(|(those, _)| those.count > 0) {
        lines.push(format!("  points {} {what}. {}", those.count, first(those)));
    }
    Ok(lines.join("\n"))
}

/// The first of some points, with its reason.
fn first(those: &Those) -> String {
    those.first.as_ref().map_or_else(String::new, |(point, why)| format!("The first, {point}: {why}"))
}

/// The progress line of all points.
struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    fn new(name: &str, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:24} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_string());
        Self { bar, started: Instant::now() }
    }

    fn show(&self, status: &Status) {
        const PARTS: f64 = 1000.0;
        if self.bar.is_hidden() {
            return;
        }
        let done = status.taken_over as f64 + status.done_now;
        self.bar.set_length((status.points as f64 * PARTS) as u64);
        self.bar.set_position((done * PARTS) as u64);
        let rate = status.done_now / self.started.elapsed().as_secs_f64().max(1e-9);
        let left = if rate > 0.0 { duration((status.points as f64 - done) / rate) } else { "?".to_owned() };
        let verdicts = status.verdicts;
        self.bar.set_message(format!(
            "{} of {} points, {rate:.1}/s, {left} left; {} hold, {} rejected, {} undetermined",
            status.points_done, status.points, verdicts.holds, verdicts.rejected, verdicts.undetermined
        ));
    }
}
