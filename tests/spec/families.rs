//! The layouts of the families, without weights; sizes are arguments, so that small ones can be executed by the tests.

use crate::build::{Net, kernel, square};
use surprisal::spec::*;

const PICTURE: [Axis; 2] = [Axis::Row, Axis::Column];
const HERE: Kernel = Kernel::new([1, 1, 1], [0, 0, 0]);

pub fn histogram() -> NetworkSpec {
    let mut net = Net::new("histogram", &PICTURE, 3, 256);
    let p = net.add(Op::Constant { outputs: 3 * 256 }, &[]);
    net.finish(p, Likelihood::Categorical)
}

pub fn char_rnn(cells: u32) -> NetworkSpec {
    let mut net = Net::new("char-rnn", &[Axis::Time], 1, 256);
    let x = net.add(Op::Previous, &[]);
    let x = net.embed(cells, x);
    let h = net.add(Op::Lstm { cells }, &[x]);
    let h = net.add(Op::Lstm { cells }, &[h]);
    let p = net.linear(256, h);
    net.finish(p, Likelihood::Categorical)
}

/// The same on binarized digits; with coordinates it knows where it is.
pub fn char_rnn_digits(cells: u32, coordinates: bool) -> NetworkSpec {
    let mut net = Net::new("char-rnn-digits", &PICTURE, 1, 2);
    let mut x = net.add(Op::Previous, &[]);
    if coordinates {
        let (row, column) = (net.coordinate(0, 28), net.coordinate(1, 28));
        x = net.concat(&[x, row, column]);
    }
    let h = net.add(Op::Lstm { cells }, &[x]);
    let p = net.linear(1, h);
    net.finish(p, Likelihood::Bernoulli)
}

/// MADE over `channels` symbols of one position, in a shuffled order, with connections from inputs to outputs.
pub fn made(channels: u16, hidden: &[usize]) -> NetworkSpec {
    let shuffled = (0..channels).map(|i| (u32::from(i) * 5 + 3) % u32::from(channels)).map(|i| i as u16).collect();
    let mut net = Net::new("made", &[Axis::Feature], channels, 2).order(Order::Permuted { channels: shuffled });
    let x = net.current(channels);
    let (inputs, outputs): (Vec<u16>, Vec<u16>) = ((1..=channels).collect(), (0..channels).collect());
    let (mut h, mut from) = (x, inputs.clone());
    for (layer, &n) in hidden.iter().enumerate() {
        let to: Vec<u16> = (0..n).map(|k| ((k * 7 + layer) % (usize::from(channels) - 1)) as u16 + 1).collect();
        h = net.add(Op::MaskedLinear { from, to: to.clone() }, &[h]);
        h = net.relu(h);
        from = to;
    }
    let p = net.add(Op::MaskedLinear { from, to: outputs.clone() }, &[h]);
    let direct = net.add(Op::MaskedLinear { from: inputs, to: outputs }, &[x]);
    let p = net.plus(p, direct);
    net.finish(p, Likelihood::Bernoulli)
}

