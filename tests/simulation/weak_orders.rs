//! Platen's scheme where the noise depends on θ: weak order 2 in one dimension and for noise that does not commute in
//! two, by exact moments. No chance is involved.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector, Matrix2, Matrix4, Vector2, dmatrix};
use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
use sgd_sde::dynamics::platen::Platen;
use sgd_sde::dynamics::{Block, Dynamics};
use sgd_sde::loss::LANES;
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::quadratic::Quadratic;
use sgd_sde::noise::GradientNoise;
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::random::increments::IncrementBlock;

use crate::deterministic::{Operator, gauss_hermite, stepped};
use crate::support::log_slope;

const STEPS: [u32; 4] = [8, 16, 32, 64];

/// dX = −X dt + √n (1 + cX²)^½ dW with n = 0.5, c = 0.2 has (E X²)′ = −2 E X² + n(1 + c E X²), from X₀ = 1 to t = 1.
#[test]
fn platen_is_of_weak_order_two_where_sigma_depends_on_x() {
    let (scale, growth) = (0.5, 0.2);
    let noise = || {
        let sigma = Expression::new(&["x".into()], &[("c".into(), growth)], "sqrt(1 + c*x^2)").unwrap();
        Arc::new(FormulaNoise::new(sigma))
    };
    let bowl = || Arc::new(Quadratic::from_eigenvalues(&[1.0]));
    let rate = 2.0 - scale * growth;
    let exact = scale / rate + (1.0 - scale / rate) * (-rate).exp();
    let slope_of = |mean_square: &dyn Fn(u32) -> f64| {
        log_slope(&STEPS.map(|steps| (1.0 / f64::from(steps), (mean_square(steps) - exact).abs())))
    };
    let platen = slope_of(&|steps| {
        let dynamics = Platen::new(bowl(), noise(), scale, 1.0 / f64::from(steps));
        let advance = |dynamics: &Platen, block: &mut Block| dynamics.step_on_given_normals(block, &[]);
        Operator::new(10.0, 401, |nodes, normal| stepped(&dynamics, advance, [nodes, &[], &vec![normal; nodes.len()]]))
            .mean_after(steps, 1.0, |x| x * x)
    });
    assert!((platen - 2.0).abs() < 0.2, "Platen: order {platen}");
    let euler = slope_of(&|steps| {
        let dynamics = EulerMaruyama::new(bowl(), noise(), scale, 1.0 / f64::from(steps));
        let advance = EulerMaruyama::step_on_given_normals;
        Operator::new(10.0, 401, |nodes, normal| stepped(&dynamics, advance, [nodes, &[], &vec![normal; nodes.len()]]))
            .mean_after(steps, 1.0, |x| x * x)
    });
    assert!((euler - 1.0).abs() < 0.2, "Euler–Maruyama: order {euler}");
}

/// B(θ) = [G₁θ, G₂θ]: columns that do not commute.
struct Linear {
    generators: [Matrix2<f64>; 2],
}

impl GradientNoise for Linear {
    fn dimension(&self) -> usize {
        2
    }

    fn covariance(&self, theta: &[f64]) -> DMatrix<f64> {
        let columns = self.generators.map(|generator| generator * Vector2::new(theta[0], theta[1]));
        DMatrix::from_fn(2, 2, |i, j| columns.iter().map(|column| column[i] * column[j]).sum())
    }

    fn isotropic_variance(&self) -> Option<f64> {
        None
    }

    fn apply_block(&self, theta: &[f64], normals: &mut [f64], _scratch: &mut [f64]) {
        for lane in 0..LANES {
            let point = Vector2::new(theta[lane], theta[LANES + lane]);
            let pushed =
                self.generators[0] * point * normals[lane] + self.generators[1] * point * normals[LANES + lane];
            (normals[lane], normals[LANES + lane]) = (pushed[0], pushed[1]);
        }
    }
}

