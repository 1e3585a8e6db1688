//! Numbers whose first stands at the start of a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector there is.
const LINE: usize = 64;

/// A fixed number of `f64`. Allocators place large blocks 16 bytes behind a page, so that every
/// second vector of four would straddle two lines; here rows of whole lines never do.
#[derive(Debug)]
pub(crate) struct Aligned {
    buffer: Vec<f64>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(crate) fn zeros(len: usize) -> Self {
        let buffer = vec![0.0; len + LINE / size_of::<f64>() - 1];
        // Where no alignment can be had the numbers are the same, only slower.
        let start = buffer.as_ptr().align_offset(LINE);
        let start = if start < LINE / size_of::<f64>() { start } else { 0 };
        Self { buffer, start, len }
    }

    pub(crate) fn of(values: &[f64]) -> Self {
        let mut own = Self::zeros(values.len());
        own.copy_from_slice(values);
        own
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl Deref for Aligned {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.buffer[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.buffer[self.start..self.start + self.len]
    }
}
