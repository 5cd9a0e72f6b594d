//! What a thread makes of the objects of one page: nodes, edges, and what it wants to have done to
//! nodes of other pages. The numbers of names are the thread's own.

use crate::graph::addresses::Addresses;
use crate::graph::build::pack;
use crate::graph::{hash, named, EdgeType, Location, NodeId, NodeType, StringId, Strings};
use std::ops::Range;

/// From this number on a name is one of the block's texts.
pub const TEXT: StringId = 1 << 31;

/// A name or a type for another node, or for the one that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Tag {
    pub node: NodeId,
    pub name: StringId,
    pub becomes: Option<NodeType>,
    /// Even if the node has a name.
    pub always: bool,
}

/// A node that stands for memory outside the heap, still to be made.
#[derive(Debug, Clone, Copy)]
pub struct NativePart {
    pub owner: NodeId,
    pub address: u64,
    pub size: u64,
    /// Name of the node, and of the edge to it.
    pub name: StringId,
    pub edge: StringId,
}

/// An entry of a WeakMap whose key and value have nodes. Its edges are called after them.
#[derive(Debug, Clone, Copy)]
pub struct WeakEntry {
    pub table: NodeId,
    pub key: NodeId,
    pub value: NodeId,
    /// Which of the table's edges is to the value, and the number in its name. V8 7 has none.
    pub edge: Option<(u32, u32)>,
}

/// One page's.
#[derive(Default)]
pub struct Block {
    /// Of the thread that made it.
    pub worker: usize,
    pub kinds: Vec<u8>,
    pub names: Vec<StringId>,
    pub sizes: Vec<u64>,
    pub addresses: Addresses,
    pub edge_words: Vec<u32>,
    pub edge_names: Vec<u32>,
    /// Behind each node's last edge.
    pub edge_ends: Vec<u32>,
    /// By the node that asks for them, counted in the block.
    pub tags: Vec<(u32, Tag)>,
    pub natives: Vec<NativePart>,
    pub weak_entries: Vec<WeakEntry>,
    pub locations: Vec<Location>,
    pub scripts: Vec<(i32, String)>,
    /// Objects with fields for the embedder.
    pub embedders: Vec<u32>,
    /// Texts of strings, which are mostly met but once, with their hashes.
    texts: Strings,
    hashes: Vec<u32>,
    /// Names that the thread gave a number since its last block, the first of them that.
    pub new_names: Strings,
    pub new_names_from: StringId,
    /// Nodes, counted in the block, for which something outside of the heap's pages is needed.
    pub left_out: Vec<(u32, u32)>,
    /// Objects without a node, and their bytes.
    pub garbage: (u64, u64),
}

/// Where a block stood.
pub struct Mark {
    edges: usize,
    tags: usize,
    natives: usize,
    weak_entries: usize,
    locations: usize,
    scripts: usize,
}

impl Block {
    /// Room for the nodes of a page, and as many references as they mostly have: what grows bit by
    /// bit is moved again and again.
    pub fn reserve(&mut self, nodes: usize) {
        self.kinds.reserve(nodes);
        self.names.reserve(nodes);
        self.sizes.reserve(nodes);
        self.addresses.reserve(nodes);
        self.edge_ends.reserve(nodes);
        self.edge_words.reserve(nodes.saturating_mul(4));
        self.edge_names.reserve(nodes.saturating_mul(4));
    }

    /// Empties it; its memory stays.
    pub fn clear(&mut self) {
        self.kinds.clear();
        self.names.clear();
        self.sizes.clear();
        self.addresses.clear();
        self.edge_words.clear();
        self.edge_names.clear();
        self.edge_ends.clear();
        self.tags.clear();
        self.natives.clear();
        self.weak_entries.clear();
        self.locations.clear();
        self.scripts.clear();
        self.embedders.clear();
        self.texts.clear();
        self.hashes.clear();
        self.new_names.clear();
        self.left_out.clear();
        self.garbage = (0, 0);
    }

    /// A text as a name.
    #[inline]
    pub fn text(&mut self, text: &str) -> StringId {
        self.hashes.push(hash(text.as_bytes()));
        self.texts.push(text) | TEXT
    }

    /// A text's hash and where it is, by what [`Self::text`] gave.
    pub fn text_of(&self, name: StringId) -> (u32, &Strings, StringId) {
        let at = name & !TEXT;
        let hashed = self.hashes.get(at as usize).copied().unwrap_or(0);
        (hashed, &self.texts, at)
    }

    /// The hash of the text that comes so many behind another.
    #[inline]
    pub fn hash_ahead(&self, name: StringId, ahead: usize) -> Option<u32> {
        self.hashes.get((name & !TEXT) as usize + ahead).copied()
    }

    /// Adds an edge of the node that is being made.
    #[inline]
    pub fn edge(&mut self, kind: EdgeType, name_or_index: u32, to: NodeId) {
        self.edge_words.push(pack(named(kind, name_or_index, to)));
        self.edge_names.push(name_or_index);
    }

    /// How many edges the node that is being made has so far.
    pub fn edges_of_last(&self) -> usize {
        let before = self.edge_ends.last().map_or(0, |e| *e as usize);
        self.edge_words.len() - before
    }

    /// Where it stands now.
    pub fn mark(&self) -> Mark {
        Mark {
            edges: self.edge_words.len(),
            tags: self.tags.len(),
            natives: self.natives.len(),
            weak_entries: self.weak_entries.len(),
            locations: self.locations.len(),
            scripts: self.scripts.len(),
        }
    }

    /// Takes back what came since, but for the node.
    pub fn back_to(&mut self, mark: &Mark) {
        self.edge_words.truncate(mark.edges);
        self.edge_names.truncate(mark.edges);
        self.tags.truncate(mark.tags);
        self.natives.truncate(mark.natives);
        self.weak_entries.truncate(mark.weak_entries);
        self.locations.truncate(mark.locations);
        self.scripts.truncate(mark.scripts);
    }

    /// Edges of some nodes.
    pub fn edges_of(&self, nodes: &Range<usize>) -> Range<usize> {
        let before = |node: usize| match node.checked_sub(1) {
            Some(last) => self.edge_ends.get(last).map_or(0, |e| *e as usize),
            None => 0,
        };
        before(nodes.start)..before(nodes.end)
    }
}
