//! Recordings: through networks on a grid, and by the adaptive predictors as they are read; round trips, refusals, damaged streams, and
//! the real program.

use crate::common::random_program::of_family;
use crate::common::seeds::mutate;
use crate::common::{Random, expect, stderr, stdout};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use surprisal::codec::sets::{Labels, compress, measure};
use surprisal::codec::{CompressError, DEFAULT_LIMIT, Models, Options, decompress};
use surprisal::codec::{Effort, compress as compress_file, sound};
use surprisal::container;
use surprisal::engine::{GridNetwork, Kernel, Program};
use surprisal::media::audio::{Sound, wav};
use surprisal::media::set::SetError;
use surprisal::spec::{Domain, Samples};
use surprisal::zoo::family;

/// A random WaveNet for segments of 200 samples.
fn program(samples: Samples) -> Program {
    let domain = Domain::Sound { segment: 200, rate: 8000, samples };
    of_family(family("wavenet").expect("a family"), &domain, 4, 5).expect("a program")
}

fn options() -> Options {
    Options::default()
}

/// A tone of an amplitude, with a little noise.
fn tone(length: usize, amplitude: f64) -> Vec<i32> {
    let mut random = Random(3);
    let noise = (amplitude / 20.0) as usize + 1;
    (0..length).map(|t| ((t as f64 * 0.2).sin() * amplitude) as i32 + random.below(noise) as i32).collect()
}

fn wave(channels: u16, bits: u8, samples: Vec<i32>) -> Vec<u8> {
    wav::write(&Sound { channels, bits, rate: 8000, samples }).expect("a WAV")
}

#[test]
fn recordings_of_every_kind_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("no sample", wave(1, 16, vec![])),
        ("one sample", wave(1, 16, vec![-7])),
        ("a segment", wave(1, 16, tone(200, 9000.0))),
        ("longer", wave(1, 16, tone(1234, 300.0))),
        ("8 bits", wave(1, 8, tone(555, 90.0))),
        ("16 bits of which 8 are used", wave(1, 16, tone(555, 90.0).iter().map(|x| x << 8).collect())),
        ("silent", wave(1, 16, vec![0; 700])),
        ("ends", wave(1, 16, (0..700).map(|t| if t % 3 == 0 { -32768 } else { 32767 }).collect())),
    ];
    let whole = wave(1, 16, tone(500, 5000.0));
    files.push(("cut short", whole[..333].to_vec()));
    files.push(("half a sample", whole[..444 + 1].to_vec()));
    files.push(("with a tail", [&whole[..], b"LIST\x04\0\0\0abcd"].concat()));
    let mut by_network = 0;
    for samples in [Samples::Linear, Samples::MuLaw] {
        let program = program(samples);
        let path = folder.path().join("m.srm");
        fs::write(&path, program.to_bytes()).unwrap();
        let models = Models::new(&[path.to_str().unwrap().to_owned()], Kernel::best());
        let network = GridNetwork::new(Arc::new(program), Kernel::best()).unwrap();
        for (what, file) in &files {
            let done = match compress(file, &network, Labels::Unknown, &options(), &()) {
                Ok(done) => done,
                // The amplitudes of mu-law are few.
                Err(CompressError::Set(SetError::Recording(why))) if samples == Samples::MuLaw => {
                    assert!(why.contains("mu-law rounds") || why.contains("no recording"), "{why}");
                    continue;
                }
                Err(CompressError::Set(SetError::Recording(why))) => {
                    assert!(*what == "empty" && why.contains("no recording"), "{what}: {why}");
                    continue;
                }
                Err(other) => panic!("{what}: {other}"),
            };
            assert!(done.bytes.len() <= file.len() + 64, "{what}");
            let back = decompress(&done.bytes, &models, DEFAULT_LIMIT, &()).expect("restored");
            assert!(back == *file, "{what}");
            let header = container::open(&done.bytes).unwrap().header;
            if header.model.is_some() {
                by_network += 1;
                let measured = measure(file, &network, Labels::Unknown, &options(), &()).unwrap();
                let bits: f64 = measured.items.iter().map(|i| i.bits.to_f64()).sum();
                assert!(header.coded() as f64 <= bits / 8.0 * 1.001 + 80.0, "{what}: {} for {bits}", header.coded());
            }
        }
    }
    assert!(by_network >= 3, "{by_network}");
}

