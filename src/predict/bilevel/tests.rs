//! Pictures of bits come back, and compress as they should.

use super::*;
use proptest::prelude::*;

fn check(data: &[u8], line: usize) -> usize {
    let code = encode(data, line);
    assert!(decode(&code, data.len(), line).expect("sound") == data);
    let bits = measure(data, line).ceil_bytes() as usize;
    assert!(code.len().abs_diff(bits) <= 8, "{} bytes, {bits}", code.len());
    code.len()
}

/// Discs in rows, one pixel a bit.
fn discs(line: usize, height: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        let (a, b) = ((x % 61) as i32 - 30, (y % 47) as i32 - 23);
        u8::from(a * a + b * b < 300 + (x / 61 * 40) as i32)
    };
    let byte = |i: usize| (0..8).fold(0, |byte, bit| byte << 1 | pixel(i % line * 8 + bit, i / line));
    (0..line * height).map(byte).collect()
}

#[test]
fn outlines_are_what_is_paid() {
    let data = discs(40, 300);
    let coded = check(&data, 40);
    assert!(coded < data.len() / 20, "{coded} of {}", data.len());
    assert!(check(&vec![0; 20_000], 100) < 24);
}

/// The coded bytes belong to this version: if this fails, the format has changed, so raise [`PART`]'s version and then the hash.
#[test]
fn the_format_is_that_of_the_version() {
    assert_eq!(PART, Part { name: "bilevel", version: 1 });
    let mut hasher = blake3::Hasher::new();
    for (line, height) in [(1, 9), (7, 40), (40, 120)] {
        hasher.update(&encode(&discs(line, height), line));
    }
    assert_eq!(&hasher.finalize().to_hex()[..32], "52bbea4530a0dfa0e0ee181260c2d6ed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_comes_back(data in prop::collection::vec(any::<u8>(), 0..300), line in 1usize..20) {
        check(&data[..data.len() / line * line], line);
    }

    #[test]
    fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), line in 1usize..20, height in 1usize..20) {
        if let Ok(data) = decode(&bytes, line * height, line) {
            prop_assert_eq!(data.len(), line * height);
        }
    }
}
