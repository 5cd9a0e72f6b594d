//! Classes as DevTools' Summary view groups nodes.

use super::names::{format_property, utf16};
use super::{Distances, Dominators, EdgeType, Graph, NodeId, NodeType, Ownership, StringId};
use rustc_hash::{FxHashMap, FxHashSet};

/// What makes a class; comparable between snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassKey {
    pub name: String,
    /// Script id, line and column of the constructor: one name may belong to several.
    pub location: Option<(i32, i32, i32)>,
}

/// A class and its totals.
#[derive(Debug, Clone)]
pub struct Class {
    pub key: ClassKey,
    /// Nodes that have a size.
    pub count: u64,
    /// Sum of their sizes as DevTools shows them.
    pub shallow_size: u64,
    /// What all of them retain, nothing twice.
    pub retained_size: u64,
    /// The nearest one's distance.
    pub distance: i32,
}

/// Names for plain objects by the properties they share; the most common first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interfaces(Vec<Interface>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Interface {
    name: String,
    properties: Vec<String>,
}

/// Longest name of an interface.
const MAX_INTERFACE_NAME: usize = 120;
/// An interface matches at least that many objects, and one in [`MIN_PROPORTION`].
const MIN_OBJECTS: usize = 2;
const MIN_PROPORTION: f64 = 1000.0;

/// Classes of all nodes.
pub struct Classes {
    of_node: Vec<u32>,
    list: Vec<Class>,
}

impl Classes {
    /// Groups the nodes of `graph`, plain objects by `interfaces`.
    pub fn new(
        graph: &Graph,
        interfaces: &Interfaces,
        detached: &FxHashSet<NodeId>,
        ownership: &Ownership,
        distances: &Distances,
        dominators: &Dominators,
    ) -> Classes {
        let mut classes = classify(graph, interfaces, detached);
        for node in 0..graph.node_count() as NodeId {
            let size = ownership.shallow_size(node);
            if size == 0 {
                continue;
            }
            let class = &mut classes.list[classes.of_node[node as usize] as usize];
            class.distance = match class.count {
                0 => distances.of(node),
                _ => class.distance.min(distances.of(node)),
            };
            class.count += 1;
            class.shallow_size = class.shallow_size.saturating_add(size);
        }
        classes.retained(graph, ownership, dominators);
        classes
    }

    /// Number of a node's class in [`Self::list`].
    #[inline]
    pub fn of(&self, node: NodeId) -> u32 {
        self.of_node[node as usize]
    }

    /// All classes.
    pub fn list(&self) -> &[Class] {
        &self.list
    }

    fn retained(&mut self, graph: &Graph, ownership: &Ownership, dominators: &Dominators) {
        let of_node = &self.of_node;
        let class = |node: NodeId| match ownership.shallow_size(node) {
            0 => NO_CLASS,
            _ => of_node[node as usize],
        };
        let sums = retained_by(graph.root(), dominators, self.list.len(), class);
        for (class, sum) in self.list.iter_mut().zip(sums) {
            class.retained_size = sum;
        }
    }
}

/// A node that counts for no class.
pub const NO_CLASS: u32 = u32::MAX;

/// Sums what each class retains: a node below another of its class is counted there.
pub fn retained_by(
    root: NodeId,
    dominators: &Dominators,
    classes: usize,
    class_of: impl Fn(NodeId) -> u32,
) -> Vec<u64> {
    let (first, dominated) = dominators.dominated();
    let mut sums = vec![0u64; classes];
    let mut seen = vec![false; classes];
    // Nodes to visit, and marks (class with the high bit) where a class ends.
    const END: u64 = 1 << 63;
    let mut stack = vec![u64::from(root)];
    while let Some(item) = stack.pop() {
        if item & END != 0 {
            seen[(item & !END) as usize] = false;
            continue;
        }
        let node = item as NodeId;
        let class = class_of(node) as usize;
        let children = first[node as usize] as usize..first[node as usize + 1] as usize;
        if seen.get(class) == Some(&false) {
            let sum = &mut sums[class];
            *sum = sum.saturating_add(dominators.retained_size(node));
            if !children.is_empty() {
                seen[class] = true;
                stack.push(class as u64 | END);
            }
        }
        stack.extend(dominated[children].iter().map(|&n| u64::from(n)));
    }
    sums
}

