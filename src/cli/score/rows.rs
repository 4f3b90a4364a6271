//! Rows of results: an example each, or a file that could not be read.

use super::gallery::Gallery;
use super::normal::Source;
use super::panel::Panel;
use super::rule::Rule;
use crate::cli::inputs::Input;
use crate::cli::report::cell;
use serde_json::json;
use surprisal::media::set::item_name;
use surprisal::score::statistics::{STATISTICS, index};
use surprisal::score::{DETECTORS, Detected, Example, Region, Summary};

/// An example, or a file that could not be read.
pub struct Row {
    /// Its name.
    pub path: String,
    /// Number of its input among all, and its own in the input.
    pub number: (usize, usize),
    /// The result, or why there is none.
    pub judged: Result<Judged, String>,
}

/// A result.
pub struct Judged {
    /// How odd it is.
    pub detected: Detected,
    /// Where there are normal files to compare it with.
    pub p_value: Option<f64>,
    /// Whether it is flagged.
    pub flagged: bool,
    /// Why it is as odd as it is.
    pub reason: String,
    content: [u8; 32],
    /// The block that the reason names.
    place: Option<Region>,
    values: Vec<f64>,
}

/// The rows of a file. What is drawn of them goes into `gallery`, if there is one.
pub fn of(
    (input_number, input): (usize, &Input),
    panel: &Panel,
    source: &Source,
    gallery: Option<&Gallery>,
) -> Vec<Row> {
    let name = input.name();
    let judged = || -> Result<Vec<Judged>, String> {
        let file = input.read(false).map_err(|fault| fault.to_string())?;
        let (scorer, judge) = panel.of(&file, source)?;
        let one = |number: usize, example: &Example| {
            let summary = example.summary();
            let (detected, p_value, (reason, place)) = judge.judge(&summary);
            if let Some(gallery) = gallery {
                gallery.offer((input_number, number), detected.score, example, place);
            }
            let Summary { content, values, .. } = summary;
            Judged { detected, p_value, flagged: false, reason, content, place, values }
        };
        scorer.each(&file, source.reading, one).map_err(|e| e.to_string())
    };
    match judged() {
        Err(fault) => vec![Row { path: name, number: (input_number, 0), judged: Err(fault) }],
        Ok(all) => {
            let count = all.len();
            let row = |(number, judged)| Row {
                path: item_name(&name, number, count),
                number: (input_number, number),
                judged: Ok(judged),
            };
            all.into_iter().enumerate().map(row).collect()
        }
    }
}

/// Flags rows; how many.
pub fn flag(rows: &mut [Row], rule: Rule) -> usize {
    let results = || rows.iter().filter_map(|row| row.judged.as_ref().ok());
    let flags = rule.flags(&results().map(|judged| (judged.detected.score, judged.p_value)).collect::<Vec<_>>());
    for (judged, flag) in rows.iter_mut().filter_map(|row| row.judged.as_mut().ok()).zip(&flags) {
        judged.flagged = *flag;
    }
    flags.iter().filter(|flag| **flag).count()
}

/// The oddest first, then what could not be read.
pub fn sort(rows: &mut [Row]) {
    let key = |row: &Row| row.judged.as_ref().map_or(f64::NEG_INFINITY, |judged| judged.detected.score);
    rows.sort_by(|a, b| key(b).total_cmp(&key(a)));
}

/// Names of the detectors and statistics.
fn names() -> impl Iterator<Item = &'static str> {
    DETECTORS.into_iter().chain(STATISTICS.iter().map(|s| s.name))
}

impl Judged {
    /// What [`names`] name.
    fn figures(&self) -> impl Iterator<Item = f64> {
        [self.detected.mahalanobis, self.detected.density].into_iter().chain(self.values.iter().copied())
    }
}

/// Bits per dimension, which is one of the statistics.
pub fn bpd(judged: &Judged) -> f64 {
    index("bits").map_or(0.0, |i| judged.values[i])
}

/// All rows with commas between and a line of names above.
pub fn table(rows: &[Row]) -> String {
    let names: Vec<&str> = names().collect();
    let mut text = format!("path,bpd,score,p_value,flagged,reason,{}\n", names.join(","));
    for row in rows {
        let path = cell(&row.path);
        text += &match &row.judged {
            Err(fault) => format!("{path},,,,,{}{}\n", cell(fault), ",".repeat(names.len())),
            Ok(judged) => {
                let values: Vec<String> = judged.figures().map(|v| format!("{v:.6}")).collect();
                let (score, flagged) = (judged.detected.score, judged.flagged);
                let p = judged.p_value.map(|p| format!("{p:.6}")).unwrap_or_default();
                let bpd = bpd(judged);
                format!("{path},{bpd:.6},{score:.6},{p},{flagged},{},{}\n", cell(&judged.reason), values.join(","))
            }
        };
    }
    text
}

impl Row {
    /// A hash of its content and its strangest block, if it is flagged.
    pub fn flagged(&self) -> Option<([u8; 32], Option<Region>)> {
        self.judged.as_ref().ok().filter(|judged| judged.flagged).map(|judged| (judged.content, judged.place))
    }

    /// Its name as that of a file: nothing in it leads elsewhere.
    pub fn file_name(&self) -> String {
        let safe = |c: char| if c.is_alphanumeric() || "-_#. ".contains(c) { c } else { '_' };
        self.path.chars().map(safe).collect::<String>().trim_start_matches('.').to_owned()
    }

    /// A line for people.
    pub fn text(&self) -> String {
        match &self.judged {
            Err(fault) => format!("   not scored: {}: {fault}", self.path),
            Ok(judged) => {
                let p = judged.p_value.map_or("       ".to_owned(), |p| format!("p {p:.4}"));
                let flag = if judged.flagged { "ODD" } else { "   " };
                format!(
                    "{flag} {p}  {:8.2}  {:8.4} bpd  {}  {}",
                    judged.detected.score,
                    bpd(judged),
                    self.path,
                    judged.reason
                )
            }
        }
    }

    /// A line for programs.
    pub fn json(&self) -> String {
        match &self.judged {
            Err(fault) => json!({ "path": self.path, "error": fault }).to_string(),
            Ok(judged) => {
                let figures = names().zip(judged.figures());
                let statistics: serde_json::Map<_, _> = figures.map(|(name, v)| (name.to_owned(), json!(v))).collect();
                json!({
                    "path": self.path, "bpd": bpd(judged), "score": judged.detected.score, "p_value": judged.p_value,
                    "flagged": judged.flagged, "reason": judged.reason, "statistics": statistics,
                })
                .to_string()
            }
        }
    }
}
