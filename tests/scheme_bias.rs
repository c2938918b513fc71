//! By how much Leimkuhler–Matthews is off the SDE's law, against laws that are known exactly, and what `dynamics.kind = "fastest"` makes
//! of it.
#![allow(missing_docs)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::dynamics::DynamicsSpec;
use sgd_sde::experiment::{Control, fastest::settle, forecast::Forecast, predict, prepare, run};
use sgd_sde::input::Problems;
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::{Loss, expression::Expression};
use sgd_sde::report::to_json;
use sgd_sde::scenario::{EnsembleSpec, Loaded, parse};
use sgd_sde::theory::discrete::{BiasMethod, Case, NoSchemeBias, SchemeBias, scheme_bias::LIMIT};
use sgd_sde::theory::gibbs::{self, Gibbs};

/// A loss, its landscape and its Gibbs law.
struct Known {
    loss: Arc<dyn Loss>,
    landscape: Landscape,
    domain: Vec<[f64; 2]>,
    temperature: f64,
    gibbs: Gibbs,
}

impl Known {
    fn of(variables: &[&str], formula: &str, temperature: f64) -> Self {
        let names: Vec<String> = variables.iter().map(|&name| name.to_owned()).collect();
        let loss = Expression::new(&names, &[], formula).unwrap_or_else(|error| panic!("{formula}: {error}"));
        let (loss, domain): (Arc<dyn Loss>, _) = (Arc::new(loss), vec![[-3.0, 3.0]; variables.len()]);
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        let gibbs = gibbs::law(loss.as_ref(), &landscape, &domain, temperature).unwrap();
        Self { loss, landscape, domain, temperature, gibbs }
    }

    fn bias(&self, step: f64) -> Result<SchemeBias, NoSchemeBias> {
        let Self { loss, landscape, domain, temperature, .. } = self;
        Case { loss, landscape, domain, temperature: *temperature, step }.leimkuhler_matthews_bias(Some(&self.gibbs))
    }
}

const QUARTIC: &str = "x^4/4 - x^2/2 + 0.1*x";
/// Curvatures of 3.3 and 1.3 at the minima.
const UNEQUAL: &str = "x^4/4 + 0.8*x^3/3 - x^2/2 + 0.05*x";
/// A sharp well and a wide one, and a ridge between them that bends downwards by 100.
const SHARP: &str = "-0.1*log(exp(-4*(x + 1)^2/0.1) + exp(-(0.1 + 0.75*(x - 1)^2)/0.1))";

/// Formula, T, δ, and the difference of ln(p_left/p_right) between the chain's law and exp(−L/T): of another program, by dense
/// elimination on 2,400 or 3,600 Gauss points.
const EXACT: [(&str, f64, f64, f64); 5] = [
    (QUARTIC, 0.1, 0.2, 0.007915908),
    (QUARTIC, 0.1, 0.1, 0.001872957),
    (QUARTIC, 0.05, 0.2, 0.014013030),
    (UNEQUAL, 0.1, 0.1, 0.010495279),
    (SHARP, 0.2, 0.005, 0.004995253),
];

#[test]
fn on_a_line_the_bias_is_that_of_the_chains_own_law() {
    for (formula, temperature, step, expected) in EXACT {
        let found = Known::of(&["x"], formula, temperature).bias(step).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.method, BiasMethod::Line);
        let bias = found.bounds.log_odds(0, 1);
        assert!((bias - expected).abs() < 2e-7, "{formula} {temperature} {step}: {bias} {expected}");
    }
}

/// A step at which whole wells lie where a step folds the line has no bias to tell.
#[test]
fn a_step_that_folds_the_line_is_told() {
    let known = Known::of(&["x"], QUARTIC, 0.1);
    for step in [0.4, 0.9, 3.0] {
        let error = known.bias(step).unwrap_err();
        assert!(error.to_string().contains("δL″ > 2"), "{step}: {error}");
    }
}

/// The same loss in a coordinate that is none of the axes, and beside a parabola along one.
#[test]
fn the_second_order_bounds_the_bias_where_there_is_no_line() {
    let rotated = |formula: &str| {
        let along = formula.replace("exp", "§").replace('x', "(0.8*x + 0.6*y)").replace('§', "exp");
        format!("{along} + 0.5*(0.8*y - 0.6*x)^2")
    };
    for (formula, temperature, steps) in
        [(QUARTIC, 0.05, [0.03, 0.08]), (QUARTIC, 0.1, [0.03, 0.07]), (UNEQUAL, 0.1, [0.02, 0.06])]
    {
        let (line, plane) =
            (Known::of(&["x"], formula, temperature), Known::of(&["x", "y"], &rotated(formula), temperature));
        for step in steps {
            let exact = line.bias(step).unwrap().bounds.largest();
            let found = plane.bias(step).unwrap_or_else(|error| panic!("{formula} {step}: {error}"));
            let bound = found.bounds.largest();
            assert_eq!(found.method, BiasMethod::SecondOrder);
            assert!(exact < bound && bound < 4.0 * exact, "{formula} T = {temperature} δ = {step}: {exact} {bound}");
        }
        let beside = Known::of(&["x", "y"], &format!("{formula} + y^2/2"), temperature).bias(steps[1]).unwrap();
        assert_eq!(beside.method, BiasMethod::Product);
        assert!((beside.bounds.largest() - line.bias(steps[1]).unwrap().bounds.largest()).abs() < 1e-9);
    }
    let sharp = Known::of(&["x", "y"], &rotated(SHARP), 0.2).bias(0.02).unwrap_err();
    let NoSchemeBias::TooSharp { found, .. } = sharp else { panic!("{sharp}") };
    assert!(found > LIMIT, "{found}");
}

