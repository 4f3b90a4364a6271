//! `surprisal score` and `calibrate`: odd digits are found, normal ones are not, and nothing ends the run.

mod common;

use common::{stderr, stdout};
use std::fs;
use std::path::Path;
use surprisal::media::Limits;
use surprisal::media::set::Array;

/// The program, in a folder, with the repository's models.
fn program(folder: &Path) -> assert_cmd::Command {
    let mut command = common::surprisal();
    command.current_dir(folder).env("SURPRISAL_MODELS", concat!(env!("CARGO_MANIFEST_DIR"), "/models"));
    command
}

fn surprisal(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let done = program(folder).args(arguments).output().expect("it runs");
    (done.status.code().expect("a code"), stdout(&done), stderr(&done))
}

fn idx(folder: &Path, name: &str, pictures: &[Vec<u8>]) {
    let dims = vec![pictures.len() as u32, 28, 28];
    fs::write(folder.join(name), Array { dims, values: pictures.concat() }.to_idx()).expect("written");
}

/// 70 digits to calibrate with, 30 others, and ten that are odd: negatives, and digits upside down.
fn folder() -> tempfile::TempDir {
    let file = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/digits/digits.idx.gz")).expect("read");
    let digits = Array::of(&file, None, &Limits { max_bytes: 1 << 20 }).expect("pictures");
    let mut all: Vec<Vec<u8>> = digits.values.chunks(784).map(<[u8]>::to_vec).collect();
    let one = *digits.values.iter().max().expect("pixels");
    let folder = tempfile::tempdir().expect("a folder");
    let mut new = all.split_off(70);
    let odd: Vec<Vec<u8>> = (0..10)
        .map(|i| {
            let mut picture = new[i].clone();
            if i < 5 {
                picture.iter_mut().for_each(|p| *p = one - *p)
            } else {
                picture.rotate_left(28 * 9)
            }
            picture
        })
        .collect();
    new.extend(odd);
    idx(folder.path(), "normal.idx", &all);
    idx(folder.path(), "new, and odd.idx", &new);
    folder
}

