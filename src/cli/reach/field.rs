//! What a family of networks could see, whatever its weights are: its receptive field, from the description alone.
//!
//! What must stay true: a pixel from which no path leads to the distribution is drawn as one that is never seen.

use super::Seen;
use crate::cli::fault::Fault;
use surprisal::spec::{Domain, NetworkSpec};
use surprisal::zoo::{self, Sizes};

/// Gray values of the pictures: all families of pictures but those for binary ones take them.
const ALPHABETS: [u32; 2] = [256, 2];

/// A family's description at its default sizes but for `chosen`, for pictures of one channel.
pub fn describe(name: &str, chosen: &[(String, i64)], (width, height): (u32, u32)) -> Result<NetworkSpec, Fault> {
    let family = zoo::family(name).ok_or_else(|| {
        let all: Vec<&str> = zoo::FAMILIES.iter().map(|f| f.name).collect();
        Fault::Error(format!("there is no family '{name}': there are {}", all.join(", ")))
    })?;
    let own = |(name, _): &&(String, i64)| family.settings.iter().any(|s| s.name == name);
    let chosen: Vec<(&str, i64)> = chosen.iter().filter(own).map(|(name, value)| (name.as_str(), *value)).collect();
    let fault = |e: zoo::ZooError| Fault::Error(e.to_string());
    let sizes = Sizes::new(family.settings, &chosen).map_err(fault)?;
    let build = |alphabet| (family.build)(&Domain::Pictures { channels: 1, height, width, alphabet }, &sizes);
    let [first, second] = ALPHABETS.map(build);
    first.or(second).map_err(fault)
}

/// `[pixels]`: which of them the distribution of the pixel `at` (row, column) depends on.
pub fn seen(spec: &NetworkSpec, (width, height): (u32, u32), at: (u32, u32)) -> Result<Vec<Seen>, Fault> {
    let fields = spec.receptive_fields().map_err(|e| Fault::Error(e.to_string()))?;
    let (rows, columns) = (i64::from(height), i64::from(width));
    let (row, column) = (i64::from(at.0), i64::from(at.1));
    let itself = row * columns + column;
    let two_axes = spec.symbols.axes.len() == 2;
    let sees = |pixel: i64| match two_axes {
        true => fields[0].contains([0, 0, pixel / columns - row, pixel % columns - column, 0]),
        false => fields[0].contains([0, 0, 0, pixel - itself, 0]),
    };
    if fields.len() > 1 {
        return Err(Fault::Error(format!(
            "'{}' has a place for each pixel: draw the field of a trained model",
            spec.family
        )));
    }
    let seen = |pixel: i64| match pixel - itself {
        0 => Seen::Itself,
        1.. => Seen::Later,
        _ if sees(pixel) => Seen::Earlier(1),
        _ => Seen::Never,
    };
    Ok((0..rows * columns).map(seen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `.` (later), `o` (itself), `-` (never) and `#`.
    fn drawn(name: &str, chosen: &[(&str, i64)]) -> Vec<String> {
        let chosen: Vec<(String, i64)> = chosen.iter().map(|(n, v)| (n.to_string(), *v)).collect();
        let spec = describe(name, &chosen, (7, 5)).unwrap();
        let seen = seen(&spec, (7, 5), (3, 3)).unwrap();
        let sign = |s: &Seen| match s {
            Seen::Later => '.',
            Seen::Itself => 'o',
            Seen::Never => '-',
            Seen::Earlier(_) => '#',
        };
        seen.chunks(7).map(|row| row.iter().map(sign).collect()).collect()
    }

    #[test]
    fn the_blind_spot_is_where_it_was_published() {
        // A 3 x 3 kernel and three blocks of 3 x 3: a column to the right for each row up, and no more.
        let one = drawn("pixelcnn", &[("first", 3), ("blocks", 3)]);
        assert_eq!(one, ["#######", "######-", "#####--", "###o...", "......."]);
        // Kernels of 5 x 5 reach two columns to the right with a row.
        let wide = drawn("pixelcnn", &[("first", 3), ("blocks", 1), ("side", 5)]);
        assert_eq!(wide, ["#######", "#######", "#####--", "###o...", "......."]);
        let two = drawn("gated-pixelcnn", &[("first", 3), ("layers", 3)]);
        assert_eq!(two, ["#######", "#######", "#######", "###o...", "......."]);
        // Two samples, then 1 and 2 more: five back, across the start of a row.
        let row = drawn("wavenet", &[("layers", 2)]);
        assert_eq!(row, ["-------", "-------", "-----##", "###o...", "......."]);
        let all = drawn("pixelsnail", &[]);
        assert_eq!(all, ["#######", "#######", "#######", "###o...", "......."]);
    }
}
