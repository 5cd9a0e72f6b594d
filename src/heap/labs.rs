//! Where V8 is allocating: linear allocation areas in use, and the pages of the young generation
//! that it has not come to yet. Neither holds objects, only what was there before, which may well
//! look like objects.
//!
//! Nothing here uses an offset: an area shows itself as `start <= top <= limit` on one page (a
//! pair before V8 9), among the words of the isolate or of the space that owns the page; a
//! semispace as the list of its pages, and the one it fills.

use super::pages::{Page, PAGE_ALIGNMENT};
use crate::memory::Memory;
use rustc_hash::{FxHashMap, FxHashSet};

/// An allocation area in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lab {
    /// Where the next object will be.
    pub top: u64,
    /// End of the area.
    pub limit: u64,
}

/// Bytes of a space (V8's Space and what is derived from it) that are looked at, and before it:
/// a semispace is a member of the new space, whose allocation area comes first.
const SPACE: u64 = 0x400;
const BEFORE_SEMISPACE: u64 = 0x200;
/// Bytes of a page's metadata in which its place in the list of pages stands.
const PAGE_LINKS: u64 = 0x400;

/// Bytes of a LocalHeap, and of what allocates for it, that are looked at.
const LOCAL_HEAP: u64 = 0x200;
const ALLOCATOR: u64 = 0x40;

/// What is being allocated in one isolate.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    /// Areas in use, by address.
    pub labs: Vec<Lab>,
    /// Addresses of to-space pages that are not in use yet.
    pub unused: Vec<u64>,
}

struct Finder<'a> {
    memory: &'a dyn Memory,
    pages: &'a [Page],
    by_slot: FxHashMap<u64, usize>,
}

/// Looks at the isolate whose words lie from `isolate` to `end`; `pages` are its own.
pub fn find(memory: &dyn Memory, isolate: u64, end: u64, pages: &[Page]) -> Allocation {
    let mut by_slot = FxHashMap::default();
    for (i, page) in pages.iter().enumerate() {
        by_slot.insert(page.address / PAGE_ALIGNMENT, i);
    }
    let finder = Finder {
        memory,
        pages,
        by_slot,
    };
    let mut owners: Vec<(u64, bool)> = pages
        .iter()
        .filter(|p| p.owner != 0)
        .map(|p| (p.owner, p.is_to_space))
        .collect();
    owners.sort_unstable();
    owners.dedup();

    let mut runs = vec![finder.words(isolate, end.saturating_sub(isolate))];
    for (owner, is_semispace) in &owners {
        let before = if *is_semispace { BEFORE_SEMISPACE } else { 0 };
        runs.push(finder.words(owner.saturating_sub(before), SPACE + before));
    }
    let mut found = Allocation::default();
    for run in &runs {
        finder.triples(run, &mut found.labs);
    }
    for run in &runs {
        finder.pairs(run, &mut found.labs);
    }
    if let Some(heap) = pages.first().map(|p| p.heap) {
        finder.of_threads(heap, end, &mut found.labs);
    }
    for (owner, is_semispace) in &owners {
        if *is_semispace {
            finder.semispace(*owner, &mut found);
        }
    }
    found.labs.retain(|l| l.top < l.limit);
    found
        .labs
        .sort_unstable_by_key(|l| (l.top, std::cmp::Reverse(l.limit)));
    found.labs.dedup_by_key(|l| l.top);
    found
}

