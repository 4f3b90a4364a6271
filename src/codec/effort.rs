//! Effort levels: what `-e 1` to `-e 9` stand for.
//!
//! What must stay true: a level is the encoder's choice alone. A stream names its model and its parts, never a level, so a
//! decoder needs no option for any of them, and the table may change from one version to the next.

use crate::adapt::Fit;
use crate::predict::audio;
use std::fmt;

/// What an encoder does at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The model inside the binary that codes photographs.
    pub model: &'static str,
    /// The model inside the binary that codes planes of pictures whose colours were made from such; none: they are coded as any
    /// photograph.
    pub planes: Option<&'static str>,
    /// Whether `adjust` corrects that model, too: planes of what was a JPEG are unlike those that it was trained on.
    pub adjust_planes: bool,
    /// How much is tried to adapt it to a picture.
    pub fit: Fit,
    /// Whether `predict::adjust` corrects it while it codes: smaller streams, and a little slower both ways.
    pub adjust: bool,
    /// Which of `predict::audio::PROFILES` codes sound.
    pub sound: usize,
}

/// The model for planes.
const YCC: Option<&str> = Some("photo-ycc");

/// Levels 1 to 9: none takes less time than the one before it, or codes photographs worse. Where there are fewer points than
/// levels, neighbours are the same point.
const LEVELS: [Level; 9] = [
    Level { model: "fast", planes: None, adjust_planes: false, fit: Fit::NONE, adjust: false, sound: audio::FAST },
    Level { model: "fast", planes: None, adjust_planes: false, fit: Fit::CHEAP, adjust: false, sound: audio::FAST },
    Level { model: "photo", planes: YCC, adjust_planes: false, fit: Fit::NONE, adjust: false, sound: audio::USUAL },
    Level { model: "photo", planes: YCC, adjust_planes: true, fit: Fit::CHEAP, adjust: false, sound: audio::USUAL },
    Level { model: "photo", planes: YCC, adjust_planes: true, fit: Fit::CHEAP, adjust: false, sound: audio::USUAL },
    Level { model: "photo", planes: YCC, adjust_planes: true, fit: Fit::CHEAP, adjust: true, sound: audio::USUAL },
    Level { model: "large", planes: YCC, adjust_planes: true, fit: Fit::MEDIUM, adjust: true, sound: audio::SLOW },
    Level { model: "large", planes: YCC, adjust_planes: true, fit: Fit::THOROUGH, adjust: true, sound: audio::SLOW },
    Level { model: "large", planes: YCC, adjust_planes: true, fit: Fit::THOROUGH, adjust: true, sound: audio::SLOW },
];

/// What a profile is called.
fn sound(profile: usize) -> &'static str {
    match profile {
        audio::FAST => "short filters",
        audio::SLOW => "long filters, solved often",
        _ => "long filters",
    }
}

/// An effort level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effort(u8);

impl Default for Effort {
    /// The middle.
    fn default() -> Self {
        Self(5)
    }
}

impl Effort {
    /// The lowest level.
    pub const MIN: Self = Self(1);
    /// The highest level.
    pub const MAX: Self = Self(LEVELS.len() as u8);

    /// A level from 1 to 9; `None` for other numbers.
    pub fn new(number: u8) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// All levels, lowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::MIN.0..=Self::MAX.0).map(Self)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// What is done at this level.
    pub fn level(self) -> Level {
        LEVELS[usize::from(self.0) - 1]
    }

    /// The distinct points: the levels that share each one, first and last, in order.
    pub fn points() -> Vec<(Self, Self)> {
        let mut points: Vec<(Self, Self)> = Vec::new();
        for effort in Self::all() {
            match points.last_mut() {
                Some((_, last)) if last.level() == effort.level() => *last = effort,
                _ => points.push((effort, effort)),
            }
        }
        points
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "model {}", self.model)?;
        if let Some(name) = self.planes {
            write!(f, " (what was a JPEG or on a Photo CD: {name})")?;
        }
        if self.fit.steps > 0 {
            write!(f, ", adapted to each picture in up to {} steps", self.fit.steps)?;
        }
        if self.adjust {
            write!(f, ", corrected by what was coded before")?;
        }
        write!(f, "; sound by {}", sound(self.sound))
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    #[test]
    fn levels_rise() {
        let macs = |effort: Effort| {
            let model = builtin::named(effort.level().model).expect("a level's model is inside the binary");
            model.program().expect("it can be read").macs()
        };
        assert!(Effort::all().zip(Effort::all().skip(1)).all(|(a, b)| macs(a) <= macs(b)));
        assert!(macs(Effort::MIN) < macs(Effort::MAX));
    }

    #[test]
    fn points_are_distinct_and_cover_all_levels() {
        let points = Effort::points();
        assert!(points.windows(2).all(|p| p[0].1.number() + 1 == p[1].0.number()));
        assert_eq!((points[0].0, points[points.len() - 1].1), (Effort::MIN, Effort::MAX));
        for (i, (first, last)) in points.iter().enumerate() {
            assert_eq!(first.level(), last.level());
            assert!(points[..i].iter().all(|(other, _)| other.level() != first.level()));
        }
    }

    #[test]
    fn other_numbers_are_no_levels() {
        assert_eq!(Effort::new(0), None);
        assert_eq!(Effort::new(10), None);
        assert_eq!(Effort::new(5), Some(Effort::default()));
    }
}
