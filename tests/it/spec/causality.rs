//! Computed causality against execution: every symbol of a small grid is changed, and the outputs that change must be those
//! that the computation names.

use super::families::*;
use super::interpreter::{Symbols, digests};
use std::collections::BTreeSet;
use surprisal::spec::*;
use surprisal::zoo::net::Net;
use surprisal::zoo::{self, window::Config};

/// A symbol as an output sees it: relative slice, frame, row, column, and absolute channel.
type Seen = [i64; 5];

/// Per channel, what outputs anywhere on the grid were seen to depend on.
fn observed(spec: &NetworkSpec, dims: [usize; 3]) -> Vec<BTreeSet<Seen>> {
    let mut symbols = Symbols::some(spec, dims);
    let before = digests(spec, &symbols);
    let mut seen = vec![BTreeSet::new(); usize::from(spec.symbols.channels)];
    for i in 0..symbols.values.len() {
        let old = symbols.values[i];
        symbols.values[i] = (old + 1) % i64::from(spec.symbols.alphabet);
        let place = symbols.place(i);
        for (o, _) in digests(spec, &symbols).iter().zip(&before).enumerate().filter(|(_, (a, b))| a != b) {
            let output = symbols.place(o);
            let mut at = place;
            (0..4).for_each(|a| at[a] -= output[a]);
            seen[output[4] as usize].insert(at);
            assert!(i < o, "symbol {place:?} changes the distribution of {output:?}, which is coded no later");
        }
        symbols.values[i] = old;
    }
    seen
}

/// What was seen lies in the computed reach; `exact` axes hold offsets up to which it must also be all of it.
fn agree(name: &str, spec: &NetworkSpec, dims: [usize; 3], exact: Option<[i64; 4]>) {
    spec.check_causal().unwrap_or_else(|e| panic!("{name}: {e}"));
    let fields = spec.receptive_fields().unwrap();
    let observed = observed(spec, dims);
    let total: usize = observed.iter().map(BTreeSet::len).sum();
    assert!(total > 0, "{name}: something must depend on something");
    for (c, (field, seen)) in fields.iter().zip(&observed).enumerate() {
        for &at in seen {
            assert!(field.contains(at), "{name}: channel {c} depends on {at:?}, which is not in {:?}", field.terms());
        }
        let Some([s, f, r, k]) = exact else { continue };
        for slice in -s..=s {
            for (frame, row) in (-f..=f).flat_map(|f| (-r..=r).map(move |r| (f, r))) {
                for (column, of) in (-k..=k).flat_map(|k| (0..fields.len() as i64).map(move |c| (k, c))) {
                    let at = [slice, frame, row, column, of];
                    assert_eq!(field.contains(at), seen.contains(&at), "{name}: channel {c} and {at:?}");
                }
            }
        }
    }
}

#[test]
fn windows() {
    let config = Config { radius: 2, first: 6, width: 4, blocks: 1, head: 3, components: 2 };
    let spec = zoo::window::build(&config).0;
    agree("window", &spec, [1, 7, 7], Some([0, 0, 3, 3]));
    assert_eq!(spec.wavefront_lag(), Ok(Some(3)), "two columns to the right in the row above");
    // Only the near neighbours are left when the network's input is cut off.
    let mut cut = spec.clone();
    cut.outputs[0].parameters = {
        cut.nodes.push(Node { op: Op::Constant { outputs: 6 }, inputs: vec![] });
        cut.nodes.len() - 1
    };
    agree("window without a network", &cut, [1, 7, 7], Some([0, 0, 3, 3]));
    assert!(!cut.receptive_fields().unwrap()[0].contains([0, 0, -2, 1, 0]));
}

#[test]
fn one_dimension() {
    agree("wavenet", &wavenet(None, 3, 3), [1, 1, 24], Some([0, 0, 0, 20]));
    // Other dilations than 1 and 2 leave holes.
    let mut spec = wavenet(None, 3, 2);
    for node in &mut spec.nodes {
        if let Op::Convolution { kernel: Kernel { dilation: [_, _, d], origin: [.., 1], .. }, .. } = &mut node.op {
            *d = if *d == 1 { 3 } else { 9 };
        }
    }
    agree("dilated by 3", &spec, [1, 1, 30], Some([0, 0, 0, 20]));
    assert!(!spec.receptive_fields().unwrap()[0].contains([0, 0, 0, -3, 0]));
    agree("wavenet on digits", &wavenet(Some(5), 3, 2), [1, 1, 20], Some([0, 0, 0, 12]));
    agree("char-rnn", &char_rnn(3), [1, 1, 12], Some([0, 0, 0, 11]));
    agree("char-rnn on digits", &char_rnn_digits(4, 5, true), [1, 1, 12], Some([0, 0, 0, 11]));
}

