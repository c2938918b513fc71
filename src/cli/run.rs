//! `sgd-sde run`: simulate, compare, write, print.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use clap::Args;
use sgd_sde::experiment::{self, Control, Finished, Prepared, state::Earlier};
use sgd_sde::findings::Findings;
use sgd_sde::instructions;
use sgd_sde::report::{self, Extra, RunRecord, Style};
use sgd_sde::scenario::{Loaded, Scenario};

use super::output::{message, print};
use super::progress::Progress;
use super::{Failure, INTERRUPTED, ScenarioArguments, continuation, study, threads};

#[derive(Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    scenarios: ScenarioArguments,
    /// Where results go: DIR/NAME/
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub(super) out: PathBuf,
    /// Threads to simulate with [default: one per core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
    /// No progress and no messages; one line per scenario
    #[arg(long)]
    pub(super) quiet: bool,
    /// Replace an earlier result of another scenario of the same name
    #[arg(long)]
    force: bool,
    /// Add as many steps again to an UNDETERMINED result, from its saved state
    #[arg(long = "continue", conflicts_with = "force")]
    goes_on: bool,
}

/// Runs every scenario; true if every verdict was the expected one.
pub(super) fn run(arguments: &RunArguments) -> Result<bool, Failure> {
    let scenarios = arguments.scenarios.load()?;
    // Everything that can be refused is refused before the first step of the first scenario.
    refuse_same_name(&scenarios)?;
    let mut earlier = Vec::new();
    for Loaded { scenario, .. } in &scenarios {
        earlier.push(if arguments.goes_on { Some(continuation::earlier(&arguments.out, scenario)?) } else { None });
        if arguments.force {
            refuse_to_force(&arguments.out, scenario)?;
        } else if !arguments.goes_on {
            refuse_to_replace(&arguments.out, scenario)?;
        }
    }
    let interruption = Interruption::watch()?;
    let threads = threads::sensible(arguments.threads, arguments.quiet);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::Refused(format!("cannot start {threads} threads: {error}")))?;
    pool.install(|| {
        // The points of a study are prepared one by one: what cannot be run becomes a row with its reason.
        let prepare = |loaded: &Loaded| match loaded.scenario.study {
            Some(_) => Ok(None),
            None => experiment::prepare(loaded).map(Some).map_err(|error| Failure::of(&loaded.scenario.name, error)),
        };
        let prepared: Vec<Option<Prepared>> = scenarios.iter().map(prepare).collect::<Result<_, _>>()?;
        report::require_writable(&arguments.out)?;
        let names = scenarios.iter().map(|loaded| report::lock(&arguments.out, &loaded.scenario.name));
        interruption.hold(names.collect::<Result<_, _>>()?);
        let result = run_all(arguments, &scenarios, &prepared, earlier, &interruption);
        interruption.hold(Vec::new());
        result
    })
}

/// One after the other. A scenario that fails on the way does not take the others with it; the last failure is told
/// last.
fn run_all(
    arguments: &RunArguments,
    scenarios: &[Loaded],
    prepared: &[Option<Prepared>],
    earlier: Vec<Option<Earlier>>,
    interruption: &Interruption,
) -> Result<bool, Failure> {
    let mut all_as_expected = true;
    let mut failed = None;
    for ((loaded, prepared), earlier) in scenarios.iter().zip(prepared).zip(earlier) {
        let result = match prepared {
            Some(prepared) => run_one(arguments, loaded, prepared, earlier, interruption),
            None => study::run(arguments, loaded, interruption),
        };
        match result {
            Ok(as_expected) => all_as_expected &= as_expected,
            Err(failure) if failure.is_interruption() => return Err(failure),
            Err(failure) => {
                if let Some(earlier) = failed.replace(failure) {
                    message(&format!("sgd-sde: {earlier}"));
                }
            }
        }
    }
    failed.map_or(Ok(all_as_expected), Err)
}

fn run_one(
    arguments: &RunArguments,
    loaded: &Loaded,
    prepared: &Prepared,
    earlier: Option<Earlier>,
    interruption: &Interruption,
) -> Result<bool, Failure> {
    let scenario = &loaded.scenario;
    let progress = Progress::new(&scenario.name, scenario.ensemble.replicas, arguments.quiet);
    let (started, clock) = (SystemTime::now(), Instant::now());
    let mut steps = 0;
    let result = experiment::run_from(
        loaded,
        prepared,
        earlier,
        &mut Control {
            monitor: &mut |status| {
                interruption.simulating.store(true, Ordering::Relaxed);
                steps = status.steps_done;
                progress.show(status);
            },
            stop: &interruption.stop,
        },
    );
    progress.finish();
    let Finished { findings, figures, state, files } = result.map_err(|error| Failure::of(&scenario.name, error))?;
    let seconds = clock.elapsed().as_secs_f64();
    let record = run_record(started, seconds, (steps * scenario.ensemble.replicas) as f64);
    let toml = findings
        .scenario
        .to_toml()
        .map_err(|error| Failure::Refused(format!("the scenario cannot be written: {error}")))?;
    let write = |out: &mut dyn std::io::Write| state.as_ref().map_or(Ok(()), |state| state.write(out));
    let contents: Vec<_> =
        files.iter().map(|file| move |out: &mut dyn std::io::Write| out.write_all(&file.bytes)).collect();
    let mut extras: Vec<Extra> = Vec::new();
    if state.is_some() {
        extras.push((report::STATE, &write));
    }
    extras.extend(files.iter().zip(&contents).map(|(file, content)| -> Extra { (&file.name, content) }));
    let files = report::save_with(&arguments.out, &findings, &figures, &record, &toml, &extras)?;
    show(arguments, &findings, &record, &files)?;
    if state.is_some() && !arguments.quiet {
        message(&continuation::hint(&findings));
    }
    Ok(findings.verdict == Some(findings.expected))
}

