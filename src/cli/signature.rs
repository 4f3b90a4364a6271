//! `surprisal signature`

use super::fault::{Exit, Fault};
use super::options::Global;
use super::report;
use surprisal::codec::signature::signature;
use surprisal::engine::Kernel;

/// Print hashes of everything that must be the same on every machine, to compare builds with one another
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints them.
pub fn run(_args: &Args, global: &Global) -> Result<Exit, Fault> {
    let text = signature(global.kernel.unwrap_or_else(Kernel::best), global.threads.max(1));
    report::bytes(text.as_bytes())?;
    Ok(Exit::Done)
}
