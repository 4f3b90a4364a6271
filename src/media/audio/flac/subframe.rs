//! Subframes: one channel of a frame, and what its encoder chose (RFC 9639, section 9.2).
//!
//! What must stay true: a subframe that was accepted by [`Subframe::is_possible`] can be written for any samples.

use super::bits::{LONGEST, Reader, TooLong, Writer};

/// Most samples of a subframe.
pub const MOST_SAMPLES: usize = 1 << 16;

/// How samples are predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// All are the same.
    Constant,
    /// Not at all.
    Verbatim,
    /// By differences of this order, 0 to 4.
    Fixed(usize),
    /// By a sum of those before, each times a coefficient, shifted.
    Lpc {
        /// Bits of a coefficient, 1 to 15.
        precision: u32,
        /// 0 to 15.
        shift: u32,
        /// 1 to 32 of them, the first for the sample before.
        coefficients: Vec<i32>,
    },
}

/// How the residual of a partition is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// With so many lower bits.
    Rice(u32),
    /// As numbers of so many bits, 0 to 31.
    Plain(u32),
}

/// What an encoder chose for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subframe {
    /// Lowest bits that are zero in all samples and left out.
    pub wasted: u32,
    pub kind: Kind,
    /// Whether parameters have five bits; else four.
    pub wide: bool,
    /// Parameters are for `2^order` equal parts.
    pub order: u32,
    /// One a part; none where nothing is predicted.
    pub parameters: Vec<Parameter>,
}

/// The numbers of the kinds, as they are written.
pub const FIXED: u32 = 8;
pub const LPC: u32 = 32;

impl Kind {
    /// Six bits.
    pub fn number(&self) -> u32 {
        match self {
            Self::Constant => 0,
            Self::Verbatim => 1,
            Self::Fixed(order) => FIXED + *order as u32,
            Self::Lpc { coefficients, .. } => LPC - 1 + coefficients.len() as u32,
        }
    }

    /// Samples before the first one that is predicted.
    pub fn order(&self) -> usize {
        match self {
            Self::Fixed(order) => *order,
            Self::Lpc { coefficients, .. } => coefficients.len(),
            _ => 0,
        }
    }

    /// Whether there is a residual.
    pub fn is_predicted(&self) -> bool {
        matches!(self, Self::Fixed(_) | Self::Lpc { .. })
    }

    /// What is expected of the sample after those before it, of which there are enough.
    fn expect(&self, before: &[i64]) -> i64 {
        let at = |back: usize| before[before.len() - back];
        match self {
            Self::Constant | Self::Verbatim | Self::Fixed(0) => 0,
            Self::Fixed(1) => at(1),
            Self::Fixed(2) => 2 * at(1) - at(2),
            Self::Fixed(3) => 3 * (at(1) - at(2)) + at(3),
            Self::Fixed(_) => 4 * (at(1) + at(3)) - 6 * at(2) - at(4),
            Self::Lpc { shift, coefficients, .. } => {
                let products = coefficients.iter().zip(before.iter().rev());
                products.map(|(c, s)| i64::from(*c) * s).sum::<i64>() >> shift
            }
        }
    }
}

/// Where the parts of a residual end, in samples of the whole subframe; `None` if there can be no such parts.
pub fn ends(size: usize, order: u32, predictor: usize) -> Option<impl Iterator<Item = usize>> {
    let part = size >> order;
    let fits = part << order == size && part >= predictor && part > 0;
    fits.then(|| (1..=1usize << order).map(move |i| i * part))
}

impl Subframe {
    /// Whether a channel of so many samples of so many bits can be written so.
    pub fn is_possible(&self, size: usize, bits: u32) -> bool {
        let order = self.kind.order();
        let parts = || ends(size, self.order, order).is_some() && self.parameters.len() == 1 << self.order;
        let coefficients = match &self.kind {
            Kind::Lpc { precision, shift, coefficients } => {
                let limit = 1i32 << (precision - 1);
                *shift < 16 && coefficients.iter().all(|c| (-limit..limit).contains(c))
            }
            Kind::Fixed(order) => *order <= 4,
            _ => true,
        };
        self.wasted < bits && order <= size && coefficients && (!self.kind.is_predicted() || parts())
    }

    /// What is left of the samples after the first ones; nothing where they are not predicted.
    pub fn residual(&self, samples: &[i64]) -> Vec<i64> {
        if !self.kind.is_predicted() {
            return Vec::new();
        }
        (self.kind.order()..samples.len()).map(|i| samples[i] - self.kind.expect(&samples[..i])).collect()
    }

