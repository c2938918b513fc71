//! ln(p_A/p_B) against 1/n by every rung: its line, and the n* at which it is zero.

use std::sync::Arc;

use crate::experiment::exchange::Exchange;
use crate::experiment::forecast::transition_rate;
use crate::experiment::ladder::Ladder;
use crate::experiment::points::{log_odds, of_occupancies, zero_between};
use crate::experiment::reason::RUNGS;
use crate::experiment::setting::{Described, Setting};
use crate::findings::CrossingRecord;
use crate::input::{Problem, Problems};
use crate::landscape::{Landscape, minimum_name};
use crate::memo::Memo;
use crate::scenario::{CrossoverSpec, Loaded, Rung};
use crate::statistics::{Estimate, Line, LinePoint, effort};

/// Points of the scan for a zero of the Gibbs log-odds, from this fraction of the lowest barrier up to it.
const SCAN: usize = 60;
const COLDEST: f64 = 0.02;

/// Two minima weighed against each other, and what is varied.
pub(super) struct Question<'a> {
    loaded: &'a Loaded,
    setting: &'a Setting,
    /// The two minima, by rising loss.
    pub pair: [usize; 2],
    /// `n`, or `T` where the noise is a temperature.
    pub varied: &'static str,
    /// Its value in the scenario.
    pub base: f64,
}

/// The slide's line.
#[derive(Clone, Copy)]
struct Laplace {
    /// (L_B − L_A), times n/T to be per 1/n.
    slope: f64,
    /// −½ ln(det H_A/det H_B) + ln(m_A/m_B); every minimum found stands for itself, m = 1.
    intercept: f64,
}

impl<'a> Question<'a> {
    /// Which minima, and what is varied.
    ///
    /// # Errors
    /// When there are not two minima to weigh.
    pub(super) fn new(loaded: &'a Loaded, setting: &'a Setting) -> Result<Self, Problem> {
        let pair = pair(loaded, &setting.landscape)?;
        let (varied, base) = match loaded.scenario.noise_scale() {
            Some(noise_scale) => ("n", noise_scale),
            None => ("T", setting.effective_temperature()),
        };
        Ok(Self { loaded, setting, pair, varied, base })
    }

    /// The scenario's factors and tolerances.
    pub(super) fn spec(&self) -> CrossoverSpec {
        self.loaded.scenario.crossover.clone().unwrap_or_default()
    }

    /// ε of ln n*.
    pub(super) fn tolerance(&self) -> f64 {
        self.loaded.scenario.test.tolerance
    }

    /// The scenario's setting at n times `factor`.
    pub(super) fn at(&self, factor: f64) -> Result<Setting, Problems> {
        let scenario = self.loaded.scenario.with_noise_times(factor);
        self.setting.at(&self.loaded.with(scenario))
    }

    /// T per unit of what is varied.
    fn temperature_per_unit(&self) -> f64 {
        self.setting.effective_temperature() / self.base
    }

    fn laplace(&self) -> Laplace {
        let [a, b] = self.pair.map(|index| &self.setting.landscape.minima[index]);
        Laplace {
            slope: (b.loss - a.loss) / self.temperature_per_unit(),
            intercept: -0.5 * (a.log_determinant() - b.log_determinant()),
        }
    }

    /// Heights of the lowest pass between the two above each of them.
    pub(super) fn barriers(&self) -> Option<[f64; 2]> {
        let landscape = &self.setting.landscape;
        let [a, b] = self.pair;
        let joins = |between: [usize; 2]| between == [a.min(b), a.max(b)];
        let passes = landscape.saddles.iter().filter(|saddle| joins(saddle.between)).map(|saddle| saddle.point.loss);
        let pass = passes.reduce(f64::min)?;
        Some(self.pair.map(|index| pass - landscape.minima[index].loss))
    }

    fn names(&self) -> [String; 2] {
        self.pair.map(minimum_name)
    }

