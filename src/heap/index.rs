//! The index of a heap: its bytes, where every object starts, and of which Map. Built once a
//! stop; every question about the heap is answered from it.

use super::forwarding::{self, Forwarding};
use super::image::HeapImage;
use super::isolate::Isolates;
use super::marks::Marks;
use super::parallel::{self, Watch};
use super::walk::{Coverage, MapInfo, Move, Starts, Tally, Walker};
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::metadata::{Layout, SizeRules, SizeSource};
use crate::target::Target;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Every object of the heaps of a target.
pub struct HeapIndex {
    pub image: HeapImage,
    /// For each page of the image, where its objects start.
    starts: Vec<Starts>,
    /// Maps that have objects, and Maps of fillers.
    pub maps: Vec<MapInfo>,
    /// Objects of each Map.
    pub tallies: Vec<Tally>,
    by_word: FxHashMap<u64, u32>,
    pub coverage: Coverage,
    sizes: SizeRules,
}

/// An object, by where it is and its Map's index in [`HeapIndex::maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRef {
    pub address: u64,
    pub map: u32,
}

/// Unexplained bytes in a thousand above which free space is tried the other way.
const SUSPICIOUS: u64 = 1;

struct Walked {
    starts: Vec<Starts>,
    maps: Vec<MapInfo>,
    tallies: Vec<Tally>,
    by_word: FxHashMap<u64, u32>,
    coverage: Coverage,
    /// What had been moved: from where, to where, and the size it had there.
    moves: Vec<Move>,
}

impl HeapIndex {
    /// Reads and walks the heaps of all isolates.
    pub fn build(
        target: &dyn Target,
        layout: &Layout,
        isolates: &Isolates,
        watch: Watch<'_>,
    ) -> Result<HeapIndex> {
        let step = |done: u64, total: u64| {
            let fraction = done as f64 / total.max(1) as f64;
            watch("reading the heap", fraction)
        };
        let regions = target.regions()?;
        let mut image = HeapImage::read(target.memory(), &isolates.pages, &regions, &step)?;
        let mut sizes = layout.sizes.clone();
        let none = Arrivals::default();
        let marks = Marks::all(target.memory(), layout, &image);
        let mut walked = walk(&image, layout, &sizes, isolates, (&none, &marks), watch)?;
        let all = walked.coverage.object_bytes + walked.coverage.free_bytes;
        if walked.coverage.unknown_bytes > all / 1000 * SUSPICIOUS {
            // V8 13.6 changed the unit of free space's size in a patch release.
            let other = layout.sizes.with_other_free_space(&layout.types);
            let again = walk(&image, layout, &other, isolates, (&none, &marks), watch)?;
            if again.coverage.unknown_bytes < walked.coverage.unknown_bytes {
                walked = again;
                sizes = other;
            }
        }
        if !walked.moves.is_empty() {
            let arrivals = Arrivals::of(&image, &walked.moves);
            walked = walk(&image, layout, &sizes, isolates, (&arrivals, &marks), watch)?;
            image.moved = Forwarding::new(walked.moves.iter().map(|m| (m.from, m.to)));
        }
        if walked.coverage.objects == 0 {
            return Err(Error::other(
                "the pages of V8's heap are there, but no object was found on them (the core may \
                 be cut short)",
            ));
        }
        Ok(HeapIndex {
            image,
            starts: walked.starts,
            maps: walked.maps,
            tallies: walked.tallies,
            by_word: walked.by_word,
            coverage: walked.coverage,
            sizes,
        })
    }

    /// Number of pages.
    pub fn page_count(&self) -> usize {
        self.starts.len()
    }

    /// Where the objects of a page start: one bit a word of its objects' area.
    pub fn starts_of(&self, page: usize) -> &[u64] {
        self.starts.get(page).map_or(&[][..], |s| s.as_slice())
    }

