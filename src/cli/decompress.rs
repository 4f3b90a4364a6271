//! `surprisal decompress`

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{Global, LimitOptions, ModelOptions};
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::json;
use std::path::{Path, PathBuf};
use surprisal::codec::{self, Models};

/// Restore files from .srp streams
///
/// FILE.srp becomes FILE beside it. The stream is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Streams, or - for standard input
    #[arg(required = true, value_name = "FILE.srp")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: TargetOptions,
    /// Print one line of JSON a file
    #[arg(long, conflicts_with = "stdout")]
    json: bool,
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    limit: LimitOptions,
}

/// Restores every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (inputs, worst) = inputs::gather(&args.files, Folders::Refuse("name the streams in it"), global.quiet);
    let mut targets = args.target.plan(inputs.len(), true)?;
    let models = args.models.models(global)?;
    let done = report::each(inputs, |input| {
        let target = targets.of(&input, without_extension)?;
        output::check(&target, input.path(), args.target.force)?;
        one(args, global, &input, &target, &models)
    })?;
    Ok(worst.max(done))
}

/// The path without its `.srp`.
fn without_extension(path: &Path) -> Result<PathBuf, Fault> {
    if path.extension().is_some_and(|e| e == EXTENSION) && path.file_stem().is_some() {
        return Ok(path.with_extension(""));
    }
    Err(Fault::Error(format!("{}: does not end in .{EXTENSION}; name the output with -o", path.display())))
}

fn one(args: &Args, global: &Global, input: &Input, target: &Target, models: &Models) -> Result<(), Fault> {
    let name = input.name();
    let stream = input.read(true)?;
    let bar = Bar::new(&name, global.quiet);
    let file = codec::decompress(&stream, models, args.limit.bytes(), &bar).map_err(|e| Fault::from(e).about(&name))?;
    let seconds = bar.seconds();
    drop(bar);
    output::write(target, &file, input.path(), args.target.force, args.target.rm)?;
    if let (true, Some(path)) = (args.target.rm, input.path()) {
        output::remove_input(path, target)?;
    }
    if args.json {
        return report::line(json!({
            "file": name,
            "output": target.name(),
            "coded_bytes": stream.len(),
            "bytes": file.len(),
            "seconds": seconds,
        }));
    }
    report::note(global.quiet, format_args!("{name}: {} => {} bytes, {}", stream.len(), file.len(), target.name()));
    Ok(())
}
