//! Frames: what their headers say, and how their channels are told apart (RFC 9639, sections 9.1 and 4.2).
//!
//! What must stay true: a frame is only taken where writing it gives the very same bytes, so nothing that an encoder may
//! leave to chance is lost.

use super::bits::{LONGEST, Reader, TooLong, Writer, crc8, crc16};
use super::subframe::{self, Subframe};

/// What a file says of all its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// 1 to 8.
    pub channels: u8,
    /// Bits of a sample, 4 to 32.
    pub bits: u32,
}

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whether `number` counts samples; else it counts frames.
    pub variable: bool,
    /// At most 36 bits.
    pub number: u64,
    /// Samples of a channel: 1 to 65 536.
    pub size: u32,
    /// How that is written: 4 bits.
    pub size_code: u8,
    /// How the rate is written, 4 bits, and what stands behind, where something does.
    pub rate_code: u8,
    pub rate: u16,
    /// 4 bits: channels less 1, or 8 to 10.
    pub assignment: u8,
    /// How bits of a sample are written: 3 bits.
    pub bits_code: u8,
}

/// The code of a number of samples, as all encoders are asked to choose it (RFC 9639, table 14).
pub fn usual_size_code(size: u32) -> u8 {
    match size {
        192 => 1,
        576 | 1152 | 2304 | 4608 => 2 + (size / 576).trailing_zeros() as u8,
        256 | 512 | 1024 | 2048 | 4096 | 8192 | 16384 | 32768 => size.trailing_zeros() as u8,
        1..=256 => 6,
        _ => 7,
    }
}

/// Bits behind the header that a code asks for, of a number of samples and of a rate.
fn size_bits(code: u8) -> u32 {
    match code {
        6 => 8,
        7 => 16,
        _ => 0,
    }
}

pub fn rate_bits(code: u8) -> u32 {
    match code {
        12 => 8,
        13 | 14 => 16,
        _ => 0,
    }
}

impl Head {
    /// Whether it says what a frame of such a file can be.
    pub fn is_possible(&self, form: Form) -> bool {
        let fits = match size_bits(self.size_code) {
            0 => self.size_code == usual_size_code(self.size),
            bits => self.size <= 1 << bits,
        };
        let channels = match self.assignment {
            8..=10 => 2,
            n => n + 1,
        };
        let bits = [form.bits, 8, 12, 0, 16, 20, 24, 32][usize::from(self.bits_code & 7)];
        fits && channels == form.channels && bits == form.bits && self.rate_code < 15
    }

    fn read(r: &mut Reader) -> Option<Self> {
        if r.take(15)? != 0x7ffc {
            return None;
        }
        let variable = r.take(1)? == 1;
        let (size_code, rate_code) = (r.take(4)? as u8, r.take(4)? as u8);
        let (assignment, bits_code) = (r.take(4)? as u8, r.take(4)? as u8);
        // The lowest bit is reserved.
        let bits_code = Some(bits_code).filter(|c| c % 2 == 0)? / 2;
        let first = r.take(8)?;
        let more = match (first as u8).leading_ones() {
            0 => 0,
            n @ 2..=7 => n - 1,
            _ => return None,
        };
        let mut number = if more == 0 { first } else { first & (0x3f >> more) };
        for _ in 0..more {
            number = number << 6 | (r.take(8)? & 0x3f);
        }
        let size = match size_code {
            0 => return None,
            1 => 192,
            2..=5 => 144 << size_code,
            6 | 7 => r.take(size_bits(size_code))? as u32 + 1,
            _ => 1 << size_code,
        };
        let rate = r.take(rate_bits(rate_code))? as u16;
        r.take(8)?;
        Some(Self { variable, number, size, size_code, rate_code, rate, assignment, bits_code })
    }

    fn write(&self, w: &mut Writer) {
        w.put(0x7ffc, 15);
        w.put(self.variable.into(), 1);
        w.put(self.size_code.into(), 4);
        w.put(self.rate_code.into(), 4);
        w.put(self.assignment.into(), 4);
        w.put(u64::from(self.bits_code) << 1, 4);
        // As characters of UTF-8, with up to seven bytes.
        let more = match 64 - self.number.leading_zeros() {
            0..=7 => 0,
            n => (1..6).find(|more| n <= 6 * more + 6 - more).unwrap_or(6),
        };
        let mark = if more == 0 { 0 } else { 0x7f80 >> more & 0xff };
        w.put(mark | self.number >> (6 * more), 8);
        for i in (0..more).rev() {
            w.put(0x80 | (self.number >> (6 * i) & 0x3f), 8);
        }
        w.put(u64::from(self.size - 1), size_bits(self.size_code));
        w.put(self.rate.into(), rate_bits(self.rate_code));
        let check = crc8(w.bytes());
        w.put(check.into(), 8);
    }
}

