//! `surprisal score` and `calibrate`: odd digits are found, normal ones are not, and nothing ends the run.

use crate::common::{stderr, stdout};
use std::fs;
use std::path::Path;
use surprisal::media::Limits;
use surprisal::media::audio::{Sound, wav};
use surprisal::media::set::Array;

/// The program, in a folder, with the repository's models.
fn program(folder: &Path) -> assert_cmd::Command {
    let mut command = crate::common::surprisal();
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
    assert!(
        err.contains("on 70 examples: 35 fitted, p-values from 35 others") && err.contains("no fewer than"),
        "{err}"
    );
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
    // Nor need they a new pass: a saved table is flagged again, and nothing else in it changes.
    let saved = ["score", "--from", "a.csv", "--top", "3", "--csv", "b.csv", "--fail-on-outlier"];
    let (code, again, _) = surprisal(at, &saved);
    assert_eq!((code, again.lines().filter(|l| l.starts_with("ODD")).count()), (1, 3));
    let other = fs::read_to_string(at.join("b.csv")).expect("read");
    assert_eq!(other.matches(",true,").count(), 3);
    assert_eq!(other.replace(",true,", ",false,"), table.replace(",true,", ",false,"));
    let (_, same, err) = surprisal(at, &["score", "--from", "a.csv", "--fdr", "0.2"]);
    assert_eq!(same.lines().filter(|l| l.starts_with("ODD")).count(), rows.len(), "{err}");
    // Storey's estimate flags no fewer; five fits on four fifths give smaller p-values, and promise nothing.
    let (_, storey, _) = surprisal(at, &["score", "--from", "a.csv", "--fdr", "0.2", "--storey"]);
    assert!(storey.lines().filter(|l| l.starts_with("ODD")).count() >= rows.len());
    let cross = ["score", "new, and odd.idx", "-m", "mnist-made", "--calibrate", "normal.idx", "--cross"];
    let (_, out, err) = surprisal(at, &cross);
    assert!(out.contains("p 0.0141") && err.contains("no FDR guarantee"), "{err}");
    assert_eq!(top.lines().filter(|l| l.starts_with("ODD")).count(), 3);
    assert!(strict.lines().filter(|l| l.starts_with("ODD")).all(|l| l.contains("p 0.0278")));
}

/// Half a second of noise that a filter made low, and a click in it.
fn recording(random: &mut crate::common::Random, click: bool) -> Vec<u8> {
    let mut samples = vec![0; 4000];
    let mut last = 0;
    for sample in &mut samples {
        last = last * 7 / 8 + random.below(401) as i32 - 200;
        *sample = last;
    }
    if click {
        samples[2500] = 20_000;
    }
    wav::write(&Sound { channels: 1, bits: 16, rate: 8000, samples }).expect("a WAV file")
}

