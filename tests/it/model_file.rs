//! Model files are not trusted: a damaged one is refused, or it is a program that runs without a panic and without an
//! overflow, as the proof of its loader says (debug assertions and overflow checks are on in the profile of the tests).
//!
//! `SURPRISAL_MUTATIONS` sets the number of mutations (500 if it is not set).

use std::sync::Arc;
use surprisal::codec::bands::{Code, bands, decode_picture, encode_band, field};
use surprisal::engine::reference;
use surprisal::engine::{Executor, Kernel, Network, Position, Program, ProgramError};
use surprisal::media::image::Picture;

const MODEL: &[u8] = include_bytes!("../../models/photo.srm");

fn mutations() -> usize {
    std::env::var("SURPRISAL_MUTATIONS").map_or(500, |n| n.parse().expect("SURPRISAL_MUTATIONS is a number"))
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
    /// A place in the file; the description at its beginning and the tables at its end are short, so they are hit on purpose.
    fn place(&mut self) -> usize {
        match self.below(4) {
            0 => self.below(700),
            1 => MODEL.len() - 1 - self.below(12_000),
            _ => self.below(MODEL.len()),
        }
    }
}

fn mutate(random: &mut Random) -> Vec<u8> {
    let mut bytes = MODEL.to_vec();
    let (a, b) = (random.place(), random.place());
    match random.below(8) {
        0 => bytes.truncate(a),
        1 => drop(bytes.drain(a.min(b)..a.max(b).min(a.min(b) + 40))),
        2 => {
            let piece = bytes[a..(a + 1 + random.below(40)).min(MODEL.len())].to_vec();
            bytes.splice(b..b, piece);
        }
        3 => bytes[a] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        4 => {
            let end = (a + 1 + random.below(64)).min(MODEL.len());
            bytes[a..end].fill([0, 0x7f, 0xff][random.below(3)]);
        }
        5 => (0..1 + random.below(20)).for_each(|_| bytes[random.place()] = random.below(256) as u8),
        _ => bytes[a] ^= 1 << random.below(8),
    }
    bytes
}

/// Codes and decodes a small picture, and compares an executor with the reference: whatever was loaded must be exact.
fn run(program: Program, picture: &Picture) {
    let row = |row: &[u8], channel: usize| row.iter().skip(channel).step_by(3).copied().collect();
    let rows = picture.samples.chunks_exact(picture.width as usize * 3);
    let planes: reference::Picture = [1, 0, 2].map(|c| rows.clone().map(|r| row(r, c)).collect()).into();
    let network = Network::new(Arc::new(program), Kernel::best());
    let field = field(&network, picture);
    let position = Position { row: 3, column: 5 };
    let mut executor = Executor::new(&network, 1);
    executor.all(&field, &[position]);
    for (node, expected) in reference::evaluate(network.program(), &planes, 3, 5).iter().enumerate() {
        assert!(executor.values(node, 0).iter().map(|v| i64::from(*v)).eq(expected.iter().copied()), "node {node}");
    }
    let codes: Vec<_> = bands(picture.height).map(|band| encode_band(&network, picture, band)).collect();
    let codes: Vec<_> = codes.iter().map(|code| Code::Network(code)).collect();
    let back = decode_picture(&network, (picture.width, picture.height, 3), &codes, 1, &|_| {}).unwrap();
    assert!(back == *picture);
}

#[test]
fn damaged_model_files_are_refused_or_safe_to_run() {
    let mut random = Random(1);
    let samples = (0..9 * 7 * 3).map(|_| random.below(256) as u8).collect();
    let picture = Picture { width: 9, height: 7, channels: 3, samples };
    let original = Program::from_bytes(MODEL).unwrap();
    let (mut refused, mut ran) = (0, 0);
    for number in 0..mutations() {
        let bytes = mutate(&mut random);
        let Ok(program) = Program::from_bytes(&bytes) else {
            refused += 1;
            continue;
        };
        // Bytes are canonical: other bytes are another model, with another name.
        assert!(program.to_bytes() == bytes, "mutation {number} has another spelling");
        assert_eq!(program.id() == original.id(), bytes == MODEL, "mutation {number}");
        let result = std::panic::catch_unwind(|| run(program, &picture));
        assert!(result.is_ok(), "mutation {number} was loaded and failed");
        ran += 1;
    }
    println!("{refused} refused, {ran} run");
    assert!(refused > mutations() / 10 && ran > mutations() / 10, "{refused} refused, {ran} run");
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    assert_eq!(Program::from_bytes(b"").unwrap_err(), ProgramError::NotAModel);
    assert_eq!(Program::from_bytes(b"\x89PNG\r\n").unwrap_err(), ProgramError::NotAModel);
    let mut other = MODEL.to_vec();
    other[4] = 200;
    assert_eq!(Program::from_bytes(&other).unwrap_err(), ProgramError::Format(200));
    for length in (0..MODEL.len()).step_by(1 + MODEL.len() / 300) {
        assert!(Program::from_bytes(&MODEL[..length]).is_err(), "cut at {length}");
    }
    assert!(Program::from_bytes(&[MODEL, b"\0"].concat()).is_err(), "a byte too many");
}
