//! Archives: the streams of several files in one, with an index of names, modes and times behind them.
//!
//! What must stay true: an archive has one form of bytes, apart from its streams; and no name in an index that was read leads
//! out of the folder that it is extracted to.

use crate::wire::{Reader, WireError, Writer};
use std::collections::HashSet;
use std::ops::Range;
use thiserror::Error;

/// The first four bytes of an archive.
pub const MAGIC: [u8; 4] = [0xf5, b'S', b'R', b'A'];
/// Release and revision of the format of archives, which is counted apart from that of the streams in them.
pub const VERSION: [u8; 2] = [1, 0];
/// Bytes before the first stream.
pub const HEAD: usize = 6;
/// Bytes behind the index.
pub const TAIL: usize = 16;
/// The last four bytes of an archive.
const END: [u8; 4] = [0xf5, b'S', b'R', b'I'];
/// Bytes of a name at most.
pub const MAX_NAME: usize = 4096;
/// The bits of a mode that are kept.
const MODE: u64 = 0o777;

/// Why bytes are no archive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// The bytes do not begin as an archive does.
    #[error("not a surprisal archive")]
    NotAnArchive,
    /// Another version of the format.
    #[error("an archive of format {}.{}, and this program reads {}.{}: use the version of surprisal that wrote it", .0[0], .0[1], VERSION[0], VERSION[1])]
    Version([u8; 2]),
    /// The end is not there, or is no end of an archive.
    #[error("the archive is cut short or something follows it: its index is not at its end")]
    Truncated,
    /// The index does not match its check value.
    #[error("the index of the archive is damaged (its checksum does not match)")]
    Checksum,
    /// A field breaks a rule of the format.
    #[error("the index of the archive breaks the format: {0}")]
    Malformed(#[from] WireError),
    /// A name is none that may be written to.
    #[error("the archive is refused: the name '{name}' {fault}")]
    Name {
        /// The name, as far as it can be printed.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The lengths of streams do not fit.
    #[error("the index of the archive does not fit its streams")]
    Lengths,
}

impl ArchiveError {
    /// Whether this says that an archive was damaged, and not that it is something else than this program reads.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::NotAnArchive | Self::Version(_))
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder, which may hold others.
    Folder,
    /// A file.
    File {
        /// Bytes of its stream.
        coded: u64,
        /// Bytes of the file.
        length: u64,
    },
}

/// A file or folder of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, with `/` between names: bytes, on some systems in no particular alphabet.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Who may read, write and execute it: nine bits, as on Unix.
    pub mode: u32,
    /// When it was modified: seconds since 1970, nanoseconds.
    pub time: (i64, u32),
}

impl Entry {
    /// Its name for people.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
    }

    /// Why its name is none that may be written to, if so.
    pub fn fault(&self) -> Option<&'static str> {
        let parts = || self.name.split(|b| *b == b'/');
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Some("is empty or too long");
        }
        if self.name[0] == b'/' {
            return Some("is absolute");
        }
        if self.name.contains(&0) || parts().any(<[u8]>::is_empty) {
            return Some("has an empty part");
        }
        parts().any(|part| part == b"." || part == b"..").then_some("climbs out of its folder")
    }

    fn refused(&self, fault: &'static str) -> ArchiveError {
        ArchiveError::Name { name: self.shown(), fault }
    }

    fn write(&self, w: &mut Writer) {
        w.u8(u8::from(matches!(self.kind, Kind::File { .. })));
        w.blob(&self.name);
        w.uint(u64::from(self.mode) & MODE);
        w.int(self.time.0);
        w.uint(self.time.1.into());
        if let Kind::File { coded, length } = self.kind {
            w.uint(coded);
            w.uint(length);
        }
    }

    fn read(r: &mut Reader) -> Result<Self, ArchiveError> {
        let is_file = match r.u8()? {
            0 => false,
            1 => true,
            _ => return Err(WireError::OutOfRange("the kind of an entry").into()),
        };
        let name = r.blob()?.to_vec();
        let mode = r.at_most(MODE, "a mode")? as u32;
        let time = (r.int()?, r.at_most(999_999_999, "a time")? as u32);
        let kind = if is_file { Kind::File { coded: r.uint()?, length: r.uint()? } } else { Kind::Folder };
        let entry = Self { name, kind, mode, time };
        entry.fault().map_or(Ok(()), |fault| Err(entry.refused(fault)))?;
        Ok(entry)
    }
}

/// The bytes before the first stream.
pub fn head() -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&MAGIC);
    head[4..].copy_from_slice(&VERSION);
    head
}

/// Whether bytes begin as an archive does.
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// The bytes behind the last stream. The entries are sorted by name, and their names are good ones.
pub fn tail(entries: &[Entry]) -> Vec<u8> {
    let mut w = Writer::new();
    w.uint(entries.len() as u64);
    entries.iter().for_each(|entry| entry.write(&mut w));
    let index = w.finish();
    let mut w = Writer::new();
    w.raw(&index);
    w.raw(&(index.len() as u64).to_le_bytes());
    w.u32_le(crc32fast::hash(&index));
    w.raw(&END);
    w.finish()
}

