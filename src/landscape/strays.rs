//! Places that lie in no known basin: what the search may have missed shows there first.

use serde::{Deserialize, Serialize};

use crate::lanes::LANES;

/// Of every lane of a block the lowest place in the domain that lay in no basin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strays {
    domain: Vec<[f64; 2]>,
    /// Lane after lane, d numbers each.
    places: Vec<f64>,
    /// L there; ∞ where there was none.
    losses: Vec<f64>,
}

/// So many of them are followed at most: the lowest of all.
const FOLLOWED: usize = 64;

impl Strays {
    /// None yet.
    pub fn new(domain: &[[f64; 2]]) -> Self {
        let (places, losses) = (vec![0.0; domain.len() * LANES], vec![f64::INFINITY; LANES]);
        Self { domain: domain.to_vec(), places, losses }
    }

    /// Takes note of a place in no basin, if it is lower than those before.
    pub fn see(&mut self, lane: usize, theta: &[f64], loss: f64) {
        let is_inside = theta.iter().zip(&self.domain).all(|(x, [low, high])| (low..=high).contains(&x));
        if is_inside && loss < self.losses[lane] {
            self.losses[lane] = loss;
            self.places[lane * theta.len()..][..theta.len()].copy_from_slice(theta);
        }
    }

    /// Those of all lanes, each with L.
    fn all(&self) -> impl Iterator<Item = (f64, &[f64])> {
        let seen = self.losses.iter().zip(self.places.chunks_exact(self.domain.len()));
        seen.filter(|(loss, _)| loss.is_finite()).map(|(loss, place)| (*loss, place))
    }
}

/// The lowest of all blocks.
pub fn lowest<'a>(blocks: impl Iterator<Item = &'a Strays>) -> Vec<Vec<f64>> {
    let mut all: Vec<(f64, &[f64])> = blocks.flat_map(Strays::all).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().take(FOLLOWED).map(|(_, place)| place.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_in_the_domain_is_kept() {
        let mut strays = Strays::new(&[[-1.0, 1.0]; 2]);
        for (lane, place, loss) in [
            (0, [0.5, 0.5], 2.0),
            (0, [0.6, 0.5], 1.0),
            (0, [0.7, 0.5], 3.0),
            (1, [1.5, 0.0], 0.0),
            (2, [0.0, -1.0], 0.5),
        ] {
            strays.see(lane, &place, loss);
        }
        assert_eq!(lowest([&strays].into_iter()), [vec![0.0, -1.0], vec![0.6, 0.5]]);
    }
}
