//! Losses written as formulas.
//!
//! A formula is parsed into a graph of distinct subexpressions (`graph`); its derivatives are further nodes of the
//! same graph (`derivative`); what is needed of it is laid out (`compiler`) as a tape of instructions (`tape`), run
//! for one point or for a block of points. No step recurses into the formula, and no code is generated or executed.

mod careful;
mod compiler;
mod derivative;
mod error;
mod graph;
mod independence;
mod lexer;
mod names;
mod operation;
mod parser;
mod spec;
mod stable;
mod tape;

use nalgebra::DMatrix;

use self::graph::Graph;
use self::names::Names;
use self::tape::{FEW, Tape};
use super::kernel::Descent;
use super::scratch::with_scratch;
use super::{LANES, Loss};

pub use self::error::FormulaError;
pub use self::spec::ExpressionSpec;
pub(crate) use self::spec::parameters_are_sound;

/// Longest formula in bytes: 1 MiB.
pub const MAXIMUM_LENGTH: usize = 1 << 20;

/// Most operations, constants and variables that a formula and its gradient may have together, each distinct one
/// counted once. A bound on memory: about 600 bytes for each while the formula is read.
pub const MAXIMUM_OPERATIONS: usize = 500_000;

fn too_many_operations(formula: &str) -> FormulaError {
    let message = format!("the formula is too large: it and its gradient may have {MAXIMUM_OPERATIONS} operations");
    FormulaError::new(0, formula.len(), message)
}

/// A loss L(θ) given by a formula, with exact gradient and Hessian.
///
/// # Formulas
///
/// `+ - * / ^`, parentheses, numbers (`2`, `2.`, `.5`, `1e-3`), the variables and parameters, `pi`, `e`, and the
/// functions `sqrt exp log` (natural) `sin cos tan tanh sinh cosh abs min max softplus sigmoid`; `min` and `max` take
/// two or more arguments, `softplus(x)` is log(1 + exp(x)), `sigmoid(x)` is 1/(1 + exp(-x)). `^` associates to the right and binds tighter than a sign: `-x^2` = −(x²), `2^3^2` = 2⁹; `2^-x` is
/// 2⁻ˣ. There is no implicit multiplication: `2*x`, not `2x`. Angles are in radians.
///
/// xⁿ with an integer |n| ≤ 64 is computed by multiplications (x⁴ = (x²)²); other powers go through
/// [`crate::math::pow`], which is NaN for negative x unless the exponent is an integer. The derivative of xʸ by a
/// variable y is xʸ ln x, hence NaN at x = 0.
///
/// Where there is no derivative one is chosen: that of |x| at 0 is 0; `min` and `max` in a tie follow the argument that
/// stands first. `sqrt(x)` at 0 has the slope ∞, and a loss is NaN where it is not defined.
///
/// Values and derivatives that are finite come out finite, although something on the way overflows or is 0·∞:
/// `log(cosh(x))` at 1000, `1/(1 + exp(-x))` at −1000, `sqrt(x^2)^3` at 0. Common forms have rules of their own (`stable`); whatever else is
/// not finite at first is looked at again (`careful`), with exponents that do not run out, then by limits from several
/// sides, which have to agree. What remains undefined stays NaN.
///
/// # Speed
///
/// [`Loss::gradient_block`] runs every instruction over [`LANES`] points with the widest vector instructions the
/// machine has; the results are those of [`Loss::gradient`] to the last bit. `tan` and non-integer powers do not
/// vectorise.
///
/// # Examples
///
/// ```
/// use sgd_sde::loss::{Loss, expression::Expression};
///
/// let tilted_well = Expression::new(&["x".into()], &[("tilt".into(), 0.1)], "x^4/4 - x^2/2 + tilt*x")?;
/// let mut slope = [0.0];
/// tilted_well.gradient(&[2.0], &mut slope);
/// assert_eq!(tilted_well.value(&[2.0]), 2.2);
/// assert_eq!(slope, [8.0 - 2.0 + 0.1]);
/// assert_eq!(tilted_well.hessian(&[2.0])[(0, 0)], 11.0);
///
/// let error = Expression::new(&["x".into()], &[], "2x").unwrap_err();
/// assert_eq!(error.to_string(), "missing operator between `2` and `x`; did you mean `2*x`?");
/// # Ok::<(), sgd_sde::loss::expression::FormulaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expression {
    formula: String,
    variables: Vec<String>,
    constant: Option<f64>,
    /// Which coordinates the formula is a sum of functions of.
    independent: Vec<Vec<usize>>,
    value: Tape,
    gradient: Tape,
    /// From (θ, direction) to H(θ)·direction.
    curvature: Tape,
}

