//! Sets of examples through networks on a grid: round trips, figures, draws, and streams that are wrong.

use crate::common::Random;
use crate::common::random_program::of_family;
use crate::common::seeds::mutate;
use std::sync::Arc;
use surprisal::codec::sets::{ClassError, Draw, Labels, compress, measure, sample, score, score_each};
use surprisal::codec::{CompressError, DEFAULT_LIMIT, DecodeError, Models, Options, decompress};
use surprisal::container::{self, Coding, Content, Header};
use surprisal::engine::{GridNetwork, Kernel, Program};
use surprisal::entropy::Bits;
use surprisal::likelihood::Temperature;
use surprisal::media::set::{Array, Set, SetError};
use surprisal::spec::Domain;
use surprisal::zoo::family;

/// A random model of a family, in a file of its own so that decoders find it.
struct Model {
    network: GridNetwork,
    models: Models,
    _folder: tempfile::TempDir,
}

impl Model {
    fn new(name: &str, domain: &Domain, size: i64) -> Self {
        let program = of_family(family(name).expect("a family"), domain, size, 5).expect("a program");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("random.srm");
        std::fs::write(&path, program.to_bytes()).expect("written");
        let models = Models::new(&[path.to_str().expect("a path").to_owned()], Kernel::best());
        Self { network: network(program, Kernel::best()), models, _folder: folder }
    }

    /// Symbols of so many examples, drawn from the model, so that it codes them well.
    fn draw(&self, count: usize, labels: &[u8]) -> Vec<u16> {
        let classes: Vec<u32> = labels.iter().map(|l| u32::from(*l)).collect();
        let length = self.network.symbols();
        let draw = Draw { count, length, seed: 3, temperature: None, classes: &classes, given: &[], kept: 0 };
        sample(&self.network, &draw, &())
    }

    fn restore(&self, stream: &[u8]) -> Result<Vec<u8>, DecodeError> {
        decompress(stream, &self.models, DEFAULT_LIMIT, &())
    }
}

fn network(program: Program, kernel: Kernel) -> GridNetwork {
    GridNetwork::new(Arc::new(program), kernel).expect("a network on a grid")
}

fn pictures(channels: u16, height: u32, width: u32, alphabet: u32) -> Domain {
    Domain::Pictures { channels, height, width, alphabet }
}

/// An IDX file of a domain's pictures.
fn idx(domain: &Domain, symbols: &[u16]) -> Vec<u8> {
    let Domain::Pictures { channels, height, width, alphabet } = *domain else { panic!("no pictures") };
    let values: Vec<u8> = symbols.iter().map(|s| if alphabet == 2 { *s as u8 * 255 } else { *s as u8 }).collect();
    let count = values.len() as u32 / (height * width * u32::from(channels));
    let mut dims = vec![count, height, width];
    if channels > 1 {
        dims.push(channels.into());
    }
    Array { dims, values }.to_idx()
}

/// The text of symbols; the escape symbol stands for bytes that the model does not know.
fn text(domain: &Domain, symbols: &[u16]) -> Vec<u8> {
    let Domain::Text { characters, .. } = domain else { panic!("no text") };
    let byte = |(i, s): (usize, &u16)| characters.get(usize::from(*s)).copied().unwrap_or(200 + (i % 40) as u8);
    symbols.iter().enumerate().map(byte).collect()
}

fn labels_of(network: &GridNetwork, count: usize) -> Vec<u8> {
    let known = network.classes().unwrap_or(1);
    (0..count).map(|i| (i as u32 % known) as u8).collect()
}

fn labels<'a>(network: &GridNetwork, labels: &'a [u8]) -> Labels<'a> {
    if network.classes().is_some() { Labels::Each(labels) } else { Labels::Unknown }
}

fn header(stream: &[u8]) -> Header {
    container::open(stream).expect("a stream").header
}

