//! Pages: V8's heap is cut into pages of 256 KiB (or more, for one large object), each with a
//! header that tells its size, its flags and its heap. They are found by looking at every
//! address where one may begin, so that neither a symbol nor a list of V8's own is needed.

use crate::error::{Error, Result};
use crate::memory::{Memory, Region};
use crate::metadata::Layout;
use crate::target::{Architecture, Target};
use rustc_hash::FxHashSet;

/// Bytes that every page is aligned to.
pub const PAGE_ALIGNMENT: u64 = 1 << 18;
/// Farthest start of the objects behind the page's header (code pages keep a guard page between).
const FARTHEST_AREA: u64 = 0x4000;
/// Addresses looked at in one target at most: a terabyte of mappings.
const MOST_CANDIDATES: u64 = 1 << 22;
/// Largest page believed: V8 allows no larger object.
const LARGEST_PAGE: u64 = 1 << 36;
/// Bytes of a header that any version needs.
const HEADER: usize = 96;

/// A page of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Where it begins.
    pub address: u64,
    /// Where V8 keeps its own account of it: the page itself, or apart since V8 12.
    pub metadata: u64,
    /// Its bytes, header included.
    pub size: u64,
    /// First object, and end of the last.
    pub area_start: u64,
    pub area_end: u64,
    /// V8's flag bits (`MemoryChunk::Flag`), numbered anew in some versions.
    pub flags: u64,
    /// The heap it belongs to; 0 where several isolates share it (read-only pages since V8 10).
    pub heap: u64,
    /// The space it belongs to, by the address of V8's own Space; 0 where unknown.
    pub owner: u64,
    /// In the half of the young generation that was already copied from: its objects are stale.
    pub is_from_space: bool,
    /// In the half of the young generation that holds its objects.
    pub is_to_space: bool,
    /// In to-space, but not used since the last collection, or freed and about to be unmapped: what is on
    /// it is stale.
    pub is_unused: bool,
    /// Holds one large object.
    pub is_large: bool,
    /// A collection was moving objects: some of this page's may be elsewhere already.
    pub is_moving: bool,
}

impl Page {
    /// Whether it holds objects that live. Those of the half that is copied from do until all are
    /// copied.
    pub fn is_live(&self) -> bool {
        (!self.is_from_space || self.is_moving) && !self.is_unused
    }

    /// Whether `address` is where an object could lie.
    pub fn contains(&self, address: u64) -> bool {
        self.area_start <= address && address < self.area_end
    }
}

/// The offsets of a page's header as plain numbers.
struct Header {
    metadata: Option<u64>,
    flags: u64,
    size: usize,
    heap: usize,
    area_start: usize,
    area_end: usize,
    owner: Option<usize>,
    from_mask: u64,
    to_mask: u64,
    large_mask: u64,
    /// Where flags of its metadata are, if it has its own.
    own_flags: Option<usize>,
    /// All of these are set of a page that V8 has freed; 0 where unknown.
    freed_mask: u64,
}

impl Header {
    fn of(layout: &Layout) -> Result<Header> {
        let page = &layout.page;
        let within = |c: crate::metadata::Constant| -> Result<usize> {
            match c.offset()? as usize {
                at if at + 8 <= HEADER => Ok(at),
                _ => Err(Error::MissingConstant(c.name())),
            }
        };
        Ok(Header {
            metadata: page.metadata.known().and_then(|v| u64::try_from(v).ok()),
            flags: page.flags.offset()?,
            size: within(page.size)?,
            heap: within(page.heap)?,
            area_start: within(page.area_start)?,
            area_end: within(page.area_end)?,
            owner: page
                .owner
                .known()
                .and_then(|v| usize::try_from(v).ok())
                .filter(|at| at + 8 <= HEADER),
            from_mask: page.from_mask.offset()?,
            to_mask: page.to_mask.offset()?,
            large_mask: page.large_mask.offset().unwrap_or(0),
            own_flags: within(page.own_flags).ok(),
            freed_mask: page.freed_mask.offset().unwrap_or(0),
        })
    }

