//! The references of each object, by the rules of V8's snapshot generator. Threads make them page
//! by page, each with a [`Visitor`]; what must come in order is left to whoever takes the blocks.

mod code;
mod context;
mod js;

use super::block::{NativePart, Tag, WeakEntry};
use super::nodes::NO_NODE;
use super::shapes::{ElementsForm, PropertyAt, Shape};
use super::space::{word_at, Ordinal};
use super::visitor::Visitor;
use crate::graph::{EdgeType, NodeId, NodeType, StringId};
use crate::heap::Body;
use crate::metadata::{Constant, FieldUse, InstanceType, TagKind};
use crate::object::{HashTable, HeapObject, ScopeInfo, SharedFunctionInfo, Tagged};
use std::rc::Rc;

/// Slot of a V8 7 context that holds its native context.
const OLD_NATIVE_CONTEXT_INDEX: usize = 3;

impl Visitor<'_, '_> {
    #[inline]
    fn edge(&mut self, kind: EdgeType, name: u32, to: NodeId) {
        self.out.edge(kind, name, to);
    }

    /// Node of the object a strong or weak pointer is to.
    #[inline]
    fn child(&self, word: u64) -> Option<(Ordinal, NodeId)> {
        let tagged = Tagged(word);
        if !(tagged.is_strong() || tagged.is_weak()) {
            return None;
        }
        let object = self.space.word_of(word & !3)?;
        let node = self.plan.nodes.of(object);
        (node != NO_NODE).then_some((object, node))
    }

