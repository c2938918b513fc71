//! When groups are looked at and when their schedules change: at times at which all of them have just taken a step.
//!
//! Time is counted in examples. A step of a batch of S is S of them, with every sampling and every noise; an epoch is N, so N/S steps; SVAG(l)
//! takes l steps for one. A group whose η/S is n has then come to the SDE time t = Σ η_k = n·x after x examples.
//!
//! A group has taken a whole number of steps only where x is a multiple of its S, counted from the last change of schedule, and all groups
//! have only at multiples of the least common multiple. Whatever is to happen at an epoch (a look, a change of η or S, the end) happens at the
//! first such time at or after it, in all groups. So groups of equal η/S change and are compared at equal SDE time, exactly, whichever looks
//! were asked for; looks that come to the same time are one.

use crate::input::Problem;
use crate::scenario::{Loaded, TrainingSpec};

/// What sums and products of fractions of epochs round is far below this part of an example.
const ROUNDING: f64 = 1e-6;

/// Times in examples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timetable {
    /// Of constant η and S each, in order; the first from 0.
    stretches: Vec<Stretch>,
    /// Ascending; the first is that of the start.
    looks: Vec<u64>,
    /// Looks that were asked for, that of the start not counted.
    asked: usize,
    /// Of these, those for which there is a time of all groups, but not the one asked for.
    moved: usize,
    /// Epochs between two times of all groups, at the end.
    every: f64,
}

/// A time of constant η and S.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// When it begins.
    pub(super) from: u64,
    /// The epoch from which on it was asked for.
    epoch: f64,
    /// By what the η of a group is multiplied.
    pub(super) rate: f64,
    /// By what its S is.
    pub(super) size: f64,
}

/// Why groups have no common times.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clash {
    /// No look is left.
    NoLook {
        /// Batch sizes.
        sizes: Vec<u64>,
        /// Epochs between two common steps; `None` for more than can be counted.
        every: Option<f64>,
    },
    /// A change that would come after the end, or with the one before.
    Change {
        /// When it was asked for, in epochs.
        epoch: f64,
        /// Epochs between two common steps before it.
        every: Option<f64>,
    },
}

impl Stretch {
    /// Examples between two times at which groups of these batch sizes have all taken a step.
    fn every(&self, sizes: &[u64]) -> Option<u64> {
        sizes.iter().map(|&size| batch(self, size)).try_fold(1, least_common_multiple)
    }

    /// The first such time from `examples` on.
    fn meeting(&self, sizes: &[u64], examples: f64) -> Option<u64> {
        let every = self.every(sizes)?;
        let whole = ((examples - self.from as f64 - ROUNDING) / every as f64).ceil().max(0.0);
        (whole as u64).checked_mul(every)?.checked_add(self.from)
    }
}

impl Timetable {
    /// Of groups with these batch sizes, before any factor, on N examples.
    pub(super) fn new(spec: &TrainingSpec, sizes: &[u64], examples: usize) -> Result<Self, Clash> {
        let count = examples as f64;
        let stretches = stretches(spec, sizes, count)?;
        let last = stretches[stretches.len() - 1];
        // The group of the largest steps ends its own way, and none goes on beyond that.
        let largest = sizes.iter().copied().max().unwrap_or(1);
        let end = last.meeting(&[largest], spec.epochs * count).unwrap_or(u64::MAX);
        let asked = asked(spec);
        let every = last.every(sizes).map(|every| every as f64 / count);
        let (mut looks, mut moved) = (vec![0], 0);
        for epoch in &asked {
            let Some(at) = meeting(&stretches, sizes, epoch * count).filter(|&at| at <= end) else { continue };
            moved += usize::from((at as f64 - epoch * count).abs() > ROUNDING);
            looks.extend((Some(&at) > looks.last()).then_some(at));
        }
        match (looks.last(), every) {
            (Some(&0) | None, _) | (_, None) => Err(Clash::NoLook { sizes: sizes.to_vec(), every }),
            (Some(&look), _) if look <= last.from => Err(Clash::Change { epoch: last.epoch, every }),
            (_, Some(every)) => Ok(Self { stretches, looks, asked: asked.len(), moved, every }),
        }
    }

    pub(super) fn looks(&self) -> &[u64] {
        &self.looks
    }

    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// What became of the looks that were asked for, where groups could not all be looked at then.
    pub(super) fn note(&self) -> Option<String> {
        let left = self.looks.len() - 1;
        let fewer = if left < self.asked {
            format!(", and {left} looks are left of the {} that were asked for", self.asked)
        } else {
            String::new()
        };
        (self.moved > 0 || left < self.asked).then(|| {
            format!(
                "groups are looked at where each has just taken a step, at equal time: the first such time at or after the one asked for. There is \
                 one every {} epochs{fewer}",
                crate::plain::significant(self.every, 4)
            )
        })
    }

