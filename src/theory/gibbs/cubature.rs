//! The Gibbs law in two and three dimensions by adaptive cubature.
//!
//! Cells are halved until their integrals no longer change. A cell with one label takes a product of Gauss rules. A cell
//! on a ridge is cut into simplices, and these are cut at the places where their edges cross the ridge, found by bisection
//! with the gradient flow: the ridge is replaced by flat pieces, which leaves an error of order (width of the cell)². It
//! falls by four at every halving and is extrapolated away. In the plane masses are right to about 1e−6, the limit set by
//! the flow's own tolerance; in space to better than 1e−4.
//!
//! ⟨ΔL⟩ needs no Hessian: on the boundary of a basin ∇L runs along it, so that by Gauss' theorem
//! ∫_A ΔL e^(−L/T) = ∫_A |∇L|²/T · e^(−L/T).

use std::collections::HashMap;

use rayon::prelude::*;

use super::curvature::Bends;
use super::integrand::{Density, Integrand, Room};
use super::moments::{Moments, squares_about};
use super::valley::hidden_mass;
use super::{DECAY, Gibbs, NoGibbs, Sums};
use crate::landscape::{CriticalPoint, Landscape, basins::Workspace};
use crate::loss::Loss;
use crate::theory::bounding_box::bounding_box;
use crate::theory::extent::{Line, Side, rounding};
use crate::theory::quadrature::{GAUSS_3, GAUSS_5};

/// What is asked of the cubature, as parts of the whole mass; masses are right to much better than the sum of it over
/// the cells, since it bounds what a halving changes and not what it leaves.
struct Precision {
    /// Cells per coordinate to begin with.
    first_cells: usize,
    /// How often a cell may be halved.
    deepest: u32,
    /// A halving that changes no mass by more than this is the last one, in a cell with one label.
    smooth: f64,
    /// The same on a ridge.
    ridge: f64,
    /// Halvings of an edge in search of the ridge on it, at most.
    bisections: u32,
}

const fn precision(dimension: usize) -> Precision {
    if dimension <= 2 {
        Precision { first_cells: 32, deepest: 12, smooth: 1e-10, ridge: 1e-9, bisections: 24 }
    } else {
        Precision { first_cells: 12, deepest: 6, smooth: 1e-7, ridge: 1e-6, bisections: 12 }
    }
}

/// A cell whose mass is below this part of the whole belongs to its center's owner.
const SMALL: f64 = 1e-11;
/// Below this part of the whole a cell is passed over.
const NOTHING: f64 = 1e-15;
/// Halvings of cells within a block: jumps of the loss would ask for more and more of them.
const MOST_HALVINGS: usize = 40_000;
/// What did not settle by then may be so large a part of the whole.
const TRUSTED: f64 = 1e-4;

pub(super) fn gibbs<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> Result<Gibbs, NoGibbs> {
    let region = bounding_box::<D>(loss, landscape, domain, temperature, DECAY).ok_or_else(|| {
        let is_confined = is_confined_on_axes::<D>(loss, landscape, domain, temperature);
        if is_confined { NoGibbs::HeavyTail } else { NoGibbs::NotConfined }
    })?;
    let integrand = Integrand::Gibbs { loss, lowest: &landscape.minima[0], temperature };
    let whole = laplace_mass(landscape, temperature);
    let rounding = rounding(landscape.minima[0].loss, temperature);
    let frame = Frame { loss, landscape, temperature, whole, integrand, rounding };
    let (mut sum, bends) = integrate(&frame, &region);
    if sum.unsettled > TRUSTED * whole {
        return Err(NoGibbs::Unsettled);
    }
    if sum.valleys && !stands_elsewhere(&frame, &region, &sum) {
        return Err(NoGibbs::Unsettled);
    }
    let other = sum.mass.pop().unwrap_or_default();
    sum.laplacian.pop();
    let center = landscape.minima[0].theta.as_slice();
    let about = landscape.minima.iter().zip(sum.moments.iter().zip(&sum.mass));
    let squares =
        about.map(|(minimum, (moments, mass))| squares_about(&minimum.theta, center, moments, *mass)).collect();
    Sums { masses: sum.mass, other, laplacians: sum.laplacian, squares, excess: Some(sum.excess) }
        .finish(landscape, &bends)
}

