//! Where models come from: the binary, `-m`, `$SURPRISAL_MODELS`, the user's data folder, `./models`.

use super::builtin::{self, BUILT_IN};
use super::effort::Level;
use super::error::ModelError;
use crate::engine::device::{self, Device, DeviceError, Runner};
use crate::engine::grid::GridNetwork;
use crate::engine::{Kernel, ModelId, Network, Program};
use crate::spec::{Axis, Domain};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Ending of a model file.
pub const EXTENSION: &str = "srm";

/// No model file is larger, so a larger file in a folder of models is not read.
const MAX_FILE: u64 = 1 << 30;

/// A place where models are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Inside the binary.
    BuiltIn,
    /// A file or folder that the user named with `-m`.
    Named(PathBuf),
    /// `$SURPRISAL_MODELS`; `None` when it is not set.
    Environment(Option<PathBuf>),
    /// The user's data folder; `None` when there is no home.
    UserData(Option<PathBuf>),
    /// `./models`.
    Here,
}

impl Place {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::BuiltIn => None,
            Self::Named(path) => Some(path),
            Self::Environment(path) | Self::UserData(path) => path.as_deref(),
            Self::Here => Some(Path::new("models")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => write!(f, "the binary"),
            Self::Named(path) => write!(f, "-m {}", path.display()),
            Self::Environment(Some(path)) => write!(f, "$SURPRISAL_MODELS ({})", path.display()),
            Self::Environment(None) => write!(f, "$SURPRISAL_MODELS (not set)"),
            Self::UserData(Some(path)) => write!(f, "{}", path.display()),
            Self::UserData(None) => write!(f, "the user's data folder (no home)"),
            Self::Here => write!(f, "./models"),
        }
    }
}

/// A model that was found, or a model file that could not be read.
#[derive(Debug)]
pub struct Found {
    /// Where it lies.
    pub place: Place,
    /// The file; `None` for one inside the binary.
    pub path: Option<PathBuf>,
    /// The model, or what is wrong with the file.
    pub program: Result<Arc<Program>, String>,
}

/// Finds models by identity, name or path, and keeps the networks that were used.
#[derive(Debug)]
pub struct Models {
    places: Vec<Place>,
    wanted: Option<String>,
    /// The model for photographs that it stands for, once it was asked for.
    chosen: OnceLock<Arc<Program>>,
    kernel: Kernel,
    used: Mutex<Vec<Arc<Network>>>,
    grids: Mutex<Vec<Arc<GridNetwork>>>,
    /// What runs networks in the kernels' place, and those that are there.
    device: Option<Arc<dyn Device>>,
    loaded: Mutex<Vec<(ModelId, Arc<dyn Runner>)>>,
}

impl Models {
    /// Looks in the usual places, after `named` (what `-m` gave: files, folders, names or starts of an id).
    ///
    /// The last of `named` that is not a folder is also the model that [`Models::for_pictures`] returns.
    pub fn new(named: &[String], kernel: Kernel) -> Self {
        let is_path = |name: &&String| Path::new(name).exists();
        let environment = std::env::var_os("SURPRISAL_MODELS").map(PathBuf::from);
        let mut places = vec![Place::BuiltIn];
        places.extend(named.iter().filter(is_path).map(|name| Place::Named(PathBuf::from(name))));
        places.extend([Place::Environment(environment), Place::UserData(user_data()), Place::Here]);
        let wanted = named.iter().rev().find(|name| !Path::new(name).is_dir()).cloned();
        Self {
            places,
            wanted,
            chosen: OnceLock::new(),
            kernel,
            used: Mutex::default(),
            grids: Mutex::default(),
            device: None,
            loaded: Mutex::default(),
        }
    }

    /// Runs networks on a device. Streams do not depend on it.
    pub fn on(self, device: Arc<dyn Device>) -> Self {
        Self { device: Some(device), loaded: Mutex::default(), ..self }
    }

