//! η → βη, S → βS: the chain's own law at every β, and where "unchanged" breaks.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, predict, prepare, run};
use sgd_sde::findings::{ClaimRecord, FigureData, Findings};
use sgd_sde::report::{load_figures, save_figures};
use sgd_sde::scenario::{Loaded, resolve};
use sgd_sde::statistics::Verdict;

fn shipped(name: &str, overrides: &[&str]) -> Loaded {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    resolve(name)[0].load(&overrides, None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn measured(loaded: &Loaded) -> (Findings, FigureData) {
    let stop = AtomicBool::new(false);
    run(loaded, &prepare(loaded).unwrap(), &mut Control { monitor: &mut |_| (), stop: &stop }).unwrap()
}

fn claim<'a>(findings: &'a Findings, id: &str) -> &'a ClaimRecord {
    findings.claims.iter().find(|claim| claim.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// Every contrast of a claim within 6 standard errors: 2e-8 each, with 127 degrees of freedom.
fn assert_agrees(claim: &ClaimRecord) {
    for contrast in &claim.contrasts {
        let z = (contrast.measured.unwrap() - contrast.predicted.unwrap()) / contrast.standard_error.unwrap();
        assert!(z.abs() < 6.0, "{}, {}: z = {z:.2}", claim.id, contrast.quantity);
    }
}

/// Binomial increments are drawn at every β too, and a covariance in a bowl does not see that they are not normal.
#[test]
fn the_law_of_the_increments_reaches_every_beta() {
    let measure = |increments: &str| {
        let increments = format!("dynamics.increments={increments}");
        let short = ["ensemble.steps=20000", "ensemble.replicas=64", &increments];
        measured(&shipped("proportional-scaling-bowl", &short)).0
    };
    let (normal, binomial) = (measure("gaussian"), measure("binomial"));
    let numbers = |findings: &Findings| -> Vec<f64> {
        findings.claims.iter().flat_map(|claim| &claim.contrasts).filter_map(|contrast| contrast.measured).collect()
    };
    assert!(numbers(&normal).len() > 5 && numbers(&normal) != numbers(&binomial));
    let discrete = binomial.claims.iter().filter(|claim| claim.id.contains("discrete"));
    discrete.for_each(assert_agrees);
}

/// (1 − ηh/2)/(1 − βηh/2) with ηh = 0.1 and 0.025; its pole; and where its logarithm is 0.08.
#[test]
fn the_bowls_prediction_is_its_formula() {
    let loaded = shipped("proportional-scaling-bowl", &[]);
    let findings = predict(&loaded, &prepare(&loaded).unwrap()).unwrap();
    for (index, beta) in [2.0, 4.0, 8.0, 16.0].into_iter().enumerate() {
        let claim = claim(&findings, &format!("scaling-discrete-beta-{beta}"));
        assert_eq!(claim.contrasts.len(), 6, "three variances and their changes");
        // The axes come from the widest on: curvature 0.5, then 2.
        for (axis, product) in [(0, 0.025), (1, 0.1)] {
            let ratio: f64 = (1.0 - product / 2.0) / (1.0 - beta * product / 2.0);
            assert!((claim.contrasts[3 + axis].predicted.unwrap() - ratio.ln()).abs() < 1e-12, "β = {beta}");
            let variance = 0.05 / (2.0 * product / 0.05) / (1.0 - beta * product / 2.0);
            assert!((findings.points[3 * (index + 1) + axis].discrete.unwrap() / variance - 1.0).abs() < 1e-12);
            assert!((findings.points[axis].laplace.unwrap() / (0.05 / (2.0 * product / 0.05)) - 1.0).abs() < 1e-12);
        }
    }
    let record = findings.scaling.unwrap();
    assert!((record.diverges_predicted.unwrap() - 20.0).abs() < 1e-9);
    let breaks = (1.0 - 0.95 * (-0.08_f64).exp()) / 0.05;
    assert!((record.breaks_predicted.unwrap() / breaks - 1.0).abs() < 1e-8, "{:?}", record.breaks_predicted);
    assert!(findings.claims.iter().all(|claim| !claim.id.contains("beta-24")));
}

/// False failure 27 × 2e-8 for |z| < 6 (all contrasts of the chain's claims); verdicts are 7 standard errors and more from
/// where they would turn. The gate bars one of five right runs once in 200: a barred one is let pass.
#[test]
fn the_bowl_follows_the_chain_and_diverges_where_it_must() {
    let loaded = shipped("proportional-scaling-bowl", &["ensemble.steps=30000"]);
    let (findings, figures) = measured(&loaded);
    let equilibrated = findings.diagnostics.as_ref().unwrap().equilibrated;
    for beta in [1, 2, 4, 8, 16] {
        let discrete = claim(&findings, &format!("scaling-discrete-beta-{beta}"));
        assert!(discrete.primary);
        assert_agrees(discrete);
        assert_ne!(discrete.verdict, Some(Verdict::Rejected), "{}", discrete.reason);
        assert!(!equilibrated || discrete.verdict == Some(Verdict::Holds), "{}", discrete.reason);
    }
    let record = findings.scaling.as_ref().unwrap();
    let [Some(stays), Some(leaves)] = record.diverges_measured.unwrap() else { panic!("{record:?}") };
    assert!(stays < 20.0 && 20.0 < leaves * 1.0025 && leaves < 1.011 * stays, "{stays} {leaves}");
    assert_eq!(claim(&findings, "scaling-divergence").verdict, Some(Verdict::Holds));
    let last = findings.points.last().unwrap();
    assert_eq!((last.at, last.measured, last.diverged), (24.0, None, Some(128)));
    assert_eq!(findings.diagnostics.as_ref().unwrap().diverged, 0, "what was predicted to diverge bars nothing");
    if equilibrated {
        for (beta, verdict) in [(2, Verdict::Holds), (4, Verdict::Rejected), (16, Verdict::Rejected)] {
            let unchanged = claim(&findings, &format!("scaling-unchanged-beta-{beta}"));
            assert_eq!(unchanged.verdict, Some(verdict), "{}", unchanged.reason);
            assert!(!unchanged.primary);
        }
        assert_eq!(record.breaks_measured, [Some(2.0), Some(4.0)]);
        assert_eq!(findings.verdict, Some(Verdict::Holds));
    }
    let folder = tempfile::tempdir().unwrap();
    save_figures(folder.path(), &figures).unwrap();
    assert_eq!(format!("{:?}", load_figures(folder.path()).unwrap()), format!("{figures:?}"));
}

/// A bowl that is flatter than its parabola farther out: SGD leaves the minimum at β = 2/(ηh) but never the numbers.
/// Deterministic in its verdict: growth ends where the slope does.
#[test]
fn a_bowl_that_does_not_diverge_rejects_the_prediction() {
    let loss = "loss={kind=\"expression\",variables=[\"x\"],formula=\"2*sqrt(1+x^2)\",domain=[[-2,2]]}";
    let effort = ["ensemble.steps=2000", "ensemble.burn_in=500", "scaling.beta=[1,2]"];
    let (findings, _) = measured(&shipped("proportional-scaling-bowl", &[&[loss], effort.as_slice()].concat()));
    let divergence = claim(&findings, "scaling-divergence");
    assert_eq!(divergence.verdict, Some(Verdict::Rejected), "{}", divergence.reason);
    assert_eq!(findings.scaling.unwrap().diverges_measured.unwrap()[1], None);
}

/// False failure 2 × 2e-8 for |z| < 6. β = 8 is 1.1 from unchanged in log-odds, at a standard error below 0.1.
#[test]
fn the_wells_follow_the_chains_law_and_not_the_slide() {
    let effort = ["ensemble.steps=600000", "ensemble.burn_in=100000", "scaling.beta=[2,8]", "test.tolerance=0.4"];
    let (findings, _) = measured(&shipped("proportional-scaling-wells", &effort));
    let law = [-0.505916, -1.640625];
    for (beta, law) in [2, 8].into_iter().zip(law) {
        let discrete = claim(&findings, &format!("scaling-discrete-beta-{beta}"));
        assert!((discrete.predicted.unwrap() - law).abs() < 2e-5, "{:?}", discrete.predicted);
        assert!(discrete.standard_error.unwrap() < 0.1);
        assert_agrees(discrete);
    }
    let unchanged = claim(&findings, "scaling-unchanged-beta-8");
    assert!((unchanged.measured.unwrap() + 1.13).abs() < 0.5 && unchanged.predicted == Some(0.0));
    if findings.diagnostics.as_ref().unwrap().equilibrated {
        assert_eq!(unchanged.verdict, Some(Verdict::Rejected), "{}", unchanged.reason);
        assert!(unchanged.reason.contains("own law changes by -1.135"), "{}", unchanged.reason);
        assert_eq!(findings.scaling.as_ref().unwrap().breaks_measured, [Some(2.0), Some(8.0)]);
    }
    assert!(findings.claims.iter().all(|claim| claim.primary == claim.id.starts_with("scaling-discrete")));
    assert_eq!(findings.scaling.unwrap().diverges_predicted, None);
}

/// At β = 10, ηh near 1, this chain is thrown out of its wells sooner or later: it has no law, no claim speaks of it, and
/// what diverged bars HOLDS all the same.
#[test]
fn replicas_lost_where_nothing_is_predicted_bar_holding() {
    let text = "name = \"lost\"\nexperiment = \"scaling\"\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\n\
                formula = \"x^4/4 - x^2/2 + 0.05*x\"\ndomain = [[-3.0, 3.0]]\n[noise]\nkind = \"isotropic\"\nsigma = 2.0\n\
                [sgd]\nlearning_rate = 0.05\nbatch_size = 1\n[scaling]\nbeta = [1, 2, 10]\n\
                [ensemble]\nreplicas = 64\nsteps = 40000\nburn_in = 500\n[test]\ntolerance = 5.0\n";
    let loaded = sgd_sde::scenario::parse(text, "lost.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    let (findings, _) = measured(&loaded);
    assert!(findings.claims.iter().all(|claim| claim.id != "scaling-discrete-beta-10"));
    assert!(findings.points.iter().any(|point| point.at == 10.0 && point.diverged > Some(0)));
    assert_eq!(claim(&findings, "scaling-discrete-beta-2").verdict, Some(Verdict::Holds));
    assert_eq!(findings.verdict, Some(Verdict::Undetermined));
    assert!(findings.notes.iter().any(|note| note.contains("that bars HOLDS")), "{:?}", findings.notes);
}
