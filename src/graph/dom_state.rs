//! Which native nodes count as detached: what the embedder said of some, spread along the edges.

use super::{Detachedness, EdgeType, Graph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

/// Nodes that DevTools names "Detached …".
pub fn detached_nodes(graph: &Graph) -> FxHashSet<NodeId> {
    let mut state: FxHashMap<NodeId, Detachedness> = FxHashMap::default();
    let (mut attached, mut detached) = (Vec::new(), Vec::new());
    let mut renamed = FxHashSet::default();
    let mut process = |node: NodeId,
                       new: Detachedness,
                       state: &mut FxHashMap<NodeId, Detachedness>,
                       attached: &mut Vec<NodeId>,
                       detached: &mut Vec<NodeId>| {
        if graph.node_type(node) != NodeType::Native || state.contains_key(&node) {
            return;
        }
        state.insert(node, new);
        match new {
            Detachedness::Attached => attached.push(node),
            Detachedness::Detached => {
                renamed.insert(node);
                detached.push(node);
            }
            Detachedness::Unknown => {}
        }
    };
    for node in 0..graph.node_count() as NodeId {
        let own = graph.detachedness(node);
        if own != Detachedness::Unknown {
            process(node, own, &mut state, &mut attached, &mut detached);
        }
    }
    for new in [Detachedness::Attached, Detachedness::Detached] {
        loop {
            let next = match new {
                Detachedness::Attached => attached.pop(),
                _ => detached.pop(),
            };
            let Some(node) = next else { break };
            for edge in graph.edge_range(node) {
                let kind = graph.edge_type(edge);
                if !matches!(
                    kind,
                    EdgeType::Hidden | EdgeType::Invisible | EdgeType::Weak
                ) {
                    let to = graph.edge_to(edge);
                    process(to, new, &mut state, &mut attached, &mut detached);
                }
            }
        }
    }
    renamed
}
