//! Devices: what computes very many positions at once, beside the kernels.
//!
//! A device is told apart by what it can do: the intervals of all samples of a picture that is known (encoding, measuring,
//! verifying), and the parameters of positions of many pictures in lockstep, sample by sample (decoding). The codec knows
//! these traits alone; [`open`] knows which devices this build has.
//!
//! What must stay true: a device is used for a network only after [`load`] has compared it with `reference` and the
//! kernels, so bytes never depend on the device.

mod check;

use super::network::Network;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// How the user names a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceName {
    /// The integer kernels.
    #[default]
    Cpu,
    /// A CUDA device, by its number.
    Cuda(usize),
    /// What runs on CUDA devices, on the processor: slow, for tests.
    TorchCpu,
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::TorchCpu => f.write_str("torch-cpu"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "torch-cpu" => Ok(Self::TorchCpu),
            _ => name
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| "choose cpu, cuda or cuda:N".to_owned()),
        }
    }
}

/// Why a device is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// This build has none.
    #[error(
        "this program was built without devices: build it with `cargo build --release --features torch`, or run it with --device cpu"
    )]
    NotBuilt,
    /// It is not there.
    #[error("there is no device {device} ({}): choose another one, or --device cpu", found(*count))]
    Missing {
        /// Its name.
        device: DeviceName,
        /// Number of CUDA devices.
        count: usize,
    },
    /// It does not compute what the reference computes.
    #[error(
        "the device {device} disagrees with the definition of the model '{model}' ({what}), so it is not used: run with --device cpu"
    )]
    Disagrees {
        /// Its name.
        device: String,
        /// Name of the model.
        model: String,
        /// What differs.
        what: String,
    },
    /// It failed, for instance for want of memory.
    #[error("the device {device} failed: {fault}; run with --device cpu")]
    Failed {
        /// Its name.
        device: String,
        /// What it says.
        fault: String,
    },
}

fn found(count: usize) -> String {
    match count {
        0 => "no CUDA device is found on this machine".to_owned(),
        1 => "the only CUDA device is cuda:0".to_owned(),
        count => format!("the CUDA devices are cuda:0 to cuda:{}", count - 1),
    }
}

/// Rows of a picture whose samples are known.
#[derive(Debug, Clone)]
pub struct Strip<'a> {
    /// `[rows][width][channels]`, interleaved as in a picture: the rows to compute, below those that windows reach into.
    pub samples: &'a [u8],
    /// Where the channels of a pixel are, in coding order.
    pub places: &'a [usize],
    /// Pixels a row.
    pub width: usize,
    /// Which row of the picture `samples` begins with.
    pub start: usize,
    /// The rows to compute, numbered as in the picture.
    pub rows: Range<usize>,
}

impl<'a> Strip<'a> {
    /// Rows of a picture, given the samples of the whole of it, for windows that reach `reach` rows up.
    pub fn new(picture: &'a [u8], places: &'a [usize], width: usize, rows: Range<usize>, reach: usize) -> Self {
        let (line, start) = (width * places.len(), rows.start.saturating_sub(reach));
        Self { samples: &picture[start * line..rows.end * line], places, width, start, rows }
    }

    /// Number of positions to compute.
    pub fn positions(&self) -> usize {
        self.rows.len() * self.width
    }
}

/// The interval of one symbol: its cumulative count and its count, of a total of 2^24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Count of all symbols below.
    pub left: u32,
    /// Count of the symbol.
    pub width: u32,
}

/// A picture that is decoded in lockstep with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A position of one of several pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which picture.
    pub picture: usize,
    /// Row.
    pub row: usize,
    /// Column.
    pub column: usize,
}

/// Something that computes networks.
pub trait Device: fmt::Debug + Send + Sync {
    /// What the user calls it.
    fn name(&self) -> String;
    /// Brings a network there. Use [`load`], which also checks it.
    fn bring(&self, network: &Arc<Network>) -> Result<Arc<dyn Runner>, DeviceError>;
}

/// A network on a device.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Positions that it computes at once.
    fn capacity(&self) -> usize;
    /// The intervals of all samples of the strip's rows: position by position, channels in coding order.
    fn intervals(&self, strip: &Strip) -> Result<Vec<Interval>, DeviceError>;
    /// The values of every node, `[nodes][positions][width]`; a node that needs a channel which the strip does not have is
    /// empty.
    fn values(&self, strip: &Strip) -> Result<Vec<Vec<i16>>, DeviceError>;
    /// Pictures without samples, to be computed as the samples become known. Pixels have `channels` samples.
    fn lockstep(&self, shapes: &[Shape], channels: usize) -> Result<Box<dyn Lockstep + '_>, DeviceError>;
}

/// Pictures that become known sample by sample, on a device. Samples are in coding order of the channels.
pub trait Lockstep {
    /// Tells samples of whole rows, `[rows][width][channels]`, before any position that sees them.
    fn fill(&mut self, picture: usize, row: usize, samples: &[u8]) -> Result<(), DeviceError>;
    /// Goes to other positions, none of which sees another one.
    fn step(&mut self, positions: &[Place]) -> Result<(), DeviceError>;
    /// What [`Network::distribution`] needs for a channel of these positions, a row a position. The stages of the channels
    /// before were run and their samples told.
    fn stage(&mut self, channel: usize) -> Result<Vec<i16>, DeviceError>;
    /// Tells the samples of a channel of these positions.
    fn learn(&mut self, channel: usize, samples: &[u8]) -> Result<(), DeviceError>;
}

/// The device of a name; `None` stands for the kernels.
pub fn open(name: DeviceName) -> Result<Option<Arc<dyn Device>>, DeviceError> {
    match name {
        DeviceName::Cpu => Ok(None),
        #[cfg(feature = "torch")]
        name => super::torch::open(name).map(Some),
        #[cfg(not(feature = "torch"))]
        _ => Err(DeviceError::NotBuilt),
    }
}

/// Brings a network to a device and checks that it computes there what `reference` and the kernels compute.
pub fn load(device: &dyn Device, network: &Arc<Network>) -> Result<Arc<dyn Runner>, DeviceError> {
    let runner = device.bring(network)?;
    check::check(&device.name(), network, &*runner)?;
    Ok(runner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["cpu", "cuda:0", "cuda:3", "torch-cpu"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(0)));
        for name in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "CUDA"] {
            assert!(name.parse::<DeviceName>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_strip_has_the_rows_above_it() {
        let picture: Vec<u8> = (0..60).collect();
        let strip = Strip::new(&picture, &[1, 0, 2], 4, 3..5, 2);
        assert_eq!((strip.start, strip.samples, strip.positions()), (1, &picture[12..60], 8));
        let strip = Strip::new(&picture, &[1, 0, 2], 4, 1..2, 5);
        assert_eq!((strip.start, strip.samples), (0, &picture[..24]));
    }
}
