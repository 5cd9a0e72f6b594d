//! The objects of one isolate, numbered, with the way from an address to the number: a bit for
//! every word where an object starts, and a count before every 64 words. No hash table.

use crate::error::{Error, Result};
use crate::heap::{HeapIndex, Isolate, MapInfo};
use crate::memory::Memory;
use crate::object::Tagged;
use rustc_hash::FxHashMap;

/// Number of an object of the isolate, dead ones included.
pub type Ordinal = u32;

struct PageObjects {
    /// Ordinal of the first object; the page is not the isolate's where there is none.
    first: Option<u32>,
    /// Objects before each 64 words.
    before: Vec<u32>,
}

/// All objects on the pages of one isolate and on those it shares.
pub struct Space<'a> {
    pub index: &'a HeapIndex,
    pages: Vec<PageObjects>,
    addresses: Vec<u64>,
    maps: Vec<u32>,
    read_only: Vec<bool>,
    page_of: Vec<(u32, u32)>,
}

impl<'a> Space<'a> {
    /// Numbers them: read-only pages first, then space by space, as V8 visits them. The order
    /// counts: what several objects hold is called after the first of them.
    pub fn new(index: &'a HeapIndex, isolate: &Isolate, memory: &dyn Memory) -> Result<Space<'a>> {
        let mut space = Space {
            index,
            pages: Vec::new(),
            addresses: Vec::new(),
            maps: Vec::new(),
            read_only: Vec::new(),
            page_of: Vec::new(),
        };
        let image_pages = index.image.pages();
        let undefined = isolate.root(crate::heap::RootName::Undefined)?;
        let undefined_page = undefined
            .address()
            .and_then(|a| index.image.page_index(a))
            .and_then(|p| image_pages.get(p));
        for page in image_pages {
            let read_only = undefined_page
                .is_some_and(|u| (u.page.heap, u.page.owner) == (page.page.heap, page.page.owner));
            space.read_only.push(read_only);
            space.pages.push(PageObjects {
                first: None,
                before: Vec::new(),
            });
        }
        let mut ids: FxHashMap<u64, u32> = FxHashMap::default();
        let mut order: Vec<(bool, u32, usize)> = Vec::new();
        for (number, image_page) in image_pages.iter().enumerate() {
            let page = &image_page.page;
            if page.heap == isolate.heap || page.heap == 0 {
                let id = *ids
                    .entry(page.owner)
                    .or_insert_with(|| space_id(memory, page.owner, isolate.heap));
                order.push((!space.read_only[number], id, number));
            }
        }
        order.sort_unstable();
        for (_, _, number) in order {
            space.add_page(number)?;
        }
        Ok(space)
    }

    fn add_page(&mut self, number: usize) -> Result<()> {
        let too_many = || Error::other("the heap has more than 4 billion objects");
        let first = u32::try_from(self.addresses.len()).map_err(|_| too_many())?;
        let starts = self.index.starts_of(number);
        let mut before = Vec::with_capacity(starts.len());
        let mut count = 0u32;
        for word in starts {
            before.push(count);
            count += word.count_ones();
        }
        for object in self.index.objects_of(number) {
            self.addresses.push(object.address);
            self.maps.push(object.map);
        }
        u32::try_from(self.addresses.len()).map_err(|_| too_many())?;
        // An object whose map is no longer one is not listed; the counts would be off.
        if self.addresses.len() as u32 != first + count {
            return Err(Error::other("the index of the heap is not sound"));
        }
        self.page_of.push((first, number as u32));
        self.pages[number] = PageObjects {
            first: Some(first),
            before,
        };
        Ok(())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// The object that starts at `address`.
    #[inline]
    pub fn at(&self, address: u64) -> Option<Ordinal> {
        let number = self.index.image.page_index(address)?;
        let page = &self.pages[number];
        let first = page.first?;
        let offset = address - self.index.image.pages()[number].page.area_start;
        if !offset.is_multiple_of(8) {
            return None;
        }
        let slot = offset / 8;
        let word = (slot / 64) as usize;
        let bits = *self.index.starts_of(number).get(word)?;
        let bit = slot % 64;
        if bits >> bit & 1 == 0 {
            return None;
        }
        let below = bits & ((1u64 << bit) - 1);
        Some(first + page.before[word] + below.count_ones())
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

    /// Where an object is.
    #[inline]
    pub fn address(&self, object: Ordinal) -> u64 {
        self.addresses[object as usize]
    }

    /// Index of an object's Map among the index's.
    #[inline]
    pub fn map_index(&self, object: Ordinal) -> u32 {
        self.maps[object as usize]
    }

    /// An object's Map.
    #[inline]
    pub fn map(&self, object: Ordinal) -> &'a MapInfo {
        &self.index.maps[self.maps[object as usize] as usize]
    }

    /// Bytes of an object, and their count.
    #[inline]
    pub fn bytes(&self, object: Ordinal) -> &'a [u8] {
        let address = self.address(object);
        let rest = self.index.image.slice_from(address).unwrap_or_default();
        let fixed = (self.map(object).sizes & 0xff) as usize * 8;
        let size = match fixed {
            0 => self.size(object) as usize,
            fixed => fixed,
        };
        &rest[..size.min(rest.len())]
    }

    /// Size of an object.
    pub fn size(&self, object: Ordinal) -> u64 {
        self.index
            .size_of(crate::heap::ObjectRef {
                address: self.address(object),
                map: self.map_index(object),
            })
            .unwrap_or(0)
    }

    /// Whether an object is in read-only space.
    pub fn is_read_only(&self, object: Ordinal) -> bool {
        let at = self.page_of.partition_point(|&(first, _)| first <= object);
        at.checked_sub(1)
            .and_then(|at| self.page_of.get(at))
            .is_some_and(|&(_, page)| self.read_only[page as usize])
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
