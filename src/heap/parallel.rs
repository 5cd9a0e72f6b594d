//! Work over pages on all cores, while the command's own thread looks after the user: it asks
//! whether to stop and shows how far things are. The target is never touched by the workers.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How often the user is looked after.
const TICK: Duration = Duration::from_millis(50);

/// Called on the command's thread while work goes on, with what is done and the fraction of it
/// (0 to 1); an error ends the work.
pub type Watch<'a> = &'a dyn Fn(&str, f64) -> Result<()>;

/// Does `work` for every index below `count`, each worker with a state of its own, and returns
/// the states.
pub fn for_each<S: Send>(
    what: &str,
    count: usize,
    watch: Watch<'_>,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) + Sync,
) -> Result<Vec<S>> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let workers = rayon::current_num_threads().min(count).max(1);
    let (sender, receiver) = mpsc::channel();
    let mut states = Vec::with_capacity(workers);
    let mut outcome = Ok(());
    rayon::in_place_scope(|scope| {
        for _ in 0..workers {
            let (next, stop, state, work, sender) = (&next, &stop, &state, &work, sender.clone());
            scope.spawn(move |_| {
                let mut mine = state();
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    work(&mut mine, index);
                }
                // The receiver outlives the scope.
                let _ = sender.send(mine);
            });
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(state) => states.push(state),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let done = next.load(Ordering::Relaxed).min(count);
                    if outcome.is_ok() {
                        outcome = watch(what, done as f64 / count.max(1) as f64);
                    }
                    if outcome.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    });
    outcome?;
    if states.len() != workers {
        return Err(Error::other("a worker thread ended early"));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once() {
        let states = for_each("", 1000, &|_, _| Ok(()), || 0, |sum, i| *sum += i).unwrap();
        assert_eq!(states.into_iter().sum::<usize>(), 499_500);
    }

    #[test]
    fn the_user_can_stop_it() {
        let slow = |_: &mut (), _| std::thread::sleep(Duration::from_millis(5));
        let stopped = for_each("", 100_000, &|_, _| Err(Error::Interrupted), || (), slow);
        assert_eq!(stopped.err(), Some(Error::Interrupted));
    }
}
