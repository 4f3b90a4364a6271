//! `surprisal reach`

mod field;

use super::fault::{Exit, Fault};
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use surprisal::codec::Models;
use surprisal::engine::Kernel;
use surprisal::engine::grid::{GridNetwork, influence};
use surprisal::media::Limits;
use surprisal::media::image::{Picture, png};
use surprisal::media::set::{self, Set};
use surprisal::spec::Domain;

/// Draw which pixels, characters or samples a model looks at: its receptive field, blind spots included
///
/// With --family what networks of that family could see, whatever their weights are; several are drawn side by side. With a MODEL
/// what it makes of it: the pixels coded before one are changed, one after the other, in some pictures; the more that moves the distribution of that
/// one, the darker they are drawn. Yellow pixels were coded before, and none of them ever moved it; the pixel itself is red, and
/// what is coded later is white. Of text and sound the last symbols before one are drawn in rows of 64, the latest last.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model for pictures, text or sound: its file, its name or the start of its id
    #[arg(value_name = "MODEL", required_unless_present = "family")]
    model: Option<String>,
    /// Pictures, a text or a recording such as the model's
    #[arg(long, value_name = "FILE", required_unless_present = "family")]
    data: Option<PathBuf>,
    /// A family of networks; may be given more than once
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "data"])]
    family: Vec<String>,
    /// A size of the families that have it, as in layers=4 [default: as `surprisal train` has it]; may be given more than once
    #[arg(long, value_name = "NAME=N", requires = "family", value_parser = setting)]
    set: Vec<(String, i64)>,
    /// Width and height of the families' pictures
    #[arg(long, value_name = "WxH", default_value = "28x28", value_parser = super::dataset::tile)]
    size: (u32, u32),
    /// How many of them, or how many pieces
    #[arg(short = 'n', long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// The pixel [default: the middle of the picture]
    #[arg(long, value_name = "ROW,COLUMN", value_parser = place)]
    at: Option<(u32, u32)>,
    /// Where the PNG goes; - means standard output
    #[arg(short, long, value_name = "OUT.png")]
    output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: LimitOptions,
}

/// A row and a column: `14,14`.
fn place(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(',').and_then(|(r, c)| Some((r.parse().ok()?, c.parse().ok()?)));
    sides.ok_or_else(|| "a row and a column are needed, as in 14,14".to_owned())
}

/// A size: `layers=4`.
pub fn setting(text: &str) -> Result<(String, i64), String> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    parts.ok_or_else(|| "a name and a number are needed, as in layers=4".to_owned())
}

/// Symbols of a row of text or sound, and rows at most: as many symbols are changed one by one.
const ROW: usize = 64;
const ROWS: usize = 32;

/// Pixels of the drawing to a pixel.
const CELL: usize = 8;

/// What a pixel is to the one that is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Later,
    Itself,
    Never,
    /// By how much it moves the distribution.
    Earlier(u64),
}

/// Draws.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let (Some(model), Some(data)) = (&args.model, &args.data) else { return families(args, global) };
    let models = Models::new(std::slice::from_ref(model), global.kernel.unwrap_or_else(Kernel::best));
    models.check()?;
    let fail = |text: String| Err(Fault::Error(text));
    let Some(network) = models.for_sets()? else {
        return fail(format!(
            "the model '{}' is for photographs: name one for pictures of one size, text or sound",
            model
        ));
    };
    let target = Target::named(&args.output);
    output::check(&target, None, args.force)?;
    let file = std::fs::read(data).map_err(|e| Fault::io(data, "read", &e))?;
    let set = set::examples(&file, network.program().domain(), &Limits { max_bytes: args.limit.bytes() });
    let set = set.map_err(|e| Fault::Error(e.to_string()).about(&data.display().to_string()))?;
    let (seen, width, text) = match size(&network) {
        Some(size) => pixels(args, &network, size, &set)?,
        None if args.at.is_some() => return fail("--at is for pictures".to_owned()),
        None => sequence(args, &network, &set)?,
    };
    let bytes = png::encode(&draw(&seen, width)).map_err(|e| Fault::Error(e.to_string()))?;
    output::write(&target, &bytes, None::<&Path>, args.force, false)?;
    let count = |wanted: fn(&Seen) -> bool| seen.iter().filter(|s| wanted(s)).count();
    let (earlier, never) = (count(|s| matches!(s, Seen::Earlier(_))), count(|s| *s == Seen::Never));
    let text = format!("{text}: {} coded before it, {earlier} of them move it", earlier + never);
    report::note(global.quiet, format!("{text}, {never} never do; {}", target.name()));
    Ok(Exit::Done)
}

