//! Drawings of the oddest examples, kept while files are scored.
//!
//! What must stay true: what is kept is bounded, and does not depend on the order in which examples come.

use base64::prelude::{BASE64_STANDARD, Engine};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use surprisal::media::image::{Picture, png};
use surprisal::score::draw::{Drawing, Letters, draw, reduced};
use surprisal::score::{Example, Region};

/// Longer side of a small picture, and of one that is looked at.
const SMALL: usize = 64;
const LARGE: usize = 256;

/// A drawing as a page holds it.
pub enum Drawn {
    /// PNG files in base 64: small and plain, and large with colours.
    Pictures([String; 2]),
    /// Letters with colours.
    Letters(Letters),
}

impl Drawn {
    /// Characters that it takes in a page.
    pub fn size(&self) -> usize {
        match self {
            Self::Pictures(pictures) => pictures.iter().map(String::len).sum(),
            Self::Letters(letters) => letters.runs.iter().map(|(text, _)| 2 * text.len() + 8).sum(),
        }
    }
}

/// Where an example stands: the oddest first, then by number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place(f64, (usize, usize));

impl Eq for Place {}
impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
    }
}

#[derive(Default)]
struct Kept {
    drawings: BTreeMap<Place, Drawn>,
    size: usize,
    /// Those that come behind this did not fit in.
    last: Option<Place>,
}

/// Keeps drawings of the oddest examples, of `most` characters in all.
pub struct Gallery {
    most: usize,
    kept: Mutex<Kept>,
}

impl Gallery {
    /// An empty one.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Draws an example if it is odd enough.
    pub fn offer(&self, number: (usize, usize), score: f64, example: &Example, strangest: Option<Region>) {
        let place = Place(score, number);
        let wanted = |kept: &Kept| kept.last.is_none_or(|last| place < last);
        if !wanted(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let Some(drawn) = drawn(example, strangest) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted(&kept) {
            return;
        }
        kept.size += drawn.size();
        kept.drawings.insert(place, drawn);
        while kept.size > self.most {
            let Some((place, drawn)) = kept.drawings.pop_last() else { break };
            kept.size -= drawn.size();
            kept.last = Some(place);
        }
    }

    /// What was kept, by number, and whether that is all.
    pub fn finish(self) -> (BTreeMap<(usize, usize), Drawn>, bool) {
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        (kept.drawings.into_iter().map(|(place, drawn)| (place.1, drawn)).collect(), kept.last.is_none())
    }
}

fn drawn(example: &Example, strangest: Option<Region>) -> Option<Drawn> {
    Some(match draw(example, strangest)? {
        Drawing::Letters(letters) => Drawn::Letters(letters),
        Drawing::Picture { plain, heat } => {
            let page =
                |picture: &Picture, most| Some(BASE64_STANDARD.encode(png::encode(&reduced(picture, most)).ok()?));
            Drawn::Pictures([page(&plain, SMALL)?, page(&heat, LARGE)?])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal::score::Kind;

    #[test]
    fn the_oddest_are_kept_whatever_the_order() {
        let symbols: Vec<Vec<u16>> = (0..20).map(|i| (0..64).map(|j| (i * j * 37) % 256).collect()).collect();
        let scores = vec![Default::default(); 64];
        let kept = |order: &mut dyn Iterator<Item = usize>| {
            let gallery = Gallery::new(2500);
            for i in order {
                let kind = Kind::Picture;
                let symbols = &symbols[i];
                let example = Example::new(kind, [8, 8, 1], 256, symbols, &scores);
                gallery.offer((i, 0), (i % 7) as f64, &example, None);
            }
            let (kept, all) = gallery.finish();
            assert!(!all && kept.values().map(Drawn::size).sum::<usize>() <= 2500);
            kept.into_keys().collect::<Vec<_>>()
        };
        let forwards = kept(&mut (0..20));
        assert_eq!(forwards, kept(&mut (0..20).rev()));
        assert!(forwards.contains(&(6, 0)) && forwards.contains(&(13, 0)), "{forwards:?}");
    }
}
