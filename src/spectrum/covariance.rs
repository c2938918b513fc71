//! The covariance of per-example gradients.

use std::ops::Range;
use std::sync::OnceLock;

use nalgebra::DMatrix;

use super::dense::for_each_column;
use super::eigenpair::pairs_in_span;
use super::operator::{Measured, SymmetricOperator};
use super::tridiagonal::symmetric_eigen;
use super::vector::{add_scaled, divide, dot, norm, orthogonalise, random_orthogonal};
use super::{Eigenpairs, LanczosPlan, MomentPlan, SpectrumError, eigenpairs, moments};
use crate::random::{Purpose, stream::Stream};
use crate::statistics::Estimate;

/// Up to min(N, d) of this size the Gram matrix is made, and its full spectrum.
pub const GRAM_UP_TO: usize = 1_000;

/// Rows and columns of a tile of the Gram matrix, whose pieces of rows fit into the cache.
const TILE: usize = 8;
/// Coordinates of such a piece.
const PIECE: usize = 512;

/// An eigenvector that has less than this of the largest length is made of rounding.
const VANISHING: f64 = 1e-7;

/// C = (1/N) Σ xᵢxᵢᵀ with xᵢ = gᵢ − ḡ, from the gradients of N examples: held as these, never as d² numbers unless d is small; or made
/// anew, some at a time, whenever they are needed ([`GradientCovariance::by_blocks`]).
///
/// ```
/// use sgd_sde::spectrum::GradientCovariance;
///
/// // Gradients of four examples in ℝ³.
/// let rows = vec![1.0, 0.0, 5.0, -1.0, 0.0, 5.0, 0.0, 2.0, 5.0, 0.0, -2.0, 5.0];
/// let covariance = GradientCovariance::new(rows, 3)?;
/// assert_eq!(covariance.mean(), [0.0, 0.0, 5.0]);
/// assert_eq!(covariance.trace(), 2.5); // (1 + 1 + 4 + 4)/4
/// let top = covariance.largest(1, 0)?;
/// assert!((top.pairs[0].value - 2.0).abs() < 1e-14);
/// # Ok::<(), sgd_sde::spectrum::SpectrumError>(())
/// ```
pub struct GradientCovariance<'a> {
    rows: Rows<'a>,
    examples: usize,
    mean: Vec<f64>,
    /// XXᵀ/N if N ≤ d, else XᵀX/N = C; made when first asked for.
    gram: OnceLock<DMatrix<f64>>,
}

/// Where the rows xᵢ come from.
enum Rows<'a> {
    /// All of them, one after the other.
    Held(Vec<f64>),
    /// Made anew, at most `at_once` of them.
    Made { at_once: usize, gradients: Box<GradientsOf<'a>> },
}

/// Writes the gradients of a range of examples, one after the other.
pub type GradientsOf<'a> = dyn Fn(Range<usize>, &mut [f64]) + Send + Sync + 'a;

impl std::fmt::Debug for GradientCovariance<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_held = matches!(self.rows, Rows::Held(_));
        let mut fields = formatter.debug_struct("GradientCovariance");
        fields.field("examples", &self.examples).field("mean", &self.mean).field("is_held", &is_held).finish()
    }
}

