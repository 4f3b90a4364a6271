//! Temporary files: their names, and those that a killed process left behind.
//!
//! What must stay true: nothing is removed but what this program named itself, and that no process can be writing any more.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// No file is written for so long.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Says among which processes a number names one: those of this machine, as far as this process sees them.
static NEIGHBOURHOOD: LazyLock<u32> = LazyLock::new(|| {
    let mut bytes = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    bytes.extend_from_slice(space.as_os_str().as_encoded_bytes());
    crc32fast::hash(&bytes)
});

/// The name of the n-th temporary file of this process.
pub fn name(number: u32) -> String {
    format!(".surprisal-{:08x}-{}-{number}.tmp", *NEIGHBOURHOOD, std::process::id())
}

/// Whether that is the name of a temporary file.
pub fn is_one(name: &str) -> bool {
    parse(name).is_some()
}

/// Neighbourhood and process of a temporary file.
fn parse(name: &str) -> Option<(u32, u32)> {
    let mut parts = name.strip_prefix(".surprisal-")?.strip_suffix(".tmp")?.split('-');
    let (place, process, number) = (parts.next()?, parts.next()?, parts.next()?);
    number.parse::<u32>().ok()?;
    let place = u32::from_str_radix(place, 16).ok().filter(|_| place.len() == 8)?;
    Some((place, process.parse().ok()?)).filter(|_| parts.next().is_none())
}

/// Removes what killed processes left in a folder; once for each folder.
pub fn clean(folder: &Path) {
    static DONE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !done.get_or_insert_default().insert(folder.to_owned()) {
        return;
    }
    drop(done);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((place, process)) = name.to_str().and_then(parse) else { continue };
        let ended = place == *NEIGHBOURHOOD
            && Path::new("/proc/self").exists()
            && !Path::new(&format!("/proc/{process}")).exists();
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && (ended || is_old(&entry.path())) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file was not touched for a day. Its time of modification may be that of an original.
#[cfg(unix)]
fn is_old(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let changed = fs::symlink_metadata(path).map(|meta| Duration::from_secs(meta.ctime().max(0) as u64));
    changed.is_ok_and(|changed| now.saturating_sub(changed) > DAY)
}

#[cfg(not(unix))]
fn is_old(path: &Path) -> bool {
    let made = fs::symlink_metadata(path).and_then(|meta| meta.created());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised() {
        assert!(is_one(&name(3)));
        assert_eq!(parse(".surprisal-0012abcd-77-3.tmp"), Some((0x12abcd, 77)));
        for other in ["a.tmp", ".surprisal-1-2.tmp", ".surprisal-0012abcd-77-3-4.tmp", ".surprisal-0012abcd-x-3.tmp"] {
            assert!(!is_one(other), "{other}");
        }
    }

    #[test]
    fn what_a_dead_process_left_goes_and_what_a_living_one_writes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(folder.path().join(name), b"").unwrap();
        let dead = format!(".surprisal-{:08x}-{}-0.tmp", *NEIGHBOURHOOD, u32::MAX);
        let elsewhere = format!(".surprisal-{:08x}-{}-0.tmp", *NEIGHBOURHOOD ^ 1, u32::MAX);
        let ours = name(0);
        [&dead, &elsewhere, &ours, "mine.tmp"].into_iter().for_each(put);
        clean(folder.path());
        let left = |name: &str| folder.path().join(name).exists();
        assert_eq!([&elsewhere, &ours, "mine.tmp"].map(left), [true; 3]);
        assert_eq!(left(&dead), !Path::new("/proc/self").exists());
    }
}
