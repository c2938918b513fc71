//! Lays a graph out as instructions: which two steps become one, and which slot holds what, for how long.

use std::collections::HashMap;

use super::graph::{Graph, Node, NodeId, operands, reachable};
use super::operation::{Arithmetic, Binary, Closing, Unary};
use super::tape::{Destination, Instruction, Operation, Source, Tape};

/// State while instructions are laid out.
struct Compiler<'graph> {
    graph: &'graph Graph,
    /// What becomes of every node.
    roles: Vec<Role>,
    /// Index of the last node whose instruction reads a node; the node's slot is free after it.
    last_use: Vec<usize>,
    sources: Vec<Option<Source>>,
    free_slots: Vec<u32>,
    known_constants: HashMap<u64, u32>,
    tape: Tape,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Not needed for the outputs.
    Unneeded,
    /// Has an instruction, an input or a constant of its own.
    Own,
    /// Is the first step of its only user's instruction.
    Absorbed,
    /// Has an instruction whose first step is the given operand.
    Fused(NodeId),
}

/// The instructions that compute `roots` as outputs, in this order.
pub(super) fn compile(graph: &Graph, roots: &[NodeId]) -> Tape {
    let roles = assign_roles(graph, roots);
    let mut last_use = vec![0; graph.len()];
    for index in 0..graph.len() {
        for read in reads(graph, &roles, index) {
            last_use[read.index()] = index;
        }
    }
    let mut outputs: HashMap<NodeId, Vec<u32>> = HashMap::new();
    for (output, &root) in roots.iter().enumerate() {
        outputs.entry(root).or_default().push(output as u32);
    }
    let mut compiler = Compiler {
        graph,
        roles,
        last_use,
        sources: vec![None; graph.len()],
        free_slots: Vec::new(),
        known_constants: HashMap::new(),
        tape: Tape::default(),
    };
    for index in 0..graph.len() {
        let (id, node) = graph.at(index);
        if matches!(compiler.roles[index], Role::Own | Role::Fused(_)) {
            compiler.place(index, node, outputs.get(&id).map_or(&[][..], Vec::as_slice));
        }
    }
    compiler.tape
}

/// Sums, differences and products, the products that make up integer powers among them.
fn arithmetic(node: Node) -> Option<(Arithmetic, NodeId, NodeId)> {
    match node {
        Node::Binary(Binary::Add, a, b) => Some((Arithmetic::Add, a, b)),
        Node::Binary(Binary::Subtract, a, b) => Some((Arithmetic::Subtract, a, b)),
        Node::Binary(Binary::Multiply, a, b) => Some((Arithmetic::Multiply, a, b)),
        Node::IntegerPower { base, exponent: 1.., previous } => {
            let is_square = operands(node).count() == 1;
            Some((Arithmetic::Multiply, previous, if is_square { previous } else { base }))
        }
        _ => None,
    }
}

/// How `node` finishes what its operand `first` begins, and its other operand, if it can.
fn closing(node: Node, first: NodeId) -> Option<(Closing, NodeId)> {
    if let Node::Unary(Unary::Negate, _) = node {
        return Some((Closing::Negate, first));
    }
    let (operation, a, b) = arithmetic(node)?;
    Some(match operation {
        Arithmetic::Multiply if a == b => (Closing::Square, first),
        // x + x is 2x in the graph, and x − x is too rare to have its own closing.
        _ if a == b => return None,
        Arithmetic::Add => (Closing::Add, if a == first { b } else { a }),
        Arithmetic::Multiply => (Closing::Multiply, if a == first { b } else { a }),
        Arithmetic::Subtract if a == first => (Closing::Subtract, b),
        Arithmetic::Subtract => (Closing::SubtractFrom, a),
    })
}

fn assign_roles(graph: &Graph, roots: &[NodeId]) -> Vec<Role> {
    let needed = reachable(graph, roots);
    let mut users = vec![0u32; graph.len()];
    for index in (0..graph.len()).filter(|&index| needed[index]) {
        let mut earlier = None;
        for operand in operands(graph.at(index).1).filter(|&operand| earlier.replace(operand) != Some(operand)) {
            users[operand.index()] += 1;
        }
    }
    // An output is a user too, and none that could absorb.
    for root in roots {
        users[root.index()] += 2;
    }
    let mut roles = vec![Role::Unneeded; graph.len()];
    for index in (0..graph.len()).filter(|&index| needed[index]) {
        let node = graph.at(index).1;
        let first = operands(node).find(|&operand| {
            users[operand.index()] == 1
                && roles[operand.index()] == Role::Own
                && arithmetic(graph.node(operand)).is_some()
                && closing(node, operand).is_some()
        });
        roles[index] = match first {
            Some(first) => {
                roles[first.index()] = Role::Absorbed;
                Role::Fused(first)
            }
            None => Role::Own,
        };
    }
    roles
}

