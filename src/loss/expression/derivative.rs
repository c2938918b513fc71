//! Exact derivatives: one table of rules, read backwards for the gradient and forwards for products with the Hessian.

use super::graph::{Graph, Node, NodeId, operands, reachable};
use super::operation::{Binary, Unary};
use super::stable::{self, Slope};

/// factor · ∂node/∂operand as a node, or nothing where that derivative is 0 everywhere.
///
/// `operand` counts from 0. This is the only table of derivatives. The factor comes in first, so that constant factors
/// fold: x⁴/4 becomes (¼·4)·x³ = x³.
///
/// Where there is no derivative, the rules choose: |a| and sign a have 0 at a = 0; min and max follow the operand they
/// take, which in a tie is the first.
fn scaled_partial(graph: &mut Graph, id: NodeId, operand: usize, factor: NodeId) -> Option<NodeId> {
    use Binary::{Add, Divide, Gate, Maximum, MaximumIsFirst, Minimum, MinimumIsFirst, Multiply, Power, Subtract};

    let result = match graph.node(id) {
        Node::Constant(_) | Node::Input(_) => return None,
        Node::IntegerPower { base, exponent, .. } => {
            let exponent_node = graph.constant(f64::from(exponent));
            let lower_exponent = graph.constant(f64::from(exponent) - 1.0);
            let weight = graph.binary(Multiply, factor, exponent_node);
            let lower = graph.binary(Power, base, lower_exponent);
            graph.binary(Multiply, weight, lower)
        }
        Node::Unary(operation, a) => match operation {
            Unary::Copy | Unary::Bounded => factor,
            Unary::Negate => graph.negate(factor),
            Unary::Square => {
                let two = graph.constant(2.0);
                let weight = graph.binary(Multiply, factor, two);
                graph.binary(Multiply, weight, a)
            }
            Unary::Sqrt => {
                let half = graph.constant(0.5);
                let weight = graph.binary(Multiply, factor, half);
                let root = graph.unary(Unary::Bounded, id);
                graph.binary(Divide, weight, root)
            }
            Unary::Exp => graph.binary(Multiply, factor, id),
            Unary::Ln => {
                let argument = graph.unary(Unary::Bounded, a);
                graph.binary(Divide, factor, argument)
            }
            Unary::Sin => {
                let cosine = graph.unary(Unary::Cos, a);
                graph.binary(Multiply, factor, cosine)
            }
            Unary::Cos => {
                let sine = graph.unary(Unary::Sin, a);
                let product = graph.binary(Multiply, factor, sine);
                graph.negate(product)
            }
            Unary::Tan => {
                let one = graph.constant(1.0);
                let square = graph.unary(Unary::Square, id);
                let slope = graph.binary(Add, one, square);
                graph.binary(Multiply, factor, slope)
            }
            Unary::Sinh => {
                let cosine = graph.unary(Unary::Cosh, a);
                graph.binary(Multiply, factor, cosine)
            }
            Unary::Cosh => {
                let sine = graph.unary(Unary::Sinh, a);
                graph.binary(Multiply, factor, sine)
            }
            Unary::Tanh => {
                let slope = graph.unary(Unary::SechSquared, a);
                graph.binary(Multiply, factor, slope)
            }
            // −2 tanh·sech²
            Unary::SechSquared => {
                let two = graph.constant(-2.0);
                let tangent = graph.unary(Unary::Tanh, a);
                let slope = graph.binary(Multiply, tangent, id);
                let weight = graph.binary(Multiply, factor, two);
                graph.binary(Multiply, weight, slope)
            }
            Unary::LnCosh => {
                let slope = graph.unary(Unary::Tanh, a);
                graph.binary(Multiply, factor, slope)
            }
            Unary::Abs => {
                let sign = graph.unary(Unary::Sign, a);
                graph.binary(Multiply, factor, sign)
            }
            Unary::Sign | Unary::Side => return None,
            Unary::Softplus => {
                let slope = graph.unary(Unary::Logistic, a);
                graph.binary(Multiply, factor, slope)
            }
            // σ(a)·σ(−a), not σ(1 − σ), which cancels for large a.
            Unary::Logistic => {
                let opposite = graph.negate(a);
                let opposite = graph.unary(Unary::Logistic, opposite);
                let slope = graph.binary(Multiply, id, opposite);
                graph.binary(Multiply, factor, slope)
            }
        },
        Node::Binary(operation, a, b) => match (operation, operand) {
            (Add, _) | (Subtract, 0) => factor,
            (Subtract, _) => graph.negate(factor),
            (Multiply, 0) => graph.binary(Multiply, factor, b),
            (Multiply, _) => graph.binary(Multiply, factor, a),
            (Divide, 0) => graph.binary(Divide, factor, b),
            (Divide, _) => {
                let quotient = graph.binary(Divide, factor, b);
                let product = graph.binary(Multiply, quotient, id);
                graph.negate(product)
            }
            (Power, 0) => {
                let one = graph.constant(1.0);
                let lower_exponent = graph.binary(Subtract, b, one);
                let weight = graph.binary(Multiply, factor, b);
                let lower = graph.binary(Power, a, lower_exponent);
                graph.binary(Multiply, weight, lower)
            }
            (Power, _) => {
                let logarithm = graph.unary(Unary::Ln, a);
                let weight = graph.binary(Multiply, factor, id);
                graph.binary(Multiply, weight, logarithm)
            }
            (Minimum, 0) => {
                let taken = graph.binary(MinimumIsFirst, a, b);
                graph.binary(Gate, taken, factor)
            }
            (Minimum, _) => {
                let taken = graph.binary(MinimumIsFirst, a, b);
                not_gated(graph, taken, factor)
            }
            (Maximum, 0) => {
                let taken = graph.binary(MaximumIsFirst, a, b);
                graph.binary(Gate, taken, factor)
            }
            (Maximum, _) => {
                let taken = graph.binary(MaximumIsFirst, a, b);
                not_gated(graph, taken, factor)
            }
            (MinimumIsFirst | MaximumIsFirst, _) | (Gate, 0) => return None,
            (Gate, _) => graph.binary(Gate, a, factor),
        },
    };
    (!graph.is_zero(result)).then_some(result)
}

