//! Streams that were written once: the good ones must decode to the same files for ever, the bad ones must be refused by
//! name.
//!
//! `tests/data/golden/release-1.0` has streams, and `HASHES` the BLAKE3 of the file of each; `tests/data/golden/bad` has streams
//! that are wrong in one way each, and `REFUSALS` the exit code and words of the error. `SURPRISAL_BLESS=1 cargo test --test it
//! golden::` makes the bad ones again, and the good ones of a version that has none yet: those that are there stay.

use crate::common::seeds::{files, models, streams};
use crate::common::{expect, stderr};
use std::fs;
use std::path::PathBuf;
use surprisal::adapt::delta;
use surprisal::codec::sets::{self, Labels};
use surprisal::codec::{DEFAULT_LIMIT, Effort, Models, Options, compress, decompress};
use surprisal::container::{self, Coding, Header, Role, VERSION};
use surprisal::engine::Kernel;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(name)
}

fn blessing() -> bool {
    std::env::var_os("SURPRISAL_BLESS").is_some_and(|v| v == "1")
}

/// The folder of the good streams of the version that this program writes.
fn release() -> String {
    format!("release-{}.{}", VERSION[0], VERSION[1])
}

/// The words of a line of a table.
fn table(path: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder(path)).expect("the table of golden streams");
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Empties a folder of golden streams and writes these and their table.
fn bless(name: &str, table: &str, streams: &[(String, Vec<u8>, String)]) {
    let at = folder(name);
    let _ = fs::remove_dir_all(&at);
    fs::create_dir_all(&at).expect("a folder");
    for (name, bytes, _) in streams {
        fs::write(at.join(name), bytes).expect("written");
    }
    let lines: String = streams.iter().map(|(name, _, what)| format!("{name}\t{what}\n")).collect();
    fs::write(at.join(table), lines).expect("written");
}

#[test]
fn good_streams() {
    if blessing() && !folder(&release()).exists() {
        let files = files();
        let line = |name: String, file: &[u8], stream| (format!("{name}.srp"), stream, blake3::hash(file).to_string());
        let mut made: Vec<_> = files
            .iter()
            .zip(streams(&files))
            .map(|((name, file), stream)| line(name.to_string(), file, stream))
            .collect();
        // A photograph at every level that is not like the default one.
        let (name, photo) = files.iter().find(|(name, _)| *name == "photo.ppm").expect("a photograph");
        let others = Effort::points().into_iter().map(|(first, _)| first);
        for effort in others.filter(|effort| effort.level() != Effort::default().level()) {
            let options = Options { level: effort.level(), ..Options::default() };
            let stream = compress(photo, &models(), &options, &()).expect("compressed").bytes;
            made.push(line(format!("{name}.e{effort}"), photo, stream));
        }
        // A recording by the other profiles.
        let (name, sound) = files.iter().find(|(name, _)| *name == "sound.wav").expect("a recording");
        for effort in [Effort::MIN, Effort::MAX] {
            let options = Options { level: effort.level(), ..Options::default() };
            let stream = compress(sound, &models(), &options, &()).expect("compressed").bytes;
            made.push(line(format!("{name}.e{effort}"), sound, stream));
        }
        let at = |path: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
        for (model, path, name) in [
            ("models/mnist-made.srm", "corpora/digits/digits.idx.gz", "digits.idx.gz"),
            ("models/digits-wavenet.srm", "corpora/speech/seven.wav", "seven.wav"),
        ] {
            let named = Models::new(&[at(model).display().to_string()], Kernel::best());
            let network = named.for_sets().expect("a model").expect("for sets");
            let file = fs::read(at(path)).expect("a set");
            let set = sets::compress(&file, &network, Labels::Unknown, &Options::default(), &()).expect("compressed");
            made.push(line(name.to_owned(), &file, set.bytes));
        }
        bless(&release(), "HASHES", &made);
    }
    let models = models();
    // Those of every release and revision, this one's among them.
    let all = fs::read_dir(folder("")).expect("the golden streams").map(|e| e.expect("an entry").file_name());
    let releases: Vec<String> =
        all.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("release-")).collect();
    assert!(releases.contains(&release()), "{releases:?}");
    for (at, row) in releases.iter().flat_map(|at| table(&format!("{at}/HASHES")).into_iter().map(move |row| (at, row)))
    {
        let [name, hash] = &row[..] else { panic!("not a name and a hash: {row:?}") };
        let stream = fs::read(folder(at).join(name)).expect("a golden stream");
        let file = decompress(&stream, &models, DEFAULT_LIMIT, &()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(blake3::hash(&file).to_string(), *hash, "{name} decodes to another file");
    }
}

