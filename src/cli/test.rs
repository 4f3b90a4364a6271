//! `surprisal test`

use super::archive::{self, unpack};
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders};
use super::options::{CodecOptions, Global};
use super::{report, streams};
use serde_json::json;
use std::io;
use std::path::PathBuf;

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
            let length = decoded.result.map(|file| file.len() as u64).map_err(Fault::from);
            tell(name, length, args.json, global)
        },
        |(), flow| {
            let name = flow.name.clone();
            let length = flow.restore(io::sink(), false).map(|(done, ..)| done.length);
            tell(&name, length, args.json, global)
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

/// Says whether a file can be restored; `length` is its length, or why it cannot.
pub fn tell(name: &str, length: Result<u64, Fault>, json: bool, global: &Global) -> Result<(), Fault> {
    if json {
        report::line(json!({
            "file": name,
            "ok": length.is_ok(),
            "bytes": length.as_ref().ok(),
            "damaged": matches!(length, Err(Fault::Damaged(_))),
            "error": length.as_ref().err().map(ToString::to_string),
        }))?;
    }
    let length = length.map_err(|fault| fault.about(name))?;
    if json || global.quiet { Ok(()) } else { report::line(format_args!("{name}: ok, {length} bytes")) }
}
