//! Searches of a picture's pixels for what was put into it: squares with sharp edges on all sides, and thin lines.
//!
//! What a camera sees has soft edges, and hard ones are rarely straight. An edge between two columns is as sharp as the step there exceeds
//! the mean of the two steps beside it, beyond what such steps are around it: the logarithm of one plus the ratio of squares, a likelihood
//! ratio of a heavy-tailed step. A square's figure is the sum of the three weakest of its four sides' means; the far sides may lie an
//! eighth farther or nearer, so that squares of all sizes are met by some.
//!
//! What must stay true: regions lie within the picture; a picture too small for a search gives nothing.

use super::super::example::{Example, Kind, Region};
use super::{Peak, highest};

/// Sides of squares; a step is hardly larger than what the far sides may be off by.
const SQUARES: [usize; 13] = [2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50];
/// Squares are at most one part in so many of a picture's shorter side.
const PARTS: usize = 6;
/// Thickness of lines, and how much of them is looked at at once.
const LINES: [usize; 2] = [1, 2];
const LENGTH: usize = 8;
/// Half a side of the surroundings along and across an edge, and what is left out of them next to it.
const ALONG: usize = 4;
const ACROSS: usize = 5;
const BESIDE: usize = 1;
/// Squared steps of gray that every edge may have: those of rounding.
const ROUNDING: f32 = 3.0;

/// Number of searches.
pub const SEARCHES: usize = SQUARES.len() + 2 * LINES.len();

/// What is odd about what a search finds.
pub fn words(search: usize) -> &'static str {
    if search < SQUARES.len() { "with sharp edges around it" } else { "a thin line" }
}

/// Figures of places.
#[derive(Debug, Clone, PartialEq)]
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    fn transposed(&self) -> Self {
        let (width, height) = (self.height, self.width);
        let values = (0..height).flat_map(|y| (0..width).map(move |x| self.values[x * height + y])).collect();
        Self { width, height, values }
    }

    /// Means of `n` values from each to the right; 0 where there are fewer.
    fn across(&self, n: usize) -> Self {
        let mut values = Vec::with_capacity(self.values.len());
        for row in self.rows() {
            let mut sum: f64 = row.iter().take(n).map(|v| f64::from(*v)).sum();
            for (x, first) in row.iter().enumerate() {
                values.push(if x + n <= row.len() { (sum / n as f64) as f32 } else { 0.0 });
                sum += row.get(x + n).map_or(0.0, |v| f64::from(*v)) - f64::from(*first);
            }
        }
        Self { values, ..*self }
    }

    /// Means of `n` values from each downwards; 0 where there are fewer.
    fn down(&self, n: usize) -> Self {
        let mut sums = vec![0.0; self.width];
        let add = |sums: &mut Vec<f64>, y: usize, sign: f64| {
            sums.iter_mut().zip(self.row(y)).for_each(|(sum, v)| *sum += sign * f64::from(*v));
        };
        (0..n.min(self.height)).for_each(|y| add(&mut sums, y, 1.0));
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..self.height {
            if y + n > self.height {
                values.resize(values.len() + self.width, 0.0);
                continue;
            }
            values.extend(sums.iter().map(|sum| (sum / n as f64) as f32));
            add(&mut sums, y, -1.0);
            if y + n < self.height {
                add(&mut sums, y + n, 1.0);
            }
        }
        Self { values, ..*self }
    }

    /// The largest of the values up to `slack` rows above and below.
    fn loose(&self, slack: usize) -> Self {
        let mut values = self.values.clone();
        for (y, row) in values.chunks_exact_mut(self.width.max(1)).enumerate() {
            for near in y.saturating_sub(slack)..(y + slack + 1).min(self.height) {
                row.iter_mut().zip(self.row(near)).for_each(|(most, v)| *most = most.max(*v));
            }
        }
        Self { values, ..*self }
    }

    /// The same to the left and right.
    fn loose_across(&self, slack: usize) -> Self {
        let mut values = self.values.clone();
        for (out, row) in values.chunks_exact_mut(self.width.max(1)).zip(self.rows()) {
            for shift in 1..=slack.min(row.len().saturating_sub(1)) {
                out.iter_mut().zip(&row[shift..]).for_each(|(most, v)| *most = most.max(*v));
                out[shift..].iter_mut().zip(row).for_each(|(most, v)| *most = most.max(*v));
            }
        }
        Self { values, ..*self }
    }
}

