//! `[training]`: how long a network is trained, and from where; and what experiments that train ask of the rest of a scenario.

use serde::{Deserialize, Serialize};

use super::ExperimentKind;
use super::memory;
use super::read::Parts;
use crate::dynamics::DynamicsSpec;
use crate::input::{Number, Problem, Source, Table};
use crate::loss::{LossKind, LossSpec};
use crate::network::{Activation, Initialization};
use crate::noise::{MinibatchSpec, NoiseSpec};
use crate::random::increments::Increments;

/// Keys of the table `[training]` of a scenario whose experiment trains a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingSpec {
    /// How long, in epochs: N/S steps each.
    pub epochs: f64,
    /// Epochs between two looks.
    pub look_every: f64,
    /// The law of the first weights.
    pub initialization: InitializationName,
    /// s of the law "normal", whose variance is s²/inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initialization_scale: Option<f64>,
    /// A file of weights to start from instead, for all replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// In which precision weights and gradients are.
    pub precision: Precision,
    /// μ of the heavy ball; 0 is plain SGD.
    pub momentum: f64,
    /// From these epochs on η is multiplied by these factors: pairs [epoch, factor].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learning_rate_factors: Vec<[f64; 2]>,
    /// The same for S.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batch_size_factors: Vec<[f64; 2]>,
}

/// Laws of the first weights by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitializationName {
    /// Variance 2/inputs, for ReLU and GELU.
    He,
    /// Variance 2/(inputs + outputs), for tanh and identity.
    Glorot,
    /// Variance s²/inputs.
    Normal,
}

/// In which precision a network is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits.
    Single,
    /// 64 bits.
    Double,
}

const INITIALIZATIONS: [(&str, InitializationName); 3] =
    [("he", InitializationName::He), ("glorot", InitializationName::Glorot), ("normal", InitializationName::Normal)];
const PRECISIONS: [(&str, Precision); 2] = [("single", Precision::Single), ("double", Precision::Double)];

/// More looks than this would show nothing new.
const MOST_LOOKS: f64 = 10_000.0;
/// S times its factors is exact up to here.
const LARGEST_BATCH: f64 = 1e9;

impl TrainingSpec {
    /// Reads the table, or the defaults where it is left out, in an experiment that trains; refuses it elsewhere.
    pub(super) fn of(
        root: &Table<'_>,
        experiment: Option<ExperimentKind>,
        loss: Option<&LossSpec>,
    ) -> Option<Option<Self>> {
        match experiment {
            // A misspelt experiment may be one that trains.
            None => {
                if let Some(table) = root.optional_table("training")? {
                    Self::read(&table, loss);
                }
                Some(None)
            }
            Some(ExperimentKind::Training(_)) => match root.optional_table("training")? {
                Some(table) => Self::read(&table, loss).map(Some),
                None => {
                    let example = "[training] with epochs = 10";
                    root.problem(
                        "training",
                        format!("the table [training] is missing; this experiment trains a network; add {example}"),
                    );
                    None
                }
            },
            Some(_) => {
                let message = "the table [training] belongs to experiments that train a network, such as \"curves\"; write one of these, or \
                               remove the table";
                root.refuse("training", message);
                Some(None)
            }
        }
    }

    fn read(table: &Table<'_>, loss: Option<&LossSpec>) -> Option<Self> {
        let epochs = Number { what: "the length of training in epochs", example: "10", low: 1e-6, high: 1e9 };
        let epochs = table.number("epochs", &epochs);
        let every = Number { what: "the epochs between two looks", example: "1", low: 1e-6, high: 1e9 };
        let every = table.optional_number("look_every", &every);
        let name = table.optional_choice("initialization", "the law of the first weights", &INITIALIZATIONS, &[]);
        let scale = Number {
            what: "s, by which variances s²/inputs of first weights are set,",
            example: "1.0",
            low: 0.0,
            high: 1e6,
        };
        let scale = table.optional_number("initialization_scale", &scale);
        let weights = table.optional_text("weights", "the file of first weights", "replica-0000.safetensors");
        let precision = table.optional_choice("precision", "the precision", &PRECISIONS, &[]);
        let momentum = Number { what: "μ, the momentum,", example: "0.9", low: 0.0, high: 1.0 };
        let momentum = table.number_or("momentum", &momentum, 0.0);
        if momentum == Some(1.0) {
            table.problem("momentum", "found 1; velocities would never be forgotten; it must be below 1, such as 0.9");
            return None;
        }
        let rates = read_factors(table, "learning_rate_factors", "η");
        let sizes = read_factors(table, "batch_size_factors", "S");
        table.finish();
        let (epochs, name, scale) = (epochs?, name?, scale?);
        let look_every = every?.unwrap_or_else(|| (epochs / 10.0).min(1.0));
        if epochs / look_every > MOST_LOOKS {
            let message = format!(
                "found {look_every}, which makes {:.0} looks in {epochs} epochs; at most {MOST_LOOKS} are allowed; take at least {}",
                epochs / look_every,
                epochs / MOST_LOOKS
            );
            table.problem("look_every", message);
            return None;
        }
        let initialization =
            name.unwrap_or_else(|| if scale.is_some() { InitializationName::Normal } else { usual(loss) });
        if (initialization == InitializationName::Normal) != scale.is_some() {
            let message = "the scale belongs to initialization = \"normal\", and that needs one; give both, or neither";
            table.problem(if scale.is_some() { "initialization_scale" } else { "initialization" }, message);
            return None;
        }
        Some(Self {
            epochs,
            look_every,
            initialization,
            initialization_scale: scale,
            weights: weights?,
            precision: precision?.unwrap_or(Precision::Single),
            momentum: momentum?,
            learning_rate_factors: rates?,
            batch_size_factors: sizes?,
        })
    }

