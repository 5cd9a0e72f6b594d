//! Where an isolate's roots are. None of it needs an offset in the isolate: what a list of handles,
//! a vector of objects, a queue of tasks or the table of strings looks like is told from its words.

mod lists;

use super::space::{Ordinal, Space};
use crate::heap::Isolate;
use crate::memory::{Memory, Region};
use crate::metadata::{InstanceType, Layout, V8Version};
use crate::object::Tagged;
use crate::program::Program;
use crate::target::Target;
use rustc_hash::{FxHashMap, FxHashSet};

/// V8's categories of roots that are told apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    InternalizedStrings,
    ExternalStrings,
    ReadOnlyRoots,
    StrongRoots,
    StackRoots,
    CompilationCache,
    HandleScope,
    Builtins,
    GlobalHandles,
    EternalHandles,
    StartupObjectCache,
    ShareableObjectCache,
    MicroTasks,
    /// Scripts of V8's own extensions.
    Extensions,
    /// Lists that others than V8's heap registered.
    StrongRootsList,
}

impl Category {
    fn names(self) -> &'static [&'static str] {
        match self {
            Category::InternalizedStrings => &["(Internalized strings)"],
            Category::ExternalStrings => &["(External strings)"],
            Category::ReadOnlyRoots => &["(Read-only roots)"],
            Category::StrongRoots => &["(Strong root list)", "(Strong roots)"],
            Category::StackRoots => &["(Stack roots)", "(Isolate)"],
            Category::CompilationCache => &["(Compilation cache)"],
            Category::HandleScope => &["(Handle scope)"],
            Category::Builtins => &["(Builtins)"],
            Category::GlobalHandles => &["(Global handles)"],
            Category::EternalHandles => &["(Eternal handles)"],
            Category::StartupObjectCache => &["(Startup object cache)", "(Partial snapshot cache)"],
            Category::ShareableObjectCache => &["(Shareable object cache)"],
            Category::MicroTasks => &["(Micro tasks)", "(Strong roots)"],
            Category::Extensions => &["(Extensions)"],
            Category::StrongRootsList => &["(Strong roots)"],
        }
    }

    /// Its place in the version's list of categories. Of two of one name the first is V8's own
    /// table of roots.
    pub fn index(self, list: &[&str]) -> Option<usize> {
        let last = matches!(self, Category::MicroTasks | Category::StrongRootsList);
        self.names().iter().find_map(|name| match last {
            true => list.iter().rposition(|n| n == name),
            false => list.iter().position(|n| n == name),
        })
    }
}

const V7: &str = "Internalized strings,External strings,Read-only roots,Strong roots,Smi roots,Bootstrapper,Isolate,Relocatable,Debugger,Compilation cache,Handle scope,Dispatch table,Builtins,Global handles,Eternal handles,Thread manager,Strong roots,Extensions,Code flusher,Partial snapshot cache,Read-only object cache,Weak collections,Wrapper tracing,Unknown";
const V8: &str = "Internalized strings,External strings,Read-only roots,Strong roots,Smi roots,Bootstrapper,Isolate,Relocatable,Debugger,Compilation cache,Handle scope,Builtins,Global handles,Eternal handles,Thread manager,Strong roots,Extensions,Code flusher,Startup object cache,Read-only object cache,Weak collections,Wrapper tracing,Unknown";
const V9: &str = "Internalized strings,External strings,Read-only roots,Strong roots,Smi roots,Bootstrapper,Stack roots,Relocatable,Debugger,Compilation cache,Handle scope,Builtins,Global handles,Eternal handles,Thread manager,Strong roots,Extensions,Code flusher,Startup object cache,Read-only object cache,Weak collections,Wrapper tracing,Write barrier,Retain maps,Unknown";
const V10: &str = "Internalized strings,External strings,Read-only roots,Strong roots,Smi roots,Bootstrapper,Stack roots,Relocatable,Debugger,Compilation cache,Handle scope,Builtins,Global handles,Eternal handles,Thread manager,Strong roots,Extensions,Code flusher,Startup object cache,Read-only object cache,Shareable object cache,Weak collections,Wrapper tracing,Write barrier,Retain maps,Client heap,Unknown";
const V11: &str = "Internalized strings,External strings,Read-only roots,Strong roots,Smi roots,Bootstrapper,Stack roots,Relocatable,Debugger,Compilation cache,Handle scope,Builtins,Global handles,Traced handles,Eternal handles,Thread manager,Strong roots,Extensions,Code flusher,Startup object cache,Read-only object cache,Shareable object cache,Weak collections,Wrapper tracing,Write barrier,Retain maps,Client heap,Unknown";
const V12: &str = "Bootstrapper,Builtins,Client heap,Code flusher,Compilation cache,Debugger,Extensions,Eternal handles,External strings,Global handles,Handle scope,Micro tasks,Read-only roots,Relocatable,Retain maps,Shareable object cache,SharedStruct type registry,Smi roots,Stack roots,Startup object cache,Internalized strings,Strong root list,Strong roots,Thread manager,Traced handles,Weak roots,Write barrier";
const V14: &str = "Bootstrapper,Builtins,Client heap,Code flusher,Compilation cache,Debugger,Extensions,Eternal handles,External strings,Global handles,Handle scope,Identity map,Micro tasks,Read-only roots,Relocatable,Retain maps,Shareable object cache,SharedStruct type registry,Smi roots,Stack roots,Startup object cache,Internalized strings,Strong root list,Strong roots,Thread manager,Traced handles,Weak roots,Write barrier";

