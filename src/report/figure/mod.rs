//! Figures: one file each, drawn once as SVG, of which the PNG is a rendering, never taken from anything but findings and their CSV.

mod axis;
mod canvas;
mod cells;
mod chord;
mod crossover;
mod curves;
mod density;
mod distribution;
mod eigenvalues;
mod ladder;
mod log_ratio;
mod map;
mod mixing;
mod noise_ladder;
mod palette;
mod panel;
mod quantiles;
mod raster;
mod scaling;
mod study;
mod weak_error;
mod width;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::findings::{FigureData, Findings};

use super::{ReportError, write::write_synced};
use canvas::{Canvas, Drawn, register_fonts};

/// A design that can be drawn.
trait Design {
    /// Width and height in design units.
    fn size(&self) -> (f64, f64);

    /// Draws itself.
    fn draw(&self, canvas: &Canvas<'_>) -> Drawn;
}

/// A drawn figure.
pub(super) struct Figure {
    /// The stem of its files.
    pub(super) name: &'static str,
    /// What it is, for a heading.
    pub(super) title: &'static str,
    /// What is shown, what the error bars are, how to read it.
    pub(super) caption: String,
    /// The vector drawing.
    pub(super) svg: String,
    /// The same as an encoded PNG.
    png: Vec<u8>,
    /// Tidy data, where the figure is drawn from `result.json` alone and has no other CSV.
    csv: Option<String>,
}

/// Width of every figure: 8.5 cm in print at half a point each.
const WIDTH: f64 = 480.0;

/// Draws every figure that applies.
pub(super) fn draw_all(findings: &Findings, figures: &FigureData) -> Result<Vec<Figure>, ReportError> {
    register_fonts()?;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if let Some(design) = ladder::Ladder::new(findings) {
        jobs.push(Box::new(move || {
            let figure = draw("ladder", "The ladder of predictions", design.caption(), &design)?;
            Ok(Figure { csv: Some(ladder::csv(findings)), ..figure })
        }));
    }
    if let Some(data) = &figures.density {
        let design = density::Density { findings, data };
        jobs.push(Box::new(move || draw("density", "Where SGD spends its time", design.caption(), &design)));
    }
    if let Some(data) = &figures.map {
        let design = map::Map::new(findings, data);
        jobs.push(Box::new(move || draw("map", "The landscape and the visits", design.caption(), &design)));
    }
    if let Some(data) = &figures.distribution {
        let design = distribution::Distribution { findings, data };
        let title = "The distribution function against its prediction";
        jobs.push(Box::new(move || draw("distribution", title, design.caption(), &design)));
    }
    if let Some(data) = &figures.cells {
        let design = cells::Cells::new(findings, data);
        let title = "The density over the plane, measured and predicted";
        jobs.push(Box::new(move || draw("cells", title, design.caption(), &design)));
    }
    if let Some(data) = &figures.log_ratio {
        let design = log_ratio::LogRatio { findings, data };
        let title = "The ratio of the laws of L at two temperatures";
        jobs.push(Box::new(move || draw("log-ratio", title, design.caption(), &design)));
    }
    if let Some(data) = &figures.mixing {
        let design = mixing::Mixing::new(findings, data);
        jobs.push(Box::new(move || draw("mixing", "Mixing from different starts", design.caption(), &design)));
    }
    if let Some(design) = figures.crossover.as_ref().and_then(|data| crossover::Crossover::new(findings, data)) {
        jobs.push(Box::new(move || draw("crossover", "Depth against width", design.caption(), &design)));
    }
    if let Some(design) = figures.scaling.as_ref().and_then(|data| scaling::Scaling::new(findings, data)) {
        jobs.push(Box::new(move || draw("scaling", "What changes with β", design.caption(), &design)));
    }
    if let Some(data) = &figures.noise_ladder {
        let design = noise_ladder::NoiseLadder::new(findings, data);
        let title = "The same question under every form of noise";
        jobs.push(Box::new(move || draw("noise-ladder", title, design.caption(), &design)));
    }
    if let Some(data) = &figures.curves {
        let design = curves::Curves::new(findings, data);
        jobs.push(Box::new(move || draw("curves", "Learning curves", design.caption(), &design)));
    }
    if let Some(data) = &figures.weak_error {
        let design = weak_error::WeakError { findings, data };
        jobs.push(Box::new(move || draw("weak-error", "How far SGD is from its SDEs", design.caption(), &design)));
    }
    if let Some(data) = &figures.width {
        let design = width::Width::new(findings, data);
        jobs.push(Box::new(move || draw("width", "Curvature at equal loss against η/S", design.caption(), &design)));
    }
    if let Some(data) = &figures.chord {
        let design = chord::Chord::new(data);
        jobs.push(Box::new(move || draw("chord", "The loss between two end points", design.caption(), &design)));
    }
    if let Some(data) = &figures.quantiles {
        let design = quantiles::Quantiles { data };
        let title = "The noise of a batch against the normal law";
        jobs.push(Box::new(move || draw("quantiles", title, design.caption(), &design)));
    }
    if let Some(data) = &figures.eigenvalues {
        let design = eigenvalues::Eigenvalues { data };
        let title = "Curvature and noise, direction by direction";
        jobs.push(Box::new(move || draw("eigenvalues", title, design.caption(), &design)));
    }
    // Each on its own thread: drawing takes longer than many a simulation.
    let mut drawn: Vec<Figure> = jobs.into_par_iter().map(|job| job()).collect::<Result<_, _>>()?;
    if let Some(rows) = &figures.study {
        drawn.extend(study::draw_study(findings, rows)?);
    }
    Ok(drawn)
}

/// A figure yet to be drawn.
type Job<'a> = Box<dyn FnOnce() -> Result<Figure, ReportError> + Send + 'a>;

fn draw<D: Design>(
    name: &'static str,
    title: &'static str,
    caption: String,
    design: &D,
) -> Result<Figure, ReportError> {
    let svg = canvas::svg(design.size(), |canvas| design.draw(canvas))?;
    let png = raster::png(&svg)?;
    Ok(Figure { name, title, caption, svg, png, csv: None })
}

impl Figure {
    /// Writes its files into a folder that nobody reads yet.
    pub(super) fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let mut files = self.write_pictures(folder)?;
        if let Some(csv) = &self.csv {
            files.push(folder.join(format!("{}.csv", self.name)));
            write_synced(&files[files.len() - 1], csv.as_bytes())?;
        }
        Ok(files)
    }

    /// Writes the drawings without their data.
    pub(super) fn write_pictures(&self, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let path = |extension: &str| folder.join(format!("{}.{extension}", self.name));
        let files = vec![path("svg"), path("png")];
        write_synced(&files[0], self.svg.as_bytes())?;
        write_synced(&files[1], &self.png)?;
        Ok(files)
    }
}
