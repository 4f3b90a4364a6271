//! A picture as one of the eight symmetries of the square shows it, and the causal window at any of its positions.
//!
//! What must stay true: a window is what the coder would see at that position of the transformed picture, borders included
//! (`engine::reference::neighbour` is the definition; a test compares at every position).

use crate::spec::Offset;

/// A symmetry of the square: bit 0 mirrors the columns, bit 1 flips the rows, bit 2 exchanges rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symmetry(u8);

impl Symmetry {
    /// The picture as it is.
    pub const IDENTITY: Self = Self(0);
    /// All eight.
    pub const ALL: [Self; 8] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6), Self(7)];
}

/// A window's offsets and how far they reach.
#[derive(Debug)]
pub struct Window<'a> {
    offsets: &'a [Offset],
    up: usize,
    left: usize,
    right: usize,
    /// Whether every offset lies before the position in raster order, as a spec's do.
    causal: bool,
    /// First and last offset of each row.
    rows: Vec<Offset>,
    /// First and last offset of each column.
    columns: Vec<Offset>,
}

impl<'a> Window<'a> {
    /// The window of these offsets.
    pub fn new(offsets: &'a [Offset]) -> Self {
        let far = |distance: fn(&Offset) -> i16| offsets.iter().map(distance).max().unwrap_or(0).max(0) as usize;
        Self {
            offsets,
            up: far(|o| -o.row),
            left: far(|o| -o.column),
            right: far(|o| o.column),
            causal: offsets.iter().all(|o| o.row < 0 || (o.row == 0 && o.column < 0)),
            rows: ends(offsets, |o| (o.row, o.column)),
            columns: ends(offsets, |o| (o.column, o.row)),
        }
    }

    /// Samples of a window: three channels.
    pub fn samples(&self) -> usize {
        3 * self.offsets.len()
    }

    /// Rows above, columns to the left and columns to the right that the window reaches.
    pub fn reach(&self) -> [usize; 3] {
        [self.up, self.left, self.right]
    }
}

/// The first and last offset of each line.
fn ends(offsets: &[Offset], line_and_place: fn(&Offset) -> (i16, i16)) -> Vec<Offset> {
    let mut sorted = offsets.to_vec();
    sorted.sort_by_key(line_and_place);
    let mut ends = Vec::new();
    for line in sorted.chunk_by(|a, b| line_and_place(a).0 == line_and_place(b).0) {
        ends.extend([line[0], line[line.len() - 1]]);
    }
    ends
}

/// A picture under a symmetry. Its rows and columns are those of the transformed picture.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// `[row][column][3]` of the picture as it is stored.
    samples: &'a [u8],
    height: usize,
    width: usize,
    /// Where the view's first position lies, and the steps from row to row and column to column, in pixels.
    origin: isize,
    row: isize,
    column: isize,
}

impl<'a> View<'a> {
    /// The view of a stored picture: `samples` is `[height][width][3]`.
    pub fn new(samples: &'a [u8], height: usize, width: usize, symmetry: Symmetry) -> Self {
        assert_eq!(samples.len(), height * width * 3);
        let (mirrored, flipped, transposed) = (symmetry.0 & 1 != 0, symmetry.0 & 2 != 0, symmetry.0 & 4 != 0);
        let (down, across) = (width as isize, 1);
        let origin = if flipped { (height as isize - 1) * down } else { 0 } + if mirrored { down - 1 } else { 0 };
        let (row, column) = (if flipped { -down } else { down }, if mirrored { -across } else { across });
        if transposed {
            Self { samples, height: width, width: height, origin, row: column, column: row }
        } else {
            Self { samples, height, width, origin, row, column }
        }
    }

    /// Rows of the view.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of the view.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Index of a position's first sample.
    #[inline]
    fn index(&self, row: isize, column: isize) -> usize {
        (self.origin + row * self.row + column * self.column) as usize * 3
    }

    /// The three samples of a position.
    #[inline]
    pub fn pixel(&self, row: usize, column: usize) -> [u8; 3] {
        let at = self.index(row as isize, column as isize);
        [self.samples[at], self.samples[at + 1], self.samples[at + 2]]
    }

    /// Reads a sample of each row (or column, where rows and columns are exchanged) of a position's window, for what that
    /// does to the processor's cache: the window is there when it is wanted.
    #[inline]
    pub fn touch(&self, window: &Window, row: usize, column: usize) -> u8 {
        let mut seen = 0;
        if self.is_inside(window, row, column) {
            for offset in if self.column.abs() == 1 { &window.rows } else { &window.columns } {
                let row = row as isize + isize::from(offset.row);
                seen ^= self.samples[self.index(row, column as isize + isize::from(offset.column))];
            }
        }
        seen
    }

    /// Whether the window lies in the picture and before the position.
    #[inline]
    fn is_inside(&self, window: &Window, row: usize, column: usize) -> bool {
        window.causal && row >= window.up && column >= window.left && column + window.right < self.width
    }

