//! The bytes of a model file.
//!
//! What must stay true: a program has exactly one form of bytes. Format 0 is for photographs; format 1 names the data that
//! the program is for after its name. Weights that a mask leaves out are not written.

use super::{Head, ModelId, Params, Program, ProgramError, Table};
use crate::likelihood::{bernoulli, categorical, coupled, logistic};
use crate::spec::{Domain, Likelihood, Mask, NetworkSpec, Op};
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
        let mut tables = Vec::new();
        for (params, node) in self.params.iter().zip(&self.spec.nodes) {
            write_params(&mut w, params, &node.op, &mut tables);
        }
        for head in &self.heads {
            match head {
                Head::Mixture(tables) => tables.write(&mut w),
                Head::Bernoulli(tables) => tables.write(&mut w),
                Head::Categorical(tables) => tables.write(&mut w),
                Head::Coupled(tables) => tables.write(&mut w),
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
        let (mut room, mut tables) = (MAX_WEIGHTS, Tables { seen: Vec::new(), room: MAX_TABLES });
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
            params.push(read_params(&mut r, &node.op, columns, rows, &mut tables)?);
        }
        let heads = spec.outputs.iter().map(|output| {
            Ok::<_, WireError>(match output.likelihood {
                Likelihood::LogisticMixture { .. } => Head::Mixture(logistic::Tables::read(&mut r)?),
                Likelihood::Bernoulli => Head::Bernoulli(bernoulli::Tables::read(&mut r)?),
                Likelihood::Categorical => Head::Categorical(categorical::Tables::read(&mut r)?),
                Likelihood::CoupledMixture { .. } => Head::Coupled(coupled::Tables::read(&mut r)?),
            })
        });
        let heads = heads.collect::<Result<_, _>>()?;
        r.end()?;
        Self::new(&name, domain, spec, params, heads)
    }
}

/// `tables` holds those that were written.
fn write_params<'p>(w: &mut Writer, params: &'p Params, op: &Op, tables: &mut Vec<&'p Table>) {
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
            write_rows(w, op, weights, bias, shift);
            ints(w, &[*low, *high]);
        }
        Params::Table(table) => write_table(w, table, tables),
        Params::Gate { shift, low, high } => {
            w.u8(*shift);
            ints(w, &[*low, *high]);
        }
        Params::Embedding { values } | Params::Constant { values } => write_raw(w, values),
        Params::Lstm { weights, bias, shift, high, sigmoid, tanh, squash } => {
            write_rows(w, op, weights, bias, shift);
            ints(w, &[*high]);
            [sigmoid, tanh, squash].into_iter().for_each(|table| write_table(w, table, tables));
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

fn write_raw(w: &mut Writer, values: &[i16]) {
    values.iter().for_each(|v| w.raw(&v.to_le_bytes()));
}

/// Weights, biases and shifts of a product.
fn write_rows(w: &mut Writer, op: &Op, weights: &[i16], bias: &[i32], shift: &[u8]) {
    let inputs = weights.len() / (bias.len() * taps(op)).max(1);
    let kept = places(op, inputs, bias.len()).zip(weights).filter(|(p, _)| p.is_kept(op, inputs));
    kept.for_each(|(_, weight)| w.raw(&weight.to_le_bytes()));
    bias.iter().for_each(|v| w.int((*v).into()));
    w.raw(shift);
}

/// Many nodes have the same table: its number among those before, or as many as there are and then the table, as differences
/// since functions are smooth.
fn write_table<'p>(w: &mut Writer, table: &'p Table, tables: &mut Vec<&'p Table>) {
    let number = tables.iter().position(|t| *t == table).unwrap_or(tables.len());
    w.uint(number as u64);
    if number < tables.len() {
        return;
    }
    tables.push(table);
    w.u8(table.shift);
    w.int(table.first.into());
    w.uint(table.values.len() as u64);
    table.values.iter().fold(0, |last, v| {
        w.int(i64::from(*v) - last);
        i64::from(*v)
    });
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

/// The numbers of an operation of so many rows and columns.
fn read_params(
    r: &mut Reader,
    op: &Op,
    inputs: usize,
    values: usize,
    tables: &mut Tables,
) -> Result<Params, WireError> {
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
            let (weights, bias, shift) = read_rows(r, op, inputs, values)?;
            Params::Linear { weights, bias, shift, low: int(r)?, high: int(r)? }
        }
        Op::Activation { .. } => Params::Table(tables.read(r)?),
        Op::Gate => Params::Gate { shift: r.u8()?, low: int(r)?, high: int(r)? },
        Op::Embedding { .. } => Params::Embedding { values: read_raw(r, values)? },
        Op::Constant { .. } => Params::Constant { values: read_raw(r, values)? },
        Op::Lstm { .. } => {
            let (weights, bias, shift) = read_rows(r, op, inputs, values)?;
            let high = int(r)?;
            Params::Lstm {
                weights,
                bias,
                shift,
                high,
                sigmoid: tables.read(r)?,
                tanh: tables.read(r)?,
                squash: tables.read(r)?,
            }
        }
        Op::Attention { .. } => {
            let multiplier = r.at_most(u16::MAX.into(), "a multiplier")? as u16;
            let shift = r.u8()?;
            let entries = r.count(1, "the length of a table")?;
            let entry = |r: &mut Reader| Ok::<_, WireError>(r.at_most(u16::MAX.into(), "a weight")? as u16);
            Params::Attention { multiplier, shift, exp: (0..entries).map(|_| entry(r)).collect::<Result<_, _>>()? }
        }
        Op::Add => Params::Add { low: int(r)?, high: int(r)? },
        _ => Params::None,
    })
}

