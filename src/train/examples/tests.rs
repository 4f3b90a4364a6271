use super::draws::drawn;
use super::*;
use std::fs;

const PLAIN: Reading = Reading { tile: None, binarize: None, window: 16, mu_law: false, mutate: 0.0 };

/// An IDX file of gray pictures of 4 x 3.
fn idx(pictures: &[[u8; 12]]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, 3];
    [pictures.len() as u32, 3, 4].iter().for_each(|n| file.extend(n.to_be_bytes()));
    pictures.iter().for_each(|p| file.extend(p));
    file
}

fn gray(n: u8) -> Vec<[u8; 12]> {
    (0..n).map(|i| std::array::from_fn(|k| (i as usize * 31 + k * 23) as u8)).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn each_pass_draws_every_example_once() {
    for n in [1, 2, 3, 17, 100] {
        for pass in 0..3 {
            let mut seen: Vec<u64> = (0..n).map(|i| drawn(pass * n + i, n, 9)).collect();
            let order = seen.clone();
            seen.sort_unstable();
            assert_eq!(seen, (0..n).collect::<Vec<_>>());
            assert!(n < 17 || order != (0..n).map(|i| drawn(i + (pass + 1) * n, n, 9)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn one_in_twenty_is_held_out_and_never_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.idx3-ubyte", &idx(&gray(100)));
    let examples = Examples::open(&[path], None, &PLAIN).unwrap();
    assert_eq!(examples.domain(), &Domain::Pictures { channels: 1, height: 3, width: 4, alphabet: 256 });
    let held_out = examples.held_out();
    assert_eq!((examples.train(), held_out.count), (95, 5));
    let mut seen: Vec<Vec<u16>> = Vec::new();
    for step in 0..19 {
        let batch = examples.sample(5, 3, step);
        assert_eq!(batch, examples.sample(5, 3, step));
        seen.extend(batch.symbols.chunks(12).map(<[u16]>::to_vec));
    }
    assert!(seen.iter().all(|p| held_out.symbols.chunks(12).all(|h| h != p)));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 95, "a pass shows every picture");
    assert_eq!(examples.spread(50).count, 4);
    // The same pictures in another order and two files are the same examples.
    let mut turned = gray(100);
    turned.reverse();
    let (a, b) = (write(folder.path(), "b", &idx(&turned[..40])), write(folder.path(), "c", &idx(&turned[40..])));
    let again = Examples::open(&[a, b], None, &PLAIN).unwrap();
    assert_eq!(again.fingerprint(), examples.fingerprint());
    assert_eq!(again.sample(7, 1, 4), examples.sample(7, 1, 4));
}

#[test]
fn gray_pictures_become_binary_by_chance_or_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = vec![std::array::from_fn(|k| [0, 255, 64, 128, 127, 191][k % 6]); 40];
    let path = write(folder.path(), "a", &idx(&pictures));
    let open = |binarize| {
        Examples::open(std::slice::from_ref(&path), None, &Reading { binarize: Some(binarize), ..PLAIN }).unwrap()
    };
    let threshold = open(Binarize::Threshold);
    assert_eq!(threshold.domain().alphabet(), Some(2));
    assert_eq!(threshold.sample(1, 0, 0).symbols, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let sample = open(Binarize::Sample);
    let mut sums = [0u32; 12];
    for step in 0..500 {
        let symbols = sample.sample(4, 0, step).symbols;
        symbols.iter().enumerate().for_each(|(i, s)| sums[i % 12] += u32::from(*s));
    }
    for (sum, gray) in sums.iter().zip(pictures[0]) {
        let part = f64::from(*sum) / 2000.0;
        assert!((part - f64::from(gray) / 255.0).abs() < 0.05, "{gray}: {part}");
    }
    assert!(sample.sample(4, 0, 0) != sample.sample(4, 0, 1));
    assert_eq!(sample.held_out(), sample.held_out());
}

#[test]
fn symbols_are_replaced_as_often_as_asked_and_evenly() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a", &idx(&gray(100)));
    let open = |mutate| Examples::open(std::slice::from_ref(&path), None, &Reading { mutate, ..PLAIN }).unwrap();
    let (plain, mutated) = (open(0.0), open(0.3));
    assert_eq!(plain.fingerprint(), mutated.fingerprint(), "the same are held out");
    let (mut changed, mut high, mut all) = (0, 0, 0);
    for step in 0..200 {
        let (before, after) = (plain.sample(20, 3, step).symbols, mutated.sample(20, 3, step).symbols);
        let new: Vec<u16> = before.iter().zip(&after).filter(|(a, b)| a != b).map(|(_, b)| *b).collect();
        (changed, all) = (changed + new.len(), all + before.len());
        high += new.iter().filter(|s| **s >= 128).count();
        assert!(after.iter().all(|s| *s < 256));
    }
    // One in 256 is replaced by itself.
    let (rate, upper) = (changed as f64 / all as f64, high as f64 / changed as f64);
    assert!((rate - 0.3 * 255.0 / 256.0).abs() < 0.01 && (upper - 0.5).abs() < 0.02, "{rate} {upper}");
    assert!(mutated.sample(20, 3, 1) != mutated.sample(20, 4, 1));
    assert!(mutated.held_out() == mutated.held_out() && mutated.held_out() != plain.held_out());
    assert!(mutated.spread(500) != plain.spread(500));
}

#[test]
fn labels_stay_with_their_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a", &idx(&gray(50)));
    let mut file = vec![0, 0, 8, 1, 0, 0, 0, 50];
    file.extend(0..50u8);
    let labels = write(folder.path(), "labels", &file);
    let examples = Examples::open(std::slice::from_ref(&path), Some(&labels), &PLAIN).unwrap();
    assert_eq!(examples.classes(), 50);
    for batch in [examples.sample(30, 0, 0), examples.held_out()] {
        for (picture, class) in batch.symbols.chunks(12).zip(&batch.classes) {
            assert_eq!(picture[0], class * 31 % 256);
        }
    }
    fs::write(&labels, [&[0, 0, 8, 1, 0, 0, 0, 49][..], &file[8..57]].concat()).unwrap();
    let error = Examples::open(&[path], Some(&labels), &PLAIN).unwrap_err().to_string();
    assert!(error.contains("labels: it has 49 labels, and there are 50"), "{error}");
}

#[test]
fn sheets_are_cut_and_folders_may_hold_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = image::RgbImage::from_fn(40, 24, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
    for name in ["a.webp", "b.png", "c.ppm", "d.tiff"] {
        sheet.save(folder.path().join(name)).unwrap();
    }
    write(folder.path(), "labels.txt", b"1\n2\n3\n");
    let reading = Reading { tile: Some((8, 8)), ..PLAIN };
    let one = Examples::open(&[folder.path().join("a.webp")], None, &reading).unwrap();
    assert_eq!(one.domain(), &Domain::Pictures { channels: 3, height: 8, width: 8, alphabet: 256 });
    assert_eq!(one.train() + one.held_out().count as u64, 15);
    let all = Examples::open(&[folder.path().to_owned()], None, &reading).unwrap();
    assert_eq!((all.train() + all.held_out().count as u64, all.files().len()), (60, 4), "{:?}", all.warnings());
    assert!(all.warnings().len() == 1 && all.warnings()[0].contains("labels.txt"), "{:?}", all.warnings());
    let labels = write(folder.path(), "labels.txt", "7 ".repeat(15).as_bytes());
    assert_eq!(Examples::open(&[folder.path().join("b.png")], Some(&labels), &reading).unwrap().classes(), 8);
    let named = [folder.path().join("b.png"), labels];
    let error = Examples::open(&named, None, &reading).unwrap_err().to_string();
    assert!(error.contains("labels.txt: it is a text; the other files"), "{error}");
}

#[test]
fn texts_are_held_out_at_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let text: Vec<u8> = (0..900usize).map(|i| b"abcdef"[i * i % 7 % 6]).chain([b'z'; 100]).collect();
    let path = write(folder.path(), "a.txt", &text);
    let examples = Examples::open(&[path], None, &PLAIN).unwrap();
    let Domain::Text { characters, .. } = examples.domain() else { panic!("it is a text") };
    assert!(!characters.contains(&b'z'));
    let escape = characters.len() as u16;
    let held_out = examples.held_out();
    assert_eq!((held_out.count, held_out.symbols.len()), (1, 100));
    assert!(held_out.symbols.iter().all(|s| *s == escape));
    let batch = examples.sample(50, 0, 0);
    assert_eq!((batch.count, batch.symbols.len()), (50, 800));
    assert!(batch.symbols.iter().all(|s| *s < escape));
    assert!(batch != examples.sample(50, 0, 1) && batch == examples.sample(50, 0, 0));
}

#[test]
fn what_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |paths: &[&Path], reading: &Reading, says: &[&str]| {
        let paths: Vec<PathBuf> = paths.iter().map(|p| p.to_path_buf()).collect();
        let error = Examples::open(&paths, None, reading).unwrap_err().to_string();
        assert!(says.iter().all(|s| error.contains(s)), "{error}");
    };
    let one = write(folder.path(), "one", &idx(&gray(20)));
    let mut other = vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2];
    other.extend([1, 2, 3, 4]);
    let two = write(folder.path(), "two", &other);
    fails(&[&one, &two], &PLAIN, &["two", "2 x 2", "4 x 3"]);
    let cut = write(folder.path(), "cut", &idx(&gray(20))[..100]);
    fails(&[&cut], &PLAIN, &["cut"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    fails(&[&folder.path().join("empty")], &PLAIN, &["empty", "no file"]);
    fails(&[&folder.path().join("missing")], &PLAIN, &["missing"]);
    fails(&[&write(folder.path(), "nothing.txt", b"")], &PLAIN, &["nothing.txt", "too short"]);
    fails(&[&one], &Reading { tile: Some((3, 3)), ..PLAIN }, &["one", "tiles"]);
}
