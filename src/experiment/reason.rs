//! Which assumption broke: the first neighbouring rungs of the ladder that differ by more than the tolerance.

use super::ladder::Ladder;
use super::setting::Setting;
use crate::landscape::minimum_name;
use crate::math;
use crate::plain::decimals;
use crate::scenario::Rung;

/// A value on the ladder, or the measurement at its end.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Predicted(Rung),
    Measured,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Predicted(rung) => rung.name(),
            Step::Measured => "measured",
        }
    }
}

impl Rung {
    /// As in result files: `laplace`, `gibbs`, `ito`, `discrete`.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Laplace => "laplace",
            Rung::Gibbs => "gibbs",
            Rung::Ito => "ito",
            Rung::Discrete => "discrete",
        }
    }
}

/// The rungs from the most approximate to the least.
pub(super) const RUNGS: [Rung; 4] = [Rung::Laplace, Rung::Gibbs, Rung::Ito, Rung::Discrete];

/// ln(p_a/p_b) from `against` upwards, the measurement last.
fn steps(ladder: &Ladder, against: Rung, [a, b]: [usize; 2], measured: f64) -> Vec<(Step, f64)> {
    let predicted = RUNGS.into_iter().filter(|&rung| rung >= against).filter_map(|rung| {
        let occupancies = ladder.rung(rung)?;
        Some((Step::Predicted(rung), math::ln(occupancies[a]) - math::ln(occupancies[b])))
    });
    predicted.chain([(Step::Measured, measured)]).collect()
}

/// That `against` agrees with the measurement by accident, if so: neighbours between the two differ by more than `tolerance`.
pub(super) fn cancelling_rungs(
    ladder: &Ladder,
    against: Rung,
    pair: [usize; 2],
    measured: f64,
    tolerance: f64,
) -> Option<String> {
    let steps = steps(ladder, against, pair, measured).into_iter().map(|(step, value)| (step.name().to_owned(), value));
    let [a, b] = pair.map(minimum_name);
    Some(format!("ln(p_{a}/p_{b}): {}", cancelling(&steps.collect::<Vec<_>>(), tolerance)?))
}

/// That the first of these values and the last agree by accident, if neighbours between them differ by more than `tolerance`.
pub(super) fn cancelling(steps: &[(String, f64)], tolerance: f64) -> Option<String> {
    let change = |pair: &[(String, f64)]| pair[1].1 - pair[0].1;
    let apart = steps.windows(2).filter(|pair| change(pair).abs() > tolerance);
    let told: Vec<String> =
        apart.map(|pair| format!("from {} to {} by {:+.3}", pair[0].0, pair[1].0, change(pair))).collect();
    (steps.len() > 2 && !told.is_empty()).then(|| {
        format!(
            "it holds although neighbouring rungs differ by more than ε, {}: the effects of what they assume cancel here, and need not elsewhere",
            told.join(" and ")
        )
    })
}

/// Why ln(p_a/p_b), `measured`, is not what `against` predicts: the first neighbours on the ladder, from `against`
/// upwards, that differ by more than `tolerance`, and what lies between them.
pub(super) fn broken_assumption(
    setting: &Setting,
    ladder: &Ladder,
    against: Rung,
    [a, b]: [usize; 2],
    measured: f64,
    tolerance: f64,
) -> String {
    let steps = steps(ladder, against, [a, b], measured);
    let gap = |pair: &[(Step, f64)]| (pair[1].1 - pair[0].1).abs();
    let first = steps.windows(2).find(|pair| gap(pair) > tolerance);
    let Some(pair) = first.or_else(|| steps.windows(2).max_by(|x, y| gap(x).total_cmp(&gap(y)))) else {
        return String::new();
    };
    let [(lower, low), (upper, high)] = [pair[0], pair[1]];
    let opening = if first.is_some() {
        "the first neighbouring rungs that differ by more than ε are"
    } else {
        "no two neighbouring rungs differ by more than ε, their differences add up; the largest is between"
    };
    format!(
        "{opening} {} and {}: ln(p_{}/p_{}) = {low:.3} and {high:.3}. {}",
        lower.name(),
        upper.name(),
        minimum_name(a),
        minimum_name(b),
        between(setting, lower, upper)
    )
}

/// What is assumed by a rung and not by a finer one, or (`None`) not by the measurement.
pub(super) fn assumption(setting: &Setting, lower: Rung, upper: Option<Rung>) -> String {
    between(setting, Step::Predicted(lower), upper.map_or(Step::Measured, Step::Predicted))
}

