//! Colours that the colour-blind can tell apart (Okabe and Ito), each with its own marker and dash, so that a grey
//! print tells them apart as well.

use plotters::style::RGBColor;

use crate::scenario::Rung;

pub(super) const BLACK: RGBColor = RGBColor(0, 0, 0);
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(super) const PALE: RGBColor = RGBColor(222, 222, 222);
pub(super) const BAND: RGBColor = RGBColor(214, 232, 222);
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const VERMILLION: RGBColor = RGBColor(213, 94, 0);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const SKY: RGBColor = RGBColor(86, 180, 233);

/// On and off lengths in design units; empty is solid.
pub(super) type Dash = &'static [f64];
pub(super) const SOLID: Dash = &[];
pub(super) const DASHED: Dash = &[6.0, 3.0];
pub(super) const DOTTED: Dash = &[1.5, 2.5];
const LONG_DASHED: Dash = &[12.0, 4.0];
const DASH_DOT: Dash = &[7.0, 2.5, 1.5, 2.5];

/// Shapes of data points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Diamond,
    Triangle,
    Cross,
}

/// How a series looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) colour: RGBColor,
    pub(super) marker: Marker,
    pub(super) dash: Dash,
}

/// The measurement.
pub(super) const MEASURED: Look = Look { colour: BLACK, marker: Marker::Circle, dash: SOLID };

/// A rung of the ladder, the same in every figure.
pub(super) fn rung(rung: Rung) -> Look {
    match rung {
        Rung::Laplace => Look { colour: VERMILLION, marker: Marker::Triangle, dash: DASHED },
        Rung::Gibbs => Look { colour: BLUE, marker: Marker::Square, dash: SOLID },
        Rung::Ito => Look { colour: PURPLE, marker: Marker::Cross, dash: LONG_DASHED },
        Rung::Discrete => Look { colour: GREEN, marker: Marker::Diamond, dash: DASH_DOT },
    }
}

/// A group of replicas by the index of the minimum that they start in.
pub(super) fn group(index: usize) -> Look {
    const COLOURS: [RGBColor; 6] = [ORANGE, PURPLE, GREEN, VERMILLION, SKY, BLUE];
    const DASHES: [Dash; 4] = [SOLID, DASHED, DASH_DOT, DOTTED];
    const MARKERS: [Marker; 4] = [Marker::Circle, Marker::Square, Marker::Diamond, Marker::Triangle];
    // Colour and dash advance together first and part company after a full turn of the colours, so that neighbours
    // differ in both and no two of 24 groups look alike.
    let turn = index / COLOURS.len();
    Look {
        colour: COLOURS[index % COLOURS.len()],
        marker: MARKERS[(index + turn) % MARKERS.len()],
        dash: DASHES[(index + turn) % DASHES.len()],
    }
}

/// A value in [0, 1] as a blue that darkens steadily, in grey print as well.
pub(super) fn shade(value: f64) -> RGBColor {
    const STOPS: [(f64, f64, f64); 5] =
        [(247.0, 251.0, 255.0), (198.0, 219.0, 239.0), (120.0, 178.0, 216.0), (46.0, 117.0, 182.0), (8.0, 48.0, 107.0)];
    let position = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (position as usize).min(STOPS.len() - 2);
    let part = position - index as f64;
    let (from, to) = (STOPS[index], STOPS[index + 1]);
    let mix = |a: f64, b: f64| (a + part * (b - a)).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