    /// Whether a device runs networks.
    pub(super) fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// What runs a network in the kernels' place, if anything does: checked when it is first asked for.
    pub fn runner(&self, network: &Arc<Network>) -> Result<Option<Arc<dyn Runner>>, DeviceError> {
        let Some(device) = &self.device else { return Ok(None) };
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let id = network.program().id();
        if let Some((_, runner)) = loaded.iter().find(|(other, _)| *other == id) {
            return Ok(Some(Arc::clone(runner)));
        }
        let runner = device::load(&**device, network)?;
        loaded.push((id, Arc::clone(&runner)));
        Ok(Some(runner))
    }

    /// As [`runner`](Self::runner), for a network that one file needs: it is not kept.
    pub fn runner_once(&self, network: &Arc<Network>) -> Result<Option<Arc<dyn Runner>>, DeviceError> {
        self.device.as_ref().map(|device| device::load(&**device, network)).transpose()
    }

    /// The places in which models are looked for, in order.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Every model in every place, in order.
    pub fn all(&self) -> impl Iterator<Item = Found> {
        self.places.iter().flat_map(|place| match place {
            Place::BuiltIn => BUILT_IN
                .iter()
                .map(|model| Found { place: place.clone(), path: None, program: model.program() })
                .collect::<Vec<_>>(),
            _ => place.path().map(files).unwrap_or_default().into_iter().map(|path| load(place, path)).collect(),
        })
    }

    /// Whether the model that the user named is there.
    pub fn check(&self) -> Result<(), ModelError> {
        self.wanted.iter().try_for_each(|name| self.named(name).map(drop))
    }

    /// The network with this identity.
    pub fn find(&self, id: ModelId) -> Result<Arc<Network>, ModelError> {
        if let Some(network) = self.lock().iter().find(|network| network.program().id() == id) {
            return Ok(Arc::clone(network));
        }
        let program = match BUILT_IN.iter().find(|model| model.id() == id) {
            Some(model) => model.program().ok(),
            None => self.by_id(id),
        };
        let program = program.filter(|program| *program.domain() == Domain::Photographs);
        let program = program.ok_or_else(|| ModelError::Missing { id, looked: self.places.clone() })?;
        Ok(self.network(program))
    }

    /// The network on a grid with this identity.
    pub fn find_grid(&self, id: ModelId) -> Result<Arc<GridNetwork>, ModelError> {
        let program = self.by_id(id).filter(|program| *program.domain() != Domain::Photographs);
        self.grid(program.ok_or_else(|| ModelError::Missing { id, looked: self.places.clone() })?)
    }

    /// The network on a grid that the user named; none if what was named, if anything, is for photographs.
    pub fn for_sets(&self) -> Result<Option<Arc<GridNetwork>>, ModelError> {
        let Some(name) = &self.wanted else { return Ok(None) };
        let program = self.named(name)?;
        if *program.domain() == Domain::Photographs { Ok(None) } else { self.grid(program).map(Some) }
    }

    /// The name of the model with this identity, wherever it is found.
    pub fn name_of(&self, id: ModelId) -> Option<String> {
        match BUILT_IN.iter().find(|model| model.id() == id) {
            Some(model) => Some(model.name.to_owned()),
            None => self.by_id(id).map(|program| program.name().to_owned()),
        }
    }

    /// The program with this identity in a file: only one whose bytes have it is taken apart, so that other models take no
    /// memory.
    fn by_id(&self, id: ModelId) -> Option<Arc<Program>> {
        let paths = self.places.iter().filter_map(Place::path).flat_map(files);
        let bytes = paths.filter_map(|path| read(&path).ok()).find(|bytes| ModelId::of(bytes) == id)?;
        Program::from_bytes(&bytes).ok().map(Arc::new)
    }

    /// The network of a program on a grid: the one that is there already, or a new one.
    fn grid(&self, program: Arc<Program>) -> Result<Arc<GridNetwork>, ModelError> {
        let mut grids = self.grids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = grids.iter().find(|network| network.program().id() == program.id()) {
            return Ok(Arc::clone(network));
        }
        let name = program.name().to_owned();
        let network = GridNetwork::new(program, self.kernel).map_err(|fault| ModelError::Grid { name, fault })?;
        grids.push(Arc::new(network));
        Ok(Arc::clone(&grids[grids.len() - 1]))
    }

