//! The part of the domain around the wells, where the domain is so much wider than they are that no length in it could be theirs.

use nalgebra::{DMatrix, DVector};

use super::CriticalPoint;
use super::search::diagonal;
use crate::loss::Loss;

/// A domain so many times longer than the minima are apart is narrowed: the hundred-thousandth of it that a step of a flow may be off by is up to there a
/// small part of their distance.
const FAR: f64 = 300.0;
/// It then reaches so many times their distance beyond the minima …
const MARGIN: f64 = 30.0;
/// … and as far as parabolas of the minima rise to so many times the highest pass on straight lines between them.
const HIGH: f64 = 100.0;

/// The domain, or the part of it around these minima.
pub(super) fn around(loss: &dyn Loss, minima: &[CriticalPoint], domain: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let span = span(minima, domain.len());
    let apart = diagonal(&span);
    // Images of minima lie wherever the symmetry takes them.
    if minima.len() < 2 || loss.symmetry().is_some() || diagonal(domain) <= FAR * apart {
        return domain.to_vec();
    }
    let rise = HIGH * pass(loss, minima);
    let widths = minima.iter().map(|minimum| {
        let hessian = &minimum.eigenvectors
            * DMatrix::from_diagonal(&DVector::from_iterator(
                domain.len(),
                minimum.eigenvalues.iter().map(|h| if *h > 0.0 { 2.0 * rise / h } else { f64::INFINITY }),
            ))
            * minimum.eigenvectors.transpose();
        hessian.diagonal().map(f64::sqrt)
    });
    let widths: Vec<DVector<f64>> = widths.collect();
    let side = |i: usize| {
        let far = widths.iter().fold(MARGIN * apart, |a, width| if width[i] >= a { width[i] } else { a });
        [(span[i][0] - far).max(domain[i][0]), (span[i][1] + far).min(domain[i][1])]
    };
    (0..domain.len()).map(side).collect()
}

/// The length that flows and their ends are measured by: that of the region, if the minima are not very much nearer to each other.
pub(super) fn length(minima: &[CriticalPoint], region: &[[f64; 2]]) -> f64 {
    let apart = diagonal(&span(minima, region.len()));
    let whole = diagonal(region);
    if minima.len() < 2 { whole } else { whole.min(FAR * apart) }
}

/// The smallest box that holds the minima.
fn span(minima: &[CriticalPoint], dimension: usize) -> Vec<[f64; 2]> {
    let along = |i: usize| {
        let places = minima.iter().map(|minimum| minimum.theta[i]);
        let [low, high] = places.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], x| [a.min(x), b.max(x)]);
        [low, high]
    };
    (0..dimension).map(along).collect()
}

