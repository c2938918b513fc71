//! `result.json` is a pure function of scenario, seed and program version.

use crate::support::Workplace;

/// The bytes of the result and of every table of the figures.
fn bytes(here: &Workplace, scenario: &str, seed: &str, threads: &str, out: &str) -> Vec<Vec<u8>> {
    bytes_with(here, &[], scenario, seed, threads, out)
}

fn bytes_with(
    here: &Workplace,
    variables: &[(&str, &str)],
    scenario: &str,
    seed: &str,
    threads: &str,
    out: &str,
) -> Vec<Vec<u8>> {
    // Enough blocks and steps for the threads to race; too few for a verdict, which does not matter here.
    let arguments = [
        "run",
        scenario,
        "--quiet",
        "--set",
        "ensemble.steps=20000",
        "--set",
        "ensemble.burn_in=1000",
        "--set",
        "ensemble.replicas=200",
        "--seed",
        seed,
        "--threads",
        threads,
        "--out",
        out,
    ];
    let answer = here.run_with(variables, &arguments);
    assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
    assert_eq!(here.json(&format!("{out}/{scenario}/run.json"))["threads"].to_string(), threads);
    let figures = here.files(&format!("{out}/{scenario}/figures")).into_iter();
    let figures = figures.filter(|(path, _)| path.extension().is_some_and(|extension| extension != "png"));
    std::iter::once(here.read(&format!("{out}/{scenario}/result.json")))
        .chain(figures.map(|(_, bytes)| bytes))
        .collect()
}

#[test]
fn results_are_the_same_bytes_for_any_number_of_threads() {
    let here = Workplace::new();
    for scenario in ["double-well", "width-against-depth", "anisotropic-noise", "too-large-step", "curvature-noise"] {
        let alone = bytes(&here, scenario, "5", "1", "out-1");
        assert!(alone.len() >= 4, "{scenario}");
        for threads in ["2", "3", "7"] {
            let out = format!("out-{threads}");
            assert!(bytes(&here, scenario, "5", threads, &out) == alone, "{scenario} on {threads} threads");
        }
        let other = bytes(&here, scenario, "6", "2", "other");
        // Another seed measures something else, and not only says so.
        let document = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        let (one, two) = (document(&alone[0]), document(&other[0]));
        assert_eq!(one["minima"], two["minima"]);
        assert_ne!(one["occupancy"][0]["measured"], two["occupancy"][0]["measured"], "{scenario}");
    }
}

/// A network: its labels are found by many flows side by side, its Gibbs law is sampled, at 4 times its temperature in a quarter of the time.
#[test]
fn results_of_a_network_are_the_same_bytes_for_any_number_of_threads() {
    let here = Workplace::new();
    let bytes = |threads: &str| {
        let out = format!("out-{threads}");
        let fixed = ["run", "tiny-network", "--quiet", "--threads", threads, "--out", &out, "--set", "noise.sigma=4.0"];
        let short =
            ["--set", "ensemble.steps=20000", "--set", "ensemble.burn_in=1000", "--set", "ensemble.replicas=200"];
        let answer = here.run(&[&fixed[..], &short[..]].concat());
        assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
        here.read(&format!("{out}/tiny-network/result.json"))
    };
    let alone = bytes("1");
    assert!(["2", "3"].iter().all(|threads| bytes(threads) == alone));
}

/// On six scenarios, of all kinds of losses and noises, in one to ten dimensions; of what this machine does not have nothing is said.
#[test]
fn results_are_the_same_bytes_for_every_instruction_set() {
    let here = Workplace::new();
    let has = |set: &str| here.run_with(&[("SGD_SDE_INSTRUCTIONS", set)], &["list"]).status == 0;
    let sets: Vec<&str> = ["avx512", "avx2", "portable"].into_iter().filter(|set| has(set)).collect();
    let scenarios =
        ["double-well", "anisotropic-noise", "curvature-noise", "three-wells-2d", "ten-dimensional-wells", "bowl"];
    for scenario in scenarios {
        let widest = bytes(&here, scenario, "5", "2", "widest");
        for (set, threads) in sets.iter().zip(["1", "2", "3"]) {
            let out = format!("out-{set}");
            let forced = bytes_with(&here, &[("SGD_SDE_INSTRUCTIONS", set)], scenario, "5", threads, &out);
            assert!(forced == widest, "{scenario} with {set}");
        }
    }
    let answer = here.run_with(&[("SGD_SDE_INSTRUCTIONS", "sse9")], &["list"]);
    assert_eq!(answer.status, 2);
    assert!(
        answer.err.contains("SGD_SDE_INSTRUCTIONS is \"sse9\": it must be avx512, avx2 or portable"),
        "{}",
        answer.err
    );
}

