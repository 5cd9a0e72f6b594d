//! What an Error says of itself, found without running its getters.

use super::js_object::PropertyValue;
use super::{is_null, HeapObject, JSFunction, JSObject, JSString, Tagged};
use crate::error::Result;
use crate::metadata::InstanceType;

/// Prototypes looked at.
const MAX_CHAIN: usize = 64;
/// Classes whose prototype may have that `toString` itself: up to V8 8 each has.
const CLASSES: [&str; 8] = [
    "Error",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "AggregateError",
];
/// Longest part of the text.
const MAX_TEXT: usize = 1 << 16;

/// The value of a data property, the object's own or inherited.
pub fn data_property<'a>(object: HeapObject<'a>, name: &str) -> Result<Option<Tagged>> {
    Ok(find(object, name)?.and_then(|(_, value)| value))
}

/// Which object of the chain has the property, and its value where that is data.
fn find<'a>(
    object: HeapObject<'a>,
    name: &str,
) -> Result<Option<(HeapObject<'a>, Option<Tagged>)>> {
    let cx = object.cx;
    let mut at = object;
    for _ in 0..MAX_CHAIN {
        if let Some(found) = JSObject(at).own_property_named(name)? {
            return Ok(Some(match found.value? {
                PropertyValue::Tagged(value) => (at, Some(value)),
                _ => (at, None),
            }));
        }
        let next = cx.object(at.map()?.prototype()?)?;
        if is_null(cx, next.tagged()) || next.instance_type()? == InstanceType::JSProxy {
            break;
        }
        at = next;
    }
    Ok(None)
}

/// Whether an object that is no Error turns to text as one: it has the `toString` of
/// `Error.prototype`.
pub fn is_like_error(object: HeapObject) -> bool {
    let is_of_error = || -> Result<Option<bool>> {
        let Some((holder, Some(_))) = find(object, "toString")? else {
            return Ok(None);
        };
        let Some(class) = JSObject(holder).own_property_named("constructor")? else {
            return Ok(None);
        };
        let PropertyValue::Tagged(class) = class.value? else {
            return Ok(None);
        };
        let class = JSFunction::new(object.cx.object(class)?)?.shared()?;
        // Of a script of V8's own, or of none.
        let is_own = class.script()?.is_none();
        Ok(Some(is_own && CLASSES.contains(&class.name()?.as_str())))
    };
    matches!(is_of_error(), Ok(Some(true)))
}

/// As V8 itself gives it where it must run no code: name and message, each "" where it is no
/// string that stands in a property.
pub fn error_text(object: HeapObject) -> Result<String> {
    let cx = object.cx;
    let text = |name: &str| -> Result<Option<String>> {
        let Some(value) = data_property(object, name)? else {
            return Ok(None);
        };
        let value = match cx.object(value) {
            Ok(value) if value.is_string()? => value,
            _ => return Ok(None),
        };
        Ok(Some(JSString(value).read(MAX_TEXT)?.text()))
    };
    let name = text("name")?.unwrap_or_default();
    let message = text("message")?.unwrap_or_default();
    Ok(match (name.is_empty(), message.is_empty()) {
        (true, _) => message,
        (_, true) => name,
        _ => format!("{name}: {message}"),
    })
}
