//! A file's bytes to a colour picture of 8 bits, or the reason why not.
//!
//! What must stay true: no file, however hostile, takes more memory than [`MAX_PIXELS`] allows or ends the program; a
//! picture that is used shows exactly the file's samples.
//!
//! Gray becomes three equal channels (the coder sees gray pictures so); 16 bits are rounded to 8. An alpha channel is left
//! out where it is opaque everywhere; a picture with transparent parts is no photograph, and what its hidden samples are
//! is anyone's guess, so it is skipped.

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

/// Pixels of the largest picture that is read.
pub const MAX_PIXELS: u64 = 1 << 27;
/// Bytes of the largest file that is read.
const MAX_BYTES: u64 = 1 << 30;
/// Shorter sides are not worth training on.
pub const MIN_SIDE: u32 = 16;

/// Endings of pictures: a file that has one and is none is reported.
const ENDINGS: &[&str] = &[
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "ppm", "pgm", "pnm", "pbm", "pam", "webp", "tif", "tiff", "gif",
    "avif", "heic", "heif", "jxl", "jp2", "dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2",
];

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height][width][3]`, channels in coding order.
    pub samples: Vec<u8>,
    /// Whether it comes from a lossy format, whose traces (a grid of blocks) are in the samples.
    pub lossy: bool,
    /// BLAKE3 of the file's bytes.
    pub file: [u8; 32],
}

impl Decoded {
    /// A hash of what it shows, whatever file it came from.
    pub fn content(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.width.to_le_bytes());
        hasher.update(&self.height.to_le_bytes());
        hasher.update(&self.samples);
        *hasher.finalize().as_bytes()
    }
}

/// Why a file gives no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is something else than a picture: passed over quietly.
    Other,
    /// What is wrong with it.
    Skipped(String),
}

fn skipped(why: impl std::fmt::Display) -> Fault {
    Fault::Skipped(why.to_string())
}

fn unreadable(error: impl std::fmt::Display) -> Fault {
    skipped(format_args!("cannot be read ({error})"))
}

/// The number of pixels that a file's header promises, if it is one that will be decoded.
///
/// # Errors
/// Why the file is not used, as far as its header tells.
pub fn probe(path: &Path) -> Result<u64, Fault> {
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().is_ok_and(|meta| meta.len() > MAX_BYTES) {
        return match has_ending(path) {
            true => Err(skipped(format_args!("is larger than {} MiB", MAX_BYTES >> 20))),
            false => Err(Fault::Other),
        };
    }
    let mut start = [0; 64];
    let mut reader = BufReader::new(file);
    let length = read_start(&mut reader, &mut start).map_err(unreadable)?;
    let format = format(path, &start[..length])?;
    reader.rewind().map_err(unreadable)?;
    let decoder = decoder(ImageReader::with_format(reader, format))?;
    check(&decoder)
}

fn read_start(reader: &mut impl Read, start: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < start.len() {
        match reader.read(&mut start[length..])? {
            0 => break,
            n => length += n,
        }
    }
    Ok(length)
}

/// Decodes a file.
///
/// # Errors
/// Why the file is not used.
pub fn decode(path: &Path) -> Result<Decoded, Fault> {
    let bytes = fs::read(path).map_err(unreadable)?;
    let format = format(path, &bytes)?;
    let decoder = decoder(ImageReader::with_format(Cursor::new(&bytes), format))?;
    check(&decoder)?;
    let lossy = format == ImageFormat::Jpeg || (format == ImageFormat::WebP && has_lossy_chunk(&bytes));
    let picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    if picture.color().has_alpha() && !is_opaque(&picture) {
        return Err(skipped("has transparent parts: it is no photograph"));
    }
    let (width, height) = (picture.width(), picture.height());
    let mut samples = picture.into_rgb8().into_raw();
    // The coder codes green first.
    samples.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 1));
    Ok(Decoded { width, height, samples, lossy, file: *blake3::hash(&bytes).as_bytes() })
}

fn has_ending(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

/// The format that the bytes are in; the name only tells whether it is worth a word if they are in none.
fn format(path: &Path, bytes: &[u8]) -> Result<ImageFormat, Fault> {
    let format = image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled);
    format.ok_or_else(|| match has_ending(path) {
        true if bytes.is_empty() => skipped("is empty"),
        true => skipped("is in none of the formats that are read (PNG, PPM, BMP, TIFF, WebP, JPEG)"),
        false => Fault::Other,
    })
}

fn broken(error: image::ImageError) -> Fault {
    skipped(format_args!("is broken or of a kind that is not read ({error})"))
}

fn decoder<'a, R: BufRead + Seek + 'a>(mut reader: ImageReader<R>) -> Result<impl ImageDecoder + 'a, Fault> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(1 << 16);
    limits.max_image_height = Some(1 << 16);
    // Up to 8 bytes a pixel (four channels of 16 bits).
    limits.max_alloc = Some(8 * MAX_PIXELS);
    reader.limits(limits);
    reader.into_decoder().map_err(broken)
}

/// What the header says: the number of pixels.
fn check(decoder: &impl ImageDecoder) -> Result<u64, Fault> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.min(height) < MIN_SIDE {
        return Err(skipped(format_args!("is {width} x {height}: too small, {MIN_SIDE} x {MIN_SIDE} is the least")));
    }
    if pixels > MAX_PIXELS {
        return Err(skipped(format_args!("is {width} x {height}: too large, {MAX_PIXELS} pixels are the most")));
    }
    if matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F) {
        return Err(skipped("has floating-point samples, not 8 bits"));
    }
    Ok(pixels)
}

fn is_opaque(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageLumaA8(p) => p.pixels().all(|p| p.0[1] == u8::MAX),
        DynamicImage::ImageLumaA16(p) => p.pixels().all(|p| p.0[1] == u16::MAX),
        DynamicImage::ImageRgba8(p) => p.pixels().all(|p| p.0[3] == u8::MAX),
        DynamicImage::ImageRgba16(p) => p.pixels().all(|p| p.0[3] == u16::MAX),
        _ => false,
    }
}

/// Whether a WebP file holds a lossy picture: a chunk `VP8 ` (RFC 9649, section 2.5).
fn has_lossy_chunk(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"VP8 " => return true,
            b"VP8L" => return false,
            _ => rest = body.get(length + length % 2..).unwrap_or_default(),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba};

    fn colours(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 7) as u8, (y * 5) as u8, (x * y) as u8]))
    }

    fn saved(
        image: impl Into<DynamicImage>,
        name: &str,
        format: ImageFormat,
    ) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        image.into().save_with_format(&path, format).unwrap();
        (folder, path)
    }

    fn why(path: &Path) -> String {
        let fault = probe(path).map(|_| ()).and_then(|()| decode(path).map(|_| ())).unwrap_err();
        let Fault::Skipped(why) = fault else { panic!("{fault:?}") };
        why
    }

    #[test]
    fn every_lossless_format_gives_the_samples() {
        use ImageFormat::{Bmp, Png, Pnm, Tiff, WebP};
        let image = colours(37, 21);
        for (name, format) in [("a", Png), ("a.ppm", Pnm), ("wrong.jpg", Bmp), ("ä\u{7}.tif", Tiff), ("a.webp", WebP)]
        {
            let (_folder, path) = saved(image.clone(), name, format);
            assert_eq!(probe(&path), Ok(37 * 21), "{format:?}");
            let decoded = decode(&path).unwrap();
            assert_eq!((decoded.width, decoded.height, decoded.lossy), (37, 21, false));
            assert_eq!(decoded.file, *blake3::hash(&fs::read(&path).unwrap()).as_bytes());
            let expected: Vec<u8> = image.pixels().flat_map(|p| [p.0[1], p.0[0], p.0[2]]).collect();
            assert!(decoded.samples == expected, "{format:?}");
        }
    }

    #[test]
    fn gray_deep_and_opaque_pictures_are_made_colour_pictures_of_8_bits() {
        let gray = GrayImage::from_fn(20, 18, |x, y| Luma([(x * y) as u8]));
        let (_folder, path) = saved(gray, "gray.png", ImageFormat::Png);
        let samples = decode(&path).unwrap().samples;
        assert!(samples.chunks(3).all(|p| p[0] == p[1] && p[1] == p[2]) && samples[3 * 25] == 5);
        let deep: ImageBuffer<Rgb<u16>, _> = ImageBuffer::from_fn(20, 18, |x, _| Rgb([x as u16 * 257, 65535, 0]));
        let (_folder, path) = saved(deep, "deep.png", ImageFormat::Png);
        assert_eq!(decode(&path).unwrap().samples[3 * 7..][..3], [255, 7, 0]);
        let alpha =
            |a: u8| ImageBuffer::from_fn(20, 18, |x, y| Rgba([x as u8, y as u8, 9, if x == 3 { a } else { 255 }]));
        let (_folder, path) = saved(alpha(255), "opaque.png", ImageFormat::Png);
        assert_eq!(decode(&path).unwrap().samples[3 * 21..][..3], [1, 1, 9]);
        let (_folder, path) = saved(alpha(254), "hole.png", ImageFormat::Png);
        assert!(why(&path).contains("transparent"));
        let gray_alpha = ImageBuffer::from_fn(20, 18, |x, _| LumaA([x as u8, x as u8]));
        let (_folder, path) = saved(DynamicImage::ImageLumaA8(gray_alpha), "hole2.png", ImageFormat::Png);
        assert!(why(&path).contains("transparent"));
    }

    #[test]
    fn jpegs_are_known_as_lossy_and_equal_pictures_have_equal_hashes() {
        let (_folder, path) = saved(colours(40, 40), "a.jpg", ImageFormat::Jpeg);
        assert!(decode(&path).unwrap().lossy);
        let (_a, png) = saved(colours(40, 40), "a.png", ImageFormat::Png);
        let (_b, bmp) = saved(colours(40, 40), "a.bmp", ImageFormat::Bmp);
        let (png, bmp) = (decode(&png).unwrap(), decode(&bmp).unwrap());
        assert!(png.content() == bmp.content() && png.file != bmp.file);
        assert!(has_lossy_chunk(b"RIFF....WEBPVP8X\x0a\0\0\0..........ALPH\x01\0\0\0a.VP8 \0\0\0\0"));
        assert!(!has_lossy_chunk(b"RIFF....WEBPVP8L\x02\0\0\0..VP8 \0\0\0\0") && !has_lossy_chunk(b"RIFF"));
        assert!(!has_lossy_chunk(b"RIFF....WEBPABCD\xff\xff\xff\xff..VP8 "));
    }

    #[test]
    fn other_files_are_passed_over_and_broken_ones_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).unwrap();
            folder.path().join(name)
        };
        assert_eq!(probe(&file("sources.json", b"{}")), Err(Fault::Other));
        assert_eq!(probe(&file("README", b"")), Err(Fault::Other));
        assert!(why(&file("empty.png", b"")).contains("empty"));
        assert!(why(&file("text.PNG", b"not a picture")).contains("none of the formats"));
        assert!(why(&file("cut.png", b"\x89PNG\r\n\x1a\n")).contains("broken"));
        assert!(why(&folder.path().join("missing.png")).contains("cannot be read"));
        let (_folder, path) = saved(colours(15, 400), "thin.png", ImageFormat::Png);
        assert!(why(&path).contains("15 x 400"), "{}", why(&path));
        // Cut off in its samples, and the same in a file without an ending.
        let (_folder, path) = saved(colours(64, 64), "a.png", ImageFormat::Png);
        let whole = fs::read(path).unwrap();
        assert!(why(&file("half.png", &whole[..whole.len() / 2])).contains("broken"));
        assert!(why(&file("half", &whole[..whole.len() / 2])).contains("broken"));
        let (_folder, path) = saved(DynamicImage::new_rgb32f(20, 20), "float.tiff", ImageFormat::Tiff);
        assert!(why(&path).contains("floating-point"));
    }

    #[test]
    fn a_hostile_size_is_refused_before_anything_is_allocated() {
        let folder = tempfile::tempdir().unwrap();
        for (name, header) in [("a.ppm", "P6\n60000 60000\n255\n"), ("b.ppm", "P6\n4000000000 20\n255\n")] {
            let path = folder.path().join(name);
            fs::write(&path, header).unwrap();
            let why = why(&path);
            assert!(why.contains("too large") || why.contains("limit") || why.contains("dimensions"), "{why}");
        }
    }
}
