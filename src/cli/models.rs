//! `surprisal models`

use super::fault::{Exit, Fault};
use super::options::{Global, ModelOptions};
use super::report;
use serde_json::{Map, Value, json};
use std::path::Path;
use surprisal::codec::{Effort, Place};
use surprisal::engine::Program;
use surprisal::spec::{Domain, Samples};
use surprisal::zoo;

/// List the models and the places in which they are looked for
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one line of JSON a model, with its family and the figures of the card beside its file
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
            let (title, source) = published(&program);
            report::line(json!({
                "name": name, "id": id, "family": program.spec().family, "title": title, "source": source,
                "domain": program.domain(), "channels": channels, "macs_per_position": macs, "place": place,
                "file": found.path, "bytes": program.to_bytes().len(), "efforts": efforts,
                "card": found.path.as_deref().and_then(card),
            }))?;
        } else {
            let levels = match efforts.concat()[..] {
                [] => String::new(),
                [only] => format!(", effort {only}"),
                [first, .., last] => format!(", efforts {first} to {last}"),
            };
            let data = data(program.domain());
            let family = &program.spec().family;
            report::line(format_args!(
                "{name}  {id}  {family}, {data}, {channels} channels, {macs} multiplications a position, {place}{levels}"
            ))?;
        }
    }
    if !args.json {
        let places: Vec<String> = models.places().iter().map(ToString::to_string).collect();
        report::note(global.quiet, format_args!("Looked in: {}", places.join(", ")));
    }
    Ok(worst)
}

/// What a model is for, in a few words.
fn data(domain: &Domain) -> String {
    match domain {
        Domain::Photographs => "photographs".to_owned(),
        Domain::Pictures { height, width, alphabet, .. } => {
            format!("pictures of {width} x {height} with {alphabet} values")
        }
        Domain::Text { characters, segment } => {
            format!("text of {} characters in segments of {segment}", characters.len())
        }
        Domain::Sound { segment, rate, samples } => {
            let of = if *samples == Samples::MuLaw { "8-bit mu-law" } else { "up to 16 bits" };
            format!("sound of {of} and {rate} samples a second in segments of {segment}")
        }
    }
}

/// The name of a model's family in the literature, and where it was published.
fn published(program: &Program) -> (Option<&'static str>, Option<&'static str>) {
    let family = zoo::family(&program.spec().family);
    (family.map(|f| f.title), family.map(|f| f.source))
}

/// The lines of the first table of `NAME.md` beside `NAME.srm`: names and values, without the marks of code.
fn card(model: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(model.with_extension("md")).ok()?;
    let rows = text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let mut values = Map::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(|c| c.trim().trim_matches('`').trim()).collect();
        if let [name, value] = cells[..] {
            if !name.is_empty() && !name.starts_with('-') {
                values.insert(name.to_owned(), Value::from(value));
            }
        }
    }
    (!values.is_empty()).then_some(Value::Object(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_by_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("a.srm");
        assert_eq!(card(&at), None);
        let text = "# a\n\n| | |\n|---|---|\n| id | `00ff` |\n| nats, held out | 79.91 |\n\n## More\n\n| x | y |\n";
        std::fs::write(folder.path().join("a.md"), text).unwrap();
        assert_eq!(card(&at), Some(json!({"id": "00ff", "nats, held out": "79.91"})));
    }
}
