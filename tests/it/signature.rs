//! The signature (`surprisal::codec::signature`) is the same for every kernel and number of threads, and equal to the one
//! that is checked in; so a build for another machine or by another compiler, which runs this test, is compared with all others.
//!
//! Since release 0.1.0 a later version may only add lines (`SURPRISAL_BLESS=1 cargo test --test it signature::` writes them): a line that changes
//! means streams that are not restored any more.

use surprisal::codec::signature::signature;
use surprisal::engine::Kernel;

const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/signature.txt");

fn expected() -> String {
    if std::env::var_os("SURPRISAL_BLESS").is_some() {
        std::fs::write(EXPECTED, signature(Kernel::Scalar, 1)).unwrap();
    }
    std::fs::read_to_string(EXPECTED).unwrap()
}

#[test]
fn every_kernel_gives_the_signature() {
    let expected = expected();
    for kernel in Kernel::ALL {
        if !kernel.is_available() {
            println!("skipped: {} (this machine lacks it)", kernel.name());
            continue;
        }
        assert_eq!(signature(kernel, 2), expected, "kernel {}", kernel.name());
        println!("ok: {}", kernel.name());
    }
}

#[test]
fn every_number_of_threads_gives_the_signature() {
    let expected = expected();
    for threads in [1, 2, 7] {
        assert_eq!(signature(Kernel::best(), threads), expected, "{threads} threads");
    }
}

#[test]
fn the_fast_engine_gives_the_values_of_the_reference() {
    let expected = expected();
    let part = |name: &str| expected.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap();
    assert_eq!(part("sampled "), part("reference "));
    assert_eq!(part("tensors ").len(), 64);
}
