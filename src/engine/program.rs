//! A network in integers: what a model file holds.

use crate::likelihood::logistic;
use crate::spec::{Axis, Likelihood, NetworkSpec, Offset, Op, Order, SpecError};
use crate::wire::{Reader, WireError, Writer};
use thiserror::Error;

/// Names a program: the first 16 bytes of the BLAKE3 hash of its canonical bytes, likelihood and tables included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelId(pub [u8; 16]);

impl ModelId {
    /// The identity of a model file: the first half of the BLAKE3 of its bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes().first_chunk().expect("a hash is longer"))
    }
}

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Why bytes are no program that can be run safely.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// The bytes are not a model file.
    #[error("this is no model file (it does not begin with 'SRPM')")]
    NotAModel,
    /// A later or earlier format.
    #[error("the model file has format {0}; this program reads format {FORMAT}")]
    Format(u8),
    /// The bytes break off or hold impossible values.
    #[error("the model file is damaged: {0}")]
    Wire(#[from] WireError),
    /// The description is not one of a network.
    #[error("the model file is damaged: {0}")]
    Spec(#[from] SpecError),
    /// The name is none that can be printed.
    #[error("the model's name is empty, longer than {MAX_NAME} bytes or not printable")]
    Name,
    /// The network needs too much memory a position.
    #[error("the network has {0} values a position, over the limit of {MAX_VALUES}")]
    TooWide(usize),
    /// A node's numbers do not fit its operation.
    #[error("node {node}: {what}")]
    Node {
        /// Which node.
        node: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// An output's numbers do not fit its distribution.
    #[error("output {output}: {what} is out of range")]
    Output {
        /// Which output.
        output: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// The integers of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Params {
    /// The operation has none.
    None,
    /// [`Op::LocalScale`].
    Scale {
        /// `[largest sum + 1]`: the level of each sum of absolute differences.
        level: Vec<u8>,
    },
    /// [`Op::Normalize`]: `((clamp(d, -limit, limit) << shift) * multiplier) >> 16`, each a level.
    Normalize {
        /// `[levels]`.
        limit: Vec<i16>,
        /// `[levels]`.
        shift: Vec<u8>,
        /// `[levels]`.
        multiplier: Vec<i16>,
    },
    /// [`Op::Linear`], [`Op::MaskedLinear`], [`Op::Convolution`], [`Op::Transposed`]:
    /// `clamp((W x + bias + 2^(shift - 1)) >> shift, low, high)`. For the last two, x is the inputs at each tap, one after the
    /// other, taps in raster order, zero where a tap reads nothing. Weights that a mask leaves out are zero.
    Linear {
        /// `[outputs][inputs]`, or `[outputs][taps][inputs]`.
        weights: Vec<i16>,
        /// `[outputs]`.
        bias: Vec<i32>,
        /// `[outputs]`: 1 to 30.
        shift: Vec<u8>,
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
    /// [`Op::Activation`].
    Table(Table),
    /// [`Op::Gate`]: `clamp((a b + 2^(shift - 1)) >> shift, low, high)`.
    Gate {
        /// 1 to 30.
        shift: u8,
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
    /// [`Op::Embedding`].
    Embedding {
        /// `[inputs][alphabet][outputs]`.
        values: Vec<i16>,
    },
    /// [`Op::Constant`].
    Constant {
        /// `[outputs]`.
        values: Vec<i16>,
    },
    /// [`Op::Lstm`]. With the products a of `[x, h]` (x, then the last output; zero before the first position) as in
    /// [`Params::Linear`], in four parts i, f, g, o of a state's width each, and the cell c (zero at first):
    /// `c <- clamp((sigmoid(f) c + sigmoid(i) tanh(g) + 2^13) >> 14, -2^24, 2^24)`, `h <- (sigmoid(o) tanh(c) + 2^14) >> 15`,
    /// in i64. The tables give 14 fractional bits; c has 14, h 13.
    Lstm {
        /// `[4 cells][inputs + cells]`.
        weights: Vec<i16>,
        /// `[4 cells]`.
        bias: Vec<i32>,
        /// `[4 cells]`: 1 to 30.
        shift: Vec<u8>,
        /// Largest magnitude of a product.
        high: i16,
        /// For i, f and o.
        sigmoid: Table,
        /// For g.
        tanh: Table,
        /// For c, which is an i32.
        squash: Table,
    },
    /// [`Op::Attention`]. In each head `s_j = q k_j` (i64), `d_j = max_j s_j - s_j`,
    /// `e_j = exp[min((d_j * multiplier) >> shift, exp.len() - 1)]`, and with `E = sum e_j` the output is
    /// `floor((2 sum e_j v_j + E) / (2 E))`; zero where there is no position.
    Attention {
        /// Below 2^16.
        multiplier: u16,
        /// At most 40.
        shift: u8,
        /// `exp(-d)`, falling from 2^15; at most 4096 entries, none zero.
        exp: Vec<u16>,
    },
    /// [`Op::Add`]: `clamp(a + b, low, high)`.
    Add {
        /// Smallest output.
        low: i16,
        /// Largest output.
        high: i16,
    },
}

/// A function of one variable: `values[clamp(x >> shift, first, first + values.len() - 1) - first]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// At most 30.
    pub shift: u8,
    /// Index of the first entry.
    pub first: i32,
    /// At most 2^16, at least one.
    pub values: Vec<i16>,
}

/// The values that a column of a node can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest.
    pub low: i16,
    /// Largest.
    pub high: i16,
}

impl Range {
    /// The largest magnitude.
    pub(super) fn magnitude(self) -> i64 {
        i64::from(self.low).abs().max(i64::from(self.high).abs())
    }
}

/// A network in integers, proved free of overflow.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    spec: NetworkSpec,
    params: Vec<Params>,
    tables: Vec<logistic::Tables>,
    ranges: Vec<Vec<Range>>,
    id: ModelId,
}

const MAGIC: &[u8; 4] = b"SRPM";
const FORMAT: u8 = 0;
/// Rows and columns that a window reaches, at most.
pub const MAX_REACH: usize = 32;
/// Values of all nodes together a position at most: a thread keeps two bytes for each at some dozens of positions.
pub const MAX_VALUES: usize = 1 << 18;
/// Bytes of a model's name at most.
const MAX_NAME: usize = 64;
/// Levels of a local scale at most.
const MAX_LEVELS: usize = 64;

impl Program {
    /// A program from its parts, checked: `params` has an entry a node, `tables` one an output.
    pub fn new(
        name: &str,
        spec: NetworkSpec,
        params: Vec<Params>,
        tables: Vec<logistic::Tables>,
    ) -> Result<Self, ProgramError> {
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(ProgramError::Name);
        }
        let ranges = prove(&spec, &params, &tables)?;
        let mut program = Self { name: name.into(), spec, params, tables, ranges, id: ModelId([0; 16]) };
        program.id = ModelId::of(&program.to_bytes());
        Ok(program)
    }

    /// What streams name the program by.
    pub fn id(&self) -> ModelId {
        self.id
    }
    /// A name for people.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The description.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }
    /// The integers of a node.
    pub fn params(&self, node: usize) -> &Params {
        &self.params[node]
    }
    /// The tables of an output.
    pub fn tables(&self, output: usize) -> &logistic::Tables {
        &self.tables[output]
    }
    /// The values that each column of a node can take.
    pub fn ranges(&self, node: usize) -> &[Range] {
        &self.ranges[node]
    }

    /// Multiply-adds a position.
    pub fn macs(&self) -> u64 {
        let count = |p: &Params| if let Params::Linear { weights, .. } = p { weights.len() as u64 } else { 0 };
        self.params.iter().map(count).sum()
    }

    /// Canonical bytes: the model file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(MAGIC);
        w.u8(FORMAT);
        w.text(&self.name);
        w.blob(&self.spec.to_bytes());
        for params in &self.params {
            match params {
                Params::None => {}
                Params::Scale { level } => w.blob(level),
                Params::Normalize { limit, shift, multiplier } => {
                    w.blob(shift);
                    limit.iter().chain(multiplier).for_each(|v| w.int((*v).into()));
                }
                Params::Linear { weights, bias, shift, low, high } => {
                    weights.iter().for_each(|v| w.raw(&v.to_le_bytes()));
                    bias.iter().for_each(|v| w.int((*v).into()));
                    w.raw(shift);
                    w.int((*low).into());
                    w.int((*high).into());
                }
                Params::Add { low, high } => {
                    w.int((*low).into());
                    w.int((*high).into());
                }
                _ => unreachable!("refused by the proof"),
            }
        }
        self.tables.iter().for_each(|t| t.write(&mut w));
        w.finish()
    }

    /// Reads a model file, and proves it as the quantizer did: it is not trusted.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let mut r = Reader::new(bytes);
        if r.raw(4) != Ok(MAGIC) {
            return Err(ProgramError::NotAModel);
        }
        match r.u8()? {
            FORMAT => {}
            other => return Err(ProgramError::Format(other)),
        }
        let name = r.text()?.to_owned();
        let mut described = Reader::new(r.blob()?);
        let spec = NetworkSpec::read(&mut described)?;
        described.end()?;
        let widths = spec.widths()?;
        let mut params = Vec::with_capacity(spec.nodes.len());
        for node in &spec.nodes {
            params.push(read_params(&mut r, &node.op, || node.inputs.iter().map(|i| widths[*i]).sum())?);
        }
        let tables = spec.outputs.iter().map(|_| logistic::Tables::read(&mut r)).collect::<Result<_, _>>()?;
        r.end()?;
        Self::new(&name, spec, params, tables)
    }
}

