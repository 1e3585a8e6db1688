//! What people read: home, articles, programmes and the legal pages, made from Markdown files in the site.
//!
//! Everything here is the same for everybody, so each page is rendered once, at start, and answered from memory with its
//! ETag.

mod day;
mod feeds;
mod load;
mod markdown;
mod model;
mod pages;
mod samples;

pub use day::Day;
pub use model::{Article, Programme, Publication};
pub use pages::{Library, routes};
pub use samples::samples;
