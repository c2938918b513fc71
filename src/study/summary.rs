//! From the points to the verdict of the study: every point's claims are claims of one family.

use super::point;
use crate::findings::{
    ClaimRecord, ContrastRecord, DataRecord, Findings, Outlook, PointClaim, Program, SCHEMA, StudyClaimRecord,
    StudyPoint, StudyRecord, VerdictCounts,
};
use crate::loss::LossKind;
use crate::scenario::{Loaded, Points};
use crate::statistics::scenario::HOLM_LEVEL;
use crate::statistics::{Verdict, after_holm, overall};

/// Points that the document itself holds; more are in `study.csv` only.
const MOST_ROWS: usize = 100;
/// Of the points that decide, so many are named.
const NAMED: usize = 20;

/// The document of a study, and its rows (by rising index) with the verdicts as corrected for their number.
pub(super) fn of(points: &Points, loaded: &Loaded, mut rows: Vec<StudyPoint>) -> (Findings, Vec<StudyPoint>) {
    let simulated = rows.iter().any(|row| row.verdict.is_some());
    let withdrawn = if simulated { correct(&mut rows) } else { Vec::new() };
    let untested = simulated && nothing_tested(&rows);
    let verdict = simulated.then(|| overall(rows.iter().filter_map(|row| row.verdict)));
    let verdict = if untested { verdict.map(|_| Verdict::Undetermined) } else { verdict };
    let claims: Vec<(StudyClaimRecord, ClaimRecord)> =
        ids(&rows).into_iter().map(|id| claim(points, &rows, id, &withdrawn)).collect();
    let count = |what: &dyn Fn(&StudyPoint) -> bool| rows.iter().filter(|row| what(row)).count() as u64;
    let study = StudyRecord {
        points: points.count(),
        verdicts: rows.iter().filter_map(|row| row.verdict).collect(),
        predicted_divergences: count(&|row| row.predicted == Some(Outlook::Diverges)),
        without_result: count(&|row| row.claims.is_empty()),
        claims: claims.iter().map(|(record, _)| record.clone()).collect(),
        deciding: deciding(&rows, verdict),
        rows: if simulated && rows.len() > MOST_ROWS { Vec::new() } else { rows.clone() },
    };
    let findings = Findings {
        schema: SCHEMA,
        program: Program { name: "sgd-sde".into(), version: env!("CARGO_PKG_VERSION").into() },
        data: data_of_all(loaded),
        noise_scale: common(rows.iter().map(|row| row.noise_scale)),
        temperature: common(rows.iter().map(|row| row.temperature)),
        effective_temperature: None,
        minima: Vec::new(),
        saddles: Vec::new(),
        escape: Vec::new(),
        occupancy: Vec::new(),
        groups: Vec::new(),
        gradient_noise: Vec::new(),
        points: Vec::new(),
        crossover: None,
        scaling: None,
        weak_error: None,
        claims: claims.into_iter().map(|(_, claim)| claim).collect(),
        verdict,
        expected: loaded.scenario.expect,
        diagnostics: None,
        notes: notes(points, &rows, &study, loaded, untested),
        scenario: loaded.scenario.clone(),
        study: Some(study),
    };
    (findings, rows)
}

/// The data that all points share; drawn numbers depend on the seed.
fn data_of_all(loaded: &Loaded) -> Option<DataRecord> {
    let study = loaded.scenario.study.as_ref()?;
    let LossKind::Network(network) = &loaded.scenario.loss.kind else { return None };
    let varied = ["data", "seed", "loss.kind"].into_iter().any(|key| study.varies(key));
    network.data.as_ref().filter(|_| !varied).map(|data| DataRecord::of(data))
}

/// Whether every claim that was judged is one of predicted divergence, so that the study's question was asked nowhere.
fn nothing_tested(rows: &[StudyPoint]) -> bool {
    let mut primary = rows.iter().flat_map(StudyPoint::primary).peekable();
    primary.peek().is_some() && primary.all(|claim| claim.id == point::DIVERGENCE)
}

/// A value that all points share.
fn common(mut values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}

