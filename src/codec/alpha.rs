//! Pictures with alpha: colours for the network, and alpha beside them for the byte model.
//!
//! What must stay true: [`join`] of the colours and the alpha that [`Coloured::of`] took apart gives the rows.

use super::bands;
use crate::container::Hint;
use crate::media::Form;
use crate::media::image::Picture;

/// Colours and alpha.
#[derive(Debug)]
pub(super) struct Coloured {
    /// One or three channels.
    pub picture: Picture,
    /// A byte a pixel.
    pub alpha: Vec<u8>,
}

impl Coloured {
    /// Takes rows of pixels with alpha apart; `None` for other rows.
    pub fn of(bytes: &[u8], hint: Hint, form: Form) -> Option<Self> {
        let unit = Some(hint.pixel as usize).filter(|unit| form == Form::Alpha && matches!(unit, 2 | 4))?;
        let line =
            Some(hint.record as usize).filter(|line| *line > 0 && line % unit == 0 && bytes.len() % line == 0)?;
        let (width, height) = (hint.record / hint.pixel, u32::try_from(bytes.len() / line).ok()?);
        if height == 0 || width > bands::MAX_WIDTH {
            return None;
        }
        let channels = unit - 1;
        let samples = bytes.chunks_exact(unit).flat_map(|pixel| &pixel[..channels]).copied().collect();
        let alpha = bytes.chunks_exact(unit).map(|pixel| pixel[channels]).collect();
        Some(Self { picture: Picture { width, height, channels: channels as u8, samples }, alpha })
    }
}

/// What the byte model is told about alpha.
pub(super) fn hint(width: u32) -> Hint {
    Hint { record: width, pixel: 1 }
}

/// The rows of a picture and its alpha.
pub(super) fn join(picture: &Picture, alpha: &[u8]) -> Vec<u8> {
    let pixels = picture.samples.chunks_exact(picture.channels.into());
    pixels.zip(alpha).flat_map(|(pixel, alpha)| pixel.iter().chain(std::iter::once(alpha))).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        for pixel in [2, 4] {
            let bytes: Vec<u8> = (0..pixel * 15).map(|i| (i * 37) as u8).collect();
            let hint = Hint { record: 5 * pixel, pixel };
            let coloured = Coloured::of(&bytes, hint, Form::Alpha).unwrap();
            assert_eq!(
                (coloured.picture.width, coloured.picture.height, coloured.picture.channels as u32),
                (5, 3, pixel - 1)
            );
            assert!(coloured.picture.is_consistent());
            assert_eq!(join(&coloured.picture, &coloured.alpha), bytes);
            assert!(Coloured::of(&bytes, hint, Form::Bytes).is_none());
            assert!(Coloured::of(&bytes[1..], hint, Form::Alpha).is_none());
        }
    }
}
