//! Heat maps of what was flagged.

use super::normal::Source;
use super::panel::Panel;
use super::rows::Row;
use crate::cli::fault::Fault;
use crate::cli::inputs::Input;
use crate::cli::output;
use crate::cli::target::Target;
use std::collections::BTreeMap;
use std::path::Path;
use surprisal::media::image::png;
use surprisal::score::Example;
use surprisal::score::draw::{Drawing, draw, enlarged};

/// Draws each flagged example: `FOLDER/NAME.png`, or `.html` of texts, with what leads to other folders in the name replaced. Files that
/// hold flagged examples are scored again.
pub fn write(
    folder: &Path,
    inputs: &[Input],
    rows: &[Row],
    panel: &Panel,
    source: &Source,
    force: bool,
) -> Result<(), Fault> {
    let mut contents = BTreeMap::new();
    let mut flagged: BTreeMap<usize, BTreeMap<usize, String>> = BTreeMap::new();
    for (row, (content, place)) in rows.iter().filter_map(|row| Some((row, row.flagged()?))) {
        contents.insert(content, place);
        flagged.entry(row.number.0).or_default().insert(row.number.1, row.file_name());
    }
    let one = |_: usize, example: &Example| contents.get(&example.content()).and_then(|place| draw(example, *place));
    for (input, names) in flagged {
        let fault = |text: String| Fault::Error(text).about(&inputs[input].name());
        let file = inputs[input].read(false)?;
        let (scorer, _) = panel.of(&file, source).map_err(fault)?;
        let drawings = scorer.each(&file, source.reading, one).map_err(|e| fault(e.to_string()))?;
        for (number, name) in names {
            let (ending, bytes) = match drawings.get(number) {
                Some(Some(Drawing::Picture { heat, .. })) => {
                    ("png", png::encode(&enlarged(heat)).map_err(|e| fault(e.to_string()))?)
                }
                Some(Some(Drawing::Letters(letters))) => ("html", letters.html().into_bytes()),
                _ => continue,
            };
            let target = Target::File(folder.join(format!("{name}.{ending}")));
            output::write(&target, &bytes, None, force, false)?;
        }
    }
    Ok(())
}
