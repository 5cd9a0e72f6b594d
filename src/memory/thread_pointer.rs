//! A thread's pointer to its own block (fs_base on x64), found in memory where the debugger does
//! not tell it: LLDB 14 has no such register of a live process.
//!
//! On x64 the block begins with a pointer to itself, as the head of an empty list does too. What is
//! at 0x10 tells them apart: in glibc's block the same pointer again, in musl's the thread before
//! it, which has this one at 0x18. A little further on is the thread's system id. The block lies
//! above the stack of a thread that was started, and for the first one next to the libraries.

use super::{Memory, Region};

/// How far above the stack pointer the block may be: the size of a thread's stack.
const MOST_STACK: u64 = 16 << 20;
/// How far from a library the first thread's block may be.
const NEAR: u64 = 1 << 20;
/// How far from the block's start the system id may be.
const BLOCK: usize = 0x400;
const STEP: u64 = 16 << 10;

/// The thread pointer of the thread with this stack pointer and system id.
pub fn thread_pointer(memory: &dyn Memory, regions: &[Region], sp: u64, id: u64) -> Option<u64> {
    let id = u32::try_from(id).ok().filter(|id| *id != 0)?;
    let stack = regions.iter().find(|r| r.contains(sp))?;
    let end = stack.end.min(sp.saturating_add(MOST_STACK));
    find(memory, sp, end, id).or_else(|| {
        beside_files(regions)
            .into_iter()
            .find_map(|(start, end)| find(memory, start, end, id))
    })
}

/// The parts of mappings of no file that lie next to a file's: the loader makes the first thread's
/// block once it has mapped the libraries, right below them, and what is mapped later may be
/// joined to it from below.
fn beside_files(regions: &[Region]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    let is_block = |r: &Region| r.readable && r.writable && r.name.is_none();
    let mut add = |range: (u64, u64)| {
        if !out.contains(&range) {
            out.push(range);
        }
    };
    for pair in regions.windows(2) {
        let [below, above] = pair else { continue };
        if is_block(below) && above.name.is_some() {
            add((below.start.max(below.end.saturating_sub(NEAR)), below.end));
        }
        if is_block(above) && below.name.is_some() {
            add((above.start, above.end.min(above.start.saturating_add(NEAR))));
        }
    }
    out
}

fn find(memory: &dyn Memory, start: u64, end: u64, id: u32) -> Option<u64> {
    let mut at = start & !15;
    let mut bytes = vec![0; STEP as usize];
    while at < end {
        let length = STEP.min(end - at) as usize;
        let chunk = bytes.get_mut(..length)?;
        let read = memory.read_partial(at, chunk);
        for (block, words) in (at..).step_by(16).zip(chunk[..read].chunks_exact(16)) {
            let itself = u64::from_le_bytes(words[..8].try_into().unwrap_or_default());
            if itself == block && is_block(memory, block) && has_id(memory, block, id) {
                return Some(block);
            }
        }
        at = at.checked_add(STEP)?;
    }
    None
}

fn is_block(memory: &dyn Memory, block: u64) -> bool {
    let next_of = |thread: u64| memory.u64(thread.saturating_add(0x18));
    match memory.u64(block.saturating_add(0x10)) {
        Ok(word) => block != 0 && (word == block || next_of(word) == Ok(block)),
        Err(_) => false,
    }
}

fn has_id(memory: &dyn Memory, block: u64, id: u32) -> bool {
    let mut bytes = [0; BLOCK];
    let read = memory.read_partial(block, &mut bytes);
    bytes[..read]
        .chunks_exact(4)
        .any(|word| word == id.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SparseMemory;

    fn region(start: u64, end: u64) -> Region {
        Region {
            start,
            end,
            readable: true,
            writable: true,
            executable: false,
            name: None,
        }
    }

    #[test]
    fn blocks_by_their_own_address_and_the_threads_id() {
        let mut bytes = vec![0u8; 0x10000];
        let mut word =
            |at: usize, value: u64| bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        // A pointer to itself with nothing around, an empty list beside the id, a thread's block.
        word(0x8000, 0x7f00_0000_8000);
        word(0x8800, 0x7f00_0000_8800);
        word(0x8808, 0x7f00_0000_8800);
        word(0x8820, 4242);
        word(0x9000, 0x7f00_0000_9000);
        word(0x9010, 0x7f00_0000_9000);
        word(0x92d0, 4242);
        let mut memory = SparseMemory::default();
        memory.insert(0x7f00_0000_0000, bytes);
        let library = Region {
            name: Some("libc.so".to_string()),
            ..region(0x7f00_0001_0000, 0x7f00_0002_0000)
        };
        let regions = [
            region(0x7f00_0000_0000, 0x7f00_0001_0000),
            library,
            region(0x7ffc_0000_0000, 0x7ffc_0002_0000),
        ];
        let found = |sp, id| thread_pointer(&memory, &regions, sp, id);
        assert_eq!(found(0x7f00_0000_4000, 4242), Some(0x7f00_0000_9000));
        // The first thread's, whose stack is elsewhere.
        assert_eq!(found(0x7ffc_0000_1000, 4242), Some(0x7f00_0000_9000));
        assert_eq!(found(0x7f00_0000_4000, 4243), None);
        assert_eq!(found(0x1000, 4242), None);
    }
}
