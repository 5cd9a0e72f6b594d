//! The heap as a graph: nodes and edges in columns, and what DevTools computes of them.
//!
//! A [`Graph`] comes from a snapshot file ([`snapshot::read`]) or from a core. A [`HeapGraph`]
//! adds, each when first asked for: distances, retainers, dominators and retained sizes, classes.
//! The rules are those of DevTools' heap worker, so that every number agrees with the one a user
//! sees there.

mod addresses;
mod build;
mod classes;
mod diff;
mod distances;
mod dom_state;
mod dominators;
mod ephemerons;
mod extract;
mod heap_graph;
mod hints;
mod in_order;
mod names;
mod ownership;
mod retainers;
pub mod snapshot;
mod strings;
mod suspects;
mod types;

pub use build::{named, Builder, Node};
pub use classes::{retained_by, Class, ClassKey, Classes, Interfaces, NO_CLASS};
pub use diff::{diff, ClassDiff, Diff, Identity};
pub use distances::{Distances, NO_DISTANCE, SYSTEM_DISTANCE};
pub use dominators::Dominators;
pub use extract::{count_garbage, extract, object_address, Extracted, Reach, Source};
pub use heap_graph::HeapGraph;
pub use ownership::Ownership;
pub use retainers::Retainers;
pub use strings::{hash, Interner, StringId, Strings};
pub use suspects::{anchor, functions_of, is_users_place, suspects, Anchor, Pattern, Suspect};
pub use types::{Detachedness, EdgeType, NodeType};

use addresses::Addresses;
use rustc_hash::FxHashMap;

/// Gives the system what was freed since, which the allocator would keep: the columns of a large
/// heap are freed between others.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no memory in use is touched.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Number of a node: its place in the columns.
pub type NodeId = u32;
/// Number of an edge: its place in the columns.
pub type EdgeId = u32;

/// Bits of an edge word that hold the number of its target.
const TO_BITS: u32 = 29;
const TO_MASK: u32 = (1 << TO_BITS) - 1;
/// Most nodes a graph can hold.
pub const MAX_NODES: usize = TO_MASK as usize;

/// Where in the source a node (a function, an object's constructor) comes from; zero-based as
/// snapshots have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub node: NodeId,
    pub script_id: i32,
    pub line: i32,
    pub column: i32,
}

/// One edge, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub kind: EdgeType,
    /// A [`StringId`], or a number where [`EdgeType::is_indexed`].
    pub name_or_index: u32,
    pub to: NodeId,
}

/// A heap, in columns: about 22 bytes a node and 8 an edge.
#[derive(Default)]
pub struct Graph {
    /// [`NodeType`] in the low six bits, [`Detachedness`] in the high two.
    kinds: Vec<u8>,
    names: Vec<StringId>,
    /// Empty: the id of node n is 2n+1.
    ids: Vec<u32>,
    sizes: Vec<u32>,
    /// Sizes that do not fit into [`Self::sizes`] (which holds `u32::MAX` for them).
    large_sizes: FxHashMap<NodeId, u64>,
    /// One more than there are nodes.
    first_edges: Vec<EdgeId>,
    /// Target in the low [`TO_BITS`], [`EdgeType`] above.
    edge_words: Vec<u32>,
    edge_names: Vec<u32>,
    strings: Strings,
    /// Addresses in the target; none when the graph comes from a file.
    addresses: Addresses,
    /// By node.
    locations: Vec<Location>,
    /// Names of scripts by id; empty when the graph comes from a file.
    scripts: FxHashMap<i32, String>,
    root: NodeId,
    /// Native memory that no node stands for.
    extra_native_bytes: u64,
}

impl Graph {
    /// How many nodes.
    pub fn node_count(&self) -> usize {
        self.kinds.len()
    }

    /// How many edges.
    pub fn edge_count(&self) -> usize {
        self.edge_words.len()
    }

    /// The root.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node's type.
    #[inline]
    pub fn node_type(&self, node: NodeId) -> NodeType {
        NodeType::from_bits(self.kinds[node as usize] & 0x3f)
    }

    /// A node's link to the page, as the embedder told it.
    #[inline]
    pub fn detachedness(&self, node: NodeId) -> Detachedness {
        Detachedness::from_bits(self.kinds[node as usize] >> 6)
    }

