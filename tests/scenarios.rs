//! Reading good scenarios: shipped ones, the starter, overrides, names.

use std::collections::BTreeSet;
use std::path::Path;

use sgd_sde::dynamics::DynamicsSpec;
use sgd_sde::experiment::{predict, prepare};
use sgd_sde::noise::NoiseSpec;
use sgd_sde::random::increments::Increments;
use sgd_sde::report::to_json;
use sgd_sde::scenario::{Loaded, Points, Rung, STARTER, Scenario, Start, load, parse, resolve, shipped};
use sgd_sde::statistics::claim::Verdict;

const SMALLEST: &str = r#"
name = "small"
[loss]
kind = "quadratic"
eigenvalues = [1.0, 4.0]
[noise]
kind = "temperature"
value = 0.1
[dynamics]
step = 0.01
"#;

fn read(text: &str, overrides: &[&str]) -> Loaded {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    parse(text, "test.toml", &overrides, None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    parse(text, "test.toml", &overrides, None).expect_err("this must be refused").to_string()
}

fn double_well() -> &'static str {
    resolve("double-well")[0].text
}

#[test]
fn every_shipped_scenario_loads_and_reads_back() {
    for shipped in shipped() {
        let loaded = shipped.load(&[], None).unwrap_or_else(|problems| panic!("{problems}"));
        let scenario = loaded.scenario;
        assert_eq!(scenario.name, shipped.name);
        assert!(scenario.question.ends_with('?') && scenario.title != scenario.name);
        let text = scenario.to_toml().unwrap();
        let again = parse(&text, "again.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        assert_eq!(again.scenario, scenario, "{text}");
        let json = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario, "{json}");
        let total = scenario.ensemble.least_steps() * scenario.ensemble.replicas;
        assert!(total < 1_200_000_000, "{}: {total} steps", scenario.name);
    }
}

#[test]
fn the_folder_and_the_embedded_list_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let embedded: BTreeSet<String> = shipped().iter().map(|shipped| format!("{}.toml", shipped.name)).collect();
    assert_eq!(files, embedded);
}

#[test]
fn shipped_scenarios_are_those_of_the_table() {
    let expect = |name: &str| resolve(name)[0].load(&[], None).unwrap().scenario;
    let temperature = |scenario: &Scenario| match &scenario.noise {
        NoiseSpec::Isotropic(noise) => scenario.noise_scale().unwrap() * noise.sigma * noise.sigma / 2.0,
        _ => f64::NAN,
    };
    let table = [
        ("double-well", 0.1, 0.02, Rung::Laplace, 0.1, Verdict::Holds),
        ("width-against-depth", 0.2, 0.01, Rung::Laplace, 0.15, Verdict::Holds),
        ("quartic-cold", 0.05, 0.05, Rung::Gibbs, 0.1, Verdict::Holds),
        ("too-large-step", 0.2, 0.2, Rung::Laplace, 0.1, Verdict::Rejected),
        ("frozen", 0.03, 0.01, Rung::Laplace, 0.1, Verdict::Undetermined),
        ("three-wells-2d", 0.2, 0.003, Rung::Gibbs, 0.1, Verdict::Holds),
        ("ten-dimensional-wells", 0.2, 0.008, Rung::Gibbs, 0.1, Verdict::Holds),
        ("tiny-network", 0.02, 0.1, Rung::Gibbs, 0.1, Verdict::Holds),
    ];
    for (name, kelvin, step, against, tolerance, verdict) in table {
        let scenario = expect(name);
        assert!((temperature(&scenario) - kelvin).abs() < 1e-15, "{name}");
        assert_eq!((scenario.step(), scenario.test.against), (step, against), "{name}");
        assert_eq!((scenario.test.tolerance, scenario.expect), (tolerance, verdict), "{name}");
    }
    let study = resolve("finite-learning-rate")[0].load(&[], None).unwrap();
    let points = Points::of(&study).unwrap();
    assert_eq!((points.count(), study.scenario.expect), (3, Verdict::Holds));
    for (index, step) in [0.01, 0.05, 0.1].into_iter().enumerate() {
        let scenario = points.get(index as u64).unwrap().scenario;
        // n = 0.1/10 is 0.010000000000000002.
        assert!((temperature(&scenario) - 0.2).abs() < 1e-15);
        assert_eq!(
            (scenario.dynamics.clone(), scenario.step()),
            (DynamicsSpec::Sgd { increments: Increments::Gaussian }, step)
        );
        assert_eq!((scenario.test.against, scenario.test.tolerance), (Rung::Discrete, 0.1));
        assert!((scenario.ensemble.steps as f64 * step - 60_000.0).abs() < 1e-6);
    }
    let anisotropic = expect("anisotropic-noise");
    assert_eq!((anisotropic.dimension(), anisotropic.expect), (2, Verdict::Rejected));
    assert_eq!(anisotropic.variables(), ["x", "y"]);
}

