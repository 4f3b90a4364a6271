//! The table of bit histories: a hashed context finds the 15 histories of its next nibble in one cache line.
//!
//! A line of 64 bytes holds four slots: four check bytes, then 15 states each, one for each node of a nibble's binary tree.
//! What must stay true: what a lookup finds depends on the hashes and bits before it alone, not on addresses.

use super::history::WORTH;

/// Slots in a line.
const WAYS: usize = 4;
/// Nodes of a nibble's tree.
const NODES: usize = 15;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u8; 64]);

/// The histories of one nibble in one context, taken out of the table while they are in use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slot {
    line: u32,
    way: u8,
    /// States by node: 1 is the first bit's, `2n + bit` follows `n`.
    pub states: [u8; 16],
}

/// The table.
pub struct Slots {
    lines: Vec<Line>,
}

impl Slots {
    /// A table of `lines` (a power of two, at least 32) lines.
    pub fn new(lines: usize) -> Self {
        debug_assert!(lines.is_power_of_two() && lines >= 32);
        Self { lines: vec![Line([0; 64]); lines] }
    }
    /// Starts to fetch the lines of some hashes, all at once instead of one after the other.
    #[inline(always)]
    pub fn touch(&self, hashes: &[u32]) {
        let mask = self.lines.len() - 1;
        let sum = hashes.iter().fold(0u8, |sum, &hash| {
            sum ^ self.lines[hash as usize & mask].0[0] ^ self.lines[(hash as usize & mask) ^ 1].0[0]
        });
        std::hint::black_box(sum);
    }
    /// Takes out the slot of a hash: its low bits choose the line, its high byte is the check.
    #[inline(always)]
    pub fn take(&mut self, hash: u32, slot: &mut Slot) {
        let number = hash as usize & (self.lines.len() - 1);
        let line = &mut self.lines[number].0;
        let check = (hash >> 24) as u8;
        // Zero bytes of the exclusive or are ways that match; the lowest one counts.
        let differ = u32::from_le_bytes([line[0], line[1], line[2], line[3]]) ^ (u32::from(check) * 0x0101_0101);
        let zero = differ.wrapping_sub(0x0101_0101) & !differ & 0x8080_8080;
        let way = match zero {
            1.. => zero.trailing_zeros() as usize >> 3,
            0 => {
                let worth: [u8; WAYS] = std::array::from_fn(|way| WORTH[line[WAYS + way * NODES] as usize]);
                let mut least = 0;
                for way in 1..WAYS {
                    if worth[way] < worth[least] {
                        least = way;
                    }
                }
                line[least] = check;
                line[WAYS + least * NODES..][..NODES].fill(0);
                least
            }
        };
        slot.line = number as u32;
        slot.way = way as u8;
        slot.states[1..].copy_from_slice(&line[WAYS + way * NODES..][..NODES]);
    }
    /// Puts a slot back.
    #[inline(always)]
    pub fn put(&mut self, slot: &Slot) {
        let number = slot.line as usize & (self.lines.len() - 1);
        let way = slot.way as usize & (WAYS - 1);
        self.lines[number].0[WAYS + way * NODES..][..NODES].copy_from_slice(&slot.states[1..]);
    }
}
