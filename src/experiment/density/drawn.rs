//! What the figures of a density are drawn from.

use super::grid::Grid;
use super::{Laws, Measured, difference};
use crate::experiment::figures;
use crate::experiment::measurement::Measurement;
use crate::experiment::setting::Setting;
use crate::findings::{CellsFigure, DistributionFigure, FigureData};
use crate::scenario::Rung;

/// Points of the figure of distribution functions.
const POINTS_OF_CURVE: usize = 400;
/// Bins of the figure of densities.
const BINS_OF_FIGURE: usize = 64;

impl Laws {
    pub(super) fn figures(
        &self,
        setting: &Setting,
        against: Rung,
        measurement: &Measurement,
        measured: &Measured,
    ) -> FigureData {
        let Some(tested) = self.law(against) else { return FigureData::default() };
        let Some(histogram) = measurement.histogram.as_deref() else { return FigureData::default() };
        // With one minimum there is no occupancy to converge.
        let mixing = (setting.landscape.minima.len() > 1).then(|| measurement.mixing.clone());
        let mut data = FigureData { mixing, ..FigureData::default() };
        match &self.grid {
            Grid::Line(line) => {
                let parts = line.parts(BINS_OF_FIGURE);
                let edges = parts.iter().map(|part| line.edges()[part.start]).chain(line.edges().last().copied());
                let density = histogram.density_over(&parts);
                data.density = Some(figures::density(setting, &self.ladder, edges.collect(), density));
                data.distribution = Some(self.distribution(setting, line.edges(), tested, measured));
            }
            Grid::Plane(edges) => {
                let density = histogram.density();
                let cells = histogram.cells();
                let [x, y] = edges.each_ref();
                let area = (x[1] - x[0]) * (y[1] - y[0]);
                data.cells = Some(CellsFigure {
                    variables: [setting.variables[0].clone(), setting.variables[1].clone()],
                    edges: edges.clone(),
                    measured: density.density,
                    standard_error: density.standard_error,
                    predicted: tested[..cells].iter().map(|mass| mass / area).collect(),
                });
            }
        }
        data
    }

    fn distribution(
        &self,
        setting: &Setting,
        edges: &[f64],
        tested: &[f64],
        measured: &Measured,
    ) -> DistributionFigure {
        let every = edges.len().div_ceil(POINTS_OF_CURVE);
        let shown: Vec<usize> = (0..edges.len()).step_by(every).collect();
        let curve = |difference: Vec<f64>| -> Vec<f64> {
            let sums: Vec<f64> = difference
                .iter()
                .scan(0.0, |sum, part| {
                    *sum += part;
                    Some(*sum)
                })
                .collect();
            shown.iter().map(|&edge| sums[edge]).collect()
        };
        let other = |rung: Rung| {
            let law = self.law(rung).filter(|&law| law != tested);
            law.map(|law| curve(difference(law, tested).collect())).unwrap_or_default()
        };
        let rows: Vec<Vec<f64>> = (0..measured.laws.replicas())
            .map(|group| curve(difference(measured.laws.replica(group), &measured.mean).collect()))
            .collect();
        let groups = rows.len() as f64;
        let error = |point: usize| {
            let squares: f64 = rows.iter().map(|row| row[point] * row[point]).sum();
            (squares / (groups * (groups - 1.0))).sqrt()
        };
        DistributionFigure {
            variable: setting.variables[0].clone(),
            theta: shown.iter().map(|&edge| edges[edge]).collect(),
            measured: curve(difference(&measured.mean, tested).collect()),
            standard_error: (0..shown.len()).map(error).collect(),
            laplace: other(Rung::Laplace),
            gibbs: other(Rung::Gibbs),
            ito: other(Rung::Ito),
            discrete: other(Rung::Discrete),
        }
    }
}
