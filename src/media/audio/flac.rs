//! FLAC files: their samples alone, and ([`recipe`]) what makes the same file of them again.
//!
//! What must stay true: of samples alone, a file that does not have the MD5 that its header names, or not as many, is refused.

mod bits;
mod decisions;
mod frame;
mod guess;
pub mod recipe;
mod subframe;

use super::{AudioError, Frames, SampleFormat, Sound, wav};
use crate::media::Limits;
use claxon::FlacReader;
use claxon::metadata::StreamInfo;
use md5::{Digest, Md5};
use std::io::{self, Read};

/// Whether a file begins as FLAC files do.
pub fn is_flac(file: &[u8]) -> bool {
    file.starts_with(b"fLaC")
}

fn damaged(what: impl ToString) -> AudioError {
    AudioError::Flac(what.to_string())
}

/// Reads a FLAC file block by block.
struct Blocks<R: Read> {
    reader: FlacReader<R>,
    info: StreamInfo,
    md5: Md5,
    frames: u64,
    buffer: Vec<i32>,
}

impl<R: Read> Blocks<R> {
    fn new(input: R) -> Result<Self, AudioError> {
        let reader = FlacReader::new(input).map_err(damaged)?;
        let info = reader.streaminfo();
        if info.channels == 0 || !(1..=32).contains(&info.bits_per_sample) {
            return Err(damaged(format!("{} channels of {} bits", info.channels, info.bits_per_sample)));
        }
        Ok(Self { reader, info, md5: Md5::new(), frames: 0, buffer: Vec::new() })
    }

    /// The samples of the next block, frame after frame; `None` at the end, which is where number and MD5 are compared.
    fn next(&mut self) -> Result<Option<Vec<i32>>, AudioError> {
        let block = self.reader.blocks().read_next_or_eof(std::mem::take(&mut self.buffer)).map_err(damaged)?;
        let Some(block) = block else { return self.end().map(|()| None) };
        if block.channels() != self.info.channels {
            return Err(damaged("its blocks have other channels than its header says"));
        }
        let each: Vec<&[i32]> = (0..block.channels()).map(|c| block.channel(c)).collect();
        let frame = |i: usize| each.iter().map(move |channel| channel[i]);
        let samples: Vec<i32> = (0..block.duration() as usize).flat_map(frame).collect();
        self.frames += u64::from(block.duration());
        // MD5 is of the samples in whole bytes, lowest first.
        let width = self.info.bits_per_sample.div_ceil(8) as usize;
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes().into_iter().take(width)).collect();
        self.md5.update(&bytes);
        self.buffer = block.into_buffer();
        Ok(Some(samples))
    }

    fn end(&mut self) -> Result<(), AudioError> {
        if self.info.samples.is_some_and(|count| count != self.frames) {
            return Err(damaged("it has not as many samples as its header says"));
        }
        // Zero where the encoder did not know it.
        let found: [u8; 16] = self.md5.finalize_reset().into();
        if self.info.md5sum != [0; 16] && self.info.md5sum != found {
            return Err(damaged("its samples do not have the MD5 that its header names"));
        }
        Ok(())
    }
}

/// The samples of a FLAC file (RFC 9639). Refuses more than `limits` allow as 32-bit integers.
pub fn read(file: &[u8], limits: &Limits) -> Result<Sound, AudioError> {
    let mut blocks = Blocks::new(file)?;
    // A few bytes can stand for many samples, so they are counted while they come.
    let mut samples = Vec::new();
    while let Some(block) = blocks.next()? {
        limits.check((samples.len() + block.len()) as u64 * 4, "the samples").map_err(AudioError::TooLarge)?;
        samples.extend(block);
    }
    let StreamInfo { channels, bits_per_sample, sample_rate, .. } = blocks.info;
    Ok(Sound { channels: channels as u16, bits: bits_per_sample as u8, rate: sample_rate, samples })
}

/// A FLAC file as the WAV file of its samples, made while it is read. What is wrong with it is an error of reading; so is an MD5
/// that does not match, at the end.
pub struct Unpacked<R: Read> {
    blocks: Blocks<R>,
    format: SampleFormat,
    ready: Vec<u8>,
    taken: usize,
    /// Zeros behind the samples: 1 if these are an odd number of bytes.
    padding: usize,
    ended: bool,
}

