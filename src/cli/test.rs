//! `surprisal test`

use super::archive::{self, unpack};
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders};
use super::options::{CodecOptions, Global};
use super::{report, streams};
use serde_json::json;
use std::io;
use std::path::PathBuf;
use surprisal::codec;

/// Check that .srp streams can be restored
///
/// Decodes everything and compares every checksum, and writes no file. Exit code 1 says that a stream is damaged.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Streams or archives, or - for standard input
    #[arg(required = true, value_name = "FILE.srp")]
    files: Vec<PathBuf>,
    /// Print one line of JSON a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    codec: CodecOptions,
}

/// Tests every stream.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (archives, files): (Vec<_>, Vec<_>) = args.files.iter().cloned().partition(|path| archive::is_archive(path));
    let (inputs, worst) = inputs::gather(&files, Folders::Refuse("name the streams in it"), global.quiet);
    let done = streams::each(
        inputs,
        (&args.codec, global, true),
        |_| Ok(()),
        |name, (), decoded| {
            let result = decoded.result;
            if args.json {
                report::line(json!({
                    "file": name,
                    "ok": result.is_ok(),
                    "bytes": result.as_ref().ok().map(Vec::len),
                    "damaged": result.as_ref().err().is_some_and(codec::DecodeError::is_damage),
                    "error": result.as_ref().err().map(ToString::to_string),
                }))?;
            }
            let file = result.map_err(|e| Fault::from(e).about(name))?;
            if !args.json && !global.quiet {
                report::line(format_args!("{name}: ok, {} bytes", file.len()))?;
            }
            Ok(())
        },
        |(), flow| {
            let name = flow.name.clone();
            let result = flow.restore(io::sink(), false).map(|(done, ..)| done.length);
            if args.json {
                report::line(json!({
                    "file": name,
                    "ok": result.is_ok(),
                    "bytes": result.as_ref().ok(),
                    "damaged": matches!(result, Err(Fault::Damaged(_))),
                    "error": result.as_ref().err().map(ToString::to_string),
                }))?;
            }
            let length = result?;
            if !args.json && !global.quiet {
                report::line(format_args!("{name}: ok, {length} bytes"))?;
            }
            Ok(())
        },
    )?;
    let mut tally = report::Tally::default();
    let mut worst = worst.max(done);
    for path in &archives {
        let tested = unpack::test(path, args.json, &args.codec, global);
        worst = worst.max(tally.take(tested)?.unwrap_or(Exit::Done));
    }
    Ok(worst.max(tally.worst()))
}
