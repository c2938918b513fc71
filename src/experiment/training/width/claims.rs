//! What is tested of curvature at equal loss: that it falls as η/S rises, and that it is equal where η/S is.
//!
//! * *Trend*: Spearman's ρ between η/S and the medians of each measure lies below the threshold of the scenario.
//! * *Equal*: the mean ln ratio of a measure between two groups of equal η/S, replica by replica from equal starts, lies within ±ε.
//! * *Control*: the same statistic between the smallest and the largest η/S, which it must tell apart, or equality shows nothing.
//! * *Corrected*: the trend after a regression has taken out what the small differences of the reached loss explain.

use super::super::super::records::Claim;
use super::super::group::Group;
use super::measure::{MEASURES, Measure};
use super::{Case, spec};
use crate::findings::{ClaimRecord, MeasureRecord};
use crate::math;
use crate::scenario::Loaded;
use crate::statistics::{
    Contrast, Estimate, Evidence, Judgement, RankTrend, Sample, Verdict, judge, judge_rank_trend, median,
    scenario_verdict,
};

/// The trend of each measure, or why there is none.
pub(super) struct Trends {
    of: Vec<Result<RankTrend, String>>,
    /// The same of values at the level itself.
    corrected: Vec<Result<RankTrend, String>>,
}

impl Trends {
    pub(super) fn get(&self, measure: Measure) -> Result<&RankTrend, &str> {
        self.of[measure as usize].as_ref().map_err(String::as_str)
    }

    fn corrected(&self, measure: Measure) -> Result<&RankTrend, &str> {
        self.corrected[measure as usize].as_ref().map_err(String::as_str)
    }

    /// The median of a measure in a group, for its table. The error is that with which a normal's 95 % interval is as wide as the
    /// bootstrap's.
    pub(super) fn median(&self, case: &Case, measure: Measure, group: usize) -> Option<MeasureRecord> {
        let trend = self.get(measure).ok()?;
        let left_out = case.logarithms(measure).into_iter().collect::<Sample>().left_out();
        let (median, [low, high]) = (math::exp(trend.medians[group]), trend.median_intervals[group].map(math::exp));
        Some(MeasureRecord {
            quantity: format!("median {}", measure.name()),
            measured: median,
            standard_error: (high - low) / (2.0 * 1.959_963_984_540_054),
            interval: Some([low, high]),
            left_out: Some(left_out).filter(|left_out| left_out.count() > 0),
        })
    }
}

pub(super) fn trends(cases: &[Case], ratios: &[Vec<usize>], seed: u64) -> Trends {
    let mut places = vec![0.0; cases.len()];
    for of_ratio in ratios {
        // Equal to the bit, or ranks would be made of rounding.
        of_ratio.iter().for_each(|&index| places[index] = cases[of_ratio[0]].ratio());
    }
    let trend = |values: &[Vec<Option<f64>>]| RankTrend::of(&places, values, seed);
    let of = |measure: Measure| cases.iter().map(|case| case.logarithms(measure)).collect::<Vec<_>>();
    Trends {
        of: MEASURES.iter().map(|&measure| trend(&of(measure))).collect(),
        corrected: MEASURES.iter().map(|&measure| trend(&at_level(cases, measure))).collect(),
    }
}

/// d ln h/d ln L between replicas of a group, with its standard error: the regression within groups, all with one slope.
pub(super) fn slope(cases: &[Case], measure: Measure) -> Option<Estimate> {
    let (mut squares, mut products, mut pairs) = (0.0, 0.0, Vec::new());
    let mut groups = 0;
    for case in cases {
        let points: Vec<[f64; 2]> = case
            .ends()
            .filter_map(|end| Some([math::ln(end.loss), end.curvature.as_ref()?.logarithm(measure)]))
            .collect();
        if points.len() < 2 {
            continue;
        }
        groups += 1;
        let mean = |axis: usize| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64;
        let centre = [mean(0), mean(1)];
        for point in &points {
            let [x, y] = [point[0] - centre[0], point[1] - centre[1]];
            squares += x * x;
            products += x * y;
            pairs.push([x, y]);
        }
    }
    let degrees_of_freedom = pairs.len() as f64 - groups as f64 - 1.0;
    if squares <= 0.0 || degrees_of_freedom < 1.0 {
        return None;
    }
    let value = products / squares;
    let left: f64 = pairs.iter().map(|[x, y]| (y - value * x) * (y - value * x)).sum();
    Some(Estimate { value, standard_error: (left / degrees_of_freedom / squares).sqrt(), degrees_of_freedom })
}

