//! A graph as a straight list of instructions over a small set of reused slots.

use std::collections::HashMap;

use multiversion::multiversion;

use super::graph::{Graph, Node, NodeId, operands, reachable};
use super::operation::{Binary, Unary, apply_binary, apply_unary};
use crate::loss::LANES;

/// Where an instruction reads.
#[derive(Clone, Copy, Debug)]
enum Source {
    Input(u32),
    Constant(u32),
    Slot(u32),
}

/// Where an instruction writes: never a slot it reads from, so that reading and writing borrow apart.
#[derive(Clone, Copy, Debug)]
enum Destination {
    Slot(u32),
    Output(u32),
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Unary(Unary, Source),
    Binary(Binary, Source, Source),
}

#[derive(Clone, Copy, Debug)]
struct Instruction {
    operation: Operation,
    destination: Destination,
}

/// Numbers in a cache line, to which blocks of scratch are aligned: vector loads across lines cost double.
const CACHE_LINE: usize = 8;

/// Instructions that compute some outputs from some inputs, for one point or for [`LANES`] points at once.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    instructions: Vec<Instruction>,
    constants: Vec<f64>,
    /// Every constant [`LANES`] times over, so that all operands of a block look alike. Empty without block side.
    block_constants: Vec<f64>,
    slots: usize,
}

impl Tape {
    /// Instructions for `roots` as outputs, in this order; `blocks` tells whether [`Tape::run_block`] will be used.
    pub(super) fn new(graph: &Graph, roots: &[NodeId], blocks: bool) -> Tape {
        let mut tape = Compiler::new(graph, roots).compile(roots);
        if blocks {
            tape.block_constants = vec![0.0; tape.constants.len() * LANES + CACHE_LINE];
            let constants = aligned_blocks_mut(&mut tape.block_constants);
            for (block, &constant) in constants.iter_mut().zip(&tape.constants) {
                block.fill(constant);
            }
        }
        tape
    }

    /// How many intermediate results are alive at once.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Numbers of scratch that [`Tape::run_block`] needs.
    pub(super) fn block_scratch(&self) -> usize {
        self.slots * LANES + CACHE_LINE
    }

    /// The outputs at one point. `scratch` holds at least [`Tape::slots`] numbers.
    pub(super) fn run(&self, inputs: &[f64], outputs: &mut [f64], scratch: &mut [f64]) {
        execute::<1>(
            &self.instructions,
            self.constants.as_chunks().0,
            inputs.as_chunks().0,
            scratch.as_chunks_mut().0,
            outputs.as_chunks_mut().0,
        );
    }

    /// The outputs at [`LANES`] points, lane by lane the bits of [`Tape::run`]. Inputs and outputs lie coordinate by
    /// coordinate; `scratch` holds at least [`Tape::block_scratch`] numbers.
    pub(super) fn run_block(&self, inputs: &[f64], outputs: &mut [f64], scratch: &mut [f64]) {
        execute_block(
            &self.instructions,
            aligned_blocks(&self.block_constants),
            inputs.as_chunks().0,
            aligned_blocks_mut(scratch),
            outputs.as_chunks_mut().0,
        );
    }
}

fn aligned_blocks(numbers: &[f64]) -> &[[f64; LANES]] {
    let skipped = numbers.as_ptr().align_offset(CACHE_LINE * size_of::<f64>()).min(CACHE_LINE - 1);
    numbers.get(skipped..).unwrap_or_default().as_chunks().0
}

fn aligned_blocks_mut(numbers: &mut [f64]) -> &mut [[f64; LANES]] {
    let skipped = numbers.as_ptr().align_offset(CACHE_LINE * size_of::<f64>()).min(CACHE_LINE - 1);
    numbers.get_mut(skipped..).unwrap_or_default().as_chunks_mut().0
}

/// [`execute`] for a block, compiled for several instruction sets. None of them contracts to fused multiply-adds, so
/// all give the same bits.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+avx2", "x86_64+avx2", "aarch64+neon"))]
fn execute_block(
    instructions: &[Instruction],
    constants: &[[f64; LANES]],
    inputs: &[[f64; LANES]],
    slots: &mut [[f64; LANES]],
    outputs: &mut [[f64; LANES]],
) {
    execute(instructions, constants, inputs, slots, outputs);
}

#[inline(always)]
fn execute<const WIDTH: usize>(
    instructions: &[Instruction],
    constants: &[[f64; WIDTH]],
    inputs: &[[f64; WIDTH]],
    slots: &mut [[f64; WIDTH]],
    outputs: &mut [[f64; WIDTH]],
) {
    for instruction in instructions {
        let (before, result, after) = match instruction.destination {
            Destination::Slot(slot) => {
                let (before, rest) = slots.split_at_mut(slot as usize);
                let Some((result, after)) = rest.split_first_mut() else { return };
                (&*before, result, &*after)
            }
            Destination::Output(output) => (&*slots, &mut outputs[output as usize], &[][..]),
        };
        let read = |source: Source| match source {
            Source::Input(input) => &inputs[input as usize],
            Source::Constant(constant) => &constants[constant as usize],
            Source::Slot(slot) => {
                let slot = slot as usize;
                if slot < before.len() { &before[slot] } else { &after[slot - before.len() - 1] }
            }
        };
        match instruction.operation {
            Operation::Unary(operation, a) => apply_unary(operation, result, read(a)),
            Operation::Binary(operation, a, b) => apply_binary(operation, result, read(a), read(b)),
        }
    }
}

