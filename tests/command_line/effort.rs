//! More effort on demand: runs that are continued, and runs that a pilot plans.

use crate::support::Workplace;

/// Settings under which `tiny` stays UNDETERMINED: ε is far below the errors.
const FINE: [&str; 4] = ["--set", "test.tolerance=0.001", "--set", "test.against=\"discrete\""];

fn run(here: &Workplace, more: &[&str], status: i32) -> String {
    here.run(&[&["run", "tiny.toml"], &FINE[..], more].concat()).expect(status).err
}

/// All that is measured.
fn measured(here: &Workplace, result: &str) -> Vec<serde_json::Value> {
    let result = here.json(result);
    let diagnostics = &result["diagnostics"];
    let keys =
        ["transitions", "transitions_by_pair", "round_trips", "diverged", "all_basins", "observed_every", "steps"];
    let claims = result["claims"].as_array().unwrap().iter();
    let contrasts = claims.map(|claim| claim["contrasts"].clone());
    [result["occupancy"].clone()].into_iter().chain(keys.map(|key| diagnostics[key].clone())).chain(contrasts).collect()
}

#[test]
fn a_run_continued_twice_is_the_run_of_that_length() {
    let here = Workplace::with_tiny();
    let told = run(&here, &[], 1);
    assert!(told.contains("--continue goes on from here, 20000 more measured steps"), "{told}");
    assert_eq!(here.json("output/tiny/result.json")["diagnostics"]["looks"], 1);
    run(&here, &["--continue", "--threads", "1"], 1);
    run(&here, &["--continue", "--threads", "3"], 1);
    let result = here.json("output/tiny/result.json");
    assert_eq!((&result["diagnostics"]["looks"], &result["diagnostics"]["steps"]), (&3.into(), &60_000.into()));
    // The scenario stays the declared one, and the verdict is that of a third look.
    assert_eq!(result["scenario"]["ensemble"]["steps"], 20_000);
    let mut claims = result["claims"].as_array().unwrap().iter();
    let reason = claims.find(|claim| claim["primary"] == true).unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("97.5 % interval"), "{reason}");
    assert!(result["notes"].to_string().contains("look 3 at one run"), "{}", result["notes"]);
    let every = result["diagnostics"]["observed_every"].to_string();
    assert_eq!(20_000 % every.parse::<u64>().unwrap(), 0);
    let every = format!("ensemble.observe_every={every}");
    run(&here, &["--set", "ensemble.steps=60_000", "--set", &every, "--out", "whole"], 1);
    assert_eq!(measured(&here, "output/tiny/result.json"), measured(&here, "whole/tiny/result.json"));
    // The figures' data too, up to how finely time is divided.
    assert_eq!(
        here.read("output/tiny/figures/density-measured.csv"),
        here.read("whole/tiny/figures/density-measured.csv")
    );
    // The same looks on other threads are the same bytes.
    run(&here, &["--out", "again"], 1);
    run(&here, &["--out", "again", "--continue"], 1);
    run(&here, &["--out", "again", "--continue"], 1);
    assert_eq!(here.read("again/tiny/result.json"), here.read("output/tiny/result.json"));
    assert_eq!(here.read("again/tiny/state.bin"), here.read("output/tiny/state.bin"));
    // A plain run would throw the looks away.
    let told = run(&here, &[], 2);
    assert!(told.contains("was continued") && told.contains("--force"), "{told}");
    run(&here, &["--force"], 1);
    assert_eq!(here.json("output/tiny/result.json")["diagnostics"]["looks"], 1);
}

