//! The operations that read other places than the current one, and those that look up.
//!
//! What must stay true: a tap reads the place `p * stride + (t - origin) * dilation`, zero outside of the grid.

use crate::spec::Kernel;
use tch::{Kind, TchError, Tensor};

/// Weights and bias, as `quantize::float::Layer` lays them out.
#[derive(Debug)]
pub struct Layer {
    /// Empty if there are none.
    pub weights: Tensor,
    /// Empty if there is none.
    pub bias: Tensor,
}

impl Default for Layer {
    fn default() -> Self {
        Self { weights: Tensor::new(), bias: Tensor::new() }
    }
}

/// A kernel along rows and columns.
struct Plane {
    size: [i64; 2],
    origin: [i64; 2],
    dilation: [i64; 2],
    stride: [i64; 2],
}

impl Plane {
    fn new(kernel: &Kernel) -> Self {
        let last = |t: [u16; 3]| [i64::from(t[1]), i64::from(t[2])];
        Self {
            size: last(kernel.size),
            origin: [kernel.origin[1].into(), kernel.origin[2].into()],
            dilation: last(kernel.dilation),
            stride: last(kernel.stride),
        }
    }

    /// Places from the first to the last tap.
    fn span(&self, axis: usize) -> i64 {
        (self.size[axis] - 1) * self.dilation[axis]
    }

    /// `[outputs, taps, inputs]` as torch has it, without moving a number.
    fn weights(&self, weights: &Tensor) -> Result<Tensor, TchError> {
        let (outputs, _, inputs) = weights.size3()?;
        weights.f_view([outputs, self.size[0], self.size[1], inputs])?.f_permute([0, 3, 1, 2])
    }
}

/// `x`: `[n, rows, columns, inputs]`, weights `[outputs, taps, inputs]`.
pub fn convolution(x: &Tensor, layer: &Layer, kernel: &Kernel) -> Result<Tensor, TchError> {
    let plane = Plane::new(kernel);
    let (_, rows, columns, _) = x.size4()?;
    if plane.size == [1, 1] && plane.origin == [0, 0] && plane.stride == [1, 1] {
        return x.f_linear(&layer.weights.f_squeeze_dim(1)?, Some(&layer.bias));
    }
    let sides = [(0, rows), (1, columns)].map(|(i, n)| {
        let before = plane.origin[i] * plane.dilation[i];
        let outputs = (n + plane.stride[i] - 1) / plane.stride[i];
        (before, (outputs - 1) * plane.stride[i] + plane.span(i) + 1 - before - n)
    });
    let mut x = x.f_permute([0, 3, 1, 2])?;
    let mut padding = [sides[0].0, sides[1].0];
    if sides.iter().any(|(before, after)| before != after || *before < 0) {
        let [(above, below), (left, right)] = sides;
        x = x.f_constant_pad_nd([left, right, above, below].as_slice())?;
        padding = [0, 0];
    }
    let out =
        x.f_conv2d(&plane.weights(&layer.weights)?, Some(&layer.bias), plane.stride, padding, plane.dilation, 1)?;
    out.f_permute([0, 2, 3, 1])
}

/// The same the other way round, onto a grid of `size`.
pub fn transposed(x: &Tensor, layer: &Layer, kernel: &Kernel, size: [i64; 2]) -> Result<Tensor, TchError> {
    let plane = Plane::new(kernel);
    let (_, rows, columns, _) = x.size4()?;
    let weights = plane.weights(&layer.weights)?.f_transpose(0, 1)?;
    let x = x.f_permute([0, 3, 1, 2])?;
    let out = x.f_conv_transpose2d(&weights, None::<&Tensor>, plane.stride, [0i64, 0], [0i64, 0], 1, plane.dilation)?;
    // Of the whole, the part that lies on the grid.
    let [(above, below), (left, right)] = [(0, rows), (1, columns)].map(|(i, n)| {
        let whole = (n - 1) * plane.stride[i] + plane.span(i) + 1;
        let before = -plane.origin[i] * plane.dilation[i];
        (before, size[i] - whole - before)
    });
    let out = out.f_constant_pad_nd([left, right, above, below].as_slice())?;
    out.f_permute([0, 2, 3, 1])?.f_add(&layer.bias)
}

/// The state goes from place to place, row after row; zero before the first. Weights `[4 cells, inputs + cells]`.
pub fn lstm(x: &Tensor, layer: &Layer, cells: i64, training: bool) -> Result<Tensor, TchError> {
    let (n, rows, columns, inputs) = x.size4()?;
    let sequence = x.f_reshape([n, rows * columns, inputs])?;
    let from_inputs = layer.weights.f_narrow(1, 0, inputs)?.f_contiguous()?;
    let from_state = layer.weights.f_narrow(1, inputs, cells)?.f_contiguous()?;
    let state = Tensor::f_zeros([1, n, cells], (x.kind(), x.device()))?;
    let (out, _, _) = sequence.f_lstm(
        &[&state, &state],
        &[&from_inputs, &from_state, &layer.bias, &layer.bias.f_zeros_like()?],
        true,
        1,
        0.0,
        training,
        false,
        true,
    )?;
    out.f_reshape([n, rows, columns, cells])
}

/// For each of the samples `x`, `[n, rows, columns, inputs]`, a vector of its own table `[inputs, alphabet, outputs]`.
pub fn look_up(tables: &Tensor, x: &Tensor) -> Result<Tensor, TchError> {
    let (inputs, alphabet, outputs) = tables.size3()?;
    let first = Tensor::f_arange_start_step(0, inputs * alphabet, alphabet, (Kind::Int64, x.device()))?;
    let index = x.f_to_kind(Kind::Int64)?.f_add(&first)?;
    let found = Tensor::f_embedding(&tables.f_view([inputs * alphabet, outputs])?, &index, -1, false, false)?;
    found.f_flatten(3, 4)
}

/// Values one after the other; what is the same everywhere is repeated.
pub fn side_by_side(parts: &[&Tensor], kind: Kind) -> Result<Tensor, TchError> {
    let mut size = [1i64; 3];
    for part in parts {
        let (a, b, c, _) = part.size4()?;
        size = [size[0].max(a), size[1].max(b), size[2].max(c)];
    }
    let [n, rows, columns] = size;
    let expanded: Vec<Tensor> = parts
        .iter()
        .map(|p| p.f_to_kind(kind)?.f_expand([n, rows, columns, p.size()[3]], false))
        .collect::<Result<_, _>>()?;
    Tensor::f_cat(&expanded, 3)
}
