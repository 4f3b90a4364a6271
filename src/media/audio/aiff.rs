//! AIFF and AIFF-C: files of plain samples, mostly with the highest byte first (Apple 1989, 1991).
//!
//! What must stay true: as for WAV files, every byte that is no sample comes back as it was.

use super::file::{self, Found, NoLayout, Order};
use super::{Frames, MAX_CHANNELS, SampleFormat};
use crate::media::{Format, Medium};

/// The format's entry in the registry.
pub const FORMAT: Format = Format {
    medium: Medium::Aiff,
    name: "AIFF",
    version: 1,
    sniff: is_aiff,
    split: |file, _, limits| file::split_found(file, Medium::Aiff, find(file), "AIFF", limits),
    join: |recipe, content, _, sink| file::join(Medium::Aiff, recipe, content, sink),
};

/// Whether a file begins as AIFF files do.
pub fn is_aiff(file: &[u8]) -> bool {
    file.len() >= 12 && &file[..4] == b"FORM" && matches!(&file[8..12], b"AIFF" | b"AIFC")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Reads the chunks up to the samples.
pub fn find(head: &[u8]) -> Result<Found, NoLayout> {
    if !is_aiff(head) {
        return Err(NoLayout::Other);
    }
    let because = |why: &str| Err(NoLayout::Because(why.to_owned()));
    let (mut at, mut form) = (12, None);
    while let Some(start) = head.get(at..at + 8) {
        let (body, length) = (at + 8, u32_at(start, 4) as usize);
        let there = &head[body..][..(head.len() - body).min(length)];
        match &start[..4] {
            b"COMM" => form = Some(there),
            b"SSND" => {
                let Some(form) = form else { return because("has samples before it says what they are") };
                if there.len() < 8 {
                    return because("has no samples");
                }
                let offset = u32_at(there, 0) as usize;
                let (frames, order, count) = read_form(form, &head[8..12]).map_err(NoLayout::Because)?;
                let first = body + 8 + offset;
                if first > head.len() {
                    return because("has samples that begin behind its end");
                }
                let declared = (length as u64).checked_sub(8 + offset as u64).filter(|n| *n > 0);
                let counted = u64::from(count) * frames.bytes() as u64;
                // Programs that write to a pipe cannot come back to fill in the lengths.
                let length = declared.map(|n| if counted > 0 { n.min(counted) } else { n });
                return Ok(Found { frames, order, start: first, length });
            }
            _ => {}
        }
        let Some(next) = body.checked_add(length) else { break };
        at = next + length % 2;
    }
    because("has no samples")
}

/// What the frames are, how their bytes stand, and how many they are.
fn read_form(form: &[u8], kind: &[u8]) -> Result<(Frames, Order, u32), String> {
    let is_compressed = kind == b"AIFC";
    if form.len() < if is_compressed { 22 } else { 18 } {
        return Err("does not say what its samples are".to_owned());
    }
    let (channels, count, bits) = (u16_at(form, 0), u32_at(form, 2), u16_at(form, 6));
    let code = if is_compressed { &form[18..22] } else { b"NONE" };
    if channels == 0 {
        return Err("has no channels".to_owned());
    }
    if channels > MAX_CHANNELS {
        return Err(format!("has {channels} channels, and at most {MAX_CHANNELS} are taken apart"));
    }
    let plain = match bits {
        1..=8 => Some(SampleFormat::U8),
        9..=16 => Some(SampleFormat::S16),
        17..=24 => Some(SampleFormat::S24),
        25..=32 => Some(SampleFormat::S32),
        _ => None,
    };
    let (format, order) = match (code, plain) {
        (b"NONE" | b"twos" | b"in24" | b"in32", Some(format)) => (format, Order::Turned),
        (b"sowt", Some(SampleFormat::U8)) => (SampleFormat::U8, Order::Turned),
        (b"sowt", Some(format)) => (format, Order::Plain),
        (b"raw ", Some(SampleFormat::U8)) => (SampleFormat::U8, Order::Plain),
        (b"fl32" | b"FL32", Some(SampleFormat::S32)) => (SampleFormat::F32, Order::Turned),
        (b"NONE" | b"twos" | b"in24" | b"in32" | b"sowt" | b"raw ", _) => {
            return Err(format!("has samples of {bits} bits"));
        }
        _ => return Err("has samples that are compressed, and only plain ones are taken apart".to_owned()),
    };
    let frames = Frames { channels: channels as u8, rate: rate(&form[8..18]), format };
    Ok((frames, order, count))
}

/// A number of 80 bits in floating point as a whole one; what is none of 32 bits is 0.
fn rate(bytes: &[u8]) -> u32 {
    let exponent = i32::from(u16_at(bytes, 0)) - 16383;
    let mantissa = u64::from(u32_at(bytes, 2)) << 32 | u64::from(u32_at(bytes, 6));
    if (0..32).contains(&exponent) { (mantissa >> (63 - exponent)) as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use crate::media::{self, Content, Limits, Options, Outcome};

    const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

    fn file(kind: &[u8], code: &[u8], bits: u16, data: &[u8]) -> Vec<u8> {
        // 44 100 is 0xac44: sixteen bits, the highest one first.
        let rate = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];
        let form = [&[0, 2, 0, 0, 0, 0][..], &bits.to_be_bytes(), &rate, code].concat();
        let chunk = |name: &[u8], body: &[u8]| {
            let pad = vec![0; body.len() % 2];
            [name, &(body.len() as u32).to_be_bytes(), body, &pad].concat()
        };
        let samples = [&[0; 8], data].concat();
        let chunks = [chunk(b"NAME", b"abc"), chunk(b"COMM", &form), chunk(b"SSND", &samples), chunk(b"MARK", b"x")];
        [b"FORM", &[0, 0, 1, 0][..], kind, &chunks.concat()].concat()
    }

    #[test]
    fn samples_are_found_turned_and_come_back() {
        let data: Vec<u8> = (0..48).collect();
        for (kind, code, bits, first) in [
            (&b"AIFF"[..], &b""[..], 16, vec![1, 0, 3, 2]),
            (b"AIFF", b"", 8, vec![128, 129, 130]),
            (b"AIFF", b"", 24, vec![2, 1, 0, 5, 4, 3]),
            (b"AIFC", b"sowt", 16, vec![0, 1, 2, 3]),
            (b"AIFC", b"raw ", 8, vec![0, 1, 2]),
            (b"AIFC", b"fl32", 32, vec![3, 2, 1, 0]),
        ] {
            let file = file(kind, code, bits, &data);
            let Outcome::Split(split) = media::split(&file, Options::default(), &LIMITS) else { panic!("not split") };
            assert!(media::join(split.medium, &split.recipe, &split.content, &LIMITS).unwrap() == file);
            let Content::Pcm(pcm) = split.content else { panic!("no samples") };
            assert_eq!((pcm.frames.channels, pcm.frames.rate, pcm.bytes.len()), (2, 44100, 48));
            assert!(pcm.bytes.starts_with(&first));
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_says_why() {
        for (file, word) in [
            (file(b"AIFC", b"ima4", 16, &[0; 8]), "compressed"),
            (file(b"AIFF", b"", 0, &[0; 8]), "0 bits"),
            (file(b"AIFC", b"", 16, &[0; 8]), "does not say"),
        ] {
            let Outcome::Opaque { note: Some(note) } = media::split(&file, Options::default(), &LIMITS) else {
                panic!()
            };
            assert!(note.contains(word), "{note}");
        }
        let whole = file(b"AIFF", b"", 16, &[9; 64]);
        (0..whole.len()).for_each(|end| drop(media::split(&whole[..end], Options::default(), &LIMITS)));
    }
}
