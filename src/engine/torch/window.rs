//! Samples on a device, and the windows and pixels that positions see, with the padding of `field`.
//!
//! The index of every sample of every window is computed on the device; so interior, borders, pictures of different sizes
//! and rows of a strip are all the same.
//!
//! What must stay true: a window holds what [`reference::neighbour`](crate::engine::reference::neighbour) gives.

use super::tensor;
use crate::engine::device::{Place, Shape, Strip};
use crate::spec::Offset;
use std::ops::Range;
use tch::{Kind, TchError, Tensor};

type Result<T> = std::result::Result<T, TchError>;

/// What stands for a neighbour where nothing is coded yet.
const NOTHING: u8 = 128;

/// Samples of one or more pictures.
#[derive(Debug)]
pub(super) struct Samples {
    /// `[samples + 1]`, bytes: the pictures one after the other, each `[rows][width][channels]`, and [`NOTHING`] at the end.
    flat: Tensor,
    /// Number of samples.
    count: i64,
    /// Where a pixel's channels are, in coding order.
    places: Vec<i64>,
    /// The same for the channels that windows have, `[1][channels][1]`: a channel that the pictures lack is their last one.
    seen: Tensor,
    /// Index of the sample at row 0 and column 0, and width, of each picture. A strip's may lie before its samples.
    pictures: Vec<(i64, i64)>,
    device: tch::Device,
}

/// Positions on a device, `[positions]` each, int64.
#[derive(Debug)]
pub(super) struct Positions {
    /// Index of the sample at row 0 and column 0.
    base: Tensor,
    width: Tensor,
    row: Tensor,
    column: Tensor,
}

impl Positions {
    /// How many.
    pub fn len(&self) -> i64 {
        self.row.size()[0]
    }
}

/// Offsets of a window, `[1][offsets]` each, int64.
#[derive(Debug)]
pub(super) struct Offsets {
    rows: Tensor,
    columns: Tensor,
}

impl Offsets {
    pub fn new(offsets: &[Offset], device: tch::Device) -> Result<Self> {
        let line = |of: fn(&Offset) -> i16| {
            let values: Vec<i64> = offsets.iter().map(|o| of(o).into()).collect();
            tensor(&values, Kind::Int64, device)?.f_unsqueeze(0)
        };
        Ok(Self { rows: line(|o| o.row)?, columns: line(|o| o.column)? })
    }
}

/// Where the channels of a window are in a pixel.
fn seen(places: &[i64], channels: usize, device: tch::Device) -> Result<Tensor> {
    let seen: Vec<i64> = (0..channels).map(|c| places[c.min(places.len() - 1)]).collect();
    tensor(&seen, Kind::Int64, device)?.f_view([1, channels as i64, 1])
}

impl Samples {
    /// Those of a strip, for windows of `channels` channels.
    pub fn of_strip(strip: &Strip, channels: usize, device: tch::Device) -> Result<Self> {
        let line = strip.width * strip.places.len();
        let places: Vec<i64> = strip.places.iter().map(|place| *place as i64).collect();
        let samples = Tensor::f_from_slice(strip.samples)?.f_to_device(device)?;
        let nothing = Tensor::f_from_slice(&[NOTHING])?.f_to_device(device)?;
        Ok(Self {
            flat: Tensor::f_cat(&[samples, nothing], 0)?,
            count: strip.samples.len() as i64,
            seen: seen(&places, channels, device)?,
            places,
            pictures: vec![(-((strip.start * line) as i64), strip.width as i64)],
            device,
        })
    }

    /// Pictures of `own` channels without samples yet, which are kept in coding order, for windows of `channels` channels.
    pub fn of_shapes(shapes: &[Shape], own: usize, channels: usize, device: tch::Device) -> Result<Self> {
        let mut count = 0;
        let picture = |shape: &Shape| {
            let base = count;
            count += (shape.width * shape.height * own) as i64;
            (base, shape.width as i64)
        };
        let pictures = shapes.iter().map(picture).collect();
        let flat = Tensor::f_full([count + 1], i64::from(NOTHING), (Kind::Uint8, device))?;
        let places: Vec<i64> = (0..own as i64).collect();
        Ok(Self { flat, count, seen: seen(&places, channels, device)?, places, pictures, device })
    }

