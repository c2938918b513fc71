//! What is claimed of the noise, and whether it holds.

use super::super::super::records::Claim;
use super::super::course::Course;
use super::law::{Expected, Law, UNRESOLVED};
use super::measure::Measured;
use super::point::{Point, predicted as predicted_at};
use super::{Found, OfSize, spec};
use crate::findings::ClaimRecord;
use crate::random::batches::Sampling;
use crate::scenario::{GradientNoiseSpec, Loaded};
use crate::statistics::{
    Contrast, Estimate, Evidence, Judgement, Verdict, after_holm, judge, judge_distance, overall, scenario_verdict,
};
use crate::theory::batch_law::Route;
use crate::theory::batch_mean::{DISTANCE_OF_EXCESS, DISTANCE_OF_SKEWNESS};

/// An error of a moment may move the distribution function by this part of the distance that counts as Gaussian.
const SHARE_OF_DISTANCE: f64 = 0.25;
/// Of a family of claims that decide together.
const LEVEL: f64 = 0.05;

/// What a family of contrasts is of.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    Mean,
    Trace,
    Top,
    Skewness,
    Excess,
}

const FAMILIES: [Family; 5] = [Family::Mean, Family::Trace, Family::Top, Family::Skewness, Family::Excess];

impl Family {
    fn id(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Trace => "trace",
            Self::Top => "top-direction",
            Self::Skewness => "skewness",
            Self::Excess => "kurtosis",
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Self::Mean => "the mean of the batch gradient is ∇L along v₁, to within ε standard deviations of a batch",
            Self::Trace => "the covariance of the batch gradient is C/S in its trace, to within ε in ln ratio",
            Self::Top => {
                "the covariance of the batch gradient is C/S along v₁, the top eigenvector of C, to within ε in ln ratio"
            }
            Self::Skewness => {
                "the skewness of projections is that of a mean of S examples, γ₁/√S: to within ε where the prediction is below 1, to within ε \
                 times it beyond"
            }
            Self::Excess => {
                "the excess kurtosis of projections is that of a mean of S examples, γ₂/S: to within ε where the prediction is below 1, to \
                 within ε times it beyond"
            }
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Mean | Self::Trace | Self::Top => {
                "the slide: g⁽ˢ⁾ = g + Δg/√S with Cov Δg = C; times (N−S)/(N−1) where the examples of a batch differ"
            }
            Self::Skewness | Self::Excess => {
                "cumulants of independent numbers add up; of subsets by counting (theory::batch_mean). ε is what moves a distribution function, to first order, \
                 by a quarter of gradient_noise.distance"
            }
        }
    }

    fn tolerance(self, loaded: &Loaded) -> f64 {
        let distance = SHARE_OF_DISTANCE * spec(loaded).distance;
        match self {
            Self::Mean | Self::Trace | Self::Top => loaded.scenario.test.tolerance,
            Self::Skewness => rounded(distance / DISTANCE_OF_SKEWNESS),
            Self::Excess => rounded(distance / DISTANCE_OF_EXCESS),
        }
    }

    fn claim(self, loaded: &Loaded) -> Claim {
        Claim {
            id: self.id().to_owned(),
            primary: true,
            statement: self.statement().to_owned(),
            source: self.source().to_owned(),
            tolerance: self.tolerance(loaded),
        }
    }

    /// All contrasts at one place and one size. Before a measurement `measured` is `None`.
    fn contrasts(self, course: &Course, point: &Point, size: u64, measured: Option<&Measured>) -> Vec<Contrast> {
        let at = format!("S = {size}, {}", point.place.name());
        let contrast = |label: String, predicted: f64, measured: Option<Estimate>| Contrast {
            label,
            predicted,
            predicted_standard_error: 0.0,
            predicted_bound: 0.0,
            measured,
        };
        let ratio = |estimate: &Option<Estimate>| estimate.as_ref().and_then(Estimate::logarithm);
        match self {
            Self::Mean => vec![contrast(format!("mean along v₁, {at}"), 0.0, measured.and_then(|m| m.mean.clone()))],
            Self::Trace => {
                vec![contrast(format!("ln ratio of traces, {at}"), 0.0, measured.and_then(|m| ratio(&m.trace)))]
            }
            Self::Top => vec![contrast(format!("ln ratio along v₁, {at}"), 0.0, measured.and_then(|m| ratio(&m.top)))],
            Self::Skewness | Self::Excess => {
                let contrasts = point.directions.iter().enumerate().filter_map(|(k, direction)| {
                    let (shape, _) = predicted_at(&direction.shape, course.sampling, point.examples(), size)?;
                    let expected = if self == Self::Skewness { shape.skewness } else { shape.excess };
                    let law = measured.and_then(|measured| measured.laws.get(k));
                    let found =
                        law.and_then(|law| if self == Self::Skewness { &law.skewness } else { &law.excess }.clone());
                    let scale = expected.abs().max(1.0);
                    let over = if scale > 1.0 { format!(", over {scale:.4}") } else { String::new() };
                    let label = format!("{} along {}, {at}{over}", self.id(), direction.name);
                    Some(contrast(label, expected / scale, found.map(|found| scaled(&found, scale))))
                });
                contrasts.collect()
            }
        }
    }
}

