//! What a DOMException says of itself: Node.js keeps its name and message beside it, in a WeakMap
//! that only the class's own methods see.

use super::js_object::{is_name, PropertyValue};
use super::{Context, ContextValue, HeapObject, JSCollection, JSFunction, JSObject, Tagged};
use crate::error::Result;
use crate::metadata::InstanceType;

/// Scopes looked at, from the method's own outwards.
const MAX_SCOPES: usize = 4;
/// Longest part of the text.
const MAX_TEXT: usize = 1 << 16;

/// The class, by its name.
pub const CLASS: &str = "DOMException";
/// What Node.js calls the variables with the codes of names, and with names that have none any more.
const CODES: &str = "nameToCodeMap";
const DISUSED: &str = "disusedNamesSet";

/// What a DOMException says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomException {
    pub name: String,
    pub message: String,
    /// `None` where the table of codes was not found.
    pub code: Option<i64>,
}

impl DomException {
    /// As `util.inspect` begins with it: by its class only where the name is one of an error.
    pub fn text(&self) -> String {
        let DomException { name, message, .. } = self;
        let separator = if message.is_empty() { "" } else { ": " };
        match name.ends_with("Error") {
            true => format!("{CLASS} [{name}]{separator}{message}"),
            false => format!("{name}{separator}{message}"),
        }
    }
}

/// Name, message and code of a DOMException; `None` of any other object.
pub fn dom_exception(object: HeapObject) -> Result<Option<DomException>> {
    let Some(getter) = name_getter(object)? else {
        return Ok(None);
    };
    let mut scope = Some(getter.context()?);
    for _ in 0..MAX_SCOPES {
        let Some(context) = scope else { break };
        let variables = context.variables()?;
        let values = variables.iter().filter_map(|v| match v.value {
            Ok(ContextValue::Tagged(value)) => Some((v.name.as_deref().unwrap_or(""), value)),
            _ => None,
        });
        let said = values.clone().find_map(|(_, v)| said_in(object, v));
        if let Some((name, message)) = said {
            let table = |wanted: &str| {
                let found = values.clone().find(|(n, _)| *n == wanted)?;
                let found = object.cx.object(found.1).ok()?;
                JSCollection::new(found).ok()??.entries().ok()
            };
            let code = table(CODES).map(|codes| code(object, &codes, &name));
            let is_it = |(key, _): &(Tagged, Tagged)| is_name(object.cx, *key, &name);
            let disused = table(DISUSED).is_some_and(|names| names.iter().any(is_it));
            return Ok(Some(DomException {
                code: code.map(|c| if disused { 0 } else { c }),
                name,
                message,
            }));
        }
        scope = outer(context);
    }
    Ok(None)
}

/// The code of a name; 0 of one that has none.
fn code(object: HeapObject, codes: &[(Tagged, Tagged)], name: &str) -> i64 {
    let found = codes.iter().find(|(key, _)| is_name(object.cx, *key, name));
    let code = found.and_then(|(_, value)| object.cx.smi(*value));
    code.unwrap_or(0)
}

fn outer(context: Context) -> Option<Context> {
    context.previous().ok().flatten()
}

/// The getter of `name`, where the class has one that is written in JavaScript.
fn name_getter(object: HeapObject) -> Result<Option<JSFunction>> {
    let cx = object.cx;
    let Some((holder, property)) = JSObject(object).inherited_property("name")? else {
        return Ok(None);
    };
    let PropertyValue::Accessors { getter, .. } = property.value? else {
        return Ok(None);
    };
    let class = JSObject(holder.0).own_property_named("constructor")?;
    let Some(PropertyValue::Tagged(class)) = class.map(|c| c.value).transpose()? else {
        return Ok(None);
    };
    let is_it = JSFunction::new(cx.object(class)?)?.debug_name()? == CLASS;
    let getter = cx.object(getter)?;
    if !is_it || !getter.instance_type()?.is_js_function() {
        return Ok(None);
    }
    JSFunction::new(getter).map(Some)
}

/// What a WeakMap holds of the object, where `map` is one and it does.
fn said_in(object: HeapObject, map: Tagged) -> Option<(String, String)> {
    let cx = object.cx;
    let map = cx.object(map).ok()?;
    if map.instance_type().ok()? != InstanceType::JSWeakMap {
        return None;
    }
    let entries = JSCollection::new(map).ok()??.entries().ok()?;
    let (_, value) = entries.into_iter().find(|(k, _)| *k == object.tagged())?;
    let internals = JSObject(cx.object(value).ok()?);
    let text = |name: &str| internals.data_string(name, MAX_TEXT).ok().flatten();
    Some((text("name")?, text("message").unwrap_or_default()))
}
