//! An earlier result is replaced only by a run of the very same scenario, or by force.

use crate::support::{TINY, Workplace};

#[test]
fn another_scenarios_result_is_not_replaced_unless_forced() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    let earlier = here.files("output");
    for different in [&["--seed", "2"][..], &["--set", "ensemble.replicas=32"], &["--set", "ensemble.observe_every=7"]]
    {
        let arguments = [&["run", "tiny.toml"], different].concat();
        let answer = here.run(&arguments).expect(2);
        assert!(
            answer.err.contains("another scenario or seed") && answer.err.contains("--out output-2"),
            "{}",
            answer.err
        );
        assert!(answer.err.contains("--force") && answer.out.is_empty(), "{}", answer.err);
        assert_eq!(here.files("output"), earlier);
    }
    // The suggestion works.
    here.run(&["run", "tiny.toml", "--quiet", "--seed", "2", "--out", "output-2"]).expect(0);
    assert_eq!(here.files("output"), earlier);
    here.run(&["run", "tiny.toml", "--quiet", "--seed", "2", "--force"]).expect(0);
    assert_eq!(here.json("output/tiny/result.json")["scenario"]["seed"], 2);
    assert_eq!(here.read("output/tiny/result.json"), here.read("output-2/tiny/result.json"));
}

#[test]
fn an_identical_run_replaces_its_result_without_a_word() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml"]).expect(0);
    let (result, files) = (here.read("output/tiny/result.json"), here.files("output"));
    let answer = here.run(&["run", "tiny.toml", "--threads", "1"]).expect(0);
    assert_eq!(answer.err.lines().count(), 1, "{}", answer.err);
    assert_eq!(here.read("output/tiny/result.json"), result);
    // Replaced as a whole: the same files, nothing hidden left beside them.
    assert_eq!(here.files("output").into_keys().collect::<Vec<_>>(), files.into_keys().collect::<Vec<_>>());
    assert_eq!(here.json("output/tiny/run.json")["threads"], 1);
    // What a run prescribes by itself may as well be written down.
    let every = here.json("output/tiny/result.json")["scenario"]["ensemble"]["observe_every"].to_string();
    here.run(&["run", "tiny.toml", "--quiet", "--set", &format!("ensemble.observe_every={every}")]).expect(0);
}

#[test]
fn a_folder_that_holds_no_result_is_not_replaced() {
    let here = Workplace::with_tiny();
    std::fs::create_dir_all(here.path("output/tiny")).unwrap();
    here.write("output/tiny/thesis.tex", "years of work");
    let answer = here.run(&["run", "tiny.toml"]).expect(2);
    assert!(answer.err.contains("holds no readable result") && answer.out.is_empty(), "{}", answer.err);
    assert_eq!(here.read("output/tiny/thesis.tex"), b"years of work");
    // Nor by force: there is no result to replace. It is told before hours of simulation.
    let answer = here.run(&["run", "tiny.toml", "--force", "--set", "ensemble.steps=10_000_000_000"]).expect(2);
    assert!(answer.err.contains("no result of this program") && answer.err.contains("thesis.tex"), "{}", answer.err);
    assert_eq!(here.read("output/tiny/thesis.tex"), b"years of work");
    // An empty folder is as good as none.
    std::fs::remove_file(here.path("output/tiny/thesis.tex")).unwrap();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
}

/// Notes beside a result, and figures of the user's own among the program's.
#[test]
fn what_the_user_put_into_a_result_stays_there() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    std::fs::create_dir_all(here.path("output/tiny/mine/deep")).unwrap();
    let mine = ["notes.txt", "mine/result.json", "mine/deep/a.py", "figures/mine.png", ".hidden"];
    for name in mine {
        here.write(&format!("output/tiny/{name}"), name);
    }
    for arguments in [&["run", "tiny.toml", "--quiet"][..], &["run", "tiny.toml", "--quiet", "--seed", "2", "--force"]]
    {
        here.run(arguments).expect(0);
        for name in mine {
            assert_eq!(here.read(&format!("output/tiny/{name}")), name.as_bytes(), "{name}");
        }
    }
    assert_eq!(here.json("output/tiny/result.json")["scenario"]["seed"], 2);
    // As after a power cut between the two renames: the earlier folder is still there, with what has to be kept.
    std::fs::create_dir_all(here.path("output/.tiny.earlier")).unwrap();
    here.write("output/.tiny.earlier/result.json", "{}");
    here.write("output/.tiny.earlier/draft.md", "a draft");
    here.run(&["run", "tiny.toml", "--quiet", "--seed", "2"]).expect(0);
    assert_eq!(here.read("output/tiny/draft.md"), b"a draft");
    assert!(!here.path("output/.tiny.earlier").exists());
}

#[test]
fn two_scenarios_of_one_name_are_refused_before_either_runs() {
    let here = Workplace::with_tiny();
    here.write("twin.toml", TINY);
    let answer = here.run(&["run", "tiny.toml", "twin.toml"]).expect(2);
    assert!(answer.err.contains("named tiny") && answer.out.is_empty(), "{}", answer.err);
    assert!(!here.path("output").exists());
    here.run(&["predict", "tiny.toml", "twin.toml"]).expect(0);
}

/// Told before anything is simulated: with this many steps the run would take hours.
#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_run() {
    let here = Workplace::with_tiny();
    here.write("file", "not a folder");
    for out in ["file", "file/below"] {
        let answer = here.run(&["run", "tiny.toml", "--out", out, "--set", "ensemble.steps=10_000_000_000"]).expect(2);
        assert!(answer.err.starts_with("sgd-sde: cannot create file"), "{}", answer.err);
        assert!(answer.err.contains("give another folder with --out"), "{}", answer.err);
        assert!(answer.err.lines().count() == 1 && answer.out.is_empty(), "{}", answer.err);
    }
    assert_eq!(here.read("file"), b"not a folder");
}
