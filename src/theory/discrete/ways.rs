//! The minimum-energy ways between minima: from every saddle down along −∇L to the minima on its two sides, and what a finite step
//! feels there.
//!
//! In the limit of small T the law of the chain θ′ = θ − δ∇L + √(2Tδ)ξ is exp(−V/T) with
//! V(θ′) = min_θ [V(θ) + |θ′ − θ + δ∇L(θ)|²/(4δ)] (Freidlin & Wentzell). In powers of δ, V = L − (δ/4)|∇L|² + δ²V₂ with
//! ∇L·∇V₂ = ∂³L(∇L, ∇L, ∇L)/12. Along a way, on which θ̇ = −∇L, it follows that from the minimum A to the saddle V₂ changes by
//! −(1/6)∫|H∇L|²dt: in one dimension −(1/6)∫L′L″²dx. That is the second order of the chain's law.
//!
//! A way is followed by steps along the parabola that fits the loss at each point (Page & McIver 1988). Since L̇ = −|∇L|², the integral is
//! that of |H∇L|²/|∇L|² over the fall of L.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::landscape::{Landscape, Saddle, basins::Workspace, spectral_norm_above};
use crate::loss::Loss;
use crate::math;

/// Where the curvature is largest, and how large.
#[derive(Clone, Debug, PartialEq)]
pub struct Sharpest {
    /// ‖∇²L‖, the largest |eigenvalue|.
    pub curvature: f64,
    /// θ.
    pub place: Vec<f64>,
}

/// From one minimum over a saddle to another.
#[derive(Clone, Debug)]
pub struct Way {
    /// The two minima.
    pub between: [usize; 2],
    /// L at the saddle.
    pub height: f64,
    /// ∫|H∇L|²dt from either minimum up to the saddle.
    pub climbs: [f64; 2],
    /// Within one thermal width √(T/h) of the way.
    pub sharpest: Sharpest,
}

/// L at the highest saddle of the lowest ways that join all minima; at the highest minimum where no saddle is known.
pub(super) fn highest_pass(landscape: &Landscape) -> f64 {
    let mut part: Vec<usize> = (0..landscape.minima.len()).collect();
    let highest = landscape.minima.iter().map(|minimum| minimum.loss).fold(f64::NEG_INFINITY, f64::max);
    let mut pass = highest;
    for saddle in &landscape.saddles {
        let [old, new] = saddle.between.map(|minimum| part[minimum]);
        if old != new {
            pass = pass.max(saddle.point.loss);
            part.iter_mut().filter(|part| **part == old).for_each(|part| *part = new);
        }
    }
    pass
}

/// The ways over all saddles that could be followed, in the order of the saddles, which is that of rising loss.
pub fn over_all_saddles(loss: &dyn Loss, landscape: &Landscape, temperature: f64) -> Vec<Way> {
    let over = |saddle: &Saddle| over_saddle(loss, landscape, saddle, temperature);
    landscape.saddles.par_iter().map(over).collect::<Vec<_>>().into_iter().flatten().collect()
}

/// `None` where a side could not be followed down to its minimum.
fn over_saddle(loss: &dyn Loss, landscape: &Landscape, saddle: &Saddle, temperature: f64) -> Option<Way> {
    let start = DVector::from_column_slice(&saddle.point.theta);
    let unstable = saddle.point.eigenvectors.column(0);
    // So near that the parabola of the saddle holds: by its slope it is a ten-thousandth of T below.
    let offset = 1e-2 * (temperature / saddle.point.eigenvalues[0].abs()).sqrt();
    let sides: Option<Vec<(usize, Descent)>> = [1.0, -1.0]
        .into_iter()
        .map(|sign| {
            let mut descent = Descent::new(loss, &start + unstable * (sign * offset), temperature);
            let end = descent.follow(longest_step(landscape, saddle))?;
            let minimum = landscape.basins.label(end.as_slice(), &mut Workspace::default())?;
            Some((minimum, descent))
        })
        .collect();
    let [(a, one), (b, other)] = <[_; 2]>::try_from(sides?).ok()?;
    let is_right = [a.min(b), a.max(b)] == saddle.between;
    let (lower, upper) = if a < b { (one, other) } else { (other, one) };
    is_right.then_some(Way {
        between: saddle.between,
        height: saddle.point.loss,
        climbs: [lower.climb, upper.climb],
        sharpest: if lower.sharpest.curvature >= upper.sharpest.curvature { lower.sharpest } else { upper.sharpest },
    })
}

/// A small part of the distance from the saddle to the farther minimum: what is narrower and changes neither slope nor loss could be
/// stepped over.
fn longest_step(landscape: &Landscape, saddle: &Saddle) -> f64 {
    const STEPS: f64 = 200.0;
    let distance = |&minimum: &usize| {
        let pairs = landscape.minima[minimum].theta.iter().zip(&saddle.point.theta);
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    saddle.between.iter().map(distance).fold(0.0, f64::max) / STEPS
}

/// A descent along −∇L.
struct Descent<'a> {
    loss: &'a dyn Loss,
    temperature: f64,
    place: DVector<f64>,
    /// Time of the next step.
    pace: f64,
    climb: f64,
    sharpest: Sharpest,
}

/// A parabola that fits the loss at a place: eigenvalues, eigenvectors, slope along them.
struct Parabola {
    curvatures: DVector<f64>,
    axes: DMatrix<f64>,
    slopes: DVector<f64>,
    loss: f64,
}

