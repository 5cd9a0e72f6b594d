//! The linear walk: from the start of a page every object says how large it is, and so where the
//! next one begins. Where that fails the walk goes on at the next word that begins an object for
//! certain, and what lies between is counted as not understood.

use super::forwarding::forwarding_address;
use super::image::{HeapImage, ImagePage};
use super::labs::Lab;
use super::marks::Marks;
use crate::metadata::{InstanceType, Layout, SizeRules, SizeSource};
use crate::object::Tagged;
use rustc_hash::FxHashMap;

/// Entries of the direct-mapped cache of Maps in front of the hash table; a power of two.
const CACHE: usize = 4096;
/// Bytes of a string made of two: Map, hash and length, and both.
const CONS_STRING: usize = 32;

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
        let address = place(image, address)?;
        let meta_of = |address: u64| {
            let word = Tagged(image.word(address)?);
            let found = word.is_strong().then(|| word.address()).flatten()?;
            place(image, found).filter(|at| at % 8 == 0)
        };
        let meta = meta_of(address)?;
        if meta_of(meta)? != meta {
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

/// Where the object at `address` is, which a collection may have moved.
#[inline]
fn place(image: &HeapImage, address: u64) -> Option<u64> {
    let Some(moved) = forwarding_address(image.word(address)?) else {
        return Some(address);
    };
    let page = image.pages().get(image.page_index(address)?)?;
    page.page.is_moving.then_some(moved)
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
    /// Garbage that V8 had yet to sweep, of which too little is left to say what it was.
    pub unswept_bytes: u64,
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
        self.unswept_bytes += other.unswept_bytes;
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
    pub moves: Vec<Move>,
}

/// An object that a collection had moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub from: u64,
    pub to: u64,
    /// Bytes at the old place.
    pub size: usize,
}

/// What a page has room for.
#[derive(Clone, Copy)]
struct Room {
    /// Where its objects end, which may be past its bytes (the last page of a core cut short, the
    /// trap that V8 14's holes have for a body).
    size: usize,
    is_moving: bool,
}

/// What one step of the walk found.
enum Step {
    /// Index of the Map, and size.
    Object(u32, usize),
    /// Where it is now, and its size here.
    Moved(u64, usize),
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
            moves: Vec::new(),
        }
    }

    /// The words that stood for Maps, each with the Map's address.
    pub fn words(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let known = self.known.iter();
        known.filter_map(|(word, map)| Some((*word, self.maps.get((*map)? as usize)?.address)))
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

    /// The object at `at`.
    #[inline]
    fn step(&mut self, bytes: &[u8], at: usize, room: Room) -> Step {
        let Some(map_word) = word(bytes, at) else {
            return Step::Nothing;
        };
        if map_word & 7 != 1 {
            return match room.is_moving {
                true => self.moved(bytes, at, map_word, room),
                false => Step::Nothing,
            };
        }
        match self.sized(map_word, &bytes[at..]) {
            Some((map, size)) if size <= room.size - at => Step::Object(map, size),
            _ => Step::Nothing,
        }
    }

    /// Map and size of an object by its first word and its bytes.
    #[inline]
    fn sized(&mut self, map_word: u64, bytes: &[u8]) -> Option<(u32, usize)> {
        let (map, fixed) = self.map(map_word)?;
        if fixed != 0 {
            return Some((map, fixed as usize));
        }
        let info = &self.maps[map as usize];
        let object = Object {
            bytes,
            image: self.image,
        };
        let size = self.sizes.size(info.sizes, info.number, &object)?;
        Some((map, size as usize))
    }

    /// What was at `at` and is elsewhere now.
    #[cold]
    fn moved(&mut self, bytes: &[u8], at: usize, first: u64, room: Room) -> Step {
        let image = self.image;
        let place = forwarding_address(first).and_then(|to| Some((to, image.slice_from(to)?)));
        let Some((to, copy)) = place else {
            return Step::Nothing;
        };
        let map_word = word(copy, 0).unwrap_or(0);
        let Some((map, size)) = (map_word & 7 == 1)
            .then(|| self.sized(map_word, copy))
            .flatten()
        else {
            return Step::Nothing;
        };
        // A string that was another one with nothing appended has been replaced by that.
        let is_string = self.maps[map as usize].kind == InstanceType::String;
        let sizes = [Some(size), is_string.then_some(CONS_STRING)];
        let fits = |size: &usize| {
            let next = at + *size;
            let goes_on =
                |word: u64| word == 0 || word & 7 == 1 || forwarding_address(word).is_some();
            next <= room.size && word(bytes, next).is_none_or(goes_on)
        };
        match sizes.into_iter().flatten().find(fits) {
            Some(size) => Step::Moved(to, size),
            None => Step::Nothing,
        }
    }

    /// Walks a page; `labs` are its allocation areas in use, `arrivals` where objects that were
    /// moved here begin, `marks` what lives on it where it is yet to be swept. Returns where its
    /// objects start.
    pub fn page(
        &mut self,
        page: &ImagePage,
        labs: &[Lab],
        arrivals: &[u64],
        marks: Option<&Marks>,
    ) -> Starts {
        let image = self.image;
        let bytes = image.bytes_of(page);
        let room = Room {
            size: (page.page.area_end - page.page.area_start) as usize,
            is_moving: page.page.is_moving,
        };
        let mut starts = vec![0u64; bytes.len().div_ceil(8 * 64)];
        let base = page.page.area_start;
        let mut cover = Coverage::default();
        let mut at = 0;
        let mut arrivals = arrivals
            .iter()
            .map(|a| (a.saturating_sub(base)) as usize)
            .peekable();
        while at < bytes.len() {
            while arrivals.next_if(|next| *next <= at).is_some() {}
            let end = arrivals.peek().map_or(usize::MAX, |next| *next);
            if !labs.is_empty() {
                let here = base + at as u64;
                if let Some(lab) = labs.iter().find(|l| l.top == here && l.limit > here) {
                    let end = ((lab.limit - base) as usize).min(bytes.len()).min(end);
                    cover.free_bytes += (end - at) as u64;
                    at = end;
                    continue;
                }
            }
            match self.step(bytes, at, room) {
                Step::Object(_, size) | Step::Moved(_, size) if at + size > end => {
                    cover.free_bytes += (end - at) as u64;
                    at = end;
                }
                Step::Moved(to, size) => {
                    let from = base + at as u64;
                    self.moves.push(Move { from, to, size });
                    cover.free_bytes += size as u64;
                    at += size;
                }
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
                    let next = skip_zeros(bytes, at).min(end);
                    if next > at {
                        cover.free_bytes += (next - at) as u64;
                        at = next;
                        continue;
                    }
                    let mut next = self.resync(bytes, at, room).min(end);
                    if let Some(marks) = marks {
                        let live = marks.next(base + at as u64);
                        let live = live.map_or(bytes.len(), |a| (a - base) as usize);
                        if live > at {
                            next = next.min(live);
                            cover.unswept_bytes += (next - at) as u64;
                            at = next;
                            continue;
                        }
                    }
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
    fn resync(&mut self, bytes: &[u8], at: usize, room: Room) -> usize {
        let mut next = at + 8;
        while next < bytes.len() {
            if let Step::Object(_, size) | Step::Moved(_, size) = self.step(bytes, next, room) {
                let after = next + size;
                if after >= bytes.len() || !matches!(self.step(bytes, after, room), Step::Nothing) {
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
