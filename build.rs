//! With the cargo feature `torch`: where the program finds libtorch when it runs.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by torch-sys where it is a dependency, to the folder that it linked with.
    let Some(folder) = std::env::var_os("DEP_TCH_LIBTORCH_LIB") else { return };
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg=-Wl,-rpath={}", folder.to_string_lossy());
        // The parts for CUDA are loaded by libtorch itself, which nothing here refers to by name.
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-ltorch");
    }
}
