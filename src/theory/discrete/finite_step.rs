//! The stationary law of the chain by the best way that there is: exactly where that can be had, else to first order.

use std::sync::Arc;

use super::bounds::Bounds;
use super::first_order::{FirstOrder, NoFirstOrder, first_order, place_text};
use super::product::{Factor, factors};
use super::{Chain, DiscreteLaw, NoDiscreteLaw, jumps, plane};
use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::theory::gibbs::{self, Gibbs};

/// In the plane the transfer operator, which costs seconds, is not asked where the first order leaves out no more than this
/// of any log-odds: a twentieth of a usual tolerance.
pub const SUFFICIENT: f64 = 5e-3;

/// A chain θ ← θ − δ∇L + √(2Tδ)ξ.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// L.
    pub loss: &'a Arc<dyn Loss>,
    /// Its minima and basins.
    pub landscape: &'a Landscape,
    /// Where minima were looked for.
    pub domain: &'a [[f64; 2]],
    /// T.
    pub temperature: f64,
    /// δ.
    pub step: f64,
}

/// How much may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// What answers within a fraction of a second beside the Gibbs law, as for a search that asks many times.
    Quick,
    /// Seconds.
    Thorough,
}

/// How a law was found.
#[derive(Clone, Debug)]
pub enum Method {
    /// By the transfer operator on a line, of which this is the whole law.
    Line(Box<DiscreteLaw>),
    /// By the transfer operator in the plane.
    Plane,
    /// As a product of laws of parts of the loss.
    Product,
    /// To first order in δ on the Gibbs law; with the reason for which it is not the operator's.
    FirstOrder(Option<NoDiscreteLaw>),
}

/// The stationary masses of a chain.
#[derive(Clone, Debug)]
pub struct FiniteStep {
    /// Mass of every minimum's basin.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// By how much they may be off.
    pub bounds: Bounds,
    /// How they were found.
    pub method: Method,
}

/// Why they are not known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoFiniteStep {
    /// The operator has no stationary law.
    #[error("{0}")]
    Operator(NoDiscreteLaw),
    /// Neither.
    #[error("{first_order}{}", and(.operator))]
    Neither {
        /// Why not to first order.
        first_order: NoFirstOrder,
        /// Why not by the operator.
        operator: Option<NoDiscreteLaw>,
    },
    /// The first order needs it.
    #[error("it builds on the Gibbs rung{}", and(.0))]
    NoGibbs(Option<NoDiscreteLaw>),
}

fn and(operator: &Option<NoDiscreteLaw>) -> String {
    operator.as_ref().map_or(String::new(), |reason| format!(" ({reason})"))
}

