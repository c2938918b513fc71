//! Two results side by side.

use sgd_sde::comparison::{Comparison, Difference};
use sgd_sde::findings::{Findings, GroupRecord, MeasureRecord};
use sgd_sde::report;
use sgd_sde::statistics::{LeftOut, Verdict};

use crate::fixture;

/// The double well, and the same measured with another seed by so much more, and with twice the error.
fn pair(shift: f64) -> (Findings, Findings) {
    let a = fixture::double_well().findings;
    let mut b = a.clone();
    b.scenario.seed = 2;
    for contrast in b.claims.iter_mut().flat_map(|claim| &mut claim.contrasts) {
        contrast.measured = contrast.measured.map(|value| value + shift);
        contrast.standard_error = contrast.standard_error.map(|error| 2.0 * error);
    }
    (a, b)
}

fn only(comparison: &Comparison) -> &Difference {
    assert_eq!(comparison.contrasts.len(), 1, "the claims are about one measured quantity: {comparison:?}");
    &comparison.contrasts[0]
}

#[test]
fn errors_add_in_squares() {
    let (a, b) = pair(0.03);
    let comparison = Comparison::of(&a, &b, None);
    let found = only(&comparison);
    let error = a.claims[0].contrasts[0].standard_error.unwrap();
    assert_eq!(found.claims, ["occupancy-laplace", "occupancy-gibbs", "occupancy-discrete"]);
    assert!((found.difference - 0.03).abs() < 1e-12 && found.verdict.is_none());
    assert!((found.standard_error - error * 5.0_f64.sqrt()).abs() < 1e-12, "{}", found.standard_error);
    // 127 degrees of freedom each, Welch: 25/(1/127 + 16/127) = 186.8; t(0.975) = 1.9728.
    let [lower, upper] = found.interval.unwrap();
    assert!(((upper - lower) / 2.0 / found.standard_error - 1.9728).abs() < 1e-3, "{found:?}");
    assert!(comparison.independent && comparison.warnings.is_empty());
    assert_eq!(comparison.occupancies.len(), 3);
    assert!(comparison.only_in_a.is_empty() && comparison.only_in_b.is_empty());
    let keys: Vec<&str> = comparison.settings.iter().map(|setting| setting.key.as_str()).collect();
    assert_eq!(keys, ["seed"]);
}

/// Groups in training have no diagnostics, but replicas that diverge and means that leave some out.
#[test]
fn what_groups_leave_out_bars_differences() {
    let group = |diverged: u64, undefined: u64| GroupRecord {
        name: "β = 2".into(),
        learning_rate: 0.1,
        batch_size: 2,
        noise_scale: 0.05,
        replicas: 128,
        steps: 10,
        diverged: Some(diverged),
        diverged_replicas: Vec::new(),
        looks: Vec::new(),
        measures: vec![MeasureRecord {
            quantity: "L".into(),
            measured: 1.0,
            standard_error: 0.1,
            interval: None,
            left_out: Some(LeftOut { of: 128, lost: diverged, undefined }).filter(|left_out| left_out.count() > 0),
        }],
    };
    let found = |shift: f64, groups: Vec<GroupRecord>| {
        let (mut a, mut b) = pair(shift);
        (a.diagnostics, b.diagnostics, b.groups) = (None, None, groups);
        let comparison = Comparison::of(&a, &b, Some(0.1));
        let difference = only(&comparison).clone();
        (difference.verdict.unwrap(), difference.reason.unwrap(), comparison.warnings.join("; "), comparison.all_hold())
    };
    assert!(found(0.0, vec![group(0, 0)]).3);
    for (shift, [diverged, undefined], told) in [
        (0.0, [3, 0], "3 of 128 replicas (3 diverged)"),
        (0.4, [3, 0], "3 of 128 replicas (3 diverged)"),
        (0.4, [0, 5], "5 of 128 replicas (5 without a number)"),
    ] {
        let (verdict, reason, warnings, all_hold) = found(shift, vec![group(0, 0), group(diverged, undefined)]);
        assert_eq!((verdict, all_hold), (Verdict::Undetermined, false), "{reason}");
        assert!(reason.contains(told) && warnings.contains(told), "{reason}: {warnings}");
    }
}

