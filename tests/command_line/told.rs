//! What is told before and after a run, where it once was wrong.

use crate::support::{NETWORK, TINY, Workplace};

/// Three wells, of which A and B are parted by a barrier that is never crossed, while A and C exchange often.
const THREE: &str = r#"
name = "three"
experiment = "crossover"
[loss]
kind = "expression"
variables = ["x"]
formula = "(x^2-1)^2*(1+0.6*x)^2 - 0.1*x"
domain = [[-3.0, 3.0]]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
learning_rate = 0.02
batch_size = 1
[crossover]
factors = [1, 1.5, 2, 3]
pair = ["A", "B"]
"#;

#[test]
fn transitions_of_other_pairs_promise_nothing() {
    let here = Workplace::new();
    here.write("three.toml", THREE);
    let check = here.run(&["check", "three.toml"]);
    // Whether there is a crossover at all is another question; a promise there is none.
    assert!(!check.out.contains("standard error 0.0"), "{}", check.out);
}

#[test]
fn a_step_that_leads_nowhere_settles_nothing() {
    let here = Workplace::with_tiny();
    let check = here.run(&["check", "tiny.toml", "--set", "dynamics.step=1e-90"]).expect(0).out;
    assert!(check.contains("will not settle") && !check.contains("will confirm it"), "{check}");
    // The scenario as it is will.
    let check = here.run(&["check", "tiny.toml"]).expect(0).out;
    assert!(check.contains("standard error 0.") && !check.contains("will not settle"), "{check}");
}

#[test]
fn the_rarest_of_three_minima_has_an_error() {
    let here = Workplace::new();
    let equilibrium = THREE.split("[crossover]").next().unwrap().replace("\"crossover\"", "\"equilibrium\"");
    here.write("three.toml", equilibrium.replace("sigma = 1.0", "sigma = 8.0"));
    let check = here.run(&["check", "three.toml"]).expect(0).out;
    assert!(check.contains("3 minima") && check.contains("the rarest contrast"), "{check}");
}

#[test]
fn a_study_of_divergences_alone_tests_nothing() {
    let here = Workplace::new();
    let axis = "[[study.axis]]\npath = \"dynamics.step\"\nvalues = [1.5, 2.0]\n";
    here.write("unstable.toml", TINY.replace("tiny", "unstable") + axis);
    let answer = here.run(&["run", "unstable.toml"]).expect(1);
    let result = here.json("output/unstable/result.json");
    assert_eq!(result["verdict"], "undetermined");
    assert_eq!(result["study"]["predicted_divergences"], 2);
    assert!(answer.out.contains("was tested at no point"), "{}", answer.out);
    // One point where it is tested, and the study has an answer.
    here.write("unstable.toml", TINY.replace("tiny", "unstable") + &axis.replace("1.5", "0.05"));
    here.run(&["run", "unstable.toml", "--quiet", "--out", "two"]).expect(0);
}

/// A reason in `check` is a reason that needs no run.
#[test]
fn points_that_cannot_be_run_are_told_by_check() {
    let here = Workplace::new();
    let study = |values: &str| {
        let axis = format!("[[study.axis]]\npath = \"loss.formula\"\nvalues = [{values}]\n");
        here.write("bowls.toml", TINY.replace("tiny", "bowls") + &axis);
        here.run(&["check", "bowls.toml"])
    };
    let answer = study("'x^2', 'x^2 + x'").expect(2);
    let told = "bowls: none of the 2 points of the study can be run. The first, point 0 (loss.formula = \"x^2\"): only one minimum";
    assert!(answer.err.contains(told) && answer.out.is_empty(), "{}{}", answer.err, answer.out);
    // All are looked at before a study is refused, and one that runs is found among many.
    let bowls = ["'x^2'"; 12].join(", ");
    assert!(study(&bowls).expect(2).err.contains("none of the 12 points"));
    let answer = study(&format!("'x^2', 'x^4/4 - x^2/2', {bowls}, {bowls}")).expect(0).out;
    assert!(answer.contains("sound, a study of 26 points") && answer.contains("only one minimum"), "{answer}");

    let answer = study("'x^4/4 - x^2/2', 'x^2'").expect(0).out;
    assert!(answer.contains("points 1 of these cannot be run") && answer.contains("The first, point 1 ("), "{answer}");
    let axis = "[[study.axis]]\npath = \"dynamics.step\"\nvalues = [1.5, 2.0]\n";
    here.write("unstable.toml", TINY.replace("tiny", "unstable") + axis);
    let answer = here.run(&["check", "unstable.toml"]).expect(0).out;
    assert!(answer.contains("2 of these predicted to diverge") && answer.contains("tests anything"), "{answer}");
}

