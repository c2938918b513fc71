//! A true value exactly on the margin: how often does a claim HOLD, and how often is it REJECTED? 1,000 repeats, five laws of the replicas.
//!
//! Declared are 5 % for either. A rate of 5 % gives more than 73 of 1,000 with a probability of 1e−3. A rejection has 2.5 % on each side, and
//! small tails are allowed for, so that most of the rates tested here are below 5 % by construction. Those of families at an ε far below the
//! standard error are 5 % (t-intervals of 32 replicas are exact for normal ones alone: of skewed ones one tail is too heavy and the other too
//! light, and what is left of it in both together is about 1 %).

use rand::RngExt;
use sgd_sde::statistics::special::student_t_quantile;
use sgd_sde::statistics::{
    Contrast, Estimate, Evidence, InUnits, Judgement, Spread, Verdict, judge, judge_in_units, scenario_verdict,
};

use crate::laws::Law;
use crate::markov::{Random, random};

const REPEATS: usize = 1000;
const MOST: usize = 73;

/// A replica: the mean over forty values of a course with memory, of which each is the last one or a new one, with even chances: some
/// thirteen independent values of the law.
fn replica(law: Law, random: &mut Random) -> f64 {
    let mut value = law.draw(random);
    let mut sum = 0.0;
    for _ in 0..40 {
        if random.random::<f64>() < 0.5 {
            value = law.draw(random);
        }
        sum += value;
    }
    sum / 40.0
}

fn contrast(values: &[f64], predicted: f64) -> Contrast {
    let measured = Estimate::from_replicas(values);
    Contrast { label: "x".into(), predicted, predicted_standard_error: 0.0, predicted_bound: 0.0, measured }
}

/// Ten claims of 32 replicas whose truth is off by exactly ε, from far below to far above a standard error: the family is rejected, and a
/// claim of it HOLDS, at most as often as declared.
#[test]
fn families_on_the_margin_are_seldom_rejected() {
    let mut random = random(901);
    for law in Law::ALL {
        // Standard errors of the mean of 32 replicas are about 0.05.
        for tolerance in [1e-4, 0.02, 0.2] {
            let (mut rejected, mut held) = (0, 0);
            for _ in 0..REPEATS {
                let mut claims: Vec<Judgement> = (0..10)
                    .map(|place| {
                        let values: Vec<f64> = (0..32).map(|_| replica(law, &mut random)).collect();
                        let side = if place % 2 == 0 { tolerance } else { -tolerance };
                        judge(&[contrast(&values, side)], tolerance, &Evidence::default())
                    })
                    .collect();
                held += usize::from(claims[0].verdict == Verdict::Holds);
                let verdict = scenario_verdict(&mut claims.iter_mut().collect::<Vec<_>>());
                rejected += usize::from(verdict == Verdict::Rejected);
            }
            assert!(rejected <= MOST, "{law:?}, ε = {tolerance}: {rejected} families rejected");
            assert!(held <= MOST, "{law:?}, ε = {tolerance}: {held} held");
        }
    }
}

