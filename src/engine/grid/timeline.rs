//! When each value can be computed: after how many symbols of the coding order it is known what it depends on.
//!
//! What must stay true: a value is never called ready before the last symbol that it depends on; values that are ready
//! together, wherever the place, are one run.

use super::network::GridError;
use super::places::{Places, Taps, View};
use crate::spec::{Mask, NetworkSpec, NodeId, Op};
use std::sync::Arc;

/// When the values of a node are ready.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// Where each run of values ends.
    pub ends: Arc<[u32]>,
    /// `[place][run]`: how many symbols must be known.
    pub ready: Arc<[u32]>,
    /// `[place]`: when all runs are.
    pub all: Arc<[u32]>,
}

/// Most numbers of a timeline, or events of a schedule, all nodes together.
pub(super) const MAX_EVENTS: usize = 1 << 24;

impl Timeline {
    fn new(ends: Vec<u32>, ready: Vec<u32>) -> Self {
        let runs = ends.len();
        let ready: Arc<[u32]> = ready.into();
        let latest = |r: &[u32]| r.iter().copied().max().unwrap_or(0);
        let all = if runs == 1 { Arc::clone(&ready) } else { ready.chunks_exact(runs).map(latest).collect() };
        Self { ends: ends.into(), ready, all }
    }

    /// All values at one time.
    fn uniform(width: usize, ready: Vec<u32>) -> Self {
        Self::new(vec![width as u32], ready)
    }

    /// Runs of a place.
    pub fn at(&self, place: usize) -> &[u32] {
        &self.ready[place * self.ends.len()..][..self.ends.len()]
    }

    /// The run of a value.
    fn run(&self, value: u32) -> usize {
        self.ends.partition_point(|e| *e <= value)
    }

    /// When the values of a range are ready.
    pub fn of(&self, place: usize, values: std::ops::Range<u32>) -> u32 {
        let runs = self.run(values.start)..self.run(values.end - 1) + 1;
        self.at(place)[runs].iter().copied().max().unwrap_or(0)
    }

    /// Whether nothing depends on any symbol.
    pub fn is_constant(&self) -> bool {
        self.all.iter().all(|r| *r == 0)
    }
}

/// The timelines of all nodes.
pub(super) fn timelines(
    spec: &NetworkSpec,
    widths: &[usize],
    places: &[Places],
    taps: &[Option<Taps>],
) -> Result<Vec<Timeline>, GridError> {
    let mut lines: Vec<Timeline> = Vec::with_capacity(spec.nodes.len());
    let mut numbers = 0usize;
    for (id, op) in spec.nodes.iter().map(|n| &n.op).enumerate() {
        // At most so many runs: those of the inputs, one a group, or one a value.
        let inputs = &spec.nodes[id].inputs;
        let most = inputs.iter().map(|&i| lines[i].ends.len()).sum::<usize>();
        let most = match op {
            Op::Current { .. } | Op::MaskedLinear { .. } => widths[id],
            Op::Convolution { mask: Mask::Causal { groups, .. }, .. } => usize::from(*groups),
            Op::Mirror => 2 * most,
            _ => most.max(1),
        };
        numbers = numbers.saturating_add(most.saturating_mul(places[id].count()));
        if numbers > MAX_EVENTS {
            return Err(GridError::TooLarge);
        }
        lines.push(timeline(spec, id, widths, places, taps, &lines));
    }
    Ok(lines)
}

