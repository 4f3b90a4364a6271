//! Fuzz targets over the container, the media and the whole codec, run here with deterministic inputs.
//!
//! Each target takes any bytes, so it also serves a coverage-guided fuzzer. `SURPRISAL_FUZZ` sets how many inputs each one
//! gets. None may take longer than ten seconds, twice.

use crate::common::seeds::{files, models, mutate, sound, streams};
use crate::common::{PATIENCE, Random, count, hangs};
use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use surprisal::codec::adaptive::Adaptive;
use surprisal::codec::{self, Models, Options};
use surprisal::container;
use surprisal::container::archive::{self, Entry, Kind};
use surprisal::media::image::png;
use surprisal::media::{self, Limits, Medium, Outcome};
use surprisal::score::statistics::STATISTICS;
use surprisal::score::{Calibration, Collection, Contents, Method, Model, Summary};

const LIMIT: u64 = 1 << 20;

/// A header that is read is written to the same bytes.
fn container_target(data: &[u8]) {
    if let Ok(opened) = container::open(data) {
        let again = container::assemble(&opened.header, opened.chunks.iter().copied());
        assert!(again == data, "a stream has one form only");
    }
}

/// A file that is split is joined to the same bytes, and never to more than the limit.
fn split_target(data: &[u8]) {
    for pixels in [false, true] {
        let limits = Limits { max_bytes: LIMIT };
        if let Outcome::Split(split) =
            media::split(data, media::Options { pixels, ..media::Options::default() }, &limits)
        {
            let joined = media::join(split.medium, &split.recipe, &split.content, &limits).expect("it was joined once");
            assert!(!split.exact || joined == data, "not the same file");
        }
    }
    // As large files are looked through; the recipe makes the same file of the samples.
    let Ok(scan) = png::scan(data, |_| ()) else { return };
    let (mut samples, size) = (Vec::new(), png::size(data).expect("it was looked through"));
    png::Samples::new(data).expect("it was looked through").read_to_end(&mut samples).expect("the same again");
    let (mut file, limits) = (Vec::new(), Limits { max_bytes: u64::MAX });
    let mut keep = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    let pieces = samples.chunks(1000).map(<[u8]>::to_vec);
    let shape = (size.width, size.height, size.channels.expect("it was looked through"));
    png::join_pieces(&scan.recipe, shape, &limits, pieces, &mut keep).expect("its own recipe");
    assert!(file == data, "not the same file, row by row");
}

/// A recipe from anywhere, with the content of a good file, is joined to something or refused.
fn join_target(medium: Medium, recipe: &[u8], content: &media::Content) {
    let limits = Limits { max_bytes: LIMIT };
    if let Ok(file) = media::join(medium, recipe, content, &limits) {
        assert!(file.len() as u64 <= LIMIT);
    }
    if let (Medium::Png, media::Content::Picture(picture)) = (medium, content) {
        let shape = (picture.width, picture.height, picture.channels);
        let pieces = picture.samples.chunks(1000).map(<[u8]>::to_vec);
        let _ = png::join_pieces(recipe, shape, &limits, pieces, &mut |_| ControlFlow::Continue(()));
    }
}

/// A stream is decoded to the file that its header names, or refused.
fn decoder_target(data: &[u8], models: &Models) {
    if let Ok(file) = codec::decompress(data, models, LIMIT, &()) {
        let header = container::open(data).expect("it was opened once").header;
        assert!(header.length == file.len() as u64 && header.checksum == container::checksum(&file));
    }
    let _ = codec::inspect(data, models);
}

/// Any file is compressed, comes back, and grows by at most 64 bytes.
fn codec_target(data: &[u8], models: &Models) {
    let options = Options { verify: false, ..Options::default() };
    let done = codec::compress(data, models, &options, &()).expect("every file can be compressed");
    assert!(done.bytes.len() <= data.len() + 64);
    assert!(codec::decompress(&done.bytes, models, LIMIT, &()).expect("it comes back") == data);
}

/// An index is read as it is written; no name in it leads out.
fn archive_target(data: &[u8]) {
    let Some(tail) = data.last_chunk() else { return };
    let Ok((place, check)) = archive::locate(data, tail, data.len() as u64) else { return };
    let index = &data[place.start as usize..place.end as usize];
    let Ok(entries) = archive::entries(index, check, place.start) else { return };
    for (entry, stream) in &entries {
        assert!(entry.fault().is_none() && stream.end <= place.start);
        let name = entry.shown();
        let mut parts = std::path::Path::new(&name).components();
        assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))), "{name}");
    }
    let again: Vec<Entry> = entries.into_iter().map(|(entry, _)| entry).collect();
    assert!(archive::tail(&again) == data[place.start as usize..], "an index has one form only");
}

/// A calibration is refused, or judges whatever it is asked to.
fn calibration_target(data: &[u8], asked: &[Summary]) {
    let Ok(collection) = Collection::from_bytes(data) else { return };
    for (calibration, summary) in collection.iter().flat_map(|c| asked.iter().map(move |s| (c, s))) {
        let p = calibration.judge(summary).p_value;
        assert!(p > 0.0 && p <= 1.0, "p = {p}");
    }
}

