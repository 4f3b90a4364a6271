//! Sets of examples through the real program.

use crate::common::random_program::of_family;
use crate::common::{Random, expect, stderr, stdout};
use serde_json::Value;
use std::fs;
use std::path::Path;
use surprisal::media::image::Picture;
use surprisal::media::image::png;
use surprisal::media::set::{Array, Idx};
use surprisal::spec::Domain;
use surprisal::zoo::family;

/// A folder with a random PixelCNN for binary pictures of 10 x 8, and a Char-RNN.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let pixels = Domain::Pictures { channels: 1, height: 8, width: 10, alphabet: 2 };
    let text = Domain::Text { characters: b"\n abcdefgh".to_vec(), segment: 50 };
    for (name, domain, file) in
        [("pixelcnn", &pixels, "p.srm"), ("char-rnn", &text, "c.srm"), ("made", &pixels, "m.srm")]
    {
        let program = of_family(family(name).expect("a family"), domain, 8, 5).expect("a program");
        fs::write(folder.path().join(file), program.to_bytes()).expect("written");
    }
    folder
}

fn gray(count: u32) -> Vec<u8> {
    let mut random = Random(5);
    let values = (0..count * 80).map(|_| if random.below(3) == 0 { random.below(256) as u8 } else { 0 }).collect();
    Array { dims: vec![count, 8, 10], values }.to_idx()
}

fn lines(at: &Path, args: &[&str]) -> Vec<Value> {
    let text = stdout(&expect(at, args, 0));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn from_gray_pictures_to_a_stream_and_back() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("gray.idx"), gray(40)).unwrap();
    let refused = stderr(&expect(at, &["compress", "-m", "p.srm", "gray.idx"], 2));
    assert!(refused.contains("gray.idx: its pictures are gray") && refused.contains("dataset binarize"), "{refused}");
    assert!(!at.join("gray.idx.srp").exists());

    expect(at, &["dataset", "binarize", "gray.idx", "-o", "set.idx"], 0);
    expect(at, &["dataset", "binarize", "gray.idx", "-o", "set.idx"], 2);
    expect(at, &["dataset", "binarize", "gray.idx", "-o", "other.idx", "--seed", "1"], 0);
    expect(at, &["dataset", "binarize", "gray.idx", "-o", "half.idx", "--threshold"], 0);
    let [set, other, half] = ["set.idx", "other.idx", "half.idx"].map(|name| fs::read(at.join(name)).unwrap());
    assert!(set != other && set != half);
    assert!(Idx::parse(&set).unwrap().data.iter().all(|v| matches!(v, 0 | 255)));

    for model in ["p.srm", "m.srm"] {
        expect(at, &["compress", "-f", "-m", model, "set.idx"], 0);
        let info = lines(at, &["info", "--json", "-m", model, "set.idx.srp"]);
        assert_eq!((&info[0]["content"], &info[0]["medium"]["name"]), (&"set of examples".into(), &"set".into()));
        assert_eq!(info[0]["unsupported"], Value::Null);
        expect(at, &["test", "-m", model, "set.idx.srp"], 0);
        let lost = stderr(&expect(at, &["test", "set.idx.srp"], 2));
        assert!(lost.contains("needs the model"), "{lost}");
        expect(at, &["decompress", "-m", model, "-o", "back", "-f", "set.idx.srp"], 0);
        assert!(fs::read(at.join("back")).unwrap() == set);
    }
}

#[test]
fn each_example_is_measured() {
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("d")).unwrap();
    fs::write(at.join("gray.idx"), gray(3)).unwrap();
    expect(at, &["dataset", "binarize", "gray.idx", "-o", "d/set.idx"], 0);
    let picture = Picture { width: 10, height: 8, channels: 1, samples: [0, 255].repeat(40) };
    fs::write(at.join("d/one.png"), png::encode(&picture).unwrap()).unwrap();
    let measured = lines(at, &["measure", "-m", "p.srm", "--json", "--items", "d"]);
    let name = |line: &Value, key: &str| line[key].as_str().map(str::to_owned);
    let items: Vec<String> = measured.iter().filter_map(|line| name(line, "item")).collect();
    assert_eq!(items, ["d/one.png", "d/set.idx#0", "d/set.idx#1", "d/set.idx#2"]);
    let total = measured.last().unwrap();
    assert_eq!(
        (name(total, "total"), &total["examples"], &total["dimensions"]),
        (Some("total".into()), &4.into(), &320.into())
    );
    let nats: Vec<f64> =
        measured.iter().filter(|l| l["item"].is_string()).map(|l| l["nats"].as_f64().unwrap()).collect();
    let mean = nats.iter().sum::<f64>() / 4.0;
    let variance = nats.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 3.0;
    assert!((total["nats"].as_f64().unwrap() - mean).abs() < 1e-9);
    assert!((total["nats_standard_error"].as_f64().unwrap() - (variance / 4.0).sqrt()).abs() < 1e-9);
    let table = stdout(&expect(at, &["measure", "-m", "p.srm", "--csv", "d"], 0));
    assert_eq!(table.lines().count(), 4);
    assert!(table.lines().all(|line| line.split(',').count() == 8), "{table}");
    // A folder without files, and a file that is no set.
    fs::create_dir(at.join("empty")).unwrap();
    assert!(stderr(&expect(at, &["measure", "-m", "p.srm", "empty"], 2)).contains("no files"));
    fs::write(at.join("text"), b"hello").unwrap();
    assert!(stderr(&expect(at, &["measure", "-m", "p.srm", "text"], 2)).contains("text: it holds no pictures"));
    fs::write(at.join("cut.idx"), &gray(3)[..100]).unwrap();
    assert!(stderr(&expect(at, &["measure", "-m", "p.srm", "cut.idx"], 2)).contains("is cut short: 84 of 240"));
    expect(at, &["measure", "--items", "text"], 2);
    expect(at, &["compress", "--class", "3", "text"], 2);
    let labels = stderr(&expect(at, &["measure", "-m", "p.srm", "--class", "1", "d"], 2));
    assert!(labels.contains("knows no classes"), "{labels}");
}