#[test]
fn recordings_and_texts_are_compared_with_their_own_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let plain = |arguments: &[&str]| {
        let done = crate::common::run(at, arguments);
        (done.status.code().expect("a code"), stdout(&done), stderr(&done))
    };
    let mut random = crate::common::Random(3);
    for part in ["normal", "new"] {
        fs::create_dir(at.join(part)).expect("a folder");
        for i in 0..26 {
            let odd = part == "new" && i < 3;
            fs::write(at.join(part).join(format!("{i}.wav")), recording(&mut random, odd)).expect("written");
            let words = crate::common::text(4000);
            let text = words[random.below(2000)..][..1500].to_vec();
            let text = if odd { text.iter().map(|b| b'a' + b.wrapping_mul(37) % 26).collect() } else { text };
            fs::write(at.join(part).join(format!("{i}.txt")), text).expect("written");
        }
    }
    fs::write(at.join("new/picture.pgm"), b"P5 2 2 255\n....").expect("written");
    let score = ["score", "new", "--calibrate", "normal", "--p-max", "0.08", "--csv", "a.csv", "--heatmaps", "maps"];
    let (code, out, err) = plain(&score);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("recordings: calibrated") && err.contains("texts: calibrated"), "{err}");
    assert!(out.contains("picture.pgm: there are no normal pictures"), "{out}");
    let odd: Vec<&str> = out.lines().filter(|l| l.starts_with("ODD")).collect();
    let found = |name: &str| odd.iter().any(|l| l.contains(&format!("new/{name} ")));
    assert!((0..3).all(|i| found(&format!("{i}.wav")) && found(&format!("{i}.txt"))) && odd.len() < 14, "{odd:?}");
    let text = fs::read_to_string(at.join("maps/new_0.txt.html")).expect("a page");
    assert!(text.contains("<span style"), "{text}");
    assert!(image::open(at.join("maps/new_1.wav.png")).is_ok());
    // Windows of a tenth of a second: five rows a file, and the third or fourth has the click.
    fs::create_dir(at.join("sound")).expect("a folder");
    (0..26).for_each(|i| drop(fs::copy(at.join(format!("normal/{i}.wav")), at.join(format!("sound/{i}.wav")))));
    let window = ["score", "new/0.wav", "--calibrate", "sound", "--window", "0.1", "--top", "1"];
    let (code, out, err) = plain(&window);
    assert_eq!((code, out.lines().count()), (0, 5), "{err}");
    assert!(out.lines().next().is_some_and(|l| l.starts_with("ODD") && l.contains("0.wav#3")), "{out}");
}

/// A gray picture whose rows are walks of even steps, so that a model for photographs has something to learn of it; an odd one has noise.
fn walk(random: &mut crate::common::Random, odd: bool) -> Vec<u8> {
    let mut picture = b"P5 48 48 255\n".to_vec();
    for _ in 0..48 {
        let mut level = 96 + random.below(64) as i32;
        for _ in 0..48 {
            level += 6 * (random.below(3) as i32 - 1) + if odd { random.below(9) as i32 - 4 } else { 0 };
            picture.push(level.clamp(0, 255) as u8);
        }
    }
    picture
}

#[test]
fn a_network_is_fitted_to_normal_pictures_and_travels_in_the_calibration() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let mut random = crate::common::Random(21);
    for (part, count) in [("normal", 60), ("new", 12), ("odd", 4)] {
        fs::create_dir(at.join(part)).expect("a folder");
        for i in 0..count {
            fs::write(at.join(part).join(format!("{i}.pgm")), walk(&mut random, part == "odd")).expect("written");
        }
    }
    let calibrate = |output: &str, more: &[&str]| {
        surprisal(at, &[&["calibrate", "normal", "-m", "fast", "-f", "-o", output], more].concat())
    };
    assert_eq!(calibrate("plain.cal", &[]).0, 0);
    let (code, _, err) = calibrate("n.cal", &["--adapt"]);
    assert!(code == 0 && err.contains("pictures: 'fast' was fitted to 30 of them, its biases moved by"), "{err}");
    assert!(err.contains("on 60 examples: 30 fitted, p-values from 30 others"), "{err}");
    // The same from files of other names in another order, and with one thread.
    fs::create_dir(at.join("renamed")).expect("a folder");
    for i in 0..60 {
        fs::copy(at.join(format!("normal/{i}.pgm")), at.join(format!("renamed/{}.pgm", 99 - i))).expect("copied");
    }
    let again = ["calibrate", "renamed", "-m", "fast", "-o", "again.cal", "--adapt", "-T", "1"];
    assert_eq!(surprisal(at, &again).0, 0);
    let read = |name: &str| fs::read(at.join(name)).expect("read");
    assert!(read("n.cal") == read("again.cal") && read("n.cal") != read("plain.cal"));

    // A file's row does not depend on what is scored with it, and the calibration alone says how it is scored.
    let bits = |files: &[&str], calibration: &str| -> std::collections::BTreeMap<String, f64> {
        let score = [&["score", "--jsonl", "--top", "4", "--calibrate", calibration], files].concat();
        let (code, out, err) = surprisal(at, &score);
        assert_eq!(code, 0, "{err}");
        let row = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            (row["path"].as_str().expect("a name").to_owned(), row["bpd"].as_f64().expect("bits"))
        };
        out.lines().map(row).collect()
    };
    let (plain, fitted) = (bits(&["new"], "plain.cal"), bits(&["new"], "n.cal"));
    assert!(plain.iter().all(|(name, before)| fitted[name] < before - 0.02), "{plain:?} {fitted:?}");
    assert_eq!(bits(&["new/3.pgm"], "n.cal")["new/3.pgm"], fitted["new/3.pgm"]);
    let (_, out, _) =
        surprisal(at, &["score", "new", "odd", "--calibrate", "normal", "-m", "fast", "--adapt", "--top", "4"]);
    assert_eq!(out.lines().filter(|l| l.starts_with("ODD") && l.contains("odd/")).count(), 4, "{out}");

    fs::create_dir(at.join("mixed")).expect("a folder");
    fs::write(at.join("mixed/0.wav"), recording(&mut random, false)).expect("written");
    fs::copy(at.join("normal/0.pgm"), at.join("mixed/1.pgm")).expect("copied");
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/digits/digits.idx.gz");
    for (arguments, fault) in [
        (
            &["calibrate", "mixed", "-o", "m.cal", "--adapt"][..],
            "mixed/0.wav: recordings have no model that can be fitted",
        ),
        (&["calibrate", digits, "-o", "m.cal", "--adapt", "-m", "mnist-made"], "photographs (family window)"),
        (&["calibrate", "-", "-o", "m.cal", "--adapt"], "read once"),
        (&["calibrate", "normal", "-o", "m.cal", "--adapt", "--cross"], "cannot be used with"),
        (&["score", "new", "--calibrate", "n.cal", "--adapt"], "the file says how"),
        (&["score", "new", "--self", "--adapt"], "cannot be used with"),
    ] {
        let (code, _, err) = surprisal(at, arguments);
        assert!(code == 2 && err.contains(fault), "{arguments:?}: {err}");
    }
}

