//! The Gibbs law P(θ) = exp(−L/T)/Z and the mass of every basin under it.
//!
//! Exact for the SDE with C = σ²I (Gardiner, Stochastic Methods, §5.3; the talk's "Equilibrium Distribution of SGD").
//! Integrals run over all of ℝᵈ; the scenario's domain is only where minima are looked for. Up to three dimensions they
//! are done by quadrature, beyond by a sampler that knows its own error.

pub(super) mod cubature;
pub mod curvature;
pub mod influences;
mod integrand;
pub(super) mod line;
mod moments;
pub mod sampler;
mod valley;

use nalgebra::DMatrix;

use crate::landscape::{CriticalPoint, Landscape, point_text};
use crate::loss::Loss;
use crate::plain::significant;
use crate::theory::outskirts::{self, Place};
use curvature::{BasinCurvature, Bends};
use sampler::{Effort, Sampling};

/// Beyond this many T above the lowest loss, exp(−L/T) is nothing: e^(−45) ≈ 3e−20.
pub(super) const DECAY: f64 = 45.0;

/// Up to so many dimensions there is a quadrature.
pub const MOST_BY_QUADRATURE: usize = 3;

/// The Gibbs law of a loss, split over its basins.
#[derive(Clone, Debug)]
pub struct Gibbs {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// The lowest place in no basin that the integration, or the sampler, came to; `None` where there was none.
    pub elsewhere: Option<Place>,
    /// ⟨ΔL⟩ = ⟨tr H⟩ within every basin.
    pub mean_laplacian: Vec<f64>,
    /// ⟨L − L_A⟩, L_A the lowest minimum; `None` where the law was sampled, or its tail is so heavy that the mean did not settle.
    pub mean_excess: Option<f64>,
    /// ⟨uuᵀ⟩ within every basin, u = θ − θ_A counted from its minimum; empty where the law was sampled. Of a heavy tail as much of it
    /// counts as all but a thousandth of the mass.
    pub spread: Vec<DMatrix<f64>>,
    /// How strongly the loss bends within every basin.
    pub curvature: Vec<BasinCurvature>,
    /// ln ∫ exp(−(L − L_A)/T) dθ, L_A the lowest minimum; `None` where the law was sampled.
    pub log_normalization: Option<f64>,
    /// How the law was sampled, and how well; `None` where it was integrated.
    pub sampling: Option<Sampling>,
}

/// Why there is no Gibbs law.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoGibbs {
    /// exp(−L/T) has no finite integral, or L does not rise enough.
    #[error(
        "the loss does not rise enough around the domain, or is not defined there, for exp(−L/T) to have a finite integral"
    )]
    NotConfined,
    /// Behind a wall around the wells the loss comes down again.
    #[error(
        "behind a high wall around the wells the loss comes down again, at {} to {}: part of exp(−L/T) lies there, or it has no \
         finite integral, and no run that starts in the wells comes there; if it is a well, extend loss.domain so that it is in it; if not, \
         let the loss rise outwards",
        point_text(&.0.theta), significant(.0.loss, 4)
    )]
    FallsBeyond(Place),
    /// exp(−L/T) has a finite integral, too far out for cubature.
    #[error(
        "exp(−L/T) falls off so slowly that its cubature, which goes out to where L has risen by 45 T, would not see the wells in the \
         middle: let the loss rise faster outwards"
    )]
    HeavyTail,
    /// The quadrature ended without an answer.
    #[error(
        "the quadrature of exp(−L/T) did not settle: the loss has jumps or turns very often, a valley of it is very narrow and bends, or it falls \
         off so slowly that a finite integral cannot be told from an infinite one; smooth the loss, widen the valley, or let it rise faster outwards"
    )]
    Unsettled,
    /// The quadrature saw no mass, though the loss rises all around.
    #[error(
        "the wells are too narrow beside loss.domain for its quadrature to see them: narrow loss.domain around the wells that are asked about"
    )]
    Unresolved,
    /// The sampler's ensembles remember where they started.
    #[error("its sampler does not mix within its budget, so that its masses cannot be trusted: {0}")]
    DoesNotMix(String),
    /// The sampler came to minima in the domain that the landscape does not have.
    #[error("its sampler came to minima that the search had missed, at {}", places(.0))]
    Missed(Vec<CriticalPoint>),
    /// A basin has so little mass that the sampler was never there.
    #[error(
        "its sampler never came to {0} within its budget: the mass of that basin is too small to be sampled; choose loss.domain so that it lies outside, \
         where its mass counts as \"other\", or take more noise"
    )]
    NeverVisited(String),
}

