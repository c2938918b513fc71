//! The nodes of a lattice in square blocks.

/// Nodes along the side of a block, at least.
const SIDE: usize = 4;
/// Blocks at most, else they are larger.
const MOST_BLOCKS: usize = 3_000;

/// Square blocks of nodes, some of which are in use, and have numbers.
pub(super) struct Blocks {
    /// Nodes along a side.
    side: usize,
    /// Columns and rows of nodes.
    nodes: [usize; 2],
    /// Columns and rows of blocks.
    blocks: [usize; 2],
    /// Row by row; neighbours have near numbers.
    numbers: Vec<Option<usize>>,
    /// Of blocks in use.
    pub count: usize,
}

impl Blocks {
    /// All blocks of a lattice with so many columns and rows.
    pub(super) fn new(nodes: [usize; 2]) -> Self {
        let fewest = ((nodes[0] * nodes[1]) as f64 / MOST_BLOCKS as f64).sqrt().ceil() as usize;
        let side = fewest.max(SIDE);
        let blocks = nodes.map(|nodes| nodes.div_ceil(side));
        let mut all = Self { side, nodes, blocks, numbers: vec![Some(0); blocks[0] * blocks[1]], count: 0 };
        all.count_along_the_shorter_side();
        all
    }

    /// The chain from block to block then has a narrow band.
    fn count_along_the_shorter_side(&mut self) {
        let [across, down] = self.blocks;
        self.count = 0;
        for index in 0..across * down {
            let block = if across <= down { index } else { index % down * across + index / down };
            if let Some(number) = &mut self.numbers[block] {
                *number = self.count;
                self.count += 1;
            }
        }
    }

    /// Keeps the blocks in use whose nodes, given by their places, are as they should be.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&mut dyn Iterator<Item = usize>) -> bool) {
        for block in 0..self.numbers.len() {
            let [column, row] = [block % self.blocks[0], block / self.blocks[0]];
            let (side, nodes) = (self.side, self.nodes);
            let along = move |axis: usize, block: usize| block * side..((block + 1) * side).min(nodes[axis]);
            let mut places =
                along(1, row).flat_map(move |row| along(0, column).map(move |column| row * nodes[0] + column));
            if !is_kept(&mut places) {
                self.numbers[block] = None;
            }
        }
        self.count_along_the_shorter_side();
    }

    /// Takes the block of a node out of use.
    pub(super) fn remove(&mut self, place: usize) {
        let block = self.block(place);
        self.numbers[block] = None;
        self.count_along_the_shorter_side();
    }

    fn block(&self, place: usize) -> usize {
        let [column, row] = [place % self.nodes[0], place / self.nodes[0]];
        row / self.side * self.blocks[0] + column / self.side
    }

    /// The number of the block of a node, if it is in use.
    pub(super) fn number(&self, place: usize) -> Option<usize> {
        self.numbers[self.block(place)]
    }

    /// Calls with the blocks in use in which a step arrives, and the probabilities. The step's factors, first those along a row and then
    /// those along a column, begin at the column and row `first`.
    pub(super) fn arrivals(&self, first: [usize; 2], factors: &[f64], found: &mut dyn FnMut(usize, f64)) {
        let (columns, rows) = factors.split_at(factors.len() / 2);
        for (row, along) in self.parts(rows, first[1]) {
            for (column, across) in self.parts(columns, first[0]) {
                let probability = along * across;
                if let Some(number) = self.numbers[row * self.blocks[0] + column].filter(|_| probability > 0.0) {
                    found(number, probability);
                }
            }
        }
    }

    /// Sums of factors, the first of which is at node `first`, within the blocks along one coordinate.
    fn parts<'a>(&'a self, factors: &'a [f64], first: usize) -> impl Iterator<Item = (usize, f64)> + 'a {
        let blocks = first / self.side..=(first + factors.len() - 1) / self.side;
        blocks.map(move |block| {
            let from = (block * self.side).saturating_sub(first);
            let to = ((block + 1) * self.side - first).min(factors.len());
            (block, factors[from..to].iter().sum())
        })
    }
}
