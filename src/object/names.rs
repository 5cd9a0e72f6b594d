//! What V8 calls an object: JSReceiver::GetConstructorName, which names the nodes of heap
//! snapshots.

use super::function::JSFunction;
use super::js_object::{is_name, JSObject, PropertyValue};
use super::oddball::OddballKind;
use super::symbol::Symbol;
use super::{HeapObject, JSString, Map, Tagged};
use crate::error::Result;
use crate::metadata::{Constant, InstanceType};

/// The name of all objects of a Map, or that each has to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapName {
    Name(String),
    /// An own Symbol.toStringTag, a dictionary, or a boxed primitive: it depends on the object.
    PerObject,
}

/// Prototypes followed at most.
const MAX_CHAIN: usize = 10_000;
/// Longest name read.
const MAX_NAME: usize = 4096;

/// The name of the class of all objects of a Map, as far as the Map decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassName {
    Name(String),
    /// Of those whose own dictionary of properties has no Symbol.toStringTag.
    UnlessTagged(String),
    /// Each has to be asked.
    PerObject,
}

/// The name of the class of a Map's objects: as V8's constructor name, but that an instance of a
/// subclass of Map or Set has that subclass's name in every version, not only from V8 10 on.
pub fn class_name_of_map(map: Map) -> Result<ClassName> {
    use InstanceType::*;
    if let Some(name) = name_from_map(map)? {
        return Ok(ClassName::Name(name));
    }
    if matches!(map.instance_type()?, JSPrimitiveWrapper | JSArrayBuffer) {
        return Ok(ClassName::PerObject);
    }
    let is_dictionary = map.is_dictionary()?;
    if !is_dictionary {
        for d in map.own_descriptor_entries()? {
            if is_to_string_tag(map.0.cx, d.key) {
                return Ok(ClassName::PerObject);
            }
        }
    }
    let name = match class_from_chain(None, map)? {
        Some(name) => name,
        None => class_name(None, map)?.to_string(),
    };
    Ok(if is_dictionary {
        ClassName::UnlessTagged(name)
    } else {
        ClassName::Name(name)
    })
}

/// The name of an object's class, by the same rule.
pub fn class_name_of(object: HeapObject) -> Result<String> {
    let map = object.map()?;
    if let Some(name) = name_from_map(map)? {
        return Ok(name);
    }
    // A prototype's own Symbol.toStringTag is for the objects that have it as their prototype.
    let own = (!map.is_prototype()?).then_some(object);
    match class_from_chain(own, map)? {
        Some(name) => Ok(name),
        None => class_name(Some(object), map).map(str::to_string),
    }
}

/// The version's own rule, but that of V8 10 where the older one stops at a prototype's
/// Symbol.toStringTag.
fn class_from_chain(object: Option<HeapObject>, map: Map) -> Result<Option<String>> {
    if is_on(map.0.cx.layout.naming.by_prototype) || first_in_chain(map, to_string_tag)?.is_some() {
        name_by_prototype(object, map)
    } else {
        name_by_property(object, map)
    }
}

/// The name of a JSObject's constructor as JSReceiver::GetConstructorName gives it.
pub fn constructor_name(object: HeapObject) -> Result<String> {
    let map = object.map()?;
    if let Some(name) = name_from_map(map)? {
        return Ok(name);
    }
    name_from_chain(Some(object), map)
}

/// The name of the constructor of all objects of a Map, where it is the same for all.
pub fn constructor_name_of_map(map: Map) -> Result<MapName> {
    if let Some(name) = name_from_map(map)? {
        return Ok(MapName::Name(name));
    }
    use InstanceType::*;
    if map.is_dictionary()? || matches!(map.instance_type()?, JSPrimitiveWrapper | JSArrayBuffer) {
        return Ok(MapName::PerObject);
    }
    for d in map.own_descriptor_entries()? {
        if is_to_string_tag(map.0.cx, d.key) {
            return Ok(MapName::PerObject);
        }
    }
    name_from_chain(None, map).map(MapName::Name)
}

fn is_on(constant: Constant) -> bool {
    constant.known() == Some(1)
}

