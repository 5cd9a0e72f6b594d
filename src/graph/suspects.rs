//! What holds an outsized share of a heap: objects of one kind that pile up under one that holds
//! them, chains of them, and single large ones.

use super::{EdgeType, Graph, HeapGraph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

/// How what is held looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Many of a kind side by side.
    Pile,
    /// Many of a kind, each holding the next.
    Chain,
    /// One that is large by itself.
    Large,
    /// Much of different kinds.
    Mixture,
}

/// Something that holds much.
#[derive(Debug, Clone)]
pub struct Suspect {
    pub pattern: Pattern,
    /// The object with which all of it would go.
    pub dominator: NodeId,
    /// The object that the user put them in: the dominator, or what it is a part of, or (where
    /// they are held in several ways) the one that most of them are in. `None`: each is held in
    /// its own way.
    pub holder: Option<NodeId>,
    /// Class of what is held (a number in [`super::Classes::list`]).
    pub class: u32,
    /// Objects of the class, those below others of it included.
    pub count: u64,
    /// What they retain.
    pub bytes: u64,
    /// One of them.
    pub sample: NodeId,
    /// Held by, or made of, what a user's script has defined, and not by Node's or V8's own.
    pub is_users: bool,
}

/// A class repeated this often from one dominator to the next is a chain.
const CHAIN: u64 = 16;
/// Objects of a pile whose holders are looked at.
const SAMPLE: usize = 1000;
/// Steps from a store up to the object it is of.
const STORES: usize = 6;
/// Steps up the dominators to see whether an object is a part of another.
const ABOVE: usize = 64;

/// What a pile is of: objects by class, functions and contexts by where they are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Class(u32),
    Function(i32, i32, i32),
    Context(NodeId),
}

/// What holds at least `share` of the heap, the user's own first, most first.
pub fn suspects(heap: &HeapGraph, share: f64) -> Vec<Suspect> {
    let total = heap.dominators().retained_size(heap.graph().root());
    let search = Search {
        heap,
        tree: heap.dominators().dominated(),
        least: ((total as f64 * share) as u64).max(1),
        scope_info: heap.graph().strings().find("scope_info"),
        context: heap.graph().strings().find("system / Context"),
    };
    let mut found = search.run();
    found.sort_by_key(|s| (!s.is_users, std::cmp::Reverse(s.bytes), s.sample));
    found
}

struct Search<'h> {
    heap: &'h HeapGraph,
    tree: (Vec<u32>, Vec<NodeId>),
    least: u64,
    scope_info: Option<u32>,
    context: Option<u32>,
}

/// A node to look below, with what led to it.
struct Step {
    node: NodeId,
    /// Class that repeats from dominator to dominator: how often, and the first of it.
    chain: Option<(u32, u64, NodeId)>,
}