impl NoGibbs {
    /// Whether trajectories leave the wells for good sooner or later, as far as is known.
    pub fn is_without_end(&self) -> bool {
        matches!(self, Self::NotConfined | Self::FallsBeyond(_))
    }
}

fn places(minima: &[CriticalPoint]) -> String {
    minima.iter().map(|minimum| point_text(&minimum.theta)).collect::<Vec<_>>().join(" and ")
}

impl Gibbs {
    /// Standard error of ln(p_a/p_b); 0 where the law was integrated.
    pub fn log_odds_standard_error(&self, a: usize, b: usize) -> f64 {
        self.sampling.as_ref().map_or(0.0, |sampling| sampling.log_masses.log_odds_standard_error(a, b))
    }

    /// Standard errors of the occupancies; `None` where the law was integrated.
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let sampling = self.sampling.as_ref()?;
        Some(sampling.log_masses.occupancy_standard_errors(&self.occupancies, self.other))
    }
}

/// The Gibbs law: by quadrature up to [`MOST_BY_QUADRATURE`] dimensions, sampled with the default effort beyond.
///
/// # Errors
/// When exp(−L/T) has no finite integral, or the quadrature or the sampler cannot answer for its result.
pub fn law(loss: &dyn Loss, landscape: &Landscape, domain: &[[f64; 2]], temperature: f64) -> Result<Gibbs, NoGibbs> {
    law_with(loss, landscape, domain, temperature, &Effort::default())
}

/// The same with another effort, or seed, of the sampler.
///
/// # Errors
/// As [`law`].
pub fn law_with(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    effort: &Effort,
) -> Result<Gibbs, NoGibbs> {
    if domain.len() > MOST_BY_QUADRATURE {
        if let Some(low) = outskirts::far_below(loss, landscape, domain, temperature) {
            return Err(NoGibbs::FallsBeyond(low));
        }
        return sampler::sample(loss, landscape, domain, temperature, effort);
    }
    by_quadrature(loss, landscape, domain, temperature)
}

