//! Places of a node's grid, and those that an operation reads for each of its own.
//!
//! What must stay true: what is said here about which places are read is the only place where fast code says so.

use crate::spec::{Kernel, Mask, Op, Pattern, Side};

/// The places of a node, in raster order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Places {
    /// Frames, rows, columns.
    pub size: [usize; 3],
    /// Whether the values are the same everywhere: then there is one place.
    pub same: bool,
}

impl Places {
    /// Those of a grid with steps of `stride` on one of `size`; none means that all places are the same.
    pub fn new(size: [u32; 3], stride: Option<[u32; 3]>) -> Self {
        match stride {
            None => Self { size: [1; 3], same: true },
            Some(s) => Self { size: [0, 1, 2].map(|i| size[i].div_ceil(s[i]) as usize), same: false },
        }
    }
    /// How many.
    pub fn count(&self) -> usize {
        self.size.iter().product()
    }
    /// Frame, row, column of a place.
    pub fn split(&self, place: usize) -> [usize; 3] {
        let [_, rows, columns] = self.size;
        [place / (rows * columns), place / columns % rows, place % columns]
    }
    /// The place there, if it is on the grid.
    pub fn index(&self, at: [i64; 3]) -> Option<usize> {
        let inside = (0..3).all(|i| (0..self.size[i] as i64).contains(&at[i]));
        inside.then(|| (at[0] as usize * self.size[1] + at[1] as usize) * self.size[2] + at[2] as usize)
    }
    /// The place here that goes with `place` of a grid of the same steps.
    pub fn at(&self, place: usize) -> usize {
        if self.same { 0 } else { place }
    }
}

/// The taps of a convolution or transposed convolution that can read anything.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Taps {
    /// Steps of the coarser grid on the finer.
    scale: [usize; 3],
    /// Whether the input is the coarser one.
    transposed: bool,
    /// Which taps feed a place, by the remainders of its coordinates where the input is coarser, else one for all.
    pub phases: Vec<Phase>,
}

/// Taps of one phase.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Phase {
    /// Their numbers in the kernel.
    pub taps: Vec<usize>,
    /// Where each reads, from the place of the input that goes with a place.
    offsets: Vec<[i64; 3]>,
}

impl Taps {
    /// Of an operation with a kernel; none for others. Taps that the mask blanks are left out.
    pub fn new(op: &Op) -> Option<Self> {
        let (kernel, transposed): (&Kernel, bool) = match op {
            Op::Convolution { kernel, .. } => (kernel, false),
            Op::Transposed { kernel, .. } => (kernel, true),
            _ => return None,
        };
        let open = |shift: [i64; 3]| match op {
            Op::Convolution { mask: Mask::Causal { groups, same }, .. } => {
                shift < [0; 3] || shift == [0; 3] && (*same || *groups > 1)
            }
            _ => true,
        };
        let scale = kernel.stride.map(usize::from);
        let count = if transposed { scale.iter().product() } else { 1 };
        let mut phases = vec![Phase { taps: vec![], offsets: vec![] }; count];
        for tap in 0..kernel.taps() {
            let shift = kernel.shift(tap);
            if !open(shift) {
                continue;
            }
            let (phase, offset) = if transposed {
                let part = |f: fn(i64, i64) -> i64| [0, 1, 2].map(|i| f(shift[i], scale[i] as i64));
                let rest = part(i64::rem_euclid).map(|r| r as usize);
                ((rest[0] * scale[1] + rest[1]) * scale[2] + rest[2], part(i64::div_euclid).map(|m| -m))
            } else {
                (0, shift)
            };
            phases[phase].taps.push(tap);
            phases[phase].offsets.push(offset);
        }
        Some(Self { scale, transposed, phases })
    }

    /// The phase of a place.
    pub fn phase(&self, own: &Places, place: usize) -> usize {
        if !self.transposed {
            return 0;
        }
        let (at, scale) = (own.split(place), self.scale);
        (at[0] % scale[0] * scale[1] + at[1] % scale[1]) * scale[2] + at[2] % scale[2]
    }

    /// The place of the input that each tap of the place's phase reads, none beyond the border.
    pub fn read<'t>(
        &'t self,
        own: &Places,
        input: &'t Places,
        place: usize,
    ) -> impl Iterator<Item = Option<usize>> + 't {
        let (at, scale) = (own.split(place), self.scale);
        let base = [0, 1, 2].map(|i| (if self.transposed { at[i] / scale[i] } else { at[i] * scale[i] }) as i64);
        let offsets = &self.phases[self.phase(own, place)].offsets;
        offsets.iter().map(move |o| input.index([0, 1, 2].map(|i| base[i] + o[i])))
    }
}

/// Which places attention looks at.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct View {
    pub pattern: Pattern,
    pub side: Side,
    /// Number of axes of the grid.
    pub axes: usize,
}

impl View {
    /// Of attention; none for others.
    pub fn new(op: &Op, axes: usize) -> Option<Self> {
        match op {
            Op::Attention { pattern, side, .. } => Some(Self { pattern: *pattern, side: *side, axes }),
            _ => None,
        }
    }

    /// Whether it is a beginning of the grid: all places before the own, with it or without.
    pub fn prefix(&self, place: usize) -> Option<usize> {
        match (self.pattern, self.side) {
            (Pattern::All, Side::Earlier) => Some(place),
            (Pattern::All, Side::EarlierOrSame) => Some(place + 1),
            _ => None,
        }
    }

    /// Calls `see` for each place that `place` looks at, in raster order.
    pub fn each(&self, grid: &Places, place: usize, mut see: impl FnMut(usize)) {
        let count = grid.count();
        let end = match self.side {
            Side::Earlier => place,
            Side::EarlierOrSame => place + 1,
            Side::Any => count,
        };
        let at = grid.split(place);
        match self.pattern {
            Pattern::All => (0..end).for_each(see),
            Pattern::Line { axis } => {
                let axis = 3 - self.axes + usize::from(axis);
                let step: usize = grid.size[axis + 1..].iter().product();
                let first = place - at[axis] * step;
                (0..grid.size[axis]).map(|i| first + i * step).take_while(|k| *k < end).for_each(see);
            }
            Pattern::Trailing { axes } => {
                let length: usize = grid.size[3 - usize::from(axes)..].iter().product();
                ((place + 1).saturating_sub(length)..end.min(place + 1)).for_each(see);
            }
            Pattern::Block { size } => {
                let size = size.map(usize::from);
                let range = |i: usize| {
                    let first = at[i] / size[i] * size[i];
                    first..(first + size[i]).min(grid.size[i])
                };
                for frame in range(0) {
                    for row in range(1) {
                        for column in range(2) {
                            let k = (frame * grid.size[1] + row) * grid.size[2] + column;
                            if k < end {
                                see(k);
                            }
                        }
                    }
                }
            }
            Pattern::Summary { block, last } => {
                let (block, last) = (block as usize, last as usize);
                (0..end).filter(|k| k % block >= block - last).for_each(see);
            }
        }
    }
}
