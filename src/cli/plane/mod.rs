//! `surprisal plane`

pub mod toy;

use super::fault::{Exit, Fault};
use super::options::{Global, LimitOptions};
use super::target::Target;
use super::{output, report};
use std::path::{Path, PathBuf};
use surprisal::codec::sets::{self, Labels};
use surprisal::codec::{Models, Options};
use surprisal::engine::Kernel;
use surprisal::media::Limits;
use surprisal::media::image::{Picture, png};
use surprisal::media::set::{self, Array};
use surprisal::spec::Domain;
use toy::{SIDE, Toy};

/// Draw distributions of two values side by side: the true one, what models learned of it, what was drawn from them
///
/// Each is a square of 200 x 200 cells, the first value down, the second to the right; the likelier, the darker. A line each says
/// how far it is from the truth.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `toy`, the distribution from which `surprisal dataset toy` draws; a model of pairs (.srm); or a file of pairs
    #[arg(value_name = "toy|MODEL.srm|FILE.idx", required = true)]
    sources: Vec<String>,
    /// Where the PNG goes; - means standard output
    #[arg(short, long, value_name = "OUT.png")]
    output: PathBuf,
    /// Overwrite an output that exists
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: LimitOptions,
}

/// What stands for the true distribution.
const TRUTH: &str = "toy";
/// Pixels between squares, and their gray.
const GAP: usize = 4;
const BETWEEN: u8 = 96;

/// Draws.
pub fn run(args: &Args, global: &Global) -> Result<Exit, Fault> {
    let target = Target::named(&args.output);
    output::check(&target, None, args.force)?;
    let truth = Toy::new().probabilities();
    let mut squares = Vec::new();
    for source in &args.sources {
        let (square, said) = square(source, &truth, args, global)?;
        squares.push(square);
        // The picture may go there.
        if target != Target::Stdout {
            report::line(format_args!("{source}: {said}"))?;
        }
    }
    let bytes = png::encode(&draw(&squares)).map_err(|e| Fault::Error(e.to_string()))?;
    output::write(&target, &bytes, None::<&Path>, args.force, false)?;
    Ok(Exit::Done)
}

/// Probabilities of all pairs, and what is said of them.
fn square(source: &str, truth: &[f64], args: &Args, global: &Global) -> Result<(Vec<f64>, String), Fault> {
    let about = |e: String| Fault::Error(e).about(source);
    let limits = Limits { max_bytes: args.limit.bytes() };
    let domain = Domain::Pictures { channels: 1, height: 1, width: 2, alphabet: 256 };
    let entropy: f64 = truth.iter().map(|p| -p * p.log2()).sum();
    if source == TRUTH {
        return Ok((truth.to_vec(), format!("the truth, {entropy:.4} bits a pair")));
    }
    if Path::new(source).extension().is_some_and(|e| e == "srm") {
        let name = [source.to_owned()];
        let models = Models::new(&name, global.kernel.unwrap_or_else(Kernel::best));
        let network = models.for_sets()?.filter(|n| *n.program().domain() == domain);
        let network = network.ok_or_else(|| about("it is no model of pairs of values".to_owned()))?;
        let all = (0..SIDE * SIDE).flat_map(|i| [(i / SIDE) as u8, (i % SIDE) as u8]).collect();
        let all = Array { dims: vec![(SIDE * SIDE) as u32, 1, 2], values: all }.to_idx();
        let options = Options { limit: limits.max_bytes, ..Options::default() };
        let measured = sets::measure(&all, &network, Labels::Unknown, &options, &()).map_err(Fault::from)?;
        let bits: Vec<f64> = measured.items.iter().map(|item| item.bits.to_f64()).collect();
        let distance: f64 = truth.iter().zip(&bits).map(|(p, bits)| p * (p.log2() + bits)).sum();
        let said = format!("a model, {:.4} bits a pair, {distance:.4} more than the truth", entropy + distance);
        return Ok((bits.iter().map(|b| (-b).exp2()).collect(), said));
    }
    let file = std::fs::read(source).map_err(|e| Fault::io(Path::new(source), "read", &e))?;
    let set = set::examples(&file, &domain, &limits).map_err(|e| about(e.to_string()))?;
    let mut shares = vec![0.0; SIDE * SIDE];
    let (mut bits, count) = (0.0, set.len() as f64);
    for pair in set.iter() {
        let [a, b] = [pair[0], pair[1]].map(usize::from);
        if a >= SIDE || b >= SIDE {
            continue;
        }
        shares[a * SIDE + b] += 1.0 / count;
        bits -= truth[a * SIDE + b].log2() / count;
    }
    let inside: f64 = shares.iter().sum();
    if inside == 0.0 {
        return Err(about(format!("there is no pair of values below {SIDE} in it")));
    }
    Ok((shares, format!("{count} pairs, by the truth {:.4} bits each", bits / inside)))
}

/// The squares side by side; what is as likely as the likeliest pair of the first is black, and darkness goes with the root.
fn draw(squares: &[Vec<f64>]) -> Picture {
    let most = squares[0].iter().copied().fold(0.0, f64::max);
    let width = squares.len() * (SIDE + GAP) + GAP;
    let height = SIDE + 2 * GAP;
    let mut samples = vec![BETWEEN; width * height];
    for (number, square) in squares.iter().enumerate() {
        for (a, row) in square.chunks_exact(SIDE).enumerate() {
            let start = (a + GAP) * width + GAP + number * (SIDE + GAP);
            let gray = |p: &f64| 255 - ((p / most).min(1.0).sqrt() * 255.0) as u8;
            samples[start..start + SIDE].iter_mut().zip(row).for_each(|(s, p)| *s = gray(p));
        }
    }
    Picture { width: width as u32, height: height as u32, channels: 1, samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelier_is_darker() {
        let mut square = vec![0.0; SIDE * SIDE];
        (square[0], square[SIDE + 3]) = (0.5, 0.125);
        let picture = draw(&[square.clone(), square]);
        assert_eq!((picture.width, picture.height), (412, 208));
        let at = |x: usize, y: usize| picture.samples[(y + GAP) * 412 + GAP + x];
        assert_eq!((at(0, 0), at(3, 1), at(1, 1), at(200, 0), at(204, 0)), (0, 128, 255, BETWEEN, 0));
    }
}