impl<'a> GradientCovariance<'a> {
    /// From the gradients of N ≥ 1 examples, d numbers each, one example after the other.
    ///
    /// Errors: [`SpectrumError::Empty`] without numbers, [`SpectrumError::Dimension`] if they are no multiple of d,
    /// [`SpectrumError::NotFinite`].
    pub fn new(mut gradients: Vec<f64>, dimension: usize) -> Result<Self, SpectrumError> {
        if gradients.is_empty() || dimension == 0 {
            return Err(SpectrumError::Empty);
        }
        let examples = gradients.len().div_ceil(dimension);
        if examples * dimension != gradients.len() {
            let (found, expected) = (gradients.len(), examples * dimension);
            return Err(SpectrumError::Dimension { what: "the list of gradients", found, expected });
        }
        if let Some(index) = gradients.iter().position(|g| !g.is_finite()) {
            let what = format!("coordinate {} of the gradient of example {}", index % dimension, index / dimension);
            return Err(SpectrumError::NotFinite { what });
        }
        let mut mean = vec![0.0; dimension];
        for row in gradients.chunks_exact(dimension) {
            add_scaled(&mut mean, 1.0, row);
        }
        divide(&mut mean, examples as f64);
        for row in gradients.chunks_exact_mut(dimension) {
            add_scaled(row, -1.0, &mean);
        }
        Ok(Self { rows: Rows::Held(gradients), examples, mean, gram: OnceLock::new() })
    }

    /// From the gradients of N examples that are made anew, at most `at_once` of them, whenever they are needed: N·d numbers may be too many to
    /// hold. `gradients` gives the same numbers every time. The Gram matrix is then not made.
    ///
    /// Errors: [`SpectrumError::Empty`] for N, d or `at_once` of 0, [`SpectrumError::NotFinite`].
    ///
    /// ```
    /// use sgd_sde::spectrum::GradientCovariance;
    ///
    /// let gradients = [[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]];
    /// let some = |examples: std::ops::Range<usize>, rows: &mut [f64]| {
    ///     rows.copy_from_slice(gradients[examples].as_flattened());
    /// };
    /// let covariance = GradientCovariance::by_blocks(4, 2, 3, Box::new(some))?;
    /// assert_eq!(covariance.trace(), 2.5);
    /// # Ok::<(), sgd_sde::spectrum::SpectrumError>(())
    /// ```
    pub fn by_blocks(
        examples: usize,
        dimension: usize,
        at_once: usize,
        gradients: Box<GradientsOf<'a>>,
    ) -> Result<Self, SpectrumError> {
        if examples == 0 || dimension == 0 || at_once == 0 {
            return Err(SpectrumError::Empty);
        }
        let rows = Rows::Made { at_once, gradients };
        let mut covariance = Self { rows, examples, mean: vec![0.0; dimension], gram: OnceLock::new() };
        // The mean is 0 as yet: these are the gradients themselves.
        let (mut mean, mut broken) = (vec![0.0; dimension], None);
        covariance.for_each_row(|index, row| {
            let place = row.iter().position(|g| !g.is_finite());
            broken = broken.or(place.map(|coordinate| [coordinate, index]));
            add_scaled(&mut mean, 1.0, row);
        });
        if let Some([coordinate, example]) = broken {
            let what = format!("coordinate {coordinate} of the gradient of example {example}");
            return Err(SpectrumError::NotFinite { what });
        }
        divide(&mut mean, examples as f64);
        covariance.mean = mean;
        Ok(covariance)
    }

    /// Whether the Gram matrix gives eigenvalues and ‖C‖²_F: the rows are at hand and min(N, d) ≤ [`GRAM_UP_TO`].
    pub fn has_gram(&self) -> bool {
        matches!(self.rows, Rows::Held(_)) && self.examples.min(self.dimension()) <= GRAM_UP_TO
    }

    /// The number N of examples.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// The dimension d.
    pub fn dimension(&self) -> usize {
        self.mean.len()
    }

    /// ḡ ∈ ℝᵈ.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// u·xᵢ of every example.
    ///
    /// # Panics
    /// When u has another length than d.
    pub fn projections(&self, u: &[f64]) -> Vec<f64> {
        assert_eq!(u.len(), self.dimension(), "the length of a direction");
        let mut projections = Vec::with_capacity(self.examples);
        self.for_each_row(|_, row| projections.push(dot(row, u)));
        projections
    }

    /// tr C = (1/N) Σ ‖xᵢ‖².
    pub fn trace(&self) -> f64 {
        let mut sum = 0.0;
        self.for_each_row(|_, row| sum += dot(row, row));
        sum / self.examples() as f64
    }

