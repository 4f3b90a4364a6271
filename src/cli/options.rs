//! Options that several subcommands share.

use super::fault::Fault;
use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use surprisal::codec::sets::Labels;
use surprisal::codec::{DEFAULT_LIMIT, Effort, Models, model_files};
use surprisal::engine::grid::GridNetwork;
use surprisal::engine::{DeviceName, Kernel, device};
use surprisal::media::audio::raw::Raw;
use surprisal::media::{Limits, set};
use surprisal::score::Reading;

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Global {
    /// Number of threads; 0 means one for each core. Streams do not depend on it
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0, global = true, value_parser = thread_count())]
    pub threads: usize,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// The kernel for networks, instead of the fastest one of this machine
    #[arg(long, value_name = "NAME", hide = true, global = true, value_parser = kernel)]
    pub kernel: Option<Kernel>,
}

/// More threads than this help nowhere, and a system may choke on them.
fn thread_count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(0..=1024)
}

impl Global {
    /// Sets up the threads.
    pub fn apply(&self) -> Result<(), Fault> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        let count = || {
            if self.threads == 0 { "as many threads as cores".to_owned() } else { format!("{} threads", self.threads) }
        };
        threads.build_global().map_err(|e| Fault::Error(format!("cannot start {}: {e}; try fewer with -T", count())))
    }
}

fn kernel(name: &str) -> Result<Kernel, String> {
    let kernel: Kernel = name.parse()?;
    if kernel.is_available() { Ok(kernel) } else { Err(format!("this machine has no {name} instructions")) }
}

/// Where models come from.
#[derive(Debug, Args)]
pub struct ModelOptions {
    /// A model: its file, its name or the start of its id; or a folder in which to look for models first
    #[arg(short = 'm', long = "model", value_name = "MODEL")]
    named: Vec<String>,
}

impl ModelOptions {
    /// The models to look in. One that was named must be there, whether a file needs it or not.
    pub fn models(&self, global: &Global) -> Result<Models, Fault> {
        let models = Models::new(&self.named, global.kernel.unwrap_or_else(Kernel::best));
        models.check()?;
        Ok(models)
    }

    /// Whether the user named a model.
    pub fn is_named(&self) -> bool {
        !self.named.iter().all(|name| Path::new(name).is_dir())
    }

    /// The networks for sets among what was named: each, and all that are in a folder.
    pub fn networks(&self, global: &Global) -> Result<Vec<Arc<GridNetwork>>, Fault> {
        let each = |name: &String| match Path::new(name).is_dir() {
            true => model_files(Path::new(name)).iter().map(|path| path.display().to_string()).collect(),
            false => vec![name.clone()],
        };
        let network = |name: String| {
            let models = Models::new(std::slice::from_ref(&name), global.kernel.unwrap_or_else(Kernel::best));
            models
                .for_sets()?
                .ok_or_else(|| Fault::Error(format!("the model '{name}' is for photographs, not for sets")))
        };
        self.named.iter().flat_map(each).map(network).collect()
    }
}

/// How much an encoder tries.
#[derive(Debug, Args)]
pub struct EffortOptions {
    #[arg(short, long, value_name = "1..9", default_value_t, value_parser = effort(), help = EFFORT, long_help = efforts())]
    effort: Effort,
}

impl EffortOptions {
    /// The level.
    pub fn effort(&self) -> Effort {
        self.effort
    }
}

const EFFORT: &str = "How hard to try: higher levels give smaller streams and take longer";

/// The option's help, with what each level does.
fn efforts() -> String {
    let point = |(first, last): (Effort, Effort)| {
        let levels = if first == last { first.to_string() } else { format!("{first} to {last}") };
        format!("\n  {levels}: {}", first.level())
    };
    let points: String = Effort::points().into_iter().map(point).collect();
    format!("{EFFORT}. Photographs are coded by{points}\nWith -m MODEL, that model is used at every level")
}

fn effort() -> impl TypedValueParser<Value = Effort> {
    let range = u64::from(Effort::MIN.number())..=u64::from(Effort::MAX.number());
    RangedU64ValueParser::<u8>::new().range(range).map(|number| Effort::new(number).expect("it is in the range"))
}

/// How sound is coded.
#[derive(Debug, Args)]
pub struct SoundOptions {
    /// Seconds of sound that are coded by themselves: threads take one each, and damage is lost one by one [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub segment: Option<u32>,
    /// The files are raw samples: RATE,CHANNELS,FORMAT, for instance 44100,2,s16le (u8, s8, or s16, s24, s32, f32 with le or be)
    #[arg(long, value_name = "WHAT")]
    pub raw: Option<Raw>,
}

/// A bound on what is allocated.
#[derive(Debug, Args)]
pub struct LimitOptions {
    /// The most bytes that may be allocated for what a file declares, for instance 500M or 8G
    #[arg(long, value_name = "SIZE", default_value_t = Size(DEFAULT_LIMIT), value_parser = size)]
    limit: Size,
}

