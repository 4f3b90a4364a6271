//! The layouts of the families, without weights; sizes are arguments, so that small ones can be executed by the tests.
//! Those of the registry come from there; the others are described here.

use surprisal::spec::*;
use surprisal::zoo::net::{Net, kernel, square};
use surprisal::zoo::{Sizes, family};

const PICTURE: [Axis; 2] = [Axis::Row, Axis::Column];
const HERE: Kernel = Kernel::new([1, 1, 1], [0, 0, 0]);

/// A family of the registry.
fn registered(name: &str, domain: &Domain, sizes: &[(&str, u32)]) -> NetworkSpec {
    let family = family(name).unwrap();
    let sizes: Vec<(&str, i64)> = sizes.iter().map(|(n, v)| (*n, (*v).into())).collect();
    (family.build)(domain, &Sizes::new(family.settings, &sizes).unwrap()).unwrap()
}

fn pictures(channels: u16, alphabet: u32, side: u32) -> Domain {
    Domain::Pictures { channels, height: side, width: side, alphabet }
}

fn text(alphabet: u32) -> Domain {
    Domain::Text { characters: (0..alphabet as u8 - 1).collect(), segment: 64 }
}

pub fn histogram() -> NetworkSpec {
    registered("histogram", &pictures(3, 256, 8), &[])
}

pub fn char_rnn(cells: u32) -> NetworkSpec {
    registered("char-rnn", &text(65), &[("cells", cells), ("embedding", cells), ("layers", 2)])
}

/// The same on binary digits of a side; with coordinates it knows where it is.
pub fn char_rnn_digits(cells: u32, side: u32, coordinates: bool) -> NetworkSpec {
    let sizes = [("cells", cells), ("embedding", 2), ("coordinates", coordinates.into())];
    registered("char-rnn", &pictures(1, 2, side), &sizes)
}

/// MADE over pictures of a side, in a shuffled order with random masks.
pub fn made(side: u32, hidden: u32, layers: u32) -> NetworkSpec {
    registered("made", &pictures(1, 2, side), &[("hidden", hidden), ("layers", layers), ("order", 5), ("mask", 3)])
}

/// WaveNet over sound, or over binary digits of a side with coordinates.
pub fn wavenet(side: Option<u32>, width: u32, layers: u32) -> NetworkSpec {
    let domain =
        side.map_or(Domain::Sound { segment: 64, rate: 8000, samples: Samples::MuLaw }, |side| pictures(1, 2, side));
    registered("wavenet", &domain, &[("width", width), ("skip", width), ("layers", layers)])
}

pub fn pixelcnn(channels: u16, alphabet: u32, width: u32, first: u32, blocks: u32) -> NetworkSpec {
    let sizes = [("width", width), ("first", first), ("blocks", blocks), ("head", width)];
    registered("pixelcnn", &pictures(channels, alphabet, 32), &sizes)
}

pub fn gated_pixelcnn(channels: u16, alphabet: u32, width: u32, first: u32, layers: u32) -> NetworkSpec {
    let sizes = [("width", width), ("first", first), ("layers", layers), ("head", width), ("classes", 10)];
    registered("gated-pixelcnn", &pictures(channels, alphabet, 32), &sizes)
}

pub fn pixelcnn_pp(width: u32, levels: u32, components: u32) -> NetworkSpec {
    let sizes = [("width", width), ("levels", levels), ("blocks", 1), ("components", components)];
    registered("pixelcnn++", &pictures(3, 256, 32), &sizes)
}

pub fn pixelsnail(width: u32, blocks: u32, side: u32) -> NetworkSpec {
    registered("pixelsnail", &pictures(3, 256, side), &[("width", width), ("blocks", blocks), ("keys", 2)])
}

fn discrete(alphabet: u32) -> Likelihood {
    if alphabet == 2 { Likelihood::Bernoulli } else { Likelihood::Categorical }
}

/// The masked convolutions of a PixelCNN, up to the logits.
fn pixelcnn_with(net: &mut Net, width: u32, first: u16, blocks: usize) -> NodeId {
    let (g, alphabet) = (net.0.symbols.channels, net.0.symbols.alphabet);
    let x = net.current(g);
    let mut h = net.masked(width, square(first), g, false, x);
    for _ in 0..blocks {
        let r = net.relu(h);
        let r = net.masked(width / 2, HERE, g, true, r);
        let r = net.relu(r);
        let r = net.masked(width / 2, square(3), g, true, r);
        let r = net.relu(r);
        let r = net.masked(width, HERE, g, true, r);
        h = net.plus(h, r);
    }
    let h = net.relu(h);
    let each = if alphabet == 2 { 1 } else { alphabet };
    net.masked(u32::from(g) * each, HERE, g, true, h)
}

