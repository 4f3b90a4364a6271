//! What a user reads: notes and errors on standard error, results on standard output.

use super::fault::{Exit, Fault};
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// A text as a terminal may have it: names of files may hold control characters, which would move its cursor or worse.
fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_hidden(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Prints an error.
pub fn error(fault: &Fault) {
    let _ = writeln!(io::stderr(), "surprisal: {}", visible(&fault.to_string()));
}

/// Prints a line on standard error unless `quiet`.
pub fn note(quiet: bool, text: impl std::fmt::Display) {
    if !quiet {
        let _ = writeln!(io::stderr(), "{}", visible(&text.to_string()));
    }
}

/// Prints a line of results on standard output.
pub fn line(text: impl std::fmt::Display) -> Result<(), Fault> {
    let text = format!("{text}\n");
    // What goes to a file or a program keeps names as they are.
    bytes(if io::stdout().is_terminal() { visible(&text) } else { Cow::Borrowed(&*text) }.as_bytes())
}

/// Writes to standard output.
pub fn bytes(bytes: &[u8]) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let done = out.write_all(bytes).and_then(|()| out.flush());
    done.map_err(|e| Fault::io(std::path::Path::new("standard output"), "write", &e))
}

/// Refuses to write binary data to a terminal.
pub fn stdout_is_no_terminal() -> Result<(), Fault> {
    if io::stdout().is_terminal() {
        return Err(Fault::Error(
            "standard output is a terminal, and the output is binary: redirect it or name a file with -o".to_owned(),
        ));
    }
    Ok(())
}

/// The errors so far: each is printed, and the worst is remembered.
#[derive(Debug)]
pub struct Tally(Exit);

impl Default for Tally {
    fn default() -> Self {
        Self(Exit::Done)
    }
}

impl Tally {
    /// The value, or `None` after an error, which is printed. A closed output is passed on, for it ends the work; after an
    /// error it has that one's exit code.
    pub fn take<T>(&mut self, result: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Closed(_)) => Err(Fault::Closed(self.0)),
            Err(fault) => {
                error(&fault);
                self.0 = self.0.max(fault.exit());
                Ok(None)
            }
        }
    }

    /// How the work ended.
    pub fn worst(&self) -> Exit {
        self.0
    }
}

/// Goes through the files, prints the errors, and remembers the worst; a closed output ends it.
pub fn each<T>(items: Vec<T>, mut work: impl FnMut(T) -> Result<(), Fault>) -> Result<Exit, Fault> {
    let mut tally = Tally::default();
    for item in items {
        tally.take(work(item))?;
    }
    Ok(tally.worst())
}

/// The larger over the smaller way to say a share: `37.02 %`.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.2} %", part as f64 * 100.0 / whole as f64) }
}

/// A text as a cell of a table with commas (RFC 4180).
pub fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// The cells of a table with commas, row by row; what [`cell`] wrote comes back. Nothing that a table could hold is refused.
pub fn cells(table: &[u8]) -> Vec<Vec<String>> {
    let rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(table).into_byte_records();
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
    rows.map_while(Result::ok).map(|row| row.iter().map(text).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(visible("a\u{1b}[31m\rb\tc\nd \u{9b}é"), "a\\u{1b}[31m\\rb\tc\nd \\u{9b}é");
        assert!(matches!(visible("a\tb\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn cells_come_back() {
        let rows = [["a,b", "\"q\" and\nline", ""], ["plain", "", "x\ry"]];
        let table: String = rows.iter().map(|row| row.map(cell).join(",") + "\n").collect();
        assert_eq!(cells(table.as_bytes()), rows);
        assert_eq!(cells(b"a,b\r\nc,\"d"), [["a", "b"], ["c", "d"]]);
        assert!(cells(b"").is_empty());
    }
}
