//! The exact moments of a batch mean of N known numbers.
//!
//! Let x₁ … x_N have mean 0 (else take it off), central moments μ_k with divisor N, γ₁ = μ₃/μ₂^(3/2) and γ₂ = μ₄/μ₂² − 3. The mean of S of them
//! drawn **with replacement** is one of S independent numbers, whose cumulants add up:
//!
//! variance μ₂/S,  skewness γ₁/√S,  excess kurtosis γ₂/S.
//!
//! A mean m of S **different** ones, all subsets alike, has by counting which indices coincide (E xᵢxⱼ = −μ₂/(N−1) for i ≠ j, and so on, since
//! Σxᵢ = 0; the first is in Cochran, Sampling Techniques, 1977, §2)
//!
//! E m² = μ₂ (N−S)/(S(N−1)),
//! E m³ = μ₃ (N−S)(N−2S)/(S²(N−1)(N−2)),
//! E m⁴ = (N−S)/(S³(N−1)(N−2)(N−3)) · [(N² + N − 6NS + 6S²) μ₄ + 3N(S−1)(N−S−1) μ₂²].
//!
//! One batch of a shuffled epoch, by itself, is such a subset. The tests compare all three with the means of all subsets.
//!
//! How far a law with these moments may be from the normal one its moments alone do not say: that is computed from the numbers themselves, in
//! [`super::batch_law`].

/// By how much a skewness of 1 moves Φ at most: max |z² − 1|φ(z)/6 = φ(0)/6.
pub const DISTANCE_OF_SKEWNESS: f64 = 0.066_490_380_066_905_45;
/// By how much an excess kurtosis of 1 moves Φ at most: max |z³ − 3z|φ(z)/24, at z² = 3 − √6.
pub const DISTANCE_OF_EXCESS: f64 = 0.022_941_16;

/// Variance, skewness γ₁ and excess kurtosis γ₂ of a law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// μ₂.
    pub variance: f64,
    /// γ₁ = μ₃/μ₂^(3/2).
    pub skewness: f64,
    /// γ₂ = μ₄/μ₂² − 3.
    pub excess: f64,
}

impl Shape {
    /// Of given numbers, all moments with divisor N; `None` where they do not differ or are no numbers.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let [mut second, mut third, mut fourth] = [0.0; 3];
        for number in numbers {
            let x = number - mean;
            second += x * x;
            third += x * x * x;
            fourth += x * x * x * x;
        }
        let variance = second / count;
        let shape = Self {
            variance,
            skewness: third / count / (variance * variance.sqrt()),
            excess: fourth / count / (variance * variance) - 3.0,
        };
        (variance > 0.0 && shape.skewness.is_finite() && shape.excess.is_finite()).then_some(shape)
    }

    /// Of the mean of `size` independent draws.
    pub fn with_replacement(&self, size: f64) -> Self {
        Self { variance: self.variance / size, skewness: self.skewness / size.sqrt(), excess: self.excess / size }
    }

    /// Of the mean of `size` different ones of `examples` > 3 numbers; `None` where nothing is left to chance.
    pub fn without_replacement(&self, examples: f64, size: f64) -> Option<Self> {
        let (n, s) = (examples, size);
        if !(n > 3.0 && s >= 1.0 && s < n) {
            return None;
        }
        let own = (n * n + n - 6.0 * n * s + 6.0 * s * s) * (self.excess + 3.0);
        let pairs = 3.0 * n * (s - 1.0) * (n - s - 1.0);
        Some(Self {
            variance: self.variance * (n - s) / (s * (n - 1.0)),
            skewness: self.skewness * (n - 2.0 * s) / (n - 2.0) * ((n - 1.0) / (s * (n - s))).sqrt(),
            excess: (n - 1.0) / (s * (n - s) * (n - 2.0) * (n - 3.0)) * (own + pairs) - 3.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 7] = [1.0, 2.5, -4.0, 0.3, 9.0, -1.0, 2.0];

    fn close(a: Shape, b: Shape) {
        for (a, b) in [(a.variance, b.variance), (a.skewness, b.skewness), (a.excess, b.excess)] {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    /// Means of all subsets of every size, by brute force.
    #[test]
    fn moments_of_subsets() {
        for size in 1..7u32 {
            let subsets = (0..1u32 << 7).filter(|set| set.count_ones() == size);
            let mean =
                |set: u32| (0..7).filter(|i| set >> i & 1 == 1).map(|i| NUMBERS[i]).sum::<f64>() / f64::from(size);
            let means: Vec<f64> = subsets.map(mean).collect();
            let predicted = Shape::of(&NUMBERS).unwrap().without_replacement(7.0, f64::from(size)).unwrap();
            close(predicted, Shape::of(&means).unwrap());
        }
        assert_eq!(Shape::of(&NUMBERS).unwrap().without_replacement(7.0, 7.0), None);
    }

    /// Means of all 7³ samples with replacement.
    #[test]
    fn moments_of_independent_draws() {
        let means: Vec<f64> =
            (0..343usize).map(|code| (NUMBERS[code % 7] + NUMBERS[code / 7 % 7] + NUMBERS[code / 49]) / 3.0).collect();
        close(Shape::of(&NUMBERS).unwrap().with_replacement(3.0), Shape::of(&means).unwrap());
    }

    #[test]
    fn what_does_not_vary_has_no_shape() {
        assert_eq!(Shape::of(&[2.0; 5]), None);
        assert_eq!(Shape::of(&[]), None);
        assert_eq!(Shape::of(&[1.0, f64::NAN]), None);
    }

    /// The constants are the largest values of the first two terms of Edgeworth's expansion (Feller, vol. II, XVI.4).
    #[test]
    fn moments_move_the_distribution_function_by_what_the_constants_say() {
        let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let largest = |term: &dyn Fn(f64) -> f64| {
            (-60_000..=60_000).map(|k| f64::from(k) * 1e-4).map(|z| (term(z) * density(z)).abs()).fold(0.0, f64::max)
        };
        assert!((largest(&|z| (z * z - 1.0) / 6.0) / DISTANCE_OF_SKEWNESS - 1.0).abs() < 1e-7);
        assert!((largest(&|z| (z * z * z - 3.0 * z) / 24.0) / DISTANCE_OF_EXCESS - 1.0).abs() < 1e-6);
    }
}
