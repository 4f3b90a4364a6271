//! Float weights of a known family from a safetensors file.

use super::QuantizeError;
use super::float::{FloatNetwork, LOWEST_QUARTER, Layer};
use crate::zoo::window;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// A matrix, or a vector as one column.
struct Tensor {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

fn tensor(file: &SafeTensors, name: &str) -> Result<Tensor, QuantizeError> {
    let view = file.tensor(name).map_err(|_| QuantizeError::Missing(name.into()))?;
    let shape = view.shape();
    if view.dtype() != Dtype::F32 || !(1..=2).contains(&shape.len()) {
        return Err(QuantizeError::Shape(name.into()));
    }
    let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Ok(Tensor { rows: shape[0], columns: shape.get(1).copied().unwrap_or(1), values })
}

/// Reads weights of the family [`window`]: sizes are taken from the tensors' shapes.
pub fn read(bytes: &[u8]) -> Result<FloatNetwork, QuantizeError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| QuantizeError::Safetensors(e.to_string()))?;
    let size = |name: &str| tensor(&file, name);
    let (input, merge, head0) = (size("input.weight")?, size("merge.weight")?, size("head0.weight")?);
    let blocks = (0..).take_while(|i| file.tensor(&format!("blocks.{i}.0.weight")).is_ok()).count();
    let radius = (1..=8)
        .find(|r| 3 * window::offsets(*r).len() + 4 == input.columns)
        .ok_or_else(|| QuantizeError::Shape("input.weight".into()))?;
    let config = window::Config {
        radius,
        first: input.rows as u32,
        width: merge.rows as u32,
        blocks,
        head: size("trunk1.weight")?.rows as u32,
        components: (head0.rows / 3) as u8,
    };
    let (spec, layers) = window::build(&config);
    let widths = spec.widths()?;
    let mut read = HashMap::new();
    for (node, names) in layers.trained {
        let parts = names.iter().map(|n| size(&format!("{n}.weight"))).collect::<Result<Vec<_>, _>>()?;
        let bias = size(&format!("{}.bias", names[0]))?.values;
        let (rows, inputs) = (widths[node], spec.nodes[node].inputs.iter().map(|i| widths[*i]).sum::<usize>());
        if bias.len() != rows
            || parts.iter().any(|p| p.rows != rows)
            || parts.iter().map(|p| p.columns).sum::<usize>() != inputs
        {
            return Err(QuantizeError::Shape(names[0].clone()));
        }
        let row = |o: usize| parts.iter().flat_map(move |p| p.values[o * p.columns..][..p.columns].iter().copied());
        let mut weights: Vec<f32> = (0..rows).flat_map(row).collect();
        if names[0] == "input" {
            channels_first(&mut weights, inputs);
        }
        read.insert(node, Layer { weights, bias });
    }
    read.insert(layers.tone, tone());
    Ok(FloatNetwork { spec, layers: read })
}

/// The trained layer saw the channels of a neighbour side by side; the engine gathers channel after channel.
fn channels_first(weights: &mut [f32], inputs: usize) {
    let window = (inputs - 4) / 3;
    for row in weights.chunks_exact_mut(inputs) {
        let old = row.to_vec();
        for channel in 0..3 {
            for t in 0..window {
                row[channel * window + t] = old[t * 3 + channel];
            }
        }
    }
}

/// The four constant features of the local level `(g, r, b)` and the local scale's level q:
/// `(r - g) / 64, (b - g) / 64, quarter / 16, g / 128 - 1` with `quarter = q + LOWEST_QUARTER`.
fn tone() -> Layer {
    let weights = [
        [-1.0 / 64.0, 1.0 / 64.0, 0.0, 0.0],
        [-1.0 / 64.0, 0.0, 1.0 / 64.0, 0.0],
        [0.0, 0.0, 0.0, 1.0 / 16.0],
        [1.0 / 128.0, 0.0, 0.0, 0.0],
    ];
    Layer { weights: weights.concat(), bias: vec![0.0, 0.0, LOWEST_QUARTER as f32 / 16.0, -1.0] }
}
