//! `surprisal dataset`

mod join;

use super::fault::{Exit, Fault};
use super::inputs::{self, Folders, Input};
use super::options::{Global, LimitOptions};
use super::plane::toy::{self, Toy};
use super::target::Target;
use super::{output, report};
use clap::{Subcommand, value_parser};
use std::path::{Path, PathBuf};
use surprisal::media::image::Picture;
use surprisal::media::image::lattice::{TRANSFORMS, Transform};
use surprisal::media::set::{Array, sampled, thresholded};
use surprisal::media::{self, Content, Limits, image::pnm};

/// Make files for training, measuring and coding, and join recordings
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
    /// Take colour pictures to planes of luminance and colour, as PPM files whose green is the luminance: what a model for planes is
    /// trained and calibrated on
    Planes {
        /// How decoders of such pictures make RGB: photo-ycc or jpeg
        #[arg(long, value_name = "NAME", value_parser = transform)]
        transform: &'static Transform,
        /// Pictures, or folders of them
        #[arg(required = true, value_name = "IN")]
        inputs: Vec<PathBuf>,
        /// The folder for the PPM files; it is made if it is not there
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Overwrite outputs that exist
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        limit: LimitOptions,
    },
    /// Join recordings to one WAV file
    ///
    /// Those that have not the channels, bits and rate of the first one are left out, and named.
    Join {
        /// WAV, AIFF and FLAC files, or folders of them
        #[arg(required = true, value_name = "IN")]
        files: Vec<PathBuf>,
        /// Seconds after which it is cut
        #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
        seconds: Option<u32>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        limit: LimitOptions,
    },
    /// Draw pairs of values from a distribution on 200 x 200 that `surprisal plane` knows, as pictures of two samples
    Toy {
        /// How many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u32).range(1..=100_000_000))]
        count: u32,
        #[command(flatten)]
        made: Made,
    },
    /// Make binary pictures whose first row, random, comes again as the last, with nothing between: can a model look that far?
    Copy {
        /// How many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
        count: u32,
        /// Rows of a picture
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(3..=64))]
        rows: u32,
        /// Columns of a picture
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=64))]
        columns: u32,
        #[command(flatten)]
        made: Made,
    },
}

/// Where a WAV file goes.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Where the WAV file goes; - means standard output
    #[arg(short, long, value_name = "OUT.wav")]
    pub output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    pub force: bool,
}

/// What all that is made up needs.
#[derive(Debug, clap::Args)]
struct Made {
    /// Where the generator starts
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Where the IDX file goes; - means standard output
    #[arg(short, long, value_name = "OUT.idx")]
    output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
}

impl Made {
    fn write(&self, array: &Array, global: &Global) -> Result<Exit, Fault> {
        let target = Target::named(&self.output);
        output::check(&target, None, self.force)?;
        written(array, &target, self.force, "made", global)
    }
}

/// Writes an IDX file and says so.
fn written(array: &Array, target: &Target, force: bool, from: &str, global: &Global) -> Result<Exit, Fault> {
    output::write(target, &array.to_idx(), None::<&Path>, force, false)?;
    let shape: Vec<String> = array.dims.iter().map(u32::to_string).collect();
    report::note(global.quiet, format_args!("{from}: {}, {}", shape.join(" x "), target.name()));
    Ok(Exit::Done)
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

/// A transform by its name.
fn transform(name: &str) -> Result<&'static Transform, String> {
    let named = TRANSFORMS.into_iter().find(|transform| transform.name == name);
    let names = || TRANSFORMS.map(|transform| transform.name).join(", ");
    named.ok_or_else(|| format!("there is no such transform; there are: {}", names()))
}

/// The planes of a colour picture in a file, as a PPM file; `None` for other files.
fn planes(file: &[u8], transform: &Transform, limits: &Limits) -> Option<Vec<u8>> {
    let Ok((_, Content::Picture(Picture { width, height, channels: 3, mut samples }))) = media::content(file, limits)
    else {
        return None;
    };
    for pixel in samples.chunks_exact_mut(3) {
        let [y, u, v] = transform.inverse([pixel[0], pixel[1], pixel[2]]);
        pixel.copy_from_slice(&[u, y, v]);
    }
    Some(pnm::write(&Picture { width, height, channels: 3, samples }))
}

/// Makes the file.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    match &args.command {
        Command::Binarize { threshold, seed, files } => files.convert(global, None, |array| match threshold {
            true => thresholded(&mut array.values),
            false => sampled(&mut array.values, *seed),
        }),
        Command::Tile { tile, files } => files.convert(global, Some(*tile), |_| {}),
        Command::Join { files, seconds, place, limit } => join::run(files, *seconds, place, limit, global),
        Command::Toy { count, made } => made.write(&Toy::new().draw(*count, made.seed), global),
        Command::Planes { transform, inputs, output, force, limit } => {
            let limits = Limits { max_bytes: limit.bytes() };
            let (inputs, worst) = inputs::gather(inputs, Folders::Walk, global.quiet);
            let done = report::each(inputs, |input| {
                let name = input.path().unwrap_or(Path::new("stdin")).with_extension("ppm");
                let target = Target::File(output.join(name.file_name().unwrap_or_default()));
                output::check(&target, input.path(), *force)?;
                match planes(&input.read(true)?, transform, &limits) {
                    Some(file) => output::write(&target, &file, None::<&Path>, *force, false)?,
                    None => report::note(global.quiet, format_args!("{}: no colour picture, left out", input.name())),
                }
                Ok(())
            })?;
            Ok(worst.max(done))
        }
        Command::Copy { count, rows, columns, made } => {
            made.write(&toy::copies(*count, *rows, *columns, made.seed), global)
        }
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
        let target = Target::named(&self.output);
        output::check(&target, input.path(), self.force)?;
        let file = input.read(true)?;
        let limits = Limits { max_bytes: self.limit.bytes() };
        let mut array =
            Array::of(&file, tile, &limits).map_err(|e| Fault::Error(e.to_string()).about(&input.name()))?;
        change(&mut array);
        written(&array, &target, self.force, &input.name(), global)
    }
}