    /// Samples a pixel.
    fn channels(&self) -> i64 {
        self.places.len() as i64
    }

    /// Positions of the only picture, counted row by row.
    pub fn positions(&self, range: Range<usize>, width: usize) -> Result<Positions> {
        let all = Tensor::f_arange_start(range.start as i64, range.end as i64, (Kind::Int64, self.device))?;
        let row = all.f_div_scalar_mode(width as i64, "floor")?;
        let column = all.f_sub(&row.f_mul_scalar(width as i64)?)?;
        let (base, width) = self.pictures[0];
        Ok(Positions { base: all.f_full_like(base)?, width: all.f_full_like(width)?, row, column })
    }

    /// Positions of any pictures.
    pub fn places(&self, places: &[Place]) -> Result<Positions> {
        // One transfer for all four.
        let mut values = Vec::with_capacity(4 * places.len());
        values.extend(places.iter().map(|p| self.pictures[p.picture].0));
        values.extend(places.iter().map(|p| self.pictures[p.picture].1));
        values.extend(places.iter().map(|p| p.row as i64));
        values.extend(places.iter().map(|p| p.column as i64));
        let all = Tensor::f_from_slice(&values)?.f_to_device(self.device)?.f_view([4, places.len() as i64])?;
        let line = |i| all.f_select(0, i);
        Ok(Positions { base: line(0)?, width: line(1)?, row: line(2)?, column: line(3)? })
    }

    /// Windows: `[positions][channels][offsets]`, bytes.
    pub fn windows(&self, at: &Positions, offsets: &Offsets) -> Result<Tensor> {
        let line = |t: &Tensor| t.f_unsqueeze(1);
        let (row, column, width) = (line(&at.row)?, line(&at.column)?, line(&at.width)?);
        let y = row.f_add(&offsets.rows)?;
        let x = column.f_add(&offsets.columns)?.f_add(&y.f_clamp_max(0)?)?;
        let x = x.f_clamp_min(0)?.f_minimum(&width.f_sub_scalar(1)?)?;
        let y = y.f_clamp_min(0)?;
        let is_coded = y.f_lt_tensor(&row)?.f_logical_or(&x.f_lt_tensor(&column)?)?;
        // To the left; in the first column the first sample of the row above; at the first position nothing.
        let left = row.f_mul(&width)?.f_add(&column)?.f_sub_scalar(1)?;
        let above = row.f_sub_scalar(1)?.f_mul(&width)?;
        let other = left.f_where_self(&column.f_gt(0)?, &above)?;
        let pixel = y.f_mul(&width)?.f_add(&x)?.f_where_self(&is_coded, &other)?;
        let sample = pixel.f_mul_scalar(self.channels())?.f_add(&line(&at.base)?)?;
        let index = sample.f_unsqueeze(1)?.f_add(&self.seen)?;
        let is_known = pixel.f_ge(0)?.f_unsqueeze(1)?;
        self.flat.f_take(&index.f_where_scalarother(&is_known, self.count)?)
    }

    /// Indices of the positions' samples of a channel.
    fn index(&self, at: &Positions, channel: usize) -> Result<Tensor> {
        let pixel = at.row.f_mul(&at.width)?.f_add(&at.column)?;
        pixel.f_mul_scalar(self.channels())?.f_add(&at.base)?.f_add_scalar(self.places[channel])
    }

    /// The positions' samples of a channel: `[positions]`, bytes.
    pub fn current(&self, at: &Positions, channel: usize) -> Result<Tensor> {
        self.flat.f_take(&self.index(at, channel)?)
    }

    /// Sets the positions' samples of a channel.
    pub fn set(&mut self, at: &Positions, channel: usize, samples: &[u8]) -> Result<()> {
        let samples = Tensor::f_from_slice(samples)?.f_to_device(self.device)?;
        let index = self.index(at, channel)?;
        self.flat.f_index_copy_(0, &index, &samples).map(drop)
    }

    /// Sets samples of whole rows, channels in the order in which they are kept.
    pub fn fill(&mut self, picture: usize, row: usize, samples: &[u8]) -> Result<()> {
        let (base, width) = self.pictures[picture];
        let start = base + row as i64 * width * self.channels();
        let samples = Tensor::f_from_slice(samples)?;
        self.flat.f_narrow(0, start, samples.numel() as i64)?.f_copy_(&samples)
    }
}
