//! Where the landscape is no parabola, and what of the theory is null there.

use super::setting::Setting;
use super::softest;
use crate::landscape::{Saddle, minimum_name, point_text};
use crate::plain::significant;

/// Why the slide's formula and Kramers' are missing, if so.
pub(super) fn notes(setting: &Setting) -> impl Iterator<Item = String> {
    at_minima(setting).into_iter().chain(on_ridges(setting))
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
            format!("{place} the Hessian is zero, and L rises as |u|^{}", significant(flat.power, 3))
        })
    });
    let flat: Vec<String> = flat.collect();
    (!flat.is_empty()).then(|| format!("laplace and the times of Kramers are null: {}", flat.join("; ")))
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
