//! `[width]`: which η and S are compared at which loss.

use serde::{Deserialize, Serialize};

use super::{ExperimentKind, SgdSpec, TrainingExperiment};
use crate::input::{Number, Problem, Source, Table};

/// Keys of the table `[width]` of a scenario with `experiment = "width"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WidthSpec {
    /// Pairs [a, b], a group of replicas for each: η → aη, S → bS. Some have the same a/b, and so the same η/S.
    pub factors: Vec<[f64; 2]>,
    /// The training loss at which curvatures are compared: a replica is trained until it has fallen so far.
    pub loss: f64,
    /// The rank correlation of curvature with η/S that the slide's claim must stay below.
    #[serde(default = "usual_correlation")]
    pub correlation: f64,
    /// By how much the loss rises, along a line through an end point, at the edge of its valley.
    pub rise: f64,
}

/// Fewer places say little about an order.
const FEWEST: usize = 10;
/// More groups than this are a study.
const MOST: usize = 100;
/// A batch size is exact up to 2⁵³.
const LARGEST_BATCH: f64 = 9_007_199_254_740_992.0;
/// Ratios that differ by less are equal but for rounding.
const SAME_RATIO: f64 = 1e-9;
const EXAMPLE: &str = "[[1, 1], [4, 4], [2, 1], [8, 4], …]";

fn usual_correlation() -> f64 {
    -0.7
}

impl WidthSpec {
    /// Reads `[width]` where it belongs; `Some(None)` for another experiment. `None` after a problem was told.
    pub(super) fn of(root: &Table<'_>, experiment: Option<ExperimentKind>) -> Option<Option<Self>> {
        const KEY: &str = "width";
        const KIND: ExperimentKind = ExperimentKind::Training(TrainingExperiment::Width);
        if experiment.is_some_and(|experiment| experiment != KIND) {
            let message = "the table [width] belongs to experiment = \"width\"; write that, or remove the table";
            root.refuse(KEY, message);
            return Some(None);
        }
        match root.optional_table(KEY)? {
            Some(table) => Self::read(&table).map(Some),
            None if experiment.is_none() => Some(None),
            None => {
                root.problem_here(format!(
                    "the table [width] is missing; it says which η and S are compared, and at which loss; add [width] with factors = {EXAMPLE} \
                     and loss = 0.02"
                ));
                None
            }
        }
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let factors = read_factors(table);
        let loss =
            table.number("loss", &Number::positive("the training loss at which curvatures are compared", "0.02"));
        let below = Number {
            what: "the rank correlation that the claim must stay below",
            example: "-0.7",
            low: -0.999,
            high: 0.0,
        };
        let correlation = table.number_or("correlation", &below, usual_correlation());
        let rise = Number::positive("the rise of the loss at the edge of a valley", "0.02");
        let rise = table.optional_number("rise", &rise);
        table.finish();
        let (loss, rise) = (loss?, rise?);
        // The edge of a valley: where the loss has doubled.
        Some(Self { factors: factors?, loss, correlation: correlation?, rise: rise.unwrap_or(loss) })
    }

    /// Groups of equal η/S, by rising ratio: indices into `factors`, by rising S within.
    pub fn ratios(&self) -> Vec<Vec<usize>> {
        let ratio = |index: usize| self.factors[index][0] / self.factors[index][1];
        let mut order: Vec<usize> = (0..self.factors.len()).collect();
        order.sort_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
        let is_same = |a: &usize, b: &usize| (ratio(*b) / ratio(*a) - 1.0).abs() < SAME_RATIO;
        let mut ratios: Vec<Vec<usize>> = order.chunk_by(is_same).map(<[usize]>::to_vec).collect();
        for of_ratio in &mut ratios {
            of_ratio.sort_by(|&a, &b| self.factors[a][1].total_cmp(&self.factors[b][1]));
        }
        ratios
    }
}

fn read_factors(table: &Table<'_>) -> Option<Vec<[f64; 2]>> {
    let factor = Number { what: "pairs of factors, on η and on S", example: EXAMPLE, low: 1e-9, high: 1e9 };
    let rows = table.rows("factors", &factor)?;
    let refuse = |message: String| {
        table.problem("factors", message);
        None
    };
    let Some(factors) = rows.iter().map(|row| <[f64; 2]>::try_from(row.as_slice()).ok()).collect::<Option<Vec<_>>>()
    else {
        return refuse(format!("each entry must be two factors, [a, b] for η → aη and S → bS; for example {EXAMPLE}"));
    };
    if !(FEWEST..=MOST).contains(&factors.len()) {
        return refuse(format!(
            "found {} pair(s) of factors; {FEWEST} to {MOST} are needed, for fewer say little about an order",
            factors.len()
        ));
    }
    if let Some(twice) = (1..factors.len()).find(|&index| factors[..index].contains(&factors[index])) {
        return refuse(format!(
            "found {:?} twice; each pair of factors is a group of its own; remove one",
            factors[twice]
        ));
    }
    let spec = WidthSpec { factors, loss: 1.0, correlation: usual_correlation(), rise: 1.0 };
    let ratios = spec.ratios();
    if ratios.len() < 3 {
        return refuse(format!(
            "found {} value(s) of η/S; whether curvature falls with it is seen at three at least; take more",
            ratios.len()
        ));
    }
    if ratios.iter().all(|of_ratio| of_ratio.len() == 1) {
        return refuse(format!(
            "found no two pairs of equal η/S, for which widths are to be equal; add some, such as [4, 4] beside [1, 1]; for example {EXAMPLE}"
        ));
    }
    Some(spec.factors)
}

/// Every bS is a whole number.
pub(super) fn whole_batches(width: &WidthSpec, sgd: SgdSpec, source: &Source) -> Option<Problem> {
    width.factors.iter().enumerate().find_map(|(index, [_, factor])| {
        let size = factor * sgd.batch_size as f64;
        (size.fract() != 0.0 || !(1.0..=LARGEST_BATCH).contains(&size)).then(|| {
            let message = format!(
                "found the factor {factor}, which makes the batch size {} into {size}; a batch has a whole number of examples, from 1 to 2^53; \
                 take whole factors, or a larger sgd.batch_size",
                sgd.batch_size
            );
            source.problem(&format!("width.factors[{index}]"), message)
        })
    })
}
