//! Parameter studies: `[[study.axis]]` turns one scenario into many points, each a scenario of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::load::{Loaded, read};
use crate::input::{Change, Document, Location, Problem, Problems, Table, lies_within, same_or_within, shorten};
use crate::random::derived_seed;

/// The most points of a study.
pub const MOST_POINTS: u64 = 100_000;
/// So many different problems of points are told.
const TOLD: usize = 5;
/// Tables that belong to the study as a whole.
const OF_THE_WHOLE: [(&str, &str); 3] = [
    ("name", "names the output folder of the whole study"),
    ("study", "describes the study itself"),
    ("expect", "is what is expected of the study as a whole"),
];

/// What a study varies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudySpec {
    /// Whether the axes advance together (equal lengths) instead of spanning a grid.
    pub zip: bool,
    /// The keys that vary. In a grid the last one runs fastest.
    pub axis: Vec<AxisSpec>,
}

/// A key and the values that it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AxisSpec {
    /// Any key that `--set` accepts, e.g. `sgd.learning_rate` or `loss.well[0].loss`.
    pub path: String,
    /// The values, of any kind that the key accepts; at least one.
    pub values: Vec<toml::Value>,
}

impl StudySpec {
    /// Reads the table `[study]`.
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let example = "path = \"sgd.learning_rate\" and values = [0.01, 0.05, 0.1]";
        let zip = table.boolean_or("zip", "zip, whether the axes advance together instead of spanning a grid,", false);
        let tables = table.tables("axis", example);
        table.finish();
        let axis: Vec<Option<AxisSpec>> = tables?.iter().map(AxisSpec::read).collect();
        let study = Self { zip: zip?, axis: axis.into_iter().collect::<Option<_>>()? };
        let independent = study.axes_are_independent(table);
        let countable = if study.zip { study.has_equal_lengths(table) } else { study.is_small_enough(table) };
        (independent && countable).then_some(study)
    }

    /// No key is varied twice.
    fn axes_are_independent(&self, table: &Table<'_>) -> bool {
        let mut independent = true;
        for (index, axis) in self.axis.iter().enumerate() {
            let twin =
                self.axis[..index].iter().position(|other| same_or_within(&other.path, &axis.path) == Some(true));
            if let Some(twin) = twin {
                let message = format!(
                    "found {}, which axis {twin} varies already ({}): one would overwrite the other; remove one of the two",
                    shorten(&axis.path),
                    shorten(&self.axis[twin].path)
                );
                table.problem(&format!("axis[{index}].path"), message);
                independent = false;
            }
        }
        independent
    }

    fn has_equal_lengths(&self, table: &Table<'_>) -> bool {
        let length = self.axis[0].values.len();
        let mut equal = true;
        for (index, axis) in self.axis.iter().enumerate().filter(|(_, axis)| axis.values.len() != length) {
            let message = format!(
                "found {} values where axis 0 ({}) has {length}: with zip = true the axes advance together and need equal \
                 lengths; make them equal, or write zip = false for the grid of all combinations",
                axis.values.len(),
                shorten(&self.axis[0].path)
            );
            table.problem(&format!("axis[{index}].values"), message);
            equal = false;
        }
        equal && self.is_small_enough(table)
    }

    fn is_small_enough(&self, table: &Table<'_>) -> bool {
        let lengths: Vec<usize> = self.axis.iter().map(|axis| axis.values.len()).collect();
        let points = if self.zip { lengths[0] as f64 } else { lengths.iter().map(|&length| length as f64).product() };
        if points <= MOST_POINTS as f64 {
            return true;
        }
        let lengths: Vec<String> = lengths.iter().map(ToString::to_string).collect();
        let found = if self.zip { String::new() } else { format!("{} = ", lengths.join(" × ")) };
        let message = format!(
            "found {found}{points} points; a study has at most {MOST_POINTS}; give fewer values, or split it into several \
             studies"
        );
        table.problem("axis", message);
        false
    }

    /// Number of points.
    pub fn points(&self) -> u64 {
        let lengths = self.axis.iter().map(|axis| axis.values.len() as u64);
        if self.zip { lengths.min().unwrap_or(0) } else { lengths.product() }
    }

    /// Which value of each axis a point has: in a grid the last axis runs fastest.
    pub fn places(&self, point: u64) -> Vec<usize> {
        if self.zip {
            return vec![point as usize; self.axis.len()];
        }
        let mut rest = point;
        let mut places = vec![0; self.axis.len()];
        for (place, axis) in places.iter_mut().zip(&self.axis).rev() {
            let length = axis.values.len() as u64;
            *place = (rest % length) as usize;
            rest /= length;
        }
        places
    }

    /// The values of a point, axis by axis.
    pub fn values(&self, point: u64) -> Vec<toml::Value> {
        self.places(point).into_iter().zip(&self.axis).map(|(place, axis)| axis.values[place].clone()).collect()
    }

    /// Whether some axis varies a key, part of it, or a table that it is in.
    pub fn varies(&self, key: &str) -> bool {
        self.axis.iter().any(|axis| same_or_within(&axis.path, key) == Some(true))
    }

    /// A point in words: `sgd.learning_rate = 0.05, sgd.batch_size = 5`.
    pub fn describe(&self, point: u64) -> String {
        let values = self.values(point);
        let parts: Vec<String> = self
            .axis
            .iter()
            .zip(&values)
            .map(|(axis, value)| format!("{} = {}", axis.path, shorten(&value.to_string())))
            .collect();
        parts.join(", ")
    }
}