/// Questions of several ensembles: every point has a seed of its own, and none depends on the threads.
#[test]
fn several_ensembles_are_the_same_bytes_for_any_number_of_threads() {
    let here = Workplace::new();
    for scenario in ["crossover", "proportional-scaling-bowl", "proportional-scaling-wells"] {
        let alone = bytes(&here, scenario, "5", "1", "out-1");
        assert!(alone.len() >= 4, "{scenario}");
        assert!(bytes(&here, scenario, "5", "3", "out-3") == alone, "{scenario} on 3 threads");
        let document = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        let other = document(&bytes(&here, scenario, "6", "2", "other")[0]);
        let points = |document: &serde_json::Value| document["points"].as_array().unwrap().clone();
        for (one, two) in points(&document(&alone[0])).iter().zip(points(&other)) {
            assert_eq!(one["at"], two["at"]);
            assert!(one["measured"].is_null() || one["measured"] != two["measured"], "{scenario}: {one}");
        }
    }
}

/// The same for whole laws, whose bootstrap runs in parallel too and whose claims are about distances and slopes.
#[test]
fn laws_are_the_same_bytes_for_any_number_of_threads() {
    let here = Workplace::new();
    for scenario in ["gibbs-density-1d", "gibbs-density-2d", "temperature-pair"] {
        let alone = bytes(&here, scenario, "5", "1", "out-1");
        assert!(alone.len() >= 3, "{scenario}");
        for threads in ["2", "5"] {
            let out = format!("out-{threads}");
            assert!(bytes(&here, scenario, "5", threads, &out) == alone, "{scenario} on {threads} threads");
        }
        let measured = |bytes: &[u8]| -> f64 {
            let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            document["claims"][0]["measured"].as_f64().unwrap()
        };
        assert_ne!(measured(&alone[0]), measured(&bytes(&here, scenario, "6", "2", "other")[0]), "{scenario}");
    }
}

/// SGD beside its SDEs: replicas are folded in their own order, at every learning rate.
#[test]
fn weak_errors_are_the_same_bytes_for_any_threads_and_instruction_set() {
    let here = Workplace::new();
    let run = |variables: &[(&str, &str)], threads: &str, out: &str| {
        let arguments =
            ["run", "sde-order", "--quiet", "--set", "ensemble.replicas=700", "--threads", threads, "--out", out];
        let answer = here.run_with(variables, &arguments);
        assert!(answer.status == 0 || answer.status == 1, "{}", answer.err);
        let tables = ["result.json", "figures/weak-error-errors.csv", "figures/weak-error-lines.csv"];
        tables.map(|table| here.read(&format!("{out}/sde-order/{table}")))
    };
    let alone = run(&[], "1", "out-1");
    assert!(run(&[], "3", "out-3") == alone && run(&[], "2", "out-2") == alone);
    assert!(run(&[("SGD_SDE_INSTRUCTIONS", "portable")], "2", "portable") == alone);
}

/// No absent figure is anything but null, and no float is not finite: both would be other JSON, or none.
#[test]
fn results_are_plain_json() {
    let here = Workplace::new();
    for scenario in ["frozen", "too-large-step"] {
        let result = String::from_utf8(bytes(&here, scenario, "1", "2", "out").swap_remove(0)).unwrap();
        for word in ["NaN", "Infinity", ": inf", "inf,"] {
            assert!(!result.contains(word), "{scenario}: {word}");
        }
        assert!(result.ends_with("}\n"));
    }
}