/// Calls a target with inputs; one that makes it panic or takes too long is kept in the folder for temporary files.
fn all(name: &str, inputs: impl Iterator<Item = Vec<u8>>, target: impl Fn(&[u8])) {
    let (mut done, start) = (0, Instant::now());
    for (i, data) in inputs.enumerate() {
        let result = catch_unwind(AssertUnwindSafe(|| hangs(|| target(&data))));
        if !matches!(result, Ok(false)) {
            let kept = std::env::temp_dir().join(format!("hostile-{name}-{i}"));
            let _ = std::fs::write(&kept, &data);
            panic!("{name}, input {i}: failed or took over {PATIENCE:?}; kept as {}", kept.display());
        }
        done += 1;
    }
    println!("hostile: {done} {name} in {:?}", start.elapsed());
}

/// Damages a file as [`mutate`] does streams.
fn inputs(seed: u64, seeds: &[Vec<u8>], default: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random(seed);
    (0..count("SURPRISAL_FUZZ", default)).map(move |_| mutate(&mut random, seeds))
}

fn plain() -> Vec<Vec<u8>> {
    files().into_iter().map(|(_, file)| file).collect()
}

/// Pictures and sound of every kind that a writer may leave: depths, colours, interlaced, animated, with chunks.
fn written() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).expect("pictures").map(|e| e.expect("a picture").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "png"));
    let sounds = std::fs::read_dir(folder.with_file_name("sounds")).expect("sounds");
    paths.extend(sounds.map(|e| e.expect("a sound").path()));
    paths.sort();
    let sounds = [
        sound(60),
        // Chunks that a WAV file may have beside, and formats of other sizes.
        [
            &b"RIFF\x3c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0"[..],
            b"LIST\x04\0\0\0abcd",
            b"data\x08\0\0\0\x01\0\x02\0\x03\0\x04\0",
        ]
        .concat(),
    ];
    paths.iter().map(|path| std::fs::read(path).expect("read")).chain(sounds).collect()
}

#[test]
fn fuzz_container() {
    let seeds = streams(&files());
    seeds.iter().for_each(|seed| container_target(seed));
    all("headers", inputs(1, &seeds, 20_000), container_target);
}

#[test]
fn fuzz_split() {
    all("files", inputs(2, &plain(), 1000), split_target);
    all("files of known writers", inputs(8, &written(), 300), split_target);
}

#[test]
fn fuzz_join() {
    let limits = Limits { max_bytes: LIMIT };
    let splits: Vec<_> = plain()
        .into_iter()
        .filter_map(|file| match media::split(&file, media::Options::default(), &limits) {
            Outcome::Split(split) => Some(split),
            Outcome::Opaque { .. } => None,
        })
        .collect();
    for (i, split) in splits.iter().enumerate() {
        let count = count("SURPRISAL_FUZZ", 200 * splits.len()) / splits.len();
        let recipes = inputs(30 + i as u64, std::slice::from_ref(&split.recipe), count).take(count);
        all("recipes", recipes, |recipe| {
            media::FORMATS.iter().for_each(|format| join_target(format.medium, recipe, &split.content));
        });
    }
}

#[test]
fn fuzz_decoder() {
    let (seeds, models) = (streams(&files()), models());
    all("streams", inputs(4, &seeds, 300), |data| decoder_target(data, &models));
}

#[test]
fn fuzz_codec() {
    let (seeds, models) = (plain(), models());
    // Each takes as long as dozens of the others.
    let some = inputs(5, &seeds, 1000).step_by(10);
    all("files there and back", some, |data| codec_target(data, &models));
}

#[test]
fn fuzz_archives() {
    let stream = b"\xf5SRP".to_vec();
    let entry = |name: &str, kind| Entry { name: name.into(), kind, mode: 0o644, time: (-1, 999_999_999) };
    let file = |name: &str| entry(name, Kind::File { coded: 4, length: 300 });
    let all_of = |entries: &[Entry]| {
        let files = entries.iter().filter(|entry| entry.kind != Kind::Folder).count();
        [&archive::head()[..], &stream.repeat(files), &archive::tail(entries)].concat()
    };
    let seeds = [
        all_of(&[]),
        all_of(&[entry("d", Kind::Folder), file("d/a"), file("d/a.b"), file("e")]),
        all_of(&(10..60).map(|i| file(&format!("d/{i}"))).collect::<Vec<_>>()),
    ];
    seeds.iter().for_each(|seed| archive_target(seed));
    all("archives", inputs(6, &seeds, 5000), archive_target);
}

#[test]
fn fuzz_calibrations() {
    let mut random = Random(17);
    let statistics = STATISTICS.len();
    let mut summary = |i: u64, spread: usize| Summary {
        content: *blake3::hash(&i.to_le_bytes()).as_bytes(),
        group: *blake3::hash(&i.to_le_bytes()).as_bytes(),
        values: (0..statistics).map(|_| random.below(spread) as f64 / 1000.0).collect(),
        layer: (0..3).map(|_| random.below(spread) as f64 / 1000.0).collect(),
        peaks: Vec::new(),
    };
    let normal: Vec<Summary> = (0..60).map(|i| summary(i, 1000)).collect();
    let mut asked: Vec<Summary> = [1, 1000, 1 << 31].iter().map(|spread| summary(99, *spread)).collect();
    asked.push(Summary { values: vec![1e300; statistics], ..asked[0].clone() });
    let model = Model::Adaptive(Adaptive::Bytes);
    let calibration = Calibration::new(&model, &normal, Method::Split, &Contents::new()).expect("enough");
    let seed = Collection::new(vec![calibration]).to_bytes();
    calibration_target(&seed, &asked);
    all("calibrations", inputs(7, &[seed], 1000), |data| calibration_target(data, &asked));
}