#[test]
fn an_ensemble_is_the_mean_of_its_members() {
    let folder = folder();
    let at = folder.path();
    fs::create_dir(at.join("many")).unwrap();
    let domain = Domain::Pictures { channels: 1, height: 8, width: 10, alphabet: 2 };
    for seed in 1..4 {
        let program = of_family(family("made").expect("a family"), &domain, 8, seed).expect("a program");
        fs::write(at.join(format!("many/{seed}.srm")), program.to_bytes()).unwrap();
    }
    fs::write(at.join("gray.idx"), gray(3)).unwrap();
    expect(at, &["dataset", "binarize", "gray.idx", "-o", "set.idx"], 0);
    let nats = |args: &[&str]| -> Vec<f64> {
        let lines = lines(at, &[&["measure", "--json", "--items", "set.idx"], args].concat());
        lines.iter().filter(|l| l["item"].is_string()).map(|l| l["nats"].as_f64().unwrap()).collect()
    };
    let each = ["many/1.srm", "many/2.srm", "many/3.srm"].map(|m| nats(&["-m", m]));
    let together = nats(&["--ensemble", "-m", "many"]);
    assert_eq!(together.len(), 3);
    for (number, found) in together.iter().enumerate() {
        let expected = -(each.iter().map(|e| (-e[number]).exp()).sum::<f64>() / 3.0).ln();
        assert!((found - expected).abs() < 1e-6, "{number}: {found}, not {expected}");
    }
    assert!(each[0] != each[1] && nats(&["--ensemble", "-m", "many/2.srm"]) == each[1]);
    let refused = stderr(&expect(at, &["measure", "--ensemble", "-m", "p.srm", "-m", "c.srm", "set.idx"], 2));
    assert!(refused.contains("for other data"), "{refused}");
    assert!(stderr(&expect(at, &["measure", "--ensemble", "set.idx"], 2)).contains("name models"));
}

#[test]
fn made_up_data_and_pictures_of_it() {
    let folder = folder();
    let at = folder.path();
    expect(at, &["dataset", "toy", "-n", "3000", "-o", "toy.idx"], 0);
    expect(at, &["dataset", "copy", "-n", "5", "--rows", "9", "--columns", "3", "-o", "copy.idx"], 0);
    assert_eq!(Idx::parse(&fs::read(at.join("toy.idx")).unwrap()).unwrap().dims, [3000, 1, 2]);
    assert_eq!(Idx::parse(&fs::read(at.join("copy.idx")).unwrap()).unwrap().dims, [5, 9, 3]);
    let domain = Domain::Pictures { channels: 1, height: 1, width: 2, alphabet: 256 };
    let program = of_family(family("pair").expect("a family"), &domain, 8, 5).expect("a program");
    fs::write(at.join("pair.srm"), program.to_bytes()).unwrap();
    let said = stdout(&expect(at, &["plane", "toy", "pair.srm", "toy.idx", "-o", "plane.png"], 0));
    let picture = image::load_from_memory(&fs::read(at.join("plane.png")).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (3 * 204 + 4, 208));
    // The entropy of the truth, what a random model takes, and what the truth says of pairs that were drawn from it.
    let bits = |line: usize| -> f64 {
        let words: Vec<&str> = said.lines().nth(line).unwrap().split_whitespace().collect();
        words[words.iter().position(|w| w.starts_with("bits")).unwrap() - 1].parse().unwrap()
    };
    assert!(bits(1) > bits(0) + 1.0 && (bits(2) - bits(0)).abs() < 0.2, "{said}");
    assert!(stderr(&expect(at, &["plane", "p.srm", "-o", "x.png"], 2)).contains("no model of pairs"));

    let fields =
        ["reach", "--family", "pixelcnn", "--family", "gated-pixelcnn", "--set", "layers=2", "--size", "20x12"];
    let said = stderr(&expect(at, &[&fields[..], &["-o", "fields.png"]].concat(), 0));
    assert!(said.contains("gated-pixelcnn: pixel 6,10: 130 coded before it"), "{said}");
    let picture = image::load_from_memory(&fs::read(at.join("fields.png")).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (2 * 160 + 8, 96));
    assert!(stderr(&expect(at, &["reach", "--family", "nobody", "-o", "x.png"], 2)).contains("there are histogram"));
    assert!(stderr(&expect(at, &["reach", "--family", "made", "-o", "x.png"], 2)).contains("made"));
}