/// Draws what families could see.
fn families(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let target = Target::named(&args.output);
    output::check(&target, None, args.force)?;
    let (width, height) = args.size;
    let at = args.at.unwrap_or((height / 2, width / 2));
    if at.0 >= height || at.1 >= width {
        return Err(Fault::Error(format!(
            "--at {},{}: the pictures have {height} rows and {width} columns",
            at.0, at.1
        )));
    }
    let mut fields = Vec::new();
    for name in &args.family {
        let seen = field::seen(&field::describe(name, &args.set, args.size)?, args.size, at)?;
        let count = |wanted: fn(&Seen) -> bool| seen.iter().filter(|s| wanted(s)).count();
        let (earlier, never) = (count(|s| matches!(s, Seen::Earlier(_))), count(|s| *s == Seen::Never));
        let text = format!("{name}: pixel {},{}: {} coded before it", at.0, at.1, earlier + never);
        report::note(global.quiet, format!("{text}, {earlier} of them can move it, {never} cannot"));
        fields.push(seen);
    }
    let panels: Vec<(&[Seen], usize)> = fields.iter().map(|f| (&f[..], width as usize)).collect();
    let bytes = png::encode(&beside(&panels)).map_err(|e| Fault::Error(e.to_string()))?;
    output::write(&target, &bytes, None::<&Path>, args.force, false)?;
    Ok(Exit::Done)
}

/// What is drawn, its width, and what is looked at in words.
type Shown = (Vec<Seen>, usize, String);

/// Of pictures.
fn pixels(
    args: &Args,
    network: &GridNetwork,
    (channels, height, width): (usize, u32, u32),
    set: &Set,
) -> Result<Shown, Fault> {
    let fail = |text: String| Err(Fault::Error(text));
    let (row, column) = args.at.unwrap_or((height / 2, width / 2));
    if row >= height || column >= width {
        return fail(format!("--at {row},{column}: the model's pictures have {height} rows and {width} columns"));
    }
    let examples: Vec<&[u16]> = set.iter().take(args.count as usize).collect();
    if examples.is_empty() {
        return fail("--data: there is no picture in it".to_owned());
    }
    let symbol = (row * width + column) as usize * channels;
    let step = (0..network.symbols()).find(|t| network.data_index(*t) == symbol).expect("every symbol has a step");
    let moved = influence(network, &examples, &[], step);
    let seen = seen(network, channels, symbol / channels, &moved);
    Ok((seen, width as usize, format!("pixel {row},{column}")))
}

/// Of texts and sound: the symbol at the end of a piece, which is long enough for a row more than its distribution can depend on.
fn sequence(args: &Args, network: &GridNetwork, set: &Set) -> Result<Shown, Fault> {
    let program = network.program();
    let fields = program.spec().receptive_fields().map_err(|e| Fault::Error(e.to_string()))?;
    let far = fields.iter().filter_map(|f| f.hull()).map(|h| h.low[3].unsigned_abs()).max().unwrap_or(0);
    let rows = (far as usize).min(ROW * ROWS).div_ceil(ROW) + 1;
    let length = (rows.min(ROWS) * ROW).min(network.symbols());
    let fault = |e: String| Fault::Error(e);
    let short = match program.with_segment(length as u32) {
        Some(short) => GridNetwork::new(Arc::new(short), network.kernel()).map_err(|e| fault(e.to_string()))?,
        None => return Err(fault(format!("the model '{}' is not for parts of its segments", program.name()))),
    };
    let all: Vec<&[u16]> = set.symbols().chunks_exact(length).collect();
    if all.is_empty() {
        return Err(fault(format!("--data: it has fewer than the {length} symbols needed")));
    }
    let count = all.len().min(args.count as usize);
    let pieces: Vec<&[u16]> = (0..count).map(|i| all[i * all.len() / count]).collect();
    let moved = influence(&short, &pieces, &[], length - 1);
    let seen = moved.iter().map(|m| if *m > 0 { Seen::Earlier(*m) } else { Seen::Never });
    let seen =
        seen.chain([Seen::Itself]).chain(std::iter::repeat_n(Seen::Later, length.next_multiple_of(ROW) - length));
    Ok((seen.collect(), ROW, format!("the last of {length} symbols")))
}

