//! A run is at rest in every direction or has no verdict: soft directions that leave the labels of basins alone, states that no curvature at
//! a minimum gives away, and runs that are at rest indeed.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::forecast::Forecast;
use sgd_sde::experiment::setting::Setting;
use sgd_sde::experiment::{Control, prepare, run};
use sgd_sde::findings::{Findings, StationarityRecord};
use sgd_sde::scenario::{Loaded, parse};
use sgd_sde::statistics::Verdict;

/// Wells in x whose depths depend on y, which takes 400 steps to forget.
const ALIGNED: &str = "variables = [\"x\", \"y\"]\nparameters = { k = 0.05, a = 0.15, s = 2.2 }\n\
    formula = \"x^4/4 - x^2/2 + k*y^2/2 + a*x*y^4/(s^4+y^4)\"\ndomain = [[-3.0, 3.0], [-7.0, 7.0]]";
/// A soft direction along no coordinate.
const OBLIQUE: &str = "variables = [\"v\", \"w\"]\n\
    formula = \"(0.6*v - 0.8*w)^4/4 - (0.6*v - 0.8*w)^2/2 + 0.04*(0.8*v + 0.6*w)^2/2\"\n\
    domain = [[-9.0, 9.0], [-9.0, 9.0]]";
/// Five dimensions, the wells along one coordinate and the soft direction oblique in two others.
const FIVE: &str = "variables = [\"x\", \"y\", \"z\", \"p\", \"q\"]\n\
    formula = \"x^4/4 - x^2/2 + 0.04*(0.6*y + 0.8*z)^2/2 + (0.8*y - 0.6*z)^2 + p^2 + 2*q^2 + 0.2*p*q\"\n\
    domain = [[-3.0, 3.0], [-7.0, 7.0], [-7.0, 7.0], [-3.0, 3.0], [-3.0, 3.0]]";
/// Every minimum lies in a dimple of curvature 0.25, no deeper than T/2, of a wide bowl of curvature 0.004: the minima tell of a relaxation time of 4,
/// y takes 250.
const DIMPLE: &str = "variables = [\"x\", \"y\"]\nformula = \"x^4/4 - x^2/2 + 0.004*y^2/2 - 0.125*exp(-y^2)\"\n\
    domain = [[-3.0, 3.0], [-25.0, 25.0]]";

