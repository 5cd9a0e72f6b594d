//! Values as the test programs show their own.

use v8rs::deopt::Value;
use v8rs::metadata::InstanceType;
use v8rs::object::{constructor_name, BigInt, Cx, JSFunction, JSString, OddballKind, Tagged};

fn show_tagged(cx: Cx, value: Tagged) -> Option<String> {
    if let Some(number) = cx.smi(value) {
        return Some(number.to_string());
    }
    let object = cx.object(value).expect("an object");
    Some(match object.instance_type().expect("a type") {
        InstanceType::String => {
            let string = JSString(object).read(4096).expect("text");
            format!("'{}'", string.text())
        }
        InstanceType::HeapNumber => {
            let at = cx.layout.heap_number.value;
            number(f64::from_bits(object.u64_field(at).expect("bits")))
        }
        InstanceType::BigInt => BigInt(object).text().expect("digits"),
        InstanceType::Oddball => match OddballKind::of(object).expect("a kind") {
            Some(OddballKind::Undefined) => "undefined".to_string(),
            Some(OddballKind::Null) => "null".to_string(),
            Some(OddballKind::True) => "true".to_string(),
            Some(OddballKind::False) => "false".to_string(),
            _ => return None,
        },
        InstanceType::Hole => return None,
        InstanceType::JSGlobalProxy => "[globalThis]".to_string(),
        InstanceType::JSArray => {
            let length = object.field(cx.layout.js_array.length).expect("length");
            format!("[array {}]", cx.smi(length).unwrap_or(-1))
        }
        kind if kind.is_js_function() => {
            let function = JSFunction(object);
            let shared = function.shared().expect("a SharedFunctionInfo");
            let name = match function.own_name().expect("name") {
                Some(own) => own,
                None if shared.prints_as_anonymous() == Ok(true) => "anonymous".to_string(),
                None => shared.name().expect("name"),
            };
            format!("[function {name}]")
        }
        _ => format!("[object {}]", constructor_name(object).expect("name")),
    })
}

fn number(value: f64) -> String {
    value.to_string().replace("inf", "Infinity")
}

/// A value of a frame; `None` for one that is not there.
pub fn show(cx: Cx, value: &Value) -> Option<String> {
    Some(match value {
        Value::Tagged(value) => return show_tagged(cx, *value),
        Value::Number(value) => number(*value),
        Value::Int64(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Undefined => "undefined".to_string(),
        Value::Unreadable(error) => panic!("{error}"),
        _ => return None,
    })
}
