//! The chain's law in more than one dimension against laws that are known: on a line, of rotated and of separable losses, and by
//! plain simulation; the first order in the step against the bound that it states of itself.
#![allow(missing_docs)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand_distr::{Distribution, StandardNormal};
use sgd_sde::experiment::{Control, predict, prepare, run};
use sgd_sde::landscape::{Landscape, basins::Workspace};
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::loss::{Loss, closure::Closure};
use sgd_sde::random::{Purpose, stream::Stream};
use sgd_sde::scenario::parse;
use sgd_sde::theory::discrete::first_order::{FirstOrder, LIMIT, NoFirstOrder, first_order};
use sgd_sde::theory::discrete::{Care, Case, Chain, Method, NoDiscreteLaw, NoFiniteStep, plane, ways};
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
    fn new(loss: Arc<dyn Loss>, domain: &[[f64; 2]], temperature: f64) -> Self {
        let landscape = Landscape::explore(loss.clone(), domain).unwrap();
        let gibbs = gibbs::law(loss.as_ref(), &landscape, domain, temperature).unwrap();
        Self { loss, landscape, domain: domain.to_vec(), temperature, gibbs }
    }

    fn of(variables: &[&str], formula: &str, temperature: f64) -> Self {
        let names: Vec<String> = variables.iter().map(|&name| name.to_owned()).collect();
        let loss = Expression::new(&names, &[], formula).unwrap_or_else(|error| panic!("{formula}: {error}"));
        Self::new(Arc::new(loss), &vec![[-3.0, 3.0]; variables.len()], temperature)
    }

    fn case(&self, step: f64) -> Case<'_> {
        let Self { loss, landscape, domain, temperature, .. } = self;
        Case { loss, landscape, domain, temperature: *temperature, step }
    }

    fn first_order(&self, step: f64) -> Result<FirstOrder, NoFirstOrder> {
        first_order(self.loss.as_ref(), &self.landscape, &self.gibbs, self.temperature, step)
    }

    fn on_plane(&self, step: f64) -> plane::PlaneLaw {
        plane::stationary(self.loss.as_ref(), &self.landscape, &self.domain, self.temperature, step)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// On a line, by its operator.
    fn on_line(&self, step: f64) -> Vec<f64> {
        let chain = Chain::new(self.loss.as_ref(), &self.landscape, self.domain[0], self.temperature, step);
        chain.unwrap().stationary().unwrap().occupancies
    }
}

fn log_odds(p: &[f64], a: usize, b: usize) -> f64 {
    (p[a] / p[b]).ln()
}

const QUARTIC: &str = "x^4/4 - x^2/2 + 0.1*x";
const SHALLOW: &str = "x^4/4 - x^2/2 - 0.05*x";
/// Walls of a height of five T and a width of .05 beside a smooth well.
const BOX: &str = "0.05*x^4 - 0.25*(tanh((x + 1.7)/0.05) - tanh((x + 0.7)/0.05)) - 0.55*exp(-(x - 1)^2/0.32)";
/// The same, but smoother.
const SOFT_BOX: &str = "0.05*x^4 - 0.25*(tanh((x + 1.7)/0.1) - tanh((x + 0.7)/0.1)) - 0.55*exp(-(x - 1)^2/0.32)";
/// Two wells and a ridge between them that bends downwards by 15.
const SMOOTH: &str = "-0.4*log(exp(-2*(x + 1)^2/0.4) + exp(-(0.1 + 0.75*(x - 1)^2)/0.4))";
/// A sharp well and a wide one, and a ridge between them that bends downwards by 100.
const SHARP: &str = "-0.1*log(exp(-4*(x + 1)^2/0.1) + exp(-(0.1 + 0.75*(x - 1)^2)/0.1))";

/// `x` replaced where it is a variable.
fn in_place_of_x(formula: &str, by: &str) -> String {
    formula.replace("exp", "§").replace('x', by).replace('§', "exp")
}

