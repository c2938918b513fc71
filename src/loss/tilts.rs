//! Vectors ξ₁ … ξ_N of sum 0: by what the examples of a synthetic finite sum differ.

use nalgebra::{Cholesky, DMatrix};

use super::LANES;
use crate::random::{Purpose, increments::IncrementBlock};

/// Vectors that cannot be the tilts of examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TiltsError {
    /// None, or of no coordinate, or of unequal lengths, or with a number that is not finite.
    #[error("tilts are at least one vector, of finite numbers, as many in each")]
    Shape,
    /// A covariance that none can have.
    #[error("a covariance must be square, symmetric and positive definite")]
    Covariance,
    /// Fewer vectors than a covariance of full rank needs.
    #[error("{examples} examples cannot have a covariance of rank {dimension}: at least {} are needed", dimension + 1)]
    TooFew {
        /// N.
        examples: usize,
        /// d.
        dimension: usize,
    },
}

/// N vectors ξᵢ in ℝᵈ with Σξᵢ = 0, to the last bit and in whatever order they are summed.
///
/// Each coordinate is a whole multiple of a power of two, so coarse that N of the largest still add up without rounding; 52 − log₂N bits
/// are kept (32 of a million examples), and what the rounded numbers miss of 0 is shared out evenly.
#[derive(Clone, Debug, PartialEq)]
pub struct Tilts {
    dimension: usize,
    examples: usize,
    /// Coordinate by coordinate, N each.
    coordinates: Vec<f64>,
}

impl Tilts {
    /// Given vectors, less their mean.
    ///
    /// # Errors
    /// When there are none, or they are not of one length, or not finite.
    pub fn given(vectors: &[Vec<f64>]) -> Result<Self, TiltsError> {
        let examples = vectors.len();
        let dimension = vectors.first().map_or(0, Vec::len);
        let sound = |vector: &Vec<f64>| vector.len() == dimension && vector.iter().all(|x| x.is_finite());
        if dimension == 0 || !vectors.iter().all(sound) {
            return Err(TiltsError::Shape);
        }
        let coordinate = |i: usize| vectors.iter().map(move |vector| vector[i]);
        let coordinates = (0..dimension).flat_map(|i| centred(coordinate(i).collect())).collect();
        Ok(Self { dimension, examples, coordinates })
    }

    /// N normal vectors, drawn once from `seed` and stretched so that their own covariance (divisor N) is the given one, d × d, up to what
    /// rounding to multiples changes.
    ///
    /// # Errors
    /// When the matrix is no covariance of full rank, or N ≤ d.
    pub fn normal(covariance: &DMatrix<f64>, examples: usize, seed: u64) -> Result<Self, TiltsError> {
        let d = covariance.nrows();
        if d == 0 || !covariance.is_square() || *covariance != covariance.transpose() {
            return Err(TiltsError::Covariance);
        }
        let wanted = Cholesky::new(covariance.clone()).ok_or(TiltsError::Covariance)?.l();
        if examples <= d {
            return Err(TiltsError::TooFew { examples, dimension: d });
        }
        let drawn = Self::given(&standard_normals(d, examples, seed))?;
        // N > d normal vectors span ℝᵈ with probability 1.
        let found = Cholesky::new(drawn.covariance()).ok_or(TiltsError::TooFew { examples, dimension: d })?.l();
        let stretched: Vec<Vec<f64>> = (0..examples)
            .map(|example| {
                let mut vector: Vec<f64> = (0..d).map(|i| drawn.row(i)[example]).collect();
                solve_lower(&found, &mut vector);
                multiply_lower(&wanted, &mut vector);
                vector
            })
            .collect();
        Self::given(&stretched)
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// N.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Coordinate i of all vectors.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.coordinates[i * self.examples..(i + 1) * self.examples]
    }

    /// (1/N) Σ ξᵢξᵢᵀ, d × d.
    pub fn covariance(&self) -> DMatrix<f64> {
        let product = |i: usize, j: usize| self.row(i).iter().zip(self.row(j)).map(|(x, y)| x * y).sum::<f64>();
        DMatrix::from_fn(self.dimension, self.dimension, |i, j| product(i.min(j), i.max(j)) / self.examples as f64)
    }
}