/// Whether the masses are the same from another lattice. A valley that is narrower than the cells and bends within them can pass for settled,
/// but what is seen of it then depends on where the cells lie.
fn stands_elsewhere<const D: usize>(frame: &Frame, region: &[[f64; 2]; D], sum: &Masses) -> bool {
    const WIDER: [f64; 2] = [0.0137, 0.0211];
    let wider = region.map(|[low, high]| [low - WIDER[0] * (high - low), high + WIDER[1] * (high - low)]);
    integrate(frame, &wider).0.distance(sum) <= TRUSTED * frame.whole
}

/// The masses of another law in the basins of the plane, that of what lies in none last. Its density, positive and no rougher than
/// exp(−L/T), is about 1 as a whole.
pub(in crate::theory) fn masses(
    loss: &dyn Loss,
    landscape: &Landscape,
    temperature: f64,
    region: &[[f64; 2]; 2],
    density: &(dyn Fn(&[f64]) -> f64 + Sync),
) -> Vec<f64> {
    let integrand = Integrand::Other(density);
    let frame = Frame { loss, landscape, temperature, whole: 1.0, integrand, rounding: 0.0 };
    integrate(&frame, region).0.mass
}

/// Whether exp(−L/T) has a finite integral as far as the axes through the lowest minimum tell, weighed with the growing shells.
fn is_confined_on_axes<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> bool {
    let minimum = &landscape.minima[0];
    (0..2 * D).all(|end| {
        let (axis, direction) = (end / 2, if end % 2 == 0 { -1.0 } else { 1.0 });
        let value = |reach: f64| {
            let mut place = minimum.theta.clone();
            place[axis] += direction * reach;
            loss.value(&place)
        };
        let line = Line { value: &value, lowest: minimum.loss, temperature };
        let width = domain[axis][1] - domain[axis][0];
        let shells = |reach: f64| line.weight(reach) * crate::math::powi(reach / width, D as i32 - 1);
        line.beyond(&shells, Side::Tail(width), 1.0, width / 16.0, width * 1e-3).is_ok()
    })
}

/// Block by block.
fn integrate<const D: usize>(frame: &Frame, region: &[[f64; 2]; D]) -> (Masses, Vec<Bends>) {
    let minima = frame.landscape.minima.len();
    let Precision { first_cells: n, deepest, .. } = precision(D);
    let parts: Vec<(Masses, Vec<Bends>)> = (0..n.pow(D as u32))
        .into_par_iter()
        .map(|index| {
            let cut =
                |axis: usize, k: usize| region[axis][0] + (region[axis][1] - region[axis][0]) * k as f64 / n as f64;
            let place = |axis: usize| index / n.pow(axis as u32) % n;
            let block = std::array::from_fn(|axis| [cut(axis, place(axis)), cut(axis, place(axis) + 1)]);
            let mut worker = Worker::<D>::new(frame, block);
            let cell = Cell { corner: [0; D], span: 2 << deepest };
            let coarse = worker.estimate(&cell);
            (worker.integrate(&cell, coarse).masses, worker.bends)
        })
        .collect();
    // Summed in the order of the cells: the same bits for any number of threads.
    let mut sum = Masses::new(minima);
    let mut bends = vec![Bends::default(); minima];
    for (part, seen) in &parts {
        sum.add(part, 1.0);
        bends.iter_mut().zip(seen).for_each(|(all, part)| all.append(part));
    }
    (sum, bends)
}

/// Laplace's estimate of ∫ exp(−(L − lowest)/T): what "a part of the whole mass" refers to.
fn laplace_mass(landscape: &Landscape, temperature: f64) -> f64 {
    let lowest = landscape.minima[0].loss;
    let mass = |minimum: &CriticalPoint| {
        let curvatures = minimum.curvatures_at(temperature);
        let widths = curvatures.iter().map(|h| (2.0 * std::f64::consts::PI * temperature / h).sqrt());
        widths.product::<f64>() * crate::math::exp(-(minimum.loss - lowest) / temperature)
    };
    landscape.minima.iter().map(mass).sum()
}

