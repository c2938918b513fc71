//! The gate, diagnostic by diagnostic.

use crate::markov::{Chain, random};
use sgd_sde::statistics::start_contrast::FALSE_ALARM;
use sgd_sde::statistics::{Equilibration, EquilibrationInput, Observable, StartDesign};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("basin {index}")).collect()
}

fn assess(series: &[Vec<f64>], groups: &[usize], design: StartDesign) -> Equilibration {
    let means: Vec<f64> = series.iter().map(|chain| chain.iter().sum::<f64>() / chain.len() as f64).collect();
    let observable = Observable { label: "A", series, replica_means: &means };
    Equilibration::assess(&EquilibrationInput {
        observables: &[observable],
        start_groups: &names(groups.iter().max().unwrap() + 1),
        chain_groups: groups,
        replica_groups: groups,
        design,
    })
    .unwrap()
}

/// A long run of two states passes with every diagnostic reported; seed fixed.
#[test]
fn a_well_mixed_ensemble_is_equilibrated() {
    let run = Chain::two_states(0.6, 0.9).run(&mut random(301), 32, &[0, 1], 200, 600, 50);
    let found = run.equilibration();
    assert!(found.is_equilibrated(), "{:?}", found.reasons);
    assert!(found.nested_r_hat.unwrap() < 1.01 && found.r_hat.unwrap() < 1.01);
    assert!(found.r_hat_gates, "each replica's own ESS is {:?}", found.replica_effective_sample_size);
    assert_eq!(found.effective_sample_size.len(), 2);
    assert!(found.minimum_effective_sample_size.unwrap() > 100.0);
    let contrast = found.start_contrast.unwrap();
    assert!(contrast.is_consistent_with_zero());
    assert_eq!(contrast.comparisons, 2, "two groups once, two states");
}

/// The ESS of a group is that of its own chains: 32 chains × 200 blocks of 50 steps, correlation (1 + ρ)/(1 − ρ) = 19 steps.
/// Expected: 16 chains × 10,000 steps/19 ≈ 8,400, but no more than blocks allow; checked within 30 %.
#[test]
fn the_group_ess_counts_independent_draws() {
    let run = Chain::two_states(0.5, 0.9).run(&mut random(302), 32, &[0, 1], 200, 1000, 1);
    let found = run.equilibration();
    for group in &found.effective_sample_size {
        let expected = 16.0 * 1000.0 / 19.0;
        let ratio = group.effective_sample_size / expected;
        assert!((0.7..1.3).contains(&ratio), "{group:?}, expected {expected}");
    }
}

/// The start contrast's false alarm over 4,000 equilibrated ensembles is 1e-3 each: 4 expected, more than 14 has probability
/// 2e-5. Everything else about the gate passes for these ensembles, so any bar is a false one.
#[test]
fn the_gate_seldom_bars_what_is_equilibrated() {
    let chain = Chain::two_states(0.6, 0.9);
    let mut random = random(303);
    let (mut barred, mut contrast_alarms) = (0, 0);
    for _ in 0..4000 {
        let run = chain.run(&mut random, 32, &[0, 1], 200, 60, 20);
        let found = run.equilibration();
        barred += usize::from(!found.is_equilibrated());
        contrast_alarms += usize::from(!found.start_contrast.unwrap().is_consistent_with_zero());
    }
    assert!(contrast_alarms <= 14, "{contrast_alarms} alarms at rate {FALSE_ALARM}");
    assert!(barred <= 20, "{barred} barred");
}

