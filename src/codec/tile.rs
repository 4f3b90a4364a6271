//! Tiles of a picture, and the walk over a tile's symbols that encoder, decoder and meter share.
//!
//! Tiles are coded independently, so threads can work side by side and damage stays where it is. Within a tile positions
//! are visited along a wavefront: at step t every row y is at column `t - lag * y`, where the lag lies just beyond the
//! window's right reach, so the positions of a step do not depend on one another and the kernels get a batch.
//!
//! What must stay true: the order of the symbols depends on the tile's size and the network alone.

use crate::engine::{Executor, Field, Network, Position};
use crate::entropy::{Bits, Coder, CostMeter, Damaged, Decoder, Encoder};
use crate::media::image::Picture;

/// A rectangle of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Widest tile. A wider one has a cheaper border, but in a flat tile few rows are under way at once.
const MAX_WIDTH: u32 = 1024;
/// Pixels of a tile, at most. `benches/README.md` says what the choice costs.
const MAX_AREA: u32 = 1 << 17;
/// Positions that go through the network together: enough for the kernels, little enough for the cache.
const GROUP: usize = 96;
/// The channels of a colour pixel in coding order: green tells most about the others.
const GREEN_RED_BLUE: [usize; 3] = [1, 0, 2];

/// Cuts a picture into tiles of nearly equal size, row by row. Part of the stream format.
pub fn tiles(width: u32, height: u32) -> Vec<Tile> {
    if width == 0 || height == 0 {
        return Vec::new();
    }
    let columns = width.div_ceil(MAX_WIDTH);
    let rows = height.div_ceil(MAX_AREA / width.div_ceil(columns));
    let cut = |length: u32, parts: u32, i: u32| (u64::from(length) * u64::from(i) / u64::from(parts)) as u32;
    let mut tiles = Vec::with_capacity((columns * rows) as usize);
    for r in 0..rows {
        for c in 0..columns {
            let (x, y) = (cut(width, columns, c), cut(height, rows, r));
            tiles.push(Tile { x, y, width: cut(width, columns, c + 1) - x, height: cut(height, rows, r + 1) - y });
        }
    }
    tiles
}

/// Visits every symbol of a tile. `samples` are interleaved, as in a [`Picture`]; a decoder fills them.
fn walk<C: Coder>(
    network: &Network,
    coder: &mut C,
    samples: &mut [u8],
    width: usize,
    channels: usize,
) -> Result<(), Damaged> {
    let height = samples.len() / (width * channels);
    let place: &[usize] = if channels == 3 { &GREEN_RED_BLUE } else { &[0] };
    let lag = network.lag();
    let mut field = Field::new(width, height, channels, network.reach());
    let mut executor = Executor::new(network, GROUP.min(height).min(width.div_ceil(lag)));
    let mut positions = Vec::with_capacity(executor.capacity());
    for step in 0..width + lag * (height - 1) {
        let first = (step + 1).saturating_sub(width).div_ceil(lag);
        let last = (step / lag).min(height - 1);
        let mut row = first;
        while row <= last {
            positions.clear();
            let end = (row + executor.capacity()).min(last + 1);
            positions.extend((row..end).map(|y| Position { row: y as u32, column: (step - lag * y) as u32 }));
            row = end;
            for (channel, place) in place.iter().enumerate() {
                executor.stage(channel, &field, &positions);
                for (i, p) in positions.iter().enumerate() {
                    let (y, x) = (p.row as usize, p.column as usize);
                    let sample = &mut samples[(y * width + x) * channels + place];
                    let symbol = coder.code(&executor.distribution(channel, i), u32::from(*sample))?;
                    *sample = symbol as u8;
                    field.set(channel, y, x, symbol as u8);
                }
            }
        }
    }
    Ok(())
}

/// The samples of a tile, interleaved.
fn cut_out(picture: &Picture, tile: Tile) -> Vec<u8> {
    let channels = usize::from(picture.channels);
    let (stride, line) = (picture.width as usize * channels, tile.width as usize * channels);
    let start = tile.y as usize * stride + tile.x as usize * channels;
    let rows = (0..tile.height as usize).map(|r| &picture.samples[start + r * stride..][..line]);
    rows.flatten().copied().collect()
}

/// Codes a tile of a picture of 1 or 3 channels.
pub fn encode_tile(network: &Network, picture: &Picture, tile: Tile) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut samples = cut_out(picture, tile);
    walk(network, &mut encoder, &mut samples, tile.width as usize, picture.channels.into())
        .expect("every symbol of a mixture can be coded");
    encoder.finish()
}

/// The samples of a tile, interleaved, from its code. Bytes that [`encode_tile`] did not write give other samples or
/// [`Damaged`]: whoever calls this compares a checksum.
pub fn decode_tile(network: &Network, channels: u8, tile: Tile, bytes: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut samples = vec![0; tile.width as usize * tile.height as usize * usize::from(channels)];
    walk(network, &mut Decoder::new(bytes), &mut samples, tile.width as usize, channels.into())?;
    Ok(samples)
}

/// The code length of a tile.
pub fn measure_tile(network: &Network, picture: &Picture, tile: Tile) -> Bits {
    let mut meter = CostMeter::new();
    let mut samples = cut_out(picture, tile);
    walk(network, &mut meter, &mut samples, tile.width as usize, picture.channels.into())
        .expect("every symbol of a mixture can be coded");
    meter.bits()
}
