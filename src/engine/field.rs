//! The samples of a band of rows while it is coded, with margins so that a window is a few straight copies.
//!
//! # Padding
//! A column outside the picture is clamped to the nearest one. A row above the picture is the first row, shifted right by
//! as many columns as it lies above (repeating it straight would look like a perfectly vertical texture and make a network
//! that never saw a border too sure; the difference is 0.8 % of a picture of 100 rows). Where the sample so found is not
//! coded yet (it lies in the current row at or behind the current column), the sample to the left is taken; in the first
//! column the first sample of the row above; at the very first position 128.

use crate::spec::Offset;

/// Samples of a band in coding order of the channels, filled while it is coded.
#[derive(Debug)]
pub struct Field {
    width: usize,
    channels: usize,
    /// Rows above and columns beside the band that windows reach into.
    reach: usize,
    /// Whether the band begins at the picture's first row.
    first: bool,
    stride: usize,
    plane: usize,
    /// `[channels][reach + height + 1][stride]`, and some slack for copies of whole blocks.
    samples: Vec<u8>,
}

/// Samples that one copy moves.
pub(super) const BLOCK: usize = 16;

impl Field {
    /// A band without samples; windows reach at most `reach` rows up and columns to each side. Unless it is the picture's
    /// `first` band, the rows above it are set like its own.
    pub fn new(width: usize, height: usize, channels: usize, reach: usize, first: bool) -> Self {
        let stride = width + 2 * reach;
        let plane = (height + reach + 1) * stride;
        let samples = vec![128; plane * channels + BLOCK];
        Self { width, channels, reach, first, stride, plane, samples }
    }

    /// Samples a position.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows above the band have negative numbers, down to `-reach`.
    #[inline(always)]
    pub(super) fn index(&self, channel: usize, row: isize, column: usize) -> usize {
        channel * self.plane + (self.reach as isize + row) as usize * self.stride + self.reach + column
    }

    /// A sample that was set; `row` may be one of the rows above.
    #[inline]
    pub fn get(&self, channel: usize, row: isize, column: usize) -> u8 {
        self.samples[self.index(channel, row, column)]
    }

    /// A sample that was set, or one in the margins beside the band and above the picture that follows from those set;
    /// `row` and `column` may lie outside by the reach.
    #[inline]
    pub fn near(&self, channel: usize, row: isize, column: isize) -> u8 {
        let at = self.index(channel, row, 0) as isize + column;
        self.samples[at as usize]
    }

    /// Sets a sample that has just become known, and the margins that follow from it.
    #[inline]
    pub fn set(&mut self, channel: usize, row: isize, column: usize, value: u8) {
        let at = self.index(channel, row, column);
        self.samples[at] = value;
        if column == 0 || column + 1 == self.width {
            self.set_sides(at, column, value);
        }
        if self.first && row == 0 {
            self.set_rows_above(at, column, value);
        }
    }

    #[cold]
    fn set_sides(&mut self, at: usize, column: usize, value: u8) {
        if column + 1 == self.width {
            self.samples[at + 1..=at + self.reach].fill(value);
        }
        if column == 0 {
            self.samples[at - self.reach..at].fill(value);
        }
    }

    #[cold]
    fn set_rows_above(&mut self, at: usize, column: usize, value: u8) {
        for up in 1..=self.reach {
            let line = at - column - up * self.stride;
            let from = if column == 0 { line - self.reach } else { line + column + up };
            let end = line + self.width + self.reach;
            let to = if column + 1 == self.width { end } else { (line + column + up + 1).min(end) };
            if from < to {
                self.samples[from..to].fill(value);
            }
        }
    }

    /// The run of samples that begins at `offset` from the one with index `at`: [`BLOCK`] of them, of which the first ones
    /// matter.
    #[inline(always)]
    pub(super) fn block(&self, at: usize, offset: Offset) -> [u8; BLOCK] {
        let away = isize::from(offset.row) * self.stride as isize + isize::from(offset.column);
        let at = at.wrapping_add_signed(away);
        *self.samples[at..at + BLOCK].first_chunk().expect("a block is that long")
    }

    /// Whether a window may hold samples that are not coded yet, so that it must be gathered by [`neighbour`](Self::neighbour).
    #[inline]
    pub(super) fn is_edge(&self, row: usize, column: usize) -> bool {
        column == 0 || (self.first && row == 0)
    }

    /// A neighbour by the rule of padding, at the picture's first row or column.
    pub(super) fn neighbour(&self, channel: usize, row: usize, column: usize, offset: Offset) -> u8 {
        let y = row as i64 + i64::from(offset.row);
        let above = if self.first { y.min(0) } else { 0 };
        let x = (column as i64 + i64::from(offset.column) + above).clamp(0, self.width as i64 - 1) as usize;
        let y = y - above;
        match (y < row as i64 || x < column, column, self.first && row == 0) {
            (true, _, _) => self.get(channel, y as isize, x),
            (false, 1.., _) => self.get(channel, row as isize, column - 1),
            (false, 0, false) => self.get(channel, row as isize - 1, 0),
            (false, 0, true) => 128,
        }
    }
}
