//! Training through the real program, on a few small pictures (cargo feature `torch`).
#![cfg(feature = "torch")]

use crate::common::{expect, run, stderr, stdout};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use surprisal::codec::sets::score;
use surprisal::engine::{GridNetwork, Kernel, Program};
use surprisal::media::audio::{Sound, wav};
use surprisal::media::{Limits, set};
use surprisal::train::checkpoint::Checkpoint;

/// A small network with small batches, in the precision that every machine has.
const SMALL: [&str; 16] = [
    "--radius",
    "3",
    "--first",
    "24",
    "--width",
    "16",
    "--blocks",
    "1",
    "--head",
    "8",
    "--components",
    "3",
    "--batch",
    "512",
    "--precision",
    "float32",
];

/// A folder with pictures cut from photographs in `pictures/`, and others in `others/`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (place, names) in [("pictures", ["street", "mountain"]), ("others", ["spices", "mountain"])] {
        fs::create_dir(folder.path().join(place)).unwrap();
        for name in names {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("corpora/photos/{name}.png"));
            let picture = image::open(path).unwrap().into_rgb8();
            for k in 0..2 {
                let part = image::imageops::crop_imm(&picture, 100 + 150 * k, 80, 140, 110).to_image();
                part.save(folder.path().join(format!("{place}/{name}{k}.png"))).unwrap();
            }
        }
    }
    folder
}

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "photo", "--data", "pictures", "-T", "2"][..], &SMALL, more].concat()
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Bits per dimension that the model pays for the other pictures.
fn measured(folder: &Path, model: &str) -> f64 {
    let output = expect(folder, &["measure", "-m", model, "others/spices0.png", "others/spices1.png"], 0);
    let text = stdout(&output);
    let line = text.lines().find(|l| l.ends_with("total")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_short_training_beats_the_untrained_model_and_says_what_it_did() {
    let folder = folder();
    let folder = folder.path();
    expect(folder, &train(&["--steps", "1", "--lr", "1e-9", "-o", "untrained.srm"]), 0);
    expect(folder, &train(&["--steps", "400", "-o", "trained.srm"]), 0);
    let (before, after) = (measured(folder, "untrained.srm"), measured(folder, "trained.srm"));
    assert!(after < before - 0.5, "{after} bits per dimension after training, {before} before");

    // Everything that is promised is there and fits together.
    let table = String::from_utf8(read(folder, "trained.csv")).unwrap();
    let last = table.lines().last().unwrap();
    let bits: f64 = last.split(',').nth(4).unwrap().parse().unwrap();
    assert!(last.starts_with("400,204800,") && (bits - after).abs() < 2.0, "{last}");
    assert!(String::from_utf8(read(folder, "trained.svg")).unwrap().contains("</svg>"));
    let card = String::from_utf8(read(folder, "trained.md")).unwrap();
    assert!(card.contains("400 of 512 pixels") && card.contains("float32"), "{card}");
    assert_eq!(String::from_utf8(read(folder, "trained.files.txt")).unwrap().lines().count(), 4);
    let arguments = ["quantize", "trained.safetensors", "-o", "again.srm", "--calibrate", "pictures"];
    expect(folder, &arguments, 0);
    let checkpoint = Checkpoint::load(&folder.join("trained.ckpt")).unwrap();
    assert_eq!((checkpoint.step, checkpoint.history.len()), (400, 200));

    // A stream coded with it names it, and comes back.
    fs::copy(folder.join("others/spices0.png"), folder.join("x.png")).unwrap();
    expect(folder, &["compress", "-m", "trained.srm", "x.png"], 0);
    expect(folder, &["decompress", "x.png.srp", "-o", "lost.png"], 2);
    expect(folder, &["decompress", "-m", "trained.srm", "x.png.srp", "-o", "y.png"], 0);
    assert_eq!(read(folder, "x.png"), read(folder, "y.png"));

    // Fine-tuning begins where the weights are.
    let tune = ["--from", "trained.safetensors", "--steps", "1", "--lr", "1e-9", "--batch", "512", "-o", "tuned.srm"];
    expect(folder, &[&["train", "photo", "--data", "pictures"][..], &tune].concat(), 0);
    let tuned = measured(folder, "tuned.srm");
    assert!((tuned - after).abs() < 1e-3, "{tuned}, not {after}");
    // And nothing is overwritten unasked.
    let refused = expect(folder, &train(&["--steps", "1", "-o", "trained.srm"]), 2);
    assert!(stderr(&refused).contains("trained.srm: exists already"), "{}", stderr(&refused));
}

#[test]
fn one_seed_one_model() {
    let folder = folder();
    let folder = folder.path();
    for (name, seed) in [("a.srm", "5"), ("b.srm", "5"), ("c.srm", "6")] {
        expect(folder, &train(&["--steps", "40", "--seed", seed, "-o", name]), 0);
    }
    assert_eq!(read(folder, "a.safetensors"), read(folder, "b.safetensors"));
    assert!(read(folder, "a.safetensors") != read(folder, "c.safetensors"));
}

/// Starts a long training and waits until it has written a checkpoint.
fn started(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surprisal"));
    command.current_dir(folder).args(arguments).stderr(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while !folder.join("cut.ckpt").exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint was written");
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the training ended too soon: {status}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_killed_training_goes_on_to_the_same_bits() {
    let folder = folder();
    let data = ["train", "photo", "--data", "pictures", "-T", "2"];
    killed_and_resumed(folder.path(), &data, &SMALL);
}

/// A text of words.
fn text(words: usize) -> String {
    let word = |i: usize| ["the ", "cat ", "sat, ", "on ", "mats.\n"][i * i * 7 % 11 % 5];
    (0..words).map(word).collect()
}

#[test]
fn a_killed_training_on_examples_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), text(2000)).unwrap();
    let data = ["train", "char-rnn", "--data", "a.txt", "-T", "2"];
    let sizes = ["--cells", "9", "--embedding", "5", "--batch", "4", "--window", "20", "--dropout", "0.3"];
    killed_and_resumed(folder.path(), &data, &[&sizes[..], &["--precision", "float32"]].concat());
}

fn killed_and_resumed(folder: &Path, data: &[&str], sizes: &[&str]) {
    let long = [sizes, &["--steps", "800", "--save-every", "0.000001"]].concat();
    expect(folder, &[data, &long, &["-o", "whole.srm"]].concat(), 0);
    let arguments = [data, &long, &["-o", "cut.srm"]].concat();
    let mut child = started(folder, &arguments);
    child.kill().unwrap();
    child.wait().unwrap();
    let checkpoint = Checkpoint::load(&folder.join("cut.ckpt")).unwrap();
    assert!(checkpoint.step > 0 && checkpoint.step < 800, "killed after {} steps", checkpoint.step);
    assert!(!folder.join("cut.srm").exists());
    expect(folder, &[data, &["--resume", "cut.ckpt", "-o", "cut.srm"]].concat(), 0);
    assert!(read(folder, "cut.safetensors") == read(folder, "whole.safetensors"), "other weights");
    let [cut, whole] = ["cut", "whole"].map(|n| Checkpoint::load(&folder.join(format!("{n}.ckpt"))).unwrap());
    assert!(cut.vectors == whole.vectors, "other vectors");
    let bits = |c: &Checkpoint| c.history.iter().map(|p| (p.step, p.train, p.validation)).collect::<Vec<_>>();
    assert_eq!(bits(&cut), bits(&whole));
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_leaves_a_checkpoint() {
    let folder = folder();
    let folder = folder.path();
    let mut child = started(folder, &train(&["--steps", "200000", "--save-every", "0.000001", "-o", "cut.srm"]));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let checkpoint = Checkpoint::load(&folder.join("cut.ckpt")).unwrap();
    assert!(checkpoint.step > 0 && !folder.join("cut.srm").exists());
}

#[test]
fn what_cannot_be_trained_is_said() {
    let folder = folder();
    let folder = folder.path();
    let fails = |arguments: &[&str], says: &[&str]| {
        let output = run(folder, arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(says.iter().all(|s| text.contains(s)) && !text.contains("panicked"), "{arguments:?}: {text}");
        assert!(!folder.join("x.srm").exists() && !folder.join("x.ckpt").exists());
    };
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(folder.join("empty/notes.txt"), "no picture").unwrap();
    let with = |more: &[&'static str]| [&["train", "photo", "-o", "x.srm", "--steps", "2"][..], more].concat();
    fails(&with(&["--data", "empty"]), &["empty", "no usable pictures"]);
    fails(&with(&["--data", "missing"]), &["missing"]);
    fails(&with(&["--data", "pictures", "--device", "cuda:99"]), &["cuda:99", "--device"]);
    fails(&with(&["--data", "pictures", "--device", "tpu"]), &["tpu"]);
    fails(
        &with(&["--data", "pictures", "--batch", "1000000", "--first", "4096", "--width", "4096", "--blocks", "64"]),
        &["too little memory", "--batch"],
    );
    fails(&with(&["--data", "pictures", "--from", "pictures/street0.png"]), &["street0.png"]);
    fails(&["train", "photo", "--data", "pictures", "-o", "x"], &[".srm"]);

    // Checkpoints: damaged, of another family, of other pictures.
    expect(folder, &train(&["--steps", "2", "-o", "good.srm"]), 0);
    let resume = |data: &'static str| ["train", "photo", "-o", "x.srm", "--resume", "other.ckpt", "--data", data];
    fs::copy(folder.join("good.ckpt"), folder.join("other.ckpt")).unwrap();
    fails(&resume("others"), &["other.ckpt", "other examples", "--data"]);
    let mut bytes = read(folder, "good.ckpt");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.join("other.ckpt"), &bytes).unwrap();
    fails(&resume("pictures"), &["other.ckpt", "damaged"]);
    let mut checkpoint = Checkpoint::load(&folder.join("good.ckpt")).unwrap();
    checkpoint.plan.family = "wavenet".to_owned();
    checkpoint.save(&folder.join("other.ckpt")).unwrap();
    fails(&resume("pictures"), &["other.ckpt", "wavenet"]);
    fs::write(folder.join("other.ckpt"), "").unwrap();
    fails(&resume("pictures"), &["other.ckpt"]);
}

/// An IDX file of `count` pictures of 6 x 6 with a bright bar each.
fn bars(folder: &Path, name: &str, count: usize) {
    let mut file = vec![0, 0, 8, 3];
    [count as u32, 6, 6].iter().for_each(|n| file.extend(n.to_be_bytes()));
    let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 28) as u8;
    file.extend((0..count * 36).map(|i| if i % 6 == i / 36 % 6 { 240 } else { noise(i) }));
    fs::write(folder.join(name), file).unwrap();
}

#[test]
fn families_are_trained_on_examples() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    bars(folder, "bars.idx", 200);
    let data = ["--data", "bars.idx", "--binarize", "sample", "--batch", "20"];
    let sizes = ["--hidden", "40", "--layers", "1", "--epochs", "60", "--lr", "1e-2", "-o", "bars.srm"];
    let said = stdout(&expect(folder, &[&["train", "made"][..], &data, &sizes].concat(), 0));
    // 190 pictures, 20 a step: 570 steps. A bar takes log2 6 bits, its dim surroundings about two tenths of a bit a pixel.
    let table = String::from_utf8(read(folder, "bars.csv")).unwrap();
    let last = table.lines().last().unwrap();
    let bits: f64 = last.split(',').nth(4).unwrap().parse().unwrap();
    assert!(last.starts_with("570,11400,") && bits < 0.45, "{last}");
    assert!(said.contains("nats an example") && said.contains("in integers"), "{said}");
    let card = String::from_utf8(read(folder, "bars.md")).unwrap();
    for line in ["570 of 20 pictures", "`made`: direct 1, hidden 40", "190 pictures of 6 x 6", "an example of 36"] {
        assert!(card.contains(line), "{line}: {card}");
    }
    assert!(read(folder, "bars.srm").starts_with(b"SRPM"));
}

/// A WAV of one channel: tones that differ.
fn tone(folder: &Path, name: &str, channels: u16, amplitude: f64, pitch: f64) {
    let sample = |t: i32| ((f64::from(t) * pitch).sin() * amplitude + f64::from(t * 7919 % 13)) as i32;
    let samples = if amplitude > 0.0 { (0..700).map(sample).collect() } else { vec![0; 700] };
    let sound = Sound { channels, bits: 16, rate: 8000, samples };
    fs::write(folder.join(name), wav::write(&sound).unwrap()).unwrap();
}

#[test]
fn families_are_trained_on_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("tones")).unwrap();
    (0..24).for_each(|i| tone(folder, &format!("tones/{i}.wav"), 1, 3000.0, 0.1 + 0.01 * f64::from(i)));
    tone(folder, "tones/silent.wav", 1, 0.0, 0.0);
    tone(folder, "tones/two.wav", 2, 3000.0, 0.3);
    let sizes = ["--width", "4", "--skip", "8", "--layers", "3", "--window", "128", "--batch", "8", "--lr", "2e-2"];
    let base = [&["train", "wavenet", "--data", "tones", "--steps", "80"], &sizes[..]].concat();
    let train = |more: &[&'static str]| [&base[..], more].concat();
    let refused = stderr(&expect(folder, &train(&["-o", "x.srm"]), 2));
    assert!(refused.contains("two.wav") && refused.contains("2 channels"), "{refused}");
    fs::remove_file(folder.join("tones/two.wav")).unwrap();
    let said = stderr(&expect(folder, &train(&["-o", "linear.srm"]), 0));
    assert!(said.contains("silent.wav: left out") && said.contains("16100 samples of 23 recordings"), "{said}");
    expect(folder, &train(&["--mu-law", "-o", "mu-law.srm"]), 0);
    for (model, most) in [("linear.srm", 7.0), ("mu-law.srm", 6.5)] {
        let line = stdout(&expect(folder, &["measure", "-m", model, "--float", "--json", "tones/3.wav"], 0));
        let last: serde_json::Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
        let [paid, float] = ["", "_float"].map(|k| last[format!("bits_per_dimension{k}")].as_f64().unwrap());
        // Beginnings are dear: nothing is known yet.
        assert!(paid < most && (paid / float - 1.0).abs() < 0.01, "{model}: {paid} {float}");
    }
    expect(folder, &["compress", "-m", "linear.srm", "tones/3.wav", "-o", "3.srp"], 0);
    expect(folder, &["decompress", "-m", "linear.srm", "3.srp", "-o", "3.wav"], 0);
    assert_eq!(read(folder, "3.wav"), read(folder, "tones/3.wav"));
}

