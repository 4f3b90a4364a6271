//! Small pictures, coded as large ones.

use super::super::long::{Again, Found};
use super::super::{DEFAULT_LIMIT, Effort, Models, Options, decompress};
use super::*;
use crate::container::{self, Coding, Content};
use crate::engine::Kernel;
use crate::media::Limits;
use crate::media::image::lattice::TRANSFORMS;
use crate::media::image::{Picture, png as png_file};
use std::io::{Cursor, Read};
use std::ops::ControlFlow;

fn options(level: u8) -> Options {
    Options { level: Effort::new(level).unwrap().level(), ..Options::default() }
}

/// The stream of a file, however it is read.
fn coded(file: &[u8], large: &Large, level: u8) -> Vec<u8> {
    let models = Models::new(&[], Kernel::best());
    let stream = |mut again: Option<Cursor<&[u8]>>, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let long = pool.install(|| {
            let again = again.as_mut().map(|file| file as &mut dyn Again);
            compress(file, again, large, Cursor::new(Vec::new()), (&models, &options(level)), &()).unwrap()
        });
        let (mut stream, summary) = (Vec::new(), long.summary.clone());
        assert_eq!(long.write(&mut stream).unwrap(), stream.len() as u64);
        assert_eq!(summary.length, file.len() as u64);
        assert!(stream.len() <= file.len() + 64);
        stream
    };
    let one = stream(Some(Cursor::new(file)), 1);
    assert!(one == stream(Some(Cursor::new(file)), 3), "threads");
    if large.png.is_none() {
        let front = stream(None, 2);
        assert!(restored(&front, 2).unwrap() == file, "from a pipe");
    }
    one
}

/// What a stream is restored to, band by band.
fn restored(stream: &[u8], threads: usize) -> Result<Vec<u8>, super::super::DecodeError> {
    let models = Models::new(&[], Kernel::best());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let incoming = restore::incoming_of(stream, 0)?.expect("one of a large picture");
    let mut out = Vec::new();
    pool.install(|| incoming.restore(&stream[incoming.start..], &mut out, &models, DEFAULT_LIMIT, &()))?;
    Ok(out)
}

fn large(file: &[u8]) -> Large {
    Large { found: pnm::find(file).unwrap(), png: None }
}

/// A file of such samples, its header, and what its stream holds.
fn check(file: &[u8], large: &Large, level: u8) -> Content {
    let stream = coded(file, large, level);
    let models = Models::new(&[], Kernel::best());
    assert!(decompress(&stream, &models, DEFAULT_LIMIT, &()).unwrap() == file, "in memory");
    for threads in [1, 3] {
        assert!(restored(&stream, threads).unwrap() == file, "{threads} threads");
    }
    let (header, start) = container::open_front(&stream).unwrap();
    for at in [start, stream.len() - 1, (start + stream.len()) / 2] {
        let mut damaged = stream.clone();
        damaged[at] ^= 4;
        // The last bits of a code may tell nothing.
        let right = restored(&damaged, 3).map_or_else(|e| e.is_damage(), |out| out == file);
        assert!(right, "damage at {at}");
    }
    assert!(restored(&stream[..stream.len() - 1], 2).is_err() && restored(&[&stream[..], b"x"].concat(), 2).is_err());
    header.content
}

/// Something smooth.
fn smooth(width: usize, rows: usize, channels: usize) -> Vec<u8> {
    let pixel = |i: usize, c: usize| {
        let (x, y) = (i % width, i / width);
        (100 + (x * (3 + c) / 2 + y) % 90 + (x * y / 7) % 5) as u8
    };
    (0..width * rows * channels).map(|i| pixel(i / channels, i % channels)).collect()
}

fn noise() -> impl FnMut() -> u8 {
    let mut state = 1u64;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    }
}

fn file(header: &str, samples: &[u8], after: &[u8]) -> Vec<u8> {
    [header.as_bytes(), samples, after].concat()
}

#[test]
fn pictures_come_back() {
    let colour = file("P6\n# a comment\n60 110\n255\n", &smooth(60, 110, 3), b"and more");
    let content = check(&colour, &large(&colour), 5);
    assert_eq!(content, Content::Bands { width: 60, height: 110, channels: 3 });
    let gray = file("P5\n131 73\n255\n", &smooth(131, 73, 1), b"");
    let content = check(&gray, &large(&gray), 6);
    assert_eq!(content, Content::Bands { width: 131, height: 73, channels: 1 });
}

