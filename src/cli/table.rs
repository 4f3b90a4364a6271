//! What became of many files, in a table by medium.

use super::report;
use std::collections::BTreeMap;
use std::fmt::Write;
use surprisal::codec::{Coding, Summary};

/// Files of one medium.
#[derive(Debug, Default, Clone, Copy)]
struct Row {
    files: u64,
    bytes: u64,
    coded: u64,
    seconds: f64,
}

impl Row {
    fn add(&mut self, other: &Row) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.coded += other.coded;
        self.seconds += other.seconds;
    }
}

/// All files so far.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<&'static str, Row>,
    /// How many files were stored, and why.
    stored: BTreeMap<String, u64>,
}

impl Table {
    /// Adds a file.
    pub fn add(&mut self, summary: &Summary, coded: u64, seconds: f64) {
        let is_stored = summary.coding == Coding::Stored;
        let medium = summary.medium.unwrap_or(if is_stored { "stored" } else { "other" });
        self.rows.entry(medium).or_default().add(&Row { files: 1, bytes: summary.length, coded, seconds });
        if is_stored {
            let why = match summary.notes.first() {
                _ if summary.length == 0 => "empty",
                Some(note) => note.strip_prefix("stored: ").unwrap_or(note),
                None => "no model makes them smaller",
            };
            *self.stored.entry(why.to_owned()).or_default() += 1;
        }
    }

    /// Whether it says more than a line a file would.
    pub fn is_worth_it(&self) -> bool {
        self.rows.values().map(|row| row.files).sum::<u64>() > 1
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut total = Row::default();
        self.rows.values().for_each(|row| total.add(row));
        let mut text =
            format!("{:<8} {:>7} {:>14} {:>14} {:>9} {:>11}\n", "medium", "files", "bytes", "coded", "ratio", "speed");
        for (medium, row) in self.rows.iter().map(|(medium, row)| (*medium, row)).chain([("all", &total)]) {
            let ratio = report::percent(row.coded, row.bytes);
            let speed = format!("{:.2} MB/s", row.bytes as f64 / 1e6 / row.seconds.max(1e-9));
            writeln!(text, "{medium:<8} {:>7} {:>14} {:>14} {ratio:>9} {speed:>11}", row.files, row.bytes, row.coded)?;
        }
        for (why, files) in &self.stored {
            writeln!(text, "stored: {files} {}: {why}", if *files == 1 { "file" } else { "files" })?;
        }
        f.write_str(text.trim_end())
    }
}
