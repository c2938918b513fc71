//! Trajectories that leave the numbers are counted and named, and never averaged away.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, ExperimentError, prepare, run};
use sgd_sde::findings::{FigureData, Findings};
use sgd_sde::scenario::parse;
use sgd_sde::statistics::Verdict;

/// A double well with a step for which |x| > √(2/δ + 1) ≈ 3.3 is thrown ever farther out; from the wells that is a
/// distance of nine standard deviations. ε is wide, so that nothing but the divergence is in the way of HOLDS.
fn scenario(start: &str) -> String {
    format!(
        r#"
name = "diverging"
[loss]
kind = "expression"
variables = ["x"]
formula = "x^4/4 - x^2/2 + 0.1*x"
domain = [[-3.0, 3.0]]
[noise]
kind = "temperature"
value = 0.1
[dynamics]
step = 0.2
[ensemble]
replicas = 72
burn_in = 1_000
steps = 20_000
observe_every = 10
start = {start}
[test]
tolerance = 0.5
against = "discrete"
"#
    )
}

fn measure(start: &str) -> Result<(Findings, FigureData), ExperimentError> {
    let loaded = parse(scenario(start), "diverging.toml", &[], None).unwrap_or_else(|error| panic!("{error}"));
    let stop = AtomicBool::new(false);
    run(&loaded, &prepare(&loaded).unwrap(), &mut Control { monitor: &mut |_| (), stop: &stop })
}

/// No chance at all (the noise of a step is 0.2, the start 5): every fourth replica, in two blocks, diverges within a few
/// steps, and the first ten are named.
#[test]
fn a_diverged_replica_is_counted_and_named_and_bars_a_verdict_of_holds() {
    let (findings, _) = measure("[[5.0], [-1.0], [1.0], [-0.9]]").unwrap();
    let diagnostics = findings.diagnostics.unwrap();
    assert_eq!(diagnostics.diverged, 18);
    let named: Vec<u64> = diagnostics.diverged_replicas.iter().map(|record| record.replica).collect();
    assert_eq!(named, [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]);
    for record in &diagnostics.diverged_replicas {
        // They are gone after a handful of steps; the first glance at them is within the burn-in.
        assert!((1..=1_000).contains(&record.step), "replica {} at step {}", record.replica, record.step);
    }
    assert_ne!(findings.verdict, Some(Verdict::Holds));
    for claim in &findings.claims {
        assert_ne!(claim.verdict, Some(Verdict::Holds), "{}", claim.reason);
        assert!(claim.reason.contains("diverged"), "{}", claim.reason);
    }
}

/// False failure 1e-3 (the start contrast of the run without a divergence, which must hold; SE 0.05, ε = 0.5): the
/// divergence alone is what bars HOLDS, and it touches neither the other replicas nor the finite numbers of the result.
#[test]
fn survivors_are_measured_but_no_verdict_rests_on_them() {
    let finite = |findings: &Findings| serde_json::to_string(findings).unwrap();
    let (with, _) = measure("[[5.0], [-1.0], [1.0], [-0.9]]").unwrap();
    let (without, _) = measure("[[2.0], [-1.0], [1.0], [-0.9]]").unwrap();
    assert!(!finite(&with).contains("NaN") && !finite(&with).contains("inf"));
    assert_eq!(without.diagnostics.as_ref().unwrap().diverged, 0);
    assert_eq!(without.verdict, Some(Verdict::Holds), "{}", without.claims[0].reason);
    assert_ne!(with.verdict, Some(Verdict::Holds));
    let measured = |findings: &Findings| findings.occupancy[0].measured.unwrap();
    // A quarter of the replicas differ; were the diverged ones counted as somewhere, the difference would be 0.1 or more.
    assert!((measured(&with) - measured(&without)).abs() < 0.1);
    let sum: f64 = with.occupancy.iter().filter_map(|row| row.measured).sum();
    assert!((sum - 1.0).abs() < 1e-12, "the survivors' occupancies add to {sum}");
}

/// No chance at all.
#[test]
fn when_all_diverge_there_is_no_result() {
    let Err(error) = measure("[[5.0], [-6.0]]") else { panic!("a result without a replica") };
    let ExperimentError::AllDiverged { replicas, first_step, step } = error else { panic!("{error}") };
    assert_eq!((replicas, step), (72, 0.2));
    assert!((1..=1_000).contains(&first_step));
    let text = error.to_string();
    assert!(text.contains("all 72 replicas diverged") && text.contains("δ = 0.2"), "{text}");
}

/// x ↦ log x ends at 0, its slope does not: a replica that steps over has left the problem, though its numbers stay finite.
/// In the bowl at x = 1 the noise of a step is 0.45 and the edge 2.2 of it away: hundreds of 1,600 steps cross it.
#[test]
fn where_the_loss_is_not_defined_a_replica_has_diverged() {
    for experiment in ["temperature-pair", "covariance", "density"] {
        let text = format!(
            "name = \"edge\"\nexperiment = \"{experiment}\"\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\n\
             formula = \"x^2/2 - log(x)\"\ndomain = [[0.01, 6.0]]\n[noise]\nkind = \"temperature\"\nvalue = 0.5\n\
             [dynamics]\nstep = 0.2\n[ensemble]\nreplicas = 64\nsteps = 25\nburn_in = 0\nobserve_every = 1\n\
             [test]\nagainst = \"{}\"\n",
            if experiment == "temperature-pair" { "gibbs" } else { "laplace" }
        );
        let loaded = parse(text, "edge.toml", &[], None).unwrap_or_else(|error| panic!("{error}"));
        let stop = AtomicBool::new(false);
        let result = run(&loaded, &prepare(&loaded).unwrap(), &mut Control { monitor: &mut |_| (), stop: &stop });
        match result {
            Ok((findings, _)) => {
                assert!(findings.diagnostics.unwrap().diverged > 0, "{experiment}");
                assert_ne!(findings.verdict, Some(Verdict::Holds), "{experiment}");
            }
            Err(error) => assert!(matches!(error, ExperimentError::AllDiverged { .. }), "{experiment}: {error}"),
        }
    }
}