struct Frame<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
    whole: f64,
    integrand: Integrand<'a>,
    /// What the integrand is known to, as a part of itself.
    rounding: f64,
}

impl Frame<'_> {
    fn is_gibbs(&self) -> bool {
        matches!(self.integrand, Integrand::Gibbs { .. })
    }
}

/// ∫ exp(−L/T), ∫ ΔL exp(−L/T) and the moments about the lowest minimum, per minimum, the last entry what lies in no basin; and
/// ∫ (L − L_A) exp(−L/T) over all.
#[derive(Clone)]
struct Masses {
    mass: Vec<f64>,
    laplacian: Vec<f64>,
    moments: Vec<Moments>,
    excess: f64,
    /// What halving still changed where it had to end.
    unsettled: f64,
    /// Whether a valley runs somewhere that a rule may have missed.
    valleys: bool,
}

impl Masses {
    fn new(minima: usize) -> Self {
        let (zeros, moments) = (vec![0.0; minima + 1], vec![Moments::default(); minima + 1]);
        Self { mass: zeros.clone(), laplacian: zeros, moments, excess: 0.0, unsettled: 0.0, valleys: false }
    }

    fn add_density(&mut self, owner: usize, density: &Density) {
        self.mass[owner] += density.mass;
        self.laplacian[owner] += density.laplacian;
        self.moments[owner].iter_mut().zip(density.moments).for_each(|(a, b)| *a += b);
        self.excess += density.excess;
    }

    fn add(&mut self, other: &Masses, factor: f64) {
        for (a, b) in self.mass.iter_mut().zip(&other.mass) {
            *a += factor * b;
        }
        for (a, b) in self.laplacian.iter_mut().zip(&other.laplacian) {
            *a += factor * b;
        }
        for (a, b) in self.moments.iter_mut().flatten().zip(other.moments.iter().flatten()) {
            *a += factor * b;
        }
        self.excess += factor * other.excess;
        self.unsettled += other.unsettled;
        self.valleys |= other.valleys;
    }

    /// The largest difference of a mass.
    fn distance(&self, other: &Masses) -> f64 {
        self.mass.iter().zip(&other.mass).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
    }
}

/// An integral over a cell, and whether a ridge runs through the cell.
struct Estimate {
    masses: Masses,
    on_ridge: bool,
}

/// A place on the finest lattice of a block: `2 << deepest` steps along each side.
type Node<const D: usize> = [u32; D];

/// A cube of the lattice.
struct Cell<const D: usize> {
    corner: Node<D>,
    span: u32,
}

impl<const D: usize> Cell<D> {
    /// Corners, middles of edges and sides, and the center.
    fn probes(&self) -> impl Iterator<Item = Node<D>> {
        (0..3usize.pow(D as u32)).map(|index| {
            let along = |axis: usize| (index / 3usize.pow(axis as u32) % 3) as u32;
            std::array::from_fn(|axis| self.corner[axis] + along(axis) * self.span / 2)
        })
    }

    fn center(&self) -> Node<D> {
        self.corner.map(|x| x + self.span / 2)
    }

    fn halves(&self) -> impl Iterator<Item = Cell<D>> {
        let span = self.span / 2;
        (0..1u32 << D).map(move |index| Cell {
            corner: std::array::from_fn(|axis| self.corner[axis] + (index >> axis & 1) * span),
            span,
        })
    }
}

/// A vertex of a simplex: a node with the owner of its place, or a place on a ridge, which belongs to either side.
#[derive(Clone, Copy)]
struct Vertex<const D: usize> {
    point: [f64; D],
    node: Option<(Node<D>, usize)>,
}

