//! C(θ) = σ(θ)²I with σ a typed formula: noise that depends on θ (Itô).

use std::collections::BTreeMap;
use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::GradientNoise;
use crate::input::{Number, Table};
use crate::instructions::vectorized;
use crate::loss::expression::{Expression, ExpressionSpec, FormulaError, parameters_are_sound};
use crate::loss::{LANES, Loss};

/// Noise of standard deviation σ(θ) per coordinate, independently. The SDE is meant in Itô's sense: σ is taken where
/// the step begins, as SGD does it.
///
/// ```
/// use sgd_sde::loss::expression::Expression;
/// use sgd_sde::noise::{GradientNoise, expression::FormulaNoise};
/// let noise = FormulaNoise::new(Expression::new(&["x".into()], &[("a".into(), 2.0)], "a + x^2")?);
/// assert_eq!(noise.covariance(&[1.0])[(0, 0)], 9.0);
/// assert!(!noise.is_additive());
/// # Ok::<(), sgd_sde::loss::expression::FormulaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FormulaNoise {
    sigma: Expression,
}

impl FormulaNoise {
    /// Noise of standard deviation σ(θ). Only σ² matters to the law; a σ that is 0 somewhere has no noise there.
    pub fn new(sigma: Expression) -> Self {
        Self { sigma }
    }

    /// The noise of a description, where the coordinates have these names.
    ///
    /// # Errors
    /// When σ is no formula of these names.
    pub fn of(spec: &FormulaNoiseSpec, variables: &[String]) -> Result<Self, FormulaError> {
        let parameters: Vec<_> = spec.parameters.iter().map(|(name, value)| (name.clone(), *value)).collect();
        Ok(Self::new(Expression::new(variables, &parameters, &spec.sigma)?))
    }

    /// σ(θ).
    pub fn sigma(&self, theta: &[f64]) -> f64 {
        self.sigma.value(theta)
    }
}

/// Every row of a block times the lanes of one row.
#[inline(always)]
fn multiply_rows(rows: &mut [f64], factors: &[f64]) {
    let Some(factors) = factors.first_chunk::<LANES>() else { return };
    for row in rows.as_chunks_mut::<LANES>().0 {
        for l in 0..LANES {
            row[l] *= factors[l];
        }
    }
}

impl GradientNoise for FormulaNoise {
    fn dimension(&self) -> usize {
        self.sigma.dimension()
    }

    fn covariance(&self, theta: &[f64]) -> DMatrix<f64> {
        let sigma = self.sigma(theta);
        DMatrix::from_diagonal_element(self.dimension(), self.dimension(), sigma * sigma)
    }

    /// A formula in which no variable occurs is a number.
    fn isotropic_variance(&self) -> Option<f64> {
        self.sigma.constant().map(|sigma| sigma * sigma)
    }

    fn block_scratch(&self) -> usize {
        LANES + self.sigma.block_scratch()
    }

    /// dσ², and σ² along every direction.
    fn variances_block(&self, theta: &[f64], _directions: &[Vec<f64>], rows: &mut [f64], scratch: &mut [f64]) {
        let (sigma, scratch) = scratch.split_at_mut(LANES);
        self.sigma.value_block(theta, sigma, scratch);
        let d = self.dimension() as f64;
        for (index, row) in rows.chunks_exact_mut(LANES).enumerate() {
            for (variance, sigma) in row.iter_mut().zip(&*sigma) {
                *variance = if index == 0 { d * sigma * sigma } else { sigma * sigma };
            }
        }
    }

    fn apply_block(&self, theta: &[f64], normals: &mut [f64], scratch: &mut [f64]) {
        let (sigma, scratch) = scratch.split_at_mut(LANES);
        self.sigma.value_block(theta, sigma, scratch);
        vectorized(
            #[inline(always)]
            || multiply_rows(normals, sigma),
        );
    }
}

/// `noise.kind = "expression"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormulaNoiseSpec {
    /// σ(θ) as a formula in the variables of the loss.
    pub sigma: String,
    /// Named constants of the formula, its own and not the loss's.
    pub parameters: BTreeMap<String, f64>,
}

impl FormulaNoiseSpec {
    pub(crate) fn read(table: &Table<'_>, variables: Option<&[String]>) -> Option<Self> {
        let parameters = table.named_numbers("parameters", &Number::any("a parameter of σ", "0.5"));
        let what = "σ as a formula, the standard deviation of the per-example gradient in each coordinate,";
        let sigma = table.text("sigma", what, "1 + x^2/4");
        let names = variables.unwrap_or_default();
        let parameters = parameters.filter(|parameters| parameters_are_sound(table, parameters, names));
        // Without its variables a formula cannot be judged; what is wrong with the loss has been told.
        let variables = variables?.to_vec();
        let spec = ExpressionSpec { variables, parameters: parameters?, formula: sigma? }.checked(table, "sigma")?;
        Some(Self { sigma: spec.formula, parameters: spec.parameters })
    }

    pub(crate) fn build(&self, variables: &[String]) -> Result<Arc<dyn GradientNoise>, FormulaError> {
        Ok(Arc::new(FormulaNoise::of(self, variables)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(sigma: &str) -> FormulaNoise {
        FormulaNoise::new(Expression::new(&["x".into(), "y".into()], &[("a".into(), 3.0)], sigma).unwrap())
    }

    #[test]
    fn sigma_multiplies_every_coordinate_and_squares_into_the_covariance() {
        let noise = noise("1 + x^2 + a*y");
        assert_eq!((noise.isotropic_variance(), noise.is_additive()), (None, false));
        let theta: Vec<f64> = (0..2 * LANES).map(|i| (i as f64).sqrt() / 7.0).collect();
        let mut normals: Vec<f64> = (0..2 * LANES).map(|i| 1.0 - i as f64 / 20.0).collect();
        let drawn = normals.clone();
        noise.apply_block(&theta, &mut normals, &mut vec![f64::NAN; noise.block_scratch()]);
        for lane in 0..LANES {
            let point = [theta[lane], theta[LANES + lane]];
            let sigma = 1.0 + point[0] * point[0] + 3.0 * point[1];
            for row in 0..2 {
                let expected = sigma * drawn[row * LANES + lane];
                assert!((normals[row * LANES + lane] - expected).abs() < 1e-14 * sigma);
                assert!((noise.covariance(&point)[(row, row)] - sigma * sigma).abs() < 1e-13 * sigma * sigma);
            }
            assert_eq!(noise.covariance(&point)[(0, 1)], 0.0);
        }
    }

    #[test]
    fn a_formula_without_variables_is_additive() {
        assert_eq!(noise("2*a - 1").isotropic_variance(), Some(25.0));
        assert!(noise("2*a - 1").is_additive() && !noise("2*a - 1 + 0*x").is_additive());
    }
}
