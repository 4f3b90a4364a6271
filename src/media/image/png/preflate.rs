//! Deflate data that zlib did not write: the crate `preflate-rs`, which records how a stream differs from what a known
//! compressor would have written.
//!
//! What must stay true: what it does with a recipe that nobody's encoder wrote is contained. It was not written for hostile
//! corrections (it panics on some, and can run on without an end), so they carry a checksum, it runs in a thread of its own
//! with a time limit, and panics there become errors.
//!
//! Behind the cargo feature `preflate`; without it a stream that needs it is refused by name.

use super::scanlines::Shape;
use crate::media::{Limits, MediaError, Rebuilder};
use crate::wire::{Reader, Writer};

/// The crate, by name and version.
pub const REBUILDER: Rebuilder = Rebuilder { name: "preflate-rs", version: "0.7.6" };

/// What preflate recorded about a stream, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrections {
    /// How many bytes of scanlines each piece makes, and the record.
    pub pieces: Vec<(u32, Vec<u8>)>,
}

impl Corrections {
    /// Bytes of all records.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|p| p.1.len()).sum()
    }

    fn crc(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        for (plain, record) in &self.pieces {
            crc.update(&plain.to_le_bytes());
            crc.update(record);
        }
        crc.finalize()
    }

    /// Appends the count, each piece (scanline bytes, record length, record), and a checksum.
    pub fn write(&self, w: &mut Writer) {
        w.uint(self.pieces.len() as u64);
        for (plain, record) in &self.pieces {
            w.uint((*plain).into());
            w.blob(record);
        }
        w.u32_le(self.crc());
    }

    /// Reads what [`write`](Self::write) wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, MediaError> {
        let count = r.count(2, "the number of pieces")?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            pieces.push((r.at_most(u32::MAX.into(), "the length of a piece")? as u32, r.blob()?.to_vec()));
        }
        let corrections = Self { pieces };
        if r.u32_le()? != corrections.crc() {
            return Err(MediaError::Inconsistent("the corrections of preflate-rs are damaged"));
        }
        Ok(corrections)
    }
}

#[cfg(feature = "preflate")]
pub use with::{analyse, run};

#[cfg(not(feature = "preflate"))]
mod without {
    use super::*;
    use crate::media::image::png::idat::Pieces;

    /// Finds nothing.
    pub fn analyse(_: Pieces<'_>, _: u64, _: u64) -> Option<Corrections> {
        None
    }

    /// Refuses by name.
    pub fn run(
        _: &Corrections,
        _: &Shape,
        _: &[u8],
        _: &[u8],
        _: &Limits,
        _: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    ) -> Result<u32, MediaError> {
        Err(MediaError::MissingRebuilder {
            name: REBUILDER.name,
            version: REBUILDER.version,
            hint: "build with the feature `preflate`",
        })
    }
}
#[cfg(not(feature = "preflate"))]
pub use without::{analyse, run};

#[cfg(feature = "preflate")]
mod with {
    use std::io::Cursor;
    use std::ops::ControlFlow;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Once;
    use std::sync::mpsc;
    use std::time::Duration;

    use preflate_rs::{PreflateConfig, PreflateStreamProcessor, RecreateStreamProcessor};

    use super::*;
    use crate::media::image::png::idat::Pieces;
    use crate::media::image::zlib::adler32;

    /// Deflate data is analysed in pieces of about this size, which bounds the memory for its tokens.
    const PIECE: usize = 1 << 20;
    /// A deflate block that is longer than this is left alone.
    const LARGEST_PIECE: usize = 1 << 23;
    /// The most scanline bytes a piece.
    const PLAIN_LIMIT: usize = 1 << 24;
    /// No honest piece takes a hundredth of this.
    const TIME_LIMIT: Duration = Duration::from_secs(60);
    const THREAD: &str = "preflate";