#[test]
fn a_background_model_is_one_more_statistic_that_a_calibration_asks_for() {
    let folder = folder();
    let at = folder.path();
    for (part, model) in [("main", "mnist-made"), ("background", "mnist-wavenet")] {
        fs::create_dir(at.join(part)).expect("a folder");
        let path = format!("{}/models/{model}.srm", env!("CARGO_MANIFEST_DIR"));
        fs::copy(path, at.join(part).join("some.srm")).expect("copied");
    }
    let run = |arguments: &[&str]| {
        let mut command = program(at);
        let done = command.env("SURPRISAL_MODELS", "main").args(arguments).output().expect("it runs");
        (done.status.code().expect("a code"), stdout(&done), stderr(&done))
    };
    let column = |arguments: &[&str], name: &str| -> std::collections::BTreeMap<String, f64> {
        let score = [&["score", "new, and odd.idx", "--top", "10", "--jsonl"], arguments].concat();
        let (code, out, err) = run(&score);
        assert_eq!(code, 0, "{err}");
        let value = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            (row["path"].as_str().expect("a name").to_owned(), row["statistics"][name].as_f64().expect("a number"))
        };
        out.lines().map(value).collect()
    };
    let normal = ["--calibrate", "normal.idx", "-m", "main/some.srm"];
    let with = [&normal[..], &["--background", "background/some.srm"]].concat();
    let (alone, ratio) = (column(&normal, "bits"), column(&with, "ratio"));
    let other = column(&["--calibrate", "normal.idx", "-m", "background/some.srm"], "bits");
    assert!(column(&normal, "ratio").values().all(|ratio| *ratio == 0.0));
    assert!(alone.iter().all(|(name, bits)| (bits - other[name] - ratio[name]).abs() < 1e-9), "{ratio:?}");
    assert!(ratio.values().any(|ratio| ratio.abs() > 0.01));

    // The calibration file names the background model, which must be found as the model must.
    let (code, _, err) = run(&[&["calibrate", "normal.idx", "-o", "n.cal"][..], &with[2..]].concat());
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(&["score", "normal.idx", "--calibrate", "n.cal"]);
    assert!(code == 2 && err.contains("the background model") && err.contains("8690c48432577fe8"), "{err}");
    let saved = ["--calibrate", "n.cal", "-m", "background/some.srm"];
    assert_eq!(column(&saved, "ratio"), ratio);
    assert!(column(&saved, "mahalanobis") != column(&normal, "mahalanobis"), "it is looked at");
    for (arguments, fault) in [
        (&["score", "normal.idx", "--calibrate", "n.cal", "--background", "main/some.srm"][..], "the file says how"),
        (&["calibrate", "normal.idx", "-o", "m.cal", "--background", "no.srm"], "no.srm"),
        (&["calibrate", "normal.idx", "-o", "m.cal", "--background", SHAKESPEARE], "is for texts"),
    ] {
        let (code, _, err) = run(arguments);
        assert!(code == 2 && err.contains(fault), "{arguments:?}: {err}");
    }
}

const SHAKESPEARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/shakespeare.srm");

/// Names that would be a part of the page, or end the table, if they could.
const EVIL: [&str; 3] = ["x</script><img src=x onerror=document.title=1>.pgm", "quote\"'`,.pgm", "new\nline &amp;.pgm"];

#[test]
fn a_page_of_results_shows_names_as_they_are() {
    let folder = folder();
    let at = folder.path();
    let digits = fs::read(at.join("new, and odd.idx")).expect("read");
    fs::create_dir_all(at.join("new/x<")).expect("a folder");
    for (i, name) in EVIL.iter().enumerate() {
        let picture = digits[16 + (30 + i) * 784..][..784].to_vec();
        fs::write(at.join("new").join(name), [b"P5 28 28 255\n".to_vec(), picture].concat()).expect("written");
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"new/no\xff\xfeutf.pgm");
        fs::copy(at.join("new").join(EVIL[1]), at.join(name)).expect("written");
    }
    fs::write(at.join("new/broken.png"), b"\x89PNG\r\n\x1a\n").expect("written");
    let score = ["score", "new", "--calibrate", "normal.idx", "--report", "a.html", "--csv", "a.csv", "--top", "2"];
    let (code, _, err) = surprisal(at, &score);
    assert_eq!(code, 2, "the broken file is told: {err}");
    let page = fs::read_to_string(at.join("a.html")).expect("read");
    assert!(page.matches("data:image/png;base64").count() == 2 && page.contains("iVBORw0KGgo"), "it has pictures");
    let Some(dom) = crate::common::chromium(at, "a.html", "row=0") else { return };
    assert!(dom.contains("<title>surprisal score</title>"), "no script of a name has run");
    assert!(!dom.contains("<img src=\"x\""), "no name is markup");
    assert!(dom.contains("x&lt;/script&gt;&lt;img src=x onerror=document.title=1&gt;.pgm"), "{}", dom.len());
    assert!(dom.contains("2 of ") && dom.contains("1 could not be scored") && dom.contains("new\nline &amp;amp;.pgm"));
    assert_eq!(dom.matches("data-row=").count(), if cfg!(target_os = "linux") { 5 } else { 4 });
}

#[test]
fn a_page_of_many_rows_is_small_and_shows_those_in_sight() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let mut random = crate::common::Random(5);
    for (name, count) in [("normal.idx", 200), ("new.idx", 50_000)] {
        let dims = vec![count, 2, 2];
        fs::write(at.join(name), Array { dims, values: random.bytes(count as usize * 4) }.to_idx()).expect("written");
    }
    let (code, _, err) = surprisal(at, &["score", "new.idx", "--calibrate", "normal.idx", "--report", "a.html"]);
    assert_eq!(code, 0, "{err}");
    let size = fs::metadata(at.join("a.html")).expect("there").len();
    assert!((5_000_000..30 << 20).contains(&size), "{size}");
    let Some(dom) = crate::common::chromium(at, "a.html", "sort=file&down=0&row=40000&show=1") else { return };
    let shown = dom.matches("data-row=").count();
    assert!((8..100).contains(&shown), "{shown}");
    assert!(dom.contains("50000 of 50000 rows"), "every row is in it");
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
