//! The marks of pages that wait for V8's sweeper: what marking found dead is still on them, and the
//! Map of a dead object may be gone.

use super::image::HeapImage;
use super::pages::{Page, PAGE_ALIGNMENT};
use crate::memory::Memory;
use crate::metadata::Layout;
use rustc_hash::FxHashMap;

/// Bytes of a page's marks: a bit for each word.
const BYTES: usize = PAGE_ALIGNMENT as usize / 64;

/// The marks of one page: a bit is set where a live object begins (and at every word of what was
/// allocated while V8 marked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    page: u64,
    words: Vec<u64>,
}

impl Marks {
    /// Those of a page that is to be swept, or is being swept; `None` of another, or where it is not
    /// known where they are.
    pub fn of(memory: &dyn Memory, layout: &Layout, page: &Page) -> Option<Marks> {
        if page.is_large {
            return None;
        }
        let l = &layout.page;
        let at = |c: crate::metadata::Constant| page.metadata.checked_add(c.offset().ok()?);
        let state = memory.u64(at(l.sweeping_state)?).ok()?;
        let is = |c: crate::metadata::Constant| c.offset() == Ok(state);
        if !is(l.sweeping_pending) && !is(l.sweeping_in_progress) {
            return None;
        }
        let bytes = memory.bytes(at(l.mark_bits)?, BYTES, BYTES).ok()?;
        let words = bytes.chunks_exact(8);
        let words = words.map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()));
        Some(Marks {
            page: page.address,
            words: words.collect(),
        })
    }

    /// Of all pages of an image, by their index.
    pub fn all(memory: &dyn Memory, layout: &Layout, image: &HeapImage) -> FxHashMap<usize, Marks> {
        let pages = image.pages().iter().enumerate();
        pages
            .filter_map(|(i, p)| Some((i, Marks::of(memory, layout, &p.page)?)))
            .collect()
    }

    /// The first address from `address` on that is marked, on its page.
    pub fn next(&self, address: u64) -> Option<u64> {
        let slot = address.checked_sub(self.page)?.div_ceil(8);
        let mut index = usize::try_from(slot / 64).ok()?;
        let mut bits = self.words.get(index)? & (u64::MAX << (slot % 64));
        while bits == 0 {
            index += 1;
            bits = *self.words.get(index)?;
        }
        Some(self.page + 8 * (64 * index as u64 + u64::from(bits.trailing_zeros())))
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn the_next_mark() {
        let mut words = vec![0; 512];
        words[0] = 1 << 3;
        words[2] = 1 << 63;
        let marks = Marks {
            page: 0x40000,
            words,
        };
        let at = |slot: u64| 0x40000 + 8 * slot;
        assert_eq!(marks.next(at(0)), Some(at(3)));
        assert_eq!(marks.next(at(3)), Some(at(3)));
        assert_eq!(marks.next(at(4)), Some(at(2 * 64 + 63)));
        assert_eq!(marks.next(at(3 * 64)), None);
        assert_eq!(marks.next(at(512)), None);
        assert_eq!(marks.next(0x3fff8), None);
    }
}
