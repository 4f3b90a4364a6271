//! What kind of data a network is for: what is cut out of a file, and the grid on which it lies.
//!
//! What must stay true: the symbols of an example are in the order of the data (row, column, channel; or time), whatever the
//! order in which the network codes them.

use super::{Axis, NetworkSpec};
use crate::wire::{Reader, WireError, Writer};

/// What kind of data a network is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Domain {
    /// Colour photographs of any size.
    Photographs,
    /// Pictures of one size. A symbol is a sample.
    Pictures {
        /// Samples a pixel.
        channels: u16,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// Values of a sample: 2 for binary pictures, whose samples are 0 and 255 in files.
        alphabet: u32,
    },
    /// Text, in segments that are coded apart. Symbol i is the byte `characters[i]`; the last symbol of the alphabet, number
    /// `characters.len()`, stands for any other byte, which then follows it uncompressed.
    Text {
        /// Bytes that occurred in training, rising.
        characters: Vec<u8>,
        /// Bytes of a segment.
        segment: u32,
    },
    /// One channel of audio, in segments that are coded apart.
    Sound {
        /// Samples of a segment.
        segment: u32,
        /// Samples a second, for what is written.
        rate: u32,
        /// What a symbol is.
        samples: Samples,
    },
}

/// What a symbol of sound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Samples {
    /// A code of 8-bit mu-law (ITU-T G.711).
    MuLaw,
    /// The difference of a sample of 16 bits, or fewer, to what a linear predictor that learns as it goes expects; modulo 2^16,
    /// so that the symbol is the difference in two's complement.
    Linear,
}

/// The grid of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Frames, rows, columns of the network's grid; unused axes are 1.
    pub size: [u32; 3],
    /// Symbols a position.
    pub channels: u16,
}

impl Grid {
    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.size.iter().map(|s| *s as usize).product()
    }
    /// Number of symbols.
    pub fn symbols(&self) -> usize {
        self.positions() * usize::from(self.channels)
    }
}

/// Symbols of an example at most.
pub const MAX_SYMBOLS: u64 = 1 << 24;

/// The alphabet whose symbols are numbers of 16 bits in two's complement: as values of a network, they have a sign.
pub const SIGNED: u32 = 1 << 16;

/// A symbol of an alphabet as a value of a network.
pub fn value(alphabet: u32, symbol: u16) -> i32 {
    if alphabet == SIGNED { (symbol as i16).into() } else { symbol.into() }
}

/// Samples a second at most.
pub const MAX_RATE: u32 = 768_000;

impl Domain {
    /// Values of a symbol; none if any network's will do.
    pub fn alphabet(&self) -> Option<u32> {
        match self {
            Self::Photographs => None,
            Self::Pictures { alphabet, .. } => Some(*alphabet),
            Self::Text { characters, .. } => Some(characters.len() as u32 + 1),
            Self::Sound { samples: Samples::MuLaw, .. } => Some(256),
            Self::Sound { samples: Samples::Linear, .. } => Some(SIGNED),
        }
    }

    /// Symbols of a whole example.
    pub fn symbols(&self) -> Option<u64> {
        match self {
            Self::Photographs => None,
            Self::Pictures { channels, height, width, .. } => {
                u64::from(*channels).checked_mul(u64::from(*height))?.checked_mul(u64::from(*width))
            }
            Self::Text { segment, .. } | Self::Sound { segment, .. } => Some((*segment).into()),
        }
    }

    /// The grid on which a network lays an example.
    ///
    /// # Errors
    /// What does not fit: the axes, the alphabet or the number of channels.
    pub fn grid(&self, spec: &NetworkSpec) -> Result<Grid, &'static str> {
        let symbols = self.symbols().ok_or("pictures of any size have no grid")?;
        if !(1..=MAX_SYMBOLS).contains(&symbols) {
            return Err("an example is empty or too large");
        }
        if self.alphabet() != Some(spec.symbols.alphabet) {
            return Err("the network has another alphabet than its data");
        }
        if matches!(self, Self::Sound { rate, .. } if !(1..=MAX_RATE).contains(rate)) {
            return Err("there are too few or too many samples a second");
        }
        let own = spec.symbols.channels;
        let size = match (self, &spec.symbols.axes[..]) {
            (Self::Pictures { channels, height, width, .. }, [Axis::Row, Axis::Column]) if *channels == own => {
                [1, *height, *width]
            }
            (_, [Axis::Feature]) if u64::from(own) == symbols => [1, 1, 1],
            (_, [Axis::Time]) if own == 1 => [1, 1, symbols as u32],
            _ => return Err("the network has other axes or channels than its data"),
        };
        Ok(Grid { size, channels: own })
    }

    /// Canonical bytes. Photographs have none: what is for them does not say so.
    pub fn write(&self, w: &mut Writer) {
        match self {
            Self::Photographs => {}
            Self::Pictures { channels, height, width, alphabet } => {
                w.u8(1);
                [u32::from(*channels), *height, *width, *alphabet].iter().for_each(|v| w.uint((*v).into()));
            }
            Self::Text { characters, segment } => {
                w.u8(2);
                w.blob(characters);
                w.uint((*segment).into());
            }
            Self::Sound { segment, rate, samples } => {
                w.u8(match samples {
                    Samples::MuLaw => 3,
                    Samples::Linear => 4,
                });
                w.uint((*segment).into());
                w.uint((*rate).into());
            }
        }
    }

    /// Reads canonical bytes, which are never those of photographs. [`grid`](Self::grid) checks the sizes.
    pub fn read(r: &mut Reader) -> Result<Self, WireError> {
        let number = |r: &mut Reader| Ok::<_, WireError>(r.at_most(u32::MAX.into(), "a size")? as u32);
        Ok(match r.u8()? {
            1 => {
                let channels = r.at_most(u16::MAX.into(), "a number of channels")? as u16;
                Self::Pictures { channels, height: number(r)?, width: number(r)?, alphabet: number(r)? }
            }
            2 => {
                let characters = r.blob()?.to_vec();
                if characters.is_empty() || !characters.is_sorted_by(|a, b| a < b) {
                    return Err(WireError::OutOfRange("a set of characters"));
                }
                Self::Text { characters, segment: number(r)? }
            }
            3 => Self::Sound { segment: number(r)?, rate: number(r)?, samples: Samples::MuLaw },
            4 => Self::Sound { segment: number(r)?, rate: number(r)?, samples: Samples::Linear },
            _ => return Err(WireError::OutOfRange("the kind of data")),
        })
    }
}
