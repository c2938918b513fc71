//! Groups of replicas of a network in training, as rows for the terminal and the page alike.

use crate::findings::{Findings, GroupRecord};
use crate::scenario::ExperimentKind;

use super::number::{count, significant, with_error};
use super::points::Rows;

/// What was measured of every group at the end of training.
pub(super) fn groups(findings: &Findings) -> Option<Rows> {
    let first = findings.groups.first()?;
    let mut measures: Vec<&str> = Vec::new();
    for measure in findings.groups.iter().flat_map(|group| &group.measures) {
        if !measures.contains(&measure.quantity.as_str()) {
            measures.push(&measure.quantity);
        }
    }
    let any_lost = findings.groups.iter().any(|group| group.diverged.is_some_and(|diverged| diverged > 0));
    let mut head: Vec<String> = ["", "η", "S", "η/S", "replicas", "steps"].map(str::to_owned).to_vec();
    head.extend(measures.iter().map(|&measure| measure.to_owned()));
    head.extend(any_lost.then(|| "diverged".to_owned()));
    let row = |group: &GroupRecord| {
        let mut row = vec![
            group.name.clone(),
            significant(group.learning_rate, 5),
            count(group.batch_size),
            significant(group.noise_scale, 4),
            count(group.replicas),
            count(group.steps),
        ];
        for &name in &measures {
            let measure = group.measures.iter().find(|measure| measure.quantity == name);
            row.push(measure.map_or("–".to_owned(), |m| with_error(m.measured, Some(m.standard_error))));
        }
        row.extend(any_lost.then(|| lost(group)));
        row
    };
    let title = match (findings.scenario.experiment, first.diverged) {
        (ExperimentKind::NoiseLadder, _) => "Every form of noise, each without an assumption of the one before",
        (_, Some(_)) => "Groups, at the end of training",
        (_, None) => "Groups",
    };
    Some(Rows { title: title.to_owned(), head, rows: findings.groups.iter().map(row).collect() })
}

/// How many diverged, and the earliest step of those that are named.
fn lost(group: &GroupRecord) -> String {
    match (group.diverged, group.diverged_replicas.iter().map(|record| record.step).min()) {
        (Some(diverged), Some(step)) => format!("{diverged}, from step {}", count(step)),
        _ => "–".to_owned(),
    }
}