/// What is assumed on the lower of two neighbouring rungs and not on the upper one, with the numbers of this case.
fn between(setting: &Setting, lower: Step, upper: Step) -> String {
    match (lower, upper) {
        (Step::Predicted(Rung::Laplace), Step::Predicted(Rung::Gibbs)) => parabola(setting),
        // Neither of the two knows that the noise varies.
        (Step::Predicted(Rung::Laplace | Rung::Gibbs), Step::Measured) if !setting.noise.is_additive() => {
            format!("{} {}", state_dependent(setting), unmodelled_chain(setting))
        }
        (Step::Predicted(Rung::Laplace | Rung::Gibbs), _) if !setting.noise.is_additive() => state_dependent(setting),
        (_, Step::Predicted(Rung::Discrete)) => finite_step(setting),
        (Step::Predicted(Rung::Discrete), Step::Measured) => {
            "The chain's own law leaves nothing to approximate but the noise's form: look at the diagnostics and at what \
             lies in no basin"
                .into()
        }
        (Step::Predicted(Rung::Ito), _) => finite_step(setting),
        _ if setting.temperature().is_none() => anisotropic(setting),
        // No law of the chain to compare with: what is left unmodelled are the steps, and the parabola without Gibbs.
        (Step::Predicted(Rung::Laplace), _) => {
            format!("With neither a Gibbs nor a discrete rung, two assumptions are open. {} {}", parabola(setting), steps_of_the_chain(setting))
        }
        _ => steps_of_the_chain(setting),
    }
}

/// What an SDE does not know of the steps.
fn steps_of_the_chain(setting: &Setting) -> String {
    if setting.is_of_minibatches() { unmodelled_chain(setting) } else { finite_step(setting) }
}

fn parabola(setting: &Setting) -> String {
    let landscape = &setting.landscape;
    let temperature = decimals(setting.effective_temperature(), 4);
    let barrier = landscape
        .saddles
        .iter()
        .flat_map(|saddle| saddle.between.map(|minimum| saddle.point.loss - landscape.minima[minimum].loss));
    let lowest = barrier.fold(f64::INFINITY, f64::min);
    let compare = if lowest.is_finite() {
        format!(
            "T = {temperature} is not small against the lowest barrier, {} ({:.1} T)",
            decimals(lowest, 4),
            lowest / setting.effective_temperature()
        )
    } else {
        format!("T = {temperature} is not small")
    };
    format!("The parabola at the minimum misses the mass of its basin (Laplace's approximation): {compare}.")
}

pub(super) fn finite_step(setting: &Setting) -> String {
    let step = setting.step();
    let saddle = setting.landscape.saddles.iter().flat_map(|saddle| &saddle.point.eigenvalues);
    let largest = saddle.fold(0.0f64, |a, h| a.max(h.abs()));
    let barrier = if largest > 0.0 { format!(", and {:.2} at a saddle", step * largest) } else { String::new() };
    format!(
        "The finite step: δ = {step} is not small against the curvature (δh = {:.2} at the sharpest minimum{barrier}), so the \
         chain's law is not that of the SDE.",
        step * setting.sharpest()
    )
}

/// How much the noise differs between minima.
pub(super) fn state_dependence(setting: &Setting) -> String {
    let minima = &setting.landscape.minima;
    let d = setting.loss.dimension();
    let covariances: Vec<_> = minima.iter().map(|minimum| setting.noise.covariance(&minimum.theta)).collect();
    let variances: Vec<f64> = covariances.iter().map(|covariance| covariance.trace() / d as f64).collect();
    let by_size = |a: &usize, b: &usize| variances[*a].total_cmp(&variances[*b]);
    let [least, most] =
        [(0..minima.len()).min_by(by_size), (0..minima.len()).max_by(by_size)].map(Option::unwrap_or_default);
    let (variance, shape) = if d == 1 {
        ("σ²", String::new())
    } else {
        let difference = (&covariances[most] - &covariances[least]).norm() / covariances[most].norm();
        ("σ² = tr C/d", format!(" (as matrices they differ by {difference:.2} of the larger, in Frobenius norm)"))
    };
    format!(
        "The noise depends on θ: {variance} is {:.4} at minimum {} and {:.4} at {}, a ratio of {:.2}{shape}, and the formula assumes one \
         σ² for all, here their mean.",
        variances[most],
        minimum_name(most),
        variances[least],
        minimum_name(least),
        variances[most] / variances[least]
    )
}