    /// The objects of a page, by address.
    pub fn objects_of(&self, page: usize) -> impl Iterator<Item = ObjectRef> + '_ {
        let image_page = self.image.pages().get(page);
        let bytes = image_page.map_or(&[][..], |p| self.image.bytes_of(p));
        let base = image_page.map_or(0, |p| p.page.area_start);
        let words = self.starts.get(page).map_or(&[][..], |s| s.as_slice());
        let mut last = (0u64, 0u32);
        words
            .iter()
            .enumerate()
            .flat_map(Bits::of)
            .filter_map(move |at| {
                let word = read_word(bytes, at)?;
                if word != last.0 {
                    last = (word, *self.by_word.get(&word)?);
                }
                Some(ObjectRef {
                    address: base + at as u64,
                    map: last.1,
                })
            })
    }

    /// The object that `address` is in, its own start included.
    pub fn object_at(&self, address: u64) -> Option<ObjectRef> {
        let page = self.image.page_index(address)?;
        let image_page = self.image.pages().get(page)?;
        let base = image_page.page.area_start;
        let words = self.starts.get(page)?;
        let slot = (address - base) / 8;
        let mut word = (slot / 64) as usize;
        let mut bits = words.get(word)? & (u64::MAX >> (63 - slot % 64));
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = *words.get(word)?;
        }
        let slot = word as u64 * 64 + u64::from(63 - bits.leading_zeros());
        let found = base + slot * 8;
        let map = *self.by_word.get(&self.image.word(found)?)?;
        let size = self.size_of(ObjectRef {
            address: found,
            map,
        })?;
        (address - found < size).then_some(ObjectRef {
            address: found,
            map,
        })
    }

    /// Where the object at `address` is now, if a collection had moved it.
    #[inline]
    pub fn moved_to(&self, address: u64) -> Option<u64> {
        self.image.moved.to(address)
    }

    /// Whether a collection had moved objects.
    pub fn has_moves(&self) -> bool {
        !self.image.moved.is_empty()
    }

    /// The words that objects have for their Map, and its index.
    pub fn map_words(&self) -> impl ExactSizeIterator<Item = (u64, u32)> + '_ {
        self.by_word.iter().map(|(word, map)| (*word, *map))
    }

    /// Whether an object starts at `address`.
    pub fn is_object(&self, address: u64) -> bool {
        self.object_at(address)
            .is_some_and(|found| found.address == address)
    }

    /// Bytes of an object.
    pub fn size_of(&self, object: ObjectRef) -> Option<u64> {
        self.size_in(self.image.slice_from(object.address)?, object.map)
    }

    /// The same, of an object whose bytes, and whatever follows them on its page, are these.
    #[inline]
    pub fn size_in(&self, bytes: &[u8], map: u32) -> Option<u64> {
        let map = self.maps.get(map as usize)?;
        let image = &self.image;
        self.sizes
            .size(map.sizes, map.number, &Source { bytes, image })
    }

    /// Index of the Map at an address, if it has objects.
    pub fn map_index(&self, address: u64) -> Option<u32> {
        self.by_word.get(&(address | 1)).copied()
    }

    /// The Map of an object.
    pub fn map_of(&self, object: ObjectRef) -> Option<&MapInfo> {
        self.maps.get(object.map as usize)
    }

    /// Bytes that the index itself takes, the image apart.
    pub fn overhead(&self) -> usize {
        let starts: usize = self.starts.iter().map(|s| s.len() * 8).sum();
        starts + self.maps.len() * (size_of::<MapInfo>() + size_of::<Tally>() + 16)
    }
}

/// The bits of one word of a page's starts, as byte offsets.
struct Bits {
    word: usize,
    bits: u64,
}

impl Bits {
    fn of((word, bits): (usize, &u64)) -> Bits {
        Bits { word, bits: *bits }
    }
}

impl Iterator for Bits {
    type Item = usize;
    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let bit = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some((self.word * 64 + bit) * 8)
    }
}

struct Source<'a> {
    bytes: &'a [u8],
    image: &'a HeapImage,
}

impl SizeSource for Source<'_> {
    fn word(&self, offset: u64) -> Option<u64> {
        read_word(self.bytes, usize::try_from(offset).ok()?)
    }
    fn word_at(&self, address: u64) -> Option<u64> {
        self.image.word(address)
    }
}

