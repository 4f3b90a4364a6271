//! A device that is the kernels, position by position, and one that lies.

use super::streams;
use std::sync::Arc;
use surprisal::codec::signature::{signature, signature_on};
use surprisal::engine::device::{self, Interval, Lockstep, Place, Shape, Strip};
use surprisal::engine::{Device, DeviceError, Executor, Field, Kernel, Network, Position, Program, Runner};
use surprisal::entropy::Distribution;
use surprisal::spec::Op;

/// What a device computes wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Nothing,
    Intervals,
    Values,
    Lockstep,
    GrayLockstep,
}

#[derive(Debug)]
struct Plain(Lie);

#[derive(Debug)]
struct Loaded {
    network: Arc<Network>,
    lie: Lie,
}

impl Device for Plain {
    fn name(&self) -> String {
        "plain:7".to_owned()
    }
    fn bring(&self, network: &Arc<Network>) -> Result<Arc<dyn Runner>, DeviceError> {
        Ok(Arc::new(Loaded { network: Arc::clone(network), lie: self.0 }))
    }
}

impl Loaded {
    /// Calls `each` with an executor that has computed one position of the strip, and the position's samples in order.
    fn positions(&self, strip: &Strip, mut each: impl FnMut(&Executor, &[u8])) {
        let (rows, channels) = (strip.start..strip.rows.end, strip.places.len());
        let mut field = Field::new(strip.width, rows.len(), channels, self.network.reach(), strip.start == 0);
        let pixel = |y: usize, x: usize| {
            let pixel = &strip.samples[(y * strip.width + x) * channels..][..channels];
            strip.places.iter().map(|place| pixel[*place]).collect::<Vec<u8>>()
        };
        for (y, x) in (0..rows.len()).flat_map(|y| (0..strip.width).map(move |x| (y, x))) {
            pixel(y, x).iter().enumerate().for_each(|(c, v)| field.set(c, y as isize, x, *v));
        }
        let mut executor = Executor::new(&self.network, 1);
        for y in strip.rows.clone().map(|y| y - strip.start) {
            for x in 0..strip.width {
                executor.all(&field, &[Position { row: y as u32, column: x as u32 }]);
                each(&executor, &pixel(y, x));
            }
        }
    }
}

impl Runner for Loaded {
    fn capacity(&self) -> usize {
        64
    }

    fn intervals(&self, strip: &Strip) -> Result<Vec<Interval>, DeviceError> {
        let mut all = Vec::new();
        self.positions(strip, |executor, samples| {
            for (channel, symbol) in samples.iter().enumerate() {
                let (left, width) = executor.distribution(channel, 0).interval((*symbol).into());
                all.push(Interval { left, width });
            }
        });
        if self.lie == Lie::Intervals {
            all.last_mut().unwrap().left ^= 1;
        }
        Ok(all)
    }

    fn values(&self, strip: &Strip) -> Result<Vec<Vec<i16>>, DeviceError> {
        let mut all = vec![Vec::new(); self.network.program().spec().nodes.len()];
        // Of a gray picture: what needs no second channel.
        let mut sees: Vec<bool> = Vec::new();
        for node in &self.network.program().spec().nodes {
            let is_later = matches!(node.op, Op::Current { channels } if usize::from(channels) >= strip.places.len());
            sees.push(!is_later && node.inputs.iter().all(|input| sees[*input]));
        }
        self.positions(strip, |executor, _| {
            for (node, values) in all.iter_mut().enumerate().filter(|(node, _)| sees[*node]) {
                values.extend_from_slice(executor.values(node, 0));
            }
        });
        if self.lie == Lie::Values {
            *all.last_mut().unwrap().last_mut().unwrap() += 1;
        }
        Ok(all)
    }

    fn lockstep(&self, shapes: &[Shape], channels: usize) -> Result<Box<dyn Lockstep + '_>, DeviceError> {
        let field = |s: &Shape| Field::new(s.width, s.height, channels, self.network.reach(), true);
        let fields = shapes.iter().map(field).collect();
        let widths = shapes.iter().map(|s| s.width).collect();
        Ok(Box::new(Pictures { loaded: self, channels, fields, widths, places: Vec::new(), executors: Vec::new() }))
    }
}

struct Pictures<'l> {
    loaded: &'l Loaded,
    channels: usize,
    fields: Vec<Field>,
    widths: Vec<usize>,
    places: Vec<Place>,
    executors: Vec<Executor<'l>>,
}

impl Lockstep for Pictures<'_> {
    fn fill(&mut self, picture: usize, row: usize, samples: &[u8]) -> Result<(), DeviceError> {
        let (width, channels) = (self.widths[picture], self.channels);
        for (i, sample) in samples.iter().enumerate() {
            let pixel = i / channels;
            self.fields[picture].set(i % channels, (row + pixel / width) as isize, pixel % width, *sample);
        }
        Ok(())
    }

    fn step(&mut self, positions: &[Place]) -> Result<(), DeviceError> {
        self.places = positions.to_vec();
        self.executors = positions.iter().map(|_| Executor::new(&self.loaded.network, 1)).collect();
        Ok(())
    }

    fn stage(&mut self, channel: usize) -> Result<Vec<i16>, DeviceError> {
        let mut all = Vec::new();
        for (executor, p) in self.executors.iter_mut().zip(&self.places) {
            let position = Position { row: p.row as u32, column: p.column as u32 };
            executor.stage(channel, &self.fields[p.picture], &[position]);
            all.extend(executor.parameters(channel, 0));
        }
        let lies = match self.loaded.lie {
            Lie::Lockstep => channel == 2,
            Lie::GrayLockstep => self.channels == 1,
            _ => false,
        };
        if lies && self.places.len() > 2 {
            all[1] += 1;
        }
        Ok(all)
    }

    fn learn(&mut self, channel: usize, samples: &[u8]) -> Result<(), DeviceError> {
        for (p, sample) in self.places.iter().zip(samples) {
            self.fields[p.picture].set(channel, p.row as isize, p.column, *sample);
        }
        Ok(())
    }
}

fn network() -> Arc<Network> {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.srm")).unwrap();
    Arc::new(Network::new(Arc::new(Program::from_bytes(&bytes).unwrap()), Kernel::best()))
}

#[test]
fn a_device_that_computes_something_else_is_refused() {
    let network = network();
    device::load(&Plain(Lie::Nothing), &network).unwrap();
    for (lie, what) in [
        (Lie::Intervals, "intervals"),
        (Lie::Values, "values of node"),
        (Lie::Lockstep, "lockstep"),
        (Lie::GrayLockstep, "lockstep"),
    ] {
        let error = device::load(&Plain(lie), &network).expect_err(what).to_string();
        assert!(["plain:7", "photo", what, "--device cpu"].iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn streams_are_those_of_the_kernels() {
    streams::equal_the_kernels(Arc::new(Plain(Lie::Nothing)));
}

#[test]
fn damage_stays_where_it_is() {
    streams::damage_stays_where_it_is(Arc::new(Plain(Lie::Nothing)));
}

#[test]
fn its_signature_is_the_kernels() {
    assert_eq!(signature_on(Arc::new(Plain(Lie::Nothing)), 2).unwrap(), signature(Kernel::best(), 2));
}
