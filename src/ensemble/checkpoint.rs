//! A run put away and taken up again: where every replica is, its random stream, and all that was counted.
//!
//! A [`Run`] whose observer is [`Resumable`] can be serialised (member by member, so that a large ensemble is never in
//! memory twice), and [`Run::resume`] makes the same run again from a [`SavedRun`]. What is not state of a trajectory (the
//! dynamics, the landscape, scratch) is not saved: it is made from the scenario.

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_big_array::BigArray;

use super::balance::{Balance, Sums};
use super::defined::Defined;
use super::histogram::HistogramObserver;
use super::moments::Moments;
use super::occupancy::{Counts, Occupancy};
use super::run::Member;
use super::{Observer, Plan, Run};
use crate::dynamics::{Block, Dynamics};
use crate::lanes::LANES;

/// What was saved does not fit what it should go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved state is that of another run: its {0} does not fit")]
pub struct Misfit(pub &'static str);

/// An observer that can be put away and taken up again.
pub trait Resumable: Observer {
    /// All that it has gathered.
    type State: Serialize + DeserializeOwned + Send;

    /// What it has gathered so far.
    fn state(&self) -> Self::State;

    /// Goes on from `state`, which replaces what it has gathered.
    ///
    /// # Errors
    /// When `state` was gathered over a block of another shape.
    fn resume(&mut self, state: Self::State) -> Result<(), Misfit>;
}

impl<A: Resumable, B: Resumable> Resumable for (A, B) {
    type State = (A::State, B::State);

    fn state(&self) -> Self::State {
        (self.0.state(), self.1.state())
    }

    fn resume(&mut self, state: Self::State) -> Result<(), Misfit> {
        self.0.resume(state.0)?;
        self.1.resume(state.1)
    }
}

impl<A: Resumable> Resumable for Option<A> {
    type State = Option<A::State>;

    fn state(&self) -> Self::State {
        self.as_ref().map(A::state)
    }

    fn resume(&mut self, state: Self::State) -> Result<(), Misfit> {
        match (self, state) {
            (Some(observer), Some(state)) => observer.resume(state),
            (None, None) => Ok(()),
            _ => Err(Misfit("list of observers")),
        }
    }
}

impl Resumable for Occupancy {
    type State = Counts;

    fn state(&self) -> Counts {
        self.counts().clone()
    }

    fn resume(&mut self, state: Counts) -> Result<(), Misfit> {
        if self.take_up(state) { Ok(()) } else { Err(Misfit("number of minima")) }
    }
}

impl Resumable for Balance {
    type State = Sums;

    fn state(&self) -> Sums {
        self.sums().clone()
    }

    fn resume(&mut self, state: Sums) -> Result<(), Misfit> {
        if self.take_up(state) { Ok(()) } else { Err(Misfit("number of directions")) }
    }
}

impl Resumable for Moments {
    type State = Self;

    fn state(&self) -> Self {
        self.clone()
    }

    fn resume(&mut self, state: Self) -> Result<(), Misfit> {
        if !self.has_shape_of(&state) {
            return Err(Misfit("dimension"));
        }
        *self = state;
        Ok(())
    }
}

impl Resumable for Defined {
    type State = ();

    fn state(&self) {}

    fn resume(&mut self, (): ()) -> Result<(), Misfit> {
        Ok(())
    }
}

/// Counts of all blocks stand in one table, which its owner saves ([`super::histogram::Histogram::counts`]); between two
/// pieces of a run an observer holds nothing back.
impl Resumable for HistogramObserver {
    type State = ();

    fn state(&self) {}

    fn resume(&mut self, (): ()) -> Result<(), Misfit> {
        Ok(())
    }
}

/// A block of a saved run. [`SavedMemberRef`] is the same, borrowed: their fields are in the same order.
#[derive(Deserialize)]
struct SavedMember<S> {
    block: Block,
    #[serde(with = "BigArray")]
    live: [bool; LANES],
    diverged: Vec<(usize, u64)>,
    step: u64,
    observer: S,
}

#[derive(Serialize)]
struct SavedMemberRef<'a, S> {
    block: &'a Block,
    #[serde(with = "BigArray")]
    live: [bool; LANES],
    diverged: &'a [(usize, u64)],
    step: u64,
    observer: S,
}

/// A saved run, read but not yet taken up.
#[derive(Deserialize)]
pub struct SavedRun<S> {
    plan: Plan,
    stretches: Vec<u64>,
    members: Vec<SavedMember<S>>,
}

struct Members<'a, O>(&'a [Member<O>]);

impl<O: Resumable> Serialize for Members<'_, O> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut members = serializer.serialize_seq(Some(self.0.len()))?;
        for Member { block, live, diverged, observer, step } in self.0 {
            members.serialize_element(&SavedMemberRef {
                block,
                live: *live,
                diverged,
                step: *step,
                observer: observer.state(),
            })?;
        }
        members.end()
    }
}

impl<O: Resumable> Serialize for Run<O> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        (&self.plan, &self.stretches, Members(&self.members)).serialize(serializer)
    }
}

impl<O: Resumable> Run<O> {
    /// The run that was saved: `dynamics`, `plan` and `observer` are those that it was begun with.
    ///
    /// # Errors
    /// When it was begun with others.
    pub fn resume(
        dynamics: &dyn Dynamics,
        plan: &Plan,
        observer: &(dyn Fn(u64, usize) -> O + Sync),
        saved: SavedRun<O::State>,
    ) -> Result<Self, Misfit> {
        if saved.plan != *plan || saved.members.len() as u64 != plan.blocks() {
            return Err(Misfit("plan"));
        }
        let members: Result<Vec<Member<O>>, Misfit> = saved
            .members
            .into_par_iter()
            .enumerate()
            .map(|(index, saved)| {
                let (first, count) = plan.replicas_of(index as u64);
                let mut observer = observer(first, count);
                observer.resume(saved.observer)?;
                let block = saved.block.ready_for(dynamics).ok_or(Misfit("dimension"))?;
                Ok(Member { block, live: saved.live, diverged: saved.diverged, observer, step: saved.step })
            })
            .collect();
        Ok(Self { plan: *plan, members: members?, stretches: saved.stretches })
    }
}
