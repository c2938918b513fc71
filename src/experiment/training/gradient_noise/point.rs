//! One θ: the gradients of all examples there, their covariance, and the directions in which batches are looked at.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::course::Course;
use super::super::curvature::PIECE;
use crate::findings::{EigenvaluePanel, MeasureRecord};
use crate::network::{Batch, Examples, Network, Workspace};
use crate::random::batches::Sampling;
use crate::spectrum::{
    Eigenpairs, GradientCovariance, LanczosPlan, MomentPlan, Moments, Products, SpectrumError, alignment, eigenpairs,
    moments, probe_vector,
};
use crate::statistics::Estimate;
use crate::theory::batch_mean::Shape;
use crate::theory::minibatch::finite_population;

/// Eigenvalues of each matrix in the figure.
const SHOWN: usize = 30;
/// Examples that sample tr(HC).
const SAMPLED: usize = 600;
/// Gradients of all examples of up to so many numbers are held (a quarter of a gigabyte); else so many of them at once.
const ROWS_UP_TO: usize = 1 << 25;
const ROWS_AT_ONCE: usize = 1 << 21;

/// Numbers of gradients that are held at once.
pub(super) fn gradients_held(examples: usize, parameters: usize) -> usize {
    let all = examples.saturating_mul(parameters);
    if all > ROWS_UP_TO { rows_at_once(parameters) * parameters } else { all }
}

/// Vectors as long as θ that Lanczos's method holds: its basis, and what it knows of the eigenvectors.
pub(super) fn vectors_held() -> usize {
    let plan = lanczos(0);
    plan.basis + 2 * plan.count + 4
}

/// Of gradients that are made anew.
fn rows_at_once(parameters: usize) -> usize {
    (ROWS_AT_ONCE / parameters).clamp(1, PIECE)
}

/// Where the noise is measured.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub epoch: f64,
    pub replica: u64,
    /// In double precision.
    pub theta: Vec<f64>,
}

impl Place {
    pub(super) fn name(&self) -> String {
        format!("epoch {}, replica {}", (self.epoch * 1e3).round() / 1e3, self.replica)
    }
}

/// A unit vector u and what the gradients of the examples are along it.
pub(super) struct Direction {
    pub name: String,
    pub vector: Vec<f64>,
    /// Of u·∇ℓᵢ over the examples.
    pub shape: Shape,
}

/// The noise at one θ.
pub(super) struct Point {
    pub place: Place,
    /// ∇L.
    pub gradient: Vec<f64>,
    /// tr C.
    pub trace: f64,
    /// The first eigenvector of C, then random ones.
    pub directions: Vec<Direction>,
    /// u·(∇ℓᵢ − ∇L), `[example][direction]`.
    pub projections: Vec<f64>,
    /// What is told of H and C.
    pub measures: Vec<MeasureRecord>,
    pub eigenvalues: EigenvaluePanel,
}

impl Point {
    /// All that is exact or sampled of H and C.
    ///
    /// # Errors
    /// When a gradient or a curvature is no finite number, or is told to be none because the run was stopped; without noise along a direction.
    pub(super) fn of(
        course: &Course,
        examples: &Examples<f64>,
        place: Place,
        directions: u64,
        stop: &AtomicBool,
    ) -> Result<Self, SpectrumError> {
        let theta = place.theta.clone();
        let curved = Curved { network: &course.network, examples, theta: &theta, stop };
        let covariance = curved.covariance(ROWS_UP_TO)?;
        let seed = course.seed;
        let (first, second) = rayon::join(
            || curved.spectrum(seed),
            || {
                let noisy = (largest_of(&covariance, seed)?, squared_norm(&covariance, seed)?);
                let mut workspace = Workspace::new(&course.network, PIECE);
                let aligned = covariance.trace_of_product(&mut curved.products(&mut workspace), SAMPLED, seed)?;
                Ok::<_, SpectrumError>((noisy, aligned))
            },
        );
        let ((sharpest, hessian), ((noisiest, squared_noise), aligned)) = (first?, second?);
        let mut measures = Vec::new();
        let first = noisiest.pairs.first().map_or(0.0, |pair| pair.value);
        told(&mut measures, "tr C", Some(Estimate::exact(covariance.trace())));
        told(&mut measures, "λ₁(C)", Some(Estimate::exact(first)));
        told(&mut measures, "effective rank", covariance.effective_rank(&squared_noise));
        told(&mut measures, "anisotropy", covariance.anisotropy(first).map(Estimate::exact));
        told(&mut measures, "tr H", Some(hessian.trace));
        told(&mut measures, "λ₁(H)", sharpest.pairs.first().map(|pair| Estimate::exact(pair.value)));
        told(&mut measures, "alignment", alignment(&aligned, &hessian.squared_frobenius, &squared_noise));
        let eigenvalues = EigenvaluePanel {
            place: place.name(),
            hessian: sharpest.pairs.iter().map(|pair| [pair.value, pair.residual]).collect(),
            noise: noisiest.pairs.iter().map(|pair| [pair.value, pair.residual]).collect(),
        };
        let top = noisiest.pairs.into_iter().next().map(|pair| pair.vector).unwrap_or_default();
        let (directions, projections) = along(&covariance, top, directions, seed)?;
        let (gradient, trace) = (covariance.mean().to_vec(), covariance.trace());
        Ok(Self { place, gradient, trace, directions, projections, measures, eigenvalues })
    }