#[test]
fn a_bowl_is_continued_too() {
    let here = Workplace::new();
    let shorter = ["--set", "ensemble.observe_every=2", "--set", "test.tolerance=0.0001", "--quiet"];
    let bowl = |more: &[&str]| here.run(&[&["run", "bowl"], &shorter[..], more].concat()).expect(1);
    bowl(&["--set", "ensemble.steps=2000"]);
    bowl(&["--set", "ensemble.steps=2000", "--continue"]);
    bowl(&["--set", "ensemble.steps=4000", "--out", "whole"]);
    let claims = |folder: &str| {
        let result = here.json(&format!("{folder}/bowl/result.json"));
        let claims = result["claims"].as_array().unwrap().clone();
        claims.into_iter().map(|claim| claim["contrasts"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(claims("output"), claims("whole"));
}

#[test]
fn what_cannot_be_continued_is_refused_and_left_as_it_is() {
    let here = Workplace::with_tiny();
    let refused = |more: &[&str], words: &str| {
        let earlier = here.files("");
        let told = run(&here, &[&["--continue"], more].concat(), 2);
        assert!(told.contains("cannot be continued: ") && told.contains(words), "no {words:?} in\n{told}");
        assert!(here.files("") == earlier, "{words}: something was changed");
    };
    refused(&[], "there is no earlier result");
    run(&here, &[], 1);
    refused(&["--seed", "2"], "another scenario or seed (seed = 1, here 2)");
    refused(&["--set", "sgd.learning_rate=0.2"], "sgd.learning_rate = 0.15, here 0.2");
    let (state, result) = (here.read("output/tiny/state.bin"), here.read("output/tiny/result.json"));

    // The state of another scenario, of another look, damaged at any place, cut off, of another format, something else.
    run(&here, &["--seed", "2", "--out", "other"], 1);
    here.write("output/tiny/state.bin", here.read("other/tiny/state.bin"));
    refused(&[], "is the state of another scenario or seed");
    run(&here, &["--out", "later"], 1);
    run(&here, &["--out", "later", "--continue"], 1);
    here.write("output/tiny/state.bin", here.read("later/tiny/state.bin"));
    refused(&[], "is of look 2, but the result beside it is of look 1");
    for place in [20, state.len() / 2, state.len() - 1] {
        let mut damaged = state.clone();
        damaged[place] ^= 16;
        here.write("output/tiny/state.bin", damaged);
        refused(&[], "is damaged");
    }
    here.write("output/tiny/state.bin", &state[..state.len() - 100]);
    refused(&[], "is damaged");
    let mut newer = state.clone();
    newer[8] = 99;
    here.write("output/tiny/state.bin", newer);
    refused(&[], "format 99");
    here.write("output/tiny/state.bin", "no state at all, only words");
    refused(&[], "is no saved state");
    std::fs::remove_file(here.path("output/tiny/state.bin")).unwrap();
    refused(&[], "state.bin cannot be read");

    // Another version, and no result at all.
    here.write("output/tiny/state.bin", &state);
    let older = String::from_utf8(result.clone()).unwrap().replacen(
        &format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        "\"0.0.9\"",
        1,
    );
    here.write("output/tiny/result.json", older);
    refused(&[], "version 0.0.9");
    here.write("output/tiny/result.json", &result[..100]);
    refused(&[], "result.json");
    here.write("output/tiny/result.json", &result);
    // Nothing of all that is left.
    run(&here, &["--continue"], 1);
    here.run(&["run", "tiny.toml", "--continue", "--force"]).expect(2);
}

#[test]
fn a_question_that_is_answered_is_not_asked_again() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    assert!(!here.path("output/tiny/state.bin").exists(), "settled results stay small");
    let told = here.run(&["run", "tiny.toml", "--continue"]).expect(2).err;
    assert!(told.contains("it HOLDS, the question is answered"), "{told}");
}

/// The main run is the plain run of the planned length: nothing of the pilot is in it.
#[test]
fn a_pilot_plans_the_length_and_leaves_nothing_else() {
    let here = Workplace::with_tiny();
    let target = ["--set", "ensemble.target_standard_error=0.03", "--set", "ensemble.steps=1_000_000"];
    run(&here, &target, 1);
    let result = here.json("output/tiny/result.json");
    let diagnostics = &result["diagnostics"];
    let (planned, pilot) =
        (diagnostics["planned_steps"].as_u64().unwrap(), diagnostics["pilot_steps"].as_u64().unwrap());
    assert!(pilot <= 100_000 && pilot <= planned && planned < 100_000, "{planned} {pilot}");
    assert_eq!(diagnostics["steps"], planned);
    assert!(result["notes"].to_string().contains("planned before the main run began"), "{}", result["notes"]);
    let error = result["claims"][0]["standard_error"].as_f64().unwrap();
    assert!((0.02..0.036).contains(&error), "{error}");
    let (planned, every) =
        (format!("ensemble.steps={planned}"), format!("ensemble.observe_every={}", diagnostics["observed_every"]));
    // The burn-in is given in tiny.toml: it does not follow the steps.
    run(&here, &["--set", &planned, "--set", &every, "--out", "plain"], 1);
    assert_eq!(measured(&here, "output/tiny/result.json"), measured(&here, "plain/tiny/result.json"));
    // Continued by as many steps again, without a second pilot.
    run(&here, &[&target[..], &["--continue"]].concat(), 1);
    let again = &here.json("output/tiny/result.json")["diagnostics"];
    assert_eq!(again["steps"].as_u64().unwrap(), 2 * diagnostics["steps"].as_u64().unwrap());
    assert_eq!(
        (&again["planned_steps"], &again["pilot_steps"]),
        (&diagnostics["planned_steps"], &diagnostics["pilot_steps"])
    );
    let page = String::from_utf8(here.read("output/tiny/report.html")).unwrap();
    assert!(page.contains("planned by a pilot") && page.contains("over 2 looks at one run"));
}

#[test]
fn a_target_out_of_reach_is_told() {
    let here = Workplace::with_tiny();
    let with = |target: &str, steps: &str, out: &str| {
        let target = format!("ensemble.target_standard_error={target}");
        let steps = format!("ensemble.steps={steps}");
        run(&here, &["--set", &target, "--set", &steps, "--out", out], 1);
        let result = here.json(&format!("{out}/tiny/result.json"));
        (result["notes"].to_string(), result["diagnostics"]["planned_steps"].clone())
    };
    let (notes, planned) = with("0.001", "50_000", "limit");
    assert!(notes.contains("more than ensemble.steps = 50000, the limit") && planned == 50_000, "{notes}");
    let (notes, planned) = with("0.1", "2_000", "short");
    assert!(notes.contains("too short to plan by") && planned == 2_000, "{notes}");
    let told = here.run(&["check", "tiny.toml", "bowl", "--set", "ensemble.target_standard_error=0.1"]).expect(0).out;
    assert_eq!(told.matches("plan   a standard error of 0.1 needs about").count(), 2, "{told}");
}

#[test]
fn a_bowl_is_planned_too() {
    let here = Workplace::new();
    here.run(&["run", "bowl", "--quiet", "--set", "ensemble.target_standard_error=0.01"]).expect(0);
    let result = here.json("output/bowl/result.json");
    // Theory: SE(ln Var) = √(2(1 + a²)/((1 − a²)·steps·R)) with a = 1 − δh = 0.9 needs 1,488 steps; 1.19 times that for safety.
    let planned = result["diagnostics"]["planned_steps"].as_u64().unwrap();
    assert!((1_000..3_000).contains(&planned), "{planned}");
    let worst = result["claims"][1]["contrasts"].as_array().unwrap().iter();
    let worst = worst.map(|contrast| contrast["standard_error"].as_f64().unwrap()).fold(0.0, f64::max);
    assert!((0.007..0.0125).contains(&worst), "{worst}");
}
