//! Which symbols each output can see, computed from the description.
//!
//! Every value of every node has a [`Reach`]; an operation maps the reaches of its inputs to its own. What the weights make
//! of it does not matter: a reach holds what any weights could use.
//!
//! What must stay true: a reach holds every symbol on which a value can depend, so a description that
//! [`NetworkSpec::check_causal`] accepts can be decoded. A new operation states its reach here or does not compile. What is
//! put in place of a neighbour beyond the border is no part of it: that must come from symbols coded earlier, too.

use super::check::SpecError;
use super::flow::{Flow, KEEP};
use super::reach::{Budget, CHANNEL, COORDINATES, EVERYWHERE, Reach, Term, TooComplex};
use super::shapes::Shape;
use super::{Kernel, Likelihood, Mask, NetworkSpec, Offset, Op, Pattern, Side};
use std::rc::Rc;

/// Work that a description may ask for: some tenths of a second, some tens of megabytes.
const WORK: u64 = 1 << 22;

/// The current position.
const HERE: Term = Term { low: [0; COORDINATES], high: [0; COORDINATES] };

/// The sample of a channel at a relative slice and offset.
fn sample(slice: i64, o: Offset, channel: i64) -> Term {
    Term::point([slice, i64::from(o.frame), i64::from(o.row), i64::from(o.column), channel])
}

impl NetworkSpec {
    /// What the distribution of each channel depends on.
    pub fn receptive_fields(&self) -> Result<Vec<Reach>, SpecError> {
        self.widths()?;
        let shapes = self.shapes()?;
        let mut budget = Budget(WORK);
        let mut flows: Vec<Flow> = Vec::with_capacity(self.nodes.len());
        for id in 0..self.nodes.len() {
            let flow = self.flow(id, &shapes, &flows, &mut budget).and_then(|f| budget.spend(f.runs()).map(|()| f));
            let flow = flow.map_err(|TooComplex| SpecError::TooComplex { node: id })?;
            debug_assert_eq!(flow.width(), shapes[id].width, "node {id}");
            flows.push(flow);
        }
        let mut fields = Vec::with_capacity(usize::from(self.symbols.channels));
        for n in 0..self.outputs.len() {
            let node = self.outputs[n].parameters;
            for c in self.output_channels(n) {
                let field = self.field(n, c, &flows, &mut budget);
                fields.push(field.map_err(|TooComplex| SpecError::TooComplex { node })?);
            }
        }
        Ok(fields)
    }

    /// Refuses a description in which a distribution depends on its own symbol or one coded later (or at the same time).
    pub fn check_causal(&self) -> Result<(), SpecError> {
        for (c, field) in self.receptive_fields()?.iter().enumerate() {
            let future = self.not_earlier(c as i64);
            if let Some(seen) = field.terms().iter().flat_map(|t| future.iter().filter_map(|f| t.intersect(f))).next() {
                let near = |i: usize| 0i64.clamp(seen.low[i], seen.high[i]);
                let place = [near(0), near(1), near(2), near(3)];
                return Err(SpecError::NotCausal { channel: c as u16, place, of: near(CHANNEL) as u16 });
            }
        }
        Ok(())
    }

    /// How many columns a row must lag behind the row above when rows are coded side by side, so that every symbol that an
    /// output sees (inside the grid) is there; none if no lag is enough. What stands for missing symbols at the grid's
    /// border may need more: see [`Network::lag`](crate::engine::Network::lag).
    pub fn wavefront_lag(&self) -> Result<Option<u32>, SpecError> {
        const ROW: usize = 2;
        let mut lag = 0;
        for field in self.receptive_fields()? {
            for t in field.terms().iter().filter(|t| t.high[0] == 0 && t.high[1] == 0 && t.low[ROW] < 0) {
                if t.high[ROW + 1] >= EVERYWHERE {
                    return Ok(None);
                }
                let rows = (-t.high[ROW]).max(1);
                lag = lag.max(t.high[ROW + 1].div_euclid(rows) + 1);
            }
        }
        Ok(u32::try_from(lag).ok())
    }

