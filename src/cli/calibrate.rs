//! `surprisal calibrate`

use super::fault::{Exit, Fault};
use super::options::{Global, ModelOptions, ReadingOptions};
use super::score::normal;
use super::target::Target;
use super::{output, report};
use std::path::{Path, PathBuf};
use surprisal::codec::Effort;
use surprisal::score::Model;

/// Learn what normal files are like, for `surprisal score`
///
/// One half of the files is fitted, and p-values come from the other half: for a false discovery rate of 0.1 at least 20 files
/// are needed, for 0.01 at least 200, and the more there are, the fewer odd files can be flagged with confidence. Files that hold
/// many pictures count as many.
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
    let model = Model::find(&models, Effort::MIN.level()).map_err(|e| Fault::Error(e.to_string()))?;
    let (calibration, worst) = normal::calibrate(&args.files, &model, args.reading.reading(), global)?;
    output::write(&target, &calibration.to_bytes(), None::<&Path>, args.force, true)?;
    let smallest = calibration.p_value(f64::INFINITY);
    report::note(global.quiet, format_args!("{}; the smallest p-value is {smallest:.2e}", args.output.display()));
    Ok(worst)
}
