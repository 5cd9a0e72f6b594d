//! Isolates: one per thread of JavaScript (the main one, and each Worker's). They are found from
//! the pages, whose headers name their heap; the heap knows its isolate, and the isolate holds
//! the roots. A thread runs an isolate when its thread-local storage points to it.

use super::labs::{self, Lab};
use super::pages::{self, Page};
use crate::error::{Error, Result};
use crate::memory::{Memory, Region};
use crate::metadata::{InstanceType, Layout};
use crate::object::{Cx, Map, Tagged};
use crate::target::{Target, Thread};
use std::collections::BTreeMap;

/// Farthest that an isolate lies before its heap, which is part of it.
const FARTHEST_ISOLATE: u64 = 0x4_0000;
/// The heap's own pointer back to its isolate lies within these first bytes.
const BACK_POINTER_WITHIN: usize = 0x800;
/// Bytes of the Heap itself in which it may say where it allocates.
const HEAP_SIZE: u64 = 0x1400;
/// Heaps looked at in one target at most.
const MOST_HEAPS: usize = 4096;
/// Thread-local storage around the thread pointer: variables lie under it on x64 and above it on
/// arm64; pthread keys lie above it on Linux x64.
const TLS_BELOW: u64 = 0x1000;
const TLS_ABOVE: u64 = 0xa00;
/// Kinds of V8's oddballs that never changed.
const KIND_FALSE: i64 = 0;
const KIND_TRUE: i64 = 1;
const KIND_NULL: i64 = 3;

/// A well-known object that every isolate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RootName {
    Undefined,
    TheHole,
    Null,
    True,
    False,
    /// The binding of a `let` before it runs; not a root of its own since V8 14.
    Uninitialized,
    FreeSpaceMap,
    OnePointerFillerMap,
    TwoPointerFillerMap,
}

/// An isolate's well-known objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roots {
    /// Address of the first slot of V8's roots table.
    pub table: u64,
    undefined: Tagged,
    the_hole: Tagged,
    null: Tagged,
    true_: Tagged,
    false_: Tagged,
    uninitialized: Option<Tagged>,
    /// Maps of free space, of a one-word and of a two-word filler.
    fillers: [Option<Tagged>; 3],
}

/// A garbage collection that stops the program (V8's `HeapState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    Scavenge,
    MarkCompact,
    MinorMarkCompact,
}

/// An isolate.
#[derive(Debug, Clone)]
pub struct Isolate {
    pub address: u64,
    /// Its Heap, which is part of it.
    pub heap: u64,
    pub roots: Roots,
    /// [`Thread::index`] of the threads that have it entered; empty while none runs it.
    pub threads: Vec<u32>,
    /// The one of them that runs its JavaScript; the others work for it, as V8's platform does.
    pub runner: Option<u32>,
    /// Number of pages that are its own.
    pub pages: usize,
}

/// All that was found of V8's heaps in a target.
#[derive(Debug, Clone)]
pub struct Isolates {
    /// The main thread's first, then as their threads were started, then those without a thread.
    pub isolates: Vec<Isolate>,
    /// Pages of all, in address order; those with heap 0 are shared by all.
    pub pages: Vec<Page>,
    /// Allocation areas in use, by address.
    pub labs: Vec<Lab>,
    /// What does not fit together, for the user.
    pub warnings: Vec<String>,
}

impl Isolate {
    /// The well-known object `name`; an error where this version has none of that name.
    pub fn root(&self, name: RootName) -> Result<Tagged> {
        let missing = || Error::MissingConstant("isolate.roots");
        let roots = &self.roots;
        match name {
            RootName::Undefined => Ok(roots.undefined),
            RootName::TheHole => Ok(roots.the_hole),
            RootName::Null => Ok(roots.null),
            RootName::True => Ok(roots.true_),
            RootName::False => Ok(roots.false_),
            RootName::Uninitialized => roots.uninitialized.ok_or_else(missing),
            RootName::FreeSpaceMap => roots.fillers[0].ok_or_else(missing),
            RootName::OnePointerFillerMap => roots.fillers[1].ok_or_else(missing),
            RootName::TwoPointerFillerMap => roots.fillers[2].ok_or_else(missing),
        }
    }

