//! Where the samples lie in a RIFF or RF64 file (Microsoft and IBM 1991; EBU Tech 3306).
//!
//! What must stay true: a header may lie about every length, so each is compared with what is there, and nothing is allocated.

pub use super::file::NoLayout;
use super::file::{Found, Order};
use super::{Frames, MAX_CHANNELS, SampleFormat};
use std::ops::Range;

/// What a file says about its samples, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// 1 to [`MAX_CHANNELS`].
    pub channels: u8,
    /// Frames a second.
    pub rate: u32,
    /// How a sample stands.
    pub format: SampleFormat,
    /// Bits of a sample that are used, the upper ones: 1 to 8 times its bytes.
    pub bits: u8,
    /// Bytes of the file that are whole frames.
    pub data: Range<usize>,
}

/// Whether a file begins as WAV files do.
pub fn is_wav(file: &[u8]) -> bool {
    file.len() >= 12 && matches!(&file[..4], b"RIFF" | b"RF64" | b"BW64") && &file[8..12] == b"WAVE"
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// What follows the tag of a format in the identity of a subformat.
pub(super) const SUBFORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// Where the samples of a whole file are.
pub fn layout(file: &[u8]) -> Result<Layout, NoLayout> {
    let (found, bits) = find(file)?;
    let (frames, data) = (found.frames, found.data(file.len()));
    Ok(Layout { channels: frames.channels, rate: frames.rate, format: frames.format, bits, data })
}

/// Reads the chunks up to the samples, which need not be there; also the bits of a sample that are used.
pub fn find(file: &[u8]) -> Result<(Found, u8), NoLayout> {
    if !is_wav(file) {
        return Err(NoLayout::Other);
    }
    let because = |why: &str| Err(NoLayout::Because(why.to_owned()));
    let (mut at, mut form, mut long) = (12, None, None);
    while let Some(head) = file.get(at..at + 8) {
        let (body, length) = (at + 8, u32_at(head, 4));
        let there = &file[body..][..(file.len() - body).min(length as usize)];
        match &head[..4] {
            b"ds64" if there.len() >= 16 => {
                long = Some(u64::from(u32_at(there, 8)) | u64::from(u32_at(there, 12)) << 32);
            }
            b"fmt " => form = Some(there),
            b"data" => {
                let Some(form) = form else { return because("has samples before it says what they are") };
                // Programs that write to a pipe cannot come back to fill in the length.
                let length = match (length, long) {
                    (u32::MAX, Some(long)) => Some(long),
                    (0 | u32::MAX, _) => None,
                    _ => Some(length.into()),
                };
                let (frames, bits) = read_format(form).map_err(NoLayout::Because)?;
                return Ok((Found { frames, order: Order::Plain, start: body, length }, bits));
            }
            _ => {}
        }
        // A chunk of odd length is followed by a zero. Some programs forget it.
        let Some(next) = body.checked_add(length as usize) else { break };
        let is_bare = file.get(next..next.saturating_add(4)).is_some_and(is_name);
        at = next + usize::from(length % 2 == 1 && !is_bare);
    }
    because("has no samples")
}

/// Whether four bytes can be the name of a chunk.
fn is_name(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}

/// What the frames are, and how many bits of a sample are used.
fn read_format(form: &[u8]) -> Result<(Frames, u8), String> {
    if form.len() < 16 {
        return Err("does not say what its samples are".to_owned());
    }
    let (mut tag, channels, rate) = (u16_at(form, 0), u16_at(form, 2), u32_at(form, 4));
    let (block, bits) = (usize::from(u16_at(form, 12)), u16_at(form, 14));
    if tag == 0xfffe {
        if form.len() < 40 || form[26..40] != SUBFORMAT {
            return Err("has samples of a kind that is not known".to_owned());
        }
        tag = u16_at(form, 24);
    }
    if channels == 0 {
        return Err("has no channels".to_owned());
    }
    if channels > MAX_CHANNELS {
        return Err(format!("has {channels} channels, and at most {MAX_CHANNELS} are taken apart"));
    }
    let format = match (tag, bits) {
        (1, 1..=8) => SampleFormat::U8,
        (1, 9..=16) => SampleFormat::S16,
        (1, 17..=24) => SampleFormat::S24,
        (1, 25..=32) => SampleFormat::S32,
        (3, 32) => SampleFormat::F32,
        (1, _) => return Err(format!("has samples of {bits} bits")),
        (3, _) => return Err(format!("has floating-point samples of {bits} bits")),
        _ => return Err(format!("has samples in the format {tag:#06x}, and only plain ones are taken apart")),
    };
    if block != usize::from(channels) * format.bytes() {
        return Err(format!("has frames of {block} bytes, which does not fit {channels} channels of {bits} bits"));
    }
    Ok((Frames { channels: channels as u8, rate, format }, bits as u8))
}
