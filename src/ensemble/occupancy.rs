//! Who is where: occupancies of the basins, transitions between their cores, and the course of both in time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lanes::Lanes;
use super::{Observer, View, merge_means};
use crate::instructions::vectorized;
use crate::landscape::Landscape;
use crate::landscape::basins::{NO_BASIN, Workspace};
use crate::landscape::strays::Strays;
use crate::loss::{LANES, Loss};

/// What the occupancy observers of all blocks share.
pub struct Watch {
    landscape: Arc<Landscape>,
    loss: Arc<dyn Loss>,
    /// L_A + dT/2 per minimum: below it, and in its basin, a trajectory is in the core of A.
    core_levels: Vec<f64>,
    /// Replicas below this index keep their course in time.
    followed: u64,
}

impl Watch {
    /// Watches the basins of a landscape. `temperature` sets the cores: L ≤ L_A + dT/2, the mean height in a bowl.
    /// Replicas below `followed` keep one mean per stretch, for the diagnostics of mixing.
    pub fn new(landscape: Arc<Landscape>, loss: Arc<dyn Loss>, temperature: f64, followed: u64) -> Self {
        let height = 0.5 * loss.dimension() as f64 * temperature;
        let core_levels = landscape.minima.iter().map(|minimum| minimum.loss + height).collect();
        Self { landscape, loss, core_levels, followed }
    }

    /// Number of states: the minima, and `other`.
    pub fn states(&self) -> usize {
        self.core_levels.len() + 1
    }
}

/// The occupancies of one block. States are the minima in their order, then `other`.
pub struct Occupancy {
    watch: Arc<Watch>,
    workspace: Workspace,
    /// Room for one place.
    place: Vec<f64>,
    counts: Counts,
}

/// What the occupancies of a block come from: all that is remembered of its trajectories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Looks in each state, `[state][lane]`.
    visits: Vec<Lanes<u64>>,
    /// Σ L over the looks, and of the followed lanes the mean of L in every stretch, `[stretch][lane]`.
    loss: Lanes<f64>,
    loss_before: Lanes<f64>,
    loss_course: Vec<f64>,
    /// The core that each lane was last in, [`NO_CORE`] before the first.
    core: Lanes<u64>,
    /// The core that each lane was first in.
    home: Lanes<u64>,
    /// Core-to-core transitions, `[from][to]`, all lanes.
    transitions: Vec<u64>,
    round_trips: u64,
    /// Of the followed lanes: visits at the start of this stretch, and the fractions of every stretch,
    /// `[stretch][state][lane]`.
    before: Vec<Lanes<u64>>,
    course: Vec<f32>,
    followed_lanes: usize,
    /// The lowest places that lie in no basin.
    strays: Strays,
}

const NO_CORE: u64 = u64::MAX;

impl Occupancy {
    /// The observer of the block that holds replicas `first … first + count − 1`.
    pub fn new(watch: &Arc<Watch>, first: u64, count: usize) -> Self {
        let states = watch.states();
        let followed_lanes = watch.followed.saturating_sub(first).min(count as u64) as usize;
        Self {
            watch: watch.clone(),
            workspace: Workspace::default(),
            place: Vec::with_capacity(watch.landscape.domain.len()),
            counts: Counts {
                visits: vec![Lanes([0; LANES]); states],
                loss: Lanes([0.0; LANES]),
                loss_before: Lanes([0.0; LANES]),
                loss_course: Vec::new(),
                core: Lanes([NO_CORE; LANES]),
                home: Lanes([NO_CORE; LANES]),
                transitions: vec![0; (states - 1) * (states - 1)],
                round_trips: 0,
                before: if followed_lanes > 0 { vec![Lanes([0; LANES]); states] } else { Vec::new() },
                course: Vec::new(),
                followed_lanes,
                strays: Strays::new(&watch.landscape.domain),
            },
        }
    }

    /// Fraction of its looks that a lane spent in each state; `None` if it was never looked at alive.
    pub fn fractions(&self, lane: usize) -> Option<Vec<f64>> {
        let looks = self.looks(lane);
        (looks > 0).then(|| self.counts.visits.iter().map(|row| row[lane] as f64 / looks as f64).collect())
    }

    /// Number of states: the minima, and `other`.
    pub fn states(&self) -> usize {
        self.watch.states()
    }

    /// Core-to-core transitions, `from * minima + to`, all lanes.
    pub fn transitions(&self) -> &[u64] {
        &self.counts.transitions
    }

    /// Returns to the first core after having been in another, all lanes.
    pub fn round_trips(&self) -> u64 {
        self.counts.round_trips
    }

    /// How many lanes keep their course.
    pub fn followed_lanes(&self) -> usize {
        self.counts.followed_lanes
    }

    /// The fraction of a state in every stretch, for a followed lane.
    pub fn course(&self, state: usize, lane: usize) -> Vec<f64> {
        let states = self.watch.states();
        let stride = states * self.counts.followed_lanes;
        self.counts
            .course
            .chunks_exact(stride.max(1))
            .map(|row| f64::from(row[state * self.counts.followed_lanes + lane]))
            .collect()
    }

    /// The lowest places in the domain that lay in no basin.
    pub fn strays(&self) -> &Strays {
        &self.counts.strays
    }

    /// All that was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Goes on counting from `counts`; false if they are of another shape, and nothing is changed then.
    pub fn take_up(&mut self, counts: Counts) -> bool {
        let shape = |counts: &Counts| {
            (counts.visits.len(), counts.transitions.len(), counts.before.len(), counts.followed_lanes)
        };
        let fits = shape(&counts) == shape(&self.counts);
        if fits {
            self.counts = counts;
        }
        fits
    }

