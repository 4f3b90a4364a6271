use super::*;
use crate::quantize::float::FloatNetwork;
use crate::quantize::grid::{Example, FloatGrid, Weights, variant};
use crate::train::data::Random;
use crate::train::precision::gradient;
use crate::zoo::{FAMILIES, Family, Sizes};

fn domains() -> Vec<Domain> {
    let pictures = |channels, height, width, alphabet| Domain::Pictures { channels, height, width, alphabet };
    vec![
        pictures(1, 6, 9, 2),
        pictures(1, 8, 8, 256),
        pictures(3, 8, 12, 20),
        pictures(2, 1, 1, 7),
        Domain::Text { characters: b"abcde fgh".to_vec(), segment: 23 },
    ]
}

/// Every family on every kind of data that it takes, with small sizes; once as it is by default, once otherwise.
fn networks() -> Vec<(&'static Family, Network)> {
    let mut all = Vec::new();
    for (family, domain) in FAMILIES.iter().flat_map(|f| domains().into_iter().map(move |d| (f, d))) {
        for other in [false, true] {
            let value = |low: i64, high: i64, default: i64| match (other, default) {
                (true, 0) => 3.min(high),
                (true, 1) if low == 0 => 0,
                _ => default.min(5).max(low),
            };
            let sizes: Vec<_> = family.settings.iter().map(|s| (s.name, value(s.low, s.high, s.default))).collect();
            let sizes = Sizes::new(family.settings, &sizes).unwrap();
            if let Ok(spec) = (family.build)(&domain, &sizes) {
                all.push((family, Network { spec, domain: domain.clone(), dropout: 0.0, variants: vec![] }));
            }
        }
    }
    for family in FAMILIES {
        assert!(all.iter().any(|(f, _)| f.name == family.name), "no network of {}", family.name);
    }
    all
}

/// Some examples.
fn batch(network: &Network, count: usize) -> Batch {
    let mut random = Random::new(&[7]);
    let n = count * network.domain.symbols().unwrap() as usize;
    let alphabet = u64::from(network.spec.symbols.alphabet);
    let symbols = (0..n).map(|_| random.below(alphabet) as u16).collect();
    let classes = if network.spec.conditions.is_empty() { vec![] } else { (0..count).map(|i| i as u16 % 3).collect() };
    Batch { count, symbols, classes }
}

/// Weights that move every value away from zero.
fn weights(layout: &Layout) -> Vec<f32> {
    let mut random = Random::new(&[3]);
    layout.initial(5).into_iter().map(|w| w * 1.5 + random.between(-0.1, 0.1) as f32).collect()
}

#[test]
fn code_lengths_are_those_of_the_quantizers_network() {
    for (family, network) in networks() {
        let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
        let values = weights(executor.layout());
        let mut float = FloatNetwork { spec: network.spec.clone(), layers: HashMap::new() };
        executor.layout().scatter(&values, &mut float);
        assert_eq!(executor.layout().gather(&float), values);
        let grid = FloatGrid::new(&float, &network.domain).unwrap();
        let batch = batch(&network, 3);
        let bits = executor.bits(&Tensor::from_slice(&values), &batch, None).unwrap();
        let each: Vec<f64> = Vec::try_from(bits.view([3, -1]).sum_dim_intlist(1, false, Kind::Double)).unwrap();
        let size = batch.symbols.len() / 3;
        for (i, found) in each.into_iter().enumerate() {
            let class = batch.classes.get(i).map(|c| u32::from(*c));
            let expected = grid.bits(Example { symbols: &batch.symbols[i * size..][..size], class }).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-4, "{}: {found} bits, not {expected}", family.name);
        }
    }
}

#[test]
fn the_gradient_is_the_slope_and_rounding_changes_it_little() {
    for (family, network) in networks() {
        let batch = batch(&network, 4);
        let slope = |precision| {
            let executor = Executor::new(&network, precision, Device::Cpu).unwrap();
            let flat = Tensor::from_slice(&weights(executor.layout())).set_requires_grad(true);
            let (loss, gradient) = gradient(&executor, &flat, &batch, Draw { seed: 0, step: 0 }).unwrap();
            // Along the gradient itself the loss changes most, so that differences are well above rounding.
            let step = gradient.norm().double_value(&[]).recip() * 2e-3;
            let at = |s: f64| {
                let moved = flat.detach() + gradient.detach() * s;
                executor.bits(&moved, &batch, None).unwrap().mean(Kind::Double).double_value(&[])
            };
            let expected = (at(step) - at(-step)) / (2.0 * step);
            (loss.double_value(&[]), gradient.square().sum(Kind::Double).double_value(&[]), expected)
        };
        let (loss, found, expected) = slope(Precision::Float32);
        // A step may cross the bend of a ReLU.
        assert!((found / expected - 1.0).abs() < 0.2, "{}: {found}, not {expected}", family.name);
        let (rounded, other, _) = slope(Precision::BFloat16);
        let near = (rounded / loss - 1.0).abs() < 0.02 && (other / found - 1.0).abs() < 0.3;
        assert!(near, "{}: {rounded} {other}, not {loss} {found}", family.name);
    }
}

#[test]
fn what_is_left_out_depends_on_seed_and_step() {
    let (_, mut network) = networks().into_iter().find(|(f, _)| f.name == "gated-pixelcnn").unwrap();
    network.dropout = 0.5;
    let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
    let (flat, batch) = (Tensor::from_slice(&weights(executor.layout())), batch(&network, 2));
    let bits = |draw| Vec::<f32>::try_from(executor.bits(&flat, &batch, draw).unwrap().flatten(0, -1)).unwrap();
    let draw = |seed, step| bits(Some(Draw { seed, step }));
    assert_eq!(draw(1, 2), draw(1, 2));
    assert!(draw(1, 2) != draw(1, 3) && draw(1, 2) != draw(2, 2) && draw(1, 2) != bits(None));
    assert_eq!(bits(None), bits(None));
}

