//! The cells of one block: halved until their integrals no longer change, cut along the ridges.

use super::super::curvature::Bends;
use super::super::integrand::{Density, Room};
use super::super::valley::hidden_mass;
use super::cell::{Cell, Node, Vertex, determinant};
use super::labels::Labels;
use super::masses::Masses;
use super::{Frame, MOST_HALVINGS, MOST_HALVINGS_BESIDE_SLIDES, NOTHING, Precision, SMALL, precision};
use crate::theory::outskirts::Place;
use crate::theory::quadrature::{GAUSS_3, GAUSS_5};

/// An integral over a cell, and whether a ridge runs through the cell.
pub(super) struct Estimate {
    pub masses: Masses,
    on_ridge: bool,
    /// What precision is a part of here.
    scale: f64,
}

/// Integrates one of the blocks that the region is made of.
pub(super) struct Worker<'a, 'l, const D: usize> {
    frame: &'a Frame<'a>,
    labels: &'a mut Labels<'l, D>,
    /// The places of a rule and their shares.
    places: Vec<([f64; D], f64)>,
    room: Room,
    /// Halvings of an edge in the cell at hand.
    bisections: u32,
    /// Halvings that are left.
    halvings: usize,
    /// Per minimum, the Hessians at the centers of the cells that are halved no further.
    pub bends: Vec<Bends>,
    /// The lowest of these centers in no basin.
    pub elsewhere: Option<Place>,
}

impl<'a, 'l, const D: usize> Worker<'a, 'l, D> {
    pub(super) fn new(frame: &'a Frame<'a>, labels: &'a mut Labels<'l, D>) -> Self {
        let bends = vec![Bends::default(); frame.landscape.minima.len()];
        let halvings = if frame.landscape.basins.has_slides { MOST_HALVINGS_BESIDE_SLIDES } else { MOST_HALVINGS };
        Self {
            frame,
            labels,
            places: Vec::new(),
            room: Room::default(),
            bisections: 0,
            halvings,
            bends,
            elsewhere: None,
        }
    }

    /// Halves a cell until that changes nothing any more.
    pub(super) fn integrate(&mut self, cell: &Cell<D>, coarse: Estimate) -> Estimate {
        let Precision { smooth, .. } = precision(D);
        let ridge = self.frame.on_ridge::<D>();
        let count = self.frame.landscape.minima.len();
        let parts: Vec<(Cell<D>, Estimate)> =
            cell.halves().map(|half| (self.estimate(&half), half)).map(|(e, c)| (c, e)).collect();
        let mut fine = Masses::new(count);
        for (_, part) in &parts {
            fine.add(&part.masses, 1.0);
        }
        let on_ridge = coarse.on_ridge || parts.iter().any(|(_, part)| part.on_ridge);
        let scale = parts.iter().fold(coarse.scale, |scale, (_, part)| scale.min(part.scale));
        let allowed = scale * if on_ridge { ridge } else { smooth };
        let noise = self.frame.rounding * fine.mass.iter().sum::<f64>();
        let change = fine.distance(&coarse.masses);
        let hidden = self.hidden(cell);
        fine.valleys |= hidden > 0.0;
        let settled = change <= allowed + noise && hidden == 0.0 && !self.hides_a_well(cell);
        if settled || cell.span <= 4 || self.halvings == 0 {
            if !settled {
                fine.unsettled += change + hidden;
            }
            parts.iter().for_each(|(half, part)| self.take_note(half, part));
            if on_ridge {
                // The flat pieces leave an error in the square of the width: a quarter of the coarse one's is left.
                let mut change = fine.clone();
                change.add(&coarse.masses, -1.0);
                fine.add(&change, 1.0 / 3.0);
            }
            return Estimate { masses: fine, on_ridge, scale };
        }
        self.halvings -= 1;
        let mut sum = Masses::new(count);
        sum.valleys = fine.valleys;
        for (half, part) in parts {
            sum.add(&self.integrate(&half, part).masses, 1.0);
        }
        Estimate { masses: sum, on_ridge, scale }
    }

