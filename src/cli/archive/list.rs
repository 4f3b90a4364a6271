//! What an archive holds, for `info`.

use super::super::fault::Fault;
use super::super::report;
use super::Archive;
use serde_json::{Value, json};
use std::path::Path;
use surprisal::container::archive::{Entry, Kind, VERSION};

/// The list of an archive's entries, as a text or as a line of JSON.
pub fn list(path: &Path, limit: u64, as_json: bool) -> Result<String, Fault> {
    let archive = Archive::open(path, limit)?;
    Ok(if as_json { record(&archive).to_string() } else { text(&archive) })
}

/// Bytes of an entry's stream and of its file.
fn sizes(entry: &Entry) -> (u64, u64) {
    if let Kind::File { coded, length } = entry.kind { (coded, length) } else { (0, 0) }
}

/// Files, folders, and the files' bytes.
fn totals(archive: &Archive) -> (usize, usize, u64) {
    let files = archive.entries.iter().filter(|(entry, _)| entry.kind != Kind::Folder);
    let count = files.clone().count();
    let bytes = files.map(|(entry, _)| sizes(entry).1).fold(0, u64::saturating_add);
    (count, archive.entries.len() - count, bytes)
}

fn record(archive: &Archive) -> Value {
    let (files, folders, bytes) = totals(archive);
    let entry = |(entry, _): &(Entry, _)| {
        let (coded, length) = sizes(entry);
        json!({
            "name": entry.shown(),
            "kind": if entry.kind == Kind::Folder { "folder" } else { "file" },
            "mode": format!("{:03o}", entry.mode),
            "seconds": entry.time.0,
            "nanoseconds": entry.time.1,
            "bytes": length,
            "coded_bytes": coded,
        })
    };
    json!({
        "file": archive.path.display().to_string(),
        "format": format!("{}.{}", VERSION[0], VERSION[1]),
        "content": "archive",
        "files": files,
        "folders": folders,
        "bytes": bytes,
        "coded_bytes": archive.length,
        "entries": archive.entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn text(archive: &Archive) -> String {
    let (files, folders, bytes) = totals(archive);
    let share = report::percent(archive.length, bytes);
    let head = format!(
        "{}\n  archive    format {}.{}, {files} files, {folders} folders, {bytes} => {} bytes ({share})",
        archive.path.display(),
        VERSION[0],
        VERSION[1],
        archive.length
    );
    let line = |(entry, _): &(Entry, _)| {
        let (coded, length) = sizes(entry);
        let (mode, time, name) = (mode(entry), time(entry.time.0), entry.shown());
        format!("\n  {mode} {time} {length:>12} {coded:>12}  {name}")
    };
    head + &archive.entries.iter().map(line).collect::<String>()
}

/// As `ls` shows it.
fn mode(entry: &Entry) -> String {
    let bit = |i: usize| if entry.mode >> (8 - i) & 1 == 1 { ['r', 'w', 'x'][i % 3] } else { '-' };
    std::iter::once(if entry.kind == Kind::Folder { 'd' } else { '-' }).chain((0..9).map(bit)).collect()
}

/// Seconds since 1970 as date and time in UTC. Years are counted from March on, so that leap days come last.
fn time(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01; 400 years have 146 097.
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + i64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (1_767_225_599, "2025-12-31 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(super::time(seconds), text);
        }
        super::time(i64::MAX);
        super::time(i64::MIN);
    }
}
