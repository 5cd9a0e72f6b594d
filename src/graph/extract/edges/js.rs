//! References of JavaScript objects: properties, elements, functions, buffers.

use super::*;

impl Edges<'_, '_> {
    pub(super) fn js_object(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        self.properties(object, bytes, shape)?;
        self.elements(bytes, shape)?;
        let (first, count) = shape.embedder;
        for at in 0..count as usize {
            let offset = first as usize + at * 8;
            let name = self.names.number(at);
            self.internal(bytes, offset, name)?;
        }
        if let Some((_, to)) = self.child(shape.prototype.0) {
            self.edge(EdgeType::Property, self.words.proto, to)?;
        }
        if shape.kind == InstanceType::JSBoundFunction {
            self.bound_arguments(bytes)?;
        }
        if shape.kind.is_js_function() {
            self.function(object, bytes, shape)?;
        }
        Ok(())
    }

    /// What a global proxy stands for, by its Map's own Map (from V8 14 on).
    pub(super) fn global_proxy(&mut self, bytes: &[u8]) -> Result<()> {
        let layout = self.shapes.cx.layout;
        if !layout.version.at_least(14, 0) {
            return Ok(());
        }
        let slots = layout.context.slots.offset().ok();
        let index = layout.context.extension_index.offset().ok();
        let (Ok(context_at), Some(slots), Some(index)) = (
            layout.map.constructor_or_back_pointer.offset(),
            slots,
            index,
        ) else {
            return Ok(());
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
            return Ok(());
        };
        let global = at(context_bytes, slots + index * 8);
        for (object, name) in [
            (Some(context), self.words.native_context),
            (global.map(|(object, _)| object), self.words.global_object),
        ] {
            let node = object.map_or(NO_NODE, |o| self.node_of[o as usize]);
            if node != NO_NODE {
                self.edge(EdgeType::Shortcut, name, node)?;
            }
        }
        Ok(())
    }

    pub(super) fn bound_arguments(&mut self, bytes: &[u8]) -> Result<()> {
        let layout = self.shapes.cx.layout;
        let Ok(at) = layout.js_bound_function.arguments.offset() else {
            return Ok(());
        };
        let Some(array) = word_at(bytes, at as usize).and_then(|w| self.space.target(w)) else {
            return Ok(());
        };
        let items = self.space.bytes(array);
        for (index, chunk) in items.chunks_exact(8).skip(2).enumerate() {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            if let Some((_, to)) = self.child(word) {
                let name = self.names.intern(&format!("bound_argument_{index}"));
                self.edge(EdgeType::Shortcut, name, to)?;
            }
        }
        Ok(())
    }

    pub(super) fn function(&mut self, object: Ordinal, bytes: &[u8], shape: &Shape) -> Result<()> {
        let layout = self.shapes.cx.layout;
        if shape.has_prototype_slot {
            if let Ok(offset) = layout.js_function.prototype_or_initial_map.offset() {
                let offset = offset as usize;
                let word = word_at(bytes, offset).unwrap_or(0);
                if word != self.the_hole {
                    if let Some((value, to)) = self.child(word) {
                        if self.space.map(value).kind == InstanceType::Map {
                            let prototype = layout.map.prototype.offset().unwrap_or(24);
                            let prototype = word_at(self.space.bytes(value), prototype as usize);
                            if let Some((_, to)) = prototype.and_then(|w| self.child(w)) {
                                self.edge(EdgeType::Property, self.words.prototype, to)?;
                            }
                            self.internal(bytes, offset, self.words.initial_map)?;
                        } else {
                            self.edge(EdgeType::Property, self.words.prototype, to)?;
                            self.visit(offset);
                        }
                    }
                }
            }
        }
        if let Some(code) = self.shapes.code_of(self.space, object) {
            let node = self.node_of[code as usize];
            if node != NO_NODE {
                self.edge(EdgeType::Internal, self.words.code, node)?;
            }
        }
        Ok(())
    }

    /// SetPropertyReference.
    pub(super) fn property(
        &mut self,
        key: Tagged,
        word: u64,
        format: Option<bool>,
    ) -> Result<bool> {
        let Some((_, to)) = self.child(word) else {
            return Ok(false);
        };
        let key = self.names.key(self.shapes.cx, key);
        let kind = match key.is_empty {
            true => EdgeType::Internal,
            false => EdgeType::Property,
        };
        let name = match format {
            Some(setter) if key.is_string => self.accessor_name(key.name, setter),
            _ => key.name,
        };
        self.edge(kind, name, to)?;
        Ok(true)
    }