    /// The mean of L over the looks of a lane; `None` if it was never looked at alive.
    pub fn mean_loss(&self, lane: usize) -> Option<f64> {
        let looks = self.looks(lane);
        (looks > 0).then(|| self.counts.loss[lane] / looks as f64)
    }

    /// The mean of L in every stretch, for a followed lane: what changes where there is only one basin to be in.
    pub fn loss_course(&self, lane: usize) -> Vec<f64> {
        self.counts.loss_course.chunks_exact(self.counts.followed_lanes.max(1)).map(|row| row[lane]).collect()
    }

    /// How often a lane was looked at alive.
    fn looks(&self, lane: usize) -> u64 {
        self.counts.visits.iter().map(|row| row[lane]).sum()
    }

    fn note_strays(&mut self, view: &View, labels: &[u64; LANES], loss: &[f64; LANES]) {
        for lane in (0..LANES).filter(|&lane| view.live[lane] && labels[lane] == NO_BASIN && loss[lane].is_finite()) {
            self.place.clear();
            self.place.extend(view.theta.iter().skip(lane).step_by(LANES));
            self.counts.strays.see(lane, &self.place, loss[lane]);
        }
    }

    fn count_transition(&mut self, lane: usize, basin: u64) {
        let from = self.counts.core[lane];
        self.counts.core[lane] = basin;
        if from == NO_CORE {
            self.counts.home[lane] = basin;
        } else if from != basin {
            let minima = self.watch.states() - 1;
            self.counts.transitions[from as usize * minima + basin as usize] += 1;
            self.counts.round_trips += u64::from(basin == self.counts.home[lane]);
        }
    }
}

/// What a look found that asks for a closer look, lane by lane.
struct News {
    /// Live lanes where the loss is no number.
    undefined: u64,
    /// Live lanes in another core than the one they were last in, and 1 for each of them.
    changed: u64,
    cores: Lanes<u64>,
    /// Live lanes in no basin.
    nowhere: u64,
}

/// Counts a look at all lanes at once, but for transitions, which are rare.
#[inline(always)]
fn count(
    counts: &mut Counts,
    core_levels: &[f64],
    live: &[bool; LANES],
    labels: &[u64; LANES],
    loss: &[f64; LANES],
) -> News {
    let mut counted = Lanes([0u64; LANES]);
    let mut undefined = Lanes([0u64; LANES]);
    for l in 0..LANES {
        counted[l] = u64::from(live[l] & loss[l].is_finite());
        undefined[l] = u64::from(live[l]) - counted[l];
        counts.loss[l] += if counted[l] == 1 { loss[l] } else { 0.0 };
    }
    let mut elsewhere = counted;
    let mut changed = Lanes([0u64; LANES]);
    for ((state, level), visits) in (0..).zip(core_levels).zip(&mut counts.visits) {
        for l in 0..LANES {
            let here = counted[l] & u64::from(labels[l] == state);
            visits[l] += here;
            elsewhere[l] -= here;
            changed[l] += here & u64::from(loss[l] <= *level) & u64::from(counts.core[l] != state);
        }
    }
    if let Some(other) = counts.visits.get_mut(core_levels.len()) {
        for l in 0..LANES {
            other[l] += elsewhere[l];
        }
    }
    let [undefined, changed_in_all, nowhere] = [undefined, changed, elsewhere].map(|lanes| lanes.iter().sum());
    News { undefined, changed: changed_in_all, cores: changed, nowhere }
}

impl Observer for Occupancy {
    fn observe(&mut self, view: &mut View) {
        let mut labels = Lanes([NO_BASIN; LANES]);
        let mut loss = Lanes([0.0; LANES]);
        self.watch.landscape.basins.label_block(view.theta, view.live, &mut labels, &mut self.workspace);
        self.watch.loss.value_block(view.theta, &mut loss[..], view.scratch);
        let new = vectorized(
            #[inline(always)]
            || count(&mut self.counts, &self.watch.core_levels, view.live, &labels, &loss),
        );
        if new.undefined > 0 {
            for lane in 0..LANES {
                view.lost[lane] |= view.live[lane] && !loss[lane].is_finite();
            }
        }
        if new.nowhere > 0 {
            self.note_strays(view, &labels, &loss);
        }
        if new.changed > 0 {
            for lane in 0..LANES {
                if new.cores[lane] > 0 {
                    self.count_transition(lane, labels[lane]);
                }
            }
        }
    }

    fn end_stretch(&mut self, looks: u64) {
        if self.counts.followed_lanes == 0 {
            return;
        }
        for state in 0..self.watch.states() {
            for lane in 0..self.counts.followed_lanes {
                let visits = self.counts.visits[state][lane] - self.counts.before[state][lane];
                self.counts.course.push((visits as f64 / looks as f64) as f32);
            }
        }
        let counts = &mut self.counts;
        counts.before.copy_from_slice(&counts.visits);
        for lane in 0..counts.followed_lanes {
            counts.loss_course.push((counts.loss[lane] - counts.loss_before[lane]) / looks as f64);
        }
        counts.loss_before = counts.loss;
    }

    fn merge_stretches(&mut self, looks: &[u64]) {
        let counts = &mut self.counts;
        let width = self.watch.states() * counts.followed_lanes;
        merge_means(&mut counts.course, width, looks, |mean| mean as f32);
        merge_means(&mut counts.loss_course, counts.followed_lanes, looks, |mean| mean);
    }
}
