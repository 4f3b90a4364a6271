//! Raw samples: a file without a header, of which the user says what it is.
//!
//! What must stay true: a rest that is no whole frame comes back, too.

use super::file::{Found, Order};
use super::{Frames, MAX_CHANNELS, SampleFormat, file};
use crate::media::{Format, Medium};
use std::str::FromStr;

/// The format's entry in the registry: no file is recognised as one.
pub const FORMAT: Format = Format {
    medium: Medium::Raw,
    name: "raw sound",
    version: 1,
    sniff: |_| false,
    split: |file, options, limits| match options.raw {
        Some(raw) => file::split(file, Medium::Raw, find(raw), limits),
        None => crate::media::Outcome::opaque(),
    },
    join: |recipe, content, _, sink| file::join(Medium::Raw, recipe, content, sink),
};

/// What a file is, as the user says: `44100,2,s16le`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw {
    /// What the frames are.
    pub frames: Frames,
    /// How the bytes of samples stand.
    pub order: Order,
}

/// All of a file.
pub fn find(raw: Raw) -> Found {
    Found { frames: raw.frames, order: raw.order, start: 0, length: None }
}

impl FromStr for Raw {
    type Err = String;

    /// RATE,CHANNELS,FORMAT; a format is u8, s8, or one of s16, s24, s32 and f32 with le or be behind it.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let (Some(rate), Some(channels), Some(format), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("rate, channels and format are needed, as in 44100,2,s16le".to_owned());
        };
        let rate = rate.parse().ok().filter(|rate| *rate > 0).ok_or_else(|| format!("'{rate}' is no rate"))?;
        let in_range = |n: &u8| (1..=MAX_CHANNELS).contains(&u16::from(*n));
        let channels =
            channels.parse().ok().filter(in_range).ok_or_else(|| format!("1 to {MAX_CHANNELS} channels are taken"))?;
        let (name, order) = match format {
            "u8" => ("u8", Order::Plain),
            "s8" => ("u8", Order::Turned),
            other => match (other.strip_suffix("le"), other.strip_suffix("be")) {
                (Some(name), _) => (name, Order::Plain),
                (_, Some(name)) => (name, Order::Turned),
                _ => (other, Order::Plain),
            },
        };
        let format = match (name, format.len()) {
            ("u8", 2) => SampleFormat::U8,
            ("s16", 5) => SampleFormat::S16,
            ("s24", 5) => SampleFormat::S24,
            ("s32", 5) => SampleFormat::S32,
            ("f32", 5) => SampleFormat::F32,
            _ => {
                let known = "u8, s8, s16le, s16be, s24le, s24be, s32le, s32be, f32le and f32be";
                return Err(format!("'{format}' is no format: there are {known}"));
            }
        };
        Ok(Self { frames: Frames { channels, rate, format }, order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{self, Content, Limits, Options, Outcome};

    #[test]
    fn names_are_read_and_files_come_back() {
        let limits = Limits { max_bytes: 1 << 20 };
        for (text, order, format) in [
            ("8000,1,u8", Order::Plain, SampleFormat::U8),
            ("8000,3,s8", Order::Turned, SampleFormat::U8),
            ("44100,2,s16le", Order::Plain, SampleFormat::S16),
            ("44100,8,s24be", Order::Turned, SampleFormat::S24),
            ("1,1,f32be", Order::Turned, SampleFormat::F32),
        ] {
            let raw: Raw = text.parse().unwrap();
            assert_eq!((raw.order, raw.frames.format), (order, format));
            let file: Vec<u8> = (0..=255).collect();
            let options = Options { raw: Some(raw), ..Options::default() };
            let Outcome::Split(split) = media::split(&file, options, &limits) else { panic!("not split") };
            assert!(media::join(split.medium, &split.recipe, &split.content, &limits).unwrap() == file);
            let Content::Pcm(pcm) = split.content else { panic!("no samples") };
            assert_eq!(pcm.bytes.len(), 256 - 256 % pcm.frames.bytes());
        }
        for text in
            ["", "44100", "44100,2", "0,1,u8", "8000,0,u8", "8000,9,u8", "8000,1,u8le", "8000,1,s16", "8000,1,s16le,"]
        {
            assert!(text.parse::<Raw>().is_err(), "{text}");
        }
    }
}
