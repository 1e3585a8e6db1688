//! Numbers only: item response theory, reliability, rater agreement and change.

pub mod graded;
pub mod posterior;
