//! Gibbs masses in the plane and in space: where flows slide along kinks, and of cold wells.
//!
//! The first were made with numpy: explicit Euler steps of 0.001 from the nodes of a grid of 400 × 400, which go to and fro across a
//! kink, and are right to about 2e−4.

use std::sync::Arc;

use super::gibbs;
use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::loss::expression::Expression;

#[test]
fn masses_where_flows_slide_along_kinks() {
    for (variables, formula, expected, has_slides) in [
        (&["x", "y"][..], "(x^2-1)^2/4 + 0.1*x + y^2 + 0.1*max(y-x, 0)", 0.712_67, true),
        (&["x", "y"], "(x^2-1)^2/4 + 0.1*x + y^2 + 0.5*abs(y-0.3*x)", 0.847_42, true),
        (&["x", "y"], "(x^2-1)^2 + y^2 + abs(y-sin(x)) + 0.05*x", 0.706_05, true),
        // No flow goes along a kink that is a ridge, or that is crossed one way.
        (&["x", "y"], "(x^2-1)^2/4 + 0.1*x + (abs(y-0.3*x) - 0.5)^2", 0.429_5, false),
    ] {
        let (loss, landscape, domain) = explored(variables, formula);
        assert_eq!(landscape.basins.has_slides, has_slides, "{formula}");
        let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
        assert!((law.occupancies[0] - expected).abs() < 4e-4, "{formula}: {:?}", law.occupancies);
        assert!(law.other < 1e-6, "{formula}: {}", law.other);
    }
}
/// Where the ridge ends in a saddle on the kink itself, from which nothing but the speed along the kink leads away. With scipy: both flows backwards from that saddle by
/// DOP853 to 1e-12, which are the ridge, and rules of 16 Gauss points in rows cut there and at the kink.
#[test]
fn masses_where_the_saddle_lies_on_a_kink() {
    for (formula, temperature, expected) in [
        ("(x^2-1)^2/4 + 0.1*x + y^2 + 0.3*abs(y-0.5*x)", 0.15, 0.769_710_9),
        ("(x^2-1)^2/4 + 0.1*x + y^2 + 0.3*abs(y-0.5*x)", 0.05, 0.967_706_19),
        ("(x^2-1)^2/4 + 0.1*x + y^2 + 0.4*abs(y-0.5*x)", 0.15, 0.768_679_4),
        ("(x^2-1)^2/4 + 0.02*x + 2*y^2 + 0.6*abs(y-0.45*x)", 0.3, 0.556_224_6),
    ] {
        let (loss, landscape, domain) = explored(&["x", "y"], formula);
        let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, temperature).unwrap();
        let odds = |mass: f64| (mass / (1.0 - mass)).ln();
        let off = odds(law.occupancies[0]) - odds(expected);
        assert!(off.abs() < 3e-4, "{formula} at {temperature}: {:?}, off by {off}", law.occupancies);
    }
}

/// The same of a well so cold that it has next to nothing: y and z subtract x²/400, and the rest is that of the line, by mpmath at 30 digits.
#[test]
fn masses_of_wells_that_are_next_to_nothing() {
    for (variables, formula) in [
        (&["x", "y"][..], "(x^2-1)^2/4 + 0.3*x + y^2 + 0.1*x*y"),
        (&["x", "y", "z"], "(x^2-1)^2/4 + 0.3*x + y^2 + z^2 + 0.1*x*y"),
    ] {
        let (loss, landscape, domain) = explored(variables, formula);
        for (temperature, mass, laplacian) in [
            (0.05, 1.208_287_492_038e-5, 2.721_915_832),
            (0.03, 4.797_310_851_781e-9, 2.666_938_301),
            (0.02, 2.500_265_355_960e-13, 2.663_273_096),
        ] {
            let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, temperature).unwrap();
            let found = law.occupancies[1];
            assert!((found / mass - 1.0).abs() < 2e-5, "{formula} at {temperature}: {found}, not {mass}");
            let across = 2.0 * (variables.len() - 2) as f64;
            let found = law.mean_laplacian[1] - across;
            assert!((found / laplacian - 1.0).abs() < 2e-5, "{formula} at {temperature}: {found}, not {laplacian}");
        }
    }
}

fn explored(variables: &[&str], formula: &str) -> (Arc<dyn Loss>, Landscape, Vec<[f64; 2]>) {
    let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
    let loss: Arc<dyn Loss> = Arc::new(Expression::new(&names, &[], formula).unwrap());
    let domain = vec![[-3.0, 3.0]; names.len()];
    let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
    (loss, landscape, domain)
}