/// M ↦ E[R M Rᵀ] for the random matrix R of one step, as a matrix on the entries of M.
fn moment_map(platen: &Platen) -> Matrix4<f64> {
    let rule = gauss_hermite(8);
    let mut map = Matrix4::zeros();
    let mut block = Block::new(platen, 0, 0);
    for (first, weight_first) in &rule {
        for (second, weight_second) in &rule {
            for sign in [-0.3, 0.7] {
                // Lane 0 starts at (1, 0), lane 1 at (0, 1): the columns of R.
                block.theta.fill(0.0);
                (block.theta[0], block.theta[LANES + 1]) = (1.0, 1.0);
                block.noise[..LANES].fill(*first);
                block.noise[LANES..2 * LANES].fill(*second);
                platen.step_on_given_normals(&mut block, &[sign; LANES]);
                let step = Matrix2::new(block.theta[0], block.theta[1], block.theta[LANES], block.theta[LANES + 1]);
                map += step.kronecker(&step) * (0.5 * weight_first * weight_second);
            }
        }
    }
    map
}

/// E[XXᵀ] at t = 1 from X₀ = (1, −0.5) for dX = −HX dt + √n ΣGⱼX dWʲ, against exp of its own linear equation. Without V, or
/// with a V that is not antisymmetric, the order would be 1.
#[test]
fn platen_is_of_weak_order_two_for_noise_that_does_not_commute() {
    let generators = [Matrix2::new(0.3, 1.0, -0.2, 0.1), Matrix2::new(0.6, -0.4, 0.9, -0.5)];
    assert!((generators[0] * generators[1] - generators[1] * generators[0]).norm() > 0.5);
    let (scale, hessian) = (0.5, Matrix2::new(1.0, 0.3, 0.3, 0.6));
    let identity = Matrix2::identity();
    let spread: Matrix4<f64> = generators.iter().map(|g| g.kronecker(g) * scale).sum();
    let generator = spread - hessian.kronecker(&identity) - identity.kronecker(&hessian);
    let start = Vector2::new(1.0, -0.5);
    let start = start.kronecker(&start);
    let exact = generator.exp() * start;
    let errors = STEPS.map(|steps| {
        let bowl = Arc::new(Quadratic::new(dmatrix![1.0, 0.3; 0.3, 0.6]).unwrap());
        let platen = Platen::new(bowl, Arc::new(Linear { generators }), scale, 1.0 / f64::from(steps));
        let map = moment_map(&platen);
        let moments = (0..steps).fold(start, |moments, _| map * moments);
        (1.0 / f64::from(steps), (moments - exact).norm())
    });
    let slope = log_slope(&errors);
    assert!((slope - 2.0).abs() < 0.2, "order {slope}, errors {errors:?}");
}

/// What the tests above drive by hand is what a run does by itself: d normals, then the rows for V.
#[test]
fn platen_draws_its_normals_and_then_its_signs() {
    let generators = [Matrix2::new(0.3, 1.0, -0.2, 0.1), Matrix2::new(0.6, -0.4, 0.9, -0.5)];
    let bowl = Arc::new(Quadratic::from_eigenvalues(&[1.0, 2.0]));
    let platen = Platen::new(bowl, Arc::new(Linear { generators }), 0.5, 0.1);
    let (mut drawn, mut given) = (Block::new(&platen, 2700, 32), Block::new(&platen, 2700, 32));
    for block in [&mut drawn, &mut given] {
        (0..LANES).for_each(|lane| block.place(lane, &[1.0, -0.5]));
    }
    platen.advance(&mut drawn, 20);
    let mut normals = IncrementBlock::new(2700, 32);
    let mut pairs = vec![0.0; LANES];
    for _ in 0..20 {
        normals.fill(&mut given.noise[..2 * LANES]);
        normals.fill(&mut pairs);
        platen.step_on_given_normals(&mut given, &pairs);
    }
    assert_eq!(drawn.theta, given.theta);
    let spread = DVector::from_column_slice(&drawn.theta[..LANES]).variance();
    assert!(spread > 1e-3, "the lanes must differ");
}
