//! Least-squares prediction of a band's samples from their neighbours, with weights that follow the place.
//!
//! A band is visited along a wavefront: at step t row y is at column `t - lag y`. Each row is cut into blocks of `lag`
//! columns, so all rows begin a block at the same steps. With `T(y, k)` the sum of what block k of row y saw and of what it
//! was told, the block is told
//!
//! `S(y, k) = a T(y, k - 1) + b T(y - 1, k) + c T(y - 2, k + 1)`,
//!
//! where all three terms are from the wave of blocks before: statistics (products of neighbours with one another and with the
//! sample) diffuse from the left, from above and from the upper right and fade on the way. Weights are the solution of the
//! normal equations of S. A row is a lane: every operation is done for all rows at once, in the same order for each.
//! Of the rows above the band, the last [`ABOVE`] take part, so that a band is not begun blindly.
//!
//! What must stay true: of f64 only `+ - * /` and comparisons are used, in the order that is written here; the statistics of
//! a block are sums of integers. (Blocks are cheaper than a recursion in raster order, which would need the whole row above,
//! and predict better: they look at both sides.)

/// Rows above a band whose statistics count.
pub const ABOVE: usize = 3;
/// Rows and columns that neighbours lie away, at most.
pub const REACH: usize = 2;
/// Fractional bits of a prediction.
pub const FRACTION: u32 = 10;
/// The smallest lag that lets every neighbour be known.
pub const MIN_LAG: usize = REACH + 1;
/// Rows at most, those above the band included; a whole number of [`CHUNK`]s.
pub const LANES: usize = 40;
/// Rows that are solved together.
const CHUNK: usize = 8;
/// What remains of statistics that come from the left, from above, and from the upper right.
const FADE: [f64; 3] = [0.34375, 0.3125, 0.25];
/// Added to the diagonal of the normal equations, in squares of a quarter of a sample.
const RIDGE: f64 = 32.0;

/// Neighbours of the sample's own channel: rows up, columns to the right. The first four make up the local mean.
const OWN: [(isize, isize); 10] =
    [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, -1), (-2, 1), (-1, -2), (-1, 2)];
/// Neighbours in a channel of the same pixel that is known.
const KNOWN: [(isize, isize); 5] = [(0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 1)];
/// Neighbours in a channel that is not known yet.
const UNKNOWN: [(isize, isize); 2] = [(0, -1), (-1, 0)];

type Lanes = [f64; LANES];

/// The neighbours of one channel and its equations.
#[derive(Debug)]
struct Channel {
    /// Channel, rows, columns.
    taps: Vec<(usize, isize, isize)>,
    /// `[lag][taps + 1]`: neighbours less the local mean in the columns of the block, and after them the sample; times 4.
    seen: Vec<Lanes>,
    /// Lower triangle of the normal equations, a row a neighbour; the last row is the right side.
    told: Vec<Lanes>,
    /// `[taps]`
    weights: Vec<Lanes>,
    /// Four times the local mean.
    mean: [i32; LANES],
}

/// The predictor of a band.
#[derive(Debug)]
pub struct Ols {
    width: usize,
    /// Rows of the band.
    height: usize,
    lag: usize,
    /// Rows above the band that take part: none above a picture's first.
    above: usize,
    channels: Vec<Channel>,
}

impl Ols {
    /// Nothing is known yet. `first` says that no rows lie above the band.
    ///
    /// # Panics
    /// If there are more rows than [`LANES`] less [`ABOVE`], or `lag` is less than [`MIN_LAG`].
    pub fn new(width: usize, height: usize, channels: usize, lag: usize, first: bool) -> Self {
        let above = if first { 0 } else { ABOVE };
        assert!(height + above <= LANES && lag >= MIN_LAG);
        let channel = |own: usize| {
            let others = (0..channels).filter(|c| *c != own);
            let near = |c: usize| (c, if c < own { &KNOWN[..] } else { &UNKNOWN[..] });
            let all = std::iter::once((own, &OWN[..])).chain(others.map(near));
            let taps: Vec<_> = all.flat_map(|(c, near)| near.iter().map(move |(dy, dx)| (c, *dy, *dx))).collect();
            let n = taps.len();
            let zeros = |count: usize| vec![[0.0; LANES]; count];
            Channel {
                seen: zeros(lag * (n + 1)),
                told: zeros(n * (n + 1) / 2 + n),
                weights: zeros(n),
                mean: [0; LANES],
                taps,
            }
        };
        Self { width, height, lag, above, channels: (0..channels).map(channel).collect() }
    }

