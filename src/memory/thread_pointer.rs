//! A thread's pointer to its own block (fs_base on x64), found in memory where the debugger does
//! not tell it: LLDB 14 has no such register of a live process.
//!
//! On x64 the block begins with a pointer to itself, and the C library keeps the thread's system
//! id a little further on (glibc 0x2d0, musl 0x30). It lies above the stack of a thread that was
//! started, and for the first one in a small mapping, alone or grown together with others.

use super::{Memory, Region};

/// How far above the stack pointer the block may be: the size of a thread's stack.
const MOST_STACK: u64 = 16 << 20;
/// How much of the smallest mappings is searched for the first thread's block.
const MOST_MAPPED: u64 = 32 << 20;
/// How far from the block's start the system id may be.
const BLOCK: usize = 0x400;
const STEP: u64 = 16 << 10;

/// The thread pointer of the thread with this stack pointer and system id.
pub fn thread_pointer(memory: &dyn Memory, regions: &[Region], sp: u64, id: u64) -> Option<u64> {
    let id = u32::try_from(id).ok().filter(|id| *id != 0)?;
    let stack = regions.iter().find(|r| r.contains(sp))?;
    let end = stack.end.min(sp.saturating_add(MOST_STACK));
    find(memory, sp, end, id).or_else(|| {
        let size = |r: &Region| r.end.saturating_sub(r.start);
        let mut others: Vec<&Region> = regions
            .iter()
            .filter(|r| r.readable && r.writable && r.name.is_none() && r.start != stack.start)
            .collect();
        others.sort_by_key(|r| size(r));
        let mut searched = 0u64;
        others
            .into_iter()
            .take_while(|r| {
                searched = searched.saturating_add(size(r));
                searched <= MOST_MAPPED
            })
            .find_map(|r| find(memory, r.start, r.end, id))
    })
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
            if itself == block && block != 0 && has_id(memory, block, id) {
                return Some(block);
            }
        }
        at = at.checked_add(STEP)?;
    }
    None
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
        // A pointer to itself that is of no thread, then a thread's block.
        word(0x8000, 0x7f00_0000_8000);
        word(0x9000, 0x7f00_0000_9000);
        word(0x92d0, 4242);
        let mut memory = SparseMemory::default();
        memory.insert(0x7f00_0000_0000, bytes);
        let regions = [
            region(0x7f00_0000_0000, 0x7f00_0001_0000),
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
