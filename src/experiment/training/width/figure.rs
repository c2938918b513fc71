//! The plain data of the figures.

use super::Case;
use super::chord::Chord;
use super::claims::{Trends, center};
use super::measure::MEASURES;
use super::notes::spread;
use crate::findings::{ChordFigure, ChordPoint, WidthFigure, WidthPlace, WidthPoint};

/// Curvature against η/S.
pub(super) fn widths(cases: &[Case], ratios: &[Vec<usize>], trends: &Trends) -> WidthFigure {
    let mut places = Vec::new();
    for of_ratio in ratios {
        for (member, &index) in of_ratio.iter().enumerate() {
            let case = &cases[index];
            let point = |measure| {
                let [median, low, high] = center(trends, case, index, measure);
                let errors: Vec<f64> =
                    case.ends().filter_map(|end| Some(end.curvature.as_ref()?.error(measure))).collect();
                WidthPoint {
                    median,
                    low,
                    high,
                    deviation: spread(case, measure).unwrap_or(f64::NAN),
                    error: self::median(&errors),
                }
            };
            places.push(WidthPlace {
                ratio: cases[of_ratio[0]].ratio(),
                learning_rate: case.group.learning_rate(),
                batch_size: case.group.batch_size(),
                member: member as u64,
                loss: self::median(&case.ends().map(|end| end.loss).collect::<Vec<f64>>()),
                points: MEASURES.into_iter().map(point).collect(),
            });
        }
    }
    WidthFigure { measures: MEASURES.iter().map(|measure| measure.name().to_owned()).collect(), places }
}

fn median(values: &[f64]) -> f64 {
    crate::statistics::median(values).unwrap_or(f64::NAN)
}

/// The loss along the chords.
pub(super) fn chords(chords: &[Chord], cases: [&Case; 2], rise: f64) -> ChordFigure {
    let points = |chord: &Chord| {
        chord.points.iter().map(|&[a, training, test]| ChordPoint { a, training, test }).collect::<Vec<_>>()
    };
    ChordFigure {
        ratios: cases.map(Case::ratio),
        rise,
        chords: chords.iter().map(|chord| (chord.replica as u64, points(chord))).collect(),
    }
}
