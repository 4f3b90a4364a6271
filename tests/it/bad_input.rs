//! Files that are damaged, extreme or in the way: each is coded exactly, or refused with nothing half written. Accidents are in
//! `tests/it/torture`.

use crate::common::{
    Random, bmp, expect, hangs, palette_png, photo, photo_png, png_chunk, pnm, round_trip, stderr, stdout, surprisal,
    text,
};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_empty_file() {
    assert!(round_trip("empty", b"").len() <= 64);
    round_trip("empty.png", b"");
}

#[test]
fn one_pixel() {
    for channels in [1, 3] {
        round_trip("one.pnm", &pnm(1, 1, channels, &[7, 8, 9][..channels as usize]));
    }
    round_trip("one.png", &crate::common::png(1, 1, 8, 2, 3, &[1, 2, 3], &[]));
    round_trip("one.bmp", &bmp(1, 1, &[1, 2, 3]));
}

/// Runs `compress`, `test` and `decompress` with a bound on the whole address space.
fn within(megabytes: u32, name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let program = assert_cmd::cargo::cargo_bin("surprisal");
    for command in [format!("compress {name}"), format!("test {name}.srp"), format!("decompress -o back {name}.srp")] {
        let script = format!("ulimit -v {}; exec '{}' -T 1 {command}", megabytes * 1024, program.display());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command} within {megabytes} MB: {}", stderr(&output));
    }
    assert!(fs::read(folder.path().join("back")).unwrap() == bytes);
}

#[cfg(target_os = "linux")]
#[test]
fn long_and_thin_pictures() {
    let mut random = Random(11);
    let samples: Vec<u8> = (0..65535 * 3).map(|i| (i / 900) as u8 ^ (random.below(4) as u8)).collect();
    for (width, height) in [(65535, 1), (1, 65535)] {
        within(300, "thin.ppm", &pnm(width, height, 3, &samples));
    }
    within(300, "thin.png", &crate::common::png(65535, 1, 8, 2, 3, &samples, &[]));
}

#[test]
fn damaged_pngs_are_stored_exactly_with_a_note() {
    let good = photo_png(64, 48);
    let check = |name: &str, bytes: &[u8]| {
        round_trip(name, bytes);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        stderr(&expect(folder.path(), &["compress", name], 0))
    };
    for cut in [9, 30, 60, good.len() / 2, good.len() - 20] {
        let said = check("cut.png", &good[..cut]);
        assert!(said.lines().count() == 2, "cut at {cut}, without a note: {said}");
    }
    // All samples are there: coded as a picture, and its end is still missing when it comes back.
    check("cut.png", &good[..good.len() - 5]);
    // A wrong CRC of IDAT and of IHDR.
    for place in [good.len() - 14, 29] {
        let mut bad = good.clone();
        bad[place] ^= 1;
        check("crc.png", &bad);
    }
    // A zlib stream with a wrong Adler-32, all CRCs right.
    let idat = good.windows(4).position(|w| w == b"IDAT").unwrap();
    let mut data = good[idat + 4..good.len() - 16].to_vec();
    *data.last_mut().unwrap() ^= 1;
    let bad = [&good[..idat - 4], &png_chunk(b"IDAT", &data), &png_chunk(b"IEND", &[])].concat();
    check("adler.png", &bad);
}

#[test]
fn what_follows_a_png_comes_back() {
    let good = photo_png(64, 48);
    let more = [&good[..], b"appended by somebody"].concat();
    assert!(round_trip("more.png", &more).len() < good.len() * 9 / 10, "still coded as a picture");
    round_trip("twice.png", &[&good[..], &good].concat());
}

#[test]
fn a_png_that_claims_to_be_huge() {
    for (width, height) in
        [(0x7fff_ffffu32, 0x7fff_ffffu32), (0x7fff_ffff, 1), (1, 0x7fff_ffff), (0, 5), (60_000, 60_000)]
    {
        for (depth, colour) in [(8, 2), (1, 0), (16, 6)] {
            let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
            let good = photo_png(8, 8);
            let rest = &good[33..];
            let file = [&good[..8], &png_chunk(b"IHDR", &header), rest].concat();
            assert!(!hangs(|| drop(round_trip("huge.png", &file))), "{width} x {height}");
        }
    }
}

