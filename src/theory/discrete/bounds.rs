//! How far a prediction may be off, where that is no matter of chance.

/// Bounds of what a prediction of occupancies leaves out, as differences of ln(p_a/p_b): systematic, the same in every run.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    minima: usize,
    /// Row a, column b.
    rows: Vec<f64>,
}

impl Bounds {
    /// From a bound for every two minima.
    pub(super) fn of_pairs(minima: usize, bound: impl Fn(usize, usize) -> f64) -> Self {
        let pair = |index: usize| (index / minima, index % minima);
        let of = |(a, b): (usize, usize)| if a == b { 0.0 } else { bound(a, b).max(bound(b, a)) };
        Self { minima, rows: (0..minima * minima).map(|index| of(pair(index))).collect() }
    }

    /// Of a law that leaves nothing out.
    pub fn none(minima: usize) -> Self {
        Self::of_pairs(minima, |_, _| 0.0)
    }

    /// Of ln(p_a/p_b).
    pub fn log_odds(&self, a: usize, b: usize) -> f64 {
        self.rows[a * self.minima + b]
    }

    /// The largest of all.
    pub fn largest(&self) -> f64 {
        self.rows.iter().fold(0.0, |largest, &bound| largest.max(bound))
    }

    /// By how much every occupancy may be off: p_a = p/(1 + Σ p_b/p_a) is farthest from what it is where all others are off to the same
    /// side. `other`, what lies in no basin, keeps its share.
    pub fn of_occupancies(&self, occupancies: &[f64], other: f64) -> Vec<f64> {
        let inside = 1.0 - other;
        let one = |a: usize| {
            let at = |sign: f64| {
                let others = (0..self.minima).filter(|&b| b != a);
                let others = others.map(|b| occupancies[b] * crate::math::exp(sign * self.log_odds(a, b))).sum::<f64>();
                inside * occupancies[a] / (occupancies[a] + others)
            };
            (at(-1.0) - occupancies[a]).abs().max((at(1.0) - occupancies[a]).abs())
        };
        (0..self.minima).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.2 : 0.8 with ln odds ± 0.5 are between 0.1317 and 0.2919.
    #[test]
    fn bounds_of_occupancies_are_those_of_the_odds() {
        let bounds = Bounds::of_pairs(2, |a, _| if a == 0 { 0.5 } else { 0.1 });
        assert_eq!((bounds.log_odds(0, 1), bounds.log_odds(1, 0), bounds.log_odds(1, 1)), (0.5, 0.5, 0.0));
        let odds = 0.25 * 0.5f64.exp();
        let of_occupancies = bounds.of_occupancies(&[0.2, 0.8], 0.0);
        assert!((of_occupancies[0] - (odds / (1.0 + odds) - 0.2)).abs() < 1e-15);
        assert!((of_occupancies[0] - of_occupancies[1]).abs() < 1e-15);
        assert_eq!(
            Bounds::none(3).of_occupancies(&[0.2, 0.3, 0.4], 0.1).iter().filter(|&&bound| bound > 1e-16).count(),
            0
        );
    }
}
