//! SGD as a stochastic differential equation, put to the test.
//!
//! # The theory in one page
//!
//! Stochastic gradient descent takes steps θ ← θ − η g⁽ˢ⁾ with a minibatch gradient g⁽ˢ⁾ = ∇L + Δg/√S, where by the
//! central limit theorem Δg ~ N(0, C(θ)). For small η this is the Itô equation
//!
//! dθ = −∇L dt + √n B(θ) dW,  n = η/S,  BBᵀ = C,  t = kη after k steps.
//!
//! Where C = σ²I there is a temperature T = nσ²/2, and the equation forgets its start and settles into
//! P(θ) = exp(−L/T)/Z. Each minimum A then holds the mass of its basin. The *ladder* is the sequence of predictions for
//! this mass, each dropping an approximation of the one before:
//!
//! | rung | p_A ∝ | assumes |
//! |---|---|---|
//! | Laplace (the slide) | (det H_A)^(−½) exp(−L_A/T) | C = σ²I, η → 0, T → 0 |
//! | Gibbs | ∫_A exp(−L/T) dθ | C = σ²I, η → 0 |
//! | Itô (1-D, where σ depends on θ) | ∫_A D⁻¹ exp(−∫L′/D) dθ, D = nσ²/2 | C(θ) = σ(θ)²I, η → 0 |
//! | discrete | stationary law of the chain with step δ | C = σ²I, in 1-D σ(θ)² |
//! | measured | an ensemble of independent replicas | only that it has equilibrated, which is tested |
//!
//! Gibbs masses are integrated up to three dimensions and sampled beyond, with a standard error that counts in every
//! comparison. The discrete rung is exact on a line, in the plane and for sums of functions of few coordinates; else it is the first order in
//! δ, with a bound by which every interval is wider. Where the question is about the SDE's own law, Leimkuhler–Matthews has it to second
//! order in δ; how far it is off is known on a line and bounded elsewhere ([`theory::discrete::scheme_bias`]), and the largest step that is near
//! enough can be asked for ([`experiment::fastest`]).
//!
//! A claim compares one rung with the measurement within a tolerance ε that is fixed beforehand. It **holds** if the
//! whole 90 % interval of the difference lies inside ±ε, is **rejected** if the 95 % interval lies outside, and is
//! **undetermined** otherwise. The first two neighbouring rungs that differ by more than ε name the assumption that
//! broke.
//!
//! # Example: predicted beside measured
//!
//! ```
//! use std::sync::{Arc, atomic::AtomicBool};
//! use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
//! use sgd_sde::ensemble::Plan;
//! use sgd_sde::experiment::{Control, ladder::Ladder, measurement::Measurement, setting::Setting};
//! use sgd_sde::loss::closure::Closure;
//! use sgd_sde::noise::isotropic::Isotropic;
//! use sgd_sde::scenario::Start;
//!
//! // L = x⁴/4 − x²/2 + x/10, noise of temperature T = nσ²/2 = 0.05·4/2 = 0.1, steps of δ = 0.02.
//! let loss = Arc::new(Closure::new(
//!     1,
//!     |x| x[0].powi(4) / 4.0 - x[0] * x[0] / 2.0 + 0.1 * x[0],
//!     |x, gradient| gradient[0] = x[0].powi(3) - x[0] + 0.1,
//! ));
//! let noise = Arc::new(Isotropic::new(1, 2.0));
//! let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.05, 0.02));
//! let setting = Setting::new(loss, noise, dynamics, 0.05, &[[-3.0, 3.0]])?;
//! let ladder = Ladder::climb(&setting);
//!
//! let plan = Plan { replicas: 64, burn_in: 5_000, steps: 50_000, observe_every: 5, seed: 1 };
//! let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
//! let measured = Measurement::take(&setting, &plan, &Start::Minima, None, control)?;
//!
//! for (index, minimum) in setting.landscape.minima.iter().enumerate() {
//!     let estimate = measured.occupancies.occupancy(index).expect("both wells were visited");
//!     println!(
//!         "minimum at {:+.4}: Laplace {:.4}, Gibbs {:.4}, measured {:.4} ± {:.4}",
//!         minimum.theta[0],
//!         ladder.laplace.as_ref().expect("both Hessians are regular")[index],
//!         ladder.gibbs.as_ref().expect("the loss rises on both sides").occupancies[index],
//!         estimate.value,
//!         estimate.standard_error
//!     );
//! }
//! # let gibbs = ladder.gibbs.unwrap().occupancies[0];
//! # let estimate = measured.occupancies.occupancy(0).unwrap();
//! # assert!((estimate.value - gibbs).abs() < 5.0 * estimate.standard_error);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map of modules
//!
//! Data flows one way:
//!
//! ```text
//! scenario file ─► scenario ─► experiment ─┬─► landscape ─► theory ──────► predictions ─┐
//!                                          └─► ensemble(dynamics(loss, noise)) ─► statistics ─► claims ─► report
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`input`] | TOML as located values, and problems that name file, line, column and key |
//! | [`scenario`] | a file as typed, then checked; the shipped scenarios |
//! | [`loss`], [`noise`] | L(θ) with gradient and Hessian; C(θ) as the factor B: one file per kind |
//! | [`data`] | examples that networks learn from: files and generators, split, standardised, corrupted |
//! | [`random`] | one stream per trajectory, a pure function of (seed, trajectory) |
//! | [`dynamics`] | Markov kernels over blocks of trajectories: one file per method |
//! | [`ensemble`] | many trajectories in parallel, observers, constant memory |
//! | [`landscape`] | minima, saddles, basins, curvature |
//! | [`network`] | multilayer perceptrons: loss, gradient, per-example gradients, Hessian products, in either precision |
//! | [`training`] | many replicas of a network in training, with the noise of minibatches or another in its place; weights in files |
//! | [`spectrum`] | eigenvalues, trace and density of a matrix from its products; the covariance of given gradients |
//! | [`theory`] | predictions only; knows neither dynamics nor ensemble |
//! | [`statistics`] | estimates, diagnostics, verdicts; knows nothing of SGD |
//! | [`experiment`] | one file per question: pairs predictions with estimates into claims |
//! | [`study`] | a scenario at many points, each kept as soon as it is finished |
//! | [`findings`] | the plain data of a result |
//! | [`comparison`] | two results side by side; reads findings only |
//! | [`report`] | result files, tables, figures, the page; reads findings only |
//! | [`instructions`] | which vector instructions kernels run on |
//! | [`math`] | elementary functions with the same bits on every machine |
//! | [`plain`] | numbers for messages and reports |
//!
//! # Notation
//!
//! | symbol | meaning |
//! |---|---|
//! | θ, d | parameters, their number |
//! | L, H | loss, its Hessian ∇²L |
//! | η, S, n | learning rate, batch size, noise scale η/S |
//! | C, B, σ² | covariance of the per-example gradient, a factor with BBᵀ = C, its variance per coordinate where C = σ²I |
//! | T | temperature nσ²/2, in units of the loss |
//! | ℓᵢ, N | loss of an example, L = (1/N) Σ ℓᵢ; number of examples. C has divisor N |
//! | D(θ) | nσ(θ)²/2 where the noise depends on θ |
//! | t, δ | SDE time kη, an integrator's step in it |
//! | ε | tolerance of a claim, in log-odds or in ln ratio |

pub mod comparison;
pub mod data;
pub mod dynamics;
pub mod ensemble;
pub mod experiment;
pub mod findings;
pub mod input;
pub mod instructions;
pub mod landscape;
mod lanes;
pub mod loss;
pub mod math;
mod memo;
pub mod network;
pub mod noise;
pub mod plain;
pub mod random;
pub mod report;
pub mod scenario;
pub mod spectrum;
pub mod statistics;
pub mod study;
pub mod theory;
pub mod training;
