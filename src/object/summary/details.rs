//! What is inside a value.

use super::{error_stack, internal, Content, Hex, Item, Items, Key, Options, Section, Value};
use crate::error::Result;
use crate::metadata::InstanceType as T;
use crate::object::{
    dom_exception, iterator_entries, namespace_exports, proxy_parts, weak_ref_target,
    wrapped_primitive, CollectionKind, Context, ContextValue, Cx, HeapObject, JSArrayBuffer,
    JSArrayBufferView, JSBoundFunction, JSCollection, JSFunction, JSGeneratorObject, JSObject,
    JSPromise, JSString, Property, PropertyValue, Symbol, SymbolKind, Tagged, TypedArrayKind,
    TypedElement,
};

/// Longest property name shown.
const MAX_KEY: usize = 4096;

/// Every part that can be read of an object; those that cannot are told in their place.
pub(super) fn sections(object: HeapObject, options: Options) -> Vec<Section> {
    let mut sections = Vec::new();
    match object.instance_type() {
        Ok(kind) => fill(object, kind, options, &mut sections),
        Err(error) => sections.push(unreadable("object", &error)),
    }
    sections
}

fn unreadable(part: &'static str, error: &crate::error::Error) -> Section {
    Section::Unreadable {
        part,
        reason: error.to_string(),
    }
}

/// Adds a part, or says why it is not there.
pub(super) fn push(
    sections: &mut Vec<Section>,
    part: &'static str,
    section: Result<Option<Section>>,
) {
    match section {
        Ok(Some(section)) => sections.push(section),
        Ok(None) => {}
        Err(error) => sections.push(unreadable(part, &error)),
    }
}

fn fill(object: HeapObject, kind: T, options: Options, sections: &mut Vec<Section>) {
    let cx = object.cx;
    let is_function = kind.is_js_function();
    if is_function {
        push(sections, "context", function_context(object, options));
    } else if kind.is_context() {
        push(sections, "variables", variables(Context(object), options));
        return;
    }
    let number = object.instance_type_number().unwrap_or(0);
    if kind == T::JSProxy {
        push(sections, "internal slots", slots(object, kind, options));
        return;
    }
    if !cx.layout.types.is_js_object(number) {
        internal::fill(object, kind, options, sections);
        return;
    }
    match kind {
        T::JSArrayBuffer => push(sections, "bytes", buffer_bytes(object, options)),
        T::JSTypedArray | T::JSDataView | T::JSRabGsabDataView => {
            push(sections, "elements", typed_elements(object, options));
            push(sections, "bytes", view_bytes(object, options));
        }
        _ => {}
    }
    push(sections, "internal slots", slots(object, kind, options));
    push(sections, "entries", entries(object, options));
    push(sections, "elements", elements(object, kind, options));
    push(sections, "properties", properties(object, options));
    if matches!(kind, T::JSObject | T::JSApiObject | T::JSSpecialApiObject)
        || kind == T::JSObjectWithEmbedderSlots
    {
        push(sections, "internal fields", internal_fields(object));
    }
    push(
        sections,
        "error stack",
        error_stack::section(object, options),
    );
    if is_function && options.source {
        push(sections, "source", source(JSFunction(object)));
    }
}

fn items_section(make: fn(Items) -> Section, items: Items) -> Option<Section> {
    (!items.items.is_empty() || items.more.is_some()).then(|| make(items))
}

/// The name of a property.
pub(super) fn key(cx: Cx, key: Tagged) -> Key {
    let read = || -> Result<Key> {
        if let Some(index) = cx.smi(key) {
            return Ok(Key::Index(index as u64));
        }
        let object = cx.object(key)?;
        if object.is_string()? {
            return Ok(Key::Name(JSString(object).read(MAX_KEY)?.text()));
        }
        let symbol = Symbol(object);
        let text = symbol.description(MAX_KEY)?.map(|t| t.text());
        Ok(match symbol.kind()? {
            SymbolKind::WellKnown | SymbolKind::Public => Key::Symbol(text),
            SymbolKind::PrivateName => Key::Private(text.unwrap_or_default()),
            SymbolKind::PrivateBrand => {
                Key::Private(format!("(brand of {})", text.unwrap_or_default()))
            }
            SymbolKind::Private => Key::Private(text.unwrap_or_default()),
        })
    };
    read().unwrap_or_else(|error| Key::Unreadable(error.to_string()))
}

