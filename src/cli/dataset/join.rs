//! `surprisal dataset join`: recordings to one WAV file.

use super::super::fault::{Exit, Fault};
use super::super::inputs::{self, Folders};
use super::super::options::{Global, LimitOptions};
use super::super::target::Target;
use super::super::{output, report};
use super::Place;
use std::path::PathBuf;
use surprisal::media::Limits;
use surprisal::media::audio::{self, Sound, wav};

/// Joins them, in the order in which they were named, those of a folder by name.
pub fn run(
    files: &[PathBuf],
    seconds: Option<u32>,
    place: &Place,
    limit: &LimitOptions,
    global: &Global,
) -> Result<Exit, Fault> {
    let target = Target::named(&place.output);
    output::check(&target, None, place.force)?;
    let (inputs, worst) = inputs::gather(files, Folders::Walk, global.quiet);
    if worst != Exit::Done {
        return Err(Fault::Error("nothing was joined".to_owned()));
    }
    let mut limits = Limits { max_bytes: limit.bytes() };
    let mut joined: Option<Sound> = None;
    let (mut count, mut others) = (0, 0);
    for input in inputs {
        let name = input.name();
        let one = audio::read(&input.read(false)?, &limits).map_err(|e| Fault::Error(e.to_string()).about(&name))?;
        limits.max_bytes -= one.samples.len() as u64 * 4;
        match &mut joined {
            None => joined = Some(one),
            Some(all) if (all.channels, all.bits, all.rate) == (one.channels, one.bits, one.rate) => {
                all.samples.extend(one.samples);
            }
            Some(_) => {
                let Sound { channels, bits, rate, .. } = one;
                report::note(
                    global.quiet,
                    format_args!("{name}: {channels} channels, {bits} bits, {rate} Hz; left out"),
                );
                others += 1;
                continue;
            }
        }
        count += 1;
        let most =
            joined.as_ref().zip(seconds).map(|(all, n)| u64::from(all.rate) * u64::from(n) * u64::from(all.channels));
        if let (Some(all), Some(most)) = (&mut joined, most) {
            if all.samples.len() as u64 >= most {
                all.samples.truncate(most as usize);
                break;
            }
        }
    }
    let joined = joined.ok_or_else(|| Fault::Error("there is no recording among the inputs".to_owned()))?;
    let file =
        wav::write(&joined).ok_or_else(|| Fault::Error("it is too long for a WAV file: name --seconds".to_owned()))?;
    output::write(&target, &file, None, place.force, false)?;
    let frames = joined.samples.len() as u64 / u64::from(joined.channels);
    let Sound { channels, bits, rate, .. } = joined;
    report::note(
        global.quiet,
        format_args!(
            "{}: {count} recordings, {} seconds, {channels} channels, {bits} bits, {rate} Hz; {others} left out",
            target.name(),
            frames / u64::from(rate.max(1))
        ),
    );
    Ok(Exit::Done)
}
