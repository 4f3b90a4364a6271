//! Files with an adaptation of the network: they come back, are measured as they are written, and are never the larger for it.

use crate::common::seeds::{models, waves};
use crate::common::{Random, photo, pnm};
use surprisal::codec::{DEFAULT_LIMIT, Effort, Fit, Level, Options, compress, decompress, measure};
use surprisal::container;

/// Name and bytes of pictures that are large enough, and whether an adaptation must pay.
fn files() -> Vec<(&'static str, Vec<u8>, bool)> {
    let waves = waves(90, 80);
    let gray: Vec<u8> = waves.iter().step_by(3).copied().collect();
    let noise = Random(6).bytes(70 * 64 * 3);
    let drawing: Vec<u8> =
        (0..72 * 72 * 3).map(|i| if (i / 3 % 72) / 7 % 3 == (i / 216) / 9 % 2 { 250 } else { 31 }).collect();
    let mixed = [&waves[..90 * 36 * 3], &Random(7).bytes(90 * 36 * 3)].concat();
    vec![
        ("waves", pnm(90, 80, 3, &waves), true),
        ("gray", pnm(90, 80, 1, &gray), true),
        ("photo", pnm(100, 70, 3, &photo(100, 70)), false),
        ("noise", pnm(70, 64, 3, &noise), false),
        ("drawing", pnm(72, 72, 3, &drawing), false),
        ("mixed", pnm(90, 72, 3, &mixed), false),
        ("thin", pnm(1, 5000, 3, &photo(50, 100)), false),
        ("tiny", pnm(20, 20, 3, &photo(20, 20)), false),
    ]
}

/// The default level with another fit.
fn level(fit: Fit) -> Level {
    Level { fit, ..Effort::default().level() }
}

#[test]
fn adapted_files_come_back_and_are_no_larger() {
    let models = models();
    let fit = Fit { steps: 30, batch: 128, rate: 0.03, share: 1.0 };
    for (name, file, pays) in files() {
        let with = Options { level: level(fit), ..Options::default() };
        let without = Options { level: level(Fit::NONE), ..with };
        let made = compress(&file, &models, &with, &()).expect(name).bytes;
        let plain = compress(&file, &models, &without, &()).expect(name).bytes;
        assert!(decompress(&made, &models, DEFAULT_LIMIT, &()).expect(name) == file, "{name}");
        assert!(made.len() <= plain.len() + 8, "{name}: {} of {}", made.len(), plain.len());
        let header = container::open(&made).expect(name).header;
        assert!(!pays || header.adaptation().is_some(), "{name} has no adaptation");
        assert!(container::open(&plain).expect(name).header.adaptation().is_none());
        let summary = measure(&file, &models, &with, &()).expect(name).summary;
        let measured = summary.cost.ceil_bytes() + summary.overhead;
        let slack = 8 * summary.chunks as u64;
        assert!(measured.abs_diff(made.len() as u64) <= slack, "{name}: measured {measured}, written {}", made.len());
        println!("{name}: {} bytes, {} without adaptation", made.len(), plain.len());
    }
}

#[test]
fn streams_do_not_depend_on_the_number_of_threads() {
    let (_, file, _) = files().swap_remove(0);
    let options = Options { level: level(Fit { steps: 20, batch: 128, rate: 0.03, share: 1.0 }), ..Options::default() };
    let made = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| compress(&file, &models(), &options, &()).expect("compressed").bytes)
    };
    let first = made(1);
    assert!([2, 7].into_iter().all(|threads| made(threads) == first));
}