    /// The network that codes pictures of 1 or 3 channels: the model that the user named, or else the effort level's, or
    /// else the first one inside the binary that fits them; `None` when there is none.
    pub fn for_pictures(&self, channels: u8, level: Level) -> Result<Option<Arc<Network>>, ModelError> {
        let program = match &self.wanted {
            Some(name) => Some(self.choose(name)?).filter(|program| fits(program, channels)),
            None => {
                let candidates = builtin::named(level.model).into_iter().chain(&BUILT_IN);
                candidates.filter_map(|model| model.program().ok()).find(|program| fits(program, channels))
            }
        };
        Ok(program.map(|program| self.network(program)))
    }

    /// The network that codes the planes of colour pictures: the effort level's, unless the user named a model.
    pub fn for_planes(&self, level: Level) -> Option<Arc<Network>> {
        let name = level.planes.filter(|_| self.wanted.is_none())?;
        builtin::named(name)?.program().ok().map(|program| self.network(program))
    }

    /// The model for photographs that `name` stands for.
    fn choose(&self, name: &str) -> Result<Arc<Program>, ModelError> {
        if let Some(program) = self.chosen.get() {
            return Ok(Arc::clone(program));
        }
        let program = self.named(name)?;
        if *program.domain() != Domain::Photographs {
            return Err(ModelError::OtherData(name.to_owned()));
        }
        Ok(Arc::clone(self.chosen.get_or_init(|| program)))
    }

    /// The model that `name` stands for: a file, a name, or the first six or more digits of an id.
    fn named(&self, name: &str) -> Result<Arc<Program>, ModelError> {
        let path = Path::new(name);
        if path.is_file() {
            let found = load(&Place::Named(path.to_owned()), path.to_owned());
            return found.program.map_err(|fault| ModelError::Unreadable { path: path.to_owned(), fault });
        }
        if let Some(program) = builtin::named(name).and_then(|model| model.program().ok()) {
            return Ok(program);
        }
        let digits = name.to_ascii_lowercase();
        let is_id = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        self.programs()
            .find(|program| program.name() == name || (is_id && program.id().to_string().starts_with(&digits)))
            .ok_or_else(|| ModelError::Unknown { name: name.to_owned(), looked: self.places.clone() })
    }

    fn programs(&self) -> impl Iterator<Item = Arc<Program>> {
        self.all().filter_map(|found| found.program.ok())
    }

    /// The network of a program: the one that is there already, or a new one.
    fn network(&self, program: Arc<Program>) -> Arc<Network> {
        let mut used = self.lock();
        if let Some(network) = used.iter().find(|network| network.program().id() == program.id()) {
            return Arc::clone(network);
        }
        used.push(Arc::new(Network::new(program, self.kernel)));
        Arc::clone(&used[used.len() - 1])
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Network>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a model codes 8-bit pictures with this many channels. One of three channels codes gray pictures, too: it sees
/// them as pictures whose channels are equal, and codes the first.
pub(super) fn fits(program: &Program, channels: u8) -> bool {
    let symbols = &program.spec().symbols;
    let enough = symbols.channels == u16::from(channels) || (symbols.channels == 3 && channels == 1);
    symbols.axes == [Axis::Row, Axis::Column] && symbols.alphabet == 256 && enough
}

fn load(place: &Place, path: PathBuf) -> Found {
    let program = read(&path).and_then(|bytes| Program::from_bytes(&bytes).map(Arc::new).map_err(|e| e.to_string()));
    Found { place: place.clone(), path: Some(path), program }
}

/// The bytes of a model file.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    match std::fs::metadata(path).map_err(|e| e.to_string())?.len() {
        0..=MAX_FILE => std::fs::read(path).map_err(|e| e.to_string()),
        _ => Err("larger than any model file".to_owned()),
    }
}

/// The model files of a place: the file itself, or those in the folder, in the order of their names.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == EXTENSION) && path.is_file())
        .collect();
    files.sort();
    files
}

/// `surprisal/models` in the folder in which this system keeps a user's data.
fn user_data() -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        var("APPDATA")?
    } else if cfg!(target_os = "macos") {
        var("HOME")?.join("Library/Application Support")
    } else {
        var("XDG_DATA_HOME").or_else(|| Some(var("HOME")?.join(".local/share")))?
    };
    Some(base.join("surprisal").join("models"))
}
