//! `surprisal compress`

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, EXTENSION, Folders, Input};
use super::options::{CodecOptions, EffortOptions, Global, LabelOptions};
use super::target::{Target, TargetOptions};
use super::{output, report};
use serde_json::json;
use std::path::{Path, PathBuf};
use surprisal::codec::sets;
use surprisal::codec::{self, Coding, CompressError, Compressed, Options, Summary};

/// Compress files to .srp streams
///
/// FILE becomes FILE.srp beside it. The file is kept, and the stream is decoded again and compared before it is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders (with -r), or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: TargetOptions,
    /// Compress the files in folders, apart from .srp files and symbolic links
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
    #[command(flatten)]
    labels: LabelOptions,
    #[command(flatten)]
    effort: EffortOptions,
    #[command(flatten)]
    codec: CodecOptions,
}

/// Compresses every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let folders = if args.recursive { Folders::Walk } else { Folders::Refuse("add -r to compress the files in it") };
    let (inputs, worst) = inputs::gather(&args.files, folders, global.quiet);
    let mut targets = args.target.plan(inputs.len(), false)?;
    let models = args.codec.models(global)?;
    let options = Options {
        level: args.effort.effort().level(),
        verify: !args.no_verify,
        pixels: args.pixels,
        limit: args.codec.limit(),
    };
    let set = models.for_sets()?;
    let read = args.labels.read(inputs.len(), options.limit)?;
    if set.is_none() && args.labels.is_some() {
        return Err(Fault::Error("--labels and --class are for models of sets: name one with -m".to_owned()));
    }
    let code = |file: &[u8], bar: &Bar| match &set {
        Some(network) => sets::compress(file, network, args.labels.labels(&read), &options, bar),
        None => codec::compress(file, &models, &options, bar),
    };
    let done = report::each(inputs, |input| {
        let target = targets.of(&input, |path| Ok(with_extension(path)))?;
        output::check(&target, input.path(), args.target.force)?;
        one(args, global, &input, &target, code)
    })?;
    Ok(worst.max(done))
}

/// The path with `.srp` behind it.
fn with_extension(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

fn one(
    args: &Args,
    global: &Global,
    input: &Input,
    target: &Target,
    code: impl Fn(&[u8], &Bar) -> Result<Compressed, CompressError>,
) -> Result<(), Fault> {
    let name = input.name();
    let file = input.read(false)?;
    let bar = Bar::new(&name, global.quiet);
    let done = code(&file, &bar).map_err(|e| Fault::from(e).about(&name))?;
    let seconds = bar.seconds();
    drop(bar);
    output::write(target, &done.bytes, input.path(), args.target.force, args.target.rm)?;
    let summary = &done.summary;
    for note in &summary.notes {
        report::note(global.quiet, format_args!("{name}: {note}"));
    }
    if let (true, Some(path)) = (args.target.rm, input.path()) {
        output::remove_input(path, target)?;
    }
    let coded = done.bytes.len() as u64;
    if args.json {
        return report::line(json!({
            "file": name,
            "output": target.name(),
            "bytes": summary.length,
            "coded_bytes": coded,
            "bits_per_dimension": bits_per_sample(summary),
            "coding": summary.coding.name(),
            "medium": summary.medium,
            "exact": summary.exact,
            "verified": !args.no_verify,
            "seconds": seconds,
            "notes": summary.notes,
        }));
    }
    let share = report::percent(coded, summary.length);
    let bits = bits_per_sample(summary).map(|bits| format!(", {bits:.3} bits per dimension")).unwrap_or_default();
    let line = format!("{name}: {share} ({} => {coded} bytes{bits}, {})", summary.length, target.name());
    report::note(global.quiet, line);
    Ok(())
}

/// Bits a sample, where samples were coded as such.
fn bits_per_sample(summary: &Summary) -> Option<f64> {
    let samples = summary.samples.filter(|_| matches!(summary.coding, Coding::Network | Coding::Samples))?;
    Some(summary.cost.to_f64() / samples as f64)
}
