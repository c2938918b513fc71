//! Formulas as losses: values, derivatives where they are known exactly, and sizes that would break a recursion.

#![allow(clippy::print_stderr)]

use std::time::{Duration, Instant};

use sgd_sde::loss::{LANES, Loss, expression::Expression};
use sgd_sde::math;

fn loss(formula: &str) -> Expression {
    let variables = ["x", "y"].map(String::from);
    match Expression::new(&variables, &[("tilt".into(), 0.1)], formula) {
        Ok(loss) => loss,
        Err(error) => panic!("{}: {error:?}", &formula[..formula.len().min(100)]),
    }
}

fn gradient(loss: &Expression, theta: &[f64]) -> Vec<f64> {
    let mut gradient = vec![f64::NAN; loss.dimension()];
    loss.gradient(theta, &mut gradient);
    gradient
}

#[test]
fn precedence_and_values() {
    let (x, y) = (3.0, -2.0);
    let e = std::f64::consts::E;
    let table = [
        ("-x^2", -9.0),
        ("2^3^2", 512.0),
        ("2^-x", 0.125),
        ("2^-x^2", 1.0 / 512.0),
        ("2^-x*8", 1.0),
        ("(2^3)^2", 64.0),
        ("-x*y", 6.0),
        ("x-y-1", 4.0),
        ("x/y/3", -0.5),
        ("x-(y-1)", 6.0),
        ("6/2*x", 9.0),
        ("2+3*x", 11.0),
        ("x*-y", 6.0),
        ("x - -y", 1.0),
        ("--x", 3.0),
        ("+x", 3.0),
        ("-+-x", 3.0),
        ("x^0", 1.0),
        ("x^1", 3.0),
        ("y^3", -8.0),
        ("y^-2", 0.25),
        ("y^2", 4.0),
        ("(-y)^x", 8.0),
        ("y^x", -8.0),
        ("2^0.5", math::pow(2.0, 0.5)),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("2.", 2.0),
        ("1E+3", 1000.0),
        ("pi", std::f64::consts::PI),
        ("e", e),
        ("e^2", e * e),
        ("2*e-3", 2.0 * e - 3.0),
        ("tilt*10", 1.0),
        ("sqrt(x+1)", 2.0),
        ("exp(0)", 1.0),
        ("log(exp(1))", 1.0),
        ("log(e)", 1.0),
        ("cos(0)", 1.0),
        ("sin(0)", 0.0),
        ("tan(0)", 0.0),
        ("tanh(100)", 1.0),
        ("sinh(0)", 0.0),
        ("cosh(0)", 1.0),
        ("abs(y)", 2.0),
        ("min(x, y)", -2.0),
        ("max(x, y, 7, 1)", 7.0),
        ("min(x, y, max(-5, -6))", -5.0),
        ("softplus(1000)", 1000.0),
        ("softplus(0)", std::f64::consts::LN_2),
        ("sigmoid(0)", 0.5),
        ("sigmoid(-800*x)", 0.0),
        ("sigmoid(y)", math::logistic(-2.0)),
        ("((((x))))", 3.0),
        ("\tx\n +\r y ", 1.0),
    ];
    for (formula, expected) in table {
        assert_eq!(loss(formula).value(&[x, y]), expected, "{formula}");
    }
    assert!(loss("sqrt(y)").value(&[x, y]).is_nan());
    assert!(loss("0*log(y)").value(&[x, y]).is_nan());
    assert!(loss("0*x").value(&[f64::INFINITY, y]).is_nan());
    assert_eq!(loss("x + y").formula(), "x + y");
    assert_eq!(loss("x + y").variables(), ["x", "y"]);
}

