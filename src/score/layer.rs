//! A network for photographs on a picture: the score of every sample, and what its last layers have of it: the means over places of
//! what they read, and of the gradient of the code length with respect to their biases.
//!
//! The latter is the Fisher score (Jaakkola and Haussler 1998) of the biases, in closed form; that of a weight would be the same
//! gradient times what it reads.
//!
//! Of gray pictures only the norm of the Fisher score is kept: their one output tells less than what else is known of them (FashionMNIST and
//! MNIST are told apart less well with it, and solar cells hardly better).
//!
//! What must stay true: a colour picture has as many values as any other by the same network; scores are those of the coder's walk.

use crate::adapt::mixture;
use crate::codec::bands::{Band, bands, field, places};
use crate::engine::{Executor, Field, Network, Position};
use crate::entropy::{Coder, Score, ScoreMeter};
use crate::media::image::Picture;
use crate::spec::NodeId;
use rayon::prelude::*;

/// Places that the kernels compute at a time: a whole number of their six.
const BATCH: usize = 48;

/// Of a channel's output: sums of what its last layer reads, and of the gradient with respect to its biases.
type Sums = [Vec<i64>; 2];

/// The last layer of a channel: what it reads, and its output.
fn last(network: &Network, channel: usize) -> [NodeId; 2] {
    let [output, ..] = network.output(channel);
    [network.program().spec().nodes[output].inputs[0], output]
}

/// Sums of nothing for a picture of so many channels.
fn none(network: &Network, channels: usize) -> Vec<Sums> {
    let each = |channel: usize| last(network, channel).map(|node| vec![0; network.program().ranges(node).len()]);
    (0..channels).map(each).collect()
}

/// What a walk over a picture gives.
pub struct Walked {
    /// The scores of its samples, in its order.
    pub scores: Vec<Score>,
    /// If it has colours, for each channel the mean of each value that its last layer reads, in the network's integers, then the mean
    /// gradient of nats of the code with each of its biases.
    pub layer: Vec<f64>,
    /// The Euclidean norm of these gradients, those of all channels together.
    pub fisher: f64,
}

/// Walks over a picture.
pub fn walk(network: &Network, picture: &Picture) -> Walked {
    let known = field(network, picture);
    let bands: Vec<Band> = bands(picture.height).collect();
    let width = picture.width as usize;
    let each: Vec<_> = bands.into_par_iter().map(|b| band(network, &known, width, b)).collect();
    let mut sums = none(network, picture.channels.into());
    let mut scores = Vec::with_capacity(picture.samples.len());
    for (some, parts) in each {
        scores.extend(some);
        let pairs = sums.iter_mut().flatten().zip(parts.into_iter().flatten());
        pairs.for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a += b));
    }
    let count = (width * picture.height as usize).max(1) as f64;
    let unit = f64::from(1u32 << mixture::FRACTION);
    let (mut layer, mut squares) = (Vec::new(), 0.0);
    for [inputs, biases] in sums {
        let gradient: Vec<f64> = biases.into_iter().map(|sum| sum as f64 / count / unit).collect();
        squares += gradient.iter().map(|g| g * g).sum::<f64>();
        if picture.channels > 1 {
            layer.extend(inputs.into_iter().map(|sum| sum as f64 / count).chain(gradient));
        }
    }
    Walked { scores, layer, fisher: squares.sqrt() }
}

