//! Canonical bytes of a description.
//!
//! What must stay true: a description has exactly one encoding and every byte string that is read writes itself again
//! (a [`ModelId`](crate::engine::ModelId) hashes these bytes); a number given to an operation never changes its meaning.
//!
//! A description is: name, symbols, conditions, nodes, outputs. Lists begin with their length; a variant is one byte, then
//! its fields in the order of their declaration; numbers are the variable-length integers of [`wire`](crate::wire).

use super::check::{MAX_NAME, SpecError};
use super::{
    Axis, Condition, Function, Kernel, Likelihood, Mask, NetworkSpec, Node, Offset, Op, Order, Output, Pattern, Side,
    Source, Symbols,
};
use crate::wire::{Reader, WireError, Writer};

/// Most entries of any list; what a list means may allow fewer.
const MAX_LIST: usize = 1 << 16;

/// A part of a description that is written and read; `read` accepts exactly what `write` produces.
trait Part: Sized {
    /// Least bytes of one.
    const LEAST: usize = 1;
    fn write(&self, w: &mut Writer);
    fn read(r: &mut Reader) -> Result<Self, WireError>;
}

impl NetworkSpec {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.text(&self.family);
        self.symbols.write(&mut w);
        self.conditions.write(&mut w);
        self.nodes.write(&mut w);
        self.outputs.write(&mut w);
        w.finish()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and checks it as [`widths`](Self::widths) and
    /// [`check_causal`](Self::check_causal) do. What follows stays in the reader.
    pub fn read(r: &mut Reader) -> Result<Self, SpecError> {
        let family = r.text()?;
        if family.len() > MAX_NAME {
            return Err(WireError::OutOfRange("the length of the family's name").into());
        }
        let spec = Self {
            family: family.to_owned(),
            symbols: Symbols::read(r)?,
            conditions: Vec::read(r)?,
            nodes: Vec::read(r)?,
            outputs: Vec::read(r)?,
        };
        spec.check_causal()?;
        Ok(spec)
    }
}

impl<T: Part> Part for Vec<T> {
    fn write(&self, w: &mut Writer) {
        w.uint(self.len() as u64);
        self.iter().for_each(|v| v.write(w));
    }
    fn read(r: &mut Reader) -> Result<Self, WireError> {
        let n = r.count(T::LEAST, "the length of a list")?;
        if n > MAX_LIST {
            return Err(WireError::OutOfRange("the length of a list"));
        }
        (0..n).map(|_| T::read(r)).collect()
    }
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Part for $t {
            fn write(&self, w: &mut Writer) {
                w.uint(*self as u64);
            }
            fn read(r: &mut Reader) -> Result<Self, WireError> {
                Ok(r.at_most(<$t>::MAX as u64, "a number")? as $t)
            }
        }
    )*};
}
numbers!(u8, u16, u32, usize);

impl<T: Part + Copy + Default> Part for [T; 3] {
    const LEAST: usize = 3 * T::LEAST;
    fn write(&self, w: &mut Writer) {
        self.iter().for_each(|v| v.write(w));
    }
    fn read(r: &mut Reader) -> Result<Self, WireError> {
        let mut triple = [T::default(); 3];
        for v in &mut triple {
            *v = T::read(r)?;
        }
        Ok(triple)
    }
}

impl Part for i16 {
    fn write(&self, w: &mut Writer) {
        w.int(i64::from(*self));
    }
    fn read(r: &mut Reader) -> Result<Self, WireError> {
        i16::try_from(r.int()?).map_err(|_| WireError::OutOfRange("an offset"))
    }
}

impl Part for bool {
    fn write(&self, w: &mut Writer) {
        w.u8(u8::from(*self));
    }
    fn read(r: &mut Reader) -> Result<Self, WireError> {
        Ok(r.at_most(1, "a truth value")? == 1)
    }
}

