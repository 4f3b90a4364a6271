//! Energies of a picture's details at three scales and in three directions: Haar wavelets (Mallat 1989), in logarithms.
//!
//! What is drawn, enlarged, blurred or denoised has other proportions of fine and coarse details than what a camera saw.

use super::super::{Example, Kind};
use super::{Family, Figures, Statistic};
use std::borrow::Cow;

const SCALES: usize = 3;
/// Energies of an example.
pub const COUNT: usize = 3 * SCALES;

/// Energies less than this (squared steps of gray) are as good as none.
const FLOOR: f64 = 1e-2;

/// Logarithms (to base 2) of the mean squares: across, down, diagonal, finest scale first; 0 where a picture is too small.
pub fn energies(example: &Example, luminance: &[f64]) -> [f64; COUNT] {
    let mut energies = [0.0; COUNT];
    if example.kind != Kind::Picture || example.is_empty() {
        return energies;
    }
    let (mut width, mut height) = (example.width, example.height);
    let mut plane = Cow::Borrowed(luminance);
    for scale in 0..SCALES {
        let (w, h) = (width / 2, height / 2);
        if w < 2 || h < 2 {
            break;
        }
        let mut sums = [0.0; 3];
        let mut half = Vec::with_capacity(w * h);
        for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (2 * y, 2 * x))) {
            let at = |dy: usize, dx: usize| plane[(y + dy) * width + x + dx];
            let (a, b, c, d) = (at(0, 0), at(0, 1), at(1, 0), at(1, 1));
            for (sum, detail) in sums.iter_mut().zip([a - b + c - d, a + b - c - d, a - b - c + d]) {
                *sum += detail * detail / 4.0;
            }
            half.push((a + b + c + d) / 4.0);
        }
        for (direction, sum) in sums.into_iter().enumerate() {
            energies[scale * 3 + direction] = (sum / (w * h) as f64 + FLOOR).log2();
        }
        (plane, width, height) = (Cow::Owned(half), w, h);
    }
    energies
}

macro_rules! details {
    ($($at:literal $name:literal $what:literal),*) => {
        /// The statistics of this module.
        pub static ALL: &[Statistic] = &[$(Statistic {
            name: $name,
            what: concat!("energy of its ", $what),
            source: "Haar wavelets (Mallat 1989)",
            family: Family::Other,
            of: |f: &Figures| f.wavelets[$at],
        }),*];
    };
}

details!(
    0 "across1" "finest details across", 1 "down1" "finest details downwards", 2 "diagonal1" "finest diagonal details",
    3 "across2" "fine details across", 4 "down2" "fine details downwards", 5 "diagonal2" "fine diagonal details",
    6 "across3" "coarser details across", 7 "down3" "coarser details downwards", 8 "diagonal3" "coarser diagonal details"
);
