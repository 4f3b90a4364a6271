//! Files taken apart and put together again: every format of the registry, real programs' PNGs, bad input, hostile recipes.

use std::ops::ControlFlow;

use proptest::prelude::*;
use surprisal::media::image::Picture;
use surprisal::media::image::zlib::{Deflater, Params, adler32};
use surprisal::media::{Content, FORMATS, Limits, Medium, Options, Outcome, Split, content, join, split};

const LIMITS: Limits = Limits { max_bytes: 1 << 24 };

fn split_of(file: &[u8]) -> Option<Split> {
    match split(file, Options::default(), &LIMITS) {
        Outcome::Split(s) => Some(*s),
        Outcome::Opaque { .. } => None,
    }
}

fn note_of(file: &[u8]) -> String {
    match split(file, Options::default(), &LIMITS) {
        Outcome::Split(_) => panic!("it was split"),
        Outcome::Opaque { note } => note.unwrap_or_default(),
    }
}

fn rejoined(s: &Split) -> Vec<u8> {
    join(s.medium, &s.recipe, &s.content, &LIMITS).unwrap()
}

/// Splits, and checks what every split promises.
fn round_trip(file: &[u8]) -> Split {
    let s = split_of(file).expect("it is split");
    assert!(s.exact);
    assert_eq!(rejoined(&s), file);
    s
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/images/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir(format!("{}/tests/data/images", env!("CARGO_MANIFEST_DIR")))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.ends_with(".png"))
        .collect();
    names.sort();
    names.into_iter().map(|n| (n.clone(), fixture(&n))).collect()
}

/// A picture with smooth parts, edges and a little noise.
fn samples(width: u32, height: u32, channels: u32) -> Vec<u8> {
    let mut noise = 1u32;
    (0..width * height * channels)
        .map(|i| {
            let (x, y, c) = (i / channels % width, i / channels / width, i % channels);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x * (2 + c) + y * 3 + (x / 16 + y / 16) % 2 * 60 + (noise >> 30)) as u8
        })
        .collect()
}

fn encoded(width: u32, height: u32, colour: image::ExtendedColorType, format: image::ImageFormat) -> Vec<u8> {
    let channels = u32::from(colour.bits_per_pixel()) / 8;
    let mut file = std::io::Cursor::new(Vec::new());
    if format == image::ImageFormat::Pnm {
        // else it writes PAM
        use image::codecs::pnm::{PnmEncoder, PnmSubtype::*, SampleEncoding::Binary};
        let subtype = if channels == 1 { Graymap(Binary) } else { Pixmap(Binary) };
        let pixels = &samples(width, height, channels)[..];
        PnmEncoder::new(&mut file).with_subtype(subtype).encode(pixels, width, height, colour).unwrap();
        return file.into_inner();
    }
    image::write_buffer_with_format(&mut file, &samples(width, height, channels), width, height, colour, format)
        .unwrap();
    file.into_inner()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(&[&kind[..], data].concat());
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.to_be_bytes()].concat()
}

/// A PNG around a zlib stream.
fn png(width: u32, height: u32, depth: u8, colour: u8, interlace: u8, stream: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend_from_slice(&[depth, colour, 0, 0, interlace]);
    let idat = chunk(b"IDAT", stream);
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &idat, &chunk(b"IEND", &[])].concat()
}

fn zlib(input: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x9c];
    let params = Params { level: 6, memory: 8, strategy: 0, window: 15 };
    let flow = Deflater::new(params).unwrap().write(input, true, |b| {
        out.extend_from_slice(b);
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    out.extend_from_slice(&adler32(1, input).to_be_bytes());
    out
}

/// A deflate stream of stored blocks (what no zlib level from 1 on writes for such data).
fn stored(input: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = input.chunks(1000).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&(block.len() as u16).to_le_bytes());
        out.extend_from_slice(&(!(block.len() as u16)).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&adler32(1, input).to_be_bytes());
    out
}

#[test]
fn the_registry_is_whole() {
    for format in FORMATS {
        assert_eq!(Medium::from_id(format.medium as u8), Some(format.medium));
        assert_eq!(format.medium.format().name, format.name);
        assert!(format.version > 0 && format.medium as u8 > 0);
    }
    let mut ids: Vec<u8> = FORMATS.iter().map(|f| f.medium as u8).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), FORMATS.len());
    assert_eq!(Medium::from_id(0), None);
    assert_eq!([Medium::Pnm, Medium::Bmp, Medium::Png, Medium::Wav].map(|m| m as u8), [1, 2, 3, 5]);
}

