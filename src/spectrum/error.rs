//! Why a spectrum cannot be computed.

/// Why a spectrum cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpectrumError {
    /// The matrix has no rows.
    #[error("a matrix without rows has no spectrum")]
    Empty,
    /// A product of the operator, or a gradient, is infinite or not a number.
    #[error("{what} is not a finite number; the loss may be undefined or overflow at this point")]
    NotFinite {
        /// Which number, as text.
        what: String,
    },
    /// All d² numbers of the matrix are asked for, and they are too many.
    #[error(
        "the full spectrum takes {dimension}² numbers, which is done up to {limit}²; take the ends (Lanczos) or the density"
    )]
    TooLarge {
        /// The dimension d of the operator.
        dimension: usize,
        /// The largest dimension for which it is done.
        limit: usize,
    },
    /// A number of a plan is out of its range.
    #[error("{name} is {found}: it must be {allowed}")]
    Plan {
        /// The field of the plan.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: String,
    },
    /// Two things that must have one dimension do not.
    #[error("{what} has {found} numbers, expected {expected}")]
    Dimension {
        /// What is of the wrong size, as text.
        what: &'static str,
        /// What it has.
        found: usize,
        /// What it should have.
        expected: usize,
    },
    /// The QL iteration found no eigenvalue in many steps, which is not known to happen to finite numbers.
    #[error("the eigenvalues of a tridiagonal matrix were not found in {0} iterations")]
    Iterations(usize),
}

impl SpectrumError {
    /// A plan's number that is out of its range.
    pub(super) fn plan(name: &'static str, found: impl ToString, allowed: impl ToString) -> Self {
        Self::Plan { name, found: found.to_string(), allowed: allowed.to_string() }
    }
}
