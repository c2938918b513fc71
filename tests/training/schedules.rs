//! Epochs are counted by examples, whatever the batch size and the noise.

use sgd_sde::random::batches::{BatchError, Sampling};
use sgd_sde::training::{BeginError, Ensemble, Noise, RecipeError, Schedule, ScheduleError, Starts};

use crate::support::{advance, all, assert_near, data, ensemble, mean_gradient, network, recipe, weights};

#[test]
fn a_batch_size_changes_at_its_example() {
    let noises =
        [Noise::Minibatch(Sampling::Epochs), Noise::ExampleGaussian, Noise::Isotropic { variance: 1.0 }, Noise::None];
    for noise in noises {
        let mut recipe = recipe(0.01, 1, noise);
        // 12 examples: 6 batches of 2, then batches of 3.
        recipe.batch_size = Schedule::piecewise(vec![(0.0, 2), (1.0, 3)]).unwrap();
        let mut ensemble = ensemble::<f64>(&recipe, vec![weights()]);
        for (epochs, steps) in [(1.0, 6), (0.25, 7), (0.75, 10), (1.0, 14)] {
            advance(&mut ensemble, epochs);
            assert_eq!(ensemble.status().steps, steps);
        }
        assert_eq!(ensemble.status().epochs, 3.0);
        // A part of a step is a step.
        advance(&mut ensemble, 0.01);
        assert_eq!((ensemble.status().steps, ensemble.status().epochs), (15, 3.25));
        advance(&mut ensemble, 0.24);
        assert_eq!(ensemble.status().steps, 15);
    }
}

#[test]
fn a_learning_rate_changes_at_its_example() {
    let mut recipe = recipe(0.1, 3, Noise::None);
    // The steps begin at 0, ¼, ½ and ¾ of the epoch.
    recipe.learning_rate = Schedule::piecewise(vec![(0.0, 0.1), (0.5, 0.02), (0.6, 0.3)]).unwrap();
    let mut ensemble = ensemble(&recipe, vec![weights()]);
    advance(&mut ensemble, 1.0);
    let mut theta: Vec<f64> = weights();
    for rate in [0.1, 0.1, 0.02, 0.3] {
        let gradient = mean_gradient(&theta, &all());
        theta.iter_mut().zip(&gradient).for_each(|(theta, g)| *theta -= rate * g);
    }
    assert_near(ensemble.weights(0), &theta);
}

#[test]
fn what_makes_no_schedule_or_recipe_is_refused() {
    assert_eq!(Schedule::<f64>::piecewise(vec![]), Err(ScheduleError::Start));
    assert_eq!(Schedule::piecewise(vec![(1.0, 0.1)]), Err(ScheduleError::Start));
    let order = Schedule::piecewise(vec![(0.0, 0.1), (2.0, 0.2), (2.0, 0.3)]);
    assert_eq!(order, Err(ScheduleError::Order { before: 2.0, found: 2.0 }));
    assert!(Schedule::piecewise(vec![(0.0, 0.1), (f64::NAN, 0.2)]).is_err());

    let begin =
        |recipe| Ensemble::begin(&network(), data::<f64>(), &recipe, 1, Starts::Given(vec![weights()]), 0).err();
    let refused = |recipe| match begin(recipe) {
        Some(BeginError::Recipe(error)) => error,
        other => panic!("{other:?}"),
    };
    let sampling = Sampling::Epochs;
    assert_eq!(refused(recipe(0.0, 1, Noise::None)), RecipeError::LearningRate(0.0));
    let large = BatchError::TooLarge { size: 13, examples: 12 };
    assert_eq!(refused(recipe(0.1, 13, Noise::Minibatch(sampling))), RecipeError::Batches(large));
    assert_eq!(refused(recipe(0.1, 0, Noise::None)), RecipeError::Batches(BatchError::Empty));
    let svag = Noise::Svag { sampling, amplification: 2 };
    assert_eq!(refused(recipe(0.1, 1, svag)), RecipeError::DependentBatches);
    assert_eq!(refused(recipe(0.1, 1, Noise::Isotropic { variance: -1.0 })), RecipeError::Variance(-1.0));
    let frozen = RecipeError::FrozenLength { found: 1, expected: 12 };
    assert_eq!(refused(recipe(0.1, 1, Noise::FrozenGaussian(vec![0.0]))), frozen);
    let mut momentum = recipe(0.1, 1, Noise::None);
    momentum.momentum = 1.0;
    assert_eq!(refused(momentum), RecipeError::Momentum(1.0));

    let begin = |starts| Ensemble::begin(&network(), data::<f64>(), &recipe(0.1, 1, Noise::None), 1, starts, 0).err();
    assert_eq!(begin(Starts::Given(vec![])), Some(BeginError::NoReplicas));
    let short = BeginError::StartLength { replica: 1, found: 2, expected: 12 };
    assert_eq!(begin(Starts::Given(vec![weights(), vec![0.0; 2]])), Some(short));
    let mut start = weights();
    start[4] = f64::NAN;
    assert_eq!(begin(Starts::Given(vec![start])), Some(BeginError::StartValue { replica: 0, place: 4 }));
}
