//! From replicas to estimates, and from estimates to verdicts. Knows nothing of SGD.
pub mod claim;
