//! A drawing surface in design units.
//!
//! One design unit is half a point when a figure is printed 8.5 cm wide: text of 14 units is then 7 pt.
//! Plotters draws on whole pixels; figures are therefore drawn enlarged, and shrunk by the view box of the SVG.

use std::fmt::Display;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, ShapeStyle, WHITE, register_font};

use super::super::ReportError;
use super::palette::{Dash, Marker, SOLID};

/// What a reader's browser looks for, in this order. The first is what the PNG is drawn with and what widths are
/// measured with; the others are no wider.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";
/// Text size of labels in design units.
pub(super) const TEXT: f64 = 14.0;
/// Text size of ticks and keys in design units.
pub(super) const SMALL: f64 = 12.5;

/// A point in design units.
pub(super) type Point = (f64, f64);

/// Result of drawing.
pub(super) type Drawn = Result<(), ReportError>;

/// Makes the program's own fonts known to plotters, once.
pub(super) fn register_fonts() -> Drawn {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = *REGISTERED.get_or_init(|| {
        [FAMILY, "sans-serif"].into_iter().all(|family| {
            register_font(family, FontStyle::Normal, dejavu::sans::regular()).is_ok()
                && register_font(family, FontStyle::Bold, dejavu::sans::bold()).is_ok()
        })
    });
    if registered { Ok(()) } else { Err(ReportError::Drawing("the embedded fonts cannot be read".to_owned())) }
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: RGBColor,
    pub(super) opacity: f64,
    pub(super) width: f64,
    pub(super) dash: Dash,
}

impl Stroke {
    /// A solid, opaque line.
    pub(super) fn new(colour: RGBColor, width: f64) -> Self {
        Stroke { colour, opacity: 1.0, width, dash: SOLID }
    }

    /// The same line, dashed.
    pub(super) fn dashed(self, dash: Dash) -> Self {
        Stroke { dash, ..self }
    }

    /// The same line, translucent.
    pub(super) fn faint(self, opacity: f64) -> Self {
        Stroke { opacity, ..self }
    }
}

/// Which side of a text its position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) size: f64,
    pub(super) align: Align,
    pub(super) colour: RGBColor,
    pub(super) bold: bool,
    /// Read from below upwards.
    pub(super) upwards: bool,
}

impl Lettering {
    /// Black, upright.
    pub(super) fn new(size: f64, align: Align) -> Self {
        Lettering { size, align, colour: super::palette::BLACK, bold: false, upwards: false }
    }
}

/// Sub-pixels per design unit: positions are good to a tenth of a unit.
const SCALE: f64 = 10.0;
/// By how much of an em plotters' centred text must be lowered to centre its capitals.
const LOWER_TEXT: f64 = 0.09;

/// The surface.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// What `draw` draws on a white ground of that width and height in design units, as SVG.
pub(super) fn svg((width, height): (f64, f64), draw: impl FnOnce(&Canvas) -> Drawn) -> Result<String, ReportError> {
    let enlarged = ((width * SCALE) as u32, (height * SCALE) as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, enlarged).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let canvas = Canvas { area };
        draw(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    // The view box keeps the enlarged coordinates; the nominal size is that of the design. What plotters repeats on
    // every element without need is dropped: a map has thousands of them. An element is either filled or a line: its
    // opacity is that of the one or the other, which renders without a layer of its own.
    let text = text.replacen(
        &format!("width=\"{}\" height=\"{}\"", enlarged.0, enlarged.1),
        &format!("width=\"{width}\" height=\"{height}\""),
        1,
    );
    let text = text.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    Ok(text
        .replace("<polygon opacity=", "<polygon fill-opacity=")
        .replace("<polyline fill=\"none\" opacity=", "<polyline fill=\"none\" stroke-opacity="))
}

fn pixel((x, y): Point) -> (i32, i32) {
    // Far outside is as good as just outside, and never overflows.
    let whole = |value: f64| (value * SCALE).round().clamp(-1e6, 1e6) as i32;
    (whole(x), whole(y))
}

fn outlined(stroke: Stroke) -> ShapeStyle {
    let width = (stroke.width * SCALE).round().max(1.0) as u32;
    ShapeStyle { color: stroke.colour.mix(stroke.opacity), filled: false, stroke_width: width }
}

fn filled(colour: RGBColor, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: colour.mix(opacity), filled: true, stroke_width: 0 }
}

