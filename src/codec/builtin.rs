//! The models inside the binary, by name.
//!
//! What must stay true: a model that streams name stays here, or those who have the streams must keep its file.

use crate::engine::{ModelId, Program};
use std::sync::{Arc, OnceLock};

/// A model inside the binary.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// The program's own name.
    pub name: &'static str,
    bytes: &'static [u8],
    /// It takes as long to read as a small picture to code.
    program: OnceLock<Result<Arc<Program>, String>>,
}

/// Pictures that the model of an effort level does not fit are coded by the first one that does.
pub(super) static BUILT_IN: [BuiltIn; 4] = [
    BuiltIn::new("fast", include_bytes!("../../models/fast.srm")),
    BuiltIn::new("photo", include_bytes!("../../models/photo.srm")),
    BuiltIn::new("large", include_bytes!("../../models/large.srm")),
    BuiltIn::new("photo-ycc", include_bytes!("../../models/photo-ycc.srm")),
];

impl BuiltIn {
    const fn new(name: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, bytes, program: OnceLock::new() }
    }

    /// What streams name it by, without reading it as a program.
    pub fn id(&self) -> ModelId {
        ModelId::of(self.bytes)
    }

    /// The model, checked as any file is when it is first asked for.
    pub fn program(&self) -> Result<Arc<Program>, String> {
        let read = || Program::from_bytes(self.bytes).map(Arc::new).map_err(|e| e.to_string());
        self.program.get_or_init(read).clone()
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
