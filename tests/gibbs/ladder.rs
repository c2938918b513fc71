//! A sampled rung in an experiment: its error is part of every comparison with it.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, predict, prepare, run};
use sgd_sde::scenario::parse;
use sgd_sde::statistics::special::student_t_quantile;

/// Two wells in four dimensions, above their barrier: a short run suffices.
const SCENARIO: &str = r#"
name = "four"
[loss]
kind = "wells"
smoothing = 0.5
domain = [[-3.0, 3.0], [-3.0, 3.0], [-3.0, 3.0], [-3.0, 3.0]]
[[loss.well]]
position = [-0.7, 0.0, 0.0, 0.2]
loss = 0.0
hessian = [2.0, 1.0, 3.0, 1.5]
[[loss.well]]
position = [0.7, 0.0, 0.0, 0.0]
loss = 0.1
hessian = [1.0, 1.0, 2.0, 1.5]
[noise]
kind = "temperature"
value = 0.3
[dynamics]
step = 0.02
[ensemble]
replicas = 64
steps = 20_000
burn_in = 1_000
[test]
against = "gibbs"
"#;

#[test]
fn a_sampled_rung_brings_its_error() {
    let loaded = parse(SCENARIO, "four.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    let setting = prepare(&loaded).unwrap();
    let predicted = predict(&loaded, &setting).unwrap();
    let stop = AtomicBool::new(false);
    let (findings, _) = run(&loaded, &setting, &mut Control { monitor: &mut |_| (), stop: &stop }).unwrap();

    let note = findings.notes.iter().find(|note| note.starts_with("gibbs is sampled in 4 dimensions")).unwrap();
    assert!(note.contains("nested R̂ 1.0") && note.contains("largest standard error of its log-odds is 0.0"), "{note}");
    for (before, after) in predicted.occupancy.iter().zip(&findings.occupancy) {
        // A prediction does not depend on the run, and is the same whenever it is made.
        assert_eq!((before.gibbs, before.gibbs_standard_error), (after.gibbs, after.gibbs_standard_error));
        assert_eq!(before.discrete_standard_error, after.discrete_standard_error);
    }
    let [a, _, other] = findings.occupancy.as_slice() else { panic!("two minima and other") };
    let (p, error) = (a.gibbs.unwrap(), a.gibbs_standard_error.unwrap());
    assert!(a.discrete_standard_error.is_some() && other.gibbs_standard_error.is_none());

    for (id, sampled) in [("laplace", false), ("gibbs", true), ("discrete", true)] {
        let claim = findings.claims.iter().find(|claim| claim.id == format!("occupancy-{id}")).unwrap();
        let contrast = &claim.contrasts[0];
        let own = contrast.predicted_standard_error.unwrap_or(0.0);
        assert_eq!(own > 0.0, sampled, "{id}");
        // The interval is that of the measurement alone, 90 % by Student's t with 63 degrees of freedom.
        let [low, high] = contrast.interval.unwrap();
        let measured = 0.5 * (high - low) / student_t_quantile(0.95, 63.0);
        let both = (measured * measured + own * own).sqrt();
        assert!((contrast.standard_error.unwrap() / both - 1.0).abs() < 1e-9, "{id}: {contrast:?}");
        if id == "gibbs" {
            // d ln(p/(1 − p)) = dp/(p(1 − p)).
            assert!((own * p * (1.0 - p) / error - 1.0).abs() < 1e-3, "{own} {error}");
        }
    }
    // What takes a prediction as exact is not said of a sampled one.
    let tests = &findings.diagnostics.unwrap().all_basins;
    let known = |rung: &str| tests.iter().any(|test| test.against == rung && test.p_value.is_some());
    assert!(known("laplace") && !known("gibbs") && !known("discrete"));
}
