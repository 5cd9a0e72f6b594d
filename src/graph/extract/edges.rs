//! The references of each object, by the rules of V8's snapshot generator.

mod code;
mod js;

use super::body::Body;
use super::mark::Marks;
use super::names::Names;
use super::shapes::{ElementsForm, PropertyAt, Shape, Shapes};
use super::space::{word_at, Ordinal, Space};
use crate::error::Result;
use crate::graph::{named, Builder, EdgeType, NodeId, NodeType, StringId};
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
        self.rest(bytes, shape)
    }

    fn references(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        use InstanceType as T;
        for field in &shape.fields {
            let offset = usize::from(field.offset);
            if let (Some(tag), Some(word)) = (field.tag, word_at(bytes, offset)) {
                let becomes = tag.becomes.and_then(|k| self.kinds(k));
                self.tag(word, tag.name, becomes);
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
            T::JSGlobalProxy => Ok(()),
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
            kind if kind.is_context() => self.context(object, bytes, shape),
            _ if shape.is_fixed_array => self.fixed_array(bytes),
            _ => Ok(()),
        }
    }

    /// What V8 visits besides: hidden and weak edges without a name.
    fn rest(&mut self, bytes: &[u8], shape: &Shape) -> Result<()> {
        let range = match &shape.body {
            Body::None | Body::Ephemerons => return Ok(()),
            Body::Words(range) => range.clone(),
            Body::Instructions(start) => {
                self.rest_words(bytes, 8..*start)?;
                let optimized =
                    self.is_optimized(bytes) && self.shapes.cx.layout.version.at_least(10, 0);
                for at in *start..bytes.len().saturating_sub(7) {
                    let Some(word) = word_at(bytes, at) else {
                        break;
                    };
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

    fn ephemerons(&mut self, bytes: &[u8]) -> Result<()> {
        let data = self
            .shapes
            .cx
            .layout
            .fixed_array
            .data
            .offset()
            .unwrap_or(16) as usize;
        let mut at = self.shapes.ephemerons_start;
        let table = self.node;
        let table_id = table.wrapping_mul(2).wrapping_add(1);
        let mut edges = 0u32;
        while let (Some(key), Some(value)) = (word_at(bytes, at), word_at(bytes, at + 8)) {
            let index = at.saturating_sub(data) / 8;
            for (word, index) in [(key, index), (value, index + 1)] {
                if let Some((_, to)) = self.essential(word) {
                    let name = self.names.number(index);
                    self.edge(EdgeType::Weak, name, to)?;
                    edges += 1;
                }
            }
            if let (Some((key, from)), Some((_, to))) = (self.child(key), self.child(value)) {
                let old = !self.shapes.cx.layout.version.at_least(8, 0);
                if old || self.space.map(key).kind != InstanceType::Oddball {
                    let id = |node: NodeId| node.wrapping_mul(2).wrapping_add(1);
                    let name_of = |edges: &Self, node| {
                        edges.names.text(edges.builder.name_of(node)).to_string()
                    };
                    let text = format!(
                        " / part of key ({} @{}) -> value ({} @{}) pair in WeakMap (table @{})",
                        name_of(self, from),
                        id(from),
                        name_of(self, to),
                        id(to),
                        table_id
                    );
                    if !old {
                        edges += 1;
                        let name = self.names.intern(&format!("{edges}{text}"));
                        self.edge(EdgeType::Internal, name, to)?;
                    }
                    self.key_edges.push((from, to, text));
                }
            }
            at += 16;
        }
        Ok(())
    }

    fn context(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        use InstanceType as T;
        let cx = self.shapes.cx;
        let layout = &cx.layout.context;
        let slots = layout.slots.offset().unwrap_or(16) as usize;
        let offset = |index: Option<i64>| {
            index
                .and_then(|i| usize::try_from(i).ok())
                .map(|i| slots + i * 8)
        };
        let scope_info = offset(layout.scope_info_index.known());
        let previous = offset(layout.previous_index.known());
        let extension = offset(layout.extension_index.known());
        let info = scope_info.and_then(|at| word_at(bytes, at));
        let info = info.and_then(|w| cx.object(Tagged(w)).ok());
        let declaration = match shape.kind {
            T::FunctionContext | T::ScriptContext | T::ModuleContext => true,
            T::EvalContext | T::BlockContext => {
                info.is_some_and(|i| ScopeInfo(i).is_declaration_scope().unwrap_or(false))
            }
            _ => false,
        };
        if let (true, Some(info)) = (declaration, info) {
            if !self.locals.contains_key(&info.address) {
                let locals = ScopeInfo(info).context_locals().unwrap_or_default();
                let locals = locals
                    .into_iter()
                    .map(|l| (l.slot, self.names.intern(&l.name.unwrap_or_default())))
                    .collect();
                self.locals.insert(info.address, locals);
            }
            let count = self.locals.get(&info.address).map_or(0, Vec::len);
            for at in 0..count {
                let (slot, name) = self.locals[&info.address][at];
                let offset = slots.saturating_add((slot as usize).saturating_mul(8));
                let Some(word) = word_at(bytes, offset) else {
                    continue;
                };
                if let Some((_, to)) = self.child(word) {
                    self.edge(EdgeType::Context, name, to)?;
                    self.visit(offset);
                }
            }
        }
        let named = [
            (scope_info, self.words.scope_info),
            (previous, self.words.previous),
        ];
        for (offset, name) in named {
            if let Some(offset) = offset {
                self.internal(bytes, offset, name)?;
            }
        }
        let has_extension = shape.kind == T::NativeContext
            || info.is_some_and(|i| ScopeInfo(i).has_context_extension_slot().unwrap_or(false));
        if let (true, Some(offset)) = (has_extension, extension) {
            if !self.is_visited(offset) {
                self.internal(bytes, offset, self.words.extension)?;
            }
        }
        if !cx.layout.version.at_least(8, 0) && shape.kind != T::NativeContext {
            let at = slots + OLD_NATIVE_CONTEXT_INDEX * 8;
            if !self.is_visited(at) {
                self.internal(bytes, at, self.words.native_context)?;
            }
        }
        if shape.kind == T::NativeContext {
            self.native_context(object, bytes, slots)?;
        }
        Ok(())
    }

    fn native_context(&mut self, _object: Ordinal, bytes: &[u8], slots: usize) -> Result<()> {
        let length = word_at(bytes, 8).and_then(|w| self.shapes.cx.smi(Tagged(w)));
        let count = usize::try_from(length.unwrap_or(0)).unwrap_or(0);
        let embedder = self.shapes.cx.layout.context.embedder_data.offset().ok();
        for index in 0..count {
            let offset = slots + index * 8;
            if index + 1 == count {
                // The list of all contexts, which holds none.
                self.visit(offset);
                break;
            }
            if embedder == Some(offset as u64) {
                if let Some(word) = word_at(bytes, offset) {
                    self.tag(word, "(context data)", None);
                }
            }
            if !self.is_visited(offset) {
                let name = self.names.number(index);
                self.internal(bytes, offset, name)?;
            }
        }
        Ok(())
    }
}
