//! What is typed, and what is printed: results to standard output, everything else to standard error.
//!
//! Exit status: 0 when every verdict is the expected one; 1 when one is not; 2 when it could not run; 130 when it was
//! interrupted.

mod check;
mod compare;
mod continuation;
mod output;
mod plot;
mod progress;
mod run;
mod study;
mod threads;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sgd_sde::experiment::{self, ExperimentError, fastest};
use sgd_sde::input::Problems;
use sgd_sde::instructions::{self, InstructionError};
use sgd_sde::report::{self, ReportError, Style};
use sgd_sde::scenario::{self, Loaded, Points, STARTER};
use sgd_sde::study::StudyError;

use output::{message, print};

/// SGD as a stochastic differential equation, put to the test: predict, simulate, judge.
#[derive(Parser)]
#[command(name = "sgd-sde", version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write a commented starter scenario
    New {
        /// The file to write; it must not exist
        file: PathBuf,
    },
    /// Show the shipped scenarios: name, question, expected verdict, rough time
    List,
    /// Simulate, compare with theory, write figures and a report
    Run(run::RunArguments),
    /// Theory alone, nothing simulated
    Predict {
        #[command(flatten)]
        scenarios: ScenarioArguments,
        /// Print the document result.json with the measured fields null
        #[arg(long)]
        json: bool,
    },
    /// Validate only; also the predicted cost and power
    Check {
        #[command(flatten)]
        scenarios: ScenarioArguments,
    },
    /// Redraw figures and report from saved results alone
    Plot {
        /// Folders of results, or their result.json
        #[arg(required = true, value_name = "OUTPUT_DIR/NAME")]
        folders: Vec<PathBuf>,
    },
    /// Set two results side by side, with their differences and the errors of these
    Compare(compare::CompareArguments),
}

/// Which scenarios, with what changed.
#[derive(Args)]
struct ScenarioArguments {
    /// Names of shipped scenarios (see `sgd-sde list`) or scenario files
    #[arg(required = true, value_name = "NAME|FILE.toml")]
    scenarios: Vec<String>,
    /// Override any scenario key, e.g. --set sgd.batch_size=8 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Take one point of a study alone, by its index in study.csv, as a scenario NAME-point-N
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    point: Option<u64>,
    /// Override the scenario's seed
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
}

impl ScenarioArguments {
    /// Every scenario that was named; the name of a family (`NAME` for `NAME-…`) stands for all its members. All
    /// problems of all scenarios are told at once.
    fn load(&self) -> Result<Vec<Loaded>, Failure> {
        let mut loaded = Vec::new();
        let mut problems = Vec::new();
        for name in &self.scenarios {
            let family = scenario::resolve(name);
            let results: Vec<Result<Loaded, Problems>> = if family.is_empty() {
                vec![scenario::load(name, &self.overrides, self.seed)]
            } else {
                family.iter().map(|shipped| shipped.load(&self.overrides, self.seed)).collect()
            };
            for result in results {
                match result.and_then(|loaded| self.chosen(loaded)).and_then(fastest::settle) {
                    Ok(scenario) => loaded.push(scenario),
                    Err(found) => problems.extend(found.0),
                }
            }
        }
        problems.dedup();
        if problems.is_empty() { Ok(loaded) } else { Err(Failure::Input(Problems(problems))) }
    }

    /// The scenario itself, or the point of it that was asked for.
    fn chosen(&self, loaded: Loaded) -> Result<Loaded, Problems> {
        let Some(index) = self.point else { return Ok(loaded) };
        let Some(points) = Points::of(&loaded) else {
            let message = format!("--point {index} asks for a point, but this is no study; it has no [[study.axis]]");
            return Err(loaded.source.problem("study", message).into());
        };
        if index >= points.count() {
            let last = points.count() - 1;
            let message = format!("--point {index} asks for a point that is not there; the points are 0 to {last}");
            return Err(loaded.source.problem("study", message).into());
        }
        let mut point = points.get(index)?;
        point.scenario.name = format!("{}-point-{index}", point.scenario.name);
        Ok(point)
    }
}