#[test]
fn codes_of_mu_law_come_back_and_other_samples_are_measured_alone() {
    let network = GridNetwork::new(Arc::new(program(Samples::MuLaw)), Kernel::best()).unwrap();
    // Amplitudes of codes: 33 in steps of 8 from 0 on, and some of larger steps.
    let exact = wave(1, 16, (0..900).map(|t| [0, 8, -8, 120, 132, 988, -32124, 16][t % 8]).collect());
    assert!(compress(&exact, &network, Labels::Unknown, &options(), &()).is_ok());
    let rounded = wave(1, 16, tone(300, 9000.0));
    let refused = compress(&rounded, &network, Labels::Unknown, &options(), &()).map(|_| ());
    assert!(matches!(refused, Err(CompressError::Set(SetError::Recording(_)))), "{refused:?}");
    let measured = measure(&rounded, &network, Labels::Unknown, &options(), &()).unwrap();
    assert_eq!(measured.items.iter().map(|i| i.symbols).collect::<Vec<_>>(), [200, 100]);
}

#[test]
fn other_recordings_are_refused_with_a_reason() {
    let network = GridNetwork::new(Arc::new(program(Samples::Linear)), Kernel::best()).unwrap();
    let text =
        |file: &[u8]| compress(file, &network, Labels::Unknown, &options(), &()).map(|_| ()).unwrap_err().to_string();
    assert!(text(&wave(2, 16, tone(100, 500.0))).contains("2 channels"));
    assert!(text(&wave(1, 24, tone(100, 500.0))).contains("24 bits"));
    assert!(text(b"RIFF\x04\0\0\0WAVE").len() > 10);
    assert!(text(b"fLaC but nothing more").contains("FLAC"));
    assert!(text(b"a text").contains("no recording"));
}

#[test]
fn damaged_streams_are_errors_or_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (program, path) = (program(Samples::Linear), folder.path().join("m.srm"));
    fs::write(&path, program.to_bytes()).unwrap();
    let models = Models::new(&[path.to_str().unwrap().to_owned()], Kernel::best());
    let network = GridNetwork::new(Arc::new(program), Kernel::best()).unwrap();
    let file = wave(1, 16, vec![3; 900]);
    let stream = compress(&file, &network, Labels::Unknown, &options(), &()).unwrap().bytes;
    assert!(container::open(&stream).unwrap().header.model.is_some(), "it is coded by the network");
    let (random, streams) = (&mut Random(11), vec![stream]);
    for _ in 0..crate::common::count("SURPRISAL_FUZZ", 60) {
        let changed = mutate(random, &streams);
        if let Ok(back) = decompress(&changed, &models, 1 << 22, &()) {
            assert!(changed != streams[0] || back == file);
        }
    }
}

