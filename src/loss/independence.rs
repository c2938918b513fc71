//! Which coordinates have to do with each other.

/// Coordinates in groups, from pairs that belong together: every coordinate once, each group ascending, the groups by their first
/// coordinates.
pub(super) fn groups(dimension: usize, together: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    // The first coordinate of each one's group, as far as is known.
    let mut first: Vec<usize> = (0..dimension).collect();
    for (i, j) in together {
        let (old, new) = (first[i].max(first[j]), first[i].min(first[j]));
        if old != new {
            first.iter_mut().filter(|first| **first == old).for_each(|first| *first = new);
        }
    }
    let members = |&leader: &usize| (0..dimension).filter(|&i| first[i] == leader).collect();
    (0..dimension).filter(|&i| first[i] == i).collect::<Vec<_>>().iter().map(members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_make_groups() {
        let none: [(usize, usize); 0] = [];
        assert_eq!(groups(3, none.into_iter()), [[0], [1], [2]]);
        assert_eq!(groups(5, [(4, 1), (3, 2), (1, 2)].into_iter()), [vec![0], vec![1, 2, 3, 4]]);
        assert_eq!(groups(4, [(2, 0), (3, 1)].into_iter()), [[0, 2], [1, 3]]);
    }
}