/// To three digits below 1, which is how it is told.
fn rounded(tolerance: f64) -> f64 {
    (tolerance * 1e3).round() / 1e3
}

fn scaled(estimate: &Estimate, scale: f64) -> Estimate {
    Estimate { value: estimate.value / scale, standard_error: estimate.standard_error / scale, ..*estimate }
}

/// The claims with what is predicted at the places that are known before a run, and notes.
pub(super) fn predicted(loaded: &Loaded, course: &Course, found: &[Found]) -> (Vec<ClaimRecord>, Vec<String>) {
    let spec = spec(loaded);
    let mut claims = Vec::new();
    for family in FAMILIES {
        let places = found.iter().flat_map(|found| spec.sizes.iter().map(move |&size| (&found.point, size)));
        let contrasts: Vec<Contrast> =
            places.flat_map(|(point, size)| family.contrasts(course, point, size, None)).collect();
        claims.extend(family.claim(loaded).predicted(&contrasts));
    }
    (claims, gaussian_by_prediction(course, found, spec.distance).into_iter().collect())
}

/// All claims, the verdict, and notes. Nothing holds unless the smallest batch is shown not to be Gaussian.
pub(super) fn judged(
    loaded: &Loaded,
    course: &Course,
    found: &[Found],
    diverged: usize,
) -> (Vec<ClaimRecord>, Verdict, Vec<String>) {
    let (spec, evidence) = (spec(loaded), Evidence::without_equilibrium(diverged));
    let mut primary: Vec<Judged> = Vec::new();
    for family in FAMILIES {
        let places = found.iter().flat_map(|found| found.sizes.iter().map(move |sized| (&found.point, sized)));
        let contrasts: Vec<Contrast> =
            places.flat_map(|(point, sized)| family.contrasts(course, point, sized.draw.size, Some(sized))).collect();
        primary.push((judge(&contrasts, family.tolerance(loaded), &evidence), family.claim(loaded)));
    }
    let (largest, mut secondary) = gaussian_laws(found, &spec, &evidence);
    let said = becomes_gaussian(&spec, &largest.0, &secondary);
    primary.push(largest);
    for index in 0..spec.sizes.len() {
        // What the prediction's own bounds leave open counts against HOLDS.
        let off = |law: &Law| (law.off_prediction[0], law.off_prediction[1] - law.off_prediction[0]);
        let judgement = distances(found, index, spec.distance, &evidence, &off);
        secondary.push((judgement, predicted_law(found, index, spec.distance)));
    }
    let verdict = scenario_verdict(&mut primary.iter_mut().map(|(judgement, _)| judgement).collect::<Vec<_>>());
    let all = primary.into_iter().chain(secondary);
    let claims = all.filter_map(|(judgement, claim)| claim.judged(&judgement, judgement.reason.clone())).collect();
    let mut notes = vec![said];
    notes.extend(gaussian_by_prediction(course, found, spec.distance));
    notes.extend(how_drawn(course));
    (claims, verdict, notes)
}

/// A claim and what came of it.
type Judged = (Judgement, Claim);

/// "Gaussian" of the largest size, which holds only if the smallest, the control, is rejected; and of the others.
fn gaussian_laws(found: &[Found], spec: &GradientNoiseSpec, evidence: &Evidence) -> (Judged, Vec<Judged>) {
    let last = spec.sizes.len() - 1;
    let judged = |index: usize| {
        let judgement = distances(found, index, spec.distance, evidence, &|law| (law.distance, UNRESOLVED));
        (judgement, gaussian(spec.sizes[index], [index == 0, index == last], spec.distance))
    };
    let others: Vec<Judged> = (0..last).map(judged).collect();
    let (mut largest, claim) = judged(last);
    if others.first().is_none_or(|(control, _)| control.verdict != Verdict::Rejected) {
        let message = format!(
            "the noise at S = {}, the control, is not told from Gaussian at this number of batches",
            spec.sizes[0]
        );
        largest.bar_holding(&message);
    }
    ((largest, claim), others)
}

