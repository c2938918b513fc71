//! The figure: for every kind (a row) and true difference (a column) the verdicts against effort as bands, and the coverage of intervals as a line
//! with error bars.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};

use super::kinds::{DIFFERENCES, Kind};
use super::results::{Results, Row};

const LEFT: f64 = 44.0;
const TOP: f64 = 96.0;
const WIDTH: f64 = 170.0;
const HEIGHT: f64 = 104.0;
const ACROSS: f64 = 26.0;
const DOWN: f64 = 62.0;
const HOLDS: &str = "#0072b2";
const REJECTED: &str = "#d55e00";
const UNDETERMINED: &str = "#e8e8e8";
const FONT: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// Writes `operating-characteristics.svg` and `.png`.
///
/// # Errors
/// When they cannot be drawn or written.
pub fn write(folder: &Path, kinds: &[Kind], results: &Results) -> Result<(), String> {
    let shown: Vec<&Kind> = kinds.iter().filter(|kind| results.of(kind.name, 0.0).next().is_some()).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let svg = drawing(&shown, results);
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    write("operating-characteristics.svg", svg.as_bytes())?;
    write("operating-characteristics.png", &png(&svg)?)
}

fn drawing(kinds: &[&Kind], results: &Results) -> String {
    let width = LEFT + DIFFERENCES.len() as f64 * (WIDTH + ACROSS);
    let height = TOP + kinds.len() as f64 * (HEIGHT + DOWN) + 6.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"{FONT}\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let entries = [("HOLDS", HOLDS), ("UNDETERMINED", UNDETERMINED), ("REJECTED", REJECTED)];
    for (index, (name, colour)) in entries.into_iter().enumerate() {
        let x = LEFT + 150.0 * index as f64;
        let _ = writeln!(svg, "<rect x=\"{x}\" y=\"14\" width=\"16\" height=\"16\" fill=\"{colour}\"/>");
        text(&mut svg, [x + 22.0, 27.0], "start", name);
    }
    let x = LEFT + 450.0;
    let _ = writeln!(
        svg,
        "<line x1=\"{x}\" y1=\"22\" x2=\"{}\" y2=\"22\" stroke=\"black\" stroke-width=\"1.6\"/>",
        x + 22.0
    );
    text(&mut svg, [x + 28.0, 27.0], "start", "intervals that cover, ± 2 errors (90 % dotted)");
    for (row, kind) in kinds.iter().enumerate() {
        let top = TOP + row as f64 * (HEIGHT + DOWN);
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"bold\">{}<tspan font-weight=\"normal\" dx=\"5\">(against {})</tspan></text>",
            top - 8.0,
            kind.name,
            kind.unit
        );
        for (column, difference) in DIFFERENCES.into_iter().enumerate() {
            let left = LEFT + column as f64 * (WIDTH + ACROSS);
            if row == 0 {
                text(&mut svg, [left + 0.5 * WIDTH, TOP - 32.0], "middle", &heading(difference));
            }
            let points: Vec<&Row> = results.of(kind.name, difference).collect();
            if !points.is_empty() {
                panel(&mut svg, [left, top], kind, &points, column == 0);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn heading(difference: f64) -> String {
    match difference {
        0.0 => "true".to_owned(),
        0.5 => "wrong by ε/2".to_owned(),
        1.0 => "wrong by ε".to_owned(),
        by => format!("wrong by {by} ε"),
    }
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

/// One panel: bands from below HOLDS, UNDETERMINED, REJECTED, and the coverage.
fn panel(svg: &mut String, [left, top]: [f64; 2], kind: &Kind, rows: &[&Row], is_first: bool) {
    let (low, high) = (kind.efforts[0].ln(), kind.efforts[kind.efforts.len() - 1].ln());
    let x = |effort: f64| left + WIDTH * (effort.ln() - low) / (high - low);
    let y = |share: f64| top + HEIGHT * (1.0 - share);
    let _ =
        writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{UNDETERMINED}\"/>");
    let share = |part: u64, row: &Row| part as f64 / row.tally.seeds as f64;
    let mut band = |of: &dyn Fn(&Row) -> f64, base: f64, colour: &str| {
        let mut corners: Vec<[f64; 2]> = rows.iter().map(|row| [x(row.effort), y(of(row))]).collect();
        corners.extend(rows.iter().rev().map(|row| [x(row.effort), y(base)]));
        let corners: Vec<String> = corners.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"{colour}\"/>", corners.join(" "));
    };
    band(&|row| share(row.tally.holds, row), 0.0, HOLDS);
    band(&|row| 1.0 - share(row.tally.rejected, row), 1.0, REJECTED);
    let dotted = y(0.9);
    let _ = writeln!(
        svg,
        "<line x1=\"{left}\" y1=\"{dotted:.1}\" x2=\"{}\" y2=\"{dotted:.1}\" stroke=\"black\" stroke-dasharray=\"2 3\"/>",
        left + WIDTH
    );
    let mut covering: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.tally.shown > 0) {
        let covered = row.tally.covered as f64 / row.tally.shown as f64;
        // Several intervals of one run are not independent.
        let error = (covered * (1.0 - covered) / row.tally.shown.min(row.tally.seeds) as f64).sqrt();
        let [at, low, high] = [x(row.effort), y((covered - 2.0 * error).max(0.0)), y((covered + 2.0 * error).min(1.0))];
        let _ =
            writeln!(svg, "<line x1=\"{at:.1}\" y1=\"{low:.1}\" x2=\"{at:.1}\" y2=\"{high:.1}\" stroke=\"black\"/>");
        covering.push(format!("{at:.1},{:.1}", y(covered)));
    }
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"black\" stroke-width=\"1.6\"/>",
        covering.join(" ")
    );
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"black\"/>"
    );
    // Those at the ends stay below their own panel.
    let middle = kind.efforts[kind.efforts.len() / 2];
    for (effort, anchor) in [(low.exp(), "start"), (middle, "middle"), (high.exp(), "end")] {
        text(svg, [x(effort), top + HEIGHT + 16.0], anchor, &effort.round().to_string());
    }
    if is_first {
        for (share, words) in [(0.0, "0"), (0.5, "½"), (1.0, "1")] {
            text(svg, [left - 6.0, y(share) + 4.0], "end", words);
        }
    }
}

fn png(svg: &str) -> Result<Vec<u8>, String> {
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(Source::Binary(Arc::new(font)));
    }
    let options = Options { fontdb: Arc::new(fonts), font_family: FONT.to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let (width, height) = ((2.0 * tree.size().width()) as u32, (2.0 * tree.size().height()) as u32);
    let mut picture = Pixmap::new(width, height).ok_or("a figure without extent")?;
    resvg::render(&tree, Transform::from_scale(2.0, 2.0), &mut picture.as_mut());
    picture.encode_png().map_err(|error| error.to_string())
}
