//! The decisions of an encoder: coded beside the samples, given what is to be expected of them.
//!
//! What must stay true: encoder and decoder are one walk, so they cannot disagree; what is decoded is possible
//! ([`Head::is_possible`], [`Subframe::is_possible`]) or refused.

use super::frame::{Form, Head, coded_bits, rate_bits, usual_size_code};
use super::guess::{self, CLASSES, Sums, VIEW_COUNT, Windows};
use super::subframe::{FIXED, Kind, LPC, MOST_SAMPLES, Parameter, Subframe, ends};
use crate::entropy::{Coder, Damaged};
use crate::predict::lpc::{self, Rounding};
use crate::predict::{Chance, number};

/// The most parts that parameters may be for, by its logarithm.
pub const MOST_ORDER: u32 = 15;
/// Bits of the number of a frame.
const NUMBER_BITS: u32 = 36;
/// Classes of how far coefficients were from what was expected.
const FAR: usize = 6;
/// Bits of a distance from what was expected.
const WIDTHS: usize = 18;

/// The walk.
#[derive(Debug)]
pub struct Model {
    form: Form,
    /// The finest partition in the file, by its logarithm.
    most: u32,
    last: Head,
    /// What kind the last subframe of each channel was.
    kinds: Vec<usize>,
    windows: Windows,
    same: [Chance; 6],
    assignment: Vec<Chance>,
    wasted: Chance,
    kind: Vec<Chance>,
    precision: Vec<Chance>,
    view: Vec<Chance>,
    shift: Chance,
    far: Vec<Chance>,
    wide: [Chance; 2],
    order: [Chance; 2],
    plain: Chance,
    parameter: [[Chance; 32]; CLASSES],
}

/// Codes a flag: whether a value is the expected one; if it is not, `other` codes it.
fn expected<C: Coder, T: PartialEq + Copy>(
    coder: &mut C,
    chance: &mut Chance,
    (value, expected): (T, T),
    other: impl FnOnce(&mut C) -> Result<T, Damaged>,
) -> Result<T, Damaged> {
    if chance.code(coder, value != expected)? { other(coder) } else { Ok(expected) }
}

/// Codes a number of so many bits, each by a probability of its own for each number of those before.
fn tree<C: Coder>(coder: &mut C, chances: &mut [Chance], bits: u32, value: u32) -> Result<u32, Damaged> {
    let mut node = 1;
    for bit in (0..bits).rev() {
        node = node << 1 | usize::from(chances[node].code(coder, value >> bit & 1 == 1)?);
    }
    Ok(node as u32 - (1 << bits))
}

impl Model {
    /// At a file's first frame. `most` is at most [`MOST_ORDER`].
    pub fn new(form: Form, most: u32) -> Self {
        let last = Head {
            variable: false,
            number: u64::MAX,
            size: 4096,
            size_code: 12,
            rate_code: 0,
            rate: 0,
            assignment: form.channels - 1,
            bits_code: 0,
        };
        let some = |n| vec![Chance::NEW; n];
        Self {
            form,
            most,
            last,
            kinds: vec![0; form.channels.into()],
            windows: Windows::default(),
            same: [Chance::NEW; 6],
            assignment: some(16 * 16),
            wasted: Chance::NEW,
            kind: some(4 * 64),
            precision: some(2 * 16),
            view: some(16),
            shift: Chance::NEW,
            far: some(FAR * WIDTHS),
            wide: [Chance::NEW; 2],
            order: [Chance::NEW; 2],
            plain: Chance::NEW,
            parameter: [[Chance::NEW; 32]; CLASSES],
        }
    }

