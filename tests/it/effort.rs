//! Effort levels: every one gives the file back to a decoder that is told nothing, and a higher one pays.

use crate::common::{expect, photo, pnm, stderr, stdout};
use std::fs;
use std::path::Path;
use surprisal::codec::{Effort, Models, Options, compress, decompress, inspect, measure};
use surprisal::engine::Kernel;

/// Compresses `a.ppm` at a level, and checks that a decoder that is told nothing gives it back; the stream.
fn stream_at(folder: &Path, effort: Effort) -> Vec<u8> {
    let file = fs::read(folder.join("a.ppm")).unwrap();
    expect(folder, &["compress", "-q", "-f", "-e", &effort.to_string(), "a.ppm"], 0);
    assert!(expect(folder, &["decompress", "-c", "a.ppm.srp"], 0).stdout == file, "level {effort}");
    let info = expect(folder, &["info", "--json", "a.ppm.srp"], 0).stdout;
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info["model"]["name"], effort.level().model);
    fs::read(folder.join("a.ppm.srp")).unwrap()
}

#[test]
fn every_level_comes_back_without_options() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ppm"), pnm(70, 50, 3, &photo(70, 50))).unwrap();
    let streams: Vec<_> = Effort::all().map(|effort| (effort, stream_at(folder.path(), effort))).collect();
    for (a, b) in streams.iter().zip(&streams[1..]) {
        let (one, other) = (a.0.level(), b.0.level());
        assert!(one != other || a.1 == b.1, "levels {} and {} are one point", a.0, b.0);
        assert!(one.model == other.model || a.1 != b.1, "levels {} and {} have other models", a.0, b.0);
    }
    let middle = &streams[usize::from(Effort::default().number()) - 1].1;
    assert!(&expect(folder.path(), &["compress", "-c", "a.ppm"], 0).stdout == middle, "the default is the middle");
}

/// A picture that is large enough for everything that a level does.
#[test]
fn every_point_comes_back_without_options() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ppm"), pnm(96, 75, 3, &photo(96, 75))).unwrap();
    for (effort, _) in Effort::points() {
        stream_at(folder.path(), effort);
    }
}

/// Sums over calibration pictures: whatever level is chosen, the next one up is smaller where its model is larger, and no larger
/// elsewhere, but for two thousandths: in crops as small as these, more steps of a fit find nothing more.
#[test]
fn higher_levels_are_smaller() {
    let models = Models::new(&[], Kernel::best());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/calibration");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files: Vec<_> = files[..3].iter().map(|path| fs::read(path).unwrap()).collect();
    let cost = |effort: Effort| {
        let options = Options { level: effort.level(), pixels: true, ..Options::default() };
        let one = |file: &Vec<u8>| measure(file, &models, &options, &()).unwrap().summary.cost;
        files.iter().map(one).map(|bits| bits.ceil_bytes()).sum::<u64>()
    };
    let costs: Vec<_> = Effort::points().into_iter().map(|(first, _)| (first.level().model, cost(first))).collect();
    println!("{costs:?}");
    for pair in costs.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        assert!(if a.0 == b.0 { b.1 <= a.1 + a.1 / 500 } else { b.1 < a.1 }, "{costs:?}");
    }
}

#[test]
fn gray_pictures_and_other_files_come_back_at_every_point() {
    let models = Models::new(&[], Kernel::best());
    for (effort, _) in Effort::points() {
        let options = Options { level: effort.level(), ..Options::default() };
        for file in [pnm(60, 40, 1, &photo(60, 40)[..2400]), crate::common::text(2000)] {
            let stream = compress(&file, &models, &options, &()).unwrap().bytes;
            assert!(decompress(&stream, &models, 1 << 30, &()).unwrap() == file);
        }
    }
}

#[test]
fn a_named_model_is_used_at_every_level() {
    let file = pnm(40, 30, 3, &photo(40, 30));
    for name in ["fast", "photo"] {
        let models = Models::new(&[name.to_owned()], Kernel::best());
        for (effort, _) in Effort::points() {
            let options = Options { level: effort.level(), ..Options::default() };
            let stream = compress(&file, &models, &options, &()).unwrap().bytes;
            let seen = inspect(&stream, &models).unwrap();
            assert_eq!(seen.model.unwrap().1.as_deref(), Some(name));
        }
    }
}

#[test]
fn levels_are_numbers_from_1_to_9() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"a").unwrap();
    for command in ["compress", "measure"] {
        for wrong in ["0", "10", "-1", "x", ""] {
            let refused = expect(folder.path(), &[command, "a", &format!("--effort={wrong}")], 2);
            assert!(stderr(&refused).contains("--effort <1..9>"), "{}", stderr(&refused));
        }
        let help = stdout(&expect(folder.path(), &[command, "--help"], 0));
        for (effort, _) in Effort::points() {
            assert!(help.contains(&effort.level().to_string()), "{help}");
        }
    }
    assert!(!folder.path().join("a.srp").exists());
}

#[test]
fn models_say_which_levels_use_them() {
    let folder = tempfile::tempdir().unwrap();
    let listed = stdout(&expect(folder.path(), &["models", "--json"], 0));
    let mut seen: Vec<u64> = Vec::new();
    for line in listed.lines() {
        let model: serde_json::Value = serde_json::from_str(line).unwrap();
        // Levels that are one point stand together.
        let points = model["efforts"].as_array().unwrap().iter().map(|point| point.as_array().unwrap());
        seen.extend(points.flatten().map(|n| n.as_u64().unwrap()));
    }
    seen.sort();
    assert_eq!(seen, (1..=9).collect::<Vec<_>>());
}