    /// The thread that runs the isolate's JavaScript: the one that left it for C++, else the
    /// newest, since the platform's threads are there before any worker.
    fn find_runner<'t>(
        &self,
        target: &dyn Target,
        layout: &Layout,
        threads: &'t [Thread],
    ) -> Option<&'t Thread> {
        let entered = || threads.iter().filter(|t| self.threads.contains(&t.index));
        let left = |t: &&Thread| matches!(self.exit_frame(target, layout, t), Ok(Some(_)));
        match self.threads.len() {
            0 | 1 => entered().next(),
            _ => entered()
                .find(left)
                .or_else(|| entered().max_by_key(|t| t.id)),
        }
    }

    /// The garbage collection that its threads were stopped in the middle of. Marking and sweeping
    /// beside the program are none: they move nothing.
    pub fn collection(&self, memory: &dyn Memory, layout: &Layout) -> Option<Collection> {
        let at = layout.heap.gc_state.offset().ok()?;
        match memory.u32(self.heap.checked_add(at)?).ok()? {
            1 => Some(Collection::Scavenge),
            2 => Some(Collection::MarkCompact),
            3 => Some(Collection::MinorMarkCompact),
            _ => None,
        }
    }

    /// Frame pointer of the exit frame through which `thread` last left JavaScript for C++
    /// (`c_entry_fp`), if it is in one. The slot is the version's where that points to an exit
    /// frame on the thread's stack, else the first of the isolate's words that does.
    pub fn exit_frame(
        &self,
        target: &dyn Target,
        layout: &Layout,
        thread: &Thread,
    ) -> Result<Option<u64>> {
        let memory = target.memory();
        let regions = target.regions()?;
        let stack = regions
            .iter()
            .find(|r| r.contains(thread.registers.sp))
            .ok_or(Error::Unreadable {
                address: thread.registers.sp,
                length: 8,
            })?;
        let types = &layout.frame_type;
        let exits = [
            types.exit,
            types.builtin_exit,
            types.api_callback_exit,
            types.api_accessor_exit,
            types.api_indexed_accessor_exit,
            types.api_construct_exit,
        ];
        let is_exit = |fp: u64| {
            let above = fp >= thread.registers.sp && fp.saturating_add(16) < stack.end;
            above
                && fp.is_multiple_of(8)
                && memory.u64(fp).is_ok_and(|next| next > fp)
                && memory.u64(fp - 8).is_ok_and(|marker| {
                    let kind = marker as i64 >> 1;
                    marker & 1 == 0 && exits.iter().any(|e| e.known() == Some(kind))
                })
        };
        if let Ok(at) = layout.isolate.c_entry_fp.offset() {
            if let Ok(fp) = memory.u64(self.address.saturating_add(at)) {
                if is_exit(fp) {
                    return Ok(Some(fp));
                }
            }
        }
        let size = self.heap.saturating_sub(self.address) as usize;
        let words = read_words(memory, self.address, size);
        Ok(words.into_iter().find(|w| is_exit(*w)))
    }

    /// Whether `thread` has no JavaScript on its stack, by the isolate. It keeps the frame pointer
    /// of the outermost entry frame (`js_entry_sp`) until that is left; frames on the stack that it
    /// does not name so are those of calls that have long returned. `false` where not all of the
    /// isolate can be read.
    pub fn is_outside_javascript(
        &self,
        target: &dyn Target,
        layout: &Layout,
        thread: &Thread,
    ) -> bool {
        let memory = target.memory();
        let sp = thread.registers.sp;
        let regions = target.regions().unwrap_or_default();
        let Some(stack) = regions.iter().find(|r| r.contains(sp)) else {
            return false;
        };
        let Some(marker_at) = layout.frame.context_or_type.known() else {
            return false;
        };
        let types = [layout.frame_type.entry, layout.frame_type.construct_entry];
        let is_entry = |fp: u64| {
            let on_stack = fp >= sp && fp < stack.end && fp.is_multiple_of(8);
            on_stack
                && fp
                    .checked_add_signed(marker_at)
                    .and_then(|at| memory.u64(at).ok())
                    .filter(|marker| marker & 1 == 0)
                    .is_some_and(|m| types.iter().any(|t| t.known() == Some(m as i64 >> 1)))
        };
        let size = self.heap.saturating_sub(self.address) as usize;
        let words = read_words(memory, self.address, size);
        words.len() == size / 8 && !words.into_iter().any(is_entry)
    }
}

