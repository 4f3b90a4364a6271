//! A local-window network for colour photographs: contrast-normalised neighbours, a residual trunk, one head a channel.
//!
//! `p(x) = prod_i p(g_i | window_i) p(r_i | window_i, g_i) p(b_i | window_i, g_i, r_i)`, channels in the order G, R, B; each
//! conditional is a mixture of discretized logistics (Salimans et al. 2017, eq. 2). Everything that enters the network is
//! a difference to a local level divided by a local scale, so that brightness and contrast need not be learned.

use crate::spec::{Axis, Likelihood, NetworkSpec, Node, NodeId, Offset, Op, Order, Output, Symbols};

/// Sizes of the network.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Config {
    /// Neighbours lie within this many rows and columns, and within `radius + 2` steps.
    pub radius: i16,
    /// Width of the first layer.
    pub first: u32,
    /// Width of the trunk.
    pub width: u32,
    /// Residual blocks.
    pub blocks: usize,
    /// Width of the second and third channel's own layer.
    pub head: u32,
    /// Logistics of each mixture.
    pub components: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self { radius: 5, first: 192, width: 128, blocks: 2, head: 48, components: 5 }
    }
}

/// Name in the registry.
pub const FAMILY: &str = "window";

/// Causal neighbours in raster order.
pub fn offsets(radius: i16) -> Vec<Offset> {
    let all = (-radius..=0).flat_map(|row| (-radius..=radius).map(move |column| Offset::new(row, column)));
    all.filter(|o| (o.row < 0 || o.column < 0) && o.row.abs() + o.column.abs() <= radius + 2).collect()
}

/// Names of the linear layers in the order of their nodes, for weights that were trained elsewhere: a layer's rows are
/// those of the named tensors, its columns those of the tensors side by side.
pub struct Layers {
    /// `(node, tensors that stand side by side, whether there is a bias with the first)`.
    pub trained: Vec<(NodeId, Vec<String>)>,
    /// The node of the four tone features, which is constant.
    pub tone: NodeId,
}

/// The description, and where its weights go.
pub fn build(config: &Config) -> (NetworkSpec, Layers) {
    let offsets = offsets(config.radius);
    let at = |row, column| {
        let wanted = Offset::new(row, column);
        offsets.iter().position(|o| *o == wanted).expect("near samples are in every window") as u16
    };
    let near = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)].map(|(r, c)| at(r, c)).to_vec();
    let (west, north) = (near[0], near[1]);
    let mut nodes: Vec<Node> = Vec::new();
    let mut trained = Vec::new();
    let mut push = |op: Op, inputs: &[NodeId]| {
        nodes.push(Node { op, inputs: inputs.to_vec() });
        nodes.len() - 1
    };
    let mut linear = |push: &mut dyn FnMut(Op, &[NodeId]) -> NodeId, input, outputs, names: &[&str]| {
        let node = push(Op::Linear { outputs, trainable: true }, &[input]);
        trained.push((node, names.iter().map(|n| n.to_string()).collect()));
        node
    };

    let window = push(Op::Neighbours { offsets: offsets.clone() }, &[]);
    let mean = push(Op::LocalMean { a: west, b: north }, &[window]);
    let scale = push(Op::LocalScale { near }, &[window, mean]);
    let shape = push(Op::Normalize { unit: 2, clamp: 6 }, &[window, mean, scale]);
    let level = push(Op::Concat, &[mean, scale]);
    let tone = push(Op::Linear { outputs: 4, trainable: false }, &[level]);
    let input = push(Op::Concat, &[shape, tone]);
    let first = linear(&mut push, input, config.first, &["input"]);
    let first = push(Op::Relu, &[first]);
    let mut trunk = linear(&mut push, first, config.width, &["merge"]);
    for block in 0..config.blocks {
        let a = push(Op::Relu, &[trunk]);
        let b = linear(&mut push, a, config.width, &[&format!("blocks.{block}.0")]);
        let b = push(Op::Relu, &[b]);
        let b = linear(&mut push, b, config.width, &[&format!("blocks.{block}.2")]);
        trunk = push(Op::Add, &[trunk, b]);
    }
    let trunk = push(Op::Relu, &[trunk]);
    let parameters = 3 * u32::from(config.components);
    let mut outputs = Vec::new();
    for channel in 0..3u16 {
        let features = if channel == 0 {
            trunk
        } else {
            let current = push(Op::Current { channels: channel }, &[]);
            let current = push(Op::Normalize { unit: 1, clamp: 8 }, &[current, mean, scale]);
            let both = push(Op::Concat, &[trunk, current]);
            let names = [format!("trunk{channel}"), format!("pixel{channel}")];
            let hidden = linear(&mut push, both, config.head, &[&names[0], &names[1]]);
            push(Op::Relu, &[hidden])
        };
        let node = linear(&mut push, features, parameters, &[&format!("head{channel}")]);
        let likelihood = Likelihood::LogisticMixture { components: config.components, mean, scale, unit: 1, floor: 12 };
        outputs.push(Output { channel, parameters: node, likelihood });
    }
    let spec = NetworkSpec {
        family: FAMILY.into(),
        symbols: Symbols { axes: vec![Axis::Row, Axis::Column], channels: 3, alphabet: 256, order: Order::Raster },
        conditions: Vec::new(),
        nodes,
        outputs,
    };
    (spec, Layers { trained, tone })
}
