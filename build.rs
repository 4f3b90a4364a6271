//! With the cargo feature `torch`: where the program finds libtorch when it runs, and whether it runs on CUDA.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys where it is a dependency, to the folder that it linked with.
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else { return };
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg=-Wl,-rpath={}", folder.display());
        if has_cuda(&folder) {
            // Nothing here refers to the part for CUDA by name, so that the linker would leave it out.
            println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
        }
    }
}

/// Whether libtorch was built for CUDA and CUDA's libraries are there: beside it, or where the wheels on PyPI put them.
fn has_cuda(folder: &Path) -> bool {
    let holds = |folder: &Path, name: &str| {
        let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with(name))
    };
    let wheels = fs::read_dir(folder.join("../../nvidia")).into_iter().flatten().flatten();
    let mut folders = wheels.map(|entry| entry.path().join("lib")).chain([folder.to_owned()]);
    holds(folder, "libtorch_cuda.so") && folders.any(|folder| holds(&folder, "libcublas.so"))
}
