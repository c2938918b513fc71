//! Every case of `tests/bad`, and some files that are generated, through the program: told where and what, status 2, and an
//! earlier result of the same name stays as it is.

use crate::bad::{self, Case};
use crate::support::{TINY, Workplace};

#[test]
fn every_bad_file_is_refused_where_it_is_wrong_and_changes_nothing() {
    let here = Workplace::new();
    here.write("bad.toml", TINY.replace("tiny", "bad"));
    here.run(&["run", "bad.toml", "--quiet", "--set", "ensemble.steps=100"]).expect(1);
    let earlier = here.files("output");
    let mut wrong = Vec::new();
    let cases = bad::cases();
    for Case { name, text, told, .. } in &cases {
        let file = &format!("{name}.toml");
        here.write(file, text);
        let check = here.run(&["check", file]).expect(2);
        let run = here.run(&["run", file, "--force", "--quiet"]).expect(2);
        assert_eq!(check.err, run.err, "{file}: check and run disagree");
        for told in told {
            let key = if told.key.is_empty() { String::new() } else { format!("{}: ", told.key) };
            let place = format!("{file}:{}:{}: {key}", told.line, told.column);
            let found = check.err.lines().any(|line| line.starts_with(&place) && line.contains(&told.phrase));
            if !found || !check.out.is_empty() || !run.out.is_empty() {
                wrong.push(format!("{place}{}\nbut told:\n{}{}", told.phrase, check.err, check.out));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 341);
    assert_eq!(here.files("output"), earlier, "a refused run has touched an earlier result");
}

#[test]
fn absurd_files_are_refused() {
    const MANY: usize = 100_000;
    let with_formula = |formula: &str| TINY.replace("x^4/4 - x^2/2 + 0.1*x", formula).into_bytes();
    let nested = |open: &str| format!("{}x{}", open.repeat(MANY), ")".repeat(MANY));
    let here = Workplace::new();
    for (name, bytes, phrase) in [
        ("empty", Vec::new(), "the file is empty"),
        ("blank", b"\n\n \t\n".to_vec(), "the file is empty"),
        ("latin", b"name = \"bad\"\ntitle = \"caf\xE9\"\n".to_vec(), "is not UTF-8"),
        ("utf-16", b"\xFF\xFEn\0a\0m\0e\0".to_vec(), "is not UTF-8"),
        ("binary", (0..=255).cycle().take(MANY).collect(), "is not UTF-8"),
        ("brackets", "[".repeat(MANY).into_bytes(), "absurd.toml:1:"),
        ("parentheses", with_formula(&nested("(")), "no minimum of the loss"),
        ("not closed", with_formula(&"(".repeat(MANY)), "loss.formula"),
        ("functions", with_formula(&"sin(".repeat(MANY)), "loss.formula"),
        ("nested terms", with_formula(&nested("1+x*(")), "loss.formula"),
        ("signs", with_formula(&format!("{}x", "-".repeat(MANY))), "absurd.toml:"),
        ("powers", with_formula(&format!("x{}", "^x".repeat(MANY))), "loss.formula"),
    ] {
        here.write("absurd.toml", bytes);
        for command in ["check", "run", "predict"] {
            let answer = here.run(&[command, "absurd.toml"]).expect(2);
            assert!(answer.err.contains(phrase), "{name}: no {phrase:?} in\n{}", answer.err);
            assert!(answer.err.len() < 20_000 && answer.out.is_empty(), "{name}: {} bytes", answer.err.len());
        }
    }
    // A long sum is no absurdity: it is slow to write, not to understand.
    here.write("long.toml", with_formula(&format!("x^4/4 - x^2/2 + 0.1*x{}", " + 0*x".repeat(1000))));
    here.run(&["predict", "long.toml"]).expect(0);
}

/// All problems of all files at once, so that nobody mends one to meet the next.
#[test]
fn all_problems_are_told_at_once() {
    let here = Workplace::with_tiny();
    here.write("one.toml", TINY.replace("sigma = 2.0", "sigma = -2.0").replace("x^2/2", "y^2/2"));
    here.write("two.toml", TINY.replace("[sgd]", "[sdg]"));
    let answer = here.run(&["run", "tiny.toml", "one.toml", "two.toml"]).expect(2);
    for words in ["one.toml:11:9: noise.sigma: ", "one.toml:7:", "two.toml:12:2: sdg: "] {
        assert!(answer.err.lines().any(|line| line.starts_with(words)), "no {words} in\n{}", answer.err);
    }
    assert!(!here.path("output").exists(), "nothing may run when something is refused");
}

/// Files whose labels are all the same are data; only a network has nothing to learn from them.
#[test]
fn a_network_refuses_examples_of_one_class() {
    let here = Workplace::new();
    let pixels = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6, 5, 4];
    here.write("images", pixels);
    here.write("labels", [0, 0, 8, 1, 0, 0, 0, 3, 0, 0, 0]);
    let loss = "[loss]\nkind = \"network\"\nhidden = [1]\nweight_decay = 0.01\n";
    let data = "[data]\nkind = \"idx\"\nimages = \"images\"\nlabels = \"labels\"\n";
    let others = "[noise]\nkind = \"temperature\"\nvalue = 0.1\n[dynamics]\nkind = \"euler-maruyama\"\nstep = 0.1\n";
    here.write(
        "alike.toml",
        format!("name = \"alike\"\ntitle = \"Alike\"\nquestion = \"Is it?\"\n{loss}{data}{others}"),
    );
    let answer = here.run(&["check", "alike.toml"]).expect(2);
    let told =
        "alike.toml:4:2: loss: all 3 examples of [data] have the label \"0\"; with one class there is nothing to learn";
    assert!(answer.err.starts_with(told), "{}", answer.err);
}
