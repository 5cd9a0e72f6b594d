//! What the threads share, and what each of them has: a [`Visitor`] makes the nodes and edges of
//! pages, one after the other. What must come in order is left to whoever takes its blocks.

use super::block::Block;
use super::names::Names;
use super::node::Places;
use super::nodes::Nodes;
use super::shapes::Shapes;
use super::space::{word_at, Ordinal, Space};
use crate::graph::{Interner, NodeId, StringId};
use crate::memory::Memory;
use crate::metadata::{InstanceType, Layout};
use crate::object::Cx;
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all threads know, and none changes.
pub struct Plan<'p, 'a> {
    pub space: &'p Space<'a>,
    pub shapes: &'p Shapes,
    pub layout: &'p Layout,
    pub nodes: &'p Nodes,
    /// Names with the same number for all, and those of the numbers from 0 on.
    pub names: (&'p Interner, Range<StringId>),
    /// Objects that V8 leaves out where it can: undefined, empty arrays, some maps. A bit for
    /// each word of read-only space.
    pub inessential: Vec<u64>,
    pub the_hole: u64,
    pub undefined: u64,
    /// Slots of a native context, and their names.
    pub native_context_names: Vec<(usize, StringId)>,
    pub(super) words: WordNames,
    /// Code that Sparkplug made, where V8 9 tells it.
    pub(super) baseline: FxHashSet<Ordinal>,
}

/// Makes nodes and edges of objects, one after the other.
pub struct Visitor<'p, 'a> {
    pub(super) plan: &'p Plan<'p, 'a>,
    pub(super) space: &'p Space<'a>,
    pub(super) shapes: &'p Shapes,
    pub(super) cx: Cx<'p>,
    /// Tells of reads outside the heap's pages, which only the caller's thread can do.
    pub(super) missed: Option<&'p AtomicBool>,
    pub(super) names: Names<'p>,
    pub out: Block,
    pub(super) visited: Vec<u64>,
    pub(super) hidden: u32,
    pub(super) node: NodeId,
    pub(super) words: WordNames,
    pub(super) locals: FxHashMap<u64, Rc<[(u64, StringId)]>>,
    pub(super) accessor_names: FxHashMap<(StringId, bool), StringId>,
    pub(super) shared_names: FxHashMap<u64, StringId>,
    pub(super) places: Places,
}

/// Names of edges that no field table has.
#[derive(Clone, Copy)]
pub struct WordNames {
    pub(super) map: StringId,
    pub(super) proto: StringId,
    pub(super) prototype: StringId,
    pub(super) initial_map: StringId,
    pub(super) code: StringId,
    pub(super) first: StringId,
    pub(super) second: StringId,
    pub(super) parent: StringId,
    pub(super) actual: StringId,
    pub(super) scope_info: StringId,
    pub(super) previous: StringId,
    pub(super) extension: StringId,
    pub(super) native_context: StringId,
    pub(super) back_pointer: StringId,
    pub(super) constructor: StringId,
    pub(super) constructor_function_data: StringId,
    pub(super) global_object: StringId,
    pub(super) transition: StringId,
    pub(super) transitions: StringId,
    pub(super) prototype_info: StringId,
    pub(super) backing_store: StringId,
    pub(super) array_buffer_data: StringId,
    pub(super) empty: StringId,
    pub(super) shared_function_info: StringId,
}

impl WordNames {
    /// Makes them names of all threads.
    pub fn new(names: &mut Names) -> WordNames {
        WordNames {
            map: names.intern("map"),
            proto: names.intern("__proto__"),
            prototype: names.intern("prototype"),
            initial_map: names.intern("initial_map"),
            code: names.intern("code"),
            first: names.intern("first"),
            second: names.intern("second"),
            parent: names.intern("parent"),
            actual: names.intern("actual"),
            scope_info: names.intern("scope_info"),
            previous: names.intern("previous"),
            extension: names.intern("extension"),
            native_context: names.intern("native_context"),
            back_pointer: names.intern("back_pointer"),
            constructor: names.intern("constructor"),
            constructor_function_data: names.intern("constructor_function_data"),
            global_object: names.intern("global_object"),
            transition: names.intern("transition"),
            transitions: names.intern("transitions"),
            prototype_info: names.intern("prototype_info"),
            backing_store: names.intern("backing_store"),
            array_buffer_data: names.intern("system / JSArrayBufferData"),
            empty: names.intern(""),
            shared_function_info: names.intern("(shared function info)"),
        }
    }
}

/// Code that a BaselineData holds.
fn baseline_code(space: &Space) -> FxHashSet<Ordinal> {
    if !space
        .index
        .maps
        .iter()
        .any(|m| m.kind == InstanceType::BaselineData)
    {
        return FxHashSet::default();
    }
    space
        .objects()
        .filter(|&o| space.map(o).kind == InstanceType::BaselineData)
        .filter_map(|o| space.target(word_at(space.bytes(o), 8)?))
        .collect()
}

impl<'p, 'a> Plan<'p, 'a> {
    /// What follows from the objects themselves.
    pub fn new(
        space: &'p Space<'a>,
        shapes: &'p Shapes,
        layout: &'p Layout,
        nodes: &'p Nodes,
        names: (&'p Interner, Range<StringId>),
        words: WordNames,
    ) -> Plan<'p, 'a> {
        Plan {
            space,
            shapes,
            layout,
            nodes,
            names,
            inessential: Vec::new(),
            the_hole: 0,
            undefined: 0,
            native_context_names: Vec::new(),
            words,
            // From V8 11 on such code says so itself.
            baseline: match layout.version.at_least(11, 0) {
                true => FxHashSet::default(),
                false => baseline_code(space),
            },
        }
    }

    pub(super) fn is_inessential(&self, object: Ordinal) -> bool {
        let word = self.inessential.get(object as usize / 64);
        word.is_some_and(|w| w >> (object % 64) & 1 == 1)
    }
}

impl<'p, 'a> Visitor<'p, 'a> {
    /// One that has seen nothing yet. With `missed` it can tell when it needed what is not on the
    /// pages of the heap.
    pub fn new(
        plan: &'p Plan<'p, 'a>,
        memory: &'p dyn Memory,
        missed: Option<&'p AtomicBool>,
    ) -> Visitor<'p, 'a> {
        Visitor {
            plan,
            space: plan.space,
            shapes: plan.shapes,
            cx: Cx {
                memory,
                layout: plan.layout,
            },
            missed,
            names: Names::over(&plan.names),
            out: Block::default(),
            visited: Vec::new(),
            hidden: 0,
            node: 0,
            words: plan.words,
            locals: FxHashMap::default(),
            accessor_names: FxHashMap::default(),
            shared_names: FxHashMap::default(),
            places: Places::default(),
        }
    }