/// A contrast that one result could not measure is no agreement.
#[test]
fn what_only_one_could_measure_does_not_hold() {
    let (a, mut b) = pair(0.0);
    for claim in &mut b.claims[1..] {
        claim.contrasts[0].measured = None;
    }
    for (a, b) in [(&a, &b), (&b, &a)] {
        let comparison = Comparison::of(a, b, Some(0.1));
        assert_eq!(only(&comparison).verdict, Some(Verdict::Holds));
        assert!(!comparison.all_hold() && comparison.unmeasured.len() == 2, "{:?}", comparison.unmeasured);
        assert!(report::compare(&comparison).contains("Not measured in both"), "{}", report::compare(&comparison));
    }
}

#[test]
fn differences_are_judged_by_the_three_way_rule() {
    let verdict = |shift: f64, tolerance: f64| {
        let (a, b) = pair(shift);
        let comparison = Comparison::of(&a, &b, Some(tolerance));
        assert_eq!(comparison.all_hold(), only(&comparison).verdict == Some(Verdict::Holds));
        (only(&comparison).verdict.unwrap(), only(&comparison).reason.clone().unwrap())
    };
    // The errors are 0.01 and 0.02: 90 % is ±0.037.
    assert_eq!(verdict(0.0, 0.1).0, Verdict::Holds);
    assert_eq!(verdict(0.0, 0.03).0, Verdict::Undetermined);
    assert_eq!(verdict(0.4, 0.1).0, Verdict::Rejected);
    assert!(verdict(0.4, 0.1).1.starts_with("B − A = 0.4"), "{}", verdict(0.4, 0.1).1);
    // What bars a verdict on a result bars one on differences with it.
    let (a, mut b) = pair(0.0);
    b.diagnostics.as_mut().unwrap().reasons = vec!["nested R̂ = 1.2".into()];
    let comparison = Comparison::of(&a, &b, Some(0.1));
    assert_eq!(only(&comparison).verdict, Some(Verdict::Undetermined));
}

#[test]
fn runs_of_one_seed_are_not_independent() {
    let (a, mut b) = pair(0.0);
    b.scenario.seed = 1;
    b.scenario.sgd.as_mut().unwrap().learning_rate = 0.06;
    let comparison = Comparison::of(&a, &b, Some(0.1));
    assert!(!comparison.independent && comparison.warnings[0].contains("not independent"), "{:?}", comparison.warnings);
    assert_eq!(only(&comparison).verdict, Some(Verdict::Undetermined));
    let text = report::compare(&comparison);
    assert!(text.contains("sgd.learning_rate  0.05  0.06") && text.contains("not valid"), "{text}");
}

#[test]
fn quantities_are_matched_by_name_and_if_need_be_turned() {
    let (a, mut b) = pair(0.0);
    for contrast in b.claims.iter_mut().flat_map(|claim| &mut claim.contrasts) {
        contrast.quantity = "ln(p_B/p_A)".into();
        contrast.measured = contrast.measured.map(|value| -value - 0.05);
    }
    b.claims.remove(2);
    b.occupancy.remove(2);
    b.occupancy[1].minimum = "C".into();
    let comparison = Comparison::of(&a, &b, None);
    let found = comparison.contrasts.iter().find(|found| found.claims.len() == 2).unwrap();
    assert_eq!(found.quantity, "ln(p_A/p_B)");
    assert!((found.difference - 0.05).abs() < 1e-12, "{found:?}");
    assert_eq!(comparison.only_in_a, ["p_B", "p_other", "ln(p_A/p_B)"]);
    assert_eq!(comparison.only_in_b, ["p_C"]);
}

#[test]
fn a_letter_that_stands_for_another_place_is_told() {
    let (a, mut b) = pair(0.0);
    b.minima[1].theta[0] += 1e-9;
    assert!(Comparison::of(&a, &b, None).warnings.is_empty());
    b.minima[1].theta[0] += 0.1;
    let warnings = Comparison::of(&a, &b, None).warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("minimum B lies at"), "{warnings:?}");
}

#[test]
fn the_text_is_no_wider_than_a_terminal() {
    for (a, b) in [pair(0.03), pair(-3.0)] {
        let text = report::compare(&Comparison::of(&a, &b, Some(0.1)));
        for line in text.lines() {
            assert!(line.chars().count() <= 100 && line == line.trim_end(), "{line}");
        }
    }
}
