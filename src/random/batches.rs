//! Which examples are in a minibatch: three ways to draw S of N, each a pure function of (seed, trajectory).
//!
//! | sampling | a batch | covariance of the minibatch gradient |
//! |---|---|---|
//! | with replacement | S independent draws, so that an example may be in it twice | C/S |
//! | without replacement | a random subset, drawn afresh at every step | C/S · (N−S)/(N−1) |
//! | epochs | the next S of an order of all N, which is drawn anew for every epoch | the same, but batches of an epoch are dependent |
//!
//! C has divisor N. An order has ⌊N/S⌋ batches, all of S examples: where S does not divide N, the N mod S examples that come last in it are
//! left out, and another order leaves out others. A shorter last batch would be one step in ⌈N/S⌉ with more noise than the rest. An *epoch* of
//! this sampling is one such order. Time in training is counted in examples instead, N of them an epoch with every sampling
//! ([`crate::training`]), of which an order is a little short where S does not divide N.
//!
//! A trajectory draws its batches from a stream of its own ([`Purpose::Batches`]), one word for an example. Orders and subsets are
//! those of Fisher and Yates' shuffle (Durstenfeld 1964), of which a step does the next S exchanges only.

use serde::{Deserialize, Serialize};

use super::{Purpose, stream::Stream};
use crate::lanes::LANES;

/// How a batch is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// S independent draws.
    #[default]
    WithReplacement,
    /// A random subset of S examples, drawn afresh at every step.
    WithoutReplacement,
    /// Shuffled epochs: a step takes the next S examples of a random order of all.
    Epochs,
}

/// Batches that cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nothing to draw from.
    #[error("there are no examples to draw a batch from")]
    NoExamples,
    /// An index has 32 bits.
    #[error("{0} examples are more than the {most} that a batch can be drawn from", most = u32::MAX)]
    TooManyExamples(usize),
    /// S = 0.
    #[error("a batch has at least one example")]
    Empty,
    /// A batch of different examples that is larger than the set of them.
    #[error("a batch of {size} different examples cannot be drawn from {examples}")]
    TooLarge {
        /// S.
        size: usize,
        /// N.
        examples: usize,
    },
}

/// S of N, and how they are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPlan {
    sampling: Sampling,
    examples: u32,
    size: u32,
}

impl BatchPlan {
    /// Batches of `size` = S of the examples 0 … N − 1.
    ///
    /// # Errors
    /// When N or S is 0, N does not fit into 32 bits, or S > N different examples are asked for. With replacement S may be larger than N.
    pub fn new(sampling: Sampling, examples: usize, size: usize) -> Result<Self, BatchError> {
        let too_large = BatchError::TooLarge { size, examples };
        let count = u32::try_from(examples).map_err(|_| BatchError::TooManyExamples(examples))?;
        let size = u32::try_from(size).map_err(|_| too_large)?;
        if count == 0 {
            return Err(BatchError::NoExamples);
        }
        if size == 0 {
            return Err(BatchError::Empty);
        }
        if sampling != Sampling::WithReplacement && size > count {
            return Err(too_large);
        }
        Ok(Self { sampling, examples: count, size })
    }

    /// How a batch is drawn.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// N.
    pub fn examples(&self) -> usize {
        self.examples as usize
    }

    /// S.
    pub fn size(&self) -> usize {
        self.size as usize
    }

    /// What a [`BatchBlock`] takes of memory.
    pub fn bytes_per_block(&self) -> usize {
        let kept = match self.sampling {
            Sampling::WithReplacement => 0,
            Sampling::WithoutReplacement => self.examples(),
            Sampling::Epochs => LANES * self.examples(),
        };
        4 * (LANES * self.size() + kept) + LANES * size_of::<Stream>()
    }
}

/// The batches of [`LANES`] trajectories, step after step.
///
/// ```
/// use sgd_sde::loss::LANES;
/// use sgd_sde::random::batches::{BatchBlock, BatchPlan, Sampling};
/// let mut batches = BatchBlock::new(BatchPlan::new(Sampling::Epochs, 10, 5)?, 1, 0);
/// let mut epoch = batches.draw()[..5].to_vec(); // the first batch of trajectory 0
/// epoch.extend(&batches.draw()[..5]);
/// epoch.sort_unstable();
/// assert_eq!(epoch, (0..10).collect::<Vec<u32>>());
/// # Ok::<(), sgd_sde::random::batches::BatchError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchBlock {
    plan: BatchPlan,
    /// One per lane.
    streams: Vec<Stream>,
    /// For epochs the orders, lane after lane, N each: shuffled up to `position`; else empty.
    orders: Vec<u32>,
    /// Examples of this epoch that have been in a batch; the same for all lanes, which go on together.
    position: usize,
    /// The batches of this step, lane after lane, S each.
    #[serde(skip)]
    drawn: Vec<u32>,
    /// 0 … N − 1 between two draws without replacement; else empty.
    #[serde(skip)]
    pool: Vec<u32>,
}

