//! The program as a user meets it.

use crate::common::{
    Random, expect, palette_png, photo, photo_png, pnm, round_trip, run, stderr, stdout, surprisal, text,
};
use std::fs;
use std::path::Path;
use surprisal::engine::Kernel;
use surprisal::media::audio::{Sound, wav};

/// A folder with a few files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn every_kind_of_file_comes_back() {
    let words = text(20_000);
    assert!(round_trip("words.txt", &words).len() * 3 < words.len());
    let noise = Random(1).bytes(5_000);
    assert!(round_trip("noise", &noise).len() <= noise.len() + 64);
    let samples = photo(64, 48);
    assert!(round_trip("photo.ppm", &pnm(64, 48, 3, &samples)).len() * 10 < samples.len() * 7);
    round_trip("gray.pgm", &pnm(64, 48, 1, &samples[..64 * 48]));
    let png = photo_png(64, 48);
    assert!(round_trip("photo.png", &png).len() * 10 < png.len() * 9);
    round_trip("palette.png", &palette_png(64, 48));
}

#[test]
fn streams_do_not_depend_on_threads_or_kernels() {
    let dir = folder(&[("a.ppm", &pnm(96, 64, 3, &photo(96, 64))), ("b.txt", &text(3000))]);
    let stream = |args: &[&str], file: &str| {
        let args = [&["compress", "-c", file], args].concat();
        expect(dir.path(), &args, 0).stdout
    };
    for file in ["a.ppm", "b.txt"] {
        let first = stream(&[], file);
        for threads in ["1", "2", "7"] {
            assert!(stream(&["-T", threads], file) == first, "{file} with {threads} threads");
        }
        for kernel in Kernel::ALL {
            if !kernel.is_available() {
                println!("skipped: this machine has no {} instructions", kernel.name());
                assert_eq!(
                    run(dir.path(), &["compress", "-c", file, "--kernel", kernel.name()]).status.code(),
                    Some(2)
                );
                continue;
            }
            assert!(stream(&["--kernel", kernel.name()], file) == first, "{file} with {}", kernel.name());
        }
    }
}

#[test]
fn pipes() {
    let words = text(5000);
    let coded = surprisal().args(["compress", "-"]).write_stdin(words.clone()).output().unwrap();
    assert_eq!(coded.status.code(), Some(0), "{}", stderr(&coded));
    let back = surprisal().args(["decompress", "-"]).write_stdin(coded.stdout.clone()).output().unwrap();
    assert!(back.status.success() && back.stdout == words);
    let tested = surprisal().args(["test", "-"]).write_stdin(coded.stdout).output().unwrap();
    assert!(tested.status.success() && stdout(&tested).contains("standard input: ok, 5000 bytes"));
}

#[test]
fn outputs_go_where_they_were_asked_to() {
    let dir = folder(&[("a", b"first"), ("b", b"second"), ("out/.keep", b"")]);
    let at = dir.path();
    expect(at, &["compress", "a", "-o", "x.srp"], 0);
    assert_eq!(expect(at, &["decompress", "x.srp", "-c"], 0).stdout, b"first");
    expect(at, &["compress", "a", "b", "-o", "out"], 0);
    expect(at, &["decompress", "out/a.srp", "out/b.srp", "-o", "out"], 0);
    assert_eq!((read(at, "out/a"), read(at, "out/b")), (b"first".to_vec(), b"second".to_vec()));
    let joined = expect(at, &["decompress", "-c", "out/a.srp", "out/b.srp"], 0).stdout;
    assert_eq!(joined, b"firstsecond");
    assert!(stderr(&expect(at, &["compress", "a", "b", "-o", "nowhere"], 2)).contains("is no folder"));
    assert!(stderr(&expect(at, &["compress", "a", "b", "-c"], 2)).contains("standard output"));
    assert!(stderr(&expect(at, &["decompress", "a"], 2)).contains("does not end in .srp; name the output with -o"));
    // Two inputs that would share a name.
    fs::create_dir(at.join("other")).unwrap();
    fs::write(at.join("other/a"), b"third").unwrap();
    let clash = expect(at, &["compress", "-f", "a", "other/a", "-o", "out"], 2);
    assert!(stderr(&clash).contains("another input was written to out/a.srp already"), "{}", stderr(&clash));
}

