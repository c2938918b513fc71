//! Labels of 10,000 points in each of six landscapes, against those of LSODA and Radau IIA at a relative tolerance of 1e−10.

use std::sync::Arc;

use serde::Deserialize;
use sgd_sde::landscape::Landscape;
use sgd_sde::landscape::basins::Workspace;

use super::table::{expression, read};

/// Of the points that are not within a thousandth of the domain's side of the separatrix.
const MOST_WRONG: f64 = 1e-3;

#[derive(Deserialize)]
struct Labelled {
    name: String,
    variables: Vec<String>,
    formula: String,
    /// Of every coordinate.
    domain: [f64; 2],
    minima: Vec<Vec<f64>>,
    /// Numbers of the points near the separatrix, from 1.
    near: Vec<usize>,
    labels: String,
}

/// Coordinates of points 1, 2, … in the unit cube, one after another: fractions of 1/2 + i/φʲ, φ the root of φ^(d+1) = φ + 1 (Roberts 2018).
fn kronecker(points: usize, dimension: usize) -> Vec<f64> {
    let mut phi = 2.0f64;
    for _ in 0..60 {
        phi = (1.0 + phi).powf(1.0 / (dimension as f64 + 1.0));
    }
    let coordinate = |i: usize, j: usize| (0.5 + i as f64 / phi.powi(j as i32)).fract();
    (1..=points).flat_map(|i| (1..=dimension).map(move |j| coordinate(i, j))).collect()
}

fn agreement(name: &str) {
    let all: Vec<Labelled> = read("labels.json");
    let Labelled { variables, formula, domain: [low, high], minima, near, labels, .. } =
        all.into_iter().find(|labelled| labelled.name == name).unwrap();
    let d = variables.len();
    let landscape = Landscape::explore(Arc::new(expression(&variables, &formula)), &vec![[low, high]; d]).unwrap();
    assert_eq!(landscape.minima.len(), minima.len(), "{name}");
    let place = |minimum: &Vec<f64>| {
        let is_there = |theta: &[f64]| theta.iter().zip(minimum).all(|(a, b)| (a - b).abs() < 1e-3 * (high - low));
        landscape.minima.iter().position(|found| is_there(&found.theta)).unwrap() as u64
    };
    let places: Vec<u64> = minima.iter().map(place).collect();
    let points: Vec<f64> = kronecker(labels.len(), d).iter().map(|u| low + (high - low) * u).collect();
    let mut found = vec![0; labels.len()];
    landscape.basins.label_all(&points, &mut found, &mut Workspace::default());
    let expected = |label: char| label.to_digit(10).map(|label| places[label as usize]);
    let is_wrong = |item: &(usize, (char, &u64))| {
        let (index, (label, found)) = *item;
        expected(label) != Some(*found) && near.binary_search(&(index + 1)).is_err()
    };
    let wrong: Vec<usize> =
        labels.chars().zip(&found).enumerate().filter(is_wrong).map(|(index, _)| index + 1).collect();
    let judged = labels.len() - near.len();
    assert!(judged >= 9_500, "{name}: {judged} points");
    assert!(wrong.len() as f64 <= MOST_WRONG * judged as f64, "{name}: {} of {judged} wrong: {wrong:?}", wrong.len());
}

#[test]
fn labels_on_a_ring() {
    agreement("ring");
}

#[test]
fn labels_in_a_tilted_valley() {
    agreement("tilted valley");
}

#[test]
fn labels_in_a_bent_valley() {
    agreement("bent valley");
}

#[test]
fn labels_in_a_narrow_bent_valley() {
    agreement("narrow bent valley");
}

#[test]
fn labels_in_a_spiral() {
    agreement("spiral");
}

#[test]
fn labels_among_three_wells_in_five_dimensions() {
    agreement("three wells");
}
