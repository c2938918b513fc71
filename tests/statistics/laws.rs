//! Laws of single values, of mean 0, that statistics of replicas have to bear.

use rand::RngExt;

use crate::markov::Random;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    Normal,
    /// Exponential, of rate 1.
    Skewed,
    /// Student's with three degrees of freedom: no fourth moment.
    HeavyTailed,
    /// −1, 0 and 1 with probabilities ¼, ½, ¼.
    Clustered,
    /// Normal, every tenth three times as wide.
    Unequal,
}

impl Law {
    pub const ALL: [Law; 5] = [Law::Normal, Law::Skewed, Law::HeavyTailed, Law::Clustered, Law::Unequal];

    pub fn draw(self, random: &mut Random) -> f64 {
        let uniform = random.random::<f64>();
        match self {
            Law::Normal => normal(random),
            Law::Skewed => -(1.0 - uniform).ln() - 1.0,
            Law::HeavyTailed => {
                let squares: f64 = (0..3).map(|_| normal(random)).map(|z| z * z).sum();
                normal(random) / (squares / 3.0).sqrt()
            }
            Law::Clustered if uniform < 0.25 => -1.0,
            Law::Clustered if uniform < 0.75 => 0.0,
            Law::Clustered => 1.0,
            Law::Unequal if uniform < 0.1 => 3.0 * normal(random),
            Law::Unequal => normal(random),
        }
    }

    /// E|X − X′| of two independent draws.
    pub fn mean_distance(self) -> f64 {
        // Of normals whose variances sum to v: √(2v/π).
        let of_normals = |variance: f64| (2.0 * variance / std::f64::consts::PI).sqrt();
        match self {
            Law::Normal => of_normals(2.0),
            Law::Skewed => 1.0,
            // 2∫F(1 − F), by the midpoint rule on a sinh grid.
            Law::HeavyTailed => 1.653_986_686,
            // 2·(¼·½·1 + ½·¼·1 + ¼·¼·2).
            Law::Clustered => 0.75,
            Law::Unequal => 0.81 * of_normals(2.0) + 0.18 * of_normals(10.0) + 0.01 * of_normals(18.0),
        }
    }
}

pub fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