impl Canvas<'_> {
    /// A line through points, dashed if its stroke is.
    pub(super) fn line(&self, points: &[Point], stroke: Stroke) -> Drawn {
        if stroke.dash.is_empty() {
            return self.solid(points, stroke);
        }
        for dash in dashes(points, stroke.dash) {
            self.solid(&dash, stroke)?;
        }
        Ok(())
    }

    fn solid(&self, points: &[Point], stroke: Stroke) -> Drawn {
        let mut pixels: Vec<(i32, i32)> = points.iter().map(|point| pixel(*point)).collect();
        pixels.dedup();
        // Plotters mitres without limit: at a sharp turn the joint would shoot across the figure.
        let mut start = 0;
        for corner in 1..pixels.len() {
            if corner + 1 == pixels.len() || sharp(pixels[corner - 1], pixels[corner], pixels[corner + 1]) {
                let stretch = pixels[start..=corner].to_vec();
                self.area.draw(&PathElement::new(stretch, outlined(stroke))).map_err(failed)?;
                start = corner;
            }
        }
        Ok(())
    }

    /// A filled polygon.
    pub(super) fn polygon(&self, points: &[Point], colour: RGBColor, opacity: f64) -> Drawn {
        let pixels: Vec<(i32, i32)> = points.iter().map(|point| pixel(*point)).collect();
        if pixels.len() < 3 {
            return Ok(());
        }
        self.area.draw(&Polygon::new(pixels, filled(colour, opacity))).map_err(failed)
    }

    /// A filled rectangle between two corners.
    pub(super) fn rectangle(&self, from: Point, to: Point, colour: RGBColor, opacity: f64) -> Drawn {
        self.polygon(&[from, (to.0, from.1), to, (from.0, to.1)], colour, opacity)
    }

    /// A data point; open ones are white inside.
    pub(super) fn marker(&self, at: Point, marker: Marker, size: f64, colour: RGBColor, open: bool) -> Drawn {
        self.symbol(at, marker, size, colour)?;
        if open && marker != Marker::Cross {
            self.symbol(at, marker, size * 0.55, super::palette::WHITE)
        } else {
            Ok(())
        }
    }

    fn symbol(&self, (x, y): Point, marker: Marker, size: f64, colour: RGBColor) -> Drawn {
        let r = size / 2.0;
        match marker {
            Marker::Circle => {
                let radius = (r * SCALE).round().max(1.0) as i32;
                self.area.draw(&Circle::new(pixel((x, y)), radius, filled(colour, 1.0))).map_err(failed)
            }
            Marker::Square => self.rectangle((x - 0.88 * r, y - 0.88 * r), (x + 0.88 * r, y + 0.88 * r), colour, 1.0),
            Marker::Diamond => {
                let r = 1.2 * r;
                self.polygon(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], colour, 1.0)
            }
            Marker::Triangle => {
                let r = 1.2 * r;
                self.polygon(&[(x, y - r), (x + 0.95 * r, y + 0.72 * r), (x - 0.95 * r, y + 0.72 * r)], colour, 1.0)
            }
            Marker::Cross => {
                let stroke = Stroke::new(colour, size / 4.5);
                self.solid(&[(x - r, y - r), (x + r, y + r)], stroke)?;
                self.solid(&[(x - r, y + r), (x + r, y - r)], stroke)
            }
        }
    }

    /// A line of text whose capitals are centred on the height of `at`.
    pub(super) fn text(&self, text: &str, at: Point, lettering: Lettering) -> Drawn {
        let lowered = LOWER_TEXT * lettering.size;
        let at = if lettering.upwards { (at.0 + lowered, at.1) } else { (at.0, at.1 + lowered) };
        let horizontal = match lettering.align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let mut font = font(lettering.size * SCALE, lettering.bold);
        if lettering.upwards {
            font = font.transform(FontTransform::Rotate270);
        }
        let style = font.color(&lettering.colour).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), pixel(at), style)).map_err(failed)
    }

    /// As [`Canvas::text`], with `p_A` set as p with A below the line.
    pub(super) fn formula(&self, text: &str, at: Point, lettering: Lettering) -> Drawn {
        let runs = runs(text);
        let size = |below: bool| if below { 0.75 * lettering.size } else { lettering.size };
        let total: f64 = runs.iter().map(|(run, below)| width(run, size(*below))).sum();
        let mut x = match lettering.align {
            Align::Left => at.0,
            Align::Centre => at.0 - total / 2.0,
            Align::Right => at.0 - total,
        };
        for (run, below) in runs {
            let lowered = if below { 0.28 * lettering.size } else { 0.0 };
            let lettering = Lettering { size: size(below), align: Align::Left, ..lettering };
            self.text(run, (x, at.1 + lowered), lettering)?;
            x += width(run, size(below));
        }
        Ok(())
    }

    /// Width of the whole surface in design units.
    pub(super) fn breadth(&self) -> f64 {
        f64::from(self.area.dim_in_pixel().0) / SCALE
    }
}