/// Between them, the good streams use every coding, content and medium.
#[test]
fn good_streams_use_everything() {
    use std::collections::BTreeSet;
    use surprisal::container::Content;
    let mut seen = BTreeSet::new();
    for row in table(&format!("{}/HASHES", release())) {
        let stream = fs::read(folder(&release()).join(&row[0])).expect("a golden stream");
        let header = container::open(&stream).expect("good").header;
        let kind = match header.content {
            Content::Bytes(_) => "bytes",
            Content::Bands { .. } => "bands",
            Content::Rows { .. } => "rows",
            Content::Set { .. } => "set",
            Content::Sound { .. } => "sound",
            Content::Planes { .. } => "planes",
            Content::Alpha { .. } => "alpha",
            Content::Raster { channels: 0, .. } => "bits",
            Content::Raster { .. } => "deep",
        };
        for chunk in &header.chunks {
            let role = match chunk.role {
                Role::Recipe => "recipe",
                Role::Adaptation => "adaptation",
                Role::Beside => "beside",
                Role::Content => kind,
            };
            seen.insert(format!("{role} {}", chunk.coding.name()));
        }
        seen.extend(header.medium.map(|m| format!("medium {}", m.id)));
        seen.extend(header.parts.iter().map(|p| format!("part {}", p.name)));
        assert_eq!(header.chunks.iter().any(|c| c.coding == Coding::Network), header.model.is_some());
    }
    for what in [
        "bands network",
        "bands bytes",
        "rows bytes",
        "bytes bytes",
        "bytes stored",
        "recipe bytes",
        "recipe stored",
        "adaptation stored",
        "medium 1",
        "medium 2",
        "medium 3",
        "medium 4",
        "medium 5",
        "medium 6",
        "medium 7",
        "medium 9",
        "medium 10",
        "part flac",
        "sound samples",
        "planes network",
        "beside stored",
        "alpha network",
        "beside bytes",
        "bits samples",
        "deep samples",
        "part bilevel",
        "part deep",
        "part audio",
        "set network",
        "part adjust",
        "part bytes",
        "part linear",
    ] {
        assert!(seen.contains(what), "no golden stream has {what}: {seen:?}");
    }
}

/// A stream like this one with another header.
fn with_header(stream: &[u8], change: impl Fn(&mut Header)) -> Vec<u8> {
    let opened = container::open(stream).expect("a good stream");
    let mut header = opened.header.clone();
    change(&mut header);
    container::assemble(&header, opened.chunks.iter().copied())
}

/// A stream with a byte changed, and its header's check value made right again.
fn with_byte(stream: &[u8], place: usize, change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut stream = stream.to_vec();
    stream[place] = change(stream[place]);
    container::reseal(&mut stream);
    stream
}