/// The Gibbs law by quadrature, up to [`MOST_BY_QUADRATURE`] dimensions.
///
/// # Errors
/// When exp(−L/T) has no finite integral, or the quadrature does not settle.
pub fn by_quadrature(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> Result<Gibbs, NoGibbs> {
    match domain.len() {
        1 => line::law(loss, landscape, domain[0], temperature),
        2 => cubature::gibbs::<2>(loss, landscape, domain, temperature),
        3 => cubature::gibbs::<3>(loss, landscape, domain, temperature),
        _ => Err(NoGibbs::NotConfined),
    }
}

/// Integrals of exp(−L/T) times something over every basin.
struct Sums {
    /// Times 1.
    masses: Vec<f64>,
    /// The same over what lies in no basin.
    other: f64,
    /// The lowest place there that was looked at.
    elsewhere: Option<Place>,
    /// Times ΔL.
    laplacians: Vec<f64>,
    /// Times uuᵀ, u counted from the minimum.
    squares: Vec<DMatrix<f64>>,
    /// Times L − L_A, over all; `None` where it is not known.
    excess: Option<f64>,
}

impl Sums {
    fn new(minima: usize, dimension: usize) -> Self {
        let zeros = vec![0.0; minima];
        let squares = vec![DMatrix::zeros(dimension, dimension); minima];
        Self { masses: zeros.clone(), other: 0.0, elsewhere: None, laplacians: zeros, squares, excess: Some(0.0) }
    }

    /// From integrals to probabilities and means.
    fn finish(self, landscape: &Landscape, bends: &[Bends]) -> Result<Gibbs, NoGibbs> {
        let Self { masses, other, elsewhere, laplacians, squares, excess } = self;
        let total = masses.iter().sum::<f64>() + other;
        if !(total.is_finite() && total > 0.0) {
            return Err(NoGibbs::Unresolved);
        }
        Ok(Gibbs {
            occupancies: masses.iter().map(|mass| mass / total).collect(),
            other: other / total,
            elsewhere,
            mean_laplacian: laplacians.iter().zip(&masses).map(|(sum, mass)| sum / mass).collect(),
            mean_excess: excess.map(|excess| excess / total),
            spread: squares.into_iter().zip(&masses).map(|(sum, mass)| sum / *mass).collect(),
            curvature: summaries(landscape, bends),
            log_normalization: Some(crate::math::ln(total)),
            sampling: None,
        })
    }
}

/// The curvature of every basin.
fn summaries(landscape: &Landscape, bends: &[Bends]) -> Vec<BasinCurvature> {
    let basins = landscape.minima.iter().zip(bends);
    basins.map(|(minimum, bends)| bends.summary(&minimum.theta, &minimum.eigenvalues)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::expression::Expression;

    /// A domain says where minima are looked for, and nothing of the law.
    #[test]
    fn a_wide_domain_does_not_change_the_law() {
        for (formula, near) in [("x^4/4 - x^2/2 + 0.1*x", 3.0), ("(x^2*(x^2-4)^2)/16 + 0.05*x", 4.0)] {
            let loss = Arc::new(Expression::new(&["x".to_string()], &[], formula).unwrap());
            let occupancies = |reach: f64| {
                let domain = [[-reach, reach]];
                let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
                law(loss.as_ref(), &landscape, &domain, 0.2).unwrap().occupancies
            };
            let expected = occupancies(near);
            for reach in [100.0, 1e3, 1e5, 1e7] {
                let found = occupancies(reach);
                let same = found.iter().zip(&expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-10);
                assert!(same && found.len() == expected.len(), "{formula} on ±{reach}: {found:?}, not {expected:?}");
            }
        }
    }

    /// ⟨L − L_A⟩ = dT/2 in a bowl, whatever its curvatures and wherever it lies.
    #[test]
    fn half_of_the_temperature_in_every_coordinate() {
        for (variables, formula) in [
            (&["x"][..], "2*(x - 1)^2 + 7"),
            (&["x", "y"][..], "2*x^2 + x*y + 3*y^2"),
            (&["x", "y", "z"][..], "2*x^2 + x*y + 3*y^2 + z^2 - 1"),
        ] {
            let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
            let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
            let domain = vec![[-4.0, 4.0]; names.len()];
            let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
            let law = law(loss.as_ref(), &landscape, &domain, 0.3).unwrap();
            let found = law.mean_excess.unwrap();
            assert!((found / (0.15 * names.len() as f64) - 1.0).abs() < 1e-5, "{formula}: {found}");
            // ⟨uuᵀ⟩ = TH⁻¹.
            let one = &law.spread[0] * loss.hessian(&landscape.minima[0].theta) / 0.3;
            assert!((one - DMatrix::identity(names.len(), names.len())).amax() < 1e-5, "{formula}: {}", law.spread[0]);
        }
    }

    /// exp(−L/T) asks for no curvature: with x⁴, ⟨x²⟩ = √T Γ(¾)/Γ(¼), and what other coordinates do changes no odds.
    #[test]
    fn minima_without_curvature_have_a_law() {
        let of = |variables: &[&str], formula: &str| {
            let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
            let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
            let domain = vec![[-2.0, 2.0]; names.len()];
            let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
            assert!(landscape.require_regular().is_err(), "{formula}");
            law(loss.as_ref(), &landscape, &domain, 0.2).unwrap()
        };
        let expected = 0.2f64.sqrt() * 1.225_416_702_465_177_6 / 3.625_609_908_221_908;
        for (variables, formula) in [
            (&["x"][..], "x^4"),
            (&["x", "y"], "x^4 + 2*y^2"),
            (&["x", "y"], "x^4 + y^4"),
            (&["x", "y", "z"], "x^4 + y^4 + z^2"),
        ] {
            let spread = of(variables, formula).spread[0][(0, 0)];
            assert!((spread / expected - 1.0).abs() < 1e-4, "{formula}: {spread}, not {expected}");
        }
        let two = of(&["x"], "(x^2 - 1)^4").occupancies;
        assert!((two[0] - 0.5).abs() < 1e-9, "{two:?}");
        let wells = "(x^2 - 1)^2 + 0.1*x";
        let names = ["x".to_string()];
        let line = Arc::new(Expression::new(&names, &[], wells).unwrap());
        let landscape = Landscape::explore(line.clone(), &[[-2.0, 2.0]]).unwrap();
        let expected = law(line.as_ref(), &landscape, &[[-2.0, 2.0]], 0.2).unwrap().occupancies[0];
        for (variables, more) in [(&["x", "y"][..], "y^4"), (&["x", "y", "z", "w"], "y^4 + z^6 + w^2")] {
            let law = of(variables, &format!("{wells} + {more}"));
            let error = law.standard_errors().map_or(1e-5, |errors| 4.0 * errors[0]);
            assert!((law.occupancies[0] - expected).abs() < error, "{more}: {}, not {expected}", law.occupancies[0]);
        }
    }

    /// The place of what lies in no basin of the domain is known, however high the ridge before it, in any dimension.
    #[test]
    fn what_lies_elsewhere_has_its_place() {
        let wells = "(x^2 - 1)^2/4 + 0.1*x";
        for (variables, more, reach, centers) in [
            (&["x"][..], "", 3.0, &[4.0, 5.0, 6.0, 7.0][..]),
            (&["x", "y"], " + y^2", 2.5, &[2.6, 2.8, 3.2]),
            (&["x", "y", "z"], " + y^2 + z^2", 2.5, &[2.8]),
            (&["x", "y", "z", "w"], " + y^2 + z^2 + w^2", 2.5, &[2.8]),
        ] {
            let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
            for center in centers {
                let formula = format!("min({wells}, (x - {center})^2 + 0.1){more}");
                let loss = Arc::new(Expression::new(&names, &[], &formula).unwrap());
                let domain = vec![[-reach, reach]; names.len()];
                let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
                let law = law(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
                let place = law.elsewhere.unwrap_or_else(|| panic!("{formula}: {}", law.other));
                let is_near = (place.theta[0] - center).abs() < 0.5 && place.theta[1..].iter().all(|x| x.abs() < 0.5);
                assert!(law.other > 0.01 && is_near && place.loss < 0.6, "{formula}: {place:?}");
            }
        }
        let loss = Arc::new(Expression::new(&["x".to_string()], &[], wells).unwrap());
        let landscape = Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap();
        assert_eq!(law(loss.as_ref(), &landscape, &[[-3.0, 3.0]], 0.1).unwrap().elsewhere, None);
    }

    /// Mirrored wells spread alike, each about its own minimum.
    #[test]
    fn spreads_are_about_their_own_minima() {
        let loss =
            Arc::new(Expression::new(&["x".to_string(), "y".to_string()], &[], "(x^2 - 1)^2 + y^2 + x^2*y^2").unwrap());
        let domain = [[-3.0, 3.0], [-3.0, 3.0]];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        let law = law(loss.as_ref(), &landscape, &domain, 0.2).unwrap();
        let [left, right] = [&law.spread[0], &law.spread[1]];
        assert!((left[(0, 0)] - right[(0, 0)]).abs() < 1e-6 && (left[(1, 1)] - right[(1, 1)]).abs() < 1e-6, "{law:?}");
        // Less than half of the distance of the wells, 2.
        assert!(left[(0, 0)] > 0.01 && left[(0, 0)] < 0.2, "{left}");
    }
}