/// Holm's correction: over all primary claims of all points, which decide together, and over the points for each of the
/// other claims. Returns the places (point, claim) of the rejections that did not survive.
fn correct(rows: &mut [StudyPoint]) -> Vec<(usize, usize)> {
    let all: Vec<(usize, usize)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, record)| (0..record.claims.len()).map(move |claim| (row, claim)))
        .collect();
    let mut families: Vec<Vec<(usize, usize)>> =
        vec![all.iter().copied().filter(|&(row, claim)| rows[row].claims[claim].primary).collect()];
    for id in ids(rows) {
        let is_member =
            |&(row, claim): &(usize, usize)| !rows[row].claims[claim].primary && rows[row].claims[claim].id == id;
        families.push(all.iter().copied().filter(is_member).collect());
    }
    // A point that could not be run takes its place among the primary ones with p = 1.
    let empty = rows.iter().filter(|row| row.claims.is_empty()).count();
    let mut withdrawn = Vec::new();
    for (index, family) in families.into_iter().enumerate() {
        let absent = if index == 0 { empty } else { 0 };
        let alone = |&(row, claim): &(usize, usize)| {
            let claim = &rows[row].claims[claim];
            (claim.verdict.unwrap_or(Verdict::Undetermined), claim.rejection_p_value)
        };
        let mut verdicts: Vec<(Verdict, Option<f64>)> = family.iter().map(alone).collect();
        verdicts.extend(std::iter::repeat_n((Verdict::Undetermined, None), absent));
        let size = verdicts.len();
        for (&(row, claim), corrected) in family.iter().zip(after_holm(&verdicts, HOLM_LEVEL)) {
            if rows[row].claims[claim].verdict == Some(corrected) {
                continue;
            }
            withdrawn.push((row, claim));
            let record = &mut rows[row];
            record.claims[claim].verdict = Some(corrected);
            if index == 0 {
                record.reason = format!(
                    "{} is rejected at this point alone, but not after Holm's correction over {size} primary claims",
                    record.claims[claim].id
                );
            }
        }
    }
    for row in rows.iter_mut().filter(|row| !row.claims.is_empty()) {
        row.verdict = Some(overall(row.primary().filter_map(|claim| claim.verdict)));
    }
    withdrawn
}

/// The names of all claims, in the order in which the points bring them.
fn ids(rows: &[StudyPoint]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for claim in rows.iter().flat_map(|row| &row.claims) {
        if !ids.contains(&claim.id) {
            ids.push(claim.id.clone());
        }
    }
    ids
}

/// One claim over all points. The numbers are those of the point farthest from agreement.
fn claim(
    points: &Points,
    rows: &[StudyPoint],
    id: String,
    withdrawn: &[(usize, usize)],
) -> (StudyClaimRecord, ClaimRecord) {
    let members: Vec<(&StudyPoint, &PointClaim)> =
        rows.iter().filter_map(|row| row.claim(&id).map(|claim| (row, claim))).collect();
    let verdicts: VerdictCounts = members.iter().filter_map(|(_, claim)| claim.verdict).collect();
    let farthest = |a: &&(&StudyPoint, &PointClaim), b: &&(&StudyPoint, &PointClaim)| {
        severity(a.1)
            .cmp(&severity(b.1))
            .then(a.1.distance().total_cmp(&b.1.distance()))
            .then(b.0.index.cmp(&a.0.index))
    };
    // A name comes from some row, so there is one.
    let (row, worst) = *members.iter().max_by(farthest).unwrap_or(&members[0]);
    let lost = withdrawn.iter().filter(|&&(row, claim)| rows[row].claims[claim].id == id).count() as u64;
    let smallest = members.iter().filter_map(|(_, claim)| claim.rejection_p_value).reduce(f64::min);
    let simulated = verdicts.total() > 0;
    // A point without a result might have been any.
    let absent = rows.iter().filter(|row| row.claims.is_empty()).count();
    let all = members.iter().filter_map(|(_, claim)| claim.verdict);
    let all = all.chain(std::iter::repeat_n(Verdict::Undetermined, absent));
    let (statement, source) = words(points, &id, members[0].0.index);
    let contrasts = worst.compared().into_iter().map(|contrast| ContrastRecord {
        quantity: contrast.quantity,
        predicted: contrast.predicted,
        predicted_standard_error: None,
        predicted_bound: None,
        measured: contrast.measured,
        standard_error: contrast.standard_error,
        interval: None,
    });
    let record = ClaimRecord {
        primary: members.iter().any(|(_, claim)| claim.primary),
        statement,
        source,
        quantity: worst.quantity.clone(),
        predicted: worst.predicted,
        measured: worst.measured,
        standard_error: worst.standard_error,
        interval: None,
        tolerance: worst.tolerance,
        verdict: simulated.then(|| overall(all)),
        rejection_p_value: smallest.map(|p| (p * members.len() as f64).min(1.0)),
        reason: match (simulated, absent) {
            (false, _) => String::new(),
            (true, 0) => told(points, &verdicts, lost, row, worst),
            (true, _) => format!(
                "{absent} of {} points are without a result; {}",
                rows.len(),
                told(points, &verdicts, lost, row, worst)
            ),
        },
        contrasts: contrasts.collect(),
        id: id.clone(),
    };
    (StudyClaimRecord { id, verdicts, withdrawn: lost, worst: row.index }, record)
}

