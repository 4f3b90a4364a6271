//! `surprisal decompress`

use super::archive::{self, unpack};
use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{CodecOptions, Global};
use super::output::{Output, Stamp};
use super::streams::{self, Decoded, Flow};
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::json;
use std::path::{Path, PathBuf};
use surprisal::codec::sound::Missing;
use surprisal::codec::{DecodeError, salvage};
use surprisal::media::image::pnm;

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
    /// Write what is left of a damaged picture or recording: FILE.partial.ppm, with the lost rows in gray, or FILE.partial.wav for
    /// FILE.wav, silent where segments are lost; the exit code is 1 all the same
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
    let whole = |name: &str, job: Job, decoded| finish(args, global, name, &job, decoded);
    let flow = |job: Job, flow: Flow| restore(args, global, &job, flow);
    // What is left of a damaged picture is found in the whole of it.
    let done = streams::each(inputs, (&args.codec, global, !args.keep_going), prepare, whole, flow)?;
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
        Err(other) if other.to_string() == error.to_string() => {
            return damaged(format!("{error}; nothing can be kept"));
        }
        Err(other) => return damaged(format!("{error}; nothing can be kept: {other}")),
    };
    drop(bar);
    let kind = if left.picture.channels == 3 { "ppm" } else { "pgm" };
    let Target::File(path) = target else { return damaged(error.to_string()) };
    let mut partial = path.clone().into_os_string();
    partial.push(format!(".partial.{kind}"));
    let partial = Target::File(partial.into());
    output::check(&partial, None, args.target.force)?;
    output::write(&partial, &pnm::write(&left.picture), None, args.target.force, false)?;
    let rows: Vec<String> = left.lost.iter().map(|rows| format!("{} to {}", rows.start, rows.end - 1)).collect();
    let lost = if rows.is_empty() { "no row of its picture".to_owned() } else { format!("rows {}", rows.join(", ")) };
    damaged(format!("{error}; lost: {lost} of {}; what is left is in {}", left.picture.height, partial.name()))
}

/// Restores what is restored while it is read, or with --keep-going what is left of a recording.
fn restore(args: &Args, global: &Global, job: &Job, flow: Flow) -> Result<(), Fault> {
    let (target, source) = (&job.target, job.source.as_deref());
    let name = flow.name.clone();
    let mut output = Output::create(target, source.is_some())?;
    let (done, coded, seconds) = flow.restore(&mut output, args.keep_going).map_err(|fault| fault.about(&name))?;
    let whole = done.missing.is_empty();
    let written = match target {
        Target::File(path) if !whole => Target::File(partial(path)),
        other => other.clone(),
    };
    if let Target::File(path) = &written {
        output.rename(path.clone());
    }
    output.finish(source, args.target.force, args.target.rm)?;
    let missing: Vec<String> = done.missing.iter().map(what).collect();
    if args.json {
        report::line(json!({
            "file": name,
            "output": written.name(),
            "coded_bytes": coded,
            "bytes": done.length,
            "seconds": seconds,
            "together": 1,
            "missing": missing,
        }))?;
    }
    if !whole {
        let text = format!("{name}: is damaged: {}; the rest is in {}", missing.join(", "), written.name());
        return Err(Fault::Damaged(text));
    }
    if let (true, Some(path)) = (args.target.rm, source) {
        output::remove_input(path, target, job.stamp)?;
    }
    if !args.json {
        report::note(global.quiet, format_args!("{name}: {coded} => {} bytes, {}", done.length, target.name()));
    }
    Ok(())
}

/// `song.partial.wav` for `song.wav`.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".partial");
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// What is missing, for people.
fn what(missing: &Missing) -> String {
    let time = |frame: u64, rate: u32| {
        let rate = u64::from(rate.max(1));
        format!("{}:{:02}.{:03}", frame / rate / 60, frame / rate % 60, frame % rate * 1000 / rate)
    };
    match missing {
        Missing::Header => "what stands around its samples is lost, and a plain header was made".to_owned(),
        Missing::Frames(range, rate) => {
            let (from, to) = (time(range.start, *rate), time(range.end, *rate));
            format!("frames {} to {} ({from} to {to}) are lost and silent", range.start, range.end)
        }
        Missing::Unknown => "its checksum does not match, and nothing tells what is wrong".to_owned(),
    }
}
