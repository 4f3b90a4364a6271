//! Small files that between them use every part of the format, and ways to damage their streams.

use super::{Random, bmp, palette_png, photo, png, png_chunk, pnm, text};
use surprisal::codec::{Effort, Fit, Level, Models, Options, compress};
use surprisal::container::{archive, reseal};
use surprisal::engine::Kernel;
use surprisal::media::audio::{Sound, wav};
use surprisal::media::image::lattice::{TRANSFORMS, Transform};

/// The file that is raw samples, of two channels and 16 bits.
const RAW: &str = "sound.raw";

/// Name and bytes of each file.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let samples = photo(40, 80);
    let drawing: Vec<u8> =
        (0..9000).map(|i| if (i / 3 % 60) / 7 % 3 == (i / 180) / 9 % 2 { 250 } else { 31 }).collect();
    vec![
        ("empty", Vec::new()),
        ("stored", Random(21).bytes(300)),
        ("text", text(3000)),
        ("photo.ppm", pnm(40, 80, 3, &samples)),
        ("gray.pgm", pnm(60, 40, 1, &samples[..2400])),
        ("photo.png", png(48, 40, 8, 2, 3, &photo(48, 40), &png_chunk(b"tEXt", &text(500)))),
        ("photo.bmp", bmp(41, -20, &samples[..41 * 20 * 3])),
        ("drawing.ppm", pnm(60, 50, 3, &drawing)),
        ("palette.png", palette_png(60, 50)),
        ("adapted.ppm", pnm(80, 72, 3, &waves(80, 72))),
        ("sound.wav", sound(700)),
        ("sound.aiff", aiff(&sound(400)[44..])),
        (RAW, sound(401)[44..].to_vec()),
        ("sound.flac", include_bytes!("../../data/sounds/tagged.flac").to_vec()),
        ("alpha.png", png(40, 80, 8, 6, 4, &with_alpha(&samples), &[])),
        ("deep.pgm", deep(40, 30)),
        ("bits.pbm", [&b"P4\n80 60\n"[..], &bits(10, 60)].concat()),
        ("lattice.ppm", pnm(40, 80, 3, &through(TRANSFORMS[1], &samples))),
        ("photo.tiff", tiff(40, 36, &samples[..40 * 36 * 3])),
        ("mixed.ppm", pnm(40, 120, 3, &[&samples[..40 * 72 * 3], &[200; 40 * 48 * 3]].concat())),
    ]
}

/// Colours with an alpha that fades from row to row.
fn with_alpha(samples: &[u8]) -> Vec<u8> {
    let pixel = |(i, pixel): (usize, &[u8])| [pixel[0], pixel[1], pixel[2], (i / 40 * 5).min(255) as u8];
    samples.chunks_exact(3).enumerate().flat_map(pixel).collect()
}

/// A TIFF file, lower byte first, of two strips of RGB with some bytes between them, and the directory behind them.
fn tiff(width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
    let (half, gap) = (samples.len() / 2, b"between");
    let data = [&samples[..half], gap, &samples[half..]].concat();
    let directory = 8 + data.len() as u32;
    let lists = directory + 2 + 8 * 12 + 4;
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let entries = [
        entry(256, 3, 1, width),
        entry(257, 3, 1, height),
        entry(258, 3, 3, lists + 16),
        entry(262, 3, 1, 2),
        entry(273, 4, 2, lists),
        entry(277, 3, 1, 3),
        entry(278, 3, 1, height / 2),
        entry(279, 4, 2, lists + 8),
    ];
    let numbers = [8, 8 + (half + gap.len()) as u32, half as u32, half as u32].map(u32::to_le_bytes).concat();
    let depths = [8u16; 3].map(u16::to_le_bytes).concat();
    [&b"II\x2a\0"[..], &directory.to_le_bytes(), &data, &[8, 0], &entries.concat(), &[0; 4], &numbers, &depths].concat()
}

