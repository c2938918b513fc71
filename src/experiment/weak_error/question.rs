//! What is asked: at which learning rates, of which f, from where; and in a bowl the exact answer.

use nalgebra::DMatrix;

use crate::experiment::setting::Setting;
use crate::input::Problem;
use crate::loss::Loss;
use crate::loss::expression::Expression;
use crate::scenario::{Loaded, Start, WeakErrorSpec};
use crate::theory::weak_error::{Bowl, Process};

/// Which SDE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    First,
    Second,
}

impl Order {
    pub(super) const BOTH: [Order; 2] = [Order::First, Order::Second];

    pub(super) fn index(self) -> usize {
        match self {
            Order::First => 0,
            Order::Second => 1,
        }
    }

    /// 1 or 2: the slope that is claimed.
    pub(super) fn number(self) -> u8 {
        self.index() as u8 + 1
    }

    pub(super) fn tolerance(self, spec: &WeakErrorSpec) -> f64 {
        match self {
            Order::First => spec.first_order_tolerance,
            Order::Second => spec.second_order_tolerance,
        }
    }

    fn process(self) -> Process {
        match self {
            Order::First => Process::FirstOrder,
            Order::Second => Process::SecondOrder,
        }
    }
}

/// A scenario of this question.
pub(super) struct Question<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) setting: &'a Setting,
    pub(super) spec: WeakErrorSpec,
    /// f, compiled.
    pub(super) observables: Vec<Expression>,
    pub(super) starts: &'a [Vec<f64>],
    /// S.
    pub(super) batch_size: f64,
    /// E f(SGD) − E f(SDE) by learning rate, observable and order; `None` where it is not known.
    exact: Option<Vec<Vec<[f64; 2]>>>,
}

impl<'a> Question<'a> {
    /// # Errors
    /// When the scenario does not ask this question, which reading has refused; so for one that was made by hand.
    pub(super) fn new(loaded: &'a Loaded, setting: &'a Setting) -> Result<Self, Problem> {
        let problem = |key: &str, message: &str| loaded.source.problem(key, message);
        let scenario = &loaded.scenario;
        let Some(spec) = scenario.weak_error.clone() else {
            return Err(problem("weak_error", "the table [weak_error] is missing"));
        };
        let Start::Points(starts) = &scenario.ensemble.start else {
            return Err(problem("ensemble.start", "E f at a fixed time is that from given points"));
        };
        let Some(sgd) = scenario.sgd else {
            return Err(problem("sgd", "the table [sgd] is missing"));
        };
        let formula = |formula: &String| Expression::new(&setting.variables, &[], formula);
        let observables: Vec<Expression> = spec
            .observables
            .iter()
            .map(formula)
            .collect::<Result<_, _>>()
            .map_err(|error| problem("weak_error.observables", &error.to_string()))?;
        let batch_size = sgd.batch_size as f64;
        let mut question = Self { loaded, setting, spec, observables, starts, batch_size, exact: None };
        question.exact = question.solved();
        Ok(question)
    }

    pub(super) fn dimension(&self) -> usize {
        self.setting.loss.dimension()
    }

    pub(super) fn has_exact(&self) -> bool {
        self.exact.is_some()
    }

    /// E f(SGD) − E f(SDE) in closed form, at a learning rate by its index.
    pub(super) fn exact(&self, rate: usize, observable: usize, order: Order) -> Option<f64> {
        Some(self.exact.as_ref()?[rate][observable][order.index()])
    }

    /// What the closed form says, where there is one: L and every f of second degree, C constant.
    fn solved(&self) -> Option<Vec<Vec<[f64; 2]>>> {
        let setting = self.setting;
        if !setting.noise.is_additive() {
            return None;
        }
        let minimum = &setting.landscape.minima[0].theta;
        let hessian = constant_hessian(setting.loss.as_ref(), &setting.domain)?;
        let bowl = Bowl::new(minimum, &hessian, &setting.noise.covariance(minimum));
        let curvatures: Vec<DMatrix<f64>> =
            self.observables.iter().map(|f| constant_hessian(f, &setting.domain)).collect::<Option<_>>()?;
        let at = |process: Process, rate: f64, observable: usize| {
            let mean_of = |start: &Vec<f64>| {
                let (mean, covariance) = bowl.moments(process, start, rate, self.batch_size, self.spec.steps(rate));
                let spread = (&curvatures[observable] * covariance).trace();
                self.observables[observable].value(mean.as_slice()) + 0.5 * spread
            };
            self.starts.iter().map(mean_of).sum::<f64>() / self.starts.len() as f64
        };
        let errors = |rate: f64, observable: usize| {
            let sgd = at(Process::Sgd, rate, observable);
            Order::BOTH.map(|order| sgd - at(order.process(), rate, observable))
        };
        let of_rate = |&rate: &f64| (0..self.observables.len()).map(|index| errors(rate, index)).collect();
        Some(self.spec.learning_rates.iter().map(of_rate).collect())
    }
}

/// The Hessian of a function that has the same one at some scattered places of the domain, which a function that is not of second degree
/// would not have but by a miracle.
fn constant_hessian(function: &dyn Loss, domain: &[[f64; 2]]) -> Option<DMatrix<f64>> {
    const PLACES: [f64; 4] = [0.123, 0.377, 0.651, 0.912];
    let at = |part: f64| -> Vec<f64> {
        let place = |(i, [low, high]): (usize, &[f64; 2])| low + (high - low) * (part + 0.1 * i as f64).fract();
        domain.iter().enumerate().map(place).collect()
    };
    let first = function.hessian(&at(PLACES[0]));
    let scale = first.amax();
    let same = |part: &f64| (function.hessian(&at(*part)) - &first).amax() <= 1e-10 * scale.max(1e-10);
    (first.iter().all(|h| h.is_finite()) && PLACES[1..].iter().all(same)).then_some(first)
}