    /// Refuses a landscape in which no noise makes the two minima even while the barriers still part them.
    ///
    /// # Errors
    /// With the reason, and the crossover that the slide's formula would have.
    pub(super) fn require_crossover(&self) -> Result<(), Problem> {
        let Laplace { slope, intercept } = self.laplace();
        let [a, b] = self.names();
        let artefact = -slope / intercept;
        let unit = self.temperature_per_unit();
        let scale = 1e-9 * self.setting.landscape.minima[self.pair[1]].loss.abs().max(1e-3);
        if slope * unit <= scale {
            let message = format!(
                "minima {a} and {b} are equally deep, so ln(p_{a}/p_{b}) hardly depends on n and no n* exists; choose a loss \
                 with minima of different depth, or experiment = \"equilibrium\""
            );
            return Err(self.loaded.source.problem("loss", message));
        }
        let Some([_, lowest]) = self.barriers() else { return Ok(()) };
        let by_gibbs = |temperature: f64| self.log_odds_at(temperature / (unit * self.base), Rung::Gibbs);
        let exists = match by_gibbs(lowest) {
            Some(_) => self.bracket(lowest).is_some(),
            // Without a cheap Gibbs law the slide's T* must do.
            None => artefact > 0.0 && artefact * unit < lowest,
        };
        if exists {
            return Ok(());
        }
        let there = by_gibbs(lowest).map_or(String::new(), |odds| format!(" (ln(p_{a}/p_{b}) = {odds:.3} there)"));
        let slide = if artefact > 0.0 {
            let relation =
                if artefact * unit > lowest { "above that barrier: an artefact" } else { "which the exact law lacks" };
            format!("the slide's formula has {}* = {artefact:.4}, T* = {:.4}, {relation}", self.varied, artefact * unit)
        } else {
            format!("the slide's formula has none either, since {a} is both deeper and wider than {b}")
        };
        let message = format!(
            "found no crossover: by the Gibbs law minimum {a} stays the likelier at every T up to the lowest barrier between \
             {a} and {b}, {lowest:.4}{there}; {slide}; choose a loss whose deeper minimum is sharper by more, or whose barriers \
             are higher"
        );
        Err(self.loaded.source.problem("loss", message))
    }

    /// Two factors between which the Gibbs log-odds turn from A to B, at a temperature below `highest`.
    fn bracket(&self, highest: f64) -> Option<[f64; 2]> {
        let per_factor = self.temperature_per_unit() * self.base;
        let ratio = crate::math::exp(crate::math::ln(1.0 / COLDEST) / SCAN as f64);
        let mut factor = COLDEST * highest / per_factor;
        for _ in 0..SCAN {
            let next = (factor * ratio).min(highest / per_factor);
            // As T → 0 the deeper minimum has everything.
            if self.log_odds_at(next, Rung::Gibbs).is_some_and(|odds| odds <= 0.0) {
                return Some([factor, next]);
            }
            factor = next;
        }
        None
    }

    /// ln(p_A/p_B) at n times `factor` by the theory alone.
    fn log_odds_at(&self, factor: f64, rung: Rung) -> Option<f64> {
        log_odds(&self.at(factor).ok()?, rung, self.pair)
    }
}

/// Every rung at every point.
pub(super) struct Theory {
    /// The scenario's setting at each point.
    pub settings: Vec<Setting>,
    /// The ladder at each point.
    pub ladders: Vec<Ladder>,
    /// 1/n of each point.
    pub inverse: Vec<f64>,
    pair: [usize; 2],
    laplace: Laplace,
    /// n* of the rungs' own log-odds.
    exact: Vec<(Rung, f64)>,
}

/// What was computed for the last few points of studies, which may differ in nothing that the theory knows.
static KNOWN: Memo<(Described, CrossoverSpec), Arc<Theory>> = Memo::of(4);

impl Theory {
    /// As [`Theory::new`]; what points of a study have in common is computed once.
    ///
    /// # Errors
    /// When the noise of a point cannot be built.
    pub(super) fn of(question: &Question) -> Result<Arc<Self>, Problems> {
        let described = question.setting.described.as_ref().filter(|_| question.setting.brief);
        let Some(key) = described.map(|described| (described.clone(), question.spec())) else {
            return Ok(Arc::new(Self::new(question)?));
        };
        if let Some(known) = KNOWN.find(&key) {
            return Ok(known);
        }
        let theory = Arc::new(Self::new(question)?);
        KNOWN.keep(key, theory.clone());
        Ok(theory)
    }

    /// Climbs the ladder once at every point, and finds every rung's n*.
    ///
    /// # Errors
    /// When the noise of a point cannot be built.
    fn new(question: &Question) -> Result<Self, Problems> {
        let factors = question.spec().factors;
        let settings: Vec<Setting> = factors.iter().map(|&factor| question.at(factor)).collect::<Result<_, _>>()?;
        let ladders = settings.iter().map(Ladder::climb).collect();
        let inverse = factors.iter().map(|factor| 1.0 / (question.base * factor)).collect();
        let mut theory =
            Self { settings, ladders, inverse, pair: question.pair, laplace: question.laplace(), exact: Vec::new() };
        theory.exact =
            RUNGS.into_iter().filter_map(|rung| Some((rung, theory.find_crossing(question, rung)?))).collect();
        Ok(theory)
    }

