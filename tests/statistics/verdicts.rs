//! The rules of the verdict, each at its edge. No randomness.

use sgd_sde::statistics::special::{normal_cdf, normal_quantile, student_t_quantile, student_t_survival};
use sgd_sde::statistics::*;

fn contrast(difference: f64, standard_error: f64) -> Contrast {
    let measured = Estimate { value: 1.0 + difference, standard_error, degrees_of_freedom: 9.0 };
    Contrast {
        label: "ln(p_B/p_A)".into(),
        predicted: 1.0,
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured: Some(measured),
    }
}

fn verdict(contrasts: &[Contrast]) -> Verdict {
    judge(contrasts, 0.1, &Evidence::default()).verdict
}

/// 90 % and 95 % quantiles at 9 degrees of freedom, from published tables.
const T_90: f64 = 1.833_112_932_656_237;
const T_95: f64 = 2.262_157_162_798_205;

#[test]
fn holds_exactly_if_the_90_percent_interval_is_inside() {
    let error = 0.1 / T_90;
    assert_eq!(verdict(&[contrast(0.0, error * 0.9999)]), Verdict::Holds);
    assert_eq!(verdict(&[contrast(0.0, error * 1.0001)]), Verdict::Undetermined);
    assert_eq!(verdict(&[contrast(-0.05, error * 0.4999)]), Verdict::Holds);
    assert_eq!(verdict(&[contrast(-0.05, error * 0.5001)]), Verdict::Undetermined);
    // All contrasts must hold; with many of them the interval stays 90 %.
    assert_eq!(verdict(&vec![contrast(0.0, error * 0.9999); 20]), Verdict::Holds);
    assert_eq!(verdict(&[contrast(0.0, 1e-3), contrast(0.0, error * 1.0001)]), Verdict::Undetermined);
}

#[test]
fn rejected_exactly_if_a_corrected_95_percent_interval_is_outside() {
    for sign in [1.0, -1.0] {
        assert_eq!(verdict(&[contrast(sign * 0.3, 0.2 / T_95 * 0.9999)]), Verdict::Rejected);
        assert_eq!(verdict(&[contrast(sign * 0.3, 0.2 / T_95 * 1.0001)]), Verdict::Undetermined);
    }
    // Four contrasts: 98.75 % intervals, t₉(0.99375) instead of t₉(0.975).
    let corrected = student_t_quantile(0.99375, 9.0);
    assert!((corrected - 3.110_9).abs() < 0.01);
    let others = [contrast(0.0, 1e-3), contrast(0.0, 1e-3), contrast(0.0, 1e-3)];
    let with = |error: f64| [&others[..], &[contrast(0.3, error)]].concat();
    assert_eq!(verdict(&with(0.2 / corrected * 0.9999)), Verdict::Rejected);
    assert_eq!(verdict(&with(0.2 / corrected * 1.0001)), Verdict::Undetermined);
}

#[test]
fn an_interval_just_outside_zero_is_no_rejection() {
    // Significantly different from the prediction, but within the tolerance: that HOLDS.
    assert_eq!(verdict(&[contrast(0.05, 1e-4)]), Verdict::Holds);
    // Not significantly different, but too uncertain: never HOLDS.
    assert_eq!(verdict(&[contrast(0.0, 1.0)]), Verdict::Undetermined);
}

#[test]
fn the_error_of_the_prediction_counts() {
    let mut uncertain = contrast(0.0, 0.03);
    assert_eq!(verdict(std::slice::from_ref(&uncertain)), Verdict::Holds);
    uncertain.predicted_standard_error = 0.08;
    let judgement = judge(&[uncertain], 0.1, &Evidence::default());
    assert_eq!(judgement.verdict, Verdict::Undetermined);
    let difference = judgement.contrasts[0].difference.as_ref().unwrap();
    assert!((difference.standard_error - 0.0073_f64.sqrt()).abs() < 1e-15);
    // No run makes the prediction's error smaller: no effort settles it.
    assert_eq!(judgement.effort.unwrap(), EffortToSettle { if_as_measured: None, if_exactly_true: None });
    assert!(judgement.reason.contains("no effort of reason"), "{}", judgement.reason);
}

