//! What V8's Error.stack calls a frame.
//!
//! The rules are those of V8's CallSiteInfo (StackFrameInfo before V8 10): the function's name,
//! the type name of its receiver, the name of the property the function is called by, and how
//! these are put together. Releases differ in a few of them; the constants `call_site.*` say how.

use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{
    constructor_name, is_null, is_the_hole, is_undefined, Cx, HashTable, HeapObject, JSFunction,
    JSObject, JSString, PropertyValue, Script, SharedFunctionInfo, Tagged,
};

/// Longest name of a property read.
const MAX_NAME: usize = 16 << 10;

/// A frame as stack traces see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallSite {
    pub function_name: Option<String>,
    pub type_name: Option<String>,
    pub method_name: Option<String>,
    pub is_constructor: bool,
    /// Suspended at an `await`.
    pub is_async: bool,
    /// Promise.all or the like: its name, and the index of the promise.
    pub combinator: Option<(&'static str, i64)>,
    /// The receiver is the global object, undefined or null.
    pub is_toplevel: bool,
    /// The code of an `eval` or of `new Function`.
    pub is_eval: bool,
    /// Shown in stack traces: not of V8's own JavaScript, unless it is a builtin scripts can see.
    pub is_visible: bool,
    /// Rule of this version for the type name before the function's.
    identifiers_only: bool,
    /// Whether "get name" needs no " [as name]".
    accessors_are_named: bool,
}

impl CallSite {
    /// Asks the function and the receiver. What cannot be read is left out.
    pub fn new(function: JSFunction, receiver: Option<Tagged>, is_constructor: bool) -> CallSite {
        let cx = function.0.cx;
        let shared = function.shared().ok();
        let named = |is_eval| function_name(function, is_eval);
        let mut site = CallSite::with(cx, shared, receiver, is_constructor, named);
        if let (Some(shared), Some(receiver)) = (shared, receiver) {
            if !is_constructor && !site.is_toplevel {
                site.method_name = method_name(cx, function, shared, receiver);
            }
        }
        site
    }

    /// For a function that is only known by what its closures share: inlined, without an object
    /// of its own or without a record of it. No property can be that object.
    pub fn of_shared(
        shared: SharedFunctionInfo,
        receiver: Option<Tagged>,
        is_constructor: bool,
    ) -> CallSite {
        let name = shared.debug_name().unwrap_or_default();
        let named = |is_eval| name_or_eval(name, is_eval);
        CallSite::with(shared.0.cx, Some(shared), receiver, is_constructor, named)
    }

    fn with(
        cx: Cx,
        shared: Option<SharedFunctionInfo>,
        receiver: Option<Tagged>,
        is_constructor: bool,
        name: impl FnOnce(bool) -> Option<String>,
    ) -> CallSite {
        let script = shared.and_then(|s| s.script().ok().flatten());
        let is_eval = script.is_some_and(|s| is_eval(s).unwrap_or(false));
        // Constructors of derived classes have the hole for `this` until super() is called.
        let receiver = receiver.filter(|r| !is_the_hole(cx, *r));
        let is_toplevel = receiver.is_none_or(|r| {
            is_undefined(cx, r)
                || is_null(cx, r)
                || kind_of(cx, r) == Some(InstanceType::JSGlobalProxy)
        });
        let of_method = receiver.filter(|_| !is_constructor && !is_toplevel);
        CallSite {
            function_name: name(is_eval),
            type_name: of_method.and_then(|r| type_name(cx, r)),
            is_constructor,
            is_toplevel,
            is_eval,
            is_visible: shared.is_some_and(|s| is_visible(s, script)),
            identifiers_only: cx.layout.call_site.type_before_identifiers_only.known() == Some(1),
            accessors_are_named: cx.layout.call_site.accessors_are_named.known() == Some(1),
            ..CallSite::default()
        }
    }

    /// Of Promise.all or the like that waits for its promise `index`.
    pub fn of_combinator(name: &'static str, index: i64) -> CallSite {
        CallSite {
            function_name: Some(name.to_string()),
            is_async: true,
            combinator: Some((name, index)),
            is_visible: true,
            ..CallSite::default()
        }
    }

    /// The name in front of the parenthesis; `None` where stack traces show the position only
    /// (behind "async", if it is).
    pub fn name(&self) -> Option<String> {
        if let Some((name, index)) = self.combinator {
            return Some(format!("async Promise.{name} (index {index})"));
        }
        let name = self.plain_name()?;
        Some(if self.is_async {
            format!("async {name}")
        } else {
            name
        })
    }