/// Normals for each example: those of 64 trajectories of a stream of their own, row after row.
pub(super) fn standard_normals(d: usize, examples: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut stream = IncrementBlock::for_purpose(seed, 0, Purpose::Examples);
    let mut rows = vec![0.0; (d * examples).next_multiple_of(LANES)];
    stream.fill(&mut rows);
    rows.chunks_exact(d).take(examples).map(<[f64]>::to_vec).collect()
}

/// The numbers less their mean, as multiples of a power of two whose sum is 0 exactly.
fn centred(mut numbers: Vec<f64>) -> Vec<f64> {
    let count = numbers.len();
    let mean = numbers.iter().sum::<f64>() / count as f64;
    numbers.iter_mut().for_each(|x| *x -= mean);
    let largest = numbers.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 {
        return numbers;
    }
    // Of the 53 bits of a number one is left for what is shared out below, and log₂N for the sum.
    let bits = 51 - count.ilog2() as i32;
    let unit = bits - libm::frexp(largest).1;
    let mut multiples: Vec<i64> = numbers.iter().map(|x| libm::ldexp(*x, unit).round() as i64).collect();
    let excess: i64 = multiples.iter().sum();
    let (each, further) = (excess.div_euclid(count as i64), excess.rem_euclid(count as i64) as usize);
    for (index, multiple) in multiples.iter_mut().enumerate() {
        *multiple -= each + i64::from(index < further);
    }
    multiples.iter().map(|&multiple| libm::ldexp(multiple as f64, -unit)).collect()
}

/// vector ← L⁻¹·vector.
fn solve_lower(factor: &DMatrix<f64>, vector: &mut [f64]) {
    for i in 0..vector.len() {
        let known: f64 = (0..i).map(|j| factor[(i, j)] * vector[j]).sum();
        vector[i] = (vector[i] - known) / factor[(i, i)];
    }
}

/// vector ← L·vector.
pub(super) fn multiply_lower(factor: &DMatrix<f64>, vector: &mut [f64]) {
    for i in (0..vector.len()).rev() {
        vector[i] = (0..=i).map(|j| factor[(i, j)] * vector[j]).sum();
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    #[test]
    fn sums_are_zero_to_the_last_bit_and_covariances_those_asked_for() {
        let covariance = dmatrix![2.0, 0.6, 0.0; 0.6, 0.5, -1e-4; 0.0, -1e-4, 1e-6];
        for examples in [4, 5, 64, 1_000, 100_003] {
            let tilts = Tilts::normal(&covariance, examples, 3).unwrap();
            for i in 0..3 {
                assert_eq!(tilts.row(i).iter().sum::<f64>(), 0.0);
                assert_eq!(tilts.row(i).iter().rev().sum::<f64>(), 0.0);
            }
            let error = (tilts.covariance() - &covariance).abs();
            for (i, j) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
                let scale = (covariance[(i, i)] * covariance[(j, j)]).sqrt();
                assert!(error[(i, j)] < 1e-8 * scale, "N = {examples}: C[{i}][{j}] is off by {:e}", error[(i, j)]);
            }
        }
    }

    #[test]
    fn given_vectors_are_centred() {
        let tilts = Tilts::given(&[vec![1.0, 5.0], vec![2.0, 5.0], vec![6.0, 5.0]]).unwrap();
        assert_eq!((tilts.row(0), tilts.row(1)), (&[-2.0, -1.0, 3.0][..], &[0.0; 3][..]));
    }

    #[test]
    fn what_no_examples_can_have_is_refused() {
        assert_eq!(Tilts::given(&[]), Err(TiltsError::Shape));
        assert_eq!(Tilts::given(&[vec![1.0], vec![1.0, 2.0]]), Err(TiltsError::Shape));
        assert_eq!(Tilts::given(&[vec![f64::NAN]]), Err(TiltsError::Shape));
        assert_eq!(Tilts::normal(&dmatrix![1.0, 2.0; 2.0, 1.0], 9, 1), Err(TiltsError::Covariance));
        assert_eq!(
            Tilts::normal(&DMatrix::identity(3, 3), 3, 1),
            Err(TiltsError::TooFew { examples: 3, dimension: 3 })
        );
    }
}
