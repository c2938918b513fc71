//! How long until a start is forgotten along one direction of a bowl: what is left of it in the mean and in the second moment, beside what
//! a run can know of them.
//!
//! Along an eigenvector of H with curvature h a step multiplies the distance from the minimum by a = 1 − δh, and the excess of its
//! square over the stationary V by a². Averaged over the measured steps b … b + K,
//!
//! mean of u: u₀·A(a),  mean of u²: V + (u₀² − V)·A(a²),  A(q) = (1/K) Σ_k qᵏ.
//!
//! R replicas know the mean of u to V f(a)/R and that of u² to 2V² f(a²)/R (squared errors), f the variance of a time mean of an
//! autoregressive process over K steps, beside that of one value. Whatever else is measured moves with the slow motion by some factor, and
//! its own standard error contains the slow motion's times the same factor: a start that is small beside the errors of u and u² is small
//! beside the error of anything. That is the rule here: at most [`LARGEST_BIAS`] of a standard error, and at least
//! [`SHORTEST_BURN_IN`] relaxation times 1/(δh) however large the errors are, since a cloud that is still filling up has not got the
//! spread from which its error is estimated.

use super::memory::LARGEST_BIAS;
use crate::math;

/// Relaxation times 1/(δh) of the softest direction before which nothing is measured, whatever the errors.
pub const SHORTEST_BURN_IN: f64 = 1.0;

/// One direction of a bowl, and a run in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relaxation {
    /// δh, of a stable chain: 0 < δh < 2.
    pub step_times_curvature: f64,
    /// Independent replicas.
    pub replicas: f64,
    /// Steps before the measured ones.
    pub burn_in: f64,
    /// Measured steps of each replica.
    pub steps: f64,
    /// The mean over the replicas of how far from the minimum they start, in units of √V.
    pub offset: f64,
    /// The mean of its square over V, less 1: −1 where all start at the minimum itself.
    pub excess: f64,
}

impl Relaxation {
    /// The time in which the start falls by a factor e, in steps.
    pub fn time(&self) -> f64 {
        1.0 / self.rate()
    }

    /// The burn-in in relaxation times.
    pub fn relaxations(&self) -> f64 {
        self.burn_in * self.rate()
    }

    /// What is left of the start, in standard errors of the mean of u or of u², whichever is more.
    pub fn left(&self) -> f64 {
        let [mean, square] = self.left_without_burn_in();
        let fallen = math::exp(-self.relaxations());
        (mean * fallen).max(square * fallen * fallen)
    }

    /// Whether the start is forgotten.
    pub fn is_forgotten(&self) -> bool {
        self.relaxations() >= SHORTEST_BURN_IN && self.left() <= LARGEST_BIAS
    }

    /// The shortest burn-in, in steps, after which it is.
    pub fn burn_in_wanted(&self) -> f64 {
        let [mean, square] = self.left_without_burn_in();
        let enough = |left: f64| if left > LARGEST_BIAS { math::ln(left / LARGEST_BIAS) } else { 0.0 };
        SHORTEST_BURN_IN.max(enough(mean)).max(0.5 * enough(square)) * self.time()
    }

    /// −ln|1 − δh|.
    fn rate(&self) -> f64 {
        let x = self.step_times_curvature;
        // At δh = 1 a single step forgets everything.
        if x < 1.0 { -libm::log1p(-x) } else { -math::ln((x - 1.0).max(f64::MIN_POSITIVE)) }
    }

    fn left_without_burn_in(&self) -> [f64; 2] {
        let rate = self.rate();
        let mean = self.offset.abs() * mean_power(rate, self.steps) / self.error(rate, 1.0);
        let square = self.excess.abs() * mean_power(2.0 * rate, self.steps) / self.error(2.0 * rate, 2.0);
        [mean, square]
    }

