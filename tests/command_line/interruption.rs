//! Ctrl-C: status 130 at once, nothing half-written, earlier results as they were.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Workplace;

/// A run that would take days, some time after its start.
fn long_run(here: &Workplace, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
    command
        .current_dir(here.path(""))
        .args(["run", "tiny.toml", "--set", "ensemble.steps=1_000_000_000_000"])
        .args(more);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1000));
    child
}

/// Sends SIGINT and waits: status, standard output and standard error.
fn interrupt(child: Child) -> (Option<i32>, String, String) {
    let begin = Instant::now();
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success(), "the run was over before it was interrupted");
    let output = child.wait_with_output().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "it took {:?} to stop", begin.elapsed());
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let here = Workplace::with_tiny();
    for more in [&[][..], &["--set", "ensemble.burn_in=1_000_000_000_000"], &["--quiet", "--threads", "1"]] {
        let (status, out, err) = interrupt(long_run(&here, more));
        assert_eq!(status, Some(130), "{err}");
        assert!(err.contains("interrupted: nothing was written") && out.is_empty(), "{out}{err}");
        assert!(here.files("output").is_empty(), "{:?}", here.files("output").keys());
        assert_eq!(std::fs::read_dir(here.path("output")).unwrap().count(), 0);
    }
}

#[test]
fn an_interrupted_run_leaves_the_earlier_result() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    let earlier = here.files("output");
    let (status, ..) = interrupt(long_run(&here, &["--force"]));
    assert_eq!(status, Some(130));
    assert_eq!(here.files("output"), earlier);
}

/// The continuation of a run of some seconds, stopped in the midst of them.
#[test]
fn an_interrupted_continuation_leaves_result_and_state() {
    let here = Workplace::with_tiny();
    let long =
        ["--set", "ensemble.steps=6_000_000", "--set", "test.tolerance=1e-9", "--set", "test.against=\"discrete\""];
    here.run(&[&["run", "tiny.toml", "--quiet"], &long[..]].concat()).expect(1);
    let earlier = here.files("output");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
    command.current_dir(here.path("")).args(["run", "tiny.toml", "--continue"]).args(long);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let (status, _, err) = interrupt(child);
    assert_eq!(status, Some(130), "{err}");
    assert!(here.files("output") == earlier);
}

/// A question of its own ensembles hears it as well.
#[test]
fn an_interrupted_weak_error_leaves_nothing_behind() {
    let here = Workplace::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
    command.current_dir(here.path("")).args(["run", "sde-order", "--set", "weak_error.time=2000.0"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1000));
    let (status, _, err) = interrupt(child);
    assert_eq!(status, Some(130), "{err}");
    assert!(err.contains("interrupted: nothing was written"), "{err}");
    assert!(here.files("output").is_empty());
}
