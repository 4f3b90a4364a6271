//! Why a file is no set of examples for a network.

use thiserror::Error;

/// Why a file is no set of examples for a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetError {
    /// The gzip container is damaged.
    #[error("the gzip file is damaged: {0}")]
    Gzip(&'static str),
    /// It unpacks to more than allowed.
    #[error("it would unpack to {bytes} bytes, over the limit of {limit}: raise the limit if the file is trusted")]
    TooLarge {
        /// What it would take.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The deflate data is nobody's that is known.
    #[error("its gzip data cannot be made again from what it holds for few bytes: unpack it first (gunzip -k)")]
    Deflate,
    /// The IDX file is damaged, or one that is not read.
    #[error("the IDX file {0}")]
    Idx(String),
    /// Labels that are none.
    #[error("labels are an IDX file of one dimension, and this one has {0}")]
    Labels(usize),
    /// No format that holds pictures.
    #[error("it holds no pictures: an IDX file (also gzipped), a PNG, BMP, PGM, PPM or PBM is needed")]
    NoPictures,
    /// A picture that is not read, with the reason.
    #[error("{0}")]
    Picture(String),
    /// Pictures of another shape.
    #[error("its pictures are {found}, and the network is for {wanted}")]
    Shape {
        /// In the file.
        found: String,
        /// By the network.
        wanted: String,
    },
    /// A value that the alphabet does not have.
    #[error("it has the value {value}, and the network knows {alphabet} values, 0 to {}", alphabet - 1)]
    Value {
        /// The first of them.
        value: u8,
        /// The network's number of values.
        alphabet: u32,
    },
    /// Gray pictures for a binary network.
    #[error(
        "its pictures are gray (it has the value {0}), and the network is for binary ones (0 and 255, or 0 and 1): \
         `surprisal dataset binarize` makes them"
    )]
    Gray(u8),
    /// The network is for photographs.
    #[error("the network is for photographs of any size, not for sets of examples")]
    Photographs,
    /// A recording that is not taken apart, with the reason.
    #[error("{0}")]
    Recording(String),
}
