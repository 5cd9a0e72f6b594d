//! Where a snapshot is written to: all cores make its text, and each writes what it made to its
//! place, so that no text goes from one core to another.

use super::text::Text;
use super::Progress;
use crate::graph::in_order::StopOnPanic;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{mpsc, Mutex, PoisonError};
use std::time::Duration;

/// Nodes, edges or strings that one thread makes the text of.
const BLOCK: usize = 1 << 13;
/// How often the user is looked after.
const TICK: Duration = Duration::from_millis(50);
/// How often a thread looks whether it has its turn before others may have the processor.
const SPIN: usize = 100;

/// Something to write to at any place.
pub trait Output: Sync {
    /// Writes all of `bytes` at so many bytes from the beginning.
    fn write_at(&self, bytes: &[u8], at: u64) -> std::io::Result<()>;
}

impl Output for File {
    fn write_at(&self, bytes: &[u8], at: u64) -> std::io::Result<()> {
        self.write_all_at(bytes, at)
    }
}

/// Why a snapshot was not written.
#[derive(Debug)]
pub enum Failed {
    Io(std::io::Error),
    /// The user asked to stop.
    Stopped,
    /// A worker thread ended early.
    Thread,
}

/// What was written so far, one part behind the other.
pub struct Sections<'a, 'p> {
    output: &'a dyn Output,
    progress: Progress<'p>,
    written: u64,
    done: usize,
    total: usize,
}

impl<'a, 'p> Sections<'a, 'p> {
    /// Nothing is written yet of so many nodes, edges and strings.
    pub fn new(output: &'a dyn Output, total: usize, progress: Progress<'p>) -> Sections<'a, 'p> {
        Sections {
            output,
            progress,
            written: 0,
            done: 0,
            total: total.max(1),
        }
    }

    /// Bytes written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) -> Result<(), Failed> {
        let bytes = text.as_bytes();
        let written = self.output.write_at(bytes, self.written);
        written.map_err(Failed::Io)?;
        self.written += bytes.len() as u64;
        self.ask(self.done)
    }

    fn ask(&mut self, done: usize) -> Result<(), Failed> {
        match (self.progress)(done as f64 / self.total as f64) {
            true => Ok(()),
            false => Err(Failed::Stopped),
        }
    }

    /// Writes `count` items, whose text `make` makes.
    pub fn section(
        &mut self,
        count: usize,
        make: &(dyn Fn(Range<usize>, &mut Text) + Sync),
    ) -> Result<(), Failed> {
        let output = self.output;
        let blocks = count.div_ceil(BLOCK);
        let workers = rayon::current_num_threads().min(blocks).max(1);
        let next = AtomicUsize::new(0);
        // The block whose place is known: it begins there.
        let (turn, place) = (AtomicUsize::new(0), AtomicU64::new(self.written));
        let written = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let mut outcome = Ok(());
        let work = || {
            let _guard = StopOnPanic(&stop);
            let mut text = Text::default();
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                if block >= blocks {
                    return;
                }
                let range = block * BLOCK..count.min((block + 1) * BLOCK);
                let items = range.len();
                text.clear();
                make(range, &mut text);
                while turn.load(Ordering::Acquire) != block {
                    for _ in 0..SPIN {
                        std::hint::spin_loop();
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    std::thread::yield_now();
                }
                let bytes = text.as_bytes();
                let at = place.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                turn.store(block + 1, Ordering::Release);
                if let Err(error) = output.write_at(bytes, at) {
                    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    failure.get_or_insert(error);
                    stop.store(true, Ordering::Relaxed);
                }
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                written.fetch_add(items, Ordering::Relaxed);
            }
        };
        rayon::in_place_scope(|scope| {
            let (sender, receiver) = mpsc::channel::<()>();
            for _ in 0..workers {
                let (work, sender) = (&work, sender.clone());
                scope.spawn(move |_| {
                    work();
                    drop(sender);
                });
            }
            drop(sender);
            while let Err(mpsc::RecvTimeoutError::Timeout) = receiver.recv_timeout(TICK) {
                if outcome.is_ok() {
                    outcome = self.ask(self.done + written.load(Ordering::Relaxed));
                }
                if outcome.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failure {
            return Err(Failed::Io(error));
        }
        outcome?;
        if written.into_inner() != count {
            return Err(Failed::Thread);
        }
        self.done += count;
        self.written = place.into_inner();
        Ok(())
    }
}