fn gaussian(size: u64, [is_control, is_last]: [bool; 2], distance: f64) -> Claim {
    let what =
        format!("the noise of a batch of S = {size} is Gaussian along v₁ and along random directions, to within ε");
    Claim {
        id: format!("gaussian-{size}"),
        primary: is_last,
        statement: if is_control { format!("{what}: a control, which ought to be rejected") } else { what },
        source: "the slide: Δg ~ N(0, C), by the central limit theorem. Upper bound of the Kolmogorov distance".into(),
        tolerance: distance,
    }
}

/// Of one size. Where it was not had in the same way everywhere, the way with the largest error is told.
fn predicted_law(found: &[Found], index: usize, distance: f64) -> Claim {
    let laws = || found.iter().filter_map(|found| found.expected.get(index)).flat_map(|sized| &sized.laws);
    let size = found.iter().find_map(|found| found.expected.get(index)).map_or(0, |sized| sized.size);
    let worst = laws().max_by(|a, b| a.width().total_cmp(&b.width())).map(|law| law.route);
    let source = match worst {
        Some(Route::Counted) | None => "all sums of the projections of the examples, counted",
        Some(Route::Lattice) => "the convolution of the projections of the examples on a lattice, between its bounds",
        Some(Route::Sampled) => {
            "the projections of random subsets of the examples, within the band of their empirical law (99.9 %)"
        }
    };
    Claim {
        id: format!("predicted-law-{size}"),
        primary: false,
        statement: format!(
            "the law of the noise of a batch of S = {size} is that of a mean of {size} of the gradients of single examples, to within ε at \
             {} quantiles of the normal law",
            (1.0 / UNRESOLVED).round() - 1.0
        ),
        source: format!("theory::batch_law: {source}"),
        tolerance: distance,
    }
}

/// The distances of all laws of one size as one claim: all must be below ε; rejected if any is above, Holm's correction over them. `distance`
/// gives that of a law, and by how much more it may be.
fn distances(
    found: &[Found],
    size: usize,
    tolerance: f64,
    evidence: &Evidence,
    distance: &dyn Fn(&Law) -> (f64, f64),
) -> Judgement {
    let mut all = Vec::new();
    for Found { point, sizes, .. } in found {
        for (direction, law) in point.directions.iter().zip(&sizes[size].laws) {
            let label =
                format!("sup|F − F₀| along {}, S = {}, {}", direction.name, sizes[size].draw.size, point.place.name());
            let (distance, more) = distance(law);
            all.push(judge_distance(&label, distance, more, law.noise.as_ref(), tolerance, evidence));
        }
    }
    together(all, tolerance, evidence)
}

/// Several judgements that must all hold.
fn together(all: Vec<Judgement>, tolerance: f64, evidence: &Evidence) -> Judgement {
    let alone: Vec<(Verdict, Option<f64>)> =
        all.iter().map(|judgement| (judgement.verdict, judgement.rejection_p_value)).collect();
    let corrected = after_holm(&alone, LEVEL);
    let verdict = overall(corrected.iter().copied());
    let smallest = all.iter().filter_map(|judgement| judgement.rejection_p_value).fold(f64::INFINITY, f64::min);
    // The reason is that of the worst of those that decide.
    let worst =
        |judgement: &Judgement| judgement.contrasts.first().and_then(|c| c.contrast.measured.as_ref().map(|m| m.value));
    let deciding =
        all.iter().zip(&corrected).filter(|(_, corrected)| **corrected == verdict).map(|(judgement, _)| judgement);
    let deciding =
        deciding.max_by(|a, b| worst(a).unwrap_or(f64::INFINITY).total_cmp(&worst(b).unwrap_or(f64::INFINITY)));
    let reason = deciding.map_or_else(|| "nothing was compared".to_owned(), |judgement| judgement.reason.clone());
    let family = all.len();
    Judgement {
        verdict,
        reason: if verdict == Verdict::Holds { format!("all {family} laws: {reason}") } else { reason },
        tolerance,
        look: evidence.look,
        contrasts: all.into_iter().flat_map(|judgement| judgement.contrasts).collect(),
        rejection_p_value: smallest.is_finite().then(|| (smallest * family as f64).min(1.0)),
        effort: None,
    }
}