/// The name by the Map's constructor, unless that says no more than "Object".
fn name_from_map(map: Map) -> Result<Option<String>> {
    let cx = map.0.cx;
    if map.instance_type()? == InstanceType::JSProxy
        || !map.new_target_is_base()?
        || map.is_prototype()?
    {
        return Ok(None);
    }
    let Ok(constructor) = cx.object(map.constructor()?) else {
        return Ok(None);
    };
    let kind = constructor.instance_type()?;
    if kind.is_js_function() {
        let function = JSFunction(constructor);
        let name = if is_on(cx.layout.naming.by_own_name) {
            function.debug_name()?
        } else {
            function.shared()?.debug_name()?
        };
        return Ok((!name.is_empty() && name != "Object").then_some(name));
    }
    if kind == InstanceType::FunctionTemplateInfo && is_on(cx.layout.naming.by_template) {
        return template_name(constructor);
    }
    Ok(None)
}

fn template_name(template: HeapObject) -> Result<Option<String>> {
    let name = template.object_field(template.cx.layout.function_template_info.class_name)?;
    if !name.is_string()? {
        return Ok(None);
    }
    Ok(Some(JSString(name).read(MAX_NAME)?.marked()))
}

/// The name by Symbol.toStringTag and `constructor` of the object and its prototypes. Without an
/// object, the own properties of one of this Map are known not to matter.
fn name_from_chain(object: Option<HeapObject>, map: Map) -> Result<String> {
    let naming = &map.0.cx.layout.naming;
    let found = if is_on(naming.by_prototype) {
        name_by_prototype(object, map)?
    } else {
        name_by_property(object, map)?
    };
    match found {
        Some(name) => Ok(name),
        None => class_name(object, map).map(str::to_string),
    }
}

/// From V8 10 on: each object of the chain is asked for both.
fn name_by_prototype(object: Option<HeapObject>, map: Map) -> Result<Option<String>> {
    let hidden_prototypes = is_on(map.0.cx.layout.naming.by_hidden_prototype);
    if let Some(name) = object.map(to_string_tag).transpose()?.flatten() {
        return Ok(name.data());
    }
    let mut behind_proxy = map.instance_type()? == InstanceType::JSGlobalProxy;
    for current in chain(map) {
        let current = current?;
        if let Some(Found::Data(name)) = to_string_tag(current)? {
            return Ok(Some(name));
        }
        if behind_proxy && hidden_prototypes {
            let constructor = current.map()?.constructor()?;
            if let Ok(template) = current.cx.object(constructor) {
                if template.instance_type()? == InstanceType::FunctionTemplateInfo {
                    if let Some(name) = template_name(template)? {
                        return Ok(Some(name));
                    }
                }
            }
        }
        if let Some(Found::Data(name)) = constructor_property(current)? {
            if !name.is_empty() && name != "Object" {
                return Ok(Some(name));
            }
        }
        behind_proxy = current.instance_type()? == InstanceType::JSGlobalProxy;
    }
    Ok(None)
}

