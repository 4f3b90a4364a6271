//! `surprisal measure`

mod float;
mod sets;

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, HEAD};
use super::options::{CodecOptions, EffortOptions, Global, LabelOptions, SoundOptions};
use super::report;
use serde_json::json;
use std::path::PathBuf;
use surprisal::codec::long::{self, Again};
use surprisal::codec::{self, Options};

/// Measure how many bits files take, without writing anything
///
/// Prints the code length in bits per dimension (a sample of a picture, a byte of other files), a line a file and the total.
/// Folders are walked.
///
/// With -m MODEL for examples of one size, each example in a file is measured: the mean of their nats and its standard error. With
/// --ensemble all models that -m names are one: an example's probability is the mean of theirs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Measure a PNG's pixels and chunks without its exact deflate data
    #[arg(long)]
    pixels: bool,
    /// Print one line of JSON a file and one for the total
    #[arg(long)]
    json: bool,
    /// Print a table with commas and a line of names above
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print each example of a set, too: file.idx#17 is the one after seventeen others
    #[arg(long)]
    items: bool,
    /// Measure with weights in floating point, too: those in this file, or else in the .safetensors beside the model
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    float: Option<Option<PathBuf>>,
    /// Measure with the mean of all models that were named (a folder: all in it). It has no code, as its members may take pixels in
    /// different orders
    #[arg(long, conflicts_with = "float")]
    ensemble: bool,
    #[command(flatten)]
    sound: SoundOptions,
    #[command(flatten)]
    labels: LabelOptions,
    #[command(flatten)]
    effort: EffortOptions,
    #[command(flatten)]
    codec: CodecOptions,
}

/// What is added up.
#[derive(Debug, Default)]
struct Total {
    files: u64,
    bytes: u64,
    dimensions: u64,
    bits: f64,
    coded: u64,
}

/// Measures every file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (inputs, worst) = inputs::gather(&args.files, Folders::Walk, global.quiet);
    let models = args.codec.models(global)?;
    if args.ensemble {
        return sets::run(args, global, &args.codec.networks(global)?, None, (inputs, worst));
    }
    if let Some(network) = models.for_sets()? {
        return sets::run(args, global, &[network], args.codec.file(), (inputs, worst));
    }
    if args.items || args.labels.is_some() || args.float.is_some() {
        let text = "--items, --labels, --class and --float are for models of sets: name one with -m";
        return Err(Fault::Error(text.to_owned()));
    }
    let options = Options {
        level: args.effort.effort().level(),
        verify: false,
        pixels: args.pixels,
        seconds: args.sound.segment,
        raw: args.sound.raw,
        limit: args.codec.limit(),
    };
    let mut total = Total::default();
    if args.csv {
        report::line("kind,name,files,bytes,dimensions,bits,bits_per_dimension,coded_bytes,coding")?;
    }
    let done = report::each(inputs, |input| {
        let name = input.name();
        let begun = input.begin(false, HEAD)?;
        let bar = Bar::new(&name, global.quiet);
        let (how, length, mut again) = ((&models, &options), begun.length, begun.again()?);
        let summary = match begun.find(again.as_mut(), how, &bar)? {
            Some(found) => {
                let again = again.as_mut().map(|file| file as &mut dyn Again);
                long::measure(begun.chained(), (length, again), &found, how, &bar)
            }
            None => codec::measure(&begun.whole()?, &models, &options, &bar).map(|measured| measured.summary),
        };
        let summary = summary.map_err(|e| Fault::from(e).about(&name))?;
        drop(bar);
        for note in &summary.notes {
            report::note(global.quiet, format_args!("{name}: {note}"));
        }
        let one = Total {
            files: 1,
            bytes: summary.length,
            dimensions: summary.samples.unwrap_or(summary.length),
            bits: summary.cost.to_f64(),
            coded: summary.cost.ceil_bytes() + summary.overhead,
        };
        total.files += 1;
        total.bytes += one.bytes;
        total.dimensions += one.dimensions;
        total.bits += one.bits;
        total.coded += one.coded;
        one.print(args, "file", &name, Some(summary.coding.name()))
    })?;
    total.print(args, "total", "total", None)?;
    Ok(worst.max(done))
}

impl Total {
    fn print(&self, args: &Args, key: &str, name: &str, coding: Option<&str>) -> Result<(), Fault> {
        let Self { files, bytes, dimensions, bits, coded } = *self;
        let mean = if dimensions == 0 { 0.0 } else { bits / dimensions as f64 };
        if args.json {
            return report::line(json!({
                key: name, "files": files, "bytes": bytes, "dimensions": dimensions, "bits": bits,
                "bits_per_dimension": mean, "coded_bytes": coded, "coding": coding,
            }));
        }
        let coding = coding.unwrap_or("");
        if args.csv {
            let name = report::cell(name);
            return report::line(format_args!(
                "{key},{name},{files},{bytes},{dimensions},{bits:.3},{mean:.6},{coded},{coding}"
            ));
        }
        report::line(format_args!(
            "{mean:8.4} bits per dimension  {coded:>11} of {bytes:>11} bytes  {coding:<7}  {name}"
        ))
    }
}
