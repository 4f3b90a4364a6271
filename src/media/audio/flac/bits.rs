//! Bits, highest first, and the check values of FLAC frames.
//!
//! What must stay true: a reader never goes beyond its bytes, and a writer never makes more than [`LONGEST`].

/// Most bytes of a frame: what the header of a file can say (RFC 9639, section 8.2).
pub const LONGEST: usize = 1 << 24;

/// Reads bits.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next 57 bits or more, the first in the highest; zeros beyond the end.
    fn ahead(&self) -> u64 {
        let rest = &self.bytes[(self.at / 8).min(self.bytes.len())..];
        let word = match rest.first_chunk::<8>() {
            Some(word) => *word,
            None => {
                let mut word = [0; 8];
                word[..rest.len()].copy_from_slice(rest);
                word
            }
        };
        u64::from_be_bytes(word) << (self.at % 8)
    }

    fn skip(&mut self, bits: usize) -> Option<()> {
        self.at += bits;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// The next bits, 0 to 56 of them.
    pub fn take(&mut self, bits: u32) -> Option<u64> {
        let value = if bits == 0 { 0 } else { self.ahead() >> (64 - bits) };
        self.skip(bits as usize).map(|()| value)
    }

    /// As [`take`](Self::take), in two's complement.
    pub fn signed(&mut self, bits: u32) -> Option<i64> {
        let value = self.take(bits)? as i64;
        Some(if bits == 0 { 0 } else { value << (64 - bits) >> (64 - bits) })
    }

    /// How many zeros stand before the next one, which is taken, too.
    pub fn unary(&mut self) -> Option<u64> {
        let mut zeros = 0;
        loop {
            let here = self.ahead().leading_zeros().min(56);
            zeros += u64::from(here);
            self.skip(here as usize)?;
            if here < 56 {
                return self.skip(1).map(|()| zeros);
            }
        }
    }

    /// Goes on to a whole byte: how many were read.
    pub fn align(&mut self) -> usize {
        self.at = self.at.next_multiple_of(8);
        self.at / 8
    }
}

/// Writes bits.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    held: u64,
    /// Bits of `held` that are not yet bytes: fewer than 8 between calls.
    count: u32,
}

/// What was to be written is longer than frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Writer {
    /// The lowest bits of a value, 0 to 56 of them.
    pub fn put(&mut self, value: u64, bits: u32) {
        debug_assert!(bits <= 56);
        self.held = self.held << bits | (value & ((1 << bits) - 1));
        self.count += bits;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.held >> self.count) as u8);
        }
    }

    /// So many zeros and a one.
    pub fn unary(&mut self, mut zeros: u64) -> Result<(), TooLong> {
        if zeros > 8 * LONGEST as u64 || self.bytes.len() > LONGEST {
            return Err(TooLong);
        }
        while zeros >= 32 {
            self.put(0, 32);
            zeros -= 32;
        }
        self.put(1, zeros as u32 + 1);
        Ok(())
    }

    /// Zeros up to a whole byte.
    pub fn align(&mut self) {
        self.put(0, (8 - self.count % 8) % 8);
    }

    /// Whole bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes, with zeros up to a whole one.
    pub fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

/// What one byte adds to a check value of `bits` bits, of which `polynomial` has the lower ones.
const fn table(bits: u32, polynomial: u16) -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << (bits - 8);
        let mut i = 0;
        while i < 8 {
            crc = if crc >> (bits - 1) & 1 == 1 { crc << 1 ^ polynomial } else { crc << 1 };
            i += 1;
        }
        table[byte] = if bits == 8 { crc & 255 } else { crc };
        byte += 1;
    }
    table
}

static CRC8: [u16; 256] = table(8, 0x07);
static CRC16: [u16; 256] = table(16, 0x8005);

/// The check value of a frame's header.
pub fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc: u8, byte| CRC8[usize::from(crc ^ byte)] as u8)
}

/// The check value of a frame.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| crc << 8 ^ CRC16[usize::from((crc >> 8) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(values in prop::collection::vec((any::<u64>(), 0u32..57), 0..50)) {
            let mut writer = Writer::default();
            for (value, bits) in &values {
                writer.put(*value, *bits);
                writer.unary(value % 200).unwrap();
            }
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes);
            for (value, bits) in &values {
                let mut again = reader.clone();
                let lowest = value & ((1 << bits) - 1);
                prop_assert_eq!(reader.take(*bits), Some(lowest));
                prop_assert_eq!(again.signed(*bits).map(|v| v as u64 & ((1 << bits) - 1)), Some(lowest));
                prop_assert_eq!(reader.unary(), Some(value % 200));
            }
            prop_assert_eq!(reader.align(), bytes.len());
            prop_assert_eq!(reader.take(1), None);
            prop_assert_eq!(Reader::new(&[0; 30]).unary(), None);
        }
    }

    #[test]
    fn check_values_are_those_of_their_polynomials() {
        assert_eq!(crc8(b"123456789"), 0xf4);
        assert_eq!(crc16(b"123456789"), 0xfee8);
        assert_eq!(Writer::default().unary(u64::MAX), Err(TooLong));
    }
}
