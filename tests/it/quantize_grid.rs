//! Integers cost next to nothing over floating point, for every family of the registry; weights come back from their file.

use crate::common::Random;
use std::collections::HashMap;
use surprisal::engine::Program;
use surprisal::quantize::QuantizeError;
use surprisal::quantize::float::{FloatNetwork, Layer};
use surprisal::quantize::grid::{self, Example, FloatGrid, LayerShape, Weights};
use surprisal::spec::{Condition, Domain, Op, Samples};
use surprisal::zoo::{FAMILIES, Family, Sizes};

fn pictures(channels: u16, side: u32, alphabet: u32) -> Domain {
    Domain::Pictures { channels, height: side, width: side, alphabet }
}

/// What each family is tested with: data, and sizes other than the defaults.
fn cases(family: &Family) -> Vec<(Domain, Vec<(&'static str, i64)>)> {
    let text = Domain::Text { characters: (b'a'..=b'z').collect(), segment: 60 };
    let binary = pictures(1, 12, 2);
    match family.name {
        "histogram" => vec![(pictures(3, 6, 256), vec![]), (text, vec![])],
        "pair" => vec![(pictures(2, 1, 200), vec![])],
        "char-rnn" => vec![(text, vec![("cells", 96), ("layers", 2)]), (binary, vec![("cells", 64)])],
        "made" => vec![(binary, vec![("hidden", 256)]), (pictures(1, 10, 2), vec![("order", 3), ("direct", 0)])],
        "wavenet" => vec![
            (Domain::Sound { segment: 200, rate: 8000, samples: Samples::MuLaw }, vec![]),
            (binary, vec![("layers", 5)]),
        ],
        "gated-pixelcnn" => vec![(binary, vec![("classes", 10)]), (pictures(3, 8, 16), vec![("layers", 3)])],
        "pixelcnn++" => vec![(pictures(3, 8, 256), vec![]), (pictures(1, 12, 256), vec![("blocks", 1)])],
        "pixelsnail" => vec![(pictures(3, 8, 256), vec![]), (binary, vec![])],
        _ => vec![(binary, vec![]), (pictures(3, 8, 256), vec![("blocks", 3)])],
    }
}

/// Weights whose products have about the size of their inputs, as at the end of a training.
fn weights(family: &'static Family, domain: &Domain, sizes: &[(&str, i64)], random: &mut Random) -> Weights {
    let sizes = Sizes::new(family.settings, sizes).unwrap();
    let spec = (family.build)(domain, &sizes).unwrap();
    let mut number = |scale: f64| {
        let sum: f64 = (0..6).map(|_| random.below(2001) as f64 / 1000.0 - 1.0).sum();
        (sum / 2f64.sqrt() * scale) as f32
    };
    let mut layers = HashMap::new();
    for ((id, node), shape) in spec.nodes.iter().enumerate().zip(LayerShape::all(&spec).unwrap()) {
        if shape.weights() + shape.bias == 0 {
            continue;
        }
        let columns = (shape.taps * shape.inputs).max(1) as f64;
        let scale = if matches!(node.op, Op::Embedding { .. }) { 0.7 } else { 1.2 / columns.sqrt() };
        let weights = (0..shape.weights()).map(|_| number(scale)).collect();
        let bias = (0..shape.bias).map(|_| number(0.2)).collect();
        let mut layer = Layer { weights, bias };
        shape.mask(&node.op, &mut layer);
        layers.insert(id, layer);
    }
    Weights { family, sizes, domain: domain.clone(), network: FloatNetwork { spec, layers } }
}

/// Smooth data: neighbours differ little.
fn examples(domain: &Domain, count: usize, random: &mut Random) -> Vec<Vec<u16>> {
    let (n, alphabet) = (domain.symbols().unwrap() as usize, domain.alphabet().unwrap() as usize);
    let one = |random: &mut Random| {
        let mut at = random.below(alphabet);
        let mut next = || {
            let step = random.below(alphabet / 4 + 2);
            at = (at + step + alphabet - (alphabet / 4).div_ceil(2)) % alphabet;
            at as u16
        };
        (0..n).map(|_| next()).collect::<Vec<u16>>()
    };
    (0..count).map(|_| one(random)).collect()
}

/// Quantizes a network with random weights and compares; the file of the program holds it.
fn cost_little(family: &'static Family, domain: &Domain, sizes: &[(&str, i64)], random: &mut Random) {
    let made = weights(family, domain, sizes, random);
    let symbols = examples(domain, 24, random);
    let classes = made.network.spec.conditions.iter().find_map(|c| match c {
        Condition::Class { count } => Some(*count),
        Condition::Grid { .. } => None,
    });
    let class = |i: usize| classes.map(|count| i as u32 % count);
    let examples: Vec<Example> =
        symbols.iter().enumerate().map(|(i, symbols)| Example { symbols, class: class(i) }).collect();
    let (program, report) = grid::quantize("test", &made.network, domain, &examples).unwrap();
    let more = |bits: f64| 100.0 * (bits / report.float - 1.0);
    println!(
        "{} {domain:?}: {:.4} bits a symbol; weights {:+.4} %, integers {:+.4} %; {} bytes",
        family.name,
        report.float / report.symbols as f64,
        more(report.weights),
        more(report.integers),
        program.to_bytes().len(),
    );
    // Queries and keys of random weights make sums of some hundreds: which key wins may hang on the last bit.
    let most = if family.name == "pixelsnail" { 1.0 } else { 0.3 };
    assert!(more(report.integers).abs() < most, "{}: {report:?}", family.name);
    let bytes = program.to_bytes();
    let back = Program::from_bytes(&bytes).unwrap();
    assert_eq!((back.id(), back.to_bytes() == bytes), (program.id(), true));
    assert_eq!((back.domain(), back.spec()), (domain, &made.network.spec));
}

#[test]
fn integers_cost_little_for_every_family() {
    let random = &mut Random(5);
    for family in FAMILIES {
        for (domain, sizes) in cases(family) {
            cost_little(family, &domain, &sizes, random);
        }
    }
    let gated = surprisal::zoo::family("gated-pixelcnn").unwrap();
    cost_little(gated, &pictures(3, 8, 256), &[("layers", 3), ("components", 3)], random);
}

/// Units that are rectified may be multiplied by anything if what reads them is divided by it; the function stays.
#[test]
fn large_units_are_not_cut() {
    let random = &mut Random(6);
    let (family, domain) = (surprisal::zoo::family("made").unwrap(), pictures(1, 12, 2));
    let mut made = weights(family, &domain, &[("hidden", 256), ("layers", 1)], random);
    let layers: Vec<_> = (0..made.network.spec.nodes.len()).filter(|id| made.network.layers.contains_key(id)).collect();
    let mut scale = |layer: usize, by: f32| {
        made.network.layers.get_mut(&layers[layer]).unwrap().weights.iter_mut().for_each(|w| *w *= by);
    };
    scale(0, 1000.0);
    scale(1, 1e-3);
    for bias in &mut made.network.layers.get_mut(&layers[0]).unwrap().bias {
        *bias *= 1000.0;
    }
    let symbols = examples(&domain, 24, random);
    let examples: Vec<Example> = symbols.iter().map(|symbols| Example { symbols, class: None }).collect();
    let (_, report) = grid::quantize("test", &made.network, &domain, &examples).unwrap();
    assert!((report.integers / report.float - 1.0).abs() < 0.003, "{report:?}");
}

#[test]
fn weights_come_back_from_their_file() {
    let random = &mut Random(2);
    for family in FAMILIES {
        for (domain, sizes) in cases(family) {
            let made = weights(family, &domain, &sizes, random);
            let bytes = grid::write(&made).unwrap();
            let back = grid::read(&bytes).unwrap().unwrap();
            assert_eq!((back.family.name, &back.sizes, &back.domain), (family.name, &made.sizes, &domain));
            assert_eq!(back.network.spec, made.network.spec);
            for (id, layer) in &made.network.layers {
                let other = &back.network.layers[id];
                assert!(layer.weights == other.weights && layer.bias == other.bias, "{} node {id}", family.name);
            }
            assert_eq!(made.network.layers.len(), back.network.layers.len());
        }
    }
    let photographs = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.safetensors")).unwrap();
    assert!(grid::read(&photographs).unwrap().is_none());
    assert!(matches!(grid::read(b"no weights"), Err(QuantizeError::Safetensors(_))));
}

#[test]
fn what_cannot_be_quantized_is_refused() {
    let random = &mut Random(3);
    let (family, domain) = (surprisal::zoo::family("pixelcnn").unwrap(), pictures(1, 6, 2));
    let mut made = weights(family, &domain, &[("blocks", 1)], random);
    let symbols = examples(&domain, 1, random).remove(0);
    let example = Example { symbols: &symbols, class: None };
    let quantize = |made: &Weights, examples: &[Example]| {
        grid::quantize("test", &made.network, &domain, examples).map(|_| ()).unwrap_err().to_string()
    };
    assert!(quantize(&made, &[]).contains("no examples"));
    let wrong = quantize(&made, &[Example { symbols: &[0; 37], class: None }]);
    assert!(wrong.contains("another size"), "{wrong}");
    let wrong = quantize(&made, &[Example { symbols: &[2; 36], class: None }]);
    assert!(wrong.contains("alphabet"), "{wrong}");
    let node = *made.network.layers.keys().min().unwrap();
    let layer = made.network.layers.get_mut(&node).unwrap();
    layer.weights[0] = f32::NAN;
    let wrong = quantize(&made, &[example]);
    assert!(wrong.contains("finite"), "{wrong}");
    made.network.layers.remove(&node);
    assert!(matches!(FloatGrid::new(&made.network, &domain), Err(QuantizeError::Shape(_))));
}

#[test]
fn the_command_quantizes_what_it_is_given() {
    let random = &mut Random(4);
    let (family, domain) = (surprisal::zoo::family("gated-pixelcnn").unwrap(), pictures(1, 8, 2));
    let made = weights(family, &domain, &[("classes", 3), ("layers", 2), ("width", 8)], random);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("w.safetensors"), grid::write(&made).unwrap()).unwrap();
    let mut idx = vec![0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 8];
    idx.extend(examples(&domain, 9, random).concat().iter().map(|v| *v as u8 * 255));
    std::fs::write(path("pictures.idx"), idx).unwrap();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 9][..], &[0, 1, 2, 0, 1, 2, 0, 1, 2]].concat();
    std::fs::write(path("labels.idx"), labels).unwrap();
    let quantize = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("surprisal").unwrap();
        let args = ["quantize", "w.safetensors", "-o", "w.srm", "--calibrate", "pictures.idx", "--json"];
        command.current_dir(folder.path()).args(args).args(more);
        command.assert()
    };
    let error = quantize(&[]).code(2);
    assert!(String::from_utf8_lossy(&error.get_output().stderr).contains("class"));
    let output = quantize(&["--labels", "labels.idx"]).success();
    let report: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!((report["examples"].as_u64(), report["symbols"].as_u64()), (Some(9), Some(9 * 64)));
    let bits = |key: &str| report[key].as_f64().unwrap();
    assert!((bits("bits_integers") / bits("bits_float") - 1.0).abs() < 0.003, "{report}");
    let program = Program::from_bytes(&std::fs::read(path("w.srm")).unwrap()).unwrap();
    assert_eq!(program.domain(), &domain);
    assert_eq!(report["id"].as_str(), Some(&*program.id().to_string()));
}
