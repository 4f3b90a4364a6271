//! Heat maps of what was flagged.

use super::rows::Row;
use crate::cli::fault::Fault;
use crate::cli::inputs::Input;
use crate::cli::options::Reading;
use crate::cli::output;
use crate::cli::target::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use surprisal::media::image::png;
use surprisal::score::{Example, Model, heat};

/// Draws each flagged picture: `FOLDER/NAME.png`, with what leads to other folders in the name replaced. Files that hold flagged pictures are scored again.
pub fn write(
    folder: &Path,
    inputs: &[Input],
    rows: &[Row],
    model: &Model,
    reading: Reading,
    force: bool,
) -> Result<(), Fault> {
    let mut contents = BTreeSet::new();
    let mut flagged: BTreeMap<usize, BTreeMap<usize, String>> = BTreeMap::new();
    for (row, content) in rows.iter().filter_map(|row| Some((row, row.flagged()?))) {
        contents.insert(content);
        flagged.entry(row.number.0).or_default().insert(row.number.1, row.file_name());
    }
    let draw = |example: &Example| contents.contains(&example.content()).then(|| heat(example)).flatten();
    for (input, names) in flagged {
        let file = inputs[input].read(false)?;
        let pictures = model.each(&file, reading.tile, reading.limit, draw);
        let pictures = pictures.map_err(|e| Fault::Error(e.to_string()).about(&inputs[input].name()))?;
        for (number, name) in names {
            let Some(Some(picture)) = pictures.get(number) else { continue };
            let bytes = png::encode(picture).map_err(|e| Fault::Error(e.to_string()))?;
            let target = Target::File(folder.join(format!("{name}.png")));
            output::write(&target, &bytes, None, force, false)?;
        }
    }
    Ok(())
}
