//! Operating characteristics in short: a few points of `benches/calibration`, over few seeds. The full table is docs/operating-characteristics.md.
//!
//! Seeds are 1 to 60. A rate that ought to be at most p is allowed what chance exceeds once in 10⁴, for eleven of them about 10⁻³ in all.

#![allow(dead_code, reason = "modules of the bench, of which a test needs a part")]

#[path = "../benches/calibration/judgements.rs"]
mod judgements;
#[path = "../benches/calibration/kinds.rs"]
mod kinds;
#[path = "../benches/calibration/runs.rs"]
mod runs;
#[path = "../benches/calibration/scenarios.rs"]
mod scenarios;
#[path = "../benches/calibration/tally.rs"]
mod tally;

use kinds::{Kind, Tuned};
use tally::{Tally, over_seeds};

const SEEDS: u64 = 60;

fn kind(name: &str) -> Kind {
    kinds::all().into_iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("no kind {name}"))
}

fn tally(tuned: &Tuned, effort: f64) -> Tally {
    let tally = over_seeds(&(tuned.at_effort)(effort), SEEDS);
    assert_eq!(tally.failed, 0, "effort {effort}");
    tally
}

/// What a binomial number of `trials` with probability `p` exceeds once in 10⁴.
fn at_most(trials: u64, p: f64) -> u64 {
    let (mut term, mut sum, mut count) = ((1.0 - p).powi(trials as i32), 0.0, 0);
    loop {
        sum += term;
        if sum > 1.0 - 1e-4 || count == trials {
            return count;
        }
        term *= p / (1.0 - p) * (trials - count) as f64 / (count + 1) as f64;
        count += 1;
    }
}

/// At least what chance stays below once in 10⁴.
fn at_least(trials: u64, p: f64) -> u64 {
    trials - at_most(trials, 1.0 - p)
}

#[test]
fn bounds_are_those_of_a_binomial_law() {
    // P(X > 10) = 2.5·10⁻⁴ and P(X > 11) = 6·10⁻⁵ for 60 trials at 5 %.
    assert_eq!((at_most(60, 0.05), at_least(60, 0.95)), (11, 49));
}

/// Ample effort in a bowl: verdicts come, and are right; on the margin neither of them comes more often than declared.
#[test]
fn verdicts_in_a_bowl_are_right_as_often_as_declared() {
    let covariance = kind("covariance");
    let [right, margin, wrong] = [0.0, 1.0, 2.0].map(|difference| tally(&(covariance.tuned)(difference), 10_000.0));
    assert!(right.holds >= at_least(SEEDS, 0.95) && right.rejected == 0, "{right:?}");
    assert!(wrong.rejected >= at_least(SEEDS, 0.95) && wrong.holds == 0, "{wrong:?}");
    assert!(margin.holds <= at_most(SEEDS, 0.05) && margin.rejected <= at_most(SEEDS, 0.05), "{margin:?}");
    for tally in [right, margin, wrong] {
        // A gate bars one run in a hundred or two.
        assert!(tally.shown >= at_least(SEEDS, 0.98), "{tally:?}");
        assert!((at_least(SEEDS, 0.9)..=at_most(SEEDS, 0.9)).contains(&tally.covered), "{tally:?}");
    }
}

/// Of two wells: a true law is not rejected where there are few transitions, nor a wrong one accepted where there are many.
#[test]
fn verdicts_of_two_wells_are_right_as_often_as_declared() {
    let equilibrium = kind("equilibrium");
    let (right, wrong) = ((equilibrium.tuned)(0.0), (equilibrium.tuned)(2.0));
    for few in [1.0, 10.0] {
        let tally = tally(&right, few);
        assert!(tally.rejected <= at_most(SEEDS, 0.05) && tally.holds <= at_most(SEEDS, 0.05), "{few}: {tally:?}");
    }
    let (right, wrong) = (tally(&right, 3_000.0), tally(&wrong, 3_000.0));
    assert!(right.holds >= at_least(SEEDS, 0.95) && right.rejected == 0, "{right:?}");
    assert!(wrong.rejected >= at_least(SEEDS, 0.95) && wrong.holds == 0, "{wrong:?}");
}

/// All replicas start in one well, without a burn-in: what bars a verdict there is the gates alone.
#[test]
fn gates_bar_verdicts_on_what_remembers_its_start() {
    let tuned = (kind("equilibrium, from one well").tuned)(0.0);
    for effort in [1.0, 30.0, 100.0] {
        let tally = tally(&tuned, effort);
        assert!(tally.rejected <= at_most(SEEDS, 0.05), "{effort}: {tally:?}");
    }
}
