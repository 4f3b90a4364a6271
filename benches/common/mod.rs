//! What the benchmarks of the picture codec share: pictures, the model, and the walk of the codec in single steps.
#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::path::PathBuf;
use std::sync::Arc;
use surprisal::codec::bands::{Band, bands};
use surprisal::engine::{Executor, Field, Kernel, Network, Position, Program};
use surprisal::media::image::Picture;
use surprisal::media::{self, Content, Limits, Options, Outcome};

/// The channels of a pixel in the codec's order.
pub const GREEN_RED_BLUE: [usize; 3] = [1, 0, 2];

/// Whether cargo runs this to measure: `cargo test --all-targets` starts benchmarks, too, only to see them start.
pub fn is_wanted() -> bool {
    std::env::args().any(|a| a == "--bench")
}

/// The colour pictures that the arguments name, or else those of `corpora/photos`.
pub fn pictures() -> Vec<(String, Picture)> {
    // cargo adds --bench
    let is_file = |f: &PathBuf| !f.to_string_lossy().starts_with("--");
    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).filter(is_file).collect();
    if files.is_empty() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/photos")).expect("the corpora");
        files = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
    }
    let picture = |path: PathBuf| {
        let file = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let Outcome::Split(split) =
            media::split(&file, Options { pixels: true, ..Options::default() }, &Limits { max_bytes: 1 << 31 })
        else {
            panic!("{}: is not a picture that the network codes", path.display());
        };
        match split.content {
            Content::Picture(picture) if picture.channels == 3 => {
                (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), picture)
            }
            _ => panic!("{}: has not three channels of 8 bits", path.display()),
        }
    };
    files.into_iter().map(picture).collect()
}

/// The first rows of a picture.
pub fn top(picture: &Picture, rows: u32) -> Picture {
    let height = rows.min(picture.height);
    let line = picture.width as usize * usize::from(picture.channels);
    Picture { height, samples: picture.samples[..height as usize * line].to_vec(), ..*picture }
}

/// A model for a kernel: the file that `--model=FILE` names, or `models/photo.srm`.
pub fn network(kernel: Kernel) -> Network {
    let named = std::env::args().find_map(|a| a.strip_prefix("--model=").map(str::to_owned));
    let file = named.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.srm").into());
    let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
    Network::new(Arc::new(Program::from_bytes(&bytes).expect("a model")), kernel)
}

/// Positions of one step of the wavefront whose channel number `channel` is next.
pub struct Step<'a> {
    /// The channel, in the codec's order.
    pub channel: usize,
    /// The positions.
    pub positions: &'a [Position],
    /// Their samples.
    pub samples: &'a [u8],
}

/// Walks over a band as the codec does; `visit` runs the stage and sets the samples.
pub fn walk<'n>(
    network: &'n Network,
    picture: &Picture,
    band: Band,
    visit: &mut impl FnMut(&mut Executor<'n>, &mut Field, Step),
) {
    let (width, height, lag, reach) = (picture.width as usize, band.rows as usize, network.lag(), network.reach());
    let sample = |y: usize, x: usize, c: usize| picture.samples[(y * width + x) * 3 + GREEN_RED_BLUE[c]];
    let first = band.first as usize;
    let mut field = Field::new(width, height, 3, reach, first == 0);
    for up in 1..=if first == 0 { 0 } else { reach } {
        for (x, c) in (0..width).flat_map(|x| (0..3).map(move |c| (x, c))) {
            field.set(c, -(up as isize), x, sample(first - up, x, c));
        }
    }
    let mut executor = Executor::new(network, height.min(width.div_ceil(lag)));
    let (mut positions, mut samples) = (Vec::new(), Vec::new());
    for step in 0..width + lag * (height - 1) {
        let rows = (step + 1).saturating_sub(width).div_ceil(lag)..=(step / lag).min(height - 1);
        positions.clear();
        positions.extend(rows.map(|y| Position { row: y as u32, column: (step - lag * y) as u32 }));
        for channel in 0..3 {
            samples.clear();
            samples.extend(positions.iter().map(|p| sample(first + p.row as usize, p.column as usize, channel)));
            visit(&mut executor, &mut field, Step { channel, positions: &positions, samples: &samples });
        }
    }
}

/// [`walk`] over all bands.
pub fn walk_all<'n>(
    network: &'n Network,
    picture: &Picture,
    mut visit: impl FnMut(&mut Executor<'n>, &mut Field, Step),
) {
    bands(picture.height).for_each(|band| walk(network, picture, band, &mut visit));
}