#[test]
fn texts_may_be_shorter_than_their_segments() {
    let (_, network) = networks().into_iter().find(|(f, _)| f.name == "char-rnn").unwrap();
    let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
    let flat = Tensor::from_slice(&weights(executor.layout()));
    let whole = batch(&network, 1);
    let first = Batch { symbols: whole.symbols[..7].to_vec(), ..whole.clone() };
    let bits = |b: &Batch| Vec::<f32>::try_from(executor.bits(&flat, b, None).unwrap().flatten(0, -1)).unwrap();
    let (a, b) = (bits(&whole), bits(&first));
    assert_eq!(b.len(), 7);
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn steps_take_variants_in_turn_and_weights_stay_with_their_pixels() {
    let domain = Domain::Pictures { channels: 1, height: 3, width: 4, alphabet: 2 };
    let made = crate::zoo::family("made").unwrap();
    let spec = |order, mask| {
        let sizes = [("hidden", 12), ("layers", 2), ("order", order), ("mask", mask)];
        (made.build)(&domain, &Sizes::new(made.settings, &sizes).unwrap()).unwrap()
    };
    let variants = vec![spec(2, 0), spec(2, 1), spec(5, 7)];
    let network = Network { spec: spec(2, 0), domain: domain.clone(), dropout: 0.0, variants };
    let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
    let (values, batch) = (weights(executor.layout()), batch(&network, 5));
    let bits = |executor: &Executor, values: &[f32], draw| -> Vec<f32> {
        let bits = executor.bits(&Tensor::from_slice(values), &batch, draw).unwrap();
        Vec::try_from(bits.view([5, -1]).sum_dim_intlist(1, false, Kind::Float)).unwrap()
    };
    let step = |step| bits(&executor, &values, Some(Draw { seed: 0, step }));
    assert_eq!(step(0), bits(&executor, &values, None));
    assert_eq!(step(1), step(4));
    assert!(step(0) != step(1) && step(1) != step(2));
    // The second variant is a network of its own with the same weights; the third with the weights of its pixels.
    let alone = |spec: NetworkSpec| {
        let network = Network { spec, domain: domain.clone(), dropout: 0.0, variants: vec![] };
        Executor::new(&network, Precision::Float32, Device::Cpu).unwrap()
    };
    assert_eq!(step(1), bits(&alone(spec(2, 1)), &values, None));
    let sizes = Sizes::new(made.settings, &[("hidden", 12), ("layers", 2), ("order", 2)]).unwrap();
    let mut float = FloatNetwork { spec: spec(2, 0), layers: HashMap::new() };
    executor.layout().scatter(&values, &mut float);
    let weights = Weights { family: made, sizes, domain: domain.clone(), network: float };
    let moved = variant(&weights, &[("order", 5), ("mask", 7)]).unwrap();
    assert_eq!(moved.network.spec, spec(5, 7));
    let moved = executor.layout().gather(&moved.network);
    assert!(moved != values);
    let found = bits(&alone(spec(5, 7)), &moved, None);
    assert!(step(2).iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-3), "{:?} {found:?}", step(2));
}

#[test]
fn gradients_are_where_the_description_says_that_paths_are() {
    let domain = Domain::Pictures { channels: 1, height: 12, width: 12, alphabet: 256 };
    let (row, column) = (7i64, 6i64);
    for (name, sizes, exact) in [
        ("pixelcnn", &[("width", 12), ("first", 3), ("blocks", 3)][..], true),
        ("gated-pixelcnn", &[("width", 6), ("first", 3), ("layers", 3)], true),
        ("pixelsnail", &[("width", 8), ("blocks", 1)], true),
        // A coarser grid's field depends on the place: the description says what any place could see.
        ("pixelcnn++", &[("width", 8), ("levels", 1), ("blocks", 1)], false),
    ] {
        let family = crate::zoo::family(name).unwrap();
        let spec = (family.build)(&domain, &Sizes::new(family.settings, sizes).unwrap()).unwrap();
        let network = Network { spec, domain: domain.clone(), dropout: 0.0, variants: vec![] };
        let executor = Executor::new(&network, Precision::Float32, Device::Cpu).unwrap();
        let flat = Tensor::from_slice(&weights(executor.layout()));
        let mut inputs = executor.inputs(&batch(&network, 8)).unwrap();
        inputs.symbols = inputs.symbols.set_requires_grad(true);
        let values = executor.values(&flat, &executor.masks, &inputs, false).unwrap();
        let here = values[network.spec.outputs[0].parameters].narrow(1, row, 1).narrow(2, column, 1);
        let slopes = Tensor::run_backward(&[here.sum(Kind::Float)], &[&inputs.symbols], false, false).remove(0);
        let moved = slopes.abs().sum_dim_intlist([0i64, 3].as_slice(), false, Kind::Float);
        let field = &network.spec.receptive_fields().unwrap()[0];
        for (r, c) in (0..12).flat_map(|r| (0..12).map(move |c| (r, c))) {
            let found = moved.double_value(&[r, c]) != 0.0;
            let expected = field.contains([0, 0, r - row, c - column, 0]);
            assert!(found == expected || (!exact && expected), "{name}: {r},{c}: {found}, not {expected}");
        }
    }
}