    pub(super) fn accessor_name(&mut self, name: StringId, setter: bool) -> StringId {
        if let Some(&known) = self.format_cache.get(&(name, setter)) {
            return known;
        }
        let prefix = if setter { "set" } else { "get" };
        let text = format!("{prefix} {}", self.names.text(name));
        let id = self.names.intern(&text);
        self.format_cache.insert((name, setter), id);
        id
    }

    pub(super) fn property_or_accessor(
        &mut self,
        key: Tagged,
        word: u64,
        is_accessor: bool,
        offset: Option<usize>,
    ) -> Result<()> {
        if !is_accessor {
            if self.property(key, word, None)? {
                if let Some(offset) = offset {
                    self.visit(offset);
                }
            }
            return Ok(());
        }
        let Some(pair) = self.space.target(word) else {
            return Ok(());
        };
        if self.space.map(pair).kind != InstanceType::AccessorPair {
            return Ok(());
        }
        self.property(key, word, None)?;
        let layout = &self.shapes.cx.layout.accessor_pair;
        let parts = self.space.bytes(pair);
        for (at, setter) in [(layout.getter, false), (layout.setter, true)] {
            let word = at.offset().ok().and_then(|at| word_at(parts, at as usize));
            let value = word.and_then(|w| Some((w, self.space.target(w)?)));
            if let Some((word, value)) = value {
                if self.space.map(value).kind != InstanceType::Oddball {
                    self.property(key, word, Some(setter))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn properties(
        &mut self,
        object: Ordinal,
        bytes: &[u8],
        shape: &Shape,
    ) -> Result<()> {
        let layout = self.shapes.cx.layout;
        let store = layout.js_object.properties_or_hash.offset().unwrap_or(8) as usize;
        if shape.is_dictionary {
            return self.dictionary_properties(object, bytes, shape, store);
        }
        if shape.properties.is_empty() {
            return Ok(());
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
                self.property_or_accessor(property.key, word, property.is_accessor, offset)?;
            }
        }
        Ok(())
    }

    pub(super) fn dictionary_properties(
        &mut self,
        _object: Ordinal,
        bytes: &[u8],
        shape: &Shape,
        store: usize,
    ) -> Result<()> {
        let cx = self.shapes.cx;
        let Some(word) = word_at(bytes, store) else {
            return Ok(());
        };
        let Ok(dictionary) = cx.object(Tagged(word)) else {
            return Ok(());
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
                self.property_or_accessor(key, value.0, accessor, None)?;
            }
            return Ok(());
        }
        let entries = HashTable::name_dictionary(dictionary).and_then(HashTable::properties);
        for entry in entries.unwrap_or_default() {
            let accessor = entry
                .details
                .and_then(|d| d.is_accessor(cx).ok())
                .unwrap_or(false);
            self.property_or_accessor(entry.key, entry.value.0, accessor, None)?;
        }
        Ok(())
    }

    pub(super) fn elements(&mut self, bytes: &[u8], shape: &Shape) -> Result<()> {
        let cx = self.shapes.cx;
        let layout = cx.layout;
        let store = layout.js_object.elements.offset().unwrap_or(16) as usize;
        let Some(store) = word_at(bytes, store).and_then(|w| self.space.target(w)) else {
            return Ok(());
        };
        match shape.elements {
            ElementsForm::None => Ok(()),
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
                    if word & 1 == 0 || word == self.the_hole {
                        continue;
                    }
                    if let Some((_, to)) = self.child(word) {
                        self.edge(EdgeType::Element, index as u32, to)?;
                    }
                }
                Ok(())
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
                        self.edge(EdgeType::Element, index, to)?;
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn array_buffer(&mut self, bytes: &[u8]) -> Result<()> {
        let layout = &self.shapes.cx.layout.js_array_buffer;
        let (Ok(store), Ok(length)) = (layout.backing_store.offset(), layout.byte_length.offset())
        else {
            return Ok(());
        };
        let address = word_at(bytes, store as usize).unwrap_or(0);
        if address != 0 {
            self.natives.push(NativePart {
                owner: self.node,
                address,
                size: word_at(bytes, length as usize).unwrap_or(0),
                name: self.words.array_buffer_data,
                edge: self.words.backing_store,
            });
            self.seen_backing_stores.insert(address);
        }
        Ok(())
    }
}
