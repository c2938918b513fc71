//! Which vector instructions a kernel is compiled for: the one place that asks the processor.
//!
//! A kernel is a plain function over arrays of lanes, without intrinsics. `vectorized` holds three compilations of it, for
//! AVX-512, for AVX2 and for whatever the target has anyway (SSE2, NEON, …), and calls the widest that the machine can run. None
//! of them contracts a product and a sum into one rounding, so all give the same bits.
//!
//! `SGD_SDE_INSTRUCTIONS=avx512`, `avx2` or `portable` in the environment forces one of them, to compare speeds and bits.

use std::sync::OnceLock;

use pulp::NullaryFnOnce;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

/// The environment variable that forces an instruction set.
pub const VARIABLE: &str = "SGD_SDE_INSTRUCTIONS";

/// A set of vector instructions that kernels are compiled for; those of x86-64 as proofs that this machine has them.
#[derive(Clone, Copy)]
enum InstructionSet {
    /// 512 bits: eight numbers at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
    /// 256 bits: four numbers at once.
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    /// What every processor of the target has.
    Portable,
}

/// What [`VARIABLE`] asks for cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstructionError {
    /// It names no instruction set.
    #[error("{VARIABLE} is {0:?}: it must be avx512, avx2 or portable, or not be set")]
    Unknown(String),
    /// This machine does not have it.
    #[error("{VARIABLE} asks for {0}, which this machine does not have; unset it")]
    Missing(String),
}

impl InstructionSet {
    /// The widest of this machine.
    fn widest() -> Self {
        Self::avx512().or_else(Self::avx2).unwrap_or(Self::Portable)
    }

    #[cfg(target_arch = "x86_64")]
    fn avx512() -> Option<Self> {
        V4::try_new().map(Self::Avx512)
    }

    #[cfg(target_arch = "x86_64")]
    fn avx2() -> Option<Self> {
        V3::try_new().map(Self::Avx2)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn avx512() -> Option<Self> {
        None
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn avx2() -> Option<Self> {
        None
    }

    /// What a value of [`VARIABLE`] stands for.
    fn asked_for(name: &str) -> Result<Self, InstructionError> {
        let found = match name {
            "avx512" => Self::avx512(),
            "avx2" => Self::avx2(),
            "portable" => Some(Self::Portable),
            _ => return Err(InstructionError::Unknown(name.into())),
        };
        found.ok_or_else(|| InstructionError::Missing(name.into()))
    }

    fn from_environment() -> Result<Self, InstructionError> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::widest()),
            Some(name) => Self::asked_for(&name.to_string_lossy()),
        }
    }

    fn title(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "x86-64 AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "x86-64 AVX2",
            Self::Portable if cfg!(target_arch = "x86_64") => "x86-64 SSE2",
            Self::Portable => std::env::consts::ARCH,
        }
    }

    #[inline(always)]
    fn call<K: NullaryFnOnce>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(proof) => proof.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(proof) => proof.vectorize(kernel),
            Self::Portable => kernel.call(),
        }
    }
}

/// The instruction set in use. What is forced in vain is told by [`check`]; whoever does not ask runs on the widest.
fn in_use() -> InstructionSet {
    static IN_USE: OnceLock<InstructionSet> = OnceLock::new();
    *IN_USE.get_or_init(|| InstructionSet::from_environment().unwrap_or_else(|_| InstructionSet::widest()))
}

/// Whether the environment forces an instruction set that cannot be had.
///
/// # Errors
/// Then, with what would do.
pub fn check() -> Result<(), InstructionError> {
    InstructionSet::from_environment().map(|_| ())
}

/// What people call the instruction set in use.
pub fn title() -> &'static str {
    in_use().title()
}

/// Calls `kernel` as it was compiled for the instruction set in use.
///
/// The closure and all that it calls must be marked `#[inline(always)]`: only what is inlined is compiled anew for each
/// instruction set.
#[inline(always)]
pub(crate) fn vectorized<R>(kernel: impl FnOnce() -> R) -> R {
    in_use().call(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documentation() {
        assert!(InstructionSet::asked_for("portable").is_ok());
        let error = InstructionSet::asked_for("sse9").err();
        assert_eq!(error, Some(InstructionError::Unknown("sse9".into())));
        assert!(error.is_some_and(|error| error.to_string().contains("avx512, avx2 or portable")));
    }

    /// What this module is for: every compilation of a kernel gives the same bits.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        #[inline(always)]
        fn kernel(x: &mut [f64; 64]) {
            for x in x.iter_mut() {
                *x = crate::math::exp(*x) * *x - x.sqrt() * 3.7 + 0.1 / *x;
            }
        }
        let start: [f64; 64] = std::array::from_fn(|i| 0.37 * (i + 1) as f64);
        let results: Vec<[f64; 64]> = ["avx512", "avx2", "portable"]
            .iter()
            .filter_map(|name| InstructionSet::asked_for(name).ok())
            .map(|set| {
                let mut x = start;
                set.call(
                    #[inline(always)]
                    || kernel(&mut x),
                );
                x
            })
            .collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]) && results[0] != start);
    }
}
