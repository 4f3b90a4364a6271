//! What can go wrong in a command, and which exit code says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use surprisal::codec::{CompressError, DecodeError, ModelError};
use surprisal::engine::DeviceError;

/// How a command ended. Later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything that was asked for was done.
    Done,
    /// A stream is damaged.
    Negative,
    /// Usage, input and output, or something that this program does not support.
    Error,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command, or its work on one file, ended without success.
#[derive(Debug)]
pub enum Fault {
    /// An error; the text says what was wrong and what to do.
    Error(String),
    /// A stream is damaged; the text says how.
    Damaged(String),
    /// Standard output was closed by its reader; how the work before it ended.
    Closed(Exit),
}

impl Fault {
    /// The exit code that says this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Error(_) => Exit::Error,
            Self::Damaged(_) => Exit::Negative,
            Self::Closed(exit) => *exit,
        }
    }

    /// A failed read or write of `path`.
    pub fn io(path: &Path, doing: &str, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "check the name",
            io::ErrorKind::PermissionDenied => "check the permissions",
            io::ErrorKind::StorageFull => "free some space or choose another place with -o",
            io::ErrorKind::BrokenPipe => return Self::Closed(Exit::Done),
            _ => return Self::Error(format!("{}: cannot {doing}: {error}", path.display())),
        };
        Self::Error(format!("{}: cannot {doing}: {error}; {remedy}", path.display()))
    }

    /// The same fault with the file that it is about in front.
    pub fn about(self, name: &str) -> Self {
        match self {
            Self::Error(text) => Self::Error(format!("{name}: {text}")),
            Self::Damaged(text) => Self::Damaged(format!("{name}: {text}")),
            Self::Closed(exit) => Self::Closed(exit),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) | Self::Damaged(text) => f.write_str(text),
            Self::Closed(_) => f.write_str("the output was closed"),
        }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        if let DecodeError::Write(error) = &error {
            return Self::io(Path::new("the output"), "write", error);
        }
        if error.is_damage() { Self::Damaged(error.to_string()) } else { Self::Error(error.to_string()) }
    }
}

impl From<CompressError> for Fault {
    fn from(error: CompressError) -> Self {
        Self::Error(error.to_string())
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Self {
        Self::Error(error.to_string())
    }
}

#[cfg(feature = "torch")]
impl From<surprisal::train::TrainError> for Fault {
    fn from(error: surprisal::train::TrainError) -> Self {
        Self::Error(error.to_string())
    }
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        Self::Error(error.to_string())
    }
}