impl Search<'_> {
    fn children(&self, node: NodeId) -> &[NodeId] {
        let (first, nodes) = &self.tree;
        let node = node as usize;
        let (Some(&start), Some(&end)) = (first.get(node), first.get(node + 1)) else {
            return &[];
        };
        nodes.get(start as usize..end as usize).unwrap_or_default()
    }

    fn retained(&self, node: NodeId) -> u64 {
        self.heap.dominators().retained_size(node)
    }

    fn run(&self) -> Vec<Suspect> {
        let mut found = Vec::new();
        let mut work = vec![Step {
            node: self.heap.graph().root(),
            chain: None,
        }];
        while let Some(step) = work.pop() {
            let everything = self.is_everything(step.node);
            let piles = self.piles(step.node);
            let mut went_on = !piles.is_empty();
            let piles = piles.into_iter().map(|p| self.pile(step.node, p));
            // What Node holds in several ways is how Node is.
            found.extend(piles.filter(|p| p.is_users || !everything));
            for &child in self.children(step.node) {
                if self.retained(child) >= self.least {
                    work.push(Step {
                        node: child,
                        chain: self.chain(&step, child),
                    });
                    went_on = true;
                }
            }
            if !went_on {
                found.extend(self.end(&step));
            }
        }
        found
    }

    /// The class that `child` goes on with, from one dominator to the next or the one after it.
    fn chain(&self, step: &Step, child: NodeId) -> Option<(u32, u64, NodeId)> {
        if self.heap.graph().node_type(child) != NodeType::Object {
            return step.chain;
        }
        let class = self.heap.classes().of(child);
        match step.chain {
            Some((known, count, first)) if known == class => Some((class, count + 1, first)),
            // A link may have a part of another class before the next link.
            Some((known, count, first)) if count >= CHAIN => Some((known, count, first)),
            _ => Some((class, 1, child)),
        }
    }

    fn kind(&self, node: NodeId) -> Kind {
        let graph = self.heap.graph();
        if graph.node_type(node) == NodeType::Closure {
            if let Some(l) = graph.location(node) {
                return Kind::Function(l.script_id, l.line, l.column);
            }
        }
        if Some(graph.name_id(node)) == self.context {
            let info = graph.edge_range(node).find(|&edge| {
                graph.edge_type(edge) == EdgeType::Internal
                    && Some(graph.edge_name_or_index(edge)) == self.scope_info
            });
            if let Some(edge) = info {
                return Kind::Context(graph.edge_to(edge));
            }
        }
        Kind::Class(self.heap.classes().of(node))
    }

    /// Below the root, the system's categories and the global object everything comes together
    /// that is held in more than one way: no pile of anyone's making.
    fn is_everything(&self, node: NodeId) -> bool {
        let graph = self.heap.graph();
        graph.node_type(node) == NodeType::Synthetic
            || node == graph.root()
            || self.heap.distances().of(node) <= 1
            || graph.name(node) == "system / NativeContext"
    }

    /// The kinds among what `node` dominates that together hold much, each of them little.
    fn piles(&self, node: NodeId) -> Vec<Pile> {
        let graph = self.heap.graph();
        let everything = self.is_everything(node);
        let mut piles: FxHashMap<Kind, Pile> = FxHashMap::default();
        for &child in self.children(node) {
            let kind = graph.node_type(child);
            let user = matches!(
                kind,
                NodeType::Object | NodeType::Closure | NodeType::RegExp
            );
            if everything && !user || matches!(kind, NodeType::Synthetic | NodeType::Code) {
                continue;
            }
            let kind = self.kind(child);
            let bytes = self.retained(child);
            // What holds much alone is looked at alone.
            if bytes >= self.least {
                continue;
            }
            let pile = piles.entry(kind).or_insert(Pile {
                kind,
                count: 0,
                bytes: 0,
            });
            pile.count += 1;
            pile.bytes = pile.bytes.saturating_add(bytes);
        }
        let mut piles: Vec<Pile> = piles
            .into_values()
            .filter(|p| p.bytes >= self.least && p.count > 1)
            .collect();
        piles.sort_by_key(|p| std::cmp::Reverse(p.bytes));
        piles
    }

    fn pile(&self, dominator: NodeId, pile: Pile) -> Suspect {
        let members: Vec<NodeId> = self
            .children(dominator)
            .iter()
            .copied()
            .filter(|&n| self.kind(n) == pile.kind && self.retained(n) < self.least)
            .collect();
        // Of about the usual size, and not one that something else changed: the middle one.
        let mut by_size = members.clone();
        let middle = by_size.len() / 2;
        let sample = match by_size.is_empty() {
            true => dominator,
            false => {
                *by_size
                    .select_nth_unstable_by_key(middle, |&n| (self.retained(n), n))
                    .1
            }
        };
        let holder = self.holder(dominator, &members);
        Suspect {
            pattern: Pattern::Pile,
            dominator,
            holder,
            class: self.heap.classes().of(sample),
            count: pile.count,
            bytes: pile.bytes,
            sample,
            is_users: self.is_users(holder, sample),
        }
    }

    /// Where no child is large any more and nothing piles up.
    fn end(&self, step: &Step) -> Option<Suspect> {
        let node = step.node;
        if self.is_everything(node) {
            return None;
        }
        let suspect = |pattern, dominator, class, count, bytes, sample| {
            let holder = Some(self.owner(dominator));
            Suspect {
                pattern,
                dominator,
                holder,
                class,
                count,
                bytes,
                sample,
                is_users: self.is_users(holder, sample),
            }
        };
        if let Some((class, count, first)) = step.chain.filter(|c| c.1 >= CHAIN) {
            let all = self.below(first, class).max(count);
            let above = self.heap.dominators().dominator(first);
            let above = match self.is_everything(above) {
                true => first,
                false => above,
            };
            let bytes = self.retained(first);
            return Some(suspect(Pattern::Chain, above, class, all, bytes, first));
        }
        let owner = self.owner(node);
        let bytes = self.retained(node);
        let class = self.heap.classes().of(owner);
        if self.heap.ownership().shallow_size(node) >= bytes / 2 {
            return Some(suspect(Pattern::Large, node, class, 1, bytes, owner));
        }
        // A mixture of Node's own is Node itself.
        let mixture = suspect(Pattern::Mixture, node, class, 1, bytes, owner);
        mixture.is_users.then_some(mixture)
    }

    /// Objects of a class in the part of the tree below `top`, itself included.
    fn below(&self, top: NodeId, class: u32) -> u64 {
        let mut count = 0;
        let mut work = vec![top];
        while let Some(node) = work.pop() {
            count += u64::from(self.heap.classes().of(node) == class);
            work.extend(self.children(node));
        }
        count
    }

    /// The object that a store (elements, a hash table) is of.
    fn owner(&self, node: NodeId) -> NodeId {
        let graph = self.heap.graph();
        let mut at = node;
        for _ in 0..STORES {
            if !is_store(graph, at) {
                return at;
            }
            let distances = self.heap.distances();
            let next = strong(self.heap, at)
                .filter(|&(_, from)| graph.node_type(from) != NodeType::Synthetic)
                .min_by_key(|&(edge, from)| (distances.of(from), edge));
            match next {
                Some((_, from)) => at = from,
                None => return node,
            }
        }
        node
    }

    /// What most of the members are directly in.
    fn holder(&self, dominator: NodeId, members: &[NodeId]) -> Option<NodeId> {
        if !self.is_everything(dominator) {
            let owner = self.owner(dominator);
            let some = members.iter().take(SAMPLE);
            let direct = |&&m: &&NodeId| {
                strong(self.heap, m).any(|(_, from)| from == dominator || from == owner)
            };
            let looked = members.len().min(SAMPLE);
            if some.filter(direct).count() * 2 > looked {
                return Some(owner);
            }
        }
        let step = (members.len() / SAMPLE).max(1);
        let mut owners: FxHashMap<NodeId, NodeId> = FxHashMap::default();
        let mut counts: FxHashMap<NodeId, usize> = FxHashMap::default();
        let mut looked = 0;
        let mut own = FxHashSet::default();
        for &member in members.iter().step_by(step) {
            looked += 1;
            own.clear();
            for (_, from) in strong(self.heap, member).take(SAMPLE) {
                if is_part(self.heap, from, member) {
                    continue;
                }
                let holder = *owners.entry(from).or_insert_with(|| self.owner(from));
                if own.insert(holder) {
                    *counts.entry(holder).or_default() += 1;
                }
            }
        }
        let distances = self.heap.distances();
        counts
            .into_iter()
            .filter(|&(_, count)| count * 2 > looked)
            .max_by_key(|&(node, count)| (count, -distances.of(node), std::cmp::Reverse(node)))
            .map(|(node, _)| node)
    }

    fn is_users(&self, holder: Option<NodeId>, sample: NodeId) -> bool {
        let graph = self.heap.graph();
        is_users_place(graph, sample)
            || holder.is_some_and(|h| {
                is_users_place(graph, h) || anchor(self.heap, h).is_some_and(|a| a.is_users)
            })
    }
}

