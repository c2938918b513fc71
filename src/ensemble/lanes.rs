//! One number for each trajectory of a block, on cache lines of its own: a vector load across two lines costs double.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

use crate::lanes::LANES;

/// An array over the lanes of a block that begins with a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
#[repr(C, align(64))]
pub(super) struct Lanes<T>(#[serde(with = "BigArray")] pub [T; LANES]);

impl<T> Deref for Lanes<T> {
    type Target = [T; LANES];

    fn deref(&self) -> &[T; LANES] {
        &self.0
    }
}

impl<T> DerefMut for Lanes<T> {
    fn deref_mut(&mut self) -> &mut [T; LANES] {
        &mut self.0
    }
}
