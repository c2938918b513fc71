//! The copy of the working tree that mutants are planted in, and cargo at work in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::switched::VARIABLE;
use crate::verdicts::hash;

/// What does not belong into the copy: results, what no test reads, the list of mutants, which does not fit to a tree with
/// one planted, and the references of whole runs, which notice any change whatever, whether or not a test knows what is right.
const LEFT_OUT: [&str; 9] =
    ["target", "output", ".git", ".ci", "docs", "CHANGELOG.md", "CONTRIBUTING.md", "tests/mutants", "tests/golden"];

/// How a run of tests ended.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// All of them passed.
    Passed {
        /// How many.
        tests: usize,
    },
    /// One failed, and the others were stopped.
    Failed {
        /// Its target and its name.
        test: String,
    },
    /// The time limit was reached.
    TimeLimit,
}

/// Where the compiler found errors: file and line.
pub type Errors = BTreeSet<(String, usize)>;

/// Cargo in the copy.
pub struct Cargo {
    tree: PathBuf,
    target: PathBuf,
    log: PathBuf,
}

impl Cargo {
    pub fn new(folder: &Path) -> Self {
        Self { tree: folder.join("tree"), target: folder.join("build"), log: folder.join("log") }
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Brings the copy to the state of the working tree, but for the files that are given. Returns a hash of that state,
    /// to which these do not belong.
    pub fn copy(&self, root: &Path, instead: &BTreeMap<String, String>) -> Result<u64, String> {
        let mut state = String::new();
        let wanted = files_below(root)?;
        for file in &wanted {
            let bytes = fs::read(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
            state += &format!("{file} {:016x}\n", hash(&String::from_utf8_lossy(&bytes)));
            if !instead.contains_key(file) {
                self.write_file(file, &bytes)?;
            }
        }
        if self.tree.exists() {
            for file in files_below(&self.tree)?.difference(&wanted) {
                fs::remove_file(self.tree.join(file)).map_err(|error| format!("{file}: {error}"))?;
            }
        }
        self.write(instead)?;
        Ok(hash(&state))
    }

    /// Writes files of the copy, by their paths.
    pub fn write(&self, files: &BTreeMap<String, String>) -> Result<(), String> {
        files.iter().try_for_each(|(file, text)| self.write_file(file, text.as_bytes()))
    }

    /// Only what differs is written: cargo goes by modification times.
    fn write_file(&self, file: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.tree.join(file);
        if fs::read(&path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        let written = fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(&path, bytes));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Compiles the tests of some targets; where there were errors if it does not. The log has them as cargo shows them.
    pub fn compile(&self, tests: &str) -> Result<Result<(), Errors>, String> {
        let arguments = ["test", "--no-run", "--message-format", "json"];
        let child = self.start(arguments.into_iter().chain(tests.split_whitespace()), None)?;
        if finished(child, None, || false)? == Some(true) {
            return Ok(Ok(()));
        }
        let log = self.read_log();
        let messages: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let (places, texts): (Vec<Errors>, Vec<&str>) = messages.iter().filter_map(error).unzip();
        let others = log.lines().filter(|line| !line.starts_with('{'));
        let readable: Vec<&str> = texts.into_iter().chain(others).collect();
        fs::write(&self.log, readable.join("\n")).map_err(|error| error.to_string())?;
        Ok(Err(places.into_iter().flatten().collect()))
    }

    /// Runs tests that have been compiled, until one fails.
    pub fn test(&self, tests: &str, mutant: Option<u64>, limit: Duration) -> Result<Outcome, String> {
        let child = self.start(["test"].into_iter().chain(tests.split_whitespace()), mutant)?;
        let status = finished(child, Some(limit), || first_failed(&self.read_log()).is_some())?;
        let log = self.read_log();
        Ok(match (first_failed(&log), status) {
            (Some(test), _) => Outcome::Failed { test },
            (None, Some(true)) => Outcome::Passed { tests: number_of_tests(&log) },
            (None, Some(false)) => Outcome::Failed { test: format!("{} (ended without a report)", last_target(&log)) },
            (None, None) => Outcome::TimeLimit,
        })
    }

    fn read_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Starts cargo in a process group of its own, so that tests and what they started end with it.
    fn start<'a>(&self, arguments: impl Iterator<Item = &'a str>, mutant: Option<u64>) -> Result<Child, String> {
        let told = |error: std::io::Error| format!("cargo does not start: {error}");
        let log = File::create(&self.log).map_err(told)?;
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).process_group(0);
        command.env_remove(VARIABLE).envs(mutant.map(|number| (VARIABLE, number.to_string())));
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(told)?).stderr(log);
        let child = command.spawn().map_err(told)?;
        RUNNING.store(child.id(), Ordering::SeqCst);
        Ok(child)
    }
}

/// The process group that is at work, or 0.
static RUNNING: AtomicU32 = AtomicU32::new(0);

/// Ends whatever is at work.
pub fn stop() {
    let group = RUNNING.swap(0, Ordering::SeqCst);
    if group != 0 {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status();
    }
}

/// Whether a command succeeded; none if it was stopped, at its time limit or because enough was seen of it.
fn finished(mut child: Child, limit: Option<Duration>, enough: impl Fn() -> bool) -> Result<Option<bool>, String> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            RUNNING.store(0, Ordering::SeqCst);
            return Ok(Some(status.success()));
        }
        if limit.is_some_and(|limit| begin.elapsed() > limit) || enough() {
            stop();
            child.wait().map_err(|error| error.to_string())?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Every file of a folder that belongs into the copy, by its path.
fn files_below(root: &Path) -> Result<BTreeSet<String>, String> {
    let mut files = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(name);
            }
        }
    }
    Ok(files)
}