/// Replicas without a number make of the others a selection, by which nothing is shown or refuted.
#[test]
fn a_reason_bars_any_verdict() {
    for mean in [0.0, 5.0] {
        let mut judgement = judge(&[contrast(mean, 0.01)], 0.1, &Evidence::default());
        assert_ne!(judgement.verdict, Verdict::Undetermined);
        judgement.bar_any_verdict("3 of 16 pairs are left out");
        assert_eq!((judgement.verdict, judgement.rejection_p_value), (Verdict::Undetermined, None));
        assert!(judgement.reason.starts_with("3 of 16 pairs are left out; without that: "), "{}", judgement.reason);
        assert_eq!(scenario_verdict(&mut [&mut judgement]), Verdict::Undetermined);
    }
}

#[test]
fn what_bars_a_verdict() {
    let good = contrast(0.0, 0.01);
    let bad = contrast(5.0, 0.01);
    let unequal = Evidence { not_equilibrated: vec!["nested R̂ = 1.2".into()], ..Evidence::default() };
    for contrast in [&good, &bad] {
        let judgement = judge(std::slice::from_ref(contrast), 0.1, &unequal);
        assert_eq!(judgement.verdict, Verdict::Undetermined);
        assert_eq!(judgement.reason, "not equilibrated: nested R̂ = 1.2");
        assert_eq!((judgement.rejection_p_value, judgement.effort), (None, None));
    }
    // Divergence bars HOLDS and only HOLDS.
    let diverged = Evidence::without_equilibrium(3);
    let judgement = judge(std::slice::from_ref(&good), 0.1, &diverged);
    assert_eq!(judgement.verdict, Verdict::Undetermined);
    assert!(judgement.reason.contains("3 replica(s) diverged"), "{}", judgement.reason);
    assert_eq!(judge(std::slice::from_ref(&bad), 0.1, &diverged).verdict, Verdict::Rejected);
    // No estimate, beside one that would reject.
    let unvisited = Contrast { measured: None, ..good.clone() };
    let judgement = judge(&[bad.clone(), unvisited], 0.1, &Evidence::default());
    assert_eq!(judgement.verdict, Verdict::Undetermined);
    assert!(judgement.reason.contains("never visited"), "{}", judgement.reason);
    // Replicas that agree to the last bit have an unknown error; an exact number has none.
    assert_eq!(verdict(&[contrast(0.0, 0.0)]), Verdict::Undetermined);
    let exact = |value: f64| Contrast { measured: Some(Estimate::exact(value)), ..good.clone() };
    assert_eq!(verdict(&[exact(1.05)]), Verdict::Holds);
    assert_eq!(verdict(&[exact(1.15)]), Verdict::Rejected);
    // Nonsense is no verdict, and no panic.
    assert_eq!(verdict(&[]), Verdict::Undetermined);
    assert_eq!(verdict(&[contrast(f64::NAN, 0.1)]), Verdict::Undetermined);
    assert_eq!(verdict(&[contrast(0.0, f64::INFINITY)]), Verdict::Undetermined);
    assert_eq!(verdict(&[Contrast { predicted: f64::INFINITY, ..good.clone() }]), Verdict::Undetermined);
    assert_eq!(verdict(&[Contrast { predicted_standard_error: f64::NAN, ..good.clone() }]), Verdict::Undetermined);
    for tolerance in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let judgement = judge(std::slice::from_ref(&good), tolerance, &Evidence::default());
        assert_eq!(judgement.verdict, Verdict::Undetermined);
        assert!(judgement.reason.contains("must be positive"));
    }
}

