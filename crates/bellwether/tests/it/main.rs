//! HTTP tests: persons speak to the real router, over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod app;
mod attacking;
mod editing_the_site;
mod engines;
mod every_button;
mod every_link;
mod getting_in_touch;
mod keeping_control;
mod mail_delivery;
mod measuring;
mod over_the_wire;
mod persons;
mod reading;
mod reading_the_report;
mod records;
#[path = "../../../base/tests/scratch/mod.rs"]
mod scratch;
mod signing_up;
mod smtp;
mod taking_the_quiz;
