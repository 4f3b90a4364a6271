//! All pictures of a training in one file: decoded once, read by every run over the same files.
//!
//! What must stay true: a pack is used only for the very files that it was made from, by the version that made it, and only
//! when it is complete; every area that its index names lies within it.
//!
//! The file: the magic; samples of picture after picture (`[height][width][3]`, coding order), each followed by its softened copy; the
//! index as JSON; its length (8 bytes, little-endian); its BLAKE3 hash; the key of the files; the magic.

use super::decode::{self, Decoded, Fault};
use super::files::{self, Found};
use super::map::Map;
use super::soften::soften;
use super::{DataError, beside};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::catch_unwind;
use std::path::Path;

/// The first and last bytes of a pack. The number changes with anything that changes what stands in it, softening included.
const MAGIC: &[u8; 8] = b"SRPPACK1";
/// What tells packs of all versions from other files.
const ANY: &[u8] = b"SRPPACK";
/// Bytes after the index: its length, its hash, the key, the magic.
const TAIL: usize = 8 + 32 + 32 + 8;
/// Pixels that are decoded at the same time, unless one picture has more.
const AT_ONCE: u64 = 1 << 27;

/// Samples in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Where they begin, in bytes.
    pub at: u64,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Area {
    /// Number of positions.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Its samples.
    pub fn samples<'a>(&self, pack: &'a [u8]) -> &'a [u8] {
        &pack[self.at as usize..][..self.pixels() as usize * 3]
    }

    /// Whether it lies within the first `length` bytes.
    fn is_within(&self, length: u64) -> bool {
        let bytes = self.pixels().checked_mul(3);
        self.width > 0 && self.height > 0 && bytes.and_then(|b| self.at.checked_add(b)).is_some_and(|end| end <= length)
    }
}

/// A picture and its softened copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Hash of what it shows.
    pub content: [u8; 32],
    /// As it is.
    pub plain: Area,
    /// Softened.
    pub soft: Area,
}

/// A file that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// What it is called.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
    /// The picture that it holds; files with the same picture share one.
    pub picture: usize,
    /// Whether its format is lossy.
    pub lossy: bool,
    /// Index of the given path.
    pub root: usize,
}

/// A file that looked like a picture and was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Where it is.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
    /// Index of the given path.
    pub root: usize,
}

/// What stands in a pack.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Pictures, each once.
    pub pictures: Vec<Packed>,
    /// Files that hold them.
    pub files: Vec<Used>,
    /// Files that were left out.
    pub skipped: Vec<Skipped>,
}