fn scenario(experiment: &str, loss: &str, ensemble: &str, test: &str) -> Loaded {
    let text = format!(
        "name = \"rest\"\nexperiment = \"{experiment}\"\nseed = 5\n[loss]\nkind = \"expression\"\n{loss}\n\
         [noise]\nkind = \"temperature\"\nvalue = 0.25\n[dynamics]\nkind = \"euler-maruyama\"\nstep = 0.05\n\
         [ensemble]\n{ensemble}\n[test]\n{test}\n"
    );
    parse(text, "rest.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn measured(loaded: &Loaded) -> Findings {
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    run(loaded, &prepare(loaded).unwrap(), control).unwrap().0
}

fn reasons(findings: &Findings) -> String {
    findings.diagnostics.as_ref().unwrap().reasons.join("\n")
}

fn rest(findings: &Findings) -> &StationarityRecord {
    findings.diagnostics.as_ref().unwrap().stationarity.as_ref().unwrap()
}

/// What `check` says of it.
fn foretold(loaded: &Loaded) -> Option<String> {
    Forecast::of(loaded, 1).unwrap().softest.map(|softest| softest.to_string())
}

/// Each with a burn-in below one relaxation time of its softest direction.
#[test]
fn a_soft_direction_that_leaves_the_labels_alone_bars_a_verdict() {
    let short = "replicas = 1024\nsteps = 400\nburn_in = 200";
    for (experiment, loss, direction, test) in [
        ("equilibrium", ALIGNED, "along y,", "against = \"laplace\""),
        ("density", OBLIQUE, "along 0.80 v + 0.60 w,", "tolerance = 0.1"),
        ("temperature-pair", OBLIQUE, "along 0.80 v + 0.60 w,", "tolerance = 0.1"),
        ("temperature-pair", FIVE, "along 0.80 z + 0.60 y,", "tolerance = 0.1"),
    ] {
        let loaded = scenario(experiment, loss, short, test);
        let foretold = foretold(&loaded).unwrap_or_default();
        let findings = measured(&loaded);
        let told = reasons(&findings);
        assert_eq!(findings.verdict, Some(Verdict::Undetermined), "{experiment}: {told}");
        for text in [&foretold, &told] {
            assert!(text.contains(direction) && text.contains("burn_in = "), "{experiment}: {text}");
        }
        // Nothing is said of where the stationary value lies.
        let claims = findings.claims.iter().filter(|claim| claim.verdict.is_some());
        assert!(findings.diagnostics.as_ref().unwrap().remembers_start);
        assert!(claims.flat_map(|claim| &claim.contrasts).all(|contrast| contrast.interval.is_none()), "{experiment}");
        assert!(findings.occupancy.iter().all(|row| row.interval.is_none()), "{experiment}");
        // The tests see it too, and do not leave it to the rule.
        assert!(rest(&findings).relations.iter().any(|test| !test.consistent), "{experiment}");
        assert!(told.contains("not where its own slope would hold it"), "{experiment}: {told}");
    }
}

/// ln(p_A/p_B) = .368 by the Gibbs law, 0 by Laplace. False failure below 1e-3.
#[test]
fn with_the_burn_in_that_is_told_the_verdict_is_the_true_one() {
    let ensemble = |burn_in: u64| format!("replicas = 256\nsteps = 10000\nburn_in = {burn_in}");
    let loaded = |burn_in: u64| scenario("equilibrium", ALIGNED, &ensemble(burn_in), "against = \"laplace\"");
    let wanted = Forecast::of(&loaded(100), 1).unwrap().softest.unwrap().burn_in_wanted();
    assert!((400..2_000).contains(&wanted), "{wanted}");
    assert_eq!(foretold(&loaded(wanted)), None);
    let late = measured(&loaded(4 * wanted));
    assert_eq!((late.verdict, reasons(&late).as_str()), (Some(Verdict::Rejected), ""));
    assert!(late.claims.iter().all(|claim| claim.interval.is_some()) && late.occupancy[0].interval.is_some());
    assert!(rest(&late).yaida.as_ref().unwrap().consistent && rest(&late).softest.as_ref().unwrap().forgotten);
}

/// The curvature at the minima lets the burn-in pass; the law and the tests do not: false failure below 1e-6 for the relations.
#[test]
fn what_no_minimum_gives_away_is_seen_in_the_relations_and_the_drifts() {
    let loaded = |burn_in: u64, steps: u64| {
        let ensemble = format!("replicas = 1024\nsteps = {steps}\nburn_in = {burn_in}");
        scenario("equilibrium", DIMPLE, &ensemble, "against = \"gibbs\"\ntolerance = 0.5")
    };
    let early = measured(&loaded(400, 3_000));
    let rest = rest(&early);
    // The spread of the law gives it away, to 5 % of the bowl's curvature of 0.004 …
    let softest = rest.softest.as_ref().unwrap();
    assert!(!softest.forgotten && (softest.curvature / 0.0042 - 1.0).abs() < 0.05, "{rest:?}");
    // … and what was measured does.
    assert_eq!(early.verdict, Some(Verdict::Undetermined));
    assert!(rest.relations.iter().any(|test| !test.consistent) && rest.relations_gate);
    assert!(rest.drifts.iter().any(|test| test.quantity == "its square along y" && !test.consistent), "{rest:?}");
    let told = reasons(&early);
    assert!(told.contains("still drifts") && told.contains("its own slope"), "{told}");
    let late = measured(&loaded(60_000, 20_000));
    assert_eq!((late.verdict, reasons(&late).as_str()), (Some(Verdict::Holds), ""));
}

/// Two wells on a wide plateau, which has as much of the Gibbs law as they have and is reached once in thousands of relaxation times: drifts,
/// relations and transitions all say that the ensemble is at rest, and it is within the wells.
const PLATEAU: &str = "variables = [\"x\", \"y\"]\n\
    formula = \"-1.25*exp(-2*((x + 0.6)^2 + y^2)) - 1.05*exp(-2*((x - 0.6)^2 + y^2)) + 0.0001*(x^2 + y^2)\"\n\
    domain = [[-3.0, 3.0], [-3.0, 3.0]]";

/// False failure below 1e-6: the mean loss is 40 standard errors too low.
#[test]
fn mass_that_is_not_reached_from_the_wells_is_missed_in_the_mean_loss() {
    let text = |loss: &str, temperature: f64, against: &str| {
        format!(
            "name = \"rest\"\nseed = 4\n[loss]\nkind = \"expression\"\n{loss}\n[noise]\nkind = \"temperature\"\nvalue = {temperature}\n\
             [dynamics]\nkind = \"euler-maruyama\"\nstep = 0.01\n[ensemble]\nreplicas = 64\nsteps = 4000\nburn_in = 1000\n\
             [test]\nagainst = \"{against}\"\n"
        )
    };
    let measured = |text: String| measured(&parse(text, "rest.toml", &[], None).unwrap_or_else(|p| panic!("{p}")));
    let findings = measured(text(PLATEAU, 0.13, "gibbs"));
    let told = reasons(&findings);
    assert_eq!(findings.verdict, Some(Verdict::Undetermined), "{told}");
    assert!(told.contains("has not been where exp(−L/T) has much of its mass"), "{told}");
    assert!(findings.claims[0].contrasts[0].interval.is_none() && findings.occupancy[0].interval.is_none());
    // A law that the run does reach has the mean loss that it has, at a step of some size too.
    let reached = measured(text(&ALIGNED.replace("0.05", "0.5"), 0.25, "discrete"));
    assert!(!reasons(&reached).contains("has not been"), "{}", reasons(&reached));
}

/// The minima lie in pits of curvature 1.8 of a valley of curvature 0.012, which has most of the mass: their curvatures tell of 6 steps, the valley
/// takes some 800. With so few replicas no drift and no relation shows it.
#[test]
fn a_valley_that_is_wider_than_the_pits_in_it_is_waited_for() {
    const PIT: &str = "variables = [\"x\", \"y\"]\n\
        formula = \"x^4/4 - x^2/2 + 0.05*x + 0.25*x*y^2/(50 + y^2) + 0.006*y^2 - 0.3*exp(-3*y^2)\"\n\
        domain = [[-3.0, 3.0], [-25.0, 25.0]]";
    let loaded = |replicas: u64, steps: u64, burn_in: u64| {
        let text = format!(
            "name = \"rest\"\nseed = 6\n[loss]\nkind = \"expression\"\n{PIT}\n[noise]\nkind = \"temperature\"\nvalue = 0.3\n\
             [dynamics]\nkind = \"euler-maruyama\"\nstep = 0.1\n[ensemble]\nreplicas = {replicas}\nsteps = {steps}\nburn_in = {burn_in}\n\
             [test]\nagainst = \"discrete\"\ntolerance = 0.1\n"
        );
        parse(text, "rest.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"))
    };
    for (replicas, steps, burn_in) in [(96, 300, 250), (64, 800, 300)] {
        let early = loaded(replicas, steps, burn_in);
        let foretold = foretold(&early).unwrap_or_default();
        let findings = measured(&early);
        let told = reasons(&findings);
        assert_eq!(findings.verdict, Some(Verdict::Undetermined), "{told}");
        for text in [&foretold, &told] {
            assert!(text.contains("along y, where exp(−L/T) spreads around minimum"), "{text}");
        }
        assert!(findings.claims.iter().all(|claim| claim.interval.is_none()));
        assert!(rest(&findings).softest.as_ref().is_some_and(|softest| !softest.forgotten && softest.curvature < 0.1));
    }
    assert_eq!(foretold(&loaded(64, 800, 6_000)), None);
}

