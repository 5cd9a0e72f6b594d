//! JSObject: own properties and where they are.

use super::descriptors::DescriptorArray;
use super::details::{Attributes, PropertyDetails};
use super::dictionary::HashTable;
use super::{HeapObject, JSString, Map, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// Prototypes looked at on a chain at most.
const MAX_CHAIN: usize = 1000;

/// Any JSObject (or another JSReceiver, as far as it has properties).
#[derive(Clone, Copy, Debug)]
pub struct JSObject<'a>(pub HeapObject<'a>);

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PropertyValue {
    Tagged(Tagged),
    /// A double that stands in the object itself.
    Double(f64),
    /// undefined among doubles.
    Undefined,
    /// A JavaScript getter and setter; null where there is none.
    Accessors {
        getter: Tagged,
        setter: Tagged,
    },
    /// An AccessorInfo: the value is computed by C++.
    Native(Tagged),
}

impl PropertyValue {
    /// What an AccessorPair holds; `None` of another object.
    pub fn of_pair(object: HeapObject) -> Result<Option<PropertyValue>> {
        if object.instance_type()? != InstanceType::AccessorPair {
            return Ok(None);
        }
        let layout = &object.cx.layout.accessor_pair;
        Ok(Some(PropertyValue::Accessors {
            getter: object.field(layout.getter)?,
            setter: object.field(layout.setter)?,
        }))
    }
}

/// An own property.
#[derive(Clone, Debug)]
pub struct Property {
    /// A string or a symbol.
    pub key: Tagged,
    pub value: Result<PropertyValue>,
    pub attributes: Attributes,
    /// Address of the slot that holds the value, where there is one.
    pub slot: Option<u64>,
}

impl<'a> JSObject<'a> {
    /// PropertyArray, dictionary, or a Smi (the hash of an object without either).
    pub fn properties_or_hash(self) -> Result<Tagged> {
        self.0.field(self.0.cx.layout.js_object.properties_or_hash)
    }

