//! The rooms of `src/` and what may stand in them: dependencies point one way, and each dangerous thing has its place.
//!
//! Reads the sources as text. Comments, strings and `#[cfg(test)]` modules do not count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms that it may use; every room may use the standard library.
const ROOMS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("entropy", &[]),
    ("spec", &["wire"]),
    ("zoo", &["spec"]),
    ("likelihood", &["entropy", "wire"]),
    ("engine", &["spec", "likelihood", "entropy", "wire"]),
    ("quantize", &["spec", "zoo", "likelihood", "engine", "entropy"]),
    ("predict", &["entropy"]),
    ("media", &["entropy", "wire", "spec", "predict"]),
    ("container", &["wire", "predict", "media", "entropy"]),
    ("adapt", &["spec", "likelihood", "engine", "entropy"]),
    (
        "codec",
        &[
            "wire",
            "entropy",
            "spec",
            "zoo",
            "likelihood",
            "engine",
            "quantize",
            "predict",
            "adapt",
            "media",
            "container",
        ],
    ),
    ("train", &["zoo", "likelihood", "media", "spec", "engine", "quantize", "wire"]),
    ("score", &["adapt", "codec", "entropy", "media", "engine", "spec"]),
];

/// Crates that have one place: the folders or files whose code may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("constriction", &["entropy/"]),
    ("tch", &["train/", "engine/torch/", "likelihood/nll"]),
    ("bincode", &["train/", "score/collection.rs"]),
    ("libz_sys", &["media/image/zlib.rs"]),
    ("clap", &["cli/"]),
    ("claxon", &["media/audio/flac.rs"]),
    ("indicatif", &["cli/"]),
    ("ctrlc", &["cli/interrupt.rs"]),
    ("signal_hook", &["cli/interrupt.rs"]),
    ("tempfile", &["cli/output.rs"]),
    ("safetensors", &["quantize/", "train/"]),
    ("memmap2", &["train/data/map.rs"]),
    ("plotters", &["train/plot.rs"]),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["engine/kernels/", "media/image/zlib.rs", "train/data/map.rs"];

/// Rooms without floating point.
const INTEGER_ROOMS: &[&str] = &["spec", "engine", "likelihood", "codec", "entropy", "container"];
/// Code in them (tests apart) that may use it all the same, and why.
const FLOATS: &[(&str, &str)] = &[
    ("entropy/cost.rs", "Bits::to_f64 prints a code length; no code depends on it"),
    ("likelihood/nll.rs", "the loss of training; no code depends on it"),
];

/// Longest file.
const LINES: usize = 500;

/// A source file: its path below `src/`, its text, and its code as tokens.
struct Source {
    path: String,
    text: String,
    tokens: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    gather(&folder(), &mut found);
    let all = found.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(folder()).unwrap().to_str().unwrap().replace('\\', "/");
        let tokens = without_tests(tokens(&text));
        Source { path, text, tokens }
    });
    // A module of tests in a file of its own.
    let all: Vec<_> = all.filter(|s| !s.path.ends_with("/tests.rs") && !s.path.contains("/tests/")).collect();
    assert!(all.len() > 40, "{} files", all.len());
    all
}

/// Words and signs (`::` is one); comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<String> {
    let c: Vec<char> = text.chars().collect();
    let at = |i: usize| c.get(i).copied().unwrap_or('\0');
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < c.len() {
        if at(i) == '/' && at(i + 1) == '/' {
            while i < c.len() && c[i] != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= c.len() {
                    break;
                }
            }
        } else if let Some(hashes) = raw_string(&c[i..]) {
            let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let end: Vec<char> = end.chars().collect();
            while at(i) != '"' {
                i += 1;
            }
            i += 1;
            while i < c.len() && !c[i..].starts_with(&end) {
                i += 1;
            }
            i += end.len();
        } else if at(i) == '"' {
            i += 1;
            while i < c.len() && c[i] != '"' {
                i += if c[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < c.len() && c[i] != '\'' {
                i += 1;
            }
            i += 1;
        } else if c[i].is_alphanumeric() || c[i] == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            tokens.push(c[start..i].iter().collect());
        } else if at(i) == ':' && at(i + 1) == ':' {
            tokens.push("::".into());
            i += 2;
        } else {
            if !c[i].is_whitespace() {
                tokens.push(c[i].into());
            }
            i += 1;
        }
    }
    tokens
}

/// The number of `#` if a raw string begins here.
fn raw_string(c: &[char]) -> Option<usize> {
    let start = if c.starts_with(&['b', 'r']) { 2 } else { usize::from(c.first() == Some(&'r')) };
    let hashes = c[start..].iter().take_while(|c| **c == '#').count();
    (start > 0 && c.get(start + hashes) == Some(&'"')).then_some(hashes)
}

/// Leaves out every `#[cfg(test)]` item.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        if tokens[i..].iter().map(String::as_str).take(7).eq(MARK) {
            while i < tokens.len() && tokens[i] != "{" && tokens[i] != ";" {
                i += 1;
            }
            let mut depth = 0;
            while i < tokens.len() {
                depth += i32::from(tokens[i] == "{") - i32::from(tokens[i] == "}");
                i += 1;
                if depth == 0 {
                    break;
                }
            }
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    kept
}