struct Pile {
    kind: Kind,
    count: u64,
    bytes: u64,
}

/// A part of an object that a user does not know: elements, tables, native memory.
fn is_store(graph: &Graph, node: NodeId) -> bool {
    matches!(
        graph.node_type(node),
        NodeType::Array | NodeType::Hidden | NodeType::Native
    )
}

/// Edges that hold a node, and where they start.
fn strong(heap: &HeapGraph, node: NodeId) -> impl Iterator<Item = (usize, NodeId)> + '_ {
    let graph = heap.graph();
    heap.retainers()
        .of(node)
        .map(|(edge, from)| (edge as usize, from))
        .filter(move |&(edge, from)| {
            from != node && from != graph.root() && graph.edge_type(edge) != EdgeType::Weak
        })
}

/// Whether `node` would go with `whole`.
fn is_part(heap: &HeapGraph, node: NodeId, whole: NodeId) -> bool {
    node == whole
        || heap
            .dominators()
            .chain(node)
            .take(ABOVE)
            .any(|n| n == whole)
}

/// Whether a function, or an object's constructor, is in a script that is not Node's own.
pub fn is_users_place(graph: &Graph, node: NodeId) -> bool {
    graph
        .location(node)
        .is_some_and(|l| is_users_script(graph.script_name(l.script_id).unwrap_or_default()))
}