/// The p-value counts both tails, and an interval outside of ±ε is never without a p-value to match, with one contrast or more. No chance.
#[test]
fn an_interval_outside_has_a_p_value_of_its_level_at_most() {
    let mut seen = 0;
    for degrees_of_freedom in [1.0, 4.0, 31.0, f64::INFINITY] {
        for tolerance in [1e-6, 0.01, 0.3, 1.0, 5.0] {
            for step in 0..200 {
                let measured = Estimate { value: 0.1 * f64::from(step), standard_error: 1.0, degrees_of_freedom };
                let one = |measured: &Estimate| Contrast {
                    label: "x".into(),
                    predicted: 0.0,
                    predicted_standard_error: 0.0,
                    predicted_bound: 0.0,
                    measured: Some(measured.clone()),
                };
                let zero = Estimate { value: 0.0, ..measured.clone() };
                for contrasts in [vec![one(&measured)], vec![one(&zero), one(&measured), one(&zero)]] {
                    let judged = judge(&contrasts, tolerance, &Evidence::default());
                    let p = judged.rejection_p_value.unwrap();
                    if judged.verdict == Verdict::Rejected {
                        seen += 1;
                        assert!(p <= 0.05, "{measured:?}, ε = {tolerance}: p = {p}");
                    }
                }
                // At a margin of nothing it is the ordinary two-sided p-value.
                if tolerance == 1e-6 {
                    let two_sided = 2.0 * measured.p_value_above(0.0);
                    assert!((measured.p_value_beyond(0.0) - two_sided).abs() < 1e-12);
                }
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}

/// √π/2.
const NORMAL: f64 = 0.886_226_925_452_758;

/// Pilot and pairs of `count` seeds each; the mean of the pairs is exactly ε units, and they differ by `roughness` units among each other.
fn on_the_margin(law: Law, count: usize, roughness: f64, tolerance: f64, random: &mut Random) -> Judgement {
    let unit = NORMAL * law.mean_distance();
    let pilot: Vec<f64> = (0..count).map(|_| law.draw(random)).collect();
    let pairs: Vec<f64> = (0..count).map(|_| unit * (tolerance + roughness * crate::laws::normal(random))).collect();
    let difference = Estimate::from_replicas(&pairs).zip(Spread::of(&pilot));
    let difference = difference.map(|(difference, unit)| InUnits { difference, unit });
    judge_in_units(&[("Δ".into(), difference)], tolerance, &Evidence::default())
}

/// A unit from a pilot: pairs that hardly differ, so that the unit's error decides, as much as their own, and far more.
#[test]
fn an_estimated_unit_brings_its_error() {
    let mut random = random(902);
    for law in Law::ALL {
        for (count, roughness) in [(6, 0.02), (16, 0.02), (16, 0.5), (64, 0.02), (64, 0.5), (64, 2.0)] {
            let (mut held, mut rejected) = (0, 0);
            for _ in 0..REPEATS {
                match on_the_margin(law, count, roughness, 0.5, &mut random).verdict {
                    Verdict::Holds => held += 1,
                    Verdict::Rejected => rejected += 1,
                    Verdict::Undetermined => (),
                }
            }
            let case = format!("{law:?}, {count} seeds, pairs differ by {roughness}: {held} held, {rejected} rejected");
            assert!(held <= MOST && rejected <= MOST, "{case}");
        }
    }
}

/// What the error of the unit costs: of 128 seeds a difference of a fifth of ε still HOLDS, and one of twice ε is REJECTED.
#[test]
fn an_estimated_unit_leaves_power() {
    let mut random = random(903);
    for law in Law::ALL {
        let (mut held, mut rejected) = (0, 0);
        for _ in 0..200 {
            let unit = NORMAL * law.mean_distance();
            let pilot: Vec<f64> = (0..128).map(|_| law.draw(&mut random)).collect();
            let mut judged = |difference: f64| {
                let pairs: Vec<f64> =
                    (0..128).map(|_| unit * (difference + crate::laws::normal(&mut random))).collect();
                let difference = Estimate::from_replicas(&pairs).unwrap();
                let difference = InUnits { difference, unit: Spread::of(&pilot).unwrap() };
                judge_in_units(&[("Δ".into(), Some(difference))], 0.5, &Evidence::default()).verdict
            };
            held += usize::from(judged(0.1) == Verdict::Holds);
            rejected += usize::from(judged(1.0) == Verdict::Rejected);
        }
        assert!(held > 180 && rejected > 180, "{law:?}: {held} held, {rejected} rejected of 200");
    }
}

/// By hand: a known unit scales; Fieller's equation holds at the ends; what has no unit, or no spread, has no verdict.
#[test]
fn intervals_in_units_by_hand() {
    let difference = Estimate { value: 3.0, standard_error: 0.5, degrees_of_freedom: 9.0 };
    let known = InUnits { difference: difference.clone(), unit: Spread::exact(2.0) };
    let [low, high] = known.interval(0.95).unwrap();
    let [low_of, high_of] = difference.interval(0.95).unwrap();
    assert!((low - low_of / 2.0).abs() < 1e-12 && (high - high_of / 2.0).abs() < 1e-12);
    for margin in [0.3, 1.0, 2.0] {
        let expected = difference.p_value_beyond(2.0 * margin);
        let found = known.p_value_beyond(margin);
        // Where the estimate lies within the margin the first tail counts as 1.
        let within = 2.0 * margin >= 3.0;
        assert!(if within { found == 1.0 } else { (found - expected).abs() < 1e-9 }, "{found} for {expected}");
    }
    // Mirrored, and wider than with a known unit, the more so towards larger ratios.
    let unit = Spread { value: 2.0, degrees_of_freedom: 20.0 };
    for value in [3.0, 0.7, 0.0, -0.2, -3.0] {
        let of = |value: f64, unit: Spread| {
            InUnits { difference: Estimate { value, ..difference.clone() }, unit }.interval(0.95).unwrap()
        };
        let ([low, high], [mirrored_high, mirrored_low]) = (of(value, unit), of(-value, unit));
        assert!((low + mirrored_low).abs() < 1e-12 && (high + mirrored_high).abs() < 1e-12);
        let [known_low, known_high] = of(value, Spread::exact(2.0));
        assert!(low <= known_low && high >= known_high && low < value / 2.0 && high > value / 2.0);
        if value == 3.0 {
            assert!(high - 1.5 > 1.5 - low);
        }
    }
    // The p-value is the level at which the end reaches the margin.
    let uncertain = InUnits { difference, unit };
    let p = uncertain.p_value_beyond(0.8);
    let [low, _] = uncertain.interval(1.0 - 2.0 * p).unwrap();
    assert!(p < 0.05 && (low - 0.8).abs() < 1e-3, "{p}: {low}");

    let none = judge_in_units(&[("Δ".into(), None)], 0.5, &Evidence::default());
    assert_eq!((none.verdict, none.rejection_p_value), (Verdict::Undetermined, None));
    let alike = Estimate::from_replicas(&[2.0; 8]).unwrap();
    let alike = judge_in_units(&[("Δ".into(), Some(InUnits { difference: alike, unit }))], 0.5, &Evidence::default());
    assert_eq!(alike.verdict, Verdict::Undetermined);
    assert!(alike.reason.contains("same in all replicas"), "{}", alike.reason);
}

/// Gini's mean difference of 0, 1, 3, 8, 8 is (1 + 3 + 8 + 8 + 2 + 7 + 7 + 5 + 5 + 0)/10; influences (mean distances) 20/4, 17/4, 15/4, 20/4, 20/4.
#[test]
fn the_spread_by_hand() {
    let spread = Spread::of(&[0.0, 1.0, 3.0, 8.0, 8.0]).unwrap();
    assert!((spread.value - NORMAL * 4.6).abs() < 1e-12);
    let squares: f64 = [5.0, 4.25, 3.75, 5.0, 5.0].iter().map(|x| (x - 4.6) * (x - 4.6)).sum();
    // Twice the standard error of the mean influence, by the jackknife's (n − 1)/(n − 2).
    let relative = 4.0 * (4.0 / 3.0) * (4.0 / 3.0) * (squares / 4.0) / 5.0 / (4.6 * 4.6);
    let expected = (0.5 / relative).min(4.0) / 3.0;
    assert!((spread.degrees_of_freedom - expected).abs() < 1e-12, "{} for {expected}", spread.degrees_of_freedom);
    // Where it is the influences that decide: one seed far from thirty others.
    let mut seeds: Vec<f64> = (0..30).map(|seed| f64::from(seed % 5)).collect();
    seeds.push(60.0);
    let distances: Vec<f64> =
        seeds.iter().map(|one| seeds.iter().map(|other| (one - other).abs()).sum::<f64>() / 30.0).collect();
    let mean = distances.iter().sum::<f64>() / 31.0;
    let squares: f64 = distances.iter().map(|x| (x - mean) * (x - mean)).sum();
    let relative = 4.0 * (30.0 / 29.0) * (30.0 / 29.0) * (squares / 30.0) / 31.0 / (mean * mean);
    let expected = 0.5 / relative / (1.0 + 10.0 / 31.0);
    let found = Spread::of(&seeds).unwrap().degrees_of_freedom;
    assert!(expected < 10.0 && (found / expected - 1.0).abs() < 1e-12, "{found} for {expected}");
    for none in [&[][..], &[1.0, 2.0, 3.0, 4.0], &[1.0; 9], &[1.0, 2.0, 3.0, 4.0, f64::NAN]] {
        assert_eq!(Spread::of(none), None);
    }
    // Few seeds do not exclude that the unit is much larger: no difference is too large then.
    let unit = Spread { value: 1.0, degrees_of_freedom: 0.5 };
    let difference = Estimate { value: 100.0, standard_error: 1e-6, degrees_of_freedom: 9.0 };
    assert_eq!(InUnits { difference, unit }.interval(0.95).unwrap()[0], 0.0);
    let evenly: Vec<f64> = (0..100).map(f64::from).collect();
    // A light-tailed law is not taken for better known than a normal one.
    assert!(Spread::of(&evenly).unwrap().degrees_of_freedom <= 99.0 / 1.1 + 1e-9);
}

/// ln 4 with r = 0.1 and 15 degrees of freedom: 15/(1 + 1.5·16·0.01) of them are left, and the value moves up by 0.01·(⅓ + t²/6).
#[test]
fn the_logarithm_of_a_skewed_mean_by_hand() {
    let mean = Estimate { value: 4.0, standard_error: 0.4, degrees_of_freedom: 15.0 };
    let found = mean.logarithm_of_skewed().unwrap();
    assert!((found.degrees_of_freedom - 15.0 / 1.24).abs() < 1e-12);
    let t = student_t_quantile(0.95, 15.0 / 1.24);
    assert!((found.value - 4f64.ln() - 0.01 * (1.0 / 3.0 + t * t / 6.0)).abs() < 1e-12);
    assert!((found.standard_error - 0.1).abs() < 1e-15);
    // An error that is known is not of a few replicas, and what is too uncertain has no logarithm.
    let known = Estimate::with_known_error(4.0, 0.4);
    assert_eq!(known.logarithm_of_skewed(), known.logarithm());
    assert_eq!(Estimate { standard_error: 0.9, ..mean }.logarithm_of_skewed(), None);
}

/// ln of the mean of variances that replicas have from few independent values each, χ² of one, two and four: the ends of the 90 % interval
/// are passed with 5 % each. Without the correction one of them is passed in 6 to 8 %, the other in 4 %.
#[test]
fn logarithms_of_skewed_means_have_ends_of_five_per_cent() {
    let mut random = random(904);
    const REPEATS: usize = 4000;
    // More than 253 of 4,000 at 5 % have a probability of 1e−4; the rates are up to 5.7 %, for which more than 290 have one of 1e−4.
    const MOST: usize = 290;
    for (values, replicas) in [(1, 128), (2, 64), (2, 32), (4, 32), (8, 16)] {
        let mut passed = [0; 2];
        for _ in 0..REPEATS {
            let variance = |random: &mut Random| {
                (0..values).map(|_| crate::laws::normal(random)).map(|z| z * z).sum::<f64>() / f64::from(values)
            };
            let found: Vec<f64> = (0..replicas).map(|_| variance(&mut random)).collect();
            // Few are too uncertain for a logarithm.
            let Some(estimate) = Estimate::from_replicas(&found).unwrap().logarithm_of_skewed() else { continue };
            let [low, high] = estimate.interval(0.9).unwrap();
            passed[0] += usize::from(low > 0.0);
            passed[1] += usize::from(high < 0.0);
        }
        assert!(passed.iter().all(|&passed| passed <= MOST), "χ² of {values}, {replicas} replicas: {passed:?}");
    }
}
