//! What a wrong formula is told, and where.

use sgd_sde::loss::expression::{Expression, FormulaError, MAXIMUM_LENGTH};

fn refusal(formula: &str) -> FormulaError {
    let variables = ["x", "y", "θ"].map(String::from);
    match Expression::new(&variables, &[("tilt".into(), 0.1)], formula) {
        Ok(_) => panic!("{formula} was accepted"),
        Err(error) => error,
    }
}

#[test]
fn every_mistake_has_its_place_and_its_message() {
    let expected = "a number, a name or `(`";
    let table: &[(&str, &str, &str)] = &[
        ("", "", "the formula is empty"),
        ("  \n", "  \n", "the formula is empty"),
        ("x^2 + tlit*x", "tlit", "unknown name `tlit`; did you mean `tilt`?"),
        ("z + x", "z", "unknown name `z`; known are x, y, θ, tilt, pi, e"),
        ("X^2", "X", "unknown name `X`; did you mean `x`?"),
        ("xy", "xy", "unknown name `xy`; did you mean `x*y`?"),
        ("ln(x)", "ln", "unknown function `ln`; did you mean `log`?"),
        ("sni(x)", "sni", "unknown function `sni`; did you mean `sin`?"),
        ("Exp(x)", "Exp", "unknown function `Exp`; did you mean `exp`?"),
        ("pow(x, 2)", "pow", "unknown function `pow`; did you mean `x^y`?"),
        (
            "gamma(x)",
            "gamma",
            "unknown function `gamma`; known are sqrt, exp, log, sin, cos, tan, tanh, sinh, cosh, abs, softplus, sigmoid, min, max",
        ),
        ("2x", "2x", "missing operator between `2` and `x`; did you mean `2*x`?"),
        ("1 + 2 x", "2 x", "missing operator between `2` and `x`; did you mean `2*x`?"),
        ("x y", "x y", "missing operator between `x` and `y`; did you mean `x*y`?"),
        ("x(y+1)", "x(", "missing operator between `x` and `(`; did you mean `x*(`?"),
        ("(x+1)(x-1)", ")(", "missing operator between `)` and `(`; did you mean `)*(`?"),
        ("2e", "2e", "missing operator between `2` and `e`; did you mean `2*e`?"),
        ("sin x", "sin x", "`sin` is a function: its arguments go in parentheses; did you mean `sin(x)`?"),
        ("x + exp", "exp", "`exp` is a function: its arguments go in parentheses"),
        ("(x + (y)", "(", "this `(` is never closed"),
        ("exp(x", "(", "this `(` is never closed"),
        ("x + y)", ")", "this `)` closes no parenthesis"),
        ("()", "()", &format!("empty parentheses; expected {expected}")),
        ("sin()", "sin()", "`sin` takes 1 argument, found 0"),
        ("sin(x, y)", "sin(x, y)", "`sin` takes 1 argument, found 2"),
        ("y + min(x)", "min(x)", "`min` takes 2 or more arguments, found 1"),
        ("max(x, )", ")", &format!("found `)` after `,`; expected {expected}")),
        ("(x, y)", ",", "found `,` outside the arguments of a function; decimals are written with a point, as in 0.5"),
        ("1,5*x", ",", "found `,` outside the arguments of a function; decimals are written with a point, as in 0.5"),
        ("x +", "+", &format!("the formula ends after `+`; expected {expected}")),
        ("* x", "*", &format!("the formula begins with `*`; expected {expected}")),
        ("x + / y", "/", &format!("found `/` after `+`; expected {expected}")),
        ("x**2", "**", "`**` is not an operator; did you mean `^`?"),
        ("x²", "²", "`²` is not allowed: a formula has numbers, names, + - * / ^ ( ) and ,; did you mean `^2`?"),
        ("x − y", "−", "`−` is not allowed: a formula has numbers, names, + - * / ^ ( ) and ,; did you mean `-`?"),
        ("x # y", "#", "`#` is not allowed: a formula has numbers, names, + - * / ^ ( ) and ,"),
        ("L = x^2", "=", "`=` is not allowed: a formula is one expression, without comparisons or assignments"),
        ("x = 2", "=", "`=` is not allowed: a formula is one expression, without comparisons or assignments"),
        ("x\u{0}", "\u{0}", "control character U+0000 is not allowed"),
        ("1e999*x", "1e999", "number `1e999` is too large: the largest is about 1.8e308"),
        ("1e-999*x", "1e-999", "number `1e-999` is too small: the smallest is about 4.9e-324"),
        ("1.2.3*x", "1.2.", "number `1.2` is followed by another `.`"),
        ("x + .", ".", "a `.` without digits is not a number; allowed are 2, 2., .5, 1e-3"),
    ];
    for (formula, culprit, message) in table {
        let error = refusal(formula);
        assert_eq!(error.to_string(), *message, "{formula}");
        assert_eq!(&formula[error.start..error.end], *culprit, "{formula}: {error:?}");
    }
    // Of several equal characters, the guilty one.
    assert_eq!(refusal("(x) + (y").start, 6);
    assert_eq!(refusal("(x)) + (y)").start, 3);
    assert_eq!(refusal("θ + zz").start, 5);
}

