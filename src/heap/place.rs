//! Where in an object a reference is, in words a user knows: a property, an element, a variable, an
//! entry of a Map. What is internal has a name in angle brackets.

use crate::metadata::{Constant, InstanceType, Layout};
use crate::object::{Context, Cx, HeapObject, JSObject, JSString, Symbol, Tagged};

/// Where a reference is, within its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Property(String),
    Index(u64),
    /// Of a Context.
    Variable(String),
    /// A part with no name in JavaScript.
    Internal(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Property(name) | Place::Variable(name) => write!(f, ".{name}"),
            Place::Index(index) => write!(f, "[{index}]"),
            Place::Internal(name) => write!(f, ".<{name}>"),
        }
    }
}

/// Where a reference is within something that belongs to an object: its elements, its
/// properties, the table of a Map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner {
    /// A slot of an array.
    Slot(u64),
    /// The key or the value of an entry, of this key.
    Key(Tagged),
    Value(Tagged),
    Getter,
    Setter,
    /// The one thing a cell is there for.
    Cell,
    /// What the holder calls it.
    Named(&'static str),
}

/// The place of a reference at `offset` of something that has no meaning of its own; None where
/// the object is one that users know.
pub fn inner(object: HeapObject<'_>, kind: InstanceType, offset: u64) -> Option<Inner> {
    use InstanceType::*;
    let cx = object.cx;
    let layout = cx.layout;
    let slot = |start: Constant| Some(offset.checked_sub(start.offset().ok()?)? / 8);
    let data = layout.fixed_array.data;
    Some(match kind {
        FixedArray
        | WeakFixedArray
        | WeakArrayList
        | SloppyArgumentsElements
        | ArrayList
        | GlobalDictionary => Inner::Slot(slot(data)?),
        PropertyArray => Inner::Slot(slot(layout.property_array.data)?),
        NameDictionary => {
            let d = &layout.dictionary;
            entry(object, offset, d.name_prefix, d.name_entry.offset().ok()?)?
        }
        NumberDictionary => {
            let d = &layout.dictionary;
            entry(
                object,
                offset,
                d.number_prefix,
                d.number_entry.offset().ok()?,
            )?
        }
        HashTable | EphemeronHashTable => {
            let index = slot(data)?.checked_sub(layout.dictionary.start_index.offset().ok()?)?;
            key_or_value(object, offset, index % 2)?
        }
        OrderedHashMap => ordered(object, offset, 3)?,
        OrderedHashSet => ordered(object, offset, 2)?,
        AccessorPair if layout.accessor_pair.getter.known() == Some(offset as i64) => Inner::Getter,
        AccessorPair => Inner::Setter,
        Cell | ContextCell | ContextSidePropertyCell | WeakCell => Inner::Cell,
        PromiseReaction => Inner::Named("reaction"),
        DescriptorArray | StrongDescriptorArray => descriptor(object, offset)?,
        _ => return None,
    })
}

/// The key or value of an entry whose part (0: key) is at `offset`.
fn key_or_value(object: HeapObject<'_>, offset: u64, part: u64) -> Option<Inner> {
    let key = object.tagged_at(offset.checked_sub(part * 8)?).ok()?;
    Some(match part {
        0 => Inner::Key(key),
        _ => Inner::Value(key),
    })
}

fn entry(object: HeapObject<'_>, offset: u64, prefix: Constant, size: u64) -> Option<Inner> {
    let layout = object.cx.layout;
    let start = layout.dictionary.start_index.offset().ok()? + prefix.offset().ok()?;
    let slot = offset.checked_sub(layout.fixed_array.data.offset().ok()?)? / 8;
    let part = slot.checked_sub(start)?.checked_rem(size)?;
    key_or_value(object, offset, part)
}

