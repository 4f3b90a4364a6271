//! Files as they are read: what of a folder is used, and formats that only training reads.
//!
//! What must stay true: a file that is named is used or refused; of a folder's files, those that are no examples are passed
//! over if others are, and said.

use super::{ExamplesError, LIMITS};
use crate::media::audio;
use crate::media::set;
use crate::train::data::{File, walk};
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

/// A file.
#[derive(Debug)]
pub struct Content {
    /// Where it is.
    pub path: PathBuf,
    /// A file that [`set`] reads: its bytes, or the same picture as a PNM.
    pub bytes: Vec<u8>,
}

/// What files hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Pictures.
    Pictures,
    /// Recordings.
    Sound,
    /// Anything.
    #[default]
    Text,
}

/// What is used.
#[derive(Debug, Default)]
pub struct Contents {
    /// The files.
    pub files: Vec<Content>,
    /// What they are.
    pub kind: Kind,
    /// Their names and hashes.
    pub names: Vec<File>,
    /// What was passed over, and why.
    pub warnings: Vec<String>,
}

/// Reads files and what is in folders.
pub fn read(paths: &[PathBuf]) -> Result<Contents, ExamplesError> {
    let found = walk(paths).map_err(|error| ExamplesError::unfit(&paths[0], error.to_string()))?;
    let mut contents = Contents::default();
    let (mut others, mut sounds, mut first_error) = (Vec::new(), Contents::default(), None);
    for file in found {
        let bytes = fs::read(&file.path).map_err(|error| ExamplesError::Read { path: file.path.clone(), error })?;
        let name = File { name: file.name, hash: blake3::hash(&bytes).to_hex().to_string(), held_out: false };
        let is_named = paths.contains(&file.path);
        let path = file.path;
        if audio::is_recording(&bytes) {
            sounds.files.push(Content { path, bytes });
            sounds.names.push(name);
            continue;
        }
        let read = match is_called_text(&path) {
            true => Err("it is a text".to_owned()),
            false => match set::pictures_of(&bytes, None, &LIMITS) {
                Ok(_) => Ok(Cow::Borrowed(&bytes[..])),
                // The coder must restore a file; to train on it, what it shows is enough.
                Err(error) => as_pnm(&bytes).map(Cow::Owned).ok_or_else(|| error.to_string()),
            },
        };
        match read {
            Ok(bytes) => {
                contents.files.push(Content { path, bytes: bytes.into_owned() });
                contents.names.push(name);
            }
            Err(error) => {
                if is_named && first_error.is_none() {
                    first_error = Some((path.clone(), error.clone()));
                }
                others.push((Content { path, bytes }, name, error));
            }
        }
    }
    if let (Some(picture), Some(sound)) = (contents.files.first(), sounds.files.first()) {
        let text = format!("it is a recording, and {} holds pictures: train on one kind", picture.path.display());
        return Err(ExamplesError::unfit(&sound.path, text));
    }
    let (kind, what) = match sounds.files.is_empty() {
        true => (Kind::Pictures, "pictures"),
        false => (Kind::Sound, "recordings"),
    };
    if kind == Kind::Sound {
        contents = sounds;
    }
    if !contents.files.is_empty() {
        contents.kind = kind;
        if let Some((path, error)) = first_error {
            return Err(ExamplesError::unfit(&path, format!("{error}; the other files are {what}")));
        }
        contents.warnings =
            others.iter().map(|(c, _, error)| format!("{}: left out: {error}", c.path.display())).collect();
        return Ok(contents);
    }
    if others.is_empty() {
        let what = "there is no file in it: name an IDX file, pictures of one size, a sheet with --tile, WAV or FLAC files, or texts";
        return Err(ExamplesError::unfit(&paths[0], what));
    }
    for (content, name, error) in others {
        if !is_called_text(&content.path) && content.bytes.contains(&0) {
            return Err(ExamplesError::unfit(&content.path, error));
        }
        contents.files.push(content);
        contents.names.push(name);
    }
    Ok(contents)
}

/// Whether a file's name says that it is a text.
fn is_called_text(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
}

/// A PNM with the picture of a lossless file of 8 bits, without what its alpha leaves out.
fn as_pnm(bytes: &[u8]) -> Option<Vec<u8>> {
    use image::DynamicImage::{ImageLuma8, ImageRgb8, ImageRgba8};
    use image::ImageFormat::{Bmp, Png, Pnm, Tiff, WebP};
    let format = image::guess_format(bytes).ok().filter(|f| [Bmp, Png, Pnm, Tiff, WebP].contains(f))?;
    let picture = image::load_from_memory_with_format(bytes, format).ok()?;
    let (width, height) = (picture.width(), picture.height());
    let (kind, samples) = match picture {
        ImageLuma8(gray) => (5, gray.into_raw()),
        ImageRgb8(colours) => (6, colours.into_raw()),
        ImageRgba8(colours) if colours.pixels().all(|p| p[3] == u8::MAX) => {
            (6, colours.pixels().flat_map(|p| [p[0], p[1], p[2]]).collect())
        }
        _ => return None,
    };
    Some([format!("P{kind}\n{width} {height}\n255\n").into_bytes(), samples].concat())
}

/// Labels: an IDX file of one dimension, or a text of numbers.
pub fn labels(path: &Path) -> Result<Vec<u8>, ExamplesError> {
    let bytes = fs::read(path).map_err(|error| ExamplesError::Read { path: path.to_owned(), error })?;
    let text = std::str::from_utf8(&bytes).ok().filter(|t| t.starts_with(|c: char| c.is_ascii_digit()));
    match text {
        Some(text) => {
            let numbers = text.split_whitespace().map(str::parse);
            let what = "labels are numbers from 0 to 255, one for each picture";
            numbers.collect::<Result<_, _>>().map_err(|_| ExamplesError::unfit(path, what))
        }
        None => {
            let labels = set::labels(&bytes, &LIMITS);
            labels.map_err(|error| ExamplesError::Set { path: path.to_owned(), error })
        }
    }
}