    /// Where a cell that is halved no further has a mass, the curvature at its center stands for it: a wall or a ridge too
    /// narrow to be seen so would have changed the mass when the cell was halved.
    fn take_note(&mut self, cell: &Cell<D>, part: &Estimate) {
        let is_seen = |(owner, mass): (usize, f64)| mass > SMALL * self.frame.scale(owner);
        if !self.frame.is_gibbs() || !part.masses.mass.iter().copied().enumerate().any(is_seen) {
            return;
        }
        let center = self.labels.place(&cell.center());
        let minima = self.bends.len();
        if is_seen((minima, part.masses.mass[minima])) && self.labels.owner(cell.center()) == minima {
            let place = Place { theta: center.to_vec(), loss: self.frame.loss.value(&center) };
            self.elsewhere = Place::lower(self.elsewhere.take(), Some(place));
        }
        let hessian = self.frame.loss.hessian(&center);
        for (owner, (bends, &mass)) in self.bends.iter_mut().zip(&part.masses.mass).enumerate() {
            if is_seen((owner, mass)) {
                bends.add(&center, hessian.clone(), mass);
            }
        }
    }

    /// The mass of a valley that the cell's rule may miss; 0 where there is none that matters.
    fn hidden(&self, cell: &Cell<D>) -> f64 {
        let (low, high) = (self.labels.place(&cell.corner), self.labels.place(&cell.corner.map(|x| x + cell.span)));
        let half: [f64; D] = std::array::from_fn(|axis| 0.5 * (high[axis] - low[axis]));
        let Frame { loss, landscape, temperature, whole, .. } = *self.frame;
        let mass = if self.frame.is_gibbs() {
            hidden_mass(loss, &self.labels.place(&cell.center()), &half, landscape.minima[0].loss, temperature)
        } else {
            None
        };
        mass.filter(|mass| *mass > SMALL * whole).unwrap_or(0.0)
    }

    /// Whether the cell holds a minimum whose well is so narrow that the rule's points may all miss it.
    fn hides_a_well(&self, cell: &Cell<D>) -> bool {
        let (low, high) = (self.labels.place(&cell.corner), self.labels.place(&cell.corner.map(|x| x + cell.span)));
        self.frame.landscape.minima.iter().any(|minimum| {
            let steepest = minimum.eigenvalues.last().copied().unwrap_or(0.0);
            let width = (self.frame.temperature / steepest).sqrt();
            let inside = |axis: usize| {
                let margin = 0.5 * (high[axis] - low[axis]);
                minimum.theta[axis] >= low[axis] - margin && minimum.theta[axis] <= high[axis] + margin
            };
            (0..D).all(inside) && (0..D).any(|axis| high[axis] - low[axis] > 4.0 * width)
        })
    }

    pub(super) fn estimate(&mut self, cell: &Cell<D>) -> Estimate {
        let mut masses = Masses::new(self.frame.landscape.minima.len());
        let density = self.product_rule(cell);
        let mass = density.mass;
        if mass <= NOTHING * self.frame.smallest_scale() {
            return Estimate { masses, on_ridge: false, scale: self.frame.whole };
        }
        let owner = self.labels.owner(cell.center());
        let mut scale = self.frame.scale(owner);
        let mut on_ridge = false;
        if mass > SMALL * self.frame.smallest_scale() {
            for probe in cell.probes() {
                let other = self.labels.owner(probe);
                scale = scale.min(self.frame.scale(other));
                on_ridge |= other != owner;
                // Where precision is a part of the whole anyway, one is enough.
                if on_ridge && self.frame.smallest_scale() == self.frame.whole {
                    break;
                }
            }
        }
        on_ridge &= mass > SMALL * scale;
        if on_ridge {
            let first = Vertex {
                point: self.labels.place(&cell.corner),
                node: Some((cell.corner, self.labels.owner(cell.corner))),
            };
            self.bisections = bisections::<D>(mass / scale, self.frame.on_ridge::<D>());
            self.add_simplices(cell, &mut vec![first], 0, &mut masses);
        } else {
            masses.add_density(owner, &density);
        }
        Estimate { masses, on_ridge, scale }
    }

