//! A bounded cache of blocks over a memory whose every call costs much.

use super::{InPlace, Memory};
use crate::error::Result;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

/// Bytes of a block; reads of that size and above go straight through. Of a block that is new, only
/// the pages asked for are read: one look at each of thousands of places, as at the headers of
/// pages, must not cost a block each.
const BLOCK: usize = 64 << 10;
/// What of a block is there or not as one.
const PAGE: usize = 4 << 10;
/// Blocks kept.
const MOST: usize = 1024;

struct Block {
    bytes: Box<[u8]>,
    /// Bit i: page i was read in full.
    pages: u16,
    /// Bit i: reading page i was tried.
    tried: u16,
    used: u64,
}

#[derive(Default)]
struct State {
    blocks: FxHashMap<u64, u32>,
    slots: Vec<(u64, Block)>,
    clock: u64,
    /// Number and slot of the block that the last read used.
    last: Option<(u64, u32)>,
}

/// `M` behind a cache of at most 64 MiB. What it holds is never looked at again: throw it away
/// when the target has run.
pub struct CachedMemory<M> {
    inner: M,
    /// Nothing is kept: the memory underneath is as fast.
    passes: bool,
    state: RefCell<State>,
}

impl<M: Memory> CachedMemory<M> {
    /// An empty cache.
    pub fn new(inner: M) -> CachedMemory<M> {
        CachedMemory {
            inner,
            passes: false,
            state: RefCell::default(),
        }
    }

    /// Without a cache, over a memory that needs none.
    pub fn passing(inner: M) -> CachedMemory<M> {
        CachedMemory {
            passes: true,
            ..CachedMemory::new(inner)
        }
    }

    /// The memory underneath.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// Copies what block `number` has from `at` on; `None` where the page that holds the first
    /// byte is not there in full.
    fn copy(&self, number: u64, at: usize, buffer: &mut [u8]) -> Option<usize> {
        let mut state = self.state.borrow_mut();
        let slot = match state.last {
            Some((last, slot)) if last == number => slot,
            _ => self.slot(&mut state, number),
        };
        state.last = Some((number, slot));
        let (_, block) = state.slots.get_mut(slot as usize)?;
        let length = buffer.len().min(BLOCK - at);
        self.fill(block, number, at / PAGE, (at + length).div_ceil(PAGE));
        let mut page = at / PAGE;
        let mut end = at;
        while end < at + length && block.pages & (1 << page) != 0 {
            page += 1;
            end = (page * PAGE).min(at + length);
        }
        if end == at {
            return None;
        }
        buffer[..end - at].copy_from_slice(block.bytes.get(at..end)?);
        Some(end - at)
    }

    /// The slot of block `number`, empty if it was not there.
    fn slot(&self, state: &mut State, number: u64) -> u32 {
        state.clock += 1;
        if let Some(&slot) = state.blocks.get(&number) {
            if let Some((_, block)) = state.slots.get_mut(slot as usize) {
                block.used = state.clock;
            }
            return slot;
        }
        let block = Block {
            bytes: vec![0; BLOCK].into_boxed_slice(),
            pages: 0,
            tried: 0,
            used: state.clock,
        };
        if state.slots.len() >= MOST {
            self.evict(state);
        }
        let slot = state.slots.len() as u32;
        state.slots.push((number, block));
        state.blocks.insert(number, slot);
        slot
    }

    /// Reads these pages of a block where they were not yet tried; with them, the second time, all
    /// of it.
    fn fill(&self, block: &mut Block, number: u64, first: usize, end: usize) {
        let wanted = bits(first, end);
        if block.tried & wanted == wanted {
            return;
        }
        let (first, end) = match block.tried {
            0 => (first, end),
            _ => (0, BLOCK / PAGE),
        };
        let start = number * BLOCK as u64;
        let mut page = first;
        while page < end {
            if block.tried & bits(page, page + 1) != 0 {
                page += 1;
                continue;
            }
            let run = (page..end)
                .take_while(|p| block.tried & bits(*p, *p + 1) == 0)
                .count();
            let Some(to) = block.bytes.get_mut(page * PAGE..(page + run) * PAGE) else {
                return;
            };
            let n = self.inner.read_partial(start + (page * PAGE) as u64, to);
            // The page that the read ended in is not there in full.
            let read = n.min(to.len()) / PAGE;
            let tried = (read + 1).min(run);
            block.pages |= bits(page, page + read);
            block.tried |= bits(page, page + tried);
            page += tried;
        }
    }