    /// Whether nothing that was read of the object so far was out of reach, so that what came of
    /// it holds for others too.
    pub(super) fn is_whole(&self) -> bool {
        self.missed.is_none_or(|m| !m.load(Ordering::Relaxed))
    }

    /// Makes the block of a page, in an old one's memory.
    pub fn page(&mut self, words: Range<Ordinal>, spare: Block) -> Block {
        self.start(spare);
        let plan = self.plan;
        let nodes = plan.nodes.first_from(words.end) - plan.nodes.first_from(words.start);
        self.out.reserve(nodes as usize);
        for object in plan.nodes.objects(words.clone()) {
            self.object(object);
        }
        for object in plan.nodes.others(plan.space.starts(), words) {
            self.out.garbage.0 += 1;
            self.out.garbage.1 += plan.space.size(object);
        }
        self.finish()
    }

    /// Makes the block of one object.
    pub fn alone(&mut self, object: Ordinal) -> Block {
        self.start(Block::default());
        self.object(object);
        self.finish()
    }

    fn start(&mut self, mut block: Block) {
        block.clear();
        block.worker = self.out.worker;
        block.new_names_from = self.names.end();
        self.out = block;
    }

    fn finish(&mut self) -> Block {
        let from = self.out.new_names_from - self.names.shared();
        let own = self.names.own();
        for name in from..own.len() as StringId {
            self.out.new_names.push(own.get(name));
        }
        let made = std::mem::take(&mut self.out);
        self.out.worker = made.worker;
        made
    }

    /// Makes node and edges of an object, those of its page before it.
    fn object(&mut self, object: Ordinal) {
        if let Some(missed) = self.missed.filter(|m| m.load(Ordering::Relaxed)) {
            missed.store(false, Ordering::Relaxed);
        }
        let before = self.out.mark();
        let map = self.space.map_index(object);
        let bytes = self.space.bytes_as(object, map);
        self.node = self.plan.nodes.of(object);
        self.make_node(object, map, bytes);
        self.make_edges(object, map, bytes);
        self.make_location(object, map);
        if !self.is_whole() {
            self.out.back_to(&before);
            let at = self.out.kinds.len() as u32 - 1;
            self.out.left_out.push((at, object));
        }
        self.out.edge_ends.push(self.out.edge_words.len() as u32);
    }
}