    fn plain_name(&self) -> Option<String> {
        let function = self.function_name.as_deref().unwrap_or("");
        if self.is_constructor {
            let name = if function.is_empty() {
                "<anonymous>"
            } else {
                function
            };
            return Some(format!("new {name}"));
        }
        if self.is_toplevel {
            return (!function.is_empty()).then(|| function.to_string());
        }
        let mut out = String::new();
        let kind = self.type_name.as_deref().unwrap_or("");
        let method = self.method_name.as_deref().unwrap_or("");
        if function.is_empty() {
            if !kind.is_empty() {
                out = format!("{kind}.");
            }
            out += if method.is_empty() {
                "<anonymous>"
            } else {
                method
            };
            return Some(out);
        }
        let with_type = if self.identifiers_only {
            is_identifier(function) && function != kind
        } else {
            !function.starts_with(kind)
        };
        if with_type && !kind.is_empty() {
            out = format!("{kind}.");
        }
        out += function;
        if !method.is_empty() && !self.ends_with(function, method) {
            out += &format!(" [as {method}]");
        }
        Some(out)
    }

    fn ends_with(&self, function: &str, method: &str) -> bool {
        match function.strip_suffix(method) {
            Some(before) => {
                before.is_empty()
                    || before.ends_with('.')
                    || self.accessors_are_named && before.ends_with(' ')
            }
            None => false,
        }
    }
}

fn kind_of(cx: Cx, value: Tagged) -> Option<InstanceType> {
    cx.object(value).ok()?.instance_type().ok()
}

/// Whether a script is the text of an `eval` or a `Function`.
pub fn is_eval(script: Script) -> Result<bool> {
    let layout = &script.0.cx.layout.script;
    Ok(script.0.smi_field(layout.flags)? & layout.eval_mask.get()? != 0)
}

fn is_visible(shared: SharedFunctionInfo, script: Option<Script>) -> bool {
    let user = script.is_some_and(|s| {
        let layout = &s.0.cx.layout.script;
        s.0.smi_field(layout.type_).ok() == layout.type_normal.known()
    });
    user || shared.is_native().unwrap_or(false)
}

fn function_name(function: JSFunction, is_eval: bool) -> Option<String> {
    if function.0.cx.layout.call_site.by_display_name.known() == Some(1) {
        if let Ok(Some(name)) = JSObject(function.0).data_string("displayName", MAX_NAME) {
            return Some(name);
        }
    }
    name_or_eval(function.debug_name().unwrap_or_default(), is_eval)
}

fn name_or_eval(name: String, is_eval: bool) -> Option<String> {
    if !name.is_empty() {
        return Some(name);
    }
    is_eval.then(|| "eval".to_string())
}

fn type_name(cx: Cx, receiver: Tagged) -> Option<String> {
    let Ok(object) = cx.object(receiver) else {
        return Some("Number".to_string());
    };
    let kind = object.instance_type().ok()?;
    let name = match kind {
        InstanceType::JSProxy => "Proxy",
        InstanceType::String => "String",
        InstanceType::HeapNumber => "Number",
        InstanceType::Symbol => "Symbol",
        InstanceType::BigInt => "BigInt",
        InstanceType::Oddball => "Boolean",
        _ => {
            let functions = cx.layout.call_site.functions_by_name.known().unwrap_or(0);
            let by_name = match functions {
                1 => kind == InstanceType::JSClassConstructor,
                2 => kind.is_js_function(),
                _ => false,
            };
            if by_name {
                let name = JSFunction(object).debug_name().unwrap_or_default();
                if !name.is_empty() {
                    return Some(name);
                }
            }
            return constructor_name(object).ok();
        }
    };
    Some(name.to_string())
}

/// The property of the receiver (or of its prototypes) that the function is, or is an accessor of.
fn method_name(
    cx: Cx,
    function: JSFunction,
    shared: SharedFunctionInfo,
    receiver: Tagged,
) -> Option<String> {
    let rules = &cx.layout.call_site;
    let object = cx.object(receiver).ok()?;
    let number = object.instance_type_number().ok()?;
    if !cx.layout.types.is_js_object(number) {
        return None;
    }
    let mut name = shared.name().ok()?;
    if rules.initializers_have_no_method.known() == Some(1) {
        if shared
            .kind()
            .is_ok_and(|k| k.is_initializer || k.is_static_initializer)
        {
            return None;
        }
    } else if name.starts_with("<static_fields_initializer>") {
        return Some(name);
    }
    if let Some(rest) = name
        .strip_prefix("get ")
        .or_else(|| name.strip_prefix("set "))
    {
        name = rest.to_string();
    } else if name.is_empty() && rules.method_by_inferred_name.known() == Some(1) {
        name = shared.inferred_name().unwrap_or_default();
        if let Some(dot) = name.rfind('.') {
            name = name.split_off(dot + 1);
        }
    }
    let wanted = function.0.tagged();
    if !name.is_empty() && is_method(object, &name, wanted) {
        return Some(name);
    }
    infer_method_name(
        object,
        wanted,
        rules.method_by_inferred_name.known() == Some(1),
    )
}