/// One gated residual block on a stream; `k` is its kernel, `other` what else it takes in.
fn gated_resnet(net: &mut Net, width: u32, k: Kernel, x: NodeId, other: Option<NodeId>) -> NodeId {
    let r = net.concat_elu(x);
    let mut r = net.conv(width, k, r);
    if let Some(a) = other {
        let a = net.concat_elu(a);
        let a = net.linear(width, a);
        r = net.plus(r, a);
    }
    let r = net.concat_elu(r);
    let (a, b) = (net.conv(width, k, r), net.conv(width, k, r));
    let b = net.activation(Function::Sigmoid, b);
    let gated = net.add(Op::Gate, &[a, b]);
    net.plus(x, gated)
}

/// One doubling of the size: three groups of pixels after the given one.
pub fn multiscale(width: u32, layers: usize) -> NetworkSpec {
    let mut net = Net::new("multiscale-pixelcnn", &PICTURE, 3, 256).order(Order::Grouped { factors: [1, 2, 2] });
    let source = Source::Subsampled;
    let given = net.condition(Condition::Grid { channels: 3, alphabet: 256, factors: [1; 3], source });
    let coded = net.add(Op::Slices { count: 2 }, &[]);
    let group = net.coordinate(0, 3);
    let (x, group) = (net.concat(&[given, coded]), net.embed(width, group));
    let x = net.embed(4, x);
    let x = net.conv(width, square(3), x);
    let mut h = net.plus(x, group);
    for _ in 0..layers {
        h = gated_resnet(&mut net, width, square(3), h, None);
    }
    channels_in_turn(net, h, width)
}

/// An output a channel, each seeing the channels of its pixel before it.
fn channels_in_turn(mut net: Net, h: NodeId, width: u32) -> NetworkSpec {
    let alphabet = net.0.symbols.alphabet;
    let outputs: Vec<NodeId> = (0..net.0.symbols.channels)
        .map(|c| {
            let mut h = h;
            if c > 0 {
                let x = net.current(c);
                let x = net.embed(4, x);
                h = net.concat(&[h, x]);
            }
            let h = net.linear(width, h);
            let h = net.relu(h);
            net.linear(alphabet, h)
        })
        .collect();
    net.finish_each(&outputs, Likelihood::Categorical)
}

/// A picture given its luminance in a few steps.
pub fn grayscale(width: u32, blocks: usize) -> NetworkSpec {
    let mut net = Net::new("grayscale-pixelcnn", &PICTURE, 3, 256);
    let source = Source::Gray;
    let gray = net.condition(Condition::Grid { channels: 1, alphabet: 16, factors: [1; 3], source });
    let gray = net.add(Op::OneHot, &[gray]);
    let given = net.conv(width, square(7), gray);
    let given = net.relu(given);
    let given = net.conv(3 * 256, square(3), given);
    let p = pixelcnn_with(&mut net, width, 7, blocks);
    let p = net.plus(p, given);
    net.finish(p, Likelihood::Categorical)
}

/// Slices of a picture, given the high bits of all pixels.
pub fn subscale(factor: u16, width: u32, layers: usize) -> NetworkSpec {
    let slices = factor * factor;
    let mut net = Net::new("subscale", &PICTURE, 3, 32).order(Order::Subscale { factors: [1, factor, factor] });
    let high = Condition::Grid { channels: 3 * slices, alphabet: 8, factors: [1; 3], source: Source::HighBits };
    let high = net.condition(high);
    let coded = net.add(Op::Slices { count: slices - 1 }, &[]);
    let (high, coded, slice) = (net.embed(2, high), net.embed(2, coded), net.coordinate(0, u32::from(slices)));
    let context = net.concat(&[high, coded]);
    let context = net.conv(width, square(3), context);
    let slice = net.embed(width, slice);
    let context = net.plus(context, slice);
    let context = net.attend(4, width, Pattern::All, Side::Any, context);
    let x = net.current(3);
    let mut h = net.masked(width, square(3), 1, false, x);
    h = net.plus(h, context);
    for _ in 0..layers {
        let seen = net.attend(4, width, Pattern::All, Side::EarlierOrSame, h);
        h = net.plus(h, seen);
        let r = net.relu(h);
        let r = net.linear(width, r);
        h = net.plus(h, r);
    }
    channels_in_turn(net, h, width)
}

