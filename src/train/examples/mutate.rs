//! Symbols replaced by chance: what a background model is trained on (Ren et al. 2019, section 3). It sees the statistics that normal examples
//! share with others, and little of what is particular to them.
//!
//! What must stay true: what is replaced depends on the keys alone; a rate of 0 changes nothing.

use crate::spec::Domain;
use crate::train::data::Random;
use crate::train::grid::Batch;

/// How symbols are replaced.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    /// The probability for each.
    rate: f64,
    /// Symbols are below this.
    alphabet: u32,
}

impl Mutation {
    /// That of examples for a domain; else why there is none.
    pub fn new(rate: f64, domain: &Domain) -> Result<Self, String> {
        let alphabet = match domain {
            Domain::Pictures { .. } | Domain::Text { .. } => domain.alphabet(),
            Domain::Sound { .. } | Domain::Photographs => None,
        };
        match alphabet {
            _ if rate == 0.0 => Ok(Self { rate, alphabet: 1 }),
            Some(alphabet) => Ok(Self { rate, alphabet }),
            None => {
                Err("samples of sound replaced by chance are clicks, not a background: --mutate is for pictures of \
                         small formats and texts"
                    .to_owned())
            }
        }
    }

    /// The batch with symbols replaced, the same for the same keys.
    pub fn of(self, mut batch: Batch, keys: &[u64]) -> Batch {
        if self.rate > 0.0 {
            let mut random = Random::new(keys);
            for symbol in &mut batch.symbols {
                if random.unit() < self.rate {
                    *symbol = random.below(self.alphabet.into()) as u16;
                }
            }
        }
        batch
    }
}
