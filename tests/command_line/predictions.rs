//! `predict --json` reproduces the tables of reference numbers: two losses at two temperatures, three steps.
//!
//! The numbers were found by adaptive quadrature and a transfer operator of 4,001 points, independently of this program.

use crate::support::Workplace;

struct Row {
    scenario: &'static str,
    batch_size: u32,
    temperature: f64,
    gibbs: f64,
    laplace: f64,
    discrete: [f64; 3],
    passage: f64,
    kramers: f64,
}

const TABLE: [Row; 4] = [
    Row {
        scenario: "double-well",
        batch_size: 2,
        temperature: 0.05,
        gibbs: 0.977954,
        laplace: 0.978992,
        discrete: [0.977913, 0.977713, 0.977368],
        passage: 5890.92,
        kramers: 5367.52,
    },
    Row {
        scenario: "double-well",
        batch_size: 1,
        temperature: 0.1,
        gibbs: 0.859060,
        laplace: 0.863438,
        discrete: [0.858848, 0.857866, 0.856287],
        passage: 177.970,
        kramers: 150.506,
    },
    Row {
        scenario: "width-against-depth",
        batch_size: 2,
        temperature: 0.1,
        gibbs: 0.540663,
        laplace: 0.540663,
        discrete: [0.514379, 0.224984, 0.025013],
        passage: 731820.0,
        kramers: 540593.0,
    },
    Row {
        scenario: "width-against-depth",
        batch_size: 1,
        temperature: 0.2,
        gibbs: 0.416559,
        laplace: 0.416541,
        discrete: [0.402340, 0.269226, 0.106871],
        passage: 592.059,
        kramers: 346.263,
    },
];

#[test]
fn predictions_are_the_reference_numbers() {
    let here = Workplace::new();
    for row in &TABLE {
        for (step, discrete) in [0.01, 0.05, 0.1].into_iter().zip(row.discrete) {
            let (batch, step) = (format!("sgd.batch_size={}", row.batch_size), format!("dynamics.step={step}"));
            let answer = here.run(&["predict", row.scenario, "--json", "--set", &batch, "--set", &step]).expect(0);
            let document: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
            let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
            let case = format!("{} {batch} {step}", row.scenario);
            assert!((number(&document["temperature"]) - row.temperature).abs() < 1e-14, "{case}");
            // The left minimum is the deeper one in both losses: A.
            assert!(number(&document["minima"][0]["theta"][0]) < 0.0, "{case}");
            let left = &document["occupancy"][0];
            for (rung, expected, tolerance) in
                [("gibbs", row.gibbs, 1e-6), ("laplace", row.laplace, 1e-6), ("discrete", discrete, 2e-5)]
            {
                let predicted = number(&left[rung]);
                assert!((predicted - expected).abs() <= tolerance, "{case}: {rung} {predicted}, expected {expected}");
            }
            let escape = &document["escape"][0];
            assert_eq!((&escape["from"], &escape["to"]), (&"A".into(), &"B".into()));
            for (time, expected) in [("exact", row.passage), ("kramers", row.kramers)] {
                let predicted = number(&escape[time]);
                assert!((predicted / expected - 1.0).abs() < 1e-4, "{case}: {time} {predicted}, expected {expected}");
            }
        }
    }
}
