//! `surprisal sample`

mod sheet;
mod sound;

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use surprisal::codec::Models;
use surprisal::codec::sets::{self, Classes, Draw, Labels};
use surprisal::engine::Kernel;
use surprisal::engine::grid::GridNetwork;
use surprisal::likelihood::Temperature;
use surprisal::media::Limits;
use surprisal::media::set::{self, Set};
use surprisal::spec::{Domain, Order};

/// Draw pictures, text or sound from a model
///
/// Pictures go into a PNG, side by side (or into an IDX file, if OUT ends in .idx), text into a text file or standard output,
/// sound into a WAV, a quarter of a second of silence between several.
/// The same seed draws the same on every machine, with any number of threads.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model: its file, its name or the start of its id
    #[arg(value_name = "MODEL")]
    model: String,
    /// How many [default: 64 pictures, or one text or sound]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: Option<u32>,
    /// Their class, for a model that knows classes [default: all classes in turn]
    #[arg(long, value_name = "C")]
    class: Option<u8>,
    /// Where the generators start
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Above 1 for more variety, below 1 for less
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f64,
    /// Text or sound that comes first
    #[arg(long, value_name = "FILE")]
    prime: Option<PathBuf>,
    /// Characters of each text, or samples of each sound [default: a segment of the model]
    #[arg(long, value_name = "N")]
    length: Option<usize>,
    /// Keep the upper half of the pictures in this file and draw the rest; each is shown beside the original
    #[arg(long, value_name = "FILE", conflicts_with = "prime")]
    complete_half: Option<PathBuf>,
    /// Show beside each picture the nearest one in this file (the sum of squared differences is smallest), such as the training data
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prime", "complete_half"])]
    nearest: Option<PathBuf>,
    /// Where it goes; - means standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: LimitOptions,
}

/// Draws.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let models = Models::new(std::slice::from_ref(&args.model), global.kernel.unwrap_or_else(Kernel::best));
    models.check()?;
    let Some(network) = models.for_sets()? else {
        return Err(Fault::Error(format!(
            "the model '{}' is for photographs, from which nothing is drawn",
            args.model
        )));
    };
    let target = Target::named(&args.output);
    check_name(&args.output, network.program().domain())?;
    let is_text = matches!(network.program().domain(), Domain::Text { .. });
    if !(is_text && target == Target::Stdout) {
        output::check(&target, None, args.force)?;
    }
    let bytes = match network.program().domain() {
        Domain::Pictures { .. } => pictures(args, global, &network)?,
        Domain::Text { characters, .. } => texts(args, global, &network, characters)?,
        Domain::Sound { rate, samples, .. } => sound::wav(&sequences(args, global, &network)?, *rate, *samples)?,
        Domain::Photographs => unreachable!("a model for sets"),
    };
    output::write(&target, &bytes, None::<&Path>, args.force, false)?;
    report::note(global.quiet, target.name());
    Ok(Exit::Done)
}

/// Refuses a name that promises another kind of file than what is drawn.
fn check_name(path: &Path, domain: &Domain) -> Result<(), Fault> {
    let (what, endings): (_, &[&str]) = match domain {
        Domain::Pictures { .. } => ("pictures go into .png or .idx", &["png", "idx"]),
        Domain::Sound { .. } => ("sound goes into .wav", &["wav"]),
        _ => return Ok(()),
    };
    match path.extension() {
        Some(e) if !endings.iter().any(|ending| e.eq_ignore_ascii_case(ending)) => {
            Err(Fault::Error(format!("{}: {what}; choose such a name with -o", path.display())))
        }
        _ => Ok(()),
    }
}

/// Temperature 1 leaves the distributions as they are.
fn temperature(t: f64) -> Result<Option<Temperature>, Fault> {
    if !(0.001..=1000.0).contains(&t) {
        return Err(Fault::Error("--temperature must be from 0.001 to 1000".to_owned()));
    }
    let thousandths = (t * 1000.0).round() as u32;
    Ok((thousandths != 1000).then(|| Temperature::thousandths(thousandths)))
}

/// The classes of so many examples.
fn classes(args: &Args, network: &GridNetwork, count: usize) -> Result<Classes, Fault> {
    let all = |known: u32| (0..count).map(|i| (i as u32 % known) as u8).collect::<Vec<_>>();
    let turns = network.classes().map(all).unwrap_or_default();
    let labels = match (args.class, network.classes()) {
        (Some(class), _) => Labels::All(class),
        (None, Some(_)) => Labels::Each(&turns),
        (None, None) => Labels::Unknown,
    };
    Classes::new(network, labels, count).map_err(|e| Fault::Error(e.to_string()))
}

/// The examples in a file.
fn examples(args: &Args, network: &GridNetwork, path: &Path) -> Result<Set, Fault> {
    let file = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    let set = set::examples(&file, network.program().domain(), &Limits { max_bytes: args.limit.bytes() });
    set.map_err(|e| Fault::Error(e.to_string()).about(&path.display().to_string()))
}

/// The bytes of a PNG of pictures drawn from a network, of all its classes in turn.
#[cfg(feature = "torch")]
pub fn grid(network: &GridNetwork, count: usize) -> Result<Vec<u8>, Fault> {
    let turns = network.classes().map(|known| (0..count).map(|i| i as u32 % known).collect());
    let turns: Vec<u32> = turns.unwrap_or_default();
    let length = network.symbols();
    let draw = Draw { count, length, seed: 1, temperature: None, classes: &turns, given: &[], kept: 0 };
    let drawn = sets::sample(network, &draw, &());
    sheet::png(network.program().domain(), &drawn.chunks(length).collect::<Vec<_>>(), 1)
}

