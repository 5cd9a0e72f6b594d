//! Work in blocks on all cores, whose results the caller's thread takes in their order; it also
//! looks after the user meanwhile.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How often the user is looked after while nothing is ready.
const TICK: Duration = Duration::from_millis(50);
/// How long a worker that is too far ahead waits before it looks again.
const REST: Duration = Duration::from_micros(50);
/// Blocks that each worker may be ahead of what was taken, whatever they weigh.
const AHEAD: usize = 8;

/// How heavy a block is, and how much all that are ready may weigh before the workers wait: one
/// block that takes long must not keep the others from going on.
pub struct Weight<F> {
    pub of: F,
    pub most: usize,
}

/// Has the others stop where a thread panics: what it was to do will not be done, and they would
/// wait for it.
pub struct StopOnPanic<'s>(pub &'s AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Makes `count` blocks, each worker with a state of its own, and has `take` take them from the
/// first to the last. An error of `take` or of `tick` ends the work.
pub fn in_order<S, T: Send>(
    count: usize,
    weight: Weight<impl Fn(&T) -> usize + Sync>,
    state: impl Fn(usize) -> S + Sync,
    make: impl Fn(&mut S, usize) -> T + Sync,
    mut tick: impl FnMut() -> Result<()>,
    mut take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let workers = rayon::current_num_threads().min(count).max(1);
    let next = AtomicUsize::new(0);
    let taken = AtomicUsize::new(0);
    let ready = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    rayon::in_place_scope(|scope| {
        for worker in 0..workers {
            let (next, taken, stop, sender) = (&next, &taken, &stop, sender.clone());
            let (state, make, ready, weight) = (&state, &make, &ready, &weight);
            scope.spawn(move |_| {
                let _guard = StopOnPanic(stop);
                let mut mine = state(worker);
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    while block >= taken.load(Ordering::Relaxed) + workers * AHEAD
                        && ready.load(Ordering::Relaxed) > weight.most
                        && !stop.load(Ordering::Relaxed)
                    {
                        std::thread::sleep(REST);
                    }
                    if block >= count || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let made = make(&mut mine, block);
                    ready.fetch_add((weight.of)(&made), Ordering::Relaxed);
                    // The receiver outlives the scope.
                    let _ = sender.send((block, made));
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut done = 0;
        let outcome = loop {
            match receiver.recv_timeout(TICK) {
                Ok((block, made)) => {
                    early.insert(block, made);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Err(error) = tick() {
                        break Err(error);
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break Ok(()),
            }
            let mut outcome = Ok(());
            while let (Some(made), Ok(())) = (early.remove(&done), &outcome) {
                ready.fetch_sub((weight.of)(&made), Ordering::Relaxed);
                outcome = take(done, made);
                done += 1;
                taken.store(done, Ordering::Relaxed);
            }
            if outcome.is_err() {
                break outcome;
            }
        };
        stop.store(true, Ordering::Relaxed);
        outcome?;
        match done == count {
            true => Ok(()),
            false => Err(Error::other("a worker thread ended early")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_in_order() {
        let mut seen = Vec::new();
        let take = |block, made: usize| {
            seen.push((block, made));
            Ok(())
        };
        let weight = Weight {
            of: |_: &usize| 1,
            most: 10,
        };
        in_order(1000, weight, |_| (), |(), block| block * 2, || Ok(()), take).unwrap();
        let all: Vec<_> = (0..1000).map(|block| (block, block * 2)).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_panic_ends_the_work() {
        let outcome = std::panic::catch_unwind(|| {
            let weight = Weight {
                of: |_: &usize| 1,
                most: 10,
            };
            let make = |(): &mut (), block| match block {
                7 => panic!("in a worker"),
                _ => block,
            };
            in_order(1 << 40, weight, |_| (), make, || Ok(()), |_, _| Ok(()))
        });
        assert!(outcome.is_err());
    }

    #[test]
    fn an_error_ends_the_work() {
        let take = |block, _| match block < 10 {
            true => Ok(()),
            false => Err(Error::Interrupted),
        };
        let weight = || Weight {
            of: |_: &usize| 1,
            most: 10,
        };
        let outcome = in_order(
            1 << 40,
            weight(),
            |_| (),
            |(), block| block,
            || Ok(()),
            take,
        );
        assert_eq!(outcome, Err(Error::Interrupted));
        let slow = |_: &mut (), block| {
            std::thread::sleep(Duration::from_millis(200));
            block
        };
        let tick = || Err(Error::Interrupted);
        let outcome = in_order(1 << 40, weight(), |_| (), slow, tick, |_, _| Ok(()));
        assert_eq!(outcome, Err(Error::Interrupted));
    }
}
