//! What is alive: reached from the roots without weak references; a WeakMap's value where both
//! its table and its key are. All cores mark, on one bit an object.

use super::shapes::Shapes;
use super::space::{word_at, Ordinal, Space};
use crate::error::{Error, Result};
use crate::graph::hints::huge;
use crate::graph::in_order::StopOnPanic;
use crate::heap::Body;
use crate::metadata::FieldUse;
use crate::object::Tagged;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{mpsc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the user is looked after.
const TICK: Duration = Duration::from_millis(50);
/// Objects found and not yet gone through that a worker keeps to itself.
const OWN: usize = 1 << 10;
/// Objects between finding one and going through it, so that its bytes can come from memory
/// meanwhile; a power of two.
const AHEAD: usize = 16;

/// A bit for each word where an object starts that has not been reached.
struct Unreached(Vec<AtomicU64>);

impl Unreached {
    /// Whether an object is not reached yet; it is then.
    #[inline]
    fn take(&self, object: Ordinal) -> bool {
        let Some(word) = self.0.get(object as usize / 64) else {
            return false;
        };
        let bit = 1u64 << (object % 64);
        // Most are no longer there, and reading costs less.
        word.load(Ordering::Relaxed) & bit != 0
            && word.fetch_and(!bit, Ordering::Relaxed) & bit != 0
    }

    fn has(&self, object: Ordinal) -> bool {
        let word = self.0.get(object as usize / 64);
        word.is_some_and(|w| w.load(Ordering::Relaxed) >> (object % 64) & 1 == 1)
    }
}

/// Work that a worker has more of than it can do, for those that have none.
#[derive(Default)]
struct Shared {
    parts: Vec<Vec<Ordinal>>,
    /// Workers that are at it.
    busy: usize,
    /// Nobody has anything left. A worker that starts later finds it so.
    done: bool,
    /// Tables of WeakMaps that were reached.
    tables: Vec<Ordinal>,
}

/// Finds what `roots` reach: a bit for each word where such an object starts. `tick` is called
/// now and then and may end the work.
pub fn reached(
    space: &Space,
    shapes: &Shapes,
    roots: impl Iterator<Item = Ordinal>,
    mut tick: impl FnMut() -> Result<()>,
) -> Result<Vec<u64>> {
    let mut unreached = Vec::with_capacity(space.starts().len());
    huge(&mut unreached);
    unreached.extend(space.starts().iter().map(|w| AtomicU64::new(*w)));
    let marking = Marking {
        space,
        shapes,
        unreached: Unreached(unreached),
        shared: Mutex::default(),
        more: Condvar::new(),
        is_short: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        workers: rayon::current_num_threads().max(1),
    };
    let mut work: Vec<Ordinal> = roots.filter(|r| marking.unreached.take(*r)).collect();
    let mut tables = Vec::new();
    loop {
        tables.extend(marking.run(work, &mut tick)?);
        // Values whose keys have been reached in the meantime.
        work = Vec::new();
        for &table in &tables {
            marking.ephemerons(table, &mut |object| work.push(object));
        }
        if work.is_empty() {
            break;
        }
    }
    let left = marking.unreached.0.into_iter().zip(space.starts());
    Ok(left.map(|(left, all)| all & !left.into_inner()).collect())
}

struct Marking<'m, 'a> {
    space: &'m Space<'a>,
    shapes: &'m Shapes,
    unreached: Unreached,
    shared: Mutex<Shared>,
    more: Condvar,
    /// Someone has nothing to do.
    is_short: AtomicBool,
    stop: AtomicBool,
    workers: usize,
}

impl Marking<'_, '_> {
    /// Goes on from `work` until nothing new is reached; the tables met.
    fn run(
        &self,
        work: Vec<Ordinal>,
        tick: &mut impl FnMut() -> Result<()>,
    ) -> Result<Vec<Ordinal>> {
        {
            let mut shared = self.lock();
            (shared.busy, shared.done) = (0, false);
            let share = work.len().div_ceil(self.workers).max(1);
            shared.parts = work.chunks(share).map(<[Ordinal]>::to_vec).collect();
        }
        let (sender, receiver) = mpsc::channel::<()>();
        let mut outcome = Ok(());
        rayon::in_place_scope(|scope| {
            for _ in 0..self.workers {
                let sender = sender.clone();
                scope.spawn(move |_| {
                    let _guard = StopOnPanic(&self.stop);
                    self.work();
                    drop(sender);
                });
            }
            drop(sender);
            while let Err(mpsc::RecvTimeoutError::Timeout) = receiver.recv_timeout(TICK) {
                if outcome.is_ok() {
                    outcome = tick();
                }
                if outcome.is_err() {
                    self.stop.store(true, Ordering::Relaxed);
                    self.more.notify_all();
                }
            }
        });
        outcome?;
        let mut shared = self.lock();
        match shared.done {
            true => Ok(std::mem::take(&mut shared.tables)),
            false => Err(Error::other("a worker thread ended early")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One worker.
    fn work(&self) {
        let mut own = Worker::default();
        self.lock().busy += 1;
        while let Some(part) = self.part() {
            own.stack = part;
            while let Some(object) = own.next(self.space) {
                self.visit(object, &mut own);
                if own.stack.len() > OWN && self.is_short.load(Ordering::Relaxed) {
                    self.give(&mut own);
                }
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
            }
            if !own.tables.is_empty() {
                self.lock().tables.append(&mut own.tables);
            }
        }
    }

    /// Work for one that is busy no more; none when nobody has any.
    fn part(&self) -> Option<Vec<Ordinal>> {
        let mut shared = self.lock();
        shared.busy -= 1;
        loop {
            if shared.done || self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(part) = shared.parts.pop() {
                shared.busy += 1;
                return Some(part);
            }
            if shared.busy == 0 {
                shared.done = true;
                self.more.notify_all();
                return None;
            }
            self.is_short.store(true, Ordering::Relaxed);
            // Woken up in vain it only looks again.
            let (guard, _) = self
                .more
                .wait_timeout(shared, TICK)
                .unwrap_or_else(PoisonError::into_inner);
            shared = guard;
        }
    }

    /// Leaves the older half of a worker's work to others.
    fn give(&self, own: &mut Worker) {
        let rest = own.stack.split_off(own.stack.len() / 2);
        let part = std::mem::replace(&mut own.stack, rest);
        self.is_short.store(false, Ordering::Relaxed);
        self.lock().parts.push(part);
        self.more.notify_one();
    }

    #[inline]
    fn push(&self, object: Ordinal, own: &mut Worker) {
        if self.unreached.take(object) {
            own.stack.push(object);
        }
    }

    /// What a strong pointer is to.
    #[inline]
    fn push_word(&self, word: u64, own: &mut Worker) {
        if Tagged(word).is_strong() {
            if let Some(object) = self.space.word_of(word & !1) {
                self.push(object, own);
            }
        }
    }

    fn visit(&self, object: Ordinal, own: &mut Worker) {
        let (space, shapes) = (self.space, self.shapes);
        let map = space.map_index(object);
        let bytes = space.bytes_as(object, map);
        if let Some(map) = word_at(bytes, 0) {
            self.push_word(map, own);
        }
        let shape = shapes.of(map);
        match &shape.body {
            Body::None => {}
            Body::Words(range) => {
                self.words(bytes, range.clone(), &shape.weak_offsets, own);
            }
            Body::Around(raw) => {
                self.words(bytes, 8..raw.start, &shape.weak_offsets, own);
                self.words(bytes, raw.end..usize::MAX, &shape.weak_offsets, own);
            }
            Body::Instructions(start) => {
                self.words(bytes, 8..*start, &[], own);
                for at in *start..bytes.len().saturating_sub(7) {
                    if let Some(word) = word_at(bytes, at) {
                        self.push_word(word, own);
                    }
                    if let Some(code) = shapes.called(space, object, bytes, at, *start) {
                        self.push(code, own);
                    }
                }
            }
            Body::Ephemerons => {
                own.tables.push(object);
                let stack = &mut own.stack;
                self.ephemerons(object, &mut |value| stack.push(value));
            }
        }
        if let Some(code) = shapes.code_of(shape, bytes) {
            self.push(code, own);
        }
    }

    #[inline]
    fn words(&self, bytes: &[u8], range: std::ops::Range<usize>, skip: &[u16], own: &mut Worker) {
        let end = range.end.min(bytes.len());
        let Some(body) = bytes.get(range.start..end) else {
            return;
        };
        for (at, chunk) in body.chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            if word & 3 != 1 {
                continue;
            }
            if !skip.is_empty() && skip.contains(&((range.start + at * 8) as u16)) {
                continue;
            }
            if let Some(object) = self.space.word_of(word & !1) {
                self.push(object, own);
            }
        }
    }

    /// Hands on the values of a table whose keys have been reached, and which are new.
    fn ephemerons(&self, table: Ordinal, found: &mut dyn FnMut(Ordinal)) {
        let bytes = self.space.bytes(table);
        let mut at = self.shapes.ephemerons_start;
        while let (Some(key), Some(value)) = (word_at(bytes, at), word_at(bytes, at + 8)) {
            at += 16;
            let alive = match self.space.target(key) {
                Some(key) => !self.unreached.has(key),
                None => true,
            };
            if alive && Tagged(value).is_strong() {
                let value = self.space.word_of(value & !1);
                if let Some(value) = value.filter(|v| self.unreached.take(*v)) {
                    found(value);
                }
            }
        }
    }
}

/// What a worker has to do: those next up in a ring, whose bytes are on their way.
#[derive(Default)]
struct Worker {
    stack: Vec<Ordinal>,
    tables: Vec<Ordinal>,
    ring: [Ordinal; AHEAD],
    filled: usize,
    at: usize,
}

impl Worker {
    #[inline]
    fn next(&mut self, space: &Space) -> Option<Ordinal> {
        while self.filled < AHEAD {
            let Some(object) = self.stack.pop() else {
                break;
            };
            space.prefetch(object);
            self.ring[(self.at + self.filled) % AHEAD] = object;
            self.filled += 1;
        }
        if self.filled == 0 {
            return None;
        }
        let object = self.ring[self.at % AHEAD];
        self.at = (self.at + 1) % AHEAD;
        self.filled -= 1;
        Some(object)
    }
}

/// Offsets of the fields that hold nothing.
pub fn weak_offsets(fields: &[super::shapes::Field]) -> Vec<u16> {
    fields
        .iter()
        .filter(|f| {
            matches!(
                f.usage,
                FieldUse::Weak(_) | FieldUse::WeakHidden | FieldUse::Skip
            )
        })
        .map(|f| f.offset)
        .collect()
}
