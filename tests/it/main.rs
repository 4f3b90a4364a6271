//! Integration tests, one binary: a test of `tests/it/NAME.rs` is `cargo test --test it NAME::`.

mod adapted;
mod architecture;
mod bad_input;
mod cli;
mod common;
mod device;
mod effort;
mod engine;
mod float_reference;
mod fuzz;
mod golden;
mod grid;
mod grid_file;
mod media;
mod model_file;
mod quantize;
mod quantize_grid;
mod score;
mod sets;
mod sets_cli;
mod signature;
mod sound;
mod spec;
mod streams;
#[cfg(unix)]
mod torture;
mod train_data;
mod training;
mod untrained;