#[test]
fn formats_of_the_image_crate_round_trip() {
    use image::{ExtendedColorType as Colour, ImageFormat as Form};
    for (width, height) in [(1, 1), (3, 5), (64, 40), (131, 77)] {
        for (form, medium, colours) in [
            (Form::Pnm, Medium::Pnm, &[Colour::L8, Colour::Rgb8][..]),
            (Form::Bmp, Medium::Bmp, &[Colour::L8, Colour::Rgb8, Colour::Rgba8][..]),
            (Form::Png, Medium::Png, &[Colour::L8, Colour::Rgb8, Colour::Rgba8, Colour::La8, Colour::Rgb16][..]),
        ] {
            for &colour in colours {
                let file = encoded(width, height, colour, form);
                let s = round_trip(&file);
                assert_eq!(s.medium, medium);
                match &s.content {
                    Content::Picture(p) => {
                        assert!(matches!(colour, Colour::L8 | Colour::Rgb8));
                        assert_eq!((p.width, p.height), (width, height));
                        assert_eq!(p.samples, samples(width, height, p.channels.into()));
                    }
                    Content::Pcm(_) => panic!("a picture is no sound"),
                    Content::Rows { .. } => {
                        assert!(!matches!(colour, Colour::L8 | Colour::Rgb8), "{form:?} {colour:?}")
                    }
                }
            }
        }
    }
}

#[test]
fn pngs_of_many_programs_round_trip() {
    let files = fixtures();
    assert!(files.len() > 20);
    for (name, file) in files {
        let s = split_of(&file).unwrap_or_else(|| panic!("{name} is not split: {}", note_of(&file)));
        assert_eq!(rejoined(&s), file, "{name}");
        assert_eq!(content(&file, &LIMITS), Ok((Medium::Png, s.content.clone())), "{name}");
        let picture = matches!(s.content, Content::Picture(_));
        let rows = ["palette", "one_bit", "alpha", "sixteen", "interlaced"].iter().any(|part| name.contains(part));
        assert_eq!(picture, !rows, "{name}");
        // what stock zlib wrote costs nothing but its parameters; the rest is chunks, palettes and filter types
        let cheap = name.starts_with("zlib_");
        if cheap {
            assert_eq!(s.rebuilders[0].name, "zlib", "{name}");
            assert!(s.recipe.len() < 40, "{name}: {}", s.recipe.len());
        }
    }
}

#[test]
fn samples_are_those_that_another_decoder_reads() {
    for (name, file) in fixtures() {
        let Content::Picture(p) = split_of(&file).unwrap().content else { continue };
        let decoded = image::load_from_memory(&file).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (p.width, p.height));
        assert_eq!(decoded.as_bytes(), p.samples, "{name}");
    }
}

#[test]
fn foreign_deflate_data_is_repeated() {
    let s = round_trip(&fixture("zopfli.png"));
    assert_eq!(s.rebuilders[0].name, "retoken");
    assert!(s.recipe.len() < fixture("zopfli.png").len() / 4);
    let lines: Vec<u8> = samples(40, 50, 3).chunks(120).flat_map(|row| [&[0], row].concat()).collect();
    let s = round_trip(&png(40, 50, 8, 2, 0, &stored(&lines)));
    assert!(s.recipe.len() < 100);
}

/// A recipe written by an earlier build. If this fails, the matcher or the model of `retoken` has changed, and old streams
/// would decode to something else: give it a new version.
#[test]
fn a_golden_recipe_still_joins() {
    let file = fixture("zopfli.png");
    let picture = image::load_from_memory(&file).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let samples = picture.into_rgb8().into_raw();
    let content = Content::Picture(Picture { width, height, channels: 3, samples });
    assert_eq!(join(Medium::Png, &fixture("zopfli.recipe"), &content, &LIMITS).unwrap(), file);
}

#[test]
fn pixels_keeps_samples_and_chunks() {
    // deflate data of noise whose tokens are unlike what a matcher chooses: every other byte stored, in blocks of one byte
    let lines: Vec<u8> = samples(40, 50, 3).chunks(120).flat_map(|row| [&[1], row].concat()).collect();
    let mut stream = vec![0x78, 0x01];
    for (i, &byte) in lines.iter().enumerate() {
        stream.extend_from_slice(&[u8::from(i + 1 == lines.len()), 1, 0, 254, 255, byte]);
    }
    stream.extend_from_slice(&adler32(1, &lines).to_be_bytes());
    let mut file = png(40, 50, 8, 2, 0, &stream);
    file.extend_from_slice(b"tail");
    assert!(!matches!(split(&file, Options { pixels: true, ..Options::default() }, &LIMITS), Outcome::Opaque { .. }));
    for (name, file) in [("zopfli", fixture("zopfli.png")), ("stored", file)] {
        let Outcome::Split(s) = split(&file, Options { pixels: true, ..Options::default() }, &LIMITS) else {
            panic!("{name}")
        };
        assert!(!s.exact, "{name}");
        assert_eq!(s.rebuilders[0].name, "zlib");
        let made = rejoined(&s);
        assert_ne!(made, file);
        assert_eq!(image::load_from_memory(&made).unwrap(), image::load_from_memory(&file).unwrap(), "{name}");
        assert_eq!(content(&file, &LIMITS).unwrap().1, s.content, "{name}");
        // and the new file is one that zlib explains
        assert_eq!(round_trip(&made).content, s.content);
        let before_idat = |f: &[u8]| f.windows(4).position(|w| w == b"IDAT").unwrap() - 4;
        let n = before_idat(&file);
        assert_eq!(made[..n], file[..n]);
        assert_eq!(made[made.len() - 12..], file[file.len() - 12..]);
    }
    // what can be rebuilt exactly still is
    let Outcome::Split(s) = split(&fixture("optipng.png"), Options { pixels: true, ..Options::default() }, &LIMITS)
    else {
        panic!()
    };
    assert!(s.exact);
}

