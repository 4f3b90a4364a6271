//! The bytes of a model file.
//!
//! What must stay true: a program has exactly one form of bytes. Format 0 is for photographs; format 1 names the data that
//! the program is for after its name. Weights that a mask leaves out are not written.

use super::rice::{Packer, Unpacker};
use super::{Head, ModelId, Params, Program, ProgramError, Table};
use crate::likelihood::{bernoulli, categorical, coupled, logistic, signed};
use crate::spec::{Domain, Likelihood, NetworkSpec, Op};
use crate::wire::{Reader, WireError, Writer};

const MAGIC: &[u8; 4] = b"SRPM";
/// Weights of all products together at most, those that a mask leaves out included.
const MAX_WEIGHTS: u64 = 1 << 27;
/// Entries of a table at most.
pub(super) const MAX_ENTRIES: usize = 1 << 16;
/// Entries of all nodes' tables together at most.
const MAX_TABLES: usize = 1 << 26;

impl ModelId {
    /// The identity of a model file: the first half of the BLAKE3 of its bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes().first_chunk().expect("a hash is longer"))
    }
}

impl Program {
    /// Canonical bytes: the model file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(MAGIC);
        w.u8(u8::from(self.grid.is_some()));
        w.text(&self.name);
        self.domain.write(&mut w);
        w.blob(&self.spec.to_bytes());
        let mut sink = Sink { packed: self.grid.is_some(), tables: Vec::new() };
        for (params, node) in self.params.iter().zip(&self.spec.nodes) {
            sink.params(&mut w, params, &node.op);
        }
        for head in &self.heads {
            match head {
                Head::Mixture(tables) => tables.write(&mut w),
                Head::Bernoulli(tables) => tables.write(&mut w),
                Head::Categorical(tables) => tables.write(&mut w),
                Head::Coupled(tables) => tables.write(&mut w),
                Head::Signed(tables) => tables.write(&mut w),
            }
        }
        w.finish()
    }

    /// Reads a model file, and proves it as the quantizer did: it is not trusted.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let mut r = Reader::new(bytes);
        if r.raw(4) != Ok(MAGIC) {
            return Err(ProgramError::NotAModel);
        }
        let format = r.u8()?;
        if format > 1 {
            return Err(ProgramError::Format(format));
        }
        let name = r.text()?.to_owned();
        let domain = if format == 0 { Domain::Photographs } else { Domain::read(&mut r)? };
        let mut described = Reader::new(r.blob()?);
        let spec = NetworkSpec::read(&mut described)?;
        described.end()?;
        let (widths, alphabets) = (spec.widths()?, spec.alphabets()?);
        let mut room = MAX_WEIGHTS;
        let mut source = Source { packed: format == 1, tables: Vec::new(), room: MAX_TABLES };
        let mut params = Vec::with_capacity(spec.nodes.len());
        for (id, node) in spec.nodes.iter().enumerate() {
            let inputs: usize = node.inputs.iter().map(|i| widths[*i]).sum();
            let (rows, columns) = match node.op {
                Op::Lstm { cells } => (4 * widths[id], inputs + cells as usize),
                // A table has as many vectors as its sample has values.
                Op::Embedding { .. } => (widths[id] * alphabets[node.inputs[0]].unwrap_or(0) as usize, 0),
                _ => (widths[id], inputs),
            };
            room = room
                .checked_sub((rows as u64).saturating_mul((columns * taps(&node.op)) as u64))
                .ok_or(WireError::OutOfRange("the number of weights"))?;
            params.push(source.params(&mut r, &node.op, columns, rows)?);
        }
        let heads = spec.outputs.iter().map(|output| {
            Ok::<_, WireError>(match output.likelihood {
                Likelihood::LogisticMixture { .. } => Head::Mixture(logistic::Tables::read(&mut r)?),
                Likelihood::Bernoulli => Head::Bernoulli(bernoulli::Tables::read(&mut r)?),
                Likelihood::Categorical => Head::Categorical(categorical::Tables::read(&mut r)?),
                Likelihood::CoupledMixture { .. } => Head::Coupled(coupled::Tables::read(&mut r)?),
                Likelihood::SignedMixture { .. } => Head::Signed(signed::Tables::read(&mut r)?),
            })
        });
        let heads = heads.collect::<Result<_, _>>()?;
        r.end()?;
        let program = Self::new(&name, domain, spec, params, heads)?;
        // One program has one spelling: whatever else the bytes could say would have written others.
        if program.id != ModelId::of(bytes) {
            return Err(WireError::NotCanonical.into());
        }
        Ok(program)
    }
}

/// How the numbers of nodes are written.
struct Sink<'p> {
    /// Whether weights take as many bits as they need; those of networks for photographs take 16.
    packed: bool,
    /// Tables that were written.
    tables: Vec<&'p Table>,
}

