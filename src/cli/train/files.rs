//! The files of a training: one name, an ending for each.

use super::super::fault::Fault;
use super::super::target::Target;
use super::super::{output, report};
use super::watch;
use std::path::{Path, PathBuf};
use surprisal::train::card::{self, Card};
use surprisal::train::checkpoint::Checkpoint;
use surprisal::train::csv::{self, Point};
use surprisal::train::data::Corpus;
use surprisal::train::finish::Finished;
use surprisal::train::{TrainError, beside, plot};
use surprisal::zoo::window;

/// Where everything goes.
pub struct Files {
    /// The model's name: that of its file.
    pub name: String,
    /// The model.
    pub model: PathBuf,
    /// Its weights in floating point.
    pub weights: PathBuf,
    /// Its card.
    pub card: PathBuf,
    /// Training and validation, as a table.
    pub csv: PathBuf,
    /// The same, drawn.
    pub plot: PathBuf,
    /// To go on from.
    pub checkpoint: PathBuf,
    /// The files that were trained on.
    pub list: PathBuf,
    /// The pictures, decoded.
    pub pack: PathBuf,
}

impl Files {
    /// Beside the model's file.
    pub fn new(model: &Path) -> Result<Self, Fault> {
        let name = model.file_stem().map(|s| s.to_string_lossy().into_owned()).filter(|s| !s.is_empty());
        let name = name.ok_or_else(|| Fault::Error(format!("{}: is no name for a model", model.display())))?;
        if model.extension().is_none_or(|e| e != "srm") {
            return Err(Fault::Error(format!("{}: a model's file ends in .srm", model.display())));
        }
        let with = |ending| model.with_extension(ending);
        Ok(Self {
            name,
            model: model.to_owned(),
            weights: with("safetensors"),
            card: with("md"),
            csv: with("csv"),
            plot: with("svg"),
            checkpoint: with("ckpt"),
            list: with("files.txt"),
            pack: with("pack"),
        })
    }

    /// Fails before any work is done if something would be overwritten. A resumed training goes on with its own files.
    pub fn check(&self, force: bool, resumed: bool) -> Result<(), Fault> {
        for path in [&self.model, &self.weights, &self.card, &self.list] {
            output::check(&Target::File(path.clone()), None, force)?;
        }
        for path in [&self.csv, &self.plot, &self.checkpoint] {
            if !force && !resumed && path.exists() {
                let text = "exists already: go on from it with --resume, overwrite it with -f, or choose another name";
                return Err(Fault::Error(format!("{}: {text}", path.display())));
            }
        }
        Ok(())
    }

    /// The pictures, packed.
    pub fn corpus(&self, folders: &[PathBuf], quiet: bool) -> Result<Corpus, Fault> {
        let bar = watch::bar(0, "reading pictures {bar:20} {pos} of {len}, {eta} left", quiet);
        let corpus = Corpus::open(folders, &self.pack, &|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let corpus = corpus.map_err(|e| Fault::Error(e.to_string()))?;
        corpus.warnings().iter().for_each(|text| report::note(quiet, text));
        Ok(corpus)
    }

    /// Writes table and plot.
    pub fn figures(&self, history: &[Point]) -> Result<(), TrainError> {
        let write = |path: &Path, text: &str| {
            beside::write_text(path, text).map_err(|error| TrainError::Write { path: path.to_owned(), error })
        };
        write(&self.csv, &csv::text(history))?;
        // A plot needs two points; that it cannot be drawn is no reason to end a training.
        if let Ok(drawing) = plot::svg(history) {
            write(&self.plot, &drawing)?;
        }
        Ok(())
    }

    /// Writes what the training leads to; that nothing is overwritten was checked before it.
    pub fn write(
        &self,
        finished: &Finished,
        config: &window::Config,
        trained: &Checkpoint,
        corpus: &Corpus,
    ) -> Result<(), Fault> {
        let put = |path: &Path, bytes: &[u8]| output::write(&Target::File(path.to_owned()), bytes, None, true, true);
        put(&self.weights, &finished.weights)?;
        put(&self.model, &finished.program.to_bytes())?;
        put(&self.list, card::files(corpus.files()).as_bytes())?;
        put(&self.card, self.describe(finished, config, trained, corpus).markdown().as_bytes())
    }

    /// The model's card.
    fn describe(&self, finished: &Finished, config: &window::Config, trained: &Checkpoint, corpus: &Corpus) -> Card {
        let (plan, program) = (&trained.plan, &finished.program);
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let window::Config { radius, first, width, blocks, head, components } = *config;
        Card {
            name: self.name.clone(),
            id: program.id().to_string(),
            family: plan.family.clone(),
            config: format!(
                "radius {radius}, {first} -> {width}, {blocks} residual blocks, heads of {head}, {components} logistics"
            ),
            parameters: trained.vectors[0].len() as u64,
            macs: program.macs(),
            data: corpus.into(),
            command: plan.command.clone(),
            seed: plan.seed,
            steps: plan.schedule.total,
            batch: plan.batch.into(),
            lr: plan.schedule.rate,
            seconds: trained.seconds,
            device: plan.device.clone(),
            threads: plan.threads as usize,
            precision: plan.precision.to_string(),
            validation: trained.history.iter().rev().find_map(|p| p.validation),
            quantized: Some(finished.report),
            weights: name(&self.weights),
            list: name(&self.list),
        }
    }
}
