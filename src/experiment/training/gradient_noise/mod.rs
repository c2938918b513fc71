//! The noise of the minibatch gradient: g⁽ˢ⁾ = g + Δg/√S with Δg ~ N(0, C)?
//!
//! At the weights θ of replicas in training, at chosen epochs, the gradients of all N examples give C (divisor N), its first eigenvector v₁
//! and the exact law of u·∇ℓᵢ along v₁ and along random directions u. From these follow, for a batch of S,
//!
//! - its covariance, C/S times (N−S)/(N−1) where the examples of a batch differ;
//! - skewness γ₁/√S and excess kurtosis γ₂/S, or those of a subset ([`crate::theory::batch_mean`]);
//! - its law, and the distance of that from the normal one: between bounds, without an expansion ([`crate::theory::batch_law`]).
//!
//! Many independent batches of every S are then drawn, in 64 groups which give the errors. The covariance is that of real batch gradients
//! ([`measure`]), within ±ε in ln ratio. Moments count as those predicted within what moves a distribution function by a quarter of the
//! distance that counts as Gaussian. "Gaussian" is claimed of the largest S: an upper bound of the Kolmogorov distance from N(0, 1), the mean
//! and the variance being the predicted ones, is below `gradient_noise.distance`. The smallest S is the control: where the same statistic
//! at the same number of groups does not reject it, nothing holds.

mod claims;
mod figure;
mod law;
mod measure;
mod point;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::super::{Control, ExperimentError, Status};
use super::course::Course;
use super::curvature::double_examples;
use super::document;
use super::group::Group;
use super::trainees::Trainees;
use crate::ensemble::Interrupted;
use crate::findings::{FigureData, Findings, GroupRecord};
use crate::input::Problem;
use crate::network::Real;
use crate::random::batches::Sampling;
use crate::random::derived_seed;
use crate::scenario::{GradientNoiseSpec, Loaded, Precision};
use crate::training::{Fate, Look, examples};
use law::Expected;
use measure::{Bench, Draw, Measured, measure};
use point::{Place, Point};

/// Seeds of batches are the parts of the seed from here on.
const FIRST_PART: u64 = 1 << 20;

/// What is predicted and, after a run, what was measured at one θ, size by size.
struct Found {
    point: Point,
    expected: Vec<OfSize>,
    sizes: Vec<Measured>,
}

/// What is predicted of batches of S.
struct OfSize {
    size: u64,
    /// Along every direction.
    laws: Vec<Expected>,
}

impl OfSize {
    fn all(course: &Course, spec: &GradientNoiseSpec, point: &Point) -> Vec<Self> {
        let of = |&size: &u64| {
            let directions = (0..point.directions.len()).into_par_iter();
            let laws: Option<Vec<Expected>> =
                directions.map(|k| Expected::of(point, k, course.sampling, size)).collect();
            Self { size, laws: laws.unwrap_or_default() }
        };
        spec.sizes.par_iter().map(of).collect()
    }
}

fn spec(loaded: &Loaded) -> GradientNoiseSpec {
    loaded.scenario.gradient_noise.clone().unwrap_or_default()
}

/// Refuses batches that cannot be drawn.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    let (spec, examples) = (spec(loaded), course.examples());
    let largest = spec.sizes.last().copied().unwrap_or(1);
    if course.sampling != Sampling::WithReplacement && largest >= examples as u64 {
        let message = format!(
            "found a batch of {largest}, from {examples} examples; a batch of different examples must leave some out, else its gradient has no \
             noise; take at most {}, more examples, or noise.sampling = \"with-replacement\"",
            examples - 1
        );
        return Err(loaded.source.problem("gradient_noise.sizes", message));
    }
    if examples < 4 {
        let message = format!("found {examples} examples; the kurtosis of their gradients needs at least 4");
        return Err(loaded.source.problem("data", message));
    }
    Ok(())
}

/// Bytes of the gradients of examples that are held at once, and of the vectors from which eigenvalues are found.
pub(super) fn memory(loaded: &Loaded, course: &Course) -> f64 {
    let parameters = course.network.parameters();
    let numbers = point::gradients_held(course.examples(), parameters) + point::vectors_held() * parameters;
    if loaded.scenario.gradient_noise.is_some() { 8.0 * numbers as f64 } else { 0.0 }
}

/// The one group: what is trained, up to the last epoch at which something is measured.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let mut group = Group::new("trained", course.recipe(course.sgd.learning_rate, course.sgd.batch_size), course);
    let part = spec(loaded).epochs.last().copied().unwrap_or(0.0) / course.spec.epochs;
    group.steps = (group.steps as f64 * part).ceil() as u64;
    vec![group]
}

/// What is known before anything is trained: all predictions at the first weights of the first replica.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let spec = spec(loaded);
    let place = Place { epoch: 0.0, replica: 0, theta: course.first_weights() };
    let is_asked = spec.epochs.first() == Some(&0.0);
    let examples = double_examples(course).filter(|_| is_asked);
    let point = examples
        .and_then(|examples| Point::of(course, &examples, place, spec.directions, &AtomicBool::new(false)).ok());
    let expected = |point: Point| Found { expected: OfSize::all(course, &spec, &point), point, sizes: Vec::new() };
    let found: Vec<Found> = point.into_iter().map(expected).collect();
    let (claims, mut notes) = claims::predicted(loaded, course, &found);
    notes.push("Predictions are those at the first weights of the first replica; others need the training".into());
    let groups = groups(loaded, course).iter().map(|group| group.record(&[])).collect();
    let mut findings = document(loaded, course, groups, claims, None, notes);
    findings.gradient_noise = found.iter().map(figure::record).collect();
    findings
}