#[test]
fn folders_are_walked_with_r() {
    let dir = folder(&[("d/a", b"aaa"), ("d/e/b", b"bbb"), ("d/old.srp", b"not touched"), ("out/.keep", b"")]);
    let at = dir.path();
    expect(at, &["compress", "-r", "d"], 0);
    assert!(at.join("d/a.srp").exists() && at.join("d/e/b.srp").exists() && !at.join("d/old.srp.srp").exists());
    expect(at, &["compress", "-r", "d", "-o", "out"], 0);
    assert!(at.join("out/a.srp").exists() && at.join("out/e/b.srp").exists());
    let measured = stdout(&expect(at, &["measure", "d"], 0));
    assert!(measured.contains("d/a") && measured.contains("d/e/b") && !measured.contains(".srp"), "{measured}");
}

#[test]
fn sources_are_kept_unless_rm() {
    let dir = folder(&[("a", &text(900))]);
    let at = dir.path();
    expect(at, &["compress", "-k", "a"], 0);
    assert!(at.join("a").exists());
    expect(at, &["compress", "--rm", "a"], 2); // a.srp exists
    assert!(at.join("a").exists());
    expect(at, &["compress", "--rm", "-f", "a"], 0);
    assert!(!at.join("a").exists());
    expect(at, &["decompress", "--rm", "a.srp"], 0);
    assert!(!at.join("a.srp").exists());
    assert_eq!(read(at, "a"), text(900));
    expect(at, &["compress", "--rm", "-c", "a"], 2);
    expect(at, &["compress", "--rm", "-k", "a"], 2);
}

#[cfg(unix)]
#[test]
fn an_input_is_neither_overwritten_by_its_own_output_nor_removed_for_a_device() {
    let folder = folder(&[("a.txt", &text(900))]);
    for name in ["a.txt", "./a.txt"] {
        let output = expect(folder.path(), &["compress", "-f", "--rm", "-o", name, "a.txt"], 2);
        assert!(stderr(&output).contains("is the input itself"));
    }
    expect(folder.path(), &["compress", "a.txt", "-o", "b"], 0);
    let output = expect(folder.path(), &["decompress", "-f", "b", "-o", "b"], 2);
    assert!(stderr(&output).contains("is the input itself"));
    #[cfg(unix)]
    expect(folder.path(), &["compress", "--rm", "-o", "/dev/null", "a.txt"], 0);
    assert_eq!(read(folder.path(), "a.txt"), text(900));
}

#[test]
fn permissions_and_time_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};
    let dir = folder(&[("a", b"private")]);
    let at = dir.path();
    fs::set_permissions(at.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(at.join("a")).unwrap().set_modified(time).unwrap();
    expect(at, &["compress", "a"], 0);
    let meta = fs::metadata(at.join("a.srp")).unwrap();
    assert_eq!((meta.permissions().mode() & 0o777, meta.modified().unwrap()), (0o640, time));
}

