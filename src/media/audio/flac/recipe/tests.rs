use super::super::frame::{Form, Head, Making, apart, coded_bits, is_reasonable, usual_size_code};
use super::super::subframe::{Kind, Parameter, Subframe, ends};
use super::Maker;
use crate::media::audio::flac;
use crate::media::{self, Content, Limits, MediaError, Options, Outcome, Split};
use proptest::prelude::*;

const LIMITS: Limits = Limits { max_bytes: 1 << 22 };

fn fixtures() -> Vec<(&'static str, Vec<u8>, u64)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sounds");
    [("stereo8", 6000), ("mono0", 2500), ("wide5", 1400), ("tagged", 2400)]
        .map(|(name, samples)| (name, std::fs::read(folder.join(name).with_extension("flac")).unwrap(), samples))
        .to_vec()
}

fn split_of(file: &[u8]) -> Split {
    match media::split(file, Options::default(), &LIMITS) {
        Outcome::Split(split) => *split,
        Outcome::Opaque { note } => panic!("not split: {note:?}"),
    }
}

fn comes_back(file: &[u8]) -> Split {
    let split = split_of(file);
    assert!(media::join(split.medium, &split.recipe, &split.content, &LIMITS).unwrap() == file);
    split
}

#[test]
fn files_of_an_encoder_come_back_and_their_decisions_cost_little() {
    for (name, file, samples) in fixtures() {
        let split = comes_back(&file);
        let Content::Pcm(pcm) = &split.content else { panic!("no samples") };
        assert_eq!(pcm.bytes.len() as u64, samples * pcm.frames.format.bytes() as u64, "{name}");
        // Head, tags and all; the frames alone have headers and parameters of more bytes.
        assert!(split.recipe.len() < 420, "{name}: {}", split.recipe.len());
        let bare = if name == "tagged" { &file[30..file.len() - 128] } else { &file[..] };
        let theirs = flac::read(bare, &LIMITS).unwrap();
        assert!(pcm.frames.format.integers(&pcm.bytes) == theirs.samples, "{name}");
    }
}

#[test]
fn what_is_cut_or_damaged_comes_back_too() {
    for (_, file, _) in fixtures() {
        for end in [file.len() - 1, file.len() / 2, file.len() / 3] {
            match media::split(&file[..end], Options::default(), &LIMITS) {
                Outcome::Split(_) => drop(comes_back(&file[..end])),
                Outcome::Opaque { note } => assert!(note.is_none_or(|n| n.contains("no frame"))),
            }
        }
        let mut damaged = file.clone();
        let at = file.len() * 3 / 4;
        damaged[at] ^= 16;
        if let Outcome::Split(_) = media::split(&damaged, Options::default(), &LIMITS) {
            comes_back(&damaged);
        }
    }
}

/// Feeds samples in pieces of so many frames; those from `lost` on are silence.
fn made(split: &Split, piece: usize, lost: usize) -> Vec<u8> {
    let Content::Pcm(pcm) = &split.content else { panic!("no samples") };
    let mut maker = Maker::new(&split.recipe, &pcm.frames, pcm.bytes.len() as u64).unwrap();
    let mut file = maker.before();
    for (i, bytes) in pcm.bytes.chunks(piece * pcm.frames.bytes()).enumerate() {
        let mut bytes = bytes.to_vec();
        if i * piece >= lost {
            maker.lose();
            bytes.fill(0);
        }
        let mut out = |frame: &[u8]| -> Result<(), MediaError> {
            file.extend_from_slice(frame);
            Ok(())
        };
        maker.feed(&bytes, &mut out).unwrap();
    }
    file.extend_from_slice(maker.after().unwrap());
    file
}

#[test]
fn samples_may_come_in_any_pieces_and_be_lost() {
    for (name, file, _) in fixtures() {
        let split = split_of(&file);
        for piece in [1, 100, 577, 5000] {
            assert!(made(&split, piece, usize::MAX) == file, "{name} {piece}");
        }
        // What was lost is silent, and the rest is a FLAC file: a good one but for its MD5.
        let partial = made(&split, 100, 600);
        let again = split_of(&partial);
        let (Content::Pcm(old), Content::Pcm(new)) = (&split.content, &again.content) else { panic!("no samples") };
        let kept = 600 * old.frames.bytes();
        assert!(old.bytes.len() == new.bytes.len() && old.bytes[..kept] == new.bytes[..kept], "{name}");
        assert!(new.bytes[kept..].iter().all(|b| *b == 0), "{name}");
        let Content::Pcm(pcm) = &split.content else { panic!("no samples") };
        let mut maker = Maker::without_recipe(&pcm.frames, pcm.bytes.len() as u64);
        let mut bare = maker.before();
        let mut out = |frame: &[u8]| -> Result<(), MediaError> {
            bare.extend_from_slice(frame);
            Ok(())
        };
        maker.feed(&pcm.bytes, &mut out).unwrap();
        assert!(maker.after().is_ok());
        let sound = flac::read(&bare, &LIMITS).unwrap();
        assert!(pcm.frames.format.integers(&pcm.bytes) == sound.samples && sound.rate == pcm.frames.rate, "{name}");
    }
}

