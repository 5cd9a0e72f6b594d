//! References of JavaScript objects: properties, elements, functions, buffers.

use super::super::names::Key;
use super::*;

impl Visitor<'_, '_> {
    pub(super) fn js_object(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) {
        self.properties(object, bytes, shape);
        self.elements(bytes, shape);
        let (first, count) = shape.embedder;
        for at in 0..count as usize {
            let offset = first as usize + at * 8;
            let name = self.names.number(at);
            self.internal(bytes, offset, name);
        }
        if let Some((_, to)) = self.child(shape.prototype.0) {
            self.edge(EdgeType::Property, self.words.proto, to);
        }
        if shape.kind == InstanceType::JSBoundFunction {
            self.bound_arguments(bytes);
        }
        if shape.kind.is_js_function() {
            self.function(bytes, shape);
        }
    }

    /// What a global proxy stands for, by its Map's own Map (from V8 14 on).
    pub(super) fn global_proxy(&mut self, bytes: &[u8]) {
        let layout = self.cx.layout;
        if !layout.version.at_least(14, 0) {
            return;
        }
        let slots = layout.context.slots.offset().ok();
        let index = layout.context.extension_index.offset().ok();
        let (Ok(context_at), Some(slots), Some(index)) = (
            layout.map.constructor_or_back_pointer.offset(),
            slots,
            index,
        ) else {
            return;
        };
        let at = |bytes: &[u8], offset: u64| {
            let object = self.space.target(word_at(bytes, offset as usize)?)?;
            Some((object, self.space.bytes(object)))
        };
        let context = at(bytes, 0)
            .and_then(|(_, map)| at(map, 0))
            .and_then(|(_, meta)| at(meta, context_at))
            .filter(|(context, _)| self.space.map(*context).kind == InstanceType::NativeContext);
        let Some((context, context_bytes)) = context else {
            return;
        };
        let global = at(context_bytes, slots + index * 8);
        for (object, name) in [
            (Some(context), self.words.native_context),
            (global.map(|(object, _)| object), self.words.global_object),
        ] {
            let node = object.map_or(NO_NODE, |o| self.plan.nodes.of(o));
            if node != NO_NODE {
                self.edge(EdgeType::Shortcut, name, node);
            }
        }
    }

    pub(super) fn bound_arguments(&mut self, bytes: &[u8]) {
        let layout = self.cx.layout;
        let Ok(at) = layout.js_bound_function.arguments.offset() else {
            return;
        };
        let Some(array) = word_at(bytes, at as usize).and_then(|w| self.space.target(w)) else {
            return;
        };
        let items = self.space.bytes(array);
        for (index, chunk) in items.chunks_exact(8).skip(2).enumerate() {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            if let Some((_, to)) = self.child(word) {
                let name = self.names.intern(&format!("bound_argument_{index}"));
                self.edge(EdgeType::Shortcut, name, to);
            }
        }
    }

    pub(super) fn function(&mut self, bytes: &[u8], shape: &Shape) {
        let layout = self.cx.layout;
        if shape.has_prototype_slot {
            if let Ok(offset) = layout.js_function.prototype_or_initial_map.offset() {
                let offset = offset as usize;
                let word = word_at(bytes, offset).unwrap_or(0);
                if word != self.plan.the_hole {
                    if let Some((value, to)) = self.child(word) {
                        if self.space.map(value).kind == InstanceType::Map {
                            let prototype = layout.map.prototype.offset().unwrap_or(24);
                            let prototype = word_at(self.space.bytes(value), prototype as usize);
                            if let Some((_, to)) = prototype.and_then(|w| self.child(w)) {
                                self.edge(EdgeType::Property, self.words.prototype, to);
                            }
                            self.internal(bytes, offset, self.words.initial_map);
                        } else {
                            self.edge(EdgeType::Property, self.words.prototype, to);
                            self.visit(offset);
                        }
                    }
                }
            }
        }
        if let Some(code) = self.shapes.code_of(shape, bytes) {
            let node = self.plan.nodes.of(code);
            if node != NO_NODE {
                self.edge(EdgeType::Internal, self.words.code, node);
            }
        }
    }

    /// SetPropertyReference.
    pub(super) fn property(&mut self, key: Key, word: u64, format: Option<bool>) -> bool {
        let Some((_, to)) = self.child(word) else {
            return false;
        };
        let kind = match key.is_empty {
            true => EdgeType::Internal,
            false => EdgeType::Property,
        };
        let name = match format {
            Some(setter) if key.is_string => self.accessor_name(key.name, setter),
            _ => key.name,
        };
        self.edge(kind, name, to);
        true
    }

    fn key(&mut self, key: Tagged) -> Key {
        if let Some(known) = self.names.known_key(key) {
            return known;
        }
        let read = self.names.read_key(self.cx, key);
        if self.is_whole() {
            self.names.keep_key(key, read);
        }
        read
    }

    pub(super) fn accessor_name(&mut self, name: StringId, setter: bool) -> StringId {
        if let Some(&known) = self.accessor_names.get(&(name, setter)) {
            return known;
        }
        let prefix = if setter { "set" } else { "get" };
        let text = format!("{prefix} {}", self.names.text(name));
        let id = self.names.intern(&text);
        self.accessor_names.insert((name, setter), id);
        id
    }

