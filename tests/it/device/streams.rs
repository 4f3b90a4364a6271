//! What is asked of every device: streams, measures and files are those of the kernels.

use crate::common::{photo, pnm, seeds::files};
use std::sync::Arc;
use surprisal::codec::{DEFAULT_LIMIT, DecodeError, Models, Options, compress, decompress_all, measure};
use surprisal::engine::{Device, Kernel};

/// Files of every kind, and pictures of odd shapes.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<_> = files().into_iter().map(|(name, file)| (name.to_owned(), file)).collect();
    let samples = photo(60, 80);
    for (width, height, channels) in [(1, 1, 3), (1, 40, 3), (43, 1, 3), (5, 37, 1), (37, 73, 3), (1, 1, 1)] {
        let count = (width * height * channels) as usize;
        inputs.push((format!("{width}x{height}x{channels}"), pnm(width, height, channels, &samples[..count])));
    }
    inputs
}

fn models() -> Models {
    Models::new(&[], Kernel::best())
}

/// Compressed and measured one by one, restored all at once.
pub fn equal_the_kernels(device: Arc<dyn Device>) {
    let (kernels, devices) = (models(), models().on(device));
    let inputs = inputs();
    let mut streams = Vec::new();
    let mut networks = 0;
    for (name, file) in &inputs {
        let by_kernels = compress(file, &kernels, &Options::default(), &()).unwrap();
        for verify in [true, false] {
            let made = compress(file, &devices, &Options { verify, ..Options::default() }, &()).unwrap();
            assert!(made.bytes == by_kernels.bytes, "{name} has another stream");
        }
        let bits = |models| measure(file, models, &Options::default(), &()).unwrap().summary.cost;
        assert_eq!(bits(&devices), bits(&kernels), "{name}");
        networks += usize::from(by_kernels.summary.coding == surprisal::codec::Coding::Network);
        streams.push(by_kernels.bytes);
    }
    assert!(networks >= 6, "only {networks} pictures were coded by a network");
    let streams: Vec<&[u8]> = streams.iter().map(|s| &s[..]).collect();
    for (back, (name, file)) in decompress_all(&streams, &devices, DEFAULT_LIMIT, &()).into_iter().zip(&inputs) {
        assert!(back.unwrap_or_else(|e| panic!("{name}: {e}")) == *file, "{name} came back otherwise");
    }
}

/// Streams that are damaged beside some that are not.
pub fn damage_stays_where_it_is(device: Arc<dyn Device>) {
    let devices = models().on(device);
    let samples = photo(40, 80);
    let pictures: Vec<Vec<u8>> = (0..5).map(|i| pnm(40, 76 + i, 3, &samples[..40 * 3 * (76 + i as usize)])).collect();
    let stream = |file: &Vec<u8>| compress(file, &models(), &Options::default(), &()).unwrap().bytes;
    let mut streams: Vec<Vec<u8>> = pictures.iter().map(stream).collect();
    let length = streams[1].len();
    streams[1][length / 2] ^= 4;
    streams[2][9] ^= 1;
    streams[3].truncate(length / 2);
    let streams: Vec<&[u8]> = streams.iter().map(|s| &s[..]).collect();
    let mut results = decompress_all(&streams, &devices, DEFAULT_LIMIT, &());
    assert_eq!(results.pop().unwrap().unwrap(), pictures[4]);
    for result in results.drain(1..) {
        assert!(result.as_ref().is_err_and(DecodeError::is_damage), "{:?}", result.map(|file| file.len()));
    }
    assert_eq!(results.remove(0).unwrap(), pictures[0]);
}
