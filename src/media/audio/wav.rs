//! WAV: RIFF and RF64 files of plain samples.
//!
//! What must stay true: every byte that is no sample comes back as it was, and the header that most files have costs a byte.
//!
//! Recipe, version 1: a form byte; 0: the bytes before the samples (length, bytes); 1: they are [`usual_header`]. Then the
//! bytes after the samples (length, bytes).

use super::riff::{NoLayout, is_wav, layout};
use super::{AudioError, Pcm, SampleFormat, Sound};
use crate::media::{Content, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Wav, name: "WAV", version: 1, sniff: is_wav, split, join };

/// The header of 44 bytes that most writers put before `length` bytes of samples, of which `after` bytes follow.
fn usual_header(pcm: &Pcm, length: usize, after: usize) -> Vec<u8> {
    let block = pcm.frame();
    let tag: u16 = if pcm.format == SampleFormat::F32 { 3 } else { 1 };
    let mut h = Vec::with_capacity(44);
    h.extend_from_slice(b"RIFF");
    h.extend_from_slice(&((36 + length + after) as u32).to_le_bytes());
    h.extend_from_slice(b"WAVEfmt ");
    h.extend_from_slice(&16u32.to_le_bytes());
    h.extend_from_slice(&tag.to_le_bytes());
    h.extend_from_slice(&u16::from(pcm.channels).to_le_bytes());
    h.extend_from_slice(&pcm.rate.to_le_bytes());
    h.extend_from_slice(&pcm.rate.wrapping_mul(block as u32).to_le_bytes());
    h.extend_from_slice(&(block as u16).to_le_bytes());
    h.extend_from_slice(&(pcm.format.bytes() as u16 * 8).to_le_bytes());
    h.extend_from_slice(b"data");
    h.extend_from_slice(&(length as u32).to_le_bytes());
    h
}

fn split(file: &[u8], _: Options, limits: &Limits) -> Outcome {
    let layout = match layout(file) {
        Ok(layout) => layout,
        Err(NoLayout::Other) => return Outcome::opaque(),
        Err(NoLayout::Because(why)) => return Outcome::because(format!("the WAV file {why}")),
    };
    let (before, after) = (&file[..layout.data.start], &file[layout.data.end..]);
    if layout.data.is_empty() || limits.check(layout.data.len() as u64, "the samples").is_err() {
        return Outcome::opaque();
    }
    let bytes = file[layout.data].to_vec();
    let pcm = Pcm { channels: layout.channels, rate: layout.rate, format: layout.format, bytes };
    let mut w = Writer::new();
    if before == usual_header(&pcm, pcm.bytes.len(), after.len()) {
        w.u8(1);
    } else {
        w.u8(0);
        w.blob(before);
    }
    w.blob(after);
    let (content, recipe) = (Content::Pcm(pcm), w.finish());
    let split = Split { medium: Medium::Wav, content, recipe, rebuilders: vec![], exact: true, note: None };
    checked(file, split, limits).map_or_else(|_| Outcome::opaque(), |s| Outcome::Split(Box::new(s)))
}

fn join(recipe: &[u8], content: &Content, _: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let Content::Pcm(pcm) = content else {
        return Err(MediaError::Inconsistent("it needs the samples of a recording"));
    };
    if !pcm.is_consistent() {
        return Err(MediaError::Inconsistent("the samples of a recording are no whole frames"));
    }
    let mut r = Reader::new(recipe);
    let before = match r.at_most(1, "the form of a WAV file")? {
        0 => Some(r.blob()?),
        _ => None,
    };
    let after = r.blob()?;
    r.end()?;
    match before {
        Some(before) => emit(sink, before)?,
        None => emit(sink, &usual_header(pcm, pcm.bytes.len(), after.len()))?,
    }
    emit(sink, &pcm.bytes)?;
    emit(sink, after)
}

/// The samples of a WAV file. Those in floating point are refused, and so are more than `limits` allow as 32-bit integers.
pub fn read(file: &[u8], limits: &Limits) -> Result<Sound, AudioError> {
    let layout = layout(file).map_err(|fault| match fault {
        NoLayout::Other => AudioError::Unknown,
        NoLayout::Because(why) => AudioError::Unsupported(why),
    })?;
    if !layout.format.is_integer() {
        return Err(AudioError::Unsupported("has floating-point samples".to_owned()));
    }
    let count = layout.data.len() / layout.format.bytes();
    limits.check(count as u64 * 4, "the samples").map_err(AudioError::TooLarge)?;
    let samples = layout.format.integers(&file[layout.data]);
    let bits = layout.format.bytes() as u8 * 8;
    Ok(Sound { channels: layout.channels.into(), bits, rate: layout.rate, samples })
}