#[test]
fn exit_codes_tell_damage_from_errors() {
    let dir = folder(&[("a", &text(4000)), ("plain.srp", b"these are no coded bytes")]);
    let at = dir.path();
    expect(at, &["compress", "a"], 0);
    let good = read(at, "a.srp");
    let mut bad = good.clone();
    let middle = bad.len() - good.len() / 4;
    bad[middle] ^= 0x55;
    fs::write(at.join("bad.srp"), &bad).unwrap();
    fs::write(at.join("short.srp"), &good[..good.len() - 9]).unwrap();
    fs::write(at.join("long.srp"), [&good[..], b"x"].concat()).unwrap();
    let mut old = good.clone();
    old[4..6].copy_from_slice(&[0, 9]);
    fs::write(at.join("old.srp"), &old).unwrap();
    for command in [&["test"][..], &["decompress", "-f"]] {
        let says = |file: &str, code: i32, words: &str| {
            let output = stderr(&expect(at, &[command, &[file]].concat(), code));
            assert!(output.contains(file) && output.contains(words), "{command:?} {file}: {output}");
        };
        says("bad.srp", 1, "chunk 0 of 1 is damaged");
        says("short.srp", 1, "cut short: 9 bytes are missing");
        says("long.srp", 1, "1 bytes follow the end");
        says("old.srp", 2, "written in stream format 0.9, and this program reads 1.0");
        says("plain.srp", 2, "not a surprisal stream");
        assert!(!at.join("bad").exists() && !at.join("old").exists(), "nothing is written for a bad stream");
    }
    // The worst of several files counts, and the good ones are done all the same.
    assert_eq!(run(at, &["test", "bad.srp", "a.srp", "short.srp"]).status.code(), Some(1));
    let both = run(at, &["test", "bad.srp", "plain.srp", "a.srp"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(stdout(&both).contains("a.srp: ok"));
}

#[test]
fn usage_errors() {
    let dir = folder(&[("a", b"a")]);
    for args in [
        &["compress"][..],
        &["compress", "a", "--nonsense"],
        &["compress", "a", "--limit", "12q"],
        &["compress", "a", "--kernel", "abacus"],
        &["compress", "a", "-T", "-1"],
        &["compress", "a", "-T", "1025"],
        &["compress", "a", "-c", "-o", "b"],
        &["nonsense"],
    ] {
        expect(dir.path(), args, 2);
    }
    for (args, tip) in [
        (&["a"][..], "'surprisal compress a'"),
        (&["compress", "-9", "a"], "-e 9"),
        (&["-d", "a"], "decompress"),
        (&["score", "a"], "--self"),
        (&["reach"], "--family"),
    ] {
        let said = stderr(&expect(dir.path(), args, 2));
        assert!(said.contains(tip), "{said}");
    }
    expect(dir.path(), &["--help"], 0);
    expect(dir.path(), &["--version"], 0);
}

#[test]
fn a_missing_model_is_named_with_the_places() {
    let dir = folder(&[("a.ppm", &pnm(48, 32, 3, &photo(48, 32)))]);
    let at = dir.path();
    expect(at, &["compress", "a.ppm"], 0);
    let info: serde_json::Value =
        serde_json::from_slice(&expect(at, &["info", "--json", "a.ppm.srp"], 0).stdout).unwrap();
    let id = info["model"]["id"].as_str().unwrap().to_owned();
    // The same stream with another model's id.
    let mut stream = read(at, "a.ppm.srp");
    let bytes: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()).collect();
    let place = stream.windows(16).position(|w| w == bytes).unwrap();
    stream[place] ^= 0xff;
    assert!(surprisal::container::reseal(&mut stream));
    fs::write(at.join("other.srp"), &stream).unwrap();
    fs::create_dir(at.join("mine")).unwrap();
    let failed = expect(at, &["decompress", "-m", "mine", "other.srp"], 2);
    let other = format!("{:02x}{}", bytes[0] ^ 0xff, &id[2..]);
    for words in [&other[..], "the binary", "-m mine", "$SURPRISAL_MODELS (not set)", "surprisal/models", "./models"] {
        assert!(stderr(&failed).contains(words), "{words}: {}", stderr(&failed));
    }
    let info = stdout(&expect(at, &["info", "other.srp"], 0));
    assert!(info.contains("(not found)") && info.contains(&other), "{info}");
}

#[test]
fn models_are_found_by_path_name_and_id() {
    let dir = folder(&[("a.ppm", &pnm(48, 32, 3, &photo(48, 32))), ("bad/broken.srm", b"this is no model")]);
    let at = dir.path();
    let listed = stdout(&expect(at, &["models", "--json"], 0));
    let models = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let is_default = |model: &serde_json::Value| model["efforts"].to_string().contains('5');
    let model = models.into_iter().find(is_default).unwrap();
    let (name, id) = (model["name"].as_str().unwrap(), model["id"].as_str().unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/{name}.srm"));
    let first = expect(at, &["compress", "-c", "a.ppm"], 0).stdout;
    for m in [name, id, &id[..8], path.to_str().unwrap()] {
        assert!(expect(at, &["compress", "-c", "a.ppm", "-m", m], 0).stdout == first, "-m {m}");
    }
    for command in ["compress", "measure", "decompress", "test"] {
        let refused = expect(at, &[command, "a.ppm", "-m", "nobody"], 2);
        assert!(stderr(&refused).contains("no model is called 'nobody'"), "{command}");
    }
    let broken = expect(at, &["compress", "a.ppm", "-m", "bad/broken.srm"], 2);
    assert!(stderr(&broken).contains("bad/broken.srm"), "{}", stderr(&broken));
    assert!(stderr(&expect(at, &["models", "-m", "bad"], 2)).contains("bad/broken.srm"));
}

#[test]
fn files_that_are_no_models_are_named_and_not_read_when_they_are_huge() {
    let dir = folder(&[("models/a.srm", b"no model")]);
    let huge = fs::File::create(dir.path().join("models/b.srm")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let output = expect(dir.path(), &["models"], 2);
    assert!(stdout(&output).contains("the binary"));
    for says in ["models/a.srm: this is no model file", "models/b.srm: larger than any model file"] {
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn measure_says_what_compress_writes() {
    let files: [(&str, &[u8]); 4] = [
        ("a.ppm", &pnm(96, 64, 3, &photo(96, 64))),
        ("b.txt", &text(30_000)),
        ("c", &Random(3).bytes(1000)),
        ("d.png", &photo_png(64, 48)),
    ];
    let dir = folder(&files);
    let at = dir.path();
    let lines = stdout(&expect(at, &["measure", "--json", "a.ppm", "b.txt", "c", "d.png"], 0));
    let records: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((records.len(), &records[4]["total"]), (5, &serde_json::json!("total")));
    let mut sum = 0;
    for record in &records[..4] {
        let name = record["file"].as_str().unwrap();
        expect(at, &["compress", name], 0);
        let written = fs::metadata(at.join(format!("{name}.srp"))).unwrap().len() as f64;
        let (ideal, estimate) = (record["bits"].as_f64().unwrap() / 8.0, record["coded_bytes"].as_f64().unwrap());
        assert!(written >= ideal, "{name}: {written} < {ideal}");
        assert!(written <= ideal * 1.001 + 140.0, "{name}: {written} > {ideal}");
        assert!((written - estimate).abs() <= 32.0 + estimate / 1000.0, "{name}: {written} {estimate}");
        sum += record["coded_bytes"].as_u64().unwrap();
    }
    assert_eq!(records[4]["coded_bytes"].as_u64().unwrap(), sum);
}

#[test]
fn results_for_programs() {
    let dir = folder(&[("a.ppm", &pnm(48, 32, 3, &photo(48, 32)))]);
    let at = dir.path();
    let json = |args: &[&str]| -> serde_json::Value { serde_json::from_slice(&expect(at, args, 0).stdout).unwrap() };
    let done = json(&["compress", "--json", "a.ppm"]);
    let size = fs::metadata(at.join("a.ppm.srp")).unwrap().len();
    assert_eq!((done["coded_bytes"].as_u64(), done["coding"].as_str()), (Some(size), Some("network")));
    assert!(done["bits_per_dimension"].as_f64().unwrap() > 0.5);
    let info = json(&["info", "--json", "a.ppm.srp"]);
    assert_eq!((info["width"].as_u64(), info["height"].as_u64()), (Some(48), Some(32)));
    assert_eq!((&info["medium"]["name"], &info["format"]), (&"PNM".into(), &"1.0".into()));
    assert_eq!(json(&["test", "--json", "a.ppm.srp"])["ok"], true);
    assert_eq!(json(&["decompress", "-f", "--json", "a.ppm.srp"])["output"], "a.ppm");
}

#[test]
fn quiet_is_quiet_and_bars_stay_on_terminals() {
    let dir = folder(&[("a", &text(3000))]);
    let output = expect(dir.path(), &["compress", "-q", "a"], 0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let output = expect(dir.path(), &["compress", "-f", "a"], 0);
    assert!(!output.stderr.contains(&b'\r') && !output.stderr.contains(&0x1b), "no bar on a pipe");
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn pixels_keeps_the_picture() {
    let (width, height, samples) = (64, 48, photo(64, 48));
    // Deflate data as zlib writes them, and others.
    let mut foreign = std::io::Cursor::new(Vec::new());
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut foreign,
        image::codecs::png::CompressionType::Best,
        image::codecs::png::FilterType::Adaptive,
    );
    image::ImageEncoder::write_image(encoder, &samples, width, height, image::ExtendedColorType::Rgb8).unwrap();
    let dir = folder(&[("zlib.png", &photo_png(width, height)), ("foreign.png", &foreign.into_inner())]);
    let at = dir.path();
    for name in ["zlib.png", "foreign.png"] {
        let original = read(at, name);
        let args = ["compress", "--pixels", "--json", name];
        let done: serde_json::Value = serde_json::from_slice(&expect(at, &args, 0).stdout).unwrap();
        let exact = expect(at, &["compress", "-c", name], 0).stdout.len();
        assert!(fs::metadata(at.join(format!("{name}.srp"))).unwrap().len() <= exact as u64, "{name}");
        expect(at, &["decompress", "-f", &format!("{name}.srp")], 0);
        let back = read(at, name);
        assert!(image::load_from_memory(&back).unwrap().into_rgb8().into_raw() == samples, "{name}");
        assert!(back == original || done["exact"] == false, "{name}: {done}");
    }
}

#[test]
fn a_limit_bounds_what_a_stream_may_declare() {
    let dir = folder(&[("a", &text(50_000))]);
    let at = dir.path();
    expect(at, &["compress", "a"], 0);
    let refused = expect(at, &["test", "--limit", "10K", "a.srp"], 2);
    let words = "declares 50000 bytes to decode, over the limit of 10240: raise it with --limit";
    assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    expect(at, &["test", "--limit", "50000", "a.srp"], 0);
}

#[test]
fn no_verify_writes_the_same_stream() {
    let dir = folder(&[("a.ppm", &pnm(48, 32, 3, &photo(48, 32)))]);
    let one = expect(dir.path(), &["compress", "-c", "a.ppm"], 0).stdout;
    assert!(expect(dir.path(), &["compress", "-c", "--no-verify", "a.ppm"], 0).stdout == one);
}

#[test]
fn completions_and_man_pages_are_made_of_the_definitions() {
    let dir = folder(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&expect(dir.path(), &["completions", shell], 0)).contains("no-verify"), "{shell}");
    }
    assert!(stdout(&expect(dir.path(), &["man"], 0)).contains(".TH surprisal 1"));
    assert!(stdout(&expect(dir.path(), &["man", "compress"], 0)).contains("recursive"));
    expect(dir.path(), &["man", "nonsense"], 2);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = folder(&[("a", &text(300))]);
    expect(dir.path(), &["compress", "a"], 0);
    let program = assert_cmd::cargo::cargo_bin("surprisal");
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9; do echo a.srp; done | xargs '{}' info -q | true; echo ${{PIPESTATUS[1]}}",
        program.display()
    );
    let output = std::process::Command::new("bash").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
    assert_eq!((stdout(&output).trim(), stderr(&output).as_str()), ("0", ""));
}

#[cfg(unix)]
#[test]
fn archives() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};
    let picture = pnm(48, 32, 3, &photo(48, 32));
    let dir = folder(&[("d/a.txt", &text(900)), ("d/e/p.ppm", &picture), ("d/e/old.srp", b"x"), ("d/empty/.k", b"")]);
    let at = dir.path();
    fs::remove_file(at.join("d/empty/.k")).unwrap();
    symlink("/etc", at.join("d/link")).unwrap();
    fs::set_permissions(at.join("d/e/p.ppm"), fs::Permissions::from_mode(0o640)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_000_000_000_123_456_789);
    fs::File::options().write(true).open(at.join("d/e/p.ppm")).unwrap().set_modified(time).unwrap();
    let said = stderr(&expect(at, &["compress", "-r", "d/", "-o", "all.srp"], 0));
    assert!(said.contains("PNM") && said.contains("1 symbolic links") && said.contains("6 entries"), "{said}");
    let listed = stdout(&expect(at, &["info", "all.srp"], 0));
    assert!(listed.contains("-rw-r----- 2001-09-09 01:46:40") && listed.contains("d/empty\n"), "{listed}");
    let json = expect(at, &["info", "--json", "all.srp"], 0).stdout;
    let record: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((record["files"].as_u64(), record["entries"][2]["name"].as_str()), (Some(3), Some("d/e")));
    assert!(stdout(&expect(at, &["test", "all.srp"], 0)).contains("d/e/p.ppm: ok"));
    // Everything; nothing is overwritten; one; a folder.
    expect(at, &["decompress", "all.srp"], 2);
    expect(at, &["decompress", "all.srp", "-o", "new/out"], 0);
    assert!(read(at, "new/out/d/e/p.ppm") == picture && at.join("new/out/d/empty").is_dir());
    let meta = fs::metadata(at.join("new/out/d/e/p.ppm")).unwrap();
    assert_eq!((meta.permissions().mode() & 0o777, meta.modified().unwrap()), (0o640, time));
    assert_eq!(expect(at, &["decompress", "-c", "all.srp", "d/a.txt"], 0).stdout, text(900));
    expect(at, &["decompress", "all.srp", "./d/e/", "-o", "two"], 0);
    assert!(at.join("two/d/e/old.srp").exists() && !at.join("two/d/a.txt").exists());
    assert!(stderr(&expect(at, &["decompress", "all.srp", "d/x"], 2)).contains("holds no 'd/x'"));
    // The same bytes again, and a stream of its own in another way.
    let first = read(at, "all.srp");
    expect(at, &["compress", "-q", "-f", "-T", "1", "-r", "d", "-o", "all.srp"], 0);
    assert!(read(at, "all.srp") == first);
    // One entry is damaged; the others come back. Then the index.
    let mut bad = first.clone();
    let inside = bad.windows(4).rposition(|w| w == b"\xf5SRP").unwrap() + 60;
    bad[inside] ^= 1;
    fs::write(at.join("bad.srp"), &bad).unwrap();
    let said = stderr(&expect(at, &["decompress", "bad.srp", "-o", "three"], 1));
    assert!(said.contains("bad.srp: d/e/p.ppm") && at.join("three/d/a.txt").exists(), "{said}");
    expect(at, &["test", "-q", "bad.srp", "all.srp"], 1);
    let told = stdout(&expect(at, &["test", "--json", "bad.srp"], 1));
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().filter(|line| line["damaged"] == true && line["ok"] == false).count(), 1, "{told:?}");
    assert_eq!((told.len(), told.iter().filter(|line| line["ok"] == true).count()), (3, 2), "{told:?}");
    let end = bad.len() - 30;
    bad[end] ^= 1;
    fs::write(at.join("bad.srp"), &bad).unwrap();
    assert!(stderr(&expect(at, &["info", "bad.srp"], 1)).contains("index of the archive is damaged"));
    assert!(stderr(&expect(at, &["compress", "--rm", "-r", "d", "-o", "b.srp"], 2)).contains("--rm"));
    assert!(at.join("d/a.txt").exists() && !at.join("b.srp").exists());
}