impl BatchBlock {
    /// The batches of trajectories `first` … `first + LANES − 1`, before the first step.
    pub fn new(plan: BatchPlan, seed: u64, first: u64) -> Self {
        let stream = |lane| Stream::new(seed, first.wrapping_add(lane), Purpose::Batches);
        let lanes = if plan.sampling == Sampling::Epochs { LANES } else { 0 };
        Self {
            plan,
            streams: (0..LANES as u64).map(stream).collect(),
            orders: (0..lanes).flat_map(|_| 0..plan.examples).collect(),
            position: 0,
            drawn: Vec::new(),
            pool: Vec::new(),
        }
        .ready()
    }

    /// One that was saved, with room to work in again; `None` if it is of another plan.
    pub fn ready_for(self, plan: &BatchPlan) -> Option<Self> {
        let orders = if plan.sampling == Sampling::Epochs { LANES * plan.examples() } else { 0 };
        let fits = self.plan == *plan && self.streams.len() == LANES && self.orders.len() == orders;
        (fits && self.position <= plan.examples()).then(|| self.ready())
    }

    fn ready(mut self) -> Self {
        self.drawn = vec![0; LANES * self.plan.size()];
        self.pool = match self.plan.sampling {
            Sampling::WithoutReplacement => (0..self.plan.examples).collect(),
            Sampling::WithReplacement | Sampling::Epochs => Vec::new(),
        };
        self
    }

    /// What is drawn.
    pub fn plan(&self) -> &BatchPlan {
        &self.plan
    }

    /// The batches of the next step, `[lane][S]`.
    pub fn draw(&mut self) -> &[u32] {
        let Self { plan, streams, orders, position, drawn, pool } = self;
        let (examples, size, sampling) = (plan.examples(), plan.size(), plan.sampling);
        let begin = sampling.begin(*position, size, examples);
        for (lane, (stream, batch)) in streams.iter_mut().zip(drawn.chunks_exact_mut(size)).enumerate() {
            let order = match sampling {
                Sampling::Epochs => &mut orders[lane * examples..(lane + 1) * examples],
                Sampling::WithReplacement | Sampling::WithoutReplacement => &mut pool[..],
            };
            sampling.draw(stream, plan.examples, order, begin, batch);
        }
        if sampling == Sampling::Epochs {
            *position = begin + size;
        }
        drawn
    }
}

/// The batches of one trajectory, step after step: those of its lane in a [`BatchBlock`]. Their size may change from step to step.
///
/// ```
/// use sgd_sde::random::batches::{BatchPlan, Batches, Sampling};
/// let mut batches = Batches::new(BatchPlan::new(Sampling::Epochs, 10, 5)?, 1, 0);
/// let mut epoch = [0; 10];
/// batches.draw(&mut epoch[..5]);
/// batches.draw(&mut epoch[5..]);
/// epoch.sort_unstable();
/// assert_eq!(epoch, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
/// # Ok::<(), sgd_sde::random::batches::BatchError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    sampling: Sampling,
    examples: u32,
    stream: Stream,
    /// For epochs the order, shuffled up to `position`; for subsets 0 … N − 1; else empty.
    order: Vec<u32>,
    position: usize,
}

impl Batches {
    /// The batches of a trajectory, before the first step.
    pub fn new(plan: BatchPlan, seed: u64, trajectory: u64) -> Self {
        let BatchPlan { sampling, examples, .. } = plan;
        let ordered = if sampling == Sampling::WithReplacement { 0 } else { examples };
        let stream = Stream::new(seed, trajectory, Purpose::Batches);
        Self { sampling, examples, stream, order: (0..ordered).collect(), position: 0 }
    }

    /// Writes the next batch, as many examples as `batch` is long. An epoch ends where fewer are left of it.
    ///
    /// # Panics
    /// Without replacement or in epochs, when `batch` is longer than there are examples.
    pub fn draw(&mut self, batch: &mut [u32]) {
        let Self { sampling, examples, stream, order, position } = self;
        let begin = sampling.begin(*position, batch.len(), *examples as usize);
        sampling.draw(stream, *examples, order, begin, batch);
        *position = begin + batch.len();
    }
}

impl Sampling {
    /// Where a batch of an epoch begins in its order, `position` examples of which have been used.
    fn begin(self, position: usize, size: usize, examples: usize) -> usize {
        // From whatever order a shuffle starts, that in which it ends is uniform.
        if self == Self::Epochs && position + size <= examples { position } else { 0 }
    }

