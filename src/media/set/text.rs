//! Texts: bytes to the symbols of a network's alphabet.
//!
//! What must stay true: a byte that the network does not know becomes the last symbol of the alphabet and stands, as it is, in
//! a list beside the symbols; nothing else is in that list.

use crate::media::{MediaError, Sink, emit};

/// Symbols of a text, and the bytes that the escape symbol stands for, in order.
pub fn read(file: &[u8], characters: &[u8]) -> (Vec<u16>, Vec<u8>) {
    let escape = characters.len() as u16;
    let mut symbol = [escape; 256];
    for (i, c) in characters.iter().enumerate() {
        symbol[usize::from(*c)] = i as u16;
    }
    let symbols = file.iter().map(|b| symbol[usize::from(*b)]).collect();
    let others = file.iter().filter(|b| symbol[usize::from(**b)] == escape).copied().collect();
    (symbols, others)
}

/// The text of some symbols.
pub fn join(others: &[u8], symbols: &[u16], characters: &[u8], sink: &mut Sink<'_>) -> Result<(), MediaError> {
    const PIECE: usize = 1 << 16;
    let mut others = others.iter();
    let mut bytes = Vec::with_capacity(PIECE.min(symbols.len()));
    for piece in symbols.chunks(PIECE) {
        bytes.clear();
        for symbol in piece {
            let known = characters.get(usize::from(*symbol));
            let byte = known.or_else(|| others.next()).ok_or(MediaError::Inconsistent("a text lacks bytes"))?;
            bytes.push(*byte);
        }
        emit(sink, &bytes)?;
    }
    match others.next() {
        None => Ok(()),
        Some(_) => Err(MediaError::Inconsistent("a text has bytes left over")),
    }
}