/// Name, bytes, exit code and words of each bad stream.
fn bad() -> Vec<(&'static str, Vec<u8>, i32, String)> {
    let files = files();
    let streams = streams(&files);
    let stream = |name: &str| &streams[files.iter().position(|(n, _)| *n == name).expect("a seed")];
    let (text, photo, png) = (stream("text"), stream("photo.ppm"), stream("photo.png"));
    let adapted = stream("adapted.ppm");
    let (planes, alpha, deep) = (stream("lattice.ppm"), stream("alpha.png"), stream("deep.pgm"));
    let opened = container::open(adapted).expect("good");
    let (number, _) = opened.header.adaptation().expect("an adaptation");
    let at = opened.overhead + opened.header.chunks[..number].iter().map(|c| c.coded as usize).sum::<usize>();
    let network = models().for_pictures(3, Effort::default().level()).expect("a model").expect("a model for colour");
    let mut moves = delta::decode(network.program(), &[]).expect("no moves");
    (moves[0].unit, moves[0].steps[0]) = (delta::UNITS.1, delta::MAX_STEPS);
    let beyond = delta::encode(&moves);
    let reads = format!("this program reads {}.{}", VERSION[0], VERSION[1]);
    let flags = container::MAGIC.len() + VERSION.len() + 1;
    let model = container::open(photo).expect("good").header.model.expect("a network");
    let place = photo.windows(16).position(|w| w == model).expect("the model's id");
    vec![
        (
            "format-0.9",
            with_byte(&with_byte(text, 4, |_| 0), 5, |_| 9),
            2,
            format!("written in stream format 0.9, and {reads}"),
        ),
        ("format-1.200", with_byte(text, 5, |_| 200), 2, format!("written in stream format 1.200, and {reads}")),
        ("format-7.0", with_byte(text, 4, |_| 7), 2, format!("written in stream format 7.0, and {reads}")),
        ("magic", with_byte(text, 0, |b| b ^ 1), 2, "not a surprisal stream".into()),
        ("cut-header", text[..20].to_vec(), 1, "cut short".into()),
        ("cut-chunk", text[..text.len() - 3].to_vec(), 1, "cut short: 3 bytes are missing".into()),
        ("trailing", [&text[..], b"\0"].concat(), 1, "1 bytes follow the end".into()),
        (
            "header",
            {
                let mut s = text.clone();
                s[flags + 4] ^= 1;
                s
            },
            1,
            "the header is damaged".into(),
        ),
        ("reserved-bit", with_byte(text, flags, |b| b | 0x80), 1, "a reserved bit is set".into()),
        (
            "chunk",
            {
                let mut s = text.clone();
                let at = s.len() - 40;
                s[at] ^= 1;
                s
            },
            1,
            "chunk 0 of 1 is damaged".into(),
        ),
        (
            "adaptation",
            {
                let mut s = adapted.clone();
                s[at + 9] ^= 1;
                s
            },
            1,
            "is damaged (its checksum does not match)".into(),
        ),
        (
            "overflow",
            {
                let mut header = opened.header.clone();
                let length = beyond.len() as u64;
                let entry = &mut header.chunks[number];
                (entry.coded, entry.decoded, entry.crc) = (length, length, crc32fast::hash(&beyond));
                let mut chunks = opened.chunks.clone();
                chunks[number] = &beyond;
                container::assemble(&header, chunks)
            },
            1,
            "the adaptation does not fit the model".into(),
        ),
        (
            "adaptations",
            with_header(adapted, |h| h.chunks[number + 1].role = Role::Adaptation),
            1,
            "stands behind the content".into(),
        ),
        (
            "coded-adaptation",
            with_header(adapted, |h| {
                (h.chunks[number].coding, h.chunks[number].decoded) = (Coding::Bytes, 1);
            }),
            1,
            "an adaptation is coded".into(),
        ),
        (
            "transform",
            with_header(planes, |h| {
                h.content = container::Content::Planes { width: 40, height: 80, transform: 9 };
            }),
            1,
            "the shape of a picture".into(),
        ),
        (
            "beside",
            with_header(alpha, |h| {
                h.content = container::Content::Bands { width: 40, height: 80, channels: 3 };
            }),
            1,
            "what is beside the content is not what belongs there".into(),
        ),
        (
            "no-predictor",
            with_header(deep, |h| h.parts.retain(|part| part.name != "deep")),
            1,
            "samples are predicted and the part is not named".into(),
        ),
        (
            "raster",
            with_header(deep, |h| {
                h.content = container::Content::Raster { width: 30, height: 40, channels: 1 };
            }),
            1,
            "is damaged".into(),
        ),
        ("checksum", with_header(text, |h| h.checksum[3] ^= 1), 1, "the restored file is not the original".into()),
        ("length", with_header(text, |h| h.length += 1), 1, "the chunks do not make up the file".into()),
        ("no-part", with_header(text, |h| h.parts.clear()), 1, "the byte model is used and not named".into()),
        (
            "part",
            with_header(text, |h| h.parts[0].version = "999".into()),
            2,
            "needs bytes 999, and this program has".into(),
        ),
        (
            "medium",
            with_header(png, |h| h.medium = h.medium.map(|m| container::Medium { id: 77, ..m })),
            2,
            "medium 77 version 1, which this program does not know".into(),
        ),
        ("model", with_byte(photo, place, |b| b ^ 0xff), 2, "which is in none of: the binary".into()),
        (
            "shape",
            with_header(photo, |h| {
                h.content = container::Content::Bands { width: 80, height: 40, channels: 3 };
            }),
            1,
            "the chunks are not the picture's bands".into(),
        ),
        (
            "huge",
            with_header(text, |h| (h.chunks[0].decoded, h.length) = (1 << 45, 1 << 45)),
            1,
            "a segment is longer than segments are".into(),
        ),
        ("huge-file", with_header(png, |h| h.length = 1 << 45), 2, "over the limit of 2147483648".into()),
    ]
}

#[test]
fn bad_streams() {
    if blessing() {
        let line = |(name, bytes, code, words): (&str, Vec<u8>, i32, String)| {
            (format!("{name}.srp"), bytes, format!("{code}\t{words}"))
        };
        bless("bad", "REFUSALS", &bad().into_iter().map(line).collect::<Vec<_>>());
    }
    let table = table("bad/REFUSALS");
    assert!(table.len() >= 23);
    for row in table {
        let [name, code, words] = &row[..] else { panic!("not a name, a code and words: {row:?}") };
        let output = expect(&folder("bad"), &["test", name], code.parse().expect("a code"));
        assert!(stderr(&output).contains(words.as_str()), "{name}: {}", stderr(&output));
    }
}

