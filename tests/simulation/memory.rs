//! Runs that begin before the start is forgotten have no verdict, and say how long a burn-in would do.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, prepare, run};
use sgd_sde::findings::Findings;
use sgd_sde::scenario::parse;
use sgd_sde::statistics::Verdict;

fn measured(text: &str) -> Findings {
    let loaded = parse(text, "memory.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    run(&loaded, &prepare(&loaded).unwrap(), control).unwrap().0
}

fn reasons(findings: &Findings) -> String {
    findings.diagnostics.as_ref().unwrap().reasons.join("; ")
}

/// Two wells at T = 0.05, where they forget within some 6,500 steps.
fn wells(burn_in: u64) -> Findings {
    measured(&format!(
        "name = \"memory\"\nseed = 1\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\n\
         formula = \"x^4/4 - x^2/2 + 0.1*x\"\ndomain = [[-3.0, 3.0]]\n[noise]\nkind = \"temperature\"\nvalue = 0.05\n\
         [dynamics]\nkind = \"euler-maruyama\"\nstep = 0.02\n\
         [ensemble]\nreplicas = 256\nsteps = 100000\nburn_in = {burn_in}\n[test]\nagainst = \"discrete\"\ntolerance = 0.2\n"
    ))
}

/// False failure below 1e-6: the bias is 3 standard errors after 5,000 steps, and less than 0.001 after 60,000.
#[test]
fn wells_that_remember_have_no_verdict() {
    let early = wells(5_000);
    assert_eq!(early.verdict, Some(Verdict::Undetermined));
    assert!(reasons(&early).contains("by the run's own transition rates ln(p_B/p_A) is off by"), "{}", reasons(&early));
    let memory = early.diagnostics.unwrap().start_memory.unwrap();
    assert!(memory.bias.unwrap() > 0.3 && (4e3..1e4).contains(&memory.relaxation_steps.unwrap()), "{memory:?}");
    let late = wells(60_000);
    assert!(!reasons(&late).contains("transition rates"), "{}", reasons(&late));
    let memory = late.diagnostics.unwrap().start_memory.unwrap();
    assert!(memory.bias.unwrap().abs() < 0.01, "{memory:?}");
}

/// A bowl whose widest direction takes 1,000/0.3 steps to forget, seen after 1,000 and after 20,000.
#[test]
fn a_bowl_that_is_still_filling_has_no_verdict() {
    let bowl = |burn_in: u64| {
        measured(&format!(
            "name = \"memory\"\nexperiment = \"covariance\"\n[loss]\nkind = \"quadratic\"\neigenvalues = [0.001, 1.0]\n\
             [noise]\nkind = \"isotropic\"\nsigma = 1.0\n[sgd]\nlearning_rate = 0.3\nbatch_size = 3\n\
             [ensemble]\nreplicas = 2048\nsteps = 20000\nburn_in = {burn_in}\n[test]\ntolerance = 0.01\n"
        ))
    };
    let early = bowl(1_000);
    assert_eq!(early.verdict, Some(Verdict::Undetermined));
    assert!(reasons(&early).contains("the burn-in is 0.3 of the relaxation times"), "{}", reasons(&early));
    assert!(!reasons(&bowl(20_000)).contains("remember where they started"));
}
