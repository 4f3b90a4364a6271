//! `surprisal train` in a program that was built without torch.

use super::fault::{Exit, Fault};
use super::options::Global;

/// Train a model on files of your own (this program was built without training)
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    ignored: Vec<String>,
}

/// Says what is missing.
pub fn run(_: &Args, _: &Global) -> Result<Exit, Fault> {
    Err(Fault::Error(
        "this program was built without training, which needs libtorch 2.11: build it with
  LIBTORCH=/path/to/libtorch cargo build --release --features torch
(libtorch is also in PyPI's torch==2.11.0, as the folder site-packages/torch)"
            .to_owned(),
    ))
}