/// The categories under "(GC roots)", in the version's order, as its snapshots list them.
pub fn categories(version: V8Version) -> Vec<String> {
    let list = match version.line() {
        line if line >= (14, 0) => V14,
        line if line >= (12, 0) => V12,
        line if line >= (11, 0) => V11,
        line if line >= (10, 0) => V10,
        line if line >= (9, 0) => V9,
        line if line >= (8, 0) => V8,
        _ => V7,
    };
    list.split(',').map(|name| format!("({name})")).collect()
}

/// One root. Every internalized string is one.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    pub category: Category,
    pub object: Ordinal,
    /// V8 lists it as weak.
    pub is_weak: bool,
    /// It keeps its object alive.
    pub retains: bool,
    /// What V8 calls the slot, among [`Roots::descriptions`].
    pub description: Option<u32>,
}

/// All roots of an isolate.
#[derive(Debug, Default)]
pub struct Roots {
    pub list: Vec<Root>,
    pub descriptions: Vec<String>,
    /// Objects of V8's own table of roots, by address: their names there.
    pub names: FxHashMap<u64, String>,
    /// Slots of global and eternal handles, by address: the object, and whether it is held weakly.
    pub slots: FxHashMap<u64, (Ordinal, bool)>,
}

/// Bytes of an Isolate looked at.
const ISOLATE: usize = 0x16000;
/// Bytes of a stack looked at.
const STACK: u64 = 64 << 20;
const MOST: u64 = 1 << 24;

struct Finder<'f, 'a> {
    target: &'f dyn Target,
    /// Of the target, asked for once: of a live process they take LLDB tens of milliseconds.
    regions: Vec<Region>,
    stack_pointers: Vec<u64>,
    layout: &'f Layout,
    space: &'f Space<'a>,
    isolate: &'f Isolate,
    words: Vec<u64>,
    roots: Roots,
    seen: FxHashSet<(Category, Ordinal)>,
}

/// Finds the roots of `isolate`.
pub fn find(
    target: &dyn Target,
    program: &Program,
    layout: &Layout,
    space: &Space,
    isolate: &Isolate,
) -> Roots {
    let threads = target.threads();
    let mut finder = Finder {
        target,
        regions: target.regions().unwrap_or_default(),
        stack_pointers: threads.iter().map(|t| t.registers.sp).collect(),
        layout,
        space,
        isolate,
        words: read_words(target.memory(), isolate.address, ISOLATE),
        roots: Roots::default(),
        seen: FxHashSet::default(),
    };
    let names = program.root_names(target.memory());
    let table = finder.table(names);
    let builtins = finder.builtins(program);
    finder.vectors();
    finder.eternal_handles();
    finder.global_handles();
    finder.handle_scopes();
    finder.microtasks();
    finder.string_table();
    finder.compilation_cache();
    finder.strong_roots_list();
    finder.extensions();
    finder.isolate_words(&[table, builtins]);
    finder.stacks();
    finder.roots
}

