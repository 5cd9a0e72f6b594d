//! The linear walk: from the start of a page every object says how large it is, and so where the
//! next one begins. Where that fails the walk goes on at the next word that begins an object for
//! certain, and what lies between is counted as not understood.

use super::image::{HeapImage, ImagePage};
use super::labs::Lab;
use crate::metadata::{InstanceType, Layout, SizeRules, SizeSource};
use crate::object::Tagged;
use rustc_hash::FxHashMap;

/// Entries of the direct-mapped cache of Maps in front of the hash table; a power of two.
const CACHE: usize = 4096;

/// A Map as the walk needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapInfo {
    /// Its address.
    pub address: u64,
    /// The word at offset 8: instance size in words, and what else its rule may need.
    pub sizes: u64,
    /// Instance type as V8 numbers it.
    pub number: u16,
    pub kind: InstanceType,
    /// Free space or a filler: no object at all.
    pub is_free: bool,
}

impl MapInfo {
    /// The Map at `address`, proved to be one by its own map.
    pub fn decode(image: &HeapImage, layout: &Layout, address: u64) -> Option<MapInfo> {
        let meta = Tagged(image.word(address)?);
        let meta_address = meta.is_strong().then(|| meta.address()).flatten()?;
        if meta_address % 8 != 0 || image.word(meta_address)? != meta.0 {
            return None;
        }
        let sizes_at = layout.map.instance_size_in_words.offset().ok()?;
        let sizes = image.word(address.checked_add(sizes_at)?)?;
        let type_at = layout.map.instance_type.offset().ok()?;
        let word = image.word(address.checked_add(type_at & !7)?)?;
        let number = (word >> (8 * (type_at % 8))) as u16;
        let kind = layout.types.get(number);
        Some(MapInfo {
            address,
            sizes,
            number,
            kind,
            is_free: matches!(kind, InstanceType::FreeSpace | InstanceType::Filler),
        })
    }
}

/// How many objects, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub bytes: u64,
}

/// What the walk covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    pub objects: u64,
    pub object_bytes: u64,
    /// Fillers, free-list entries, zeroed memory and allocation areas in use.
    pub free_bytes: u64,
    /// What no rule explained.
    pub unknown_bytes: u64,
    /// Places where the walk had to look for the next object.
    pub resyncs: u64,
}

impl Coverage {
    /// Adds another part's.
    pub fn add(&mut self, other: &Coverage) {
        self.objects += other.objects;
        self.object_bytes += other.object_bytes;
        self.free_bytes += other.free_bytes;
        self.unknown_bytes += other.unknown_bytes;
        self.resyncs += other.resyncs;
    }