#[derive(PartialEq, Eq, Hash)]
enum RawKey {
    Name(StringId),
    Detached(StringId),
    /// A name that DevTools makes up.
    Fixed(&'static str),
    Interface(usize),
    Located(StringId, usize, (i32, i32, i32)),
}

/// Not an interface, in [`RawKey::Located`].
const NO_INTERFACE: usize = usize::MAX;

fn classify(graph: &Graph, interfaces: &Interfaces, detached: &FxHashSet<NodeId>) -> Classes {
    let mut numbers: FxHashMap<RawKey, u32> = FxHashMap::default();
    let mut list: Vec<Class> = Vec::new();
    // Two strings of a file may be equal, and an interface may be called like a constructor.
    let mut by_key: FxHashMap<ClassKey, u32> = FxHashMap::default();
    let matcher = Matcher::new(graph, interfaces);
    let object = graph.strings().find("Object");
    let mut of_node = Vec::with_capacity(graph.node_count());
    let mut scratch = Scratch::default();
    for node in 0..graph.node_count() as NodeId {
        let kind = graph.node_type(node);
        let name = graph.name_id(node);
        let key = match kind {
            NodeType::Hidden => RawKey::Fixed("(system)"),
            NodeType::Code => RawKey::Fixed("(compiled code)"),
            NodeType::Closure => RawKey::Fixed("Function"),
            NodeType::RegExp => RawKey::Fixed("RegExp"),
            NodeType::Native if detached.contains(&node) => RawKey::Detached(name),
            NodeType::Native => RawKey::Name(name),
            NodeType::Object => {
                let interface = match Some(name) == object {
                    true => matcher.best(graph, node, &mut scratch),
                    false => None,
                };
                match (graph.location(node), interface) {
                    (Some(l), interface) => RawKey::Located(
                        name,
                        interface.unwrap_or(NO_INTERFACE),
                        (l.script_id, l.line, l.column),
                    ),
                    (None, Some(interface)) => RawKey::Interface(interface),
                    (None, None) => RawKey::Name(name),
                }
            }
            _ => RawKey::Fixed(parenthesized(kind)),
        };
        let number = *numbers.entry(key).or_insert_with_key(|key| {
            let interface_name = |at: usize| interfaces.0.get(at).map(|i| i.name.clone());
            let plain = |name| class_name(graph.strings().get(name));
            let key = match *key {
                RawKey::Fixed(name) => ClassKey {
                    name: name.to_string(),
                    location: None,
                },
                RawKey::Name(name) => ClassKey {
                    name: plain(name),
                    location: None,
                },
                RawKey::Detached(name) => ClassKey {
                    name: class_name(&format!("Detached {}", graph.strings().get(name))),
                    location: None,
                },
                RawKey::Interface(at) => ClassKey {
                    name: interface_name(at).unwrap_or_default(),
                    location: None,
                },
                RawKey::Located(name, at, location) => ClassKey {
                    name: interface_name(at).unwrap_or_else(|| plain(name)),
                    location: Some(location),
                },
            };
            *by_key.entry(key).or_insert_with_key(|key| {
                list.push(Class {
                    key: key.clone(),
                    count: 0,
                    shallow_size: 0,
                    retained_size: 0,
                    distance: 0,
                });
                (list.len() - 1) as u32
            })
        });
        of_node.push(number);
    }
    Classes { of_node, list }
}

fn parenthesized(kind: NodeType) -> &'static str {
    match kind {
        NodeType::Array => "(array)",
        NodeType::String => "(string)",
        NodeType::Number => "(number)",
        NodeType::Synthetic => "(synthetic)",
        NodeType::ConsString => "(concatenated string)",
        NodeType::SlicedString => "(sliced string)",
        NodeType::Symbol => "(symbol)",
        NodeType::BigInt => "(bigint)",
        NodeType::ObjectShape => "(object shape)",
        NodeType::WasmObject => "(wasm object)",
        _ => "(unknown)",
    }
}

/// `<div id="a">` is of class `<div>`.
fn class_name(name: &str) -> String {
    let from = match name {
        n if n.starts_with('<') => 0,
        n if n.starts_with("Detached <") => 10,
        _ => return name.to_string(),
    };
    match name[from..].find(' ') {
        Some(space) => format!("{}>", &name[..from + space]),
        None => name.to_string(),
    }
}