impl LimitOptions {
    /// In bytes.
    pub fn bytes(&self) -> u64 {
        self.limit.0
    }
}

/// How files that are scored are read.
#[derive(Debug, Args)]
pub struct ReadingOptions {
    /// Cut each file's picture into tiles of this size, and take them one by one
    #[arg(long, value_name = "WxH", value_parser = super::dataset::tile)]
    tile: Option<(u32, u32)>,
    /// Cut recordings into windows of so many seconds (texts: of so many thousand bytes), and take them one by one
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    window: Option<f64>,
    #[command(flatten)]
    limit: LimitOptions,
}

/// A length of time.
fn seconds(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.parse().ok();
    value.filter(|v| (0.001..=1e6).contains(v)).ok_or_else(|| "a number of seconds above 0.001 is needed".to_owned())
}

impl ReadingOptions {
    /// What they say.
    pub fn reading(&self) -> Reading {
        Reading { tile: self.tile, window: self.window, limit: self.limit.bytes(), first: None }
    }
}

/// Which device runs the networks.
#[derive(Debug, Args)]
pub struct DeviceOptions {
    /// What runs the networks: cpu, cuda or cuda:N (in a program built with the feature 'torch'). Streams do not depend on it
    #[arg(long = "device", value_name = "DEVICE", default_value_t)]
    pub name: DeviceName,
}

impl DeviceOptions {
    /// The models, on the device.
    pub fn place(&self, models: Models) -> Result<Models, Fault> {
        Ok(match device::open(self.name)? {
            Some(device) => models.on(device),
            None => models,
        })
    }
}

/// The classes of examples, for models that know them.
#[derive(Debug, Args)]
pub struct LabelOptions {
    /// The classes of a set's examples, for a model that knows classes: an IDX file, perhaps gzipped
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// One class for all examples
    #[arg(long, value_name = "C", conflicts_with = "labels")]
    class: Option<u8>,
}

impl LabelOptions {
    /// Whether anything is said.
    pub fn is_some(&self) -> bool {
        self.labels.is_some() || self.class.is_some()
    }

    /// Reads the file of labels, if one was named. It can be for one file alone.
    pub fn read(&self, files: usize, limit: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(path) = &self.labels else { return Ok(None) };
        if files > 1 {
            return Err(Fault::Error("--labels are those of one file: take the files one by one".to_owned()));
        }
        let bytes = std::fs::read(path).map_err(|e| Fault::io(path, "read", &e))?;
        let labels = set::labels(&bytes, &Limits { max_bytes: limit });
        labels.map(Some).map_err(|e| Fault::Error(e.to_string()).about(&path.display().to_string()))
    }

    /// What is said about the classes; `read` is what [`read`](Self::read) gave.
    pub fn labels<'a>(&self, read: &'a Option<Vec<u8>>) -> Labels<'a> {
        match (read, self.class) {
            (Some(labels), _) => Labels::Each(labels),
            (None, Some(class)) => Labels::All(class),
            (None, None) => Labels::Unknown,
        }
    }
}

/// Options of the commands that encode, decode or measure.
#[derive(Debug, Args)]
pub struct CodecOptions {
    #[command(flatten)]
    models: ModelOptions,
    #[command(flatten)]
    limit: LimitOptions,
    #[command(flatten)]
    pub device: DeviceOptions,
}

impl CodecOptions {
    /// The models to look in, on the device.
    pub fn models(&self, global: &Global) -> Result<Models, Fault> {
        self.device.place(self.models.models(global)?)
    }

    /// The file of the model that was named last, if it was named by its file.
    pub fn file(&self) -> Option<&Path> {
        self.models.named.iter().rev().map(Path::new).find(|path| path.is_file())
    }

    /// See [`ModelOptions::networks`].
    pub fn networks(&self, global: &Global) -> Result<Vec<Arc<GridNetwork>>, Fault> {
        self.models.networks(global)
    }

    /// The most bytes that may be allocated for what a file declares.
    pub fn limit(&self) -> u64 {
        self.limit.bytes()
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match [(30, 'G'), (20, 'M'), (10, 'K')].into_iter().find(|(shift, _)| self.0 > 0 && self.0 % (1 << shift) == 0)
        {
            Some((shift, unit)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A number with an optional K, M, G or T (powers of 1024; KB, KiB and so on mean the same).
fn size(text: &str) -> Result<Size, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        unit => return Err(format!("'{unit}' is no unit: use K, M, G or T")),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "not a number of bytes".to_owned())?;
    number.checked_mul(1 << shift).map(Size).ok_or_else(|| "too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("17"), Ok(Size(17)));
        assert_eq!(size("2G"), Ok(Size(2 << 30)));
        assert_eq!(size("3kib"), Ok(Size(3072)));
        assert_eq!(size("5MB"), Ok(Size(5 << 20)));
        assert!(size("").is_err() && size("-1").is_err() && size("1x").is_err() && size("99999999999T").is_err());
        assert_eq!(Size(DEFAULT_LIMIT).to_string(), "2G");
        assert_eq!(Size(1500).to_string(), "1500");
    }
}
