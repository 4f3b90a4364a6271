//! Writing a file so that it is there whole or not at all.
//!
//! What must stay true: a target that exists is replaced only when that was asked for, and only in one step, by a file that
//! is complete; whatever ends the program before leaves the target as it was.

use super::fault::Fault;
use super::target::Target;
use super::{interrupt, leftovers, report};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The partial files that an interrupt must remove.
static PARTIAL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn partial() -> MutexGuard<'static, Vec<PathBuf>> {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the partial files when the program is interrupted or told to end.
pub fn remove_on_interrupt() {
    interrupt::on_end(|code| {
        // Kept until the end, so that nothing is published or begun meanwhile.
        let partial = partial();
        partial.iter().for_each(|path| drop(fs::remove_file(path)));
        std::process::exit(code);
    });
}

/// Fails early when the target cannot be written, before any work is done for it, or is the `source` itself.
pub fn check(target: &Target, source: Option<&Path>, force: bool) -> Result<(), Fault> {
    match target {
        Target::Stdout => report::stdout_is_no_terminal(),
        Target::File(path) => match fs::symlink_metadata(path) {
            Ok(_) if is_device(path) => Ok(()),
            Ok(meta) if meta.is_dir() => Err(Fault::Error(format!("{}: is a folder", path.display()))),
            Ok(_) if source.is_some_and(|source| is_same(source, path)) => {
                Err(Fault::Error(format!("{}: is the input itself; choose another name with -o", path.display())))
            }
            Ok(_) if !force => Err(exists(path)),
            _ => Ok(()),
        },
    }
}

fn exists(path: &Path) -> Fault {
    Fault::Error(format!("{}: exists already; overwrite it with -f or choose another name with -o", path.display()))
}

fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// Removes an input whose output was written to a file. What went to a pipe or a device may be kept nowhere, so then the
/// input stays; and so it does when it is no longer what it was before it was read.
pub fn remove_input(input: &Path, target: &Target, stamp: Option<Stamp>) -> Result<(), Fault> {
    match target {
        Target::File(path) if !is_device(path) && Stamp::of(input) != stamp => {
            let text = format!(
                "{}: changed meanwhile, so it is not removed; {} is what it was",
                input.display(),
                path.display()
            );
            Err(Fault::Error(text))
        }
        Target::File(path) if !is_device(path) => fs::remove_file(input).map_err(|e| Fault::io(input, "remove", &e)),
        _ => Ok(()),
    }
}

/// Whether the path is a device or a pipe, which is written to directly.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// What an input was like when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64, Option<SystemTime>);

impl Stamp {
    /// Of the file at `path`, if there is one.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|meta| Self(meta.len(), meta.modified().ok()))
    }

    /// Bytes.
    pub fn length(self) -> u64 {
        self.0
    }
}

/// Writes the output; with `durable`, it is on the disk when this returns. Permissions and time of `source` are kept.
pub fn write(target: &Target, bytes: &[u8], source: Option<&Path>, force: bool, durable: bool) -> Result<(), Fault> {
    let mut output = Output::create(target, source.is_some())?;
    output.write_all(bytes).map_err(|e| Fault::io(Path::new(&target.name()), "write", &e))?;
    output.finish(source, force, durable)
}

/// A file that is being written under another name. It is removed unless it is published.
#[derive(Debug)]
pub struct Pending {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl Pending {
    /// Begins a file, and removes what killed processes left in its folder. `private` keeps others out until it has its permissions.
    pub fn create(path: &Path, private: bool) -> Result<Self, Fault> {
        let folder = folder_of(path);
        let begin = || {
            fs::create_dir_all(folder)?;
            leftovers::clean(folder);
            create_beside(folder, private)
        };
        let (file, temporary) = begin().map_err(|e| Fault::io(path, "write", &e))?;
        Ok(Self { file, temporary, path: path.to_owned() })
    }

    /// Goes on with `bytes`.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(|e| Fault::io(&self.path, "write", &e))
    }