/// The room of a file.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Rooms that a file names: `crate::room`, `crate::{room, ...}`, and `super::` beyond its own room.
fn used(source: &Source) -> BTreeSet<String> {
    let t = &source.tokens;
    let is = |i: usize, s: &str| t.get(i).is_some_and(|t| t == s);
    // Modules from the crate's root to this file's: `super` that often is the root.
    let depth = source.path.split('/').count() - usize::from(source.path.ends_with("/mod.rs"));
    let mut rooms = BTreeSet::new();
    for i in 0..t.len() {
        let from_root = is(i, "crate") && is(i + 1, "::");
        let mut after = i + 2;
        if is(i, "super") && !(i > 1 && is(i - 2, "super")) {
            let supers = (0..).take_while(|k| is(i + 2 * k, "super") && is(i + 2 * k + 1, "::")).count();
            if supers < depth {
                continue;
            }
            after = i + 2 * supers;
        } else if !from_root {
            continue;
        }
        if is(after, "{") {
            let mut nesting = 0;
            for j in after..t.len() {
                nesting += i32::from(is(j, "{")) - i32::from(is(j, "}"));
                if nesting == 0 {
                    break;
                }
                if nesting == 1 && (is(j, "{") || is(j, ",")) && !is(j + 1, "}") {
                    rooms.insert(t[j + 1].clone());
                }
            }
        } else if let Some(name) = t.get(after) {
            rooms.insert(name.clone());
        }
    }
    rooms.remove(room(&source.path));
    rooms
}

#[test]
fn dependencies_point_one_way() {
    let mut uses = 0;
    for source in sources() {
        let room = room(&source.path);
        if ["lib", "main", "cli"].contains(&room) {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            panic!("src/{} is in a room that the table of this test does not have", source.path)
        };
        for other in used(&source) {
            assert!(allowed.contains(&other.as_str()), "src/{}: '{room}' may not use '{other}'", source.path);
            uses += 1;
        }
    }
    assert!(uses > 20, "only {uses} uses were found");
    // The table itself has no circle.
    let mut done: Vec<&str> = Vec::new();
    while done.len() < ROOMS.len() {
        let next = ROOMS.iter().find(|(name, uses)| !done.contains(name) && uses.iter().all(|u| done.contains(u)));
        done.push(next.expect("the rooms use one another in a circle").0);
    }
}

#[test]
fn each_crate_has_its_place() {
    for source in sources() {
        for (name, places) in CRATES {
            let named = source.tokens.iter().any(|t| t == name);
            assert!(
                !named || places.iter().any(|p| source.path.starts_with(p)),
                "src/{} uses the crate {name}",
                source.path
            );
        }
    }
}

#[test]
fn unsafe_code_has_its_place() {
    for source in sources() {
        let found = source.tokens.iter().any(|t| t == "unsafe");
        assert!(!found || UNSAFE.iter().any(|p| source.path.starts_with(p)), "src/{} has unsafe code", source.path);
    }
}

#[test]
fn integer_rooms_deny_floating_point() {
    for room in INTEGER_ROOMS {
        let text = fs::read_to_string(folder().join(room).join("mod.rs")).unwrap();
        assert!(
            text.lines().any(|line| line == "#![deny(clippy::float_arithmetic)]"),
            "src/{room}/mod.rs does not deny clippy::float_arithmetic"
        );
    }
    for source in sources() {
        let t = &source.tokens;
        let is_allowed = |i: usize| {
            let list = t[i..].iter().skip(2).take_while(|t| *t != ")");
            (t[i] == "allow" || t[i] == "expect") && list.clone().any(|t| t == "float_arithmetic")
        };
        let allows = (0..t.len()).filter(|i| is_allowed(*i)).count();
        let listed = FLOATS.iter().filter(|(path, _)| *path == source.path).count();
        assert_eq!(
            allows, listed,
            "src/{}: allow(clippy::float_arithmetic) outside the list of this test",
            source.path
        );
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for source in sources() {
        let documented = source.text.starts_with("//! ") || source.text.starts_with("#![doc = include_str!(");
        assert!(documented, "src/{} does not begin with what it is for (//!)", source.path);
        let lines = source.text.lines().count();
        assert!(lines <= LINES, "src/{} has {lines} lines: more than one job?", source.path);
    }
}

#[test]
fn the_reader_of_sources_reads_them() {
    let source =
        |path: &str, text: &str| Source { path: path.into(), text: String::new(), tokens: without_tests(tokens(text)) };
    let rooms = |path: &str, text: &str| used(&source(path, text)).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(rooms("a/b.rs", "use crate::{c::{d, e}, f}; fn x() { crate::g::h() }"), "c f g");
    assert_eq!(rooms("a/b.rs", "use super::c; use super::super::d::e;"), "d");
    assert_eq!(rooms("a/mod.rs", "use super::d; use crate::a::x;"), "d");
    assert_eq!(
        rooms("a.rs", "// crate::b\n /* crate::c /* */ crate::c */ \"crate::d\" '\"' r#\"crate::\"e\"# '\\'' b'x'"),
        ""
    );
    assert_eq!(rooms("a.rs", "#[cfg(test)]\nmod tests { use crate::b; fn f() { {} } } use crate::c;"), "c");
    assert_eq!(rooms("a.rs", "#[cfg(test)] mod tests; fn f<'a>(x: &'a str) -> crate::b::C<'a> {}"), "b");
}
