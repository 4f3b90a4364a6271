//! Accidents: whatever happens, the sources are as they were, and an output is not there or whole.
//!
//! `SURPRISAL_TORTURE` sets how many times the program is killed (10 if it is not set; tests/full.sh: 200).

mod faults;
mod killed;
mod limits;
mod pipes;

use crate::common::{Random, photo, pnm, text};
use assert_cmd::cargo::cargo_bin;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

/// The program, which sees no model of the user's.
fn surprisal(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("surprisal"));
    command.args(args).current_dir(at).env_remove("SURPRISAL_MODELS").env("XDG_DATA_HOME", "/nonexistent");
    command
}

/// Runs it to its end, which must be a good one.
fn succeed(at: &Path, args: &[&str]) -> Output {
    let output = surprisal(at, args).output().expect("the program starts");
    assert!(output.status.success(), "surprisal {args:?}: {}", crate::common::stderr(&output));
    output
}

/// A folder of files of several kinds.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("d/a.txt", text(4000)),
        ("d/b.ppm", pnm(24, 40, 3, &photo(24, 40))),
        ("d/deep/er/noise", Random(3).bytes(3 << 20)),
        ("d/deep/empty", Vec::new()),
        ("d/e.pgm", pnm(40, 20, 1, &photo(40, 20)[..800])),
    ]
}

/// A fresh folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }
    folder
}

/// All files below a folder.
fn below(at: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![at.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().expect("a type") {
                kind if kind.is_dir() => folders.push(entry.path()),
                _ => {
                    let path = entry.path().strip_prefix(at).expect("below").to_owned();
                    found.insert(path, fs::read(entry.path()).expect("read"));
                }
            }
        }
    }
    found
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "tmp")
}

/// A good end, or an error that says so: no panic, no crash.
fn is_decent(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0..=2))
}

/// By which signal the program ended, as shells say it.
fn shell_code(status: ExitStatus) -> Option<i32> {
    status.code().or(status.signal().map(|signal| 128 + signal))
}
