//! From a name or a file to a checked scenario.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::read::Parts;
use super::shipped::{Shipped, resolve, shipped};
use super::{Points, Scenario, check, study};
use crate::input::{Context, Document, LARGEST_FILE, Problem, Problems, Source, nearest, shorten};

/// A checked scenario and where its keys were written.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario, every default filled in.
    pub scenario: Scenario,
    /// The places of its keys, for problems that only a computation finds.
    pub source: Source,
    /// The step that was written, where [`crate::experiment::fastest::settle`] took another one.
    pub written_step: Option<f64>,
}

impl Loaded {
    /// Another scenario from the same places.
    #[must_use]
    pub fn with(&self, scenario: Scenario) -> Self {
        Self { scenario, ..self.clone() }
    }

    /// Seconds that a run takes, to an order of magnitude: of a study from a sample of its points.
    pub fn rough_seconds(&self) -> f64 {
        const SAMPLE: u64 = 20;
        let Some(points) = Points::of(self) else { return self.scenario.rough_seconds() };
        let (count, sample) = (points.count(), points.count().min(SAMPLE));
        let indices = (0..sample).map(|part| part * count / sample);
        let seconds: f64 =
            indices.filter_map(|index| points.get(index).ok()).map(|point| point.scenario.rough_seconds()).sum();
        seconds * count as f64 / sample as f64
    }
}

/// Reads a file, which may be the `result.json` of a run, or else the shipped scenario of that name. `overrides` are as typed after `--set`, in order; `seed`
/// is as typed after `--seed`.
///
/// # Errors
/// Everything that is wrong with it, each with its place. A name of a family of shipped scenarios is one too: ask
/// [`resolve`] first.
pub fn load(path_or_name: impl AsRef<Path>, overrides: &[String], seed: Option<u64>) -> Result<Loaded, Problems> {
    let path = path_or_name.as_ref();
    let shown = path.to_string_lossy();
    // A shipped name wins over a file of that name in this folder, which `./NAME` still reaches.
    let is_file = path.metadata().is_ok_and(|metadata| !metadata.is_dir());
    if !is_file || !resolve(&shown).is_empty() {
        match resolve(&shown).as_slice() {
            [one] => return one.load(overrides, seed),
            [] => return Err(unknown(path).into()),
            family => return Err(ambiguous(&shown, family).into()),
        }
    }
    let unreadable =
        |error: std::io::Error| Problem::with_file(&shown, format!("cannot be read: {error}; is it a readable file?"));
    let bytes = read_bounded(path).map_err(unreadable)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        return parse(of_result(&bytes, &shown)?, &shown, overrides, seed);
    }
    parse(bytes, &shown, overrides, seed)
}

/// Reads the bytes of a file; `file_name` is how messages call it.
///
/// # Errors
/// Everything that is wrong with it, each with its place. Never panics, whatever the bytes.
pub fn parse(
    text: impl AsRef<[u8]>,
    file_name: &str,
    overrides: &[String],
    seed: Option<u64>,
) -> Result<Loaded, Problems> {
    let mut document = Document::parse(text.as_ref(), file_name)?;
    let problems: Vec<Problem> = overrides.iter().filter_map(|argument| document.set(argument).err()).collect();
    if let Some(seed) = seed {
        document.set_seed(seed);
    }
    let loaded = read(document, problems)?;
    study::check_arguments(&loaded, overrides, seed)?;
    study::check(&loaded)?;
    Ok(loaded)
}

/// Reads a document in which `problems` were found already.
pub(super) fn read(document: Document, mut problems: Vec<Problem>) -> Result<Loaded, Problems> {
    let context = Context::new(&document);
    let parts = Parts::read(&context.root());
    problems.extend(context.into_problems().0);
    let source = Source::new(document);
    problems.extend(check::check(&parts, &source));
    match parts.whole() {
        Some(scenario) if problems.is_empty() => Ok(Loaded { scenario, source, written_step: None }),
        _ => Err(Problems::sorted(problems)),
    }
}

/// The scenario that a result is of, as it would be typed.
fn of_result(json: &[u8], shown: &str) -> Result<String, Problem> {
    let scenario = serde_json::from_slice::<OfResult>(json).map_err(|error| error.to_string());
    let text = scenario.and_then(|result| result.scenario.to_toml().map_err(|error| error.to_string()));
    text.map_err(|error| {
        let message = format!(
            "found a JSON file that is no result of this version: {error}; give a scenario file (TOML), or the result.json of a run"
        );
        Problem::with_file(shown, message)
    })
}

/// Of a result its scenario alone.
#[derive(Deserialize)]
struct OfResult {
    scenario: Scenario,
}

/// The bytes of a file, and one more than is allowed if it is larger (it may be endless, such as /dev/zero).
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Neither a file nor a shipped name.
fn unknown(path: &Path) -> Problem {
    let shown = path.to_string_lossy();
    let names = shipped().iter().map(|shipped| shipped.name);
    let word = path.file_stem().map_or(shown.clone(), |stem| stem.to_string_lossy());
    let families = names.clone().filter_map(|name| name.rsplit_once('-').map(|(family, _)| family));
    let families: Vec<&str> = families.filter(|family| !resolve(family).is_empty()).collect();
    let meant = nearest(&word, names.clone().chain(families));
    let what =
        if path.is_dir() { "is a folder, not a scenario file" } else { "is neither a file nor a shipped scenario" };
    let mut message = what.to_owned();
    if let Some(meant) = meant {
        message.push_str(&format!("; did you mean `{meant}`?"));
    }
    message.push_str(&format!("; shipped scenarios: {}", names.collect::<Vec<_>>().join(", ")));
    Problem::with_file(&shorten(&shown), message)
}

fn ambiguous(name: &str, family: &[Shipped]) -> Problem {
    let members = family.iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ");
    Problem::with_file(name, format!("stands for several scenarios where one is needed; name one of: {members}"))
}
