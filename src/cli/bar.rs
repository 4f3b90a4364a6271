//! A progress bar for long work, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};
use surprisal::codec::Progress;

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// The bar of one file.
pub struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    /// A bar with the name of a file; hidden when `quiet` or when standard error is no terminal.
    pub fn new(name: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if !quiet && io::stderr().is_terminal() {
            let style =
                ProgressStyle::with_template("{msg} {bar:30} {percent:>3} % {binary_bytes_per_sec}, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(name.to_owned());
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Self { bar, start: Instant::now() }
    }

    /// The bar of so many files, of which the first has this name.
    pub fn of_many(first: &str, count: usize, quiet: bool) -> Self {
        if count == 1 { Self::new(first, quiet) } else { Self::new(&format!("{first} and {} more", count - 1), quiet) }
    }

    /// Time since the work began.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, total: u64) {
        self.bar.inc_length(total);
    }
    fn advance(&self, units: u64) {
        if self.start.elapsed() > PATIENCE {
            self.bar.inc(units);
        } else {
            self.bar.dec_length(units);
        }
    }
}