/// A plain PCM WAV file of at most 4 GiB; a sample takes as many whole bytes as its bits need, and bits beyond `sound.bits`
/// are cut off. `None` if there is no channel or the samples are too many for the format's lengths.
pub fn write(sound: &Sound) -> Option<Vec<u8>> {
    let format = match sound.bits {
        0..=8 => SampleFormat::U8,
        9..=16 => SampleFormat::S16,
        17..=24 => SampleFormat::S24,
        _ => SampleFormat::S32,
    };
    let channels = u8::try_from(sound.channels).ok().filter(|&n| n > 0)?;
    let length = sound.samples.len().checked_mul(format.bytes())?;
    u32::try_from(length).ok()?.checked_add(37)?;
    let after = vec![0; length % 2];
    let pcm = Pcm { channels, rate: sound.rate, format, bytes: format.to_bytes(&sound.samples) };
    let mut file = usual_header(&pcm, length, after.len());
    file.extend_from_slice(&pcm.bytes);
    file.extend_from_slice(&after);
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{self, Options};

    const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

    fn sound(channels: u16, bits: u8) -> Sound {
        let half = 1i64 << (bits - 1);
        let each = (0..i64::from(channels) * 37).map(|i| (i * i * 7919 % (2 * half) - half) as i32);
        Sound { channels, bits, rate: 8000, samples: each.collect() }
    }

    fn pcm_of(file: &[u8]) -> (Pcm, usize) {
        let Outcome::Split(split) = media::split(file, Options::default(), &LIMITS) else { panic!("not split") };
        let back = media::join(split.medium, &split.recipe, &split.content, &LIMITS).unwrap();
        assert!(back == file);
        let Content::Pcm(pcm) = split.content else { panic!("no samples") };
        (pcm, split.recipe.len())
    }

    #[test]
    fn what_is_written_is_read_and_its_header_costs_nothing() {
        for (channels, bits) in [(1, 8), (2, 8), (1, 16), (2, 16), (6, 16), (1, 24), (3, 24), (8, 32)] {
            let sound = sound(channels, bits);
            let file = write(&sound).unwrap();
            assert_eq!(read(&file, &LIMITS).unwrap(), sound);
            let (pcm, recipe) = pcm_of(&file);
            assert_eq!((u16::from(pcm.channels), pcm.rate), (channels, 8000));
            assert_eq!(pcm.format.integers(&pcm.bytes), sound.samples);
            assert!(recipe <= 3);
        }
        assert_eq!(write(&Sound { channels: 0, ..sound(1, 8) }), None);
    }

    /// A file of these chunks.
    fn riff(name: &[u8; 4], chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut file = [name.as_slice(), &[0; 4], b"WAVE"].concat();
        for (name, length, body) in chunks {
            file.extend([name.as_slice(), &length.to_le_bytes(), body].concat());
        }
        file
    }

    fn form(tag: u16, channels: u16, bits: u16, block: u16) -> Vec<u8> {
        [&tag.to_le_bytes()[..], &channels.to_le_bytes(), &[0; 8], &block.to_le_bytes(), &bits.to_le_bytes()].concat()
    }

    #[test]
    fn strange_files_are_read_as_far_as_they_make_sense() {
        let data: Vec<u8> = (0..40).collect();
        let form16 = form(1, 2, 16, 4);
        let f = (b"fmt ", 16, &form16[..]);
        let extensible =
            [&form(0xfffe, 2, 16, 4)[..], &[22, 0, 16, 0, 3, 0, 0, 0, 1, 0], &super::super::riff::SUBFORMAT].concat();
        let long = [&[0; 8][..], &40u64.to_le_bytes(), &[0; 12]].concat();
        let odd = |padded: bool| if padded { &b"abc\0"[..] } else { b"abc" };
        let whole = [
            riff(b"RIFF", &[f, (b"data", 40, &data)]),
            riff(b"RIFF", &[f, (b"data", 0, &data)]),
            riff(b"RIFF", &[f, (b"data", u32::MAX, &data)]),
            riff(b"RIFF", &[f, (b"data", 1 << 30, &data)]),
            riff(b"RIFF", &[(b"LIST", 3, odd(true)), f, (b"data", 40, &data)]),
            riff(b"RIFF", &[(b"LIST", 3, odd(false)), f, (b"data", 40, &data)]),
            riff(b"RIFF", &[(b"fmt ", 40, &extensible), (b"data", 40, &data), (b"LIST", 3, b"abc")]),
            riff(b"RF64", &[(b"ds64", 28, &long), f, (b"data", u32::MAX, &data), (b"LIST", 40, &data)]),
            riff(b"RIFF", &[f, (b"data", 41, &[&data[..], &[1]].concat())]),
        ];
        for file in whole {
            assert_eq!(pcm_of(&file).0.bytes, data);
        }
        assert_eq!(pcm_of(&riff(b"RIFF", &[f, (b"data", 22, &data)])).0.bytes, &data[..20]);
    }

    #[test]
    fn what_cannot_be_taken_apart_is_opaque_and_says_why() {
        let data = [7; 64];
        let with = |form: &[u8]| riff(b"RIFF", &[(b"fmt ", form.len() as u32, form), (b"data", 64, &data)]);
        for (file, word) in [
            (with(&form(1, 0, 16, 2)), "no channels"),
            (with(&form(1, 65535, 16, 2)), "65535 channels"),
            (with(&form(1, 2, 16, 3)), "frames of 3 bytes"),
            (with(&form(1, 1, 0, 1)), "0 bits"),
            (with(&form(3, 1, 64, 8)), "64 bits"),
            (with(&form(0x55, 1, 0, 1)), "format 0x0055"),
            (with(&form(0xfffe, 1, 16, 2)), "not known"),
            (with(&form(1, 1, 16, 2)[..9]), "does not say"),
            (riff(b"RIFF", &[(b"data", 64, &data)]), "before it says"),
            (riff(b"RIFF", &[(b"fmt ", u32::MAX, &data)]), "no samples"),
        ] {
            let Outcome::Opaque { note: Some(note) } = media::split(&file, Options::default(), &LIMITS) else {
                panic!()
            };
            assert!(note.contains(word), "{note}");
            assert!(matches!(read(&file, &LIMITS), Err(AudioError::Unsupported(_))));
        }
        let large = Limits { max_bytes: 30 };
        let file = write(&sound(2, 16)).unwrap();
        assert!(matches!(read(&file, &large), Err(AudioError::TooLarge(_))));
        assert_eq!(media::split(&file, Options::default(), &large), Outcome::Opaque { note: None });
        assert_eq!(read(b"RIFF\0\0\0\0AVI ", &LIMITS), Err(AudioError::Unknown));
    }
}
