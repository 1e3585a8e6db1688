//! HTTP tests: persons speak to the real router, over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod app;
mod getting_in_touch;
mod keeping_control;
mod mail_delivery;
mod persons;
mod reading;
mod signing_up;
mod smtp;
mod taking_the_quiz;
