//! The whole way from files to batches.

use super::random::Random;
use super::view::{Symmetry, View, Window};
use super::*;
use crate::engine::reference::neighbour;
use crate::zoo::window;
use image::{Rgb, RgbImage};
use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A picture unlike those with other seeds.
fn picture(width: u32, height: u32, seed: u64) -> RgbImage {
    let mut random = Random::new(&[seed]);
    let slope = random.below(5) as u32;
    RgbImage::from_fn(width, height, |x, y| {
        let noise = random.bits();
        Rgb([0, 8, 16].map(|shift| (x * slope + y + seed as u32 * 13) as u8 / 2 + (noise >> shift) as u8 % 32))
    })
}

/// A folder with so many pictures, and the path of a pack beside them.
fn folder(count: u64) -> (TempDir, Vec<PathBuf>, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for seed in 0..count {
        let (width, height) = (20 + seed as u32 * 3 % 17, 16 + seed as u32 * 5 % 23);
        picture(width, height, seed).save(photos.join(format!("p{seed}.png"))).unwrap();
    }
    let pack = dir.path().join("pictures.pack");
    (dir, vec![photos], pack)
}

fn open(paths: &[PathBuf], pack: &std::path::Path) -> Corpus {
    Corpus::open(paths, pack, &|_, _| {}).unwrap()
}

fn fault(paths: &[PathBuf], pack: &std::path::Path) -> String {
    let error = Corpus::open(paths, pack, &|_, _| {}).unwrap_err().to_string();
    assert!(!pack.exists(), "a pack was left behind");
    error
}

