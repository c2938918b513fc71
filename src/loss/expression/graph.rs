//! A formula as a graph in which every distinct subexpression exists once.
//!
//! Nodes live in one vector, operands before their users, so that every walk is a loop and dropping is flat.
//!
//! # Simplifications
//!
//! Constants fold with the very functions that evaluate a tape. Identities apply only where they keep every bit, also
//! for infinities, NaN and the sign of zeros: x·1, x/1, x^1, x^0 = 1, −(−x), x·(−1) = −x, x − 0, x + (−0),
//! a + (−b) = a − b, (−a)·b = −(a·b), (−a)/b = −(a/b), x + x = 2x, x·x = x², x²ᵐ·x = x²ᵐ⁺¹, (xᵐ)² = x²ᵐ,
//! x/2ᵏ = x·2⁻ᵏ, min(x, x) = x. So x + 0 and 0·x stay as they are; only derivatives drop terms with a constant factor 0.

use std::collections::HashMap;

use super::operation::{Binary, Unary, binary, unary};

/// Largest |n| for which xⁿ is computed by multiplications; their error of up to |n|/2 ulp stays harmless. Beyond, `pow`.
const LARGEST_PRODUCT_POWER: i32 = 64;

/// A node's place in its [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u32);

impl NodeId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One subexpression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bits of an f64, so that nodes can be compared and hashed.
    Constant(u64),
    /// A coordinate of θ, or beyond the dimension a coordinate of a direction.
    Input(u32),
    Unary(Unary, NodeId),
    Binary(Binary, NodeId, NodeId),
    /// baseⁿ, |n| ≥ 2 or n = −1, computed from `previous`: its square (n even), its product with base (n odd), or its
    /// reciprocal (n negative).
    IntegerPower {
        base: NodeId,
        exponent: i32,
        previous: NodeId,
    },
}

