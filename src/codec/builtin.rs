//! The models inside the binary, by name.
//!
//! What must stay true: a model that streams name stays here, or those who have the streams must keep its file.

use crate::engine::{ModelId, Program};
use std::sync::Arc;

/// A model inside the binary.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// The program's own name.
    pub name: &'static str,
    bytes: &'static [u8],
}

/// Pictures that the model of an effort level does not fit are coded by the first one that does.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "fast", bytes: include_bytes!("../../models/fast.srm") },
    BuiltIn { name: "photo", bytes: include_bytes!("../../models/photo.srm") },
    BuiltIn { name: "large", bytes: include_bytes!("../../models/large.srm") },
    BuiltIn { name: "photo-ycc", bytes: include_bytes!("../../models/photo-ycc.srm") },
];

impl BuiltIn {
    /// What streams name it by, without reading it as a program.
    pub fn id(&self) -> ModelId {
        ModelId::of(self.bytes)
    }

    /// The model, checked as any file is.
    pub fn program(&self) -> Result<Arc<Program>, String> {
        Program::from_bytes(self.bytes).map(Arc::new).map_err(|e| e.to_string())
    }
}

/// The one with this name.
pub(super) fn named(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_those_of_the_programs() {
        for (i, model) in BUILT_IN.iter().enumerate() {
            let program = model.program().expect("a model inside the binary can be read");
            assert_eq!((program.name(), program.id()), (model.name, model.id()));
            assert!(BUILT_IN[..i].iter().all(|other| other.name != model.name && other.id() != model.id()));
        }
    }
}
