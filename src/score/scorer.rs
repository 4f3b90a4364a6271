//! A model as a calibration uses it: as it is or fitted to normal files, alone or beside a background model.
//!
//! A background model (Ren et al. 2019) was trained on the same kind of data with symbols replaced by chance: it knows what is common to
//! most data, and so the code length beyond its own is that of what is particular to the normal files.
//!
//! What must stay true: a scorer that was found for a calibration gives an example the scores that the calibration's own scorer gave.

use super::calibration::Calibration;
use super::example::{Example, Summary};
use super::media::{Medium, Reading, ScoreError};
use super::model::Model;
use super::refit;
use crate::codec::Models;
use crate::engine::ModelId;
use serde::{Deserialize, Serialize};

/// A model, and what a calibration adds to it.
#[derive(Debug, Clone)]
pub struct Scorer {
    identity: Identity,
    /// What scores: the model that the identity names, with its adaptation.
    model: Model,
    background: Option<Model>,
}

/// Which scorer it is, as a calibration file keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub medium: Medium,
    /// The model as it can be found.
    pub model: [u8; 16],
    /// Its name, for messages.
    pub name: String,
    /// How far its biases are moved (the code of `adapt::delta`).
    pub adaptation: Option<Vec<u8>>,
    /// The background model.
    pub background: Option<[u8; 16]>,
}

impl From<Model> for Scorer {
    fn from(model: Model) -> Self {
        let (medium, name) = (model.medium(), model.name().to_owned());
        let identity = Identity { medium, model: model.id().0, name, adaptation: None, background: None };
        Self { identity, model, background: None }
    }
}

impl From<&Model> for Scorer {
    fn from(model: &Model) -> Self {
        model.clone().into()
    }
}

impl From<&Self> for Scorer {
    fn from(scorer: &Self) -> Self {
        scorer.clone()
    }
}

impl Scorer {
    /// The same, fitted as [`refit::fit`] says.
    ///
    /// # Errors
    /// A code that does not fit the model.
    pub fn fitted(mut self, code: Vec<u8>) -> Result<Self, ScoreError> {
        self.model = refit::apply(&self.model, &code)?;
        self.identity.adaptation = Some(code);
        Ok(self)
    }

    /// The same beside a background model.
    ///
    /// # Errors
    /// A background for another medium.
    pub fn beside(mut self, background: Model) -> Result<Self, ScoreError> {
        if background.medium() != self.medium() {
            let (name, own, other) = (background.name(), background.medium(), self.medium());
            return Err(ScoreError::Background { text: format!("'{name}' is for {own}, and these are {other}") });
        }
        self.identity.background = Some(background.id().0);
        self.background = Some(background);
        Ok(self)
    }

    /// That of a calibration; `known` is looked at before other background models.
    ///
    /// # Errors
    /// A model that is not there, or that the calibration does not fit.
    pub fn find(models: &Models, calibration: &Calibration, known: Option<&Model>) -> Result<Self, ScoreError> {
        let Identity { model, adaptation, background, .. } = calibration.identity();
        let mut scorer = Self::from(Model::with_id(models, ModelId(*model))?);
        if let Some(code) = adaptation {
            scorer = scorer.fitted(code.clone())?;
        }
        match background {
            Some(id) => match known.filter(|known| known.id().0 == *id) {
                Some(known) => scorer.beside(known.clone()),
                None => {
                    let missing = |e: ScoreError| ScoreError::Background { text: format!("is not there: {e}") };
                    scorer.beside(Model::with_id(models, ModelId(*id)).map_err(missing)?)
                }
            },
            None => Ok(scorer),
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it is for.
    pub fn medium(&self) -> Medium {
        self.identity.medium
    }

    /// The model's identity, before it was fitted.
    pub fn id(&self) -> ModelId {
        ModelId(self.identity.model)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Whether the model was fitted to normal files.
    pub fn is_fitted(&self) -> bool {
        self.identity.adaptation.is_some()
    }

    /// The background model.
    pub fn background(&self) -> Option<&Model> {
        self.background.as_ref()
    }

    /// What is kept of each example in a file.
    ///
    /// # Errors
    /// A file that the models are not for.
    pub fn summaries(&self, file: &[u8], reading: Reading) -> Result<Vec<Summary>, ScoreError> {
        let mut summaries = self.each(file, reading, |_, example| example.summary())?;
        if self.medium() != Medium::Picture && summaries.len() > 1 {
            // Windows of a recording or a text are no independent examples.
            let group = *blake3::hash(file).as_bytes();
            summaries.iter_mut().for_each(|summary| summary.group = group);
        }
        Ok(summaries)
    }

    /// Scores each example in a file and keeps what `then` makes of its number and of it.
    ///
    /// # Errors
    /// A file that the models are not for, or in which they see other examples.
    pub fn each<T: Send>(
        &self,
        file: &[u8],
        reading: Reading,
        then: impl Fn(usize, &Example) -> T + Sync,
    ) -> Result<Vec<T>, ScoreError> {
        let Some(background) = &self.background else { return self.model.each(file, reading, then) };
        let fault = |text: String| ScoreError::Background { text: format!("'{}': {text}", background.name()) };
        let shape = |example: &Example| [example.height, example.width, example.channels];
        let bits = background.each(file, reading, |_, example| (shape(example), example.bits_per_symbol()));
        let bits = bits.map_err(|e| fault(e.to_string()))?;
        let with = |number: usize, example: &Example| {
            let (_, bits) = bits.get(number).filter(|(of, _)| *of == shape(example))?;
            Some(then(number, &Example { background: Some(*bits), ..*example }))
        };
        let all: Option<Vec<T>> = self.model.each(file, reading, with)?.into_iter().collect();
        let all = all.filter(|all| all.len() == bits.len());
        all.ok_or_else(|| fault(format!("it sees other examples in the file than '{}' does", self.name())))
    }
}
