//! Files from an archive, and their test.
//!
//! What must stay true: nothing is written outside the folder that was asked for, not even through a symbolic link in it.

use super::super::bar::Bar;
use super::super::batch::{self, How};
use super::super::decompress::Args;
use super::super::fault::{Exit, Fault};
use super::super::inputs::HEAD;
use super::super::options::{CodecOptions, Global};
use super::super::output::{self, Pending};
use super::super::report::{self, Tally};
use super::super::streams::Flow;
use super::super::target::Target;
use super::super::test::tell;
use super::Archive;
use serde_json::json;
use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use surprisal::codec::{DecodeError, decompress};
use surprisal::container::archive::{Entry, Kind};
use surprisal::engine::DeviceName;

/// An entry and the place of its stream.
type Placed = (Entry, Range<u64>);

/// Restores the entries with these names, or all.
pub fn run(args: &Args, names: &[PathBuf], path: &Path, global: &Global) -> Result<Exit, Fault> {
    if args.target.rm {
        return Err(Fault::Error("--rm is for streams of one file: remove the archive yourself".to_owned()));
    }
    let archive = Archive::open(path, args.codec.limit())?;
    let chosen = select(&archive, names)?;
    if args.target.is_stdout() {
        report::stdout_is_no_terminal()?;
        return each(&archive, chosen, &args.codec, global, |name, (entry, file), _| {
            let mut out = io::stdout();
            file.and_then(|file| file.write(entry, &mut out)).map_err(|fault| fault.about(name))?;
            out.flush().map_err(|e| Fault::io(Path::new("standard output"), "write", &e))
        });
    }
    let beside = output::folder_of(path);
    let mut place = Place { root: args.target.folder().unwrap_or(beside).to_owned(), known: HashSet::new() };
    let mut tally = Tally::default();
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for placed in chosen {
        let at = place.of(&placed.0).map_err(|fault| fault.about(&archive.name(&placed.0)));
        let Some(at) = tally.take(at)? else { continue };
        match placed.0.kind {
            Kind::Folder => folders.push((at, placed.0)),
            Kind::File { .. } => {
                let free = output::check(&Target::File(at), None, args.target.force);
                files.extend(tally.take(free)?.map(|()| placed));
            }
        }
    }
    let finish = |name: &str, (entry, file): (&Entry, Result<Restored, Fault>), seconds: f64| {
        let file = file.map_err(|fault| fault.about(name))?;
        let target = place.of(entry).map_err(|fault| fault.about(name))?;
        let mut pending = Pending::create(&target, true)?;
        let start = Instant::now();
        let length = file.write(entry, &mut pending).map_err(|fault| fault.about(name))?;
        let seconds = seconds + start.elapsed().as_secs_f64();
        pending.dress(permissions(entry), time(entry));
        pending.publish(args.target.force, false)?;
        let (coded, output) = (if let Kind::File { coded, .. } = entry.kind { coded } else { 0 }, target.display());
        if args.json {
            return report::line(json!({
                "file": name,
                "output": output.to_string(),
                "coded_bytes": coded,
                "bytes": length,
                "seconds": seconds,
            }));
        }
        report::note(global.quiet, format_args!("{name}: {coded} => {length} bytes, {output}"));
        Ok(())
    };
    let worst = each(&archive, files, &args.codec, global, finish)?;
    // The deepest first: a folder may not be written to any more, and what is written in it changes its time.
    for (at, entry) in folders.iter().rev() {
        tally.take(dress_folder(at, entry))?;
    }
    Ok(worst.max(tally.worst()))
}

/// Decodes every entry.
pub fn test(path: &Path, json: bool, codec: &CodecOptions, global: &Global) -> Result<Exit, Fault> {
    let archive = Archive::open(path, codec.limit())?;
    let all = archive.entries.iter().filter(|(entry, _)| entry.kind != Kind::Folder).cloned().collect();
    each(&archive, all, codec, global, |name, (entry, file), _| {
        tell(name, file.and_then(|file| file.write(entry, &mut io::sink())), json, global)
    })
}

/// Entries that have one of these names or lie in a folder of that name; all if there is none.
fn select(archive: &Archive, names: &[PathBuf]) -> Result<Vec<Placed>, Fault> {
    if names.is_empty() {
        return Ok(archive.entries.clone());
    }
    let wanted: Vec<String> = names.iter().map(|name| name.display().to_string()).collect();
    let wanted: Vec<&str> = wanted.iter().map(|name| name.trim_start_matches("./").trim_end_matches('/')).collect();
    let is = |entry: &Entry, name: &str| match entry.name.strip_prefix(name.as_bytes()) {
        Some(rest) => rest.is_empty() || rest[0] == b'/',
        None => false,
    };
    if let Some(name) = wanted.iter().find(|name| !archive.entries.iter().any(|(entry, _)| is(entry, name))) {
        let text = format!("{}: holds no '{name}'; surprisal info lists what it holds", archive.path.display());
        return Err(Fault::Error(text));
    }
    let chosen = archive.entries.iter().filter(|(entry, _)| wanted.iter().any(|name| is(entry, name)));
    Ok(chosen.cloned().collect())
}