    /// The law of the first weights.
    pub fn law(&self) -> Initialization {
        match self.initialization {
            InitializationName::He => Initialization::He,
            InitializationName::Glorot => Initialization::Glorot,
            InitializationName::Normal => Initialization::Normal(self.initialization_scale.unwrap_or(1.0)),
        }
    }
}

/// The law that goes with the activation of the network.
fn usual(loss: Option<&LossSpec>) -> InitializationName {
    match loss.map(|loss| &loss.kind) {
        Some(LossKind::Network(network)) if matches!(network.activation, Activation::Relu | Activation::Gelu) => {
            InitializationName::He
        }
        _ => InitializationName::Glorot,
    }
}

/// Pairs [epoch, factor] whose epochs increase.
fn read_factors(table: &Table<'_>, key: &str, of: &str) -> Option<Vec<[f64; 2]>> {
    if !table.has(key) {
        return Some(Vec::new());
    }
    let pair = Number { what: "pairs of an epoch and a factor", example: "[[10, 0.1]]", low: 1e-9, high: 1e9 };
    let rows = table.rows(key, &pair)?;
    let pairs: Option<Vec<[f64; 2]>> = rows.iter().map(|row| <[f64; 2]>::try_from(row.as_slice()).ok()).collect();
    let ascending = pairs.as_ref().is_some_and(|pairs| pairs.windows(2).all(|two| two[0][0] < two[1][0]));
    if !ascending {
        let message = format!(
            "each entry must be [epoch, factor], from which epoch on {of} has which factor, by rising epochs; for example [[10, 0.1]]"
        );
        table.problem(key, message);
        return None;
    }
    pairs
}

/// What keeps an experiment that trains from running.
pub(super) fn check(parts: &Parts, source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(LossSpec { kind: LossKind::Network(network), .. }) = &parts.loss else {
        if parts.loss.is_some() {
            let message = "this experiment trains a network; write loss.kind = \"network\" and give [data]";
            problems.push(source.problem("loss.kind", message));
        }
        return problems;
    };
    if parts
        .noise
        .as_ref()
        .is_some_and(|noise| !matches!(noise, NoiseSpec::Minibatch(MinibatchSpec { tilts: None, .. })))
    {
        let message = "this experiment trains by minibatches of the data; write noise.kind = \"minibatch\"";
        problems.push(source.problem("noise.kind", message));
    }
    if parts
        .dynamics
        .as_ref()
        .is_some_and(|dynamics| *dynamics != DynamicsSpec::Sgd { increments: Increments::Gaussian })
    {
        let message = "this experiment trains by SGD itself; write dynamics.kind = \"sgd\", or leave out [dynamics]";
        problems.push(source.problem("dynamics.kind", message));
    }
    if let Some(Some(training)) = &parts.training {
        problems.extend(too_late(training, source));
    }
    if let (Some(Some(training)), Some(Some(sgd))) = (&parts.training, parts.sgd) {
        problems.extend(training.batch_size_factors.iter().enumerate().find_map(|(index, [_, factor])| {
            let size = factor * sgd.batch_size as f64;
            let message = format!("found the factor {factor}, which makes the batch size {} into {size}; a batch has a whole number of examples, at most {LARGEST_BATCH:e}", sgd.batch_size);
            (size.fract() != 0.0 || !(1.0..=LARGEST_BATCH).contains(&size))
                .then(|| source.problem(&format!("training.batch_size_factors[{index}]"), message))
        }));
    }
    if let (Some(ensemble), Some(available)) = (&parts.ensemble, memory::of_machine()) {
        // Weights, gradient and velocity in double precision, and some room for streams.
        let each = 24 * network.network().parameters() as u64 + 4_096;
        let needed = each as f64 * ensemble.replicas as f64;
        if needed > available as f64 {
            let message = format!(
                "found {} replicas, which take about {}; this machine has {}; at most {} replicas fit",
                ensemble.replicas,
                memory::shown(needed),
                memory::shown(available as f64),
                available / each
            );
            problems.push(source.problem("ensemble.replicas", message));
        }
    }
    problems
}

/// Changes of a schedule from an epoch on that training does not reach.
fn too_late(training: &TrainingSpec, source: &Source) -> Vec<Problem> {
    let schedules = [
        ("learning_rate_factors", &training.learning_rate_factors),
        ("batch_size_factors", &training.batch_size_factors),
    ];
    let late = schedules.into_iter().filter_map(|(key, factors)| {
        let index = factors.iter().position(|[epoch, _]| *epoch >= training.epochs)?;
        let message = format!(
            "found a change from epoch {} on, but training ends after {} epochs, and it would act on nothing; remove it, or give more \
             training.epochs",
            factors[index][0], training.epochs
        );
        Some(source.problem(&format!("training.{key}[{index}]"), message))
    });
    late.collect()
}