/// A point with a worse verdict is farther from agreement, whatever its numbers.
fn severity(claim: &PointClaim) -> u8 {
    match claim.verdict {
        Some(Verdict::Rejected) => 2,
        Some(Verdict::Undetermined) => 1,
        _ => 0,
    }
}

/// How it went over the points, in a sentence.
fn told(points: &Points, verdicts: &VerdictCounts, withdrawn: u64, row: &StudyPoint, worst: &PointClaim) -> String {
    let counts = [
        (verdicts.holds, "holds at"),
        (verdicts.rejected, "is rejected (Holm's correction applied) at"),
        (verdicts.undetermined, "is undetermined at"),
    ];
    let parts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what} {count}"));
    let mut text = format!("over {} points it {}", verdicts.total(), parts.collect::<Vec<_>>().join(", "));
    if withdrawn > 0 {
        text.push_str(&format!(", of which {withdrawn} would be rejected alone"));
    }
    let place = format!("point {} ({})", row.index, points.spec().describe(row.index));
    text.push_str(&match (worst.measured, worst.predicted, worst.standard_error) {
        (Some(measured), Some(predicted), Some(error)) => format!(
            "; farthest from agreement is {place}: {}: measured − predicted = {:.4} ± {error:.4}",
            worst.quantity,
            measured - predicted
        ),
        (Some(measured), Some(predicted), None) => {
            format!(
                "; farthest from agreement is {place}: {} = {measured:.4}, predicted {predicted:.4}",
                worst.quantity
            )
        }
        _ => format!("; {place} has no estimate of {}", worst.quantity),
    });
    text
}

/// Statement and source of a claim, from a point that makes it.
fn words(points: &Points, id: &str, index: u64) -> (String, String) {
    if id == point::DIVERGENCE {
        return (
            "Where δh ≥ 2 at a minimum the chain diverges".into(),
            "a step multiplies deviations from a minimum of curvature h by 1 − δh".into(),
        );
    }
    let claim = point::claims(points, index).into_iter().find(|claim| claim.id == id);
    claim.map_or((id.to_owned(), String::new()), |claim| (claim.statement, claim.source))
}

/// The first few points that have the study's verdict, unless all must.
fn deciding(rows: &[StudyPoint], verdict: Option<Verdict>) -> Vec<u64> {
    let decisive = verdict.filter(|verdict| *verdict != Verdict::Holds);
    rows.iter().filter(|row| decisive.is_some() && row.verdict == decisive).map(|row| row.index).take(NAMED).collect()
}

