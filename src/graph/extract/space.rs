//! The objects of one isolate. An object's number is that of the word it starts at, the words of
//! all pages counted through, so that the way between number and address is a step over a small
//! table of 256 KB chunks. A bit for every word says whether an object starts there.

use crate::error::{Error, Result};
use crate::graph::hints::prefetch;
use crate::heap::{HeapIndex, Isolate, MapInfo, PAGE_ALIGNMENT};
use crate::memory::Memory;
use crate::object::Tagged;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Number of the word that an object of the isolate starts at.
pub type Ordinal = u32;

/// Words of a chunk, as a power of two.
const CHUNK_BITS: u32 = PAGE_ALIGNMENT.trailing_zeros() - 3;
/// Words of a chunk.
const CHUNK_WORDS: u32 = 1 << CHUNK_BITS;
/// Chunks whose words can be numbered: 32 GB.
const MOST_CHUNKS: usize = 1 << (32 - CHUNK_BITS);

/// Bits of a page's address: Linux and macOS give a process 47 or 48, more only to one that asks for
/// it, which V8 does not.
const ADDRESS_BITS: u32 = 50;

/// What a chunk is found by.
#[inline]
fn chunk_key(address: u64) -> u32 {
    (address / PAGE_ALIGNMENT) as u32
}

/// 256 KB of a page, aligned to as much.
struct Chunk<'a> {
    address: u64,
    /// Where the objects of its page are, and their bytes.
    area_start: u64,
    bytes: &'a [u8],
    is_read_only: bool,
}

/// All objects on the pages of one isolate and on those it shares.
pub struct Space<'a> {
    pub index: &'a HeapIndex,
    chunks: Vec<Chunk<'a>>,
    /// Chunks by address, Maps by the words that point to them.
    directory: Table<u32>,
    maps: Table<u64>,
    starts: Vec<u64>,
    count: usize,
    /// Whether a collection was moving objects.
    has_moves: bool,
    /// The words of each page.
    pages: Vec<Range<Ordinal>>,
}

impl<'a> Space<'a> {
    /// Numbers them: read-only pages first, then space by space, as V8 visits them. The order
    /// counts: what several objects hold is called after the first of them.
    pub fn new(index: &'a HeapIndex, isolate: &Isolate, memory: &dyn Memory) -> Result<Space<'a>> {
        let image_pages = index.image.pages();
        let undefined = isolate.root(crate::heap::RootName::Undefined)?;
        let undefined_page = undefined
            .address()
            .and_then(|a| index.image.page_index(a))
            .and_then(|p| image_pages.get(p));
        let mut ids: FxHashMap<u64, u32> = FxHashMap::default();
        let mut order: Vec<(bool, u32, usize)> = Vec::new();
        for (number, image_page) in image_pages.iter().enumerate() {
            let page = &image_page.page;
            if page.heap == isolate.heap || page.heap == 0 {
                let read_only = undefined_page
                    .is_some_and(|u| (u.page.heap, u.page.owner) == (page.heap, page.owner));
                let id = *ids
                    .entry(page.owner)
                    .or_insert_with(|| space_id(memory, page.owner, isolate.heap));
                order.push((!read_only, id, number));
            }
        }
        order.sort_unstable();
        let mut space = Space {
            index,
            chunks: Vec::new(),
            directory: Table::default(),
            maps: Table::default(),
            starts: Vec::new(),
            count: 0,
            has_moves: index.has_moves(),
            pages: Vec::new(),
        };
        for (writable, _, number) in order {
            space.add_page(number, !writable)?;
        }
        let chunks = space.chunks.iter().map(|c| chunk_key(c.address));
        space.directory = Table::new(space.chunks.len(), chunks.zip(0..));
        space.maps = Table::new(index.map_words().len(), index.map_words());
        Ok(space)
    }

    fn add_page(&mut self, number: usize, is_read_only: bool) -> Result<()> {
        let index = self.index;
        let image_page = &index.image.pages()[number];
        let page = &image_page.page;
        let bytes = index.image.bytes_of(image_page);
        let first = self.chunks.len();
        let aligned = page.address / PAGE_ALIGNMENT * PAGE_ALIGNMENT;
        let before = page.area_start.saturating_sub(aligned);
        let chunks = before
            .saturating_add(bytes.len() as u64)
            .div_ceil(PAGE_ALIGNMENT) as usize;
        if first.saturating_add(chunks) > MOST_CHUNKS {
            return Err(Error::other("a heap of more than 32 GB has no graph here"));
        }
        for at in 0..chunks as u64 {
            self.chunks.push(Chunk {
                address: aligned.saturating_add(at * PAGE_ALIGNMENT),
                area_start: page.area_start,
                bytes,
                is_read_only,
            });
        }
        let words = self.starts.len();
        self.starts
            .resize(self.chunks.len() * (CHUNK_WORDS as usize / 64), 0);
        let shift = (before / 8) as usize;
        let own = &mut self.starts[words..];
        for (at, &word) in index.starts_of(number).iter().enumerate() {
            let at = at * 64 + shift;
            self.count += word.count_ones() as usize;
            if word == 0 {
                continue;
            }
            // An object starts within its page's bytes, and so within its chunks.
            if let Some(low) = own.get_mut(at / 64) {
                *low |= word << (at % 64);
            }
            if let (Some(high), 1..) = (own.get_mut(at / 64 + 1), at % 64) {
                *high |= word >> (64 - at % 64);
            }
        }
        self.pages.push((first as u32) << CHUNK_BITS..self.end());
        Ok(())
    }

    fn end(&self) -> Ordinal {
        // All 4 billion words are not in use: each chunk begins with a header.
        u32::try_from((self.chunks.len() as u64) << CHUNK_BITS).unwrap_or(u32::MAX)
    }

    /// How many objects.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A bit for each word: whether an object starts there.
    pub fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// The words of each page, in the order of the objects.
    pub fn pages(&self) -> &[Range<Ordinal>] {
        &self.pages
    }

    /// All objects, in their order.
    pub fn objects(&self) -> impl Iterator<Item = Ordinal> + '_ {
        bits(self.starts.iter().copied(), 0)
    }