#[test]
fn sets_of_every_size_come_back() {
    let mut by_network = 0;
    for (name, domain, size) in [
        ("made", pictures(1, 6, 5, 2), 8),
        ("pixelcnn", pictures(1, 6, 5, 2), 8),
        ("pixelcnn", pictures(3, 4, 4, 256), 8),
        ("gated-pixelcnn", pictures(1, 4, 4, 16), 8),
        ("pixelcnn++", pictures(3, 8, 8, 256), 2),
    ] {
        let model = Model::new(name, &domain, size);
        for count in [0, 1, 3, 130] {
            let known = labels_of(&model.network, count);
            let classes = if model.network.classes().is_some() { &known[..] } else { &[] };
            let file = idx(&domain, &model.draw(count, classes));
            let labels = labels(&model.network, &known);
            let done = compress(&file, &model.network, labels, &Options::default(), &()).expect("compressed");
            assert!(done.bytes.len() <= file.len() + 64);
            assert!(model.restore(&done.bytes).expect("restored") == file, "{name} {count}");
            if header(&done.bytes).model.is_some() {
                by_network += 1;
                assert_eq!(done.summary.coding, Coding::Network);
                assert!(matches!(header(&done.bytes).content, Content::Set { .. }));
            }
        }
    }
    assert!(by_network >= 6, "{by_network}");
}

#[test]
fn the_stream_takes_what_was_measured() {
    let domain = pictures(1, 16, 16, 2);
    let model = Model::new("made", &domain, 16);
    let file = idx(&domain, &model.draw(300, &[]));
    let done = compress(&file, &model.network, Labels::Unknown, &Options::default(), &()).expect("compressed");
    let measured = measure(&file, &model.network, Labels::Unknown, &Options::default(), &()).expect("measured");
    assert_eq!((measured.items.len(), measured.others), (300, 0));
    let bits: Bits = measured.items.iter().map(|item| item.bits).sum();
    let content =
        header(&done.bytes).chunks.iter().filter(|c| c.coding == Coding::Network).map(|c| c.coded).sum::<u64>();
    let code = bits.ceil_bytes();
    assert!(content <= code + 6 && content + 6 >= code, "{content} bytes for {code}");
    assert!(done.summary.overhead < 100, "{}", done.summary.overhead);
}

#[test]
fn threads_and_kernels_do_not_change_a_byte() {
    let domain = pictures(1, 6, 5, 2);
    let program = || of_family(family("pixelcnn").expect("a family"), &domain, 8, 5).expect("a program");
    let best = network(program(), Kernel::best());
    let model = Model::new("pixelcnn", &domain, 8);
    let file = idx(&domain, &model.draw(200, &[]));
    let with = |network: &GridNetwork, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let stream = compress(&file, network, Labels::Unknown, &Options::default(), &()).expect("compressed");
            let draw = Draw { count: 70, length: 30, seed: 1, temperature: None, classes: &[], given: &[], kept: 0 };
            (stream.bytes, sample(network, &draw, &()))
        })
    };
    let one = with(&best, 1);
    assert!(header(&one.0).model.is_some());
    assert!(one == with(&best, 3));
    assert!(one == with(&network(program(), Kernel::Scalar), 2));
}

#[test]
fn texts_come_back_with_bytes_that_the_model_does_not_know() {
    let domain = Domain::Text { characters: b"\n abcdefgh".to_vec(), segment: 24 };
    let model = Model::new("char-rnn", &domain, 8);
    let symbols = model.draw(200, &[]);
    let escapes = symbols.iter().filter(|s| **s == 10).count();
    let whole = text(&domain, &symbols);
    for length in [1, 23, 24, 25, 1000, whole.len()] {
        let file = &whole[..length];
        let done = compress(file, &model.network, Labels::Unknown, &Options::default(), &()).expect("compressed");
        assert!(model.restore(&done.bytes).expect("restored") == file, "{length}");
        if length == whole.len() {
            assert!(header(&done.bytes).model.is_some() && escapes > 0);
            let measured = measure(file, &model.network, Labels::Unknown, &Options::default(), &()).expect("measured");
            assert_eq!(measured.others, escapes);
        }
    }
    // Nothing that the model knows: stored.
    let file = Random(3).bytes(500);
    let done = compress(&file, &model.network, Labels::Unknown, &Options::default(), &()).expect("compressed");
    assert!(done.bytes.len() <= file.len() + 64 && model.restore(&done.bytes).expect("restored") == file);
}

