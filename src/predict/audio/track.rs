//! The last samples of a channel, newest first.
//!
//! What must stay true: what lies before the first sample is 0.

/// Samples that can be seen, at most.
pub const SEEN: usize = 64;
/// Samples between two moves of what is seen to the end of its room.
const ROOM: usize = 4096;

/// The window.
#[derive(Debug)]
pub struct Track {
    values: Vec<f64>,
    /// The newest one.
    start: usize,
}

impl Default for Track {
    fn default() -> Self {
        Self { values: vec![0.0; ROOM + SEEN], start: ROOM }
    }
}

impl Track {
    /// Appends a sample.
    #[inline]
    pub fn push(&mut self, value: f64) {
        if self.start == 0 {
            self.values.copy_within(..SEEN, ROOM);
            self.start = ROOM;
        }
        self.start -= 1;
        self.values[self.start] = value;
    }

    /// The newest `count` samples, at most [`SEEN`].
    #[inline]
    pub fn newest(&self, count: usize) -> &[f64] {
        &self.values[self.start..][..count]
    }
}
