//! Learns, while a band is coded, how distributions should be moved and widened.
//!
//! Parameters of three kinds are kept, each in contexts of its own: a pull towards another prediction of the sample, a
//! shift, and a change of the log of the scales. After each sample they take a step up the gradient of its log-likelihood.
//! Shifts and gradients are in units of the distribution's own scale, so one step size does for smooth and for rough places.
//! Contexts are the channel, the scale itself, whether the samples to the left and above lay below, near or above the centre
//! (for shifts), and how far off neighbours were in their units (for scales).
//!
//! What must stay true: integers only, and a fixed order: samples are met in the order in which they are coded.

/// Fractional bits of moves, gradients and log-scales' parameters where they leave or enter.
pub const FRACTION: u32 = 12;
/// Levels of the log of a scale, which is given in 64ths of a nat: a context each 24 of them.
const LEVELS: usize = 27;
const PER_LEVEL: usize = 24;
/// Shifts and widths share a context three levels wide.
const COARSE: usize = LEVELS.div_ceil(3);
/// Fractional bits of the parameters.
const STATE: u32 = 24;
/// Fractional bits of step sizes.
const RATE: u32 = 20;
/// Fractional bits of an error in units of the scale.
const ERROR: u32 = 8;
/// Errors are clamped to this many units.
const MAX_ERROR: i64 = 8 << ERROR;
/// Gradients and the distance to the other prediction are clamped to this many units.
const MAX_UNITS: i64 = 4 << FRACTION;
/// The pull of a context that has seen nothing: one fifth of the way.
const FIRST_PULL: i32 = (1 << STATE) / 5;
/// Errors of the neighbours at which the context of a width changes: 2^(k/2 - 2.2) - 0.1 units.
const STEPS: [i64; 7] = [53, 86, 132, 197, 290, 420, 605];
/// Counts of a context beyond this one change nothing.
const MAX_COUNT: usize = 1023;

/// Step sizes by how often a context was met: `start / (count + 500)`, but not less than `least`; the latter in 2^-20.
const fn rates(start: u32, least: u32) -> [u16; MAX_COUNT + 1] {
    let mut rates = [0; MAX_COUNT + 1];
    let mut count = 0;
    while count <= MAX_COUNT {
        let rate = (start << RATE) / (count as u32 + 500);
        rates[count] = if rate > least { rate } else { least } as u16;
        count += 1;
    }
    rates
}

static SHIFT_RATES: [u16; MAX_COUNT + 1] = rates(3, 4194);
static PULL_RATES: [u16; MAX_COUNT + 1] = rates(4, 3146);
const WIDTH_RATE: i64 = 3146;

/// What is believed of a sample before it is moved.
#[derive(Debug, Clone, Copy)]
pub struct Belief {
    /// Mean of the distribution, with [`super::FRACTION`] bits.
    pub mean: i64,
    /// One over its scale, with 20 bits.
    pub inverse: i64,
    /// Log of its scale, in 64ths of a nat from the smallest one on.
    pub level: usize,
}

/// How a distribution is changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Move {
    /// Its centre, in units of its scale with [`FRACTION`] bits.
    pub shift: i64,
    /// The log of its scales, in 64ths of a nat.
    pub widen: i32,
    level: usize,
    around: usize,
    errors: usize,
    /// Distance to the other prediction.
    apart: i64,
}

/// Derivatives of the log-likelihood of the sample that came, with [`FRACTION`] bits.
#[derive(Debug, Clone, Copy)]
pub struct Gradient {
    /// By the centre, in units of the scale.
    pub shift: i64,
    /// By the log of the scales.
    pub widen: i64,
}

/// A parameter that slows down as it learns.
#[derive(Debug, Clone, Copy, Default)]
struct Slow {
    value: i32,
    count: u16,
}

impl Slow {
    fn learn(&mut self, rates: &[u16; MAX_COUNT + 1], gradient: i64) {
        step(&mut self.value, rates[usize::from(self.count)].into(), gradient);
        self.count = (self.count + 1).min(MAX_COUNT as u16);
    }
}