impl Finder<'_> {
    fn words(&self, from: u64, size: u64) -> Vec<u64> {
        let mut bytes = vec![0; size.min(0x10_0000) as usize & !7];
        let mut done = 0;
        while done < bytes.len() {
            let end = (done + 4096).min(bytes.len());
            match self
                .memory
                .read_partial(from.saturating_add(done as u64), &mut bytes[done..end])
            {
                0 => break,
                n => done += n,
            }
        }
        bytes[..done]
            .chunks_exact(8)
            .map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()))
            .collect()
    }

    /// The page on which `address`, which may be its end, lies.
    fn page(&self, address: u64) -> Option<&Page> {
        if !address.is_multiple_of(8) {
            return None;
        }
        let slot = address.checked_sub(8)? / PAGE_ALIGNMENT;
        let page = self.pages.get(*self.by_slot.get(&slot)?)?;
        (page.area_start <= address && address <= page.area_end).then_some(page)
    }

    /// `start <= top < limit` on one page, where these words say so. In the young generation V8 7.8
    /// puts the limit at any byte while something counts what is allocated, to be called after so
    /// many bytes.
    fn area(&self, words: &[u64]) -> Option<Lab> {
        let [start, top, limit] = *words else {
            return None;
        };
        let page = self.page(top)?;
        let limit = if page.is_to_space { limit & !7 } else { limit };
        let within = |a: u64| a.is_multiple_of(8) && page.area_start <= a && a <= page.area_end;
        let sound = within(start) && within(limit) && start <= top && top <= limit;
        sound.then_some(Lab { top, limit })
    }

    /// Adds the areas that tell their start (V8 9 on).
    fn triples(&self, words: &[u64], labs: &mut Vec<Lab>) {
        let mut at = 0;
        while let Some(run) = words.get(at..at + 3) {
            match self.area(run) {
                Some(lab) => {
                    labs.push(lab);
                    at += 3;
                }
                None => at += 1,
            }
        }
    }

    /// Adds the areas that tell only top and limit. V8 keeps an area's original top and limit
    /// the same way; those say how far an area known already goes.
    fn pairs(&self, words: &[u64], labs: &mut Vec<Lab>) {
        for run in words.windows(2) {
            let [top, limit] = [run[0], run[1]];
            let Some(lab) = self.area(&[top, top, limit]).filter(|_| top < limit) else {
                continue;
            };
            let mut known = false;
            for other in labs.iter_mut() {
                if lab.top <= other.top && other.top <= lab.limit {
                    other.limit = other.limit.max(lab.limit);
                    known = true;
                }
            }
            // Start and top of an area that is among `labs` by its limit.
            known |= labs.iter().any(|other| other.top == lab.limit);
            if !known {
                labs.push(lab);
            }
        }
    }

    /// Adds the areas that threads have for themselves, the main one among them: the Heap knows its
    /// LocalHeap, that its ConcurrentAllocator, which has the space, the heap and the area in a row.
    fn of_threads(&self, heap: u64, end: u64, labs: &mut Vec<Lab>) {
        let mut seen = FxHashSet::default();
        let mut objects_at = |words: &[u64], size: u64| -> Vec<Vec<u64>> {
            let pointers = words.iter().filter(|w| self.may_be_object(**w));
            let new = pointers.filter(|w| seen.insert(**w));
            new.map(|w| self.words(*w, size)).collect()
        };
        let of_heap = self.words(heap, end.saturating_sub(heap));
        for local in objects_at(&of_heap, LOCAL_HEAP) {
            if !local.contains(&heap) {
                continue;
            }
            for allocator in objects_at(&local, ALLOCATOR) {
                for run in allocator.windows(5) {
                    let page = self.page(run[3]).filter(|p| p.owner == run[0]);
                    if run[1] == heap && page.is_some() {
                        labs.extend(self.area(&run[2..]));
                    }
                }
            }
        }
    }

    /// Whether a word may be the address of an object of C++.
    fn may_be_object(&self, word: u64) -> bool {
        let low = word.is_multiple_of(8) && (0x1_0000..1 << 47).contains(&word);
        low && !self.by_slot.contains_key(&(word / PAGE_ALIGNMENT))
    }

    /// Marks the pages of the semispace at `owner` that come after the one it fills, and the rest
    /// of that one.
    fn semispace(&self, owner: u64, found: &mut Allocation) {
        let mine: FxHashMap<u64, &Page> = self
            .pages
            .iter()
            .filter(|p| p.owner == owner && p.is_to_space && !p.is_large)
            .map(|p| (p.metadata, p))
            .collect();
        let words = self.words(owner, SPACE);
        let is_mine = |w: &u64| mine.contains_key(w);
        let Some(at) = words
            .windows(2)
            .position(|w| is_mine(&w[0]) && is_mine(&w[1]))
        else {
            return;
        };
        let (front, back) = (words[at], words[at + 1]);
        let Some(current) = words[at + 2..].iter().find(|w| is_mine(w)).copied() else {
            return;
        };
        let Some(order) = self.list(front, back, mine.len()) else {
            return;
        };
        let Some(position) = order.iter().position(|p| *p == current) else {
            return;
        };
        for later in &order[position + 1..] {
            if let Some(page) = mine.get(later) {
                found.unused.push(page.address);
            }
        }
        // What follows the area on the page being filled was never allocated either.
        if let Some(page) = mine.get(&current) {
            let inside = |l: &&mut Lab| page.area_start <= l.top && l.top < page.area_end;
            for lab in found.labs.iter_mut().filter(inside) {
                lab.limit = page.area_end;
            }
        }
    }

    /// The pages from `front` to `back` by the link that leads from one to the other.
    fn list(&self, front: u64, back: u64, count: usize) -> Option<Vec<u64>> {
        if front == back {
            return Some(vec![front]);
        }
        let links = self.words(front, PAGE_LINKS);
        'offset: for at in 0..links.len() {
            let mut order = vec![front];
            let mut page = front;
            while page != back {
                let slot = page.saturating_add(8 * at as u64);
                match self.memory.u64(slot) {
                    Ok(next) if next != 0 && order.len() < count => page = next,
                    _ => continue 'offset,
                }
                order.push(page);
            }
            if order.len() == count {
                return Some(order);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SparseMemory;

    const PAGE: u64 = 0x40_0000;
    const OWNER: u64 = 0x9000;

    fn page(is_to_space: bool) -> Page {
        Page {
            address: PAGE,
            metadata: PAGE,
            size: PAGE_ALIGNMENT,
            area_start: PAGE + 0x118,
            area_end: PAGE + PAGE_ALIGNMENT,
            flags: 0,
            heap: 0x8000,
            owner: OWNER,
            is_from_space: false,
            is_to_space,
            is_unused: false,
            is_large: false,
            is_moving: false,
        }
    }

    /// Where the area began, and its end, are kept too, and must not be taken for its top.
    #[test]
    fn a_limit_at_any_byte_does_not_hide_the_top() {
        let end = PAGE + PAGE_ALIGNMENT;
        let mut words = [0u64; ((BEFORE_SEMISPACE + SPACE) / 8) as usize];
        let before = (BEFORE_SEMISPACE / 8) as usize;
        words[before - 8..before - 6].copy_from_slice(&[PAGE + 0xd040, PAGE + 0x1909f]);
        words[before - 2..before].copy_from_slice(&[PAGE + 0x118, end]);
        let mut memory = SparseMemory::new();
        let bytes = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        memory.insert(OWNER - BEFORE_SEMISPACE, bytes);
        let found = find(&memory, 0x8000, 0x8000, &[page(true)]);
        let top = PAGE + 0xd040;
        assert_eq!(found.labs, [Lab { top, limit: end }]);
    }
}
