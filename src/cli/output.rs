//! Writing a file so that it is there whole or not at all.
//!
//! What must stay true: a target that exists is replaced only when that was asked for, and only in one step, by a file that
//! is complete; whatever ends the program before leaves the target as it was.

use super::fault::Fault;
use super::report;
use super::target::Target;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// The partial file that an interrupt must remove.
static PARTIAL: Mutex<Option<PathBuf>> = Mutex::new(None);

fn partial() -> MutexGuard<'static, Option<PathBuf>> {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Exit code after an interrupt, as shells have it.
const INTERRUPTED: i32 = 130;

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
/// input stays.
pub fn remove_input(input: &Path, target: &Target) -> Result<(), Fault> {
    match target {
        Target::File(path) if !is_device(path) => fs::remove_file(input).map_err(|e| Fault::io(input, "remove", &e)),
        _ => Ok(()),
    }
}

/// Whether the path is a device or a pipe, which is written to directly.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Writes the output; with `durable`, it is on the disk when this returns. Permissions and time of `source` are kept.
pub fn write(target: &Target, bytes: &[u8], source: Option<&Path>, force: bool, durable: bool) -> Result<(), Fault> {
    let path = match target {
        Target::Stdout => return report::bytes(bytes),
        Target::File(path) => path,
    };
    if is_device(path) {
        let done = OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes));
        return done.map_err(|e| Fault::io(path, "write", &e));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fault = |e: io::Error| Fault::io(path, "write", &e);
    fs::create_dir_all(folder).map_err(fault)?;
    remove_on_interrupt();
    let (mut file, temporary) = create_beside(folder, source.is_some()).map_err(fault)?;
    let written = file.write_all(bytes).and_then(|()| {
        if let Some(meta) = source.and_then(|source| fs::metadata(source).ok()) {
            // As good as can be had: the bytes matter more than their dress.
            let _ = file.set_permissions(meta.permissions());
            let _ = meta.modified().and_then(|time| file.set_modified(time));
        }
        if durable { file.sync_all() } else { Ok(()) }
    });
    drop(file);
    let mut partial = partial();
    let done = written.and_then(|()| publish(&temporary, path, force));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    *partial = None;
    match done {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        other => other.map_err(fault),
    }
}

/// Creates a file of another name in the target's folder. `private` keeps others out until it has its permissions.
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
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".surprisal-{}-{number}.tmp", std::process::id()));
        let mut partial = partial();
        match options.open(&path) {
            Ok(file) => {
                *partial = Some(path.clone());
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

/// Removes the partial file when the program is interrupted or told to end.
fn remove_on_interrupt() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a handler the partial file stays behind, under its temporary name; the target is safe all the same.
        let _ = ctrlc::set_handler(|| {
            if let Some(path) = partial().take() {
                let _ = fs::remove_file(path);
            }
            std::process::exit(INTERRUPTED);
        });
    });
}