/// State while instructions are laid out.
struct Compiler<'graph> {
    graph: &'graph Graph,
    needed: Vec<bool>,
    /// Index of the last node that reads a node; the node's slot is free after it.
    last_use: Vec<usize>,
    sources: Vec<Option<Source>>,
    free_slots: Vec<u32>,
    known_constants: HashMap<u64, u32>,
    tape: Tape,
}

impl<'graph> Compiler<'graph> {
    fn new(graph: &'graph Graph, roots: &[NodeId]) -> Compiler<'graph> {
        let needed = reachable(graph, roots);
        let mut last_use = vec![0; graph.len()];
        for index in (0..graph.len()).filter(|&index| needed[index]) {
            for operand in operands(graph.at(index).1) {
                last_use[operand.index()] = index;
            }
        }
        let tape = Tape { instructions: Vec::new(), constants: Vec::new(), block_constants: Vec::new(), slots: 0 };
        let sources = vec![None; graph.len()];
        Compiler { graph, needed, last_use, sources, free_slots: Vec::new(), known_constants: HashMap::new(), tape }
    }

    fn compile(mut self, roots: &[NodeId]) -> Tape {
        let mut outputs: HashMap<NodeId, Vec<u32>> = HashMap::new();
        for (output, &root) in roots.iter().enumerate() {
            outputs.entry(root).or_default().push(output as u32);
        }
        for index in 0..self.graph.len() {
            if !self.needed[index] {
                continue;
            }
            let (id, node) = self.graph.at(index);
            let outputs = outputs.get(&id).map_or(&[][..], Vec::as_slice);
            self.place(index, node, outputs);
        }
        self.tape
    }

    fn place(&mut self, index: usize, node: Node, mut outputs: &[u32]) {
        let operation = match node {
            Node::Constant(bits) => {
                self.sources[index] = Some(self.constant(bits));
                None
            }
            Node::Input(input) => {
                self.sources[index] = Some(Source::Input(input));
                None
            }
            Node::Unary(operation, a) => Some(Operation::Unary(operation, self.source(a))),
            Node::Binary(operation, a, b) => Some(Operation::Binary(operation, self.source(a), self.source(b))),
            Node::IntegerPower { exponent: ..0, previous, .. } => {
                let one = self.constant(1.0f64.to_bits());
                Some(Operation::Binary(Binary::Divide, one, self.source(previous)))
            }
            Node::IntegerPower { base, exponent, previous } if exponent % 2 != 0 => {
                Some(Operation::Binary(Binary::Multiply, self.source(previous), self.source(base)))
            }
            Node::IntegerPower { previous, .. } => Some(Operation::Unary(Unary::Square, self.source(previous))),
        };
        let read_later = self.last_use[index] > index;
        if let Some(operation) = operation {
            let destination = match outputs {
                // Nobody else reads it: straight to where it belongs.
                [only, rest @ ..] if !read_later && rest.is_empty() => {
                    outputs = rest;
                    Destination::Output(*only)
                }
                _ => {
                    let slot = self.new_slot();
                    self.sources[index] = Some(Source::Slot(slot));
                    Destination::Slot(slot)
                }
            };
            self.tape.instructions.push(Instruction { operation, destination });
        }
        // Only now, so that an instruction never writes where it reads.
        let mut freed = None;
        for operand in operands(node) {
            if self.last_use[operand.index()] == index && freed != Some(operand) {
                self.free(operand.index());
                freed = Some(operand);
            }
        }
        if let Some(source) = self.sources[index] {
            for &output in outputs {
                let operation = Operation::Unary(Unary::Copy, source);
                self.tape.instructions.push(Instruction { operation, destination: Destination::Output(output) });
            }
        }
        if !read_later {
            self.free(index);
        }
    }

    /// Where an operand stands. Operands are placed before their users, so there always is a place.
    fn source(&self, id: NodeId) -> Source {
        self.sources[id.index()].unwrap_or(Source::Constant(0))
    }

    fn constant(&mut self, bits: u64) -> Source {
        let constants = &mut self.tape.constants;
        let place = *self.known_constants.entry(bits).or_insert_with(|| {
            constants.push(f64::from_bits(bits));
            constants.len() as u32 - 1
        });
        Source::Constant(place)
    }

    fn new_slot(&mut self) -> u32 {
        self.free_slots.pop().unwrap_or_else(|| {
            self.tape.slots += 1;
            self.tape.slots as u32 - 1
        })
    }

    fn free(&mut self, index: usize) {
        if let Some(Source::Slot(slot)) = self.sources[index] {
            self.free_slots.push(slot);
        }
    }
}
