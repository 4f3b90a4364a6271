//! `surprisal quantize`

use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, Input};
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use serde_json::json;
use std::path::PathBuf;
use surprisal::engine::reference;
use surprisal::media::image::Picture;
use surprisal::media::{self, Content, Limits, Outcome};
use surprisal::quantize;

/// Turn trained weights into a model file of integers
///
/// The scales are chosen on calibration pictures. A model that could overflow is refused.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weights of a known family, a .safetensors file
    weights: PathBuf,
    /// The model file to write
    #[arg(short, long, value_name = "MODEL.srm")]
    output: PathBuf,
    /// A folder (or file) of colour photographs like those that the model is for; may be given more than once
    #[arg(long, value_name = "DIR", required = true)]
    calibrate: Vec<PathBuf>,
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
    let (program, bits) = quantize::quantize(&name, &weights, &pictures).map_err(about)?;
    let bytes = program.to_bytes();
    output::write(&target, &bytes, None, args.force, false)?;
    let quantize::Report { float, weights, activations, likelihood } = bits;
    if args.json {
        report::line(json!({
            "output": target.name(), "name": name, "id": program.id().to_string(), "bytes": bytes.len(),
            "pictures": pictures.len(), "bits_float": float, "bits_weights": weights,
            "bits_activations": activations, "bits_likelihood": likelihood,
        }))?;
    } else {
        let more = |bits: f64| (bits / float - 1.0) * 100.0;
        report::line(format_args!("{}: {name} {}, {} bytes", target.name(), program.id(), bytes.len()))?;
        report::line(format_args!("bits per dimension on {} calibration pictures:", pictures.len()))?;
        report::line(format_args!("  {float:.5}  in floating point"))?;
        report::line(format_args!("  {weights:.5}  weights rounded ({:+.3} %)", more(weights)))?;
        report::line(format_args!("  {activations:.5}  activations, too ({:+.3} %)", more(activations)))?;
        report::line(format_args!(
            "  {likelihood:.5}  the distribution, too: what is paid ({:+.3} %)",
            more(likelihood)
        ))?;
    }
    Ok(worst.max(read))
}

/// The picture in a file, as planes in coding order; `None` for other files.
fn picture(input: &Input, limits: &Limits) -> Result<Option<reference::Picture>, Fault> {
    let file = input.read(false)?;
    let Outcome::Split(split) = media::split(&file, media::Options { pixels: true }, limits) else { return Ok(None) };
    let Content::Picture(Picture { width, channels: 3, samples, .. }) = split.content else { return Ok(None) };
    let plane = |place: usize| {
        samples
            .chunks_exact(width as usize * 3)
            .map(|row| row.iter().skip(place).step_by(3).copied().collect())
            .collect()
    };
    Ok(Some(surprisal::codec::bands::places(3).iter().map(|&place| plane(place)).collect()))
}