/// What a property holds.
pub(super) fn content(cx: Cx, value: Result<PropertyValue>, options: Options) -> Content {
    match value {
        Ok(PropertyValue::Tagged(value)) => Content::Value(Value::child(cx, value, options)),
        Ok(PropertyValue::Double(value)) => Content::Value(Value::double(value)),
        Ok(PropertyValue::Undefined) => {
            Content::Value(Value::bare(super::Brief::Oddball { name: "undefined" }))
        }
        Ok(PropertyValue::Accessors { getter, setter }) => {
            let function = |value: Tagged| -> Option<Box<Value>> {
                let object = cx.object(value).ok()?;
                // Null and the hole stand for none.
                if matches!(object.instance_type(), Ok(T::Oddball | T::Hole)) {
                    return None;
                }
                Some(Box::new(Value::child(cx, value, options)))
            };
            Content::Accessor {
                getter: function(getter),
                setter: function(setter),
            }
        }
        Ok(PropertyValue::Native(_)) => Content::NativeAccessor,
        Err(error) => Content::Unreadable {
            reason: error.to_string(),
        },
    }
}

fn property_item(cx: Cx, property: Property, options: Options) -> Item {
    Item {
        key: key(cx, property.key),
        value: content(cx, property.value, options),
        attributes: property.attributes,
    }
}

/// Own properties as V8 enumerates them: strings, then symbols, each in order of creation.
fn properties(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let all = JSObject(object).own_properties()?;
    let mut items: Vec<Item> = all
        .into_iter()
        .map(|p| property_item(cx, p, options))
        .collect();
    if object.instance_type()? == T::JSModuleNamespace {
        fill_exports(object, &mut items, options)?;
    }
    items.sort_by_key(|item| match item.key {
        Key::Private(_) => 2,
        Key::Symbol(_) => 1,
        _ => 0,
    });
    Ok(items_section(
        Section::Properties,
        Items { items, more: None },
    ))
}

/// Puts the exports' values in the place of the accessors that get them.
fn fill_exports(object: HeapObject, items: &mut [Item], options: Options) -> Result<()> {
    let cx = object.cx;
    for (name, value) in namespace_exports(object)? {
        let key = Key::Name(name);
        if let Some(item) = items.iter_mut().find(|item| item.key == key) {
            item.value = content(cx, value.map(PropertyValue::Tagged), options);
        }
    }
    Ok(())
}

fn elements(object: HeapObject, kind: T, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let js_object = JSObject(object);
    // The elements of an object that is no array are all shown, as its properties are.
    let limit = if kind == T::JSArray {
        options.limit()
    } else {
        usize::MAX
    };
    let mut items = Vec::new();
    if let Some(string) = js_object.wrapped_string()? {
        let text = string.read(MAX_KEY)?;
        for (index, unit) in text.units.iter().enumerate() {
            let text = super::Text {
                text: crate::object::unit_text(&[*unit]),
                length: 1,
                ..super::Text::default()
            };
            items.push(Item::new(
                Key::Index(index as u64),
                Content::Value(Value::bare(super::Brief::String {
                    text,
                    external: false,
                })),
            ));
        }
    }
    let found = js_object.own_elements(limit)?;
    let total = (kind == T::JSArray)
        .then(|| js_object.array_length())
        .transpose()?;
    let shown = found.items.last().map_or(0, |e| e.index.saturating_add(1));
    items.extend(found.items.into_iter().map(|e| Item {
        key: Key::Index(e.index),
        value: content(cx, e.value, options),
        attributes: e.attributes,
    }));
    let more = found
        .more
        .then(|| total.unwrap_or(u64::MAX).saturating_sub(shown));
    Ok(items_section(Section::Elements, Items { items, more }))
}

/// Cuts entries by the limit.
fn limited<I>(all: Vec<I>, options: Options, item: impl FnMut(I) -> Item) -> Items {
    let limit = options.limit();
    let more = all.len().saturating_sub(limit);
    Items {
        items: all.into_iter().take(limit).map(item).collect(),
        more: (more > 0).then_some(more as u64),
    }
}