    /// C as an operator: a product costs 4Nd operations.
    pub fn products(&self) -> CovarianceProducts<'_, 'a> {
        CovarianceProducts { covariance: self }
    }

    /// ‖C‖²_F: exact by the Gram matrix if [there is one](Self::has_gram) (‖XXᵀ‖_F = ‖XᵀX‖_F), else estimated by [`moments`].
    ///
    /// Errors of [`moments`].
    pub fn squared_frobenius(&self, plan: &MomentPlan) -> Result<Estimate, SpectrumError> {
        match self.gram() {
            Some(gram) => Ok(Estimate::exact(dot(gram.as_slice(), gram.as_slice()))),
            None => Ok(moments(&mut self.products(), plan)?.squared_frobenius),
        }
    }

    /// The effective rank (tr C)²/‖C‖²_F between 1 and min(N − 1, d): the number of directions of equal noise with the same ratio. Error by
    /// the delta method; `None` without noise, or if ‖C‖²_F is not known to better than
    /// [`crate::statistics::estimate::LARGEST_RELATIVE_ERROR`].
    pub fn effective_rank(&self, squared_frobenius: &Estimate) -> Option<Estimate> {
        let relative = squared_frobenius.logarithm()?.standard_error;
        let value = self.trace() * self.trace() / squared_frobenius.value;
        Some(Estimate { value, standard_error: value * relative, ..*squared_frobenius })
    }

    /// The anisotropy d·λ₁/tr C of the noise for a largest eigenvalue λ₁: 1 if C = σ²I, d if all noise lies in one direction; `None`
    /// without noise.
    pub fn anisotropy(&self, largest_eigenvalue: f64) -> Option<f64> {
        let trace = self.trace();
        (trace > 0.0).then(|| self.dimension() as f64 * (largest_eigenvalue / trace))
    }

    /// The min(count, d) largest eigenvalues with their vectors, zeros included: by the Gram matrix if [there is one](Self::has_gram)
    /// (XXᵀw = Nλw gives Cv = λv for v = Xᵀw/‖Xᵀw‖), else by [`eigenpairs`]. Residuals are by products made for them.
    ///
    /// Errors: [`SpectrumError::Plan`] for a count of 0. `seed` is that of random vectors.
    pub fn largest(&self, count: usize, seed: u64) -> Result<Eigenpairs, SpectrumError> {
        if count == 0 {
            return Err(SpectrumError::plan("count", count, "at least 1"));
        }
        let Some(gram) = self.gram() else {
            return eigenpairs(&mut self.products(), &LanczosPlan { seed, ..LanczosPlan::largest(count) });
        };
        let (values, vectors) = symmetric_eigen(gram.clone())?;
        let mut span: Vec<Vec<f64>> = Vec::new();
        let mut stream = Stream::new(seed, 0, Purpose::Lanczos);
        for index in 0..count.min(self.dimension()) {
            let candidate = values.len().checked_sub(index + 1).map(|j| self.lifted(vectors.column(j).as_slice()));
            span.extend(self.complete(candidate, &span, &mut stream));
        }
        let next = values.len().checked_sub(span.len() + 1).map_or(0.0, |j| values[j]);
        let nothing_left = span.len() == self.dimension();
        pairs_in_span(&mut self.products(), &span, if nothing_left { f64::NEG_INFINITY } else { next })
    }

