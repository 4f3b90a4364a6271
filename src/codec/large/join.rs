//! PNG files, put together from rows as they are decoded.
//!
//! What must stay true: at most two pieces of rows wait, so memory does not grow with the picture; the first fault that is not the
//! other's is what is said.

use super::super::error::DecodeError;
use super::super::long::Sink;
use crate::media::Limits;
use crate::media::image::png;
use std::io::Write;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Takes the next piece of a picture's rows.
pub(super) type Take<'t> = dyn FnMut(Vec<u8>) -> Result<(), DecodeError> + Send + 't;

/// Writes the file of a recipe and of the rows that `decode` hands over: deflated by another thread than those that decode.
pub(super) fn png<W: Write + Send>(
    recipe: &[u8],
    shape: (u32, u32, u8),
    limit: u64,
    sink: &mut Sink<W>,
    decode: impl FnOnce(&mut Take) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let (rows, pieces) = sync_channel::<Vec<u8>>(1);
    let join = move || {
        let mut fault = None;
        let mut write = |bytes: &[u8]| match sink.write(bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        };
        let limits = Limits { max_bytes: limit };
        let done = png::join_pieces(recipe, shape, &limits, pieces.into_iter(), &mut write);
        fault.map_or(done.map_err(DecodeError::Join), Err)
    };
    thread::scope(|scope| {
        let joining = thread::Builder::new().spawn_scoped(scope, join).map_err(DecodeError::Write)?;
        let mut is_gone = false;
        let mut hand = |piece| {
            is_gone = rows.send(piece).is_err();
            if is_gone { Err(DecodeError::Inconsistent("the file ends before its rows")) } else { Ok(()) }
        };
        let decoded = decode(&mut hand);
        drop(rows);
        let joined = joining.join().unwrap_or_else(|panic| resume_unwind(panic));
        if is_gone { joined.and(decoded) } else { decoded.and(joined) }
    })
}
