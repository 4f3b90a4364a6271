//! `surprisal train FAMILY`: the families of the registry, on examples of one size.
//!
//! What must stay true: nothing here knows a family; its settings are those of the registry.

use super::super::fault::{Exit, Fault};
use super::super::options::Global;
use super::super::{report, sample};
use super::common::{Chosen, Common, rate};
use super::files::{About, Files};
use super::watch::Shown;
use clap::{Arg, ArgGroup, ArgMatches, Args as _, Command, FromArgMatches, ValueEnum, value_parser};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use surprisal::engine::Kernel;
use surprisal::engine::grid::GridNetwork;
use surprisal::quantize::QuantizeError;
use surprisal::spec::{Condition, Domain};
use surprisal::train::checkpoint::{Checkpoint, Config, Plan};
use surprisal::train::count::count;
use surprisal::train::examples::{Binarize, Draws, Examples, Reading};
use surprisal::train::finish::{Finished, finish_grid};
use surprisal::train::grid::{Executor, Network};
use surprisal::train::params::Layout;
use surprisal::train::prepare::{self, Trial};
use surprisal::train::{TrainError, beside};
use surprisal::zoo::{self, Family, Setting, Sizes};

/// What was asked for.
#[derive(Debug)]
pub struct Args {
    family: &'static Family,
    sizes: Sizes,
    options: Options,
}

#[derive(Debug, clap::Args)]
struct Options {
    /// An IDX file (also gzipped), a PNG, BMP, PNM, WebP or TIFF, WAV or FLAC, a folder of them, or texts; may be given more than
    /// once. One picture or recording in twenty, or the last tenth of each text (or of fewer recordings), is kept apart for
    /// validation
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    recipe: Recipe,
    /// Draw pictures after 0, 1, 3, 9 and 20 passes over the examples: MODEL.epoch-0.png and so on
    #[arg(long)]
    samples: bool,
    /// The class of each picture: an IDX file of one dimension (also gzipped), or numbers in a text
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

/// How the training goes about it.
#[derive(Debug, clap::Args)]
#[group(id = "recipe", multiple = true)]
struct Recipe {
    /// Train for that many passes over the examples
    #[arg(long, value_name = "N", conflicts_with_all = ["steps", "minutes"], value_parser = passes)]
    epochs: Option<f64>,
    /// Examples a step; each family has its own default
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1 << 20))]
    batch: Option<u32>,
    /// The highest learning rate; each family has its own default
    #[arg(long, value_name = "R", value_parser = rate)]
    lr: Option<f64>,
    /// The part of the values of gates and recurrent layers that a step leaves out; each family has its own default
    #[arg(long, value_name = "P", value_parser = part)]
    dropout: Option<f64>,
    /// Take so many masks in turn, with the seeds from --mask on: connectivity-agnostic training of MADE
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1024))]
    masks: u32,
    /// Take so many orders of the pixels in turn, with the seeds from --order on: order-agnostic training of MADE
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1024))]
    orders: u32,
    /// Do not train: count. A histogram, or `pair` without a hidden layer, gets the relative frequencies; N, 0 unless it is
    /// given, is added to every count
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "0", value_parser = smoothing,
        conflicts_with_all = ["epochs", "steps", "minutes", "batch", "lr", "dropout"])]
    count: Option<f64>,
    /// Cut each file's picture into tiles of this size
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = tile)]
    tile: Option<(u32, u32)>,
    /// Make gray pictures binary
    #[arg(long, value_enum)]
    binarize: Option<How>,
    /// Characters of a text, or samples of sound, that a step sees in a row
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(2..=1 << 16))]
    window: u32,
    /// Take sound as codes of 8-bit mu-law, with any distribution over them; else as samples of 16 bits or fewer
    #[arg(long)]
    mu_law: bool,
    /// Make a background model for `calibrate --background`: replace each symbol, with this probability, by one drawn evenly from all
    /// (Ren et al. 2019)
    #[arg(long, value_name = "RATE", value_parser = part)]
    mutate: Option<f64>,
}

impl Recipe {
    /// Masks and orders that are taken in turn.
    fn agnostic(&self) -> [u32; 2] {
        [self.masks, self.orders]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// 1 with probability gray / 255, drawn again each time
    Sample,
    /// 1 above 127
    Threshold,
}

fn passes(text: &str) -> Result<f64, String> {
    let passes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if passes > 0.0 && passes <= 1e9 { Ok(passes) } else { Err("not between 0 and a thousand million".to_owned()) }
}

fn smoothing(text: &str) -> Result<f64, String> {
    let smoothing: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1e9).contains(&smoothing) {
        Ok(smoothing)
    } else {
        Err("not between 0 and a thousand million".to_owned())
    }
}