impl AxisSpec {
    fn read(table: &Table<'_>) -> Option<Self> {
        let path = table.text("path", "the key that the axis varies", "sgd.learning_rate");
        let values = table.values("values", "the values of the axis", "[0.01, 0.05, 0.1]");
        table.finish();
        let (path, values) = (path?, values?);
        let message = match same_or_within(&path, &path) {
            None => format!(
                "found \"{}\", which is not a key; keys are joined by dots, such as sgd.batch_size or loss.well[0].loss",
                shorten(&path)
            ),
            Some(_) => {
                let whole = OF_THE_WHOLE.iter().find(|(key, _)| same_or_within(key, &path) == Some(true));
                let Some((key, why)) = whole else { return Some(Self { path, values }) };
                format!("found \"{}\"; `{key}` {why} and cannot vary; vary another key", shorten(&path))
            }
        };
        table.problem("path", message);
        None
    }
}

/// The points of a study, each read and checked as a scenario of its own when asked for.
pub struct Points<'a> {
    loaded: &'a Loaded,
    spec: &'a StudySpec,
    /// The document without `[study]`.
    stem: Document,
    /// Of every axis: the keys under which its path and its values are written.
    keys: Vec<[String; 2]>,
}

impl<'a> Points<'a> {
    /// The points of a scenario, if it is a study.
    pub fn of(loaded: &'a Loaded) -> Option<Self> {
        let spec = loaded.scenario.study.as_ref()?;
        let keys = (0..spec.axis.len())
            .map(|axis| [format!("study.axis[{axis}].path"), format!("study.axis[{axis}].values")])
            .collect();
        Some(Self { loaded, spec, stem: loaded.source.without("study"), keys })
    }

    /// What is varied.
    pub fn spec(&self) -> &'a StudySpec {
        self.spec
    }

    /// How many there are, at least one.
    pub fn count(&self) -> u64 {
        self.spec.points()
    }

    /// The scenario of a point: the document with the keys of all axes set, as `--set` does. Its seed is derived from
    /// that of the study and the point's index, unless an axis varies the seed.
    ///
    /// # Errors
    /// When the point is not a scenario; problems name the axis and the place of the value.
    pub fn get(&self, point: u64) -> Result<Loaded, Problems> {
        let mut document = self.stem.clone();
        let places = self.spec.places(point);
        for ((axis, [path_key, values_key]), place) in self.spec.axis.iter().zip(&self.keys).zip(&places) {
            let change = Change { path: &axis.path, path_key, value_key: &format!("{values_key}[{place}]") };
            let source = &self.loaded.source;
            source.put_into(&mut document, change).map_err(|message| source.problem(path_key, message))?;
        }
        if !self.spec.varies("seed") {
            document.set_seed(derived_seed(self.loaded.scenario.seed, point));
        }
        read(document, Vec::new())
            .map_err(|problems| Problems(problems.0.into_iter().map(|problem| self.of_point(problem, point)).collect()))
    }

    /// A point's problem as one of the study: told at the axis where a value or a path of it is at fault.
    fn of_point(&self, problem: Problem, point: u64) -> Problem {
        let source = &self.loaded.source;
        for (axis, place) in self.spec.places(point).into_iter().enumerate() {
            let [path_key, values_key] = &self.keys[axis];
            let path = &self.spec.axis[axis].path;
            if same_or_within(path, &problem.key) != Some(true) {
                continue;
            }
            let value_key = format!("{values_key}[{place}]");
            let unknown = problem.message.starts_with("unknown key");
            if problem.location == source.location(path_key) && unknown {
                return Problem { key: path_key.clone(), ..problem };
            }
            if problem.location == source.location(&value_key) {
                let message = format!("as {path}: {}", problem.message);
                return Problem { key: value_key, message, location: problem.location };
            }
        }
        let message = format!("at point {point} ({}): {}", self.spec.describe(point), problem.message);
        Problem { message, ..problem }
    }
}