/// A step of `rate gradient`, within two units.
fn step(value: &mut i32, rate: i64, gradient: i64) {
    let by = (rate * gradient) >> (RATE + FRACTION - STATE);
    *value = (i64::from(*value) + by).clamp(-(2 << STATE), 2 << STATE) as i32;
}

/// The parameters of one channel.
#[derive(Debug)]
struct Channel {
    pull: [Slow; LEVELS],
    shift: [[Slow; 9]; COARSE],
    width: [[i32; STEPS.len() + 1]; COARSE],
}

/// The state of a band.
#[derive(Debug)]
pub struct Online {
    width: usize,
    channels: Vec<Channel>,
    /// `[rows][width][channels]`: by how many units of its scale each sample lay beside the centre.
    errors: Vec<i16>,
}

impl Online {
    /// Nothing is known yet.
    pub fn new(width: usize, height: usize, channels: usize) -> Self {
        let pull = Slow { value: FIRST_PULL, count: 0 };
        let channel = |_| Channel {
            pull: [pull; LEVELS],
            shift: [[Slow::default(); 9]; COARSE],
            width: [[0; STEPS.len() + 1]; COARSE],
        };
        Self { width, channels: (0..channels).map(channel).collect(), errors: vec![0; width * height * channels] }
    }

    fn place(&self, row: usize, column: usize, channel: usize) -> usize {
        (row * self.width + column) * self.channels.len() + channel
    }

    /// How the distribution of a sample should be changed. `other` is another prediction of the sample, with
    /// [`super::FRACTION`] bits.
    pub fn propose(&self, channel: usize, row: usize, column: usize, belief: &Belief, other: Option<i32>) -> Move {
        let error = |up: usize, left: isize, c: usize| {
            i64::from(self.errors[self.place(row - up, column.wrapping_add_signed(-left), c)])
        };
        let (mut sum, mut weight, mut left, mut above) = (0, 0, 0, 0);
        let mut add = |error: i64, times: i64| {
            sum += times * error.abs();
            weight += times;
        };
        if column > 0 {
            left = error(0, 1, channel);
            add(left, 2);
        }
        if row > 0 {
            above = error(1, 0, channel);
            add(above, 2);
            if column > 0 {
                add(error(1, 1, channel), 1);
            }
            if column + 1 < self.width {
                add(error(1, -1, channel), 1);
            }
        }
        if channel > 0 {
            add(error(0, 0, channel - 1), 2);
        }
        let side = |error: i64| 1 + usize::from(error > 1 << (ERROR - 1)) - usize::from(error < -(1 << (ERROR - 1)));
        let around = 3 * side(left) + side(above);
        let errors = if weight == 0 { 3 } else { STEPS.iter().filter(|s| **s * weight <= sum).count() };
        let level = (belief.level / PER_LEVEL).min(LEVELS - 1);
        let apart = other.map_or(0, |other| {
            (((i64::from(other) - belief.mean) * belief.inverse) >> (super::FRACTION + 20 - FRACTION))
                .clamp(-MAX_UNITS, MAX_UNITS)
        });
        let state = &self.channels[channel];
        let pulled = ((i64::from(state.pull[level].value) >> (STATE - FRACTION)) * apart) >> FRACTION;
        let shifted = i64::from(state.shift[level / 3][around].value) >> (STATE - FRACTION);
        let widen = (state.width[level / 3][errors] + (1 << (STATE - 7))) >> (STATE - 6);
        Move { shift: shifted + pulled, widen, level, around, errors, apart }
    }

