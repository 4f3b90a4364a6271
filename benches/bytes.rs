//! Size and speed of the byte model beside `xz -9e`, file by file: `cargo bench --bench bytes -- FILE...`.
//!
//! Bytes and speeds of a row come from the same run; speeds are of one core, the better of two runs, with segments coded one
//! after the other. Every file is decoded and compared.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use surprisal::predict::bytes::{self, Hint};

fn xz(data: &[u8]) -> Option<usize> {
    let mut child = Command::new("xz").arg("-9ec").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take()?;
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(data));
        child.wait_with_output()
    });
    Some(output.ok()?.stdout.len())
}

fn timed<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut best: Option<(T, Duration)> = None;
    for _ in 0..2 {
        let start = Instant::now();
        let value = run();
        let time = start.elapsed();
        if best.as_ref().is_none_or(|b| time < b.1) {
            best = Some((value, time));
        }
    }
    best.expect("it ran twice")
}

fn row(name: &str, size: usize, coded: usize, xz: Option<usize>, times: [Duration; 2]) {
    let speed = |time: Duration| size as f64 / time.as_secs_f64() / 1e6;
    let (xz, ratio) = match xz {
        Some(xz) => (xz.to_string(), format!("{:.4}", coded as f64 / xz as f64)),
        None => ("-".into(), "-".into()),
    };
    println!("| {name} | {size} | {coded} | {xz} | {ratio} | {:.2} | {:.2} |", speed(times[0]), speed(times[1]));
}

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!("| file | bytes | coded | xz -9e | coded / xz | encode MB/s | decode MB/s |");
    println!("|---|---|---|---|---|---|---|");
    let (mut size, mut coded, mut reference, mut times) = (0, 0, Some(0), [Duration::ZERO; 2]);
    for file in &files {
        let data = std::fs::read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        let hint = Hint::default();
        let (streams, encoding) =
            timed(|| data.chunks(bytes::SEGMENT).map(|s| bytes::encode(s, hint)).collect::<Vec<_>>());
        let (_, decoding) = timed(|| {
            for (stream, segment) in streams.iter().zip(data.chunks(bytes::SEGMENT)) {
                assert!(bytes::decode(stream, segment.len(), hint).is_ok_and(|d| d == segment), "{file}");
            }
        });
        let bytes = streams.iter().map(Vec::len).sum();
        let xz = xz(&data);
        row(file.rsplit('/').next().unwrap_or(file), data.len(), bytes, xz, [encoding, decoding]);
        size += data.len();
        coded += bytes;
        reference = reference.zip(xz).map(|(a, b)| a + b);
        times = [times[0] + encoding, times[1] + decoding];
    }
    if files.len() > 1 {
        row("total", size, coded, reference, times);
    }
}
