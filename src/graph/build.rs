//! Building a [`Graph`] node by node; the reader of files and the extractor of cores use it.

use super::addresses::Addresses;
use super::hints::room;
use super::{
    Detachedness, Edge, EdgeId, EdgeType, Graph, Interner, Location, NodeId, NodeType, StringId,
    Strings, MAX_NODES, TO_BITS, TO_MASK,
};
use crate::error::{Error, Result};
use rayon::prelude::*;

/// What is known of a node when it is added.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub kind: NodeType,
    pub name: StringId,
    pub self_size: u64,
    pub detachedness: Detachedness,
}

/// A graph in the making. Nodes may be added at any time; the edges of a node best come together
/// and in the order of nodes, others are sorted in at the end.
#[derive(Default)]
pub struct Builder {
    graph: Graph,
    interner: Interner,
    /// Edges out of order, by node.
    late: Vec<(NodeId, Edge)>,
}

/// Target and type of an edge in a word.
#[inline]
pub(super) fn pack(edge: Edge) -> u32 {
    (edge.to & TO_MASK) | ((edge.kind as u32) << TO_BITS)
}

impl Builder {
    /// An empty graph.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Room for that many more.
    pub fn reserve(&mut self, nodes: usize, edges: usize) {
        room(&mut self.graph.kinds, nodes);
        self.graph.addresses.reserve(nodes);
        room(&mut self.graph.locations, nodes / 2);
        let columns = [
            (&mut self.graph.names, nodes),
            (&mut self.graph.sizes, nodes),
            (&mut self.graph.first_edges, nodes + 1),
            (&mut self.graph.edge_words, edges),
            (&mut self.graph.edge_names, edges),
        ];
        for (column, count) in columns {
            room(column, count);
        }
    }

    /// The number of a name.
    pub fn intern(&mut self, name: &str) -> StringId {
        self.interner.intern(name)
    }

    /// The names so far.
    pub fn strings(&self) -> &Strings {
        self.interner.strings()
    }

    /// Nodes so far.
    pub fn node_count(&self) -> usize {
        self.graph.kinds.len()
    }

    /// Adds a node.
    pub fn node(&mut self, node: Node) -> Result<NodeId> {
        let number = self.graph.kinds.len();
        if number >= MAX_NODES {
            return Err(Error::other(format!(
                "the heap has more than {MAX_NODES} objects"
            )));
        }
        self.graph
            .kinds
            .push(node.kind as u8 | ((node.detachedness as u8) << 6));
        self.graph.names.push(node.name);
        self.graph.sizes.push(0);
        self.set_self_size(number as NodeId, node.self_size);
        Ok(number as NodeId)
    }

    /// Says how large a node is.
    pub fn set_self_size(&mut self, node: NodeId, size: u64) {
        let Some(slot) = self.graph.sizes.get_mut(node as usize) else {
            return;
        };
        match u32::try_from(size) {
            Ok(size) if size != u32::MAX => *slot = size,
            _ => {
                *slot = u32::MAX;
                self.graph.large_sizes.insert(node, size);
            }
        }
    }

    /// Names a node anew.
    pub fn set_name(&mut self, node: NodeId, name: StringId) {
        if let Some(slot) = self.graph.names.get_mut(node as usize) {
            *slot = name;
        }
    }

    /// Number of a node's name.
    pub fn name_of(&self, node: NodeId) -> StringId {
        self.graph.names.get(node as usize).copied().unwrap_or(0)
    }

    /// Makes a node one of another type.
    pub fn set_type(&mut self, node: NodeId, kind: NodeType) {
        if let Some(slot) = self.graph.kinds.get_mut(node as usize) {
            *slot = *slot & 0xc0 | kind as u8;
        }
    }

    /// Says at which address of the target a node is; of nodes in their order.
    pub fn set_address(&mut self, node: NodeId, address: u64) {
        self.graph.addresses.set(node, address);
    }

    /// Gives the next node without an id its id. Either all nodes get one or none.
    pub fn push_id(&mut self, id: u32) {
        self.graph.ids.push(id);
    }

    /// Adds an edge.
    pub fn edge(&mut self, from: NodeId, edge: Edge) -> Result<()> {
        let started = self.graph.first_edges.len();
        if (from as usize) + 1 < started {
            self.late.push((from, edge));
            return Ok(());
        }
        let at = self.graph.edge_words.len();
        if at + self.late.len() >= u32::MAX as usize {
            return Err(Error::other("the heap has more than 4 billion references"));
        }
        self.graph.first_edges.resize(from as usize + 1, at as u32);
        self.graph.edge_words.push(pack(edge));
        self.graph.edge_names.push(edge.name_or_index);
        Ok(())
    }