/// Steps in all: beyond, a way is not followed.
const MOST_STEPS: usize = 20_000;
/// By so much of the slope, and of the fall, may the loss differ from the parabola at the end of a step.
const MISFIT: f64 = 0.02;
/// The part of T that may be left to fall at the end.
const LEFT: f64 = 1e-4;

impl<'a> Descent<'a> {
    fn new(loss: &'a dyn Loss, place: DVector<f64>, temperature: f64) -> Self {
        let sharpest = Sharpest { curvature: 0.0, place: place.as_slice().to_vec() };
        Self { loss, temperature, place, pace: f64::INFINITY, climb: 0.0, sharpest }
    }

    /// Down to a minimum, which is returned.
    fn follow(&mut self, longest: f64) -> Option<DVector<f64>> {
        let mut here = self.parabola(&self.place)?;
        self.pace = 0.1 / here.curvatures.amax();
        for _ in 0..MOST_STEPS {
            self.look_around(&here);
            // In the bowl of a minimum the rest is known.
            let lowest = here.curvatures.min();
            let rest = |i: usize| here.slopes[i] * here.slopes[i] / here.curvatures[i];
            if lowest > 0.0 && 0.5 * (0..here.slopes.len()).map(rest).sum::<f64>() < LEFT * self.temperature {
                self.climb += here.rest();
                return Some(self.place.clone());
            }
            here = self.step(here, longest)?;
        }
        None
    }

    /// One step, as long as the parabola fits.
    fn step(&mut self, here: Parabola, longest: f64) -> Option<Parabola> {
        for _ in 0..100 {
            let moved = here.displacement(self.pace);
            let place = &self.place + &moved;
            let there = (moved.norm() <= longest).then(|| self.parabola(&place)).flatten();
            if let Some(there) = there.filter(|there| here.fits(there, self.pace)) {
                self.climb += 0.5 * (here.pull() + there.pull()) * (here.loss - there.loss).max(0.0);
                self.place = place;
                self.pace *= 1.5;
                return Some(there);
            }
            self.pace *= 0.5;
        }
        None
    }

    fn parabola(&self, place: &DVector<f64>) -> Option<Parabola> {
        let mut gradient = vec![0.0; place.len()];
        self.loss.gradient(place.as_slice(), &mut gradient);
        let hessian = self.loss.hessian(place.as_slice());
        let loss = self.loss.value(place.as_slice());
        if !loss.is_finite() || hessian.iter().chain(&gradient).any(|x| !x.is_finite()) {
            return None;
        }
        let eigen = hessian.symmetric_eigen();
        let slopes = eigen.eigenvectors.tr_mul(&DVector::from_vec(gradient));
        Some(Parabola { curvatures: eigen.eigenvalues, axes: eigen.eigenvectors, slopes, loss })
    }

    /// Takes note of the curvature here and a thermal width away, across the way.
    fn look_around(&mut self, here: &Parabola) {
        let curvature = here.curvatures.amax();
        if curvature > self.sharpest.curvature {
            self.sharpest = Sharpest { curvature, place: self.place.as_slice().to_vec() };
        }
        let along = here.slopes.iamax();
        for i in (0..here.slopes.len()).filter(|&i| i != along && here.curvatures[i] > 0.0) {
            let width = (self.temperature / here.curvatures[i]).sqrt();
            for sign in [1.0, -1.0] {
                let place = &self.place + here.axes.column(i) * (sign * width);
                let hessian = self.loss.hessian(place.as_slice());
                if let Some(curvature) = spectral_norm_above(hessian, self.sharpest.curvature) {
                    self.sharpest = Sharpest { curvature, place: place.as_slice().to_vec() };
                }
            }
        }
    }
}

impl Parabola {
    /// Where the flow along −∇L of the parabola leads in a time.
    fn displacement(&self, time: f64) -> DVector<f64> {
        let along = |i: usize| -self.slopes[i] * decayed(self.curvatures[i], time);
        &self.axes * DVector::from_fn(self.slopes.len(), |i, _| along(i))
    }

    /// |H∇L|²/|∇L|².
    fn pull(&self) -> f64 {
        let pulls = (0..self.slopes.len()).map(|i| self.curvatures[i] * self.slopes[i]);
        pulls.map(|pull| pull * pull).sum::<f64>() / self.slopes.norm_squared()
    }

    /// ∫|H∇L|²dt down to the minimum of the parabola, Σ λ²g²∫e^(−2λt)dt.
    fn rest(&self) -> f64 {
        (0..self.slopes.len()).map(|i| 0.5 * self.curvatures[i] * self.slopes[i] * self.slopes[i]).sum()
    }

    /// Whether slope and loss at the end of a step are nearly those of this parabola.
    fn fits(&self, end: &Parabola, time: f64) -> bool {
        let d = self.slopes.len();
        let expected = DVector::from_fn(d, |i, _| self.slopes[i] * math::exp(-self.curvatures[i] * time));
        let expected = &self.axes * expected;
        let found = &end.axes * &end.slopes;
        let size = self.slopes.norm().max(found.norm());
        // L̇ = −|∇L|².
        let fall: f64 = (0..d).map(|i| self.slopes[i] * self.slopes[i] * decayed(2.0 * self.curvatures[i], time)).sum();
        let rounding = 1e-12 * self.loss.abs().max(end.loss.abs());
        (found - expected).norm() <= MISFIT * size
            && (self.loss - end.loss - fall).abs() <= 2.0 * MISFIT * fall + rounding
    }
}

/// ∫₀^t e^(−λs) ds = (1 − e^(−λt))/λ.
fn decayed(rate: f64, time: f64) -> f64 {
    if rate == 0.0 {
        return time;
    }
    -libm::expm1(-rate * time) / rate
}
