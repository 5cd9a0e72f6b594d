//! What `util.inspect` says of an object's class: the name of its constructor and its tag.

use crate::object::{
    Cx, HeapObject, JSFunction, JSObject, JSString, PropertyValue, Symbol, SymbolKind, Tagged,
};

/// Prototypes looked at.
const MAX_CHAIN: usize = 64;
/// Longest tag.
const MAX_TAG: usize = 256;

/// The class of an object.
pub struct Class {
    /// The name of its constructor; `None` of an object without prototypes that have one.
    pub constructor: Option<String>,
    /// What it has as `Symbol.toStringTag`, "" for nothing.
    pub tag: String,
}

impl Class {
    /// `own_counts`: whether an object's own `constructor` does, which the prototype of a class has.
    pub fn of(object: HeapObject, own_counts: bool) -> Class {
        let constructor = constructor(object, own_counts);
        Class {
            constructor: constructor.or_else(|| of_odd_prototypes(object)),
            tag: tag(object).unwrap_or_default(),
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.constructor.as_deref() == Some(name)
    }

    /// What stands before the brackets; `fallback` is V8's own name of the class.
    pub fn prefix(&self, fallback: &str, size: &str) -> String {
        let Class { constructor, tag } = self;
        match constructor {
            None if !tag.is_empty() && fallback != tag => {
                format!("[{fallback}{size}: null prototype] [{tag}] ")
            }
            None => format!("[{fallback}{size}: null prototype] "),
            Some(name) if !tag.is_empty() && name != tag => format!("{name}{size} [{tag}] "),
            Some(name) => format!("{name}{size} "),
        }
    }
}

/// The name of the first constructor on the chain of prototypes.
fn constructor(object: HeapObject, own_counts: bool) -> Option<String> {
    let cx = object.cx;
    let chain = JSObject(object).chain().take(MAX_CHAIN);
    chain.skip(usize::from(!own_counts)).find_map(|holder| {
        let property = holder.own_property_named("constructor").ok()??;
        let Ok(PropertyValue::Tagged(class)) = property.value else {
            return None;
        };
        let name = function_name(cx, class)?;
        (!name.is_empty()).then_some(name)
    })
}

/// Of an object whose prototypes have no constructor.
fn of_odd_prototypes(object: HeapObject) -> Option<String> {
    let prototype = JSObject(object).chain().nth(1)?;
    let none = Class {
        constructor: None,
        tag: String::new(),
    };
    let name = none.prefix("Object", "");
    let is_shown = |p: &crate::object::Property| !p.attributes.dont_enumerate;
    let empty = !prototype.own_properties().ok()?.iter().any(is_shown);
    Some(format!(
        "Object <{}{}>",
        name.trim_end(),
        if empty { " {}" } else { "" }
    ))
}

/// The name that a function has as its property, without running a getter.
pub fn function_name(cx: Cx, function: Tagged) -> Option<String> {
    let object = cx.object(function).ok()?;
    if !object.instance_type().ok()?.is_js_function() {
        return None;
    }
    let function = JSFunction(object);
    match JSObject(object).own_property_named("name").ok()? {
        Some(property) => match property.value.ok()? {
            PropertyValue::Tagged(_) => function.own_name().ok()?,
            PropertyValue::Native(_) => function.shared().ok()?.name().ok(),
            _ => None,
        },
        None => Some(String::new()),
    }
}

fn tag(object: HeapObject) -> Option<String> {
    let cx = object.cx;
    let is_tag = |key: Tagged| {
        let symbol = cx
            .object(key)
            .ok()
            .filter(|k| k.instance_type() == Ok(crate::metadata::InstanceType::Symbol));
        let symbol = symbol.map(Symbol);
        symbol.is_some_and(|s| {
            s.kind() == Ok(SymbolKind::WellKnown)
                && s.is_well_known("Symbol.toStringTag") == Ok(true)
        })
    };
    let chain = JSObject(object).chain().take(MAX_CHAIN);
    for (depth, holder) in chain.enumerate() {
        let Some(found) = holder.own_property(is_tag).ok()? else {
            continue;
        };
        // Shown among its properties.
        if depth == 0 && !found.attributes.dont_enumerate {
            return None;
        }
        let PropertyValue::Tagged(value) = found.value.ok()? else {
            return None;
        };
        let value = cx
            .object(value)
            .ok()
            .filter(|v| v.is_string() == Ok(true))?;
        return Some(JSString(value).read(MAX_TAG).ok()?.text());
    }
    None
}
