//! `surprisal train`

mod files;
mod watch;

use super::fault::{Exit, Fault};
use super::options::Global;
use super::report;
use clap::ValueEnum;
use files::Files;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use surprisal::quantize::float::FloatNetwork;
use surprisal::quantize::weights;
use surprisal::spec::Offset;
use surprisal::train::adam::Schedule;
use surprisal::train::checkpoint::{Checkpoint, Plan};
use surprisal::train::data::{Augment, Batch, Corpus};
use surprisal::train::finish::{Finished, finish};
use surprisal::train::params::Layout;
use surprisal::train::precision::Precision;
use surprisal::train::prepare::{self, Trial};
use surprisal::train::run::{Source, Trainer};
use surprisal::zoo::window;
use watch::Watch;

/// Train a model on pictures of your own
///
/// Beside MODEL.srm it writes, under the same name: .safetensors (the weights in floating point), .md (the model's card),
/// .files.txt (what it was trained on), .csv and .svg (training and validation in bits per dimension), .ckpt (a checkpoint,
/// every few minutes, to go on from with --resume) and .pack (the pictures, decoded; may be deleted).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the model is for
    #[arg(value_enum)]
    family: Family,
    /// A folder of pictures; may be given more than once. One in twenty is kept apart for validation
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// The model file to write
    #[arg(short, long, value_name = "MODEL.srm")]
    output: PathBuf,
    /// Train for about that long: a few steps are timed, and their number follows
    #[arg(long, value_name = "M", default_value_t = 60.0, conflicts_with = "steps", value_parser = minutes)]
    minutes: f64,
    /// Train for that many steps; with one device and one number of threads the same model comes out each time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Where: cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Go on from a checkpoint: it has the sizes, the number of steps, the seed and the precision
    #[arg(long, value_name = "CKPT", conflicts_with_all = ["steps", "minutes", "seed", "from", "sizes", "recipe"])]
    resume: Option<PathBuf>,
    /// Begin with these weights and their network (fine-tuning)
    #[arg(long, value_name = "WEIGHTS", conflicts_with = "sizes")]
    from: Option<PathBuf>,
    /// Of the first weights and of the order of the pixels
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    recipe: Recipe,
    #[command(flatten)]
    sizes: Sizes,
    /// Minutes from checkpoint to checkpoint
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = minutes)]
    save_every: f64,
    /// Overwrite files that exist
    #[arg(short, long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// Colour photographs of 8 bits
    Photo,
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
    /// Precision of matrix products; auto takes the faster one of this machine
    #[arg(long, value_enum, default_value = "auto")]
    precision: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Auto,
    Float32,
    Bfloat16,
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

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if minutes > 0.0 && minutes <= 1e6 { Ok(minutes) } else { Err("not between 0 and a million".to_owned()) }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate > 0.0 && rate <= 1.0 { Ok(rate) } else { Err("not between 0 and 1".to_owned()) }
}

/// Batches of the training pictures.
struct Pixels<'a> {
    corpus: &'a Corpus,
    offsets: Vec<Offset>,
    batch: usize,
    seed: u64,
}

impl Source for Pixels<'_> {
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
    restart();
    let files = Files::new(&args.output)?;
    files.check(args.force, args.resume.is_some())?;
    let device = prepare::device(&args.device)?;
    prepare::threads(global.threads);
    let resumed = args.resume.as_deref().map(Checkpoint::load).transpose()?;
    let (config, network) = network(args, resumed.as_ref())?;
    let batch = resumed.as_ref().map_or(args.recipe.batch, |c| c.plan.batch);
    prepare::check_memory(&network, batch)?;

    let corpus = files.corpus(&args.data, global.quiet)?;
    let source = Pixels {
        corpus: &corpus,
        offsets: window::offsets(config.radius),
        batch: batch as usize,
        seed: resumed.as_ref().map_or(args.seed, |c| c.plan.seed),
    };
    let held_out = corpus.files().iter().filter(|f| f.held_out).count();
    let validation = corpus.held_out().fixed(&source.offsets, VALIDATION.div_ceil(held_out.max(1)));
    let checkpoint = match resumed {
        Some(checkpoint) => {
            check(&checkpoint, args, &corpus, global)?;
            checkpoint
        }
        None => {
            let layout = Layout::new(&network.spec)?;
            let weights = if args.from.is_some() { layout.gather(&network) } else { layout.initial(args.seed) };
            let trial = Trial { network: &network, weights: &weights, source: &source, device };
            let plan = plan(args, &trial, config, &corpus, global)?;
            Checkpoint::begin(plan, weights)
        }
    };

    let every = Duration::from_secs_f64(args.save_every * 60.0);
    let mut watch = Watch::new(&checkpoint, &files, global.quiet);
    let trained = Trainer::new(&network, checkpoint, device)?.run(&source, &validation, every, &mut watch)?;
    drop(watch);
    let left = trained.plan.schedule.total - trained.step;
    if left > 0 {
        let text = format!("ended {left} steps early; go on with --resume {}", files.checkpoint.display());
        return Err(Fault::Error(text));
    }
    report::note(global.quiet, "turning the weights into integers");
    let finished = finish(&files.name, &trained, &corpus.train().pictures(CALIBRATION))?;
    files.write(&finished, &trained, &corpus)?;
    summary(&files, &finished, &trained)?;
    Ok(Exit::Done)
}