/// The nodes of a formula and of its derivatives.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at `index`, which must be below [`Graph::len`].
    pub(super) fn at(&self, index: usize) -> (NodeId, Node) {
        (NodeId(index as u32), self.nodes[index])
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    /// The number a node is, if it is constant.
    pub(super) fn constant_of(&self, id: NodeId) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn is(&self, id: NodeId, number: f64) -> bool {
        self.constant_of(id) == Some(number)
    }

    /// Unlike [`Graph::is`], tells −0 from 0.
    fn has_bits(&self, id: NodeId, number: f64) -> bool {
        self.node(id) == Node::Constant(number.to_bits())
    }

    /// Whether a node is the constant 0, of either sign.
    pub(super) fn is_zero(&self, id: NodeId) -> bool {
        self.is(id, 0.0)
    }

    fn negated(&self, id: NodeId) -> Option<NodeId> {
        match self.node(id) {
            Node::Unary(Unary::Negate, inner) => Some(inner),
            _ => None,
        }
    }

    fn intern(&mut self, node: Node) -> NodeId {
        // A formula's length bounds its nodes far below 2³².
        let next = NodeId(self.nodes.len() as u32);
        let id = *self.known.entry(node).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    pub(super) fn constant(&mut self, number: f64) -> NodeId {
        self.intern(Node::Constant(number.to_bits()))
    }

    pub(super) fn input(&mut self, index: usize) -> NodeId {
        self.intern(Node::Input(index as u32))
    }

    pub(super) fn unary(&mut self, operation: Unary, a: NodeId) -> NodeId {
        if let Some(number) = self.constant_of(a) {
            return self.constant(unary(operation, number));
        }
        match operation {
            Unary::Copy => a,
            Unary::Square => self.integer_power(a, 2),
            Unary::Negate => match self.negated(a) {
                Some(inner) => inner,
                None => self.intern(Node::Unary(operation, a)),
            },
            _ => self.intern(Node::Unary(operation, a)),
        }
    }

    pub(super) fn negate(&mut self, a: NodeId) -> NodeId {
        self.unary(Unary::Negate, a)
    }

    pub(super) fn binary(&mut self, operation: Binary, a: NodeId, b: NodeId) -> NodeId {
        if operation == Binary::Power
            && let Some(exponent) = self.constant_of(b)
            && exponent == exponent.trunc()
            && exponent.abs() <= f64::from(LARGEST_PRODUCT_POWER)
        {
            return self.integer_power(a, exponent as i32);
        }
        if let (Some(left), Some(right)) = (self.constant_of(a), self.constant_of(b)) {
            return self.constant(binary(operation, left, right));
        }
        match operation {
            Binary::Add => self.add(a, b),
            Binary::Subtract => self.subtract(a, b),
            Binary::Multiply => self.multiply(a, b),
            Binary::Divide => self.divide(a, b),
            Binary::Minimum | Binary::Maximum if a == b => a,
            Binary::Gate => match self.constant_of(a) {
                Some(0.0) => a,
                Some(_) => b,
                None => self.intern(Node::Binary(operation, a, b)),
            },
            Binary::Power | Binary::Minimum | Binary::Maximum | Binary::MinimumIsFirst | Binary::MaximumIsFirst => {
                self.intern(Node::Binary(operation, a, b))
            }
        }
    }

    /// Interns a commutative operation with its operands in one order, so that a·b and b·a are one node.
    fn commutative(&mut self, operation: Binary, a: NodeId, b: NodeId) -> NodeId {
        self.intern(Node::Binary(operation, a.min(b), a.max(b)))
    }

    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if self.has_bits(a, -0.0) {
            b
        } else if self.has_bits(b, -0.0) {
            a
        } else if a == b {
            let two = self.constant(2.0);
            self.multiply(two, a)
        } else if let Some(inner) = self.negated(b) {
            self.subtract(a, inner)
        } else if let Some(inner) = self.negated(a) {
            self.subtract(b, inner)
        } else {
            self.commutative(Binary::Add, a, b)
        }
    }

    fn subtract(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if self.has_bits(b, 0.0) {
            a
        } else if self.has_bits(a, -0.0) {
            self.negate(b)
        } else if let Some(inner) = self.negated(b) {
            self.binary(Binary::Add, a, inner)
        } else {
            self.intern(Node::Binary(Binary::Subtract, a, b))
        }
    }

    fn multiply(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if self.is(a, 1.0) {
            return b;
        }
        if self.is(b, 1.0) {
            return a;
        }
        if self.is(a, -1.0) {
            return self.negate(b);
        }
        if self.is(b, -1.0) {
            return self.negate(a);
        }
        if a == b {
            return self.integer_power(a, 2);
        }
        if let Some(inner) = self.negated(a) {
            let product = self.binary(Binary::Multiply, inner, b);
            return self.negate(product);
        }
        if let Some(inner) = self.negated(b) {
            let product = self.binary(Binary::Multiply, a, inner);
            return self.negate(product);
        }
        for (power, factor) in [(a, b), (b, a)] {
            if let Node::IntegerPower { base, exponent, .. } = self.node(power)
                && base == factor
                && exponent > 0
                && exponent % 2 == 0
                && exponent < LARGEST_PRODUCT_POWER
            {
                // x²ᵐ·x is how x²ᵐ⁺¹ is computed anyway.
                return self.integer_power(base, exponent + 1);
            }
        }
        self.commutative(Binary::Multiply, a, b)
    }

    fn divide(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if let Some(divisor) = self.constant_of(b) {
            let reciprocal = 1.0 / divisor;
            // A power of two whose reciprocal is exact: the product rounds to the same bits and is much faster.
            let has_no_fraction_bits = divisor.to_bits() << 12 == 0;
            if has_no_fraction_bits && divisor.is_normal() && reciprocal.is_normal() {
                let reciprocal = self.constant(reciprocal);
                return self.multiply(a, reciprocal);
            }
        }
        if let Some(inner) = self.negated(a) {
            let quotient = self.binary(Binary::Divide, inner, b);
            return self.negate(quotient);
        }
        self.intern(Node::Binary(Binary::Divide, a, b))
    }

    /// aⁿ for |n| ≤ 64 by multiplications, as [`crate::math::powi`] does them, sharing lower powers.
    fn integer_power(&mut self, a: NodeId, exponent: i32) -> NodeId {
        if let Some(number) = self.constant_of(a) {
            return self.constant(crate::math::powi(number, exponent));
        }
        if exponent == 0 {
            return self.constant(1.0);
        }
        if exponent == 1 {
            return a;
        }
        // (xᵐ)ⁿ with n a power of two is n's squarings of xᵐ, and so is x^(m·n).
        if let Node::IntegerPower { base, exponent: inner, .. } = self.node(a)
            && inner > 0
            && exponent > 0
            && exponent & (exponent - 1) == 0
            && inner * exponent <= LARGEST_PRODUCT_POWER
        {
            return self.integer_power(base, inner * exponent);
        }
        // As deep as a number below 64 has bits, twice.
        let previous = match exponent {
            ..0 => self.integer_power(a, -exponent),
            _ if exponent % 2 == 0 => self.integer_power(a, exponent / 2),
            _ => self.integer_power(a, exponent - 1),
        };
        self.intern(Node::IntegerPower { base: a, exponent, previous })
    }
}

