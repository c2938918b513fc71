//! Derivatives of forms that are finite where the rules one by one meet 0·∞.
//!
//! 1/(1 + eᵘ) at u = 800 is 1/∞ = 0, and its slope by the rules for quotient and exponential is 0·∞. Here such a form is one
//! function of u, whose slope −σ(u)σ(−u) has no such place. The value of a formula is computed as it is written.
//!
//! | Form | is | so its slope is |
//! |---|---|---|
//! | n/(1 + eᵘ)ᵐ, (1 + eᵘ)⁻ᵐ, and with d + k·eᵘ | n·σ(−u)ᵐ | −m·n·σ(−u)ᵐ·σ(u) by u |
//! | eᵘ/(1 + eᵘ) | σ(u) | σ(u)·σ(−u) |
//! | n/coshᵐ u, cosh⁻ᵐ u | n·sechᵐ u | −m·n·sechᵐ u·tanh u |
//! | sinh u/cosh u | tanh u | sech² u |
//! | (eᵘ − eᵛ)/(eᵘ + eᵛ) | tanh ½(u − v) | ½ sech² ½(u − v) by u |
//! | ln(1 + eᵘ), ln cosh u | | σ(u), tanh u |
//! | ln(eᵘ + eᵛ) | | σ(u − v) by u, σ(v − u) by v |
//! | (a²ᵐ)^p, √(a²ᵐ), \|a\|^p | \|a\|^q | q·\|a\|^(q−1)·sign a, and q·a^(q−1) for even q |
//!
//! What is left meets a second evaluation ([`super::careful`]), which is slow: these are the forms that people write.

use super::graph::{Graph, Node, NodeId};
use super::operation::{Binary, Unary};

/// Powers in powers deeper than that are taken rule by rule: no step recurses into the formula.
const DEEPEST: usize = 8;

/// The derivative of a form by something in it: weight·slope.
pub(super) struct Slope {
    pub(super) by: NodeId,
    pub(super) weight: f64,
    pub(super) slope: NodeId,
}

impl Slope {
    fn new(by: NodeId, weight: f64, slope: NodeId) -> Slope {
        Slope { by, weight, slope }
    }
}

/// The derivatives of the node by all that it depends on, if it is one of these forms.
pub(super) fn slopes(graph: &mut Graph, id: NodeId) -> Option<Vec<Slope>> {
    match graph.node(id) {
        Node::Binary(Binary::Divide, numerator, denominator) => quotient(graph, numerator, denominator),
        Node::IntegerPower { exponent: ..0, previous, .. } => {
            let one = graph.constant(1.0);
            quotient(graph, one, previous)
        }
        Node::Unary(Unary::Ln, a) => {
            if let Some((_, u, v)) = one_plus_exponential(graph, a) {
                Some(vec![Slope::new(u, 1.0, graph.unary(Unary::Logistic, v))])
            } else if let Some((u, v)) = sum_of_exponentials(graph, a) {
                let (over, under) = (graph.binary(Binary::Subtract, u, v), graph.binary(Binary::Subtract, v, u));
                let shares = [graph.unary(Unary::Logistic, over), graph.unary(Unary::Logistic, under)];
                Some(vec![Slope::new(u, 1.0, shares[0]), Slope::new(v, 1.0, shares[1])])
            } else if let Node::Unary(Unary::Cosh, u) = graph.node(a) {
                Some(vec![Slope::new(u, 1.0, graph.unary(Unary::Tanh, u))])
            } else {
                None
            }
        }
        node => {
            let (a, exponent) = power_of_size(graph, node)?;
            Some(vec![Slope::new(a, exponent, lower_power(graph, a, exponent))])
        }
    }
}

/// d, u and v, if the node is d + k·eᵘ with positive constants, which is d·(1 + eᵛ), v = u + ln(k/d).
fn one_plus_exponential(graph: &mut Graph, id: NodeId) -> Option<(f64, NodeId, NodeId)> {
    let Node::Binary(Binary::Add, a, b) = graph.node(id) else { return None };
    let (constant, other) = if graph.constant_of(a).is_some() { (a, b) } else { (b, a) };
    let (factor, exponential) = match graph.node(other) {
        Node::Binary(Binary::Multiply, a, b) => match (graph.constant_of(a), graph.constant_of(b)) {
            (Some(factor), _) => (factor, b),
            (_, Some(factor)) => (factor, a),
            _ => return None,
        },
        _ => (1.0, other),
    };
    let Node::Unary(Unary::Exp, u) = graph.node(exponential) else { return None };
    let constant = graph.constant_of(constant)?;
    let ratio = factor / constant;
    if !(constant > 0.0 && factor > 0.0 && ratio.is_normal()) {
        return None;
    }
    if ratio == 1.0 {
        return Some((constant, u, u));
    }
    let shift = graph.constant(crate::math::ln(ratio));
    Some((constant, u, graph.binary(Binary::Add, u, shift)))
}

/// u and v, if the node is eᵘ + eᵛ.
fn sum_of_exponentials(graph: &Graph, id: NodeId) -> Option<(NodeId, NodeId)> {
    let Node::Binary(Binary::Add, a, b) = graph.node(id) else { return None };
    match (graph.node(a), graph.node(b)) {
        (Node::Unary(Unary::Exp, u), Node::Unary(Unary::Exp, v)) => Some((u, v)),
        _ => None,
    }
}