/// By how much the loss is higher than its lowest minimum somewhere on straight lines from each minimum to the next.
fn pass(loss: &dyn Loss, minima: &[CriticalPoint]) -> f64 {
    const LOOKS: usize = 100;
    let lowest = minima[0].loss;
    let on_line = |pair: &[CriticalPoint]| {
        let at = |look: usize| {
            let part = look as f64 / LOOKS as f64;
            let place: Vec<f64> = pair[0].theta.iter().zip(&pair[1].theta).map(|(a, b)| a + part * (b - a)).collect();
            loss.value(&place) - lowest
        };
        (0..=LOOKS).map(at).filter(|rise| rise.is_finite()).fold(0.0, f64::max)
    };
    minima.windows(2).map(on_line).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::landscape::Landscape;
    use crate::landscape::basins::Workspace;
    use crate::loss::expression::Expression;
    use crate::theory::gibbs;

    fn explored(variables: &[&str], formula: &str, domain: &[[f64; 2]]) -> (Arc<dyn Loss>, Landscape) {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss: Arc<dyn Loss> = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let landscape = Landscape::explore(loss.clone(), domain).unwrap_or_else(|told| panic!("{formula}: {told}"));
        (loss, landscape)
    }

    /// The mass of A is that of the line, whatever stands beside it and however wide it is looked for: .8590602 by mpmath, and .8617113 where x and y are
    /// coupled by 0.2xy, which subtracts x²/100.
    #[test]
    fn masses_do_not_depend_on_how_wide_the_domain_is() {
        let wells = "(x^2 - 1)^2/4 + 0.1*x";
        for (beside, x, y, expected) in [
            ("y^2", 3.0, 3.0, 0.859_060_225_2),
            ("y^2", 3.0, 1e3, 0.859_060_225_2),
            ("y^2", 3.0, 1.5e3, 0.859_060_225_2),
            ("y^2", 3.0, 1e6, 0.859_060_225_2),
            ("0.001*y^2", 3.0, 3e3, 0.859_060_225_2),
            ("1e-6*y^2", 3.0, 1e4, 0.859_060_225_2),
            ("1e-7*y^2", 3.0, 3e4, 0.859_060_225_2),
            ("y^2 + 0.2*x*y", 1e3, 1e3, 0.861_711_295_1),
            ("y^2 + 0.2*x*y", 3e4, 3e4, 0.861_711_295_1),
        ] {
            let formula = format!("{wells} + {beside}");
            let (loss, landscape) = explored(&["x", "y"], &formula, &[[-x, x], [-y, y]]);
            assert_eq!((landscape.minima.len(), landscape.saddles.len()), (2, 1), "{formula} on {x}, {y}");
            let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &landscape.region, 0.1).unwrap();
            let found = law.occupancies[0];
            assert!((found - expected).abs() < 1e-7, "{formula} on {x}, {y}: {found}");
        }
    }

    /// x = 0 is the ridge, far out along the soft valley too.
    #[test]
    fn labels_in_a_wide_domain_are_those_of_the_ridge() {
        let formula = "(x^2 - 1)^2/4 + 1e-4*y^2";
        let (_, landscape) = explored(&["x", "y"], formula, &[[-3e3, 3e3], [-3e3, 3e3]]);
        let right = landscape.minima.iter().position(|minimum| minimum.theta[0] > 0.0);
        for y in [0.0, 3.0, -40.0, 150.0] {
            for x in [-1.7, -0.02, 0.02, 0.4] {
                let label = landscape.basins.label(&[x, y], &mut Workspace::default());
                assert_eq!(label == right, x > 0.0, "({x}, {y}): {label:?}");
            }
        }
    }

    /// Along a soft direction it reaches as far as the parabola rises to a hundred times the pass, √(2·100·0.35/2a), where the domain does.
    #[test]
    fn a_narrowed_domain_holds_soft_wells() {
        for (soft, reach) in [("1e-3", 180.0), ("1e-6", 5_700.0)] {
            let formula = format!("(x^2 - 1)^2/4 + 0.1*x + {soft}*y^2");
            let (_, landscape) = explored(&["x", "y"], &formula, &[[-1e5, 1e5]; 2]);
            let [[left, right], [low, high]] = landscape.region[..] else { panic!("two sides") };
            assert!(-low > reach && high > reach && high < 1.3 * reach + 60.0, "{soft}: {low} {high}");
            assert!(right - left < 200.0, "{soft}: {left} {right}");
        }
    }

    /// A domain of the wells' own size stays what it is, and one minimum tells no size.
    #[test]
    fn only_a_far_wider_domain_is_narrowed() {
        for (formula, side, is_narrowed) in [
            ("(x^2 - 1)^2 + y^2", 3.0, false),
            ("(x^2 - 1)^2 + y^2", 100.0, false),
            ("(x^2 - 1)^2 + y^2", 1e3, true),
            ("x^2 + x*y + y^2 + x^4", 1e3, false),
        ] {
            let domain = [[-side, side]; 2];
            let (_, landscape) = explored(&["x", "y"], formula, &domain);
            assert_eq!(landscape.region != domain, is_narrowed, "{formula} on {side}: {:?}", landscape.region);
            assert_eq!(landscape.domain, domain);
        }
    }
}