#[test]
fn the_p_value_is_of_both_tails_against_the_whole_tolerance() {
    let p = |contrasts: &[Contrast]| judge(contrasts, 0.1, &Evidence::default()).rejection_p_value.unwrap();
    // t = 2.2622 beyond the tolerance: 2.5 %, and the other end of it is 4 standard errors further.
    let far = student_t_survival(T_95 + 4.0, 9.0);
    assert!((p(&[contrast(-0.1 - T_95 * 0.05, 0.05)]) - 0.025 - far).abs() < 1e-12);
    assert!((p(&[contrast(0.1 + T_95 * 0.05, 0.05), contrast(0.0, 0.05)]) - 0.05 - 2.0 * far).abs() < 1e-12);
    assert!((p(&[contrast(0.1, 0.05)]) - 0.5 - student_t_survival(4.0, 9.0)).abs() < 1e-12);
    // ε of nothing beside the error: twice one side.
    assert!((p(&[contrast(T_95 * 1e6, 1e6)]) - 0.05).abs() < 1e-6);
    assert_eq!(p(&[contrast(0.0, 1e-3), contrast(0.0, 1e-3)]), 1.0);
}

#[test]
fn what_would_settle_it() {
    let effort = |difference: f64, error: f64| judge(&[contrast(difference, error)], 0.1, &Evidence::default()).effort;
    let margin = 2.0 * normal_quantile(0.95);
    // Inside: (3.29·SE/(ε − |d|))², and with d = 0 the least.
    let found = effort(0.02, 0.06).unwrap();
    assert!((found.if_as_measured.unwrap() - (margin * 0.06 / 0.08) * (margin * 0.06 / 0.08)).abs() < 1e-9);
    assert!((found.if_exactly_true.unwrap() - (margin * 0.6) * (margin * 0.6)).abs() < 1e-9);
    // Beyond: enough to reject, (z₀.₉₇₅ + z₀.₉)·SE/(|d| − ε).
    let found = effort(-0.2, 0.1).unwrap();
    let reject = (normal_quantile(0.975) + normal_quantile(0.9)) * 0.1 / 0.1;
    assert!((found.if_as_measured.unwrap() - reject * reject).abs() < 1e-9);
    // Among ten claims, far beyond a small ε, both tails count: Φ̄(c) + Φ̄(c + 2ε/SE) = 0.5 %, SE being (|d| − ε)/(c + z₀.₉).
    let mut claims: Vec<Judgement> =
        (0..10).map(|_| judge(&[contrast(0.0, 1e-3)], 0.1, &Evidence::default())).collect();
    claims[0] = judge(&[contrast(2.7, 1.1)], 0.1, &Evidence::default());
    assert_eq!(claims[0].verdict, Verdict::Rejected);
    scenario_verdict(&mut claims.iter_mut().collect::<Vec<_>>());
    let wanted = 1.1 / claims[0].effort.as_ref().unwrap().if_as_measured.unwrap().sqrt();
    let c = 2.6 / wanted - normal_quantile(0.9);
    assert!((normal_cdf(-c) + normal_cdf(-c - 0.2 / wanted) - 0.005).abs() < 1e-6, "{c}");
    // At the edge: no effort, and the reason says so.
    let edge = judge(&[contrast(0.1001, 0.02)], 0.1, &Evidence::default());
    assert_eq!(edge.effort.as_ref().unwrap().if_as_measured, None);
    assert!(edge.reason.contains("too near the tolerance"), "{}", edge.reason);
    // A settled claim has none.
    assert_eq!(effort(0.0, 0.01), None);
    assert_eq!(effort(1.0, 0.01), None);
}

#[test]
fn holm_by_hand() {
    // 0.01 ≤ 0.05/4, 0.013 ≤ 0.05/3, 0.03 > 0.05/2: the fourth is not looked at.
    assert_eq!(holm(&[0.03, 0.01, 0.013, 0.035], 0.05), [false, true, true, false]);
    assert_eq!(holm(&[0.0126; 4], 0.05), [false; 4]);
    assert_eq!(holm(&[0.05], 0.05), [true]);
    assert_eq!(holm(&[f64::NAN, 0.02], 0.05), [false, true]);
    assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
}