    /// The standard error of a mean over the run of what has this variance and is forgotten at this rate a step.
    fn error(&self, rate: f64, variance: f64) -> f64 {
        (variance * variance_of_mean(rate, self.steps) / self.replicas).sqrt()
    }
}

/// (1/K) Σ_{k<K} e^{−rate·k}.
fn mean_power(rate: f64, steps: f64) -> f64 {
    libm::expm1(-rate * steps) / libm::expm1(-rate) / steps
}

/// The variance of the mean over K steps of a stationary process of variance 1 and correlation qᵏ, q = e^{−rate}: that of an
/// Ornstein–Uhlenbeck process, 2(x − 1 + e^{−x})/x², for the x that has the limit (1 + q)/((1 − q)K) of long runs too.
fn variance_of_mean(rate: f64, steps: f64) -> f64 {
    let x = 2.0 * steps * libm::tanh(0.5 * rate);
    if x < 1e-3 { 1.0 - x / 3.0 } else { 2.0 * (x + libm::expm1(-x)) / (x * x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Relaxation = Relaxation {
        step_times_curvature: 0.01,
        replicas: 256.0,
        burn_in: 0.0,
        steps: 100.0,
        offset: 0.0,
        excess: -1.0,
    };

    /// The recursions themselves: u ← (1 − δh)u, u² − V ← (1 − δh)²(u² − V), and the double sum over an AR(1) chain's correlations.
    #[test]
    fn what_is_left_is_that_of_the_recursion() {
        for (x, steps, burn_in) in [(0.01, 100, 30), (0.3, 40, 5), (1.7, 25, 3), (1e-5, 60, 100_000)] {
            let q = 1.0 - x;
            let averaged = |q: f64| (0..steps).map(|k| q.abs().powi(burn_in + k)).sum::<f64>() / f64::from(steps);
            let spread = |q: f64| {
                let pairs = (0..steps).flat_map(|j| (0..steps).map(move |k| (j - k).abs()));
                pairs.map(|lag| q.abs().powi(lag)).sum::<f64>() / f64::from(steps * steps)
            };
            let run =
                Relaxation { step_times_curvature: x, burn_in: f64::from(burn_in), steps: f64::from(steps), ..RUN };
            let of_square = averaged(q * q) / (2.0 * spread(q * q) / 256.0).sqrt();
            assert!((run.left() / of_square - 1.0).abs() < 0.03, "{x}: {} {of_square}", run.left());
            let of_mean = 3.0 * averaged(q) / (spread(q) / 256.0).sqrt();
            let shifted = Relaxation { offset: 3.0, excess: 0.0, ..run };
            assert!((shifted.left() / of_mean - 1.0).abs() < 0.03, "{x}: {} {of_mean}", shifted.left());
        }
    }

    #[test]
    fn the_wanted_burn_in_is_just_enough() {
        for (replicas, offset, excess, steps) in
            [(256.0, 0.0, -1.0, 10.0), (1e5, 0.0, -1.0, 1e4), (64.0, 20.0, 399.0, 500.0), (16.0, 0.0, -1.0, 1e7)]
        {
            let run = Relaxation { replicas, offset, excess, steps, ..RUN };
            let wanted = run.burn_in_wanted();
            let after = |factor: f64| Relaxation { burn_in: wanted * factor, ..run };
            assert!(after(1.0 + 1e-9).is_forgotten() && !after(0.99).is_forgotten(), "{replicas} {steps}");
            // However large the errors, one relaxation time.
            assert!(wanted >= (1.0 - 1e-12) * run.time());
        }
        // From the stationary law there is nothing to forget but the floor.
        let stationary = Relaxation { excess: 0.0, ..RUN };
        assert_eq!((stationary.left(), stationary.burn_in_wanted()), (0.0, stationary.time()));
        // δh = 1: forgotten in one step.
        let at_once = Relaxation { step_times_curvature: 1.0, burn_in: 1.0, ..RUN };
        assert!(at_once.is_forgotten() && at_once.burn_in_wanted() <= 1.0);
    }
}