fn part(text: &str) -> Result<f64, String> {
    let part: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..1.0).contains(&part) { Ok(part) } else { Err("not from 0 to below 1".to_owned()) }
}

fn tile(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides.filter(|(w, h)| *w > 0 && *h > 0).ok_or_else(|| "say WIDTHxHEIGHT, as in 32x32".to_owned())
}

impl Args {
    /// The subcommand of a family.
    pub fn command(family: &'static Family) -> Command {
        let about = format!("{} ({})", family.title, family.source);
        let command = Options::augment_args(Command::new(family.name).about(about));
        let settings = family.settings.iter().map(|Setting { name, help, default, low, high }| {
            let help = format!("{}{} [default: {default}]", help[..1].to_uppercase(), &help[1..]);
            let arg = Arg::new(*name).long(*name).value_name("N").help(help).help_heading("The network");
            arg.value_parser(value_parser!(i64).range(*low..=*high))
        });
        let names = family.settings.iter().map(|s| s.name);
        command.args(settings).group(ArgGroup::new("sizes").args(names).multiple(true))
    }

    /// What was said after a family's name.
    pub fn of(name: &str, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let unknown = || clap::Error::raw(clap::error::ErrorKind::InvalidSubcommand, "there is no such family");
        let family = zoo::family(name).ok_or_else(unknown)?;
        let given = family.settings.iter().filter_map(|s| Some((s.name, *matches.get_one::<i64>(s.name)?)));
        let chosen: Vec<(&str, i64)> = given.collect();
        let sizes = Sizes::new(family.settings, &chosen);
        let sizes = sizes.map_err(|e| clap::Error::raw(clap::error::ErrorKind::ValueValidation, e))?;
        Ok(Self { family, sizes, options: Options::from_arg_matches(matches)? })
    }

    fn reading(&self) -> Reading {
        let Recipe { tile, binarize, window, mu_law, mutate, .. } = &self.options.recipe;
        let binarize = binarize.map(|how| match how {
            How::Sample => Binarize::Sample,
            How::Threshold => Binarize::Threshold,
        });
        Reading { tile: *tile, binarize, window: *window, mu_law: *mu_law, mutate: mutate.unwrap_or(0.0) }
    }
}

/// Symbols of the training examples on which the scales of the integers are chosen, about.
const CALIBRATION: usize = 200_000;

/// After how many passes pictures are drawn, and how many.
const EPOCHS: [u64; 5] = [0, 1, 3, 9, 20];
const DRAWN: usize = 64;

