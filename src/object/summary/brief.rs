//! A value in one line.

use super::{Brief, Hex, NumberText, Options, Text, Value};
use crate::error::Result;
use crate::metadata::InstanceType as T;
use crate::object::{
    class_name_of, data_property, date_is_smi, date_value, dom_exception, heap_number, iso_text,
    proxy_parts, regexp_flags, regexp_source, weak_ref_target, wrapped_primitive, BigInt,
    CollectionKind, FixedArray, HeapObject, JSArrayBuffer, JSArrayBufferView, JSCollection,
    JSFunction, JSGeneratorObject, JSObject, JSPromise, JSString, Map, OddballKind, PropertyValue,
    ScopeInfo, Script, SharedFunctionInfo, StringShape, StringText, Symbol, DOM_EXCEPTION,
};

/// Longest name shown.
const MAX_NAME: usize = 1024;

/// What an object is, in one line; what fails is told in its place.
pub(super) fn brief(object: HeapObject, options: Options) -> Brief {
    try_brief(object, options).unwrap_or_else(|error| Brief::Unreadable {
        reason: error.to_string(),
    })
}

pub(super) fn text_of(text: StringText) -> Text {
    Text {
        truncated: text.is_truncated(),
        text: text.text(),
        length: text.length,
        hole: text.hole,
    }
}

pub(super) fn read_text(string: JSString, limit: usize) -> Result<Text> {
    string.read(limit).map(text_of)
}

fn try_brief(object: HeapObject, options: Options) -> Result<Brief> {
    let cx = object.cx;
    let kind = object.instance_type()?;
    if kind.is_js_function() {
        return function(JSFunction(object));
    }
    if kind.is_context() {
        return Ok(Brief::Context);
    }
    if let Some(brief) = primitive(object, kind, options)? {
        return Ok(brief);
    }
    Ok(match kind {
        T::JSGlobalObject => Brief::Global,
        T::JSGlobalProxy => Brief::GlobalProxy,
        T::JSBoundFunction => Brief::BoundFunction {
            name: bound_name(object),
        },
        T::JSArray => Brief::Array {
            length: JSObject(object).array_length()?,
            constructor: name_of(object),
        },
        T::JSError => error(object, options),
        T::JSMap | T::JSSet | T::JSWeakMap | T::JSWeakSet => collection(object)?,
        T::JSPromise => Brief::Promise {
            state: JSPromise(object).state()?.name(),
            constructor: name_of(object),
        },
        T::JSProxy => {
            let (_, handler) = proxy_parts(object)?;
            Brief::Proxy {
                revoked: crate::object::is_null(cx, handler),
            }
        }
        T::JSGeneratorObject | T::JSAsyncFunctionObject | T::JSAsyncGeneratorObject => {
            let generator = JSGeneratorObject(object);
            Brief::Generator {
                function: generator.function()?.debug_name()?,
                state: generator.state()?.name(),
            }
        }
        T::JSDate => {
            let value = date_value(object)?;
            Brief::Date {
                value: NumberText(value),
                iso: iso_text(value),
                is_smi: date_is_smi(object)?,
            }
        }
        T::JSRegExp => match regexp_source(object)? {
            Some(source) => Brief::RegExp {
                source: read_text(source, MAX_NAME)?,
                flags: regexp_flags(object)?,
            },
            None => Brief::Object {
                constructor: name_of(object),
            },
        },
        T::JSPrimitiveWrapper => Brief::Wrapper {
            constructor: name_of(object),
            primitive: Box::new(Value::child(cx, wrapped_primitive(object)?, options)),
        },
        T::JSArrayBuffer => array_buffer(JSArrayBuffer(object))?,
        T::JSTypedArray | T::JSDetachedTypedArray | T::JSDataView | T::JSRabGsabDataView => {
            view(JSArrayBufferView(object))?
        }
        T::JSWeakRef => Brief::WeakRef {
            cleared: weak_ref_target(object)?.is_none(),
        },
        T::JSModuleNamespace => Brief::ModuleNamespace,
        _ if cx.layout.types.is_js_object(object.instance_type_number()?) => {
            let constructor = name_of(object);
            match dom(object, &constructor, options) {
                Some(brief) => brief,
                None => Brief::Object { constructor },
            }
        }
        _ => internal(object, kind)?,
    })
}

/// The name of an object's constructor; where that fails, the reason in its place.
pub(super) fn name_of(object: HeapObject) -> String {
    class_name_of(object).unwrap_or_else(|error| format!("??? ({error})"))
}

