//! Mean times of escape from one minimum to another, in SDE time.

use super::extent::{Line, NoIntegral, Side};
use super::ito::Potential;
use super::outskirts::beyond_end;
use super::passage::Way;
use crate::landscape::{CriticalPoint, Landscape};
use crate::loss::Loss;
use crate::plain::significant;

/// Kramers' formula for the time from minimum `from` to minimum `to`, over all saddles between the two (rates add):
/// 1/τ = Σ_b |λ_b|/(2π) √(det H_A/|det H_b|) e^{−(L_b − L_A)/T}. `None` where no saddle joins them, H_A is singular, or a saddle is a kink. Of a saddle with m_b images, m_b/m_A
/// are at each of the m_A images of A.
///
/// Source: Kramers 1940; Berglund 2013 (arXiv:1106.5799), eq. (1.7). Right as T → 0; low by 9 to 42 % in the reference
/// cases at T of a third to a seventh of the barrier.
pub fn kramers(landscape: &Landscape, from: usize, to: usize, temperature: f64) -> Option<f64> {
    let well = &landscape.minima[from];
    let ways = || landscape.saddles.iter().filter(|saddle| saddle.between == [from.min(to), from.max(to)]);
    let rate: f64 = ways().map(|saddle| rate_over(well, &saddle.point, temperature)).sum();
    let time = 1.0 / rate;
    let is_smooth = |point: &CriticalPoint| point.is_regular() && point.eigenvalues[0] < 0.0;
    (well.is_regular() && ways().all(|saddle| is_smooth(&saddle.point)) && time.is_finite() && rate > 0.0)
        .then_some(time)
}

fn rate_over(well: &CriticalPoint, saddle: &CriticalPoint, temperature: f64) -> f64 {
    let prefactor = saddle.eigenvalues[0].abs() / (2.0 * std::f64::consts::PI);
    let volumes = 0.5 * (well.log_determinant() - saddle.log_determinant());
    let ways = f64::from(saddle.multiplicity) / f64::from(well.multiplicity);
    ways * prefactor * crate::math::exp(volumes - (saddle.loss - well.loss) / temperature)
}

/// Why a passage time of the SDE is not given.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NoPassage {
    /// Nothing holds the process on the far side.
    #[error(
        "the loss does not confine the process on the far side of where it starts, so that the mean time is infinite"
    )]
    NotConfined,
    /// Behind a wall on the far side the loss comes down again.
    #[error(
        "behind a high wall on the far side of where it starts the loss comes down again, as at θ = {}: the mean time counts stays there, or \
         is infinite",
        significant(*.0, 4)
    )]
    FallsBeyond(f64),
    /// The quadrature ended without an answer.
    #[error(
        "its quadrature did not settle: the loss has jumps or turns very often on the way, or too heavy a tail behind"
    )]
    Unsettled,
    /// L is not defined on the way.
    #[error("the loss is not defined everywhere on the way")]
    Undefined,
    /// Beyond the largest double.
    #[error("it is longer than the largest number of double precision")]
    TooLong,
}

/// The mean times up and down between two neighbouring places on a line.
pub type BothWays = [Result<f64, NoPassage>; 2];

/// Mean first-passage time of the 1-D SDE from `from` to `to`, exact:
/// τ = (1/T) ∫_a^c dy e^{L(y)/T} ∫_{−∞}^y dz e^{−L(z)/T} for c > a, and mirrored for c < a
/// (Gardiner, Stochastic Methods, §5.5). Places where L is not defined are walls.
///
/// # Errors
/// When L does not confine the process on the far side, or the integral does not settle.
pub fn exact_passage_time(
    loss: &dyn Loss,
    domain: [f64; 2],
    from: f64,
    to: f64,
    temperature: f64,
) -> Result<f64, NoPassage> {
    let upwards = to > from;
    let places = if upwards { [from, to] } else { [to, from] };
    let [there, back] = exact_passage_times(loss, domain, &places, temperature)[0];
    if upwards { there } else { back }
}

/// The same between all neighbours of some ascending places, up and down, for the work of going over the line once.
pub fn exact_passage_times(loss: &dyn Loss, domain: [f64; 2], places: &[f64], temperature: f64) -> Vec<BothWays> {
    let value = |x: f64| loss.value(&[x]);
    let ends = [places[0], places[places.len() - 1]];
    let around = [domain[0].min(ends[0]), domain[1].max(ends[1])];
    // Heights are counted from the place that the mass lies behind of.
    let line = |end: usize| Line { value: &value, lowest: value(ends[end]), temperature };
    let first = line(0);
    let way = Way { height: &|x| first.height(x), diffusion: &|_| temperature, tolerance: first.tolerance() };
    let behind = std::array::from_fn(|end| {
        let (place, line) = (ends[end], line(end));
        let sides = line.sides(around);
        let side = sides[end];
        if let (Side::Ends(_), Some(low)) =
            (side, beyond_end(loss, line.lowest, sides.map(Side::place), end, temperature))
        {
            return Err(NoPassage::FallsBeyond(low.theta[0]));
        }
        let weight = way.weight(place);
        let near = way.behind(place, side.place());
        let direction = if end == 0 { -1.0 } else { 1.0 };
        // A tail begins at the edge of the domain.
        let further = line.beyond(&weight, side, direction, (domain[1] - domain[0]) / 16.0, near.value);
        further.map_err(NoPassage::from).and_then(|further| {
            let (mass, error) = (near.value + further.value, near.error + further.error);
            if mass > 0.0 && error <= line.trusted() * mass { Ok(mass) } else { Err(NoPassage::Unsettled) }
        })
    });
    way.passage_times(places, behind)
}

/// The same where the noise depends on θ (Itô): τ = ∫_a^c dy e^{Φ(y)} ∫_{−∞}^y dz e^{−Φ(z)}/D(z), Φ = ∫L′/D.
pub fn exact_ito_passage_times(potential: &Potential, places: &[f64]) -> Vec<BothWays> {
    let way = Way {
        height: &|x| potential.at(x),
        diffusion: &|x| potential.diffusion(x),
        // Φ is a sum of differences, each known to 1e−13.
        tolerance: 1e-12,
    };
    let ends = [places[0], places[places.len() - 1]];
    let behind = std::array::from_fn(|end| {
        let mass = way.behind(ends[end], potential.range()[end]);
        let is_known = mass.error <= 1e-6 * mass.value && mass.value > 0.0;
        if is_known { Ok(mass.value) } else { Err(NoPassage::Unsettled) }
    });
    way.passage_times(places, behind)
}

/// One of [`exact_ito_passage_times`].
///
/// # Errors
/// When the integral does not settle.
pub fn exact_ito_passage_time(potential: &Potential, from: f64, to: f64) -> Result<f64, NoPassage> {
    let upwards = to > from;
    let places = if upwards { [from, to] } else { [to, from] };
    let [there, back] = exact_ito_passage_times(potential, &places)[0];
    if upwards { there } else { back }
}

impl From<NoIntegral> for NoPassage {
    fn from(reason: NoIntegral) -> Self {
        match reason {
            NoIntegral::Infinite => Self::NotConfined,
            NoIntegral::Unsettled => Self::Unsettled,
        }
    }
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
        CriticalPoint {
            theta: vec![0.0; 2],
            loss,
            eigenvalues: eigenvalues.to_vec(),
            eigenvectors,
            multiplicity,
            flat: Vec::new(),
        }
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
        let masses = laplace::occupancies(&landscape.minima, temperature).unwrap();
        assert!((masses[0] / there / (masses[1] / back) - 1.0).abs() < 1e-13, "{masses:?}");
    }
}
