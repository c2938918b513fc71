//! Questions about networks in training: the judgement alone, on replicas of known law, and for one of them whole runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::training::{Losses, judge_losses};
use sgd_sde::experiment::{self, Control, Prepared};
use sgd_sde::findings::Findings;
use sgd_sde::random::{Purpose, stream::Stream};
use sgd_sde::scenario::{Loaded, parse};
use sgd_sde::statistics::{RankTrend, judge_rank_trend};

use super::kinds::{DIFFERENCES, Kind, MANY, Outcome, Run, Tuned};

/// A network of which only the number of examples matters here.
const NETWORK: &str = r#"
[data]
kind = "two-moons"
examples = 40
[loss]
kind = "network"
hidden = [4]
activation = "tanh"
weight_decay = 0.01
[noise]
kind = "minibatch"
[sgd]
learning_rate = 0.05
batch_size = 4
"#;

/// All questions about training.
pub fn kinds() -> Vec<Kind> {
    let replicas: &[f64] = &[4.0, 16.0, 64.0, 256.0, 1024.0];
    vec![
        Kind {
            name: "curves, judgement",
            what: "Learning curves of given normal law, four looks, ε half a standard deviation between seeds, of which the pilot estimates one",
            unit: "replicas",
            efforts: replicas,
            differences: &DIFFERENCES,
            most_seeds: MANY,
            tuned: Box::new(|difference| given(CURVES, 0.5, difference, curves)),
        },
        Kind {
            name: "curves, trained",
            what: "The same question of a trained network, β = 2 at so small an η that curves are moved by much less than seeds move them",
            unit: "replicas",
            efforts: &[8.0, 32.0, 128.0],
            differences: &[0.0],
            most_seeds: 100,
            tuned: Box::new(trained),
        },
        Kind {
            name: "stationary-loss, judgement",
            what: "ln of a mean loss of given normal law, ε = 0.1, pairs 0.2 apart",
            unit: "replicas",
            efforts: replicas,
            differences: &DIFFERENCES,
            most_seeds: MANY,
            tuned: Box::new(|difference| given(STATIONARY, 0.1, difference, at_rest)),
        },
        Kind {
            name: "width, judgement",
            what: "Spearman's ρ of twelve medians below −1 + ε, ε = 0.3, replicas two steps of the medians apart",
            unit: "replicas",
            efforts: &[4.0, 8.0, 16.0, 32.0, 128.0],
            differences: &DIFFERENCES,
            most_seeds: MANY,
            tuned: Box::new(trend),
        },
    ]
}

const CURVES: &str = r#"
name = "given-curves"
experiment = "curves"
[training]
epochs = 4
look_every = 1
[scaling]
beta = [1, 2]
[ensemble]
replicas = 16
[test]
tolerance = 0.5
"#;

const STATIONARY: &str = r#"
name = "given-losses"
experiment = "stationary-loss"
[training]
epochs = 80
look_every = 1
[scaling]
beta = [1, 2]
[ensemble]
replicas = 16
[test]
tolerance = 0.1
"#;