fn entries(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let (all, has_values) = match JSCollection::new(object)? {
        Some(c) => {
            let values = matches!(c.kind, CollectionKind::Map | CollectionKind::WeakMap);
            (c.entries()?, values)
        }
        None => match iterator_entries(object)? {
            Some(left) => {
                let kind = object.instance_type()?;
                let map = matches!(
                    kind,
                    T::JSMapKeyValueIterator | T::JSMapKeyIterator | T::JSMapValueIterator
                );
                (left, map)
            }
            None => return Ok(None),
        },
    };
    let items = limited(all, options, |(key, value)| Item {
        key: Key::Entry(Box::new(Value::child(cx, key, options))),
        value: if has_values {
            Content::Value(Value::child(cx, value, options))
        } else {
            Content::None
        },
        attributes: Default::default(),
    });
    Ok(items_section(Section::Entries, items))
}

/// What DevTools shows in double brackets.
fn slots(object: HeapObject, kind: T, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let value = |name: &'static str, value: Tagged| {
        Item::new(
            Key::Internal(name),
            Content::Value(Value::child(cx, value, options)),
        )
    };
    let note = |name: &'static str, text: &str| {
        Item::new(Key::Internal(name), Content::Note(text.to_string()))
    };
    let items = match kind {
        T::JSBoundFunction => {
            let bound = JSBoundFunction(object);
            let mut items = vec![
                value("[[TargetFunction]]", bound.target()?.tagged()),
                value("[[BoundThis]]", bound.this()?),
            ];
            items.push(value("[[BoundArgs]]", bound.arguments()?.0.tagged()));
            items
        }
        T::JSPromise => {
            let promise = JSPromise(object);
            let state = promise.state()?;
            let result = promise.reactions_or_result()?;
            let mut items = vec![note("[[PromiseState]]", state.name())];
            if state != crate::object::PromiseState::Pending {
                items.push(value("[[PromiseResult]]", result));
            } else if !result.is_smi() {
                items.push(value("[[PromiseReactions]]", result));
            }
            items
        }
        T::JSProxy => {
            let (target, handler) = proxy_parts(object)?;
            vec![value("[[Target]]", target), value("[[Handler]]", handler)]
        }
        T::JSGeneratorObject | T::JSAsyncFunctionObject | T::JSAsyncGeneratorObject => {
            let generator = JSGeneratorObject(object);
            let mut items = vec![
                note("[[GeneratorState]]", generator.state()?.name()),
                value("[[GeneratorFunction]]", generator.function()?.0.tagged()),
                value("[[GeneratorReceiver]]", generator.receiver()?),
                value("[[GeneratorContext]]", generator.context()?.tagged()),
            ];
            if let Some(promise) = generator.promise()? {
                items.push(value("[[Promise]]", promise));
            }
            items
        }
        T::JSPrimitiveWrapper => vec![value("[[PrimitiveValue]]", wrapped_primitive(object)?)],
        T::JSWeakRef => match weak_ref_target(object)? {
            Some(target) => vec![value("[[WeakRefTarget]]", target)],
            None => vec![note("[[WeakRefTarget]]", "cleared")],
        },
        T::JSTypedArray | T::JSDataView | T::JSRabGsabDataView => {
            let buffer = JSArrayBufferView(object).buffer()?;
            vec![value("[[Buffer]]", buffer.0.tagged())]
        }
        T::JSError | T::JSObject => dom_slots(object, options),
        _ => Vec::new(),
    };
    Ok(items_section(
        Section::InternalSlots,
        Items { items, more: None },
    ))
}

/// What a DOMException says of itself, which Node.js keeps beside it.
fn dom_slots(object: HeapObject, options: Options) -> Vec<Item> {
    let Ok(Some(said)) = dom_exception(object) else {
        return Vec::new();
    };
    let text = |name: &'static str, text: &str| {
        let text = super::brief::limited(text, options.child_length.unwrap_or(usize::MAX));
        let external = false;
        let shown = Value::bare(super::Brief::String { text, external });
        Item::new(Key::Internal(name), Content::Value(shown))
    };
    let mut items = vec![text("name", &said.name), text("message", &said.message)];
    items.extend(said.code.map(|value| {
        let shown = Value::bare(super::Brief::Smi { value });
        Item::new(Key::Internal("code"), Content::Value(shown))
    }));
    items
}