#[test]
fn pictures_and_texts_are_drawn() {
    let folder = folder();
    let at = folder.path();
    let draw = |args: &[&str], out: &str| {
        let args = [&["sample"], args, &["-f", "-o", out]].concat();
        expect(at, &args, 0);
        fs::read(at.join(out)).unwrap()
    };
    let nine = draw(&["p.srm", "-n", "9"], "nine.png");
    assert_eq!(nine[16..24], [[0, 0, 0, 3 * 12 + 2], [0, 0, 0, 3 * 10 + 2]].concat());
    assert!(nine == draw(&["p.srm", "-n", "9", "-T", "1"], "same.png"));
    assert!(nine != draw(&["p.srm", "-n", "9", "--seed", "2"], "other.png"));
    assert!(nine != draw(&["p.srm", "-n", "9", "--temperature", "5"], "other.png"));
    let drawn = draw(&["p.srm", "-n", "5"], "drawn.idx");
    assert_eq!(Idx::parse(&drawn).unwrap().dims, [5, 8, 10]);
    let completed = draw(&["p.srm", "-n", "99", "--complete-half", "drawn.idx"], "half.png");
    assert_eq!(completed[16..24], [[0, 0, 0, 4 * 12 + 2], [0, 0, 0, 3 * 10 + 2]].concat());
    // Drawn once more, each is its own nearest.
    let near = image::load_from_memory(&draw(&["p.srm", "-n", "5", "--nearest", "drawn.idx"], "near.png")).unwrap();
    let near = near.to_luma8();
    let tile = |i: u32| image::imageops::crop_imm(&near, 2 + i % 4 * 12, 2 + i / 4 * 10, 10, 8).to_image();
    assert!((0..5).all(|i| tile(2 * i) == tile(2 * i + 1)) && tile(0) != tile(2));
    let text = draw(&["c.srm"], "text.txt");
    assert!(text.len() > 50 && text.ends_with(b"\n"));
    fs::write(at.join("begin"), "abba").unwrap();
    let primed = draw(&["c.srm", "--prime", "begin", "--length", "20", "-n", "2"], "primed.txt");
    assert!(primed.starts_with(b"abba") && String::from_utf8(primed).unwrap().contains("\n\nabba"));
    for args in [
        &["sample", "photo", "-o", "x.png"][..],
        &["sample", "p.srm", "-o", "x.png", "--prime", "begin"],
        &["sample", "c.srm", "-o", "x", "--prime", "begin", "--length", "4"],
        &["sample", "c.srm", "-o", "x", "--complete-half", "begin"],
        &["sample", "p.srm", "-o", "x.png", "--temperature", "0"],
        &["sample", "p.srm", "-o", "x.png", "--class", "1"],
        &["sample", "nobody", "-o", "x.png"],
        &["sample", "p.srm", "-o", "x.jpg"],
        &["sample", "c.srm", "-o", "x", "--nearest", "drawn.idx"],
        &["sample", "p.srm", "-o", "nine.png"],
    ] {
        expect(at, args, 2);
    }
}

#[test]
fn sheets_and_models() {
    let folder = folder();
    let at = folder.path();
    let picture = Picture { width: 20, height: 16, channels: 1, samples: (0..320).map(|i| (i % 251) as u8).collect() };
    fs::write(at.join("sheet.png"), png::encode(&picture).unwrap()).unwrap();
    expect(at, &["dataset", "tile", "sheet.png", "--tile", "10x8", "-o", "tiles.idx"], 0);
    let tiles = fs::read(at.join("tiles.idx")).unwrap();
    let tiles = Idx::parse(&tiles).unwrap();
    assert_eq!(tiles.dims, [4, 8, 10]);
    assert_eq!(tiles.data[80..83], [10, 11, 12]);
    expect(at, &["dataset", "tile", "sheet.png", "--tile", "9x8", "-o", "bad.idx"], 2);
    expect(at, &["dataset", "tile", "sheet.png", "--tile", "9", "-o", "bad.idx"], 2);
    fs::write(at.join("p.md"), "# p\n\n| | |\n|---|---|\n| nats, held out | 81.3 |\n").unwrap();
    let models = lines(at, &["models", "--json", "-m", "."]);
    let random = models.iter().find(|m| m["family"] == "pixelcnn").expect("listed");
    assert_eq!(random["card"]["nats, held out"], "81.3");
    assert_eq!(random["domain"]["Pictures"]["width"], 10);
    assert!(random["source"].as_str().expect("a source").contains("van den Oord"));
    assert!(random["file"].as_str().expect("a file").ends_with("p.srm"));
    assert!(stdout(&expect(at, &["models", "-m", "."], 0)).contains("pixelcnn, pictures of 10 x 8 with 2 values"));
}

