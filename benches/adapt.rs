//! What adaptation to each picture gains and takes: `cargo bench --bench adapt -- PICTURE...` (PPM).
//!
//! A line a picture and preset: bytes without and with adaptation (the code of the adaptation included), and the time of
//! the fit beside the time of coding, both on one thread.

mod common;

use std::time::Instant;
use surprisal::adapt::{self, Area, Fit};
use surprisal::codec::bands::{bands, measure_band, places};
use surprisal::engine::{Field, Network};
use surprisal::entropy::Bits;
use surprisal::media::image::Picture;

fn cost(network: &Network, picture: &Picture) -> u64 {
    bands(picture.height).map(|band| measure_band(network, picture, band)).sum::<Bits>().ceil_bytes()
}

fn field(network: &Network, picture: &Picture) -> Field {
    let (width, height, channels) = (picture.width as usize, picture.height as usize, usize::from(picture.channels));
    let mut field = Field::new(width, height, channels, network.reach(), true);
    for (i, pixel) in picture.samples.chunks_exact(channels).enumerate() {
        for (channel, place) in places(channels).iter().enumerate() {
            field.set(channel, (i / width) as isize, i % width, pixel[*place]);
        }
    }
    field
}

fn main() {
    let network = common::network(surprisal::engine::Kernel::best());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let num = |k: &str, d: f64| std::env::var(k).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let mut presets = vec![];
    for p in std::env::var("PRESETS").unwrap_or("24x1024x.015,64x2048x.01".into()).split(',') {
        let v: Vec<f64> = p.split('x').map(|v| v.parse().unwrap()).collect();
        presets.push(Fit { steps: v[0] as u32, batch: v[1] as u32, rate: v[2], share: 99.0 });
    }
    let _ = num;
    let mut total = vec![(0u64, 0u64, 0.0, 0.0); presets.len()];
    for (name, picture) in common::pictures() {
        let start = Instant::now();
        let plain = cost(&network, &picture);
        let coding = start.elapsed().as_secs_f64();
        print!("{name:30} {plain:8}");
        for (preset, total) in presets.iter().zip(&mut total) {
            let start = Instant::now();
            let field = field(&network, &picture);
            let area = Area { field: &field, width: picture.width, rows: (0..picture.height).collect() };
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
