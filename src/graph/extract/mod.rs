//! The graph of an isolate from its heap, as V8's HeapSnapshotGenerator would make it.

mod block;
mod commit;
mod dispatch;
mod edges;
mod mark;
mod names;
mod natives;
mod node;
mod nodes;
mod pages_only;
mod reach;
mod roots;
mod shapes;
mod space;
mod visitor;

use super::{named, Builder, Detachedness, EdgeType, Graph, Node, NodeId, NodeType, StringId};
use crate::error::{Error, Result};
use crate::graph::in_order::{in_order, Weight};
use crate::heap::{Body, HeapIndex, ImageOver, Isolate, RootName, Watch};
use crate::metadata::InstanceType;
use crate::object::{Cx, HeapObject, Tagged};
use crate::program::Program;
use crate::target::Target;
use block::{Block, NativePart, Tag, WeakEntry};
use commit::Commit;
use dispatch::{DispatchTable, Handles};
use mark::reached;
use names::Names;
use nodes::{Nodes, NO_NODE};
use pages_only::PagesOnly;
use rayon::prelude::*;
pub use reach::Reach;
use roots::{Category, Roots};
use rustc_hash::FxHashMap;
use shapes::Shapes;
use space::{bits, Ordinal, Space};
use std::cell::Cell;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use visitor::{Plan, Visitor, WordNames};

/// A graph, and what it covers.
pub struct Extracted {
    pub graph: Graph,
    /// Objects on the pages, and those of them that nothing holds.
    pub objects: u64,
    pub garbage: u64,
    pub garbage_bytes: u64,
}

/// Where the parts come from.
pub struct Source<'a> {
    pub target: &'a dyn Target,
    pub program: &'a Program,
    pub layout: &'a crate::metadata::Layout,
    pub index: &'a HeapIndex,
    pub isolate: &'a Isolate,
}

/// Node of the root, of "(GC roots)", and of the first category under it.
const ROOT: NodeId = 0;
const GC_ROOTS: NodeId = 1;
const FIRST_CATEGORY: NodeId = 2;

/// References that may wait to be taken, 8 bytes each.
const READY: usize = 1 << 20;
/// References of a block whose memory is not used again.
const LARGE: usize = 1 << 16;

/// Objects V8 leaves out where it can, by their names in its table of roots.
const INESSENTIAL: [&str; 12] = [
    "the_hole_value",
    "empty_byte_array",
    "empty_fixed_array",
    "empty_weak_fixed_array",
    "empty_descriptor_array",
    "fixed_array_map",
    "cell_map",
    "global_property_cell_map",
    "shared_function_info_map",
    "free_space_map",
    "one_pointer_filler_map",
    "two_pointer_filler_map",
];

/// Builds the graph: of what is alive, or of everything on the pages if `all`.
pub fn extract(source: &Source, all: bool, watch: Watch) -> Result<Extracted> {
    let memory = source.memory();
    let cx = Cx {
        memory: &memory,
        layout: source.layout,
    };
    let mut names = Names::default();
    let found = Found::new(source, cx, &mut names, watch)?;
    watch("marking", 0.2)?;
    let alive = match all {
        true => found.space.starts().to_vec(),
        false => found.alive(watch)?,
    };
    let first = FIRST_CATEGORY + roots::categories(source.layout.version).len() as NodeId;
    let mut extraction = Extraction {
        source,
        cx,
        space: found.space,
        shapes: found.shapes,
        names,
        roots: found.roots,
        nodes: Nodes::new(&alive, first),
        texts: found.texts,
        builder: Builder::new(),
        embedders: Vec::new(),
    };
    drop(alive);
    watch("following references", 0.4)?;
    // Three references and a half is what an object has, and some own memory outside the heap;
    // room that is not used costs nothing.
    let nodes = extraction.nodes.end() as usize;
    extraction
        .builder
        .reserve(nodes.saturating_add(nodes / 8), nodes.saturating_mul(4));
    extraction.synthetic_nodes()?;
    let root_edges = extraction.root_edges()?;
    let garbage = extraction.objects(watch)?;
    extraction.node_natives(root_edges)?;
    extraction.finish(garbage)
}

/// How many objects nothing holds, and their bytes: the marking alone, without a graph.
pub fn count_garbage(source: &Source, watch: Watch) -> Result<(u64, u64)> {
    let memory = source.memory();
    let cx = Cx {
        memory: &memory,
        layout: source.layout,
    };
    let mut names = Names::default();
    let found = Found::new(source, cx, &mut names, watch)?;
    watch("marking", 0.2)?;
    let alive = found.alive(watch)?;
    let dead = found.space.starts().iter().zip(&alive);
    let dead = bits(dead.map(|(all, alive)| all & !alive), 0);
    Ok(dead.fold((0, 0), |(count, bytes), object| {
        (count + 1, found.space.size(object).saturating_add(bytes))
    }))
}

