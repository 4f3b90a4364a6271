//! Stock zlib 1.3.1 (linked statically through `libz-sys`): raw deflate and inflate with every parameter in the open.
//!
//! What must stay true: for the same parameters and the same bytes, [`Deflater`] writes the same stream on every machine,
//! because a decoder rebuilds deflate data by running it again. zlib-ng, miniz and others write other bits, so the version
//! is part of the stream format. This file is the one place outside the engine's kernels with `unsafe`: the C calls.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::mem::{MaybeUninit, size_of};
use std::ops::ControlFlow;

use libz_sys as z;

/// The version that streams name; the linked library must be this one.
pub const VERSION: &str = "1.3.1";

/// What `deflateInit2` is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Params {
    /// 1 to 9.
    pub level: u8,
    /// `memLevel`, 1 to 9.
    pub memory: u8,
    /// 0 default, 1 filtered, 2 Huffman only, 3 run length, 4 fixed codes.
    pub strategy: u8,
    /// `windowBits`, 9 to 15.
    pub window: u8,
}

impl Params {
    /// Whether every value lies in the range that its field states.
    pub fn valid(self) -> bool {
        (1..=9).contains(&self.level)
            && (1..=9).contains(&self.memory)
            && self.strategy <= 4
            && (9..=15).contains(&self.window)
    }
}

/// Whether the library that runs is the version that this crate was built for.
pub fn is_expected_version() -> bool {
    // SAFETY: `zlibVersion` returns a pointer to a constant, NUL-terminated string.
    let version = unsafe { CStr::from_ptr(z::zlibVersion()) };
    version.to_bytes() == VERSION.as_bytes()
}

/// A zeroed `z_stream` at a fixed address (zlib keeps a pointer to it). It is only ever touched through the raw pointer:
/// its allocator fields are null, which makes zlib use malloc, but which no Rust value of the type may hold.
fn new_stream() -> Box<MaybeUninit<z::z_stream>> {
    Box::new(MaybeUninit::zeroed())
}

/// Raw deflate (no zlib header, no checksum).
pub struct Deflater {
    stream: Box<MaybeUninit<z::z_stream>>,
    buffer: Vec<u8>,
}

// SAFETY: the state belongs to this value alone, zlib keeps nothing by thread, and its memory comes from malloc, which any thread
// may free.
unsafe impl Send for Deflater {}

impl Deflater {
    /// A compressor, or none when `params` are out of range or memory is short.
    pub fn new(params: Params) -> Option<Self> {
        if !params.valid() || !is_expected_version() {
            return None;
        }
        let mut stream = new_stream();
        // SAFETY: the stream is zeroed, as deflateInit2_ asks, and stays at its address for the life of the box;
        // the version string and size belong to the linked library.
        let code = unsafe {
            z::deflateInit2_(
                stream.as_mut_ptr(),
                params.level.into(),
                z::Z_DEFLATED,
                -i32::from(params.window),
                params.memory.into(),
                params.strategy.into(),
                z::zlibVersion(),
                size_of::<z::z_stream>() as i32,
            )
        };
        (code == z::Z_OK).then(|| Self { stream, buffer: vec![0; 1 << 15] })
    }

