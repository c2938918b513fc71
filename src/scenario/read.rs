//! Reads the keys of a scenario, each checked by itself. What concerns several keys is in [`super::check`].

use super::{
    CrossoverSpec, EnsembleSpec, ExperimentKind, GradientNoiseSpec, Rung, ScalingSpec, Scenario, SgdSpec, Start,
    StudySpec, SvagSpec, TemperaturePairSpec, TestSpec, TrainingExperiment, TrainingSpec, WeakErrorSpec, WidthSpec,
};
use crate::data::DataSpec;
use crate::dynamics::{DynamicsSpec, LearningRate};
use crate::input::{Integer, Number, Table, shorten};
use crate::loss::LossSpec;
use crate::noise::NoiseSpec;
use crate::random::increments::Increments;
use crate::statistics::claim::Verdict;

/// The largest integer of TOML, which has 64 bits with a sign.
const LARGEST_INTEGER: u64 = i64::MAX as u64;

const EXPERIMENTS: [(&str, ExperimentKind); 13] = [
    ("equilibrium", ExperimentKind::Equilibrium),
    ("covariance", ExperimentKind::Covariance),
    ("crossover", ExperimentKind::Crossover),
    ("scaling", ExperimentKind::Scaling),
    ("noise-ladder", ExperimentKind::NoiseLadder),
    ("density", ExperimentKind::Density),
    ("temperature-pair", ExperimentKind::TemperaturePair),
    ("weak-error", ExperimentKind::WeakError),
    ("curves", ExperimentKind::Training(TrainingExperiment::Curves)),
    ("svag", ExperimentKind::Training(TrainingExperiment::Svag)),
    ("stationary-loss", ExperimentKind::Training(TrainingExperiment::StationaryLoss)),
    ("width", ExperimentKind::Training(TrainingExperiment::Width)),
    ("gradient-noise", ExperimentKind::Training(TrainingExperiment::GradientNoise)),
];
/// Experiments of later versions.
const LATER_EXPERIMENTS: [&str; 3] = ["cloud", "escape", "walk"];

const VERDICTS: [(&str, Verdict); 3] =
    [("holds", Verdict::Holds), ("rejected", Verdict::Rejected), ("undetermined", Verdict::Undetermined)];

const RUNGS: [(&str, Rung); 4] =
    [("laplace", Rung::Laplace), ("gibbs", Rung::Gibbs), ("ito", Rung::Ito), ("discrete", Rung::Discrete)];

const SEED: Integer = Integer {
    what: "the seed of all randomness",
    example: "1",
    range: 0..=LARGEST_INTEGER,
    reason: "TOML's integers end at 2^63 − 1",
};

const REPLICAS: Integer = Integer {
    what: "the number of replicas",
    example: "128",
    range: 2..=100_000_000,
    reason: "one alone has no standard error; more than 10^8 would show nothing new",
};
/// Replicas of a network in training, if the scenario does not say.
const DEFAULT_TRAINED: u64 = 32;

/// The parts of a scenario; `None` where one is wrong, which has been told.
#[derive(Debug)]
pub(super) struct Parts {
    name: Option<String>,
    title: Option<String>,
    question: Option<String>,
    pub experiment: Option<ExperimentKind>,
    expect: Option<Verdict>,
    seed: Option<u64>,
    pub loss: Option<LossSpec>,
    /// `Some(None)` where it was left out.
    data: Option<Option<DataSpec>>,
    pub noise: Option<NoiseSpec>,
    /// `Some(None)` where it was left out.
    pub sgd: Option<Option<SgdSpec>>,
    pub dynamics: Option<DynamicsSpec>,
    pub ensemble: Option<EnsembleSpec>,
    pub test: Option<TestSpec>,
    /// `Some(None)` where the experiment has no such table.
    pub crossover: Option<Option<CrossoverSpec>>,
    pub scaling: Option<Option<ScalingSpec>>,
    /// `Some(None)` in an experiment that has none.
    temperature_pair: Option<Option<TemperaturePairSpec>>,
    svag: Option<Option<SvagSpec>>,
    /// `Some(None)` in an experiment that trains nothing.
    pub training: Option<Option<TrainingSpec>>,
    pub weak_error: Option<Option<WeakErrorSpec>>,
    /// `Some(None)` in an experiment that has none.
    pub width: Option<Option<WidthSpec>>,
    /// `Some(None)` in another experiment.
    gradient_noise: Option<Option<GradientNoiseSpec>>,
    /// `Some(None)` where it was left out.
    study: Option<Option<StudySpec>>,
}

