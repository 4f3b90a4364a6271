//! Sound of one channel: samples of a WAV file to the symbols of a network, and the file again.
//!
//! Linear: samples are divided by their greatest common divisor (recordings of fewer bits than their files have are common), then
//! each is what [`Linear`] expects of those before plus a difference, the symbol. Mu-law: symbols are codes of ITU-T G.711, and
//! other samples than those that the codes stand for are rounded, so that a file that has some cannot be restored.
//!
//! Recipe: whether the file is what [`wav::write`] makes of the samples; if so their bits and how many there are a second, else
//! what stands before them, what stands after them, and their format; then the divisor.
//!
//! What must stay true: [`amplitudes`] of [`symbols`] are the samples, if these are numbers of 16 bits and codes stand for them.

use super::SetError;
use crate::media::audio::{self, SampleFormat, Sound, riff, wav};
use crate::media::{Limits, MediaError, Sink, emit};
use crate::predict::linear::Linear;
use crate::spec::Samples;
use crate::wire::{Reader, WireError, Writer};

/// What a WAV file needs besides its symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    around: Around,
    /// 1 to 2^15.
    divisor: u16,
}

/// What stands around samples.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Around {
    /// What [`wav::write`] puts there.
    Usual { bits: u8, rate: u32 },
    /// Anything else.
    Other { before: Vec<u8>, after: Vec<u8>, format: SampleFormat },
}

/// The samples of a recording of one channel, of 16 bits or fewer, and how many a second.
pub fn mono(file: &[u8], limits: &Limits) -> Result<(Vec<i32>, u32, u8), SetError> {
    let sound = audio::read(file, limits).map_err(|e| SetError::Recording(e.to_string()))?;
    let fail = |what: String| Err(SetError::Recording(what));
    match (sound.channels, sound.bits) {
        (1, 1..=16) => Ok((sound.samples, sound.rate, sound.bits)),
        (1, bits) => fail(format!("it has {bits} bits a sample: networks for sound take 16 or fewer")),
        (n, _) => fail(format!("it has {n} channels: networks for sound take one; split or mix them first")),
    }
}

/// Symbols of a recording, and what restores its file, or why nothing does.
pub fn read(file: &[u8], samples: Samples, limits: &Limits) -> Result<(Vec<u16>, Result<Wave, SetError>), SetError> {
    let (numbers, rate, bits) = mono(file, limits)?;
    let (divisor, symbols) = symbols(&numbers, bits, samples);
    let wave = || -> Result<Wave, SetError> {
        let unfit =
            |_| SetError::Recording("it can be measured and trained on, not restored: decode it to a WAV file".into());
        let layout = riff::layout(file).map_err(unfit)?;
        if samples == Samples::MuLaw {
            let back = amplitudes(&symbols, samples);
            let same = back.iter().zip(&numbers).all(|(a, b)| i32::from(*a) == *b << (16 - bits));
            if !same || bits < 16 {
                return Err(SetError::Recording(
                    "it has samples that mu-law rounds: the network cannot restore it".into(),
                ));
            }
        }
        let sound = Sound { channels: 1, bits, rate, samples: numbers };
        let around = match wav::write(&sound).is_some_and(|usual| usual == file) {
            true => Around::Usual { bits, rate },
            false => {
                let (before, after) = (file[..layout.data.start].to_vec(), file[layout.data.end..].to_vec());
                Around::Other { before, after, format: layout.format }
            }
        };
        Ok(Wave { around, divisor })
    };
    let wave = wave();
    Ok((symbols, wave))
}

/// The greatest common divisor of samples of so many bits, and their symbols.
pub fn symbols(numbers: &[i32], bits: u8, samples: Samples) -> (u16, Vec<u16>) {
    match samples {
        Samples::MuLaw => (1, numbers.iter().map(|x| code(*x << (16 - bits.min(16))).into()).collect()),
        Samples::Linear => {
            let divisor = numbers.iter().fold(0, |a, b| common(a, b.unsigned_abs())).clamp(1, 1 << 15);
            let mut linear = Linear::default();
            let symbol = |x: &i32| {
                let x = (*x / divisor as i32) as i16;
                let symbol = x.wrapping_sub(linear.predict()) as u16;
                linear.learn(x);
                symbol
            };
            (divisor as u16, numbers.iter().map(symbol).collect())
        }
    }
}

/// The numbers of 16 bits that symbols stand for.
pub fn amplitudes(symbols: &[u16], samples: Samples) -> Vec<i16> {
    match samples {
        Samples::MuLaw => symbols.iter().map(|s| amplitude(*s as u8)).collect(),
        Samples::Linear => {
            let mut linear = Linear::default();
            let number = |s: &u16| {
                let x = linear.predict().wrapping_add(*s as i16);
                linear.learn(x);
                x
            };
            symbols.iter().map(number).collect()
        }
    }
}

fn common(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common(b, a % b) }
}

/// What is added to magnitudes before their logarithm is taken, and the largest magnitude that has a code (G.711, at 16 bits).
const BIAS: i32 = 132;
const MOST: i32 = 32_635;

