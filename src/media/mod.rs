//! Media: file bytes to samples plus what is needed to restore the exact file, and back.
//!
//! What must stay true: `join(split(file))` is `file`, byte for byte, or the file is not split at all. [`split`] checks it
//! before it reports a split; the one exception, which the caller has to ask for and which the result names, is
//! [`Options::pixels`].

pub mod audio;
pub mod image;
mod packed;
pub mod set;

use std::ops::ControlFlow;

use thiserror::Error;

use crate::wire::WireError;
use audio::Pcm;
use image::Picture;
pub use packed::packed;

/// A file format that can be taken apart. A new one is one line here, one in [`FORMATS`], and its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Medium {
    /// Portable pixmaps and graymaps, binary (`P5`, `P6`).
    Pnm = 1,
    /// Windows bitmaps, uncompressed.
    Bmp = 2,
    /// Portable Network Graphics.
    Png = 3,
    /// RIFF waves: WAV, RF64. (4 is the number of sets.)
    Wav = 5,
    /// Audio Interchange File Format: AIFF, AIFF-C.
    Aiff = 6,
    /// Raw samples of sound, of which the user says what they are.
    Raw = 7,
    /// Arrays of bytes, as sets of pictures come: IDX, also gzipped, without a model for sets.
    Idx = 8,
    /// Tagged Image File Format, uncompressed strips.
    Tiff = 9,
    /// Free Lossless Audio Codec.
    Flac = 10,
}

/// What the functions of a format are, and the numbers by which streams name it.
pub struct Format {
    /// Its stable number is `medium as u8`.
    pub medium: Medium,
    /// A short name for messages.
    pub name: &'static str,
    /// The version of its recipes: a recipe is only read by the version that wrote it.
    pub version: u16,
    sniff: fn(&[u8]) -> bool,
    split: fn(&[u8], Options, &Limits) -> Outcome,
    join: fn(&[u8], &Content, &Limits, &mut Sink<'_>) -> Result<(), MediaError>,
}

/// Every format, in the order in which they are tried.
pub static FORMATS: &[Format] = &[
    image::pnm::FORMAT,
    image::bmp::FORMAT,
    image::png::FORMAT,
    image::tiff::FORMAT,
    audio::wav::FORMAT,
    audio::aiff::FORMAT,
    audio::raw::FORMAT,
    audio::flac::recipe::FORMAT,
    set::array_file::FORMAT,
];

/// Every program that a recipe may need, by name and version.
pub static REBUILDERS: &[Rebuilder] =
    &[audio::flac::recipe::REBUILDER, image::png::rebuild::ZLIB, image::png::retoken::REBUILDER];

impl Medium {
    /// The medium with this number.
    pub fn from_id(id: u8) -> Option<Self> {
        FORMATS.iter().map(|f| f.medium).find(|&m| m as u8 == id)
    }
    /// The format's entry in the registry.
    pub fn format(self) -> &'static Format {
        FORMATS.iter().find(|f| f.medium == self).expect("every medium is registered, which a test checks")
    }
}

/// What a file holds, without the form in which the file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Samples for the picture models.
    Picture(Picture),
    /// Samples of sound.
    Pcm(Pcm),
    /// Raw samples for the byte model.
    Rows {
        /// The bytes.
        bytes: Vec<u8>,
        /// Bytes from a row to the next; 0 when unknown or not constant.
        stride: u32,
        /// Bytes a pixel (1 when a pixel is smaller); 0 when unknown.
        unit: u32,
        /// What the bytes of a row are.
        form: Form,
    },
}

/// What the bytes of rows of samples are. All but the first need `stride` and `unit`, and whole rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    #[default]
    Bytes,
    /// Samples of 8 bits, the last of each pixel its alpha.
    Alpha,
    /// Samples of 16 bits, the higher byte first.
    Deep,
    /// Pixels of one bit, the first in a byte's highest bit; rows are whole bytes.
    Bilevel,
}

impl Content {
    /// The samples, whatever they mean.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Picture(picture) => &picture.samples,
            Content::Pcm(pcm) => &pcm.bytes,
            Content::Rows { bytes, .. } => bytes,
        }
    }
}

/// A program part outside this crate that a recipe runs again, and its exact version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rebuilder {
    /// For instance `zlib`.
    pub name: &'static str,
    /// For instance `1.3.1`.
    pub version: &'static str,
}

/// A file taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Which [`join`] puts it together.
    pub medium: Medium,
    /// What the models code.
    pub content: Content,
    /// Everything else.
    pub recipe: Vec<u8>,
    /// What [`join`] will run, by name and version.
    pub rebuilders: Vec<Rebuilder>,
    /// Whether the joined file is the very same one. False only under [`Options::pixels`]: then it has the same samples and
    /// the same chunks, but other deflate data.
    pub exact: bool,
    /// Something the user should know.
    pub note: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken apart, and putting it together was tried.
    Split(Box<Split>),
    /// It is to be coded as plain bytes.
    Opaque {
        /// Why, if the user might have expected something else.
        note: Option<String>,
    },
}

impl Outcome {
    pub(crate) fn opaque() -> Self {
        Outcome::Opaque { note: None }
    }
    pub(crate) fn because(note: impl Into<String>) -> Self {
        Outcome::Opaque { note: Some(note.into()) }
    }
}

