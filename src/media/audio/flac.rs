//! The samples of FLAC files. Their bytes are not made again from the samples: which encoder wrote them is not known here.
//!
//! What must stay true: a file whose samples do not have the MD5 that its header names, or are not as many, is refused.

use super::{AudioError, Sound};
use crate::media::Limits;
use claxon::FlacReader;
use md5::{Digest, Md5};

/// Whether a file begins as FLAC files do.
pub fn is_flac(file: &[u8]) -> bool {
    file.starts_with(b"fLaC")
}

/// The samples of a FLAC file (RFC 9639). Refuses more than `limits` allow as 32-bit integers.
pub fn read(file: &[u8], limits: &Limits) -> Result<Sound, AudioError> {
    let fault = |e: claxon::Error| AudioError::Flac(e.to_string());
    let mut reader = FlacReader::new(file).map_err(fault)?;
    let info = reader.streaminfo();
    let mut md5 = Md5::new();
    let (channels, bits) = (info.channels as u16, info.bits_per_sample as u8);
    if channels == 0 || !(1..=32).contains(&bits) {
        return Err(AudioError::Flac(format!("{channels} channels of {bits} bits")));
    }
    // A few bytes can stand for many samples, so they are counted while they come.
    let most = (limits.max_bytes / 4).min(usize::MAX as u64) as usize;
    let mut samples = Vec::new();
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(fault)? {
        if block.channels() != u32::from(channels) {
            return Err(AudioError::Flac("its blocks have other channels than its header says".to_owned()));
        }
        let count = block.duration() as usize * usize::from(channels);
        if count > most - samples.len() {
            limits.check((samples.len() + count) as u64 * 4, "the samples").map_err(AudioError::TooLarge)?;
        }
        let each: Vec<&[i32]> = (0..channels.into()).map(|c| block.channel(c)).collect();
        for i in 0..block.duration() as usize {
            samples.extend(each.iter().map(|channel| channel[i]));
        }
        buffer = block.into_buffer();
    }
    let frames = samples.len() as u64 / u64::from(channels);
    if info.samples.is_some_and(|count| count != frames) {
        return Err(AudioError::Flac("it has not as many samples as its header says".to_owned()));
    }
    // MD5 is of the samples in whole bytes, lowest first, and zero where the encoder did not know it.
    let width = usize::from(bits.div_ceil(8));
    for &sample in &samples {
        md5.update(&sample.to_le_bytes()[..width]);
    }
    let found: [u8; 16] = md5.finalize().into();
    if info.md5sum != [0; 16] && info.md5sum != found {
        return Err(AudioError::Flac("its samples do not have the MD5 that its header names".to_owned()));
    }
    Ok(Sound { channels, bits, rate: info.sample_rate, samples })
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
        let whole = file(md5, 8, 0xfb);
        for end in 0..whole.len() {
            assert!(read(&whole[..end], &limits).is_err(), "{end}");
        }
    }
}