#[test]
fn odd_pictures_are_flagged_and_normal_ones_are_not() {
    let folder = folder();
    let at = folder.path();
    let score = ["score", "new, and odd.idx", "-m", "mnist-made", "--fdr", "0.2", "--csv"];
    let (code, out, err) = surprisal(at, &[&score[..], &["a.csv", "--calibrate", "normal.idx"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("35 normal examples fitted") && err.contains("no fewer than"), "{err}");
    assert_eq!(out.lines().count(), 40);
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("ODD")).collect();
    let number =
        |row: &&str| row.split('#').nth(1).and_then(|r| r.split(' ').next()).and_then(|n| n.parse::<u32>().ok());
    let (right, wrong): (Vec<_>, Vec<_>) = rows.iter().filter_map(number).partition(|n| *n >= 30);
    assert!(right.len() >= 9 && wrong.len() <= 4, "{right:?} {wrong:?}");
    assert!(rows[0].contains("sd above normal, strangest at x"), "{}", rows[0]);
    // With 35 normal scores, ten of forty cannot be flagged at a rate of 0.1, however odd they are.
    let (_, out_of_ten, err) =
        surprisal(at, &["score", "new, and odd.idx", "-m", "mnist-made", "--calibrate", "normal.idx"]);
    assert!(!out_of_ten.contains("ODD") && err.contains("no fewer than 12 could be"), "{err}");
    // The oddest come first.
    assert!(out.lines().take(rows.len()).all(|line| line.starts_with("ODD")));

    // A calibration file does the same; so does another order of files beside it.
    let (code, _, err) = surprisal(at, &["calibrate", "normal.idx", "-m", "mnist-made", "-o", "n.cal"]);
    assert!(code == 0 && err.contains("smallest p-value is 2.78e-2"), "{err}");
    let (code, again, _) = surprisal(at, &[&score[..6], &["--calibrate", "n.cal", "--fail-on-outlier"]].concat());
    assert_eq!((code, &again), (1, &out));

    let table = fs::read_to_string(at.join("a.csv")).expect("read");
    assert!(table.starts_with("path,bpd,score,p_value,flagged,reason,mahalanobis,density,bits,entropy,"), "{table}");
    assert!(table.lines().nth(1).is_some_and(|l| l.starts_with("\"new, and odd.idx#") && l.contains(",true,")));
    // A drawing of each flagged picture, of the negatives' ground in particular.
    let (code, ..) =
        surprisal(at, &["score", "new, and odd.idx", "--calibrate", "n.cal", "--top", "2", "--heatmaps", "maps"]);
    let mut names: Vec<_> =
        fs::read_dir(at.join("maps")).expect("a folder").map(|e| e.expect("a file").path()).collect();
    names.sort();
    assert!(code == 0 && names.len() == 2, "{names:?}");
    let map = image::open(&names[0]).expect("a PNG").to_rgb8();
    assert_eq!(map.dimensions(), (224, 224));
    assert!(map.pixels().any(|p| p.0[0] > 150 && p.0[1] < 100), "something is red");
    // Thresholds need no new fit: the same p-values.
    let (_, strict, _) = surprisal(at, &["score", "new, and odd.idx", "--calibrate", "n.cal", "--p-max", "0.0278"]);
    let (_, top, _) = surprisal(at, &["score", "new, and odd.idx", "--calibrate", "n.cal", "--top", "3"]);
    assert_eq!(top.lines().filter(|l| l.starts_with("ODD")).count(), 3);
    assert!(strict.lines().filter(|l| l.starts_with("ODD")).all(|l| l.contains("p 0.0278")));
}

#[test]
fn what_cannot_be_scored_is_a_row_and_what_cannot_be_calibrated_an_error() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("broken.idx"), b"\0\0\x08\x03\0\0").expect("written");
    let (code, ..) = surprisal(at, &["calibrate", "normal.idx", "-m", "mnist-made", "-o", "n.cal"]);
    assert_eq!(code, 0);
    let score = ["score", "broken.idx", "new, and odd.idx", "--calibrate"];
    let (code, out, _) = surprisal(at, &[&score[..], &["n.cal", "--jsonl"]].concat());
    let lines: Vec<serde_json::Value> = out.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!((code, lines.len()), (2, 41));
    assert!(lines[40]["path"] == "broken.idx" && lines[40]["error"].is_string(), "{}", lines[40]);
    assert!(lines[..40].iter().all(|l| l["score"].is_f64() && l["statistics"]["excess"].is_f64()));

    // A list of paths, scored as it comes.
    let mut list = program(at);
    let list = list.args(["score", "-", "--calibrate", "n.cal", "--p-max", "0.03"]).write_stdin("new, and odd.idx\n\n");
    assert_eq!(list.output().expect("it runs").stdout.iter().filter(|b| **b == b'\n').count(), 40);

    for (arguments, fault) in [
        (&["score", "normal.idx", "--calibrate", "n.cal", "--fdr", "0.01"][..], "at least 99 are needed"),
        (&["score", "normal.idx", "--calibrate", "broken.idx", "-m", "mnist-made"], "broken.idx"),
        (&["score", "normal.idx", "--self", "-m", "mnist-made", "--fdr", "0.1"], "no p-values"),
        (&["score", "-", "--calibrate", "n.cal"], "--p-max"),
        (&["score", "normal.idx"], "--calibrate"),
        (&["calibrate", "normal.idx", "-m", "mnist-made", "-o", "n.cal"], "exists already"),
    ] {
        let (code, _, err) = surprisal(at, arguments);
        assert!(code == 2 && err.contains(fault), "{arguments:?}: {err}");
    }
    let (code, out, err) = surprisal(at, &["score", "new, and odd.idx", "--self", "-m", "mnist-made", "--top", "5"]);
    assert_eq!((code, out.lines().filter(|l| l.starts_with("ODD")).count()), (0, 5));
    assert!(err.contains("there are no p-values"), "{err}");
    let mut cut = fs::read(at.join("n.cal")).expect("read");
    cut.truncate(cut.len() / 2);
    fs::write(at.join("cut.cal"), cut).expect("written");
    let (code, _, err) = surprisal(at, &["score", "normal.idx", "--calibrate", "cut.cal"]);
    assert!(code == 2 && err.contains("damaged calibration file"), "{err}");
}
