//! IDX files, perhaps gzipped, as one tall picture: what becomes of a set of pictures for which no model is named.
//!
//! What must stay true: header, samples and container come back byte for byte.
//!
//! Recipe, version 1: how the file is gzipped (`gzip`), then the header (length, bytes).

use super::gzip::{self, Wrapper, unzipped};
use super::idx::Idx;
use crate::media::image::{Picture, picture};
use crate::media::{Content, Format, Limits, MediaError, Medium, Options, Outcome, Sink, Split, checked, emit};
use crate::wire::{Reader, Writer};

/// The format's entry in the registry.
pub const FORMAT: Format = Format { medium: Medium::Idx, name: "IDX", version: 1, sniff, split, join };

fn sniff(file: &[u8]) -> bool {
    Idx::sniff(file) || gzip::peek(file).is_some_and(|start| Idx::sniff(&start))
}

/// Width, height and channels of all pictures below one another.
fn shape(dims: &[u32]) -> Option<(u32, u32, u8)> {
    let (rest, width, channels) = match dims {
        [rest @ .., width, 3] if rest.len() > 1 => (rest, *width, 3),
        [rest @ .., width] if !rest.is_empty() => (rest, *width, 1),
        _ => return None,
    };
    let height = rest.iter().try_fold(1u32, |all, side| all.checked_mul(*side))?;
    (width > 0 && height > 0).then_some((width, height, channels))
}

fn split(file: &[u8], _: Options, limits: &Limits) -> Outcome {
    let Ok(inner) = unzipped(file, limits) else { return Outcome::opaque() };
    let idx = match Idx::parse(&inner) {
        Ok(idx) => idx,
        Err(fault) => return Outcome::because(fault.to_string()),
    };
    let Some((width, height, channels)) = shape(&idx.dims) else { return Outcome::opaque() };
    let samples = idx.data.to_vec();
    let mut content = Content::Picture(Picture { width, height, channels, samples });
    for wrapper in gzip::wrappers(file, &inner) {
        let mut recipe = Writer::new();
        wrapper.write(&mut recipe);
        recipe.blob(&Idx::header(&idx.dims));
        let rebuilders = wrapper.rebuilder().into_iter().collect();
        let recipe = recipe.finish();
        match checked(file, Split { medium: Medium::Idx, content, recipe, rebuilders, exact: true, note: None }, limits)
        {
            Ok(split) => return Outcome::Split(Box::new(split)),
            Err(split) => content = split.content,
        }
    }
    Outcome::because("its deflate data cannot be made again for few bytes")
}

fn join(recipe: &[u8], content: &Content, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), MediaError> {
    let mut reader = Reader::new(recipe);
    let wrapper = Wrapper::read(&mut reader)?;
    let header = reader.blob()?;
    reader.end()?;
    let samples = &picture(content)?.samples;
    wrapper.join(limits, sink, |sink| {
        emit(sink, header)?;
        emit(sink, samples)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

    #[test]
    fn shapes_of_arrays() {
        assert_eq!(shape(&[5, 7, 9]), Some((9, 35, 1)));
        assert_eq!(shape(&[5, 7]), Some((7, 5, 1)));
        assert_eq!(shape(&[5, 7, 9, 3]), Some((9, 35, 3)));
        assert_eq!(shape(&[5, 3]), Some((3, 5, 1)));
        assert!(shape(&[5]).is_none() && shape(&[5, 0, 3]).is_none() && shape(&[1 << 31, 2, 4]).is_none());
    }

    #[test]
    fn files_come_back() {
        let data: Vec<u8> = (0..5 * 4 * 6).map(|i| (i * 7) as u8).collect();
        let plain = [&Idx::header(&[5, 4, 6])[..], &data].concat();
        let zipped = include_bytes!("../../../corpora/digits/digits.idx.gz").to_vec();
        for file in [&plain, &zipped] {
            assert!(sniff(file));
            let Outcome::Split(split) = split(file, Options::default(), &LIMITS) else { panic!("no split") };
            assert_eq!(crate::media::join(split.medium, &split.recipe, &split.content, &LIMITS).unwrap(), *file);
        }
        let cut = &plain[..plain.len() - 1];
        assert!(sniff(cut) && matches!(split(cut, Options::default(), &LIMITS), Outcome::Opaque { note: Some(_) }));
        assert!(!sniff(b"\x1f\x8b\x08\x00") && !sniff(&[0, 0, 9, 9]));
    }
}