    /// Says where the objects found are not all there are; `missing` are bytes of pages that the
    /// core does not hold.
    pub fn gaps(&self, missing: u64) -> Option<String> {
        let mut parts = Vec::new();
        if missing > 0 {
            parts.push(format!(
                "{missing} bytes of the heap are not in the core (cut short?)"
            ));
        }
        if self.unknown_bytes > 0 {
            parts.push(format!(
                "{} bytes in {} places of the heap were not understood",
                self.unknown_bytes, self.resyncs
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// One bit for each word of a page's objects: set where an object starts.
pub type Starts = Vec<u64>;

struct Object<'a> {
    bytes: &'a [u8],
    image: &'a HeapImage,
}

impl SizeSource for Object<'_> {
    #[inline]
    fn word(&self, offset: u64) -> Option<u64> {
        word(self.bytes, usize::try_from(offset).ok()?)
    }
    fn word_at(&self, address: u64) -> Option<u64> {
        self.image.word(address)
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let slice = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(slice.try_into().ok()?))
}

/// One thread's walk: Maps it met, with their tallies.
pub struct Walker<'a> {
    image: &'a HeapImage,
    layout: &'a Layout,
    sizes: &'a SizeRules,
    /// Tagged word of a Map to its index in `maps`; None where it is no Map.
    known: FxHashMap<u64, Option<u32>>,
    cache: Vec<(u64, u32, u32)>,
    pub maps: Vec<MapInfo>,
    pub tallies: Vec<Tally>,
    pub coverage: Coverage,
}

/// What one step of the walk found.
enum Step {
    /// Index of the Map, size, whether it is free space.
    Object(u32, usize),
    Nothing,
}

impl<'a> Walker<'a> {
    /// Nothing is walked yet.
    pub fn new(image: &'a HeapImage, layout: &'a Layout, sizes: &'a SizeRules) -> Walker<'a> {
        Walker {
            image,
            layout,
            sizes,
            known: FxHashMap::default(),
            cache: vec![(0, 0, 0); CACHE],
            maps: Vec::new(),
            tallies: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// Index of the Map that a map word points to.
    #[inline]
    fn map(&mut self, map_word: u64) -> Option<(u32, u32)> {
        let slot = (map_word >> 3) as usize & (CACHE - 1);
        let (key, index, size) = self.cache[slot];
        if key == map_word && map_word != 0 {
            return Some((index, size));
        }
        let found = match self.known.get(&map_word) {
            Some(found) => *found,
            None => {
                let decoded = MapInfo::decode(self.image, self.layout, map_word & !1);
                let index = decoded.map(|info| {
                    self.maps.push(info);
                    self.tallies.push(Tally::default());
                    (self.maps.len() - 1) as u32
                });
                self.known.insert(map_word, index);
                index
            }
        }?;
        let info = &self.maps[found as usize];
        let size = (info.sizes & 0xff) as u32 * 8;
        self.cache[slot] = (map_word, found, size);
        Some((found, size))
    }

    /// The object at `at`; `room` is where the page's objects end, which may be past `bytes` (the
    /// last page of a core cut short, the trap that V8 14's holes have for a body).
    #[inline]
    fn step(&mut self, bytes: &[u8], at: usize, room: usize) -> Step {
        let Some(map_word) = word(bytes, at) else {
            return Step::Nothing;
        };
        if map_word & 7 != 1 {
            return Step::Nothing;
        }
        let Some((map, fixed)) = self.map(map_word) else {
            return Step::Nothing;
        };
        let size = if fixed != 0 {
            fixed as usize
        } else {
            let info = &self.maps[map as usize];
            let object = Object {
                bytes: &bytes[at..],
                image: self.image,
            };
            match self.sizes.size(info.sizes, info.number, &object) {
                Some(size) => size as usize,
                None => return Step::Nothing,
            }
        };
        if size > room - at {
            return Step::Nothing;
        }
        Step::Object(map, size)
    }

    /// Walks a page; `labs` are its allocation areas in use. Returns where its objects start.
    pub fn page(&mut self, page: &ImagePage, labs: &[Lab]) -> Starts {
        let image = self.image;
        let bytes = image.bytes_of(page);
        let room = (page.page.area_end - page.page.area_start) as usize;
        let mut starts = vec![0u64; bytes.len().div_ceil(8 * 64)];
        let base = page.page.area_start;
        let mut cover = Coverage::default();
        let mut at = 0;
        while at < bytes.len() {
            if !labs.is_empty() {
                let here = base + at as u64;
                if let Some(lab) = labs.iter().find(|l| l.top == here && l.limit > here) {
                    let end = ((lab.limit - base) as usize).min(bytes.len());
                    cover.free_bytes += (end - at) as u64;
                    at = end;
                    continue;
                }
            }
            match self.step(bytes, at, room) {
                Step::Object(map, size) => {
                    if self.maps[map as usize].is_free {
                        cover.free_bytes += size as u64;
                    } else {
                        starts[at >> 9] |= 1 << (at >> 3 & 63);
                        let tally = &mut self.tallies[map as usize];
                        tally.count += 1;
                        tally.bytes += size as u64;
                        cover.objects += 1;
                        cover.object_bytes += size as u64;
                    }
                    at += size;
                }
                Step::Nothing => {
                    // Memory that was never used is zero; what of it is skipped is no gap.
                    let next = skip_zeros(bytes, at);
                    if next > at {
                        cover.free_bytes += (next - at) as u64;
                        at = next;
                        continue;
                    }
                    let next = self.resync(bytes, at, room);
                    cover.unknown_bytes += (next - at) as u64;
                    cover.resyncs += 1;
                    at = next;
                }
            }
            // A large page holds one object; V8 does not clear what follows it.
            if page.page.is_large && at > 0 {
                cover.free_bytes += bytes.len().saturating_sub(at) as u64;
                break;
            }
        }
        self.coverage.add(&cover);
        starts
    }

    /// The next place after `at` where an object begins for certain: one that is followed by
    /// another, or by the end.
    fn resync(&mut self, bytes: &[u8], at: usize, room: usize) -> usize {
        let mut next = at + 8;
        while next < bytes.len() {
            if let Step::Object(_, size) = self.step(bytes, next, room) {
                let after = next + size;
                if after >= bytes.len() || matches!(self.step(bytes, after, room), Step::Object(..))
                {
                    return next;
                }
            }
            next += 8;
        }
        bytes.len()
    }
}

/// The first word from `at` on that is not zero.
fn skip_zeros(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let zero = rest.chunks_exact(8).take_while(|c| **c == [0; 8]).count();
    at + zero * 8
}
