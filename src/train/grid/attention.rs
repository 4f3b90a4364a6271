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
    let (_, rows, columns, _) = q.size4()?;
    let places = rows * columns;
    let n = v.size()[0].max(q.size()[0]).max(k.size()[0]);
    // `[n, heads, places, width]`.
    let part = |x: &Tensor| {
        let own = x.size()[3] / heads;
        let x = x.f_expand([n, rows, columns, own * heads], false)?;
        x.f_reshape([n, places, heads, own])?.f_transpose(1, 2)?.f_to_kind(Kind::Float)
    };
    let parts = [&part(q)?, &part(k)?, &part(v)?];
    let seen = match (pattern, side) {
        (Pattern::All, Side::Earlier | Side::EarlierOrSame) => earlier(parts, side)?,
        _ => {
            let size = [rows as usize, columns as usize];
            among(parts, &allowed(pattern, side, axes, size, q.device())?)?
        }
    };
    seen.f_transpose(1, 2)?.f_reshape([n, rows, columns, v.size()[3]])
}

/// Of all earlier places, by torch's own operation, which does not lay out the scores of all pairs. Parts: `[n, heads, places,
/// width]`.
fn earlier([q, k, v]: [&Tensor; 3], side: Side) -> Result<Tensor, TchError> {
    let (places, scale) = (q.size()[2], (q.size()[3] as f64).sqrt().recip());
    // It sees the current place, too: without it, each place asks what the one before may see, and the first nothing.
    let skip = i64::from(side == Side::Earlier);
    let (q, k, v) =
        (q.f_narrow(2, skip, places - skip)?, k.f_narrow(2, 0, places - skip)?, v.f_narrow(2, 0, places - skip)?);
    // It wants vectors of one length; zeros at their ends change nothing.
    let (own, length) = (v.size()[3], v.size()[3].max(k.size()[3]));
    let long = |x: &Tensor| x.f_constant_pad_nd([0, length - x.size()[3]].as_slice());
    let none = None::<&Tensor>;
    let seen =
        Tensor::f_scaled_dot_product_attention(&long(&q)?, &long(&k)?, &long(&v)?, none, 0.0, true, scale, false)?;
    seen.f_narrow(3, 0, own)?.f_constant_pad_nd([0, 0, skip, 0].as_slice())
}

/// Of the places that are open, `[places, places]`.
fn among([q, k, v]: [&Tensor; 3], open: &Tensor) -> Result<Tensor, TchError> {
    let scale = (q.size()[3] as f64).sqrt().recip();
    let closed = open.f_logical_not()?;
    let scores = q.f_mul_scalar(scale)?.f_matmul(&k.f_transpose(2, 3)?)?.f_masked_fill(&closed, -1e30)?;
    // Where nothing is open the softmax is even, and then nothing.
    scores.f_softmax(3, None::<Kind>)?.f_masked_fill(&closed, 0.0)?.f_matmul(v)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_look_at_earlier_places_are_the_same() {
        tch::manual_seed(1);
        let part = |width: i64| Tensor::randn([2, 3, 20, width], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let (q, k, v) = (part(5), part(5), part(7));
        for side in [Side::Earlier, Side::EarlierOrSame] {
            let open = allowed(Pattern::All, side, 2, [4, 5], Device::Cpu).unwrap();
            let found = earlier([&q, &k, &v], side).unwrap();
            let expected = among([&q, &k, &v], &open).unwrap();
            assert!((&found - &expected).abs().max().double_value(&[]) < 1e-5);
            let gradients =
                |x: Tensor| Tensor::run_backward(&[x.square().sum(Kind::Float)], &[&q, &k, &v], false, false);
            for (a, b) in gradients(found).iter().zip(gradients(expected)) {
                assert!((a - b).abs().max().double_value(&[]) < 1e-4);
            }
        }
    }
}