fn size(network: &GridNetwork) -> Option<(usize, u32, u32)> {
    match network.program().domain() {
        Domain::Pictures { channels, height, width, .. } => Some(((*channels).into(), *height, *width)),
        _ => None,
    }
}

/// `[pixels]`; a pixel moves as much as its samples together.
fn seen(network: &GridNetwork, channels: usize, itself: usize, moved: &[u64]) -> Vec<Seen> {
    let mut seen = vec![Seen::Later; network.symbols() / channels];
    for (step, change) in moved.iter().enumerate() {
        let pixel = &mut seen[network.data_index(step) / channels];
        let before = if let Seen::Earlier(before) = pixel { *before } else { 0 };
        *pixel = if before + change > 0 { Seen::Earlier(before + change) } else { Seen::Never };
    }
    seen[itself] = Seen::Itself;
    seen
}

/// Drawings of one height side by side.
fn beside(panels: &[(&[Seen], usize)]) -> Picture {
    let drawn: Vec<Picture> = panels.iter().map(|(seen, width)| draw(seen, *width)).collect();
    let height = drawn[0].height;
    let lines = |y: usize| {
        let part = move |p: &'_ Picture| {
            let line = p.width as usize * 3;
            p.samples[y * line..][..line].to_vec()
        };
        drawn.iter().map(part).collect::<Vec<_>>().join(&[255; CELL * 3][..])
    };
    let samples: Vec<u8> = (0..height as usize).flat_map(lines).collect();
    Picture { width: (samples.len() / 3 / height as usize) as u32, height, channels: 3, samples }
}

/// The picture, [`CELL`] times as large; a tenfold change is a step of darkness, down to the ten thousandth of the largest.
fn draw(seen: &[Seen], width: usize) -> Picture {
    let most = seen.iter().map(|s| if let Seen::Earlier(v) = s { *v } else { 0 }).max().unwrap_or(0).max(1) as f64;
    let colour = |seen: &Seen| match seen {
        Seen::Later => [255, 255, 255],
        Seen::Itself => [200, 30, 40],
        Seen::Never => [250, 215, 90],
        Seen::Earlier(change) => {
            let dark = 1.0 + ((*change as f64 / most).log10() / 4.0).max(-0.9);
            [225.0 - 215.0 * dark, 235.0 - 185.0 * dark, 250.0 - 110.0 * dark].map(|v| v as u8)
        }
    };
    let line = |row: &[Seen]| -> Vec<u8> {
        let cells = row.iter().flat_map(|s| std::iter::repeat_n(colour(s), CELL));
        cells.flatten().collect()
    };
    let rows = seen.chunks_exact(width).flat_map(|row| std::iter::repeat_n(line(row), CELL));
    let samples: Vec<u8> = rows.flatten().collect();
    Picture { width: (width * CELL) as u32, height: (seen.len() / width * CELL) as u32, channels: 3, samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_drawn_where_they_are() {
        let seen = [Seen::Earlier(1000), Seen::Never, Seen::Earlier(1), Seen::Itself, Seen::Later, Seen::Later];
        let picture = draw(&seen, 3);
        assert_eq!((picture.width, picture.height, picture.samples.len()), (24, 16, 24 * 16 * 3));
        let at = |x: usize, y: usize| &picture.samples[(y * CELL * 24 + x * CELL) * 3..][..3];
        assert_eq!((at(1, 0), at(0, 1), at(2, 1)), (&[250, 215, 90][..], &[200, 30, 40][..], &[255; 3][..]));
        assert!(at(0, 0)[0] < at(2, 0)[0], "what moves more is darker");
    }
}
