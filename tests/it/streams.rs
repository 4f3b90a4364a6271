//! Streams that nobody's encoder wrote: no panic, no hang, no allocation over the limit, and never another file.
//!
//! `SURPRISAL_MUTATIONS` sets how many are tried.

use crate::common::seeds::{files, models, mutate, streams};
use crate::common::{PATIENCE, Random, count, hangs};
use proptest::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use surprisal::codec::{DecodeError, Options, compress, decompress};
use surprisal::container::{self, Chunk, Coding, Content, Header, Hint, Medium, Part, Role};
use surprisal::media::{self, Limits, image::Picture};
use surprisal::wire::Writer;

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        let new = unsafe { System.realloc(at, layout, size) };
        NOW.fetch_sub(layout.size(), Relaxed);
        new
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The tests of this file measure memory, so they take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most bytes that were held during a call, beyond those held before.
fn peak<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = call();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}

/// The limit in these tests.
const LIMIT: u64 = 64 << 10;
/// What a decoder may hold beside twice the limit (content and what a medium makes of it on the way): the state of the
/// threads, of which the byte model's tables are the most.
const STATE: usize = 8 << 20;

#[test]
fn mutations() {
    let _turn = alone();
    let (files, models) = (files(), models());
    let streams = streams(&files);
    let mut highest = 0;
    for ((name, file), stream) in files.iter().zip(&streams) {
        let (result, held) = peak(|| decompress(stream, &models, LIMIT, &()));
        assert!(result.expect(name) == *file);
        highest = highest.max(held);
    }
    println!("good streams are decoded in at most {highest} bytes");
    let mut random = Random(0x5eed);
    let (mut accepted, mut damaged, mut refused) = (0, 0, 0);
    for i in 0..count("SURPRISAL_MUTATIONS", 2000) {
        let stream = mutate(&mut random, &streams);
        let start = Instant::now();
        let (result, held) = peak(|| decompress(&stream, &models, LIMIT, &()));
        let bound = 2 * LIMIT as usize + STATE + 8 * stream.len();
        assert!(held <= bound, "mutation {i} held {held} bytes, over {bound}: {result:?}");
        let is_slow = start.elapsed() > PATIENCE && hangs(|| drop(decompress(&stream, &models, LIMIT, &())));
        assert!(!is_slow, "mutation {i} takes over {PATIENCE:?}");
        highest = highest.max(held);
        match result {
            Ok(back) => {
                assert!(files.iter().any(|(_, file)| *file == back), "mutation {i} decoded to another file");
                accepted += 1;
            }
            Err(error) if error.is_damage() => damaged += 1,
            Err(_) => refused += 1,
        }
    }
    println!(
        "{accepted} decoded to the right file, {damaged} damaged, {refused} refused; at most {highest} bytes held"
    );
}

/// Whatever a file claims to be, taking it apart holds no more than the limit allows.
#[test]
fn mutated_files_are_split_within_the_limit() {
    let _turn = alone();
    let seeds: Vec<Vec<u8>> = files().into_iter().map(|(_, file)| file).collect();
    let mut random = Random(0xf11e);
    let mut highest = 0;
    for i in 0..count("SURPRISAL_MUTATIONS", 500) {
        let file = mutate(&mut random, &seeds);
        let (_, held) = peak(|| media::split(&file, media::Options::default(), &Limits { max_bytes: LIMIT }));
        let bound = 4 * LIMIT as usize + STATE + 16 * file.len();
        assert!(held <= bound, "file {i} of {} bytes held {held} bytes, over {bound}", file.len());
        highest = highest.max(held);
    }
    println!("at most {highest} bytes held");
}

#[test]
fn claims_are_refused_before_anything_is_allocated() {
    let _turn = alone();
    let models = models();
    let chunk = |coding, decoded| Chunk { coding, role: Role::Content, coded: 1, decoded, crc: 0 };
    let header = |medium, content, chunk: Chunk, length| Header {
        length,
        checksum: [0; 16],
        medium,
        model: (chunk.coding == Coding::Network).then_some([0; 16]),
        parts: vec![Part { name: "bytes".into(), version: surprisal::predict::bytes::PART.version.to_string() }],
        content,
        chunks: vec![chunk],
    };
    let png = Some(Medium { id: 3, version: 1 });
    let side = u32::MAX;
    let area = u64::from(side) * u64::from(side);
    let bands = Content::Bands { width: side, height: side, channels: 1 };
    let rows = Content::Rows { width: side, height: side, channels: 1 };
    let bytes = Content::Bytes(Hint::default());
    let thin = Content::Bands { width: 1, height: side, channels: 1 };
    for (medium, content, coding, decoded, length) in [
        (None, bytes, Coding::Bytes, 1 << 40, 1 << 40),
        (None, bytes, Coding::Bytes, u64::MAX, u64::MAX),
        (png, bands, Coding::Network, area, 10),
        (png, rows, Coding::Bytes, area, 10),
        (png, thin, Coding::Network, u64::from(side), 10),
        (png, bytes, Coding::Bytes, 10, 1 << 50),
        (png, bytes, Coding::Bytes, 1 << 20, 1 << 60),
    ] {
        let stream = container::assemble(&header(medium, content, chunk(coding, decoded), length), [&[0u8][..]]);
        let (result, held) = peak(|| decompress(&stream, &models, 1 << 30, &()));
        let error = result.expect_err("nothing can be restored");
        let expected = matches!(
            error,
            DecodeError::OverLimit { .. } | DecodeError::Inconsistent(_) | DecodeError::UnknownMedium { .. }
        );
        assert!(expected, "{content:?}: {error}");
        assert!(held < 4096, "{content:?} of {decoded}: {held} bytes for {error}");
    }
}

