//! Learning curves at equal η/S.

use sgd_sde::scenario::Loaded;
use sgd_sde::statistics::Verdict;

use crate::support::{claim, run, scenario, try_run};

/// η and S at β = 1, how many replicas, and other keys of [training].
fn curves(rate: f64, size: u64, replicas: u64, training: &str) -> Loaded {
    scenario(
        "curves",
        &format!(
            "[sgd]\nlearning_rate = {rate}\nbatch_size = {size}\n[training]\nepochs = 4\n{training}\n[scaling]\nbeta = [1, 2, 8]\n[ensemble]\n\
             replicas = {replicas}\n"
        ),
    )
}

/// In the regime of the SDE (ηλ ≪ 1) curves of equal η/S are the same to half a standard deviation between seeds, and one of another ratio
/// is not. False-failure rate: the true differences are far inside; below 1e−3.
#[test]
fn small_steps_of_equal_ratio_learn_alike() {
    let findings = run(&curves(0.004, 1, 96, "look_every = 1"));
    for beta in ["2", "8"] {
        assert_eq!(claim(&findings, &format!("loss-beta-{beta}")).verdict, Some(Verdict::Holds));
    }
    let control = claim(&findings, "loss-control");
    assert_eq!((control.verdict, control.primary), (Some(Verdict::Rejected), false));
    // Four looks after the start.
    assert_eq!(control.contrasts.len(), 4);
    let [pilot, first, ..] = &findings.groups[..] else { panic!("no groups") };
    assert_eq!((pilot.steps, first.steps, findings.groups[2].steps), (512, 512, 256));
    // The pilot has starts and batches of its own.
    assert_ne!(pilot.measures[0].measured, first.measures[0].measured);
}

/// With steps beyond the SDE's regime the same design says so.
#[test]
fn large_steps_are_told_apart() {
    let findings = run(&curves(0.5, 1, 64, ""));
    let apart = claim(&findings, "loss-beta-8");
    assert_eq!(apart.verdict, Some(Verdict::Rejected));
    // 64 seeds of a pilot know their spread to 1/√128 at best, and so no difference in that unit is known better.
    for contrast in &apart.contrasts {
        let (measured, error) = (contrast.measured.unwrap(), contrast.standard_error.unwrap());
        assert!(error > measured.abs() / 128f64.sqrt(), "{}: {measured} ± {error}", contrast.quantity);
        // So are the intervals shown: 1.4 errors at the least to either side.
        let [low, high] = contrast.interval.unwrap();
        let least = 1.4 * measured.abs() / 128f64.sqrt();
        assert!(low < measured - least && measured + least < high, "{}: {low} to {high}", contrast.quantity);
    }
    assert_eq!(findings.verdict, Some(Verdict::Rejected));
}

/// Too few seeds to tell another ratio apart cannot show that equal ratios are alike.
#[test]
fn without_power_nothing_holds() {
    // Two replicas: intervals from t with one degree of freedom.
    let findings = run(&curves(0.004, 1, 2, ""));
    assert_ne!(findings.verdict, Some(Verdict::Holds));
}

/// A margin that lets anything pass shows nothing: the group of another ratio passes as well.
#[test]
fn a_margin_that_lets_anything_pass_holds_nothing() {
    let loaded = scenario(
        "curves",
        "[sgd]\nlearning_rate = 0.004\nbatch_size = 1\n[training]\nepochs = 2\n[scaling]\nbeta = [1, 2]\n[ensemble]\nreplicas = 16\n[test]\n\
         tolerance = 1000.0\n",
    );
    let findings = run(&loaded);
    assert_eq!(claim(&findings, "loss-control").verdict, Some(Verdict::Holds));
    let barred = claim(&findings, "loss-beta-2");
    assert_eq!(barred.verdict, Some(Verdict::Undetermined));
    assert!(barred.reason.contains("not told apart"), "{}", barred.reason);
}

/// The first number of every group: all replicas start from the same weights, so at the start nothing differs but for the pilot.
#[test]
fn groups_start_from_the_same_weights() {
    let (_, figures) = try_run(&curves(0.004, 1, 8, "")).unwrap();
    let figure = figures.curves.unwrap();
    let start = |group: usize| figure.groups[group].curves[0][0].mean;
    for group in 1..figure.groups.len() {
        assert_eq!(start(group), start(0));
    }
}

#[test]
fn schedules_stretch_epochs_and_not_their_number() {
    let findings = run(&curves(0.004, 1, 4, "batch_size_factors = [[2, 4]]\nlearning_rate_factors = [[2, 4]]"));
    // Two epochs of 128 steps and two of 32, as planned and as taken.
    assert_eq!((findings.groups[1].steps, findings.groups[1].looks.last().unwrap().steps), (320, 320));
}

#[test]
fn results_are_the_same_bytes_for_any_number_of_threads() {
    for precision in ["single", "double"] {
        let loaded = curves(0.05, 2, 6, &format!("precision = \"{precision}\""));
        let results = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            sgd_sde::report::to_json(&pool.install(|| run(&loaded))).unwrap()
        });
        assert_eq!(results[0], results[1], "{precision}");
        assert_eq!(results[0], results[2], "{precision}");
    }
}

#[test]
fn a_rate_that_loses_everything_is_told_with_the_rate_that_would_not() {
    let error = try_run(&curves(1e60, 1, 3, "")).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("all 3 replicas") && error.contains("2/λ_max = "), "{error}");
}