/// WaveNet on one axis; a digit's pixels row after row with coordinates, if a width is given.
pub fn wavenet(alphabet: u32, width: u32, dilations: &[u16], coordinates: Option<u32>) -> NetworkSpec {
    let mut net = Net::new("wavenet", &[Axis::Time], 1, alphabet);
    let x = net.current(1);
    let x = net.embed(width, x);
    // Samples -2 and -1: the shift that keeps the current one out.
    let mut h = net.conv(width, Kernel::new([1, 1, 2], [0, 0, 2]), x);
    if let Some(w) = coordinates {
        let row = net.add(Op::Coordinate { axis: 0, divisor: w, modulus: w }, &[]);
        let column = net.add(Op::Coordinate { axis: 0, divisor: 1, modulus: w }, &[]);
        let at = net.concat(&[row, column]);
        let at = net.linear(width, at);
        h = net.plus(h, at);
    }
    let mut skip = None;
    for &d in dilations {
        let k = Kernel { dilation: [1, 1, d], ..Kernel::new([1, 1, 2], [0, 0, 1]) };
        let (a, b) = (net.conv(width, k, h), net.conv(width, k, h));
        let gated = net.gate(a, b);
        let (residual, out) = (net.linear(width, gated), net.linear(width, gated));
        h = net.plus(h, residual);
        skip = Some(skip.map_or(out, |s| net.plus(s, out)));
    }
    let p = net.relu(skip.expect("a layer"));
    let p = net.linear(width, p);
    let p = net.relu(p);
    let p = net.linear(if alphabet == 2 { 1 } else { alphabet }, p);
    net.finish(p, if alphabet == 2 { Likelihood::Bernoulli } else { Likelihood::Categorical })
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

fn discrete(alphabet: u32) -> Likelihood {
    if alphabet == 2 { Likelihood::Bernoulli } else { Likelihood::Categorical }
}

pub fn pixelcnn(channels: u16, alphabet: u32, width: u32, first: u16, blocks: usize) -> NetworkSpec {
    let mut net = Net::new("pixelcnn", &PICTURE, channels, alphabet);
    let p = pixelcnn_with(&mut net, width, first, blocks);
    net.finish(p, discrete(alphabet))
}

/// Two stacks: one sees the rows above, the other the row's left part and the first stack.
pub fn gated_pixelcnn(channels: u16, alphabet: u32, width: u32, first: u16, layers: usize) -> NetworkSpec {
    let (g, half) = (channels, first / 2);
    let mut net = Net::new("gated-pixelcnn", &PICTURE, channels, alphabet);
    let class = net.condition(Condition::Class { count: 10 });
    let x = net.current(g);
    let mut v = net.conv(width, kernel(half, first, half as i16, half as i16), x);
    let mut h = net.masked(width, kernel(1, half + 1, 0, half as i16), g, false, x);
    for _ in 0..layers {
        let above: [NodeId; 2] = [0; 2].map(|_| net.conv(width, kernel(2, 3, 1, 1), v));
        let left: [NodeId; 2] = [0; 2].map(|_| net.masked(width, kernel(1, 2, 0, 1), g, true, h));
        let joined: [NodeId; 2] = [0, 1].map(|i| {
            let from_above = net.linear(width, above[i]);
            let class = net.embed(width, class);
            let sum = net.plus(left[i], from_above);
            net.plus(sum, class)
        });
        let gated = net.gate(joined[0], joined[1]);
        let residual = net.masked(width, HERE, g, true, gated);
        h = net.plus(h, residual);
        v = net.gate(above[0], above[1]);
    }
    let h = net.relu(h);
    let each = if alphabet == 2 { 1 } else { alphabet };
    let p = net.masked(u32::from(g) * each, HERE, g, true, h);
    net.finish(p, discrete(alphabet))
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

/// Down and up through `levels` coarser grids.
pub fn pixelcnn_pp(width: u32, levels: usize, components: u8) -> NetworkSpec {
    let (down, right) = (kernel(2, 3, 1, 1), kernel(2, 2, 1, 1));
    let twice = |k: Kernel| Kernel { stride: [1, 2, 2], ..k };
    let mut net = Net::new("pixelcnn++", &PICTURE, 3, 256);
    let x = net.current(3);
    let mut u = net.conv(width, kernel(2, 3, 2, 1), x);
    let (above, left) = (net.conv(width, kernel(1, 3, 1, 1), x), net.conv(width, kernel(2, 1, 1, 1), x));
    let mut ul = net.plus(above, left);
    let mut kept = vec![];
    for level in 0..=levels {
        u = gated_resnet(&mut net, width, down, u, None);
        ul = gated_resnet(&mut net, width, right, ul, Some(u));
        kept.push((u, ul));
        if level < levels {
            u = net.conv(width, twice(down), u);
            ul = net.conv(width, twice(right), ul);
        }
    }
    for level in 0..=levels {
        let (skip_u, skip_ul) = kept.pop().expect("one a level");
        u = gated_resnet(&mut net, width, down, u, Some(skip_u));
        let both = net.concat(&[u, skip_ul]);
        ul = gated_resnet(&mut net, width, right, ul, Some(both));
        if level < levels {
            u = net.up(width, twice(kernel(2, 3, 0, 1)), u);
            ul = net.up(width, twice(kernel(2, 2, 0, 0)), ul);
        }
    }
    let h = net.activation(Function::Elu, ul);
    let p = net.linear(u32::from(components) * 10, h);
    net.finish(p, Likelihood::CoupledMixture { components })
}

/// Attention over all earlier positions, whose keys hold their own pixel.
pub fn pixelsnail(width: u32, blocks: usize) -> NetworkSpec {
    let mut net = Net::new("pixelsnail", &PICTURE, 3, 256);
    let x = net.current(3);
    let above = net.conv(width, kernel(1, 3, 1, 1), x);
    let left = net.conv(width, kernel(2, 1, 1, 1), x);
    let mut h = net.plus(above, left);
    let (row, column) = (net.coordinate(0, 32), net.coordinate(1, 32));
    let at = net.concat(&[row, column]);
    for _ in 0..blocks {
        h = gated_resnet(&mut net, width, kernel(2, 2, 1, 1), h, None);
        let keyed = net.concat(&[x, h, at]);
        let asking = net.concat(&[h, at]);
        let (q, k, v) = (net.linear(16, asking), net.linear(16, keyed), net.linear(width, keyed));
        let seen = net.add(Op::Attention { heads: 1, pattern: Pattern::All, side: Side::Earlier }, &[q, k, v]);
        h = net.plus(h, seen);
    }
    let p = net.linear(100, h);
    net.finish(p, Likelihood::CoupledMixture { components: 10 })
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
