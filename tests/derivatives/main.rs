//! Derivatives that are finite come out finite and right, wherever f64 overflows or meets 0·∞ on the way.

#![allow(clippy::print_stderr)]

mod known;
mod precise;
mod trees;

use sgd_sde::loss::kernel::{Descent, StepSize};
use sgd_sde::loss::{LANES, Loss, expression::Expression};
use sgd_sde::math;

use self::precise::Precise;
use self::trees::{Evaluation, Random, Tree, formula, write};

/// How many random formulas.
const FORMULAS: usize = 100_000;

fn loss(formula: &str) -> Expression {
    Expression::new(&["x".into(), "y".into()], &[], formula).unwrap_or_else(|error| panic!("{formula}: {error:?}"))
}

/// ∂x, ∂y, ∂xx, ∂xy, ∂yy.
fn derivatives(loss: &Expression, point: &[f64; 2]) -> [f64; 5] {
    let mut slope = [0.0; 2];
    loss.gradient(point, &mut slope);
    let hessian = loss.hessian(point);
    [slope[0], slope[1], hessian[(0, 0)], hessian[(0, 1)], hessian[(1, 1)]]
}

/// Errors below do not count: factors on the way may be subnormal.
const NEGLIGIBLE: f64 = 1e-100;

/// Directions of the points next to one.
const NEARBY: [[f64; 2]; 4] = [[1.0, 0.7], [-1.0, -0.7], [0.6, -1.0], [-0.6, 1.0]];

/// What became of one derivative.
enum Outcome {
    /// There is none, it is no double, or rounding alone may make anything of it.
    NotJudged,
    /// Right within 10⁻¹⁰, or within what rounding does to the formula.
    Right {
        relative_error: f64,
    },
    /// Right as the limit of precise derivatives nearby.
    RightLimit,
    Wrong {
        expected: f64,
    },
}

fn judge(tree: &Tree, point: [f64; 2], found: [f64; 5], random: &mut Random) -> [Outcome; 5] {
    let here = |rounding: Option<&mut Random>| {
        let mut evaluation = Evaluation { point: point.map(Precise::new), rounding, infinite: [false; 2] };
        (evaluation.jet(tree), evaluation.infinite)
    };
    let (exact, infinite) = here(None);
    if !exact.value.to_f64().is_finite() {
        return [const { Outcome::NotJudged }; 5];
    }
    let exact = exact.derivatives();
    let mut rounded: Option<[[Precise; 5]; 2]> = None;
    let mut nearby: Option<[[f64; 5]; 8]> = None;
    std::array::from_fn(|k| {
        let expected = exact[k].to_f64();
        let error = (found[k] - expected).abs();
        if expected.is_finite() {
            if error <= 1e-10 * expected.abs() + NEGLIGIBLE {
                let relative_error = if expected.abs() > 1e10 * NEGLIGIBLE { error / expected.abs() } else { 0.0 };
                return Outcome::Right { relative_error };
            }
            let rounded = rounded.get_or_insert_with(|| [0, 1].map(|_| here(Some(random)).0.derivatives()));
            let spread = rounded.iter().map(|other| (other[k] - exact[k]).to_f64().abs()).fold(0.0, f64::max);
            let is_conditioned = spread <= 1e-6 * expected.abs();
            return if !is_conditioned {
                Outcome::NotJudged
            } else if error <= 1e3 * spread {
                Outcome::Right { relative_error: 0.0 }
            } else {
                Outcome::Wrong { expected }
            };
        }
        if !exact[k].is_nan() || infinite[usize::from(k >= 2)] {
            return Outcome::NotJudged;
        }
        let nearby = nearby.get_or_insert_with(|| {
            std::array::from_fn(|i| {
                let step = [1e-18, 1e-22][i / 4];
                let moved = [0, 1].map(|j| Precise::new(point[j]) + Precise::new(step * NEARBY[i % 4][j]));
                Evaluation { point: moved, rounding: None, infinite: [false; 2] }
                    .jet(tree)
                    .derivatives()
                    .map(Precise::to_f64)
            })
        });
        let (all, expected) = (nearby.map(|all| all[k]), nearby[4][k]);
        let tolerance = 1e-7 * expected.abs().max(1.0);
        if !all.iter().all(|other| (other - expected).abs() <= tolerance) {
            Outcome::NotJudged
        } else if (found[k] - expected).abs() <= tolerance {
            Outcome::RightLimit
        } else {
            Outcome::Wrong { expected }
        }
    })
}

fn coordinate(random: &mut Random) -> f64 {
    match random.below(4) {
        0 => random.one_of(&[0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 3.0]),
        1 => 6.0 * random.uniform() - 3.0,
        _ => 10f64.powf(5.0 * random.uniform() - 1.0) * random.one_of(&[1.0, -1.0]),
    }
}

#[derive(Default)]
struct Tally {
    right: usize,
    limits: usize,
    not_judged: usize,
    silent: usize,
    worst: f64,
    failures: Vec<String>,
}

fn examine(seed: u64, formulas: usize) -> Tally {
    let mut random = Random(seed);
    let mut tally = Tally::default();
    for _ in 0..formulas {
        let tree = formula(&mut random);
        let point = [coordinate(&mut random), coordinate(&mut random)];
        let text = write(&tree);
        let found = derivatives(&loss(&text), &point);
        for (k, outcome) in judge(&tree, point, found, &mut random).into_iter().enumerate() {
            match outcome {
                Outcome::NotJudged => tally.not_judged += 1,
                Outcome::RightLimit => tally.limits += 1,
                Outcome::Right { relative_error } => {
                    tally.right += 1;
                    tally.worst = tally.worst.max(relative_error);
                }
                Outcome::Wrong { expected } => {
                    tally.silent += usize::from(found[k].is_nan());
                    tally.failures.push(format!("{text} at {point:?}, {k}: {:e}, not {expected:e}", found[k]));
                }
            }
        }
    }
    tally
}

