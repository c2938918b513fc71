//! What the library says of parabolas, of least squares, and of the law of a batch's mean: closed forms, good to rounding.

use nalgebra::{DMatrix, DVector};
use sgd_sde::theory::Scheme;
use sgd_sde::theory::batch_law::{BatchLaw, Drawing};
use sgd_sde::theory::minibatch::{epoch_covariance, finite_population, momentum_variance};
use sgd_sde::theory::ornstein_uhlenbeck::scheme_covariance;
use sgd_sde::theory::regression::{Batches, of_examples, of_normal_features};
use sgd_sde::theory::weak_error::{Bowl, Process};

use super::table::{Answer, Case};

/// In parts of the largest number of a case.
const ROUNDING: f64 = 1e-12;
/// The lattice of a batch's law counts numbers as equal within this.
const COUNTED: f64 = 1e-7;

fn matrix(rows: &[Vec<f64>]) -> DMatrix<f64> {
    DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn rounded(numbers: Vec<f64>) -> Answer {
    let largest = numbers.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    Answer::to_amount(numbers, ROUNDING * largest)
}

pub fn answer(case: &Case) -> Result<Answer, String> {
    match case.quantity.as_str() {
        "stationary covariance" => {
            let sigma = covariance(case).ok_or("no stationary covariance")?;
            Ok(rounded(sigma.transpose().iter().copied().collect()))
        }
        "weak error" => {
            let [sgd, sde] = [Process::Sgd, process(&case.process)].map(|process| {
                let (mean, spread) = moments(case, process);
                mean[0] * mean[0] + spread[(0, 0)]
            });
            // The difference of two numbers below 1.
            Ok(Answer::to_amount(vec![sde - sgd], ROUNDING))
        }
        "moments" => {
            let (mean, spread) = moments(case, process(&case.process));
            Ok(rounded(mean.iter().chain(spread.transpose().iter()).copied().collect()))
        }
        _ => batch(case),
    }
}

fn covariance(case: &Case) -> Option<DMatrix<f64>> {
    let with = |scheme: Scheme| {
        let (h, c) = (matrix(&case.hessian), matrix(&case.covariance));
        scheme_covariance(scheme, &h, &c, case.noise_scale, case.step.unwrap())
    };
    match case.scheme.as_str() {
        "SDE" | "Euler-Maruyama" => with(Scheme::EulerMaruyama),
        "Leimkuhler-Matthews" => with(Scheme::LeimkuhlerMatthews),
        "Platen" => with(Scheme::Platen),
        "heavy ball" => {
            let Case { curvature, variance, learning_rate, momentum, batch, .. } = *case;
            let found = momentum_variance(curvature, variance, learning_rate, momentum, batch as f64);
            found.map(|variance| DMatrix::from_element(1, 1, variance))
        }
        "shuffled epochs" => {
            let xi = matrix(&case.examples);
            let covariance = xi.transpose() * &xi / xi.nrows() as f64;
            epoch_covariance(&matrix(&case.hessian), &covariance, case.learning_rate, xi.nrows(), case.batch)
        }
        "least squares, normal features" => {
            let batches = Batches::independent(case.learning_rate, case.batch);
            of_normal_features(&matrix(&case.hessian), case.variance, &batches)
        }
        "least squares, examples" => {
            let (x, y) = (matrix(&case.features), DVector::from_column_slice(&case.targets));
            let best = (x.transpose() * &x).lu().solve(&(x.transpose() * &y))?;
            let residuals = y - &x * best;
            let factor = if case.replacement { 1.0 } else { finite_population(x.nrows(), case.batch) };
            let batches = Batches { factor, ..Batches::independent(case.learning_rate, case.batch) };
            of_examples(case.features.iter().map(Vec::as_slice).zip(residuals.iter().copied()), &batches)
        }
        other => panic!("{}: no scheme of the name {other}", case.name),
    }
}

fn process(name: &str) -> Process {
    match name {
        "SGD" => Process::Sgd,
        "first" => Process::FirstOrder,
        "second" => Process::SecondOrder,
        other => panic!("no process of the name {other}"),
    }
}

fn moments(case: &Case, process: Process) -> (DVector<f64>, DMatrix<f64>) {
    let bowl = Bowl::new(&vec![0.0; case.start.len()], &matrix(&case.hessian), &matrix(&case.covariance));
    bowl.moments(process, &case.start, case.learning_rate, case.batch as f64, case.steps)
}

fn batch(case: &Case) -> Result<Answer, String> {
    let drawing = if case.drawing == "subset" { Drawing::Subset } else { Drawing::Independent };
    let law = BatchLaw::of(&case.numbers, case.batch as u64, drawing).ok_or("no law")?;
    // Two bounds, the middle of which is off by no more than half of what is between them.
    let [low, high] = law.distance();
    Ok(Answer::to_amount(vec![0.5 * (low + high)], 0.5 * (high - low) + COUNTED))
}
