//! Where objects went that a garbage collection had moved when the target was stopped.
//!
//! To move an object V8 copies it, then puts the copy's address into the first word of the old
//! place, where the Map was: untagged, so that no Map is mistaken for it (`MapWord` in V8's
//! objects-inl.h, the same from 7.8 to 14.6 without pointer compression). The words that refer to
//! the object are corrected one by one after that, so until the end any of them may still name the
//! old place. A young string that is another one with nothing appended is replaced by that one in
//! the same way (`Scavenger::EvacuateShortcutCandidate`), so the two places need not be of one size.

use super::image::HeapImage;
use crate::memory::Memory;
use rustc_hash::FxHashMap;

/// Moves in a row that are followed: V8 moves an object once in a collection.
const MOST: usize = 4;
/// Bytes of an object and its copy that are compared.
const COMPARED: usize = 4096;

/// The address that stands in the place of an object's Map, where one does.
#[inline]
pub fn forwarding_address(first_word: u64) -> Option<u64> {
    (first_word != 0 && first_word & 7 == 0).then_some(first_word)
}

/// Where the object at `address` is, by the words in its place: for what has no heap's index.
/// `is_moving` says whether objects were being moved from an address. What cannot be read, or leads
/// to nothing that could have a Map, is where it says it is.
pub fn follow(memory: &dyn Memory, address: u64, is_moving: impl Fn(u64) -> bool) -> u64 {
    let mut at = address;
    for _ in 0..MOST {
        let Ok(word) = memory.u64(at) else {
            return address;
        };
        match forwarding_address(word) {
            Some(next) if next != at && is_moving(at) => at = next,
            Some(_) => return address,
            // Where it leads must have a Map.
            None if at == address || word & 7 == 1 => return at,
            None => return address,
        }
    }
    address
}

/// The moves of a collection: from the old place to the new.
#[derive(Debug, Clone, Default)]
pub struct Forwarding(FxHashMap<u64, u64>);

impl Forwarding {
    /// These moves.
    pub fn new(moves: impl IntoIterator<Item = (u64, u64)>) -> Forwarding {
        Forwarding(moves.into_iter().collect())
    }

    /// Whether nothing was moved, as in nearly every target.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the object at `address` is now, if it was moved.
    #[inline]
    pub fn to(&self, address: u64) -> Option<u64> {
        if self.0.is_empty() {
            return None;
        }
        let mut found = *self.0.get(&address)?;
        for _ in 1..MOST {
            match self.0.get(&found) {
                Some(next) if *next != found => found = *next,
                _ => break,
            }
        }
        Some(found)
    }

    /// The old places of what is at `addresses` now.
    pub fn from(&self, addresses: &[u64]) -> Vec<(u64, u64)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let wanted: rustc_hash::FxHashSet<u64> = addresses.iter().copied().collect();
        let moves = self
            .0
            .keys()
            .filter_map(|from| Some((*from, self.to(*from)?)));
        moves.filter(|(_, to)| wanted.contains(to)).collect()
    }
}

/// Whether what is at `to` is a copy of the `size` bytes at `from`. A collection corrects the
/// pointers in the copy; what is left of an earlier one has been written over.
pub fn is_copy(image: &HeapImage, from: u64, to: u64, size: usize) -> bool {
    let body = |address: u64| image.slice_from(address)?.get(8..size.clamp(8, COMPARED));
    let (Some(old), Some(new)) = (body(from), body(to)) else {
        return false;
    };
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    let mut pairs = old.chunks_exact(8).zip(new.chunks_exact(8));
    pairs.all(|(old, new)| {
        let (old, new) = (word(old), word(new));
        old == new || old & new & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SparseMemory;

    #[test]
    fn a_map_is_no_forwarding_address() {
        assert_eq!(forwarding_address(0x1001), None);
        assert_eq!(forwarding_address(0x1003), None);
        assert_eq!(forwarding_address(0x1004), None);
        assert_eq!(forwarding_address(0), None);
        assert_eq!(forwarding_address(0x1008), Some(0x1008));
    }

    #[test]
    fn moves_are_followed_and_loops_end() {
        let mut memory = SparseMemory::new();
        let mut put = |at: u64, word: u64| memory.insert_u64(at, word);
        put(0x1000, 0x2000);
        put(0x2000, 0x9001);
        put(0x3000, 0x3000);
        put(0x4000, 0x5000);
        put(0x5000, 0x4000);
        put(0x7000, 0x8000);
        put(0x8000, 0);
        let followed = |at| follow(&memory, at, |_| true);
        assert_eq!(followed(0x1000), 0x2000);
        assert_eq!(followed(0x2000), 0x2000);
        assert_eq!(followed(0x3000), 0x3000);
        assert_eq!(followed(0x4000), 0x4000);
        assert_eq!(followed(0x6000), 0x6000);
        assert_eq!(followed(0x7000), 0x7000);
        assert_eq!(follow(&memory, 0x1000, |at| at != 0x1000), 0x1000);
    }

    #[test]
    fn both_ways() {
        let moves = Forwarding::new([(0x10, 0x20), (0x18, 0x20), (0x30, 0x30), (0x40, 0x10)]);
        assert_eq!(moves.to(0x10), Some(0x20));
        assert_eq!(moves.to(0x40), Some(0x20));
        assert_eq!(moves.to(0x30), Some(0x30));
        assert_eq!(moves.to(0x20), None);
        let mut from = moves.from(&[0x20]);
        from.sort_unstable();
        assert_eq!(from, [(0x10, 0x20), (0x18, 0x20), (0x40, 0x20)]);
        assert!(Forwarding::default().from(&[0x20]).is_empty());
    }
}