/// Strings, numbers, symbols and oddballs.
fn primitive(object: HeapObject, kind: T, options: Options) -> Result<Option<Brief>> {
    Ok(Some(match kind {
        T::String => {
            let string = JSString(object);
            Brief::String {
                text: read_text(string, options.limit())?,
                external: is_external(string),
            }
        }
        T::Symbol => Brief::Symbol {
            description: Symbol(object).description(options.limit())?.map(text_of),
        },
        T::HeapNumber => Brief::Number {
            value: NumberText(heap_number(object)?),
        },
        T::BigInt => Brief::BigInt {
            value: BigInt(object).text()?,
        },
        T::Oddball | T::Hole => Brief::Oddball {
            name: match OddballKind::of(object)? {
                Some(OddballKind::False) => "false",
                Some(OddballKind::True) => "true",
                Some(OddballKind::TheHole) => "hole",
                Some(OddballKind::Null) => "null",
                Some(OddballKind::Undefined) => "undefined",
                Some(OddballKind::Uninitialized) => "uninitialized",
                Some(OddballKind::Exception) => "exception",
                _ => "Oddball",
            },
        },
        _ => return Ok(None),
    }))
}

/// Whether the characters of a string are outside the heap, also behind a thin or sliced one.
fn is_external(mut string: JSString) -> bool {
    let cx = string.0.cx;
    for _ in 0..8 {
        let next = match string.shape() {
            Ok((StringShape::External, _)) => return true,
            Ok((StringShape::Thin, _)) => string.0.object_field(cx.layout.string.thin_actual),
            Ok((StringShape::Sliced, _)) => string.0.object_field(cx.layout.string.sliced_parent),
            _ => return false,
        };
        match next {
            Ok(object) => string = JSString(object),
            Err(_) => return false,
        }
    }
    false
}

fn function(function: JSFunction) -> Result<Brief> {
    let shared = function.shared()?;
    let mut kinds = Vec::new();
    if let Ok(kind) = shared.kind() {
        for (is, name) in [
            (kind.is_class_constructor, "class"),
            (kind.is_async, "async"),
            (kind.is_arrow, "arrow"),
            (kind.is_generator, "generator"),
        ] {
            if is {
                kinds.push(name);
            }
        }
    }
    Ok(Brief::Function {
        name: function.display_name()?,
        location: shared.location()?,
        kinds,
    })
}

/// The name of a bound function: its own property, which is computed from the target's at first.
fn bound_name(object: HeapObject) -> String {
    let mut name = String::new();
    let mut current = object;
    for _ in 0..16 {
        if current.instance_type().is_ok_and(T::is_js_function) {
            let own = JSFunction(current).debug_name().unwrap_or_default();
            return name + &own;
        }
        let bound = crate::object::JSBoundFunction(current);
        match JSObject(current).own_property_named("name") {
            Ok(Some(property)) => {
                if let Ok(PropertyValue::Tagged(value)) = property.value {
                    if let Ok(object) = current.cx.object(value) {
                        if object.is_string().unwrap_or(false) {
                            let text = JSString(object).read(MAX_NAME);
                            return name + &text.map(|t| t.text()).unwrap_or_default();
                        }
                    }
                }
            }
            _ => return name,
        }
        name.push_str("bound ");
        match bound.target() {
            Ok(target) => current = target,
            Err(_) => return name,
        }
    }
    name
}

fn error(object: HeapObject, options: Options) -> Brief {
    let text = |name: &str, limit: usize| -> Option<Text> {
        let property = JSObject(object).own_property_named(name).ok()??;
        let Ok(PropertyValue::Tagged(value)) = property.value else {
            return None;
        };
        let value = object.cx.object(value).ok()?;
        if !value.is_string().ok()? {
            return None;
        }
        read_text(JSString(value), limit).ok()
    };
    let constructor = error_class(object);
    if let Some(brief) = dom(object, &constructor, options) {
        return brief;
    }
    Brief::Error {
        constructor,
        name: None,
        message: text("message", message_limit(options)),
        code: text("code", MAX_NAME).map(|t| t.text),
    }
}

/// A DOMException, where an object of this class is one.
fn dom(object: HeapObject, constructor: &str, options: Options) -> Option<Brief> {
    if constructor != DOM_EXCEPTION {
        return None;
    }
    let said = dom_exception(object).ok()??;
    Some(Brief::Error {
        constructor: constructor.to_string(),
        name: Some(said.name),
        message: (!said.message.is_empty()).then(|| limited(&said.message, message_limit(options))),
        code: said.code.map(|code| code.to_string()),
    })
}

/// Characters shown of an error's message.
fn message_limit(options: Options) -> usize {
    options.limit().max(80)
}