/// ln(p_A/p_B) is .277 by the first order and .506 by the chain, whose law is that of its separate coordinate.
#[test]
fn walls_between_the_wells_are_taken_exactly_where_the_loss_is_separable() {
    let (line, step) = (Known::of(&["x"], BOX, 0.1), 0.01);
    let exact = line.on_line(step);
    assert!((log_odds(&exact, 0, 1) - 0.506271).abs() < 1e-5, "{exact:?}");
    let known = Known::of(&["x", "y"], &format!("{BOX} + y^2/2"), 0.1);
    let found = known.case(step).stationary(Some(&known.gibbs), Care::Thorough).unwrap();
    assert!(matches!(found.method, Method::Product));
    assert!((found.occupancies[0] - exact[0]).abs() < 1e-9 && found.bounds.largest() == 0.0);
    // Its first order has no say: on the way between the wells the loss bends by 77.
    let NoFirstOrder::TooSharp { found, .. } = known.first_order(step).unwrap_err() else {
        panic!("the wall is sharp")
    };
    assert!(found > 0.5, "{found}");
}

/// Two coordinates with two minima each, and one with one; five dimensions with a coupled pair.
#[test]
fn laws_of_separable_losses_are_products() {
    let step = 0.1;
    let (x, y) = (Known::of(&["x"], QUARTIC, 0.1).on_line(step), Known::of(&["x"], SHALLOW, 0.1).on_line(step));
    let formula = format!("{QUARTIC} + z^2 + {}", in_place_of_x(SHALLOW, "y"));
    let known = Known::of(&["x", "y", "z"], &formula, 0.1);
    let found = known.case(step).stationary(None, Care::Quick).unwrap();
    assert_eq!(known.landscape.minima.len(), 4);
    for (minimum, p) in known.landscape.minima.iter().zip(&found.occupancies) {
        let part = |law: &[f64], coordinate: f64, deeper: f64| law[usize::from(coordinate * deeper < 0.0)];
        let expected = part(&x, minimum.theta[0], -1.0) * part(&y, minimum.theta[1], 1.0);
        assert!((p - expected).abs() < 1e-9, "{:?}: {p} {expected}", minimum.theta);
    }
    assert!(found.other.abs() < 1e-9);
    // A parabola that all wells have in common.
    let well = |x: f64, loss: f64, h: f64| Well {
        position: vec![0.3, x, 0.0],
        loss,
        hessian: nalgebra::dmatrix![2.0, 0.0, 0.5; 0.0, h, 0.0; 0.5, 0.0, 3.0],
    };
    let wells: Arc<dyn Loss> = Arc::new(Wells::new(&[well(-1.0, 0.0, 8.0), well(1.0, 0.1, 1.5)], 0.1).unwrap());
    assert_eq!(wells.independent_coordinates(), [vec![0, 2], vec![1]]);
    let known = Known::new(wells, &[[-3.0, 3.0]; 3], 0.2);
    let found = known.case(0.05).stationary(None, Care::Quick).unwrap();
    // The reference of the one-dimensional wells.
    assert!((found.occupancies[0] - 0.269226).abs() < 3e-5, "{:?}", found.occupancies);
}

/// One pair that would be the product of its parts, twice: along the axes, and rotated, where no coordinates are independent.
#[test]
fn the_operator_in_the_plane_agrees_with_that_on_a_line() {
    for (formula, other, temperature, step) in [
        (QUARTIC, "y^2/2", 0.1, 0.1),
        (QUARTIC, "2*y^2", 0.2, 0.05),
        (SMOOTH, "y^2", 0.2, 0.05),
        (SOFT_BOX, "y^2/2", 0.1, 0.02),
    ] {
        let exact = Known::of(&["x"], formula, temperature).on_line(step);
        let [along, across] = ["(0.8*x + 0.6*y)", "(0.8*y - 0.6*x)"];
        let rotated = format!("{} + {}", in_place_of_x(formula, along), other.replace('y', across));
        for formula in [format!("{formula} + {other}"), rotated] {
            let known = Known::of(&["x", "y"], &formula, temperature);
            let found = known.on_plane(step);
            let error = log_odds(&found.occupancies, 0, 1) - log_odds(&exact, 0, 1);
            let off = (found.occupancies[0] - exact[0]).abs();
            // Two lattices that agree end it, the finer of which is good to 5e-5.
            assert!(off < 2e-5, "{formula}, δ = {step}: {} exactly {}", found.occupancies[0], exact[0]);
            assert!(error.abs() <= found.bounds.log_odds(0, 1), "{formula}: {error} {:?}", found.bounds);
            assert!(found.bounds.largest() < 5e-3, "{formula}: {:?}", found.bounds);
        }
    }
}

