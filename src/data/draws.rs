//! Random numbers of a data set: one stream per use, so that what one use draws moves no other.

use crate::math;
use crate::random::{Purpose, stream::Stream};

/// What random numbers are drawn for. The numbers are part of the stream's address: never change one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// The examples of a generator.
    Examples = 0,
    /// Parameters of a generator that hold for all of its examples.
    Generator = 1,
    /// Which examples are taken.
    Subset = 2,
    /// Which of them are set aside for testing.
    Split = 3,
    /// The order of the examples.
    Order = 4,
    /// Labels that take the place of the true ones.
    Labels = 5,
    /// Inputs that take the place of the true ones.
    Inputs = 6,
}

/// The random numbers of one use.
pub(super) struct Draws {
    stream: Stream,
    /// Box and Muller's method makes two normals at once.
    spare: Option<f64>,
}

impl Draws {
    pub fn new(seed: u64, what_for: Use) -> Self {
        Self { stream: Stream::new(seed, what_for as u64, Purpose::Data), spare: None }
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.stream.uniform()
    }

    /// A standard normal, in double precision.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * math::ln(1.0 - self.uniform())).sqrt();
        let angle = 2.0 * std::f64::consts::PI * self.uniform();
        self.spare = Some(radius * math::sin(angle));
        radius * math::cos(angle)
    }

    /// A whole number from 0 to `bound` − 1, all equally likely; 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        // Lemire (2019): the upper half of a product is uniform once the few words that would favour some are rejected.
        let rejected = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let product = u128::from(self.stream.next_word()) * u128::from(bound);
            if product as u64 >= rejected {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts things into random order, all orders equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails by chance once in 10⁷: six standard errors, three statistics.
    #[test]
    fn orders_and_normals_have_their_laws() {
        const DRAWS: usize = 60_000;
        let mut draws = Draws::new(3, Use::Order);
        let mut counts = [0_usize; 6];
        for _ in 0..DRAWS {
            let mut order = [0, 1, 2];
            draws.shuffle(&mut order);
            counts[order[0] * 2 + usize::from(order[1] > order[2])] += 1;
        }
        let error = (DRAWS as f64 * (1.0 / 6.0) * (5.0 / 6.0)).sqrt();
        assert!(counts.iter().all(|&count| (count as f64 - DRAWS as f64 / 6.0).abs() < 6.0 * error), "{counts:?}");
        let normals: Vec<f64> = (0..DRAWS).map(|_| draws.normal()).collect();
        let mean = |power: i32| normals.iter().map(|x| x.powi(power)).sum::<f64>() / DRAWS as f64;
        let root = (DRAWS as f64).sqrt();
        assert!(mean(1).abs() < 6.0 / root && (mean(2) - 1.0).abs() < 6.0 * 2_f64.sqrt() / root);
    }

    #[test]
    fn a_bound_of_nothing_is_nothing() {
        let mut draws = Draws::new(1, Use::Subset);
        assert_eq!((draws.below(0), draws.below(1)), (0, 0));
    }
}
