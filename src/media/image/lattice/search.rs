//! Which Y, U, V a pixel came from: of all that give its R, G, B the one nearest to what its neighbours promise.
//!
//! A channel between 0 and 255 leaves one V (or U) for each Y, or none, so few candidates are left, most often one. A clipped
//! channel is an inequality and leaves many.
//!
//! What must stay true: what is found gives the pixel back by [`Transform::forward`].

use super::transform::Transform;

/// What a difference of Y weighs, and one of U or V: colour is smoother than light. (On three pictures of the Kodak suite 3:1
/// takes 0.4 % less than 3:2 and 0.8 % less than 1:1; 6:1 takes as much.)
const LIGHT: i32 = 1;
const COLOUR: i32 = 3;

/// Y of a pixel without clipped channels lies at most this far from [`Transform::light`]: so it does for every Y, U, V.
const FAR: i32 = 1;

/// First and last index of a table; empty where the first is larger.
type Range = (i32, i32);

impl Transform {
    /// The candidate nearest to `near`; `None` if there is none.
    pub fn nearest(&self, rgb: [u8; 3], near: [u8; 3]) -> Option<[u8; 3]> {
        if self.forward(near) == rgb {
            return Some(near);
        }
        let [y0, u0, v0] = near.map(i32::from);
        let ys = match self.light(rgb) {
            _ if rgb.iter().any(|c| matches!(c, 0 | 255)) => (0, 255),
            light => ((light - FAR).max(0), (light + FAR).min(255)),
        };
        let [reds, greens, blues] = rgb.map(|value| bounds(value, self.divisor));
        let (mut best, mut least) = (None, i32::MAX);
        for y in outwards(y0, ys) {
            let away = LIGHT * (y - y0).abs();
            if away >= least {
                break;
            }
            let sum = self.luma * y;
            let us = rising(&self.blue, less(blues, sum));
            let vs = rising(&self.red, less(reds, sum));
            if us.0 > us.1 || vs.0 > vs.1 {
                continue;
            }
            // What is left for V, whatever U is.
            let (most, fewest) = (self.green_u[us.0 as usize], self.green_u[us.1 as usize]);
            let left = (less(greens, sum + most).0, less(greens, sum + fewest).1);
            for v in outwards(v0, common(falling(&self.green_v, left), vs)) {
                let away = away + COLOUR * (v - v0).abs();
                if away >= least {
                    break;
                }
                let left = less(greens, sum + self.green_v[v as usize]);
                let us = common(falling(&self.green_u, left), us);
                if us.0 <= us.1 {
                    let u = u0.clamp(us.0, us.1);
                    let away = away + COLOUR * (u - u0).abs();
                    if away < least {
                        (best, least) = (Some([y as u8, u as u8, v as u8]), away);
                    }
                }
            }
        }
        best
    }
}

/// The lowest and highest sum that gives a channel its value.
fn bounds(value: u8, divisor: i32) -> (i64, i64) {
    let (value, divisor) = (i64::from(value), i64::from(divisor));
    let low = if value == 0 { i64::MIN / 2 } else { value * divisor };
    let high = if value == 255 { i64::MAX / 2 } else { (value + 1) * divisor - 1 };
    (low, high)
}

fn less((low, high): (i64, i64), sum: i32) -> (i64, i64) {
    (low - i64::from(sum), high - i64::from(sum))
}

/// Where a rising table is within bounds.
fn rising(table: &[i32; 256], (low, high): (i64, i64)) -> Range {
    let first = table.partition_point(|entry| i64::from(*entry) < low);
    let end = table.partition_point(|entry| i64::from(*entry) <= high);
    (first as i32, end as i32 - 1)
}

/// Where a falling table is within bounds.
fn falling(table: &[i32; 256], (low, high): (i64, i64)) -> Range {
    let first = table.partition_point(|entry| i64::from(*entry) > high);
    let end = table.partition_point(|entry| i64::from(*entry) >= low);
    (first as i32, end as i32 - 1)
}

fn common(a: Range, b: Range) -> Range {
    (a.0.max(b.0), a.1.min(b.1))
}

/// The numbers of a range, from the nearest to `from` outwards.
fn outwards(from: i32, (first, last): Range) -> impl Iterator<Item = i32> {
    let mut up = if first <= last { from.clamp(first, last) } else { first };
    let mut down = up - 1;
    std::iter::from_fn(move || {
        let (can_rise, can_fall) = (up <= last, down >= first);
        if can_rise && (!can_fall || (up - from).abs() <= (down - from).abs()) {
            up += 1;
            Some(up - 1)
        } else if can_fall {
            down -= 1;
            Some(down + 1)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::TRANSFORMS;
    use super::*;
    use proptest::prelude::*;

    /// The least distance over all Y, U, V.
    fn by_hand(transform: &Transform, rgb: [u8; 3], near: [u8; 3]) -> Option<i32> {
        let mut least = None;
        for y in 0..=255u8 {
            for u in 0..=255u8 {
                let [_, _, blue] = transform.forward([y, u, 0]);
                if blue != rgb[2] {
                    continue;
                }
                for v in (0..=255u8).filter(|v| transform.forward([y, u, *v]) == rgb) {
                    least = Some(least.map_or(distance([y, u, v], near), |l: i32| l.min(distance([y, u, v], near))));
                }
            }
        }
        least
    }

    fn distance(a: [u8; 3], b: [u8; 3]) -> i32 {
        let away = |i: usize| i32::from(a[i].abs_diff(b[i]));
        LIGHT * away(0) + COLOUR * (away(1) + away(2))
    }

    fn check(transform: &Transform, rgb: [u8; 3], near: [u8; 3]) {
        let found = transform.nearest(rgb, near);
        assert!(found.is_none_or(|yuv| transform.forward(yuv) == rgb), "{rgb:?} {near:?} {found:?}");
        let least = found.map(|yuv| distance(yuv, near));
        assert_eq!(least, by_hand(transform, rgb, near), "{} {rgb:?} {near:?}", transform.name);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_nearest_of_all_is_found(yuv in any::<[u8; 3]>(), rgb in any::<[u8; 3]>(), near in any::<[u8; 3]>()) {
            for transform in TRANSFORMS {
                check(transform, transform.forward(yuv), near);
                check(transform, rgb, near);
            }
        }
    }

    #[test]
    fn clipped_pixels_have_candidates() {
        for transform in TRANSFORMS {
            for rgb in [[0, 0, 0], [255, 255, 255], [255, 255, 90], [255, 0, 0], [0, 130, 255]] {
                check(transform, rgb, [128, 128, 128]);
            }
        }
    }
}
