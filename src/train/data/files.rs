//! The files that folders hold, in an order that does not depend on the file system.
//!
//! What must stay true: the same files give the same list and the same key, and a file that was added, taken away or
//! changed gives another key.

use super::DataError;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A file that may be a picture.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Index of the given path that it was found under.
    pub root: usize,
    /// What it is called in reports: the given folder's own name and the way from there.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Nanoseconds since 1970 when it was last changed; 0 where the file system does not say.
    pub changed: u128,
}

/// The files under the paths, each once, by name within a folder. Links to files are followed, links to folders are not.
///
/// # Errors
/// A path or folder that cannot be read.
pub fn walk(paths: &[PathBuf]) -> Result<Vec<Found>, DataError> {
    let mut list = List { found: Vec::new(), seen: HashSet::new() };
    for (root, path) in paths.iter().enumerate() {
        let meta = fs::metadata(path).map_err(|e| DataError::read(path, e))?;
        let shown = folder_name(path);
        match meta.is_dir() {
            true => list.folder(root, path, &shown)?,
            false => list.file(root, path, shown)?,
        }
    }
    Ok(list.found)
}

/// The last part of a path, also of `.` or `..`.
pub fn folder_name(path: &Path) -> String {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned()
}

/// A hash of the paths, sizes and times of the files.
pub fn key(found: &[Found]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for file in found {
        let path = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        let path = path.as_os_str().as_encoded_bytes();
        hasher.update(&(path.len() as u64).to_le_bytes());
        hasher.update(path);
        hasher.update(&(file.root as u64).to_le_bytes());
        hasher.update(&file.bytes.to_le_bytes());
        hasher.update(&file.changed.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

struct List {
    found: Vec<Found>,
    seen: HashSet<PathBuf>,
}

impl List {
    fn file(&mut self, root: usize, path: &Path, name: String) -> Result<(), DataError> {
        let meta = fs::metadata(path).map_err(|e| DataError::read(path, e))?;
        let identity = fs::canonicalize(path).map_err(|e| DataError::read(path, e))?;
        if self.seen.insert(identity) {
            let changed = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.map_or(0, |d| d.as_nanos());
            self.found.push(Found { path: path.to_owned(), root, name, bytes: meta.len(), changed });
        }
        Ok(())
    }

    fn folder(&mut self, root: usize, folder: &Path, shown: &str) -> Result<(), DataError> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = entries.map_err(|e| DataError::read(folder, e))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let shown = format!("{shown}/{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(|e| DataError::read(&path, e))?;
            if kind.is_dir() {
                self.folder(root, &path, &shown)?;
            } else if fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
                self.file(root, &path, shown)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_once_in_order_and_the_key_follows_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("set");
        fs::create_dir_all(root.join("b/deep")).unwrap();
        for (name, text) in [("z.png", "1"), ("a.png", "2"), ("b/deep/c ü\u{1}.ppm", "3")] {
            fs::write(root.join(name), text).unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("a.png"), root.join("link.png")).unwrap();
            std::os::unix::fs::symlink(&root, root.join("b/circle")).unwrap();
            std::os::unix::fs::symlink(root.join("nowhere"), root.join("dangling.png")).unwrap();
        }
        let paths = [root.clone(), root.join("z.png")];
        let found = walk(&paths).unwrap();
        let names: Vec<_> = found.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["set/a.png", "set/b/deep/c ü\u{1}.ppm", "set/z.png"]);
        let before = key(&found);
        assert_eq!(key(&walk(&paths).unwrap()), before);
        fs::write(root.join("a.png"), "22").unwrap();
        let changed = key(&walk(&paths).unwrap());
        assert_ne!(changed, before);
        fs::remove_file(root.join("z.png")).unwrap();
        assert_ne!(key(&walk(&paths[..1]).unwrap()), changed);
        let missing = walk(&paths).unwrap_err().to_string();
        assert!(missing.contains("z.png"), "{missing}");
    }
}
