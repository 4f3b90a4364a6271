//! `surprisal models`

use super::fault::{Exit, Fault};
use super::options::{Global, ModelOptions};
use super::report;
use serde_json::json;
use surprisal::codec::{Effort, Place};

/// List the models and the places in which they are looked for
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one line of JSON a model
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    models: ModelOptions,
}

/// Lists them.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let models = args.models.models(global)?;
    let mut worst = Exit::Done;
    for found in models.all() {
        let place = match &found.path {
            Some(path) => path.display().to_string(),
            None => found.place.to_string(),
        };
        let program = match found.program {
            Ok(program) => program,
            Err(fault) => {
                report::error(&Fault::Error(format!("{place}: {fault}")));
                worst = Exit::Error;
                continue;
            }
        };
        let (name, id, macs) = (program.name(), program.id().to_string(), program.macs());
        let channels = program.spec().symbols.channels;
        let is_used = |effort: &Effort| found.place == Place::BuiltIn && effort.level().model == name;
        let points = Effort::points().into_iter().filter(|(first, _)| is_used(first));
        let efforts: Vec<Vec<u8>> = points.map(|(a, b)| (a.number()..=b.number()).collect()).collect();
        if args.json {
            report::line(json!({
                "name": name, "id": id, "channels": channels, "macs_per_position": macs, "place": place,
                "efforts": efforts,
            }))?;
        } else {
            let levels = match efforts.concat()[..] {
                [] => String::new(),
                [only] => format!(", effort {only}"),
                [first, .., last] => format!(", efforts {first} to {last}"),
            };
            report::line(format_args!(
                "{name}  {id}  {channels} channels, {macs} multiplications a position, {place}{levels}"
            ))?;
        }
    }
    if !args.json {
        let places: Vec<String> = models.places().iter().map(ToString::to_string).collect();
        report::note(global.quiet, format_args!("Looked in: {}", places.join(", ")));
    }
    Ok(worst)
}