    /// Codes the head of a frame: `known` when encoding. So many samples of a channel are left, at least 1.
    pub fn head<C: Coder>(&mut self, coder: &mut C, known: Option<&Head>, left: u64) -> Result<Head, Damaged> {
        let last = self.last;
        let known = *known.unwrap_or(&last);
        let [variable, numbers, sizes, size_codes, rates, bits_codes] = &mut self.same;
        let variable = expected(coder, variable, (known.variable, last.variable), |_| Ok(!last.variable))?;
        let step = if variable && last.number != u64::MAX { last.size.into() } else { 1 };
        let next = last.number.wrapping_add(step) & ((1 << NUMBER_BITS) - 1);
        let next_number = expected(coder, numbers, (known.number, next), |coder| {
            let high = number(coder, NUMBER_BITS - 32, (known.number >> 32) as u32)?;
            Ok(u64::from(high) << 32 | u64::from(number(coder, 32, known.number as u32)?))
        })?;
        let size = u64::from(last.size).min(left) as u32;
        let size = expected(coder, sizes, (known.size, size), |coder| Ok(number(coder, 16, known.size - 1)? + 1))?;
        let usual = if size == last.size { last.size_code } else { usual_size_code(size) };
        let size_code = expected(coder, size_codes, (known.size_code, usual), |coder| {
            Ok(number(coder, 4, known.size_code.into())? as u8)
        })?;
        let rate = ((known.rate_code, known.rate), (last.rate_code, last.rate));
        let (rate_code, rate) = expected(coder, rates, rate, |coder| {
            let code = number(coder, 4, known.rate_code.into())? as u8;
            Ok((code, number(coder, rate_bits(code), known.rate.into())? as u16))
        })?;
        let context = usize::from(last.assignment) * 16;
        let assignment = tree(coder, &mut self.assignment[context..], 4, known.assignment.into())? as u8;
        let bits_code = expected(coder, bits_codes, (known.bits_code, last.bits_code), |coder| {
            Ok(number(coder, 3, known.bits_code.into())? as u8)
        })?;
        let head = Head { variable, number: next_number, size, size_code, rate_code, rate, assignment, bits_code };
        if !head.is_possible(self.form) || u64::from(size) > left || size as usize > MOST_SAMPLES {
            return Err(Damaged);
        }
        self.last = head;
        Ok(head)
    }

    /// Codes the subframe of a channel of the last head, whose samples are these: it, the samples without what is wasted,
    /// and what is left of them after prediction. `known` when encoding.
    pub fn subframe<C: Coder>(
        &mut self,
        coder: &mut C,
        known: Option<&Subframe>,
        channel: usize,
        mut samples: Vec<i64>,
    ) -> Result<(Subframe, Vec<i64>, Vec<i64>), Damaged> {
        let bits = coded_bits(self.form, self.last.assignment, channel);
        let used = samples.iter().fold(0, |all, s| all | s);
        let zeros = if used == 0 { 0 } else { used.trailing_zeros() };
        let wasted = known.map_or(0, |k| k.wasted);
        let wasted = expected(coder, &mut self.wasted, (wasted, zeros), |coder| number(coder, 6, wasted))?;
        if wasted >= bits {
            return Err(Damaged);
        }
        samples.iter_mut().for_each(|s| *s >>= wasted);
        let context = self.kinds[channel] * 64;
        let kind = tree(coder, &mut self.kind[context..], 6, known.map_or(0, |k| k.kind.number()))?;
        let (class, kind) = match kind {
            0 => (0, Kind::Constant),
            1 => (1, Kind::Verbatim),
            FIXED..=12 => (2, Kind::Fixed((kind - FIXED) as usize)),
            LPC..=63 => {
                let order = (kind - LPC + 1) as usize;
                let is_difference = usize::from(bits > self.form.bits);
                (3, self.predictor(coder, known, order, &samples, is_difference)?)
            }
            _ => return Err(Damaged),
        };
        self.kinds[channel] = class;
        let mut subframe = Subframe { wasted, kind, wide: false, order: 0, parameters: Vec::new() };
        let mut residual = Vec::new();
        if subframe.kind.is_predicted() {
            if subframe.kind.order() > samples.len() {
                return Err(Damaged);
            }
            residual = subframe.residual(&samples);
            self.parameters(coder, known, &mut subframe, &residual, samples.len())?;
        }
        if !subframe.is_possible(samples.len(), bits) {
            return Err(Damaged);
        }
        Ok((subframe, samples, residual))
    }

