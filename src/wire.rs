//! Canonical bytes: the little-endian, variable-length integers in which programs, recipes and streams are written.
//!
//! What must stay true: a value has exactly one encoding, and a reader refuses every other one, so equal bytes and equal
//! values are the same thing (a [`ModelId`](crate::engine::ModelId) hashes bytes). A reader never allocates more than the
//! bytes that it was given could justify.

use thiserror::Error;

/// Why bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes end before the value does.
    #[error("the bytes end too early")]
    Truncated,
    /// A value is written in a form that the writer never produces.
    #[error("a number is not in its shortest form")]
    NotCanonical,
    /// A value lies outside the range that its field allows.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// Bytes are left over.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
}

/// Appends values to a byte vector.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A writer without bytes.
    pub fn new() -> Self {
        Self::default()
    }
    /// One byte.
    pub fn u8(&mut self, v: u8) {
        self.bytes.push(v);
    }
    /// Unsigned LEB128: seven bits a byte, lowest first, shortest form.
    pub fn uint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.bytes.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.bytes.push(v as u8);
    }
    /// Signed: zigzag, then as [`uint`](Self::uint).
    pub fn int(&mut self, v: i64) {
        self.uint(((v << 1) ^ (v >> 63)) as u64);
    }
    /// Four bytes, little-endian.
    pub fn u32_le(&mut self, v: u32) {
        self.raw(&v.to_le_bytes());
    }
    /// Bytes as they are, without a length.
    pub fn raw(&mut self, v: &[u8]) {
        self.bytes.extend_from_slice(v);
    }
    /// A length, then the bytes.
    pub fn blob(&mut self, v: &[u8]) {
        self.uint(v.len() as u64);
        self.raw(v);
    }
    /// A length, then UTF-8.
    pub fn text(&mut self, v: &str) {
        self.blob(v.as_bytes());
    }
    /// How many bytes were written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }
    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }
    /// The next `n` bytes.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        if n > self.bytes.len() {
            return Err(WireError::Truncated);
        }
        let (head, tail) = self.bytes.split_at(n);
        self.bytes = tail;
        Ok(head)
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.raw(1)?[0])
    }
    /// Unsigned LEB128 in its shortest form.
    pub fn uint(&mut self) -> Result<u64, WireError> {
        let mut v = 0u64;
        for i in 0..10 {
            let b = self.u8()?;
            if i == 9 && b > 1 {
                return Err(WireError::NotCanonical);
            }
            v |= u64::from(b & 0x7f) << (7 * i);
            if b & 0x80 == 0 {
                return if b == 0 && i > 0 { Err(WireError::NotCanonical) } else { Ok(v) };
            }
        }
        Err(WireError::NotCanonical)
    }
    /// An unsigned value of at most `max`; `what` names it in the error.
    pub fn at_most(&mut self, max: u64, what: &'static str) -> Result<u64, WireError> {
        match self.uint()? {
            v if v <= max => Ok(v),
            _ => Err(WireError::OutOfRange(what)),
        }
    }
    /// A count of things that take at least `unit` bytes each, so that it can be trusted for an allocation.
    pub fn count(&mut self, unit: usize, what: &'static str) -> Result<usize, WireError> {
        let max = self.bytes.len() / unit.max(1);
        Ok(self.at_most(max as u64, what)? as usize)
    }
    /// Signed: zigzag.
    pub fn int(&mut self) -> Result<i64, WireError> {
        let v = self.uint()?;
        Ok((v >> 1) as i64 ^ -((v & 1) as i64))
    }
    /// Four bytes, little-endian.
    pub fn u32_le(&mut self) -> Result<u32, WireError> {
        let mut b = [0; 4];
        b.copy_from_slice(self.raw(4)?);
        Ok(u32::from_le_bytes(b))
    }
    /// A length, then that many bytes.
    pub fn blob(&mut self) -> Result<&'a [u8], WireError> {
        let n = self.count(1, "a length")?;
        self.raw(n)
    }
    /// A length, then UTF-8.
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.blob()?).map_err(|_| WireError::OutOfRange("a text that is not UTF-8"))
    }
    /// Refuses bytes that are left over.
    pub fn end(&self) -> Result<(), WireError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.bytes.len())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_round_trip(u: u64, i: i64, s in ".{0,40}") {
            let mut w = Writer::new();
            w.uint(u);
            w.int(i);
            w.text(&s);
            let bytes = w.finish();
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(r.uint(), Ok(u));
            prop_assert_eq!(r.int(), Ok(i));
            prop_assert_eq!(r.text(), Ok(s.as_str()));
            prop_assert_eq!(r.end(), Ok(()));
        }

        #[test]
        fn what_is_read_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut r = Reader::new(&bytes);
            if let Ok(v) = r.uint() {
                let mut w = Writer::new();
                w.uint(v);
                prop_assert_eq!(&bytes[..bytes.len() - r.remaining()], &w.finish()[..]);
            }
        }
    }

    #[test]
    fn a_count_is_bounded_by_what_is_left() {
        let mut w = Writer::new();
        w.uint(1 << 40);
        let bytes = w.finish();
        assert_eq!(Reader::new(&bytes).count(1, "a count"), Err(WireError::OutOfRange("a count")));
    }
}