/// Where the index of an archive of `length` bytes is, and its check value, from its first and last bytes.
pub fn locate(head: &[u8], tail: &[u8; TAIL], length: u64) -> Result<(Range<u64>, u32), ArchiveError> {
    if !is_archive(head) || head.len() < HEAD {
        return Err(ArchiveError::NotAnArchive);
    }
    if head[4..HEAD] != VERSION {
        return Err(ArchiveError::Version([head[4], head[5]]));
    }
    let (index, rest) = tail.split_at(8);
    let index = u64::from_le_bytes(index.try_into().expect("eight bytes"));
    let end = length.checked_sub(TAIL as u64).filter(|_| rest[4..] == END).ok_or(ArchiveError::Truncated)?;
    let start = end.checked_sub(index).filter(|start| *start >= HEAD as u64).ok_or(ArchiveError::Truncated)?;
    Ok((start..end, u32::from_le_bytes(rest[..4].try_into().expect("four bytes"))))
}

/// The entries of an index that begins at byte `start` of its archive, each with the place of its stream.
pub fn entries(index: &[u8], check: u32, start: u64) -> Result<Vec<(Entry, Range<u64>)>, ArchiveError> {
    if crc32fast::hash(index) != check {
        return Err(ArchiveError::Checksum);
    }
    let mut r = Reader::new(index);
    let count = r.count(6, "the number of entries")?;
    let mut entries: Vec<(Entry, Range<u64>)> = Vec::new();
    let mut at = HEAD as u64;
    for _ in 0..count {
        let entry = Entry::read(&mut r)?;
        if entries.last().is_some_and(|(last, _)| last.name >= entry.name) {
            return Err(entry.refused("is there twice or out of order"));
        }
        let from = at;
        if let Kind::File { coded, .. } = entry.kind {
            at = at.checked_add(coded).filter(|at| *at <= start).ok_or(ArchiveError::Lengths)?;
        }
        entries.push((entry, from..at));
    }
    r.end()?;
    if at != start {
        return Err(ArchiveError::Lengths);
    }
    let files = entries.iter().filter(|(entry, _)| entry.kind != Kind::Folder);
    let files: HashSet<&[u8]> = files.map(|(entry, _)| &entry.name[..]).collect();
    let inside = |entry: &Entry| {
        let ends = entry.name.iter().enumerate().filter(|(_, b)| **b == b'/');
        ends.into_iter().any(|(end, _)| files.contains(&entry.name[..end]))
    };
    match entries.iter().find(|(entry, _)| inside(entry)) {
        Some((entry, _)) => Err(entry.refused("lies in a file")),
        None => Ok(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, coded: u64) -> Entry {
        Entry { name: name.into(), kind: Kind::File { coded, length: 9 }, mode: 0o644, time: (-5, 7) }
    }

    fn read(list: &[Entry], body: usize) -> Result<Vec<(Entry, Range<u64>)>, ArchiveError> {
        let archive = [&head()[..], &vec![0; body], &tail(list)].concat();
        let (index, check) = locate(&archive, archive.last_chunk().unwrap(), archive.len() as u64)?;
        entries(&archive[index.start as usize..index.end as usize], check, index.start)
    }

    #[test]
    fn an_index_comes_back() {
        let folder = Entry { kind: Kind::Folder, ..entry("a", 0) };
        let list = [folder, entry("a/b", 5), entry("a/b.c", 0), entry("c", 2)];
        let back = read(&list, 7).unwrap();
        assert!(back.iter().map(|(entry, _)| entry).eq(&list));
        assert_eq!(back.iter().map(|(_, at)| at.clone()).collect::<Vec<_>>(), [6..6, 6..11, 11..11, 11..13]);
        assert_eq!(read(&[], 0), Ok(vec![]));
        assert_eq!(read(&list, 8), Err(ArchiveError::Lengths));
        assert_eq!(read(&list, 6), Err(ArchiveError::Lengths));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", "/etc/passwd", "..", "../a", "a/../b", "a//b", "a/", "./a", "a/.", "a\0b", &"a".repeat(5000)] {
            assert!(matches!(read(&[entry(name, 0)], 0), Err(ArchiveError::Name { .. })), "{name}");
        }
        for list in [["a", "a"], ["b", "a"], ["a", "a/b"]] {
            let error = read(&list.map(|name| entry(name, 0)), 0).unwrap_err();
            assert!(matches!(error, ArchiveError::Name { .. }) && error.is_damage());
        }
        assert!(read(&[entry("..a", 0), entry("a..", 0)], 0).is_ok());
    }

    #[test]
    fn damage_is_noticed() {
        let list = [entry("a", 3), entry("b", 4)];
        let good = [&head()[..], &[0; 7], &tail(&list)].concat();
        let open = |bytes: &[u8]| {
            let (index, check) = locate(bytes, bytes.last_chunk().unwrap(), bytes.len() as u64)?;
            entries(&bytes[index.start as usize..index.end as usize], check, index.start)
        };
        assert!(open(&good).is_ok());
        for i in (0..HEAD).chain(13..good.len()) {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[i] ^= 1 << bit;
                assert!(open(&bad).is_err(), "byte {i}");
            }
        }
        for cut in TAIL..good.len() {
            assert!(open(&good[..cut]).is_err(), "cut at {cut}");
        }
        assert!(open(&[&good[..], &[0]].concat()).is_err());
    }
}
