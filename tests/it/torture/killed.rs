//! The program is killed, interrupted and told to end at random moments.

use super::{below, files, folder, is_temporary, shell_code, succeed, surprisal};
use crate::common::{Random, count};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What is done when it is killed: a name, what is done before, and the command.
const WORK: [(&str, &[&str], &[&str]); 5] = [
    ("compress", &[], &["compress", "-q", "--no-verify", "-f", "d/deep/er/noise"]),
    (
        "decompress",
        &["compress", "-q", "--no-verify", "d/deep/er/noise"],
        &["decompress", "-q", "-f", "d/deep/er/noise.srp", "-o", "back"],
    ),
    ("a folder", &[], &["compress", "-q", "-e", "1", "-f", "-r", "d"]),
    ("an archive", &[], &["compress", "-q", "-e", "1", "-f", "-r", "d", "-o", "all.srp"]),
    (
        "from an archive",
        &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"],
        &["decompress", "-q", "-f", "all.srp", "-o", "out"],
    ),
];

/// Nothing of the sources is lost, and what is there beside them is whole.
fn check(at: &Path, what: &str) {
    let all = below(at);
    for (name, bytes) in files() {
        assert!(all.get(Path::new(name)) == Some(&bytes), "{what}: {name} is not what it was");
        let stream = format!("{name}.srp");
        if all.contains_key(Path::new(&stream)) {
            assert!(succeed(at, &["decompress", "-c", &stream]).stdout == bytes, "{what}: {stream}");
        }
        let restored = all.get(&Path::new("out").join(name));
        assert!(restored.is_none_or(|restored| *restored == bytes), "{what}: out/{name} is not whole");
        let back = all.get(Path::new("back")).filter(|_| name.ends_with("noise"));
        assert!(back.is_none_or(|back| *back == bytes), "{what}: back is not whole");
    }
    if at.join("all.srp").exists() {
        succeed(at, &["test", "-q", "all.srp"]);
    }
}

/// Ends each kind of work `rounds` times by `signal`.
fn by(signal: &str, code: i32, rounds: usize, seed: u64) {
    let mut random = Random(seed);
    let mut caught = 0;
    for (what, before, args) in WORK {
        let dir = folder(&files());
        let at = dir.path();
        if !before.is_empty() {
            succeed(at, before);
        }
        let start = Instant::now();
        succeed(at, args);
        let whole = start.elapsed().as_micros() as usize;
        for round in 0..rounds.div_ceil(WORK.len()) {
            // Half of the time there is something to be overwritten.
            if round % 2 == 0 {
                for output in ["d/deep/er/noise.srp", "all.srp", "back"] {
                    if !before.contains(&"d/deep/er/noise") && !before.contains(&output) {
                        let _ = fs::remove_file(at.join(output));
                    }
                }
                let _ = fs::remove_dir_all(at.join("out"));
            }
            let mut child = surprisal(at, args).stderr(Stdio::null()).spawn().expect("the program starts");
            std::thread::sleep(Duration::from_micros(random.below(whole * 11 / 10) as u64));
            let pid = child.id().to_string();
            let _ = std::process::Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status();
            let status = child.wait().expect("it ends");
            assert!([Some(0), Some(code)].contains(&shell_code(status)), "{what}: {status:?} after {signal}");
            caught += usize::from(!status.success());
            let temporary = below(at).into_keys().filter(|path| is_temporary(path)).count();
            assert!(temporary == 0 || signal == "-KILL", "{what}: {signal} left a temporary file");
            check(at, what);
            // The next run does the work, and cleans up.
            if temporary > 0 {
                succeed(at, args);
                assert!(!below(at).into_keys().any(|path| is_temporary(&path)), "{what}: not cleaned up");
                check(at, what);
            }
        }
    }
    println!("{caught} of {rounds} runs were caught by {signal}");
    // A busy machine may let a few of them end by themselves.
    assert!(caught > 0 || rounds < 10);
}

#[test]
fn killed() {
    by("-KILL", 137, count("SURPRISAL_TORTURE", 10), 1);
}

#[test]
fn interrupted_and_told_to_end() {
    by("-INT", 130, count("SURPRISAL_TORTURE", 10) / 2, 2);
    by("-TERM", 143, count("SURPRISAL_TORTURE", 10) / 2, 3);
}