    pub(super) fn property_or_accessor(
        &mut self,
        key: Key,
        word: u64,
        is_accessor: bool,
        offset: Option<usize>,
    ) {
        if !is_accessor {
            if self.property(key, word, None) {
                if let Some(offset) = offset {
                    self.visit(offset);
                }
            }
            return;
        }
        let Some(pair) = self.space.target(word) else {
            return;
        };
        if self.space.map(pair).kind != InstanceType::AccessorPair {
            return;
        }
        self.property(key, word, None);
        let layout = &self.cx.layout.accessor_pair;
        let parts = self.space.bytes(pair);
        for (at, setter) in [(layout.getter, false), (layout.setter, true)] {
            let word = at.offset().ok().and_then(|at| word_at(parts, at as usize));
            let value = word.and_then(|w| Some((w, self.space.target(w)?)));
            if let Some((word, value)) = value {
                if self.space.map(value).kind != InstanceType::Oddball {
                    self.property(key, word, Some(setter));
                }
            }
        }
    }

    pub(super) fn properties(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) {
        let layout = self.cx.layout;
        let store = layout.js_object.properties_or_hash.offset().unwrap_or(8) as usize;
        if shape.is_dictionary {
            return self.dictionary_properties(object, bytes, shape, store);
        }
        if shape.properties.is_empty() {
            return;
        }
        let outside = word_at(bytes, store)
            .and_then(|w| self.space.target(w))
            .map(|o| self.space.bytes(o));
        let data = layout.property_array.data.offset().unwrap_or(16) as usize;
        for property in &shape.properties {
            let (word, offset) = match property.at {
                PropertyAt::Inside(offset) => {
                    (word_at(bytes, offset as usize), Some(offset as usize))
                }
                PropertyAt::Outside(index) => {
                    let at = data + index as usize * 8;
                    (outside.and_then(|b| word_at(b, at)), None)
                }
                PropertyAt::Constant(value) => (Some(value.0), None),
            };
            if let Some(word) = word {
                self.property_or_accessor(property.key, word, property.is_accessor, offset);
            }
        }
    }

    pub(super) fn dictionary_properties(
        &mut self,
        _object: Ordinal,
        bytes: &[u8],
        shape: &Shape,
        store: usize,
    ) {
        let cx = self.cx;
        let Some(word) = word_at(bytes, store) else {
            return;
        };
        let Ok(dictionary) = cx.object(Tagged(word)) else {
            return;
        };
        if shape.kind == InstanceType::JSGlobalObject {
            let layout = &cx.layout.property_cell;
            let entries = HashTable::global_dictionary(dictionary).and_then(HashTable::entries);
            for entry in entries.unwrap_or_default() {
                let Some(cell) = entry.first().and_then(|c| cx.object(*c).ok()) else {
                    continue;
                };
                let (Ok(key), Ok(value)) = (cell.field(layout.name), cell.field(layout.value))
                else {
                    continue;
                };
                let details = cell.smi_field(layout.details).unwrap_or(0);
                let accessor = crate::object::PropertyDetails(details)
                    .is_accessor(cx)
                    .unwrap_or(false);
                let key = self.key(key);
                self.property_or_accessor(key, value.0, accessor, None);
            }
            return;
        }
        let entries = HashTable::name_dictionary(dictionary).and_then(HashTable::properties);
        for entry in entries.unwrap_or_default() {
            let accessor = entry
                .details
                .and_then(|d| d.is_accessor(cx).ok())
                .unwrap_or(false);
            let key = self.key(entry.key);
            self.property_or_accessor(key, entry.value.0, accessor, None);
        }
    }

    pub(super) fn elements(&mut self, bytes: &[u8], shape: &Shape) {
        let cx = self.cx;
        let layout = cx.layout;
        let store = layout.js_object.elements.offset().unwrap_or(16) as usize;
        let Some(store) = word_at(bytes, store).and_then(|w| self.space.target(w)) else {
            return;
        };
        match shape.elements {
            ElementsForm::None => {}
            ElementsForm::Tagged => {
                let items = self.space.bytes(store);
                let data = layout.fixed_array.data.offset().unwrap_or(16) as usize;
                let mut count = items.len().saturating_sub(data) / 8;
                if shape.kind == InstanceType::JSArray {
                    let length = layout.js_array.length.offset().unwrap_or(24) as usize;
                    let length = word_at(bytes, length).and_then(|w| cx.smi(Tagged(w)));
                    count = count.min(usize::try_from(length.unwrap_or(0)).unwrap_or(0));
                }
                for index in 0..count {
                    let Some(word) = word_at(items, data + index * 8) else {
                        break;
                    };
                    if word & 1 == 0 || word == self.plan.the_hole {
                        continue;
                    }
                    if let Some((_, to)) = self.child(word) {
                        self.edge(EdgeType::Element, index as u32, to);
                    }
                }
            }
            ElementsForm::Dictionary => {
                let object = HeapObject::new(cx, self.space.address(store));
                let entries = HashTable::number_dictionary(object).and_then(HashTable::properties);
                for entry in entries.unwrap_or_default() {
                    let index = match cx.smi(entry.key) {
                        Some(index) => index as u32,
                        None => cx
                            .object(entry.key)
                            .and_then(crate::object::heap_number)
                            .unwrap_or(0.0) as u32,
                    };
                    if let Some((_, to)) = self.child(entry.value.0) {
                        self.edge(EdgeType::Element, index, to);
                    }
                }
            }
        }
    }

    pub(super) fn array_buffer(&mut self, bytes: &[u8]) {
        let layout = &self.cx.layout.js_array_buffer;
        let (Ok(store), Ok(length)) = (layout.backing_store.offset(), layout.byte_length.offset())
        else {
            return;
        };
        let address = word_at(bytes, store as usize).unwrap_or(0);
        if address != 0 {
            self.out.natives.push(NativePart {
                owner: self.node,
                address,
                size: word_at(bytes, length as usize).unwrap_or(0),
                name: self.words.array_buffer_data,
                edge: self.words.backing_store,
            });
        }
    }
}
