//! The mean loss of a network at rest, at equal η/S.

use sgd_sde::scenario::Loaded;
use sgd_sde::statistics::Verdict;

use crate::support::{BASE, claim, run, try_run};

fn at_rest(decay: f64, sgd: &str, training: &str, replicas: u64) -> Loaded {
    let base = BASE
        .replace("epochs", "with-replacement")
        .replace("hidden = [8]", &format!("hidden = [8]\nweight_decay = {decay}"));
    let text = format!(
        "name = \"course\"\nexperiment = \"stationary-loss\"\n{base}[sgd]\n{sgd}\n[training]\n{training}\n[scaling]\nbeta = [1, 4]\n[ensemble]\n\
         replicas = {replicas}\n"
    );
    sgd_sde::scenario::parse(text, "course.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Relaxation takes 1/(ηλ) = 333 steps of the 16,000.
const LONG: &str = "epochs = 125\nlook_every = 2.5";

/// With βηh ≪ 1 nothing changes, and another η/S is told apart. The true differences are far inside of ±ε; false-failure rate below 1e−3.
#[test]
fn small_steps_come_to_rest_at_the_same_loss() {
    let findings = run(&at_rest(0.1, "learning_rate = 0.03\nbatch_size = 1", LONG, 24));
    let unchanged = claim(&findings, "unchanged-beta-4");
    assert_eq!((unchanged.verdict, unchanged.primary), (Some(Verdict::Holds), true), "{}", unchanged.reason);
    let control = claim(&findings, "unchanged-control");
    assert_eq!((control.verdict, control.primary), (Some(Verdict::Rejected), false), "{}", control.reason);
    assert_eq!(findings.scaling.unwrap().breaks_measured, [Some(4.0), None]);
}

/// A margin within which another ratio lies as well shows nothing.
#[test]
fn another_ratio_within_the_margin_holds_nothing() {
    let mut loaded = at_rest(0.1, "learning_rate = 0.01\nbatch_size = 1", "epochs = 64\nlook_every = 2", 8);
    loaded.scenario.test.tolerance = 10.0;
    let findings = run(&loaded);
    assert_eq!(claim(&findings, "unchanged-control").verdict, Some(Verdict::Holds));
    assert_eq!(claim(&findings, "unchanged-beta-4").verdict, Some(Verdict::Undetermined));
}

/// Steps as large as the curvature allows change the loss, and the design says so.
#[test]
fn large_steps_change_it() {
    let mut loaded = at_rest(0.1, "learning_rate = 0.6\nbatch_size = 4", "epochs = 500\nlook_every = 5", 48);
    loaded.scenario.test.tolerance = 0.2;
    let findings = run(&loaded);
    assert_eq!(claim(&findings, "unchanged-beta-4").verdict, Some(Verdict::Rejected));
}

/// What is still falling is not at rest: no verdict, whatever the numbers.
#[test]
fn training_that_is_too_short_is_not_judged() {
    let findings = run(&at_rest(0.1, "learning_rate = 0.01\nbatch_size = 1", "epochs = 8\nlook_every = 1", 8));
    let claim = claim(&findings, "unchanged-beta-4");
    assert_eq!(claim.verdict, Some(Verdict::Undetermined));
    assert!(claim.reason.contains("not shown to be at rest"), "{}", claim.reason);
}

#[test]
fn what_has_no_stationary_law_is_refused() {
    let refused = |loaded: &Loaded| try_run(loaded).map(|_| ()).unwrap_err().to_string();
    let without = refused(&at_rest(0.0, "learning_rate = 0.01\nbatch_size = 1", LONG, 4));
    assert!(without.contains("loss.weight_decay") && without.contains("no stationary law"), "{without}");
    let few = refused(&at_rest(0.1, "learning_rate = 0.01\nbatch_size = 1", "epochs = 4\nlook_every = 1", 4));
    assert!(few.contains("training.look_every") && few.contains("at least 8"), "{few}");
}
