//! Training to a level of the loss: who arrives when, and rests.

use std::sync::atomic::AtomicBool;

use rayon::ThreadPoolBuilder;
use sgd_sde::network::{Batch, Initialization, Real, Workspace};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Arrival, Control, Ensemble, Fate, Noise, Recipe};

use crate::support::{EXAMPLES, advance, assert_near, ensemble, examples, network, recipe};

fn starts<T: Real>() -> Vec<Vec<T>> {
    (0..5).map(|replica| Initialization::Normal(1.0).draw(&network().architecture, 3, replica)).collect()
}

fn loss(theta: &[f64]) -> f64 {
    let mut workspace = Workspace::new(&network(), EXAMPLES);
    network().evaluate(theta, Batch::all(&examples(EXAMPLES)), &mut workspace).objective + network().decay_of(theta)
}

fn train_to<T: Real>(ensemble: &mut Ensemble<T>, level: f64, epochs: f64, every: f64) -> Vec<Option<Arrival>> {
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    ensemble.train_to(level, epochs, every, control).unwrap()
}

/// Losses of one replica trained alone, batch by batch of 4: at the start, and at the end of every look of a third of an epoch.
fn alone(recipe: &Recipe, looks: usize) -> Vec<Vec<(Vec<f64>, f64)>> {
    let mut ensemble = ensemble(recipe, starts::<f64>());
    let mut course: Vec<Vec<(Vec<f64>, f64)>> = vec![Vec::new(); 5];
    for look in 0..=looks {
        for (replica, course) in course.iter_mut().enumerate() {
            let theta = ensemble.weights(replica).to_vec();
            let loss = loss(&theta);
            course.push((theta, loss));
        }
        if look < looks {
            advance(&mut ensemble, 1.0 / 3.0);
        }
    }
    course
}

/// Reached by three of five replicas within five looks.
fn level(course: &[Vec<(Vec<f64>, f64)>]) -> f64 {
    let mut losses: Vec<f64> = course.iter().map(|looks| looks[5].1).collect();
    losses.sort_by(f64::total_cmp);
    losses[2] + 1e-9
}

/// Each replica rests with the weights of the first look at which its loss is at the level, whatever the others do.
#[test]
fn a_replica_rests_where_it_arrives() {
    let recipe = recipe(0.1, 4, Noise::Minibatch(Sampling::WithReplacement));
    let course = alone(&recipe, 12);
    let level = level(&course);
    let mut trained = ensemble(&recipe, starts::<f64>());
    let arrivals = train_to(&mut trained, level, 4.0, 1.0 / 3.0);
    let mut seen = [0; 3];
    for (replica, course) in course.iter().enumerate() {
        let first = course.iter().position(|(_, loss)| *loss <= level);
        match (first, arrivals[replica]) {
            (Some(look), Some(arrival)) => {
                seen[usize::from(look > 0)] += 1;
                assert_eq!(arrival.steps, look as u64);
                assert!((arrival.epochs - look as f64 / 3.0).abs() < 1e-12 && arrival.loss <= level);
                assert!((arrival.loss - course[look].1).abs() < 1e-12);
                assert_near(trained.weights(replica), &course[look].0);
            }
            (None, None) => {
                seen[2] += 1;
                assert_near(trained.weights(replica), &course[12].0);
            }
            other => panic!("replica {replica}: {other:?}"),
        }
        assert_eq!(trained.fate(replica), Fate::Trained);
    }
    assert!(seen[1] > 0, "none arrived on the way: {seen:?}");
    let resting: Vec<Vec<f64>> = (0..5).map(|replica| trained.weights(replica).to_vec()).collect();
    advance(&mut trained, 1.0);
    for replica in 0..5 {
        assert_eq!(arrivals[replica].is_some(), trained.weights(replica) == resting[replica], "replica {replica}");
    }
}

#[test]
fn what_cannot_be_reached_takes_the_whole_time_and_what_is_reached_none() {
    let recipe = recipe(0.1, 4, Noise::Minibatch(Sampling::Epochs));
    let mut trained = ensemble(&recipe, starts::<f32>());
    assert_eq!(train_to(&mut trained, 0.0, 2.5, 1.0), vec![None; 5]);
    // The last look comes after half of the interval.
    assert_eq!(trained.status().steps, 8);
    let mut trained = ensemble(&recipe, starts::<f32>());
    let arrivals = train_to(&mut trained, 100.0, 2.0, 0.5);
    assert!(arrivals.iter().all(|arrival| arrival.is_some_and(|arrival| arrival.steps == 0)));
    assert_eq!((trained.status().steps, trained.weights(1)), (0, &starts::<f32>()[1][..]));
}

#[test]
fn a_replica_that_diverges_never_arrives() {
    let mut starts = starts::<f64>();
    starts[1].fill(1e200);
    let mut trained = ensemble(&recipe(1e3, 4, Noise::Minibatch(Sampling::Epochs)), starts);
    let arrivals = train_to(&mut trained, 0.0, 2.0, 1.0 / 3.0);
    assert_eq!(arrivals[1], None);
    assert!(matches!(trained.fate(1), Fate::Diverged { .. }));
}

#[test]
fn threads_do_not_matter_and_an_interruption_is_told() {
    let recipe = recipe(0.1, 4, Noise::Minibatch(Sampling::Epochs));
    let level = level(&alone(&recipe, 5));
    let results = [1, 2, 3].map(|threads| {
        ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut trained = ensemble(&recipe, starts::<f32>());
            let arrivals = train_to(&mut trained, level, 4.0, 1.0 / 3.0);
            let weights: Vec<u32> = (0..5).flat_map(|r| trained.weights(r).to_vec()).map(f32::to_bits).collect();
            (arrivals, weights)
        })
    });
    assert!(results[0] == results[1] && results[0] == results[2]);
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(true) };
    assert!(ensemble(&recipe, starts::<f32>()).train_to(0.0, 1.0, 0.5, control).is_err());
}
