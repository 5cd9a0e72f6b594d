//! V8's JSDispatchTable (from V8 13 on): functions hold a handle, the table the Code.

use super::space::{word_at, Ordinal, Space};
use crate::error::Result;
use crate::heap::{for_each, Watch};
use crate::memory::Memory;
use crate::metadata::{InstanceType, Layout};
use crate::target::Target;
use rustc_hash::FxHashMap;

/// Bytes of an entry: where it jumps to, and the Code with the parameter count below it.
const ENTRY: u64 = 16;
/// A handle is an entry's index shifted by so much.
const HANDLE_SHIFT: u32 = 8;
/// The Code's address stands above so many bits of the second word.
const OBJECT_SHIFT: u32 = 16;
/// Functions tried.
const SAMPLE: usize = 64;

/// The table, read for the functions there are.
pub struct DispatchTable {
    /// Where a function holds its handle.
    pub offset_in_function: usize,
    codes: FxHashMap<u32, u64>,
}

impl DispatchTable {
    /// Finds the table by what functions' handles must lead to: Code.
    pub fn find(
        target: &dyn Target,
        layout: &Layout,
        space: &Space,
        watch: Watch,
    ) -> Result<Option<DispatchTable>> {
        if layout.js_function.code.known().is_some() || !layout.version.at_least(13, 0) {
            return Ok(None);
        }
        // The handle stands right behind the elements.
        let Ok(offset) = layout.js_object.header_size.offset() else {
            return Ok(None);
        };
        let offset = offset as usize;
        let pages = space.pages();
        let of_page = |handles: &mut Vec<u32>, page: usize| {
            for object in space.objects_in(&pages[page]) {
                let map = space.map_index(object);
                if space.index.maps[map as usize].kind.is_js_function() {
                    let word = word_at(space.bytes_as(object, map), offset);
                    handles.extend(word.map(|w| w as u32));
                }
            }
        };
        let handles = for_each("numbering objects", pages.len(), watch, Vec::new, of_page)?;
        let mut handles = handles.concat();
        handles.sort_unstable();
        handles.dedup();
        let step = (handles.len() / SAMPLE).max(1);
        let sample: Vec<u32> = handles.iter().copied().step_by(step).take(SAMPLE).collect();
        let memory = target.memory();
        let regions = target.regions()?;
        let base = regions
            .iter()
            .filter(|r| r.readable)
            .map(|r| r.start)
            .find(|&base| {
                let good = sample
                    .iter()
                    .filter(|&&h| code_at(memory, base, h).is_some_and(|c| is_code(space, c)))
                    .count();
                !sample.is_empty() && good * 10 >= sample.len() * 9
            });
        let Some(base) = base else {
            return Ok(None);
        };
        let codes = handles
            .into_iter()
            .filter_map(|h| Some((h, code_at(memory, base, h)?)))
            .collect();
        Ok(Some(DispatchTable {
            offset_in_function: offset,
            codes,
        }))
    }

    /// The Code a handle stands for.
    pub fn code(&self, handle: u32, space: &Space) -> Option<Ordinal> {
        space.at(*self.codes.get(&handle)?)
    }
}

fn code_at(memory: &dyn Memory, base: u64, handle: u32) -> Option<u64> {
    let entry = base.checked_add(u64::from(handle >> HANDLE_SHIFT) * ENTRY)?;
    let word = memory.u64(entry.checked_add(8)?).ok()?;
    Some(word >> OBJECT_SHIFT & !7)
}

fn is_code(space: &Space, address: u64) -> bool {
    space
        .at(address)
        .is_some_and(|o| space.map(o).kind == InstanceType::Code)
}
