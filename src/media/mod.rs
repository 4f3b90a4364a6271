//! Media: file bytes to samples plus what is needed to restore the exact file, and back.
//!
//! What must stay true: `join(split(file))` is `file`, byte for byte, or the file is not split at all.

pub mod image;