    /// Number of a node's name.
    #[inline]
    pub fn name_id(&self, node: NodeId) -> StringId {
        self.names[node as usize]
    }

    /// A node's name as V8 gave it.
    pub fn name(&self, node: NodeId) -> &str {
        self.strings.get(self.names[node as usize])
    }

    /// A node's id, the number after `@` in DevTools.
    #[inline]
    pub fn id(&self, node: NodeId) -> u32 {
        match self.ids.get(node as usize) {
            Some(&id) => id,
            None => node.wrapping_mul(2).wrapping_add(1),
        }
    }

    /// A node's own size in bytes.
    #[inline]
    pub fn self_size(&self, node: NodeId) -> u64 {
        match self.sizes[node as usize] {
            u32::MAX => self
                .large_sizes
                .get(&node)
                .copied()
                .unwrap_or(u64::from(u32::MAX)),
            size => u64::from(size),
        }
    }

    /// Address of the heap object a node stands for.
    pub fn address(&self, node: NodeId) -> Option<u64> {
        self.addresses.get(node)
    }

    /// Whether nodes have addresses in a target.
    pub fn has_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }

    /// Where a node comes from in the source.
    pub fn location(&self, node: NodeId) -> Option<Location> {
        let at = self
            .locations
            .binary_search_by_key(&node, |l| l.node)
            .ok()?;
        self.locations.get(at).copied()
    }

    /// Name of the script with an id.
    pub fn script_name(&self, id: i32) -> Option<&str> {
        self.scripts.get(&id).map(String::as_str)
    }

    /// All locations, by node.
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// Numbers of a node's edges.
    #[inline]
    pub fn edge_range(&self, node: NodeId) -> std::ops::Range<usize> {
        let node = node as usize;
        self.first_edges[node] as usize..self.first_edges[node + 1] as usize
    }

    /// An edge's type.
    #[inline]
    pub fn edge_type(&self, edge: usize) -> EdgeType {
        EdgeType::from_bits(self.edge_words[edge] >> TO_BITS)
    }

    /// The node an edge leads to.
    #[inline]
    pub fn edge_to(&self, edge: usize) -> NodeId {
        self.edge_words[edge] & TO_MASK
    }

    /// An edge's name: a [`StringId`], or a number where [`EdgeType::is_indexed`].
    #[inline]
    pub fn edge_name_or_index(&self, edge: usize) -> u32 {
        self.edge_names[edge]
    }

    /// An edge.
    #[inline]
    pub fn edge(&self, edge: usize) -> Edge {
        Edge {
            kind: self.edge_type(edge),
            name_or_index: self.edge_names[edge],
            to: self.edge_to(edge),
        }
    }

    /// The node an edge starts at.
    pub fn edge_from(&self, edge: usize) -> NodeId {
        // The last node whose first edge is not after this one; nodes without edges share it.
        (self
            .first_edges
            .partition_point(|&first| first as usize <= edge)
            .saturating_sub(1)) as NodeId
    }

    /// An edge's name as text.
    pub fn edge_name(&self, edge: usize) -> std::borrow::Cow<'_, str> {
        let name = self.edge_names[edge];
        match self.edge_type(edge).is_indexed() {
            true => name.to_string().into(),
            false => self.strings.get(name).into(),
        }
    }

    /// All names.
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// Native memory that no node stands for.
    pub fn extra_native_bytes(&self) -> u64 {
        self.extra_native_bytes
    }

    /// Sum of all self sizes.
    pub fn total_size(&self) -> u64 {
        (0..self.node_count() as NodeId).fold(0, |sum, n| sum.saturating_add(self.self_size(n)))
    }

    /// Bytes the columns take.
    pub fn memory(&self) -> usize {
        self.kinds.capacity()
            + self.names.capacity() * 4
            + self.ids.capacity() * 4
            + self.sizes.capacity() * 4
            + self.first_edges.capacity() * 4
            + self.edge_words.capacity() * 4
            + self.edge_names.capacity() * 4
            + self.addresses.memory()
            + self.locations.capacity() * std::mem::size_of::<Location>()
            + self.strings.memory()
    }
}
