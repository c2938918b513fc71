//! A loss that is known to be one parabola: its centre is the only critical point, and its basin is everything.
//!
//! The search by descents would find the same after a number of eigenvalue problems that grows with d, each of which takes
//! d³: minutes in two hundred dimensions, for what is known before.

use super::basins::Basins;
use super::{CriticalPoint, Landscape, LandscapeError, domain_text, point_text, with_flat_directions};
use crate::loss::Loss;
use crate::plain::significant;

/// The landscape of ½(θ − m)ᵀH(θ − m) + c.
///
/// # Errors
/// When m is not a minimum, or not in the domain.
pub(super) fn explore(loss: &dyn Loss, center: &[f64], domain: &[[f64; 2]]) -> Result<Landscape, LandscapeError> {
    let nowhere = |hint: String| Err(LandscapeError::NoMinimum { domain: domain_text(domain), hint });
    if !center.iter().zip(domain).all(|(x, [low, high])| (low..=high).contains(&x)) {
        return nowhere(format!("the bowl's only one is at {}: extend loss.domain", point_text(center)));
    }
    let minimum = CriticalPoint::at(loss, center);
    // H is the same all over the domain: its largest eigenvalue is the curvature that is usual there.
    let usual_curvature = minimum.eigenvalues.iter().fold(0.0f64, |a, h| a.max(h.abs()));
    let minimum = with_flat_directions(loss, minimum, usual_curvature, domain)?;
    if minimum.index() > 0 {
        return nowhere(format!(
            "the parabola falls without end along {} of its {} axes, since its smallest eigenvalue is {}: give it positive \
             eigenvalues",
            minimum.index(),
            minimum.eigenvalues.len(),
            significant(minimum.eigenvalues[0], 4)
        ));
    }
    Ok(Landscape {
        minima: vec![minimum],
        saddles: Vec::new(),
        basins: Basins::of_bowl(),
        domain: domain.to_vec(),
        region: domain.to_vec(),
        doubt: None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::dmatrix;

    use super::*;
    use crate::landscape::basins::Workspace;
    use crate::loss::quadratic::Quadratic;

    /// Two hundred dimensions took minutes by descents: 20,000 of them, each of many eigenvalue problems.
    #[test]
    fn two_hundred_dimensions_take_one_eigenvalue_problem() {
        let eigenvalues: Vec<f64> = (0..200).map(|i| 0.5 + 0.01 * f64::from(i)).collect();
        let bowl = Arc::new(Quadratic::from_eigenvalues(&eigenvalues));
        let clock = std::time::Instant::now();
        let landscape = Landscape::explore(bowl, &[[-5.0, 5.0]; 200]).unwrap();
        // Far from what a test build needs, and farther from the minutes of a search.
        assert!(clock.elapsed().as_secs() < 20, "{:?}", clock.elapsed());
        assert_eq!((landscape.minima.len(), landscape.saddles.len()), (1, 0));
        assert_eq!(landscape.minima[0].theta, [0.0; 200]);
        assert!(landscape.minima[0].eigenvalues.iter().zip(&eigenvalues).all(|(a, b)| (a - b).abs() < 1e-12));
        let label = |place: f64| landscape.basins.label(&[place; 200], &mut Workspace::default());
        assert_eq!([label(0.1), label(-1e9), label(f64::NAN)], [Some(0), Some(0), None]);
    }

    #[test]
    fn what_is_no_bowl_is_told() {
        let told = |hessian, domain: &[[f64; 2]]| {
            let loss = Arc::new(Quadratic::new(hessian).unwrap());
            Landscape::explore(loss, domain).err().map(|error| error.to_string()).unwrap_or_default()
        };
        let around = [[-3.0, 3.0]; 2];
        let saddle = told(dmatrix![1.0, 0.0; 0.0, -0.5], &around);
        assert!(saddle.contains("no minimum") && saddle.contains("smallest eigenvalue is -0.5"), "{saddle}");
        let elsewhere = told(dmatrix![1.0, 0.0; 0.0, 2.0], &[[1.0, 3.0], [-1.0, 1.0]]);
        assert!(elsewhere.contains("extend loss.domain"), "{elsewhere}");
        let flat = told(dmatrix![1.0, 0.0; 0.0, 0.0], &around);
        assert!(flat.contains("singular") && flat.contains("(0.0000, 1.0000)"), "{flat}");
        assert_eq!(told(dmatrix![1.0, 0.2; 0.2, 2.0], &around), "");
    }
}