#[test]
fn scores_add_up_to_what_is_measured() {
    let domain = pictures(3, 4, 4, 256);
    let model = Model::new("pixelcnn", &domain, 8);
    let symbols = model.draw(5, &[]);
    let file = idx(&domain, &symbols);
    let measured = measure(&file, &model.network, Labels::Unknown, &Options::default(), &()).expect("measured");
    let set = Set::new(symbols.clone(), model.network.symbols());
    let together =
        score_each(&model.network, &set, Labels::Unknown, |_, _, scores| scores.to_vec()).expect("no labels");
    let (mut surprise, mut entropy) = (0.0, 0.0);
    for (example, item) in symbols.chunks(model.network.symbols()).zip(&measured.items) {
        let scores = score(&model.network, example, None);
        assert!(together.contains(&scores));
        let sum = scores.iter().map(|s| f64::from(s.surprise)).sum::<f64>() / 65536.0;
        assert!((sum - item.bits.to_f64()).abs() < scores.len() as f64 / 65536.0);
        surprise += item.bits.to_f64();
        entropy += scores.iter().map(|s| f64::from(s.entropy)).sum::<f64>() / 65536.0;
    }
    // They were drawn from the model: the surprise is the entropy, but for chance.
    assert!((surprise / entropy - 1.0).abs() < 0.15, "{surprise} {entropy}");
    // An entropy does not depend on the symbol itself.
    let mut changed = symbols[..model.network.symbols()].to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let [a, b] = [&symbols[..=last], &changed].map(|e| score(&model.network, e, None));
    assert_eq!(a.iter().map(|s| s.entropy).collect::<Vec<_>>(), b.iter().map(|s| s.entropy).collect::<Vec<_>>());
    assert_eq!(a[..last], b[..last]);
    assert_ne!(a[last].surprise, b[last].surprise);
    // A short text.
    let domain = Domain::Text { characters: b"abc".to_vec(), segment: 24 };
    let model = Model::new("char-rnn", &domain, 4);
    assert_eq!(score(&model.network, &[1, 2, 0, 3, 1], None).len(), 5);
}

#[test]
fn what_is_drawn_depends_on_the_seed_and_keeps_what_it_should() {
    let domain = pictures(1, 6, 5, 2);
    let model = Model::new("pixelcnn", &domain, 8);
    let draw = |seed: u64, count: usize, temperature: Option<Temperature>| {
        let draw = Draw { count, length: 30, seed, temperature, classes: &[], given: &[], kept: 0 };
        sample(&model.network, &draw, &())
    };
    let (a, b) = (draw(1, 70, None), draw(2, 70, None));
    assert_ne!(a, b);
    assert_eq!(a[..90], draw(1, 3, None), "an example does not depend on how many there are");
    assert_ne!(draw(1, 70, Some(Temperature::thousandths(3000))), a);
    let draw = Draw { count: 3, length: 30, seed: 9, temperature: None, classes: &[], given: &a[..90], kept: 15 };
    let completed = sample(&model.network, &draw, &());
    for (given, drawn) in a.chunks(30).zip(completed.chunks(30)) {
        assert_eq!(given[..15], drawn[..15]);
    }
    assert_ne!(completed, a[..90]);
    // The mean of many draws is the model's probability of the first pixel.
    let many = Draw { count: 4000, length: 30, seed: 4, temperature: None, classes: &[], given: &[], kept: 0 };
    let ones = sample(&model.network, &many, &()).chunks(30).filter(|e| e[0] == 1).count() as f64 / 4000.0;
    let zero = f64::from(score(&model.network, &[0; 30], None)[0].surprise) / 65536.0;
    assert!((1.0 - ones - (-zero).exp2()).abs() < 0.03, "{ones} {zero}");
}