    /// tr(HC) = (1/N) Σ xᵢᵀHxᵢ for a matrix H of the same dimension: exact, by min(N, d) products of H, if `examples` ≥ N; else from as many
    /// examples drawn without replacement, with SE² = s²(1 − examples/N)/examples.
    ///
    /// Errors: [`SpectrumError::Dimension`], [`SpectrumError::NotFinite`], [`SpectrumError::Plan`] for a sample of fewer than 2.
    pub fn trace_of_product(
        &self,
        h: &mut dyn SymmetricOperator,
        examples: usize,
        seed: u64,
    ) -> Result<Estimate, SpectrumError> {
        let mut h = Measured::new(h)?;
        let (found, expected) = (h.dimension(), self.dimension());
        if found != expected {
            return Err(SpectrumError::Dimension {
                what: "a row of the matrix beside the covariance",
                found,
                expected,
            });
        }
        let total = self.examples();
        if examples >= total {
            return Ok(Estimate::exact(self.exact_trace_of_product(&mut h)?));
        }
        if examples < 2 {
            return Err(SpectrumError::plan("examples", examples, "at least 2, or all of them"));
        }
        let mut row = vec![0.0; self.dimension()];
        let values = sample(total, examples, seed)
            .into_iter()
            .map(|index| {
                self.write_row(index, &mut row);
                quadratic_form(&mut h, &row)
            })
            .collect::<Result<Vec<f64>, _>>()?;
        let not_finite = || SpectrumError::NotFinite { what: "xᵀHx of an example".into() };
        let mean = Estimate::from_replicas(&values).ok_or_else(not_finite)?;
        let left_out = 1.0 - examples as f64 / total as f64;
        Ok(Estimate { standard_error: mean.standard_error * left_out.sqrt(), ..mean })
    }

    fn exact_trace_of_product(&self, h: &mut Measured) -> Result<f64, SpectrumError> {
        let mut sum = 0.0;
        if self.examples() <= self.dimension() {
            let mut forms = Ok(());
            self.for_each_row(|_, row| {
                if forms.is_ok() {
                    forms = quadratic_form(h, row).map(|form| sum += form);
                }
            });
            return forms.map(|()| sum / self.examples() as f64);
        }
        // tr(HC) = Σⱼ (Heⱼ)·(Ceⱼ).
        let mut unit = vec![0.0; self.dimension()];
        let mut of_c = unit.clone();
        for_each_column(h, |j, of_h| {
            unit[j] = 1.0;
            self.products().apply(&unit, &mut of_c);
            unit[j] = 0.0;
            sum += dot(of_h, &of_c);
        })?;
        Ok(sum)
    }

    /// Calls `work` with the number of every example and its xᵢ, in their order.
    fn for_each_row(&self, mut work: impl FnMut(usize, &[f64])) {
        let d = self.dimension();
        match &self.rows {
            Rows::Held(centred) => {
                centred.chunks_exact(d).enumerate().for_each(|(index, row)| work(index, row));
            }
            Rows::Made { at_once, .. } => {
                let mut room = vec![0.0; d * (*at_once).min(self.examples)];
                for first in (0..self.examples).step_by(*at_once) {
                    let count = (*at_once).min(self.examples - first);
                    self.write_rows(first..first + count, &mut room[..count * d]);
                    let rows = room[..count * d].chunks_exact(d).enumerate();
                    rows.for_each(|(k, row)| work(first + k, row));
                }
            }
        }
    }

    fn write_row(&self, index: usize, row: &mut [f64]) {
        self.write_rows(index..index + 1, row);
    }

    fn write_rows(&self, examples: Range<usize>, rows: &mut [f64]) {
        let d = self.dimension();
        match &self.rows {
            Rows::Held(centred) => rows.copy_from_slice(&centred[examples.start * d..examples.end * d]),
            Rows::Made { gradients, .. } => {
                gradients(examples, rows);
                rows.chunks_exact_mut(d).for_each(|row| add_scaled(row, -1.0, &self.mean));
            }
        }
    }

