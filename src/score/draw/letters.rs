//! The part of a text around its strangest place, with a colour for each letter.

use super::super::example::{Example, Region};
use super::super::statistics::blocks::SLACK;

/// Bytes that are shown at most.
const MOST: usize = 600;
/// Letters on each side whose surprise is averaged with a letter's own.
const REACH: usize = 1;
/// Deviations that are drawn in full colour.
const FULL: f64 = 4.0;

/// A part of a text, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    /// Number of the first byte that is shown.
    pub first: usize,
    /// Characters that follow one another, and how odd they are: -4 (as blue as can be) to 4 (as red).
    pub runs: Vec<(String, i8)>,
}

impl Letters {
    /// The part of a text around its strangest block, or its strangest letters; all of a short one; `None` of an empty one.
    pub fn of(example: &Example, strangest: Option<Region>) -> Option<Self> {
        let places = example.places();
        let z = |i: usize| {
            let near = &places[i.saturating_sub(REACH)..(i + REACH + 1).min(places.len())];
            let sum = near.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1] + SLACK]);
            sum[0] / sum[1].sqrt()
        };
        let odd: Vec<f64> = (0..places.len()).map(z).collect();
        let (loudest, _) = odd.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
        let middle = strangest.map_or(loudest, |region| (region.x + region.width / 2).min(odd.len() - 1));
        let first = middle.saturating_sub(MOST / 2).min(places.len().saturating_sub(MOST));
        let end = (first + MOST).min(places.len());
        let mut runs: Vec<(Vec<u8>, i8)> = Vec::new();
        for (symbol, odd) in example.symbols[first..end].iter().zip(&odd[first..end]) {
            let (byte, level) = (*symbol as u8, (odd / FULL * 4.0).clamp(-4.0, 4.0).round() as i8);
            match runs.last_mut() {
                // A character of several bytes has the colour of its first.
                Some((run, last)) if *last == level || byte & 0xc0 == 0x80 => run.push(byte),
                _ => runs.push((vec![byte], level)),
            }
        }
        let runs = runs.into_iter().map(|(run, level)| (String::from_utf8_lossy(&run).into_owned(), level)).collect();
        Some(Self { first, runs })
    }

    /// A page of it.
    pub fn html(&self) -> String {
        let mut page =
            "<!doctype html><meta charset=utf-8><title>surprisal</title><pre style=\"white-space:pre-wrap\">"
                .to_owned();
        for (run, level) in &self.runs {
            let text = run.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let share = f64::from(level.abs()) / 5.0;
            let colour = if *level > 0 { "230,30,30" } else { "30,80,230" };
            page += &match level {
                0 => text,
                _ => format!("<span style=\"background:rgba({colour},{share})\">{text}</span>"),
            };
        }
        page + "</pre>\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Score;
    use crate::score::Kind;

    #[test]
    fn what_is_odd_is_coloured_and_nothing_is_a_tag() {
        let text: Vec<u16> = b"all is <b>well</b> & the \xc3\xbc sleeps".iter().map(|b| u16::from(*b)).collect();
        let one = 1 << Score::FRACTION;
        let mut scores = vec![Score { surprise: 2 * one, entropy: 2 * one, variance: one }; text.len()];
        scores[8].surprise = 20 * one;
        let example = Example::new(Kind::Text, [1, text.len(), 1], 256, &text, &scores);
        let letters = Letters::of(&example, None).unwrap();
        assert_eq!(
            letters.runs.iter().map(|r| r.0.as_str()).collect::<String>(),
            "all is <b>well</b> & the \u{fc} sleeps"
        );
        assert_eq!(letters.runs[1], ("<b>".to_owned(), 4));
        assert!(letters.html().contains(">&lt;b&gt;</span>well&lt;/b&gt; &amp;"), "{}", letters.html());
        assert_eq!(Letters::of(&Example { width: 0, symbols: &[], scores: &[], ..example }, None), None);
    }
}
