//! A dynamics as a scenario describes it.

use serde::{Deserialize, Serialize};

use crate::input::{Integer, Number, Table};
use crate::random::increments::Increments;

/// A dynamics as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DynamicsSpec {
    /// θ ← θ − η(g + Δg/√S): the discrete process itself.
    Sgd {
        /// The law of ξ in Δg = Bξ.
        increments: Increments,
    },
    /// SVAG(l): two batches a step, the second with a negative weight; its limit l → ∞ is the SDE.
    Svag {
        /// l.
        amplification: u32,
    },
    /// Euler–Maruyama of the SDE with its own step.
    EulerMaruyama {
        /// δ in SDE time; left out: η.
        step: f64,
        /// The law of the increments ξ.
        increments: Increments,
    },
    /// Leimkuhler–Matthews: second order in the invariant law, additive noise only.
    LeimkuhlerMatthews {
        /// δ in SDE time; left out: η.
        step: f64,
        /// Whether what its stationary law is off that of the SDE is an error of the predictions.
        #[serde(default, skip_serializing_if = "is_false")]
        count_bias: bool,
    },
    /// The cheapest of these whose stationary law is near enough to that of the SDE. Before anything is computed
    /// [`crate::experiment::fastest::settle`] puts that one in its place.
    Fastest {
        /// δ of the steps in which the ensemble is measured; left out: η.
        step: f64,
    },
    /// Platen's explicit scheme of weak order 2.
    Platen {
        /// δ in SDE time; left out: η.
        step: f64,
    },
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Clone, Copy)]
enum Kind {
    Sgd,
    Svag,
    Integrator(fn(f64) -> DynamicsSpec),
}

const KINDS: [(&str, Kind); 6] = [
    ("euler-maruyama", Kind::Integrator(|step| DynamicsSpec::EulerMaruyama { step, increments: Increments::Gaussian })),
    ("sgd", Kind::Sgd),
    ("svag", Kind::Svag),
    ("leimkuhler-matthews", Kind::Integrator(|step| DynamicsSpec::LeimkuhlerMatthews { step, count_bias: false })),
    ("platen", Kind::Integrator(|step| DynamicsSpec::Platen { step })),
    ("fastest", Kind::Integrator(|step| DynamicsSpec::Fastest { step })),
];

const INCREMENTS: [(&str, Increments); 2] = [("gaussian", Increments::Gaussian), ("binomial", Increments::Binomial)];

/// Kinds of later versions.
const LATER: [&str; 7] = ["milstein", "srk", "heun", "underdamped", "second-order", "modified-equation", "momentum"];

/// What a dynamics takes from the rest of the scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LearningRate {
    /// η of the table `[sgd]`.
    Known(f64),
    /// The noise is given as a temperature: there is no η.
    Absent,
    /// `[sgd]` itself is wrong, which has been told.
    Broken,
}

impl DynamicsSpec {
    /// δ of an integrator; `None` for SGD itself and SVAG, whose step is η or a part of it.
    pub fn step(&self) -> Option<f64> {
        match *self {
            Self::Sgd { .. } | Self::Svag { .. } => None,
            Self::EulerMaruyama { step, .. }
            | Self::LeimkuhlerMatthews { step, .. }
            | Self::Platen { step }
            | Self::Fastest { step } => Some(step),
        }
    }

    /// Whether what the scheme's stationary law is off that of the SDE is an error of the predictions.
    pub fn counts_bias(&self) -> bool {
        matches!(self, Self::LeimkuhlerMatthews { count_bias: true, .. })
    }

    /// How many steps go through an SDE time of η, for what has no step of its own: 1 for SGD, l for SVAG.
    pub fn steps_per_learning_rate(&self) -> f64 {
        match self {
            Self::Svag { amplification } => f64::from(*amplification),
            _ => 1.0,
        }
    }

    /// The law of the increments.
    pub fn increments(&self) -> Increments {
        match *self {
            Self::Sgd { increments } | Self::EulerMaruyama { increments, .. } => increments,
            Self::Svag { .. } | Self::LeimkuhlerMatthews { .. } | Self::Platen { .. } | Self::Fastest { .. } => {
                Increments::Gaussian
            }
        }
    }

