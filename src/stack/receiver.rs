//! `this` of a call, as its name in a stack trace needs it: also where an optimizing compiler did
//! without the object, or kept a value in another form.

use super::call_site::{element_in, is_value};
use crate::deopt::{Captured, Value};
use crate::metadata::{Constant, InstanceType};
use crate::object::{
    constructor_name_of_map, is_name, is_to_string_tag, own_constant, Attributes, Cx, Descriptor,
    HeapObject, JSFunction, JSString, Map, MapName, PropertyValue, SharedFunctionInfo, Tagged,
};
use std::rc::Rc;

/// Longest name read.
const MAX_NAME: usize = 16 << 10;

/// What a call's `this` is.
#[derive(Debug, Clone)]
pub enum Receiver<'a> {
    Tagged(Tagged),
    /// A value that was never boxed.
    Primitive(Primitive),
    Unmade(Unmade<'a>),
}

/// A primitive value's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    Number,
    String,
    Boolean,
    Symbol,
    BigInt,
}

impl Primitive {
    /// Of a tagged word; `None` for objects, undefined and null.
    pub fn of(cx: Cx, value: Tagged) -> Option<Primitive> {
        let Ok(object) = cx.object(value) else {
            return Some(Primitive::Number);
        };
        Some(match object.instance_type().ok()? {
            InstanceType::HeapNumber => Primitive::Number,
            InstanceType::String => Primitive::String,
            InstanceType::Symbol => Primitive::Symbol,
            InstanceType::BigInt => Primitive::BigInt,
            InstanceType::Oddball => Primitive::Boolean,
            _ => return None,
        })
    }

    /// The name of its class.
    pub fn name(self) -> &'static str {
        match self {
            Primitive::Number => "Number",
            Primitive::String => "String",
            Primitive::Boolean => "Boolean",
            Primitive::Symbol => "Symbol",
            Primitive::BigInt => "BigInt",
        }
    }

    /// The prototype of its class, in the realm of a function.
    pub fn prototype(self, function: JSFunction<'_>) -> Option<HeapObject<'_>> {
        let cx = function.0.cx;
        let slots = &cx.layout.primitive_functions;
        let slot = match self {
            Primitive::Number => slots.number,
            Primitive::String => slots.string,
            Primitive::Boolean => slots.boolean,
            Primitive::Symbol => slots.symbol,
            Primitive::BigInt => slots.bigint,
        };
        let realm = function.context().ok()?.native_context().ok()?;
        let class = cx.object(realm.get(slot.offset().ok()?).ok()?).ok()?;
        let class = JSFunction::new(class).ok()?;
        // The slots move with each V8.
        if class.shared().ok()?.name().ok()? != self.name() {
            return None;
        }
        let map = cx.object(class.prototype_or_initial_map().ok()??).ok()?;
        Map(map).check().ok()?;
        cx.object(Map(map).prototype().ok()?).ok()
    }
}

/// Which function a call is of, as far as others can be compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    Tagged(Tagged),
    /// One that was never made, by its number in the translation.
    Unmade(u64),
}

impl Identity {
    /// Of a function in a translation.
    pub fn of(cx: Cx, value: &Value) -> Option<Identity> {
        match value {
            Value::Tagged(value) => Some(Identity::Tagged(cx.settled(*value))),
            Value::Captured(object) => Some(Identity::Unmade(object.number)),
            Value::Duplicated(number) => Some(Identity::Unmade(*number)),
            _ => None,
        }
    }
}

impl From<Tagged> for Receiver<'_> {
    fn from(value: Tagged) -> Self {
        Receiver::Tagged(value)
    }
}

impl<'a> Receiver<'a> {
    /// Whether it is a tagged word of which this holds.
    pub fn is(&self, holds: impl FnOnce(Tagged) -> bool) -> bool {
        match self {
            Receiver::Tagged(value) => holds(*value),
            Receiver::Primitive(_) | Receiver::Unmade(_) => false,
        }
    }

    /// Of a value in a translation; `None` where nothing is kept of it.
    pub fn of(cx: Cx<'a>, value: &Value) -> Option<Receiver<'a>> {
        let primitive = |kind| Some(Receiver::Primitive(kind));
        match value {
            Value::Tagged(value) => Some(Receiver::Tagged(*value)),
            Value::Number(_) | Value::Int64(_) => primitive(Primitive::Number),
            Value::BigInt(_) | Value::UnsignedBigInt(_) => primitive(Primitive::BigInt),
            Value::Bool(_) => primitive(Primitive::Boolean),
            Value::StringConcat(_) => primitive(Primitive::String),
            Value::Captured(object) => Unmade::new(cx, object).map(Receiver::Unmade),
            Value::Undefined
            | Value::OptimizedOut
            | Value::InRegister
            | Value::Duplicated(_)
            | Value::Arguments
            | Value::Unreadable(_) => None,
        }
    }
}

/// An object that was never made.
#[derive(Debug, Clone)]
pub struct Unmade<'a> {
    map: Map<'a>,
    object: Rc<Captured>,
}

