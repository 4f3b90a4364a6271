//! A plain PNG of a picture, for people to look at.
//!
//! What must stay true: any reader gets the same samples back.

use super::idat::{Cuts, Framer};
use super::layout::{Header, emit_chunk, emit_header};
use super::scanlines::Shape;
use super::{FRESH, FRESH_HEADER, Rebuild};
use crate::media::image::Picture;
use crate::media::{Limits, MediaError};
use std::ops::ControlFlow;

/// The bytes of a PNG file of 8 bits.
///
/// # Errors
/// A picture that is empty or inconsistent, or no memory.
pub fn encode(picture: &Picture) -> Result<Vec<u8>, MediaError> {
    let Picture { width, height, channels, samples } = picture;
    if !picture.is_consistent() || samples.is_empty() || *width.max(height) > 0x7fff_ffff {
        return Err(MediaError::Inconsistent("a picture without pixels, or with too many"));
    }
    let colour = if *channels == 3 { 2 } else { 0 };
    let header = Header { width: *width, height: *height, depth: 8, colour, interlaced: false };
    let shape = Shape::of(header);
    // Two values are best left as they are; others differ little from what Paeth's filter foretells.
    let filter = if samples.iter().all(|s| matches!(s, 0 | 255)) { 0 } else { 4 };
    let filters = vec![filter; *height as usize];
    let mut data = FRESH_HEADER.to_vec();
    let limits = Limits { max_bytes: u64::MAX };
    let adler = Rebuild::Zlib(FRESH).run(&shape, samples, &filters, &limits, &mut |bytes| {
        data.extend_from_slice(bytes);
        Ok(())
    })?;
    data.extend_from_slice(&adler.to_be_bytes());
    let mut file = Vec::with_capacity(data.len() + 64);
    let mut sink = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    emit_header(header, &mut sink)?;
    let cuts = Cuts::even(data.len() as u64, super::FRESH_PIECE);
    let mut framer = Framer::new(&cuts, &mut sink)?;
    framer.write(&data)?;
    framer.finish()?;
    emit_chunk(b"IEND", &[], None, &mut sink)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Content, Options, Outcome, split};

    #[test]
    fn it_reads_back() {
        for (width, height, channels) in [(1, 1, 1), (5, 3, 3), (300, 200, 3), (30, 9, 1)] {
            let n = width * height * u32::from(channels);
            let samples: Vec<u8> = (0..u64::from(n)).map(|i| (i * i / 7) as u8).collect();
            let picture = Picture { width, height, channels, samples };
            let file = encode(&picture).unwrap();
            let limits = Limits { max_bytes: 1 << 24 };
            let Outcome::Split(split) = split(&file, Options::default(), &limits) else { panic!("no PNG") };
            assert_eq!(split.content, Content::Picture(picture));
        }
        assert!(encode(&Picture { width: 0, height: 3, channels: 1, samples: vec![] }).is_err());
    }
}
