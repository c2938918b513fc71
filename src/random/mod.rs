//! One random stream per trajectory, a pure function of (seed, trajectory).
//!
//! Randomness is addressed, not passed along: trajectory k of a run can be replayed alone, and results do not depend
//! on how trajectories are grouped into blocks or threads.
//!
//! Version 2 of the stream. Let φ = 0x9E3779B97F4A7C15 and mix be the finaliser of SplitMix64 (Steele, Lea & Flood
//! 2014). The four words of xoshiro256++ (Blackman & Vigna 2021) are
//! wᵢ = mix(mix(mix(seed + φ) + (i+1)φ + purpose) + (trajectory+1)φ), i = 0 … 3. For a fixed seed each word is a
//! bijection of the trajectory's index, so no two trajectories of a run share a state. Every three words of the generator give
//! four standard normals by Box and Muller's method in single precision (`normal.rs` says how, bit by bit), or every word gives four
//! binomial increments (`binomial.rs`); a step of a d-dimensional dynamics takes the next d of them. Version 1 made two normals of two
//! words in double precision.

pub mod batches;
mod binomial;
mod generator;
pub mod increments;
mod normal;
pub mod stream;

/// Version of the map (seed, trajectory) → sequence. Golden values in the tests hold it fixed.
pub const STREAM_VERSION: u32 = 2;

const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a stream is for: different purposes of one trajectory never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The increments of the dynamics.
    Dynamics,
    /// The place where the trajectory starts.
    Start,
    /// The search for minima and saddles.
    Landscape,
    /// The moves of the sampler of exp(−L/T), and the choices between them. A prediction is a pure function of the
    /// case: its seed is fixed ([`crate::theory::gibbs::sampler::SEED`]) and not that of the scenario.
    Sampler,
    /// Whether the sampler's moves are accepted.
    SamplerChoice,
    /// The multipliers of a bootstrap.
    Bootstrap,
    /// The first weights of a network.
    Initialization,
    /// The examples of a data set: drawn, chosen, put in order, corrupted. The trajectory's index says which of these.
    Data,
    /// The vectors from which eigenvalues are looked for.
    Lanczos,
    /// The probe vectors of traces and spectral densities.
    Probe,
    /// The vectors that span what is summed exactly of a trace.
    Sketch,
    /// The choice of examples that an alignment of noise and curvature is sampled with.
    ChosenExamples,
    /// Which examples are in the minibatches of the dynamics.
    Batches,
    /// The Gaussian noise of a network's training.
    TrainingNoise,
    /// The examples of a synthetic data set; its seed is the data's own and not that of the scenario.
    Examples,
    /// Random subsets whose sums are a prediction: its seed is fixed, as that of the sampler.
    PredictedSubsets,
}

impl Purpose {
    fn key(self) -> u64 {
        match self {
            Purpose::Dynamics => 0,
            Purpose::Start => 0xD1B5_4A32_D192_ED03,
            Purpose::Landscape => 0xA076_1D64_78BD_642F,
            Purpose::Sampler => 0xE703_7ED1_A0B4_28DB,
            Purpose::SamplerChoice => 0x8EBC_6AF0_9C88_C6E3,
            Purpose::Bootstrap => 0x5899_65CC_7537_4CC3,
            Purpose::Initialization => 0xB492_B66F_BE98_F273,
            Purpose::Data => 0xC2B2_AE3D_27D4_EB4F,
            Purpose::Lanczos => 0x1D8E_4E27_C47D_124F,
            Purpose::Probe => 0xEB44_ACCA_B455_D165,
            Purpose::Sketch => 0x9C2E_11B7_6D8F_3A59,
            Purpose::ChosenExamples => 0x3F84_D5B5_B547_0917,
            Purpose::Batches => 0x2D35_8DCC_AA6C_78A5,
            Purpose::TrainingNoise => 0x6C8E_9CF5_7093_2BD5,
            Purpose::Examples => 0x8BB8_4B93_962E_ACC9,
            Purpose::PredictedSubsets => 0x4B33_A62E_D433_D4A3,
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The seed of part `index` of an experiment that runs several ensembles, or of a point of a study: unrelated to the
/// seed itself and to those of the other parts. It fits into the 63 bits that a scenario's `seed` may have.
pub fn derived_seed(seed: u64, index: u64) -> u64 {
    mix(mix(seed.wrapping_add(GOLDEN_RATIO)).wrapping_add(GOLDEN_RATIO.wrapping_mul(index.wrapping_add(1)))) >> 1
}

/// The four words from which the generator of a trajectory starts.
pub fn initial_state(seed: u64, trajectory: u64, purpose: Purpose) -> [u64; 4] {
    let root = mix(seed.wrapping_add(GOLDEN_RATIO));
    std::array::from_fn(|i| {
        let row = mix(root.wrapping_add(GOLDEN_RATIO.wrapping_mul(i as u64 + 1)).wrapping_add(purpose.key()));
        mix(row.wrapping_add(GOLDEN_RATIO.wrapping_mul(trajectory.wrapping_add(1))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two purposes of one key would share their numbers, which nothing else would betray.
    #[test]
    fn no_two_purposes_share_a_key() {
        use Purpose::*;
        let early = [Dynamics, Start, Landscape, Sampler, SamplerChoice, Bootstrap, Initialization];
        let late = [Data, Lanczos, Probe, Sketch, ChosenExamples, Batches, TrainingNoise, Examples, PredictedSubsets];
        let mut keys: Vec<u64> = early.into_iter().chain(late).map(Purpose::key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 16);
    }

    #[test]
    fn derived_seeds_differ_and_fit_into_a_scenario() {
        let mut seeds: Vec<u64> =
            (0..50).flat_map(|seed| (0..50).map(move |index| derived_seed(seed, index))).collect();
        assert!(seeds.iter().all(|&seed| i64::try_from(seed).is_ok()));
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 2_500);
    }
}
