//! Commands that read saved results: plot and compare; and what keeps two runs from writing the same one.

use crate::support::Workplace;

/// A result with a state beside it.
fn undetermined() -> Workplace {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet", "--set", "test.tolerance=0.001", "--set", "test.against=\"discrete\""])
        .expect(1);
    here
}

#[test]
fn plot_redraws_figures_and_page_and_nothing_else() {
    let here = undetermined();
    let before = here.files("output");
    let answer = here.run(&["plot", "output/tiny"]).expect(0);
    assert!(answer.err.contains("redrew") && answer.out.is_empty(), "{}", answer.err);
    assert!(here.files("output") == before, "a redrawn result is the same, state and all");
    for (path, bytes) in &before {
        let drawn =
            path.extension().is_some_and(|extension| ["svg", "png", "html"].iter().any(|drawn| extension == *drawn));
        std::fs::write(path, if drawn { b"old" } else { bytes.as_slice() }).unwrap();
    }
    // `OUT/NAME/`, and by the file that `compare` takes too.
    here.run(&["plot", "output/tiny/"]).expect(0);
    assert!(here.files("output") == before, "redrawn from the saved results alone");
    here.write("output/tiny/report.html", "old");
    let answer = here.run(&["plot", "output/tiny/result.json"]).expect(0);
    assert!(answer.err.contains("redrew") && here.files("output") == before, "{}", answer.err);
    here.run(&[
        "run",
        "tiny.toml",
        "--continue",
        "--quiet",
        "--set",
        "test.tolerance=0.001",
        "--set",
        "test.against=\"discrete\"",
    ])
    .expect(1);
}

#[test]
fn a_damaged_folder_is_told_where_and_left_as_it_is() {
    let here = undetermined();
    let good = |name: &str| here.read(&format!("output/tiny/{name}"));
    let refused = |name: &str, bytes: Option<&[u8]>, words: &[&str]| {
        let (path, intact) = (format!("output/tiny/{name}"), good(name));
        match bytes {
            Some(bytes) => here.write(&path, bytes),
            None => std::fs::remove_file(here.path(&path)).unwrap(),
        }
        let before = here.files("output");
        let told = here.run(&["plot", "output/tiny"]).expect(2).err;
        assert!(words.iter().all(|word| told.contains(word)), "no {words:?} in\n{told}");
        assert!(here.files("output") == before, "{name}");
        here.write(&path, intact);
    };
    let text = |name: &str| String::from_utf8(good(name)).unwrap();
    refused(
        "result.json",
        None,
        &["cannot read output/tiny/result.json", "a result is a folder OUT/NAME with result.json"],
    );
    refused("result.json", Some(&good("result.json")[..500]), &["result.json: EOF", "line"]);
    refused("result.json", Some(b"{}"), &["result.json: found an object without the keys", "OUT/NAME/result.json"]);
    refused("run.json", None, &["cannot read output/tiny/run.json", "name a whole one, or run its scenario again"]);
    refused("run.json", Some(b"words"), &["run.json: expected", "line 1 column 1"]);
    let density = text("figures/density-measured.csv");
    let cut = &density[..density.len() / 2];
    refused("figures/density-measured.csv", Some(cut.as_bytes()), &["density-measured.csv"]);
    refused(
        "figures/density-measured.csv",
        Some(density.replacen("0.", "zero.", 1).as_bytes()),
        &["density-measured.csv, line ", "is not a number"],
    );
    refused(
        "figures/density-measured.csv",
        None,
        &[
            "density.svg: the tables that it was drawn from are missing; put them back beside it, or run the scenario again",
        ],
    );
    let mixing = text("figures/mixing.csv");
    let lines: Vec<&str> = mixing.lines().collect();
    let short = lines[..lines.len() - 3].join("\n");
    refused("figures/mixing.csv", Some(short.as_bytes()), &["mixing"]);
    refused("figures/mixing.csv", Some(mixing.replacen("A,A,", "A,B,", 1).as_bytes()), &["mixing"]);
    for folder in ["nowhere", "."] {
        let told = here.run(&["plot", folder]).expect(2).err;
        assert!(told.contains("cannot read") && told.contains(folder), "{told}");
    }
    std::fs::rename(here.path("output/tiny/figures"), here.path("figures")).unwrap();
    let told = here.run(&["plot", "output/tiny"]).expect(2).err;
    assert!(told.contains("cannot read output/tiny/figures") && told.contains("name a whole one"), "{told}");
    std::fs::rename(here.path("figures"), here.path("output/tiny/figures")).unwrap();
    // One that is damaged does not keep the others from being redrawn.
    let told = here.run(&["plot", "nowhere", "output/tiny"]).expect(2).err;
    assert!(told.contains("nowhere") && told.contains("redrew"), "{told}");
}