#[test]
fn counting_and_gradients_find_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    bars(folder, "bars.idx", 200);
    expect(folder, &["dataset", "binarize", "--threshold", "bars.idx", "-o", "binary.idx"], 0);
    let bits = |model: &str, file: &str| -> f64 {
        let total = stdout(&expect(folder, &["measure", "-m", model, "--csv", file], 0));
        total.lines().last().unwrap().split(',').nth(5).unwrap().parse().unwrap()
    };
    let train = ["train", "histogram", "--data", "bars.idx", "--precision", "float32"];
    // One of 256 values for all positions; and of two values, one for each position.
    let each = ["--binarize", "threshold", "--positions", "1"];
    for (more, steps, file) in [(&[][..], "250", "bars.idx"), (&each[..], "150", "binary.idx")] {
        expect(folder, &[&train[..], more, &["--count", "-f", "-o", "counted.srm"]].concat(), 0);
        let steps = ["--steps", steps, "--batch", "190", "--lr", "0.2", "-f", "-o", "trained.srm"];
        expect(folder, &[&train[..], more, &steps].concat(), 0);
        let (counted, trained) = (bits("counted.srm", file), bits("trained.srm", file));
        assert!((trained / counted - 1.0).abs() < 2e-3, "{trained} by gradients, {counted} by counting");
    }
    let card = String::from_utf8(read(folder, "counted.md")).unwrap();
    assert!(card.contains("its tables were counted") && card.contains("bits per dimension, held out"), "{card}");
    let refused = ["train", "wavenet", "--data", "bars.idx", "--count", "-o", "x.srm"];
    assert!(stderr(&expect(folder, &refused, 2)).contains("by counting"));
}

