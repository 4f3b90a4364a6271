//! A skeleton of every family that the project sets out to hold, at sizes near the published ones.

use super::families::*;
use surprisal::spec::*;
use surprisal::wire::Reader;
use surprisal::zoo::net::Net;
use surprisal::zoo::window;

/// Row of the design's table, and a description.
fn skeletons() -> Vec<(&'static str, NetworkSpec)> {
    vec![
        ("photographs", window::build(&window::Config::default()).0),
        ("histogram", histogram()),
        ("Char-RNN", char_rnn(512)),
        ("Char-RNN on digits", char_rnn_digits(128, 28, false)),
        ("Char-RNN on digits with coordinates", char_rnn_digits(128, 28, true)),
        ("MADE", made(28, 8000, 2)),
        ("WaveNet", wavenet(None, 64, 10)),
        ("WaveNet on digits with coordinates", wavenet(Some(28), 64, 10)),
        ("PixelCNN", pixelcnn(3, 256, 192, 7, 15)),
        ("Gated PixelCNN", gated_pixelcnn(3, 256, 192, 7, 15)),
        ("PixelCNN++", pixelcnn_pp(160, 2, 10)),
        ("PixelSNAIL", pixelsnail(256, 12, 32)),
        ("cached generation", pixelcnn_pp(160, 2, 10)),
        ("Multiscale PixelCNN", multiscale(128, 12)),
        ("Grayscale PixelCNN: the luminance", pixelcnn(1, 16, 128, 7, 10)),
        ("Grayscale PixelCNN: the colours", grayscale(192, 10)),
        ("Subscale Pixel Network", subscale(4, 256, 8)),
        ("Sparse Transformer", sparse_transformer(256, 256)),
        ("Sparse Transformer on text", sparse_transformer_text(256, 512, 128, 8)),
        ("video", video([4, 2, 2], [4, 8, 4], 128)),
        ("super-resolution", super_resolution(96, 10)),
        ("Fisher scores", pixelcnn(1, 2, 32, 7, 7)),
    ]
}

#[test]
fn every_family_is_valid_causal_and_comes_back_from_its_bytes() {
    for (name, spec) in skeletons() {
        let start = std::time::Instant::now();
        spec.check_causal().unwrap_or_else(|e| panic!("{name}: {e}"));
        let bytes = spec.to_bytes();
        let mut r = Reader::new(&bytes);
        assert_eq!(NetworkSpec::read(&mut r).as_ref(), Ok(&spec), "{name}");
        assert_eq!(r.remaining(), 0, "{name}");
        let boxes: usize = spec.receptive_fields().unwrap().iter().map(|f| f.terms().len()).max().unwrap();
        println!("{name}: {} nodes, {} bytes, {boxes} boxes, {:?}", spec.nodes.len(), bytes.len(), start.elapsed());
    }
}

#[test]
fn what_a_decoder_must_keep_follows_from_the_reach() {
    // Cached generation needs rows back to the farthest that is seen; a recurrent network sees everything.
    let rows = |spec: NetworkSpec| {
        let hulls = spec.receptive_fields().unwrap().into_iter().filter_map(|f| f.hull());
        hulls.map(|h| -h.low[2]).max().unwrap()
    };
    assert_eq!(rows(pixelcnn(1, 2, 32, 7, 7)), 10);
    let recurrent = char_rnn_digits(8, 28, false).receptive_fields().unwrap()[0].hull().unwrap();
    assert_eq!(recurrent.low[3], -EVERYWHERE);
    let pp = rows(pixelcnn_pp(160, 2, 10));
    assert!((20..200).contains(&pp), "{pp}");
    assert_eq!(pixelcnn(1, 2, 32, 7, 7).wavefront_lag(), Ok(Some(4)));
    assert_eq!(pixelsnail(4, 1, 8).wavefront_lag(), Ok(None));
    assert_eq!(histogram().wavefront_lag(), Ok(Some(0)));
}

/// A small generator, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

#[test]
fn changed_bytes_are_refused_or_are_another_description() {
    let mut random = Random(1);
    let (mut read, mut refused) = (0, 0);
    let small = [
        window::build(&window::Config { radius: 2, first: 4, width: 3, blocks: 1, head: 2, components: 2 }).0,
        made(3, 9, 1),
        gated_pixelcnn(3, 256, 3, 3, 1),
        pixelcnn_pp(2, 1, 1),
        multiscale(2, 1),
        subscale(2, 4, 1),
        sparse_transformer(256, 4),
        sparse_transformer_text(16, 4, 4, 1),
        video([1, 2, 2], [2, 2, 2], 4),
        super_resolution(6, 1),
        wavenet(Some(5), 3, 3),
        char_rnn_digits(3, 5, true),
    ];
    for spec in &small {
        let bytes = spec.to_bytes();
        for _ in 0..400 {
            let mut changed = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(changed.len());
                match random.below(5) {
                    0 => changed[at] ^= 1 << random.below(8),
                    1 => changed[at] = random.below(256) as u8,
                    2 => drop(changed.remove(at)),
                    3 => changed.insert(at, random.below(256) as u8),
                    _ => changed.truncate(at + 1),
                }
            }
            let mut r = Reader::new(&changed);
            match NetworkSpec::read(&mut r) {
                Ok(other) => {
                    assert_eq!(other.to_bytes(), changed[..changed.len() - r.remaining()]);
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}

#[test]
fn what_is_too_intricate_is_refused_before_it_takes_long() {
    let here = || Net::new("intricate", &[Axis::Row, Axis::Column], 1, 2);
    // Dilations without a common step: the number of separate places multiplies.
    let mut net = here();
    let mut h = net.current(1);
    for i in 0..6 {
        let k = Kernel { dilation: [1, 101 + 60 * i, 97 + 60 * i], ..Kernel::new([1, 5, 5], [0, 5, 2]) };
        h = net.conv(1, k, h);
    }
    let dilated = net.finish(h, Likelihood::Bernoulli);
    // Many nodes of many values that all see something else.
    let mut net = here();
    net.0.symbols.channels = 4096;
    let offsets: Vec<Offset> = (1..=16).map(|c| Offset::new(0, -2 * c)).collect();
    let wide: Vec<NodeId> = (0..500).map(|_| net.add(Op::Neighbours { offsets: offsets.clone() }, &[])).collect();
    let h = wide[1..].iter().fold(wide[0], |h, &w| net.plus(h, w));
    let p = net.linear(4096, h);
    let wide = net.finish(p, Likelihood::Bernoulli);
    for spec in [dilated, wide] {
        assert!(spec.widths().is_ok());
        assert!(matches!(spec.check_causal(), Err(SpecError::TooComplex { .. })), "{:?}", spec.check_causal());
        assert!(matches!(NetworkSpec::read(&mut Reader::new(&spec.to_bytes())), Err(SpecError::TooComplex { .. })));
    }
}
