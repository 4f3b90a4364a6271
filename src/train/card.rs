//! What a model is and how it was made, as a page of Markdown to stand beside its file, and the list of the files that it
//! was trained on.
//!
//! What must stay true: the page and the list say enough to make the model again, and to know whether a file took part in
//! its training.

use super::data::{Corpus, File, Set};
use super::examples::Examples;
use std::fmt::{Display, Write};

/// A model's page.
#[derive(Debug, Clone)]
pub struct Card {
    /// Name of the model.
    pub name: String,
    /// Id of the model file.
    pub id: String,
    /// Name of the family in the zoo.
    pub family: String,
    /// Its configuration in words.
    pub config: String,
    /// Trained parameters.
    pub parameters: u64,
    /// Multiply-adds a place.
    pub macs: u64,
    /// What it was trained on.
    pub data: Data,
    /// The command that made the model.
    pub command: String,
    /// Seed of the weights and the samples.
    pub seed: u64,
    /// Steps of the optimiser.
    pub steps: u64,
    /// Examples a step.
    pub batch: u64,
    /// What an example is, in the plural.
    pub unit: String,
    /// Largest learning rate.
    pub lr: f64,
    /// Time spent training, in all runs together.
    pub seconds: f64,
    /// What the network ran on.
    pub device: String,
    /// Threads of the processor.
    pub threads: usize,
    /// Number formats of the training.
    pub precision: String,
    /// Bits per dimension on what is held out, in floating point.
    pub validation: Option<f64>,
    /// Symbols of an example, where examples are of one size.
    pub symbols: Option<u64>,
    /// Bits per dimension after each step to integers, the first in floating point.
    pub quantized: Vec<(&'static str, f64)>,
    /// Name of the file with the float weights.
    pub weights: String,
    /// Name of the list of files.
    pub list: String,
}

/// The examples of a training.
#[derive(Debug, Clone)]
pub struct Data {
    /// Names of the folders or files.
    pub folders: Vec<String>,
    /// What was trained on, in words.
    pub train: String,
    /// What was held out, in words.
    pub held_out: String,
    /// Hash of what they show.
    pub fingerprint: [u8; 16],
}

impl From<&Corpus> for Data {
    fn from(corpus: &Corpus) -> Self {
        let pictures = |set: &Set| format!("{} pictures, {} megapixels", set.len(), million(set.pixels()));
        Self {
            folders: corpus.folders().to_vec(),
            train: pictures(corpus.train()),
            held_out: pictures(corpus.held_out()),
            fingerprint: corpus.fingerprint(),
        }
    }
}

impl From<&Examples> for Data {
    fn from(examples: &Examples) -> Self {
        let [train, held_out, _] = examples.words();
        Self { folders: examples.folders().to_vec(), train, held_out, fingerprint: examples.fingerprint() }
    }
}

impl Card {
    /// The page.
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n\n| | |\n|---|---|\n", plain(&self.name));
        let mut row =
            |name: &str, value: String| writeln!(page, "| {name} | {value} |").expect("a string takes everything");
        let data = &self.data;
        row("id", code(&self.id));
        row("made by", format!("surprisal {}", env!("CARGO_PKG_VERSION")));
        row("family", format!("{}: {}", code(&self.family), plain(&self.config)));
        row("size", format!("{} parameters, {} multiply-adds a place", spaced(self.parameters), spaced(self.macs)));
        row("command", code(&self.command));
        row("data", data.folders.iter().map(code).collect::<Vec<_>>().join(", "));
        row("trained on", plain(&data.train));
        row("held out", plain(&data.held_out));
        let hex: String = data.fingerprint.iter().map(|b| format!("{b:02x}")).collect();
        row("fingerprint of the data", code(hex));
        row("files", format!("{} (BLAKE3 of each)", code(&self.list)));
        row("seed", self.seed.to_string());
        match self.steps {
            0 => row("steps", "none: its tables were counted".to_owned()),
            steps => {
                let seen = million(steps.saturating_mul(self.batch));
                let of = format!("{} of {} {}", spaced(steps), spaced(self.batch), plain(&self.unit));
                row("steps", format!("{of}: {seen} million in all"));
                row("learning rate", format!("{} at most", self.lr));
            }
        }
        row("time", duration(self.seconds));
        row("device", format!("{}, {} threads", plain(&self.device), self.threads));
        row("precision", plain(&self.precision));
        row("float weights", code(&self.weights));
        if let Some(bits) = self.validation {
            row("bits per dimension, held out, float", format!("{bits:.5}"));
            if let Some(symbols) = self.symbols {
                let nats = bits * std::f64::consts::LN_2;
                let all = nats * symbols as f64;
                row("nats, held out, float", format!("{all:.2} an example of {symbols}, {nats:.5} a symbol"));
            }
        }
        if let [(_, float), ..] = self.quantized[..] {
            page.push_str(&costs(&self.quantized, float));
        }
        page
    }
}

