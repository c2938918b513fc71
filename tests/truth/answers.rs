//! What the library says of a loss: its Gibbs law, its passage times, its chain, and distances between laws.

use serde_json::Value;
use sgd_sde::loss::Loss;
use sgd_sde::statistics::distance::Metric;
use sgd_sde::theory::discrete::{Care, Case as Finite, Chain};
use sgd_sde::theory::escape::{self, NoPassage};
use sgd_sde::theory::gibbs::Gibbs;
use sgd_sde::theory::ito::{self, Potential};
use sgd_sde::theory::{cells, laplace, rounding};

use super::table::{Answer, Case, Known, expression};

/// Gibbs masses and means by quadrature on a line: a part of each number.
const ON_A_LINE: f64 = 1e-9;
/// By cubature in the plane, and in space, where it trusts itself to so much: an amount for masses and ln Z, a part of the means.
const IN_THE_PLANE: f64 = 1e-6;
const IN_SPACE: f64 = 1e-4;
/// A sampled mass, in its own standard errors. Three cases with four independent numbers: false alarms below 1e-4.
const STANDARD_ERRORS: f64 = 4.5;
/// Exact passage times, which settle to 1e−8, and the law of varying noise.
const PASSAGE: f64 = 1e-8;
/// Masses of the chain stand still to 1e−5 or better, its passage times to 1e−6.
const CHAIN: f64 = 1e-5;
const CHAIN_PASSAGE: f64 = 1e-6;
/// Formulas at critical points.
const CLOSED: f64 = 1e-8;

pub fn answer(case: &Case) -> Result<Answer, String> {
    match case.quantity.as_str() {
        "mean passage time" => passage(case),
        "Itô occupancies" => ito_occupancies(case),
        "chain occupancies" => chain(case),
        "chain passage time" => chain_passage(case),
        "Kramers time" => kramers(case),
        "Laplace occupancies" => {
            let known = case.known()?;
            let law =
                laplace::occupancies(&known.landscape.minima, case.temperature()).ok_or("a Hessian is singular")?;
            let order = case.order(&known.landscape)?;
            Ok(Answer::to_part(order.iter().map(|&index| law[index]).collect(), CLOSED))
        }
        "Kolmogorov distance" => distance(case, Metric::Kolmogorov),
        "total variation distance" => distance(case, Metric::TotalVariation),
        _ => gibbs(case),
    }
}

fn gibbs(case: &Case) -> Result<Answer, String> {
    let known = case.known()?;
    let law = case.gibbs(&known)?;
    // Where L itself is rounded no more can be known of exp(−L/T).
    let rounded = rounding(known.landscape.minima[0].loss, case.temperature());
    let good = match case.variables.len() {
        1 => ON_A_LINE,
        2 => IN_THE_PLANE,
        _ => IN_SPACE,
    };
    match case.quantity.as_str() {
        "Gibbs occupancies" => occupancies(case, &known, &law, good, rounded),
        "log normalization" => {
            let value = law.log_normalization.ok_or("no normalisation")?;
            Ok(Answer::to_amount(vec![value], good + rounded))
        }
        "mean excess loss" => {
            let value = law.mean_excess.ok_or("no mean loss")?;
            // The loss itself is known to a rounding of T.
            Ok(Answer::to_part(vec![value], good + 10.0 * rounded))
        }
        "mean Laplacian" => {
            let order = case.order(&known.landscape)?;
            Ok(Answer::to_part(order.iter().map(|&index| law.mean_laplacian[index]).collect(), good))
        }
        "spread" => {
            let order = case.order(&known.landscape)?;
            let spreads = order.iter().map(|&index| &law.spread[index]);
            // Symmetric: by columns is by rows.
            Ok(Answer::to_part(spreads.flat_map(|spread| spread.iter().copied().collect::<Vec<_>>()).collect(), good))
        }
        other => panic!("{}: nobody knows of {other}", case.name),
    }
}