fn state_dependent(setting: &Setting) -> String {
    let varies = state_dependence(setting);
    let law = if setting.loss.dimension() == 1 {
        "The stationary law is D⁻¹exp(−∫L′/D) with D = nσ²/2, not exp(−2L/(nσ²)): depths count by the noise on the way, and the noisier \
         place is avoided for its noise alone."
            .to_owned()
    } else {
        let unequal =
            unequal_directions(setting).map(|unequal| format!(" Nor is it the same in all directions: {unequal}."));
        format!(
            "The stationary law is not exp(−2L/(nσ²)): depths count by the noise on the way, and noisy places are avoided for their \
             noise alone.{}",
            unequal.unwrap_or_default()
        )
    };
    format!("{varies} {law}")
}

/// What of a chain no rung describes where its noise varies in several dimensions, or is not normal.
fn unmodelled_chain(setting: &Setting) -> String {
    let batches = if setting.is_of_minibatches() {
        ", nor that the noise of minibatches is not normal, the less so the fewer examples they have"
    } else {
        ""
    };
    format!(
        "No rung above describes the finite step{batches}: δ = {} times the sharpest curvature is {:.2}. A run with the integrator \
         \"euler-maruyama\" at a small step tells this from what the noise does.",
        setting.step(),
        setting.step() * setting.sharpest()
    )
}

fn anisotropic(setting: &Setting) -> String {
    format!(
        "The noise is not isotropic: {}; the stationary law is not exp(−2L/(nσ²)).",
        unequal_directions(setting).unwrap_or_default()
    )
}

/// How C at minimum A differs from σ²I; `None` where it does not.
pub(super) fn unequal_directions(setting: &Setting) -> Option<String> {
    let theta = &setting.landscape.minima[0].theta;
    let covariance = setting.noise.covariance(theta);
    let eigenvalues = covariance.clone().symmetric_eigenvalues();
    let (least, most) = (eigenvalues.min(), eigenvalues.max());
    if most - least <= 1e-9 * most {
        return None;
    }
    let hessian = setting.loss.hessian(theta);
    let commutator = &covariance * &hessian - &hessian * &covariance;
    let relative = commutator.norm() / (covariance.norm() * hessian.norm());
    let current = if relative > 1e-12 {
        format!("CH ≠ HC at minimum A (relative size {relative:.2}), so a probability current flows")
    } else {
        "CH = HC at minimum A, yet C is not a multiple of the identity, so there is no one temperature".into()
    };
    Some(format!(
        "C has eigenvalues from {} to {most:.4}, the formula assumes C = σ²I. {current}",
        eigenvalue(least, most)
    ))
}

