//! Sounds one after the other in a WAV.

use super::Fault;
use surprisal::media::audio::{Sound, wav};
use surprisal::media::set::amplitudes;
use surprisal::spec::Samples;

/// The bytes of a WAV of 16 bits with some sounds of so many samples a second, and silence between them.
pub fn wav(drawn: &[Vec<u16>], rate: u32, samples: Samples) -> Result<Vec<u8>, Fault> {
    let pause = vec![0; rate as usize / 4];
    let each: Vec<Vec<i32>> =
        drawn.iter().map(|s| amplitudes(s, samples).into_iter().map(i32::from).collect()).collect();
    let sound = Sound { channels: 1, bits: 16, rate, samples: each.join(&pause[..]) };
    wav::write(&sound).ok_or_else(|| Fault::Error("a WAV cannot hold so much: draw less at a time".to_owned()))
}
