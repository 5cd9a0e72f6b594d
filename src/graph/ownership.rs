//! Which edges count for retained sizes, and whose size a node's bytes are shown with, by
//! DevTools' rules.

use super::distances::{is_dom_trees_root, is_user_root};
use super::ephemerons::Ephemerons;
use super::hints::filled;
use super::{EdgeType, Graph, NodeId, NodeType};
use rustc_hash::FxHashMap;

/// DevTools' view of a graph's sizes and edges.
pub struct Ownership {
    /// Sizes as DevTools shows them: those of internal arrays and hidden parts are their one
    /// owner's.
    shallow: Vec<u32>,
    /// Sizes that do not fit into [`Self::shallow`] (which holds [`LARGE`] for them).
    large: FxHashMap<NodeId, u64>,
    page_objects: Bits,
    /// One bit an edge: it counts for dominators.
    essential: Bits,
}

/// Stands for a size that is kept apart.
const LARGE: u32 = u32::MAX;

/// A bit vector.
pub struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)])
    }

    #[inline]
    pub fn get(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    #[inline]
    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }
}

impl Ownership {
    /// By the rules of DevTools.
    pub fn new(graph: &Graph, ephemerons: &Ephemerons) -> Ownership {
        let page_objects = page_objects(graph);
        let mut essential = Bits::new(graph.edge_count());
        for node in 0..graph.node_count() as NodeId {
            for edge in graph.edge_range(node) {
                if is_essential(graph, ephemerons, &page_objects, node, edge) {
                    essential.set(edge);
                }
            }
        }
        let mut large = FxHashMap::default();
        let sizes = shallow_sizes(graph).into_iter().enumerate();
        let shallow = sizes
            .map(|(node, size)| match u32::try_from(size) {
                Ok(size) if size != LARGE => size,
                _ => {
                    large.insert(node as NodeId, size);
                    LARGE
                }
            })
            .collect();
        Ownership {
            shallow,
            large,
            page_objects,
            essential,
        }
    }

    /// A node's size as DevTools shows it.
    #[inline]
    pub fn shallow_size(&self, node: NodeId) -> u64 {
        match self.shallow[node as usize] {
            LARGE => self.large.get(&node).copied().unwrap_or(u64::from(LARGE)),
            size => u64::from(size),
        }
    }

    /// Whether an edge can retain.
    #[inline]
    pub fn is_essential(&self, edge: usize) -> bool {
        self.essential.get(edge)
    }

    /// Whether a user root reaches the node.
    pub fn is_page_object(&self, node: NodeId) -> bool {
        self.page_objects.get(node as usize)
    }
}

/// What the global objects reach without weak edges.
fn page_objects(graph: &Graph) -> Bits {
    let mut marked = Bits::new(graph.node_count());
    let mut stack = Vec::new();
    for number in graph.edge_range(graph.root()) {
        let edge = graph.edge(number);
        let entry = match edge.kind {
            EdgeType::Element => is_dom_trees_root(graph, edge.to),
            EdgeType::Shortcut => true,
            _ => false,
        };
        if entry {
            marked.set(edge.to as usize);
            stack.push(edge.to);
        }
    }
    while let Some(node) = stack.pop() {
        for number in graph.edge_range(node) {
            let edge = graph.edge(number);
            if edge.kind != EdgeType::Weak && !marked.get(edge.to as usize) {
                marked.set(edge.to as usize);
                stack.push(edge.to);
            }
        }
    }
    marked
}

fn is_essential(
    graph: &Graph,
    ephemerons: &Ephemerons,
    page_objects: &Bits,
    from: NodeId,
    number: usize,
) -> bool {
    let edge = graph.edge(number);
    if edge.kind == EdgeType::Weak || edge.to == from {
        return false;
    }
    // Of the two edges to a WeakMap's value the key's counts.
    if edge.kind == EdgeType::Internal {
        if let Some(ephemeron) = ephemerons.get(edge.name_or_index) {
            if ephemeron.table_id == graph.id(from) {
                return false;
            }
        }
    }
    if from == graph.root() {
        return true;
    }
    // Shortcuts count at the root only; and what the system points to into the user's objects
    // would hide who there retains them.
    edge.kind != EdgeType::Shortcut
        && (page_objects.get(from as usize) || !page_objects.get(edge.to as usize))
}

const UNVISITED: u32 = u32::MAX;
const SEVERAL: u32 = u32::MAX - 1;

fn shallow_sizes(graph: &Graph) -> Vec<u64> {
    let count = graph.node_count();
    let mut sizes: Vec<u64> = (0..count as NodeId).map(|n| graph.self_size(n)).collect();
    let root = graph.root();
    let has_user_roots = graph
        .edge_range(root)
        .any(|e| is_user_root(graph, graph.edge_to(e)));
    if !has_user_roots {
        return sizes;
    }
    let external_data = graph.strings().find("system / ExternalStringData");
    let mut owners = filled(count, UNVISITED);
    let mut work = Vec::new();
    for node in 0..count as NodeId {
        let part = match graph.node_type(node) {
            NodeType::Hidden | NodeType::Array => true,
            NodeType::Native => Some(graph.name_id(node)) == external_data,
            _ => false,
        };
        if !part {
            owners[node as usize] = node;
            work.push(node);
        }
    }
    while let Some(node) = work.pop() {
        let owner = owners[node as usize];
        for number in graph.edge_range(node) {
            let edge = graph.edge(number);
            if edge.kind == EdgeType::Weak {
                continue;
            }
            let target = &mut owners[edge.to as usize];
            if *target == UNVISITED {
                *target = owner;
                work.push(edge.to);
            } else if *target != edge.to && *target != owner && *target != SEVERAL {
                *target = SEVERAL;
                work.push(edge.to);
            }
        }
    }
    for node in 0..count {
        let owner = owners[node];
        if owner == UNVISITED || owner == SEVERAL || owner as usize == node {
            continue;
        }
        // A root or category has no size worth showing.
        if graph.node_type(owner) == NodeType::Synthetic || owner == root {
            continue;
        }
        let size = std::mem::take(&mut sizes[node]);
        sizes[owner as usize] = sizes[owner as usize].saturating_add(size);
    }
    sizes
}