/// Opens the pack of these files; makes it first if it is not there or belongs to others. The last value tells whether it
/// was there.
///
/// # Errors
/// A path without a usable picture, or a pack that cannot be written.
pub fn open(
    roots: &[std::path::PathBuf],
    found: &[Found],
    path: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<(Index, Map, bool), DataError> {
    let key = files::key(found);
    if let Some((index, map)) = read(path, &key) {
        progress(found.len() as u64, found.len() as u64);
        return Ok((index, map, true));
    }
    if !may_replace(path) {
        let error =
            io::Error::new(io::ErrorKind::AlreadyExists, "a file of this name is there, and it is something else");
        return Err(DataError::Pack { path: path.to_owned(), error });
    }
    let mut refused = None;
    let written = beside::write(path, |out| {
        let (index, length) = pictures(found, out, progress)?;
        refused = (0..roots.len()).find_map(|root| unusable(&roots[root], root, &index));
        if refused.is_some() {
            return Err(io::Error::other("there is nothing to pack"));
        }
        debug_assert!(index.pictures.iter().all(|p| p.plain.is_within(length) && p.soft.is_within(length)));
        let index = serde_json::to_vec(&index)?;
        out.write_all(&index)?;
        out.write_all(&(index.len() as u64).to_le_bytes())?;
        out.write_all(blake3::hash(&index).as_bytes())?;
        out.write_all(&key)?;
        out.write_all(MAGIC)
    });
    match (refused, written) {
        (Some(refused), _) => Err(refused),
        (None, Err(error)) => Err(DataError::Pack { path: path.to_owned(), error }),
        (None, Ok(())) => match read(path, &key) {
            Some((index, map)) => Ok((index, map, false)),
            None => Err(DataError::Pack { path: path.to_owned(), error: io::Error::other("it reads back different") }),
        },
    }
}

/// Whether there is nothing at the path, or a pack that this program made.
fn may_replace(path: &Path) -> bool {
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(ANY.len() as u64).read_to_end(&mut start)) {
        Ok(_) => start == ANY,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The error for a given path that has no picture of use.
fn unusable(path: &Path, root: usize, index: &Index) -> Option<DataError> {
    if index.files.iter().any(|file| file.root == root) {
        return None;
    }
    let mut skipped = index.skipped.iter().filter(|s| s.root == root);
    let reason = match (skipped.next(), skipped.count()) {
        (None, _) => "there are none in it".to_owned(),
        (Some(s), 0) => format!("{} {}", s.path, s.why),
        (Some(s), more) => format!("{} {}, and {more} more were skipped", s.path, s.why),
    };
    Some(DataError::NoPictures { path: path.to_owned(), reason })
}

/// Decodes all files and writes their pictures; returns the index and the bytes written.
fn pictures(found: &[Found], out: &mut dyn Write, progress: &dyn Fn(u64, u64)) -> io::Result<(Index, u64)> {
    let total = found.len() as u64;
    progress(0, total);
    let sizes: Vec<_> = found.par_iter().map(|file| guarded(|| decode::probe(&file.path))).collect();
    out.write_all(MAGIC)?;
    let (mut index, mut at, mut done) = (Index::default(), MAGIC.len() as u64, 0);
    let mut by_content = HashMap::new();
    while done < found.len() {
        let (mut pixels, mut end) = (0, done);
        while end < found.len() && (end == done || pixels + sizes[end].as_ref().unwrap_or(&0) <= AT_ONCE) {
            pixels += sizes[end].as_ref().unwrap_or(&0);
            end += 1;
            if end - done >= 4 * rayon::current_num_threads() {
                break;
            }
        }
        let decoded: Vec<_> = (done..end)
            .into_par_iter()
            .map(|i| sizes[i].clone().and_then(|_| guarded(|| decode::decode(&found[i].path))).map(with_copy))
            .collect();
        for (file, decoded) in found[done..end].iter().zip(decoded) {
            done += 1;
            progress(done as u64, total);
            let picture = match decoded {
                Ok(picture) => picture,
                Err(Fault::Other) => continue,
                Err(Fault::Skipped(why)) => {
                    index.skipped.push(Skipped { path: file.path.display().to_string(), why, root: file.root });
                    continue;
                }
            };
            let Ready { decoded, content, soft: (soft, width, height) } = picture;
            let next = index.pictures.len();
            let picture = *by_content.entry(content).or_insert(next);
            let Decoded { lossy, file: hash, .. } = decoded;
            index.files.push(Used { name: file.name.clone(), hash, picture, lossy, root: file.root });
            if picture == next {
                let plain = Area { at, width: decoded.width, height: decoded.height };
                let soft_area = Area { at: at + 3 * plain.pixels(), width, height };
                out.write_all(&decoded.samples)?;
                out.write_all(&soft)?;
                at = soft_area.at + 3 * soft_area.pixels();
                index.pictures.push(Packed { content, plain, soft: soft_area });
            }
        }
    }
    Ok((index, at))
}

/// A picture before it is written.
struct Ready {
    decoded: Decoded,
    content: [u8; 32],
    /// Samples, width, height of the softened copy.
    soft: (Vec<u8>, u32, u32),
}

fn with_copy(decoded: Decoded) -> Ready {
    let content = decoded.content();
    let soft = soften(&decoded.samples, decoded.width, decoded.height, number(&content));
    Ready { decoded, content, soft }
}

/// The first eight bytes of a hash.
pub fn number(hash: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*hash.first_chunk().expect("a hash is longer"))
}

/// A decoder that panics on a broken file must not end the training.
fn guarded<T>(decode: impl Fn() -> Result<T, Fault> + std::panic::UnwindSafe) -> Result<T, Fault> {
    catch_unwind(decode)
        .unwrap_or_else(|_| Err(Fault::Skipped("is broken in a way that its decoder does not bear".into())))
}

/// Reads a pack; `None` if it is not there, not whole, or of other files.
fn read(path: &Path, key: &[u8; 32]) -> Option<(Index, Map)> {
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.len() < TAIL as u64 {
        return None;
    }
    let map = Map::new(&file).ok()?;
    let (rest, magic) = map.split_last_chunk::<8>()?;
    let (rest, of) = rest.split_last_chunk::<32>()?;
    let (rest, hash) = rest.split_last_chunk::<32>()?;
    let (rest, length) = rest.split_last_chunk::<8>()?;
    let samples = rest.len().checked_sub(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let index = &rest[samples..];
    if magic != MAGIC || of != key || blake3::hash(index) != *hash {
        return None;
    }
    let index: Index = serde_json::from_slice(index).ok()?;
    let within = |area: &Area| area.is_within(samples as u64);
    let whole = index.pictures.iter().all(|p| within(&p.plain) && within(&p.soft))
        && index.files.iter().all(|file| file.picture < index.pictures.len());
    whole.then_some((index, map))
}