fn i16_of(v: i64) -> Result<i16, WireError> {
    i16::try_from(v).map_err(|_| WireError::OutOfRange("a value of 16 bits"))
}

fn read_params(r: &mut Reader, op: &Op, inputs: impl Fn() -> usize) -> Result<Params, WireError> {
    Ok(match op {
        Op::LocalScale { .. } => Params::Scale { level: r.blob()?.to_vec() },
        Op::Normalize { .. } => {
            let shift = r.blob()?.to_vec();
            let mut signed = || (0..shift.len()).map(|_| i16_of(r.int()?)).collect::<Result<_, _>>();
            let (limit, multiplier) = (signed()?, signed()?);
            Params::Normalize { limit, shift, multiplier }
        }
        Op::Linear { outputs, .. } => {
            let (outputs, inputs) = (*outputs as usize, inputs());
            let count = outputs.checked_mul(inputs).and_then(|n| n.checked_mul(2)).ok_or(WireError::Truncated)?;
            let weights = r.raw(count)?.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
            let wide = |v: i64| i32::try_from(v).map_err(|_| WireError::OutOfRange("a bias"));
            let bias = (0..outputs).map(|_| wide(r.int()?)).collect::<Result<_, _>>()?;
            let shift = r.raw(outputs)?.to_vec();
            Params::Linear { weights, bias, shift, low: i16_of(r.int()?)?, high: i16_of(r.int()?)? }
        }
        Op::Add => Params::Add { low: i16_of(r.int()?)?, high: i16_of(r.int()?)? },
        _ => Params::None,
    })
}