fn lines(at: &Path, args: &[&str]) -> Vec<Value> {
    let text = stdout(&expect(at, args, 0));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn sounds_are_drawn_and_what_a_model_sees_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("m.srm"), program(Samples::Linear).to_bytes()).unwrap();
    fs::write(at.join("a.wav"), wave(1, 16, tone(700, 2000.0))).unwrap();
    fs::write(at.join("start.wav"), wave(1, 16, tone(50, 2000.0))).unwrap();
    let args = ["sample", "m.srm", "-n", "2", "--length", "120", "--prime", "start.wav", "-o", "drawn.wav"];
    expect(at, &args, 0);
    let drawn = fs::read(at.join("drawn.wav")).unwrap();
    let sound = surprisal::media::audio::read(&drawn, &surprisal::media::Limits { max_bytes: 1 << 20 }).unwrap();
    assert_eq!((sound.channels, sound.bits, sound.rate, sound.samples.len()), (1, 16, 8000, 2 * 120 + 2000));
    let start = tone(50, 2000.0);
    assert!(sound.samples[..50] == start && sound.samples[2120..2170] == start);
    assert!(sound.samples[50..120] != sound.samples[2170..] && sound.samples[120..2120].iter().all(|x| *x == 0));
    assert!(stderr(&expect(at, &["sample", "m.srm", "-o", "x.png"], 2)).contains(".wav"));
    let long = ["sample", "m.srm", "--length", "201", "-o", "x.wav"];
    assert!(stderr(&expect(at, &long, 2)).contains("up to 200"));

    // Two taps with dilations 1, 2, 4 and 8 in each of four stacks, and 16 taps before.
    let said = stderr(&expect(at, &["reach", "m.srm", "--data", "a.wav", "-n", "3", "-o", "r.png"], 0));
    assert!(said.contains("the last of 192 symbols: 191 coded before it, 76 of them move it"), "{said}");
    let listed = lines(at, &["models", "--json", "-m", "m.srm"]);
    let model = listed.iter().find(|m| m["family"] == "wavenet").expect("listed");
    assert_eq!(model["domain"]["Sound"]["samples"], "Linear");
    let total = lines(at, &["measure", "-m", "m.srm", "--json", "a.wav"]).pop().unwrap();
    assert_eq!((&total["examples"], &total["dimensions"]), (&4.into(), &700.into()));
    assert!(stderr(&expect(at, &["measure", "-m", "m.srm", "--float", "a.wav"], 2)).contains(".safetensors"));
}

/// Bits a sample of a digit, as the card of the model that lies in the repository has them.
const BITS: f64 = 10.0270;

/// The model of spoken digits that lies in the repository, on a digit of another speaker that lies there, too.
#[test]
fn the_shipped_model_of_digits_is_what_its_card_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (model, digit) = ("models/digits-wavenet.srm", "corpora/speech/seven.wav");
    let total = lines(root, &["measure", "-m", model, "--json", digit]).pop().expect("a total");
    let bits = total["bits_per_dimension"].as_f64().unwrap();
    assert!(
        (bits - BITS).abs() < 1e-4,
        "{bits} bits a sample: is the model another one? Then its card needs new figures"
    );

    let listed = lines(root, &["models", "--json", "-m", model]);
    let listed = listed.iter().find(|m| m["name"] == "digits-wavenet").expect("listed");
    let card = fs::read_to_string(root.join("models/digits-wavenet.md")).unwrap();
    assert!(card.contains(listed["id"].as_str().unwrap()) && card.contains(&format!("{BITS:.4}")), "{listed}");
    assert!(fs::metadata(root.join(model)).unwrap().len() < 2_000_000);

    let folder = tempfile::tempdir().unwrap();
    let (model, digit) = (root.join(model), root.join(digit));
    let (model, digit) = (model.to_str().unwrap(), digit.to_str().unwrap());
    expect(folder.path(), &["compress", "-m", model, digit, "-o", "d.srp"], 0);
    expect(folder.path(), &["decompress", "-m", model, "d.srp", "-o", "back"], 0);
    assert!(fs::read(folder.path().join("back")).unwrap() == fs::read(digit).unwrap());
    let bytes = fs::metadata(folder.path().join("d.srp")).unwrap().len() as f64;
    assert!(bytes <= total["bits"].as_f64().unwrap() / 8.0 * 1.001 + 110.0, "{bytes} bytes");
}

/// A WAV file of two channels, of so many seconds at 4000 frames a second, with a chunk behind its samples.
fn recording(seconds: usize) -> Vec<u8> {
    let (a, b) = (tone(4000 * seconds, 5000.0), tone(4000 * seconds + 3, 3000.0));
    let samples = a.iter().zip(&b[3..]).flat_map(|(a, b)| [*a, a / 2 + b]).collect();
    let wave = wav::write(&Sound { channels: 2, bits: 16, rate: 4000, samples }).unwrap();
    [&wave[..], b"LIST\x04\0\0\0abcd"].concat()
}

