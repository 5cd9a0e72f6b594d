//! Immediate dominators and retained sizes.
//!
//! Semi-NCA (Georgiadis): semidominators as Lengauer and Tarjan find them, then the nearest
//! common ancestor by walking up the tree under construction. All arrays run in depth-first order,
//! so that most accesses are near each other.

use super::hints::filled;
use super::{Graph, NodeId, Ownership};

/// Who dominates whom, and what each node retains.
pub struct Dominators {
    dominator: Vec<NodeId>,
    retained: Vec<u64>,
    root: NodeId,
}

const NONE: u32 = u32::MAX;

struct Search {
    /// Node by preorder number.
    vertex: Vec<u32>,
    /// Preorder number by node, or [`NONE`].
    order: Vec<u32>,
    /// Preorder number of the tree parent, by preorder number.
    parent: Vec<u32>,
}

impl Search {
    fn visit(&mut self, graph: &Graph, ownership: &Ownership, start: NodeId, parent: u32) {
        let mut stack: Vec<(u32, u32)> = Vec::new();
        self.number(start, parent);
        stack.push((start, graph.edge_range(start).start as u32));
        while let Some(top) = stack.last_mut() {
            let node = top.0;
            let end = graph.edge_range(node).end;
            let mut next = NONE;
            while (top.1 as usize) < end {
                let edge = top.1 as usize;
                top.1 += 1;
                let to = graph.edge_to(edge);
                if self.order[to as usize] == NONE && ownership.is_essential(edge) {
                    next = to;
                    break;
                }
            }
            if next == NONE {
                stack.pop();
            } else {
                let parent = self.order[node as usize];
                self.number(next, parent);
                stack.push((next, graph.edge_range(next).start as u32));
            }
        }
    }

    fn number(&mut self, node: NodeId, parent: u32) {
        self.order[node as usize] = self.vertex.len() as u32;
        self.vertex.push(node);
        self.parent.push(parent);
    }
}

impl Dominators {
    /// Of every node of `graph`. Nodes that only weak edges lead to hang on the root, as do
    /// cycles that nothing leads to.
    pub fn new(graph: &Graph, ownership: &Ownership) -> Dominators {
        let count = graph.node_count();
        let root = graph.root();
        let mut search = Search {
            vertex: Vec::with_capacity(count),
            order: filled(count, NONE),
            parent: Vec::with_capacity(count),
        };
        search.visit(graph, ownership, root, 0);
        if search.vertex.len() < count {
            let mut is_held = vec![false; count];
            for edge in (0..graph.edge_count()).filter(|&e| ownership.is_essential(e)) {
                is_held[graph.edge_to(edge) as usize] = true;
            }
            for node in 0..count as NodeId {
                if search.order[node as usize] == NONE && !is_held[node as usize] {
                    search.visit(graph, ownership, node, 0);
                }
            }
        }
        let reached = search.vertex.len();
        let holders = Holders::new(graph, ownership, &search);
        let dominator_order = semi_nca(&mut search, holders);
        super::give_back();

        let mut dominator = filled(count, root);
        let mut retained: Vec<u64> = (0..count as NodeId)
            .map(|n| ownership.shallow_size(n))
            .collect();
        for number in 0..reached {
            let above = search.vertex[dominator_order[number] as usize];
            dominator[search.vertex[number] as usize] = above;
        }
        for number in (1..reached).rev() {
            let node = search.vertex[number] as usize;
            let above = dominator[node] as usize;
            retained[above] = retained[above].saturating_add(retained[node]);
        }
        // The rest (cliques that only they themselves retain) hangs on the root one by one.
        for node in 0..count {
            if search.order[node] == NONE {
                retained[root as usize] = retained[root as usize].saturating_add(retained[node]);
            }
        }
        Dominators {
            dominator,
            retained,
            root,
        }
    }

    /// The node without which `node` would be garbage; the root's is itself.
    #[inline]
    pub fn dominator(&self, node: NodeId) -> NodeId {
        self.dominator[node as usize]
    }

    /// Bytes that would be freed with `node`, its own included.
    #[inline]
    pub fn retained_size(&self, node: NodeId) -> u64 {
        self.retained[node as usize]
    }

