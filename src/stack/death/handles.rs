//! The handles of C++ functions that run: slots in blocks that the isolate keeps.

use crate::heap::Isolate;
use crate::memory::Memory;
use crate::metadata::Layout;

/// Bytes of an Isolate looked at for its handles, by pages.
const ISOLATE: u64 = 0x16000;
const STEP: u64 = 0x1000;
/// Blocks looked at, the newest first: V8 itself prints the stack before it ends the process, with a
/// few handles for each of the thousands of frames that a stack without end has.
const MAX_BLOCKS: u64 = 2048;

/// Words in the handles of an isolate, the newest first.
pub fn newest_handles(memory: &dyn Memory, layout: &Layout, isolate: &Isolate) -> Vec<u64> {
    find(memory, layout, isolate).unwrap_or_default()
}

fn find(memory: &dyn Memory, layout: &Layout, isolate: &Isolate) -> Option<Vec<u64>> {
    let handles = layout.handle_scope_implementer.block_size.offset().ok()?;
    let block_size = handles.checked_mul(8).filter(|s| *s < 1 << 20)?;
    let own = words(memory, isolate.address, ISOLATE);
    // HandleScopeImplementer: its isolate, then a vector of blocks.
    own.iter().find_map(|implementer| {
        let at = |n: u64| memory.u64(implementer.checked_add(8 * n)?).ok();
        if *implementer == 0 || implementer % 8 != 0 || at(0)? != isolate.address {
            return None;
        }
        let (data, capacity, count) = (at(1)?, at(2)?, at(3)?);
        if data == 0 || data % 8 != 0 || count == 0 || count > capacity || capacity > 1 << 24 {
            return None;
        }
        let block = |n: u64| memory.u64(data.checked_add(8 * n)?).ok();
        let last = block(count - 1)?;
        // HandleScopeData: where the next handle goes, and the end of its block.
        let next = own.windows(2).find_map(|pair| {
            let full = pair[1] == last.wrapping_add(block_size);
            (full && pair[0] >= last && pair[0] <= pair[1]).then_some(pair[0])
        })?;
        let mut out = Vec::new();
        for n in (count.saturating_sub(MAX_BLOCKS)..count).rev() {
            let start = block(n)?;
            let size = if n + 1 == count {
                next - last
            } else {
                block_size
            };
            out.extend(words(memory, start, size).into_iter().rev());
        }
        Some(out)
    })
}

/// Words from `start` on, as far as they can be read.
fn words(memory: &dyn Memory, start: u64, size: u64) -> Vec<u64> {
    let mut out = Vec::new();
    let mut done = 0;
    while done < size {
        let mut bytes = vec![0; STEP.min(size - done) as usize];
        let read = memory.read_partial(start.saturating_add(done), &mut bytes);
        let whole = bytes.get(..read).unwrap_or(&[]).chunks_exact(8);
        out.extend(whole.map(|b| u64::from_le_bytes(b.try_into().unwrap_or_default())));
        if read < bytes.len() {
            break;
        }
        done += STEP;
    }
    out
}