#[test]
fn names_stand_for_scenarios_and_families() {
    let names = |name: &str| resolve(name).iter().map(|shipped| shipped.name).collect::<Vec<_>>();
    assert_eq!(names("double-well"), ["double-well"]);
    assert!(names("double").is_empty() && names("").is_empty() && names("finite").is_empty());
    assert_eq!(load("frozen", &[], Some(7)).unwrap().scenario.seed, 7);
    let problem = load("doubel-well", &[], None).unwrap_err().to_string();
    assert!(problem.starts_with("doubel-well: is neither a file nor a shipped scenario; did you mean `double-well`?"));
    let problem = load("scenarios/quartic-col.toml", &[], None).unwrap_err().to_string();
    assert!(problem.contains("did you mean `quartic-cold`?"), "{problem}");
    let problem = load("finite-learning-rates", &[], None).unwrap_err().to_string();
    assert!(problem.contains("did you mean `finite-learning-rate`?"), "{problem}");
    assert!(load("src", &[], None).unwrap_err().to_string().contains("is a folder"));
    assert!(load("/dev/zero", &[], None).unwrap_err().to_string().contains("the file has"));
}

#[test]
fn a_file_is_read_by_its_path() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/double-well.toml");
    let loaded = load(&path, &["test.against=gibbs".to_owned()], None).unwrap();
    assert_eq!(loaded.scenario.test.against, Rung::Gibbs);
}

#[test]
fn the_starter_loads() {
    let scenario = read(STARTER, &[]).scenario;
    assert_eq!((scenario.step(), scenario.noise_scale()), (0.02, Some(0.05)));
}

#[test]
fn what_is_left_out_has_sensible_defaults() {
    let Loaded { scenario, source, .. } = read(SMALLEST, &[]);
    assert_eq!((scenario.title.as_str(), scenario.question.as_str(), scenario.seed), ("small", "", 1));
    assert_eq!(scenario.expect, Verdict::Holds);
    assert_eq!(scenario.ensemble.replicas, 128);
    assert_eq!((scenario.ensemble.steps, scenario.ensemble.burn_in), (1_000_000, None));
    assert_eq!((&scenario.ensemble.start, scenario.ensemble.observe_every), (&Start::Minima, None));
    assert_eq!((scenario.test.tolerance, scenario.test.against), (0.1, Rung::Laplace));
    assert_eq!((scenario.sgd, scenario.noise_scale()), (None, None));
    assert_eq!(scenario.loss.domain, [[-3.0, 3.0], [-1.5, 1.5]]);
    assert_eq!(scenario.variables(), ["θ₁", "θ₂"]);
    assert_eq!(parse(scenario.to_toml().unwrap(), "again", &[], None).unwrap().scenario, scenario);
    assert_eq!(source.problem("dynamics.step", "m").to_string(), "test.toml:10:8: dynamics.step: m");
    assert_eq!(source.problem("dynamics.kind", "m").to_string(), "test.toml:9:2: dynamics.kind: m");
    assert_eq!(source.problem("test.against", "m").to_string(), "test.toml:1:1: test.against: m");
    assert_eq!(source.problem("loss", "m").to_string(), "test.toml:3:2: loss: m");

    let with_sgd = SMALLEST.replace("[dynamics]\nstep = 0.01", "[sgd]\nlearning_rate = 0.25\nbatch_size = 2");
    let with_sgd = with_sgd.replace("temperature", "isotropic").replace("value =", "sigma =");
    let scenario = read(&with_sgd, &[]).scenario;
    assert_eq!(
        (scenario.dynamics.clone(), scenario.step()),
        (DynamicsSpec::Sgd { increments: Increments::Gaussian }, 0.25)
    );
    assert_eq!(scenario.noise_scale(), Some(0.125));
    let scenario = read(&with_sgd, &["dynamics.kind=euler-maruyama"]).scenario;
    assert_eq!(scenario.dynamics, DynamicsSpec::EulerMaruyama { step: 0.25, increments: Increments::Gaussian });
}

