//! Gradients against differences, and fits that do not depend on the machine.

use super::sample::{Areas, Draw, Piece, Workers, positions};
use super::*;
use crate::engine::{Adjoint, Adjustable, Field, Kernel, Params, Position, Program};

fn network(kernel: Kernel) -> Network {
    let program = Program::from_bytes(include_bytes!("../../models/photo.srm")).unwrap();
    Network::new(Arc::new(program), kernel)
}

/// Waves with noise and a few edges: enough like a photograph, and unlike those that the model was trained on.
fn field(network: &Network, width: usize, height: usize, channels: usize) -> Field {
    let mut state = 3u64;
    let mut noise = |n: i32| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % (2 * n as u64 + 1)) as i32 - n
    };
    let mut field = Field::new(width, height, channels, network.reach(), true);
    for y in 0..height {
        for x in 0..width {
            let wave = ((x * x / 40 + 3 * y) % 160) as i32;
            let level = if wave < 80 { wave } else { 160 - wave } + if x / 23 % 2 == 0 { 60 } else { 90 };
            let level = level + noise(6);
            (0..channels)
                .for_each(|c| field.set(c, y as isize, x, (level + 9 * c as i32 + noise(3)).clamp(0, 255) as u8));
        }
    }
    field
}

fn area(field: &Field, width: u32, height: u32) -> [Area<'_>; 1] {
    [Area { field, width, rows: (0..height).collect() }]
}

fn places<'a>(pieces: &'a [Piece]) -> Vec<&'a Position> {
    pieces.iter().flat_map(|piece| &piece.positions).collect()
}

const FIT: Fit = Fit { steps: 16, batch: 100, rate: 0.03, share: 1.0 };

#[test]
fn gradients_are_slopes_of_the_code_length() {
    let network = network(Kernel::best());
    let program = network.program();
    for channels in [3, 1] {
        let field = field(&network, 90, 70, channels);
        let area = area(&field, 90, 70);
        let output = i32::from(program.tables(0).fraction) + mixture::FRACTION as i32;
        let mut adjoint = Adjoint::new(program, output);
        let mut workers = Workers::new(&network, &adjoint);
        let pieces = Draw::new(5).draw(&Areas::new(&area), 1200);
        workers.calibrate(&network, &mut adjoint, &pieces[0]);
        let layers: Vec<_> = program.trained().collect();
        let sums = workers.gradients(&network, &adjoint, &pieces, &layers);
        let sizes = workers.magnitudes(&network, &pieces, &layers);
        let mut adjustable = Adjustable::new(program, network.kernel());
        for ((node, sums), size) in layers.into_iter().zip(&sums).zip(sizes) {
            if size == 0.0 {
                assert!(channels == 1 && sums.iter().all(|s| *s == 0), "node {node}");
                continue;
            }
            let Params::Linear { bias, shift, .. } = program.params(node) else { unreachable!() };
            let unit = 2f64.powi(-adjoint.scale(node)) / std::f64::consts::LN_2;
            // Sums of products of predicted and measured slopes over the biases of the layer.
            let (mut pp, mut pm, mut mm) = (0.0, 0.0, 0.0);
            for o in (0..bias.len()).step_by(bias.len().div_ceil(48)) {
                // Small against what bends the cost, large against the rounding, which a gray picture's cost feels more.
                let is_output = program.spec().outputs.iter().any(|o| o.parameters == node);
                let parts = if is_output { 20.0 } else { [3.0, 8.0][usize::from(channels == 3)] };
                let step = (size / parts).ceil();
                let mut cost = |sign: f64| {
                    let mut moved = bias.clone();
                    moved[o] += (sign * step * 2f64.powi(shift[o].into())) as i32;
                    adjustable.set_bias(node, &moved);
                    workers.cost(adjustable.network(), &pieces).to_f64()
                };
                let measured = (cost(1.0) - cost(-1.0)) / (2.0 * step);
                let predicted = sums[o] as f64 * unit;
                (pp, pm, mm) = (pp + predicted * predicted, pm + predicted * measured, mm + measured * measured);
            }
            adjustable.set_bias(node, bias);
            let (correlation, slope) = (pm / (pp * mm).sqrt(), pm / pp);
            println!("node {node}: {correlation:.3}, {slope:.3}");
            let least = if channels == 1 { 0.6 } else { 0.9 }; // a third of the sum, so three times the noise
            assert!(correlation > least && (0.7..1.4).contains(&slope), "node {node}: {correlation:.3}, {slope:.3}");
        }
    }
}

#[test]
fn a_mixture_s_gradient_is_that_of_floating_point() {
    use crate::quantize::float::{mixture_bits, scale};
    let tables = crate::quantize::tables::mixture(40, 1, 12, 10);
    let mut state = 9u64;
    let mut random = |low: f64, high: f64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        low + (high - low) * ((state >> 33) as f64 / 2f64.powi(31))
    };
    let (mut errors, mut sizes) = (0.0, 0.0);
    for _ in 0..400 {
        let ranges = [(-3.0, 3.0), (-1.0, 1.0), (-1.5, 1.0)];
        let parameters: Vec<i16> =
            (0..15).map(|i| (random(ranges[i / 5].0, ranges[i / 5].1) * 1024.0) as i16).collect();
        let (mean, level) = (random(20.0, 230.0) as i16, random(4.0, 26.0) as usize);
        let size = scale(level as u8);
        let symbol = (f64::from(mean) + random(-6.0, 6.0) * size).clamp(0.0, 255.0) as u8;
        let mut found = [0; 15];
        mixture::gradient(&tables, &parameters, 5, mean, level, symbol, &mut found);
        for (i, found) in found.iter().enumerate() {
            let nats = |change: f32| {
                let mut p: Vec<f32> = parameters.iter().map(|p| f32::from(*p) / 1024.0).collect();
                p[i] += change;
                mixture_bits(&p, mean.into(), 2.0 * size, size.ln(), 2f64.powi(-12), symbol) * std::f64::consts::LN_2
            };
            let exact = (nats(0.01) - nats(-0.01)) / 0.02;
            let found = f64::from(*found) / f64::from(1 << mixture::FRACTION);
            (errors, sizes) = (errors + (exact - found) * (exact - found), sizes + exact * exact);
        }
    }
    assert!(errors < 1e-3 * sizes, "{errors} of {sizes}");
}

