//! The memory that worker threads may read: the pages of the heap. What lies elsewhere only the
//! command's own thread can ask the debugger for.

use crate::heap::HeapImage;
use crate::memory::Memory;
use std::sync::atomic::{AtomicBool, Ordering};

/// The pages, and whether something else was asked for: alone in its part of the processor's cache,
/// for each thread has one and looks at it for every object.
#[repr(align(128))]
pub struct PagesOnly<'a> {
    image: &'a HeapImage,
    pub missed: AtomicBool,
}

impl<'a> PagesOnly<'a> {
    /// Nothing was missed yet.
    pub fn new(image: &'a HeapImage) -> PagesOnly<'a> {
        PagesOnly {
            image,
            missed: AtomicBool::new(false),
        }
    }
}

impl Memory for PagesOnly<'_> {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        let n = self.image.read_piece(address, buffer);
        if n == 0 {
            self.missed.store(true, Ordering::Relaxed);
        }
        n
    }

    fn moved_to(&self, address: u64) -> u64 {
        self.image.moved.to(address).unwrap_or(address)
    }
}
