//! Attention over places (Vaswani et al. 2017, eq. 1).
//!
//! What must stay true: a place that may look at none gets zeros.

use crate::spec::{Pattern, Side};
use tch::{Device, Kind, TchError, Tensor};

/// `q, k, v`: `[n, rows, columns, width]`.
pub fn attend(
    [q, k, v]: [&Tensor; 3],
    heads: i64,
    pattern: Pattern,
    side: Side,
    axes: usize,
) -> Result<Tensor, TchError> {
    let (_, rows, columns, width) = q.size4()?;
    let open = allowed(pattern, side, axes, [rows as usize, columns as usize], q.device())?;
    let places = rows * columns;
    let n = v.size()[0].max(q.size()[0]).max(k.size()[0]);
    // `[n, heads, places, width]`.
    let part = |x: &Tensor| {
        let own = x.size()[3] / heads;
        let x = x.f_expand([n, rows, columns, own * heads], false)?;
        x.f_reshape([n, places, heads, own])?.f_transpose(1, 2)
    };
    let scale = ((width / heads) as f64).sqrt().recip();
    let scores = part(&q.f_mul_scalar(scale)?)?.f_matmul(&part(k)?.f_transpose(2, 3)?)?.f_to_kind(Kind::Float)?;
    let closed = open.f_logical_not()?;
    let scores = scores.f_masked_fill(&closed, -1e30)?;
    // Where nothing is open the softmax is even, and then nothing.
    let chances = scores.f_softmax(3, None::<Kind>)?.f_masked_fill(&closed, 0.0)?;
    let seen = chances.f_to_kind(v.kind())?.f_matmul(&part(v)?)?;
    seen.f_transpose(1, 2)?.f_reshape([n, rows, columns, v.size()[3]])
}

/// `[places, places]`: which (the second) each place looks at.
fn allowed(pattern: Pattern, side: Side, axes: usize, size: [usize; 2], device: Device) -> Result<Tensor, TchError> {
    let places = size[0] * size[1];
    let size = [1, size[0], size[1]];
    let looks = |p: usize, k: usize| side.allows(p, k) && pattern.holds(axes, size, p, k);
    let open: Vec<u8> = (0..places * places).map(|i| looks(i / places, i % places).into()).collect();
    let size = [places as i64, places as i64];
    Tensor::f_from_data_size(&open, &size, Kind::Uint8)?.f_to_device(device)?.f_to_kind(Kind::Bool)
}