impl<'a> Unmade<'a> {
    /// `None` where it has no Map.
    pub fn new(cx: Cx<'a>, object: &Rc<Captured>) -> Option<Unmade<'a>> {
        let map = Map(cx.object(object.words.first()?.tagged()?).ok()?);
        map.check().ok()?;
        Some(Unmade {
            map,
            object: object.clone(),
        })
    }

    /// Where its class is.
    pub fn map(&self) -> Map<'a> {
        self.map
    }

    fn field(&self, field: Constant) -> Option<&Value> {
        let word = usize::try_from(field.offset().ok()? / 8).ok()?;
        self.object.words.get(word)
    }

    /// Its function's shared part, where it is a function.
    pub fn shared(&self) -> Option<SharedFunctionInfo<'a>> {
        let cx = self.map.0.cx;
        let shared = self.field(cx.layout.js_function.shared)?.tagged()?;
        SharedFunctionInfo::new(cx.object(shared).ok()?).ok()
    }

    /// The name of its constructor, as far as its Map and fields tell.
    pub fn constructor_name(&self) -> Option<String> {
        match constructor_name_of_map(self.map).ok()? {
            MapName::Name(name) => Some(name),
            MapName::PerObject => self.own_tag(),
        }
    }

    /// Its own Symbol.toStringTag.
    fn own_tag(&self) -> Option<String> {
        let cx = self.map.0.cx;
        let entries = self.map.own_descriptor_entries().ok()?;
        let tag = entries.iter().find(|d| is_to_string_tag(cx, d.key))?;
        let text = match self.property(tag)? {
            Found::Field(value) => cx.object(value.tagged()?).ok()?,
            Found::Constant(PropertyValue::Tagged(value)) => cx.object(value).ok()?,
            Found::Constant(_) => return None,
        };
        if !text.is_string().ok()? {
            return None;
        }
        Some(JSString(text).read(MAX_NAME).ok()?.text())
    }

    fn property(&self, descriptor: &Descriptor) -> Option<Found<'_>> {
        let cx = self.map.0.cx;
        let details = descriptor.details?;
        if !details.is_field(cx).ok()? {
            let value = own_constant(cx, descriptor.value, details).ok()?;
            return Some(Found::Constant(value));
        }
        let start = self.map.inobject_properties_start().ok()?;
        let inside = (self.map.instance_size().ok()? / 8).saturating_sub(start);
        let index = details.field_index(cx).ok()?;
        if index < inside {
            let word = usize::try_from(start.checked_add(index)?).ok()?;
            return self.object.words.get(word).map(Found::Field);
        }
        let Value::Captured(array) = self.field(cx.layout.js_object.properties_or_hash)? else {
            return None;
        };
        let first = cx.layout.property_array.data.offset().ok()? / 8;
        let word = usize::try_from(first.checked_add(index - inside)?).ok()?;
        array.words.get(word).map(Found::Field)
    }

    /// Whether its own property of a name is the function; `None` where it has none.
    pub fn own_method_named(&self, name: &str, function: Identity) -> Option<bool> {
        let cx = self.map.0.cx;
        let entries = self.map.own_descriptor_entries().ok()?;
        let found = entries.iter().find(|d| is_name(cx, d.key, name))?;
        Some(self.is_method(found, function))
    }

    /// The names of its own properties that are the function.
    pub fn own_methods(&self, function: Identity) -> Option<Vec<(Tagged, Attributes)>> {
        let cx = self.map.0.cx;
        let entries = self.map.own_descriptor_entries().ok()?;
        let methods = entries.iter().filter(|d| self.is_method(d, function));
        let attributes = |d: &Descriptor| d.details.and_then(|d| d.attributes(cx).ok());
        Some(
            methods
                .map(|d| (d.key, attributes(d).unwrap_or_default()))
                .collect(),
        )
    }

    fn is_method(&self, descriptor: &Descriptor, function: Identity) -> bool {
        let cx = self.map.0.cx;
        match (self.property(descriptor), function) {
            (Some(Found::Field(value)), _) => Identity::of(cx, value) == Some(function),
            (Some(Found::Constant(value)), Identity::Tagged(function)) => {
                is_value(cx, &Ok(value), function)
            }
            _ => false,
        }
    }

    /// Whether an element of its own is the function; `None` where it has none at the index.
    pub fn own_element(&self, index: u64, function: Identity) -> Option<bool> {
        let cx = self.map.0.cx;
        match self.field(cx.layout.js_object.elements)? {
            Value::Captured(elements) => {
                let first = cx.layout.fixed_array.data.offset().ok()? / 8;
                let word = usize::try_from(first.checked_add(index)?).ok()?;
                let value = elements.words.get(word)?;
                Some(Identity::of(cx, value) == Some(function))
            }
            Value::Tagged(elements) => {
                let value = element_in(cx.object(*elements).ok()?, index)?;
                Some(match function {
                    Identity::Tagged(function) => is_value(cx, &value, function),
                    _ => false,
                })
            }
            _ => None,
        }
    }
}

/// Where a property's value is.
enum Found<'v> {
    Field(&'v Value),
    Constant(PropertyValue),
}