/// A file as it is read: its stream, made from its first bytes and the rest.
fn as_read(file: &[u8], options: &Options) -> Vec<u8> {
    let found = sound::find_long(&file[..file.len().min(200)], options).expect("a recording");
    let aside = std::io::Cursor::new(Vec::new());
    let long = sound::compress_long(file, Some(file.len() as u64), &found, aside, options, &()).expect("coded");
    let mut stream = Vec::new();
    let (cost, overhead) = (long.summary.cost.ceil_bytes(), long.summary.overhead);
    let length = long.write(&mut stream).expect("written");
    assert_eq!((length, length), (stream.len() as u64, cost + overhead));
    let measured = sound::measure_long(file, None, &found, options, &()).expect("measured");
    assert!(measured.cost.ceil_bytes().abs_diff(cost) < 60, "{} {cost}", measured.cost.ceil_bytes());
    stream
}

/// The file of a stream as it is read.
fn restored(stream: &[u8], keep_going: bool) -> (Vec<u8>, sound::Restored) {
    let incoming = sound::incoming(stream).expect("a stream").expect("of sound");
    let mut file = Vec::new();
    let done = incoming.restore(&stream[incoming.start..], &mut file, 1 << 20, keep_going, &()).expect("restored");
    (file, done)
}

#[test]
fn recordings_are_coded_and_restored_as_they_are_read() {
    let models = Models::new(&[], Kernel::best());
    let options = Options { seconds: Some(1), level: Effort::MIN.level(), ..Options::default() };
    let whole = recording(3);
    // What the header says of the length may be wrong, and a rest that is no frame may follow.
    let with_length = |length: u32| [&whole[..40], &length.to_le_bytes(), &whole[44..], b"xy"].concat();
    for file in [whole.clone(), with_length(0), with_length(u32::MAX), with_length(1 << 30), with_length(70_001)] {
        let stream = as_read(&file, &options);
        assert!(stream.len() < file.len() * 3 / 4);
        assert!(stream == compress_file(&file, &models, &options, &()).unwrap().bytes);
        assert!(decompress(&stream, &models, DEFAULT_LIMIT, &()).unwrap() == file);
        assert!(
            restored(&stream, false) == (file.clone(), sound::Restored { length: file.len() as u64, missing: vec![] })
        );
    }
    // What cannot be made smaller is stored, whatever the number of segments.
    let silence = wave(1, 16, vec![0; 90_000]);
    let noise = [&silence[..44], &Random(5).bytes(180_000)].concat();
    let stream = as_read(&noise, &Options { seconds: Some(1), ..options });
    assert!(stream.len() <= noise.len() + 64, "{} of {}", stream.len(), noise.len());
    assert!(decompress(&stream, &models, DEFAULT_LIMIT, &()).unwrap() == noise);
    // A limit bounds what is open at a time, not the file.
    let incoming = sound::incoming(&as_read(&whole, &options)).unwrap().unwrap();
    let stream = as_read(&whole, &options);
    let small = incoming.restore(&stream[incoming.start..], std::io::sink(), 20_000, false, &());
    assert!(small.is_ok(), "{small:?}");
    assert!(incoming.restore(&stream[incoming.start..], std::io::sink(), 10_000, false, &()).is_err());
}

