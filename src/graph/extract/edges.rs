//! The references of each object, by the rules of V8's snapshot generator.

mod code;
mod context;
mod js;

use super::mark::Marks;
use super::names::Names;
use super::shapes::{ElementsForm, PropertyAt, Shape, Shapes};
use super::space::{word_at, Ordinal, Space};
use crate::error::Result;
use crate::graph::{named, Builder, EdgeType, NodeId, NodeType, StringId};
use crate::heap::Body;
use crate::metadata::{Constant, FieldUse, InstanceType, TagKind};
use crate::object::{HashTable, HeapObject, ScopeInfo, SharedFunctionInfo, Tagged};
use rustc_hash::{FxHashMap, FxHashSet};

/// A node that stands for memory outside the heap, still to be made.
#[derive(Debug, Clone, Copy)]
pub struct NativePart {
    pub owner: NodeId,
    pub address: u64,
    pub size: u64,
    /// Name of the node, and of the edge to it.
    pub name: StringId,
    pub edge: StringId,
}

/// Slot of a V8 7 context that holds its native context.
const OLD_NATIVE_CONTEXT_INDEX: usize = 3;

/// Nodes without a number.
pub const NO_NODE: NodeId = NodeId::MAX;

/// Writes the edges of all objects into a builder.
pub struct Edges<'e, 'a> {
    pub space: &'e Space<'a>,
    pub shapes: &'e Shapes<'a>,
    pub names: &'e mut Names,
    pub builder: &'e mut Builder,
    /// Node of each object.
    pub node_of: &'e [NodeId],
    /// Objects that V8 leaves out where it can: undefined, empty arrays, some maps.
    pub inessential: Marks,
    pub the_hole: u64,
    pub undefined: u64,
    pub natives: Vec<NativePart>,
    /// Edges of WeakMap entries from their keys, which come before or after.
    pub key_edges: Vec<(NodeId, NodeId, String)>,
    visited: Vec<u64>,
    hidden: u32,
    node: NodeId,
    empty_name: StringId,
    locals: FxHashMap<u64, Vec<(u64, StringId)>>,
    format_cache: FxHashMap<(StringId, bool), StringId>,
    words: WordNames,
    seen_backing_stores: FxHashSet<u64>,
    /// Code that Sparkplug made, where V8 9 tells it.
    baseline: FxHashSet<Ordinal>,
    /// Slots of a native context, and their names.
    pub native_context_names: Vec<(usize, StringId)>,
}

/// Names of edges that no field table has.
struct WordNames {
    map: StringId,
    proto: StringId,
    prototype: StringId,
    initial_map: StringId,
    code: StringId,
    first: StringId,
    second: StringId,
    parent: StringId,
    actual: StringId,
    scope_info: StringId,
    previous: StringId,
    extension: StringId,
    native_context: StringId,
    back_pointer: StringId,
    constructor: StringId,
    constructor_function_data: StringId,
    global_object: StringId,
    transition: StringId,
    transitions: StringId,
    prototype_info: StringId,
    backing_store: StringId,
    array_buffer_data: StringId,
}

impl WordNames {
    fn new(names: &mut Names) -> WordNames {
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
    (0..space.len() as Ordinal)
        .filter(|&o| space.map(o).kind == InstanceType::BaselineData)
        .filter_map(|o| space.target(word_at(space.bytes(o), 8)?))
        .collect()
}

impl<'e, 'a> Edges<'e, 'a> {
    /// Nothing is written yet.
    pub fn new(
        space: &'e Space<'a>,
        shapes: &'e Shapes<'a>,
        names: &'e mut Names,
        builder: &'e mut Builder,
        node_of: &'e [NodeId],
        inessential: Marks,
        the_hole: u64,
    ) -> Edges<'e, 'a> {
        let words = WordNames::new(names);
        let empty_name = names.intern("");
        Edges {
            space,
            shapes,
            names,
            builder,
            node_of,
            inessential,
            the_hole,
            undefined: 0,
            natives: Vec::new(),
            key_edges: Vec::new(),
            visited: Vec::new(),
            hidden: 0,
            node: 0,
            empty_name,
            locals: FxHashMap::default(),
            format_cache: FxHashMap::default(),
            words,
            seen_backing_stores: FxHashSet::default(),
            baseline: baseline_code(space),
            native_context_names: Vec::new(),
        }
    }

