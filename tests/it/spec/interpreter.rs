//! Executes a description on a small grid with hashes in place of arithmetic, straight from what the operations' text
//! says: a value changes (but for an accident of 64 bits) exactly when something that it depends on does.
//!
//! What must stay true: nothing here uses the crate's computation of causality.

use surprisal::spec::*;

/// Scrambles 64 bits, one to one.
fn mix(x: i64) -> i64 {
    let mut z = (x as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as i64
}

fn hash(parts: impl IntoIterator<Item = i64>) -> i64 {
    parts.into_iter().fold(1, |h, p| mix(h.rotate_left(7) ^ mix(p)))
}

/// A weight: odd, so that it never swallows a difference.
fn weight(node: usize, tap: usize, i: usize, o: usize) -> i64 {
    hash([node as i64, tap as i64, i as i64, o as i64]) | 1
}

/// A grid of symbols as coded: slice, position in raster order, channel.
pub struct Symbols {
    pub slices: usize,
    pub dims: [usize; 3],
    pub channels: usize,
    pub values: Vec<i64>,
}

impl Symbols {
    /// Some symbols.
    pub fn some(spec: &NetworkSpec, dims: [usize; 3]) -> Self {
        let (slices, channels) = (spec.slices() as usize, usize::from(spec.symbols.channels));
        let n = slices * dims.iter().product::<usize>() * channels;
        let value = |i| hash([i as i64, 77]).rem_euclid(i64::from(spec.symbols.alphabet));
        Self { slices, dims, channels, values: (0..n).map(value).collect() }
    }
    pub fn positions(&self) -> usize {
        self.dims.iter().product()
    }
    /// Slice, frame, row, column and channel of a symbol.
    pub fn place(&self, i: usize) -> [i64; 5] {
        let (p, c) = (i / self.channels, i % self.channels);
        let [f, r, col] = split(p % self.positions(), self.dims);
        [p / self.positions(), f, r, col, c].map(|v| v as i64)
    }
}

fn split(p: usize, dims: [usize; 3]) -> [usize; 3] {
    [p / (dims[1] * dims[2]), p / dims[2] % dims[1], p % dims[2]]
}

fn join(at: [i64; 3], dims: [usize; 3]) -> Option<usize> {
    let inside = (0..3).all(|i| (0..dims[i] as i64).contains(&at[i]));
    inside.then(|| (at[0] as usize * dims[1] + at[1] as usize) * dims[2] + at[2] as usize)
}

/// A node's values: slice, position, value.
struct Grid {
    dims: [usize; 3],
    stride: [usize; 3],
    /// Whether all positions are the same, so that the grid does not matter.
    same: bool,
    width: usize,
    values: Vec<i64>,
}

impl Grid {
    fn at(&self, slice: usize, p: usize) -> &[i64] {
        let p = if self.same { 0 } else { slice * self.dims.iter().product::<usize>() + p };
        &self.values[p * self.width..(p + 1) * self.width]
    }
    /// The values at a place, if it is inside.
    fn place(&self, slice: usize, at: [i64; 3]) -> Option<&[i64]> {
        join(at, self.dims).map(|p| self.at(slice, p))
    }
}

/// A digest of the distribution's parameters for every symbol.
pub fn digests(spec: &NetworkSpec, symbols: &Symbols) -> Vec<i64> {
    let widths = spec.widths().expect("valid");
    let mut grids: Vec<Grid> = vec![];
    for (id, &width) in widths.iter().enumerate() {
        let grid = execute(spec, id, width, &grids, symbols);
        assert_eq!(grid.width, width);
        grids.push(grid);
    }
    let (positions, channels) = (symbols.positions(), symbols.channels);
    let mut digests = vec![];
    for n in 0..symbols.slices * positions {
        let at = |node: NodeId| grids[node].at(n / positions, n % positions).to_vec();
        for (i, output) in spec.outputs.iter().enumerate() {
            let span = spec.output_channels(i);
            let values = at(output.parameters);
            let part = values.len() / span.len();
            for c in span.clone() {
                let own = values[(c - span.start) * part..(c - span.start + 1) * part].to_vec();
                digests.push(match &output.likelihood {
                    Likelihood::Bernoulli | Likelihood::Categorical | Likelihood::SignedMixture { .. } => hash(own),
                    Likelihood::LogisticMixture { mean, scale, .. } => hash([hash(own), at(*mean)[c], at(*scale)[0]]),
                    Likelihood::CoupledMixture { .. } => {
                        let before = &symbols.values[n * channels + span.start..n * channels + c];
                        hash(values.iter().chain(before).copied())
                    }
                });
            }
        }
    }
    digests
}

fn execute(spec: &NetworkSpec, id: usize, width: usize, grids: &[Grid], symbols: &Symbols) -> Grid {
    let node = &spec.nodes[id];
    let inputs: Vec<&Grid> = node.inputs.iter().map(|&i| &grids[i]).collect();
    let first = inputs.iter().find(|g| !g.same);
    let (mut dims, mut stride) = first.map_or((symbols.dims, [1; 3]), |g| (g.dims, g.stride));
    let mut same = first.is_none() && !inputs.is_empty();
    match &node.op {
        Op::Convolution { kernel, .. } => stride = [0, 1, 2].map(|i| stride[i] * usize::from(kernel.stride[i])),
        Op::Transposed { kernel, .. } => stride = [0, 1, 2].map(|i| stride[i] / usize::from(kernel.stride[i])),
        Op::Constant { .. } => same = true,
        Op::Condition { index } => match spec.conditions[usize::from(*index)] {
            Condition::Class { .. } => same = true,
            Condition::Grid { factors, .. } => stride = factors.map(usize::from),
        },
        _ => {}
    }
    (0..3).for_each(|i| dims[i] = symbols.dims[i].div_ceil(stride[i]));
    let mut grid = Grid { dims, stride, same, width: 0, values: vec![] };
    let mut state = vec![0i64; width];
    let count = if same { 1 } else { dims.iter().product() };
    for slice in 0..if same { 1 } else { symbols.slices } {
        for p in 0..count {
            let mut values = at_position(spec, id, width, &inputs, symbols, (slice, p), &grid);
            if let Op::Lstm { .. } = node.op {
                let step = |o: usize| hash([values[o]].into_iter().chain(state.iter().copied()).chain([o as i64]));
                values = (0..width).map(step).collect();
                state = values.clone();
            }
            grid.width = values.len();
            grid.values.extend(values);
        }
    }
    grid
}

/// The values of node `id` at one position; `grid` is its own, for the dimensions.
fn at_position(
    spec: &NetworkSpec,
    id: usize,
    width: usize,
    inputs: &[&Grid],
    symbols: &Symbols,
    (slice, p): (usize, usize),
    grid: &Grid,
) -> Vec<i64> {
    let node = &spec.nodes[id];
    let at = split(p, grid.dims).map(|v| v as i64);
    let x = |n: usize| inputs[n].at(slice, p).to_vec();
    let channels = symbols.channels;
    let sample = |slice: i64, at: [i64; 3], c: usize| match (usize::try_from(slice), join(at, symbols.dims)) {
        (Ok(s), Some(p)) => symbols.values[(s * symbols.positions() + p) * channels + c],
        _ => 0,
    };
    let offsets_of = |n: usize| match &spec.nodes[node.inputs[n]].op {
        Op::Neighbours { offsets } => offsets.len(),
        _ => 1,
    };
    match &node.op {
        Op::Neighbours { offsets } => {
            let all = (0..channels).flat_map(|c| offsets.iter().map(move |o| (c, o)));
            let shifted =
                |o: &Offset| [at[0] + i64::from(o.frame), at[1] + i64::from(o.row), at[2] + i64::from(o.column)];
            all.map(|(c, o)| sample(slice as i64, shifted(o), c)).collect()
        }
        Op::Current { channels } => (0..usize::from(*channels)).map(|c| sample(slice as i64, at, c)).collect(),
        Op::Slices { count } => {
            let back = 1..=i64::from(*count);
            back.flat_map(|s| (0..channels).map(move |c| (s, c)))
                .map(|(s, c)| sample(slice as i64 - s, at, c))
                .collect()
        }
        Op::Previous => match (slice * symbols.positions() + p).checked_sub(1) {
            Some(before) => symbols.values[before * channels..(before + 1) * channels].to_vec(),
            None => vec![0; channels],
        },
        Op::Condition { .. } => (0..width).map(|c| hash([id as i64, slice as i64, p as i64, c as i64])).collect(),
        Op::Coordinate { axis, divisor, modulus } => {
            let mut coordinates = vec![slice as i64];
            coordinates.drain(usize::from(symbols.slices > 1)..);
            coordinates.extend(&at[3 - spec.symbols.axes.len()..]);
            vec![coordinates[usize::from(*axis)] / i64::from(*divisor) % i64::from(*modulus)]
        }
        Op::Constant { outputs } => (0..*outputs as usize).map(|o| weight(id, 0, 0, o)).collect(),
        Op::LocalMean { a, b } => {
            let n = offsets_of(0);
            (0..channels).map(|c| hash([a, b].map(|&i| x(0)[c * n + usize::from(i)]))).collect()
        }
        Op::LocalScale { near } => {
            let n = offsets_of(0);
            let terms = (0..channels).flat_map(|c| near.iter().map(move |&i| c * n + usize::from(i)));
            vec![hash(terms.map(|i| x(0)[i]).chain(x(1)))]
        }
        Op::Normalize { .. } => {
            let n = offsets_of(0);
            x(0).iter().enumerate().map(|(i, &v)| hash([v, x(1)[i / n], x(2)[0]])).collect()
        }
        Op::Linear { .. } | Op::Lstm { .. } => matrix(id, width, &x(0), |_, _| true),
        Op::MaskedLinear { from, to } => matrix(id, width, &x(0), |i, o| from[i] <= to[o]),
        Op::Relu | Op::Activation { .. } => x(0).into_iter().map(mix).collect(),
        Op::LayerNorm => {
            let all = hash(x(0));
            x(0).into_iter().map(|v| hash([v, all])).collect()
        }
        Op::Add => x(0).iter().zip(x(1)).map(|(&a, b)| a.wrapping_add(b)).collect(),
        Op::Gate => x(0).iter().zip(x(1)).map(|(&a, b)| hash([a, b])).collect(),
        Op::Concat => (0..inputs.len()).flat_map(x).collect(),
        Op::Mirror => x(0).into_iter().chain(x(0).into_iter().map(i64::wrapping_neg)).collect(),
        Op::OneHot => {
            let values = (width / inputs[0].width) as i64;
            x(0).iter().flat_map(|&v| (0..values).map(move |k| i64::from(v.rem_euclid(values) == k))).collect()
        }
        Op::Embedding { outputs } => {
            let table =
                |(i, &v): (usize, &i64)| (0..i64::from(*outputs)).map(move |o| hash([id as i64, i as i64, v, o]));
            x(0).iter().enumerate().flat_map(table).collect()
        }
        Op::Select { start, width } => x(0)[*start as usize..][..*width as usize].to_vec(),
        Op::Convolution { kernel, mask, .. } => {
            let mut sum = vec![0i64; width];
            for tap in 0..kernel.size.iter().map(|&s| usize::from(s)).product() {
                let t = split(tap, kernel.size.map(usize::from));
                let shift =
                    [0, 1, 2].map(|i| (t[i] as i64 - i64::from(kernel.origin[i])) * i64::from(kernel.dilation[i]));
                let from = [0, 1, 2].map(|i| at[i] * i64::from(kernel.stride[i]) + shift[i]);
                let Some(values) = inputs[0].place(slice, from) else { continue };
                let open = |i: usize, o: usize| match mask {
                    Mask::Open => true,
                    Mask::Causal { groups, same } => {
                        let n = usize::from(*groups);
                        let (gi, go) = (i / (values.len() / n), o / (width / n));
                        shift < [0; 3] || shift == [0; 3] && (gi < go || *same && gi == go)
                    }
                };
                add_product(&mut sum, (id, tap), values, open);
            }
            sum
        }
        Op::Transposed { kernel, .. } => {
            let mut sum = vec![0i64; width];
            for tap in 0..kernel.size.iter().map(|&s| usize::from(s)).product() {
                let t = split(tap, kernel.size.map(usize::from));
                let step = kernel.stride.map(i64::from);
                let scaled = [0, 1, 2]
                    .map(|i| at[i] - (t[i] as i64 - i64::from(kernel.origin[i])) * i64::from(kernel.dilation[i]));
                if (0..3).any(|i| scaled[i].rem_euclid(step[i]) != 0) {
                    continue;
                }
                let from = [0, 1, 2].map(|i| scaled[i].div_euclid(step[i]));
                if let Some(values) = inputs[0].place(slice, from) {
                    add_product(&mut sum, (id, tap), values, |_, _| true);
                }
            }
            sum
        }
        Op::Attention { heads, pattern, side } => {
            let heads = usize::from(*heads);
            let part = |v: &[i64], h: usize| v[h * v.len() / heads..(h + 1) * v.len() / heads].to_vec();
            let mut sum = vec![0i64; width];
            for k in 0..grid.dims.iter().product() {
                if !attends(*pattern, *side, spec.symbols.axes.len(), grid.dims, p, k) {
                    continue;
                }
                let (keys, values) = (inputs[1].at(slice, k), inputs[2].at(slice, k));
                for (o, sum) in sum.iter_mut().enumerate() {
                    let h = o * heads / width;
                    let match_ = hash(part(&x(0), h).into_iter().chain(part(keys, h)));
                    *sum = sum.wrapping_add(hash([match_, values[o]]));
                }
            }
            sum
        }
    }
}

/// Whether position p looks at position k, by the text of [`Pattern`] and [`Side`].
fn attends(pattern: Pattern, side: Side, axes: usize, dims: [usize; 3], p: usize, k: usize) -> bool {
    let (a, b) = (split(p, dims), split(k, dims));
    let allowed = match side {
        Side::Earlier => k < p,
        Side::EarlierOrSame => k <= p,
        Side::Any => true,
    };
    let within = match pattern {
        Pattern::All => true,
        Pattern::Line { axis } => (0..3).all(|i| i == 3 - axes + usize::from(axis) || a[i] == b[i]),
        Pattern::Trailing { axes: n } => k <= p && p - k < dims[3 - usize::from(n)..].iter().product(),
        Pattern::Block { size } => (0..3).all(|i| a[i] / usize::from(size[i]) == b[i] / usize::from(size[i])),
        Pattern::Summary { block, last } => k % block as usize >= (block - last) as usize,
    };
    allowed && within
}

fn matrix(id: usize, width: usize, x: &[i64], open: impl Fn(usize, usize) -> bool) -> Vec<i64> {
    let mut sum: Vec<i64> = (0..width).map(|o| weight(id, 1 << 20, 0, o)).collect();
    add_product(&mut sum, (id, 0), x, open);
    sum
}

fn add_product(sum: &mut [i64], (id, tap): (usize, usize), x: &[i64], open: impl Fn(usize, usize) -> bool) {
    for (o, sum) in sum.iter_mut().enumerate() {
        for (i, &v) in x.iter().enumerate().filter(|&(i, _)| open(i, o)) {
            *sum = sum.wrapping_add(v.wrapping_mul(weight(id, tap, i, o)));
        }
    }
}