    /// The first step: rows above the band are ahead of it.
    pub fn first_step(&self) -> isize {
        -((self.above * self.lag) as isize)
    }

    /// The column that a lane is at, if it is in the picture.
    fn column(&self, step: isize, lane: usize) -> Option<usize> {
        let row = lane as isize - self.above as isize;
        usize::try_from(step - self.lag as isize * row).ok().filter(|column| *column < self.width)
    }

    /// Begins a step. Steps are visited in order, from [`first_step`](Self::first_step) on.
    pub fn begin(&mut self, step: isize) {
        let lag = self.lag as isize;
        if step.rem_euclid(lag) != 0 {
            return;
        }
        // Rows that have not begun are told nothing.
        let begun = (step.div_euclid(lag) + self.above as isize + 1).clamp(0, LANES as isize) as usize;
        // Rows that are done need no weights, and neither do those above the band.
        let done = (step - self.width as isize).div_euclid(lag) + 1 + self.above as isize;
        let (from, to) = (done.max(self.above as isize) as usize, begun.min(self.above + self.height));
        for channel in &mut self.channels {
            channel.tell(self.lag, begun);
            for chunk in from / CHUNK..to.div_ceil(CHUNK) {
                channel.solve(chunk * CHUNK);
            }
        }
    }

    /// Looks at the neighbours of a channel's samples at this step. `sample` gives a sample that is known, by channel, row
    /// and column (negative in rows above the band and left of the picture).
    pub fn look(&mut self, step: isize, channel: usize, sample: impl Fn(usize, isize, isize) -> u8) {
        let slot = step.rem_euclid(self.lag as isize) as usize;
        for lane in 0..self.above + self.height {
            let column = self.column(step, lane);
            let row = lane as isize - self.above as isize;
            let known = column.filter(|column| !is_edge(row, *column, self.above == 0));
            let Channel { taps, seen, mean, .. } = &mut self.channels[channel];
            let seen = &mut seen[slot * (taps.len() + 1)..][..taps.len() + 1];
            let Some(column) = known else {
                seen.iter_mut().for_each(|value| value[lane] = 0.0);
                continue;
            };
            let at = |c: usize, dy: isize, dx: isize| i32::from(sample(c, row + dy, column as isize + dx));
            let own = OWN[..4].iter().map(|(dy, dx)| at(channel, *dy, *dx)).sum::<i32>();
            let mut base = (channel, own);
            for (value, (c, dy, dx)) in seen.iter_mut().zip(taps.iter()) {
                if *c != base.0 {
                    base = (*c, 2 * (at(*c, 0, -1) + at(*c, -1, 0)));
                }
                value[lane] = f64::from(4 * at(*c, *dy, *dx) - base.1);
            }
            mean[lane] = own;
            if row < 0 {
                seen[taps.len()][lane] = f64::from(4 * at(channel, 0, 0) - own);
            }
        }
    }

    /// The prediction of a sample of the band at this step, with [`FRACTION`] bits, between 0 and 255; its channel was looked
    /// at. `None` in the first row and column of a picture.
    pub fn predict(&self, step: isize, channel: usize, row: usize) -> Option<i32> {
        let lane = row + self.above;
        let column = self.column(step, lane)?;
        if is_edge(row as isize, column, self.above == 0) {
            return None;
        }
        let Channel { taps, seen, weights, mean, .. } = &self.channels[channel];
        let slot = step.rem_euclid(self.lag as isize) as usize;
        let seen = &seen[slot * (taps.len() + 1)..][..taps.len()];
        let mut sums = [0.0; 2];
        for (i, (x, w)) in seen.iter().zip(weights).enumerate() {
            sums[i % 2] += x[lane] * w[lane];
        }
        let quarters = (f64::from(mean[lane]) + (sums[0] + sums[1])).clamp(0.0, 1020.0);
        Some((quarters * 256.0 + 0.5) as i32)
    }

