//! Which files a command works on, and their bytes.

use super::fault::{Exit, Fault};
use super::report;
use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Ending of a stream's file.
pub const EXTENSION: &str = "srp";

/// One input.
#[derive(Debug, Clone)]
pub enum Input {
    /// Standard input, written `-`.
    Stdin,
    /// A file.
    File {
        /// Its path as given, or below the folder that was given.
        path: PathBuf,
        /// Its place below the folder that was walked, or its name.
        relative: PathBuf,
    },
}

impl Input {
    /// For messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Its path, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdin => None,
            Self::File { path, .. } => Some(path),
        }
    }

    /// All its bytes. `binary` input is refused from a terminal.
    pub fn read(&self, binary: bool) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Stdin if binary && io::stdin().is_terminal() => {
                Err(Fault::Error("standard input is a terminal: give a file, or a stream through a pipe".to_owned()))
            }
            Self::Stdin => {
                let mut bytes = Vec::new();
                let done = io::stdin().lock().read_to_end(&mut bytes);
                done.map_err(|e| Fault::io(Path::new("standard input"), "read", &e))?;
                Ok(bytes)
            }
            Self::File { path, .. } => fs::read(path).map_err(|e| Fault::io(path, "read", &e)),
        }
    }
}

/// What is done with a folder among the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    /// It is an error; the text says what to do.
    Refuse(&'static str),
    /// Its files are taken, and those of the folders below, apart from streams and symbolic links.
    Walk,
}

/// The inputs that paths stand for, each once; errors are printed and the worst exit is returned beside them.
pub fn gather(paths: &[PathBuf], folders: Folders, quiet: bool) -> (Vec<Input>, Exit) {
    let mut list = List { inputs: Vec::new(), seen: HashSet::new(), worst: Exit::Done, quiet };
    for path in paths {
        if path.as_os_str() == "-" {
            list.add(Input::Stdin, PathBuf::from("-"));
            continue;
        }
        match fs::metadata(path) {
            Err(e) => list.fail(&Fault::io(path, "read", &e)),
            Ok(meta) if meta.is_dir() => match folders {
                Folders::Refuse(remedy) => {
                    list.fail(&Fault::Error(format!("{}: is a folder; {remedy}", path.display())));
                }
                Folders::Walk => list.walk(path, path),
            },
            Ok(_) => list.file(path, path.file_name().map(PathBuf::from).unwrap_or_default()),
        }
    }
    (list.inputs, list.worst)
}

struct List {
    inputs: Vec<Input>,
    seen: HashSet<PathBuf>,
    worst: Exit,
    quiet: bool,
}

impl List {
    fn fail(&mut self, fault: &Fault) {
        report::error(fault);
        self.worst = self.worst.max(fault.exit());
    }

    fn add(&mut self, input: Input, identity: PathBuf) {
        if self.seen.insert(identity) {
            self.inputs.push(input);
        } else {
            report::note(self.quiet, format_args!("{}: given more than once, done once", input.name()));
        }
    }

    fn file(&mut self, path: &Path, relative: PathBuf) {
        let identity = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.add(Input::File { path: path.to_owned(), relative }, identity);
    }

    fn walk(&mut self, root: &Path, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(e) => return self.fail(&Fault::io(folder, "read", &e)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            match entry.file_type() {
                Err(e) => self.fail(&Fault::io(&path, "read", &e)),
                Ok(kind) if kind.is_dir() => self.walk(root, &path),
                Ok(kind) if kind.is_file() && path.extension().is_none_or(|e| e != EXTENSION) => {
                    let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
                    self.file(&path, relative);
                }
                Ok(_) => {}
            }
        }
    }
}
