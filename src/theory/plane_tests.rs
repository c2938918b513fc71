//! Gibbs masses in the plane and in space where flows slide along kinks.
//!
//! The masses in the plane were made with numpy: explicit Euler steps of 0.001 from the nodes of a grid of 400 × 400, which go to and fro across a
//! kink, and are right to about 2e−4. In space y² + 0.3|y − 0.5| separates from the rest, whose masses are those of the plane.

use std::sync::Arc;

use super::gibbs;
use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::loss::expression::Expression;

#[test]
fn masses_where_flows_slide_along_kinks() {
    for (variables, formula, expected, has_slides) in [
        (&["x", "y"][..], "(x^2-1)^2/4 + 0.1*x + y^2 + 0.1*max(y-x, 0)", 0.712_67, true),
        (&["x", "y"], "(x^2-1)^2/4 + 0.1*x + y^2 + 0.2*max(y-x, 0)", 0.534_97, true),
        (&["x", "y"], "(x^2-1)^2/4 + 0.1*x + y^2 + 0.5*abs(y-0.3*x)", 0.847_42, true),
        (&["x", "y"], "(x^2-1)^2 + y^2 + abs(y-sin(x)) + 0.05*x", 0.706_05, true),
        // No flow goes along a kink that is a ridge, or that is crossed one way.
        (&["x", "y"], "(x^2-1)^2/4 + 0.1*x + (abs(y-0.3*x) - 0.5)^2 + 0*y", 0.429_5, false),
    ] {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss: Arc<dyn Loss> = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let domain = vec![[-3.0, 3.0]; names.len()];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        assert_eq!(landscape.basins.has_slides, has_slides, "{formula}");
        let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
        assert!((law.occupancies[0] - expected).abs() < 4e-4, "{formula}: {:?}", law.occupancies);
        assert!(law.other < 1e-6, "{formula}: {}", law.other);
    }
}