/// A file of an archive.
enum Restored<'m> {
    /// In memory.
    Whole(Vec<u8>),
    /// It is restored while it is written.
    Flow(Box<Flow<'m>>),
}

impl Restored<'_> {
    /// Writes it: its length. A fault does not name it.
    fn write(self, entry: &Entry, out: &mut (impl Write + Send)) -> Result<u64, Fault> {
        let is_whole = |length| match entry.kind {
            Kind::File { length: listed, .. } if listed == length => Ok(length),
            _ => Err(Fault::Damaged("has another length than the index says".to_owned())),
        };
        match self {
            Self::Whole(file) => {
                let length = is_whole(file.len() as u64)?;
                out.write_all(&file).map_err(DecodeError::Write)?;
                Ok(length)
            }
            Self::Flow(flow) => is_whole(flow.restore(out, false)?.0.length),
        }
    }
}

/// Decodes the files among entries and calls `finish` with name, file (or why there is none; it is not named) and seconds of each.
fn each(
    archive: &Archive,
    entries: Vec<Placed>,
    codec: &CodecOptions,
    global: &Global,
    mut finish: impl FnMut(&str, (&Entry, Result<Restored, Fault>), f64) -> Result<(), Fault>,
) -> Result<Exit, Fault> {
    let models = codec.models(global)?;
    let files = entries.into_iter().filter(|(entry, _)| entry.kind != Kind::Folder).collect();
    let size = |entry: &Entry| if let Kind::File { coded, length } = entry.kind { coded.max(length) } else { 0 };
    let describe = |(entry, _): &Placed| (entry.shown(), size(entry));
    let (limit, quiet, is_cpu) = (codec.limit(), global.quiet, codec.device.name == DeviceName::Cpu);
    let work = |(entry, place): &Placed, bar: &Bar| {
        let begun = archive.stream(place)?;
        let flow = match size(entry) > HEAD {
            true => Flow::new(archive.name(entry), begun, &models, (limit, quiet, is_cpu)),
            false => Err(begun),
        };
        Ok(match flow {
            Ok(flow) => Restored::Flow(Box::new(flow)),
            Err(begun) => Restored::Whole(decompress(&begun.whole()?, &models, limit, bar)?),
        })
    };
    let mut tally = Tally::default();
    batch::each(files, How { quiet, side_by_side: is_cpu }, describe, work, |(entry, _), file, seconds| {
        tally.take(finish(&archive.name(&entry), (&entry, file), seconds)).map(drop)
    })?;
    Ok(tally.worst())
}

/// Where entries go.
struct Place {
    root: PathBuf,
    /// Folders below the root that are there, and no links.
    known: HashSet<PathBuf>,
}

impl Place {
    /// The path of an entry; the folders that lead to it, and it itself if it is one, are made.
    fn of(&mut self, entry: &Entry) -> Result<PathBuf, Fault> {
        let parts: Vec<PathBuf> =
            entry.name.split(|b| *b == b'/').map(decoded).collect::<Option<_>>().ok_or_else(unnameable)?;
        let folders = if entry.kind == Kind::Folder { parts.len() } else { parts.len() - 1 };
        let mut at = self.root.clone();
        if self.known.insert(at.clone()) {
            fs::create_dir_all(&at).map_err(|e| Fault::io(&at, "write", &e))?;
        }
        for (depth, part) in parts.iter().enumerate() {
            at.push(part);
            if depth >= folders || self.known.contains(&at) {
                continue;
            }
            match fs::symlink_metadata(&at) {
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => {
                    let text = format!("{} is in the way and no folder (links are not followed)", at.display());
                    return Err(Fault::Error(text));
                }
                Err(_) => fs::create_dir(&at).map_err(|e| Fault::io(&at, "write", &e))?,
            }
            self.known.insert(at.clone());
        }
        Ok(at)
    }
}

fn unnameable() -> Fault {
    Fault::Error("this system has no such names".to_owned())
}

#[cfg(unix)]
fn decoded(part: &[u8]) -> Option<PathBuf> {
    let part: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(part);
    Some(PathBuf::from(part))
}

#[cfg(not(unix))]
fn decoded(part: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(part).ok()?;
    (!text.contains(['\\', ':'])).then(|| PathBuf::from(text))
}

#[cfg(unix)]
fn permissions(entry: &Entry) -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(entry.mode))
}

#[cfg(not(unix))]
fn permissions(_: &Entry) -> Option<Permissions> {
    None
}

fn time(entry: &Entry) -> Option<SystemTime> {
    let (seconds, nanos) = entry.time;
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    time?.checked_add(Duration::from_nanos(nanos.into()))
}

/// Gives a folder its time, then its permissions.
fn dress_folder(at: &Path, entry: &Entry) -> Result<(), Fault> {
    if let (true, Some(time)) = (cfg!(unix), time(entry)) {
        let _ = File::open(at).and_then(|folder| folder.set_modified(time));
    }
    match permissions(entry) {
        Some(permissions) => fs::set_permissions(at, permissions).map_err(|e| Fault::io(at, "write", &e)),
        None => Ok(()),
    }
}