    /// Writes it with its samples (without what is wasted) and their residual. `bits` are those of its samples before that.
    pub(super) fn write(&self, w: &mut Writer, samples: &[i64], residual: &[i64], bits: u32) -> Result<(), TooLong> {
        w.put(self.kind.number().into(), 7);
        w.put((self.wasted > 0).into(), 1);
        if self.wasted > 0 {
            w.unary(u64::from(self.wasted) - 1)?;
        }
        let bits = bits - self.wasted;
        let plain = match self.kind {
            Kind::Constant => 1,
            Kind::Verbatim => samples.len(),
            _ => self.kind.order(),
        };
        samples[..plain].iter().for_each(|s| w.put(*s as u64, bits));
        if let Kind::Lpc { precision, shift, coefficients } = &self.kind {
            w.put(u64::from(precision - 1), 4);
            w.put((*shift).into(), 5);
            coefficients.iter().for_each(|c| w.put(*c as u64, *precision));
        }
        if !self.kind.is_predicted() {
            return Ok(());
        }
        w.put(self.wide.into(), 2);
        w.put(self.order.into(), 4);
        let width = parameter_bits(self.wide);
        let order = self.kind.order();
        let mut start = 0;
        let ends = ends(samples.len(), self.order, order).ok_or(TooLong)?;
        for (parameter, end) in self.parameters.iter().zip(ends) {
            let part = &residual[start..end - order];
            start = end - order;
            match *parameter {
                Parameter::Rice(low) => {
                    w.put(low.into(), width);
                    for r in part {
                        // Its sign in the lowest bit.
                        let folded = (r << 1 ^ r >> 63) as u64;
                        w.unary(folded >> low)?;
                        w.put(folded, low);
                    }
                }
                Parameter::Plain(bits) => {
                    w.put(u64::MAX, width);
                    w.put(bits.into(), 5);
                    part.iter().for_each(|r| w.put(*r as u64, bits));
                }
            }
        }
        if w.bytes().len() > LONGEST { Err(TooLong) } else { Ok(()) }
    }
}

/// Bits of a parameter.
pub fn parameter_bits(wide: bool) -> u32 {
    if wide { 5 } else { 4 }
}

/// A subframe and its samples; `None` where it is damaged or of no known kind.
pub fn read(r: &mut Reader, size: usize, bits: u32) -> Option<(Subframe, Vec<i64>)> {
    let number = r.take(7)? as u32;
    let wasted = if r.take(1)? == 1 { u32::try_from(r.unary()?).ok()?.checked_add(1)? } else { 0 };
    let bits = bits.checked_sub(wasted).filter(|bits| *bits > 0)?;
    let mut samples = Vec::new();
    let mut subframe = Subframe { wasted, kind: Kind::Constant, wide: false, order: 0, parameters: Vec::new() };
    match number {
        0 => samples.resize(size, r.signed(bits)?),
        1 => {
            subframe.kind = Kind::Verbatim;
            for _ in 0..size {
                samples.push(r.signed(bits)?);
            }
        }
        FIXED..=12 | LPC..=63 => {
            let order = if number < LPC { number - FIXED } else { number - LPC + 1 } as usize;
            for _ in 0..order.min(size) {
                samples.push(r.signed(bits)?);
            }
            subframe.kind = if number < LPC { Kind::Fixed(order) } else { coefficients(r, order)? };
            residual(r, &mut subframe, &mut samples, size)?;
        }
        _ => return None,
    }
    for sample in &mut samples {
        *sample <<= wasted;
    }
    subframe.is_possible(size, bits + wasted).then_some((subframe, samples))
}

fn coefficients(r: &mut Reader, order: usize) -> Option<Kind> {
    let precision = r.take(4)? as u32 + 1;
    let shift = u32::try_from(r.signed(5)?).ok().filter(|_| precision < 16)?;
    let coefficients = (0..order).map(|_| r.signed(precision).map(|c| c as i32)).collect::<Option<_>>()?;
    Some(Kind::Lpc { precision, shift, coefficients })
}

/// Reads the residual, and makes the samples after the first ones of it.
fn residual(r: &mut Reader, subframe: &mut Subframe, samples: &mut Vec<i64>, size: usize) -> Option<()> {
    subframe.wide = match r.take(2)? {
        0 => false,
        1 => true,
        _ => return None,
    };
    subframe.order = r.take(4)? as u32;
    let width = parameter_bits(subframe.wide);
    for end in ends(size, subframe.order, subframe.kind.order())? {
        let parameter = r.take(width)? as u32;
        let escape = parameter == (1 << width) - 1;
        let parameter = if escape { Parameter::Plain(r.take(5)? as u32) } else { Parameter::Rice(parameter) };
        subframe.parameters.push(parameter);
        while samples.len() < end {
            let left = match parameter {
                Parameter::Rice(low) => {
                    let folded = r.unary()? << low | r.take(low)?;
                    (folded >> 1) as i64 ^ -((folded & 1) as i64)
                }
                Parameter::Plain(bits) => r.signed(bits)?,
            };
            // What is larger than any sample ends here, before it makes still larger ones.
            let sample = subframe.kind.expect(samples).checked_add(left).filter(|s| s.unsigned_abs() < 1 << 33)?;
            samples.push(sample);
        }
    }
    Some(())
}