/// The nodes whose results a node is computed from.
pub(super) fn operands(node: Node) -> impl Iterator<Item = NodeId> {
    let (first, second) = match node {
        Node::Constant(_) | Node::Input(_) => (None, None),
        Node::Unary(_, a) => (Some(a), None),
        Node::Binary(_, a, b) => (Some(a), Some(b)),
        Node::IntegerPower { base, exponent, previous } => {
            (Some(previous), (exponent > 0 && exponent % 2 != 0).then_some(base))
        }
    };
    first.into_iter().chain(second)
}

/// Which nodes the given ones need, themselves included.
pub(super) fn reachable(graph: &Graph, roots: &[NodeId]) -> Vec<bool> {
    let mut needed = vec![false; graph.len()];
    for root in roots {
        needed[root.index()] = true;
    }
    // Operands come before their users: one pass downwards suffices.
    for index in (0..graph.len()).rev() {
        if needed[index] {
            for operand in operands(graph.at(index).1) {
                needed[operand.index()] = true;
            }
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_subexpressions_are_one_node() {
        let mut graph = Graph::default();
        let (x, y) = (graph.input(0), graph.input(1));
        let product = graph.binary(Binary::Multiply, x, y);
        assert_eq!(product, graph.binary(Binary::Multiply, y, x));
        assert_ne!(graph.binary(Binary::Subtract, x, y), graph.binary(Binary::Subtract, y, x));
        // x⁸ and x⁴ share x² and x⁴: three nodes in all.
        let before = graph.len();
        let fourth = graph.integer_power(x, 4);
        let eighth = graph.integer_power(fourth, 2);
        assert_eq!(eighth, graph.integer_power(x, 8));
        assert_eq!(graph.len(), before + 3);
    }

    #[test]
    fn identities_keep_every_bit() {
        let mut graph = Graph::default();
        let x = graph.input(0);
        let [zero, minus_zero, one, four, third] = [0.0, -0.0, 1.0, 4.0, 3.0].map(|number| graph.constant(number));
        assert_eq!(graph.binary(Binary::Multiply, one, x), x);
        assert_eq!(graph.binary(Binary::Divide, x, one), x);
        assert_eq!(graph.binary(Binary::Subtract, x, zero), x);
        assert_eq!(graph.binary(Binary::Add, minus_zero, x), x);
        // −0 + 0 is 0, and 0·∞ is NaN.
        assert_ne!(graph.binary(Binary::Add, x, zero), x);
        assert_ne!(graph.binary(Binary::Multiply, x, zero), zero);
        let quarter = graph.constant(0.25);
        assert_eq!(graph.binary(Binary::Divide, x, four), graph.binary(Binary::Multiply, x, quarter));
        let divided = graph.binary(Binary::Divide, x, third);
        assert!(matches!(graph.node(divided), Node::Binary(Binary::Divide, ..)));
        // The reciprocal of a subnormal power of two may overflow: such divisions stay.
        let tiny = graph.constant(f64::MIN_POSITIVE / 2.0);
        let divided = graph.binary(Binary::Divide, x, tiny);
        assert!(matches!(graph.node(divided), Node::Binary(Binary::Divide, ..)));
    }

    #[test]
    fn constants_fold_as_they_would_be_evaluated() {
        let mut graph = Graph::default();
        let (third, three) = (graph.constant(1.0 / 3.0), graph.constant(3.0));
        let cube = graph.binary(Binary::Power, third, three);
        assert_eq!(graph.constant_of(cube), Some(crate::math::powi(1.0 / 3.0, 3)));
        let exponential = graph.unary(Unary::Exp, three);
        assert_eq!(graph.constant_of(exponential), Some(crate::math::exp(3.0)));
    }
}
