//! The integer executor on libtorch: a program on tensors of f64 that hold integers, on CUDA devices or on the processor.
//!
//! Sums of products are below 2^31 in magnitude (the loader proves it), so f64 holds them and every part of them exactly,
//! whatever the order in which a device adds; scaling by powers of two is exact, and `floor` is a shift. Matrix products are
//! plain ones: no convolution, which may be computed by transforms. What divides or looks up is done in int64.
//!
//! What must stay true: every value is the one of `reference`; nothing here knows a family of networks.

mod grid;
mod lockstep;
mod mixture;
mod nodes;
mod window;

use super::device::{Device, DeviceError, DeviceName, Interval, Lockstep, Runner, Shape, Strip};
use super::network::Network;
pub use grid::{GridParameters, GridTensors};
use mixture::Mixtures;
use nodes::{Batch, Nodes};
use std::sync::{Arc, Mutex, PoisonError};
use tch::{Kind, TchError, Tensor};
use window::Samples;

/// Bytes of the values of a batch: what a CUDA device needs to be busy, and what stays near a processor's caches.
const CUDA_BATCH: usize = 1 << 30;
const CPU_BATCH: usize = 16 << 20;

/// Bytes that a value takes beside what is computed on the way to it.
const VALUE: usize = 16;

/// A device of libtorch.
#[derive(Debug)]
struct Torch {
    name: DeviceName,
    device: tch::Device,
}

/// The device of a name other than [`DeviceName::Cpu`].
pub(super) fn open(name: DeviceName) -> Result<Arc<dyn Device>, DeviceError> {
    Ok(Arc::new(Torch { name, device: find(name)? }))
}

/// The device of a name in libtorch; that of the kernels is the processor.
fn find(name: DeviceName) -> Result<tch::Device, DeviceError> {
    Ok(match name {
        DeviceName::Cpu | DeviceName::TorchCpu => tch::Device::Cpu,
        DeviceName::Cuda(number) => {
            let count = if tch::Cuda::is_available() { tch::Cuda::device_count().max(0) as usize } else { 0 };
            if number >= count {
                return Err(DeviceError::Missing { device: name, count });
            }
            tch::Device::Cuda(number)
        }
    })
}

impl Device for Torch {
    fn name(&self) -> String {
        self.name.to_string()
    }

    fn bring(&self, network: &Arc<Network>) -> Result<Arc<dyn Runner>, DeviceError> {
        let on = On { device: self.device, name: self.name };
        let made = || -> Result<_, TchError> {
            let nodes = Nodes::new(network, self.device)?;
            let mixtures = (0..network.program().spec().outputs.len()).map(|c| Mixtures::new(network, c, self.device));
            Ok(Parts { nodes, mixtures: mixtures.collect::<Result<_, _>>()? })
        };
        let parts = Mutex::new(on.say(made())?);
        let budget = if self.device.is_cuda() { CUDA_BATCH } else { CPU_BATCH };
        let values: usize = network.widths.iter().sum();
        Ok(Arc::new(Loaded { network: Arc::clone(network), parts, on, capacity: (budget / (values * VALUE)).max(64) }))
    }
}

/// A device and its name.
#[derive(Debug, Clone, Copy)]
struct On {
    device: tch::Device,
    name: DeviceName,
}

impl On {
    /// The error in the words of the codec.
    fn say<T>(&self, result: Result<T, TchError>) -> Result<T, DeviceError> {
        result.map_err(|fault| {
            // The first line says it; the others are addresses.
            let fault = fault.to_string().lines().next().unwrap_or_default().to_owned();
            DeviceError::Failed { device: self.name.to_string(), fault }
        })
    }
}

/// Tensors of a network.
#[derive(Debug)]
struct Parts {
    nodes: Nodes,
    mixtures: Vec<Mixtures>,
}

/// A network on a device.
#[derive(Debug)]
struct Loaded {
    network: Arc<Network>,
    /// Tensors may go from thread to thread, but not be used by two at once.
    parts: Mutex<Parts>,
    on: On,
    capacity: usize,
}

impl Loaded {
    /// Channels of the network's windows.
    fn channels(&self) -> usize {
        self.network.program().spec().symbols.channels.into()
    }

    /// Calls `each` for batches of the strip's positions, all of whose stages were run.
    fn batches(
        &self,
        strip: &Strip,
        mut each: impl FnMut(&Parts, &Samples, &Batch) -> Result<(), TchError>,
    ) -> Result<(), TchError> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = Samples::of_strip(strip, self.channels(), self.on.device)?;
        let (first, last) = (strip.rows.start * strip.width, strip.rows.end * strip.width);
        for start in (first..last).step_by(self.capacity) {
            let positions = samples.positions(start..last.min(start + self.capacity), strip.width)?;
            let mut batch = Batch::new(&self.network, positions);
            for stage in 0..strip.places.len() {
                parts.nodes.stage(stage, &samples, &mut batch)?;
            }
            each(&parts, &samples, &batch)?;
        }
        Ok(())
    }
}

impl Runner for Loaded {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn intervals(&self, strip: &Strip) -> Result<Vec<Interval>, DeviceError> {
        let mut all = Vec::with_capacity(strip.positions() * strip.places.len());
        let done = self.batches(strip, |parts, samples, batch| {
            let of_channel = |channel: usize| {
                let symbols = samples.current(batch.positions(), channel)?.f_to_kind(Kind::Int64)?;
                parts.mixtures[channel].intervals(batch, &symbols)
            };
            let channels = (0..strip.places.len()).map(of_channel).collect::<Result<Vec<Tensor>, _>>()?;
            // [positions][channels][2]
            let pairs: Vec<i32> = to_vec(&Tensor::f_stack(&channels, 1)?.f_to_kind(Kind::Int)?, 0)?;
            all.extend(pairs.chunks_exact(2).map(|pair| Interval { left: pair[0] as u32, width: pair[1] as u32 }));
            Ok(())
        });
        self.on.say(done)?;
        Ok(all)
    }

    fn values(&self, strip: &Strip) -> Result<Vec<Vec<i16>>, DeviceError> {
        let mut all = vec![Vec::new(); self.network.widths.len()];
        let done = self.batches(strip, |_, _, batch| {
            for (node, values) in all.iter_mut().enumerate() {
                if let Ok(tensor) = batch.value(node) {
                    values.extend(to_vec(&tensor.f_to_kind(Kind::Int16)?, 0i16)?);
                }
            }
            Ok(())
        });
        self.on.say(done)?;
        Ok(all)
    }

    fn lockstep(&self, shapes: &[Shape], channels: usize) -> Result<Box<dyn Lockstep + '_>, DeviceError> {
        let samples = self.on.say(Samples::of_shapes(shapes, channels, self.channels(), self.on.device))?;
        Ok(Box::new(lockstep::Pictures::new(self, samples)))
    }
}

/// The elements of a tensor of this kind, in order.
fn to_vec<T: tch::kind::Element + Copy>(tensor: &Tensor, zero: T) -> Result<Vec<T>, TchError> {
    let count = tensor.numel();
    let mut out = vec![zero; count];
    tensor.f_contiguous()?.f_copy_data(&mut out, count)?;
    Ok(out)
}

/// A tensor of these numbers on the device.
fn tensor<T: tch::kind::Element>(values: &[T], kind: Kind, device: tch::Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(values)?.f_to_device(device)?.f_to_kind(kind)
}
