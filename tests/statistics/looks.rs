//! Runs that are continued until their question is settled, at most four looks, on a Markov chain: how often is the verdict
//! false, and how often does the final nominal 95 % interval cover the truth?
//!
//! Two states, p = 0.7, correlation time 20 steps, 64 replicas of 2,000 steps a look: SE(log-odds) ≈ 0.0381 at the first look.

use sgd_sde::statistics::planning::steps_for;
use sgd_sde::statistics::{Contrast, Estimate, Evidence, Look, Occupancies, Verdict, judge};

use crate::markov::{Chain, Random, random};

const REPEATS: usize = 2000;
const REPLICAS: usize = 64;
const LOOKS: usize = 4;
/// Blocks of 100 steps in each look.
const BLOCKS: usize = 20;
const TRUTH: f64 = 0.847_297_860_387_203_7; // ln(0.7/0.3)
/// √((1 + ρ)/(1 − ρ)/(steps·R·p(1 − p))), ρ = 0.95.
const FIRST_ERROR: f64 = 0.038_09;

/// The log-odds of a run after each look.
fn looks(random: &mut Random) -> Vec<Estimate> {
    let run = Chain::two_states(0.7, 0.95).run(random, REPLICAS, &[0, 1], 400, LOOKS * BLOCKS, 100);
    let after = |look: usize| {
        let blocks = look * BLOCKS;
        let fractions = run.series[0].iter().flat_map(|series| {
            let mean = series[..blocks].iter().sum::<f64>() / blocks as f64;
            [mean, 1.0 - mean]
        });
        Occupancies::new(2, fractions.collect()).unwrap().log_odds(0, 1).unwrap()
    };
    (1..=LOOKS).map(after).collect()
}

/// The verdict and the estimate at the look that settles it, or at the last. The prediction is off by `difference`.
fn settled(looks: &[Estimate], tolerance: f64, difference: f64) -> (Verdict, Estimate) {
    let mut last = None;
    for (index, estimate) in looks.iter().enumerate() {
        let contrast = Contrast {
            label: "ln(p_A/p_B)".into(),
            predicted: TRUTH - difference,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: Some(estimate.clone()),
        };
        let look = Look::new(index as u32 + 1).unwrap();
        let verdict = judge(&[contrast], tolerance, &Evidence::without_equilibrium(0).at_look(look)).verdict;
        last = Some((verdict, estimate.clone()));
        if verdict != Verdict::Undetermined {
            break;
        }
    }
    last.unwrap()
}

#[derive(Debug, Default)]
struct Tally {
    covered: usize,
    holds: usize,
    rejected: usize,
}

fn tally(runs: &[Vec<Estimate>], tolerance: f64, difference: f64) -> Tally {
    let mut tally = Tally::default();
    for looks in runs {
        let (verdict, estimate) = settled(looks, tolerance, difference);
        let [lower, upper] = estimate.interval(0.95).unwrap();
        tally.covered += usize::from(lower <= TRUTH && TRUTH <= upper);
        tally.holds += usize::from(verdict == Verdict::Holds);
        tally.rejected += usize::from(verdict == Verdict::Rejected);
    }
    tally
}

/// False failure below 1e-6 in all: every bound is at least 4.9 standard deviations from what the rule gives with normal
/// estimates (simulated apart from this program: coverage 0.957, 0.905 to 0.91 and 0.95; false HOLDS 0.067, false REJECTED 0.036).
#[test]
fn continuing_until_settled_keeps_its_error_rates() {
    let mut random = random(120);
    let runs: Vec<Vec<Estimate>> = (0..REPEATS).map(|_| looks(&mut random)).collect();
    // Four looks are what 90 % power asks for: ε = 3.29·SE/√4.
    let tolerance = 1.645 * FIRST_ERROR;

    let exact = tally(&runs, tolerance, 0.0);
    assert!((1850..=1960).contains(&exact.covered), "{exact:?}");
    assert!(exact.rejected <= 20 && exact.holds > 1000, "{exact:?}");
    // Where every run ends by a false verdict or not at all, nominal intervals cover less: told in looks.rs and in the note.
    let edge = tally(&runs, tolerance, tolerance);
    assert!((1740..=1900).contains(&edge.covered), "{edge:?}");
    let far = tally(&runs, tolerance, 2.0 * tolerance);
    assert!((1850..=1950).contains(&far.covered) && far.holds <= 20, "{far:?}");

    // The worst case of an error rate: the true difference is ε itself, and ε is wide enough for intervals to fit inside.
    let wide = 5.0 * FIRST_ERROR;
    let worst = tally(&runs, wide, wide);
    // 5 %·(1 + ½ + ¼ + ⅛) = 9.4 % is the bound on false HOLDS: 187 of 2,000.
    assert!(worst.holds <= 187, "{worst:?}");
    // 2.5 %·(1 + ½ + ¼ + ⅛) = 4.7 % bounds false REJECTED on one side: 93, and 116 with room for chance.
    assert!(worst.rejected <= 116, "{worst:?}");
}