/// Mean bits of a symbol of the first row, and of the last, of the pictures of 8 x 8 in a file.
fn bits_of_rows(model: &[u8], pictures: &[u8]) -> [f64; 2] {
    let program = Program::from_bytes(model).unwrap();
    let set = set::examples(pictures, program.domain(), &Limits { max_bytes: 1 << 20 }).unwrap();
    let network = GridNetwork::new(Arc::new(program), Kernel::best()).unwrap();
    let mut sums = [0.0; 2];
    for example in set.iter() {
        let scores = score(&network, example, None);
        // In 65536ths of a bit.
        let bits = |row: usize| scores[8 * row..][..8].iter().map(|s| f64::from(s.surprise) / 65536.0).sum::<f64>();
        sums[0] += bits(0);
        sums[1] += bits(7);
    }
    sums.map(|s| s / (8 * set.len()) as f64)
}

#[test]
#[ignore = "a minute or so of one core: tests/full.sh runs it"]
fn attention_copies_from_afar_and_a_local_network_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = ["--rows", "8", "--columns", "8"];
    expect(folder, &[&["dataset", "copy", "-n", "4000", "-o", "copy.idx"], &rows[..]].concat(), 0);
    expect(folder, &[&["dataset", "copy", "-n", "100", "--seed", "9", "-o", "test.idx"], &rows[..]].concat(), 0);
    let data = ["--data", "copy.idx", "--precision", "float32", "-T", "1"];
    let attention = ["--width", "16", "--residual", "1", "--batch", "64", "--lr", "6e-3", "--steps", "1000"];
    expect(folder, &[&["train", "pixelsnail", "-o", "far.srm"], &data[..], &attention].concat(), 0);
    // It sees 3 + 3 rows above a pixel, of the 7 that lie between the two.
    let local = ["--blocks", "3", "--batch", "64", "--lr", "6e-3", "--steps", "100"];
    expect(folder, &[&["train", "pixelcnn", "-o", "near.srm"], &data[..], &local].concat(), 0);
    let [far, near] =
        ["far.srm", "near.srm"].map(|model| bits_of_rows(&read(folder, model), &read(folder, "test.idx")));
    assert!(far[0] > 0.98 && near[0] > 0.98, "the first row is drawn: {far:?}, {near:?}");
    assert!(far[1] <= 0.05, "{} bits a copied symbol with attention", far[1]);
    assert!(near[1] > 0.98, "{} bits a copied symbol without", near[1]);
}

