//! What adaptation to each picture gains and takes: `cargo bench --bench adapt [-- PICTURE...]`.
//!
//! A line a picture and preset: bytes without and with adaptation (the code of the adaptation included), and the time of
//! the fit beside the time of coding, both on one thread.

mod common;

use std::time::Instant;
use surprisal::adapt::{self, Area, Fit};
use surprisal::codec::bands::{bands, field, measure_band};
use surprisal::engine::{Kernel, Network};
use surprisal::entropy::Bits;
use surprisal::media::image::Picture;

fn cost(network: &Network, picture: &Picture) -> u64 {
    bands(picture.height).map(|band| measure_band(network, picture, band)).sum::<Bits>().ceil_bytes()
}

fn main() {
    if !common::is_wanted() {
        return;
    }
    let network = common::network(Kernel::best());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let presets = [Fit::CHEAP, Fit::MEDIUM, Fit::THOROUGH];
    let mut total = [(0u64, 0u64, 0.0, 0.0); 3];
    for (name, picture) in common::pictures() {
        let start = Instant::now();
        let plain = cost(&network, &picture);
        let coding = start.elapsed().as_secs_f64();
        print!("{name:30} {plain:8}");
        for (preset, total) in presets.iter().zip(&mut total) {
            let start = Instant::now();
            let field = field(&network, &picture);
            let area = [Area { field: &field, width: picture.width, rows: (0..picture.height).collect() }];
            let code = pool.install(|| adapt::fit(&network, &area, preset));
            let seconds = start.elapsed().as_secs_f64();
            let (adapted, length) = match &code {
                Some(code) => (cost(&adapt::apply(&network, code).expect("fits"), &picture), code.len() as u64),
                None => (plain, 0),
            };
            let all = adapted + length;
            print!(
                " | {:6.2}% {:+.2}% code {length:4} {seconds:5.2}s of {coding:5.2}",
                100.0 * (adapted as f64 / plain as f64 - 1.0),
                100.0 * (all as f64 / plain as f64 - 1.0)
            );
            total.0 += plain;
            total.1 += all;
            total.2 += coding;
            total.3 += seconds;
        }
        println!();
    }
    for (preset, t) in presets.iter().zip(&total) {
        println!("{preset:?}: {:+.3}%, {:.2} of the time", 100.0 * (t.1 as f64 / t.0 as f64 - 1.0), t.3 / t.2);
    }
}
