//! A run put away and taken up again loses nothing, and what is kept by stretches stays bounded. No chance at all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::dynamics::Dynamics;
use sgd_sde::ensemble::balance::{Balance, Direction, Gauge, StepMoments, Sums};
use sgd_sde::ensemble::checkpoint::{Misfit, SavedRun};
use sgd_sde::ensemble::histogram::{Histogram, HistogramObserver};
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::occupancy::{Counts, Occupancy, Watch};
use sgd_sde::ensemble::{Fate, MOST_STRETCHES_KEPT, Plan, Run};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::LANES;
use sgd_sde::noise::isotropic::Isotropic;

use crate::support::{at_temperature, double_well};

type Observers = ((Occupancy, (Moments, Balance)), Option<HistogramObserver>);
type Saved = SavedRun<((Counts, (Moments, Sums)), Option<()>)>;

/// The replicas do not fill their second block; of what is drawn for the 7 steps between two looks one row is not used, or two or three.
const PLAN: Plan = Plan { replicas: LANES as u64 + 8, burn_in: 71, steps: 7 * 600, observe_every: 7, seed: 31 };

/// Replicas whose courses are kept: a block and four of the next.
const FOLLOWED: u64 = LANES as u64 + 4;

/// One replica starts so far out that it diverges.
fn start(replica: u64, point: &mut [f64]) {
    point[0] = if replica == 5 { 60.0 } else { 0.03 * replica as f64 - 1.0 };
}

struct Laboratory {
    dynamics: Box<dyn Dynamics>,
    watch: Arc<Watch>,
    gauge: Arc<Gauge>,
    histogram: Arc<Histogram>,
}

impl Laboratory {
    fn new() -> Self {
        let loss = double_well();
        let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap());
        let moments = StepMoments { noise: Arc::new(Isotropic::new(1, 0.8)), noise_scale: 1.0, step: 0.05 };
        let direction = Direction { vector: vec![1.0], place: -1.0 };
        // Every seventh look, of 600: the state has to hold which comes next.
        let gauge = Gauge::new(loss.clone(), (-0.3, vec![0.0]), vec![direction], Some(moments), 7);
        Self {
            gauge: Arc::new(gauge),
            dynamics: Box::new(at_temperature(loss.clone(), 0.3, 0.05)),
            watch: Arc::new(Watch::new(landscape, loss, 0.3, FOLLOWED)),
            histogram: Arc::new(Histogram::new(&[[-2.0, 2.0]], 20)),
        }
    }

    fn observer(&self) -> impl Fn(u64, usize) -> Observers + Sync {
        |first, count| {
            let followed = FOLLOWED.saturating_sub(first).min(count as u64) as usize;
            let moments = Moments::new(1).following(followed);
            (
                (Occupancy::new(&self.watch, first, count), (moments, Balance::new(&self.gauge))),
                Some(self.histogram.observer(first)),
            )
        }
    }

    fn begin(&self) -> Run<Observers> {
        Run::begin(self.dynamics.as_ref(), &PLAN, &start, &self.observer())
    }

    fn advance(&self, run: &mut Run<Observers>, looks: u64) {
        run.advance(self.dynamics.as_ref(), looks, &mut |_| (), &AtomicBool::new(false)).unwrap();
    }
}

/// Puts a run away as bytes and takes it up in a laboratory of its own.
fn moved(run: &Run<Observers>, from: &Laboratory) -> (Laboratory, Run<Observers>) {
    let bytes = postcard::to_allocvec(run).unwrap();
    let saved: Saved = postcard::from_bytes(&bytes).unwrap();
    let to = Laboratory::new();
    assert!(to.histogram.add(&from.histogram.counts()));
    let run = Run::resume(to.dynamics.as_ref(), &PLAN, &to.observer(), saved).unwrap();
    (to, run)
}

/// All that enters a result, as bits; courses by stretches are not among it.
fn everything(run: &Run<Observers>, histogram: &Histogram) -> Vec<u64> {
    let mut numbers = histogram.counts();
    for ((occupancy, (moments, balance)), _) in run.observers() {
        numbers.extend(occupancy.transitions());
        numbers.push(occupancy.round_trips());
        for lane in 0..LANES {
            let fractions = occupancy.fractions(lane).unwrap_or_default();
            let (first, second) = moments.means(lane).unwrap_or_default();
            let of_balance = [balance.means(lane), balance.drifts(lane), balance.relations(lane)];
            let balance = of_balance.map(Option::unwrap_or_default).concat();
            numbers.extend([fractions, first, second, balance].concat().iter().map(|x| x.to_bits()));
        }
    }
    for replica in 0..PLAN.replicas {
        let mut point = [0.0];
        run.point(replica, &mut point);
        numbers.push(point[0].to_bits());
    }
    numbers
}

