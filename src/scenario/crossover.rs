//! `[crossover]`: at which noise scales two minima are weighed against each other.

use serde::{Deserialize, Serialize};

use crate::input::{Number, Table};

/// Keys of the table `[crossover]` of a scenario with `experiment = "crossover"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverSpec {
    /// n (or T, where the noise is a temperature) times each of these, ascending; one independent ensemble each.
    pub factors: Vec<f64>,
    /// ε of the slope of ln(p_A/p_B) against 1/n, in ln ratio.
    pub slope_tolerance: f64,
    /// ε of its intercept, in log-odds.
    pub intercept_tolerance: f64,
    /// Which two minima, where there are more; left out: the only two.
    pub pair: Option<[String; 2]>,
}

impl Default for CrossoverSpec {
    fn default() -> Self {
        Self { factors: vec![0.6, 0.8, 1.0, 1.25, 1.6], slope_tolerance: 0.1, intercept_tolerance: 0.1, pair: None }
    }
}

/// Fewer points always lie on a line, or nearly.
const FEWEST: usize = 3;
/// More ensembles than this are a study.
const MOST: usize = 100;

impl CrossoverSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let default = Self::default();
        let factors = if table.has("factors") { read_factors(table) } else { Some(default.factors) };
        let slope = Number::positive("ε of the slope, in ln ratio,", "0.1");
        let slope_tolerance = table.number_or("slope_tolerance", &slope, default.slope_tolerance);
        let intercept = Number::positive("ε of the intercept, in log-odds,", "0.1");
        let intercept_tolerance = table.number_or("intercept_tolerance", &intercept, default.intercept_tolerance);
        let pair = if table.has("pair") { read_pair(table).map(Some) } else { Some(None) };
        table.finish();
        Some(Self {
            factors: factors?,
            slope_tolerance: slope_tolerance?,
            intercept_tolerance: intercept_tolerance?,
            pair: pair?,
        })
    }
}

fn read_factors(table: &Table<'_>) -> Option<Vec<f64>> {
    let expected =
        Number { low: 1e-3, high: 1e3, ..Number::positive("the factors on n", "[0.6, 0.8, 1.0, 1.25, 1.6]") };
    let mut factors = table.numbers("factors", &expected)?;
    factors.sort_by(f64::total_cmp);
    let distinct = factors.windows(2).all(|pair| pair[1] / pair[0] > 1.0 + 1e-9);
    if (FEWEST..=MOST).contains(&factors.len()) && distinct {
        return Some(factors);
    }
    let found = if distinct { format!("{} factors", factors.len()) } else { "the same factor twice".to_owned() };
    let message = format!(
        "found {found}; a line needs {FEWEST} to {MOST} different points to be tested; take, for example, \
         factors = [0.6, 0.8, 1.0, 1.25, 1.6]"
    );
    table.problem("factors", message);
    None
}

fn read_pair(table: &Table<'_>) -> Option<[String; 2]> {
    let names = table.texts("pair", "the names of the two minima", "[\"A\", \"B\"]")?;
    match <[String; 2]>::try_from(names) {
        Ok([a, b]) if a != b => Some([a, b]),
        Ok(_) => {
            table.problem("pair", "found the same minimum twice; two different ones are weighed; take [\"A\", \"B\"]");
            None
        }
        Err(names) => {
            let message = format!("found {} names; a crossover is between two minima; give two of them", names.len());
            table.problem("pair", message);
            None
        }
    }
}
