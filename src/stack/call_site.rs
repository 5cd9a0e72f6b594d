//! What V8's Error.stack calls a frame.
//!
//! The rules are those of V8's CallSiteInfo (StackFrameInfo before V8 10): the function's name,
//! the type name of its receiver, the name of the property the function is called by, and how
//! these are put together. Releases differ in a few of them; the constants `call_site.*` say how.

use super::receiver::{Identity, Primitive, Receiver, Unmade};
use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{
    constructor_name, is_null, is_the_hole, is_undefined, Attributes, Cx, HashTable, HeapObject,
    JSFunction, JSObject, JSString, PropertyValue, Script, SharedFunctionInfo, Tagged,
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
    pub fn new<'a>(
        function: JSFunction<'a>,
        receiver: Option<Receiver<'a>>,
        is_constructor: bool,
    ) -> CallSite {
        let cx = function.0.cx;
        let shared = function.shared().ok();
        let named = |is_eval| function_name(function, is_eval);
        let mut site = CallSite::with(cx, shared, receiver.as_ref(), is_constructor, named);
        if let (Some(shared), Some(receiver), false) = (shared, receiver, is_constructor) {
            let identity = Identity::Tagged(function.0.tagged());
            site.set_method(shared, identity, Holder::of(function, &receiver));
        }
        site
    }

    /// For a function that is only known by what its closures share: inlined, without an object
    /// of its own or without a record of it. `identity` is told where an object that was not made
    /// either may have it for a property.
    pub fn of_shared<'a>(
        shared: SharedFunctionInfo<'a>,
        identity: Option<Identity>,
        receiver: Option<Receiver<'a>>,
        is_constructor: bool,
    ) -> CallSite {
        let name = shared.debug_name().unwrap_or_default();
        let named = |is_eval| name_or_eval(name, is_eval);
        let cx = shared.0.cx;
        let mut site = CallSite::with(cx, Some(shared), receiver.as_ref(), is_constructor, named);
        if let (Some(Receiver::Unmade(unmade)), Some(identity), false) =
            (&receiver, identity, is_constructor)
        {
            site.set_method(shared, identity, Some(Holder::Unmade(unmade)));
        }
        site
    }

    fn set_method(&mut self, shared: SharedFunctionInfo, function: Identity, in_: Option<Holder>) {
        if let (Some(holder), false) = (in_, self.is_toplevel) {
            self.method_name = method_name(shared, function, holder);
        }
    }

    fn with(
        cx: Cx,
        shared: Option<SharedFunctionInfo>,
        receiver: Option<&Receiver>,
        is_constructor: bool,
        name: impl FnOnce(bool) -> Option<String>,
    ) -> CallSite {
        let script = shared.and_then(|s| s.script().ok().flatten());
        let is_eval = script.is_some_and(|s| is_eval(s).unwrap_or(false));
        // Constructors of derived classes have the hole for `this` until super() is called.
        let receiver = receiver.filter(|r| !r.is(|r| is_the_hole(cx, r)));
        let is_toplevel = receiver.is_none_or(|r| {
            r.is(|r| {
                is_undefined(cx, r)
                    || is_null(cx, r)
                    || kind_of(cx, r) == Some(InstanceType::JSGlobalProxy)
            })
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

fn type_name(cx: Cx, receiver: &Receiver) -> Option<String> {
    let value = match receiver {
        Receiver::Tagged(value) => *value,
        Receiver::Primitive(kind) => return Some(kind.name().to_string()),
        Receiver::Unmade(unmade) => return type_of_unmade(unmade),
    };
    if let Some(kind) = Primitive::of(cx, value) {
        return Some(kind.name().to_string());
    }
    let object = cx.object(value).ok()?;
    match object.instance_type().ok()? {
        InstanceType::JSProxy => Some("Proxy".to_string()),
        kind => {
            if goes_by_name(cx, kind) {
                let name = JSFunction(object).debug_name().unwrap_or_default();
                if !name.is_empty() {
                    return Some(name);
                }
            }
            constructor_name(object).ok()
        }
    }
}

/// Whether a receiver of this kind goes by its own name.
fn goes_by_name(cx: Cx, kind: InstanceType) -> bool {
    match cx.layout.call_site.functions_by_name.known() {
        Some(1) => kind == InstanceType::JSClassConstructor,
        Some(2) => kind.is_js_function(),
        _ => false,
    }
}

fn type_of_unmade(unmade: &Unmade) -> Option<String> {
    let kind = unmade.map().instance_type().ok()?;
    if goes_by_name(unmade.map().0.cx, kind) {
        let name = unmade.shared().and_then(|s| s.debug_name().ok());
        if let Some(name) = name.filter(|n| !n.is_empty()) {
            return Some(name);
        }
    }
    unmade.constructor_name()
}

/// Where a method is looked for.
enum Holder<'v, 'a> {
    Object(HeapObject<'a>),
    Unmade(&'v Unmade<'a>),
}

impl<'v, 'a> Holder<'v, 'a> {
    /// Of a call's receiver; `None` where it has no properties that count.
    fn of(function: JSFunction<'a>, receiver: &'v Receiver<'a>) -> Option<Holder<'v, 'a>> {
        let cx = function.0.cx;
        let kind = match receiver {
            Receiver::Unmade(unmade) => return Some(Holder::Unmade(unmade)),
            Receiver::Primitive(kind) => Some(*kind),
            Receiver::Tagged(value) => Primitive::of(cx, *value),
        };
        if let Some(kind) = kind {
            return kind.prototype(function).map(Holder::Object);
        }
        let Receiver::Tagged(value) = receiver else {
            return None;
        };
        let object = cx.object(*value).ok()?;
        let number = object.instance_type_number().ok()?;
        let is_object = cx.layout.types.is_js_object(number);
        is_object.then_some(Holder::Object(object))
    }

    /// The object itself where it was made, then its prototypes.
    fn chain(&self) -> Box<dyn Iterator<Item = JSObject<'a>> + 'a> {
        match self {
            Holder::Object(object) => Box::new(JSObject(*object).chain()),
            Holder::Unmade(unmade) => {
                let map = unmade.map();
                let prototype = map.prototype().and_then(|p| map.0.cx.object(p)).ok();
                Box::new(prototype.into_iter().flat_map(|p| JSObject(p).chain()))
            }
        }
    }

    fn cx(&self) -> Cx<'a> {
        match self {
            Holder::Object(object) => object.cx,
            Holder::Unmade(unmade) => unmade.map().0.cx,
        }
    }
}

/// The property of the receiver (or of its prototypes) that the function is, or is an accessor of.
fn method_name(shared: SharedFunctionInfo, function: Identity, holder: Holder) -> Option<String> {
    let rules = &shared.0.cx.layout.call_site;
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
    if !name.is_empty() && is_method(&holder, &name, function) {
        return Some(name);
    }
    let by_name = rules.method_by_inferred_name.known() == Some(1);
    infer_method_name(&holder, function, by_name)
}

/// Whether a property's value, or an accessor of it, is the function.
pub(super) fn is_value(cx: Cx, value: &Result<PropertyValue>, function: Tagged) -> bool {
    let is = |value: &Tagged| cx.settled(*value) == function;
    match value {
        Ok(PropertyValue::Tagged(value)) => is(value),
        Ok(PropertyValue::Accessors { getter, setter }) => is(getter) || is(setter),
        _ => false,
    }
}

/// Whether the first property `name` on the chain is the function.
fn is_method(holder: &Holder, name: &str, function: Identity) -> bool {
    let index = name
        .parse::<u32>()
        .ok()
        .filter(|i| *i != u32::MAX && i.to_string() == name);
    if let Holder::Unmade(unmade) = holder {
        let own = match index {
            Some(index) => unmade.own_element(u64::from(index), function),
            None => unmade.own_method_named(name, function),
        };
        if let Some(found) = own {
            return found;
        }
    }
    // What is on the heap can be no function that was not made.
    let Identity::Tagged(function) = function else {
        return false;
    };
    for JSObject(object) in holder.chain() {
        let found = match index {
            Some(index) => {
                element_of(object, u64::from(index)).map(|v| is_value(object.cx, &v, function))
            }
            None => JSObject(object)
                .own_property_named(name)
                .ok()
                .flatten()
                .map(|p| is_value(object.cx, &p.value, function)),
        };
        if let Some(found) = found {
            return found;
        }
    }
    false
}

fn element_of(object: HeapObject, index: u64) -> Option<Result<PropertyValue>> {
    element_in(JSObject(object).elements().ok()?, index)
}

/// What an object's elements hold at an index.
pub(super) fn element_in(elements: HeapObject, index: u64) -> Option<Result<PropertyValue>> {
    let cx = elements.cx;
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
fn infer_method_name(holder: &Holder, function: Identity, by_name: bool) -> Option<String> {
    let cx = holder.cx();
    let mut keys = Vec::new();
    let mut take = |key: Tagged, attributes: Attributes| {
        let is_string = || cx.object(key).and_then(HeapObject::is_string).ok() == Some(true);
        if !attributes.dont_enumerate && is_string() {
            keys.push(cx.settled(key));
        }
    };
    if let Holder::Unmade(unmade) = holder {
        for (key, attributes) in unmade.own_methods(function)? {
            take(key, attributes);
        }
    }
    if let Identity::Tagged(function) = function {
        for object in holder.chain() {
            let properties = object.own_properties().ok()?;
            for p in properties
                .iter()
                .filter(|p| is_value(cx, &p.value, function))
            {
                take(p.key, p.attributes);
            }
        }
    }
    let (first, rest) = keys.split_first()?;
    if !rest.iter().all(|key| by_name && key == first) {
        return None;
    }
    let key = cx.object(*first).ok()?;
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