#[test]
fn classes_that_do_not_fit() {
    let domain = pictures(1, 4, 4, 16);
    let program = of_family(family("gated-pixelcnn").expect("a family"), &domain, 8, 5).expect("a program");
    let gated = network(program, Kernel::best());
    let count = gated.classes().expect("a class-conditional network") as u8;
    let file = idx(&domain, &[3; 32]);
    let fault = |labels: Labels<'_>| match compress(&file, &gated, labels, &Options::default(), &()) {
        Err(CompressError::Classes(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert!(matches!(fault(Labels::Unknown), ClassError::Needed { .. }));
    assert!(matches!(fault(Labels::Each(&[0])), ClassError::Number { labels: 1, examples: 2 }));
    assert!(matches!(fault(Labels::Each(&[0, count])), ClassError::Range { example: 1, .. }));
    let costs = |labels: Labels<'_>| {
        let measured = measure(&file, &gated, labels, &Options::default(), &()).expect("measured");
        measured.items.iter().map(|i| i.bits).collect::<Vec<_>>()
    };
    let (first, second) = (costs(Labels::All(0)), costs(Labels::Each(&[0, 1])));
    assert_eq!(first[0], second[0]);
    assert_ne!(first[1], second[1], "the class is seen");
    let other = Model::new("pixelcnn", &domain, 8);
    let fault = compress(&file, &other.network, Labels::All(0), &Options::default(), &());
    assert!(matches!(fault, Err(CompressError::Classes(ClassError::None(_)))));
    let wrong = idx(&pictures(1, 2, 2, 16), &[0; 8]);
    let fault = compress(&wrong, &other.network, Labels::Unknown, &Options::default(), &());
    assert!(matches!(fault, Err(CompressError::Set(SetError::Shape { .. }))));
}

#[test]
fn damaged_streams_are_refused() {
    let domain = pictures(1, 6, 5, 2);
    let model = Model::new("pixelcnn", &domain, 8);
    let letters = Domain::Text { characters: b"\n abcdefgh".to_vec(), segment: 24 };
    let letters_model = Model::new("char-rnn", &letters, 8);
    let files = [idx(&domain, &model.draw(130, &[])), text(&letters, &letters_model.draw(60, &[]))];
    for (model, file) in [&model, &letters_model].into_iter().zip(&files) {
        let stream =
            compress(file, &model.network, Labels::Unknown, &Options::default(), &()).expect("compressed").bytes;
        assert!(header(&stream).model.is_some());
        assert!(model.restore(&stream).expect("restored") == *file);
        for cut in [1, 5, 20, 60, stream.len() / 2, stream.len() - 1] {
            assert!(model.restore(&stream[..cut]).is_err(), "{cut}");
        }
        let streams = [stream];
        let (mut random, mut refused) = (Random(77), 0);
        for _ in 0..crate::common::count("SURPRISAL_MUTATIONS", 400) {
            let bad = mutate(&mut random, &streams);
            match decompress(&bad, &model.models, 1 << 24, &()) {
                Err(_) => refused += 1,
                Ok(back) => assert!(back == *file, "another file"),
            }
        }
        assert!(refused > 100, "{refused}");
    }
}

#[test]
fn headers_that_do_not_fit_are_refused_by_name() {
    let domain = pictures(1, 6, 5, 2);
    let model = Model::new("pixelcnn", &domain, 8);
    let file = idx(&domain, &model.draw(130, &[]));
    let stream = compress(&file, &model.network, Labels::Unknown, &Options::default(), &()).expect("compressed").bytes;
    let said = |change: &dyn Fn(&mut Header)| {
        let opened = container::open(&stream).expect("good");
        let mut header = opened.header.clone();
        change(&mut header);
        let bad = container::assemble(&header, opened.chunks.iter().copied());
        model.restore(&bad).expect_err("refused").to_string()
    };
    let set = |symbols, lanes, bytes| move |h: &mut Header| h.content = Content::Set { symbols, lanes, bytes };
    assert!(said(&set(3901, 64, 1)).contains("do not make up"));
    assert!(said(&set(1950, 64, 2)).contains("another alphabet"));
    assert!(said(&set(3900, 0, 1)).contains("the shape of a set"));
    assert!(said(&set(3900, 257, 1)).contains("the shape of a set"));
    assert!(said(&set(3900, 63, 1)).contains("is damaged"));
    assert!(said(&|h| h.medium.as_mut().expect("one").id = 1).contains("not one for such content"));
    assert!(said(&|h| h.medium.as_mut().expect("one").version = 9).contains("medium 4 version 9"));
    assert!(said(&|h| h.model = Some([7; 16])).contains("needs the model 0707"));
    let foreign = Models::new(&[], Kernel::best());
    assert!(matches!(decompress(&stream, &foreign, DEFAULT_LIMIT, &()), Err(DecodeError::Model(_))));
    // A limit that it does not keep.
    assert!(matches!(decompress(&stream, &model.models, 1000, &()), Err(DecodeError::OverLimit { .. })));
}