    /// The coordinates of a reach along which positions differ within a slice.
    fn axes(&self) -> std::ops::Range<usize> {
        CHANNEL - self.symbols.axes.len()..CHANNEL
    }

    /// A box that is the position itself, but `bounds` along coordinate `at` and `after` along all later axes.
    fn ahead(&self, at: usize, bounds: (i64, i64), after: (i64, i64)) -> Term {
        let mut t = HERE;
        for i in self.axes().filter(|&i| i > at) {
            (t.low[i], t.high[i]) = after;
        }
        (t.low[at], t.high[at]) = bounds;
        t
    }

    /// All symbols that are not there when channel `channel` is coded.
    fn not_earlier(&self, channel: i64) -> Vec<Term> {
        const ANY: (i64, i64) = (-EVERYWHERE, EVERYWHERE);
        let mut terms = vec![self.ahead(0, (1, EVERYWHERE), ANY)];
        for i in self.axes() {
            terms.push(self.ahead(i, (1, EVERYWHERE), ANY));
            if self.is_parallel() {
                terms.push(self.ahead(i, (-EVERYWHERE, -1), ANY));
            }
        }
        terms.iter_mut().for_each(|t| t.high[CHANNEL] = EVERYWHERE);
        let mut own = HERE;
        (own.low[CHANNEL], own.high[CHANNEL]) = (channel, EVERYWHERE);
        terms.push(own);
        terms
    }

    /// The places of the slice that are coded earlier, on a grid with steps of `step`; those of earlier slices too if asked.
    fn earlier(&self, step: [i64; 3], slices: bool, budget: &mut Budget) -> Result<Reach, TooComplex> {
        let mut past = Reach::default();
        for i in self.axes() {
            past.insert(self.ahead(i, (-EVERYWHERE, -step[i - 1]), (-EVERYWHERE, EVERYWHERE)), budget)?;
        }
        if slices && self.slices() > 1 {
            past.insert(self.ahead(0, (-EVERYWHERE, -1), (-EVERYWHERE, EVERYWHERE)), budget)?;
        }
        Ok(past)
    }

    /// The places that a kernel's taps read: `direction` is 1 forward, -1 transposed.
    fn taps(k: &Kernel, step: [i64; 3], direction: i64, budget: &mut Budget) -> Result<Reach, TooComplex> {
        let mut boxes = vec![HERE];
        for (i, step) in step.into_iter().enumerate() {
            let apart = i64::from(k.dilation[i]) * step;
            let first = -i64::from(k.origin[i]) * apart;
            let last = first + (i64::from(k.size[i]) - 1) * apart;
            let runs: Vec<(i64, i64)> = match apart {
                1 => vec![(first, last)],
                _ => (0..i64::from(k.size[i])).map(|t| (first + t * apart, first + t * apart)).collect(),
            };
            budget.spend(boxes.len() * runs.len())?;
            let with = |t: &Term, &(a, b): &(i64, i64)| {
                let mut t = *t;
                (t.low[i + 1], t.high[i + 1]) = if direction > 0 { (a, b) } else { (-b, -a) };
                t
            };
            boxes = boxes.iter().flat_map(|t| runs.iter().map(move |r| with(t, r))).collect();
        }
        let mut taps = Reach::default();
        boxes.into_iter().try_for_each(|t| taps.insert(t, budget))?;
        Ok(taps)
    }

