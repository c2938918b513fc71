//! Is a bowl sharper where the noise is smaller, and equally wide where η/S is equal? Curvature at equal training loss.
//!
//! Replicas of every group (η, S) start from the same weights and are trained until the loss over all training examples has fallen to one
//! level: at a lower loss a network is flatter or sharper for that reason alone (under cross-entropy H falls with L itself). Of each is then
//! taken the largest eigenvalue of H, its trace and its Frobenius norm ([`measure`]); [`claims`] says what is tested, [`chord`] looks along
//! the line between end points of the smallest and of the largest noise.
//!
//! Curvature means something only where nothing rescales weights for free: for ReLU, W¹ → αW¹, W² → W²/α leaves the function as it is and
//! changes H by any factor (Dinh et al. 2017). tanh has no such freedom; a network of ReLU is told so.

mod chord;
mod claims;
mod figure;
mod measure;
mod notes;

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::super::{Control, ExperimentError};
use super::course::{Course, Progress, check};
use super::curvature::double_examples;
use super::document;
use super::group::Group;
use crate::ensemble::Interrupted;
use crate::findings::{FigureData, Findings, MeasureRecord, OutputFile};
use crate::input::Problem;
use crate::network::{Activation, Batch, Examples, Workspace};
use crate::random::derived_seed;
use crate::scenario::{Loaded, Precision, WidthSpec};
use crate::training::{Arrival, weights};
use measure::{Curvature, MEASURES, Measure};

/// Examples that pass through the network at once.
const PIECE: usize = 256;

/// One group with what became of its replicas.
struct Case {
    group: Group,
    ends: Vec<Option<End>>,
}

/// A replica at its arrival.
struct End {
    arrival: Arrival,
    /// L in double precision.
    loss: f64,
    /// `None` where H has none of a sign that a logarithm can be taken of.
    curvature: Option<Curvature>,
    /// Kept of the groups that the chord is between.
    theta: Vec<f64>,
}

impl Case {
    /// ln of a measure, replica by replica.
    fn logarithms(&self, measure: Measure) -> Vec<Option<f64>> {
        self.ends.iter().map(|end| Some(end.as_ref()?.curvature.as_ref()?.logarithm(measure))).collect()
    }

    /// Replicas without a value.
    fn missing(&self) -> usize {
        self.ends.iter().filter(|end| end.as_ref().is_none_or(|end| end.curvature.is_none())).count()
    }

    /// Replicas that did neither arrive nor diverge.
    fn late(&self) -> usize {
        self.ends.iter().filter(|end| end.is_none()).count() - self.group.diverged.len()
    }

    fn ratio(&self) -> f64 {
        self.group.learning_rate() / self.group.batch_size() as f64
    }

    fn ends(&self) -> impl Iterator<Item = &End> {
        self.ends.iter().flatten()
    }
}

fn spec(loaded: &Loaded) -> WidthSpec {
    // Reading lets no scenario of this experiment pass without the table.
    loaded.scenario.width.clone().unwrap_or(WidthSpec { factors: Vec::new(), loss: 1.0, correlation: -0.7, rise: 1.0 })
}

/// Refuses batches that are larger than the data.
pub(super) fn prepare(loaded: &Loaded, course: &Course) -> Result<(), Problem> {
    for (index, group) in groups(loaded, course).iter().enumerate() {
        if group.batch_size() > course.examples() as u64 {
            let message = format!(
                "found a batch of {}, more than the {} examples; take a smaller factor or a smaller batch",
                group.batch_size(),
                course.examples()
            );
            return Err(loaded.source.problem(&format!("width.factors[{index}]"), message));
        }
    }
    let mut groups = groups(loaded, course);
    // Each has times of its own: all are trained until a loss, not until a time.
    groups.iter_mut().try_for_each(|group| check(loaded, course, std::slice::from_mut(group)))
}

/// In the order of the scenario.
pub(super) fn groups(loaded: &Loaded, course: &Course) -> Vec<Group> {
    let group = |[on_rate, on_size]: &[f64; 2]| {
        let (rate, size) = (on_rate * course.sgd.learning_rate, on_size * course.sgd.batch_size as f64);
        Group::new(format!("η × {on_rate}, S × {on_size}"), course.recipe(rate, size as u64), course)
    };
    spec(loaded).factors.iter().map(group).collect()
}

/// Of one core, roughly: some 150 products with H per replica, each four passes over all examples, at 1.5·10¹⁰ operations a second.
pub(super) fn seconds_of_curvature(course: &Course, groups: usize) -> f64 {
    let product = 12.0 * course.network.parameters() as f64 * course.examples() as f64 / 1.5e10;
    150.0 * product * (groups * course.replicas) as f64
}

/// What is going to be compared.
pub(super) fn predict(loaded: &Loaded, course: &Course) -> Findings {
    let groups = groups(loaded, course);
    let records = groups.iter().map(|group| group.record(&[])).collect();
    document(loaded, course, records, claims::predicted(loaded, &groups), None, rescaling(course).into_iter().collect())
}