#[test]
fn what_does_not_go_with_a_family_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fails = |arguments: &[&str], says: &[&str]| {
        let output = run(folder, &[arguments, &["-o", "x.srm", "--steps", "2"]].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(says.iter().all(|s| said.contains(s)) && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(!folder.join("x.srm").exists() && !folder.join("x.ckpt").exists());
    };
    bars(folder, "bars.idx", 40);
    fs::write(folder.join("a.txt"), text(300)).unwrap();
    fs::write(folder.join("labels"), [&[0, 0, 8, 1, 0, 0, 0, 40][..], &[7; 40]].concat()).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    fails(&["train", "made", "--data", "bars.idx"], &["binary", "--binarize"]);
    fails(&["train", "pixelcnn", "--data", "a.txt"], &["pixelcnn", "pictures"]);
    fails(&["train", "pixelcnn", "--data", "empty"], &["empty", "no file"]);
    fails(&["train", "pixelcnn", "--data", "bars.idx", "--blocks", "65"], &["--blocks", "64"]);
    fails(&["train", "pixelcnn", "--data", "bars.idx", "--cells", "5"], &["--cells"]);
    fails(&["train", "nothing", "--data", "bars.idx"], &["nothing"]);
    tone(folder, "silent.wav", 1, 0.0, 0.0);
    fails(&["train", "wavenet", "--data", "silent.wav"], &["silent.wav", "no sound"]);
    fails(&["train", "wavenet", "--data", "bars.idx", "silent.wav"], &["silent.wav", "a recording"]);
    tone(folder, "tone.wav", 1, 0.5, 0.1);
    fails(&["train", "wavenet", "--data", "tone.wav", "--mutate", "0.2"], &["tone.wav", "clicks", "--mutate"]);
    fails(&["train", "pixelcnn", "--data", "bars.idx", "--mutate", "1"], &["--mutate", "not from 0 to below 1"]);
    let gated = ["train", "gated-pixelcnn", "--data", "bars.idx"];
    fails(&[&gated[..], &["--classes", "3"]].concat(), &["--labels"]);
    fails(&[&gated[..], &["--classes", "3", "--labels", "labels"]].concat(), &["labels", "class 7", "takes 3"]);
    fails(&[&gated[..], &["--labels", "labels"]].concat(), &["--classes"]);
}
