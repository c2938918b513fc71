//! Chains of losses with kinks, bends and narrow turns, against numbers of another program.
//!
//! Those were made with numpy: the transfer operator on panels of eight Gauss points that are cut at the kinks, and graded around the narrow turn,
//! with elimination without subtractions; 1.4 times as many panels move them by less than 1e−15.

use std::sync::Arc;

use super::{Care, Case, Chain, NoDiscreteLaw, NoFiniteStep, NoSchemeBias};
use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::loss::expression::Expression;
use crate::theory::gibbs;

fn explored(variables: &[&str], formula: &str, reach: f64) -> (Arc<dyn Loss>, Landscape, Vec<[f64; 2]>) {
    let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
    let loss: Arc<dyn Loss> = Arc::new(Expression::new(&names, &[], formula).unwrap());
    let domain = vec![[-reach, reach]; names.len()];
    let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
    (loss, landscape, domain)
}

/// The mass of what does not lie in the leftmost basin.
#[test]
fn masses_of_kinked_wells() {
    for (formula, reach, temperature, step, right, within) in [
        ("(abs(x)-1)^2+0.1*x", 3.0, 0.1, 0.01, 0.119_908_554_854, 5e-9),
        ("(abs(x)-1)^2+0.1*x", 3.0, 0.1, 0.003, 0.119_332_549_829, 5e-9),
        ("(abs(x)-1)^2+0.1*x", 3.0, 0.3, 0.003, 0.338_468_265_854, 5e-9),
        ("max(abs(x+1)-1,0.1)+(x^2-4)^2/20", 4.0, 0.1, 0.01, 1.464_118_724_06e-4, 5e-9),
        ("min((x+1)^2,2*(x-1)^2+0.05)", 3.0, 0.1, 0.02, 0.270_536_054_925, 5e-9),
        ("(x^2-1)^2/4+0.1*x+0.1*max(x,0)^2", 3.0, 0.1, 0.05, 0.077_735_259_831_6, 5e-9),
        ("(x^2-1)^2/4+0.1*x+0.2*abs(x-0.5)", 3.0, 0.15, 0.05, 0.569_350_728_834, 5e-9),
        // The slope rises by 0.2 within a thousandth: a fortieth of the noise of a step.
        ("(x^2-1)^2/4+0.1*x+0.0002*softplus(1000*(x-0.3))", 3.0, 0.1, 0.02, 0.063_078_034_007_4, 5e-9),
    ] {
        let (loss, landscape, domain) = explored(&["x"], formula, reach);
        let law = Chain::new(loss.as_ref(), &landscape, domain[0], temperature, step)
            .and_then(|chain| chain.stationary())
            .unwrap_or_else(|told| panic!("{formula} at {step}: {told}"));
        let leftmost = |minimum: &usize| landscape.minima[*minimum].theta[0];
        let left = (0..landscape.minima.len()).min_by(|a, b| leftmost(a).total_cmp(&leftmost(b))).unwrap();
        let found = 1.0 - law.occupancies[left];
        assert!((found / right - 1.0).abs() < within, "{formula} at {step}: {found}, not {right}");
        assert_eq!(law.bounds().largest(), 0.0, "{formula} at {step}: {}", law.known_to);
    }
}

/// (I − K)τ = δ on the same panels.
#[test]
fn times_between_kinked_wells() {
    let (loss, landscape, domain) = explored(&["x"], "(abs(x)-1)^2+0.1*x", 3.0);
    let chain = Chain::new(loss.as_ref(), &landscape, domain[0], 0.1, 0.01).unwrap();
    for (from, to, expected) in [(-1.05, 0.95, 37_986.097_830), (0.95, -1.05, 5_175.438_667)] {
        let time = chain.mean_passage_time(from, to).unwrap();
        assert!((time / expected - 1.0).abs() < 1e-7, "{from} to {to}: {time}, not {expected}");
    }
}

/// Where kinks lie on lines and surfaces neither a lattice nor the first order tells the law, and the scheme of half steps has none on a line either.
#[test]
fn no_law_is_given_where_kinks_cannot_be_resolved() {
    for (variables, formula) in [
        (&["x", "y"][..], "(x^2-1)^2/4+0.1*x+(abs(y-0.3*x)-0.5)^2"),
        (&["x", "y"], "(x^2-1)^2/4+0.1*x+y^2+0.3*x*y+0.1*max(x+y-1.3,0)"),
        (&["x", "y"], "(abs(x+0.2*y)-1)^2+0.1*x+y^2"),
        (&["x", "y", "z"], "(abs(x+0.2*y)-1)^2+0.1*x+y^2+z^2+0.3*y*z"),
    ] {
        let (loss, landscape, domain) = explored(variables, formula, 3.0);
        let case = Case { loss: &loss, landscape: &landscape, domain: &domain, temperature: 0.1, step: 0.01 };
        let gibbs = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
        let known = case.stationary(Some(&gibbs), Care::Thorough);
        let is_null = matches!(known, Err(NoFiniteStep::Operator(NoDiscreteLaw::Jumps(_))));
        assert!(is_null, "{formula}: {:?}", known.map(|known| known.occupancies));
        let bias = case.leimkuhler_matthews_bias(Some(&gibbs));
        // Over some ridges that are kinks no way is known either.
        let is_null = matches!(bias, Err(NoSchemeBias::Operator(NoDiscreteLaw::Jumps(_)) | NoSchemeBias::NoWay(_)));
        assert!(is_null, "{formula}: {:?}", bias.map(|bias| bias.bounds));
    }
    for formula in ["(abs(x)-1)^2+0.1*x", "min((x+1)^2,2*(x-1)^2+0.05)"] {
        let (loss, landscape, domain) = explored(&["x"], formula, 3.0);
        for step in [0.02, 1e-6] {
            let case = Case { loss: &loss, landscape: &landscape, domain: &domain, temperature: 0.1, step };
            let gibbs = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
            assert!(case.leimkuhler_matthews_bias(Some(&gibbs)).is_err(), "{formula}");
            let known = case.stationary(Some(&gibbs), Care::Thorough);
            assert_eq!(known.is_ok(), step == 0.02, "{formula} at {step}");
        }
    }
}

/// Beyond e⁻⁶⁴⁵ nothing is known of what goes from well to well, and a mass of zero is none.
#[test]
fn wells_that_exchange_nothing_have_no_law() {
    let (loss, landscape, domain) = explored(&["x"], "(x^2-1)^2/4+0.001*x", 3.0);
    let law = |temperature: f64, step: f64| {
        Chain::new(loss.as_ref(), &landscape, domain[0], temperature, step).and_then(|chain| chain.stationary())
    };
    assert_eq!(law(2e-4, 0.01).err(), Some(NoDiscreteLaw::Disconnected));
    // 250 T high: known.
    let known = law(1e-3, 0.01).unwrap();
    assert!((known.occupancies[1] / known.occupancies[0]).ln().abs() > 1.9, "{:?}", known.occupancies);
}

/// A law whose nodes still moved it says so; one that stood still has nothing to say.
#[test]
fn what_still_moves_is_in_the_bounds() {
    let (loss, landscape, domain) = explored(&["x"], "(abs(x)-1)^2+0.1*x", 3.0);
    let law = Chain::new(loss.as_ref(), &landscape, domain[0], 0.1, 0.02).and_then(|chain| chain.stationary()).unwrap();
    let moved = super::DiscreteLaw { known_to: 1e-5, ..law };
    assert!((moved.bounds().log_odds(0, 1) / 4e-5 - 1.0).abs() < 1e-12, "{:?}", moved.bounds());
}
