//! The real program as its operator meets it: started, asked, stopped, killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod durability;
mod full_disk;
mod keeping;
mod killing;
mod measuring;
mod program;
#[path = "../../../base/tests/scratch/mod.rs"]
mod scratch;
#[path = "../it/smtp.rs"]
#[expect(dead_code, reason = "the HTTP tests use its other moods")]
mod smtp;
mod starting;
mod stopping;
