//! Whether a device computes what the definition says, before anything is coded with it.
//!
//! Generated pictures are computed there in every way that coding uses: whole batches as large as the device takes, small
//! ones, and positions in lockstep. All intervals and parameters are compared with the kernels', and all values of some
//! positions with `reference`.
//!
//! What must stay true: a device that gives one other value in what is compared is refused.

use super::{DeviceError, Interval, Place, Runner, Shape, Strip};
use crate::engine::reference;
use crate::engine::{Executor, Field, Network, Position};
use crate::entropy::Distribution;
use rayon::prelude::*;

/// Width of the pictures that fill the device; no power of two, so that a batch ends within a row.
const WIDTH: usize = 211;
/// Positions that an executor gets at a time.
const BATCH: usize = 48;
/// Positions that are compared with the reference.
const REFERENCES: usize = 200;
/// Pictures that are decoded in lockstep: a single pixel, a row, a column, and some of both.
const LOCKSTEP: [Shape; 4] = [
    Shape { width: 1, height: 1 },
    Shape { width: 37, height: 1 },
    Shape { width: 1, height: 5 },
    Shape { width: 23, height: 4 },
];

/// Compares.
pub(super) fn check(device: &str, network: &Network, runner: &dyn Runner) -> Result<(), DeviceError> {
    let all = usize::from(network.program().spec().symbols.channels);
    for channels in if all == 3 { vec![3, 1] } else { vec![all] } {
        // Every size of batch chooses other code on a device, and this one is larger than its largest by some rows.
        let rows = if channels == all { runner.capacity() / WIDTH + 3 } else { 3 };
        let picture = Generated::new(WIDTH, rows, channels);
        let check = Check { device, network, runner, picture: &picture };
        check.intervals()?;
        let sampled = Generated::new(29, REFERENCES.div_ceil(2 * 29), channels);
        Check { picture: &sampled, ..check }.values()?;
        Check { picture: &picture, ..check }.lockstep()?;
    }
    Ok(())
}

/// A picture of gradients, noise and edges, with its samples in coding order.
struct Generated {
    width: usize,
    rows: usize,
    /// `[rows][width][channels]`.
    samples: Vec<u8>,
    places: Vec<usize>,
}

impl Generated {
    fn new(width: usize, rows: usize, channels: usize) -> Self {
        let mut state = (width + rows) as u64;
        let mut noise = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        let mut sample = |i: usize| {
            let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
            match (x / 13 + y / 9) % 4 {
                0 => (x * 4 + y * 3 + c * 20) as u8,
                1 => noise(256) as u8,
                2 => (200 - 2 * (x % 90) as i64 + noise(9) as i64).clamp(0, 255) as u8,
                _ => 255 * ((x / 2 + y) % 2) as u8,
            }
        };
        let samples = (0..width * rows * channels).map(&mut sample).collect();
        Self { width, rows, samples, places: (0..channels).collect() }
    }

    fn channels(&self) -> usize {
        self.places.len()
    }

    fn strip(&self, network: &Network) -> Strip<'_> {
        Strip::new(&self.samples, &self.places, self.width, 0..self.rows, network.reach())
    }

    fn get(&self, row: usize, column: usize, channel: usize) -> u8 {
        self.samples[(row * self.width + column) * self.channels() + channel]
    }

    fn field(&self, network: &Network, shape: Shape) -> Field {
        let mut field = Field::new(shape.width, shape.height, self.channels(), network.reach(), true);
        for (y, x) in (0..shape.height).flat_map(|y| (0..shape.width).map(move |x| (y, x))) {
            (0..self.channels()).for_each(|c| field.set(c, y as isize, x, self.get(y, x, c)));
        }
        field
    }
}

#[derive(Clone, Copy)]
struct Check<'a> {
    device: &'a str,
    network: &'a Network,
    runner: &'a dyn Runner,
    picture: &'a Generated,
}

