//! Texts: training sees windows anywhere in them, but for their last tenths.
//!
//! What must stay true: a character that occurs in no part that is trained on is the escape symbol.

use super::files::Content;
use super::{ExamplesError, short};
use crate::media::set;
use crate::spec::Domain;
use crate::train::data::Random;
use crate::train::grid::Batch;

/// The last part of each text that is held out: one in so many bytes.
const HELD_OUT: usize = 10;
/// Bytes that are coded in a row: a segment begins without knowing what came before.
pub const SEGMENT: u32 = 8192;

/// Texts as symbols.
#[derive(Debug)]
pub struct Text {
    /// What is trained on, a list a file.
    train: Vec<Vec<u16>>,
    held_out: Vec<Vec<u16>>,
    characters: Vec<u8>,
    window: usize,
    fingerprint: [u8; 16],
}

impl Text {
    pub fn new(files: &[Content], window: u32) -> Result<Self, ExamplesError> {
        let mut hasher = blake3::Hasher::new();
        let (mut train, mut held_out): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        for Content { bytes, .. } in files {
            hasher.update(blake3::hash(bytes).as_bytes());
            let (first, last) = bytes.split_at(bytes.len() - bytes.len() / HELD_OUT);
            train.push(first);
            held_out.push(last);
        }
        let longest = train.iter().map(|t| t.len()).max().unwrap_or(0);
        let window = longest.min(window as usize);
        if window < 2 {
            return Err(ExamplesError::unfit(&files[0].path, "the text is too short to train on"));
        }
        let Domain::Text { characters, .. } = set::text_of(train.iter().copied(), SEGMENT) else {
            unreachable!("text_of speaks of texts");
        };
        let symbol = |b: &u8| characters.binary_search(b).unwrap_or(characters.len()) as u16;
        let symbols = |texts: &[&[u8]]| texts.iter().map(|t| t.iter().map(symbol).collect()).collect();
        let fingerprint = short(&hasher);
        Ok(Self { train: symbols(&train), held_out: symbols(&held_out), characters, window, fingerprint })
    }

    pub fn domain(&self) -> Domain {
        Domain::Text { characters: self.characters.clone(), segment: SEGMENT }
    }
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }
    /// Places where a window can begin.
    fn places(&self) -> impl Iterator<Item = usize> {
        self.train.iter().map(|t| (t.len() + 1).saturating_sub(self.window))
    }
    pub fn windows(&self) -> u64 {
        self.train.iter().map(|t| (t.len() / self.window) as u64).sum()
    }
    pub fn words(&self) -> [String; 3] {
        let of = |texts: &[Vec<u16>]| format!("{} characters", texts.iter().map(Vec::len).sum::<usize>());
        [of(&self.train), of(&self.held_out), format!("windows of {} characters", self.window)]
    }

    pub fn sample(&self, n: usize, seed: u64, step: u64) -> Batch {
        let mut random = Random::new(&[seed, step, 4]);
        let total: usize = self.places().sum();
        let place = || {
            let mut at = random.below(total as u64) as usize;
            for (text, places) in self.train.iter().zip(self.places()) {
                match at.checked_sub(places) {
                    None => return &text[at..at + self.window],
                    Some(rest) => at = rest,
                }
            }
            unreachable!("it is below the sum")
        };
        batch(std::iter::repeat_with(place).take(n))
    }

    /// Whole segments, begun without what came before, as they are coded.
    pub fn held_out(&self, most: usize) -> Batch {
        batch(segments(&self.held_out).into_iter().take(most))
    }

    pub fn spread(&self, most: usize) -> Batch {
        let all = segments(&self.train);
        let count = all.len().min(most);
        batch((0..count).map(|i| all[i * all.len() / count]))
    }
}

/// Segments, or pieces of the longest text's length if all are shorter.
fn segments(texts: &[Vec<u16>]) -> Vec<&[u16]> {
    let length = texts.iter().map(Vec::len).max().unwrap_or(0).min(SEGMENT as usize);
    texts.iter().flat_map(|t| t.chunks_exact(length.max(1))).collect()
}

fn batch<'a>(texts: impl Iterator<Item = &'a [u16]>) -> Batch {
    let mut batch = Batch { count: 0, symbols: Vec::new(), classes: Vec::new() };
    for text in texts {
        batch.symbols.extend_from_slice(text);
        batch.count += 1;
    }
    batch
}
