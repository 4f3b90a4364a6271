//! Little memory, few open files.

use super::{below, files, folder, is_decent, succeed, surprisal};
use crate::common::{photo, pnm, stderr, text};
use assert_cmd::cargo::cargo_bin;
use std::path::Path;
use std::process::{Command, Output};

/// The program under limits of the shell's `ulimit`.
fn limited(at: &Path, limit: &str, args: &[&str]) -> Output {
    let script = format!("ulimit {limit} && exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(cargo_bin("surprisal")).args(args).current_dir(at);
    command.env_remove("SURPRISAL_MODELS").env("XDG_DATA_HOME", "/nonexistent").output().expect("sh starts")
}

#[cfg(target_os = "linux")]
#[test]
fn little_memory_is_an_error_and_no_crash() {
    let dir = folder(&[("a.ppm", pnm(300, 200, 3, &photo(300, 200))), ("big", vec![0; 150 << 20])]);
    let at = dir.path();
    let (mut done, mut refused) = (0, 0);
    for megabytes in [24, 40, 64, 96, 128, 160, 200, 256] {
        for file in ["a.ppm", "big"] {
            let args = ["compress", "-f", "-e", "1", "--no-verify", "-T", "2", file];
            let output = limited(at, &format!("-v {}", megabytes * 1024), &args);
            let said = stderr(&output);
            let what = format!("{file} in {megabytes} MB: {:?}, {said}", output.status);
            // Below some size not even the C library starts.
            if said.contains("error while loading shared libraries") || output.status.code() == Some(127) {
                continue;
            }
            assert!(is_decent(output.status) && !said.contains("panicked"), "{what}");
            assert!(!said.is_empty(), "{what}");
            done += usize::from(output.status.success());
            refused += usize::from(!output.status.success());
        }
    }
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    let output = limited(at, &format!("-v {}", 256 << 10), &["compress", "-T", "2", "-f", "big"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("memory"), "{}", stderr(&output));
}

#[test]
fn few_open_files() {
    let many: Vec<(String, Vec<u8>)> = (0..1500).map(|i| (format!("d/{}/{i}", i % 9), text(i % 50))).collect();
    let many: Vec<(&str, Vec<u8>)> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let dir = folder(&many);
    let at = dir.path();
    for limit in ["-n 1024", "-n 20"] {
        for args in [
            &["compress", "-q", "-f", "-r", "d", "-o", "all.srp"][..],
            &["test", "-q", "all.srp"],
            &["decompress", "-q", "-f", "all.srp", "-o", "out"],
        ] {
            let output = limited(at, limit, args);
            assert!(output.status.success(), "{args:?} with {limit}: {}", stderr(&output));
        }
        assert!(below(&at.join("d")) == below(&at.join("out/d")));
    }
}

#[test]
fn an_archive_holds_what_the_folder_does() {
    let dir = folder(&files());
    let at = dir.path();
    succeed(at, &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"]);
    let output = surprisal(at, &["decompress", "-q", "all.srp", "-o", "out"]).output().expect("the program starts");
    assert!(output.status.success() && below(&at.join("d")) == below(&at.join("out/d")), "{}", stderr(&output));
}
