//! One group of replicas: what is common to them, and what was seen of them.

use super::course::Course;
use super::trainees::Trainees;
use crate::findings::{DivergedRecord, GroupRecord, MeasureRecord};
use crate::statistics::Estimate;
use crate::training::{Fate, Look, Measured, Noise, Recipe};

/// At most so many diverged replicas are named.
const NAMED_DIVERGED: usize = 10;

/// Replicas with one learning rate and one batch size.
pub struct Group {
    /// For tables and keys of figures.
    pub name: String,
    /// η, S and noise.
    pub recipe: Recipe,
    /// Epochs of its own that stand for one of the scenario: l for SVAG(l), else 1.
    pub stretch: f64,
    /// In order of time; the first is that of the start.
    pub looks: Vec<Look>,
    /// Replica and step of those that diverged.
    pub diverged: Vec<(u64, u64)>,
    /// Steps of a replica.
    pub steps: u64,
    replicas: u64,
    is_trained: bool,
}

impl Group {
    /// Before anything was trained.
    pub fn new(name: impl Into<String>, recipe: Recipe, course: &Course) -> Self {
        let stretch = recipe.noise.epochs_per_epoch();
        Self {
            name: name.into(),
            looks: Vec::new(),
            diverged: Vec::new(),
            steps: course.steps(&recipe, stretch),
            recipe,
            stretch,
            replicas: course.replicas as u64,
            is_trained: false,
        }
    }

    /// What was seen of it.
    pub(super) fn take(&mut self, looks: Vec<Look>, trainees: &Trainees) {
        self.diverged = (0..trainees.replicas())
            .filter_map(|replica| match trainees.fate(replica) {
                Fate::Diverged { step } => Some((replica as u64, step)),
                Fate::Trained => None,
            })
            .collect();
        self.looks = looks;
        self.is_trained = true;
    }

    /// A quantity of every replica at one look; `None` for those that have diverged.
    pub fn at(&self, look: usize, quantity: impl Fn(&Measured) -> f64) -> Vec<Option<f64>> {
        let replicas = self.looks.get(look).map_or(&[][..], |look| &look.replicas);
        replicas.iter().map(|measured| measured.as_ref().map(&quantity)).collect()
    }

    /// Mean over the replicas that are left.
    pub fn mean(&self, look: usize, quantity: impl Fn(&Measured) -> f64) -> Option<Estimate> {
        let values: Vec<f64> = self.at(look, quantity).into_iter().flatten().collect();
        Estimate::from_replicas(&values)
    }

    /// η at the start.
    pub fn learning_rate(&self) -> f64 {
        self.recipe.learning_rate.at(0.0)
    }

    /// S at the start.
    pub fn batch_size(&self) -> u64 {
        self.recipe.batch_size.at(0.0) as u64
    }

    /// When a look was taken, in epochs of the scenario.
    pub fn epochs(&self, look: usize) -> f64 {
        self.looks.get(look).map_or(f64::NAN, |look| look.epochs / self.stretch)
    }

    /// Operations of a replica, six for every weight and example that passes through the network.
    pub(super) fn work(&self, course: &Course) -> f64 {
        let (all, batch) = (course.examples() as f64, self.recipe.batch_size.at(0.0) as f64);
        let examples = match self.recipe.noise {
            Noise::Minibatch(_) => batch,
            Noise::Svag { .. } => 2.0 * batch,
            Noise::ExampleGaussian | Noise::Isotropic { .. } | Noise::None => all,
            Noise::FrozenGaussian(_) => 2.0 * all,
        };
        6.0 * course.network.parameters() as f64 * examples * self.steps as f64
    }

    /// Whether nothing is left.
    pub fn is_lost(&self) -> bool {
        self.diverged.len() as u64 == self.replicas
    }

    /// The group as a row of `result.json`, with what is told of its end; measured fields are empty before it was trained.
    pub fn record(&self, measures: &[(&str, Option<Estimate>)]) -> GroupRecord {
        let named = self.diverged.iter().take(NAMED_DIVERGED);
        GroupRecord {
            name: self.name.clone(),
            learning_rate: self.learning_rate(),
            batch_size: self.recipe.batch_size.at(0.0) as u64,
            noise_scale: self.learning_rate() / self.recipe.batch_size.at(0.0) as f64,
            replicas: self.replicas,
            steps: self.steps,
            diverged: self.is_trained.then_some(self.diverged.len() as u64),
            diverged_replicas: named.map(|&(replica, step)| DivergedRecord { replica, step }).collect(),
            measures: measures.iter().filter_map(|(name, estimate)| measure(name, estimate.as_ref())).collect(),
        }
    }
}

/// An estimate as a measure of a group; none where it is no finite number.
pub(super) fn measure(name: &str, estimate: Option<&Estimate>) -> Option<MeasureRecord> {
    let estimate = estimate.filter(|estimate| estimate.is_finite())?;
    Some(MeasureRecord {
        quantity: name.to_owned(),
        measured: estimate.value,
        standard_error: estimate.standard_error,
        interval: estimate.interval(0.95),
    })
}