/// Replicas of one well start above, those of the other below, far out on the wide bowl: on the whole nothing drifts along y.
#[test]
fn groups_that_start_on_opposite_sides_are_told_apart() {
    let ensemble = "replicas = 512\nsteps = 1000\nburn_in = 1000\nstart = [[1.0, 11.0], [-1.0, -11.0]]";
    let findings = measured(&scenario("equilibrium", DIMPLE, ensemble, "against = \"gibbs\"\ntolerance = 0.5"));
    let told = reasons(&findings);
    assert!(told.contains("the distance from A along y in") && told.contains("differs from that in"), "{told}");
}

/// Sixteen replicas do not know how skewed they are: the relations are told, and are no reason.
#[test]
fn few_replicas_have_relations_that_bar_nothing() {
    let ensemble = "replicas = 16\nsteps = 3000\nburn_in = 400";
    let findings = measured(&scenario("equilibrium", DIMPLE, ensemble, "against = \"gibbs\"\ntolerance = 0.5"));
    let rest = rest(&findings);
    assert!(!rest.relations_gate && rest.relations.len() == 5 && rest.note.is_some(), "{rest:?}");
    assert!(!reasons(&findings).contains("slope would hold it"));
}

/// Yaida's relation holds with the sampling's own C: half of the examples are in a batch, which halves the noise; σ(x) is taken where a step
/// begins; SVAG's two batches have the noise of one. False failure below 1e-2 each by the tests' own level, seeds fixed.
#[test]
fn the_relations_hold_at_any_step_with_the_noise_of_the_sampling() {
    let text = |noise: &str, sgd: &str, dynamics: &str| {
        format!(
            "name = \"rest\"\nseed = 3\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\nformula = \"x^4/4 - x^2/2 + x/10\"\n\
             domain = [[-3.0, 3.0]]\n[noise]\n{noise}\n[sgd]\n{sgd}\n{dynamics}\n\
             [ensemble]\nreplicas = 256\nsteps = 40000\nburn_in = 4000\n"
        )
    };
    let tilts = |sampling: &str| format!("kind = \"minibatch\"\nsampling = \"{sampling}\"\nsigma = 4.0\nexamples = 20");
    let batch = "learning_rate = 0.2\nbatch_size = 10";
    let formula = "kind = \"expression\"\nsigma = \"1 + x^2/4\"";
    for (noise, sgd, dynamics) in [
        (tilts("without-replacement"), batch, ""),
        (tilts("with-replacement"), batch, ""),
        (tilts("without-replacement"), batch, "[dynamics]\nkind = \"svag\"\namplification = 3"),
        (formula.into(), "learning_rate = 0.1\nbatch_size = 1", ""),
    ] {
        let loaded = parse(text(&noise, sgd, dynamics), "rest.toml", &[], None).unwrap_or_else(|p| panic!("{p}"));
        let findings = measured(&loaded);
        let rest = rest(&findings);
        let yaida = rest.yaida.as_ref().unwrap();
        assert!(yaida.consistent && rest.relations.iter().all(|test| test.consistent), "{noise}: {rest:?}");
        // Known well enough to tell the noise of one sampling from that of the other, a factor of 10/19 or 2.
        assert!(yaida.standard_error < 0.05 * yaida.right, "{noise}: {yaida:?}");
    }
    // Batches of an epoch depend on each other, and Platen's step has another mean: said, and no reason against a verdict.
    for (noise, dynamics) in [(tilts("epochs"), ""), (formula.into(), "[dynamics]\nkind = \"platen\"\nstep = 0.05")] {
        let loaded = parse(text(&noise, batch, dynamics), "rest.toml", &[], None).unwrap_or_else(|p| panic!("{p}"));
        let findings = measured(&loaded);
        let rest = rest(&findings);
        assert!(rest.yaida.is_none() && !rest.relations_gate && rest.note.is_some(), "{rest:?}");
        assert!(!reasons(&findings).contains("slope would hold it"));
    }
}

