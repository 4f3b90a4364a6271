//! Folders to an archive.
//!
//! What must stay true: the archive is there whole or not at all; its bytes depend on the files alone, not on the order in
//! which a folder lists them.

use super::super::bar::Bar;
use super::super::batch::{self, How};
use super::super::coded::Coder;
use super::super::compress::record;
use super::super::fault::{Exit, Fault};
use super::super::inputs::{self, Input, Walked};
use super::super::leftovers;
use super::super::output::{self, Pending, Stamp};
use super::super::report::{self, Tally};
use super::super::table::Table;
use super::super::target::{Target, TargetOptions};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use surprisal::container::archive::{self, Entry, Kind};

/// A file or folder that goes into an archive.
struct Found {
    path: PathBuf,
    entry: Entry,
}

/// Writes the archive at `path`.
pub fn run(
    paths: &[PathBuf],
    path: &Path,
    options: &TargetOptions,
    (json, verified): (bool, bool),
    how: How,
    coder: &Coder,
) -> Result<Exit, Fault> {
    if options.rm {
        let text =
            "--rm removes a file for its own stream: leave it away, and remove the folder when the archive was tested";
        return Err(Fault::Error(text.to_owned()));
    }
    let target = Target::File(path.to_owned());
    output::check(&target, None, options.force)?;
    let mut tally = Tally::default();
    let found = gather(paths, path, how.quiet, &mut tally)?;
    let mut pending = Pending::create(path, false)?;
    pending.add(&archive::head())?;
    let mut entries: Vec<Entry> = Vec::new();
    let (mut table, mut coded) = (Table::default(), archive::HEAD as u64);
    let describe = |found: &Found| {
        let length = if let Kind::File { length, .. } = found.entry.kind { length } else { 0 };
        (found.path.display().to_string(), length)
    };
    let work = |found: &Found, bar: &Bar| match found.entry.kind {
        Kind::Folder => Ok(None),
        Kind::File { .. } => {
            let input = Input::File { path: found.path.clone(), relative: PathBuf::new() };
            coder.code(&input, Stamp::of(&found.path), &target, bar).map(Some)
        }
    };
    batch::each(found, how, describe, work, |found, done, seconds| {
        let Some(done) = tally.take(done)? else { return Ok(()) };
        let mut entry = found.entry;
        if let Some(mut done) = done {
            let summary = done.summary().clone();
            let bytes = done.write(&mut pending).map_err(|e| Fault::io(path, "write", &e))?;
            coded += bytes;
            entry.kind = Kind::File { coded: bytes, length: summary.length };
            let name = found.path.display().to_string();
            summary.notes.iter().for_each(|note| report::note(how.quiet, format_args!("{name}: {note}")));
            table.add(&summary, bytes, seconds);
            if json {
                report::line(record(&name, &path.display().to_string(), &summary, bytes, (verified, seconds)))?;
            }
        }
        entries.push(entry);
        Ok(())
    })?;
    let tail = archive::tail(&entries);
    pending.add(&tail)?;
    pending.publish(options.force, false)?;
    if !json {
        report::note(how.quiet, &table);
        let total = coded + tail.len() as u64;
        report::note(how.quiet, format_args!("{}: {} entries, {total} bytes", path.display(), entries.len()));
    }
    Ok(tally.worst())
}

