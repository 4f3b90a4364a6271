//! What a user of other compressors may have meant by arguments that this program does not have.
//!
//! What must stay true: a hint names a command or an option that there is.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::path::Path;

/// The error with a tip, where there is one.
pub fn hinted(mut error: clap::Error) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => command(text(ContextKind::InvalidSubcommand)),
        ErrorKind::UnknownArgument => option(text(ContextKind::InvalidArg)),
        ErrorKind::MissingRequiredArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => instead(missing),
            _ => None,
        },
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// A file in the place of a command.
fn command(name: &str) -> Option<String> {
    let verb = if name.ends_with(".srp") { "decompress" } else { "compress" };
    Path::new(name)
        .exists()
        .then(|| format!("'{name}' is a file: name a command first, as in 'surprisal {verb} {name}'"))
}

fn option(name: &str) -> Option<String> {
    match name {
        "-1" | "-2" | "-3" | "-4" | "-5" | "-6" | "-7" | "-8" | "-9" | "--fast" | "--best" | "--level" => {
            Some("levels are '-e 1' (fastest) to '-e 9' (smallest)".to_owned())
        }
        "-d" | "--decompress" | "--uncompress" => Some("streams are restored by 'surprisal decompress'".to_owned()),
        _ => None,
    }
}

/// What does without the arguments that are missing.
fn instead(missing: &[String]) -> Option<String> {
    match missing {
        [one] if one.starts_with("--calibrate") => {
            Some("without normal files, '--self' ranks files against one another".to_owned())
        }
        [.., model] if model == "<MODEL>" && missing.iter().any(|one| one.starts_with("--data")) => {
            Some("without a model, '--family NAME' draws what networks of a family could see".to_owned())
        }
        _ => None,
    }
}
