//! The samples of a channel while they are coded, and the errors of their predictions, with margins.
//!
//! What must stay true: what is read was set before, or stands in a margin that follows from what was set.

/// Neighbours of the same channel: rows up, and columns to the right.
pub const OWN: [(usize, isize); 12] =
    [(0, -1), (1, 0), (1, -1), (1, 1), (0, -2), (2, 0), (2, -1), (2, 1), (1, -2), (1, 2), (0, -3), (3, 0)];
/// Neighbours in a channel of the pixel that is known, the pixel itself first.
pub const CROSS: [(usize, isize); 5] = [(0, 0), (0, -1), (1, 0), (1, -1), (1, 1)];

/// Room above the first row, and beside each row.
const MARGIN: usize = 3;
/// What errors are before the first one is known.
const FIRST_ERROR: f32 = 50.0;

/// A channel.
#[derive(Debug)]
pub struct Plane {
    width: usize,
    stride: usize,
    values: Vec<f64>,
    errors: Vec<f32>,
}

impl Plane {
    /// A plane without samples; `middle` is what is expected of the first.
    pub fn new(width: usize, height: usize, middle: f64) -> Self {
        let stride = width + 2 * MARGIN;
        let room = stride * (height + MARGIN);
        Self { width, stride, values: vec![middle; room], errors: vec![FIRST_ERROR; room] }
    }

    #[inline]
    fn index(&self, y: usize, x: usize) -> usize {
        (y + MARGIN) * self.stride + x + MARGIN
    }

    #[inline]
    fn near(&self, y: usize, x: usize, (up, right): (usize, isize)) -> usize {
        (self.index(y, x) - up * self.stride).wrapping_add_signed(right)
    }

    /// Begins a row: its left margin is the first sample of the row above.
    pub fn begin(&mut self, y: usize) {
        let (at, above) = (self.index(y, 0), self.near(y, 0, (1, 0)));
        let (value, error) = (self.values[above], self.errors[above]);
        self.values[at - MARGIN..at].fill(value);
        self.errors[at - MARGIN..at].fill(error);
    }

    /// Prepares for a sample of the first row: what lies above it, and on to the right, is as the sample to the left.
    #[inline]
    pub fn open(&mut self, y: usize, x: usize) {
        if y == 0 {
            let west = self.values[self.near(0, x, (0, -1))];
            for up in 1..=MARGIN {
                let at = self.near(0, x, (up, 0));
                self.values[at..=at + MARGIN - 1].fill(west);
            }
        }
    }

    /// A neighbour.
    #[inline]
    pub fn value(&self, y: usize, x: usize, offset: (usize, isize)) -> f64 {
        self.values[self.near(y, x, offset)]
    }

    /// The size of a neighbour's error.
    #[inline]
    pub fn error(&self, y: usize, x: usize, offset: (usize, isize)) -> f32 {
        self.errors[self.near(y, x, offset)]
    }

    /// The level from which differences count.
    #[inline]
    pub fn base(&self, y: usize, x: usize) -> f64 {
        (self.value(y, x, OWN[0]) + self.value(y, x, OWN[1])) * 0.5
    }

    /// Means of the errors around: of the nearest, with the one of the pixel's last known channel, and of more.
    #[inline]
    pub fn errors(&self, y: usize, x: usize, beside: Option<f32>) -> [f32; 2] {
        let error = |i: usize| self.error(y, x, OWN[i]);
        let nearest = 2.0 * (error(0) + error(1)) + (error(2) + error(3));
        let nearest = match beside {
            Some(beside) => (nearest + 2.0 * beside) / 8.0,
            None => nearest / 6.0,
        };
        let mut sum = 0.0;
        for i in 0..10 {
            sum += error(i);
        }
        [nearest + 0.02, sum / 10.0 + 0.02]
    }

    /// Sets a sample and the size of its error, and the margins that follow.
    #[inline]
    pub fn set(&mut self, y: usize, x: usize, value: f64, error: f32) {
        let at = self.index(y, x);
        let end = if x + 1 == self.width { at + MARGIN } else { at };
        self.values[at..=end].fill(value);
        self.errors[at..=end].fill(error);
    }
}
