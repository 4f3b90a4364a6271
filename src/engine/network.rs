//! A program made ready for one kernel: packed weights and the plan of its execution, shared by all threads.

use super::kernels::{Kernel, Packed};
use super::program::{Params, Program};
use crate::likelihood::logistic::Mixture;
use crate::spec::{Likelihood, Offset, Op};
use std::sync::Arc;

/// A program and the kernel that it runs with.
#[derive(Debug)]
pub struct Network {
    program: Arc<Program>,
    kernel: Kernel,
    pub(super) widths: Vec<usize>,
    /// Linear layers, laid out for the kernels.
    pub(super) packed: Vec<Option<Packed>>,
    /// Nodes that can be computed once that many channels of the position are known.
    pub(super) stages: Vec<Vec<usize>>,
    /// Where a node's values are: another node's, if it changes nothing.
    pub(super) home: Vec<usize>,
    /// Straight runs of a window: first offset, length, place in the window.
    pub(super) runs: Vec<Vec<Run>>,
    lag: usize,
    reach: usize,
}

/// Offsets of a window that lie side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub first: Offset,
    pub length: usize,
    pub place: usize,
}

impl Network {
    /// Prepares a program.
    ///
    /// # Panics
    /// If this machine lacks the kernel.
    pub fn new(program: Arc<Program>, kernel: Kernel) -> Self {
        assert!(kernel.is_available(), "this machine has no {} instructions", kernel.name());
        let spec = program.spec();
        let widths = spec.widths().expect("a program's description was checked");
        let mut stage_of: Vec<usize> = Vec::new();
        let mut home = Vec::new();
        for (id, node) in spec.nodes.iter().enumerate() {
            let latest = node.inputs.iter().map(|i| stage_of[*i]).max().unwrap_or(0);
            stage_of.push(if let Op::Current { channels } = node.op { channels.into() } else { latest });
            // A rectifier after a layer whose outputs are never negative changes nothing.
            let idle = matches!(node.op, Op::Relu) && program.ranges(node.inputs[0]).iter().all(|r| r.low >= 0);
            home.push(if idle { home[node.inputs[0]] } else { id });
        }
        let mut stages = vec![Vec::new(); usize::from(spec.symbols.channels)];
        for (id, stage) in stage_of.iter().enumerate() {
            // What needs every channel of the position (nothing today) could feed no output.
            if home[id] == id && *stage < stages.len() {
                stages[*stage].push(id);
            }
        }
        let pack = |id| match program.params(id) {
            Params::Linear { weights, bias, shift, low, high } => Some(Packed::new(weights, bias, shift, *low, *high)),
            _ => None,
        };
        let packed = (0..spec.nodes.len()).map(pack).collect();
        let windows =
            spec.nodes.iter().map(|n| if let Op::Neighbours { offsets } = &n.op { &offsets[..] } else { &[] });
        let runs = windows.clone().map(runs_of).collect();
        let all = || windows.clone().flatten();
        let lag = 1 + all().filter(|o| o.row < 0).map(|o| o.column.max(0) as usize).max().unwrap_or(0);
        let reach = all().map(|o| o.row.unsigned_abs().max(o.column.unsigned_abs()).into()).max().unwrap_or(0);
        Self { widths, packed, stages, home, runs, lag, reach, kernel, program }
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }
    /// The kernel.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }
    /// The nodes that are computed once `stage` channels of the position are known, in order.
    pub fn stage_nodes(&self, stage: usize) -> &[usize] {
        &self.stages[stage]
    }
    /// How many columns a row must be ahead of the next one: the right reach of a window, plus one.
    pub fn lag(&self) -> usize {
        self.lag
    }
    /// The distribution of a channel: its parameters, then the local mean and the number of the local scale.
    ///
    /// # Panics
    /// If there are fewer values.
    #[inline]
    pub fn distribution(&self, channel: usize, row: &[i16]) -> Mixture<'_> {
        let [parameters @ .., mean, level] = row else { panic!("a distribution of {} values", row.len()) };
        self.mixture(channel, parameters, *mean, *level)
    }

    #[inline]
    pub(super) fn mixture(&self, channel: usize, parameters: &[i16], mean: i16, level: i16) -> Mixture<'_> {
        #[allow(irrefutable_let_patterns, reason = "more families will follow")]
        let Likelihood::LogisticMixture { components, .. } = &self.program.spec().outputs[channel].likelihood else {
            unreachable!("a program holds only distributions that can be run")
        };
        Mixture::new(self.program.tables(channel), parameters, (*components).into(), mean, level as usize)
    }

    /// The nodes of a channel's parameters, local mean and local scale.
    pub fn output(&self, channel: usize) -> [usize; 3] {
        let output = &self.program.spec().outputs[channel];
        #[allow(irrefutable_let_patterns, reason = "more families will follow")]
        let Likelihood::LogisticMixture { mean, scale, .. } = &output.likelihood else {
            unreachable!("a program holds only distributions that can be run")
        };
        [output.parameters, *mean, *scale]
    }

    /// Values that [`distribution`](Self::distribution) takes.
    pub fn row(&self, channel: usize) -> usize {
        self.widths[self.output(channel)[0]] + 2
    }

    /// Rows and columns that a window reaches, at most.
    pub fn reach(&self) -> usize {
        self.reach
    }
}

fn runs_of(offsets: &[Offset]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, o) in offsets.iter().enumerate() {
        match runs.last_mut() {
            Some(r)
                if r.first.row == o.row
                    && r.first.column + r.length as i16 == o.column
                    && r.length < super::field::BLOCK =>
            {
                r.length += 1;
            }
            _ => runs.push(Run { first: *o, length: 1, place }),
        }
    }
    runs
}