fn font(size: f64, bold: bool) -> FontDesc<'static> {
    // Plotters counts a font's size as the height of its line, 1.2 times the em.
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FAMILY), size * 1.2, style)
}

/// The width of a text in design units; 0 before [`register_fonts`].
pub(super) fn width(text: &str, size: f64) -> f64 {
    // Widths come in whole pixels: measured enlarged they are good to a hundredth of a unit.
    font(100.0 * size, false).box_size(text).map_or(0.0, |(width, _)| f64::from(width) / 100.0)
}

/// Whether a path turns by more than 50° at `at`.
fn sharp(from: (i32, i32), at: (i32, i32), to: (i32, i32)) -> bool {
    let (ax, ay) = (f64::from(at.0 - from.0), f64::from(at.1 - from.1));
    let (bx, by) = (f64::from(to.0 - at.0), f64::from(to.1 - at.1));
    ax * bx + ay * by < 0.64 * ax.hypot(ay) * bx.hypot(by)
}

fn failed(error: impl Display) -> ReportError {
    ReportError::Drawing(error.to_string())
}

/// A formula as stretches on the line and below it: what follows `_` up to the next sign is below.
fn runs(text: &str) -> Vec<(&str, bool)> {
    let mut runs = Vec::new();
    for (index, part) in text.split('_').enumerate() {
        let end = if index == 0 { 0 } else { part.find(|c: char| !c.is_alphanumeric()).unwrap_or(part.len()) };
        let (below, line) = part.split_at(end);
        runs.extend([(below, true), (line, false)].into_iter().filter(|(run, _)| !run.is_empty()));
    }
    runs
}

/// The dashes of a line.
fn dashes(points: &[Point], pattern: Dash) -> Vec<Vec<Point>> {
    let mut dashes = Vec::new();
    let Some(first) = points.first() else { return dashes };
    let (mut phase, mut left) = (0, pattern[0]);
    let mut dash = vec![*first];
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut length = (to.0 - from.0).hypot(to.1 - from.1);
        while length > left {
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            length -= left;
            if phase % 2 == 0 {
                dash.push(from);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            phase = (phase + 1) % pattern.len();
            left = pattern[phase];
        }
        left -= length;
        if phase % 2 == 0 {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}