    /// N.
    pub(super) fn examples(&self) -> usize {
        self.projections.len() / self.directions.len()
    }

    /// The projections of all examples along a direction.
    pub(super) fn column(&self, direction: usize) -> Vec<f64> {
        self.projections.iter().skip(direction).step_by(self.directions.len()).copied().collect()
    }
}

/// The moments of the mean of S of N examples with this shape, and by what C/S is multiplied; `None` where nothing is left to chance. One batch
/// of an epoch, by itself, is a random subset.
pub(super) fn predicted(shape: &Shape, sampling: Sampling, examples: usize, size: u64) -> Option<(Shape, f64)> {
    match sampling {
        Sampling::WithReplacement => Some((shape.with_replacement(size as f64), 1.0)),
        Sampling::WithoutReplacement | Sampling::Epochs => {
            let shape = shape.without_replacement(examples as f64, size as f64)?;
            Some((shape, finite_population(examples, size as usize)))
        }
    }
}

/// H and C at one θ.
#[derive(Clone, Copy)]
struct Curved<'a> {
    network: &'a Network,
    examples: &'a Examples<f64>,
    theta: &'a [f64],
    stop: &'a AtomicBool,
}

impl<'a> Curved<'a> {
    /// C by the gradients of all examples, in double precision: of up to so many numbers they are held, of more they are made anew, some at
    /// a time, for every product.
    fn covariance(self, rows_up_to: usize) -> Result<GradientCovariance<'a>, SpectrumError> {
        let Self { network, examples, theta, stop } = self;
        let (count, d) = (examples.count(), theta.len());
        let gradients = move |some: Range<usize>, rows: &mut [f64]| {
            if stop.load(Ordering::Relaxed) {
                rows.fill(f64::NAN);
                return;
            }
            let mut workspace = Workspace::new(network, PIECE.min(some.len()));
            let indices: Vec<u32> = some.map(|example| example as u32).collect();
            network.example_gradients(theta, Batch::of(examples, &indices), rows, &mut workspace);
        };
        if count * d > rows_up_to {
            return GradientCovariance::by_blocks(count, d, rows_at_once(d), Box::new(gradients));
        }
        let mut rows = vec![0.0; count * d];
        gradients(0..count, &mut rows);
        GradientCovariance::new(rows, d)
    }

    /// H as an operator; of a run that was stopped products are no numbers, which ends whatever asks for them.
    fn products<'w>(
        &self,
        workspace: &'w mut Workspace<f64>,
    ) -> Products<impl FnMut(&[f64], &mut [f64]) + use<'a, 'w>> {
        let Self { network, examples, theta, stop } = *self;
        Products::new(theta.len(), move |v: &[f64], out: &mut [f64]| {
            if stop.load(Ordering::Relaxed) {
                out.fill(f64::NAN);
            } else {
                network.hessian_product(theta, Batch::all(examples), v, out, workspace);
            }
        })
    }

    /// The largest eigenvalues of H, its trace and its norm.
    fn spectrum(&self, seed: u64) -> Result<(Eigenpairs, Moments), SpectrumError> {
        let mut workspace = Workspace::new(self.network, PIECE);
        let sharpest = eigenpairs(&mut self.products(&mut workspace), &lanczos(seed))?;
        Ok((sharpest, moments(&mut self.products(&mut workspace), &moment_plan(seed))?))
    }
}

