//! SVAG(l) as a way from SGD to its SDE.

use sgd_sde::scenario::Loaded;
use sgd_sde::statistics::Verdict;

use crate::support::{claim, run, scenario, try_run};

fn svag(rate: f64, size: u64, replicas: u64, more: &str) -> Loaded {
    let text = format!(
        "[sgd]\nlearning_rate = {rate}\nbatch_size = {size}\n[training]\nepochs = 4\nlook_every = 2\n[ensemble]\nreplicas = {replicas}\n[svag]\n\
         amplifications = [2, 6]\n{more}"
    );
    let base = crate::support::BASE.replace("epochs", "with-replacement");
    let text = format!("name = \"course\"\nexperiment = \"svag\"\n{base}{text}");
    sgd_sde::scenario::parse(text, "course.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// An epoch of SVAG(l) is l of its own: at equal SDE time all groups have come equally far, with l times as many steps.
#[test]
fn groups_are_compared_at_equal_time() {
    let loaded = svag(0.05, 4, 2, "beside = [\"example-gaussian\", \"frozen-gaussian\", \"isotropic\"]");
    let (findings, figures) = try_run(&loaded).unwrap();
    let steps: Vec<(String, u64)> = findings.groups.iter().map(|group| (group.name.clone(), group.steps)).collect();
    let of = |name: &str| steps.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!((of("SGD"), of("SVAG(2)"), of("SVAG(6)"), of("no noise")), (128, 256, 768, 128));
    assert_eq!(steps.len(), 8);
    for group in figures.curves.unwrap().groups {
        let epochs: Vec<f64> = group.curves[0].iter().map(|point| point.epoch).collect();
        assert_eq!(epochs, [0.0, 2.0, 4.0], "{}", group.name);
    }
}

/// Steps that are small for the SDE: SGD and Gaussian noise are alike, and no noise at all is another thing. The true differences are far
/// inside of ε = 1; false-failure rate below 1e−3.
#[test]
fn small_steps_are_near_the_sde() {
    let findings = run(&svag(0.4, 1, 96, "beside = [\"example-gaussian\"]\n[test]\ntolerance = 1.0"));
    assert_eq!(claim(&findings, "loss-no-noise").verdict, Some(Verdict::Rejected));
    assert_eq!(claim(&findings, "loss-svag-2").verdict, Some(Verdict::Holds));
    assert!(claim(&findings, "loss-sgd").primary && claim(&findings, "loss-gaussian").primary);
    assert!(!claim(&findings, "loss-svag-2").primary && !claim(&findings, "distance-falls").primary);
    // (1 − 1/6)/(1/2 − 1/6) = 2.5.
    assert!((claim(&findings, "distance-falls").predicted.unwrap() - 2.5f64.ln()).abs() < 1e-12);
}

/// Where noise does not matter the same statistic cannot tell gradient descent apart, and then nothing holds.
#[test]
fn curves_that_say_nothing_of_noise_hold_nothing() {
    let findings = run(&svag(0.001, 32, 8, ""));
    assert_ne!(claim(&findings, "loss-no-noise").verdict, Some(Verdict::Rejected));
    assert!(
        findings.claims.iter().all(|claim| claim.verdict != Some(Verdict::Holds) || claim.id.ends_with("no-noise"))
    );
}

#[test]
fn dependent_batches_are_refused() {
    let loaded = scenario("svag", "[sgd]\nlearning_rate = 0.1\nbatch_size = 1\n[training]\nepochs = 1\n");
    let error = try_run(&loaded).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("noise.sampling") && error.contains("with-replacement"), "{error}");
}
