//! Numbers whose first stands at the start of a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector there is.
const LINE: usize = 64;

/// A fixed number of `f64`.
pub(crate) type Aligned = Lined<f64>;

/// A fixed number of `f32`.
pub(crate) type Short = Lined<f32>;

/// Numbers from the start of a cache line on. Allocators place large blocks 16 bytes behind a
/// page, so that every second vector of four `f64` would straddle two lines; here rows of whole
/// lines never do.
#[derive(Debug, Default)]
pub(crate) struct Lined<T> {
    buffer: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy + Default> Lined<T> {
    pub(crate) fn zeros(len: usize) -> Self {
        let buffer = vec![T::default(); len + LINE / size_of::<T>() - 1];
        // Where no alignment can be had the numbers are the same, only slower.
        let start = buffer.as_ptr().align_offset(LINE);
        let start = if start < LINE / size_of::<T>() { start } else { 0 };
        Self { buffer, start, len }
    }

    pub(crate) fn of(values: &[T]) -> Self {
        let mut own = Self::zeros(values.len());
        own.copy_from_slice(values);
        own
    }
}

impl<T: Copy + Default> Clone for Lined<T> {
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl<T> Deref for Lined<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.buffer[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Lined<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.buffer[self.start..self.start + self.len]
    }
}
