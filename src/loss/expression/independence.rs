//! Whether a formula is a sum of functions of different variables: where ∂L/∂x does not contain y, and ∂L/∂y not x, L is a sum of a
//! function without x and one without y.

use super::graph::{Graph, Node, NodeId};
use crate::loss::independence;

/// Formulas of more variables are not looked at.
const MOST: usize = 64;

/// The variables in groups such that the formula with these slopes is a sum of functions of one group each.
pub(super) fn groups(graph: &Graph, slopes: &[NodeId]) -> Vec<Vec<usize>> {
    let dimension = slopes.len();
    if dimension == 1 || dimension > MOST {
        return vec![(0..dimension).collect()];
    }
    // Bit i of a node: it contains variable i. Operands stand before their users.
    let mut contains = vec![0u64; graph.len()];
    for index in 0..graph.len() {
        let (_, node) = graph.at(index);
        contains[index] = match node {
            Node::Constant(_) => 0,
            Node::Input(variable) => 1u64.checked_shl(variable).unwrap_or(0),
            Node::Unary(_, a) => contains[a.index()],
            Node::Binary(_, a, b) => contains[a.index()] | contains[b.index()],
            Node::IntegerPower { base, .. } => contains[base.index()],
        };
    }
    let contains = &contains;
    let pairs = slopes.iter().enumerate().flat_map(|(i, slope)| {
        let bits = contains[slope.index()];
        (0..dimension).filter(move |&j| bits >> j & 1 == 1).map(move |j| (i, j))
    });
    independence::groups(dimension, pairs)
}

#[cfg(test)]
mod tests {
    use crate::loss::{Loss, expression::Expression};

    fn groups(variables: &[&str], formula: &str) -> Vec<Vec<usize>> {
        let variables: Vec<String> = variables.iter().map(|&name| name.to_owned()).collect();
        Expression::new(&variables, &[("c".into(), 0.5)], formula).unwrap().independent_coordinates()
    }

    #[test]
    fn sums_of_functions_of_one_variable_each() {
        assert_eq!(groups(&["x", "y"], "0.05*x^4 - tanh((x + 1.7)/c) + y^2/2"), [[0], [1]]);
        assert_eq!(groups(&["x", "y", "z"], "c*(x^4 + 3*z*y) - (x^2 - cos(z))"), [vec![0], vec![1, 2]]);
        assert_eq!(groups(&["x", "y", "z"], "exp(x) + 2*(y - sin(y)/c) - z^2"), [[0], [1], [2]]);
        // A variable that does not occur has a part of its own, which is constant.
        assert_eq!(groups(&["x", "y"], "x^2"), [[0], [1]]);
    }

    #[test]
    fn products_and_functions_of_sums_belong_together() {
        for formula in ["x*y", "(x + y)^2", "exp(x)*exp(y)", "max(x, y)", "log(exp(x) + exp(y))", "abs(x) + abs(x - y)"]
        {
            assert_eq!(groups(&["x", "y"], formula), [[0, 1]], "{formula}");
        }
    }
}
