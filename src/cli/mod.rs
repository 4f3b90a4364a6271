//! The command line: one file a subcommand, each of which parses, validates and executes.
//!
//! What must stay true: exit code 0 says that everything asked for was done, 1 that a stream is damaged, 2 that something
//! went wrong; and each message says which file, what was wrong and what to do.

mod archive;
mod bar;
mod batch;
mod calibrate;
mod coded;
mod completions;
mod compress;
mod dataset;
mod decompress;
mod fault;
mod hint;
mod info;
mod inputs;
mod interrupt;
mod leftovers;
mod man;
mod measure;
mod models;
mod options;
mod output;
mod plane;
mod quantize;
mod reach;
mod report;
mod sample;
mod score;
mod signature;
mod streams;
mod table;
mod target;
mod test;
#[cfg_attr(not(feature = "torch"), path = "train/absent.rs")]
mod train;

use clap::{Parser, Subcommand};
use fault::{Exit, Fault};
use options::Global;
use std::process::ExitCode;

/// Lossless compression with trained autoregressive models
///
/// Any file can be compressed; pictures gain the most. What comes back is byte for byte the file that went in.
#[derive(Debug, Parser)]
#[command(name = "surprisal", version, arg_required_else_help = true, after_help = EXIT_CODES, after_long_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 a stream is damaged, 2 an error (usage, input and output, unsupported).
Models are looked for in the binary, in -m PATH, $SURPRISAL_MODELS, the user's data folder and ./models.";

const EXAMPLES: &str = "Examples:
  surprisal compress photo.png              photo.png.srp beside it, verified
  surprisal decompress photo.png.srp        the very same file
  surprisal compress -r photos -o all.srp   a folder as an archive
  surprisal test all.srp                    can it be restored?
  surprisal info all.srp                    what is in it
  surprisal measure -e 9 photos/            what the highest level would save
  surprisal score new/ --calibrate old/     which files are odd

Exit codes: 0 done, 1 a stream is damaged, 2 an error (usage, input and output, unsupported), 130 interrupted, 143 told to end.
Models are looked for in the binary, in -m PATH, $SURPRISAL_MODELS, the user's data folder and ./models.
NO_COLOR in the environment turns colours off.";

#[derive(Debug, Subcommand)]
enum Command {
    Compress(compress::Args),
    Decompress(decompress::Args),
    Test(test::Args),
    Info(info::Args),
    Measure(measure::Args),
    Score(score::Args),
    Calibrate(calibrate::Args),
    Models(models::Args),
    Sample(sample::Args),
    Reach(reach::Args),
    Plane(plane::Args),
    Dataset(dataset::Args),
    Train(train::Args),
    Quantize(quantize::Args),
    #[command(hide = true)]
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
    #[command(hide = true)]
    Signature(signature::Args),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| hint::hinted(error).exit());
    let global = &cli.global;
    interrupt::expect_lack_of_memory(Exit::Error as i32);
    let done = global.apply().and_then(|()| match &cli.command {
        Command::Compress(args) => compress::run(args, global),
        Command::Decompress(args) => decompress::run(args, global),
        Command::Test(args) => test::run(args, global),
        Command::Info(args) => info::run(args, global),
        Command::Measure(args) => measure::run(args, global),
        Command::Score(args) => score::run(args, global),
        Command::Calibrate(args) => calibrate::run(args, global),
        Command::Models(args) => models::run(args, global),
        Command::Sample(args) => sample::run(args, global),
        Command::Reach(args) => reach::run(args, global),
        Command::Plane(args) => plane::run(args, global),
        Command::Dataset(args) => dataset::run(args, global),
        Command::Train(args) => train::run(args, global),
        Command::Quantize(args) => quantize::run(args, global),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
        Command::Signature(args) => signature::run(args, global),
    });
    match done {
        Ok(exit) => exit.into(),
        // Whoever read the output has seen enough, as `head` does.
        Err(Fault::Closed(exit)) => exit.into(),
        Err(fault) => {
            report::error(&fault);
            fault.exit().into()
        }
    }
}
