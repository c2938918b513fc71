//! By how much the stationary law of Leimkuhler–Matthews is off that of the SDE at a finite step, as bounds of log-odds.
//!
//! On a line it is taken from the chain's own law ([`leimkuhler_matthews`]), unless the step is too small for its operator. Of a loss that is a sum of functions of different
//! coordinates the parts add up. Elsewhere it is estimated to second order in δ. On a line π_δ ∝ e^(−L/T)[1 + δ²ρ], with
//! ρ = −(1/12T)∫L′L″²dx + L′²L″/(24T) + L″²/48 − L′L‴/12 + TL⁗/24 (from the expansion of one step of the chain of the y_k and of
//! θ given y), so that for T → 0 ln(p_A/p_B) moves by
//!
//! (δ²/12T)(∫_A|H∇L|²dt − ∫_B|H∇L|²dt) + (δ²/48)(tr H_A² − tr H_B²),
//!
//! the integrals up to the saddle from either side. The first term holds in any dimension: the quasi-potential is
//! L + δ²(∫|H∇L|²dt/12 − ∇LᵀH∇L/24), half as large as Euler–Maruyama's and of the other sign. The factor 1/48 is exact for separable
//! losses alone, since elsewhere what is carried along a way counts too: both wells are added, not subtracted. The next order is smaller by
//! (δ‖∇²L‖)²; nothing is said where δ‖∇²L‖ exceeds [`LIMIT`].

use super::bounds::Bounds;
use super::first_order::{Network, NoFirstOrder, at_the_minima, on_the_way, place_text, sharpest_of, under_the_mass};
use super::product::{Factor, factors};
use super::ways::{Sharpest, Way, over_all_saddles};
use super::{Case, NoDiscreteLaw, leimkuhler_matthews};
use crate::theory::gibbs::{self, Gibbs};

/// The largest δ‖∇²L‖ up to which the second order in δ is believed.
pub const LIMIT: f64 = 0.5;
/// Of the next order beside (δ‖∇²L‖)² times the climbs on both sides.
const NEXT_ORDER: f64 = 1.0;
/// Of δ²⟨tr H²⟩ in either basin.
const LOCAL: f64 = 1.0 / 48.0;
/// An integrated log-odds of the Gibbs law is known to about so much, and a bias from it no better.
const INTEGRATED: f64 = 1e-9;

/// Bounds of what the scheme does to the law.
#[derive(Clone, Debug)]
pub struct SchemeBias {
    /// Of every log-odds.
    pub bounds: Bounds,
    /// How they were found.
    pub method: BiasMethod,
}

/// How a bias was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BiasMethod {
    /// From the chain's own law on a line.
    Line,
    /// As a sum over parts of the loss.
    Product,
    /// To second order in δ, enlarged.
    SecondOrder,
}

/// Why a bias is not known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoSchemeBias {
    /// The operator has no law.
    #[error("{0}")]
    Operator(NoDiscreteLaw),
    /// The step is too large for an expansion.
    #[error("its second order in δ needs δ‖∇²L‖ ≤ {LIMIT}; it is {found:.3} {part}, at θ = {place}")]
    TooSharp {
        /// δ‖∇²L‖.
        found: f64,
        /// On which part of the landscape.
        part: String,
        /// θ, as text.
        place: String,
    },
    /// No way is known along which two minima exchange their mass.
    #[error("{0}")]
    NoWay(NoFirstOrder),
    /// There is nothing that it would be a bias from.
    #[error("the Gibbs law itself is not known")]
    NoGibbs,
}

/// What does not depend on the step, for a search that asks for many.
pub struct Biases<'a> {
    case: Case<'a>,
    gibbs: Option<&'a Gibbs>,
    known: Known,
}

/// What the biases of a loss are computed from.
enum Known {
    Line,
    /// The parts that tell minima apart, and the Gibbs law of each.
    Product(Vec<(Factor, Option<Gibbs>)>),
    Ways(Network),
}

impl Case<'_> {
    /// By how much Leimkuhler–Matthews is off the Gibbs law at this step, given that law.
    ///
    /// # Errors
    /// When it is not known.
    pub fn leimkuhler_matthews_bias(&self, gibbs: Option<&Gibbs>) -> Result<SchemeBias, NoSchemeBias> {
        Biases::of(*self, gibbs)?.at(self.step)
    }
}

impl<'a> Biases<'a> {
    /// Of a case at whatever step, given its Gibbs law.
    ///
    /// # Errors
    /// When they are not known at any step.
    pub fn of(case: Case<'a>, gibbs: Option<&'a Gibbs>) -> Result<Self, NoSchemeBias> {
        let Case { loss, landscape, domain, temperature, .. } = case;
        if domain.len() == 1 {
            return Ok(Self { case, gibbs, known: Known::Line });
        }
        let known = match factors(loss, landscape, domain) {
            Some(factors) => {
                let with_law = |factor: Factor| {
                    let Factor { loss, domain, landscape, .. } = &factor;
                    let law = gibbs::by_quadrature(loss.as_ref(), landscape, domain, temperature).ok();
                    (factor, law)
                };
                Known::Product(factors.into_iter().map(with_law).collect())
            }
            None => Known::Ways(ways_of(&case)?),
        };
        Ok(Self { case, gibbs, known })
    }

