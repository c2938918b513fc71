//! Three claims per rung: n*, the slope and the intercept of ln(p_A/p_B) against 1/n, each with a tolerance of its own.

use super::Run;
use super::theory::{Question, Theory};
use crate::experiment::equilibrium;
use crate::experiment::reason::{RUNGS, cancelling};
use crate::experiment::records::Claim;
use crate::findings::ClaimRecord;
use crate::landscape::minimum_name;
use crate::math;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Contrast, Estimate, Judgement, Line, Verdict, judge, scenario_verdict};

/// What is compared: the crossing and the two numbers of the line.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Aspect {
    Point,
    Slope,
    Intercept,
}

impl Aspect {
    pub(super) const ALL: [Aspect; 3] = [Aspect::Point, Aspect::Slope, Aspect::Intercept];

    fn name(self) -> &'static str {
        match self {
            Aspect::Point => "point",
            Aspect::Slope => "slope",
            Aspect::Intercept => "intercept",
        }
    }

    /// ε of this comparison.
    pub(super) fn tolerance(self, loaded: &Loaded, question: &Question) -> f64 {
        match self {
            Aspect::Point => loaded.scenario.test.tolerance,
            Aspect::Slope => question.spec().slope_tolerance,
            Aspect::Intercept => question.spec().intercept_tolerance,
        }
    }

    /// Prediction and measurement; `None` where the rung has no such prediction.
    pub(super) fn contrast(
        self,
        rung: Rung,
        question: &Question,
        theory: &Theory,
        errors: &[f64],
        measured: Option<&Line>,
    ) -> Option<Contrast> {
        let [slope, intercept] = theory.line(rung, errors)?;
        let (label, predicted, measured) = match self {
            Aspect::Point => {
                let label = format!("ln {}*", question.varied);
                (label, math::ln(theory.crossing(rung)?), measured.and_then(Line::log_inverse_root))
            }
            Aspect::Slope => {
                // A slope of the other sign has no ln ratio: no estimate, and no HOLDS.
                let towards = |line: &Line| Estimate { value: line.slope.value * slope.signum(), ..line.slope.clone() };
                let label = format!("ln slope of {}", equilibrium::pair_name(question.pair));
                (label, math::ln(slope.abs()), measured.and_then(|line| towards(line).logarithm()))
            }
            Aspect::Intercept => {
                let label = format!("intercept of {}", equilibrium::pair_name(question.pair));
                (label, intercept, measured.map(|line| line.intercept.clone()))
            }
        };
        let predicted_standard_error = self.of_quantity(theory.line_errors(rung, errors)?, slope);
        let predicted_bound = self.of_quantity(theory.line_bounds(rung, errors)?, slope);
        Some(Contrast { label, predicted, predicted_standard_error, predicted_bound, measured })
    }

    /// Errors of ln n*, slope and intercept, as one of what is compared.
    fn of_quantity(self, [of_point, of_slope, of_intercept]: [f64; 3], slope: f64) -> f64 {
        match self {
            Aspect::Point => of_point,
            Aspect::Slope => of_slope / slope.abs(),
            Aspect::Intercept => of_intercept,
        }
    }

    fn statement(self, rung: Rung, question: &Question) -> String {
        let [a, b] = question.pair.map(minimum_name);
        let n = question.varied;
        let whose = match rung {
            Rung::Laplace => "the slide's formula",
            Rung::Gibbs => "the Gibbs law",
            Rung::Ito => "the Itô density",
            Rung::Discrete => "the law of the chain at its finite step",
        };
        match self {
            Aspect::Point => format!(
                "{a} and {b} are equally likely at the noise {n}* of {whose}: below it depth decides, above it width"
            ),
            Aspect::Slope => format!("ln(p_{a}/p_{b}) falls with {n} by the slope in 1/{n} of {whose}: the depths"),
            Aspect::Intercept => {
                format!("ln(p_{a}/p_{b}) goes to the intercept of {whose} as 1/{n} → 0: the widths")
            }
        }
    }

    fn source(self, rung: Rung) -> &'static str {
        match (self, rung) {
            (Aspect::Point, Rung::Laplace) => {
                "n* = 4(L_B − L_A)/(σ² ln(det H_A/det H_B)), where the slide's two weights are equal; arXiv:1711.04623"
            }
            (Aspect::Slope, Rung::Laplace) => "slope −2(L_A − L_B)/σ² of the slide's formula; arXiv:1711.04623",
            (Aspect::Intercept, Rung::Laplace) => {
                "intercept −½ ln(det H_A/det H_B) of the slide's formula; arXiv:1711.04623"
            }
            (Aspect::Point, Rung::Gibbs) => "zero of ln ∫_A exp(−L/T) dθ − ln ∫_B exp(−L/T) dθ, T = nσ²/2",
            (Aspect::Point, Rung::Ito) => "zero of the log-odds of the Itô density (1/D) exp(−∫L′/D), D = nσ²/2",
            (_, Rung::Ito) => {
                "weighted line through the Itô log-odds at the same n, with the weights of the measurement"
            }
            (Aspect::Point, Rung::Discrete) => "zero of the log-odds of the chain's stationary law",
            (_, Rung::Gibbs) => {
                "weighted line through the Gibbs log-odds at the same n, with the weights of the measurement"
            }
            (_, Rung::Discrete) => {
                "weighted line through the chain's log-odds at the same n, with the weights of the measurement"
            }
        }
    }
}