/// ln of a measure as it would be at the mean loss of all: ln h − b(ln L − mean ln L).
fn at_level(cases: &[Case], measure: Measure) -> Vec<Vec<Option<f64>>> {
    let slope = slope(cases, measure).map_or(0.0, |slope| slope.value);
    let losses: Vec<f64> = cases.iter().flat_map(Case::ends).map(|end| math::ln(end.loss)).collect();
    let mean = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
    let corrected = |case: &Case| {
        let of =
            |end: &super::End| Some(end.curvature.as_ref()?.logarithm(measure) - slope * (math::ln(end.loss) - mean));
        case.ends.iter().map(|end| of(end.as_ref()?)).collect()
    };
    cases.iter().map(corrected).collect()
}

/// Mean of ln h of one group minus that of another, replica by replica of those that have both; [`Case::missing`] counts the others.
pub(super) fn difference(one: &Case, other: &Case, measure: Measure) -> Option<Estimate> {
    Sample::of_differences(&one.logarithms(measure), &other.logarithms(measure)).mean()
}

/// Pairs of groups that have equal η/S: each of a ratio against the one with the smallest S.
fn equal_pairs(ratios: &[Vec<usize>]) -> Vec<[usize; 2]> {
    ratios.iter().flat_map(|of_ratio| of_ratio[1..].iter().map(|&index| [index, of_ratio[0]])).collect()
}

/// The groups of the largest and the smallest η/S, of smallest S each.
fn control_pair(ratios: &[Vec<usize>]) -> Vec<[usize; 2]> {
    let ends = [ratios.last(), ratios.first()].map(|of_ratio| of_ratio.map_or(0, |indices| indices[0]));
    vec![ends]
}

fn contrast(measure: Measure, [one, other]: [&Group; 2], measured: Option<Estimate>) -> Contrast {
    let pair = |group: &Group| format!("η = {}, S = {}", shown(group.learning_rate()), group.batch_size());
    Contrast {
        label: format!("Δ ln {}, {} against {}", measure.name(), pair(one), pair(other)),
        predicted: 0.0,
        predicted_standard_error: 0.0,
        predicted_bound: 0.0,
        measured,
    }
}

/// A rate in a few digits.
pub(super) fn shown(value: f64) -> String {
    format!("{value:.4e}").parse::<f64>().unwrap_or(value).to_string()
}

/// The claims before anything was trained.
pub(super) fn predicted(loaded: &Loaded, groups: &[Group]) -> Vec<ClaimRecord> {
    let ratios = spec(loaded).ratios();
    let mut claims = Vec::new();
    for measure in MEASURES {
        let rho = Contrast {
            label: label(measure),
            predicted: -1.0,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured: None,
        };
        let contrasts = |pairs: Vec<[usize; 2]>| -> Vec<Contrast> {
            pairs.into_iter().map(|pair| contrast(measure, pair.map(|index| &groups[index]), None)).collect()
        };
        claims.extend(claim(loaded, measure, Kind::Trend).predicted(&[rho]));
        claims.extend(claim(loaded, measure, Kind::Equal).predicted(&contrasts(equal_pairs(&ratios))));
        claims.extend(claim(loaded, measure, Kind::Control).predicted(&contrasts(control_pair(&ratios))));
    }
    claims
}

