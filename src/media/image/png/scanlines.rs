//! Filtered scanlines (what a PNG deflates) to samples plus filter types, and back; interlaced pictures pass by pass.
//!
//! What must stay true: every size is computed in 64 bits and checked before anything is allocated by it.

use std::ops::ControlFlow;

use super::filter::{MAX_FILTER, apply, undo};
use super::layout::Header;

/// The rows of one pass (the only one, when there is no interlace).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pass {
    row_bytes: u64,
    rows: u64,
}

/// The shape of the samples of a PNG.
#[derive(Debug, Clone)]
pub struct Shape {
    passes: Vec<Pass>,
    /// Bytes a pixel, at least 1: the distance at which the filters look back.
    pub unit: usize,
}

/// Adam7 (PNG specification, section 8): first column, first row, and the steps between them, of each pass.
const ADAM7: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

impl Shape {
    /// The shape that a header says.
    pub fn of(h: Header) -> Self {
        let bits = u64::from(h.channels()) * u64::from(h.depth);
        let pass = |width: u32, rows: u32| Pass { row_bytes: (u64::from(width) * bits).div_ceil(8), rows: rows.into() };
        let passes = if h.interlaced {
            let size = |n: u32, first: u32, step: u32| n.saturating_sub(first).div_ceil(step);
            ADAM7
                .iter()
                .map(|&(x, y, dx, dy)| pass(size(h.width, x, dx), size(h.height, y, dy)))
                .filter(|p| p.row_bytes > 0 && p.rows > 0)
                .collect()
        } else {
            vec![pass(h.width, h.height)]
        };
        Self { passes, unit: bits.div_ceil(8) as usize }
    }

    /// The number of rows, which is the number of filter types.
    pub fn rows(&self) -> u64 {
        self.passes.iter().map(|p| p.rows).sum()
    }

    /// Bytes of all samples, or none when they do not fit 64 bits.
    pub fn sample_bytes(&self) -> Option<u64> {
        self.passes.iter().try_fold(0u64, |sum, p| sum.checked_add(p.rows.checked_mul(p.row_bytes)?))
    }

    /// Bytes of all filtered scanlines: the samples and a filter type a row.
    pub fn filtered_bytes(&self) -> Option<u64> {
        self.sample_bytes()?.checked_add(self.rows())
    }

    /// Bytes from a row to the next, 0 when it varies or is larger than 32 bits.
    pub fn stride(&self) -> u32 {
        match self.passes[..] {
            [p] => u32::try_from(p.row_bytes).unwrap_or(0),
            _ => 0,
        }
    }

    /// Turns filtered scanlines into samples, in place; returns the filter types, or none when one is unknown. `scanlines`
    /// has the length [`filtered_bytes`](Self::filtered_bytes).
    pub fn unfilter(&self, scanlines: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut filters = Vec::with_capacity(self.rows() as usize);
        let (mut from, mut to) = (0, 0);
        for pass in &self.passes {
            let n = pass.row_bytes as usize;
            for y in 0..pass.rows {
                let filter = scanlines[from];
                if filter > MAX_FILTER {
                    return None;
                }
                filters.push(filter);
                scanlines.copy_within(from + 1..from + 1 + n, to);
                let (above, row) = scanlines.split_at_mut(to);
                let above = if y == 0 { &[] } else { &above[to - n..] };
                undo(filter, &mut row[..n], above, self.unit);
                from += n + 1;
                to += n;
            }
        }
        scanlines.truncate(to);
        Some(filters)
    }

    /// Hands out the filtered scanlines of `samples` in pieces of some ten thousand bytes. `filters` has
    /// [`rows`](Self::rows) entries, each at most [`MAX_FILTER`], and `samples` [`sample_bytes`](Self::sample_bytes).
    pub fn filtered<B>(
        &self,
        samples: &[u8],
        filters: &[u8],
        mut take: impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (mut rest, mut filters, mut filtering) = (samples, filters.iter().copied(), Filtering::new(self.unit));
        for pass in &self.passes {
            let (samples, after) = rest.split_at((pass.rows * pass.row_bytes) as usize);
            rest = after;
            filtering.above.clear();
            filtering.rows(pass.row_bytes as usize, samples, &mut filters, &mut take)?;
        }
        filtering.finish(take)
    }
}

