//! Data sets as networks take them.

use sgd_sde::data::{Dataset, Targets as DataTargets};
use sgd_sde::network::{Activation, Architecture, Batch, MismatchError, Network, Objective, Targets, Workspace};
use sgd_sde::training::{DataMismatch, TrainingData, examples};

fn network(objective: Objective, outputs: usize) -> Network {
    let architecture = Architecture { widths: vec![2, outputs], activation: Activation::Tanh, bias: false };
    Network { architecture, objective, weight_decay: 0.0 }
}

fn labels() -> DataTargets {
    DataTargets::Labels { labels: vec![0, 1], class_names: vec!["low".into(), "high".into()] }
}

fn values() -> DataTargets {
    DataTargets::Values { values: vec![0.5, -1.5], outputs: 1 }
}

fn dataset(inputs: [f64; 4], targets: DataTargets) -> Dataset {
    Dataset::new(inputs.to_vec(), vec![2], targets).unwrap()
}

#[test]
fn labels_and_values_arrive() {
    let inputs = [0.0, 1.0, 2.0, 3.0];
    let network = |objective, outputs| self::network(objective, outputs);
    let found = examples::<f32>(&network(Objective::CrossEntropy, 2), &dataset(inputs, labels())).unwrap();
    assert_eq!((found.count(), found.input(1), found.targets()), (2, &[2.0f32, 3.0][..], &Targets::Labels(vec![0, 1])));
    let regression = examples::<f64>(&network(Objective::SquaredError, 1), &dataset(inputs, values())).unwrap();
    assert_eq!(regression.targets(), &Targets::Values(vec![0.5, -1.5], 1));

    // A class stands for 1 among zeros: outputs are 0, so half of a square of 1 is left.
    let squared = network(Objective::SquaredError, 2);
    let one_hot = examples::<f64>(&squared, &dataset(inputs, labels())).unwrap();
    let loss = squared.loss(&[0.0; 4], Batch::all(&one_hot), &mut Workspace::new(&squared, 2));
    assert_eq!(loss, 0.5);
}

#[test]
fn what_does_not_fit_is_told() {
    let inputs = [0.0, 1.0, 2.0, 3.0];
    let refused = |network: &Network, dataset: &Dataset| examples::<f32>(network, dataset).unwrap_err();
    let cross_entropy = network(Objective::CrossEntropy, 2);
    assert_eq!(refused(&cross_entropy, &dataset(inputs, values())), DataMismatch::Values);
    let outputs = DataMismatch::Outputs { found: 2, expected: 3 };
    assert_eq!(refused(&network(Objective::CrossEntropy, 3), &dataset(inputs, labels())), outputs);
    let outputs = DataMismatch::Outputs { found: 1, expected: 2 };
    assert_eq!(refused(&network(Objective::SquaredError, 2), &dataset(inputs, values())), outputs);

    let mut wider = cross_entropy.clone();
    wider.architecture.widths[0] = 5;
    let widths = DataMismatch::Network(MismatchError::Inputs { found: 2, expected: 5 });
    assert_eq!(refused(&wider, &dataset(inputs, labels())), widths);

    let large = dataset([0.0, 1.0, 1e90, 3.0], labels());
    let told = DataMismatch::TooLarge { value: 1e90, what: "input 0".into(), example: 1 };
    assert_eq!(refused(&cross_entropy, &large), told);
    assert!(examples::<f64>(&cross_entropy, &large).is_ok());
    assert!(TrainingData::<f32>::new(&cross_entropy, &dataset(inputs, labels()), Some(&large)).is_err());
}