impl Interfaces {
    /// The most common lists of properties among the plain objects of `graph`.
    pub fn infer(graph: &Graph) -> Interfaces {
        struct Candidate {
            properties: Box<[StringId]>,
            count: usize,
        }
        let Some(object) = graph.strings().find("Object") else {
            return Interfaces::default();
        };
        let proto = graph.strings().find("__proto__");
        let mut numbers: FxHashMap<Box<[StringId]>, usize> = FxHashMap::default();
        let mut lengths: FxHashMap<StringId, usize> = FxHashMap::default();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut total = 0usize;
        let mut properties: Vec<StringId> = Vec::new();
        for node in 0..graph.node_count() as NodeId {
            if graph.node_type(node) != NodeType::Object || graph.name_id(node) != object {
                continue;
            }
            total += 1;
            properties.clear();
            let mut length = 1;
            for edge in graph.edge_range(node) {
                let name = graph.edge_name_or_index(edge);
                if graph.edge_type(edge) != EdgeType::Property || Some(name) == proto {
                    continue;
                }
                let own = *lengths
                    .entry(name)
                    .or_insert_with(|| utf16(&format_property(graph.strings().get(name))));
                if length > 1 {
                    if length + own > MAX_INTERFACE_NAME {
                        break;
                    }
                    length += 2;
                }
                length += own;
                properties.push(name);
            }
            if properties.is_empty() {
                continue;
            }
            match numbers.get(&properties[..]) {
                Some(&at) => candidates[at].count += 1,
                None => {
                    let list: Box<[StringId]> = properties.as_slice().into();
                    numbers.insert(list.clone(), candidates.len());
                    candidates.push(Candidate {
                        properties: list,
                        count: 1,
                    });
                }
            }
        }
        candidates.sort_by_key(|c| std::cmp::Reverse(c.count));
        let least = (MIN_OBJECTS as f64).max(total as f64 / MIN_PROPORTION);
        Interfaces(
            candidates
                .into_iter()
                .take_while(|c| c.count as f64 >= least)
                .map(|candidate| {
                    let properties: Vec<String> = candidate
                        .properties
                        .iter()
                        .map(|&p| graph.strings().get(p).to_string())
                        .collect();
                    let names: Vec<String> =
                        properties.iter().map(|p| format_property(p)).collect();
                    Interface {
                        name: format!("{{{}}}", names.join(", ")),
                        properties,
                    }
                })
                .collect(),
        )
    }
}

/// Finds the interface with the most properties that an object all has: a tree whose edges are
/// properties in ascending order.
struct Matcher {
    nodes: Vec<TreeNode>,
}

#[derive(Default)]
struct TreeNode {
    next: FxHashMap<StringId, usize>,
    greatest: Option<StringId>,
    /// Number of the interface that ends here, and its length.
    ends: Option<(usize, usize)>,
}

#[derive(Default)]
struct Scratch {
    properties: Vec<StringId>,
    states: Vec<usize>,
}

impl Matcher {
    fn new(graph: &Graph, interfaces: &Interfaces) -> Matcher {
        let mut ids: FxHashMap<&str, StringId> = FxHashMap::default();
        if !interfaces.0.is_empty() {
            for (number, string) in graph.strings().iter().enumerate() {
                ids.entry(string).or_insert(number as StringId);
            }
        }
        let mut nodes = vec![TreeNode::default()];
        'interfaces: for (number, interface) in interfaces.0.iter().enumerate() {
            let mut properties = Vec::new();
            for property in &interface.properties {
                // A property that this graph has not matches nothing.
                match ids.get(property.as_str()) {
                    Some(&id) => properties.push(id),
                    None => continue 'interfaces,
                }
            }
            let length = properties.len();
            properties.sort_unstable();
            let mut at = 0;
            for property in properties {
                nodes[at].greatest = nodes[at].greatest.max(Some(property));
                at = match nodes[at].next.get(&property) {
                    Some(&next) => next,
                    None => {
                        nodes.push(TreeNode::default());
                        let next = nodes.len() - 1;
                        nodes[at].next.insert(property, next);
                        next
                    }
                };
            }
            nodes[at].ends.get_or_insert((number, length));
        }
        Matcher { nodes }
    }

    fn best(&self, graph: &Graph, node: NodeId, scratch: &mut Scratch) -> Option<usize> {
        if self.nodes.len() == 1 {
            return None;
        }
        let Scratch { properties, states } = scratch;
        properties.clear();
        properties.extend(
            graph
                .edge_range(node)
                .filter(|&e| graph.edge_type(e) == EdgeType::Property)
                .map(|e| graph.edge_name_or_index(e)),
        );
        properties.sort_unstable();
        states.clear();
        states.push(0);
        let mut best: Option<(usize, usize)> = None;
        for &property in properties.iter() {
            let known = states.len();
            for at in 0..known {
                let Some(&next) = self.nodes[states[at]].next.get(&property) else {
                    continue;
                };
                if states.contains(&next) {
                    continue;
                }
                states.push(next);
                if let Some(found) = self.nodes[next].ends {
                    let better =
                        best.is_none_or(|b| found.1 > b.1 || (found.1 == b.1 && found.0 < b.0));
                    if better {
                        best = Some(found);
                    }
                }
            }
            let nodes = &self.nodes;
            states.retain(|&s| nodes[s].greatest.is_some_and(|g| g > property));
        }
        best.map(|(number, _)| number)
    }
}