    /// The places that attention looks at.
    fn places(&self, pattern: Pattern, side: Side, step: [i64; 3], budget: &mut Budget) -> Result<Reach, TooComplex> {
        let mut reach = Reach::default();
        let axes = self.axes();
        let open = |t: &mut Term, i: usize| (t.low[i], t.high[i]) = (-EVERYWHERE, EVERYWHERE);
        let mut around = HERE;
        match pattern {
            Pattern::All | Pattern::Summary { .. } => axes.for_each(|i| open(&mut around, i)),
            Pattern::Line { axis } => open(&mut around, axes.start + usize::from(axis)),
            Pattern::Block { size } => {
                for i in axes {
                    let most = (i64::from(size[i - 1]) - 1) * step[i - 1];
                    (around.low[i], around.high[i]) = (-most, most);
                }
            }
            Pattern::Trailing { axes: n } => {
                let tail = CHANNEL - usize::from(n)..CHANNEL;
                tail.clone().for_each(|i| open(&mut around, i));
                // Counting back across the start of the axes in front: one step along `carry`, then from the far end.
                for carry in axes.start..tail.start {
                    for later in tail.clone() {
                        let mut t = self.ahead(carry, (-step[carry - 1], -step[carry - 1]), (0, EVERYWHERE));
                        (tail.start..later).for_each(|i| (t.low[i], t.high[i]) = (0, 0));
                        (t.low[later], t.high[later]) = (step[later - 1], EVERYWHERE);
                        (later + 1..CHANNEL).for_each(|i| open(&mut t, i));
                        reach.insert(t, budget)?;
                    }
                }
            }
        }
        reach.insert(around, budget)?;
        if side == Side::Any {
            return Ok(reach);
        }
        let mut allowed = self.earlier(step, false, budget)?;
        if side == Side::EarlierOrSame {
            allowed.insert(HERE, budget)?;
        }
        reach.intersect(&allowed, budget)
    }