    /// Draws a batch. `order` is that of the epoch; for subsets 0 … N − 1, as which it is left; not used with replacement.
    #[inline]
    fn draw(self, stream: &mut Stream, examples: u32, order: &mut [u32], begin: usize, batch: &mut [u32]) {
        match self {
            Self::WithReplacement => batch.iter_mut().for_each(|example| *example = stream.below(examples)),
            Self::WithoutReplacement => {
                shuffle_on(order, 0, batch, stream);
                // Back to 0 … N − 1: what is out of place behind the batch has been drawn.
                for (place, &example) in batch.iter().enumerate() {
                    order[place] = place as u32;
                    order[example as usize] = example;
                }
            }
            Self::Epochs => shuffle_on(order, begin, batch, stream),
        }
    }
}

/// The exchanges of a shuffle from place `from` on, as many as the batch is long; the batch is what then stands there.
#[inline]
fn shuffle_on(order: &mut [u32], from: usize, batch: &mut [u32], stream: &mut Stream) {
    for (place, example) in (from..).zip(batch) {
        let left = (order.len() - place) as u32;
        order.swap(place, place + stream.below(left) as usize);
        *example = order[place];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sampling: Sampling, examples: usize, size: usize) -> BatchPlan {
        BatchPlan::new(sampling, examples, size).unwrap()
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        use Sampling::{Epochs, WithReplacement, WithoutReplacement};
        for sampling in [WithReplacement, WithoutReplacement, Epochs] {
            assert_eq!(BatchPlan::new(sampling, 0, 1), Err(BatchError::NoExamples));
            assert_eq!(BatchPlan::new(sampling, 3, 0), Err(BatchError::Empty));
            assert_eq!(BatchPlan::new(sampling, 1 << 32, 1), Err(BatchError::TooManyExamples(1 << 32)));
            let found = BatchPlan::new(sampling, 3, 4);
            assert_eq!(found.is_ok(), sampling == WithReplacement, "{found:?}");
        }
    }

    /// Lanes are trajectories wherever the block begins, and a saved block goes on as if nothing had happened.
    #[test]
    fn batches_are_a_function_of_seed_and_trajectory() {
        for sampling in [Sampling::WithReplacement, Sampling::WithoutReplacement, Sampling::Epochs] {
            let plan = plan(sampling, 11, 3);
            let mut one = BatchBlock::new(plan, 7, 0);
            let mut shifted = BatchBlock::new(plan, 7, 5);
            let mut other = BatchBlock::new(plan, 8, 0);
            let mut differs = false;
            for step in 0..40 {
                if step == 17 {
                    let bytes = postcard::to_allocvec(&one).unwrap();
                    one = postcard::from_bytes::<BatchBlock>(&bytes).unwrap().ready_for(&plan).unwrap();
                }
                let drawn = one.draw().to_vec();
                assert_eq!(drawn[5 * 3..], shifted.draw()[..(LANES - 5) * 3]);
                differs |= drawn != other.draw();
            }
            assert!(differs);
            assert!(one.ready_for(&self::plan(sampling, 11, 2)).is_none());
        }
    }

    /// Whoever draws for one trajectory gets what its lane of a block gets.
    #[test]
    fn a_trajectory_alone_is_a_lane() {
        for sampling in [Sampling::WithReplacement, Sampling::WithoutReplacement, Sampling::Epochs] {
            let plan = plan(sampling, 11, 3);
            let (mut block, mut alone) = (BatchBlock::new(plan, 7, 0), Batches::new(plan, 7, 5));
            let mut batch = [0; 3];
            for _ in 0..20 {
                alone.draw(&mut batch);
                assert_eq!(block.draw()[5 * 3..6 * 3], batch);
            }
        }
    }

    #[test]
    fn subsets_and_epochs_hold_every_example_at_most_once() {
        let mut subsets = BatchBlock::new(plan(Sampling::WithoutReplacement, 7, 5), 1, 0);
        let mut epochs = BatchBlock::new(plan(Sampling::Epochs, 7, 3), 1, 0);
        for _ in 0..50 {
            for batch in subsets.draw().chunks_exact(5) {
                let seen = batch.iter().fold(0u32, |seen, example| seen | 1 << example);
                assert_eq!((seen.count_ones(), seen < 1 << 7), (5, true));
            }
            assert_eq!(subsets.pool, (0..7).collect::<Vec<u32>>());
            let first = epochs.draw().to_vec();
            // Two batches of three and one example that is left out.
            for (a, b) in first.chunks_exact(3).zip(epochs.draw().chunks_exact(3)) {
                let seen = a.iter().chain(b).fold(0u32, |seen, example| seen | 1 << example);
                assert_eq!((seen.count_ones(), seen < 1 << 7), (6, true));
            }
        }
    }
}