    /// The integrals over a cell, by the product of Gauss rules of five points.
    fn product_rule(&mut self, cell: &Cell<D>) -> Density {
        let (low, high) = (self.labels.place(&cell.corner), self.labels.place(&cell.corner.map(|x| x + cell.span)));
        self.places.clear();
        for index in 0..5usize.pow(D as u32) {
            let (mut point, mut share) = ([0.0; D], 1.0);
            for axis in 0..D {
                let (node, weight) = GAUSS_5[index / 5usize.pow(axis as u32) % 5];
                let half = 0.5 * (high[axis] - low[axis]);
                point[axis] = 0.5 * (low[axis] + high[axis]) + half * node;
                share *= weight * half;
            }
            self.places.push((point, share));
        }
        self.frame.integrand.sum(&self.places, &mut self.room)
    }

    /// Kuhn's triangulation of a cell: a simplex for every order in which the axes can be walked from corner to corner.
    fn add_simplices(&mut self, cell: &Cell<D>, path: &mut Vec<Vertex<D>>, walked: u32, masses: &mut Masses) {
        if path.len() == D + 1 {
            self.add_cut(path, masses);
            return;
        }
        for axis in (0..D).filter(|axis| walked >> axis & 1 == 0) {
            let corner = |axis: usize, walked: u32| cell.corner[axis] + (walked >> axis & 1) * cell.span;
            let walked = walked | 1 << axis;
            let node: Node<D> = std::array::from_fn(|axis| corner(axis, walked));
            path.push(Vertex { point: self.labels.place(&node), node: Some((node, self.labels.owner(node))) });
            self.add_simplices(cell, path, walked, masses);
            path.pop();
        }
    }

    /// Cuts a simplex on an edge with two owners into two, at the ridge, until every piece has one owner.
    fn add_cut(&mut self, vertices: &[Vertex<D>], masses: &mut Masses) {
        let owned = |i: usize| vertices[i].node.map(|(node, owner)| (i, node, owner));
        let Some((_, _, owner)) = (0..=D).find_map(owned) else { return };
        let first_of_other = (0..=D).filter_map(owned).find(|&(.., other)| other != owner);
        let Some((j, far, _)) = first_of_other else { return self.add_piece(vertices, owner, masses) };
        let Some((i, near, _)) = (0..=D).find_map(owned) else { return };
        let ridge = Vertex { point: self.labels.crossing([near, far], self.bisections), node: None };
        for end in [i, j] {
            let mut piece = vertices.to_vec();
            piece[end] = ridge;
            self.add_cut(&piece, masses);
        }
    }

    /// A simplex with one owner: a product of Gauss rules of three points on the cube, collapsed onto it (Duffy 1982).
    fn add_piece(&mut self, vertices: &[Vertex<D>], owner: usize, masses: &mut Masses) {
        let corner = vertices[0].point;
        let edges: [[f64; D]; D] =
            std::array::from_fn(|k| std::array::from_fn(|axis| vertices[k + 1].point[axis] - corner[axis]));
        let volume = determinant(edges).abs();
        if volume == 0.0 {
            return;
        }
        self.places.clear();
        for index in 0..3usize.pow(D as u32) {
            // What is left of the simplex once the first coordinates are chosen.
            let (mut point, mut share, mut left) = (corner, volume, 1.0);
            for (k, edge) in edges.iter().enumerate() {
                let (node, weight) = GAUSS_3[index / 3usize.pow(k as u32) % 3];
                let along = left * 0.5 * (1.0 + node);
                share *= 0.5 * weight * left;
                left -= along;
                for axis in 0..D {
                    point[axis] += along * edge[axis];
                }
            }
            self.places.push((point, share));
        }
        masses.add_density(owner, &self.frame.integrand.sum(&self.places, &mut self.room));
    }
}

/// Halvings of an edge that leave a thousandth of what is allowed on a ridge, in a cell with this part of the whole: each is a flow.
fn bisections<const D: usize>(share: f64, ridge: f64) -> u32 {
    let bisections = precision(D).bisections;
    let wanted = crate::math::ln(share / (1e-3 * ridge)) / std::f64::consts::LN_2;
    (wanted.ceil().max(2.0) as u32).min(bisections)
}