/// 4.5 standard errors of 64 replicas (false-failure rate 3 × 3e−5, with the tails of Student's law).
#[test]
fn the_operator_in_the_plane_agrees_with_a_simulation() {
    let (temperature, step) = (0.15, 0.15);
    let known = Known::of(&["x", "y"], "x^4/4 - x^2/2 + 0.1*x + 2*(y - 0.3*x^2)^2/2 + 0.1*x*y", temperature);
    let found = known.case(step).stationary(Some(&known.gibbs), Care::Thorough).unwrap();
    assert!(matches!(found.method, Method::Plane), "{:?}", found.method);
    let spread = (2.0 * temperature * step).sqrt();
    let fractions: Vec<f64> = (0..64)
        .map(|replica| {
            let mut stream = Stream::new(17, replica, Purpose::Start);
            let mut workspace = Workspace::default();
            let mut theta = known.landscape.minima[replica as usize % 2].theta.clone();
            let (mut gradient, mut inside, mut looks) = ([0.0; 2], 0, 0);
            for k in -2_000..100_000 {
                known.loss.gradient(&theta, &mut gradient);
                for (x, g) in theta.iter_mut().zip(gradient) {
                    let normal: f64 = StandardNormal.sample(&mut stream);
                    *x += spread * normal - step * g;
                }
                if k >= 0 && k % 10 == 0 {
                    looks += 1;
                    inside += i32::from(known.landscape.basins.label(&theta, &mut workspace) == Some(0));
                }
            }
            f64::from(inside) / f64::from(looks)
        })
        .collect();
    let mean = fractions.iter().sum::<f64>() / 64.0;
    let error = (fractions.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / 63.0 / 64.0).sqrt();
    assert!(error < 2e-3, "{error}");
    assert!((mean - found.occupancies[0]).abs() < 4.5 * error, "{mean} ± {error}, predicted {:?}", found.occupancies);
    // The SDE's law is another.
    assert!((mean - known.gibbs.occupancies[0]).abs() > 4.5 * error, "{mean} ± {error} {:?}", known.gibbs.occupancies);
}

/// A number of threads is no part of a prediction.
#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let known = Known::of(&["x", "y"], "x^4/4 - x^2/2 + 0.1*x + (y - 0.3*x^2)^2 + 0.1*x*y", 0.2);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| known.on_plane(0.1))
    };
    let (one, three) = (with(1), with(3));
    assert_eq!((one.occupancies, one.other, one.bounds), (three.occupancies, three.other, three.bounds));
}

