//! How much is computed for a sample, at each level of effort.
//!
//! What must stay true: a stream names its profile by number, so a change of any figure here raises the part's version.

use super::ols::Setting;
use super::predictor::{Profile, Rest};

const fn ols(keep: f64, ridge: f64, every: usize) -> Setting {
    Setting { keep, ridge, every }
}

/// Short predictors, and few decisions.
const SHORT: Profile = Profile {
    alone: 16,
    paired: [8, 8],
    ols: [ols(0.998, 25.0, 32), ols(0.998, 1.0, 32)],
    ahead: 3,
    cascade: &[(256, 0.072), (16, 0.072)],
    rest: Rest::Few,
};

/// The profiles; the first is what scores are made with.
pub const PROFILES: [Profile; 4] = [
    Profile { ols: [ols(0.998, 25.0, 16), ols(0.998, 1.0, 16)], ahead: 7, rest: Rest::Narrow, ..SHORT },
    SHORT,
    Profile {
        alone: 32,
        paired: [16, 16],
        ols: [ols(0.998, 25.0, 8), ols(0.998, 1.0, 8)],
        ahead: 7,
        cascade: &[(1024, 0.072), (256, 0.072), (32, 0.072), (16, 0.072)],
        rest: Rest::Wide,
    },
    Profile {
        alone: 32,
        paired: [24, 24],
        ols: [ols(0.998, 25.0, 2), ols(0.998, 1.0, 2)],
        ahead: 7,
        cascade: &[(2048, 0.072), (512, 0.072), (256, 0.072), (32, 0.072), (16, 0.072)],
        rest: Rest::Wide,
    },
];

/// The fastest profile.
pub const FAST: usize = 1;
/// That of the default level.
pub const USUAL: usize = 2;
/// The one that takes longest.
pub const SLOW: usize = 3;
