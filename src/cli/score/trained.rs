//! The files that models were trained on, by the lists beside them.
//!
//! What must stay true: a file is known by the hash of its bytes; a model without a list was trained on nothing that is known.

use std::collections::{BTreeMap, HashSet};
use surprisal::codec::{Models, Place};
use surprisal::engine::ModelId;

/// The list of the models inside the binary.
const PHOTOGRAPHS: &str = include_str!("../../../models/photographs.txt");

/// Hashes of training files, of each model.
pub struct Trained(BTreeMap<[u8; 16], HashSet<String>>);

impl Trained {
    /// Reads the lists of all models that can be found.
    pub fn new(models: &Models) -> Self {
        let mut lists = BTreeMap::new();
        for found in models.all() {
            let Ok(program) = &found.program else { continue };
            let list = match (&found.place, &found.path) {
                (Place::BuiltIn, _) => PHOTOGRAPHS.to_owned(),
                (_, Some(path)) => std::fs::read_to_string(path.with_extension("files.txt")).unwrap_or_default(),
                (_, None) => continue,
            };
            lists.entry(program.id().0).or_insert_with(|| hashes(&list));
        }
        Self(lists)
    }

    /// Whether a model was trained on a file.
    pub fn has(&self, model: ModelId, file: &[u8]) -> bool {
        let list = self.0.get(&model.0).filter(|list| !list.is_empty());
        list.is_some_and(|list| list.contains(blake3::hash(file).to_hex().as_str()))
    }
}

/// The hashes in a list: the first word of each line whose second says that the file was trained on.
fn hashes(list: &str) -> HashSet<String> {
    let hash = |line: &str| {
        let mut words = line.split_whitespace();
        let (hash, part) = (words.next()?, words.next()?);
        (part == "train" && hash.len() == 64).then(|| hash.to_owned())
    };
    list.lines().filter_map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_what_is_held_out_is_not_in_them() {
        assert!(hashes(PHOTOGRAPHS).len() > 200);
        let hash = blake3::hash(b"one").to_hex();
        let list = hashes(&format!("{hash}  train  a b\n{}  held-out  c\nnonsense\n", blake3::hash(b"two").to_hex()));
        assert_eq!(list.into_iter().collect::<Vec<_>>(), [hash.to_string()]);
    }
}