/// A Python with numpy: `$PYTHON`, the usual one, or that of tests/libtorch.sh.
fn python() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".venv-torch/bin/python");
    let candidates = std::env::var_os("PYTHON").map(PathBuf::from).into_iter().chain(["python3".into(), here]);
    let has_numpy = |python: &PathBuf| {
        let output = std::process::Command::new(python).args(["-c", "import numpy"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    candidates.into_iter().find(has_numpy)
}

/// The decoder in `tests/decoder` shares nothing with this program but the page that describes the format.
#[test]
fn a_second_decoder_agrees() {
    let Some(python) = python() else {
        println!("skipped: there is no python3 with numpy (tests/libtorch.sh fetches one)");
        return;
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let decode = |stream: &std::path::Path| {
        let mut command = std::process::Command::new(&python);
        command.arg("-B").arg(root.join("tests/decoder/decode.py")).arg(stream);
        command.args(["fast", "photo"].map(|name| root.join(format!("models/{name}.srm")))).output().expect("it runs")
    };
    let folder = tempfile::tempdir().expect("a folder");
    let models = models();
    for name in ["empty.srp", "stored.srp", "photo.ppm.e1.srp", "adapted.ppm.srp"] {
        let at = self::folder(&release()).join(name);
        let output = decode(&at);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        let stream = fs::read(&at).expect("a golden stream");
        assert!(output.stdout == decompress(&stream, &models, DEFAULT_LIMIT, &()).expect("decoded"), "{name}");
        let mut damaged = stream;
        *damaged.last_mut().expect("bytes") ^= 4;
        let at = folder.path().join(name);
        fs::write(&at, damaged).expect("written");
        // The larger ones take a while.
        assert!(name.len() > 12 || !decode(&at).status.success(), "{name}, damaged, is taken");
    }
}

/// An archive that was written once, and some that are refused by name.
#[test]
fn archives() {
    use surprisal::container::archive::{Entry, Kind, head, tail};
    if blessing() {
        let streams = ["text.srp", "stored.srp"].map(|name| fs::read(folder(&release()).join(name)).expect("a stream"));
        let lengths = [3000, 300];
        let file = |i: usize, name: &str| {
            let kind = Kind::File { coded: streams[i].len() as u64, length: lengths[i] };
            Entry { name: name.into(), kind, mode: 0o640, time: (1_700_000_000 - 7 * i as i64, 5) }
        };
        let d = Entry { kind: Kind::Folder, mode: 0o755, ..file(0, "d") };
        let archive = |entries: &[Entry]| [&head()[..], &streams.concat(), &tail(entries)].concat();
        let good = archive(&[file(0, "a.txt"), d.clone(), file(1, "d/b")]);
        let mut version = good.clone();
        version[5] = 200;
        let (mut index, end) = (good.clone(), good.len() - 20);
        index[end] ^= 1;
        let row = |name: &str, bytes, refusal: &str| (name.to_owned(), bytes, refusal.to_owned());
        bless(
            "archive",
            "REFUSALS",
            &[
                row("good.srp", good.clone(), "0\t"),
                row("climbs.srp", archive(&[file(0, "../a.txt"), file(1, "d/b")]), "1\tclimbs out of its folder"),
                row("absolute.srp", archive(&[file(0, "/etc/a"), file(1, "d/b")]), "1\tis absolute"),
                row("twice.srp", archive(&[file(0, "d"), file(1, "d")]), "1\tis there twice or out of order"),
                row("in-a-file.srp", archive(&[file(0, "d"), file(1, "d/b")]), "1\tlies in a file"),
                row("lengths.srp", archive(&[file(0, "a.txt"), d]), "1\tdoes not fit its streams"),
                row("version.srp", version, "2\tan archive of format 1.200"),
                row("index.srp", index, "1\tindex of the archive is damaged"),
                row("cut.srp", good[..good.len() - 1].to_vec(), "1\tits index is not at its end"),
            ],
        );
    }
    let out = tempfile::tempdir().expect("a folder");
    for row in table("archive/REFUSALS") {
        let (name, code, words) = (&row[0], row[1].parse().expect("an exit code"), &row[2]);
        let path = folder("archive").join(name).display().to_string();
        for command in ["info", "test"] {
            let output = expect(out.path(), &[command, &path], code);
            assert!(stderr(&output).contains(words.as_str()), "{name}: {}", stderr(&output));
        }
        expect(out.path(), &["decompress", "-q", &path, "-o", name], code);
        if code == 0 {
            for (restored, stream) in [("a.txt", "text.srp"), ("d/b", "stored.srp")] {
                let stream = fs::read(folder(&release()).join(stream)).expect("a golden stream");
                let file = decompress(&stream, &models(), DEFAULT_LIMIT, &()).expect("decoded");
                assert!(fs::read(out.path().join(name).join(restored)).expect("restored") == file);
            }
        } else {
            assert!(!out.path().join(name).exists(), "{name} made something");
        }
    }
}
