//! Cells of the cubature, their nodes, and the simplices that they are cut into.

/// A place on the finest lattice of a block: `2 << deepest` steps along each side.
pub(super) type Node<const D: usize> = [u32; D];

/// A cube of the lattice.
pub(super) struct Cell<const D: usize> {
    pub corner: Node<D>,
    pub span: u32,
}

impl<const D: usize> Cell<D> {
    /// Corners, middles of edges and sides, and the center.
    pub fn probes(&self) -> impl Iterator<Item = Node<D>> {
        (0..3usize.pow(D as u32)).map(|index| {
            let along = |axis: usize| (index / 3usize.pow(axis as u32) % 3) as u32;
            std::array::from_fn(|axis| self.corner[axis] + along(axis) * self.span / 2)
        })
    }

    pub fn center(&self) -> Node<D> {
        self.corner.map(|x| x + self.span / 2)
    }

    pub fn halves(&self) -> impl Iterator<Item = Cell<D>> {
        let span = self.span / 2;
        (0..1u32 << D).map(move |index| Cell {
            corner: std::array::from_fn(|axis| self.corner[axis] + (index >> axis & 1) * span),
            span,
        })
    }
}

/// A vertex of a simplex: a node with the owner of its place, or a place on a ridge, which belongs to either side.
#[derive(Clone, Copy)]
pub(super) struct Vertex<const D: usize> {
    pub point: [f64; D],
    pub node: Option<(Node<D>, usize)>,
}

/// By elimination with pivots.
pub(super) fn determinant<const D: usize>(mut rows: [[f64; D]; D]) -> f64 {
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