/// How sharp the edge between each place and the one before it is, of planes of samples.
fn edges(channels: &[Plane]) -> Plane {
    let Plane { width, height, .. } = channels[0];
    let mut squares = vec![0.0f32; width * height];
    for plane in channels {
        for (out, row) in squares.chunks_exact_mut(width).zip(plane.rows()) {
            for (square, near) in out[2..].iter_mut().zip(row.windows(4)) {
                let [a, b, c, d] = [near[0], near[1], near[2], near[3]];
                let excess = (c - b) - (d - c + b - a) / 2.0;
                *square += excess * excess;
            }
        }
    }
    // Means over surroundings: all of it, less the columns next to the edge.
    let mut sums = vec![0.0f64; width];
    let mut values = Vec::with_capacity(squares.len());
    let mut prefix = vec![0.0f64; width + 1];
    let mut rows = 0.0;
    for y in 0..height {
        let from = if y == 0 { 0 } else { y + ALONG };
        for entering in (from..=y + ALONG).filter(|y| *y < height) {
            sums.iter_mut().zip(&squares[entering * width..]).for_each(|(sum, v)| *sum += f64::from(*v));
            rows += 1.0;
        }
        if let Some(leaving) = y.checked_sub(ALONG + 1) {
            sums.iter_mut().zip(&squares[leaving * width..]).for_each(|(sum, v)| *sum -= f64::from(*v));
            rows -= 1.0;
        }
        for (x, sum) in sums.iter().enumerate() {
            prefix[x + 1] = prefix[x] + sum;
        }
        for x in 0..width {
            let part = |reach: usize| {
                let (a, b) = (x.saturating_sub(reach), (x + reach + 1).min(width));
                (prefix[b] - prefix[a], (b - a) as f64)
            };
            let ((all, wide), (near, narrow)) = (part(ACROSS), part(BESIDE));
            let mean = ((all - near) / (rows * (wide - narrow)).max(1.0)).max(0.0) as f32;
            values.push((squares[y * width + x] / (mean + ROUNDING)).ln_1p());
        }
    }
    Plane { width, height, values }
}

/// The square whose weakest sides are sharpest.
fn square(down: &Plane, across: &Plane, n: usize) -> Option<Peak> {
    let (width, height) = (down.width, down.height);
    if n > width.min(height) / PARTS {
        return None;
    }
    let slack = n / 8;
    let (sides, ends) = (down.down(n), across.across(n));
    let (far_sides, far_ends) = (sides.loose_across(slack), ends.loose(slack));
    let (mut best, mut at) = (f32::NEG_INFINITY, (0, 0));
    for y in 0..height - n {
        let (top, bottom) = (ends.row(y), far_ends.row(y + n));
        let (left, right) = (sides.row(y), &far_sides.row(y)[n..]);
        for (x, (((a, b), c), d)) in top.iter().zip(bottom).zip(left).zip(right).enumerate() {
            let figure = a + b + c + d - a.max(*b).max(c.max(*d));
            if figure > best {
                (best, at) = (figure, (x, y));
            }
        }
    }
    Some(Peak { value: best.into(), region: Region { x: at.0, y: at.1, width: n, height: n } })
}

/// The line along a row, of a thickness, that differs most from both sides in the same direction.
fn line(plane: &Plane, thick: usize) -> Option<Peak> {
    let (width, height) = (plane.width, plane.height);
    if width < LENGTH || height <= thick {
        return None;
    }
    let nothing = vec![0.0; width];
    let mut ridge = Vec::with_capacity(width * (height + 1 - thick));
    for y in 0..=height - thick {
        let above = if y == 0 { &nothing } else { plane.row(y - 1) };
        let below = if y + thick == height { &nothing } else { plane.row(y + thick) };
        let inside = plane.row(y).iter().zip(plane.row(y + thick - 1));
        ridge.extend(inside.zip(above.iter().zip(below)).map(|((first, last), (above, below))| {
            let (a, b) = (first - above, last - below);
            if a * b > 0.0 { a.abs().min(b.abs()) } else { 0.0 }
        }));
    }
    let ridge = Plane { width, height: height + 1 - thick, values: ridge }.across(LENGTH);
    let all = ridge.values.iter().enumerate().filter(|(i, _)| i % width + LENGTH <= width);
    let region = |i: usize| Region { x: i % width, y: i / width, width: LENGTH, height: thick };
    highest(all.map(|(i, v)| (region(i), f64::from(*v))))
}

