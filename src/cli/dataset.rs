//! `surprisal dataset`

use super::fault::{Exit, Fault};
use super::inputs::Input;
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use surprisal::media::Limits;
use surprisal::media::set::{Array, sampled, thresholded};

/// Make IDX files for training, measuring and coding
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make gray pictures binary: 255 with probability gray / 255, else 0
    ///
    /// The pixel number i (from 0, over the whole file) becomes 255 if `u mod 255` is below its value, where u is the i-th
    /// output of the generator SplitMix64 that starts at the seed: the same file everywhere.
    Binarize {
        /// Not by chance: 255 where the value is above 127
        #[arg(long)]
        threshold: bool,
        /// Where the generator starts
        #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "threshold")]
        seed: u64,
        #[command(flatten)]
        files: Files,
    },
    /// Cut a sprite sheet into tiles, row by row
    Tile {
        /// Width and height of a tile, for instance 32x32
        #[arg(long, value_name = "WxH", value_parser = tile)]
        tile: (u32, u32),
        #[command(flatten)]
        files: Files,
    },
}

#[derive(Debug, clap::Args)]
struct Files {
    /// An IDX file, perhaps gzipped, or a picture
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Where the IDX file goes; - means standard output
    #[arg(short, long, value_name = "OUT.idx")]
    output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: LimitOptions,
}

/// A width and a height: `32x32`.
pub fn tile(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides.filter(|(w, h)| *w > 0 && *h > 0).ok_or_else(|| "a width and a height are needed, as in 32x32".to_owned())
}

/// Makes the file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    match &args.command {
        Command::Binarize { threshold, seed, files } => files.convert(global, None, |array| match threshold {
            true => thresholded(&mut array.values),
            false => sampled(&mut array.values, *seed),
        }),
        Command::Tile { tile, files } => files.convert(global, Some(*tile), |_| {}),
    }
}

impl Files {
    fn convert(
        &self,
        global: &Global,
        tile: Option<(u32, u32)>,
        change: impl FnOnce(&mut Array),
    ) -> Result<Exit, Fault> {
        let input = match self.input.as_os_str() == "-" {
            true => Input::Stdin,
            false => Input::File { path: self.input.clone(), relative: self.input.clone() },
        };
        let target = match self.output.as_os_str() == "-" {
            true => Target::Stdout,
            false => Target::File(self.output.clone()),
        };
        output::check(&target, input.path(), self.force)?;
        let file = input.read(true)?;
        let limits = Limits { max_bytes: self.limit.bytes() };
        let mut array =
            Array::of(&file, tile, &limits).map_err(|e| Fault::Error(e.to_string()).about(&input.name()))?;
        change(&mut array);
        output::write(&target, &array.to_idx(), None::<&Path>, self.force, false)?;
        let shape: Vec<String> = array.dims.iter().map(u32::to_string).collect();
        report::note(global.quiet, format_args!("{}: {}, {}", input.name(), shape.join(" x "), target.name()));
        Ok(Exit::Done)
    }
}