#[test]
fn bitmaps() {
    let samples = photo(64, 48);
    let up = bmp(64, 48, &samples);
    let down = bmp(64, -48, &samples);
    assert!(round_trip("up.bmp", &up).len() < up.len() * 7 / 10);
    assert!(round_trip("down.bmp", &down).len() < down.len() * 7 / 10);
    round_trip("min.bmp", &{
        let mut file = down.clone();
        file[22..26].copy_from_slice(&i32::MIN.to_le_bytes());
        file
    });
    round_trip("short.bmp", &up[..up.len() - 100]);
}

#[test]
fn pixmaps_with_comments_and_small_maxval() {
    let samples: Vec<u8> = photo(64, 48).iter().map(|s| s / 3).collect();
    let mut file = b"P6 # a comment\n# another # one\r\n 64\t48 # more\n85\n".to_vec();
    file.extend_from_slice(&samples);
    assert!(round_trip("comments.ppm", &file).len() < file.len() * 7 / 10);
    for head in
        ["P6\n64 48\n0\n", "P6\n64 48\n70000\n", "P6\n99999999999 99999999999\n255\n", "P6\n64 -48\n255\n", "P6\n64"]
    {
        round_trip("bad.ppm", &[head.as_bytes(), &samples].concat());
    }
    // Sixteen bits, samples over maxval, too few and too many samples.
    round_trip("deep.pgm", &[b"P5\n32 48\n65535\n", &samples[..32 * 48 * 2]].concat());
    round_trip("over.ppm", &[b"P6\n64 48\n10\n", &samples[..]].concat());
    round_trip("few.ppm", &file[..file.len() - 1]);
    round_trip("many.ppm", &[&file[..], b"and more"].concat());
}

#[test]
fn other_kinds_of_png() {
    let mut random = Random(3);
    round_trip("palette.png", &palette_png(40, 30));
    round_trip("one-bit.png", &crate::common::png(40, 30, 1, 0, 1, &random.bytes(5 * 30), &[]));
    round_trip("deep.png", &crate::common::png(40, 30, 16, 2, 6, &random.bytes(40 * 6 * 30), &[]));
    round_trip("alpha.png", &crate::common::png(40, 30, 8, 6, 4, &random.bytes(40 * 4 * 30), &[]));
    round_trip("gray.png", &crate::common::png(64, 48, 8, 0, 1, &photo(64, 16), &[]));
    round_trip(
        "chunks.png",
        &crate::common::png(64, 48, 8, 2, 3, &photo(64, 48), &png_chunk(b"prVt", b"private data")),
    );
}

#[test]
fn a_folder_without_r() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("d")).unwrap();
    fs::write(folder.path().join("d/a"), b"a").unwrap();
    let output = expect(folder.path(), &["compress", "d"], 2);
    assert!(stderr(&output).contains("d: is a folder; add -r"), "{}", stderr(&output));
    assert_eq!(names(&folder.path().join("d")), ["a"]);
    expect(folder.path(), &["decompress", "d"], 2);
    expect(folder.path(), &["test", "d"], 2);
}

#[test]
fn a_missing_file_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"a").unwrap();
    let output = expect(folder.path(), &["compress", "nobody", "a"], 2);
    assert!(stderr(&output).contains("nobody: cannot read: No such file"), "{}", stderr(&output));
    assert_eq!(names(folder.path()), ["a", "a.srp"]);
}

#[test]
fn an_output_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a"), text(500)).unwrap();
    fs::write(at.join("a.srp"), b"precious").unwrap();
    let output = expect(at, &["compress", "a"], 2);
    assert!(stderr(&output).contains("a.srp: exists already; overwrite it with -f"), "{}", stderr(&output));
    assert_eq!(fs::read(at.join("a.srp")).unwrap(), b"precious");
    expect(at, &["compress", "-f", "a"], 0);
    let output = expect(at, &["decompress", "a.srp"], 2);
    assert!(stderr(&output).contains("a: exists already"));
    expect(at, &["decompress", "-f", "a.srp"], 0);
    // A stream that cannot be restored does not cost the file that is there.
    fs::write(at.join("a.srp"), b"\xf5SRP no more").unwrap();
    expect(at, &["decompress", "-f", "a.srp"], 2);
    assert_eq!(fs::read(at.join("a")).unwrap(), text(500));
}

