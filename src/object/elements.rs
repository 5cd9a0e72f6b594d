//! Elements: properties by number, in every form V8 keeps them.

use super::details::Attributes;
use super::dictionary::HashTable;
use super::js_object::{own_constant, JSObject, PropertyValue};
use super::number::heap_number;
use super::{is_the_hole, FixedArray, HeapObject, JSString, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// One element.
#[derive(Clone, Debug)]
pub struct Element {
    pub index: u64,
    pub value: Result<PropertyValue>,
    pub attributes: Attributes,
}

/// Elements of an object.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    /// In the order of their numbers, without holes.
    pub items: Vec<Element>,
    /// There are more.
    pub more: bool,
}

/// How an ElementsKind keeps elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Tagged,
    Double,
    Dictionary,
    SloppyArguments,
    StringWrapper,
    /// A typed array's: not here.
    None,
}

/// Slots of a backing store looked at for one answer.
const MAX_SLOTS: u64 = 1 << 27;
/// Slots read in one go.
const CHUNK: u64 = 1 << 16;

impl<'a> JSObject<'a> {
    fn elements_form(self) -> Result<Form> {
        let cx = self.0.cx;
        let e = &cx.layout.elements;
        let kind = self.0.map()?.elements_kind()?;
        let is = |c: crate::metadata::Constant| c.known() == Some(kind);
        Ok(if is(e.double) || is(e.double_holey) {
            Form::Double
        } else if is(e.dictionary) {
            Form::Dictionary
        } else if is(e.fast_sloppy_arguments) || is(e.slow_sloppy_arguments) {
            Form::SloppyArguments
        } else if is(e.fast_string_wrapper) || is(e.slow_string_wrapper) {
            Form::StringWrapper
        } else if kind >= e.first_typed_array.get()? {
            Form::None
        } else {
            Form::Tagged
        })
    }

    /// Attributes of all elements, which the ElementsKind of a sealed or frozen object tells.
    fn elements_attributes(self) -> Result<Attributes> {
        let e = &self.0.cx.layout.elements;
        let kind = self.0.map()?.elements_kind()?;
        let is = |c: crate::metadata::Constant| c.known() == Some(kind);
        let frozen = is(e.frozen) || is(e.frozen_holey);
        Ok(Attributes {
            read_only: frozen,
            dont_enumerate: false,
            dont_delete: frozen || is(e.sealed) || is(e.sealed_holey),
        })
    }

    /// `length` of a JSArray.
    pub fn array_length(self) -> Result<u64> {
        let cx = self.0.cx;
        let value = self.0.field(cx.layout.js_array.length)?;
        if let Some(length) = cx.smi(value) {
            return u64::try_from(length)
                .map_err(|_| Error::malformed("JSArray", self.0.address, "negative length"));
        }
        let number = heap_number(cx.object(value)?)?;
        if (0.0..4_294_967_296.0).contains(&number) {
            Ok(number as u64)
        } else {
            Err(Error::malformed(
                "JSArray",
                self.0.address,
                format!("its length is {number}"),
            ))
        }
    }

    /// Its elements, at most `limit` of them.
    pub fn own_elements(self, limit: usize) -> Result<Elements> {
        let end = if self.0.instance_type()? == InstanceType::JSArray {
            self.array_length()?
        } else {
            u64::MAX
        };
        let mut found = Elements::default();
        let store = self.elements()?;
        match self.elements_form()? {
            Form::None => {}
            Form::Tagged => {
                tagged(FixedArray(store), 0, end, limit, &mut found)?;
                let attributes = self.elements_attributes()?;
                for element in &mut found.items {
                    element.attributes = attributes;
                }
            }
            Form::Double => doubles(store, end, limit, &mut found)?,
            Form::Dictionary => self.dictionary(store, limit, &mut found)?,
            Form::SloppyArguments => self.sloppy_arguments(store, limit, &mut found)?,
            Form::StringWrapper => {
                // The text's characters come first; they are the wrapped string's, not here.
                if store.instance_type()? == InstanceType::NumberDictionary {
                    self.dictionary(store, limit, &mut found)?;
                } else {
                    tagged(FixedArray(store), 0, end, limit, &mut found)?;
                }
            }
        }
        Ok(found)
    }

    fn dictionary(self, store: HeapObject<'a>, limit: usize, found: &mut Elements) -> Result<()> {
        let cx = self.0.cx;
        let mut items = Vec::new();
        for entry in HashTable::number_dictionary(store)?.properties()? {
            let index = match cx.smi(entry.key) {
                Some(index) => u64::try_from(index).ok(),
                None => cx
                    .object(entry.key)
                    .and_then(heap_number)
                    .ok()
                    .map(|n| n as u64),
            };
            let Some(index) = index else {
                found.items.push(Element {
                    index: u64::MAX,
                    value: Err(Error::malformed(
                        "NumberDictionary",
                        store.address,
                        "a key is no number",
                    )),
                    attributes: Attributes::default(),
                });
                continue;
            };
            let known = entry.details.ok_or_else(|| {
                Error::malformed("NumberDictionary", store.address, "an entry has no details")
            });
            items.push(Element {
                index,
                value: known.clone().and_then(|d| own_constant(cx, entry.value, d)),
                attributes: known.and_then(|d| d.attributes(cx)).unwrap_or_default(),
            });
        }
        items.sort_by_key(|e| e.index);
        found.more |= items.len() > limit;
        items.truncate(limit);
        found.items.append(&mut items);
        Ok(())
    }

