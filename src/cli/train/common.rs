//! What every training is asked: how long, where, from which checkpoint.
//!
//! What must stay true: what is left open is decided once and kept in the plan.

use super::super::fault::Fault;
use super::super::options::Global;
use super::super::report;
use super::files::Files;
use clap::ValueEnum;
use std::path::PathBuf;
use std::time::Duration;
use surprisal::spec::NetworkSpec;
use surprisal::train::adam::Schedule;
use surprisal::train::checkpoint::{Checkpoint, Config, Plan};
use surprisal::train::model::Model;
use surprisal::train::precision::Precision;
use surprisal::train::prepare::{self, Trial};
use surprisal::train::run::{Source, Trainer};

use super::watch::{Shown, Watch};

/// Minutes of a training unless something else is asked for.
const MINUTES: f64 = 60.0;

/// Options of every family.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// The model file to write
    #[arg(short, long, value_name = "MODEL.srm")]
    pub output: PathBuf,
    /// Train for about that long (60 unless something else is said): a few steps are timed, and their number follows
    #[arg(long, value_name = "M", conflicts_with = "steps", value_parser = minutes)]
    pub minutes: Option<f64>,
    /// Train for that many steps; with one device and one number of threads the same model comes out each time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Where: cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Go on from a checkpoint: it has the sizes, the number of steps, the seed and the precision
    #[arg(long, value_name = "CKPT", conflicts_with_all = ["steps", "minutes", "seed", "recipe", "sizes"])]
    pub resume: Option<PathBuf>,
    /// Of the first weights and of the order of the examples
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Precision of matrix products; auto is float32 where the number of steps is given, so that the same model comes out
    /// each time, and else the faster one of this machine
    #[arg(long, value_enum, default_value = "auto")]
    precision: Wanted,
    /// Minutes from checkpoint to checkpoint
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = minutes)]
    save_every: f64,
    /// Overwrite files that exist
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Auto,
    Float32,
    Bfloat16,
}

pub fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if minutes > 0.0 && minutes <= 1e6 { Ok(minutes) } else { Err("not between 0 and a million".to_owned()) }
}

pub fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate > 0.0 && rate <= 1.0 { Ok(rate) } else { Err("not between 0 and 1".to_owned()) }
}

/// What a training's own family decides.
pub struct Chosen<'a> {
    /// Name of the family.
    pub family: &'a str,
    /// Sizes.
    pub config: Config,
    /// The description.
    pub spec: &'a NetworkSpec,
    /// Examples a step.
    pub batch: u32,
    /// What they are, for people.
    pub unit: &'a str,
    /// Highest learning rate.
    pub rate: f64,
    /// Fingerprint of the examples.
    pub data: [u8; 16],
}

impl Common {
    /// Whether a checkpoint belongs to these examples; says so if the result may differ from that of an unbroken run.
    pub fn check(&self, checkpoint: &Checkpoint, data: [u8; 16], global: &Global) -> Result<(), Fault> {
        let (plan, path) = (&checkpoint.plan, self.resume.as_deref().unwrap_or(&self.output).display());
        if plan.data != data {
            let text = "was made with other examples: name the same files with --data, or begin again from its weights";
            return Err(Fault::Error(format!("{path}: {text}")));
        }
        let (threads, device) = (prepare::threads_in_use(), &self.device);
        if plan.threads != threads || plan.device != *device {
            let text = format!(
                "begun with {} threads on {}, going on with {threads} on {device}: an unbroken run may differ in the last bits",
                plan.threads, plan.device
            );
            report::note(global.quiet, text);
        }
        Ok(())
    }

    /// Decides what is left open by the command line. `steps`: how many, if the family was told.
    pub fn plan<M: Model>(
        &self,
        trial: &Trial<M>,
        chosen: Chosen,
        steps: Option<u64>,
        global: &Global,
    ) -> Result<Plan, Fault> {
        let precision = match self.precision {
            // What is timed may come out otherwise the next time, and the weights with it.
            Wanted::Auto if steps.is_some() => Precision::Float32,
            Wanted::Auto => trial.precision()?,
            Wanted::Float32 => Precision::Float32,
            Wanted::Bfloat16 => Precision::BFloat16,
        };
        let (total, minutes) = match steps {
            Some(steps) => (steps, None),
            None => {
                let minutes = self.minutes.unwrap_or(MINUTES);
                let (steps, rate) = trial.steps(minutes, precision)?;
                (steps, Some((minutes, rate)))
            }
        };
        let text = format!(
            "{} parameters in {precision}, {total} steps of {} {}, {} threads on {}",
            trial.weights.len(),
            chosen.batch,
            chosen.unit,
            prepare::threads_in_use(),
            self.device
        );
        report::note(global.quiet, text);
        Ok(Plan {
            family: chosen.family.to_owned(),
            config: chosen.config,
            spec: chosen.spec.to_bytes(),
            schedule: Schedule { total, rate: chosen.rate },
            batch: chosen.batch,
            seed: self.seed,
            precision,
            threads: prepare::threads_in_use(),
            device: self.device.clone(),
            data: chosen.data,
            minutes,
            command: command(),
        })
    }

    /// Trains to the end.
    pub fn train<M: Model>(
        &self,
        network: &M::Network,
        checkpoint: Checkpoint,
        (source, validation): (&dyn Source<M::Batch>, &M::Batch),
        files: &Files,
        shown: Option<Shown>,
        global: &Global,
    ) -> Result<Checkpoint, Fault> {
        let every = Duration::from_secs_f64(self.save_every * 60.0);
        let device = prepare::device(&self.device)?;
        let mut watch = Watch::new(&checkpoint, files, shown, global.quiet);
        let trained = Trainer::<M>::new(network, checkpoint, device)?.run(source, validation, every, &mut watch)?;
        drop(watch);
        match trained.plan.schedule.total - trained.step {
            0 => Ok(trained),
            left => {
                let text = format!("ended {left} steps early; go on with --resume {}", files.checkpoint.display());
                Err(Fault::Error(text))
            }
        }
    }
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