    /// At a step.
    ///
    /// # Errors
    /// When it is not known.
    pub fn at(&self, step: f64) -> Result<SchemeBias, NoSchemeBias> {
        let case = Case { step, ..self.case };
        match &self.known {
            Known::Line => on_a_line(&case, self.gibbs.ok_or(NoSchemeBias::NoGibbs)?),
            Known::Product(parts) => of_a_product(&case, parts),
            Known::Ways(ways) => to_second_order(&case, self.gibbs.ok_or(NoSchemeBias::NoGibbs)?, ways),
        }
    }
}

fn ways_of(case: &Case<'_>) -> Result<Network, NoSchemeBias> {
    let ways = over_all_saddles(case.loss.as_ref(), case.landscape, case.temperature);
    Network::new(ways, case.landscape, case.temperature).map_err(NoSchemeBias::NoWay)
}

fn on_a_line(case: &Case<'_>, gibbs: &Gibbs) -> Result<SchemeBias, NoSchemeBias> {
    let law = match leimkuhler_matthews::stationary(case) {
        // Of so small a step the expansion knows enough.
        Err(NoDiscreteLaw::TooFine(_)) => return to_second_order(case, gibbs, &ways_of(case)?),
        law => law.map_err(NoSchemeBias::Operator)?,
    };
    let moved = |a: usize| crate::math::ln(law.occupancies[a] / gibbs.occupancies[a]);
    let moved: Vec<f64> = (0..law.occupancies.len()).map(moved).collect();
    if moved.iter().any(|moved| !moved.is_finite()) {
        return Err(NoSchemeBias::Operator(NoDiscreteLaw::Disconnected));
    }
    let known_to = law.log_odds_known_to() + INTEGRATED;
    let bounds = Bounds::of_pairs(moved.len(), |a, b| (moved[a] - moved[b]).abs() + known_to);
    Ok(SchemeBias { bounds, method: BiasMethod::Line })
}

fn of_a_product(case: &Case<'_>, parts: &[(Factor, Option<Gibbs>)]) -> Result<SchemeBias, NoSchemeBias> {
    let of_part = |(Factor { loss, domain, landscape, .. }, gibbs): &(Factor, Option<Gibbs>)| {
        Case { loss, landscape, domain, ..*case }.leimkuhler_matthews_bias(gibbs.as_ref())
    };
    let biases: Vec<SchemeBias> = parts.iter().map(of_part).collect::<Result<_, _>>()?;
    let of_pair = |a: usize, b: usize| {
        let pairs = biases.iter().zip(parts);
        pairs.map(|(bias, (factor, _))| bias.bounds.log_odds(factor.minima[a], factor.minima[b])).sum::<f64>()
    };
    let bounds = Bounds::of_pairs(case.landscape.minima.len(), of_pair);
    Ok(SchemeBias { bounds, method: BiasMethod::Product })
}

fn to_second_order(case: &Case<'_>, gibbs: &Gibbs, ways: &Network) -> Result<SchemeBias, NoSchemeBias> {
    let Case { temperature, step, .. } = *case;
    case.require_no_jump().map_err(NoSchemeBias::Operator)?;
    require_blunt(at_the_minima(case.landscape).chain(under_the_mass(gibbs)), step)?;
    require_blunt(ways.relevant.iter().map(|way| (on_the_way(way), way.sharpest.clone())), step)?;
    let factor = step * step / (12.0 * temperature);
    let shift = |way: &Way| factor * (way.climbs[0] - way.climbs[1]);
    let rest = |way: &Way| {
        let sharpness = step * way.sharpest.curvature;
        NEXT_ORDER * sharpness * sharpness * factor * (way.climbs[0] + way.climbs[1])
    };
    let second = ways.second_order(&shift, &rest);
    let within: Vec<f64> = gibbs.curvature.iter().map(|basin| LOCAL * step * step * basin.mean_square).collect();
    let bounds = Bounds::of_pairs(within.len(), |a, b| second(a, b) + within[a] + within[b] + INTEGRATED);
    Ok(SchemeBias { bounds, method: BiasMethod::SecondOrder })
}

/// δ‖∇²L‖ is within the limit at all of these.
fn require_blunt(parts: impl Iterator<Item = (String, Sharpest)>, step: f64) -> Result<(), NoSchemeBias> {
    let Some((part, Sharpest { curvature, place })) = sharpest_of(parts) else { return Ok(()) };
    let found = step * curvature;
    if found <= LIMIT * (1.0 + 1e-9) {
        return Ok(());
    }
    Err(NoSchemeBias::TooSharp { found, part, place: place_text(&place) })
}