fn timeline(
    spec: &NetworkSpec,
    id: NodeId,
    widths: &[usize],
    places: &[Places],
    taps: &[Option<Taps>],
    lines: &[Timeline],
) -> Timeline {
    let node = &spec.nodes[id];
    let (own, width) = (&places[id], widths[id]);
    let count = own.count();
    let input = |n: usize| &lines[node.inputs[n]];
    let grid = |n: usize| &places[node.inputs[n]];
    let channels = u32::from(spec.symbols.channels);
    let each = |ready: &dyn Fn(usize) -> u32| Timeline::uniform(width, (0..count).map(ready).collect());
    match &node.op {
        Op::Current { .. } => {
            let ready = (0..count as u32).flat_map(|p| (1..=width as u32).map(move |c| p * channels + c));
            Timeline::new((1..=width as u32).collect(), ready.collect())
        }
        Op::Previous => each(&|p| p as u32 * channels),
        Op::Relu | Op::Activation { .. } => input(0).clone(),
        Op::OneHot | Op::Embedding { .. } => {
            let factor = (width / widths[node.inputs[0]]) as u32;
            Timeline { ends: input(0).ends.iter().map(|e| e * factor).collect(), ..input(0).clone() }
        }
        Op::Add | Op::Gate => {
            let (a, b) = (input(0), input(1));
            if a.ends == b.ends && Arc::ptr_eq(&a.ready, &b.ready) {
                return a.clone();
            }
            let mut ends: Vec<u32> = a.ends.iter().chain(b.ends.iter()).copied().collect();
            ends.sort_unstable();
            ends.dedup();
            let pairs: Vec<_> = ends.iter().map(|e| (a.run(e - 1), b.run(e - 1))).collect();
            let ready = (0..count).flat_map(|p| {
                let (a, b) = (a.at(grid(0).at(p)), b.at(grid(1).at(p)));
                pairs.iter().map(|&(i, k)| a[i].max(b[k]))
            });
            let ready = ready.collect();
            Timeline::new(ends, ready)
        }
        Op::Concat | Op::Mirror => {
            let twice = if matches!(node.op, Op::Mirror) { 2 } else { 1 };
            let parts: Vec<usize> = (0..node.inputs.len()).cycle().take(twice * node.inputs.len()).collect();
            let (mut ends, mut base) = (Vec::new(), 0);
            for &n in &parts {
                ends.extend(input(n).ends.iter().map(|e| e + base));
                base += widths[node.inputs[n]] as u32;
            }
            let ready = (0..count).flat_map(|p| parts.iter().flat_map(move |&n| input(n).at(grid(n).at(p)).to_vec()));
            let ready = ready.collect();
            Timeline::new(ends, ready)
        }
        Op::Select { start, width } => {
            let x = input(0);
            let runs = x.run(*start)..x.run(start + width - 1) + 1;
            let ends = x.ends[runs.clone()].iter().map(|e| (*e).min(start + width) - start).collect();
            Timeline::new(ends, (0..count).flat_map(|p| x.at(p)[runs.clone()].to_vec()).collect())
        }
        Op::MaskedLinear { from, to } => masked(from, to, input(0), count),
        Op::Linear { .. } => {
            Timeline { ends: [width as u32].into(), ready: input(0).all.clone(), all: input(0).all.clone() }
        }
        Op::Convolution { .. } | Op::Transposed { .. } => {
            let taps = taps[id].as_ref().expect("it has a kernel");
            let Op::Convolution { mask: Mask::Causal { groups, same }, .. } = &node.op else {
                let read = |p| taps.read(own, grid(0), p).flatten().map(|q| input(0).all[q]).max().unwrap_or(0);
                return each(&read);
            };
            let (groups, x) = (u32::from(*groups), input(0));
            let (own_width, in_width) = (width as u32 / groups, widths[node.inputs[0]] as u32 / groups);
            let mut ready = Vec::with_capacity(count * groups as usize);
            for p in 0..count {
                // A masked kernel has no stride: what it reads lies before p, or is p.
                let earlier = taps.read(own, grid(0), p).flatten().filter(|q| *q < p).map(|q| x.all[q]).max();
                let here = taps.read(own, grid(0), p).flatten().any(|q| q == p);
                let mut latest = earlier.unwrap_or(0);
                for g in 0..groups {
                    let before = latest;
                    if here {
                        latest = latest.max(x.of(p, g * in_width..(g + 1) * in_width));
                    }
                    ready.push(if *same { latest } else { before });
                }
            }
            Timeline::new((1..=groups).map(|g| g * own_width).collect(), ready)
        }
        Op::Lstm { .. } => {
            let mut latest = 0;
            let step = |p: usize| {
                latest = latest.max(input(0).all[grid(0).at(p)]);
                latest
            };
            let ready = (0..count).map(step).collect();
            Timeline::uniform(width, ready)
        }
        Op::Attention { .. } => {
            let view = View::new(&node.op, spec.symbols.axes.len()).expect("it is attention");
            let (q, k, v) = (input(0), input(1), input(2));
            let source = |p: usize| k.all[grid(1).at(p)].max(v.all[grid(2).at(p)]);
            let query = |p: usize| q.all[grid(0).at(p)];
            if view.prefix(0).is_some() {
                let (mut latest, mut end) = (0, 0);
                let step = |p: usize| {
                    while end < view.prefix(p).unwrap_or(0) {
                        latest = latest.max(source(end));
                        end += 1;
                    }
                    latest.max(query(p))
                };
                let ready = (0..count).map(step).collect();
                return Timeline::uniform(width, ready);
            }
            each(&|p| {
                let mut latest = query(p);
                view.each(own, p, |k| latest = latest.max(source(k)));
                latest
            })
        }
        // What does not depend on symbols.
        _ => Timeline::uniform(width, vec![0; count]),
    }
}

/// A masked layer: neighbouring outputs of one degree are a run.
fn masked(from: &[u16], to: &[u16], x: &Timeline, count: usize) -> Timeline {
    let mut order: Vec<u32> = (0..from.len() as u32).collect();
    order.sort_by_key(|i| from[*i as usize]);
    let degrees: Vec<u16> = order.iter().map(|i| from[*i as usize]).collect();
    let runs: Vec<usize> = order.iter().map(|i| x.run(*i)).collect();
    let ends: Vec<u32> = (1..=to.len()).filter(|&e| e == to.len() || to[e] != to[e - 1]).map(|e| e as u32).collect();
    let seen: Vec<usize> = ends.iter().map(|e| degrees.partition_point(|d| *d <= to[*e as usize - 1])).collect();
    let mut ready = Vec::with_capacity(count * ends.len());
    let mut latest = vec![0; from.len() + 1];
    for p in 0..count {
        let times = x.at(p);
        for (i, run) in runs.iter().enumerate() {
            latest[i + 1] = latest[i].max(times[*run]);
        }
        ready.extend(seen.iter().map(|n| latest[*n]));
    }
    Timeline::new(ends, ready)
}
