//! Numbers only: item response theory, reliability, rater agreement and change.

pub mod graded;
pub mod models;
pub mod posterior;
