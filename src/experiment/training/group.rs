//! One group of replicas: what is common to them, and what was seen of them.

use super::course::Course;
use super::timetable::{Clash, Timetable};
use super::trainees::Trainees;
use crate::findings::{DivergedRecord, GroupRecord, LookRecord, MeasureRecord};
use crate::statistics::Sample;
use crate::training::{Fate, Look, Measured, Noise, Recipe, Schedule};

/// At most so many diverged replicas are named.
const NAMED_DIVERGED: usize = 10;

/// Replicas with one learning rate and one batch size.
pub struct Group {
    /// For tables and keys of figures.
    pub name: String,
    /// η, S and noise.
    pub recipe: Recipe,
    /// Epochs of its own that stand for one of the scenario: l for SVAG(l), else 1.
    pub stretch: u64,
    /// In order of time; the first is that of the start.
    pub looks: Vec<Look>,
    /// Replica and step of those that diverged.
    pub diverged: Vec<(u64, u64)>,
    /// Steps of a replica.
    pub steps: u64,
    replicas: u64,
    is_trained: bool,
    /// When it is looked at, if it is compared at equal times with others.
    times: Option<Timetable>,
}

impl Group {
    /// Before anything was trained.
    pub fn new(name: impl Into<String>, recipe: Recipe, course: &Course) -> Self {
        let mut group = Self {
            name: name.into(),
            looks: Vec::new(),
            diverged: Vec::new(),
            steps: 0,
            stretch: recipe.noise.epochs_per_epoch(),
            recipe,
            replicas: course.replicas as u64,
            is_trained: false,
            times: None,
        };
        // What has no timetable is refused before it is trained.
        if let Ok(times) = Timetable::new(&course.spec, &[group.batch_size()], course.examples()) {
            group.keep(&times, course);
        }
        group
    }

    /// Gives groups that are to be compared the same times: those at which all of them have just taken a step.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn meet(groups: &mut [Self], course: &Course) -> Result<(), Clash> {
        let sizes: Vec<u64> = groups.iter().map(Self::batch_size).collect();
        let times = Timetable::new(&course.spec, &sizes, course.examples())?;
        for group in groups {
            group.keep(&times, course);
            group.times = Some(times.clone());
        }
        Ok(())
    }

    /// Takes the place of another group before it has run, at the same times.
    pub(super) fn in_place_of(mut self, other: &Self, course: &Course) -> Self {
        if let Some(times) = &other.times {
            self.keep(times, course);
        }
        self.times.clone_from(&other.times);
        self
    }

    /// Changes its schedule at these times.
    fn keep(&mut self, times: &Timetable, course: &Course) {
        let (rate, size) = (self.learning_rate(), self.batch_size());
        // As the clock of a training has it, to the bit.
        let epoch = |from: u64| (self.stretch * from) as f64 / course.examples() as f64;
        let rates = times.stretches().iter().map(|s| (epoch(s.from), rate * s.rate)).collect();
        let sizes = times.stretches().iter().map(|s| (epoch(s.from), (size as f64 * s.size) as usize)).collect();
        // Stretches begin at 0 and ascend, so these are schedules.
        self.recipe.learning_rate = Schedule::piecewise(rates).unwrap_or(Schedule::constant(rate));
        self.recipe.batch_size = Schedule::piecewise(sizes).unwrap_or(Schedule::constant(size as usize));
        self.steps = self.stretch * times.steps(size);
    }

    /// When it is looked at, in its own epochs; the first is the start.
    pub(super) fn epochs_of_looks(&self, course: &Course) -> Vec<f64> {
        let looks = self.times.iter().flat_map(Timetable::looks);
        looks.map(|&look| (self.stretch * look) as f64 / course.examples() as f64).collect()
    }

    /// What became of the looks that were asked for, where groups could not all be looked at then.
    pub(super) fn note_on_times(&self) -> Option<String> {
        self.times.as_ref()?.note()
    }

    /// How many looks are left after that of the start.
    pub(super) fn looks_after_start(&self) -> usize {
        self.times.as_ref().map_or(0, |times| times.looks().len() - 1)
    }

    /// What was seen when: the step of every look and its SDE time Σ η_k, of steps of η/l for SVAG(l).
    fn look_records(&self) -> Vec<LookRecord> {
        let Some(times) = &self.times else { return Vec::new() };
        let record = |look: &Look| LookRecord {
            epochs: look.epochs / self.stretch as f64,
            steps: look.steps,
            sde_time: self.learning_rate() * times.rates(self.batch_size(), look.steps as f64 / self.stretch as f64),
        };
        self.looks.iter().map(record).collect()
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

    /// The same with what is missing counted.
    pub fn sample(&self, look: usize, quantity: impl Fn(&Measured) -> f64) -> Sample {
        self.at(look, quantity).into_iter().collect()
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
        self.looks.get(look).map_or(f64::NAN, |look| look.epochs / self.stretch as f64)
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
    pub fn record(&self, measures: &[(&str, Sample)]) -> GroupRecord {
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
            looks: self.look_records(),
            measures: measures.iter().filter_map(|(name, sample)| measure(name, sample)).collect(),
        }
    }
}

/// The mean of a sample as a measure of a group; none of fewer than two.
pub(super) fn measure(name: &str, sample: &Sample) -> Option<MeasureRecord> {
    let estimate = sample.mean()?;
    Some(MeasureRecord {
        quantity: name.to_owned(),
        measured: estimate.value,
        standard_error: estimate.standard_error,
        interval: estimate.interval(0.95),
        left_out: (!sample.is_whole()).then(|| sample.left_out()),
    })
}