impl<'p> Sink<'p> {
    fn params(&mut self, w: &mut Writer, params: &'p Params, op: &Op) {
        let ints = |w: &mut Writer, values: &[i16]| values.iter().for_each(|v| w.int((*v).into()));
        match params {
            Params::None => {}
            Params::Scale { level } => w.blob(level),
            Params::Normalize { limit, shift, multiplier } => {
                w.blob(shift);
                ints(w, limit);
                ints(w, multiplier);
            }
            Params::Linear { weights, bias, shift, low, high } => {
                self.rows(w, op, weights, bias, shift);
                ints(w, &[*low, *high]);
            }
            Params::Table(table) => self.table(w, table),
            Params::Gate { shift, low, high } => {
                w.u8(*shift);
                ints(w, &[*low, *high]);
            }
            Params::Embedding { values } | Params::Constant { values } => self.values(w, std::iter::once(&values[..])),
            Params::Lstm { weights, bias, shift, high, sigmoid, tanh, squash } => {
                self.rows(w, op, weights, bias, shift);
                ints(w, &[*high]);
                [sigmoid, tanh, squash].into_iter().for_each(|table| self.table(w, table));
            }
            Params::Attention { multiplier, shift, exp } => {
                w.uint((*multiplier).into());
                w.u8(*shift);
                w.uint(exp.len() as u64);
                exp.iter().for_each(|v| w.uint((*v).into()));
            }
            Params::Add { low, high } => ints(w, &[*low, *high]),
        }
    }

    /// Weights, biases and shifts of a product.
    fn rows(&self, w: &mut Writer, op: &Op, weights: &[i16], bias: &[i32], shift: &[u8]) {
        let row = weights.len() / bias.len().max(1);
        let inputs = row / taps(op).max(1);
        let kept = |(o, row): (usize, &[i16])| {
            let places = (0..row.len()).filter(|k| op.keeps(inputs, o, k / inputs, k % inputs));
            places.map(|k| row[k]).collect::<Vec<_>>()
        };
        let rows: Vec<Vec<i16>> = weights.chunks_exact(row.max(1)).enumerate().map(kept).collect();
        self.values(w, rows.iter().map(|row| &row[..]));
        bias.iter().for_each(|v| w.int((*v).into()));
        w.raw(shift);
    }

    fn values<'v>(&self, w: &mut Writer, rows: impl Iterator<Item = &'v [i16]>) {
        if self.packed {
            let mut packer = Packer::default();
            rows.for_each(|row| packer.row(row));
            w.blob(&packer.finish());
        } else {
            rows.flatten().for_each(|v| w.raw(&v.to_le_bytes()));
        }
    }

    /// Many nodes have the same table: its number among those before, or as many as there are and then the table, as
    /// differences since functions are smooth.
    fn table(&mut self, w: &mut Writer, table: &'p Table) {
        let number = self.tables.iter().position(|t| *t == table).unwrap_or(self.tables.len());
        w.uint(number as u64);
        if number < self.tables.len() {
            return;
        }
        self.tables.push(table);
        w.u8(table.shift);
        w.int(table.first.into());
        w.uint(table.values.len() as u64);
        table.values.iter().fold(0, |last, v| {
            w.int(i64::from(*v) - last);
            i64::from(*v)
        });
    }
}

/// Taps of an operation's kernel; 1 if it has none.
pub(super) fn taps(op: &Op) -> usize {
    match op {
        Op::Convolution { kernel, .. } | Op::Transposed { kernel, .. } => kernel.taps(),
        _ => 1,
    }
}

fn i16_of(v: i64) -> Result<i16, WireError> {
    i16::try_from(v).map_err(|_| WireError::OutOfRange("a value of 16 bits"))
}

/// How the numbers of nodes are read.
struct Source {
    /// As [`Sink::packed`].
    packed: bool,
    /// Different tables of the nodes so far.
    tables: Vec<Table>,
    /// Entries that the tables to come may have: one that is named again takes memory again.
    room: usize,
}

type Rows = (Vec<i16>, Vec<i32>, Vec<u8>);

