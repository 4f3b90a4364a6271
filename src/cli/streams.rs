//! Streams on their way to files, for the commands that decode.
//!
//! The kernels take one large stream after the other, and small ones side by side. A device takes as many as the limit allows
//! at once: alone, a picture keeps it waiting for its next pixel.
//!
//! What must stay true: a file that fails is reported and the others go on.

use super::bar::Bar;
use super::fault::{Exit, Fault};
use super::inputs::{Begun, FRONT, Input};
use super::options::{CodecOptions, Global};
use super::report;
use std::io::{self, Read, Write};
use surprisal::codec::long::{self, Incoming};
use surprisal::codec::sound::Restored;
use surprisal::codec::{DecodeError, Models, decompress_all};
use surprisal::container;
use surprisal::engine::DeviceName;

/// Streams that a device takes at once, at most: files and their targets are open work until all are done.
const TOGETHER: usize = 512;
/// Bytes that the files of small streams which the kernels take side by side may have together.
const ROOM: u64 = 16 << 20;

/// A stream that was decoded.
pub struct Decoded {
    /// The file, or why there is none.
    pub result: Result<Vec<u8>, DecodeError>,
    /// The stream.
    pub stream: Vec<u8>,
    /// How many streams were decoded together, and how long that took.
    pub together: usize,
    /// In seconds.
    pub seconds: f64,
}

/// A stream that is restored while it is read: of sound, or of a large picture.
pub struct Flow<'m> {
    /// Of the stream, for messages.
    pub name: String,
    incoming: Incoming,
    begun: Begun,
    models: &'m Models,
    limit: u64,
    quiet: bool,
}

impl<'m> Flow<'m> {
    /// That of the stream that begins so, or what was begun: large pictures are restored while they are read if `large`. What is wrong
    /// with a header is said when all is decoded.
    pub fn new(
        name: String,
        begun: Begun,
        models: &'m Models,
        (limit, quiet, large): (u64, bool, bool),
    ) -> Result<Self, Begun> {
        match long::incoming(&begun.head, large) {
            Ok(Some(incoming)) => Ok(Self { name, incoming, begun, models, limit, quiet }),
            Ok(None) | Err(_) => Err(begun),
        }
    }
}

impl Flow<'_> {
    /// Restores its file: what is missing in it, the bytes of the stream, and the seconds that it took. A fault does not name it.
    pub fn restore(self, out: impl Write + Send, keep_going: bool) -> Result<(Restored, u64, f64), Fault> {
        let (bar, coded) = (Bar::new(&self.name, self.quiet), self.incoming.coded());
        let chunks = {
            let mut input = self.begun.chained();
            let start = io::copy(&mut (&mut input).take(self.incoming.start() as u64), &mut io::sink());
            start.map_err(DecodeError::Read)?;
            input
        };
        let done = self.incoming.restore(chunks, out, self.models, (self.limit, keep_going), &bar);
        let seconds = bar.seconds();
        Ok((done?, coded, seconds))
    }
}

/// Calls `prepare` for each input, decodes it, and calls `finish` with its name, what was prepared, and what came out; for
/// what is restored while it is read it calls `restore` in the place of both. Large pictures are, if `large`.
pub fn each<T>(
    inputs: Vec<Input>,
    (options, global, large): (&CodecOptions, &Global, bool),
    mut prepare: impl FnMut(&Input) -> Result<T, Fault>,
    mut finish: impl FnMut(&str, T, Decoded) -> Result<(), Fault>,
    mut restore: impl FnMut(T, Flow) -> Result<(), Fault>,
) -> Result<Exit, Fault> {
    let models = options.models(global)?;
    let is_cpu = options.device.name == DeviceName::Cpu;
    let mut tally = report::Tally::default();
    let mut inputs = inputs.into_iter().peekable();
    let (mut group, mut memory) = (Vec::new(), 0);
    while let Some(input) = inputs.next() {
        let ready = prepare(&input).and_then(|prepared| Ok((prepared, input.begin(true, FRONT)?)));
        let mut opened = None;
        if let Some((prepared, begun)) = tally.take(ready)? {
            match Flow::new(input.name(), begun, &models, (options.limit(), global.quiet, large && is_cpu)) {
                Ok(flow) => {
                    // In the order of the inputs.
                    decode(std::mem::take(&mut group), &models, options, global, &mut tally, &mut finish)?;
                    memory = 0;
                    tally.take(restore(prepared, flow))?;
                }
                Err(begun) => opened = tally.take(begun.whole())?.map(|stream| (prepared, stream)),
            }
        }
        if let Some((prepared, stream)) = opened {
            // What cannot be opened takes nothing; its turn to fail comes.
            let needed = container::open(&stream).map_or(0, |opened| opened.header.memory());
            let room = if is_cpu { options.limit().min(ROOM) } else { options.limit() };
            if !group.is_empty() && memory + needed > room {
                decode(std::mem::take(&mut group), &models, options, global, &mut tally, &mut finish)?;
                memory = 0;
            }
            memory += needed.max(stream.len() as u64).min(options.limit());
            group.push((input.name(), prepared, stream));
        }
        if group.len() >= TOGETHER || inputs.peek().is_none() {
            decode(std::mem::take(&mut group), &models, options, global, &mut tally, &mut finish)?;
            memory = 0;
        }
    }
    Ok(tally.worst())
}

/// Decodes streams together.
fn decode<T>(
    group: Vec<(String, T, Vec<u8>)>,
    models: &Models,
    options: &CodecOptions,
    global: &Global,
    tally: &mut report::Tally,
    finish: &mut impl FnMut(&str, T, Decoded) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some((first, ..)) = group.first() else { return Ok(()) };
    let (together, bar) = (group.len(), Bar::of_many(first, group.len(), global.quiet));
    let streams: Vec<&[u8]> = group.iter().map(|(.., stream)| &stream[..]).collect();
    let results = decompress_all(&streams, models, options.limit(), &bar);
    let seconds = bar.seconds();
    drop(bar);
    for ((name, prepared, stream), result) in group.into_iter().zip(results) {
        let decoded = Decoded { result, stream, together, seconds };
        tally.take(finish(&name, prepared, decoded))?;
    }
    Ok(())
}