/// Trains all groups to the level, measures and compares.
pub(super) fn run(
    loaded: &Loaded,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData, Vec<OutputFile>), ExperimentError> {
    let spec = spec(loaded);
    let ratios = spec.ratios();
    let Some(examples) = double_examples(course) else { return Err(ExperimentError::OtherExperiment) };
    let outermost = [ratios.first(), ratios.last()].map(|of_ratio| of_ratio.map_or(0, |indices| indices[0]));
    let cases = cases(loaded, course, &examples, outermost, control)?;
    if let Some(lost) = cases.iter().all(|case| case.group.is_lost()).then(|| cases.first()).flatten() {
        return Err(super::lost(course, &lost.group));
    }
    let trends = claims::trends(&cases, &ratios, loaded.scenario.seed);
    let (claims, verdict) = claims::judged(loaded, &cases, &ratios, &trends);
    let chords = chord::between(course, &examples, outermost.map(|index| &cases[index]), spec.rise);
    if control.stop.load(Ordering::Relaxed) {
        return Err(Interrupted.into());
    }
    let mut notes: Vec<String> = rescaling(course).into_iter().collect();
    notes.extend(notes::of(loaded, course, &spec, &cases, &ratios));
    notes.extend(chord::notes(&chords, spec.rise));
    let records = cases.iter().enumerate().map(|(index, case)| record(case, index, &trends)).collect();
    let figures = FigureData {
        width: Some(figure::widths(&cases, &ratios, &trends)),
        chord: (!chords.is_empty()).then(|| figure::chords(&chords, outermost.map(|index| &cases[index]), spec.rise)),
        ..FigureData::default()
    };
    let files = kept(course, &chords, outermost.map(|index| &cases[index]));
    Ok((document(loaded, course, records, claims, Some(verdict), notes), figures, files))
}

/// One group after another, each measured before the next is trained.
fn cases(
    loaded: &Loaded,
    course: &Course,
    examples: &Examples<f64>,
    outermost: [usize; 2],
    control: &mut Control,
) -> Result<Vec<Case>, ExperimentError> {
    let groups = groups(loaded, course);
    let level = spec(loaded).loss;
    let ratio = |group: &Group| group.learning_rate() / group.batch_size() as f64;
    let largest = groups.iter().map(ratio).fold(0.0, f64::max);
    let stop = control.stop;
    let in_all = groups.iter().map(|group| group.steps).sum();
    let mut progress = Progress::new(control, in_all);
    let mut cases = Vec::with_capacity(groups.len());
    for (index, mut group) in groups.into_iter().enumerate() {
        let mut trainees = course.begin(loaded, &group.recipe, index as u64, 0)?;
        // Equally far apart in SDE time, which is nN per epoch: the loss falls as much from look to look in all groups.
        let times = [course.spec.epochs, course.spec.look_every * largest / ratio(&group)];
        let arrivals = progress.follow(|stop, monitor| trainees.train_to(level, times, monitor, stop))?;
        progress.leave_out(group.steps);
        group.take(Vec::new(), &trainees);
        let end = |(replica, arrival): (usize, &Option<Arrival>)| {
            let arrival = (*arrival)?;
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let theta = trainees.weights(replica);
            let seed = derived_seed(loaded.scenario.seed, (index * course.replicas + replica) as u64);
            let curvature = Curvature::of(course, examples, &theta, seed);
            let loss = loss(course, examples, &theta);
            let theta = if outermost.contains(&index) { theta } else { Vec::new() };
            Some(End { arrival, loss, curvature, theta })
        };
        let ends = arrivals.par_iter().enumerate().map(end).collect();
        if stop.load(Ordering::Relaxed) {
            return Err(Interrupted.into());
        }
        cases.push(Case { group, ends });
    }
    Ok(cases)
}

/// L, weight decay included.
fn loss(course: &Course, examples: &Examples<f64>, theta: &[f64]) -> f64 {
    let mut workspace = Workspace::new(&course.network, PIECE);
    course.network.evaluate(theta, Batch::all(examples), &mut workspace).objective + course.network.decay_of(theta)
}

/// A group as a row of the table: medians, and means of what has none.
fn record(case: &Case, index: usize, trends: &claims::Trends) -> crate::findings::GroupRecord {
    let mut record = case.group.record(&[]);
    let count = |quantity: &str, count: usize| MeasureRecord {
        quantity: quantity.to_owned(),
        measured: count as f64,
        standard_error: 0.0,
        interval: None,
        left_out: None,
    };
    record.measures.push(count("reached L", case.ends().count()));
    let mean = |quantity: &str, of: &dyn Fn(&End) -> f64| {
        super::group::measure(quantity, &case.ends.iter().map(|end| end.as_ref().map(of)).collect())
    };
    record.measures.extend(mean("epochs", &|end| end.arrival.epochs));
    record.measures.extend(mean("L", &|end| end.loss));
    record.measures.extend(MEASURES.iter().filter_map(|&measure| trends.median(case, measure, index)));
    record
}

/// The ends of the first chord, for whoever wants to look further.
fn kept(course: &Course, chords: &[chord::Chord], cases: [&Case; 2]) -> Vec<OutputFile> {
    let Some(first) = chords.first() else { return Vec::new() };
    let bytes = |theta: &[f64]| match course.spec.precision {
        Precision::Single => {
            let single: Vec<f32> = theta.iter().map(|&x| x as f32).collect();
            weights::to_bytes(&course.network.architecture, &single)
        }
        Precision::Double => weights::to_bytes(&course.network.architecture, theta),
    };
    let file = |(name, case): (&str, &Case)| {
        let theta = &case.ends[first.replica].as_ref()?.theta;
        Some(OutputFile { name: format!("weights/{name}.safetensors"), bytes: bytes(theta).ok()? })
    };
    ["smallest-noise", "largest-noise"].into_iter().zip(cases).filter_map(file).collect()
}

/// What makes curvature mean nothing.
fn rescaling(course: &Course) -> Option<String> {
    let note = "the units of this network can be rescaled, W → αW before and W → W/α behind an activation, without changing its function, while \
                its curvature changes by any factor: curvatures of different networks are compared for what training makes of them, not for \
                what they compute (Dinh et al. 2017); activation = \"tanh\" has no such freedom";
    matches!(course.network.architecture.activation, Activation::Relu | Activation::Identity).then(|| note.to_owned())
}