impl<R: Read> Unpacked<R> {
    /// Reads the header of a FLAC file. Its samples are of 8, 16, 24 or 32 bits, and it says how many there are.
    pub fn new(input: R) -> Result<Self, AudioError> {
        let blocks = Blocks::new(input)?;
        let info = &blocks.info;
        let unfit = |what: String| Err(AudioError::Unsupported(what));
        let format = match info.bits_per_sample {
            8 => SampleFormat::U8,
            16 => SampleFormat::S16,
            24 => SampleFormat::S24,
            32 => SampleFormat::S32,
            bits => return unfit(format!("has samples of {bits} bits, for which there are no plain WAV files")),
        };
        let frames = Frames { channels: info.channels as u8, rate: info.sample_rate, format };
        let Some(count) = info.samples else {
            return unfit("does not say how many samples it has: decode it to a WAV file".to_owned());
        };
        let length = count * frames.bytes() as u64;
        if length > u64::from(u32::MAX) - 44 {
            return unfit("has more samples than a WAV file can".to_owned());
        }
        let padding = length as usize % 2;
        let ready = wav::usual_header(&frames, length, padding);
        Ok(Self { blocks, format, ready, taken: 0, padding, ended: false })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            self.taken = 0;
            self.ready = match self.blocks.next().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))? {
                Some(samples) => self.format.to_bytes(&samples),
                None => {
                    self.ended = true;
                    vec![0; self.padding]
                }
            };
        }
        let count = out.len().min(self.ready.len() - self.taken);
        out[..count].copy_from_slice(&self.ready[self.taken..][..count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight frames of silence but one, written by hand: a header, and one frame with the samples as they are.
    fn file(md5: [u8; 16], frames: u8, last: u8) -> Vec<u8> {
        let mut file = b"fLaC\x80\0\0\x22".to_vec();
        file.extend([0, 16, 0, 16, 0, 0, 0, 0, 0, 0]);
        // 8000 frames a second, one channel, 8 bits, number of frames.
        file.extend([0x01, 0xf4, 0x00, 0x70, 0, 0, 0, frames]);
        file.extend(md5);
        // A block of 8 samples, everything else as in the header; a subframe of samples as they are.
        let mut frame = vec![0xff, 0xf8, 0x60, 0x02, 0x00, 7];
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.push(0x02);
        frame.extend([0, 0, 0, 0, 0, 0, 0, last]);
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
        file
    }

    fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
        let (top, mask) = (1 << (bits - 1), (1 << bits) - 1);
        bytes.iter().fold(0, |crc, byte| {
            let start = crc ^ u32::from(*byte) << (bits - 8);
            (0..8).fold(start, |c, _| if c & top != 0 { (c << 1 ^ polynomial) & mask } else { c << 1 & mask })
        })
    }

    #[test]
    fn samples_are_read_and_checked() {
        let limits = Limits { max_bytes: 32 };
        let md5: [u8; 16] = Md5::digest([0, 0, 0, 0, 0, 0, 0, 0xfb]).into();
        let right = Sound { channels: 1, bits: 8, rate: 8000, samples: vec![0, 0, 0, 0, 0, 0, 0, -5] };
        assert_eq!(read(&file(md5, 8, 0xfb), &limits).as_ref(), Ok(&right));
        assert_eq!(read(&file([0; 16], 8, 0xfb), &limits), Ok(right));
        let word = |file: &[u8], limits| read(file, limits).unwrap_err().to_string();
        assert!(word(&file(md5, 8, 0xfa), &limits).contains("MD5"));
        assert!(word(&file(md5, 9, 0xfb), &limits).contains("not as many"));
        assert!(word(&file(md5, 8, 0xfb), &Limits { max_bytes: 31 }).contains("limit"));
        let mut wav = Vec::new();
        Unpacked::new(&file(md5, 8, 0xfb)[..]).unwrap().read_to_end(&mut wav).unwrap();
        let back = super::super::read(&wav, &limits).unwrap();
        assert_eq!((back.rate, back.bits, back.samples), (8000, 8, vec![0, 0, 0, 0, 0, 0, 0, -5]));
        // At the end it stays.
        let whole = file(md5, 8, 0xfb);
        let mut unpacked = Unpacked::new(&whole[..]).unwrap();
        assert_eq!(unpacked.read_to_end(&mut wav).unwrap(), wav.len() / 2);
        assert_eq!(unpacked.read(&mut [0; 9]).unwrap(), 0);
        let fault = Unpacked::new(&file(md5, 8, 0xfa)[..]).unwrap().read_to_end(&mut wav).unwrap_err();
        assert!(fault.to_string().contains("MD5"));
        for end in 0..whole.len() {
            assert!(read(&whole[..end], &limits).is_err(), "{end}");
        }
    }
}
