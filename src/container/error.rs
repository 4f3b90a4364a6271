//! Why bytes are no stream that this program reads.

use crate::wire::WireError;
use thiserror::Error;

/// Why a stream's header was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamError {
    /// The bytes do not begin as a stream does.
    #[error("not a surprisal stream (the first four bytes are not those of a .srp file)")]
    NotAStream,
    /// It is an archive.
    #[error(
        "an archive of several files: give it by its name as the first file (its index is at its end, so it cannot come through a pipe)"
    )]
    Archive,
    /// Another format version wrote it.
    #[error(
        "written in stream format {}.{}, and this program reads {}.{}: use the version of surprisal that wrote it",
        found[0], found[1], crate::container::VERSION[0], crate::container::VERSION[1]
    )]
    Version {
        /// Release and revision that the stream names.
        found: [u8; 2],
    },
    /// The stream ends before what its header announces.
    #[error("the stream is cut short: {missing} bytes are missing at least")]
    Truncated {
        /// How many bytes are missing, as far as the bytes that are there tell.
        missing: u64,
    },
    /// Bytes follow the last chunk.
    #[error("{0} bytes follow the end of the stream")]
    Trailing(u64),
    /// The header does not match its check value.
    #[error("the header is damaged (its checksum does not match)")]
    Checksum,
    /// The header's check value is right, but a field breaks a rule of the format.
    #[error("the header breaks the format: {0}")]
    Malformed(#[from] WireError),
    /// A rule that ties fields together is broken.
    #[error("the header breaks the format: {0}")]
    Inconsistent(&'static str),
}

impl StreamError {
    /// Whether this says that a stream was damaged, and not that it is something else than this program reads.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::NotAStream | Self::Archive | Self::Version { .. })
    }
}
