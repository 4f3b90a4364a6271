use super::*;
use crate::media::image::zlib::{Deflater, Params};

const LIMITS: Limits = Limits { max_bytes: 1 << 24 };

fn pictures(height: u32, width: u32, alphabet: u32) -> Domain {
    Domain::Pictures { channels: 1, height, width, alphabet }
}

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    [Idx::header(dims), data.to_vec()].concat()
}

fn gzip(bytes: &[u8], level: u8) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, FNAME, 1, 2, 3, 4, if level == 9 { 2 } else { 0 }, 3];
    file.extend_from_slice(b"name\0");
    let mut deflater = Deflater::new(Params { level, memory: 8, strategy: 0, window: 15 }).unwrap();
    let flow = deflater.write(bytes, true, |b| {
        file.extend_from_slice(b);
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    file.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    file.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    file
}

const FNAME: u8 = 8;

/// Takes a file apart and puts it together.
fn round_trip(file: &[u8], domain: &Domain) -> Split {
    let split = split(file, domain, &LIMITS).unwrap();
    let mut back = Vec::new();
    let mut sink = |bytes: &[u8]| {
        back.extend_from_slice(bytes);
        ControlFlow::Continue(())
    };
    join(&split.recipe, split.set.symbols(), domain, &LIMITS, &mut sink).unwrap();
    assert!(back == file);
    assert_eq!(examples(file, domain, &LIMITS).unwrap(), split.set);
    split
}

fn noise(n: usize, values: &[u8]) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        values[(state >> 16) as usize % values.len()]
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn idx_files_of_every_size() {
    for count in [0u32, 1, 3, 130] {
        for (values, alphabet) in [(&[0u8, 255][..], 2), (&[0, 1], 2), (&[0, 1, 2, 200, 255], 256), (&[0, 1, 2], 3)] {
            let data = noise(count as usize * 12, values);
            let split = round_trip(&idx(&[count, 3, 4], &data), &pictures(3, 4, alphabet));
            assert_eq!(split.set.len(), count as usize);
            assert!(split.set.iter().all(|e| e.len() == 12));
            assert!(split.recipe.len() < 12, "{}", split.recipe.len());
        }
    }
    let rgb = Domain::Pictures { channels: 3, height: 2, width: 2, alphabet: 256 };
    assert_eq!(round_trip(&idx(&[5, 2, 2, 3], &noise(60, &[9, 8])), &rgb).set.len(), 5);
    let points = pictures(1, 2, 200);
    assert_eq!(round_trip(&idx(&[5, 2], &noise(10, &[199, 8])), &points).set.example(4).len(), 2);
}

#[test]
fn gzipped_files_come_back_or_are_refused() {
    let inner = idx(&[100, 8, 8], &noise(6400, &[0, 0, 0, 255]));
    for level in [1, 6, 9] {
        let split = round_trip(&gzip(&inner, level), &pictures(8, 8, 2));
        assert!(split.recipe.len() < 40, "{}", split.recipe.len());
        assert_eq!(split.rebuilders.len(), 1);
    }
    let file = gzip(&inner, 6);
    for cut in [3, 12, 17, 200, file.len() - 9, file.len() - 1] {
        assert!(matches!(unzipped(&file[..cut], &LIMITS), Err(SetError::Gzip(_) | SetError::TooLarge { .. })), "{cut}");
    }
    for place in [20, 500, file.len() - 7, file.len() - 2] {
        let mut bad = file.clone();
        bad[place] ^= 0x10;
        assert!(unzipped(&bad, &LIMITS).is_err(), "{place}");
    }
    // A bomb: the length at the end is believed only as far as the limit goes.
    let bomb = gzip(&vec![0; 1 << 20], 9);
    let tight = Limits { max_bytes: 1000 };
    assert_eq!(unzipped(&bomb, &tight), Err(SetError::TooLarge { bytes: 1 << 20, limit: 1000 }));
    let mut lie = bomb.clone();
    let at = lie.len() - 4;
    lie[at..].copy_from_slice(&900u32.to_le_bytes());
    assert!(matches!(unzipped(&lie, &tight), Err(SetError::Gzip(_))));
}

#[test]
fn idx_files_cut_short_or_too_long() {
    let file = idx(&[3, 2, 2], &[255; 12]);
    let domain = pictures(2, 2, 2);
    let said = |file: &[u8]| examples(file, &domain, &LIMITS).unwrap_err().to_string();
    assert_eq!(said(&file[..20]), "the IDX file says 3 x 2 x 2 and is cut short: 4 of 12 bytes are there");
    assert_eq!(said(&file[..10]), "the IDX file is cut short in its header");
    assert_eq!(said(&[&file[..], &[1, 2]].concat()), "the IDX file says 3 x 2 x 2, and 2 bytes follow its end");
    let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
    assert!(said(&huge).ends_with("more than any file can hold"), "{}", said(&huge));
    let mut float = file.clone();
    float[2] = 0x0d;
    assert!(said(&float).contains("0x0d; only unsigned bytes"), "{}", said(&float));
    assert!(said(&idx(&[4], &[1; 4])).contains("labels, not pictures"));
    assert_eq!(labels(&idx(&[4], &[1, 2, 3, 9]), &LIMITS).unwrap(), [1, 2, 3, 9]);
    assert_eq!(labels(&file, &LIMITS), Err(SetError::Labels(3)));
}

#[test]
fn what_does_not_suit_the_network_is_named() {
    let said = |file: &[u8], domain: &Domain| split(file, domain, &LIMITS).unwrap_err().to_string();
    let small = idx(&[1, 2, 2], &[255; 4]);
    let wrong = said(&small, &pictures(28, 28, 2));
    assert_eq!(wrong, "its pictures are 2 x 2 with 1 channel, and the network is for 28 x 28 with 1 channel");
    let gray = said(&idx(&[1, 2, 2], &[0, 1, 255, 7]), &pictures(2, 2, 2));
    assert!(gray.contains("the value 7") && gray.contains("surprisal dataset binarize"), "{gray}");
    assert!(said(&idx(&[1, 2, 2], &[0, 3, 1, 2]), &pictures(2, 2, 3)).contains("the value 3"));
    assert_eq!(said(b"", &pictures(2, 2, 2)), SetError::NoPictures.to_string());
    assert_eq!(said(&small, &Domain::Photographs), SetError::Photographs.to_string());
}

#[test]
fn sheets_and_pictures() {
    // Four tiles of 3 x 2, two a row; the value of a pixel is its tile.
    let rows = [[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3], [2, 2, 2, 3, 3, 3]].concat();
    let file = [b"P5\n6 4\n255\n", &rows[..]].concat();
    let set = round_trip(&file, &pictures(2, 3, 256)).set;
    assert_eq!(set.symbols(), [[0u16; 6], [1; 6], [2; 6], [3; 6]].concat());
    let rgb = [b"P6 4 2 255 ", &noise(24, &[1, 2, 3, 4, 5])[..]].concat();
    let domain = Domain::Pictures { channels: 3, height: 2, width: 2, alphabet: 256 };
    assert_eq!(round_trip(&rgb, &domain).set.len(), 2);
    assert_eq!(pictures_of(&rgb, Some((2, 2)), &LIMITS), Ok(domain));
    assert!(pictures_of(&rgb, Some((3, 2)), &LIMITS).is_err());
    // Bits: a PBM and a PNG; 1 is black in the first, white in the second.
    let pbm = [b"P4\n# ten wide\n10 2\n", &[0xff, 0xc0, 0x00, 0x40][..], b"after"].concat();
    let set = round_trip(&pbm, &pictures(2, 10, 2)).set;
    assert_eq!(set.symbols(), [&[0u16; 10][..], &[1; 9], &[0]].concat());
    assert_eq!(pictures_of(&pbm, None, &LIMITS), Ok(pictures(2, 10, 2)));
    let png = include_bytes!("../../../tests/data/images/one_bit.png");
    let domain = pictures_of(png, None, &LIMITS).unwrap();
    assert_eq!(domain.alphabet(), Some(2));
    assert_eq!(round_trip(png, &domain).set.len(), 1);
    let palette = include_bytes!("../../../tests/data/images/palette.png");
    assert!(matches!(pictures_of(palette, None, &LIMITS), Err(SetError::Picture(_))));
}

#[test]
fn texts_with_other_bytes() {
    let domain = text_of([&b"abc "[..], b"xyz"], 5);
    assert_eq!(domain, Domain::Text { characters: b" abcxyz".to_vec(), segment: 5 });
    for text in ["", "a", "cab bac abc", "cab\u{e9} ?? \0 xyz", "????????"] {
        let split = round_trip(text.as_bytes(), &domain);
        assert_eq!(split.set.len(), text.len().div_ceil(5));
        let known = text.bytes().filter(|b| b" abcxyz".contains(b)).count();
        assert_eq!(split.recipe.len(), 3 + text.len() - known);
    }
    let set = examples(b"cab bac", &domain, &LIMITS).unwrap();
    assert_eq!(set.example(1), [1, 3]);
    assert_eq!((item_name("t", 1, 2), item_name("t", 0, 1)), ("t#1".into(), "t".into()));
}

#[test]
fn recipes_from_anywhere_never_panic() {
    let domain = pictures(2, 3, 256);
    let files = [
        idx(&[4, 2, 3], &noise(24, &[1, 2, 3])),
        gzip(&idx(&[4, 2, 3], &noise(24, &[1, 2, 3])), 6),
        [b"P5\n6 4\n255\n", &[7u8; 24][..]].concat(),
    ];
    let mut joined = 0;
    for file in files {
        let split = split(&file, &domain, &LIMITS).unwrap();
        for at in 0..split.recipe.len() {
            for bit in 0..8 {
                let mut recipe = split.recipe.clone();
                recipe[at] ^= 1 << bit;
                let mut sink = |_: &[u8]| ControlFlow::Continue(());
                joined += u32::from(join(&recipe, split.set.symbols(), &domain, &LIMITS, &mut sink).is_ok());
            }
            let mut sink = |_: &[u8]| ControlFlow::Continue(());
            let cut = join(&split.recipe[..at], split.set.symbols(), &domain, &LIMITS, &mut sink);
            assert!(cut.is_err());
        }
    }
    assert!(joined > 0, "some bits are free: those of a gzip header");
}
