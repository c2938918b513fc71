//! Level lines of a function on a grid (marching squares).

/// The stretches of the line `value = level`; `value` lies on `xs` × `ys`, the first coordinate running fastest.
///
/// Segments are joined into polylines, so that dashes and corners are drawn as one line.
pub(in crate::report::figure) fn lines(xs: &[f64], ys: &[f64], value: &[f64], level: f64) -> Vec<Vec<(f64, f64)>> {
    let at = |column: usize, row: usize| value[row * xs.len() + column];
    let cross = |a: f64, b: f64| (level - a) / (b - a);
    let mut segments: Vec<[Edge; 2]> = Vec::new();
    for row in 0..ys.len().saturating_sub(1) {
        for column in 0..xs.len().saturating_sub(1) {
            let corners = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)];
            if corners.iter().any(|corner| !corner.is_finite()) {
                continue;
            }
            let above = corners.map(|corner| corner > level);
            let edges = [
                Edge { column, row, vertical: false },
                Edge { column: column + 1, row, vertical: true },
                Edge { column, row: row + 1, vertical: false },
                Edge { column, row, vertical: true },
            ];
            let crossed: Vec<Edge> = (0..4).filter(|i| above[*i] != above[(*i + 1) % 4]).map(|i| edges[i]).collect();
            match crossed[..] {
                [a, b] => segments.push([a, b]),
                [a, b, c, d] => {
                    // A pass: the mean of the corners decides which of them are joined.
                    let joined = (corners.iter().sum::<f64>() / 4.0 > level) == above[0];
                    segments.extend(if joined { [[a, b], [c, d]] } else { [[a, d], [b, c]] });
                }
                _ => {}
            }
        }
    }
    let place = |edge: &Edge| {
        let Edge { column, row, vertical } = *edge;
        if vertical {
            let part = cross(at(column, row), at(column, row + 1));
            (xs[column], ys[row] + part * (ys[row + 1] - ys[row]))
        } else {
            let part = cross(at(column, row), at(column + 1, row));
            (xs[column] + part * (xs[column + 1] - xs[column]), ys[row])
        }
    };
    chains(segments).iter().map(|chain| chain.iter().map(place).collect()).collect()
}

/// An edge of the grid: from a node to its right or upper neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    row: usize,
    column: usize,
    vertical: bool,
}

/// Joins segments that share an edge.
fn chains(segments: Vec<[Edge; 2]>) -> Vec<Vec<Edge>> {
    let mut at: std::collections::BTreeMap<Edge, Vec<usize>> = std::collections::BTreeMap::new();
    for (index, segment) in segments.iter().enumerate() {
        for edge in segment {
            at.entry(*edge).or_default().push(index);
        }
    }
    let mut used = vec![false; segments.len()];
    let mut chains = Vec::new();
    for first in 0..segments.len() {
        if used[first] {
            continue;
        }
        used[first] = true;
        let mut chain = std::collections::VecDeque::from(segments[first]);
        for forward in [true, false] {
            while let Some(end) = (if forward { chain.back() } else { chain.front() }).copied() {
                let Some(next) = at.get(&end).and_then(|list| list.iter().copied().find(|i| !used[*i])) else { break };
                used[next] = true;
                let [a, b] = segments[next];
                let other = if a == end { b } else { a };
                if forward { chain.push_back(other) } else { chain.push_front(other) }
            }
        }
        chains.push(chain.into());
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bowl_has_one_closed_level_line() {
        let grid: Vec<f64> = (0..=40).map(|i| -1.0 + f64::from(i) * 0.05 + 0.001).collect();
        let value: Vec<f64> = grid.iter().flat_map(|y| grid.iter().map(move |x| x * x + y * y)).collect();
        let lines = lines(&grid, &grid, &value, 0.25);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        assert!(lines[0].iter().all(|(x, y)| (x.hypot(*y) - 0.5).abs() < 2e-3));
    }
}
