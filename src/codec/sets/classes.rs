//! The classes of examples, for networks that know them.
//!
//! What must stay true: there is a class for each example if the network has classes, and none else; each is below their number.

use crate::engine::grid::GridNetwork;
use crate::wire::{Reader, WireError, Writer};
use thiserror::Error;

/// Why classes do not suit a network and a set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClassError {
    /// The network has none.
    #[error("the model '{0}' knows no classes: leave the labels away")]
    None(String),
    /// The network has some.
    #[error("the model '{name}' needs a class (0 to {}) for each example: name a file with --labels, or one for all with --class", count - 1)]
    Needed {
        /// The model.
        name: String,
        /// Its number of classes.
        count: u32,
    },
    /// Too few or too many.
    #[error("there are {labels} labels for {examples} examples")]
    Number {
        /// Of labels.
        labels: usize,
        /// Of examples.
        examples: usize,
    },
    /// A class that there is not.
    #[error("example {example} has class {class}, and the model '{name}' knows {count}, 0 to {}", count - 1)]
    Range {
        /// Which example, counted from 0.
        example: usize,
        /// Its class.
        class: u32,
        /// The model.
        name: String,
        /// Its number of classes.
        count: u32,
    },
}

/// What is said about the classes of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels<'a> {
    /// Nothing.
    Unknown,
    /// All have this class.
    All(u8),
    /// A class each.
    Each(&'a [u8]),
}

/// The classes of a set's examples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classes(Vec<u32>);

impl Classes {
    /// The classes of so many examples.
    ///
    /// # Errors
    /// Labels that the network does not have, or lacks.
    pub fn new(network: &GridNetwork, labels: Labels<'_>, examples: usize) -> Result<Self, ClassError> {
        let name = || network.program().name().to_owned();
        let (count, labels) = match (network.classes(), labels) {
            (None, Labels::Unknown) => return Ok(Self::default()),
            (None, _) => return Err(ClassError::None(name())),
            (Some(count), Labels::Unknown) => return Err(ClassError::Needed { name: name(), count }),
            (Some(count), Labels::All(label)) => (count, vec![label; examples]),
            (Some(count), Labels::Each(labels)) => (count, labels.to_vec()),
        };
        if labels.len() != examples {
            return Err(ClassError::Number { labels: labels.len(), examples });
        }
        let classes: Vec<u32> = labels.iter().map(|l| u32::from(*l)).collect();
        match classes.iter().position(|c| *c >= count) {
            Some(example) => Err(ClassError::Range { example, class: classes[example], name: name(), count }),
            None => Ok(Self(classes)),
        }
    }

    /// Those of some examples; nothing if the network has none.
    pub fn of(&self, examples: std::ops::Range<usize>) -> &[u32] {
        if self.0.is_empty() { &[] } else { &self.0[examples] }
    }

    /// Appends them to a recipe.
    pub(super) fn write(&self, w: &mut Writer) {
        w.uint(self.0.len() as u64);
        self.0.iter().for_each(|c| w.u8(*c as u8));
    }

    /// Reads what [`write`](Self::write) wrote, for a network and a number of examples.
    pub(super) fn read(r: &mut Reader<'_>, network: &GridNetwork, examples: usize) -> Result<Option<Self>, WireError> {
        let count = r.count(1, "the number of classes")?;
        let labels = r.raw(count)?;
        let labels = if count > 0 { Labels::Each(labels) } else { Labels::Unknown };
        Ok(Self::new(network, labels, examples).ok())
    }
}

/// The classes of some examples among those of a chunk.
pub(super) fn part(classes: &[u32], first: usize, count: usize) -> &[u32] {
    if classes.is_empty() { &[] } else { &classes[first..first + count] }
}
