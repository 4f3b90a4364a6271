//! Fuzz targets over the container, the media and the whole codec, run here with deterministic inputs.
//!
//! Each target takes any bytes, so it also serves a coverage-guided fuzzer. `SURPRISAL_FUZZ` sets how many inputs each one
//! gets.

mod common;

use common::seeds::{files, models, mutate, streams};
use common::{Random, count};
use surprisal::codec::{self, Models, Options};
use surprisal::container;
use surprisal::media::{self, Limits, Medium, Outcome};

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
        if let Outcome::Split(split) = media::split(data, media::Options { pixels }, &limits) {
            let joined = media::join(split.medium, &split.recipe, &split.content, &limits).expect("it was joined once");
            assert!(!split.exact || joined == data, "not the same file");
        }
    }
}

/// A recipe from anywhere, with the content of a good file, is joined to something or refused.
fn join_target(medium: Medium, recipe: &[u8], content: &media::Content) {
    let limits = Limits { max_bytes: LIMIT };
    if let Ok(file) = media::join(medium, recipe, content, &limits) {
        assert!(file.len() as u64 <= LIMIT);
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

/// Damages a file as [`mutate`] does streams.
fn inputs(seed: u64, seeds: &[Vec<u8>], default: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random(seed);
    (0..count("SURPRISAL_FUZZ", default)).map(move |_| mutate(&mut random, seeds))
}

fn plain() -> Vec<Vec<u8>> {
    files().into_iter().map(|(_, file)| file).collect()
}

#[test]
fn fuzz_container() {
    let seeds = streams(&files());
    seeds.iter().for_each(|seed| container_target(seed));
    inputs(1, &seeds, 20_000).for_each(|data| container_target(&data));
}

#[test]
fn fuzz_split() {
    inputs(2, &plain(), 1000).for_each(|data| split_target(&data));
}

#[test]
fn fuzz_join() {
    let limits = Limits { max_bytes: LIMIT };
    let mut random = Random(3);
    for file in plain() {
        let Outcome::Split(split) = media::split(&file, media::Options::default(), &limits) else { continue };
        for _ in 0..count("SURPRISAL_FUZZ", 200) {
            let recipe = mutate(&mut random, std::slice::from_ref(&split.recipe));
            for format in media::FORMATS {
                join_target(format.medium, &recipe, &split.content);
            }
        }
    }
}

#[test]
fn fuzz_decoder() {
    let (seeds, models) = (streams(&files()), models());
    inputs(4, &seeds, 300).for_each(|data| decoder_target(&data, &models));
}

#[test]
fn fuzz_codec() {
    let models = models();
    inputs(5, &plain(), 100).for_each(|data| codec_target(&data, &models));
}