/// A scenario that was typed for Euler–Maruyama's steps, with other lines at its end.
fn typed(dynamics: &str, rest: &str) -> Loaded {
    settled(&scenario_text(dynamics, rest)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn scenario_text(dynamics: &str, rest: &str) -> String {
    format!(
        "name = \"fast\"\nexperiment = \"equilibrium\"\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\nformula = \"{QUARTIC}\"\n\
         domain = [[-3.0, 3.0]]\n[noise]\nkind = \"temperature\"\nvalue = 0.1\n[dynamics]\n{dynamics}\n[ensemble]\nreplicas = 64\n{rest}"
    )
}

fn settled(text: &str) -> Result<Loaded, Problems> {
    settle(parse(text, "fast.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}")))
}

fn chosen(loaded: &Loaded) -> f64 {
    let DynamicsSpec::LeimkuhlerMatthews { step, count_bias: true } = loaded.scenario.dynamics else {
        panic!("{:?}", loaded.scenario.dynamics)
    };
    step
}

/// δ = 0.21 is off by .0088 and δh there .48; half as large a tolerance takes a step smaller by √2.
#[test]
fn the_fastest_step_is_the_largest_within_a_tenth_of_the_tolerance() {
    let known = Known::of(&["x"], QUARTIC, 0.1);
    for (tolerance, expected) in [(1.0, 0.21), (0.1, 0.21), (0.05, 0.15), (0.001, 0.022)] {
        let loaded = typed(
            "kind = \"fastest\"\nstep = 0.02",
            &format!("steps = 20000\nburn_in = 1001\nobserve_every = 25\n[test]\ntolerance = {tolerance}"),
        );
        let step = chosen(&loaded);
        assert!(step <= expected && step >= 0.95 * expected, "{tolerance}: {step}");
        assert!(known.bias(step).unwrap().bounds.largest() <= 0.1 * tolerance);
        // SDE times stay what they are, to a step: 400, 20.02 and 0.5.
        let EnsembleSpec { steps, burn_in, observe_every, .. } = loaded.scenario.ensemble;
        for (found, time) in [(steps, 400.0), (burn_in.unwrap(), 20.02)] {
            assert!(found as f64 * step >= time - 1e-9 && (found - 1) as f64 * step < time, "{found} of {step}");
        }
        let look = observe_every.unwrap() as f64 * step;
        assert!(look <= 0.5 + 1e-9 && look > 0.5 - step, "{look}");
    }
    // Any other dynamics is left alone.
    let other = typed("kind = \"leimkuhler-matthews\"\nstep = 0.3", "steps = 100");
    assert_eq!(other.scenario.dynamics, DynamicsSpec::LeimkuhlerMatthews { step: 0.3, count_bias: false });
}

/// The slide's formula is off exp(−L/T) by .04, and the chain from that by up to .009: the predictions bear the bias, and a run gives
/// the same bytes again, also by the scenario that was resolved.
#[test]
fn the_bias_is_an_error_of_the_predictions() {
    let run_of = |loaded: &Loaded| {
        let (mut monitor, stop) = (|_: &sgd_sde::experiment::Status| (), AtomicBool::new(false));
        let prepared = prepare(loaded).unwrap();
        run(loaded, &prepared, &mut Control { monitor: &mut monitor, stop: &stop }).unwrap().0
    };
    let rest = "steps = 100000\n[test]\nagainst = \"gibbs\"\n";
    let loaded = typed("kind = \"fastest\"\nstep = 0.02", rest);
    let step = chosen(&loaded);
    let findings = run_of(&loaded);
    let bias = Known::of(&["x"], QUARTIC, 0.1).bias(step).unwrap().bounds.log_odds(0, 1);
    for claim in findings.claims.iter().filter(|claim| claim.id != "occupancy-discrete") {
        let bound = claim.contrasts[0].predicted_bound.unwrap();
        assert!((bound - bias).abs() < 1e-9, "{}: {bound} {bias}", claim.id);
    }
    let told = format!(
        "steps are those of Leimkuhler–Matthews with δ = {step}: its stationary law is off that of the SDE by at most"
    );
    assert!(findings.notes.iter().any(|note| note.starts_with(&told)), "{:?}", findings.notes);
    let text = to_json(&findings).unwrap();
    assert_eq!(text, to_json(&run_of(&loaded)).unwrap());
    let again = parse(findings.scenario.to_toml().unwrap(), "again.toml", &[], None).unwrap();
    assert_eq!(text, to_json(&run_of(&settle(again).unwrap())).unwrap());
    // Whoever takes such steps without a word about their bias gets predictions without it.
    let silent = typed(&format!("kind = \"leimkuhler-matthews\"\nstep = {step}"), rest);
    let prepared = prepare(&silent).unwrap();
    assert!(
        predict(&silent, &prepared).unwrap().claims.iter().all(|claim| claim.contrasts[0].predicted_bound.is_none())
    );
}

/// The law of the operator is known to about 1e−7 and the Gibbs law to 1e−9: no bias is bounded by less, however small the step.
#[test]
fn a_tolerance_beyond_what_laws_are_known_to_is_refused() {
    let with = |tolerance: f64| {
        settled(&scenario_text(
            "kind = \"fastest\"\nstep = 0.02",
            &format!("steps = 20000\n[test]\ntolerance = {tolerance:e}"),
        ))
    };
    for tolerance in [1e-12, 1e-9] {
        let told = with(tolerance).unwrap_err().to_string();
        assert!(told.contains("no step of Leimkuhler–Matthews is known") && told.contains("dynamics.kind"), "{told}");
        // The tolerance that it names does, and a hundredth of it does not.
        let named = told.split("test.tolerance = ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let named: f64 = named.parse().unwrap_or_else(|_| panic!("{told}"));
        assert!(named > tolerance && with(named).is_ok() && with(0.01 * named).is_err(), "{told}");
    }
    // What the nodes of the operator leave open is part of the bound: of an exact law it is above by a little, never below.
    for (formula, temperature, step, expected) in EXACT {
        let bias = Known::of(&["x"], formula, temperature).bias(step).unwrap().bounds.log_odds(0, 1);
        assert!(bias >= expected - 1e-9, "{formula} {temperature} {step}: {bias} {expected}");
    }
}

/// From x = 6 a step of 0.21 leads to −38; one below 2/35 comes down.
#[test]
fn a_start_up_the_wall_asks_for_a_smaller_step() {
    let rest = "steps = 20000\n";
    let low = chosen(&typed("kind = \"fastest\"\nstep = 0.002", &format!("{rest}start = [[-1.0], [1.0]]")));
    let high = chosen(&typed("kind = \"fastest\"\nstep = 0.002", &format!("{rest}start = [[-1.0], [6.0]]")));
    assert!(low > 0.2 && high < 2.0 / 35.0 && high > 0.03, "{low} {high}");
    // Whoever takes the step himself is told at the start.
    let own =
        |step: f64| typed(&format!("kind = \"euler-maruyama\"\nstep = {step}"), &format!("{rest}start = [[6.0]]"));
    let told = |step: f64| Forecast::of(&own(step), 1).unwrap().too_large_step.map(|step| step.to_string());
    assert!(told(0.04).is_none(), "{:?}", told(0.04));
    let lost = told(0.07).unwrap();
    assert!(lost.starts_with("at the start: replicas start at (6.0000)"), "{lost}");
}

/// A coordinate that comes down hides another that runs away, and a step downhill may lead to a place from which the next runs away.
#[test]
fn a_start_is_followed_until_it_is_down() {
    let told = |variables: &str, formula: &str, start: &str, step: f64| {
        let sides = "[-3.0, 3.0], ".repeat(variables.matches('"').count() / 2);
        let text = format!(
            "name = \"start\"\nexperiment = \"equilibrium\"\n[loss]\nkind = \"expression\"\nvariables = {variables}\n\
             formula = \"{formula}\"\ndomain = [{sides}]\n[noise]\nkind = \"temperature\"\nvalue = 0.1\n[dynamics]\n\
             kind = \"euler-maruyama\"\nstep = {step}\n[ensemble]\nreplicas = 64\nsteps = 20000\nstart = [{start}]\n"
        );
        let loaded = settled(&text).unwrap_or_else(|problems| panic!("{problems}"));
        Forecast::of(&loaded, 1).unwrap().too_large_step.map(|step| step.to_string()).unwrap_or_default()
    };
    let plane = format!("{QUARTIC} + y^4/4 + y^2/2");
    let walled = format!("{QUARTIC} + 30*max(-x - 1.2, 0)^4");
    // |1 − 0.0625·(x² − 1)| = 1 at x = 5.74; y comes down from 5 at every one of these steps.
    for (variables, formula, start, step, is_lost) in [
        ("[\"x\", \"y\"]", plane.as_str(), "[6.0, 5.0]", 0.0625, true),
        ("[\"x\", \"y\"]", plane.as_str(), "[5.0, 5.0]", 0.0625, false),
        ("[\"x\", \"y\"]", plane.as_str(), "[6.0, 5.0]", 0.04, false),
        ("[\"x\", \"y\"]", plane.as_str(), "[1.0, 6.5]", 0.0625, true),
        // 5 goes to −2.5, lower by a third, and that to 14.8.
        ("[\"x\"]", walled.as_str(), "[5.0]", 0.0625, true),
        ("[\"x\"]", walled.as_str(), "[2.0]", 0.0625, false),
    ] {
        let told = told(variables, formula, start, step);
        assert_eq!(told.starts_with("at the start"), is_lost, "{formula} from {start} with {step}: {told}");
    }
}
