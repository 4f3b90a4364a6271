//! Calls of the system fail one by one, disks fill up, files change while they are read, permissions are taken away.

use super::{below, files, folder, is_decent, is_temporary, succeed, surprisal};
use crate::common::{Random, count, stderr, text};
use assert_cmd::cargo::cargo_bin;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

/// Whether a command is there and does what it is asked to.
fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The shim, compiled; none where that cannot be done.
fn shim(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/torture/shim.c");
    let object = folder.join("shim.so");
    let done = works(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&object).arg(source).arg("-ldl"));
    let usable = cfg!(target_os = "linux") && done;
    if !usable {
        println!("skipped: no C compiler, or not Linux");
    }
    usable.then_some(object)
}

/// A run under the shim; `None` when the program has fewer such calls.
fn under(shim: &Path, at: &Path, (call, nth): (&str, usize), file: &str, args: &[&str]) -> Option<Output> {
    let mark = shim.with_file_name("mark");
    let _ = fs::remove_file(&mark);
    let mut command = surprisal(at, args);
    command.env("LD_PRELOAD", shim).env("SHIM_CALL", call).env("SHIM_NTH", nth.to_string());
    let output = command.env("SHIM_MARK", &mark).env("SHIM_FILE", file).output().expect("the program starts");
    mark.exists().then_some(output)
}

