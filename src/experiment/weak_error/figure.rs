//! What the figure is drawn from.

use super::Run;
use super::question::{Order, Question};
use super::slope::bound;
use crate::findings::{WeakErrorCurve, WeakErrorFigure, WeakErrorMark};
use crate::math;

const PLACES_OF_LINE: usize = 21;

pub(super) fn data(question: &Question, run: &Run) -> WeakErrorFigure {
    let mut figure = WeakErrorFigure::default();
    let rates = &question.spec.learning_rates;
    for (observable, name) in question.spec.observables.iter().enumerate() {
        for order in Order::BOTH {
            for (index, &learning_rate) in rates.iter().enumerate() {
                let error = run.points[index].error(observable, order);
                // The interval of |error|: that of the error, turned to the side on which it is.
                let size = error.error.as_ref().map(|estimate| {
                    let mut size = estimate.clone();
                    size.value = size.value.abs();
                    size
                });
                let [low, high] = size.as_ref().and_then(|size| size.interval(0.95)).unwrap_or([f64::NAN, f64::NAN]);
                figure.marks.push(WeakErrorMark {
                    observable: name.clone(),
                    order: order.number(),
                    learning_rate,
                    error: size.map_or(f64::NAN, |size| size.value),
                    low,
                    high,
                    integrator: error.integrator.as_ref().map_or(f64::NAN, bound),
                    exact: question.exact(index, observable, order).map_or(f64::NAN, f64::abs),
                });
            }
            let Ok(fit) = run.fit(observable, order) else { continue };
            let (last, first) = (math::ln(rates[0]), math::ln(rates[rates.len() - 1]));
            let place = |i: usize| first + (last - first) * i as f64 / (PLACES_OF_LINE - 1) as f64;
            let places: Vec<f64> = (0..PLACES_OF_LINE).map(place).collect();
            let heights: Vec<_> = places.iter().map(|&x| fit.line.at(x)).collect();
            let end = |index: usize| {
                let ends =
                    heights.iter().map(|height| height.interval(0.95).map_or(f64::NAN, |ends| math::exp(ends[index])));
                ends.collect::<Vec<f64>>()
            };
            figure.curves.push(WeakErrorCurve {
                observable: name.clone(),
                order: order.number(),
                learning_rate: places.iter().map(|&x| math::exp(x)).collect(),
                value: heights.iter().map(|height| math::exp(height.value)).collect(),
                low: end(0),
                high: end(1),
            });
        }
    }
    figure
}
