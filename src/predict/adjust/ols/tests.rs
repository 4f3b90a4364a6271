use super::*;

/// A band of generated samples under some rows that are known: `[channels][rows][width]`.
struct Scene {
    width: usize,
    height: usize,
    channels: usize,
    lag: usize,
    first: bool,
    samples: Vec<u8>,
}

/// Rows that a scene holds above its band.
const MARGIN: usize = ABOVE + REACH;

impl Scene {
    fn new(width: usize, height: usize, channels: usize, lag: usize, first: bool) -> Self {
        let (mut state, mut samples) = (7u64, Vec::new());
        for c in 0..channels {
            for y in 0..height + MARGIN {
                for x in 0..width {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let noise = (state >> 60) as usize;
                    samples.push(((x * 3 + y * 2 + c * 9) % 200 + noise) as u8);
                }
            }
        }
        Self { width, height, channels, lag, first, samples }
    }

    fn place(&self, channel: usize, row: isize, column: isize) -> usize {
        let column = column.clamp(0, self.width as isize - 1) as usize;
        let above = if self.first { row.max(0) } else { row };
        (channel * (self.height + MARGIN) + (above + MARGIN as isize) as usize) * self.width + column
    }

    fn sample(&self, channel: usize, row: isize, column: isize) -> u8 {
        self.samples[self.place(channel, row, column)]
    }

    /// The predictions: `[rows][width][channels]`.
    fn predictions(&self) -> Vec<Option<i32>> {
        let mut ols = Ols::new(self.width, self.height, self.channels, self.lag, self.first);
        let mut all = vec![None; self.width * self.height * self.channels];
        let last = (self.width + self.lag * (self.height - 1)) as isize;
        for step in ols.first_step()..last {
            ols.begin(step);
            for channel in 0..self.channels {
                ols.look(step, channel, |c, y, x| self.sample(c, y, x));
                for row in 0..self.height {
                    let Some(column) = ols.column(step, row + ols.above) else { continue };
                    all[(row * self.width + column) * self.channels + channel] = ols.predict(step, channel, row);
                    ols.learn(step, channel, row, self.sample(channel, row as isize, column as isize));
                }
            }
        }
        all
    }

    /// Neighbours less the mean, the sample less the mean, and the mean, times 4: zeros and 0 where neighbours may be missing.
    fn seen(&self, channel: usize, row: isize, column: isize) -> (Vec<f64>, f64) {
        let at = |c: usize, dy: isize, dx: isize| i32::from(self.sample(c, row + dy, column + dx));
        let own: i32 = [(0, -1), (-1, 0), (-1, -1), (-1, 1)].iter().map(|(dy, dx)| at(channel, *dy, *dx)).sum();
        let mut seen: Vec<i32> = OWN.iter().map(|(dy, dx)| 4 * at(channel, *dy, *dx) - own).collect();
        for c in (0..self.channels).filter(|c| *c != channel) {
            let near = if c < channel { &KNOWN[..] } else { &UNKNOWN[..] };
            seen.extend(near.iter().map(|(dy, dx)| 4 * at(c, *dy, *dx) - 2 * (at(c, 0, -1) + at(c, -1, 0))));
        }
        seen.push(4 * at(channel, 0, 0) - own);
        let edge = column <= 0 || column >= self.width as isize || (self.first && row == 0);
        (seen.iter().map(|v| if edge { 0.0 } else { f64::from(*v) }).collect(), f64::from(own))
    }

    /// What the head of the module says, a row after the other and without lanes.
    fn definition(&self, channel: usize) -> Vec<Option<i32>> {
        let above = if self.first { 0 } else { ABOVE };
        let blocks = self.width.div_ceil(self.lag) + 2 * (above + self.height);
        let n = self.seen(channel, 0, 0).0.len() - 1;
        let size = n * (n + 1) / 2 + n;
        let zero = vec![0.0; size];
        let mut totals: Vec<Vec<Vec<f64>>> = Vec::new();
        let mut all = vec![None; self.width * self.height];
        for lane in 0..above + self.height {
            let row = lane as isize - above as isize;
            let mut line: Vec<Vec<f64>> = Vec::new();
            for block in 0..blocks - 2 * lane {
                let from = |lanes: usize, blocks: usize| match lane.checked_sub(lanes) {
                    Some(lane) => totals[lane].get(block + blocks).unwrap_or(&zero),
                    None => &zero,
                };
                let left = if block > 0 { &line[block - 1] } else { &zero };
                let told: Vec<f64> =
                    (0..size).map(|e| left[e] * FADE[0] + from(1, 0)[e] * FADE[1] + from(2, 1)[e] * FADE[2]).collect();
                let weights = solve(&told, n);
                let mut total = told;
                for column in (block * self.lag..(block + 1) * self.lag).map(|c| c as isize) {
                    let (seen, mean) = self.seen(channel, row, column);
                    let mut entry = 0;
                    for i in 0..=n {
                        for j in 0..(i + 1).min(n) {
                            total[entry] += seen[i] * seen[j];
                            entry += 1;
                        }
                    }
                    let inside = row >= 0 && (0..self.width as isize).contains(&column);
                    if inside && !is_edge(row, column as usize, self.first) {
                        let mut sums = [0.0; 2];
                        (0..n).for_each(|i| sums[i % 2] += seen[i] * weights[i]);
                        let quarters = (mean + (sums[0] + sums[1])).clamp(0.0, 1020.0);
                        all[row as usize * self.width + column as usize] = Some((quarters * 256.0 + 0.5) as i32);
                    }
                }
                line.push(total);
            }
            totals.push(line);
        }
        all
    }
}

