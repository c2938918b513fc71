//! Every command: what it answers, where, and with which exit status.

use crate::support::{TINY, Workplace};

#[test]
fn new_writes_a_scenario_that_can_be_checked_and_never_overwrites() {
    let here = Workplace::new();
    let answer = here.run(&["new", "mine.toml"]).expect(0);
    assert!(answer.out.is_empty() && answer.err.contains("sgd-sde check mine.toml"), "{}", answer.err);
    let answer = here.run(&["check", "mine.toml"]).expect(0);
    assert!(
        answer.out.contains("sound") && answer.out.contains("cost") && answer.out.contains("power"),
        "{}",
        answer.out
    );
    assert!(answer.err.is_empty(), "{}", answer.err);
    here.write("mine.toml", "mine");
    let answer = here.run(&["new", "mine.toml"]).expect(2);
    assert!(answer.err.contains("mine.toml exists"), "{}", answer.err);
    assert_eq!(here.read("mine.toml"), b"mine");
    let answer = here.run(&["new", "no/such/folder.toml"]).expect(2);
    // Not the temporary file that is to become it.
    let told = "sgd-sde: cannot write no/such/folder.toml: No such file or directory (os error 2); name a file in a folder that is there";
    assert!(answer.err.starts_with(told), "{}", answer.err);
}

#[test]
fn list_shows_every_shipped_scenario_in_one_line() {
    let answer = Workplace::new().run(&["list"]).expect(0);
    assert!(answer.err.is_empty());
    let shipped = sgd_sde::scenario::shipped();
    assert_eq!(answer.out.lines().count(), 1 + shipped.len());
    for (line, shipped) in answer.out.lines().skip(1).zip(shipped) {
        let scenario = shipped.load(&[], None).unwrap().scenario;
        assert!(line.starts_with(&format!("{} ", shipped.name)) && line.ends_with(&scenario.question), "{line}");
        assert!(line.contains(&scenario.expect.to_string()), "{line}");
    }
}

#[test]
fn predict_prints_theory_and_writes_nothing() {
    let here = Workplace::with_tiny();
    let answer = here.run(&["predict", "tiny.toml", "double-well"]).expect(0);
    assert!(answer.err.is_empty(), "{}", answer.err);
    for word in ["tiny", "double-well", "Laplace", "Gibbs", "Kramers", "0.863438", "0.859060"] {
        assert!(answer.out.contains(word), "no {word} in\n{}", answer.out);
    }
    assert!(!answer.out.contains("VERDICT") && !answer.out.contains("NaN"), "{}", answer.out);
    assert_eq!(std::fs::read_dir(here.path("")).unwrap().count(), 1);
}

#[test]
fn predict_json_is_the_result_with_the_measured_fields_null() {
    let here = Workplace::with_tiny();
    let predicted = here.run(&["predict", "tiny.toml", "--json"]).expect(0);
    let predicted: serde_json::Value = serde_json::from_str(&predicted.out).unwrap();
    here.run(&["run", "tiny.toml"]).expect(0);
    let measured = here.json("output/tiny/result.json");
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&predicted), keys(&measured));
    assert!(predicted["verdict"].is_null() && predicted["diagnostics"].is_null());
    for (table, fields) in [
        ("occupancy", &["measured", "standard_error", "interval"][..]),
        ("claims", &["measured", "standard_error", "interval", "verdict", "rejection_p_value"]),
    ] {
        let (rows, with) = (predicted[table].as_array().unwrap(), measured[table].as_array().unwrap());
        assert!(!rows.is_empty() && rows.len() == with.len(), "{table}");
        for (row, with) in rows.iter().zip(with) {
            assert_eq!(keys(row), keys(with));
            for (key, value) in row.as_object().unwrap() {
                if fields.contains(&key.as_str()) {
                    assert!(value.is_null(), "{table}.{key} = {value}");
                } else if !["reason", "contrasts"].contains(&key.as_str()) {
                    assert_eq!(value, &with[key], "{table}.{key}");
                }
            }
        }
    }
    for key in [
        "schema",
        "program",
        "scenario",
        "minima",
        "saddles",
        "escape",
        "noise_scale",
        "temperature",
        "expected",
        "notes",
    ] {
        assert_eq!(predicted[key], measured[key], "{key}");
    }
}

