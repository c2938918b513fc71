//! Valleys narrower than a cell of the cubature, which the places of its rule may all miss.

use crate::loss::Loss;

/// A rule of five places along each side sees what is so many thermal widths wide.
const SEEN: f64 = 4.0;
/// The floor may lie so many half diagonals of a cell beside its center.
const REACH: f64 = 1.2;

/// About ∫ exp(−(L − lowest)/T) over a cell, if by the parabola at its center the floor of a valley runs through it that its rule may miss;
/// `None` if there is none. `half` are half of the cell's sides.
pub(super) fn hidden_mass(loss: &dyn Loss, center: &[f64], half: &[f64], lowest: f64, temperature: f64) -> Option<f64> {
    let shortest = 2.0 * half.iter().copied().fold(f64::INFINITY, f64::min);
    let is_narrow = |curvature: f64| SEEN * (temperature / curvature).sqrt() < shortest;
    let hessian = loss.hessian(center);
    // Most cells are left here: no eigenvalue is larger than the norm.
    if !is_narrow(hessian.norm()) {
        return None;
    }
    let mut slope = vec![0.0; center.len()];
    loss.gradient(center, &mut slope);
    let eigen = hessian.symmetric_eigen();
    let diagonal = half.iter().map(|side| side * side).sum::<f64>().sqrt();
    let (mut height, mut volume, mut is_valley) = ((loss.value(center) - lowest) / temperature, 1.0, false);
    for (h, axis) in eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()) {
        if !(*h > 0.0 && is_narrow(*h)) {
            volume *= shortest;
            continue;
        }
        let along: f64 = axis.iter().zip(&slope).map(|(v, g)| v * g).sum();
        if (along / h).abs() > REACH * diagonal {
            return None;
        }
        height -= 0.5 * along * along / h / temperature;
        volume *= (2.0 * std::f64::consts::PI * temperature / h).sqrt();
        is_valley = true;
    }
    (is_valley && height.is_finite()).then(|| volume * crate::math::exp(-height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::expression::Expression;

    /// A tilted valley of width 10⁻³: seen by cells that it crosses, not by others, nor by cells as narrow as itself.
    #[test]
    fn a_valley_is_known_from_its_walls() {
        let loss = Expression::new(&["x", "y"].map(String::from), &[], "x^2/2 + 5e5*(0.8*y - 0.6*x)^2").unwrap();
        let hidden = |center: [f64; 2], half: f64| hidden_mass(&loss, &center, &[half; 2], 0.0, 1.0);
        // On the floor at x = 0.4, y = 0.3, and up to a cell's corner beside it.
        for center in [[0.4, 0.3], [0.45, 0.26], [0.36, 0.35]] {
            let mass = hidden(center, 0.06).unwrap();
            assert!((mass / (0.12 * (2e-6 * std::f64::consts::PI).sqrt()) - 1.0).abs() < 0.3, "{center:?}: {mass}");
        }
        assert_eq!([hidden([0.4, 0.5], 0.06), hidden([0.4, 0.3], 1e-3)], [None, None]);
        // Far up along the floor there is next to nothing.
        assert!(hidden([8.0, 6.0], 0.06).unwrap() < 1e-12);
    }
}
