//! `surprisal decompress`

use super::archive::{self, unpack};
use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{CodecOptions, Global};
use super::output::Stamp;
use super::streams::{self, Decoded};
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::json;
use std::path::{Path, PathBuf};
use surprisal::codec::{DecodeError, salvage};

/// Restore files from .srp streams
///
/// FILE.srp becomes FILE beside it. The stream is kept. What an archive holds is restored beside it, or in the folder that -o names.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Streams, or - for standard input; or an archive and the names of what to restore from it (all, if there are none)
    #[arg(required = true, value_name = "FILE.srp")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub target: TargetOptions,
    /// Print one line of JSON a file
    #[arg(long, conflicts_with = "stdout")]
    pub json: bool,
    /// Of a damaged picture, write what is left: FILE.partial.ppm, with the lost rows in gray; the exit code is 1 all the same
    #[arg(long, conflicts_with = "stdout")]
    keep_going: bool,
    #[command(flatten)]
    pub codec: CodecOptions,
}

const EXAMPLES: &str = "Examples:
  surprisal decompress photo.png.srp               photo.png beside it
  surprisal decompress *.srp -o restored           into the folder 'restored'
  surprisal decompress -c src.tar.srp | tar x      to standard output
  surprisal decompress photos.srp                  everything in an archive
  surprisal decompress photos.srp photos/a.png     one file of it, without reading the others";

/// Restores every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    output::remove_on_interrupt();
    if let Some((archive, names)) = args.files.split_first().filter(|(first, _)| archive::is_archive(first)) {
        return unpack::run(args, names, archive, global);
    }
    let (inputs, worst) = inputs::gather(&args.files, Folders::Refuse("name the streams in it"), global.quiet);
    let mut targets = args.target.plan(inputs.len(), true)?;
    let prepare = |input: &Input| {
        let target = targets.of(input, without_extension)?;
        output::check(&target, input.path(), args.target.force)?;
        let stamp = input.path().and_then(Stamp::of);
        Ok(Job { target, source: input.path().map(Path::to_owned), stamp })
    };
    let done = streams::each(inputs, &args.codec, global, prepare, |name, job, decoded| {
        finish(args, global, name, &job, decoded)
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

/// A stream and where its file goes.
struct Job {
    target: Target,
    source: Option<PathBuf>,
    stamp: Option<Stamp>,
}

/// Writes a file that was restored.
fn finish(args: &Args, global: &Global, name: &str, job: &Job, decoded: Decoded) -> Result<(), Fault> {
    let (target, source) = (&job.target, job.source.as_deref());
    let file = match decoded.result {
        Err(error) if args.keep_going && error.is_damage() => {
            return Err(keep(args, global, name, target, &error, &decoded.stream)?.about(name));
        }
        result => result.map_err(|e| Fault::from(e).about(name))?,
    };
    output::write(target, &file, source, args.target.force, args.target.rm)?;
    if let (true, Some(path)) = (args.target.rm, source) {
        output::remove_input(path, target, job.stamp)?;
    }
    if args.json {
        return report::line(json!({
            "file": name,
            "output": target.name(),
            "coded_bytes": decoded.stream.len(),
            "bytes": file.len(),
            "seconds": decoded.seconds,
            "together": decoded.together,
        }));
    }
    report::note(
        global.quiet,
        format_args!("{name}: {} => {} bytes, {}", decoded.stream.len(), file.len(), target.name()),
    );
    Ok(())
}

/// Writes what is left of a damaged picture, and says what is lost.
fn keep(
    args: &Args,
    global: &Global,
    name: &str,
    target: &Target,
    error: &DecodeError,
    stream: &[u8],
) -> Result<Fault, Fault> {
    let damaged = |text: String| Ok(Fault::Damaged(text));
    let bar = Bar::new(name, global.quiet);
    let left = match salvage(stream, &args.codec.models(global)?, args.codec.limit(), &bar) {
        Ok(left) => left,
        Err(other) => return damaged(format!("{error}; nothing can be kept: {other}")),
    };
    drop(bar);
    let (kind, magic) = if left.picture.channels == 3 { ("ppm", "P6") } else { ("pgm", "P5") };
    let Target::File(path) = target else { return damaged(error.to_string()) };
    let mut partial = path.clone().into_os_string();
    partial.push(format!(".partial.{kind}"));
    let partial = Target::File(partial.into());
    output::check(&partial, None, args.target.force)?;
    let mut file = format!("{magic}\n{} {}\n255\n", left.picture.width, left.picture.height).into_bytes();
    file.extend_from_slice(&left.picture.samples);
    output::write(&partial, &file, None, args.target.force, false)?;
    let rows: Vec<String> = left.lost.iter().map(|rows| format!("{} to {}", rows.start, rows.end - 1)).collect();
    let lost = if rows.is_empty() { "no row of its picture".to_owned() } else { format!("rows {}", rows.join(", ")) };
    damaged(format!("{error}; lost: {lost} of {}; what is left is in {}", left.picture.height, partial.name()))
}
