//! What can go wrong between a file and a stream.

use super::models::Place;
use super::sets::ClassError;
use crate::adapt::Refused;
use crate::container::StreamError;
use crate::engine::grid::GridError;
use crate::engine::{DeviceError, ModelId};
use crate::media::MediaError;
use crate::media::set::SetError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a model could not be had.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A stream needs a model that is nowhere to be found.
    #[error(
        "needs the model {id}, which is in none of: {}; put its .srm file there or name it with -m",
        places(looked)
    )]
    Missing {
        /// The identity that the stream names.
        id: ModelId,
        /// Where it was looked for, in order.
        looked: Vec<Place>,
    },
    /// No model has the name that the user gave.
    #[error(
        "no model is called '{name}' (neither a path, a name nor the start of an id); looked in: {}",
        places(looked)
    )]
    Unknown {
        /// What the user typed.
        name: String,
        /// Where it was looked for, in order.
        looked: Vec<Place>,
    },
    /// A model file that the user named cannot be read.
    #[error("{}: {fault}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A model for sets cannot be run.
    #[error("the model '{name}' cannot be run: {fault}")]
    Grid {
        /// Its name.
        name: String,
        /// What it needs.
        fault: GridError,
    },
    /// The model that the user named is for photographs.
    #[error(
        "the model '{0}' is for photographs, not for sets of examples: train one (surprisal train), or name another with -m"
    )]
    Photographs(String),
    /// The model that the user named is for data of another kind.
    #[error("the model '{0}' is for data of one size, not for photographs; this version cannot code with it")]
    OtherData(String),
}

fn places(looked: &[Place]) -> String {
    looked.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a stream could not be written.
#[derive(Debug, Error)]
pub enum CompressError {
    /// The model that was asked for is not there.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device that was asked for cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A piece did not decode to itself: a fault of this program or of the machine.
    #[error("piece {piece} did not decode to itself, so nothing was written; please report this with the file")]
    Verification {
        /// Which band or segment, counted from 0.
        piece: usize,
    },
    /// The file is no set of examples for the model that was asked for.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The labels of a set's examples do not fit.
    #[error(transparent)]
    Classes(#[from] ClassError),
    /// A set has more symbols than a stream can say.
    #[error("it holds 2^32 symbols or more: cut it into files")]
    TooManySymbols,
    /// The file, or the room for its code, cannot be read or written while it is coded.
    #[error("cannot read it or keep its code: {0}")]
    Io(#[from] std::io::Error),
    /// Content and recipe that were just made cannot be joined: a fault of this program.
    #[error("the picture cannot be put together again ({0}), so nothing was written; please report this with the file")]
    Join(String),
}

/// Why a stream did not become a file.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The header or the lengths are wrong.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The network is not there.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device that was asked for cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A part or rebuilder is not in this program, or not in this version.
    #[error("needs {name} {version}, and this program has {}: use the version of surprisal that wrote it", known.as_deref().unwrap_or("none"))]
    UnknownPart {
        /// Its name in the stream.
        name: String,
        /// Its version in the stream.
        version: String,
        /// The version that this program has, if any.
        known: Option<String>,
    },
    /// The medium is not in this program, or not in this version.
    #[error(
        "holds a file of medium {id} version {version}, which this program does not know: use the version of surprisal that wrote it"
    )]
    UnknownMedium {
        /// Number of the medium.
        id: u8,
        /// Version of its recipes.
        version: u32,
    },
    /// The header declares more than the caller allows.
    #[error(
        "declares {needed} bytes to decode, over the limit of {limit}: raise it with --limit if you trust the file"
    )]
    OverLimit {
        /// Bytes that would be allocated.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A chunk table that no encoder writes.
    #[error("the header breaks the format: {0}")]
    Inconsistent(&'static str),
    /// A chunk does not decode to bytes with its checksum.
    #[error("chunk {index} of {count} is damaged (its checksum does not match)")]
    DamagedChunk {
        /// Which one, counted from 0 over recipe and content.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The adaptation of the network is no such thing.
    #[error("chunk {index} of {count}, the adaptation of the network, is damaged: {fault}")]
    Adaptation {
        /// Which one.
        index: usize,
        /// How many there are.
        count: usize,
        /// What is wrong.
        fault: Refused,
    },
    /// A band's code is no code of samples.
    #[error("a chunk of the picture is damaged (it is no code of samples)")]
    DamagedPicture,
    /// Content and recipe do not make a file.
    #[error(transparent)]
    Join(#[from] MediaError),
    /// The stream cannot be read.
    #[error("cannot read: {0}")]
    Read(std::io::Error),
    /// The file cannot be written.
    #[error("cannot write: {0}")]
    Write(std::io::Error),
    /// Everything decoded, and the file is another one.
    #[error("the restored file is not the original (its checksum does not match)")]
    Checksum,
}

impl DecodeError {
    /// Whether the stream is damaged (a negative answer), and not unsupported or over a limit (an error).
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Stream(e) => e.is_damage(),
            Self::Join(MediaError::MissingRebuilder { .. } | MediaError::TooLarge { .. }) => false,
            Self::Inconsistent(_)
            | Self::DamagedChunk { .. }
            | Self::Adaptation { .. }
            | Self::DamagedPicture
            | Self::Join(_)
            | Self::Checksum => true,
            Self::Model(_)
            | Self::Device(_)
            | Self::UnknownPart { .. }
            | Self::UnknownMedium { .. }
            | Self::Read(_)
            | Self::Write(_)
            | Self::OverLimit { .. } => false,
        }
    }
}