/// Writes and reads a structure field by field.
macro_rules! structure {
    ($t:ident { $($field:ident),* } $least:expr) => {
        impl Part for $t {
            const LEAST: usize = $least;
            fn write(&self, w: &mut Writer) {
                $(self.$field.write(w);)*
            }
            fn read(r: &mut Reader) -> Result<Self, WireError> {
                Ok(Self { $($field: Part::read(r)?),* })
            }
        }
    };
}

/// Writes and reads an enumeration: a number that never changes, then the fields. Both directions come from one list.
macro_rules! variants {
    ($t:ident, $what:literal, $($tag:literal => $variant:ident $({ $($field:ident),* })?),*) => {
        impl $t {
            /// The variant's name, for messages.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($variant),)*
                }
            }
        }
        impl Part for $t {
            fn write(&self, w: &mut Writer) {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        w.u8($tag);
                        $($($field.write(w);)*)?
                    })*
                }
            }
            fn read(r: &mut Reader) -> Result<Self, WireError> {
                match r.u8()? {
                    $($tag => Ok(Self::$variant $({ $($field: Part::read(r)?),* })?),)*
                    _ => Err(WireError::OutOfRange(concat!("the number of ", $what))),
                }
            }
        }
    };
}

structure!(Offset { frame, row, column } 3);
structure!(Kernel { size, origin, dilation, stride } 12);
structure!(Symbols { axes, channels, alphabet, order } 4);
structure!(Node { op, inputs } 2);
structure!(Output { channel, parameters, likelihood } 3);
variants!(Axis, "an axis", 0 => Frame, 1 => Row, 2 => Column, 3 => Time, 4 => Feature);
variants!(Order, "an order",
    0 => Raster, 1 => Permuted { channels }, 2 => Subscale { factors }, 3 => Grouped { factors }
);
variants!(Condition, "a condition", 0 => Class { count }, 1 => Grid { channels, alphabet, factors, source });
variants!(Source, "a source", 0 => Given, 1 => Subsampled, 2 => Averaged, 3 => Gray, 4 => HighBits);
variants!(Op, "an operation",
    0 => Neighbours { offsets },
    1 => Current { channels },
    2 => LocalMean { a, b },
    3 => LocalScale { near },
    4 => Normalize { unit, clamp },
    5 => Linear { outputs, trainable },
    6 => Relu,
    7 => Add,
    8 => Concat,
    9 => Previous,
    10 => Slices { count },
    11 => Condition { index },
    12 => Coordinate { axis, divisor, modulus },
    13 => Constant { outputs },
    14 => OneHot,
    15 => Embedding { outputs },
    16 => Activation { function },
    17 => Mirror,
    18 => Gate,
    19 => Select { start, width },
    20 => LayerNorm,
    21 => MaskedLinear { from, to },
    22 => Convolution { outputs, kernel, mask },
    23 => Transposed { outputs, kernel },
    24 => Lstm { cells },
    25 => Attention { heads, pattern, side }
);
variants!(Function, "a function", 0 => Sigmoid, 1 => Tanh, 2 => Elu, 3 => Gelu, 4 => MuLaw, 5 => Centre, 6 => Log);
variants!(Mask, "a mask", 0 => Open, 1 => Causal { groups, same });
variants!(Pattern, "a pattern",
    0 => All, 1 => Line { axis }, 2 => Trailing { axes }, 3 => Block { size }, 4 => Summary { block, last }
);
variants!(Side, "a side", 0 => Earlier, 1 => EarlierOrSame, 2 => Any);
variants!(Likelihood, "a likelihood",
    0 => LogisticMixture { components, mean, scale, unit, floor },
    1 => Bernoulli,
    2 => Categorical,
    3 => CoupledMixture { components },
    4 => SignedMixture { components }
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A window model in little: two neighbours, one channel after the other.
    fn small() -> NetworkSpec {
        let node = |op, inputs: &[usize]| Node { op, inputs: inputs.to_vec() };
        let likelihood = Likelihood::LogisticMixture { components: 2, mean: 1, scale: 2, unit: 1, floor: 12 };
        NetworkSpec {
            family: "small".into(),
            symbols: Symbols { axes: vec![Axis::Row, Axis::Column], channels: 2, alphabet: 256, order: Order::Raster },
            conditions: vec![],
            nodes: vec![
                node(Op::Neighbours { offsets: vec![Offset::new(0, -1), Offset::new(-1, 0)] }, &[]),
                node(Op::LocalMean { a: 0, b: 1 }, &[0]),
                node(Op::LocalScale { near: vec![0, 1] }, &[0, 1]),
                node(Op::Normalize { unit: 2, clamp: 6 }, &[0, 1, 2]),
                node(Op::Linear { outputs: 6, trainable: true }, &[3]),
                node(Op::Relu, &[4]),
                node(Op::Current { channels: 1 }, &[]),
                node(Op::Normalize { unit: 1, clamp: 8 }, &[6, 1, 2]),
                node(Op::Concat, &[5, 7]),
                node(Op::Linear { outputs: 6, trainable: true }, &[8]),
            ],
            outputs: vec![
                Output { channel: 0, parameters: 4, likelihood: likelihood.clone() },
                Output { channel: 1, parameters: 9, likelihood },
            ],
        }
    }

    #[test]
    fn bytes_come_back_and_every_other_byte_string_is_itself_or_refused() {
        let spec = small();
        assert_eq!(spec.widths().unwrap(), [4, 2, 1, 4, 6, 6, 1, 1, 7, 6]);
        let bytes = spec.to_bytes();
        assert_eq!(NetworkSpec::read(&mut Reader::new(&bytes)).unwrap(), spec);
        for i in 0..bytes.len() {
            assert!(NetworkSpec::read(&mut Reader::new(&bytes[..i])).is_err(), "cut at {i}");
            for v in 0..=255 {
                let mut changed = bytes.clone();
                changed[i] = v;
                let mut r = Reader::new(&changed);
                if let Ok(other) = NetworkSpec::read(&mut r) {
                    assert_eq!(other.to_bytes(), changed[..changed.len() - r.remaining()], "byte {i} set to {v}");
                }
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |change: fn(&mut NetworkSpec)| {
            let mut spec = small();
            change(&mut spec);
            let bytes = spec.to_bytes();
            let error = spec.widths().expect_err("refused");
            assert_eq!(NetworkSpec::read(&mut Reader::new(&bytes)), Err(error));
        };
        refused(|s| s.nodes[0].op = Op::Neighbours { offsets: vec![Offset::new(0, -1), Offset::new(0, 0)] });
        refused(|s| s.nodes[0].op = Op::Neighbours { offsets: vec![Offset::new(0, -1), Offset::new(0, -1)] });
        refused(|s| {
            s.nodes[0].op =
                Op::Neighbours { offsets: vec![Offset::new(0, -1), Offset { frame: -1, row: 0, column: 0 }] }
        });
        refused(|s| s.nodes[1].op = Op::LocalMean { a: 0, b: 2 });
        refused(|s| s.nodes[2].op = Op::LocalScale { near: vec![2] });
        refused(|s| s.nodes[3].inputs = vec![0, 2, 1]);
        refused(|s| s.nodes[4].inputs = vec![4]);
        refused(|s| s.nodes[4].inputs = vec![usize::MAX]);
        refused(|s| s.nodes[4].inputs = vec![]);
        refused(|s| s.nodes[4].op = Op::Linear { outputs: 0, trainable: true });
        refused(|s| s.nodes[4].op = Op::Linear { outputs: u32::MAX, trainable: true });
        refused(|s| s.nodes[6].op = Op::Current { channels: 3 });
        refused(|s| s.outputs[0].parameters = 5000);
        refused(|s| s.outputs[1].parameters = 8);
        refused(|s| s.outputs[1].channel = 0);
        refused(|s| s.outputs[1].channel = 2);
        refused(|s| s.outputs[0].channel = 1);
        refused(|s| s.outputs.clear());
        refused(|s| s.symbols.axes.push(Axis::Row));
        refused(|s| s.symbols.alphabet = 1);
        refused(|s| s.symbols.channels = 0);
        refused(|s| s.nodes.clear());
        refused(|s| s.family.push('\n'));
    }
}