#[test]
fn a_run_continued_twice_is_the_run_of_that_length() {
    let whole = Laboratory::new();
    let mut one = whole.begin();
    whole.advance(&mut one, 3 * PLAN.looks());

    let first = Laboratory::new();
    let mut run = first.begin();
    first.advance(&mut run, PLAN.looks());
    let after_one = everything(&run, &first.histogram);
    let (second, mut run) = moved(&run, &first);
    assert!(everything(&run, &second.histogram) == after_one, "saving and reading changes something");
    second.advance(&mut run, PLAN.looks());
    let (third, mut run) = moved(&run, &second);
    third.advance(&mut run, PLAN.looks());

    assert_eq!((run.looks(), one.looks()), (1_800, 1_800));
    assert!(everything(&run, &third.histogram) == everything(&one, &whole.histogram));
    assert_eq!(run.fates(), one.fates());
    assert!(matches!(run.fates()[5], Fate::Diverged { .. }) && run.fates()[6] == Fate::Finished);
    let transitions: u64 = run.observers().iter().map(|((occupancy, _), _)| occupancy.transitions()[1]).sum();
    assert!(transitions > 50, "{transitions} transitions: too few to tell a run from another");
}

#[test]
fn what_is_kept_by_stretches_stays_bounded_and_keeps_its_means() {
    let here = Laboratory::new();
    let mut run = here.begin();
    for piece in 1..=6 {
        here.advance(&mut run, 601);
        let stretches = run.stretches();
        assert!(stretches.len() as u64 <= MOST_STRETCHES_KEPT && stretches.iter().sum::<u64>() == 601 * piece);
        // Of like length, but for an odd one left over by each merging.
        let longest = *stretches.iter().max().unwrap();
        assert!(stretches.iter().filter(|&&looks| looks + 1 < longest).count() <= 3, "{stretches:?}");
        let mean = |course: Vec<f64>| {
            assert_eq!(course.len(), stretches.len());
            let sum: f64 = course.iter().zip(stretches).map(|(mean, &looks)| mean * looks as f64).sum();
            sum / (601 * piece) as f64
        };
        let ((occupancy, (moments, _)), _) = run.observers()[0];
        for lane in [0, 4, LANES - 1] {
            // Single precision is what the courses of occupancies are kept in.
            assert!((mean(occupancy.course(0, lane)) - occupancy.fractions(lane).unwrap()[0]).abs() < 1e-6);
            assert!((mean(moments.course(lane)) - moments.mean_square(lane).unwrap()).abs() < 1e-12);
        }
    }
    assert!(run.stretches().len() > 500);
}

#[test]
fn a_state_of_another_run_is_refused() {
    let here = Laboratory::new();
    let mut run = here.begin();
    here.advance(&mut run, 10);
    let bytes = postcard::to_allocvec(&run).unwrap();
    let read = || postcard::from_bytes::<Saved>(&bytes).unwrap();
    let resume = |plan: &Plan| Run::resume(here.dynamics.as_ref(), plan, &here.observer(), read()).err();
    assert_eq!(resume(&PLAN), None);
    assert_eq!(resume(&Plan { seed: 32, ..PLAN }), Some(Misfit("plan")));
    assert_eq!(resume(&Plan { replicas: PLAN.replicas + 1, ..PLAN }), Some(Misfit("plan")));
    let unlike = |first: u64, count: usize| -> Observers {
        (
            (Occupancy::new(&here.watch, first, count), (Moments::new(2), Balance::new(&here.gauge))),
            Some(here.histogram.observer(first)),
        )
    };
    let found = Run::resume(here.dynamics.as_ref(), &PLAN, &unlike, read()).err();
    assert_eq!(found, Some(Misfit("dimension")));
    assert!(!Histogram::new(&[[-2.0, 2.0]], 21).add(&here.histogram.counts()));
}
