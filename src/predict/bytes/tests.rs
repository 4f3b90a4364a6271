use super::*;
use proptest::prelude::*;

/// Pseudo-random words of a small vocabulary.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let words =
        ["the ", "likelihood ", "of ", "a ", "picture ", "is ", "its ", "code ", "length, ", "and ", "so\n", "Bits "];
    let mut state = seed;
    let mut out = Vec::new();
    while out.len() < length {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        out.extend_from_slice(words[(state >> 33) as usize % words.len()].as_bytes());
    }
    out.truncate(length);
    out
}

/// Records of 12 bytes: a counter, a slowly changing value, noise, a constant.
fn records(seed: u32, length: usize) -> Vec<u8> {
    let mut noise = seed;
    let mut out = Vec::new();
    for i in 0u32.. {
        noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
        out.extend_from_slice(&i.to_le_bytes());
        out.extend_from_slice(&(i / 7 * 300).to_be_bytes());
        out.extend_from_slice(&[(noise >> 24) as u8, 0, 0xff, 3]);
        if out.len() >= length {
            break;
        }
    }
    out.truncate(length);
    out
}

/// Rows of RGB pixels: a gradient with a little noise.
fn raster(width: usize, height: usize) -> Vec<u8> {
    let mut noise = 1u32;
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
            let base = x + y + (noise >> 30) as usize;
            out.extend([base as u8, (base + 10) as u8, (base / 2) as u8]);
        }
    }
    out
}

fn check(data: &[u8], hint: Hint) -> usize {
    let bytes = encode(data, hint);
    assert_eq!(decode(&bytes, data.len(), hint).unwrap(), data);
    let bits = measure(data, hint).ceil_bits() as usize;
    // Zeros at a stream's end are left away, so a stream may be shorter than its code length.
    assert!(bytes.len() * 8 <= bits + 40, "{} {bits}", bytes.len());
    bytes.len()
}

const NONE: Hint = Hint { record: 0, pixel: 0 };

#[test]
fn sizes_are_small_where_they_should_be() {
    assert_eq!(check(b"", NONE), 0);
    assert!(check(b"x", NONE) <= 4);
    for byte in [0, 0x55, 0xff] {
        let run = check(&[byte; 200_000], NONE);
        assert!(run < 100, "{byte} {run}");
    }
    // Twelve words of five letters on average: log2(12) / 5 = 0.717 bits a letter.
    let words = check(&text(1, 60_000), NONE);
    assert!(words < 5_700, "{words}");
    assert!(measure(&text(1, 60_000), NONE).ceil_bytes() as usize <= words + 5);
    // One byte in twelve is noise.
    let table = check(&records(1, 60_000), NONE);
    assert!(table < 6_500, "{table}");
    // Two bits a pixel are noise.
    let picture = raster(200, 100);
    let (with, without) = (check(&picture, Hint { record: 600, pixel: 3 }), check(&picture, NONE));
    assert!(with < 8_400 && with < without, "{with} {without}");
    // Noise grows by next to nothing.
    let noise: Vec<u8> = raster(100, 50)
        .iter()
        .zip(blake3::Hasher::new().update(b"n").finalize().as_bytes().iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    assert!(check(&noise, NONE) < noise.len());
    let mut random = vec![0; 20_000];
    blake3::Hasher::new().finalize_xof().fill(&mut random);
    assert!(check(&random, NONE) < 20_400);
}

/// The coded bytes of these inputs belong to this version: if this fails, the format has changed, so raise [`PART`]'s version
/// and then these hashes.
#[test]
fn the_format_is_that_of_the_version() {
    assert_eq!(PART, Part { name: "bytes", version: 1 });
    let mut hasher = blake3::Hasher::new();
    for (data, hint) in [
        (text(7, 20_000), NONE),
        (records(3, 20_000), NONE),
        (raster(100, 50), Hint { record: 300, pixel: 3 }),
        (raster(100, 50), Hint { record: 300, pixel: 0 }),
        (vec![0; 5_000], NONE),
        (b"a".to_vec(), NONE),
    ] {
        hasher.update(&encode(&data, hint));
    }
    assert_eq!(&hasher.finalize().to_hex()[..32], "4136cfa36593e1fba113c9cf4171b9d3");
}

fn hints() -> impl Strategy<Value = Hint> {
    prop_oneof![
        4 => Just(NONE),
        2 => (1u32..40, 0u32..6).prop_map(|(record, pixel)| Hint { record, pixel }),
        1 => (any::<u32>(), any::<u32>()).prop_map(|(record, pixel)| Hint { record, pixel }),
    ]
}

fn inputs() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        prop::collection::vec((any::<u8>(), 1usize..300), 0..12)
            .prop_map(|runs| runs.into_iter().flat_map(|(byte, n)| std::iter::repeat_n(byte, n)).collect()),
        (any::<u64>(), 0usize..2000).prop_map(|(seed, n)| text(seed, n)),
        (any::<u32>(), 0usize..2000).prop_map(|(seed, n)| records(seed, n)),
        // The same piece again and again: matches that end and start.
        (prop::collection::vec(any::<u8>(), 1..60), prop::collection::vec((0usize..60, 0usize..60), 0..20)).prop_map(
            |(piece, cuts)| cuts
                .into_iter()
                .flat_map(|(a, b)| piece[a.min(b).min(piece.len())..a.max(b).min(piece.len())].to_vec())
                .collect()
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn all_coders_agree(data in inputs(), hint in hints()) {
        check(&data, hint);
    }

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), length in 0usize..4000, hint in hints()) {
        if let Ok(data) = decode(&bytes, length, hint) {
            prop_assert_eq!(data.len(), length);
        }
    }
}
