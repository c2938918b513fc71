//! A graph as a straight list of instructions over a small set of reused slots.

use super::compiler::compile;
use super::graph::{Graph, NodeId};
use super::operation::{Arithmetic, Binary, Closing, Unary, apply_binary, apply_fused, apply_unary};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::kernel::{Descent, advance};

/// Where an instruction reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Input(u32),
    Constant(u32),
    Slot(u32),
}

/// Where an instruction writes: never a slot it reads from, so that reading and writing borrow apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination {
    Slot(u32),
    Output(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Unary(Unary, Source),
    Binary(Binary, Source, Source),
    /// Two steps of arithmetic whose intermediate result nobody else wants: it never goes through memory.
    Fused(Arithmetic, Closing, [Source; 3]),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) operation: Operation,
    pub(super) destination: Destination,
}

/// Numbers in a cache line, to which blocks of scratch are aligned: vector loads across lines cost double.
const CACHE_LINE: usize = 8;
/// Points that [`Tape::run_few`] takes at once.
pub(super) const FEW: usize = 8;

/// Instructions that compute some outputs from some inputs, for one point or for [`LANES`] points at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) instructions: Vec<Instruction>,
    pub(super) constants: Vec<f64>,
    /// Every constant [`LANES`] times over, so that all operands of a block look alike. Empty without block side.
    block_constants: Vec<f64>,
    pub(super) slots: usize,
    outputs: usize,
}

impl Tape {
    /// Instructions for `roots` as outputs, in this order; `blocks` tells whether [`Tape::run_block`] will be used.
    pub(super) fn new(graph: &Graph, roots: &[NodeId], blocks: bool) -> Tape {
        let mut tape = compile(graph, roots);
        tape.outputs = roots.len();
        if blocks {
            tape.block_constants = vec![0.0; tape.constants.len() * LANES + CACHE_LINE];
            let constants = aligned_blocks_mut(&mut tape.block_constants);
            for (block, &constant) in constants.iter_mut().zip(&tape.constants) {
                block.fill(constant);
            }
        }
        tape
    }

    /// The same tape with slopes of |a| that are NaN instead of chosen at a = 0.
    pub(super) fn with_sides(mut self) -> Tape {
        for instruction in &mut self.instructions {
            if let Operation::Unary(operation @ Unary::Sign, _) = &mut instruction.operation {
                *operation = Unary::Side;
            }
        }
        self
    }

    /// How many intermediate results are alive at once.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// How many results it has.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
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

    /// Numbers of scratch that [`Tape::run_few`] needs.
    pub(super) fn few_scratch(&self) -> usize {
        (self.slots + self.constants.len()) * FEW
    }

    /// The outputs at [`FEW`] points, lane by lane the bits of [`Tape::run`]. Inputs and outputs lie coordinate by
    /// coordinate; `scratch` holds at least [`Tape::few_scratch`] numbers.
    pub(super) fn run_few(&self, inputs: &[f64], outputs: &mut [f64], scratch: &mut [f64]) {
        let (constants, slots) = scratch.as_chunks_mut::<FEW>().0.split_at_mut(self.constants.len());
        for (lanes, &constant) in constants.iter_mut().zip(&self.constants) {
            lanes.fill(constant);
        }
        vectorized(
            #[inline(always)]
            || execute(&self.instructions, constants, inputs.as_chunks().0, slots, outputs.as_chunks_mut().0),
        );
    }

    /// The outputs at [`LANES`] points, lane by lane the bits of [`Tape::run`]. Inputs and outputs lie coordinate by
    /// coordinate; `scratch` holds at least [`Tape::block_scratch`] numbers.
    pub(super) fn run_block(&self, inputs: &[f64], outputs: &mut [f64], scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || execute_block(self, inputs, outputs, self.block_slots(scratch)),
        );
    }

    /// Noisy gradient steps by a tape whose outputs are the gradient; see [`crate::loss::Loss::descend_block`].
    pub(super) fn descend_block(&self, descent: Descent<'_>) {
        vectorized(
            #[inline(always)]
            || descend(self, descent),
        );
    }

    #[inline(always)]
    fn block_slots<'a>(&self, scratch: &'a mut [f64]) -> &'a mut [[f64; LANES]] {
        let slots = aligned_blocks_mut(scratch);
        // The trait's contract. Going on would leave outputs unwritten, which nobody would notice.
        assert!(slots.len() >= self.slots, "scratch is shorter than block_scratch() asks for");
        slots
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

#[inline(always)]
fn execute_block(tape: &Tape, inputs: &[f64], outputs: &mut [f64], slots: &mut [[f64; LANES]]) {
    let constants = aligned_blocks(&tape.block_constants);
    execute(&tape.instructions, constants, inputs.as_chunks().0, slots, outputs.as_chunks_mut().0);
}

#[inline(always)]
fn descend(tape: &Tape, descent: Descent<'_>) {
    let Descent { theta, noise, step, gradient, scratch } = descent;
    let (theta, gradient) = (theta.as_chunks_mut::<LANES>().0, gradient.as_chunks_mut::<LANES>().0);
    let (constants, slots) = (aligned_blocks(&tape.block_constants), tape.block_slots(scratch));
    for noise in noise.as_chunks::<LANES>().0.chunks_exact(theta.len()) {
        execute(&tape.instructions, constants, theta, slots, gradient);
        for ((x, slope), z) in theta.iter_mut().zip(&*gradient).zip(noise) {
            advance(x, slope, z, step);
        }
    }
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
                // All callers provide as many slots as the tape has.
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
            Operation::Fused(first, second, [a, b, c]) => {
                apply_fused(first, second, result, [read(a), read(b), read(c)]);
            }
        }
    }
}