    /// Gives it permissions and a time, as good as can be had: the bytes matter more than their dress.
    pub fn dress(&self, permissions: Option<Permissions>, time: Option<SystemTime>) {
        let _ = permissions.map(|permissions| self.file.set_permissions(permissions));
        let _ = time.map(|time| self.file.set_modified(time));
    }

    /// Gives the complete file its name; with `durable`, it is on the disk when this returns.
    pub fn publish(self, force: bool, durable: bool) -> Result<(), Fault> {
        let fault = |e: io::Error| match e.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => Fault::io(&self.path, "write", &e),
        };
        if durable {
            self.file.sync_all().map_err(fault)?;
        }
        let mut partial = partial();
        publish(&self.temporary, &self.path, force).map_err(fault)?;
        partial.retain(|path| *path != self.temporary);
        drop(partial);
        if durable {
            sync_folder(folder_of(&self.path)).map_err(fault)?;
        }
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut partial = partial();
        if let Some(at) = partial.iter().position(|path| *path == self.temporary) {
            let _ = fs::remove_file(&self.temporary);
            partial.swap_remove(at);
        }
    }
}

/// An output that is written as it is made.
pub enum Output {
    /// Standard output.
    Stdout(io::Stdout),
    /// A device or a pipe, which is written to directly.
    Device(File),
    /// A file, which has its name when it is complete.
    File(Pending),
}

impl Output {
    /// Begins an output. `private` keeps others out of a file until it has its permissions.
    pub fn create(target: &Target, private: bool) -> Result<Self, Fault> {
        match target {
            Target::Stdout => Ok(Self::Stdout(io::stdout())),
            Target::File(path) if is_device(path) => {
                let file = OpenOptions::new().write(true).open(path).map_err(|e| Fault::io(path, "write", &e))?;
                Ok(Self::Device(file))
            }
            Target::File(path) => Pending::create(path, private).map(Self::File),
        }
    }

    /// Gives a file another name than the target's.
    pub fn rename(&mut self, to: PathBuf) {
        if let Self::File(pending) = self {
            pending.path = to;
        }
    }

    /// Ends it: a file gets its name, and permissions and time of `source`.
    pub fn finish(mut self, source: Option<&Path>, force: bool, durable: bool) -> Result<(), Fault> {
        self.flush().map_err(|e| Fault::io(Path::new("the output"), "write", &e))?;
        let Self::File(pending) = self else { return Ok(()) };
        if let Some(meta) = source.and_then(|source| fs::metadata(source).ok()) {
            pending.dress(Some(meta.permissions()), meta.modified().ok());
        }
        pending.publish(force, durable)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Device(file) => file.write(bytes),
            Self::File(pending) => pending.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Self::Stdout(out) = self { out.flush() } else { Ok(()) }
    }
}

/// Room for bytes that are kept aside until an output can be written: a file without a name, in its folder.
pub fn aside(target: &Target) -> Result<File, Fault> {
    let folder = match target {
        Target::File(path) if !is_device(path) => folder_of(path).to_owned(),
        _ => std::env::temp_dir(),
    };
    let made = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
    made.map_err(|e| Fault::io(&folder, "write", &e))
}

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a file of another name in the target's folder.
fn create_beside(folder: &Path, private: bool) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    loop {
        let path = folder.join(leftovers::name(NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut partial = partial();
        match options.open(&path) {
            Ok(file) => {
                partial.push(path.clone());
                return Ok((file, path));
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {} // left behind by a killed process of the same number
            Err(e) => return Err(e),
        }
    }
}

/// Gives the complete file its name. Without `force` the name must be free; a hard link tells so without a race.
fn publish(temporary: &Path, path: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::rename(temporary, path);
    }
    match fs::hard_link(temporary, path) {
        Ok(()) => fs::remove_file(temporary),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(temporary, path), // a file system without hard links
    }
}

/// Makes the names in a folder durable, where the system can.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