/// A graymap of 16 bits: a slope and noise.
fn deep(width: usize, height: usize) -> Vec<u8> {
    let mut random = Random(5);
    let sample = |i: usize| ((i % width * 300 + i / width * 170 + random.below(256)) as u16).to_be_bytes();
    let samples: Vec<u8> = (0..width * height).flat_map(sample).collect();
    [format!("P5\n{width} {height}\n65535\n").as_bytes(), &samples].concat()
}

/// Rows of bits: stripes that grow wider from row to row.
fn bits(line: usize, height: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| u8::from(x % (y / 4 + 3) < 2);
    let byte = |i: usize| (0..8).fold(0, |byte, bit| byte << 1 | pixel(i % line * 8 + bit, i / line));
    (0..line * height).map(byte).collect()
}

/// Samples as they come out of a transform from planes, but for two pixels.
pub fn through(transform: &Transform, samples: &[u8]) -> Vec<u8> {
    let pixel = |pixel: &[u8]| transform.forward(transform.inverse([pixel[0], pixel[1], pixel[2]]));
    let mut out: Vec<u8> = samples.chunks_exact(3).flat_map(pixel).collect();
    let mut others = (0..=255).flat_map(|a| (0..=255).map(move |b| [a, b, 77]));
    for at in [300, 4500] {
        let beside =
            others.find(|rgb| transform.nearest(*rgb, [128; 3]).is_none()).expect("a colour beside the lattice");
        out[at..at + 3].copy_from_slice(&beside);
    }
    out
}

/// A WAV file of so many frames in two channels: two waves that slide, with noise.
pub fn sound(frames: usize) -> Vec<u8> {
    let mut random = Random(9);
    let mut state = [[3000i32, 3000], [-2000, 1000]];
    let mut samples = Vec::new();
    for i in 0..frames {
        for (wave, turn) in state.iter_mut().zip([1990 - (i / 9) as i32, 1700]) {
            let next = (turn * wave[1]) / 1000 - wave[0];
            *wave = [wave[1], next.clamp(-9000, 9000)];
        }
        let (a, b, noise) = (state[0][1], state[1][1], random.below(25) as i32);
        samples.extend([a + b + noise, a - b / 2 + noise]);
    }
    wav::write(&Sound { channels: 2, bits: 16, rate: 8000, samples }).expect("a small file")
}

/// An AIFF file of two channels of 16 bits, of which the bytes stand as in a WAV file.
fn aiff(samples: &[u8]) -> Vec<u8> {
    let data: Vec<u8> = samples.chunks_exact(2).flat_map(|sample| [sample[1], sample[0]]).collect();
    let frames = (data.len() as u32 / 4).to_be_bytes();
    let form = [&[0, 2][..], &frames, &[0, 16], b"\x40\x0b\xfa\0\0\0\0\0\0\0"].concat();
    let chunk = |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_be_bytes(), body].concat();
    let chunks = [b"AIFF", &chunk(b"COMM", &form)[..], &chunk(b"SSND", &[&[0; 8], &data[..]].concat())].concat();
    chunk(b"FORM", &chunks)
}

/// Waves with noise and edges, unlike what the model was trained on, so that adapting it pays.
pub fn waves(width: usize, height: usize) -> Vec<u8> {
    let mut random = Random(4);
    let mut samples = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let wave = (x * x / 40 + 3 * y) % 160;
        let level = wave.min(160 - wave) + if x / 23 % 2 == 0 { 60 } else { 90 } + random.below(13);
        samples.extend((0..3).map(|c| (level + 9 * c + random.below(7)) as u8));
    }
    samples
}

/// The models inside the binary.
pub fn models() -> Models {
    Models::new(&[], Kernel::best())
}