/// Trains a model.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let Args { family, options, .. } = args;
    let common = &options.common;
    let files = Files::new(&common.output)?;
    files.check(common.force, common.resume.is_some())?;
    let device = prepare::device(&common.device)?;
    prepare::threads(global.threads);
    let resumed = common.resume.as_deref().map(Checkpoint::load).transpose()?;
    let reading = match resumed.as_ref().map(|c| &c.plan.config) {
        Some(Config::Grid { reading, .. }) => *reading,
        _ => args.reading(),
    };
    let examples = Examples::open(&options.data, options.labels.as_deref(), &reading);
    let examples = examples.map_err(|e| Fault::Error(e.to_string()))?;
    examples.warnings().iter().for_each(|text| report::note(global.quiet, text));
    let network = match (&resumed, &common.resume) {
        (Some(checkpoint), Some(path)) => checkpoint.grid(path, family.name)?,
        _ => {
            let dropout = options.recipe.dropout.unwrap_or(family.recipe.dropout);
            let network = Network::new(family, &args.sizes, examples.domain(), dropout, options.recipe.agnostic());
            network.map_err(|e| Fault::Error(e.to_string()))?
        }
    };
    check_classes(&network, &examples, options)?;
    if options.samples && !matches!(network.domain, Domain::Pictures { .. }) {
        return Err(Fault::Error(
            "--samples draws pictures, and this is none: `surprisal sample` writes text and sound".to_owned(),
        ));
    }
    let batch = match &resumed {
        Some(checkpoint) => checkpoint.plan.batch,
        None => options.recipe.batch.unwrap_or(family.recipe.batch),
    };
    let seed = resumed.as_ref().map_or(common.seed, |c| c.plan.seed);
    let source = Draws { examples: &examples, batch: batch as usize, seed };
    let validation = examples.held_out();
    let [trained_on, held_out, unit] = examples.words();
    report::note(global.quiet, format!("trains on {trained_on}, validates with {held_out}"));
    let positions = u64::from(batch) * (validation.symbols.len() / validation.count.max(1)) as u64;
    prepare::check_memory(&network.spec, positions / u64::from(network.spec.symbols.channels))?;
    let checkpoint = match resumed {
        Some(checkpoint) => {
            common.check(&checkpoint, examples.fingerprint(), global)?;
            checkpoint
        }
        None => {
            let weights = match options.recipe.count {
                Some(smoothing) => count(&network.spec, &examples.spread(usize::MAX), smoothing)?,
                None => Layout::new(&network.spec)?.initial(common.seed),
            };
            let trial = Trial::<Executor> { network: &network, weights: &weights, source: &source, device };
            let steps = |epochs: f64| (epochs * examples.train() as f64 / f64::from(batch)).ceil().max(1.0) as u64;
            let chosen = Chosen {
                family: family.name,
                config: Config::Grid {
                    sizes: args.sizes.clone(),
                    domain: network.domain.clone(),
                    dropout: network.dropout,
                    reading,
                    agnostic: options.recipe.agnostic(),
                },
                spec: &network.spec,
                batch,
                unit: &unit,
                rate: options.recipe.lr.unwrap_or(family.recipe.rate),
                data: examples.fingerprint(),
            };
            let none = options.recipe.count.map(|_| 0);
            let asked = none.or(common.steps).or(options.recipe.epochs.map(steps));
            let plan = common.plan(&trial, chosen, asked, global)?;
            Checkpoint::begin(plan, weights)
        }
    };
    let calibration = examples.spread(CALIBRATION);
    let steps_of = |epoch: u64| (epoch * examples.train()).div_ceil(batch.into());
    let show = |step: u64, plan: &Plan, weights: &[f32]| -> Result<(), TrainError> {
        let Finished { program, .. } = finish_grid(&files.name, plan, weights, &examples.spread(CALIBRATION / 8))?;
        let network = GridNetwork::new(Arc::new(program), Kernel::best()).map_err(QuantizeError::from)?;
        for epoch in EPOCHS.into_iter().filter(|epoch| steps_of(*epoch) == step) {
            let path = files.drawn(epoch);
            let fault =
                |what: &str| TrainError::Write { path: path.clone(), error: std::io::Error::other(what.to_owned()) };
            let png = sample::grid(&network, DRAWN).map_err(|e| fault(&e.to_string()))?;
            let written = beside::write(&path, |file| file.write_all(&png));
            written.map_err(|error| TrainError::Write { path: path.clone(), error })?;
        }
        Ok(())
    };
    let shown = options.samples.then(|| Shown { steps: EPOCHS.map(steps_of).to_vec(), show: &show });
    let trained = common.train::<Executor>(&network, checkpoint, (&source, &validation), &files, shown, global)?;
    report::note(global.quiet, "turning the weights into integers");
    let finished = finish_grid(&files.name, &trained.plan, &trained.vectors[1], &calibration)?;
    let sizes: Vec<String> = match &trained.plan.config {
        Config::Grid { sizes, .. } => sizes.iter().map(|(name, value)| format!("{name} {value}")).collect(),
        Config::Window(_) => Vec::new(),
    };
    let symbols = match network.domain {
        Domain::Pictures { .. } => network.domain.symbols(),
        _ => Some(1),
    };
    let about = About { config: sizes.join(", "), data: (&examples).into(), unit, symbols };
    files.write(&finished, &trained, about, examples.files())?;
    files.summary(&finished, &trained, symbols)?;
    Ok(Exit::Done)
}

/// Whether the classes that the network takes are those that the labels name.
fn check_classes(network: &Network, examples: &Examples, options: &Options) -> Result<(), Fault> {
    let wanted = network.spec.conditions.iter().find_map(|c| match c {
        Condition::Class { count } => Some(*count),
        Condition::Grid { .. } => None,
    });
    let fail = |text: String| Err(Fault::Error(text));
    match (wanted, &options.labels) {
        (None, Some(_)) => fail("--labels: the network takes no classes; ask for them with --classes N".to_owned()),
        (Some(_), None) => fail("the network takes classes: name their file with --labels".to_owned()),
        (Some(count), Some(path)) if examples.classes() > count => {
            let text = format!("it has the class {}, and the network takes {count}, 0 to", examples.classes() - 1);
            fail(format!("{}: {text} {}", path.display(), count - 1))
        }
        _ => Ok(()),
    }
}