/// What the user chose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Give up the exact deflate data of a PNG, keeping every sample and every other chunk, where it cannot be rebuilt for
    /// a few bytes.
    pub pixels: bool,
    /// The file is raw samples of sound.
    pub raw: Option<audio::raw::Raw>,
}

/// What may be allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that a content or a joined file may have.
    pub max_bytes: u64,
}

impl Limits {
    /// Refuses `bytes` over the limit; `what` names it.
    pub(crate) fn check(&self, bytes: u64, what: &'static str) -> Result<usize, MediaError> {
        match usize::try_from(bytes) {
            Ok(n) if bytes <= self.max_bytes => Ok(n),
            _ => Err(MediaError::TooLarge { what, bytes, limit: self.max_bytes }),
        }
    }
}

/// Why a file could not be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaError {
    /// The recipe's bytes are damaged.
    #[error("the recipe for the file is damaged: {0}")]
    Recipe(#[from] WireError),
    /// The recipe and the samples do not belong together.
    #[error("the recipe for the file does not fit: {0}")]
    Inconsistent(&'static str),
    /// A declared size is over the limit.
    #[error("{what} would take {bytes} bytes, over the limit of {limit}: raise the limit if the file is trusted")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// How much it would take.
        bytes: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A rebuilder is not part of this build.
    #[error("the file needs {name} {version}, which this build does not have: {hint}")]
    MissingRebuilder {
        /// Its name.
        name: &'static str,
        /// Its version.
        version: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A rebuilder refused.
    #[error("{name} could not rebuild the deflate data: {reason}")]
    Rebuilder {
        /// Its name.
        name: &'static str,
        /// What it said.
        reason: String,
    },
    /// The receiver of the bytes asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Takes the bytes of a file as they are made.
pub type Sink<'a> = dyn FnMut(&[u8]) -> ControlFlow<()> + 'a;

/// The format as whose files a file begins.
fn format_of(file: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().find(|f| (f.sniff)(file))
}

/// What a file begins as, if that is a known format.
pub fn medium_of(file: &[u8]) -> Option<Medium> {
    format_of(file).map(|format| format.medium)
}

/// Takes a file apart, if it is of a known format and putting it together gives the very same bytes (which is tried here).
/// Damaged and unknown input is no error: it is opaque.
pub fn split(file: &[u8], options: Options, limits: &Limits) -> Outcome {
    let Some(format) = options.raw.map(|_| &audio::raw::FORMAT).or_else(|| format_of(file)) else {
        return Outcome::opaque();
    };
    (format.split)(file, options, limits)
}

/// What a file holds, without what it takes to make the same file again; else why that cannot be told, if there is anything to
/// say. It takes a PNG as any reader does, so no time goes into its deflate data.
pub fn content(file: &[u8], limits: &Limits) -> Result<(Medium, Content), Option<String>> {
    if medium_of(file) == Some(Medium::Png) {
        let content =
            image::png::content(file, limits).map_err(|reason| Some(format!("this PNG is not read: {reason}")))?;
        return Ok((Medium::Png, content));
    }
    match split(file, Options::default(), limits) {
        Outcome::Split(split) => Ok((split.medium, split.content)),
        Outcome::Opaque { note } => Err(note),
    }
}

/// Puts a file together. `recipe` and `content` may come from anywhere: what does not fit is an error, not a panic.
pub fn join(medium: Medium, recipe: &[u8], content: &Content, limits: &Limits) -> Result<Vec<u8>, MediaError> {
    let mut file = Vec::new();
    join_to(medium, recipe, content, limits, &mut |bytes| {
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    })?;
    Ok(file)
}

/// As [`join`], but hands the bytes out piece by piece, so that no second copy is held. The sum of the pieces stays within
/// `limits`.
pub fn join_to(
    medium: Medium,
    recipe: &[u8],
    content: &Content,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<(), MediaError> {
    let mut total = 0u64;
    let mut over = None;
    let result = (medium.format().join)(recipe, content, limits, &mut |bytes| {
        total += bytes.len() as u64;
        if let Err(error) = limits.check(total, "the joined file") {
            over = Some(error);
            return ControlFlow::Break(());
        }
        sink(bytes)
    });
    over.map_or(result, Err)
}

/// Ends a split: gives `split` back if joining it gives `file`, byte for byte, and its recipe is worth its size.
#[allow(clippy::result_large_err, reason = "what does not join comes back as it went in")]
pub(crate) fn checked(file: &[u8], split: Split, limits: &Limits) -> Result<Split, Split> {
    // a recipe that holds most of the file (other files after the first, say) is better coded as plain bytes
    let worth_it = split.recipe.len() <= split.content.bytes().len() + 4096;
    if worth_it && joins_to(file, &split, limits) { Ok(split) } else { Err(split) }
}

/// Whether joining `split` gives `file`. Holds no copy of the file: the bytes are compared as they are made.
fn joins_to(file: &[u8], split: &Split, limits: &Limits) -> bool {
    let mut rest = file;
    let result =
        join_to(split.medium, &split.recipe, &split.content, limits, &mut |bytes| match rest.strip_prefix(bytes) {
            Some(tail) => {
                rest = tail;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        });
    result.is_ok() && rest.is_empty()
}

/// Hands bytes to a sink.
pub(crate) fn emit(sink: &mut Sink<'_>, bytes: &[u8]) -> Result<(), MediaError> {
    match sink(bytes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(MediaError::Stopped),
    }
}