/// The seeds that a scenario may have.
fn seed(text: &str) -> Result<u64, String> {
    const LARGEST: u64 = i64::MAX as u64;
    let seed = text.parse().ok().filter(|seed| *seed <= LARGEST);
    seed.ok_or_else(|| format!("a seed is a whole number from 0 to {LARGEST} (2^63 − 1), for example 1"))
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Input(#[from] Problems),
    #[error("{name}: {error}")]
    Experiment { name: String, error: ExperimentError },
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("{0}")]
    Refused(String),
    #[error("interrupted: nothing was written")]
    Interrupted,
    #[error("interrupted: {finished} of {points} points are kept in {journal}; the same command goes on from there")]
    InterruptedStudy { finished: u64, points: u64, journal: String },
    #[error(transparent)]
    Study(StudyError),
    #[error(transparent)]
    Instructions(#[from] InstructionError),
}

impl From<StudyError> for Failure {
    fn from(error: StudyError) -> Self {
        match error {
            StudyError::Input(problems) => Self::Input(problems),
            error => Self::Study(error),
        }
    }
}

impl Failure {
    fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted | Self::InterruptedStudy { .. })
    }

    fn of(name: &str, error: ExperimentError) -> Self {
        match error {
            ExperimentError::Input(problems) => Self::Input(problems),
            ExperimentError::Interrupted(_) => Self::Interrupted,
            error => Self::Experiment { name: name.to_string(), error },
        }
    }
}

/// Exit statuses, as the README promises them.
const UNEXPECTED: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
const INTERRUPTED: u8 = 130;

/// Runs the command line.
pub fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // Help and version are answers, all else is bad input; clap knows where each belongs. A closed pipe is fine.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(COULD_NOT_RUN) } else { ExitCode::SUCCESS };
        }
    };
    let result = instructions::check().map_err(Failure::from).and_then(|()| act(command.action));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(UNEXPECTED),
        Err(failure) => {
            // Problems of a file begin with their place, as compilers write them: editors jump there.
            let program = if matches!(failure, Failure::Input(_)) { "" } else { "sgd-sde: " };
            message(&format!("{program}{failure}"));
            ExitCode::from(if failure.is_interruption() { INTERRUPTED } else { COULD_NOT_RUN })
        }
    }
}

/// Does what was asked for; false if something did not turn out as expected.
fn act(action: Action) -> Result<bool, Failure> {
    match action {
        Action::New { file } => new(&file).map(|()| true),
        Action::List => list().map(|()| true),
        Action::Run(arguments) => run::run(&arguments),
        Action::Predict { scenarios, json } => predict(&scenarios, json).map(|()| true),
        Action::Check { scenarios } => check::check(&scenarios).map(|()| true),
        Action::Plot { folders } => plot::plot(&folders).map(|()| true),
        Action::Compare(arguments) => compare::compare(&arguments),
    }
}

fn new(file: &std::path::Path) -> Result<(), Failure> {
    if file.exists() {
        let refusal = format!("{} exists: it is not overwritten; give another name", file.display());
        return Err(Failure::Refused(refusal));
    }
    report::write_atomically(file, STARTER.as_bytes()).map_err(|error| {
        Failure::Refused(format!("{error}; name a file in a folder that is there and in which you may write"))
    })?;
    message(&format!("wrote {0}; try: sgd-sde check {0}", file.display()));
    Ok(())
}

fn list() -> Result<(), Failure> {
    let mut rows = Vec::new();
    for shipped in scenario::shipped() {
        let loaded = shipped.load(&[], None)?;
        let seconds = loaded.rough_seconds();
        let scenario = loaded.scenario;
        rows.push((scenario.name.clone(), scenario.expect.to_string(), seconds, scenario.question));
    }
    let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let mut text = format!("{:<width$}  {:<12}  {:>7}  question\n", "name", "expected", "time");
    for (name, expected, seconds, question) in rows {
        text.push_str(&format!("{name:<width$}  {expected:<12}  {:>5.0} s  {question}\n", seconds.ceil()));
    }
    print(&text)
}

fn predict(arguments: &ScenarioArguments, json: bool) -> Result<(), Failure> {
    for loaded in arguments.load()? {
        let findings = if loaded.scenario.study.is_some() {
            sgd_sde::study::predict(&loaded)?
        } else {
            experiment::prepare(&loaded)
                .and_then(|setting| experiment::predict(&loaded, &setting))
                .map_err(|error| Failure::of(&loaded.scenario.name, error))?
        };
        let text = if json { report::to_json(&findings)? } else { report::text::predict(&findings, Style::default()) };
        print(&text)?;
    }
    Ok(())
}