/// u and v, if the quotient is (eᵘ − eᵛ)/(eᵘ + eᵛ).
fn difference_over_sum(graph: &Graph, numerator: NodeId, denominator: NodeId) -> Option<(NodeId, NodeId)> {
    let Node::Binary(Binary::Subtract, a, b) = graph.node(numerator) else { return None };
    let is_sum = graph.node(denominator) == Node::Binary(Binary::Add, a.min(b), a.max(b));
    match (graph.node(a), graph.node(b)) {
        (Node::Unary(Unary::Exp, u), Node::Unary(Unary::Exp, v)) if is_sum => Some((u, v)),
        _ => None,
    }
}

fn quotient(graph: &mut Graph, numerator: NodeId, denominator: NodeId) -> Option<Vec<Slope>> {
    if let Some((u, v)) = difference_over_sum(graph, numerator, denominator) {
        let (half, difference) = (graph.constant(0.5), graph.binary(Binary::Subtract, u, v));
        let middle = graph.binary(Binary::Multiply, half, difference);
        let slope = graph.unary(Unary::SechSquared, middle);
        return Some(vec![Slope::new(u, 0.5, slope), Slope::new(v, -0.5, slope)]);
    }
    let (base, power) = match graph.node(denominator) {
        Node::IntegerPower { base, exponent, .. } if exponent > 0 => (base, exponent),
        _ => (denominator, 1),
    };
    // The denominator is scale·(1/reciprocal), and the slope of the reciprocal −power·reciprocal·decay by u.
    let (u, scale, reciprocal, decay) = if let Some((constant, u, v)) = one_plus_exponential(graph, base) {
        let opposite = graph.negate(v);
        let opposite = graph.unary(Unary::Logistic, opposite);
        let rise = graph.unary(Unary::Logistic, v);
        if power == 1 && graph.node(numerator) == Node::Unary(Unary::Exp, v) {
            return Some(vec![Slope::new(u, 1.0 / constant, graph.binary(Binary::Multiply, rise, opposite))]);
        }
        (u, crate::math::powi(constant, power), whole_power(graph, opposite, power), rise)
    } else if let Node::Unary(Unary::Cosh, u) = graph.node(base) {
        let square = graph.unary(Unary::SechSquared, u);
        if power == 1 && graph.node(numerator) == Node::Unary(Unary::Sinh, u) {
            return Some(vec![Slope::new(u, 1.0, square)]);
        }
        let even = whole_power(graph, square, power / 2);
        let reciprocal = if power % 2 == 0 {
            even
        } else {
            let logarithm = graph.unary(Unary::LnCosh, u);
            let opposite = graph.negate(logarithm);
            let single = graph.unary(Unary::Exp, opposite);
            graph.binary(Binary::Multiply, even, single)
        };
        (u, 1.0, reciprocal, graph.unary(Unary::Tanh, u))
    } else {
        return None;
    };
    let slope = graph.binary(Binary::Multiply, reciprocal, decay);
    let slope = graph.binary(Binary::Multiply, numerator, slope);
    let mut slopes = vec![Slope::new(u, -f64::from(power) / scale, slope)];
    if graph.constant_of(numerator).is_none() {
        slopes.push(Slope::new(numerator, 1.0 / scale, reciprocal));
    }
    Some(slopes)
}

fn whole_power(graph: &mut Graph, base: NodeId, exponent: i32) -> NodeId {
    let exponent = graph.constant(f64::from(exponent));
    graph.binary(Binary::Power, base, exponent)
}

/// a and q, if the node is |a|^q by way of a root, a real power or an absolute value.
fn power_of_size(graph: &Graph, mut node: Node) -> Option<(NodeId, f64)> {
    let mut exponent = 1.0;
    let mut is_plain = true;
    for depth in 0..DEEPEST {
        let inner = match node {
            Node::Unary(Unary::Sqrt, inner) => {
                (exponent, is_plain) = (0.5 * exponent, false);
                inner
            }
            Node::Binary(Binary::Power, inner, power) => {
                (exponent, is_plain) = (exponent * graph.constant_of(power)?, false);
                inner
            }
            Node::Unary(Unary::Abs, a) if depth > 0 => return Some((a, exponent)),
            Node::IntegerPower { base, exponent: power, .. } => {
                exponent *= f64::from(power);
                if !is_plain && power % 2 == 0 && !is_power(graph, base) {
                    return Some((base, exponent));
                }
                base
            }
            _ => return None,
        };
        node = graph.node(inner);
    }
    None
}

fn is_power(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    matches!(
        node,
        Node::Unary(Unary::Sqrt | Unary::Abs, _) | Node::Binary(Binary::Power, ..) | Node::IntegerPower { .. }
    )
}

/// The slope of |a|^exponent, divided by the exponent.
fn lower_power(graph: &mut Graph, a: NodeId, exponent: f64) -> NodeId {
    let lower = graph.constant(exponent - 1.0);
    if exponent % 2.0 == 0.0 {
        return graph.binary(Binary::Power, a, lower);
    }
    let base = if (exponent - 1.0) % 2.0 == 0.0 { a } else { graph.unary(Unary::Abs, a) };
    let power = graph.binary(Binary::Power, base, lower);
    let sign = graph.unary(Unary::Sign, a);
    graph.binary(Binary::Multiply, power, sign)
}