/// Up to V8 9: the whole chain for the tag, then for the constructor; the first of each counts.
fn name_by_property(object: Option<HeapObject>, map: Map) -> Result<Option<String>> {
    let own = object.map(to_string_tag).transpose()?.flatten();
    let tag = match own {
        Some(found) => Some(found),
        None => first_in_chain(map, to_string_tag)?,
    };
    if let Some(Found::Data(name)) = tag {
        return Ok(Some(name));
    }
    if let Some(Found::Data(name)) = first_in_chain(map, constructor_property)? {
        if !name.is_empty() && name != "Object" {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn first_in_chain<'a>(
    map: Map<'a>,
    mut ask: impl FnMut(HeapObject<'a>) -> Result<Option<Found>>,
) -> Result<Option<Found>> {
    for current in chain(map) {
        if let Some(found) = ask(current?)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The prototypes of a Map's objects, up to the first proxy.
fn chain<'a>(map: Map<'a>) -> impl Iterator<Item = Result<HeapObject<'a>>> {
    let mut next = Some(map);
    let mut left = MAX_CHAIN;
    std::iter::from_fn(move || {
        let map = next.take()?;
        left = left.checked_sub(1)?;
        let step = || -> Result<Option<HeapObject<'a>>> {
            let object = map.0.cx.object(map.prototype()?)?;
            let kind = object.instance_type_number()?;
            Ok(map.0.cx.layout.types.is_js_object(kind).then_some(object))
        };
        match step() {
            Ok(Some(object)) => {
                next = object.map().ok();
                Some(Ok(object))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    })
}

/// A property that was found: its text if it is data that gives one.
enum Found {
    Data(String),
    Other,
}

impl Found {
    fn data(self) -> Option<String> {
        match self {
            Found::Data(name) => Some(name),
            Found::Other => None,
        }
    }
}

/// Whether a key is Symbol.toStringTag.
pub fn is_to_string_tag(cx: super::Cx, key: Tagged) -> bool {
    cx.object(key).is_ok_and(|object| {
        object.instance_type().ok() == Some(InstanceType::Symbol)
            && Symbol(object)
                .is_well_known("Symbol.toStringTag")
                .unwrap_or(false)
    })
}

fn to_string_tag(object: HeapObject) -> Result<Option<Found>> {
    let cx = object.cx;
    let Some(property) = JSObject(object).own_property(|key| is_to_string_tag(cx, key))? else {
        return Ok(None);
    };
    if let Ok(PropertyValue::Tagged(value)) = property.value {
        if let Ok(value) = cx.object(value) {
            if value.is_string()? {
                return Ok(Some(Found::Data(JSString(value).read(MAX_NAME)?.marked())));
            }
        }
    }
    Ok(Some(Found::Other))
}

fn constructor_property(object: HeapObject) -> Result<Option<Found>> {
    let cx = object.cx;
    let wanted = |key| is_name(cx, key, "constructor");
    let Some(property) = JSObject(object).own_property(wanted)? else {
        return Ok(None);
    };
    if let Ok(PropertyValue::Tagged(value)) = property.value {
        if let Ok(value) = cx.object(value) {
            if value.instance_type()?.is_js_function() {
                let name = JSFunction(value).shared()?.debug_name()?;
                return Ok(Some(Found::Data(name)));
            }
        }
    }
    Ok(Some(Found::Other))
}

/// V8's last word (JSReceiver::class_name), by the kind of object.
fn class_name(object: Option<HeapObject>, map: Map) -> Result<&'static str> {
    use InstanceType::*;
    let cx = map.0.cx;
    let kind = map.instance_type()?;
    if kind.is_js_function() {
        return Ok("Function");
    }
    Ok(match kind {
        JSBoundFunction | JSWrappedFunction => "Function",
        JSArgumentsObject => "Arguments",
        JSArray => "Array",
        JSArrayBuffer => {
            let flags = object.map(|o| o.u32_field(cx.layout.js_array_buffer.bit_field));
            let shared = cx.layout.js_array_buffer.is_shared_mask.known();
            match (flags, shared) {
                (Some(Ok(flags)), Some(mask)) if i64::from(flags) & mask != 0 => {
                    "SharedArrayBuffer"
                }
                _ => "ArrayBuffer",
            }
        }
        JSArrayIterator => "Array Iterator",
        JSDate => "Date",
        JSError => "Error",
        JSGeneratorObject | JSAsyncFunctionObject | JSAsyncGeneratorObject => "Generator",
        JSMap => "Map",
        JSMapKeyIterator | JSMapKeyValueIterator | JSMapValueIterator => "Map Iterator",
        JSProxy if map.is_callable()? => "Function",
        JSRegExp => "RegExp",
        JSSet => "Set",
        JSSetKeyValueIterator | JSSetValueIterator => "Set Iterator",
        JSTypedArray => {
            super::buffer::typed_array_kind(cx, map.elements_kind()?).map_or("Object", |k| k.name())
        }
        JSPrimitiveWrapper => match object {
            Some(object) => {
                primitive_class(object.object_or_smi(cx.layout.js_primitive_wrapper.value)?)
            }
            None => "Object",
        },
        JSWeakMap => "WeakMap",
        JSWeakSet => "WeakSet",
        JSGlobalProxy if is_on(cx.layout.naming.global_proxy) => "global",
        _ => "Object",
    })
}

fn primitive_class(value: Option<HeapObject>) -> &'static str {
    let Some(value) = value else {
        return "Number";
    };
    match value.instance_type() {
        Ok(InstanceType::Oddball) => match OddballKind::of(value) {
            Ok(Some(OddballKind::True | OddballKind::False)) => "Boolean",
            _ => "Object",
        },
        Ok(InstanceType::HeapNumber) => "Number",
        Ok(InstanceType::BigInt) => "BigInt",
        Ok(InstanceType::Symbol) => "Symbol",
        Ok(InstanceType::Script) => "Script",
        Ok(InstanceType::String) => "String",
        _ => "Object",
    }
}
