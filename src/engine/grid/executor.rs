//! Runs a program for some examples at a time, symbol by symbol or all at once.
//!
//! What must stay true: step by step each value is computed once, from nothing but symbols that were set; both ways give the
//! same parameters.

use super::network::GridNetwork;
use super::store::Store;

/// Buffers for one thread. Examples are coded in lockstep: all are at the same step.
///
/// Step by step: [`begin`](Self::begin); then for each step in turn [`step`](Self::step), [`parameters`](Self::parameters)
/// of each example, [`set`](Self::set) its symbol. At once: [`all`](Self::all), then the parameters of any step.
#[derive(Debug)]
pub struct GridExecutor<'n> {
    network: &'n GridNetwork,
    store: Store,
    /// The next event of each node.
    next: Vec<usize>,
    /// Steps that were computed; all of them after [`all`](Self::all).
    steps: std::ops::Range<usize>,
}

impl<'n> GridExecutor<'n> {
    /// An executor without memory: the first examples get it.
    pub fn new(network: &'n GridNetwork) -> Self {
        Self { network, store: Store::default(), next: vec![], steps: 0..0 }
    }

    /// The network.
    pub fn network(&self) -> &'n GridNetwork {
        self.network
    }

    /// Examples that are computed.
    pub fn lanes(&self) -> usize {
        self.store.lanes
    }

    /// Begins `lanes` examples, of which no symbol is known. `classes` holds one for each, and is not looked at by a network
    /// without classes.
    ///
    /// # Panics
    /// If there is no example, or a class is missing or out of range.
    pub fn begin(&mut self, lanes: usize, classes: &[u32]) {
        self.lay(lanes, classes, false);
        self.next = vec![0; self.network.plans.len()];
        self.steps = 0..0;
    }

    fn lay(&mut self, lanes: usize, classes: &[u32], all: bool) {
        assert!(lanes > 0, "there is no example");
        self.store.lay(self.network, lanes, all);
        self.store.classes.clear();
        if let Some(count) = self.network.classes() {
            assert!(classes.len() == lanes && classes.iter().all(|c| *c < count), "an example's class");
            self.store.classes.extend(classes.iter().map(|c| *c as i16));
        }
    }

    /// Computes what can be computed now that all symbols before `step` are set.
    ///
    /// # Panics
    /// If steps are not taken in turn.
    pub fn step(&mut self, step: usize) {
        assert!(step == self.steps.end && step < self.network.symbols(), "steps are taken in turn");
        self.steps = step..step + 1;
        for id in 0..self.network.plans.len() {
            let events = &self.network.plans[id].events;
            let start = self.next[id];
            let mut end = start;
            while events.get(end).is_some_and(|e| e.time as usize <= step) {
                end += 1;
            }
            self.next[id] = end;
            let mut events = &events[start..end];
            while let Some(first) = events.first() {
                // Places one after the other of which the same values are computed.
                let follows = |(i, e): (usize, &super::schedule::Event)| {
                    e.place == first.place + i as u32 && (e.start, e.end) == (first.start, first.end)
                };
                let n = events.iter().enumerate().take_while(|(i, e)| follows((*i, e))).count();
                self.store.compute(self.network, id, first.place as usize, n, first.values());
                events = &events[n..];
            }
        }
    }

    /// Makes the symbol of a step known for one example.
    ///
    /// # Panics
    /// If it is not in the alphabet.
    #[inline]
    pub fn set(&mut self, step: usize, lane: usize, symbol: u16) {
        assert!(u32::from(symbol) < self.network.program().spec().symbols.alphabet && lane < self.store.lanes);
        self.store.symbols[step * self.store.lanes + lane] = symbol as i16;
    }

    /// Computes everything for examples in the order of the data; a short one is taken as if zeros followed. Memory grows
    /// with the number of examples times the values of all nodes at all places.
    ///
    /// # Panics
    /// As [`begin`](Self::begin); or if an example is too long or has a symbol that is not in the alphabet.
    pub fn all(&mut self, examples: &[&[u16]], classes: &[u32]) {
        self.lay(examples.len(), classes, true);
        let symbols = self.network.symbols();
        for (lane, example) in examples.iter().enumerate() {
            assert!(example.len() <= symbols, "an example is too long");
            for step in 0..symbols {
                let symbol = example.get(self.network.data_index(step)).copied().unwrap_or(0);
                self.set(step, lane, symbol);
            }
        }
        for id in 0..self.network.plans.len() {
            if self.network.plans[id].slots > 0 {
                let (count, width) = (self.network.places[id].count(), self.network.widths[id]);
                self.store.compute(self.network, id, 0, count, 0..width);
            }
        }
        self.steps = 0..symbols;
    }

    /// The parameters of a step's symbol: those of its channel, or of all channels that its output couples.
    ///
    /// # Panics
    /// If the step was not computed, or not last.
    #[inline]
    pub fn parameters(&self, step: usize, lane: usize) -> &[i16] {
        assert!(self.steps.contains(&step) && lane < self.store.lanes, "the step was not computed");
        let (node, values) = self.network.share(step);
        let place = self.network.places[node].at(step / usize::from(self.network.grid().channels));
        &self.store.view(self.network, node, place).row(lane)[values]
    }
}