#[test]
fn every_kernel_and_number_of_threads_gives_the_same_bytes() {
    let code = |kernel: Kernel, threads: usize| {
        let network = network(kernel);
        let field = field(&network, 80, 66, 3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&network, &area(&field, 80, 66), &FIT))
    };
    let first = code(Kernel::Scalar, 1).expect("such a picture is worth adapting to");
    for threads in [1, 2, 7] {
        assert_eq!(code(Kernel::best(), threads).as_ref(), Some(&first), "{threads} threads");
    }
    for kernel in Kernel::ALL.into_iter().filter(|k| k.is_available()) {
        assert_eq!(code(kernel, 2).as_ref(), Some(&first), "{}", kernel.name());
    }
}

#[test]
fn an_adaptation_saves_what_it_promises() {
    let network = network(Kernel::best());
    for channels in [3, 1] {
        let field = field(&network, 100, 80, channels);
        let area = area(&field, 100, 80);
        let Some(code) = fit(&network, &area, &FIT) else { panic!("no adaptation for {channels} channels") };
        let adapted = apply(&network, &code).unwrap();
        assert_ne!(adapted.program().id(), network.program().id());
        let mut workers = Workers::new(&network, &Adjoint::new(network.program(), 17));
        let areas = Areas::new(&area);
        let all = areas.spread(u64::MAX);
        let cost = |network: &Network, workers: &mut Workers| workers.cost(network, &all).ceil_bytes();
        let (before, after) = (cost(&network, &mut workers), cost(&adapted, &mut workers));
        assert!(after + (code.len() as u64) < before, "{before} to {after} and {}", code.len());
    }
}

#[test]
fn what_cannot_pay_is_not_tried() {
    let network = network(Kernel::best());
    let field = field(&network, 64, 64, 3);
    assert_eq!(fit(&network, &area(&field, 64, 5), &FIT), None);
    assert_eq!(fit(&network, &[Area { field: &field, width: 64, rows: Vec::new() }], &FIT), None);
    assert_eq!(fit(&network, &area(&field, 64, 64), &Fit::NONE), None);
}

#[test]
fn even_positions_are_even_and_all_if_they_fit() {
    let network = network(Kernel::best());
    let field = field(&network, 70, 65, 1);
    let area = [Area { field: &field, width: 70, rows: (3..9).chain(40..50).collect() }];
    let areas = Areas::new(&area);
    let (all, some) = (areas.spread(u64::MAX), areas.spread(100));
    assert_eq!((positions(&all), positions(&some)), (areas.count(), 100));
    for pieces in [all, some] {
        assert!(places(&pieces).windows(2).all(|p| (p[0].row, p[0].column) < (p[1].row, p[1].column)));
    }
}

#[test]
fn several_pictures_are_fitted_to_as_one() {
    let network = network(Kernel::best());
    // A gray one, for which two of three stages are not run, and colour ones of other sizes and rows.
    let fields = [(50, 40, 1), (90, 60, 3), (3, 2, 3), (70, 33, 3)].map(|(w, h, c)| (field(&network, w, h, c), w, h));
    let each: Vec<Area> = fields.iter().flat_map(|(field, w, h)| area(field, *w as u32, *h as u32)).collect();
    let areas = Areas::new(&each);
    let mut workers = Workers::new(&network, &Adjoint::new(network.program(), 17));
    let all = areas.spread(u64::MAX);
    let sum = each.iter().map(|a| workers.cost(&network, &Areas::new(std::slice::from_ref(a)).spread(u64::MAX)));
    let sum = sum.sum::<crate::entropy::Bits>();
    assert_eq!((positions(&all), workers.cost(&network, &all)), (50 * 40 + 90 * 60 + 6 + 70 * 33, sum));
    assert_eq!(areas.fullest().count(), 90 * 60);
    // Each picture has its share of what is drawn.
    let drawn = Draw::new(1).draw(&areas, 4000);
    let of = |i: usize| drawn.iter().filter(|p| std::ptr::eq(p.field, each[i].field)).map(|p| p.positions.len()).sum();
    let (gray, colour): (usize, usize) = (of(0), of(1));
    assert!((700..950).contains(&gray) && (2050..2400).contains(&colour), "{gray} {colour}");
    let code = fit(&network, &each, &FIT).expect("such pictures are worth adapting to");
    let adapted = apply(&network, &code).unwrap();
    for area in [&each[1], &each[3]] {
        let areas = Areas::new(std::slice::from_ref(area));
        let [before, after] = [&network, &adapted].map(|network| workers.cost(network, &areas.spread(u64::MAX)));
        assert!(after < before, "{} to {}", before.ceil_bytes(), after.ceil_bytes());
    }
}