/// The streams of files.
pub fn streams(files: &[(&str, Vec<u8>)]) -> Vec<Vec<u8>> {
    let models = models();
    // A little longer than usual, so that there is an adaptation among such small pictures.
    let fit = Fit { steps: 40, batch: 128, rate: 0.03, share: 1.0 };
    let level = Level { fit, ..Effort::default().level() };
    let stream = |(name, file): &(&str, Vec<u8>)| {
        let raw = (*name == RAW).then(|| "8000,2,s16le".parse().expect("what it is"));
        let options = Options { level, raw, ..Options::default() };
        compress(file, &models, &options, &()).expect("compressed").bytes
    };
    files.iter().map(stream).collect()
}

/// Damages a stream in one to three ways; half of the time the check values are made right again, so that what lies
/// behind them is reached.
pub fn mutate(random: &mut Random, streams: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = streams[random.below(streams.len())].clone();
    for _ in 0..=random.below(3) {
        once(random, streams, &mut bytes);
    }
    if random.below(2) == 0 {
        mend(&mut bytes);
    }
    bytes
}

fn once(random: &mut Random, streams: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let length = bytes.len();
    let front = length.min(100); // where the header is
    let at = if random.below(2) == 0 { random.below(front) } else { random.below(length) };
    if length == 0 {
        return;
    }
    match random.below(10) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.next() as u8,
        2 => bytes.truncate(random.below(length)),
        3 => {
            let extra = 1 + random.below(40);
            bytes.extend(random.bytes(extra));
        }
        4 => drop(bytes.splice(at..(at + random.below(20)).min(length), [])),
        5 => {
            let piece = bytes[at..(at + random.below(60)).min(length)].to_vec();
            bytes.splice(at..at, piece);
        }
        6 => {
            let other = &streams[random.below(streams.len())];
            let from = random.below(other.len());
            let piece = other[from..(from + random.below(200)).min(other.len())].to_vec();
            let end = (at + piece.len()).min(length);
            bytes.splice(at..end, piece);
        }
        // A number that claims a lot: LEB128 of 2^14 to 2^63.
        7 => {
            let mut number = vec![0x80 | random.next() as u8; 1 + random.below(8)];
            number.push(1 + random.below(127) as u8);
            bytes.splice(at..(at + 1 + random.below(number.len())).min(length), number);
        }
        // A number of 32 bits at the edge of what there is.
        8 => {
            let number = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, u32::MAX, length as u32, at as u32][random.below(8)];
            let number = number.wrapping_add(random.below(3) as u32).wrapping_sub(1);
            let number = if random.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
            let end = (at + 4).min(length);
            bytes[at..end].copy_from_slice(&number[..end - at]);
        }
        // The end of one stream behind the start of another.
        _ => {
            let other = &streams[random.below(streams.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

/// Makes the check values of a damaged file right again, as far as its structure is still there: those of a PNG's chunks, of an
/// archive's index, of a stream's header, the hash of a calibration. What lies behind them is then reached.
pub fn mend(bytes: &mut [u8]) {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let mut at = 8;
        while let Some(length) = bytes.get(at..at + 4).and_then(|b| Some(u32::from_be_bytes(b.try_into().ok()?))) {
            let end = at + 8 + length as usize;
            let Some(crc) = bytes.get(at + 4..end).map(crc32fast::hash) else { break };
            let Some(field) = bytes.get_mut(end..end + 4) else { break };
            field.copy_from_slice(&crc.to_be_bytes());
            at = end + 4;
        }
    } else if archive::is_archive(bytes) && bytes.len() >= archive::HEAD + archive::TAIL {
        let end = bytes.len() - archive::TAIL;
        let length = u64::from_le_bytes(bytes[end..end + 8].try_into().expect("eight bytes")).min(end as u64);
        let crc = crc32fast::hash(&bytes[end - length as usize..end]);
        bytes[end + 8..end + 12].copy_from_slice(&crc.to_le_bytes());
    } else if bytes.starts_with(b"SRPCAL") && bytes.len() > 40 {
        let hash = blake3::hash(&bytes[40..]);
        bytes[8..40].copy_from_slice(hash.as_bytes());
    } else {
        reseal(bytes);
    }
}
