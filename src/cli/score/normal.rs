//! The normal files that others are compared with: summaries of theirs, or a calibration file.

use crate::cli::bar::Bar;
use crate::cli::fault::{Exit, Fault};
use crate::cli::inputs::{self, Folders};
use crate::cli::options::{Global, Reading};
use crate::cli::report;
use std::path::PathBuf;
use surprisal::codec::Progress;
use surprisal::score::{Calibration, Model, Summary};

/// What is kept of the examples in all files that can be read. The others are reported, and the worst exit
/// is returned.
pub fn summaries(
    paths: &[PathBuf],
    model: &Model,
    reading: Reading,
    global: &Global,
) -> Result<(Vec<Summary>, Exit), Fault> {
    let (inputs, worst) = inputs::gather(paths, Folders::Walk, global.quiet);
    let bar = Bar::new("normal files", global.quiet);
    bar.begin(inputs.len() as u64);
    let mut all = Vec::new();
    let done = report::each(inputs, |input| {
        let file = input.read(false)?;
        bar.advance(1);
        all.extend(
            model
                .summaries(&file, reading.tile, reading.limit)
                .map_err(|e| Fault::Error(e.to_string()).about(&input.name()))?,
        );
        Ok(())
    })?;
    Ok((all, worst.max(done)))
}

/// The calibration on normal files.
pub fn calibrate(
    paths: &[PathBuf],
    model: &Model,
    reading: Reading,
    global: &Global,
) -> Result<(Calibration, Exit), Fault> {
    let (normal, worst) = summaries(paths, model, reading, global)?;
    let calibration =
        Calibration::new(model.id(), model.name(), &normal).map_err(|e| Fault::Error(format!("--calibrate: {e}")))?;
    let (fitted, others) = calibration.sizes();
    let text = format!("calibrated with the model '{}': {fitted} normal examples fitted", model.name());
    report::note(global.quiet, format_args!("{text}, p-values from {others} others"));
    Ok((calibration, worst))
}

/// The calibration in a file, if the only path given is one of those.
pub fn file(paths: &[PathBuf]) -> Result<Option<Calibration>, Fault> {
    let [path] = paths else { return Ok(None) };
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    if !Calibration::is_calibration(&bytes) && path.extension().is_none_or(|e| e != "cal") {
        return Ok(None);
    }
    let calibration = Calibration::from_bytes(&bytes);
    calibration.map(Some).map_err(|e| Fault::Error(e.to_string()).about(&path.display().to_string()))
}
