//! Randomness is addressed: results depend on neither threads nor grouping, and replica r can be replayed alone.

use std::sync::Arc;

use sgd_sde::dynamics::{Dynamics, leimkuhler_matthews::LeimkuhlerMatthews, platen::Platen};
use sgd_sde::ensemble::histogram::{Density, Histogram};
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::occupancy::{Occupancy, Watch};
use sgd_sde::ensemble::replay::replay;
use sgd_sde::ensemble::{Observer, Plan, View};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::LANES;
use sgd_sde::loss::expression::Expression;
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::noise::isotropic::Isotropic;

use crate::support::{at_temperature, double_well, undisturbed};

/// Keeps every position of every lane.
#[derive(Clone, Default, PartialEq)]
struct Recorder {
    looks: Vec<Vec<f64>>,
}

impl Observer for Recorder {
    fn observe(&mut self, view: &mut View) {
        self.looks.push(view.theta.to_vec());
    }

    fn end_stretch(&mut self, _looks: u64) {}
}

fn start(replica: u64, point: &mut [f64]) {
    point[0] = 0.01 * replica as f64 - 0.5;
}

/// The path of one replica, from the recorders of a run.
fn path(observers: &[Recorder], replica: u64) -> Vec<f64> {
    let (block, lane) = (replica as usize / LANES, replica as usize % LANES);
    observers[block].looks.iter().map(|theta| theta[lane]).collect()
}

fn record(dynamics: &dyn Dynamics, plan: &Plan) -> Vec<Recorder> {
    undisturbed(dynamics, plan, &start, &|_, _| Recorder::default()).observers
}

/// A block and eight of the next.
const PLAN: Plan = Plan { replicas: LANES as u64 + 8, burn_in: 70, steps: 600, observe_every: 3, seed: 11 };

/// No chance at all, for every scheme: also for one whose steps hand something on, and one that draws more than d normals.
#[test]
fn a_replica_is_replayed_bit_for_bit() {
    let sigma = Expression::new(&["x".into()], &[], "0.4 + 0.1*x^2").unwrap();
    let varying = Arc::new(FormulaNoise::new(sigma));
    let constant = Arc::new(Isotropic::new(1, 0.4));
    replayed(&at_temperature(double_well(), 0.1, 0.02));
    replayed(&LeimkuhlerMatthews::new(double_well(), constant, 1.0, 0.02).unwrap());
    replayed(&Platen::new(double_well(), varying, 1.0, 0.02));
}

fn replayed(dynamics: &dyn Dynamics) {
    let observers = record(dynamics, &PLAN);
    for replica in [0, 1, LANES as u64 - 1, LANES as u64, PLAN.replicas - 1] {
        let mut point = [0.0];
        start(replica, &mut point);
        let replayed = replay(dynamics, PLAN.seed, replica, &point, 1, 671);
        let expected: Vec<f64> = replayed.iter().skip(70 + 3).step_by(3).map(|point| point[0]).collect();
        assert_eq!(path(&observers, replica), expected, "replica {replica}");
        assert_eq!(expected.len(), 200);
    }
}

/// No chance at all.
#[test]
fn the_first_block_of_replicas_is_a_run_of_its_own() {
    let dynamics = at_temperature(double_well(), 0.1, 0.02);
    let (all, block) = (record(&dynamics, &PLAN), record(&dynamics, &Plan { replicas: LANES as u64, ..PLAN }));
    assert_eq!((all.len(), block.len()), (2, 1));
    assert!(all[0] == block[0]);
}

/// No chance worth naming: no two positions of two seeds, nor of two replicas, are the same number (2⁻²⁴).
#[test]
fn two_seeds_share_nothing() {
    let dynamics = at_temperature(double_well(), 0.1, 0.02);
    let mut seen = std::collections::HashSet::new();
    for seed in [1, 2] {
        let observers = record(&dynamics, &Plan { seed, ..PLAN });
        for replica in 0..PLAN.replicas {
            for x in path(&observers, replica) {
                assert!(seen.insert(x.to_bits()), "{x} twice");
            }
        }
    }
}

/// Everything that the observers of a run say, as bits.
fn everything(threads: usize) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let loss = double_well();
    let dynamics = at_temperature(loss.clone(), 0.1, 0.02);
    let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap());
    let watch = Arc::new(Watch::new(landscape, loss, 0.1, 256));
    let histogram = Arc::new(Histogram::new(&[[-2.0, 2.0]], 50));
    let plan = Plan { replicas: 400, burn_in: 1_000, steps: 20_000, observe_every: 7, seed: 12 };
    let outcome = pool.install(|| {
        undisturbed(&dynamics, &plan, &start, &|first, count| {
            ((Occupancy::new(&watch, first, count), Moments::new(1)), histogram.observer(first))
        })
    });
    let mut numbers: Vec<f64> = Vec::new();
    for (block, ((occupancy, moments), _)) in outcome.observers.iter().enumerate() {
        numbers.extend(occupancy.transitions().iter().map(|&count| count as f64));
        numbers.push(occupancy.round_trips() as f64);
        for lane in 0..LANES.min(plan.replicas as usize - block * LANES) {
            numbers.extend(occupancy.fractions(lane).unwrap());
            let (first, second) = moments.means(lane).unwrap();
            numbers.extend([first, second].concat());
        }
        for lane in 0..occupancy.followed_lanes() {
            numbers.extend(occupancy.course(0, lane));
        }
    }
    let Density { density, standard_error, outside } = histogram.density();
    numbers.extend([density, standard_error, vec![outside]].concat());
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// No chance at all: observers' results are the same bits on 1, 2, 3 and 7 threads.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let alone = everything(1);
    assert!(alone.len() > 100_000);
    for threads in [2, 3, 7] {
        assert!(everything(threads) == alone, "{threads} threads");
    }
}
