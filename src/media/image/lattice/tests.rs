//! Pictures on and beside lattices.

use super::*;
use proptest::prelude::*;

/// Waves in planes, through a transform; `steep` ones are clipped here and there.
fn on_lattice(transform: &Transform, width: u32, height: u32, steep: i32) -> Picture {
    let mut samples = Vec::new();
    for (y, x) in (0..height as i32).flat_map(|y| (0..width as i32).map(move |x| (y, x))) {
        let wave = |a: i32, b: i32| ((a * x + b * y) % 97 - 48).abs() - 24;
        let plane = |c: i32| (c.clamp(0, 255)) as u8;
        let yuv = [plane(110 + steep * wave(3, 5)), plane(150 + wave(1, 2)), plane(134 + wave(2, 1))];
        samples.extend(transform.forward(yuv));
    }
    Picture { width, height, channels: 3, samples }
}

fn check(picture: &Picture, transform: &'static Transform) -> Planes {
    let planes = Planes::of(picture, transform);
    assert!(planes.picture.is_consistent());
    let back = restore(transform, planes.picture.clone(), &planes.exceptions).expect("they fit");
    assert!(back == *picture);
    planes
}

#[test]
fn lattices_are_found_and_others_are_not() {
    for transform in TRANSFORMS {
        for steep in [1, 4] {
            let mut picture = on_lattice(transform, 90, 70, steep);
            assert_eq!(find(&picture).map(|t| t.id), Some(transform.id), "{} {steep}", transform.name);
            assert!(check(&picture, transform).exceptions.is_empty());
            // A step of one value leaves the lattice.
            picture.samples.iter_mut().step_by(3).for_each(|red| *red = (*red / 2) + 40);
            assert!(find(&picture).is_none());
        }
        assert!(find(&Picture { channels: 1, width: 270, ..on_lattice(transform, 90, 70, 1) }).is_none());
        assert!(find(&on_lattice(transform, 1, 1, 1)).is_none());
    }
}

#[test]
fn pixels_beside_the_lattice_are_kept() {
    for transform in TRANSFORMS {
        let mut picture = on_lattice(transform, 50, 40, 3);
        let all = (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| [a, b, 77]));
        let beside: Vec<[u8; 3]> = all.filter(|rgb| transform.nearest(*rgb, [128; 3]).is_none()).take(3).collect();
        for (at, rgb) in [0, 777, 1999].into_iter().zip(&beside) {
            picture.samples[3 * at..][..3].copy_from_slice(rgb);
        }
        let planes = check(&picture, transform);
        let [a, b, c] = [beside[0], beside[1], beside[2]];
        let expected = [&[0][..], &a, &[0x88, 0x06], &b, &[0xc5, 0x09], &c].concat();
        assert_eq!(planes.exceptions, expected);
        // A pixel more than there are.
        let beyond = [&expected[..], &[0], &a].concat();
        assert!(restore(transform, planes.picture.clone(), &beyond).is_err());
        assert!(restore(transform, planes.picture, &expected[..expected.len() - 1]).is_err());
    }
}

/// Planes of a slope whose light is clipped at its end are no rougher than the slope.
#[test]
fn clipped_pixels_go_with_their_neighbours() {
    for transform in TRANSFORMS {
        let rows = (0..40u8).flat_map(|y| (0..60u8).map(move |x| [200 + (x / 2 + y / 4), 150, 140]));
        let truth: Vec<[u8; 3]> = rows.collect();
        let samples: Vec<u8> = truth.iter().flat_map(|yuv| transform.forward(*yuv)).collect();
        assert!(samples.iter().filter(|s| **s == 255).count() > 300, "{}", transform.name);
        let planes = check(&Picture { width: 60, height: 40, channels: 3, samples }, transform).picture.samples;
        let found: Vec<[u8; 3]> = planes.chunks_exact(3).map(|p| [p[1], p[0], p[2]]).collect();
        assert!(rough(&found) <= rough(&truth), "{}: {} {}", transform.name, rough(&found), rough(&truth));
    }
}

/// How much planes of 60 columns change from pixel to pixel.
fn rough(planes: &[[u8; 3]]) -> u32 {
    let change = |pair: &[[u8; 3]]| (0..3).map(|c| u32::from(pair[0][c].abs_diff(pair[1][c]))).sum::<u32>();
    planes.chunks_exact(60).flat_map(|row| row.windows(2)).map(change).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_picture_comes_back(
        (width, height) in (1u32..14, 1u32..14),
        steep in 1i32..8,
        kind in 0usize..2,
        noise in prop::collection::vec((any::<usize>(), any::<[u8; 3]>()), 0..40),
        gray in any::<bool>(),
    ) {
        let transform = TRANSFORMS[kind];
        let mut picture = on_lattice(transform, width, height, steep);
        for (at, pixel) in noise {
            let at = at % (width * height) as usize;
            picture.samples[3 * at..][..3].copy_from_slice(&pixel);
        }
        if gray {
            picture.samples.chunks_exact_mut(3).for_each(|pixel| pixel.fill(pixel[1]));
        }
        check(&picture, transform);
        find(&picture);
    }

    #[test]
    fn any_exceptions_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for transform in TRANSFORMS {
            let planes = Picture { width: 5, height: 4, channels: 3, samples: vec![130; 60] };
            if let Ok(picture) = restore(transform, planes, &bytes) {
                prop_assert!(picture.is_consistent());
            }
        }
    }
}
