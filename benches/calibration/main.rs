//! Operating characteristics: how often HOLDS, REJECTED and UNDETERMINED are said of a claim that is true, wrong by half of ε, by ε and by twice ε, at
//! efforts from far too small to ample, and how often the interval that is shown contains the truth. Whole runs over many seeds, through the
//! library: the theory of a point once, the simulation for each seed.
//!
//! `benches/calibration/run` measures what is not measured yet, and writes `docs/operating-characteristics.md` and its figure.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program that reports to a terminal")]

mod figure;
mod judgements;
mod kinds;
mod results;
mod runs;
mod scenarios;
mod table;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use kinds::Kind;
use results::{Results, Row};

const HELP: &str = "benches/calibration/run [--seeds N] [--only KIND] [--folder FOLDER] [--docs FOLDER] [--anew]

Runs every point that FOLDER/results.csv (target/calibration) does not hold yet over N seeds (1000), then writes the table and the figure into
the folder of --docs (docs). A run that was stopped goes on where it was. What another build of the program has measured is refused; --anew throws
it away.";

struct Options {
    seeds: u64,
    only: Option<String>,
    folder: PathBuf,
    docs: PathBuf,
    is_anew: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut options = Self {
            seeds: 1_000,
            only: None,
            folder: root.join("target/calibration"),
            docs: root.join("docs"),
            is_anew: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n\n{HELP}"));
            match argument.as_str() {
                "--seeds" => {
                    let text = value()?;
                    options.seeds =
                        text.parse().map_err(|_| format!("--seeds: found \"{text}\", a number is needed"))?;
                }
                "--only" => options.only = Some(value()?),
                "--folder" => options.folder = value()?.into(),
                "--docs" => options.docs = value()?.into(),
                "--anew" => options.is_anew = true,
                // What `cargo bench` adds.
                "--bench" => {}
                _ => return Err(format!("found {argument}\n\n{HELP}")),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| measure_and_write(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn measure_and_write(options: &Options) -> Result<(), String> {
    let mut results = Results::open(&options.folder, options.is_anew)?;
    let all = kinds::all();
    if let Some(only) = &options.only
        && !all.iter().any(|kind| kind.name == only)
    {
        let names: Vec<&str> = all.iter().map(|kind| kind.name).collect();
        return Err(format!("--only: found \"{only}\"; the kinds are {}", names.join(", ")));
    }
    for kind in all.iter().filter(|kind| options.only.as_ref().is_none_or(|only| kind.name == only)) {
        measure(kind, options.seeds.min(kind.most_seeds), &mut results)?;
    }
    table::write(&options.docs, &all, &results)?;
    figure::write(&options.docs, &all, &results)
}

/// The points of a kind that are not measured yet.
fn measure(kind: &Kind, seeds: u64, results: &mut Results) -> Result<(), String> {
    for &difference in kind.differences {
        let left = kind.efforts.iter().filter(|effort| !results.has(kind.name, difference, **effort, seeds));
        let left: Vec<f64> = left.copied().collect();
        if left.is_empty() {
            continue;
        }
        let tuned = (kind.tuned)(difference);
        for effort in left {
            let begun = Instant::now();
            let tally = tally::over_seeds(&(tuned.at_effort)(effort), seeds);
            let row = Row {
                kind: kind.name.to_owned(),
                difference,
                effort,
                true_difference: tuned.difference,
                tally,
                seconds: begun.elapsed().as_secs_f64(),
            };
            println!("{}", row.told());
            results.add(row)?;
        }
    }
    Ok(())
}