    fn edge(&mut self, kind: EdgeType, name: u32, to: NodeId) -> Result<()> {
        self.builder.edge(self.node, named(kind, name, to))
    }

    /// Node of the object a strong or weak pointer is to.
    #[inline]
    fn child(&self, word: u64) -> Option<(Ordinal, NodeId)> {
        let object = self.space.target(word)?;
        let node = self.node_of[object as usize];
        (node != NO_NODE).then_some((object, node))
    }

    #[inline]
    fn essential(&self, word: u64) -> Option<(Ordinal, NodeId)> {
        self.child(word).filter(|c| !self.inessential.get(c.0))
    }

    #[inline]
    fn visit(&mut self, offset: usize) {
        let at = offset / 8;
        if let Some(word) = self.visited.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    #[inline]
    fn is_visited(&self, offset: usize) -> bool {
        let at = offset / 8;
        self.visited
            .get(at / 64)
            .is_some_and(|w| w >> (at % 64) & 1 == 1)
    }

    fn is_string(&self, word: u64) -> bool {
        let target = self.space.target(word);
        target.is_some_and(|t| self.space.map(t).kind == InstanceType::String)
    }

    /// SetInternalReference.
    fn internal(&mut self, bytes: &[u8], offset: usize, name: StringId) -> Result<()> {
        let Some(word) = word_at(bytes, offset) else {
            return Ok(());
        };
        if let Some((_, to)) = self.essential(word) {
            self.edge(EdgeType::Internal, name, to)?;
            self.visit(offset);
        }
        Ok(())
    }

    fn internal_constant(&mut self, bytes: &[u8], at: Constant, name: StringId) -> Result<()> {
        match at.offset() {
            Ok(offset) => self.internal(bytes, offset as usize, name),
            Err(_) => Ok(()),
        }
    }

    /// SetWeakReference.
    fn weak(&mut self, bytes: &[u8], offset: usize, name: StringId) -> Result<()> {
        let Some(word) = word_at(bytes, offset) else {
            return Ok(());
        };
        if let Some((_, to)) = self.essential(word) {
            self.edge(EdgeType::Weak, name, to)?;
            self.visit(offset);
        }
        Ok(())
    }

    /// TagObject.
    fn tag(&mut self, word: u64, name: &str, becomes: Option<TagKind>) {
        if let Some((_, node)) = self.essential(word) {
            if self.builder.name_of(node) == self.empty_name {
                let name = self.names.intern(name);
                self.builder.set_name(node, name);
            }
            // Kinds came to V8 with the type "object shape".
            match becomes {
                Some(TagKind::Code) => self.builder.set_type(node, NodeType::Code),
                Some(TagKind::ObjectShape) => self.builder.set_type(node, NodeType::ObjectShape),
                None => {}
            }
        }
    }

    fn kinds(&self, kind: TagKind) -> Option<TagKind> {
        let version = self.shapes.cx.layout.version;
        let typed = match kind {
            TagKind::Code => version.at_least(10, 2),
            TagKind::ObjectShape => version.at_least(11, 0),
        };
        typed.then_some(kind)
    }

    /// Writes all edges of an object.
    pub fn object(&mut self, object: Ordinal) -> Result<()> {
        let shapes = self.shapes;
        let bytes = self.space.bytes(object);
        let shape = shapes.of(self.space.map_index(object));
        self.node = self.node_of[object as usize];
        self.hidden = 0;
        self.visited.clear();
        self.visited.resize(bytes.len() / 8 / 64 + 1, 0);
        self.references(object, bytes, shape)?;
        if let Some((_, to)) = word_at(bytes, 0).and_then(|w| self.essential(w)) {
            self.edge(EdgeType::Internal, self.words.map, to)?;
        }
        self.rest(object, bytes, shape)
    }

    fn references(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        use InstanceType as T;
        for field in &shape.fields {
            let offset = usize::from(field.offset);
            if let (Some(tag), Some(word)) = (field.tag, word_at(bytes, offset)) {
                let becomes = tag.becomes.and_then(|k| self.kinds(k));
                // A SharedFunctionInfo's name stands where its ScopeInfo will.
                if shape.kind != T::SharedFunctionInfo || !self.is_string(word) {
                    self.tag(word, tag.name, becomes);
                }
            }
            match field.usage {
                FieldUse::Internal(_) => match word_at(bytes, offset) {
                    Some(word) if Tagged(word).is_weak() => self.weak(bytes, offset, field.name)?,
                    _ => self.internal(bytes, offset, field.name)?,
                },
                FieldUse::Weak(_) => self.weak(bytes, offset, field.name)?,
                FieldUse::Skip => self.visit(offset),
                FieldUse::Hidden => {}
            }
        }
        match shape.kind {
            T::JSGlobalProxy => self.global_proxy(bytes),
            T::JSArrayBuffer => self.array_buffer(bytes),
            _ if shape.is_js_object => self.js_object(object, bytes, shape),
            T::String => self.string(bytes, shape),
            T::Map => self.map(object, bytes),
            T::SharedFunctionInfo => self.shared(object, bytes),
            T::DescriptorArray | T::StrongDescriptorArray => self.descriptors(bytes),
            T::TransitionArray => {
                if !self.shapes.cx.layout.version.at_least(11, 0) {
                    return self.weak_array(bytes, 16, word_at(bytes, 8));
                }
                if let Some(word) = word_at(bytes, 16) {
                    let becomes = self.kinds(TagKind::ObjectShape);
                    self.tag(word, "(prototype transitions)", becomes);
                }
                Ok(())
            }
            T::WeakFixedArray => self.weak_array(bytes, 16, word_at(bytes, 8)),
            T::WeakArrayList => self.weak_array(bytes, 24, word_at(bytes, 16)),
            T::FeedbackVector => self.feedback_vector(bytes),
            T::BytecodeArray => self.constant_pool(bytes),
            T::Code => self.code(object, bytes),
            T::ScopeInfo if !shape.is_fixed_array => self.scope_info(bytes),
            T::CallSiteInfo => self.call_site_info(bytes),
            T::EphemeronHashTable => self.ephemerons(bytes),
            kind if kind.is_context() => self.context(bytes, shape),
            _ if shape.is_fixed_array => self.fixed_array(bytes),
            _ => Ok(()),
        }
    }

    /// What V8 visits besides: hidden and weak edges without a name.
    fn rest(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        let shapes = self.shapes;
        let range = match &shape.body {
            Body::None | Body::Ephemerons => return Ok(()),
            Body::Words(range) => range.clone(),
            Body::Around(raw) => {
                self.rest_words(bytes, 8..raw.start)?;
                raw.end..usize::MAX
            }
            Body::Instructions(start) => {
                self.rest_words(bytes, 8..*start)?;
                let optimized =
                    self.is_optimized(bytes) && self.shapes.cx.layout.version.at_least(10, 0);
                for at in *start..bytes.len().saturating_sub(7) {
                    let Some(word) = word_at(bytes, at) else {
                        break;
                    };
                    if let Some(code) = shapes.called(self.space, object, bytes, at, *start) {
                        self.rest_word(self.space.address(code) | 1)?;
                    }
                    if !Tagged(word).is_strong() {
                        continue;
                    }
                    let target = self.space.target(word);
                    let weak = optimized && target.is_some_and(|t| self.is_weak_in_code(t));
                    // A weak edge's tag is not in the word here.
                    self.rest_word(if weak { word | 2 } else { word })?;
                }
                return Ok(());
            }
        };
        self.rest_words(bytes, range)
    }

    fn rest_words(&mut self, bytes: &[u8], range: std::ops::Range<usize>) -> Result<()> {
        let end = range.end.min(bytes.len());
        let mut at = range.start;
        while at + 8 <= end {
            if let Some(word) = word_at(bytes, at) {
                if word & 1 == 1 && !self.is_visited(at) {
                    self.rest_word(word)?;
                }
            }
            at += 8;
        }
        Ok(())
    }

    fn rest_word(&mut self, word: u64) -> Result<()> {
        let Some(object) = self.space.target(word) else {
            return Ok(());
        };
        let index = self.hidden;
        self.hidden += 1;
        let node = self.node_of[object as usize];
        if node == NO_NODE || self.inessential.get(object) {
            return Ok(());
        }
        let told_apart = self.shapes.cx.layout.version.at_least(10, 0);
        match Tagged(word).is_strong() || !told_apart {
            true => self.edge(EdgeType::Hidden, index, node),
            false => {
                let name = self.names.number(index as usize);
                self.edge(EdgeType::Weak, name, node)
            }
        }
    }

    fn string(&mut self, bytes: &[u8], shape: &Shape) -> Result<()> {
        let layout = self.shapes.cx.layout;
        let tags = &layout.tagging;
        let mask = tags.string_representation_mask.known().unwrap_or(7);
        let form = Some(i64::from(shape.number) & mask);
        let s = &layout.string;
        if form == tags.cons_string_tag.known() {
            self.internal_constant(bytes, s.cons_first, self.words.first)?;
            self.internal_constant(bytes, s.cons_second, self.words.second)
        } else if form == tags.sliced_string_tag.known() {
            self.internal_constant(bytes, s.sliced_parent, self.words.parent)
        } else if form == tags.thin_string_tag.known() {
            self.internal_constant(bytes, s.thin_actual, self.words.actual)
        } else {
            Ok(())
        }
    }

    fn map(&mut self, object: Ordinal, bytes: &[u8]) -> Result<()> {
        use InstanceType as T;
        let layout = &self.shapes.cx.layout.map;
        if let Ok(offset) = layout.transitions.offset() {
            let offset = offset as usize;
            let word = word_at(bytes, offset).unwrap_or(0);
            if Tagged(word).is_weak() {
                self.weak(bytes, offset, self.words.transition)?;
            } else if let Some(target) = self.space.target(word) {
                match self.space.map(target).kind {
                    T::TransitionArray => {
                        self.tag(word, "(transition array)", None);
                        self.internal(bytes, offset, self.words.transitions)?;
                    }
                    T::FixedArray => {
                        self.tag(word, "(transition)", None);
                        self.internal(bytes, offset, self.words.transition)?;
                    }
                    T::PrototypeInfo => {
                        self.tag(word, "prototype_info", None);
                        self.internal(bytes, offset, self.words.prototype_info)?;
                    }
                    _ => {}
                }
            }
        }
        let Ok(offset) = layout.constructor_or_back_pointer.offset() else {
            return Ok(());
        };
        let offset = offset as usize;
        let word = word_at(bytes, offset).unwrap_or(0);
        let Some(target) = self.space.target(word) else {
            return Ok(());
        };
        let own = HeapObject::new(self.shapes.cx, self.space.address(object));
        let kind = crate::object::Map(own)
            .instance_type()
            .unwrap_or(T::Unknown);
        let is_context_map = kind.is_context() || kind == T::Map;
        let name = match self.space.map(target).kind {
            T::NativeContext if is_context_map => {
                self.tag(word, "(native context)", None);
                self.words.native_context
            }
            T::Map => {
                self.tag(word, "(back pointer)", None);
                self.words.back_pointer
            }
            T::FunctionTemplateInfo => {
                self.tag(word, "(constructor function data)", None);
                self.words.constructor_function_data
            }
            _ => self.words.constructor,
        };
        self.internal(bytes, offset, name)
    }

    fn shared(&mut self, object: Ordinal, bytes: &[u8]) -> Result<()> {
        let cx = self.shapes.cx;
        let node = self.node;
        let names_itself = cx.layout.version.at_least(12, 0);
        if names_itself && self.builder.name_of(node) == self.empty_name {
            let name = self.names.intern("(shared function info)");
            self.builder.set_name(node, name);
        }
        let Ok(at) = cx.layout.shared.function_data.offset() else {
            return Ok(());
        };
        let Some(word) = word_at(bytes, at as usize) else {
            return Ok(());
        };
        let Some(mut code) = self.space.target(word) else {
            return Ok(());
        };
        let mut word = word;
        if self.space.map(code).kind == InstanceType::BaselineData {
            // Its first field is the Code.
            word = word_at(self.space.bytes(code), 8).unwrap_or(0);
            match self.space.target(word) {
                Some(target) => code = target,
                None => return Ok(()),
            }
            self.baseline.insert(code);
        }
        if !matches!(
            self.space.map(code).kind,
            InstanceType::Code | InstanceType::CodeDataContainer
        ) {
            return Ok(());
        }
        let info = SharedFunctionInfo(HeapObject::new(cx, self.space.address(object)));
        let name = info.debug_name().unwrap_or_default();
        let (for_code, for_stream) = match name.is_empty() {
            false => (
                format!("(code for {name})"),
                format!("(instruction stream for {name})"),
            ),
            true => (
                "(BASELINE code)".to_string(),
                "(BASELINE instruction stream)".to_string(),
            ),
        };
        // In 11.3 the name goes to the instructions.
        let version = cx.layout.version;
        let on_stream = version.at_least(11, 0) && !version.at_least(11, 4);
        let for_stream = match on_stream {
            true => for_code.clone(),
            false => for_stream,
        };
        if !on_stream {
            self.tag(word, &for_code, None);
        }
        let stream = cx.layout.code.instruction_stream.offset().ok();
        let stream = stream.and_then(|at| word_at(self.space.bytes(code), at as usize));
        if let Some(stream) = stream {
            self.tag(stream, &for_stream, None);
        }
        Ok(())
    }

    fn descriptors(&mut self, bytes: &[u8]) -> Result<()> {
        let layout = &self.shapes.cx.layout.descriptors;
        let start = layout.header.offset().unwrap_or(24) as usize;
        let count = bytes.len().saturating_sub(start) / 8;
        for index in 0..count {
            self.maybe_weak(bytes, start + index * 8, index)?;
        }
        Ok(())
    }

    /// Weak or internal by the pointer's tag.
    fn maybe_weak(&mut self, bytes: &[u8], offset: usize, index: usize) -> Result<()> {
        let word = word_at(bytes, offset).unwrap_or(0);
        if word & 1 == 0 {
            return Ok(());
        }
        let name = self.names.number(index);
        match Tagged(word).is_strong() {
            true => self.internal(bytes, offset, name),
            false => self.weak(bytes, offset, name),
        }
    }

    fn weak_array(&mut self, bytes: &[u8], start: usize, length: Option<u64>) -> Result<()> {
        let length = length.and_then(|w| self.shapes.cx.smi(Tagged(w)));
        let room = bytes.len().saturating_sub(start) / 8;
        let count = usize::try_from(length.unwrap_or(0)).unwrap_or(0).min(room);
        for index in 0..count {
            self.maybe_weak(bytes, start + index * 8, index)?;
        }
        Ok(())
    }

    fn fixed_array(&mut self, bytes: &[u8]) -> Result<()> {
        let data = self
            .shapes
            .cx
            .layout
            .fixed_array
            .data
            .offset()
            .unwrap_or(16) as usize;
        let count = bytes.len().saturating_sub(data) / 8;
        for index in 0..count {
            let word = word_at(bytes, data + index * 8).unwrap_or(0);
            if Tagged(word).is_strong() {
                let name = self.names.number(index);
                self.internal(bytes, data + index * 8, name)?;
            }
        }
        Ok(())
    }

    /// Names too many to stand in the ScopeInfo itself are in a table.
    fn scope_info(&mut self, bytes: &[u8]) -> Result<()> {
        let becomes = self.kinds(TagKind::Code);
        if !self.tags_parts_of_code() {
            return Ok(());
        }
        for chunk in bytes.chunks_exact(8).skip(1) {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            let target = self.space.target(word);
            if target.is_some_and(|t| self.space.map(t).kind == InstanceType::NameToIndexHashTable)
            {
                self.tag(word, "(context local names)", becomes);
                break;
            }
        }
        Ok(())
    }

    /// V8 12 visits the code twice, as the trusted pointer that it is with a sandbox too.
    fn call_site_info(&mut self, bytes: &[u8]) -> Result<()> {
        let version = self.shapes.cx.layout.version;
        if version.at_least(12, 0) && !version.at_least(13, 0) {
            if let Some(word) = word_at(bytes, 8) {
                self.rest_word(word)?;
            }
        }
        Ok(())
    }
}
