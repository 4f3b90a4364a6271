//! `surprisal train`: a subcommand a family.

mod common;
mod examples;
mod files;
mod photo;
mod watch;

use super::fault::{Exit, Fault};
use super::options::Global;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, Command, FromArgMatches, Subcommand};
use surprisal::zoo::FAMILIES;

/// Train a model on files of your own
///
/// Beside MODEL.srm it writes, under the same name: .safetensors (the weights in floating point), .md (the model's card),
/// .files.txt (what it was trained on), .csv and .svg (training and validation in bits per dimension), .ckpt (a checkpoint,
/// every few minutes, to go on from with --resume) and, for photographs, .pack (the pictures, decoded; may be deleted).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    family: Family,
}

/// What is trained.
#[derive(Debug)]
enum Family {
    Photo(Box<photo::Args>),
    Zoo(Box<examples::Args>),
}

const PHOTO: &str = "photo";

impl FromArgMatches for Family {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((PHOTO, matches)) => Ok(Self::Photo(Box::new(photo::Args::from_arg_matches(matches)?))),
            Some((name, matches)) => Ok(Self::Zoo(Box::new(examples::Args::of(name, matches)?))),
            None => Err(clap::Error::raw(ErrorKind::MissingSubcommand, "which family?")),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Family {
    fn augment_subcommands(command: Command) -> Command {
        let photo = photo::Args::augment_args(Command::new(PHOTO));
        let command = command.subcommand(photo).subcommand_value_name("FAMILY").subcommand_help_heading("Families");
        FAMILIES.iter().fold(command, |command, family| command.subcommand(examples::Args::command(family)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name == PHOTO || FAMILIES.iter().any(|f| f.name == name)
    }
}

/// Trains a model.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    restart();
    match &args.family {
        Family::Photo(args) => photo::run(args, global),
        Family::Zoo(args) => examples::run(args, global),
    }
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