    /// The objects among some words.
    pub fn objects_in(&self, words: &Range<Ordinal>) -> impl Iterator<Item = Ordinal> + '_ {
        let range = words.start as usize / 64..words.end.div_ceil(64) as usize;
        let words = self.starts.get(range.clone()).unwrap_or_default();
        bits(words.iter().copied(), range.start as u32 * 64)
    }

    /// The objects in read-only space, which come first.
    pub fn read_only_objects(&self) -> impl Iterator<Item = Ordinal> + '_ {
        let chunks = self.chunks.iter().take_while(|c| c.is_read_only).count();
        bits(
            self.starts
                .iter()
                .take(chunks * (CHUNK_WORDS as usize / 64))
                .copied(),
            0,
        )
    }

    /// The number of the word at `address`, if that is on a page: whatever starts there.
    #[inline]
    fn word_number(&self, address: u64) -> Option<Ordinal> {
        let chunk = self.directory.get(chunk_key(address))?;
        if address & 7 != 0 || address >> ADDRESS_BITS != 0 {
            return None;
        }
        Some((chunk << CHUNK_BITS) | ((address % PAGE_ALIGNMENT) as u32 / 8))
    }

    /// The same of what is at `address`, or of where a collection had moved it from there.
    #[inline]
    pub fn word_of(&self, address: u64) -> Option<Ordinal> {
        match self.has_moves {
            false => self.word_number(address),
            true => self.word_number(self.index.moved_to(address).unwrap_or(address)),
        }
    }

    /// The object that starts at `address`, or that a collection had moved from there.
    #[inline]
    pub fn at(&self, address: u64) -> Option<Ordinal> {
        let number = self.word_of(address)?;
        let bits = *self.starts.get(number as usize / 64)?;
        (bits >> (number % 64) & 1 == 1).then_some(number)
    }

    /// The object a strong or weak pointer is to.
    #[inline]
    pub fn target(&self, word: u64) -> Option<Ordinal> {
        let tagged = Tagged(word);
        if tagged.is_strong() || tagged.is_weak() {
            self.at(word & !3)
        } else {
            None
        }
    }

    #[inline]
    fn chunk(&self, object: Ordinal) -> &Chunk<'a> {
        &self.chunks[(object >> CHUNK_BITS) as usize]
    }

    /// Where an object is.
    #[inline]
    pub fn address(&self, object: Ordinal) -> u64 {
        self.chunk(object).address + u64::from(object % CHUNK_WORDS) * 8
    }

    /// The bytes from an object's first on to the end of its page.
    #[inline]
    fn bytes_from(&self, object: Ordinal) -> &'a [u8] {
        let chunk = self.chunk(object);
        let at = self.address(object).wrapping_sub(chunk.area_start) as usize;
        chunk.bytes.get(at..).unwrap_or_default()
    }

    /// Asks the processor for the bytes of an object that will be gone through soon.
    #[inline]
    pub fn prefetch(&self, object: Ordinal) {
        prefetch(self.bytes_from(object));
    }

    /// Index of an object's Map among the index's.
    #[inline]
    pub fn map_index(&self, object: Ordinal) -> u32 {
        // The walk lists no object without one.
        let word = word_at(self.bytes_from(object), 0).unwrap_or(0);
        self.maps.get(word).unwrap_or(0)
    }

    /// An object's Map.
    #[inline]
    pub fn map(&self, object: Ordinal) -> &'a MapInfo {
        &self.index.maps[self.map_index(object) as usize]
    }

    /// Bytes of an object, and their count.
    #[inline]
    pub fn bytes(&self, object: Ordinal) -> &'a [u8] {
        self.bytes_as(object, self.map_index(object))
    }

    /// The same, of an object whose Map has that index.
    #[inline]
    pub fn bytes_as(&self, object: Ordinal, map: u32) -> &'a [u8] {
        let rest = self.bytes_from(object);
        let fixed = (self.index.maps[map as usize].sizes & 0xff) as usize * 8;
        let size = match fixed {
            0 => self.index.size_in(rest, map).unwrap_or(0) as usize,
            fixed => fixed,
        };
        &rest[..size.min(rest.len())]
    }

    /// Size of an object.
    pub fn size(&self, object: Ordinal) -> u64 {
        let size = self
            .index
            .size_in(self.bytes_from(object), self.map_index(object));
        size.unwrap_or(0)
    }

    /// Whether an object is in read-only space.
    pub fn is_read_only(&self, object: Ordinal) -> bool {
        self.chunk(object).is_read_only
    }
}