#[test]
fn a_recipe_is_not_blown_up_in_memory() {
    let _turn = alone();
    let picture = Picture { width: 1, height: 1, channels: 3, samples: vec![0; 3] };
    let mut recipe = Writer::new();
    recipe.raw(&[1, 54, 0]); // a picture, the offset of its pixels, no difference to the usual header
    recipe.uint(1 << 20); // and a million in a padding of one byte
    recipe.raw(&vec![0; 2 << 20]);
    let recipe = recipe.finish();
    let limits = Limits { max_bytes: 1 << 30 };
    let (result, held) = peak(|| media::join(media::Medium::Bmp, &recipe, &media::Content::Picture(picture), &limits));
    assert!(result.is_err());
    assert!(held < recipe.len(), "{held} bytes for a recipe of {}", recipe.len());
}

#[test]
fn every_cut_is_an_error() {
    let _turn = alone();
    let (files, models) = (files(), models());
    for stream in streams(&files[..3]) {
        for length in 0..stream.len() {
            let error = decompress(&stream[..length], &models, LIMIT, &()).expect_err("cut");
            assert!(matches!(error, DecodeError::Stream(_)), "cut at {length}: {error}");
        }
    }
}

#[test]
fn a_flipped_bit_is_never_another_file() {
    let _turn = alone();
    let (files, models) = (files(), models());
    let streams = streams(&files);
    for ((name, file), stream) in files.iter().zip(&streams) {
        for bit in (0..stream.len() * 8).step_by(stream.len() * 8 / 150 + 1) {
            let mut stream = stream.clone();
            stream[bit / 8] ^= 1 << (bit % 8);
            if let Ok(back) = decompress(&stream, &models, LIMIT, &()) {
                assert!(back == *file, "bit {bit} of {name}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_come_back(file in prop::collection::vec(any::<u8>(), 0..600), head in 0usize..6) {
        let _turn = alone();
        let heads: [&[u8]; 6] = [b"", b"P6\n3 4\n255\n", b"BM", b"\x89PNG\r\n\x1a\n", b"P5 7 9 200 ", b"\xf5SRP"];
        let file = [heads[head], &file].concat();
        let models = models();
        let done = compress(&file, &models, &Options::default(), &()).unwrap();
        prop_assert!(done.bytes.len() <= file.len() + 64);
        prop_assert_eq!(decompress(&done.bytes, &models, 1 << 20, &()).unwrap(), file);
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), sealed: bool) {
        let _turn = alone();
        let mut stream = bytes;
        if sealed {
            let length = stream.len().min(100) as u8;
            stream.splice(0..0, [0xf5, b'S', b'R', b'P', container::VERSION[0], container::VERSION[1], length]);
            stream.extend([0; 4]);
            container::reseal(&mut stream);
        }
        prop_assert!(decompress(&stream, &models(), LIMIT, &()).is_err());
    }

    #[test]
    fn headers_come_back(
        length in any::<u64>(),
        checksum in any::<[u8; 16]>(),
        lengths in prop::collection::vec((1u64..1 << 20, 0usize..50, any::<u32>(), any::<bool>()), 0..9),
        hint in any::<(u32, u32)>(),
    ) {
        let _turn = alone();
        let chunks: Vec<Chunk> = lengths.iter().map(|&(decoded, coded, crc, stored)| {
            let (coding, decoded) = if stored { (Coding::Stored, coded as u64 + 1) } else { (Coding::Bytes, decoded) };
            let coded = if stored { decoded } else { coded as u64 };
            Chunk { coding, role: Role::Content, coded, decoded, crc }
        }).collect();
        let bodies: Vec<Vec<u8>> = chunks.iter().map(|c| vec![7; c.coded as usize]).collect();
        let header = Header {
            length,
            checksum,
            medium: Some(Medium { id: 9, version: 3 }),
            model: None,
            parts: vec![Part { name: "a".into(), version: "1".into() }, Part { name: "b".into(), version: "2.0".into() }],
            content: Content::Bytes(Hint { record: hint.0, pixel: hint.1 }),
            chunks,
        };
        let stream = container::assemble(&header, bodies.iter().map(|b| &b[..]));
        let opened = container::open(&stream).unwrap();
        prop_assert_eq!(&opened.header, &header);
        prop_assert_eq!(opened.overhead, container::overhead(&header));
        prop_assert!(opened.chunks.iter().zip(&bodies).all(|(a, b)| a == b));
    }
}