impl Parts {
    /// Reads all keys, telling everything that is wrong.
    pub fn read(root: &Table<'_>) -> Self {
        let name = read_name(root);
        let default_title = name.clone().unwrap_or_default();
        let title = root.line_or("title", "the title", "Which well does SGD prefer?", &default_title);
        let question = root.line_or("question", "the question", "Does the wide well win?", "");
        let experiment = root
            .optional_choice("experiment", "the experiment", &EXPERIMENTS, &LATER_EXPERIMENTS)
            .map(|experiment| experiment.unwrap_or(ExperimentKind::Equilibrium));
        let expect = root
            .optional_choice("expect", "the expected verdict", &VERDICTS, &[])
            .map(|expect| expect.unwrap_or(Verdict::Holds));
        let seed = root.integer_or("seed", &SEED, 1);
        let (data, given) = super::data::read(root, seed);
        let loss = root
            .table("loss", "[loss] with kind = \"expression\", variables = [\"x\"], formula = \"x^4/4 - x^2/2\", domain = [[-3.0, 3.0]]")
            .and_then(|table| LossSpec::read(&table, &given));
        super::data::refuse_unused(root, loss.as_ref());
        let noise = root
            .table("noise", "[noise] with kind = \"isotropic\" and sigma = 2.0")
            .and_then(|table| NoiseSpec::read(&table, loss.as_ref()));
        let weak_error = WeakErrorSpec::of(root, experiment, loss.as_ref());
        let weak = weak_error.as_ref().and_then(Option::as_ref);
        let sgd = root.optional_table("sgd").and_then(|table| match table {
            Some(table) => SgdSpec::read(&table, WeakErrorSpec::largest_of(experiment, weak)).map(Some),
            None => Some(None),
        });
        let dynamics = read_dynamics(root, noise.as_ref(), sgd);
        let is_training = matches!(experiment, Some(ExperimentKind::Training(_)));
        let ensemble = match root.optional_table("ensemble") {
            Some(Some(table)) if is_training => EnsembleSpec::read_replicas(&table),
            Some(Some(table)) => EnsembleSpec::read(&table),
            Some(None) if is_training => Some(EnsembleSpec::of_training(DEFAULT_TRAINED)),
            Some(None) => Some(EnsembleSpec::default()),
            None => None,
        };
        let ensemble = match (ensemble, weak) {
            (Some(ensemble), Some(weak)) => {
                let table = root.optional_table("ensemble").flatten();
                Some(weak.complete(ensemble, |key| table.as_ref().is_some_and(|table| table.has(key))))
            }
            (ensemble, _) => ensemble,
        };
        let test_for = experiment.unwrap_or(ExperimentKind::Equilibrium);
        let test = match root.optional_table("test") {
            Some(Some(table)) => TestSpec::read(&table, test_for),
            Some(None) => Some(TestSpec::default_for(test_for)),
            None => None,
        };
        // A misspelt experiment may be the one that the table belongs to.
        let asks = |kind: ExperimentKind| experiment.is_none_or(|experiment| experiment == kind);
        let crossover = table_of(root, "crossover", asks(ExperimentKind::Crossover), CrossoverSpec::read);
        let trains = |kind: TrainingExperiment| asks(ExperimentKind::Training(kind));
        let scales = asks(ExperimentKind::Scaling)
            || trains(TrainingExperiment::Curves)
            || trains(TrainingExperiment::StationaryLoss);
        let scaling = table_of(root, "scaling", scales, ScalingSpec::read);
        let temperature_pair = TemperaturePairSpec::of(root, experiment);
        let svag = SvagSpec::of(root, experiment);
        let training = TrainingSpec::of(root, experiment, loss.as_ref());
        let width = WidthSpec::of(root, experiment);
        let gradient_noise = GradientNoiseSpec::of(root, experiment, training.as_ref().and_then(Option::as_ref));
        let study = match root.optional_table("study") {
            Some(Some(table)) => StudySpec::read(&table).map(Some),
            Some(None) => Some(None),
            None => None,
        };
        root.finish();
        Self {
            name,
            title,
            question,
            experiment,
            expect,
            seed,
            loss,
            data,
            noise,
            sgd,
            dynamics,
            ensemble,
            test,
            crossover,
            scaling,
            temperature_pair,
            svag,
            training,
            weak_error,
            width,
            gradient_noise,
            study,
        }
    }

    /// The scenario, when every part is right.
    pub fn whole(self) -> Option<Scenario> {
        Some(Scenario {
            name: self.name?,
            title: self.title?,
            question: self.question?,
            experiment: self.experiment?,
            expect: self.expect?,
            seed: self.seed?,
            loss: self.loss?,
            data: self.data?,
            noise: self.noise?,
            sgd: self.sgd?,
            dynamics: self.dynamics?,
            ensemble: self.ensemble?,
            test: self.test?,
            crossover: self.crossover?,
            scaling: self.scaling?,
            temperature_pair: self.temperature_pair?,
            svag: self.svag?,
            training: self.training?,
            weak_error: self.weak_error?,
            width: self.width?,
            gradient_noise: self.gradient_noise?,
            study: self.study?,
        })
    }
}