    fn predictor<C: Coder>(
        &mut self,
        coder: &mut C,
        known: Option<&Subframe>,
        order: usize,
        samples: &[i64],
        is_difference: usize,
    ) -> Result<Kind, Damaged> {
        let known = known.and_then(|k| match &k.kind {
            Kind::Lpc { precision, shift, coefficients } => Some((*precision, *shift, &coefficients[..])),
            _ => None,
        });
        let (precision, shift, taken) = known.unwrap_or((1, 0, &[]));
        let precision = tree(coder, &mut self.precision[is_difference * 16..], 4, precision - 1)? + 1;
        if precision > 15 {
            return Err(Damaged);
        }
        let view = if known.is_some() { self.nearest(samples, precision, shift, taken) } else { 0 };
        let view = tree(coder, &mut self.view, 4, view as u32)? as usize;
        if view >= VIEW_COUNT {
            return Err(Damaged);
        }
        let found = self.windows.coefficients(view, samples, order);
        let usual = lpc::shift(&found, precision);
        let shift = expected(coder, &mut self.shift, (shift, usual), |coder| number(coder, 4, shift))?;
        let mut rounding = Rounding::new(&found, precision, shift);
        let mut coefficients = Vec::with_capacity(order);
        let mut far = 0usize;
        for i in 0..order {
            let expected = rounding.expect();
            let away = taken.get(i).map_or(0, |c| c - expected);
            let width = 32 - away.unsigned_abs().leading_zeros();
            let context = far.div_ceil(2) * WIDTHS;
            let mut coded = 0;
            while coded < 16 && self.far[context + coded as usize].code(coder, coded < width)? {
                coded += 1;
            }
            let mut away_coded = 0;
            if coded > 0 {
                let low = number(coder, coded - 1, away.unsigned_abs() & ((1 << (coded - 1)) - 1))?;
                let sign = number(coder, 1, u32::from(away < 0))?;
                away_coded = (1 << (coded - 1) | low) as i32;
                away_coded = if sign == 1 { -away_coded } else { away_coded };
            }
            far = (far + 2 * coded as usize).div_ceil(2).min(2 * FAR - 2);
            coefficients.push(expected + away_coded);
            rounding.took(expected + away_coded);
        }
        Ok(Kind::Lpc { precision, shift, coefficients })
    }

    /// The view through which these coefficients are nearest to what is found.
    fn nearest(&mut self, samples: &[i64], precision: u32, shift: u32, taken: &[i32]) -> usize {
        let mut best = (u64::MAX, 0);
        for view in 0..VIEW_COUNT {
            let found = self.windows.coefficients(view, samples, taken.len());
            let mut rounding = Rounding::new(&found, precision, shift);
            let away = |c: &i32| {
                let away = rounding.expect().abs_diff(*c);
                rounding.took(*c);
                u64::from(32 - away.leading_zeros())
            };
            let far = taken.iter().map(away).sum();
            if far < best.0 {
                best = (far, view);
            }
            if far == 0 {
                break;
            }
        }
        best.1
    }

    fn parameters<C: Coder>(
        &mut self,
        coder: &mut C,
        known: Option<&Subframe>,
        subframe: &mut Subframe,
        residual: &[i64],
        size: usize,
    ) -> Result<(), Damaged> {
        let predictor = subframe.kind.order();
        let of_lpc = usize::from(matches!(subframe.kind, Kind::Lpc { .. }));
        subframe.wide = self.wide[of_lpc].code(coder, known.is_some_and(|k| k.wide))?;
        let best = guess::partition(residual, size, predictor, subframe.wide, self.most);
        let order = known.map_or(0, |k| k.order);
        subframe.order = expected(coder, &mut self.order[of_lpc], (order, best), |coder| number(coder, 4, order))?;
        let most = if subframe.wide { 30 } else { 14 };
        let mut start = 0;
        let ends = ends(size, subframe.order, predictor).ok_or(Damaged)?;
        for (i, end) in ends.enumerate() {
            let sums = Sums::of(&residual[start..end - predictor]);
            start = end - predictor;
            let known = known.and_then(|k| k.parameters.get(i));
            let plain = match known {
                Some(Parameter::Plain(bits)) => Some(*bits),
                _ => None,
            };
            if self.plain.code(coder, plain.is_some())? {
                subframe.parameters.push(Parameter::Plain(number(coder, 5, plain.unwrap_or(0))?));
                continue;
            }
            let usual = sums.parameter(most);
            let chances = &mut self.parameter[sums.class(usual)];
            let taken = if let Some(Parameter::Rice(low)) = known { *low } else { 0 };
            let low = around(coder, chances, usual, taken)?;
            if low > most {
                return Err(Damaged);
            }
            subframe.parameters.push(Parameter::Rice(low));
        }
        Ok(())
    }
}

/// Codes a number below 32 near an expected one: whether it is it, on which side it is, and how far.
fn around<C: Coder>(coder: &mut C, chances: &mut [Chance; 32], usual: u32, value: u32) -> Result<u32, Damaged> {
    if !chances[0].code(coder, value != usual)? {
        return Ok(usual);
    }
    let above = chances[1].code(coder, value > usual)?;
    let away = value.abs_diff(usual);
    let mut coded = 1;
    while coded < 30 && chances[1 + coded as usize].code(coder, coded < away)? {
        coded += 1;
    }
    if above { Ok(usual + coded) } else { usual.checked_sub(coded).ok_or(Damaged) }
}
