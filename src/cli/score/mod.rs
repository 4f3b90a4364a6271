//! `surprisal score`

mod maps;
pub mod normal;
mod rows;

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, Input};
use super::options::{Global, ModelOptions, Reading, ReadingOptions};
use super::target::Target;
use super::{output, report};
use rows::{Judge, Row, Rule};
use std::io::BufRead;
use std::path::PathBuf;
use surprisal::codec::{Effort, Progress};
use surprisal::score::{Fit, MIN_FILES, Model, conformal};

/// Find the odd files: those unlike a collection of normal ones
///
/// Prints a line a file, the oddest first: its p-value, score, bits per dimension, whether it is flagged, and why. A file of many
/// pictures gives a line for each: file.idx#17 is the one after seventeen others.
///
/// Of the files flagged at --fdr Q, a share of Q is normal on average over calibrations, if the normal files to calibrate with
/// and those scored come from the same source. A file is scored on its own: what else is scored with it changes no score.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, or - for a list of paths on standard input, one a line
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Normal files or folders to compare with, or what `surprisal calibrate` wrote
    #[arg(long, value_name = "DIR|FILE", required_unless_present = "alone")]
    calibrate: Vec<PathBuf>,
    /// No normal files: rank the files against one another
    #[arg(long = "self", conflicts_with_all = ["calibrate", "p_max"])]
    alone: bool,
    /// Flag so many that this share of the flagged ones is normal [default: 0.1]
    #[arg(long, value_name = "Q", value_parser = share)]
    fdr: Option<f64>,
    /// Flag the K oddest
    #[arg(long, value_name = "K", conflicts_with = "fdr")]
    top: Option<usize>,
    /// Flag p-values up to this
    #[arg(long, value_name = "P", value_parser = share, conflicts_with_all = ["fdr", "top"])]
    p_max: Option<f64>,
    /// Write all rows, with every statistic, into this file
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Draw each flagged picture into this folder, red where it is more surprising than expected and blue where less
    #[arg(long, value_name = "DIR")]
    heatmaps: Option<PathBuf>,
    /// Print a line of JSON for each row
    #[arg(long)]
    jsonl: bool,
    /// Exit with 1 if any file is flagged
    #[arg(long)]
    fail_on_outlier: bool,
    /// Overwrite outputs that exist
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    reading: ReadingOptions,
}

const FDR: f64 = 0.1;

/// A number above 0 and below 1.
fn share(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok();
    value.filter(|v| *v > 0.0 && *v < 1.0).ok_or_else(|| "a number above 0 and below 1 is needed".to_owned())
}

/// Scores.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let csv = args.csv.clone().map(Target::File);
    if let Some(target) = &csv {
        output::check(target, None, args.force)?;
    }
    let models = args.model.models(global)?;
    let saved = normal::file(&args.calibrate)?;
    let model = match &saved {
        Some(calibration) => Model::with_id(&models, calibration.model()),
        None => Model::find(&models, Effort::MIN.level()),
    };
    let model = model.map_err(|e| Fault::Error(e.to_string()))?;
    let rule = args.rule();
    let reading = args.reading.reading();
    let (judge, mut worst) = match (saved, args.alone) {
        (Some(calibration), _) => (Judge::Calibrated(calibration), Exit::Done),
        (None, false) => {
            let (calibration, worst) = normal::calibrate(&args.calibrate, &model, reading, global)?;
            (Judge::Calibrated(calibration), worst)
        }
        (None, true) => {
            let (all, worst) = normal::summaries(&args.files, &model, reading, global)?;
            let fit = (all.len() >= MIN_FILES).then(|| Fit::new(&all)).flatten();
            let text = format!("--self: fewer than {MIN_FILES} files, or all alike: there is nothing to rank them by");
            report::note(
                global.quiet,
                "--self: files are ranked against one another; without files known to be normal there are no p-values",
            );
            (Judge::Alone(fit.ok_or(Fault::Error(text))?), worst)
        }
    };
    judge.check(rule)?;
    if args.files.iter().any(|path| path.as_os_str() == "-") {
        return args.stream(&model, &judge, rule, reading);
    }
    let (inputs, unread) = inputs::gather(&args.files, Folders::Walk, global.quiet);
    worst = worst.max(unread);
    let bar = Bar::new("scoring", global.quiet);
    bar.begin(inputs.len() as u64);
    let mut rows = Vec::new();
    for input in inputs.iter().enumerate() {
        rows.extend(rows::of(input, &model, &judge, reading));
        bar.advance(1);
    }
    drop(bar);
    let flagged = rows::flag(&mut rows, rule);
    if let Some(folder) = &args.heatmaps {
        maps::write(folder, &inputs, &rows, &model, reading, args.force)?;
    }
    rows::sort(&mut rows);
    if let Some(target) = &csv {
        output::write(target, rows::table(&rows).as_bytes(), None, args.force, false)?;
    }
    for row in &rows {
        report::line(if args.jsonl { row.json() } else { row.text() })?;
    }
    judge.explain(rule, &rows, flagged, global.quiet);
    if rows.iter().any(|row| row.judged.is_err()) {
        worst = Exit::Error;
    }
    Ok(if flagged > 0 && args.fail_on_outlier { worst.max(Exit::Negative) } else { worst })
}

