//! Minima that the search missed: the sampler adds them, a run announces them and has no verdict.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, prepare, run};
use sgd_sde::findings::Findings;
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::Loss;
use sgd_sde::loss::expression::Expression;
use sgd_sde::scenario::{Loaded, parse};
use sgd_sde::statistics::Verdict;
use sgd_sde::theory::gibbs::{NoGibbs, law};

/// Two wells and a narrow one beside the way between them.
const PLANE: &str = "x^4/4 - x^2/2 + 0.05*x + y^2/2 - 0.9*exp(-((x - 0.2)^2 + (y - 1.2)^2)/0.08)";
const SPACE: &str =
    "x^4/4 - x^2/2 + 0.05*x + (a^2 + b^2 + c^2)/2 - 1.6*exp(-((x - 0.9)^2 + (a - 1.2)^2 + b^2 + c^2)/0.08)";

fn scenario(variables: &str, formula: &str, domain: &str, starts: &str, ensemble: &str) -> Loaded {
    let text = format!(
        "name = \"missed\"\nexperiment = \"equilibrium\"\nseed = 3\n[loss]\nkind = \"expression\"\nvariables = {variables}\n\
         formula = \"{formula}\"\ndomain = {domain}\n{starts}\n[noise]\nkind = \"temperature\"\nvalue = 0.2\n\
         [dynamics]\nkind = \"euler-maruyama\"\nstep = 0.01\n[ensemble]\n{ensemble}\n[test]\nagainst = \"gibbs\"\n"
    );
    parse(text, "missed.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn measured(loaded: &Loaded) -> Findings {
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    run(loaded, &prepare(loaded).unwrap(), control).unwrap().0
}

fn reasons(findings: &Findings) -> String {
    findings.diagnostics.as_ref().unwrap().reasons.join("\n")
}

#[test]
fn a_run_announces_a_minimum_that_the_search_missed() {
    let ensemble = "replicas = 64\nsteps = 20_000\nburn_in = 2_000";
    let of = |starts: &str| scenario("[\"x\", \"y\"]", PLANE, "[[-2.0, 2.0], [-2.0, 2.0]]", starts, ensemble);
    let whole = measured(&of(""));
    assert_eq!(whole.minima.len(), 3);
    assert!(!reasons(&whole).contains("missed"), "{}", reasons(&whole));
    let poor = measured(&of("starts = 4"));
    assert_eq!(poor.minima.len(), 2);
    let told = reasons(&poor);
    assert!(told.contains("a minimum that the search had missed, at (0.2") && told.contains("loss.starts"), "{told}");
    assert_eq!(poor.verdict, Some(Verdict::Undetermined));
}

#[test]
fn the_sampler_adds_a_minimum_that_the_search_missed() {
    let names = ["x", "a", "b", "c"].map(String::from);
    let loss: Arc<dyn Loss> = Arc::new(Expression::new(&names, &[], SPACE).unwrap());
    let domain = [[-2.0, 2.0]; 4];
    let poor = Landscape::explore_from(loss.clone(), &domain, Some(8)).unwrap();
    assert_eq!(poor.minima.len(), 2);
    let Err(NoGibbs::Missed(missed)) = law(loss.as_ref(), &poor, &domain, 0.2) else {
        panic!("the sampler came to no other minimum")
    };
    assert!(missed.len() == 1 && (missed[0].theta[1] - 1.2).abs() < 0.1, "{missed:?}");
    let known = law(loss.as_ref(), &poor.with(loss.clone(), missed), &domain, 0.2).unwrap();
    assert_eq!((known.occupancies.len(), known.other), (3, 0.0));

    let loaded = scenario(
        "[\"x\", \"a\", \"b\", \"c\"]",
        SPACE,
        "[[-2.0, 2.0], [-2.0, 2.0], [-2.0, 2.0], [-2.0, 2.0]]",
        "starts = 8",
        "replicas = 64\nsteps = 1_000",
    );
    assert_eq!(measured(&loaded).minima.len(), 3);
}

/// A third of the mass lies in a well outside of the domain that no replica comes to.
#[test]
fn a_run_that_has_not_been_where_no_basin_is_has_no_verdict() {
    let wells = "-0.1*log(exp(-40*(x + 1)^2) + exp(-40*(x - 1)^2 - 1) + exp(-10*(x - 6)^2 - 3))";
    let loaded = scenario("[\"x\"]", wells, "[[-3.0, 3.0]]", "", "replicas = 64\nsteps = 200_000\nburn_in = 2_000");
    let findings = measured(&loaded);
    let other = findings.occupancy.last().unwrap().gibbs.unwrap();
    assert!(other > 0.1, "{other}");
    let told = reasons(&findings);
    assert!(told.contains("of the run lies in no basin"), "{told}");
    assert_eq!(findings.verdict, Some(Verdict::Undetermined));
}
