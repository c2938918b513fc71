//! Elementary functions whose bits are the same on every machine.
//!
//! `std` hands `exp`, `ln`, `sin` and friends to the C library, which picks an implementation by CPU. Whatever
//! reaches a result therefore goes through this module: `libm` (pure Rust) or a branch-free polynomial that the
//! compiler can vectorise. Only `+ − × ÷ √`, which IEEE 754 fixes to the last bit, are used from `std`.

/// eˣ.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Natural logarithm.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}