    /// What the values of node `id` see.
    fn flow(&self, id: usize, shapes: &[Shape], flows: &[Flow], budget: &mut Budget) -> Result<Flow, TooComplex> {
        let node = &self.nodes[id];
        let width = shapes[id].width;
        let input = |n: usize| &flows[node.inputs[n]];
        let neighbours = |n: usize| match &self.nodes[node.inputs[n]].op {
            Op::Neighbours { offsets } => offsets.as_slice(),
            _ => &[],
        };
        let step_of = |id: usize| shapes[id].stride.unwrap_or([1; 3]).map(i64::from);
        let step = step_of(id);
        let channels = 0..i64::from(self.symbols.channels);
        let here = Offset::new(0, 0);
        Ok(match &node.op {
            Op::Neighbours { offsets } => {
                Flow::samples(channels.flat_map(|c| offsets.iter().map(move |&o| sample(0, o, c))), budget)?
            }
            Op::Current { channels: n } => Flow::samples((0..i64::from(*n)).map(|c| sample(0, here, c)), budget)?,
            Op::Slices { count } => {
                let latest = (1..=i64::from(*count)).flat_map(|s| channels.clone().map(move |c| sample(-s, here, c)));
                Flow::samples(latest, budget)?
            }
            Op::Previous => {
                let axes = self.axes().chain((self.slices() > 1).then_some(0));
                let mut places = Reach::default();
                axes.map(|i| self.ahead(i, (-1, -1), (0, EVERYWHERE))).try_for_each(|t| places.insert(t, budget))?;
                let mut flow = Flow::default();
                for c in channels {
                    budget.spend(KEEP)?;
                    let mut own = Reach::default();
                    own.insert(sample(0, here, c), budget)?;
                    flow.push(1, Rc::new(own.seen_from(&places, budget)?));
                }
                flow
            }
            Op::Condition { .. } | Op::Coordinate { .. } | Op::Constant { .. } => {
                Flow::uniform(Reach::default(), width)
            }
            Op::LocalMean { a, b } => {
                let pair = [a, b].map(|&i| neighbours(0)[usize::from(i)]);
                let [a, b] = pair.map(|o| Flow::samples(channels.clone().map(|c| sample(0, o, c)), budget));
                a?.pairwise(&b?, budget)?
            }
            Op::LocalScale { near } => {
                let mut reach = input(1).all(budget)?;
                for c in channels {
                    near.iter().try_for_each(|&i| reach.insert(sample(0, neighbours(0)[usize::from(i)], c), budget))?;
                }
                Flow::uniform(reach, width)
            }
            Op::Normalize { .. } => {
                // The means of the channels of x: all of them, each as often as there are neighbours, or the first ones.
                let means = input(1).repeat(neighbours(0).len().max(1));
                let mut own = Flow::default();
                own.append(&means, 0..width, budget)?;
                input(0).pairwise(&own, budget)?.pairwise(&input(2).repeat(width), budget)?
            }
            Op::Relu | Op::Activation { .. } => input(0).clone(),
            Op::Linear { .. } | Op::LayerNorm => Flow::uniform(input(0).all(budget)?, width),
            Op::Add | Op::Gate => input(0).pairwise(input(1), budget)?,
            Op::Concat | Op::Mirror => {
                let twice = if node.op == Op::Mirror { 2 } else { 1 };
                let mut flow = Flow::default();
                for &i in node.inputs.iter().cycle().take(twice * node.inputs.len()) {
                    flow.append(&flows[i], 0..flows[i].width(), budget)?;
                }
                flow
            }
            Op::OneHot | Op::Embedding { .. } => input(0).repeat(width / input(0).width()),
            Op::Select { start, width } => {
                let mut flow = Flow::default();
                flow.append(input(0), *start as usize..*start as usize + *width as usize, budget)?;
                flow
            }
            Op::MaskedLinear { from, to } => input(0).masked_linear(from, to, budget)?,
            Op::Convolution { kernel, mask, .. } => {
                let taps = Self::taps(kernel, step_of(node.inputs[0]), 1, budget)?;
                match mask {
                    Mask::Open => Flow::uniform(input(0).all(budget)?.seen_from(&taps, budget)?, width),
                    Mask::Causal { groups, same } => {
                        let before = taps.intersect(&self.earlier(step, false, budget)?, budget)?;
                        let mut seen = Rc::new(input(0).all(budget)?.seen_from(&before, budget)?);
                        let (groups, part) = (usize::from(*groups), input(0).width() / usize::from(*groups));
                        let mut flow = Flow::default();
                        for g in 0..groups {
                            budget.spend(KEEP)?;
                            let earlier_groups = seen.clone();
                            if taps.contains(HERE.low) {
                                let mut more = input(0).union(g * part..(g + 1) * part, budget)?;
                                more.unite(&seen, budget)?;
                                seen = Rc::new(more);
                            }
                            flow.push(width / groups, if *same { seen.clone() } else { earlier_groups });
                        }
                        flow
                    }
                }
            }
            Op::Transposed { kernel, .. } => {
                let taps = Self::taps(kernel, step, -1, budget)?;
                Flow::uniform(input(0).all(budget)?.seen_from(&taps, budget)?, width)
            }
            Op::Lstm { .. } => {
                let mut places = self.earlier(step, true, budget)?;
                places.insert(HERE, budget)?;
                Flow::uniform(input(0).all(budget)?.seen_from(&places, budget)?, width)
            }
            Op::Attention { pattern, side, .. } => {
                let places = self.places(*pattern, *side, step, budget)?;
                let mut seen = input(1).all(budget)?;
                seen.unite(&input(2).all(budget)?, budget)?;
                let mut reach = seen.seen_from(&places, budget)?;
                reach.unite(&input(0).all(budget)?, budget)?;
                Flow::uniform(reach, width)
            }
        })
    }

    /// What the distribution of channel `channel` of output `n` depends on.
    fn field(&self, n: usize, channel: usize, flows: &[Flow], budget: &mut Budget) -> Result<Reach, TooComplex> {
        let output = &self.outputs[n];
        let span = self.output_channels(n);
        let flow = &flows[output.parameters];
        let (each, at) = (flow.width() / span.len(), channel - span.start);
        let own = |budget: &mut Budget| flow.union(at * each..(at + 1) * each, budget);
        match &output.likelihood {
            Likelihood::Bernoulli | Likelihood::Categorical | Likelihood::SignedMixture { .. } => own(budget),
            Likelihood::LogisticMixture { mean, scale, .. } => {
                let mut reach = own(budget)?;
                reach.unite(&flows[*mean].union(channel..channel + 1, budget)?, budget)?;
                reach.unite(&flows[*scale].all(budget)?, budget)?;
                Ok(reach)
            }
            Likelihood::CoupledMixture { .. } => {
                let mut reach = flow.all(budget)?;
                let mut before = span.start..channel;
                before.try_for_each(|c| reach.insert(sample(0, Offset::new(0, 0), c as i64), budget))?;
                Ok(reach)
            }
        }
    }
}