impl Args {
    fn rule(&self) -> Rule {
        match (self.top, self.p_max, self.fdr) {
            (Some(count), _, _) => Rule::Top(count),
            (None, Some(p), _) => Rule::P(p),
            (None, None, Some(q)) => Rule::Rate(q),
            (None, None, None) if self.alone => Rule::Top(0),
            (None, None, None) => Rule::Rate(FDR),
        }
    }

    /// Scores the files whose paths come on standard input, each as it comes.
    fn stream(&self, model: &Model, judge: &Judge, rule: Rule, reading: Reading) -> Result<Exit, Fault> {
        if !matches!(rule, Rule::P(_)) || self.files.len() > 1 || self.csv.is_some() || self.heatmaps.is_some() {
            let text =
                "a list on standard input is scored as it comes: alone, with --p-max, without --csv and --heatmaps";
            return Err(Fault::Error(text.to_owned()));
        }
        let mut worst = Exit::Done;
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| Fault::io(std::path::Path::new("standard input"), "read", &e))?;
            if line.is_empty() {
                continue;
            }
            let path = PathBuf::from(line);
            let input = Input::File { relative: path.clone(), path };
            let mut rows: Vec<Row> = rows::of((0, &input), model, judge, reading);
            let flagged = rows::flag(&mut rows, rule);
            for row in rows {
                worst = worst.max(if row.judged.is_err() { Exit::Error } else { Exit::Done });
                report::line(if self.jsonl { row.json() } else { row.text() })?;
            }
            if flagged > 0 && self.fail_on_outlier {
                worst = worst.max(Exit::Negative);
            }
        }
        Ok(worst)
    }
}

impl Judge {
    /// Refuses a false discovery rate that nothing could be flagged at.
    fn check(&self, rule: Rule) -> Result<(), Fault> {
        let Rule::Rate(q) = rule else { return Ok(()) };
        let Self::Calibrated(calibration) = self else {
            return Err(Fault::Error("--self has no p-values, so --fdr means nothing: use --top K".to_owned()));
        };
        let (given, needed) = (calibration.sizes().1, conformal::needed(q));
        if given < needed {
            let text =
                format!("p-values come from {given} normal files, and at --fdr {q} at least {needed} are needed");
            return Err(Fault::Error(format!("{text}: give {} normal files in all, or a larger --fdr", 2 * needed)));
        }
        Ok(())
    }

    /// Says what the flags mean.
    fn explain(&self, rule: Rule, rows: &[Row], flagged: usize, quiet: bool) {
        if let (Self::Calibrated(calibration), Rule::Rate(q)) = (self, rule) {
            let files = rows.iter().filter(|row| row.judged.is_ok()).count();
            let fewest = conformal::fewest(files, q, calibration.sizes().1);
            let text = format!("{flagged} of {files} flagged at a false discovery rate of {q}");
            let least = format!("with {} normal scores, no fewer than {fewest} could be", calibration.sizes().1);
            report::note(quiet, format_args!("{text}; {least}"));
        }
    }
}