#[test]
fn numbers_may_be_written_as_people_do() {
    let scenario = read(SMALLEST, &["ensemble.steps=2e6", "ensemble.replicas=1_000", "noise.value=.5"]).scenario;
    assert_eq!((scenario.ensemble.steps, scenario.ensemble.burn_in), (2_000_000, None));
    assert_eq!(scenario.ensemble.replicas, 1000);
    assert_eq!(
        scenario.noise.build(&scenario.loss.build().unwrap(), &scenario.variables(), 1).unwrap().isotropic_variance(),
        Some(1.0)
    );
    // An integer is a number too.
    assert_eq!(read(SMALLEST, &["dynamics.step=1"]).scenario.step(), 1.0);
}

#[test]
fn every_value_can_be_overridden() {
    let text = double_well();
    let scenario = read(text, &["loss.parameters.tilt=0.2", "ensemble.start=[[0.0],[1.0]]", "name=12"]).scenario;
    assert_eq!(scenario.name, "12");
    assert_eq!(scenario.ensemble.start, Start::Points(vec![vec![0.0], vec![1.0]]));
    assert!(scenario.to_toml().unwrap().contains("tilt = 0.2"));
    let scenario = read(text, &["loss.formula=x^2 = 3", "loss.formula = x^2 + x^4"]).scenario;
    assert!(scenario.to_toml().unwrap().contains("formula = \"x^2 + x^4\""));
    let wells = resolve("width-against-depth")[0].text;
    for key in ["loss.well.0.loss", "loss.well[0].loss"] {
        let scenario = read(wells, &[&format!("{key}=0.05")]).scenario;
        assert!(scenario.to_toml().unwrap().contains("loss = 0.05"), "{key}");
    }
    let scenario =
        read(wells, &["loss.well=[{position=[0,0],loss=0,hessian=[[2,1],[1,2]]}]", "loss.domain=[[-1,1],[-1,1]]"])
            .scenario;
    assert_eq!(scenario.dimension(), 2);
    assert_eq!(scenario.loss.build().unwrap().value(&[1.0, 1.0]), 3.0);
    let text = refused(text, &["sgd.batch_size=0"]);
    assert!(
        text.starts_with("in --set sgd.batch_size=0: sgd.batch_size: found 0; S, the batch size, must be"),
        "{text}"
    );
    let scenario =
        read(SMALLEST, &["noise={kind=\"covariance\",diagonal=[1.0,2.0]}", "sgd={learning_rate=0.1,batch_size=1}"])
            .scenario;
    assert_eq!(
        scenario
            .noise
            .build(&scenario.loss.build().unwrap(), &scenario.variables(), 1)
            .unwrap()
            .covariance(&[0.0, 0.0])[(1, 1)],
        2.0
    );
}