    /// Drops the half that was used longest ago.
    fn evict(&self, state: &mut State) {
        let mut times: Vec<u64> = state.slots.iter().map(|(_, b)| b.used).collect();
        let middle = times.len() / 2;
        let (_, &mut limit, _) = times.select_nth_unstable(middle);
        state.slots.retain(|(_, b)| b.used >= limit);
        state.blocks = state
            .slots
            .iter()
            .enumerate()
            .map(|(slot, (number, _))| (*number, slot as u32))
            .collect();
        state.last = None;
    }
}

/// Bits `first..end` of a block's pages.
fn bits(first: usize, end: usize) -> u16 {
    let below = |n: usize| ((1u32 << n.min(16)) - 1) as u16;
    below(end) & !below(first)
}

impl<M: Memory> Memory for CachedMemory<M> {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        if self.passes || buffer.len() >= BLOCK || buffer.is_empty() {
            return self.inner.read_piece(address, buffer);
        }
        let (number, at) = (address / BLOCK as u64, address as usize % BLOCK);
        // The last block of the address space would end past it.
        if number == u64::MAX / BLOCK as u64 {
            return self.inner.read_piece(address, buffer);
        }
        match self.copy(number, at, buffer) {
            Some(n) => n,
            // A page that ends early (a core cut short) may still have these bytes.
            None => self.inner.read_piece(address, buffer),
        }
    }

    fn read_alone(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.inner.read(address, buffer)
    }

    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        self.inner.in_place(address, length)
    }

    fn skip_hole(&self, address: u64) -> u64 {
        self.inner.skip_hole(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SparseMemory;
    use std::cell::Cell;

    struct Counting(SparseMemory, Cell<usize>);
    impl Memory for Counting {
        fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
            self.1.set(self.1.get() + 1);
            self.0.read_piece(address, buffer)
        }
    }

    fn memory() -> CachedMemory<Counting> {
        let mut m = SparseMemory::new();
        let bytes = |n: usize| (0..n).map(|i| (i * 7 + i / 256) as u8).collect::<Vec<_>>();
        m.insert(0x10000, bytes(0x3000));
        // Not a whole page: cut short.
        m.insert(0x14000, bytes(0x804));
        m.insert(0x20000, bytes(0x30000));
        CachedMemory::new(Counting(m, Cell::new(0)))
    }

    #[test]
    fn same_bytes_as_underneath_at_every_edge() {
        let m = memory();
        for start in [
            0xfff0u64,
            0x10000,
            0x11ff8,
            0x12ffc,
            0x13000,
            0x14000,
            0x147f8,
            0x1fff8,
            0x20000,
            0x2fffd,
            0x4fff9,
            0x50000,
            u64::MAX - 3,
        ] {
            for length in [1, 2, 8, 16, 0x1800, 0x20000] {
                let (mut a, mut b) = (vec![0; length], vec![0; length]);
                let (x, y) = (m.read(start, &mut a), m.inner().read(start, &mut b));
                assert_eq!(x.is_ok(), y.is_ok(), "{start:#x} {length}");
                // All there is, also past the end of a block.
                let (mut c, mut d) = (vec![0; length], vec![0; length]);
                let n = m.inner().read_partial(start, &mut d);
                assert_eq!(m.read_partial(start, &mut c), n, "{start:#x} {length}");
                assert_eq!(c, d, "{start:#x} {length}");
                if x.is_ok() {
                    assert_eq!(a, b, "{start:#x} {length}");
                }
            }
        }
    }

    #[test]
    fn reads_a_block_once_and_stays_bounded() {
        let m = memory();
        m.u64(0x20000).unwrap();
        assert_eq!(m.inner().1.get(), 1);
        for i in 0..8000 {
            m.u64(0x20000 + i * 8).unwrap();
        }
        // The page asked for, then the rest.
        assert_eq!(m.inner().1.get(), 2);
        for i in 0..3 * MOST as u64 {
            let _ = m.u8(i * BLOCK as u64);
        }
        assert!(m.state.borrow().slots.len() <= MOST);
        assert_eq!(m.u64(0x20000).unwrap(), m.inner().u64(0x20000).unwrap());
    }
}
