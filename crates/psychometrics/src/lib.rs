//! Numbers only: item response theory, reliability, rater agreement and change.
