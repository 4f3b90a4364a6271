//! `surprisal calibrate`

use super::fault::{Exit, Fault};
use super::options::{Global, ModelOptions, ReadingOptions};
use super::score::normal::{NormalOptions, Source};
use super::target::Target;
use super::{output, report};
use std::path::{Path, PathBuf};
use surprisal::score::Method;

/// Learn what normal files are like, for `surprisal score`
///
/// One half of the files is fitted, and p-values come from the other half: for a false discovery rate of 0.1 at least 20 files
/// are needed, for 0.01 at least 200, and the more there are, the fewer odd files can be flagged with confidence. Files that hold
/// many pictures count as many. Pictures, recordings and texts are calibrated apart.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Normal files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelOptions,
    /// Where the calibration goes
    #[arg(short, long, value_name = "OUT.cal")]
    output: PathBuf,
    /// For few files: fit on four fifths, five times, so that each gives a p-value. Smaller p-values, but no guarantee
    #[arg(long, conflicts_with = "adapt")]
    cross: bool,
    #[command(flatten)]
    normal: NormalOptions,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    reading: ReadingOptions,
}

/// Calibrates.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let target = Target::File(args.output.clone());
    output::check(&target, None, args.force)?;
    let models = args.model.models(global)?;
    let source = Source::new(&models, &args.model, &args.reading, &args.normal, global)?;
    let method = if args.cross { Method::Cross } else { Method::Split };
    let (collection, worst) = source.calibrate(&args.files, method)?;
    output::write(&target, &collection.to_bytes(), None::<&Path>, args.force, true)?;
    for calibration in collection.iter() {
        let (file, medium, smallest) = (args.output.display(), calibration.medium(), calibration.smallest());
        report::note(global.quiet, format_args!("{file}: {medium}: the smallest p-value is {smallest:.2e}"));
    }
    Ok(worst)
}