#[inline]
fn read_word(bytes: &[u8], at: usize) -> Option<u64> {
    let slice = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(slice.try_into().ok()?))
}

/// Where copies of moved objects begin, by page of the image: what an area of allocation held
/// before may look as if it went on over them.
#[derive(Default)]
struct Arrivals(FxHashMap<usize, Vec<u64>>);

impl Arrivals {
    fn of(image: &HeapImage, moves: &[Move]) -> Arrivals {
        let mut pages: FxHashMap<usize, Vec<u64>> = FxHashMap::default();
        for m in moves {
            let page = image.page_index(m.to);
            let Some(page) = page.filter(|_| forwarding::is_copy(image, m.from, m.to, m.size))
            else {
                continue;
            };
            pages.entry(page).or_default().push(m.to);
        }
        for starts in pages.values_mut() {
            starts.sort_unstable();
            starts.dedup();
        }
        Arrivals(pages)
    }

    fn on(&self, page: usize) -> &[u64] {
        self.0.get(&page).map_or(&[], Vec::as_slice)
    }
}

fn walk(
    image: &HeapImage,
    layout: &Layout,
    sizes: &SizeRules,
    isolates: &Isolates,
    (arrivals, marks): (&Arrivals, &FxHashMap<usize, Marks>),
    watch: Watch<'_>,
) -> Result<Walked> {
    let pages = image.pages();
    let states = parallel::for_each(
        "walking the heap",
        pages.len(),
        watch,
        || (Walker::new(image, layout, sizes), Vec::new()),
        |(walker, starts), i| {
            let bits = walker.page(&pages[i], &isolates.labs, arrivals.on(i), marks.get(&i));
            starts.push((i, bits));
        },
    )?;
    let mut out = Walked {
        starts: vec![Starts::new(); pages.len()],
        maps: Vec::new(),
        tallies: Vec::new(),
        by_word: FxHashMap::default(),
        coverage: Coverage::default(),
        moves: Vec::new(),
    };
    for (walker, starts) in states {
        for (i, bits) in starts {
            out.starts[i] = bits;
        }
        for (map, tally) in walker.maps.iter().zip(&walker.tallies) {
            let index = *out.by_word.entry(map.address | 1).or_insert_with(|| {
                out.maps.push(*map);
                out.tallies.push(Tally::default());
                (out.maps.len() - 1) as u32
            });
            let sum = &mut out.tallies[index as usize];
            sum.count += tally.count;
            sum.bytes += tally.bytes;
        }
        // A Map that was moved goes by two words.
        for (word, map) in walker.words() {
            if let Some(index) = out.by_word.get(&(map | 1)).copied() {
                out.by_word.entry(word).or_insert(index);
            }
        }
        out.moves.extend_from_slice(&walker.moves);
        out.coverage.add(&walker.coverage);
    }
    Ok(out)
}

/// The image first, the target for what is not in it. For the command's own thread.
#[derive(Clone, Copy)]
pub struct ImageOver<'a> {
    pub image: &'a HeapImage,
    pub target: &'a dyn Memory,
}

impl Memory for ImageOver<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        match self.image.read(address, buffer) {
            Ok(()) => Ok(()),
            Err(_) => self.target.read(address, buffer),
        }
    }

    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        match self.image.read_piece(address, buffer) {
            0 => self.target.read_piece(address, buffer),
            n => n,
        }
    }

    fn moved_to(&self, address: u64) -> u64 {
        let moved = &self.image.moved;
        match moved.to(address) {
            Some(to) => to,
            None if moved.is_empty() => address,
            // In a part of a page that was not understood.
            None => self.target.moved_to(address),
        }
    }

    fn kept(&self, address: u64) -> Option<Rc<[u64]>> {
        self.target.kept(address)
    }

    fn keep(&self, address: u64, numbers: &Rc<[u64]>) {
        self.target.keep(address, numbers);
    }
}