impl Isolates {
    /// Finds every isolate of the target and all pages.
    pub fn find(target: &dyn Target, layout: &Layout) -> Result<Isolates> {
        let pages::Found { pages, unseen } = pages::scan(target, layout)?;
        if pages.is_empty() {
            return Err(Error::other(
                "no page of V8's heap is in this core or process (the core may be cut short, or \
                 its writer left anonymous memory out: see /proc/PID/coredump_filter)",
            ));
        }
        let mut heaps: BTreeMap<u64, usize> = BTreeMap::new();
        for page in pages.iter().filter(|p| p.heap != 0) {
            *heaps.entry(page.heap).or_default() += 1;
        }
        let cx = Cx {
            memory: target.memory(),
            layout,
        };
        let mut found = Vec::new();
        let mut warnings = Vec::new();
        if unseen > 0 {
            warnings.push(format!(
                "{unseen} bytes that the process had mapped are not in the core: pages of the heap \
                 may be among them, and all that follows without them"
            ));
        }
        let mut causes = Vec::new();
        for (heap, count) in heaps.into_iter().take(MOST_HEAPS) {
            match candidates(cx, heap) {
                Ok(candidates) => found.push((heap, count, candidates)),
                Err(error) => causes.push((count, heap, error)),
            }
        }
        let isolates = choose(target, found);
        for (count, heap, error) in causes {
            warnings.push(format!(
                "{count} pages name a heap at {heap:#x} that is none ({error}); left out"
            ));
        }
        if isolates.is_empty() {
            let why = warnings
                .first()
                .map_or("no page names its heap", |w| w.as_str());
            return Err(Error::NoV8(format!(
                "pages of a heap, but no isolate: {why}"
            )));
        }
        let pages = pages
            .into_iter()
            .filter(|p| p.heap == 0 || isolates.iter().any(|i| i.heap == p.heap))
            .collect();
        let mut found = Isolates {
            isolates,
            pages,
            labs: Vec::new(),
            warnings,
        };
        found.assign_threads(target, layout);
        found.find_allocation(target.memory());
        found.look_for_collections(target.memory(), layout);
        Ok(found)
    }

    /// The isolate that the thread of this [`Thread::index`] runs.
    pub fn of_thread(&self, thread_index: u32) -> Option<&Isolate> {
        self.isolates
            .iter()
            .find(|i| i.threads.contains(&thread_index))
    }

    /// Its number: 0 is the main thread's, the workers' follow as they were started.
    pub fn number(&self, isolate: &Isolate) -> Option<usize> {
        self.isolates
            .iter()
            .position(|i| i.address == isolate.address)
    }

    /// The isolate that is at `address`, or has it in its heap.
    pub fn at(&self, address: u64) -> Option<&Isolate> {
        let itself = |i: &&Isolate| i.address == address || i.heap == address;
        let found = self.isolates.iter().find(itself);
        found.or_else(|| self.of_address(address & !3))
    }

    /// The isolate whose own pages hold `address`.
    pub fn of_address(&self, address: u64) -> Option<&Isolate> {
        let page = self.page_of(address)?;
        self.isolates.iter().find(|i| i.heap == page.heap)
    }

    /// The page that holds `address`.
    pub fn page_of(&self, address: u64) -> Option<&Page> {
        let i = self.pages.partition_point(|p| p.address <= address);
        let page = self.pages.get(i.checked_sub(1)?)?;
        (address - page.address < page.size).then_some(page)
    }

    fn find_allocation(&mut self, memory: &dyn Memory) {
        for isolate in &self.isolates {
            let heap = isolate.heap;
            let own: Vec<Page> = self
                .pages
                .iter()
                .filter(|p| p.heap == heap)
                .copied()
                .collect();
            let end = heap.saturating_add(HEAP_SIZE);
            let found = labs::find(memory, isolate.address, end, &own);
            self.labs.extend(found.labs);
            for page in &mut self.pages {
                page.is_unused |= found.unused.contains(&page.address);
            }
        }
        self.labs.sort_unstable_by_key(|l| l.top);
    }

