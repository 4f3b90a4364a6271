//! Maximum likelihood by counting, for networks that are tables: the relative frequencies, without a gradient.
//!
//! What must stay true: the weights are those that minimise the code length of the examples (with no smoothing), so that training
//! by gradient ends where counting begins.

use super::TrainError;
use super::grid::Batch;
use super::params::Layout;
use crate::spec::{Likelihood, NetworkSpec, NodeId, Op, Order};
use std::collections::HashMap;

/// Natural logarithm of the least share that a value gets, 2^-24: a value that was never seen must have a code, too.
const LEAST: f64 = -24.0 * std::f64::consts::LN_2;

/// What is not counted.
const COMPUTED: &str = "by counting, a network that computes its parameters";

/// The weights, in the order of [`Layout`], of a network whose parameters are looked up: constants, or tables for the value of
/// the first channel. `smoothing` is added to every count.
///
/// # Errors
/// A network that computes its parameters otherwise.
pub fn count(spec: &NetworkSpec, examples: &Batch, smoothing: f64) -> Result<Vec<f32>, TrainError> {
    let layout = Layout::new(spec)?;
    let mut tables: HashMap<NodeId, Vec<f32>> = HashMap::new();
    for (n, output) in spec.outputs.iter().enumerate() {
        let node = output.parameters;
        let fail = || TrainError::Operation { node, what: COMPUTED.to_owned() };
        let by_first = match &spec.nodes[node].op {
            Op::Constant { .. } => false,
            Op::Embedding { .. } => {
                let of = &spec.nodes[spec.nodes[node].inputs[0]].op;
                matches!(of, Op::Current { channels: 1 }).then_some(true).ok_or_else(fail)?
            }
            _ => return Err(fail()),
        };
        let binary = match output.likelihood {
            Likelihood::Bernoulli => true,
            Likelihood::Categorical => false,
            _ => return Err(fail()),
        };
        if spec.symbols.order != Order::Raster || tables.contains_key(&node) {
            return Err(fail());
        }
        let (alphabet, span) = (spec.symbols.alphabet as usize, spec.output_channels(n));
        let mut counts = vec![smoothing; if by_first { alphabet } else { 1 } * span.len() * alphabet];
        for symbols in examples.symbols.chunks_exact(spec.symbols.channels.into()) {
            let row = if by_first { usize::from(symbols[0]) } else { 0 };
            for (at, symbol) in symbols[span.clone()].iter().enumerate() {
                counts[(row * span.len() + at) * alphabet + usize::from(*symbol)] += 1.0;
            }
        }
        let logarithms = counts.chunks_exact(alphabet).map(shares);
        let table = match binary {
            true => logarithms.map(|l| (l[1] - l[0]) as f32).collect(),
            false => logarithms.flatten().map(|l| l as f32).collect(),
        };
        tables.insert(node, table);
    }
    let mut weights = Vec::with_capacity(layout.total());
    for part in &layout.parts {
        let table = tables.get(&part.node).filter(|table| table.len() == part.len());
        let fail = || TrainError::Operation { node: part.node, what: COMPUTED.to_owned() };
        weights.extend(table.ok_or_else(fail)?);
    }
    Ok(weights)
}

/// Logarithms of relative frequencies; even ones if there is nothing to count.
fn shares(counts: &[f64]) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    let share = |c: &f64| if total > 0.0 { c / total } else { 1.0 / counts.len() as f64 };
    counts.iter().map(|c| share(c).ln().max(LEAST)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Domain;
    use crate::zoo::{Sizes, family};

    fn spec(name: &str, size: &[(&str, i64)], width: u32, alphabet: u32) -> NetworkSpec {
        let (family, domain) = (family(name).unwrap(), Domain::Pictures { channels: 1, height: 1, width, alphabet });
        (family.build)(&domain, &Sizes::new(family.settings, size).unwrap()).unwrap()
    }

    fn batch(symbols: &[u16], count: usize) -> Batch {
        Batch { count, symbols: symbols.to_vec(), classes: vec![] }
    }

    #[test]
    fn shares_are_relative_frequencies() {
        let near = |found: &[f32], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            let pairs = found.iter().zip(expected);
            assert!(pairs.clone().all(|(a, b)| (f64::from(*a) - b.ln()).abs() < 1e-6), "{found:?} {expected:?}");
        };
        let four = batch(&[0, 2, 2, 2, 1, 1, 2, 2], 4);
        near(&count(&spec("histogram", &[], 2, 3), &four, 0.0).unwrap(), &[1.0 / 8.0, 2.0 / 8.0, 5.0 / 8.0]);
        near(&count(&spec("histogram", &[], 2, 3), &four, 1.0).unwrap(), &[2.0 / 11.0, 3.0 / 11.0, 6.0 / 11.0]);
        // The log-odds of each position: 3 to 1, and half a count more on both sides.
        let bits = batch(&[0, 1, 1, 1, 1, 1, 1, 1], 4);
        let least = 0.5f64.powi(24);
        near(&count(&spec("histogram", &[("positions", 1)], 2, 2), &bits, 0.5).unwrap(), &[3.5 / 1.5, 4.5 / 0.5]);
        near(&count(&spec("histogram", &[("positions", 1)], 2, 2), &bits, 0.0).unwrap(), &[3.0, 1.0 / least]);
        let pair = count(&spec("pair", &[], 2, 3), &batch(&[0, 2, 0, 1, 0, 2, 1, 0], 4), 0.0).unwrap();
        let third = 1.0 / 3.0;
        let rows = [[least, third, 2.0 * third], [1.0, least, least], [third; 3]];
        near(&pair[..3], &[0.75, 0.25, least]);
        near(&pair[3..], rows.as_flattened());
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (name, size) in [("pair", &[("hidden", 4)][..]), ("wavenet", &[])] {
            assert!(matches!(
                count(&spec(name, size, 2, 3), &batch(&[0, 1], 1), 0.0),
                Err(TrainError::Operation { .. })
            ));
        }
    }
}