#[test]
fn drawings_are_rows() {
    let drawn: Vec<u8> = (0..90 * 200 * 3).map(|i| if i / 3 % 90 / 9 % 2 == 0 { 250 } else { 3 }).collect();
    let drawn = file("P6\n90 200\n255\n", &drawn, b"");
    assert_eq!(check(&drawn, &large(&drawn), 1), Content::Rows { width: 90, height: 200, channels: 3 });
}

#[test]
fn colours_made_from_planes_become_planes() {
    let mut noise = noise();
    let mut pixel = || [60 + noise() / 16, 110 + noise() / 40, 120 + noise() / 40];
    let mut samples: Vec<u8> = (0..70 * 100).flat_map(|_| TRANSFORMS[0].forward(pixel())).collect();
    // Pixels beside the lattice, in the first band, at its end, and in the last one.
    for pixel in [5, 70 * 36 - 1, 70 * 36, 70 * 99 + 69] {
        samples[3 * pixel + 1] ^= 33;
    }
    let file = file("P6\n70 100\n255\n", &samples, b"");
    assert!(matches!(check(&file, &large(&file), 5), Content::Planes { width: 70, height: 100, .. }));
}

#[test]
fn what_does_not_become_smaller_is_stored() {
    let mut noise = noise();
    let noise: Vec<u8> = (0..50 * 80).map(|_| noise()).collect();
    let noise = file("P5\n50 80\n255\n", &noise, b"");
    let stream = coded(&noise, &large(&noise), 1);
    let header = container::open_front(&stream).unwrap().0;
    assert!(header.chunks.len() == 1 && header.chunks[0].coding == Coding::Stored);
    assert!(restored(&stream, 2).unwrap() == noise);
    // A file that ends within its samples: after two bands and something, and before the first.
    let whole = file("P6\n60 110\n255\n", &smooth(60, 110, 3), b"");
    for end in [14 + 180 * 80, 14 + 180 * 72, 100] {
        let cut = &whole[..end];
        assert!(restored(&coded(cut, &large(&whole), 5), 2).unwrap() == cut, "{end} bytes");
    }
}

/// What becomes of a PNG file of any size, with so many pixels at most in memory.
fn found(file: &[u8], again: bool, most: u64) -> Option<Found> {
    let mut cursor = Cursor::new(file);
    let again = again.then_some(&mut cursor as &mut dyn Again);
    png::find_from(file, again, &Options::default(), (0, most), &()).unwrap()
}

fn picture_of(file: &[u8], name: &str) -> Box<Large> {
    match found(file, true, u64::MAX) {
        Some(Found::Picture(large)) => large,
        other => panic!("{name}: {other:?}"),
    }
}

fn read(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    std::fs::read(folder.join(format!("{name}.png"))).unwrap()
}

