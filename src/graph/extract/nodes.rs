//! Which objects have a node, and its number: a bit for each word where such an object starts,
//! and the nodes before every 64 words.

use super::space::{bits, Ordinal};
use crate::graph::hints::huge;
use crate::graph::NodeId;
use std::ops::Range;

/// No node.
pub const NO_NODE: NodeId = NodeId::MAX;

#[derive(Debug, Clone, Copy)]
struct Word {
    bits: u64,
    /// Node of the first of these.
    first: NodeId,
}

/// The nodes of objects, numbered in their order.
pub struct Nodes {
    words: Vec<Word>,
    end: NodeId,
}

impl Nodes {
    /// Numbers those objects from `first` on.
    pub fn new(objects: &[u64], first: NodeId) -> Nodes {
        let mut next = first;
        let mut words = Vec::with_capacity(objects.len());
        huge(&mut words);
        words.extend(objects.iter().map(|&bits| {
            let first = next;
            next = next.saturating_add(bits.count_ones());
            Word { bits, first }
        }));
        Nodes { words, end: next }
    }

    /// The number behind the last one.
    pub fn end(&self) -> NodeId {
        self.end
    }

    /// The node of an object, [`NO_NODE`] where it has none, or no object starts at the word.
    #[inline]
    pub fn of(&self, object: Ordinal) -> NodeId {
        let Some(word) = self.words.get(object as usize / 64) else {
            return NO_NODE;
        };
        let at = object % 64;
        match word.bits >> at & 1 {
            1 => word.first + (word.bits & ((1 << at) - 1)).count_ones(),
            _ => NO_NODE,
        }
    }

    /// The first node of those whose objects start at `object` or behind.
    pub fn first_from(&self, object: Ordinal) -> NodeId {
        match self.words.get(object as usize / 64) {
            Some(word) => word.first + (word.bits & ((1 << (object % 64)) - 1)).count_ones(),
            None => self.end,
        }
    }

    /// The objects with a node among those words.
    pub fn objects(&self, range: Range<Ordinal>) -> impl Iterator<Item = Ordinal> + '_ {
        let (start, end) = (range.start as usize / 64, range.end.div_ceil(64) as usize);
        let words = self.words.get(start..end.min(self.words.len()));
        let words = words.unwrap_or_default().iter().map(|word| word.bits);
        bits(words, range.start / 64 * 64)
    }

    /// The objects without a node among those words, by where objects start.
    pub fn others<'n>(
        &'n self,
        starts: &'n [u64],
        range: Range<Ordinal>,
    ) -> impl Iterator<Item = Ordinal> + 'n {
        let (start, end) = (range.start as usize / 64, range.end.div_ceil(64) as usize);
        let words = self.words.get(start..end.min(self.words.len()));
        let starts = starts.get(start..).unwrap_or_default();
        let words = words.unwrap_or_default().iter().zip(starts);
        bits(
            words.map(|(word, all)| all & !word.bits),
            range.start / 64 * 64,
        )
    }
}
