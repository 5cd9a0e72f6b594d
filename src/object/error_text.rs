//! What an Error says of itself, found without running its getters.

use super::js_object::PropertyValue;
use super::{is_null, HeapObject, JSObject, JSString, Tagged};
use crate::error::Result;
use crate::metadata::InstanceType;

/// Prototypes looked at.
const MAX_CHAIN: usize = 64;
/// Longest part of the text.
const MAX_TEXT: usize = 1 << 16;

/// The value of a data property, the object's own or inherited.
pub fn data_property<'a>(object: HeapObject<'a>, name: &str) -> Result<Option<Tagged>> {
    let cx = object.cx;
    let mut at = object;
    for _ in 0..MAX_CHAIN {
        if let Some(found) = JSObject(at).own_property_named(name)? {
            return Ok(match found.value? {
                PropertyValue::Tagged(value) => Some(value),
                _ => None,
            });
        }
        let next = cx.object(at.map()?.prototype()?)?;
        if is_null(cx, next.tagged()) || next.instance_type()? == InstanceType::JSProxy {
            break;
        }
        at = next;
    }
    Ok(None)
}

/// As `String(error)` gives it: name and message.
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
    let name = text("name")?.unwrap_or_else(|| "Error".to_string());
    let message = text("message")?.unwrap_or_default();
    Ok(match (name.is_empty(), message.is_empty()) {
        (true, _) => message,
        (_, true) => name,
        _ => format!("{name}: {message}"),
    })
}