/// The code of mu-law for a number of 16 bits.
fn code(x: i32) -> u8 {
    let magnitude = x.abs().min(MOST) + BIAS;
    let exponent = magnitude.ilog2() - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 15;
    !(if x < 0 { 0x80 } else { 0 } | (exponent << 4) as u8 | mantissa as u8)
}

/// The number of 16 bits that a code of mu-law stands for.
fn amplitude(code: u8) -> i16 {
    let code = !code;
    let magnitude = (((i32::from(code & 15) << 3) + BIAS) << (code >> 4 & 7)) - BIAS;
    (if code & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

impl Wave {
    pub fn write(&self, w: &mut Writer) {
        match &self.around {
            Around::Usual { bits, rate } => {
                w.u8(*bits);
                w.uint((*rate).into());
            }
            Around::Other { before, after, format } => {
                w.u8(0);
                w.blob(before);
                w.blob(after);
                w.u8(*format as u8);
            }
        }
        w.uint(self.divisor.into());
    }

    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        let around = match r.u8()? {
            0 => {
                let (before, after) = (r.blob()?.to_vec(), r.blob()?.to_vec());
                let format = SampleFormat::from_id(r.u8()?);
                let format = format.filter(|f| matches!(f, SampleFormat::U8 | SampleFormat::S16));
                Around::Other { before, after, format: format.ok_or(WireError::OutOfRange("the format of samples"))? }
            }
            bits @ (8 | 16) => Around::Usual { bits, rate: r.at_most(u32::MAX.into(), "a rate")? as u32 },
            _ => return Err(WireError::OutOfRange("the bits of samples").into()),
        };
        match r.at_most(1 << 15, "a divisor")? as u16 {
            0 => Err(WireError::OutOfRange("a divisor").into()),
            divisor => Ok(Self { around, divisor }),
        }
    }

    /// The file.
    pub fn join(&self, symbols: &[u16], samples: Samples, sink: &mut Sink<'_>) -> Result<(), MediaError> {
        let numbers = amplitudes(symbols, samples);
        let samples: Vec<i32> = numbers.iter().map(|x| i32::from(*x) * i32::from(self.divisor)).collect();
        let fits = |half: i32| match samples.iter().all(|x| (-half..half).contains(x)) {
            true => Ok(()),
            false => Err(MediaError::Inconsistent("a sample is out of its format's range")),
        };
        match &self.around {
            Around::Usual { bits, rate } => {
                fits(1 << (bits - 1))?;
                let file = wav::write(&Sound { channels: 1, bits: *bits, rate: *rate, samples });
                emit(sink, &file.ok_or(MediaError::Inconsistent("a file is too long"))?)
            }
            Around::Other { before, after, format } => {
                fits(1 << (8 * format.bytes() - 1))?;
                emit(sink, before)?;
                emit(sink, &format.to_bytes(&samples))?;
                emit(sink, after)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_amplitudes_are_those_of_the_standard() {
        // ITU-T G.711, table 2a, at 16 bits: decision values and outputs of some codes.
        let known =
            [(0xff, 0), (0xfe, 8), (0xf0, 120), (0xef, 132), (0xce, 988), (0x80, 32124), (0x00, -32124), (0x7e, -8)];
        for (code, number) in known {
            assert_eq!(amplitude(code), number, "{code:#x}");
        }
        for code_ in (0..=255u8).filter(|c| *c != 0x7f) {
            assert_eq!(code(amplitude(code_).into()), code_);
        }
        for x in i32::from(i16::MIN)..=i32::from(i16::MAX) {
            let made = code(x);
            // A step is 8, doubled as often as its exponent says, and the output lies in its middle.
            let half = 4 << (!made >> 4 & 7);
            let clipped = x.clamp(-MOST, MOST);
            assert!((i32::from(amplitude(made)) - clipped).abs() <= half, "{x}: {made:#x}");
        }
    }

    #[test]
    fn symbols_stand_for_the_samples_whatever_they_are() {
        let random = |t: i32| (t.wrapping_mul(1_103_515_245).wrapping_add(12_345) >> 11) as i16;
        let noise: Vec<i32> = (0..3000).map(|t| random(t * t).into()).collect();
        let ends: Vec<i32> = (0..2000).map(|t| if t % 3 == 0 { -32_768 } else { 32_767 }).collect();
        let coarse: Vec<i32> = (0..2000).map(|t| ((f64::from(t) * 0.1).sin() * 70.0) as i32 * 256).collect();
        for (numbers, divisor) in
            [(noise, 1), (ends, 1), (coarse, 256), (vec![0; 9], 1), (vec![-32_768; 5], 32_768), (vec![], 1)]
        {
            let (d, symbols) = symbols(&numbers, 16, Samples::Linear);
            assert_eq!(d, divisor);
            let back: Vec<i32> =
                amplitudes(&symbols, Samples::Linear).iter().map(|x| i32::from(*x) * i32::from(d)).collect();
            assert_eq!(back, numbers);
        }
    }
}
