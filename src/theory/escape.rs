//! Mean times of escape from one minimum to another, in SDE time.

use super::gibbs::DECAY;
use super::ito::Potential;
use super::quadrature::{GAUSS_5, support};
use crate::landscape::{CriticalPoint, Landscape};
use crate::loss::Loss;

/// Kramers' formula for the time from minimum `from` to minimum `to`, over all saddles between the two (rates add):
/// 1/τ = Σ_b |λ_b|/(2π) √(det H_A/|det H_b|) e^{−(L_b − L_A)/T}. `None` where no saddle joins them. Of a saddle with m_b images, m_b/m_A
/// are at each of the m_A images of A.
///
/// Source: Kramers 1940; Berglund 2013 (arXiv:1106.5799), eq. (1.7). Right as T → 0; low by 9 to 42 % in the reference
/// cases at T of a third to a seventh of the barrier.
pub fn kramers(landscape: &Landscape, from: usize, to: usize, temperature: f64) -> Option<f64> {
    let well = &landscape.minima[from];
    let rate: f64 = landscape
        .saddles
        .iter()
        .filter(|saddle| saddle.between == [from.min(to), from.max(to)])
        .map(|saddle| rate_over(well, &saddle.point, temperature))
        .sum();
    let time = 1.0 / rate;
    (time.is_finite() && rate > 0.0).then_some(time)
}

fn rate_over(well: &CriticalPoint, saddle: &CriticalPoint, temperature: f64) -> f64 {
    let prefactor = saddle.eigenvalues[0].abs() / (2.0 * std::f64::consts::PI);
    let volumes = 0.5 * (well.log_determinant() - saddle.log_determinant());
    let ways = f64::from(saddle.multiplicity) / f64::from(well.multiplicity);
    ways * prefactor * crate::math::exp(volumes - (saddle.loss - well.loss) / temperature)
}

/// Mean first-passage time of the 1-D SDE from `from` to `to`, exact:
/// τ = (1/T) ∫_a^c dy e^{L(y)/T} ∫_{−∞}^y dz e^{−L(z)/T} for c > a, and mirrored for c < a
/// (Gardiner, Stochastic Methods, §5.5). `None` where L does not confine the process on the far side.
pub fn exact_passage_time(loss: &dyn Loss, domain: [f64; 2], from: f64, to: f64, temperature: f64) -> Option<f64> {
    let sign = if to > from { 1.0 } else { -1.0 };
    let value = |x: f64| loss.value(&[sign * x]);
    let [low, high] = if sign > 0.0 { domain } else { [-domain[1], -domain[0]] };
    let lowest = scan(&value, low, high).fold(f64::INFINITY, f64::min);
    let [bottom, _] = support(&value, low, high, lowest, temperature, DECAY)?;
    upward_passage_time(&|x| value(x) / temperature, &|_| temperature, bottom, sign * from, sign * to)
}

/// The same where the noise depends on θ (Itô): τ = ∫_a^c dy e^{Φ(y)} ∫_{−∞}^y dz e^{−Φ(z)}/D(z), Φ = ∫L′/D.
pub fn exact_ito_passage_time(potential: &Potential, from: f64, to: f64) -> Option<f64> {
    let sign = if to > from { 1.0 } else { -1.0 };
    let [low, high] = potential.range();
    let bottom = if sign > 0.0 { low } else { -high };
    upward_passage_time(&|x| potential.at(sign * x), &|x| potential.diffusion(sign * x), bottom, sign * from, sign * to)
}

fn scan(f: &dyn Fn(f64) -> f64, a: f64, b: f64) -> impl Iterator<Item = f64> {
    (0..=4_000).map(move |i| f(a + (b - a) * f64::from(i) / 4_000.0))
}