    /// Its elements backing store.
    pub fn elements(self) -> Result<HeapObject<'a>> {
        self.0.object_field(self.0.cx.layout.js_object.elements)
    }

    /// Offsets of the fields that the embedder has in it (Node, for its C++ objects): they lie
    /// between V8's own fields and the properties.
    pub fn embedder_fields(self) -> Result<std::ops::Range<u64>> {
        use InstanceType as T;
        let layout = self.0.cx.layout;
        let map = self.0.map()?;
        let end = map.inobject_properties_start()?.saturating_mul(8);
        let end = end.min(map.instance_size()?);
        let start = match self.0.instance_type()? {
            T::JSApiObject | T::JSSpecialApiObject => layout.js_api_object.header_size.offset()?,
            T::JSObject | T::JSObjectWithEmbedderSlots => layout.js_object.header_size.offset()?,
            T::JSArrayBuffer | T::JSTypedArray | T::JSDataView | T::JSRabGsabDataView => {
                let count = layout.js_array_buffer.embedder_fields.offset()?;
                end.saturating_sub(count.saturating_mul(8))
            }
            _ => end,
        };
        Ok(start.min(end)..end)
    }

    /// Own properties in V8's order of creation; integer keys are elements and not here.
    pub fn own_properties(self) -> Result<Vec<Property>> {
        let map = self.0.map()?;
        if map.is_dictionary()? {
            self.dictionary_properties(map)
        } else {
            self.fast_properties(map)
        }
    }

    /// The own property whose key `wanted` accepts.
    pub fn own_property(self, mut wanted: impl FnMut(Tagged) -> bool) -> Result<Option<Property>> {
        let map = self.0.map()?;
        if map.is_dictionary()? {
            let all = self.dictionary_properties(map)?;
            return Ok(all.into_iter().find(|p| wanted(p.key)));
        }
        for (index, d) in map.own_descriptor_entries()?.into_iter().enumerate() {
            if wanted(d.key) {
                return Ok(Some(self.fast_property(map, index, d)));
            }
        }
        Ok(None)
    }

    /// The own property of this name.
    pub fn own_property_named(self, name: &str) -> Result<Option<Property>> {
        let cx = self.0.cx;
        self.own_property(|key| is_name(cx, key, name))
    }

    /// The object and its prototypes, as far as they are ordinary objects.
    pub fn chain(self) -> impl Iterator<Item = JSObject<'a>> {
        let mut next = Some(self.0);
        std::iter::from_fn(move || {
            let current = next.take()?;
            let number = current.instance_type_number().ok()?;
            if !current.cx.layout.types.is_js_object(number) {
                return None;
            }
            let prototype = current.map().and_then(|m| m.prototype());
            next = prototype.and_then(|p| current.cx.object(p)).ok();
            Some(JSObject(current))
        })
        .take(MAX_CHAIN)
    }

    /// What the object or the first of its prototypes that has the property holds, with its holder.
    pub fn inherited_property(self, name: &str) -> Result<Option<(JSObject<'a>, Property)>> {
        for object in self.chain() {
            if let Some(property) = object.own_property_named(name)? {
                return Ok(Some((object, property)));
            }
        }
        Ok(None)
    }

    /// The string that JSReceiver::GetDataProperty gives.
    pub fn data_string(self, name: &str, limit: usize) -> Result<Option<String>> {
        let Some((_, property)) = self.inherited_property(name)? else {
            return Ok(None);
        };
        let PropertyValue::Tagged(value) = property.value? else {
            return Ok(None);
        };
        let Ok(value) = self.0.cx.object(value) else {
            return Ok(None);
        };
        if !value.is_string()? {
            return Ok(None);
        }
        Ok(Some(JSString(value).read(limit)?.marked()))
    }

    fn fast_properties(self, map: Map<'a>) -> Result<Vec<Property>> {
        let entries = map.own_descriptor_entries()?;
        Ok(entries
            .into_iter()
            .enumerate()
            .map(|(index, d)| self.fast_property(map, index, d))
            .collect())
    }

    fn fast_property(
        self,
        map: Map<'a>,
        index: usize,
        d: super::descriptors::Descriptor,
    ) -> Property {
        let cx = self.0.cx;
        let details = d.details.ok_or_else(|| {
            Error::malformed(
                "DescriptorArray",
                self.0.address,
                format!("descriptor {index} has no details"),
            )
        });
        let mut slot = None;
        let value = details.clone().and_then(|details| {
            if !details.is_field(cx)? {
                return own_constant(cx, d.value, details);
            }
            let at = self.field_slot(map, details.field_index(cx)?)?;
            slot = Some(at);
            if details.is_double(cx)? && self.is_unboxed(map, details)? {
                return Ok(PropertyValue::Double(f64::from_bits(cx.memory.u64(at)?)));
            }
            Ok(PropertyValue::Tagged(cx.tagged(at)?))
        });
        Property {
            key: d.key,
            value,
            attributes: details.and_then(|d| d.attributes(cx)).unwrap_or_default(),
            slot,
        }
    }

    /// Address of field `index`: in the object, or in its PropertyArray.
    pub fn field_slot(self, map: Map<'a>, index: u64) -> Result<u64> {
        let cx = self.0.cx;
        let start = map.inobject_properties_start()?;
        let words = map.instance_size()? / 8;
        let inside = words.saturating_sub(start);
        if index < inside {
            return self.0.slot((start + index) * 8);
        }
        let array = cx.object(self.properties_or_hash()?)?;
        let layout = &cx.layout.property_array;
        let length = array.smi_field(layout.length_and_hash)? & layout.length_mask.get()?;
        let index = index - inside;
        if index >= length as u64 {
            return Err(Error::malformed(
                "PropertyArray",
                array.address,
                format!("property {index} is past its length {length}"),
            ));
        }
        array.slot(layout.data.offset()? + index * 8)
    }

    /// Whether the double of this field stands in the object itself (V8 7.8 only).
    fn is_unboxed(self, map: Map<'a>, details: PropertyDetails) -> Result<bool> {
        let cx = self.0.cx;
        let Some(at) = cx.layout.map.layout_descriptor.known() else {
            return Ok(false);
        };
        let index = details.field_index(cx)?;
        let inside = (map.instance_size()? / 8).saturating_sub(map.inobject_properties_start()?);
        if index >= inside {
            return Ok(false);
        }
        let descriptor = map.0.tagged_at(at as u64)?;
        if let Some(bits) = cx.smi(descriptor) {
            return Ok(index < 32 && bits >> index & 1 == 1);
        }
        // A ByteArray of 32-bit words.
        let bytes = cx.object(descriptor)?;
        let length = bytes.smi_field(cx.layout.fixed_array.length)?;
        if index / 8 >= length as u64 {
            return Ok(false);
        }
        let at = bytes.slot(cx.layout.fixed_array.data.offset()? + index / 8)?;
        Ok(cx.memory.u8(at)? >> (index % 8) & 1 == 1)
    }

    fn dictionary_properties(self, _map: Map<'a>) -> Result<Vec<Property>> {
        let cx = self.0.cx;
        let object = cx.object(self.properties_or_hash()?)?;
        let mut found = match object.instance_type()? {
            InstanceType::GlobalDictionary => self.global_properties(object)?,
            InstanceType::SwissNameDictionary => {
                return Err(Error::malformed(
                    "SwissNameDictionary",
                    object.address,
                    "a form of dictionary that Node.js does not use",
                ))
            }
            InstanceType::Unknown => {
                return Err(Error::malformed(
                    "dictionary",
                    object.address,
                    "its type is not known for this V8",
                ))
            }
            _ => self.name_dictionary_properties(object)?,
        };
        found.sort_by_key(|(order, _)| *order);
        Ok(found.into_iter().map(|(_, p)| p).collect())
    }

    fn name_dictionary_properties(self, object: HeapObject<'a>) -> Result<Vec<(i64, Property)>> {
        let entries = HashTable::name_dictionary(object)?.properties()?;
        Ok(entries
            .into_iter()
            .map(|e| self.dictionary_property(e.key, e.value, e.details))
            .collect())
    }

    fn dictionary_property(
        self,
        key: Tagged,
        value: Tagged,
        details: Option<PropertyDetails>,
    ) -> (i64, Property) {
        let cx = self.0.cx;
        let known = details.ok_or_else(|| {
            Error::malformed("dictionary", self.0.address, "an entry has no details")
        });
        let order = known.clone().and_then(|d| d.enumeration_index(cx));
        let property = Property {
            key,
            value: known.clone().and_then(|d| own_constant(cx, value, d)),
            attributes: known.and_then(|d| d.attributes(cx)).unwrap_or_default(),
            slot: None,
        };
        (order.unwrap_or(i64::MAX), property)
    }

    fn global_properties(self, object: HeapObject<'a>) -> Result<Vec<(i64, Property)>> {
        let cx = self.0.cx;
        let layout = &cx.layout.property_cell;
        let mut found = Vec::new();
        for entry in HashTable::global_dictionary(object)?.entries()? {
            let Some(cell) = entry.first().and_then(|c| cx.object(*c).ok()) else {
                continue;
            };
            let Ok(key) = cell.field(layout.name) else {
                continue;
            };
            let details = cell.smi_field(layout.details).ok().map(PropertyDetails);
            let Ok(value) = cell.field(layout.value) else {
                continue;
            };
            // A deleted global leaves its cell behind, with the hole in it.
            if super::is_the_hole(cx, value) {
                continue;
            }
            let (order, mut property) = self.dictionary_property(key, value, details);
            property.slot = layout.value.offset().and_then(|o| cell.slot(o)).ok();
            found.push((order, property));
        }
        Ok(found)
    }
}