/// Proves that no sum, product or index of any execution leaves its type or table, and gives the range of every column.
///
/// For each row of a linear layer: `|bias| + sum |w| max|x| + 2^(s-1) < 2^31` with `1 <= s <= 30`, so that sums in any
/// order, and of any part of the row, fit i32.
fn prove(spec: &NetworkSpec, params: &[Params], tables: &[logistic::Tables]) -> Result<Vec<Vec<Range>>, ProgramError> {
    spec.check_causal()?;
    let widths = spec.widths()?;
    let values = widths.iter().sum();
    if values > MAX_VALUES {
        return Err(ProgramError::TooWide(values));
    }
    if params.len() != spec.nodes.len() || tables.len() != spec.outputs.len() {
        return Err(ProgramError::Node { node: params.len(), what: "the number of nodes differs" });
    }
    if spec.symbols.alphabet != 256 {
        return Err(ProgramError::Node { node: 0, what: "only alphabets of 256 values can be run" });
    }
    if spec.symbols.axes != [Axis::Row, Axis::Column] || spec.symbols.order != Order::Raster {
        return Err(ProgramError::Node { node: 0, what: "only pictures in raster order can be run" });
    }
    if spec.outputs.len() != usize::from(spec.symbols.channels) {
        return Err(ProgramError::Output { output: spec.outputs.len(), what: "the number of outputs (one a channel)" });
    }
    let sample = Range { low: 0, high: 255 };
    let mut ranges: Vec<Vec<Range>> = Vec::with_capacity(params.len());
    for (id, node) in spec.nodes.iter().enumerate() {
        let fail = |what| Err(ProgramError::Node { node: id, what });
        let ends = |low: i16, high: i16| vec![Range { low, high }; widths[id]];
        let input = |i: usize| &ranges[node.inputs[i]];
        let range = match (&node.op, &params[id]) {
            (Op::Neighbours { offsets }, Params::None) if !offsets.iter().all(within_reach) => {
                return fail("its window reaches too far");
            }
            (Op::Neighbours { .. } | Op::Current { .. } | Op::LocalMean { .. }, Params::None) => {
                vec![sample; widths[id]]
            }
            (Op::LocalScale { near }, Params::Scale { level }) => {
                let terms = near.len() * usize::from(spec.symbols.channels);
                if level.len() != terms * 255 + 1 {
                    return fail("its table has another length");
                }
                let top = level.iter().copied().max().unwrap_or(0);
                if usize::from(top) >= MAX_LEVELS {
                    return fail("its table has too many levels");
                }
                ends(0, top.into())
            }
            (Op::Normalize { .. }, Params::Normalize { limit, shift, multiplier }) => {
                let levels = input(2)[0].high as usize + 1;
                if limit.len() != levels || shift.len() != levels || multiplier.len() != levels {
                    return fail("its tables have another length");
                }
                let mut largest = 0;
                for ((l, s), m) in limit.iter().zip(shift).zip(multiplier) {
                    if *l < 0 || *m < 0 || *s > 14 || (i64::from(*l) << s) > i64::from(i16::MAX) {
                        return fail("a difference overflows");
                    }
                    // Floors: the negative end is one further out.
                    largest = largest.max((((i64::from(*l) << s) * i64::from(*m)) >> 16) + 1);
                }
                ends(-(largest as i16), largest as i16)
            }
            (Op::Linear { .. }, Params::Linear { weights, bias, shift, low, high }) => {
                let columns = input(0);
                if weights.len() != widths[id] * columns.len() || bias.len() != widths[id] || shift.len() != widths[id]
                {
                    return fail("its weights have another shape");
                }
                if low > high || *low == i16::MIN {
                    return fail("its range is empty or too wide");
                }
                for ((row, bias), shift) in weights.chunks_exact(columns.len()).zip(bias).zip(shift) {
                    if !(1..=30).contains(shift) {
                        return fail("a shift is not in 1 to 30");
                    }
                    let products = row.iter().zip(columns).map(|(w, c)| i64::from(*w).abs() * c.magnitude());
                    let sum = i64::from(*bias).abs() + products.sum::<i64>() + (1 << (shift - 1));
                    if sum >= 1 << 31 {
                        return fail("a sum can overflow 32 bits");
                    }
                }
                ends(*low, *high)
            }
            (Op::Relu, Params::None) => {
                input(0).iter().map(|r| Range { low: r.low.max(0), high: r.high.max(0) }).collect()
            }
            (Op::Add, Params::Add { low, high }) => {
                let fits = |r: &[Range]| r.iter().all(|r| r.magnitude() < 1 << 14);
                if low > high || !fits(input(0)) || !fits(input(1)) {
                    return fail("a sum can overflow 16 bits");
                }
                ends(*low, *high)
            }
            (Op::Concat, Params::None) => node.inputs.iter().flat_map(|i| ranges[*i].iter().copied()).collect(),
            (op, Params::None) if !runs(op) => return fail("this version cannot run the operation"),
            _ => return fail("its numbers are those of another operation"),
        };
        ranges.push(range);
    }
    for (output, (described, tables)) in spec.outputs.iter().zip(tables).enumerate() {
        let fail = |what| Err(ProgramError::Output { output, what });
        let Likelihood::LogisticMixture { components, scale, .. } = &described.likelihood else {
            return fail("the family of the distribution");
        };
        if usize::from(*components) > logistic::MAX_COMPONENTS || usize::from(described.channel) != output {
            return fail("the number of logistics, or the channel,");
        }
        if let Err(what) = tables.check(ranges[*scale][0].high as usize + 1) {
            return fail(what);
        }
    }
    Ok(ranges)
}

/// Whether a window's offset is one that bands have margins for.
fn within_reach(o: &Offset) -> bool {
    let far = |distance: i16| usize::from(distance.unsigned_abs()) > MAX_REACH;
    o.frame == 0 && !far(o.row) && !far(o.column)
}

/// Whether the engines know the operation.
fn runs(op: &Op) -> bool {
    matches!(
        op,
        Op::Neighbours { .. }
            | Op::Current { .. }
            | Op::LocalMean { .. }
            | Op::LocalScale { .. }
            | Op::Normalize { .. }
            | Op::Linear { .. }
            | Op::Relu
            | Op::Add
            | Op::Concat
    )
}
