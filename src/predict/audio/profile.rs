//! How much is computed for a sample, at each level of effort.
//!
//! What must stay true: a stream names its profile by number, so a change of any figure here raises the part's version.

use super::ols::Setting;
use super::predictor::{Profile, Rest};

const fn ols(keep: f64, ridge: f64, every: usize) -> Setting {
    Setting { keep, ridge, every }
}

/// The shortest predictors.
const SHORT: Profile = Profile {
    alone: 16,
    paired: [8, 8],
    ols: [ols(0.998, 25.0, 32), ols(0.998, 1.0, 32)],
    ahead: 3,
    cascade: &[(256, 0.072), (16, 0.072)],
    rest: Rest::Narrow,
};
/// Those of the default level.
const MEDIUM: Profile = Profile {
    alone: 32,
    paired: [16, 16],
    ols: [ols(0.998, 25.0, 8), ols(0.998, 1.0, 8)],
    ahead: 7,
    cascade: &[(1024, 0.072), (256, 0.072), (32, 0.072), (16, 0.072)],
    rest: Rest::Narrow,
};
/// The longest.
const LONG: Profile = Profile {
    alone: 32,
    paired: [24, 24],
    ols: [ols(0.998, 25.0, 2), ols(0.998, 1.0, 2)],
    ahead: 7,
    cascade: &[(2048, 0.072), (512, 0.072), (256, 0.072), (32, 0.072), (16, 0.072)],
    rest: Rest::Narrow,
};

/// The profiles. Of version 1 are the first three, of version 2 the first four, and of version 3 those behind them; the first is what
/// scores are made with.
pub const PROFILES: [Profile; 7] = [
    Profile { ols: [ols(0.998, 25.0, 16), ols(0.998, 1.0, 16)], ahead: 7, ..SHORT },
    MEDIUM,
    LONG,
    SHORT,
    Profile { rest: Rest::Few, ..SHORT },
    Profile { rest: Rest::Wide, ..MEDIUM },
    Profile { rest: Rest::Wide, ..LONG },
];

/// The fastest profile.
pub const FAST: usize = 4;
/// That of the default level.
pub const USUAL: usize = 5;
/// The one that takes longest.
pub const SLOW: usize = 6;
