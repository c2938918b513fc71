//! The loss of a small network as a function of θ: in blocks, as a finite sum, and with its symmetries.

use std::path::Path;
use std::sync::Arc;

use sgd_sde::data::{DataKind, DataSpec, GaussianMixtureSpec};
use sgd_sde::landscape::{Landscape, basins::Workspace as Room};
use sgd_sde::loss::finite_sum::FiniteSum;
use sgd_sde::loss::network::NetworkLoss;
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::network::{
    Activation, Architecture, Batch, Examples, Initialization, Network, Objective, Targets, Workspace,
};

const EXAMPLES: usize = 5;

/// Two inputs, hidden layers of 3 and 2 units, two outputs.
fn loss(activation: Activation, objective: Objective) -> (Arc<NetworkLoss>, Arc<Examples<f64>>) {
    let architecture = Architecture { widths: vec![2, 3, 2, 2], activation, bias: true };
    let network = Network { architecture, objective, weight_decay: 0.03 };
    let inputs = (0..2 * EXAMPLES).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
    let targets = match objective {
        Objective::CrossEntropy => Targets::Labels(vec![0, 1, 1, 0, 1]),
        Objective::SquaredError => Targets::Values((0..2 * EXAMPLES).map(|i| (0.9 * i as f64).cos()).collect(), 2),
    };
    let examples = Arc::new(Examples::new(inputs, 2, targets).unwrap());
    (Arc::new(NetworkLoss::new(network, examples.clone()).unwrap()), examples)
}

fn all() -> impl Iterator<Item = (Arc<NetworkLoss>, Arc<Examples<f64>>)> {
    let activations = [Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::Identity];
    activations.into_iter().flat_map(|activation| {
        [Objective::CrossEntropy, Objective::SquaredError].into_iter().map(move |objective| loss(activation, objective))
    })
}

/// A θ for every lane, and the same as rows of a block.
fn points(loss: &NetworkLoss) -> (Vec<Vec<f64>>, Vec<f64>) {
    let draw = |replica| Initialization::Glorot.draw::<f64>(&loss.network().architecture, 7, replica);
    let points: Vec<Vec<f64>> = (0..LANES as u64).map(draw).collect();
    let rows = (0..loss.dimension()).flat_map(|i| points.iter().map(move |point| point[i])).collect();
    (points, rows)
}

/// What one lane has in each row.
fn lane(rows: &[f64], lane: usize) -> Vec<f64> {
    rows.chunks_exact(LANES).map(|row| row[lane]).collect()
}

#[test]
fn blocks_have_the_bits_of_single_points() {
    for (loss, _) in all() {
        let d = loss.dimension();
        let (points, theta) = points(&loss);
        let mut scratch = vec![f64::NAN; loss.block_scratch().max(loss.sum_scratch(EXAMPLES))];
        let (mut values, mut gradients) = ([0.0; LANES], vec![0.0; d * LANES]);
        loss.value_block(&theta, &mut values, &mut scratch);
        loss.gradient_block(&theta, &mut gradients, &mut scratch);
        let batches: Vec<u32> = (0..3 * LANES as u32).map(|i| i * i % EXAMPLES as u32).collect();
        let weights: Vec<f64> = (0..EXAMPLES * LANES).map(|i| (0.37 * i as f64).sin()).collect();
        let (mut of_batches, mut weighted) = (gradients.clone(), gradients.clone());
        loss.batch_gradient_block(&theta, &batches, &mut of_batches, &mut scratch);
        loss.weighted_gradient_block(&theta, &weights, &mut weighted, &mut scratch);
        let mut single = vec![0.0; d];
        for (index, point) in points.iter().enumerate() {
            assert_eq!(values[index], loss.value(point));
            loss.gradient(point, &mut single);
            assert_eq!(lane(&gradients, index), single);
            loss.batch_gradient(point, &batches[3 * index..3 * index + 3], &mut single);
            assert_eq!(lane(&of_batches, index), single);
            loss.weighted_gradient(point, &lane(&weights, index), &mut single);
            assert_eq!(lane(&weighted, index), single);
        }
    }
}

