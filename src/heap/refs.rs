//! Who points where: every tagged word of the heap that is one of some values, found by comparing
//! all words of all pages, which is about as fast as reading them.

use super::body::body;
use super::index::{HeapIndex, ObjectRef};
use super::parallel::{self, Watch};
use super::walk::MapInfo;
use crate::error::Result;
use crate::metadata::{InstanceType, Layout};
use rustc_hash::FxHashSet;

/// A word that points to one of the objects looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Address of the word.
    pub slot: u64,
    /// Address of the object it points to.
    pub target: u64,
    /// Address of the object the word is in, and its Map's index.
    pub holder: u64,
    pub map: u32,
}

impl Hit {
    /// Bytes from the start of the holder.
    pub fn offset(&self) -> u64 {
        self.slot - self.holder
    }

    /// The object the word is in.
    pub fn object(&self) -> ObjectRef {
        ObjectRef {
            address: self.holder,
            map: self.map,
        }
    }
}

/// Which words of objects count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// All but the Map.
    Fields,
    /// The Map only.
    Map,
}

/// Bits of the filter in front of a set of many values: this many for each, and between these.
const FILTER_BITS: usize = 16;
const FILTER: std::ops::RangeInclusive<usize> = 1 << 16..=1 << 24;
/// Sets up to this size are compared value by value.
const FEW: usize = 4;

enum Wanted {
    /// Tagged words with the weak bit set.
    Few(Vec<u64>),
    Many(FxHashSet<u64>, Vec<u64>),
}

impl Wanted {
    fn new(addresses: &[u64]) -> Wanted {
        if addresses.len() <= FEW {
            return Wanted::Few(addresses.iter().map(|a| a | 3).collect());
        }
        let bits = addresses.len().saturating_mul(FILTER_BITS);
        let bits = bits.clamp(*FILTER.start(), *FILTER.end());
        let mut filter = vec![0u64; bits.next_power_of_two() / 64];
        let mask = filter.len() * 64 - 1;
        for address in addresses {
            let bit = (address >> 3) as usize & mask;
            filter[bit / 64] |= 1 << (bit % 64);
        }
        Wanted::Many(addresses.iter().copied().collect(), filter)
    }
}

/// Finds every word that points, strongly or weakly, to one of `addresses` (untagged), by address.
pub fn find(
    heap: &HeapIndex,
    layout: &Layout,
    addresses: &[u64],
    words: Words,
    watch: Watch<'_>,
) -> Result<Vec<Hit>> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    // What was moved is named by its old place until the collection has corrected the word.
    let moved = heap.image.moved.from(addresses);
    let mut places = addresses.to_vec();
    places.extend(moved.iter().map(|(from, _)| *from));
    let wanted = Wanted::new(&places);
    let pages = heap.image.pages();
    let states = parallel::for_each(
        "searching the heap",
        pages.len(),
        watch,
        Vec::new,
        |hits, i| {
            let page = &pages[i];
            let bytes = heap.image.bytes_of(page);
            let base = page.page.area_start;
            let mut found = |at: usize, word: u64| {
                let slot = base + at as u64;
                if let Some(hit) = hit(heap, layout, slot, word, words) {
                    hits.push(hit);
                }
            };
            match &wanted {
                Wanted::Few(values) => {
                    for value in values {
                        few(bytes, *value, &mut found);
                    }
                }
                Wanted::Many(set, filter) => many(bytes, set, filter, &mut found),
            }
        },
    )?;
    let mut all: Vec<Hit> = states.into_iter().flatten().collect();
    if !moved.is_empty() {
        for hit in &mut all {
            hit.target = heap.moved_to(hit.target).unwrap_or(hit.target);
        }
    }
    all.sort_unstable();
    Ok(all)
}

/// Calls `found` for each word that is `value` but for the weak bit.
fn few(bytes: &[u8], value: u64, found: &mut impl FnMut(usize, u64)) {
    const BLOCK: usize = 64;
    let word = |b: &[u8]| u64::from_le_bytes(b.try_into().unwrap_or_default());
    for (i, block) in bytes.chunks(BLOCK).enumerate() {
        // No branch within a block, so that the compiler compares several words at a time.
        let any = block
            .chunks_exact(8)
            .fold(false, |any, w| any | ((word(w) | 2) == value));
        if any {
            for (k, w) in block.chunks_exact(8).enumerate() {
                if word(w) | 2 == value {
                    found(i * BLOCK + k * 8, word(w));
                }
            }
        }
    }
}

fn many(bytes: &[u8], set: &FxHashSet<u64>, filter: &[u64], found: &mut impl FnMut(usize, u64)) {
    // Of a power of two words, see [`Wanted::new`].
    let mask = filter.len() * 64 - 1;
    for (i, chunk) in bytes.chunks_exact(8).enumerate() {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        let bit = (word >> 3) as usize & mask;
        if word & 1 == 1 && filter[bit / 64] >> (bit % 64) & 1 == 1 && set.contains(&(word & !3)) {
            found(i * 8, word);
        }
    }
}

/// The hit at a slot, if that is a tagged word of an object.
fn hit(heap: &HeapIndex, layout: &Layout, slot: u64, word: u64, words: Words) -> Option<Hit> {
    let object = heap.object_at(slot)?;
    let is_map = slot == object.address;
    if is_map != (words == Words::Map) {
        return None;
    }
    let info = heap.map_of(object)?;
    if !is_map && !is_visited(layout, info, slot - object.address) {
        return None;
    }
    Some(Hit {
        slot,
        target: word & !3,
        holder: object.address,
        map: object.map,
    })
}

/// Whether the word at an offset may be a tagged one, not just bytes that look like it. What a type
/// nobody knows holds is not known either.
fn is_visited(layout: &Layout, info: &MapInfo, offset: u64) -> bool {
    info.kind == InstanceType::Unknown || body(layout, info.kind, info.number).has(offset as usize)
}