impl<'a> Source<'a> {
    fn memory(&self) -> ImageOver<'a> {
        ImageOver {
            image: &self.index.image,
            target: self.target.memory(),
        }
    }
}

/// Objects, how those of each Map look, and roots.
struct Found<'s> {
    space: Space<'s>,
    shapes: Shapes,
    roots: Roots,
    /// Strings on the pages whose text is a name. Most are met once.
    texts: usize,
}

impl<'s> Found<'s> {
    fn new(source: &Source<'s>, cx: Cx<'_>, names: &mut Names, watch: Watch) -> Result<Found<'s>> {
        watch("numbering objects", 0.0)?;
        let space = Space::new(source.index, source.isolate, source.target.memory())?;
        let mut shapes = Shapes::new(cx, &space, names);
        let texts = shapes.texts(&source.index.tallies).min(space.count());
        names.reserve_texts(texts);
        watch("finding roots", 0.1)?;
        // The target is this thread's alone to read; what can be told from the heap's pages is
        // found meanwhile.
        let mut handles = None;
        let roots = rayon::in_place_scope(|scope| {
            scope.spawn(|_| handles = Handles::find(source.layout, &space));
            scope.spawn(|_| names.make_numbers(largest_index(&space, &shapes)));
            roots::find(
                source.target,
                source.program,
                source.layout,
                &space,
                source.isolate,
            )
        });
        if let Some(handles) = handles {
            shapes.dispatch = DispatchTable::find(source.target, &handles, &space)?;
        }
        names.make_numbers(roots.list.len() + 1);
        Ok(Found {
            space,
            shapes,
            roots,
            texts,
        })
    }

    /// A bit for each word where an object starts that something holds.
    fn alive(&self, watch: Watch) -> Result<Vec<u64>> {
        let roots = self.roots.list.iter().filter(|r| r.retains);
        // Read-only space lives for ever.
        let roots = roots
            .map(|r| r.object)
            .chain(self.space.read_only_objects());
        reached(&self.space, &self.shapes, roots, || watch("marking", 0.3))
    }
}

struct Extraction<'a, 's> {
    source: &'s Source<'a>,
    cx: Cx<'s>,
    space: Space<'s>,
    shapes: Shapes,
    names: Names<'s>,
    roots: Roots,
    nodes: Nodes,
    /// About how many strings there are whose text is a name.
    texts: usize,
    builder: Builder,
    /// Objects with fields for the embedder that have a node.
    embedders: Vec<Ordinal>,
}

fn plain(kind: NodeType, name: StringId, self_size: u64) -> Node {
    Node {
        kind,
        name,
        self_size,
        detachedness: Detachedness::Unknown,
    }
}

impl Extraction<'_, '_> {
    /// The root, "(GC roots)" and the categories under it.
    fn synthetic_nodes(&mut self) -> Result<()> {
        let empty = self.names.intern("");
        let gc_roots = self.names.intern("(GC roots)");
        self.builder.node(plain(NodeType::Synthetic, empty, 0))?;
        self.builder.node(plain(NodeType::Synthetic, gc_roots, 0))?;
        for name in roots::categories(self.source.layout.version) {
            let name = self.names.intern(&name);
            self.builder.node(plain(NodeType::Synthetic, name, 0))?;
        }
        Ok(())
    }