#[test]
fn damaged_and_odd_pngs() {
    let good = fixture("optipng.png");
    let idat = good.windows(4).position(|w| w == b"IDAT").unwrap();
    // cut short anywhere: never split, never a panic
    for cut in [0, 1, 7, 8, 20, 33, idat - 2, idat + 4, good.len() / 2, good.len() - 17] {
        assert_eq!(split_of(&good[..cut]), None, "{cut}");
    }
    assert!(note_of(&good[..good.len() / 2]).contains("cut short"));
    // cut after the image data, trailing bytes, wrong checksums of chunks and of the image: exact
    for cut in 1..12 {
        let s = round_trip(&good[..good.len() - cut]);
        assert!(s.note.is_some_and(|n| n.contains("cut short")));
    }
    assert_eq!(round_trip(&good).note, None);
    round_trip(&[&good[..], b"trailing bytes"].concat());
    round_trip(&[&good[..], &good[..]].concat());
    let patched = |at: usize, by: u8| {
        let mut file = good.clone();
        file[at] ^= by;
        file
    };
    round_trip(&patched(good.len() - 1, 1));
    round_trip(&patched(good.len() - 13, 1));
    let s = round_trip(&patched(good.len() - 17, 1));
    assert!(s.note.is_some_and(|n| n.contains("checksum")));
    // a damaged header
    assert_eq!(split_of(&patched(18, 1)), None);
    assert_eq!(split_of(&patched(30, 1)), None);
    // a size that nobody has
    for (width, height, depth, colour) in
        [(0x7fff_ffff, 0x7fff_ffff, 16, 6), (0x7fff_ffff, 1, 8, 2), (1, 0x7fff_ffff, 8, 2), (4000, 4000, 8, 2)]
    {
        assert_eq!(split_of(&png(width, height, depth, colour, 0, &zlib(&[0; 100]))), None);
    }
    assert_eq!(split_of(&png(0, 5, 8, 2, 0, &zlib(&[]))), None);
    assert_eq!(split_of(&png(5, 5, 8, 5, 0, &zlib(&[0; 80]))), None);
    // less and more image data than the header says (a deflate bomb among them), an unknown filter, no image data
    assert!(note_of(&png(5, 5, 8, 2, 0, &zlib(&[0; 79]))).contains("shorter"));
    assert!(note_of(&png(5, 5, 8, 2, 0, &zlib(&[0; 81]))).contains("longer"));
    assert!(note_of(&png(5, 5, 8, 2, 0, &zlib(&vec![0; 50 << 20]))).contains("longer"));
    assert!(note_of(&png(5, 5, 8, 2, 0, &zlib(&[9; 80]))).contains("filter"));
    assert!(note_of(&png(5, 5, 8, 2, 0, &[])).contains("cut short"));
    assert!(note_of(&png(5, 5, 8, 2, 0, &[0x78, 0x9c, 7])).contains("damaged"));
    // bytes after the zlib stream inside the IDAT
    round_trip(&png(5, 5, 8, 2, 0, &[&zlib(&[0; 80])[..], b"more"].concat()));
    let s = round_trip(&png(5, 5, 8, 2, 0, &zlib(&[0; 80])));
    assert!(s.recipe.len() <= 18, "{}", s.recipe.len());
}

#[test]
fn long_and_thin() {
    for (width, height) in [(65535u32, 1u32), (1, 65535)] {
        let lines = vec![0; ((width * 3 + 1) * height) as usize];
        let s = round_trip(&png(width, height, 8, 2, 0, &zlib(&lines)));
        assert_eq!(s.content.bytes().len(), 65535 * 3);
        round_trip(&[format!("P6\n{width} {height}\n255\n").as_bytes(), &vec![7; 65535 * 3]].concat());
    }
    // Adam7 with empty passes
    for (width, height, bytes) in [(1, 1, 4), (1, 5, 20), (5, 1, 19), (2, 2, 15)] {
        round_trip(&png(width, height, 8, 2, 1, &zlib(&vec![0; bytes])));
    }
}