/// The nodes whose places the instruction of the node at `index` reads, if it has one.
fn reads(graph: &Graph, roles: &[Role], index: usize) -> impl Iterator<Item = NodeId> {
    let (node, first) = match roles[index] {
        Role::Unneeded | Role::Absorbed => (None, None),
        Role::Own => (Some(graph.at(index).1), None),
        Role::Fused(first) => (Some(graph.at(index).1), Some(first)),
    };
    let own = node.into_iter().flat_map(operands).filter(move |&operand| Some(operand) != first);
    own.chain(first.into_iter().flat_map(move |first| operands(graph.node(first))))
}

impl Compiler<'_> {
    fn place(&mut self, index: usize, node: Node, mut outputs: &[u32]) {
        let operation = match (self.roles[index], node) {
            (_, Node::Constant(bits)) => {
                self.sources[index] = Some(self.constant(bits));
                None
            }
            (_, Node::Input(input)) => {
                self.sources[index] = Some(Source::Input(input));
                None
            }
            (Role::Fused(first), _) => self.fused(node, first),
            _ => Some(self.single(node)),
        };
        let read_later = self.last_use[index] > index;
        if let Some(operation) = operation {
            let destination = match outputs {
                // Nobody else reads it: straight to where it belongs.
                &[only] if !read_later => {
                    outputs = &[];
                    Destination::Output(only)
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
        let mut finished: Vec<NodeId> =
            reads(self.graph, &self.roles, index).filter(|read| self.last_use[read.index()] == index).collect();
        finished.sort_unstable();
        finished.dedup();
        for read in finished {
            self.free(read.index());
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

    fn single(&mut self, node: Node) -> Operation {
        if let Some((operation, a, b)) = arithmetic(node) {
            let (a, b) = (self.source(a), self.source(b));
            return match operation {
                Arithmetic::Add => Operation::Binary(Binary::Add, a, b),
                Arithmetic::Subtract => Operation::Binary(Binary::Subtract, a, b),
                Arithmetic::Multiply => Operation::Binary(Binary::Multiply, a, b),
            };
        }
        match node {
            Node::Unary(operation, a) => Operation::Unary(operation, self.source(a)),
            Node::Binary(operation, a, b) => Operation::Binary(operation, self.source(a), self.source(b)),
            // Of the powers only the reciprocals are left.
            Node::IntegerPower { previous, .. } => {
                let one = self.constant(1.0f64.to_bits());
                Operation::Binary(Binary::Divide, one, self.source(previous))
            }
            Node::Constant(bits) => Operation::Unary(Unary::Copy, self.constant(bits)),
            Node::Input(input) => Operation::Unary(Unary::Copy, Source::Input(input)),
        }
    }

    fn fused(&mut self, node: Node, first: NodeId) -> Option<Operation> {
        let (opening, a, b) = arithmetic(self.graph.node(first))?;
        let (closing, other) = closing(node, first)?;
        // A closing without a second operand reads `a` again and does nothing with it.
        let other = if other == first { a } else { other };
        Some(Operation::Fused(opening, closing, [self.source(a), self.source(b), self.source(other)]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::expression::derivative::gradient;

    #[test]
    fn the_slope_of_the_quartic_is_two_instructions() {
        let mut graph = Graph::default();
        let x = graph.input(0);
        let [quarter, half, tilt] = [0.25, 0.5, 0.1].map(|number| graph.constant(number));
        let four = graph.constant(4.0);
        let fourth = graph.binary(Binary::Power, x, four);
        let fourth = graph.binary(Binary::Multiply, fourth, quarter);
        let square = graph.binary(Binary::Multiply, x, x);
        let square = graph.binary(Binary::Multiply, square, half);
        let well = graph.binary(Binary::Subtract, fourth, square);
        let tilted = graph.binary(Binary::Multiply, tilt, x);
        let loss = graph.binary(Binary::Add, well, tilted);
        let slopes = gradient(&mut graph, loss, 1);
        let tape = compile(&graph, &slopes);
        // (x·x)·x, then (x³ − x) + 0.1.
        assert_eq!(tape.instructions.len(), 2);
        assert_eq!(tape.slots, 1);
    }

    #[test]
    fn slots_are_reused_and_outputs_may_coincide() {
        let mut graph = Graph::default();
        let mut sum = graph.input(0);
        for _ in 0..100 {
            let sine = graph.unary(Unary::Sin, sum);
            let cosine = graph.unary(Unary::Cos, sum);
            sum = graph.binary(Binary::Add, sine, cosine);
        }
        let x = graph.input(0);
        let seven = graph.constant(7.0);
        let tape = compile(&graph, &[sum, x, sum, seven]);
        assert!(tape.slots <= 4, "{} slots", tape.slots);
        let mut outputs = [0.0; 4];
        tape.run(&[0.3], &mut outputs, &mut vec![0.0; tape.slots]);
        let mut expected = 0.3;
        for _ in 0..100 {
            expected = crate::math::sin(expected) + crate::math::cos(expected);
        }
        assert_eq!(outputs, [expected, 0.3, expected, 7.0]);
    }
}