impl Expression {
    /// Reads a formula in which `variables` are the coordinates of θ, in this order, and `parameters` are numbers.
    ///
    /// Names have letters of any script, digits and `_`, do not begin with a digit, differ from each other and from
    /// the functions, `pi` and `e`. Not every name has to be used.
    ///
    /// # Errors
    ///
    /// Names that break these rules, no variable at all, a parameter that is not finite, and every mistake in the
    /// formula, with its place; also a formula beyond [`MAXIMUM_LENGTH`] or [`MAXIMUM_OPERATIONS`].
    pub fn new(variables: &[String], parameters: &[(String, f64)], formula: &str) -> Result<Expression, FormulaError> {
        let mut graph = Graph::default();
        let names = Names::new(&mut graph, variables, parameters)?;
        let root = parser::parse(formula, &names, &mut graph)?;
        let slopes = derivative::gradient(&mut graph, root, variables.len());
        if graph.len() > MAXIMUM_OPERATIONS {
            return Err(too_many_operations(formula));
        }
        let value = Tape::new(&graph, &[root], true);
        let gradient = Tape::new(&graph, &slopes, true);
        let independent = independence::groups(&graph, &slopes);
        let products = derivative::along_direction(&mut graph, &slopes, variables.len());
        let curvature = Tape::new(&graph, &products, true).with_sides();
        let constant = graph.constant_of(root);
        Ok(Expression {
            formula: formula.to_owned(),
            variables: variables.to_vec(),
            constant,
            independent,
            value,
            gradient,
            curvature,
        })
    }

    /// The formula as it was given.
    pub fn formula(&self) -> &str {
        &self.formula
    }

    /// The names of the coordinates of θ, in order.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The number that the formula is, if no variable occurs in it.
    pub fn constant(&self) -> Option<f64> {
        self.constant
    }

    /// How many instructions one gradient takes.
    pub fn operations(&self) -> usize {
        self.gradient.instructions.len()
    }

    /// Writes H(θ)·v for a direction v, all of length d, into `product`, at a few times the cost of a gradient.
    pub fn hessian_product(&self, theta: &[f64], direction: &[f64], product: &mut [f64]) {
        let d = self.dimension();
        with_scratch(2 * d + self.curvature.slots(), |scratch| {
            let (inputs, slots) = scratch.split_at_mut(2 * d);
            inputs[..d].copy_from_slice(&theta[..d]);
            inputs[d..].copy_from_slice(&direction[..d]);
            self.curvature.run(inputs, &mut product[..d], slots);
            careful::mend(&self.value, &self.curvature, d, inputs, &mut product[..d]);
        });
    }

    /// Takes the steps of those trajectories again, one by one, that came from where they were finite to where they are not:
    /// the kernel takes gradients as they come.
    fn descend_again(&self, start: &[f64], descent: Descent<'_>) {
        let Descent { theta, noise, step, scratch, .. } = descent;
        let d = self.dimension();
        let (point, slope) = scratch[..2 * d].split_at_mut(d);
        for lane in 0..LANES {
            let is_finite = |rows: &[f64]| (0..d).all(|i| rows[i * LANES + lane].is_finite());
            if is_finite(theta) || !is_finite(start) {
                continue;
            }
            for i in 0..d {
                point[i] = start[i * LANES + lane];
            }
            for noise in noise.chunks_exact(d * LANES) {
                self.gradient(point, slope);
                for i in 0..d {
                    point[i] = (point[i] + step.diffusion * noise[i * LANES + lane]) - step.drift * slope[i];
                }
            }
            for i in 0..d {
                theta[i * LANES + lane] = point[i];
            }
        }
    }
}

/// Calls `mend` with the inputs and outputs of every lane in which an output is not finite.
fn mend_lanes<const WIDTH: usize>(inputs: &[f64], outputs: &mut [f64], mend: impl Fn(&[f64], &mut [f64])) {
    if all_finite(outputs) {
        return;
    }
    let (mut input, mut output) = (vec![0.0; inputs.len() / WIDTH], vec![0.0; outputs.len() / WIDTH]);
    for lane in 0..WIDTH {
        let gather = |rows: &[f64], point: &mut [f64]| {
            for (x, row) in point.iter_mut().zip(rows.chunks_exact(WIDTH)) {
                *x = row[lane];
            }
        };
        gather(inputs, &mut input);
        gather(outputs, &mut output);
        mend(&input, &mut output);
        for (row, x) in outputs.chunks_exact_mut(WIDTH).zip(&output) {
            row[lane] = *x;
        }
    }
}