/// The bytes of a PNG or an IDX file.
fn pictures(args: &Args, global: &Global, network: &GridNetwork) -> Result<Vec<u8>, Fault> {
    if args.prime.is_some() || args.length.is_some() {
        return Err(Fault::Error(
            "--prime and --length are for text and sound; pictures have --complete-half".to_owned(),
        ));
    }
    let size = network.symbols();
    let read = |path: &Option<PathBuf>| path.as_deref().map(|path| examples(args, network, path)).transpose();
    let (originals, known) = (read(&args.complete_half)?, read(&args.nearest)?);
    if let (Some(path), true) = (&args.nearest, known.as_ref().is_some_and(Set::is_empty)) {
        let fault = Fault::Error("there is no picture that could be near".to_owned());
        return Err(fault.about(&path.display().to_string()));
    }
    let mut count = args.count.unwrap_or(64) as usize;
    let (mut given, mut kept): (&[u16], usize) = (&[], 0);
    if let Some(set) = &originals {
        if matches!(&network.program().spec().symbols.order, Order::Permuted { .. }) {
            let text = "codes pixels in another order than row after row, so it cannot go on from a half";
            return Err(Fault::Error(format!("the model '{}' {text}", network.program().name())));
        }
        count = count.min(set.len());
        if count == 0 {
            return Err(Fault::Error("there is no picture whose half could be kept".to_owned()));
        }
        given = &set.symbols()[..count * size];
        let Domain::Pictures { channels, height, width, .. } = network.program().domain() else { unreachable!() };
        kept = (height / 2 * width) as usize * usize::from(*channels);
    }
    let classes = classes(args, network, count)?;
    let temperature = temperature(args.temperature)?;
    let draw = Draw { count, length: size, seed: args.seed, temperature, classes: classes.of(0..count), given, kept };
    let bar = Bar::new("drawing", global.quiet);
    let drawn = sets::sample(network, &draw, &bar);
    drop(bar);
    let domain = network.program().domain();
    if args.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("idx")) {
        return sheet::idx(domain, &drawn);
    }
    let each: Vec<&[u16]> = drawn.chunks(size).collect();
    let pairs: Vec<[&[u16]; 2]> = match &known {
        Some(known) => each.par_iter().map(|drawn| [*drawn, nearest(drawn, known.symbols().chunks(size))]).collect(),
        None => given.chunks(size).zip(&each).map(|(given, drawn)| [given, *drawn]).collect(),
    };
    if pairs.is_empty() { sheet::png(domain, &each, 1) } else { sheet::png(domain, pairs.as_flattened(), 2) }
}

/// The one with the smallest sum of squared differences; the first of several.
fn nearest<'a>(picture: &[u16], known: impl Iterator<Item = &'a [u16]>) -> &'a [u16] {
    let distance =
        |other: &&[u16]| -> u64 { picture.iter().zip(*other).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum() };
    known.min_by_key(distance).unwrap_or_default()
}

/// The bytes of a text; several are parted by an empty line.
fn texts(args: &Args, global: &Global, network: &GridNetwork, characters: &[u8]) -> Result<Vec<u8>, Fault> {
    let drawn = sequences(args, global, network)?;
    // What is no character of the model is unknown: U+FFFD.
    let text = |symbols: &Vec<u16>| -> Vec<u8> {
        let byte = |s: &u16| characters.get(usize::from(*s)).map_or("\u{fffd}".as_bytes(), std::slice::from_ref);
        [symbols.iter().flat_map(byte).copied().collect(), b"\n".to_vec()].concat()
    };
    Ok(drawn.iter().map(text).collect::<Vec<_>>().join(&b'\n'))
}

/// The symbols of texts or sounds.
fn sequences(args: &Args, global: &Global, network: &GridNetwork) -> Result<Vec<Vec<u16>>, Fault> {
    if args.complete_half.is_some() || args.nearest.is_some() {
        let text = "--complete-half and --nearest are for pictures; text and sound have --prime";
        return Err(Fault::Error(text.to_owned()));
    }
    let count = args.count.unwrap_or(1) as usize;
    let start = args.prime.as_deref().map(|path| examples(args, network, path)).transpose()?;
    let start = start.as_ref().map_or(&[][..], Set::symbols);
    let length = args.length.unwrap_or(network.symbols());
    if length > network.symbols() || length <= start.len() {
        let (most, has) = (network.symbols(), start.len());
        let text = format!("this model draws up to {most} symbols in a row, of which the beginning takes {has}");
        return Err(Fault::Error(format!("{length} symbols cannot be drawn: {text}")));
    }
    let mut given = Vec::new();
    if !start.is_empty() {
        for _ in 0..count {
            given.extend_from_slice(start);
            given.resize(given.len() + length - start.len(), 0);
        }
    }
    let classes = classes(args, network, count)?;
    let (temperature, seed, kept) = (temperature(args.temperature)?, args.seed, start.len());
    let draw = Draw { count, length, seed, temperature, classes: classes.of(0..count), given: &given, kept };
    let bar = Bar::new("drawing", global.quiet);
    let drawn = sets::sample(network, &draw, &bar);
    Ok(drawn.chunks(length).map(<[u16]>::to_vec).collect())
}
