//! Where the landscape is no parabola, and what of the theory is null there.

use super::setting::Setting;
use super::softest;
use crate::landscape::{Landscape, Saddle, minimum_name, point_text};
use crate::plain::significant;

/// Groups of minima that are named.
const MOST_GROUPS: usize = 6;

/// Why the slide's formula and Kramers' are missing, if so.
pub(super) fn notes(setting: &Setting) -> impl Iterator<Item = String> {
    at_minima(setting).into_iter().chain(on_ridges(setting)).chain(between_minima(setting))
}

fn at_minima(setting: &Setting) -> Option<String> {
    let minima = setting.landscape.minima.iter().enumerate().filter(|(_, minimum)| !minimum.is_regular());
    let flat = minima.flat_map(|(index, minimum)| {
        minimum.flat.iter().map(move |flat| {
            let along: Vec<f64> = minimum.eigenvectors.column(flat.axis).iter().copied().collect();
            let place = format!("at {} along {}", minimum_name(index), softest::name(&along, &setting.variables));
            if flat.is_kink() {
                return format!("{place} the slope of the loss jumps");
            }
            if flat.is_jump() {
                return format!("{place} the curvature of the loss jumps");
            }
            if flat.is_endless() {
                return format!("{place} the curvature has no end, and L rises as |u|^{}", significant(flat.power, 3));
            }
            format!("{place} the Hessian is zero, and L rises as |u|^{}", significant(flat.power, 3))
        })
    });
    let flat: Vec<String> = flat.collect();
    (!flat.is_empty()).then(|| format!("laplace and the times of Kramers are null: {}", flat.join("; ")))
}

/// Minima that no chain of saddles joins: beyond a line a saddle is a place where ∇L = 0, which a ridge of a minimum of two losses has not.
fn between_minima(setting: &Setting) -> Option<String> {
    let groups = groups_joined(&setting.landscape);
    let name = |group: &Vec<usize>| group.iter().map(|&minimum| minimum_name(minimum)).collect::<Vec<_>>().join(", ");
    (groups.len() > 1).then(|| {
        let first: Vec<String> = groups.iter().take(MOST_GROUPS).map(name).collect();
        let more = if groups.len() > MOST_GROUPS { " | …" } else { "" };
        format!(
            "kramers is null between {}{more}: no saddle was found that joins them; where a ridge is a kink, its passes are no \
             saddles, or the search missed one",
            first.join(" | ")
        )
    })
}

/// The minima, by which of them saddles join.
fn groups_joined(landscape: &Landscape) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = (0..landscape.minima.len()).map(|minimum| vec![minimum]).collect();
    for saddle in &landscape.saddles {
        let [a, b] = saddle.between.map(|end| groups.iter().position(|group| group.contains(&end)).unwrap_or_default());
        if a != b {
            let other = groups.remove(a.max(b));
            groups[a.min(b)].extend(other);
        }
    }
    groups
}

fn on_ridges(setting: &Setting) -> Option<String> {
    let kinks = setting.landscape.saddles.iter().filter(|saddle| !saddle.point.is_regular());
    let name = |saddle: &Saddle| {
        let [a, b] = saddle.between.map(minimum_name);
        format!("{a}–{b} at {}", point_text(&saddle.point.theta))
    };
    let names: Vec<String> = kinks.map(name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "kramers is null over {}: slope or curvature of the loss jump on the ridge, or no parabola fits there, and the formula asks for the curvature",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dynamics::euler_maruyama::EulerMaruyama;
    use crate::loss::expression::Expression;
    use crate::noise::isotropic::Isotropic;

    fn told(formula: &str) -> String {
        let names = ["x", "y"].map(String::from);
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let noise = Arc::new(Isotropic::new(2, 2.0));
        let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.05, 0.01));
        let setting = Setting::new(loss, noise, dynamics, 0.05, &[[-3.0, 3.0]; 2]).unwrap();
        notes(&setting).collect::<Vec<_>>().join("\n")
    }

    /// A ridge of min(a, b) has no saddle: its wells are named, alone or in groups.
    #[test]
    fn wells_that_no_saddle_joins_are_named() {
        let ridge = told("min((x + 1)^2 + y^2, (x - 1)^2 + y^2 + 0.1)");
        assert!(ridge.contains("kramers is null between A | B:"), "{ridge}");
        let two_and_one = told("min((x^2 - 1)^2 + y^2 + 0.05*x, (x + 1)^2 + (y - 2.5)^2 + 0.5)");
        assert!(two_and_one.contains("kramers is null between A, B | C:"), "{two_and_one}");
        let smooth = told("(x^2 - 1)^2 + 0.1*x + y^2");
        assert_eq!(smooth, "");
    }
}
