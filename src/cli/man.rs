//! `surprisal man`

use super::fault::{Exit, Fault};
use super::{Cli, report};
use clap::CommandFactory;
use clap_mangen::Man;

/// Print the man page, or that of a subcommand
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which subcommand
    command: Option<String>,
}

/// Prints it.
pub fn run(args: &Args) -> Result<Exit, Fault> {
    let mut root = Cli::command();
    root.build();
    let command = match &args.command {
        None => root,
        Some(name) => match root.find_subcommand(name) {
            Some(command) => command.clone(),
            None => return Err(Fault::Error(format!("no subcommand is called {name}; see surprisal --help"))),
        },
    };
    let mut text = Vec::new();
    let done = Man::new(command).render(&mut text);
    done.map_err(|e| Fault::Error(format!("cannot make the man page: {e}")))?;
    report::bytes(&text)?;
    Ok(Exit::Done)
}
