//! Depth against width: the lines of ln(p_A/p_B) in 1/n, predicted and at reduced effort measured.

use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{Control, forecast::Forecast, predict, prepare, run};
use sgd_sde::findings::{ClaimRecord, CrossingRecord, FigureData, Findings};
use sgd_sde::landscape::Landscape;
use sgd_sde::report::{load_figures, save_figures};
use sgd_sde::scenario::{Loaded, parse, resolve};
use sgd_sde::statistics::Verdict;
use sgd_sde::theory::discrete::Chain;

fn shipped(overrides: &[&str]) -> Loaded {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    resolve("crossover")[0].load(&overrides, None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn predicted(loaded: &Loaded) -> Findings {
    predict(loaded, &prepare(loaded).unwrap()).unwrap()
}

fn measured(loaded: &Loaded) -> (Findings, FigureData) {
    let stop = AtomicBool::new(false);
    run(loaded, &prepare(loaded).unwrap(), &mut Control { monitor: &mut |_| (), stop: &stop }).unwrap()
}

fn line<'a>(findings: &'a Findings, name: &str) -> &'a CrossingRecord {
    findings.crossover.as_ref().unwrap().predicted.iter().find(|line| line.name == name).unwrap()
}

fn claim<'a>(findings: &'a Findings, id: &str) -> &'a ClaimRecord {
    findings.claims.iter().find(|claim| claim.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// L of the shipped scenario: parabolas of curvature 8 and 1, 0.2 apart in depth, joined with s = 0.1.
fn loss(x: f64) -> f64 {
    let parabolas = [4.0 * (x + 0.85) * (x + 0.85), 0.2 + 0.5 * (x - 0.85) * (x - 0.85)];
    -0.1 * parabolas.iter().map(|l| (-l / 0.1).exp()).sum::<f64>().ln()
}

/// ln(p_A/p_B) by the trapezoid rule on a fine grid, cut at the highest point between the wells.
fn gibbs(temperature: f64) -> f64 {
    let grid = |i: usize| -4.0 + 10.0 * i as f64 / 200_000.0;
    let ridge = (0..=200_000).map(grid).filter(|x| (-0.85..0.85).contains(x));
    let ridge = ridge.max_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap();
    let mut masses = [0.0; 2];
    for i in 0..=200_000 {
        masses[usize::from(grid(i) > ridge)] += (-loss(grid(i)) / temperature).exp();
    }
    (masses[0] / masses[1]).ln()
}

/// The slide's n* = 4(L_B − L_A)/(σ² ln(det H_A/det H_B)), slope 2(L_B − L_A)/σ² and intercept −½ ln 8; the smooth minimum
/// moves all of them by less than 1e−5.
#[test]
fn the_slides_line_is_its_formula() {
    let findings = predicted(&shipped(&[]));
    let laplace = line(&findings, "laplace");
    let star = 4.0 * 0.2 / (4.0 * 8.0_f64.ln());
    assert!((laplace.slope / 0.1 - 1.0).abs() < 1e-5 && (laplace.intercept + 0.5 * 8.0_f64.ln()).abs() < 1e-5);
    assert!((laplace.exact_crossing.unwrap() / star - 1.0).abs() < 1e-5, "{laplace:?}");
    assert!((laplace.line_crossing.unwrap() / star - 1.0).abs() < 1e-5);
    // In units of T: the slope is the depth.
    let noise = "noise={kind=\"temperature\",value=0.2}";
    let text = resolve("crossover")[0].text.replace("[sgd]\nlearning_rate", "[sgd.gone]\nlearning_rate");
    let start = text.find("[sgd.gone]").unwrap();
    let end = text.find("[dynamics]").unwrap();
    let loaded = parse(format!("{}{}", &text[..start], &text[end..]), "t.toml", &[noise.into()], None).unwrap();
    let findings = predicted(&loaded);
    let laplace = line(&findings, "laplace");
    assert_eq!(findings.points[0].varied, "T");
    assert!(
        (laplace.slope / 0.2 - 1.0).abs() < 1e-5 && (laplace.exact_crossing.unwrap() / (2.0 * star) - 1.0).abs() < 1e-5
    );
}

#[test]
fn the_gibbs_crossing_is_where_an_independent_quadrature_is_even() {
    let loaded = shipped(&[]);
    let findings = predicted(&loaded);
    let star = line(&findings, "gibbs").exact_crossing.unwrap();
    // T = nσ²/2 = 2n. The slope in ln n there is about −1.
    assert!(gibbs(2.0 * star).abs() < 2e-5, "{star}: {}", gibbs(2.0 * star));
    for point in &findings.points {
        assert!((point.gibbs.unwrap() - gibbs(2.0 * point.at)).abs() < 2e-4, "{point:?}");
    }
    // The chain at n* = that of the discrete rung and δ = 0.005 is even too.
    let star = line(&findings, "discrete").exact_crossing.unwrap();
    let built = loaded.scenario.loss.build().unwrap();
    let landscape = Landscape::explore(built.clone(), &[[-3.0, 3.0]]).unwrap();
    let law = Chain::new(built.as_ref(), &landscape, [-3.0, 3.0], 2.0 * star, 0.005).unwrap().stationary().unwrap();
    assert!((law.occupancies[0] / law.occupancies[1]).ln().abs() < 1e-6);
    // A line through three points of a curve with equal weights, by hand: like is compared with like.
    let three = predicted(&shipped(&["crossover.factors=[0.8,1.0,1.25]", "loss.well[1].loss=0.2"]));
    let points: Vec<(f64, f64)> = three.points.iter().map(|p| (1.0 / p.at, p.gibbs.unwrap())).collect();
    let rise = (points[0].1 - points[2].1) / (points[0].0 - points[2].0);
    assert!((line(&three, "gibbs").slope / rise - 1.0).abs() < 5e-3);
}

/// False failure 3 × 2e-8 for |z| < 6 against the chain's own line and crossing, and 2e-9 for a slope that is not told from zero with 10
/// standard errors, so that the crossing has no error (16 are expected). At a seventh of the shipped effort no verdict is asked for.
///
/// n* as its inverse, a sign, a factor in T or weights gone wrong fail.
#[test]
fn the_measured_line_is_that_of_the_chain() {
    let loaded = shipped(&["ensemble.steps=400000", "ensemble.burn_in=40000", "crossover.factors=[0.8,1.0,1.25,1.6]"]);
    let (findings, figures) = measured(&loaded);
    assert_eq!(findings.diagnostics.as_ref().unwrap().diverged, 0);
    for (aspect, resolved) in [("point", 0.05), ("slope", 0.2), ("intercept", 0.15)] {
        let claim = claim(&findings, &format!("crossover-{aspect}-discrete"));
        let error = claim.standard_error.unwrap();
        assert!(error < resolved, "{aspect}: resolved to {error}");
        let z = (claim.measured.unwrap() - claim.predicted.unwrap()) / error;
        assert!(z.abs() < 6.0, "{aspect}: z = {z:.2}");
    }
    let record = findings.crossover.as_ref().unwrap();
    assert_eq!(record.extrapolated, Some(false));
    let star = record.measured.as_ref().unwrap();
    let [low, high] = star.interval.unwrap();
    assert!(
        low < star.line_crossing.unwrap() && star.line_crossing.unwrap() < high && record.covariance.unwrap() < 0.0
    );

    // What the figure is drawn from comes back from its files.
    let folder = tempfile::tempdir().unwrap();
    save_figures(folder.path(), &figures).unwrap();
    let again = load_figures(folder.path()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{figures:?}"));
}

/// Points at which the shallow well always wins leave n* to be extrapolated: told, and no HOLDS whatever the tolerance.
/// False failure 1e-8: slope and intercept are told from zero with 6 standard errors to spare. A run that the gate bars (once
/// in 250) is let pass.
#[test]
fn an_extrapolated_crossing_cannot_hold() {
    let tolerances = ["test.tolerance=50", "crossover.slope_tolerance=50", "crossover.intercept_tolerance=50"];
    let effort = ["ensemble.steps=300000", "ensemble.burn_in=20000", "crossover.factors=[1.3,1.6,2.0,2.5]"];
    let loaded = shipped(&[tolerances.as_slice(), effort.as_slice()].concat());
    let (findings, _) = measured(&loaded);
    let point = claim(&findings, "crossover-point-gibbs");
    assert_eq!(findings.crossover.as_ref().unwrap().extrapolated, Some(true));
    assert_eq!(point.verdict, Some(Verdict::Undetermined), "{}", point.reason);
    assert!(findings.notes.iter().any(|note| note.contains("choose factors on both sides")), "{:?}", findings.notes);
    if findings.diagnostics.as_ref().unwrap().equilibrated {
        assert!(point.reason.contains("extrapolation"), "{}", point.reason);
        // The same data hold where nothing is extrapolated.
        assert_eq!(claim(&findings, "crossover-slope-gibbs").verdict, Some(Verdict::Holds));
    }
    assert_eq!(findings.verdict, Some(Verdict::Undetermined));
}

/// What points of a study share is computed once, and only what they share.
#[test]
fn points_of_a_study_share_their_theory_where_n_is_the_same() {
    let at = |factors: &str| -> Findings {
        let loaded = shipped(&[&format!("crossover.factors={factors}")]);
        predict(&loaded, &prepare(&loaded).unwrap().brief()).unwrap()
    };
    let told =
        |findings: &Findings| -> Vec<f64> { findings.points.iter().map(|point| point.discrete.unwrap()).collect() };
    let (few, others, again) = (at("[0.8, 1.0, 1.25]"), at("[0.9, 1.0, 1.1]"), at("[0.8, 1.0, 1.25]"));
    assert_eq!(told(&few), told(&again));
    assert!(told(&few)[0] > told(&others)[0] && told(&few)[1] == told(&others)[1]);
}

#[test]
fn a_pair_is_chosen_among_more_minima() {
    let third = "loss.well=[{position=[-0.85],loss=0.0,hessian=8.0},{position=[0.85],loss=0.2,hessian=1.0},\
                 {position=[2.6],loss=0.5,hessian=4.0}]";
    let findings = predicted(&shipped(&[third, "crossover.pair=[\"B\",\"A\"]"]));
    assert_eq!(findings.crossover.as_ref().unwrap().pair, ["A", "B"]);
    assert!((line(&findings, "laplace").slope / 0.1 - 1.0).abs() < 1e-4);
}

/// What is forecast of ln n*: the standard error that a run then has, to a third.
#[test]
fn the_forecast_is_that_of_the_line() {
    let forecast = Forecast::of(&shipped(&[]), 2).unwrap();
    assert_eq!((forecast.ensembles, forecast.quantity.as_str()), (5, "ln n*"));
    // The shipped run has 0.0066.
    assert!((0.0050..0.0088).contains(&forecast.standard_error.unwrap()), "{forecast:?}");
    let (bias, best) = forecast.bias.unwrap();
    assert!(best == "discrete" && (0.010..0.016).contains(&bias), "{bias}");
}

/// Beyond three dimensions the Gibbs law is sampled: its error is part of what is compared.
#[test]
fn a_sampled_law_brings_its_error() {
    let wells = |position: f64, loss: f64, curvature: f64| {
        format!("[[loss.well]]\nposition = [{position}, 0.0, 0.0, 0.0]\nloss = {loss}\nhessian = {curvature}\n")
    };
    let text = format!(
        "name = \"sampled\"\nexperiment = \"crossover\"\n[loss]\nkind = \"wells\"\nsmoothing = 0.05\n\
         domain = [[-2.0, 2.0], [-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]\n{}{}\
         [noise]\nkind = \"temperature\"\nvalue = 0.25\n[dynamics]\nstep = 0.01\n\
         [crossover]\nfactors = [0.6, 1.0, 1.6]\n",
        wells(-1.0, 0.0, 4.0),
        wells(1.0, 0.3, 2.0)
    );
    let findings = predicted(&parse(text, "sampled.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}")));
    for aspect in ["point", "slope", "intercept"] {
        let error =
            |rung: &str| claim(&findings, &format!("crossover-{aspect}-{rung}")).contrasts[0].predicted_standard_error;
        assert_eq!(error("laplace"), None, "{aspect}");
        // Log-odds are sampled to 0.01; lines through three of them are known a few times less well.
        assert!(error("gibbs").is_some_and(|error| error > 1e-3 && error < 0.1), "{aspect}: {:?}", error("gibbs"));
    }
}