    /// The smaller of XXᵀ/N and XᵀX/N, if it is small enough and the rows are at hand.
    fn gram(&self) -> Option<&DMatrix<f64>> {
        let (examples, dimension) = (self.examples(), self.dimension());
        let Rows::Held(centred) = &self.rows else { return None };
        self.has_gram().then(|| {
            self.gram.get_or_init(|| {
                let gram = if examples <= dimension {
                    products_of_rows(centred, examples)
                } else {
                    let column = |j: usize| centred.iter().skip(j).step_by(dimension);
                    let columns: Vec<f64> = (0..dimension).flat_map(column).copied().collect();
                    products_of_rows(&columns, dimension)
                };
                gram / examples as f64
            })
        })
    }

    /// The vector in ℝᵈ, not of length 1, that belongs to an eigenvector of the Gram matrix.
    fn lifted(&self, w: &[f64]) -> Vec<f64> {
        if self.examples() > self.dimension() {
            return w.to_vec();
        }
        let mut v = vec![0.0; self.dimension()];
        self.for_each_row(|index, row| add_scaled(&mut v, w[index], row));
        v
    }

    /// The candidate as a unit vector orthogonal to the span; a random one where the candidate is nothing but rounding, which happens when
    /// all noise lies in the span: every other direction then is an eigenvector of 0.
    fn complete(&self, candidate: Option<Vec<f64>>, span: &[Vec<f64>], stream: &mut Stream) -> Option<Vec<f64>> {
        // ‖Xᵀw‖ = √(Nλ), beside the largest there can be.
        let largest =
            if self.examples() > self.dimension() { 1.0 } else { (self.examples() as f64 * self.trace()).sqrt() };
        let usable = candidate.filter(|v| norm(v) > VANISHING * largest).and_then(|mut v| {
            let left = orthogonalise(&mut v, span, &[], &mut []);
            (left > VANISHING * largest).then(|| {
                divide(&mut v, left);
                v
            })
        });
        usable.or_else(|| random_orthogonal(stream, self.dimension(), span, &[]))
    }
}

fn quadratic_form(h: &mut Measured, x: &[f64]) -> Result<f64, SpectrumError> {
    Ok(dot(x, &h.apply(x)?))
}

/// AAᵀ of a matrix given row after row: tile by tile, each sum in the order of the coordinates' pieces.
fn products_of_rows(rows: &[f64], count: usize) -> DMatrix<f64> {
    let length = rows.len() / count;
    let piece = |i: usize, first: usize| &rows[i * length + first..i * length + (first + PIECE).min(length)];
    let mut products = DMatrix::zeros(count, count);
    for i_first in (0..count).step_by(TILE) {
        for j_first in (0..=i_first).step_by(TILE) {
            for first in (0..length).step_by(PIECE) {
                for i in i_first..(i_first + TILE).min(count) {
                    for j in j_first..(j_first + TILE).min(i + 1) {
                        products[(i, j)] += dot(piece(i, first), piece(j, first));
                    }
                }
            }
        }
    }
    products.fill_upper_triangle_with_lower_triangle();
    products
}

/// `count` different numbers below `total`, all sets alike (the beginning of a Fisher–Yates shuffle).
fn sample(total: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut stream = Stream::new(seed, 0, Purpose::ChosenExamples);
    let mut numbers: Vec<usize> = (0..total).collect();
    for i in 0..count {
        // 53 bits over fewer than 2³² numbers: some of them are likelier by 10⁻⁶ of themselves at most.
        let other = i + (stream.uniform() * (total - i) as f64) as usize;
        numbers.swap(i, other.min(total - 1));
    }
    numbers.truncate(count);
    numbers
}

/// The products Cv = (1/N) Σ xᵢ(xᵢ·v) of a covariance.
#[derive(Clone, Copy, Debug)]
pub struct CovarianceProducts<'c, 'a> {
    covariance: &'c GradientCovariance<'a>,
}

impl SymmetricOperator for CovarianceProducts<'_, '_> {
    fn dimension(&self) -> usize {
        self.covariance.dimension()
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.covariance.for_each_row(|_, row| add_scaled(out, dot(row, v), row));
        divide(out, self.covariance.examples() as f64);
    }
}
