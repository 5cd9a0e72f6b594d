//! The `process` object: what Node says of itself.

use crate::error::{Error, Result};
use crate::metadata::InstanceType;
use crate::object::{
    Context, ContextValue, Cx, FixedArray, HeapObject, JSFunction, JSObject, JSString,
    PropertyValue, Tagged,
};
use serde::Serialize;

/// Longest text, and most array elements or properties, told of one field.
const LIMIT: usize = 64 << 10;

/// A field of `process`: where its value is, and what it is.
#[derive(Debug, Clone, Serialize)]
pub struct Field<T> {
    /// Tagged pointer to the value, as hex.
    pub address: String,
    pub value: T,
}

/// What `process` holds. What cannot be read is left out and named in `missing`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProcessInfo {
    /// Tagged pointer to the object, as hex.
    pub address: String,
    pub pid: Option<i64>,
    pub platform: Option<String>,
    pub arch: Option<String>,
    pub version: Option<String>,
    pub versions: Option<Field<Vec<(String, String)>>>,
    pub release: Option<Field<Vec<(String, String)>>>,
    pub exec_path: Option<String>,
    pub argv: Option<Field<Vec<String>>>,
    pub exec_argv: Option<Field<Vec<String>>>,
    /// Fields that could not be read, with the reason.
    pub missing: Vec<(String, String)>,
}

/// Finds `process` from a native context: the global object's property, or what its getter
/// returns.
pub fn find_process<'a>(native_context: HeapObject<'a>) -> Result<HeapObject<'a>> {
    let cx = native_context.cx;
    let context = Context(native_context);
    let global = cx.object(context.get(cx.layout.context.extension_index.offset()?)?)?;
    let property = JSObject(global)
        .own_property_named("process")?
        .ok_or_else(|| Error::malformed("global object", global.address, "it has no 'process'"))?;
    match property.value? {
        PropertyValue::Tagged(value) => cx.object(value),
        PropertyValue::Accessors { getter, .. } => {
            // The getter is a closure over the variable that holds the object.
            let mut scope = Some(JSFunction::new(cx.object(getter)?)?.context()?);
            for _ in 0..8 {
                let Some(context) = scope else { break };
                for variable in context.variables()? {
                    let name = variable.name.unwrap_or_default();
                    let Ok(ContextValue::Tagged(value)) = variable.value else {
                        continue;
                    };
                    if (name == "_process" || name == "process" || name == "value")
                        && JSObject(cx.object(value)?)
                            .own_property_named("execPath")?
                            .is_some()
                    {
                        return cx.object(value);
                    }
                }
                scope = context.previous()?;
            }
            Err(Error::malformed(
                "global object",
                global.address,
                "the getter of 'process' keeps it nowhere that is known",
            ))
        }
        _ => Err(Error::malformed(
            "global object",
            global.address,
            "'process' is computed by C++",
        )),
    }
}

fn text(cx: Cx, value: Tagged) -> Result<String> {
    Ok(JSString(cx.object(value)?).read(LIMIT)?.text())
}

fn own(object: HeapObject, name: &str) -> Result<Tagged> {
    let property = JSObject(object)
        .own_property_named(name)?
        .ok_or_else(|| Error::other("there is no such property"))?;
    match property.value? {
        PropertyValue::Tagged(value) => Ok(value),
        _ => Err(Error::other("it is computed when asked for")),
    }
}

fn strings_of_array(cx: Cx, value: Tagged) -> Result<Vec<String>> {
    let array = cx.object(value)?;
    if array.instance_type()? != InstanceType::JSArray {
        return Err(Error::other("it is no array"));
    }
    let length = array.field(cx.layout.js_array.length)?;
    let length = cx.smi(length).unwrap_or(0).clamp(0, LIMIT as i64) as usize;
    let elements = FixedArray(JSObject(array).elements()?).slice(0, length)?;
    Ok(elements
        .into_iter()
        .map(|e| text(cx, e).unwrap_or_else(|error| format!("<{error}>")))
        .collect())
}

/// Own properties that are strings, sorted by name as llnode does.
fn strings_of_object(cx: Cx, value: Tagged) -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for property in JSObject(cx.object(value)?).own_properties()? {
        if out.len() >= LIMIT {
            break;
        }
        let Ok(key) = text(cx, property.key) else {
            continue;
        };
        if let Ok(PropertyValue::Tagged(value)) = property.value {
            if let Ok(value) = text(cx, value) {
                out.push((key, value));
            }
        }
    }
    out.sort();
    Ok(out)
}

impl ProcessInfo {
    /// Reads the `process` object.
    pub fn read(process: HeapObject) -> ProcessInfo {
        let cx = process.cx;
        let mut info = ProcessInfo {
            address: format!("{:#x}", process.tagged().0),
            ..ProcessInfo::default()
        };
        let mut missing = Vec::new();
        fn keep<T>(name: &str, found: Result<T>, missing: &mut Vec<(String, String)>) -> Option<T> {
            found
                .map_err(|e| missing.push((name.to_string(), e.to_string())))
                .ok()
        }
        let string = |name: &str| own(process, name).and_then(|v| text(cx, v));
        let field = |name: &str| own(process, name).map(|v| (v, format!("{:#x}", v.0)));
        let pid = own(process, "pid").and_then(|v| {
            cx.smi(v)
                .ok_or_else(|| Error::other("it is no small integer"))
        });
        info.pid = keep("pid", pid, &mut missing);
        info.platform = keep("platform", string("platform"), &mut missing);
        info.arch = keep("arch", string("arch"), &mut missing);
        info.version = keep("version", string("version"), &mut missing);
        info.exec_path = keep("execPath", string("execPath"), &mut missing);
        let pairs = |name: &str| {
            let (value, address) = field(name)?;
            let value = strings_of_object(cx, value)?;
            Ok(Field { address, value })
        };
        info.versions = keep("versions", pairs("versions"), &mut missing);
        info.release = keep("release", pairs("release"), &mut missing);
        let list = |name: &str| {
            let (value, address) = field(name)?;
            let value = strings_of_array(cx, value)?;
            Ok(Field { address, value })
        };
        info.argv = keep("argv", list("argv"), &mut missing);
        info.exec_argv = keep("execArgv", list("execArgv"), &mut missing);
        info.missing = missing;
        info
    }
}