pub(super) fn read_words(memory: &dyn Memory, address: u64, size: usize) -> Vec<u64> {
    let mut bytes = vec![0u8; size & !7];
    let mut done = 0;
    while done < bytes.len() {
        let at = address.saturating_add(done as u64);
        let end = (done + 4096).min(bytes.len());
        match memory.read_partial(at, &mut bytes[done..end]) {
            0 => break,
            n => done += n,
        }
    }
    bytes[..done & !7]
        .chunks_exact(8)
        .map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()))
        .collect()
}

impl Roots {
    /// What V8 calls the slot.
    pub fn description(&self, root: &Root) -> Option<&str> {
        let at = root.description?;
        self.descriptions.get(at as usize).map(String::as_str)
    }
}

impl Finder<'_, '_> {
    fn add(&mut self, category: Category, word: u64, is_weak: bool, description: Option<u32>) {
        if !Tagged(word).is_strong() {
            return;
        }
        if let Some(object) = self.space.at(word & !1) {
            self.roots.list.push(Root {
                category,
                object,
                is_weak,
                retains: !is_weak
                    && !matches!(
                        category,
                        Category::InternalizedStrings | Category::ExternalStrings
                    ),
                description,
            });
        }
    }

    /// As [`Self::add`], each object once.
    fn add_once(&mut self, category: Category, word: u64) {
        if !Tagged(word).is_strong() {
            return;
        }
        if let Some(object) = self.space.at(word & !1) {
            if self.seen.insert((category, object)) {
                self.add(category, word, false, None);
            }
        }
    }

    fn is_object(&self, word: u64) -> bool {
        Tagged(word).is_strong() && self.space.at(word & !1).is_some()
    }

    fn memory(&self) -> &dyn Memory {
        self.target.memory()
    }

    /// V8's table of roots; returns where it is among the isolate's words.
    fn table(&mut self, names: &[String]) -> std::ops::Range<usize> {
        let start = ((self.isolate.roots.table - self.isolate.address) / 8) as usize;
        let length = match names.len() {
            // Without names: as far as the words are objects or Smis.
            0 => self.words[start.min(self.words.len())..]
                .iter()
                .take_while(|w| Tagged(**w).is_smi() || self.is_object(**w))
                .count(),
            n => n,
        };
        let end = (start + length).min(self.words.len());
        // Read-only roots come first; a slot behind them may point to a read-only object too.
        let mut read_only = true;
        for at in start..end {
            let word = self.words[at];
            let Some(object) = self.space.target(word) else {
                continue;
            };
            read_only &= self.space.is_read_only(object);
            if let Some(name) = names.get(at - start) {
                self.roots
                    .names
                    .entry(word & !3)
                    .or_insert_with(|| name.clone());
            }
            let category = match read_only {
                true => Category::ReadOnlyRoots,
                false => Category::StrongRoots,
            };
            self.add(category, word, false, None);
        }
        start..end
    }

