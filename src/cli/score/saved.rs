//! Rows that were saved as a table, flagged again by another rule: nothing is scored.
//!
//! What must stay true: every cell but those of the flags comes out as it was.

use super::rule::Rule;
use crate::cli::fault::{Exit, Fault};
use crate::cli::options::Global;
use crate::cli::output;
use crate::cli::report::{self, cell, cells};
use crate::cli::target::Target;
use std::path::Path;

const COLUMNS: [&str; 5] = ["path", "score", "p_value", "flagged", "reason"];

/// Flags the rows of a table again, prints them, and writes them to `csv` if it is given.
pub fn run(
    path: &Path,
    rule: Rule,
    csv: Option<&Target>,
    force: bool,
    fail: bool,
    global: &Global,
) -> Result<Exit, Fault> {
    let bytes = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    let about = |text: &str| Fault::Error(text.to_owned()).about(&path.display().to_string());
    let mut rows = cells(&bytes);
    if rows.is_empty() {
        return Err(about("is empty: name a table that `surprisal score --csv` wrote"));
    }
    let names = rows.remove(0);
    let at = COLUMNS.map(|name| names.iter().position(|n| n == name));
    let [Some(path_at), Some(score_at), Some(p_at), Some(flag_at), Some(reason_at)] = at else {
        return Err(about("lacks a column of: path, score, p_value, flagged, reason. Name a table that --csv wrote"));
    };
    if rows.iter().any(|row| row.len() != names.len()) {
        return Err(about("has rows with other numbers of cells than its first line"));
    }
    let scored: Vec<usize> = (0..rows.len()).filter(|i| !rows[*i][score_at].is_empty()).collect();
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    let results = scored.iter().map(|i| {
        let p = number(&rows[*i][p_at]);
        let missing = || about("has a score that is no number");
        Ok((number(&rows[*i][score_at]).ok_or_else(missing)?, p))
    });
    let results = results.collect::<Result<Vec<_>, Fault>>()?;
    if !matches!(rule, Rule::Top(_)) && results.iter().all(|(_, p)| p.is_none()) {
        return Err(about("has no p-values: use --top K"));
    }
    let flags = rule.flags(&results);
    for (i, flag) in scored.iter().zip(&flags) {
        rows[*i][flag_at] = flag.to_string();
    }
    if let Some(target) = csv {
        let line = |row: &Vec<String>| row.iter().map(|c| cell(c)).collect::<Vec<_>>().join(",") + "\n";
        let text: String = std::iter::once(&names).chain(&rows).map(line).collect();
        output::write(target, text.as_bytes(), None, force, false)?;
    }
    let mut order = scored.clone();
    order.sort_by(|a, b| {
        number(&rows[*b][score_at]).partial_cmp(&number(&rows[*a][score_at])).unwrap_or(std::cmp::Ordering::Equal)
    });
    for i in order {
        let row = &rows[i];
        let flag = if row[flag_at] == "true" { "ODD" } else { "   " };
        report::line(format!("{flag} p {}  {}  {}  {}", row[p_at], row[score_at], row[path_at], row[reason_at]))?;
    }
    let flagged = flags.iter().filter(|f| **f).count();
    report::note(global.quiet, format_args!("{flagged} of {} flagged by {}", scored.len(), rule.words()));
    Ok(if flagged > 0 && fail { Exit::Negative } else { Exit::Done })
}
