//! What the figures of curvature at equal loss are drawn from.

/// Curvature against η/S.
#[derive(Clone, Debug, PartialEq)]
pub struct WidthFigure {
    /// Names of the measures of curvature.
    pub measures: Vec<String>,
    /// The groups, by rising η/S and rising S.
    pub places: Vec<WidthPlace>,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct WidthPlace {
    /// η/S, the same to the bit for groups where it is equal.
    pub ratio: f64,
    /// η.
    pub learning_rate: f64,
    /// S.
    pub batch_size: u64,
    /// Its number among the groups of this ratio, from 0, by rising S.
    pub member: u64,
    /// Median of the training losses that were reached.
    pub loss: f64,
    /// One per measure.
    pub points: Vec<WidthPoint>,
}

/// A measure of one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WidthPoint {
    /// Over the replicas.
    pub median: f64,
    /// Low end of its 95 % interval.
    pub low: f64,
    /// High end of its 95 % interval.
    pub high: f64,
    /// Standard deviation of ln between replicas.
    pub deviation: f64,
    /// Relative error of a replica's own estimate, the median.
    pub error: f64,
}

/// The loss along the line between end points, θ(a) = (1 − a)θ₁ + aθ₂.
#[derive(Clone, Debug, PartialEq)]
pub struct ChordFigure {
    /// η/S at the two ends.
    pub ratios: [f64; 2],
    /// By how much the training loss rises at the edge of a valley.
    pub rise: f64,
    /// Replicas and what is along their lines.
    pub chords: Vec<(u64, Vec<ChordPoint>)>,
}

/// One place of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChordPoint {
    /// 0 at the first end, 1 at the second.
    pub a: f64,
    /// L over the training examples.
    pub training: f64,
    /// The mean loss over the test examples; NaN without any.
    pub test: f64,
}

/// A further file of a result, such as weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Where it goes in the folder of the result, with / between folders.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}