    /// The longest run of pointers to Code: V8's builtins by number.
    fn builtins(&mut self, program: &Program) -> std::ops::Range<usize> {
        let space = self.space;
        let is_code = |word: &u64| {
            space.target(*word).is_some_and(|o| {
                matches!(
                    space.map(o).kind,
                    InstanceType::Code | InstanceType::CodeDataContainer
                )
            })
        };
        let mut best = 0..0;
        let mut start = None;
        for at in 0..=self.words.len() {
            match (self.words.get(at).is_some_and(is_code), start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    if at - from > best.len() {
                        best = from..at;
                    }
                    start = None;
                }
                _ => {}
            }
        }
        let names = program.builtin_names(self.target.memory());
        if !names.is_empty() && best.len() > names.len() {
            // A copy of the first tier stands before the table.
            best.start = best.end - names.len();
        }
        for at in best.clone() {
            let name = names.get(at - best.start).map(|name| {
                self.roots.descriptions.push(name.clone());
                self.roots.descriptions.len() as u32 - 1
            });
            self.add(Category::Builtins, self.words[at], false, name);
        }
        best
    }

    /// A count, and a vector of blocks of that many objects; in the isolate or behind a pointer.
    fn eternal_handles(&mut self) {
        for at in 0..self.words.len().saturating_sub(3) {
            let inside = [0, 1, 2, 3].map(|i| self.words[at + i]);
            if self.eternal_blocks(inside) {
                return;
            }
        }
        for pointer in self.words.clone() {
            if pointer == 0 || !pointer.is_multiple_of(8) {
                continue;
            }
            let words = read_words(self.memory(), pointer, 32);
            if let [a, b, c, d] = words[..] {
                if !self.on_a_stack(pointer) && self.eternal_blocks([a, b, c, d]) {
                    return;
                }
            }
        }
    }

    fn eternal_blocks(&mut self, words: [u64; 4]) -> bool {
        let Ok(block_size) = self.layout.eternal_handles.block_size.offset() else {
            return false;
        };
        let count = words[0] & 0xffff_ffff;
        let [begin, end, capacity] = [words[1], words[2], words[3]];
        let sound = count > 0
            && count <= MOST
            && begin != 0
            && begin.is_multiple_of(8)
            && begin < end
            && end <= capacity
            && (end - begin) / 8 == count.div_ceil(block_size.max(1))
            && (end - begin).is_multiple_of(8);
        if !sound {
            return false;
        }
        let blocks = read_words(self.memory(), begin, (end - begin) as usize);
        let (mut items, mut slots) = (Vec::new(), Vec::new());
        for block in blocks {
            let left = (count - items.len() as u64).min(block_size);
            if block == 0 || !block.is_multiple_of(8) {
                break;
            }
            for (at, word) in read_words(self.memory(), block, left as usize * 8)
                .into_iter()
                .enumerate()
            {
                slots.push((block.wrapping_add(at as u64 * 8), word));
                items.push(word);
            }
        }
        // An eternal that was never set holds the hole, or nothing.
        let plain = items
            .iter()
            .all(|w| Tagged(*w).is_smi() || self.is_object(*w));
        if items.len() as u64 != count || !plain || !items.iter().any(|w| self.is_object(*w)) {
            return false;
        }
        for (slot, word) in slots {
            if let Some(object) = self.space.target(word) {
                self.roots.slots.insert(slot, (object, false));
            }
        }
        for word in items {
            self.add(Category::EternalHandles, word, false, None);
        }
        true
    }

    /// GlobalHandles points to its isolate and to its space of nodes, which points back.
    fn global_handles(&mut self) {
        let layout = &self.layout.global_handles;
        let (Ok(node), Ok(count)) = (layout.node_size.offset(), layout.nodes_in_block.offset())
        else {
            return;
        };
        let block_size = node * count;
        if node < 16 || block_size == 0 {
            return;
        }
        let isolate = self.isolate.address;
        for handles in self.words.clone() {
            if handles == 0 || handles % 8 != 0 || self.on_a_stack(handles) {
                continue;
            }
            if self.memory().u64(handles) != Ok(isolate) {
                continue;
            }
            for at in [8, 16] {
                let Ok(nodes) = self.memory().u64(handles + at) else {
                    continue;
                };
                if nodes == 0 || nodes % 8 != 0 || self.memory().u64(nodes) != Ok(handles) {
                    continue;
                }
                let mut block = self.memory().u64(nodes + 8).unwrap_or(0);
                let mut blocks = 0;
                while block != 0 && block.is_multiple_of(8) && blocks < MOST / count {
                    blocks += 1;
                    let words = read_words(self.memory(), block, block_size as usize + 8);
                    if (words.len() as u64) < block_size / 8 + 1 {
                        break;
                    }
                    let nodes = words.chunks_exact(node as usize / 8).take(count as usize);
                    for (number, node) in nodes.enumerate() {
                        // After the object: class id (16 bits), index in the block, flags.
                        let state = node[1] >> 24 & 3;
                        if let (Some(object), true) = (self.space.target(node[0]), state != 0) {
                            let slot = block + (number * node.len() * 8) as u64;
                            self.roots.slots.insert(slot, (object, state != 1));
                        }
                        match state {
                            1 => self.add(Category::GlobalHandles, node[0], false, None),
                            2 | 3 => self.add(Category::GlobalHandles, node[0], true, None),
                            _ => {}
                        }
                    }
                    block = words[(block_size / 8) as usize];
                }
                return;
            }
        }
    }

    /// Whether what is at the address lies on a thread's stack, or nowhere.
    fn on_a_stack(&self, address: u64) -> bool {
        match self.regions.iter().find(|r| r.contains(address)) {
            None => true,
            Some(region) => self.stack_pointers.iter().any(|sp| region.contains(*sp)),
        }
    }

    /// HandleScopeImplementer: its isolate, then a vector of blocks; the last is filled up to
    /// where the isolate says the next handle goes.
    fn handle_scopes(&mut self) {
        let Ok(handles) = self.layout.handle_scope_implementer.block_size.offset() else {
            return;
        };
        let block_size = handles * 8;
        let isolate = self.isolate.address;
        for implementer in self.words.clone() {
            if implementer == 0 || implementer % 8 != 0 {
                continue;
            }
            if self.memory().u64(implementer) != Ok(isolate) {
                continue;
            }
            let words = read_words(self.memory(), implementer + 8, 24);
            let [data, capacity, count] = words[..] else {
                continue;
            };
            if data == 0 || data % 8 != 0 || count == 0 || count > capacity || count > MOST {
                continue;
            }
            let blocks = read_words(self.memory(), data, count as usize * 8);
            let Some(&last) = blocks.last() else { continue };
            let next = self.words.windows(2).find_map(|pair| {
                let full = pair[1] == last.wrapping_add(block_size);
                (full && pair[0] >= last && pair[0] <= pair[1]).then_some(pair[0])
            });
            let Some(next) = next else { continue };
            for &block in &blocks {
                let size = if block == last {
                    next - last
                } else {
                    block_size
                };
                for word in read_words(self.memory(), block, size as usize) {
                    self.add(Category::HandleScope, word, false, None);
                }
            }
            return;
        }
    }

    /// Microtask queues: a ring of them, each with its neighbours, its counts and a ring of tasks
    /// that are still to run.
    fn microtasks(&mut self) {
        let queue = &self.layout.microtask_queue;
        let (Ok(size), Ok(capacity), Ok(start), Ok(ring), Ok(next), Ok(previous)) = (
            queue.size.offset(),
            queue.capacity.offset(),
            queue.start.offset(),
            queue.ring_buffer.offset(),
            queue.next.offset(),
            queue.previous.offset(),
        ) else {
            return;
        };
        let mut seen = FxHashSet::default();
        let mut left: Vec<u64> = self.words.clone();
        // One a context at most, besides the words of the isolate that are none.
        let most = left.len() + (1 << 16);
        while let Some(at) = left.pop() {
            if at == 0 || at % 8 != 0 || seen.len() > most || !seen.insert(at) {
                continue;
            }
            let read = |offset: u64| self.memory().u64(at.checked_add(offset)?).ok();
            let field = |offset: u64| read(offset).unwrap_or(0);
            let (following, before) = (field(next), field(previous));
            let linked = |from: u64, offset: u64| {
                from != 0
                    && from.is_multiple_of(8)
                    && from
                        .checked_add(offset)
                        .is_some_and(|a| self.memory().u64(a) == Ok(at))
            };
            if !linked(following, previous) || !linked(before, next) {
                continue;
            }
            let (count, room, first) = (field(size), field(capacity), field(start));
            let tasks = field(ring);
            if room == 0 || room > MOST || count > room || first >= room || tasks % 8 != 0 {
                continue;
            }
            left.push(following);
            let slots = read_words(self.memory(), tasks, room as usize * 8);
            let pending: Vec<u64> = (0..count)
                .filter_map(|n| slots.get(((first + n) % room) as usize).copied())
                .collect();
            if pending.iter().all(|w| self.is_object(*w)) {
                for word in pending {
                    self.add(Category::MicroTasks, word, false, None);
                }
            }
        }
    }

    /// What else the isolate's own words point to.
    fn isolate_words(&mut self, skip: &[std::ops::Range<usize>]) {
        for at in 0..self.words.len() {
            if !skip.iter().any(|r| r.contains(&at)) {
                let word = self.words[at];
                // Maps stand in V8's caches of stubs only, which hold nothing.
                let is_map = |o| self.space.map(o).kind == InstanceType::Map;
                if !self.space.target(word).is_some_and(is_map) {
                    self.add_once(Category::StackRoots, word);
                }
            }
        }
    }

    /// Every word of the stacks of the threads that run the isolate.
    fn stacks(&mut self) {
        for thread in self.target.threads() {
            if !self.isolate.threads.contains(&thread.index) {
                continue;
            }
            let sp = thread.registers.sp & !7;
            let Some(region) = self.regions.iter().find(|r| r.contains(sp)) else {
                continue;
            };
            let size = (region.end - sp).min(STACK);
            for word in read_words(self.memory(), sp, size as usize) {
                self.add_once(Category::StackRoots, word);
            }
        }
    }
}
