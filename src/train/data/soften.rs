//! Softened, noisy copies of pictures: what a camera's original looks like at its full size.
//!
//! Photographs that were made smaller are sharper and cleaner than what comes out of a camera, where two of three samples
//! were interpolated and every one has the sensor's noise. A network that saw only small ones would code originals badly.
//!
//! What must stay true: a copy is a picture like any other (its noise belongs to its pixels, not to a window), and depends
//! on the picture alone.

use super::random::{Random, mix, normal};
use image::RgbImage;
use image::imageops::{self, FilterType};

/// A copy of `[height][width][3]` samples: a part of it enlarged 1.1 to 2 times, with noise. Its sides are 5/8 of the
/// picture's.
///
/// Returns its samples, width and height.
pub fn soften(samples: &[u8], width: u32, height: u32, key: u64) -> (Vec<u8>, u32, u32) {
    let mut random = Random::new(&[key]);
    let (to_width, to_height) = ((width * 5).div_ceil(8), (height * 5).div_ceil(8));
    let factor = random.between(1.1, 2.0);
    let part = |side: u32| ((f64::from(side) / factor).round() as u32).max(1);
    let (part_width, part_height) = (part(to_width), part(to_height));
    let left = random.below(u64::from(width - part_width) + 1) as usize;
    let top = random.below(u64::from(height - part_height) + 1) as usize;
    let rows = samples.chunks_exact(width as usize * 3).skip(top).take(part_height as usize);
    let cut: Vec<u8> = rows.flat_map(|row| &row[left * 3..][..part_width as usize * 3]).copied().collect();
    let cut = RgbImage::from_raw(part_width, part_height, cut).expect("three samples a pixel");
    // Straight lines between the samples, as plain demosaicing draws them, or a sharper curve.
    let filter = if random.unit() < 0.5 { FilterType::Triangle } else { FilterType::CatmullRom };
    let mut soft = imageops::resize(&cut, to_width, to_height, filter).into_raw();
    let (luma, chroma) = (random.between(0.3, 2.0) as f32, random.between(0.1, 1.0) as f32);
    add_noise(&mut soft, luma, chroma, random.bits());
    (soft, to_width, to_height)
}

/// Adds Gaussian noise: one part that the channels share, one of each channel. Where a sample is at the end of its range the
/// sensor was saturated (or dark), and its noise does not show.
fn add_noise(samples: &mut [u8], shared: f32, own: f32, key: u64) {
    for (at, pixel) in (0u64..).zip(samples.chunks_exact_mut(3)) {
        let bits = mix(key ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let together = shared * normal(bits);
        for (channel, sample) in (1u64..).zip(pixel) {
            if !matches!(*sample, 0 | 255) {
                let noise = together + own * normal(mix(bits ^ channel));
                *sample = (f32::from(*sample) + noise).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Vec<u8> {
        let mut random = Random::new(&[2]);
        (0..width * height * 3).map(|i| (i / 3 % width * 2 + random.below(60) as u32).min(255) as u8).collect()
    }

    /// Mean absolute difference of neighbours in a row.
    fn roughness(samples: &[u8], width: u32) -> f64 {
        let rows = samples.chunks_exact(width as usize * 3);
        let sums = rows.flat_map(|row| row.windows(4).map(|w| f64::from(w[0].abs_diff(w[3]))));
        sums.sum::<f64>() / samples.len() as f64
    }

    #[test]
    fn a_copy_is_smoother_and_depends_on_the_picture_and_key() {
        let samples = picture(120, 90);
        let (soft, width, height) = soften(&samples, 120, 90, 7);
        assert_eq!((width, height, soft.len()), (75, 57, 75 * 57 * 3));
        assert!(roughness(&soft, width) < 0.8 * roughness(&samples, 120));
        assert_eq!(soften(&samples, 120, 90, 7).0, soft);
        assert_ne!(soften(&samples, 120, 90, 8).0, soft);
    }

    #[test]
    fn every_size_has_a_copy() {
        for (width, height) in [(16, 16), (16, 17), (17, 300), (1, 1), (2, 3)] {
            for key in 0..20 {
                let (soft, w, h) = soften(&picture(width, height), width, height, key);
                assert_eq!(soft.len(), (w * h * 3) as usize);
                assert!(w >= 1 && w <= width && h >= 1 && h <= height);
            }
        }
    }

    #[test]
    fn noise_is_as_strong_as_asked_and_leaves_clipped_samples() {
        let mut flat = vec![100; 300_000];
        flat[..300].fill(255);
        flat[300..600].fill(0);
        add_noise(&mut flat, 3.0, 1.0, 5);
        assert!(flat[..300].iter().all(|v| *v == 255) && flat[300..600].iter().all(|v| *v == 0));
        let square = |v: f64| v * v;
        let rest = &flat[600..];
        let own: f64 = rest.iter().map(|v| square(f64::from(*v) - 100.0)).sum::<f64>() / rest.len() as f64;
        let apart = rest.chunks_exact(3).map(|p| square(f64::from(p[0]) - f64::from(p[1]))).sum::<f64>();
        let apart = apart / (rest.len() / 3) as f64;
        // Variances: 9 + 1, and 2 of the channels' own; rounding adds 1/12 and 1/6.
        assert!((own - 10.08).abs() < 0.2 && (apart - 2.17).abs() < 0.1, "{own} {apart}");
    }
}