fn ordered(object: HeapObject<'_>, offset: u64, size: u64) -> Option<Inner> {
    let cx = object.cx;
    let layout = &cx.layout.ordered_hash_table;
    let data = cx.layout.fixed_array.data.offset().ok()?;
    let at = data + layout.number_of_buckets.offset().ok()? * 8;
    let buckets = cx.smi(object.tagged_at(at).ok()?)?;
    let start = layout.hash_table_start.offset().ok()? + u64::try_from(buckets).ok()?;
    let slot = offset.checked_sub(data)? / 8;
    key_or_value(object, offset, slot.checked_sub(start)? % size)
}

fn descriptor(object: HeapObject<'_>, offset: u64) -> Option<Inner> {
    let layout = &object.cx.layout.descriptors;
    let index = offset.checked_sub(layout.header.offset().ok()?)? / 8;
    let (size, key, value) = (
        layout.size.offset().ok()?,
        layout.key.offset().ok()?,
        layout.value.offset().ok()?,
    );
    let first = offset - (index % size) * 8;
    let name = object.tagged_at(first + key * 8).ok()?;
    match index % size {
        part if part == value => Some(Inner::Value(name)),
        part if part == key => Some(Inner::Key(name)),
        _ => None,
    }
}

/// The place in `holder` of what it holds at `offset`, by way of the things in `path` (outermost
/// last), which are its own.
pub fn place(
    holder: HeapObject<'_>,
    kind: InstanceType,
    offset: u64,
    path: &[Inner],
    write: &dyn Fn(Tagged) -> String,
) -> Place {
    let cx = holder.cx;
    let layout = cx.layout;
    let accessor = path.iter().find_map(|p| match p {
        Inner::Getter => Some("get "),
        Inner::Setter => Some("set "),
        _ => None,
    });
    let named = |name: String| Place::Property(format!("{}{name}", accessor.unwrap_or("")));
    // A cell in between says nothing of where the reference is.
    let outer = path
        .iter()
        .rev()
        .find(|p| !matches!(p, Inner::Cell | Inner::Getter | Inner::Setter));
    let is_at = |c: Constant| c.known() == i64::try_from(offset).ok();
    if kind == InstanceType::PropertyCell {
        return named(text(cx, holder.field(layout.property_cell.name).ok()));
    }
    if kind.is_context() {
        let start = layout.context.slots.offset().unwrap_or(16);
        let slot = offset.saturating_sub(start) / 8;
        return context_place(Context(holder), slot, outer);
    }
    if kind == InstanceType::Map {
        if let Some(Inner::Value(key)) = outer {
            return named(text(cx, Some(*key)));
        }
    }
    let is_object = holder
        .instance_type_number()
        .is_ok_and(|n| layout.types.is_js_object(n));
    if !is_object {
        return internal(layout, kind, offset, outer);
    }
    if is_at(layout.js_object.elements) {
        return match outer {
            Some(Inner::Slot(index)) => Place::Index(*index),
            Some(Inner::Value(key)) => Place::Index(number(cx, *key)),
            _ => Place::Internal("elements".to_string()),
        };
    }
    if is_at(layout.js_object.properties_or_hash) {
        return match outer {
            Some(Inner::Slot(index)) => stored_property(holder, *index),
            Some(Inner::Value(key)) => named(text(cx, Some(*key))),
            Some(Inner::Key(key)) => Place::Internal(format!("key {}", text(cx, Some(*key)))),
            _ => Place::Internal("properties".to_string()),
        };
    }
    let is_collection = matches!(
        kind,
        InstanceType::JSMap
            | InstanceType::JSSet
            | InstanceType::JSWeakMap
            | InstanceType::JSWeakSet
    );
    if is_collection && is_at(layout.js_collection.table) {
        return match outer {
            Some(Inner::Key(_)) if kind == InstanceType::JSSet => {
                Place::Internal("member".to_string())
            }
            Some(Inner::Key(_)) => Place::Internal("key".to_string()),
            Some(Inner::Value(key)) => Place::Internal(format!("value of {}", write(*key))),
            _ => Place::Internal("table".to_string()),
        };
    }
    // A field of the class itself, or else an in-object property.
    match (field_name(layout, kind, offset), outer) {
        (Some(name), None) => Place::Internal(name.to_string()),
        (Some(name), Some(outer)) => Place::Internal(with_inner(name, outer)),
        (None, _) => {
            own_slot(holder, offset).unwrap_or_else(|| internal(layout, kind, offset, outer))
        }
    }
}

