//! Float weights of a known family from and to a safetensors file.
//!
//! What must stay true: what [`write()`] wrote, [`read()`] reads, number for number.

use super::QuantizeError;
use super::float::{FloatNetwork, LOWEST_QUARTER, Layer};
use crate::zoo::window;
use safetensors::tensor::TensorView;
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

/// A network of the family [`window`] that has its constants, but no weights yet.
pub fn blank(config: &window::Config) -> FloatNetwork {
    let (spec, layers) = window::build(config);
    FloatNetwork { spec, layers: HashMap::from([(layers.tone, tone())]) }
}

/// Reads weights of the family [`window`]: sizes are taken from the tensors' shapes.
pub fn read(bytes: &[u8]) -> Result<(window::Config, FloatNetwork), QuantizeError> {
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
    Ok((config, FloatNetwork { spec, layers: read }))
}

/// Writes weights of the family [`window`] under the names by which they are read.
pub fn write(config: &window::Config, network: &FloatNetwork) -> Result<Vec<u8>, QuantizeError> {
    let (spec, layers) = window::build(config);
    let widths = spec.widths()?;
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (node, names) in layers.trained {
        let (rows, input) = (widths[node], spec.nodes[node].inputs[0]);
        let inputs = widths[input];
        let layer = network.layers.get(&node).filter(|l| l.weights.len() == rows * inputs && l.bias.len() == rows);
        let layer = layer.ok_or_else(|| QuantizeError::Missing(names[0].clone()))?;
        let mut weights = layer.weights.clone();
        if names[0] == "input" {
            neighbours_first(&mut weights, inputs);
        }
        // Tensors that stand side by side belong to the inputs that do.
        let parts = if names.len() > 1 { &spec.nodes[input].inputs[..] } else { &[input] };
        let mut first = 0;
        for (name, part) in names.iter().zip(parts) {
            let width = widths[*part];
            let columns = weights.chunks_exact(inputs).flat_map(|row| &row[first..first + width]);
            tensors.push((
                format!("{name}.weight"),
                vec![rows, width],
                columns.flat_map(|v| v.to_le_bytes()).collect(),
            ));
            first += width;
        }
        let bias = layer.bias.iter().flat_map(|v| v.to_le_bytes()).collect();
        tensors.push((format!("{}.bias", names[0]), vec![rows], bias));
    }
    let broken = |e: safetensors::SafeTensorError| QuantizeError::Safetensors(e.to_string());
    let views =
        tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(broken)?;
    safetensors::serialize(views, &None).map_err(broken)
}

/// The trained layer saw the channels of a neighbour side by side; the engine gathers channel after channel.
fn channels_first(weights: &mut [f32], inputs: usize) {
    reorder(weights, inputs, |window, channel, t| (channel * window + t, t * 3 + channel));
}

/// The other way.
fn neighbours_first(weights: &mut [f32], inputs: usize) {
    reorder(weights, inputs, |window, channel, t| (t * 3 + channel, channel * window + t));
}

/// Moves columns of the window in each row: `places` gives the new and the old one.
fn reorder(weights: &mut [f32], inputs: usize, places: impl Fn(usize, usize, usize) -> (usize, usize)) {
    let window = (inputs - 4) / 3;
    for row in weights.chunks_exact_mut(inputs) {
        let old = row.to_vec();
        for channel in 0..3 {
            for t in 0..window {
                let (new, from) = places(window, channel, t);
                row[new] = old[from];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let shipped = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/photo.safetensors")).unwrap();
        let (config, network) = read(&shipped).unwrap();
        assert_eq!(config, window::Config::default());
        let written = write(&config, &network).unwrap();
        let (again, back) = (SafeTensors::deserialize(&shipped).unwrap(), SafeTensors::deserialize(&written).unwrap());
        assert_eq!(again.len(), back.len());
        for (name, tensor) in again.tensors() {
            let other = back.tensor(&name).unwrap();
            assert!(tensor.shape() == other.shape() && tensor.data() == other.data(), "{name}");
        }
        assert!(matches!(write(&config, &blank(&config)), Err(QuantizeError::Missing(_))));
    }
}