/// A claim without its numbers.
pub(super) fn claim(aspect: Aspect, rung: Rung, question: &Question, loaded: &Loaded) -> Claim {
    Claim {
        id: format!("crossover-{}-{}", aspect.name(), rung.name()),
        primary: rung == loaded.scenario.test.against,
        statement: aspect.statement(rung, question),
        source: aspect.source(rung).into(),
        tolerance: aspect.tolerance(loaded, question),
    }
}

/// Every claim with its verdict, and that of the scenario.
pub(super) fn judged(
    aspects: impl Iterator<Item = (Aspect, Rung)>,
    question: &Question,
    theory: &Theory,
    loaded: &Loaded,
    errors: &[f64],
    run: &Run,
) -> (Vec<ClaimRecord>, Option<Verdict>) {
    let evidence = run.evidence();
    let mut judgements: Vec<(Aspect, Rung, Judgement)> = aspects
        .filter_map(|(aspect, rung)| {
            let contrast = aspect.contrast(rung, question, theory, errors, run.line.as_ref())?;
            let mut judgement = judge(&[contrast], aspect.tolerance(loaded, question), &evidence);
            if aspect == Aspect::Point && run.is_extrapolated(theory) == Some(true) {
                judgement.bar_holding(&format!(
                    "the measured {}* lies outside of the measured points, which makes it an extrapolation",
                    question.varied
                ));
            }
            Some((aspect, rung, judgement))
        })
        .collect();
    let against = loaded.scenario.test.against;
    let mut primary: Vec<&mut Judgement> =
        judgements.iter_mut().filter(|(_, rung, _)| *rung == against).map(|(_, _, judgement)| judgement).collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judgements.iter().filter_map(|(aspect, rung, judgement)| {
        let mut reason = judgement.reason.clone();
        if judgement.contrasts.iter().any(|judged| judged.contrast.measured.is_none()) {
            reason = format!("{reason}; {}", missing(*aspect, run));
        }
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}; {}", other_rungs(*aspect, question, theory, errors));
        }
        if judgement.verdict == Verdict::Holds
            && let Some(told) = cancelled(*aspect, *rung, question, theory, errors, judgement)
        {
            reason = format!("{reason}; {told}");
        }
        claim(*aspect, *rung, question, loaded).judged(judgement, reason)
    });
    (claims.collect(), Some(verdict))
}

/// Why there is no estimate.
fn missing(aspect: Aspect, run: &Run) -> String {
    match (&run.line, aspect) {
        (None, _) => "a point without an estimate leaves no line".into(),
        (Some(_), Aspect::Point) => {
            "the measured slope and intercept are of one sign, or not both told from zero (10 standard errors), so that their \
             ratio has no error bar"
                .into()
        }
        (Some(_), _) => "the measured slope has the other sign".into(),
    }
}

/// That a rung agrees with the measurement although those above it do not.
fn cancelled(
    aspect: Aspect,
    against: Rung,
    question: &Question,
    theory: &Theory,
    errors: &[f64],
    judgement: &Judgement,
) -> Option<String> {
    let measured = judgement.contrasts.first()?.contrast.measured.as_ref()?.value;
    let predicted = RUNGS.into_iter().filter(|&rung| rung >= against).filter_map(|rung| {
        Some((rung.name().to_owned(), aspect.contrast(rung, question, theory, errors, None)?.predicted))
    });
    let steps: Vec<(String, f64)> = predicted.chain([("measured".to_owned(), measured)]).collect();
    cancelling(&steps, judgement.tolerance)
}

/// What every rung predicts: which approximation broke is where they part.
fn other_rungs(aspect: Aspect, question: &Question, theory: &Theory, errors: &[f64]) -> String {
    let values = RUNGS.into_iter().filter_map(|rung| {
        let contrast = aspect.contrast(rung, question, theory, errors, None)?;
        Some(format!("{} {:.4}", rung.name(), contrast.predicted))
    });
    format!("the rungs of the ladder: {}", values.collect::<Vec<_>>().join(", "))
}
