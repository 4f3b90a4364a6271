//! `surprisal quantize`

use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, Input};
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use serde_json::json;
use std::path::PathBuf;
use surprisal::engine::Program;
use surprisal::engine::reference;
use surprisal::media::image::Picture;
use surprisal::media::{self, Content, Limits, set};
use surprisal::quantize;
use surprisal::quantize::grid::{self, Example, Weights};

/// Examples that are evaluated at most.
const CALIBRATION: usize = 256;

/// Turn trained weights into a model file of integers
///
/// The scales are chosen on calibration data like that which the model is for. A model that could overflow is refused.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weights of a known family, a .safetensors file
    weights: PathBuf,
    /// The model file to write
    #[arg(short, long, value_name = "MODEL.srm")]
    output: PathBuf,
    /// A folder or file of what the model is for: colour photographs, or examples of its size; may be given more than once
    #[arg(long, value_name = "FILE|DIR", required = true)]
    calibrate: Vec<PathBuf>,
    /// The class of each example, for a model that is told classes: an IDX file of one dimension (also gzipped)
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The same weights with other sizes that change no weight, as in mask=3: one of the masks or orders of a MADE that was trained
    /// with many; may be given more than once
    #[arg(long, value_name = "NAME=N", value_parser = super::reach::setting)]
    variant: Vec<(String, i64)>,
    /// The model's name [default: that of the weights' file]
    #[arg(long)]
    name: Option<String>,
    /// Overwrite a model file that exists
    #[arg(short, long)]
    force: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limit: LimitOptions,
}

/// Quantizes the weights.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let target = Target::File(args.output.clone());
    output::check(&target, Some(&args.weights), args.force)?;
    let weights = std::fs::read(&args.weights).map_err(|e| Fault::io(&args.weights, "read", &e))?;
    let name = match (&args.name, args.weights.file_stem()) {
        (Some(name), _) => name.clone(),
        (None, Some(stem)) => stem.to_string_lossy().into_owned(),
        (None, None) => return Err(Fault::Error("the model needs a name: give one with --name".to_owned())),
    };
    let about = |e: quantize::QuantizeError| Fault::Error(format!("{}: {e}", args.weights.display()));
    match grid::read(&weights).map_err(about)? {
        Some(weights) => {
            let changes: Vec<(&str, i64)> = args.variant.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            on_grid(args, global, &name, &grid::variant(&weights, &changes).map_err(about)?)
        }
        None if !args.variant.is_empty() => {
            Err(Fault::Error("--variant is for a family of the zoo, and these are weights for photographs".to_owned()))
        }
        None => photographs(args, global, &name, &weights),
    }
}

/// A model for photographs.
fn photographs(args: &Args, global: &Global, name: &str, weights: &[u8]) -> Result<Exit, Fault> {
    let (inputs, worst) = inputs::gather(&args.calibrate, Folders::Walk, global.quiet);
    let mut pictures = Vec::new();
    let limits = Limits { max_bytes: args.limit.bytes() };
    let read = report::each(inputs, |input| {
        match picture(&input, &limits)? {
            Some(picture) => pictures.push(picture),
            None => report::note(global.quiet, format_args!("{}: no colour picture, left out", input.name())),
        }
        Ok(())
    })?;
    let about = |e: quantize::QuantizeError| Fault::Error(format!("{}: {e}", args.weights.display()));
    let (program, bits) = quantize::quantize(name, weights, &pictures).map_err(about)?;
    let (target, bytes) = write(args, &program)?;
    let quantize::Report { float, weights, activations, likelihood } = bits;
    if args.json {
        report::line(json!({
            "output": target.name(), "name": name, "id": program.id().to_string(), "bytes": bytes,
            "pictures": pictures.len(), "bits_float": float, "bits_weights": weights,
            "bits_activations": activations, "bits_likelihood": likelihood,
        }))?;
    } else {
        report::line(format_args!("{}: {name} {}, {bytes} bytes", target.name(), program.id()))?;
        report::line(format_args!("bits per dimension on {} calibration pictures:", pictures.len()))?;
        report::line(format_args!("  {float:.5}  in floating point"))?;
        step(weights, float, "weights rounded")?;
        step(activations, float, "activations, too")?;
        step(likelihood, float, "the distribution, too: what is paid")?;
    }
    Ok(worst.max(read))
}

