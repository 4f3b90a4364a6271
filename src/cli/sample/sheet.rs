//! Pictures side by side in one, or one after the other in an IDX file.

use super::Fault;
use surprisal::media::image::Picture;
use surprisal::media::image::png;
use surprisal::media::set::Array;
use surprisal::spec::Domain;

/// Pixels between pictures.
const GAP: usize = 2;
/// The gray of what is between them.
const BETWEEN: u8 = 96;

/// Samples of 8 bits: the values of an alphabet spread over 0 to 255.
fn spread(symbols: &[u16], alphabet: u32) -> impl Iterator<Item = u8> + '_ {
    symbols.iter().map(move |s| (u32::from(*s) * 255 / (alphabet - 1)) as u8)
}

/// A PNG of pictures; `together` of them are never parted by the end of a line.
pub fn png(domain: &Domain, pictures: &[&[u16]], together: usize) -> Result<Vec<u8>, Fault> {
    let Domain::Pictures { channels, height, width, alphabet } = *domain else { unreachable!("asked for pictures") };
    let (unit, shown) = match channels {
        1 => (1, 1),
        3 => (3, 3),
        n => {
            return Err(Fault::Error(format!(
                "pictures of {n} channels cannot be shown: name an output that ends in .idx"
            )));
        }
    };
    let (rows, line) = (height as usize, width as usize * unit);
    let across = (1..).find(|n| n * n >= pictures.len()).unwrap_or(1).div_ceil(together) * together;
    let across = across.min(pictures.len());
    let down = pictures.len().div_ceil(across);
    let pitch = (width as usize + GAP) * unit;
    let (total_width, total_height) = (across * (width as usize + GAP) + GAP, down * (rows + GAP) + GAP);
    let stride = total_width * unit;
    let mut samples = vec![BETWEEN; stride * total_height];
    for (number, picture) in pictures.iter().enumerate() {
        let values: Vec<u8> = spread(picture, alphabet).collect();
        let left = GAP * unit + number % across * pitch;
        let top = GAP + number / across * (rows + GAP);
        for (y, row) in values.chunks_exact(line).enumerate() {
            samples[(top + y) * stride + left..][..line].copy_from_slice(row);
        }
    }
    let picture = Picture { width: total_width as u32, height: total_height as u32, channels: shown, samples };
    png::encode(&picture).map_err(|e| Fault::Error(e.to_string()))
}

/// An IDX file of pictures, as such a model takes them: the symbols, or 0 and 255 of two.
pub fn idx(domain: &Domain, symbols: &[u16]) -> Result<Vec<u8>, Fault> {
    let Domain::Pictures { channels, height, width, alphabet } = *domain else { unreachable!("asked for pictures") };
    let values: Vec<u8> = match alphabet {
        2 => spread(symbols, 2).collect(),
        3..=256 => symbols.iter().map(|s| *s as u8).collect(),
        _ => return Err(Fault::Error("an IDX file holds 256 values at most".to_owned())),
    };
    let size = height as usize * width as usize * usize::from(channels);
    let mut dims = vec![(values.len() / size) as u32, height, width];
    if channels > 1 {
        dims.push(channels.into());
    }
    Ok(Array { dims, values }.to_idx())
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal::media::{Content, Limits, Options, Outcome, set, split};

    #[test]
    fn pictures_lie_where_they_should() {
        let domain = Domain::Pictures { channels: 1, height: 2, width: 3, alphabet: 2 };
        let (a, b) = ([1u16; 6], [0u16; 6]);
        let file = png(&domain, &[&a, &b, &a, &b, &a], 1).unwrap();
        let Outcome::Split(split) = split(&file, Options::default(), &Limits { max_bytes: 1 << 20 }) else { panic!() };
        let Content::Picture(picture) = split.content else { panic!() };
        assert_eq!((picture.width, picture.height), (3 * 5 + 2, 2 * 4 + 2));
        let row = |y: usize| &picture.samples[y * 17..][..17];
        assert_eq!(row(0), [BETWEEN; 17]);
        let g = BETWEEN;
        assert_eq!(row(2), [g, g, 255, 255, 255, g, g, 0, 0, 0, g, g, 255, 255, 255, g, g]);
        assert_eq!(row(7), [g, g, 0, 0, 0, g, g, 255, 255, 255, g, g, g, g, g, g, g]);
        // Two by two: never parted.
        assert!(png(&domain, &[&a, &b, &a, &b, &a, &b], 2).is_ok());
        let limits = Limits { max_bytes: 1 << 20 };
        let symbols = [a, b].concat();
        assert_eq!(set::examples(&idx(&domain, &symbols).unwrap(), &domain, &limits).unwrap().symbols(), symbols);
    }
}
