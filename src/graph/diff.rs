//! What came and went between two heaps, by class, as DevTools' Comparison view counts it.

use super::{ClassKey, HeapGraph, NodeId};
use rustc_hash::FxHashMap;

/// How objects of the two heaps are known to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// By id: both snapshots come from one process, whose V8 kept count.
    Ids,
    /// Not at all: only counts and sizes are compared.
    Counts,
}

/// Change of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassDiff {
    pub key: ClassKey,
    pub added: u64,
    pub removed: u64,
    pub added_size: u64,
    pub removed_size: u64,
    /// One that came (or simply one, where identity is not known): the farthest retaining.
    pub sample: Option<NodeId>,
}

impl ClassDiff {
    /// Growth in objects.
    pub fn delta(&self) -> i64 {
        self.added as i64 - self.removed as i64
    }

    /// Growth in bytes.
    pub fn size_delta(&self) -> i64 {
        let signed = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        signed(self.added_size).saturating_sub(signed(self.removed_size))
    }
}

/// Change of a heap.
#[derive(Debug)]
pub struct Diff {
    pub identity: Identity,
    /// Classes that changed, those that grew most first.
    pub classes: Vec<ClassDiff>,
}

/// Whether ids say which objects are the same. V8 numbers the objects of a process once, so two
/// snapshots of it share most ids, and an id keeps its type.
fn share_ids(before: &HeapGraph, after: &HeapGraph) -> bool {
    let (a, b) = (before.graph(), after.graph());
    if a.has_addresses() || b.has_addresses() {
        // Ids of a core's objects are made up.
        return false;
    }
    // Fixed ids (root, categories) are alike in all snapshots.
    const FIRST: u32 = 100;
    let (mut alike, mut other) = (0u64, 0u64);
    let step = (a.node_count() / 20_000).max(1);
    for node in (0..a.node_count() as NodeId).step_by(step) {
        let id = a.id(node);
        if id < FIRST {
            continue;
        }
        if let Some(same) = after.node_by_id(id) {
            match a.node_type(node) == b.node_type(same) && a.name(node) == b.name(same) {
                true => alike += 1,
                false => other += 1,
            }
        }
    }
    alike > 0 && alike >= other * 9
}

/// What changed from `before` to `after`. `identity` is found out if not given.
pub fn diff(before: &HeapGraph, after: &HeapGraph, identity: Option<Identity>) -> Diff {
    let identity = identity.unwrap_or_else(|| match share_ids(before, after) {
        true => Identity::Ids,
        false => Identity::Counts,
    });
    // As DevTools does: the older heap is grouped by the newer one's interfaces.
    let old_classes = before.classes_by(after.interfaces());
    let new_classes = after.classes();
    // Without ids, scripts may be numbered otherwise too.
    let key_of = |key: &ClassKey| match identity {
        Identity::Ids => key.clone(),
        Identity::Counts => ClassKey {
            name: key.name.clone(),
            location: None,
        },
    };
    let mut numbers: FxHashMap<ClassKey, usize> = FxHashMap::default();
    let mut rows: Vec<Row> = Vec::new();
    let mut number = |key: ClassKey, rows: &mut Vec<Row>| {
        *numbers.entry(key).or_insert_with_key(|key| {
            rows.push(Row::new(key.clone()));
            rows.len() - 1
        })
    };
    let old_rows: Vec<usize> = old_classes
        .list()
        .iter()
        .map(|c| number(key_of(&c.key), &mut rows))
        .collect();
    let new_rows: Vec<usize> = new_classes
        .list()
        .iter()
        .map(|c| number(key_of(&c.key), &mut rows))
        .collect();

    let old_nodes = sized(before, |node| old_rows[old_classes.of(node) as usize]);
    let new_nodes = sized(after, |node| new_rows[new_classes.of(node) as usize]);
    match identity {
        Identity::Counts => {
            for class in old_nodes {
                rows[class.row].remove(class.size);
            }
            for class in new_nodes {
                rows[class.row].add(class.size, class.node, after);
            }
            for row in &mut rows {
                row.cancel();
            }
        }
        Identity::Ids => {
            // Per class, both by id: what is on one side only came or went.
            let key = |n: &Sized| (n.row, n.id);
            let (mut old_nodes, mut new_nodes) = (old_nodes, new_nodes);
            old_nodes.sort_unstable_by_key(key);
            new_nodes.sort_unstable_by_key(key);
            let mut old = old_nodes.iter().peekable();
            let mut new = new_nodes.iter().peekable();
            loop {
                let order = match (old.peek(), new.peek()) {
                    (Some(a), Some(b)) => key(a).cmp(&key(b)),
                    (Some(_), None) => std::cmp::Ordering::Less,
                    (None, Some(_)) => std::cmp::Ordering::Greater,
                    (None, None) => break,
                };
                if order.is_le() {
                    if let Some(gone) = old.next().filter(|_| order.is_lt()) {
                        rows[gone.row].remove(gone.size);
                    }
                }
                if order.is_ge() {
                    if let Some(come) = new.next().filter(|_| order.is_gt()) {
                        rows[come.row].add(come.size, come.node, after);
                    }
                }
            }
        }
    }
    let mut classes: Vec<ClassDiff> = rows
        .into_iter()
        .map(|row| row.diff)
        .filter(|d| match identity {
            Identity::Ids => d.added != 0 || d.removed != 0,
            Identity::Counts => d.added != d.removed || d.added_size != d.removed_size,
        })
        .collect();
    classes.sort_by(|a, b| {
        (b.size_delta(), b.delta(), &a.key).cmp(&(a.size_delta(), a.delta(), &b.key))
    });
    Diff { identity, classes }
}

struct Row {
    diff: ClassDiff,
    sample_retains: u64,
}

impl Row {
    fn new(key: ClassKey) -> Row {
        Row {
            diff: ClassDiff {
                key,
                added: 0,
                removed: 0,
                added_size: 0,
                removed_size: 0,
                sample: None,
            },
            sample_retains: 0,
        }
    }

    fn add(&mut self, size: u64, node: NodeId, graph: &HeapGraph) {
        self.diff.added += 1;
        self.diff.added_size = self.diff.added_size.saturating_add(size);
        let retains = graph.dominators().retained_size(node);
        if self.diff.sample.is_none() || retains > self.sample_retains {
            self.diff.sample = Some(node);
            self.sample_retains = retains;
        }
    }

    fn remove(&mut self, size: u64) {
        self.diff.removed += 1;
        self.diff.removed_size = self.diff.removed_size.saturating_add(size);
    }

    /// Without identity only the difference is known.
    fn cancel(&mut self) {
        let diff = &mut self.diff;
        let both = diff.added.min(diff.removed);
        diff.added -= both;
        diff.removed -= both;
        let both = diff.added_size.min(diff.removed_size);
        diff.added_size -= both;
        diff.removed_size -= both;
    }
}

/// A node that DevTools shows (it has a size).
struct Sized {
    row: usize,
    id: u32,
    node: NodeId,
    size: u64,
}

fn sized(graph: &HeapGraph, row: impl Fn(NodeId) -> usize) -> Vec<Sized> {
    let ownership = graph.ownership();
    (0..graph.graph().node_count() as NodeId)
        .filter_map(|node| {
            let size = ownership.shallow_size(node);
            (size != 0).then(|| Sized {
                row: row(node),
                id: graph.graph().id(node),
                node,
                size,
            })
        })
        .collect()
}
