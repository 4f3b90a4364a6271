//! The files of a training: one name, an ending for each.

use super::super::fault::Fault;
use super::super::target::Target;
use super::super::{output, report};
use super::watch;
use std::path::{Path, PathBuf};
use surprisal::train::card::{self, Card, Data};
use surprisal::train::checkpoint::Checkpoint;
use surprisal::train::csv::{self, Point};
use surprisal::train::data::{self, Corpus};
use surprisal::train::finish::Finished;
use surprisal::train::{TrainError, beside, plot};

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

    /// Where the pictures drawn after so many passes over the examples go.
    pub fn drawn(&self, epoch: u64) -> PathBuf {
        self.model.with_file_name(format!("{}.epoch-{epoch}.png", self.name))
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
        trained: &Checkpoint,
        about: About,
        examples: &[data::File],
    ) -> Result<(), Fault> {
        let put = |path: &Path, bytes: &[u8]| output::write(&Target::File(path.to_owned()), bytes, None, true, true);
        put(&self.weights, &finished.weights)?;
        put(&self.model, &finished.program.to_bytes())?;
        put(&self.list, card::files(examples).as_bytes())?;
        put(&self.card, self.describe(finished, trained, about).markdown().as_bytes())
    }

    /// The model's card.
    fn describe(&self, finished: &Finished, trained: &Checkpoint, about: About) -> Card {
        let (plan, program) = (&trained.plan, &finished.program);
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Card {
            name: self.name.clone(),
            id: program.id().to_string(),
            family: plan.family.clone(),
            config: about.config,
            parameters: trained.vectors[0].len() as u64,
            macs: program.macs(),
            data: about.data,
            command: plan.command.clone(),
            seed: plan.seed,
            steps: plan.schedule.total,
            batch: plan.batch.into(),
            unit: about.unit,
            lr: plan.schedule.rate,
            seconds: trained.seconds,
            device: plan.device.clone(),
            threads: plan.threads as usize,
            precision: plan.precision.to_string(),
            validation: trained.history.iter().rev().find_map(|p| p.validation),
            symbols: about.symbols,
            quantized: finished.steps.clone(),
            weights: name(&self.weights),
            list: name(&self.list),
        }
    }

    /// Says what came out.
    pub fn summary(&self, finished: &Finished, trained: &Checkpoint, symbols: Option<u64>) -> Result<(), Fault> {
        let program = &finished.program;
        report::line(format_args!(
            "{}: {} {}, {} bytes",
            self.model.display(),
            program.name(),
            program.id(),
            program.to_bytes().len()
        ))?;
        if let Some(bits) = trained.history.iter().rev().find_map(|p| p.validation) {
            let nats = bits * std::f64::consts::LN_2;
            let more = symbols.map(|n| format!(" ({:.2} nats an example, {nats:.4} a symbol)", nats * n as f64));
            let more = more.unwrap_or_default();
            report::line(format_args!("bits per dimension on what was held out: {bits:.4}{more}"))?;
        }
        if let (Some((_, float)), Some((_, paid))) = (finished.steps.first(), finished.steps.last()) {
            let more = (paid / float - 1.0) * 100.0;
            report::line(format_args!(
                "bits per dimension on training examples: {float:.4} in floating point, {paid:.4} in integers ({more:+.3} %)"
            ))?;
        }
        Ok(())
    }
}

/// What a family says of its training for the card.
pub struct About {
    /// Its sizes in words.
    pub config: String,
    /// What it was trained on.
    pub data: Data,
    /// What an example is, in the plural.
    pub unit: String,
    /// Symbols of an example, where examples are of one size.
    pub symbols: Option<u64>,
}