/// What each search finds; nothing in what is no picture. `luminance` is the example's.
pub fn peaks(example: &Example, luminance: &[f64]) -> [Option<Peak>; SEARCHES] {
    let mut peaks = [None; SEARCHES];
    let Example { width, height, channels, .. } = *example;
    if example.kind != Kind::Picture || width.min(height) < LENGTH || example.symbols.len() != width * height * channels
    {
        return peaks;
    }
    let unit = 255.0 / (example.alphabet.max(2) - 1) as f32;
    let plane = |c: usize| {
        let values = example.symbols.iter().skip(c).step_by(channels).map(|s| f32::from(*s) * unit).collect();
        Plane { width, height, values }
    };
    let planes: Vec<Plane> = (0..channels).map(plane).collect();
    let turned: Vec<Plane> = planes.iter().map(Plane::transposed).collect();
    let (down, across) = (edges(&planes), edges(&turned).transposed());
    for (peak, n) in peaks.iter_mut().zip(SQUARES) {
        *peak = square(&down, &across, n);
    }
    let luminance = luminance.iter().map(|l| *l as f32).collect();
    let luminance = Plane { width, height, values: luminance };
    let turned = luminance.transposed();
    let swap = |p: Peak| Region { x: p.region.y, y: p.region.x, width: p.region.height, height: p.region.width };
    for (pair, thick) in peaks[SQUARES.len()..].chunks_exact_mut(2).zip(LINES) {
        pair[0] = line(&luminance, thick);
        pair[1] = line(&turned, thick).map(|p| Peak { region: swap(p), ..p });
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The strangest regions by squares and by lines in a soft picture with some noise that `change` was made to.
    fn found(change: impl Fn(usize, usize) -> Option<u16>) -> [Vec<Region>; 2] {
        let (width, height) = (96, 72);
        let noise = |i: usize| ((i as u32).wrapping_mul(2654435761) >> 29) as f64;
        let soft = |y: usize, x: usize| 120.0 + 60.0 * (x as f64 / 9.0).sin() * (y as f64 / 7.0).cos();
        let one = |i: usize| {
            let (y, x) = (i / width, i % width);
            change(y, x).unwrap_or((soft(y, x) + noise(i)) as u16)
        };
        let symbols: Vec<u16> = (0..width * height).map(one).collect();
        let example = Example::new(Kind::Picture, [height, width, 1], 256, &symbols, &[]);
        let peaks = peaks(&example, &example.luminance());
        // Those that fit in, highest first.
        let best = |part: &[Option<Peak>]| {
            let mut part: Vec<Peak> = part.iter().copied().flatten().collect();
            part.sort_by(|a, b| b.value.total_cmp(&a.value));
            assert!(
                part.iter().all(|p| p.region.x + p.region.width <= width && p.region.y + p.region.height <= height)
            );
            part.into_iter().map(|p| p.region).collect()
        };
        [best(&peaks[..SQUARES.len()]), best(&peaks[SQUARES.len()..])]
    }

    #[test]
    fn squares_and_lines_are_found_where_they_are() {
        let square = |y: usize, x: usize| ((30..41).contains(&y) && (50..61).contains(&x)).then_some(40);
        let [squares, _] = found(square);
        assert!(squares.len() == 6, "no larger than a sixth of 72: {squares:?}");
        assert!((49..=51).contains(&squares[0].x) && (29..=31).contains(&squares[0].y), "{squares:?}");
        let [_, lines] = found(|y, x| (y == 20 && (5..40).contains(&x)).then_some(255));
        assert!(lines[0].y == 20 && lines[0].height == 1 && (5..=32).contains(&lines[0].x), "{lines:?}");
        let [_, lines] = found(|y, x| ((x == 70 || x == 71) && y > 30).then_some(0));
        assert!(lines[0].x == 70 && lines[0].width == 2 && lines[0].y > 30, "{lines:?}");
    }

    #[test]
    fn planes_know_means_and_what_is_near() {
        let plane = Plane { width: 3, height: 2, values: vec![1.0, 2.0, 6.0, 3.0, 0.0, 9.0] };
        assert_eq!(plane.transposed().values, [1.0, 3.0, 2.0, 0.0, 6.0, 9.0]);
        assert_eq!(plane.across(2).values, [1.5, 4.0, 0.0, 1.5, 4.5, 0.0]);
        assert_eq!(plane.down(2).values, [2.0, 1.0, 7.5, 0.0, 0.0, 0.0]);
        assert_eq!(plane.loose(1).values, [3.0, 2.0, 9.0, 3.0, 2.0, 9.0]);
        assert_eq!(plane.loose_across(1).values, [2.0, 6.0, 6.0, 3.0, 9.0, 9.0]);
        assert_eq!(plane.transposed().loose_across(1).transposed(), plane.loose(1));
    }

    #[test]
    fn what_has_no_room_gives_nothing() {
        for (kind, width, height) in [(Kind::Picture, 7, 90), (Kind::Text, 100, 100), (Kind::Picture, 0, 0)] {
            let symbols = vec![9; width * height];
            let example = Example::new(kind, [height, width, 1], 256, &symbols, &[]);
            assert_eq!(peaks(&example, &example.luminance()), [None; SEARCHES]);
        }
    }
}
