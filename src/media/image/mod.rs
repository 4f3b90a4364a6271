//! Pictures.

/// Samples of a picture, row by row, the channels of a pixel side by side (R, G, B, or one gray).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 (gray) or 3 (R, G, B).
    pub channels: u8,
    /// `width * height * channels` samples.
    pub samples: Vec<u8>,
}