/// What is coded while it is read is so in an archive, too: the streams are those of the files by themselves.
#[test]
fn long_files_in_archives() {
    let mut samples: Vec<i32> = Random(5).bytes(2000).into_iter().map(i32::from).collect();
    samples.resize((8 << 20) / 4, 0);
    let long = wav::write(&Sound { channels: 1, bits: 32, rate: 48000, samples }).unwrap();
    let dir = folder(&[("d/long.wav", &long), ("d/short", &text(300))]);
    let at = dir.path();
    expect(at, &["compress", "-q", "-e", "1", "--no-verify", "-r", "d", "-o", "all.srp"], 0);
    expect(at, &["compress", "-q", "-e", "1", "--no-verify", "d/long.wav"], 0);
    let (all, alone) = (read(at, "all.srp"), read(at, "d/long.wav.srp"));
    assert!(all[6..].starts_with(&alone), "another stream than the file's own");
    expect(at, &["decompress", "-q", "all.srp", "-o", "new"], 0);
    assert!(read(at, "new/d/long.wav") == long);
    assert!(stdout(&expect(at, &["test", "all.srp"], 0)).contains(&format!("d/long.wav: ok, {} bytes", long.len())));
    // A bit of its code: nothing is left of it, and the others are there.
    let mut bad = all.clone();
    bad[6 + alone.len() / 2] ^= 4;
    fs::write(at.join("bad.srp"), &bad).unwrap();
    assert!(stderr(&expect(at, &["decompress", "-q", "bad.srp", "-o", "two"], 1)).contains("bad.srp: d/long.wav"));
    assert!(!at.join("two/d/long.wav").exists() && at.join("two/d/short").exists());
    assert_eq!(fs::read_dir(at.join("two/d")).unwrap().count(), 1);
    let said = stderr(&expect(at, &["compress", "--samples", "-r", "d", "-o", "b.srp"], 2));
    assert!(said.contains("--samples"), "{said}");
}

