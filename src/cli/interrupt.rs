//! What happens when the program is told to end, or ends for lack of memory.
//!
//! What must stay true: exit codes are those of shells: 130 after an interrupt, 143 when told to terminate; a lack of memory is an
//! error as others are (2).

/// Calls `work` when the program is interrupted or told to end; it gets the exit code that says so, and ends the program.
/// Only the first call counts. Where there can be no handler, the system ends the program as it does others.
#[cfg(unix)]
pub fn on_end(work: impl Fn(i32) + Send + 'static) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::sync::atomic::{AtomicBool, Ordering};
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return;
    }
    // Not SIGHUP, which nohup has the program ignore.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    // Without a thread the signals would be lost, so they end the program again as before.
    let handle = signals.handle();
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let waits = move || signals.forever().for_each(|signal| work(128 + signal));
    if thread.spawn(waits).is_err() {
        handle.close();
    }
}

/// See above.
#[cfg(not(unix))]
pub fn on_end(work: impl Fn(i32) + Send + 'static) {
    let _ = ctrlc::set_handler(move || work(130));
}

/// Makes a lack of memory, of which the standard library has said how much was asked for, an exit code instead of a crash.
#[cfg(unix)]
pub fn expect_lack_of_memory(exit: i32) {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    let always = Arc::new(AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGABRT, exit, always);
}

/// See above.
#[cfg(not(unix))]
pub fn expect_lack_of_memory(_exit: i32) {}
