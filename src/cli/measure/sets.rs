//! `surprisal measure -m MODEL` where the model, or each of an ensemble, is for examples of one size.

use super::Args;
use super::float::Float;
use crate::cli::bar::Bar;
use crate::cli::fault::{Exit, Fault};
use crate::cli::inputs::Input;
use crate::cli::options::Global;
use crate::cli::report;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use surprisal::codec::Options;
use surprisal::codec::sets::{self, Measured};
use surprisal::engine::grid::GridNetwork;
use surprisal::media::set::item_name;

/// What is added up.
#[derive(Debug, Default)]
struct Total {
    examples: u64,
    dimensions: u64,
    bits: f64,
    /// Sums of nats and of their squares, counted from the first example's: their difference keeps its digits.
    origin: f64,
    sum: f64,
    squares: f64,
    /// Bits in floating point, if they are measured.
    float: Option<f64>,
}

impl Total {
    fn add(&mut self, symbols: usize, bits: f64) {
        let nats = bits * std::f64::consts::LN_2;
        if self.examples == 0 {
            self.origin = nats;
        }
        self.examples += 1;
        self.dimensions += symbols as u64;
        self.bits += bits;
        self.sum += nats - self.origin;
        self.squares += (nats - self.origin).powi(2);
    }

    fn add_float(&mut self, bits: Option<f64>) {
        if let Some(bits) = bits {
            *self.float.get_or_insert(0.0) += bits;
        }
    }

    fn bits_per_dimension(&self) -> f64 {
        if self.dimensions == 0 { 0.0 } else { self.bits / self.dimensions as f64 }
    }

    /// Mean of the examples' nats, and its standard error, which two examples are needed for.
    fn nats(&self) -> (f64, Option<f64>) {
        let n = self.examples as f64;
        if self.examples == 0 {
            return (0.0, None);
        }
        let mean = self.sum / n;
        let variance = (self.squares - n * mean * mean) / (n - 1.0);
        (self.origin + mean, (self.examples > 1).then(|| (variance.max(0.0) / n).sqrt()))
    }

    fn print(&self, args: &Args, kind: &str, name: &str) -> Result<(), Fault> {
        let (mean, error) = self.nats();
        let Self { examples, dimensions, bits, .. } = self;
        let bpd = self.bits_per_dimension();
        let float = self.float.map(|bits| if *dimensions == 0 { 0.0 } else { bits / *dimensions as f64 });
        if args.json {
            let mut line = json!({
                kind: name, "examples": examples, "dimensions": dimensions, "bits": bits, "bits_per_dimension": bpd,
                "nats": mean, "nats_standard_error": error,
            });
            if let Some(float) = float {
                line["bits_per_dimension_float"] = float.into();
            }
            return report::line(line);
        }
        if args.csv {
            let (name, error) = (report::cell(name), error.map(|e| format!("{e:.6}")).unwrap_or_default());
            let float = float.map(|bits| format!(",{bits:.6}")).unwrap_or_default();
            return report::line(format_args!(
                "{kind},{name},{examples},{dimensions},{bits:.3},{bpd:.6},{mean:.6},{error}{float}"
            ));
        }
        let error = error.map(|e| format!(" +- {e:.3}")).unwrap_or_default();
        let examples = if kind == "item" { String::new() } else { format!("  {examples} examples") };
        let more = |float: f64| format!(" ({float:.4} in floating point: {:+.3} %)", (bpd / float - 1.0) * 100.0);
        let float = float.map(more).unwrap_or_default();
        report::line(format_args!(
            "{bpd:8.4} bits per dimension{float}  {mean:>9.3}{error} nats an example{examples}  {name}"
        ))
    }
}

