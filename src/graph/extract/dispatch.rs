//! V8's JSDispatchTable (from V8 13 on): functions hold a handle, the table the Code.

use super::space::{bits, word_at, Ordinal, Space};
use crate::error::Result;
use crate::memory::Memory;
use crate::metadata::{InstanceType, Layout};
use crate::target::Target;
use rayon::prelude::*;

/// Bytes of an entry: where it jumps to, and the Code with the parameter count below it.
const ENTRY: usize = 16;
/// A handle is an entry's index shifted by so much.
const HANDLE_SHIFT: u32 = 8;
/// The Code's address stands above so many bits of the second word.
const OBJECT_SHIFT: u32 = 16;
/// Functions tried.
const SAMPLE: usize = 64;
/// Entries read at once.
const PIECE: usize = 4096;
/// No Code.
const NONE: Ordinal = Ordinal::MAX;

/// The handles that functions hold.
pub struct Handles {
    /// Where a function holds its handle.
    offset_in_function: usize,
    /// A bit for each entry that a function has.
    used: Vec<u64>,
}

/// The table, read for the functions there are.
pub struct DispatchTable {
    /// Where a function holds its handle.
    pub offset_in_function: usize,
    /// The Code of each entry, or [`NONE`].
    codes: Vec<Ordinal>,
}

impl Handles {
    /// Looks at all functions; none where V8 has no such table.
    pub fn find(layout: &Layout, space: &Space) -> Option<Handles> {
        if layout.js_function.code.known().is_some() || !layout.version.at_least(13, 0) {
            return None;
        }
        // The handle stands right behind the elements.
        let offset = layout.js_object.header_size.offset().ok()? as usize;
        let of_page = |words| {
            let mut used = Vec::new();
            for object in space.objects_in(words) {
                let map = space.map_index(object);
                if space.index.maps[map as usize].kind.is_js_function() {
                    let word = word_at(space.bytes_as(object, map), offset);
                    let entry = (word.unwrap_or(0) as u32 >> HANDLE_SHIFT) as usize;
                    if used.len() <= entry / 64 {
                        used.resize(entry / 64 + 1, 0);
                    }
                    used[entry / 64] |= 1u64 << (entry % 64);
                }
            }
            used
        };
        let both = |one: Vec<u64>, other: Vec<u64>| {
            let (mut long, short) = match one.len() < other.len() {
                true => (other, one),
                false => (one, other),
            };
            long.iter_mut().zip(short).for_each(|(l, s)| *l |= s);
            long
        };
        let pages = space.pages().par_iter();
        Some(Handles {
            offset_in_function: offset,
            used: pages.map(of_page).reduce(Vec::new, both),
        })
    }

    fn entries(&self) -> impl Iterator<Item = u32> + '_ {
        bits(self.used.iter().copied(), 0)
    }
}

impl DispatchTable {
    /// Finds the table by what functions' handles must lead to: Code.
    pub fn find(
        target: &dyn Target,
        handles: &Handles,
        space: &Space,
    ) -> Result<Option<DispatchTable>> {
        let count = handles.entries().count();
        let step = (count / SAMPLE).max(1);
        let sample: Vec<u32> = handles.entries().step_by(step).take(SAMPLE).collect();
        let memory = target.memory();
        let regions = target.regions()?;
        let base = regions
            .iter()
            .filter(|r| r.readable)
            .map(|r| r.start)
            .find(|&base| {
                let good = sample
                    .iter()
                    .filter(|&&entry| {
                        code_at(memory, base, entry).is_some_and(|c| is_code(space, c))
                    })
                    .count();
                !sample.is_empty() && good * 10 >= sample.len() * 9
            });
        Ok(base.map(|base| DispatchTable {
            offset_in_function: handles.offset_in_function,
            codes: codes(memory, base, handles, space),
        }))
    }

    /// The Code a handle stands for.
    #[inline]
    pub fn code(&self, handle: u32) -> Option<Ordinal> {
        let code = self.codes.get((handle >> HANDLE_SHIFT) as usize);
        code.copied().filter(|code| *code != NONE)
    }
}

/// The Code of each entry that a function has, many read at once.
fn codes(memory: &dyn Memory, base: u64, handles: &Handles, space: &Space) -> Vec<Ordinal> {
    let mut codes = vec![NONE; handles.used.len() * 64];
    let mut bytes = vec![0; PIECE * ENTRY];
    for (piece, codes) in codes.chunks_mut(PIECE).enumerate() {
        let first = piece * PIECE;
        let used = &handles.used[first / 64..(first + codes.len()) / 64];
        if used.iter().all(|word| *word == 0) {
            continue;
        }
        let Some(start) = base.checked_add((first * ENTRY) as u64) else {
            break;
        };
        let read = memory.read_partial(start, &mut bytes[..codes.len() * ENTRY]);
        for entry in bits(used.iter().copied(), 0) {
            let at = entry as usize * ENTRY + 8;
            let word = word_at(&bytes[..read], at);
            let code = word.and_then(|w| space.at(object_in(w)));
            codes[entry as usize] = code.unwrap_or(NONE);
        }
    }
    codes
}

/// What an entry's second word is to.
fn object_in(word: u64) -> u64 {
    word >> OBJECT_SHIFT & !7
}

fn code_at(memory: &dyn Memory, base: u64, entry: u32) -> Option<u64> {
    let entry = base.checked_add(u64::from(entry) * ENTRY as u64)?;
    let word = memory.u64(entry.checked_add(8)?).ok()?;
    Some(object_in(word))
}

fn is_code(space: &Space, address: u64) -> bool {
    space
        .at(address)
        .is_some_and(|o| space.map(o).kind == InstanceType::Code)
}
