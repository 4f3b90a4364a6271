//! The sizes of a family: names, ranges, defaults, and chosen values.
//!
//! What must stay true: every value is within the range of its setting.

use super::ZooError;
use std::collections::BTreeMap;

/// A size that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as the command line has it.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Unless something else is asked for.
    pub default: i64,
    /// Smallest.
    pub low: i64,
    /// Largest.
    pub high: i64,
}

impl Setting {
    /// A setting.
    pub const fn new(name: &'static str, help: &'static str, default: i64, low: i64, high: i64) -> Self {
        Self { name, help, default, low, high }
    }
}

/// Values of all settings of a family.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sizes(BTreeMap<String, i64>);

impl Sizes {
    /// The defaults, but for `chosen`.
    ///
    /// # Errors
    /// A name that the family does not have, or a value out of range.
    pub fn new(settings: &[Setting], chosen: &[(&str, i64)]) -> Result<Self, ZooError> {
        let mut values: BTreeMap<String, i64> = settings.iter().map(|s| (s.name.to_owned(), s.default)).collect();
        for (name, value) in chosen {
            let Setting { name, low, high, .. } =
                *settings.iter().find(|s| s.name == *name).ok_or_else(|| ZooError::Setting((*name).to_owned()))?;
            if !(low..=high).contains(value) {
                return Err(ZooError::Range { name, value: *value, low, high });
            }
            values.insert(name.to_owned(), *value);
        }
        Ok(Self(values))
    }

    /// A value.
    ///
    /// # Panics
    /// If the family has no such setting.
    pub fn get(&self, name: &str) -> u32 {
        self.0[name] as u32
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}
