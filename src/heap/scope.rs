//! Which isolates' objects are meant.

use super::index::{HeapIndex, ObjectRef};
use super::isolate::Isolate;
use super::pages::Page;

/// One isolate's heap, or all of them together. What all isolates share (V8's read-only objects)
/// belongs to each, as V8's own snapshots have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    All,
    /// The heap at this address, see [`Isolate::heap`].
    Heap(u64),
}

impl Scope {
    /// That of one isolate.
    pub fn of(isolate: &Isolate) -> Scope {
        Scope::Heap(isolate.heap)
    }

    /// Whether the objects of a page are meant.
    pub fn has(self, page: &Page) -> bool {
        match self {
            Scope::All => true,
            Scope::Heap(heap) => page.heap == heap || page.heap == 0,
        }
    }

    /// Whether the object at an address is meant.
    pub fn has_address(self, heap: &HeapIndex, address: u64) -> bool {
        let page = || heap.image.pages().get(heap.image.page_index(address)?);
        self == Scope::All || page().is_some_and(|p| self.has(&p.page))
    }

    /// Whether the objects of a page of the index are meant.
    pub fn has_page(self, heap: &HeapIndex, page: usize) -> bool {
        let found = heap.image.pages().get(page);
        self == Scope::All || found.is_some_and(|p| self.has(&p.page))
    }

    /// The objects of a page of the index, where they are meant.
    pub fn objects_of(
        self,
        heap: &HeapIndex,
        page: usize,
    ) -> impl Iterator<Item = ObjectRef> + use<'_> {
        let is_meant = self.has_page(heap, page);
        is_meant
            .then(|| heap.objects_of(page))
            .into_iter()
            .flatten()
    }
}
