//! What examples cost in floating point: the same weights before they became integers.

use crate::cli::fault::Fault;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use surprisal::codec::sets::{Classes, Labels};
use surprisal::engine::grid::GridNetwork;
use surprisal::media::{Limits, set};
use surprisal::quantize::grid::{self, Example, FloatGrid};

/// Weights that go with a model.
pub struct Float {
    grid: FloatGrid,
}

impl Float {
    /// The weights in a file, or in the one beside a model's.
    pub fn open(given: Option<&Path>, model: Option<&Path>, network: &GridNetwork) -> Result<Self, Fault> {
        let beside = || model.map(|m| m.with_extension("safetensors")).filter(|path| path.exists());
        let path: PathBuf = match given.map(Path::to_owned).or_else(beside) {
            Some(path) => path,
            None => {
                return Err(Fault::Error(
                    "--float: no .safetensors lies beside the model: name it, --float=FILE".into(),
                ));
            }
        };
        let about = |text: String| Fault::Error(format!("{}: {text}", path.display()));
        let bytes = std::fs::read(&path).map_err(|e| Fault::io(&path, "read", &e))?;
        let weights = grid::read(&bytes).map_err(|e| about(e.to_string()))?;
        let program = network.program();
        let own = weights.filter(|w| w.domain == *program.domain() && w.network.spec == *program.spec());
        let own = own.ok_or_else(|| about(format!("not the weights of the model '{}'", program.name())))?;
        let grid = FloatGrid::new(&own.network, &own.domain).map_err(|e| about(e.to_string()))?;
        Ok(Self { grid })
    }

    /// Bits of each example of a file.
    pub fn bits(&self, file: &[u8], network: &GridNetwork, labels: Labels<'_>, limit: u64) -> Result<Vec<f64>, Fault> {
        let fault = |text: String| Fault::Error(text);
        let set = set::examples(file, network.program().domain(), &Limits { max_bytes: limit });
        let set = set.map_err(|e| fault(e.to_string()))?;
        let classes = Classes::new(network, labels, set.len()).map_err(|e| fault(e.to_string()))?;
        let class = |i: usize| if network.classes().is_some() { classes.of(i..i + 1).first().copied() } else { None };
        let examples: Vec<Example> =
            set.iter().enumerate().map(|(i, symbols)| Example { symbols, class: class(i) }).collect();
        let bits = examples.par_iter().map(|e| self.grid.bits(*e).map_err(|e| fault(e.to_string())));
        bits.collect()
    }
}