/// Points without claims are told, the first few by name.
fn notes(points: &Points, rows: &[StudyPoint], study: &StudyRecord, loaded: &Loaded, untested: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if untested {
        notes.push(format!(
            "undetermined: test.against = \"{}\" was tested at no point; every point that was run has an unstable step, and that the \
             predicted divergences were seen says nothing of it; lower the step at some points",
            loaded.scenario.test.against.name()
        ));
    }
    if study.predicted_divergences > 0 {
        notes.push(format!(
            "{} of {} points have an unstable step (δh ≥ 2 at a minimum): they are predicted to diverge, and were only \
             watched for that",
            study.predicted_divergences, study.points
        ));
    }
    let first = rows.iter().find(|row| row.claims.is_empty());
    if let Some(row) = first {
        notes.push(format!(
            "{} of {} points have no result and count as undetermined; the first is point {} ({}): {}",
            study.without_result,
            study.points,
            row.index,
            points.spec().describe(row.index),
            row.reason
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str, primary: bool, verdict: Verdict, p: f64) -> PointClaim {
        PointClaim {
            id: id.into(),
            primary,
            quantity: "q".into(),
            predicted: Some(0.0),
            measured: Some(1.0),
            standard_error: Some(0.1),
            tolerance: 0.1,
            verdict: Some(verdict),
            rejection_p_value: Some(p),
            contrasts: Vec::new(),
        }
    }

    fn row(index: u64, claims: Vec<PointClaim>) -> StudyPoint {
        StudyPoint {
            index,
            values: Vec::new(),
            seed: index,
            noise_scale: None,
            temperature: None,
            predicted: Some(Outlook::Stationary),
            verdict: claims.first().and_then(|claim| claim.verdict).or(Some(Verdict::Undetermined)),
            equilibrated: Some(true),
            transitions: None,
            diverged: None,
            reason: String::new(),
            claims,
        }
    }

    #[test]
    fn rejections_are_corrected_for_the_number_of_points() {
        use Verdict::{Holds, Rejected, Undetermined};
        // 0.012 ≤ 0.05/4 survives among four primary claims, 0.02 > 0.05/3 does not, nor would it if the point that was not
        // run did not count: 0.02 ≤ 0.05/2 then.
        let mut rows = vec![
            row(0, vec![claim("tested", true, Rejected, 0.012), claim("other", false, Rejected, 0.02)]),
            row(1, vec![claim("tested", true, Rejected, 0.02), claim("other", false, Rejected, 0.02)]),
            row(2, vec![claim("tested", true, Holds, 1.0)]),
            row(3, Vec::new()),
        ];
        let withdrawn = correct(&mut rows);
        let verdicts: Vec<Option<Verdict>> = rows.iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, [Some(Rejected), Some(Undetermined), Some(Holds), Some(Undetermined)]);
        // The other claim is a family of its own: 0.02 ≤ 0.05/2 twice.
        assert!(rows[..2].iter().all(|row| row.claim("other").unwrap().verdict == Some(Rejected)));
        assert_eq!(withdrawn, [(1, 0)]);
        assert!(rows[1].reason.contains("over 4 primary claims"), "{}", rows[1].reason);
        assert_eq!(overall(rows.iter().filter_map(|row| row.verdict)), Rejected);
    }

    #[test]
    fn divergences_alone_test_nothing() {
        let tested = || claim("tested", true, Verdict::Holds, 1.0);
        let diverges = || claim(point::DIVERGENCE, true, Verdict::Holds, 1.0);
        assert!(nothing_tested(&[row(0, vec![diverges()]), row(1, Vec::new())]));
        assert!(!nothing_tested(&[row(0, vec![diverges()]), row(1, vec![tested()])]));
        // Points that could not be run are told of otherwise.
        assert!(!nothing_tested(&[row(0, Vec::new())]));
    }

    #[test]
    fn a_value_is_common_only_if_all_have_it() {
        assert_eq!(common([Some(0.2), Some(0.2)].into_iter()), Some(0.2));
        assert_eq!(common([Some(0.2), Some(0.3)].into_iter()), None);
        assert_eq!(common([Some(0.2), None].into_iter()), None);
        assert_eq!(common([None, None].into_iter()), None);
    }
}
