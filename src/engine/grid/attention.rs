//! Attention over the places that are kept.
//!
//! What must stay true: sums are exact, so their order does not matter.

use super::network::GridNetwork;
use super::places;
use super::store::Store;
use crate::engine::kernels::ViewMut;
use crate::engine::program::Params;
use crate::spec::{NodeId, Op};

impl Store {
    /// Attention at one place.
    pub(super) fn attend(&mut self, network: &GridNetwork, id: NodeId, place: usize, mut out: ViewMut) {
        let program = network.program();
        let node = &program.spec().nodes[id];
        let (Op::Attention { heads, .. }, Params::Attention { multiplier, shift, exp }) =
            (&node.op, program.params(id))
        else {
            unreachable!("it is attention");
        };
        let view = places::View::new(&node.op, program.spec().symbols.axes.len()).expect("it is attention");
        let mut seen = Vec::new();
        view.each(&network.places[id], place, |k| seen.push(k));
        let [queries, keys, values] = [0, 1, 2].map(|n| node.inputs[n]);
        let heads = usize::from(*heads);
        let (key, value) = (network.widths[keys] / heads, network.widths[values] / heads);
        let at = |input: NodeId, p: usize| self.view(network, input, network.places[input].at(p));
        let keys: Vec<_> = seen.iter().map(|k| at(keys, *k)).collect();
        let values: Vec<_> = seen.iter().map(|k| at(values, *k)).collect();
        let queries = at(queries, place);
        // Whether sums of products fit 32 bits, which is faster.
        let ranges = program.ranges(node.inputs[0]).iter().zip(program.ranges(node.inputs[1]));
        let narrow = ranges.map(|(q, k)| q.magnitude() * k.magnitude()).sum::<i64>() < 1 << 31;
        let (mut scores, mut sums) = (vec![0i64; seen.len()], vec![0i64; value]);
        for lane in 0..self.lanes {
            let out = out.row(lane);
            for head in 0..heads {
                let q = &queries.row(lane)[head * key..][..key];
                for (score, k) in scores.iter_mut().zip(&keys) {
                    let k = &k.row(lane)[head * key..][..key];
                    let products = q.iter().zip(k).map(|(a, b)| i32::from(*a) * i32::from(*b));
                    *score = if narrow { products.sum::<i32>().into() } else { products.map(i64::from).sum() };
                }
                let best = scores.iter().copied().max().unwrap_or(0);
                sums.fill(0);
                let mut total = 0i64;
                for (score, v) in scores.iter().zip(&values) {
                    let index = ((best - score) * i64::from(*multiplier)) >> shift;
                    let weight = i64::from(exp[(index as usize).min(exp.len() - 1)]);
                    total += weight;
                    for (sum, v) in sums.iter_mut().zip(&v.row(lane)[head * value..][..value]) {
                        *sum += weight * i64::from(*v);
                    }
                }
                for (sum, out) in sums.iter().zip(&mut out[head * value..][..value]) {
                    *out = if total == 0 { 0 } else { (2 * sum + total).div_euclid(2 * total) as i16 };
                }
            }
        }
    }
}