#[test]
fn run_answers_by_its_exit_status_and_writes_every_file() {
    let here = Workplace::with_tiny();
    let answer = here.run(&["run", "tiny.toml", "--threads", "2"]).expect(0);
    assert!(answer.out.contains("VERDICT  HOLDS, as expected"), "{}", answer.out);
    // Results on standard output, messages on standard error; no progress bar where there is no terminal.
    assert!(answer.err.contains("report.html") && answer.err.lines().count() == 1, "{}", answer.err);
    assert!(!answer.out.contains("report.html") && !answer.out.contains('\u{1b}'), "{}", answer.out);
    for file in ["result.json", "run.json", "report.html"] {
        assert!(!here.read(&format!("output/tiny/{file}")).is_empty());
    }
    for figure in ["density", "ladder", "mixing"] {
        let svg = here.read(&format!("output/tiny/figures/{figure}.svg"));
        assert!(svg.starts_with(b"<svg") || svg.starts_with(b"<?xml"), "{figure}");
        assert!(here.read(&format!("output/tiny/figures/{figure}.png")).starts_with(b"\x89PNG"), "{figure}");
    }
    let tables =
        here.files("output/tiny/figures").into_keys().filter(|path| path.extension().is_some_and(|e| e == "csv"));
    assert!(tables.count() >= 3);
    let run = here.json("output/tiny/run.json");
    assert_eq!(run["threads"], 2);
    assert!(
        run["seconds"].as_f64().unwrap() > 0.0 && run["command"].as_str().unwrap().contains("run tiny.toml"),
        "{run}"
    );
    let page = String::from_utf8(here.read("output/tiny/report.html")).unwrap();
    assert!(page.contains("Does it run?") && !page.contains("<script"));
}

#[test]
fn a_verdict_that_was_not_expected_is_status_1() {
    let here = Workplace::with_tiny();
    let answer = here.run(&["run", "tiny.toml", "--set", "expect=rejected"]).expect(1);
    assert!(answer.out.contains("VERDICT  HOLDS") && answer.out.contains("REJECTED"), "{}", answer.out);
    assert_eq!(here.json("output/tiny/result.json")["verdict"], "holds");
    // With too little to go on, the verdict is not the expected one either.
    here.run(&["run", "tiny.toml", "--set", "ensemble.steps=20", "--out", "short"]).expect(1);
    assert_eq!(here.json("short/tiny/result.json")["verdict"], "undetermined");
}

#[test]
fn quiet_is_one_line_a_scenario() {
    let here = Workplace::with_tiny();
    let answer = here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    assert_eq!((answer.out.as_str(), answer.err.as_str()), ("tiny: HOLDS (expected HOLDS)\n", ""));
}

#[test]
fn keys_and_seeds_can_be_set() {
    let here = Workplace::with_tiny();
    let arguments = [
        "run",
        "tiny.toml",
        "--quiet",
        "--set",
        "test.against=gibbs",
        "--set",
        "ensemble.replicas=40",
        "--seed",
        "77",
        "--out",
        "x",
    ];
    here.run(&arguments).expect(0);
    let scenario = &here.json("x/tiny/result.json")["scenario"];
    assert_eq!(scenario["seed"], 77);
    assert_eq!(scenario["ensemble"]["replicas"], 40);
    assert_eq!(scenario["test"]["against"], "gibbs");
    let answer = here.run(&["check", "tiny.toml", "--set", "ensemble.replica=40"]).expect(2);
    assert!(answer.err.contains("ensemble.replica") && answer.err.contains("replicas"), "{}", answer.err);
    for seed in ["-1", "18446744073709551616", "1.5", "one"] {
        let answer = here.run(&["check", "tiny.toml", "--seed", seed]).expect(2);
        let told =
            format!("invalid value '{seed}' for '--seed <N>': a seed is a whole number from 0 to 9223372036854775807");
        assert!(answer.err.contains(&told), "{}", answer.err);
    }
    here.run(&["check", "tiny.toml", "--seed", "9223372036854775807"]).expect(0);
}