/// Joining its recipe and its samples row by row gives the file.
fn joins(file: &[u8], large: &Large, name: &str) {
    let (mut samples, mut back) = (Vec::new(), Vec::new());
    png_file::Samples::new(file).unwrap().read_to_end(&mut samples).unwrap();
    let (shape, limits) =
        ((large.found.width, large.found.height, large.found.channels), Limits { max_bytes: 1 << 30 });
    let mut keep = |bytes: &[u8]| {
        back.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    let recipe = &large.png.as_ref().unwrap().scan.recipe;
    let pieces = samples.chunks(1000).map(<[u8]>::to_vec);
    png_file::join_pieces(recipe, shape, &limits, pieces, &mut keep).unwrap();
    assert!(back == file, "{name}");
}

#[test]
fn png_files_of_known_writers_come_back() {
    let of_zlib =
        ["3_8_default", "8_8_filtered_window11", "fixed", "huffman", "rle"].map(|name| format!("zlib_{name}"));
    let of_pillow = ["level1", "level9", "optimize"].map(|name| format!("pillow_{name}"));
    for name in of_zlib.into_iter().chain(of_pillow).chain(["gray".to_owned(), "optipng".to_owned()]) {
        let file = read(&name);
        joins(&file, &picture_of(&file, &name), &name);
    }
    for (name, level) in [("gray_large", 1), ("chunks", 5), ("pillow_level6", 6)] {
        let file = read(name);
        let large = picture_of(&file, name);
        joins(&file, &large, name);
        check(&file, &large, level);
    }
    // What follows the picture, a wrong checksum, and one of the image data.
    let file = read("gray_large");
    let idat = file.windows(4).position(|w| w == b"IDAT").unwrap();
    let length = u32::from_be_bytes(file[idat - 4..idat].try_into().unwrap()) as usize;
    for at in [idat + 4 + length, idat + 4 + length - 1] {
        let mut damaged = [&file[..], b"and more"].concat();
        damaged[at] ^= 1;
        check(&damaged, &picture_of(&damaged, "damaged"), 1);
    }
}

#[test]
fn png_files_that_zlib_did_not_write_are_stored_if_they_are_large() {
    let cut = read("gray_large");
    let cut = cut[..cut.len() / 2].to_vec();
    for file in [read("zopfli"), read("interlaced"), read("sixteen_bit"), cut] {
        assert!(found(&file, true, u64::MAX).is_none());
        let Some(Found::Stored(why)) = found(&file, true, 0) else { panic!("not stored") };
        let long = store(&file[..], Cursor::new(Vec::new()), &why, &()).unwrap();
        let (mut stream, notes) = (Vec::new(), long.summary.notes.clone());
        long.write(&mut stream).unwrap();
        assert!(restored(&stream, 1).unwrap() == file && stream.len() <= file.len() + 64);
        assert!(notes[0].starts_with("stored: this PNG has more than 0 megapixels, and "), "{notes:?}");
    }
    assert!(matches!(found(&read("gray_large"), false, 0), Some(Found::Stored(_))));
}

#[test]
fn png_files_smaller_than_any_stream_are_stored() {
    let picture = Picture { width: 90, height: 400, channels: 1, samples: vec![7; 36000] };
    let file = png_file::encode(&picture).unwrap();
    let stream = coded(&file, &picture_of(&file, "flat"), 1);
    assert_eq!(container::open_front(&stream).unwrap().0.chunks[0].coding, Coding::Stored);
    assert!(restored(&stream, 2).unwrap() == file);
}

/// The setting is guessed from a part, and then followed through the rest.
#[test]
fn a_png_file_is_followed_to_its_end() {
    let mut noise = noise();
    let samples: Vec<u8> = (0..1500 * 2600 * 3).map(|_| 100 + noise() % 16).collect();
    let mut file = png_file::encode(&Picture { width: 1500, height: 2600, channels: 3, samples }).unwrap();
    let large = picture_of(&file, "large");
    assert_eq!(large.png.as_ref().unwrap().sample(&large).height, 8 * 36);
    joins(&file, &large, "large");
    // The same value again and again, which zlib would not write one by one.
    let end = file.len() - 4000;
    file[end..end + 64].fill(0);
    assert!(found(&file, true, u64::MAX).is_none(), "one that differs late");
}

#[test]
fn a_png_file_that_was_looked_through_must_stay_the_same() {
    let picture = |samples| Picture { width: 60, height: 100, channels: 1, samples };
    let mut samples = smooth(60, 100, 1);
    let file = png_file::encode(&picture(samples.clone())).unwrap();
    samples[5000] ^= 1;
    let other = png_file::encode(&picture(samples)).unwrap();
    let models = Models::new(&[], Kernel::best());
    let how = (&models, &options(1));
    for (again, is_right) in [(&file, true), (&other, false), (&file[..file.len() / 2].to_vec(), false)] {
        let (mut again, aside) = (Cursor::new(&again[..]), Cursor::new(Vec::new()));
        let done = compress(&file[..], Some(&mut again), &picture_of(&file, "small"), aside, how, &());
        assert_eq!(done.is_ok(), is_right);
    }
}

#[test]
fn golden_streams_of_png_files_are_restored_row_by_row() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/release-1.0/photo.png.srp");
    let stream = std::fs::read(path).unwrap();
    let whole = decompress(&stream, &Models::new(&[], Kernel::best()), DEFAULT_LIMIT, &()).unwrap();
    assert!(restored(&stream, 2).unwrap() == whole);
}
