//! `surprisal decompress`

use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{CodecOptions, Global};
use super::streams::{self, Decoded};
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::json;
use std::path::{Path, PathBuf};

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
    codec: CodecOptions,
}

/// Restores every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (inputs, worst) = inputs::gather(&args.files, Folders::Refuse("name the streams in it"), global.quiet);
    let mut targets = args.target.plan(inputs.len(), true)?;
    let prepare = |input: &Input| {
        let target = targets.of(input, without_extension)?;
        output::check(&target, input.path(), args.target.force)?;
        Ok((target, input.path().map(Path::to_owned)))
    };
    let done = streams::each(inputs, &args.codec, global, prepare, |name, (target, source), decoded| {
        finish(args, global, name, &target, source.as_deref(), decoded)
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

/// Writes a file that was restored.
fn finish(
    args: &Args,
    global: &Global,
    name: &str,
    target: &Target,
    source: Option<&Path>,
    decoded: Decoded,
) -> Result<(), Fault> {
    let file = decoded.result.map_err(|e| Fault::from(e).about(name))?;
    output::write(target, &file, source, args.target.force, args.target.rm)?;
    if let (true, Some(path)) = (args.target.rm, source) {
        output::remove_input(path, target)?;
    }
    if args.json {
        return report::line(json!({
            "file": name,
            "output": target.name(),
            "coded_bytes": decoded.coded,
            "bytes": file.len(),
            "seconds": decoded.seconds,
            "together": decoded.together,
        }));
    }
    report::note(global.quiet, format_args!("{name}: {} => {} bytes, {}", decoded.coded, file.len(), target.name()));
    Ok(())
}