#[test]
fn many_files_end_with_a_table() {
    let jpeg = [b"\xff\xd8\xff\xe0", &Random(3).bytes(500)[..]].concat();
    let photo = pnm(48, 32, 3, &photo(48, 32));
    let dir = folder(&[("a", &text(900)), ("b", &Random(2).bytes(500)), ("c.ppm", &photo), ("d.jpg", &jpeg)]);
    let said = stderr(&expect(dir.path(), &["compress", "a", "b", "c.ppm"], 0));
    let rows: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(rows[3..], ["medium", "PNM", "other", "stored", "all", "stored:"], "{said}");
    assert!(said.contains("stored: 1 file: no model makes them smaller"));
    let said = stderr(&expect(dir.path(), &["compress", "-f", "b", "d.jpg"], 0));
    assert!(said.contains("d.jpg: stored: JPEG is compressed already"), "{said}");
    assert!(said.contains("stored: 1 file: JPEG is compressed already"), "{said}");
    assert!(stdout(&expect(dir.path(), &["info", "d.jpg.srp"], 0)).contains("JPEG is compressed already"));
    assert!(expect(dir.path(), &["compress", "-f", "-q", "a", "b"], 0).stderr.is_empty());
    let help = |args: &[&str]| stdout(&expect(dir.path(), args, 0));
    assert!(help(&["compress", "--help"]).contains("Examples:") && !help(&["compress", "-h"]).contains("Examples:"));
    assert!(!help(&["--help"]).contains('\u{1b}'));
}