/// The sizes, and the description with its constants (and weights, if there are some to begin with).
fn network(args: &Args, resumed: Option<&Checkpoint>) -> Result<(window::Config, FloatNetwork), Fault> {
    if let (Some(checkpoint), Some(path)) = (resumed, &args.resume) {
        return Ok((checkpoint.plan.config.clone(), checkpoint.network(path)?));
    }
    let Some(path) = &args.from else {
        let config = args.sizes.config();
        return Ok((config.clone(), weights::blank(&config)));
    };
    let bytes = fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    weights::read(&bytes).map_err(|e| Fault::Error(format!("{}: {e}", path.display())))
}

/// Whether a checkpoint belongs to these pictures; says so if the result may differ from that of an unbroken run.
fn check(checkpoint: &Checkpoint, args: &Args, corpus: &Corpus, global: &Global) -> Result<(), Fault> {
    let (plan, path) = (&checkpoint.plan, args.resume.as_deref().unwrap_or(&args.output).display());
    if plan.data != corpus.fingerprint() {
        let text = "was made with other pictures: name the same folders with --data, or begin again from its weights";
        return Err(Fault::Error(format!("{path}: {text}")));
    }
    let (threads, device) = (prepare::threads_in_use(), &args.device);
    if plan.threads != threads || plan.device != *device {
        let text = format!(
            "begun with {} threads on {}, going on with {threads} on {device}: an unbroken run may differ in the last bits",
            plan.threads, plan.device
        );
        report::note(global.quiet, text);
    }
    Ok(())
}

/// Decides what is left open by the command line.
fn plan(args: &Args, trial: &Trial, config: window::Config, corpus: &Corpus, global: &Global) -> Result<Plan, Fault> {
    let precision = match args.recipe.precision {
        Wanted::Auto => trial.precision()?,
        Wanted::Float32 => Precision::Float32,
        Wanted::Bfloat16 => Precision::BFloat16,
    };
    let (total, minutes) = match args.steps {
        Some(steps) => (steps, None),
        None => {
            let (steps, rate) = trial.steps(args.minutes, precision)?;
            (steps, Some((args.minutes, rate)))
        }
    };
    let text = format!(
        "{} parameters in {precision}, {total} steps of {} pixels, {} threads on {}",
        trial.weights.len(),
        args.recipe.batch,
        prepare::threads_in_use(),
        args.device
    );
    report::note(global.quiet, text);
    Ok(Plan {
        family: window::FAMILY.to_owned(),
        config,
        spec: trial.network.spec.to_bytes(),
        schedule: Schedule { total, rate: args.recipe.lr },
        batch: args.recipe.batch,
        seed: args.seed,
        precision,
        threads: prepare::threads_in_use(),
        device: args.device.clone(),
        data: corpus.fingerprint(),
        minutes,
        command: command(),
    })
}

/// The command line of this process, as a shell would take it.
fn command() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@".contains(c);
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let quoted = words.map(|word| match word.chars().all(plain) && !word.is_empty() {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    });
    std::iter::once("surprisal".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// What came out.
fn summary(files: &Files, finished: &Finished, trained: &Checkpoint) -> Result<(), Fault> {
    let (program, bits) = (&finished.program, &finished.report);
    let validation = trained.history.iter().rev().find_map(|p| p.validation);
    report::line(format_args!(
        "{}: {} {}, {} bytes",
        files.model.display(),
        program.name(),
        program.id(),
        program.to_bytes().len()
    ))?;
    if let Some(validation) = validation {
        report::line(format_args!("bits per dimension on pictures held out: {validation:.4}"))?;
    }
    let more = (bits.likelihood / bits.float - 1.0) * 100.0;
    report::line(format_args!(
        "bits per dimension on training pictures: {:.4} in floating point, {:.4} in integers ({more:+.3} %)",
        bits.float, bits.likelihood
    ))
}

/// What must be set before the program is loaded; it begins again with that in its environment.
///
/// Threads that wait for one another should sleep, or torch's would take the time of the one that makes the batches. And the
/// C library should keep the buffers of a step for the next one instead of giving them back to the system.
const ENVIRONMENT: [(&str, &str); 3] =
    [("OMP_WAIT_POLICY", "PASSIVE"), ("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "1073741824")];

/// Begins again with [`ENVIRONMENT`], but for what the user has set. Without it training is slower, and no more.
fn restart() {
    #[cfg(unix)]
    if ENVIRONMENT.iter().any(|(name, _)| std::env::var_os(name).is_none()) {
        use std::os::unix::process::CommandExt;
        let missing = ENVIRONMENT.iter().filter(|(name, _)| std::env::var_os(name).is_none());
        if let Ok(program) = std::env::current_exe() {
            let mut command = std::process::Command::new(program);
            // It returns only if it fails.
            let _ = command.args(std::env::args_os().skip(1)).envs(missing.copied()).exec();
        }
    }
}
