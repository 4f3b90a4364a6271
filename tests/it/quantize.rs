//! Each shipped model is what the documented command makes of the shipped weights, and rounding costs what we say.

use assert_cmd::Command;
use std::ffi::OsStr;
use std::path::PathBuf;

fn is_made_again(model: &str) {
    is_made_of(model, &["corpora/calibration".into()]);
}

fn is_made_of(model: &str, calibration: &[PathBuf]) {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join(format!("{model}.srm"));
    let weights = format!("models/{model}.safetensors");
    let output = Command::cargo_bin("surprisal")
        .unwrap()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["quantize", &weights, "--json", "-o"])
        .arg(&made)
        .args(calibration.iter().flat_map(|path| [OsStr::new("--calibrate"), path.as_os_str()]))
        .assert()
        .success();
    let report: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let bits = |key: &str| report[key].as_f64().unwrap();
    let more = bits("bits_likelihood") / bits("bits_float") - 1.0;
    println!("{model}: integers cost {:+.4} % over floating point", 100.0 * more);
    assert!(more < 0.0006, "{model}: integers cost {:+.4} %", 100.0 * more);
    let shipped = std::fs::read(format!("{}/models/{model}.srm", env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert!(std::fs::read(&made).unwrap() == shipped, "models/{model}.srm is not what its card says");
}

#[test]
fn the_shipped_fast_model_is_made_again() {
    is_made_again("fast");
}

#[test]
fn the_shipped_photo_model_is_made_again() {
    is_made_again("photo");
}

#[test]
fn the_shipped_large_model_is_made_again() {
    is_made_again("large");
}

#[test]
fn the_shipped_model_for_planes_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let planes = |transform: &str| {
        let to = folder.path().join(transform);
        let mut command = Command::cargo_bin("surprisal").unwrap();
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["dataset", "planes", "--transform", transform, "-o"]);
        command.arg(&to).arg("corpora/calibration").assert().success();
        to
    };
    is_made_of("photo-ycc", &[planes("photo-ycc"), planes("jpeg")]);
}

#[test]
fn what_is_no_set_of_weights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (weights, model) = (folder.path().join("w.safetensors"), folder.path().join("w.srm"));
    std::fs::write(&weights, b"no weights").unwrap();
    let run = |calibrate: &str, says: &str| {
        let mut command = Command::cargo_bin("surprisal").unwrap();
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("quantize");
        let assert = command.arg(&weights).arg("-o").arg(&model).args(["--calibrate", calibrate]).assert().code(2);
        let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(error.contains(says), "{error}");
        assert!(!model.exists());
    };
    run("corpora/calibration", "w.safetensors");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.safetensors"), &weights).unwrap();
    run("src", "calibrate");
}
