//! Archives on the disk: written by `compress -r FOLDER -o NAME.srp`, read by `decompress`, `test` and `info`.

pub mod list;
pub mod pack;
pub mod unpack;

use super::fault::Fault;
use super::inputs::{Begun, FRONT};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use surprisal::container::archive::{self, ArchiveError, Entry, HEAD, TAIL};

/// An archive whose index was read.
pub struct Archive {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub length: u64,
    /// Its entries, sorted by name, each with the place of its stream.
    pub entries: Vec<(Entry, Range<u64>)>,
}

/// Whether there is an archive at `path`. Pipes and devices are none, so that nothing is taken from them.
pub fn is_archive(path: &Path) -> bool {
    let begins = || {
        let mut head = [0; 4];
        File::open(path)?.read_exact(&mut head)?;
        io::Result::Ok(archive::is_archive(&head))
    };
    path.is_file() && begins().unwrap_or(false)
}

impl Archive {
    /// Reads the index, of at most `limit` bytes.
    pub fn open(path: &Path, limit: u64) -> Result<Self, Fault> {
        let fault = |e: io::Error| Fault::io(path, "read", &e);
        let refused = |e: ArchiveError| {
            let text = format!("{}: {e}", path.display());
            if e.is_damage() { Fault::Damaged(text) } else { Fault::Error(text) }
        };
        let mut file = File::open(path).map_err(fault)?;
        let length = file.metadata().map_err(fault)?.len();
        if length < (HEAD + TAIL) as u64 {
            return Err(refused(ArchiveError::Truncated));
        }
        let (mut head, mut tail) = ([0; HEAD], [0; TAIL]);
        let mut at = |from: u64, bytes: &mut [u8]| {
            file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(bytes)).map_err(fault)
        };
        at(0, &mut head)?;
        at(length - TAIL as u64, &mut tail)?;
        let (place, check) = archive::locate(&head, &tail, length).map_err(refused)?;
        let size = place.end - place.start;
        if size > limit {
            let text = format!("its index takes {size} bytes, over the limit of {limit}: raise it with --limit");
            return Err(Fault::Error(format!("{}: {text} if you trust the file", path.display())));
        }
        let mut index = vec![0; size as usize];
        at(place.start, &mut index)?;
        let entries = archive::entries(&index, check, place.start).map_err(refused)?;
        Ok(Self { path: path.to_owned(), length, entries })
    }

    /// The name of an entry with that of the archive, for messages.
    pub fn name(&self, entry: &Entry) -> String {
        format!("{}: {}", self.path.display(), entry.shown())
    }

    /// The bytes of a stream, from the first on. Nothing else is read.
    pub fn stream(&self, place: &Range<u64>) -> Result<Begun, Fault> {
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(place.start))?;
            io::Result::Ok(file)
        };
        let file = open().map_err(|e| Fault::io(&self.path, "read", &e))?;
        let length = place.end - place.start;
        Begun::new(Box::new(file.take(length)), self.path.display().to_string(), Some(length), FRONT)
    }
}