/// What each step of the quantization costs.
fn costs(steps: &[(&str, f64)], float: f64) -> String {
    let mut table = "\n## Quantization\n\n\
        Bits per dimension on the calibration examples, each step added to the ones before.\n\n\
        | step | bits | over floating point |\n|---|---|---|\n"
        .to_owned();
    for (i, (step, bits)) in steps.iter().enumerate() {
        let over = if i == 0 { String::new() } else { format!("{:+.4} %", (bits / float - 1.0) * 100.0) };
        writeln!(table, "| {step} | {bits:.5} | {over} |").expect("a string takes everything");
    }
    table
}

/// The list of files: hash, `train` or `held-out`, name; a line each. What would break a line is written `\u{..}`.
pub fn files(files: &[File]) -> String {
    let mut list = String::new();
    for file in files {
        let part = if file.held_out { "held-out" } else { "train" };
        writeln!(list, "{}  {part}  {}", file.hash, one_line(&file.name)).expect("a string takes everything");
    }
    list
}

fn one_line(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '\\' => "\\\\".to_owned(),
        c if c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    });
    escaped.collect()
}

/// Text that Markdown leaves alone, in a cell of a table.
fn plain(text: &str) -> String {
    let escaped = one_line(text).replace("\\\\", "\\");
    escaped
        .chars()
        .flat_map(|c| {
            matches!(c, '\\' | '|' | '*' | '_' | '`' | '<' | '[' | '#').then_some('\\').into_iter().chain([c])
        })
        .collect()
}

/// Code in a cell of a table: a bar ends the cell even there, and a run of backticks must be shorter than the fence.
fn code(text: impl Display) -> String {
    let text = one_line(&text.to_string()).replace("\\\\", "\\").replace('|', "\\|");
    match text.contains('`') {
        true => format!("``` {text} ```"),
        false => format!("`{text}`"),
    }
}

/// Digits in groups of three.
fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn million(number: u64) -> String {
    format!("{:.1}", number as f64 / 1e6)
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    match minutes as u64 {
        0 => format!("{seconds:.0} s"),
        m @ 1..60 => format!("{m} min {:.0} s", (seconds - minutes * 60.0).floor()),
        m => format!("{} h {} min", m / 60, m % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            name: "my_photos".into(),
            id: "00ff".into(),
            family: "window".into(),
            config: "48 neighbours, 192 -> 128".into(),
            parameters: 135_293,
            macs: 1_134_336,
            data: Data {
                folders: vec!["holiday | 2024".into(), "b`c".into()],
                train: "221 pictures, 66.5 megapixels".into(),
                held_out: "12 pictures, 3.5 megapixels".into(),
                fingerprint: [0xab; 16],
            },
            command: "surprisal train photo --data 'holiday | 2024'\n-o my.srm".into(),
            seed: 7,
            steps: 94_000,
            batch: 6144,
            unit: "pixels".into(),
            lr: 2e-3,
            seconds: 5100.0,
            device: "cpu".into(),
            threads: 2,
            precision: "bf16 products, float32 sums".into(),
            validation: Some(2.651_094),
            symbols: None,
            quantized: vec![("floating point", 2.0), ("weights rounded", 2.0), ("what the coder pays", 2.0004)],
            weights: "my.safetensors".into(),
            list: "my.files".into(),
        }
    }

    #[test]
    fn the_page_says_what_was_done() {
        let page = card().markdown();
        for line in [
            "# my\\_photos",
            "| id | `00ff` |",
            "| size | 135 293 parameters, 1 134 336 multiply-adds a place |",
            "| command | `surprisal train photo --data 'holiday \\| 2024'\\u{a}-o my.srm` |",
            "| data | `holiday \\| 2024`, ``` b`c ``` |",
            "| trained on | 221 pictures, 66.5 megapixels |",
            "| held out | 12 pictures, 3.5 megapixels |",
            "| fingerprint of the data | `abababababababababababababababab` |",
            "| steps | 94 000 of 6 144 pixels: 577.5 million in all |",
            "| learning rate | 0.002 at most |",
            "| time | 1 h 25 min |",
            "| bits per dimension, held out, float | 2.65109 |",
            "| floating point | 2.00000 |  |",
            "| what the coder pays | 2.00040 | +0.0200 % |",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
        // Every line of a table has its two or three cells: nothing in a name breaks it.
        for line in page.lines().filter(|l| l.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert!(bars == 3 || bars == 4, "{line}");
        }
        let bare = Card { validation: None, quantized: vec![], ..card() }.markdown();
        assert!(!bare.contains("Quantization") && !bare.contains("bits per dimension"));
        assert_eq!(
            [duration(0.4), duration(59.9), duration(61.0), duration(7322.0)],
            ["0 s", "60 s", "1 min 1 s", "2 h 2 min"]
        );
    }

    #[test]
    fn the_list_has_one_line_a_file() {
        let file = |name: &str, held_out| File { name: name.into(), hash: "0123".into(), held_out };
        let list = files(&[file("a/b c.png", false), file("a/x\ny\\z\u{1b}.png", true)]);
        assert_eq!(list, "0123  train  a/b c.png\n0123  held-out  a/x\\u{a}y\\\\z\\u{1b}.png\n");
        assert_eq!(files(&[]), "");
    }
}