    /// Adds nodes whose edges come at once: their types, names and sizes, where each one's edges
    /// end, packed edges and their names.
    pub(super) fn append(
        &mut self,
        kinds: &[u8],
        names: impl Iterator<Item = StringId>,
        sizes: &[u64],
        edge_ends: impl Iterator<Item = u32>,
        edge_words: &[u32],
        edge_names: impl Iterator<Item = u32>,
    ) -> Result<()> {
        let first = self.graph.kinds.len();
        if first + kinds.len() > MAX_NODES {
            return Err(Error::other(format!(
                "the heap has more than {MAX_NODES} objects"
            )));
        }
        let edges = self.graph.edge_words.len();
        if edges + edge_words.len() + self.late.len() >= u32::MAX as usize {
            return Err(Error::other("the heap has more than 4 billion references"));
        }
        self.graph.kinds.extend_from_slice(kinds);
        self.graph.names.extend(names);
        for (at, &size) in sizes.iter().enumerate() {
            self.graph.sizes.push(0);
            self.set_self_size((first + at) as NodeId, size);
        }
        self.graph.first_edges.resize(first, edges as u32);
        let starts = std::iter::once(0).chain(edge_ends).take(kinds.len());
        self.graph
            .first_edges
            .extend(starts.map(|start| edges as u32 + start));
        self.graph.edge_words.extend_from_slice(edge_words);
        self.graph.edge_names.extend(edge_names);
        Ok(())
    }

    /// Names a node's edge anew, by its place among the node's.
    pub(super) fn set_edge_name(&mut self, node: NodeId, at: u32, name: StringId) {
        let first = self.graph.first_edges.get(node as usize);
        let edge = first.map_or(usize::MAX, |first| *first as usize + at as usize);
        if let Some(slot) = self.graph.edge_names.get_mut(edge) {
            *slot = name;
        }
    }

    /// Adds the addresses of nodes from `first` on.
    pub(super) fn append_addresses(&mut self, first: NodeId, addresses: &Addresses) {
        self.graph.addresses.append(first, addresses);
    }

    /// Adds where a node comes from.
    pub fn location(&mut self, location: Location) {
        self.graph.locations.push(location);
    }

    /// Says what a script is called.
    pub fn script(&mut self, id: i32, name: String) {
        self.graph.scripts.insert(id, name);
    }

    /// Native memory that no node stands for.
    pub fn extra_native_bytes(&mut self, bytes: u64) {
        self.graph.extra_native_bytes = bytes;
    }

    /// The graph, its names those of the builder.
    pub fn finish(mut self) -> Result<Graph> {
        let strings = std::mem::take(&mut self.interner).finish();
        self.finish_with(strings)
    }

    /// The graph with names numbered elsewhere. Every edge must lead to a node that exists.
    pub fn finish_with(mut self, strings: Strings) -> Result<Graph> {
        let nodes = self.graph.kinds.len();
        if nodes == 0 {
            return Err(Error::other("the heap graph has no nodes"));
        }
        let edges = self.graph.edge_words.len() as u32;
        if self.graph.first_edges.len() > nodes {
            return Err(Error::other("an edge starts at a node that does not exist"));
        }
        self.graph.first_edges.resize(nodes + 1, edges);
        if !self.late.is_empty() {
            self.merge_late(nodes)?;
        }
        if !self.graph.ids.is_empty() && self.graph.ids.len() != nodes {
            return Err(Error::other("not every node has an id"));
        }
        let outside = |&word: &u32| (word & TO_MASK) as usize >= nodes;
        let edges = self.graph.edge_words.par_chunks(1 << 16);
        if edges.any(|edges| edges.iter().any(outside)) {
            return Err(Error::other("an edge leads to a node that does not exist"));
        }
        self.graph.locations.retain(|l| (l.node as usize) < nodes);
        if !self.graph.locations.is_sorted_by_key(|l| l.node) {
            self.graph.locations.sort_by_key(|l| l.node);
        }
        self.graph.strings = strings;
        Ok(self.graph)
    }

    /// Moves the edges that came out of order to their nodes, after those already there: from the
    /// last to the first, so that nothing needs a second place.
    fn merge_late(&mut self, nodes: usize) -> Result<()> {
        self.late.sort_by_key(|(from, _)| *from);
        let late = std::mem::take(&mut self.late);
        if late.last().is_some_and(|(from, _)| *from as usize >= nodes) {
            return Err(Error::other("an edge starts at a node that does not exist"));
        }
        let graph = &mut self.graph;
        let ends = graph.first_edges.get(1..).unwrap_or_default();
        rayon::join(
            || merge_in(&mut graph.edge_words, ends, &late, pack),
            || merge_in(&mut graph.edge_names, ends, &late, |e| e.name_or_index),
        );
        // Edges of nodes behind one with late edges moved behind those.
        let mut last = nodes;
        for (before, (from, _)) in late.iter().enumerate().rev() {
            let from = *from as usize;
            for first in &mut graph.first_edges[from + 1..=last] {
                *first += before as u32 + 1;
            }
            last = from;
        }
        Ok(())
    }
}

/// Puts a column of late edges, which are by node, behind those that their nodes had before, which
/// ended at `ends`.
fn merge_in(
    column: &mut Vec<u32>,
    ends: &[EdgeId],
    late: &[(NodeId, Edge)],
    value: impl Fn(Edge) -> u32,
) {
    let mut end = column.len();
    column.resize(end + late.len(), 0);
    for (before, &(from, edge)) in late.iter().enumerate().rev() {
        let start = ends[from as usize] as usize;
        column.copy_within(start..end, start + before + 1);
        column[start + before] = value(edge);
        end = start;
    }
}

/// An edge with a name of its own.
pub fn named(kind: EdgeType, name: StringId, to: NodeId) -> Edge {
    Edge {
        kind,
        name_or_index: name,
        to,
    }
}
