//! Groups of replicas of a network in training, as rows for the terminal and the page alike.

use crate::findings::{Findings, GroupRecord, LookRecord, MeasureRecord};
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
            row.push(measure.map_or("–".to_owned(), told));
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

/// A number with its error, and of how many replicas it is where some have no part in it.
fn told(measure: &MeasureRecord) -> String {
    let number = with_error(measure.measured, Some(measure.standard_error));
    match measure.left_out {
        Some(left_out) => format!("{number} (of {} of {})", left_out.of - left_out.count(), left_out.of),
        None => number,
    }
}

/// When the groups were looked at, in at most so many rows: whatever is compared between them is compared within a row.
pub(super) fn times(findings: &Findings, most: usize) -> Option<Rows> {
    let groups = &findings.groups;
    let looks = groups.iter().map(|group| group.looks.len()).min().filter(|looks| *looks > 1)?;
    let row = |look: usize| {
        let of = |group: &GroupRecord| {
            let LookRecord { steps, sde_time, .. } = group.looks[look];
            format!("{} · {}", count(steps), significant(sde_time, 6))
        };
        std::iter::once(significant(groups[0].looks[look].epochs, 6)).chain(groups.iter().map(of)).collect()
    };
    // The start tells nothing.
    let shown = most.min(looks - 1);
    let left_out = looks - 1 - shown;
    let chosen = (1..shown).chain([looks - 1]);
    let more =
        if left_out > 0 { format!(", {left_out} of {} not shown before the last", looks - 1) } else { String::new() };
    Some(Rows {
        title: format!("Looks: steps · SDE time t = Σ η{more}"),
        head: std::iter::once("epochs".to_owned()).chain(groups.iter().map(|group| group.name.clone())).collect(),
        rows: chosen.map(row).collect(),
    })
}

/// The same with a row per group and a column per look, for a terminal, which has room for few of them.
pub(super) fn times_in_brief(findings: &Findings) -> Option<Rows> {
    let Rows { title, head, rows } = times(findings, 4)?;
    let row =
        |group: usize| std::iter::once(head[group].clone()).chain(rows.iter().map(|row| row[group].clone())).collect();
    Some(Rows {
        title,
        head: std::iter::once(String::new()).chain(rows.iter().map(|row| format!("epoch {}", row[0]))).collect(),
        rows: (1..head.len()).map(row).collect(),
    })
}

/// How many diverged, and the earliest step of those that are named.
fn lost(group: &GroupRecord) -> String {
    match (group.diverged, group.diverged_replicas.iter().map(|record| record.step).min()) {
        (Some(diverged), Some(step)) => format!("{diverged}, from step {}", count(step)),
        _ => "–".to_owned(),
    }
}