#[test]
fn limits_hold_on_both_sides() {
    let file = fixture("optipng.png");
    let s = round_trip(&file);
    let tight = Limits { max_bytes: 5000 };
    assert!(matches!(split(&file, Options::default(), &tight), Outcome::Opaque { .. }));
    assert!(join(s.medium, &s.recipe, &s.content, &tight).is_err());
    let ppm = [&b"P5 100 100 255\n"[..], &[9; 10_000]].concat();
    assert!(matches!(split(&ppm, Options::default(), &tight), Outcome::Opaque { .. }));
    let s = round_trip(&ppm);
    assert!(join(s.medium, &s.recipe, &s.content, &tight).is_err());
}

#[test]
fn what_is_not_an_image_is_opaque_without_a_note() {
    for file in [&b""[..], b"P", b"P6", b"BM", b"hello world", b"\x89PN", b"\xff\xd8\xff\xe0", b"RIFF....WEBPVP8 "] {
        assert_eq!(split(file, Options::default(), &LIMITS), Outcome::Opaque { note: None });
    }
}

/// Small files of every format and of every way to rebuild.
fn small_files() -> &'static [Vec<u8>] {
    static FILES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    FILES.get_or_init(make_small_files)
}

fn make_small_files() -> Vec<Vec<u8>> {
    use image::{ExtendedColorType as Colour, ImageFormat as Form};
    let mut files: Vec<Vec<u8>> =
        ["palette.png", "one_bit.png", "interlaced_palette.png", "gray.png"].map(fixture).into();
    for (colour, form) in [
        (Colour::Rgb8, Form::Pnm),
        (Colour::L8, Form::Pnm),
        (Colour::L8, Form::Bmp),
        (Colour::Rgb8, Form::Bmp),
        (Colour::Rgb8, Form::Png),
    ] {
        files.push(encoded(13, 9, colour, form));
    }
    let lines: Vec<u8> = samples(30, 20, 1).chunks(30).flat_map(|row| [&[0], row].concat()).collect();
    files.push(png(30, 20, 8, 0, 0, &stored(&lines)));
    files.push(fixture("zopfli.png"));
    files.retain(|f| split_of(f).is_some());
    assert!(files.len() >= 10);
    files
}

/// Changes `bytes` in one of the ways in which files go bad.
fn mutate(bytes: &mut Vec<u8>, kind: u8, at: usize, value: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match kind % 6 {
        0 => bytes[at] ^= 1 << (value & 7),
        1 => bytes[at] = value,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
        4 => {
            let copy = bytes[at..(at + usize::from(value)).min(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let end = (at + 4).min(bytes.len());
            bytes[at..end].fill(0xff);
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<(u8, usize, u8)>> {
    prop::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever a file is: splitting it does not panic, and what is split comes back.
    #[test]
    fn damaged_files(which in any::<prop::sample::Index>(), changes in mutations(), pixels: bool) {
        let files = small_files();
        let mut file = files[which.index(files.len())].clone();
        changes.iter().for_each(|&(kind, at, value)| mutate(&mut file, kind, at, value));
        if let Outcome::Split(s) = split(&file, Options { pixels, ..Options::default() }, &LIMITS) {
            let made = rejoined(&s);
            prop_assert!(pixels && !s.exact || made == file);
        }
    }

    /// Whatever a recipe is: joining it does not panic, ends, and stays within the limits.
    #[test]
    fn damaged_recipes(which in any::<prop::sample::Index>(), changes in mutations()) {
        let files = small_files();
        let s = split_of(&files[which.index(files.len())]).unwrap();
        let mut recipe = s.recipe.clone();
        changes.iter().for_each(|&(kind, at, value)| mutate(&mut recipe, kind, at, value));
        let limits = Limits { max_bytes: 100_000 };
        if let Ok(file) = join(s.medium, &recipe, &s.content, &limits) {
            prop_assert!(file.len() <= 100_000);
        }
        for format in FORMATS {
            let _ = join(format.medium, &recipe, &s.content, &limits);
        }
    }

    #[test]
    fn any_bytes_as_a_recipe(recipe in prop::collection::vec(any::<u8>(), 0..60)) {
        let s = split_of(b"P5 3 2 255\nabcdef").unwrap();
        for format in FORMATS {
            let _ = join(format.medium, &recipe, &s.content, &LIMITS);
        }
    }
}