/// `value` where the 0-or-1 `flag` is 0, else 0.
fn not_gated(graph: &mut Graph, flag: NodeId, value: NodeId) -> NodeId {
    let one = graph.constant(1.0);
    let opposite = graph.binary(Binary::Subtract, one, flag);
    graph.binary(Binary::Gate, opposite, value)
}

/// What a node's derivative is taken by: like its operands, but a power counts its base, not the lower powers it is
/// computed from.
fn dependencies(node: Node) -> impl Iterator<Item = NodeId> {
    let (power_base, others) = match node {
        Node::IntegerPower { base, .. } => (Some(base), None),
        _ => (None, Some(operands(node))),
    };
    power_base.into_iter().chain(others.into_iter().flatten())
}

/// For everything that a node is derived by and that has a factor, factor · ∂node/∂(it): by [`stable`] where that knows the node.
fn scaled_partials(
    graph: &mut Graph,
    id: NodeId,
    factor_of: impl Fn(NodeId) -> Option<NodeId>,
) -> Vec<(NodeId, NodeId)> {
    let slopes = if dependencies(graph.node(id)).any(|other| factor_of(other).is_some()) {
        stable::slopes(graph, id)
    } else {
        None
    };
    let mut partials = Vec::new();
    if let Some(slopes) = slopes {
        for Slope { by, weight, slope } in slopes {
            let Some(factor) = factor_of(by) else { continue };
            let weight = graph.constant(weight);
            let weight = graph.binary(Binary::Multiply, factor, weight);
            let term = graph.binary(Binary::Multiply, weight, slope);
            if !graph.is_zero(term) {
                partials.push((by, term));
            }
        }
        return partials;
    }
    for (operand, other) in dependencies(graph.node(id)).enumerate() {
        let Some(factor) = factor_of(other) else { continue };
        if let Some(term) = scaled_partial(graph, id, operand, factor) {
            partials.push((other, term));
        }
    }
    partials
}

/// ∂root/∂input for the inputs 0 … dimension − 1, by reverse accumulation: about as many new nodes as `root` has.
pub(super) fn gradient(graph: &mut Graph, root: NodeId, dimension: usize) -> Vec<NodeId> {
    let count = root.index() + 1;
    let mut depends_on_input = vec![false; count];
    for index in 0..count {
        let node = graph.at(index).1;
        depends_on_input[index] =
            matches!(node, Node::Input(_)) || dependencies(node).any(|other| depends_on_input[other.index()]);
    }

    // Per node a linked list of the terms of its derivative, the latest first. Users are visited from the last to the
    // first, so the list runs in the order of the formula, and x³ − x + 0.1 is summed as it is written.
    let mut heads: Vec<Option<usize>> = vec![None; count];
    let mut terms: Vec<(NodeId, Option<usize>)> = Vec::new();
    let mut slopes = vec![graph.constant(0.0); dimension];
    let one = graph.constant(1.0);
    terms.push((one, None));
    heads[root.index()] = Some(0);

    for index in (0..count).rev() {
        let mut next = heads[index];
        let mut sum: Option<NodeId> = None;
        while let Some(position) = next {
            let (term, following) = terms[position];
            sum = Some(match sum {
                Some(sum) => graph.binary(Binary::Add, sum, term),
                None => term,
            });
            next = following;
        }
        let Some(factor) = sum.filter(|&sum| !graph.is_zero(sum)) else { continue };
        let (id, node) = graph.at(index);
        if let Node::Input(input) = node {
            if let Some(slope) = slopes.get_mut(input as usize) {
                *slope = factor;
            }
            continue;
        }
        for (other, term) in scaled_partials(graph, id, |other| depends_on_input[other.index()].then_some(factor)) {
            terms.push((term, heads[other.index()]));
            heads[other.index()] = Some(terms.len() - 1);
        }
    }
    slopes
}

/// Derivatives of `roots` along a direction whose coordinates are the inputs `dimension` … 2·`dimension` − 1, by
/// forward accumulation: a few new nodes per old one, whatever the dimension.
pub(super) fn along_direction(graph: &mut Graph, roots: &[NodeId], dimension: usize) -> Vec<NodeId> {
    let needed = reachable(graph, roots);
    let mut tangents: Vec<Option<NodeId>> = vec![None; needed.len()];
    for index in (0..needed.len()).filter(|&index| needed[index]) {
        let (id, node) = graph.at(index);
        tangents[index] = if let Node::Input(input) = node {
            Some(graph.input(dimension + input as usize))
        } else {
            let mut sum: Option<NodeId> = None;
            for (_, term) in scaled_partials(graph, id, |other| tangents[other.index()]) {
                sum = Some(match sum {
                    Some(sum) => graph.binary(Binary::Add, sum, term),
                    None => term,
                });
            }
            sum
        };
    }
    let zero = graph.constant(0.0);
    roots.iter().map(|root| tangents[root.index()].unwrap_or(zero)).collect()
}
