//! When groups are looked at and when their schedules change: at times at which all of them have just taken a step.
//!
//! Time is counted in examples. A step of a batch of S is S of them, with every sampling and every noise; an epoch is N, so N/S steps; SVAG(l)
//! takes l steps for one. A group whose η/S is n has then come to the SDE time t = Σ η_k = n·x after x examples.
//!
//! A group has taken a whole number of steps only where x is a multiple of its S, counted from the last change of schedule, and all groups
//! have only at multiples of the least common multiple. Whatever is to happen at an epoch (a look, a change of η or S, the end) happens at the
//! first such time at or after it, in all groups; but the end, if that were a tenth later than asked for, at the last one before. So groups of equal η/S change and are compared at equal SDE time, exactly, whichever looks
//! were asked for; looks that come to the same time are one.

use crate::input::Problem;
use crate::scenario::{Loaded, TrainingSpec};

/// The share of the epochs asked for by which training may go on beyond them to a time of all groups.
const MOST_OVER: f64 = 0.1;
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
        let end = end(last, sizes, spec.epochs * count);
        let asked = asked(spec);
        let every = last.every(sizes).map(|every| every as f64 / count);
        let (mut looks, mut moved) = (vec![0], 0);
        for epoch in &asked {
            let Some(at) = meeting(&stretches, sizes, epoch * count) else { continue };
            // The last look is at the end, wherever that is.
            let at = if *epoch < spec.epochs { at } else { end };
            if at > end {
                continue;
            }
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

/// When training ends that was to end after so many examples.
fn end(last: Stretch, sizes: &[u64], asked: f64) -> u64 {
    // The group of the largest steps ends its own way, however far its step reaches.
    let largest = sizes.iter().copied().max().unwrap_or(1);
    let own = last.meeting(&[largest], asked).unwrap_or(u64::MAX);
    let latest = own.max((asked * (1.0 + MOST_OVER)) as u64);
    let before = || {
        let every = last.every(sizes)?;
        Some(last.from + (asked - last.from as f64).max(0.0) as u64 / every * every)
    };
    last.meeting(sizes, asked).filter(|&at| at <= latest).or_else(before).unwrap_or(last.from)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{InitializationName, Precision};

    fn spec(epochs: f64, look_every: f64, rates: &[[f64; 2]], sizes: &[[f64; 2]]) -> TrainingSpec {
        TrainingSpec {
            epochs,
            look_every,
            initialization: InitializationName::Glorot,
            initialization_scale: None,
            weights: None,
            precision: Precision::Single,
            momentum: 0.0,
            learning_rate_factors: rates.to_vec(),
            batch_size_factors: sizes.to_vec(),
        }
    }

    fn looks(epochs: f64, look_every: f64, sizes: &[u64], examples: usize) -> Vec<u64> {
        Timetable::new(&spec(epochs, look_every, &[], &[]), sizes, examples).unwrap().looks
    }

    /// Batches of 2 and of 128 of 1,280 examples meet every tenth of an epoch.
    #[test]
    fn looks_are_where_all_have_taken_a_step() {
        let tenths: Vec<u64> = (0..=20).map(|look| 128 * look).collect();
        assert_eq!(looks(2.0, 0.05, &[2, 2, 128, 128], 1_280), tenths);
        assert_eq!(looks(2.0, 0.1, &[2, 128], 1_280), tenths);
        assert_eq!(looks(2.0, 1.0, &[2, 128], 1_280), [0, 1_280, 2_560]);
        // From 0.11, 0.22, … upwards, so that 1.2 has none.
        let asked = (1..=18).map(|look| f64::from(look) * 0.11).chain([2.0]);
        let mut expected: Vec<u64> = asked.map(|epoch| (epoch * 10.0 - 1e-9).ceil() as u64 * 128).collect();
        expected.dedup();
        assert_eq!(looks(2.0, 0.11, &[2, 128], 1_280)[1..], expected);
        // Nothing divides anything: 1,437 examples, common steps of 16, the first at or after 1,437 and 2,874.
        assert_eq!(looks(2.0, 1.0, &[2, 4, 8, 16], 1_437), [0, 1_440, 2_880]);
        // 6 and 10 meet every 30. The last look, at 100, would be at 120, after the batches of 10 have come to the end.
        assert_eq!(looks(1.0, 0.25, &[6, 10], 100), [0, 30, 60, 90]);
        // 4 and 6 meet every 12: a little after 10 epochs of 10, with looks wherever they were asked for.
        for look_every in [9.99, 10.0, 11.0] {
            assert_eq!(looks(10.0, look_every, &[2, 4, 6], 10).last(), Some(&108), "{look_every}");
        }
        assert_eq!(looks(1.0, 1.0, &[6, 10], 100), [0, 90]);
    }

    /// One alone is looked at after the first step that ends at or after the time, as it has always been.
    #[test]
    fn one_group_meets_itself_at_every_step() {
        assert_eq!(looks(2.0, 0.5, &[4], 10), [0, 8, 12, 16, 20]);
        assert_eq!(looks(0.1, 0.1, &[64], 10), [0, 64]);
        assert_eq!(looks(10.0, 10.0, &[4], 10), [0, 100]);
        assert_eq!(looks(10.0, 10.0, &[4, 8], 10), [0, 104]);
    }

    /// 20 examples; from epoch 1 on η is halved, from epoch 2.1 on S is three times as large.
    #[test]
    fn changes_are_at_common_times_and_times_are_equal_at_equal_ratios() {
        let spec = spec(4.0, 0.5, &[[1.0, 0.5]], &[[2.1, 3.0]]);
        let times = Timetable::new(&spec, &[2, 6], 20).unwrap();
        let of = |stretch: &Stretch| (stretch.from, stretch.rate, stretch.size);
        let stretches: Vec<_> = times.stretches().iter().map(of).collect();
        // From 20 on there is a common step at 24; from there, and from 42 on, at 42; then they are 18 apart.
        assert_eq!(stretches, [(0, 1.0, 1.0), (24, 0.5, 1.0), (42, 0.5, 3.0)]);
        assert_eq!(times.looks(), [0, 12, 24, 30, 42, 60, 78, 96]);
        assert_eq!((times.steps(2), times.steps(6)), (12 + 9 + 9, 4 + 3 + 3));
        // η is in proportion to S: t is the same at the same look, part by part.
        for (steps, large) in [(12.0, 4.0), (15.0, 5.0), (21.0, 7.0), (24.0, 8.0), (27.0, 9.0), (30.0, 10.0)] {
            assert_eq!(times.rates(2, steps) / 3.0, times.rates(6, large), "{steps}");
        }
        assert_eq!(times.rates(2, 27.0), 12.0 + 4.5 + 3.0);
    }

    #[test]
    fn what_has_no_common_time_is_told() {
        let clash = |spec: &TrainingSpec, sizes: &[u64]| Timetable::new(spec, sizes, 100).unwrap_err();
        let never = clash(&spec(1.0, 0.1, &[], &[]), &[9, 14]);
        assert_eq!(never, Clash::NoLook { sizes: vec![9, 14], every: Some(1.26) });
        // Their common multiple is beyond what can be counted.
        let primes = [4_294_967_291, 4_294_967_279, 4_294_967_231];
        assert_eq!(clash(&spec(1.0, 0.1, &[], &[]), &primes), Clash::NoLook { sizes: primes.to_vec(), every: None });
        // Two changes at one step of 50, and one at the end.
        let both = spec(3.0, 1.0, &[[1.1, 0.5], [1.2, 0.1]], &[]);
        assert_eq!(clash(&both, &[1, 50]), Clash::Change { epoch: 1.2, every: Some(0.5) });
        assert!(Timetable::new(&both, &[1, 10], 100).is_ok());
        let late = spec(3.0, 1.0, &[[2.6, 0.5]], &[]);
        assert_eq!(clash(&late, &[1, 50]), Clash::Change { epoch: 2.6, every: Some(0.5) });
        // After the change steps are so large that no look is left.
        let large = spec(3.0, 1.0, &[], &[[2.6, 7.0]]);
        assert_eq!(clash(&large, &[6, 10]), Clash::Change { epoch: 2.6, every: Some(2.1) });
    }

    /// A billion epochs are counted, not walked through.
    #[test]
    fn long_trainings_are_planned_at_once() {
        let times = Timetable::new(&spec(1e9, 1e6, &[[5e8, 0.1]], &[[7e8, 2.0]]), &[1, 64], 60_000).unwrap();
        assert_eq!(times.looks().len(), 1_001);
        assert_eq!(times.steps(1), (700_000_000 + 150_000_000) * 60_000);
    }
}