/// From `start` up to `end`, where nothing lies below `bottom`.
fn upward_passage_time(
    potential: &dyn Fn(f64) -> f64,
    diffusion: &dyn Fn(f64) -> f64,
    bottom: f64,
    start: f64,
    end: f64,
) -> Option<f64> {
    // Heights are counted from the lowest and the highest on the way, so that nothing overflows.
    let deepest = scan(potential, bottom, end).fold(f64::INFINITY, f64::min);
    let highest = scan(potential, start, end).fold(f64::NEG_INFINITY, f64::max);
    let inner = |z: f64| finite_or_zero(crate::math::exp(deepest - potential(z)) / diffusion(z));
    let outer = |y: f64| finite_or_zero(crate::math::exp(potential(y) - highest));

    // One sweep from the bottom: the inner integral up to each panel is carried along.
    let sweep = |panels: usize| -> f64 {
        let (mut below, mut total) = (0.0, 0.0);
        let first = ((panels as f64 * (start - bottom) / (end - bottom)) as usize).clamp(1, panels - 1);
        // The start is an edge between panels, because the outer integral begins there.
        for (a, b, parts, counts) in [(bottom, start, first, false), (start, end, panels - first, true)] {
            let half = 0.5 * (b - a) / parts as f64;
            for part in 0..parts {
                let left = a + 2.0 * half * part as f64;
                if counts {
                    for (node, weight) in GAUSS_5 {
                        let y = left + half * (1.0 + node);
                        total += half * weight * outer(y) * (below + gauss(&inner, left, y));
                    }
                }
                below += gauss(&inner, left, left + 2.0 * half);
            }
        }
        total
    };
    let mut panels = 500;
    let mut integral = sweep(panels);
    for _ in 0..6 {
        panels *= 2;
        let finer = sweep(panels);
        let settled = (finer / integral - 1.0).abs() < 1e-9;
        integral = finer;
        if settled {
            break;
        }
    }
    let time = integral * crate::math::exp(highest - deepest);
    (time.is_finite() && time > 0.0).then_some(time)
}

fn gauss(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (center, half) = (0.5 * (low + high), 0.5 * (high - low));
    GAUSS_5.iter().map(|(node, weight)| half * weight * f(center + half * node)).sum()
}

fn finite_or_zero(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::DMatrix;

    use super::*;
    use crate::landscape::Saddle;
    use crate::loss::quadratic::Quadratic;
    use crate::theory::laplace;

    fn point(loss: f64, eigenvalues: [f64; 2], multiplicity: u32) -> CriticalPoint {
        let eigenvectors = DMatrix::identity(2, 2);
        CriticalPoint { theta: vec![0.0; 2], loss, eigenvalues: eigenvalues.to_vec(), eigenvectors, multiplicity }
    }

    /// Four images of A, two of B, eight saddles between them: two at each A, four at each B.
    #[test]
    fn every_image_of_a_minimum_has_its_share_of_the_images_of_a_saddle() {
        let bowl = Arc::new(Quadratic::new(DMatrix::identity(2, 2)).unwrap());
        let minima = vec![point(0.1, [2.0, 3.0], 4), point(0.2, [0.5, 4.0], 2)];
        let saddles = vec![Saddle { point: point(0.5, [-1.5, 2.5], 8), between: [0, 1] }];
        let landscape = Landscape { minima, saddles, ..Landscape::explore(bowl, &[[-1.0, 1.0]; 2]).unwrap() };
        let (temperature, pi) = (0.1, std::f64::consts::PI);
        let alone = |determinant: f64, rise: f64| 2.0 * pi * (3.75 / determinant).sqrt() / 1.5 * (rise / 0.1).exp();
        let there = kramers(&landscape, 0, 1, temperature).unwrap();
        let back = kramers(&landscape, 1, 0, temperature).unwrap();
        assert!((there / (alone(6.0, 0.4) / 2.0) - 1.0).abs() < 1e-13, "{there}");
        assert!((back / (alone(2.0, 0.3) / 4.0) - 1.0).abs() < 1e-13, "{back}");
        // As many go as come, in Laplace's equilibrium.
        let masses = laplace::occupancies(&landscape.minima, temperature);
        assert!((masses[0] / there / (masses[1] / back) - 1.0).abs() < 1e-13, "{masses:?}");
    }
}