/// Measures every file.
pub fn run(
    args: &Args,
    global: &Global,
    networks: &[Arc<GridNetwork>],
    model: Option<&Path>,
    (inputs, worst): (Vec<Input>, Exit),
) -> Result<Exit, Fault> {
    if inputs.is_empty() && worst == Exit::Done {
        return Err(Fault::Error("there are no files in what was named: nothing was measured".to_owned()));
    }
    let Some(network) = networks.first() else {
        return Err(Fault::Error("--ensemble: name models, or a folder of them, with -m".to_owned()));
    };
    if let Some(other) = networks.iter().find(|n| n.program().domain() != network.program().domain()) {
        let (other, name) = (other.program().name(), network.program().name());
        return Err(Fault::Error(format!("--ensemble: '{other}' is for other data than '{name}'")));
    }
    let options = Options { limit: args.codec.limit(), ..Options::default() };
    let labels = args.labels.read(inputs.len(), options.limit)?;
    let float = args.float.as_ref().map(|given| Float::open(given.as_deref(), model, network)).transpose()?;
    let mut total = Total::default();
    if args.csv {
        let float = if float.is_some() { ",bits_per_dimension_float" } else { "" };
        report::line(format_args!(
            "kind,name,examples,dimensions,bits,bits_per_dimension,nats,nats_standard_error{float}"
        ))?;
    }
    let done = report::each(inputs, |input| {
        let name = input.name();
        let file = input.read(false)?;
        let bar = Bar::new(&name, global.quiet);
        let measure = |network: &Arc<GridNetwork>| {
            let measured = sets::measure(&file, network, args.labels.labels(&labels), &options, &bar);
            measured.map_err(|e| Fault::from(e).about(&name))
        };
        let measured: Vec<Measured> = networks.iter().map(measure).collect::<Result<_, _>>()?;
        drop(bar);
        if measured[0].others > 0 {
            let text = "bytes are none of the model's characters: their escapes are counted, they themselves are not";
            report::note(global.quiet, format_args!("{name}: {} {text}", measured[0].others));
        }
        let in_float = match &float {
            Some(float) => float.bits(&file, network, args.labels.labels(&labels), options.limit)?,
            None => Vec::new(),
        };
        let mut one = Total::default();
        let items = &measured[0].items;
        for (number, item) in items.iter().enumerate() {
            let each: Vec<f64> = measured.iter().map(|m| m.items[number].bits.to_f64()).collect();
            let (mean, bits) = (of_mean(&each), in_float.get(number).copied());
            for sum in [&mut one, &mut total] {
                sum.add(item.symbols, mean);
                sum.add_float(bits);
            }
            if args.items {
                let mut single = Total::default();
                single.add(item.symbols, mean);
                single.add_float(bits);
                single.print(args, "item", &item_name(&name, number, items.len()))?;
            }
        }
        one.print(args, "file", &name)
    })?;
    total.print(args, "total", "total")?;
    Ok(worst.max(done))
}

/// Bits of the mean of probabilities, from the bits of each.
fn of_mean(bits: &[f64]) -> f64 {
    let least = bits.iter().copied().fold(f64::INFINITY, f64::min);
    let sum: f64 = bits.iter().map(|b| (least - b).exp2()).sum();
    least - (sum / bits.len() as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_probabilities() {
        assert_eq!(of_mean(&[117.25]), 117.25);
        // (1/4 + 1/8) / 2 = 3/16, and the same 2000 bits later, where a probability is 0 in floating point.
        for more in [0.0, 2000.0] {
            assert!((of_mean(&[2.0 + more, 3.0 + more]) - more - (16.0f64 / 3.0).log2()).abs() < 1e-9);
        }
    }

    #[test]
    fn mean_and_standard_error() {
        let mut total = Total::default();
        assert_eq!(total.nats(), (0.0, None));
        for bits in [100.0, 104.0, 90.0] {
            total.add(50, bits);
        }
        let (mean, error) = total.nats();
        assert!((mean - 98.0 * std::f64::consts::LN_2).abs() < 1e-12);
        // Deviations 2, 6, -8: a variance of 52.
        assert!((error.unwrap() - (52.0f64 / 3.0).sqrt() * std::f64::consts::LN_2).abs() < 1e-9);
        assert!((total.bits_per_dimension() - 294.0 / 150.0).abs() < 1e-12);
    }
}