/// ∫|H∇L|²dt along the ways is ∫|L′|L″²dx on a line, whatever lies across.
#[test]
fn climbs_are_those_of_the_line() {
    for formula in [QUARTIC, SHARP, SMOOTH] {
        let line = Known::of(&["x"], formula, 0.1);
        let climb = |from: f64, to: f64| {
            const PIECES: i32 = 20_000;
            let mut gradient = [0.0];
            (0..PIECES)
                .map(|i| {
                    let x = from + (to - from) * (f64::from(i) + 0.5) / f64::from(PIECES);
                    line.loss.gradient(&[x], &mut gradient);
                    let bend = line.loss.hessian(&[x])[(0, 0)];
                    gradient[0].abs() * bend * bend * (to - from).abs() / f64::from(PIECES)
                })
                .sum::<f64>()
        };
        let [saddle] = line.landscape.saddles.as_slice() else { panic!("{formula}") };
        let exact = [0, 1].map(|minimum| climb(line.landscape.minima[minimum].theta[0], saddle.point.theta[0]));
        let across = format!("{} + 3*(0.8*y - 0.6*x)^2", in_place_of_x(formula, "(0.8*x + 0.6*y)"));
        for known in [line, Known::of(&["x", "y"], &across, 0.1)] {
            let found = ways::over_all_saddles(known.loss.as_ref(), &known.landscape, 0.1);
            assert_eq!(found.len(), 1);
            for (climb, exact) in found[0].climbs.iter().zip(exact) {
                assert!((climb / exact - 1.0).abs() < 0.03, "{formula}: {climb}, exactly {exact}");
            }
        }
    }
}

/// What the first order leaves out is within its bound, which is no idle one: in each case it comes to a quarter of it.
#[test]
fn the_bound_of_the_first_order_holds() {
    for (formula, temperature, steps) in [
        (QUARTIC, 0.05, [0.008, 0.016]),
        (QUARTIC, 0.1, [0.007, 0.014]),
        ("x^4/4 - x^2/2 + 0.3*x", 0.3, [0.005, 0.01]),
        (SHARP, 0.1, [0.0004, 0.0008]),
        (SHARP, 0.2, [0.0004, 0.0008]),
        (SMOOTH, 0.1, [0.0035, 0.007]),
        (SMOOTH, 0.3, [0.0035, 0.007]),
    ] {
        let line = Known::of(&["x"], formula, temperature);
        for step in steps {
            let first = line.first_order(step).unwrap_or_else(|error| panic!("{formula}, δ = {step}: {error}"));
            let left = log_odds(&line.on_line(step), 0, 1) - log_odds(&first.occupancies, 0, 1);
            let bound = first.bounds.log_odds(0, 1);
            assert!(left.abs() <= bound, "{formula}, T = {temperature}, δ = {step}: {left}, bound {bound}");
            assert!(left.abs() >= 0.2 * bound, "{formula}, T = {temperature}, δ = {step}: {left}, bound {bound}");
        }
    }
}

/// The same in the plane, where no coordinates are independent.
#[test]
fn the_bound_holds_in_the_plane() {
    let well = |x: f64, y: f64, loss: f64, h: [f64; 3]| Well {
        position: vec![x, y],
        loss,
        hessian: nalgebra::dmatrix![h[0], h[1]; h[1], h[2]],
    };
    let three = [
        well(-1.0, -0.5, 0.0, [3.0, 0.6, 2.0]),
        well(0.9, -0.4, 0.1, [1.4, -0.3, 0.8]),
        well(0.0, 1.3, 0.15, [1.0, 0.1, 2.2]),
    ];
    let three = Known::new(Arc::new(Wells::new(&three, 0.4).unwrap()), &[[-4.0, 4.0]; 2], 0.2);
    let bent = Known::of(&["x", "y"], "x^4/4 - x^2/2 + 0.1*x + (y - 0.3*x^2)^2", 0.15);
    for (known, step) in [(&three, 0.008), (&bent, 0.01)] {
        let first = known.first_order(step).unwrap_or_else(|error| panic!("{error}"));
        let exact = known.on_plane(step);
        for b in 1..known.landscape.minima.len() {
            let left = log_odds(&exact.occupancies, 0, b) - log_odds(&first.occupancies, 0, b);
            let (bound, own) = (first.bounds.log_odds(0, b), exact.bounds.log_odds(0, b));
            assert!(left.abs() <= bound + own, "{b}: {left}, bounds {bound} {own}");
        }
    }
}

