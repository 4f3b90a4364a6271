//! Bit histories in one byte: how often a context was followed by 0 and by 1, and which came last.
//!
//! A history keeps what is recent: a bit shrinks the count of its opposite. What must stay true: state 0 is "never seen",
//! every transition leads to a state of the table, and at most 256 states exist.

/// Largest count of the more frequent bit, by the count of the less frequent one.
const BOUND: [u8; 7] = [44, 24, 10, 7, 6, 6, 6];

const fn allowed(zeros: u8, ones: u8) -> bool {
    let (few, many) = if zeros < ones { (zeros, ones) } else { (ones, zeros) };
    few < 7 && many <= BOUND[few as usize]
}

/// A history: counts of zeros and ones, and the last bit where both have occurred.
#[derive(Clone, Copy)]
struct History {
    zeros: u8,
    ones: u8,
    last: u8,
}

struct States {
    all: [History; 256],
    count: usize,
}

const STATES: States = {
    let mut states = States { all: [History { zeros: 0, ones: 0, last: 0 }; 256], count: 0 };
    let mut total = 0;
    while total < 64 {
        let mut ones = 0;
        while ones <= total {
            let zeros = total - ones;
            if allowed(zeros, ones) {
                let mut last = 0;
                while last < (if zeros > 0 && ones > 0 { 2 } else { 1 }) {
                    states.all[states.count] = History { zeros, ones, last };
                    states.count += 1;
                    last += 1;
                }
            }
            ones += 1;
        }
        total += 1;
    }
    states
};

const fn index(zeros: u8, ones: u8, last: u8) -> u8 {
    let last = if zeros > 0 && ones > 0 { last } else { 0 };
    let mut i = 0;
    while i < STATES.count {
        let s = STATES.all[i];
        if s.zeros == zeros && s.ones == ones && s.last == last {
            return i as u8;
        }
        i += 1;
    }
    panic!("no such history")
}

/// What is left of the count of one bit when the other one occurs.
const fn shrunk(count: u8) -> u8 {
    match count {
        0..=2 => count,
        3..=4 => 2,
        5..=7 => 3,
        8..=14 => 4,
        15..=24 => 5,
        _ => 6,
    }
}

/// Counts after one more of `same`, where the other bit has `other`.
const fn counted(same: u8, other: u8) -> (u8, u8) {
    let mut other = shrunk(other);
    if allowed(same + 1, other) {
        return (same + 1, other);
    }
    // At the bound: keep the ratio near by forgetting one of the other bit when it has several.
    if other > 2 && allowed(same, other - 1) {
        other -= 1;
    }
    let mut same = same;
    while !allowed(same, other) {
        same -= 1;
    }
    (same, other)
}

/// The state after a bit.
pub static NEXT: [[u8; 2]; 256] = {
    let mut next = [[0; 2]; 256];
    let mut i = 0;
    while i < STATES.count {
        let s = STATES.all[i];
        let (zeros, ones) = counted(s.zeros, s.ones);
        next[i][0] = index(zeros, ones, 0);
        let (ones, zeros) = counted(s.ones, s.zeros);
        next[i][1] = index(zeros, ones, 1);
        i += 1;
    }
    next
};

/// Probability of a 1 that a state stands for before anything is learned, of `2^16`.
pub static PRIOR: [u16; 256] = {
    let mut prior = [1 << 15; 256];
    let mut i = 0;
    while i < STATES.count {
        let s = STATES.all[i];
        let (zeros, ones) = (s.zeros as u32, s.ones as u32);
        prior[i] = (((ones * 3 + 1) << 16) / ((zeros + ones) * 3 + 2)) as u16;
        i += 1;
    }
    prior
};

/// How much a state has seen: its worth when a slot must be given up.
pub static WORTH: [u8; 256] = {
    let mut worth = [0; 256];
    let mut i = 0;
    while i < STATES.count {
        worth[i] = STATES.all[i].zeros + STATES.all[i].ones;
        i += 1;
    }
    worth
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_fit_and_count() {
        const { assert!(STATES.count <= 256) };
        assert_eq!(WORTH[0], 0);
        for s in 0..STATES.count {
            for (bit, &next) in NEXT[s].iter().enumerate() {
                let next = next as usize;
                assert!(next > 0 && next < STATES.count);
                let (a, b) = (STATES.all[s], STATES.all[next]);
                let grows = if bit == 0 { b.zeros >= a.zeros.min(1) } else { b.ones >= a.ones.min(1) };
                assert!(grows);
                // A bit never makes itself less likely.
                assert!(if bit == 0 { PRIOR[next] <= PRIOR[s] } else { PRIOR[next] >= PRIOR[s] }, "{s} {bit}");
            }
        }
    }
}
