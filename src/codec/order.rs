//! Work on several threads, of which what goes in and what comes out is in order.
//!
//! What must stay true: at most one item a thread is open at a time, so memory does not grow with the number of items.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Where the work is.
struct State<W, E> {
    /// The number of the item that `write` gets next.
    turn: usize,
    write: W,
    fault: Option<E>,
    /// Whether a thread panicked: nobody waits for its turn.
    lost: bool,
}

/// Tells those who wait when its thread panics.
struct Guard<'s, W, E>(&'s Mutex<State<W, E>>, &'s Condvar);

impl<W, E> Drop for Guard<'_, W, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.0).lost = true;
            self.1.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads items until there is none, works on them on so many threads, and writes what comes out in the order of the items.
/// `read` and `write` are called by one thread at a time. The first fault, in this order, ends it.
pub fn in_order<I, O, E: Send>(
    threads: usize,
    read: impl FnMut() -> Result<Option<I>, E> + Send,
    work: impl Fn(usize, I) -> Result<O, E> + Sync,
    write: impl FnMut(O) -> Result<(), E> + Send,
) -> Result<(), E> {
    let source = Mutex::new((read, 0usize, true));
    let state = Mutex::new(State { turn: 0, write, fault: None, lost: false });
    let next = Condvar::new();
    let run = || loop {
        let _guard = Guard(&state, &next);
        let (number, item) = {
            let (read, count, is_open) = &mut *lock(&source);
            if !*is_open {
                return;
            }
            let item = read();
            *is_open = matches!(item, Ok(Some(_)));
            let number = *count;
            *count += 1;
            (number, item)
        };
        let done = match item {
            Ok(None) => return,
            Ok(Some(item)) => work(number, item),
            Err(fault) => Err(fault),
        };
        let mut state = lock(&state);
        while state.turn != number && state.fault.is_none() && !state.lost {
            state = next.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.fault.is_some() || state.lost {
            return;
        }
        if let Err(fault) = done.and_then(|done| (state.write)(done)) {
            state.fault = Some(fault);
        }
        state.turn += 1;
        next.notify_all();
        if state.fault.is_some() {
            return;
        }
    };
    std::thread::scope(|scope| {
        // Where the system gives no more threads, those that there are do the work.
        for _ in 1..threads {
            let _ = std::thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    match state.into_inner().unwrap_or_else(PoisonError::into_inner).fault {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_is_in_order_and_the_first_fault_ends_it() {
        for threads in [1, 2, 5] {
            for fault in [None, Some(0), Some(17), Some(99)] {
                let (mut next, mut out) = (0, Vec::new());
                let read = || {
                    next += 1;
                    Ok((next <= 100).then_some(next - 1))
                };
                let work = |number: usize, item: usize| {
                    assert_eq!(number, item);
                    std::thread::sleep(std::time::Duration::from_micros(item as u64 * 7919 % 200));
                    if fault.is_some_and(|at| item == at || item == at + 1) { Err(item) } else { Ok(item) }
                };
                let done = in_order(threads, read, work, |item| {
                    out.push(item);
                    Ok(())
                });
                assert_eq!(done.err(), fault);
                assert_eq!(out, (0..fault.unwrap_or(100)).collect::<Vec<_>>());
            }
        }
    }
}