/// Sharp places that no minimum and no saddle shows: where they are is told, and there is no first order.
#[test]
fn sharp_places_off_the_critical_points_are_seen() {
    // A wall on the way; a narrow ridge on the slope beside the way, a thermal width off; a steep rim within the mass.
    let wall = "x^4/4 - x^2/2 + 0.1*x - 0.02*tanh((x - 0.25)/0.02)";
    let rim = "x^4/4 - x^2/2 + 0.1*x + 0.02*softplus((x^2 - 2)/0.02)";
    let ridge = "0.003*exp(-(y - 0.45)^2/0.0004)";
    let step = 0.01;
    for (formula, variables, temperature, part) in [
        (format!("{wall} + y^2/2"), 2, 0.02, "on the way from minimum A to minimum B"),
        (format!("{rim} + y^2/2"), 2, 0.1, "within the mass of basin"),
        (format!("{QUARTIC} + y^2/2 + {ridge}"), 2, 0.1, "within the mass of basin"),
        (format!("{wall} + y^2/2 + z^2/2 + 0.1*y*z + 0.05*x*y"), 3, 0.02, "on the way from minimum A to minimum B"),
        (format!("{rim} + y^2/2 + z^2/2 + 0.1*y*z + 0.05*x*y"), 3, 0.1, "within the mass of basin"),
    ] {
        let known = Known::of(&["x", "y", "z"][..variables], &formula, temperature);
        let largest = known.landscape.largest_curvature() * step;
        assert!(largest < LIMIT, "{formula}: the critical points alone would show it, {largest}");
        let error = known.first_order(step).unwrap_err();
        let NoFirstOrder::TooSharp { found, part: where_, .. } = &error else { panic!("{error}") };
        assert!(*found > LIMIT && where_.starts_with(part), "{formula}: {error}");
        assert!(error.to_string().contains("at θ = ("), "{error}");
        if variables == 3 {
            // With nothing else to turn to, there is no rung.
            let missing = known.case(step).stationary(Some(&known.gibbs), Care::Thorough).unwrap_err();
            assert!(matches!(missing, NoFiniteStep::Neither { .. }), "{missing}");
        }
        // A smaller step is small enough for them too.
        assert!(known.first_order(0.05 * step).is_ok());
    }
}

/// A wall narrower than a step, which slopes on either side do not show: only that the loss is lower there than its parabola told.
#[test]
fn a_thin_wall_on_the_way_is_not_stepped_over() {
    for width in [1e-4, 3e-5, 1e-5] {
        let along = format!("(x - 0.25)/{width}");
        let wall = format!("0.02*(softplus({along} + 1) - softplus({along} - 1))");
        let formula = format!("x^4/4 - x^2/2 + 0.1*x - {wall} + y^2/2");
        let error = Known::of(&["x", "y"], &formula, 0.02).first_order(0.01).unwrap_err();
        let NoFirstOrder::TooSharp { found, part, .. } = &error else { panic!("{width}: {error}") };
        // The slope of the logistic function differs between u + 1 and u − 1 by at most 0.1649.
        let sharpest = 0.02 * 0.164_9 / (width * width) * 0.01;
        assert!(*found > 0.5 * sharpest && *found < 1.01 * sharpest, "{width}: {found}, not {sharpest}");
        assert!(part.starts_with("on the way from minimum A to minimum B"), "{width}: {error}");
    }
}

/// A chain whose wells are not stable has no law, and a lattice that is too large gives way to the first order, if that holds.
#[test]
fn what_has_no_law_on_the_lattice() {
    let bent = "x^4/4 - x^2/2 + 0.1*x + (y - 0.3*x^2)^2";
    let known = Known::of(&["x", "y"], bent, 0.2);
    let at = |step: f64| {
        let Known { loss, landscape, domain, temperature, .. } = &known;
        plane::stationary(loss.as_ref(), landscape, domain, *temperature, step)
    };
    assert_eq!(at(1.5).unwrap_err(), NoDiscreteLaw::NotConfined);
    assert!(matches!(at(1e-7), Err(NoDiscreteLaw::TooFine(_))));
    let small = known.case(1e-7).stationary(Some(&known.gibbs), Care::Thorough).unwrap();
    assert!(matches!(small.method, Method::FirstOrder(_)));
    // A question that asks many times does not wait for the operator.
    let at_once = |care: Care| known.case(0.1).stationary(Some(&known.gibbs), care);
    assert!(matches!(at_once(Care::Quick), Err(NoFiniteStep::Neither { operator: None, .. })));
    assert!(matches!(at_once(Care::Thorough).unwrap().method, Method::Plane));
}