fn with_inner(name: &str, outer: &Inner) -> String {
    match outer {
        Inner::Slot(index) => format!("{name}[{index}]"),
        Inner::Key(_) => format!("key in {name}"),
        Inner::Value(_) => format!("value in {name}"),
        _ => name.to_string(),
    }
}

fn internal(layout: &Layout, kind: InstanceType, offset: u64, outer: Option<&Inner>) -> Place {
    let name = match field_name(layout, kind, offset) {
        Some(name) => name.to_string(),
        None => format!("+{offset:#x}"),
    };
    match outer {
        Some(outer) => Place::Internal(with_inner(&name, outer)),
        None => Place::Internal(name),
    }
}

/// The property whose value is at `offset` of the object, or its embedder field.
fn own_slot(holder: HeapObject<'_>, offset: u64) -> Option<Place> {
    let slot = holder.slot(offset).ok()?;
    let properties = JSObject(holder).own_properties().ok()?;
    if let Some(found) = properties.iter().find(|p| p.slot == Some(slot)) {
        return Some(Place::Property(text(holder.cx, Some(found.key))));
    }
    let fields = JSObject(holder).embedder_fields().ok()?;
    let index = fields
        .contains(&offset)
        .then(|| (offset - fields.start) / 8)?;
    Some(Place::Internal(format!("internal field {index}")))
}

/// The property that is slot `index` of the object's PropertyArray.
fn stored_property(holder: HeapObject<'_>, index: u64) -> Place {
    let cx = holder.cx;
    let find = || -> Option<String> {
        let array = cx
            .object(JSObject(holder).properties_or_hash().ok()?)
            .ok()?;
        let data = cx.layout.property_array.data.offset().ok()?;
        let slot = array.slot(data.checked_add(index.checked_mul(8)?)?).ok()?;
        let properties = JSObject(holder).own_properties().ok()?;
        let found = properties.iter().find(|p| p.slot == Some(slot))?;
        Some(text(cx, Some(found.key)))
    };
    match find() {
        Some(name) => Place::Property(name),
        None => Place::Internal(format!("properties[{index}]")),
    }
}

fn context_place(context: Context<'_>, slot: u64, outer: Option<&Inner>) -> Place {
    let layout = &context.0.cx.layout.context;
    let is = |c: Constant| c.known() == i64::try_from(slot).ok();
    let fixed = if is(layout.scope_info_index) {
        Some("scope_info")
    } else if is(layout.previous_index) {
        Some("previous")
    } else {
        None
    };
    if let Some(name) = fixed {
        return Place::Internal(name.to_string());
    }
    if let Some(Inner::Slot(index)) = outer {
        return Place::Internal(format!("slot {slot}[{index}]"));
    }
    let variables = context.variables().unwrap_or_default();
    match variables.into_iter().find(|v| v.slot == slot) {
        Some(found) => Place::Variable(found.name.unwrap_or_else(|_| "???".to_string())),
        None if context.0.instance_type().ok() == Some(InstanceType::NativeContext) => {
            Place::Internal(format!("native context slot {slot}"))
        }
        None => Place::Internal(format!("slot {slot}")),
    }
}

fn number(cx: Cx<'_>, key: Tagged) -> u64 {
    if let Some(value) = cx.smi(key) {
        return u64::try_from(value).unwrap_or(0);
    }
    let read = || {
        let object = cx.object(key).ok()?;
        let bits = object.u64_field(cx.layout.heap_number.value).ok()?;
        Some(f64::from_bits(bits) as u64)
    };
    read().unwrap_or(0)
}

/// Longest name shown.
const NAME: usize = 256;

