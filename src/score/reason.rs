//! Why an example has its score, in words.

use super::example::{Region, Summary};
use super::fit::Fit;
use super::statistics::STATISTICS;

/// Which statistic lies farthest from those of normal files, in which direction and by how much, and where in the example; also that
/// block, which is least like those of normal files.
pub fn reason(fit: &Fit, summary: &Summary) -> (String, Option<Region>) {
    let place = fit.place(summary);
    let region = place.map(|(region, _)| region);
    let deviations = fit.deviations(summary);
    let varying = deviations.iter().enumerate().filter_map(|(i, z)| z.map(|z| (i, z)));
    let Some((number, z)) = varying.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) else {
        return (String::new(), region);
    };
    let what = STATISTICS[number].what;
    let direction = if z < 0.0 { "below" } else { "above" };
    let distance = if z.abs() < 1000.0 { format!("{:.1}", z.abs()) } else { "over 1000".to_owned() };
    let words =
        |(r, what): (Region, &str)| format!(", strangest at x {} y {} ({} x {}): {what}", r.x, r.y, r.width, r.height);
    let text = format!("its {what} is {distance} sd {direction} normal{}", place.map(words).unwrap_or_default());
    (text, region)
}