fn largest_of(covariance: &GradientCovariance<'_>, seed: u64) -> Result<Eigenpairs, SpectrumError> {
    if covariance.has_gram() {
        return covariance.largest(SHOWN, seed);
    }
    eigenpairs(&mut covariance.products(), &lanczos(seed))
}

fn squared_norm(covariance: &GradientCovariance<'_>, seed: u64) -> Result<Estimate, SpectrumError> {
    covariance.squared_frobenius(&moment_plan(seed))
}

/// To 1e−5 of the largest: the figure shows no more, and what is predicted along v₁ is exact for any v₁.
fn lanczos(seed: u64) -> LanczosPlan {
    LanczosPlan { tolerance: 1e-5, maximum_products: 3_000, seed, ..LanczosPlan::largest(SHOWN) }
}

fn moment_plan(seed: u64) -> MomentPlan {
    MomentPlan { exact_up_to: 500, seed, ..MomentPlan::default() }
}

fn told(measures: &mut Vec<MeasureRecord>, quantity: &str, estimate: Option<Estimate>) {
    let Some(estimate) = estimate.filter(Estimate::is_finite) else { return };
    measures.push(MeasureRecord {
        quantity: quantity.to_owned(),
        measured: estimate.value,
        standard_error: estimate.standard_error,
        interval: (estimate.standard_error > 0.0).then(|| estimate.interval(0.95)).flatten(),
        left_out: None,
    });
}

/// v₁ and as many random directions, with the projections of all examples.
fn along(
    covariance: &GradientCovariance<'_>,
    top: Vec<f64>,
    random: u64,
    seed: u64,
) -> Result<(Vec<Direction>, Vec<f64>), SpectrumError> {
    let dimension = covariance.dimension();
    let length = (dimension as f64).sqrt();
    let signs = |index: u64| probe_vector(seed, index, dimension).iter().map(|sign| sign / length).collect();
    let drawn = (0..random).map(|index| (format!("random direction {}", index + 1), signs(index)));
    let vectors: Vec<(String, Vec<f64>)> = std::iter::once(("v₁".to_owned(), top)).chain(drawn).collect();
    let columns: Vec<Vec<f64>> = vectors.iter().map(|(_, vector)| covariance.projections(vector)).collect();
    let mut directions = Vec::new();
    for ((name, vector), column) in vectors.into_iter().zip(&columns) {
        let what = || format!("the skewness of the noise along {name}, where all gradients agree,");
        let shape = Shape::of(column).ok_or_else(|| SpectrumError::NotFinite { what: what() })?;
        directions.push(Direction { name, vector, shape });
    }
    let projections = (0..covariance.examples()).flat_map(|row| columns.iter().map(move |column| column[row]));
    Ok((directions, projections.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::training::curvature::double_examples;
    use crate::experiment::training::gradient_noise::three_clouds;
    use crate::spectrum::SymmetricOperator;

    /// Gradients that are made anew give the covariance of those that are held, by other ways of finding its eigenvalues.
    #[test]
    fn covariances_by_blocks_are_those_of_all_rows() {
        let course = three_clouds();
        let examples = double_examples(&course).unwrap();
        let (theta, stop) = (course.first_weights(), AtomicBool::new(false));
        let curved = Curved { network: &course.network, examples: &examples, theta: &theta, stop: &stop };
        let (held, made) = (curved.covariance(ROWS_UP_TO).unwrap(), curved.covariance(0).unwrap());
        assert!(held.has_gram() && !made.has_gram());
        assert_eq!(held.mean(), made.mean());
        assert_eq!(held.trace(), made.trace());
        assert_eq!(held.projections(&theta), made.projections(&theta));
        let [one, other] = [&held, &made].map(|covariance| largest_of(covariance, 1).unwrap());
        assert!((one.pairs[0].value / other.pairs[0].value - 1.0).abs() < 1e-9);
        let [one, other] = [&held, &made].map(|covariance| squared_norm(covariance, 1).unwrap().value);
        assert!((one / other - 1.0).abs() < 1e-9);
        // A run that was stopped has no numbers.
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(curved.covariance(0), Err(SpectrumError::NotFinite { .. })));
        let mut product = vec![0.0; theta.len()];
        made.products().apply(&theta, &mut product);
        assert!(product.iter().all(|x| x.is_nan()));
    }
}