#[test]
fn names_are_checked() {
    let new = |variables: &[&str], parameters: &[(&str, f64)]| {
        let variables: Vec<String> = variables.iter().map(|&name| name.into()).collect();
        let parameters: Vec<(String, f64)> = parameters.iter().map(|&(name, value)| (name.into(), value)).collect();
        Expression::new(&variables, &parameters, "1").map(|_| ()).map_err(|error| {
            assert_eq!((error.start, error.end), (0, 0));
            error.to_string()
        })
    };
    let refused = |message: &str| Err(message.to_owned());
    assert_eq!(new(&["θ", "x_1", "θ₁", "_"], &[("größe", 1.0)]), Ok(()));
    assert_eq!(new(&[], &[]), refused("a formula needs at least one variable"));
    assert_eq!(new(&["sin"], &[]), refused("variable `sin` has the name of a function"));
    assert_eq!(new(&["x"], &[("e", 1.0)]), refused("parameter `e` has the name of a constant"));
    assert_eq!(new(&["x", "x"], &[]), refused("variable `x` is declared twice"));
    assert_eq!(new(&["x"], &[("a", 1.0), ("a", 2.0)]), refused("parameter `a` is declared twice"));
    assert_eq!(new(&["x"], &[("x", 1.0)]), refused("`x` is both a variable and a parameter"));
    assert_eq!(new(&["x"], &[("a", f64::INFINITY)]), refused("parameter `a` is inf, but must be finite"));
    for name in ["", "1x", "x y", "x-1", "x²", "₁"] {
        let message = format!(
            "variable `{name}` is not a name: a name has letters, digits and _, and does not begin with a digit"
        );
        assert_eq!(new(&[name], &[]), Err(message));
    }
}

#[test]
fn too_large_formulas_are_told_the_limit() {
    let long = "x+".repeat(MAXIMUM_LENGTH / 2) + "x";
    assert_eq!(refusal(&long).to_string(), "the formula has 1048577 bytes, but 1048576 are allowed");
    let many: String = (0..60_000).map(|i| format!("sin({i}*x)^3+")).collect::<String>() + "x";
    let limit = "the formula is too large: it and its gradient may have 500000 operations";
    assert_eq!(refusal(&many).to_string(), limit);
}

#[test]
fn messages_stay_short_whatever_is_found() {
    let name = "ü".repeat(100_000);
    let digits = "1".repeat(100_000);
    let formulas = [name.clone(), format!("{name}(x)"), format!("2{name}"), digits.clone(), format!("x {digits}")];
    for formula in formulas {
        assert!(refusal(&formula).to_string().len() < 300);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_gives_an_answer_or_an_error_on_character_boundaries(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "x", "θ", "tilt", "2", "1e-3", ".5", "+", "-", "*", "/", "^", "(", ")", ",", "sin", "max", "(", " ", "²", "é", "1e", ".",
        ]), 0..30),
        noise in ".{0,3}",
    ) {
        let formula = pieces.concat() + &noise;
        if let Err(error) = Expression::new(&["x".into(), "θ".into()], &[("tilt".into(), 0.1)], &formula) {
            proptest::prop_assert!(formula.get(error.start..error.end).is_some(), "{formula}: {error:?}");
            proptest::prop_assert!(!error.message.is_empty());
        }
    }
}