/// δh < 2 at both minima, and yet all replicas diverge: the walls are steeper.
#[test]
fn a_step_that_runs_away_up_the_walls_is_told_before_the_run() {
    let here = Workplace::with_tiny();
    let steep = ["tiny.toml", "--set", "dynamics.step=0.4"];
    let check = here.run(&[&["check"], &steep[..]].concat()).expect(0).out;
    assert!(check.contains("TOO LARGE up the walls") && check.contains("take a step below about 0.2"), "{check}");
    assert!(!check.contains("a long run will") && !check.contains("HOLDS with"), "{check}");
    let run = here.run(&[&["run", "--quiet"], &steep[..]].concat()).expect(2);
    assert!(run.err.contains("all 64 replicas diverged"), "{}", run.err);
    let check = here.run(&["check", "tiny.toml", "--set", "dynamics.step=0.2"]).expect(0).out;
    assert!(!check.contains("TOO LARGE") && check.contains("a long run will"), "{check}");

    let axis = "[[study.axis]]\npath = \"dynamics.step\"\nvalues = [0.05, 0.4]\n";
    here.write("steps.toml", TINY.replace("tiny", "steps") + axis);
    let check = here.run(&["check", "steps.toml"]).expect(0).out;
    assert!(check.contains("points 1 of these with a step TOO LARGE. The first, point 1 ("), "{check}");
}

/// Above 2(1 + μ)/λ_max a network climbs from where it begins: what then differs is told to be the step's doing.
#[test]
fn a_learning_rate_that_climbs_from_the_first_weights_is_told() {
    let here = Workplace::new();
    here.write("network.toml", NETWORK);
    let check = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        here.run(&["check", "network.toml"].into_iter().chain(settings).collect::<Vec<_>>()).expect(0).out
    };
    assert!(!check(&[]).contains("TOO LARGE"));
    // The second group has twice the scenario's learning rate.
    let told = check(&["sgd.learning_rate=1e3"]);
    assert!(told.contains("step   TOO LARGE at the first weights: η = 2000 is above "), "{told}");
    let largest = told.split("is above ").nth(1).and_then(|rest| rest.split(',').next()?.parse::<f64>().ok()).unwrap();
    let rate = |factor: f64| format!("sgd.learning_rate={}", factor * largest / 2.0);
    assert!(check(&[&rate(1.2)]).contains("TOO LARGE") && !check(&[&rate(0.9)]).contains("TOO LARGE"));
    assert!(!check(&[&rate(1.2), "training.momentum=0.5"]).contains("TOO LARGE"));
    let run = here.run(&["run", "network.toml", "--set", &rate(1.2)]);
    assert!(run.out.contains("step too large at the first weights: η = "), "{}", run.out);
}

#[test]
fn studies_are_not_compared() {
    let here = Workplace::with_tiny();
    let axis = "[[study.axis]]\npath = \"sgd.learning_rate\"\nvalues = [0.15, 0.2]\n";
    here.write("grid.toml", TINY.replace("tiny", "grid") + axis);
    here.run(&["run", "grid.toml", "--quiet", "--out", "one"]).expect(0);
    here.run(&["run", "grid.toml", "--quiet", "--out", "two", "--seed", "2"]).expect(0);
    here.run(&["run", "tiny.toml", "--quiet", "--seed", "3"]).expect(0);
    for pair in [["one/grid", "two/grid"], ["one/grid", "output/tiny"], ["output/tiny", "two/grid/result.json"]] {
        let answer = here.run(&["compare", pair[0], pair[1], "--tolerance", "5"]).expect(2);
        assert!(answer.err.contains("--point N") && answer.err.contains("is a study of 2 points"), "{}", answer.err);
        assert!(answer.out.is_empty(), "{}", answer.out);
    }
    // What is named as the way is one.
    for (out, seed) in [("one", "1"), ("two", "2")] {
        here.run(&["run", "grid.toml", "--point", "1", "--quiet", "--out", out, "--seed", seed]).expect(0);
    }
    here.run(&["compare", "one/grid-point-1", "two/grid-point-1"]).expect(0);
}