    fn heap_object(&self, object: Ordinal) -> HeapObject<'_> {
        HeapObject::new(self.cx, self.space.address(object))
    }

    /// Objects of read-only space that V8 leaves out where it can.
    fn inessential(&self) -> Vec<u64> {
        let version = self.source.layout.version;
        let mut words = Vec::new();
        for object in self.space.read_only_objects() {
            let kind = self.space.map(object).kind;
            let any_hole = version.at_least(14, 0) && kind == InstanceType::Hole;
            let name = self.roots.names.get(&self.space.address(object));
            let named = name.is_some_and(|n| INESSENTIAL.contains(&n.as_str()));
            if kind == InstanceType::Oddball || any_hole || named {
                let at = object as usize / 64;
                if words.len() <= at {
                    words.resize(at + 1, 0);
                }
                words[at] |= 1u64 << (object % 64);
            }
        }
        words
    }

    /// Nodes and edges of all objects: made page by page on all cores, taken in their order here.
    fn objects(&mut self, watch: Watch) -> Result<(u64, u64)> {
        let words = WordNames::new(&mut self.names);
        let memory = self.source.target.memory();
        let slots = self.source.program.native_context_names(memory);
        let native_context_names = slots
            .into_iter()
            .map(|(index, name)| (index, self.names.intern(&name)))
            .collect();
        let builtins = self.builtins();
        // From here on every thread has names of its own besides these.
        let shared = self.names.interner().clone();
        let mut plan = Plan::new(
            &self.space,
            &self.shapes,
            self.source.layout,
            &self.nodes,
            (&shared, self.names.many().clone()),
            words,
        );
        plan.inessential = self.inessential();
        plan.the_hole = self.source.isolate.root(RootName::TheHole)?.0;
        plan.undefined = self.source.isolate.root(RootName::Undefined)?.0;
        plan.native_context_names = native_context_names;
        let workers = rayon::current_num_threads().max(1);
        let pages: Vec<PagesOnly> = (0..workers)
            .map(|_| PagesOnly::new(&self.source.index.image))
            .collect();
        let mut own = Visitor::new(&plan, self.cx.memory, None);
        own.out.worker = workers;
        let blocks = self.space.pages();
        let firsts = blocks.iter().map(|b| self.nodes.first_from(b.start));
        let mut commit = Commit::new(
            &mut self.names,
            &mut self.builder,
            shared.strings().len() as StringId,
            workers + 1,
            firsts.collect(),
        );
        for tag in builtins {
            commit.ask(tag);
        }
        commit.reserve(self.texts);
        let spare = Mutex::new(Vec::new());
        let done = Cell::new(0);
        let share = || 0.4 + 0.5 * done.get() as f64 / blocks.len().max(1) as f64;
        let state = |worker: usize| {
            let pages = &pages[worker.min(workers - 1)];
            let mut visitor = Visitor::new(&plan, pages, Some(&pages.missed));
            visitor.out.worker = worker;
            visitor
        };
        let make = |visitor: &mut Visitor, block: usize| {
            let spare = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
            visitor.page(blocks[block].clone(), spare.unwrap_or_default())
        };
        let tick = || watch("following references", share());
        let take = |number: usize, block: Block| {
            let outcome = commit.take(number, &block, &mut |object| own.alone(object));
            done.set(number + 1);
            let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
            if block.edge_words.len() < LARGE {
                spare.push(block);
            }
            outcome
        };
        let weight = Weight {
            of: |block: &Block| block.edge_words.len(),
            most: READY,
        };
        in_order(blocks.len(), weight, state, make, tick, take)?;
        let Commit {
            natives,
            weak_entries,
            embedders,
            garbage,
            ..
        } = commit;
        self.embedders = embedders;
        self.native_parts(natives)?;
        self.weak_entries(weak_entries)?;
        Ok(garbage)
    }

    fn native_parts(&mut self, parts: Vec<NativePart>) -> Result<()> {
        let mut by_address: FxHashMap<u64, NodeId> = FxHashMap::default();
        for part in parts {
            let node = match by_address.get(&part.address) {
                Some(&node) => node,
                None => {
                    let node = self
                        .builder
                        .node(plain(NodeType::Native, part.name, part.size))?;
                    by_address.insert(part.address, node);
                    node
                }
            };
            let edge = named(EdgeType::Internal, part.edge, node);
            self.builder.edge(part.owner, edge)?;
        }
        Ok(())
    }

    /// The edges of WeakMaps' entries, which are called after the nodes they concern.
    fn weak_entries(&mut self, entries: Vec<WeakEntry>) -> Result<()> {
        let id = |node: NodeId| node.wrapping_mul(2).wrapping_add(1);
        let name_of = |node| self.names.text(self.builder.name_of(node));
        let text = |entry: &WeakEntry| {
            format!(
                " / part of key ({} @{}) -> value ({} @{}) pair in WeakMap (table @{})",
                name_of(entry.key),
                id(entry.key),
                name_of(entry.value),
                id(entry.value),
                id(entry.table)
            )
        };
        let texts: Vec<String> = entries.par_iter().map(text).collect();
        let mut counts: FxHashMap<NodeId, u32> = FxHashMap::default();
        let mut name = String::new();
        for (entry, text) in entries.iter().zip(texts) {
            // No two are called alike, for the ids in them.
            let mut named_after = |number: u32| {
                name.clear();
                let _ = write!(name, "{number}{text}");
                self.names.push(&name)
            };
            if let Some((at, number)) = entry.edge {
                self.builder
                    .set_edge_name(entry.table, at, named_after(number));
            }
            let count = counts.entry(entry.key).or_insert(0);
            *count += 1;
            // Any number will do that is new on this node; V8's goes on from its edges.
            let edge = named(EdgeType::Internal, named_after(1000 + *count), entry.value);
            self.builder.edge(entry.key, edge)?;
        }
        Ok(())
    }

    /// What builtins without a name of their own are called.
    fn builtins(&mut self) -> Vec<Tag> {
        let suffix = match self.source.layout.version.line() {
            line if line >= (11, 4) => "builtin code",
            line if line >= (11, 0) => "builtin handle",
            _ => "builtin",
        };
        let roots = self.roots.list.iter();
        let builtins = roots.filter(|r| r.category == Category::Builtins);
        let builtins = builtins.filter_map(|r| {
            let node = self.nodes.of(r.object);
            let name = self.roots.description(r)?;
            (node != NO_NODE).then(|| Tag {
                node,
                name: self.names.intern(&format!("({name} {suffix})")),
                becomes: None,
                always: false,
            })
        });
        builtins.collect()
    }

    /// Edges of the roots; how many the topmost node has.
    fn root_edges(&mut self) -> Result<usize> {
        let list = roots::categories(self.source.layout.version);
        let names: Vec<&str> = list.iter().map(String::as_str).collect();
        // Places in the list, by category.
        let mut by_category: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
        let mut globals: Vec<NodeId> = Vec::new();
        // Those of one category stand together.
        let mut last = (None, None);
        for (at, root) in self.roots.list.iter().enumerate() {
            if last.0 != Some(root.category) {
                last = (Some(root.category), root.category.index(&names));
            }
            let Some(category) = last.1 else {
                continue;
            };
            if self.nodes.of(root.object) == NO_NODE {
                continue;
            }
            by_category[category].push(at as u32);
            let is_context = || self.space.map(root.object).kind == InstanceType::NativeContext;
            if !root.is_weak && root.category != Category::InternalizedStrings && is_context() {
                if let Some(global) = self.global_of(root.object) {
                    if !globals.contains(&global) {
                        globals.push(global);
                    }
                }
            }
        }
        self.builder
            .edge(ROOT, named(EdgeType::Element, 1, GC_ROOTS))?;
        let count = globals.len() + 1;
        for (at, global) in globals.into_iter().enumerate() {
            let name = self.names.number(at + 2);
            self.builder
                .edge(ROOT, named(EdgeType::Shortcut, name, global))?;
        }
        for at in 0..by_category.len() {
            let to = FIRST_CATEGORY + at as NodeId;
            self.builder
                .edge(GC_ROOTS, named(EdgeType::Element, at as u32 + 1, to))?;
        }
        for (category, list) in by_category.into_iter().enumerate() {
            for (at, root) in list.into_iter().enumerate() {
                let root = &self.roots.list[root as usize];
                let number = at + 1;
                let known = self.roots.names.get(&self.space.address(root.object));
                let name = match (known, self.roots.description(root)) {
                    (Some(known), _) => self.names.intern(known),
                    (None, Some(text)) => self.names.intern(&format!("{number} / {text}")),
                    (None, None) => self.names.number(number),
                };
                let kind = match root.is_weak {
                    true => EdgeType::Weak,
                    false => EdgeType::Internal,
                };
                let edge = named(kind, name, self.nodes.of(root.object));
                self.builder
                    .edge(FIRST_CATEGORY + category as NodeId, edge)?;
            }
        }
        Ok(count)
    }

    /// The global object of a native context; from V8 14 on the context stands for it.
    fn global_of(&self, context: Ordinal) -> Option<NodeId> {
        let layout = self.source.layout;
        let object = match layout.version.at_least(14, 0) {
            true => context,
            false => {
                let index = layout.context.extension_index.offset().ok()?;
                let slots = layout.context.slots.offset().ok()?;
                let word = self
                    .heap_object(context)
                    .tagged_at(slots + index * 8)
                    .ok()?;
                self.space.target(word.0)?
            }
        };
        Some(self.nodes.of(object)).filter(|&n| n != NO_NODE)
    }

    fn finish(self, garbage: (u64, u64)) -> Result<Extracted> {
        let objects = self.space.count() as u64;
        if self.builder.node_count() <= FIRST_CATEGORY as usize {
            return Err(Error::other("no object was found from the roots"));
        }
        let strings = self.names.into_interner().finish();
        let graph = self.builder.finish_with(strings)?;
        Ok(Extracted {
            graph,
            objects,
            garbage: garbage.0,
            garbage_bytes: garbage.1,
        })
    }
}

/// How many elements of the largest array there are up to the last that is an object: most of
/// them get an edge, and V8 calls it after their index.
fn largest_index(space: &Space, shapes: &Shapes) -> usize {
    let large = space.pages().iter().filter(|p| p.len() > LARGE / 2);
    let objects = large.flat_map(|page| space.objects_in(page));
    let last = objects.filter_map(|object| {
        let map = space.map_index(object);
        let bytes = space.bytes_as(object, map);
        let words = match shapes.of(map).body {
            Body::None | Body::Instructions(_) => return None,
            _ => bytes.chunks_exact(8),
        };
        words
            .rev()
            .position(|w| w[0] & 1 == 1)
            .map(|at| bytes.len() / 8 - at)
    });
    last.max().unwrap_or(0)
}

/// The object at an address of the user's.
pub fn object_address(value: u64) -> u64 {
    match Tagged(value).address() {
        Some(address) => address,
        None => value & !7,
    }
}
