//! Files to streams and back: which model codes which piece of a file, in parallel, and checked.
//!
//! A file is split by its medium into samples and a recipe, or taken as bytes; the samples of a picture are cut into bands
//! and other bytes into segments. Each band and segment has a code of its own, by whichever model makes it smallest, and is
//! decoded again right after it was coded, so that a verified compression takes no second pass.
//!
//! What must stay true: the bytes of a stream depend on the file, the model and the options that name them, and never on
//! the number of threads; and what [`decompress`] returns is the file that went in, or an error.
#![deny(clippy::float_arithmetic)]

mod adapted;
pub mod adaptive;
mod adjust;
mod alpha;
pub mod bands;
mod builtin;
mod compress;
mod decompress;
mod effort;
mod error;
mod inspect;
mod job;
mod known;
pub mod large;
mod lockstep;
pub mod long;
mod models;
mod order;
mod parts;
mod pieces;
mod plan;
mod progress;
mod raster;
mod salvage;
pub mod sets;
pub mod signature;
pub mod sound;
mod walk;

pub use crate::adapt::Fit;
pub use crate::container::Coding;
pub use compress::{Compressed, Measured, Options, Summary, compress, measure};
pub use decompress::{Salvaged, decompress, decompress_all, salvage};
pub use effort::{Effort, Level};
pub use error::{CompressError, DecodeError, ModelError};
pub use inspect::{Inspection, inspect};
pub use models::{Found, Models, Place, files as model_files};
pub use progress::Progress;

/// The most bytes that a decoder allocates for what a stream declares, unless it is told otherwise: 2 GiB.
pub const DEFAULT_LIMIT: u64 = 2 << 30;
