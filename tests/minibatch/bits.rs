//! The same bits whatever the lanes, blocks, threads and pieces of a run. No chance at all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nalgebra::dmatrix;
use sgd_sde::dynamics::example_noise::ExampleNoise;
use sgd_sde::dynamics::{Dynamics, minibatch_sgd::MinibatchSgd, momentum::Momentum, svag::Svag};
use sgd_sde::ensemble::checkpoint::{Misfit, SavedRun};
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::{Plan, Run};
use sgd_sde::loss::LANES;
use sgd_sde::loss::regression::Regression;
use sgd_sde::random::batches::Sampling;

use crate::support::{SAMPLINGS, tilted_bowl};

/// The replicas do not fill their second block; steps between two looks are no multiple of an epoch.
const PLAN: Plan = Plan { replicas: LANES as u64 + 8, burn_in: 71, steps: 7 * 60, observe_every: 7, seed: 41 };

fn every_dynamics() -> Vec<(String, Box<dyn Dynamics>)> {
    let sum = tilted_bowl(dmatrix![2.0, 0.3; 0.3, 1.0], &dmatrix![1.0, 0.2; 0.2, 3.0], 20, 3);
    let mut all: Vec<(String, Box<dyn Dynamics>)> = Vec::new();
    for sampling in SAMPLINGS {
        let name = |method: &str| format!("{method}, {sampling:?}");
        all.push((name("SGD"), Box::new(MinibatchSgd::new(sum.clone(), sampling, 0.1, 3).unwrap())));
        all.push((name("momentum"), Box::new(Momentum::new(sum.clone(), sampling, 0.1, 0.8, 3).unwrap())));
        if let Ok(svag) = Svag::new(sum.clone(), sampling, 0.1, 3, 4) {
            all.push((name("SVAG"), Box::new(svag)));
        }
    }
    let regression = Arc::new(Regression::normal(&dmatrix![1.0, 0.3; 0.3, 0.5], &[0.7, -0.4], 0.5, 11, 3).unwrap());
    all.push(("regression".into(), Box::new(MinibatchSgd::new(regression.clone(), SAMPLINGS[1], 0.1, 3).unwrap())));
    all.push(("Gaussian noise of a regression".into(), Box::new(ExampleNoise::new(regression, 0.1, 0.1))));
    all.push(("Gaussian noise of tilts".into(), Box::new(ExampleNoise::new(sum, 0.1, 0.1))));
    all
}

fn start(replica: u64, point: &mut [f64]) {
    point.iter_mut().for_each(|x| *x = 0.03 * replica as f64 - 1.0);
}

fn advance(run: &mut Run<Moments>, dynamics: &dyn Dynamics, looks: u64) {
    run.advance(dynamics, looks, &mut |_| (), &AtomicBool::new(false)).unwrap();
}

fn observer(_: u64, _: usize) -> Moments {
    Moments::new(2)
}

fn begin(dynamics: &dyn Dynamics, plan: &Plan) -> Run<Moments> {
    Run::begin(dynamics, plan, &start, &observer)
}

/// Where every replica is and what its observer has seen, as bits.
fn everything(run: &Run<Moments>, replicas: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    for replica in 0..replicas {
        let mut point = [0.0; 2];
        run.point(replica, &mut point);
        let (first, second) = run.observers()[replica as usize / LANES].means(replica as usize % LANES).unwrap();
        numbers.extend([point.to_vec(), first, second].concat().iter().map(|x| x.to_bits()));
    }
    numbers
}

#[test]
fn a_run_continued_is_the_run_of_that_length() {
    for (name, dynamics) in every_dynamics() {
        let dynamics = dynamics.as_ref();
        let mut whole = begin(dynamics, &PLAN);
        advance(&mut whole, dynamics, 2 * PLAN.looks());
        let mut run = begin(dynamics, &PLAN);
        advance(&mut run, dynamics, PLAN.looks());
        let bytes = postcard::to_allocvec(&run).unwrap();
        let saved: SavedRun<Moments> = postcard::from_bytes(&bytes).unwrap();
        let mut run = Run::resume(dynamics, &PLAN, &observer, saved).unwrap();
        advance(&mut run, dynamics, PLAN.looks());
        assert!(everything(&run, PLAN.replicas) == everything(&whole, PLAN.replicas), "{name}");
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for (name, dynamics) in every_dynamics() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let plan = Plan { replicas: 3 * LANES as u64, ..PLAN };
                let mut run = begin(dynamics.as_ref(), &plan);
                advance(&mut run, dynamics.as_ref(), plan.looks());
                everything(&run, plan.replicas)
            })
        };
        assert!(on(1) == on(3), "{name}");
    }
}

/// A replica is the same in a run of many and of few, and another seed or replica is another trajectory.
#[test]
fn a_trajectory_depends_on_seed_and_index_alone() {
    for (name, dynamics) in every_dynamics() {
        let of = |replicas: u64, seed: u64| {
            let plan = Plan { replicas, seed, ..PLAN };
            let mut run = begin(dynamics.as_ref(), &plan);
            advance(&mut run, dynamics.as_ref(), plan.looks());
            everything(&run, 3)
        };
        assert!(of(3, 41) == of(200, 41), "{name}");
        assert!(of(3, 41) != of(3, 42), "{name}");
    }
}

#[test]
fn a_state_of_other_batches_is_refused() {
    let sum = tilted_bowl(dmatrix![2.0, 0.3; 0.3, 1.0], &dmatrix![1.0, 0.2; 0.2, 3.0], 20, 3);
    let sgd = |sampling, size| MinibatchSgd::new(sum.clone(), sampling, 0.1, size).unwrap();
    let own: Arc<dyn Dynamics> = Arc::new(sgd(Sampling::Epochs, 3));
    let mut run = begin(own.as_ref(), &PLAN);
    advance(&mut run, own.as_ref(), 3);
    let bytes = postcard::to_allocvec(&run).unwrap();
    let resumed = |dynamics: &dyn Dynamics| {
        let saved: SavedRun<Moments> = postcard::from_bytes(&bytes).unwrap();
        Run::resume(dynamics, &PLAN, &observer, saved).err()
    };
    assert_eq!(resumed(own.as_ref()), None);
    assert_eq!(resumed(&sgd(Sampling::Epochs, 4)), Some(Misfit("dimension")));
    assert_eq!(resumed(&sgd(Sampling::WithReplacement, 3)), Some(Misfit("dimension")));
}