/// Trains, draws batches at every place, and judges.
pub(super) fn run(
    loaded: &Loaded,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let spec = spec(loaded);
    let mut group = groups(loaded, course).remove(0);
    let points = spec.epochs.len() as u64 * course.replicas as u64;
    let mut progress = Progress { control, done: 0, in_all: group.steps + points * spec.all_batches() };
    let (places, records) = trained(loaded, course, &spec, &mut group, &mut progress)?;
    if places.is_empty() || group.is_lost() {
        return Err(super::lost(course, &group));
    }
    let double = double_examples(course)
        .ok_or_else(|| loaded.source.problem("data", "the network does not take the examples in double precision"))?;
    let mut found = Vec::new();
    for (index, place) in places.into_iter().enumerate() {
        let name = place.name();
        let stop = progress.control.stop;
        let point = Point::of(course, &double, place, spec.directions, stop).map_err(|error| {
            if stop.load(Ordering::Relaxed) {
                return ExperimentError::from(Interrupted);
            }
            loaded.source.problem("loss", format!("at {name}: {error}")).into()
        })?;
        let mut at = Found { expected: OfSize::all(course, &spec, &point), point, sizes: Vec::new() };
        at.sizes = match course.spec.precision {
            Precision::Single => sizes::<f32>(loaded, course, &spec, &at, index, &mut progress)?,
            Precision::Double => sizes::<f64>(loaded, course, &spec, &at, index, &mut progress)?,
        };
        found.push(at);
    }
    let (claims, verdict, notes) = claims::judged(loaded, course, &found, group.diverged.len());
    let mut findings = document(loaded, course, records, claims, Some(verdict), notes);
    findings.gradient_noise = found.iter().map(figure::record).collect();
    Ok((findings, figure::figures(&found)))
}

/// Trains all replicas from place to place; those that have diverged have no more places.
fn trained(
    loaded: &Loaded,
    course: &Course,
    spec: &GradientNoiseSpec,
    group: &mut Group,
    progress: &mut Progress<'_, '_>,
) -> Result<(Vec<Place>, Vec<GroupRecord>), ExperimentError> {
    let recipe = course.recipe(course.sgd.learning_rate, course.sgd.batch_size);
    let mut trainees = course.begin(loaded, &recipe, 0, 0)?;
    let (mut at, mut places, mut last) = (0.0, Vec::new(), None);
    for &epoch in &spec.epochs {
        let look = progress.train(&mut trainees, epoch - at)?;
        at = epoch;
        for replica in 0..trainees.replicas() {
            if trainees.fate(replica) == Fate::Trained {
                places.push(Place { epoch, replica: replica as u64, theta: trainees.weights(replica) });
            }
        }
        last = look;
    }
    group.take(last.into_iter().collect(), &trainees);
    let mut measures = vec![("L", group.sample(0, |measured| measured.training.loss))];
    if course.data.training.labels().is_some() {
        let accuracy = group.sample(0, |measured| measured.training.accuracy.unwrap_or(f64::NAN));
        measures.push(("training accuracy", accuracy));
    }
    let record = group.record(&measures);
    Ok((places, vec![record]))
}

/// All sizes at one place.
fn sizes<T: Real>(
    loaded: &Loaded,
    course: &Course,
    spec: &GradientNoiseSpec,
    found: &Found,
    place: usize,
    progress: &mut Progress<'_, '_>,
) -> Result<Vec<Measured>, ExperimentError> {
    let examples = examples::<T>(&course.network, &course.data.training)
        .map_err(|error| loaded.source.problem("data", error.to_string()))?;
    let bench = Bench { network: &course.network, examples: &examples };
    let mut measured = Vec::new();
    for (index, expected) in found.expected.iter().enumerate() {
        let part = FIRST_PART + (place * spec.sizes.len() + index) as u64;
        let draw = Draw {
            sampling: course.sampling,
            size: expected.size,
            batches: spec.batches_of(expected.size),
            seed: derived_seed(course.seed, part),
        };
        let stop = progress.control.stop;
        let advance = &mut |batches| progress.add(batches);
        measured.push(measure(&found.point, &bench, &expected.laws, draw, stop, advance)?);
    }
    Ok(measured)
}

/// Steps of the training, then batches, as one progress.
struct Progress<'c, 'm> {
    control: &'c mut Control<'m>,
    done: u64,
    in_all: u64,
}

impl Progress<'_, '_> {
    fn add(&mut self, done: u64) {
        self.done += done;
        let estimate = || None;
        (self.control.monitor)(&Status { steps_done: self.done, steps_in_all: self.in_all, estimate: &estimate });
    }

    /// Trains for so many epochs more; the look at their end.
    fn train(&mut self, trainees: &mut Trainees, epochs: f64) -> Result<Option<Look>, Interrupted> {
        let stop: &AtomicBool = self.control.stop;
        let (mut last, mut seen) = (None, None);
        trainees.train(
            epochs,
            epochs,
            &mut |look| last = Some(look.clone()),
            &mut |status| {
                let before = seen.replace(status.steps).unwrap_or(status.steps);
                self.add(status.steps - before);
            },
            stop,
        )?;
        Ok(last)
    }
}

/// A small network on three clouds of points, for tests.
#[cfg(test)]
fn three_clouds() -> Course {
    const SCENARIO: &str = r#"
name = "three-clouds"
experiment = "gradient-noise"
[data]
kind = "gaussian-mixture"
classes = 3
examples = 40
[loss]
kind = "network"
hidden = [3]
activation = "tanh"
weight_decay = 0.1
[noise]
kind = "minibatch"
[sgd]
learning_rate = 0.1
batch_size = 4
[training]
epochs = 1
"#;
    let loaded =
        crate::scenario::parse(SCENARIO, "test.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    Course::of(&loaded).unwrap_or_else(|problem| panic!("{problem}"))
}
