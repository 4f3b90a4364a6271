//! Float weights of a family on a grid from and to a safetensors file.
//!
//! The metadata says what they are weights of: `family`, `sizes` and `domain` (JSON). Tensors are named by node, as in
//! `007.Convolution.weight` and `007.Convolution.bias`, and laid out as [`Layer`] says.
//!
//! What must stay true: what [`write()`] wrote, [`read()`] reads, number for number.

use super::shape::LayerShape;
use crate::quantize::QuantizeError;
use crate::quantize::float::{FloatNetwork, Layer};
use crate::spec::{Domain, Op};
use crate::zoo::{self, Family, Sizes};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};

/// Weights, and what they are weights of.
#[derive(Clone)]
pub struct Weights {
    /// The family.
    pub family: &'static Family,
    /// Its sizes.
    pub sizes: Sizes,
    /// What they were trained for.
    pub domain: Domain,
    /// The description that follows from the three, with weights.
    pub network: FloatNetwork,
}

fn broken(e: safetensors::SafeTensorError) -> QuantizeError {
    QuantizeError::Safetensors(e.to_string())
}

/// The name of a tensor.
fn name(id: usize, op: &Op, part: &str) -> String {
    format!("{id:03}.{}.{part}", op.name())
}

/// Reads weights; none if the file does not name a family (then it is one of photographs).
pub fn read(bytes: &[u8]) -> Result<Option<Weights>, QuantizeError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let metadata = metadata.metadata().clone().unwrap_or_default();
    let Some(named) = metadata.get("family") else { return Ok(None) };
    let wrong = |what: &str| QuantizeError::Safetensors(format!("its metadata has no valid {what}"));
    let family = zoo::family(named).ok_or_else(|| {
        QuantizeError::Safetensors(format!("this version has no family '{}'", named.escape_default()))
    })?;
    let json = |key: &str| metadata.get(key).map_or("", String::as_str);
    let domain: Domain = serde_json::from_str(json("domain")).map_err(|_| wrong("domain"))?;
    let sizes: BTreeMap<String, i64> = serde_json::from_str(json("sizes")).map_err(|_| wrong("sizes"))?;
    let sizes: Vec<(&str, i64)> = sizes.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let sizes = Sizes::new(family.settings, &sizes)?;
    let spec = (family.build)(&domain, &sizes)?;
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let tensor = |name: String, shape: &[usize]| {
        let view = file.tensor(&name).map_err(|_| QuantizeError::Missing(name.clone()))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(QuantizeError::Shape(name));
        }
        Ok(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect::<Vec<_>>())
    };
    let mut layers = HashMap::new();
    for ((id, node), shape) in spec.nodes.iter().enumerate().zip(LayerShape::all(&spec)?) {
        let mut layer = Layer { weights: vec![], bias: vec![] };
        if shape.weights() > 0 {
            layer.weights = tensor(name(id, &node.op, "weight"), &shape.sizes(&node.op))?;
        }
        if shape.bias > 0 {
            layer.bias = tensor(name(id, &node.op, "bias"), &[shape.bias])?;
        }
        if shape.weights() + shape.bias > 0 {
            layers.insert(id, layer);
        }
    }
    Ok(Some(Weights { family, sizes, domain, network: FloatNetwork { spec, layers } }))
}

/// Writes weights under the names by which they are read.
pub fn write(weights: &Weights) -> Result<Vec<u8>, QuantizeError> {
    let spec = &weights.network.spec;
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for ((id, node), shape) in spec.nodes.iter().enumerate().zip(LayerShape::all(spec)?) {
        if shape.weights() + shape.bias == 0 {
            continue;
        }
        let layer = weights.network.layers.get(&id).filter(|layer| shape.fits(layer));
        let layer = layer.ok_or_else(|| QuantizeError::Missing(format!("{id:03}.{}", node.op.name())))?;
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        if shape.weights() > 0 {
            tensors.push((name(id, &node.op, "weight"), shape.sizes(&node.op), bytes(&layer.weights)));
        }
        if shape.bias > 0 {
            tensors.push((name(id, &node.op, "bias"), vec![shape.bias], bytes(&layer.bias)));
        }
    }
    let json = |e: serde_json::Error| QuantizeError::Safetensors(e.to_string());
    let metadata = HashMap::from([
        ("family".to_owned(), weights.family.name.to_owned()),
        ("sizes".to_owned(), serde_json::to_string(&weights.sizes).map_err(json)?),
        ("domain".to_owned(), serde_json::to_string(&weights.domain).map_err(json)?),
    ]);
    let views =
        tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(broken)?;
    in_order(safetensors::serialize(views, &Some(metadata)).map_err(broken)?).map_err(json)
}

/// The same file with the names in its header sorted, so that the same weights are the same bytes: the crate writes the metadata
/// in an order that changes from run to run.
fn in_order(mut file: Vec<u8>) -> Result<Vec<u8>, serde_json::Error> {
    const LENGTH: usize = 8;
    let (length, rest) = file.split_first_chunk_mut::<LENGTH>().expect("a file begins with its header's length");
    let header = &mut rest[..u64::from_le_bytes(*length) as usize];
    let mut entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header)?;
    if let Some(metadata) = entries.get_mut("__metadata__") {
        let sorted: BTreeMap<String, String> = serde_json::from_value(metadata.take())?;
        *metadata = serde_json::to_value(sorted)?;
    }
    let text = serde_json::to_vec(&entries)?;
    // What is left over is blank, as it was.
    header[..text.len()].copy_from_slice(&text);
    header[text.len()..].fill(b' ');
    Ok(file)
}
