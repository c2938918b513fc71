//! Random formulas: against a plain evaluator to the last bit, blocks against points, derivatives against dual numbers.

use std::sync::atomic::{AtomicUsize, Ordering};

use num_dual::{DualNum, HyperDual64};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sgd_sde::loss::{LANES, Loss, expression::Expression};
use sgd_sde::math;

const VARIABLES: [&str; 3] = ["x", "y", "θ_2"];
const NUMBERS: [(&str, f64); 10] = [
    ("0", 0.0),
    ("1", 1.0),
    ("2.", 2.0),
    ("3", 3.0),
    (".5", 0.5),
    ("0.7", 0.7),
    ("1e-3", 1e-3),
    ("4", 4.0),
    ("1.3E+0", 1.3),
    ("k", -1.7),
];
const FUNCTIONS: [&str; 12] =
    ["sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "abs", "softplus", "sigmoid"];

#[derive(Clone, Debug)]
enum Tree {
    Number(usize),
    Variable(usize),
    Negate(Box<Tree>),
    Infix(char, Box<Tree>, Box<Tree>),
    Call(&'static str, Box<Tree>),
    Fold(&'static str, Vec<Tree>),
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        1 => (0..NUMBERS.len()).prop_map(Tree::Number),
        2 => (0..VARIABLES.len()).prop_map(Tree::Variable),
    ];
    leaf.prop_recursive(7, 48, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let power = (inner.clone(), 0..NUMBERS.len());
        prop_oneof![
            2 => inner.clone().prop_map(|a| Tree::Negate(Box::new(a))),
            8 => (proptest::sample::select(vec!['+', '-', '*', '/']), pair.clone())
                .prop_map(|(sign, (a, b))| Tree::Infix(sign, Box::new(a), Box::new(b))),
            2 => power.prop_map(|(a, n)| Tree::Infix('^', Box::new(a), Box::new(Tree::Number(n)))),
            1 => pair.prop_map(|(a, b)| Tree::Infix('^', Box::new(a), Box::new(b))),
            5 => (proptest::sample::select(FUNCTIONS.to_vec()), inner.clone())
                .prop_map(|(name, a)| Tree::Call(name, Box::new(a))),
            1 => (proptest::sample::select(vec!["min", "max"]), prop::collection::vec(inner, 2..4))
                .prop_map(|(name, list)| Tree::Fold(name, list)),
        ]
    })
}

/// The tree as text with as few parentheses as the grammar allows; `least` is the precedence the place asks for.
fn write(tree: &Tree, least: u8, text: &mut String) {
    let mut enclosed = |precedence: u8, inner: &dyn Fn(&mut String)| {
        if precedence < least {
            text.push('(');
            inner(text);
            text.push(')');
        } else {
            inner(text);
        }
    };
    match tree {
        Tree::Number(index) => text.push_str(NUMBERS[*index].0),
        Tree::Variable(index) => text.push_str(VARIABLES[*index]),
        Tree::Negate(a) => enclosed(3, &|text| {
            text.push('-');
            write(a, 3, text);
        }),
        Tree::Infix(sign, a, b) => {
            let (precedence, left, right) = match sign {
                '+' | '-' => (1, 1, 2),
                '*' | '/' => (2, 2, 3),
                _ => (4, 5, 3),
            };
            enclosed(precedence, &|text| {
                write(a, left, text);
                text.push_str(if precedence == 1 { " " } else { "" });
                text.push(*sign);
                write(b, right, text);
            });
        }
        Tree::Call(name, a) => {
            text.push_str(name);
            text.push('(');
            write(a, 0, text);
            text.push(')');
        }
        Tree::Fold(name, list) => {
            text.push_str(name);
            for (index, argument) in list.iter().enumerate() {
                text.push(if index == 0 { '(' } else { ',' });
                write(argument, 0, text);
            }
            text.push(')');
        }
    }
}

fn formula(tree: &Tree) -> String {
    let mut text = String::new();
    write(tree, 0, &mut text);
    text
}

fn expression(tree: &Tree) -> Expression {
    let variables = VARIABLES.map(String::from);
    let text = formula(tree);
    Expression::new(&variables, &[("k".into(), -1.7)], &text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// A whole exponent that needs no variable: such powers are products.
fn whole_exponent(exponent: &Tree) -> Option<i32> {
    let value = is_constant(exponent).then(|| evaluate(exponent, &[f64::NAN; 3]))?;
    (value.trunc() == value && value.abs() <= 64.0).then_some(value as i32)
}

fn is_constant(tree: &Tree) -> bool {
    match tree {
        Tree::Number(_) => true,
        Tree::Variable(_) => false,
        Tree::Negate(a) | Tree::Call(_, a) => is_constant(a),
        Tree::Infix('^', a, b) => whole_exponent(b) == Some(0) || is_constant(a) && is_constant(b),
        Tree::Infix(_, a, b) => is_constant(a) && is_constant(b),
        Tree::Fold(_, list) => list.iter().all(is_constant),
    }
}

/// The value, straight down the tree.
fn evaluate(tree: &Tree, point: &[f64]) -> f64 {
    match tree {
        Tree::Number(index) => NUMBERS[*index].1,
        Tree::Variable(index) => point[*index],
        Tree::Negate(a) => -evaluate(a, point),
        Tree::Infix(sign, left, right) => {
            let (a, b) = (evaluate(left, point), evaluate(right, point));
            match (sign, whole_exponent(right)) {
                ('+', _) => a + b,
                ('-', _) => a - b,
                ('*', _) => a * b,
                ('/', _) => a / b,
                (_, Some(exponent)) => math::powi(a, exponent),
                (_, None) => math::pow(a, b),
            }
        }
        Tree::Call(name, a) => {
            let a = evaluate(a, point);
            match *name {
                "sqrt" => a.sqrt(),
                "exp" => math::exp(a),
                "log" => math::ln(a),
                "sin" => math::sin(a),
                "cos" => math::cos(a),
                "tan" => math::tan(a),
                "tanh" => math::tanh(a),
                "sinh" => math::sinh(a),
                "cosh" => math::cosh(a),
                "abs" => a.abs(),
                "sigmoid" => math::logistic(a),
                _ => math::softplus(a),
            }
        }
        Tree::Fold(name, list) => {
            let values = list.iter().map(|a| evaluate(a, point));
            values
                .reduce(|a, b| {
                    if a.is_nan() || b.is_nan() {
                        f64::NAN
                    } else if *name == "min" {
                        if b < a { b } else { a }
                    } else if b > a {
                        b
                    } else {
                        a
                    }
                })
                .unwrap()
        }
    }
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn coordinates() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -3.0..3.0f64,
        1 => proptest::sample::select(vec![0.0, -0.0, 1.0, -1.0, 2.0, 1e300, f64::INFINITY, f64::NAN, 5e-324]),
        1 => proptest::num::f64::ANY,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_and_blocks_have_the_bits_of_a_plain_evaluation(
        tree in trees(),
        theta in prop::collection::vec(coordinates(), 3 * LANES),
    ) {
        let loss = expression(&tree);
        let mut scratch = vec![f64::NAN; loss.block_scratch()];
        let mut values = [0.0; LANES];
        let mut slopes = [0.0; 3 * LANES];
        loss.value_block(&theta, &mut values, &mut scratch);
        loss.gradient_block(&theta, &mut slopes, &mut scratch);
        for lane in 0..LANES {
            let point = [theta[lane], theta[LANES + lane], theta[2 * LANES + lane]];
            let expected = evaluate(&tree, &point);
            let value = loss.value(&point);
            // Elsewhere something overflows on the way: what is right then is the subject of `tests/derivatives`.
            let is_right = same(value, expected) || !expected.is_finite();
            prop_assert!(is_right, "{} at {point:?}: {value:e}, not {expected:e}", formula(&tree));
            prop_assert!(same(values[lane], value), "{} at {point:?}: block {:e}, point {value:e}", formula(&tree), values[lane]);
            let mut slope = [0.0; 3];
            loss.gradient(&point, &mut slope);
            for i in 0..3 {
                let found = slopes[i * LANES + lane];
                prop_assert!(same(found, slope[i]), "{} at {point:?}: block {found:e}, point {:e}", formula(&tree), slope[i]);
            }
        }
    }
}

/// Evaluates with dual numbers; `scale` grows to the largest magnitude met, and to ∞ next to a kink.
fn evaluate_dual(tree: &Tree, point: &[HyperDual64; 3], scale: &mut f64) -> HyperDual64 {
    let mut branch = |a: &Tree| evaluate_dual(a, point, scale);
    let mut kink = false;
    let result = match tree {
        Tree::Number(index) => HyperDual64::from(NUMBERS[*index].1),
        Tree::Variable(index) => point[*index],
        Tree::Negate(a) => -branch(a),
        Tree::Infix(sign, left, right) => {
            let (a, b) = (branch(left), branch(right));
            match (sign, whole_exponent(right)) {
                ('+', _) => a + b,
                ('-', _) => a - b,
                ('*', _) => a * b,
                ('/', _) => a / b,
                (_, Some(exponent)) => a.powi(exponent),
                (_, None) if is_constant(right) => a.powf(b.re),
                (_, None) => (b * a.ln()).exp(),
            }
        }
        Tree::Call(name, a) => {
            let a = branch(a);
            match *name {
                "sqrt" => a.sqrt(),
                "exp" => a.exp(),
                "log" => a.ln(),
                "sin" => a.sin(),
                "cos" => a.cos(),
                "tan" => a.tan(),
                "tanh" => a.tanh(),
                "sinh" => a.sinh(),
                "cosh" => a.cosh(),
                "abs" => {
                    kink = a.re.abs() < 1e-9;
                    if a.re < 0.0 { -a } else { a }
                }
                "sigmoid" => ((-a).exp() + 1.0).recip(),
                _ => (a.exp() + 1.0).ln(),
            }
        }
        Tree::Fold(name, list) => {
            let mut result = branch(&list[0]);
            for other in &list[1..] {
                let other = branch(other);
                kink |= (other.re - result.re).abs() < 1e-9;
                if (*name == "min") == (other.re < result.re) {
                    result = other;
                }
            }
            result
        }
    };
    for part in [result.re, result.eps1, result.eps2, result.eps1eps2] {
        *scale = if part.is_nan() || kink { f64::INFINITY } else { scale.max(part.abs()) };
    }
    result
}

#[test]
fn derivatives_agree_with_dual_numbers() {
    let compared = AtomicUsize::new(0);
    let config = ProptestConfig { cases: 10000, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (trees(), prop::array::uniform3(-3.0..3.0f64));
    let result = TestRunner::new(config).run(&strategy, |(tree, point)| {
        let mut scale = 1.0;
        let mut expected_slope = [0.0; 3];
        let mut expected_hessian = [[0.0; 3]; 3];
        for (i, j) in (0..9).map(|place| (place / 3, place % 3)) {
            let seed = |k: usize| HyperDual64::new(point[k], f64::from(k == i), f64::from(k == j), 0.0);
            let result = evaluate_dual(&tree, &[seed(0), seed(1), seed(2)], &mut scale);
            expected_slope[i] = result.eps1;
            expected_hessian[i][j] = result.eps1eps2;
        }
        // Beyond, or where it is not defined or has a kink, rounding alone may exceed the tolerance.
        if scale > 1e3 {
            return Ok(());
        }
        compared.fetch_add(1, Ordering::Relaxed);
        let loss = expression(&tree);
        let mut slope = [0.0; 3];
        loss.gradient(&point, &mut slope);
        let hessian = loss.hessian(&point);
        let tolerance = 1e-9 * scale;
        let close = |found: f64, expected: f64| (found - expected).abs() <= tolerance;
        for i in 0..3 {
            prop_assert!(
                close(slope[i], expected_slope[i]),
                "{} at {point:?}: {slope:?}, not {expected_slope:?}",
                formula(&tree)
            );
            for j in 0..3 {
                let (found, expected) = (hessian[(i, j)], expected_hessian[i][j]);
                prop_assert!(
                    close(found, expected),
                    "{} at {point:?}: H_{i}{j} {found:e}, not {expected:e}",
                    formula(&tree)
                );
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let compared = compared.into_inner();
    assert!(compared > 4000, "only {compared} trees were smooth enough to compare");
}