/// The table of one experiment: read (or the defaults) where the scenario asks that question, refused elsewhere.
fn table_of<'c, T: Default>(
    root: &Table<'c>,
    key: &str,
    is_asked: bool,
    read: impl Fn(&Table<'c>) -> Option<T>,
) -> Option<Option<T>> {
    if is_asked {
        return match root.optional_table(key)? {
            Some(table) => read(&table).map(Some),
            None => Some(Some(T::default())),
        };
    }
    let message = format!("the table [{key}] belongs to experiment = \"{key}\"; write that, or remove the table");
    root.refuse(key, message);
    Some(None)
}

/// The name, which becomes a folder.
fn read_name(root: &Table<'_>) -> Option<String> {
    const LONGEST: usize = 100;
    let name = root.text("name", "the name, which names the output folder,", "my-scenario")?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let allowed = format!("a name has 1 to {LONGEST} letters (a to z, A to Z), digits, - and _");
    if !name.is_empty() && name.len() <= LONGEST && name.chars().all(is_allowed) {
        return Some(name);
    }
    let kept: String = name.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(LONGEST).collect();
    let kept = kept.trim_matches('-');
    let suggestion = if kept.is_empty() { "my-scenario" } else { kept };
    let message = format!(
        "found \"{}\"; it names the output folder, so {allowed}; \"{}\" would do",
        shorten(&name),
        shorten(suggestion)
    );
    root.problem("name", message);
    None
}

fn read_dynamics(root: &Table<'_>, noise: Option<&NoiseSpec>, sgd: Option<Option<SgdSpec>>) -> Option<DynamicsSpec> {
    let learning_rate = match (noise, sgd) {
        (_, Some(Some(sgd))) => LearningRate::Known(sgd.learning_rate),
        (Some(NoiseSpec::Temperature(_)), Some(None)) => LearningRate::Absent,
        // Without [sgd] any other noise is incomplete, which [`super::check`] tells.
        _ => LearningRate::Broken,
    };
    match (root.optional_table("dynamics")?, learning_rate) {
        (Some(table), _) => DynamicsSpec::read(&table, learning_rate),
        (None, LearningRate::Known(_)) => Some(DynamicsSpec::Sgd { increments: Increments::Gaussian }),
        (None, LearningRate::Absent) => {
            let message = "the table [dynamics] is missing; with noise kind \"temperature\" there is no learning rate to \
                           take a step from; add [dynamics] with kind = \"euler-maruyama\" and, for example, step = 0.01";
            root.problem("dynamics", message);
            None
        }
        (None, LearningRate::Broken) => None,
    }
}

impl SgdSpec {
    /// `largest` is the η of a question that has a list of them: the key may then be left out.
    fn read(table: &Table<'_>, largest: Option<f64>) -> Option<Self> {
        let learning_rate = Number::positive("η, the learning rate,", "0.05");
        let learning_rate = match largest {
            Some(largest) => table.number_or("learning_rate", &learning_rate, largest),
            None => table.number("learning_rate", &learning_rate),
        };
        let batch_size = Integer { what: "S, the batch size,", example: "1", range: 1..=LARGEST_INTEGER, reason: "" };
        let batch_size = table.integer("batch_size", &batch_size);
        table.finish();
        Some(Self { learning_rate: learning_rate?, batch_size: batch_size? })
    }
}

impl Default for EnsembleSpec {
    fn default() -> Self {
        Self {
            replicas: 128,
            steps: 1_000_000,
            burn_in: None,
            start: Start::Minima,
            observe_every: None,
            target_standard_error: None,
        }
    }
}

impl EnsembleSpec {
    /// The number of replicas alone, where a network is trained: `[training]` says how long.
    fn read_replicas(table: &Table<'_>) -> Option<Self> {
        let replicas = table.integer_or("replicas", &REPLICAS, DEFAULT_TRAINED);
        for key in ["steps", "burn_in", "start", "observe_every", "target_standard_error"] {
            table.refuse(key, "how long and from where a network is trained is said by [training]; remove the key");
        }
        table.finish();
        Some(Self::of_training(replicas?))
    }

