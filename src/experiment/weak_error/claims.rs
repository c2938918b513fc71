//! The claims: either slope; that the SDE is not of second order, as a control; and in a bowl every error against its closed form.

use super::Run;
use super::question::{Order, Question};
use super::slope::Fit;
use crate::experiment::records::Claim;
use crate::findings::ClaimRecord;
use crate::math;
use crate::statistics::{Contrast, Evidence, Judgement, Verdict, judge, scenario_verdict};

/// What is claimed.
#[derive(Clone, Copy, PartialEq)]
enum Subject {
    /// The error of an SDE falls with its own power of η.
    Slope(Order),
    /// The SDE's with that of the modified equation: false, and the same data must show it.
    Control,
    /// Every error is that of the closed form.
    Exact,
}

const SUBJECTS: [Subject; 4] =
    [Subject::Slope(Order::First), Subject::Slope(Order::Second), Subject::Control, Subject::Exact];

impl Subject {
    fn tolerance(self, question: &Question) -> f64 {
        match self {
            Subject::Slope(order) => order.tolerance(&question.spec),
            Subject::Control => Order::Second.tolerance(&question.spec),
            Subject::Exact => question.loaded.scenario.test.tolerance,
        }
    }

    fn is_primary(self) -> bool {
        matches!(self, Subject::Slope(_))
    }

    /// The slopes that are compared: whose, and with which number.
    fn slope(self) -> Option<(Order, f64)> {
        match self {
            Subject::Slope(order) => Some((order, f64::from(order.number()))),
            Subject::Control => Some((Order::First, 2.0)),
            Subject::Exact => None,
        }
    }

    fn contrasts(self, question: &Question, run: Option<&Run>) -> Vec<Contrast> {
        let Some((order, predicted)) = self.slope() else { return exact(question, run) };
        let one = |(observable, name): (usize, &String)| Contrast {
            label: format!("slope of ln|error of E {name}| of the {}", equation(order)),
            predicted,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: run.and_then(|run| run.fit(observable, order).as_ref().ok()).map(|fit| fit.line.slope.clone()),
        };
        question.spec.observables.iter().enumerate().map(one).collect()
    }

    fn claim(self, question: &Question) -> Claim {
        let time = question.spec.time;
        let (id, statement) = match self {
            Subject::Slope(Order::First) => (
                "weak-error-first-order",
                format!(
                    "SGD is the SDE dθ = −∇L dt + √n B dW to first order in η: at t = {time} and fixed S, |E f(SGD) − E f(SDE)| falls as η"
                ),
            ),
            Subject::Slope(Order::Second) => (
                "weak-error-second-order",
                format!(
                    "SGD is the modified equation of drift −∇(L + (η/4)|∇L|²) to second order in η: at t = {time} and fixed S, the error \
                     falls as η²"
                ),
            ),
            Subject::Control => (
                "weak-error-control",
                "a control that must be rejected: the SDE without the second term of the drift would be of second order too".to_owned(),
            ),
            Subject::Exact => (
                "weak-error-exact",
                format!("every error at t = {time} is the one that mean and covariance in the bowl have in closed form"),
            ),
        };
        let source = match self {
            Subject::Exact => {
                "(1 − ηh)ᵏ against e^(−ht), and the covariances that belong to them; the linear recursion and linear SDEs"
            }
            _ => "Li, Tai & E 2017 and 2019 (JMLR 20, 40); the talk: SGD ≈ SDE for small learning rate",
        };
        Claim {
            id: id.into(),
            primary: self.is_primary(),
            statement,
            source: source.into(),
            tolerance: self.tolerance(question),
        }
    }

    /// What stands behind a verdict, in words.
    fn reason(self, run: &Run, judgement: &Judgement) -> String {
        let Some((order, _)) = self.slope() else { return judgement.reason.clone() };
        let fits = || (0..run.fits.len()).map(|observable| run.fit(observable, order));
        let missing: Vec<String> = fits().filter_map(|fit| fit.as_ref().err().cloned()).collect();
        if !missing.is_empty() {
            return format!("there is no slope: {}", missing.join("; "));
        }
        let told = fits().flatten().map(told).collect::<Vec<_>>().join("; ");
        let why = match (self, judgement.verdict) {
            (Subject::Control, Verdict::Rejected) => {
                ": as it must be, so these data can tell a first from a second order"
            }
            (Subject::Slope(_), Verdict::Rejected) => {
                ": another power, or η too large for the leading one (the local slopes then tend to the claimed one as η falls); where \
                 ∇L = 0 at the start, or f does not feel it, the leading term vanishes and the slope is one higher"
            }
            _ => "",
        };
        format!("{}; {told}{why}", judgement.reason)
    }
}

fn told(fit: &Fit) -> String {
    let local: Vec<String> = fit.local.iter().map(|slope| format!("{slope:.3}")).collect();
    format!(
        "between neighbouring η the slopes are {}; the integrator's step moves the slope by at most {:.4}",
        local.join(", "),
        fit.integrator
    )
}

fn equation(order: Order) -> &'static str {
    match order {
        Order::First => "SDE",
        Order::Second => "modified equation",
    }
}

/// ln|error| at every learning rate; none outside of a bowl.
fn exact(question: &Question, run: Option<&Run>) -> Vec<Contrast> {
    let mut contrasts = Vec::new();
    for (observable, name) in question.spec.observables.iter().enumerate() {
        for order in Order::BOTH {
            for (index, rate) in question.spec.learning_rates.iter().enumerate() {
                let Some(error) = question.exact(index, observable, order).filter(|error| *error != 0.0) else {
                    continue;
                };
                // The sign counts: an error of the other one has no logarithm.
                let towards = |run: &Run| {
                    let measured = run.points[index].error(observable, order).error.clone()?;
                    crate::statistics::Estimate { value: measured.value * error.signum(), ..measured }.logarithm()
                };
                contrasts.push(Contrast {
                    label: format!("ln|error of E {name}| of the {} at η = {rate}", equation(order)),
                    predicted: math::ln(error.abs()),
                    predicted_standard_error: 0.0,
                    predicted_bound: 0.0,
                    measured: run.and_then(towards),
                });
            }
        }
    }
    contrasts
}

/// Every claim before a measurement.
pub(super) fn predicted(question: &Question) -> Vec<ClaimRecord> {
    let one = |subject: Subject| subject.claim(question).predicted(&subject.contrasts(question, None));
    SUBJECTS.into_iter().filter_map(one).collect()
}

/// Every claim with its verdict, and that of the scenario.
pub(super) fn judged(question: &Question, run: &Run) -> (Vec<ClaimRecord>, Verdict) {
    let evidence = Evidence::without_equilibrium(run.diverged());
    let mut judgements: Vec<(Subject, Judgement)> = SUBJECTS
        .into_iter()
        .map(|subject| (subject, subject.contrasts(question, Some(run))))
        .filter(|(_, contrasts)| !contrasts.is_empty())
        .map(|(subject, contrasts)| (subject, judge(&contrasts, subject.tolerance(question), &evidence)))
        .collect();
    let primary = judgements.iter_mut().filter(|(subject, _)| subject.is_primary());
    let verdict = scenario_verdict(&mut primary.map(|(_, judgement)| judgement).collect::<Vec<_>>());
    let record = |(subject, judgement): &(Subject, Judgement)| {
        subject.claim(question).judged(judgement, subject.reason(run, judgement))
    };
    (judgements.iter().filter_map(record).collect(), verdict)
}