#[test]
fn compare_sets_two_results_side_by_side() {
    let here = Workplace::with_tiny();
    for (seed, out) in [("1", "one"), ("2", "two")] {
        here.run(&["run", "tiny.toml", "--quiet", "--seed", seed, "--out", out]).expect(0);
    }
    let answer = here.run(&["compare", "one/tiny", "two/tiny/result.json"]).expect(0);
    for words in ["A  tiny, seed 1: HOLDS", "seed  1  2", "p_A", "ln(p_A/p_B)", "B − A"] {
        assert!(answer.out.contains(words), "no {words:?} in\n{}", answer.out);
    }
    assert!(answer.err.is_empty() && !answer.out.contains("not valid"), "{}{}", answer.out, answer.err);
    let json = here.run(&["compare", "one/tiny", "two/tiny", "--json", "--tolerance", "2"]).expect(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let [a, b] = ["one", "two"].map(|out| here.json(&format!("{out}/tiny/result.json"))["claims"][0].clone());
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let found = &json["contrasts"][0];
    assert!((number(&found["difference"]) - number(&b["measured"]) + number(&a["measured"])).abs() < 1e-12);
    let squares = [&a, &b].map(|claim| number(&claim["standard_error"]) * number(&claim["standard_error"]));
    assert!((number(&found["standard_error"]) - (squares[0] + squares[1]).sqrt()).abs() < 1e-12);
    assert_eq!((&found["verdict"], &json["independent"]), (&"holds".into(), &true.into()));

    // With a tolerance the status answers: are all differences shown to be within it?
    here.run(&["compare", "one/tiny", "two/tiny", "--tolerance", "1e-6"]).expect(1);
    let answer = here.run(&["compare", "one/tiny", "one/tiny", "--tolerance", "2"]).expect(1);
    assert!(answer.out.contains("not independent") && answer.out.contains("none: the same scenario"), "{}", answer.out);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    here.run(&["run", "bowl", "--quiet", "--set", "ensemble.steps=2000"]);
    here.write("predicted.json", here.run(&["predict", "tiny.toml", "--json"]).expect(0).out);
    here.write("broken.json", "{\"schema\": 1,");
    for (arguments, words) in [
        (&["output/tiny", "nowhere"][..], "cannot read nowhere"),
        (&["output/tiny", "broken.json"], "broken.json: EOF"),
        (&["output/tiny", "predicted.json"], "predicted.json holds predictions only"),
        (&["output/tiny", "output/bowl"], "no measured quantity in common"),
        (&["output/tiny"], "required arguments"),
        (&["output/tiny", "output/tiny", "--tolerance", "-1"], "must be a positive number"),
        (&["output/tiny", "output/tiny", "--tolerance", "nan"], "must be a positive number"),
    ] {
        let answer = here.run(&[&["compare"], arguments].concat()).expect(2);
        assert!(answer.err.contains(words) && answer.out.is_empty(), "no {words:?} in\n{}", answer.err);
    }
}

#[test]
fn two_runs_do_not_write_one_result() {
    let here = undetermined();
    let before = here.files("output");
    let other = sgd_sde::report::lock(&here.path("output"), "tiny").unwrap();
    for command in [&["run", "tiny.toml", "--force"][..], &["plot", "output/tiny"]] {
        let answer = here.run(command).expect(2);
        assert!(answer.err.contains("output/tiny is being written by another sgd-sde"), "{}", answer.err);
    }
    drop(other);
    assert!(here.files("output") == before);
    here.run(&["run", "tiny.toml", "--force", "--quiet"]).expect(0);
    let hidden = std::fs::read_dir(here.path("output")).unwrap().count();
    assert_eq!(hidden, 1, "nothing is left beside the result");
}

#[test]
fn more_threads_than_help_are_not_started() {
    let here = Workplace::with_tiny();
    let answer = here.run(&["run", "tiny.toml", "--threads", "4096"]).expect(0);
    let threads = here.json("output/tiny/run.json")["threads"].as_u64().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    assert_eq!(threads, 16.max(4 * cores));
    assert!(
        answer.err.contains(&format!("4096 threads on {cores} cores")) && answer.err.contains(&threads.to_string())
    );
    here.run(&["run", "tiny.toml", "--threads", "4097"]).expect(2);
}
