//! Which files a command works on, and their bytes.

use super::fault::{Exit, Fault};
use super::report;
use std::collections::HashSet;
use std::fs::{self, File, FileType};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use surprisal::codec::long::{self, Again, Found};
use surprisal::codec::{Models, Options, Progress};

/// Bytes of an input that are read before it is decided what is done with it: recordings that are longer are coded as they
/// are read.
pub const HEAD: u64 = 8 << 20;
/// Bytes that hold the header of a stream of sound, but for extraordinary numbers of segments.
pub const FRONT: u64 = 1 << 20;

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
            Self::File { path, .. } => read(path),
        }
    }
}

impl Input {
    /// Its first bytes, about `count`, and what follows them. `binary` input is refused from a terminal.
    pub fn begin(&self, binary: bool, count: u64) -> Result<Begun, Fault> {
        match self {
            Self::Stdin if binary && io::stdin().is_terminal() => self.read(binary).map(Begun::all),
            Self::Stdin => Begun::new(Box::new(io::stdin()), self.name(), None, count),
            Self::File { path, .. } => {
                let file = File::open(path).map_err(|e| Fault::io(path, "read", &e))?;
                let length = file.metadata().ok().filter(fs::Metadata::is_file).map(|meta| meta.len());
                // What a pipe has given is gone.
                let again = length.is_some().then(|| path.clone());
                Ok(Begun { length, again, ..Begun::new(Box::new(file), self.name(), length, count)? })
            }
        }
    }
}

/// An input of which the first bytes were read.
pub struct Begun {
    /// They; all there are, if there are fewer than were asked for.
    pub head: Vec<u8>,
    /// What follows them.
    rest: Box<dyn Read + Send>,
    /// Bytes in all, where they are known.
    pub length: Option<u64>,
    /// Where it can be read once more.
    again: Option<PathBuf>,
    name: String,
}

impl Begun {
    /// Reads the first `count` bytes of what has that name.
    pub fn new(mut rest: Box<dyn Read + Send>, name: String, length: Option<u64>, count: u64) -> Result<Self, Fault> {
        let mut head = Vec::new();
        let done = (&mut rest).take(count).read_to_end(&mut head);
        done.map_err(|e| Fault::io(Path::new(&name), "read", &e))?;
        Ok(Self { head, rest, length, again: None, name })
    }

    fn all(head: Vec<u8>) -> Self {
        Self { head, rest: Box::new(io::empty()), length: None, again: None, name: String::new() }
    }

    /// Whether it is coded while it is read, and how; `again` is what [`again`](Self::again) gives.
    pub fn find(
        &self,
        again: Option<&mut File>,
        how: (&Models, &Options),
        progress: &dyn Progress,
    ) -> Result<Option<Found>, Fault> {
        // What is all there is not long, but for a picture that is much larger than its file.
        if (self.head.len() as u64) < HEAD && !long::may_be_large(&self.head) {
            return Ok(None);
        }
        let again = again.map(|file| file as &mut dyn Again);
        let found = long::find(&self.head, (self.length, again), how, progress);
        found.map_err(|e| Fault::io(Path::new(&self.name), "read", &e))
    }

    /// The same file, at any place, where it can be read once more.
    pub fn again(&self) -> Result<Option<File>, Fault> {
        let path = self.again.as_deref();
        path.map(|path| File::open(path).map_err(|e| Fault::io(path, "read", &e))).transpose()
    }

    /// All its bytes.
    pub fn whole(mut self) -> Result<Vec<u8>, Fault> {
        if let Some(path) = self.again {
            drop(self.head);
            return read(&path);
        }
        let done = self.rest.read_to_end(&mut self.head);
        done.map_err(|e| Fault::io(Path::new(&self.name), "read", &e))?;
        Ok(self.head)
    }

    /// All its bytes again from the first, as they come.
    pub fn chained(self) -> impl Read + Send + 'static {
        io::Cursor::new(self.head).chain(self.rest)
    }
}

/// All bytes of a file, which must be the same file at the end as at the beginning.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |e: io::Error| Fault::io(path, "read", &e);
    let mut file = File::open(path).map_err(fault)?;
    let before = file.metadata().map_err(fault)?;
    let mut bytes = Vec::new();
    if before.is_file() {
        let room = usize::try_from(before.len()).ok().and_then(|length| bytes.try_reserve_exact(length).ok());
        room.ok_or_else(|| {
            let text = format!("{}: {} bytes do not fit into the memory that is there", path.display(), before.len());
            Fault::Error(format!("{text}; cut the file, or allow more memory (ulimit -v)"))
        })?;
    }
    file.read_to_end(&mut bytes).map_err(fault)?;
    let after = file.metadata().map_err(fault)?;
    // Files that the system makes up have no length.
    let whole = before.len() == bytes.len() as u64 || before.len() == 0 && after.len() == 0;
    if before.is_file() && !(whole && before.len() == after.len() && before.modified().ok() == after.modified().ok()) {
        return Err(changed(&path.display().to_string()));
    }
    Ok(bytes)
}

/// What is said of an input that was not the same file at the end as at the beginning.
pub fn changed(name: &str) -> Fault {
    Fault::Error("changed while it was read; try again when nothing writes to it".to_owned()).about(name)
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
                Folders::Walk => list.walk(path),
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

    fn walk(&mut self, root: &Path) {
        walk(root, &mut |walked| match walked {
            Err(fault) => self.fail(&fault),
            Ok(Walked { path, kind }) if kind.is_file() && path.extension().is_none_or(|e| e != EXTENSION) => {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
                self.file(&path, relative);
            }
            Ok(_) => {}
        });
    }
}

/// Something in a folder.
pub struct Walked {
    /// Where it is.
    pub path: PathBuf,
    /// What it is; a link is a link.
    pub kind: FileType,
}

/// Goes through a folder and those below it, in the order of names, a folder before what is in it.
pub fn walk(folder: &Path, each: &mut dyn FnMut(Result<Walked, Fault>)) {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(e) => return each(Err(Fault::io(folder, "read", &e))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        match entry.file_type() {
            Err(e) => each(Err(Fault::io(&path, "read", &e))),
            Ok(kind) => {
                each(Ok(Walked { path: path.clone(), kind }));
                if kind.is_dir() {
                    walk(&path, each);
                }
            }
        }
    }
}
