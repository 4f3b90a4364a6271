//! The history of a training as a picture: bits per dimension against examples seen.
//!
//! What must stay true: the figure shows the rows that it was given and nothing else; where a curve leaves the figure (the
//! first steps, which are far above the rest) it is cut, not bent.

use super::csv::Point;
use plotters::prelude::*;

/// Width and height, in pixels.
const SIZE: (u32, u32) = (900, 540);
/// Colours that people who confuse red and green tell apart.
const TRAINING: RGBColor = RGBColor(86, 140, 190);
const VALIDATION: RGBColor = RGBColor(213, 94, 0);

/// An SVG of training and validation bits per dimension.
///
/// # Errors
/// When there is nothing to show.
pub fn svg(points: &[Point]) -> Result<String, String> {
    let training = curve(points, |p| Some(p.train));
    let validation = curve(points, |p| p.validation);
    let (right, [low, high]) = range(&training, &validation).ok_or("there is nothing to draw yet")?;
    let mut text = String::new();
    draw(&mut text, &training, &validation, right, [low, high]).map_err(|e| e.to_string())?;
    Ok(text)
}

/// Millions of examples and bits, as far as they are numbers.
fn curve(points: &[Point], bits: impl Fn(&Point) -> Option<f64>) -> Vec<(f64, f64)> {
    let all = points.iter().filter_map(|p| Some((p.examples as f64 / 1e6, bits(p)?)));
    all.filter(|(_, bits)| bits.is_finite()).collect()
}

/// The last number of examples, and the lowest and highest bits that are shown: those of the last nineteen twentieths, and a
/// little more.
fn range(training: &[(f64, f64)], validation: &[(f64, f64)]) -> Option<(f64, [f64; 2])> {
    let all = || training.iter().chain(validation);
    let right = all().map(|p| p.0).reduce(f64::max)?;
    let shown = all().filter(|p| p.0 >= right / 20.0).map(|p| p.1);
    let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), bits| (l.min(bits), h.max(bits)));
    let margin = ((high - low) * 0.06).max(0.005);
    Some((right.max(1e-6), [low - margin, high + margin]))
}

type Failed = Box<dyn std::error::Error>;

fn draw(
    text: &mut String,
    training: &[(f64, f64)],
    validation: &[(f64, f64)],
    right: f64,
    [low, high]: [f64; 2],
) -> Result<(), Failed> {
    let area = SVGBackend::with_string(text, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, low..high)?;
    chart
        .configure_mesh()
        .x_desc("million examples seen")
        .y_desc("bits per dimension")
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 16))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let is_shown = |p: &&(f64, f64)| (low..=high).contains(&p.1);
    let mut line = |points: &[(f64, f64)], name: &str, colour: RGBColor| -> Result<(), Failed> {
        let points: Vec<_> = points.iter().filter(is_shown).copied().collect();
        if points.is_empty() {
            return Ok(());
        }
        // A single point is no line.
        chart.draw_series(points.iter().map(|p| Circle::new(*p, 2, colour.filled())))?;
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(3)));
        Ok(())
    };
    line(training, "training", TRAINING)?;
    line(validation, "validation", VALIDATION)?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(("sans-serif", 14))
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: u64, train: f64, validation: Option<f64>) -> Point {
        Point { step, examples: step * 1_000_000, seconds: step as f64, train, validation, lr: 1e-3 }
    }

    #[test]
    fn the_figure_has_axes_a_legend_and_both_curves() {
        let points: Vec<_> = (1..=40).map(|i| point(i, 3.0 + 1.0 / i as f64, (i % 10 == 0).then_some(3.2))).collect();
        let figure = svg(&points).unwrap();
        assert!(figure.starts_with("<svg") && figure.trim_end().ends_with("</svg>"));
        for text in ["million examples seen", "bits per dimension", "training", "validation"] {
            assert!(figure.contains(text), "{text}");
        }
        // A line of each, in its colour, with as many points as are shown: the first (4 bits) is cut.
        let line = |colour: &str| {
            let line =
                figure.lines().find(|l| l.starts_with("<polyline") && l.contains(colour) && l.contains("=\"2\""));
            line.unwrap().split("points=\"").nth(1).unwrap().split('"').next().unwrap().split_whitespace().count()
        };
        assert_eq!((line("#568CBE"), line("#D55E00")), (39, 4));
        assert_eq!(svg(&points).unwrap(), figure);
    }

    #[test]
    fn short_and_strange_histories_are_drawn_or_refused() {
        assert!(svg(&[]).unwrap_err().contains("nothing"));
        assert!(svg(&[point(1, f64::NAN, None)]).is_err());
        for points in [
            vec![point(1, 3.0, None)],
            vec![point(0, 3.0, Some(3.0))],
            vec![point(1, 3.0, None), point(2, f64::INFINITY, Some(2.0)), point(u64::MAX / 1_000_000, 3.0, None)],
        ] {
            assert!(svg(&points).unwrap().contains("<circle"));
        }
    }
}