    /// Marks the pages that V8 was moving objects from, and says so. Whether it has begun to is not
    /// known: until then the half that will be copied to still holds what the last collection left.
    fn look_for_collections(&mut self, memory: &dyn Memory, layout: &Layout) {
        for (number, isolate) in self.isolates.iter().enumerate() {
            let Some(collection) = isolate.collection(memory, layout) else {
                continue;
            };
            let what = match collection {
                Collection::Scavenge => "the young generation (a scavenge)",
                Collection::MarkCompact => "the whole heap (a mark-compact)",
                Collection::MinorMarkCompact => "the young generation (a minor mark-compact)",
            };
            let all = collection == Collection::MarkCompact;
            for page in self.pages.iter_mut().filter(|p| p.heap == isolate.heap) {
                page.is_moving = all || page.is_from_space;
            }
            self.warnings.push(format!(
                "isolate {number} was in the middle of a garbage collection of {what}: what it had \
                 moved is followed to where it is, but objects on their way at that moment, and what \
                 only they hold, may be missing here or be there twice"
            ));
        }
    }

    fn assign_threads(&mut self, target: &dyn Target, layout: &Layout) {
        let regions = target.regions().unwrap_or_default();
        let threads = target.threads();
        let mut main = None;
        for thread in &threads {
            let words = tls_words(target.memory(), &regions, thread.registers.tls);
            let current = self
                .isolates
                .iter_mut()
                .find(|i| words.contains(&i.address));
            if let Some(isolate) = current {
                if main.is_none() || thread.id == target.process_id() {
                    main = Some((isolate.address, thread.index));
                }
                isolate.threads.push(thread.index);
            }
        }
        let mut keyed: Vec<_> = std::mem::take(&mut self.isolates)
            .into_iter()
            .map(|mut isolate| {
                let runner = match main {
                    Some((address, index)) if address == isolate.address => {
                        threads.iter().find(|t| t.index == index)
                    }
                    _ => isolate.find_runner(target, layout, &threads),
                };
                isolate.runner = runner.map(|t| t.index);
                let is_main = main.is_some_and(|(address, _)| address == isolate.address);
                let started = runner.map_or(u64::MAX, |t| t.id);
                ((!is_main, started, isolate.address), isolate)
            })
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        self.isolates = keyed.into_iter().map(|(_, isolate)| isolate).collect();
    }
}

/// Words of `size` bytes from `address` on, as far as they can be read.
fn read_words(memory: &dyn Memory, address: u64, size: usize) -> Vec<u64> {
    let mut bytes = vec![0; size.min(FARTHEST_ISOLATE as usize) & !7];
    let mut done = 0;
    while done < bytes.len() {
        match memory.read_partial(address.saturating_add(done as u64), &mut bytes[done..]) {
            0 => break,
            n => done += n,
        }
    }
    bytes[..done]
        .chunks_exact(8)
        .map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()))
        .collect()
}

fn tls_words(memory: &dyn Memory, regions: &[Region], tls: u64) -> Vec<u64> {
    let Some(region) = regions.iter().find(|r| r.contains(tls)) else {
        return Vec::new();
    };
    let from = tls.saturating_sub(TLS_BELOW).max(region.start) & !7;
    let to = tls.saturating_add(TLS_ABOVE).min(region.end);
    read_words(memory, from, to.saturating_sub(from) as usize)
}

/// What may be the isolate of a heap: its address, and the roots it would have.
type Candidates = Vec<(u64, Roots)>;

/// The isolate of each heap (address, pages, what it may be). A pointer to what lies a little
/// before an isolate passes for it; the isolate itself is what a thread has entered, or is as far
/// from its heap as in others of the process.
fn choose(target: &dyn Target, found: Vec<(u64, usize, Candidates)>) -> Vec<Isolate> {
    let regions = target.regions().unwrap_or_default();
    let mut entered: Option<Vec<u64>> = None;
    let mut distances: BTreeMap<u64, usize> = BTreeMap::new();
    for (heap, _, candidates) in &found {
        for (address, _) in candidates {
            *distances.entry(heap.saturating_sub(*address)).or_default() += 1;
        }
    }
    let mut isolates = Vec::new();
    for (heap, pages, candidates) in found {
        let best = match candidates.len() {
            0 | 1 => candidates.into_iter().next(),
            _ => {
                let entered = entered.get_or_insert_with(|| {
                    let threads = target.threads().into_iter();
                    threads
                        .flat_map(|t| tls_words(target.memory(), &regions, t.registers.tls))
                        .collect()
                });
                let key = |address: &u64| {
                    let shared = distances.get(&heap.saturating_sub(*address));
                    (entered.contains(address), shared.copied())
                };
                // The first of the best.
                candidates
                    .into_iter()
                    .rev()
                    .max_by_key(|(address, _)| key(address))
            }
        };
        isolates.extend(best.map(|(address, roots)| Isolate {
            address,
            heap,
            roots,
            threads: Vec::new(),
            runner: None,
            pages,
        }));
    }
    isolates
}