impl Case<'_> {
    /// The masses, given the Gibbs law if there is one.
    ///
    /// # Errors
    /// When they are not known.
    pub fn stationary(&self, gibbs: Option<&Gibbs>, care: Care) -> Result<FiniteStep, NoFiniteStep> {
        if self.domain.len() == 1 {
            let law = self.chain().and_then(|chain| chain.stationary());
            return self.on_a_line(law, gibbs);
        }
        if let Some(product) = self.product(care) {
            return Ok(product);
        }
        let gibbs = gibbs.ok_or(NoFiniteStep::NoGibbs(None))?;
        self.require_no_jump().map_err(NoFiniteStep::Operator)?;
        let by_first_order = self.first_order(gibbs);
        let suffices = matches!(&by_first_order, Ok(law) if law.bounds.largest() <= SUFFICIENT);
        if suffices || care == Care::Quick || self.domain.len() != 2 {
            // A quick answer that the operator would better is none: it would differ from the one that is shown.
            return match by_first_order {
                Ok(law) if suffices || self.domain.len() != 2 => Ok(FiniteStep::to_first_order(law, gibbs, None)),
                Ok(_) => Err(NoFiniteStep::Operator(NoDiscreteLaw::TooSlow)),
                Err(first_order) => Err(NoFiniteStep::Neither { first_order, operator: None }),
            };
        }
        let Self { loss, landscape, domain, temperature, step } = *self;
        match (plane::stationary(loss.as_ref(), landscape, domain, temperature, step), by_first_order) {
            (Ok(law), _) => Ok(FiniteStep {
                occupancies: law.occupancies,
                other: law.other,
                bounds: law.bounds,
                method: Method::Plane,
            }),
            // A first order knows nothing of escapes; it is right where only the lattice grew too large.
            (Err(reason @ NoDiscreteLaw::TooFine(_)), Ok(law)) => {
                Ok(FiniteStep::to_first_order(law, gibbs, Some(reason)))
            }
            (Err(reason), Ok(_)) => Err(NoFiniteStep::Operator(reason)),
            (Err(reason), Err(first_order)) => Err(NoFiniteStep::Neither { first_order, operator: Some(reason) }),
        }
    }

    /// The chain on a line.
    ///
    /// # Errors
    /// When the loss does not confine it.
    pub fn chain(&self) -> Result<Chain<'_>, NoDiscreteLaw> {
        Chain::new(self.loss.as_ref(), self.landscape, self.domain[0], self.temperature, self.step)
    }

    /// On a line the operator is quick.
    ///
    /// # Errors
    /// When the masses are not known.
    pub fn on_a_line(
        &self,
        law: Result<DiscreteLaw, NoDiscreteLaw>,
        gibbs: Option<&Gibbs>,
    ) -> Result<FiniteStep, NoFiniteStep> {
        match law {
            Ok(law) => Ok(FiniteStep {
                occupancies: law.occupancies.clone(),
                other: law.other,
                bounds: law.bounds(),
                method: Method::Line(Box::new(law)),
            }),
            // A first order knows nothing of escapes; it is right where only the grid grew too large.
            Err(reason @ NoDiscreteLaw::TooFine(_)) => {
                self.require_no_jump().map_err(NoFiniteStep::Operator)?;
                let gibbs = gibbs.ok_or_else(|| NoFiniteStep::NoGibbs(Some(reason.clone())))?;
                match self.first_order(gibbs) {
                    Ok(law) => Ok(FiniteStep::to_first_order(law, gibbs, Some(reason))),
                    Err(first_order) => Err(NoFiniteStep::Neither { first_order, operator: Some(reason) }),
                }
            }
            Err(reason) => Err(NoFiniteStep::Operator(reason)),
        }
    }

    /// The mean step jumps nowhere under the mass.
    pub(super) fn require_no_jump(&self) -> Result<(), NoDiscreteLaw> {
        let Self { loss, landscape, temperature, step, .. } = *self;
        let jump = jumps::jump_under_the_mass(loss.as_ref(), landscape, temperature, step);
        jump.map_or(Ok(()), |place| Err(NoDiscreteLaw::Jumps(place_text(&place))))
    }

    fn first_order(&self, gibbs: &Gibbs) -> Result<FirstOrder, NoFirstOrder> {
        first_order(self.loss.as_ref(), self.landscape, gibbs, self.temperature, self.step)
    }

    /// The product of the laws of the parts; `None` where the loss has no parts, or one of them has no law within reach.
    fn product(&self, care: Care) -> Option<FiniteStep> {
        let factors = factors(self.loss, self.landscape, self.domain)?;
        let laws: Option<Vec<FiniteStep>> = factors.iter().map(|factor| self.of_factor(factor, care)).collect();
        let laws = laws?;
        let minima = self.landscape.minima.len();
        let of_minimum = |minimum: usize| {
            let parts = laws.iter().zip(&factors);
            parts.map(|(law, factor)| law.occupancies[factor.minima[minimum]]).product::<f64>()
        };
        let of_pair = |a: usize, b: usize| {
            let parts = laws.iter().zip(&factors);
            parts.map(|(law, factor)| law.bounds.log_odds(factor.minima[a], factor.minima[b])).sum::<f64>()
        };
        let occupancies: Vec<f64> = (0..minima).map(of_minimum).collect();
        let other = (1.0 - occupancies.iter().sum::<f64>()).max(0.0);
        Some(FiniteStep { occupancies, other, bounds: Bounds::of_pairs(minima, of_pair), method: Method::Product })
    }

    fn of_factor(&self, factor: &Factor, care: Care) -> Option<FiniteStep> {
        let Factor { loss, domain, landscape, .. } = factor;
        let gibbs = || gibbs::by_quadrature(loss.as_ref(), landscape, domain, self.temperature).ok();
        let case = Case { loss, landscape, domain, ..*self };
        if domain.len() == 1 {
            // Its Gibbs law is needed for the first order alone.
            let law = case.chain().and_then(|chain| chain.stationary());
            let gibbs = if matches!(law, Err(NoDiscreteLaw::TooFine(_))) { gibbs() } else { None };
            return case.on_a_line(law, gibbs.as_ref()).ok();
        }
        case.stationary(Some(&gibbs()?), care).ok()
    }
}

impl FiniteStep {
    fn to_first_order(law: FirstOrder, gibbs: &Gibbs, why: Option<NoDiscreteLaw>) -> Self {
        let FirstOrder { occupancies, bounds } = law;
        Self { occupancies, other: gibbs.other, bounds, method: Method::FirstOrder(why) }
    }
}
