//! The ladder of temperatures: from the case's own up to where its barriers are no more than T.

use crate::landscape::Landscape;
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};
use crate::theory::gibbs::DECAY;

/// The largest number of temperatures.
const MOST_LEVELS: usize = 24;
/// The stream of the directions in which the confinement is probed: no walker has it.
const DIRECTIONS: u64 = u64::MAX;

/// The temperatures, rising in equal ratios; the first is the case's own. `None` where exp(−L/T) has no finite integral.
///
/// Neighbours are a factor of about 1 + √(6/d) apart: in a bowl of d dimensions they then exchange in some four of ten
/// attempts.
pub(super) fn ladder(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> Option<Vec<f64>> {
    let probe = Probe::new(domain);
    let confined = |temperature: f64| probe.is_confined(loss, landscape, temperature);
    if !confined(temperature) {
        return None;
    }
    let highest = barrier(loss, landscape).max(temperature);
    let ratio = 1.0 + (6.0 / domain.len() as f64).sqrt();
    let steps = (crate::math::ln(highest / temperature) / crate::math::ln(ratio) - 1e-9).ceil().max(0.0) as usize;
    let steps = steps.min(MOST_LEVELS - 1);
    let rise = if steps == 0 { 1.0 } else { crate::math::pow(highest / temperature, 1.0 / steps as f64) };
    let mut levels = vec![temperature];
    for _ in 0..steps {
        let next = levels[levels.len() - 1] * rise;
        // A loss that rises slowly may confine a cold law and no hot one.
        if !confined(next) {
            break;
        }
        levels.push(next);
    }
    Some(levels)
}

/// The height above the lowest minimum at which all minima are joined: over the saddles, which rise in loss, and where
/// those that are known leave some apart, along the straight lines between them.
fn barrier(loss: &dyn Loss, landscape: &Landscape) -> f64 {
    let minima = &landscape.minima;
    let saddles = landscape.saddles.iter().map(|saddle| (saddle.point.loss, saddle.between));
    // Beyond some thirty minima, pairs are too many; the near ones in loss must do.
    let pairs = (0..minima.len()).flat_map(|a| (a + 1..minima.len().min(a + 31)).map(move |b| [a, b]));
    let lines = pairs.map(|[a, b]| (height_between(loss, &minima[a].theta, &minima[b].theta), [a, b]));
    let mut lines: Vec<(f64, [usize; 2])> = lines.filter(|(height, _)| height.is_finite()).collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Joined in the order of their heights, as in Kruskal's algorithm; the last one that was needed counts.
    let mut group: Vec<usize> = (0..minima.len()).collect();
    let mut highest = minima[0].loss;
    for (height, [a, b]) in saddles.chain(lines) {
        let (from, to) = (group[a], group[b]);
        if from != to {
            group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            highest = highest.max(height);
        }
    }
    highest - minima[0].loss
}

/// The highest loss on a straight line.
fn height_between(loss: &dyn Loss, a: &[f64], b: &[f64]) -> f64 {
    let at = |k: usize| -> Vec<f64> { a.iter().zip(b).map(|(x, y)| x + (y - x) * k as f64 / 200.0).collect() };
    (0..=200).map(|k| loss.value(&at(k))).fold(f64::NEG_INFINITY, f64::max)
}

/// Directions in which the loss has to rise.
struct Probe {
    center: Vec<f64>,
    scale: f64,
    directions: Vec<Vec<f64>>,
}

impl Probe {
    fn new(domain: &[[f64; 2]]) -> Self {
        let d = domain.len();
        let mut stream = Stream::new(super::SEED, DIRECTIONS, Purpose::SamplerChoice);
        let axes = (0..2 * d).map(|k| {
            let mut axis = vec![0.0; d];
            axis[k / 2] = if k % 2 == 0 { 1.0 } else { -1.0 };
            axis
        });
        let mut directions: Vec<Vec<f64>> = axes.collect();
        for _ in 0..16 * d {
            // A sum of twelve uniforms is near enough to a normal for the direction to be near enough to uniform.
            let normals: Vec<f64> = (0..d).map(|_| (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0).collect();
            let length = normals.iter().map(|x| x * x).sum::<f64>().sqrt();
            directions.push(normals.iter().map(|x| x / length).collect());
        }
        let scale = domain.iter().map(|[low, high]| (high - low) * (high - low)).sum::<f64>().sqrt();
        Self { center: domain.iter().map(|[low, high]| 0.5 * (low + high)).collect(), scale, directions }
    }

    /// Whether (L − L_A)/T − d ln r exceeds [`DECAY`] somewhere on every ray, r the distance in units of the domain's
    /// diagonal: up to 10⁴ of them, as far as the quadrature looks.
    fn is_confined(&self, loss: &dyn Loss, landscape: &Landscape, temperature: f64) -> bool {
        let d = self.center.len();
        let lowest = landscape.minima[0].loss;
        self.directions.iter().all(|direction| {
            (0..15).any(|k| {
                let distance = f64::from(1u32 << k);
                let along = |(c, u): (&f64, &f64)| c + self.scale * distance * u;
                let point: Vec<f64> = self.center.iter().zip(direction).map(along).collect();
                let height = (loss.value(&point) - lowest) / temperature - d as f64 * crate::math::ln(distance);
                // A NaN counts as high: there is no mass.
                !(height <= DECAY)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::DMatrix;

    use super::*;
    use crate::loss::closure::Closure;
    use crate::loss::wells::{Well, Wells};

    #[test]
    fn the_ladder_ends_where_the_barrier_is_a_temperature() {
        let well = |x: f64, loss: f64, curvature: f64| Well {
            position: [x, 0.0, 0.0, 0.0, 0.0].to_vec(),
            loss,
            hessian: DMatrix::from_diagonal_element(5, 5, curvature),
        };
        let domain = [[-3.0, 3.0]; 5];
        let loss = Arc::new(Wells::new(&[well(-1.0, 0.0, 2.0), well(1.0, 0.1, 3.0)], 0.05).unwrap());
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        let saddle = landscape.saddles[0].point.loss;
        let levels = ladder(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
        assert_eq!(levels[0], 0.1);
        assert!((levels[levels.len() - 1] / saddle - 1.0).abs() < 1e-12 && levels.len() == 5, "{levels:?} {saddle}");
        // Above its barrier a case needs no help.
        assert_eq!(ladder(loss.as_ref(), &landscape, &domain, 2.0).unwrap(), [2.0]);
    }

    /// a ln(1 + |θ|²) in five dimensions has a finite integral of exp(−L/T) only for T < 2a/5: the ladder must end
    /// below.
    #[test]
    fn a_loss_that_hardly_rises_confines_no_hot_law() {
        let scale = |x: &[f64]| 1.0 + x.iter().map(|x| x * x).sum::<f64>();
        let loss: Arc<dyn Loss> = Arc::new(Closure::new(
            5,
            move |x: &[f64]| scale(x).ln(),
            move |x: &[f64], g: &mut [f64]| g.iter_mut().zip(x).for_each(|(g, x)| *g = 2.0 * x / scale(&[*x])),
        ));
        let landscape = Landscape::explore(loss.clone(), &[[-1.0, 1.0]; 5]).unwrap();
        assert!(ladder(loss.as_ref(), &landscape, &[[-1.0, 1.0]; 5], 0.1).is_some());
        assert!(ladder(loss.as_ref(), &landscape, &[[-1.0, 1.0]; 5], 0.45).is_none());
    }
}