/// The textbook's root-free Cholesky decomposition.
fn solve(told: &[f64], n: usize) -> Vec<f64> {
    let (mut lower, mut scaled) = (vec![vec![0.0; n]; n + 1], vec![vec![0.0; n]; n + 1]);
    let mut inverse = vec![0.0; n];
    for i in 0..=n {
        for j in 0..(i + 1).min(n) {
            let mut sum = told[i * (i + 1) / 2 + j] + if i == j { RIDGE } else { 0.0 };
            (0..j).for_each(|k| sum -= scaled[i][k] * lower[j][k]);
            if i == j {
                inverse[j] = 1.0 / sum.max(RIDGE);
            } else {
                (scaled[i][j], lower[i][j]) = (sum, sum * inverse[j]);
            }
        }
    }
    let mut weights = vec![0.0; n];
    for i in (0..n).rev() {
        let mut sum = lower[n][i];
        (i + 1..n).for_each(|k| sum -= lower[k][i] * weights[k]);
        weights[i] = sum;
    }
    weights
}

#[test]
fn predictions_are_those_of_the_definition() {
    for (width, height, channels, lag, first) in [
        (1, 1, 1, 3, true),
        (2, 5, 3, 6, false),
        (19, 1, 3, 6, false),
        (23, 9, 3, 5, true),
        (40, 36, 1, 6, false),
        (31, 20, 3, 3, false),
    ] {
        let scene = Scene::new(width, height, channels, lag, first);
        let predictions = scene.predictions();
        for channel in 0..channels {
            let got: Vec<_> = predictions.iter().skip(channel).step_by(channels).copied().collect();
            let wanted = scene.definition(channel);
            let wrong = (0..got.len())
                .find(|at| got[*at] != wanted[*at])
                .map(|at| (at / width, at % width, got[at], wanted[at]));
            assert_eq!(wrong, None, "channel {channel}, {width}x{height}, {channels} channels, lag {lag}");
        }
    }
}

#[test]
fn what_comes_later_changes_nothing() {
    let scene = Scene::new(40, 12, 3, 6, false);
    let before = scene.predictions();
    for (channel, row, column) in [(0, 0, 0), (1, 3, 17), (2, 11, 39), (0, 6, 20)] {
        let mut other = Scene::new(40, 12, 3, 6, false);
        let place = other.place(channel, row as isize, column as isize);
        other.samples[place] ^= 0xff;
        let after = other.predictions();
        let time = |row: usize, column: usize| column + 6 * row;
        let mut changed = 0;
        for (at, (a, b)) in before.iter().zip(&after).enumerate() {
            let (y, x, c) = (at / 3 / 40, at / 3 % 40, at % 3);
            if a != b {
                let later = time(y, x) > time(row, column) || ((y, x) == (row, column) && c > channel);
                assert!(later, "({y}, {x}), channel {c} sees ({row}, {column}), channel {channel}");
                changed += 1;
            }
        }
        assert!(changed > 0 || (row, column) == (11, 39));
    }
}

#[test]
fn a_plane_is_learned() {
    let mut scene = Scene::new(60, 30, 3, 6, true);
    for y in -(MARGIN as isize)..30 {
        for (c, x) in (0..3).flat_map(|c| (0..60).map(move |x| (c, x))) {
            let place = scene.place(c, y, x);
            scene.samples[place] = (20 + 2 * x + 3 * y.max(0) + 5 * c as isize) as u8;
        }
    }
    let predictions = scene.predictions();
    for (y, x, c) in (12..30).flat_map(|y| (12..56).flat_map(move |x| (0..3).map(move |c| (y, x, c)))) {
        let got = predictions[(y * 60 + x) * 3 + c].expect("not at the edge");
        let error = got - (i32::from(scene.sample(c, y as isize, x as isize)) << FRACTION);
        assert!(error.abs() < 1 << (FRACTION - 2), "({y}, {x}), channel {c}: {error}");
    }
}
