//! Exact integer inference: the same bits on every machine, with every kernel, for every batch.
//!
//! A [`Program`] is a [`NetworkSpec`](crate::spec::NetworkSpec) with integers. [`mod@reference`] is its definition;
//! [`executor`] runs it for batches of positions, all channels at once or step by step; [`kernels`] does the products.
//! [`device`] is what codes with something else than kernels; `torch` (a cargo feature) is such a thing.
//!
//! What must stay true: whatever runs a program gives the bits of `reference`.
#![deny(clippy::float_arithmetic)]

pub mod adjoint;
pub mod bias;
pub mod device;
pub mod executor;
pub mod field;
pub mod grid;
pub mod kernels;
pub mod network;
pub mod program;
pub mod reference;
#[cfg(feature = "torch")]
mod torch;

pub use adjoint::{Adjoint, Gradients};
pub use bias::Adjustable;
pub use device::{Device, DeviceError, DeviceName, Runner};
pub use executor::{Buffers, Executor, Position};
pub use field::Field;
pub use grid::{GridError, GridExecutor, GridNetwork};
pub use kernels::Kernel;
pub use network::Network;
pub use program::{Head, MAX_REACH, ModelId, Params, Program, ProgramError};
#[cfg(feature = "torch")]
pub use torch::{GridParameters, GridTensors};