/// Applies filters to rows as they come.
pub struct Filtering {
    unit: usize,
    /// The last row; empty before the first of a pass.
    above: Vec<u8>,
    /// Filtered rows that are not handed out yet.
    buffer: Vec<u8>,
}

impl Filtering {
    const PIECE: usize = 1 << 16;

    /// Before the first row; pixels of `unit` bytes.
    pub fn new(unit: usize) -> Self {
        Self { unit, above: Vec::new(), buffer: Vec::with_capacity(Self::PIECE) }
    }

    /// The next rows, of `n` bytes each, whose filters come next; hands pieces out as they become full.
    pub fn rows<B>(
        &mut self,
        n: usize,
        samples: &[u8],
        filters: &mut impl Iterator<Item = u8>,
        take: &mut impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut above = &self.above[..];
        for row in samples.chunks_exact(n) {
            let filter = filters.next().unwrap_or(0);
            let start = self.buffer.len();
            self.buffer.push(filter);
            self.buffer.resize(start + 1 + n, 0);
            apply(filter, row, above, self.unit, &mut self.buffer[start + 1..]);
            above = row;
            if self.buffer.len() >= Self::PIECE {
                take(&self.buffer)?;
                self.buffer.clear();
            }
        }
        self.above = above.to_vec();
        ControlFlow::Continue(())
    }

    /// Hands out what is left.
    pub fn finish<B>(&mut self, mut take: impl FnMut(&[u8]) -> ControlFlow<B>) -> ControlFlow<B> {
        if self.buffer.is_empty() { ControlFlow::Continue(()) } else { take(&self.buffer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(width: u32, height: u32, depth: u8, colour: u8, interlaced: bool) -> Header {
        Header { width, height, depth, colour, interlaced }
    }

    #[test]
    fn sizes() {
        let s = Shape::of(header(10, 3, 1, 0, false));
        assert_eq!((s.sample_bytes(), s.filtered_bytes(), s.stride(), s.unit), (Some(6), Some(9), 2, 1));
        let s = Shape::of(header(5, 4, 16, 6, false));
        assert_eq!((s.sample_bytes(), s.stride(), s.unit), (Some(160), 40, 8));
        // the passes of Adam7 together have every pixel once
        for (w, h) in [(1, 1), (1, 9), (9, 1), (5, 5), (8, 8), (33, 17)] {
            let s = Shape::of(header(w, h, 8, 2, true));
            assert_eq!(s.sample_bytes(), Some(u64::from(w) * u64::from(h) * 3), "{w}x{h}");
        }
        let huge = Shape::of(header(0x7fff_ffff, 0x7fff_ffff, 16, 6, false));
        assert_eq!(huge.sample_bytes(), None);
    }

    #[test]
    fn filtering_inverts_unfiltering() {
        for interlaced in [false, true] {
            let shape = Shape::of(header(13, 11, 8, 2, interlaced));
            let n = shape.filtered_bytes().unwrap() as usize;
            let mut scanlines: Vec<u8> = (0..n).map(|i| (i * i / 7) as u8).collect();
            let mut at = 0;
            for pass in &shape.passes {
                for y in 0..pass.rows {
                    scanlines[at] = (y % 5) as u8;
                    at += 1 + pass.row_bytes as usize;
                }
            }
            let original = scanlines.clone();
            let filters = shape.unfilter(&mut scanlines).unwrap();
            let mut back = Vec::new();
            let flow = shape.filtered(&scanlines, &filters, |b| {
                back.extend_from_slice(b);
                ControlFlow::<()>::Continue(())
            });
            assert!(flow.is_continue());
            assert_eq!(back, original);
        }
    }
}
