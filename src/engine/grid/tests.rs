//! The schedule: what is computed when, and how much is kept.

use super::network::{homes, needed};
use super::places::{Places, Taps};
use super::schedule::{Parts, Plan, plans};
use super::timeline::timelines;
use crate::spec::{Domain, NetworkSpec};
use crate::zoo::{FAMILIES, Sizes, family};

/// Plans of all nodes, and the places of each.
fn plan(domain: &Domain, spec: &NetworkSpec) -> (Vec<Plan>, Vec<Places>) {
    let grid = domain.grid(spec).unwrap();
    let widths = spec.widths().unwrap();
    let places: Vec<Places> = spec.strides().unwrap().into_iter().map(|s| Places::new(grid.size, s)).collect();
    let taps: Vec<_> = spec.nodes.iter().map(|n| Taps::new(&n.op)).collect();
    let needed = needed(spec);
    let homes = homes(spec, &needed);
    let lines = timelines(spec, &widths, &places, &taps).unwrap();
    let parts = Parts {
        spec,
        widths: &widths,
        places: &places,
        taps: &taps,
        homes: &homes,
        needed: &needed,
        lines: &lines,
        steps: grid.symbols() as u32,
    };
    (plans(&parts).unwrap(), places)
}

fn build(name: &str, domain: &Domain, sizes: &[(&str, i64)]) -> NetworkSpec {
    let family = family(name).unwrap();
    (family.build)(domain, &Sizes::new(family.settings, sizes).unwrap()).unwrap()
}

#[test]
fn each_value_is_computed_once() {
    let pictures = |channels, side, alphabet| Domain::Pictures { channels, height: side, width: side, alphabet };
    let domains =
        [pictures(1, 8, 2), pictures(3, 8, 256), Domain::Pictures { channels: 2, height: 1, width: 1, alphabet: 9 }];
    for family in FAMILIES {
        let mut tested = 0;
        for domain in &domains {
            let Ok(spec) = (family.build)(domain, &Sizes::new(family.settings, &[]).unwrap()) else { continue };
            tested += 1;
            let widths = spec.widths().unwrap();
            let (plans, places) = plan(domain, &spec);
            for (id, plan) in plans.iter().enumerate() {
                let mut values: Vec<_> = plan
                    .events
                    .iter()
                    .map(|e| (e.place as usize * widths[id] + e.values().start, e.values().len()))
                    .collect();
                values.sort_unstable();
                assert!(values.windows(2).all(|w| w[0].0 + w[0].1 <= w[1].0), "node {id} of {}", family.name);
                assert!(plan.events.is_sorted_by_key(|e| e.time), "node {id} of {}", family.name);
                assert!(plan.slots <= places[id].count(), "node {id} of {}", family.name);
            }
        }
        assert!(tested > 0, "{}", family.name);
    }
}

#[test]
fn only_what_is_still_read_is_kept() {
    let most = |name: &str, domain: &Domain, sizes: &[(&str, i64)]| {
        let spec = build(name, domain, sizes);
        plan(domain, &spec).0.iter().map(|p| p.slots).max().unwrap()
    };
    let digits = Domain::Pictures { channels: 1, height: 28, width: 28, alphabet: 2 };
    // A kernel of seven rows: three rows above, and three symbols to the left of the farthest.
    assert_eq!(most("pixelcnn", &digits, &[("first", 7)]), 3 * 28 + 3);
    let text = Domain::Text { characters: (b'a'..=b'z').collect(), segment: 16384 };
    assert_eq!(most("char-rnn", &text, &[]), 1);
    // The largest dilation is 2^8.
    assert_eq!(most("wavenet", &text, &[("layers", 9)]), 257);
    // Keys and values of all places.
    assert_eq!(most("pixelsnail", &digits, &[]), 784);
}
