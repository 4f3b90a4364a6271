//! The packed pictures, mapped into memory: the operating system reads what is used and drops it when memory is short.
//!
//! What must stay true: only a file that this program packed is mapped, and it is only read. A pack is replaced by renaming,
//! which leaves the mapped file as it was; a program that shortens the file in place would end the training.

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::Deref;

/// Bytes of a file.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps a whole file, which is not empty.
    ///
    /// # Errors
    /// Those of the operating system.
    #[allow(unsafe_code)]
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the bytes may only change if another process writes into the file; see above.
        unsafe { Mmap::map(file) }.map(Self)
    }
}

impl Deref for Map {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}