    /// Arguments that are the function's parameters as long as they are in its Context.
    fn sloppy_arguments(
        self,
        store: HeapObject<'a>,
        limit: usize,
        found: &mut Elements,
    ) -> Result<()> {
        let cx = self.0.cx;
        let layout = &cx.layout.sloppy_arguments;
        let context = super::Context(store.object_field(layout.context)?);
        let arguments = store.object_field(layout.arguments)?;
        let length = store.smi_field(layout.length)?;
        let mapped = u64::try_from(length)
            .unwrap_or(0)
            .saturating_sub(layout.length_beyond_entries.offset()?)
            .min(MAX_SLOTS);
        if arguments.instance_type()? == InstanceType::NumberDictionary {
            self.dictionary(arguments, limit, found)?;
        } else {
            tagged(FixedArray(arguments), 0, u64::MAX, limit, found)?;
        }
        for index in 0..mapped {
            let slot = store.tagged_at(layout.mapped_entries.offset()? + index * 8)?;
            let Some(slot) = cx.smi(slot).and_then(|s| u64::try_from(s).ok()) else {
                continue;
            };
            let value = context.value(slot).map(|v| match v {
                super::ContextValue::Tagged(t) => PropertyValue::Tagged(t),
                super::ContextValue::Double(d) => PropertyValue::Double(d),
            });
            match found.items.binary_search_by_key(&index, |e| e.index) {
                Ok(at) => {
                    if let Some(element) = found.items.get_mut(at) {
                        element.value = value;
                    }
                }
                Err(at) if found.items.len() < limit => found.items.insert(
                    at,
                    Element {
                        index,
                        value,
                        attributes: Attributes::default(),
                    },
                ),
                Err(_) => found.more = true,
            }
        }
        Ok(())
    }

    /// The string a String object wraps, whose characters are elements too.
    pub fn wrapped_string(self) -> Result<Option<JSString<'a>>> {
        if self.elements_form()? != Form::StringWrapper {
            return Ok(None);
        }
        let value = self
            .0
            .object_field(self.0.cx.layout.js_primitive_wrapper.value)?;
        Ok(value.is_string()?.then_some(JSString(value)))
    }
}

fn tagged(
    store: FixedArray,
    from: u64,
    end: u64,
    limit: usize,
    found: &mut Elements,
) -> Result<()> {
    let cx = store.0.cx;
    let end = end.min(store.len()?).min(MAX_SLOTS);
    let mut hole: Option<Tagged> = None;
    let mut index = from;
    while index < end {
        for value in store.slice(index, (end - index).min(CHUNK) as usize)? {
            let here = index;
            index += 1;
            if hole == Some(value) {
                continue;
            }
            if hole.is_none() && !value.is_smi() && is_the_hole(cx, value) {
                hole = Some(value);
                continue;
            }
            if found.items.len() >= limit {
                found.more = true;
                return Ok(());
            }
            found.items.push(Element {
                index: here,
                value: Ok(PropertyValue::Tagged(value)),
                attributes: Attributes::default(),
            });
        }
    }
    Ok(())
}

fn doubles(store: HeapObject, end: u64, limit: usize, found: &mut Elements) -> Result<()> {
    let cx = store.cx;
    let layout = &cx.layout.fixed_array;
    let length = u64::try_from(store.smi_field(layout.length)?)
        .map_err(|_| Error::malformed("FixedDoubleArray", store.address, "negative length"))?;
    let end = end.min(length).min(MAX_SLOTS);
    let e = &cx.layout.elements;
    let half = |c: crate::metadata::Constant| c.known().map(|v| u64::from(v as u32));
    let hole = half(e.hole_nan_half).map(|h| h << 32 | h);
    let undefined = half(e.undefined_nan_half).map(|h| h << 32 | h);
    let data = layout.data.offset()?;
    let mut index = 0;
    while index < end {
        let count = (end - index).min(CHUNK);
        let size = count as usize * 8;
        let bytes = cx.memory.bytes(store.slot(data + index * 8)?, size, size)?;
        for raw in bytes.chunks_exact(8) {
            let bits = u64::from_le_bytes(raw.try_into().unwrap_or_default());
            let here = index;
            index += 1;
            if hole == Some(bits) {
                continue;
            }
            if found.items.len() >= limit {
                found.more = true;
                return Ok(());
            }
            let value = if undefined == Some(bits) {
                PropertyValue::Undefined
            } else {
                PropertyValue::Double(f64::from_bits(bits))
            };
            found.items.push(Element {
                index: here,
                value: Ok(value),
                attributes: Attributes::default(),
            });
        }
    }
    Ok(())
}
