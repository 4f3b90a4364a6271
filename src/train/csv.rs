//! The history of a training: a row for each report, as comma-separated values.
//!
//! What must stay true: what is written reads back as the same rows, bit for bit, so that a resumed training goes on with
//! the history that it had.

use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How far a training was, and how well the network did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    pub step: u64,
    /// Examples seen: pixels of photographs, else pictures or pieces of text.
    pub examples: u64,
    /// Time spent training, in all runs together.
    pub seconds: f64,
    /// Bits per dimension of the steps since the row before.
    pub train: f64,
    /// Bits per dimension of the pictures that are held out, where they were measured.
    pub validation: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
}

/// The first line.
const HEADER: &str = "step,examples,seconds,training_bits,validation_bits,learning_rate";

/// The file of these rows.
pub fn text(points: &[Point]) -> String {
    let mut text = format!("{HEADER}\n");
    for p in points {
        let validation = p.validation.map(|v| v.to_string()).unwrap_or_default();
        writeln!(text, "{},{},{},{},{validation},{}", p.step, p.examples, p.seconds, p.train, p.lr)
            .expect("a string takes everything");
    }
    text
}

/// The rows of a file.
///
/// # Errors
/// The line that is none, counted from 1.
pub fn parse(text: &str) -> Result<Vec<Point>, String> {
    let mut lines = text.lines().zip(1..);
    match lines.next() {
        Some((HEADER, _)) => lines.map(|(line, n)| row(line).ok_or_else(|| format!("line {n} is no row"))).collect(),
        _ => Err(format!("line 1 is not '{HEADER}'")),
    }
}

fn row(line: &str) -> Option<Point> {
    let fields: Vec<&str> = line.split(',').collect();
    let [step, examples, seconds, train, validation, lr] = fields[..] else { return None };
    let validation = if validation.is_empty() { None } else { Some(validation.parse().ok()?) };
    Some(Point {
        step: step.parse().ok()?,
        examples: examples.parse().ok()?,
        seconds: seconds.parse().ok()?,
        train: train.parse().ok()?,
        validation,
        lr: lr.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_as_they_were() {
        let third = 1.0 / 3.0;
        let points = [
            Point { step: 1, examples: 6144, seconds: 0.1 + 0.2, train: 7.9, validation: None, lr: 1e-5 },
            Point {
                step: 500,
                examples: u64::MAX,
                seconds: third,
                train: f64::INFINITY,
                validation: Some(third),
                lr: 2e-3,
            },
        ];
        let written = text(&points);
        assert!(
            written.starts_with("step,examples,seconds,training_bits,validation_bits,learning_rate\n1,6144,0.3000")
        );
        assert_eq!(parse(&written).unwrap(), points);
        assert_eq!(parse(&text(&[])).unwrap(), []);
        let not_a_number = Point { train: f64::NAN, ..points[0] };
        assert!(parse(&text(&[not_a_number])).unwrap()[0].train.is_nan());
    }

    #[test]
    fn other_files_are_refused_by_line() {
        assert!(parse("").unwrap_err().contains("line 1"));
        assert!(parse("step,loss\n1,2\n").unwrap_err().contains("line 1"));
        for row in ["", "1,2,3,4,5", "1,2,3,4,5,6,7", "-1,2,3,4,5,6", "1,2,3,x,,6"] {
            let text = format!("{HEADER}\n1,2,3,4,,6\n{row}\n");
            assert_eq!(parse(&text).unwrap_err(), "line 3 is no row", "{row}");
        }
    }
}
