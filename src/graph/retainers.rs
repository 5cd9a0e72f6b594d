//! Who points to a node: the edges turned round, in the order DevTools keeps them.

use super::hints::filled;
use super::{Graph, NodeId};

/// Incoming edges of every node.
pub struct Retainers {
    first: Vec<u32>,
    /// Edge numbers.
    edges: Vec<u32>,
    /// Where those edges start.
    nodes: Vec<u32>,
}

impl Retainers {
    /// Turns the edges of `graph` round.
    pub fn new(graph: &Graph) -> Retainers {
        let nodes = graph.node_count();
        let count = graph.edge_count();
        let mut first = filled(nodes + 1, 0u32);
        for edge in 0..count {
            first[graph.edge_to(edge) as usize + 1] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        // DevTools fills each range from its end, so a node's last incoming edge comes first.
        let mut edges = filled(count, 0u32);
        let mut from_nodes = filled(count, 0u32);
        for from in 0..nodes as NodeId {
            for edge in graph.edge_range(from) {
                let slot = &mut first[graph.edge_to(edge) as usize + 1];
                *slot -= 1;
                edges[*slot as usize] = edge as u32;
                from_nodes[*slot as usize] = from;
            }
        }
        // Now first[n + 1] is where n starts: the table is one too far right.
        first.remove(0);
        first.push(count as u32);
        Retainers {
            first,
            edges,
            nodes: from_nodes,
        }
    }

    /// Edges to `node` and where each starts.
    pub fn of(&self, node: NodeId) -> impl DoubleEndedIterator<Item = (u32, NodeId)> + '_ {
        let node = node as usize;
        let range = self.first[node] as usize..self.first[node + 1] as usize;
        let edges = self.edges[range.clone()].iter().copied();
        edges.zip(self.nodes[range].iter().copied())
    }

    /// How many edges lead to `node`.
    pub fn count(&self, node: NodeId) -> usize {
        (self.first[node as usize + 1] - self.first[node as usize]) as usize
    }
}