fn is_value(value: &Result<PropertyValue>, function: Tagged) -> bool {
    match value {
        Ok(PropertyValue::Tagged(value)) => *value == function,
        Ok(PropertyValue::Accessors { getter, setter }) => {
            *getter == function || *setter == function
        }
        _ => false,
    }
}

/// Whether the first property `name` on the chain is the function.
fn is_method(receiver: HeapObject, name: &str, function: Tagged) -> bool {
    let index = name
        .parse::<u32>()
        .ok()
        .filter(|i| *i != u32::MAX && i.to_string() == name);
    for JSObject(object) in JSObject(receiver).chain() {
        let found = match index {
            Some(index) => element(object, u64::from(index)).map(|v| is_value(&v, function)),
            None => JSObject(object)
                .own_property_named(name)
                .ok()
                .flatten()
                .map(|p| is_value(&p.value, function)),
        };
        if let Some(found) = found {
            return found;
        }
    }
    false
}

fn element(object: HeapObject, index: u64) -> Option<Result<PropertyValue>> {
    let cx = object.cx;
    let elements = JSObject(object).elements().ok()?;
    match elements.instance_type().ok()? {
        InstanceType::FixedArray => {
            let value = crate::object::FixedArray(elements).get(index).ok()?;
            (!is_the_hole(cx, value)).then_some(Ok(PropertyValue::Tagged(value)))
        }
        InstanceType::NumberDictionary => {
            let entries = HashTable::number_dictionary(elements).ok()?.properties();
            let entry = entries.ok()?.into_iter().find(|e| {
                // Keys past the range of Smis do not name methods that anybody wrote.
                cx.smi(e.key).and_then(|k| u64::try_from(k).ok()) == Some(index)
            })?;
            let pair = cx.object(entry.value).ok().map(PropertyValue::of_pair);
            let plain = PropertyValue::Tagged(entry.value);
            Some(pair.map_or(Ok(plain), |p| p.map(|p| p.unwrap_or(plain))))
        }
        _ => None,
    }
}

/// The one enumerable property that is the function; none where there are several of different
/// names (before V8 9: where there are several).
fn infer_method_name(receiver: HeapObject, function: Tagged, by_name: bool) -> Option<String> {
    let cx = receiver.cx;
    let mut found: Option<Tagged> = None;
    for object in JSObject(receiver).chain() {
        let properties = object.own_properties().ok()?;
        for p in properties {
            if p.attributes.dont_enumerate || !is_value(&p.value, function) {
                continue;
            }
            if cx.object(p.key).and_then(HeapObject::is_string).ok() != Some(true) {
                continue;
            }
            match found {
                None => found = Some(p.key),
                Some(key) if by_name && key == p.key => {}
                Some(_) => return None,
            }
        }
    }
    let key = cx.object(found?).ok()?;
    Some(JSString(key).read(MAX_NAME).ok()?.marked())
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    let start = |c: char| c == '$' || c == '_' || unicode_ident::is_xid_start(c);
    chars.next().is_some_and(start)
        && chars.all(|c| {
            c == '$' || c == '\u{200c}' || c == '\u{200d}' || unicode_ident::is_xid_continue(c)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(function: &str, kind: &str, method: &str) -> CallSite {
        let some = |s: &str| (!s.is_empty()).then(|| s.to_string());
        CallSite {
            function_name: some(function),
            type_name: some(kind),
            method_name: some(method),
            identifiers_only: true,
            accessors_are_named: true,
            ..CallSite::default()
        }
    }

    #[test]
    fn names_are_put_together() {
        let name = |f, t, m| site(f, t, m).name().unwrap();
        assert_eq!(name("open", "Account", "open"), "Account.open");
        assert_eq!(name("get total", "Account", "total"), "get total");
        assert_eq!(name("", "Module", "_compile"), "Module._compile");
        assert_eq!(name("", "Object", ""), "Object.<anonymous>");
        assert_eq!(
            name("executeUserEntryPoint", "Module", "runMain"),
            "Module.executeUserEntryPoint [as runMain]"
        );
        assert_eq!(name("a.b", "Object", "b"), "a.b");
        let mut old = site("Foo.bar", "Foo", "");
        old.identifiers_only = false;
        assert_eq!(old.name().unwrap(), "Foo.bar");
        let mut new = site("Foo", "", "");
        new.is_constructor = true;
        assert_eq!(new.name().unwrap(), "new Foo");
        new.function_name = None;
        assert_eq!(new.name().unwrap(), "new <anonymous>");
        new.is_constructor = false;
        new.is_toplevel = true;
        assert_eq!(new.name(), None);
    }
}
