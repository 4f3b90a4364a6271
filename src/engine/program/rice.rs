//! Weights as bits: small ones take few (Rice 1979).
//!
//! A row begins with 4 bits k. Each value v follows as `u = 2 v` or `-2 v - 1`, whichever is not negative: `u >> k` ones, a
//! zero, and the lowest k bits of u. The k of a row is the smallest that makes it shortest. Zeros fill the last byte.
//!
//! What must stay true: nothing is allocated that the bytes could not justify; who reads checks that the writer would have
//! written the same.

use crate::wire::WireError;

/// Rows to bytes.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    /// Bits of the last byte that are free.
    free: u32,
}

fn unsigned(v: i16) -> u32 {
    ((i32::from(v) << 1) ^ (i32::from(v) >> 31)) as u32
}

impl Packer {
    fn bit(&mut self, bit: u32) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let Some(last) = self.bytes.last_mut() {
            *last |= (bit as u8) << self.free;
        }
    }

    fn bits(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|i| self.bit(value >> i & 1));
    }

    /// A row.
    pub fn row(&mut self, values: &[i16]) {
        let length = |k: u32| values.iter().map(|v| u64::from((unsigned(*v) >> k) + k)).sum::<u64>();
        let k = (0..16).min_by_key(|k| length(*k)).unwrap_or(0);
        self.bits(k, 4);
        for v in values {
            let u = unsigned(*v);
            (0..u >> k).for_each(|_| self.bit(1));
            self.bit(0);
            self.bits(u, k);
        }
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes to rows.
#[derive(Debug)]
pub(super) struct Unpacker<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Unpacker<'b> {
    /// At the first row.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Result<u32, WireError> {
        let byte = self.bytes.get(self.at / 8).ok_or(WireError::Truncated)?;
        self.at += 1;
        Ok(u32::from(byte >> (7 - (self.at - 1) % 8)) & 1)
    }

    fn bits(&mut self, count: u32) -> Result<u32, WireError> {
        (0..count).try_fold(0, |value, _| Ok(value << 1 | self.bit()?))
    }

    /// The next row, of `count` values, which are appended.
    pub fn row(&mut self, count: usize, values: &mut Vec<i16>) -> Result<(), WireError> {
        let k = self.bits(4)?;
        // A value takes a bit at least.
        if count > 8 * self.bytes.len() {
            return Err(WireError::Truncated);
        }
        for _ in 0..count {
            let mut ones = 0;
            while self.bit()? == 1 {
                ones += 1;
            }
            let u = u16::try_from(u64::from(ones as u32) << k | u64::from(self.bits(k)?));
            let u = i32::from(u.map_err(|_| WireError::OutOfRange("a weight"))?);
            values.push(((u >> 1) ^ -(u & 1)) as i16);
        }
        Ok(())
    }

    /// Refuses whole bytes that are left over.
    pub fn end(&self) -> Result<(), WireError> {
        let left = self.bytes.len() - self.at.div_ceil(8);
        if left == 0 { Ok(()) } else { Err(WireError::Trailing(left)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back(rows in prop::collection::vec((prop::collection::vec(any::<i16>(), 0..40), 0u32..16), 0..6)) {
            let rows: Vec<Vec<i16>> =
                rows.into_iter().map(|(row, drop)| row.into_iter().map(|v| v >> drop).collect()).collect();
            let mut packer = Packer::default();
            rows.iter().for_each(|row| packer.row(row));
            let bytes = packer.finish();
            let mut unpacker = Unpacker::new(&bytes);
            for row in &rows {
                let mut back = vec![];
                unpacker.row(row.len(), &mut back).unwrap();
                prop_assert_eq!(&back, row);
            }
            prop_assert_eq!(unpacker.end(), Ok(()));
            let plain: usize = rows.iter().map(|row| 2 * row.len() + 1 + row.len() / 4).sum();
            prop_assert!(bytes.len() <= plain + 1);
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), count in 0usize..1000) {
            let mut unpacker = Unpacker::new(&bytes);
            while unpacker.row(count, &mut vec![]).is_ok() && count > 0 {}
        }
    }
}