#[test]
fn masks_by_degree() {
    let spec = made(3, 13, 2);
    agree("made", &spec, [1, 1, 1], Some([0; 4]));
    let fields = spec.receptive_fields().unwrap();
    assert!((0..9).all(|c| (0..9).all(|of| fields[c as usize].contains([0, 0, 0, 0, of]) == (of < c))));
}

#[test]
fn masked_convolutions() {
    agree("pixelcnn", &pixelcnn(3, 4, 6, 3, 2), [1, 9, 9], Some([0, 0, 4, 4]));
    agree("binary pixelcnn", &pixelcnn(1, 2, 4, 5, 1), [1, 9, 9], Some([0, 0, 4, 4]));
    agree("gated pixelcnn", &gated_pixelcnn(3, 4, 3, 3, 3), [1, 9, 9], Some([0, 0, 4, 4]));
    agree("grayscale", &grayscale(6, 1), [1, 5, 5], Some([0, 0, 2, 2]));
    agree("super-resolution", &super_resolution(6, 1), [1, 5, 5], None);
}

#[test]
fn a_stack_of_masked_convolutions_has_a_blind_spot_and_two_stacks_have_none() {
    for depth in 1..=10u32 {
        let one = &pixelcnn(1, 2, 2, 3, depth).receptive_fields().unwrap()[0];
        let two = &gated_pixelcnn(1, 2, 1, 3, depth).receptive_fields().unwrap()[0];
        let d = i64::from(depth);
        for row in 1..=d + 1 {
            for column in -d - 1..=d + 1 {
                let at = [0, 0, -row, column, 0];
                // Every row up, a 3 x 3 kernel gains one column to the right; every layer gains one row.
                assert_eq!(one.contains(at), column <= row, "one stack of {depth}, {at:?}");
                assert!(two.contains(at), "two stacks of {depth}, {at:?}");
            }
        }
    }
}

#[test]
fn coarser_grids() {
    agree("pixelcnn++ without coarse grids", &pixelcnn_pp(3, 0, 2), [1, 9, 9], Some([0, 0, 4, 4]));
    agree("pixelcnn++", &pixelcnn_pp(2, 1, 2), [1, 9, 9], Some([0, 0, 1, 1]));
    agree("pixelcnn++ on two coarse grids", &pixelcnn_pp(1, 2, 2), [1, 9, 9], None);
}

#[test]
fn attention() {
    agree("pixelsnail", &pixelsnail(4, 1, 5), [1, 5, 5], Some([0, 0, 4, 4]));
    let mut spec = sparse_transformer(256, 4);
    agree("sparse transformer", &spec, [3, 3, 3], Some([0, 2, 2, 2]));
    // One half alone: the row before the last, and the column.
    for (pattern, far) in [(Pattern::Trailing { axes: 2 }, false), (Pattern::Line { axis: 0 }, true)] {
        for node in &mut spec.nodes {
            if let Op::Attention { pattern: p, .. } = &mut node.op {
                *p = pattern;
            }
        }
        let once = sparse_transformer_halved(&spec);
        agree("half of a sparse transformer", &once, [4, 3, 3], None);
        assert_eq!(once.receptive_fields().unwrap()[0].contains([0, -3, 0, -1, 0]), far);
    }
    agree("fixed attention", &sparse_transformer_text(256, 4, 4, 1), [1, 1, 13], Some([0, 0, 0, 8]));
}

/// Attention alone: keys and values are the samples themselves, queries a sample of the frame before.
fn attention_alone(pattern: Pattern, side: Side) -> NetworkSpec {
    let mut net = Net::new("attention", &[Axis::Frame, Axis::Row, Axis::Column], 1, 4);
    let q = net.add(Op::Neighbours { offsets: vec![Offset { frame: -1, row: 1, column: -1 }] }, &[]);
    let x = net.current(1);
    let seen = net.add(Op::Attention { heads: 1, pattern, side }, &[q, x, x]);
    let p = net.linear(4, seen);
    net.finish(p, Likelihood::Categorical)
}

#[test]
fn patterns_of_attention() {
    for axes in 1..=3 {
        let spec = attention_alone(Pattern::Trailing { axes }, Side::Earlier);
        agree(&format!("the last {axes} axes"), &spec, [3, 3, 3], None);
    }
    agree(
        "the last row",
        &attention_alone(Pattern::Trailing { axes: 1 }, Side::Earlier),
        [3, 3, 5],
        Some([0, 0, 0, 2]),
    );
    for axis in 0..3 {
        let spec = attention_alone(Pattern::Line { axis }, Side::Earlier);
        agree(&format!("along axis {axis}"), &spec, [3, 3, 3], Some([0, 2, 2, 2]));
    }
    agree("all", &attention_alone(Pattern::All, Side::Earlier), [3, 3, 3], Some([0, 2, 2, 2]));
    agree("blocks", &attention_alone(Pattern::Block { size: [2, 2, 2] }, Side::Earlier), [4, 4, 4], Some([0, 1, 1, 1]));
    let spec = attention_alone(Pattern::All, Side::EarlierOrSame);
    assert!(matches!(spec.check_causal(), Err(SpecError::NotCausal { place: [0, 0, 0, 0], .. })));
    let spec = attention_alone(Pattern::All, Side::Any);
    assert!(matches!(spec.check_causal(), Err(SpecError::NotCausal { place: [0, 1, 0, 0], .. })));
}