    /// Writes the window of a position to `out`, channel after channel.
    #[inline]
    pub fn window(&self, window: &Window, row: usize, column: usize, out: &mut [u8]) {
        let count = window.offsets.len();
        assert_eq!(out.len(), 3 * count);
        let (first, rest) = out.split_at_mut(count);
        let (second, third) = rest.split_at_mut(count);
        let places = first.iter_mut().zip(second).zip(third).zip(window.offsets);
        if self.is_inside(window, row, column) {
            let samples = self.samples;
            for (((a, b), c), offset) in places {
                let row = row as isize + isize::from(offset.row);
                let at = self.index(row, column as isize + isize::from(offset.column));
                let pixel = &samples[at..at + 3];
                (*a, *b, *c) = (pixel[0], pixel[1], pixel[2]);
            }
        } else {
            for (((a, b), c), offset) in places {
                [*a, *b, *c] = match source(self.width, row, column, *offset) {
                    Some((row, column)) => self.pixel(row, column),
                    None => [NOTHING; 3],
                };
            }
        }
    }
}

/// What the first position of a picture sees.
pub const NOTHING: u8 = 128;

/// The position whose sample stands for a neighbour, by the rule of padding; `None` at the very first position.
fn source(width: usize, row: usize, column: usize, offset: Offset) -> Option<(usize, usize)> {
    let y = row as i64 + i64::from(offset.row);
    let x = (column as i64 + i64::from(offset.column) + y.min(0)).clamp(0, width as i64 - 1) as usize;
    let y = y.max(0) as usize;
    match (y < row || (y == row && x < column), column, row) {
        (true, _, _) => Some((y, x)),
        (false, 1.., _) => Some((row, column - 1)),
        (false, 0, 1..) => Some((row - 1, 0)),
        (false, 0, 0) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference::{Picture, neighbour};
    use crate::train::data::random::Random;
    use crate::zoo::window;

    /// `planes[channel][row][column]` after the symmetry, by moving whole arrays.
    fn transformed(planes: &Picture, symmetry: Symmetry) -> Picture {
        let one = |plane: &Vec<Vec<u8>>| {
            let mut plane = plane.clone();
            if symmetry.0 & 1 != 0 {
                plane.iter_mut().for_each(|row| row.reverse());
            }
            if symmetry.0 & 2 != 0 {
                plane.reverse();
            }
            if symmetry.0 & 4 != 0 {
                plane = (0..plane[0].len()).map(|x| plane.iter().map(|row| row[x]).collect()).collect();
            }
            plane
        };
        planes.iter().map(one).collect()
    }

    #[test]
    fn windows_are_the_coders_at_every_position_of_every_symmetry() {
        let mut random = Random::new(&[1]);
        let far: Vec<Offset> =
            [(-7, -9), (-7, 9), (-1, 0), (0, -1), (0, -12), (-3, 11)].map(|(r, c)| Offset::new(r, c)).into();
        for (height, width) in [(13, 17), (17, 13), (5, 4), (1, 9), (9, 1), (1, 1), (2, 2), (3, 30)] {
            let samples: Vec<u8> = (0..height * width * 3).map(|_| random.bits() as u8).collect();
            let plane =
                |c| samples.chunks(width * 3).map(|row| row.iter().skip(c).step_by(3).copied().collect()).collect();
            let planes: Picture = (0..3).map(plane).collect();
            for symmetry in Symmetry::ALL {
                let expected = transformed(&planes, symmetry);
                let view = View::new(&samples, height, width, symmetry);
                assert_eq!((view.height(), view.width()), (expected[0].len(), expected[0][0].len()));
                for offsets in [window::offsets(1), window::offsets(5), window::offsets(7), far.clone()] {
                    let shape = Window::new(&offsets);
                    let mut out = vec![0; shape.samples()];
                    for (row, column) in (0..view.height()).flat_map(|r| (0..view.width()).map(move |c| (r, c))) {
                        view.window(&shape, row, column, &mut out);
                        let pixel = view.pixel(row, column);
                        for (c, plane) in expected.iter().enumerate() {
                            assert_eq!(pixel[c], plane[row][column]);
                            for (k, offset) in offsets.iter().enumerate() {
                                let right = neighbour(plane, row, column, *offset);
                                let got = i64::from(out[c * offsets.len() + k]);
                                assert_eq!(got, right, "{height}x{width} {symmetry:?} {row},{column} {offset:?}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_symmetries_are_eight_different_ones() {
        let samples: Vec<u8> = (0..27).collect();
        let views = Symmetry::ALL.map(|s| {
            let view = View::new(&samples, 3, 3, s);
            (0..9).map(|i| view.pixel(i / 3, i % 3)[0]).collect::<Vec<u8>>()
        });
        for (i, a) in views.iter().enumerate() {
            assert!(views[..i].iter().all(|b| a != b), "{i}");
        }
        assert_eq!(views[0], (0..9).map(|i| i * 3).collect::<Vec<u8>>());
    }
}
