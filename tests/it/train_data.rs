//! Folders as users have them, given to `surprisal train`: broken files, odd names, nothing at all.
#![cfg(feature = "torch")]

use crate::common::{expect, photo, pnm, stderr};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use surprisal::engine::Program;
use surprisal::train::csv;

/// A small network for two steps.
const QUICK: [&str; 14] = [
    "--steps",
    "2",
    "--batch",
    "64",
    "--radius",
    "2",
    "--first",
    "8",
    "--width",
    "8",
    "--head",
    "4",
    "--components",
    "2",
];

/// Parts of a photograph under these names, each one different.
fn pictures(folder: &Path, names: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for (size, name) in (24..).zip(names) {
        fs::write(folder.join(name), pnm(size, 20, 3, &photo(size, 20))).unwrap();
    }
}

fn train(folder: &Path, args: &[&str], code: i32) -> String {
    let args = [&["train", "photo", "-T", "1"], args, &QUICK].concat();
    stderr(&expect(folder, &args, code))
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn broken_pictures_and_odd_names_do_not_stop_a_training() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("my | pictures `of` 'ü'");
    pictures(&data, &["a b.ppm", "-f.ppm", "ü\n| \u{1b}[1m.ppm", "no ending", "deep.png"]);
    fs::write(data.join("cut off.ppm"), &pnm(30, 30, 3, &photo(30, 30))[..900]).unwrap();
    fs::write(data.join("page.png"), "<html>").unwrap();
    fs::write(data.join("notes.txt"), "where they come from").unwrap();
    pictures(&data.join("more"), &[]);
    fs::write(data.join("more/small.ppm"), pnm(15, 20, 3, &photo(15, 20))).unwrap();
    let folder = data.file_name().unwrap().to_str().unwrap();
    let said = train(dir.path(), &["--data", folder, "-o", "é è.v2.srm"], 0);
    for (name, why) in [("cut off.ppm", "broken"), ("page.png", "none of the formats"), ("small.ppm", "too small")] {
        assert!(said.lines().any(|line| line.contains(name) && line.contains(why)), "{name}: {said}");
    }
    assert!(!said.contains("notes.txt"), "{said}");

    let read = |ending: &str| fs::read(dir.path().join(format!("é è.v2.{ending}"))).unwrap();
    let text = |ending: &str| String::from_utf8(read(ending)).unwrap();
    assert_eq!(Program::from_bytes(&read("srm")).unwrap().name(), "é è.v2");
    assert_eq!(csv::parse(&text("csv")).unwrap().last().unwrap().step, 2);
    // A line for each file that was used, one of them held out; hashes are those of the files.
    let list = text("files.txt");
    let hashes: BTreeSet<_> = list.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let used = ["a b.ppm", "-f.ppm", "ü\n| \u{1b}[1m.ppm", "no ending", "deep.png"];
    let hash = |name| blake3::hash(&fs::read(data.join(name)).unwrap()).to_hex().to_string();
    assert_eq!(hashes, used.map(hash).into());
    assert_eq!(list.lines().count(), 5);
    assert_eq!(list.matches("  held-out  ").count(), 1);
    let card = text("md");
    assert!(card.contains("| trained on | 4 pictures") && card.contains("| held out | 1 pictures"), "{card}");
    // Nothing is timed where the steps are given: the same command is the same model.
    assert!(card.contains("| precision | float32 |"), "{card}");
    for line in card.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert!(bars == 3 || bars == 4, "{line}");
    }

    // Nothing is overwritten unasked, and asked for it is the same model again, from the pack that is there.
    let (model, pack) = (read("srm"), dir.path().join("é è.v2.pack"));
    let made = fs::metadata(&pack).unwrap().modified().unwrap();
    let said = train(dir.path(), &["--data", folder, "-o", "é è.v2.srm"], 2);
    assert!(said.contains("exists already"), "{said}");
    let said = train(dir.path(), &["--data", folder, "-o", "é è.v2.srm", "-f"], 0);
    assert!(said.contains("cut off.ppm") && read("srm") == model, "{said}");
    assert_eq!(fs::metadata(&pack).unwrap().modified().unwrap(), made);
}

#[cfg(unix)]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join(std::ffi::OsStr::from_bytes(b"photos \xff"));
    pictures(&data, &["a.ppm"]);
    fs::copy(data.join("a.ppm"), data.join(std::ffi::OsStr::from_bytes(b"b\xfe.ppm"))).unwrap();
    let mut command = crate::common::surprisal();
    command.current_dir(dir.path()).args(["train", "photo", "-T", "1", "-o", "m.srm", "--data"]).arg(&data).args(QUICK);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let list = fs::read_to_string(dir.path().join("m.files.txt")).unwrap();
    assert!(list.contains("photos \u{fffd}/a.ppm") && list.contains("photos \u{fffd}/b\u{fffd}.ppm"), "{list}");
    assert!(stderr(&output).contains("1 of 2 files show a picture that another one shows"), "{}", stderr(&output));
}

#[test]
fn without_pictures_nothing_is_trained_or_written() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("good"), &["a.ppm", "b.ppm"]);
    fs::create_dir_all(dir.path().join("empty/below")).unwrap();
    fs::create_dir(dir.path().join("broken")).unwrap();
    fs::write(dir.path().join("broken/a.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let before = names(dir.path());
    for (folders, says) in [
        (&["empty"][..], &["empty", "no usable pictures", "name a folder"][..]),
        (&["good", "empty"], &["empty", "no usable pictures", "name a folder"]),
        (&["broken"], &["broken/a.png", "broken or of a kind", "name a folder"]),
        (&["missing"], &["missing", "cannot be read"]),
    ] {
        let data: Vec<&str> = folders.iter().flat_map(|folder| ["--data", folder]).collect();
        let said = train(dir.path(), &[&data[..], &["-o", "m.srm"]].concat(), 2);
        assert!(says.iter().all(|words| said.contains(words)), "{folders:?}: {said}");
        assert!(said.lines().count() == 1 && !said.contains("panicked"), "{said}");
        assert_eq!(names(dir.path()), before, "{folders:?} left something behind");
    }
    // A file of another kind where the pack would go.
    fs::write(dir.path().join("m.pack"), "mine").unwrap();
    let said = train(dir.path(), &["--data", "good", "-o", "m.srm", "-f"], 2);
    assert!(said.contains("m.pack") && fs::read_to_string(dir.path().join("m.pack")).unwrap() == "mine", "{said}");
}

#[test]
fn one_picture_is_trained_on_and_a_single_file_is_as_good_as_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["only.ppm"]);
    let said = train(dir.path(), &["--data", "only.ppm", "-o", "m.srm"], 0);
    assert!(said.contains("one picture only"), "{said}");
    assert!(Program::from_bytes(&fs::read(dir.path().join("m.srm")).unwrap()).is_ok());
    let history = csv::parse(&fs::read_to_string(dir.path().join("m.csv")).unwrap()).unwrap();
    assert!(history.iter().all(|point| point.validation.is_none()));
    let card = fs::read_to_string(dir.path().join("m.md")).unwrap();
    assert!(card.contains("| data | `only.ppm` |") && card.contains("| held out | 0 pictures"), "{card}");
}
