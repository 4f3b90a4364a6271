//! The normal files that others are compared with: summaries of theirs, or a calibration file.

use super::panel::{Judge, Panel};
use super::refit::refit;
use super::trained::Trained;
use crate::cli::bar::Bar;
use crate::cli::fault::{Exit, Fault};
use crate::cli::inputs::{self, Folders, Input};
use crate::cli::options::{Global, ModelOptions, ReadingOptions};
use crate::cli::report;
use std::collections::BTreeMap;
use std::path::PathBuf;
use surprisal::codec::{Effort, Models, Progress};
use surprisal::engine::Kernel;
use surprisal::score::{
    Calibration, CalibrationError, Collection, Contents, Example, Fit, MIN_FILES, Medium, Method, Model, Reading,
    Scorer, Summary,
};

/// How files are read and by which models.
pub struct Source<'a> {
    /// Where models are looked for.
    models: &'a Models,
    /// How files are read.
    pub reading: Reading,
    /// Whether the user named a model.
    named: bool,
    /// Whether the model is fitted to normal files.
    adapt: bool,
    /// The model beside it.
    background: Option<Model>,
    /// Options of every subcommand.
    pub global: &'a Global,
}

/// What is made of normal files beside their scores.
#[derive(Debug, clap::Args)]
pub struct NormalOptions {
    /// Fit the network for photographs (the only kind that can be) to normal pictures, but none of those that give p-values
    ///
    /// Its biases are moved so that these pictures need fewer bits; the calibration keeps by how much. Recordings, and texts
    /// without a model, are scored by what learns from each file alone: there is nothing to fit.
    #[arg(long)]
    adapt: bool,
    /// Compare code lengths with those by this model, too: one of the same kind that was trained with --mutate (Ren et al. 2019)
    #[arg(long, value_name = "MODEL")]
    background: Option<String>,
}

impl NormalOptions {
    /// Whether anything was asked for.
    pub fn is_given(&self) -> bool {
        self.adapt || self.background.is_some()
    }

    /// The background model that was named.
    fn background(&self, global: &Global) -> Result<Option<Model>, Fault> {
        let Some(name) = &self.background else { return Ok(None) };
        let models = Models::new(std::slice::from_ref(name), global.kernel.unwrap_or_else(Kernel::best));
        models.check()?;
        Model::named(&models, Effort::MIN.level()).map_err(|e| Fault::Error(format!("--background: {e}")))
    }
}

/// Files, and examples of each, that a model is chosen by; of few files, one in [`SHARE`].
const TRIED: (usize, usize) = (12, 40);
const SHARE: usize = 8;

/// Examples of a medium.
pub struct Examples {
    /// What scored them.
    scorer: Scorer,
    summaries: Vec<Summary>,
    /// Those that the model was chosen by, or fitted to.
    seen: Contents,
}

/// Examples of each medium.
pub type Normal = BTreeMap<Medium, Examples>;

impl<'a> Source<'a> {
    /// What a command line says.
    pub fn new(
        models: &'a Models,
        model: &ModelOptions,
        reading: &ReadingOptions,
        normal: &NormalOptions,
        global: &'a Global,
    ) -> Result<Self, Fault> {
        let (reading, named) = (reading.reading(), model.is_named());
        Ok(Self { models, reading, named, adapt: normal.adapt, background: normal.background(global)?, global })
    }
}