#[test]
fn any_call_may_fail() {
    let tools = tempfile::tempdir().unwrap();
    let Some(shim) = shim(tools.path()) else { return };
    let small: Vec<_> = files()
        .into_iter()
        .map(|(name, mut bytes)| {
            (name, {
                bytes.truncate(5000);
                bytes
            })
        })
        .collect();
    // Few but reads are so many, and those are of a kind.
    let (mut injected, most) = (0, 2 * count("SURPRISAL_TORTURE", 10));
    for (before, args, outputs) in [
        (&[][..], &["compress", "-q", "d/a.txt"][..], &["d/a.txt.srp"][..]),
        (&[], &["compress", "-q", "--rm", "d/a.txt"], &["d/a.txt.srp"]),
        (&["compress", "-q", "d/a.txt"], &["decompress", "-q", "-f", "d/a.txt.srp"], &["d/a.txt"]),
        (&[], &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"], &["all.srp"]),
        (
            &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"],
            &["decompress", "-q", "all.srp", "-o", "out"],
            &[],
        ),
    ] {
        let prepared = folder(&small);
        if !before.is_empty() {
            succeed(prepared.path(), before);
        }
        let original = below(prepared.path());
        for call in ["read", "write", "fsync", "rename", "link", "open"] {
            for nth in 1.. {
                let dir = tempfile::tempdir().unwrap();
                let at = dir.path();
                for (path, bytes) in &original {
                    fs::create_dir_all(at.join(path).parent().unwrap()).unwrap();
                    fs::write(at.join(path), bytes).unwrap();
                }
                let Some(output) = under(&shim, at, (call, nth), "", args) else { break };
                injected += 1;
                let what = format!("{args:?}, {call} number {nth}: {:?}, {}", output.status, stderr(&output));
                assert!(is_decent(output.status) && !stderr(&output).contains("panicked"), "{what}");
                let after = below(at);
                assert!(!after.keys().any(|path| is_temporary(path)), "{what}: a temporary file stays");
                for (path, bytes) in &original {
                    let is_removed = args.contains(&"--rm") && at.join("d/a.txt.srp").exists();
                    let now = after.get(path);
                    assert!(now == Some(bytes) || now.is_none() && is_removed, "{what}: {} is lost", path.display());
                }
                for output in outputs.iter().filter(|name| name.ends_with(".srp") && at.join(name).exists()) {
                    succeed(at, &["test", "-q", output]);
                }
                for (path, bytes) in after.iter().filter(|(path, _)| path.starts_with("out")) {
                    let source = original.get(path.strip_prefix("out").unwrap());
                    assert!(source == Some(bytes), "{what}: {} is not whole", path.display());
                }
                if output.status.success() {
                    let there = outputs.iter().all(|name| at.join(name).exists());
                    assert!(there && stderr(&output).is_empty(), "{what}: not done, and exit 0");
                }
                if nth > most {
                    break;
                }
            }
        }
    }
    println!("{injected} calls failed");
    assert!(injected > 50);
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let tools = tempfile::tempdir().unwrap();
    let Some(shim) = shim(tools.path()) else { return };
    let before = text(60_000);
    for (call, after) in [("grow", [&before[..], b"and more"].concat()), ("shrink", before[..10].to_vec())] {
        let mut refused = 0;
        for nth in 1.. {
            let dir = folder(&[("a", before.clone())]);
            let at = dir.path();
            let file = at.join("a").display().to_string();
            let Some(output) = under(&shim, at, (call, nth), &file, &["compress", "-q", "--rm", "a"]) else { break };
            match output.status.code() {
                Some(0) => {
                    // Before it was opened, or after it was closed and found unchanged.
                    let back = succeed(at, &["decompress", "-c", "a.srp"]).stdout;
                    assert!(back == after || back == before, "{call} at read {nth}");
                    assert!(!at.join("a").exists() && back == after || at.join("a").exists());
                }
                Some(2) => {
                    assert!(stderr(&output).contains("changed"), "{}", stderr(&output));
                    assert!(fs::read(at.join("a")).unwrap() == after, "a changed file is kept");
                    refused += 1;
                }
                _ => panic!("{call} at read {nth}: {:?}", output.status),
            }
        }
        assert!(refused > 0, "no run noticed that its file did {call}");
    }
}

#[test]
fn a_clock_that_is_set_back() {
    let tools = tempfile::tempdir().unwrap();
    let Some(shim) = shim(tools.path()) else { return };
    let dir = folder(&files());
    let at = dir.path();
    // Of times to come, and before 1970.
    for (name, days) in [("d/a.txt", 90_000i64), ("d/e.pgm", -4000)] {
        let whole = Duration::from_secs(days.unsigned_abs() * 86_400);
        let time = if days < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        let file = fs::File::options().append(true).open(at.join(name)).unwrap();
        file.set_modified(time.expect("a time")).unwrap();
    }
    // What a process of another machine may be writing: only its age could tell.
    let other = at.join(".surprisal-00000000-1-0.tmp");
    fs::write(&other, b"half").unwrap();
    let time = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    let mut looks = 0;
    for nth in 1..20 {
        let pack = ["compress", "-q", "-f", "-e", "1", "-r", "d", "-o", "all.srp"];
        let Some(output) = under(&shim, at, ("clock", nth), "", &pack) else { break };
        assert!(output.status.success() && stderr(&output).is_empty(), "look {nth}: {}", stderr(&output));
        let unpack = ["decompress", "-q", "-f", "all.srp", "-o", "back"];
        let output = under(&shim, at, ("clock", 1), "", &unpack);
        assert!(output.is_none_or(|output| output.status.success() && stderr(&output).is_empty()));
        for (name, bytes) in files() {
            let back = at.join("back").join(name);
            assert!(fs::read(&back).unwrap() == bytes && time(back) == time(at.join(name)), "look {nth}: {name}");
        }
        assert!(other.exists(), "look {nth}: the file of another machine is gone");
        looks += 1;
    }
    println!("the clock was set back {looks} times");
    assert!(looks > 0, "nothing looked at the clock");
}

#[test]
fn a_full_disk() {
    let dir = folder(&files());
    let at = dir.path();
    succeed(at, &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"]);
    fs::create_dir(at.join("small")).unwrap();
    let expected = below(&at.join("d"));
    let (mut full, mut tried) = (0, 0);
    for kilobytes in [4, 16, 64, 256, 1024, 2048, 3060, 3072, 3080, 3100, 8192] {
        for args in [
            &["compress", "-q", "-e", "1", "d/deep/er/noise", "-o", "small/x.srp"][..],
            &["compress", "-q", "-e", "1", "-r", "d", "-o", "small/all.srp"],
            &["decompress", "-q", "all.srp", "-o", "small"],
        ] {
            let size = format!("size={kilobytes}k");
            let mut mount = Command::new("mount");
            if !works(mount.args(["-t", "tmpfs", "-o", &size, "tmpfs", "small"]).current_dir(at)) {
                println!("skipped: no right to mount a tmpfs");
                return;
            }
            let output = surprisal(at, args).output().expect("the program starts");
            let (left, unmounted) = (below(&at.join("small")), || works(Command::new("umount").arg(at.join("small"))));
            let whole = left
                .keys()
                .filter(|path| path.extension().is_some_and(|e| e == "srp"))
                .all(|path| works(&mut surprisal(&at.join("small"), &["test", "-q", &path.display().to_string()])));
            assert!(unmounted());
            let what = format!("{args:?} in {kilobytes} kB: {:?}, {}", output.status, stderr(&output));
            assert!(!left.keys().any(|path| is_temporary(path)) && whole, "{what}: {:?}", left.keys());
            for (path, bytes) in left.iter().filter(|(path, _)| path.starts_with("d")) {
                let source = expected.get(path.strip_prefix("d").unwrap());
                assert!(source == Some(bytes), "{what}: {} is not whole", path.display());
            }
            tried += 1;
            if output.status.code() != Some(0) {
                assert!(output.status.code() == Some(2) && stderr(&output).contains("No space left"), "{what}");
                full += 1;
            }
        }
    }
    assert!(full > 5 && full < tried, "{full} of {tried}");
}

#[test]
fn devices_that_are_full() {
    let dir = folder(&[("noise", Random(2).bytes(100_000))]);
    if !Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let output = surprisal(dir.path(), &["compress", "noise", "-o", "/dev/full"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/dev/full: cannot write: No space left"), "{}", stderr(&output));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = surprisal(dir.path(), &["compress", "-c", "noise"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn permissions_taken_away() {
    let dir = folder(&files());
    let at = dir.path();
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(at, all).unwrap();
    succeed(at, &["compress", "-q", "-e", "1", "-r", "d", "-o", "all.srp"]);
    fs::create_dir(at.join("locked")).unwrap();
    fs::write(at.join("locked/a"), b"a").unwrap();
    fs::write(at.join("secret"), b"a").unwrap();
    fs::set_permissions(at.join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(at.join("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may do everything; so another user does it, who must be able to start the program.
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(cargo_bin("surprisal"));
        command.args(args).current_dir(at);
        command
    };
    let is_root = fs::read(at.join("secret")).is_ok();
    if is_root && !works(&mut as_nobody(&["--version"])) {
        println!("skipped: this user may read and write everything, and no other one can start the program");
        return;
    }
    let run = |args: &[&str]| {
        let mut command = if is_root { as_nobody(args) } else { surprisal(at, args) };
        let output = command.output().expect("the program starts");
        (output.status.code(), stderr(&output))
    };
    for (args, words) in [
        (&["compress", "secret"][..], "secret: cannot read: Permission denied"),
        (&["compress", "locked/a"], "locked/a.srp: cannot write: Permission denied"),
        (&["compress", "-r", "d", "-o", "locked/all.srp"], "locked/all.srp: cannot write: Permission denied"),
        (&["decompress", "all.srp", "-o", "locked"], "Permission denied"),
    ] {
        let (code, said) = run(args);
        assert!(code == Some(2) && said.contains(words), "{args:?}: {code:?}, {said}");
    }
    assert_eq!(below(&at.join("locked")).len(), 1);
    fs::set_permissions(at.join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
}