/// A frame but for its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub head: Head,
    /// One a channel.
    pub subframes: Vec<Subframe>,
}

/// Bits of the samples of a channel, as they are coded: a difference takes one more.
pub fn coded_bits(form: Form, assignment: u8, channel: usize) -> u32 {
    form.bits + u32::from(matches!((assignment, channel), (8 | 10, 1) | (9, 0)))
}

/// The channels, frame after frame, as they are coded.
pub fn apart(samples: &[i32], channels: u8, assignment: u8) -> Vec<Vec<i64>> {
    let channels = usize::from(channels);
    let each = |f: fn(i64, i64) -> i64| -> Vec<i64> {
        samples.chunks_exact(2).map(|pair| f(pair[0].into(), pair[1].into())).collect()
    };
    match (assignment, channels) {
        (8, 2) => vec![each(|left, _| left), each(|left, right| left - right)],
        (9, 2) => vec![each(|left, right| left - right), each(|_, right| right)],
        (10, 2) => vec![each(|left, right| (left + right) >> 1), each(|left, right| left - right)],
        _ => (0..channels).map(|c| samples.iter().skip(c).step_by(channels).map(|s| i64::from(*s)).collect()).collect(),
    }
}

/// The samples, frame after frame, of channels as they are coded; `None` where one does not have so many bits.
fn together(coded: &[Vec<i64>], form: Form, assignment: u8) -> Option<Vec<i32>> {
    let size = coded[0].len();
    let mut samples = Vec::with_capacity(size * coded.len());
    let most = 1i64 << (form.bits - 1);
    let mut put = |sample: i64| {
        samples.push(sample as i32);
        (-most..most).contains(&sample)
    };
    for i in 0..size {
        let fits = match assignment {
            8 => put(coded[0][i]) & put(coded[0][i] - coded[1][i]),
            9 => put(coded[0][i] + coded[1][i]) & put(coded[1][i]),
            10 => {
                let (mid, side) = (coded[0][i] << 1 | coded[1][i] & 1, coded[1][i]);
                put((mid + side) >> 1) & put((mid - side) >> 1)
            }
            _ => coded.iter().fold(true, |fits, channel| fits & put(channel[i])),
        };
        if !fits {
            return None;
        }
    }
    Some(samples)
}

/// The frame at the beginning of these bytes, its samples, and how many bytes it takes; `None` where it is damaged, or
/// would be written otherwise.
pub fn read(bytes: &[u8], form: Form) -> Option<(Frame, Vec<i32>, usize)> {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let mut r = Reader::new(bytes);
    let head = Head::read(&mut r).filter(|head| head.is_possible(form))?;
    let (mut subframes, mut coded) = (Vec::new(), Vec::new());
    for channel in 0..usize::from(form.channels) {
        let bits = coded_bits(form, head.assignment, channel);
        let (subframe, samples) = subframe::read(&mut r, head.size as usize, bits)?;
        subframes.push(subframe);
        coded.push(samples);
    }
    let length = r.align() + 2;
    let samples = together(&coded, form, head.assignment)?;
    let frame = Frame { head, subframes };
    let mut making = Making::new(&frame.head);
    for (channel, (subframe, samples)) in frame.subframes.iter().zip(&coded).enumerate() {
        let bits = coded_bits(form, frame.head.assignment, channel);
        let samples: Vec<i64> = samples.iter().map(|s| s >> subframe.wasted).collect();
        making.channel(subframe, &samples, &subframe.residual(&samples), bits).ok()?;
    }
    let again = making.finish();
    let is_same = bytes.get(..length)? == again && is_reasonable(length, samples.len());
    is_same.then_some((frame, samples, length))
}

/// Whether a frame of so many samples in all channels may have so many bytes: what is larger by far is no work of an encoder.
pub fn is_reasonable(bytes: usize, samples: usize) -> bool {
    bytes <= 64 + 16 * samples
}

/// A frame that is being written.
pub struct Making(Writer);

impl Making {
    pub fn new(head: &Head) -> Self {
        let mut w = Writer::default();
        head.write(&mut w);
        Self(w)
    }

    /// The next channel: its samples without what is wasted, and what is left of them after prediction. `bits` are those of its samples.
    pub fn channel(
        &mut self,
        subframe: &Subframe,
        samples: &[i64],
        residual: &[i64],
        bits: u32,
    ) -> Result<(), TooLong> {
        subframe.write(&mut self.0, samples, residual, bits)
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.0.align();
        let check = crc16(self.0.bytes());
        self.0.put(check.into(), 16);
        self.0.finish()
    }
}