/// The numbers of the bits set in words, the first of which has the bits from `first` on.
#[inline]
pub fn bits(words: impl Iterator<Item = u64>, first: u32) -> impl Iterator<Item = u32> {
    let mut words = words;
    let mut base = first.wrapping_sub(64);
    let mut word = 0u64;
    std::iter::from_fn(move || {
        while word == 0 {
            word = words.next()?;
            base = base.wrapping_add(64);
        }
        let bit = word.trailing_zeros();
        word &= word - 1;
        Some(base + bit)
    })
}

/// From keys to numbers: a small hash table of open addressing, which is asked for every object
/// and every reference there is.
#[derive(Default)]
struct Table<K> {
    /// Key and number; a power of two of them, a quarter at most in use.
    entries: Vec<(K, u32)>,
    shift: u32,
}

/// No number.
const NONE: u32 = u32::MAX;

impl<K: Copy + Default + PartialEq + Into<u64>> Table<K> {
    fn new(count: usize, all: impl IntoIterator<Item = (K, u32)>) -> Table<K> {
        let size = (count * 4).next_power_of_two().max(4);
        let mut table = Table {
            entries: vec![(K::default(), NONE); size],
            shift: 64 - size.trailing_zeros(),
        };
        for (key, number) in all.into_iter().take(count) {
            let mut slot = table.slot(key);
            while table.entries[slot].1 != NONE && table.entries[slot].0 != key {
                slot = (slot + 1) % size;
            }
            table.entries[slot] = (key, number);
        }
        table
    }

    #[inline]
    fn slot(&self, key: K) -> usize {
        let key: u64 = key.into();
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn get(&self, key: K) -> Option<u32> {
        let mask = self.entries.len().wrapping_sub(1);
        let mut slot = self.slot(key);
        loop {
            let (found, number) = *self.entries.get(slot & mask)?;
            if number == NONE || found == key {
                return (number != NONE).then_some(number);
            }
            slot += 1;
        }
    }
}

/// A space's number in V8's list of them, which stands right behind the pointer to its heap.
fn space_id(memory: &dyn Memory, space: u64, heap: u64) -> u32 {
    const WORDS: u64 = 16;
    const MOST: u32 = 16;
    let word = |at: u64| memory.u64(space.checked_add(at * 8)?).ok();
    let heap_at = (1..WORDS).find(|&at| word(at) == Some(heap));
    let id = heap_at.and_then(|at| Some(word(at + 1)? as u32));
    id.filter(|id| *id < MOST).unwrap_or(MOST)
}

/// The word at `offset` of an object's bytes.
#[inline]
pub fn word_at(bytes: &[u8], offset: usize) -> Option<u64> {
    let slice = bytes.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(slice.try_into().ok()?))
}

/// The machine code that a call or a jump at `at` leads to, as x64 has it: the distance behind one
/// or two bytes of opcode.
#[inline]
pub fn jump_target(bytes: &[u8], at: usize, address: u64) -> Option<u64> {
    let length = match *bytes.get(at)? {
        0xe8 | 0xe9 => 1,
        0x0f if bytes.get(at + 1)? & 0xf0 == 0x80 => 2,
        _ => return None,
    };
    let distance = bytes.get(at + length..at + length + 4)?;
    let distance = i32::from_le_bytes(distance.try_into().ok()?);
    let next = address.checked_add((at + length + 4) as u64)?;
    next.checked_add_signed(i64::from(distance))
}