#[test]
fn random_formulas_have_no_silent_nan() {
    let halves = std::thread::scope(|scope| {
        let threads = [1, 2].map(|seed| scope.spawn(move || examine(seed, FORMULAS / 2)));
        threads.map(|thread| thread.join().unwrap())
    });
    for Tally { right, limits, not_judged, silent, worst, failures } in halves {
        // Shown by `cargo test --test derivatives -- --nocapture`.
        eprintln!(
            "{right} derivatives right (relative error at most {worst:.1e} where well conditioned) and {limits} limits, \
             {not_judged} not judged, {} wrong, {silent} of them NaN",
            failures.len(),
        );
        for failure in failures.iter().take(20) {
            eprintln!("{failure}");
        }
        assert!(failures.is_empty());
        assert!(right > FORMULAS && limits > FORMULAS / 1000, "{right} {limits}");
    }
}

#[test]
fn new_functions_are_accurate() {
    let mut random = Random(5);
    let mut worst = [0.0f64; 2];
    for _ in 0..20_000 {
        let x = 10f64.powf(8.0 * random.uniform() - 5.5) * random.one_of(&[1.0, -1.0]);
        let cosh = (Precise::new(x).exp() + Precise::new(-x).exp()) * Precise::new(0.5);
        let exact = [Precise::new(1.0) / (cosh * cosh), cosh.ln()];
        for (i, found) in [math::sech_squared(x), math::ln_cosh(x)].into_iter().enumerate() {
            let error = ((Precise::new(found) - exact[i]) / exact[i]).to_f64().abs();
            if exact[i].to_f64() > 1e-300 {
                worst[i] = worst[i].max(error / f64::EPSILON);
            }
        }
    }
    eprintln!("relative errors in units of ε: sech² {:.2}, ln cosh {:.2}", worst[0], worst[1]);
    assert!(worst.iter().all(|&worst| worst < 4.0), "{worst:?}");
    assert_eq!([0.0, f64::INFINITY, -f64::INFINITY].map(math::sech_squared), [1.0, 0.0, 0.0]);
    assert_eq!([0.0, f64::INFINITY, -f64::INFINITY].map(math::ln_cosh), [0.0, f64::INFINITY, f64::INFINITY]);
    assert!(math::sech_squared(f64::NAN).is_nan() && math::ln_cosh(f64::NAN).is_nan());
}

#[test]
fn blocks_and_steps_have_the_bits_of_points() {
    let step = StepSize { drift: 0.01, diffusion: 0.3 };
    for formula in
        ["2/(3 + exp(-900*x)) + x^2*y^2", "sqrt(x^2 + y^2)^3", "log(exp(900*x) + exp(900*y)) + x^2", "log(x) + y"]
    {
        let loss = loss(formula);
        let mut random = Random(3);
        let mut theta: Vec<f64> = (0..2 * LANES).map(|_| (4.0 * random.uniform() - 2.0).round()).collect();
        theta[5] = f64::NAN;
        let noise: Vec<f64> = (0..2 * LANES * 7).map(|_| random.uniform() - 0.5).collect();
        let mut scratch = vec![f64::NAN; loss.block_scratch().max(loss.hessian_product_scratch())];
        let (mut slopes, mut products, mut values) = ([0.0; 2 * LANES], [0.0; 2 * LANES], [0.0; LANES]);
        let directions: Vec<f64> = (0..2 * LANES).map(|_| random.uniform()).collect();
        loss.gradient_block(&theta, &mut slopes, &mut scratch);
        loss.hessian_product_block(&theta, &directions, &mut products, &mut scratch);
        loss.value_block(&theta, &mut values, &mut scratch);
        let mut moved = theta.clone();
        let mut room = [0.0; 2 * LANES];
        loss.descend_block(Descent {
            theta: &mut moved,
            noise: &noise,
            step,
            gradient: &mut room,
            scratch: &mut scratch,
        });
        for lane in 0..LANES {
            let mut point = [theta[lane], theta[LANES + lane]];
            let (mut slope, mut product) = ([0.0; 2], [0.0; 2]);
            loss.gradient(&point, &mut slope);
            loss.hessian_product(&point, &[directions[lane], directions[LANES + lane]], &mut product);
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(same(values[lane], loss.value(&point)));
            for i in 0..2 {
                assert!(same(slopes[i * LANES + lane], slope[i]), "{formula} at {point:?}");
                assert!(same(products[i * LANES + lane], product[i]), "{formula} at {point:?}");
            }
            for noise in noise.chunks_exact(2 * LANES) {
                loss.gradient(&point, &mut slope);
                for i in 0..2 {
                    point[i] = (point[i] + step.diffusion * noise[i * LANES + lane]) - step.drift * slope[i];
                }
            }
            for i in 0..2 {
                assert!(
                    same(moved[i * LANES + lane], point[i]),
                    "{formula} from {:?}",
                    [theta[lane], theta[LANES + lane]]
                );
            }
        }
        if !formula.starts_with("log(x)") {
            assert!((0..LANES).all(|lane| lane == 5 || moved[lane].is_finite()), "{formula}");
        }
    }
}