fn occupancies(case: &Case, known: &Known, law: &Gibbs, good: f64, rounded: f64) -> Result<Answer, String> {
    let order = case.order(&known.landscape)?;
    let numbers: Vec<f64> = order.iter().map(|&index| law.occupancies[index]).collect();
    if let Some(errors) = law.standard_errors() {
        let absolute = order.iter().map(|&index| STANDARD_ERRORS * errors[index]).collect();
        return Ok(Answer { numbers, relative: 0.0, absolute });
    }
    if case.is_on_a_line() {
        return Ok(Answer::to_part(numbers, good + rounded));
    }
    Ok(Answer::to_amount(numbers, good))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn point(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn passage(case: &Case) -> Result<Answer, String> {
    let loss = expression(&case.variables, &case.loss);
    let (from, to) = (number(&case.from), number(&case.to));
    let [domain] = case.domain[..] else { panic!("{} is not on a line", case.name) };
    let (time, rounded) = match &case.diffusion {
        Some(formula) => {
            let noise = expression(&case.variables, formula);
            let diffusion = |x: f64| noise.value(&[x]);
            let potential = Potential::new(&loss, &diffusion, domain, &[from.min(to), from.max(to)])
                .map_err(|error| error.to_string())?;
            (escape::exact_ito_passage_time(&potential, from, to), 0.0)
        }
        None => {
            let temperature = case.temperature();
            let time = escape::exact_passage_time(&loss, domain, from, to, temperature);
            (time, rounding(loss.value(&[from]), temperature))
        }
    };
    match time {
        Ok(time) => Ok(Answer::to_part(vec![time], PASSAGE + 10.0 * rounded)),
        Err(NoPassage::NotConfined) => Ok(Answer::to_part(vec![f64::INFINITY], 0.0)),
        Err(reason) => Err(reason.to_string()),
    }
}

fn ito_occupancies(case: &Case) -> Result<Answer, String> {
    let known = case.known()?;
    let noise = expression(&case.variables, case.diffusion.as_ref().unwrap());
    let diffusion = |x: f64| noise.value(&[x]);
    let places = known.landscape.places_on_a_line();
    let law = Potential::new(known.loss.as_ref(), &diffusion, case.domain[0], &places)
        .and_then(|potential| ito::by_quadrature(&potential, &known.landscape))
        .map_err(|error| error.to_string())?;
    let order = case.order(&known.landscape)?;
    Ok(Answer::to_part(order.iter().map(|&index| law.occupancies[index]).collect(), PASSAGE))
}

fn chain(case: &Case) -> Result<Answer, String> {
    let (known, step) = (case.known()?, case.step.unwrap());
    let order = case.order(&known.landscape)?;
    let listed = |law: &[f64]| order.iter().map(|&index| law[index]).collect::<Vec<f64>>();
    if let Some(formula) = &case.diffusion {
        let noise = expression(&case.variables, formula);
        let diffusion = |x: f64| noise.value(&[x]);
        let chain = Chain::with_diffusion(known.loss.as_ref(), &known.landscape, case.domain[0], &diffusion, step);
        let law = chain.and_then(|chain| chain.stationary()).map_err(|error| error.to_string())?;
        return Ok(Answer::to_amount(listed(&law.occupancies), CHAIN));
    }
    let Known { loss, landscape } = known.as_ref();
    let finite = Finite { loss, landscape, domain: &case.domain, temperature: case.temperature(), step };
    let gibbs = case.gibbs(&known)?;
    let law = finite.stationary(Some(&gibbs), Care::Thorough).map_err(|error| error.to_string())?;
    let bounds = listed(&law.bounds.of_occupancies(&law.occupancies, law.other));
    let absolute = bounds.iter().map(|bound| bound + CHAIN).collect();
    Ok(Answer { numbers: listed(&law.occupancies), relative: 0.0, absolute })
}

fn chain_passage(case: &Case) -> Result<Answer, String> {
    let (known, step) = (case.known()?, case.step.unwrap());
    let chain = Chain::new(known.loss.as_ref(), &known.landscape, case.domain[0], case.temperature(), step);
    let chain = chain.map_err(|error| error.to_string())?;
    let time = chain.mean_passage_time(number(&case.from), number(&case.to)).ok_or("no passage time of the chain")?;
    Ok(Answer::to_part(vec![time], CHAIN_PASSAGE))
}

fn kramers(case: &Case) -> Result<Answer, String> {
    let known = case.known()?;
    let find = |place: &Value| case.find(&known.landscape, &point(place));
    let time = escape::kramers(&known.landscape, find(&case.from)?, find(&case.to)?, case.temperature());
    Ok(Answer::to_part(vec![time.ok_or("no way over a saddle")?], CLOSED))
}

fn distance(case: &Case, metric: Metric) -> Result<Answer, String> {
    let known = case.known()?;
    let (loss, landscape) = (known.loss.as_ref(), &known.landscape);
    let edges = case.edges.as_slice();
    let law = |name: &String| match name.as_str() {
        "Gibbs" => cells::gibbs(loss, landscape, &case.domain, case.temperature(), &[edges]),
        "Laplace" => cells::laplace(loss, &landscape.minima, case.temperature(), &[edges]),
        "chain" => {
            let chain = Chain::new(loss, landscape, case.domain[0], case.temperature(), case.step?).ok()?;
            Some(cells::discrete(&chain.stationary().ok()?, edges))
        }
        other => panic!("no law of the name {other}"),
    };
    let [p, q] = [0, 1].map(|which| law(&case.between[which]));
    let (p, q) = (p.ok_or("no first law")?, q.ok_or("no second law")?);
    let found = metric.deviation(p.iter().zip(&q).map(|(a, b)| a - b)).distance;
    let good = if case.step.is_some() { CHAIN } else { ON_A_LINE };
    Ok(Answer::to_amount(vec![found], good))
}