/// Node's own scripts have names without a directory before them ("node:events", and before Node
/// 16 "events.js", "internal/util.js").
fn is_users_script(name: &str) -> bool {
    let own = name.starts_with("node:") || name.starts_with("internal/");
    !own && (name.contains(['/', '\\', '[']) || name.contains("evalmachine"))
}

/// The variable (or global, or function) by which a user knows what holds an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// From the object outwards: edges, and where they start. The last one starts at the Context
    /// that the variable is in, at the global object, or at a function.
    pub steps: Vec<(usize, NodeId)>,
    /// It belongs to a user's script.
    pub is_users: bool,
}

/// Nodes looked at on the way to a variable.
const WIDTH: usize = 20_000;

/// The nearest variable of a user's that leads to `node` through properties and elements; else
/// the nearest of anyone's.
pub fn anchor(heap: &HeapGraph, node: NodeId) -> Option<Anchor> {
    let graph = heap.graph();
    let mut from_edge: FxHashMap<NodeId, (usize, NodeId)> = FxHashMap::default();
    let mut queue = vec![node];
    let mut seen = FxHashSet::default();
    seen.insert(node);
    let mut other: Option<Anchor> = None;
    let mut at = 0;
    while let Some(&to) = queue.get(at) {
        at += 1;
        let mut edges: Vec<(usize, NodeId)> = strong(heap, to).take(WIDTH).collect();
        edges.sort_by_key(|&(edge, from)| (heap.distances().of(from), edge));
        for (edge, from) in edges {
            let system = graph.node_type(from) == NodeType::Synthetic;
            if system || seen.len() >= WIDTH || is_part(heap, from, node) {
                continue;
            }
            let kind = graph.edge_type(edge);
            let known = match kind {
                EdgeType::Context => Some(context_is_users(heap, from)),
                EdgeType::Property if heap.distances().of(from) == 1 => {
                    Some(graph.edge_name(edge) != "process")
                }
                EdgeType::Property if graph.node_type(from) == NodeType::Closure => {
                    Some(is_users_place(graph, from))
                }
                _ => None,
            };
            let Some(is_users) = known else {
                let part = matches!(kind, EdgeType::Property | EdgeType::Element)
                    || is_store(graph, from)
                    || is_store(graph, to);
                if part && !is_map_or_code(graph, from) && seen.insert(from) {
                    from_edge.insert(from, (edge, to));
                    queue.push(from);
                }
                continue;
            };
            if !is_users && other.is_some() {
                continue;
            }
            let mut steps = vec![(edge, from)];
            let mut below = to;
            while let Some(&(edge, next)) = from_edge.get(&below) {
                steps.push((edge, below));
                below = next;
            }
            steps.reverse();
            let found = Anchor { steps, is_users };
            if is_users {
                return Some(found);
            }
            other = Some(found);
        }
    }
    other
}

/// Hidden classes and code point at objects, but nobody put them there.
fn is_map_or_code(graph: &Graph, node: NodeId) -> bool {
    matches!(
        graph.node_type(node),
        NodeType::Code | NodeType::ObjectShape
    ) || graph.name(node).starts_with("system / Map")
}

/// Functions that see the variables of a Context, the nearest first.
pub fn functions_of(heap: &HeapGraph, context: NodeId) -> Vec<NodeId> {
    let graph = heap.graph();
    let mut found: Vec<NodeId> = strong(heap, context)
        .filter(|&(edge, from)| {
            graph.node_type(from) == NodeType::Closure
                && graph.edge_type(edge) == EdgeType::Internal
                && graph.edge_name(edge) == "context"
        })
        .map(|(_, from)| from)
        .take(WIDTH)
        .collect();
    found.sort_by_key(|&n| (heap.distances().of(n), n));
    found
}

/// Whether functions of a user's script see a Context. One without functions of its own (a
/// block's within a block) is as those inside it.
fn context_is_users(heap: &HeapGraph, context: NodeId) -> bool {
    let graph = heap.graph();
    let mut work = vec![context];
    let mut seen = FxHashSet::default();
    while let Some(at) = work.pop() {
        if !seen.insert(at) || seen.len() > ABOVE {
            continue;
        }
        if let Some(&function) = functions_of(heap, at).first() {
            return is_users_place(graph, function);
        }
        let inner = strong(heap, at).filter(|&(edge, _)| graph.edge_name(edge) == "previous");
        work.extend(inner.map(|(_, from)| from).take(ABOVE));
    }
    false
}
