//! Distances from the root as DevTools shows them.

use super::ephemerons::Ephemerons;
use super::hints::filled;
use super::{EdgeType, Graph, NodeId, NodeType};
use rustc_hash::FxHashSet;

/// Distance of a node that no edge but weak ones leads to.
pub const NO_DISTANCE: i32 = -5;
/// From here on distances count from the system's roots, for what no user root reaches.
pub const SYSTEM_DISTANCE: i32 = 100_000_000;

/// Distance of every node.
pub struct Distances(Vec<i32>);

impl Distances {
    /// Breadth first from the user's roots (global objects), then from the root.
    pub fn new(graph: &Graph, ephemerons: &Ephemerons) -> Distances {
        let mut search = Search {
            graph,
            ephemerons,
            distances: filled(graph.node_count(), NO_DISTANCE),
            queue: Vec::with_capacity(graph.node_count()),
            half_seen: FxHashSet::default(),
            native_context: graph.strings().find("system / NativeContext"),
            sloppy_function_map: graph.strings().find("sloppy_function_map"),
            map_descriptors: graph.strings().find("(map descriptors)"),
        };
        let root = graph.root();
        for edge in graph.edge_range(root) {
            let node = graph.edge_to(edge);
            if is_user_root(graph, node) {
                search.distances[node as usize] = 1;
                search.queue.push(node);
            }
        }
        let any = !search.queue.is_empty();
        search.run();
        search.distances[root as usize] = match any {
            true => SYSTEM_DISTANCE,
            false => 0,
        };
        search.queue.clear();
        search.queue.push(root);
        search.run();
        Distances(search.distances)
    }

    /// Distance of `node`: below [`SYSTEM_DISTANCE`] from a user root, else from the root.
    #[inline]
    pub fn of(&self, node: NodeId) -> i32 {
        self.0[node as usize]
    }
}

/// A node that the root points to and that is no category of the system's.
pub fn is_user_root(graph: &Graph, node: NodeId) -> bool {
    graph.node_type(node) != NodeType::Synthetic || is_dom_trees_root(graph, node)
}

/// Chrome's list of documents.
pub fn is_dom_trees_root(graph: &Graph, node: NodeId) -> bool {
    graph.node_type(node) == NodeType::Synthetic && graph.name(node) == "(Document DOM trees)"
}

struct Search<'g> {
    graph: &'g Graph,
    ephemerons: &'g Ephemerons,
    distances: Vec<i32>,
    queue: Vec<NodeId>,
    /// Entries of which one edge was seen: the value is as far as the farther of the two.
    half_seen: FxHashSet<u32>,
    native_context: Option<u32>,
    sloppy_function_map: Option<u32>,
    map_descriptors: Option<u32>,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(&node) = self.queue.get(at) {
            at += 1;
            let distance = self.distances[node as usize].wrapping_add(1);
            let kind = self.graph.node_type(node);
            let name = Some(self.graph.name_id(node));
            let is_context = kind == NodeType::Hidden && name == self.native_context;
            let is_descriptors = kind == NodeType::Array && name == self.map_descriptors;
            for number in self.graph.edge_range(node) {
                let edge = self.graph.edge(number);
                if edge.kind == EdgeType::Weak || self.distances[edge.to as usize] != NO_DISTANCE {
                    continue;
                }
                if is_context
                    && !edge.kind.is_indexed()
                    && Some(edge.name_or_index) == self.sloppy_function_map
                {
                    continue;
                }
                if is_descriptors {
                    // Maps share descriptors, so what they lead to may not be this map's.
                    let index = match edge.kind.is_indexed() {
                        true => Some(edge.name_or_index),
                        false => leading_integer(&self.graph.edge_name(number)),
                    };
                    if index.is_some_and(|i| i >= 2 && i % 3 == 1) {
                        continue;
                    }
                } else if edge.kind == EdgeType::Internal && !is_context {
                    if let Some(ephemeron) = self.ephemerons.get(edge.name_or_index) {
                        if !self.half_seen.remove(&ephemeron.entry) {
                            self.half_seen.insert(ephemeron.entry);
                            continue;
                        }
                    }
                }
                self.distances[edge.to as usize] = distance;
                self.queue.push(edge.to);
            }
        }
    }
}

fn leading_integer(text: &str) -> Option<u32> {
    let digits = text.trim_start();
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}
