//! Labels at the nodes of a grid, in the plane and in space: where all that is around a point has one label, so has the point.
//!
//! Nodes are labelled when a point near them is asked about, some dozens of neighbours at a time, so that their flows go side by side;
//! what nobody asks about is never followed. A label is a function of its node alone: which thread finds it, and when, changes nothing.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::flow::NO_BASIN;

/// Labels at the nodes of a grid over the domain and half of its width around it.
pub(super) struct Grid {
    low: Vec<f64>,
    cell: Vec<f64>,
    /// Cells per coordinate.
    cells: usize,
    /// Per node, first coordinate running fastest: a minimum, `NOWHERE`, or `UNKNOWN`.
    nodes: Vec<AtomicU8>,
    /// Per cell: the one label of all nodes around it, `UNCERTAIN` where they differ, or `UNKNOWN`.
    labels: Vec<AtomicU8>,
}

const NOWHERE: u8 = u8::MAX;
const UNCERTAIN: u8 = u8::MAX - 1;
const UNKNOWN: u8 = u8::MAX - 2;

/// Nodes that are labelled together: squares of 8 × 8, cubes of 4 × 4 × 4.
const TOGETHER: usize = 64;

const fn nodes_along(dimension: usize) -> usize {
    if dimension == 2 { 8 } else { 4 }
}

impl Grid {
    /// Whether there is a grid in so many dimensions.
    pub(super) const fn is_for(dimension: usize) -> bool {
        dimension == 2 || dimension == 3
    }

    pub(super) fn new(domain: &[[f64; 2]]) -> Self {
        let d = domain.len();
        let cells: usize = if d == 2 { 128 } else { 32 };
        let unknown = |count: usize| (0..count).map(|_| AtomicU8::new(UNKNOWN)).collect();
        Self {
            low: domain.iter().map(|[low, high]| low - 0.5 * (high - low)).collect(),
            cell: domain.iter().map(|[low, high]| 2.0 * (high - low) / cells as f64).collect(),
            cells,
            nodes: unknown((cells + 1).pow(d as u32)),
            labels: unknown(cells.pow(d as u32)),
        }
    }

    /// The label of a point in a certain cell, [`NO_BASIN`] where the flow certainly reaches no minimum; `None` where only the flow can
    /// tell. `settle` follows the flows of points, d numbers after d numbers, and writes where they end.
    pub(super) fn certain_label(&self, theta: &[f64], settle: &mut dyn FnMut(&[f64], &mut [u64])) -> Option<u64> {
        let mut corner = [0; 3];
        let (mut index, mut stride) = (0, 1);
        for i in 0..theta.len() {
            let place = (theta[i] - self.low[i]) / self.cell[i];
            if !(place >= 0.0 && place < self.cells as f64) {
                return None;
            }
            corner[i] = place as usize;
            index += stride * corner[i];
            stride *= self.cells;
        }
        let mut label = self.labels[index].load(Relaxed);
        if label == UNKNOWN {
            label = self.common_label(&corner[..theta.len()], settle);
            self.labels[index].store(label, Relaxed);
        }
        match label {
            UNCERTAIN => None,
            NOWHERE => Some(NO_BASIN),
            label => Some(u64::from(label)),
        }
    }

    /// The one label of all nodes of a cell and of the ring around it, else `UNCERTAIN`.
    fn common_label(&self, corner: &[usize], settle: &mut dyn FnMut(&[f64], &mut [u64])) -> u8 {
        let d = corner.len();
        let mut common = None;
        for offset in 0..4usize.pow(d as u32) {
            let mut node = [0; 3];
            for i in 0..d {
                node[i] = (corner[i] + offset / 4usize.pow(i as u32) % 4).saturating_sub(1).min(self.cells);
            }
            let label = self.node_label(&node[..d], settle);
            if *common.get_or_insert(label) != label {
                return UNCERTAIN;
            }
        }
        common.unwrap_or(UNCERTAIN)
    }

    fn node_label(&self, node: &[usize], settle: &mut dyn FnMut(&[f64], &mut [u64])) -> u8 {
        let index = self.index(node);
        match self.nodes[index].load(Relaxed) {
            UNKNOWN => {
                self.label_neighbours(node, settle);
                self.nodes[index].load(Relaxed)
            }
            label => label,
        }
    }

    fn index(&self, node: &[usize]) -> usize {
        node.iter().rev().fold(0, |index, place| index * (self.cells + 1) + place)
    }

    /// Labels all nodes of the square or cube that a node belongs to.
    fn label_neighbours(&self, node: &[usize], settle: &mut dyn FnMut(&[f64], &mut [u64])) {
        let d = node.len();
        let along = nodes_along(d);
        let (mut points, mut indices, mut count) = ([0.0; 3 * TOGETHER], [0; TOGETHER], 0);
        for offset in 0..TOGETHER {
            let place = |i: usize| node[i] / along * along + offset / along.pow(i as u32) % along;
            let mut neighbour = [0; 3];
            (0..d).for_each(|i| neighbour[i] = place(i));
            if neighbour[..d].iter().any(|&place| place > self.cells) {
                continue;
            }
            for i in 0..d {
                points[count * d + i] = self.low[i] + self.cell[i] * neighbour[i] as f64;
            }
            indices[count] = self.index(&neighbour[..d]);
            count += 1;
        }
        let mut labels = [NO_BASIN; TOGETHER];
        settle(&points[..count * d], &mut labels[..count]);
        for (&index, label) in indices[..count].iter().zip(labels) {
            self.nodes[index].store(if label == NO_BASIN { NOWHERE } else { label as u8 }, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two basins with the ridge x = 0.3: cells by the ridge are left to the flow, others are known, and no node is followed twice.
    #[test]
    fn only_what_is_asked_about_is_followed() {
        for d in [2, 3] {
            let grid = Grid::new(&vec![[-1.0, 1.0]; d]);
            let mut followed = 0;
            let mut settle = |points: &[f64], labels: &mut [u64]| {
                followed += labels.len();
                points.chunks_exact(d).zip(labels).for_each(|(point, label)| *label = u64::from(point[0] > 0.3));
            };
            let at = |x: f64| vec![x; d];
            for _ in 0..2 {
                assert_eq!(grid.certain_label(&at(-0.5), &mut settle), Some(0));
                assert_eq!(grid.certain_label(&at(0.9), &mut settle), Some(1));
                // The cell that the ridge runs through and those beside it.
                for place in [0.301, 0.3 - grid.cell[0], 0.3 + grid.cell[0]] {
                    assert_eq!(grid.certain_label(&at(place), &mut settle), None);
                }
                assert_eq!(grid.certain_label(&at(2.1), &mut settle), None);
            }
            assert!((TOGETHER..=3 * 8 * TOGETHER).contains(&followed), "{followed} in {d} dimensions");
        }
    }

    /// The last nodes of each side have no full square around them.
    #[test]
    fn the_edge_of_the_grid_is_labelled_too() {
        let grid = Grid::new(&[[0.0, 1.0]; 2]);
        let mut settle = |_: &[f64], labels: &mut [u64]| labels.fill(NO_BASIN);
        for place in [[-0.499, -0.499], [1.499, 1.499], [1.499, -0.499]] {
            assert_eq!(grid.certain_label(&place, &mut settle), Some(NO_BASIN));
        }
    }
}
