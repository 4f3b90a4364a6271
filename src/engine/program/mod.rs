//! A network in integers: what a model file holds.
//!
//! What must stay true: no program exists that was not proved; a program has one form of bytes.

mod gridded;
mod params;
mod prove;
mod rice;
mod wire;

pub use crate::likelihood::Head;
pub use params::{Params, Range, Table};

use crate::likelihood::logistic;
use crate::spec::{Domain, Grid, NetworkSpec, SpecError};
use crate::wire::WireError;
use thiserror::Error;

/// Names a program: the first 16 bytes of the BLAKE3 hash of its canonical bytes, likelihood and tables included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelId(pub [u8; 16]);

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
    #[error("the model file has format {0}; this program reads formats 0 and 1")]
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
    /// The network is not for its data.
    #[error("the network does not fit its data: {0}")]
    Domain(&'static str),
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

/// A network in integers, proved free of overflow.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    domain: Domain,
    grid: Option<Grid>,
    spec: NetworkSpec,
    params: Vec<Params>,
    heads: Vec<Head>,
    ranges: Vec<Vec<Range>>,
    id: ModelId,
}

/// Rows and columns that a window reaches, at most.
pub const MAX_REACH: usize = 32;
/// Values of all nodes together a position at most: a thread keeps two bytes for each at some dozens of positions.
pub const MAX_VALUES: usize = 1 << 18;
/// Values of all nodes together at all places of a grid at most.
pub const MAX_GRID_VALUES: usize = 1 << 28;
/// Largest alphabet on a grid.
pub const MAX_ALPHABET: u32 = 4096;
/// Bytes of a model's name at most.
const MAX_NAME: usize = 64;

impl Program {
    /// A program from its parts, checked: `params` has an entry a node, `heads` one an output.
    pub fn new(
        name: &str,
        domain: Domain,
        spec: NetworkSpec,
        params: Vec<Params>,
        heads: Vec<Head>,
    ) -> Result<Self, ProgramError> {
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(ProgramError::Name);
        }
        let grid = match &domain {
            Domain::Photographs => None,
            other => Some(other.grid(&spec).map_err(ProgramError::Domain)?),
        };
        let ranges = prove::prove(grid, &spec, &params, &heads)?;
        let id = ModelId([0; 16]);
        let mut program = Self { name: name.into(), domain, grid, spec, params, heads, ranges, id };
        program.id = ModelId::of(&program.to_bytes());
        Ok(program)
    }

    /// The same network for segments of another length, which is another model; none if it is not for text or sound, or depends
    /// on the length.
    pub fn with_segment(&self, length: u32) -> Option<Self> {
        let mut domain = self.domain.clone();
        match &mut domain {
            Domain::Text { segment, .. } | Domain::Sound { segment, .. } => *segment = length,
            Domain::Photographs | Domain::Pictures { .. } => return None,
        }
        Self::new(&self.name, domain, self.spec.clone(), self.params.clone(), self.heads.clone()).ok()
    }

    /// What streams name the program by.
    pub fn id(&self) -> ModelId {
        self.id
    }
    /// A name for people.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// What kind of data it is for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
    /// The grid of an example; none for photographs, which have any size.
    pub fn grid(&self) -> Option<Grid> {
        self.grid
    }
    /// The description.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }
    /// The integers of a node.
    pub fn params(&self, node: usize) -> &Params {
        &self.params[node]
    }
    /// What makes an output's parameters a distribution.
    pub fn head(&self, output: usize) -> &Head {
        &self.heads[output]
    }
    /// The tables of an output that is a mixture around a local mean; those of a program for photographs all are.
    ///
    /// # Panics
    /// If it is something else.
    pub fn tables(&self, output: usize) -> &logistic::Tables {
        match &self.heads[output] {
            Head::Mixture(tables) => tables,
            _ => panic!("output {output} has no local mean"),
        }
    }
    /// The values that each column of a node can take.
    pub fn ranges(&self, node: usize) -> &[Range] {
        &self.ranges[node]
    }

    /// Multiply-adds a position, weights that a mask leaves out included.
    pub fn macs(&self) -> u64 {
        let strides = self.spec.strides().expect("a program's description was checked");
        let each = self.params.iter().zip(strides).map(|(params, stride)| match params {
            Params::Linear { weights, .. } | Params::Lstm { weights, .. } => {
                weights.len() as u64 / stride.map_or(1, |s| s.iter().map(|s| u64::from(*s)).product())
            }
            _ => 0,
        });
        each.sum()
    }
}