/// Everything that goes into the archive at `target`, sorted by name.
fn gather(paths: &[PathBuf], target: &Path, quiet: bool, tally: &mut Tally) -> Result<Vec<Found>, Fault> {
    let mut found: Vec<Found> = Vec::new();
    let mut left_out = 0;
    let own = fs::canonicalize(target).ok();
    for root in paths {
        let prefix = root.file_name().map(Path::new).unwrap_or(Path::new(""));
        let mut add = |path: &Path, below: &Path| -> Result<(), Fault> {
            let meta = fs::symlink_metadata(path).map_err(|e| Fault::io(path, "read", &e))?;
            let name = path.file_name().and_then(|name| name.to_str());
            if own.is_some() && fs::canonicalize(path).ok() == own || name.is_some_and(leftovers::is_one) {
                return Ok(());
            }
            if !(meta.is_file() || meta.is_dir()) {
                left_out += 1;
                return Ok(());
            }
            let entry = entry(&prefix.join(below), &meta).map_err(|fault| fault.about(&path.display().to_string()))?;
            if !entry.name.is_empty() {
                found.push(Found { path: path.to_owned(), entry });
            }
            Ok(())
        };
        let mut done = Vec::new();
        match fs::metadata(root) {
            Err(e) => done.push(Err(Fault::io(root, "read", &e))),
            Ok(meta) if meta.is_dir() => {
                // A link that was named is followed; its own entry would be left out.
                done.push(add(&root.join(Component::CurDir), Path::new("")));
                inputs::walk(root, &mut |walked| {
                    done.push(
                        walked.and_then(|Walked { path, .. }| add(&path, path.strip_prefix(root).unwrap_or(&path))),
                    );
                });
            }
            Ok(_) => done.push(add(root, Path::new(""))),
        }
        for result in done {
            tally.take(result)?;
        }
    }
    if left_out > 0 {
        report::note(quiet, format_args!("{left_out} symbolic links, devices, pipes or sockets are left out"));
    }
    found.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    match found.windows(2).find(|pair| pair[0].entry.name == pair[1].entry.name) {
        None => Ok(found),
        Some(pair) => Err(Fault::Error(format!(
            "{} and {} would both be '{}' in the archive: take them one by one",
            pair[0].path.display(),
            pair[1].path.display(),
            pair[0].entry.shown()
        ))),
    }
}

/// The entry of a file or folder with this path in the archive.
fn entry(name: &Path, meta: &Metadata) -> Result<Entry, Fault> {
    let mut bytes = Vec::new();
    for part in name.components() {
        if let Component::Normal(part) = part {
            if !bytes.is_empty() {
                bytes.push(b'/');
            }
            bytes.extend_from_slice(&encoded(part)?);
        }
    }
    let kind = if meta.is_dir() { Kind::Folder } else { Kind::File { coded: 0, length: meta.len() } };
    let entry = Entry { name: bytes, kind, mode: mode(meta), time: time(meta) };
    match entry.fault() {
        Some(fault) if !entry.name.is_empty() => Err(Fault::Error(format!("its name {fault}, so it is left out"))),
        _ => Ok(entry),
    }
}

#[cfg(unix)]
fn encoded(part: &std::ffi::OsStr) -> Result<Vec<u8>, Fault> {
    Ok(std::os::unix::ffi::OsStrExt::as_bytes(part).to_vec())
}

#[cfg(not(unix))]
fn encoded(part: &std::ffi::OsStr) -> Result<Vec<u8>, Fault> {
    let text = part.to_str().ok_or_else(|| Fault::Error("its name is no Unicode, so it is left out".to_owned()))?;
    Ok(text.as_bytes().to_vec())
}

#[cfg(unix)]
fn mode(meta: &Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(meta: &Metadata) -> u32 {
    let write = if meta.permissions().readonly() { 0 } else { 0o200 };
    write | if meta.is_dir() { 0o555 } else { 0o444 }
}

/// Seconds since 1970, rounded down, and the nanoseconds that are left.
fn time(meta: &Metadata) -> (i64, u32) {
    let modified: io::Result<_> = meta.modified();
    match modified.map(|time| time.duration_since(UNIX_EPOCH).map_err(|e| e.duration())) {
        Ok(Ok(after)) => (after.as_secs() as i64, after.subsec_nanos()),
        Ok(Err(before)) => {
            let whole = before.as_secs() + u64::from(before.subsec_nanos() > 0);
            (-(whole as i64), (Duration::from_secs(whole) - before).subsec_nanos())
        }
        Err(_) => (0, 0),
    }
}
