//! The known transforms from luminance and two colour differences to RGB, as integers.
//!
//! What must stay true: [`Transform::forward`] is part of the stream format; a stream names the transform by its number.

/// A transform: with planes Y, U, V of 0 to 255 each,
/// `R = floor((a Y + red[V]) / d)`, `G = floor((a Y + green_u[U] + green_v[V]) / d)`, `B = floor((a Y + blue[U]) / d)`, each
/// clamped to 0..=255.
#[derive(Debug)]
pub struct Transform {
    /// The number by which streams name it.
    pub id: u8,
    /// A short name for people.
    pub name: &'static str,
    /// `a`: what a step of Y adds.
    pub(super) luma: i32,
    /// `d`
    pub(super) divisor: i32,
    /// By V, rising.
    pub(super) red: [i32; 256],
    /// By U, falling.
    pub(super) green_u: [i32; 256],
    /// By V, falling.
    pub(super) green_v: [i32; 256],
    /// By U, rising.
    pub(super) blue: [i32; 256],
    /// `-1000 green_v / red` and `-1000 green_u / blue`, about: how much of a colour difference green loses.
    pub(super) lost: [i32; 2],
    /// Twice what is added to a channel to have, in the mean, what was rounded to it.
    pub(super) middle: i64,
}

/// `factor (i - zero) + offset` for each i.
const fn line(factor: i32, zero: i32, offset: i32) -> [i32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = factor * (i as i32 - zero) + offset;
        i += 1;
    }
    table
}

/// `factor floor(entry / divisor)` for each entry.
const fn floored(table: [i32; 256], divisor: i32, factor: i32) -> [i32; 256] {
    let mut out = [0; 256];
    let mut i = 0;
    while i < 256 {
        out[i] = factor * table[i].div_euclid(divisor);
        i += 1;
    }
    out
}

/// Kodak's Photo CD: with L = 1.3584 Y, `R = floor(L + 1.8215 (C2 - 137))`, `B = floor(L + 2.2179 (C1 - 156))` and
/// `G = floor(L - 0.194 floor(2.2179 (C1 - 156)) - 0.509 floor(1.8215 (C2 - 137)))`. The factors are those of Kodak's
/// PhotoYCC; where its decoder rounded was found by comparison with the pictures of the Kodak suite, all but 7 in 100 000 of whose
/// pixels are so made.
static PHOTO_YCC: Transform = {
    let (red, blue) = (line(18_215, 137, 0), line(22_179, 156, 0));
    Transform {
        id: 1,
        name: "photo-ycc",
        luma: 13_584,
        divisor: 10_000,
        red,
        green_u: floored(blue, 10_000, -1_940),
        green_v: floored(red, 10_000, -5_090),
        blue,
        lost: [509, 194],
        middle: 1,
    }
};

/// JFIF as the library of the Independent JPEG Group computes it (jdcolor.c): 16 fractional bits, rounded half up. U is Cb.
static JPEG: Transform = Transform {
    id: 2,
    name: "jpeg",
    luma: 1 << 16,
    divisor: 1 << 16,
    red: line(91_881, 128, 1 << 15),
    green_u: line(-22_554, 128, 1 << 15),
    green_v: line(-46_802, 128, 0),
    blue: line(116_130, 128, 1 << 15),
    lost: [509, 194],
    middle: 0,
};

/// Every known transform.
pub static TRANSFORMS: [&Transform; 2] = [&PHOTO_YCC, &JPEG];

impl Transform {
    /// The transform with this number.
    pub fn from_id(id: u8) -> Option<&'static Self> {
        TRANSFORMS.into_iter().find(|transform| transform.id == id)
    }

    /// R, G, B of Y, U, V.
    #[inline]
    pub fn forward(&self, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let (y, u, v) = (self.luma * i32::from(y), usize::from(u), usize::from(v));
        let channel = |sum: i32| sum.div_euclid(self.divisor).clamp(0, 255) as u8;
        [channel(y + self.red[v]), channel(y + self.green_u[u] + self.green_v[v]), channel(y + self.blue[u])]
    }

    /// `d a Y` where R, G, B are not clipped, in 64ths: what green lost is given back to it.
    fn luminance(&self, rgb: [u8; 3]) -> i64 {
        let [r, g, b] = rgb.map(|value| 2 * i64::from(value) + self.middle);
        let [lost_v, lost_u] = self.lost.map(i64::from);
        let all = 1000 * g + lost_v * r + lost_u * b;
        32 * all * i64::from(self.divisor) / (1000 + lost_v + lost_u)
    }

    /// Y within one of every Y that R, G, B can come from, if none of them is clipped.
    pub(super) fn light(&self, rgb: [u8; 3]) -> i32 {
        let unit = 64 * i64::from(self.luma);
        ((self.luminance(rgb) + unit / 2) / unit) as i32
    }

    /// Y, U, V of a picture that was not made by this transform, each rounded by itself, as a scanner or a camera would have
    /// rounded them.
    pub fn inverse(&self, rgb: [u8; 3]) -> [u8; 3] {
        let light = self.luminance(rgb);
        let nearest = |table: &[i32; 256], value: u8| {
            let wanted = (32 * (2 * i64::from(value) + 1) * i64::from(self.divisor) - light) / 64;
            let above = table.partition_point(|entry| i64::from(*entry) < wanted).min(255);
            let below = above.saturating_sub(1);
            let away = |i: usize| (i64::from(table[i]) - wanted).abs();
            if away(below) <= away(above) { below as u8 } else { above as u8 }
        };
        [self.light(rgb).clamp(0, 255) as u8, nearest(&self.blue, rgb[2]), nearest(&self.red, rgb[0])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_distinct_and_known() {
        for transform in TRANSFORMS {
            assert_eq!(Transform::from_id(transform.id).map(|t| t.name), Some(transform.name));
        }
        assert!(Transform::from_id(0).is_none() && Transform::from_id(3).is_none());
        assert_ne!(TRANSFORMS[0].id, TRANSFORMS[1].id);
    }

    #[test]
    fn transforms_are_the_formulas() {
        // By hand: 1.3584 * 100 = 135.84; 2.2179 * 10 = 22.179; 1.8215 * -7 = -12.7505, floor -13.
        assert_eq!(TRANSFORMS[0].forward([100, 166, 130]), [123, (135.84f64 - 0.194 * 22.0 + 0.509 * 13.0) as u8, 158]);
        // ITU-T T.871: R = Y + 1.402 Cr, G = Y - 0.344136 Cb - 0.714136 Cr, B = Y + 1.772 Cb, here rounded.
        for (y, u, v) in [(0u8, 128u8, 128u8), (255, 128, 128), (97, 80, 190), (180, 140, 90)] {
            let (f, cb, cr) = (f64::from(y), f64::from(u) - 128.0, f64::from(v) - 128.0);
            let exact = [f + 1.402 * cr, f - 0.344136 * cb - 0.714136 * cr, f + 1.772 * cb];
            assert_eq!(TRANSFORMS[1].forward([y, u, v]), exact.map(|x| x.round().clamp(0.0, 255.0) as u8));
        }
    }

    #[test]
    fn inverses_are_near() {
        let middle = |c: u32| (c * 19 % 120 + 60) as u8;
        for transform in TRANSFORMS {
            for i in 0..5000 {
                let rgb = [middle(i), middle(i * 3 + 1), middle(i * 7 + 2)];
                let back = transform.forward(transform.inverse(rgb));
                let clipped = transform.inverse(rgb).iter().any(|c| matches!(c, 0 | 255));
                assert!(clipped || rgb.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 3), "{rgb:?} {back:?}");
            }
        }
    }
}
