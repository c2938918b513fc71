//! `sgd-sde compare`: two results side by side.

use std::path::PathBuf;

use clap::Args;
use sgd_sde::comparison::{Comparison, require_single_runs};
use sgd_sde::findings::Findings;
use sgd_sde::report;

use super::Failure;
use super::output::print;

#[derive(Args)]
pub(super) struct CompareArguments {
    /// A folder of a result, or its result.json
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another one; differences are B − A
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Judge whether each difference is within ±E, in log-odds or ln ratio
    #[arg(long, value_name = "E", allow_negative_numbers = true, value_parser = tolerance)]
    tolerance: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// True unless a tolerance was given and some difference was not shown to be within it.
pub(super) fn compare(arguments: &CompareArguments) -> Result<bool, Failure> {
    let (a, b) = (measured(&arguments.a)?, measured(&arguments.b)?);
    require_single_runs(&a, &b).map_err(Failure::Refused)?;
    let comparison = Comparison::of(&a, &b, arguments.tolerance);
    let nothing = if arguments.tolerance.is_some() {
        comparison.contrasts.is_empty()
    } else {
        comparison.contrasts.is_empty() && comparison.occupancies.is_empty()
    };
    if nothing {
        return Err(Failure::Refused(format!(
            "{} and {} have no measured quantity in common: they answer different questions",
            arguments.a.display(),
            arguments.b.display()
        )));
    }
    let text = if arguments.json {
        let text = serde_json::to_string_pretty(&comparison);
        text.map_err(|error| Failure::Refused(format!("the comparison cannot be written: {error}")))?
    } else {
        report::compare(&comparison)
    };
    print(&text)?;
    Ok(arguments.tolerance.is_none() || comparison.all_hold())
}

fn measured(place: &std::path::Path) -> Result<Findings, Failure> {
    let findings = report::load_findings(place)?;
    if findings.verdict.is_none() {
        let message =
            format!("{} holds predictions only: nothing was measured that could be compared", place.display());
        return Err(Failure::Refused(message));
    }
    Ok(findings)
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("the tolerance must be a positive number, for example 0.1".into()),
    }
}
