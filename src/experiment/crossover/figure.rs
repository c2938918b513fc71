//! What the figure of a crossover is drawn from.

use super::Run;
use super::theory::Theory;
use crate::experiment::reason::RUNGS;
use crate::findings::{CrossoverFigure, CrossoverLine};
use crate::scenario::Rung;

const POINTS_OF_CURVE: usize = 81;

pub(super) fn data(theory: &Theory, run: &Run) -> CrossoverFigure {
    let (first, last) = (theory.inverse[theory.inverse.len() - 1], theory.inverse[0]);
    let margin = 0.05 * (last - first);
    let place = |i: usize| first - margin + (last - first + 2.0 * margin) * i as f64 / (POINTS_OF_CURVE - 1) as f64;
    let at: Vec<f64> = (0..POINTS_OF_CURVE).map(place).collect();
    let mut lines: Vec<CrossoverLine> = RUNGS
        .into_iter()
        .filter(|rung| *rung == Rung::Laplace || (0..theory.inverse.len()).all(|i| theory.log_odds(i, *rung).is_some()))
        .map(|rung| {
            let value: Vec<f64> = at.iter().map(|&x| theory.curve(rung, x)).collect();
            CrossoverLine { name: rung.name().into(), low: value.clone(), high: value.clone(), value }
        })
        .collect();
    if let Some(line) = &run.line {
        let heights: Vec<_> = at.iter().map(|&x| line.at(x)).collect();
        let end = |index: usize| {
            let ends = heights.iter().map(|height| height.interval(0.95).map_or(f64::NAN, |ends| ends[index]));
            ends.collect::<Vec<f64>>()
        };
        let value = heights.iter().map(|height| height.value).collect();
        lines.push(CrossoverLine { name: "measured".into(), value, low: end(0), high: end(1) });
    }
    let bar = |index: usize| -> Vec<f64> {
        let ends = run.log_odds.iter().map(|y| y.as_ref().and_then(|y| y.interval(0.95)).map(|ends| ends[index]));
        ends.map(|end| end.unwrap_or(f64::NAN)).collect()
    };
    CrossoverFigure {
        inverse: theory.inverse.clone(),
        measured: run.log_odds.iter().map(|y| y.as_ref().map_or(f64::NAN, |y| y.value)).collect(),
        low: bar(0),
        high: bar(1),
        at,
        lines,
    }
}