    #[inline]
    fn essential(&self, word: u64) -> Option<(Ordinal, NodeId)> {
        self.child(word).filter(|c| !self.plan.is_inessential(c.0))
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

    /// A field with a name whose object is not shown: before V8 9 it is not one of those without a name
    /// either, which are numbered.
    fn visit_unshown(&mut self, word: u64, offset: usize) {
        let is_old = !self.cx.layout.version.at_least(9, 0);
        if is_old && self.child(word).is_some() {
            self.visit(offset);
        }
    }

    /// SetInternalReference.
    fn internal(&mut self, bytes: &[u8], offset: usize, name: StringId) {
        let Some(word) = word_at(bytes, offset) else {
            return;
        };
        if let Some((_, to)) = self.essential(word) {
            self.edge(EdgeType::Internal, name, to);
            self.visit(offset);
        } else {
            self.visit_unshown(word, offset);
        }
    }

    fn internal_constant(&mut self, bytes: &[u8], at: Constant, name: StringId) {
        if let Ok(offset) = at.offset() {
            self.internal(bytes, offset as usize, name);
        }
    }

    /// SetWeakReference.
    fn weak(&mut self, bytes: &[u8], offset: usize, name: StringId) {
        let Some(word) = word_at(bytes, offset) else {
            return;
        };
        if let Some((_, to)) = self.essential(word) {
            self.edge(EdgeType::Weak, name, to);
            self.visit(offset);
        } else {
            self.visit_unshown(word, offset);
        }
    }

    /// TagObject.
    fn tag(&mut self, word: u64, name: &str, becomes: Option<TagKind>) {
        if let Some((_, node)) = self.essential(word) {
            let name = self.names.intern(name);
            self.tag_node(node, name, becomes, false);
        }
    }

    fn tag_node(&mut self, node: NodeId, name: StringId, becomes: Option<TagKind>, always: bool) {
        // Kinds came to V8 with the type "object shape".
        let becomes = becomes.map(|becomes| match becomes {
            TagKind::Code => NodeType::Code,
            TagKind::ObjectShape => NodeType::ObjectShape,
        });
        let from = self.out.kinds.len() as u32 - 1;
        let tag = Tag {
            node,
            name,
            becomes,
            always,
        };
        self.out.tags.push((from, tag));
    }

    fn kinds(&self, kind: TagKind) -> Option<TagKind> {
        let version = self.cx.layout.version;
        let typed = match kind {
            TagKind::Code => version.at_least(10, 2),
            TagKind::ObjectShape => version.at_least(11, 0),
        };
        typed.then_some(kind)
    }

    pub(super) fn make_edges(&mut self, object: Ordinal, map: u32, bytes: &[u8]) {
        let shapes = self.shapes;
        let shape = shapes.of(map);
        self.hidden = 0;
        self.visited.clear();
        self.visited.resize(bytes.len() / 8 / 64 + 1, 0);
        self.references(object, bytes, shape);
        if let Some((_, to)) = word_at(bytes, 0).and_then(|w| self.essential(w)) {
            self.edge(EdgeType::Internal, self.words.map, to);
        }
        self.rest(object, bytes, shape);
    }

    fn references(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) {
        use InstanceType as T;
        for field in &shape.fields {
            let offset = usize::from(field.offset);
            let Some(word) = word_at(bytes, offset) else {
                continue;
            };
            let found = self.essential(word);
            if let (Some((name, becomes)), Some((_, node))) = (field.tag, found) {
                // A SharedFunctionInfo's name stands where its ScopeInfo will.
                if shape.kind != T::SharedFunctionInfo || !self.is_string(word) {
                    let becomes = becomes.and_then(|k| self.kinds(k));
                    self.tag_node(node, name, becomes, false);
                }
            }
            let kind = match field.usage {
                FieldUse::Internal(_) if Tagged(word).is_weak() => EdgeType::Weak,
                FieldUse::Internal(_) => EdgeType::Internal,
                FieldUse::Weak(_) => EdgeType::Weak,
                FieldUse::Skip => {
                    self.visit(offset);
                    continue;
                }
                FieldUse::Hidden | FieldUse::WeakHidden => continue,
            };
            if let Some((_, to)) = found {
                self.edge(kind, field.name, to);
                self.visit(offset);
            } else {
                self.visit_unshown(word, offset);
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
                if !self.cx.layout.version.at_least(11, 0) {
                    return self.weak_array(bytes, 16, word_at(bytes, 8));
                }
                if let Some(word) = word_at(bytes, 16) {
                    let becomes = self.kinds(TagKind::ObjectShape);
                    self.tag(word, "(prototype transitions)", becomes);
                }
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
            _ => {}
        }
    }

    /// What V8 visits besides: hidden and weak edges without a name.
    fn rest(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) {
        let shapes = self.shapes;
        let range = match &shape.body {
            Body::None | Body::Ephemerons => return,
            Body::Words(range) => range.clone(),
            Body::Around(raw) => {
                self.rest_words(bytes, 8..raw.start);
                raw.end..usize::MAX
            }
            Body::Instructions(start) => {
                self.rest_words(bytes, 8..*start);
                let optimized = self.is_optimized(bytes) && self.cx.layout.version.at_least(10, 0);
                for at in *start..bytes.len().saturating_sub(7) {
                    let Some(word) = word_at(bytes, at) else {
                        break;
                    };
                    if let Some(code) = shapes.called(self.space, object, bytes, at, *start) {
                        self.rest_word(self.space.address(code) | 1);
                    }
                    if !Tagged(word).is_strong() {
                        continue;
                    }
                    let target = self.space.target(word);
                    let weak = optimized && target.is_some_and(|t| self.is_weak_in_code(t));
                    // A weak edge's tag is not in the word here.
                    self.rest_word(if weak { word | 2 } else { word });
                }
                return;
            }
        };
        self.rest_words(bytes, range)
    }

    fn rest_words(&mut self, bytes: &[u8], range: std::ops::Range<usize>) {
        let end = range.end.min(bytes.len());
        let mut at = range.start;
        while at + 8 <= end {
            if let Some(word) = word_at(bytes, at) {
                if word & 1 == 1 && !self.is_visited(at) {
                    self.rest_word(word);
                }
            }
            at += 8;
        }
    }

    fn rest_word(&mut self, word: u64) {
        let Some(object) = self.space.target(word) else {
            return;
        };
        let index = self.hidden;
        self.hidden += 1;
        let node = self.plan.nodes.of(object);
        if node == NO_NODE || self.plan.is_inessential(object) {
            return;
        }
        let told_apart = self.cx.layout.version.at_least(10, 0);
        match Tagged(word).is_strong() || !told_apart {
            true => self.edge(EdgeType::Hidden, index, node),
            false => {
                let name = self.names.number(index as usize);
                self.edge(EdgeType::Weak, name, node)
            }
        }
    }

    fn string(&mut self, bytes: &[u8], shape: &Shape) {
        let layout = self.cx.layout;
        let tags = &layout.tagging;
        let mask = tags.string_representation_mask.known().unwrap_or(7);
        let form = Some(i64::from(shape.number) & mask);
        let s = &layout.string;
        if form == tags.cons_string_tag.known() {
            self.internal_constant(bytes, s.cons_first, self.words.first);
            self.internal_constant(bytes, s.cons_second, self.words.second)
        } else if form == tags.sliced_string_tag.known() {
            self.internal_constant(bytes, s.sliced_parent, self.words.parent)
        } else if form == tags.thin_string_tag.known() {
            self.internal_constant(bytes, s.thin_actual, self.words.actual)
        }
    }

    fn map(&mut self, object: Ordinal, bytes: &[u8]) {
        use InstanceType as T;
        let layout = &self.cx.layout.map;
        if let Ok(offset) = layout.transitions.offset() {
            let offset = offset as usize;
            let word = word_at(bytes, offset).unwrap_or(0);
            if Tagged(word).is_weak() {
                self.weak(bytes, offset, self.words.transition);
            } else if let Some(target) = self.space.target(word) {
                match self.space.map(target).kind {
                    T::TransitionArray => {
                        self.tag(word, "(transition array)", None);
                        self.internal(bytes, offset, self.words.transitions);
                    }
                    T::FixedArray => {
                        self.tag(word, "(transition)", None);
                        self.internal(bytes, offset, self.words.transition);
                    }
                    T::PrototypeInfo => {
                        self.tag(word, "prototype_info", None);
                        self.internal(bytes, offset, self.words.prototype_info);
                    }
                    _ => {}
                }
            }
        }
        let Ok(offset) = layout.constructor_or_back_pointer.offset() else {
            return;
        };
        let offset = offset as usize;
        let word = word_at(bytes, offset).unwrap_or(0);
        let Some(target) = self.space.target(word) else {
            return;
        };
        let own = HeapObject::new(self.cx, self.space.address(object));
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

    fn shared(&mut self, object: Ordinal, bytes: &[u8]) {
        let cx = self.cx;
        let node = self.node;
        let names_itself = cx.layout.version.at_least(12, 0);
        if names_itself {
            self.tag_node(node, self.words.shared_function_info, None, false);
        }
        let Ok(at) = cx.layout.shared.function_data.offset() else {
            return;
        };
        let Some(word) = word_at(bytes, at as usize) else {
            return;
        };
        let Some(mut code) = self.space.target(word) else {
            return;
        };
        let mut word = word;
        if self.space.map(code).kind == InstanceType::BaselineData {
            // Its first field is the Code.
            word = word_at(self.space.bytes(code), 8).unwrap_or(0);
            match self.space.target(word) {
                Some(target) => code = target,
                None => return,
            }
        }
        if !matches!(
            self.space.map(code).kind,
            InstanceType::Code | InstanceType::CodeDataContainer
        ) {
            return;
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
    }

    fn descriptors(&mut self, bytes: &[u8]) {
        let layout = &self.cx.layout.descriptors;
        let start = layout.header.offset().unwrap_or(24) as usize;
        let count = bytes.len().saturating_sub(start) / 8;
        for index in 0..count {
            self.maybe_weak(bytes, start + index * 8, index);
        }
    }

    /// Weak or internal by the pointer's tag.
    fn maybe_weak(&mut self, bytes: &[u8], offset: usize, index: usize) {
        let word = word_at(bytes, offset).unwrap_or(0);
        if word & 1 == 0 {
            return;
        }
        let name = self.names.number(index);
        match Tagged(word).is_strong() {
            true => self.internal(bytes, offset, name),
            false => self.weak(bytes, offset, name),
        }
    }

    fn weak_array(&mut self, bytes: &[u8], start: usize, length: Option<u64>) {
        let length = length.and_then(|w| self.cx.smi(Tagged(w)));
        let room = bytes.len().saturating_sub(start) / 8;
        let count = usize::try_from(length.unwrap_or(0)).unwrap_or(0).min(room);
        for index in 0..count {
            self.maybe_weak(bytes, start + index * 8, index);
        }
    }

    fn fixed_array(&mut self, bytes: &[u8]) {
        let data = self.cx.layout.fixed_array.data.offset().unwrap_or(16) as usize;
        let count = bytes.len().saturating_sub(data) / 8;
        for index in 0..count {
            let word = word_at(bytes, data + index * 8).unwrap_or(0);
            if Tagged(word).is_strong() {
                let name = self.names.number(index);
                self.internal(bytes, data + index * 8, name);
            }
        }
    }

    /// Names too many to stand in the ScopeInfo itself are in a table.
    fn scope_info(&mut self, bytes: &[u8]) {
        let becomes = self.kinds(TagKind::Code);
        if !self.tags_parts_of_code() {
            return;
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
    }

    /// V8 12 visits the code twice, as the trusted pointer that it is with a sandbox too.
    fn call_site_info(&mut self, bytes: &[u8]) {
        let version = self.cx.layout.version;
        if version.at_least(12, 0) && !version.at_least(13, 0) {
            if let Some(word) = word_at(bytes, 8) {
                self.rest_word(word);
            }
        }
    }
}
