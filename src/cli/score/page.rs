//! A page of results: one file of HTML that needs no network.
//!
//! What must stay true: nothing that a file is called or holds can become a part of the page's markup or program; the page has at
//! most [`MOST`] bytes, whatever the number of rows, unless their text alone is more.

use super::gallery::Drawn;
use super::rows::{self, Row};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Bytes of a page.
pub const MOST: usize = 29 << 20;
/// Bytes of the drawings in it.
pub const DRAWINGS: usize = 18 << 20;

/// The page without its data.
const PAGE: &str = include_str!("page.html");
const DATA: &str = "@DATA@";
/// Points of a curve at most.
const POINTS: usize = 400;

/// What a page says besides rows.
pub struct About {
    /// Names and values of settings.
    pub settings: Vec<(&'static str, String)>,
    /// Scores of normal files of each calibration, lowest first, and what they are.
    pub normal: Vec<(String, Vec<f64>)>,
}

/// The page. `rows` are in order; `drawings` are of rows of these numbers, and are all there are if `complete`.
pub fn of(rows: &[Row], about: &About, drawings: &BTreeMap<(usize, usize), Drawn>, complete: bool) -> String {
    let (before, after) = PAGE.split_once(DATA).expect("the page has a place for its data");
    let mut data = table(rows);
    data.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    data.insert("settings".to_owned(), json!(about.settings));
    let normal =
        |(name, scores): &(String, Vec<f64>)| json!({ "name": name, "scores": some(scores), "check": check(scores) });
    data.insert("normal".to_owned(), about.normal.iter().map(normal).collect());
    let mut size = before.len() + after.len() + safe(&Value::Object(data.clone())).len();
    let (mut drawn, mut all) = (Map::new(), complete);
    for (i, row) in rows.iter().enumerate() {
        let Some(drawing) = drawings.get(&row.number).filter(|_| row.judged.is_ok()) else { continue };
        if size + drawing.size() + 64 > MOST {
            all = false;
            break;
        }
        size += drawing.size() + 64;
        let value = match drawing {
            Drawn::Pictures([small, large]) => json!([small, large]),
            Drawn::Letters(letters) => json!({ "first": letters.first, "runs": letters.runs }),
        };
        drawn.insert(i.to_string(), value);
    }
    data.insert("complete".to_owned(), json!(all));
    data.insert("drawings".to_owned(), Value::Object(drawn));
    format!("{before}{}{after}", safe(&Value::Object(data)))
}

/// Columns of the rows.
fn table(rows: &[Row]) -> Map<String, Value> {
    let round = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    let column = |of: &dyn Fn(&rows::Judged) -> Value| -> Value {
        rows.iter().map(|row| row.judged.as_ref().map_or(Value::Null, of)).collect()
    };
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("path", rows.iter().map(|row| json!(row.path)).collect());
    put("score", column(&|j| json!(round(j.detected.score, 3))));
    put("p", column(&|j| j.p_value.map_or(Value::Null, |p| json!(round(p, 6)))));
    put("bpd", column(&|j| json!(round(rows::bpd(j), 4))));
    put("flagged", column(&|j| json!(u8::from(j.flagged))));
    put("reason", rows.iter().map(|row| row.judged.as_ref().map_or_else(|e| json!(e), |j| json!(j.reason))).collect());
    data
}

/// Some of the sorted values, evenly spaced in rank.
fn some(sorted: &[f64]) -> Vec<f64> {
    let n = sorted.len();
    (0..n.min(POINTS)).map(|i| sorted[i * (n - 1) / (n.min(POINTS) - 1).max(1)]).collect()
}

/// p-values of every second normal score by those between: uniform if the scores are a sample of one distribution.
fn check(sorted: &[f64]) -> Vec<f64> {
    // By rank they would alternate, so they are shuffled by their last digits.
    let mut shuffled: Vec<(u64, f64)> =
        sorted.iter().map(|s| (s.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11, *s)).collect();
    shuffled.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (one, other) = shuffled.split_at(sorted.len() / 2);
    let mut one: Vec<f64> = one.iter().map(|s| s.1).collect();
    one.sort_by(f64::total_cmp);
    let mut p: Vec<f64> = other.iter().map(|s| surprisal::score::conformal::p_value(&one, s.1)).collect();
    p.sort_by(f64::total_cmp);
    some(&p)
}

/// JSON that can stand in an element of HTML: nothing in it ends the element or begins another.
fn safe(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text += &format!("\\u{:04x}", c as u32),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_data_and_nothing_else() {
        let evil = "a\"'</script><script>alert(1)</script><!-- \u{2028}&amp;";
        let row = Row { path: evil.to_owned(), number: (0, 0), judged: Err("broken".to_owned()) };
        let about =
            About { settings: vec![("command", evil.to_owned())], normal: vec![(evil.to_owned(), vec![1.0, 2.0])] };
        let page = of(&[row], &about, &BTreeMap::new(), true);
        let empty = of(&[], &About { settings: vec![], normal: vec![] }, &BTreeMap::new(), true);
        for mark in ["</script", "<script", "<!--"] {
            assert_eq!(page.matches(mark).count(), empty.matches(mark).count(), "{mark}");
        }
        let mark = "<script type=\"application/json\" id=\"data\">";
        let from = page.find(mark).expect("data") + mark.len();
        let data: Value = serde_json::from_str(page[from..].split("</script").next().unwrap()).unwrap();
        assert_eq!((data["path"][0].as_str(), data["reason"][0].as_str()), (Some(evil), Some("broken")));
        assert!(!page.contains("http://") && !page.contains("https://") || page.contains("www.w3.org"));
    }

    #[test]
    fn drawings_are_left_out_before_a_page_is_too_large() {
        let row = |i: usize| Row { path: format!("{i}"), number: (i, 0), judged: Err("x".repeat(600)) };
        let rows: Vec<Row> = (0..40_000).map(row).collect();
        let page = of(&rows, &About { settings: vec![], normal: vec![] }, &BTreeMap::new(), false);
        assert!(page.len() < MOST && page.contains("\"complete\":false"));
    }

    #[test]
    fn the_check_of_a_sample_is_uniform() {
        let sorted: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.731).collect();
        let p = check(&sorted);
        assert_eq!(p.len(), POINTS);
        assert!((p[POINTS / 2] - 0.5).abs() < 0.06 && (p[POINTS / 10] - 0.1).abs() < 0.04, "{p:?}");
    }
}