    /// Each stretch with the steps that batches of `size`, before any factor, take in it; the last ends with the last look.
    fn steps_of_stretches(&self, size: u64) -> impl Iterator<Item = (&Stretch, u64)> {
        let end = self.looks[self.looks.len() - 1];
        let ends = self.stretches.iter().skip(1).map(|next| next.from).chain([end]);
        let steps = move |(stretch, end): (&Stretch, u64)| (end - stretch.from) / batch(stretch, size);
        self.stretches.iter().zip(ends).map(move |(stretch, end)| (stretch, steps((stretch, end))))
    }

    /// Steps of batches of `size`, before any factor, until the last look.
    pub(super) fn steps(&self, size: u64) -> u64 {
        self.steps_of_stretches(size).map(|(_, steps)| steps).sum()
    }

    /// Σ of the factors of η over the first `steps` of such steps: the SDE time that they take, in units of η.
    pub(super) fn rates(&self, size: u64, steps: f64) -> f64 {
        let (mut left, mut sum) = (steps, 0.0);
        for (stretch, steps) in self.steps_of_stretches(size) {
            let taken = left.min(steps as f64);
            sum += stretch.rate * taken;
            left -= taken;
        }
        sum
    }
}

/// The epochs of the looks that the scenario asks for.
fn asked(spec: &TrainingSpec) -> Vec<f64> {
    // A remainder that is but rounding is no look of its own.
    let before_the_end = (1..).map(|look| f64::from(look) * spec.look_every);
    before_the_end.take_while(|epoch| *epoch < spec.epochs * (1.0 - 1e-9)).chain([spec.epochs]).collect()
}

/// The schedule from change to change.
fn stretches(spec: &TrainingSpec, sizes: &[u64], count: f64) -> Result<Vec<Stretch>, Clash> {
    let mut changes: Vec<f64> =
        spec.learning_rate_factors.iter().chain(&spec.batch_size_factors).map(|[epoch, _]| *epoch).collect();
    changes.sort_by(f64::total_cmp);
    changes.dedup();
    let mut stretches = vec![Stretch { from: 0, epoch: 0.0, rate: 1.0, size: 1.0 }];
    for epoch in changes {
        let last = stretches[stretches.len() - 1];
        let at = last.meeting(sizes, epoch * count).filter(|&at| at > last.from && (at as f64) < spec.epochs * count);
        let every = last.every(sizes).map(|every| every as f64 / count);
        let from = at.ok_or(Clash::Change { epoch, every })?;
        let [rate, size] =
            [&spec.learning_rate_factors, &spec.batch_size_factors].map(|factors| at_epoch(factors, epoch));
        stretches.push(Stretch { from, epoch, rate, size });
    }
    Ok(stretches)
}

/// The factor that holds from this epoch on.
fn at_epoch(factors: &[[f64; 2]], epoch: f64) -> f64 {
    factors.iter().rev().find(|[from, _]| *from <= epoch).map_or(1.0, |[_, factor]| *factor)
}

/// The first time from `examples` on at which all groups have taken a step.
fn meeting(stretches: &[Stretch], sizes: &[u64], examples: f64) -> Option<u64> {
    let nexts = stretches.iter().skip(1).map(|next| next.from).chain([u64::MAX]);
    stretches.iter().zip(nexts).find_map(|(stretch, next)| stretch.meeting(sizes, examples).filter(|&at| at <= next))
}

/// S with the factor of a stretch.
fn batch(stretch: &Stretch, size: u64) -> u64 {
    ((size as f64 * stretch.size) as u64).max(1)
}

fn least_common_multiple(a: u64, b: u64) -> Option<u64> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b)
}

impl Clash {
    /// At its key.
    pub(super) fn problem(&self, loaded: &Loaded) -> Problem {
        let meet = |every: &Option<f64>| match every {
            Some(every) => format!("meet only every {} epochs", crate::plain::significant(*every, 4)),
            None => "never meet".to_owned(),
        };
        match self {
            Self::NoLook { sizes, every } => {
                let epochs = loaded.scenario.training.as_ref().map_or(0.0, |training| training.epochs);
                let message = format!(
                    "found batches of {sizes:?} examples, whose steps {}: in {epochs} epochs there is no time at which all groups have taken a \
                     step, and at which they could be compared; take β of which each divides the next, or more training.epochs",
                    meet(every)
                );
                loaded.source.problem("scaling.beta", message)
            }
            Self::Change { epoch, every } => {
                let message = format!(
                    "found a change from epoch {epoch} on, but steps of all groups {}, and a change is at such a time: this one would come with \
                     the one before, or with the end, and that would act on nothing; give it more room",
                    meet(every)
                );
                loaded.source.problem(&key_of(loaded, *epoch), message)
            }
        }
    }
}

/// The key of the change at this epoch.
fn key_of(loaded: &Loaded, epoch: f64) -> String {
    let place = |factors: &[[f64; 2]]| factors.iter().position(|[from, _]| *from == epoch);
    let training = loaded.scenario.training.as_ref();
    let rate = training.and_then(|training| place(&training.learning_rate_factors));
    let size = training.and_then(|training| place(&training.batch_size_factors));
    match (rate, size) {
        (Some(index), _) => format!("training.learning_rate_factors[{index}]"),
        (_, Some(index)) => format!("training.batch_size_factors[{index}]"),
        (None, None) => "training".to_owned(),
    }
}