/// All claims and the verdict. No equality holds unless the same statistic tells the smallest and the largest η/S apart.
pub(super) fn judged(
    loaded: &Loaded,
    cases: &[Case],
    ratios: &[Vec<usize>],
    trends: &Trends,
) -> (Vec<ClaimRecord>, Verdict) {
    let (threshold, missing) = (spec(loaded).correlation, cases.iter().map(Case::missing).sum());
    let (mut primary, mut told, mut secondary) = (Vec::new(), Vec::new(), Vec::new());
    for measure in MEASURES {
        let name = label(measure);
        primary.push(judge_rank_trend(&name, trends.get(measure), threshold, missing));
        told.push((measure, Kind::Trend));
        let control = compare(loaded, cases, &control_pair(ratios), measure);
        let mut equal = compare(loaded, cases, &equal_pairs(ratios), measure);
        if control.verdict != Verdict::Rejected {
            let name = measure.name();
            equal.bar_holding(&format!(
                "{name} at the smallest and the largest η/S is not told apart by this statistic"
            ));
        }
        primary.push(equal);
        told.push((measure, Kind::Equal));
        secondary.push((control, (measure, Kind::Control)));
        let corrected = judge_rank_trend(&name, trends.corrected(measure), threshold, missing);
        secondary.push((corrected, (measure, Kind::Corrected)));
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().collect::<Vec<_>>());
    let all = primary.into_iter().zip(told).chain(secondary);
    let record = |(judgement, (measure, kind)): (Judgement, (Measure, Kind))| {
        let mut record = claim(loaded, measure, kind).judged(&judgement, judgement.reason.clone())?;
        if matches!(kind, Kind::Trend | Kind::Corrected) {
            // The bootstrap's own interval, which is not symmetric and does not leave −1 … 1.
            let interval = judgement.contrasts[0].holds_interval.map(|ends| ends.map(|end| end - 1.0));
            record.interval = interval;
            record.contrasts.iter_mut().for_each(|contrast| contrast.interval = interval);
        }
        Some(record)
    };
    (all.filter_map(record).collect(), verdict)
}

/// The mean ln ratios of pairs of groups within ±ε.
pub(super) fn compare(loaded: &Loaded, cases: &[Case], pairs: &[[usize; 2]], measure: Measure) -> Judgement {
    let contrasts: Vec<Contrast> = pairs
        .iter()
        .map(|pair| {
            let [one, other] = pair.map(|index| &cases[index]);
            contrast(measure, [&one.group, &other.group], difference(one, other, measure))
        })
        .collect();
    let of_pairs = || pairs.iter().flatten().map(|&index| &cases[index]);
    let diverged = of_pairs().map(|case| case.group.diverged.len()).sum();
    let mut judgement = judge(&contrasts, loaded.scenario.test.tolerance, &Evidence::without_equilibrium(diverged));
    if let Some(none) = judgement.contrasts.iter().find(|judged| judged.contrast.measured.is_none()) {
        let label = &none.contrast.label;
        judgement.reason = format!("{label}: fewer than two replicas have a value in both groups");
    }
    let missing: usize = of_pairs().map(Case::missing).sum();
    if missing > 0 {
        judgement.bar_any_verdict(&format!("{missing} replica(s) have no value, and those left are a selection"));
    }
    judgement
}

fn label(measure: Measure) -> String {
    format!("Spearman's ρ of η/S and {}", measure.name())
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Trend,
    Equal,
    Control,
    Corrected,
}

fn claim(loaded: &Loaded, measure: Measure, kind: Kind) -> Claim {
    let (name, id) = (measure.name(), measure.id());
    let threshold = spec(loaded).correlation;
    let (id, statement) = match kind {
        Kind::Trend => (
            format!("trend-{id}"),
            format!("{name} at equal loss falls as η/S rises: ρ of medians over seeds is below {threshold}"),
        ),
        Kind::Equal => {
            (format!("equal-{id}"), format!("{name} at equal loss is equal where η/S is, to within ε in ln ratio"))
        }
        Kind::Control => (
            format!("control-{id}"),
            format!("{name} is equal at the smallest and the largest η/S: a control, which ought to be rejected"),
        ),
        Kind::Corrected => (
            format!("corrected-{id}"),
            format!(
                "the trend of {name} with what the reached losses differ taken out by regression: ρ is below {threshold}"
            ),
        ),
    };
    let is_trend = matches!(kind, Kind::Trend | Kind::Corrected);
    Claim {
        id,
        primary: matches!(kind, Kind::Trend | Kind::Equal),
        statement,
        source: "the slide: smaller noise, sharper bowl; equal noise, equal width".into(),
        tolerance: if is_trend { threshold + 1.0 } else { loaded.scenario.test.tolerance },
    }
}

/// The median over replicas, with what is known of it.
pub(super) fn center(trends: &Trends, case: &Case, index: usize, measure: Measure) -> [f64; 3] {
    match trends.get(measure) {
        Ok(trend) => {
            let [low, high] = trend.median_intervals[index];
            [trend.medians[index], low, high].map(math::exp)
        }
        Err(_) => {
            let known: Vec<f64> = case.logarithms(measure).into_iter().flatten().collect();
            [median(&known).map_or(f64::NAN, math::exp), f64::NAN, f64::NAN]
        }
    }
}