/// A model that lies in the repository, on data that lie there, too.
fn shipped(name: &str, family: &str, data: &str, labels: Option<&str>, bits_per_dimension: f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = format!("models/{name}.srm");
    let labels = labels.map(|labels| root.join(labels).to_str().unwrap().to_owned());
    let labels: Vec<&str> = labels.iter().flat_map(|labels| ["--labels", labels]).collect();
    let total =
        lines(root, &[&["measure", "-m", &model, "--json", data], &labels[..]].concat()).pop().expect("a total");
    let measured = total["bits_per_dimension"].as_f64().unwrap();
    assert!(
        (measured - bits_per_dimension).abs() < 1e-5,
        "{measured} bits per dimension: is the model another one? Then its card needs new figures"
    );

    let listed = lines(root, &["models", "--json", "-m", &model]);
    let listed = listed.iter().find(|m| m["name"] == name).expect("listed");
    let card = fs::read_to_string(root.join(format!("models/{name}.md"))).unwrap();
    assert!(card.contains(listed["id"].as_str().unwrap()), "{listed}");
    assert_eq!(listed["family"], family);
    assert!(fs::metadata(root.join(&model)).unwrap().len() < 2_000_000);

    let folder = tempfile::tempdir().expect("a folder");
    let (model, data) = (root.join(model), root.join(data));
    let (model, data) = (model.to_str().unwrap(), data.to_str().unwrap());
    expect(folder.path(), &[&["compress", "-m", model, data, "-o", "d.srp"], &labels[..]].concat(), 0);
    expect(folder.path(), &["decompress", "-m", model, "d.srp", "-o", "back"], 0);
    assert!(fs::read(folder.path().join("back")).unwrap() == fs::read(data).unwrap());
    // The code, a header, and what makes a gzip file again.
    let bits = total["bits"].as_f64().unwrap();
    let bytes = fs::metadata(folder.path().join("d.srp")).unwrap().len() as f64;
    assert!(bytes <= bits / 8.0 * 1.001 + 150.0, "{bytes} bytes for {bits} bits");
}

#[test]
fn the_shipped_models_are_what_their_cards_say() {
    shipped("mnist-made", "made", "corpora/digits/digits.idx.gz", None, 0.159796);
    shipped("mnist-pixelcnn", "pixelcnn", "corpora/digits/digits.idx.gz", None, 0.146108);
    shipped("mnist-gated", "gated-pixelcnn", "corpora/digits/digits.idx.gz", None, 0.147905);
    shipped("mnist-wavenet", "wavenet", "corpora/digits/digits.idx.gz", None, 0.161055);
    shipped("shakespeare", "char-rnn", "corpora/text/shakespeare.txt", None, 1.896391);
    let (clothes, labels) = ("corpora/clothes/clothes.idx.gz", "corpora/clothes/labels.idx.gz");
    shipped("fashion-gated", "gated-pixelcnn", clothes, Some(labels), 2.848295);
}

#[test]
fn the_reach_of_a_pixel_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (model, digits) = (root.join("models/mnist-made.srm"), root.join("corpora/digits/digits.idx.gz"));
    let (model, digits) = (model.to_str().unwrap(), digits.to_str().unwrap());
    let folder = tempfile::tempdir().expect("a folder");
    expect(folder.path(), &["reach", model, "--data", digits, "-n", "1", "--at", "3,5", "-o", "reach.png"], 0);
    let file = fs::read(folder.path().join("reach.png")).unwrap();
    let picture = image::load_from_memory(&file).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (28 * 8, 28 * 8));
    assert_eq!(picture.get_pixel(5 * 8 + 4, 3 * 8 + 4).0, [200, 30, 40], "the pixel itself");
    assert_eq!(picture.get_pixel(5 * 8 + 12, 3 * 8 + 4).0, [255; 3], "coded later");
    let refused = stderr(&expect(folder.path(), &["reach", model, "--data", digits, "--at", "28,0", "-o", "r.png"], 2));
    assert!(refused.contains("28 rows"), "{refused}");
}
