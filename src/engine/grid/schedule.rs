//! Which values are computed at which step, and how many places of each node are kept.
//!
//! What must stay true: each value is computed once, after everything that it depends on and before anything that reads it;
//! no place is overwritten while something will read it.

use super::network::{GridError, Home};
use super::places::{Places, Taps, View};
use super::timeline::{MAX_EVENTS, Timeline};
use crate::spec::{NetworkSpec, NodeId, Op};
use std::ops::Range;

/// Values of a place that are computed at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    /// The step: so many symbols are known.
    pub time: u32,
    pub place: u32,
    /// The first value.
    pub start: u32,
    /// The last, exclusive.
    pub end: u32,
}

impl Event {
    pub fn values(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What happens to a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// By time, then place. None for nodes that are part of another or that no output needs.
    pub events: Vec<Event>,
    /// Places that are kept: place p lies in slot `p % slots`.
    pub slots: usize,
}

/// What the schedule is made from.
pub(super) struct Parts<'p> {
    pub spec: &'p NetworkSpec,
    pub widths: &'p [usize],
    pub places: &'p [Places],
    pub taps: &'p [Option<Taps>],
    pub homes: &'p [Home],
    pub needed: &'p [bool],
    pub lines: &'p [Timeline],
    /// Number of symbols.
    pub steps: u32,
}

/// From the first to the last step at which a place is read.
#[derive(Debug, Clone, Copy)]
struct Use {
    first: u32,
    last: u32,
}

const NEVER: Use = Use { first: u32::MAX, last: 0 };

impl Use {
    fn add(&mut self, other: Use) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// The plan of each node.
pub(super) fn plans(parts: &Parts) -> Result<Vec<Plan>, GridError> {
    let spec = parts.spec;
    let channels = u32::from(spec.symbols.channels);
    let mut uses: Vec<Vec<Use>> = spec.nodes.iter().map(|_| vec![]).collect();
    for (id, uses) in uses.iter_mut().enumerate() {
        if parts.needed[id] && parts.homes[id].node == id {
            *uses = vec![NEVER; parts.places[id].count()];
        }
    }
    for (n, output) in spec.outputs.iter().enumerate() {
        let span = spec.output_channels(n);
        for p in 0..parts.steps / channels {
            let own = Use { first: p * channels + span.start as u32, last: p * channels + span.end as u32 - 1 };
            let node = output.parameters;
            uses[parts.homes[node].node][parts.places[node].at(p as usize)].add(own);
        }
    }
    let mut plans: Vec<Plan> = spec.nodes.iter().map(|_| Plan::default()).collect();
    let mut total = 0;
    // A node's readers stand behind it.
    for id in (0..spec.nodes.len()).rev() {
        let mut own = std::mem::take(&mut uses[id]);
        if own.is_empty() {
            continue;
        }
        let events = events(parts, id, &own, &mut total)?;
        let mut spans = vec![NEVER; own.len()];
        for e in &events {
            spans[e.place as usize].add(Use { first: e.time, last: e.time });
        }
        read(parts, id, &spans, &mut uses);
        for (own, span) in own.iter_mut().zip(&spans) {
            *own =
                if span.first == u32::MAX { NEVER } else { Use { first: span.first, last: own.last.max(span.last) } };
        }
        plans[id] = Plan { events, slots: slots(&own) };
    }
    Ok(plans)
}

/// When the values of a node are computed: as soon as they can be, or, if they depend on no symbol, when they are needed.
fn events(parts: &Parts, id: NodeId, uses: &[Use], total: &mut usize) -> Result<Vec<Event>, GridError> {
    let line = &parts.lines[id];
    let whole = parts.widths[id] as u32;
    // A state goes on through places that nothing else reads.
    let kept = match parts.spec.nodes[id].op {
        Op::Lstm { .. } => uses.iter().rposition(|u| u.first < u32::MAX).map_or(0, |p| p + 1),
        _ => 0,
    };
    let constant = line.is_constant() && kept == 0;
    let mut events = Vec::new();
    for (place, used) in uses.iter().enumerate().filter(|(p, u)| *p < kept || u.first < u32::MAX) {
        let place32 = place as u32;
        if constant || line.ends.len() == 1 {
            let time = if constant { used.first } else { line.at(place)[0] };
            events.push(Event { time, place: place32, start: 0, end: whole });
        } else {
            let first = events.len();
            let mut start = 0;
            for (&end, &time) in line.ends.iter().zip(line.at(place)) {
                // The run before may be ready at the same time: then both are one event.
                match events[first..].last_mut() {
                    Some(Event { time: t, end: e, .. }) if *t == time && *e == start => *e = end,
                    _ => events.push(Event { time, place: place32, start, end }),
                }
                start = end;
            }
        }
        if *total + events.len() > MAX_EVENTS {
            return Err(GridError::TooLarge);
        }
    }
    events.retain(|e| e.time < parts.steps);
    events.sort_by_key(|e| (e.time, e.place));
    *total += events.len();
    Ok(events)
}

/// Notes what the events of a node read.
fn read(parts: &Parts, id: NodeId, spans: &[Use], uses: &mut [Vec<Use>]) {
    let node = &parts.spec.nodes[id];
    let own = &parts.places[id];
    let view = View::new(&node.op, parts.spec.symbols.axes.len());
    for (n, &input) in node.inputs.iter().enumerate() {
        let grid = &parts.places[input];
        let uses = &mut uses[parts.homes[input].node];
        let events = spans.iter().enumerate().filter(|(_, s)| s.first < u32::MAX);
        match (&view, &parts.taps[id]) {
            (Some(view), _) if n > 0 => {
                if view.prefix(0).is_some() {
                    // Place k is read by all from some place on.
                    let mut later = NEVER;
                    let mut end = own.count();
                    for p in (0..own.count()).rev() {
                        let seen = view.prefix(p).unwrap_or(0);
                        while end > seen {
                            end -= 1;
                            uses[grid.at(end)].add(later);
                        }
                        later.add(spans[p]);
                    }
                    (0..end).for_each(|k| uses[grid.at(k)].add(later));
                } else {
                    events.for_each(|(p, s)| view.each(own, p, |k| uses[grid.at(k)].add(*s)));
                }
            }
            (_, Some(taps)) => {
                events.for_each(|(p, s)| taps.read(own, grid, p).flatten().for_each(|q| uses[q].add(*s)));
            }
            _ => events.for_each(|(p, s)| uses[grid.at(p)].add(*s)),
        }
    }
}

/// The least number of slots such that no place is overwritten before its last use (or one that is nearly the least).
fn slots(uses: &[Use]) -> usize {
    let live: Vec<(usize, Use)> = uses.iter().copied().enumerate().filter(|(_, u)| u.first < u32::MAX).collect();
    let fits = |slots: usize| {
        let mut free: Vec<Option<u32>> = vec![None; slots];
        live.iter().all(|(p, u)| {
            let last = free[p % slots].replace(u.last);
            last.is_none_or(|last| last < u.first)
        })
    };
    // As many as are in use at the same time, at least.
    let mut ends: Vec<(u32, bool)> = live.iter().flat_map(|(_, u)| [(u.first, true), (u.last + 1, false)]).collect();
    ends.sort_unstable();
    let (mut now, mut most) = (0usize, 1);
    for (_, begins) in ends {
        now = if begins { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    let mut slots = most;
    for attempt in 0.. {
        if slots >= uses.len() {
            break;
        }
        if fits(slots) {
            return slots;
        }
        slots += 1 + if attempt < 40 { 0 } else { slots / 2 };
    }
    uses.len()
}