/// A value that stands in the descriptor or dictionary itself.
pub fn own_constant(
    cx: super::Cx,
    value: Tagged,
    details: PropertyDetails,
) -> Result<PropertyValue> {
    if !details.is_accessor(cx)? {
        return Ok(PropertyValue::Tagged(value));
    }
    let pair = PropertyValue::of_pair(cx.object(value)?)?;
    Ok(pair.unwrap_or(PropertyValue::Native(value)))
}

/// Whether a key is the string `name`.
pub fn is_name(cx: super::Cx, key: Tagged, name: &str) -> bool {
    let Ok(object) = cx.object(key) else {
        return false;
    };
    if !object.is_string().unwrap_or(false) {
        return false;
    }
    let string = JSString(object);
    // Names asked for are ASCII.
    string.len().is_ok_and(|n| n == name.len() as u64)
        && string
            .read(name.len())
            .is_ok_and(|t| t.hole.is_none() && t.units.iter().copied().eq(name.encode_utf16()))
}

impl<'a> Map<'a> {
    /// Its own descriptors.
    pub fn own_descriptor_entries(self) -> Result<Vec<super::descriptors::Descriptor>> {
        let count = self.own_descriptors()?;
        if count == 0 {
            return Ok(Vec::new());
        }
        DescriptorArray(self.descriptors()?).entries(count)
    }
}