#[test]
fn a_damaged_segment_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let file = recording(4);
    fs::write(at.join("a.wav"), &file).unwrap();
    expect(at, &["compress", "-q", "--segment", "1", "a.wav"], 0);
    let stream = fs::read(at.join("a.wav.srp")).unwrap();
    let opened = container::open(&stream).unwrap();
    assert_eq!(opened.header.chunks.len(), 5, "a recipe and four segments");
    let start = opened.overhead + opened.header.chunks[..2].iter().map(|c| c.coded as usize).sum::<usize>();
    let mut damaged = stream.clone();
    damaged[start + 700] ^= 4;
    fs::write(at.join("b.wav.srp"), &damaged).unwrap();
    assert!(stderr(&expect(at, &["decompress", "b.wav.srp"], 1)).contains("chunk 2 of 5"));
    assert!(!at.join("b.wav").exists());
    let said = stderr(&expect(at, &["decompress", "--keep-going", "b.wav.srp"], 1));
    assert!(said.contains("frames 4000 to 8000 (0:01.000 to 0:02.000)") && said.contains("b.partial.wav"), "{said}");
    let silent = |from: usize, to: usize| {
        let mut rest = file.clone();
        rest[44 + from * 4..44 + to * 4].fill(0);
        rest
    };
    assert!(fs::read(at.join("b.partial.wav")).unwrap() == silent(4000, 8000));
    // A stream that was cut short lost its end.
    let (back, done) = restored(&stream[..start + 20], true);
    assert_eq!(done.missing, [sound::Missing::Frames(4000..16000, 4000)]);
    assert!(back == silent(4000, 16000));
    // Without its header, a plain one is made.
    let mut damaged = stream.clone();
    damaged[opened.overhead] ^= 1;
    let (back, done) = restored(&damaged, true);
    assert_eq!(done.missing[0], sound::Missing::Header);
    assert!(back[44..] == file[44..file.len() - 12]);
}

#[test]
fn flac_files_come_back_and_what_is_damaged_is_silent() {
    let file = include_bytes!("../data/sounds/tagged.flac");
    let done = compress_file(file, &Models::new(&[], Kernel::best()), &options(), &()).unwrap();
    assert_eq!((done.summary.medium, done.summary.exact), (Some("FLAC"), true));
    let (back, said) = restored(&done.bytes, false);
    assert!(back == file && said.missing.is_empty());
    let mut damaged = done.bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let (partial, said) = restored(&damaged, true);
    assert!(!said.missing.is_empty() && partial[..100] == file[..100]);
}

#[test]
fn raw_samples_and_those_of_flac_files_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let raw: Vec<u8> = tone(9001, 3000.0).iter().flat_map(|s| (*s as i16).to_be_bytes()).collect();
    fs::write(at.join("a.raw"), &raw[..raw.len() - 1]).unwrap();
    let said = lines(at, &["compress", "--json", "--raw", "8000,2,s16be", "a.raw"]);
    assert_eq!(said[0]["medium"], "raw sound");
    expect(at, &["decompress", "a.raw.srp", "-o", "back"], 0);
    assert!(fs::read(at.join("back")).unwrap() == raw[..raw.len() - 1]);
    assert!(stderr(&expect(at, &["measure", "--raw", "8000,2,s17", "a.raw"], 2)).contains("s16le"));
    // Eight frames of 8 bits, 0 but the last, which is -5, without an MD5: a header, and one block with the samples as they are.
    let mut flac = b"fLaC\x80\0\0\x22\0\x10\0\x10\0\0\0\0\0\0\x01\xf4\0\x70\0\0\0\x08".to_vec();
    flac.extend([0; 16]);
    flac.extend([0xff, 0xf8, 0x60, 0x02, 0x00, 7, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xfb]);
    let frame = flac.len() - 16;
    flac[frame + 6] = crc(&flac[frame..frame + 6], 8, 0x07) as u8;
    let check = crc(&flac[frame..], 16, 0x8005) as u16;
    flac.extend(check.to_be_bytes());
    fs::write(at.join("a.flac"), &flac).unwrap();
    let said = lines(at, &["compress", "--json", "--samples", "a.flac"]);
    assert_eq!((&said[0]["exact"], &said[0]["output"]), (&false.into(), &"a.wav.srp".into()));
    expect(at, &["decompress", "a.wav.srp"], 0);
    assert!(fs::read(at.join("a.wav")).unwrap() == wave(1, 8, vec![0, 0, 0, 0, 0, 0, 0, -5]));
}

/// A check value of so many bits, highest bit first.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let (top, mask) = (1 << (bits - 1), (1 << bits) - 1);
    bytes.iter().fold(0, |crc, byte| {
        let start = crc ^ u32::from(*byte) << (bits - 8);
        (0..8).fold(start, |c, _| if c & top != 0 { (c << 1 ^ polynomial) & mask } else { c << 1 & mask })
    })
}