#[test]
fn a_document_that_is_no_result_is_told_as_such() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    for (document, found) in [("[]", "a list"), ("{\"a\": 1}", "an object without"), ("3", "a single value")] {
        here.write("other.json", document);
        let answer = here.run(&["compare", "output/tiny", "other.json"]).expect(2);
        assert!(answer.err.contains(&format!("found {found}")) && answer.err.contains("OUT/NAME"), "{}", answer.err);
    }
}

#[test]
fn a_result_that_is_given_for_a_scenario_is_asked_again() {
    let here = Workplace::with_tiny();
    here.run(&["run", "tiny.toml", "--quiet"]).expect(0);
    let answer = here.run(&["predict", "output/tiny/result.json"]).expect(0);
    assert_eq!(answer.out, here.run(&["predict", "tiny.toml"]).expect(0).out);
    // Under another name it is told as what it is.
    let result = here.read("output/tiny/result.json");
    here.write("other.toml", &result);
    let answer = here.run(&["check", "other.toml"]).expect(2);
    let told = "other.toml:1:1: not valid TOML: this is a result, as sgd-sde writes it; name the scenario";
    assert!(answer.err.starts_with(told) && answer.err.lines().count() == 1, "{}", answer.err);
}

#[test]
fn another_title_is_named_when_it_bars_continuing() {
    let here = Workplace::with_tiny();
    let fine = ["--set", "test.tolerance=0.001", "--quiet"];
    here.run(&[&["run", "tiny.toml"], &fine[..]].concat()).expect(1);
    let answer = here.run(&[&["run", "tiny.toml", "--continue", "--set", "title=foo"], &fine[..]].concat()).expect(2);
    assert!(answer.err.contains("title = ") && answer.err.contains("here \"foo\""), "{}", answer.err);
}

/// Every time that is null has its reason: that of the chain, that of the SDE, and that of Kramers, where the powers are named.
#[test]
fn times_that_are_null_have_their_reasons() {
    let here = Workplace::new();
    let equilibrium = THREE.split("[crossover]").next().unwrap().replace("\"crossover\"", "\"equilibrium\"");
    let with = |formula: &str| {
        let of = |line: &str| {
            line.starts_with("formula").then(|| format!("formula = \"{formula}\"\ndomain = [[-2.0, 2.0]]"))
        };
        let lines = equilibrium.lines().filter(|line| !line.starts_with("domain"));
        let text: Vec<String> = lines.map(|line| of(line).unwrap_or_else(|| line.to_string())).collect();
        here.write("null.toml", format!("{}\n[test]\nagainst = \"gibbs\"\n", text.join("\n")));
        let mut arguments = vec!["predict", "null.toml", "--json"];
        let settings =
            ["noise.sigma=2.0", "sgd.learning_rate=0.05", "dynamics.kind=\"euler-maruyama\"", "dynamics.step=0.01"];
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let json = here.run(&arguments).expect(0).out;
        let predicted: serde_json::Value = serde_json::from_str(&json).unwrap();
        let notes = predicted["notes"].as_array().unwrap().iter().map(|note| format!("{note}\n")).collect::<String>();
        (predicted, notes)
    };
    let (predicted, notes) = with("min(abs(x+1)^1.5, abs(x-1)^1.5 + 0.1)");
    assert!(notes.contains("the curvature has no end, and L rises as |u|^1.5"), "{notes}");
    let times = predicted["escape"].as_array().unwrap();
    for (key, what) in [("exact", "the exact passage time"), ("discrete", "the chain's passage time")] {
        for time in times {
            let pair = format!("{} to {}", time["from"].as_str().unwrap(), time["to"].as_str().unwrap());
            let is_told =
                notes.lines().any(|note| note.contains(what) && note.contains(&pair) && note.contains("is null"));
            assert_eq!(time[key].is_null(), is_told, "{key} from {pair}: {predicted}");
        }
    }
    assert!(times.iter().any(|time| time["discrete"].is_null()), "{predicted}");
    let (_, notes) = with("x^4/4 - x^2/2 + 0.1*x + 0.005*x^5");
    assert!(notes.contains("the exact passage time from A to B is null"), "{notes}");
    assert!(!notes.contains("the exact passage time from A to B, B to A is null"), "{notes}");
}