    /// From `node`'s dominator up to the root.
    pub fn chain(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = node;
        std::iter::from_fn(move || {
            if at == self.root {
                return None;
            }
            at = self.dominator(at);
            Some(at)
        })
    }

    /// Children in the dominator tree, as (start of each node's range, nodes).
    pub fn dominated(&self) -> (Vec<u32>, Vec<NodeId>) {
        let count = self.dominator.len();
        let mut first = vec![0u32; count + 1];
        let others = || (0..count as NodeId).filter(|&n| n != self.root);
        for node in others() {
            first[self.dominator(node) as usize + 1] += 1;
        }
        for node in 0..count {
            first[node + 1] += first[node];
        }
        let mut nodes = vec![0; count.saturating_sub(1)];
        // From the end of each range, as DevTools fills it.
        for node in others() {
            let slot = &mut first[self.dominator(node) as usize + 1];
            *slot -= 1;
            nodes[*slot as usize] = node;
        }
        first.remove(0);
        first.push(nodes.len() as u32);
        (first, nodes)
    }
}

/// The edges that count turned round, between preorder numbers.
struct Holders {
    first: Vec<u32>,
    from: Vec<u32>,
}

impl Holders {
    /// Of the nodes that were reached. Edges from others do not count.
    fn new(graph: &Graph, ownership: &Ownership, search: &Search) -> Holders {
        let edges_of = |node: &NodeId| {
            let edges = graph.edge_range(*node);
            edges.filter(|&e| ownership.is_essential(e))
        };
        let mut first = filled(search.vertex.len() + 1, 0u32);
        for node in &search.vertex {
            for edge in edges_of(node) {
                first[search.order[graph.edge_to(edge) as usize] as usize + 1] += 1;
            }
        }
        let mut count = 0;
        for first in &mut first {
            count += *first;
            *first = count;
        }
        let mut from = filled(count as usize, 0);
        for (number, node) in search.vertex.iter().enumerate() {
            for edge in edges_of(node) {
                // Filled from the end of each range, which moves where it begins to its place.
                let slot = &mut first[search.order[graph.edge_to(edge) as usize] as usize + 1];
                *slot -= 1;
                from[*slot as usize] = number as u32;
            }
        }
        // Now first[n + 1] is where n starts.
        Holders { first, from }
    }

    fn of(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let start = self.first[number + 1] as usize;
        let end = self
            .first
            .get(number + 2)
            .map_or(self.from.len(), |end| *end as usize);
        &self.from[start..end]
    }
}

/// Preorder number of each node's immediate dominator, by preorder number.
fn semi_nca(search: &mut Search, holders: Holders) -> Vec<u32> {
    let count = search.vertex.len();
    let mut semi: Vec<u32> = (0..count as u32).collect();
    let mut label: Vec<u32> = (0..count as u32).collect();
    let mut ancestor = search.parent.clone();
    let mut path: Vec<u32> = Vec::new();
    for w in (1..count as u32).rev() {
        let mut best = search.parent[w as usize];
        for &v in holders.of(w) {
            best = best.min(match v > w {
                false => v,
                true => {
                    compress(v, w, &semi, &mut label, &mut ancestor, &mut path);
                    semi[label[v as usize] as usize]
                }
            });
        }
        semi[w as usize] = best;
    }
    drop((label, ancestor, holders));
    let mut dominator = std::mem::take(&mut search.parent);
    for w in 1..count {
        let mut up = dominator[w];
        while up > semi[w] {
            up = dominator[up as usize];
        }
        dominator[w] = up;
    }
    dominator
}

/// Path compression: after it, `label[v]` is the vertex of least semidominator on the way from
/// `v` up to, without, the first ancestor numbered at most `limit`.
fn compress(
    v: u32,
    limit: u32,
    semi: &[u32],
    label: &mut [u32],
    ancestor: &mut [u32],
    path: &mut Vec<u32>,
) {
    path.clear();
    let mut at = v;
    while ancestor[at as usize] > limit {
        path.push(at);
        at = ancestor[at as usize];
    }
    while let Some(below) = path.pop() {
        let above = ancestor[below as usize] as usize;
        if semi[label[above] as usize] < semi[label[below as usize] as usize] {
            label[below as usize] = label[above];
        }
        ancestor[below as usize] = ancestor[above];
    }
}