/// A transformer over sub-pixels; `patterns` take turns.
fn transformer(mut net: Net, width: u32, patterns: &[Pattern], positions: &[NodeId]) -> NetworkSpec {
    let alphabet = net.0.symbols.alphabet;
    let x = net.add(Op::Previous, &[]);
    let mut h = net.embed(width, x);
    for &p in positions {
        let p = net.embed(width, p);
        h = net.plus(h, p);
    }
    for &pattern in patterns {
        let n = net.add(Op::LayerNorm, &[h]);
        let seen = net.attend(2, width, pattern, Side::EarlierOrSame, n);
        let seen = net.linear(width, seen);
        h = net.plus(h, seen);
        let r = net.add(Op::LayerNorm, &[h]);
        let r = net.linear(4 * width, r);
        let r = net.activation(Function::Gelu, r);
        let r = net.linear(width, r);
        h = net.plus(h, r);
    }
    let p = net.linear(alphabet, h);
    net.finish(p, discrete(alphabet))
}

/// Strided attention over the sub-pixels of a picture, with the row as stride.
pub fn sparse_transformer(alphabet: u32, width: u32) -> NetworkSpec {
    let axes = [Axis::Row, Axis::Column, Axis::Feature];
    let mut net = Net::new("sparse-transformer", &axes, 1, alphabet);
    let positions = [net.coordinate(0, 32), net.coordinate(1, 32), net.coordinate(2, 3)];
    transformer(net, width, &[Pattern::Trailing { axes: 2 }, Pattern::Line { axis: 0 }], &positions)
}

/// Fixed attention over a text.
pub fn sparse_transformer_text(alphabet: u32, width: u32, block: u16, last: u32) -> NetworkSpec {
    let mut net = Net::new("sparse-transformer-text", &[Axis::Time], 1, alphabet);
    let n = u32::from(block);
    let row = net.add(Op::Coordinate { axis: 0, divisor: n, modulus: n }, &[]);
    let column = net.coordinate(0, n);
    let patterns = [Pattern::Block { size: [1, 1, block] }, Pattern::Summary { block: n, last }];
    transformer(net, width, &patterns, &[row, column])
}

/// Slices in time and space, block-local attention in three dimensions.
pub fn video(factors: [u16; 3], block: [u16; 3], width: u32) -> NetworkSpec {
    let slices: u16 = factors.iter().product();
    let axes = [Axis::Frame, Axis::Row, Axis::Column];
    let mut net = Net::new("video", &axes, 3, 256).order(Order::Subscale { factors });
    let coded = net.add(Op::Slices { count: slices - 1 }, &[]);
    let coded = net.embed(2, coded);
    let cube = Kernel::new([3; 3], [1; 3]);
    let context = net.conv(width, cube, coded);
    let context = net.attend(2, width, Pattern::Block { size: block }, Side::Any, context);
    let x = net.current(3);
    let x = net.embed(4, x);
    let x = net.masked(width, cube, 1, false, x);
    let h = net.plus(x, context);
    let seen = net.attend(2, width, Pattern::Block { size: block }, Side::EarlierOrSame, h);
    let h = net.plus(h, seen);
    channels_in_turn(net, h, width)
}

/// A picture four times as large as a given one.
pub fn super_resolution(width: u32, blocks: usize) -> NetworkSpec {
    let mut net = Net::new("super-resolution", &PICTURE, 3, 256);
    let source = Source::Averaged;
    let low = net.condition(Condition::Grid { channels: 3, alphabet: 256, factors: [1, 4, 4], source });
    let mut given = net.conv(width, square(3), low);
    for _ in 0..2 {
        let r = net.relu(given);
        let r = net.conv(width, square(3), r);
        given = net.plus(given, r);
        given = net.up(width, Kernel { stride: [1, 2, 2], ..kernel(4, 4, 1, 1) }, given);
    }
    let given = net.linear(3 * 256, given);
    let p = pixelcnn_with(&mut net, width, 7, blocks);
    let p = net.plus(p, given);
    net.finish(p, Likelihood::Categorical)
}