/// Text that is no string of the target.
pub(super) fn limited(text: &str, limit: usize) -> Text {
    let units: Vec<u16> = text.encode_utf16().collect();
    text_of(StringText {
        length: units.len() as u64,
        units: units.into_iter().take(limit).collect(),
        hole: None,
    })
}

/// An Error made into one of another class, as a DOMException is, is still what it was made as by
/// V8's account. Where that says no more than "Error", its prototype does.
fn error_class(object: HeapObject) -> String {
    let by_prototype = || {
        let cx = object.cx;
        let prototype = cx.object(object.map().ok()?.prototype().ok()?).ok()?;
        let constructor = data_property(prototype, "constructor").ok()??;
        let constructor = cx.object(constructor).ok()?;
        if !constructor.instance_type().ok()?.is_js_function() {
            return None;
        }
        let name = JSFunction(constructor).debug_name().ok()?;
        (!name.is_empty() && name != "Object").then_some(name)
    };
    let name = name_of(object);
    match name.as_str() {
        "Error" => by_prototype().unwrap_or(name),
        _ => name,
    }
}

fn collection(object: HeapObject) -> Result<Brief> {
    let Some(collection) = JSCollection::new(object)? else {
        return Ok(Brief::Object {
            constructor: name_of(object),
        });
    };
    Ok(Brief::Collection {
        collection: match collection.kind {
            CollectionKind::Map => "Map",
            CollectionKind::Set => "Set",
            CollectionKind::WeakMap => "WeakMap",
            CollectionKind::WeakSet => "WeakSet",
        },
        size: collection.len()?,
        constructor: name_of(object),
    })
}

fn array_buffer(buffer: JSArrayBuffer) -> Result<Brief> {
    let resizable = buffer.is_resizable().unwrap_or(false);
    Ok(Brief::ArrayBuffer {
        class: if buffer.is_shared()? {
            "SharedArrayBuffer"
        } else {
            "ArrayBuffer"
        },
        backing_store: Hex(buffer.backing_store()?),
        byte_length: buffer.byte_length()?,
        max_byte_length: resizable.then(|| buffer.max_byte_length()).transpose()?,
        detached: buffer.was_detached()?,
    })
}

fn view(view: JSArrayBufferView) -> Result<Brief> {
    let kind = view.kind()?;
    let detached = view.buffer()?.was_detached()?;
    let backing_store = view.data()?.wrapping_sub(view.byte_offset()?);
    Ok(Brief::ArrayBufferView {
        constructor: name_of(view.0),
        length: kind.map(|_| view.length()).transpose()?,
        backing_store: Hex(backing_store),
        byte_offset: view.byte_offset()?,
        byte_length: view.byte_length()?,
        detached,
    })
}

/// Objects of V8's own.
fn internal(object: HeapObject, kind: T) -> Result<Brief> {
    Ok(match kind {
        T::Map => hidden_class(Map(object))?,
        T::Script => Brief::Script {
            name: Script(object).name_or_source_url()?,
        },
        T::SharedFunctionInfo => {
            let shared = SharedFunctionInfo(object);
            Brief::SharedFunctionInfo {
                name: shared.debug_name()?,
                location: shared.location()?,
            }
        }
        T::ScopeInfo => Brief::ScopeInfo {
            function: ScopeInfo(object).function_name().ok().flatten(),
        },
        T::Code | T::InstructionStream => Brief::Code,
        T::FixedArray
        | T::WeakFixedArray
        | T::TrustedFixedArray
        | T::TrustedWeakFixedArray
        | T::ProtectedFixedArray
        | T::ProtectedWeakFixedArray
        | T::ClosureFeedbackCellArray
        | T::FixedDoubleArray => Brief::FixedArray {
            class: kind.name(),
            length: FixedArray(object).len()?,
        },
        _ if kind.is_hash_table() => Brief::FixedArray {
            class: kind.name(),
            length: FixedArray(object).len()?,
        },
        T::Unknown => Brief::Internal { class: "unknown" },
        _ => Brief::Internal { class: kind.name() },
    })
}

fn hidden_class(map: Map) -> Result<Brief> {
    let layout = map.0.cx.layout;
    let number = map.instance_type_number()?;
    let start = map.inobject_properties_start()?;
    let size = map.instance_size()?;
    let is_object = layout.types.is_js_object(number);
    Ok(Brief::HiddenClass {
        own_descriptors: map.own_descriptors()?,
        in_object_size: is_object.then(|| (size / 8).saturating_sub(start)),
        constructor_index: (!is_object).then_some(start),
        instance_size: size,
        instance_type: map.instance_type()?.name(),
        descriptors: map.descriptors().ok().map(|d| Hex(d.tagged().0)),
    })
}