    /// Learns a sample of the band at this step.
    pub fn learn(&mut self, step: isize, channel: usize, row: usize, sample: u8) {
        let lane = row + self.above;
        let Some(column) = self.column(step, lane) else { return };
        let edge = is_edge(row as isize, column, self.above == 0);
        let slot = step.rem_euclid(self.lag as isize) as usize;
        let Channel { taps, seen, mean, .. } = &mut self.channels[channel];
        let value = if edge { 0 } else { 4 * i32::from(sample) - mean[lane] };
        seen[slot * (taps.len() + 1) + taps.len()][lane] = f64::from(value);
    }
}

/// Whether neighbours may be missing there.
fn is_edge(row: isize, column: usize, first: bool) -> bool {
    column == 0 || (first && row == 0)
}

impl Channel {
    /// Ends a wave of blocks: sums up what they saw, and tells the next ones, of which the first `begun` rows have any.
    fn tell(&mut self, lag: usize, begun: usize) {
        let n = self.taps.len();
        let mut at = 0;
        for i in 0..=n {
            for j in 0..(i + 1).min(n) {
                let told = &mut self.told[at];
                let mut total = [0.0; LANES + 2];
                total[2..].copy_from_slice(told);
                for seen in self.seen.chunks_exact(n + 1).take(lag) {
                    for ((sum, x), y) in total[2..].iter_mut().zip(&seen[i]).zip(&seen[j]) {
                        *sum += x * y;
                    }
                }
                for (lane, told) in told.iter_mut().enumerate() {
                    *told = total[lane + 2] * FADE[0] + total[lane + 1] * FADE[1] + total[lane] * FADE[2];
                }
                told[begun..].fill(0.0);
                at += 1;
            }
        }
        // What a row did not look at in the next wave counts for nothing.
        self.seen.iter_mut().for_each(|lanes| lanes.fill(0.0));
    }

    /// Weights of [`CHUNK`] rows from `first` on: Cholesky's decomposition of the equations, root-free. A pivot below the
    /// ridge, which only rounding can give, is taken as the ridge.
    fn solve(&mut self, first: usize) {
        const MOST: usize = OWN.len() + 2 * KNOWN.len();
        let n = self.taps.len();
        let row = |i: usize| i * (i + 1) / 2;
        let zero = [0.0; CHUNK];
        // `lower[row(i) + j]` is L(i, j); `scaled` is L(i, .) D of the row under way; `inverse` is 1 / D.
        let mut lower = [zero; MOST * (MOST + 1) / 2 + MOST];
        let mut scaled = [zero; MOST];
        let mut inverse = [zero; MOST];
        let given = |entry: usize| -> [f64; CHUNK] {
            *self.told[entry][first..].first_chunk().expect("lanes are a whole number of chunks")
        };
        for i in 0..=n {
            // The right side is one more row: its entries are those of the forward substitution, times D.
            for j in 0..(i + 1).min(n) {
                let mut sum = given(row(i) + j);
                if i == j {
                    sum.iter_mut().for_each(|s| *s += RIDGE);
                }
                for k in 0..j {
                    let (x, y) = (&scaled[k], &lower[row(j) + k]);
                    for lane in 0..CHUNK {
                        sum[lane] -= x[lane] * y[lane];
                    }
                }
                if i == j {
                    for lane in 0..CHUNK {
                        let pivot = if sum[lane] > RIDGE { sum[lane] } else { RIDGE };
                        inverse[j][lane] = 1.0 / pivot;
                    }
                } else {
                    scaled[j] = sum;
                    for lane in 0..CHUNK {
                        lower[row(i) + j][lane] = sum[lane] * inverse[j][lane];
                    }
                }
            }
        }
        // Now row n of `lower` is D^-1 L^-1 b; back substitution with the transpose.
        for i in (0..n).rev() {
            let mut sum = lower[row(n) + i];
            for k in i + 1..n {
                let (x, y) = (&lower[row(k) + i], &self.weights[k][first..]);
                for lane in 0..CHUNK {
                    sum[lane] -= x[lane] * y[lane];
                }
            }
            self.weights[i][first..first + CHUNK].copy_from_slice(&sum);
        }
    }
}

#[cfg(test)]
mod tests;
