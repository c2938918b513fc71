//! To which basins the nodes of a block belong, and where its edges cross the ridges: whatever the gradient flow has told is remembered.

use std::collections::HashMap;

use super::cell::Node;
use super::precision;
use crate::landscape::{Landscape, basins::Workspace};

/// What is known of one block of the region.
pub(super) struct Labels<'a, const D: usize> {
    landscape: &'a Landscape,
    block: [[f64; 2]; D],
    /// Neighbouring cells and simplices share their nodes and edges.
    owners: HashMap<Node<D>, usize>,
    /// By the edge's nodes, in their order.
    crossings: HashMap<[Node<D>; 2], Crossing<D>>,
    workspace: Workspace,
}

/// A part of an edge that is crossed by a ridge, from the first owner's side to the other's.
#[derive(Clone, Copy)]
struct Crossing<const D: usize> {
    ends: [[f64; D]; 2],
    /// Of the edge's nodes.
    owners: [usize; 2],
    /// How often the edge has been halved.
    halvings: u32,
}

impl<const D: usize> Crossing<D> {
    fn middle(&self) -> [f64; D] {
        std::array::from_fn(|axis| 0.5 * (self.ends[0][axis] + self.ends[1][axis]))
    }
}

impl<'a, const D: usize> Labels<'a, D> {
    pub(super) fn new(landscape: &'a Landscape, block: [[f64; 2]; D]) -> Self {
        let (owners, crossings) = (HashMap::new(), HashMap::new());
        Self { landscape, block, owners, crossings, workspace: Workspace::default() }
    }

    /// Where a node is.
    pub(super) fn place(&self, node: &Node<D>) -> [f64; D] {
        let steps = f64::from(2u32 << precision(D).deepest);
        std::array::from_fn(|axis| {
            let [low, high] = self.block[axis];
            low + (high - low) * (f64::from(node[axis]) / steps)
        })
    }

    /// The minimum to which a node belongs; their number where it belongs to none.
    pub(super) fn owner(&mut self, node: Node<D>) -> usize {
        if let Some(&owner) = self.owners.get(&node) {
            return owner;
        }
        let owner = self.label(&self.place(&node));
        self.owners.insert(node, owner);
        owner
    }

    /// Where the edge between two nodes of different owners crosses the ridge, to within so many halvings of it.
    pub(super) fn crossing(&mut self, mut edge: [Node<D>; 2], halvings: u32) -> [f64; D] {
        edge.sort_unstable();
        let mut crossing = self.known(&edge).unwrap_or_else(|| Crossing {
            ends: edge.map(|node| self.place(&node)),
            owners: edge.map(|node| self.owner(node)),
            halvings: 0,
        });
        while crossing.halvings < halvings {
            let middle = crossing.middle();
            let end = usize::from(self.label(&middle) != crossing.owners[0]);
            crossing.ends[end] = middle;
            crossing.halvings += 1;
        }
        self.crossings.insert(edge, crossing);
        crossing.middle()
    }

    /// What is known of an edge: from before, or from the edge twice as long that it is a half of, where that has the same two owners.
    fn known(&mut self, edge: &[Node<D>; 2]) -> Option<Crossing<D>> {
        if let Some(crossing) = self.crossings.get(edge) {
            return Some(*crossing);
        }
        let owners = edge.map(|node| self.owner(node));
        // Beyond `to`, as far as `from` is before it; outside of the block where that is no number.
        let beyond = |from: &Node<D>, to: &Node<D>| -> Option<Node<D>> {
            let mut end = *to;
            for axis in 0..D {
                end[axis] = (2 * to[axis]).checked_sub(from[axis])?;
            }
            Some(end)
        };
        let [first, second] = edge;
        let longer = [beyond(first, second).map(|end| [*first, end]), beyond(second, first).map(|end| [end, *second])];
        longer.into_iter().flatten().find_map(|longer| {
            let whole = self.crossings.get(&longer)?;
            let [from, to] = edge.map(|node| self.place(&node));
            let is_here = (0..D).all(|axis| {
                let (low, high) = (from[axis].min(to[axis]), from[axis].max(to[axis]));
                whole.ends.iter().all(|end| (low..=high).contains(&end[axis]))
            });
            (is_here && whole.owners == owners)
                .then(|| Crossing { halvings: whole.halvings.saturating_sub(1), ..*whole })
        })
    }

    fn label(&mut self, point: &[f64; D]) -> usize {
        self.landscape.basins.label(point, &mut self.workspace).unwrap_or(self.landscape.minima.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::expression::Expression;

    /// The ridge of a double well, on edges along the axes and across: to the last halving, and the same from half of the edge.
    #[test]
    fn crossings_lie_on_the_ridge() {
        let loss = Expression::new(&["x", "y"].map(String::from), &[], "(x^2 - 1)^2 + y^2").unwrap();
        let landscape = Landscape::explore(Arc::new(loss), &[[-2.0, 2.0]; 2]).unwrap();
        let steps = 2u32 << precision(2).deepest;
        let mut labels = Labels::<2>::new(&landscape, [[-0.7, 1.3], [-1.0, 1.0]]);
        let [left, right, up] = [[0, 0], [steps, 0], [steps, steps]];
        for far in [right, up] {
            let point = labels.crossing([left, far], 20);
            assert!(point[0].abs() < 2.0 / f64::from(1 << 20), "{point:?}");
            let half = labels.crossing([far.map(|x| x / 2), left], 19);
            assert_eq!(half, point);
        }
        // More halvings go on from where the earlier ones ended.
        let finer = labels.crossing([right, left], 30);
        assert!(finer[0].abs() < 2.0 / f64::from(1 << 30), "{finer:?}");
    }
}
