//! The rungs of a ladder whose noise depends on θ: the Itô equation's own law and passage times, and the chain's.

use super::ladder::{Discrete, Ladder, no_law_at_its_step, no_stationary_law};
use super::setting::Setting;
use crate::theory::discrete::{Chain, DiscreteLaw};
use crate::theory::escape;
use crate::theory::ito::{self, ItoLaw, NoItoLaw, Potential};

/// Adds what is known in one dimension, and notes for what is not.
pub(super) fn climb(ladder: &mut Ladder, setting: &Setting) {
    ladder.notes.push(format!(
        "The noise depends on θ, so there is no one temperature. The slide's formula and the Gibbs rung were given σ² = tr C/d \
         averaged over the minima, T = {:.6}; kramers is null, since its formula assumes one temperature",
        setting.effective_temperature()
    ));
    if setting.domain.len() > 1 {
        let dimensions = setting.domain.len();
        for rung in ["ito", "discrete"] {
            ladder.notes.push(format!(
                "{rung} is null: with noise that depends on θ it is known in one dimension, here are {dimensions}"
            ));
        }
        return;
    }
    let diffusion = |x: f64| setting.diffusion(x);
    let loss = setting.loss.as_ref();
    let places = setting.landscape.places_on_a_line();
    let known = Potential::new(loss, &diffusion, setting.domain[0], &places)
        .and_then(|potential| ito::by_quadrature(&potential, &setting.landscape).map(|law| (potential, law)));
    let potential = match known {
        Ok((potential, law)) => {
            ladder.ito = Some(law);
            potential
        }
        Err(reason) => {
            if matches!(reason, NoItoLaw::NotConfined | NoItoLaw::FallsBeyond(_)) {
                ladder.no_law = Some(no_stationary_law(&reason));
            }
            ladder.notes.push(format!("ito is null: {reason}"));
            ladder.notes.push(format!("discrete is null: {reason}"));
            return;
        }
    };
    let chain = add_discrete(ladder, setting, &diffusion);
    let exact = |places: &[f64]| escape::exact_ito_passage_times(&potential, places);
    ladder.add_passages(setting, &|_, _| None, &exact, chain.as_ref());
}

/// The Itô law alone; `None` where it is not known.
pub(super) fn ito(setting: &Setting) -> Option<ItoLaw> {
    let [line] = setting.domain.as_slice() else { return None };
    let diffusion = |x: f64| setting.diffusion(x);
    if setting.noise.is_additive() {
        return None;
    }
    let places = setting.landscape.places_on_a_line();
    let potential = Potential::new(setting.loss.as_ref(), &diffusion, *line, &places).ok()?;
    ito::by_quadrature(&potential, &setting.landscape).ok()
}

/// The law of the Euler–Maruyama chain alone; `None` where it is not known.
pub(super) fn chain_law(setting: &Setting) -> Option<DiscreteLaw> {
    let [line] = setting.domain.as_slice() else { return None };
    let diffusion = |x: f64| setting.diffusion(x);
    Chain::with_diffusion(setting.loss.as_ref(), &setting.landscape, *line, &diffusion, setting.step())
        .and_then(|chain| chain.stationary())
        .ok()
}

/// The law of the Euler–Maruyama chain with its spread at every place.
fn add_discrete<'a>(
    ladder: &mut Ladder,
    setting: &'a Setting,
    diffusion: &'a (dyn Fn(f64) -> f64 + Sync),
) -> Option<Chain<'a>> {
    if !setting.is_normal_chain() {
        ladder.notes.push(no_law_at_its_step(setting));
        return None;
    }
    let chain =
        Chain::with_diffusion(setting.loss.as_ref(), &setting.landscape, setting.domain[0], diffusion, setting.step());
    match chain.as_ref().map_err(Clone::clone).and_then(Chain::stationary) {
        Ok(law) => {
            ladder.discrete = Some(Discrete::on_a_line(law));
        }
        Err(reason) => ladder.notes.push(format!("discrete is null: {reason}")),
    }
    chain.ok()
}