#[test]
fn damaged_recipes_are_refused_or_make_something_else() {
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for (_, file, _) in fixtures() {
        let split = split_of(&file);
        for _ in 0..150 {
            let mut recipe = split.recipe.clone();
            let at = random(recipe.len());
            match random(3) {
                0 => recipe[at] ^= 1 << random(8),
                1 => recipe[at] = random(256) as u8,
                _ => recipe.truncate(at),
            }
            if let Ok(other) = media::join(split.medium, &recipe, &split.content, &LIMITS) {
                assert!(other.len() as u64 <= LIMITS.max_bytes);
            }
        }
    }
}

/// A file with one head, of frames that are given.
fn file_of(form: Form, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"fLaC\x80\0\0\x22\0\x10\0\x10\0\0\0\0\0\0".to_vec();
    file.extend([10, 0xc4, 0x40 | (form.channels - 1) << 1 | ((form.bits - 1) >> 4) as u8]);
    file.push(((form.bits - 1) << 4) as u8);
    file.extend([0; 20]);
    file.extend(frames.concat());
    file
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    /// Whatever an encoder may choose.
    #[test]
    fn every_choice_comes_back(
        (channels, bits) in (1u8..4, 4u32..33),
        assignment in 0u8..4,
        seed: u32,
        frames in prop::collection::vec((1usize..300, 0u32..8, 0u32..36, any::<bool>(), 0u32..4), 1..6),
    ) {
        let form = Form { channels, bits };
        let mut state = seed;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((u64::from(state >> 8) * u64::from(below)) >> 24) as u32
        };
        let assignment = if channels == 2 && assignment > 0 { 7 + assignment } else { channels - 1 };
        let (mut list, mut count, mut reasonable) = (Vec::new(), 0, true);
        let variable = random(2) == 1;
        for (number, (size, kind, order, wide, partition)) in frames.into_iter().enumerate() {
            let size = size << partition;
            let step = 1i64 << random(bits.min(20));
            let mut walk = 0i64;
            let samples: Vec<i32> = (0..size * usize::from(channels))
                .map(|_| {
                    walk = (walk + i64::from(random(65536)) * step / 65536 - step / 2)
                        .clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
                    if kind == 0 { 0 } else { walk as i32 }
                })
                .collect();
            let size_code = usual_size_code(size as u32);
            let head = Head {
                variable,
                number: number as u64 * 0x1234_5678,
                size: size as u32,
                size_code,
                rate_code: 9 + (number % 2) as u8 * 4,
                rate: if number % 2 == 1 { 44_100 } else { 0 },
                assignment,
                bits_code: 0,
            };
            let mut making = Making::new(&head);
            for (channel, samples) in apart(&samples, channels, assignment).into_iter().enumerate() {
                let bits = coded_bits(form, assignment, channel);
                let kind = match kind {
                    0 => Kind::Constant,
                    1 => Kind::Verbatim,
                    2 | 3 => Kind::Fixed((order as usize % 5).min(size >> partition)),
                    _ => {
                        let precision = 1 + random(15);
                        let count = (1 + order as usize % 32).min(size >> partition);
                        let one = |_| random(1 << precision) as i32 - (1 << (precision - 1));
                        Kind::Lpc { precision, shift: 12 + order % 4, coefficients: (0..count).map(one).collect() }
                    }
                };
                let wasted = samples.iter().fold(0, |all, s| all | s).trailing_zeros().min(bits - 1);
                let samples: Vec<i64> = samples.iter().map(|s| s >> wasted).collect();
                let mut subframe = Subframe { wasted, kind, wide, order: 0, parameters: Vec::new() };
                let residual = subframe.residual(&samples);
                if subframe.kind.is_predicted() {
                    subframe.order = partition;
                    prop_assert!(ends(size, partition, subframe.kind.order()).is_some());
                    let largest = residual.iter().fold(0, |most, r| most | (r << 1 ^ r >> 63) as u64);
                    let need = 64 - largest.leading_zeros();
                    for _ in 0..1 << partition {
                        let near = need.saturating_sub(random(4)).min(if wide { 30 } else { 14 });
                        let plain = need < 32 && random(3) == 0;
                        subframe.parameters.push(if plain { Parameter::Plain(need) } else { Parameter::Rice(near) });
                    }
                } else {
                    subframe.wide = false;
                }
                prop_assert!(subframe.is_possible(size, bits));
                let written = making.channel(&subframe, &samples, &residual, bits);
                prop_assume!(written.is_ok());
            }
            list.push(making.finish());
            count += samples.len();
            reasonable &= is_reasonable(list[list.len() - 1].len(), samples.len());
        }
        prop_assume!(reasonable);
        let file = file_of(form, &list);
        let split = comes_back(&file);
        let Content::Pcm(pcm) = &split.content else { panic!("no samples") };
        prop_assert_eq!(pcm.bytes.len(), count * pcm.frames.format.bytes());
    }
}