    /// The page at `address`, if that looks like one in all respects.
    fn page_at(&self, memory: &dyn Memory, regions: &[Region], address: u64) -> Option<Page> {
        let mut bytes = [0; HEADER];
        // A block of a cache for each of a thousand pages would be a quarter of the heap.
        memory.read_alone(address, &mut bytes).ok()?;
        let flags = word(&bytes, self.flags as usize)?;
        let mut metadata = address;
        if let Some(at) = self.metadata {
            metadata = word(&bytes, at as usize)?;
            // Most candidates are no pages: a debugger takes its time over each wild pointer.
            if metadata == 0 || !metadata.is_multiple_of(8) || !is_readable(regions, metadata) {
                return None;
            }
            if metadata != address {
                memory.read(metadata, &mut bytes).ok()?;
            }
        }
        let size = word(&bytes, self.size)?;
        let area_start = word(&bytes, self.area_start)?;
        let area_end = word(&bytes, self.area_end)?;
        let end = address.checked_add(size)?;
        let own_flags = self.own_flags.map_or(Some(flags), |at| word(&bytes, at));
        let freed = self.freed_mask;
        let sound = size > 0
            && size % 4096 == 0
            && size <= LARGEST_PAGE
            && area_start > address
            && area_start <= address + FARTHEST_AREA
            && area_start % 8 == 0
            && area_start < area_end
            && area_end <= end;
        sound.then(|| Page {
            address,
            metadata,
            size,
            area_start,
            area_end,
            flags,
            heap: word(&bytes, self.heap).unwrap_or(0),
            owner: self.owner.and_then(|at| word(&bytes, at)).unwrap_or(0),
            is_from_space: flags & self.from_mask != 0,
            is_to_space: flags & self.to_mask != 0,
            is_unused: freed != 0 && own_flags.is_some_and(|flags| flags & freed == freed),
            is_large: size > PAGE_ALIGNMENT || flags & self.large_mask != 0,
            is_moving: false,
        })
    }
}

/// Whether one of the regions, which are in order, covers `address`.
fn is_readable(regions: &[Region], address: u64) -> bool {
    let after = regions.partition_point(|r| r.start <= address);
    let region = after.checked_sub(1).and_then(|i| regions.get(i));
    region.is_some_and(|r| r.readable && r.contains(address))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// What a search for pages found.
pub struct Found {
    /// Every page of every heap in the target, in address order.
    pub pages: Vec<Page>,
    /// Bytes that were mapped, and of which the core has nothing: pages may have been there.
    pub unseen: u64,
}

/// Looks for pages in all of the target's memory.
pub fn scan(target: &dyn Target, layout: &Layout) -> Result<Found> {
    if target.architecture() == Architecture::Other {
        return Err(Error::NoV8(
            "only x64 and arm64 processes are understood".to_string(),
        ));
    }
    let header = Header::of(layout)?;
    let memory = target.memory();
    let mut pages: Vec<Page> = Vec::new();
    let mut candidates = 0;
    let mut unseen = 0u64;
    let regions = target.regions()?;
    for region in &regions {
        if !region.readable {
            continue;
        }
        let mut at = match region.start.checked_next_multiple_of(PAGE_ALIGNMENT) {
            Some(at) => at,
            None => continue,
        };
        while at < region.end {
            // No header is all zeros.
            let data = memory.skip_hole(at);
            if data >= at.saturating_add(HEADER as u64) {
                let next = data - HEADER as u64 + 1;
                match next.checked_next_multiple_of(PAGE_ALIGNMENT) {
                    Some(next) => at = next,
                    None => break,
                }
                continue;
            }
            candidates += 1;
            if candidates > MOST_CANDIDATES {
                return Ok(Found { pages, unseen });
            }
            if candidates % 4096 == 0 && target.interrupted() {
                return Err(Error::Interrupted);
            }
            let covered = pages.last().is_some_and(|p| at < p.address + p.size);
            let found = if covered {
                None
            } else {
                header.page_at(memory, &regions, at)
            };
            // V8's pages are of no file. A small mapping that was never written is left out of a
            // core as well; it is no page that was lost.
            let large = region.end - at >= PAGE_ALIGNMENT;
            let lost = large && !covered && found.is_none() && region.name.is_none();
            if lost && memory.read(at, &mut [0]).is_err() {
                unseen = unseen.saturating_add(PAGE_ALIGNMENT.min(region.end - at));
            }
            if let Some(page) = found {
                pages.push(page);
            }
            at += PAGE_ALIGNMENT;
        }
    }
    pages.sort_by_key(|p| p.address);
    pages.dedup_by_key(|p| p.address);
    // An object of half a page has a page of its own too, which is told by its space.
    let large: FxHashSet<u64> = pages
        .iter()
        .filter(|p| p.is_large && p.owner != 0)
        .map(|p| p.owner)
        .collect();
    for page in &mut pages {
        page.is_large |= large.contains(&page.owner);
    }
    Ok(Found { pages, unseen })
}