    fn of_training(replicas: u64) -> Self {
        Self { replicas, steps: 0, ..Self::default() }
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let default = Self::default();
        let replicas = table.integer_or("replicas", &REPLICAS, default.replicas);
        let steps = Integer {
            what: "the number of measured steps per replica",
            example: "1000000",
            range: 1..=1_000_000_000_000,
            reason: "10^12 steps take hours even for one replica",
        };
        let steps = table.integer_or("steps", &steps, default.steps);
        let burn_in = Integer {
            what: "the number of steps before measuring",
            example: "50000",
            range: 0..=1_000_000_000_000,
            reason: "",
        };
        let burn_in = table.optional_integer("burn_in", &burn_in);
        let start = if !table.has("start") {
            Some(Start::Minima)
        } else if table.is_text("start") {
            read_start_by_name(table)
        } else {
            let point = Number::any("the start points (instead of \"minima\" or \"uniform\")", "[[-1.0], [1.0]]");
            table.rows("start", &point).map(Start::Points)
        };
        let observe_every = Integer {
            what: "the number of steps between two looks at a trajectory",
            example: "10",
            range: 1..=1_000_000_000_000,
            reason: "",
        };
        let observe_every = table.optional_integer("observe_every", &observe_every);
        let target = Number {
            what: "the standard error to reach, in log-odds or ln ratio,",
            example: "0.02",
            low: 1e-6,
            high: 10.0,
        };
        let target_standard_error = table.optional_number("target_standard_error", &target);
        table.finish();
        let steps = steps?;
        if let Some(Some(every)) = observe_every.filter(|every| every.is_some_and(|every| every > steps)) {
            let message = format!(
                "found {every}, more than the {steps} steps, so that nothing would be seen; at most {steps} is allowed"
            );
            table.problem("observe_every", message);
            return None;
        }
        Some(Self {
            replicas: replicas?,
            steps,
            burn_in: burn_in?,
            start: start?,
            observe_every: observe_every?,
            target_standard_error: target_standard_error?,
        })
    }
}

fn read_start_by_name(table: &Table<'_>) -> Option<Start> {
    let what = "the start (or a list of points, such as [[-1.0], [1.0]])";
    let minima = table.choice("start", what, &[("minima", true), ("uniform", false)], &[])?;
    Some(if minima { Start::Minima } else { Start::Uniform })
}

impl TestSpec {
    /// The claim that a scenario tests when it does not say: the slide's formula, for a bowl the chain's own equation,
    /// which is exact, for a density or a pair of them the slide's exp(−L/T).
    fn default_for(experiment: ExperimentKind) -> Self {
        let (tolerance, against) = match experiment {
            ExperimentKind::Equilibrium | ExperimentKind::NoiseLadder => (0.1, Rung::Laplace),
            ExperimentKind::Covariance | ExperimentKind::Scaling => (0.1, Rung::Discrete),
            ExperimentKind::Crossover => (0.1, Rung::Gibbs),
            ExperimentKind::Density => (0.02, Rung::Gibbs),
            ExperimentKind::TemperaturePair => (0.05, Rung::Gibbs),
            ExperimentKind::Training(TrainingExperiment::Curves | TrainingExperiment::Svag) => (0.5, Rung::Discrete),
            ExperimentKind::Training(TrainingExperiment::StationaryLoss) => (0.05, Rung::Discrete),
            ExperimentKind::WeakError => (0.1, Rung::Discrete),
            ExperimentKind::Training(TrainingExperiment::Width) => (0.25, Rung::Discrete),
            ExperimentKind::Training(TrainingExperiment::GradientNoise) => (0.05, Rung::Discrete),
        };
        Self { tolerance, against, sampler_seed: None }
    }

    fn read(table: &Table<'_>, experiment: ExperimentKind) -> Option<Self> {
        let default = Self::default_for(experiment);
        let tolerance = match experiment {
            // A distance of laws is never more than 1.
            ExperimentKind::Density => {
                Number { what: "ε, the largest distance between the laws,", example: "0.02", low: 1e-9, high: 1.0 }
            }
            ExperimentKind::TemperaturePair | ExperimentKind::Training(TrainingExperiment::StationaryLoss) => {
                Number::positive("ε, the tolerance in ln ratio,", "0.05")
            }
            ExperimentKind::Training(TrainingExperiment::Curves | TrainingExperiment::Svag) => {
                Number::positive("ε, the tolerance in spreads between seeds,", "0.5")
            }
            ExperimentKind::WeakError => {
                Number::positive("ε, the tolerance of ln|error| against its exact value,", "0.1")
            }
            ExperimentKind::Training(TrainingExperiment::Width) => {
                Number::positive("ε, the tolerance in ln ratio of curvatures,", "0.25")
            }
            ExperimentKind::Training(TrainingExperiment::GradientNoise) => {
                Number::positive("ε, the tolerance in ln ratio of variances,", "0.05")
            }
            _ => Number::positive("ε, the tolerance in log-odds,", "0.1"),
        };
        let tolerance = table.number_or("tolerance", &tolerance, default.tolerance);
        let against = table.optional_choice("against", "the rung that the verdict is about", &RUNGS, &[]);
        let seed = Integer { what: "the seed of the sampler of the Gibbs law", ..SEED };
        let sampler_seed = table.optional_integer("sampler_seed", &seed);
        table.finish();
        Some(Self { tolerance: tolerance?, against: against?.unwrap_or(default.against), sampler_seed: sampler_seed? })
    }
}