/// The same of a band of a picture, and its sums.
fn band(network: &Network, field: &Field, width: usize, band: Band) -> (Vec<Score>, Vec<Sums>) {
    let channels = field.channels();
    let order = places(channels);
    let mut executor = Executor::new(network, BATCH);
    let mut meter = ScoreMeter::new(256, true);
    let mut scores = vec![Score::default(); width * band.rows as usize * channels];
    let mut sums = none(network, channels);
    let mut gradient = Vec::new();
    let position = |i: usize| Position { row: band.first + (i / width) as u32, column: (i % width) as u32 };
    let all: Vec<Position> = (0..width * band.rows as usize).map(position).collect();
    for (number, batch) in all.chunks(BATCH).enumerate() {
        executor.all(field, batch);
        for channel in 0..channels {
            let distribution = executor.distributions(channel);
            for (i, p) in batch.iter().enumerate() {
                let symbol = field.get(channel, p.row as isize, p.column as usize);
                meter.code(&distribution(i), symbol.into()).expect("every symbol of a mixture can be coded");
                scores[(number * BATCH + i) * channels + order[channel]] = meter.last();
            }
        }
        for (channel, [inputs, biases]) in sums.iter_mut().enumerate() {
            let [reads, _] = last(network, channel);
            gradient.resize(biases.len(), 0);
            for (i, p) in batch.iter().enumerate() {
                mixture::gradient_at(&executor, field, channel, (i, *p), &mut gradient);
                inputs.iter_mut().zip(executor.values(reads, i)).for_each(|(sum, v)| *sum += i64::from(*v));
                biases.iter_mut().zip(&gradient).for_each(|(sum, v)| *sum += i64::from(*v));
            }
        }
    }
    (scores, sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::bands::tests::score_band;
    use crate::engine::{Kernel, Program};
    use crate::likelihood::logistic::{Mixture, PRECISION};
    use crate::spec::Likelihood;
    use std::sync::Arc;

    fn network() -> Network {
        let program = Program::from_bytes(include_bytes!("../../models/fast.srm")).unwrap();
        Network::new(Arc::new(program), Kernel::best())
    }

    fn picture(width: u32, height: u32, channels: u8) -> Picture {
        let sample = |i: usize| ((i / 7) as u8).wrapping_mul(3) ^ (i % 5) as u8;
        let samples = (0..width as usize * height as usize * usize::from(channels)).map(sample).collect();
        Picture { width, height, channels, samples }
    }

    #[test]
    fn scores_are_those_of_the_walk_and_gray_pictures_have_no_layer() {
        let network = network();
        let mut lengths = Vec::new();
        for (width, height, channels) in [(50, 41, 3), (29, 40, 1), (1, 3, 3)] {
            let picture = picture(width, height, channels);
            let Walked { scores, layer, fisher } = walk(&network, &picture);
            let known: Vec<Score> = bands(height).flat_map(|b| score_band((&network).into(), &picture, b)).collect();
            assert!(scores == known, "{width} x {height}, {channels} channels");
            assert_eq!(layer.iter().any(|v| *v != 0.0), channels == 3);
            assert!(fisher > 0.0);
            if channels == 3 {
                lengths.push(layer.len());
            }
        }
        assert!(lengths.iter().all(|n| *n == lengths[0]));
    }

    #[test]
    fn gradients_are_those_of_the_code_length() {
        let (network, picture) = (network(), picture(24, 16, 3));
        let Walked { layer, fisher, .. } = walk(&network, &picture);
        let [reads, output] = last(&network, 0);
        let [reads, biases] = [reads, output].map(|node| network.program().ranges(node).len());
        let (known, spec) = (field(&network, &picture), network.program().spec());
        #[allow(irrefutable_let_patterns, reason = "more families will follow")]
        let Likelihood::LogisticMixture { components, mean, scale, .. } = &spec.outputs[0].likelihood else {
            unreachable!()
        };
        let tables = network.program().tables(0);
        let step = 1i16 << (tables.fraction - 4);
        let mut executor = Executor::new(&network, 24);
        let mut slopes = vec![0.0; biases];
        for row in 0..16 {
            let line: Vec<Position> = (0..24).map(|column| Position { row, column }).collect();
            executor.all(&known, &line);
            for (i, p) in line.iter().enumerate() {
                let symbol = known.get(0, p.row as isize, p.column as usize);
                let (mean, level) = (executor.values(*mean, i)[0], executor.values(*scale, i)[0] as usize);
                let cost = |k: usize, by: i16| {
                    let mut moved = executor.values(output, i).to_vec();
                    moved[k] += by;
                    let mixture = Mixture::new(tables, &moved, (*components).into(), mean, level);
                    let width = crate::entropy::Distribution::interval(&mixture, symbol.into()).1;
                    crate::entropy::cost_of(width, PRECISION as u32).to_f64() * std::f64::consts::LN_2
                };
                let two = f64::from(2 * step) / 2f64.powi(tables.fraction.into());
                slopes.iter_mut().enumerate().for_each(|(k, s)| *s += (cost(k, step) - cost(k, -step)) / two / 384.0);
            }
        }
        let found = &layer[reads..][..biases];
        let (mut at, mut squares) = (0, 0.0);
        for [reads, output] in (0..3).map(|channel| last(&network, channel)) {
            let [reads, biases] = [reads, output].map(|node| network.program().ranges(node).len());
            squares += layer[at + reads..][..biases].iter().map(|g| g * g).sum::<f64>();
            at += reads + biases;
        }
        assert!(at == layer.len() && (fisher * fisher / squares - 1.0).abs() < 1e-9, "{fisher}");
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (both, alone) = (dot(found, &slopes), dot(found, found));
        let (correlation, ratio) = (both / (alone * dot(&slopes, &slopes)).sqrt(), both / alone);
        assert!(
            correlation > 0.98 && (0.8..1.25).contains(&ratio),
            "{correlation} {ratio}: {found:?}, measured {slopes:?}"
        );
    }
}