    /// What people call it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "SGD",
            Self::Svag { .. } => "SVAG",
            Self::EulerMaruyama { .. } => "Euler–Maruyama",
            Self::LeimkuhlerMatthews { .. } => "Leimkuhler–Matthews",
            Self::Platen { .. } => "Platen",
            Self::Fastest { .. } => "the fastest scheme",
        }
    }

    /// Reads the table `[dynamics]`.
    pub(crate) fn read(table: &Table<'_>, learning_rate: LearningRate) -> Option<Self> {
        // A table without a kind and a step changes nothing about the step: it is SGD's.
        let is_sgd = matches!(learning_rate, LearningRate::Known(_)) && !table.has("step");
        let default = if is_sgd { Kind::Sgd } else { KINDS[0].1 };
        let kind = table.optional_choice("kind", "the kind of dynamics", &KINDS, &LATER)?.unwrap_or(default);
        let dynamics = match kind {
            Kind::Sgd => {
                table
                    .refuse("step", "SGD's step is sgd.learning_rate; remove step, or write kind = \"euler-maruyama\"");
                if let LearningRate::Absent = learning_rate {
                    let message = "found \"sgd\" with noise kind \"temperature\"; SGD needs a learning rate and a batch \
                                   size, which a temperature alone does not fix; give [sgd] and noise kind \"isotropic\", \
                                   or write kind = \"euler-maruyama\" with a step";
                    table.problem("kind", message);
                    None
                } else {
                    Some(Self::Sgd { increments: Increments::Gaussian })
                }
            }
            Kind::Svag => {
                table.refuse("step", "SVAG's step is sgd.learning_rate over l; remove step");
                let expected = Integer {
                    what: "l, by which SVAG amplifies the noise of a step and divides the learning rate,",
                    example: "4",
                    range: 1..=1_000_000,
                    reason: "1 is SGD itself",
                };
                let amplification = table.integer("amplification", &expected);
                amplification.map(|l| Self::Svag { amplification: l as u32 })
            }
            Kind::Integrator(with_step) => {
                let expected = Number::positive("δ, the integrator's step in SDE time,", "0.01");
                match (table.optional_number("step", &expected), learning_rate) {
                    (Some(Some(step)), _) | (Some(None), LearningRate::Known(step)) => Some(with_step(step)),
                    (None, _) | (_, LearningRate::Broken) => None,
                    (Some(None), LearningRate::Absent) => {
                        let message = "missing; with noise kind \"temperature\" there is no learning rate to take the \
                                       step from; add to [dynamics], for example, step = 0.01";
                        table.problem("step", message);
                        None
                    }
                }
            }
        };
        let what = "the law of the increments";
        let increments = table.optional_choice("increments", what, &INCREMENTS, &[]);
        let is_biased = matches!(dynamics, None | Some(Self::LeimkuhlerMatthews { .. }));
        let count_bias = if is_biased {
            table.boolean_or("count_bias", "whether the scheme's bias is an error of the predictions", false)
        } else {
            let message = "only what Leimkuhler–Matthews does to the law is known as a bias; remove count_bias, or write kind = \
                           \"leimkuhler-matthews\" (\"fastest\" counts it by itself)";
            table.refuse("count_bias", message);
            Some(false)
        };
        table.finish();
        let dynamics = dynamics?.with(increments?.unwrap_or_default(), table)?;
        Some(dynamics.counting(count_bias?))
    }

    /// The same with its bias counted, or not.
    fn counting(self, count_bias: bool) -> Self {
        match self {
            Self::LeimkuhlerMatthews { step, .. } => Self::LeimkuhlerMatthews { step, count_bias },
            other => other,
        }
    }

    /// The same with increments of another law, if the method is one for them.
    fn with(self, increments: Increments, table: &Table<'_>) -> Option<Self> {
        match self {
            Self::Sgd { .. } => Some(Self::Sgd { increments }),
            Self::EulerMaruyama { step, .. } => Some(Self::EulerMaruyama { step, increments }),
            _ if increments == Increments::Gaussian => Some(self),
            Self::Svag { .. } => {
                let message =
                    "found \"binomial\" with SVAG, which takes minibatches and no increments; remove increments";
                table.problem("increments", message);
                None
            }
            Self::LeimkuhlerMatthews { .. } | Self::Platen { .. } | Self::Fastest { .. } => {
                let message = format!(
                    "found \"binomial\" with {}, a method of second order: it needs a fourth moment of 3, and the binomial's is 2.875, so \
                     only first order would be left; remove increments, or write kind = \"euler-maruyama\"",
                    self.title()
                );
                table.problem("increments", message);
                None
            }
        }
    }
}