/// The passes of `network` are other code, in another order of summation.
#[test]
fn values_and_gradients_are_those_of_the_network() {
    for (loss, examples) in all() {
        let mut workspace = Workspace::new(loss.network(), EXAMPLES);
        let (points, _) = points(&loss);
        let mut expected = vec![0.0; loss.dimension()];
        let mut found = expected.clone();
        for point in &points[..4] {
            let value = loss.network().gradient(point, Batch::all(&examples), &mut expected, &mut workspace);
            assert!((loss.value(point) - value).abs() < 1e-13, "{value}");
            loss.gradient(point, &mut found);
            let mut rows = vec![0.0; EXAMPLES * found.len()];
            loss.example_gradients(point, &[0, 1, 2, 3, 4], &mut rows);
            for (i, slope) in found.iter().enumerate() {
                assert!((slope - expected[i]).abs() < 1e-13, "{slope} {}", expected[i]);
                let mean = rows.chunks_exact(found.len()).map(|row| row[i]).sum::<f64>() / EXAMPLES as f64;
                assert!((mean - slope).abs() < 1e-13);
            }
        }
    }
}

#[test]
fn the_loss_is_the_same_at_all_images() {
    for (loss, _) in all() {
        let (points, _) = points(&loss);
        let symmetry = loss.symmetry().unwrap();
        let odd = matches!(loss.network().architecture.activation, Activation::Tanh | Activation::Identity);
        assert_eq!(symmetry.order(), if odd { 12 * 32 } else { 12 });
        let value = loss.value(&points[0]);
        assert!(symmetry.images(&points[0]).iter().all(|image| (loss.value(image) - value).abs() < 1e-14));
    }
}

/// A single unit for twelve examples with random labels: four ways to part them, each with both signs of the unit.
#[test]
fn symmetric_minima_are_merged_and_their_images_labelled_alike() {
    let kind = DataKind::GaussianMixture(GaussianMixtureSpec { classes: 2, dimension: 2, separation: 1.0 });
    let data = DataSpec { examples: Some(12), random_labels: 1.0, ..DataSpec::new(kind) };
    let training = data.load(2, Path::new("")).unwrap().training;
    let labels = Targets::Labels(training.labels().unwrap().to_vec());
    let examples = Examples::new(training.inputs().to_vec(), 2, labels).unwrap();
    let architecture = Architecture { widths: vec![2, 1, 2], activation: Activation::Tanh, bias: true };
    let network = Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.003 };
    let loss: Arc<dyn Loss> = Arc::new(NetworkLoss::new(network, Arc::new(examples)).unwrap());
    let landscape = Landscape::explore(loss.clone(), &[[-5.0, 5.0]; 7]).unwrap();
    let multiplicities: Vec<u32> = landscape.minima.iter().map(|minimum| minimum.multiplicity).collect();
    assert_eq!(multiplicities, [2; 4]);
    assert_eq!(landscape.images(loss.as_ref()).len(), 8);
    assert!(!landscape.saddles.is_empty());
    let symmetry = loss.symmetry().unwrap();
    let mut room = Room::default();
    for (index, minimum) in landscape.minima.iter().enumerate() {
        // Not at the minimum, where an ellipsoid answers, but on a slope.
        let point: Vec<f64> = minimum.theta.iter().enumerate().map(|(i, x)| x + 0.3 * (i as f64).cos()).collect();
        for image in symmetry.images(&minimum.theta) {
            assert_eq!(landscape.basins.label(&image, &mut room), Some(index));
        }
        let labels: Vec<Option<usize>> =
            symmetry.images(&point).iter().map(|image| landscape.basins.label(image, &mut room)).collect();
        assert_eq!(labels[0], labels[1]);
        // The block side takes the standard image first.
        let theta: Vec<f64> = (0..7)
            .flat_map(|i| symmetry.images(&point).into_iter().cycle().take(LANES).map(move |image| image[i]))
            .collect();
        let mut of_block = [0; LANES];
        landscape.basins.label_block(&theta, &[true; LANES], &mut of_block, &mut room);
        assert!(of_block.iter().all(|label| Some(*label as usize) == labels[0]), "{of_block:?} {labels:?}");
    }
}
