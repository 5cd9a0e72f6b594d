//! The node of an object: type, name, size, and where it comes from in the source.

use super::names::{latin1_text, string_text};
use super::shapes::NameOf;
use super::space::{word_at, Ordinal};
use super::visitor::Visitor;
use crate::graph::{Detachedness, Location, NodeType, StringId};
use crate::metadata::InstanceType;
use crate::object::{constructor_name, regexp_source, Cx, HeapObject, Script, SharedFunctionInfo};
use rustc_hash::{FxHashMap, FxHashSet};

/// Script, line and column (from 0).
type Place = (i32, i32, i32);

/// Where functions are defined, as far as it has been found out.
#[derive(Default)]
pub struct Places {
    by_shared: FxHashMap<u64, Option<Place>>,
    /// Of the constructor of a Map's objects, by the Map's index, as far as it is known.
    by_map: Vec<Option<Option<Place>>>,
    line_ends: FxHashMap<u64, Vec<u64>>,
    scripts: FxHashSet<i32>,
}

impl Visitor<'_, '_> {
    pub(super) fn make_node(&mut self, object: Ordinal, map: u32, bytes: &[u8]) {
        let (kind, name) = self.type_and_name(object, map, bytes);
        let version = self.cx.layout.version;
        let size = match version.at_least(13, 0) && self.space.is_read_only(object) {
            true => 0,
            false => bytes.len() as u64 + self.external_size(object, map),
        };
        self.out
            .kinds
            .push(kind as u8 | ((Detachedness::Unknown as u8) << 6));
        self.out.names.push(name);
        self.out.sizes.push(size);
        let at = self.out.kinds.len() as u32 - 1;
        self.out.addresses.set(at, self.space.address(object));
        if self.shapes.of(map).embedder.1 > 0 {
            self.out.embedders.push(object);
        }
    }

    /// An external string's characters count for it (from V8 13 on).
    fn external_size(&self, object: Ordinal, map: u32) -> u64 {
        let shape = self.shapes.of(map);
        let tags = &self.cx.layout.tagging;
        let mask = tags.string_representation_mask.known().unwrap_or(7);
        if shape.kind != InstanceType::String
            || Some(i64::from(shape.number) & mask) != tags.external_string_tag.known()
            || !self.cx.layout.version.at_least(13, 0)
        {
            return 0;
        }
        let string = crate::object::JSString(self.heap_object(object));
        let length = string.len().unwrap_or(0);
        let encoding = tags.string_encoding_mask.known().unwrap_or(8);
        match Some(i64::from(shape.number) & encoding) == tags.one_byte_string_tag.known() {
            true => length,
            false => length * 2,
        }
    }

