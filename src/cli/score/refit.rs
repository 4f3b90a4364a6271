//! `--adapt`: the network that scores normal pictures is fitted to some of those that give no p-values.

use super::normal::Source;
use super::trained::Trained;
use crate::cli::bar::Bar;
use crate::cli::fault::Fault;
use crate::cli::inputs::Input;
use crate::cli::report;
use surprisal::codec::Progress;
use surprisal::score::{Contents, Medium, Model, Refit, Scorer};

/// The model fitted to the pictures in files, and the contents of those that it was fitted to. Files that cannot be read are passed over:
/// whoever scores them reports them.
pub fn refit(source: &Source, model: Model, inputs: &[Input], trained: &Trained) -> Result<(Scorer, Contents), Fault> {
    let fault = |e: &dyn std::fmt::Display| Fault::Error(e.to_string());
    let mut refit = Refit::new(&model).map_err(|e| fault(&e))?;
    if inputs.iter().any(|input| input.path().is_none()) {
        return Err(Fault::Error("--adapt reads normal files twice, and standard input can be read once".to_owned()));
    }
    let bar = Bar::new("fitting the model", source.global.quiet);
    bar.begin(2 * inputs.len() as u64);
    let each = |then: &mut dyn FnMut(&[u8])| -> Result<(), Fault> {
        for input in inputs {
            bar.advance(1);
            let Ok(file) = input.read(false) else { continue };
            match Medium::of(&file, source.reading) {
                Ok(Medium::Picture) if !trained.has(model.id(), &file) => then(&file),
                Ok(Medium::Picture) | Err(_) => {}
                Ok(other) => drop(Refit::new(&source.model(other)?).map_err(|e| fault(&e).about(&input.name()))?),
            }
        }
        Ok(())
    };
    each(&mut |file| drop(refit.count(file, source.reading)))?;
    let seen = refit.seen();
    each(&mut |file| drop(refit.take(file, source.reading, &seen)))?;
    drop(bar);
    let (count, code) = refit.fit(&model).map_err(|e| fault(&e))?;
    let name = model.name().to_owned();
    let scorer = Scorer::from(model);
    let (scorer, text) = match code {
        None => (scorer, format!("fitting '{name}' to {count} of them saves no bits: it is taken as it is")),
        Some(code) => {
            let text = format!("'{name}' was fitted to {count} of them, its biases moved by {} bytes", code.len());
            (scorer.fitted(code).map_err(|e| fault(&e))?, text)
        }
    };
    report::note(source.global.quiet, format_args!("{}: {text}", scorer.medium()));
    Ok((scorer, seen))
}
