//! The bytes of all pages, read where a core holds them, else in bulk once and kept, so that the
//! heap can be crunched by several threads while the debugger is left alone.

use super::forwarding::Forwarding;
use super::pages::{Page, PAGE_ALIGNMENT};
use crate::error::{Error, Result};
use crate::memory::{Memory, Region};
use memmap2::{Mmap, MmapMut, MmapOptions};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bytes in one read: large enough that a call's own cost does not matter.
const READ: usize = 4 << 20;
/// All pages' objects together may not be more than this: no hostile header makes us allocate it.
const LIMIT: u64 = 1 << 38;

/// A page in the image.
#[derive(Debug, Clone, Copy)]
pub struct ImagePage {
    pub page: Page,
    /// Where its objects' bytes begin: in the core, or in what was read.
    offset: usize,
    in_core: bool,
    /// Bytes there are from [`Page::area_start`] on; fewer than the area's where the core is cut.
    length: usize,
}

/// What is shown while the image is read: bytes done, bytes in all.
pub type Progress<'a> = &'a dyn Fn(u64, u64) -> Result<()>;

/// The objects' bytes of every page but those of the young generation that hold nothing alive.
pub struct HeapImage {
    core: Option<Arc<Mmap>>,
    bytes: MmapMut,
    pages: Vec<ImagePage>,
    /// Index in `pages` of each page-aligned address that a page covers.
    by_address: FxHashMap<u64, u32>,
    /// Bytes of the pages that should be there and could not be read.
    pub missing: u64,
    /// What a collection had moved.
    pub moved: Forwarding,
}

impl HeapImage {
    /// Reads the pages; `progress` is called between reads and may end the work.
    pub fn read(
        memory: &dyn Memory,
        pages: &[Page],
        regions: &[Region],
        progress: Progress<'_>,
    ) -> Result<HeapImage> {
        let pages = pages.iter().filter(|p| p.is_live());
        let area = |p: &Page| p.area_end.saturating_sub(p.area_start) & !7;
        let mut core: Option<Arc<Mmap>> = None;
        let mut in_core = |page: &Page| {
            let length = usize::try_from(area(page)).ok()?;
            let found = memory.in_place(page.area_start, length)?;
            let one = core.get_or_insert_with(|| found.map.clone());
            Arc::ptr_eq(one, &found.map).then_some(found.from)
        };
        let pages: Vec<(Page, Option<usize>)> = pages.map(|p| (*p, in_core(p))).collect();
        let copied = pages.iter().filter(|(_, in_core)| in_core.is_none());
        let total: u64 = copied.map(|(page, _)| area(page)).sum();
        let room = || Error::other(format!("no memory for {total} bytes of heap"));
        if total > LIMIT {
            return Err(room());
        }
        let size = usize::try_from(total).map_err(|_| room())?.max(1);
        let mut bytes = MmapOptions::new()
            .len(size)
            .map_anon()
            .map_err(|_| room())?;
        // Large pages of the system save most of the cost of touching new memory.
        #[cfg(target_os = "linux")]
        let _ = bytes.advise(memmap2::Advice::HugePage);
        let mut out = Vec::with_capacity(pages.len());
        let mut by_address = FxHashMap::default();
        let mut offset = 0;
        let mut missing = 0;
        for (page, in_core) in pages {
            let wanted = area(&page) as usize;
            let index = out.len() as u32;
            for slot in 0..page.size.div_ceil(PAGE_ALIGNMENT) {
                by_address.insert((page.address / PAGE_ALIGNMENT) + slot, index);
            }
            if let Some(from) = in_core {
                out.push(ImagePage {
                    page,
                    offset: from,
                    in_core: true,
                    length: wanted,
                });
                continue;
            }
            let mut done = 0;
            while done < wanted {
                let step = (wanted - done).min(READ);
                let target = &mut bytes[offset + done..offset + done + step];
                let at = page.area_start + done as u64;
                let n = match memory.read(at, target) {
                    Ok(()) => step,
                    Err(_) => read_what_there_is(memory, at, target),
                };
                done += n;
                progress((offset + done) as u64, total)?;
                if n < step {
                    break;
                }
            }
            // What cannot be read because it is not readable in the process either (the body of
            // V8 14's holes) is no loss.
            let gap = page.area_start + done as u64;
            let protected = regions.iter().any(|r| r.contains(gap) && !r.readable);
            if done < wanted && !protected {
                missing += (wanted - done) as u64;
            }
            out.push(ImagePage {
                page,
                offset,
                in_core: false,
                length: done & !7,
            });
            offset += wanted;
        }
        Ok(HeapImage {
            core,
            bytes,
            pages: out,
            by_address,
            missing,
            moved: Forwarding::default(),
        })
    }

    /// All pages, in address order.
    pub fn pages(&self) -> &[ImagePage] {
        &self.pages
    }

    /// The objects' bytes of a page.
    #[inline]
    pub fn bytes_of(&self, page: &ImagePage) -> &[u8] {
        let all: &[u8] = match (&self.core, page.in_core) {
            (Some(core), true) => core,
            _ => &self.bytes,
        };
        &all[page.offset..page.offset + page.length]
    }

    /// Index in [`Self::pages`] of the page whose objects' area holds `address`.
    #[inline]
    pub fn page_index(&self, address: u64) -> Option<usize> {
        let index = *self.by_address.get(&(address / PAGE_ALIGNMENT))? as usize;
        let found = self.pages.get(index)?;
        let at = address.checked_sub(found.page.area_start)?;
        (at < found.length as u64).then_some(index)
    }

    /// The bytes from `address` to the end of its page's objects.
    #[inline]
    pub fn slice_from(&self, address: u64) -> Option<&[u8]> {
        let page = self.pages.get(self.page_index(address)?)?;
        self.bytes_of(page)
            .get((address - page.page.area_start) as usize..)
    }

    /// The word at `address`.
    #[inline]
    pub fn word(&self, address: u64) -> Option<u64> {
        let bytes = self.slice_from(address)?.get(..8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Bytes held.
    pub fn size(&self) -> u64 {
        self.pages.iter().map(|p| p.length as u64).sum()
    }
}

/// The part before the first byte that cannot be read, found in 4 KiB steps.
fn read_what_there_is(memory: &dyn Memory, address: u64, buffer: &mut [u8]) -> usize {
    let mut done = 0;
    while done < buffer.len() {
        let end = (done + 4096).min(buffer.len());
        match memory.read_partial(address + done as u64, &mut buffer[done..end]) {
            0 => break,
            n => done += n,
        }
    }
    done
}

impl Memory for HeapImage {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let found = self
            .slice_from(address)
            .and_then(|bytes| bytes.get(..buffer.len()));
        let bytes = found.ok_or(Error::Unreadable {
            address,
            length: buffer.len(),
        })?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some(bytes) = self.slice_from(address) else {
            return 0;
        };
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        n
    }
}
