//! What a DOMException says of itself: Node.js keeps its name and message beside it, in a WeakMap
//! that only the class's own methods see.

use super::js_object::PropertyValue;
use super::{Context, ContextValue, HeapObject, JSCollection, JSFunction, JSObject, Tagged};
use crate::error::Result;
use crate::metadata::InstanceType;

/// Scopes looked at, from the method's own outwards.
const MAX_SCOPES: usize = 4;
/// Longest part of the text.
const MAX_TEXT: usize = 1 << 16;

/// Name and message of a DOMException; `None` of any other object.
pub fn dom_exception(object: HeapObject) -> Result<Option<(String, String)>> {
    let Some(getter) = name_getter(object)? else {
        return Ok(None);
    };
    let mut scope = Some(getter.context()?);
    for _ in 0..MAX_SCOPES {
        let Some(context) = scope else { break };
        for variable in context.variables()? {
            let Ok(ContextValue::Tagged(value)) = variable.value else {
                continue;
            };
            if let Some(said) = said_in(object, value) {
                return Ok(Some(said));
            }
        }
        scope = outer(context);
    }
    Ok(None)
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
    let is_it = JSFunction::new(cx.object(class)?)?.debug_name()? == "DOMException";
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