/// From which S on the noise has been shown to be Gaussian.
fn becomes_gaussian(spec: &GradientNoiseSpec, largest: &Judgement, others: &[Judged]) -> String {
    let distance = spec.distance;
    let verdicts = others.iter().map(|(judgement, _)| judgement.verdict).chain([largest.verdict]);
    let known: Vec<(u64, Verdict)> = spec.sizes.iter().copied().zip(verdicts).collect();
    let first = known.iter().rposition(|(_, verdict)| *verdict != Verdict::Holds).map_or(0, |last| last + 1);
    let said = known.iter().map(|(size, verdict)| format!("S = {size} {verdict}")).collect::<Vec<_>>().join(", ");
    match known.get(first) {
        Some((size, _)) => {
            format!(
                "Gaussian to within {distance} in every direction and at every place that was looked at from S = {size} on ({said})"
            )
        }
        None => format!(
            "Gaussian to within {distance} at none of the sizes, if every direction and place that was looked at is to be ({said})"
        ),
    }
}

/// At which sizes the predicted laws are within the distance, by the place and the direction where they are furthest off.
fn gaussian_by_prediction(course: &Course, found: &[Found], distance: f64) -> Option<String> {
    let sizes = found.first()?.expected.len();
    let furthest = (0..sizes).filter_map(|index| furthest(found, index));
    let (mut within, mut beyond, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for Furthest { size, distance: [low, high], place } in furthest {
        let between =
            if high - low < 1e-4 { format!("{:.4}", 0.5 * (low + high)) } else { format!("{low:.4} to {high:.4}") };
        let list = match (high < distance, low > distance) {
            (true, _) => &mut within,
            (false, true) => &mut beyond,
            (false, false) => &mut open,
        };
        list.push(format!("S = {size} ({between})"));
        last = Some((size, low, place));
    }
    let (size, low, place) = last?;
    let listed = [("within it at", within), ("beyond it at", beyond), ("not known on which side at", open)];
    let listed: Vec<String> = listed
        .into_iter()
        .filter(|(_, sizes)| !sizes.is_empty())
        .map(|(word, sizes)| format!("{word} {}", sizes.join(", ")))
        .collect();
    let mut note = format!(
        "Distance {distance} from the normal law, by the laws of means of S gradients of single examples: {}; of all places and directions the \
         furthest, at S = {size} {place}",
        listed.join("; ")
    );
    if low > distance && course.sampling == Sampling::WithReplacement {
        let needed = size as f64 * (low / distance) * (low / distance);
        note.push_str(&format!(
            ". If it goes on to fall as 1/√S, which is a guess, about S = {} is needed",
            roughly(needed)
        ));
    }
    Some(note)
}

/// The largest predicted distance of a size.
struct Furthest {
    size: u64,
    distance: [f64; 2],
    place: String,
}

fn furthest(found: &[Found], index: usize) -> Option<Furthest> {
    let at = |found: &Found, of_size: &OfSize| {
        let named = found.point.directions.iter().zip(&of_size.laws).map(|(direction, law): (_, &Expected)| Furthest {
            size: of_size.size,
            distance: law.distance,
            place: format!("along {}, {}", direction.name, found.point.place.name()),
        });
        named.collect::<Vec<_>>()
    };
    let all =
        found.iter().flat_map(|found| found.expected.get(index).map(|of_size| at(found, of_size)).unwrap_or_default());
    let all: Vec<Furthest> = all.collect();
    // The largest lower and the largest upper bound may be those of two laws.
    let low = all.iter().map(|law| law.distance[0]).fold(0.0, f64::max);
    let most = all.into_iter().max_by(|a, b| a.distance[1].total_cmp(&b.distance[1]))?;
    Some(Furthest { distance: [low, most.distance[1]], ..most })
}

/// To two digits.
fn roughly(number: f64) -> f64 {
    let unit = crate::math::powi(10.0, (libm::log10(number).floor() as i32 - 1).max(0));
    (number / unit).round() * unit
}

fn how_drawn(course: &Course) -> Option<String> {
    let is_epochs = course.sampling == Sampling::Epochs;
    is_epochs.then(|| {
        "Training takes the batches of shuffled epochs; what is measured is one batch by itself, a random subset: that the batches of an epoch \
         depend on each other is not seen here"
            .to_owned()
    })
}
