//! Runs that saw few transitions: no interval, no verdict, and the reason says how many there were and how many are needed.

use crate::support::Workplace;

/// Two wells of which one holds 2.3 %, at a mean of 8.8 transitions: the replicas may agree only because few ever saw it.
const RARE: &str = include_str!("../cases/truth/rare.toml");

/// Runs `rare` with so many keys set, and asserts that a verdict, an error and an interval are missing; gives the reason of the first claim.
#[track_caller]
fn assert_nothing_is_shown(here: &Workplace, arguments: &[&str]) -> String {
    here.write("rare.toml", RARE);
    here.run(&[&["run", "rare.toml", "--quiet", "--force"], arguments].concat()).expect(1);
    let result = here.json("output/rare/result.json");
    assert_eq!(result["verdict"], "undetermined", "{arguments:?}");
    for row in result["occupancy"].as_array().unwrap() {
        assert!(row["standard_error"].is_null() && row["interval"].is_null(), "{row}");
    }
    for claim in result["claims"].as_array().unwrap() {
        assert!(claim["interval"].is_null() && claim["rejection_p_value"].is_null(), "{claim}");
    }
    assert!(result["diagnostics"]["all_basins"].as_array().unwrap().iter().all(|row| row["p_value"].is_null()));
    result["claims"][0]["reason"].as_str().unwrap().to_owned()
}

/// This seed measures 7.60 from two transitions where 3.77 is true, and no gate saw that anything was amiss.
#[test]
fn two_transitions_decide_nothing() {
    let here = Workplace::new();
    let reason = assert_nothing_is_shown(&here, &["--seed", "1636"]);
    assert!(reason.contains("2 transitions between") && reason.contains("where 28 are needed"), "{reason}");
    // What was seen is still told: where the replicas were, and how they moved.
    let result = here.json("output/rare/result.json");
    assert_eq!(result["diagnostics"]["transitions"], 2);
    assert!(result["occupancy"][1]["measured"].as_f64().unwrap() < 0.01);
    let check = here.run(&["check", "rare.toml"]).expect(0).out;
    assert!(check.contains("a verdict needs 28"), "{check}");
}

/// Other wells of the kind: of one depth, one far rarer still, three in a line, and a single transition. What their seeds give is far below 28.
#[test]
fn few_transitions_decide_nothing_in_other_wells() {
    let here = Workplace::new();
    for (formula, set) in [
        ("x^4/4 - x^2/2", "ensemble.steps=1000"),
        ("x^4/4 - x^2/2 + 0.16*x", "ensemble.steps=20000"),
        ("0.2*(1 - cos(2*pi*x)) + x^6/50 + 0.05*x", "ensemble.steps=400"),
        ("x^4/4 - x^2/2 + 0.1*x", "ensemble.steps=1000"),
    ] {
        let formula = format!("loss.formula={formula:?}");
        assert_nothing_is_shown(&here, &["--set", &formula, "--set", set]);
    }
}

/// With several ensembles every point has to see its transitions: the coldest of these sees next to none.
#[test]
fn a_point_with_few_transitions_has_no_interval() {
    let here = Workplace::new();
    let few = ["replicas=64", "steps=20000", "burn_in=10000"].map(|set| format!("ensemble.{set}"));
    let arguments = ["run", "crossover", "--quiet"].into_iter().chain(few.iter().flat_map(|set| ["--set", set]));
    here.run(&arguments.collect::<Vec<_>>()).expect(1);
    let result = here.json("output/crossover/result.json");
    let points = result["points"].as_array().unwrap();
    let shown: Vec<bool> = points.iter().map(|point| !point["interval"].is_null()).collect();
    assert!(shown.contains(&true) && shown.contains(&false), "{points:?}");
    assert_eq!(result["verdict"], "undetermined");
}