    /// Compresses `input`, the last of it when `finish`, and hands what comes out to `sink`, which may stop it early.
    pub fn write(
        &mut self,
        input: &[u8],
        finish: bool,
        mut sink: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut rest = input;
        loop {
            // zlib counts in 32 bits
            let piece = &rest[..rest.len().min(1 << 30)];
            let flush = if finish && piece.len() == rest.len() { z::Z_FINISH } else { z::Z_NO_FLUSH };
            let p = self.stream.as_mut_ptr();
            // SAFETY: the stream was initialised by `new`; next_in and next_out point to live slices of the stated
            // lengths for the duration of the call, and deflate does not write through next_in.
            let (code, left_in, left_out) = unsafe {
                (*p).next_in = piece.as_ptr().cast_mut();
                (*p).avail_in = piece.len() as u32;
                (*p).next_out = self.buffer.as_mut_ptr();
                (*p).avail_out = self.buffer.len() as u32;
                let code = z::deflate(p, flush);
                (code, (*p).avail_in as usize, (*p).avail_out as usize)
            };
            rest = &rest[piece.len() - left_in..];
            let made = self.buffer.len() - left_out;
            if made > 0 {
                sink(&self.buffer[..made])?;
            }
            let done = if finish { code == z::Z_STREAM_END } else { rest.is_empty() && left_out > 0 };
            if done {
                return ControlFlow::Continue(());
            }
            // Z_BUF_ERROR: no progress was possible; anything else but Z_OK cannot happen with a sound stream
            if code != z::Z_OK && !(code == z::Z_BUF_ERROR && made > 0) {
                return if finish { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised by `new` and is ended once.
        unsafe { z::deflateEnd(self.stream.as_mut_ptr()) };
    }
}

/// How far a call of [`Inflater::read`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes taken from the input.
    pub taken: usize,
    /// Bytes written to the output.
    pub made: usize,
    /// The deflate stream is complete.
    pub ended: bool,
}

/// Raw inflate.
pub struct Inflater {
    stream: Box<MaybeUninit<z::z_stream>>,
}

// SAFETY: as `Deflater`.
unsafe impl Send for Inflater {}

impl Inflater {
    /// A decompressor with a window of 32 KiB, or none when memory is short.
    pub fn new() -> Option<Self> {
        let mut stream = new_stream();
        // SAFETY: as in `Deflater::new`.
        let code =
            unsafe { z::inflateInit2_(stream.as_mut_ptr(), -15, z::zlibVersion(), size_of::<z::z_stream>() as i32) };
        (code == z::Z_OK).then_some(Self { stream })
    }

    /// Decompresses from `input` until it is used up, `output` is full or the stream ends; none when the data is damaged.
    pub fn read(&mut self, input: &[u8], output: &mut [u8]) -> Option<Progress> {
        let (mut taken, mut made) = (0, 0);
        loop {
            let from = &input[taken..input.len().min(taken + (1 << 30))];
            let end = output.len().min(made + (1 << 30));
            let to = &mut output[made..end];
            let p = self.stream.as_mut_ptr();
            // SAFETY: the stream was initialised by `new`; both pointers are to live slices of the stated lengths for the
            // duration of the call, and inflate does not write through next_in.
            let (code, left_in, left_out) = unsafe {
                (*p).next_in = from.as_ptr().cast_mut();
                (*p).avail_in = from.len() as u32;
                (*p).next_out = to.as_mut_ptr();
                (*p).avail_out = to.len() as u32;
                let code = z::inflate(p, z::Z_NO_FLUSH);
                (code, (*p).avail_in as usize, (*p).avail_out as usize)
            };
            let (took, wrote) = (from.len() - left_in, to.len() - left_out);
            taken += took;
            made += wrote;
            let ended = code == z::Z_STREAM_END;
            if ended || code == z::Z_BUF_ERROR || (code == z::Z_OK && taken == input.len() && made < output.len()) {
                return Some(Progress { taken, made, ended });
            }
            if code != z::Z_OK {
                return None;
            }
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised by `new` and is ended once.
        unsafe { z::inflateEnd(self.stream.as_mut_ptr()) };
    }
}

/// Continues an Adler-32 checksum (RFC 1950; it starts at 1).
pub fn adler32(adler: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(1 << 30).fold(adler, |a, piece| {
        // SAFETY: the pointer and length are those of a live slice.
        unsafe { z::adler32(a.into(), piece.as_ptr(), piece.len() as u32) as u32 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflate(params: Params, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut d = Deflater::new(params).unwrap();
        for piece in input.chunks(1000) {
            assert!(
                d.write(piece, false, |b| {
                    out.extend_from_slice(b);
                    ControlFlow::Continue(())
                })
                .is_continue()
            );
        }
        assert!(
            d.write(&[], true, |b| {
                out.extend_from_slice(b);
                ControlFlow::Continue(())
            })
            .is_continue()
        );
        out
    }

    #[test]
    fn every_parameter_round_trips() {
        let input: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(i) >> 9) as u8 & 15).collect();
        for level in 1..=9 {
            for (memory, strategy, window) in [(8, 0, 15), (9, 1, 15), (8, 2, 9), (9, 3, 12), (1, 4, 10)] {
                let packed = deflate(Params { level, memory, strategy, window }, &input);
                let mut output = vec![0; input.len()];
                let mut inflater = Inflater::new().unwrap();
                let (a, b) = packed.split_at(packed.len() / 2);
                let first = inflater.read(a, &mut output).unwrap();
                let second = inflater.read(b, &mut output[first.made..]).unwrap();
                assert_eq!((first.made + second.made, second.ended), (input.len(), true));
                assert_eq!(output, input);
            }
        }
        assert!(Deflater::new(Params { level: 0, memory: 8, strategy: 0, window: 15 }).is_none());
        assert!(Deflater::new(Params { level: 6, memory: 8, strategy: 0, window: 8 }).is_none());
    }

    #[test]
    fn checksum_is_rfc_1950() {
        assert_eq!(adler32(1, b"Wikipedia"), 0x11E6_0398);
    }
}
