//! `surprisal train photo`: the family [`window`] on photographs.

use super::super::fault::{Exit, Fault};
use super::super::options::Global;
use super::super::report;
use super::common::{Chosen, Common, rate};
use super::files::{About, Files};
use std::fs;
use std::path::PathBuf;
use surprisal::quantize::float::FloatNetwork;
use surprisal::quantize::weights;
use surprisal::spec::Offset;
use surprisal::train::checkpoint::{Checkpoint, Config};
use surprisal::train::data::{Augment, Batch, Corpus};
use surprisal::train::executor::Executor;
use surprisal::train::finish::finish;
use surprisal::train::params::Layout;
use surprisal::train::prepare::{self, Trial};
use surprisal::train::run::Source;
use surprisal::zoo::window;

/// Colour photographs of 8 bits and of any size
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of pictures; may be given more than once. One in twenty is kept apart for validation
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Begin with these weights and their network (fine-tuning)
    #[arg(long, value_name = "WEIGHTS", conflicts_with_all = ["sizes", "resume"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    sizes: Sizes,
}

/// How the optimiser goes about it.
#[derive(Debug, clap::Args)]
#[group(id = "recipe", multiple = true)]
struct Recipe {
    /// Pixels a step
    #[arg(long, value_name = "N", default_value_t = 6144, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    batch: u32,
    /// The highest learning rate
    #[arg(long, value_name = "R", default_value_t = 2e-3, value_parser = rate)]
    lr: f64,
}

/// Sizes of the network.
#[derive(Debug, clap::Args)]
#[group(id = "sizes", multiple = true)]
struct Sizes {
    /// Neighbours lie within this many rows and columns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(i16).range(2..=8))]
    radius: i16,
    /// Width of the first layer
    #[arg(long, value_name = "N", default_value_t = 192, value_parser = clap::value_parser!(u32).range(1..=4096))]
    first: u32,
    /// Width of the trunk
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=4096))]
    width: u32,
    /// Residual blocks
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=64))]
    blocks: u32,
    /// Width of the second and third channel's own layer
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=4096))]
    head: u32,
    /// Logistics of each mixture
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=16))]
    components: u8,
}

impl Sizes {
    fn config(&self) -> window::Config {
        let Self { radius, first, width, blocks, head, components } = *self;
        window::Config { radius, first, width, blocks: blocks as usize, head, components }
    }
}

/// Batches of the training pictures.
struct Pixels<'a> {
    corpus: &'a Corpus,
    offsets: Vec<Offset>,
    batch: usize,
    seed: u64,
}

impl Source<Batch> for Pixels<'_> {
    fn batch(&self, step: u64) -> Batch {
        self.corpus.train().sample(&self.offsets, self.batch, self.seed, step, &Augment::default())
    }
}

/// Pixels that validate, shared among the pictures.
const VALIDATION: usize = 32_768;

/// Training pictures on which the scales of the integers are chosen, at most.
const CALIBRATION: usize = 48;

/// Trains a model.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let common = &args.common;
    let files = Files::new(&common.output)?;
    files.check(common.force, common.resume.is_some())?;
    let device = prepare::device(&common.device)?;
    prepare::threads(global.threads);
    let resumed = common.resume.as_deref().map(Checkpoint::load).transpose()?;
    let (config, network) = network(args, resumed.as_ref())?;
    let batch = resumed.as_ref().map_or(args.recipe.batch, |c| c.plan.batch);
    prepare::check_memory(&network.spec, batch.into())?;

    let corpus = files.corpus(&args.data, global.quiet)?;
    let source = Pixels {
        corpus: &corpus,
        offsets: window::offsets(config.radius),
        batch: batch as usize,
        seed: resumed.as_ref().map_or(common.seed, |c| c.plan.seed),
    };
    let held_out = corpus.files().iter().filter(|f| f.held_out).count();
    let validation = corpus.held_out().fixed(&source.offsets, VALIDATION.div_ceil(held_out.max(1)));
    let checkpoint = match resumed {
        Some(checkpoint) => {
            common.check(&checkpoint, corpus.fingerprint(), global)?;
            checkpoint
        }
        None => {
            let layout = Layout::new(&network.spec)?;
            let weights = if args.from.is_some() { layout.gather(&network) } else { layout.initial(common.seed) };
            let trial = Trial::<Executor> { network: &network, weights: &weights, source: &source, device };
            let chosen = Chosen {
                family: window::FAMILY,
                config: Config::Window(config.clone()),
                spec: &network.spec,
                batch,
                unit: "pixels",
                rate: args.recipe.lr,
                data: corpus.fingerprint(),
            };
            let plan = common.plan(&trial, chosen, common.steps, global)?;
            Checkpoint::begin(plan, weights)
        }
    };
    let trained = common.train::<Executor>(&network, checkpoint, (&source, &validation), &files, None, global)?;
    report::note(global.quiet, "turning the weights into integers");
    let finished = finish(&files.name, &config, &trained, &corpus.train().pictures(CALIBRATION))?;
    let window::Config { radius, first, width, blocks, head, components } = config;
    let about = About {
        config: format!(
            "radius {radius}, {first} -> {width}, {blocks} residual blocks, heads of {head}, {components} logistics"
        ),
        data: (&corpus).into(),
        unit: "pixels".to_owned(),
        symbols: None,
    };
    files.write(&finished, &trained, about, corpus.files())?;
    files.summary(&finished, &trained, None)?;
    Ok(Exit::Done)
}

/// The sizes, and the description with its constants (and weights, if there are some to begin with).
fn network(args: &Args, resumed: Option<&Checkpoint>) -> Result<(window::Config, FloatNetwork), Fault> {
    if let (Some(checkpoint), Some(path)) = (resumed, &args.common.resume) {
        return Ok(checkpoint.window(path)?);
    }
    let Some(path) = &args.from else {
        let config = args.sizes.config();
        return Ok((config.clone(), weights::blank(&config)));
    };
    let bytes = fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    weights::read(&bytes).map_err(|e| Fault::Error(format!("{}: {e}", path.display())))
}
