//! What the tests share: the program, and files to give to it.

pub mod families;
pub mod random_program;
pub mod seeds;

use assert_cmd::Command;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};
use surprisal::media::image::zlib::{Deflater, Params, adler32};

/// The program under test, which sees no model of the user's.
pub fn surprisal() -> Command {
    let mut command = Command::cargo_bin("surprisal").expect("the program was built");
    command.env_remove("SURPRISAL_MODELS").env("XDG_DATA_HOME", "/nonexistent").env("NO_COLOR", "1");
    command
}

/// Runs the program in a folder.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    surprisal().current_dir(folder).args(args).output().expect("the program starts")
}

/// Runs the program in a folder and checks its exit code.
pub fn expect(folder: &Path, args: &[&str], code: i32) -> Output {
    let output = run(folder, args);
    assert_eq!(output.status.code(), Some(code), "surprisal {args:?}: {}", stderr(&output));
    output
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Compresses a file of these bytes, restores it, and checks that it is the same; gives the stream.
pub fn round_trip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    expect(folder.path(), &["compress", name], 0);
    assert_eq!(std::fs::read(&path).expect("kept"), bytes, "the source is kept");
    let stream = std::fs::read(folder.path().join(format!("{name}.srp"))).expect("a stream");
    assert!(stream.len() <= bytes.len() + 64, "{name} grew from {} to {}", bytes.len(), stream.len());
    std::fs::remove_file(&path).expect("removed");
    expect(folder.path(), &["decompress", &format!("{name}.srp")], 0);
    assert!(std::fs::read(&path).expect("restored") == bytes, "{name} came back otherwise");
    stream
}

/// What a browser makes of a page, after its scripts have run; `None`, with a message, where there is no Chromium.
pub fn chromium(folder: &Path, page: &str, view: &str) -> Option<String> {
    let url = format!("file://{}/{page}#{view}", folder.display());
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let arguments =
        ["--headless", "--no-sandbox", "--disable-gpu", &profile, "--virtual-time-budget=4000", "--dump-dom", &url];
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        if let Ok(done) = std::process::Command::new(name).args(arguments).output() {
            assert!(done.status.success(), "{}", stderr(&done));
            return Some(stdout(&done));
        }
    }
    eprintln!("skipped: there is no Chromium to show the page (Debian: apt-get install chromium)");
    None
}

/// Longest time that bad input may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a call takes longer than that twice in a row; once is what other work on the machine may do to any call.
pub fn hangs(mut call: impl FnMut()) -> bool {
    let mut is_slow = || {
        let start = Instant::now();
        call();
        start.elapsed() > PATIENCE
    };
    is_slow() && is_slow()
}

/// A generator of numbers that are the same everywhere (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    /// A number below `n`, or 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize) % n.max(1)
    }
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 40) as u8).collect()
    }
}

/// Words that compress.
pub fn text(length: usize) -> Vec<u8> {
    const WORDS: [&str; 12] =
        ["the ", "model ", "expects ", "a ", "river ", "of ", "stone", ", ", "and ", "light ", "falls ", "slowly.\n"];
    let mut random = Random(5);
    let mut text = Vec::new();
    while text.len() < length {
        text.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes());
    }
    text.truncate(length);
    text
}

/// RGB samples cut from a photograph.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/photos/mountain.png");
    let picture = image::open(path).expect("a photograph").into_rgb8();
    image::imageops::crop_imm(&picture, 200, 150, width, height).to_image().into_raw()
}

/// A pixmap (P6, or P5 with one channel).
pub fn pnm(width: u32, height: u32, channels: u32, samples: &[u8]) -> Vec<u8> {
    assert_eq!(samples.len(), (width * height * channels) as usize);
    let magic = if channels == 3 { "P6" } else { "P5" };
    [format!("{magic}\n{width} {height}\n255\n").as_bytes(), samples].concat()
}

/// One chunk of a PNG.
pub fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(&[kind, data].concat());
    [&(data.len() as u32).to_be_bytes(), &kind[..], data, &crc.to_be_bytes()].concat()
}

/// A PNG as zlib makes it: rows of bytes, each filtered by the difference to the pixel before. `extra` are whole chunks.
pub fn png(width: u32, height: u32, depth: u8, colour: u8, unit: usize, rows: &[u8], extra: &[u8]) -> Vec<u8> {
    let stride = rows.len() / height as usize;
    let mut filtered = Vec::new();
    for row in rows.chunks_exact(stride) {
        filtered.push(1);
        filtered.extend((0..stride).map(|i| row[i].wrapping_sub(if i >= unit { row[i - unit] } else { 0 })));
    }
    let mut data = vec![0x78, 0x9c];
    let params = Params { level: 6, memory: 8, strategy: 1, window: 15 };
    let done = Deflater::new(params).expect("zlib starts").write(&filtered, true, |bytes| {
        data.extend_from_slice(bytes);
        ControlFlow::Continue(())
    });
    assert!(done.is_continue());
    data.extend_from_slice(&adler32(1, &filtered).to_be_bytes());
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let chunks = [png_chunk(b"IHDR", &header), extra.to_vec(), png_chunk(b"IDAT", &data), png_chunk(b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

/// A PNG of a photograph.
pub fn photo_png(width: u32, height: u32) -> Vec<u8> {
    png(width, height, 8, 2, 3, &photo(width, height), &[])
}

/// A PNG with a palette, which is coded as rows.
pub fn palette_png(width: u32, height: u32) -> Vec<u8> {
    let rows: Vec<u8> = (0..width * height).map(|i| ((i % width) / 8 + (i / width) / 8) as u8 % 7).collect();
    png(width, height, 8, 3, 1, &rows, &png_chunk(b"PLTE", &Random(9).bytes(21)))
}

/// A bitmap of 24 bits; a negative height means that the first row is the top one.
pub fn bmp(width: i32, height: i32, samples: &[u8]) -> Vec<u8> {
    let stride = (width as usize * 3).div_ceil(4) * 4;
    let size = stride * height.unsigned_abs() as usize;
    let mut file = b"BM".to_vec();
    for word in
        [54 + size as u32, 0, 54, 40, width as u32, height as u32, 24 << 16 | 1, 0, size as u32, 2835, 2835, 0, 0]
    {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for row in samples.chunks_exact(width as usize * 3) {
        file.extend_from_slice(row);
        file.resize(file.len() + stride - row.len(), 0);
    }
    file
}

/// A number from the environment, for longer runs.
pub fn count(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => default,
    }
}