/// Integrates one of the blocks that the region is made of.
struct Worker<'a, const D: usize> {
    frame: &'a Frame<'a>,
    block: [[f64; 2]; D],
    /// Neighbouring cells and simplices share their nodes and edges.
    owners: HashMap<Node<D>, usize>,
    crossings: HashMap<(Node<D>, Node<D>), [f64; D]>,
    /// The places of a rule and their shares.
    places: Vec<([f64; D], f64)>,
    room: Room,
    workspace: Workspace,
    /// Halvings of an edge in the cell at hand.
    bisections: u32,
    /// Halvings that are left.
    halvings: usize,
    /// Per minimum, the Hessians at the centers of the cells that are halved no further.
    bends: Vec<Bends>,
}

impl<'a, const D: usize> Worker<'a, D> {
    fn new(frame: &'a Frame<'a>, block: [[f64; 2]; D]) -> Self {
        let (owners, crossings) = (HashMap::new(), HashMap::new());
        let bends = vec![Bends::default(); frame.landscape.minima.len()];
        Self {
            frame,
            block,
            owners,
            crossings,
            places: Vec::new(),
            room: Room::default(),
            workspace: Workspace::default(),
            bisections: 0,
            halvings: MOST_HALVINGS,
            bends,
        }
    }

    /// Halves a cell until that changes nothing any more.
    fn integrate(&mut self, cell: &Cell<D>, coarse: Estimate) -> Estimate {
        let Precision { smooth, ridge, .. } = precision(D);
        let count = self.frame.landscape.minima.len();
        let parts: Vec<(Cell<D>, Estimate)> =
            cell.halves().map(|half| (self.estimate(&half), half)).map(|(e, c)| (c, e)).collect();
        let mut fine = Masses::new(count);
        for (_, part) in &parts {
            fine.add(&part.masses, 1.0);
        }
        let on_ridge = coarse.on_ridge || parts.iter().any(|(_, part)| part.on_ridge);
        let allowed = self.frame.whole * if on_ridge { ridge } else { smooth };
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
            return Estimate { masses: fine, on_ridge };
        }
        self.halvings -= 1;
        let mut sum = Masses::new(count);
        sum.valleys = fine.valleys;
        for (half, part) in parts {
            sum.add(&self.integrate(&half, part).masses, 1.0);
        }
        Estimate { masses: sum, on_ridge }
    }

    /// Where a cell that is halved no further has a mass, the curvature at its center stands for it: a wall or a ridge too
    /// narrow to be seen so would have changed the mass when the cell was halved.
    fn take_note(&mut self, cell: &Cell<D>, part: &Estimate) {
        let is_seen = |mass: f64| mass > SMALL * self.frame.whole;
        if !self.frame.is_gibbs() || !part.masses.mass.iter().any(|&mass| is_seen(mass)) {
            return;
        }
        let center = self.place(&cell.center());
        let hessian = self.frame.loss.hessian(&center);
        for (bends, &mass) in self.bends.iter_mut().zip(&part.masses.mass) {
            if is_seen(mass) {
                bends.add(&center, hessian.clone(), mass);
            }
        }
    }

    /// The mass of a valley that the cell's rule may miss; 0 where there is none that matters.
    fn hidden(&self, cell: &Cell<D>) -> f64 {
        let (low, high) = (self.place(&cell.corner), self.place(&cell.corner.map(|x| x + cell.span)));
        let half: [f64; D] = std::array::from_fn(|axis| 0.5 * (high[axis] - low[axis]));
        let Frame { loss, landscape, temperature, whole, .. } = *self.frame;
        let mass = if self.frame.is_gibbs() {
            hidden_mass(loss, &self.place(&cell.center()), &half, landscape.minima[0].loss, temperature)
        } else {
            None
        };
        mass.filter(|mass| *mass > SMALL * whole).unwrap_or(0.0)
    }

    /// Whether the cell holds a minimum whose well is so narrow that the rule's points may all miss it.
    fn hides_a_well(&self, cell: &Cell<D>) -> bool {
        let (low, high) = (self.place(&cell.corner), self.place(&cell.corner.map(|x| x + cell.span)));
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

    fn estimate(&mut self, cell: &Cell<D>) -> Estimate {
        let mut masses = Masses::new(self.frame.landscape.minima.len());
        let density = self.product_rule(cell);
        let mass = density.mass;
        if mass <= NOTHING * self.frame.whole {
            return Estimate { masses, on_ridge: false };
        }
        let owner = self.owner(cell.center());
        let on_ridge = mass > SMALL * self.frame.whole && cell.probes().any(|probe| self.owner(probe) != owner);
        if on_ridge {
            let first = Vertex { point: self.place(&cell.corner), node: Some((cell.corner, self.owner(cell.corner))) };
            self.bisections = bisections::<D>(mass / self.frame.whole);
            self.add_simplices(cell, &mut vec![first], 0, &mut masses);
        } else {
            masses.add_density(owner, &density);
        }
        Estimate { masses, on_ridge }
    }

    /// The integrals over a cell, by the product of Gauss rules of five points.
    fn product_rule(&mut self, cell: &Cell<D>) -> Density {
        let (low, high) = (self.place(&cell.corner), self.place(&cell.corner.map(|x| x + cell.span)));
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

    fn place(&self, node: &Node<D>) -> [f64; D] {
        let steps = f64::from(2u32 << precision(D).deepest);
        std::array::from_fn(|axis| {
            let [low, high] = self.block[axis];
            low + (high - low) * (f64::from(node[axis]) / steps)
        })
    }

    fn label(&mut self, point: &[f64; D]) -> usize {
        let landscape = self.frame.landscape;
        landscape.basins.label(point, &mut self.workspace).unwrap_or(landscape.minima.len())
    }

    fn owner(&mut self, node: Node<D>) -> usize {
        if let Some(&owner) = self.owners.get(&node) {
            return owner;
        }
        let owner = self.label(&self.place(&node));
        self.owners.insert(node, owner);
        owner
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
            path.push(Vertex { point: self.place(&node), node: Some((node, self.owner(node))) });
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
        let ridge = Vertex { point: self.crossing(near, far, owner), node: None };
        for end in [i, j] {
            let mut piece = vertices.to_vec();
            piece[end] = ridge;
            self.add_cut(&piece, masses);
        }
    }

    /// Where the edge from a node of `owner` to one of another owner crosses the ridge.
    fn crossing(&mut self, near: Node<D>, far: Node<D>, owner: usize) -> [f64; D] {
        if let Some(&point) = self.crossings.get(&(near, far)) {
            return point;
        }
        let middle = |a: &[f64; D], b: &[f64; D]| std::array::from_fn(|axis| 0.5 * (a[axis] + b[axis]));
        let (mut inside, mut outside) = (self.place(&near), self.place(&far));
        for _ in 0..self.bisections {
            let point = middle(&inside, &outside);
            if self.label(&point) == owner { inside = point } else { outside = point }
        }
        let point = middle(&inside, &outside);
        self.crossings.insert((near, far), point);
        self.crossings.insert((far, near), point);
        point
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
fn bisections<const D: usize>(share: f64) -> u32 {
    let Precision { ridge, bisections, .. } = precision(D);
    let wanted = crate::math::ln(share / (1e-3 * ridge)) / std::f64::consts::LN_2;
    (wanted.ceil().max(2.0) as u32).min(bisections)
}

/// By elimination with pivots.
fn determinant<const D: usize>(mut rows: [[f64; D]; D]) -> f64 {
    let mut product = 1.0;
    for column in 0..D {
        let Some(pivot) = (column..D).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs())) else {
            return 0.0;
        };
        rows.swap(pivot, column);
        let top = rows[column];
        if top[column] == 0.0 {
            return 0.0;
        }
        product *= top[column] * if pivot == column { 1.0 } else { -1.0 };
        for row in rows.iter_mut().skip(column + 1) {
            let factor = row[column] / top[column];
            for (x, above) in row.iter_mut().zip(top) {
                *x -= factor * above;
            }
        }
    }
    product
}