    pub(super) fn heap_object(&self, object: Ordinal) -> HeapObject<'_> {
        HeapObject::new(self.cx, self.space.address(object))
    }

    fn type_and_name(&mut self, object: Ordinal, map: u32, bytes: &[u8]) -> (NodeType, StringId) {
        let shape = self.shapes.of(map);
        let node_type = shape.node_type;
        let cx = self.cx;
        let heap_object = HeapObject::new(cx, self.space.address(object));
        let names = &mut self.names;
        let name = match shape.name {
            NameOf::Fixed(name) => name,
            NameOf::OneByteText => match one_byte_text(cx, bytes).and_then(latin1_text) {
                Some(text) => self.out.text(text),
                None => self.out.text(&string_text(heap_object)),
            },
            NameOf::Text => self.out.text(&string_text(heap_object)),
            NameOf::Constructor => names.intern(&constructor_name(heap_object).unwrap_or_default()),
            NameOf::Global(suffix) => {
                let name = constructor_name(heap_object).unwrap_or_default();
                names.intern(&(name + suffix))
            }
            NameOf::Function => match heap_object.object_field(cx.layout.js_function.shared) {
                Ok(shared) => self.shared_name(shared),
                Err(_) => names.intern(""),
            },
            NameOf::Shared => self.shared_name(heap_object),
            NameOf::Script => {
                let name = Script(heap_object).name().ok().flatten();
                names.intern(&name.unwrap_or_default())
            }
            NameOf::RegExp => match regexp_source(heap_object) {
                Ok(Some(source)) => names.string(source.0),
                _ => names.intern(""),
            },
            NameOf::Oddball => match heap_object.object_field(cx.layout.oddball.to_string) {
                Ok(text) => names.string(text),
                Err(_) => names.intern("system / Oddball"),
            },
            NameOf::Symbol => {
                let mask = cx.layout.symbol.private_mask.known().unwrap_or(1);
                let flags = heap_object.u32_field(cx.layout.symbol.flags).unwrap_or(0);
                return match i64::from(flags) & mask != 0 {
                    true => (NodeType::Hidden, names.intern("private symbol")),
                    false => (NodeType::Symbol, names.intern("symbol")),
                };
            }
            NameOf::Map => {
                let map = crate::object::Map(heap_object);
                let number = map.instance_type_number().unwrap_or(u16::MAX);
                let name = match cx.layout.types.is_string(number) {
                    true => format!("system / Map ({})", string_type_name(cx, number)),
                    false => "system / Map".to_string(),
                };
                let shape = cx.layout.version.at_least(11, 0) && !self.space.is_read_only(object);
                let kind = match shape {
                    true => NodeType::ObjectShape,
                    false => NodeType::Hidden,
                };
                return (kind, names.intern(&name));
            }
        };
        (node_type, name)
    }

    fn shared_name(&mut self, shared: HeapObject) -> StringId {
        if let Some(&known) = self.shared_names.get(&shared.address) {
            return known;
        }
        let name = SharedFunctionInfo(shared).name().unwrap_or_default();
        let name = self.names.intern(&name);
        if self.is_whole() {
            self.shared_names.insert(shared.address, name);
        }
        name
    }

    /// Where a function is defined, or the constructor of an object.
    pub(super) fn make_location(&mut self, object: Ordinal, map: u32) {
        let shape = self.shapes.of(map);
        if !shape.is_js_object {
            return;
        }
        let cx = self.cx;
        let place = match shape.kind {
            kind if kind.is_js_function() => {
                self.place_of_function(HeapObject::new(cx, self.space.address(object)))
            }
            InstanceType::JSGeneratorObject => {
                let generator = HeapObject::new(cx, self.space.address(object));
                match generator.object_field(cx.layout.js_generator.function) {
                    Ok(function) => self.place_of_function(function),
                    Err(_) => None,
                }
            }
            _ => self.place_of_constructor(map),
        };
        if let Some((script_id, line, column)) = place {
            self.out.locations.push(Location {
                node: self.node,
                script_id,
                line,
                column,
            });
        }
    }

    fn place_of_constructor(&mut self, map: u32) -> Option<Place> {
        if let Some(&Some(known)) = self.places.by_map.get(map as usize) {
            return known;
        }
        let info = self.space.index.maps.get(map as usize)?;
        let object = crate::object::Map(HeapObject::new(self.cx, info.address));
        let constructor = object.constructor().and_then(|c| self.cx.object(c)).ok();
        let place = constructor
            .filter(|c| c.instance_type().is_ok_and(|k| k.is_js_function()))
            .and_then(|c| self.place_of_function(c));
        if self.is_whole() {
            let known = &mut self.places.by_map;
            if known.len() <= map as usize {
                known.resize(map as usize + 1, None);
            }
            known[map as usize] = Some(place);
        }
        place
    }

    fn place_of_function(&mut self, function: HeapObject) -> Option<Place> {
        let shared = function.object_field(self.cx.layout.js_function.shared);
        let shared = shared.ok()?;
        if let Some(&known) = self.places.by_shared.get(&shared.address) {
            return known;
        }
        let place = self.place_of_shared(SharedFunctionInfo(shared));
        if self.is_whole() {
            self.places.by_shared.insert(shared.address, place);
        }
        place
    }

    fn place_of_shared(&mut self, shared: SharedFunctionInfo) -> Option<Place> {
        let script = shared.script().ok()??;
        let (start, _) = shared.position().ok()??;
        let known = self.places.line_ends.get(&script.0.address);
        let (line, column) = match known {
            Some(ends) => script.line_and_column_in(ends, start),
            None => {
                let ends = script.line_ends().unwrap_or_default();
                let place = script.line_and_column_in(&ends, start);
                if self.is_whole() {
                    self.places.line_ends.insert(script.0.address, ends);
                }
                place
            }
        }
        .ok()?;
        let id = script.id().ok()? as i32;
        if !self.places.scripts.contains(&id) {
            let name = script.name_or_source_url().unwrap_or_default();
            if self.is_whole() {
                self.places.scripts.insert(id);
            }
            self.out.scripts.push((id, name));
        }
        Some((id, line as i32 - 1, column as i32 - 1))
    }
}

/// The characters that V8 takes for the name of a string that holds one byte each itself.
#[inline]
fn one_byte_text<'b>(cx: Cx, bytes: &'b [u8]) -> Option<&'b [u8]> {
    let layout = &cx.layout.string;
    let length_at = layout.length.offset().ok()? as usize;
    let start = layout.one_byte_chars.offset().ok()? as usize;
    let length = (word_at(bytes, length_at & !7)? >> (length_at % 8 * 8)) as u32 as usize;
    bytes.get(start..start.checked_add(length)?)
}

/// V8's name of a string type, from the bits of its number.
fn string_type_name(cx: Cx, number: u16) -> String {
    let tags = &cx.layout.tagging;
    let n = i64::from(number);
    let mask = tags.string_representation_mask.known().unwrap_or(7);
    let form = Some(n & mask);
    let one_byte = Some(n & tags.string_encoding_mask.known().unwrap_or(8))
        == tags.one_byte_string_tag.known();
    let not_internalized = tags.not_internalized_mask.known().unwrap_or(0x20);
    let internalized = n & not_internalized == 0;
    let mut name = String::new();
    let shared = n & 0xff80 == 0 && n & 0x40 != 0;
    if shared {
        name += "Shared";
    }
    if tags
        .uncached_external_mask
        .known()
        .is_some_and(|m| n & m != 0)
        && form == tags.external_string_tag.known()
    {
        name += "Uncached";
    }
    let shape = if form == tags.cons_string_tag.known() {
        "Cons"
    } else if form == tags.external_string_tag.known() {
        "External"
    } else if form == tags.sliced_string_tag.known() {
        "Sliced"
    } else if form == tags.thin_string_tag.known() {
        "Thin"
    } else {
        ""
    };
    // V8 12 turned the names' order about, and said TwoByte and Seq where there was no word.
    let internalized = if internalized { "Internalized" } else { "" };
    if cx.layout.version.at_least(12, 0) {
        let shape = match (shape, internalized) {
            ("", "") => "Seq",
            _ => shape,
        };
        let bytes = if one_byte { "OneByte" } else { "TwoByte" };
        return format!("{name}{shape}{internalized}{bytes}String");
    }
    let thin = form == tags.thin_string_tag.known() && cx.layout.version.at_least(11, 0);
    let bytes = if one_byte && !thin { "OneByte" } else { "" };
    format!("{name}{shape}{bytes}{internalized}String")
}