    /// ln(p_A/p_B) by a rung at a point.
    pub(super) fn log_odds(&self, point: usize, rung: Rung) -> Option<f64> {
        of_occupancies(self.ladders[point].rung(rung)?, self.pair)
    }

    /// The n* of a rung's own log-odds.
    pub(super) fn crossing(&self, rung: Rung) -> Option<f64> {
        self.exact.iter().find(|(of, _)| *of == rung).map(|(_, crossing)| *crossing)
    }

    fn find_crossing(&self, question: &Question, rung: Rung) -> Option<f64> {
        let Laplace { slope, intercept } = self.laplace;
        if rung == Rung::Laplace {
            return Some(-slope / intercept).filter(|crossing| *crossing > 0.0);
        }
        let at = |inverse: f64| question.log_odds_at(1.0 / (inverse * question.base), rung);
        let interpolated = || self.interpolated_crossing(rung);
        let bracket = question.barriers().and_then(|[_, lowest]| question.bracket(lowest));
        let Some([cold, hot]) = bracket.map(|factors| factors.map(|factor| 1.0 / (factor * question.base))) else {
            return interpolated();
        };
        if rung == Rung::Gibbs {
            return zero_between(at, cold, hot).map(|inverse| 1.0 / inverse);
        }
        // The chain's zero lies near that of the Gibbs law: a wider bracket around that.
        let near = (0..6).find_map(|times| {
            let wider = 1.1 + 0.3 * f64::from(times);
            zero_between(at, cold * wider, hot / wider).map(|inverse| 1.0 / inverse)
        });
        // A law that takes seconds is known at the points, and not for a search.
        near.or_else(interpolated)
    }

    /// Where the law costs a simulation: straight from point to point.
    fn interpolated_crossing(&self, rung: Rung) -> Option<f64> {
        (1..self.inverse.len()).find_map(|point| {
            let (hot, cold) = (self.log_odds(point, rung)?, self.log_odds(point - 1, rung)?);
            let (x, y) = (self.inverse[point], self.inverse[point - 1]);
            (hot <= 0.0 && cold > 0.0).then(|| 1.0 / (x - hot * (y - x) / (cold - hot)))
        })
    }

    /// The line that a rung predicts for the given errors of the points: the slide's own, or the weighted line through the
    /// rung's log-odds at these n, so that like is compared with like.
    pub(super) fn line(&self, rung: Rung, errors: &[f64]) -> Option<[f64; 2]> {
        if rung == Rung::Laplace {
            return Some([self.laplace.slope, self.laplace.intercept]);
        }
        let points: Option<Vec<LinePoint>> = (0..self.inverse.len())
            .map(|point| {
                let y = Estimate::with_known_error(self.log_odds(point, rung)?, errors[point]);
                Some(LinePoint { x: self.inverse[point], y })
            })
            .collect();
        let line = Line::fit(&points?)?;
        Some([line.slope.value, line.intercept.value])
    }

    /// Bounds of the standard errors of ln n*, slope and intercept of a rung that was sampled; 0 where it was computed. The
    /// sampler takes the same random numbers at every n, so that its errors are related from point to point in a way that
    /// is not known: the bounds hold for any.
    pub(super) fn line_errors(&self, rung: Rung, errors: &[f64]) -> Option<[f64; 3]> {
        let sampled: Vec<f64> = (self.ladders.iter().zip(&self.settings))
            .map(|(ladder, setting)| ladder.log_odds_error(rung, self.pair, setting))
            .collect();
        self.moved_by(rung, errors, &sampled)
    }

    /// Bounds of what a rung leaves out of ln n*, slope and intercept, whatever its signs at the points; 0 where it is exact.
    pub(super) fn line_bounds(&self, rung: Rung, errors: &[f64]) -> Option<[f64; 3]> {
        let bounds: Vec<f64> = self.ladders.iter().map(|ladder| ladder.log_odds_bound(rung, self.pair)).collect();
        self.moved_by(rung, errors, &bounds)
    }

