//! The progress of a training: a bar on a terminal, and what is kept every few minutes.

use super::super::interrupt;
use super::files::Files;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use surprisal::train::TrainError;
use surprisal::train::checkpoint::{Checkpoint, Config, Plan};
use surprisal::train::run::{Monitor, Progress};

/// Whether the user wants an end.
static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// A bar that looks like `template`; hidden when `quiet` or when standard error is no terminal.
pub fn bar(total: u64, template: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    if !quiet && io::stderr().is_terminal() {
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    bar
}

/// Shows and keeps a training.
pub struct Watch<'a> {
    bar: ProgressBar,
    files: &'a Files,
    unit: &'static str,
    asked: bool,
    shown: Option<Shown<'a>>,
}

/// What is done with the weights of a step.
type Show<'a> = &'a dyn Fn(u64, &Plan, &[f32]) -> Result<(), TrainError>;

/// Called at some steps with the weights.
pub struct Shown<'a> {
    /// The steps.
    pub steps: Vec<u64>,
    /// What is done with them.
    pub show: Show<'a>,
}

impl<'a> Watch<'a> {
    /// Watches the training that goes on from `checkpoint`.
    pub fn new(checkpoint: &Checkpoint, files: &'a Files, shown: Option<Shown<'a>>, quiet: bool) -> Self {
        let bar = bar(checkpoint.plan.schedule.total, "step {pos} {bar:20} {percent:>3} % {msg}, {eta} left", quiet);
        bar.set_position(checkpoint.step);
        bar.reset_eta();
        // Without a handler an interrupt ends the program at once; the last checkpoint is there all the same.
        interrupt::on_end(|code| {
            if INTERRUPT.swap(true, Ordering::Relaxed) {
                process::exit(code);
            }
        });
        let unit = match &checkpoint.plan.config {
            Config::Window(_) => "pixels",
            Config::Grid { .. } => "examples",
        };
        Self { bar, files, unit, asked: false, shown }
    }
}

impl Monitor for Watch<'_> {
    fn step(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.bar.set_position(progress.step);
        if let Some(train) = progress.train {
            let validation = progress.validation.map(|v| format!(" (held out {v:.4})")).unwrap_or_default();
            let speed = match progress.speed {
                s if s < 1e4 => format!("{s:.0}"),
                s => format!("{:.0} thousand", s / 1e3),
            };
            self.bar.set_message(format!("{train:.4} bits per dimension{validation}, {speed} {} a second", self.unit));
        }
        if !INTERRUPT.load(Ordering::Relaxed) {
            return ControlFlow::Continue(());
        }
        if !self.asked {
            self.bar.println("ending at the next checkpoint, in less than a minute; interrupt again to end at once");
            self.asked = true;
        }
        ControlFlow::Break(())
    }

    fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        checkpoint.save(&self.files.checkpoint)?;
        self.files.figures(&checkpoint.history)
    }

    fn wants(&self, step: u64) -> bool {
        self.shown.as_ref().is_some_and(|s| s.steps.contains(&step))
    }

    fn show(&mut self, step: u64, plan: &Plan, weights: Vec<f32>) -> Result<(), TrainError> {
        self.shown.as_ref().map_or(Ok(()), |s| (s.show)(step, plan, &weights))
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