/// The contrast sees differences that it should: a shift of 6 standard errors is found every time (chance of a miss 1e-2 each, so
/// at most 15 misses of 500 with false failure 1e-3).
#[test]
fn the_start_contrast_has_power() {
    let chain = Chain::two_states(0.5, 0.9);
    let mut random = random(304);
    let mut missed = 0;
    for _ in 0..500 {
        let mut run = chain.run(&mut random, 60, &[0, 1], 200, 20, 60);
        let error = run.occupancies.occupancy(0).unwrap().standard_error * 2.0;
        let fractions: Vec<f64> = (0..60)
            .flat_map(|replica| {
                let shift = if run.starts[replica] == 0 { 6.0 * error } else { 0.0 };
                let p = (run.occupancies.replica(replica)[0] + shift).min(1.0);
                [p, 1.0 - p]
            })
            .collect();
        run.occupancies = sgd_sde::statistics::Occupancies::new(2, fractions).unwrap();
        let found = run.equilibration();
        let consistent = found.start_contrast.as_ref().unwrap().is_consistent_with_zero();
        missed += usize::from(consistent);
        assert_eq!(consistent, !found.reasons.iter().any(|reason| reason.contains("standard errors where")));
    }
    assert!(missed <= 15, "missed {missed} times");
}

#[test]
fn frozen_groups_have_reasons_with_all_diagnostics() {
    let series = [vec![1.0; 10], vec![1.0; 10], vec![0.0; 10], vec![0.0; 10]];
    let found = assess(&series, &[0, 0, 1, 1], StartDesign::SeveralGroups);
    assert!(!found.is_equilibrated());
    assert_eq!((found.nested_r_hat, found.r_hat), (None, None), "infinite R̂ is not written as a number");
    assert_eq!(found.minimum_effective_sample_size, Some(0.0));
    for part in ["nested R̂", "never changed", "without any spread"] {
        assert!(found.reasons.iter().any(|reason| reason.contains(part)), "{part}: {:?}", found.reasons);
    }
    // What is written can be read back.
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Equilibration>(&text).unwrap(), found);
}

#[test]
fn one_start_group_is_refused_unless_there_is_only_one_region() {
    let run = Chain::two_states(0.5, 0.5).run(&mut random(305), 16, &[0], 100, 100, 20);
    let groups = vec![0; 16];
    let several = assess(&run.series[0], &groups, StartDesign::SeveralGroups);
    assert!(several.reasons.iter().any(|reason| reason.contains("started in the same place")), "{:?}", several.reasons);
    let one = assess(&run.series[0], &groups, StartDesign::OneRegion);
    assert!(one.is_equilibrated(), "{:?}", one.reasons);
    assert_eq!(one.start_contrast.unwrap().group, "the later half");
    // A drift is seen.
    let drifting: Vec<Vec<f64>> = run.series[0]
        .iter()
        .map(|chain| chain.iter().enumerate().map(|(t, v)| v + t as f64 * 0.01).collect())
        .collect();
    let one = assess(&drifting, &groups, StartDesign::OneRegion);
    assert!(one.reasons.iter().any(|reason| reason.contains("the earlier half")), "{:?}", one.reasons);
    // And nothing moving at all is no equilibrium.
    let still = assess(&vec![vec![1.0; 10]; 16], &groups, StartDesign::OneRegion);
    assert!(still.reasons[0].contains("nothing changed"), "{:?}", still.reasons);
}

/// Ordinary R̂ gates where each replica's own ESS allows it: long chains of which one sits elsewhere, spread evenly over the start
/// groups, so that nested R̂ sees nothing.
#[test]
fn ordinary_r_hat_gates_only_long_replicas() {
    let run = Chain::two_states(0.5, 0.5).run(&mut random(306), 16, &[0, 1], 100, 400, 4);
    let mut series = run.series[0].clone();
    for chain in [0, 1] {
        series[chain].iter_mut().for_each(|value| *value += 0.6);
    }
    let found = assess(&series, &run.starts, StartDesign::SeveralGroups);
    assert!(found.r_hat_gates);
    assert!(found.reasons.iter().any(|reason| reason.starts_with("R̂ = ")), "{:?}", found.reasons);
    let short: Vec<Vec<f64>> = series.iter().map(|chain| chain[..60].to_vec()).collect();
    let found = assess(&short, &run.starts, StartDesign::SeveralGroups);
    assert!(!found.r_hat_gates && found.r_hat.unwrap() > 1.01);
    assert!(!found.reasons.iter().any(|reason| reason.starts_with("R̂ = ")), "{:?}", found.reasons);
}