    /// By how much ln n*, slope and intercept can move where the log-odds at the points move by up to `sampled`.
    fn moved_by(&self, rung: Rung, errors: &[f64], sampled: &[f64]) -> Option<[f64; 3]> {
        let largest = sampled.iter().fold(0.0f64, |a, &error| a.max(error));
        if largest == 0.0 {
            return Some([0.0; 3]);
        }
        let points: Vec<LinePoint> = (self.inverse.iter().zip(errors))
            .map(|(&x, &error)| LinePoint { x, y: Estimate::with_known_error(0.0, error) })
            .collect();
        let [slope, intercept] = Line::fit(&points)?.bounds_of_further_errors(sampled);
        // ln n* = −ln x* moves by the height's error over slope·x*.
        let [steepness, _] = self.line(rung, errors)?;
        Some([largest * self.crossing(rung).unwrap_or(f64::NAN) / steepness.abs(), slope, intercept])
    }

    /// The errors that the escape times let expect of `replicas` replicas over `steps` steps; equal ones where there are none.
    pub(super) fn expected_errors(&self, replicas: f64, steps: f64) -> Option<Vec<f64>> {
        let one = |(ladder, setting): (&Ladder, &Setting)| {
            let time = steps * setting.step() * replicas;
            if setting.landscape.minima.len() == 2 {
                return effort::log_odds_standard_error(transition_rate(ladder)? * time);
            }
            // Transitions of other pairs say nothing of this one.
            Exchange::of(ladder)?.log_odds_error(self.pair, time)
        };
        self.ladders.iter().zip(&self.settings).map(one).collect()
    }

    /// A height of a rung's curve between the points, for figures: the slide's line plus the interpolated difference.
    pub(super) fn curve(&self, rung: Rung, inverse: f64) -> f64 {
        let laplace = |x: f64| self.laplace.intercept + self.laplace.slope * x;
        if rung == Rung::Laplace {
            return laplace(inverse);
        }
        let difference =
            |point: usize| self.log_odds(point, rung).map_or(f64::NAN, |odds| odds - laplace(self.inverse[point]));
        // Points come by rising n, hence by falling 1/n.
        let after = self.inverse.partition_point(|x| *x > inverse).clamp(1, self.inverse.len() - 1);
        let (left, right) = (self.inverse[after], self.inverse[after - 1]);
        if !(left * (1.0 - 1e-12)..=right * (1.0 + 1e-12)).contains(&inverse) {
            return f64::NAN;
        }
        let part = (inverse - left) / (right - left);
        laplace(inverse) + (1.0 - part) * difference(after) + part * difference(after - 1)
    }

    /// A rung's line and crossings, as a record.
    pub(super) fn record(&self, rung: Rung, errors: &[f64]) -> Option<CrossingRecord> {
        let [slope, intercept] = self.line(rung, errors)?;
        Some(CrossingRecord {
            name: rung.name().into(),
            slope,
            slope_standard_error: None,
            intercept,
            intercept_standard_error: None,
            line_crossing: Some(-slope / intercept).filter(|crossing| *crossing > 0.0 && crossing.is_finite()),
            exact_crossing: self.crossing(rung),
            interval: None,
        })
    }
}

/// The two minima of the question, by rising loss.
fn pair(loaded: &Loaded, landscape: &Landscape) -> Result<[usize; 2], Problem> {
    let minima = landscape.minima.len();
    let names = || (0..minima).map(minimum_name).collect::<Vec<_>>().join(", ");
    let Some(pair) = loaded.scenario.crossover.as_ref().and_then(|crossover| crossover.pair.as_ref()) else {
        return match minima {
            2 => Ok([0, 1]),
            1 => Err(loaded.source.problem(
                "loss.domain",
                "only one minimum lies in the domain; a crossover is between two; widen loss.domain, or choose a loss with \
                 several minima",
            )),
            _ => Err(loaded.source.problem(
                "crossover",
                format!(
                    "the domain holds {minima} minima ({}); a crossover is between two; add pair = [\"A\", \"B\"] to \
                     [crossover], or narrow loss.domain",
                    names()
                ),
            )),
        };
    };
    let index = |name: &String| (0..minima).find(|&index| minimum_name(index) == *name);
    match (index(&pair[0]), index(&pair[1])) {
        (Some(a), Some(b)) => Ok([a.min(b), a.max(b)]),
        _ => Err(loaded.source.problem(
            "crossover.pair",
            format!("found {pair:?}; the minima in the domain are {}; choose two of them", names()),
        )),
    }
}
