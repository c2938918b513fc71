//! After its first steps a run allocates nothing, whatever moves and whoever looks; and reading a scenario makes nothing of a
//! network's size.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nalgebra::{DMatrix, dmatrix};
use sgd_sde::dynamics::{Block, Dynamics, euler_maruyama::EulerMaruyama, example_noise::ExampleNoise};
use sgd_sde::dynamics::{coupled::Coupled, modified_equation::ModifiedEquation};
use sgd_sde::dynamics::{leimkuhler_matthews::LeimkuhlerMatthews, platen::Platen, sgd::Sgd};
use sgd_sde::dynamics::{minibatch_sgd::MinibatchSgd, momentum::Momentum, svag::Svag};
use sgd_sde::ensemble::balance::{Balance, Direction, Gauge, StepMoments};
use sgd_sde::ensemble::histogram::Histogram;
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::occupancy::{Occupancy, Watch};
use sgd_sde::ensemble::{Observer, View};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::finite_sum::FiniteSum;
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::loss::{LANES, Loss, expression::Expression, quadratic::Quadratic};
use sgd_sde::loss::{regression::Regression, tilted::Tilted, tilts::Tilts};
use sgd_sde::network::{Activation, Architecture, Examples, Initialization, Network, Objective, Targets};
use sgd_sde::noise::GradientNoise;
use sgd_sde::noise::covariance::ConstantCovariance;
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::random::batches::Sampling;
use sgd_sde::random::increments::Increments;
use sgd_sde::training::{Control, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData};

fn formula(text: &str) -> Expression {
    Expression::new(&["x".into(), "y".into()], &[], text).unwrap()
}

/// Allocations of a thousand looks, seven steps apart, after as many for warming up.
fn allocations(dynamics: &dyn Dynamics, observer: &mut dyn Observer, start: &[f64]) -> u64 {
    let mut block = Block::new(dynamics, 1, 0);
    (0..LANES).for_each(|lane| block.place(lane, start));
    let mut looks = || {
        for _ in 0..1000 {
            dynamics.advance(&mut block, 7);
            let Block { theta, scratch, .. } = &mut block;
            observer.observe(&mut View { theta, live: &[true; LANES], lost: &mut [false; LANES], scratch });
        }
    };
    looks();
    allocation_counter::measure(looks).count_total
}

#[test]
fn nothing_is_allocated_per_step_or_look() {
    let well = |x: f64, loss: f64, hessian: DMatrix<f64>| Well { position: vec![x, 0.0], loss, hessian };
    let full = [well(-1.0, 0.0, dmatrix![4.0, 1.0; 1.0, 2.0]), well(1.0, 0.1, dmatrix![2.0, -0.5; -0.5, 2.0])];
    let losses: [Arc<dyn Loss>; 3] = [
        Arc::new(formula("x^4/4 - x^2/2 + 0.1*x + exp(-y^2) + 2*y^2")),
        Arc::new(Wells::new(&full, 0.1).unwrap()),
        Arc::new(Quadratic::new(dmatrix![2.0, 0.3; 0.3, 1.0]).unwrap()),
    ];
    for loss in losses {
        let isotropic = || Arc::new(Isotropic::new(2, 0.5));
        let covariance = Arc::new(ConstantCovariance::new(dmatrix![0.3, 0.1; 0.1, 0.2]).unwrap());
        let varying = Arc::new(FormulaNoise::new(formula("0.4 + 0.1*x^2")));
        let dynamics: [Box<dyn Dynamics>; 7] = [
            Box::new(EulerMaruyama::new(loss.clone(), isotropic(), 1.0, 0.02)),
            Box::new(EulerMaruyama::new(loss.clone(), covariance, 1.0, 0.02)),
            Box::new(EulerMaruyama::new(loss.clone(), varying.clone(), 1.0, 0.02)),
            Box::new(LeimkuhlerMatthews::new(loss.clone(), isotropic(), 1.0, 0.02).unwrap()),
            Box::new(Platen::new(loss.clone(), varying.clone(), 1.0, 0.02)),
            Box::new(ModifiedEquation::new(loss.clone(), varying, 0.02, 1.0, 0.01)),
            Box::new(Sgd::new(loss.clone(), isotropic(), 0.02, 1.0).with_increments(Increments::Binomial)),
        ];
        let landscape_loss = loss.clone();
        let landscape = Arc::new(Landscape::explore(loss.clone(), &[[-2.0, 2.0], [-2.0, 2.0]]).unwrap());
        let watch = Arc::new(Watch::new(landscape.clone(), loss, 0.1, 0));
        let histogram = Arc::new(Histogram::new(&[[-2.0, 2.0], [-2.0, 2.0]], 20));
        let gauge = |noise: Arc<dyn GradientNoise>| {
            let direction = Direction { vector: vec![0.6, 0.8], place: 0.0 };
            let moments = StepMoments { noise, noise_scale: 1.0, step: 0.02 };
            let gauge = Gauge::new(landscape_loss.clone(), (0.0, vec![0.0; 2]), vec![direction], Some(moments), 2);
            Balance::new(&Arc::new(gauge))
        };
        let gauges = [gauge(isotropic()), gauge(Arc::new(FormulaNoise::new(formula("0.4 + 0.1*x^2"))))];
        for mut balance in gauges {
            let found = allocations(dynamics[2].as_ref(), &mut balance, &landscape.minima[0].theta);
            assert_eq!(found, 0, "what watches the balance");
        }
        for (index, dynamics) in dynamics.iter().enumerate() {
            let (mut occupancy, mut moments) = (Occupancy::new(&watch, 0, LANES), Moments::new(2));
            let observers: [&mut dyn Observer; 3] = [&mut occupancy, &mut moments, &mut histogram.observer(0)];
            for observer in observers {
                let found = allocations(dynamics.as_ref(), observer, &landscape.minima[0].theta);
                assert_eq!(found, 0, "dynamics {index}");
            }
        }
    }
}

