//! Numbers of replicas, and how many of them are missing.
//!
//! What is left of replicas of which some have no number is a selection: a mean of it, a difference of pairs or a quantile is biased by as much as
//! the missing ones are unlike the others. They are therefore counted where they drop out, and stand beside whatever the others come to.

use serde::{Deserialize, Serialize};

use super::Estimate;

/// The numbers of those replicas that have one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    left_out: LeftOut,
}

/// How many replicas have no number, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Replicas in all, or pairs of them.
    pub of: u64,
    /// Those without a value at all, because they diverged or did not come so far.
    pub lost: u64,
    /// Those whose value is no finite number, such as the logarithm of 0.
    pub undefined: u64,
}

impl LeftOut {
    /// How many.
    pub fn count(&self) -> u64 {
        self.lost + self.undefined
    }

    /// As "12 of 16 pairs (3 diverged, 9 with L = 0)", the words being those of whoever counts; `None` where nothing is left out.
    pub fn told(&self, replicas: &str, lost: &str, undefined: &str) -> Option<String> {
        let part = |count: u64, why: &str| (count > 0).then(|| format!("{count} {why}"));
        let parts: Vec<String> =
            [part(self.lost, lost), part(self.undefined, undefined)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} of {} {replicas} ({})", self.count(), self.of, parts.join(", ")))
    }
}

impl FromIterator<Option<f64>> for Sample {
    /// One number per replica, `None` for one that is lost.
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(numbers: I) -> Self {
        let mut sample = Self::default();
        for number in numbers {
            sample.left_out.of += 1;
            match number {
                None => sample.left_out.lost += 1,
                Some(value) if value.is_finite() => sample.values.push(value),
                Some(_) => sample.left_out.undefined += 1,
            }
        }
        sample
    }
}

impl Sample {
    /// One minus other, pair by pair of replicas; a pair is lost with either of them.
    pub fn of_differences(one: &[Option<f64>], other: &[Option<f64>]) -> Self {
        one.iter().zip(other).map(|(one, other)| Some((*one)? - (*other)?)).collect()
    }

    /// Of those that are left, in order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Of what it is not.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// Whether every replica has its number.
    pub fn is_whole(&self) -> bool {
        self.left_out.count() == 0
    }

    /// The mean of those that are left; `None` of fewer than two.
    pub fn mean(&self) -> Option<Estimate> {
        Estimate::from_replicas(&self.values)
    }

    /// Their standard deviation, with divisor R − 1; `None` of fewer than two.
    pub fn deviation(&self) -> Option<f64> {
        Some(self.mean()?.standard_error * (self.values.len() as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drops_out_is_counted() {
        let sample: Sample =
            [Some(1.0), None, Some(f64::NEG_INFINITY), Some(3.0), Some(f64::NAN)].into_iter().collect();
        assert_eq!(sample.values(), [1.0, 3.0]);
        assert_eq!(sample.left_out(), LeftOut { of: 5, lost: 1, undefined: 2 });
        assert_eq!((sample.mean().unwrap().value, sample.is_whole()), (2.0, false));
        let told = sample.left_out().told("replicas", "diverged", "with L = 0");
        assert_eq!(told.as_deref(), Some("3 of 5 replicas (1 diverged, 2 with L = 0)"));
    }

    #[test]
    fn a_pair_is_lost_with_either_of_it() {
        let infinite = Some(f64::NEG_INFINITY);
        let one = [Some(1.0), None, Some(2.0), infinite, infinite];
        let pairs = Sample::of_differences(&one, &[Some(0.5), Some(1.0), None, Some(1.0), infinite]);
        assert_eq!((pairs.values(), pairs.left_out()), (&[0.5][..], LeftOut { of: 5, lost: 2, undefined: 2 }));
        assert_eq!(pairs.mean(), None);
    }

    /// (1 − 2)² + (3 − 2)² over R − 1 = 1.
    #[test]
    fn spreads_are_between_replicas_and_not_of_their_mean() {
        let spread = |values: &[f64]| values.iter().map(|&value| Some(value)).collect::<Sample>().deviation();
        assert_eq!(spread(&[1.0, 3.0]), Some(2f64.sqrt()));
        let many: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        assert!((spread(&many).unwrap() - (25.0f64 / 99.0).sqrt()).abs() < 1e-12);
        assert_eq!(spread(&[1.0]), None);
        assert!([Some(1.0)].into_iter().collect::<Sample>().is_whole());
    }
}