/// Wells in space, of which no coordinate is independent: the discrete rung is a first order.
const IN_SPACE: &str = r#"
name = "in-space"
[loss]
kind = "wells"
smoothing = 0.5
domain = [[-3.0, 3.0], [-3.0, 3.0], [-3.0, 3.0]]
[[loss.well]]
position = [-0.9, 0.0, 0.2]
loss = 0.0
hessian = [[3.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 2.0]]
[[loss.well]]
position = [0.9, 0.0, 0.0]
loss = 0.1
hessian = [[1.0, 0.1, 0.0], [0.1, 1.5, 0.0], [0.0, 0.0, 1.0]]
[noise]
kind = "temperature"
value = 0.3
[dynamics]
step = 0.01
[ensemble]
replicas = 64
steps = 20_000
burn_in = 1_000
[test]
against = "discrete"
"#;

/// What the first order leaves out goes with it into the contrast, the table and the page, and bars what takes a rung as exact.
#[test]
fn a_rung_with_a_bound_decides_with_it() {
    let loaded = parse(IN_SPACE, "in-space.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    let setting = prepare(&loaded).unwrap();
    let stop = AtomicBool::new(false);
    let predicted = predict(&loaded, &setting).unwrap();
    let (findings, _) = run(&loaded, &setting, &mut Control { monitor: &mut |_| (), stop: &stop }).unwrap();
    let loss = loaded.scenario.loss.build().unwrap();
    let known = Known::new(loss, &loaded.scenario.loss.domain, 0.3);
    let expected = known.first_order(0.01).unwrap();
    let bound = expected.bounds.log_odds(0, 1);
    assert!(bound > 1e-5, "{bound}");
    for findings in [&predicted, &findings] {
        let claim = |id: &str| findings.claims.iter().find(|claim| claim.id == id).unwrap();
        // T = nσ²/2 of the scenario may differ from what was typed by its last bit.
        let found = claim("occupancy-discrete").contrasts[0].predicted_bound.unwrap();
        assert!((found / bound - 1.0).abs() < 1e-12, "{found}, not {bound}");
        assert_eq!(claim("occupancy-gibbs").contrasts[0].predicted_bound, None);
        let [a, b, other] = findings.occupancy.as_slice() else { panic!("two minima and other") };
        for (found, expected) in [a, b].iter().zip(&expected.occupancies) {
            assert!((found.discrete.unwrap() / expected - 1.0).abs() < 1e-9);
        }
        let of_occupancy = expected.bounds.of_occupancies(&expected.occupancies, known.gibbs.other);
        for (found, expected) in [a, b].iter().zip(&of_occupancy) {
            assert!((found.discrete_bound.unwrap() / expected - 1.0).abs() < 1e-9);
        }
        assert_eq!(other.discrete_bound, None);
        let note = findings.notes.iter().find(|note| note.starts_with("discrete is the first order")).unwrap();
        assert!(note.contains("widens every interval"), "{note}");
    }
    let all_basins = &findings.diagnostics.unwrap().all_basins;
    let p_value = |rung: &str| all_basins.iter().find(|test| test.against == rung).unwrap().p_value;
    assert!(p_value("gibbs").is_some() && p_value("discrete").is_none());
}

/// A user's own functions say nothing of independent coordinates.
#[test]
fn closures_are_one_part() {
    let value = |x: &[f64]| x[0] * x[0] + x[1] * x[1];
    let gradient = |x: &[f64], g: &mut [f64]| g.copy_from_slice(&[2.0 * x[0], 2.0 * x[1]]);
    assert_eq!(Closure::new(2, value, gradient).independent_coordinates(), [[0, 1]]);
}
