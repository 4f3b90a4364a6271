//! `--device` through the real program.

use crate::common::{expect, photo, pnm, stderr};
use std::fs;

#[test]
fn a_device_that_nobody_knows_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ppm"), pnm(8, 8, 3, &photo(8, 8))).unwrap();
    for command in ["compress", "measure", "decompress", "test"] {
        let output = expect(folder.path(), &[command, "--device", "gpu", "a.ppm"], 2);
        assert!(stderr(&output).contains("cuda:N"), "{}", stderr(&output));
    }
    assert!(!folder.path().join("a.ppm.srp").exists());
}

#[test]
#[cfg(not(feature = "torch"))]
fn a_build_without_devices_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ppm"), pnm(8, 8, 3, &photo(8, 8))).unwrap();
    for command in ["compress", "measure", "decompress", "test"] {
        let output = expect(folder.path(), &[command, "--device", "cuda", "a.ppm"], 2);
        assert!(stderr(&output).contains("--features torch"), "{}", stderr(&output));
    }
    assert!(!folder.path().join("a.ppm.srp").exists());
    expect(folder.path(), &["compress", "--device", "cpu", "a.ppm"], 0);
}

#[test]
#[cfg(feature = "torch")]
fn a_device_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ppm"), pnm(8, 8, 3, &photo(8, 8))).unwrap();
    let output = expect(folder.path(), &["compress", "--device", "cuda:99", "a.ppm"], 2);
    assert!(stderr(&output).contains("cuda:99") && stderr(&output).contains("--device cpu"), "{}", stderr(&output));
    assert!(!folder.path().join("a.ppm.srp").exists());
}

#[test]
#[cfg(feature = "torch")]
fn files_are_restored_together_and_an_error_stays_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let names: Vec<String> = (0..4).map(|i| format!("{i}.ppm")).collect();
    for (i, name) in names.iter().enumerate() {
        let height = 20 + 12 * i as u32;
        fs::write(path.join(name), pnm(40, height, 3, &photo(40, height))).unwrap();
    }
    let with = |command: &'static str, device, rest: &[String]| {
        let all = [command, "--device", device].into_iter().map(str::to_owned).chain(rest.iter().cloned());
        all.collect::<Vec<String>>()
    };
    let run = |args: Vec<String>, code| expect(path, &args.iter().map(String::as_str).collect::<Vec<_>>(), code);
    run(with("compress", "torch-cpu", &names), 0);
    let streams: Vec<String> = names.iter().map(|name| format!("{name}.srp")).collect();
    for (name, stream) in names.iter().zip(&streams) {
        let made = fs::read(path.join(stream)).unwrap();
        run(vec!["compress".into(), "-c".into(), name.clone()], 0).stdout.iter().eq(&made).then_some(()).expect(name);
    }
    let originals: Vec<_> = names.iter().map(|name| fs::read(path.join(name)).unwrap()).collect();
    for i in [0, 2, 3] {
        fs::remove_file(path.join(&names[i])).unwrap();
    }
    let mut damaged = fs::read(path.join(&streams[2])).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(path.join(&streams[2]), damaged).unwrap();
    // The second exists, the third is damaged, the others come back; all at once.
    let output = run(with("decompress", "torch-cpu", &[streams.clone(), vec!["none.srp".into()]].concat()), 2);
    let errors = stderr(&output);
    assert!(errors.contains("1.ppm") && errors.contains("2.ppm.srp") && errors.contains("none.srp"), "{errors}");
    for i in [0, 3] {
        assert_eq!(fs::read(path.join(&names[i])).unwrap(), originals[i], "{}", names[i]);
    }
    let output = run(with("test", "torch-cpu", &streams), 1);
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches(": ok").count(), 3);
}