fn read_raw(r: &mut Reader, count: usize) -> Result<Vec<i16>, WireError> {
    let bytes = r.raw(count.checked_mul(2).ok_or(WireError::Truncated)?)?;
    Ok(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

type Rows = (Vec<i16>, Vec<i32>, Vec<u8>);

/// Weights, biases and shifts of a product.
fn read_rows(r: &mut Reader, op: &Op, inputs: usize, outputs: usize) -> Result<Rows, WireError> {
    let masked = matches!(op, Op::MaskedLinear { .. } | Op::Convolution { mask: Mask::Causal { .. }, .. });
    let places = || places(op, inputs, outputs);
    let weights = if masked {
        let mut written = read_raw(r, places().filter(|p| p.is_kept(op, inputs)).count())?.into_iter();
        places().map(|p| if p.is_kept(op, inputs) { written.next().unwrap_or(0) } else { 0 }).collect()
    } else {
        read_raw(r, outputs * taps(op) * inputs)?
    };
    let wide = |v: i64| i32::try_from(v).map_err(|_| WireError::OutOfRange("a bias"));
    let bias = (0..outputs).map(|_| wide(r.int()?)).collect::<Result<_, _>>()?;
    Ok((weights, bias, r.raw(outputs)?.to_vec()))
}

/// Where a weight stands.
struct Place {
    output: usize,
    tap: usize,
    input: usize,
}

impl Place {
    fn is_kept(&self, op: &Op, inputs: usize) -> bool {
        op.keeps(inputs, self.output, self.tap, self.input)
    }
}

/// The places of all weights, in order.
fn places(op: &Op, inputs: usize, outputs: usize) -> impl Iterator<Item = Place> {
    let taps = taps(op);
    let row = move |output| (0..taps).flat_map(move |tap| (0..inputs).map(move |input| Place { output, tap, input }));
    (0..outputs).flat_map(row)
}

/// Whether a mask leaves out a weight that is not zero.
pub(super) fn breaks_mask(op: &Op, weights: &[i16], outputs: usize) -> bool {
    let inputs = weights.len() / (outputs * taps(op)).max(1);
    places(op, inputs, outputs).zip(weights).any(|(p, w)| *w != 0 && !p.is_kept(op, inputs))
}

/// The tables of the nodes so far.
struct Tables {
    /// Different ones.
    seen: Vec<Table>,
    /// Entries that the nodes to come may have: a table that is named again takes memory again.
    room: usize,
}

impl Tables {
    fn read(&mut self, r: &mut Reader) -> Result<Table, WireError> {
        const LENGTH: WireError = WireError::OutOfRange("the length of a table");
        let number = r.at_most(self.seen.len() as u64, "the number of a table")? as usize;
        if number == self.seen.len() {
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
            let table = Table { shift, first, values: values.collect::<Result<_, _>>()? };
            if self.seen.contains(&table) {
                return Err(WireError::NotCanonical);
            }
            self.seen.push(table);
        }
        let table = &self.seen[number];
        self.room = self.room.checked_sub(table.values.len()).ok_or(LENGTH)?;
        Ok(table.clone())
    }
}
