//! Pipes that are closed before their end, on either side.

use super::{below, folder, succeed, surprisal};
use crate::common::{stderr, text};
use assert_cmd::cargo::cargo_bin;
use std::process::Command;

/// A shell's line, with the program as $0.
fn shell(at: &std::path::Path, line: &str) -> std::process::Output {
    Command::new("bash").args(["-c", line]).arg(cargo_bin("surprisal")).current_dir(at).output().expect("bash starts")
}

#[test]
fn a_reader_that_has_seen_enough() {
    let dir = folder(&[("noise", super::Random(5).bytes(2 << 20)), ("a", text(3000))]);
    let at = dir.path();
    succeed(at, &["compress", "-q", "noise"]);
    for command in ["compress -c noise", "decompress -c noise.srp", "info noise.srp", "--help", "compress --help"] {
        let output = shell(at, &format!("\"$0\" {command} | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<&str> = said.split_whitespace().collect();
        assert!(words == ["10", "0"] || words == ["10", "141"], "{command}: {said}");
        assert!(stderr(&output).is_empty(), "{command}: {}", stderr(&output));
    }
    assert_eq!(below(at).len(), 3);
}

#[test]
fn a_writer_that_stops_early() {
    let dir = folder(&[("a", text(30_000))]);
    let at = dir.path();
    succeed(at, &["compress", "-q", "a"]);
    let made = Command::new("mkfifo").arg("fifo").current_dir(at).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no mkfifo");
        return;
    }
    // What came is a file: it is compressed as such.
    let output = shell(at, "head -c 1000 a >fifo & \"$0\" compress -q fifo -o short.srp");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(succeed(at, &["decompress", "-c", "short.srp"]).stdout == text(30_000)[..1000]);
    for bytes in [0, 3, 20, 60, 500] {
        let output = shell(at, &format!("head -c {bytes} a.srp >fifo & \"$0\" decompress fifo -o back"));
        let code = if bytes == 0 { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(code), "{bytes}: {}", stderr(&output));
        assert!(!at.join("back").exists());
    }
    let output = surprisal(at, &["test", "a.srp"]).output().expect("the program starts");
    assert!(output.status.success());
}
