//! What of the heaps is alive, for the commands that count objects class by class.

use crate::error::Result;
use crate::graph::{retained_by, NodeId, NO_CLASS};
use crate::heap::{Classes, HeapIndex, ObjectRef, Scope, Tally, Watch};
use crate::session::{HeapView, Session};
use std::rc::Rc;

/// The live objects of the isolates that a command is about.
pub struct Live {
    views: Vec<Rc<HeapView>>,
    /// For each page, one bit a word where a live object starts.
    bits: Vec<Vec<u64>>,
}

impl Live {
    /// From the graphs of those isolates, built now where they are not yet.
    pub fn of(session: &Session, heap: &HeapIndex, watch: Watch<'_>) -> Result<Live> {
        let mut live = Live {
            views: Vec::new(),
            bits: Vec::new(),
        };
        for page in 0..heap.page_count() {
            live.bits.push(vec![0; heap.starts_of(page).len()]);
        }
        for isolate in session.scoped_isolates()? {
            let view = session.graph(isolate, false, watch)?;
            let graph = view.heap.graph();
            for node in 0..graph.node_count() as NodeId {
                if let Some(address) = graph.address(node) {
                    live.set(heap, address);
                }
            }
            live.views.push(view);
        }
        Ok(live)
    }

    fn set(&mut self, heap: &HeapIndex, address: u64) {
        let Some(page) = heap.image.page_index(address) else {
            return;
        };
        let (Some(bits), Some(of_page)) = (self.bits.get_mut(page), heap.image.pages().get(page))
        else {
            return;
        };
        let slot = address.saturating_sub(of_page.page.area_start) / 8;
        if let Some(word) = bits.get_mut((slot / 64) as usize) {
            *word |= 1 << (slot % 64);
        }
    }

    /// Whether an object of a page is alive.
    pub fn holds(&self, heap: &HeapIndex, page: usize, object: ObjectRef) -> bool {
        let (Some(bits), Some(of_page)) = (self.bits.get(page), heap.image.pages().get(page))
        else {
            return false;
        };
        let slot = object.address.saturating_sub(of_page.page.area_start) / 8;
        bits.get((slot / 64) as usize)
            .is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// What belongs to each class.
    pub fn tallies(
        &self,
        heap: &HeapIndex,
        classes: &Classes,
        scope: Scope,
        watch: Watch<'_>,
    ) -> Result<Vec<Tally>> {
        let mut tallies = vec![Tally::default(); classes.all.len()];
        for (page, of_page) in heap.image.pages().iter().enumerate() {
            watch("counting", page as f64 / heap.page_count() as f64)?;
            if !scope.has(&of_page.page) {
                continue;
            }
            for object in heap.objects_of(page) {
                let class = classes.of_object(object).map(|c| c as usize);
                let Some(tally) = class.and_then(|c| tallies.get_mut(c)) else {
                    continue;
                };
                if self.holds(heap, page, object) {
                    tally.count += 1;
                    let size = heap.size_of(object).unwrap_or(0);
                    tally.bytes = tally.bytes.saturating_add(size);
                }
            }
        }
        Ok(tallies)
    }

    /// What the live objects of each class retain, nothing twice.
    pub fn retained(&self, heap: &HeapIndex, classes: &Classes) -> Vec<u64> {
        let mut sums = vec![0u64; classes.all.len()];
        for view in &self.views {
            let graph = view.heap.graph();
            let class_of = |node: NodeId| {
                let address = graph.address(node);
                let object = address.and_then(|address| {
                    let map = heap.map_index(heap.image.word(address)? & !1)?;
                    Some(ObjectRef { address, map })
                });
                object
                    .and_then(|o| classes.of_object(o))
                    .unwrap_or(NO_CLASS)
            };
            let of_isolate =
                retained_by(graph.root(), view.heap.dominators(), sums.len(), class_of);
            for (sum, more) in sums.iter_mut().zip(of_isolate) {
                *sum = sum.saturating_add(more);
            }
        }
        sums
    }
}