#[test]
fn the_same_file_twice_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a"), text(500)).unwrap();
    let output = expect(at, &["compress", "a", "./a", "a"], 0);
    assert_eq!(stderr(&output).matches("given more than once, done once").count(), 2, "{}", stderr(&output));
    let output = expect(at, &["test", "a.srp", "a.srp"], 0);
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn nothing_to_read() {
    let output = surprisal().args(["compress", "-"]).write_stdin("").output().unwrap();
    assert!(output.status.success() && output.stdout.len() <= 64);
    let output = surprisal().args(["decompress", "-"]).write_stdin("").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a surprisal stream"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn archives_do_not_climb_out() {
    use surprisal::container::archive::{Entry, Kind, head, tail};
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    fs::write(at.join("a"), b"hello").unwrap();
    fs::create_dir(at.join("out")).unwrap();
    fs::create_dir(at.join("elsewhere")).unwrap();
    fs::write(at.join("out/.keep"), b"").unwrap();
    expect(at, &["compress", "a"], 0);
    let stream = fs::read(at.join("a.srp")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", at.join("out/link")).unwrap();
    let kind = Kind::File { coded: stream.len() as u64, length: 5 };
    for (name, code) in
        [("../b", 1), ("/tmp/b", 1), ("x/../../b", 1), ("link/b", 2), ("link", 2), (".keep/b", 2), ("c/b", 0)]
    {
        let entry = Entry { name: name.into(), kind, mode: 0o644, time: (0, 0) };
        fs::write(at.join("all.srp"), [&head()[..], &stream, &tail(&[entry])].concat()).unwrap();
        expect(at, &["decompress", "all.srp", "-o", "out"], code);
        assert!(names(&at.join("elsewhere")).is_empty(), "{name}");
        assert!(!at.join("b").exists());
    }
    assert_eq!(fs::read(at.join("out/c/b")).unwrap(), b"hello");
}

#[test]
fn what_is_left_of_a_damaged_picture() {
    let (width, height, samples) = (40, 144, photo(40, 144));
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let read = |name: &str| fs::read(at.join(name)).unwrap();
    fs::write(at.join("a.ppm"), pnm(width, height, 3, &samples)).unwrap();
    expect(at, &["compress", "-q", "-e", "1", "a.ppm"], 0);
    fs::remove_file(at.join("a.ppm")).unwrap();
    let good = read("a.ppm.srp");
    let chunks = surprisal::container::open(&good).unwrap().header.chunks;
    let content: Vec<_> = chunks.iter().filter(|c| c.role == surprisal::container::Role::Content).collect();
    assert!(content.len() == 4 && content.iter().all(|c| c.coding == surprisal::container::Coding::Network));
    // The third band.
    let mut bad = good.clone();
    let place = bad.len() - content[2..].iter().map(|c| c.coded as usize).sum::<usize>() + 9;
    bad[place] ^= 16;
    fs::write(at.join("a.ppm.srp"), &bad).unwrap();
    expect(at, &["decompress", "-q", "a.ppm.srp"], 1);
    let said = stderr(&expect(at, &["decompress", "-q", "--keep-going", "a.ppm.srp"], 1));
    assert!(said.contains("rows 72 to 143 of 144") && said.contains("a.ppm.partial.ppm"), "{said}");
    assert!(!at.join("a.ppm").exists());
    let known = (40 * 72 * 3) as usize;
    let expected = [&samples[..known], &vec![128; samples.len() - known]].concat();
    assert!(read("a.ppm.partial.ppm") == pnm(width, height, 3, &expected));
    // Nothing is written over, and nothing can be kept of what is no picture.
    expect(at, &["decompress", "-q", "--keep-going", "a.ppm.srp"], 2);
    fs::write(at.join("a.ppm.srp"), &good).unwrap();
    expect(at, &["decompress", "-q", "--keep-going", "a.ppm.srp"], 0);
    fs::write(at.join("t"), text(900)).unwrap();
    expect(at, &["compress", "-q", "t"], 0);
    let mut bad = read("t.srp");
    *bad.last_mut().unwrap() ^= 1;
    fs::write(at.join("t.srp"), bad).unwrap();
    assert!(
        stderr(&expect(at, &["decompress", "-q", "--keep-going", "-f", "t.srp"], 1)).contains("nothing can be kept")
    );
}