impl Check<'_> {
    fn compare<T: PartialEq>(&self, what: &str, got: &[T], expected: &[T]) -> Result<(), DeviceError> {
        let differs = got.iter().zip(expected).position(|(a, b)| a != b);
        let differs = differs.or(if got.len() == expected.len() { None } else { Some(got.len().min(expected.len())) });
        differs.map_or(Ok(()), |at| {
            Err(DeviceError::Disagrees {
                device: self.device.to_owned(),
                model: self.network.program().name().to_owned(),
                what: format!("{what}, number {at} of {}", expected.len()),
            })
        })
    }

    /// All intervals, against the kernels.
    fn intervals(&self) -> Result<(), DeviceError> {
        let Self { network, picture, .. } = *self;
        let got = self.runner.intervals(&picture.strip(network))?;
        let field = picture.field(network, Shape { width: picture.width, height: picture.rows });
        let position = |i: usize| Position { row: (i / picture.width) as u32, column: (i % picture.width) as u32 };
        let positions: Vec<_> = (0..picture.width * picture.rows).map(position).collect();
        let of_batch = |positions: &[Position]| {
            let mut executor = Executor::new(network, BATCH);
            executor.all(&field, positions);
            let mut intervals = Vec::with_capacity(positions.len() * picture.channels());
            for (i, p) in positions.iter().enumerate() {
                for c in 0..picture.channels() {
                    let symbol = picture.get(p.row as usize, p.column as usize, c);
                    let (left, width) = executor.distribution(c, i).interval(symbol.into());
                    intervals.push(Interval { left, width });
                }
            }
            intervals
        };
        let expected: Vec<Interval> = positions.par_chunks(BATCH).flat_map_iter(of_batch).collect();
        self.compare("intervals", &got, &expected)
    }

    /// All values of all nodes at all positions of a small picture, against the reference.
    fn values(&self) -> Result<(), DeviceError> {
        let Self { network, picture, .. } = *self;
        let got = self.runner.values(&picture.strip(network))?;
        let row = |y: usize, c: usize| (0..picture.width).map(|x| picture.get(y, x, c)).collect();
        let plane = |c: usize| (0..picture.rows).map(|y| row(y, c)).collect();
        let planes: reference::Picture = (0..picture.channels()).map(plane).collect();
        let mut expected = vec![Vec::new(); got.len()];
        for (y, x) in (0..picture.rows).flat_map(|y| (0..picture.width).map(move |x| (y, x))) {
            for (node, values) in reference::evaluate(network.program(), &planes, y, x).iter().enumerate() {
                expected[node].extend(values.iter().map(|v| *v as i16));
            }
        }
        for (node, (got, expected)) in got.iter().zip(&expected).enumerate() {
            self.compare(&format!("values of node {node}"), got, expected)?;
        }
        self.compare("the number of nodes", &[got.len()], &[network.program().spec().nodes.len()])
    }

    /// What distributions are made of, for pictures that become known sample by sample, against the kernels.
    fn lockstep(&self) -> Result<(), DeviceError> {
        let Self { network, picture, .. } = *self;
        let shapes = LOCKSTEP.map(|s| Shape { height: s.height.min(picture.rows), ..s });
        let mut device = self.runner.lockstep(&shapes, picture.channels())?;
        let fields = shapes.map(|shape| picture.field(network, shape));
        let mut executor = Executor::new(network, 1);
        let steps = shapes.iter().map(|s| s.width + network.lag() * (s.height - 1)).max().unwrap_or(0);
        for step in 0..steps {
            let place = |(p, s): (usize, &Shape)| {
                let on_row = move |row: usize| step.checked_sub(network.lag() * row).map(|column| (row, column));
                let (width, height) = (s.width, s.height);
                let places = (0..height).filter_map(on_row).filter(move |(_, column)| *column < width);
                places.map(move |(row, column)| Place { picture: p, row, column })
            };
            let places: Vec<Place> = shapes.iter().enumerate().flat_map(place).collect();
            device.step(&places)?;
            for channel in 0..picture.channels() {
                let mut expected = Vec::new();
                for p in &places {
                    let position = Position { row: p.row as u32, column: p.column as u32 };
                    (0..=channel).for_each(|c| executor.stage(c, &fields[p.picture], &[position]));
                    expected.extend(executor.parameters(channel, 0));
                }
                self.compare("parameters in lockstep", &device.stage(channel)?, &expected)?;
                let samples: Vec<u8> = places.iter().map(|p| picture.get(p.row, p.column, channel)).collect();
                device.learn(channel, &samples)?;
            }
        }
        Ok(())
    }
}