/// What `run.json` says of a run of so many trajectory-steps.
pub(super) fn run_record(started: SystemTime, seconds: f64, steps: f64) -> RunRecord {
    RunRecord {
        host: host(),
        threads: rayon::current_num_threads(),
        seconds,
        steps_per_second: steps / seconds.max(1e-9),
        instruction_set: instructions::title().into(),
        started: report::record::utc(started),
        command: command_line(),
    }
}

/// A rate for people: whole, but for small ones.
fn rate(millions: f64) -> String {
    if millions >= 10.0 { format!("{millions:.0}") } else { format!("{millions:.2}") }
}

pub(super) fn show(
    arguments: &RunArguments,
    findings: &Findings,
    record: &RunRecord,
    files: &[PathBuf],
) -> Result<(), Failure> {
    if arguments.quiet {
        let verdict = findings.verdict.map_or("no verdict".into(), |verdict| verdict.to_string());
        return print(&format!("{}: {verdict} (expected {})", findings.scenario.name, findings.expected));
    }
    print(&report::text::run(findings, Style { colour: colour() }))?;
    let page = files.iter().find(|file| file.ends_with("report.html"));
    message(&format!(
        "{:.1} s with theory and figures, {} million trajectory-steps a second on {} threads; {} files, see {}",
        record.seconds,
        rate(record.steps_per_second / 1e6),
        record.threads,
        files.len(),
        page.map_or_else(|| arguments.out.display().to_string(), |page| page.display().to_string())
    ));
    Ok(())
}

/// Colours on a terminal only, and not where the user has asked for none (no-color.org).
fn colour() -> bool {
    use std::io::IsTerminal;
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Two scenarios of one name would overwrite each other.
fn refuse_same_name(scenarios: &[Loaded]) -> Result<(), Failure> {
    let mut names: Vec<&str> = scenarios.iter().map(|loaded| loaded.scenario.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Failure::Refused(format!(
            "two of the scenarios are named {}: their results would overwrite each other; run them one by one with different --out, or \
             rename one",
            pair[0]
        ))),
        None => Ok(()),
    }
}

/// An earlier result is replaced only by a run of the very same scenario.
fn refuse_to_replace(out: &Path, scenario: &Scenario) -> Result<(), Failure> {
    let folder = out.join(&scenario.name);
    if !folder.exists() {
        return Ok(());
    }
    // Nothing in it: nothing to lose.
    let is_empty = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    let differs = match report::load(&folder) {
        Ok(saved) if continuation::looks(&saved.findings) > 1 && continuation::is_of(&saved.findings, scenario) => {
            "holds a result of this scenario that was continued, which a new run would throw away (--continue goes on with it)"
        }
        Ok(saved) if continuation::is_of(&saved.findings, scenario) => return Ok(()),
        Ok(_) => "holds the result of another scenario or seed",
        Err(_) => "exists and holds no readable result",
    };
    let forced = match report::require_replaceable(&folder) {
        Ok(()) => ", or --force to replace it (files that are not the program's stay)",
        Err(_) => ", or another name to the scenario",
    };
    Err(Failure::Refused(format!(
        "{} {differs}: it is not replaced; give --out {}-2{forced}",
        folder.display(),
        out.display()
    )))
}

/// `--force` replaces results of this program, and nothing else: not a folder that happens to have the same name.
fn refuse_to_force(out: &Path, scenario: &Scenario) -> Result<(), Failure> {
    let folder = out.join(&scenario.name);
    if !folder.exists() {
        return Ok(());
    }
    report::require_replaceable(&folder).map_err(|found| {
        Failure::Refused(format!(
            "{} holds no result of this program ({found}), and --force replaces nothing else: give another --out, or another \
             name to the scenario",
            folder.display()
        ))
    })
}

/// What Ctrl-C does: before the first step there is nothing to wind up, and the program ends at once; during the
/// simulation it sets the flag that stops it; a second Ctrl-C always ends the program. Nothing half-written stays.
pub(super) struct Interruption {
    pub(super) stop: Arc<AtomicBool>,
    pub(super) simulating: Arc<AtomicBool>,
    /// What must be given back even when the program ends at once.
    locks: Arc<Mutex<Vec<report::Lock>>>,
}

impl Interruption {
    fn watch() -> Result<Self, Failure> {
        let watched = Self { stop: Arc::default(), simulating: Arc::default(), locks: Arc::default() };
        let (stop, simulating, locks) = (watched.stop.clone(), watched.simulating.clone(), watched.locks.clone());
        ctrlc::set_handler(move || {
            if stop.swap(true, Ordering::Relaxed) || !simulating.load(Ordering::Relaxed) {
                message(&format!("sgd-sde: {}", Failure::Interrupted));
                replace(&locks, Vec::new());
                std::process::exit(i32::from(INTERRUPTED));
            }
        })
        .map_err(|error| Failure::Refused(format!("Ctrl-C cannot be watched: {error}")))?;
        Ok(watched)
    }

    /// Holds these rights to write instead of those held so far, which are given back.
    fn hold(&self, locks: Vec<report::Lock>) {
        replace(&self.locks, locks);
    }
}

fn replace(held: &Mutex<Vec<report::Lock>>, locks: Vec<report::Lock>) {
    *held.lock().unwrap_or_else(PoisonError::into_inner) = locks;
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".into())
}

/// What was typed, quoted where a shell needs it.
fn command_line() -> String {
    let quote = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    };
    let typed: Vec<String> =
        std::env::args_os().skip(1).map(|argument| quote(argument.to_string_lossy().into_owned())).collect();
    format!("sgd-sde {}", typed.join(" "))
}