/// The least eigenvalue, 0 where rounding alone is left of it.
fn eigenvalue(least: f64, most: f64) -> String {
    if least.abs() <= 1e-12 * most { "0".into() } else { format!("{least:.4}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::dmatrix;

    use super::*;
    use crate::dynamics::euler_maruyama::EulerMaruyama;
    use crate::experiment::ladder::Discrete;
    use crate::loss::Loss;
    use crate::loss::wells::{Well, Wells};
    use crate::noise::isotropic::Isotropic;
    use crate::theory::discrete::bounds::Bounds;
    use crate::theory::gibbs::Gibbs;

    #[test]
    fn rungs_that_cancel_are_told_with_their_signs() {
        let told = |values: &[f64]| {
            let names = ["laplace", "gibbs", "discrete"].into_iter().take(values.len() - 1).chain(["measured"]);
            cancelling(&names.map(str::to_owned).zip(values.iter().copied()).collect::<Vec<_>>(), 0.1)
        };
        let opposite = told(&[1.0, 1.3, 1.02, 1.01]).unwrap();
        assert!(opposite.contains("holds although"), "{opposite}");
        assert!(
            opposite.contains("from laplace to gibbs by +0.300 and from gibbs to discrete by -0.280"),
            "{opposite}"
        );
        assert!(!opposite.contains("measured"), "{opposite}");
        // What offsets one step may be several small ones, or the last, to the measurement.
        assert!(told(&[1.0, 1.15, 1.08, 1.01]).unwrap().contains("+0.150"));
        assert!(told(&[1.0, 1.2, 1.01]).unwrap().contains("from gibbs to measured by -0.190"));
        // Nothing in between, or nothing that differs.
        assert_eq!(told(&[1.0, 1.09, 1.02, 0.98]), None);
        assert_eq!(told(&[1.0, 1.2]), None);
    }

    /// The reason for a rejection where the rungs predict the given ln(p_A/p_B), at ε = 0.1.
    fn reason(against: Rung, [laplace, gibbs, discrete, measured]: [f64; 4]) -> String {
        let well = |x: f64, loss: f64| Well { position: vec![x], loss, hessian: dmatrix![4.0] };
        let loss: Arc<dyn Loss> = Arc::new(Wells::new(&[well(-1.0, 0.0), well(1.0, 0.1)], 0.1).unwrap());
        let noise = Arc::new(Isotropic::new(1, 1.0));
        let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.2, 0.01));
        let setting = Setting::new(loss, noise, dynamics, 0.2, &[[-2.0, 2.0]]).unwrap();
        let law = |log_odds: f64| vec![1.0 / (1.0 + (-log_odds).exp()), 1.0 / (1.0 + log_odds.exp())];
        let occupancies = law(gibbs);
        let ladder = Ladder {
            laplace: Some(law(laplace)),
            gibbs: Some(Gibbs {
                occupancies,
                other: 0.0,
                mean_laplacian: vec![4.0; 2],
                mean_excess: None,
                spread: Vec::new(),
                curvature: Vec::new(),
                log_normalization: None,
                elsewhere: None,
                sampling: None,
            }),
            ito: None,
            scheme_bias: None,
            discrete: Some(Discrete {
                occupancies: law(discrete),
                other: 0.0,
                law: None,
                bounds: Bounds::none(2),
                on_gibbs: true,
            }),
            escape: Vec::new(),
            notes: Vec::new(),
            no_law: None,
        };
        broken_assumption(&setting, &ladder, against, [0, 1], measured, 0.1)
    }

    /// The noise of few examples is not normal, and no rung says what that does: the step is not blamed alone.
    #[test]
    fn steps_of_minibatches_are_not_blamed_on_their_size_alone() {
        let of = |noise: &str| {
            let text = format!(
                "name = \"steps\"\n[loss]\nkind = \"expression\"\nvariables = [\"x\"]\nformula = \"x^4/4 - x^2/2 + x/10\"\n\
                 domain = [[-3.0, 3.0]]\n[noise]\nsigma = 2.0\n{noise}\n[sgd]\nlearning_rate = 0.05\nbatch_size = 1\n\
                 [ensemble]\nreplicas = 64\nsteps = 1000\n"
            );
            let loaded = crate::scenario::parse(text, "steps.toml", &[], None).unwrap();
            assumption(&Setting::from_scenario(&loaded).unwrap(), Rung::Gibbs, None)
        };
        let batches = of("kind = \"minibatch\"\nexamples = 3\nsampling = \"with-replacement\"");
        assert!(
            batches.contains("the noise of minibatches is not normal") && batches.contains("δ = 0.05"),
            "{batches}"
        );
        let normal = of("kind = \"isotropic\"");
        assert!(normal.starts_with("The finite step") && !normal.contains("normal"), "{normal}");
    }

    #[test]
    fn the_first_neighbours_from_the_claim_upwards_are_blamed() {
        for (against, log_odds, expected) in [
            // Every pair differs: the first counts, from the rung of the claim on.
            (Rung::Laplace, [0.0, 0.2, 0.5, 1.0], ["more than ε are laplace and gibbs", "0.000 and 0.200", "parabola"]),
            (
                Rung::Gibbs,
                [0.0, 0.2, 0.5, 1.0],
                ["more than ε are gibbs and discrete", "0.200 and 0.500", "finite step"],
            ),
            (
                Rung::Discrete,
                [0.0, 0.2, 0.5, 1.0],
                ["more than ε are discrete and measured", "0.500 and 1.000", "own law"],
            ),
            // Differences within ε are passed over, and so are differences below the claim.
            (Rung::Laplace, [0.0, 0.09, -0.3, 1.0], ["more than ε are gibbs and discrete", "0.090 and -0.300", "step"]),
            (
                Rung::Gibbs,
                [5.0, 0.0, 0.05, 0.9],
                ["more than ε are discrete and measured", "0.050 and 0.900", "own law"],
            ),
            // None differs by more than ε: the largest difference.
            (
                Rung::Laplace,
                [0.0, 0.05, 0.14, 0.2],
                ["largest is between gibbs and discrete", "0.050 and 0.140", "step"],
            ),
        ] {
            let found = reason(against, log_odds);
            for part in expected {
                assert!(found.contains(part), "no {part:?} in: {found}");
            }
        }
    }
}