#[test]
fn what_cannot_be_understood_is_status_2_with_a_hint() {
    let here = Workplace::with_tiny();
    for (arguments, words) in [
        (&["run", "doubel-well"][..], &["did you mean `double-well`?"][..]),
        (&["predict", "double-wel", "frozn"], &["`double-well`", "`frozen`"]),
        (&["check", "missing.toml"], &["missing.toml", "neither a file nor a shipped scenario"]),
        (&["run"], &["NAME|FILE.toml"]),
        (&["perdict", "tiny.toml"], &["predict"]),
        (&["run", "tiny.toml", "--threads", "0"], &["--threads"]),
        (&["run", "tiny.toml", "--sed", "1"], &["--seed"]),
        (&["run", "tiny.toml", "--set", "seed"], &["seed", "="]),
        (&["run", "tiny.toml", "--set", "dynamics.step=5"], &["dynamics.step", "step below"]),
        (&["run", "tiny.toml", "--set", "dynamics.step=1e30"], &["the step 1e30 is unstable"]),
        (&["check", "tiny.toml", "--set", "test.against=true"], &["test.against: found true; "]),
        (&["check", "same-dynamics", "--set", "data.standardize=true"], &["data.standardize: found true; "]),
        // A verdict about a rung that does not exist could only be UNDETERMINED.
        (&["run", "anisotropic-noise", "--set", "test.against=discrete"], &["test.against", "laplace"]),
        (&["check", "anisotropic-noise", "--set", "test.against=discrete"], &["test.against", "laplace"]),
        (
            &[
                "run",
                "tiny.toml",
                "--set",
                "loss.variables=[\"x\",\"y\",\"z\"]",
                "--set",
                "loss.formula=x^4/4-x^2/2+5*(y-0.3*x)^2+(z-0.3*y)^2",
                "--set",
                "loss.domain=[[-3,3],[-3,3],[-3,3]]",
                "--set",
                "test.against=discrete",
            ],
            &["test.against: ", "discrete is null", "\"laplace\" or \"gibbs\""],
        ),
    ] {
        let answer = here.run(arguments).expect(2);
        assert!(answer.out.is_empty(), "{arguments:?} on standard output:\n{}", answer.out);
        for word in words {
            assert!(answer.err.contains(word), "{arguments:?}: no {word:?} in\n{}", answer.err);
        }
        assert!(!here.path("output/tiny").exists(), "{arguments:?}");
    }
}

/// Nothing is simulated when something is refused, be it only for what its minima are like.
#[test]
fn all_scenarios_are_looked_at_before_the_first_is_run() {
    let here = Workplace::with_tiny();
    here.write("steep.toml", TINY.replace("tiny", "steep").replace("step = 0.05", "step = 1.5"));
    let answer = here.run(&["run", "tiny.toml", "steep.toml"]).expect(2);
    assert!(answer.err.starts_with("steep.toml:16:8: dynamics.step: "), "{}", answer.err);
    assert!(answer.out.is_empty() && !here.path("output").exists(), "{}", answer.out);
}

#[test]
fn help_and_version_are_answers() {
    let here = Workplace::new();
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"], &["help"]] {
        let answer = here.run(arguments).expect(0);
        assert!(!answer.out.is_empty() && answer.err.is_empty(), "{arguments:?}");
    }
    here.run(&[]).expect(2);
}

#[test]
fn when_all_replicas_diverge_there_is_no_result() {
    let here = Workplace::with_tiny();
    let answer =
        here.run(&["run", "tiny.toml", "--set", "dynamics.step=0.5", "--set", "ensemble.start=[[9.0],[-9.0]]"]);
    let answer = answer.expect(2);
    assert!(answer.err.contains("tiny: all 64 replicas diverged") && answer.out.is_empty(), "{}", answer.err);
    assert!(!here.path("output/tiny").exists());
}

#[test]
fn diverged_replicas_are_named_and_bar_the_verdict() {
    let here = Workplace::with_tiny();
    let starts = "ensemble.start=[[9.0],[-1.0],[1.0],[-1.0]]";
    let answer = here.run(&["run", "tiny.toml", "--set", "dynamics.step=0.1", "--set", starts]).expect(1);
    let out = answer.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("16 replica(s) diverged") && out.contains("VERDICT UNDETERMINED"), "{}", answer.out);
    assert!(!out.contains("needs about"), "more of the same would not help: {out}");
    assert!(out.contains("diverged replicas: 0 by step "), "{}", answer.out);
    let named = &here.json("output/tiny/result.json")["diagnostics"]["diverged_replicas"];
    assert_eq!(named[1]["replica"], 4);
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let here = Workplace::new();
    let program = env!("CARGO_BIN_EXE_sgd-sde");
    let shell = |script: String| {
        let output =
            std::process::Command::new("sh").args(["-c", &script]).current_dir(here.path("")).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (out, err) = shell(format!("('{program}' list; echo $? > status) | head -1"));
    assert!(out.starts_with("name") && err.is_empty(), "{out}{err}");
    assert_eq!(here.read("status"), b"0\n");
    // The pipe is closed before the first byte.
    for command in ["list", "predict double-well", "predict double-well --json", "check double-well", "--help"] {
        let (_, err) = shell(format!("(sleep 0.1; '{program}' {command}; echo $? > status) | true"));
        assert_eq!((here.read("status").as_slice(), err.as_str()), (&b"0\n"[..], ""), "{command}");
    }
}
