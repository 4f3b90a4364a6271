//! A file on its way to a stream, in memory or coded while it is read.
//!
//! What must stay true: a file that changes meanwhile is an error.

use super::bar::Bar;
use super::fault::Fault;
use super::inputs::{self, Begun, HEAD, Input};
use super::output::{self, Stamp};
use super::target::Target;
use std::fs::File;
use std::io::{self, Write};
use surprisal::codec::long::{self, Again, Long};
use surprisal::codec::sets::{self, Labels};
use surprisal::codec::{self, Compressed, Models, Options, Summary};
use surprisal::engine::GridNetwork;
use surprisal::media::audio::flac;

/// How files are coded.
pub struct Coder<'a> {
    /// Those of pictures and sound.
    pub models: &'a Models,
    /// What was asked for.
    pub options: &'a Options,
    /// The model of a set, and the classes of its examples.
    pub set: Option<(&'a GridNetwork, Labels<'a>)>,
    /// Of FLAC files only the samples are kept.
    pub samples: bool,
}

/// A stream, in memory or to be put together.
pub enum Coded {
    /// In memory.
    Whole(Compressed),
    /// Its chunks lie aside.
    Long(Box<Long<File>>),
}

impl Coder<'_> {
    /// Codes an input, which was as `stamp` says. What is kept aside lies where `target` will.
    pub fn code(&self, input: &Input, stamp: Option<Stamp>, target: &Target, bar: &Bar) -> Result<Coded, Fault> {
        let about = |fault: Fault| fault.about(&input.name());
        // Sets are not cut.
        if self.set.is_some() || !self.samples && stamp.is_some_and(|stamp| stamp.length() < HEAD) {
            let file = input.read(false)?;
            if self.set.is_some() || !long::may_be_large(&file) {
                return self.whole(&file, bar).map_err(about);
            }
        }
        let mut begun = input.begin(false, HEAD)?;
        let unpacked = self.samples && flac::is_flac(&begun.head);
        if unpacked {
            let wave = flac::Unpacked::new(begun.chained()).map_err(|e| about(Fault::Error(e.to_string())))?;
            begun = Begun::new(Box::new(wave), input.name(), None, HEAD)?;
        }
        let (how, length, mut again) = ((self.models, self.options), begun.length, begun.again()?);
        let found = begun.find(again.as_mut(), how, bar)?;
        let mut done = match found {
            None => self.whole(&begun.whole()?, bar).map_err(about)?,
            Some(found) => {
                let aside = output::aside(target)?;
                let again = again.as_mut().map(|file| file as &mut dyn Again);
                let long = long::compress(begun.chained(), (length, again), &found, aside, how, bar);
                if stamp.is_some() && stamp != input.path().and_then(Stamp::of) {
                    return Err(inputs::changed(&input.name()));
                }
                Coded::Long(Box::new(long.map_err(|e| about(e.into()))?))
            }
        };
        if unpacked {
            let summary = done.summary();
            (summary.exact, summary.length) = (false, stamp.map_or(summary.length, Stamp::length));
            let note = "the samples are kept, and the FLAC file is not: decompress gives a WAV file";
            summary.notes.push(note.to_owned());
        }
        Ok(done)
    }

    /// Codes the bytes of a file.
    fn whole(&self, file: &[u8], bar: &Bar) -> Result<Coded, Fault> {
        let done = match self.set {
            Some((network, labels)) => sets::compress(file, network, labels, self.options, bar)?,
            None => codec::compress(file, self.models, self.options, bar)?,
        };
        Ok(Coded::Whole(done))
    }
}

impl Coded {
    /// Its figures.
    pub fn summary(&mut self) -> &mut Summary {
        match self {
            Self::Whole(done) => &mut done.summary,
            Self::Long(long) => &mut long.summary,
        }
    }

    /// Writes it: how many bytes it has.
    pub fn write(self, out: &mut (dyn Write + Send)) -> io::Result<u64> {
        match self {
            Self::Whole(done) => out.write_all(&done.bytes).map(|()| done.bytes.len() as u64),
            Self::Long(long) => long.write(out),
        }
    }
}