fn load(text: &str, overrides: &[String], seed: u64) -> Loaded {
    let text = format!("{text}{NETWORK}");
    parse(text, "calibration.toml", overrides, Some(seed)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn outcome(findings: &Findings, truth: f64) -> Option<Outcome> {
    Some(Outcome::of(findings.claims.iter().find(|claim| claim.primary)?, |_| Some(truth)))
}

/// Losses of given law, judged as if they had come from training; the group at β = 2 is off by the difference.
fn given(text: &'static str, tolerance: f64, difference: f64, losses: fn(u64, usize, f64) -> Losses) -> Tuned {
    let by = difference * tolerance;
    let at_effort = move |replicas: f64| -> Run {
        let loaded = load(text, &[format!("ensemble.replicas={replicas}")], 1);
        let Ok(Prepared::Training(course)) = experiment::prepare(&loaded) else { panic!("{text} is of a training") };
        Box::new(move |seed| {
            let findings = judge_losses(&loaded, &course, &losses(seed, replicas as usize, by)).ok()?;
            outcome(&findings, by)
        })
    };
    Tuned { difference, at_effort: Box::new(at_effort) }
}

/// A standard normal by Box and Muller's method.
fn normal(stream: &mut Stream) -> f64 {
    (-2.0 * (1.0 - stream.uniform()).ln()).sqrt() * (std::f64::consts::TAU * stream.uniform()).cos()
}

/// Pilot, β = 1, β = 2 and control. ln L has the standard deviation 0.3 between seeds, of whose variance pairs share half, and what pairs do
/// not share is alike by 0.7 from look to look. The control is off by three ε.
fn curves(seed: u64, replicas: usize, by: f64) -> Losses {
    const DEVIATION: f64 = 0.3;
    let mut stream = Stream::new(seed, 0, Purpose::TrainingNoise);
    let starts: Vec<f64> = (0..2 * replicas).map(|_| normal(&mut stream)).collect();
    let mut group = |is_pilot: bool, off: f64| -> Vec<Vec<f64>> {
        let mut looks = vec![vec![0.0; replicas]; 5];
        for replica in 0..replicas {
            let start = starts[replica + if is_pilot { replicas } else { 0 }];
            let mut own = normal(&mut stream);
            for (look, losses) in looks.iter_mut().enumerate() {
                let z = (start + own) / 2f64.sqrt() + if look == 0 { 0.0 } else { off };
                losses[replica] = (DEVIATION * z - 0.5 * look as f64).exp();
                own = 0.7 * own + 0.51f64.sqrt() * normal(&mut stream);
            }
        }
        looks
    };
    vec![group(true, 0.0), group(false, 0.0), group(false, by), group(false, 1.5)]
}

/// β = 1, β = 2 and control. ln L of a replica is about a level of its own, from which it is 0.1 away at every look.
fn at_rest(seed: u64, replicas: usize, by: f64) -> Losses {
    let mut stream = Stream::new(seed, 0, Purpose::TrainingNoise);
    let starts: Vec<f64> = (0..replicas).map(|_| 0.1 * normal(&mut stream)).collect();
    let mut group = |off: f64| -> Vec<Vec<f64>> {
        let levels: Vec<f64> = starts.iter().map(|start| start + off + 0.14 * normal(&mut stream)).collect();
        (0..81).map(|_| levels.iter().map(|level| (level + 0.1 * normal(&mut stream)).exp()).collect()).collect()
    };
    vec![group(0.0), group(by), group(0.5)]
}

/// Twelve groups whose medians have exactly a wanted ρ with their places, or as near as whole ranks come.
fn trend(difference: f64) -> Tuned {
    const GROUPS: usize = 12;
    const TOLERANCE: f64 = 0.3;
    let medians = permutation(GROUPS, -1.0 + difference * TOLERANCE);
    let truth = correlation(&medians);
    let medians = Arc::new(medians);
    let at_effort = move |replicas: f64| -> Run {
        let medians = medians.clone();
        Box::new(move |seed| {
            let mut stream = Stream::new(seed, 0, Purpose::TrainingNoise);
            let places: Vec<f64> = (0..GROUPS).map(|place| place as f64).collect();
            let mut replicas =
                |median: f64| (0..replicas as usize).map(|_| Some(median + 2.0 * normal(&mut stream))).collect();
            let values: Vec<Vec<Option<f64>>> = medians.iter().map(|&median| replicas(median as f64)).collect();
            let trend = RankTrend::of(&places, &values, seed);
            let judged = judge_rank_trend("ρ", trend.as_ref().map_err(String::as_str), TOLERANCE - 1.0, 0);
            let interval = judged.contrasts[0].holds_interval.map(|ends| (ends.map(|end| end - 1.0), truth));
            Some(Outcome { verdict: Some(judged.verdict), intervals: interval.into_iter().collect(), transitions: 0 })
        })
    };
    Tuned { difference: (truth + 1.0) / TOLERANCE, at_effort: Box::new(at_effort) }
}

/// Spearman's ρ of ranks with their places.
fn correlation(ranks: &[usize]) -> f64 {
    let n = ranks.len() as f64;
    let squares: f64 = ranks.iter().enumerate().map(|(place, &rank)| (rank as f64 - place as f64).powi(2)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

/// Ranks of about a wanted ρ, not below it: the falling ones, of which neighbours are exchanged at random where that brings ρ nearer.
fn permutation(count: usize, wanted: f64) -> Vec<usize> {
    let mut ranks: Vec<usize> = (0..count).rev().collect();
    let mut stream = Stream::new(1, 1, Purpose::TrainingNoise);
    while correlation(&ranks) < wanted - 1e-12 {
        let place = stream.below(count as u32 - 1) as usize;
        if ranks[place] > ranks[place + 1] {
            ranks.swap(place, place + 1);
        }
    }
    ranks
}

const TRAINED: &str = r#"
name = "trained-curves"
experiment = "curves"
[training]
epochs = 8
look_every = 2
[scaling]
beta = [1, 2]
[test]
tolerance = 0.5
"#;

/// Whole runs at a small η, where β moves curves by much less than seeds do: the true difference is next to nothing.
fn trained(difference: f64) -> Tuned {
    let at_effort = |replicas: f64| -> Run {
        let overrides = vec![format!("ensemble.replicas={replicas}"), "sgd.learning_rate=0.01".to_owned()];
        Box::new(move |seed| {
            let loaded = load(TRAINED, &overrides, seed);
            let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
            // The seed is that of the first weights too.
            let prepared = experiment::prepare(&loaded).ok()?;
            let (findings, _) = experiment::run(&loaded, &prepared, control).ok()?;
            outcome(&findings, 0.0)
        })
    };
    Tuned { difference, at_effort: Box::new(at_effort) }
}
