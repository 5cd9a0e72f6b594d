//! Objects by what they hold: strings of a text, objects with a property of a name.

use super::index::HeapIndex;
use super::parallel::{self, Watch};
use super::refs::{self, Words};
use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{
    is_name, Cx, HeapObject, JSObject, JSString, Map, PropertyValue, Symbol, Tagged,
};
use rustc_hash::FxHashSet;

/// Every string of the heap that reads `text`, in whatever form it is kept.
pub fn strings(heap: &HeapIndex, cx: Cx<'_>, text: &str, watch: Watch<'_>) -> Result<Vec<u64>> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length_at = cx.layout.string.length.offset()?;
    let layout = cx.layout;
    // Strings whose characters are not in the image are left to the command's own thread.
    let states = parallel::for_each(
        "searching strings",
        heap.page_count(),
        watch,
        || (Vec::new(), Vec::new()),
        |(found, unsure), page| {
            let cx = Cx {
                memory: &heap.image,
                layout,
            };
            for object in heap.objects_of(page) {
                let is_string = heap
                    .map_of(object)
                    .is_some_and(|m| m.kind == InstanceType::String);
                if !is_string {
                    continue;
                }
                let slot = object.address.saturating_add(length_at & !7);
                let word = heap.image.word(slot).unwrap_or(0);
                let length = (word >> (8 * (length_at % 8))) as u32;
                if length as usize != units.len() {
                    continue;
                }
                match is_text(cx, object.address, &units) {
                    Some(true) => found.push(object.address),
                    Some(false) => {}
                    None => unsure.push(object.address),
                }
            }
        },
    )?;
    let mut all = Vec::new();
    for (found, unsure) in states {
        all.extend(found);
        all.extend(
            unsure
                .into_iter()
                .filter(|a| is_text(cx, *a, &units) == Some(true)),
        );
    }
    all.sort_unstable();
    Ok(all)
}

/// None where the characters could not be read.
fn is_text(cx: Cx<'_>, address: u64, units: &[u16]) -> Option<bool> {
    let read = JSString(HeapObject::new(cx, address))
        .read(units.len())
        .ok()?;
    if read.hole.is_some() {
        return None;
    }
    Some(read.units == units)
}

/// An object with a property, and what that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    pub object: u64,
    /// It is the PropertyCell of a global variable, not an object that has the property.
    pub is_global: bool,
    pub value: Option<PropertyValue>,
}

/// Every object with an own property of this name (or a symbol of this description).
pub fn owners(heap: &HeapIndex, cx: Cx<'_>, name: &str, watch: Watch<'_>) -> Result<Vec<Owner>> {
    let mut wanted = vec![false; heap.maps.len()];
    for (i, (info, tally)) in heap.maps.iter().zip(&heap.tallies).enumerate() {
        if i % 1024 == 0 {
            watch("searching maps", i as f64 / heap.maps.len() as f64)?;
        }
        if tally.count == 0 || !cx.layout.types.is_js_object(info.number) {
            continue;
        }
        let map = Map(HeapObject::new(cx, info.address));
        if map.is_dictionary().unwrap_or(true) {
            continue;
        }
        let entries = map.own_descriptor_entries().unwrap_or_default();
        wanted[i] = entries.iter().any(|d| is_key(cx, d.key, name));
    }
    let mut found = Vec::new();
    for page in 0..heap.page_count() {
        watch("searching objects", page as f64 / heap.page_count() as f64)?;
        let objects = heap.objects_of(page);
        for object in objects.filter(|o| wanted.get(o.map as usize) == Some(&true)) {
            let holder = JSObject(HeapObject::new(cx, object.address));
            let property = holder.own_property(|key| is_key(cx, key, name));
            if let Ok(Some(property)) = property {
                found.push(Owner {
                    object: object.address,
                    is_global: false,
                    value: property.value.ok(),
                });
            }
        }
    }
    in_dictionaries(heap, cx, name, watch, &mut found)?;
    found.sort_by_key(|o| o.object);
    found.dedup_by_key(|o| o.object);
    Ok(found)
}

/// Objects whose properties are in a dictionary, and global variables.
fn in_dictionaries(
    heap: &HeapIndex,
    cx: Cx<'_>,
    name: &str,
    watch: Watch<'_>,
    found: &mut Vec<Owner>,
) -> Result<()> {
    let keys = strings(heap, cx, name, watch)?;
    let hits = refs::find(heap, cx.layout, &keys, Words::Fields, watch)?;
    let mut dictionaries = FxHashSet::default();
    for hit in hits {
        let kind = heap.map_of(hit.object()).map(|m| m.kind);
        match kind {
            Some(InstanceType::NameDictionary) => {
                dictionaries.insert(hit.holder);
            }
            Some(InstanceType::PropertyCell) => {
                let layout = &cx.layout.property_cell;
                let cell = HeapObject::new(cx, hit.holder);
                if layout.name.known() == i64::try_from(hit.offset()).ok() {
                    found.push(Owner {
                        object: hit.holder,
                        is_global: true,
                        value: cell.field(layout.value).ok().map(PropertyValue::Tagged),
                    });
                }
            }
            _ => {}
        }
    }
    let mut dictionaries: Vec<u64> = dictionaries.into_iter().collect();
    dictionaries.sort_unstable();
    let at = cx.layout.js_object.properties_or_hash.known();
    for owner in refs::find(heap, cx.layout, &dictionaries, Words::Fields, watch)? {
        let is_object = heap
            .map_of(owner.object())
            .is_some_and(|m| cx.layout.types.is_js_object(m.number));
        if !is_object || at != i64::try_from(owner.offset()).ok() {
            continue;
        }
        let holder = JSObject(HeapObject::new(cx, owner.holder));
        if let Ok(Some(property)) = holder.own_property(|key| is_key(cx, key, name)) {
            found.push(Owner {
                object: owner.holder,
                is_global: false,
                value: property.value.ok(),
            });
        }
    }
    Ok(())
}

/// Whether a key is the string, or a symbol of that description.
fn is_key(cx: Cx<'_>, key: Tagged, name: &str) -> bool {
    if is_name(cx, key, name) {
        return true;
    }
    let read = || {
        let object = cx.object(key).ok()?;
        if object.instance_type().ok()? != InstanceType::Symbol {
            return None;
        }
        let description = Symbol(object).description(name.len() + 1).ok()??;
        Some(description.text() == name)
    };
    read().unwrap_or(false)
}
