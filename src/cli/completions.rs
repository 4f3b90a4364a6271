//! `surprisal completions`

use super::fault::{Exit, Fault};
use super::{Cli, report};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print the completions for a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Prints them.
pub fn run(args: &Args) -> Result<Exit, Fault> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "surprisal", &mut text);
    report::bytes(&text)?;
    Ok(Exit::Done)
}