impl Source {
    /// The numbers of an operation of so many rows and columns.
    fn params(&mut self, r: &mut Reader, op: &Op, inputs: usize, values: usize) -> Result<Params, WireError> {
        let int = |r: &mut Reader| i16_of(r.int()?);
        Ok(match op {
            Op::LocalScale { .. } => Params::Scale { level: r.blob()?.to_vec() },
            Op::Normalize { .. } => {
                let shift = r.blob()?.to_vec();
                let mut signed = || (0..shift.len()).map(|_| int(r)).collect::<Result<_, _>>();
                let (limit, multiplier) = (signed()?, signed()?);
                Params::Normalize { limit, shift, multiplier }
            }
            Op::Linear { .. } | Op::MaskedLinear { .. } | Op::Convolution { .. } | Op::Transposed { .. } => {
                let (weights, bias, shift) = self.rows(r, op, inputs, values)?;
                Params::Linear { weights, bias, shift, low: int(r)?, high: int(r)? }
            }
            Op::Activation { .. } => Params::Table(self.table(r)?),
            Op::Gate => Params::Gate { shift: r.u8()?, low: int(r)?, high: int(r)? },
            Op::Embedding { .. } => Params::Embedding { values: self.values(r, std::iter::once(values))? },
            Op::Constant { .. } => Params::Constant { values: self.values(r, std::iter::once(values))? },
            Op::Lstm { .. } => {
                let (weights, bias, shift) = self.rows(r, op, inputs, values)?;
                let high = int(r)?;
                let [sigmoid, tanh, squash] = [self.table(r)?, self.table(r)?, self.table(r)?];
                Params::Lstm { weights, bias, shift, high, sigmoid, tanh, squash }
            }
            Op::Attention { .. } => {
                let multiplier = r.at_most(u16::MAX.into(), "a multiplier")? as u16;
                let shift = r.u8()?;
                let entries = r.count(1, "the length of a table")?;
                let entry = |r: &mut Reader| Ok::<_, WireError>(r.at_most(u16::MAX.into(), "a weight")? as u16);
                let exp = (0..entries).map(|_| entry(r)).collect::<Result<_, _>>()?;
                Params::Attention { multiplier, shift, exp }
            }
            Op::Add => Params::Add { low: int(r)?, high: int(r)? },
            _ => Params::None,
        })
    }

    /// Weights, biases and shifts of a product.
    fn rows(&self, r: &mut Reader, op: &Op, inputs: usize, outputs: usize) -> Result<Rows, WireError> {
        let row = taps(op) * inputs;
        let keeps = |o: usize, k: usize| op.keeps(inputs, o, k / inputs, k % inputs);
        let kept = (0..outputs).map(|o| (0..row).filter(|k| keeps(o, *k)).count());
        let mut weights = self.values(r, kept)?;
        if weights.len() < outputs * row {
            let mut written = weights.into_iter();
            let places = (0..outputs).flat_map(|o| (0..row).map(move |k| (o, k)));
            weights = places.map(|(o, k)| if keeps(o, k) { written.next().unwrap_or(0) } else { 0 }).collect();
        }
        let wide = |v: i64| i32::try_from(v).map_err(|_| WireError::OutOfRange("a bias"));
        let bias = (0..outputs).map(|_| wide(r.int()?)).collect::<Result<_, _>>()?;
        Ok((weights, bias, r.raw(outputs)?.to_vec()))
    }

    /// Rows of values, of which the lengths are given.
    fn values(&self, r: &mut Reader, mut rows: impl Iterator<Item = usize>) -> Result<Vec<i16>, WireError> {
        if self.packed {
            let (mut values, mut unpacker) = (Vec::new(), Unpacker::new(r.blob()?));
            rows.try_for_each(|count| unpacker.row(count, &mut values))?;
            unpacker.end()?;
            return Ok(values);
        }
        let bytes = r.raw(rows.sum::<usize>().checked_mul(2).ok_or(WireError::Truncated)?)?;
        Ok(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
    }

    fn table(&mut self, r: &mut Reader) -> Result<Table, WireError> {
        const LENGTH: WireError = WireError::OutOfRange("the length of a table");
        let number = r.at_most(self.tables.len() as u64, "the number of a table")? as usize;
        if number == self.tables.len() {
            let shift = r.u8()?;
            let first = i32::try_from(r.int()?).map_err(|_| WireError::OutOfRange("the first entry of a table"))?;
            let entries = r.count(1, "the length of a table")?;
            if entries > MAX_ENTRIES {
                return Err(LENGTH);
            }
            let mut last = 0i64;
            let values = (0..entries).map(|_| {
                last = last.checked_add(r.int()?).ok_or(WireError::OutOfRange("a table entry"))?;
                i16_of(last)
            });
            self.tables.push(Table { shift, first, values: values.collect::<Result<_, _>>()? });
        }
        let table = &self.tables[number];
        self.room = self.room.checked_sub(table.values.len()).ok_or(LENGTH)?;
        Ok(table.clone())
    }
}

/// Whether a mask leaves out a weight that is not zero.
pub(super) fn breaks_mask(op: &Op, weights: &[i16], outputs: usize) -> bool {
    let row = weights.len() / outputs.max(1);
    let inputs = row / taps(op).max(1);
    let broken = |i: usize| weights[i] != 0 && !op.keeps(inputs, i / row, i % row / inputs, i % inputs);
    matches!(op, Op::MaskedLinear { .. } | Op::Convolution { .. }) && (0..weights.len()).any(broken)
}