/// What may be the isolate whose Heap is at `heap`, proved by its roots.
fn candidates(cx: Cx<'_>, heap: u64) -> Result<Candidates> {
    let mut found = Vec::new();
    let mut last = Error::malformed("heap", heap, "nothing in it points back to an isolate");
    let mut tried = Vec::new();
    for word in read_words(cx.memory, heap, BACK_POINTER_WITHIN) {
        let before = word % 8 == 0 && word < heap && heap - word <= FARTHEST_ISOLATE;
        if !before || tried.contains(&word) {
            continue;
        }
        tried.push(word);
        match find_roots(cx, word, heap) {
            Ok(roots) => found.push((word, roots)),
            Err(error) => last = error,
        }
    }
    match found.is_empty() {
        true => Err(last),
        false => Ok(found),
    }
}

/// The roots table of the isolate at `address`: the one place where null, true and false follow
/// each other, as they do in every version, right after undefined and the hole.
fn find_roots(cx: Cx<'_>, address: u64, heap: u64) -> Result<Roots> {
    let words = read_words(cx.memory, address, heap.saturating_sub(address) as usize);
    for (i, run) in words.windows(5).enumerate() {
        let [undefined, the_hole, null, true_, false_] = [run[0], run[1], run[2], run[3], run[4]];
        if !run.iter().all(|w| Tagged(*w).is_strong()) {
            continue;
        }
        let kinds = [(null, KIND_NULL), (true_, KIND_TRUE), (false_, KIND_FALSE)];
        if !kinds
            .iter()
            .all(|(word, kind)| oddball_kind(cx, Tagged(*word)) == Some(*kind))
            || oddball_kind(cx, Tagged(undefined)).is_none()
        {
            continue;
        }
        let before = |n: usize| i.checked_sub(n).and_then(|at| words.get(at)).copied();
        let filler = |n: usize, expected: InstanceType| {
            let word = Tagged(before(n)?);
            (map_type(cx, word)? == expected).then_some(word)
        };
        // Up to V8 13 the table begins with three maps and the uninitialized value.
        let fillers = [
            filler(4, InstanceType::FreeSpace),
            filler(3, InstanceType::Filler),
            filler(2, InstanceType::Filler),
        ];
        let starts_with_fillers = fillers.iter().all(Option::is_some);
        let start = if starts_with_fillers { i - 4 } else { i };
        let fillers = if starts_with_fillers {
            fillers
        } else {
            find_fillers(cx, &words[i..])
        };
        return Ok(Roots {
            table: address + 8 * start as u64,
            undefined: Tagged(undefined),
            the_hole: Tagged(the_hole),
            null: Tagged(null),
            true_: Tagged(true_),
            false_: Tagged(false_),
            uninitialized: starts_with_fillers.then(|| before(1)).flatten().map(Tagged),
            fillers,
        });
    }
    Err(Error::malformed(
        "isolate",
        address,
        "its roots were not found",
    ))
}

/// The maps of free space and fillers, which stand together somewhere in the roots.
fn find_fillers(cx: Cx<'_>, roots: &[u64]) -> [Option<Tagged>; 3] {
    let expected = [
        InstanceType::FreeSpace,
        InstanceType::Filler,
        InstanceType::Filler,
    ];
    for run in roots.windows(3).take(1024) {
        if run
            .iter()
            .zip(expected)
            .all(|(word, kind)| map_type(cx, Tagged(*word)) == Some(kind))
        {
            return [
                Some(Tagged(run[0])),
                Some(Tagged(run[1])),
                Some(Tagged(run[2])),
            ];
        }
    }
    [None; 3]
}

fn map_type(cx: Cx<'_>, word: Tagged) -> Option<InstanceType> {
    if !word.is_strong() {
        return None;
    }
    let map = Map(cx.object(word).ok()?);
    map.check().ok()?;
    map.instance_type().ok()
}

fn oddball_kind(cx: Cx<'_>, word: Tagged) -> Option<i64> {
    let object = cx.object(word).ok()?;
    (object.instance_type().ok()? == InstanceType::Oddball)
        .then(|| object.smi_field(cx.layout.oddball.kind).ok())
        .flatten()
}