#[test]
fn bad_overrides_are_told_at_the_override() {
    for (argument, key, phrase) in [
        ("sgd.batch_size", "", "there is no `=`"),
        ("=3", "", "is not a key"),
        ("sgd..x=3", "", "is not a key"),
        ("ensemble.start=[[0.0]", "ensemble.start", "not valid TOML"),
        ("loss.well[5].loss=1", "loss.well[5].loss", "it has elements 0 to 1"),
        ("loss.well.x.loss=1", "loss.well.x.loss", "it has elements 0 to 1"),
        ("seed.x=3", "seed.x", "`seed` is an integer and holds no keys"),
        ("loss.wel=3", "loss.wel", "did you mean `well`?"),
        ("sgd.learning_rat=3", "sgd.learning_rat", "did you mean `learning_rate`?"),
        ("seed=1.5", "seed", "is not whole"),
        ("test.against=gibs", "test.against", "did you mean \"gibbs\"?"),
        ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r=1", "", "is not a key"),
    ] {
        let text = refused(resolve("frozen")[0].text, &[argument]);
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        let start = format!("in --set {argument}: {key}");
        assert!(text.starts_with(&start) && text.contains(phrase), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let deep = format!("loss.formula={}", "[".repeat(100_000));
    assert!(refused(double_well(), &[&deep]).contains("nested more than"));
    let problem = parse(double_well(), "f", &[], Some(u64::MAX)).unwrap_err().to_string();
    assert!(problem.starts_with("in --seed 18446744073709551615: seed: found 18446744073709551615"), "{problem}");
}

#[test]
fn byte_order_mark_and_windows_line_ends_are_fine() {
    let text = format!("\u{FEFF}{}", double_well().replace('\n', "\r\n"));
    assert_eq!(read(&text, &[]).scenario, read(double_well(), &[]).scenario);
    let text = "\u{FEFF}nam = 1\r\nseed = -1\r\n";
    let problems = refused(text, &[]);
    assert!(
        problems.contains("test.toml:1:1: nam: unknown key") && problems.contains("test.toml:2:8: seed: "),
        "{problems}"
    );
}

#[test]
fn all_independent_problems_are_told_at_once() {
    let text = double_well()
        .replace("seed = 1", "seed = -1")
        .replace("sigma = 2.0", "sigma = -2.0")
        .replace("learning_rate", "learning_rat")
        .replace("steps = 2_000_000", "steps = 1.5")
        .replace("tolerance = 0.1", "tolerance = nan");
    let problems = parse(&text, "f", &[], None).unwrap_err();
    let keys: Vec<&str> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        ["seed", "noise.sigma", "sgd.learning_rate", "sgd.learning_rat", "ensemble.steps", "test.tolerance"]
    );
    assert_eq!(problems.0[1].column(), Some(9));
}

#[test]
fn a_domain_that_cannot_be_guessed_is_asked_for() {
    let far = "loss={kind=\"wells\",well=[{position=[1e20],loss=0,hessian=1}]}";
    assert!(refused(SMALLEST, &[far]).contains("loss.domain: missing, and cannot be guessed"));
    let near = "loss={kind=\"wells\",well=[{position=[-1],loss=0,hessian=1},{position=[2],loss=0,hessian=1}]}";
    assert_eq!(read(SMALLEST, &[near]).scenario.loss.domain, [[-4.0, 5.0]]);
}

/// A result holds the scenario that it is of, and can be given where a scenario is asked for.
#[test]
fn the_scenario_of_a_result_can_be_asked_again() {
    let first = resolve("double-well")[0].load(&["ensemble.steps=100".to_string()], Some(7)).unwrap();
    let prepared = prepare(&first).unwrap();
    let json = to_json(&predict(&first, &prepared).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    std::fs::write(&path, &json).unwrap();
    let again = load(&path, &[], None).unwrap().scenario;
    assert_eq!((again.seed, again.ensemble.steps), (7, 100));
    assert_eq!(json, to_json(&predict(&load(&path, &[], None).unwrap(), &prepared).unwrap()).unwrap());
    assert_eq!(load(&path, &["seed=9".to_string()], None).unwrap().scenario.seed, 9);
    for (text, told) in [("{}", "missing field `scenario`"), ("{", "EOF"), ("[1]", "no result of this version")] {
        std::fs::write(&path, text).unwrap();
        let found = load(&path, &[], None).unwrap_err().to_string();
        assert!(found.contains(told) && found.contains("a scenario file (TOML)"), "{text}: {found}");
    }
}