    /// Learns from a sample. `belief` is that of the distribution after it was changed by `done`.
    pub fn learn(
        &mut self,
        (channel, row, column): (usize, usize, usize),
        done: &Move,
        belief: &Belief,
        sample: u8,
        gradient: Gradient,
    ) {
        let at = self.place(row, column, channel);
        let beside = (i64::from(sample) << super::FRACTION) - belief.mean;
        self.errors[at] =
            ((beside * belief.inverse) >> (super::FRACTION + 20 - ERROR)).clamp(-MAX_ERROR, MAX_ERROR) as i16;
        let (shift, widen) = (gradient.shift.clamp(-MAX_UNITS, MAX_UNITS), gradient.widen.clamp(-MAX_UNITS, MAX_UNITS));
        let state = &mut self.channels[channel];
        state.shift[done.level / 3][done.around].learn(&SHIFT_RATES, shift);
        state.pull[done.level].learn(&PULL_RATES, (shift * done.apart) >> FRACTION);
        step(&mut state.width[done.level / 3][done.errors], WIDTH_RATE, widen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Learns samples that lie `offset` units beside where they are believed, `spread` units up and down, and returns the
    /// last move. Gradients are those of a normal distribution.
    fn taught(offset: i64, spread: i64, other: i64) -> Move {
        let unit = 1 << 20;
        let belief = Belief { mean: 100 << super::super::FRACTION, inverse: unit, level: 200 };
        let mut online = Online::new(200, 20, 1);
        let (mut last, mut state) = (Move::default(), 3u64);
        for at in 0..4000 {
            let (row, column) = (at / 200, at % 200);
            let prediction = (100 + other) << super::super::FRACTION;
            let done = online.propose(0, row, column, &belief, Some(prediction as i32));
            let moved = Belief { mean: belief.mean + (done.shift >> (FRACTION - super::super::FRACTION)), ..belief };
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let sample = 100 + offset + if state >> 63 == 0 { spread } else { -spread };
            let error = ((sample << super::super::FRACTION) - moved.mean) << (FRACTION - super::super::FRACTION);
            // The log of the scale is done.widen / 64 larger; exp to first orders is enough here.
            let wide = 64 + i64::from(done.widen) + i64::from(done.widen).pow(2) / 128;
            let inverse = (64 << FRACTION) / wide.max(8);
            let scaled = (error * inverse) >> FRACTION;
            let gradient = Gradient {
                shift: (scaled * inverse) >> FRACTION,
                widen: ((scaled * scaled) >> FRACTION) - (1 << FRACTION),
            };
            online.learn((0, row, column), &done, &moved, sample as u8, gradient);
            last = done;
        }
        last
    }

    #[test]
    fn centre_and_width_are_learned() {
        let still = taught(0, 1, 0);
        assert!(still.shift.abs() < 1 << (FRACTION - 2) && still.widen.abs() < 10, "{still:?}");
        for offset in [-2, 2] {
            let moved = taught(offset, 1, 0);
            assert!(moved.shift * offset.signum() > 1 << (FRACTION - 1), "{offset}: {moved:?}");
        }
        let wide = taught(0, 3, 0);
        assert!(wide.widen > 40, "{wide:?}");
    }

    #[test]
    fn another_prediction_that_is_right_is_followed() {
        let followed = taught(3, 0, 3);
        assert!(followed.shift > 2 << FRACTION, "{followed:?}");
        let ignored = taught(0, 1, 3);
        assert!(ignored.shift.abs() < 1 << (FRACTION - 1), "{ignored:?}");
    }

    #[test]
    fn nothing_overflows() {
        for extreme in [i64::MAX >> 29, -(1 << 34), 0] {
            let belief = Belief { mean: extreme, inverse: 1 << 26, level: 640 };
            let mut online = Online::new(1, 1, 3);
            let done = online.propose(2, 0, 0, &belief, Some(255 << super::super::FRACTION));
            for _ in 0..3000 {
                let gradient = Gradient { shift: i64::MAX, widen: i64::MIN };
                online.learn((2, 0, 0), &done, &belief, 255, gradient);
            }
            let done = online.propose(2, 0, 0, &belief, None);
            assert!(done.shift.abs() <= 16 << FRACTION && done.widen.abs() <= 128);
        }
    }
}
