//! From the values of the last nodes to code lengths.
//!
//! What must stay true: a head's parameters are read as its likelihood documents them.

use super::{Executor, Inputs};
use crate::likelihood::nll;
use crate::spec::Likelihood;
use crate::train::TrainError;
use tch::{Kind, Tensor};

impl Executor {
    /// Code lengths in bits, `[examples, rows, columns, channels]` (channels in coding order).
    pub(super) fn code_lengths(&self, values: &[Tensor], inputs: &Inputs) -> Result<Tensor, TrainError> {
        let (n, rows, columns, _) = inputs.symbols.size4()?;
        let mut parts = Vec::new();
        for (i, output) in self.spec.outputs.iter().enumerate() {
            let span = self.spec.output_channels(i);
            let channels = span.len() as i64;
            let symbols = inputs.symbols.f_narrow(3, span.start as i64, channels)?;
            let parameters = values[output.parameters].f_to_kind(Kind::Float)?;
            let width = parameters.size()[3];
            let parameters = parameters.f_expand([n, rows, columns, width], false)?;
            parts.push(match output.likelihood {
                Likelihood::Bernoulli => nll::bernoulli_bits(&parameters, &symbols)?,
                Likelihood::Categorical => {
                    let each = parameters.f_reshape([n, rows, columns, channels, width / channels])?;
                    nll::categorical_bits(&each, &symbols)?
                }
                Likelihood::SignedMixture { .. } => nll::signed_bits(&parameters, &symbols)?,
                Likelihood::CoupledMixture { .. } => {
                    let (flat, symbols) = (parameters.f_reshape([-1, width])?, symbols.f_reshape([-1, channels])?);
                    let bits = nll::coupled_bits(&flat, self.spec.symbols.alphabet, &symbols)?;
                    bits.f_view([n, rows, columns, channels])?
                }
                Likelihood::LogisticMixture { .. } => return Err(TrainError::Likelihood { output: i }),
            });
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Tensor::f_cat(&parts, 3)? })
    }
}