/// A model for examples of one size.
fn on_grid(args: &Args, global: &Global, name: &str, weights: &Weights) -> Result<Exit, Fault> {
    let limits = Limits { max_bytes: args.limit.bytes() };
    let labels = match &args.labels {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
            let labels = set::labels(&bytes, &limits);
            Some(labels.map_err(|e| Fault::Error(format!("{}: {e}", path.display())))?)
        }
        None => None,
    };
    let (inputs, worst) = inputs::gather(&args.calibrate, Folders::Walk, global.quiet);
    let mut sets = Vec::new();
    let read = report::each(inputs, |input| {
        let set = set::examples(&input.read(false)?, &weights.domain, &limits);
        sets.push(set.map_err(|e| Fault::Error(e.to_string()).about(&input.name()))?);
        Ok(())
    })?;
    let mut examples: Vec<Example> =
        sets.iter().flat_map(|set| set.iter()).map(|symbols| Example { symbols, class: None }).collect();
    if let Some(labels) = labels {
        if labels.len() != examples.len() {
            let counts = format!("{} labels for {} examples", labels.len(), examples.len());
            return Err(Fault::Error(counts));
        }
        examples.iter_mut().zip(labels).for_each(|(example, label)| example.class = Some(label.into()));
    }
    // Evenly spread: a set may be sorted.
    let step_by = examples.len().div_ceil(CALIBRATION).max(1);
    let examples: Vec<Example> = examples.into_iter().step_by(step_by).collect();
    let about = |e: quantize::QuantizeError| Fault::Error(format!("{}: {e}", args.weights.display()));
    let (program, bits) = grid::quantize(name, &weights.network, &weights.domain, &examples).map_err(about)?;
    let (target, bytes) = write(args, &program)?;
    let each = |total: f64| total / bits.symbols as f64;
    let (float, rounded, integers) = (each(bits.float), each(bits.weights), each(bits.integers));
    if args.json {
        report::line(json!({
            "output": target.name(), "name": name, "id": program.id().to_string(), "bytes": bytes,
            "family": weights.family.name, "examples": bits.examples, "symbols": bits.symbols,
            "bits_float": float, "bits_weights": rounded, "bits_integers": integers,
        }))?;
    } else {
        report::line(format_args!("{}: {name} {}, {bytes} bytes", target.name(), program.id()))?;
        report::line(format_args!("bits per dimension on {} calibration examples:", bits.examples))?;
        report::line(format_args!("  {float:.5}  in floating point"))?;
        step(rounded, float, "weights rounded")?;
        step(integers, float, "all in integers: what is paid")?;
    }
    Ok(worst.max(read))
}

/// Writes the model file: its target and length.
fn write(args: &Args, program: &Program) -> Result<(Target, usize), Fault> {
    let (target, bytes) = (Target::File(args.output.clone()), program.to_bytes());
    output::write(&target, &bytes, None, args.force, false)?;
    Ok((target, bytes.len()))
}

/// Prints a line of the report.
fn step(bits: f64, float: f64, what: &str) -> Result<(), Fault> {
    report::line(format_args!("  {bits:.5}  {what} ({:+.3} %)", (bits / float - 1.0) * 100.0))
}

/// The picture in a file, as planes in coding order; `None` for other files.
fn picture(input: &Input, limits: &Limits) -> Result<Option<reference::Picture>, Fault> {
    let file = input.read(false)?;
    let Ok((_, Content::Picture(Picture { width, channels: 3, samples, .. }))) = media::content(&file, limits) else {
        return Ok(None);
    };
    let plane = |place: usize| {
        samples
            .chunks_exact(width as usize * 3)
            .map(|row| row.iter().skip(place).step_by(3).copied().collect())
            .collect()
    };
    Ok(Some(surprisal::codec::bands::places(3).iter().map(|&place| plane(place)).collect()))
}
