//! How large V8's heap was when it gave up, and how large it might have been.

use super::evidence::NativeStack;
use crate::heap::Isolate;
use crate::memory::Memory;
use crate::metadata::Layout;
use serde::Serialize;

/// Marks at both ends of V8's HeapStats, put there for tools that read minidumps.
const START_MARK: u64 = 0xffff_ffff_deca_de00;
const END_MARK: u64 = 0xffff_ffff_deca_de01;
/// Fields of HeapStats after its start mark, which have kept their order in every version.
const FIELDS: u64 = 12;
/// Words that HeapStats has at most (its inline text of the last collections included).
const MAX_WORDS: u64 = 2048;
/// Words of the Heap in which its limits are.
const HEAP_WORDS: u64 = 64;
/// The heap's limits are in whole pages.
const PAGE: u64 = 1 << 18;
const SMALLEST_LIMIT: u64 = 1 << 20;

/// Sizes in bytes; `None` where they were not found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HeapUse {
    /// The most that the heap may hold, as `v8.getHeapStatistics().heap_size_limit` tells it.
    pub limit: Option<u64>,
    /// The most that objects which survived may take: `--max-old-space-size`.
    pub old_generation_limit: Option<u64>,
    /// By V8's own count when it gave up.
    pub used: Option<SpaceSizes>,
}

/// Bytes of objects by space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpaceSizes {
    pub new_space: u64,
    pub old_space: u64,
    pub code_space: u64,
    /// Gone with V8 11.
    pub map_space: u64,
    pub large_object_space: u64,
    pub code_large_object_space: u64,
}

impl SpaceSizes {
    /// All together.
    pub fn total(&self) -> u64 {
        [
            self.new_space,
            self.old_space,
            self.code_space,
            self.map_space,
            self.large_object_space,
            self.code_large_object_space,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// What the stack and the isolate tell.
pub fn heap_use(
    stack: &NativeStack,
    memory: &dyn Memory,
    layout: &Layout,
    isolate: Option<&Isolate>,
) -> HeapUse {
    let limits = isolate.and_then(|i| limits(memory, layout, i.heap));
    HeapUse {
        limit: limits.map(|(old, young)| old.saturating_add(young)),
        old_generation_limit: limits.map(|(old, _)| old),
        used: recorded(stack),
    }
}

/// The HeapStats on the stack.
fn recorded(stack: &NativeStack) -> Option<SpaceSizes> {
    let sizes = |field: &dyn Fn(u64) -> Option<u64>| {
        let sizes = SpaceSizes {
            new_space: field(3)?,
            old_space: field(5)?,
            code_space: field(7)?,
            map_space: field(9)?,
            large_object_space: field(11)?,
            code_large_object_space: field(12)?,
        };
        (sizes.total() < 1 << 47 && sizes.total() > 0).then_some(sizes)
    };
    // Up to V8 12 it has pointers to variables around it.
    let pointed = stack.words().find_map(|(at, word)| {
        let field = |n: u64| stack.word(stack.word(at.checked_add(8 * n)?)?);
        if stack.word(word)? != START_MARK {
            return None;
        }
        let ends = (FIELDS..64).any(|n| field(n) == Some(END_MARK));
        ends.then(|| sizes(&field)).flatten()
    });
    pointed.or_else(|| {
        stack.words().find_map(|(at, word)| {
            if word != START_MARK {
                return None;
            }
            let field = |n: u64| stack.word(at.checked_add(8 * n)?);
            let ends = (FIELDS..MAX_WORDS).any(|n| field(n) == Some(END_MARK));
            ends.then(|| sizes(&field)).flatten()
        })
    })
}

/// The limits of the old and of the young generation. Where they are in the Heap changes with
/// patch releases, how they lie together does not.
fn limits(memory: &dyn Memory, layout: &Layout, heap: u64) -> Option<(u64, u64)> {
    let word = |n: u64| memory.u64(heap.checked_add(8 * n)?).ok();
    let is_limit = |v: u64| (SMALLEST_LIMIT..1 << 47).contains(&v) && v.is_multiple_of(PAGE);
    let young = |semi_space: u64| {
        // Two halves, and as much again for large objects.
        let plausible = (1 << 19..=1 << 32).contains(&semi_space);
        (plausible && semi_space.is_multiple_of(1 << 16)).then(|| 3 * semi_space)
    };
    if let Some(back) = layout.heap_limits.semi_space_before.known() {
        // min_old_generation_size, max_old_generation_size, min_global_memory_size,
        // max_global_memory_size (twice as much), initial_max_old_generation_size.
        let back = u64::try_from(back).ok()?;
        let mut found = (back..HEAP_WORDS).filter_map(|n| {
            let old = word(n).filter(|old| is_limit(*old))?;
            let fits = word(n + 2)? == old.checked_mul(2)?
                && is_limit(word(n + 3)?)
                && word(n + 3)? <= old
                && word(n - 1)? <= old
                && word(n + 1)? <= word(n + 2)?;
            fits.then(|| Some((old, young(word(n - back)?)?)))?
        });
        return found.next().filter(|_| found.next().is_none());
    }
    // Since V8 14 in an object of its own, which points back to the Heap first.
    let limits = &layout.heap_limits;
    let semi_space = limits.max_semi_space_size.offset().ok()?;
    let young = young(memory.u64(heap.checked_add(semi_space)?).ok()?)?;
    let old = limits.max_old_generation_size.offset().ok()?;
    let initial = limits.initial_max_old_generation_size.offset().ok()?;
    let global = limits.max_global_memory_size.offset().ok()?;
    (0..HEAP_WORDS * 16).find_map(|n| {
        let object = word(n).filter(|o| o.is_multiple_of(8) && *o > 0x10000)?;
        if memory.u64(object).ok()? != heap {
            return None;
        }
        let field = |offset: u64| memory.u64(object.checked_add(offset)?).ok();
        let old = field(old).filter(|v| is_limit(*v))?;
        let fits = is_limit(field(initial)?) && field(initial)? <= old && field(global)? >= old;
        (fits && field(global)? <= old.checked_mul(4)?).then_some((old, young))
    })
}