/// Each look by itself covers as declared, whatever its number: nothing of the earlier looks is lost or counted twice. False
/// failure below 1e-5 for all four looks.
#[test]
fn a_fixed_number_of_looks_covers_as_declared() {
    let mut random = random(121);
    let mut covered = [0; LOOKS];
    for _ in 0..REPEATS {
        for (covered, estimate) in covered.iter_mut().zip(looks(&mut random)) {
            let [lower, upper] = estimate.interval(0.95).unwrap();
            *covered += usize::from(lower <= TRUTH && TRUTH <= upper);
        }
    }
    assert!(covered.iter().all(|count| (1850..=1945).contains(count)), "{covered:?}");
}

/// A main run whose length a pilot planned covers as declared, and reaches the target. False failure below 5e-6: coverage
/// 1,850–1,945; the plan suffices in 90 % of repeats by design, held to 84–95 % (6 standard deviations).
#[test]
fn a_planned_run_covers_as_declared_and_reaches_its_target() {
    const TARGET: f64 = 0.03;
    let chain = Chain::two_states(0.7, 0.95);
    let mut random = random(122);
    let (mut covered, mut sufficed) = (0, 0);
    for _ in 0..REPEATS {
        let pilot = chain.run(&mut random, 32, &[0, 1], 400, 40, 100).occupancies.log_odds(0, 1).unwrap();
        let steps = steps_for(TARGET, 4_000.0, pilot.standard_error, pilot.degrees_of_freedom).unwrap();
        let blocks = (steps / 100.0).ceil() as usize;
        let main = chain.run(&mut random, 32, &[0, 1], 400, blocks, 100).occupancies.log_odds(0, 1).unwrap();
        let [lower, upper] = main.interval(0.95).unwrap();
        covered += usize::from(lower <= TRUTH && TRUTH <= upper);
        let true_error = (39.0 / (blocks as f64 * 100.0 * 32.0 * 0.21)).sqrt();
        sufficed += usize::from(true_error <= TARGET);
    }
    assert!((1850..=1945).contains(&covered), "{covered}");
    assert!((1680..=1900).contains(&sufficed), "{sufficed}");
}

/// The table of `statistics::looks`, where it is lowest: ε of 3.5 first standard errors, a true difference of 1.03 ε, normal estimates. What
/// intervals cover when a run is continued until it is settled, at most so many times, and that the interval at the look's own level covers
/// at least 92.9 %. False failure below 1e-5: five standard deviations on either side.
#[test]
fn coverage_falls_with_the_number_of_looks_as_is_told() {
    let mut random = random(122);
    let (tolerance, difference) = (3.5, 1.03 * 3.5);
    for (most, expected) in [(1, 0.948), (2, 0.918), (4, 0.897), (5, 0.889), (20, 0.877)] {
        let (mut covered, mut at_its_level) = (0, 0);
        for _ in 0..REPEATS {
            let (mut sum, mut number) = (0.0, 0);
            let (estimate, look) = loop {
                number += 1;
                sum += difference + crate::laws::normal(&mut random);
                let count = f64::from(number);
                let estimate = Estimate::with_known_error(sum / count, 1.0 / count.sqrt());
                let contrast = Contrast {
                    label: "x".into(),
                    predicted: 0.0,
                    predicted_standard_error: 0.0,
                    predicted_bound: 0.0,
                    measured: Some(estimate.clone()),
                };
                let look = Look::new(number).unwrap();
                let verdict = judge(&[contrast], tolerance, &Evidence::default().at_look(look)).verdict;
                if verdict != Verdict::Undetermined || number == most {
                    break (estimate, look);
                }
            };
            let covers = |level: f64| {
                let [low, high] = estimate.interval(level).unwrap();
                usize::from(low <= difference && difference <= high)
            };
            covered += covers(0.95);
            at_its_level += covers(look.rejected_level());
        }
        let share = covered as f64 / REPEATS as f64;
        assert!((share - expected).abs() < 0.04, "{most} looks: {share} covered, {expected} told");
        assert!(at_its_level as f64 / REPEATS as f64 > 0.929 - 0.028, "{most} looks: {at_its_level} at its level");
    }
}