/// Without an early exit, so that it vectorises.
fn all_finite(numbers: &[f64]) -> bool {
    numbers.iter().fold(true, |all, x| all & x.is_finite())
}

impl Loss for Expression {
    fn dimension(&self) -> usize {
        self.variables.len()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut value = [0.0];
        with_scratch(self.value.slots(), |scratch| self.value.run(theta, &mut value, scratch));
        careful::mend_value(&self.value, &theta[..self.dimension()], &mut value[0]);
        value[0]
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        with_scratch(self.gradient.slots(), |scratch| self.gradient.run(theta, gradient, scratch));
        let d = self.dimension();
        careful::mend(&self.value, &self.gradient, d, &theta[..d], &mut gradient[..d]);
    }

    /// Its products with the coordinates' unit vectors, some side by side; the upper triangle is mirrored.
    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        let d = self.dimension();
        let mut hessian = DMatrix::zeros(d, d);
        with_scratch(3 * d * FEW + self.curvature.few_scratch(), |scratch| {
            let (inputs, scratch) = scratch.split_at_mut(2 * d * FEW);
            let (products, scratch) = scratch.split_at_mut(d * FEW);
            inputs[..d * FEW].chunks_exact_mut(FEW).zip(theta).for_each(|(row, &x)| row.fill(x));
            for first in (0..d).step_by(FEW) {
                let columns = first..(first + FEW).min(d);
                inputs[d * FEW..].fill(0.0);
                columns.clone().for_each(|j| inputs[(d + j) * FEW + j - first] = 1.0);
                self.curvature.run_few(inputs, products, scratch);
                mend_lanes::<FEW>(inputs, products, |inputs, product| {
                    careful::mend(&self.value, &self.curvature, d, inputs, product);
                });
                for (i, j) in columns.flat_map(|j| (0..=j).map(move |i| (i, j))) {
                    hessian[(i, j)] = products[i * FEW + j - first];
                    hessian[(j, i)] = hessian[(i, j)];
                }
            }
        });
        hessian
    }

    fn independent_coordinates(&self) -> Vec<Vec<usize>> {
        self.independent.clone()
    }

    fn block_scratch(&self) -> usize {
        // Beside a gradient's, where the trajectories of `descend_block` began, and a point with its slope.
        let rows = self.dimension() * LANES;
        self.value.block_scratch().max(rows + self.gradient.block_scratch().max(2 * self.dimension()))
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        self.gradient.run_block(theta, gradient, scratch);
        let (d, rows) = (self.dimension(), self.dimension() * LANES);
        mend_lanes::<LANES>(&theta[..rows], &mut gradient[..rows], |theta, gradient| {
            careful::mend(&self.value, &self.gradient, d, theta, gradient);
        });
    }

    fn hessian_product_scratch(&self) -> usize {
        2 * self.dimension() * LANES + self.curvature.block_scratch()
    }

    fn hessian_product_block(&self, theta: &[f64], direction: &[f64], product: &mut [f64], scratch: &mut [f64]) {
        let rows = self.dimension() * LANES;
        let (inputs, scratch) = scratch.split_at_mut(2 * rows);
        inputs[..rows].copy_from_slice(&theta[..rows]);
        inputs[rows..].copy_from_slice(&direction[..rows]);
        self.curvature.run_block(inputs, product, scratch);
        let d = self.dimension();
        mend_lanes::<LANES>(inputs, &mut product[..rows], |inputs, product| {
            careful::mend(&self.value, &self.curvature, d, inputs, product);
        });
    }

    fn descend_block(&self, descent: Descent<'_>) {
        let Descent { theta, noise, step, gradient, scratch } = descent;
        let (start, scratch) = scratch.split_at_mut(self.dimension() * LANES);
        start.copy_from_slice(theta);
        self.gradient.descend_block(Descent { theta, noise, step, gradient, scratch });
        if !all_finite(theta) {
            self.descend_again(start, Descent { theta, noise, step, gradient, scratch });
        }
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        self.value.run_block(theta, &mut value[..LANES], scratch);
        mend_lanes::<LANES>(&theta[..self.dimension() * LANES], &mut value[..LANES], |theta, value| {
            careful::mend_value(&self.value, theta, &mut value[0]);
        });
    }
}
