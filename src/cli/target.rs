//! Where the output of an input goes.

use super::fault::Fault;
use super::inputs::{EXTENSION, Input};
use clap::Args;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Options of the commands that write files.
#[derive(Debug, Args)]
pub struct TargetOptions {
    /// Write to this file, or into this folder (which exists already) when it is one; - means standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Write to standard output
    #[arg(short = 'c', long, conflicts_with_all = ["output", "rm"])]
    stdout: bool,
    /// Overwrite outputs that exist
    #[arg(short, long)]
    pub force: bool,
    /// Keep the inputs (the default)
    #[arg(short, long, conflicts_with = "rm")]
    keep: bool,
    /// Remove each input when its output is safely written to a file
    #[arg(long)]
    pub rm: bool,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl Target {
    /// What `-o` names: a file, or standard output as `-`.
    pub fn named(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdout } else { Self::File(path.to_owned()) }
    }

    /// For messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// The rule by which inputs get their outputs.
#[derive(Debug)]
pub struct Targets<'a> {
    options: &'a TargetOptions,
    folder: Option<&'a Path>,
    taken: HashSet<PathBuf>,
}

impl TargetOptions {
    /// The archive that `-o` names, if it can be one.
    pub fn archive(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.extension().is_some_and(|e| e == EXTENSION) && !path.is_dir())
    }

    /// The folder that `-o` names; it need not be there yet.
    pub fn folder(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Whether everything goes to standard output.
    pub fn is_stdout(&self) -> bool {
        self.stdout || self.output.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// Checks the options against the number of inputs. Several streams on one output are of use only when they can be told
    /// apart (`joinable`).
    pub fn plan(&self, inputs: usize, joinable: bool) -> Result<Targets<'_>, Fault> {
        let folder = self.output.as_deref().filter(|path| path.is_dir());
        let to_stdout = self.is_stdout();
        if inputs > 1 && to_stdout && !joinable {
            let text = "several streams cannot share standard output: compress one file at a time, or leave -c away";
            return Err(Fault::Error(text.to_owned()));
        }
        if let Some(path) = self.output.as_deref().filter(|_| !to_stdout && folder.is_none()) {
            let is_asked = path.as_os_str().as_encoded_bytes().ends_with(b"/");
            let why = match (inputs, joinable) {
                (0 | 1, _) if is_asked => Some("make it first"),
                (0 | 1, _) => None,
                (_, true) => Some("there are several inputs: make it first"),
                (_, false) => {
                    Some("there are several inputs: make it first, or an archive NAME.srp of folders, with -r")
                }
            };
            if let Some(why) = why {
                return Err(Fault::Error(format!("{}: is no folder; {why}", path.display())));
            }
        }
        Ok(Targets { options: self, folder, taken: HashSet::new() })
    }
}

impl Targets<'_> {
    /// Where the output of `input` goes; `rename` makes its path from the input's.
    pub fn of(&mut self, input: &Input, rename: impl Fn(&Path) -> Result<PathBuf, Fault>) -> Result<Target, Fault> {
        if self.options.is_stdout() {
            return Ok(Target::Stdout);
        }
        let path = match (&self.options.output, self.folder, input) {
            (_, Some(folder), Input::File { relative, .. }) => folder.join(rename(relative)?),
            (_, Some(folder), Input::Stdin) => {
                let text = format!("{}: is a folder, and standard input has no name; name a file", folder.display());
                return Err(Fault::Error(text));
            }
            (Some(path), None, _) => path.clone(),
            (None, None, Input::Stdin) => return Ok(Target::Stdout),
            (None, None, Input::File { path, .. }) => rename(path)?,
        };
        if !self.taken.insert(path.clone()) {
            return Err(Fault::Error(format!(
                "{}: another input was written to {} already",
                input.name(),
                path.display()
            )));
        }
        Ok(Target::File(path))
    }
}