impl Source<'_> {
    /// The model for a medium.
    pub(super) fn model(&self, medium: Medium) -> Result<Model, Fault> {
        Model::find(self.models, medium, Effort::MIN.level()).map_err(|e| Fault::Error(e.to_string()))
    }

    /// For each medium of which there are several models, the one that needs the fewest bits for some of the files, and those examples
    /// of theirs that it was chosen by: they must give no p-values.
    fn choose(&self, inputs: &[Input]) -> Result<BTreeMap<Medium, (Model, Contents)>, Fault> {
        let mut samples: BTreeMap<Medium, Vec<Vec<u8>>> = BTreeMap::new();
        let count = (inputs.len() / SHARE).clamp(1, TRIED.0);
        for input in inputs.iter().step_by((inputs.len() / count).max(1)).take(count) {
            // Standard input can be read once.
            let Some(Ok(file)) = input.path().map(std::fs::read) else { continue };
            let Ok(medium) = Medium::of(&file, self.reading) else { continue };
            // A single recording or text is all there is: none of it is to be had for this.
            if medium == Medium::Picture || inputs.len() >= SHARE {
                samples.entry(medium).or_default().push(file);
            }
        }
        let reading = Reading { first: Some(TRIED.1), ..self.reading };
        let mut chosen = BTreeMap::new();
        for (medium, files) in samples {
            let candidates = Model::candidates(self.models, medium, Effort::MIN.level());
            let mut candidates = candidates.map_err(|e| Fault::Error(e.to_string()))?;
            candidates.retain(|model| self.background.as_ref().is_none_or(|background| background.id() != model.id()));
            if candidates.len() < 2 {
                continue;
            }
            let mut best: Option<(f64, Model)> = None;
            let mut seen = Contents::new();
            for model in candidates {
                let of = |_: usize, example: &Example| (example.bits_per_symbol(), example.content());
                let each: Result<Vec<_>, _> = files.iter().map(|file| model.each(file, reading, of)).collect();
                // One that is for files of another kind does not take these.
                let Ok(each) = each else { continue };
                let each: Vec<(f64, [u8; 32])> = each.into_iter().flatten().collect();
                seen.extend(each.iter().map(|(_, content)| content));
                let bits = each.iter().map(|(bits, _)| bits).sum::<f64>() / each.len().max(1) as f64;
                if best.as_ref().is_none_or(|(least, _)| bits < *least) {
                    best = Some((bits, model));
                }
            }
            if let Some((bits, model)) = best {
                let text = format!("{medium}: of the models that take them, '{}' needs the fewest bits", model.name());
                report::note(self.global.quiet, format_args!("{text} ({bits:.3} bpd): chosen, -m takes another"));
                chosen.insert(medium, (model, seen));
            }
        }
        Ok(chosen)
    }

    /// What is kept of the examples in all files that can be read. The others are reported, and the worst exit
    /// is returned. A model's own training files are refused where `fresh` ones are asked for.
    pub fn summaries(&self, paths: &[PathBuf], fresh: bool) -> Result<(Normal, Exit), Fault> {
        let (inputs, worst) = inputs::gather(paths, Folders::Walk, self.global.quiet);
        let trained = fresh.then(|| Trained::new(self.models));
        let choose = fresh && !self.named && !self.adapt;
        let mut chosen = if choose { self.choose(&inputs)? } else { BTreeMap::new() };
        let adapted = match &trained {
            Some(trained) if self.adapt => Some(refit(self, self.model(Medium::Picture)?, &inputs, trained)?),
            _ => None,
        };
        let bar = Bar::new("normal files", self.global.quiet);
        bar.begin(inputs.len() as u64);
        let mut all = Normal::new();
        let mut refused: Vec<String> = Vec::new();
        let done = report::each(inputs, |input: Input| {
            bar.advance(1);
            let file = input.read(false)?;
            let about = |e: &dyn std::fmt::Display| Fault::Error(e.to_string()).about(&input.name());
            let medium = Medium::of(&file, self.reading).map_err(|e| about(&e))?;
            if let std::collections::btree_map::Entry::Vacant(entry) = all.entry(medium) {
                let (scorer, seen) = match (chosen.remove(&medium), &adapted) {
                    (Some((model, seen)), _) => (model.into(), seen),
                    (None, Some(adapted)) if medium == Medium::Picture => adapted.clone(),
                    (None, _) => (self.model(medium)?.into(), Contents::new()),
                };
                let scorer = match &self.background {
                    Some(background) => scorer.beside(background.clone()).map_err(|e| about(&e))?,
                    None => scorer,
                };
                entry.insert(Examples { scorer, summaries: Vec::new(), seen });
            }
            let Some(Examples { scorer, summaries, .. }) = all.get_mut(&medium) else { return Ok(()) };
            if trained.as_ref().is_some_and(|trained| trained.has(scorer.id(), &file)) {
                refused.push(input.name());
                return Ok(());
            }
            summaries.extend(scorer.summaries(&file, self.reading).map_err(|e| about(&e))?);
            Ok(())
        })?;
        drop(bar);
        if let Some(first) = refused.first() {
            let text = format!("{} normal files were left out, for the model was trained on them", refused.len());
            report::note(self.global.quiet, format_args!("{text} and finds others odd beside them ({first})"));
        }
        Ok((all, worst.max(done)))
    }

    /// The calibrations on normal files, one for each medium.
    pub fn calibrate(&self, paths: &[PathBuf], method: Method) -> Result<(Collection, Exit), Fault> {
        let (normal, worst) = self.summaries(paths, true)?;
        let quiet = self.global.quiet;
        let mut calibrations = Vec::new();
        let mut few = None;
        for (medium, Examples { scorer, summaries, seen }) in &normal {
            let calibration = match Calibration::new(scorer, summaries, method, seen) {
                Ok(calibration) => calibration,
                // Some stray files of another medium do no harm.
                Err(fault @ CalibrationError::TooFew { .. }) if normal.len() > 1 => {
                    report::note(quiet, format_args!("normal files: {fault}"));
                    few = Some(fault);
                    continue;
                }
                Err(fault) => return Err(Fault::Error(format!("normal files: {fault}"))),
            };
            let (examples, scores) = (calibration.examples(), calibration.scores());
            let text = format!("{medium}: calibrated with the model '{}' on {examples} examples", scorer.name());
            let how = match method {
                Method::Split => format!("{} fitted, p-values from {scores} others", examples - scores as u64),
                Method::Cross => "five fits, each on four fifths; no FDR guarantee".to_owned(),
            };
            report::note(quiet, format_args!("{text}: {how}"));
            calibrations.push(calibration);
        }
        match (calibrations.is_empty(), few) {
            (false, _) => Ok((Collection::new(calibrations), worst)),
            (true, Some(fault)) => Err(Fault::Error(format!("normal files: {fault}"))),
            (true, None) => Err(Fault::Error("no normal file could be scored".to_owned())),
        }
    }

    /// The models and judges of calibrations.
    pub fn panel(&self, collection: Collection) -> Result<Panel, Fault> {
        let one = |calibration: &Calibration| {
            let scorer = Scorer::find(self.models, calibration, self.background.as_ref());
            let scorer = scorer.map_err(|e| Fault::Error(e.to_string()))?;
            Ok((scorer, Judge::Calibrated(Box::new(calibration.clone()))))
        };
        Ok(Panel(collection.iter().map(one).collect::<Result<_, Fault>>()?))
    }

    /// Judges that compare files with one another.
    pub fn alone(&self, paths: &[PathBuf]) -> Result<(Panel, Exit), Fault> {
        let (all, worst) = self.summaries(paths, false)?;
        let judge = |Examples { scorer, summaries, .. }: Examples| {
            let fit = (summaries.len() >= MIN_FILES).then(|| Fit::new(&summaries)).flatten();
            fit.map(|fit| (scorer, Judge::Alone(Box::new(fit))))
        };
        let panel = Panel(all.into_values().filter_map(judge).collect());
        if panel.0.is_empty() {
            let text = format!("--self: fewer than {MIN_FILES} files, or all alike: there is nothing to rank them by");
            return Err(Fault::Error(text));
        }
        Ok((panel, worst))
    }
}

/// The calibrations in a file, if the only path given is one of those.
pub fn file(paths: &[PathBuf]) -> Result<Option<Collection>, Fault> {
    let [path] = paths else { return Ok(None) };
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
    if !Collection::is_file(&bytes) && path.extension().is_none_or(|e| e != "cal") {
        return Ok(None);
    }
    let collection = Collection::from_bytes(&bytes);
    collection.map(Some).map_err(|e| Fault::Error(e.to_string()).about(&path.display().to_string()))
}
