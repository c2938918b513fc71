//! Whole experiments at reduced effort: the right rung agrees, the wrong one is rejected for the right reason.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, prepare, run};
use sgd_sde::findings::{ClaimRecord, Findings};
use sgd_sde::scenario::{Loaded, Points, parse, resolve};
use sgd_sde::statistics::Verdict;

/// A broad double well at a temperature at which Laplace's parabolas miss the mass of the basins: T is above both
/// barriers (0.357 and 0.158), and Gibbs lies 0.16 (T = 0.4) and 0.19 (T = 0.5) from Laplace in log-odds.
const BROAD: &str = r#"
name = "broad"
expect = "rejected"
[loss]
kind = "expression"
variables = ["x"]
formula = "x^4/4 - x^2/2 + 0.1*x"
domain = [[-3.0, 3.0]]
[noise]
kind = "temperature"
value = 0.5
[dynamics]
step = 0.02
[ensemble]
replicas = 128
steps = 400_000
burn_in = 5_000
[test]
tolerance = 0.03
"#;

/// One experiment and what must come out of it.
struct Case {
    name: &'static str,
    loaded: Loaded,
    /// Largest standard error of the log-odds that counts as a measurement.
    resolved: f64,
    /// Whether the slide is rejected, with words that its reason must have; `None` where either is right.
    slide: Option<&'static [&'static str]>,
}

fn shipped(name: &str, steps: u64) -> Loaded {
    let overrides = [format!("ensemble.steps={steps}")];
    resolve(name)[0].load(&overrides, None).unwrap()
}

/// A point of the study, at the seed that its cases have always had.
fn finite_learning_rate(point: u64, steps: u64) -> Loaded {
    let study = resolve("finite-learning-rate")[0].load(&[], None).unwrap();
    let mut loaded = Points::of(&study).unwrap().get(point).unwrap();
    (loaded.scenario.seed, loaded.scenario.ensemble.steps) = (1, steps);
    loaded
}

fn measure(loaded: &Loaded) -> Findings {
    let stop = AtomicBool::new(false);
    run(loaded, &prepare(loaded).unwrap(), &mut Control { monitor: &mut |_| (), stop: &stop }).unwrap().0
}

fn claim<'a>(findings: &'a Findings, id: &str) -> Option<&'a ClaimRecord> {
    findings.claims.iter().find(|claim| claim.id == id)
}

const STEP: &[&str] = &["neighbouring rungs", "gibbs and discrete", "finite step"];
const PARABOLA: &[&str] = &["neighbouring rungs", "laplace and gibbs", "Laplace's approximation", "barrier"];
const NOISE: &[&str] = &["noise is not isotropic", "CH = HC", "C = σ²I"];

fn cases() -> Vec<Case> {
    let broad = |temperature: f64| {
        parse(BROAD, "broad.toml", &[format!("noise.value={temperature}")], None)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    vec![
        Case { name: "wells, δ = 0.01", loaded: finite_learning_rate(0, 1_600_000), resolved: 0.05, slide: None },
        Case { name: "wells, δ = 0.05", loaded: finite_learning_rate(1, 500_000), resolved: 0.05, slide: Some(STEP) },
        Case { name: "wells, δ = 0.1", loaded: finite_learning_rate(2, 300_000), resolved: 0.05, slide: Some(STEP) },
        Case { name: "broad quartic, T = 0.4", loaded: broad(0.4), resolved: 0.01, slide: Some(PARABOLA) },
        Case { name: "broad quartic, T = 0.5", loaded: broad(0.5), resolved: 0.01, slide: Some(PARABOLA) },
        Case {
            name: "anisotropic noise",
            loaded: shipped("anisotropic-noise", 150_000),
            resolved: 0.05,
            slide: Some(NOISE),
        },
    ]
}

/// False failure 5 × 1.2e-5 (z against the chain's own law, t with 127 degrees of freedom) and 2e-5 (the gate's start
/// contrast bars a correct run once in 1,000, so one of the six runs may be barred, and by nothing else; two are at
/// 1.5e-5). Rejections are 5 standard errors and more beyond their tolerance.
///
/// A wrong sign or factor in any prediction, a simulator with another temperature or step, or a reason that names the
/// wrong neighbours fails.
#[test]
fn the_ladder_tells_which_assumption_broke() {
    let mut barred = 0;
    for Case { name, loaded, resolved, slide } in cases() {
        let findings = measure(&loaded);
        let diagnostics = findings.diagnostics.as_ref().unwrap();
        assert_eq!(diagnostics.diverged, 0, "{name}");
        let laplace = claim(&findings, "occupancy-laplace").unwrap();
        let standard_error = laplace.standard_error.unwrap();
        assert!(standard_error < resolved, "{name}: resolved to {standard_error}");

        if let Some(discrete) = claim(&findings, "occupancy-discrete") {
            let z = (discrete.measured.unwrap() - discrete.predicted.unwrap()) / discrete.standard_error.unwrap();
            assert!(z.abs() < 4.6, "{name}: z = {z:.2} against the discrete law");
        } else {
            assert_eq!(findings.temperature, None, "{name}: the discrete rung is missing");
        }

        if !diagnostics.equilibrated {
            let contrast = diagnostics.start_contrast.as_ref().unwrap();
            assert!(!contrast.consistent_with_zero, "{name}: {:?}", diagnostics.reasons);
            assert_eq!(diagnostics.reasons.len(), 1, "{name}: {:?}", diagnostics.reasons);
            barred += 1;
        } else if let Some(words) = slide {
            assert_eq!(laplace.verdict, Some(Verdict::Rejected), "{name}: {}", laplace.reason);
            for word in words {
                assert!(laplace.reason.contains(word), "{name}: no {word:?} in {}", laplace.reason);
            }
            if let Some(discrete) = claim(&findings, "occupancy-discrete") {
                assert_ne!(discrete.verdict, Some(Verdict::Rejected), "{name}: {}", discrete.reason);
            }
        }
    }
    assert!(barred <= 1, "{barred} of six runs were barred by their start contrast");
}