/// A key as text.
fn text(cx: Cx<'_>, key: Option<Tagged>) -> String {
    let read = || {
        let object = cx.object(key?).ok()?;
        if object.is_string().ok()? {
            return Some(JSString(object).read(NAME).ok()?.text());
        }
        if object.instance_type().ok()? == InstanceType::Symbol {
            let description = Symbol(object).description(NAME).ok()?;
            let name = description.map(|d| d.text()).unwrap_or_default();
            return Some(format!("Symbol('{name}')"));
        }
        None
    };
    read().unwrap_or_else(|| "???".to_string())
}

/// V8's name of the field at `offset` of an object of its own kinds.
fn field_name(layout: &Layout, kind: InstanceType, offset: u64) -> Option<&'static str> {
    use InstanceType::*;
    let fields: &[(Constant, &'static str)] = match kind {
        kind if kind.is_js_function() => &[
            (layout.js_function.shared, "shared"),
            (layout.js_function.context, "context"),
            (layout.js_function.feedback_cell, "feedback cell"),
            (layout.js_function.code, "code"),
            (layout.js_function.prototype_or_initial_map, "prototype"),
        ],
        JSBoundFunction => &[
            (layout.js_bound_function.target, "bound function"),
            (layout.js_bound_function.this, "bound this"),
            (layout.js_bound_function.arguments, "bound arguments"),
        ],
        JSProxy => &[
            (layout.js_proxy.target, "target"),
            (layout.js_proxy.handler, "handler"),
        ],
        JSPromise => &[(layout.js_promise.reactions_or_result, "reactions or result")],
        JSGeneratorObject | JSAsyncFunctionObject | JSAsyncGeneratorObject => &[
            (layout.js_generator.function, "function"),
            (layout.js_generator.context, "context"),
            (layout.js_generator.receiver, "receiver"),
            (layout.js_generator.input_or_debug_pos, "input"),
            (layout.js_generator.parameters_and_registers, "registers"),
            (layout.js_generator.async_promise, "promise"),
        ],
        JSWeakRef => &[(layout.js_weak_ref.target, "target")],
        JSPrimitiveWrapper => &[(layout.js_primitive_wrapper.value, "value")],
        JSTypedArray | JSDataView | JSRabGsabDataView => {
            &[(layout.js_array_buffer_view.buffer, "buffer")]
        }
        JSRegExp => &[
            (layout.js_reg_exp.data, "data"),
            (layout.js_reg_exp.source, "source"),
        ],
        JSArrayIterator => &[(layout.js_array_iterator.object, "iterated object")],
        Map => &[
            (layout.map.prototype, "prototype"),
            (layout.map.constructor_or_back_pointer, "constructor"),
            (layout.map.descriptors, "descriptors"),
            (layout.map.transitions, "transitions"),
        ],
        SharedFunctionInfo => &[
            (layout.shared.function_data, "function data"),
            (layout.shared.name_or_scope_info, "name or scope info"),
            (layout.shared.script, "script"),
        ],
        Script => &[
            (layout.script.source, "source"),
            (layout.script.name, "name"),
        ],
        FeedbackCell => &[(layout.feedback_cell.value, "value")],
        Symbol => &[(layout.symbol.description, "description")],
        String => &[
            (layout.string.cons_first, "First"),
            (layout.string.cons_second, "Second"),
        ],
        _ => &[],
    };
    let at = i64::try_from(offset).ok()?;
    let found = fields.iter().find(|(c, _)| c.known() == Some(at));
    if let Some((_, name)) = found {
        return Some(name);
    }
    None
}

/// The part of a cons, sliced or thin string that is at `offset`.
pub fn string_part(string: HeapObject<'_>, offset: u64) -> &'static str {
    let layout = &string.cx.layout.string;
    let is = |c: Constant| c.known() == i64::try_from(offset).ok();
    match JSString(string).shape() {
        Ok((crate::object::StringShape::Thin, _)) => "Actual",
        Ok((crate::object::StringShape::Sliced, _)) => "Parent",
        _ if is(layout.cons_second) => "Second",
        _ => "First",
    }
}