#[test]
fn a_pack_is_made_once_and_used_again_for_the_same_files_only() {
    let (_dir, paths, pack) = folder(5);
    let told = RefCell::new(Vec::new());
    let first = Corpus::open(&paths, &pack, &|done, all| told.borrow_mut().push((done, all))).unwrap();
    assert_eq!(*told.borrow(), [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    assert!(!first.reused() && first.warnings().is_empty(), "{:?}", first.warnings());
    let offsets = window::offsets(3);
    let batch = first.train().sample(&offsets, 500, 1, 2, &Augment::default());
    let again = open(&paths, &pack);
    assert!(again.reused() && again.fingerprint() == first.fingerprint() && again.files() == first.files());
    assert!(again.train().sample(&offsets, 500, 1, 2, &Augment::default()) == batch);
    // Names and folders do not matter for what is seen; a file more does.
    fs::rename(paths[0].join("p0.png"), paths[0].join("z.png")).unwrap();
    let renamed = open(&paths, &pack);
    assert!(!renamed.reused() && renamed.fingerprint() == first.fingerprint());
    assert!(renamed.train().sample(&offsets, 500, 1, 2, &Augment::default()) == batch);
    picture(30, 30, 99).save(paths[0].join("more.png")).unwrap();
    let more = open(&paths, &pack);
    assert!(!more.reused() && more.fingerprint() != first.fingerprint());
    // A pack that was cut off or changed is made again.
    let whole = fs::read(&pack).unwrap();
    let broken = [
        &whole[..whole.len() - 1],
        &whole[..40],
        &whole[..9],
        &[&whole[..whole.len() - 90], &[0; 10], &whole[whole.len() - 80..]].concat(),
    ];
    for broken in broken {
        fs::write(&pack, broken).unwrap();
        let repaired = open(&paths, &pack);
        assert!(!repaired.reused() && repaired.fingerprint() == more.fingerprint());
    }
    assert!(open(&paths, &pack).reused());
    let left: Vec<_> = fs::read_dir(pack.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn pictures_are_held_out_by_what_they_show() {
    for (count, held_out) in [(1, 0), (2, 1), (5, 1), (29, 1), (30, 2), (50, 3)] {
        let (_dir, paths, pack) = folder(count);
        let corpus = open(&paths, &pack);
        let sets = (corpus.train().len(), corpus.held_out().len());
        assert_eq!(sets, (count as usize - held_out, held_out), "{count} pictures");
        assert_eq!(corpus.files().iter().filter(|f| f.held_out).count(), held_out);
        let pixels: u64 = (0..count).map(|s| (20 + s * 3 % 17) * (16 + s * 5 % 23)).sum();
        assert_eq!(corpus.train().pixels() + corpus.held_out().pixels(), pixels);
        assert_eq!(corpus.warnings().len(), usize::from(count == 1));
        // A window of one set is never a position of the other: each picture lies in one of them.
        let crops = |set: &Set| set.pictures(100);
        let out = crops(corpus.held_out());
        assert!(crops(corpus.train()).iter().all(|p| !out.contains(p)));
    }
    let (_dir, paths, pack) = folder(1);
    let corpus = open(&paths, &pack);
    let none = corpus.held_out().fixed(&window::offsets(2), 10);
    assert_eq!((none.count, none.window.len()), (0, 0));
    assert_eq!(corpus.held_out().sample(&window::offsets(2), 10, 0, 0, &Augment::default()).count, 0);
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_used() {
    let (_dir, paths, pack) = folder(3);
    let at = |name: &str| paths[0].join(name);
    let whole = fs::read(at("p1.png")).unwrap();
    fs::write(at("a broken\u{1b} ü.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("_sources.json"), "[]").unwrap();
    fs::write(at("empty.jpg"), "").unwrap();
    picture(15, 40, 1).save(at("thin.bmp")).unwrap();
    picture(40, 40, 7).save(at("x.jpg")).unwrap();
    fs::copy(at("p2.png"), at("again.png")).unwrap();
    let corpus = open(&paths, &pack);
    assert_eq!(corpus.train().len() + corpus.held_out().len(), 4);
    assert_eq!(corpus.files().len(), 5);
    let warnings = corpus.warnings();
    let has = |name: &str, what: &str| {
        assert!(warnings.iter().any(|w| w.contains(name) && w.contains(what)), "{name} {what}: {warnings:?}");
    };
    has("a broken\u{1b} ü.png", "broken");
    has("empty.jpg", "is empty");
    has("thin.bmp", "too small");
    has("1 of 5 pictures", "JPEG");
    has("1 of 5 files", "once");
    assert_eq!(warnings.len(), 5);
    // The same words when the pack is there already.
    let again = open(&paths, &pack);
    assert!(again.reused() && again.warnings() == warnings);
    let p2 = fs::read(at("p2.png")).unwrap();
    let hash = blake3::hash(&p2).to_hex().to_string();
    let same: Vec<_> = corpus.files().iter().filter(|f| f.hash == hash).map(|f| f.name.as_str()).collect();
    assert_eq!(same, ["photos/again.png", "photos/p2.png"]);
}

#[test]
fn a_folder_without_pictures_is_an_error_that_says_what_to_do() {
    let (dir, paths, pack) = folder(2);
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let error = fault(&[paths[0].clone(), empty.clone()], &pack);
    assert!(error.contains("empty: no usable pictures (there are none in it); name a folder"), "{error}");
    fs::write(empty.join("note.txt"), "nothing").unwrap();
    fs::write(empty.join("a.png"), "nothing").unwrap();
    let error = fault(std::slice::from_ref(&empty), &pack);
    assert!(error.contains("a.png is in none of the formats"), "{error}");
    fs::write(empty.join("b.png"), "nothing").unwrap();
    let error = fault(&[empty], &pack);
    assert!(error.contains("and 1 more were skipped"), "{error}");
    let error = fault(&[dir.path().join("missing")], &pack);
    assert!(error.contains("missing: cannot be read"), "{error}");
    assert!(fault(&[], &pack).contains("no folder"));
    let nowhere = dir.path().join("nowhere/pack");
    let error = fault(&paths, &nowhere);
    assert!(error.contains("nowhere/pack") && error.contains("another place"), "{error}");
}

#[test]
fn what_is_no_pack_is_not_replaced() {
    let (_dir, paths, pack) = folder(2);
    for other in ["a file of the user's", "", "SRPPAC"] {
        fs::write(&pack, other).unwrap();
        let error = Corpus::open(&paths, &pack, &|_, _| {}).unwrap_err().to_string();
        assert!(error.contains("pictures.pack") && error.contains("something else"), "{error}");
        assert_eq!(fs::read_to_string(&pack).unwrap(), other);
    }
    // One of another version is.
    fs::write(&pack, "SRPPACK0 of long ago").unwrap();
    assert!(!open(&paths, &pack).reused());
}

#[test]
fn a_pack_inside_the_folder_is_no_picture() {
    let (_dir, paths, _) = folder(2);
    let pack = paths[0].join("own.png");
    assert!(!open(&paths, &pack).reused());
    let again = open(&paths, &pack);
    assert!(again.reused() && again.warnings().is_empty() && again.files().len() == 2);
}

/// Every window of a view, each followed by its pixel.
fn windows(
    samples: &[u8],
    height: usize,
    width: usize,
    symmetry: Symmetry,
    offsets: &[crate::spec::Offset],
) -> Vec<Vec<u8>> {
    let (view, shape) = (View::new(samples, height, width, symmetry), Window::new(offsets));
    let all = (0..view.height()).flat_map(|r| (0..view.width()).map(move |c| (r, c)));
    let each = all.map(|(row, column)| {
        let mut out = vec![0; shape.samples()];
        view.window(&shape, row, column, &mut out);
        out.extend(view.pixel(row, column));
        out
    });
    each.collect()
}

fn rows(batch: &Batch) -> Vec<Vec<u8>> {
    let size = batch.window.len() / batch.count;
    let pairs = batch.window.chunks(size).zip(batch.pixel.chunks(3));
    pairs.map(|(w, p)| [w, p].concat()).collect()
}

#[test]
fn samples_are_windows_of_the_pictures_and_reach_all_positions() {
    let dir = tempfile::tempdir().unwrap();
    let image = picture(19, 16, 3);
    image.save(dir.path().join("a.png")).unwrap();
    let corpus = open(&[dir.path().to_owned()], &dir.path().join("pack"));
    let offsets = window::offsets(4);
    let samples: Vec<u8> = image.pixels().flat_map(|p| [p.0[1], p.0[0], p.0[2]]).collect();
    let plain = windows(&samples, 16, 19, Symmetry::IDENTITY, &offsets);
    let set = corpus.train();
    let batch = set.sample(&offsets, 6000, 5, 1, &Augment::none());
    assert_eq!(batch.window.len(), 6000 * 3 * offsets.len());
    let drawn = rows(&batch);
    assert!(drawn.iter().all(|w| plain.contains(w)));
    assert!(plain.iter().all(|w| drawn.contains(w)), "a position is never drawn");
    // Other seeds and steps give other batches; the same arguments the same, whatever was drawn in between.
    assert!(set.sample(&offsets, 6000, 5, 2, &Augment::none()) != batch);
    assert!(set.sample(&offsets, 6000, 6, 1, &Augment::none()) != batch);
    assert!(set.sample(&offsets, 6000, 5, 1, &Augment::none()) == batch);
    // With symmetries: windows of one of the eight pictures, all of them.
    let all: Vec<_> = Symmetry::ALL.iter().map(|s| windows(&samples, 16, 19, *s, &offsets)).collect();
    let drawn = rows(&set.sample(&offsets, 1000, 5, 1, &Augment { symmetries: true, ..Augment::none() }));
    let from = |w: &Vec<u8>| all.iter().position(|windows| windows.contains(w)).expect("a window of no symmetry");
    let seen: std::collections::BTreeSet<_> = drawn.iter().map(from).collect();
    assert_eq!(seen.len(), 8);
    // Darkening: windows of a darkened picture.
    let tone = Augment { tone: true, ..Augment::none() };
    let dark = (0..40)
        .map(|step| set.sample(&offsets, 300, 5, step, &tone))
        .find(|b| rows(b).iter().any(|w| !plain.contains(w)));
    let dark = dark.expect("a quarter of the steps is darkened");
    let mut table = [None; 256];
    let light = set.sample(
        &offsets,
        300,
        5,
        (0..40).find(|s| set.sample(&offsets, 300, 5, *s, &tone) == dark).unwrap(),
        &Augment::none(),
    );
    assert_eq!(light.count, dark.count);
    // The curve is a function of the value; positions differ, since the curve was drawn before them.
    let values: std::collections::BTreeSet<u8> = dark.pixel.iter().copied().collect();
    assert!(values.iter().max() <= samples.iter().max());
    for (dark, plain) in rows(&dark).iter().filter_map(|w| Some((w, matching(w, &plain)?))) {
        for (d, p) in dark.iter().zip(plain) {
            assert!(*table[usize::from(*p)].get_or_insert(*d) == *d || *p == view::NOTHING);
        }
    }
}

/// The window with the same order of values: which one was darkened.
fn matching<'a>(dark: &[u8], plain: &'a [Vec<u8>]) -> Option<&'a Vec<u8>> {
    let fits = |w: &&Vec<u8>| {
        let mut table = [None; 256];
        w.iter().zip(dark).all(|(p, d)| *table[usize::from(*p)].get_or_insert(*d) == *d && d <= p)
    };
    let mut all = plain.iter().filter(fits);
    all.next().filter(|_| all.next().is_none())
}

#[test]
fn borders_and_softened_copies_get_their_share() {
    let (_dir, paths, pack) = folder(0);
    picture(400, 300, 1).save(paths[0].join("a.png")).unwrap();
    let corpus = open(&paths, &pack);
    let offsets = window::offsets(5);
    let set = corpus.train();
    // In the first two rows the neighbours up and to the right are one sample, by the rule of padding.
    let top = |augment: &Augment| {
        let drawn = rows(&set.sample(&offsets, 40_000, 0, 0, augment));
        let at = |row, column| offsets.iter().position(|o| (o.row, o.column) == (row, column)).unwrap();
        let (a, b, c) = (at(-1, 1), at(-2, 2), at(-3, 3));
        drawn
            .iter()
            .filter(|w| {
                (0..3).all(|k| {
                    let k = k * offsets.len();
                    w[k + a] == w[k + b] && w[k + b] == w[k + c]
                })
            })
            .count()
    };
    let (without, with) = (top(&Augment::none()), top(&Augment { borders: true, ..Augment::none() }));
    // Two rows of 300; a hundredth of the samples lies at the top, two fifths of them in these rows.
    assert!(without.abs_diff(267) < 50 && with.abs_diff(267 + 160) < 60, "{without} {with}");
    let shown: std::collections::HashSet<_> = {
        let image = image::open(paths[0].join("a.png")).unwrap().into_rgb8();
        let samples: Vec<u8> = image.pixels().flat_map(|p| [p.0[1], p.0[0], p.0[2]]).collect();
        windows(&samples, 300, 400, Symmetry::IDENTITY, &offsets).into_iter().collect()
    };
    let soft = rows(&set.sample(&offsets, 20_000, 0, 0, &Augment { soft: true, ..Augment::none() }));
    let soft = soft.iter().filter(|w| !shown.contains(*w)).count();
    assert!(soft.abs_diff(3000) < 200, "{soft}");
}

#[test]
fn validation_looks_at_the_same_positions_of_a_picture_whatever_the_others_are() {
    let (_dir, paths, pack) = folder(6);
    let offsets = window::offsets(3);
    let corpus = open(&paths, &pack);
    let of = |set: &Set| rows(&set.fixed(&offsets, 50)).chunks(50).map(<[_]>::to_vec).collect::<Vec<_>>();
    let (train, held_out) = (of(corpus.train()), of(corpus.held_out()));
    assert_eq!((train.len(), held_out.len()), (5, 1));
    assert!(of(corpus.train()) == train);
    // Each is a window of its picture, by the reference.
    for (windows, planes) in train.iter().zip(corpus.train().pictures(5)) {
        let (height, width) = (planes[0].len(), planes[0][0].len());
        let all = (0..height).flat_map(|r| (0..width).map(move |c| (r, c))).map(|(r, c)| {
            let near = planes.iter().flat_map(|plane| offsets.iter().map(move |o| neighbour(plane, r, c, *o) as u8));
            near.chain(planes.iter().map(|plane| plane[r][c])).collect::<Vec<u8>>()
        });
        let all: Vec<_> = all.collect();
        assert!(windows.iter().all(|w| all.contains(w)));
    }
    picture(33, 44, 50).save(paths[0].join("more.png")).unwrap();
    let more = open(&paths, &pack);
    let all: Vec<_> = of(more.train()).into_iter().chain(of(more.held_out())).collect();
    assert!(train.iter().chain(&held_out).all(|windows| all.contains(windows)));
}

#[test]
fn pictures_for_calibration_are_few_and_small() {
    let (_dir, paths, pack) = folder(3);
    picture(700, 520, 9).save(paths[0].join("large.png")).unwrap();
    let corpus = open(&paths, &pack);
    let all: Vec<_> = [corpus.train(), corpus.held_out()].iter().flat_map(|set| set.pictures(9)).collect();
    assert_eq!(all.len(), 4);
    assert_eq!(corpus.train().pictures(2).len(), 2);
    let large = all.iter().find(|p| p[0].len() > 100).unwrap();
    assert_eq!((large.len(), large[0].len(), large[0][0].len()), (3, 512, 512));
    let image = image::open(paths[0].join("large.png")).unwrap().into_rgb8();
    let pixel = image.get_pixel(94 + 10, 4 + 20).0;
    assert_eq!([large[0][20][10], large[1][20][10], large[2][20][10]], [pixel[1], pixel[0], pixel[2]]);
}