/// Where an error is and what is said of it, if a message of cargo is one. What it points at beside its place may be anyone's.
fn error(message: &Value) -> Option<(Errors, &str)> {
    let message = &message["message"];
    let is_primary = |span: &&Value| span["is_primary"] == true;
    let place = |span: &Value| Some((span["file_name"].as_str()?.to_owned(), span["line_start"].as_u64()? as usize));
    let spans = message["spans"].as_array()?.iter().filter(is_primary);
    (message["level"] == "error")
        .then(|| (spans.filter_map(place).collect(), message["rendered"].as_str().unwrap_or("")))
}

/// The first test that a log says to have failed, with its target.
fn first_failed(log: &str) -> Option<String> {
    let (before, _) = log.split_once(" ... FAILED")?;
    let test = before.rsplit_once("\ntest ")?.1;
    Some(format!("{} {test}", last_target(before)))
}

/// The target whose tests were run last: `tests/theory.rs`, `src/lib.rs`, `documentation`.
fn last_target(log: &str) -> String {
    let target = |line: &str| {
        let line = line.trim_start();
        let running = line.strip_prefix("Running ").map(|rest| rest.trim_start_matches("unittests "));
        let running = running.and_then(|rest| rest.split(' ').next()).map(str::to_owned);
        running.or_else(|| line.starts_with("Doc-tests ").then(|| "documentation".to_owned()))
    };
    log.lines().rev().find_map(target).unwrap_or_else(|| "no test".to_owned())
}

/// How many tests were run.
fn number_of_tests(log: &str) -> usize {
    let passed = |line: &str| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<usize>().ok();
    log.lines().filter_map(passed).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
warning: unused variable
     Running unittests src/lib.rs (target/debug/deps/x)

running 1 test
test one::is_right ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.15s

     Running tests/theory.rs (target/debug/deps/y)

running 3 tests
test two::is_right ... ok
";

    #[test]
    fn a_log_says_which_test_failed() {
        assert_eq!(first_failed(LOG), None);
        assert_eq!((last_target(LOG), number_of_tests(LOG)), ("tests/theory.rs".to_owned(), 1));
        let log = format!("{LOG}test two::is_wrong ... FAILED\ntest two::too ... FAILED\n");
        assert_eq!(first_failed(&log), Some("tests/theory.rs two::is_wrong".to_owned()));
        let log = format!("{LOG}\n   Doc-tests sgd_sde\n\nrunning 1 test\ntest src/a.rs - a (line 3) ... FAILED\n");
        assert_eq!(first_failed(&log), Some("documentation src/a.rs - a (line 3)".to_owned()));
    }

    #[test]
    fn a_compiler_says_where_its_error_is() {
        let spans = serde_json::json!([
            { "file_name": "src/a.rs", "line_start": 3, "is_primary": false },
            { "file_name": "src/b.rs", "line_start": 12, "is_primary": true },
        ]);
        let message = |level: &str, spans: &Value| serde_json::json!({ "message": { "level": level, "spans": spans, "rendered": "error: what" } });
        let place = ("src/b.rs".to_owned(), 12);
        assert_eq!(error(&message("error", &spans)), Some(([place].into(), "error: what")));
        assert_eq!(error(&message("warning", &spans)), None);
        assert_eq!(error(&message("error", &Value::Null)), None);
        assert_eq!(error(&message("error", &serde_json::json!([]))), Some(([].into(), "error: what")));
        assert_eq!(error(&serde_json::json!({ "reason": "build-finished", "success": false })), None);
    }

    #[test]
    fn a_copy_follows_the_tree() {
        let here = tempfile::tempdir().unwrap();
        let (root, folder) = (here.path().join("root"), here.path().join("mutants"));
        for (file, text) in [("src/lib.rs", "a"), ("src/one.rs", "b"), ("tests/mutants/x.toml", "c"), ("target/y", "d")]
        {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        }
        let cargo = Cargo::new(&folder);
        let instead = BTreeMap::from([("src/lib.rs".to_owned(), "switched".to_owned())]);
        let state = cargo.copy(&root, &instead).unwrap();
        assert_eq!(files_below(&cargo.tree).unwrap(), ["src/lib.rs", "src/one.rs"].map(str::to_owned).into());
        assert_eq!(fs::read_to_string(cargo.tree.join("src/lib.rs")).unwrap(), "switched");
        let time = || fs::metadata(cargo.tree.join("src/lib.rs")).unwrap().modified().unwrap();
        let before = time();
        assert_eq!(cargo.copy(&root, &instead).unwrap(), state);
        assert_eq!(time(), before, "what is the same is not written");
        fs::remove_file(root.join("src/one.rs")).unwrap();
        assert_ne!(cargo.copy(&root, &BTreeMap::new()).unwrap(), state);
        assert_eq!(files_below(&cargo.tree).unwrap(), ["src/lib.rs".to_owned()].into());
        assert_eq!(fs::read_to_string(cargo.tree.join("src/lib.rs")).unwrap(), "a");
    }

    #[test]
    fn a_command_is_stopped_with_what_it_started() {
        let sleeping = || {
            let mut command = Command::new("sh");
            let child = command.args(["-c", "sleep 60 & wait"]).process_group(0).spawn().unwrap();
            RUNNING.store(child.id(), Ordering::SeqCst);
            child
        };
        let begin = Instant::now();
        assert_eq!(finished(sleeping(), Some(Duration::from_millis(50)), || false), Ok(None));
        assert_eq!(finished(sleeping(), None, || true), Ok(None));
        assert!(begin.elapsed() < Duration::from_secs(30));
    }
}
