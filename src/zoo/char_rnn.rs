//! A recurrent network over the symbols one after the other: Char-RNN (Karpathy 2015; LSTM of Hochreiter 1997).
//!
//! `p(x) = prod_t p(x_t | h_t)`, `h_t = LSTM(h_{t-1}, embedding(x_{t-1}))`. On text a symbol is a character; on a picture it
//! is a pixel, row after row, and the place of the pixel can be given beside it.

use super::net::Net;
use super::{Family, Recipe, Setting, Sizes, ZooError};
use crate::spec::{Axis, Domain, Function, NetworkSpec, Op};

/// The entry in the registry.
pub const FAMILY: Family = Family {
    name: "char-rnn",
    title: "Char-RNN (LSTM)",
    source: "Karpathy 2015",
    settings: &[
        Setting::new("cells", "width of the state", 256, 1, 2048),
        Setting::new("layers", "recurrent layers", 1, 1, 4),
        Setting::new("embedding", "length of a symbol's vector", 64, 1, 1024),
        Setting::new("coordinates", "on pictures: whether row and column are given (0 or 1)", 1, 0, 1),
    ],
    recipe: Recipe { batch: 64, rate: 4e-3, dropout: 0.2 },
    build,
};

fn build(domain: &Domain, sizes: &Sizes) -> Result<NetworkSpec, ZooError> {
    let fail = |what| Err(ZooError::Domain { family: FAMILY.name, what });
    let (cells, embedding) = (sizes.get("cells"), sizes.get("embedding"));
    let Some(alphabet) = domain.alphabet() else { return fail("it needs symbols in a row") };
    let mut net = Net::new(FAMILY.name, &[Axis::Time], 1, alphabet);
    let previous = net.add(Op::Previous, &[]);
    let mut x = net.taken_in(embedding, previous);
    match domain {
        Domain::Pictures { channels: 1, height, width, .. }
            if sizes.get("coordinates") == 1 && *height * *width > 1 =>
        {
            let row = net.place(*width, (*height).max(2));
            let column = net.place(1, (*width).max(2));
            let (row, column) = (net.activation(Function::Centre, row), net.activation(Function::Centre, column));
            let at = net.concat(&[row, column]);
            x = net.concat(&[x, at]);
        }
        Domain::Pictures { channels: 1, .. } | Domain::Text { .. } | Domain::Sound { .. } => {}
        _ => return fail("it takes text, sound and pictures of one channel"),
    }
    for _ in 0..sizes.get("layers") {
        x = net.add(Op::Lstm { cells }, &[x]);
    }
    let (outputs, likelihood) = net.discrete();
    let parameters = net.linear(outputs, x);
    Ok(net.finish(parameters, likelihood))
}