#[test]
fn the_verdict_of_a_scenario() {
    let evidence = Evidence::default();
    let holds = || judge(&[contrast(0.0, 0.01)], 0.1, &evidence);
    let rejected = || judge(&[contrast(1.0, 0.01)], 0.1, &evidence);
    let undetermined = || judge(&[contrast(0.0, 1.0)], 0.1, &evidence);
    let combine = |mut judgements: Vec<Judgement>| scenario_verdict(&mut judgements.iter_mut().collect::<Vec<_>>());
    assert_eq!(combine(vec![holds(), holds()]), Verdict::Holds);
    assert_eq!(combine(vec![holds(), undetermined()]), Verdict::Undetermined);
    assert_eq!(combine(vec![holds(), undetermined(), rejected()]), Verdict::Rejected);
    assert_eq!(combine(vec![]), Verdict::Undetermined);
}

#[test]
fn a_rejection_among_many_claims_must_survive_holm() {
    let evidence = Evidence::default();
    // One-sided p = 0.02: rejected alone, but not among three (0.05/3 = 0.0167).
    let t = student_t_quantile(0.98, 9.0);
    let mut borderline = judge(&[contrast(0.1 + t * 0.05, 0.05)], 0.1, &evidence);
    assert_eq!(borderline.verdict, Verdict::Rejected);
    assert_eq!(scenario_verdict(&mut [&mut borderline]), Verdict::Rejected);
    let (mut first, mut second) =
        (judge(&[contrast(0.0, 0.01)], 0.1, &evidence), judge(&[contrast(0.0, 0.01)], 0.1, &evidence));
    let scenario = scenario_verdict(&mut [&mut first, &mut borderline, &mut second]);
    assert_eq!(scenario, Verdict::Undetermined);
    assert_eq!(borderline.verdict, Verdict::Undetermined);
    assert!(borderline.reason.contains("Holm's correction over 3 primary claims"), "{}", borderline.reason);
    assert!(borderline.effort.unwrap().if_as_measured.unwrap() > 1.0);
}

#[test]
fn verdicts_are_written_and_read() {
    for (verdict, word) in
        [(Verdict::Holds, "holds"), (Verdict::Rejected, "rejected"), (Verdict::Undetermined, "undetermined")]
    {
        assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{word}\""));
        assert_eq!(word.parse::<Verdict>().unwrap(), verdict);
        assert_eq!(verdict.to_string(), word.to_uppercase());
    }
    assert!("HOLDS".parse::<Verdict>().is_err());
    let judgement = judge(&[contrast(0.02, 0.05)], 0.1, &Evidence::default());
    let text = serde_json::to_string(&judgement).unwrap();
    let read = serde_json::from_str::<Judgement>(&text).unwrap();
    // Not the last bits: serde_json reads floats exactly only with its feature `float_roundtrip`.
    assert_eq!((read.verdict, &read.reason), (judgement.verdict, &judgement.reason));
    assert_eq!(read.contrasts.len(), 1);
    let (read, written) = (read.effort.unwrap(), judgement.effort.unwrap());
    assert!((read.if_as_measured.unwrap() - written.if_as_measured.unwrap()).abs() < 1e-12);
}

/// The second look has half of the declared error rates: 95 % must lie inside where 90 % had to, 97.5 % outside.
#[test]
fn later_looks_are_judged_more_strictly() {
    let second = || Evidence::default().at_look(Look::new(2).unwrap());
    let at_second = |contrasts: &[Contrast]| judge(contrasts, 0.1, &second());
    let error = 0.1 / T_95;
    assert_eq!(at_second(&[contrast(0.0, error * 0.9999)]).verdict, Verdict::Holds);
    let between = at_second(&[contrast(0.0, error * 1.0001)]);
    assert_eq!(between.verdict, Verdict::Undetermined);
    assert!(between.reason.contains("95 % interval ["), "{}", between.reason);
    assert_eq!(verdict(&[contrast(0.0, error * 1.0001)]), Verdict::Holds);
    let stricter = student_t_quantile(0.9875, 9.0);
    assert_eq!(at_second(&[contrast(0.3, 0.2 / stricter * 0.9999)]).verdict, Verdict::Rejected);
    let between = at_second(&[contrast(0.3, 0.2 / stricter * 1.0001)]);
    assert_eq!(between.verdict, Verdict::Undetermined);
    assert_eq!(verdict(&[contrast(0.3, 0.2 / stricter * 1.0001)]), Verdict::Rejected);
    let rejected = at_second(&[contrast(0.3, 0.001)]);
    assert!(rejected.reason.contains("97.5 % interval ["), "{}", rejected.reason);
    // Estimates keep their nominal intervals: only what is asked of them changes.
    assert_eq!(rejected.contrasts[0].contrast, contrast(0.3, 0.001));
}

