//! WAV: RIFF and RF64 files of plain samples.
//!
//! What must stay true: every byte that is no sample comes back as it was, and the header that most files have costs a byte.
//!
//! Recipe, version 1: a form byte; 0: the bytes before the samples (length, bytes); 1: they are [`usual_header`]. Then the
//! bytes after the samples (length, bytes).

use super::file::{self, Around, Order};
use super::riff::{find, is_wav};
use super::{Frames, SampleFormat, Sound};
use crate::media::{Format, MediaError, Medium};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format {
    medium: Medium::Wav,
    name: "WAV",
    version: 1,
    sniff: is_wav,
    split: |file, _, limits| file::split_found(file, Medium::Wav, find(file).map(|(found, _)| found), "WAV", limits),
    join: |recipe, content, _, sink| file::join(Medium::Wav, recipe, content, sink),
};

/// The header of 44 bytes that most writers put before `length` bytes of samples, of which `after` bytes follow.
pub(crate) fn usual_header(frames: &Frames, length: u64, after: usize) -> Vec<u8> {
    let block = frames.bytes();
    let tag: u16 = if frames.format == SampleFormat::F32 { 3 } else { 1 };
    let mut h = Vec::with_capacity(44);
    h.extend_from_slice(b"RIFF");
    h.extend_from_slice(&((36 + length + after as u64) as u32).to_le_bytes());
    h.extend_from_slice(b"WAVEfmt ");
    h.extend_from_slice(&16u32.to_le_bytes());
    h.extend_from_slice(&tag.to_le_bytes());
    h.extend_from_slice(&u16::from(frames.channels).to_le_bytes());
    h.extend_from_slice(&frames.rate.to_le_bytes());
    h.extend_from_slice(&frames.rate.wrapping_mul(block as u32).to_le_bytes());
    h.extend_from_slice(&(block as u16).to_le_bytes());
    h.extend_from_slice(&(frames.format.bytes() as u16 * 8).to_le_bytes());
    h.extend_from_slice(b"data");
    h.extend_from_slice(&(length as u32).to_le_bytes());
    h
}

/// The recipe for what stands around `length` bytes of samples.
pub(super) fn write_recipe(frames: &Frames, length: u64, around: &Around, w: &mut Writer) {
    if around.before == usual_header(frames, length, around.after.len()) {
        w.u8(1);
    } else {
        w.u8(0);
        w.blob(&around.before);
    }
    w.blob(&around.after);
}

/// What a recipe says.
pub(super) fn read_recipe(frames: &Frames, length: u64, r: &mut Reader) -> Result<Around, MediaError> {
    let before = match r.at_most(1, "the form of a WAV file")? {
        0 => Some(r.blob()?.to_vec()),
        _ => None,
    };
    let after = r.blob()?.to_vec();
    let before = before.unwrap_or_else(|| usual_header(frames, length, after.len()));
    Ok(Around { before, after, order: Order::Plain })
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
    let mut file = usual_header(&Frames { channels, rate: sound.rate, format }, length as u64, after.len());
    file.extend_from_slice(&format.to_bytes(&sound.samples));
    file.extend_from_slice(&after);
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::super::{AudioError, Pcm, read};
    use super::*;
    use crate::media::{self, Content, Limits, Options, Outcome};

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
            assert_eq!((u16::from(pcm.frames.channels), pcm.frames.rate), (channels, 8000));
            assert_eq!(pcm.frames.format.integers(&pcm.bytes), sound.samples);
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