#[test]
fn the_gradient_of_the_quartic_is_exact() {
    let loss = loss("x^4/4 - x^2/2 + tilt*x");
    let mut scratch = vec![0.0; loss.block_scratch()];
    let mut block = vec![0.0; 2 * LANES];
    for step in 0..2000 {
        let x = f64::from(step) * 0.00317 - 3.1;
        let expected = x * x * x - x + 0.1;
        assert_eq!(gradient(&loss, &[x, 0.0]), [expected, 0.0]);
        block[..LANES].fill(x);
        let mut slopes = [0.0; 2 * LANES];
        loss.gradient_block(&block, &mut slopes, &mut scratch);
        assert_eq!(slopes[7], expected);
        assert_eq!(loss.value(&[x, 0.0]), (x * x) * (x * x) / 4.0 - x * x / 2.0 + 0.1 * x);
        let hessian = loss.hessian(&[x, 0.0]);
        assert_eq!((hessian[(0, 0)], hessian[(1, 1)], hessian[(0, 1)]), (3.0 * (x * x) - 1.0, 0.0, 0.0));
    }
}

#[test]
fn derivatives_where_there_is_none_follow_the_stated_choice() {
    assert_eq!(gradient(&loss("abs(x)"), &[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(gradient(&loss("abs(x)"), &[-2.0, 0.0]), [-1.0, 0.0]);
    assert_eq!(gradient(&loss("min(x, 3*y)"), &[0.0, 0.0]), [1.0, 0.0]);
    assert_eq!(gradient(&loss("max(2*y, x)"), &[0.0, 0.0]), [0.0, 2.0]);
    assert_eq!(gradient(&loss("max(x, y)"), &[0.0, 1.0]), [0.0, 1.0]);
    assert_eq!(gradient(&loss("sqrt(x)"), &[0.0, 0.0]), [f64::INFINITY, 0.0]);
    assert_eq!(gradient(&loss("x^1.5"), &[4.0, 0.0]), [3.0, 0.0]);
    assert_eq!(gradient(&loss("tilt*3"), &[4.0, 0.0]), [0.0, 0.0]);
    // Slopes far out keep their relative accuracy instead of cancelling to 0.
    let far = gradient(&loss("tanh(x)"), &[50.0, 0.0])[0];
    assert!((far / (4.0 * math::exp(-100.0)) - 1.0).abs() < 1e-14);
}

#[test]
fn products_with_the_hessian() {
    let loss = loss("x^2*y + exp(x*y)");
    let theta = [0.3, -0.7];
    let hessian = loss.hessian(&theta);
    let mut product = [0.0; 2];
    loss.hessian_product(&theta, &[2.0, -1.0], &mut product);
    for i in 0..2 {
        assert!((product[i] - (2.0 * hessian[(i, 0)] - hessian[(i, 1)])).abs() < 1e-14);
    }
    let e = math::exp(theta[0] * theta[1]);
    let expected = [2.0 * theta[1] + theta[1] * theta[1] * e, 2.0 * theta[0] + e + theta[0] * theta[1] * e];
    assert!((hessian[(0, 0)] - expected[0]).abs() < 1e-14 && (hessian[(0, 1)] - expected[1]).abs() < 1e-14);
    assert_eq!(hessian[(0, 1)], hessian[(1, 0)]);
}

/// Columns are found some side by side; each has the bits of its own product, also where one needs another form of its derivative.
#[test]
fn hessians_of_many_variables() {
    let variables: Vec<String> = (0..19).map(|i| format!("x{i}")).collect();
    let neighbours = variables.windows(2).map(|pair| format!("sin({}*{})", pair[0], pair[1])).collect::<Vec<_>>();
    let formula = neighbours.join("+") + "+ sqrt(x17^2)*x3 + tanh(500*x18)";
    let loss = Expression::new(&variables, &[], &formula).unwrap();
    let theta: Vec<f64> = (0..19).map(|i| 0.3 * i as f64 - 2.0).collect();
    let hessian = loss.hessian(&theta);
    for j in 0..19 {
        let (mut direction, mut product) = (vec![0.0; 19], vec![0.0; 19]);
        direction[j] = 1.0;
        loss.hessian_product(&theta, &direction, &mut product);
        for i in 0..=j {
            assert_eq!(hessian[(i, j)].to_bits(), product[i].to_bits(), "{i} {j}");
            assert_eq!(hessian[(i, j)], hessian[(j, i)]);
        }
    }
    let [a, b] = [theta[8] * theta[9], theta[8] * theta[8]];
    let own = theta[7] * theta[7] * -math::sin(theta[7] * theta[8]) - theta[9] * theta[9] * math::sin(a);
    assert!((hessian[(8, 8)] - own).abs() < 1e-13);
    assert!(
        (hessian[(9, 9)] + b * math::sin(a) + theta[10] * theta[10] * math::sin(theta[9] * theta[10])).abs() < 1e-13
    );
}

/// Builds, evaluates and drops a large formula on a thread with a small stack, within a generous time.
fn survives(name: &str, formula: String, x: f64) -> f64 {
    let started = Instant::now();
    let work = move || {
        let loss = loss(&formula);
        let theta = vec![x; 2 * LANES];
        let mut slopes = vec![0.0; 2 * LANES];
        let mut scratch = vec![0.0; loss.block_scratch()];
        loss.gradient_block(&theta, &mut slopes, &mut scratch);
        assert_eq!(slopes[0].to_bits(), gradient(&loss, &theta[..2])[0].to_bits());
        let _ = loss.hessian(&theta[..2]);
        loss.value(&theta[..2])
    };
    let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(work).unwrap();
    let value = thread.join().unwrap();
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(20), "{name} took {taken:?}");
    // Shown by `cargo test --test expression -- --nocapture`.
    eprintln!("{name}: {taken:?}");
    value
}

#[test]
fn size_and_nesting_never_overflow_the_stack() {
    const MANY: usize = 100_000;
    let nest = |head: &str, many: usize| head.repeat(many) + "x" + &")".repeat(many);
    assert_eq!(survives("parentheses", nest("(", MANY), 2.0), 2.0);
    assert!(survives("sin(sin(…))", nest("sin(", MANY), 2.0).is_finite());
    assert!(survives("tanh(tanh(…))", nest("tanh(", MANY), 2.0).is_finite());
    assert_eq!(survives("x+x+…", "x+".repeat(MANY) + "x", 1.0), MANY as f64 + 1.0);
    assert_eq!(survives("signs", "-".repeat(MANY) + "x", 2.0), 2.0);
    assert_eq!(survives("x*x*…", "x*".repeat(MANY) + "x", 1.0), 1.0);
    assert_eq!(survives("x^x^…", "x^".repeat(MANY / 2) + "x", 1.0), 1.0);
    assert_eq!(survives("x/(x/(…", nest("x/(", MANY / 2), 1.0), 1.0);
    assert_eq!(survives("max(1,max(1,…", nest("max(1,", MANY / 2), 2.0), 2.0);
    assert_eq!(survives("max(x,x,…)", format!("max({}x)", "x*1,".repeat(MANY)), 2.0), 2.0);
    let terms: String = (0..20_000).map(|i| format!("{i}.5*x^2+")).collect();
    assert!(survives("many constants", terms + "y", 1.0) > 0.0);
}

#[test]
fn many_variables() {
    let variables: Vec<String> = (0..2000).map(|i| format!("x{i}")).collect();
    let formula = variables.iter().map(|name| format!("({name}^2-1)^2")).collect::<Vec<_>>().join("+");
    let loss = Expression::new(&variables, &[], &formula).unwrap();
    let theta = vec![0.5; 2000];
    assert!(gradient(&loss, &theta).iter().all(|&slope| slope == -1.5));
    // One slot per intermediate result that is alive, not one per operation.
    assert!(loss.block_scratch() < 5000 * LANES);
    let mut product = vec![0.0; 2000];
    loss.hessian_product(&theta, &vec![1.0; 2000], &mut product);
    assert!(product.iter().all(|&curvature| curvature == -1.0));
}
