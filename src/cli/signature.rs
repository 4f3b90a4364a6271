//! `surprisal signature`

use super::fault::{Exit, Fault};
use super::options::{DeviceOptions, Global};
use super::report;
use surprisal::codec::signature::{signature, signature_on};
use surprisal::engine::{Kernel, device};

/// Print hashes of everything that must be the same on every machine, to compare builds with one another
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    device: DeviceOptions,
}

/// Prints them.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let threads = global.threads.max(1);
    let text = match device::open(args.device.name)? {
        None => signature(global.kernel.unwrap_or_else(Kernel::best), threads),
        Some(device) => signature_on(device, threads)?,
    };
    report::bytes(text.as_bytes())?;
    Ok(Exit::Done)
}