/// All members at once: five times the coordinates, so that observers of one loss have no place.
#[test]
fn coupled_trajectories_allocate_nothing_per_step() {
    let loss: Arc<dyn Loss> = Arc::new(formula("x^4/4 - x^2/2 + 0.1*x + exp(-y^2) + 2*y^2"));
    let noises: [Arc<dyn GradientNoise>; 2] =
        [Arc::new(Isotropic::new(2, 0.5)), Arc::new(FormulaNoise::new(formula("0.4 + 0.1*x^2")))];
    for noise in noises {
        let coupled = Coupled::new(&loss, &noise, 0.02, 1.0, 4);
        assert_eq!(allocations(&coupled, &mut Moments::new(10), &[0.5; 10]), 0);
    }
}

#[test]
fn minibatches_allocate_nothing_per_step() {
    use Sampling::{Epochs, WithReplacement, WithoutReplacement};
    let covariance = dmatrix![0.3, 0.1; 0.1, 0.2];
    let tilts = Tilts::normal(&covariance, 30, 1).unwrap();
    let sums: [Arc<dyn FiniteSum>; 2] = [
        Arc::new(Tilted::new(Arc::new(formula("x^4/4 - x^2/2 + 0.1*x + 2*y^2")), tilts).unwrap()),
        Arc::new(Regression::normal(&covariance, &[0.5, -0.5], 0.3, 30, 1).unwrap()),
    ];
    for sum in sums {
        let mut all: Vec<Box<dyn Dynamics>> = Vec::new();
        for sampling in [WithReplacement, WithoutReplacement, Epochs] {
            all.push(Box::new(MinibatchSgd::new(sum.clone(), sampling, 0.02, 4).unwrap()));
        }
        all.push(Box::new(Momentum::new(sum.clone(), Epochs, 0.02, 0.5, 4).unwrap()));
        all.push(Box::new(Svag::new(sum.clone(), WithoutReplacement, 0.02, 4, 3).unwrap()));
        all.push(Box::new(ExampleNoise::new(sum.clone(), 0.005, 0.02)));
        for (index, dynamics) in all.iter().enumerate() {
            let found = allocations(dynamics.as_ref(), &mut Moments::new(2), &[0.5, 0.5]);
            assert_eq!(found, 0, "dynamics {index}");
        }
    }
}

/// One thread, so that whatever is allocated is counted; and a network whose products are those of vectors, since larger ones make gemm
/// allocate room of its own at every call.
#[test]
fn nothing_is_allocated_per_step_of_training() {
    let architecture = Architecture { widths: vec![1, 2, 1], activation: Activation::Tanh, bias: true };
    let network = Network { architecture, objective: Objective::SquaredError, weight_decay: 0.1 };
    let inputs: Vec<f32> = (0..20).map(|i| (i * i % 7) as f32 - 3.0).collect();
    let training = Examples::new(inputs.clone(), 1, Targets::Values(inputs, 1)).unwrap();
    let data = Arc::new(TrainingData { training, test: None });
    let sampling = Sampling::WithoutReplacement;
    let noises = [
        Noise::Minibatch(sampling),
        Noise::ExampleGaussian,
        Noise::FrozenGaussian(vec![0.1; network.parameters()]),
        Noise::Isotropic { variance: 0.1 },
        Noise::None,
        Noise::Svag { sampling, amplification: 2 },
    ];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for noise in noises {
        let (learning_rate, batch_size) = (Schedule::constant(0.01), Schedule::constant(4));
        let recipe = Recipe { learning_rate, batch_size, momentum: 0.5, noise };
        let starts = Starts::Drawn { law: Initialization::Glorot, replicas: 3 };
        let mut ensemble = Ensemble::begin(&network, data.clone(), &recipe, 1, starts, 0).unwrap();
        let counted = pool.install(|| {
            let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
            ensemble.advance(20.0, control).unwrap();
            allocation_counter::measure(|| ensemble.advance(100.0, control).unwrap()).count_total
        });
        assert_eq!(counted, 0, "{:?}", recipe.noise);
    }
}

/// Nine million parameters: nothing is made for each of them before a run is wanted, not even a name.
#[test]
fn reading_a_large_network_allocates_little() {
    let read = || {
        let overrides = ["loss.hidden=[3000,3000]".to_owned(), "ensemble.replicas=2".to_owned()];
        let loaded = sgd_sde::scenario::load("same-dynamics", &overrides, None).unwrap();
        assert_eq!(loaded.scenario.loss.dimension(), 9_228_010);
    };
    assert!(allocation_counter::measure(read).count_total < 100_000);
}
