//! A graph with what is computed of it, each part when first asked for.

use super::classes::Interfaces;
use super::dom_state::detached_nodes;
use super::ephemerons::Ephemerons;
use super::{
    Classes, Distances, Dominators, EdgeType, Graph, NodeId, NodeType, Ownership, Retainers,
};
use once_cell::unsync::OnceCell;
use rustc_hash::{FxHashMap, FxHashSet};

/// A heap graph and its analyses.
pub struct HeapGraph {
    graph: Graph,
    ephemerons: OnceCell<Ephemerons>,
    ownership: OnceCell<Ownership>,
    distances: OnceCell<Distances>,
    retainers: OnceCell<Retainers>,
    dominators: OnceCell<Dominators>,
    interfaces: OnceCell<Interfaces>,
    classes: OnceCell<Classes>,
    detached: OnceCell<FxHashSet<NodeId>>,
    by_address: OnceCell<Vec<(u64, NodeId)>>,
    by_id: OnceCell<FxHashMap<u32, NodeId>>,
}

impl HeapGraph {
    /// Nothing is computed yet.
    pub fn new(graph: Graph) -> HeapGraph {
        HeapGraph {
            graph,
            ephemerons: OnceCell::new(),
            ownership: OnceCell::new(),
            distances: OnceCell::new(),
            retainers: OnceCell::new(),
            dominators: OnceCell::new(),
            interfaces: OnceCell::new(),
            classes: OnceCell::new(),
            detached: OnceCell::new(),
            by_address: OnceCell::new(),
            by_id: OnceCell::new(),
        }
    }

    /// The graph itself.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn ephemerons(&self) -> &Ephemerons {
        self.ephemerons.get_or_init(|| Ephemerons::new(&self.graph))
    }

    /// Sizes and edges as DevTools counts them.
    pub fn ownership(&self) -> &Ownership {
        self.ownership
            .get_or_init(|| Ownership::new(&self.graph, self.ephemerons()))
    }

    /// Distances from the root.
    pub fn distances(&self) -> &Distances {
        self.distances
            .get_or_init(|| Distances::new(&self.graph, self.ephemerons()))
    }

    /// Incoming edges.
    pub fn retainers(&self) -> &Retainers {
        self.retainers.get_or_init(|| Retainers::new(&self.graph))
    }

    /// Dominators and retained sizes.
    pub fn dominators(&self) -> &Dominators {
        self.dominators.get_or_init(|| {
            // What the making of the graph has left.
            super::give_back();
            Dominators::new(&self.graph, self.ownership())
        })
    }

    /// What plain objects are grouped by.
    pub fn interfaces(&self) -> &Interfaces {
        self.interfaces
            .get_or_init(|| Interfaces::infer(&self.graph))
    }

    /// Classes by this graph's own interfaces.
    pub fn classes(&self) -> &Classes {
        self.classes
            .get_or_init(|| self.classes_by(self.interfaces()))
    }

    /// Classes by the interfaces of another graph, for comparing with it.
    pub fn classes_by(&self, interfaces: &Interfaces) -> Classes {
        Classes::new(
            &self.graph,
            interfaces,
            self.detached(),
            self.ownership(),
            self.distances(),
            self.dominators(),
        )
    }

    /// Native nodes that DevTools calls detached.
    pub fn detached(&self) -> &FxHashSet<NodeId> {
        self.detached.get_or_init(|| detached_nodes(&self.graph))
    }

    /// A node's name as DevTools shows it.
    pub fn display_name(&self, node: NodeId) -> String {
        let name = self.graph.display_name(node);
        match self.detached().contains(&node) {
            true => format!("Detached {name}"),
            false => name,
        }
    }

    /// The node of the heap object at `address`.
    pub fn node_at(&self, address: u64) -> Option<NodeId> {
        let by_address = self.by_address.get_or_init(|| {
            let graph = &self.graph;
            let mut list: Vec<(u64, NodeId)> = (0..graph.node_count() as NodeId)
                .filter_map(|n| graph.address(n).map(|a| (a, n)))
                .collect();
            list.sort_unstable();
            list
        });
        let at = by_address.partition_point(|&(a, _)| a < address);
        by_address
            .get(at)
            .filter(|&&(a, _)| a == address)
            .map(|&(_, n)| n)
    }

    /// The node with the id that DevTools shows after `@`.
    pub fn node_by_id(&self, id: u32) -> Option<NodeId> {
        self.by_id
            .get_or_init(|| {
                (0..self.graph.node_count() as NodeId)
                    .map(|n| (self.graph.id(n), n))
                    .collect()
            })
            .get(&id)
            .copied()
    }

    /// The shortest way from a node to a root: edges and where they start, nearest first.
    pub fn path(&self, node: NodeId) -> Vec<(usize, NodeId)> {
        let graph = &self.graph;
        let distances = self.distances();
        let mut path = Vec::new();
        let mut at = node;
        let mut seen = FxHashSet::default();
        while seen.insert(at) {
            // The root's own children are where a user's search ends.
            if distances.of(at) <= 1 || graph.node_type(at) == NodeType::Synthetic {
                break;
            }
            let best = self
                .retainers()
                .of(at)
                .filter(|&(edge, from)| {
                    from != graph.root() && graph.edge_type(edge as usize) != EdgeType::Weak
                })
                // What has no distance is on no way to a root.
                .min_by_key(|&(edge, from)| {
                    let distance = distances.of(from);
                    (distance < 0, distance, edge)
                });
            let Some((edge, from)) = best else { break };
            path.push((edge as usize, from));
            at = from;
        }
        path
    }

    /// Edges to `node` as DevTools' Retainers view lists them: not weak, not from the root, the
    /// nearest to a root first.
    pub fn retaining_edges(&self, node: NodeId) -> Vec<(usize, NodeId)> {
        let graph = &self.graph;
        let distances = self.distances();
        let mut edges: Vec<(usize, NodeId)> = self
            .retainers()
            .of(node)
            .map(|(edge, from)| (edge as usize, from))
            .filter(|&(edge, from)| from != graph.root() && graph.edge_type(edge) != EdgeType::Weak)
            .collect();
        edges.sort_by_cached_key(|&(_, from)| (distances.of(from), self.display_name(from)));
        edges
    }
}