/// Two claims, one of them rejected at p = 0.0125 one-sided: 5 %/2 lets it pass, 2.5 %/2 only just, 1.25 %/2 not.
#[test]
fn holm_too_is_stricter_at_later_looks() {
    let t = student_t_quantile(1.0 - 0.0124, 9.0);
    let verdict_at = |look: u32| {
        let evidence = Evidence::default().at_look(Look::new(look).unwrap());
        let mut pair =
            [judge(&[contrast(0.1 + t * 0.05, 0.05)], 0.1, &evidence), judge(&[contrast(0.0, 1e-3)], 0.1, &evidence)];
        // What Holm makes of a rejection, whatever the claim's own interval said.
        pair[0].verdict = Verdict::Rejected;
        scenario_verdict(&mut pair.iter_mut().collect::<Vec<_>>())
    };
    assert_eq!([1, 2, 3].map(verdict_at), [Verdict::Rejected, Verdict::Rejected, Verdict::Undetermined]);
}

/// A prediction that may be off by ±b, the same in every run: HOLDS within ε − b, REJECTED beyond ε + b, and no effort helps against b.
#[test]
fn a_bound_of_the_prediction_widens_every_interval() {
    let with =
        |difference: f64, error: f64, bound: f64| [Contrast { predicted_bound: bound, ..contrast(difference, error) }];
    // Inside ±0.1 with either sign of 0.04, and not with 0.06 …
    assert_eq!(verdict(&with(0.05, 0.009 / T_90, 0.04)), Verdict::Holds);
    assert_eq!(verdict(&with(0.05, 0.011 / T_90, 0.04)), Verdict::Undetermined);
    assert_eq!(verdict(&with(-0.05, 1e-6, 0.06)), Verdict::Undetermined);
    // … outside with either.
    assert_eq!(verdict(&with(0.3, 0.159 / T_95, 0.04)), Verdict::Rejected);
    assert_eq!(verdict(&with(0.3, 0.161 / T_95, 0.04)), Verdict::Undetermined);
    assert_eq!(verdict(&with(-0.3, 1e-6, 0.21)), Verdict::Undetermined);
    // A bound that no one knows bars both.
    for bound in [f64::NAN, f64::INFINITY, -0.01] {
        assert_eq!(verdict(&with(0.0, 1e-6, bound)), Verdict::Undetermined);
        assert_eq!(verdict(&with(9.0, 1e-6, bound)), Verdict::Undetermined);
    }
    let judged =
        |difference: f64, error: f64, bound: f64| judge(&with(difference, error, bound), 0.1, &Evidence::default());
    let (exact, bounded) = (judged(0.34, 0.05, 0.0), judged(0.34, 0.05, 0.04));
    // As an exact one that is nearer by as much.
    let nearer = judged(0.30, 0.05, 0.0);
    assert!((bounded.rejection_p_value.unwrap() / nearer.rejection_p_value.unwrap() - 1.0).abs() < 0.02);
    assert!(exact.rejection_p_value < bounded.rejection_p_value);
    assert!(bounded.reason.contains("may be off by 0.0400"), "{}", bounded.reason);
    let effort = |bound: f64| judged(0.0, 0.2, bound).effort.unwrap().if_exactly_true;
    let (of_exact, of_bounded) = (effort(0.0).unwrap(), effort(0.05).unwrap());
    assert!(
        (of_bounded / of_exact - 4.0).abs() < 1e-9,
        "half the room takes four times the effort: {of_exact} {of_bounded}"
    );
    assert_eq!(effort(0.1), None);
}
