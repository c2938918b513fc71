//! Figures: one file each, drawn once for SVG and PNG alike, never taken from anything but findings and their CSV.

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
mod scaling;
mod study;
mod weak_error;
mod width;

use std::path::{Path, PathBuf};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::prelude::IntoDrawingArea;
use plotters::style::WHITE;
use rayon::prelude::*;

use crate::findings::{FigureData, Findings};

use super::{ReportError, write::write_synced};
use canvas::{Canvas, Drawn, register_fonts};

/// A design that can be drawn on any surface.
trait Design {
    /// Width and height in design units.
    fn size(&self) -> (f64, f64);

    /// Draws itself.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Drawn;
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
    size: (u32, u32),
    pixels: Vec<u8>,
    /// Tidy data, where the figure is drawn from `result.json` alone and has no other CSV.
    csv: Option<String>,
}

/// Width of every figure: 8.5 cm in print at half a point each.
const WIDTH: f64 = 480.0;
/// Sub-pixels per design unit of the SVG: positions are then good to a tenth of a unit.
const SVG_SCALE: f64 = 10.0;
/// Pixels per design unit of the PNG.
const PNG_SCALE: usize = 2;
/// The PNG is drawn this many times larger and averaged: plotters' own edges are jagged.
const OVERSAMPLING: usize = 3;

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

fn draw<D: Design + Sync>(
    name: &'static str,
    title: &'static str,
    caption: String,
    design: &D,
) -> Result<Figure, ReportError> {
    let (width, height) = design.size();
    let (bitmap, svg) = rayon::join(|| bitmap(design, width, height), || vector(design, width, height));
    let ((size, pixels), svg) = (bitmap?, svg?);
    Ok(Figure { name, title, caption, svg, size, pixels, csv: None })
}

fn failed(error: impl std::fmt::Display) -> ReportError {
    ReportError::Drawing(error.to_string())
}

fn vector<D: Design>(design: &D, width: f64, height: f64) -> Result<String, ReportError> {
    let enlarged = ((width * SVG_SCALE) as u32, (height * SVG_SCALE) as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, enlarged).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        design.draw(&Canvas { area: &area, scale: SVG_SCALE, lower_text: 0.09 })?;
        area.present().map_err(failed)?;
    }
    // The view box keeps the enlarged coordinates; the nominal size is that of the design. What plotters repeats on
    // every element without need is dropped: a map has thousands of them.
    let text = text.replacen(
        &format!("width=\"{}\" height=\"{}\"", enlarged.0, enlarged.1),
        &format!("width=\"{width}\" height=\"{height}\""),
        1,
    );
    Ok(text.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", ""))
}

fn bitmap<D: Design>(design: &D, width: f64, height: f64) -> Result<((u32, u32), Vec<u8>), ReportError> {
    let (columns, rows) = (width as usize * PNG_SCALE, height as usize * PNG_SCALE);
    let enlarged = (columns * OVERSAMPLING, rows * OVERSAMPLING);
    let mut fine = vec![255; 3 * enlarged.0 * enlarged.1];
    {
        let backend = BitMapBackend::with_buffer(&mut fine, (enlarged.0 as u32, enlarged.1 as u32));
        let area = backend.into_drawing_area();
        design.draw(&Canvas { area: &area, scale: (PNG_SCALE * OVERSAMPLING) as f64, lower_text: 0.25 })?;
        area.present().map_err(failed)?;
    }
    let mut pixels = vec![0; 3 * columns * rows];
    let samples = (OVERSAMPLING * OVERSAMPLING) as u32;
    for (row, fine) in pixels.chunks_exact_mut(3 * columns).zip(fine.chunks_exact(3 * enlarged.0 * OVERSAMPLING)) {
        for (column, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let mut sums = [0u32; 3];
            for line in fine.chunks_exact(3 * enlarged.0) {
                for sample in line[3 * OVERSAMPLING * column..][..3 * OVERSAMPLING].as_chunks::<3>().0 {
                    (0..3).for_each(|channel| sums[channel] += u32::from(sample[channel]));
                }
            }
            *pixel = sums.map(|sum| ((sum + samples / 2) / samples) as u8);
        }
    }
    Ok(((columns as u32, rows as u32), pixels))
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
        {
            let mut backend = BitMapBackend::new(&files[1], self.size);
            backend.blit_bitmap((0, 0), self.size, &self.pixels).map_err(failed)?;
            backend.present().map_err(failed)?;
        }
        let written = std::fs::File::open(&files[1]).and_then(|file| file.sync_all());
        written.map_err(ReportError::file("write", &files[1]))?;
        Ok(files)
    }
}