#[test]
fn the_default_burn_in_follows_the_softest_curvature() {
    let plan = |loaded: &Loaded| Setting::from_scenario(loaded).unwrap().plan(loaded).burn_in;
    let of = |experiment: &str, loss: &str, steps: u64| {
        let loaded = scenario(experiment, loss, &format!("replicas = 64\nsteps = {steps}"), "tolerance = 0.5");
        (plan(&loaded), foretold(&loaded))
    };
    // 1/(δk) = 400 steps: five of them; long runs have a twentieth that is more.
    assert_eq!(of("equilibrium", ALIGNED, 1_000), (2_000, None));
    assert_eq!(of("equilibrium", ALIGNED, 100_000), (5_000, None));
    assert_eq!(of("density", OBLIQUE, 1_000), (2_500, None));
    // SGD's own step is smaller at the smaller noise: 0.6 of it, and as many more steps.
    let crossover = |factors: &str| {
        let text = format!(
            "name = \"rest\"\nexperiment = \"crossover\"\n[loss]\nkind = \"wells\"\nsmoothing = 0.1\ndomain = [[-3.0, 3.0]]\n\
             [[loss.well]]\nposition = [-0.85]\nloss = 0.0\nhessian = 8.0\n[[loss.well]]\nposition = [0.85]\nloss = 0.2\n\
             hessian = 0.5\n[noise]\nkind = \"isotropic\"\nsigma = 2.0\n[sgd]\nlearning_rate = 0.02\nbatch_size = 1\n\
             [ensemble]\nreplicas = 64\nsteps = 2000\n[crossover]\nfactors = {factors}\n"
        );
        plan(&parse(text, "rest.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}")))
    };
    assert_eq!([crossover("[0.5, 1.0, 2.0]"), crossover("[1.0, 1.5, 2.0]")], [1_000, 500]);
    // The result holds the number.
    let loaded = scenario("equilibrium", ALIGNED, "replicas = 64\nsteps = 2000", "tolerance = 0.5");
    assert_eq!(measured(&loaded).scenario.ensemble.burn_in, Some(plan(&loaded)));
}