#[test]
fn levels_and_scales() {
    let mut net = Net::new("levels", &[Axis::Row, Axis::Column], 3, 4);
    let near =
        net.add(Op::Neighbours { offsets: [(-1, 0), (0, -1), (-1, 1)].map(|(r, c)| Offset::new(r, c)).into() }, &[]);
    let far = net.add(Op::Neighbours { offsets: vec![Offset::new(-2, 0)] }, &[]);
    let mean = net.add(Op::LocalMean { a: 0, b: 1 }, &[near]);
    let other = net.add(Op::LocalMean { a: 0, b: 0 }, &[far]);
    let scale = net.add(Op::LocalScale { near: vec![2] }, &[near, other]);
    let outputs: Vec<NodeId> = (0..3)
        .map(|c| {
            let x = if c == 0 { near } else { net.current(c) };
            let x = net.add(Op::Normalize { unit: 1, clamp: 8 }, &[x, mean, scale]);
            let width = if c == 0 { 9 } else { u32::from(c) };
            let x = net.add(Op::Select { start: width - 1, width: 1 }, &[x]);
            net.linear(4, x)
        })
        .collect();
    let spec = net.finish_each(&outputs, Likelihood::Categorical);
    agree("levels and scales", &spec, [1, 5, 5], Some([0, 0, 2, 2]));
}

/// The first of two layers alone.
fn sparse_transformer_halved(spec: &NetworkSpec) -> NetworkSpec {
    let mut spec = spec.clone();
    let layers: Vec<NodeId> =
        (0..spec.nodes.len()).filter(|&i| matches!(spec.nodes[i].op, Op::Attention { .. })).collect();
    let last = spec.nodes.len() - 1;
    // The output reads the first layer's projection.
    spec.nodes[last].inputs = vec![layers[0] + 1];
    spec
}

#[test]
fn slices() {
    agree("multiscale", &multiscale(2, 1), [1, 4, 4], None);
    agree("subscale", &subscale(2, 4, 1), [1, 3, 4], Some([3, 0, 1, 1]));
    agree("video", &video([1, 2, 2], [2, 2, 2], 4), [2, 3, 3], None);
}

#[test]
fn what_sees_the_future_is_refused() {
    let refused = |name: &str, spec: &NetworkSpec, expected: [i64; 4], of: u16| {
        let error = spec.check_causal().expect_err(name);
        assert!(
            matches!(error, SpecError::NotCausal { place, of: c, .. } if place == expected && c == of),
            "{name}: {error:?}"
        );
        let bytes = spec.to_bytes();
        assert_eq!(NetworkSpec::read(&mut surprisal::wire::Reader::new(&bytes)), Err(error), "{name}");
    };
    // Mask B where A belongs: the pixel itself.
    let mut spec = pixelcnn(3, 256, 6, 3, 2);
    let first = spec.nodes.iter_mut().find_map(|n| match &mut n.op {
        Op::Convolution { mask: Mask::Causal { same, .. }, .. } => Some(same),
        _ => None,
    });
    *first.unwrap() = true;
    refused("pixelcnn with mask B", &spec, [0; 4], 0);
    // Heads that see the channel they are for.
    let mut spec = multiscale(2, 1);
    for node in &mut spec.nodes {
        if let Op::Current { channels } = &mut node.op {
            *channels += 1;
        }
    }
    refused("channels one too many", &spec, [0; 4], 1);
    // The slice itself in place of earlier ones: its positions are coded at the same time.
    let mut spec = multiscale(2, 1);
    for node in &mut spec.nodes {
        if let Op::Slices { .. } = node.op {
            node.op = Op::Current { channels: 3 };
        }
    }
    refused("multiscale that sees its own group", &spec, [0, 0, 1, 0], 0);
    let mut shifted = wavenet(None, 3, 1);
    for node in &mut shifted.nodes {
        if let Op::Convolution { kernel, .. } = &mut node.op {
            if kernel.origin == [0, 0, 2] {
                kernel.origin = [0, 0, 1];
            }
        }
    }
    refused("wavenet without the shift", &shifted, [0; 4], 0);
    let made_wrong = {
        let mut spec = made(3, 7, 1);
        for node in &mut spec.nodes {
            if let Op::MaskedLinear { to, .. } = &mut node.op {
                if to.len() == 9 {
                    to[2] += 1;
                }
            }
        }
        spec
    };
    refused("made with a degree too high", &made_wrong, [0; 4], 2);
}
