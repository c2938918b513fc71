//! What the figures of an occupancy question are drawn from.

use rayon::prelude::*;

use super::ladder::Ladder;
use super::measurement::Measurement;
use super::setting::Setting;
use crate::ensemble::histogram::{Density, Histogram};
use crate::ensemble::replay::replay;
use crate::findings::{DensityFigure, FigureData, MapFigure, Path2};
use crate::landscape::basins::Workspace;
use crate::landscape::minimum_name;
use crate::math;
use crate::scenario::Loaded;
use crate::theory::{ito::Potential, visited_region};

/// The region drawn reaches up to this many T above the lowest minimum.
const HEIGHT: f64 = 12.0;
const BINS_ON_LINE: usize = 64;
const BINS_IN_PLANE: usize = 72;
const POINTS_OF_CURVE: usize = 481;
const PATHS_PER_START: u64 = 1;
const MOST_PATHS: u64 = 6;
const POINTS_OF_PATH: usize = 400;

/// An empty histogram over what the trajectories will visit; `None` in more than two dimensions, and where no
/// figures are wanted.
pub(super) fn histogram(setting: &Setting) -> Option<Histogram> {
    if setting.brief {
        return None;
    }
    let bins = match setting.domain.len() {
        1 => BINS_ON_LINE,
        2 => BINS_IN_PLANE,
        _ => return None,
    };
    Some(Histogram::new(&region(setting), bins))
}

/// Where exp(−L/T) is not nothing, widened for the chain's larger variance and for the largest noise of any direction at
/// any minimum.
pub(super) fn region(setting: &Setting) -> Vec<[f64; 2]> {
    let temperature = setting.effective_temperature();
    let covariances = setting.landscape.minima.iter().map(|minimum| setting.noise.covariance(&minimum.theta));
    let largest = covariances.map(|covariance| covariance.symmetric_eigenvalues().max()).fold(0.0, f64::max);
    let anisotropy = 0.5 * setting.noise_scale * largest / temperature;
    let widening = anisotropy / (1.0 - 0.5 * setting.step() * setting.sharpest());
    visited_region(setting.loss.as_ref(), &setting.landscape, &setting.landscape.region, temperature, HEIGHT * widening)
        .unwrap_or_else(|| setting.landscape.region.clone())
}

pub(super) fn data(setting: &Setting, ladder: &Ladder, measurement: &Measurement, loaded: &Loaded) -> FigureData {
    let histogram = measurement.histogram.as_deref();
    FigureData {
        density: histogram
            .filter(|_| setting.domain.len() == 1)
            .map(|histogram| density(setting, ladder, histogram.edges()[0].to_vec(), histogram.density())),
        map: histogram.filter(|_| setting.domain.len() == 2).map(|histogram| map(setting, histogram, loaded)),
        mixing: Some(measurement.mixing.clone()),
        ..FigureData::default()
    }
}

/// The measured density over the bins with these edges, beside the predicted ones.
pub(super) fn density(setting: &Setting, ladder: &Ladder, edges: Vec<f64>, measured: Density) -> DensityFigure {
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    let theta: Vec<f64> =
        (0..POINTS_OF_CURVE).map(|i| low + (high - low) * i as f64 / (POINTS_OF_CURVE - 1) as f64).collect();
    let loss: Vec<f64> = theta.iter().map(|&x| setting.loss.value(&[x])).collect();
    let (lowest, temperature) = (setting.landscape.minima[0].loss, setting.effective_temperature());
    let log_normalization = ladder.gibbs.as_ref().and_then(|gibbs| gibbs.log_normalization);
    let gibbs = log_normalization.map(|log_normalization| {
        loss.iter().map(|value| math::exp(-(value - lowest) / temperature - log_normalization)).collect()
    });
    let law = ladder.discrete.as_ref().and_then(|discrete| discrete.law.as_ref());
    DensityFigure {
        variable: setting.variables[0].clone(),
        edges,
        measured: measured.density,
        standard_error: measured.standard_error,
        gibbs: gibbs.unwrap_or_default(),
        ito: ito_density(setting, ladder, &theta),
        discrete: law.map(|law| theta.par_iter().map(|&x| law.density(x)).collect()).unwrap_or_default(),
        theta,
        loss,
    }
}

/// The Itô law's density along a line, from its potential anew; empty where there is none.
fn ito_density(setting: &Setting, ladder: &Ladder, theta: &[f64]) -> Vec<f64> {
    let diffusion = |x: f64| setting.diffusion(x);
    let places = setting.landscape.places_on_a_line();
    let potential = Potential::new(setting.loss.as_ref(), &diffusion, setting.domain[0], &places);
    match (&ladder.ito, potential) {
        (Some(law), Ok(potential)) => theta.iter().map(|&x| law.density(&potential, x)).collect(),
        _ => Vec::new(),
    }
}

fn map(setting: &Setting, histogram: &Histogram, loaded: &Loaded) -> MapFigure {
    let edges = [histogram.edges()[0].to_vec(), histogram.edges()[1].to_vec()];
    let centers = edges.clone().map(|edges| edges.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect::<Vec<_>>());
    let cells: Vec<[f64; 2]> = centers[1].iter().flat_map(|&y| centers[0].iter().map(move |&x| [x, y])).collect();
    let mut workspace = Workspace::default();
    let owner = |point: &[f64; 2], workspace: &mut Workspace| {
        setting.landscape.basins.label(point, workspace).map_or("other".into(), minimum_name)
    };
    MapFigure {
        variables: [setting.variables[0].clone(), setting.variables[1].clone()],
        edges,
        measured: histogram.density().density,
        loss: cells.iter().map(|point| setting.loss.value(point)).collect(),
        basin: cells.iter().map(|point| owner(point, &mut workspace)).collect(),
        paths: paths(setting, loaded),
    }
}

/// The beginnings of the first few trajectories, replayed.
fn paths(setting: &Setting, loaded: &Loaded) -> Vec<Path2> {
    let ensemble = &loaded.scenario.ensemble;
    let seed = loaded.scenario.seed;
    let count = (setting.landscape.minima.len() as u64 * PATHS_PER_START).min(MOST_PATHS).min(ensemble.replicas);
    // A few steps apart: fine enough to see single steps' spread, long enough to see the well.
    let every = setting.default_observe_every(ensemble.steps).div_ceil(4);
    let mut workspace = Workspace::default();
    (0..count)
        .map(|replica| {
            let mut start = vec![0.0; 2];
            setting.start(&ensemble.start, seed, replica, &mut start);
            let label = setting.landscape.basins.label(&start, &mut workspace);
            let path = replay(setting.dynamics.as_ref(), seed, replica, &start, every, POINTS_OF_PATH);
            Path2 {
                replica,
                start: label.map_or("other".into(), minimum_name),
                points: path
                    .iter()
                    .map(|point| [point[0], point[1]])
                    .filter(|[x, y]| x.is_finite() && y.is_finite())
                    .collect(),
            }
        })
        .collect()
}