    /// Keeps a panic of a preflate thread off the terminal: it is reported as an error.
    fn silence_panics() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if std::thread::current().name() != Some(THREAD) {
                    before(info);
                }
            }));
        });
    }

    fn in_thread<T: Send>(work: impl FnOnce() -> Option<T> + Send) -> Option<T> {
        silence_panics();
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(THREAD.into());
            thread.spawn_scoped(scope, work).ok()?.join().ok()?
        })
    }

    /// The corrections for the raw deflate data in `deflate`, which makes `plain` bytes; none when they would take more than
    /// `budget` bytes or preflate gives up.
    pub fn analyse(deflate: Pieces<'_>, plain: u64, budget: u64) -> Option<Corrections> {
        in_thread(|| analyse_here(deflate, plain, budget))
    }

    fn analyse_here(mut deflate: Pieces<'_>, plain: u64, budget: u64) -> Option<Corrections> {
        let config = PreflateConfig { plain_text_limit: PLAIN_LIMIT, verify_compression: false, ..Default::default() };
        let mut processor = PreflateStreamProcessor::new(&config);
        let mut corrections = Corrections { pieces: Vec::new() };
        let (mut window, mut want, mut seen) = (Vec::new(), PIECE, 0);
        let (total, mut used) = (deflate.len(), 0u64);
        while !processor.is_done() {
            let missing = want - window.len();
            deflate.read_to(&mut window, missing);
            match processor.decompress(&window) {
                Ok(piece) if piece.compressed_size > 0 || processor.is_done() => {
                    let made = processor.plain_text().text().len();
                    seen += made as u64;
                    used += piece.compressed_size as u64;
                    corrections.pieces.push((made as u32, piece.corrections));
                    window.drain(..piece.compressed_size);
                    processor.shrink_to_dictionary();
                    // judged by the part that is done
                    let share = budget as u128 * u128::from(used) / u128::from(total.max(1));
                    if corrections.len() as u128 > share + 4096 {
                        return None;
                    }
                    want = PIECE.max(window.len());
                }
                // no whole block in the window
                _ if want < LARGEST_PIECE && !deflate.chunk().is_empty() => want *= 2,
                _ => return None,
            }
        }
        (seen == plain && corrections.len() as u64 <= budget).then_some(corrections)
    }

    /// Makes the deflate data of the scanlines that `shape`, `samples` and `filters` give; returns their Adler-32.
    pub fn run(
        corrections: &Corrections,
        shape: &Shape,
        samples: &[u8],
        filters: &[u8],
        limits: &Limits,
        take: &mut dyn FnMut(&[u8]) -> Result<(), MediaError>,
    ) -> Result<u32, MediaError> {
        let refused = |reason: &str| MediaError::Rebuilder { name: REBUILDER.name, reason: reason.into() };
        let total: u64 = corrections.pieces.iter().map(|p| u64::from(p.0)).sum();
        if Some(total) != shape.filtered_bytes() || corrections.pieces.iter().any(|p| p.0 as usize > PLAIN_LIMIT) {
            return Err(MediaError::Inconsistent("the corrections of preflate-rs are for other image data"));
        }
        limits.check(total, "the image data")?;
        let (to_thread, requests) = mpsc::sync_channel::<(Vec<u8>, Vec<u8>)>(0);
        let (answer, answers) = mpsc::channel::<Result<Vec<u8>, String>>();
        silence_panics();
        // not a scoped thread: after the time limit nobody waits for it
        let work = move || {
            let mut state = RecreateStreamProcessor::new();
            for (plain, record) in requests {
                let made = catch_unwind(AssertUnwindSafe(|| state.recompress(&mut Cursor::new(&plain[..]), &record)));
                let made = match made {
                    Ok(Ok((bytes, _))) => Ok(bytes),
                    Ok(Err(error)) => Err(error.exit_code().to_string()),
                    Err(_) => Err("it panicked".into()),
                };
                if answer.send(made).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name(THREAD.into()).spawn(work).map_err(|e| refused(&e.to_string()))?;

        let mut pieces = corrections.pieces.iter();
        let (mut plain, mut adler) = (Vec::new(), 1);
        let mut send = |plain: &mut Vec<u8>, (length, record): &(u32, Vec<u8>)| -> Result<(), MediaError> {
            let part = plain.drain(..*length as usize).collect();
            to_thread.send((part, record.clone())).map_err(|_| refused("it stopped"))?;
            match answers.recv_timeout(TIME_LIMIT) {
                Ok(Ok(bytes)) => take(&bytes),
                Ok(Err(reason)) => Err(refused(&reason)),
                Err(_) => Err(refused("it took too long")),
            }
        };
        let mut next = pieces.next();
        let flow = shape.filtered(samples, filters, |bytes| {
            adler = adler32(adler, bytes);
            plain.extend_from_slice(bytes);
            while let Some(piece) = next.filter(|p| p.0 as usize <= plain.len()) {
                if let Err(error) = send(&mut plain, piece) {
                    return ControlFlow::Break(error);
                }
                next = pieces.next();
            }
            ControlFlow::Continue(())
        });
        match flow {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) if next.is_none() => Ok(adler),
            ControlFlow::Continue(()) => {
                Err(MediaError::Inconsistent("the corrections of preflate-rs are for other image data"))
            }
        }
    }
}
