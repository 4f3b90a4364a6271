//! `surprisal score`

mod gallery;
mod maps;
pub mod normal;
mod page;
mod panel;
mod refit;
mod rows;
mod rule;
mod saved;
mod trained;

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, Input};
use super::options::{Global, ModelOptions, ReadingOptions};
use super::target::Target;
use super::{output, report};
use gallery::Gallery;
use normal::{NormalOptions, Source};
use panel::Panel;
use rows::Row;
use rule::Rule;
use std::io::BufRead;
use std::path::PathBuf;
use surprisal::codec::Progress;
use surprisal::score::{Calibration, Method, conformal};

/// Find the odd files: those unlike a collection of normal ones
///
/// Prints a line a file, the oddest first: its p-value, score, bits per dimension, whether it is flagged, and why. A file of many
/// pictures gives a line for each: file.idx#17 is the one after seventeen others. Pictures, recordings (WAV, FLAC) and texts are
/// compared with normal files of their own kind.
///
/// Of the files flagged at --fdr Q, a share of Q is normal on average over calibrations, if the normal files to calibrate with
/// and those scored come from the same source. A file is scored on its own: what else is scored with it changes no score.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, or - for a list of paths on standard input, one a line
    #[arg(required_unless_present = "from", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Normal files or folders to compare with, or what `surprisal calibrate` wrote
    #[arg(long, value_name = "DIR|FILE", required_unless_present_any = ["alone", "from"])]
    calibrate: Vec<PathBuf>,
    /// No normal files: rank the files against one another
    #[arg(long = "self", conflicts_with_all = ["calibrate", "p_max", "adapt", "background"])]
    alone: bool,
    /// Score nothing: flag the rows of a table that --csv wrote by another rule
    #[arg(long, value_name = "OUT.csv", conflicts_with_all = ["files", "calibrate", "alone", "report", "heatmaps", "jsonl", "cross", "adapt", "background"])]
    from: Option<PathBuf>,
    /// Flag so many that this share of the flagged ones is normal [default: 0.1]
    #[arg(long, value_name = "Q", value_parser = share)]
    fdr: Option<f64>,
    /// With --fdr: estimate how many of the files are normal, and flag more where many are odd (Storey 2002)
    #[arg(long, conflicts_with_all = ["top", "p_max", "alone"])]
    storey: bool,
    /// Flag the K oddest
    #[arg(long, value_name = "K", conflicts_with = "fdr")]
    top: Option<usize>,
    /// Flag p-values up to this
    #[arg(long, value_name = "P", value_parser = share, conflicts_with_all = ["fdr", "top"])]
    p_max: Option<f64>,
    /// For few normal files: fit on four fifths, five times, so that each gives a p-value. Smaller p-values, but no guarantee
    #[arg(long, conflicts_with_all = ["alone", "adapt"])]
    cross: bool,
    #[command(flatten)]
    normal: NormalOptions,
    /// Write all rows, with every statistic, into this file
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Write a page of results into this file: it needs no network, and shows where the oddest ones are odd
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Draw what was flagged into this folder, red where it is more surprising than expected and blue where less
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
    let report = args.report.clone().map(Target::File);
    for target in csv.iter().chain(&report) {
        output::check(target, None, args.force)?;
    }
    let rule = args.rule();
    if let Some(path) = &args.from {
        return saved::run(path, rule, csv.as_ref(), args.force, args.fail_on_outlier, global);
    }
    let models = args.model.models(global)?;
    let source = Source::new(&models, &args.model, &args.reading, &args.normal, global)?;
    let (panel, mut worst) = args.panel(&source)?;
    panel.check(rule.rate())?;
    if args.files.iter().any(|path| path.as_os_str() == "-") {
        return args.stream(&panel, &source, rule);
    }
    let (inputs, unread) = inputs::gather(&args.files, Folders::Walk, global.quiet);
    worst = worst.max(unread);
    let gallery = report.as_ref().map(|_| Gallery::new(page::DRAWINGS));
    let bar = Bar::new("scoring", global.quiet);
    bar.begin(inputs.len() as u64);
    let mut rows = Vec::new();
    for input in inputs.iter().enumerate() {
        rows.extend(rows::of(input, &panel, &source, gallery.as_ref()));
        bar.advance(1);
    }
    drop(bar);
    let flagged = rows::flag(&mut rows, rule);
    if let Some(folder) = &args.heatmaps {
        maps::write(folder, &inputs, &rows, &panel, &source, args.force)?;
    }
    rows::sort(&mut rows);
    if let Some(target) = &csv {
        output::write(target, rows::table(&rows).as_bytes(), None, args.force, false)?;
    }
    if let (Some(target), Some(gallery)) = (&report, gallery) {
        let (drawings, complete) = gallery.finish();
        let page = page::of(&rows, &args.about(&panel, rule), &drawings, complete);
        output::write(target, page.as_bytes(), None, args.force, false)?;
    }
    for row in &rows {
        report::line(if args.jsonl { row.json() } else { row.text() })?;
    }
    explain(&panel, rule, &rows, flagged, global.quiet);
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
            (None, None, Some(q)) => Rule::Rate { q, storey: self.storey },
            (None, None, None) if self.alone => Rule::Top(0),
            (None, None, None) => Rule::Rate { q: FDR, storey: self.storey },
        }
    }

    /// What files are compared with.
    fn panel(&self, source: &Source) -> Result<(Panel, Exit), Fault> {
        if self.alone {
            report::note(
                source.global.quiet,
                "--self: files are ranked against one another; without files known to be normal there are no p-values",
            );
            return source.alone(&self.files);
        }
        let (collection, worst) = match normal::file(&self.calibrate)? {
            Some(_) if self.cross || self.normal.is_given() => {
                let text = "--cross, --adapt and --background belong to `surprisal calibrate` here: the file says how";
                return Err(Fault::Error(text.to_owned()));
            }
            Some(collection) => (collection, Exit::Done),
            None => source.calibrate(&self.calibrate, if self.cross { Method::Cross } else { Method::Split })?,
        };
        Ok((source.panel(collection)?, worst))
    }

    /// What the page says about the run.
    fn about(&self, panel: &Panel, rule: Rule) -> page::About {
        let mut settings = vec![("flagged by", rule.words())];
        for (scorer, _) in &panel.0 {
            let fitted = if scorer.is_fitted() { ", fitted to normal files" } else { "" };
            settings.push(("model", format!("{} ({}), for {}{fitted}", scorer.name(), scorer.id(), scorer.medium())));
            if let Some(background) = scorer.background() {
                settings.push(("background model", format!("{} ({})", background.name(), background.id())));
            }
        }
        for calibration in panel.calibrations() {
            let (examples, scores) = (calibration.examples(), calibration.scores());
            let cross = if calibration.method() == Method::Cross { ", crosswise: no FDR guarantee" } else { "" };
            let text = format!("{examples} normal {}, p-values from {scores} of them{cross}", calibration.medium());
            settings.push(("calibration", text));
        }
        let words: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
        settings.push(("command", format!("surprisal {}", words.join(" "))));
        let normal = |c: &Calibration| (c.medium().to_string(), c.normal().to_vec());
        page::About { settings, normal: panel.calibrations().map(normal).collect() }
    }

    /// Scores the files whose paths come on standard input, each as it comes.
    fn stream(&self, panel: &Panel, source: &Source, rule: Rule) -> Result<Exit, Fault> {
        let files = self.csv.is_some() || self.heatmaps.is_some() || self.report.is_some();
        if !matches!(rule, Rule::P(_)) || self.files.len() > 1 || files {
            let text = "a list on standard input is scored as it comes: alone, with --p-max, without --csv, --report and --heatmaps";
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
            let mut rows: Vec<Row> = rows::of((0, &input), panel, source, None);
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

/// Says what the flags mean.
fn explain(panel: &Panel, rule: Rule, rows: &[Row], flagged: usize, quiet: bool) {
    let Rule::Rate { q, storey } = rule else { return };
    let Some(scores) = panel.calibrations().map(Calibration::scores).max() else { return };
    let files = rows.iter().filter(|row| row.judged.is_ok()).count();
    let mut text = format!("{flagged} of {files} flagged at a false discovery rate of {q}");
    if panel.calibrations().any(|c| c.method() == Method::Cross) {
        text += " (crosswise: no guarantee)";
    }
    let fewest = conformal::fewest(files, q, scores);
    match storey {
        true => report::note(quiet, text),
        false => {
            report::note(quiet, format_args!("{text}; with {scores} normal scores, no fewer than {fewest} could be"))
        }
    }
}