fn buffer_bytes(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let buffer = JSArrayBuffer(object);
    if buffer.was_detached()? {
        return Ok(None);
    }
    let limit = options.limit() as u64;
    Ok(Some(Section::Bytes {
        bytes: buffer.bytes(limit)?,
        more: buffer.byte_length()? > limit,
    }))
}

fn view_bytes(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let view = JSArrayBufferView(object);
    if view.buffer()?.was_detached()? {
        return Ok(None);
    }
    let limit = options.limit() as u64;
    Ok(Some(Section::Bytes {
        bytes: view.bytes(limit)?,
        more: view.byte_length()? > limit,
    }))
}

fn typed_elements(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let view = JSArrayBufferView(object);
    let as_bytes = matches!(
        view.kind()?,
        None | Some(TypedArrayKind::Uint8 | TypedArrayKind::Uint8Clamped)
    );
    // Bytes are shown anyway.
    if as_bytes || view.buffer()?.was_detached()? {
        return Ok(None);
    }
    let length = view.length()?;
    let elements = view.elements(options.limit() as u64)?;
    let more = length.saturating_sub(elements.len() as u64);
    let items = elements
        .into_iter()
        .enumerate()
        .map(|(index, element)| {
            let value = match element {
                TypedElement::Integer(value) => Value::double(value as f64),
                TypedElement::Float(value) => Value::double(value),
                TypedElement::BigInt(value) => Value::bare(super::Brief::BigInt {
                    value: value.to_string(),
                }),
            };
            Item::new(Key::Index(index as u64), Content::Value(value))
        })
        .collect();
    Ok(items_section(
        Section::Elements,
        Items {
            items,
            more: (more > 0).then_some(more),
        },
    ))
}

fn internal_fields(object: HeapObject) -> Result<Option<Section>> {
    let mut words = Vec::new();
    for at in JSObject(object).embedder_fields()?.step_by(8) {
        words.push(Hex(object.tagged_at(at)?.0));
    }
    Ok((!words.is_empty()).then_some(Section::InternalFields { words }))
}

fn function_context(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let context = JSFunction(object).context()?;
    let mut value = Value::child(object.cx, context.0.tagged(), options);
    push(
        &mut value.sections,
        "variables",
        variables(context, options),
    );
    Ok(Some(Section::Context {
        context: Box::new(value),
    }))
}

fn variables(context: Context, options: Options) -> Result<Option<Section>> {
    let cx = context.0.cx;
    let mut items = Vec::new();
    if let Some(previous) = context.previous()? {
        items.push(Item::new(
            Key::Internal("(previous)"),
            Content::Value(Value::child(cx, previous.0.tagged(), options)),
        ));
    }
    let scope = context.scope_info()?;
    items.push(Item::new(
        Key::Internal("(scope_info)"),
        Content::Value(Value::child(cx, scope.0.tagged(), options)),
    ));
    for variable in context.variables()? {
        let key = match variable.name {
            Ok(name) => Key::Variable(name),
            Err(error) => Key::Unreadable(error.to_string()),
        };
        let value = variable.value.map(|value| match value {
            ContextValue::Tagged(value) => PropertyValue::Tagged(value),
            ContextValue::Double(value) => PropertyValue::Double(value),
        });
        items.push(Item::new(key, content(cx, value, options)));
    }
    Ok(Some(Section::Variables(Items { items, more: None })))
}

/// Source shown at most, in UTF-16 units.
const MAX_SOURCE: usize = 64 << 20;

fn source(function: JSFunction) -> Result<Option<Section>> {
    let shared = function.shared()?;
    let Some(source) = function.source(MAX_SOURCE)? else {
        return Ok(None);
    };
    let token = shared.token_position()?.unwrap_or(0);
    let start = shared.position()?.map_or(token, |(start, _)| start);
    let before = start.saturating_sub(token).min(source.units.len() as u64) as usize;
    let parameters_at = String::from_utf16_lossy(&source.units[..before]).len();
    Ok(Some(Section::Source {
        source: super::brief::text_of(source),
        name: shared.name()?,
        parameters_at,
    }))
}
