//! The samples of a tile while it is coded, with margins so that a window is a few straight copies.
//!
//! # Padding
//! A neighbour outside the tile is clamped to the nearest row and column of the tile. Where that is not coded yet (it lies
//! in the current row at or behind the current column), the sample to the left is taken; in the first column the first
//! sample of the row above; at the very first position 128.

use crate::spec::Offset;

/// Samples of a tile in coding order of the channels, filled while it is coded.
#[derive(Debug)]
pub struct Field {
    width: usize,
    height: usize,
    channels: usize,
    /// Margins that windows reach into.
    top: usize,
    side: usize,
    stride: usize,
    plane: usize,
    /// `[channels][top + height][stride]`, and some slack for copies of whole blocks.
    samples: Vec<u8>,
}

/// Samples that one copy moves.
pub(super) const BLOCK: usize = 16;

impl Field {
    /// An empty tile; windows reach at most `reach` rows and columns away.
    pub fn new(width: usize, height: usize, channels: usize, reach: usize) -> Self {
        let stride = width + 2 * reach;
        let plane = (height + reach + 1) * stride;
        let samples = vec![128; plane * channels + BLOCK];
        Self { width, height, channels, top: reach, side: reach, stride, plane, samples }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }
    /// Samples a position.
    pub fn channels(&self) -> usize {
        self.channels
    }

    #[inline]
    fn index(&self, channel: usize, row: usize, column: usize) -> usize {
        channel * self.plane + (self.top + row) * self.stride + self.side + column
    }

    /// A sample that was set.
    #[inline]
    pub fn get(&self, channel: usize, row: usize, column: usize) -> u8 {
        self.samples[self.index(channel, row, column)]
    }

    /// Sets a sample that has just become known, and the margins that follow from it.
    #[inline]
    pub fn set(&mut self, channel: usize, row: usize, column: usize, value: u8) {
        let at = self.index(channel, row, column);
        self.samples[at] = value;
        if row == 0 || column == 0 || column + 1 == self.width {
            self.set_margins(at, row, column, value);
        }
    }

    #[cold]
    fn set_margins(&mut self, at: usize, row: usize, column: usize, value: u8) {
        // Samples that share this one's clamped position: margins left and right, and the rows above the first.
        let left = if column == 0 { self.side } else { 0 };
        let right = if column + 1 == self.width { self.side } else { 0 };
        for up in 0..=(if row == 0 { self.top } else { 0 }) {
            let line = at - up * self.stride;
            self.samples[line - left..=line + right].fill(value);
        }
        if column == 0 {
            // Until the next row has its own first sample, this one stands for it.
            let next = at + self.stride;
            self.samples[next - self.side..next].fill(value);
        }
    }

    /// The window's run of samples that begins at `offset`: [`BLOCK`] of them, of which the first ones matter.
    #[inline]
    pub(super) fn block(&self, channel: usize, row: usize, column: usize, offset: Offset) -> &[u8; BLOCK] {
        let at = self.index(channel, row, column) as isize + offset.row as isize * self.stride as isize;
        let at = (at + offset.column as isize) as usize;
        self.samples[at..at + BLOCK].first_chunk().expect("a block is that long")
    }

    /// A neighbour by the rule of padding, whatever the position.
    pub fn neighbour(&self, channel: usize, row: usize, column: usize, offset: Offset) -> u8 {
        let y = (row as i64 + i64::from(offset.row)).max(0) as usize;
        let x = (column as i64 + i64::from(offset.column)).clamp(0, self.width as i64 - 1) as usize;
        if y < row || x < column {
            self.get(channel, y, x)
        } else if column > 0 {
            self.get(channel, row, column - 1)
        } else if row > 0 {
            self.get(channel, row - 1, 0)
        } else {
            128
        }
    }
}
