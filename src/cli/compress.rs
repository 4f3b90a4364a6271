//! `surprisal compress`

use super::archive::pack;
use super::bar::Bar;
use super::batch::{self, How};
use super::coded::{Coded, Coder};
use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{CodecOptions, EffortOptions, Global, LabelOptions, SoundOptions};
use super::output::{Output, Stamp};
use super::report::Tally;
use super::table::Table;
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use surprisal::codec::{Coding, Options, Summary};
use surprisal::engine::DeviceName;

/// Compress files to .srp streams
///
/// FILE becomes FILE.srp beside it. The file is kept, and the stream is decoded again and compared before it is written.
/// Several files end with a table: by medium, how many, their bytes, speed, and what was stored and why.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Files, folders (with -r), or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: TargetOptions,
    /// Compress the files in folders, apart from .srp files and symbolic links; with -o NAME.srp, everything in them to one archive
    #[arg(short, long)]
    recursive: bool,
    /// Keep a PNG's pixels and chunks, but not its exact deflate data, where keeping that costs bytes
    #[arg(long)]
    pixels: bool,
    /// Do not decode the stream again before it is written
    #[arg(long)]
    no_verify: bool,
    /// Print one line of JSON a file
    #[arg(long, conflicts_with = "stdout")]
    json: bool,
    /// Of FLAC files keep the samples alone, checked by their MD5: song.flac becomes song.wav.srp, which gives song.wav
    #[arg(long, conflicts_with = "raw")]
    samples: bool,
    #[command(flatten)]
    sound: SoundOptions,
    #[command(flatten)]
    labels: LabelOptions,
    #[command(flatten)]
    effort: EffortOptions,
    #[command(flatten)]
    codec: CodecOptions,
}

const EXAMPLES: &str = "Examples:
  surprisal compress photo.png                     photo.png.srp beside it
  surprisal compress -e 9 *.png                    smaller, and slower
  surprisal compress -r photos -o coded            a stream for each file, into the folder 'coded'
  surprisal compress -r photos -o photos.srp       one archive of the whole folder
  tar c src | surprisal compress - -o src.tar.srp  standard input
  surprisal compress --rm -q *.wav                 remove each file when its stream is safe on the disk";

/// Compresses every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    output::remove_on_interrupt();
    let models = args.codec.models(global)?;
    let options = Options {
        level: args.effort.effort().level(),
        verify: !args.no_verify,
        pixels: args.pixels,
        seconds: args.sound.segment,
        raw: args.sound.raw,
        limit: args.codec.limit(),
    };
    let set = models.for_sets()?;
    if set.is_none() && args.labels.is_some() {
        return Err(Fault::Error("--labels and --class are for models of sets: name one with -m".to_owned()));
    }
    let archive = args.target.archive().filter(|_| args.recursive && args.files.iter().any(|path| path.is_dir()));
    let read = args.labels.read(if archive.is_some() { 2 } else { args.files.len() }, options.limit)?;
    let labels = args.labels.labels(&read);
    let coder = Coder {
        models: &models,
        options: &options,
        set: set.as_deref().map(|set| (set, labels)),
        samples: args.samples,
    };
    let how = How { quiet: global.quiet, side_by_side: args.codec.device.name == DeviceName::Cpu };
    if let Some(path) = archive {
        if args.samples {
            let text = "--samples gives FLAC files another name, which an archive keeps: leave one of the two away";
            return Err(Fault::Error(text.to_owned()));
        }
        return pack::run(&args.files, path, &args.target, (args.json, !args.no_verify), how, &coder);
    }
    let folders = if args.recursive { Folders::Walk } else { Folders::Refuse("add -r to compress the files in it") };
    let (inputs, worst) = inputs::gather(&args.files, folders, global.quiet);
    let mut targets = args.target.plan(inputs.len(), false)?;
    let (mut tally, mut jobs) = (Tally::default(), Vec::new());
    for input in inputs {
        let target = targets.of(&input, |path| Ok(with_extension(path, args.samples))).and_then(|target| {
            output::check(&target, input.path(), args.target.force)?;
            Ok(target)
        });
        if let Some(target) = tally.take(target)? {
            let stamp = input.path().and_then(Stamp::of);
            jobs.push(Job { input, target, stamp });
        }
    }
    let mut table = Table::default();
    let describe = |job: &Job| (job.input.name(), job.stamp.map_or(u64::MAX, |stamp| stamp.length()));
    let work = |job: &Job, bar: &Bar| coder.code(&job.input, job.stamp, &job.target, bar);
    batch::each(jobs, how, describe, work, |job, done, seconds| {
        let done = done.and_then(|done| finish(args, global, &job, done, seconds));
        if let Some((summary, coded)) = tally.take(done)? {
            table.add(&summary, coded, seconds);
        }
        Ok(())
    })?;
    if table.is_worth_it() && !args.json {
        report::note(global.quiet, &table);
    }
    Ok(worst.max(tally.worst()))
}

/// The path with `.srp` behind it. Of FLAC files without what makes them such, WAV files come back.
fn with_extension(path: &Path, samples: bool) -> PathBuf {
    let is_flac = samples && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("flac"));
    let mut name = if is_flac { path.with_extension("wav") } else { path.to_owned() }.into_os_string();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

/// A file and where its stream goes.
struct Job {
    input: Input,
    target: Target,
    stamp: Option<Stamp>,
}

/// Writes a stream; its figures and its length.
fn finish(args: &Args, global: &Global, job: &Job, mut done: Coded, seconds: f64) -> Result<(Summary, u64), Fault> {
    let (name, target, path) = (job.input.name(), &job.target, job.input.path());
    let summary = done.summary().clone();
    let mut output = Output::create(target, path.is_some())?;
    let coded = done.write(&mut output).map_err(|e| Fault::io(Path::new(&target.name()), "write", &e))?;
    output.finish(path, args.target.force, args.target.rm)?;
    for note in &summary.notes {
        report::note(global.quiet, format_args!("{name}: {note}"));
    }
    if let (true, Some(path)) = (args.target.rm, path) {
        output::remove_input(path, target, job.stamp)?;
    }
    if args.json {
        report::line(record(&name, &target.name(), &summary, coded, (!args.no_verify, seconds)))?;
    } else {
        let share = report::percent(coded, summary.length);
        let bits = bits_per_sample(&summary).map(|bits| format!(", {bits:.3} bits per dimension")).unwrap_or_default();
        let line = format!("{name}: {share} ({} => {coded} bytes{bits}, {})", summary.length, target.name());
        report::note(global.quiet, line);
    }
    Ok((summary, coded))
}

/// A file's line for programs.
pub fn record(name: &str, output: &str, summary: &Summary, coded: u64, (verified, seconds): (bool, f64)) -> Value {
    json!({
        "file": name,
        "output": output,
        "bytes": summary.length,
        "coded_bytes": coded,
        "bits_per_dimension": bits_per_sample(summary),
        "coding": summary.coding.name(),
        "medium": summary.medium,
        "exact": summary.exact,
        "verified": verified,
        "seconds": seconds,
        "notes": summary.notes,
    })
}

/// Bits a sample, where samples were coded as such.
fn bits_per_sample(summary: &Summary) -> Option<f64> {
    let samples = summary.samples.filter(|_| matches!(summary.coding, Coding::Network | Coding::Samples))?;
    Some(summary.cost.to_f64() / samples as f64)
}