/// Nothing is set on the command line in vain: the values of an axis would take its place at every point, without a word. In
/// the file a varied key may well have a value, the one that the scenario has without its study.
pub(super) fn check_arguments(loaded: &Loaded, overrides: &[String], seed: Option<u64>) -> Result<(), Problems> {
    let Some(study) = &loaded.scenario.study else { return Ok(()) };
    let seed = seed.map(|seed| (format!("--seed {seed}"), "seed"));
    let sets = overrides.iter().filter_map(|set| Some((format!("--set {set}"), set.split_once('=')?.0.trim())));
    let overwritten = |(argument, key): (String, &str)| {
        let axis = study.axis.iter().position(|axis| lies_within(key, &axis.path) == Some(true))?;
        let message = format!(
            "the study varies {}, whose values would take the place of this one at every point; set \
             study.axis[{axis}].values, or set another key",
            shorten(&study.axis[axis].path)
        );
        Some(Problem { location: Location::Argument { argument }, key: key.to_owned(), message })
    };
    let problems: Vec<Problem> = sets.chain(seed).filter_map(overwritten).collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// All points are scenarios; else the first few different problems of theirs.
pub(super) fn check(loaded: &Loaded) -> Result<(), Problems> {
    let Some(points) = Points::of(loaded) else { return Ok(()) };
    let mut seen: BTreeSet<(Location, String)> = BTreeSet::new();
    let mut problems = Vec::new();
    for point in 0..points.count() {
        let Err(found) = points.get(point) else { continue };
        for problem in found.0 {
            if seen.insert((problem.location.clone(), problem.key.clone())) {
                problems.push(problem);
            }
        }
        if problems.len() >= TOLD && point + 1 < points.count() {
            problems.truncate(TOLD);
            let further = "; further points have not been looked at";
            problems[TOLD - 1].message.push_str(further);
            break;
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems::sorted(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Rung, parse, resolve};

    fn study(axes: &str) -> Loaded {
        let overrides = [format!("study={{{axes}}}")];
        parse(resolve("double-well")[0].text, "test.toml", &overrides, None)
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn the_last_axis_runs_fastest() {
        let axes = "axis=[{path='sgd.learning_rate',values=[0.1,0.2]},{path='test.against',values=['gibbs','laplace','discrete']}]";
        let loaded = study(axes);
        let points = Points::of(&loaded).unwrap();
        let seen: Vec<(f64, Rung, u64)> = (0..points.count())
            .map(|index| points.get(index).unwrap().scenario)
            .map(|scenario| (scenario.sgd.unwrap().learning_rate, scenario.test.against, scenario.seed))
            .collect();
        let grid = [0.1, 0.2].map(|eta| [Rung::Gibbs, Rung::Laplace, Rung::Discrete].map(|rung| (eta, rung)));
        let expected: Vec<(f64, Rung, u64)> = grid
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(i, (eta, rung))| (eta, rung, derived_seed(1, i as u64)))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(points.spec().describe(5), "sgd.learning_rate = 0.2, test.against = \"discrete\"");
        assert!((0..6).all(|index| points.get(index).unwrap().scenario.study.is_none()));
    }

    #[test]
    fn zipped_axes_advance_together_and_seeds_may_vary() {
        let loaded =
            study("zip=true,axis=[{path='seed',values=[7,8]},{path='loss.parameters',values=[{tilt=0.2},{tilt=0.3}]}]");
        let points = Points::of(&loaded).unwrap();
        let seen: Vec<(u64, bool)> = (0..points.count())
            .map(|index| points.get(index).unwrap().scenario)
            .map(|scenario| (scenario.seed, scenario.to_toml().unwrap().contains("tilt = 0.3")))
            .collect();
        assert_eq!(seen, [(7, false), (8, true)]);
    }

    #[test]
    fn what_is_varied_is_found_by_its_key_and_by_its_table() {
        let loaded = study(
            "axis=[{path='loss.parameters.tilt',values=[0.2]},{path='sgd',values=[{learning_rate=1e-3,batch_size=1}]}]",
        );
        let spec = loaded.scenario.study.unwrap();
        for (key, varies) in [("loss", true), ("loss.parameters.tilt", true), ("sgd.batch_size", true), ("seed", false)]
        {
            assert_eq!(spec.varies(key), varies, "{key}");
        }
    }
}