#[test]
fn too_small_an_effective_sample_says_how_much_more() {
    // 2 chains per group of 12 alternating blocks: nothing wrong but the number of draws.
    let chain = |phase: usize| -> Vec<f64> { (0..12).map(|t| f64::from(((t * 7 + phase) % 5) as u32)).collect() };
    let series: Vec<Vec<f64>> = (0..4).map(chain).collect();
    let found = assess(&series, &[0, 1, 0, 1], StartDesign::SeveralGroups);
    let reason = found.reasons.iter().find(|reason| reason.contains("effective sample size")).unwrap();
    assert!(reason.contains("below 100") && reason.contains("× as many steps"), "{reason}");
}

#[test]
fn malformed_input_is_an_error() {
    let series = vec![vec![0.0, 1.0, 0.0, 1.0]; 4];
    let means = [0.5; 4];
    let groups = names(2);
    let input = |series: &[Vec<f64>], means: &[f64], chains: &[usize], replicas: &[usize]| {
        Equilibration::assess(&EquilibrationInput {
            observables: &[Observable { label: "A", series, replica_means: means }],
            start_groups: &groups,
            chain_groups: chains,
            replica_groups: replicas,
            design: StartDesign::SeveralGroups,
        })
    };
    let good = [0, 0, 1, 1];
    assert!(input(&series, &means, &good, &good).is_ok());
    assert!(input(&series, &means, &[0, 0, 1], &good).is_err());
    assert!(input(&series, &means[..3], &good, &good).is_err());
    assert!(input(&series, &means, &[0, 0, 1, 2], &good).is_err());
    assert!(input(&series, &means, &[0, 0, 0, 0], &good).is_err());
    assert!(input(&vec![vec![0.0, 1.0, 0.0]; 4], &means, &good, &good).is_err());
    assert!(input(&series, &[0.5, 0.5, f64::NAN, 0.5], &good, &good).is_err());
    assert!(input(&[], &means, &[], &good).is_err());
    // One replica in a group: no error bar for the start contrast, so no equilibrium, with the reason.
    let lonely = input(&series, &[0.4, 0.6, 0.5, 0.5], &[0, 0, 0, 1], &[0, 0, 0, 1]).unwrap();
    assert!(lonely.reasons.iter().any(|reason| reason.contains("at least 2 are needed")), "{:?}", lonely.reasons);
}

/// Chains of 200 draws that alternate between ±1 about their group's mean: W = 200/199, and B chosen for the R̂ wanted.
/// Nested R̂ is bound to 1.01 exactly: 1.005 passes, 1.02 and 1.09 are named. Where transitions are counted it is shown alone.
#[test]
fn nested_r_hat_gates_at_its_threshold() {
    for (wanted, passes) in [(1.005_f64, true), (1.02, false), (1.09, false)] {
        let within = 200.0 / 199.0;
        // Two superchains d apart have B = d²/2.
        let apart = (2.0 * (wanted * wanted - 1.0) * within).sqrt();
        let chain = |group: usize, phase: usize| -> Vec<f64> {
            (0..200)
                .map(|t| group as f64 * apart + if (t + phase).is_multiple_of(2_usize) { 1.0 } else { -1.0 })
                .collect()
        };
        let groups = [0, 1, 0, 1, 0, 1, 0, 1];
        let series: Vec<Vec<f64>> = groups.iter().enumerate().map(|(index, &group)| chain(group, index / 2)).collect();
        let found = assess(&series, &groups, StartDesign::SeveralGroups);
        assert!((found.nested_r_hat.unwrap() - wanted).abs() < 1e-12, "{:?}", found.nested_r_hat);
        let named = found.reasons.iter().any(|reason| reason.starts_with("nested R̂"));
        assert_eq!(named, !passes, "nested R̂ = {wanted}: {:?}", found.reasons);
        let counted = assess(&series, &groups, StartDesign::CountedGroups);
        assert_eq!(counted.nested_r_hat, found.nested_r_hat);
        assert!(!counted.reasons.iter().any(|reason| reason.starts_with("nested R̂")), "{:?}", counted.reasons);
    }
}
